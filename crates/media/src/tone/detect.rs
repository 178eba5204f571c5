//! Hearing tones: which frequencies are in some sound, and which keys were pressed.
//!
//! Both detectors measure single frequencies with the Goertzel algorithm, which needs no table and no buffer.
//! [`ToneDetector`] looks at the whole telephone band with a window of 100 ms: it can tell 440 Hz from 425 and names
//! both parts of a dial tone. [`DtmfDetector`] looks at the eight frequencies of the keypad alone in blocks of 13 ms.

use alloc::vec::Vec;
use core::f64::consts::TAU;
use core::fmt;

use crate::level::mean_square;
use crate::{Digit, Level, SAMPLE_RATE};

/// Samples in one block of a [`ToneDetector`]: 100 ms.
pub const BLOCK: usize = 800;

/// The band that is searched, in Hz.
const BAND: (u32, u32) = (200, 3600);
/// Below this nothing is heard. Telephones call everything under -48 dBm0 silence; hum and comfort noise lie there.
const FLOOR: Level = Level::dbm0(-45.0);
/// A tone has to stand out of everything else by this factor of power (10 dB).
const CLEAR: f64 = 10.0;
/// Two frequencies are one tone if their powers differ by no more than this factor (12 dB).
const TWIST: f64 = 16.0;
/// No ratio is given above this: 16-bit samples end here.
const MAX_SNR_DB: f32 = 90.0;

/// A frequency that stands out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// In Hz; right to about 1 Hz.
    pub frequency: f32,
    /// Its level.
    pub level: Level,
}

/// What a block of sound is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Content {
    /// Too soft to be anything.
    Silence,
    /// One tone.
    Single(Peak),
    /// Two tones at once, the lower first.
    Dual(Peak, Peak),
    /// Speech, music, noise, a tone that began in mid-block.
    Other,
}

impl Content {
    /// The key that sounds like this: both frequencies within 2 % of its own.
    pub fn digit(self) -> Option<Digit> {
        let Self::Dual(low, high) = self else { return None };
        let near = |heard: Peak, frequencies: [u16; 4]| {
            frequencies.iter().position(|&f| (heard.frequency / f32::from(f) - 1.0).abs() < 0.02)
        };
        Digit::at(near(low, Digit::ROWS)?, near(high, Digit::COLUMNS)?)
    }

    /// Whether both are the same kind, with frequencies that differ by less than 8 Hz.
    pub fn is_like(self, other: Self) -> bool {
        let near = |a: Peak, b: Peak| (a.frequency - b.frequency).abs() < 8.0;
        match (self, other) {
            (Self::Silence, Self::Silence) | (Self::Other, Self::Other) => true,
            (Self::Single(a), Self::Single(b)) => near(a, b),
            (Self::Dual(a, b), Self::Dual(c, d)) => near(a, c) && near(b, d),
            _ => false,
        }
    }
}

impl fmt::Display for Content {
    /// As a person would write it: `440 Hz`, `350 + 440 Hz`, `digit 5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence => f.write_str("silence"),
            Self::Single(peak) => write!(f, "{:.0} Hz", peak.frequency),
            Self::Dual(low, high) => match self.digit() {
                Some(digit) => write!(f, "digit {digit}"),
                None => write!(f, "{:.0} + {:.0} Hz", low.frequency, high.frequency),
            },
            Self::Other => f.write_str("sound"),
        }
    }
}

/// What was heard in one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    /// What it is.
    pub content: Content,
    /// How loud all of it is.
    pub level: Level,
    /// Power of the tone, or of the best candidate for one, over that of everything else, in dB. Zero for silence.
    pub snr_db: f32,
}

/// Analyses one block, at least 20 ms of it. [`BLOCK`] samples separate frequencies that are 40 Hz apart; twice as
/// many, 20 Hz. The work grows with the square of the length.
pub fn analyze(block: &[i16]) -> Heard {
    let level = Level::of(block);
    if level < FLOOR || block.len() < 160 {
        return Heard { content: Content::Silence, level, snr_db: 0.0 };
    }
    let spectrum = Spectrum::new(block);
    let first = spectrum.strongest(None);
    let second = spectrum.strongest(Some(first.bin));
    let total = spectrum.mean_square;
    let (one, two) = (clarity(first.power, total), clarity(first.power + second.power, total));

    let peak =
        |line: Line| Peak { frequency: line.frequency as f32, level: Level::from_mean_square(line.power) };
    // The second frequency counts when it is near in level, and explains most of what the first one leaves.
    let is_dual = second.power * TWIST >= first.power && two >= CLEAR && two >= 4.0 * one;
    let (content, ratio) = if is_dual {
        let (low, high) = if first.bin < second.bin { (first, second) } else { (second, first) };
        (Content::Dual(peak(low), peak(high)), two)
    } else if one >= CLEAR {
        (Content::Single(peak(first)), one)
    } else {
        (Content::Other, one)
    };
    let snr_db = (10.0 * libm::log10(ratio.max(1e-9))) as f32;
    Heard { content, level, snr_db: snr_db.min(MAX_SNR_DB) }
}

