//! A carrier made of SIPp scenarios, and our side of its calls.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and says what it skips"
)]

use std::{
    cell::RefCell,
    net::{SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use selsius_exchange::{
    Audio, RemoteAudio, TrunkEvent, TrunkLegId, TrunkOrder,
    record::{EndCause, Party},
};
use selsius_sip::{Event, Handle, Listener, Sip, TrunkConfig};
use selsius_site::CodecName;
use selsius_wire::value::Codec;
use tokio::{process::Child, sync::mpsc, time::timeout};

/// Where we say that we listen for audio.
pub const LISTENS: &str = "192.0.2.77:30000";

/// Is SIPp there? Says so if not.
pub fn has_sipp() -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("sipp").is_file()));
    if !found {
        eprintln!("skipped: sipp is not installed (Debian package sip-tester)");
    }
    found
}

/// A port that nobody has at the moment.
pub fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running scenario.
pub struct Sipp {
    child: Child,
    folder: tempfile::TempDir,
}

impl Sipp {
    /// A carrier that waits for calls on this port.
    pub fn waits(scenario: &str, port: u16, more: &[&str]) -> Self {
        Self::start(&read(scenario), port, more, None)
    }

    /// A carrier that waits for one call, with a scenario in which words are replaced.
    pub fn waits_with(scenario: &str, port: u16, words: &[(&str, &str)]) -> Self {
        let text = words.iter().fold(read(scenario), |text, (word, by)| text.replace(word, by));
        Self::start(&text, port, &[], None)
    }

    /// A carrier that calls this address from this port.
    pub fn calls(scenario: &str, port: u16, to: SocketAddr, more: &[&str]) -> Self {
        Self::start(&read(scenario), port, more, Some(to))
    }

    fn start(scenario: &str, port: u16, more: &[&str], to: Option<SocketAddr>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scenario.xml");
        std::fs::write(&file, scenario).unwrap();
        let mut command = tokio::process::Command::new("sipp");
        command
            .arg("-sf")
            .arg(file)
            .args(["-i", "127.0.0.1", "-p", &port.to_string(), "-nostdin", "-trace_err", "-error_file"])
            .arg(folder.path().join("errors"))
            .args(["-timeout", "60", "-timeout_error"])
            .args(more)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if !more.contains(&"-m") {
            command.args(["-m", "1"]);
        }
        if let Some(to) = to {
            command.arg(to.to_string());
        }
        Self { child: command.spawn().unwrap(), folder }
    }

    /// Has it come to an end?
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The scenario ran to its end as it is written.
    pub async fn succeeds(self) {
        let errors: PathBuf = self.folder.path().join("errors");
        let output: Output = timeout(Duration::from_secs(70), self.child.wait_with_output())
            .await
            .expect("sipp ends")
            .unwrap();
        let why = std::fs::read_to_string(errors).unwrap_or_default();
        assert!(output.status.success(), "sipp failed: {}\n{why}", output.status);
    }
}

fn read(scenario: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp").join(format!("{scenario}.xml"));
    std::fs::read_to_string(file).unwrap()
}

/// Our side.
pub struct Bed {
    pub handle: Handle,
    pub events: mpsc::Receiver<Event>,
    pub next: u64,
}

impl Bed {
    /// One trunk to a carrier on this port of this machine.
    pub async fn new(port: u16) -> Self {
        Self::with(TrunkConfig { port: Some(port), ..TrunkConfig::peer("carrier", "127.0.0.1") }).await
    }

    pub async fn with(trunk: TrunkConfig) -> Self {
        Self::listening(trunk, vec![Listener::udp("127.0.0.1:0".parse().unwrap())]).await
    }

    pub async fn listening(trunk: TrunkConfig, listeners: Vec<Listener>) -> Self {
        let (handle, events) = Sip::start(vec![trunk], listeners).await.unwrap();
        Self { handle, events, next: 0 }
    }

    pub fn address(&self) -> SocketAddr {
        self.handle.addresses()[0].1
    }

    pub fn order(&self, order: TrunkOrder) {
        self.handle.order(order).unwrap();
    }

