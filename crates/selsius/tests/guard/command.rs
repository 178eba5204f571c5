//! The guard as a command: what people see, and what they can change while it runs.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use selsius_inspect::{
    capture::{Packet, Writer},
    packet::build::TcpFlow,
    reassembly::Way,
};
use selsius_wire::Time;
use serde_json::Value;

use crate::networks::{Guard, PATIENCE, until};

fn selsius(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_selsius")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A message with this id and body.
fn message(id: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap() + 4;
    let words = [length, 0, id].into_iter().flat_map(u32::to_le_bytes);
    words.chain(body.iter().copied()).collect()
}

const KEEP_ALIVE: u32 = 0x00;
const RESET: u32 = 0x9f;

/// A guard on loopback, with a manager behind it that a test plays.
struct Bench {
    folder: tempfile::TempDir,
    guard: Guard,
    at: SocketAddr,
    manager: TcpListener,
}

impl Bench {
    fn new(policy: &str) -> Self {
        let manager = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = manager.local_addr().unwrap().to_string();
        Self::behind(policy, &upstream, manager)
    }

    fn behind(policy: &str, upstream: &str, manager: TcpListener) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("policy.toml"), policy).unwrap();
        let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_selsius"));
        command.args(["guard", "--listen", &at.to_string(), "--upstream", upstream, "--policy"]);
        command.arg(path("policy.toml")).arg("--log").arg(path("events.jsonl"));
        command.arg("--control").arg(path("guard.sock")).arg("--evidence").arg(path("evidence"));
        command.stdout(Stdio::null());
        let guard = Guard::start(command, path("guard.sock"));
        Self { folder, guard, at, manager }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn connect(&self) -> (TcpStream, TcpStream) {
        let phone = TcpStream::connect(self.at).unwrap();
        let (manager, _) = self.manager.accept().unwrap();
        for socket in [&phone, &manager] {
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        (phone, manager)
    }

    /// A question to the guard.
    fn ask(&self, what: &[&str]) -> (i32, String, String) {
        let control = self.guard.control.to_str().unwrap();
        said(&selsius(&[&["guard"], what, &["--control", control]].concat()))
    }

    fn events(&self, event: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path("events.jsonl")).unwrap_or_default();
        let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.filter(|line| line["event"] == event).collect()
    }
}

fn hears(socket: &mut TcpStream, bytes: &[u8]) {
    let mut heard = vec![0; bytes.len()];
    socket.read_exact(&mut heard).unwrap();
    assert_eq!(heard, bytes);
}

/// Has the connection ended?
fn ends(socket: &mut TcpStream) -> bool {
    matches!(socket.read(&mut [0; 1]), Ok(0) | Err(_))
}

#[test]
fn what_is_said_goes_through_and_what_is_wrong_does_not() {
    let bench = Bench::new("preset = \"balanced\"");
    let (mut phone, mut manager) = bench.connect();
    let (keep_alive, ack) = (message(KEEP_ALIVE, &[]), message(0x100, &[]));
    phone.write_all(&keep_alive).unwrap();
    hears(&mut manager, &keep_alive);
    manager.write_all(&ack).unwrap();
    hears(&mut phone, &ack);
    // A phone that restarts others, and then goes on.
    phone.write_all(&message(RESET, &1_u32.to_le_bytes())).unwrap();
    phone.write_all(&keep_alive).unwrap();
    hears(&mut manager, &keep_alive);
    until("the finding is told", || !bench.events("finding").is_empty());
    let finding = &bench.events("finding")[0];
    assert_eq!((&finding["finding"], &finding["action"]), (&"wrong-direction".into(), &"drop".into()));
    assert_eq!((&finding["message"], &finding["from"]), (&"Reset".into(), &"station".into()));
    drop(phone);
    assert!(ends(&mut manager));
    drop(manager);
    until("the end is told", || !bench.events("closed").is_empty());

    // The evidence can be read, as any capture.
    let files: Vec<_> =
        fs::read_dir(bench.path("evidence")).unwrap().map(|file| file.unwrap().path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    assert!(file.to_str().unwrap().ends_with("wrong-direction.pcapng"), "{file:?}");
    let port = bench.manager.local_addr().unwrap().port().to_string();
    let (code, shown, _) = said(&selsius(&["dissect", "--port", &port, file.to_str().unwrap()]));
    assert_eq!(code, 0);
    assert!(shown.contains("KeepAlive") && shown.contains("Reset"), "{shown}");
}

#[test]
fn a_manager_that_does_not_answer_is_passed_over() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let manager = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = format!("{gone},{}", manager.local_addr().unwrap());
    let bench = Bench::behind("", &upstream, manager);
    let mut phone = TcpStream::connect(bench.at).unwrap();
    // Said before anybody is there to hear it.
    phone.write_all(&message(KEEP_ALIVE, &[])).unwrap();
    let (mut manager, _) = bench.manager.accept().unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    hears(&mut manager, &message(KEEP_ALIVE, &[]));
}

