//! Samples of a tone.

use core::f64::consts::TAU;

use super::{Sine, Sound, Then, Tone};
use crate::Band;

/// Plays a [`Tone`], at 8 kHz unless told otherwise, in pieces of any size: put together they are the same samples, bit for bit.
///
/// A sound begins at the zero crossing of its sines, so that it does not click, and runs on without a seam where
/// the next step has the same sound.
#[derive(Debug, Clone)]
pub struct ToneGenerator {
    tone: Tone,
    /// Samples per second.
    rate: u32,
    /// The step that plays, unless the tone is over.
    step: Option<usize>,
    /// Samples of it still to come.
    left: u64,
    sound: Sound,
    voices: [Voice; 2],
}

impl ToneGenerator {
    /// Plays this tone from its beginning.
    pub fn new(tone: Tone) -> Self {
        Self::at(Band::Narrow, tone)
    }

    /// The same for listeners of any band.
    pub fn at(band: Band, tone: Tone) -> Self {
        let (rate, sound, voices) = (band.sample_rate(), Sound::Silence, [Voice::SILENT; 2]);
        let mut generator = Self { tone, rate, step: None, left: 0, sound, voices };
        let first = (!generator.tone.steps.is_empty()).then_some(0);
        generator.enter(first);
        if generator.left == 0 {
            generator.enter(generator.following());
        }
        generator
    }

    /// Fills `out` with what comes next, and with silence after the end.
    pub fn fill(&mut self, out: &mut [i16]) {
        let mut rest = out;
        while self.step.is_some() && !rest.is_empty() {
            let len = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
            let (now, later) = rest.split_at_mut(len);
            self.play(now);
            rest = later;
            self.left -= len as u64;
            if self.left == 0 {
                self.enter(self.following());
            }
        }
        rest.fill(0);
    }

    /// Whether nothing is to come any more.
    pub const fn is_finished(&self) -> bool {
        self.step.is_none()
    }

    /// What sounds at this moment.
    pub const fn sound(&self) -> Sound {
        self.sound
    }

    /// The next step that lasts any time.
    fn following(&self) -> Option<usize> {
        let steps = &self.tone.steps;
        let mut step = self.step?;
        // To the end and once around: a loop of steps without duration is no tone.
        for _ in 0..2 * steps.len() {
            step = match (self.tone.then, step + 1) {
                (_, next) if next < steps.len() => next,
                (Then::RepeatFrom(first), _) if first < steps.len() => first,
                _ => return None,
            };
            if self.length(step) > 0 {
                return Some(step);
            }
        }
        None
    }

    /// Samples of a step. One that holds has more than anybody will hear.
    fn length(&self, step: usize) -> u64 {
        if self.tone.then == Then::Hold && step + 1 == self.tone.steps.len() {
            return u64::MAX;
        }
        let millis = self.tone.steps.get(step).map_or(0, |step| step.millis);
        u64::from(millis) * u64::from(self.rate / 1000)
    }

    fn enter(&mut self, step: Option<usize>) {
        self.step = step;
        self.left = step.map_or(0, |step| self.length(step));
        let sound = step.and_then(|step| self.tone.steps.get(step)).map_or(Sound::Silence, |step| step.sound);
        if sound != self.sound {
            self.sound = sound;
            self.voices = match sound {
                Sound::Silence => [Voice::SILENT; 2],
                Sound::Single(sine) => [Voice::new(sine, self.rate), Voice::SILENT],
                Sound::Dual(low, high) => [Voice::new(low, self.rate), Voice::new(high, self.rate)],
            };
        }
    }

    fn play(&mut self, out: &mut [i16]) {
        if self.sound == Sound::Silence {
            out.fill(0);
            return;
        }
        let [first, second] = &mut self.voices;
        for sample in out {
            *sample = to_sample(first.next() + second.next());
        }
    }
}

/// Rounded, and cut where two loud sines do not fit.
fn to_sample(value: f64) -> i16 {
    // A cast from float to integer saturates.
    libm::round(value) as i16
}

/// A sine as a pointer that turns: two multiplications per axis and sample, and no drift of frequency, as only
/// its length can go wrong, which each turn corrects.
#[derive(Debug, Clone, Copy)]
struct Voice {
    peak: f64,
    /// The pointer: cosine, sine.
    at: (f64, f64),
    /// The turn of one sample: cosine, sine.
    turn: (f64, f64),
}

impl Voice {
    const SILENT: Self = Self { peak: 0.0, at: (1.0, 0.0), turn: (1.0, 0.0) };

    fn new(sine: Sine, rate: u32) -> Self {
        let angle = TAU * f64::from(sine.frequency) / f64::from(rate);
        Self { peak: sine.level.sine_peak(), at: (1.0, 0.0), turn: (libm::cos(angle), libm::sin(angle)) }
    }