    /// Begins a call.
    pub fn call(&mut self, number: &str, listens: bool) -> TrunkLegId {
        self.next += 2;
        let leg = TrunkLegId(self.next);
        self.order(TrunkOrder::Offer {
            leg,
            trunk: "carrier".into(),
            contact: None,
            number: number.into(),
            calling: Party { number: "201".into(), name: "Ann".into(), ..Party::default() },
            redirecting: None,
            codecs: vec![CodecName::G722, CodecName::Pcma, CodecName::Pcmu],
            packet_ms: 20,
            emergency: false,
            meet_me: false,
            listens: listens.then(|| LISTENS.parse().unwrap()),
        });
        leg
    }

    pub fn media(&self, leg: TrunkLegId) {
        self.order(TrunkOrder::Media { leg, audio: pcma(), address: LISTENS.parse().unwrap() });
    }

    pub fn answer(&self, leg: TrunkLegId) {
        let by = Party { number: "200".into(), name: "Bob".into(), ..Party::default() };
        self.order(TrunkOrder::Answer { leg, by, audio: Some(pcma()) });
        self.media(leg);
    }

    pub fn hang_up(&self, leg: TrunkLegId) {
        self.order(TrunkOrder::HangUp { leg, cause: EndCause::CallerHungUp });
    }

    /// The next event, soon.
    pub async fn event(&mut self) -> Event {
        timeout(Duration::from_secs(15), self.events.recv()).await.expect("an event").expect("events go on")
    }

    /// The next event of a call.
    pub async fn happens(&mut self) -> TrunkEvent {
        match self.event().await {
            Event::Call(event) => event,
            other => panic!("{other:?}"),
        }
    }

    /// The next event but progress without early media.
    pub async fn settles(&mut self) -> TrunkEvent {
        loop {
            match self.happens().await {
                TrunkEvent::Progress { early: None, .. } => {}
                other => return other,
            }
        }
    }
}

/// A carrier by hand: for what SIPp cannot do (Debian's is built without digests), and to keep what it hears.
pub struct Carrier {
    socket: tokio::net::UdpSocket,
    pub heard: RefCell<Vec<String>>,
}

impl Carrier {
    pub async fn new() -> (Self, u16) {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        (Self::by(socket), port)
    }

    pub fn by(socket: tokio::net::UdpSocket) -> Self {
        Self { socket, heard: RefCell::default() }
    }

    /// To where the socket is connected.
    pub async fn send(&self, text: &str) {
        self.socket.send(text.as_bytes()).await.unwrap();
    }

    pub async fn send_to(&self, text: &str, to: SocketAddr) {
        self.socket.send_to(text.as_bytes(), to).await.unwrap();
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub async fn hear(&self) -> (String, SocketAddr) {
        let mut buffer = [0; 4096];
        let heard = timeout(Duration::from_secs(10), self.socket.recv_from(&mut buffer)).await;
        let (length, from) = heard.expect("something").unwrap();
        let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
        self.heard.borrow_mut().push(text.clone());
        (text, from)
    }

    /// The next request with this method; answers it.
    pub async fn answers(&self, method: &str, status: &str, headers: &str, body: &str) -> String {
        loop {
            let (request, from) = self.hear().await;
            if !request.starts_with(method) {
                continue;
            }
            let mut answer = format!("SIP/2.0 {status}\r\n");
            for line in request.lines().filter(|line| {
                ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name))
            }) {
                let tag =
                    if line.starts_with("To:") && !line.contains(";tag=") { ";tag=carrier" } else { "" };
                answer.push_str(&format!("{line}{tag}\r\n"));
            }
            answer.push_str(&format!("{headers}Content-Length: {}\r\n\r\n{body}", body.len()));
            self.socket.send_to(answer.as_bytes(), from).await.unwrap();
            return request;
        }
    }
}

/// The first header with this name.
pub fn header<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

/// What a carrier on this machine says of its audio, with telephone events.
pub fn remote_audio(codecs: &[CodecName], port: u16) -> RemoteAudio {
    let address = Some(SocketAddr::from(([127, 0, 0, 1], port)));
    RemoteAudio {
        codecs: codecs.to_vec(),
        address,
        events: Some(101),
        packet_ms: None,
        opus: None,
        near: None,
        srtp: None,
    }
}

pub fn pcma() -> Audio {
    Audio { codec: Codec::G711Alaw64k, packet_ms: 20, tos: 0 }
}
