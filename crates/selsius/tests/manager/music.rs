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

/// A manager with this music, on which Bob is on hold.
async fn bob_waits(music: &str, config: &str) -> (tempfile::TempDir, Manager, Phone, Phone) {
    let top = tempfile::tempdir().unwrap();
    let path = top.path().join("selsius.toml");
    std::fs::write(&path, config).unwrap();
    let manager = Manager::start(top.path(), &["--config", path.to_str().unwrap()]);
    manager.apply(&OFFICE.replace("files = [\"hum.wav\"]", music));
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
    (top, manager, alice, bob)
}

/// The first note of the manager's own melody.
async fn hears_melody(bob: &mut Phone) {
    until(bob, |now| match now.voice.heard {
        Some(Content::Single(peak) | Content::Dual(peak, _)) => (peak.frequency - 494.0).abs() < 6.0,
        _ => false,
    })
    .await;
}

/// A sine of this frequency in real time, as `arguments` want it.
fn ffmpeg(hertz: u32, arguments: &[&str]) -> std::process::Child {
    let mut command = std::process::Command::new("ffmpeg");
    command.args(["-loglevel", "error", "-re", "-f", "lavfi", "-i"]);
    command.arg(format!("sine=frequency={hertz}:sample_rate=8000")).args(arguments);
    command.stdin(std::process::Stdio::null()).spawn().unwrap()
}

fn has_ffmpeg() -> bool {
    let has = std::process::Command::new("ffmpeg").arg("-version").output().is_ok();
    if !has {
        crate::support::skipped("there is no ffmpeg");
    }
    has
}

#[tokio::test]
async fn a_live_stream_is_heard_while_it_comes_and_the_melody_while_not() {
    if !has_ffmpeg() {
        return;
    }
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_top, _manager, _alice, mut bob) = bob_waits(&format!("stream = \"{free}\""), "").await;
    hears_melody(&mut bob).await;
    let to = format!("rtp://{free}");
    let mut radio = ffmpeg(700, &["-ar", "8000", "-ac", "1", "-c:a", "pcm_alaw", "-f", "rtp", &to]);
    hears(&mut bob, 700.0).await;
    radio.kill().unwrap();
    radio.wait().unwrap();
    hears_melody(&mut bob).await;
    // Another sender, in the other law.
    let mut radio = ffmpeg(1300, &["-ar", "8000", "-ac", "1", "-c:a", "pcm_mulaw", "-f", "rtp", &to]);
    hears(&mut bob, 1300.0).await;
    radio.kill().unwrap();
    radio.wait().unwrap();
    assert_eq!(bob.now().voice.received.lost, 0);
}

#[tokio::test]
async fn what_a_command_writes_is_heard_and_the_command_is_started_again() {
    if !has_ffmpeg() {
        return;
    }
    // As fast as it can: a second of it, and the end.
    let command = r#"command = ["ffmpeg", "-loglevel", "quiet", "-f", "lavfi", "-i", "sine=frequency=800:duration=3", "-f", "s16le", "-ar", "8000", "-ac", "1", "-"]"#;
    let (_top, manager, _alice, mut bob) = bob_waits(command, "[media]\ncommands = true\n").await;
    hears(&mut bob, 800.0).await;
    hears_melody(&mut bob).await;
    hears(&mut bob, 800.0).await;
    let (_, _, log) = tokio::task::spawn_blocking(move || {
        manager.signal(rustix::process::Signal::INT);
        manager.end()
    })
    .await
    .unwrap();
    assert!(log.iter().any(|line| line.contains("the command has ended (exit status: 0)")), "{log:#?}");
}

#[tokio::test]
async fn a_command_of_the_site_is_not_run_unless_the_configuration_says_so() {
    let top = tempfile::tempdir().unwrap();
    let file = top.path().join("made");
    let command = format!("command = [\"touch\", \"{}\"]", file.display());
    let (_top, manager, _alice, mut bob) = bob_waits(&command, "").await;
    hears_melody(&mut bob).await;
    let (_, _, log) = tokio::task::spawn_blocking(move || {
        manager.signal(rustix::process::Signal::INT);
        manager.end()
    })
    .await
    .unwrap();
    assert!(log.iter().any(|line| line.contains("its command is not run")), "{log:#?}");
    assert!(!file.exists());
}
