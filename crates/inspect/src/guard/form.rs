//! The form of one message: whether its bytes are those of a message that such a sender sends.

use alloc::vec::Vec;
use core::{net::IpAddr, ops::Range};

use selsius_wire::{
    Anomaly, Context, Direction, Problem, RawFrame,
    codec::{At, Kind, Value, Visitor},
    message_info,
};

use super::{finding::FindingKind, judge::Found};
use crate::conversation::{Message, Side};

/// Bytes that are no part of what the message says, counted from the start of its body.
pub(super) type Dirt = Vec<Range<usize>>;

/// Looks at the header.
pub(super) fn header(frame: &RawFrame<'_>, from: Side, found: &mut Found) {
    if frame.header_version > u32::from(Context::NEWEST) {
        found.add(FindingKind::HeaderVersion);
    }
    match (message_info(frame.id).map(|info| info.direction), from) {
        (None, _) => found.add(FindingKind::MessageUnknown),
        (Some(Direction::ManagerToStation), Side::Station)
        | (Some(Direction::StationToManager), Side::Manager) => {
            found.add(FindingKind::WrongDirection);
        }
        _ => {}
    }
}

/// Looks at the body, and says what in it is dirty.
pub(super) fn body(frame: &RawFrame<'_>, message: &Message, found: &mut Found) -> Dirt {
    for Anomaly { field, offset, problem } in message.anomalies() {
        let kind = match problem {
            Problem::Cut { .. } => FindingKind::FieldCut,
            Problem::Count { .. } => FindingKind::CountTooLarge,
            Problem::TextTooLong { .. } => FindingKind::TextTooLong,
            Problem::TooShort { .. } => FindingKind::TooShort,
            Problem::WrongDirection => continue,
            _ => FindingKind::FieldCut,
        };
        found.add_at(kind, field, *offset);
    }
    let mut looking = Looking { body: frame.body, found, dirt: Vec::new() };
    message.visit(&mut looking);
    let mut dirt = looking.dirt;
    let tail = frame.body.get(message.fields_end()..).unwrap_or_default();
    let is_modelled = message_info(frame.id).is_some_and(|info| info.modelled);
    if tail.len() > MOST_TAIL && is_modelled {
        found.add_at(FindingKind::TooLong, "length", message.fields_end());
    } else if tail.len() < size_of::<u32>() && tail.iter().any(|byte| *byte != 0) && is_modelled {
        dirt.push(message.fields_end()..frame.body.len());
    }
    if !dirt.is_empty() {
        found.add(FindingKind::DirtyPadding);
    }
    dirt
}

struct Looking<'l> {
    body: &'l [u8],
    found: &'l mut Found,
    dirt: Dirt,
}

impl Looking<'_> {
    /// What lies in `range` should be zero.
    fn empty(&mut self, range: Range<usize>) {
        let end = range.end.min(self.body.len());
        if self.body.get(range.start..end).is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0)) {
            self.dirt.push(range.start..end);
        }
    }
}

impl Visitor for Looking<'_> {
    fn value(&mut self, at: At, value: Value<'_>) {
        let kind = match at.field.kind {
            Kind::Array { of, .. } | Kind::List { of, .. } => *of,
            kind => kind,
        };
        match (value, kind) {
            // 0 is not said. Events of soft keys are the manager's own numbers: its template says what they are.
            (Value::Enum { name: "Unknown", raw }, _) if raw != 0 && at.field.name != "soft_key_event" => {
                self.found.add_at(FindingKind::ValueUnknown, at.field.name, at.offset);
            }
            (Value::Text(text), Kind::Text(width)) => {
                if text.len() < width {
                    self.empty(at.offset + text.len() + 1..at.offset + width);
                } else if width > LONGEST_WORD {
                    self.found.add_at(FindingKind::TextUnended, at.field.name, at.offset);
                }
            }
            (Value::Text(text), Kind::DynText(_)) if at.offset + text.len() >= self.body.len() => {
                self.found.add_at(FindingKind::TextUnended, at.field.name, at.offset);
            }
            // 4 bytes, or a tag and 16, which an IPv6 address fills.
            (Value::Address(IpAddr::V4(_)), Kind::MediaAddress) if self.is_tagged(&at) => {
                self.empty(at.offset + 8..at.offset + 20);
            }
            _ => {}
        }
    }
}

impl Looking<'_> {
    fn is_tagged(&self, at: &At) -> bool {
        // A tag of an IPv4 address is zero, an address hardly ever is; then there is nothing to be cleaned either.
        self.body.get(at.offset..at.offset + 4) == Some(&[0; 4])
    }
}

/// A field of no more bytes holds a word of fixed length, which needs no end: the date template `D.M.YA`, say.
const LONGEST_WORD: usize = 6;
/// Managers append words to messages that nobody has documented; four are the most that were seen.
const MOST_TAIL: usize = 16;
