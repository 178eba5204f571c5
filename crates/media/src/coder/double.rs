//! Narrow-band sound for a wide-band codec: 8 kHz as 16 kHz.

use alloc::vec::Vec;

/// The samples between two samples are made of so many on each side of them.
const REACH: usize = COEFFICIENTS.len();
/// A sine cardinal under Kaiser's window (β = 5.5), from the middle outwards; both sides together are 1 in units of 1/32768. Flat to
/// 0.1 dB up to 3.4 kHz, mirror images from 4.6 kHz on 60 dB down.
const COEFFICIENTS: [i32; 12] = [20782, -6691, 3744, -2404, 1616, -1096, 733, -475, 294, -169, 87, -37];

/// Doubles the rate of one stream. Sound comes out 12 samples (1.5 ms) later than it went in.
#[derive(Debug)]
pub(super) struct Doubler {
    /// The past that the next sample needs, and while it works what is to be doubled.
    samples: Vec<i16>,
    doubled: Vec<i16>,
}

impl Default for Doubler {
    fn default() -> Self {
        Self { samples: [0; REACH * 2 - 1].to_vec(), doubled: Vec::new() }
    }
}

impl Doubler {
    /// Twice as many samples.
    pub(super) fn double(&mut self, samples: &[i16]) -> &[i16] {
        self.samples.extend_from_slice(samples);
        self.doubled.clear();
        for around in self.samples.windows(REACH * 2) {
            let (before, after) = around.split_at(REACH);
            let pairs = before.iter().rev().zip(after).zip(COEFFICIENTS);
            let sum: i32 = pairs.map(|((&a, &b), factor)| (i32::from(a) + i32::from(b)) * factor).sum();
            let between = ((sum + (1 << 14)) >> 15).clamp(i16::MIN.into(), i16::MAX.into());
            self.doubled.extend([before[REACH - 1], between as i16]);
        }
        self.samples.drain(..samples.len());
        &self.doubled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Power of one frequency, of a full period's worth of samples at 16 kHz.
    fn power(samples: &[i16], frequency: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &sample) in samples.iter().enumerate() {
            let angle = core::f64::consts::TAU * frequency * n as f64 / 16_000.0;
            re += f64::from(sample) * angle.cos();
            im += f64::from(sample) * angle.sin();
        }
        (re * re + im * im) / (samples.len() as f64).powi(2) * 4.0
    }

    #[test]
    fn tones_stay_and_leave_no_image() {
        for frequency in [300, 1000, 2000, 3000, 3400] {
            let angle = |n: usize| core::f64::consts::TAU * f64::from(frequency) * n as f64 / 8000.0;
            let tone: Vec<i16> = (0..1000).map(|n| (angle(n).sin() * 10_000.0) as i16).collect();
            let mut doubler = Doubler::default();
            // In pieces of any size, as if it were one.
            let whole: Vec<i16> = tone.chunks(73).flat_map(|part| doubler.double(part).to_vec()).collect();
            assert_eq!(whole, Doubler::default().double(&tone));
            assert_eq!(whole.len(), 2000);
            let settled = &whole[400..2000];
            let decibels = |frequency: i32| 10.0 * (power(settled, frequency.into()) / 1e8).log10();
            assert!(decibels(frequency).abs() < 0.1, "{frequency} Hz: {} dB", decibels(frequency));
            let image = decibels(8000 - frequency);
            assert!(image < -55.0, "image of {frequency} Hz: {image} dB");
        }
    }

    #[test]
    fn the_loudest_does_not_wrap() {
        let square = [[i16::MAX; 20], [i16::MIN; 20]].concat().repeat(10);
        let doubled = Doubler::default().double(&square).to_vec();
        let settled = &doubled[100..];
        let leaps =
            settled.windows(2).filter(|pair| (i32::from(pair[0]) - i32::from(pair[1])).abs() > 40_000);
        assert_eq!(leaps.count(), 0, "from one end to the other there is a sample in the middle");
    }
}