#[test]
fn it_is_asked_and_told_while_it_runs() {
    let bench = Bench::new("preset = \"strict\"");
    let (mut phone, mut manager) = bench.connect();
    phone.write_all(&message(KEEP_ALIVE, &[])).unwrap();
    hears(&mut manager, &message(KEEP_ALIVE, &[]));
    let (code, text, _) = bench.ask(&["status"]);
    assert_eq!(code, 0);
    assert!(text.starts_with("policy strict") && text.contains("1 connection"), "{text}");

    // Nonsense: strict blocks its source.
    phone.write_all(&[0xff; 12]).unwrap();
    assert!(ends(&mut phone) && ends(&mut manager));
    let (_, text, _) = bench.ask(&["status", "--json"]);
    let status: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status["blocked"][0][0], "127.0.0.1");
    assert!(ends(&mut TcpStream::connect(bench.at).unwrap()));
    let (code, text, _) = bench.ask(&["unblock", "127.0.0.1"]);
    assert_eq!((code, &*text), (0, "127.0.0.1 may connect again\n"));
    let (code, _, error) = bench.ask(&["unblock", "127.0.0.1"]);
    assert_eq!((code, &*error), (1, "selsius: 127.0.0.1 is not blocked\n"));
    let (mut phone, mut manager) = bench.connect();

    // Rules that are wrong change nothing; others hold for connections that are open.
    fs::write(bench.path("policy.toml"), "preset = \"loose\"").unwrap();
    let (code, _, error) = bench.ask(&["reload"]);
    assert!(code == 1 && error.contains("the rules stay as they are") && error.contains("line 1"), "{error}");
    fs::write(bench.path("policy.toml"), "[messages]\ndeny = [\"KeepAlive\"]").unwrap();
    assert_eq!(bench.ask(&["reload"]).1, "the rules were read again\n");
    let alarm = message(0x20, &[0; 92]);
    until("the new rules hold", || bench.ask(&["status"]).1.starts_with("policy balanced"));
    phone.write_all(&message(KEEP_ALIVE, &[])).unwrap();
    phone.write_all(&alarm).unwrap();
    hears(&mut manager, &alarm);
}

#[test]
fn a_side_that_does_not_read_holds_up_the_other_one_and_nobody_else() {
    let bench = Bench::new(
        "[limits]\nkilobyte-rate = { per-second = 1000000 }\nmessage-rate = { per-second = 1000000 }",
    );
    let (mut phone, manager) = bench.connect();
    phone.set_nonblocking(true).unwrap();
    // Alarms, which need no registration, until nothing more is taken.
    let alarm = message(0x20, &[0; 92]);
    let alarms = alarm.repeat(64);
    let (mut written, mut stuck) = (0, 0);
    while stuck < 200 && written < 64 << 20 {
        // It goes on where the last write has stopped.
        match phone.write(&alarms[written % alarm.len()..]) {
            Ok(count) => (written, stuck) = (written + count, 0),
            Err(_) => {
                stuck += 1;
                // A question in between shows that the guard serves others.
                assert_eq!(bench.ask(&["status"]).0, 0);
            }
        }
    }
    assert!(written < 64 << 20, "the guard keeps no more than the kernel and its backlog hold");
    // All of it arrives once it is read.
    let mut manager = manager;
    let mut read = 0;
    let mut buffer = vec![0; 1 << 20];
    while read + alarm.len() <= written {
        let count = manager.read(&mut buffer).unwrap();
        assert!(count > 0);
        read += count;
    }
}

/// A capture with one connection in which a phone says this.
fn capture(path: &Path, pieces: &[(Way, Vec<u8>)]) {
    let mut flow = TcpFlow::new("192.0.2.10:50000".parse().unwrap(), "192.0.2.1:2000".parse().unwrap());
    let mut frames = flow.open();
    for (way, bytes) in pieces {
        frames.extend(flow.send(*way, bytes));
    }
    frames.extend(flow.close(Way::Forward));
    let (mut writer, mut out) = (Writer::default(), Vec::new());
    for (at, frame) in frames.iter().enumerate() {
        let time = Time::from_millis(1000 + at as u64);
        writer.packet(&Packet { time, link: 1, bytes: frame, original: frame.len() as u32 }, &mut out);
    }
    fs::write(path, out).unwrap();
}

