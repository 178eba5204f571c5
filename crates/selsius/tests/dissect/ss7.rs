//! The other SCCP, that of SS7, on everything that carries it; and the well-known dissector beside it.

use std::process::Command;

use sccp::{
    ExtendedUnitData, ExtendedUnitDataService, GlobalTitle, LongUnitData, ReturnCause, SccpAddress,
    SubsystemNumber, UnitData, UnitDataService,
};
use selsius_inspect::capture::{Packet, Writer};
use selsius_wire::Time;
use serde_json::{Value, json};

use crate::support::{Made, dissect, dissect_input};

const OPC: u32 = 5_001;
const DPC: u32 = 10_002;

fn title(digits: &str, ssn: u8) -> SccpAddress {
    let title = GlobalTitle::Gt0100 {
        translation_type: 0,
        numbering_plan: 1,
        encoding_scheme: 1,
        nature_of_address: 4,
        digits: digits.into(),
    };
    SccpAddress::with_gt(title, Some(SubsystemNumber::from_u8(ssn)))
}

fn udt() -> Vec<u8> {
    UnitData::new(title("49151123456", 6), title("4915112345", 8), vec![0x62, 0x40]).encode().unwrap()
}

fn xudt() -> Vec<u8> {
    let calling = SccpAddress::with_ssn(SubsystemNumber::Msc, Some(1_234));
    let mut message = ExtendedUnitData::new(title("15551234567", 146), calling, vec![1, 2, 3]);
    message.protocol_class = 1;
    message.encode().unwrap()
}

fn ludt() -> Vec<u8> {
    let mut message = LongUnitData::new(title("15551234567", 6), title("4420", 7), vec![9; 2_000]);
    message.hop_counter = 7;
    message.encode().unwrap()
}

/// Messages that came back, and the older kinds of global titles.
fn more() -> Vec<Vec<u8>> {
    let cause = ReturnCause::NetworkCongestion;
    let of_plan = GlobalTitle::Gt0011 {
        translation_type: 3,
        numbering_plan: 6,
        encoding_scheme: 1,
        digits: "26201".into(),
    };
    let of_nature = GlobalTitle::Gt0001 { nature_of_address: 3, odd_even: false, digits: "0301234".into() };
    let called = SccpAddress::with_gt(of_plan, Some(SubsystemNumber::Vlr));
    let calling = SccpAddress::with_gt(of_nature, Some(SubsystemNumber::Other(149)));
    let one = UnitDataService::new(cause, title("4915", 6), title("441", 8), vec![1, 2]);
    let other = ExtendedUnitDataService::new(cause, title("4915", 6), title("441", 8), vec![1, 2]);
    let old = UnitData::new(called, calling, vec![1, 2]);
    [one.encode(), other.encode(), old.encode()].map(Result::unwrap).into()
}

/// One of each that is about connections.
fn connection() -> Vec<Vec<u8>> {
    [
        &[1, 5, 6, 11, 2, 2, 4, 2, 0x42, 254, 4, 2, 0x42, 8, 0x0f, 2, 7, 8, 0x11, 1, 9, 0][..],
        &[2, 1, 2, 3, 5, 6, 11, 3, 1, 9, 1, 4, 0],
        &[3, 1, 2, 3, 4, 0],
        &[4, 1, 2, 3, 5, 6, 11, 3, 1, 0x0f, 1, 7, 0],
        &[5, 1, 2, 3, 5, 6, 11],
        &[6, 1, 2, 3, 1, 1, 2, 7, 8],
        &[7, 1, 2, 3, 6, 9, 1, 1, 7],
        &[8, 1, 2, 3, 8, 5],
        &[11, 1, 2, 3, 1, 1, 7],
        &[12, 1, 2, 3],
        &[13, 1, 2, 3, 5, 6, 11, 10],
        &[14, 1, 2, 3, 5, 6, 11],
        &[15, 1, 2, 3, 3],
        &[16, 1, 2, 3, 5, 6, 11, 3, 6, 8, 5],
    ]
    .map(<[u8]>::to_vec)
    .into()
}

