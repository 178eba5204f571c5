//! Messages of SCCP (ITU-T Q.713) and what they say.
//!
//! The crate `sccp` knows addresses, global titles and names. It reads whole connectionless messages too, but gives nothing of one that
//! was cut off, and does not read the connection-oriented ones; so the pointers are followed here, by one table for all.

use std::ops::Range;

use sccp::{MessageType, ReturnCause};
use selsius_inspect::ss7::{Field, Value};

use super::{names, party::party};

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) name: &'static str,
    pub(super) fields: Vec<Field>,
    /// What is odd, besides that bytes are missing.
    pub(super) anomalies: Vec<String>,
    /// Nothing is missing.
    pub(super) whole: bool,
}

/// More that is odd in one message is not told.
const MOST_ANOMALIES: usize = 16;

/// A mandatory parameter of fixed length.
#[derive(Debug, Clone, Copy)]
enum Fixed {
    Destination,
    Source,
    Class,
    Hops,
    Cause(&'static str, fn(u8) -> Option<String>),
    Segmenting,
    Sequencing,
    Receive,
    Credit,
}

/// A mandatory parameter that a pointer leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variable {
    Called,
    Calling,
    Data,
}

/// What a message consists of (Q.713, 4).
struct Layout {
    fixed: &'static [Fixed],
    variable: &'static [Variable],
    /// A pointer to optional parameters follows the others.
    optional: bool,
    /// Pointers and the length of the data have two bytes.
    long: bool,
}

fn layout(kind: MessageType) -> Layout {
    use Fixed::{Class, Credit, Destination, Hops, Receive, Segmenting, Sequencing, Source};
    use Variable::{Called, Calling, Data};
    const REFUSAL: Fixed = Fixed::Cause("refusal_cause", names::refusal);
    const RELEASE: Fixed = Fixed::Cause("release_cause", names::release);
    const RESET: Fixed = Fixed::Cause("reset_cause", names::reset);
    const ERROR: Fixed = Fixed::Cause("error_cause", names::error);
    const RETURN: Fixed = Fixed::Cause("return_cause", return_cause);
    let (fixed, variable, optional): (&[_], &[_], _) = match kind {
        MessageType::Cr => (&[Source, Class], &[Called], true),
        MessageType::Cc => (&[Destination, Source, Class], &[], true),
        MessageType::Cref => (&[Destination, REFUSAL], &[], true),
        MessageType::Rlsd => (&[Destination, Source, RELEASE], &[], true),
        MessageType::Rlc | MessageType::Rsc => (&[Destination, Source], &[], false),
        MessageType::Dt1 => (&[Destination, Segmenting], &[Data], false),
        MessageType::Dt2 => (&[Destination, Sequencing], &[Data], false),
        MessageType::Ak => (&[Destination, Receive, Credit], &[], false),
        MessageType::Udt => (&[Class], &[Called, Calling, Data], false),
        MessageType::Udts => (&[RETURN], &[Called, Calling, Data], false),
        MessageType::Ed => (&[Destination], &[Data], false),
        MessageType::Ea => (&[Destination], &[], false),
        MessageType::Rsr => (&[Destination, Source, RESET], &[], false),
        MessageType::Err => (&[Destination, ERROR], &[], false),
        MessageType::It => (&[Destination, Source, Class, Sequencing, Credit], &[], false),
        MessageType::Xudt | MessageType::Ludt => (&[Class, Hops], &[Called, Calling, Data], true),
        MessageType::Xudts | MessageType::Ludts => (&[RETURN, Hops], &[Called, Calling, Data], true),
    };
    let long = matches!(kind, MessageType::Ludt | MessageType::Ludts);
    Layout { fixed, variable, optional, long }
}

/// Reads a message as far as it is there.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let mut reader = Reader { bytes, at: 1, fields: Vec::new(), anomalies: Vec::new() };
    let (name, whole) = match bytes.first().map(|kind| (*kind, MessageType::from_u8(*kind))) {
        None => (names::UNKNOWN, None),
        Some((kind, None)) => {
            reader.odd(format!("message type {kind:#04x} is not known"));
            (names::UNKNOWN, reader.data(1..bytes.len()))
        }
        Some((_, Some(kind))) => (names::message(kind), reader.message(&layout(kind))),
    };
    Decoded { name, fields: reader.fields, anomalies: reader.anomalies, whole: whole.is_some() }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    fields: Vec<Field>,
    anomalies: Vec<String>,
}

