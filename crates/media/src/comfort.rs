//! Comfort noise (RFC 3389): what a sender that has nothing to say lets its listener hear.

use crate::Level;

/// Background noise as its sender described it. Its loudness is kept; its colour (reflection coefficients, which phones do not
/// send) is not.
#[derive(Debug, Clone)]
pub struct ComfortNoise {
    level: Level,
    /// The largest sample.
    peak: i32,
    random: u32,
}

/// The level that RFC 3389, section 3, counts from: the loudest square wave of µ-law.
const OVERLOAD: f32 = 6.18;
/// No background is louder. What says so is wrong or wants to hurt.
const LOUDEST: f32 = -30.0;

impl ComfortNoise {
    /// The noise of a payload of type [`PayloadType::COMFORT_NOISE`](crate::PayloadType::COMFORT_NOISE). An empty one is silence.
    pub fn parse(payload: &[u8]) -> Self {
        let below = payload.first().map_or(127, |&byte| byte & 0x7F);
        let level = Level::dbm0((OVERLOAD - f32::from(below)).min(LOUDEST));
        // Evenly spread samples have a third of the power of their peak.
        let peak = libm::sqrt(3.0 * level.to_mean_square()) as i32;
        Self { level, peak, random: 1 }
    }

    /// How loud it is.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Fills `samples` with it.
    pub fn fill(&mut self, samples: &mut [i16]) {
        for sample in samples {
            // Numerical Recipes' generator; its upper half is good enough for noise.
            self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let even = i32::from((self.random >> 16) as u16 as i16);
            *sample = (even * self.peak / (1 << 15)) as i16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_as_loud_as_it_says() {
        let heard = |payload: &[u8]| {
            let mut samples = [9; 8000];
            ComfortNoise::parse(payload).fill(&mut samples);
            Level::of(&samples).as_dbm0()
        };
        for (payload, expected) in [(&[50][..], -43.82), (&[60, 1, 2, 3], -53.82), (&[0x80 | 40], -33.82)] {
            assert!((heard(payload) - expected).abs() < 0.5, "{payload:?}: {}", heard(payload));
            assert!((ComfortNoise::parse(payload).level().as_dbm0() - expected).abs() < 0.01);
        }
        // Nobody is shouted at, and nothing is said where nothing is told.
        assert!((heard(&[0]) - LOUDEST).abs() < 0.5);
        assert_eq!((heard(&[]), heard(&[127])), (Level::SILENCE.as_dbm0(), Level::SILENCE.as_dbm0()));
    }
}
