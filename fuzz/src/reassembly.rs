//! What must hold of TCP streams that reach selsius-inspect in pieces. A broken promise is a panic.

use std::time::Duration;

use selsius_inspect::{
    packet::{Segment, Stamp},
    reassembly::{Event, Limits, Reassembler, Way},
};
use selsius_wire::Time;

/// What the capture is like; the first byte's bits.
const HANDSHAKE: u8 = 1;
/// Nothing is acknowledged and nothing grows old: whatever was captured comes out.
const PATIENT: u8 = 2;
/// There is room for little.
const TIGHT: u8 = 4;

/// A segment: the first of its five bytes, whose upper half is how much time passed.
const FROM_SECOND: u8 = 1;
const ACKNOWLEDGES: u8 = 2;
const CUT_OFF: u8 = 4;
const LAST: u8 = 8;

/// The bytes of both directions are fixed, and the segments bring any parts of them, in any order. What comes out are these
/// bytes, each once, in order; a gap is where none was
/// captured, told once there is a reason to give up, and in the end nothing that was captured is missing.
///
/// Three bytes of what the capture is like and the length of the streams, four for each of the first sequence numbers; then
/// five for each segment.
pub fn reassembler(data: &[u8]) {
    let [kind, low, high, a, b, c, d, e, f, g, h, segments @ ..] = data else { return };
    let length = usize::from(u16::from_le_bytes([*low, *high]) & 0x3fff) + 1;
    let first = [[*a, *b, *c, *d], [*e, *f, *g, *h]].map(u32::from_le_bytes);
    let mut model = Model {
        sides: first.map(|first| Side::new(first, length)),
        opener: 0,
        patient: kind & PATIENT != 0,
        gives_up: kind & TIGHT != 0 && kind & PATIENT == 0,
        number: 0,
        opened: false,
        closed: false,
    };
    let limits = match kind & TIGHT {
        0 => Limits::default(),
        _ => Limits { held_per_stream: 1_000, held_total: 1_500, ..Limits::default() },
    };
    let limits = if model.patient { Limits::default() } else { limits };
    let mut reassembler = Reassembler::new(limits);
    let start = Time::from_micros(1);
    let mut time = start;

    if kind & HANDSHAKE != 0 {
        for from in [0, 1] {
            model.sides[from].next = Some(0);
            model.number += 1;
            let syn = Segment {
                sequence: first[from],
                acknowledgment: (from == 1).then(|| first[0].wrapping_add(1)),
                syn: true,
                ..model.segment(from)
            };
            reassembler.segment(stamp(time, model.number), &syn, |event| model.event(event));
        }
    }
    // More would be more than a patient one may hold.
    for &[flags, low, high, size, acknowledged] in segments.as_chunks().0.iter().take(1_000) {
        let from = usize::from(flags & FROM_SECOND);
        let begin = usize::from(u16::from_le_bytes([low, high])) % length;
        let end = (begin + usize::from(size)).min(length);
        let cut = if flags & CUT_OFF == 0 { end } else { begin + (end - begin) / 2 };
        let passed = if model.patient { 0 } else { u64::from(flags >> 4) };
        time += Duration::from_secs(passed);
        model.gives_up |= time.since(start) >= limits.hole_age;
        model.number += 1;
        if model.number == 1 {
            model.opener = from;
        }
        let fin = flags & LAST != 0 && end == length;
        let payload: Vec<u8> = (begin..cut).map(|at| byte(from, at)).collect();
        let mut acknowledgment = None;
        if flags & ACKNOWLEDGES != 0 && !model.patient {
            let peer = &mut model.sides[1 - from];
            let until = usize::from(acknowledged) * length / 255;
            peer.acknowledged = peer.acknowledged.max(until);
            acknowledgment = Some(peer.sequence(until));
        }
        let segment = Segment {
            sequence: model.sides[from].sequence(begin),
            acknowledgment,
            fin,
            payload: &payload,
            cut_off: u32::try_from(end - cut).expect("at most 255"),
            ..model.segment(from)
        };
        let side = &mut model.sides[from];
        side.captured[begin..cut].fill(true);
        if side.next.is_none() && (end > begin || fin) {
            // Seen from the middle: the stream begins here.
            side.next = Some(begin);
            side.begin = begin;
            side.unknown = true;
        }
        reassembler.segment(stamp(time, model.number), &segment, |event| model.event(event));
        assert!(reassembler.held() <= limits.held_total);
        if model.closed {
            // Its ports are free for another one.
            break;
        }
    }
    let last = stamp(time, model.number);
    model.gives_up = true;
    reassembler.finish(last, |event| model.event(event));
    assert_eq!((reassembler.held(), reassembler.connections()), (0, 0));
    model.finish();
}

