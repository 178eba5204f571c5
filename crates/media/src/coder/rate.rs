//! Between 8 and 16 kHz: narrow-band sound for wide-band listeners, and the other way round.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::Band;

/// A sample between two samples is made of so many on each side of it.
const REACH: usize = COEFFICIENTS.len();
/// A sine cardinal under Kaiser's window (β = 5.5), from the middle outwards; both sides together are 1 in units of 1/16384, so that the
/// loudest sound fits into 32 bits. Flat to 0.1 dB up to 3.4 kHz, mirror images from 4.6 kHz on 60 dB down.
///
/// With a middle of one half it is the half-band filter that lets pass what 8 kHz can carry: one filter for both ways.
const COEFFICIENTS: [i32; 12] = [10391, -3346, 1872, -1202, 808, -548, 367, -238, 147, -85, 44, -18];

/// Doubles the rate of one stream. Sound comes out 12 samples (1.5 ms) later than it went in.
#[derive(Debug, Clone)]
pub(crate) struct Doubler {
    /// The past that the next sample needs, and while it works what is to be doubled.
    samples: Vec<i16>,
}

impl Default for Doubler {
    fn default() -> Self {
        Self { samples: [0; REACH * 2 - 1].to_vec() }
    }
}

impl Doubler {
    /// Twice as many samples. `doubled` has room for them.
    pub(crate) fn double(&mut self, samples: &[i16], doubled: &mut [i16]) {
        self.samples.extend_from_slice(samples);
        let pairs = doubled.as_chunks_mut::<2>().0;
        for (around, pair) in self.samples.windows(REACH * 2).zip(pairs) {
            let between = (sum(around.iter().copied()) + (1 << 13)) >> 14;
            *pair = [around[REACH - 1], saturated(between)];
        }
        self.samples.drain(..samples.len());
    }
}

/// Halves the rate of one stream, without what lies above 4 kHz. Sound comes out 22 samples (1.4 ms) later than it went in.
#[derive(Debug, Clone)]
pub(crate) struct Halver {
    samples: Vec<i16>,
}

/// The past that the next sample needs, of both halves: those at odd places, and among them the one in the middle.
const PAST: usize = REACH * 4 - 3;

impl Default for Halver {
    fn default() -> Self {
        Self { samples: [0; PAST].to_vec() }
    }
}

impl Halver {
    /// Half as many samples, of an even number. `halved` has room for them.
    pub(crate) fn halve(&mut self, samples: &[i16], halved: &mut [i16]) {
        self.samples.extend_from_slice(samples);
        let pairs = samples.len() / 2;
        for (n, sample) in halved.iter_mut().take(pairs).enumerate() {
            let around = &self.samples[2 * n..2 * n + PAST + 2];
            let middle = i32::from(around[REACH * 2 - 1]) << 14;
            let sides = sum(around.iter().copied().step_by(2));
            *sample = saturated((middle + sides + (1 << 14)) >> 15);
        }
        self.samples.drain(..pairs * 2);
    }
}

/// The sum of as many on both sides of the middle, by how far they are away from it.
fn sum(around: impl DoubleEndedIterator<Item = i16> + ExactSizeIterator + Clone) -> i32 {
    let before = around.clone().take(REACH).rev();
    let after = around.skip(REACH);
    before.zip(after).zip(COEFFICIENTS).map(|((a, b), factor)| (i32::from(a) + i32::from(b)) * factor).sum()
}

