//! A manager as a process, and what tests do with it. Nothing here waits without a deadline.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use selsius_client::{Options, Phone, Snapshot};
use selsius_server::api;
use selsius_station::{Action, Config, ModelClass};
use selsius_wire::value::CallState;

/// How long anything may take; only failures take so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The command, without what the environment of the tests says.
pub(crate) fn selsius() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selsius"));
    for variable in ["STATE_DIRECTORY", "SELSIUS_DATA_DIR", "SELSIUS_CONFIG", "SELSIUS_LOG"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// `selsius serve` on loopback with free ports.
pub(crate) fn serve(data_dir: &Path) -> Command {
    let mut command = selsius();
    command.args([
        "serve",
        "--sccp",
        "127.0.0.1:0",
        "--tftp",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
        "--data-dir",
    ]);
    command.arg(data_dir);
    command
}

/// The same, so that [`Manager::limit_files`] makes writing fail.
pub(crate) fn on_a_disk_that_can_fail(data_dir: &Path) -> Command {
    let mut command = Command::new("sh");
    // A file that may not grow makes a signal, which would end the process, unless that is ignored.
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]);
    let plain = serve(data_dir);
    command.arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// What a command that fails says, and that it fails in the way that is meant for failures.
pub(crate) fn fails(mut command: Command) -> String {
    let output = output(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{said}");
    said
}

/// Waits for the end of a process, and kills one that does not end.
pub(crate) fn output(child: Child) -> Output {
    let process = Pid::from_child(&child);
    let (done, ended) = channel();
    thread::spawn(move || done.send(child.wait_with_output()));
    ended
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| {
            let _ = kill_process(process, Signal::KILL);
            panic!("{process:?} does not end");
        })
        .unwrap()
}

/// A manager that runs. Killed when it is dropped.
pub(crate) struct Manager {
    child: Option<Child>,
    pub(crate) process: Pid,
    pub(crate) data_dir: PathBuf,
    pub(crate) sccp: SocketAddr,
    pub(crate) tftp: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) admin: PathBuf,
    pub(crate) log: Lines,
    out: Lines,
}

impl Manager {
    /// Starts one with more arguments, and waits until it is ready.
    pub(crate) fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        let mut command = serve(data_dir);
        command.args(arguments);
        Self::run(data_dir, command)
    }

    /// Runs this command, and waits until it is ready.
    pub(crate) fn run(data_dir: &Path, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = Lines::of(child.stderr.take().unwrap());
        let mut out = Lines::of(child.stdout.take().unwrap());
        let process = Pid::from_child(&child);
        let Some(line) = out.find(|line| line.starts_with("selsius ready: ")) else {
            log.rest();
            panic!("not ready: {:?} {:?}", out.seen, log.seen);
        };
        let words: Vec<_> = line.split(' ').collect();
        let ["selsius", "ready:", "sccp", sccp, "tftp", tftp, "http", http, "admin", admin] = words[..]
        else {
            panic!("{line}");
        };
        let address = |text: &str| text.split(',').next().unwrap().parse().unwrap();
        Self {
            child: Some(child),
            process,
            data_dir: data_dir.into(),
            sccp: address(sccp),
            tftp: address(tftp),
            http: address(http),
            admin: admin.into(),
            log,
            out,
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.process, signal).unwrap();
    }

    /// Lets no file of the manager grow beyond so many bytes: for it, a disk that fails. `None` is a good disk again.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(self.process), Resource::Fsize, limit).unwrap();
    }

    /// Waits for its end; what it printed besides the line that it is ready.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        let status = output(self.child.take().unwrap()).status;
        self.out.rest();
        self.log.rest();
        (status, std::mem::take(&mut self.out.seen), std::mem::take(&mut self.log.seen))
    }

    /// Ends it in order.
    pub(crate) fn stop(self) {
        self.signal(Signal::TERM);
        let (status, _, log) = self.end();
        assert_eq!(status.code(), Some(0), "{log:#?}");
    }

    /// Ends it as a power loss does.
    pub(crate) fn kill(self) {
        self.signal(Signal::KILL);
        self.end();
    }

    /// Another command for this manager.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = selsius();
        command.args(arguments).arg("--data-dir").arg(&self.data_dir);
        command
    }

    /// What another command says; it succeeds.
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        let mut command = self.command(arguments);
        let output = output(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn status(&self) -> api::Status {
        serde_json::from_str(&self.ask(&["status", "--json"])).unwrap()
    }

    pub(crate) fn calls(&self) -> Vec<api::Call> {
        serde_json::from_str(&self.ask(&["calls", "--json"])).unwrap()
    }

    /// Applies a site.
    pub(crate) fn apply(&self, site: &str) -> String {
        let file = self.data_dir.join("test-site.toml");
        std::fs::write(&file, site).unwrap();
        self.ask(&["site", "apply", file.to_str().unwrap()])
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a process prints, line by line.
pub(crate) struct Lines {
    lines: Receiver<String>,
    pub(crate) seen: Vec<String>,
}

impl Lines {
    pub(crate) fn of(from: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines, seen: Vec::new() }
    }

    /// The next line for which this holds; `None` at the end.
    pub(crate) fn find(&mut self, holds: impl Fn(&str) -> bool) -> Option<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()?;
            self.seen.push(line.clone());
            if holds(&line) {
                return Some(line);
            }
        }
    }

    fn rest(&mut self) {
        self.find(|_| false);
    }
}

/// Two phones of the site [`OFFICE`], registered.
pub(crate) struct Pair {
    pub(crate) alice: Phone,
    pub(crate) bob: Phone,
}

pub(crate) const OFFICE: &str = r#"
[lines.1001]
name = "Alice"
[lines.1002]
name = "Bob"
[devices.SEP020000001001]
model = "7960"
buttons = [{ line = "1001" }]
[devices.SEP020000001002]
model = "7960"
buttons = [{ line = "1002" }]
"#;

/// A phone that is registered.
pub(crate) async fn phone(manager: SocketAddr, name: &str) -> Phone {
    let mut phone = Phone::start(manager.into(), Config::new(name, ModelClass::P7960), Options::default());
    until(&mut phone, |now| now.face.registered).await;
    phone
}

impl Pair {
    pub(crate) async fn register(manager: SocketAddr) -> Self {
        Self { alice: phone(manager, "SEP020000001001").await, bob: phone(manager, "SEP020000001002").await }
    }

    /// Alice calls Bob, and he answers.
    pub(crate) async fn talk(&mut self) {
        self.alice.act(Action::OffHook).await.unwrap();
        until(&mut self.alice, |now| now.face.tone.is_some()).await;
        self.alice.act(Action::Dial("1002".into())).await.unwrap();
        until(&mut self.bob, |now| now.face.ringing.is_some()).await;
        self.bob.act(Action::OffHook).await.unwrap();
        for phone in [&mut self.alice, &mut self.bob] {
            until(phone, |now| now.face.calls.iter().any(|call| call.state == CallState::Connected)).await;
        }
    }
}

pub(crate) async fn until(phone: &mut Phone, holds: impl Fn(&Snapshot) -> bool) {
    let waited = tokio::time::timeout(PATIENCE, phone.wait_until(holds)).await;
    waited.unwrap_or_else(|_| panic!("{:?}", phone.now())).unwrap();
}

/// Says that a test does nothing here, and why.
pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
