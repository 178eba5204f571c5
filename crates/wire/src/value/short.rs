//! Bytes that are few as a rule.

use core::{fmt, ops::Deref};

use smallvec::SmallVec;

/// Any number of bytes; up to [`ShortBytes::INLINE`] of them need no memory of their own.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct ShortBytes(SmallVec<[u8; Self::INLINE]>);

impl ShortBytes {
    /// What fits in the room that a `Vec` takes: paddings, numbers, and most names.
    pub const INLINE: usize = 16;

    /// The first `length` bytes of `area`; all of it when there are fewer.
    #[inline]
    pub(crate) fn start_of(area: [u8; Self::INLINE], length: usize) -> Self {
        Self(SmallVec::from_buf_and_len(area, length.min(Self::INLINE)))
    }
}

impl Deref for ShortBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for ShortBytes {
    #[inline]
    fn from(bytes: &[u8]) -> Self {
        // Nothing, or zeros as in a padding: there is nothing to copy.
        if bytes.len() <= Self::INLINE && bytes.iter().all(|byte| *byte == 0) {
            return Self::start_of([0; Self::INLINE], bytes.len());
        }
        Self(SmallVec::from_slice(bytes))
    }
}

impl fmt::Debug for ShortBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
