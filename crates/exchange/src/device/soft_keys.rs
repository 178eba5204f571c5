//! The soft keys that we offer: the template (which keys there are) and the sets (which are shown when).
//!
//! Labels, events and positions of the first twenty are those of CallManager 4.1 (frames 97 and 100 of its capture), so
//! that phones and people find what they know. Which keys of a set make sense at a moment is the view's to say, by a mask.

use alloc::vec::Vec;

use selsius_site::{KeySet, Site, SoftKey as Key};
use selsius_wire::{
    Dialect, DisplayLabel, PhoneText,
    message::{SoftKeyDefinition, SoftKeySet, SoftKeySetDefinition, SoftKeyTemplate},
    value::{SoftKey, SoftKeySetId, Text},
};

use super::Quirks;

/// What is written on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    /// In the phone's own words.
    Phone(DisplayLabel),
    /// What phones have no words for.
    Own(&'static str),
}

impl Label {
    fn text(self) -> PhoneText {
        match self {
            Self::Phone(label) => PhoneText::label(label),
            Self::Own(text) => PhoneText::from(text),
        }
    }

    fn english(self) -> &'static str {
        match self {
            Self::Phone(label) => label.english(),
            Self::Own(text) => text,
        }
    }
}

/// The template: label, event and meaning by position, from 1. From 19 on events mean what the template says; the keys
/// that CallManager 4.1 does not have got events that it does not use.
const TEMPLATE: [(Label, u32, Option<Key>); 27] = [
    (Label::Phone(DisplayLabel::Redial), 1, Some(Key::Redial)),
    (Label::Phone(DisplayLabel::NewCall), 2, Some(Key::NewCall)),
    (Label::Phone(DisplayLabel::Hold), 3, Some(Key::Hold)),
    (Label::Phone(DisplayLabel::Transfer), 4, Some(Key::Transfer)),
    (Label::Phone(DisplayLabel::CFwdAll), 5, Some(Key::ForwardAll)),
    (Label::Phone(DisplayLabel::BackSpace), 8, Some(Key::Backspace)),
    (Label::Phone(DisplayLabel::EndCall), 9, Some(Key::EndCall)),
    (Label::Phone(DisplayLabel::Resume), 10, Some(Key::Resume)),
    (Label::Phone(DisplayLabel::Answer), 11, Some(Key::Answer)),
    (Label::Phone(DisplayLabel::Confrn), 13, Some(Key::Conference)),
    (Label::Phone(DisplayLabel::Park), 14, Some(Key::Park)),
    (Label::Phone(DisplayLabel::Join), 15, Some(Key::Join)),
    (Label::Phone(DisplayLabel::MeetMe), 16, Some(Key::MeetMe)),
    (Label::Phone(DisplayLabel::PickUp), 17, Some(Key::Pickup)),
    (Label::Phone(DisplayLabel::GPickUp), 18, Some(Key::GroupPickup)),
    (Label::Phone(DisplayLabel::Barge), 21, Some(Key::Barge)),
    (Label::Phone(DisplayLabel::DirTrfr), 28, Some(Key::DirectTransfer)),
    (Label::Phone(DisplayLabel::Select), 29, Some(Key::Select)),
    (Label::Phone(DisplayLabel::ConfList), 30, Some(Key::ConferenceList)),
    // Video is not offered; the place keeps the positions as CallManager has them.
    (Label::Phone(DisplayLabel::VidMode), 33, None),
    (Label::Phone(DisplayLabel::CallBack), 20, Some(Key::Callback)),
    (Label::Phone(DisplayLabel::IDivert), 22, Some(Key::Divert)),
    (Label::Phone(DisplayLabel::Dnd), 23, Some(Key::DoNotDisturb)),
    (Label::Phone(DisplayLabel::Private), 24, Some(Key::PrivateHold)),
    (Label::Phone(DisplayLabel::CBarge), 25, Some(Key::ConferenceBarge)),
    (Label::Phone(DisplayLabel::Record), 26, Some(Key::Record)),
    (Label::Own("StopRec"), 27, Some(Key::StopRecording)),
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
        Some(Key::Record),
        Some(Key::StopRecording),
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
    &[Some(Key::Barge), Some(Key::NewCall), Some(Key::ConferenceBarge)],
];

