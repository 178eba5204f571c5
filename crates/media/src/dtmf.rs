//! Digits, and how they travel as telephone events (RFC 4733) in place of their sound.

use core::fmt;
use core::time::Duration;

use crate::{PacketTime, RtpTimestamp};

/// One of the sixteen keys. Its number is its event code (RFC 4733, table 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "a digit's name says it all")]
pub enum Digit {
    Zero,
    One,
    Two,
    Three,
    Four,
    Five,
    Six,
    Seven,
    Eight,
    Nine,
    Star,
    Pound,
    A,
    B,
    C,
    D,
}

impl Digit {
    /// All of them by their event codes.
    pub const ALL: [Self; 16] = [
        Self::Zero,
        Self::One,
        Self::Two,
        Self::Three,
        Self::Four,
        Self::Five,
        Self::Six,
        Self::Seven,
        Self::Eight,
        Self::Nine,
        Self::Star,
        Self::Pound,
        Self::A,
        Self::B,
        Self::C,
        Self::D,
    ];

    /// Frequencies of the keypad's rows in Hz (ITU-T Q.23).
    pub const ROWS: [u16; 4] = [697, 770, 852, 941];
    /// Frequencies of the keypad's columns in Hz (ITU-T Q.23).
    pub const COLUMNS: [u16; 4] = [1209, 1336, 1477, 1633];

    /// The keypad as one looks at it.
    const KEYPAD: [[Self; 4]; 4] = [
        [Self::One, Self::Two, Self::Three, Self::A],
        [Self::Four, Self::Five, Self::Six, Self::B],
        [Self::Seven, Self::Eight, Self::Nine, Self::C],
        [Self::Star, Self::Zero, Self::Pound, Self::D],
    ];

    /// The key in this row and column of the keypad, both in 0..=3.
    pub fn at(row: usize, column: usize) -> Option<Self> {
        Self::KEYPAD.get(row)?.get(column).copied()
    }

    /// The two frequencies of its sound in Hz: its row's, its column's.
    pub fn frequencies(self) -> (u16, u16) {
        let place = Self::KEYPAD
            .iter()
            .zip(Self::ROWS)
            .find_map(|(keys, row)| Some((row, Self::COLUMNS[keys.iter().position(|&key| key == self)?])));
        place.expect("every digit is on the keypad")
    }

    /// The digit of a character: `0`-`9`, `*`, `#`, `A`-`D` and `a`-`d`.
    pub fn from_char(char: char) -> Option<Self> {
        let char = char.to_ascii_uppercase();
        Self::ALL.into_iter().find(|digit| digit.as_char() == char)
    }

    /// Its character.
    pub const fn as_char(self) -> char {
        const CHARS: [char; 16] =
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
        CHARS[self as usize]
    }

    /// Its event code.
    pub const fn event(self) -> u8 {
        self as u8
    }

    /// The digit of an event code; other events are not digits.
    pub fn from_event(event: u8) -> Option<Self> {
        Self::ALL.get(usize::from(event)).copied()
    }
}

impl fmt::Display for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_char(f, self.as_char())
    }
}

/// The payload of a telephone event packet (RFC 4733, section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// What happened: 0 to 15 are digits, 16 is a hook flash.
    pub event: u8,
    /// Whether it is over.
    pub end: bool,
    /// The bit that means nothing, as it came.
    pub reserved: bool,
    /// How loud the key is, in dB below 0 dBm0: 0 (loud) to 63.
    pub volume: u8,
    /// How long it lasts so far, in timestamp ticks.
    pub duration: u16,
}

