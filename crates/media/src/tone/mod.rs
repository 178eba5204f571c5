//! Tones: what a telephone says without words.
//!
//! A [`Tone`] is a score (frequencies, levels, cadence), [`ToneGenerator`] plays it sample by sample, a [`Plan`] has
//! the scores that people of a country know, and [`detect`] hears them again.

pub mod detect;
mod generate;
mod plan;

use alloc::borrow::Cow;

pub use generate::ToneGenerator;
pub use plan::{Plan, Signal};

use crate::{Digit, Level};

/// One sine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sine {
    /// Frequency in Hz, below half of the rate at which it is played.
    pub frequency: u16,
    /// How loud it is.
    pub level: Level,
}

impl Sine {
    /// A sine of `frequency` Hz.
    pub const fn new(frequency: u16, level: Level) -> Self {
        Self { frequency, level }
    }
}

/// What sounds during one step of a tone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sound {
    /// Nothing.
    Silence,
    /// One sine.
    Single(Sine),
    /// The sum of two.
    Dual(Sine, Sine),
}

/// One step of a tone's cadence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// What sounds.
    pub sound: Sound,
    /// For how long, in milliseconds; to the sample exact, as a millisecond has eight.
    pub millis: u32,
}

impl Step {
    /// `sound` for `millis` milliseconds.
    pub const fn new(sound: Sound, millis: u32) -> Self {
        Self { sound, millis }
    }

    /// Silence for `millis` milliseconds.
    pub const fn silence(millis: u32) -> Self {
        Self::new(Sound::Silence, millis)
    }
}

/// What comes after the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Silence; the tone is over.
    Stop,
    /// All over again from the step of this index, for as long as anybody listens.
    RepeatFrom(usize),
    /// The last step goes on for ever.
    Hold,
}

/// The score of a tone.
#[derive(Debug, Clone, PartialEq)]
pub struct Tone {
    /// The steps. None at all is silence.
    pub steps: Cow<'static, [Step]>,
    /// What follows them.
    pub then: Then,
}

impl Tone {
    /// Nothing.
    pub const SILENCE: Self = Self::fixed(&[], Then::Stop);

    /// A tone of these steps.
    pub const fn fixed(steps: &'static [Step], then: Then) -> Self {
        Self { steps: Cow::Borrowed(steps), then }
    }

    /// One sound without end.
    pub fn continuous(sound: Sound) -> Self {
        Self { steps: Cow::Owned(alloc::vec![Step::new(sound, 1000)]), then: Then::Hold }
    }

    /// One sound for `millis` milliseconds.
    pub fn once(sound: Sound, millis: u32) -> Self {
        Self { steps: Cow::Owned(alloc::vec![Step::new(sound, millis)]), then: Then::Stop }
    }

    /// A key of the keypad, pressed for `millis` milliseconds.
    pub fn digit(digit: Digit, millis: u32) -> Self {
        Self::once(digit_sound(digit), millis)
    }
}

/// The two sines of a key at the levels that phones send: the higher one 2 dB louder (ETSI ES 201 235-2).
pub const fn digit_levels() -> (Level, Level) {
    (Level::dbm0(-9.0), Level::dbm0(-7.0))
}

fn digit_sound(digit: Digit) -> Sound {
    let (row, column) = digit.frequencies();
    let (low, high) = digit_levels();
    Sound::Dual(Sine::new(row, low), Sine::new(column, high))
}