/// How loud a sine of this frequency is in a block, whatever else is in it. What is in the block beside it has to be as far away as
/// [`analyze`] needs to tell two frequencies apart.
pub fn level_at(block: &[i16], frequency: u16) -> Level {
    if block.is_empty() {
        return Level::SILENCE;
    }
    Level::from_mean_square(Spectrum::new(block).power(f64::from(frequency)))
}

/// Power of a tone over what is left of the total without it.
fn clarity(tone: f64, total: f64) -> f64 {
    tone / (total - tone).max(total * 1e-9)
}

/// A block under a Hann window, whose lobes two frequencies need to be apart for.
struct Spectrum {
    windowed: Vec<f64>,
    mean_square: f64,
    /// Frequency of a bin's number.
    spacing: f64,
}

/// One line of a spectrum.
#[derive(Clone, Copy)]
struct Line {
    bin: u32,
    frequency: f64,
    /// Mean square of the sine.
    power: f64,
}

impl Spectrum {
    fn new(block: &[i16]) -> Self {
        let len = block.len() as f64;
        let mut square = 0.0;
        let window = |n: usize| 0.5 - 0.5 * libm::cos(TAU * n as f64 / len);
        let windowed = block.iter().enumerate().map(|(n, &sample)| {
            let value = window(n) * f64::from(sample);
            square += value * value;
            value
        });
        let windowed = windowed.collect();
        // The squares of a Hann window have a mean of 3/8.
        Self { windowed, mean_square: square / (0.375 * len), spacing: f64::from(SAMPLE_RATE) / len }
    }

    /// The strongest line of the band that is not part of the lobe of another.
    fn strongest(&self, except: Option<u32>) -> Line {
        let (low, high) = BAND;
        let bins = (f64::from(low) / self.spacing) as u32..(f64::from(high) / self.spacing) as u32;
        let mut best = (0, 0.0);
        for bin in bins.filter(|&bin| except.is_none_or(|except| bin.abs_diff(except) > 2)) {
            let power = self.power(f64::from(bin) * self.spacing);
            if power > best.1 {
                best = (bin, power);
            }
        }
        self.refine(best.0, best.1)
    }

    /// Where between the bins the line lies, from the ratio to its stronger neighbour: for a Hann window that is
    /// `(2r - 1) / (r + 1)` exactly, r being the ratio of magnitudes.
    fn refine(&self, bin: u32, power: f64) -> Line {
        let at = |bin: f64| self.power(bin * self.spacing);
        let centre = f64::from(bin);
        let (below, above) = (at(centre - 1.0), at(centre + 1.0));
        let ratio = libm::sqrt(below.max(above) / power.max(f64::MIN_POSITIVE));
        let offset = ((2.0 * ratio - 1.0) / (ratio + 1.0)).clamp(-0.5, 0.5);
        let exact = if above > below { centre + offset } else { centre - offset };
        Line { bin, frequency: exact * self.spacing, power: at(exact).max(power) }
    }

    /// Mean square of the sine of this frequency.
    fn power(&self, frequency: f64) -> f64 {
        let mut goertzel = Goertzel::new(frequency);
        for &value in &self.windowed {
            goertzel.push(value);
        }
        // The window halves the peak.
        4.0 * goertzel.mean_square(self.windowed.len())
    }
}

/// Measures one frequency.
#[derive(Debug, Clone, Copy)]
struct Goertzel {
    coefficient: f64,
    last: f64,
    before: f64,
}

impl Goertzel {
    fn new(frequency: f64) -> Self {
        let coefficient = 2.0 * libm::cos(TAU * frequency / f64::from(SAMPLE_RATE));
        Self { coefficient, last: 0.0, before: 0.0 }
    }

    fn push(&mut self, value: f64) {
        (self.last, self.before) = (value + self.coefficient * self.last - self.before, self.last);
    }

    /// Mean square of a sine that gave this after `len` values.
    fn mean_square(&self, len: usize) -> f64 {
        let (last, before) = (self.last, self.before);
        let power = last * last + before * before - self.coefficient * last * before;
        2.0 * power / (len as f64 * len as f64)
    }
}

