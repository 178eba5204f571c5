//! Message ladders as text, and as pictures ([`Svg`]): a column for each participant, time down the page, an arrow for each message.
//!
//! ```text
//!             Anna 1001                 manager                  Ben 1002
//!     0.000 │── OffHook ─────────────────>│                           │
//!     0.001 │<─ StartTone InsideDialTone ─│                           │
//!     3.250 │<══ RTP G.711 µ-law ═════════════════════════════════════>│
//! ```
//!
//! [`Ladder::push`] gives the lines of one event, so that a ladder can be drawn while it happens. What is drawn is an
//! [`Event`]; messages become events by [`Event::station`], [`Event::manager`] and [`Event::seen`].

mod event;
mod svg;
mod text;

use alloc::{string::String, vec::Vec};

pub use event::{Event, Kind, Step};
use selsius_wire::Time;
pub use svg::Svg;

use crate::words::fit;

/// Whether escape sequences colour the lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    #[default]
    Plain,
    /// ANSI escape sequences: what stations send in cyan, what the manager sends in green, what other systems send
    /// in yellow, media in magenta, trouble in red.
    Ansi,
}

/// Width of the time column with the blank after it.
const MARGIN: usize = 10;
/// Between two columns there must be room for an arrow with a few letters.
const LEAST_GAP: usize = 12;

/// A ladder in the making. Every character is taken to be one cell wide.
#[derive(Debug, Clone)]
pub struct Ladder {
    names: Vec<String>,
    width: usize,
    /// Where the participants' lines stand, counted in characters from the left edge of the page.
    lines: Vec<usize>,
    style: Style,
    origin: Option<Time>,
    /// The time that was written last, in milliseconds: it is not repeated.
    written: Option<u64>,
}

impl Ladder {
    /// A ladder for the named participants from left to right, `width` characters wide. Widths outside of 80 to 200 are
    /// taken as the nearest of these, and with many participants it becomes as wide as it must.
    pub fn new<N: Into<String>>(
        participants: impl IntoIterator<Item = N>,
        width: usize,
        style: Style,
    ) -> Self {
        let names: Vec<String> = participants.into_iter().map(Into::into).collect();
        let gaps = names.len().saturating_sub(1).max(1);
        let room = (width.clamp(80, 200) - MARGIN - 1).max(gaps * LEAST_GAP);
        let lines = (0..names.len()).map(|column| MARGIN + room * column / gaps).collect();
        Self { names, width: MARGIN + room + 1, lines, style, origin: None, written: None }
    }

    /// Times are written as seconds since `origin`; without this, since the first event.
    pub fn starting_at(mut self, origin: Time) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The participants' names over their lines.
    pub fn head(&self) -> String {
        let mut row = text::Row::default();
        for (column, (name, &line)) in self.names.iter().zip(&self.lines).enumerate() {
            let gap = if self.lines.len() > 1 { self.lines[1] - self.lines[0] } else { self.width };
            let name = fit(name, gap.saturating_sub(2));
            let length = name.chars().count();
            let start = match column {
                0 => line,
                _ if column + 1 == self.lines.len() => (line + 1).saturating_sub(length),
                _ => line.saturating_sub(length / 2),
            };
            row.put(start, &name, text::Paint::Heading);
        }
        row.finish(self.style)
    }

    /// The lines of one event, each with its line end. Participants are counted from 0 and must exist; an event about
    /// others is left out.
    pub fn push(&mut self, event: &Event) -> String {
        let time = self.margin(event.time);
        match &event.step {
            Step::Message { from, to, name, details, kind } => {
                self.arrow(&time, (*from, *to), name, details, *kind)
            }
            Step::Stream { between, words } => self.stream(&time, *between, words),
            Step::Note { at, words } => self.note(&time, *at, words),
        }
    }

    /// The time of an event, unless the line above has the same.
    fn margin(&mut self, time: Time) -> String {
        let since = time.since(*self.origin.get_or_insert(time));
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        if self.written.replace(millis) == Some(millis) {
            return String::new();
        }
        alloc::format!("{:>5}.{:03}", millis / 1_000, millis % 1_000)
    }
}

#[cfg(test)]
mod tests;
