//! What answers without a person: echo, clock, mailboxes. Phones say a tone, and it is found again where it belongs.

use std::time::Duration;

use selsius_client::{AudioSource, Options, Phone, Snapshot};
use selsius_station::{Action, Config, ModelClass};
use selsius_wire::value::{CallState, Codec, LampMode};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use crate::support::{Manager, PATIENCE, until};

/// Calls for Bob go to his mailbox while he is away.
const OFFICE: &str = r#"
[settings]
codecs = ["g722", "pcmu", "pcma"]
voicemail = "1999"
[trunks.house]
kind = "services"
[routes."199X"]
trunks = ["house"]
[applications.1999]
kind = "mailbox"
[applications.1998]
kind = "clock"
[applications.1997]
kind = "echo"
[applications.1996]
kind = "announcement"
file = "closed.wav"
[lines.1001]
[lines.1002]
mail = "bob@example.org"
forward-unregistered = "1999"
[lines.1003]
[devices.SEP020000001001]
model = "7960"
buttons = [{ line = "1001" }]
[devices.SEP020000001002]
model = "7960"
buttons = [{ line = "1002" }]
[devices.SEP020000001003]
model = "7960"
buttons = [{ line = "1003" }]
"#;

const ALICE: u16 = 1;
const BOB: u16 = 2;
const CAROL: u16 = 3;
/// What each of them says.
const TONES: [u16; 3] = [440, 1700, 2200];
/// Before a recording, and of the clock.
const BEEP: u16 = 1000;

fn office() -> (tempfile::TempDir, Manager) {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    (top, manager)
}

async fn register(manager: &Manager, who: u16) -> Phone {
    let options = Options { source: AudioSource::Tone(TONES[usize::from(who) - 1]), ..Options::default() };
    let name = format!("SEP02000000100{who}");
    let mut phone = Phone::start(manager.sccp.into(), Config::new(&name, ModelClass::P7960), options);
    until(&mut phone, |now| now.face.registered).await;
    phone
}

/// A phone that has nothing but G.722 hears itself in the echo test, and its keys open its mailbox.
#[tokio::test]
async fn a_phone_that_only_speaks_wide_band_is_answered() {
    let (_top, manager) = office();
    let mut config = Config::new("SEP020000001001", ModelClass::P7960);
    config.capabilities = vec![(Codec::G722_64k, 60)];
    let options = Options { source: AudioSource::Tone(TONES[0]), ..Options::default() };
    let mut phone = Phone::start(manager.sccp.into(), config, options);
    until(&mut phone, |now| now.face.registered).await;
    call(&mut phone, "1997").await;
    until(&mut phone, |now| now.voice.hears(TONES[0])).await;
    assert_eq!(phone.now().voice.codec.map(|codec| codec.name()), Some("G722"));
    hang_up(&mut phone).await;
}

async fn call(phone: &mut Phone, number: &str) {
    phone.act(Action::OffHook).await.unwrap();
    until(phone, |now| now.face.tone.is_some()).await;
    phone.act(Action::Dial(number.into())).await.unwrap();
}

async fn hang_up(phone: &mut Phone) {
    phone.act(Action::OnHook).await.unwrap();
    until(phone, |now| now.face.calls.is_empty()).await;
}

async fn press(phone: &Phone, key: char) {
    phone.act(Action::Dial(key.into())).await.unwrap();
}

/// Waits until a phone has heard this tone for so long.
async fn heard(phone: &mut Phone, tone: u16, least: Duration) {
    until(phone, |now| lasted(now, tone) >= least).await;
}

fn lasted(now: &Snapshot, tone: u16) -> Duration {
    let is_it = |heard: &&selsius_client::Tone| match heard.content {
        selsius_media::tone::detect::Content::Single(peak) => (peak.frequency - f32::from(tone)).abs() < 5.0,
        _ => false,
    };
    now.voice.tones.iter().filter(is_it).map(|heard| heard.lasted).sum()
}

/// Waits for so much sound of the call.
async fn listens(phone: &mut Phone, millis: u64) {
    let from = phone.now().voice.played_ms;
    until(phone, |now| now.voice.played_ms >= from + millis).await;
}

/// Alice leaves a message of her tone for Bob, who is not there.
async fn leave(alice: &mut Phone) {
    call(alice, "1002").await;
    until(alice, |now| now.voice.hears(BEEP)).await;
    listens(alice, 3000).await;
    press(alice, '#').await;
    // What follows the recording is said when it is on the disk.
    until(alice, |now| now.voice.level.is_some_and(|level| level.as_dbm0() > -40.0)).await;
    hang_up(alice).await;
}

#[tokio::test]
async fn an_echo_test_gives_back_what_is_said() {
    let (_top, manager) = office();
    let mut alice = register(&manager, ALICE).await;
    call(&mut alice, "1997").await;
    until(&mut alice, |now| now.voice.hears(TONES[0])).await;
    alice.play(AudioSource::Tone(600)).await.unwrap();
    until(&mut alice, |now| now.voice.hears(600)).await;
    hang_up(&mut alice).await;
}

#[tokio::test]
async fn the_clock_speaks_and_its_tone_comes_at_a_full_tenth_second() {
    let (_top, manager) = office();
    let mut alice = register(&manager, ALICE).await;
    call(&mut alice, "1998").await;
    until(&mut alice, |now| now.voice.level.is_some_and(|level| level.as_dbm0() > -40.0)).await;
    until(&mut alice, |now| now.voice.hears(BEEP)).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    // Recognising it takes up to three tenths of a second, a busy machine more.
    let late = now.as_millis() % 10_000;
    assert!(late < 3000, "{late} ms after");
    hang_up(&mut alice).await;
}

