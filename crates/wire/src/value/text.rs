//! Text: in fixed areas, and NUL-terminated.

use alloc::string::String;
use core::{ffi::CStr, fmt};

use super::ShortBytes;
use crate::codec::{Field, FieldError, Kind, Problem, Reader, Value, Walk, Wire, Writer};

/// The bytes up to the first NUL.
pub(crate) fn until_nul(bytes: &[u8]) -> &[u8] {
    CStr::from_bytes_until_nul(bytes).map_or(bytes, CStr::to_bytes)
}

/// Text in an area of `N` bytes. What follows the NUL is kept: CallManager 2.x and 4.1 leak old memory there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<const N: usize>([u8; N]);

impl<const N: usize> Text<N> {
    /// The text with zeros after it. What does not fit in `N - 1` bytes is cut off, so that a NUL always ends
    /// it.
    pub fn new(text: impl AsRef<[u8]>) -> Self {
        Self::filled(text.as_ref(), N.saturating_sub(1))
    }

    /// The text, which may fill the area without a NUL, as date templates do.
    pub fn full(text: impl AsRef<[u8]>) -> Self {
        Self::filled(text.as_ref(), N)
    }

    /// The whole area as it is on the wire.
    pub const fn from_area(area: [u8; N]) -> Self {
        Self(area)
    }

    /// The whole area with whatever follows the NUL.
    pub const fn area(&self) -> &[u8; N] {
        &self.0
    }

    /// The text: the bytes before the NUL.
    pub fn bytes(&self) -> &[u8] {
        until_nul(&self.0)
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    fn filled(text: &[u8], most: usize) -> Self {
        let mut area = [0; N];
        for (to, from) in area.iter_mut().take(most).zip(until_nul(text)) {
            *to = *from;
        }
        Self(area)
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    /// As UTF-8 with replacement characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.bytes()))
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.bytes().escape_ascii())
    }
}

impl<const N: usize> Wire for Text<N> {
    const KIND: Kind = Kind::Text(N);

    fn absent() -> Self {
        Self::default()
    }

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(r.take::<N>()?.map_or_else(Self::default, |area| Self(*area)))
    }

    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        w.put(&self.0);
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        walk.value(field, N, Value::Text(self.bytes()));
    }
}

/// Text that ends with a NUL, of at most `MAX` bytes with it. Dynamic messages have these one after another.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct DynText<const MAX: usize>(ShortBytes);

impl<const MAX: usize> DynText<MAX> {
    /// The text; what exceeds `MAX - 1` bytes is cut off.
    pub fn new(text: impl AsRef<[u8]>) -> Self {
        let text = until_nul(text.as_ref());
        Self(text.get(..MAX.saturating_sub(1)).unwrap_or(text).into())
    }

    /// The text without its NUL.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<const MAX: usize> fmt::Display for DynText<MAX> {
    /// As UTF-8 with replacement characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl<const MAX: usize> fmt::Debug for DynText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl<const MAX: usize> Wire for DynText<MAX> {
    const KIND: Kind = Kind::DynText(MAX);

    fn absent() -> Self {
        Self::default()
    }

    /// The NUL belongs to the text: without one the body ends in the middle of it.
    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        match r.peek() {
            [] => Ok(Self::default()),
            // Most texts of a message are empty.
            [0, ..] => {
                r.take_up_to(1);
                Ok(Self::default())
            }
            _ => filled(r, MAX).map(Self),
        }
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.put(&self.0);
        w.put(&[0]);
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        walk.value(field, self.0.len().saturating_add(1), Value::Text(&self.0));
    }
}

/// How many bytes are before the first NUL; all of them when there is none. All at once: taking 1 from every byte
/// sets the highest bit of those that had it before, and of a zero. A borrow spoils only what follows a zero.
#[inline]
fn first_nul(bytes: [u8; 16]) -> usize {
    const ONES: u128 = u128::MAX / 0xFF;
    let word = u128::from_le_bytes(bytes);
    let nuls = word.wrapping_sub(ONES) & !word & (ONES << 7);
    usize::try_from(nuls.trailing_zeros() / u8::BITS).unwrap_or(bytes.len())
}

/// A text that is not empty, of at most `most` bytes with its NUL. Sixteen bytes that the body has are copied
/// whole, with what follows the text: that costs less than a copy of as many as the text has.
fn filled(r: &mut Reader<'_>, most: usize) -> Result<ShortBytes, FieldError> {
    let rest = r.peek();
    if let Some(area) = rest.first_chunk() {
        let length = first_nul(*area);
        if length < area.len().min(most) {
            r.take_up_to(length + 1);
            return Ok(ShortBytes::start_of(*area, length));
        }
    }
    let text = until_nul(rest);
    let length = text.len().saturating_add(1);
    if length > rest.len() {
        return Err(r.error(Problem::Cut { needed: length, present: rest.len() }));
    }
    if length > most {
        return Err(r.error(Problem::TextTooLong { length, capacity: most }));
    }
    r.take_up_to(length);
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString as _, vec};

    use super::*;
    use crate::codec::{Layout, Mode};

    #[test]
    fn text_ends_with_a_nul_unless_it_may_fill_the_area() {
        assert_eq!(Text::<4>::new("abcd").area(), b"abc\0");
        assert_eq!(Text::<4>::full("abcde").area(), b"abcd");
        assert_eq!(Text::<4>::full("abcde").bytes(), b"abcd");
        assert_eq!(Text::<6>::new("a\0b").area(), b"a\0\0\0\0\0");
    }

    #[test]
    fn bytes_after_the_nul_are_kept_and_not_shown() {
        let text = Text::from_area(*b"ab\0xyz");
        assert_eq!((text.bytes(), text.to_string()), (b"ab".as_slice(), "ab".to_string()));
        assert_eq!(text.area(), b"ab\0xyz");
    }
    /// Around sixteen bytes the way of reading changes; bytes that a borrow or a sign could mislead stand everywhere.
    #[test]
    fn dynamic_text_ends_at_the_first_nul_wherever_that_is() {
        for byte in [0x01, b'a', 0x7F, 0x80, 0xFF] {
            for length in 0..40 {
                for after in [&[][..], &[0; 20], &[1; 20], &[0x80; 20]] {
                    let body = [vec![byte; length].as_slice(), &[0], after].concat();
                    let mut r = Reader::new(&body, Layout::default(), Mode::Strict);
                    let text = DynText::<31>::decode(&mut r);
                    if length > 30 {
                        let problem = Problem::TextTooLong { length: length + 1, capacity: 31 };
                        assert_eq!(text.map_err(|error| error.problem), Err(problem));
                    } else {
                        assert_eq!((text, r.peek()), (Ok(DynText::new(&body[..length])), after));
                    }
                }
                let body = vec![byte; length];
                let mut r = Reader::new(&body, Layout::default(), Mode::Strict);
                assert_eq!(DynText::<31>::decode(&mut r).is_ok(), length == 0);
            }
        }
    }
}
