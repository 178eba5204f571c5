use proptest::prelude::*;
use sccp::{
    ExtendedUnitData, ExtendedUnitDataService, GlobalTitle, LongUnitData, LongUnitDataService, SccpAddress,
    SccpMessage, SubsystemNumber, UnitData, UnitDataService,
};

use super::*;
use crate::cli::dissect::ss7::{details, json, message};

fn called() -> SccpAddress {
    let title = GlobalTitle::Gt0100 {
        translation_type: 0,
        numbering_plan: 1,
        encoding_scheme: 1,
        nature_of_address: 4,
        digits: "49151123456".into(),
    };
    SccpAddress::with_gt(title, Some(SubsystemNumber::Hlr))
}

fn calling() -> SccpAddress {
    SccpAddress::with_ssn(SubsystemNumber::Other(254), Some(1_234))
}

const CALLED: &str = r#""called":{"routing":"global title","ssn":6,"subsystem":"HLR","global_title":{"translation_type":0,"numbering_plan":"ISDN/telephony","encoding_scheme":"BCD, odd","nature":"international","digits":"49151123456"}}"#;
const CALLING: &str = r#""calling":{"routing":"subsystem","point_code":1234,"ssn":254}"#;

/// The connectionless messages, as the crate writes them, and what they say.
fn connectionless() -> Vec<(Vec<u8>, &'static str, String)> {
    let data = vec![0x62, 0x40, 0x48];
    let ends = format!(r#"{CALLED},{CALLING},"data_length":3,"data":"624048""#);
    let segmentation = vec![0x10, 4, 0xc1, 3, 2, 1, 0x12, 1, 5, 0];
    let tail = r#""segmentation":{"first":true,"class":1,"remaining":1,"reference":66051},"importance":5"#;
    let cause = ReturnCause::SubsystemFailure;
    let mut xudt = ExtendedUnitData::new(called(), calling(), data.clone());
    (xudt.message_handling, xudt.optional_part) = (8, segmentation.clone());
    let mut ludt = LongUnitData::new(called(), calling(), data.clone());
    (ludt.protocol_class, ludt.optional_part) = (1, segmentation);
    vec![
        (
            UnitData::new(called(), calling(), data.clone()).encode().unwrap(),
            "UDT",
            format!(r#""class":0,"return_on_error":false,{ends}"#),
        ),
        (
            UnitDataService::new(cause, called(), calling(), data.clone()).encode().unwrap(),
            "UDTS",
            format!(r#""return_cause":"subsystem failure",{ends}"#),
        ),
        (
            xudt.encode().unwrap(),
            "XUDT",
            format!(r#""class":0,"return_on_error":true,"hop_counter":15,{ends},{tail}"#),
        ),
        (
            ExtendedUnitDataService::new(cause, called(), calling(), data.clone()).encode().unwrap(),
            "XUDTS",
            format!(r#""return_cause":"subsystem failure","hop_counter":15,{ends}"#),
        ),
        (
            ludt.encode().unwrap(),
            "LUDT",
            format!(r#""class":1,"return_on_error":false,"hop_counter":15,{ends},{tail}"#),
        ),
        (
            LongUnitDataService::new(cause, called(), calling(), data).encode().unwrap(),
            "LUDTS",
            format!(r#""return_cause":"subsystem failure","hop_counter":15,{ends}"#),
        ),
    ]
}

/// Everything else, as bytes (Q.713, tables 3 to 18).
fn connection_oriented() -> Vec<(Vec<u8>, &'static str, String)> {
    let destination = r#""destination_reference":197121"#;
    let source = r#""source_reference":722437"#;
    let rows: [(&[u8], _, _); 14] = [
        (
            &[1, 5, 6, 11, 2, 2, 4, 2, 0x42, 254, 4, 2, 0x42, 8, 0x0f, 2, 7, 8, 0x11, 1, 9, 0],
            "CR",
            format!(
                r#"{source},"class":2,"called":{{"routing":"subsystem","ssn":254}},"calling":{{"routing":"subsystem","ssn":8,"subsystem":"MSC"}},"data_length":2,"data":"0708","hop_counter":9"#
            ),
        ),
        (
            &[2, 1, 2, 3, 5, 6, 11, 3, 1, 9, 1, 4, 0],
            "CC",
            format!(r#"{destination},{source},"class":3,"credit":4"#),
        ),
        (
            &[3, 1, 2, 3, 4, 0],
            "CREF",
            format!(r#"{destination},"refusal_cause":"destination address unknown""#),
        ),
        (
            &[4, 1, 2, 3, 5, 6, 11, 16, 1, 0x0f, 1, 7, 0],
            "RLSD",
            format!(r#"{destination},{source},"release_cause":"SCCP failure","data_length":1,"data":"07""#),
        ),
        (&[5, 1, 2, 3, 5, 6, 11], "RLC", format!("{destination},{source}")),
        (
            &[6, 1, 2, 3, 1, 1, 2, 7, 8],
            "DT1",
            format!(r#"{destination},"more_data":true,"data_length":2,"data":"0708""#),
        ),
        (
            &[7, 1, 2, 3, 6, 9, 1, 1, 7],
            "DT2",
            format!(
                r#"{destination},"send_sequence":3,"receive_sequence":4,"more_data":true,"data_length":1,"data":"07""#
            ),
        ),
        (&[8, 1, 2, 3, 8, 5], "AK", format!(r#"{destination},"receive_sequence":4,"credit":5"#)),
        (&[11, 1, 2, 3, 1, 1, 7], "ED", format!(r#"{destination},"data_length":1,"data":"07""#)),
        (&[12, 1, 2, 3], "EA", destination.into()),
        (
            &[13, 1, 2, 3, 5, 6, 11, 10],
            "RSR",
            format!(r#"{destination},{source},"reset_cause":"network congestion""#),
        ),
        (&[14, 1, 2, 3, 5, 6, 11], "RSC", format!("{destination},{source}")),
        (&[15, 1, 2, 3, 9], "ERR", format!(r#"{destination},"error_cause":9"#)),
        (
            &[16, 1, 2, 3, 5, 6, 11, 3, 6, 8, 5],
            "IT",
            format!(
                r#"{destination},{source},"class":3,"send_sequence":3,"receive_sequence":4,"more_data":false,"credit":5"#
            ),
        ),
    ];
    rows.into_iter().map(|(bytes, name, fields)| (bytes.to_vec(), name, fields)).collect()
}

fn all() -> Vec<(Vec<u8>, &'static str, String)> {
    let mut all = connectionless();
    all.extend(connection_oriented());
    all
}

#[test]
fn every_message_says_what_it_says() {
    let mut seen = Vec::new();
    for (bytes, name, expected) in all() {
        let decoded = decode(&bytes);
        let mut fields = String::new();
        json(&decoded.fields, &mut fields);
        assert_eq!((decoded.name, decoded.whole), (name, true), "{bytes:02x?}");
        assert_eq!(fields, format!("{{{expected}}}"), "{name}");
        assert_eq!(decoded.anomalies, Vec::<String>::new(), "{name}");
        assert_eq!(MessageType::from_u8(bytes[0]).map(|kind| kind.to_string()).as_deref(), Some(name));
        assert!(!names::meaning(name).is_empty(), "{name}");
        seen.push(bytes[0]);
        note_fields(&decoded.fields);
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=20).collect::<Vec<u8>>());
}

/// A filter can ask for every field.
fn note_fields(fields: &[Field]) {
    for field in fields {
        assert!(names::FIELDS.contains(&field.name), "{}", field.name);
        if let Value::Parts(parts) = &field.value {
            note_fields(parts);
        }
    }
}

#[test]
fn every_kind_of_global_title() {
    for (address, expected) in [
        (
            &[0x04, 0x83, 0x21, 0x43, 0x05][..],
            r#"{"routing":"global title","global_title":{"nature":"national","odd":true,"digits":"12345"}}"#,
        ),
        (
            &[0x0a, 8, 9, 0x21, 0x43],
            r#"{"routing":"global title","ssn":8,"subsystem":"MSC","global_title":{"translation_type":9,"digits":"1234"}}"#,
        ),
        (
            &[0x4e, 146, 0, 0x62, 0x21, 0x43],
            r#"{"routing":"subsystem","ssn":146,"subsystem":"CAP","global_title":{"translation_type":0,"numbering_plan":"land mobile","encoding_scheme":"BCD, even","digits":"1234"}}"#,
        ),
        (&[0x43, 0xff, 0xff, 7], r#"{"routing":"subsystem","point_code":16383,"ssn":7,"subsystem":"VLR"}"#),
        (&[0], r#"{"routing":"global title"}"#),
    ] {
        let (fields, wrong) = party(address);
        let mut text = String::new();
        json(&fields, &mut text);
        assert_eq!((text.as_str(), wrong), (expected, None));
        note_fields(&fields);
    }
    for wrong in [&[][..], &[0x24, 1, 2], &[0x12, 8, 0, 0x11], &[1, 2]] {
        let (fields, why) = party(wrong);
        assert_eq!(fields, [Field { name: "address", value: Value::Bytes(wrong.to_vec()) }]);
        assert!(why.is_some());
    }
}

#[test]
fn what_is_said_in_short() {
    let lines = [
        ("UDT", "class 0, called 49151123456 ssn 6 (HLR), calling pc 1234 ssn 254, 3 bytes"),
        (
            "XUDTS",
            "subsystem failure, 15 hops left, called 49151123456 ssn 6 (HLR), calling pc 1234 ssn 254, 3 bytes",
        ),
        ("CREF", "to reference 0x030201, destination address unknown"),
        ("RLC", "to reference 0x030201, from reference 0x0b0605"),
        ("DT1", "to reference 0x030201, more follows, 2 bytes"),
    ];
    for (bytes, name, _) in all() {
        let carried = selsius_inspect::ss7::raw(&bytes);
        let message = message(Default::default(), None, &carried);
        if let Some((_, expected)) = lines.iter().find(|(of, _)| *of == name) {
            assert_eq!(details(&message), *expected, "{name}");
        }
    }
}

#[test]
fn truncation_is_told() {
    for (bytes, name, _) in all() {
        for length in 0..bytes.len() {
            let decoded = decode(&bytes[..length]);
            assert!(!decoded.whole, "{name} at {length}: {decoded:?}");
            assert_eq!(decoded.name == name, length > 0);
        }
    }
    // What lies before the end is shown.
    let (udt, ..) = connectionless().remove(0);
    let cut = decode(&udt[..udt.len() - 2]);
    let names: Vec<_> = cut.fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["class", "return_on_error", "called", "calling", "data_length", "data"]);
    let carried = selsius_inspect::ss7::Carried { label: None, sccp: &udt[..udt.len() - 2], cut: 2 };
    let message = message(Default::default(), None, &carried);
    assert_eq!(
        (message.length, message.anomalies),
        (udt.len(), vec!["2 bytes were not captured".to_owned()])
    );
}

#[test]
fn what_is_odd_is_told() {
    for (bytes, expected) in [
        (&[0x77, 1, 2][..], "message type 0x77 is not known"),
        (&[9, 0, 3, 5, 0, 2, 0x42, 6, 2, 0x42, 8], "data is not there"),
        (&[9, 0, 3, 5, 7, 2, 0x24, 6, 2, 0x42, 8, 1, 2], "called: invalid global title indicator: 9"),
        (&[3, 1, 2, 3, 4, 1, 0x33, 1, 9, 0], "parameter 0x33 is not known, or [09] is not it"),
        (&[3, 1, 2, 3, 4, 1, 0x12, 1, 1, 0x12, 1, 2, 0], "importance is there more than once"),
    ] {
        assert_eq!(decode(bytes).anomalies, [expected]);
    }
    let endless = [&[3, 1, 2, 3, 4, 1][..], &[0x33, 0].repeat(10_000)].concat();
    assert_eq!(decode(&endless).anomalies.len(), MOST_ANOMALIES);
}

/// Where the crate reads a whole message, it reads the same.
fn compare(bytes: &[u8]) {
    let (called, calling, data) = match SccpMessage::decode(bytes) {
        Ok(SccpMessage::Udt(message)) => (message.called_party, message.calling_party, message.data),
        Ok(SccpMessage::Udts(message)) => (message.called_party, message.calling_party, message.data),
        Ok(SccpMessage::Xudt(message)) => (message.called_party, message.calling_party, message.data),
        Ok(SccpMessage::Xudts(message)) => (message.called_party, message.calling_party, message.data),
        Ok(SccpMessage::Ludt(message)) => (message.called_party, message.calling_party, message.data),
        Ok(SccpMessage::Ludts(message)) => (message.called_party, message.calling_party, message.data),
        Err(_) => return,
    };
    let decoded = decode(bytes);
    let find = |name| decoded.fields.iter().find(|field| field.name == name).map(|field| &field.value);
    for (name, address) in [("called", called), ("calling", calling)] {
        // A pointer of 0 leads nowhere; the crate reads it as an offset.
        let Some(Value::Parts(parts)) = find(name) else { continue };
        if let Ok(bytes) = address.encode() {
            let again = party(&bytes).0;
            let ssn = |fields: &[Field]| fields.iter().find(|field| field.name == "ssn").cloned();
            assert_eq!(ssn(parts), ssn(&again), "{name}");
        }
    }
    if let Some(Value::Bytes(found)) = find("data") {
        assert_eq!(found, &data);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn garbage_is_survived(mut bytes in proptest::collection::vec(any::<u8>(), 0..120), kind in 0u8..24) {
        let (_, _) = party(&bytes);
        decode(&bytes);
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }
        decode(&bytes);
        compare(&bytes);
    }

    #[test]
    fn damage_is_survived(which in 0usize..20, at in any::<prop::sample::Index>(), with in any::<u8>(), length in 0usize..80) {
        let (mut bytes, ..) = all().swap_remove(which);
        let at = at.index(bytes.len());
        bytes[at] = with;
        compare(&bytes);
        bytes.truncate(length);
        decode(&bytes);
        compare(&bytes);
    }
}

#[test]
fn both_decoders_agree() {
    for (bytes, ..) in connectionless() {
        assert!(SccpMessage::decode(&bytes).is_ok());
        compare(&bytes);
    }
}