fn mtp3(sccp: &[u8]) -> Vec<u8> {
    [&[0x83][..], &(9 << 28 | OPC << 14 | DPC).to_le_bytes(), sccp].concat()
}

fn mtp2(sccp: &[u8]) -> Vec<u8> {
    let unit = mtp3(sccp);
    [&[0x81, 0x82, (unit.len() - 1).min(63) as u8][..], &unit].concat()
}

fn m3ua(sccp: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1, 0, 1, 1, 0, 0, 0, 0, 0, 6, 0, 8, 0, 0, 0, 1, 2, 0x10];
    bytes.extend((16 + sccp.len() as u16).to_be_bytes());
    bytes.extend([OPC.to_be_bytes(), DPC.to_be_bytes(), [3, 2, 0, 9]].concat());
    bytes.extend(sccp);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let length = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&length.to_be_bytes());
    bytes
}

fn m2pa(sccp: &[u8]) -> Vec<u8> {
    let unit = mtp3(sccp);
    let length = 17 + unit.len() as u32;
    [&[1, 0, 11, 1][..], &length.to_be_bytes(), &[0, 0, 0, 1, 0, 0, 0, 2, 0], &unit].concat()
}

/// Beginning and end of a message, as bits.
const WHOLE: u8 = 3;

fn chunk(flags: u8, tsn: u32, protocol: u32, payload: &[u8]) -> Vec<u8> {
    let mut chunk = vec![0, flags];
    chunk.extend((16 + payload.len() as u16).to_be_bytes());
    chunk.extend(tsn.to_be_bytes());
    chunk.extend([0; 4]);
    chunk.extend(protocol.to_be_bytes());
    chunk.extend(payload);
    chunk.resize(chunk.len().next_multiple_of(4), 0);
    chunk
}

fn sctp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = [2_905_u16.to_be_bytes(), 2_906_u16.to_be_bytes()].concat();
    bytes.extend([0, 0, 0x12, 0x34, 0, 0, 0, 0]);
    bytes.extend(chunks.concat());
    bytes
}

fn ethernet(sctp: &[u8]) -> Vec<u8> {
    let mut frame = [2; 12].to_vec();
    frame.extend([8, 0, 0x45, 0]);
    frame.extend((20 + sctp.len() as u16).to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 132, 0, 0, 10, 0, 0, 7, 10, 0, 0, 1]);
    frame.extend(sctp);
    frame
}

/// Packets with their link types, a second apart, as pcapng.
fn capture(packets: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let (mut writer, mut bytes) = (Writer::default(), Vec::new());
    for (index, (link, packet)) in packets.iter().enumerate() {
        let time = Time::from_micros(1_700_000_000_000_000 + index as u64 * 1_000_000);
        let packet = Packet { time, link: *link, bytes: packet, original: packet.len() as u32 };
        writer.packet(&packet, &mut bytes);
    }
    bytes
}

/// Every message on M3UA, and some on everything else; a packet with two, a message in three packets, one that is sent twice.
fn packets() -> Vec<(u32, Vec<u8>)> {
    let mut messages = vec![udt(), xudt()];
    messages.extend(connection());
    messages.extend(more());
    let mut packets: Vec<_> = messages
        .iter()
        .zip(100..)
        .map(|(message, tsn)| (1, ethernet(&sctp(&[chunk(WHOLE, tsn, 3, &m3ua(message))]))))
        .collect();
    for message in [udt(), xudt(), messages[2].clone()] {
        packets.extend([(140, mtp2(&message)), (141, mtp3(&message)), (142, message.clone())]);
        packets.push((139, [&[0, 0, 0, 1][..], &mtp2(&message)].concat()));
    }
    packets.push((248, sctp(&[chunk(WHOLE, 1, 3, &m3ua(&udt()))])));
    packets.push((1, ethernet(&sctp(&[chunk(WHOLE, 200, 5, &m2pa(&xudt()))]))));
    let two = [chunk(WHOLE, 201, 3, &m3ua(&udt())), chunk(WHOLE, 202, 3, &m3ua(&xudt()))];
    packets.push((1, ethernet(&sctp(&two))));
    let long = m3ua(&ludt());
    packets.push((1, ethernet(&sctp(&[chunk(2, 203, 3, &long[..800])]))));
    packets.push((1, ethernet(&sctp(&[chunk(0, 204, 3, &long[800..1_600])]))));
    packets.push((1, ethernet(&sctp(&[chunk(1, 205, 3, &long[1_600..])]))));
    packets.push((1, ethernet(&sctp(&[chunk(1, 205, 3, &long[1_600..])]))));
    packets
}

