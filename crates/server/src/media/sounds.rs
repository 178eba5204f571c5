//! What people hear who wait: that it rings somewhere, and the site's music. Each is a source of the media engine, encoded once
//! for all who hear it.

use std::{
    collections::BTreeMap,
    f64::consts::TAU,
    path::{Path, PathBuf},
    sync::Arc,
};

use audio_codec::resampler::{COEFFS_LEN, Resampler};
use selsius_media::{
    SAMPLE_RATE,
    engine::{Clip, SourceId},
    tone::{Plan, Signal},
};
use selsius_site::{Music, Name, Site, TonePlan};
use thiserror::Error;
use tokio::{sync::watch, task::spawn_blocking};

use super::{Handle, Order};
use crate::core::{self, Command};

/// The source of the tone that tells that somebody's phone rings.
pub(crate) const RINGING: SourceId = SourceId(0);

/// The longest music of one name: half an hour, which takes 29 MB.
const MOST_SAMPLES: usize = 1800 * SAMPLE_RATE as usize;

/// Why a file is no music.
#[derive(Debug, Error)]
enum MusicError {
    #[error(transparent)]
    Wav(#[from] hound::Error),
    #[error("has {0} bits a sample; expected 8, 16, 24 or 32")]
    Bits(u16),
    #[error("has {0} samples a second; expected 8000 to 192000")]
    Rate(u32),
}

/// Gives the media engine the sounds of the site, as it is and whenever it changes, and tells the exchange what they are called.
pub(crate) async fn follow(
    mut site: watch::Receiver<Arc<Site>>,
    folder: PathBuf,
    media: Handle,
    exchange: core::Handle,
) {
    let mut known: BTreeMap<Name, (Music, SourceId)> = BTreeMap::new();
    let mut next = RINGING.0;
    loop {
        let now = Arc::clone(&site.borrow_and_update());
        let plan = plan(now.settings.tones);
        give(&media, RINGING, Some(Clip::Tone(plan.tone(Signal::Alerting))));
        let (stay, go): (BTreeMap<_, _>, _) =
            known.into_iter().partition(|(name, _)| now.music.contains_key(name));
        known = stay;
        for (_, source) in go.into_values() {
            give(&media, source, None);
        }
        for (name, music) in &now.music {
            if known.get(name).is_some_and(|(known, _)| known == music) {
                continue;
            }
            let source = known.get(name).map_or_else(
                || {
                    next += 1;
                    SourceId(next)
                },
                |(_, source)| *source,
            );
            let samples = read(music.clone(), folder.clone(), name.clone()).await;
            give(&media, source, Some(Clip::Loop(samples)));
            known.insert(name.clone(), (music.clone(), source));
        }
        let names = known.iter().map(|(name, (_, source))| (name.clone(), *source)).collect();
        exchange.deliver(Command::Music(names)).await;
        if site.changed().await.is_err() {
            return;
        }
    }
}

fn give(media: &Handle, source: SourceId, clip: Option<Clip>) {
    if media.send(Order::Source(source, clip)).is_err() {
        tracing::warn!(source = source.0, "a sound is missing: the media thread has no time");
    }
}

/// The music of its files, in their order; a melody of our own where there is none.
async fn read(music: Music, folder: PathBuf, name: Name) -> Arc<[i16]> {
    let files = spawn_blocking(move || {
        let mut samples = Vec::new();
        for file in &music.files {
            let path = folder.join(file);
            match wav(&path) {
                Ok(read) => samples.extend(read),
                Err(error) => {
                    let (music, path) = (name.as_str(), path.display());
                    tracing::warn!(music, %path, "cannot play: {error}");
                }
            }
        }
        samples.truncate(MOST_SAMPLES);
        samples
    });
    match files.await {
        Ok(samples) if !samples.is_empty() => samples.into(),
        _ => melody().into(),
    }
}

/// A WAV file as one channel at [`SAMPLE_RATE`].
fn wav(path: &Path) -> Result<Vec<i16>, MusicError> {
    let mut reader = hound::WavReader::open(path)?;
    let format = reader.spec();
    if !(8000..=192_000).contains(&format.sample_rate) {
        return Err(MusicError::Rate(format.sample_rate));
    }
    let most = MOST_SAMPLES.saturating_mul(format.sample_rate as usize / SAMPLE_RATE as usize);
    let most = most.saturating_mul(format.channels.into());
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
                bits => return Err(MusicError::Bits(bits)),
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
    let rate = |_| MusicError::Rate(format.sample_rate);
    let mut resampler = Resampler::new(rates.0, rates.1, &mut coefficients).map_err(rate)?;
    let mut out = vec![0; resampler.max_output_samples(mono.len())];
    let len = resampler.resample_into(&mono, &mut out).map_err(rate)?;
    out.truncate(len);
    Ok(out)
}

/// The tones of a site. Those of countries that have none of their own here are like Germany's: 425 Hz.
fn plan(tones: TonePlan) -> Plan {
    match tones {
        TonePlan::UnitedStates => Plan::NorthAmerica,
        TonePlan::Germany | TonePlan::UnitedKingdom | TonePlan::France => Plan::Germany,
    }
}

/// The theme of the last movement of Beethoven's ninth symphony (1824), as a music box plays it.
fn melody() -> Vec<i16> {
    /// Half tones above the first note of the scale, and beats.
    const NOTES: [(i32, f64); 30] = [
        (4, 1.0),
        (4, 1.0),
        (5, 1.0),
        (7, 1.0),
        (7, 1.0),
        (5, 1.0),
        (4, 1.0),
        (2, 1.0),
        (0, 1.0),
        (0, 1.0),
        (2, 1.0),
        (4, 1.0),
        (4, 1.5),
        (2, 0.5),
        (2, 2.0),
        (4, 1.0),
        (4, 1.0),
        (5, 1.0),
        (7, 1.0),
        (7, 1.0),
        (5, 1.0),
        (4, 1.0),
        (2, 1.0),
        (0, 1.0),
        (0, 1.0),
        (2, 1.0),
        (4, 1.0),
        (2, 1.5),
        (0, 0.5),
        (0, 4.0),
    ];
    /// Hertz of the first note: G4.
    const FIRST: f64 = 392.0;
    const BEAT_SECONDS: f64 = 0.5;
    /// -16 dB below full scale.
    const PEAK: f64 = 5200.0;
    let rate = f64::from(SAMPLE_RATE);
    let note = |&(above, beats): &(i32, f64)| {
        let frequency = FIRST * 2_f64.powf(f64::from(above) / 12.0);
        let length = (beats * BEAT_SECONDS * rate) as u32;
        (0..length).map(move |at| {
            let time = f64::from(at) / rate;
            // Struck, then dying away; silent at the end, so that notes do not click.
            let struck = (time / 0.005).min(1.0) * (-time * 3.0).exp();
            let end = (f64::from(length - at) / rate / 0.01).min(1.0);
            let sound = (TAU * frequency * time).sin() + 0.3 * (TAU * 2.0 * frequency * time).sin();
            (PEAK * struck * end * sound) as i16
        })
    };
    NOTES.iter().flat_map(note).collect()
}

#[cfg(test)]
mod tests {
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
            let samples = wav(&path).unwrap();
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
    fn what_is_no_music_is_said_and_does_not_stop_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("broken.wav"), b"RIFF").unwrap();
        assert!(wav(&folder.path().join("broken.wav")).is_err());
        assert!(wav(&folder.path().join("missing.wav")).is_err());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let music = Music { files: vec!["broken.wav".into(), "missing.wav".into()] };
        let name: Name = "bells".parse().unwrap();
        let samples = runtime.block_on(read(music, folder.path().into(), name));
        assert_eq!(&*samples, &melody()[..], "our own melody instead");
    }

    #[test]
    fn the_melody_begins_with_its_third_and_ends_silent() {
        let samples = melody();
        let level = |frequency, at: usize| level_of(frequency, &samples[at..at + 1600]).as_dbm0();
        assert!(level(494, 400) > level(392, 400) + 20.0, "B, not G");
        assert!(samples.iter().all(|sample| sample.unsigned_abs() < 8000));
        assert!(samples[samples.len() - 1].unsigned_abs() < 10);
    }
}
