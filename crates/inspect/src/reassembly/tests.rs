use alloc::{format, string::String, vec, vec::Vec};

use proptest::prelude::*;

use super::*;

const A: &str = "10.0.0.1:40000";
const B: &str = "10.0.0.2:2000";

fn end(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A segment to be sent, with its time in milliseconds.
#[derive(Clone)]
struct Sent {
    at: u64,
    segment: Segment<'static>,
}

fn sent(source: &str, destination: &str, sequence: u32, payload: &'static str) -> Sent {
    let segment = Segment {
        source: end(source),
        destination: end(destination),
        sequence,
        acknowledgment: None,
        syn: false,
        fin: false,
        rst: false,
        payload: payload.as_bytes(),
        cut_off: 0,
    };
    Sent { at: 0, segment }
}

fn a(sequence: u32, payload: &'static str) -> Sent {
    sent(A, B, sequence, payload)
}

fn b(sequence: u32, payload: &'static str) -> Sent {
    sent(B, A, sequence, payload)
}

impl Sent {
    fn at(mut self, millis: u64) -> Self {
        self.at = millis;
        self
    }
    fn syn(mut self) -> Self {
        self.segment.syn = true;
        self
    }
    fn fin(mut self) -> Self {
        self.segment.fin = true;
        self
    }
    fn rst(mut self) -> Self {
        self.segment.rst = true;
        self
    }
    fn ack(mut self, sequence: u32) -> Self {
        self.segment.acknowledgment = Some(sequence);
        self
    }
    fn cut_off(mut self, bytes: u32) -> Self {
        self.segment.cut_off = bytes;
        self
    }
}

fn line(event: Event<'_>) -> String {
    let arrow = |way| if way == Way::Forward { ">" } else { "<" };
    match event {
        Event::Opened { connection, opener, handshake, .. } => {
            format!("{connection} {} {opener}", if handshake { "opened by" } else { "seen from" })
        }
        Event::Data { connection, way, bytes, .. } => {
            format!("{connection}{}{}", arrow(way), String::from_utf8_lossy(bytes))
        }
        Event::Gap { connection, way, missing: Some(missing), .. } => {
            format!("{connection}{}gap {missing}", arrow(way))
        }
        Event::Gap { connection, way, missing: None, .. } => format!("{connection}{}gap ?", arrow(way)),
        Event::Closed { connection, reason, .. } => format!("{connection} closed {reason:?}"),
    }
}

/// Plays segments into a reassembler and compares what comes out after each.
fn timeline(limits: Limits, steps: &[(Sent, &[&str])]) {
    let mut reassembler = Reassembler::new(limits);
    for (number, (sent, expected)) in steps.iter().enumerate() {
        let stamp = Stamp { time: Time::from_millis(sent.at), number: number as u64 + 1 };
        let mut got = Vec::new();
        reassembler.segment(stamp, &sent.segment, |event| got.push(line(event)));
        assert_eq!(got, *expected, "after segment {}", number + 1);
    }
    let mut rest = Vec::new();
    reassembler.finish(Stamp::default(), |event| rest.push(line(event)));
    assert_eq!((reassembler.held(), reassembler.connections()), (0, 0), "nothing is left");
}

#[test]
fn handshake_data_and_end() {
    timeline(
        Limits::default(),
        &[
            (a(100, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            (b(500, "").syn().ack(101), &[]),
            (a(101, "hello").ack(501), &["1>hello"]),
            (b(501, "world").ack(106), &["1<world"]),
            (a(106, "").fin().ack(506), &[]),
            (b(506, "bye").fin().ack(107), &["1<bye", "1 closed Finished"]),
            (b(506, "bye").fin().ack(107), &[]),
        ],
    );
}

#[test]
fn answer_to_a_handshake_names_the_opener() {
    timeline(Limits::default(), &[(b(500, "").syn().ack(101), &["1 opened by 10.0.0.1:40000"])]);
}

#[test]
fn reordered_repeated_and_overlapping_segments() {
    timeline(
        Limits::default(),
        &[
            (a(0, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            (a(4, "def"), &[]),
            (a(10, "jkl"), &[]),
            // Overlaps both neighbours with other bytes: the first data wins.
            (a(6, "XghiXX"), &[]),
            (a(1, "abcXX"), &["1>abc", "1>def", "1>ghi", "1>jkl"]),
            (a(1, "abc"), &[]),
            (a(12, "lmn"), &["1>mn"]),
        ],
    );
}

#[test]
fn lost_segment_is_given_up_once_acknowledged() {
    timeline(
        Limits::default(),
        &[
            (a(0, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            (b(900, "").syn().ack(1), &[]),
            (a(1, "one"), &["1>one"]),
            (a(9, "three"), &[]),
            (b(901, "").ack(4), &[]),
            (b(901, "x").ack(14), &["1>gap 5", "1>three", "1<x"]),
            (a(14, "four"), &["1>four"]),
            // Too late.
            (a(4, "two.."), &[]),
        ],
    );
}

#[test]
fn acknowledgment_captured_before_the_data() {
    timeline(
        Limits::default(),
        &[
            (a(0, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            (b(900, "").ack(9), &[]),
            (a(5, "late"), &[]),
            (a(1, "four"), &["1>four", "1>late"]),
        ],
    );
}

#[test]
fn hole_grows_old() {
    timeline(
        Limits::default(),
        &[
            (a(0, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            (a(5, "later"), &[]),
            // Any packet moves the clock, also one of another connection.
            (sent("10.0.0.7:1", B, 7, "").syn().at(29_999), &["2 opened by 10.0.0.7:1"]),
            (sent("10.0.0.7:1", B, 8, "y").at(30_000), &["2>y", "1>gap 4", "1>later"]),
        ],
    );
}

#[test]
fn seen_from_the_middle() {
    timeline(
        Limits::default(),
        &[
            (b(700, "").ack(42), &["1 seen from 10.0.0.2:2000"]),
            (a(42, "mid").ack(700), &["1<gap ?", "1<mid"]),
            // What came before the first byte seen is old, as far as it goes.
            (a(40, "xxmiddle"), &["1<dle"]),
            (b(700, "answer").ack(48), &["1>gap ?", "1>answer"]),
        ],
    );
}

#[test]
fn sequence_numbers_wrap() {
    timeline(
        Limits::default(),
        &[
            (a(u32::MAX - 3, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            (a(2, "fgh"), &[]),
            (a(u32::MAX - 2, "abcde"), &["1>abcde", "1>fgh"]),
            (a(u32::MAX, "cde"), &[]),
            (a(5, "i"), &["1>i"]),
        ],
    );
}

#[test]
fn ports_used_again() {
    timeline(
        Limits::default(),
        &[
            (a(100, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            // The same SYN again, also after data, is the same connection.
            (a(100, "").syn(), &[]),
            (a(101, "x"), &["1>x"]),
            (a(100, "").syn(), &[]),
            (a(7_000, "").syn(), &["1 closed Reused", "2 opened by 10.0.0.1:40000"]),
            (a(7_001, "y"), &["2>y"]),
            (b(1, "").rst(), &["2 closed Reset"]),
            (a(7_002, "z"), &[]),
            (a(7_000, "").syn(), &["3 opened by 10.0.0.1:40000"]),
        ],
    );
}

#[test]
fn new_connection_whose_handshake_was_lost() {
    let far = 3_000_000_000;
    timeline(
        Limits::default(),
        &[
            (a(0, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            (a(1, "old"), &["1>old"]),
            (a(far, "one"), &[]),
            (a(far + 3, "two"), &[]),
            (a(far + 6, "three"), &["1>gap ?", "1>three"]),
        ],
    );
}

#[test]
fn forged_reset_is_ignored() {
    timeline(
        Limits::default(),
        &[
            (a(100, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            (a(2_000_000_000, "").rst(), &[]),
            (a(101, "alive"), &["1>alive"]),
        ],
    );
}

#[test]
fn payload_cut_off_by_the_capture() {
    timeline(
        Limits::default(),
        &[
            (a(0, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            (a(1, "begin").cut_off(10), &["1>begin"]),
            (a(16, "next"), &[]),
            (a(20, "").fin(), &[]),
            (b(1, "").rst(), &["1>gap 10", "1>next", "1 closed Reset"]),
        ],
    );
}

#[test]
fn too_much_behind_a_hole() {
    let limits = Limits { held_per_stream: 250, ..Limits::default() };
    timeline(
        limits,
        &[
            (a(0, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            (a(3, "a"), &[]),
            (a(5, "b"), &[]),
            (a(7, "c"), &["1>gap 2", "1>a"]),
        ],
    );
}

#[test]
fn the_oldest_hole_of_all_is_the_victim() {
    let limits = Limits { held_total: 250, ..Limits::default() };
    timeline(
        limits,
        &[
            (a(0, "").syn(), &["1 opened by 10.0.0.1:40000"]),
            (sent("10.0.0.7:1", B, 0, "").syn(), &["2 opened by 10.0.0.7:1"]),
            (a(3, "a").at(1), &[]),
            (sent("10.0.0.7:1", B, 3, "b").at(2), &[]),
            (sent("10.0.0.7:1", B, 5, "c").at(3), &["1>gap 2", "1>a"]),
        ],
    );
}

#[test]
fn silent_and_closed_connections_are_forgotten_first() {
    let limits = Limits { connections: 2, ..Limits::default() };
    timeline(
        limits,
        &[
            (sent("10.0.0.1:1", B, 0, "").syn().at(1), &["1 opened by 10.0.0.1:1"]),
            (sent("10.0.0.1:2", B, 0, "").syn().at(2), &["2 opened by 10.0.0.1:2"]),
            (sent("10.0.0.1:1", B, 1, "x").at(3), &["1>x"]),
            (sent("10.0.0.1:3", B, 0, "").syn().at(4), &["2 closed Evicted", "3 opened by 10.0.0.1:3"]),
            (sent("10.0.0.1:3", B, 1, "").rst().at(5), &["3 closed Reset"]),
            (sent("10.0.0.1:1", B, 2, "y").at(6), &["1>y"]),
            (sent("10.0.0.1:3", B, 2, "late").at(7), &[]),
            // Of the two, only the open one gets a second chance for having been active since.
            (sent("10.0.0.1:4", B, 0, "").syn().at(8), &["4 opened by 10.0.0.1:4"]),
            (sent("10.0.0.1:1", B, 3, "z").at(9), &["1>z"]),
        ],
    );
}

#[test]
fn ignored_connection_costs_nothing() {
    let mut reassembler = Reassembler::default();
    let mut feed = |sent: Sent| {
        let mut got = Vec::new();
        reassembler.segment(Stamp::default(), &sent.segment, |event| got.push(line(event)));
        if sent.segment.payload == b"held" {
            assert!(reassembler.held() > 0);
            reassembler.ignore(end(B), end(A));
            assert_eq!(reassembler.held(), 0);
        }
        got
    };
    feed(a(0, "").syn());
    assert!(feed(a(9, "held")).is_empty());
    assert!(feed(a(1, "missing.")).is_empty());
    assert_eq!(feed(a(77, "").syn()), ["2 opened by 10.0.0.1:40000"], "but its ports can be used again");
}

/// The byte at a position of a stream, so that any piece can be checked.
fn byte_at(position: u64) -> u8 {
    (position.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

fn bytes_at(position: u64, length: usize) -> Vec<u8> {
    (position..position + length as u64).map(byte_at).collect()
}

fn forward(sequence: u32, payload: &[u8]) -> Segment<'_> {
    Segment { payload, ..a(sequence, "").segment }
}

proptest! {
    /// Whatever order the segments come in, and however they overlap, the same bytes come out.
    #[test]
    fn same_bytes_in_order(
        first in any::<u32>(),
        cuts in proptest::collection::vec(1usize..200, 1..60),
        overlaps in proptest::collection::vec((0usize..150, 0usize..150), 60),
        order in proptest::collection::vec(any::<u16>(), 60),
        twice in proptest::collection::vec(any::<bool>(), 60),
    ) {
        let total: usize = cuts.iter().sum();
        let mut segments = Vec::new();
        let mut at = 0;
        for (index, &cut) in cuts.iter().enumerate() {
            let (before, after) = overlaps[index];
            let begin = at.max(before) - before;
            let until = (at + cut + after).min(total);
            segments.push((order[index], begin, until));
            if twice[index] {
                segments.push((order[index].wrapping_mul(31), at, at + cut));
            }
            at += cut;
        }
        segments.sort();

        let mut reassembler = Reassembler::default();
        let mut got = Vec::new();
        let syn = Segment { syn: true, ..forward(first, &[]) };
        reassembler.segment(Stamp::default(), &syn, |_| {});
        for (_, begin, until) in segments {
            let payload = bytes_at(begin as u64, until - begin);
            let sequence = first.wrapping_add(1).wrapping_add(begin as u32);
            reassembler.segment(Stamp::default(), &forward(sequence, &payload), |event| match event {
                Event::Data { bytes, .. } => got.extend_from_slice(bytes),
                other => panic!("{other:?}"),
            });
        }
        prop_assert_eq!(got, bytes_at(0, total));
        prop_assert_eq!(reassembler.held(), 0);
    }

    /// With losses and early acknowledgments each piece is right where it stands, and every byte is told of once.
    #[test]
    fn gaps_tell_what_is_missing(
        first in any::<u32>(),
        steps in proptest::collection::vec((1usize..100, 0u8..4, 0usize..12, any::<bool>()), 1..80),
        limit in 200usize..4_000,
    ) {
        let mut segments = Vec::new();
        let mut at = 0u64;
        for &(length, kind, delay, acknowledged) in &steps {
            if kind != 0 {
                segments.push((segments.len() + delay, at, length, acknowledged));
            }
            at += length as u64;
        }
        segments.sort();
        let mut reassembler = Reassembler::new(Limits { held_per_stream: limit, ..Limits::default() });
        let mut position = 0u64;
        let mut check = |event: Event<'_>| match event {
            Event::Data { bytes, .. } => {
                assert_eq!(bytes, bytes_at(position, bytes.len()));
                position += bytes.len() as u64;
            }
            Event::Gap { missing, .. } => position += missing.unwrap(),
            Event::Opened { .. } | Event::Closed { .. } => {}
        };
        let syn = Segment { syn: true, ..forward(first, &[]) };
        reassembler.segment(Stamp::default(), &syn, &mut check);
        let mut highest = 0;
        for (_, begin, length, acknowledged) in segments {
            let payload = bytes_at(begin, length);
            let sequence = first.wrapping_add(1).wrapping_add(begin as u32);
            reassembler.segment(Stamp::default(), &forward(sequence, &payload), &mut check);
            prop_assert!(reassembler.held() <= limit);
            highest = highest.max(begin + length as u64);
            if acknowledged {
                let ack = first.wrapping_add(1).wrapping_add(highest as u32);
                let answer = b(1, "").ack(ack).segment;
                reassembler.segment(Stamp::default(), &answer, &mut check);
            }
        }
        reassembler.finish(Stamp::default(), &mut check);
        prop_assert_eq!(position, highest);
    }

    /// Nonsense stays within the limits.
    #[test]
    fn garbage_is_bounded(
        segments in proptest::collection::vec(
            (0u16..6, any::<bool>(), any::<u32>(), any::<Option<u32>>(), 0u8..16, 0usize..300, any::<u32>(), 0u64..100_000),
            1..200,
        ),
        near in any::<bool>(),
    ) {
        let limits = Limits { held_per_stream: 1_000, held_total: 2_000, connections: 4, ..Limits::default() };
        let mut reassembler = Reassembler::new(limits);
        let mut open = BTreeSet::new();
        let mut check = |event: Event<'_>| match event {
            Event::Opened { connection, .. } => assert!(open.insert(connection)),
            Event::Data { connection, bytes, .. } => assert!(open.contains(&connection) && !bytes.is_empty()),
            Event::Gap { connection, .. } => assert!(open.contains(&connection)),
            Event::Closed { connection, .. } => assert!(open.remove(&connection)),
        };
        let payload = vec![7; 300];
        for (number, (port, reverse, sequence, acknowledgment, flags, length, cut_off, millis)) in
            segments.into_iter().enumerate()
        {
            let (one, other) = (SocketAddr::new(end(A).ip(), port), end(B));
            let (source, destination) = if reverse { (other, one) } else { (one, other) };
            let segment = Segment {
                source,
                destination,
                sequence: if near { sequence % 3_000 } else { sequence },
                acknowledgment: acknowledgment.map(|ack| if near { ack % 3_000 } else { ack }),
                syn: flags == 1,
                fin: flags == 2,
                rst: flags == 3,
                payload: &payload[..length],
                cut_off: if flags > 12 { cut_off } else { 0 },
            };
            let stamp = Stamp { time: Time::from_millis(millis), number: number as u64 };
            reassembler.segment(stamp, &segment, &mut check);
            prop_assert!(reassembler.held() <= limits.held_total);
            prop_assert!(reassembler.connections() <= limits.connections);
        }
        reassembler.finish(Stamp::default(), &mut check);
        prop_assert!(open.is_empty());
    }
}
