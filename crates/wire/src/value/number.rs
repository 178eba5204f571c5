//! Directory numbers.

use alloc::string::String;
use core::fmt;

use super::text::until_nul;
use crate::codec::{Field, FieldError, Kind, Reader, Value, Walk, Wire, Writer};

/// A directory number. It takes 24 bytes up to version 18 and 25 from 19 on; what follows it is then
/// unaligned (24 in v18 captures, 25 at v20, v19 unseen).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Number {
    /// The last byte is zero unless the wire had it.
    area: [u8; Self::WIDE],
}

impl Number {
    /// Bytes on the wire up to version 18.
    pub const NARROW: usize = 24;
    /// Bytes on the wire from version 19 on.
    pub const WIDE: usize = 25;
    /// The longest number that fits in every version, with its NUL cut off.
    pub const MAX_LEN: usize = Self::NARROW - 1;

    /// The number; what exceeds [`Number::MAX_LEN`] bytes is cut off.
    pub fn new(number: impl AsRef<[u8]>) -> Self {
        let mut area = [0; Self::WIDE];
        for (to, from) in area.iter_mut().take(Self::MAX_LEN).zip(until_nul(number.as_ref())) {
            *to = *from;
        }
        Self { area }
    }

    /// The digits: the bytes before the NUL.
    pub fn bytes(&self) -> &[u8] {
        until_nul(&self.area)
    }

    /// Whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Bytes on the wire.
    const fn width(wide: bool) -> usize {
        if wide { Self::WIDE } else { Self::NARROW }
    }
}

impl fmt::Display for Number {
    /// As UTF-8 with replacement characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.bytes()))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.bytes().escape_ascii())
    }
}

impl Wire for Number {
    const KIND: Kind = Kind::Number;

    fn absent() -> Self {
        Self::default()
    }

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        if r.layout().wide_numbers {
            return Ok(r.take::<{ Self::WIDE }>()?.map_or_else(Self::default, |area| Self { area: *area }));
        }
        let mut number = Self::default();
        if let (Some(narrow), Some(to)) =
            (r.take::<{ Self::NARROW }>()?, number.area.first_chunk_mut::<{ Self::NARROW }>())
        {
            *to = *narrow;
        }
        Ok(number)
    }

    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        w.put(self.area.get(..Self::width(w.layout().wide_numbers)).unwrap_or_default());
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        let width = Self::width(walk.layout().wide_numbers);
        walk.value(field, width, Value::Text(self.bytes()));
    }
}
