//! Filling a gap with what was heard before it, fading out (after the idea of ITU-T G.711 appendix I).

use alloc::collections::VecDeque;
use core::ops::RangeInclusive;

use crate::Band;

// All lengths are those of narrow-band sound.
/// Pitch periods that are looked for: 200 Hz down to 50 Hz.
const PERIODS: RangeInclusive<usize> = 40..=160;
/// How much of the past must fit when a period is looked for: 10 ms.
const MATCH: usize = 80;
/// What is remembered: enough for the longest period and its match.
const HISTORY: usize = 160 + MATCH;
/// Samples at full loudness: 10 ms.
const HOLD: usize = 80;
/// Samples after which nothing is left: 60 ms. A longer gap is a silence and should sound like one.
const END: usize = 480;
/// Samples in which the sound comes back: 4 ms.
const BLEND: usize = 32;

/// Remembers the sound, and makes up what is missing.
#[derive(Debug, Clone, Default)]
pub(super) struct Concealer {
    band: Band,
    history: VecDeque<i16>,
    /// Samples made up since the last real one.
    missing: usize,
    period: usize,
}

impl Concealer {
    pub(super) fn new(band: Band) -> Self {
        Self { band, ..Self::default() }
    }

    fn len(&self, narrow: usize) -> usize {
        self.band.of_narrow(narrow)
    }

    /// Takes real samples; the first after a gap are blended with what the gap was filled with.
    pub(super) fn heard(&mut self, samples: &mut [i16]) {
        if self.missing > 0 {
            let blend = self.len(BLEND);
            for (n, sample) in samples.iter_mut().take(blend).enumerate() {
                let made_up = i32::from(self.made_up(self.missing + n));
                let weight = n as i32 + 1;
                let blend = blend as i32;
                *sample = ((i32::from(*sample) * weight + made_up * (blend - weight)) / blend) as i16;
            }
            self.missing = 0;
        }
        for &sample in samples.iter() {
            if self.history.len() == self.len(HISTORY) {
                self.history.pop_front();
            }
            self.history.push_back(sample);
        }
    }

    /// Makes up samples.
    pub(super) fn fill(&mut self, samples: &mut [i16]) {
        if self.missing == 0 {
            self.period = self.find_period();
        }
        for sample in samples {
            *sample = self.made_up(self.missing);
            self.missing = self.missing.saturating_add(1);
        }
    }

    /// Forgets everything: another talker follows.
    pub(super) fn reset(&mut self) {
        self.history.clear();
        self.missing = 0;
    }

    /// Sample `n` of the gap: the last period over and over, softer and softer.
    fn made_up(&self, n: usize) -> i16 {
        let (hold, end) = (self.len(HOLD), self.len(END));
        let Some(fade) = end.checked_sub(n.max(hold)).filter(|&fade| fade > 0) else { return 0 };
        let from_end = self.period - n % self.period.max(1);
        let Some(&sample) = self.history.len().checked_sub(from_end).and_then(|at| self.history.get(at))
        else {
            return 0;
        };
        // At most as loud as it was.
        (i32::from(sample) * fade as i32 / (end - hold) as i32) as i16
    }

    /// The period at which the end of the past is most like what was before it.
    fn find_period(&mut self) -> usize {
        let (history, compared) = (self.len(HISTORY), self.len(MATCH));
        let (shortest, longest) = (self.len(*PERIODS.start()), self.len(*PERIODS.end()));
        if self.history.len() < history {
            return self.history.len().clamp(1, longest);
        }
        let past = self.history.make_contiguous();
        let end = &past[history - compared..];
        let likeness = |&period: &usize| {
            let before = &past[history - compared - period..history - period];
            let (mut product, mut power) = (0i64, 1i64);
            for (&a, &b) in end.iter().zip(before) {
                product += i64::from(a) * i64::from(b);
                power += i64::from(b) * i64::from(b);
            }
            product as f64 / libm::sqrt(power as f64)
        };
        (shortest..=longest).max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use crate::tone::{Sine, Sound, Tone, ToneGenerator};

    fn tone(samples: usize) -> Vec<i16> {
        let mut out = vec![0; samples];
        let sound = Sound::Single(Sine::new(400, Level::dbm0(-10.0)));
        ToneGenerator::new(Tone::continuous(sound)).fill(&mut out);
        out
    }

    #[test]
    fn a_tone_goes_on_through_the_gap() {
        let mut sound = tone(800);
        let original = sound.clone();
        let mut concealer = Concealer::default();
        concealer.heard(&mut sound[..320]);
        concealer.fill(&mut sound[320..480]);
        concealer.heard(&mut sound[480..]);
        for n in 320..400 {
            assert!((i32::from(sound[n]) - i32::from(original[n])).abs() < 40, "sample {n}");
        }
        // Half as loud at most after 60 ms would be too late: at the end of 20 ms 80 % are left.
        let softer = Level::of(&original[440..480]).as_dbm0() - Level::of(&sound[440..480]).as_dbm0();
        assert!((1.0..2.5).contains(&softer), "{softer}");
        assert_eq!(sound[320 + 160 + BLEND..], original[320 + 160 + BLEND..]);
    }

    #[test]
    fn a_long_gap_fades_to_silence() {
        let mut sound = tone(320);
        let mut concealer = Concealer::default();
        concealer.heard(&mut sound);
        let mut gap = [1; 1000];
        concealer.fill(&mut gap);
        assert_eq!(gap[END..], [0; 1000 - END]);
        assert!(gap.windows(2).all(|pair| (i32::from(pair[0]) - i32::from(pair[1])).abs() < 4000));
    }

    #[test]
    fn nothing_heard_gives_silence() {
        let mut concealer = Concealer::default();
        let mut gap = [1; 160];
        concealer.fill(&mut gap);
        assert_eq!(gap, [0; 160]);
        concealer.reset();
        concealer.heard(&mut [5; 10]);
        concealer.fill(&mut gap);
        assert_eq!(gap[..HOLD], [5; HOLD]);
        concealer.reset();
        concealer.fill(&mut gap);
        assert_eq!(gap, [0; 160]);
    }
}