    fn next(&mut self) -> f64 {
        let ((x, y), (cos, sin)) = (self.at, self.turn);
        let (x_next, y_next) = (x * cos - y * sin, x * sin + y * cos);
        // One step of Newton for 1/sqrt(length²), which lies within rounding errors of one.
        let correction = 1.5 - 0.5 * (x_next * x_next + y_next * y_next);
        self.at = (x_next * correction, y_next * correction);
        self.peak * y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use crate::tone::Step;

    const LEVEL: Level = Level::dbm0(-10.0);
    const A440: Sound = Sound::Single(Sine::new(440, LEVEL));
    const A880: Sound = Sound::Single(Sine::new(880, LEVEL));

    fn play(tone: &Tone, samples: usize) -> Vec<i16> {
        let mut out = vec![0; samples];
        ToneGenerator::new(tone.clone()).fill(&mut out);
        out
    }

    #[test]
    fn is_the_sine_it_says_even_after_an_hour() {
        let mut generator = ToneGenerator::new(Tone::continuous(A440));
        let mut out = vec![0; 8000 * 60];
        for _ in 0..60 {
            generator.fill(&mut out);
        }
        generator.fill(&mut out[..8000]);
        // 3600 seconds are whole periods, so phase starts at zero again.
        for (n, &sample) in out[..8000].iter().enumerate() {
            let exact = LEVEL.sine_peak() * (TAU * 440.0 * n as f64 / 8000.0).sin();
            assert!((f64::from(sample) - exact).abs() <= 0.51, "sample {n}: {sample} {exact}");
        }
    }

    #[test]
    fn cadence_is_exact_to_the_sample() {
        let steps = vec![Step::new(A440, 3), Step::silence(2)];
        let tone = Tone { steps: steps.into(), then: Then::RepeatFrom(0) };
        let out = play(&tone, 80);
        let whole = play(&Tone::continuous(A440), 24);
        assert_eq!(
            (&out[..24], &out[24..40], &out[40..64], &out[64..80]),
            (&whole[..], &[0; 16][..], &whole[..], &[0; 16][..])
        );
        assert!(!ToneGenerator::new(tone).is_finished());
    }

    #[test]
    fn pieces_of_any_size_are_the_same_samples() {
        let steps = vec![Step::new(A440, 7), Step::new(A880, 5), Step::silence(3), Step::new(A880, 2)];
        let tone = Tone { steps: steps.into(), then: Then::RepeatFrom(1) };
        let whole = play(&tone, 2000);
        let mut generator = ToneGenerator::new(tone);
        let mut pieces = vec![0; 2000];
        let (mut rest, mut len) = (pieces.as_mut_slice(), 0);
        while !rest.is_empty() {
            len = (len * 7 + 3) % 41;
            let (now, later) = rest.split_at_mut(len.min(rest.len()));
            generator.fill(now);
            rest = later;
        }
        assert_eq!(pieces, whole);
    }

    #[test]
    fn the_same_sound_goes_on_without_a_seam() {
        let steps = vec![Step::new(A440, 3)];
        let tone = Tone { steps: steps.into(), then: Then::RepeatFrom(0) };
        assert_eq!(play(&tone, 500), play(&Tone::continuous(A440), 500));
    }

    #[test]
    fn ends() {
        let mut generator = ToneGenerator::new(Tone::once(A440, 10));
        let mut out = [1; 100];
        generator.fill(&mut out);
        assert!(generator.is_finished());
        assert_eq!(generator.sound(), Sound::Silence);
        assert_eq!(out[80..], [0; 20]);
        assert!(out[79] != 0);
    }

    #[test]
    fn nonsense_is_silence_and_no_endless_loop() {
        let empty = [
            Tone::SILENCE,
            Tone { steps: vec![].into(), then: Then::Hold },
            Tone { steps: vec![Step::new(A440, 0); 2].into(), then: Then::RepeatFrom(0) },
            Tone { steps: vec![Step::new(A440, 0)].into(), then: Then::RepeatFrom(5) },
        ];
        for tone in empty {
            assert_eq!(play(&tone, 10), [0; 10], "{tone:?}");
            assert!(ToneGenerator::new(tone).is_finished());
        }
        let late =
            Tone { steps: vec![Step::silence(0), Step::new(A440, 1)].into(), then: Then::RepeatFrom(0) };
        assert_eq!(play(&late, 8), play(&Tone::continuous(A440), 8));
    }

    #[test]
    fn two_loud_sines_are_cut_and_do_not_wrap() {
        let loud = Sine::new(500, Level::dbm0(3.0));
        let out = play(&Tone::continuous(Sound::Dual(loud, loud)), 16);
        assert_eq!(out.iter().copied().max(), Some(i16::MAX));
        assert_eq!(out.iter().copied().min(), Some(i16::MIN));
    }
}
