//! Field descriptors, and what can be wrong with a field.

/// One field of a message, as its struct declares it.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The standard name in snake case.
    pub name: &'static str,
    /// What is on the wire.
    pub kind: Kind,
    /// The first protocol version that has it.
    pub since: u8,
    /// The last protocol version that has it; 255 for "still there".
    pub until: u8,
    /// The earlier field of the same struct that counts its elements, or chooses its member.
    pub by: Option<&'static str>,
    /// The documentation of the field.
    pub doc: &'static str,
}

/// What a field is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One byte.
    U8,
    /// Two bytes, little-endian.
    U16,
    /// Four bytes, little-endian.
    U32,
    /// Four bytes, little-endian, two's complement.
    I32,
    /// An open enumeration.
    Enum {
        /// Its name.
        name: &'static str,
        /// Its width in bytes.
        width: usize,
    },
    /// Text in a fixed area of so many bytes.
    Text(usize),
    /// A directory number: 24 bytes, 25 from version 19 on.
    Number,
    /// Text that ends with a NUL, of at most so many bytes with it.
    DynText(usize),
    /// An IPv4 address in 4 bytes, or a tagged address in 20.
    MediaAddress,
    /// An IPv4 address in network order.
    Ipv4,
    /// An IPv6 address in network order.
    Ipv6,
    /// So many bytes without a structure.
    Bytes(usize),
    /// A value whose form an earlier field chooses.
    Union {
        /// Its name.
        name: &'static str,
        /// Its forms; the first one whose `when` holds is taken.
        members: &'static [Member],
    },
    /// A part with fields of its own.
    Struct(&'static [Field]),
    /// A fixed number of slots.
    Array {
        /// One slot.
        of: &'static Kind,
        /// How many.
        len: usize,
    },
    /// As many elements as an earlier field says.
    List {
        /// One element.
        of: &'static Kind,
        /// The most elements that are taken.
        max: usize,
    },
}

impl Kind {
    /// The same enumeration with another width.
    #[must_use]
    pub const fn narrowed(self, width: usize) -> Self {
        match self {
            Self::Enum { name, .. } => Self::Enum { name, width },
            other => other,
        }
    }

    /// The fields of a struct; empty for everything else.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Struct(fields) => fields,
            _ => &[],
        }
    }
}

/// One form of a union.
#[derive(Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// The values of the choosing field that it belongs to, as a Rust pattern; `_` for all others.
    pub when: &'static str,
    /// What it consists of.
    pub parts: &'static [Field],
    /// Its documentation.
    pub doc: &'static str,
}

/// A field that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} at offset {offset}: {problem}")]
pub struct FieldError {
    /// The innermost field.
    pub field: &'static str,
    /// Where it begins, in bytes from the start of the body.
    pub offset: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a message or one of its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The body ends in the middle of the field.
    #[error("needs {needed} bytes, the body has {present} left")]
    Cut {
        /// The width of the field.
        needed: usize,
        /// What the body has from the field's start on.
        present: usize,
    },
    /// A count says more than there is room for, or more than was sent.
    #[error("count {count} exceeds {capacity}")]
    Count {
        /// What the message says.
        count: u32,
        /// What fits or is there.
        capacity: usize,
    },
    /// A text is longer than its field allows.
    #[error("text of {length} bytes exceeds {capacity}")]
    TextTooLong {
        /// Its length with the NUL.
        length: usize,
        /// What is allowed, with the NUL.
        capacity: usize,
    },
    /// The message is shorter than any form of it that is known.
    #[error("length {length} is below the shortest known form, {least}")]
    TooShort {
        /// The header's length.
        length: usize,
        /// The least length known.
        least: u32,
    },
    /// The other side sends this message.
    #[error("message of the wrong direction")]
    WrongDirection,
}
