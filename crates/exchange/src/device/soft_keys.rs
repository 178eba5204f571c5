//! The soft keys that we offer: the template (which keys there are) and the sets (which are shown when).
//!
//! Labels, events and positions of the first twenty are those of CallManager 4.1 (frames 97 and 100 of its capture), so
//! that phones and people find what they know. Which keys of a set make sense at a moment is the view's to say, by a mask.

use alloc::vec::Vec;

use selsius_site::SoftKey as Key;
use selsius_wire::{
    Dialect, DisplayLabel, PhoneText,
    message::{SoftKeyDefinition, SoftKeySet, SoftKeySetDefinition, SoftKeyTemplate},
    value::{SoftKey, SoftKeySetId, Text},
};

/// The template: label, event and meaning by position, from 1. From 19 on events mean what the template says; the keys
/// that CallManager 4.1 does not have got events that it does not use.
const TEMPLATE: [(DisplayLabel, u32, Option<Key>); 24] = [
    (DisplayLabel::Redial, 1, Some(Key::Redial)),
    (DisplayLabel::NewCall, 2, Some(Key::NewCall)),
    (DisplayLabel::Hold, 3, Some(Key::Hold)),
    (DisplayLabel::Transfer, 4, Some(Key::Transfer)),
    (DisplayLabel::CFwdAll, 5, Some(Key::ForwardAll)),
    (DisplayLabel::BackSpace, 8, Some(Key::Backspace)),
    (DisplayLabel::EndCall, 9, Some(Key::EndCall)),
    (DisplayLabel::Resume, 10, Some(Key::Resume)),
    (DisplayLabel::Answer, 11, Some(Key::Answer)),
    (DisplayLabel::Confrn, 13, Some(Key::Conference)),
    (DisplayLabel::Park, 14, Some(Key::Park)),
    (DisplayLabel::Join, 15, Some(Key::Join)),
    (DisplayLabel::MeetMe, 16, Some(Key::MeetMe)),
    (DisplayLabel::PickUp, 17, Some(Key::Pickup)),
    (DisplayLabel::GPickUp, 18, Some(Key::GroupPickup)),
    (DisplayLabel::Barge, 21, Some(Key::Barge)),
    (DisplayLabel::DirTrfr, 28, Some(Key::DirectTransfer)),
    (DisplayLabel::Select, 29, Some(Key::Select)),
    (DisplayLabel::ConfList, 30, Some(Key::ConferenceList)),
    // Video is not offered; the place keeps the positions as CallManager has them.
    (DisplayLabel::VidMode, 33, None),
    (DisplayLabel::CallBack, 20, Some(Key::Callback)),
    (DisplayLabel::IDivert, 22, Some(Key::Divert)),
    (DisplayLabel::Dnd, 23, Some(Key::DoNotDisturb)),
    (DisplayLabel::Private, 24, Some(Key::PrivateHold)),
];

/// The sets, by number; `None` is an empty place. The first keys are where CallManager has them.
const SETS: [&[Option<Key>]; 11] = [
    // On hook.
    &[
        Some(Key::Redial),
        Some(Key::NewCall),
        Some(Key::ForwardAll),
        Some(Key::Pickup),
        Some(Key::GroupPickup),
        Some(Key::DoNotDisturb),
    ],
    // Connected.
    &[
        Some(Key::Hold),
        Some(Key::EndCall),
        Some(Key::Transfer),
        Some(Key::Park),
        Some(Key::Conference),
        Some(Key::ConferenceList),
        Some(Key::Select),
        Some(Key::Join),
        Some(Key::DirectTransfer),
        Some(Key::PrivateHold),
    ],
    // On hold.
    &[Some(Key::Resume), Some(Key::NewCall), Some(Key::DirectTransfer), Some(Key::Select), Some(Key::Join)],
    // Ring in.
    &[Some(Key::Answer), Some(Key::Divert), Some(Key::DoNotDisturb)],
    // Off hook.
    &[
        Some(Key::Redial),
        Some(Key::EndCall),
        Some(Key::ForwardAll),
        Some(Key::Pickup),
        Some(Key::GroupPickup),
        Some(Key::MeetMe),
    ],
    // Connected, transfer.
    &[None, Some(Key::EndCall), Some(Key::Transfer)],
    // Digits following.
    &[Some(Key::Backspace), Some(Key::EndCall)],
    // Connected, conference.
    &[None, Some(Key::EndCall), Some(Key::Conference)],
    // Ring out.
    &[None, Some(Key::EndCall), Some(Key::Callback)],
    // Off hook with features.
    &[Some(Key::Redial), Some(Key::EndCall)],
    // In use hint.
    &[Some(Key::Barge), Some(Key::NewCall)],
];