/// CallManager's info index is this plus the key's event.
const INFO_BASE: u16 = 300;

fn template(dialect: &Dialect) -> SoftKeyTemplate {
    SoftKeyTemplate::new(&TEMPLATE.map(|(label, event, _)| SoftKeyDefinition {
        soft_key_label: Text::new(dialect.text_bytes(&label.text())),
        soft_key_event: SoftKey::from(event),
    }))
}

/// What a key that was pressed means, by the event that the template gave it.
pub(crate) fn meaning(event: SoftKey) -> Option<Key> {
    let event = u32::from(event);
    TEMPLATE.iter().find(|(_, other, _)| *other == event).and_then(|(_, _, key)| *key)
}

/// Every key of a set is shown.
const ALL_KEYS: u32 = 0xFFFF_FFFF;

/// The sets of one phone: the usual ones, but for those that the site gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sets {
    /// The phone has no soft keys.
    none: bool,
    own: Vec<(SoftKeySetId, Vec<Key>)>,
}

impl Sets {
    /// Those of a phone.
    pub(crate) fn of(site: &Site, device: &selsius_site::Device, quirks: Quirks) -> Self {
        let sets = device.soft_keys.as_ref().and_then(|name| site.soft_keys.get(name));
        let own = sets.iter().flat_map(|sets| &sets.0);
        let own = own.filter_map(|(set, keys)| {
            let keys = keys.iter().copied().filter(|&key| place(key).is_some()).take(PLACES);
            Some((set_of(*set)?, keys.collect()))
        });
        Self { none: quirks.no_soft_keys, own: own.collect() }
    }

    /// Has the phone any?
    pub(crate) fn is_none(&self) -> bool {
        self.none
    }

    /// The template in a phone's dialect.
    pub(crate) fn template(&self, dialect: &Dialect) -> SoftKeyTemplate {
        if self.none { SoftKeyTemplate::new(&[]) } else { template(dialect) }
    }

    /// All of them.
    pub(crate) fn message(&self) -> SoftKeySet {
        if self.none {
            return SoftKeySet::new(&[]);
        }
        let numbers = (0..).zip(SETS);
        let sets: Vec<_> = numbers.map(|(number, _)| self.definition(SoftKeySetId::from(number))).collect();
        SoftKeySet::new(&sets)
    }

    fn definition(&self, set: SoftKeySetId) -> SoftKeySetDefinition {
        let mut definition = SoftKeySetDefinition::default();
        let places = definition.soft_key_template_index.iter_mut().zip(&mut definition.soft_key_info_index);
        for ((index, info), key) in places.zip(self.keys(set)) {
            let Some((position, event)) = key.and_then(place) else { continue };
            *index = position;
            *info = INFO_BASE + event;
        }
        definition
    }

    /// The mask of a set: a bit for each place, cleared where the key makes no sense now.
    pub(crate) fn mask(&self, set: SoftKeySetId, makes_sense: impl Fn(Key) -> bool) -> u32 {
        self.keys(set).enumerate().fold(ALL_KEYS, |mask, (at, key)| match key {
            Some(key) if !makes_sense(key) => mask & !(1 << at),
            _ => mask,
        })
    }

