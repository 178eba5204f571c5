//! Writing fields one after another.

use alloc::vec::Vec;

use super::{Layout, OpenEnum, Wire};

/// The end of an output buffer.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    layout: Layout,
}

impl<'a> Writer<'a> {
    /// Appends to `out`.
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, layout: Layout) -> Self {
        Self { out, layout }
    }

    /// The widths that hold for this message.
    #[inline]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Appends the bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Writes an enumeration in fewer bytes than usual; a value that does not fit becomes the greatest that
    /// does.
    #[inline]
    pub fn narrow<T: OpenEnum, R: Wire + TryFrom<u32> + Saturated>(&mut self, value: T) {
        R::try_from(value.into()).unwrap_or(R::GREATEST).encode(self);
    }
}

/// The greatest value of a narrow integer.
pub trait Saturated {
    /// All bits set.
    const GREATEST: Self;
}

impl Saturated for u8 {
    const GREATEST: Self = Self::MAX;
}

impl Saturated for u16 {
    const GREATEST: Self = Self::MAX;
}