fn shown(packets: &[(u32, Vec<u8>)]) -> Vec<Value> {
    dissect_input(&["-", "--format", "json"], &capture(packets)).json()
}

#[test]
fn the_well_known_dissector_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ss7.pcapng");
    std::fs::write(&path, capture(&packets())).unwrap();
    let single = [
        ("sccp.called.digits", "/called/global_title/digits"),
        ("sccp.calling.digits", "/calling/global_title/digits"),
        ("sccp.called.ssn", "/called/ssn"),
        ("sccp.calling.ssn", "/calling/ssn"),
        ("sccp.calling.pc", "/calling/point_code"),
        ("sccp.class", "/class"),
        ("sccp.hops", "/hop_counter"),
        ("sccp.dlr", "/destination_reference"),
        ("sccp.slr", "/source_reference"),
        ("sccp.credit", "/credit"),
    ];
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&path).args([
        "-o",
        "sctp.reassembly:TRUE",
        "-Y",
        "sccp",
        "-T",
        "json",
        "-e",
        "frame.number",
    ]);
    for field in ["sccp.message_type", "mtp3.opc", "mtp3.dpc"] {
        command.args(["-e", field]);
    }
    for (field, _) in single {
        command.args(["-e", field]);
    }
    let Ok(output) = command.output() else {
        eprintln!("skipped: tshark is not installed");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
    // A number, however it is written, or digits.
    let plain = |value: &Value| match value.as_str() {
        Some(text) => match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).unwrap().to_string(),
            None => text.to_owned(),
        },
        None => value.to_string(),
    };
    let mut expected = Vec::new();
    for packet in theirs.as_array().unwrap() {
        let layers = &packet["_source"]["layers"];
        let all = |field: &str| -> Vec<String> {
            layers[field].as_array().into_iter().flatten().map(plain).collect()
        };
        let mut row = vec![("frame", all("frame.number")), ("type", all("sccp.message_type"))];
        // What M3UA says counts as MTP3's too.
        row.extend([("opc", all("mtp3.opc")), ("dpc", all("mtp3.dpc"))]);
        row.extend(single.map(|(field, name)| (name, all(field))));
        expected.push(row);
    }
    // The same of ours, messages of one packet together.
    let mut ours: Vec<Vec<(&str, Vec<String>)>> = Vec::new();
    for message in shown(&packets()) {
        let id = u64::from_str_radix(&message["id"].as_str().unwrap()[2..], 16).unwrap();
        let mut row = vec![("frame", vec![message["frame"].to_string()]), ("type", vec![id.to_string()])];
        for code in ["opc", "dpc"] {
            row.push((code, message[code].as_u64().map(|code| code.to_string()).into_iter().collect()));
        }
        row.extend(
            single.map(|(_, path)| (path, message["fields"].pointer(path).map(plain).into_iter().collect())),
        );
        match ours.last_mut().filter(|last| last[0] == row[0]) {
            Some(last) => last.iter_mut().zip(row).skip(1).for_each(|(had, new)| had.1.extend(new.1)),
            None => ours.push(row),
        }
    }
    assert_eq!(ours.len(), expected.len());
    for (ours, theirs) in ours.into_iter().zip(expected) {
        assert_eq!(ours, theirs);
    }
}

