//! What an operator does while the manager runs: use phones, watch them, change single entries; and who it was.

use std::{process::Stdio, time::Instant};

use selsius_client::{Options, Phone};
use selsius_server::api;
use selsius_station::{Action, Config, ModelClass};
use selsius_wire::value::CallState;

use crate::{
    admin::{request, runtime},
    support::{Lines, Manager, OFFICE, PATIENCE, Pair, fails, phone, until},
};

const ALICE: &str = "SEP020000001001";
const BOB: &str = "SEP020000001002";

/// A command that goes on, and what it prints. Ended when it is dropped.
struct Watching {
    child: std::process::Child,
    lines: Lines,
}

impl Watching {
    fn start(manager: &Manager, arguments: &[&str]) -> Self {
        let mut child = manager.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = Lines::of(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Waits for a line with all of this.
    fn until(&mut self, parts: &[&str]) -> String {
        let found = self.lines.find(|line| parts.iter().all(|part| line.contains(part)));
        found.unwrap_or_else(|| panic!("no line with {parts:?} in {:#?}", self.lines.seen))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn phones_are_used_and_watched_from_the_command_line() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    let mut everything = Watching::start(&manager, &["watch"]);
    let mut events = Watching::start(&manager, &["watch", "--json"]);
    let mut screen = Watching::start(&manager, &["watch", BOB, "--json"]);
    let face = |line: String| serde_json::from_str::<api::Face>(&line).unwrap();
    assert_eq!(face(screen.until(&["registered"])), api::Face::default(), "before the phone is there");
    runtime().block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        screen.until(&["\"registered\":true"]);
        // What tells of a call that rings lies over a message for a while, so the message comes first.
        manager.ask(&["device", "message", BOB, "Lunch is ready"]);
        until(&mut pair.bob, |now| now.face.status().contains("Lunch is ready")).await;
        assert_eq!(manager.ask(&["device", "dial", ALICE, "1002"]), format!("{ALICE} dials 1002\n"));
        until(&mut pair.bob, |now| now.face.ringing.is_some()).await;
        let rings = face(screen.until(&["ring-in", "\"mode\":\"blink\"", "Answer"]));
        assert_eq!((rings.calls[0].inbound, rings.calls[0].calling.name.as_str()), (true, "Alice"));
        assert_eq!(rings.ring.unwrap().line, 1);
        let shown = manager.ask(&["device", "show", BOB]);
        for part in ["line 1  1002, lamp blink", "call    ringing from Alice (1001)", "prompt  From 1001"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let busy = fails(manager.command(&["device", "dial", ALICE, "1001"]));
        assert!(busy.contains("makes another call already"), "{busy}");

        manager.ask(&["device", "answer", BOB]);
        for phone in [&mut pair.alice, &mut pair.bob] {
            until(phone, |now| now.face.calls.iter().any(|call| call.state == CallState::Connected)).await;
        }
        screen.until(&["\"state\":\"connected\""]);
        manager.ask(&["device", "hold", BOB]);
        screen.until(&["\"state\":\"hold\""]);
        manager.ask(&["device", "resume", BOB]);
        screen.until(&["\"state\":\"connected\""]);
        manager.ask(&["device", "hang-up", ALICE]);
        until(&mut pair.bob, |now| now.face.calls.is_empty()).await;
        screen.until(&["\"calls\":[]"]);

        everything.until(&[ALICE, "registered from 127.0.0.1"]);
        everything.until(&["call 1 ringing from 1001 to 1002"]);
        everything.until(&["call 1 talking from 1001 to 1002"]);
        everything.until(&["call 1 over"]);
        let event: api::Event = serde_json::from_str(&events.until(&["registered", BOB])).unwrap();
        assert!(matches!(event, api::Event::Device { device, .. } if device == BOB));
        let event = serde_json::from_str(&events.until(&["\"talking\""])).unwrap();
        assert!(matches!(event, api::Event::Call(call) if (call.id, call.phase.as_str()) == (1, "talking")));

        pair.bob.act(Action::OffHook).await.unwrap();
        screen.until(&["inside-dial-tone"]);
    });
    screen.until(&["\"registered\":false"]);
    everything.until(&[BOB, "unregistered"]);

    let log: Vec<api::LogEntry> = serde_json::from_str(&manager.ask(&["log", "--json"])).unwrap();
    let done: Vec<_> = log.iter().rev().map(|entry| entry.what.as_str()).collect();
    let expected = [
        format!("device message {BOB} \"Lunch is ready\""),
        format!("device dial {ALICE} 1002"),
        format!("device answer {BOB}"),
        format!("device hold {BOB}"),
        format!("device resume {BOB}"),
        format!("device hang-up {ALICE}"),
    ];
    assert!(done[0].starts_with("site apply "), "{done:?}");
    assert_eq!(done[1..], expected.each_ref().map(String::as_str), "reads and failures are not in it");
    let own = rustix::process::getuid().as_raw();
    assert!(log.iter().all(|entry| entry.uid == own && entry.process.is_some()), "{log:?}");
    assert!(log.last().unwrap().changes.contains(&"+ line 1001 \"Alice\"".to_owned()), "{log:?}");
    let me = std::process::Command::new("id").arg("-un").output().unwrap();
    if me.status.success() {
        let name = String::from_utf8(me.stdout).unwrap();
        assert!(log.iter().all(|entry| entry.user == name.trim()), "{name}: {log:?}");
        assert!(manager.ask(&["log", "--last", "1"]).contains(name.trim()));
    }
    manager.stop();
}

#[test]
fn a_picture_is_seen_on_a_phone_that_draws_and_refused_for_one_that_does_not() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    // Twice as large as a 7960 shows: the left half black, the right half a hole.
    let file = top.path().join("door & window.png");
    let mut encoder = png::Encoder::new(std::fs::File::create(&file).unwrap(), 266, 130);
    encoder.set_color(png::ColorType::GrayscaleAlpha);
    let points: Vec<u8> = (0..266 * 130).flat_map(|at| [0, if at % 266 < 132 { 255 } else { 0 }]).collect();
    encoder.write_header().unwrap().write_image_data(&points).unwrap();
    let file = file.to_str().unwrap();
    let show = |name| ["device", "message", name, "--picture", file, "Front door & bell"];
    let wrong = top.path().join("site.toml");
    std::fs::write(&wrong, OFFICE).unwrap();
    let wrong = wrong.to_str().unwrap();
    runtime().block_on(async {
        let mut alice = phone(manager.sccp, ALICE).await;
        assert_eq!(manager.ask(&show(ALICE)), format!("{ALICE} shows the picture\n"));
        until(&mut alice, |now| now.face.screen.is_some()).await;
        let screen = alice.now().face.screen.unwrap();
        assert_eq!(screen.title, "Front door & bell");
        let picture = screen.picture.unwrap();
        assert_eq!((picture.width(), picture.height()), (133, 65));
        let row = [vec![3; 66], vec![0; 67]].concat();
        assert!(picture.rows().all(|other| other == row), "{picture:?}");
        alice.act(Action::LeaveScreen).await.unwrap();
        let said = fails(manager.command(&["device", "message", ALICE, "--picture", wrong]));
        assert!(said.contains("the picture cannot be read") && said.contains("it has to be PNG"), "{said}");

        let config = Config::new(BOB, ModelClass::P7912);
        let mut bob = Phone::start(manager.sccp.into(), config, Options::default());
        until(&mut bob, |now| now.face.registered).await;
        let said = fails(manager.command(&show(BOB)));
        assert!(said.contains(&format!("{BOB} (7912) shows no pictures")), "{said}");
        assert!(bob.now().face.screen.is_none());
    });
    let table: [(&[&str], &str); 2] = [
        (&["device", "message", ALICE, "--picture", "/nowhere.png"], "cannot read /nowhere.png"),
        (&["device", "message", ALICE, "--picture", wrong], "is not registered"),
    ];
    for (arguments, part) in table {
        let said = fails(manager.command(arguments));
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    let log = manager.ask(&["log"]);
    assert!(
        log.contains(&format!("device message {ALICE} --picture \"Front door & bell\" (133x65)")),
        "{log}"
    );
    manager.stop();
}

#[test]
fn single_entries_are_added_changed_and_removed() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    let add = ["line", "add", "1003", "--set", "name=Carl"];
    assert_eq!(manager.ask(&[&add[..], &["-n"]].concat()), "+ line 1003 \"Carl\"\nwould apply: 1 change\n");
    assert_eq!(manager.ask(&add), "+ line 1003 \"Carl\"\napplied: 1 change\n");
    let device = "SEP020000001003";
    let buttons = "buttons=[{ line = \"1003\" }]";
    let added = manager.ask(&["device", "add", device, "--set", "model=7960", "--set", buttons]);
    assert!(added.starts_with("+ device SEP020000001003"), "{added}");
    let changed = manager.ask(&["device", "change", device, "--set", "description=Carl's desk", "--json"]);
    let change: api::SiteChange = serde_json::from_str(&changed).unwrap();
    assert_eq!(change.changes, ["~ device SEP020000001003 description: \"\" -> \"Carl's desk\""]);
    let exported = manager.ask(&["site", "export"]);
    assert!(exported.contains("model = \"7960\"") && exported.contains("Carl's desk"), "{exported}");
    let shown = manager.ask(&["line", "show", "1003"]);
    assert!(shown.starts_with("1003  Carl\n") && shown.contains("SEP020000001003, absent"), "{shown}");
    assert!(manager.ask(&["line", "list"]).contains("1003  Carl   SEP020000001003"));
    assert_eq!(manager.ask(&["forward", "show", "1003"]), "1003 is not forwarded\n");

    let group = manager.ask(&["group", "add", "hunt", "2000", "--set", "members=[\"1001\", \"1002\"]"]);
    assert!(group.starts_with("+ hunt group 2000"), "{group}");
    assert!(manager.ask(&["group", "list"]).contains("hunt  2000"));
    assert!(manager.ask(&["group", "show", "hunt", "2000"]).starts_with("[hunt-groups.2000]\n"));
    manager.ask(&["group", "remove", "hunt", "2000"]);

    let table: [(&[&str], &[&str]); 10] = [
        (&["line", "add", "1003"], &["the site has lines.1003 already", "`change` changes it"]),
        (
            &["line", "change", "1009", "--set", "name=X"],
            &["the site has no lines.1009", "`add` makes a new one"],
        ),
        (&["line", "show", "1009"], &["the site has no line 1009", "`selsius line list`"]),
        (
            &["line", "add", "1009", "--set", "nmae=X"],
            &["lines.1009.nmae: unknown key", "did you mean `name`?"],
        ),
        (&["line", "remove", "1003"], &["devices.SEP020000001003.buttons[1]", "nothing was applied"]),
        (&["device", "show", "SEP02000000FFFF"], &["neither in the site nor registered", "`selsius status`"]),
        (&["device", "dial", ALICE, "1002"], &["is not registered", "`selsius status`"]),
        (&["device", "message", ALICE, " "], &["the message is empty"]),
        (&["watch", "SEP02000000FFFF"], &["neither in the site nor registered"]),
        (&["group", "show", "hunt", "2000"], &["the site has no hunt-groups.2000"]),
    ];
    for (arguments, parts) in table {
        let said = fails(manager.command(arguments));
        for part in parts {
            assert!(said.contains(part), "{arguments:?}: `{part}` is missing in\n{said}");
        }
    }
    manager.ask(&["device", "remove", device]);
    manager.ask(&["line", "remove", "1003"]);
    assert!(!manager.ask(&["site", "export"]).contains("1003"));
    let log = manager.ask(&["log"]);
    assert!(log.contains("remove lines.1003") && log.contains("- line 1003"), "{log}");
    assert!(!log.contains("1009"), "{log}");
    manager.stop();
}

#[test]
fn streams_end_with_the_manager_and_leave_room_for_others() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    let mut watching: Vec<_> = (0..16).map(|_| Watching::start(&manager, &["watch", BOB])).collect();
    for one in &mut watching {
        one.until(&["not registered"]);
    }
    let refused = fails(manager.command(&["watch", BOB]));
    assert!(refused.contains("too many watch this manager already"), "{refused}");
    assert_eq!(manager.status().devices.len(), 2, "who has something to do is still served");
    // The manager notices that one is gone, and its place is free.
    drop(watching.pop());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut again = Watching::start(&manager, &["watch", BOB]);
        if again.lines.find(|line| line.contains("not registered")).is_some() {
            watching.push(again);
            break;
        }
        assert!(Instant::now() < deadline, "the place stays taken");
    }
    let admin = manager.admin.clone();
    manager.stop();
    assert!(!admin.exists());
    for mut one in watching {
        assert!(!one.child.wait().unwrap().success(), "it says that the manager has ended the stream");
    }
}

