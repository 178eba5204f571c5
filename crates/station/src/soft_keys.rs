//! The keys below the display: what they are called, and which are there.

use alloc::{string::String, vec::Vec};

use crate::{few::Few, limits};

/// Places in a soft key set.
pub(crate) const PLACES: usize = 16;

/// What a manager wants shown: a set, and which of its places (bit 0 is the first).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) set: u32,
    pub(crate) mask: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    pub(crate) label: &'a str,
    /// What the phone sends when it is pressed. From 19 on the number means what the manager likes
    /// (captured-details.md), so keys are known by their label alone.
    pub(crate) event: u32,
}

/// The manager's template and sets.
#[derive(Debug, Clone, Default)]
pub(crate) struct SoftKeys {
    /// The labels of the template, one after the other: most have a few letters, and each phone has some thirty of them.
    labels: String,
    template: Vec<Place>,
    sets: Few<u32, [u8; PLACES]>,
}

/// One place of the template.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Where its label ends; it begins at the end of the one before.
    end: usize,
    event: u32,
}

impl SoftKeys {
    /// Puts keys of a template at their place; it can come in several messages.
    pub(crate) fn define_template(&mut self, offset: u32, keys: impl Iterator<Item = (String, u32)>) {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(limits::SOFT_KEYS);
        self.template.truncate(offset);
        self.labels.truncate(self.template.last().map_or(0, |place| place.end));
        self.template.resize(offset, Place { end: self.labels.len(), event: 0 });
        for (label, event) in keys.take(limits::SOFT_KEYS - offset) {
            self.labels.push_str(&label);
            self.template.push(Place { end: self.labels.len(), event });
        }
        self.labels.shrink_to_fit();
        self.template.shrink_to_fit();
    }

    /// Puts sets at their place: template positions from 1, 0 for an empty place.
    pub(crate) fn define_sets(&mut self, offset: u32, sets: impl Iterator<Item = [u8; PLACES]>) {
        for (set, positions) in (offset..=u32::MAX).zip(sets) {
            self.sets.insert(set, positions, limits::SOFT_KEY_SETS);
        }
    }

    /// The keys of a selection in their places, up to the last one that is there.
    pub(crate) fn visible(&self, selection: Selection) -> Vec<Option<Key<'_>>> {
        let Some(positions) = self.sets.get(&selection.set) else { return Vec::new() };
        let mut keys: Vec<_> = positions
            .iter()
            .zip(0..)
            .map(|(position, place)| {
                let key = self.key(usize::from(*position).checked_sub(1)?)?;
                (selection.mask & (1 << place) != 0 && !key.label.is_empty()).then_some(key)
            })
            .collect();
        while keys.last().is_some_and(Option::is_none) {
            keys.pop();
        }
        keys
    }

    /// The key at a place of the template, from 0.
    fn key(&self, place: usize) -> Option<Key<'_>> {
        let Place { end, event } = *self.template.get(place)?;
        let start =
            place.checked_sub(1).and_then(|before| self.template.get(before)).map_or(0, |before| before.end);
        Some(Key { label: self.labels.get(start..end)?, event })
    }
}

/// Whether a label is the one a person means.
pub(crate) fn same_label(shown: &str, meant: &str) -> bool {
    /// The same key, differently spelled: 3.x managers write `Trnsfer` (captured-details.md).
    const SPELLINGS: &[(&str, &str)] =
        &[("trnsfer", "transfer"), ("backspace", "<<"), ("conference", "confrn")];
    let plain = |label: &str| -> String {
        let label: String =
            label.chars().filter(|char| !char.is_whitespace()).flat_map(char::to_lowercase).collect();
        match SPELLINGS.iter().find(|(other, _)| *other == label) {
            Some((_, usual)) => String::from(*usual),
            None => label,
        }
    };
    plain(shown) == plain(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(label: &str, event: u32) -> (String, u32) {
        (label.into(), event)
    }

    fn labels(keys: &SoftKeys, set: u32, mask: u32) -> Vec<&str> {
        keys.visible(Selection { set, mask })
            .into_iter()
            .map(|key| key.map_or("-", |key| key.label))
            .collect()
    }

    #[test]
    fn set_and_mask_choose_and_gaps_stay() {
        let mut keys = SoftKeys::default();
        assert!(keys.visible(Selection { set: 0, mask: !0 }).is_empty());
        keys.define_template(0, [key("Redial", 1), key("NewCall", 2)].into_iter());
        keys.define_template(2, [key("EndCall", 9), key("", 31)].into_iter());
        let mut places = [0; PLACES];
        places[..5].copy_from_slice(&[0, 3, 1, 2, 4]);
        keys.define_sets(5, [places].into_iter());
        assert_eq!(labels(&keys, 5, !0), ["-", "EndCall", "Redial", "NewCall"]);
        assert_eq!(labels(&keys, 5, !0b1000), ["-", "EndCall", "Redial"]);
        assert_eq!(labels(&keys, 5, 0b1000), ["-", "-", "-", "NewCall"]);
        assert!(labels(&keys, 5, 0).is_empty());
        assert!(labels(&keys, 4, !0).is_empty());
        // A part of the template comes anew, and one leaves a gap.
        keys.define_template(1, [key("Dial", 3)].into_iter());
        keys.define_template(3, [key("End", 9)].into_iter());
        assert_eq!(labels(&keys, 5, !0), ["-", "-", "Redial", "Dial", "End"]);
    }

    #[test]
    fn hostile_templates_do_not_grow() {
        let mut keys = SoftKeys::default();
        keys.define_template(u32::MAX, core::iter::repeat_n(key("x", 0), 1000));
        keys.define_template(60, core::iter::repeat_n(key("x", 0), 1000));
        assert_eq!(keys.template.len(), limits::SOFT_KEYS);
        for offset in [u32::MAX - 1, 0, 1000] {
            keys.define_sets(offset, core::iter::repeat_n([255; PLACES], 1000));
        }
        assert_eq!(keys.sets.iter().count(), limits::SOFT_KEY_SETS);
        assert!(labels(&keys, 0, !0).is_empty());
    }

    #[test]
    fn people_spell_as_they_like() {
        assert!(
            same_label("NewCall", "new call")
                && same_label("Trnsfer", "TRANSFER")
                && same_label("<<", "backspace")
        );
        assert!(!same_label("NewCall", "EndCall"));
    }
}
