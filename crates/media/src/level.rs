//! Loudness as telephony counts it.

use core::fmt;

/// The power of a signal in dBm0, against the level that the digital network calls 0 dBm0.
///
/// The loudest sine that µ-law can carry, with a peak of 8159 (14 bits) or 32636 (16 bits), is
/// +3.17 dBm0 (ITU-T G.711, note 7 to table 2a). All figures here follow from that one.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f32);

/// Mean square of 16-bit samples at 0 dBm0: `32636² / 2 / 10^(3.17 / 10)`.
const MEAN_SQUARE_AT_ZERO: f64 = 256_663_347.0;

impl Level {
    /// Digital silence, and the floor of every measurement.
    pub const SILENCE: Self = Self(-96.0);

    /// A level of `dbm0` decibels.
    pub const fn dbm0(dbm0: f32) -> Self {
        Self(dbm0)
    }

    /// The level in dBm0.
    pub const fn as_dbm0(self) -> f32 {
        self.0
    }

    /// The level of these samples, over their whole length.
    pub fn of(samples: &[i16]) -> Self {
        Self::from_mean_square(mean_square(samples))
    }

    /// The peak value, in 16-bit samples, of a sine of this level.
    pub fn sine_peak(self) -> f64 {
        libm::sqrt(2.0 * MEAN_SQUARE_AT_ZERO * libm::pow(10.0, f64::from(self.0) / 10.0))
    }

    pub(crate) fn from_mean_square(mean_square: f64) -> Self {
        if mean_square <= 0.0 {
            return Self::SILENCE;
        }
        let dbm0 = 10.0 * libm::log10(mean_square / MEAN_SQUARE_AT_ZERO);
        Self((dbm0 as f32).max(Self::SILENCE.0))
    }

    pub(crate) fn to_mean_square(self) -> f64 {
        MEAN_SQUARE_AT_ZERO * libm::pow(10.0, f64::from(self.0) / 10.0)
    }
}

/// Mean of the squares of `samples`; zero for none.
pub(crate) fn mean_square(samples: &[i16]) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let sum: f64 = samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
    sum / samples.len() as f64
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} dBm0", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_mu_law_sine_is_3_17() {
        assert!((Level::dbm0(3.17).sine_peak() - 32636.0).abs() < 1.0);
        assert!((MEAN_SQUARE_AT_ZERO - 32636f64.powi(2) / 2.0 / 10f64.powf(0.317)).abs() < 100.0);
    }

    #[test]
    fn measures_what_it_names() {
        let square = [1000i16, -1000].repeat(400);
        let peak_of_same_power = Level::of(&square).sine_peak();
        assert!((peak_of_same_power - 1000.0 * 2f64.sqrt()).abs() < 0.01);
        assert_eq!(Level::of(&[0; 160]), Level::SILENCE);
        assert_eq!(Level::of(&[]), Level::SILENCE);
    }
}
