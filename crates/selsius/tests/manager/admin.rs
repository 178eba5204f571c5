//! The site, records and backups, over the admin socket.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    process::Stdio,
};

use crate::support::{Manager, OFFICE, Pair, fails, output, phone, until};
use selsius_station::Action;

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_site_is_applied_shown_and_exported() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    let file = top.path().join("office.toml");
    let name = file.to_str().unwrap();
    manager.ask(&["site", "export"]);
    let mut init = crate::support::selsius();
    assert!(init.args(["site", "init", name]).output().unwrap().status.success());
    let mut again = crate::support::selsius();
    again.args(["site", "init", name]);
    assert!(fails(again).contains("exists already"));

    fs::write(&file, OFFICE).unwrap();
    let dry = manager.ask(&["site", "apply", "--dry-run", name]);
    assert!(dry.starts_with("+ line 1001 \"Alice\"\n") && dry.ends_with("would apply: 4 changes\n"), "{dry}");
    assert_eq!(manager.status().devices.len(), 0);
    assert!(manager.ask(&["site", "apply", name]).ends_with("applied: 4 changes\n"));
    assert_eq!(manager.ask(&["site", "apply", name]), "nothing changes\n");
    assert_eq!(manager.status().devices.len(), 2);
    assert!(manager.ask(&["site", "show"]).contains("SEP020000001001  7960"));

    // What the file does not mention stays, unless it is pruned.
    let bob = OFFICE.replace("[lines.1001]\nname = \"Alice\"\n", "").replace("1001", "1002").replace(
        "[devices.SEP020000001002]\nmodel = \"7960\"\nbuttons = [{ line = \"1002\" }]\n[devices.SEP020000001002]",
        "[devices.SEP020000001002]",
    );
    fs::write(&file, bob).unwrap();
    assert_eq!(manager.ask(&["site", "apply", name]), "nothing changes\n");
    let pruned = manager.ask(&["site", "apply", "--prune", name]);
    assert!(pruned.contains("- line 1001") && pruned.contains("- device SEP020000001001"), "{pruned}");
    let exported = manager.ask(&["site", "export"]);
    assert!(exported.contains("[devices.SEP020000001002]") && !exported.contains("1001"), "{exported}");
    manager.stop();
}

#[test]
fn a_mistake_names_its_line_and_nothing_is_applied() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    let file = top.path().join("my office.toml");
    let name = file.to_str().unwrap();
    for (mistake, place, what) in [
        ("[lines.1003]\nnmae = \"Carl\"", ":13:1: lines.1003.nmae: unknown key", "did you mean `name`?"),
        ("[devices.SEP020000001003]\nbuttons = [{ line = \"1009\" }]", ":13:", "line 1009 does not exist"),
        ("[settings]\ntime-zone = \"Europe/Nowhere\"", "settings.time-zone", "\"Europe/Nowhere\""),
    ] {
        fs::write(&file, format!("{OFFICE}{mistake}\n")).unwrap();
        let said = fails(manager.command(&["site", "apply", name]));
        assert!(
            said.contains(place) && said.contains(what) && said.contains("nothing was applied"),
            "{said}"
        );
        assert!(place.starts_with("settings") || said.contains(&format!("{name}{place}")), "{said}");
        assert_eq!(
            manager.ask(&["site", "export"]).lines().filter(|line| line.starts_with("[lines")).count(),
            0
        );
    }
    manager.stop();
    let mut start = crate::support::serve(top.path());
    fs::write(&file, format!("{OFFICE}[lines.1003]\nnmae = \"Carl\"\n")).unwrap();
    start.arg("--site").arg(&file);
    assert!(fails(start).contains(&format!("{name}:13:1: lines.1003.nmae: unknown key")));
}

