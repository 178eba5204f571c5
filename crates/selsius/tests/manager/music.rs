//! What a phone on hold hears.

use std::f64::consts::TAU;

use selsius_client::{AudioSource, Options, Phone};
use selsius_media::tone::detect::Content;
use selsius_station::{Action, Config, ModelClass};
use selsius_wire::value::CallState;

use crate::support::{Manager, until};

const OFFICE: &str = r#"
[settings]
codecs = ["pcma", "pcmu"]
music = "hum"
[music.hum]
files = ["hum.wav"]
[lines.1001]
[lines.1002]
[devices.SEP020000001001]
model = "7960"
buttons = [{ line = "1001" }]
[devices.SEP020000001002]
model = "7960"
buttons = [{ line = "1002" }]
"#;

/// Hertz of the music, and of the caller.
const MUSIC: f64 = 600.0;
const ALICE: u16 = 1000;

async fn hears(phone: &mut Phone, hertz: f64) {
    until(phone, |now| match now.voice.heard {
        Some(Content::Single(peak)) => (f64::from(peak.frequency) - hertz).abs() < 5.0,
        _ => false,
    })
    .await;
}

#[tokio::test]
async fn who_is_on_hold_hears_music_of_a_file() {
    let top = tempfile::tempdir().unwrap();
    std::fs::create_dir(top.path().join("music")).unwrap();
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels: 2, sample_rate: 44_100, bits_per_sample: 16, sample_format };
    let mut wav = hound::WavWriter::create(top.path().join("music/hum.wav"), spec).unwrap();
    for at in 0..44_100 {
        let sample = (8000.0 * (TAU * MUSIC * f64::from(at) / 44_100.0).sin()) as i16;
        for _ in 0..2 {
            wav.write_sample(sample).unwrap();
        }
    }
    wav.finalize().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    let [mut alice, mut bob] = ["SEP020000001001", "SEP020000001002"].map(|name| {
        let options = Options { source: AudioSource::Tone(ALICE), ..Options::default() };
        Phone::start(manager.sccp.into(), Config::new(name, ModelClass::P7960), options)
    });
    for phone in [&mut alice, &mut bob] {
        until(phone, |now| now.face.registered).await;
    }
    alice.act(Action::OffHook).await.unwrap();
    until(&mut alice, |now| now.face.tone.is_some()).await;
    alice.act(Action::Dial("1002".into())).await.unwrap();
    until(&mut bob, |now| now.face.ringing.is_some()).await;
    bob.act(Action::OffHook).await.unwrap();
    hears(&mut bob, ALICE.into()).await;

    alice.act(Action::SoftKey("Hold".into())).await.unwrap();
    hears(&mut bob, MUSIC).await;
    let held =
        |now: &selsius_client::Snapshot| now.face.calls.iter().any(|call| call.state == CallState::Hold);
    until(&mut alice, held).await;
    alice.act(Action::SoftKey("Resume".into())).await.unwrap();
    hears(&mut bob, ALICE.into()).await;
    hears(&mut alice, ALICE.into()).await;
}
