//! Servers that are wrong, or say nothing: what they do is counted for what it is.
#![allow(clippy::unwrap_used, reason = "servers for tests")]

mod support;

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use selsius_load::{Phones, Plan, Report, Rtp};
use selsius_station::{Config, ModelClass};
use selsius_wire::{Codec, DEFAULT_LIMIT, Dialect, Framer, RawFrame, message};

use crate::support::{Manager, phones, plan, run};

const CALL_INFO: [u32; 2] = [0x008F, 0x014A];
const OPEN_RECEIVE_CHANNEL: u32 = 0x0105;
const START_MEDIA_TRANSMISSION: u32 = 0x008A;

/// What a lying server makes of a frame of an honest one.
type Lie = fn(&RawFrame<'_>, &mut Vec<u8>);

/// A server that says what `manager` says, but for the lie. Its threads end with the connections.
fn liar(manager: SocketAddr, lie: Lie) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for phone in listener.incoming() {
            let (phone, server) = (phone.unwrap(), TcpStream::connect(manager).unwrap());
            let (from_phone, to_server) = (phone.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || relay(from_phone, to_server, |frame, out| frame.encode(out)));
            thread::spawn(move || relay(server, phone, lie));
        }
    });
    address
}

fn relay(mut from: TcpStream, mut to: TcpStream, say: Lie) {
    let (mut framer, mut buffer) = (Framer::with_limit(DEFAULT_LIMIT), [0; 4096]);
    while let Ok(length) = from.read(&mut buffer) {
        framer.feed(&buffer[..length]);
        let mut out = Vec::new();
        while let Some(frame) = framer.next().unwrap() {
            say(&frame, &mut out);
        }
        if length == 0 || to.write_all(&out).is_err() {
            let _ = to.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

/// The frame with every `from` in its body made `to`.
fn replaced(frame: &RawFrame<'_>, from: &[u8; 4], to: &[u8; 4], out: &mut Vec<u8>) {
    let mut body = frame.body.to_vec();
    for at in 0..body.len().saturating_sub(3) {
        if body[at..at + 4] == *from {
            body[at..at + 4].copy_from_slice(to);
        }
    }
    RawFrame { body: &body, ..*frame }.encode(out);
}

fn one_call(phones: Phones, target: SocketAddr) -> Plan {
    plan(target, phones, Some(1.0), Duration::from_millis(500))
}

/// One call through a liar, from 1001 to 1002.
fn lied_to(lie: Lie) -> Report {
    let phones = phones(2);
    let manager = Manager::of(&phones);
    run(&one_call(phones, liar(manager.address(), lie)))
}

fn wrongs(report: &Report) -> Vec<(&'static str, u64)> {
    report.wrong.clone().into_iter().collect()
}

#[test]
fn an_honest_relay_is_clean() {
    let report = lied_to(|frame, out| frame.encode(out));
    assert!(report.is_clean(), "{report}");
}

#[test]
fn wrong_numbers_on_the_displays_are_counted() {
    let report = lied_to(|frame, out| match CALL_INFO.contains(&frame.id) {
        true => replaced(frame, b"1001", b"1009", out),
        false => frame.encode(out),
    });
    let first_is_the_caller = report.examples.iter().any(|example| example.contains("`1009`"));
    assert!(first_is_the_caller, "{report}");
    assert_eq!(report.wrong.values().sum::<u64>(), 1, "one display is wrong: {report}");
    assert_eq!(report.calls.completed, 1, "and the call is not a slow or a failed one: {report}");
    assert!(!report.is_clean());
}

#[test]
fn sending_before_receiving_is_counted() {
    // The honest server opens a channel first and starts the transmission when both are open; this one says that it
    // shall be sent at once, to nobody.
    let report = lied_to(|frame, out| {
        if frame.id == OPEN_RECEIVE_CHANNEL {
            let start = message::StartMediaTransmission {
                pass_through_party_id: 777,
                remote_ip_addr: IpAddr::from([127, 0, 0, 9]).into(),
                remote_port_number: 4000,
                milli_second_packet_size: 20,
                compression_type: Codec::G711Ulaw64k,
                ..message::StartMediaTransmission::default()
            };
            let phone = Config::new("", ModelClass::P7965);
            let dialect = Dialect::new(phone.version, phone.features, phone.device_type);
            dialect.encode_manager(&start.into(), out);
        }
        frame.encode(out);
    });
    assert_eq!(wrongs(&report), [("media-address", 2), ("transmit-before-receive", 2)], "{report}");
}

/// A call with voice through a liar, between phones at 127.9.x.1 and 127.9.x.2, whose voice ports nobody else has.
fn talk_lied_to(hosts: &str, lie: Lie) -> Report {
    let mut phones = phones(2);
    phones.sources = Some(hosts.parse().unwrap());
    let manager = Manager::of(&phones);
    let mut plan = one_call(phones, liar(manager.address(), lie));
    plan.rtp = Rtp::Count;
    plan.calls.hold = Duration::from_millis(500);
    run(&plan)
}

#[test]
fn voice_that_does_not_arrive_is_counted() {
    // Both are told to send to a port that nobody has: port 9, and not 16384 or 16386.
    let report = talk_lied_to("127.9.1.0/24", |frame, out| match frame.id {
        START_MEDIA_TRANSMISSION => {
            let mut first = Vec::new();
            replaced(frame, &[0x00, 0x40, 0, 0], &[9, 0, 0, 0], &mut first);
            let frame = RawFrame { body: &first[12..], ..*frame };
            replaced(&frame, &[0x02, 0x40, 0, 0], &[9, 0, 0, 0], out);
        }
        _ => frame.encode(out),
    });
    assert_eq!(wrongs(&report), [("media-address", 2), ("no-voice", 2)], "{report}");
    assert!(report.voice.sent > 0 && report.voice.received == 0, "{report}");
}

#[test]
fn voice_does_not_leave_the_addresses_of_the_run() {
    // A server that would have the phones flood somebody else (192.0.2.1 is nobody's).
    let report = talk_lied_to("127.9.2.0/24", |frame, out| match frame.id {
        START_MEDIA_TRANSMISSION => replaced(frame, &[127, 9, 2, frame.body[15]], &[192, 0, 2, 1], out),
        _ => frame.encode(out),
    });
    assert_eq!((wrongs(&report), report.voice.sent), (vec![("media-address", 2)], 0), "{report}");
}

#[test]
fn a_state_that_nobody_caused_is_counted() {
    // RingOut (3) becomes Connected (5): the caller is told that somebody answered before somebody does.
    let report = lied_to(|frame, out| {
        let mut body = frame.body.to_vec();
        if frame.id == 0x0111 && body.first() == Some(&3) {
            body[0] = 5;
        }
        RawFrame { body: &body, ..*frame }.encode(out);
    });
    assert_eq!(wrongs(&report), [("state", 1)], "{report}");
}

#[test]
fn a_server_that_forgets_a_channel_is_counted() {
    // CloseReceiveChannel never arrives.
    let phones = phones(2);
    let manager = Manager::of(&phones);
    let address = liar(manager.address(), |frame, out| {
        if frame.id != 0x0106 {
            frame.encode(out);
        }
    });
    let mut plan = plan(address, phones, Some(4.0), Duration::from_millis(500));
    plan.patience = Duration::from_secs(3);
    let report = run(&plan);
    assert_eq!(report.wrong.get("channel-left-open").copied(), Some(2), "{report}");
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut plan = one_call(phones(3), listener.local_addr().unwrap());
    plan.patience = Duration::from_millis(200);
    let report = run(&plan);
    assert_eq!((report.registration.attempts, report.registration.registered), (3, 0), "{report}");
    assert_eq!(report.calls.attempts, 0);
    assert!(!report.is_clean());
}

#[test]
fn a_server_that_is_not_there_is_told() {
    // A port that was free a moment ago.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let mut plan = one_call(phones(2), address);
    plan.patience = Duration::from_millis(200);
    let report = run(&plan);
    let reasons: Vec<_> = report.registration.failed.into_iter().collect();
    assert_eq!(reasons, [("cannot connect: connection refused".to_owned(), 2)]);
}

#[test]
fn a_server_that_does_not_ring_is_slow_and_not_wrong() {
    // The bell is never rung: SetRinger is lost.
    let phones = phones(2);
    let manager = Manager::of(&phones);
    let address = liar(manager.address(), |frame, out| {
        if frame.id != 0x0085 {
            frame.encode(out);
        }
    });
    let mut plan = one_call(phones, address);
    plan.patience = Duration::from_millis(500);
    let report = run(&plan);
    assert_eq!(report.calls.failed.clone().into_iter().collect::<Vec<_>>(), [("no-ring", 1)], "{report}");
    assert_eq!(wrongs(&report), [], "{report}");
}
