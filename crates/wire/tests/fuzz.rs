//! What the fuzz targets do, over generated messages, the captures' frames, their mutations, and random input.

#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "common/generate.rs"]
mod generate;
#[path = "../../../fuzz/src/wire.rs"]
#[allow(unreachable_pub, reason = "it is a module of another crate")]
mod wire;

use common::{CAPTURES, captures, messages};
use proptest::prelude::*;
use selsius_wire::{MESSAGES, ManagerMessage, StationMessage, codec::Layout};

fn all(data: &[u8]) {
    wire::framer(data);
    wire::decoder::<StationMessage>(data);
    wire::decoder::<ManagerMessage>(data);
    wire::differential::<StationMessage>(data);
    wire::differential::<ManagerMessage>(data);
}

/// The form that the targets take: version, header version, id, body.
fn input(version: u8, header: u32, id: u32, body: &[u8]) -> Vec<u8> {
    let [low, high, ..] = id.to_le_bytes();
    [&[version, u8::try_from(header).unwrap_or(0), low, high], body].concat()
}

/// A few copies with single bytes changed and with the end cut off.
fn mutations(data: &[u8], seed: u64) {
    let mut draw = generate::seeded(seed);
    let below = |length: usize| u32::try_from(length.max(1)).unwrap();
    for _ in 0..12 {
        let mut changed = data.to_vec();
        for _ in 0..=draw(3) {
            let at = usize::try_from(draw(below(changed.len()))).unwrap();
            if let Some(byte) = changed.get_mut(at) {
                *byte = [0, 1, 0x7F, 0x80, 0xFF, u8::try_from(draw(256)).unwrap()]
                    [usize::try_from(draw(6)).unwrap()];
            }
        }
        if draw(3) == 0 {
            changed.truncate(usize::try_from(draw(below(changed.len()))).unwrap());
        }
        all(&changed);
    }
}

#[test]
fn generated_messages_and_their_mutations() {
    for info in MESSAGES.iter().filter(|info| info.modelled) {
        for (seed, version) in [(1, 0), (2, 11), (3, 17), (4, 22)] {
            let body = generate::body(info, Layout::of_version(version), true, &mut generate::seeded(seed));
            let data = input(version, version.into(), info.id, &body);
            all(&data);
            mutations(&data, u64::from(info.id) << 8 | seed);
        }
    }
}

#[test]
fn captured_messages_and_their_mutations() {
    let Some(folder) = captures() else { return };
    for name in CAPTURES {
        let mut stream = vec![13];
        for (seed, seen) in (0..).zip(messages(&folder.join(name))) {
            let frame = seen.frame();
            let data = input(seen.context.version, frame.header_version, frame.id, frame.body);
            all(&data);
            mutations(&data, seed);
            stream.extend_from_slice(&seen.bytes);
        }
        wire::framer(&stream);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_input(data in prop::collection::vec(any::<u8>(), 0..600), id in 0..0x161_u16) {
        all(&data);
        let [low, high] = id.to_le_bytes();
        let mut known = data;
        if let [_, _, first, second, ..] = known.as_mut_slice() {
            (*first, *second) = (low, high);
        }
        all(&known);
    }
}
