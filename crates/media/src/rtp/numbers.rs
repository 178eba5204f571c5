//! The numbers of RTP, each a type of its own; those that wrap compare around the wrap.

use core::cmp::Ordering;
use core::fmt;

/// Synchronisation source: names one sender of one stream. Chosen at random, from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ssrc(pub u32);

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}", self.0)
    }
}

/// Sequence number of a packet, modulo 2^16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SequenceNumber(pub u16);

impl SequenceNumber {
    /// The number `count` packets later.
    #[must_use]
    pub const fn plus(self, count: u16) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// The number of the next packet.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// Steps from `earlier` to this one, negative if it lies before; in -32768..=32767.
    pub const fn distance_from(self, earlier: Self) -> i16 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }

    /// Which of two came first around the wrap. At exactly half the circle neither can be told to be, and
    /// `other` counts as the later one both times: an order for neighbours, not for sorting.
    pub const fn wrapping_cmp(self, other: Self) -> Ordering {
        match self.distance_from(other) {
            0 => Ordering::Equal,
            1.. => Ordering::Greater,
            _ => Ordering::Less,
        }
    }
}

/// Sampling instant of a payload's first sample in ticks of its clock, modulo 2^32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RtpTimestamp(pub u32);

impl RtpTimestamp {
    /// The instant `ticks` later.
    #[must_use]
    pub const fn plus(self, ticks: u32) -> Self {
        Self(self.0.wrapping_add(ticks))
    }

    /// Ticks from `earlier` to this one, negative if it lies before.
    pub const fn distance_from(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }

    /// Which of two is earlier around the wrap; see [`SequenceNumber::wrapping_cmp`].
    pub const fn wrapping_cmp(self, other: Self) -> Ordering {
        match self.distance_from(other) {
            0 => Ordering::Equal,
            1.. => Ordering::Greater,
            _ => Ordering::Less,
        }
    }
}

/// Payload type: seven bits that say what the payload is. Names from RFC 3551, table 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayloadType(u8);

impl PayloadType {
    /// G.711 µ-law.
    pub const PCMU: Self = Self(0);
    /// G.711 A-law.
    pub const PCMA: Self = Self(8);
    /// G.722 at 64 kbit/s.
    pub const G722: Self = Self(9);
    /// Comfort noise (RFC 3389).
    pub const COMFORT_NOISE: Self = Self(13);
    /// G.729, whatever its annexes.
    pub const G729: Self = Self(18);
    /// What Cisco phones use for telephone events (RFC 4733) unless told otherwise; it is a dynamic one.
    pub const TELEPHONE_EVENT: Self = Self(101);

    /// What Opus is offered as here; it is a dynamic one (RFC 3551, table 5).
    pub const OPUS: Self = Self(96);

    /// The payload type of this number; `None` above 127.
    pub const fn new(number: u8) -> Option<Self> {
        if number < 128 { Some(Self(number)) } else { None }
    }

    pub(crate) const fn from_low_bits(byte: u8) -> Self {
        Self(byte & 0x7F)
    }

    /// The number, in 0..=127.
    pub const fn as_u8(self) -> u8 {
        self.0
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_compare_around_the_wrap() {
        let (last, first) = (SequenceNumber(0xFFFF), SequenceNumber(0));
        assert_eq!(last.next(), first);
        assert_eq!(first.wrapping_cmp(last), Ordering::Greater);
        assert_eq!(last.wrapping_cmp(first), Ordering::Less);
        assert_eq!(first.distance_from(last), 1);
        assert_eq!(last.distance_from(SequenceNumber(9)), -10);
        assert_eq!(SequenceNumber(7).wrapping_cmp(SequenceNumber(7)), Ordering::Equal);
        assert_eq!(SequenceNumber(0x8000).wrapping_cmp(first), Ordering::Less);
    }

    #[test]
    fn timestamps_compare_around_the_wrap() {
        let before = RtpTimestamp(0xFFFF_FFB0);
        assert_eq!(before.plus(160), RtpTimestamp(80));
        assert_eq!(before.plus(160).distance_from(before), 160);
        assert_eq!(before.wrapping_cmp(RtpTimestamp(80)), Ordering::Less);
    }

    #[test]
    fn payload_types_have_seven_bits() {
        assert_eq!(PayloadType::new(127).map(PayloadType::as_u8), Some(127));
        assert_eq!(PayloadType::new(128), None);
    }
}
