//! Calls that are recorded: what is in the files, what the parties hear of it, and what is left when something breaks.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use selsius_client::{AudioSource, Options, Phone};
use selsius_media::tone::detect::{Content, level_of};
use selsius_server::api::{Health, LogEntry, ProblemKind, Recording};
use selsius_station::{Action, Config, ModelClass};
use selsius_wire::value::CallState;

use crate::support::{Manager, fails, on_a_disk_that_can_fail, output, skipped, until};

const OFFICE: &str = r#"
[settings]
codecs = ["pcmu"]
recording-beep = 2
[lines.1001]
record = "key"
[lines.1002]
[lines.1003]
record = "always"
[devices.SEP020000001001]
model = "7960"
buttons = [{ line = "1001" }]
[devices.SEP020000001002]
model = "7960"
buttons = [{ line = "1002" }]
[devices.SEP020000001003]
model = "7960"
buttons = [{ line = "1003" }]
[routes.112]
lines = ["1002"]
emergency = true
"#;

const BEEP: u16 = 1400;
const BOB: u16 = 1000;
const CALLER: u16 = 440;

/// Bob, and whoever has this line: registered, each with a tone of its own.
async fn phones(manager: &Manager, caller: &str) -> [Phone; 2] {
    let phone = |line: &str, tone| {
        let options = Options { source: AudioSource::Tone(tone), ..Options::default() };
        let config = Config::new(format!("SEP02000000{line}"), ModelClass::P7960);
        Phone::start(manager.sccp.into(), config, options)
    };
    let mut phones = [phone(caller, CALLER), phone("1002", BOB)];
    for phone in &mut phones {
        until(phone, |now| now.face.registered).await;
    }
    phones
}

async fn call([caller, bob]: &mut [Phone; 2], number: &str) {
    caller.act(Action::OffHook).await.unwrap();
    until(caller, |now| now.face.tone.is_some()).await;
    caller.act(Action::Dial(number.into())).await.unwrap();
    until(bob, |now| now.face.ringing.is_some()).await;
    bob.act(Action::OffHook).await.unwrap();
    for phone in [caller, bob] {
        until(phone, |now| now.face.calls.iter().any(|call| call.state == CallState::Connected)).await;
    }
}

async fn hang_up([caller, bob]: &mut [Phone; 2]) {
    for phone in [caller, bob] {
        phone.act(Action::OnHook).await.unwrap();
        until(phone, |now| now.face.calls.is_empty()).await;
    }
}

/// Waits until a phone hears one tone and nothing else, or that one and the beep.
async fn hears(phone: &mut Phone, tone: u16, beep: Option<u16>) {
    let near = |heard: f32, tone: u16| (heard - f32::from(tone)).abs() < 8.0;
    until(phone, |now| match (now.voice.heard, beep) {
        (Some(Content::Single(peak)), None) => near(peak.frequency, tone),
        (Some(Content::Dual(low, high)), Some(beep)) => {
            near(low.frequency, tone) && near(high.frequency, beep)
        }
        _ => false,
    })
    .await;
}

/// Waits for so many packets more.
async fn listens(phone: &mut Phone, packets: u64) {
    let before = phone.now().voice.received.packets;
    until(phone, |now| now.voice.received.packets >= before + packets).await;
}

fn recordings(manager: &Manager) -> Vec<Recording> {
    serde_json::from_str(&manager.ask(&["recordings", "list", "--json"])).unwrap()
}

/// The two channels of a file, as ffmpeg reads them; as hound does where there is no ffmpeg.
fn channels(file: &Path) -> [Vec<i16>; 2] {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-i"]).arg(file).args(["-f", "s16le", "pipe:1"]);
    let samples: Vec<i16> = match command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
        Ok(child) => {
            let read = output(child);
            assert!(read.status.success(), "{}", file.display());
            read.stdout.as_chunks().0.iter().map(|&bytes| i16::from_le_bytes(bytes)).collect()
        }
        Err(_) => {
            skipped("ffmpeg is not installed: the file is read by the library that has written it");
            hound::WavReader::open(file).unwrap().samples().map(Result::unwrap).collect()
        }
    };
    [0, 1].map(|channel| samples.iter().skip(channel).step_by(2).copied().collect())
}

