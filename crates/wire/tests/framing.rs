//! Frames out of a stream that arrives in any pieces, and lengths that no frame has.

#![allow(clippy::unwrap_used, reason = "test code")]

use proptest::prelude::*;
use selsius_wire::{Cut, DEFAULT_LIMIT, FrameError, Framer, RawFrame, cut};

fn framed(frames: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (header_version, id, body) in frames {
        RawFrame { header_version: *header_version, id: *id, body }.encode(&mut bytes);
    }
    bytes
}

/// Everything that is complete now.
fn drain(framer: &mut Framer, into: &mut Vec<(u32, u32, Vec<u8>)>) {
    while let Some(frame) = framer.next().unwrap() {
        into.push((frame.header_version, frame.id, frame.body.to_vec()));
    }
}

#[test]
fn a_frame_is_length_version_id_and_body() {
    // RegisterAvailableLines, and one byte of the next frame.
    let bytes = [8, 0, 0, 0, 0x14, 0, 0, 0, 0x2D, 0, 0, 0, 2, 0, 0, 0, 0xAA];
    let Cut::Frame { frame, consumed } = cut(&bytes, DEFAULT_LIMIT).unwrap() else { panic!() };
    assert_eq!(
        (frame.header_version, frame.id, frame.body, consumed),
        (20, 0x2D, [2, 0, 0, 0].as_slice(), 16)
    );
    assert_eq!(frame.length(), 8);
}

#[test]
fn more_is_asked_for_until_a_frame_is_whole() {
    let bytes = framed(&[(0, 0x20, vec![7; 92])]);
    for have in 0..bytes.len() {
        let need = match cut(&bytes[..have], DEFAULT_LIMIT).unwrap() {
            Cut::Need(need) => need,
            Cut::Frame { .. } => panic!("a frame out of {have} bytes"),
        };
        // Before the length is there a header is missing at least; afterwards the number is exact.
        assert_eq!(need, if have < 4 { 12 - have } else { bytes.len() - have });
    }
}

#[test]
fn absurd_lengths_are_told_from_missing_bytes_at_once() {
    // Four bytes are enough to know. CVE-2006-5444 and CVE-2007-3764: negative when read as signed, and below
    // 4.
    for length in 0..4_u32 {
        assert_eq!(cut(&length.to_le_bytes(), DEFAULT_LIMIT), Err(FrameError::LengthTooShort(length)));
    }
    for length in [DEFAULT_LIMIT + 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFC, 0xFFFF_FFFF] {
        let error = FrameError::LengthTooLong { length, limit: DEFAULT_LIMIT };
        assert_eq!(cut(&length.to_le_bytes(), DEFAULT_LIMIT), Err(error));
        let mut framer = Framer::new();
        framer.feed(&length.to_le_bytes());
        assert_eq!(framer.next().unwrap_err(), error);
    }
    assert_eq!(cut(&DEFAULT_LIMIT.to_le_bytes(), DEFAULT_LIMIT), Ok(Cut::Need(4096 + 4)));
}

#[test]
fn a_length_does_not_count_its_own_eight_bytes() {
    // A kernel NAT helper forgot them (threats.md): with `length` bytes in all, 8 are still missing.
    let bytes = framed(&[(0, 1, vec![0; 52])]);
    assert_eq!(cut(&bytes[..56], DEFAULT_LIMIT), Ok(Cut::Need(8)));
}

#[test]
fn a_header_then_nothing_is_just_incomplete() {
    // CVE-2017-9358: header, short body, end of file: no loop, nothing given out.
    let mut framer = Framer::new();
    framer.feed(&[100, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 9]);
    for _ in 0..3 {
        assert_eq!(framer.next(), Ok(None));
        framer.feed(&[]);
    }
    assert_eq!(framer.pending(), 14);
}

#[test]
fn ten_messages_in_one_segment_and_one_message_in_many() {
    let frames: Vec<_> = (0..10_u32).map(|id| (20, id, vec![u8::try_from(id).unwrap(); 16])).collect();
    let bytes = framed(&frames);
    let mut framer = Framer::new();
    let mut seen = Vec::new();
    framer.feed(&bytes);
    drain(&mut framer, &mut seen);
    assert_eq!(seen, frames);
    assert_eq!(framer.pending(), 0);

    // CVE-2008-3810 and others: a message in many segments, here of one byte each, the header split too.
    let frames = [(0, 0x108, vec![1; 652]), (0, 0x109, vec![2; 780])];
    let mut seen = Vec::new();
    for byte in framed(&frames) {
        framer.feed(&[byte]);
        drain(&mut framer, &mut seen);
    }
    assert_eq!(seen, frames);
}

#[test]
fn what_is_kept_is_bounded_by_the_limit() {
    let mut framer = Framer::with_limit(64);
    framer.feed(&framed(&[(0, 1, vec![0; 60])])[..71]);
    assert_eq!(framer.next(), Ok(None));
    assert_eq!(framer.pending(), 71);
    framer.feed(&65_u32.to_le_bytes());
    assert!(framer.next().unwrap().is_some());
    assert_eq!(framer.pending(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn segmentation_does_not_matter(
        frames in prop::collection::vec(
            (0..23_u32, any::<u32>(), prop::collection::vec(any::<u8>(), 0..200)), 0..12),
        sizes in prop::collection::vec(1..300_usize, 1..40),
    ) {
        let bytes = framed(&frames);
        let mut rest = bytes.as_slice();
        let mut framer = Framer::new();
        let mut seen = Vec::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (segment, later) = rest.split_at((*size).min(rest.len()));
            framer.feed(segment);
            drain(&mut framer, &mut seen);
            rest = later;
        }
        prop_assert_eq!(seen, frames);
        prop_assert_eq!(framer.pending(), 0);
    }
}
