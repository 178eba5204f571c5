//! The feature bytes of registration.

use core::fmt;

use crate::codec::{Field, FieldError, Kind, Reader, Value, Walk, Wire, Writer};

/// The three bytes after the protocol version in Register and RegisterAck.
///
/// Two implementations agree on the bits below, and the captured bytes fit (captured-details, Further facts):
/// a 7912 says `00 00 81`, CallManager 4.1 answers `00 00 fe`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Features(pub [u8; 3]);

impl Features {
    /// Second byte: the phone can be asked for its RTP port (0x014B).
    pub const PORT_REQUEST: Self = Self([0, 0x02, 0]);
    /// Second byte: texts are UTF-8.
    pub const UTF8: Self = Self([0, 0x10, 0]);
    /// Third byte: dynamic messages.
    pub const DYNAMIC_MESSAGES: Self = Self([0, 0, 0x01]);
    /// Third byte: DTMF in RTP.
    pub const RFC2833: Self = Self([0, 0, 0x04]);
    /// Third byte: internal media.
    pub const INTERNAL_MEDIA: Self = Self([0, 0, 0x10]);
    /// Third byte: abbreviated dial.
    pub const ABBREVIATED_DIAL: Self = Self([0, 0, 0x80]);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        a & x == x && b & y == y && c & z == z
    }

    /// Texts are UTF-8.
    pub const fn has_utf8(self) -> bool {
        self.contains(Self::UTF8)
    }

    /// Dynamic messages are understood.
    pub const fn has_dynamic_messages(self) -> bool {
        self.contains(Self::DYNAMIC_MESSAGES)
    }

    /// DTMF in RTP is understood.
    pub const fn has_rfc2833(self) -> bool {
        self.contains(Self::RFC2833)
    }

    /// Abbreviated dial is understood.
    pub const fn has_abbreviated_dial(self) -> bool {
        self.contains(Self::ABBREVIATED_DIAL)
    }
}

impl From<[u8; 3]> for Features {
    fn from(bytes: [u8; 3]) -> Self {
        Self(bytes)
    }
}

impl From<Features> for [u8; 3] {
    fn from(features: Features) -> Self {
        features.0
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{a:02x} {b:02x} {c:02x}")
    }
}

impl Wire for Features {
    const KIND: Kind = Kind::Bytes(3);

    fn absent() -> Self {
        Self::default()
    }

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(r.take::<3>()?.map_or_else(Self::default, |bytes| Self(*bytes)))
    }

    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        w.put(&self.0);
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        walk.value(field, 3, Value::Bytes(&self.0));
    }
}