impl TelephoneEvent {
    /// Reads the first event of a payload. `None` if it is shorter than the four bytes of an event.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let &[event, flags, high, low] = payload.first_chunk()?;
        Some(Self {
            event,
            end: flags & 0x80 != 0,
            reserved: flags & 0x40 != 0,
            volume: flags & 0x3F,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// The payload.
    pub const fn to_bytes(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        let end = if self.end { 0x80 } else { 0 };
        let reserved = if self.reserved { 0x40 } else { 0 };
        let volume = if self.volume > 63 { 63 } else { self.volume };
        [self.event, end | reserved | volume, high, low]
    }

    /// The digit, if the event is one.
    pub fn digit(self) -> Option<Digit> {
        Digit::from_event(self.event)
    }
}

/// A key held down for some time, as the packets that tell of it. [`Sender`](crate::Sender) sends them.
#[derive(Debug, Clone)]
pub struct Press {
    digit: Digit,
    volume: u8,
    length: u16,
    start: Option<RtpTimestamp>,
    elapsed: u16,
    ends: u8,
    /// Ticks in a millisecond.
    ticks: u16,
}

impl Press {
    /// The last packet is sent three times, since its loss would leave the key down (RFC 4733, section 2.5.1.4).
    const ENDS: u8 = 3;

    /// A key pressed for `length` (cut to 8 seconds, which the packet's field can hold) at `volume` dB below
    /// 0 dBm0.
    pub fn new(digit: Digit, volume: u8, length: Duration) -> Self {
        Self::at(8000, digit, volume, length)
    }

    /// The same in the audio of a codec with so many ticks a second, which are those of its events too.
    pub fn at(clock_rate: u32, digit: Digit, volume: u8, length: Duration) -> Self {
        let ticks = u16::try_from(clock_rate / 1000).unwrap_or(8);
        let length = length.as_millis().saturating_mul(ticks.into());
        let length = u16::try_from(length).unwrap_or(u16::MAX).max(1);
        Self { digit, volume: volume.min(63), length, start: None, elapsed: 0, ends: 0, ticks }
    }

    /// The packet for this packet time, and the timestamp it carries.
    pub(crate) fn next(
        &mut self,
        now: RtpTimestamp,
        step: PacketTime,
    ) -> Option<(RtpTimestamp, TelephoneEvent)> {
        if self.ends == Self::ENDS {
            return None;
        }
        let start = *self.start.get_or_insert(now);
        // At most 60 ms.
        let step = (step.as_millis() as u16).saturating_mul(self.ticks);
        self.elapsed = self.elapsed.saturating_add(step).min(self.length);
        let end = self.elapsed == self.length;
        self.ends += u8::from(end);
        let event = TelephoneEvent {
            event: self.digit.event(),
            end,
            reserved: false,
            volume: self.volume,
            duration: self.elapsed,
        };
        Some((start, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_events() {
        let table = [
            ([5, 0x0A, 0x00, 0xA0], 5, false, false, 10, 160),
            ([11, 0x8A, 0x03, 0x20], 11, true, false, 10, 800),
            ([16, 0x7F, 0xFF, 0xFF], 16, false, true, 63, 65535),
        ];
        for (bytes, event, end, reserved, volume, duration) in table {
            let expected = TelephoneEvent { event, end, reserved, volume, duration };
            assert_eq!(TelephoneEvent::parse(&bytes), Some(expected));
            assert_eq!(expected.to_bytes(), bytes);
        }
        assert_eq!(TelephoneEvent::parse(&[5, 10, 0]), None);
        assert_eq!(TelephoneEvent::parse(&[16, 0, 0, 0]).unwrap().digit(), None);
    }

    #[test]
    fn digits_know_their_places() {
        for (code, char) in "0123456789*#ABCD".chars().enumerate() {
            let digit = Digit::from_char(char).unwrap();
            assert_eq!((usize::from(digit.event()), digit.as_char()), (code, char));
            assert_eq!(Digit::from_event(code as u8), Some(digit));
        }
        assert_eq!(Digit::from_char('d'), Some(Digit::D));
        assert_eq!(Digit::from_char('E'), None);
        assert_eq!(Digit::One.frequencies(), (697, 1209));
        assert_eq!(Digit::Zero.frequencies(), (941, 1336));
        assert_eq!(Digit::D.frequencies(), (941, 1633));
        assert_eq!(Digit::at(3, 2), Some(Digit::Pound));
        assert_eq!(Digit::at(4, 0), None);
    }
}
