//! Every SCCP message of the captures: strict decoding finds nothing wrong, and encoding gives the same bytes
//! again.

mod common;

use common::{CAPTURES, Either, callmanager_frames, captures, frame, messages};
use selsius_wire::{Context, Direction, codec, message_info};

#[test]
fn every_message_of_the_captures_decodes_strictly_and_encodes_to_the_same_bytes() {
    let Some(folder) = captures() else { return };
    let mut total = 0;
    for name in CAPTURES {
        let seen = messages(&folder.join(name));
        assert!(seen.len() > 50, "{name} has {} messages", seen.len());
        for message in &seen {
            let place = format!("{name}, packet {}", message.packet);
            check(&message.bytes, message.from_manager, message.context, &place);
        }
        total += seen.len();
    }
    assert!(total > 400, "{total} messages in all");
}

#[test]
fn every_callmanager_frame_decodes_strictly_and_encodes_to_the_same_bytes() {
    let Some(folder) = captures() else { return };
    for (place, bytes) in callmanager_frames(&folder) {
        let direction = message_info(frame(&bytes).id).expect("a known message").direction;
        check(&bytes, direction == Direction::ManagerToStation, Context::default(), &place);
    }
}

/// The session's version is not always known: without it, nothing is refused and nothing is lost either.
#[test]
fn the_captures_survive_without_knowledge_of_the_session() {
    let Some(folder) = captures() else { return };
    for name in CAPTURES {
        for message in messages(&folder.join(name)) {
            for version in [0, 3, 11, 17, 18, 20, 22] {
                let context = Context::new(version);
                let received = Either::lenient(message.frame(), message.from_manager, context);
                assert_eq!(received.encode(), message.bytes, "{name}, packet {}", message.packet);
            }
        }
    }
}

fn check(bytes: &[u8], from_manager: bool, context: Context, place: &str) {
    let received = Either::strict(frame(bytes), from_manager, context)
        .unwrap_or_else(|error| panic!("{place}: {error}"));
    let name = received.name();
    assert!(!received.is_opaque(), "{place}: {name} is not modelled");
    assert_eq!(received.anomalies(), 0, "{place}: {name}");
    assert_eq!(received.encode(), bytes, "{place}: {name}");
    let lenient = Either::lenient(frame(bytes), from_manager, context);
    assert_eq!(lenient, received, "{place}: {name}");

    let mut last = Last::default();
    received.visit(&mut last);
    assert!(last.offset < received.fields_end().max(1), "{place}: {name} shows a field at {}", last.offset);
    // A tail is padding, or one of three spare words (chan-sccp's and FreeSWITCH's, see the messages'
    // documentation).
    let spare = ["DialedNumber", "ForwardStat", "SoftKeySet"].contains(&name) && received.tail() == [0; 4];
    assert!(received.tail().len() < 4 || spare, "{place}: {name} has a tail {:02x?}", received.tail());
}

/// Where the last field began.
#[derive(Default)]
struct Last {
    offset: usize,
}

impl codec::Visitor for Last {
    fn value(&mut self, at: codec::At, _: codec::Value<'_>) {
        assert!(at.offset >= self.offset, "{} goes backwards", at.field.name);
        self.offset = at.offset;
    }
}
