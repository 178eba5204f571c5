//! The fields of a message as a person or a program wants them: names, places, readable values.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt::Write, net::IpAddr, ops::Range};

use selsius_wire::codec::{At, Kind, Layout, Value, Visitor};

use crate::{conversation::Message, summary::readable, words::clean};

/// Bytes of a frame before its body: length, header version, id.
pub const HEADER: usize = 12;

/// A field, or the beginning of a part that has fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// How many parts it lies in.
    pub depth: usize,
    /// Its standard name in snake case.
    pub name: &'static str,
    /// Which slot, when it is one of several; from 0.
    pub index: Option<usize>,
    /// Where it begins, in bytes from the length field of the frame.
    pub start: usize,
    /// Where it ends; for a part the same as the beginning.
    pub end: usize,
    /// Its value; `None` for a part.
    pub value: Option<Value<'a>>,
}

impl Row<'_> {
    /// The bytes of the frame that it takes.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// Shows the fields of a message in wire order, as far as they were sent.
pub fn walk(message: &Message, show: &mut dyn FnMut(Row<'_>)) {
    let end = HEADER + message.fields_end();
    message.visit(&mut Walker { depth: 0, layout: message.layout(), end, show });
}

struct Walker<'s> {
    depth: usize,
    layout: Layout,
    end: usize,
    show: &'s mut dyn FnMut(Row<'_>),
}

impl Visitor for Walker<'_> {
    fn value(&mut self, at: At, value: Value<'_>) {
        let start = HEADER + at.offset;
        let end = (start + width(at.field.kind, &value, self.layout)).min(self.end.max(start));
        let (name, index) = (at.field.name, at.index);
        (self.show)(Row { depth: self.depth, name, index, start, end, value: Some(value) });
    }

    fn enter(&mut self, at: At) {
        let start = HEADER + at.offset;
        let (name, index) = (at.field.name, at.index);
        (self.show)(Row { depth: self.depth, name, index, start, end: start, value: None });
        self.depth += 1;
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

/// Bytes that a value takes on the wire.
fn width(kind: Kind, value: &Value<'_>, layout: Layout) -> usize {
    match kind {
        Kind::U8 => 1,
        Kind::U16 => 2,
        Kind::U32 | Kind::I32 | Kind::Ipv4 => 4,
        Kind::Ipv6 => 16,
        Kind::Enum { width, .. } => width,
        Kind::Number => 24 + usize::from(layout.wide_numbers),
        Kind::MediaAddress => {
            if layout.tagged_addresses {
                20
            } else {
                4
            }
        }
        Kind::Text(width) => width,
        Kind::Array { of, .. } | Kind::List { of, .. } => width(*of, value, layout),
        Kind::Bytes(0) | Kind::DynText(_) | Kind::Union { .. } | Kind::Struct(_) => match value {
            Value::Unsigned(_) | Value::Signed(_) | Value::Enum { .. } => 4,
            Value::Text(bytes) => bytes.len() + 1,
            Value::Bytes(bytes) => bytes.len(),
            Value::Address(IpAddr::V4(_)) => 4,
            Value::Address(IpAddr::V6(_)) => 16,
        },
        Kind::Bytes(width) => width,
    }
}

/// A value for people: enumerations as `Connected (5)`, text in quotes with its labels in English, bytes in hexadecimal.
pub fn show(value: &Value<'_>) -> String {
    match *value {
        Value::Enum { raw, name: "Unknown" } => format!("{raw} (unknown)"),
        Value::Enum { raw, name } => format!("{name} ({raw})"),
        Value::Text(bytes) => format!("“{}”", clean(&readable(bytes))),
        Value::Bytes(bytes) if bytes.len() > 4 && bytes.iter().all(|byte| *byte == 0) => {
            format!("{} zero bytes", bytes.len())
        }
        ref other => other.to_string(),
    }
}

/// Appends the fields of a message as a JSON object: parts are objects, slots are arrays, numbers are numbers, enumerations
/// their names (a number where it has none), texts are strings with labels in English, bytes hexadecimal strings.
pub fn json(message: &Message, out: &mut String) {
    out.push('{');
    let mut json = Json { out, stack: Vec::new() };
    json.stack.push(Open::default());
    message.visit(&mut json);
    json.close_array();
    out.push('}');
}

struct Json<'o> {
    out: &'o mut String,
    stack: Vec<Open>,
}

/// An object that is being written.
#[derive(Debug, Default)]
struct Open {
    /// Its last key.
    last: Option<&'static str>,
    /// The key whose array is open.
    array: Option<&'static str>,
}

impl Json<'_> {
    fn close_array(&mut self) {
        if let Some(open) = self.stack.last_mut()
            && open.array.take().is_some()
        {
            self.out.push(']');
        }
    }

    fn key(&mut self, at: At) {
        let name = at.field.name;
        let Some(open) = self.stack.last_mut() else { return };
        if at.index.is_some() && open.array == Some(name) {
            self.out.push(',');
            return;
        }
        if open.array.take().is_some() {
            self.out.push(']');
        }
        let again = open.last.replace(name);
        if again.is_some() {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(name);
        // A union's unused bytes come under the name of the union.
        if again == Some(name) {
            self.out.push_str("_rest");
        }
        self.out.push_str("\":");
        if at.index.is_some() {
            open.array = Some(name);
            self.out.push('[');
        }
    }
}

impl Visitor for Json<'_> {
    fn value(&mut self, at: At, value: Value<'_>) {
        self.key(at);
        match value {
            Value::Unsigned(_) | Value::Signed(_) | Value::Enum { name: "Unknown", .. } => {
                let number = if let Value::Enum { raw, .. } = value { Value::Unsigned(raw) } else { value };
                let _ = write!(self.out, "{number}");
            }
            Value::Enum { name, .. } => json_text(name, self.out),
            Value::Text(bytes) => json_text(&readable(bytes), self.out),
            Value::Address(_) | Value::Bytes(_) => {
                let _ = write!(self.out, "\"{value}\"");
            }
        }
    }

    fn enter(&mut self, at: At) {
        self.key(at);
        self.out.push('{');
        self.stack.push(Open::default());
    }

    fn leave(&mut self) {
        self.close_array();
        self.stack.pop();
        self.out.push('}');
    }
}

/// Appends a JSON string.
pub fn json_text(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    // Most texts have nothing to be escaped.
    while let Some(at) = rest.find(|letter: char| matches!(letter, '"' | '\\') || letter.is_ascii_control()) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        match special.as_bytes()[0] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
        rest = &special[1..];
    }
    out.push_str(rest);
    out.push('"');
}
