//! WAV files, read into 8 kHz and written from it.

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use selsius_media::SAMPLE_RATE;

use super::AudioSource;

/// Why a WAV file could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
pub struct WavError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: WavProblem,
}

/// What is wrong with a WAV file.
#[derive(Debug, thiserror::Error)]
pub enum WavProblem {
    /// It cannot be read or written, or is no WAV file with PCM.
    #[error("not a WAV file with PCM samples that can be used")]
    File(#[from] hound::Error),
    /// There is no such file, or it may not be opened.
    #[error("cannot open the file")]
    Open(#[from] std::io::Error),
    /// It is too long to be kept in memory.
    #[error("{seconds} s are longer than the {limit} s that a phone plays")]
    TooLong {
        /// How long it is.
        seconds: u32,
        /// The limit.
        limit: u32,
    },
    /// A sample rate of zero, or one that no sound has.
    #[error("a sample rate of {0} Hz cannot be used (1000 to 192000)")]
    Rate(u32),
}

/// The file as 16-bit samples at 8 kHz.
pub(super) fn read(path: &Path) -> Result<Vec<i16>, WavError> {
    try_read(path).map_err(|problem| WavError { path: path.into(), problem })
}

fn try_read(path: &Path) -> Result<Vec<i16>, WavProblem> {
    let reader = WavReader::new(std::io::BufReader::new(File::open(path)?))?;
    let spec = reader.spec();
    if !(1_000..=192_000).contains(&spec.sample_rate) {
        return Err(WavProblem::Rate(spec.sample_rate));
    }
    let seconds = reader.duration() / spec.sample_rate;
    if seconds > AudioSource::LONGEST_FILE_S {
        return Err(WavProblem::TooLong { seconds, limit: AudioSource::LONGEST_FILE_S });
    }
    let channels = usize::from(spec.channels.max(1));
    let mono = match spec.sample_format {
        SampleFormat::Float => mix(reader.into_samples::<f32>(), channels)?,
        SampleFormat::Int => {
            let full = (1_i64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            mix(
                reader.into_samples::<i32>().map(|sample| sample.map(|sample| sample as f32 / full)),
                channels,
            )?
        }
    };
    Ok(resample(&mono, spec.sample_rate)
        .into_iter()
        .map(|sample| (sample * 32_768.0).round() as i16)
        .collect())
}

/// The mean of the channels.
fn mix(samples: impl Iterator<Item = hound::Result<f32>>, channels: usize) -> Result<Vec<f32>, WavProblem> {
    let mut mono = Vec::new();
    let (mut sum, mut count) = (0.0, 0);
    for sample in samples {
        sum += sample?;
        count += 1;
        if count == channels {
            mono.push(sum / channels as f32);
            (sum, count) = (0.0, 0);
        }
    }
    Ok(mono)
}

/// Converts to 8 kHz by the mean over the time of each new sample, of the straight lines between the old ones. That
/// lets a little of what lies above 4 kHz through, which is good enough for a telephone.
fn resample(samples: &[f32], rate: u32) -> Vec<f32> {
    if rate == SAMPLE_RATE {
        return samples.to_vec();
    }
    let Some(last) = samples.len().checked_sub(1) else { return Vec::new() };
    let step = f64::from(rate) / f64::from(SAMPLE_RATE);
    let at = |place: f64| {
        let place = place.clamp(0.0, last as f64);
        let (before, part) = (place.floor() as usize, place.fract() as f32);
        let after = (before + 1).min(last);
        samples[before] + (samples[after] - samples[before]) * part
    };
    // As many points in each new sample as it covers old ones.
    let points = step.ceil().max(1.0) as usize;
    let len = (samples.len() as f64 / step).round() as usize;
    let mean = |n: usize| {
        let sum: f32 = (0..points).map(|point| at((n as f64 + point as f64 / points as f64) * step)).sum();
        sum / points as f32
    };
    (0..len).map(mean).collect()
}

/// A WAV file being written: 16 bits, 8 kHz, one channel.
///
/// Its writes go to a buffer and every few thousand samples to the operating system's cache, so that they do not hold
/// up the phone's thread in a way that could be heard.
pub(crate) struct Recorder {
    path: PathBuf,
    writer: WavWriter<BufWriter<File>>,
}

impl Recorder {
    pub(crate) fn create(path: &Path) -> Result<Self, WavError> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let create = || Ok(WavWriter::new(BufWriter::new(File::create(path)?), spec)?);
        let writer = create().map_err(|problem: WavProblem| WavError { path: path.into(), problem })?;
        Ok(Self { path: path.into(), writer })
    }

    pub(crate) fn write(&mut self, samples: &[i16]) -> Result<(), WavError> {
        let mut write = || samples.iter().try_for_each(|sample| self.writer.write_sample(*sample));
        write().map_err(|error| WavError { path: self.path.clone(), problem: error.into() })
    }

    /// Completes the file.
    pub(crate) fn finish(self) -> Result<(), WavError> {
        let Self { path, writer } = self;
        writer.finalize().map_err(|error| WavError { path, problem: error.into() })
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use selsius_media::tone::detect::{BLOCK, analyze};

    use super::*;

    fn write(path: &Path, spec: WavSpec, seconds: f32) {
        let mut writer = WavWriter::create(path, spec).unwrap();
        for n in 0..(spec.sample_rate as f32 * seconds) as u32 {
            let value = 0.5 * (TAU * 440.0 * n as f32 / spec.sample_rate as f32).sin();
            for _ in 0..spec.channels {
                match (spec.sample_format, spec.bits_per_sample) {
                    (SampleFormat::Float, _) => writer.write_sample(value).unwrap(),
                    (SampleFormat::Int, bits) => {
                        writer.write_sample((value * ((1_i64 << (bits - 1)) - 1) as f32) as i32).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
    }

    #[test]
    fn files_of_any_form_become_telephone_sound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        let forms = [
            (8_000, 1, 16),
            (44_100, 2, 16),
            (48_000, 1, 24),
            (16_000, 6, 32),
            (6_000, 1, 8),
            (11_025, 2, 0),
        ];
        for (sample_rate, channels, bits) in forms {
            let (bits_per_sample, sample_format) =
                if bits == 0 { (32, SampleFormat::Float) } else { (bits, SampleFormat::Int) };
            write(&path, WavSpec { channels, sample_rate, bits_per_sample, sample_format }, 0.5);
            let samples = read(&path).unwrap();
            assert!(samples.len().abs_diff(4_000) < 3, "{sample_rate}: {}", samples.len());
            let heard = analyze(&samples[400..400 + BLOCK]);
            assert_eq!(heard.content.to_string(), "440 Hz", "{sample_rate} {channels} {bits}");
            // Half of full scale: 6 dB below the loudest sine of +3.14 dBm0.
            assert!(
                (heard.level.as_dbm0() + 2.9).abs() < 0.3,
                "{sample_rate} {channels} {bits}: {:?}",
                heard.level
            );
        }
    }

    #[test]
    fn what_is_no_wav_file_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let missing = read(&folder.path().join("missing.wav")).unwrap_err();
        assert!(matches!(missing.problem, WavProblem::Open(_)), "{missing:?}");
        let path = folder.path().join("text.wav");
        std::fs::write(&path, "no sound").unwrap();
        let text = read(&path).unwrap_err();
        assert!(matches!(text.problem, WavProblem::File(_)), "{text:?}");
        assert!(text.to_string().ends_with("text.wav"));
    }

    #[test]
    fn a_recording_can_be_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.wav");
        let mut recorder = Recorder::create(&path).unwrap();
        recorder.write(&[1, -2, 3]).unwrap();
        recorder.write(&[i16::MIN, i16::MAX]).unwrap();
        recorder.finish().unwrap();
        assert_eq!(read(&path).unwrap(), [1, -2, 3, i16::MIN, i16::MAX]);
        assert!(Recorder::create(&folder.path().join("no/such/folder.wav")).is_err());
    }
}
