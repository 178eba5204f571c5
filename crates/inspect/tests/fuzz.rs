//! What the fuzz targets do, over the captures, their mutations, and random input.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test code")]

#[path = "../../../fuzz/src/capture.rs"]
#[allow(unreachable_pub, reason = "it is a module of another crate")]
mod capture;
#[path = "../../../fuzz/src/guard.rs"]
#[allow(unreachable_pub, reason = "it is a module of another crate")]
mod guard;
#[path = "../../../fuzz/src/reassembly.rs"]
#[allow(unreachable_pub, reason = "it is a module of another crate")]
mod reassembly;

use std::path::Path;

use proptest::prelude::*;
use selsius_inspect::{
    conversation::Side,
    ladder::{Event, Ladder, Style},
    sip::Message,
};
use selsius_wire::Time;

/// So many cases in a test run; `PROPTEST_CASES` asks for more.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(usual), failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn captured_files() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures"));
    for name in ["callmanager-4.1-7912.pcapng", "chan-sccp-v3-call.pcap"] {
        let Ok(file) = std::fs::read(folder.join(name)) else {
            eprintln!("skipped: {name} is not there");
            continue;
        };
        // The first 64 KiB have every kind of block that it has.
        let file = &file[..file.len().min(64 * 1024)];
        for step in [0, 6, 255] {
            capture::any_file(&[&[step], file].concat());
        }
    }
}

/// The beginning of a file of one of the formats, and what may follow it.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let pcap = |magic: [u8; 4]| [&magic[..], &[2, 0, 4, 0], &[0; 8], &[0, 0, 4, 0, 1, 0, 0, 0]].concat();
    let section = [
        &[10, 13, 13, 10, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0][..],
        &[255; 8],
        &[28, 0, 0, 0],
        &[1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0],
    ]
    .concat();
    let start = prop_oneof![
        Just(Vec::new()),
        Just(pcap([0xd4, 0xc3, 0xb2, 0xa1])),
        Just(pcap([0xa1, 0xb2, 0x3c, 0x4d])),
        Just(pcap([0x34, 0xcd, 0xb2, 0xa1])),
        Just(section),
    ];
    let small = || prop_oneof![3 => 0..4_u32, 2 => 0..64_u32, 1 => any::<u32>()];
    let block = (small(), 0..16_usize, prop::collection::vec(small(), 16)).prop_map(|(kind, words, body)| {
        let length = u32::try_from(words * 4 + 12).unwrap();
        let parts = [&[kind, length], &body[..words], &[length]].concat();
        parts.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>()
    });
    let follows =
        prop_oneof![4 => block, 1 => prop::collection::vec(prop_oneof![Just(0), any::<u8>()], 0..40)];
    (any::<u8>(), start, prop::collection::vec(follows, 0..12))
        .prop_map(|(step, start, follows)| [vec![step], start, follows.concat()].concat())
}

/// Pieces of SIP in any order, with bytes between them that are none.
fn sip() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "INVITE sip:1@h SIP/2.0\r\n",
        "SIP/2.0 200 OK\r\n",
        "SIP/2.0 ",
        "Call-ID: a\r\n",
        "i:",
        "CSeq: 1 INVITE\r\n",
        "CSeq:\r\n",
        "f: <sip:",
        "To: sips:é@",
        "Content-Length: 99999999999999999999\r\n",
        "l: 18446744073709551615\r\n",
        "l: 3\r\n",
        "\r\n",
        "\r\n\r\n",
        ":",
    ]);
    let piece = prop_oneof![
        6 => piece.prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn random_sip(data in sip()) {
        let mut rest = data.as_slice();
        while let Some(message) = Message::parse(rest) {
            prop_assert!(message.length > 0 && message.length <= rest.len());
            let mut ladder = Ladder::new(["manager", "carrier"], 80, Style::Plain);
            let drawn = ladder.push(&Event::sip(Time::ZERO, (0, 1), Side::Manager, &message));
            prop_assert!(drawn.lines().count() > 0 && !drawn.contains(['\r', '\x1b']));
            rest = &rest[message.length..];
        }
    }

    #[test]
    fn random_files(data in file()) {
        capture::any_file(&data);
    }

    #[test]
    fn made_files(data in prop::collection::vec(any::<u8>(), 0..600), cut in any::<u16>()) {
        capture::made_file(&data);
        if let [form, resolution, _, _, rest @ ..] = data.as_slice() {
            let [low, high] = (cut % 1_000).to_le_bytes();
            capture::made_file(&[&[*form, *resolution, low, high], rest].concat());
        }
    }

    #[test]
    fn random_segments(
        mut start in prop::array::uniform11(any::<u8>()),
        long in 0..6_u8,
        segments in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        // Short streams overlap more.
        start[2] = if long == 0 { start[2] } else { long - 1 };
        reassembly::reassembler(&[&start, segments.as_slice()].concat());
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_guard_survives_both_sides(data in proptest::collection::vec(any::<u8>(), 0..2000)) {
        guard::both_directions(&data);
    }
}
