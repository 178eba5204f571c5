use alloc::{vec, vec::Vec};

use selsius_wire::{Context, RawFrame, StationMessage};

use super::*;
use crate::{conversation::Packets, packet::Stamp};

/// Little-endian words.
fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn ends(connection: u64) -> Opened {
    Opened {
        connection: ConnectionId(connection),
        stamp: Stamp::default(),
        station: SocketAddr::from(([10, 0, 0, connection as u8], 50_000)),
        manager: SocketAddr::from(([10, 0, 0, 100], 2_000)),
        handshake: true,
    }
}

/// Plays messages: milliseconds, connection, side, id, body.
fn play(messages: &[(u64, u64, Side, u32, Vec<u8>)]) -> Report {
    let mut survey = Survey::default();
    let mut known = Vec::new();
    for (number, (at, connection, from, id, body)) in (1..).zip(messages) {
        let ends = ends(*connection);
        if !known.contains(connection) {
            known.push(*connection);
            survey.opened(&ends);
        }
        let frame = RawFrame { header_version: 0, id: *id, body };
        let context = Context::new(6);
        let message = match from {
            Side::Station => Message::Station(StationMessage::decode_lenient(frame, context)),
            Side::Manager => Message::Manager(ManagerMessage::decode_lenient(frame, context)),
        };
        survey.seen(
            &Seen {
                number,
                time: Time::from_millis(*at),
                connection: ends.connection,
                packets: Packets { first: number, last: number },
                from: *from,
                device: Some(alloc::format!("SEP{connection}").into()),
                version: 6,
                message,
                answers: None,
            },
            &ends,
        );
    }
    survey.finish()
}

use Side::{Manager as M, Station as S};

fn state(call: u32, state: CallStateRaw) -> Vec<u8> {
    words(&[state, 1, call, 0, 0, 0])
}

type CallStateRaw = u32;
const OFF_HOOK: u32 = 1;
const ON_HOOK: u32 = 2;
const RING_IN: u32 = 4;
const CONNECTED: u32 = 5;

/// CallInfo of CallManager 4.1 with numbers only.
fn info(call: u32, kind: u32, from: &str, to: &str) -> Vec<u8> {
    let mut body = vec![0; 384];
    body[40..40 + from.len()].copy_from_slice(from.as_bytes());
    body[104..104 + to.len()].copy_from_slice(to.as_bytes());
    for (at, word) in [(128, 1), (132, call), (136, kind)] {
        body[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
    }
    body
}

#[test]
fn two_legs_with_the_same_numbers_are_a_call() {
    let report = play(&[
        (0, 1, M, 0x0111, state(10, OFF_HOOK)),
        (100, 1, M, 0x008f, info(10, 2, "1001", "1002")),
        (100, 2, M, 0x0111, state(11, RING_IN)),
        (101, 2, M, 0x008f, info(11, 1, "1001", "1002")),
        (900, 2, M, 0x0111, state(11, CONNECTED)),
        (901, 1, M, 0x0111, state(10, CONNECTED)),
        (5_000, 2, S, 0x0007, words(&[1, 11])),
        (5_001, 2, M, 0x0111, state(11, ON_HOOK)),
        (5_002, 1, M, 0x0111, state(10, ON_HOOK)),
        // Later, the other way round, with the same references.
        (9_000, 2, M, 0x0111, state(10, OFF_HOOK)),
        (9_001, 2, M, 0x008f, info(10, 2, "1002", "1001")),
    ]);
    assert_eq!(report.calls.len(), 2);
    let call = &report.calls[0];
    assert_eq!((call.number, call.legs.len(), call.start), (1, 2, Time::ZERO));
    assert_eq!((call.calling.number.as_str(), call.called.number.as_str()), ("1001", "1002"));
    assert_eq!(call.legs[0].device, DeviceIndex(0), "the caller comes first");
    let times = [call.rang, call.answered, call.ended];
    assert_eq!(times, [100, 900, 5_002].map(|at| Some(Time::from_millis(at))));
    assert_eq!(call.hung_up, Some(DeviceIndex(1)));
    assert_eq!((report.calls[1].legs.len(), report.calls[1].ended), (1, None));
}

#[test]
fn calls_of_others_at_the_same_time_are_apart() {
    let report = play(&[
        (0, 1, M, 0x0111, state(10, OFF_HOOK)),
        (1, 2, M, 0x0111, state(20, OFF_HOOK)),
        (2, 1, M, 0x008f, info(10, 2, "1001", "1003")),
        (3, 2, M, 0x008f, info(20, 2, "1002", "1003")),
        (4, 1, M, 0x0111, state(10, ON_HOOK)),
        (5, 2, M, 0x0111, state(20, ON_HOOK)),
    ]);
    assert_eq!(report.calls.len(), 2);
    assert!(report.calls.iter().all(|call| call.hung_up.is_none() && call.answered.is_none()));
}

#[test]
fn a_call_is_forwarded_to_a_second_phone_by_its_stream() {
    let here = u32::from_le_bytes([10, 0, 0, 2]);
    let report = play(&[
        (0, 1, M, 0x0111, state(10, OFF_HOOK)),
        (1, 2, M, 0x0111, state(20, RING_IN)),
        (2, 2, M, 0x0105, words(&[7, 70, 20, 4, 0, 0, 20])),
        (3, 2, S, 0x0022, words(&[0, here, 20_000, 70])),
        (4, 1, M, 0x008a, words(&[8, 80, here, 20_000, 20, 4, 0, 0, 0, 0, 10])),
        (5, 1, M, 0x0111, state(10, CONNECTED)),
        (6, 2, M, 0x0111, state(20, CONNECTED)),
    ]);
    assert_eq!(report.streams.len(), 1, "{:?}", report.streams);
    let stream = &report.streams[0];
    assert_eq!((stream.sender.unwrap().0, stream.receiver), (DeviceIndex(0), Some(DeviceIndex(1))));
    assert_eq!(report.calls.len(), 1);
    assert_eq!((report.calls[0].legs.len(), report.calls[0].streams.as_slice()), (2, &[0][..]));
}

#[test]
fn a_rejected_phone_is_remembered() {
    let mut reason = b"No licence".to_vec();
    reason.resize(36, 0);
    let report = play(&[(7, 1, M, 0x009d, reason)]);
    let phone = &report.devices[0];
    assert_eq!(phone.rejects, [(Time::from_millis(7), "No licence".into())]);
    assert_eq!((phone.name.as_str(), phone.registered), ("SEP1", None));
}