/// How loud a tone is in the loudest 100 ms of a channel, in dBm0.
fn loudest(tone: u16, channel: &[i16]) -> f32 {
    channel.chunks_exact(800).map(|block| level_of(tone, block).as_dbm0()).fold(-99.0, f32::max)
}

fn the_only_part(manager: &Path) -> PathBuf {
    let mut files = fs::read_dir(manager.join("recordings")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none() && file.extension().unwrap() == "part", "{}", file.display());
    file
}

#[tokio::test]
async fn a_key_records_both_sides_and_both_hear_the_beep() {
    let top = tempfile::tempdir().unwrap();
    let mut manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    let mut phones = phones(&manager, "1001").await;
    call(&mut phones, "1002").await;
    for (phone, tone) in phones.iter_mut().zip([BOB, CALLER]) {
        hears(phone, tone, None).await;
    }
    let said = manager.ask(&["recordings", "list"]);
    assert!(said.starts_with("there are no recordings; `record` of"), "{said}");

    phones[0].act(Action::SoftKey("Record".into())).await.unwrap();
    for (phone, tone) in phones.iter_mut().zip([BOB, CALLER]) {
        hears(phone, tone, Some(BEEP)).await;
    }
    let prompt = |phone: &Phone| phone.now().face.calls[0].prompt.clone();
    assert_eq!((prompt(&phones[0]).as_str(), prompt(&phones[1]).as_str()), ("Recording", "Connected"));
    listens(&mut phones[0], 120).await;
    phones[0].act(Action::SoftKey("StopRec".into())).await.unwrap();
    manager.log.find(|line| line.contains("a call was recorded")).unwrap();
    for (phone, tone) in phones.iter_mut().zip([BOB, CALLER]) {
        hears(phone, tone, None).await;
    }
    hang_up(&mut phones).await;

    let found = recordings(&manager);
    let [one] = &found[..] else { panic!("{found:?}") };
    assert_eq!((one.calling.as_str(), one.called.as_str()), ("1001", "1002"));
    assert!((2..20).contains(&one.seconds), "{one:?}");
    let calls = manager.calls();
    assert_eq!(calls[0].recordings, std::slice::from_ref(&one.name));
    assert!(manager.ask(&["recordings", "list", "--number", "1002"]).contains(&one.name));
    assert!(!manager.ask(&["recordings", "list", "--number", "1003"]).contains(&one.name));
    let stored = manager.data_dir.join("recordings").join(&one.name);
    for path in [manager.data_dir.join("recordings"), stored] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }

    let file = top.path().join("out.wav");
    manager.ask(&["recordings", "get", &one.name, file.to_str().unwrap()]);
    let [left, right] = channels(&file);
    assert!(left.len().abs_diff(one.seconds as usize * 8000) <= 8000);
    for (channel, own, other) in [(&left, CALLER, BOB), (&right, BOB, CALLER)] {
        assert!(loudest(own, channel) > -20.0 && loudest(other, channel) < -45.0, "{own}");
    }
    assert!(loudest(BEEP, &right) > -20.0, "what the caller heard has the beep in it");
    assert!(loudest(BEEP, &left) < -45.0, "nobody said it");

    // Who listened and who deleted is known.
    manager.ask(&["recordings", "delete", &one.name]);
    let log: Vec<LogEntry> = serde_json::from_str(&manager.ask(&["log", "--json"])).unwrap();
    let what: Vec<_> = log.iter().take(2).map(|entry| entry.what.clone()).collect();
    assert_eq!(what, [format!("recordings delete {}", one.name), format!("recordings get {}", one.name)]);
    let said = fails(manager.command(&["recordings", "get", &one.name, "other.wav"]));
    assert!(said.contains("there is no recording") && said.contains("selsius recordings list"), "{said}");
    assert!(fails(manager.command(&["recordings", "delete", "../selsius.db"])).contains("there is no"));
    manager.stop();
}

