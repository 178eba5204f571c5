//! The manager as a service: its end, a changed configuration, what systemd is told, a disk that fails and comes back.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixDatagram,
    path::Path,
    process::Stdio,
};

use rustix::process::Signal;
use selsius_server::api::{Health, ProblemKind};
use selsius_station::Action;
use selsius_wire::value::Tone;

use crate::support::{
    Manager, OFFICE, PATIENCE, Pair, fails, on_a_disk_that_can_fail, output, phone, selsius, serve, until,
};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A manager with this configuration.
fn configured(top: &Path, text: &str) -> Manager {
    let file = top.join("selsius.toml");
    fs::write(&file, text).unwrap();
    Manager::start(top, &["--config", file.to_str().unwrap()])
}

/// What an HTTP address says.
fn get(at: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: selsius\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The address that the log names for figures.
fn metrics(manager: &mut Manager) -> SocketAddr {
    let line = manager.log.find(|line| line.contains("figures for Prometheus")).unwrap();
    line.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap()
}

#[test]
fn at_sigterm_calls_may_end_by_themselves_and_new_ones_are_refused() {
    let top = tempfile::tempdir().unwrap();
    let mut manager = Manager::start(top.path(), &[]);
    let carol = "[lines.1003]\n[devices.SEP020000001003]\nbuttons = [{ line = \"1003\" }]\n";
    manager.apply(&format!("{OFFICE}{carol}"));
    runtime().block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        let mut carol = phone(manager.sccp, "SEP020000001003").await;
        pair.talk().await;
        manager.signal(Signal::TERM);
        manager.log.find(|line| line.contains("new ones are refused")).unwrap();
        // The order to refuse new calls is on its way to the exchange: what is asked later comes later.
        let mut health = manager.command(&["health", "--json"]);
        let health = output(health.stdout(Stdio::piped()).spawn().unwrap());
        assert_eq!(health.status.code(), Some(1), "{health:?}");
        let health: Health = serde_json::from_slice(&health.stdout).unwrap();
        assert_eq!((health.live, health.problems[0].kind), (true, ProblemKind::Stopping));

        // Carol's call comes to nothing, while the other one goes on.
        carol.act(Action::OffHook).await.unwrap();
        until(&mut carol, |now| now.face.tone.is_some()).await;
        carol.act(Action::Dial("1001".into())).await.unwrap();
        until(&mut carol, |now| now.face.tone == Some(Tone::ReorderTone)).await;
        pair.alice.act(Action::OnHook).await.unwrap();
    });
    let (status, _, log) = manager.end();
    assert_eq!(status.code(), Some(0), "{log:#?}");

    let manager = Manager::start(top.path(), &[]);
    let causes: Vec<_> = manager.calls().into_iter().map(|call| (call.dialed, call.cause)).collect();
    // The one that began last is first.
    let expected = [("1001", "shutdown"), ("1002", "caller-hung-up")];
    assert_eq!(causes, expected.map(|(dialed, cause)| (dialed.to_owned(), cause.to_owned())));
    manager.stop();
}

#[test]
fn a_second_signal_ends_calls_at_once() {
    let top = tempfile::tempdir().unwrap();
    let mut manager = configured(top.path(), "[shutdown]\ngrace-seconds = 3600\n");
    manager.apply(OFFICE);
    runtime().block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        pair.talk().await;
        manager.signal(Signal::TERM);
        manager.log.find(|line| line.contains("new ones are refused")).unwrap();
        manager.signal(Signal::TERM);
        let (status, _, log) = manager.end();
        assert_eq!(status.code(), Some(0), "{log:#?}");
    });
    let manager = Manager::start(top.path(), &[]);
    assert_eq!(manager.calls()[0].cause, "shutdown");
    manager.stop();
}

#[test]
fn sighup_takes_over_what_can_change_and_names_what_cannot() {
    let top = tempfile::tempdir().unwrap();
    let mut manager = configured(top.path(), "[log]\nlevel = \"info\"\n");
    let change = |manager: &mut Manager, text: &str, said: &str| {
        fs::write(top.path().join("selsius.toml"), text).unwrap();
        manager.signal(Signal::HUP);
        manager.log.find(|line| line.contains(said)).unwrap()
    };
    change(&mut manager, "[log]\nlevel = \"info\"\n", "the configuration has not changed");
    let line = change(&mut manager, "[log]\nlevle = \"info\"\n", "stays as it is");
    assert!(line.contains("selsius.toml:2:1: unknown field `levle`"), "{line}");
    let all = "advertise = \"192.0.2.1\"\n[log]\nlevel = \"debug\"\n[limits]\ndigits = 5\n[metrics]\nlisten = \"127.0.0.1:0\"\n";
    fs::write(top.path().join("selsius.toml"), all).unwrap();
    manager.signal(Signal::HUP);
    let at = metrics(&mut manager);
    let line = manager.log.find(|line| line.contains("configuration taken over")).unwrap();
    assert!(line.contains("limits.digits, log.level, metrics.listen"), "{line}");
    let line = manager.log.find(|line| line.contains("from the next start on")).unwrap();
    assert!(line.contains("advertise") && !line.contains("limits"), "{line}");
    assert!(get(at, "/metrics").contains("\nselsius_up 1\n"));
    // The level holds: what is only told at debug is told.
    manager.apply(OFFICE);
    runtime().block_on(Pair::register(manager.sccp));
    manager.log.find(|line| line.contains("DEBUG") && line.contains("ready")).unwrap();
    // An address that is taken leaves everything as it is.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let wrong = all.replace("127.0.0.1:0", &taken.local_addr().unwrap().to_string());
    let line = change(&mut manager, &wrong, "stays as it is");
    assert!(line.contains("cannot serve metrics on") && line.contains("[metrics]"), "{line}");
    assert!(get(at, "/health").starts_with("HTTP/1.1 200"));
    manager.stop();
}

