//! The moment something happens at, told from outside.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// Microseconds since a start that the caller chose; only differences mean anything.
///
/// It must not run backwards. Where it does, durations come out as zero rather than as a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

impl Time {
    /// The start.
    pub const ZERO: Self = Self(0);

    /// The moment `micros` microseconds after the start.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The moment `millis` milliseconds after the start.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Microseconds since the start.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the start.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1000
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// This moment on a counter of `rate` ticks per second that wraps at 32 bits, as RTP counts.
    pub(crate) fn ticks(self, rate: u32) -> u32 {
        let ticks = u128::from(self.0) * u128::from(rate) / 1_000_000;
        // Wrapping is the point: RTP timestamps live modulo 2^32.
        ticks as u32
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        let micros = u64::try_from(later.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, later: Duration) {
        *self = *self + later;
    }
}

impl Sub for Time {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_ticks_without_overflow() {
        assert_eq!(Time::from_millis(20).ticks(8000), 160);
        // 2^32 ticks at 8 kHz are 536870.912 seconds; the counter starts over there.
        assert_eq!(Time::from_micros(536_870_912_000).ticks(8000), 0);
        assert_eq!(Time::from_micros(536_870_912_125).ticks(8000), 1);
    }

    #[test]
    fn never_runs_backwards() {
        assert_eq!(Time::from_millis(1).since(Time::from_millis(2)), Duration::ZERO);
        assert_eq!(Time::from_millis(2) - Time::from_millis(1), Duration::from_millis(1));
    }
}
