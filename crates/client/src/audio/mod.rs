//! What a phone says: silence, a tone, or a file.

mod wav;

use std::{path::Path, sync::Arc};

use selsius_media::{
    Band, Level, SAMPLE_RATE, Tone, ToneGenerator,
    coder::Converter,
    tone::{Sine, Sound},
};

pub(crate) use wav::Recorder;
pub use wav::WavError;

/// What the microphone of a phone hears. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub enum AudioSource {
    /// Nothing: packets go out all the same, as from a phone without silence suppression.
    #[default]
    Silence,
    /// A sine of so many Hz at -10 dBm0, below 4000; below 8000 in a wide-band call.
    Tone(u16),
    /// These samples, once, and silence after them.
    Samples(Arc<[i16]>),
}

impl AudioSource {
    /// How loud a [`AudioSource::Tone`] is.
    pub const TONE_LEVEL: Level = Level::dbm0(-10.0);
    /// Longest file that is taken, in seconds; it is kept in memory.
    pub const LONGEST_FILE_S: u32 = 600;

    /// A WAV file: PCM of 8 to 32 bits or floating point, any rate and number of channels; channels are mixed, and the
    /// rate becomes 8000 Hz.
    ///
    /// # Errors
    /// Where the file cannot be read, is no such WAV file, or is longer than [`AudioSource::LONGEST_FILE_S`].
    pub fn open(path: &Path) -> Result<Self, WavError> {
        wav::read(path).map(|samples| Self::Samples(samples.into()))
    }

    /// How long it lasts, in seconds; `None` without an end.
    pub fn seconds(&self) -> Option<f64> {
        match self {
            Self::Silence | Self::Tone(_) => None,
            Self::Samples(samples) => Some(samples.len() as f64 / f64::from(SAMPLE_RATE)),
        }
    }
}

/// A source being played.
#[derive(Debug)]
pub(crate) enum Player {
    Silence,
    Tone(Box<ToneGenerator>),
    Samples {
        samples: Arc<[i16]>,
        at: usize,
    },
    /// Narrow-band samples for a wide-band call.
    Doubled {
        player: Box<Player>,
        narrow: Vec<i16>,
        converter: Converter,
    },
}

impl Player {
    /// Plays it at the rate of a band.
    pub(crate) fn new(source: &AudioSource, band: Band) -> Self {
        match source {
            AudioSource::Silence => Self::Silence,
            AudioSource::Tone(frequency) => {
                let sine = Sine::new(*frequency, AudioSource::TONE_LEVEL);
                Self::Tone(Box::new(ToneGenerator::at(band, Tone::continuous(Sound::Single(sine)))))
            }
            AudioSource::Samples(samples) => {
                let player = Self::Samples { samples: samples.clone(), at: 0 };
                match band {
                    Band::Narrow => player,
                    Band::Wide => Self::Doubled {
                        player: Box::new(player),
                        narrow: Vec::new(),
                        converter: Converter::new(),
                    },
                }
            }
        }
    }

    pub(crate) fn fill(&mut self, out: &mut [i16]) {
        match self {
            Self::Silence => out.fill(0),
            Self::Tone(generator) => generator.fill(out),
            Self::Samples { samples, at } => {
                let rest = samples.get(*at..).unwrap_or_default();
                let len = rest.len().min(out.len());
                let (sound, silence) = out.split_at_mut(len);
                sound.copy_from_slice(&rest[..len]);
                silence.fill(0);
                *at += len;
            }
            Self::Doubled { player, narrow, converter } => {
                narrow.resize(out.len() / 2, 0);
                player.fill(narrow);
                converter.convert((Band::Narrow, narrow), (Band::Wide, out));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_play_once_in_pieces_of_any_size() {
        let mut player = Player::new(&AudioSource::Samples(Arc::from([1, 2, 3, 4, 5])), Band::Narrow);
        let mut out = [9; 3];
        player.fill(&mut out);
        assert_eq!(out, [1, 2, 3]);
        player.fill(&mut out);
        assert_eq!(out, [4, 5, 0]);
        player.fill(&mut out);
        assert_eq!(out, [0, 0, 0]);
    }

    #[test]
    fn wide_band_calls_hear_the_same_at_twice_the_rate() {
        let mut tone = [0; 1600];
        Player::new(&AudioSource::Tone(440), Band::Narrow).fill(&mut tone);
        let mut wide = [0; 3200];
        Player::new(&AudioSource::Samples(Arc::from(tone)), Band::Wide).fill(&mut wide);
        let mut direct = [0; 3200];
        Player::new(&AudioSource::Tone(440), Band::Wide).fill(&mut direct);
        // Later by the half of a filter.
        let off = direct.iter().zip(&wide[24..]).map(|(&a, &b)| a.abs_diff(b)).skip(100).max().unwrap();
        assert!(off < 60, "{off}");
    }

    #[test]
    fn a_tone_is_the_tone() {
        let mut out = [0; selsius_media::tone::detect::BLOCK];
        Player::new(&AudioSource::Tone(440), Band::Narrow).fill(&mut out);
        let heard = selsius_media::tone::detect::analyze(&out);
        assert_eq!(heard.content.to_string(), "440 Hz");
        assert!((heard.level.as_dbm0() - AudioSource::TONE_LEVEL.as_dbm0()).abs() < 0.2);
    }
}