#[test]
fn systemd_is_told_how_it_goes() {
    let top = tempfile::tempdir().unwrap();
    let socket = top.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = |wanted: &str| loop {
        let mut buffer = [0; 1024];
        let length = systemd.recv(&mut buffer).unwrap_or_else(|error| panic!("{wanted}: {error}"));
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if text.lines().any(|line| line.starts_with(wanted)) {
            return text;
        }
    };
    let mut command = serve(top.path());
    command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "200000");
    let manager = Manager::run(top.path(), command);
    manager.apply(OFFICE);
    told("READY=1");
    // Not once by chance.
    told("WATCHDOG=1");
    told("WATCHDOG=1");
    manager.signal(Signal::HUP);
    let reloading = told("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    told("READY=1");
    runtime().block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        pair.talk().await;
        manager.signal(Signal::TERM);
        let stopping = told("STOPPING=1");
        assert!(
            stopping.contains("EXTEND_TIMEOUT_USEC=45000000"),
            "the grace time and some more: {stopping}"
        );
        told("WATCHDOG=1");
        told("WATCHDOG=1");
        pair.alice.act(Action::OnHook).await.unwrap();
    });
    assert_eq!(manager.end().0.code(), Some(0));
}

#[test]
fn records_outlast_a_disk_that_fails_and_everything_says_so() {
    let top = tempfile::tempdir().unwrap();
    fs::write(top.path().join("selsius.toml"), "[metrics]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let mut command = on_a_disk_that_can_fail(top.path());
    command.arg("--config").arg(top.path().join("selsius.toml"));
    let mut manager = Manager::run(top.path(), command);
    let at = metrics(&mut manager);
    manager.apply(OFFICE);
    runtime().block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        // What phones have told so far is written.
        assert_eq!(manager.calls().len(), 0);
        manager.limit_files(Some(1));
        for _ in 0..3 {
            pair.talk().await;
            pair.alice.act(Action::OnHook).await.unwrap();
            until(&mut pair.bob, |now| now.face.calls.is_empty()).await;
            pair.bob.act(Action::OnHook).await.unwrap();
            for phone in [&mut pair.alice, &mut pair.bob] {
                until(phone, |now| now.face.calls.is_empty()).await;
            }
        }
        manager.log.find(|line| line.contains("records wait in memory")).unwrap();
        assert_eq!(manager.calls().len(), 0, "reading goes on, without what could not be written");
        let health: Health = serde_json::from_str(&manager.ask(&["health", "--json"])).unwrap();
        let kinds: Vec<_> = health.problems.iter().map(|problem| problem.kind).collect();
        assert_eq!((health.ready, &kinds[..]), (true, &[ProblemKind::StoreFailing][..]), "{health:?}");
        let status = manager.ask(&["status"]);
        assert!(status.contains("the database takes no records since 20"), "{status}");
        let figures = get(at, "/metrics");
        assert!(figures.contains("\nselsius_store_failing 1\n"), "{figures}");
        assert!(!figures.contains("\nselsius_store_records_waiting 0\n"), "{figures}");
        assert!(get(at, "/health").contains("store-failing"));

        manager.limit_files(None);
        manager.log.find(|line| line.contains("records are stored again")).unwrap();
        let calls = manager.calls();
        assert_eq!(calls.iter().map(|call| call.cause.as_str()).collect::<Vec<_>>(), ["caller-hung-up"; 3]);
        assert_eq!(manager.ask(&["health"]), "ready: phones can register and call\n");
        assert!(get(at, "/metrics").contains("\nselsius_store_records_waiting 0\n"));
    });
    manager.stop();
}

#[test]
fn health_without_a_manager_says_how_to_start_one() {
    let top = tempfile::tempdir().unwrap();
    let mut command = selsius();
    command.args(["health", "--data-dir"]).arg(top.path());
    assert!(fails(command).contains("start one with `selsius serve`"));
}
