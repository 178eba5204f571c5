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

proptest! {
    #![proptest_config(cases(1_000))]

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