#[tokio::test]
async fn a_message_is_left_lights_the_lamp_is_heard_and_deleted() {
    let (_top, manager) = office();
    let mut alice = register(&manager, ALICE).await;
    leave(&mut alice).await;
    let mut bob = register(&manager, BOB).await;
    until(&mut bob, |now| now.face.message_lamp == LampMode::On).await;
    call(&mut bob, "1999").await;
    heard(&mut bob, TONES[0], Duration::from_secs(1)).await;
    // Alice's own mailbox is empty.
    assert_ne!(alice.now().face.message_lamp, LampMode::On);
    press(&bob, '3').await;
    until(&mut bob, |now| now.face.message_lamp != LampMode::On).await;
    hang_up(&mut bob).await;
    let left = std::fs::read_dir(manager.data_dir.join("voicemail/1002")).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_message_survives_a_kill_and_is_heard_from_another_phone_with_the_pin() {
    let (top, manager) = office();
    let mut alice = register(&manager, ALICE).await;
    leave(&mut alice).await;
    manager.kill();

    let manager = Manager::start(top.path(), &[]);
    let mut bob = register(&manager, BOB).await;
    until(&mut bob, |now| now.face.message_lamp == LampMode::On).await;
    // Bob sets a PIN at his own phone: the menu, and what it asks for.
    call(&mut bob, "1999").await;
    heard(&mut bob, TONES[0], Duration::from_secs(1)).await;
    bob.act(Action::Dial("*347110#47110#".into())).await.unwrap();
    until(&mut bob, |_| manager.data_dir.join("voicemail/1002/pin").exists()).await;
    hang_up(&mut bob).await;
    // He was heard, so the lamp is off; the message stays.
    until(&mut bob, |now| now.face.message_lamp != LampMode::On).await;

    let mut carol = register(&manager, CAROL).await;
    call(&mut carol, "1999").await;
    // Her own mailbox is open, and empty: she says that she wants another one.
    listens(&mut carol, 500).await;
    carol.act(Action::Dial("*1002#47110#".into())).await.unwrap();
    heard(&mut carol, TONES[0], Duration::from_secs(1)).await;
    hang_up(&mut carol).await;
}

#[tokio::test]
async fn an_announcement_is_played_once_and_ends_the_call() {
    let (top, manager) = office();
    std::fs::create_dir(top.path().join("announcements")).unwrap();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(top.path().join("announcements/closed.wav"), spec).unwrap();
    for at in 0..32_000 {
        file.write_sample((8000.0 * (f64::from(at) * 700.0 * std::f64::consts::TAU / 16_000.0).sin()) as i16)
            .unwrap();
    }
    file.finalize().unwrap();
    let mut alice = register(&manager, ALICE).await;
    call(&mut alice, "1996").await;
    heard(&mut alice, 700, Duration::from_millis(1500)).await;
    until(&mut alice, |now| now.face.calls.iter().all(|call| call.state != CallState::Connected)).await;
}

#[tokio::test]
async fn a_message_that_is_being_left_is_kept_when_the_manager_is_stopped() {
    let (top, manager) = office();
    let mut alice = register(&manager, ALICE).await;
    call(&mut alice, "1002").await;
    until(&mut alice, |now| now.voice.hears(BEEP)).await;
    listens(&mut alice, 2000).await;
    // As Ctrl-C does, which waits for no calls.
    manager.signal(rustix::process::Signal::INT);
    let (_, _, log) = tokio::task::spawn_blocking(|| manager.end()).await.unwrap();
    let files = std::fs::read_dir(top.path().join("voicemail/1002")).map(Iterator::count);
    assert!(matches!(files, Ok(1)), "{files:?} {log:#?}");
}

/// A mail server: each connection answers `MAIL` with the next of these, and one that takes the letter gives it.
async fn mail_server(listener: TcpListener, answers: &[&str]) -> String {
    for answer in answers {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.split();
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(b"220 test\r\n").await.unwrap();
        let mut letter = None;
        while let Some(line) = lines.next_line().await.unwrap() {
            let reply = match (&mut letter, line.split(' ').next().unwrap_or_default()) {
                (Some(_), ".") => {
                    writer.write_all(b"250 taken\r\n").await.unwrap();
                    return letter.unwrap();
                }
                (Some(text), _) => {
                    *text += &line;
                    continue;
                }
                (None, "MAIL") => *answer,
                (None, "DATA") => {
                    letter = Some(String::new());
                    "354 go on"
                }
                (None, _) => "250 yes",
            };
            writer.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
        }
    }
    panic!("no letter");
}

#[tokio::test]
async fn a_message_goes_by_mail_and_is_sent_again_when_the_server_is_busy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let top = tempfile::tempdir().unwrap();
    let config = top.path().join("selsius.toml");
    let server = listener.local_addr().unwrap();
    let text =
        format!("[mail]\nserver = \"{server}\"\ntls = \"none\"\nfrom = \"Office <voice@example.org>\"\n");
    std::fs::write(&config, text).unwrap();
    let manager = Manager::start(top.path(), &["--config", config.to_str().unwrap()]);
    manager.apply(OFFICE);
    let mut alice = register(&manager, ALICE).await;
    let letter = tokio::spawn(mail_server(listener, &["451 later", "250 yes"]));
    leave(&mut alice).await;
    let letter = tokio::time::timeout(PATIENCE, letter).await.unwrap().unwrap();
    for part in
        ["To: bob@example.org", "Subject: Voice message from 1001", "audio/wav", "From 1001, for 1002"]
    {
        assert!(letter.contains(part), "{part}: {letter:.500}");
    }
    // "RIFF", and so on, as base64 has it.
    assert!(letter.contains("UklGR") && letter.len() > 40_000, "{}", letter.len());
}