/// Listens to a stream in blocks of [`BLOCK`] samples.
#[derive(Debug, Clone, Default)]
pub struct ToneDetector {
    pending: Vec<i16>,
    last: Option<Heard>,
    before: Option<Heard>,
}

impl ToneDetector {
    /// Has heard nothing yet.
    pub const fn new() -> Self {
        Self { pending: Vec::new(), last: None, before: None }
    }

    /// Listens to more samples; what the blocks were that became full by them, in order.
    pub fn push(&mut self, samples: &[i16]) -> Vec<Heard> {
        let mut heard = Vec::new();
        let mut rest = samples;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(BLOCK - self.pending.len()));
            self.pending.extend_from_slice(now);
            rest = later;
            if self.pending.len() == BLOCK {
                let block = analyze(&self.pending);
                self.pending.clear();
                self.before = self.last.replace(block);
                heard.push(block);
            }
        }
        heard
    }

    /// The last block, if the one before it was the same: speech has a pure tone for 100 ms at times, but not for 200.
    pub fn steady(&self) -> Option<Heard> {
        let (last, before) = (self.last?, self.before?);
        last.content.is_like(before.content).then_some(last)
    }
}

/// Recognises pressed keys in sound.
///
/// A key has to fill two blocks (21 ms at the best place, 38 at the worst), and to be away for as long before the same
/// one counts again. ITU-T Q.24 asks that 40 ms be heard; 20 ms never are.
#[derive(Debug, Clone)]
pub struct DtmfDetector {
    tones: [Goertzel; 8],
    /// Sum of squares of the block so far.
    energy: f64,
    len: usize,
    last: Option<Digit>,
    pressed: Option<Digit>,
}

impl DtmfDetector {
    /// Samples of a block: the length at which neighbours in the keypad's frequencies are nearly orthogonal.
    const LEN: usize = 102;
    /// Softest key, for each of its frequencies.
    const FLOOR: Level = Level::dbm0(-32.0);
    /// The two may differ by 8 dB (Q.24), measured with another 2 dB as they leak into each other.
    const TWIST: f64 = 10.0;
    /// Others in the same group must be softer by 8 dB.
    const RATIO: f64 = 6.3;
    /// Share of the sound that the two must be. It is also the share of a block that they must fill, so that 20 ms
    /// never fill two blocks. A key that is off by 1.5 % still shows 85 % of its power.
    const SHARE: f64 = 0.79;

    /// Has heard nothing yet.
    pub fn new() -> Self {
        let [a, b, c, d] = Digit::ROWS.map(|frequency| Goertzel::new(f64::from(frequency)));
        let [e, f, g, h] = Digit::COLUMNS.map(|frequency| Goertzel::new(f64::from(frequency)));
        Self { tones: [a, b, c, d, e, f, g, h], energy: 0.0, len: 0, last: None, pressed: None }
    }

    /// Listens to more samples; the keys that were found pressed in them, each once.
    pub fn push(&mut self, samples: &[i16]) -> Vec<Digit> {
        let mut digits = Vec::new();
        for &sample in samples {
            let value = f64::from(sample);
            self.energy += value * value;
            for tone in &mut self.tones {
                tone.push(value);
            }
            self.len += 1;
            if self.len == Self::LEN {
                digits.extend(self.finish_block());
            }
        }
        digits
    }

    /// The key that is down now.
    pub const fn pressed(&self) -> Option<Digit> {
        self.pressed
    }

    /// The key that this block makes a new press, if it does.
    fn finish_block(&mut self) -> Option<Digit> {
        let digit = self.judge();
        for tone in &mut self.tones {
            (tone.last, tone.before) = (0.0, 0.0);
        }
        (self.energy, self.len) = (0.0, 0);

        // Two blocks alike decide, for down and for up.
        let sure = self.last == digit;
        self.last = digit;
        if !sure || self.pressed == digit {
            return None;
        }
        self.pressed = digit;
        digit
    }

    fn judge(&self) -> Option<Digit> {
        let powers = self.tones.map(|tone| tone.mean_square(Self::LEN));
        let (rows, columns) = powers.split_at(4);
        let (row, low) = loudest(rows)?;
        let (column, high) = loudest(columns)?;
        let floor = Self::FLOOR.to_mean_square();
        let total = self.energy / Self::LEN as f64;
        let balanced = low <= high * Self::TWIST && high <= low * Self::TWIST;
        let clear = low >= floor && high >= floor && low + high >= Self::SHARE * total;
        (balanced && clear).then(|| Digit::at(row, column)).flatten()
    }
}