fn saturated(sample: i32) -> i16 {
    sample.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// What a stream needs to be heard in a certain band. It stays what it is until another band is asked for.
#[derive(Debug, Clone, Default)]
pub struct Converter(Way);

#[derive(Debug, Clone, Default)]
enum Way {
    #[default]
    None,
    Doubles(Box<Doubler>),
    Halves(Box<Halver>),
}

impl Converter {
    /// One that has heard nothing yet.
    pub const fn new() -> Self {
        Self(Way::None)
    }

    /// Turns samples of one band into those of another, of which `out` has as many as last as long. Those of wide-band are an
    /// even number.
    pub fn convert(&mut self, (from, samples): (Band, &[i16]), (to, out): (Band, &mut [i16])) {
        match (&self.0, from, to) {
            (Way::Doubles(_), Band::Narrow, Band::Wide) | (Way::Halves(_), Band::Wide, Band::Narrow) => {}
            (_, Band::Narrow, Band::Wide) => self.0 = Way::Doubles(Box::default()),
            (_, Band::Wide, Band::Narrow) => self.0 = Way::Halves(Box::default()),
            (_, Band::Narrow, Band::Narrow) | (_, Band::Wide, Band::Wide) => self.0 = Way::None,
        }
        match &mut self.0 {
            Way::None => out.iter_mut().zip(samples).for_each(|(out, &sample)| *out = sample),
            Way::Doubles(doubler) => doubler.double(samples, out),
            Way::Halves(halver) => halver.halve(samples, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frequency: f64, rate: f64, samples: usize) -> Vec<i16> {
        let angle = |n: usize| core::f64::consts::TAU * frequency * n as f64 / rate;
        (0..samples).map(|n| (angle(n).sin() * 10_000.0) as i16).collect()
    }

    /// Level of one frequency against the tone that went in, of a full period's worth of samples.
    fn decibels(samples: &[i16], frequency: f64, rate: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, &sample) in samples.iter().enumerate() {
            let angle = core::f64::consts::TAU * frequency * n as f64 / rate;
            re += f64::from(sample) * angle.cos();
            im += f64::from(sample) * angle.sin();
        }
        let power = (re * re + im * im) / (samples.len() as f64).powi(2) * 4.0;
        10.0 * (power.max(1e-9) / 1e8).log10()
    }

    fn doubled(samples: &[i16], piece: usize) -> Vec<i16> {
        let mut doubler = Doubler::default();
        let parts = samples.chunks(piece).flat_map(|part| {
            let mut out = vec![0; part.len() * 2];
            doubler.double(part, &mut out);
            out
        });
        parts.collect()
    }

    fn halved(samples: &[i16], piece: usize) -> Vec<i16> {
        let mut halver = Halver::default();
        let parts = samples.chunks(piece).flat_map(|part| {
            let mut out = vec![0; part.len() / 2];
            halver.halve(part, &mut out);
            out
        });
        parts.collect()
    }

    #[test]
    fn tones_stay_and_leave_no_image() {
        for frequency in [300.0, 1000.0, 2000.0, 3000.0, 3400.0] {
            let tone = tone(frequency, 8000.0, 1000);
            // In pieces of any size, as if it were one.
            let whole = doubled(&tone, 73);
            assert_eq!(whole, doubled(&tone, 1000));
            assert_eq!(whole.len(), 2000);
            let settled = &whole[400..2000];
            let level = decibels(settled, frequency, 16_000.0);
            assert!(level.abs() < 0.1, "{frequency} Hz: {level} dB");
            let image = decibels(settled, 8000.0 - frequency, 16_000.0);
            assert!(image < -55.0, "image of {frequency} Hz: {image} dB");
        }
    }

    #[test]
    fn what_8_khz_cannot_carry_leaves_no_alias() {
        for frequency in [100.0, 300.0, 1000.0, 2000.0, 3000.0, 3400.0] {
            let tone = tone(frequency, 16_000.0, 2000);
            let whole = halved(&tone, 146);
            assert_eq!(whole, halved(&tone, 2000));
            assert_eq!(whole.len(), 1000);
            let level = decibels(&whole[200..], frequency, 8000.0);
            assert!(level.abs() < 0.1, "{frequency} Hz: {level} dB");
        }
        for frequency in [4600.0, 5000.0, 6000.0, 7000.0, 7900.0] {
            let whole = halved(&tone(frequency, 16_000.0, 2000), 320);
            let alias = decibels(&whole[200..], 8000.0 - frequency, 8000.0);
            assert!(alias < -55.0, "alias of {frequency} Hz: {alias} dB");
        }
    }

    #[test]
    fn there_and_back_is_the_same_but_later() {
        let said: Vec<i16> = tone(440.0, 8000.0, 1000)
            .iter()
            .zip(tone(2900.0, 8000.0, 1000))
            .map(|(&a, b)| a / 2 + b / 2)
            .collect();
        let back = halved(&doubled(&said, 160), 320);
        // 12 samples of 8 kHz, and 22 of 16 kHz.
        let delay = (0..60).min_by_key(|&delay| {
            said[200..800]
                .iter()
                .zip(&back[200 + delay..])
                .map(|(&a, &b)| u64::from(a.abs_diff(b)))
                .sum::<u64>()
        });
        let delay = delay.unwrap();
        assert_eq!(delay, 23);
        let off =
            said[200..800].iter().zip(&back[200 + delay..]).map(|(&a, &b)| a.abs_diff(b)).max().unwrap();
        assert!(off < 150, "{off}");
    }

    #[test]
    fn the_loudest_does_not_wrap() {
        let square = [[i16::MAX; 20], [i16::MIN; 20]].concat().repeat(10);
        let leaps = |samples: &[i16]| {
            let leap = |pair: &&[i16]| (i32::from(pair[0]) - i32::from(pair[1])).abs() > 40_000;
            samples.windows(2).filter(leap).count()
        };
        assert_eq!(
            leaps(&doubled(&square, 160)[100..]),
            0,
            "from one end to the other there is a sample in the middle"
        );
        let halved = halved(&square, 160);
        assert!(halved.contains(&i16::MAX) && halved.contains(&i16::MIN));
    }

    #[test]
    fn a_converter_changes_with_its_bands() {
        let mut converter = Converter::default();
        let tone = tone(1000.0, 16_000.0, 320);
        let (mut narrow, mut wide) = ([0; 160], [0; 320]);
        converter.convert((Band::Wide, &tone), (Band::Narrow, &mut narrow));
        converter.convert((Band::Narrow, &narrow), (Band::Wide, &mut wide));
        converter.convert((Band::Wide, &tone), (Band::Wide, &mut wide));
        assert_eq!(wide[..], tone[..]);
    }
}
