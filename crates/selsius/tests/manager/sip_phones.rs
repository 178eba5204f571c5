//! A SIP phone of the office: baresip registers, is called by an SCCP phone that hears its own voice come back, lights
//! somebody's busy lamp, and calls.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use selsius_client::{AudioSource, Options, Phone, Snapshot};
use selsius_media::tone::detect::Content;
use selsius_station::{Action, Config, ModelClass};
use selsius_wire::value::{ButtonType, CallState};

use crate::support::{Manager, skipped, until};

const TONE: u16 = 1000;
const MODULES: &str = "/usr/lib/baresip/modules";

fn has_baresip() -> bool {
    let there = Path::new(MODULES).join("aubridge.so").is_file()
        && Command::new("baresip").arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        skipped("no baresip (Debian: baresip-core)");
    }
    there
}

/// A baresip that answers by itself and says back what it hears. Killed when it is dropped.
struct Baresip {
    child: Child,
    control: SocketAddr,
}

impl Baresip {
    fn new(folder: &Path, server: SocketAddr, user: &str, password: &str) -> Self {
        let control = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = format!(
            "sip_listen 127.0.0.1:0\nmodule_path {MODULES}\nmodule g711.so\nmodule aubridge.so\nmodule_tmp uuid.so\n\
             module_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen {control}\n\
             audio_source aubridge,echo\naudio_player aubridge,echo\n"
        );
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("config"), config).unwrap();
        let account =
            format!("<sip:{user}@{server}>;auth_pass=\"{password}\";answermode=auto;regint=120;mwi=no\n");
        std::fs::write(folder.join("accounts"), account).unwrap();
        let child = Command::new("baresip")
            .args(["-4", "-f", folder.to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, control }
    }

    /// A command of its menu, by JSON in a netstring.
    fn does(&self, command: &str, parameter: &str) {
        let mut stream = TcpStream::connect(self.control).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let text = format!("{{\"command\":\"{command}\",\"params\":\"{parameter}\"}}");
        write!(stream, "{}:{text},", text.len()).unwrap();
        // It tells of other things meanwhile.
        let (mut heard, mut some) = (String::new(), [0; 512]);
        while !heard.contains("\"response\"") {
            let length = stream.read(&mut some).unwrap();
            assert!(length > 0, "{heard}");
            heard.push_str(&String::from_utf8_lossy(&some[..length]));
        }
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn phone(manager: &Manager, number: &str, class: ModelClass) -> Phone {
    let options = Options { source: AudioSource::Tone(TONE), ..Options::default() };
    let name = format!("SEP02000000{number}");
    Phone::start(manager.sccp.into(), Config::new(&name, class), options)
}

/// What the lamp of the watched line says: 0 nobody is there, 1 idle, 2 in use, 4 it rings.
fn lamp(now: &Snapshot) -> Option<u32> {
    let watched = |button: &&selsius_station::ButtonFace| button.kind == ButtonType::BlfSpeedDial;
    now.face.lines.iter().find(watched).map(|button| button.status)
}

async fn hears_itself(phone: &mut Phone) {
    until(phone, |now| now.face.calls.iter().any(|call| call.state == CallState::Connected)).await;
    until(phone, |now| match now.voice.heard {
        Some(Content::Single(peak)) => (peak.frequency - f32::from(TONE)).abs() < 5.0,
        _ => false,
    })
    .await;
}

#[tokio::test]
async fn baresip_is_a_phone_of_the_office() {
    if !has_baresip() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let own = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = top.path().join("selsius.toml");
    // baresip names the address of another interface for its audio, as a phone behind a translation of addresses does.
    let text = format!("[sip]\nudp = \"{own}\"\n[security]\nmedia-addresses = \"any\"\n");
    std::fs::write(&config, text).unwrap();
    let manager = Manager::start(&top.path().join("data"), &["--config", config.to_str().unwrap()]);
    manager.apply(
        r#"
        [settings]
        codecs = ["pcma", "pcmu"]
        [lines.1001]
        name = "Alice"
        [lines.1002]
        [lines.1005]
        name = "Erin"
        [devices.SEP020000001001]
        model = "7960"
        buttons = [{ line = "1001" }]
        [devices.SEP020000001002]
        model = "7965"
        buttons = [{ line = "1002" }, { busy-lamp = "1005" }]
        [sip-phones.erin]
        line = "1005"
        password = "eight or more"
        description = "Erin's softphone"
        "#,
    );
    let (mut alice, mut bob) =
        (phone(&manager, "1001", ModelClass::P7960), phone(&manager, "1002", ModelClass::P7965));
    until(&mut alice, |now| now.face.registered).await;
    until(&mut bob, |now| now.face.registered && lamp(now) == Some(0)).await;
    let baresip = Baresip::new(&top.path().join("baresip"), own, "erin", "eight or more");
    until(&mut bob, |now| lamp(now) == Some(1)).await;
    let status = manager.status();
    let erin = status.devices.iter().find(|device| device.name == "ERIN").unwrap();
    assert_eq!((erin.model.as_str(), &erin.lines[..]), ("SIP", &["1005".to_string()][..]));
    assert!(erin.registration.as_ref().unwrap().load.starts_with("baresip"), "{erin:?}");
    assert!(manager.ask(&["device", "show", "erin"]).contains("SIP"));

    alice.act(Action::OffHook).await.unwrap();
    until(&mut alice, |now| now.face.tone.is_some()).await;
    alice.act(Action::Dial("1005".into())).await.unwrap();
    hears_itself(&mut alice).await;
    until(&mut bob, |now| lamp(now) == Some(2)).await;
    alice.act(Action::OnHook).await.unwrap();
    until(&mut bob, |now| lamp(now) == Some(1)).await;
    let calls = manager.calls();
    assert_eq!((calls[0].called.device.as_deref(), calls[0].called.name.as_str()), (Some("ERIN"), "Erin"));

    baresip.does("dial", "1001");
    until(&mut alice, |now| now.face.ringing.is_some()).await;
    alice.act(Action::OffHook).await.unwrap();
    // (Its bridge of audio works for one call only.)
    until(&mut alice, |now| now.face.calls.iter().any(|call| call.state == CallState::Connected)).await;
    until(&mut bob, |now| lamp(now) == Some(2)).await;
    baresip.does("hangup", "");
    until(&mut alice, |now| now.face.calls.is_empty()).await;
    let calls = manager.calls();
    assert_eq!(
        (calls[0].calling.number.as_str(), calls[0].calling.device.as_deref()),
        ("1005", Some("ERIN"))
    );
    baresip.does("quit", "");
    until(&mut bob, |now| lamp(now) == Some(0)).await;
}
