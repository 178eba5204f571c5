//! Every message, cut at every length, filled with every kind of rubbish: nothing panics, lenient decoding
//! never fails, and whatever was decoded encodes to the same bytes again.

#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::{Either, frame};
use proptest::prelude::*;
use selsius_wire::{Context, Direction, MESSAGES, MessageInfo, RawFrame, codec};

/// One for every layout: unknown, before the alternate caller, 16, tagged addresses, wide numbers.
const VERSIONS: [u8; 5] = [0, 3, 16, 17, 20];

/// A frame with that body.
fn framed(id: u32, header_version: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    RawFrame { header_version, id, body }.encode(&mut bytes);
    bytes
}

fn sides(info: &MessageInfo) -> &'static [bool] {
    match info.direction {
        Direction::StationToManager => &[false],
        Direction::ManagerToStation => &[true],
        Direction::Both => &[false, true],
    }
}

/// Decodes both ways and checks everything that must hold of any bytes. Returns whether strict decoding took
/// them.
fn holds(bytes: &[u8], from_manager: bool, context: Context) -> bool {
    let lenient = Either::lenient(frame(bytes), from_manager, context);
    assert_eq!(lenient.encode(), bytes, "{} with {context:?}", lenient.name());
    let mut shown = Shown { end: lenient.fields_end(), depth: 0 };
    lenient.visit(&mut shown);
    assert_eq!(shown.depth, 0);
    match Either::strict(frame(bytes), from_manager, context) {
        Ok(strict) => {
            assert_eq!(strict, lenient);
            assert_eq!(strict.anomalies(), 0);
            true
        }
        Err(error) => {
            assert!(lenient.anomalies() > 0, "{error}");
            assert!(error.to_string().starts_with(lenient.name()), "{error}");
            false
        }
    }
}

struct Shown {
    end: usize,
    depth: i32,
}

impl codec::Visitor for Shown {
    fn value(&mut self, at: codec::At, value: codec::Value<'_>) {
        assert!(at.offset < self.end, "{} at {} is shown beyond {}", at.field.name, at.offset, self.end);
        assert!(!value.to_string().contains('\n'));
    }

    fn enter(&mut self, _: codec::At) {
        self.depth += 1;
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }
}

/// Body lengths that reach beyond the known layout, every one where it is short and every seventh of a long
/// one.
fn lengths(id: u32, from_manager: bool) -> impl Iterator<Item = usize> {
    let endless = framed(id, 0, &[0; 2400]);
    // Dynamic messages are as long as their texts.
    let full = Either::lenient(frame(&endless), from_manager, Context::new(20)).fields_end().max(100) + 12;
    (0..full.min(200)).chain((200..full).step_by(7))
}

#[test]
fn every_message_cut_at_every_length() {
    for info in MESSAGES.iter().filter(|info| info.modelled) {
        for &from_manager in sides(info) {
            for length in lengths(info.id, from_manager) {
                let noise = (0..length).map(|at| u8::try_from((at * 31 + length * 7) % 251).unwrap());
                let fillings: [Vec<u8>; 4] =
                    [vec![0; length], vec![0xFF; length], noise.collect(), small_words(length)];
                for body in fillings {
                    for version in VERSIONS {
                        holds(&framed(info.id, 0, &body), from_manager, Context::new(version));
                    }
                }
            }
        }
    }
}

/// Words of 1 and 2: counts that fit, with dirty padding behind them.
fn small_words(length: usize) -> Vec<u8> {
    (0..length).map(|at| if at % 4 == 0 { u8::from(at % 8 == 0) + 1 } else { 0 }).collect()
}

#[test]
fn whole_words_are_never_refused_for_their_length_alone() {
    for info in MESSAGES.iter().filter(|info| info.modelled) {
        // Dynamic texts and numbers, addresses and texts in fixed areas can be cut; words alone cannot.
        let only_words = info.fields.iter().all(|field| {
            use codec::Kind;
            matches!(
                field.kind,
                Kind::U32 | Kind::I32 | Kind::Ipv4 | Kind::Enum { width: 4, .. } | Kind::Union { .. }
            )
        });
        if !only_words {
            continue;
        }
        let least = usize::try_from(info.min_length).unwrap() - 4;
        for length in (least..least + 200).step_by(4) {
            for &from_manager in sides(info) {
                let bytes = framed(info.id, 0, &vec![0; length]);
                assert!(
                    holds(&bytes, from_manager, Context::default()),
                    "{} with a body of {length}",
                    info.name
                );
            }
        }
    }
}

#[test]
fn what_is_shorter_than_every_known_form_is_refused() {
    for info in MESSAGES.iter().filter(|info| info.modelled && info.min_length > 4) {
        let body = vec![0; usize::try_from(info.min_length).unwrap() - 5];
        for &from_manager in sides(info) {
            let taken = holds(&framed(info.id, 0, &body), from_manager, Context::default());
            assert!(!taken, "{} with a body of {}", info.name, body.len());
        }
    }
}

#[test]
fn the_other_sides_messages_are_refused_and_kept() {
    for info in MESSAGES.iter().filter(|info| info.direction != Direction::Both) {
        let from_manager = info.direction == Direction::StationToManager;
        let bytes = framed(info.id, 0, &[1, 2, 3, 4]);
        let error = Either::strict(frame(&bytes), from_manager, Context::default()).unwrap_err();
        assert_eq!(error.problem, selsius_wire::Problem::WrongDirection);
        let lenient = Either::lenient(frame(&bytes), from_manager, Context::default());
        assert!(lenient.is_opaque() && lenient.anomalies() == 1 && lenient.name() == info.name);
        assert_eq!(lenient.encode(), bytes);
    }
}

fn any_id() -> impl Strategy<Value = u32> {
    prop_oneof![
        8 => (0..MESSAGES.len()).prop_map(|row| MESSAGES[row].id),
        1 => any::<u32>(),
    ]
}

/// Bodies as they occur: any bytes, and words that are mostly small, so that counts fit and unions are
/// chosen.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![4 => 0..4_u32, 2 => 0..0x140_u32, 1 => any::<u32>()];
    let words = prop::collection::vec(word, 0..80)
        .prop_map(|words| words.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<_>>());
    prop_oneof![words, prop::collection::vec(any::<u8>(), 0..700)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_survive(
        id in any_id(),
        header_version in prop_oneof![0..24_u32, any::<u32>()],
        version in 0..24_u8,
        from_manager: bool,
        body in any_body(),
        tail in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let body = [body, tail].concat();
        holds(&framed(id, header_version, &body), from_manager, Context::new(version));
    }
}
