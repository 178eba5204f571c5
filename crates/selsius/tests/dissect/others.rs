//! What the well-known dissector gets wrong (end of wire-facts) is right here.

use serde_json::{Value, json};

use crate::support::{Made, text, words};

/// Register of a phone that offers this version, and its ack.
fn registered(version: u8) -> Made {
    let mut register = text("SEP001122334455", 16);
    register.extend(words(&[0, 1, 0x0700_000a, 8, 0, 0]));
    register.extend([version, 0, 0, 0x81]);
    Made::new().station(0, 0x0001, &register).manager(0, 0x0081, &{
        let mut ack = words(&[30]);
        ack.extend(b"M/D/YA");
        ack.extend([0, 0]);
        ack.extend(words(&[30]));
        ack.extend([version, 0x20, 0xf1, 0xff]);
        ack
    })
}

fn last(made: &Made) -> Value {
    made.json().pop().unwrap()
}

#[test]
fn numbers_have_24_bytes_at_version_18_and_25_at_20() {
    for (version, width) in [(18, 24), (20, 25)] {
        let mut body = text("1002", width);
        body.extend(words(&[1, 77]));
        body.resize(body.len().next_multiple_of(4), 0);
        let message = last(&registered(version).manager(version.into(), 0x011d, &body));
        let expected = json!({"dialed_number": "1002", "line_instance": 1, "call_reference": 77});
        assert_eq!(message["fields"], expected);
        assert_eq!((&message["name"], &message["anomalies"]), (&json!("DialedNumber"), &json!([])));
    }
}

#[test]
fn statistics_have_the_right_call_reference() {
    let mut body = text("1002", 25);
    body.extend(words(&[4711, 0, 100, 16_000, 99, 15_840, 1, 7, 12, 0]));
    let message = last(&registered(20).station(20, 0x0023, &body));
    assert_eq!(message["name"], "ConnectionStatisticsRes");
    let fields = &message["fields"];
    assert_eq!(
        (&fields["call_reference"], &fields["number_packets_lost"]),
        (&json!(4711), &json!(1)),
        "{fields}"
    );
}

#[test]
fn short_forms_of_old_managers_are_no_errors() {
    let made = Made::new()
        .manager(0, 0x0092, &[0; 28])
        .manager(0, 0x008f, &[0; 128])
        .manager(0, 0x008a, &words(&[0x0700_000a, 20_000, 20, 4, 0, 0, 0, 0, 0]))
        .manager(0, 0x008b, &[0; 4])
        .manager(0, 0x0082, &words(&[0x21]))
        .manager(0, 0x0083, &[])
        .manager(0, 0x0085, &words(&[1]))
        .station(0, 0x0005, &words(&[9, 1]));
    let messages = made.json();
    assert_eq!(messages.len(), 8);
    for message in messages {
        assert_eq!(message["anomalies"], json!([]), "{message}");
    }
}

#[test]
fn callmanager_2_opens_and_closes_reception() {
    let made = Made::new().manager(0, 0x008c, &words(&[0x0700_000a, 20, 4, 0, 0, 0])).manager(
        0,
        0x008d,
        &words(&[0]),
    );
    let names: Vec<_> = made.json().iter().map(|message| message["name"].clone()).collect();
    assert_eq!(names, ["StartMediaReception", "StopMediaReception"]);
}

#[test]
fn the_ack_of_a_transmission_comes_from_the_station() {
    let message = last(&registered(17).station(17, 0x0154, &[0; 40]));
    assert_eq!(
        (&message["from"], &message["name"]),
        (&json!("station"), &json!("StartMediaTransmissionAck"))
    );
    assert_eq!(message["src"], "10.0.0.7:50000");
}

#[test]
fn requests_without_a_body_find_their_answers() {
    let pairs = [
        (0x0000, 0x0100, 0),
        (0x000d, 0x0094, 36),
        (0x000e, 0x0097, 96),
        (0x000c, 0x0093, 64),
        (0x000f, 0x0098, 16),
        (0x0012, 0x009e, 256),
        (0x0025, 0x0109, 780),
        (0x0028, 0x0108, 652),
    ];
    for (request, answer, body) in pairs {
        let made = registered(11).station(11, request, &[]).manager(11, answer, &vec![0; body]);
        let messages = made.json();
        let [.., asked, answered] = messages.as_slice() else { panic!("{request:#x}: {messages:?}") };
        assert_eq!(answered["answers"], asked["frame"], "{request:#x}: {answered}");
    }
    // And the one that the manager asks.
    let made = registered(11).manager(11, 0x009b, &[]).station(11, 0x0010, &words(&[0]));
    let messages = made.json();
    let [.., asked, answered] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(answered["answers"], asked["frame"], "{answered}");
}

#[test]
fn the_manager_sends_0x0081_to_0x009f() {
    for message in registered(11).manager(11, 0x009d, &text("no", 36)).json().iter().skip(1) {
        assert_eq!(
            (&message["from"], &message["src"]),
            (&json!("manager"), &json!("10.0.0.1:2000")),
            "{message}"
        );
    }
}
