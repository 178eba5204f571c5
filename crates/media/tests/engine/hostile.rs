//! What a bad network and bad people do to one party, and that it does nothing to the others.

use std::net::SocketAddr;

use selsius_media::engine::{Event, Learning, Place};
use selsius_media::rtcp::{self, RtcpPacket};
use selsius_media::tone::detect::Content;
use selsius_media::{PayloadType, RtpPacket, Ssrc};

use super::MU;
use super::bench::{BRIDGE, Bench};

/// By turns lost, late by up to 60 ms and so out of order, and twice as late as can be waited for.
fn bad(n: u64) -> Option<u64> {
    match n % 10 {
        3 | 7 => None,
        4 => Some(60),
        5 => Some(45),
        9 => Some(400),
        n => Some(n * 3),
    }
}

#[test]
fn a_bad_stream_disturbs_nobody() {
    let run = |network: fn(u64) -> Option<u64>| {
        let mut bench = Bench::new();
        // A call of two, and three in a conference; the third one is the bad one.
        for (frequency, bridge) in [(440, 7), (1000, 7)] {
            let phone = bench.phone(MU, frequency);
            bench.place(phone, Place::Bridge(selsius_media::engine::BridgeId(bridge)));
        }
        let conference = [bench.phone(MU, 500), bench.phone(MU, 1100), bench.phone(MU, 1700)];
        for phone in conference {
            bench.place(phone, Place::Bridge(BRIDGE));
        }
        bench.phones[4].network = network;
        bench.run(3000);
        bench
    };
    let (good, bad) = (run(|_| Some(0)), run(bad));
    for phone in [0, 1, 4] {
        assert_eq!(good.phones[phone].datagrams, bad.phones[phone].datagrams, "phone {phone}");
    }
    // Who is with the bad one gets every packet in time.
    for phone in [2, 3] {
        let times =
            |bench: &Bench| bench.phones[phone].datagrams.iter().map(|(at, _)| *at).collect::<Vec<_>>();
        assert_eq!(times(&good), times(&bad));
        assert_eq!(bad.phones[phone].stats.quality().lost, 0);
    }
    let figures = bad.engine.figures(bad.now, bad.phones[4].id).unwrap();
    assert!(figures.received.lost > 10 && figures.late > 10, "{figures:?}");
    // And hears the other good one as before: his tone without the bad one's.
    let mut bad = bad;
    bad.phones[4].silent = true;
    bad.run(1000);
    assert_eq!((bad.tones(2), bad.tones(3)), (vec![1100], vec![500]));
    let Content::Single(peak) = bad.hears(2) else { panic!() };
    assert!((peak.level.as_dbm0() + 16.0).abs() < 0.5, "{peak:?}");
}

#[test]
fn strangers_are_counted_and_not_heard() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000)]);
    bench.run(200);
    let (id, address) = (bench.phones[0].id, bench.phones[0].address);
    let datagram = bench.phones[1].datagrams[0].1.clone();
    let before = bench.phones[1].datagrams.len();
    let strangers: [SocketAddr; 3] = [
        "203.0.113.9:4000".parse().unwrap(),
        SocketAddr::new(address.ip(), 4002),
        "[2001:db8::1]:4000".parse().unwrap(),
    ];
    for stranger in strangers {
        bench.engine.receive(bench.now, id, stranger, &datagram);
        bench.outputs();
    }
    assert_eq!(bench.phones[1].datagrams.len(), before);
    assert_eq!(bench.engine.counters().strangers, 3);
    let control = strangers[0];
    bench.engine.receive_control(bench.now, id, control, &[0x80, 201, 0, 1, 0, 0, 0, 0]);
    assert_eq!(bench.engine.figures(bench.now, id).unwrap().strangers, 4);
}

#[test]
fn a_party_behind_a_translation_of_addresses_is_learnt_and_answered() {
    let mut bench = Bench::new();
    let (a, b) = (bench.phone(MU, 440), bench.phone(MU, 1000));
    let (id, announced) = (bench.phones[a].id, "10.0.0.1:4000".parse().unwrap());
    bench.engine.set_remote(bench.now, id, Some(announced), Learning::Anywhere).unwrap();
    for phone in [a, b] {
        bench.place(phone, Place::Bridge(BRIDGE));
    }
    // What goes out before goes where it was announced; the bench's phone sees what comes to the other address.
    bench.phones[b].silent = true;
    bench.run(100);
    bench.phones[b].silent = false;
    bench.run(500);
    let address = bench.phones[a].address;
    assert_eq!(bench.events, [(id, Event::Learnt(address))]);
    assert_eq!((bench.tones(a), bench.tones(b)), (vec![1000], vec![440]));
    assert_eq!(bench.engine.figures(bench.now, id).unwrap().source, Some(address));
}