#[tokio::test]
async fn what_was_recorded_before_a_kill_is_there() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    let mut pair = phones(&manager, "1003").await;
    call(&mut pair, "1002").await;
    hears(&mut pair[1], CALLER, None).await;
    listens(&mut pair[0], 100).await;
    manager.kill();
    // As it was left.
    let [left, right] = channels(&the_only_part(top.path()));
    assert!(left.len() >= 8000 && loudest(CALLER, &left) > -20.0 && loudest(BOB, &right) > -20.0);
    drop(pair);

    let config = top.path().join("selsius.toml");
    fs::write(&config, "[shutdown]\ngrace-seconds = 0\n").unwrap();
    let mut manager = Manager::start(top.path(), &["--config", config.to_str().unwrap()]);
    manager.log.find(|line| line.contains("a recording that was broken off is kept")).unwrap();
    let found = recordings(&manager);
    assert!(found.len() == 1 && found[0].seconds >= 1, "{found:?}");
    let file = manager.data_dir.join("recordings").join(&found[0].name);
    assert_eq!(channels(&file)[0].len(), left.len());

    // Stopped in order, in the middle of a call, it is whole at once.
    let mut pair = phones(&manager, "1003").await;
    call(&mut pair, "1002").await;
    hears(&mut pair[1], CALLER, None).await;
    listens(&mut pair[0], 60).await;
    manager.stop();
    let names: Vec<_> =
        fs::read_dir(top.path().join("recordings")).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(names.len() == 2 && names.iter().all(|name| name.extension().unwrap() == "wav"), "{names:?}");
}

#[tokio::test]
async fn a_full_disk_ends_the_recording_and_not_the_call() {
    let top = tempfile::tempdir().unwrap();
    let mut manager = Manager::run(top.path(), on_a_disk_that_can_fail(top.path()));
    manager.apply(OFFICE);
    let mut pair = phones(&manager, "1003").await;
    for (limit, number, kept) in [(1, "112", false), (100_000, "1002", true)] {
        manager.limit_files(Some(limit));
        call(&mut pair, number).await;
        hears(&mut pair[1], CALLER, None).await;
        manager.log.find(|line| line.contains("cannot record a call, or not any further")).unwrap();
        let health: Health = serde_json::from_str(&manager.ask(&["health", "--json"])).unwrap();
        assert!(health.ready, "{health:?}");
        assert!(health.problems.iter().any(|one| one.kind == ProblemKind::RecordingFailing), "{health:?}");
        // Directly again.
        until(&mut pair[0], |now| now.face.calls[0].prompt.as_str() == "Connected").await;
        listens(&mut pair[1], 50).await;
        hears(&mut pair[1], CALLER, None).await;
        hears(&mut pair[0], BOB, None).await;
        hang_up(&mut pair).await;
        manager.limit_files(None);
        let found = recordings(&manager);
        assert_eq!(found.len(), usize::from(kept), "{found:?}");
        let names: Vec<_> = found.iter().map(|one| one.name.clone()).collect();
        assert_eq!(manager.calls()[0].recordings, names);
        if kept {
            let file = manager.data_dir.join("recordings").join(&names[0]);
            let [left, right] = channels(&file);
            assert!(left.len() >= 16_000 && loudest(CALLER, &left) > -20.0 && loudest(BOB, &right) > -20.0);
        }
    }
    call(&mut pair, "1002").await;
    listens(&mut pair[1], 100).await;
    hang_up(&mut pair).await;
    manager.log.find(|line| line.contains("a call was recorded")).unwrap();
    let health: Health = serde_json::from_str(&manager.ask(&["health", "--json"])).unwrap();
    assert!(health.problems.iter().all(|one| one.kind != ProblemKind::RecordingFailing), "{health:?}");
    manager.stop();
}
