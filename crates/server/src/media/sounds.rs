//! What people hear who wait: that it rings somewhere, and the site's music. Each is a source of the media engine, encoded once
//! for all who hear it.

use std::{collections::BTreeMap, f64::consts::TAU, path::PathBuf, sync::Arc};

use selsius_media::{
    SAMPLE_RATE,
    engine::{Clip, SourceId},
    tone::{Plan, Signal},
};
use selsius_site::{Music, Name, Site, TonePlan};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet, spawn_blocking},
};

use super::{Commands, Handle, Live, Order, feed};
use crate::{
    core::{self, Command},
    wav,
};

/// The source of the tone that tells that somebody's phone rings.
pub(crate) const RINGING: SourceId = SourceId(0);

/// The source of silence: who hears no packets takes the call for dead, and so do trunks.
pub(crate) const SILENCE: SourceId = SourceId(u32::MAX);

/// The longest music of one name: half an hour, which takes 29 MB.
const LONGEST_SECONDS: usize = 1800;

/// Gives the media engine the sounds of the site, as it is and whenever it changes, and tells the exchange and the voice
/// applications what they are called.
pub(crate) async fn follow(
    mut site: watch::Receiver<Arc<Site>>,
    folder: PathBuf,
    commands: Commands,
    media: Handle,
    exchange: core::Handle,
    names: watch::Sender<BTreeMap<Name, SourceId>>,
) {
    give(&media, SILENCE, Some(Clip::Loop([0; 160].into())));
    let mut known: BTreeMap<Name, (Music, SourceId)> = BTreeMap::new();
    // What is live ends with this, and so do the commands that make it.
    let mut feeds = JoinSet::new();
    let mut feeding: BTreeMap<SourceId, AbortHandle> = BTreeMap::new();
    let mut next = RINGING.0;
    loop {
        let now = Arc::clone(&site.borrow_and_update());
        let plan = plan(now.settings.tones);
        give(&media, RINGING, Some(Clip::Tone(plan.tone(Signal::Alerting))));
        let (stay, go): (BTreeMap<_, _>, _) =
            known.into_iter().partition(|(name, _)| now.music.contains_key(name));
        known = stay;
        for (_, source) in go.into_values() {
            if let Some(feed) = feeding.remove(&source) {
                feed.abort();
            }
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
            if let Some(feed) = feeding.remove(&source) {
                feed.abort();
                order(&media, Order::Live(source, Live::No));
            }
            if music.stream.is_some() || !music.command.is_empty() {
                let fed = feed::feed(media.clone(), source, name.clone(), music.clone(), commands);
                feeding.insert(source, feeds.spawn(fed));
            }
            known.insert(name.clone(), (music.clone(), source));
        }
        let now: BTreeMap<_, _> = known.iter().map(|(name, (_, source))| (name.clone(), *source)).collect();
        names.send_replace(now.clone());
        exchange.deliver(Command::Music(now)).await;
        if site.changed().await.is_err() {
            return;
        }
    }
}

fn give(media: &Handle, source: SourceId, clip: Option<Clip>) {
    order(media, Order::Source(source, clip));
}

fn order(media: &Handle, order: Order) {
    if media.send(order).is_err() {
        tracing::warn!("a sound is missing: the media thread has no time");
    }
}

/// The music of its files, in their order; a melody of our own where there is none.
async fn read(music: Music, folder: PathBuf, name: Name) -> Arc<[i16]> {
    let files = spawn_blocking(move || {
        let mut samples = Vec::new();
        for file in &music.files {
            let path = folder.join(file);
            match wav::read(&path, LONGEST_SECONDS) {
                Ok(read) => samples.extend(read),
                Err(error) => {
                    let (music, path) = (name.as_str(), path.display());
                    tracing::warn!(music, %path, "cannot play: {error}");
                }
            }
        }
        samples.truncate(LONGEST_SECONDS * SAMPLE_RATE as usize);
        samples
    });
    match files.await {
        Ok(samples) if !samples.is_empty() => samples.into(),
        _ => melody().into(),
    }
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
    use selsius_media::tone::detect::level_of;

    use super::*;

    #[test]
    fn what_is_no_music_is_said_and_does_not_stop_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("broken.wav"), b"RIFF").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let music = Music { files: vec!["broken.wav".into(), "missing.wav".into()], ..Music::default() };
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