#[test]
fn what_is_no_packet_of_the_call_is_counted_and_dropped() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000)]);
    bench.run(200);
    let (id, from) = (bench.phones[0].id, bench.phones[0].address);
    let good = bench.phones[1].datagrams[0].1.clone();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut datagram = good.clone();
        change(&mut datagram);
        datagram
    };
    let malformed = [
        vec![],
        vec![0x80],
        vec![0; 20],
        with(&|d| d[0] = 0x40),
        with(&|d| (d[0], d[171]) = (0xA0, 0)),
        with(&|d| d[1] = 200),
    ];
    let unexpected = [
        with(&|d| d[1] = 8),
        with(&|d| d[1] = 96),
        with(&|d| d.truncate(12)),
        with(&|d| d.resize(5000, 0)),
        // An event of three bytes.
        with(&|d| {
            d[1] = PayloadType::TELEPHONE_EVENT.as_u8();
            d.truncate(15);
        }),
    ];
    let before = bench.phones[1].datagrams.len();
    for datagram in malformed.iter().chain(&unexpected) {
        bench.engine.receive(bench.now, id, from, datagram);
    }
    bench.outputs();
    assert_eq!(bench.phones[1].datagrams.len(), before);
    let counters = bench.engine.counters();
    assert_eq!((counters.malformed, counters.unexpected), (6, 5));
    bench.run(300);
    assert_eq!(bench.tones(1), [440]);
}

#[test]
fn floods_are_bounded() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000)]);
    bench.run(200);
    let (id, from) = (bench.phones[0].id, bench.phones[0].address);
    let mut datagram = bench.phones[1].datagrams[0].1.clone();
    let before = bench.phones[1].datagrams.len();
    for n in 0..20_000u16 {
        datagram[2..4].copy_from_slice(&n.to_be_bytes());
        bench.engine.receive(bench.now, id, from, &datagram);
        bench.outputs();
    }
    assert!(bench.phones[1].datagrams.len() - before < 600);
    assert!(bench.engine.counters().floods > 19_000);
    // It is heard again when it has calmed down.
    bench.run(2000);
    assert_eq!((bench.tones(0), bench.tones(1)), (vec![1000], vec![440]));

    let goodbye = RtcpPacket::Goodbye { sources: vec![Ssrc(1)], reason: None };
    let mut control = Vec::new();
    rtcp::write(&[goodbye], &mut control).unwrap();
    let floods = bench.engine.counters().floods;
    for n in 0..1000usize {
        let garbage = &control[..control.len() - n % 2];
        bench.engine.receive_control(bench.now, id, SocketAddr::new(from.ip(), 4001), garbage);
    }
    let counters = bench.engine.counters();
    assert!(counters.floods - floods >= 900 && counters.malformed <= 60, "{counters:?}");
}

#[test]
fn timestamps_that_jump_are_no_jump_for_the_other_side() {
    let mut bench = Bench::new();
    bench.bridge(&[(MU, 440), (MU, 1000)]);
    bench.run(300);
    let (id, from) = (bench.phones[0].id, bench.phones[0].address);
    bench.phones[0].silent = true;
    let packet = bench.phones[1].datagrams[0].1.clone();
    let packet = RtpPacket::parse(&packet).unwrap();
    let start = bench.phones[1].datagrams.len();
    for n in 0..50u16 {
        bench.run(20);
        let mut header = packet.header;
        header.ssrc = Ssrc(55);
        header.sequence = selsius_media::SequenceNumber(n);
        header.timestamp = selsius_media::RtpTimestamp(u32::from(n).wrapping_mul(0x7531_2345));
        let mut datagram = Vec::new();
        RtpPacket::new(header, packet.payload).write(&mut datagram);
        bench.engine.receive(bench.now, id, from, &datagram);
        bench.outputs();
    }
    let datagrams = &bench.phones[1].datagrams[start..];
    assert!(datagrams.len() > 45);
    let times: Vec<_> =
        datagrams.iter().map(|(_, d)| RtpPacket::parse(d).unwrap().header.timestamp).collect();
    for pair in times.windows(2) {
        assert_eq!(pair[1].distance_from(pair[0]), 160);
    }
}