    /// The labels that a phone shows for a set and its mask, in English.
    pub(crate) fn labels(&self, set: SoftKeySetId, mask: u32) -> Vec<&'static str> {
        let shown = self.keys(set).enumerate().filter(|(at, _)| mask & (1 << at) != 0);
        let label = |key: Key| {
            TEMPLATE.iter().find(|(_, _, other)| *other == Some(key)).map(|(label, _, _)| label.english())
        };
        shown.filter_map(|(_, key)| key.and_then(label)).collect()
    }

    /// The keys of a set, by their places.
    fn keys(&self, set: SoftKeySetId) -> impl Iterator<Item = Option<Key>> {
        let own = self.own.iter().find(|(other, _)| *other == set).map(|(_, keys)| keys.as_slice());
        let usual = usize::try_from(u32::from(set)).ok().and_then(|set| SETS.get(set)).copied();
        let usual = usual.filter(|_| own.is_none() && !self.none).unwrap_or_default();
        let own = own.filter(|_| !self.none).unwrap_or_default();
        own.iter().copied().map(Some).chain(usual.iter().copied())
    }
}

/// Places in a set.
const PLACES: usize = 16;

/// The number of a set.
fn set_of(set: KeySet) -> Option<SoftKeySetId> {
    let number = KeySet::ALL.iter().position(|&other| other == set)?;
    u32::try_from(number).ok().map(SoftKeySetId::from)
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
        let sets = Sets::default().message();
        let connected = &sets.definition[1];
        // callmanager-4.1-7912.pcapng, frame 100: 3 7 4 11 10 19 18 12 17.
        assert_eq!(&connected.soft_key_template_index[..9], &[3, 7, 4, 11, 10, 19, 18, 12, 17]);
        assert_eq!(&connected.soft_key_info_index[..3], &[303, 309, 304]);
        assert_eq!((sets.soft_key_set_count, sets.total_soft_key_set_count), (11, 11));
    }

    #[test]
    fn a_mask_hides_what_makes_no_sense() {
        let sets = Sets::default();
        assert_eq!(sets.mask(SoftKeySetId::RingOut, |_| true), 0xFFFF_FFFF);
        let mask = sets.mask(SoftKeySetId::Connected, |key| key != Key::EndCall);
        assert_eq!(mask, 0xFFFF_FFFD);
        assert_eq!(sets.labels(SoftKeySetId::RingOut, 0xFFFF_FFFF), ["EndCall", "CallBack"]);
        assert!(!sets.labels(SoftKeySetId::Connected, mask).contains(&"EndCall"));
    }

    #[test]
    fn every_key_of_a_set_is_in_the_template() {
        for key in SETS.iter().copied().flatten().flatten() {
            let (_, event) = place(*key).unwrap();
            assert_eq!(meaning(SoftKey::from(u32::from(event))), Some(*key));
        }
    }
    #[test]
    fn a_phone_s_own_keys_replace_the_usual_ones_of_that_set_only() {
        let own = [Key::EndCall, Key::Dial, Key::Hold].into();
        let keys = selsius_site::SoftKeys([(KeySet::Connected, own)].into());
        let mut site = Site::default();
        site.soft_keys.insert("few".parse().unwrap(), keys);
        let device = selsius_site::Device { soft_keys: Some("few".parse().unwrap()), ..Default::default() };
        let sets = Sets::of(&site, &device, Quirks::of(436.into()));
        let message = sets.message();
        // A key that is not in the template has no place.
        assert_eq!(message.definition[1].soft_key_template_index[..3], [7, 3, 0]);
        assert_eq!(message.definition[8], Sets::default().message().definition[8]);
        assert_eq!(sets.mask(SoftKeySetId::Connected, |key| key == Key::Hold), 0xFFFF_FFFE);
        assert_eq!(sets.labels(SoftKeySetId::Connected, 0b10), ["Hold"]);
    }

    #[test]
    fn a_phone_without_soft_keys_is_given_none() {
        let sets = Sets::of(&Site::default(), &Default::default(), Quirks::of(547.into()));
        assert_eq!(sets.message().soft_key_set_count, 0);
        assert_eq!(sets.template(&Dialect::default()).soft_key_count, 0);
        assert!(sets.is_none() && sets.labels(SoftKeySetId::Connected, ALL_KEYS).is_empty());
    }
}
