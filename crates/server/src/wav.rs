//! WAV files as telephones play them.

use std::path::Path;

use audio_codec::resampler::{COEFFS_LEN, Resampler};
use selsius_media::SAMPLE_RATE;
use thiserror::Error;

/// Why a file cannot be played.
#[derive(Debug, Error)]
pub(crate) enum WavError {
    #[error(transparent)]
    Wav(#[from] hound::Error),
    #[error("has {0} bits a sample; expected 8, 16, 24 or 32")]
    Bits(u16),
    #[error("has {0} samples a second; expected 8000 to 192000")]
    Rate(u32),
}

/// The first so many seconds of a WAV file, as one channel at [`SAMPLE_RATE`]. Waits for the disk.
pub(crate) fn read(path: &Path, most_seconds: usize) -> Result<Vec<i16>, WavError> {
    let mut reader = hound::WavReader::open(path)?;
    let format = reader.spec();
    if !(8000..=192_000).contains(&format.sample_rate) {
        return Err(WavError::Rate(format.sample_rate));
    }
    let most =
        most_seconds.saturating_mul(format.sample_rate as usize).saturating_mul(format.channels.into());
    let samples: Vec<i32> = match format.sample_format {
        hound::SampleFormat::Float => {
            let whole = |sample: f32| (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i32;
            reader.samples::<f32>().take(most).map(|sample| sample.map(whole)).collect::<Result<_, _>>()?
        }
        hound::SampleFormat::Int => {
            let shift = match format.bits_per_sample {
                8 => -8_i32,
                16 => 0,
                24 => 8,
                32 => 16,
                bits => return Err(WavError::Bits(bits)),
            };
            let scale = |sample: i32| if shift < 0 { sample << -shift } else { sample >> shift };
            reader.samples::<i32>().take(most).map(|sample| sample.map(scale)).collect::<Result<_, _>>()?
        }
    };
    let channels = usize::from(format.channels.max(1));
    let mono: Vec<i16> = samples
        .chunks(channels)
        .map(|frame| {
            let sum: i64 = frame.iter().map(|&sample| i64::from(sample)).sum();
            let mean = sum / i64::try_from(frame.len()).unwrap_or(1);
            i16::try_from(mean).unwrap_or(if mean < 0 { i16::MIN } else { i16::MAX })
        })
        .collect();
    if format.sample_rate == SAMPLE_RATE {
        return Ok(mono);
    }
    let mut coefficients = vec![0.0; COEFFS_LEN];
    let rates = (format.sample_rate as usize, SAMPLE_RATE as usize);
    let rate = |_| WavError::Rate(format.sample_rate);
    let mut resampler = Resampler::new(rates.0, rates.1, &mut coefficients).map_err(rate)?;
    let mut out = vec![0; resampler.max_output_samples(mono.len())];
    let len = resampler.resample_into(&mono, &mut out).map_err(rate)?;
    out.truncate(len);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::{f64::consts::TAU, path::PathBuf};

    use selsius_media::{Level, tone::detect::level_of};

    use super::*;

    fn file(folder: &Path, name: &str, spec: hound::WavSpec, sample: impl Fn(usize) -> i32) -> PathBuf {
        let path = folder.join(name);
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for at in 0..spec.sample_rate as usize {
            for _ in 0..spec.channels {
                writer.write_sample(sample(at)).unwrap();
            }
        }
        writer.finalize().unwrap();
        path
    }

    #[test]
    fn files_of_any_rate_width_and_number_of_channels_sound_the_same() {
        let folder = tempfile::tempdir().unwrap();
        for (rate, channels, bits) in
            [(8000, 1, 16), (44_100, 2, 16), (48_000, 1, 24), (16_000, 2, 32), (8000, 1, 8)]
        {
            let sample_format = hound::SampleFormat::Int;
            let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format };
            let peak = f64::from(1_u32 << (bits - 2));
            let sine = |at: usize| (peak * (TAU * 1000.0 * at as f64 / f64::from(rate)).sin()) as i32;
            let path = file(folder.path(), &format!("{rate}-{channels}-{bits}.wav"), spec, sine);
            let samples = read(&path, 10).unwrap();
            assert!(samples.len().abs_diff(8000) < 200, "{rate}: {}", samples.len());
            let middle = &samples[3000..5000];
            // Half of full scale.
            assert!(
                (Level::of(middle).as_dbm0() - level_of(1000, middle).as_dbm0()).abs() < 0.5,
                "{rate} {bits}"
            );
            let peak = middle.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
            assert!((15_000..17_500).contains(&peak), "{rate} {bits}: {peak}");
        }
    }

    #[test]
    fn what_cannot_be_played_is_an_error_and_what_is_too_long_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("broken.wav"), b"RIFF").unwrap();
        assert!(read(&folder.path().join("broken.wav"), 10).is_err());
        assert!(read(&folder.path().join("missing.wav"), 10).is_err());
        let sample_format = hound::SampleFormat::Int;
        let slow = hound::WavSpec { channels: 1, sample_rate: 4000, bits_per_sample: 16, sample_format };
        let path = file(folder.path(), "slow.wav", slow, |_| 1);
        assert!(matches!(read(&path, 10), Err(WavError::Rate(4000))));
        let plain = hound::WavSpec { sample_rate: 8000, ..slow };
        let path = file(folder.path(), "plain.wav", plain, |at| (at % 100) as i32);
        assert_eq!(read(&path, 10).unwrap()[..3], [0, 1, 2]);
        assert!(read(&path, 0).unwrap().is_empty());
    }
}