#[test]
fn a_phone_keeps_its_call_while_the_site_changes() {
    let top = tempfile::tempdir().unwrap();
    let site = top.path().join("office.toml");
    fs::write(&site, OFFICE).unwrap();
    let manager = Manager::start(top.path(), &["--site", site.to_str().unwrap()]);
    runtime().block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        pair.talk().await;
        let status = manager.status();
        assert_eq!((status.calls.len(), status.calls[0].phase.as_str()), (1, "talking"));
        manager.apply(&format!("{OFFICE}[lines.1003]\nname = \"Carl\"\n"));
        assert_eq!(manager.status().calls.len(), 1, "the call goes on");
        pair.alice.act(Action::OnHook).await.unwrap();
        pair.bob.act(Action::OnHook).await.unwrap();
        for phone in [&mut pair.alice, &mut pair.bob] {
            until(phone, |now| now.face.calls.is_empty()).await;
        }
    });
    let calls = manager.calls();
    assert_eq!((calls.len(), calls[0].cause.as_str()), (1, "caller-hung-up"), "{calls:?}");
    assert_eq!((calls[0].calling.number.as_str(), calls[0].dialed.as_str()), ("1001", "1002"));
    let table = manager.ask(&["calls"]);
    assert!(table.contains("1001 (Alice)") && !table.contains('\u{1b}'), "{table}");
    let history = manager.ask(&["device", "history", "SEP020000001001"]);
    assert!(history.contains("registered"), "{history}");
    manager.stop();
}

#[test]
fn a_phone_that_registered_itself_is_in_the_site_and_comes_back() {
    let top = tempfile::tempdir().unwrap();
    let mut manager = Manager::start(top.path(), &["--auto-register", "1001-1999"]);
    manager.log.find(|line| line.contains("unknown phones get the next free number of 1001-1999")).unwrap();
    let number = |manager: &Manager| {
        let status = manager.status();
        let device = status.devices.iter().find(|device| device.name == "SEP02000000AAAA").unwrap().clone();
        (device.lines[0].clone(), device.registration.is_some())
    };
    runtime().block_on(async {
        let _phone = phone(manager.sccp, "SEP02000000AAAA").await;
        assert_eq!(number(&manager), ("1001".into(), true));
        // A change of the site leaves it alone.
        manager.apply(OFFICE.replace("1001]", "1501]").replace("\"1001\"", "\"1501\"").as_str());
        assert_eq!(number(&manager), ("1001".into(), true));
    });
    let exported = manager.ask(&["site", "export"]);
    assert!(
        exported.contains("[devices.SEP02000000AAAA]") && exported.contains("[lines.1001]"),
        "{exported}"
    );
    assert!(exported.contains("auto-registration = false"), "the option holds for the run: {exported}");
    manager.kill();

    let manager = Manager::start(top.path(), &[]);
    runtime().block_on(async {
        let _phone = phone(manager.sccp, "SEP02000000AAAA").await;
        assert_eq!(number(&manager), ("1001".into(), true));
        let reset = manager.ask(&["device", "restart", "SEP02000000AAAA"]);
        assert!(reset.contains("told to restart"), "{reset}");
    });
    assert!(fails(manager.command(&["device", "reset", "SEP02000000BBBB"])).contains("is not registered"));
    manager.stop();
}

#[test]
fn phones_that_register_themselves_while_the_site_changes_keep_their_numbers() {
    const PHONES: usize = 30;
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &["--auto-register", "1001-1999"]);
    let sccp = manager.sccp;
    // Phones come in while the site is changed again and again.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let coming = std::thread::spawn(move || {
        runtime().block_on(async {
            let mut phones = Vec::new();
            for number in 0..PHONES {
                phones.push(phone(sccp, &format!("SEP0200000000{number:02}")).await);
            }
            let _ = stopped.await;
            phones.into_iter().filter(|phone| !phone.now().face.registered).count()
        })
    });
    let mut round = 0;
    while manager.status().counters.registrations < PHONES as u64 {
        round += 1;
        manager.apply(&format!("{OFFICE}[lines.3001]\nname = \"Round {round}\"\n").replace("100", "200"));
    }
    manager.apply(OFFICE.replace("100", "200").as_str());
    let status = manager.status();
    let running: BTreeMap<_, _> = status
        .devices
        .iter()
        .filter(|device| device.registration.is_some())
        .map(|device| (device.lines[0].clone(), device.name.clone()))
        .collect();
    assert_eq!(running.len(), PHONES, "each has a number of its own, after {round} changes: {running:?}");
    assert_eq!(status.counters.registrations, PHONES as u64, "and none had to register again");
    let exported = manager.ask(&["site", "export"]);
    for (line, name) in &running {
        let (_, device) = exported.split_once(&format!("[devices.{name}]")).unwrap();
        let device = device.split("[devices").next().unwrap();
        assert!(device.contains(&format!("\"{line}\"")), "{name} {line}: {device}");
    }
    stop.send(()).unwrap();
    assert_eq!(coming.join().unwrap(), 0, "all are still registered");
    manager.stop();
}