#[test]
fn a_capture_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("attack.pcapng");
    capture(
        &path,
        &[
            (Way::Forward, message(KEEP_ALIVE, &[])),
            (Way::Backward, message(0x100, &[])),
            (Way::Forward, message(RESET, &1_u32.to_le_bytes())),
        ],
    );
    let path = path.to_str().unwrap();
    let (code, shown, _) = said(&selsius(&["guard", "--replay", path, "--policy", "strict"]));
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains("wrong-direction") && shown.contains("reset"), "{shown}");
    assert!(
        shown.ends_with("2 messages of phones, 1 of managers; 0 dropped, 0 changed, 1 connection reset\n"),
        "{shown}"
    );
    let (code, shown, _) = said(&selsius(&["guard", "--replay", path, "--policy", "monitor"]));
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("log    wrong-direction"), "{shown}");
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, "[findings]\nvalue-unkown = \"drop\"\n").unwrap();
    let policy = policy.to_str().unwrap();
    for (arguments, says) in [
        (&["--listen", "127.0.0.1:0"][..], "say where the manager is, with --upstream"),
        (&["--upstream", "127.0.0.1:2000"], "say where phones connect to, with --listen"),
        (&["--listen", "127.0.0.1:2000", "--upstream", "127.0.0.1:2000"], "is the guard's own address"),
        (&["--check-policy", "--policy", policy], "no finding is called \"value-unkown\""),
        (&["--check-policy", "--policy", "/does/not/exist"], "cannot read the policy /does/not/exist"),
        (&["--replay", "/does/not/exist"], "cannot read /does/not/exist"),
        (&["status", "--control", "/does/not/exist"], "no guard is asked at /does/not/exist"),
    ] {
        let (code, _, error) = said(&selsius(&[&["guard"], arguments].concat()));
        assert_eq!(code, 1, "{arguments:?}");
        assert!(error.contains(says), "{arguments:?}: {error}");
    }
    let (code, shown, _) = said(&selsius(&["guard", "--check-policy", "--policy", "strict"]));
    assert_eq!(code, 0);
    assert!(shown.contains("length-impossible") && shown.contains("block"), "{shown}");
}

#[test]
fn phones_read_the_guards_address_in_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site.toml");
    fs::write(&site, "[lines.1001]\n[devices.SEP001122334455]\nbuttons = [{ line = \"1001\" }]\n").unwrap();
    let mut manager = Command::new(env!("CARGO_BIN_EXE_selsius"));
    manager.args(["serve", "--sccp", "127.0.0.1:0", "--tftp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    manager.arg("--data-dir").arg(folder.path().join("data")).arg("--site").arg(&site);
    let manager = Serving::start(manager);
    let [sccp, upstream] = [manager.address("sccp"), manager.address("tftp")];
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, format!("[nat.servers]\n\"{sccp}\" = \"192.0.2.77:2000\"\n")).unwrap();
    let at = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let control = folder.path().join("guard.sock");
    let mut guard = Command::new(env!("CARGO_BIN_EXE_selsius"));
    guard
        .args(["guard", "--listen", "127.0.0.1:0", "--upstream", &sccp.to_string(), "--policy"])
        .arg(&policy);
    guard
        .args(["--tftp", &at.to_string(), "--tftp-upstream", &upstream.to_string(), "--control"])
        .arg(&control);
    guard.arg("--log").arg(folder.path().join("events.jsonl")).stdout(Stdio::null());
    let _guard = Guard::start(guard, control);
    let url = |name: &str| format!("tftp://{at}/{name}");
    let curl = |name: &str| Command::new("curl").args(["-s", "--max-time", "10", &url(name)]).output();
    let Ok(output) = curl("SEP001122334455.cnf.xml") else { return eprintln!("skipped: curl is not there") };
    let file = String::from_utf8(output.stdout).unwrap();
    assert!(file.contains("<processNodeName>192.0.2.77</processNodeName>"), "{file}");
    assert!(file.contains("<ethernetPhonePort>2000</ethernetPhonePort>"), "{file}");
    // 68: the file is not there.
    assert_eq!(curl("nothing.xml").unwrap().status.code(), Some(68));
}

/// A manager that runs, by what it says of itself.
struct Serving {
    child: std::process::Child,
    ready: String,
}

impl Serving {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        while !ready.contains("selsius ready") {
            ready.clear();
            assert!(out.read_line(&mut ready).unwrap() > 0, "the manager ended");
        }
        Self { child, ready }
    }

    fn address(&self, service: &str) -> SocketAddr {
        self.ready.split_whitespace().skip_while(|word| *word != service).nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