#[test]
fn every_message_is_found_once() {
    let messages = shown(&packets());
    // 19 on M3UA, three on four links, one without IP, one on M2PA, two in a packet, one in three packets.
    assert_eq!(messages.len(), 19 + 12 + 1 + 1 + 2 + 1);
    assert!(
        messages.iter().all(|message| message["protocol"] == "ss7-sccp" && message["anomalies"] == json!([]))
    );
    let last = messages.last().unwrap();
    assert_eq!((&last["name"], &last["frame"]), (&json!("LUDT"), &json!(37)));
    assert_eq!((&last["length"], &last["fields"]["data_length"]), (&json!(ludt().len()), &json!(2_000)));
}

#[test]
fn an_object_is_complete() {
    let packets = [(1, ethernet(&sctp(&[chunk(WHOLE, 1, 3, &m3ua(&udt()))]))), (142, udt())];
    let [on_sctp, raw] = shown(&packets).try_into().unwrap();
    let party = |digits: &str, ssn: u8, name: &str, scheme: &str| {
        json!({
            "routing": "global title", "ssn": ssn, "subsystem": name,
            "global_title": {
                "translation_type": 0, "numbering_plan": "ISDN/telephony", "encoding_scheme": scheme,
                "nature": "international", "digits": digits,
            },
        })
    };
    let mut expected = json!({
        "protocol": "ss7-sccp", "frame": 1, "time": "2023-11-14T22:13:20.000000Z",
        "src": "10.0.0.7:2905", "dst": "10.0.0.1:2906",
        "opc": OPC, "dpc": DPC, "network": 2, "priority": 0, "sls": 9,
        "id": "0x09", "name": "UDT", "length": udt().len(),
        "fields": {
            "class": 0, "return_on_error": false,
            "called": party("49151123456", 6, "HLR", "BCD, odd"),
            "calling": party("4915112345", 8, "MSC", "BCD, even"),
            "data_length": 2, "data": "6240",
        },
        "anomalies": [],
    });
    assert_eq!(on_sctp, expected);
    for key in ["src", "dst", "opc", "dpc", "network", "priority", "sls"] {
        expected[key] = Value::Null;
    }
    (expected["frame"], expected["time"]) = (json!(2), json!("2023-11-14T22:13:21.000000Z"));
    assert_eq!(raw, expected);
}

#[test]
fn lines_name_the_protocol() {
    let packets = [
        (1, ethernet(&sctp(&[chunk(WHOLE, 1, 3, &m3ua(&udt()))]))),
        (141, mtp3(&connection()[0])),
        (142, udt()),
    ];
    let text = dissect_input(&["-"], &capture(&packets)).good();
    let expected = "2023-11-14 UTC
22:13:20.000000       1 10.0.0.7:2905 pc 5001 ──> 10.0.0.1:2906 pc 10002 SS7-SCCP UDT class 0, called 49151123456 ssn 6 (HLR), calling 4915112345 ssn 8 (MSC), 2 bytes
22:13:21.000000       2 pc 5001 ──> pc 10002 SS7-SCCP CR from reference 0x0b0605, class 2, called ssn 254, calling ssn 8 (MSC), 2 bytes, 9 hops left
22:13:22.000000       3 SS7-SCCP UDT class 0, called 49151123456 ssn 6 (HLR), calling 4915112345 ssn 8 (MSC), 2 bytes
";
    assert_eq!(text, expected);
    let verbose = dissect_input(&["-v", "-"], &capture(&packets[2..])).good();
    assert!(
        verbose.contains("\n          global_title\n            translation_type             0\n"),
        "{verbose}"
    );
    let bytes = dissect_input(&["-x", "-"], &capture(&packets[2..])).good();
    assert!(bytes.contains("  09 00 03 0e 18 0b 12 06 00 11 04 94 51 11 32 54 "), "{bytes}");
}

