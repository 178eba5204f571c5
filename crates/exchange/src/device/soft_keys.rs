//! The soft keys that we offer: the template (which keys there are) and the sets (which are shown when).
//!
//! Labels, events and positions are those of CallManager 4.1 (frames 97 and 100 of its capture), so that phones and
//! people find what they know. The sets hold only keys that do something here.

use selsius_wire::{
    Dialect, DisplayLabel, PhoneText,
    message::{SoftKeyDefinition, SoftKeySet, SoftKeySetDefinition, SoftKeyTemplate},
    value::{SoftKey, Text},
};

/// The template: label and event by position, from 1.
const TEMPLATE: [(DisplayLabel, u32); 20] = [
    (DisplayLabel::Redial, 1),
    (DisplayLabel::NewCall, 2),
    (DisplayLabel::Hold, 3),
    (DisplayLabel::Transfer, 4),
    (DisplayLabel::CFwdAll, 5),
    (DisplayLabel::BackSpace, 8),
    (DisplayLabel::EndCall, 9),
    (DisplayLabel::Resume, 10),
    (DisplayLabel::Answer, 11),
    (DisplayLabel::Confrn, 13),
    (DisplayLabel::Park, 14),
    (DisplayLabel::Join, 15),
    (DisplayLabel::MeetMe, 16),
    (DisplayLabel::PickUp, 17),
    (DisplayLabel::GPickUp, 18),
    (DisplayLabel::Barge, 21),
    (DisplayLabel::DirTrfr, 28),
    (DisplayLabel::Select, 29),
    (DisplayLabel::ConfList, 30),
    (DisplayLabel::VidMode, 33),
];

/// The sets, by number: template positions, 0 is an empty place.
const SETS: [&[u8]; 11] = [
    // On hook: Redial, NewCall.
    &[1, 2],
    // Connected: EndCall where CallManager has it, after Hold.
    &[0, 7],
    // On hold.
    &[],
    // Ring in: Answer.
    &[9],
    // Off hook: Redial, EndCall.
    &[1, 7],
    // Connected, transfer.
    &[0, 7],
    // Digits following: <<, EndCall.
    &[6, 7],
    // Connected, conference.
    &[0, 7],
    // Ring out: EndCall.
    &[0, 7],
    // Off hook with features: Redial, EndCall.
    &[1, 7],
    // In use hint: NewCall.
    &[0, 2],
];

/// CallManager's info index is this plus the key's event.
const INFO_BASE: u16 = 300;

/// The template in a phone's dialect.
pub(crate) fn template(dialect: &Dialect) -> SoftKeyTemplate {
    SoftKeyTemplate::new(&TEMPLATE.map(|(label, event)| SoftKeyDefinition {
        soft_key_label: Text::new(dialect.text_bytes(&PhoneText::label(label))),
        soft_key_event: SoftKey::from(event),
    }))
}

/// The sets.
pub(crate) fn sets() -> SoftKeySet {
    SoftKeySet::new(&SETS.map(|positions| {
        let mut set = SoftKeySetDefinition::default();
        let places = set.soft_key_template_index.iter_mut().zip(&mut set.soft_key_info_index);
        for ((index, info), &position) in places.zip(positions) {
            *index = position;
            let key = usize::from(position).checked_sub(1).and_then(|at| TEMPLATE.get(at));
            *info = key.map_or(0, |&(_, event)| INFO_BASE + event as u16);
        }
        set
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_names_its_key_twice() {
        let sets = sets();
        let connected = &sets.definition[1];
        assert_eq!(&connected.soft_key_template_index[..3], &[0, 7, 0]);
        assert_eq!(&connected.soft_key_info_index[..3], &[0, 309, 0]);
        assert_eq!((sets.soft_key_set_count, sets.total_soft_key_set_count), (11, 11));
    }
}
