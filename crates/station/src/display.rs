//! Prompts, notifications and plain text: what a manager writes on the display.

use alloc::string::String;

use selsius_wire::{Encoding, PhoneText, Time};

use crate::{few::Few, limits};

/// A text with an end, or without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Passing {
    text: String,
    until: Time,
}

/// One place for a text: one that stays, and one that covers it for a while.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Note {
    steady: String,
    passing: Option<Passing>,
}

impl Note {
    /// Shows a text: for so many seconds, or for good when `timeout_s` is 0.
    pub(crate) fn show(&mut self, now: Time, timeout_s: u32, text: String) {
        if timeout_s == 0 {
            *self = Self { steady: text, passing: None };
        } else {
            self.passing =
                Some(Passing { text, until: now + core::time::Duration::from_secs(timeout_s.into()) });
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What is to be read; empty for nothing.
    pub(crate) fn text(&self) -> &str {
        self.passing.as_ref().map_or(&self.steady, |passing| &passing.text)
    }

    pub(crate) fn until(&self) -> Option<Time> {
        self.passing.as_ref().map(|passing| passing.until)
    }

    pub(crate) fn expire(&mut self, now: Time) {
        if self.until().is_some_and(|until| until <= now) {
            self.passing = None;
        }
    }
}

/// Everything on the display that belongs to no call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Display {
    /// By line instance; 0 is the phone's own.
    prompts: Few<u32, Note>,
    notification: Note,
    /// By priority; the highest is seen.
    priority: Few<u32, Note>,
    /// DisplayText, which only old managers send.
    pub(crate) text: Option<String>,
}

impl Display {
    /// The prompt of a line, or with 0 the one of the idle phone.
    pub(crate) fn prompt_mut(&mut self, line: u32) -> Option<&mut Note> {
        self.prompts.entry(line, limits::BUTTONS)
    }

    pub(crate) fn prompt(&self, line: Option<u32>) -> &str {
        let of = |line| self.prompts.get(&line).map(Note::text).filter(|text| !text.is_empty());
        line.and_then(of).or_else(|| of(0)).unwrap_or_default()
    }

    pub(crate) fn notification_mut(&mut self) -> &mut Note {
        &mut self.notification
    }

    pub(crate) fn priority_mut(&mut self, priority: u32) -> Option<&mut Note> {
        self.priority.entry(priority, limits::NOTIFICATIONS)
    }

    pub(crate) fn clear_prompt(&mut self, line: u32) {
        self.prompts.remove(&line);
    }

    pub(crate) fn clear_priority(&mut self, priority: u32) {
        self.priority.remove(&priority);
    }

    /// The notification that covers the prompt now.
    pub(crate) fn notification(&self) -> Option<&str> {
        let priority = self.priority.values().rev().map(Note::text).find(|text| !text.is_empty());
        priority.or_else(|| Some(self.notification.text()).filter(|text| !text.is_empty()))
    }

    pub(crate) fn next_expiry(&self) -> Option<Time> {
        self.notes().filter_map(Note::until).min()
    }

    pub(crate) fn expire(&mut self, now: Time) {
        let Self { prompts, notification, priority, .. } = self;
        for note in prompts.values_mut().chain(priority.values_mut()) {
            note.expire(now);
        }
        notification.expire(now);
        let seen = |note: &Note| *note != Note::default();
        prompts.retain(seen);
        priority.retain(seen);
    }

    fn notes(&self) -> impl Iterator<Item = &Note> {
        self.prompts.values().chain(self.priority.values()).chain(core::iter::once(&self.notification))
    }
}

/// What a phone shows of a text: no control characters, no more than fits. chan-sccp has one between two parts of its
/// greeting (v17 capture, frame 42), FreeSWITCH one instead of a whole notification (frame 133).
pub(crate) fn shown(bytes: &[u8], encoding: Encoding) -> String {
    let text = PhoneText::parse(bytes, encoding).to_plain();
    let visible = |char: char| if char.is_control() { ' ' } else { char };
    match text.trim_matches(|char: char| char.is_control() || char.is_whitespace()) {
        "" => String::new(),
        _ => text.chars().map(visible).take(limits::TEXT).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    #[test]
    fn a_passing_prompt_uncovers_the_steady_one() {
        let mut note = Note::default();
        note.show(seconds(0), 0, "Connected".into());
        note.show(seconds(1), 3, "Key is not active".into());
        assert_eq!((note.text(), note.until()), ("Key is not active", Some(seconds(4))));
        note.expire(seconds(3));
        assert_eq!(note.text(), "Key is not active");
        note.expire(seconds(4));
        assert_eq!((note.text(), note.until()), ("Connected", None));
        note.show(seconds(5), 3, "passing".into());
        note.show(seconds(5), 0, "steady".into());
        assert_eq!((note.text(), note.until()), ("steady", None));
    }

    #[test]
    fn the_highest_priority_is_seen_and_nothing_grows() {
        let mut display = Display::default();
        display.notification_mut().show(seconds(0), 0, "note".into());
        assert_eq!(display.notification(), Some("note"));
        for priority in 0..1000 {
            if let Some(note) = display.priority_mut(priority) {
                note.show(seconds(0), priority + 1, alloc::format!("{priority}"));
            }
            display.prompt_mut(priority);
        }
        assert_eq!(display.priority.iter().count(), limits::NOTIFICATIONS);
        assert_eq!(display.prompts.iter().count(), limits::BUTTONS);
        assert_eq!(display.notification(), Some("15"));
        assert_eq!(display.next_expiry(), Some(seconds(1)));
        display.expire(seconds(15));
        assert_eq!(display.notification(), Some("15"));
        display.expire(seconds(16));
        assert_eq!(display.notification(), Some("note"));
        assert!(display.prompts.iter().chain(display.priority.iter()).next().is_none());
    }
}
