//! Every message, in every version: bytes that the descriptors describe decode strictly, encode to the same
//! bytes (old memory and unread tails included), and what was decoded survives being sent anew.

#![allow(clippy::unwrap_used, clippy::as_conversions, clippy::cast_possible_truncation, reason = "test code")]

mod common;
#[path = "common/generate.rs"]
mod generate;

use common::{Either, frame};
use proptest::prelude::*;
use selsius_wire::{
    Context, Direction, MESSAGES, MessageInfo, MessageSet, RawFrame, Received,
    codec::{Layout, Writer},
};

/// Every layout there is: the oldest, dynamic texts, 12 and 15 strings, tagged addresses, wide numbers, the
/// newest.
const VERSIONS: [u8; 9] = [0, 3, 10, 11, 15, 16, 17, 20, 22];

/// From the manager, from the station.
fn sides(info: &MessageInfo) -> impl Iterator<Item = bool> {
    let (manager, station) =
        (info.direction != Direction::StationToManager, info.direction != Direction::ManagerToStation);
    [(true, manager), (false, station)]
        .into_iter()
        .filter_map(|(from_manager, sent)| sent.then_some(from_manager))
}

/// The message as somebody sends it who did not receive it: no tail, zeros where it is padded.
fn sent_anew<M: MessageSet>(received: &Received<M>) -> Vec<u8> {
    let rule = received.message.rule();
    let mut body = Vec::new();
    received.message.encode_body(&mut Writer::new(&mut body, Layout::of_version(received.context.version)));
    // The length tells an older form with 4-byte addresses from a newer one, so it must not grow.
    let old_form = rule.tagged_from.is_some() && received.context.version < Layout::TAGGED_FROM_VERSION;
    if old_form {
        body.truncate(received.fields_end);
    }
    if rule.padded {
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut bytes = Vec::new();
    RawFrame { header_version: received.header_version, id: received.message.id(), body: &body }
        .encode(&mut bytes);
    bytes
}

fn check(info: &MessageInfo, from_manager: bool, version: u8, body: &[u8], tail: &[u8]) {
    let context = Context::new(version);
    let framed = |body: &[u8]| {
        let mut bytes = Vec::new();
        RawFrame { header_version: version.into(), id: info.id, body }.encode(&mut bytes);
        bytes
    };
    let place = || format!("{} at version {version}: {body:02x?}", info.name);
    let bytes = framed(body);
    let received = Either::strict(frame(&bytes), from_manager, context)
        .unwrap_or_else(|error| panic!("{}: {error}", place()));
    assert_eq!(received.encode(), bytes, "{}", place());
    assert!(!received.is_opaque() && received.anomalies() == 0, "{}", place());

    // Sent anew, it is the same message.
    let again = match &received {
        Either::Station(received) => sent_anew(received),
        Either::Manager(received) => sent_anew(received),
    };
    let decoded = Either::strict(frame(&again), from_manager, context)
        .unwrap_or_else(|error| panic!("{}, sent anew: {error}", place()));
    match (&received, &decoded) {
        (Either::Station(was), Either::Station(is)) => assert_eq!(was.message, is.message, "{}", place()),
        (Either::Manager(was), Either::Manager(is)) => assert_eq!(was.message, is.message, "{}", place()),
        _ => unreachable!("the same side"),
    }

    // With something behind it, whatever that means to the length.
    let longer = framed(&[body, tail].concat());
    assert_eq!(Either::lenient(frame(&longer), from_manager, context).encode(), longer, "{}", place());
}

#[test]
fn every_message_survives_in_every_version() {
    for info in MESSAGES.iter().filter(|info| info.modelled) {
        for version in VERSIONS {
            for seed in 0..12 {
                let mut draw = generate::seeded(u64::from(info.id) << 16 | u64::from(version) << 8 | seed);
                let body = generate::body(info, Layout::of_version(version), seed % 4 != 0, &mut draw);
                for from_manager in sides(info) {
                    check(info, from_manager, version, &body, &[1, 2, 3, 4, 5]);
                }
            }
        }
    }
}

/// What the descriptors describe is what is documented: the lengths of the field's layout list.
#[test]
fn descriptors_have_the_lengths_of_the_documents() {
    for (id, version, length) in [
        (0x0021, 0, 16),
        (0x0024, 18, 56),
        (0x0024, 20, 58),
        (0x002c, 18, 20),
        (0x0031, 16, 24),
        (0x0031, 17, 40),
        (0x0032, 0, 12),
        (0x0036, 0, 12),
        (0x0038, 0, 273),
        (0x0039, 0, 2444),
        (0x0040, 0, 1044),
        (0x0045, 16, 28),
        (0x0045, 18, 44),
        (0x0045, 19, 48),
        (0x0046, 16, 28),
        (0x0046, 17, 44),
        (0x0047, 16, 48),
        (0x0047, 17, 64),
        (0x0048, 0, 80),
        (0x004c, 20, 90),
        (0x0095, 16, 12),
        (0x0096, 17, 28),
        (0x0101, 16, 40),
        (0x0101, 17, 56),
        (0x0102, 16, 48),
        (0x0102, 17, 64),
        (0x0103, 0, 16),
        (0x0104, 0, 16),
        (0x011c, 0, 32),
        (0x0122, 0, 468),
        (0x0123, 0, 8),
        (0x0124, 0, 12),
        (0x0127, 0, 16),
        (0x0128, 0, 16),
        (0x0129, 0, 20),
        (0x012a, 0, 16),
        (0x012b, 0, 16),
        (0x012c, 0, 20),
        (0x012d, 0, 16),
        (0x012e, 0, 16),
        (0x0131, 10, 168),
        (0x0131, 11, 176),
        (0x0131, 16, 180),
        (0x0131, 17, 196),
        (0x0132, 16, 172),
        (0x0132, 17, 188),
        (0x0133, 0, 20),
        (0x0134, 0, 56),
        (0x0135, 0, 20),
        (0x0136, 0, 20),
        (0x0138, 0, 8),
        (0x013a, 0, 112),
        (0x013b, 0, 12),
        (0x013c, 0, 4),
        (0x013d, 0, 8),
        (0x013e, 0, 112),
        (0x0140, 0, 16),
        (0x0141, 0, 20),
        (0x014b, 22, 28),
        (0x014c, 22, 20),
        (0x014d, 16, 176),
        (0x014d, 17, 192),
        (0x014e, 16, 172),
        (0x014e, 17, 188),
        (0x014f, 16, 28),
        (0x014f, 17, 44),
        (0x0150, 16, 28),
        (0x0150, 17, 44),
        (0x0151, 16, 156),
        (0x0151, 17, 172),
        (0x0152, 0, 20),
        (0x0153, 0, 113),
        (0x0155, 16, 28),
        (0x0155, 17, 44),
        (0x0157, 0, 2405),
        (0x0158, 0, 33),
        (0x0159, 0, 168),
        (0x015e, 0, 4),
        (0x015f, 0, 184),
        (0x0160, 0, 12),
        (0x0030, 0, 1844),
        (0x0043, 0, 2004),
        (0x0105, 10, 96),
        (0x0105, 11, 112),
        (0x0105, 16, 116),
        (0x0105, 20, 136),
        (0x0105, 22, 172),
        (0x008a, 14, 116),
        (0x008a, 16, 120),
        (0x008a, 17, 136),
        (0x008a, 22, 172),
        (0x0022, 16, 24),
        (0x0022, 20, 40),
        (0x0154, 0, 28),
        (0x0154, 17, 44),
        (0x002a, 0, 24),
        (0x002a, 17, 40),
        (0x0107, 18, 36),
        (0x0107, 20, 37),
        (0x0090, 18, 96),
        (0x0090, 20, 99),
        (0x011d, 18, 36),
        (0x011d, 20, 37),
        (0x009e, 16, 284),
        (0x009e, 17, 364),
    ] {
        let info = selsius_wire::message_info(id).unwrap();
        let body = generate::body(info, Layout::of_version(version), true, &mut generate::seeded(1));
        assert_eq!(body.len() + 4, length, "{} at version {version}", info.name);
    }
}

/// A union's members take the same room, whichever is chosen.
#[test]
fn members_of_a_union_are_equally_long() {
    for id in [0x0010, 0x0030, 0x0043, 0x0131, 0x0132, 0x0134] {
        let info = selsius_wire::message_info(id).unwrap();
        let lengths: std::collections::BTreeSet<_> = (0..200)
            .map(|seed| generate::body(info, Layout::of_version(20), true, &mut generate::seeded(seed)).len())
            .collect();
        assert_eq!(lengths.len(), 1, "{}", info.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_message_survives(
        row in 0..MESSAGES.len(),
        version in prop::sample::select(&VERSIONS[..]),
        dirty: bool,
        numbers in prop::collection::vec(any::<u32>(), 1..200),
        tail in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let info = &MESSAGES[row];
        prop_assume!(info.modelled);
        let mut numbers = numbers.into_iter().cycle();
        let mut draw = |below: u32| numbers.next().unwrap() % below;
        let body = generate::body(info, Layout::of_version(version), dirty, &mut draw);
        for from_manager in sides(info) {
            check(info, from_manager, version, &body, &tail);
        }
    }
}