#[test]
fn both_protocols_in_one_file() {
    let mut made = Made::new().station(0, 0x0000, &[]);
    made.packets(&[ethernet(&sctp(&[chunk(WHOLE, 1, 3, &m3ua(&udt()))]))]);
    let made = made.manager(0, 0x0100, &[]);
    let names = |filter: &str| -> Vec<Value> {
        let ran = dissect_input(&["-", "--format", "json", "--filter", filter], &made.bytes);
        ran.json().into_iter().map(|message| message["name"].clone()).collect()
    };
    assert_eq!(names("length"), ["KeepAlive", "UDT", "KeepAliveAck"]);
    assert_eq!(names("protocol == ss7-sccp"), ["UDT"]);
    assert_eq!(names("protocol == skinny && from == station"), ["KeepAlive"]);
    assert_eq!(
        names("name == UDT && opc == 5001 && fields.called.global_title.digits =~ \"^4915\""),
        ["UDT"]
    );
    assert_eq!(names("fields.called.digits == 49151123456"), ["UDT"]);
    let wrong = dissect(&["--filter", "name == XUDTT", "x.pcap"]);
    assert!(wrong.err.contains("no message is called XUDTT: did you mean"), "{}", wrong.err);

    let summary = dissect_input(&["-", "--format", "summary"], &made.bytes).good();
    assert!(summary.contains("2 messages of 1 phone"), "{summary}");
    let section = summary.split("\nSS7-SCCP (Q.713, not the SCCP of phones)\n").nth(1).expect(&summary);
    let row: Vec<_> = section.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, ["0x09", "UDT", "unitdata", "1"]);

    let ladder = dissect_input(&["-", "--format", "ladder"], &made.bytes);
    assert!(ladder.out.contains("KeepAliveAck") && !ladder.out.contains("UDT"), "{}", ladder.out);
    let said = "selsius: 1 message of SS7-SCCP is in no ladder: see --format text\n";
    assert_eq!((ladder.code, ladder.err.as_str()), (Some(0), said));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chosen.pcapng");
    let path = path.to_str().unwrap();
    dissect_input(&["-", "--filter", "name == UDT", "--write", path], &made.bytes).good();
    let [udt] = dissect(&["--format", "json", path]).json().try_into().unwrap();
    assert_eq!(udt["name"], "UDT");
}

#[test]
fn ss7_alone() {
    let bytes = capture(&[(142, udt()), (142, xudt()), (142, udt())]);
    let summary = dissect_input(&["-", "--format", "summary"], &bytes).good();
    assert!(summary.starts_with("no SCCP of phones in this capture\n\nSS7-SCCP"), "{summary}");
    assert!(summary.lines().any(|line| line.contains("UDT") && line.trim_end().ends_with('2')), "{summary}");
    let ladder = dissect_input(&["-", "--format", "ladder"], &bytes);
    assert_eq!(ladder.code, Some(1));
    assert!(ladder.err.contains("only SS7-SCCP, which is in no ladder: see --format text"), "{}", ladder.err);
}

#[test]
fn what_is_cut_is_told() {
    let whole = ethernet(&sctp(&[chunk(WHOLE, 1, 3, &m3ua(&udt()))]));
    let packets: Vec<_> = (0..whole.len()).map(|length| (1, whole[..length].to_vec())).collect();
    for message in shown(&packets) {
        let anomalies = message["anomalies"].as_array().unwrap();
        // The last bytes are padding.
        assert_eq!(
            anomalies.is_empty(),
            message["frame"].as_u64().unwrap() as usize > whole.len() - 3,
            "{message}"
        );
        assert_eq!(message["length"], udt().len());
    }
    // The capture's limit on a link of its own.
    let (mut writer, mut bytes) = (Writer::default(), Vec::new());
    let unit = mtp3(&udt());
    let packet = Packet { time: Time::ZERO, link: 141, bytes: &unit[..20], original: unit.len() as u32 };
    writer.packet(&packet, &mut bytes);
    let [message] = dissect_input(&["-", "--format", "json"], &bytes).json().try_into().unwrap();
    assert_eq!(message["anomalies"], json!([format!("{} bytes were not captured", unit.len() - 20)]));

    let half = ethernet(&sctp(&[chunk(2, 1, 3, &m3ua(&udt())[..30])]));
    let ran = dissect_input(&["-"], &capture(&[(1, half)]));
    let said = "selsius: 1 SCTP chunk is part of a message that never became whole\n";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), "", said));
}
