//! Bytes without a structure.

use alloc::vec::Vec;

use crate::codec::{Field, FieldError, Kind, List, Reader, Value, Walk, Wire, Writer};

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

/// Room that a form does not use. It is read word by word, kept, and shown only when something is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spare<const N: usize>(pub [u8; N]);

impl<const N: usize> Default for Spare<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Wire for Spare<N> {
    const KIND: Kind = Kind::Bytes(N);

    fn absent() -> Self {
        Self::default()
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        let mut spare = Self::default();
        for word in spare.0.as_chunks_mut::<4>().0 {
            let Bytes::<4>(sent) = r.part()?;
            *word = sent;
        }
        Ok(spare)
    }

    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        w.put(&self.0);
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        match self.0.iter().all(|byte| *byte == 0) {
            true => walk.skip(N),
            false => walk.value(field, N, Value::Bytes(&self.0)),
        }
    }
}

/// Bytes whose number an earlier field says; text as a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Data(pub Vec<u8>);

impl<T: Into<Vec<u8>>> From<T> for Data {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl List for Data {
    type Element = u8;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn push(&mut self, element: u8) {
        self.0.push(element);
    }

    /// All at once: user data has up to 2000 bytes.
    fn fill(&mut self, r: &mut Reader<'_>, _: &'static str, wanted: usize) -> Result<(), FieldError> {
        self.0.extend_from_slice(r.take_up_to(wanted.saturating_sub(self.0.len())));
        Ok(())
    }
}

impl Wire for Data {
    const KIND: Kind = <Vec<u8> as Wire>::KIND;

    fn absent() -> Self {
        Self::default()
    }

    /// Reads to the end of the body.
    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        Vec::decode(r).map(Self)
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.put(&self.0);
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        walk.value(field, self.0.len(), Value::Text(&self.0));
    }
}