#[test]
fn a_backup_comes_back_while_the_manager_runs() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    let backup = top.path().join("backup.tar");
    let name = backup.to_str().unwrap();
    let message = top.path().join("voicemail/1002/1-1001.new.wav");
    fs::create_dir_all(message.parent().unwrap()).unwrap();
    fs::write(&message, "hello").unwrap();
    manager.ask(&["backup", name]);
    fs::remove_file(&message).unwrap();
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fails(manager.command(&["backup", name])).contains("exists already"));
    manager.apply(&OFFICE.replace("Alice", "Alicia"));

    runtime().block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        pair.talk().await;
        let said = manager.ask(&["restore", name]);
        assert!(said.contains("\"Alicia\" -> \"Alice\""), "{said}");
        assert_eq!(fs::read_to_string(&message).unwrap(), "hello");
        until(&mut pair.bob, |now| now.face.message_lamp == selsius_wire::value::LampMode::On).await;
        assert_eq!(manager.status().calls.len(), 1, "the call goes on");
        pair.alice.act(Action::OnHook).await.unwrap();
        until(&mut pair.alice, |now| now.face.calls.is_empty()).await;
    });
    assert!(manager.ask(&["site", "export"]).contains("\"Alice\""));
    assert_eq!(manager.calls().len(), 1, "and is recorded at its end");

    fs::write(top.path().join("none.db"), "no database").unwrap();
    let said = fails(manager.command(&["restore", top.path().join("none.db").to_str().unwrap()]));
    assert!(said.contains("database"), "{said}");
    assert!(manager.ask(&["site", "export"]).contains("\"Alice\""));
    let left: Vec<_> = fs::read_dir(top.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{left:?}");
    manager.stop();
}

#[test]
fn whoever_stops_reading_is_no_error() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    let mut child =
        manager.command(&["status"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = output(child);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    manager.stop();
}

/// One request, as bytes; the answer's status line and the last line of its body.
pub(crate) fn request(manager: &Manager, text: &[u8]) -> (String, String) {
    let mut stream = UnixStream::connect(&manager.admin).unwrap();
    stream.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
    // The manager may answer before it has read all of it.
    let _ = stream.write_all(text);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let line = |at: Option<&str>| at.unwrap_or_default().trim_end().to_owned();
    (line(answer.lines().next()), line(answer.lines().last()))
}

#[test]
fn bad_requests_are_answered_or_dropped_and_bounded() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    assert_eq!(fs::metadata(&manager.admin).unwrap().permissions().mode() & 0o777, 0o600);
    let head = "HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";
    let table: [(String, &str, &str); 7] = [
        (format!("GET /nothing {head}\r\n"), "HTTP/1.1 404", "\"error\""),
        (format!("DELETE /v1/status {head}\r\n"), "HTTP/1.1 405", ""),
        (format!("GET /v1/calls?last=x {head}\r\n"), "HTTP/1.1 400", ""),
        (format!("POST /v1/devices/a'b/reset {head}\r\n"), "HTTP/1.1 400", "no device name"),
        (format!("PUT /v1/site {head}content-length: 1\r\n\r\n\u{7f}"), "HTTP/1.1 422", "\"error\""),
        (format!("POST /v1/restore {head}content-length: 4\r\n\r\nnone"), "HTTP/1.1 422", "database"),
        ("garbage\r\n\r\n".into(), "HTTP/1.1 400", ""),
    ];
    for (text, status, body) in table {
        let (line, last) = request(&manager, text.as_bytes());
        assert!(line.starts_with(status) && last.contains(body), "{text}: {line} {last}");
    }
    let large = 17 << 20;
    let mut text = format!("PUT /v1/site {head}content-length: {large}\r\n\r\n").into_bytes();
    text.resize(text.len() + large, b'#');
    let (line, _) = request(&manager, &text);
    assert!(line.is_empty() || line.starts_with("HTTP/1.1 413"), "{line}");
    assert_eq!(manager.status().devices.len(), 0);
    manager.stop();
}