#[test]
fn the_description_is_served_and_bad_bodies_are_named() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    let head = "HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";
    let json = "content-type: application/json\r\n";
    let (line, last) = request(&manager, format!("GET /v1/openapi.json {head}\r\n").as_bytes());
    assert!(line.starts_with("HTTP/1.1 200") && last.contains("\"/v1/devices/{name}/dial\""), "{line}");
    let entry = "PUT /v1/site/lines/1001";
    let table = [
        (format!("POST /v1/devices/{BOB}/dial {head}{json}content-length: 2\r\n\r\n{{}}"), "422", "number"),
        (
            format!("POST /v1/devices/{BOB}/dial {head}content-length: 2\r\n\r\n{{}}"),
            "415",
            "application/json",
        ),
        (
            format!(
                "POST /v1/devices/{BOB}/dial {head}{json}content-length: 17\r\n\r\n{{\"number\":\"10 x\"}}"
            ),
            "400",
            "is no number",
        ),
        (format!("{entry} {head}content-length: 12\r\n\r\n[lines.1002]"), "422", "of lines.1001 alone"),
        (format!("{entry} {head}content-length: 3\r\n\r\n[li"), "422", "body:1:"),
        (format!("DELETE /v1/site/lifts/1 {head}\r\n"), "404", "a site has no section `lifts`"),
        (format!("DELETE /v1/site/lines/x%20y {head}\r\n"), "404", "cannot be the name of a line"),
        (format!("GET /v1/devices/x'y/watch {head}\r\n"), "400", "is no device name"),
    ];
    for (text, status, part) in table {
        let (line, last) = request(&manager, text.as_bytes());
        assert!(
            line.starts_with(&format!("HTTP/1.1 {status}")) && last.contains(part),
            "{text}: {line} {last}"
        );
    }
    manager.stop();
}

