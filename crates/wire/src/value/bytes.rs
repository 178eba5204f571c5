//! Bytes without a structure.

use crate::codec::{Field, FieldError, Kind, Reader, Value, Walk, Wire, Writer};

/// A fixed number of bytes: keys, salts, hardware addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bytes<const N: usize>(pub [u8; N]);

impl<const N: usize> Default for Bytes<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Wire for Bytes<N> {
    const KIND: Kind = Kind::Bytes(N);

    fn absent() -> Self {
        Self::default()
    }

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(r.take::<N>()?.map_or_else(Self::default, |bytes| Self(*bytes)))
    }

    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        w.put(&self.0);
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        walk.value(field, N, Value::Bytes(&self.0));
    }
}