/// CallManager's info index is this plus the key's event.
const INFO_BASE: u16 = 300;

/// The template in a phone's dialect.
pub(crate) fn template(dialect: &Dialect) -> SoftKeyTemplate {
    SoftKeyTemplate::new(&TEMPLATE.map(|(label, event, _)| SoftKeyDefinition {
        soft_key_label: Text::new(dialect.text_bytes(&PhoneText::label(label))),
        soft_key_event: SoftKey::from(event),
    }))
}

/// The sets.
pub(crate) fn sets() -> SoftKeySet {
    SoftKeySet::new(&SETS.map(|keys| {
        let mut set = SoftKeySetDefinition::default();
        let places = set.soft_key_template_index.iter_mut().zip(&mut set.soft_key_info_index);
        for ((index, info), key) in places.zip(keys) {
            let Some((position, event)) = key.and_then(place) else { continue };
            *index = position;
            *info = INFO_BASE + event;
        }
        set
    }))
}

/// What a key that was pressed means, by the event that the template gave it.
pub(crate) fn meaning(event: SoftKey) -> Option<Key> {
    let event = u32::from(event);
    TEMPLATE.iter().find(|(_, other, _)| *other == event).and_then(|(_, _, key)| *key)
}

/// The mask of a set: a bit for each place, cleared where the key makes no sense now.
pub(crate) fn mask(set: SoftKeySetId, makes_sense: impl Fn(Key) -> bool) -> u32 {
    let keys = keys_of(set);
    keys.iter().enumerate().fold(ALL_KEYS, |mask, (at, key)| match key {
        Some(key) if !makes_sense(*key) => mask & !(1 << at),
        _ => mask,
    })
}

/// The labels that a phone shows for a set and its mask, in English.
pub(crate) fn labels(set: SoftKeySetId, mask: u32) -> Vec<&'static str> {
    let shown = keys_of(set).iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0);
    let label = |key: Key| {
        TEMPLATE.iter().find(|(_, _, other)| *other == Some(key)).map(|(label, _, _)| label.english())
    };
    shown.filter_map(|(_, key)| key.and_then(label)).collect()
}

/// Every key of a set is shown.
const ALL_KEYS: u32 = 0xFFFF_FFFF;

fn keys_of(set: SoftKeySetId) -> &'static [Option<Key>] {
    usize::try_from(u32::from(set)).ok().and_then(|set| SETS.get(set)).copied().unwrap_or_default()
}

/// Position in the template, from 1, and event.
fn place(key: Key) -> Option<(u8, u16)> {
    let at = TEMPLATE.iter().position(|(_, _, other)| *other == Some(key))?;
    let (_, event, _) = TEMPLATE.get(at)?;
    Some((u8::try_from(at + 1).ok()?, u16::try_from(*event).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_names_its_key_twice() {
        let sets = sets();
        let connected = &sets.definition[1];
        // callmanager-4.1-7912.pcapng, frame 100: 3 7 4 11 10 19 18 12 17.
        assert_eq!(&connected.soft_key_template_index[..9], &[3, 7, 4, 11, 10, 19, 18, 12, 17]);
        assert_eq!(&connected.soft_key_info_index[..3], &[303, 309, 304]);
        assert_eq!((sets.soft_key_set_count, sets.total_soft_key_set_count), (11, 11));
    }

    #[test]
    fn a_mask_hides_what_makes_no_sense() {
        assert_eq!(mask(SoftKeySetId::RingOut, |_| true), 0xFFFF_FFFF);
        let mask = mask(SoftKeySetId::Connected, |key| key != Key::EndCall);
        assert_eq!(mask, 0xFFFF_FFFD);
        assert_eq!(labels(SoftKeySetId::RingOut, 0xFFFF_FFFF), ["EndCall", "CallBack"]);
        assert!(!labels(SoftKeySetId::Connected, mask).contains(&"EndCall"));
    }

    #[test]
    fn every_key_of_a_set_is_in_the_template() {
        for key in SETS.iter().copied().flatten().flatten() {
            let (_, event) = place(*key).unwrap();
            assert_eq!(meaning(SoftKey::from(u32::from(event))), Some(*key));
        }
    }
}
