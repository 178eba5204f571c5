//! The table of all messages.

#![allow(clippy::unwrap_used, reason = "test code")]

use selsius_wire::{Direction, Kind, MESSAGES, codec, message_info};

#[test]
fn all_175_messages_are_there_once() {
    assert_eq!(MESSAGES.len(), 175);
    assert!(MESSAGES.is_sorted_by(|a, b| a.id < b.id));
    let mut names: Vec<_> = MESSAGES.iter().flat_map(|info| [info.name, info.standard_name]).collect();
    names.sort_unstable();
    // A few short names are the standard ones.
    let doubles = names.windows(2).filter(|pair| pair[0] == pair[1]).count();
    let same = MESSAGES.iter().filter(|info| info.name == info.standard_name).count();
    assert_eq!(doubles, same);
    assert!(message_info(0x0011).is_some() && message_info(0x0013).is_none());
    assert_eq!(message_info(0x8101).unwrap().name, "SpcpRegisterTokenReject");
}

#[test]
fn answers_answer_a_question_of_the_other_side() {
    for info in MESSAGES {
        let Some(asked) = info.answers else { continue };
        let question = message_info(asked).unwrap_or_else(|| panic!("{} answers nothing", info.name));
        assert_eq!(info.kind, Kind::Response, "{}", info.name);
        let opposite = info.direction != question.direction || info.direction == Direction::Both;
        assert!(opposite, "{} answers {}", info.name, question.name);
    }
}

#[test]
fn modelled_messages_describe_their_fields() {
    fn check(fields: &[codec::Field], place: &str) {
        for field in fields {
            let place = format!("{place}.{}", field.name);
            assert!(field.since <= field.until, "{place}");
            let mut kind = field.kind;
            while let codec::Kind::Array { of, .. } | codec::Kind::List { of, .. } = kind {
                kind = *of;
            }
            check(kind.fields(), &place);
        }
    }
    for info in MESSAGES.iter().filter(|info| info.modelled) {
        check(info.fields, info.name);
        assert!(info.min_length == 4 || !info.fields.is_empty(), "{}", info.name);
    }
    let register = message_info(1).unwrap();
    assert_eq!(
        register.fields[0].doc,
        "`SEP` and the MAC address, as a rule. Anybody can claim anything here."
    );
    assert_eq!(register.fields[4].kind, codec::Kind::Enum { name: "DeviceType", width: 4 });
}
