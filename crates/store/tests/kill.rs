//! `kill -9` in the middle of work: the site is whole, every call that was written has its record, and what a line was set to
//! by then is remembered.
//!
//! The victim is this test program itself, started again with the name of a data directory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use selsius_exchange::{
    record::{CallEnded, CallId, CallStarted, EndCause, Party, Record, WallTime},
    remembered::{LineState, Messages},
};
use selsius_site::{Line, LineNumber, Site};
use selsius_store::{CallFilter, Opened, SiteVersion, Store};
use tempfile::TempDir;
use tokio::sync::watch;

/// Names the data directory for the victim.
const VICTIM: &str = "SELSIUS_STORE_VICTIM";
/// Lines of the site that is saved again and again, all with the name of its version.
const LINES: u32 = 40;

#[tokio::test]
async fn kill_9_loses_no_call_that_was_written() {
    let folder = TempDir::new().unwrap();
    let mut finished = 0;
    // Not the same moment each time: after a save of the site, between records, in a commit.
    for (round, lines_until_kill) in [(1, 1), (2, 150), (3, 333), (4, 501)] {
        let Said { ended, written, saved } = run_and_kill(folder.path(), lines_until_kill);
        let Opened { store, interrupted, .. } = Store::open(folder.path()).await.unwrap();

        let stored = store.load_site().await.unwrap();
        assert!(
            stored.version >= saved,
            "round {round}: version {saved} was saved, {} is there",
            stored.version
        );
        assert_eq!(stored.site, site(stored.version), "round {round}: the site is whole");

        let all = CallFilter { newest: u32::MAX, ..CallFilter::default() };
        let calls = store.calls(&all).await.unwrap();
        for (id, at) in ended.iter().filter(|(id, _)| Some(*id) <= written) {
            let found = calls.iter().find(|record| record.call.call == *id);
            let found =
                found.unwrap_or_else(|| panic!("round {round}: call {id:?} of {written:?} is missing"));
            assert_eq!((found.call.ended.0, found.call.cause), (*at, EndCause::CallerHungUp));
            finished += 1;
        }
        let remembered = store.remembered().await.unwrap().lines;
        let counted = remembered.get(&line()).map(|state| CallId(state.messages.new.into()));
        assert!(counted >= written, "round {round}: {written:?} was set, {counted:?} is remembered");
        assert!(interrupted >= 1, "round {round}: the long call was up");
        store.close().await.unwrap();
    }
    assert!(finished > 100, "only {finished} calls were written, too few to prove anything");
}

/// What the victim said before it was killed.
#[derive(Debug, Default)]
struct Said {
    /// The calls that it has ended, and when.
    ended: Vec<(CallId, i64)>,
    /// The newest of those that the store has written.
    written: Option<CallId>,
    /// The newest version of the site that it has saved.
    saved: SiteVersion,
}

fn run_and_kill(data: &Path, lines: usize) -> Said {
    let mut victim = Victim(
        Command::new(env::current_exe().unwrap())
            .args(["victim", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env(VICTIM, data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut output = BufReader::new(victim.0.stdout.take().unwrap());
    let mut said = Said::default();
    let mut line = String::new();
    let mut count = 0;
    while output.read_line(&mut line).unwrap() > 0 {
        count += usize::from(said.note(&line));
        line.clear();
        if count >= lines {
            break;
        }
    }
    assert_eq!(count, lines, "the victim ended by itself");
    victim.0.kill().unwrap();
    victim.0.wait().unwrap();
    // What it had said before it died.
    while output.read_line(&mut line).unwrap() > 0 {
        said.note(&line);
        line.clear();
    }
    said
}

impl Said {
    /// Reads a line of the victim; not every line of the test harness is one.
    fn note(&mut self, line: &str) -> bool {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["ended", id, at] => self.ended.push((CallId(id.parse().unwrap()), at.parse().unwrap())),
            ["written", id] => self.written = Some(CallId(id.parse().unwrap())),
            ["saved", version] => self.saved = SiteVersion(version.parse().unwrap()),
            _ => return false,
        }
        true
    }
}

/// Ends with the test, however that ends.
struct Victim(Child);

impl Drop for Victim {
    fn drop(&mut self) {
        // It is dead already unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends a call each millisecond, sets a line to its number, saves the site all the time, and says so, until it is killed. Its own limit
/// is for the case that nobody kills it.
#[tokio::test]
#[ignore = "the victim of the other test"]
async fn victim() {
    let Some(data) = env::var_os(VICTIM) else { return };
    let Opened { store, first_call, .. } = Store::open(data.as_ref()).await.unwrap();
    let recorder = store.recorder();
    // The first call is up all the time.
    let mut call = first_call.0;
    recorder.record(Record::CallStarted(call_started(call)));
    store.flush().await.unwrap();
    let saver = tokio::spawn(save_again_and_again(store.clone()));
    let (newest, told) = watch::channel(CallId(call));
    let writer = tokio::spawn(tell_what_is_written(store.clone(), told));
    let mut pace = tokio::time::interval(Duration::from_millis(1));
    for _ in 0..60_000 {
        pace.tick().await;
        call += 1;
        let at = now();
        recorder.record(Record::CallStarted(call_started(call)));
        recorder.record(Record::CallEnded(Box::new(call_ended(call, at))));
        let messages = Messages { new: u32::try_from(call).unwrap(), old: 0 };
        let state = LineState { messages, ..LineState::default() };
        recorder.record(Record::LineState { line: line(), state });
        say(&format!("ended {call} {at}"));
        newest.send_replace(CallId(call));
    }
    saver.abort();
    writer.abort();
}

async fn tell_what_is_written(store: Store, mut newest: watch::Receiver<CallId>) {
    while newest.changed().await.is_ok() {
        let call = *newest.borrow_and_update();
        store.flush().await.unwrap();
        say(&format!("written {}", call.0));
    }
}

async fn save_again_and_again(store: Store) {
    let mut version = store.load_site().await.unwrap().version;
    // Not more often than anybody would, or the disk is busy with nothing else.
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    loop {
        pace.tick().await;
        version = store.save_site(&site(SiteVersion(version.0 + 1)), version).await.unwrap();
        say(&format!("saved {version}"));
    }
}

/// The site of which every line tells its version.
fn site(version: SiteVersion) -> Site {
    let mut site = Site::default();
    if version == SiteVersion(0) {
        return site;
    }
    for number in 0..LINES {
        let line = Line { name: format!("version {version}"), ..Line::default() };
        site.lines.insert(format!("{}", 1000 + number).parse().unwrap(), line);
    }
    site
}

fn call_started(call: u64) -> CallStarted {
    CallStarted {
        call: CallId(call),
        calling: party("1001"),
        dialed: "1002".into(),
        started: WallTime(now()),
    }
}

fn call_ended(call: u64, at: i64) -> CallEnded {
    CallEnded {
        call: CallId(call),
        calling: party("1001"),
        dialed: "1002".into(),
        called: party("1002"),
        started: WallTime(at),
        ringing: None,
        answered: None,
        ended: WallTime(at),
        cause: EndCause::CallerHungUp,
        redirections: Vec::new(),
        account: String::new(),
        trunk: String::new(),
        recordings: Vec::new(),
        codec: String::new(),
    }
}

/// The line that is set to the number of the last call.
fn line() -> LineNumber {
    "1001".parse().unwrap()
}

fn party(number: &str) -> Party {
    Party { number: number.into(), ..Party::default() }
}

fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since_1970.as_micros()).unwrap()
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").unwrap();
    output.flush().unwrap();
}
