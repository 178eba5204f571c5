//! Walking through a message by field names.

use core::{fmt, net::IpAddr};

use super::{Field, Layout, OpenEnum, Wire};

/// Receives the fields of a message in wire order.
pub trait Visitor {
    /// A single value.
    fn value(&mut self, at: At, value: Value<'_>);

    /// A struct begins; its fields follow until [`Visitor::leave`].
    fn enter(&mut self, at: At) {
        let _ = at;
    }

    /// The struct ends.
    fn leave(&mut self) {}
}

/// Where in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The field as its struct declares it.
    pub field: &'static Field,
    /// Which slot, when the field is an array or a list; from 0.
    pub index: Option<usize>,
    /// Bytes from the start of the body.
    pub offset: usize,
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number.
    Unsigned(u32),
    /// A number that may be negative.
    Signed(i32),
    /// A value of an enumeration.
    Enum {
        /// As on the wire.
        raw: u32,
        /// Its standard name; `"Unknown"` when it has none.
        name: &'static str,
    },
    /// Text, up to its NUL.
    Text(&'a [u8]),
    /// An address.
    Address(IpAddr),
    /// Bytes without a structure.
    Bytes(&'a [u8]),
}

impl fmt::Display for Value<'_> {
    /// Numbers in decimal, enumerations as `Name (raw)`, text in quotes, bytes in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Unsigned(value) => write!(f, "{value}"),
            Self::Signed(value) => write!(f, "{value}"),
            Self::Enum { raw, name } => write!(f, "{name} ({raw})"),
            Self::Text(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Self::Address(address) => write!(f, "{address}"),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// Leads a [`Visitor`] through a message, as far as its body reached.
pub struct Walk<'v> {
    visitor: &'v mut dyn Visitor,
    layout: Layout,
    offset: usize,
    end: usize,
    index: Option<usize>,
    muted: bool,
}

impl<'v> Walk<'v> {
    /// Begins at the start of a body whose fields end at offset `end`.
    pub fn new(visitor: &'v mut dyn Visitor, layout: Layout, end: usize) -> Self {
        Self { visitor, layout, offset: 0, end, index: None, muted: false }
    }

    /// The widths that hold for this message.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Shows one value that takes `width` bytes.
    pub fn value(&mut self, field: &'static Field, width: usize, value: Value<'_>) {
        let at = At { field, index: self.index.take(), offset: self.offset };
        if !self.muted && self.offset < self.end {
            self.visitor.value(at, value);
        }
        self.offset = self.offset.saturating_add(width);
    }

    /// Passes over `width` bytes.
    pub fn skip(&mut self, width: usize) {
        self.index = None;
        self.offset = self.offset.saturating_add(width);
    }

    /// Shows an enumeration that takes fewer bytes here than usual.
    pub fn narrow<T: OpenEnum, R>(&mut self, field: &'static Field, value: T) {
        let raw = value.into();
        self.value(field, size_of::<R>(), Value::Enum { raw, name: T::from(raw).standard_name() });
    }

    /// Begins a struct; `false` when the body ended before it.
    pub fn enter(&mut self, field: &'static Field) -> bool {
        let at = At { field, index: self.index.take(), offset: self.offset };
        if self.offset >= self.end {
            return false;
        }
        if !self.muted {
            self.visitor.enter(at);
        }
        true
    }

    /// Ends a struct.
    pub fn leave(&mut self) {
        if !self.muted {
            self.visitor.leave();
        }
    }

    /// Shows the first `count` slots and passes over the rest.
    pub fn slots<T: Wire>(&mut self, field: &'static Field, slots: &[T], count: u32) {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let muted = self.muted;
        for (index, slot) in slots.iter().enumerate() {
            self.muted = muted || index >= count;
            self.index = Some(index);
            slot.visit(self, field);
        }
        self.index = None;
        self.muted = muted;
    }
}
