//! Calls over a SIP trunk with baresip at its other end: another implementation, with a voice of its own.

use std::{
    f64::consts::TAU,
    io::{Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use selsius_client::{AudioSource, Options, Phone};
use selsius_media::tone::detect::{Content, ToneDetector};
use selsius_station::{Action, Config, ModelClass};
use selsius_wire::value::CallState;

use crate::support::{Manager, PATIENCE, output, skipped, until};

/// What the phone says, and what baresip says, in hertz.
const PHONE: u16 = 1000;
const BARESIP: u16 = 700;

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where Debian keeps its modules.
const MODULES: &str = "/usr/lib/baresip/modules";

fn has_baresip() -> bool {
    let there = Path::new(MODULES).join("sndfile.so").exists();
    if !there {
        skipped("no baresip (Debian: baresip-core)");
    }
    there
}

/// A running baresip that answers by itself, and the way to its commands and events.
struct Baresip {
    child: Option<Child>,
    control: TcpStream,
    /// Events that came, one after the other.
    heard: String,
    folder: PathBuf,
}

impl Baresip {
    fn start(folder: &Path, port: u16) -> Self {
        std::fs::create_dir(folder).unwrap();
        let at = folder.display();
        let control = free_port();
        let sample_format = hound::SampleFormat::Int;
        let spec = hound::WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format };
        let mut wav = hound::WavWriter::create(folder.join("tone.wav"), spec).unwrap();
        for sample in 0..8000 * 60 {
            let phase = TAU * f64::from(BARESIP) * f64::from(sample) / 8000.0;
            wav.write_sample((8000.0 * phase.sin()) as i16).unwrap();
        }
        wav.finalize().unwrap();
        let config = format!(
            "sip_listen 127.0.0.1:{port}\naudio_source aufile,{at}/tone.wav\naudio_player aubridge,none\n\
             audio_alert aubridge,none\nmodule_path {MODULES}\nmodule g711.so\nmodule aufile.so\nmodule aubridge.so\n\
             module sndfile.so\nsnd_path {at}\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
             ctrl_tcp_listen 127.0.0.1:{control}\n"
        );
        std::fs::write(folder.join("config"), config).unwrap();
        std::fs::write(folder.join("contacts"), "").unwrap();
        let account = format!(
            "<sip:5@127.0.0.1:{port}>;regint=0;answermode=auto;audio_codecs=PCMU;auth_user=friend;auth_pass=secret\n"
        );
        std::fs::write(folder.join("accounts"), account).unwrap();
        let mut child = Command::new("baresip")
            .args(["-n", "127.0.0.1"])
            .arg("-f")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        let control = loop {
            match TcpStream::connect(("127.0.0.1", control)) {
                Ok(control) => break control,
                Err(error) => {
                    let ended = child.try_wait().unwrap();
                    assert!(began.elapsed() < PATIENCE && ended.is_none(), "baresip: {error}, {ended:?}");
                }
            }
            thread::yield_now();
        };
        control.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { child: Some(child), control, heard: String::new(), folder: folder.into() }
    }

    /// Its commands are JSON in netstrings.
    fn command(&mut self, command: &str, parameters: &str) {
        let text = format!(r#"{{"command":"{command}","params":"{parameters}","token":"t"}}"#);
        write!(self.control, "{}:{text},", text.len()).unwrap();
    }

    fn calls(&mut self, number: &str, manager: SocketAddr) {
        self.command("dial", &format!("sip:{number}@{manager}"));
    }

    /// Waits for an event.
    fn happens(&mut self, event: &str) {
        let mut buffer = [0; 4096];
        loop {
            if let Some(at) = self.heard.find(event) {
                self.heard.drain(..at + event.len());
                return;
            }
            let length = self.control.read(&mut buffer).expect(event);
            assert!(length > 0, "{event}: {}", self.heard);
            self.heard.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    }

    /// Ends it. Whether it has heard the phone, by what it has written down of its calls.
    fn has_heard_the_phone(mut self) -> bool {
        self.command("quit", "");
        let ended = output(self.child.take().unwrap());
        assert!(ended.status.success(), "{}", ended.status);
        let files = std::fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.to_string_lossy().ends_with("-dec.wav")).any(|path| {
            let mut detector = ToneDetector::default();
            let mut wav = hound::WavReader::open(path).unwrap();
            let samples: Vec<i16> = wav.samples().map(Result::unwrap).collect();
            detector.push(&samples).iter().any(|heard| is_tone(Some(heard.content), PHONE))
        })
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn is_tone(heard: Option<Content>, hertz: u16) -> bool {
    match heard {
        Some(Content::Single(peak)) => (peak.frequency - f32::from(hertz)).abs() < 5.0,
        _ => false,
    }
}

async fn hears_baresip(phone: &mut Phone) {
    until(phone, |now| is_tone(now.voice.heard, BARESIP)).await;
}

/// A manager with a trunk to baresip, and a phone.
async fn office(top: &Path, baresip: u16) -> (Manager, Phone, SocketAddr) {
    let own = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let config = top.join("selsius.toml");
    std::fs::write(&config, format!("[sip]\nudp = \"{own}\"\n")).unwrap();
    let manager = Manager::start(&top.join("data"), &["--config", config.to_str().unwrap()]);
    manager.apply(&format!(
        r#"
        [settings]
        codecs = ["pcmu"]
        [lines.1001]
        [devices.SEP020000001001]
        model = "7960"
        buttons = [{{ line = "1001" }}]
        [routes."0.X"]
        trunks = ["friend"]
        [trunks.friend]
        kind = "sip"
        servers = ["127.0.0.1:{baresip}"]
        user = "friend"
        password = "secret"
        authenticate = true
        "#
    ));
    let options = Options { source: AudioSource::Tone(PHONE), ..Options::default() };
    let mut phone =
        Phone::start(manager.sccp.into(), Config::new("SEP020000001001", ModelClass::P7960), options);
    until(&mut phone, |now| now.face.registered).await;
    (manager, phone, own)
}

#[tokio::test]
async fn baresip_calls_a_phone_with_a_password_and_the_phone_holds_and_hangs_up() {
    if !has_baresip() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let port = free_port();
    let (_manager, mut phone, own) = office(top.path(), port).await;
    let mut baresip = Baresip::start(&top.path().join("baresip"), port);
    baresip.calls("1001", own);
    until(&mut phone, |now| now.face.ringing.is_some()).await;
    phone.act(Action::OffHook).await.unwrap();
    hears_baresip(&mut phone).await;
    baresip.happens("CALL_ESTABLISHED");
    phone.act(Action::SoftKey("Hold".into())).await.unwrap();
    until(&mut phone, |now| now.face.calls.iter().any(|call| call.state == CallState::Hold)).await;
    phone.act(Action::SoftKey("Resume".into())).await.unwrap();
    hears_baresip(&mut phone).await;
    phone.act(Action::OnHook).await.unwrap();
    baresip.happens("CALL_CLOSED");
    until(&mut phone, |now| now.face.calls.is_empty()).await;
    assert!(baresip.has_heard_the_phone());
}

#[tokio::test]
async fn a_phone_calls_baresip_which_hangs_up() {
    if !has_baresip() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut baresip = Baresip::start(&top.path().join("baresip"), port);
    let (_manager, mut phone, _) = office(top.path(), port).await;
    phone.act(Action::OffHook).await.unwrap();
    until(&mut phone, |now| now.face.tone.is_some()).await;
    phone.act(Action::Dial("05".into())).await.unwrap();
    hears_baresip(&mut phone).await;
    baresip.happens("CALL_ESTABLISHED");
    // It has heard the phone for a while: what it says is said by now.
    until(&mut phone, |now| now.voice.packets_sent > 50).await;
    baresip.command("hangup", "");
    baresip.happens("CALL_CLOSED");
    until(&mut phone, |now| now.face.calls.is_empty()).await;
    assert!(baresip.has_heard_the_phone());
}