impl Reader<'_> {
    /// `None` where the bytes end too early.
    fn message(&mut self, layout: &Layout) -> Option<()> {
        for fixed in layout.fixed {
            self.fixed(*fixed)?;
        }
        let mut whole = Some(());
        for variable in layout.variable {
            let start = self.pointer(layout.long)?;
            // What follows may be there where this is not.
            whole = whole.and(self.variable(*variable, start, layout.long));
        }
        if layout.optional {
            let start = self.pointer(layout.long)?;
            if let Some(start) = start {
                whole = whole.and(self.optional(start));
            }
        }
        whole
    }

    fn fixed(&mut self, fixed: Fixed) -> Option<()> {
        match fixed {
            Fixed::Destination => self.reference("destination_reference"),
            Fixed::Source => self.reference("source_reference"),
            Fixed::Class => {
                let [class] = self.take()?;
                self.push("class", Value::Number((class & 0xf).into()));
                // The upper half means something in the connectionless classes only (Q.713, 3.6).
                if class & 0xf < 2 {
                    self.push("return_on_error", Value::Flag(class >> 4 == 8));
                }
                Some(())
            }
            Fixed::Hops => self.byte("hop_counter"),
            Fixed::Cause(name, cause) => {
                let [raw] = self.take()?;
                self.push(name, named(raw, cause));
                Some(())
            }
            Fixed::Segmenting => {
                let [segmenting] = self.take()?;
                self.push("more_data", Value::Flag(segmenting & 1 == 1));
                Some(())
            }
            Fixed::Sequencing => {
                let [send, receive] = self.take()?;
                self.push("send_sequence", Value::Number((send >> 1).into()));
                self.push("receive_sequence", Value::Number((receive >> 1).into()));
                self.push("more_data", Value::Flag(receive & 1 == 1));
                Some(())
            }
            Fixed::Receive => {
                let [receive] = self.take()?;
                self.push("receive_sequence", Value::Number((receive >> 1).into()));
                Some(())
            }
            Fixed::Credit => self.byte("credit"),
        }
    }

    fn byte(&mut self, name: &'static str) -> Option<()> {
        let [value] = self.take()?;
        self.push(name, Value::Number(value.into()));
        Some(())
    }

    /// Local references are numbers of three bytes, the lowest first, as the well-known dissector shows them too.
    fn reference(&mut self, name: &'static str) -> Option<()> {
        let [a, b, c] = self.take()?;
        self.push(name, Value::Number(u32::from_le_bytes([a, b, c, 0]).into()));
        Some(())
    }

    /// Where the next pointer leads; `Some(None)` when it says that nothing is there.
    fn pointer(&mut self, long: bool) -> Option<Option<usize>> {
        let (value, from) = if long {
            let [low, high] = self.take()?;
            (u16::from_le_bytes([low, high]), self.at - 1)
        } else {
            let [value] = self.take()?;
            (u16::from(value), self.at - 1)
        };
        Some((value > 0).then(|| from + usize::from(value)))
    }

    /// A parameter with its length before it. A cut one is shown as far as it is there.
    fn variable(&mut self, variable: Variable, start: Option<usize>, long: bool) -> Option<()> {
        let name = match variable {
            Variable::Called => "called",
            Variable::Calling => "calling",
            Variable::Data => "data",
        };
        let Some(start) = start else {
            self.odd(format!("{name} is not there"));
            return Some(());
        };
        let (length, start) = if long && variable == Variable::Data {
            let length = self.bytes.get(start..start + 2)?;
            (usize::from(u16::from_le_bytes([length[0], length[1]])), start + 2)
        } else {
            (usize::from(*self.bytes.get(start)?), start + 1)
        };
        self.parameter(variable, start..start + length)
    }

    fn parameter(&mut self, variable: Variable, place: Range<usize>) -> Option<()> {
        if variable == Variable::Data {
            return self.data(place);
        }
        let name = if variable == Variable::Called { "called" } else { "calling" };
        let (parts, wrong) = party(self.bytes.get(place)?);
        self.push(name, Value::Parts(parts));
        if let Some(wrong) = wrong {
            self.odd(format!("{name}: {wrong}"));
        }
        Some(())
    }

    fn data(&mut self, place: Range<usize>) -> Option<()> {
        self.push("data_length", Value::Number(place.len() as u64));
        let there = self.bytes.get(place.clone());
        let data = there.or(self.bytes.get(place.start..)).unwrap_or_default();
        self.push("data", Value::Bytes(data.to_vec()));
        there.map(|_| ())
    }

    /// Parameters with name and length, until the one that says that there are no more.
    fn optional(&mut self, mut at: usize) -> Option<()> {
        loop {
            let code = *self.bytes.get(at)?;
            if code == 0 {
                return Some(());
            }
            let length = usize::from(*self.bytes.get(at + 1)?);
            let place = at + 2..at + 2 + length;
            at = place.end;
            match code {
                0x03 => self.parameter(Variable::Called, place)?,
                0x04 => self.parameter(Variable::Calling, place)?,
                0x0f => self.data(place)?,
                _ => {
                    let value = self.bytes.get(place)?;
                    self.named_option(code, value);
                }
            }
        }
    }

    fn named_option(&mut self, code: u8, value: &[u8]) {
        match (code, value) {
            (0x09, [credit]) => self.push("credit", Value::Number((*credit).into())),
            (0x11, [hops]) => self.push("hop_counter", Value::Number((*hops).into())),
            (0x12, [importance]) => self.push("importance", Value::Number((importance & 7).into())),
            (0x10, [first, a, b, c]) => {
                let part = |name, value| Field { name, value };
                let parts = vec![
                    part("first", Value::Flag(first & 0x80 != 0)),
                    part("class", Value::Number((first >> 6 & 1).into())),
                    part("remaining", Value::Number((first & 0xf).into())),
                    part("reference", Value::Number(u32::from_le_bytes([*a, *b, *c, 0]).into())),
                ];
                self.push("segmentation", Value::Parts(parts));
            }
            _ => self.odd(format!("parameter {code:#04x} is not known, or {value:02x?} is not it")),
        }
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = *self.bytes.get(self.at..)?.first_chunk()?;
        self.at += N;
        Some(bytes)
    }

    /// Each parameter stands once in a message.
    fn push(&mut self, name: &'static str, value: Value) {
        if self.fields.iter().any(|field| field.name == name) {
            return self.odd(format!("{name} is there more than once"));
        }
        self.fields.push(Field { name, value });
    }

    fn odd(&mut self, what: String) {
        if self.anomalies.len() < MOST_ANOMALIES {
            self.anomalies.push(what);
        }
    }
}

fn named(raw: u8, name: fn(u8) -> Option<String>) -> Value {
    name(raw).map_or(Value::Number(raw.into()), |name| Value::Named(raw.into(), name))
}

fn return_cause(raw: u8) -> Option<String> {
    match ReturnCause::from_u8(raw) {
        ReturnCause::Other(_) => None,
        cause => Some(cause.to_string().to_lowercase()),
    }
}

#[cfg(test)]
mod tests;