fn stamp(time: Time, number: u64) -> Stamp {
    Stamp { time, number }
}

/// What the streams consist of.
fn byte(from: usize, at: usize) -> u8 {
    let number = u64::try_from(at * 2 + from).unwrap_or_default();
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0]
}

/// What was captured, and what came out so far.
struct Model {
    sides: [Side; 2],
    /// Whose direction is [`Way::Forward`].
    opener: usize,
    patient: bool,
    /// A hole may be given up though nobody acknowledged it.
    gives_up: bool,
    number: u64,
    opened: bool,
    closed: bool,
}

struct Side {
    /// Of the SYN.
    first: u32,
    captured: Vec<bool>,
    given: Vec<bool>,
    /// Where the stream begins: what is before was captured too late.
    begin: usize,
    /// What comes next; `None` before there is a stream.
    next: Option<usize>,
    /// Up to where the other end has it.
    acknowledged: usize,
    /// That its beginning is unknown has still to be told.
    unknown: bool,
}

impl Model {
    /// An empty one.
    fn segment(&self, from: usize) -> Segment<'static> {
        let ends = [([10, 0, 0, 7], 50_000).into(), ([10, 0, 0, 1], 2_000).into()];
        Segment {
            source: ends[from],
            destination: ends[1 - from],
            sequence: 0,
            acknowledgment: None,
            syn: false,
            fin: false,
            rst: false,
            payload: &[],
            cut_off: 0,
        }
    }

    fn side(&mut self, way: Way, stamp: Stamp) -> (usize, &mut Side) {
        assert!(self.opened && !self.closed && stamp.number <= self.number);
        let from = if way == Way::Forward { self.opener } else { 1 - self.opener };
        (from, &mut self.sides[from])
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Opened { .. } => assert!(!std::mem::replace(&mut self.opened, true)),
            Event::Closed { .. } => assert!(!std::mem::replace(&mut self.closed, true)),
            Event::Data { way, stamp, bytes, .. } => {
                let (from, side) = self.side(way, stamp);
                assert!(!side.unknown && !bytes.is_empty());
                let begin = side.next.expect("data needs a stream");
                for (at, got) in (begin..).zip(bytes) {
                    assert_eq!((*got, side.captured[at]), (byte(from, at), true), "at {at}");
                    side.given[at] = true;
                }
                side.next = Some(begin + bytes.len());
            }
            Event::Gap { way, stamp, missing: None, .. } => {
                assert!(std::mem::take(&mut self.side(way, stamp).1.unknown));
            }
            Event::Gap { way, stamp, missing: Some(missing), .. } => {
                let gives_up = self.gives_up;
                let (_, side) = self.side(way, stamp);
                let begin = side.next.expect("a gap needs a stream");
                let end = begin + usize::try_from(missing).expect("within the stream");
                assert!(missing > 0 && !side.captured[begin..end].contains(&true), "{begin}..{end}");
                assert!(gives_up || end <= side.acknowledged, "{end} beyond {}", side.acknowledged);
                side.next = Some(end);
            }
        }
    }

    fn finish(&self) {
        assert_eq!(self.opened, self.closed);
        for side in &self.sides {
            let Some(next) = side.next else { continue };
            assert!(!side.unknown && !side.captured[next..].contains(&true));
            if self.patient {
                assert_eq!(side.given[side.begin..], side.captured[side.begin..]);
            }
        }
    }
}

impl Side {
    fn new(first: u32, length: usize) -> Self {
        Self {
            first,
            captured: vec![false; length],
            given: vec![false; length],
            begin: 0,
            acknowledged: 0,
            next: None,
            unknown: false,
        }
    }

    fn sequence(&self, at: usize) -> u32 {
        self.first.wrapping_add(1).wrapping_add(u32::try_from(at).expect("the streams are short"))
    }
}
