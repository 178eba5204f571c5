//! When things are due: an open-loop schedule.

use std::time::Duration;

use selsius_wire::Time;

/// How often something is due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// Everything at once.
    AtOnce,
    /// So many a second, above 0.
    PerSecond(f64),
}

impl Rate {
    /// So many a second; 0 is everything at once.
    pub fn of(per_second: f64) -> Self {
        if per_second > 0.0 { Self::PerSecond(per_second) } else { Self::AtOnce }
    }
}

/// When each of a row of actions is due. The moment of an action follows from its place alone: what came before does
/// not delay it, and rounding does not add up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    start: Time,
    rate: Rate,
}

impl Schedule {
    pub(crate) fn new(start: Time, rate: Rate) -> Self {
        Self { start, rate }
    }

    /// When the action at this place, from 0, is due.
    pub(crate) fn due(&self, place: u64) -> Time {
        match self.rate {
            Rate::AtOnce => self.start,
            Rate::PerSecond(rate) => {
                let micros = place as f64 * 1e6 / rate;
                self.start + Duration::from_micros(micros as u64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dues(rate: Rate, places: &[u64]) -> Vec<u64> {
        let schedule = Schedule::new(Time::from_millis(5), rate);
        places.iter().map(|place| schedule.due(*place).as_micros()).collect()
    }

    #[test]
    fn the_moment_follows_from_the_place() {
        assert_eq!(dues(Rate::PerSecond(1000.0), &[0, 1, 2, 60_000]), [5_000, 6_000, 7_000, 60_005_000]);
        assert_eq!(dues(Rate::PerSecond(0.5), &[0, 1, 3]), [5_000, 2_005_000, 6_005_000]);
        assert_eq!(dues(Rate::AtOnce, &[0, 17_999]), [5_000, 5_000]);
    }

    #[test]
    fn rounding_does_not_add_up() {
        // A third of a microsecond each: after three million actions it is still the third second.
        assert_eq!(dues(Rate::PerSecond(3000.0), &[1, 3, 9_000_000]), [5_333, 6_000, 3_000_005_000]);
    }

    #[test]
    fn no_rate_is_too_slow_to_tell() {
        assert_eq!(dues(Rate::PerSecond(1e-300), &[1]), [u64::MAX]);
    }
}
