//! Three hosts that are network namespaces: phones, the guard between, the manager.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    process::{Pid, Signal, kill_process},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};

/// How long anything may take; only failures take so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The hosts. Gone when it is dropped.
pub(crate) struct Networks {
    prefix: String,
    pub(crate) folder: tempfile::TempDir,
}

/// One of the hosts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Host {
    /// 10.77.1.2, and 10.77.1.3 for another phone.
    Phones,
    /// 10.77.1.1 towards the phones, 10.77.2.1 towards the manager.
    Guard,
    /// 10.77.2.2, and 10.77.2.3 for a stranger.
    Manager,
}

impl Networks {
    /// Makes them; `None`, said so, where that is not allowed. With `routed` the manager's side knows the way to the phones.
    pub(crate) fn new(routed: bool) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("sg{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let networks = Self { prefix, folder: tempfile::tempdir().unwrap() };
        let p = &networks.prefix;
        let mut script = String::new();
        for host in ["p", "g", "m"] {
            script += &format!("ip netns add {p}{host}\nip -n {p}{host} link set lo up\n");
        }
        for (name, host, ours, theirs) in
            [("a", "p", "1.1", ["1.2", "1.3"]), ("b", "m", "2.1", ["2.2", "2.3"])]
        {
            script += &format!(
                "ip link add {p}{name} netns {p}g type veth peer name eth0 netns {p}{host}\n\
                 ip -n {p}g addr add 10.77.{ours}/24 dev {p}{name}\nip -n {p}g link set {p}{name} up\n\
                 ip -n {p}{host} link set eth0 up\n"
            );
            for address in theirs {
                script += &format!("ip -n {p}{host} addr add 10.77.{address}/24 dev eth0\n");
            }
        }
        script += &format!("ip -n {p}p route add default via 10.77.1.1\n");
        if routed {
            script += &format!("ip -n {p}m route add default via 10.77.2.1\n");
        }
        script += &format!(
            "ip netns exec {p}g sysctl -qw net.ipv4.ip_forward=1\nip netns exec {p}g nft list ruleset\n"
        );
        let made = Command::new("sh").args(["-ec", &script]).output().unwrap();
        if !made.status.success() {
            eprintln!(
                "skipped: no network namespaces with nftables here: {}",
                String::from_utf8_lossy(&made.stderr)
            );
            return None;
        }
        Some(networks)
    }

    fn name(&self, host: Host) -> String {
        let letter = match host {
            Host::Phones => "p",
            Host::Guard => "g",
            Host::Manager => "m",
        };
        format!("{}{letter}", self.prefix)
    }

    /// Does something on a host.
    pub(crate) fn on<T: Send>(&self, host: Host, work: impl FnOnce() -> T + Send) -> T {
        let path = Path::new("/run/netns").join(self.name(host));
        thread::scope(|scope| {
            let on_it = scope.spawn(move || {
                let file = File::open(path).unwrap();
                move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                work()
            });
            on_it.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A command on a host.
    pub(crate) fn command(&self, host: Host, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(host), program]);
        command
    }

    /// A file with these rules.
    pub(crate) fn policy(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("policy.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Starts a guard on its host, and waits until it stands.
    pub(crate) fn guard(&self, arguments: &[&str]) -> Guard {
        let mut command = self.command(Host::Guard, env!("CARGO_BIN_EXE_selsius"));
        command.args(["guard", "--listen", "10.77.1.1:2000", "--upstream", "10.77.2.2:2000"]);
        command.args(arguments);
        let control = self.folder.path().join("guard.sock");
        command.arg("--control").arg(&control).arg("--log").arg(self.folder.path().join("events.jsonl"));
        Guard::start(command, control)
    }

    /// What the guard has told.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.folder.path().join("events.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What the guard has in the kernel.
    pub(crate) fn nft(&self, arguments: &[&str]) -> String {
        let output = self.command(Host::Guard, "nft").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for host in [Host::Phones, Host::Guard, Host::Manager] {
            let _ =
                Command::new("ip").args(["netns", "del", &self.name(host)]).stderr(Stdio::null()).status();
        }
    }
}

/// A guard that runs. Killed when it is dropped.
pub(crate) struct Guard {
    pub(crate) child: Child,
    pub(crate) control: PathBuf,
}

impl Guard {
    pub(crate) fn start(mut command: Command, control: PathBuf) -> Self {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains("the guard stands") {
            if said.read_line(&mut text).unwrap() == 0 {
                panic!("the guard does not stand: {text}");
            }
        }
        // Nobody reads what else it says: it must not wait for that.
        thread::spawn(move || said.read_to_string(&mut String::new()));
        Self { child, control }
    }

    /// Sends a signal to the guard itself: `ip netns exec` has become it.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "it never holds: {what}");
        thread::yield_now();
    }
}