#[test]
fn lines_are_forwarded_and_their_lamps_lit_from_the_command_line() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(&format!("{OFFICE}[parking]\nslots = [\"801-803\"]\n"));
    assert_eq!(manager.ask(&["forward", "set", "1002", "all", "1001"]), "1002: all -> 1001\n");
    assert_eq!(manager.ask(&["forward", "set", "1002", "no-answer", "1001"]), "1002: no-answer -> 1001\n");
    assert_eq!(manager.ask(&["forward", "show", "1002"]), "all -> 1001\nno-answer -> 1001\n");
    assert_eq!(manager.ask(&["line", "do-not-disturb", "1002", "on"]), "nobody may disturb 1002\n");
    assert_eq!(manager.ask(&["line", "messages", "1002", "3"]), "1002: 3 new, 0 old\n");
    let shown = manager.ask(&["line", "show", "1002"]);
    for part in ["forwarded  all -> 1001", "messages   3 new, 0 old", "not to be disturbed"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(
        manager.ask(&["forward", "clear", "1002", "no-answer"]),
        "1002 is no longer forwarded (no-answer)\n"
    );
    assert_eq!(manager.ask(&["forward", "show", "1002"]), "all -> 1001\n");
    assert_eq!(manager.ask(&["forward", "clear", "1002"]), "1002 is no longer forwarded\n");
    assert_eq!(manager.ask(&["forward", "show", "1002"]), "1002 is not forwarded\n");
    assert_eq!(manager.ask(&["park", "list"]), "no call is parked\n");
    for (arguments, part) in [
        (["forward", "set", "1002", "all", "1002"], "calls would go in circles"),
        (["forward", "set", "1002", "all", "7777"], "calls cannot be forwarded to this number"),
        (["forward", "set", "1009", "all", "1001"], "the site has no line 1009"),
    ] {
        let said = fails(manager.command(&arguments));
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    let log = manager.ask(&["log"]);
    for part in ["forward set 1002 all 1001", "forward clear 1002 no-answer", "line messages 1002 3 0"] {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert!(!log.contains("1009"), "{log}");

    // A parked call is seen.
    runtime().block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        manager.ask(&["line", "do-not-disturb", "1002", "off"]);
        pair.talk().await;
        pair.bob.act(Action::SoftKey("Park".into())).await.unwrap();
        until(&mut pair.bob, |now| now.face.calls.is_empty()).await;
        let parked: Vec<api::ParkedCall> =
            serde_json::from_str(&manager.ask(&["park", "list", "--json"])).unwrap();
        let [parked] = parked.as_slice() else { panic!("{parked:?}") };
        assert_eq!(
            (parked.slot.as_str(), parked.waits.number.as_str(), parked.by.number.as_str()),
            ("801", "1001", "1002")
        );
        assert!(manager.ask(&["park", "list"]).contains("801   1     1001 Alice  1002 Bob"));
    });
    manager.stop();
}
