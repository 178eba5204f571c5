//! Counts and sizes that lie, from the table of what broke other SCCP software.

#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::frame;
use selsius_wire::{Context, DecodeError, Problem, RawFrame, Received, StationMessage, message};

fn bytes(id: u32, words: &[u32], more: usize) -> Vec<u8> {
    let mut body: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    body.resize(body.len() + more, 0);
    let mut out = Vec::new();
    RawFrame { header_version: 0, id, body: &body }.encode(&mut out);
    out
}

fn strict(bytes: &[u8]) -> Result<Received<StationMessage>, DecodeError> {
    StationMessage::decode(frame(bytes), Context::new(3))
}

fn lenient(bytes: &[u8]) -> Received<StationMessage> {
    let received = StationMessage::decode_lenient(frame(bytes), Context::new(3));
    let mut out = Vec::new();
    received.encode(&mut out);
    assert_eq!(out, bytes);
    received
}

#[test]
fn more_capabilities_than_there_are_slots() {
    // CVE-2007-4280, CVE-2010-0587.
    for count in [19, 255, 0x8000_0000, u32::MAX] {
        let bytes = bytes(0x10, &[count], 18 * 16);
        let error = strict(&bytes).unwrap_err();
        assert_eq!((error.field, error.offset), ("caps", 4));
        assert_eq!(error.problem, Problem::Count { count, capacity: 18 });
        let received = lenient(&bytes);
        assert_eq!(received.anomalies.len(), 1);
        let StationMessage::CapabilitiesRes(caps) = received.message else { panic!() };
        assert_eq!(caps.used().len(), 18);
    }
    // 18 fit, and more slots than were sent are not there.
    assert!(strict(&bytes(0x10, &[18], 18 * 16)).is_ok());
    assert_eq!(
        strict(&bytes(0x10, &[3], 2 * 16)).unwrap_err().problem,
        Problem::Count { count: 3, capacity: 2 }
    );
    assert_eq!(strict(&bytes(0x10, &[1], 0)).unwrap_err().problem, Problem::Count { count: 1, capacity: 0 });
}

#[test]
fn statistics_that_announce_more_than_they_have() {
    let mut words = [0; 16];
    words[15] = u32::MAX;
    let bytes = bytes(0x23, &words, 12);
    let error = strict(&bytes).unwrap_err();
    assert_eq!((error.field, error.problem), ("data", Problem::Count { count: u32::MAX, capacity: 12 }));
    let StationMessage::ConnectionStatisticsRes(statistics) = lenient(&bytes).message else { panic!() };
    assert_eq!(statistics.data.0.len(), 12);
}

#[test]
fn capability_updates_that_announce_more_than_they_have() {
    for id in [0x30, 0x43, 0x44] {
        let bytes = bytes(id, &[u32::MAX; 5], 600);
        assert!(matches!(strict(&bytes).unwrap_err().problem, Problem::Count { .. }), "{id:#06x}");
        assert!(!lenient(&bytes).anomalies.is_empty());
    }
}

#[test]
fn user_data_that_announces_more_than_it_has() {
    // A stack overflow in a well-known server (threats.md).
    for (count, sent, capacity) in [(u32::MAX, 40, 40), (2001, 2001, 2000), (41, 40, 40)] {
        let bytes = bytes(0x2E, &[1, 1, 1, 1, count], sent);
        let error = strict(&bytes).unwrap_err();
        assert_eq!((error.field, error.problem), ("xmldata", Problem::Count { count, capacity }));
        let StationMessage::DeviceToUserData(data) = lenient(&bytes).message else { panic!() };
        assert_eq!(data.xmldata.0.len(), capacity);
    }
    assert!(strict(&bytes(0x2E, &[1, 1, 1, 1, 2000], 2000)).is_ok());
}

#[test]
fn any_line_number_is_a_value_like_another() {
    // CVE-2010-0588: what it means is for the exchange to judge.
    for line in [0, 65, u32::MAX] {
        let available = message::RegisterAvailableLines { max_num_of_avail_lines: line };
        assert_eq!(strict(&bytes(0x2D, &[line], 0)).unwrap().message, available.into());
        let forward = message::ForwardStatReq { line_number: line };
        assert_eq!(strict(&bytes(9, &[line], 0)).unwrap().message, forward.into());
    }
}

#[test]
fn a_device_name_is_bytes_and_shows_as_text() {
    // CVE-2011-4486, CVE-2011-4487: quotes, escapes, no NUL at all.
    let mut bytes = bytes(1, &[0; 9], 0);
    bytes[12..28].copy_from_slice(b"SEP'; DROP\xff\x1b[2J!");
    let StationMessage::Register(register) = strict(&bytes).unwrap().message else { panic!() };
    assert_eq!(register.device_name.bytes(), b"SEP'; DROP\xff\x1b[2J!");
    assert_eq!(format!("{:?}", register.device_name), r#""SEP\'; DROP\xff\x1b[2J!""#);
}

#[test]
fn errors_name_message_field_and_offset() {
    let error = strict(&bytes(0x26, &[2, 1], 3)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "SoftKeyEvent (0x0026), length at offset 0: length 15 is below the shortest known form, 16"
    );
    let error = strict(&bytes(0x22, &[0, 0, 0, 0], 2)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "OpenReceiveChannelAck (0x0022), call_reference at offset 16: needs 4 bytes, the body has 2 left"
    );
}
