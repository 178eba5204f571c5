//! Drawing: rows of characters with colours.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::{Kind, Ladder, Style};
use crate::words::{fit, wrap};

/// What a piece of a row is, which decides its colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Paint {
    #[default]
    None,
    Heading,
    Time,
    Rail,
    Station,
    Manager,
    Peer,
    Media,
    Quiet,
    Trouble,
    Details,
}

impl Paint {
    fn escape(self) -> &'static str {
        match self {
            Self::None | Self::Details => "\x1b[0m",
            Self::Heading => "\x1b[0;1m",
            Self::Time | Self::Rail | Self::Quiet => "\x1b[0;2m",
            Self::Station => "\x1b[0;36m",
            Self::Manager => "\x1b[0;32m",
            Self::Peer => "\x1b[0;33m",
            Self::Media => "\x1b[0;35m",
            Self::Trouble => "\x1b[0;1;31m",
        }
    }
}

/// One row of characters; what is put later covers what was there.
#[derive(Debug, Default)]
pub(super) struct Row(Vec<(char, Paint)>);

impl Row {
    pub(super) fn put(&mut self, at: usize, text: &str, paint: Paint) {
        let end = at + text.chars().count();
        if self.0.len() < end {
            self.0.resize(end, (' ', Paint::None));
        }
        for (cell, letter) in self.0[at..end].iter_mut().zip(text.chars()) {
            *cell = (if letter.is_control() { '·' } else { letter }, paint);
        }
    }

    /// The row as a line with its line end.
    pub(super) fn finish(self, style: Style) -> String {
        let mut line = String::new();
        let mut current = Paint::None;
        for (letter, paint) in self.0 {
            // A blank has no colour of its own.
            if style == Style::Ansi && paint != current && letter != ' ' {
                line.push_str(paint.escape());
                current = paint;
            }
            line.push(letter);
        }
        line.truncate(line.trim_end().len());
        if current != Paint::None {
            line.push_str(Paint::None.escape());
        }
        line.push('\n');
        line
    }
}

impl Ladder {
    /// An arrow with its text in it; details that do not fit follow below.
    pub(super) fn arrow(
        &self,
        time: &str,
        (from, to): (usize, usize),
        name: &str,
        details: &str,
        kind: Kind,
    ) -> String {
        let (Some(&start), Some(&end)) = (self.lines.get(from), self.lines.get(to)) else {
            return String::new();
        };
        if start == end {
            return self.note(time, Some(from), &alloc::format!("{name} {details}"));
        }
        let (left, right) = (start.min(end) + 1, start.max(end));
        let shaft = match kind {
            Kind::Station => Paint::Station,
            Kind::Manager => Paint::Manager,
            Kind::Peer => Paint::Peer,
            Kind::Media => Paint::Media,
            Kind::Quiet => Paint::Quiet,
            Kind::Trouble => Paint::Trouble,
        };

        // `── name details ──>`: three cells before the text, at least a blank and two cells after it.
        let room = right - left - 6;
        let name = fit(name, room);
        let name_length = name.chars().count();
        let fits = details.is_empty() || name_length + 1 + details.chars().count() <= room;

        let mut row = self.rails(time);
        row.put(left, &"─".repeat(right - left), shaft);
        if start < end {
            row.put(right - 1, ">", shaft);
        } else {
            row.put(left, "<", shaft);
        }
        row.put(left + 2, " ", Paint::None);
        row.put(left + 3, &name, shaft);
        let mut after = left + 3 + name_length;
        if fits && !details.is_empty() {
            row.put(after, " ", Paint::None);
            row.put(after + 1, details, Paint::Details);
            after += 1 + details.chars().count();
        }
        row.put(after, " ", Paint::None);
        let mut lines = row.finish(self.style);

        if !fits {
            for part in wrap(details, right - left - 6) {
                let mut row = self.rails("");
                row.put(left, &" ".repeat(right - left), Paint::None);
                row.put(left + 5, &part, Paint::Details);
                lines.push_str(&row.finish(self.style));
            }
        }
        lines
    }

    /// A double line that media flows along.
    pub(super) fn stream(&self, time: &str, (one, other): (usize, usize), words: &str) -> String {
        let (Some(&one), Some(&other)) = (self.lines.get(one), self.lines.get(other)) else {
            return String::new();
        };
        let (left, right) = (one.min(other) + 1, one.max(other));
        if left >= right {
            return String::new();
        }
        let mut row = self.rails(time);
        row.put(left, &"═".repeat(right - left), Paint::Media);
        row.put(left, "<", Paint::Media);
        row.put(right - 1, ">", Paint::Media);
        let words = fit(words, right - left - 8);
        let blank = (right - left - words.chars().count() - 2) / 2;
        row.put(left + blank, " ", Paint::None);
        row.put(left + blank + 1, &words, Paint::Media);
        row.put(left + blank + 1 + words.chars().count(), " ", Paint::None);
        row.finish(self.style)
    }

    /// A remark beside a participant's line, or across the page.
    pub(super) fn note(&self, time: &str, at: Option<usize>, words: &str) -> String {
        let Some(at) = at else {
            let mut row = Row::default();
            row.put(0, time, Paint::Time);
            row.put(super::MARGIN, &fit(words, self.width - super::MARGIN), Paint::Heading);
            return row.finish(self.style);
        };
        let Some(&line) = self.lines.get(at) else { return String::new() };
        let mut row = self.rails(time);
        // The last participant's remarks stand to the left of its line.
        let (start, room) = match self.lines.get(at + 1) {
            Some(&next) => (line + 2, next - line - 3),
            None => {
                let before = self.lines[..at].last().map_or(super::MARGIN, |before| before + 1);
                let room = line.saturating_sub(before + 2);
                (line.saturating_sub(fit(words, room).chars().count() + 1), room)
            }
        };
        row.put(start, &fit(words, room), Paint::Heading);
        row.finish(self.style)
    }

    /// A row with the time and everybody's line.
    fn rails(&self, time: &str) -> Row {
        let mut row = Row::default();
        row.put(0, time, Paint::Time);
        for &line in &self.lines {
            row.put(line, &'│'.to_string(), Paint::Rail);
        }
        row
    }
}