impl Default for DtmfDetector {
    fn default() -> Self {
        Self::new()
    }
}

/// The one that stands out of its group, and its power.
fn loudest(group: &[f64]) -> Option<(usize, f64)> {
    let (index, &best) = group.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let alone = group.iter().enumerate().all(|(n, &other)| n == index || other * DtmfDetector::RATIO <= best);
    alone.then_some((index, best))
}

/// Level of one frequency in a block, whatever else is in it. Right for blocks of whole periods.
pub fn level_of(frequency: u16, block: &[i16]) -> Level {
    if mean_square(block) == 0.0 {
        return Level::SILENCE;
    }
    let mut goertzel = Goertzel::new(f64::from(frequency));
    for &sample in block {
        goertzel.push(f64::from(sample));
    }
    Level::from_mean_square(goertzel.mean_square(block.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Plan, Signal, Sine, Sound, Tone};
    use crate::{Law, ToneGenerator};

    fn play(tone: Tone, samples: usize) -> Vec<i16> {
        let mut out = vec![0; samples];
        ToneGenerator::new(tone).fill(&mut out);
        out
    }

    fn sine(frequency: u16, dbm0: f32) -> Sound {
        Sound::Single(Sine::new(frequency, Level::dbm0(dbm0)))
    }

    fn through(law: Law, samples: &[i16]) -> Vec<i16> {
        samples.iter().map(|&sample| law.decode_sample(law.encode_sample(sample))).collect()
    }

    /// Noise of this peak from a fixed congruential generator.
    fn noise(samples: usize, peak: i32) -> Vec<i16> {
        let mut state = 1u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) as i32 % (2 * peak + 1) - peak) as i16
        };
        std::iter::repeat_with(next).take(samples).collect()
    }

    #[test]
    fn names_every_single_tone_through_both_laws() {
        for law in [Law::Mu, Law::A] {
            for frequency in (300..3400).step_by(37) {
                for dbm0 in [-3.0, -13.0, -30.0] {
                    let sound = through(law, &play(Tone::continuous(sine(frequency, dbm0)), BLOCK));
                    let heard = analyze(&sound);
                    let Content::Single(peak) = heard.content else {
                        panic!("{law:?} {frequency} Hz {dbm0}: {heard:?}")
                    };
                    assert!((peak.frequency - f32::from(frequency)).abs() < 1.0, "{frequency}: {heard:?}");
                    assert!((peak.level.as_dbm0() - dbm0).abs() < 0.3, "{frequency} {dbm0}: {heard:?}");
                    assert!(heard.snr_db > 20.0, "{frequency} {dbm0}: {heard:?}");
                }
            }
        }
    }

    #[test]
    fn one_frequency_is_measured_beside_others() {
        let pair = Tone::continuous(Sound::Dual(
            Sine::new(440, Level::dbm0(-13.0)),
            Sine::new(1000, Level::dbm0(-30.0)),
        ));
        let sound = through(Law::Mu, &play(pair, BLOCK));
        let level = |frequency| level_at(&sound, frequency).as_dbm0();
        assert!((level(440) + 13.0).abs() < 0.3, "{}", level(440));
        assert!((level(1000) + 30.0).abs() < 0.5, "{}", level(1000));
        assert!(level(1700) < -60.0, "{}", level(1700));
        assert_eq!(level_at(&[], 440), Level::SILENCE);
    }

    #[test]
    fn names_the_pairs_of_the_plan() {
        let table = [
            (Signal::InsideDial, "350 + 440 Hz"),
            (Signal::OutsideDial, "420 Hz"),
            (Signal::Busy, "480 + 620 Hz"),
            (Signal::Alerting, "440 + 480 Hz"),
            (Signal::Zip, "480 Hz"),
            (Signal::Hz440, "440 Hz"),
            (Signal::Milliwatt, "1004 Hz"),
            (Signal::Key(Digit::Nine), "digit 9"),
        ];
        for (signal, name) in table {
            let sound = through(Law::Mu, &play(Plan::NorthAmerica.tone(signal), BLOCK));
            assert_eq!(analyze(&sound).content.to_string(), name, "{signal:?}");
        }
        let sound = play(Plan::Germany.tone(Signal::OutsideDial), BLOCK);
        assert_eq!(analyze(&sound).content.to_string(), "425 Hz");
        let sound = play(Plan::Germany.tone(Signal::MessageWaiting), 2 * BLOCK);
        assert_eq!(analyze(&sound).content.to_string(), "400 + 425 Hz");
    }

    #[test]
    fn noise_and_silence_are_no_tones() {
        assert_eq!(analyze(&[0; BLOCK]).content, Content::Silence);
        assert_eq!(analyze(&noise(BLOCK, 60)).content, Content::Silence);
        assert_eq!(analyze(&noise(BLOCK, 8000)).content, Content::Other);
        assert_eq!(analyze(&[]).content, Content::Silence);
        let square: Vec<i16> = (0..BLOCK).map(|n| if n * 9 % 97 < 48 { 9000 } else { -9000 }).collect();
        assert!(!matches!(analyze(&square).content, Content::Silence));
    }

    #[test]
    fn hears_a_tone_in_noise_until_it_drowns() {
        let tone = play(Tone::continuous(sine(440, -16.0)), BLOCK);
        let mix = |peak| -> Vec<i16> { tone.iter().zip(noise(BLOCK, peak)).map(|(&a, b)| a + b).collect() };
        // Even noise has a mean square of peak² / 3: the tone is 13 dB above the first and 3 dB below the second.
        assert_eq!(analyze(&mix(1000)).content.to_string(), "440 Hz");
        assert_eq!(analyze(&mix(6000)).content, Content::Other);
    }

    #[test]
    fn a_stream_is_steady_after_two_blocks() {
        let mut detector = ToneDetector::new();
        let sound = play(Tone::continuous(sine(440, -13.0)), 4000);
        let mut blocks = 0;
        for frame in sound.chunks(160) {
            blocks += detector.push(frame).len();
            assert_eq!(detector.steady().is_some(), blocks >= 2);
        }
        assert_eq!(blocks, 5);
        assert_eq!(detector.steady().unwrap().content.to_string(), "440 Hz");
        detector.push(&[0; BLOCK]);
        assert_eq!(detector.steady(), None);
    }

    #[test]
    fn recognises_all_keys_softly_loudly_and_askew() {
        for law in [Law::Mu, Law::A] {
            for digit in Digit::ALL {
                // Row and column level, and both frequencies off by this many per mille.
                for (low, high, skew) in
                    [(-9, -7, 0), (-28, -28, 0), (-3, -3, 0), (-10, -17, 0), (-7, -9, 15)]
                {
                    let (row, column) = digit.frequencies();
                    let skewed = |f: u16, dbm0: i16| {
                        Sine::new((u32::from(f) * (1000 + skew) / 1000) as u16, Level::dbm0(f32::from(dbm0)))
                    };
                    let sound = Sound::Dual(skewed(row, low), skewed(column, high));
                    let mut heard = Vec::new();
                    let mut detector = DtmfDetector::new();
                    for millis in [50, 40] {
                        heard.extend(detector.push(&through(law, &play(Tone::once(sound, millis), 800))));
                    }
                    assert_eq!(heard, [digit, digit], "{law:?} {low} {high} {skew}");
                    assert_eq!(detector.pressed(), None);
                }
            }
        }
    }

    #[test]
    fn a_number_comes_out_as_it_was_dialled() {
        let number = "0123456789*#ABCD110";
        let mut detector = DtmfDetector::new();
        let mut heard = String::new();
        for char in number.chars() {
            let mut sound = play(Tone::digit(Digit::from_char(char).unwrap(), 45), 45 * 8);
            sound.extend([0; 40 * 8]);
            for frame in sound.chunks(53) {
                heard.extend(detector.push(frame).into_iter().map(Digit::as_char));
            }
        }
        assert_eq!(heard, number);
    }

    #[test]
    fn what_is_no_key_is_none() {
        let mut detector = DtmfDetector::new();
        let others = [
            play(Plan::NorthAmerica.tone(Signal::InsideDial), 8000),
            play(Plan::NorthAmerica.tone(Signal::Busy), 8000),
            play(Tone::continuous(sine(697, -10.0)), 8000),
            play(
                Tone::continuous(Sound::Dual(
                    Sine::new(697, Level::dbm0(-10.0)),
                    Sine::new(770, Level::dbm0(-10.0)),
                )),
                8000,
            ),
            noise(8000, 8000),
            // A key of 20 ms, too short by Q.24.
            play(Tone::digit(Digit::Five, 20), 800),
        ];
        for sound in others {
            assert_eq!(detector.push(&sound), []);
        }
    }

    #[test]
    fn measures_one_frequency() {
        let sound = play(Plan::NorthAmerica.tone(Signal::InsideDial), 8000);
        assert!((level_of(350, &sound).as_dbm0() + 13.0).abs() < 0.1);
        assert!(level_of(1000, &sound) < Level::dbm0(-60.0));
        assert_eq!(level_of(350, &[]), Level::SILENCE);
    }
}
