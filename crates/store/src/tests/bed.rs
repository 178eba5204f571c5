//! The test bed's random users in front of a database that fails and comes back at random: a full disk, one that has become
//! read-only, somebody who holds the database's lock, a commit that takes its time. Their records go through the real
//! queue and the real writer.
//!
//! The writer only runs when the disk's chance says so, so that a seed replays: but for what its own clock makes it do.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use selsius_exchange::record::{CallEnded, CallId, DeviceEvent, DeviceEventKind, EndCause, Record, WallTime};
use selsius_testkit::{Report, Users, run, run_recorded};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection, query, query_scalar};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinHandle, yield_now},
};

use crate::{CallFilter, Lost, Opened, QUEUE_CAPACITY, Recorder, Remembered, Store, StoreError};

/// One in so many records, something happens to the disk.
const NEWS: u32 = 5;
/// Actions of the users in one run.
const ACTIONS: u64 = 600;
/// How the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// It may grow by so many pages, 4 KiB each: often in the middle of a batch.
    Full(i64),
    ReadOnly,
    /// Another process writes and does not end.
    Locked,
}

/// How many records of each kind, in the order in which they are given up.
type ByKind = [u64; 5];

struct Disk {
    runtime: Runtime,
    store: Store,
    recorder: Recorder,
    chance: ChaCha8Rng,
    mood: Mood,
    /// The other process, in a transaction of its own.
    lock: Option<SqliteConnection>,
    /// A commit that waits for the lock while users go on.
    slow: Option<JoinHandle<Result<(), StoreError>>>,
    slows: u32,
    /// All that the exchange wanted stored.
    told: Vec<Record>,
    told_by_kind: ByKind,
    /// At the last look: what was given up, and what was written.
    before: (Lost, ByKind),
    failing_since: Option<WallTime>,
    seen: BTreeSet<&'static str>,
}

impl Disk {
    fn new(folder: &TempDir, capacity: usize, seed: u64) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let store = runtime.block_on(Store::open_with(folder.path(), capacity)).unwrap().store;
        Self {
            recorder: store.recorder(),
            runtime,
            store,
            chance: ChaCha8Rng::seed_from_u64(seed),
            mood: Mood::Well,
            lock: None,
            slow: None,
            slows: 0,
            told: Vec::new(),
            told_by_kind: ByKind::default(),
            before: <(Lost, ByKind)>::default(),
            failing_since: None,
            seen: BTreeSet::new(),
        }
    }

    /// The exchange wants something stored. Nothing of the store's runs meanwhile: would the queue wait for it, then this
    /// did not come back.
    fn record(&mut self, record: &Record) {
        self.take(record);
        if self.chance.random_ratio(1, NEWS) {
            self.news();
        }
    }

    fn take(&mut self, record: &Record) {
        self.told.push(record.clone());
        match record {
            Record::DeviceEvent(_) => self.told_by_kind[0] += 1,
            Record::CallQuality(_) => self.told_by_kind[1] += 1,
            Record::CallStarted(_) => self.told_by_kind[2] += 1,
            Record::AutoRegistered(_) => self.told_by_kind[3] += 1,
            Record::CallEnded(_) => self.told_by_kind[4] += 1,
            Record::LineState { .. } | Record::DeviceState { .. } => {}
        }
        self.recorder.record(record.clone());
        self.look();
    }

    /// Something happens to the disk, and the writer has its turn.
    fn news(&mut self) {
        if self.slow.is_some() {
            return self.end_slow();
        }
        let mood = match self.chance.random_range(0..36_u32) {
            // Moods last.
            12.. => self.mood,
            0..3 => Mood::Full(self.chance.random_range(0..4)),
            3..5 => Mood::ReadOnly,
            5..7 => Mood::Locked,
            7..8 => Mood::Well,
            8..12 => return self.begin_slow(),
        };
        if let Mood::Full(_) = mood {
            self.tell_much();
        }
        self.write(mood);
    }

    /// A record of several pages: a short one often finds room in a page that there is.
    fn tell_much(&mut self) {
        let kind = DeviceEventKind::Unregistered { reason: "x".repeat(10_000) };
        self.take(&Record::DeviceEvent(DeviceEvent { device: "SEP0".into(), at: WallTime(0), kind }));
    }

    /// From here until something has been flushed the writer may have a batch in its hands: its clock goes on.
    fn become_(&mut self, mood: Mood) {
        self.mood = mood;
        if mood != Mood::Locked {
            self.let_lock_go();
        }
        let read_only = mood == Mood::ReadOnly;
        // Nobody is to wait here for what does not come.
        let patience = if mood == Mood::Locked { 1 } else { 60_000 };
        self.pragmas(&format!("query_only = {read_only}"), &format!("busy_timeout = {patience}"));
        let most = match mood {
            Mood::Full(room) => self.one("PRAGMA page_count") + room,
            _ => 1_000_000,
        };
        self.pragmas(&format!("max_page_count = {most}"), "user_version");
        if mood == Mood::Locked && self.lock.is_none() {
            self.take_lock();
        }
    }

    /// The writer writes to a database in this mood. What comes of it is what has to come of it.
    fn write(&mut self, mood: Mood) {
        let waited = self.waiting();
        self.become_(mood);
        let result = self.runtime.block_on(self.store.flush());
        let status = self.store.status();
        match (&result, mood) {
            (Ok(()), _) => {
                assert_eq!((status.waiting, &status.failing), (0, &None));
                self.failing_since = None;
                self.seen.insert("well");
            }
            (Err(StoreError::Full { .. }), Mood::Full(_)) => drop(self.seen.insert("full")),
            (Err(StoreError::Database { .. }), Mood::ReadOnly) => drop(self.seen.insert("read-only")),
            (Err(StoreError::Database { .. }), Mood::Locked) => drop(self.seen.insert("locked")),
            (Err(error), mood) => panic!("{error:?} of a database that is {mood:?}"),
        }
        if let Err(error) = result {
            assert_eq!(self.waiting(), waited, "nothing of what was not written has gone");
            let failing = status.failing.expect("it says so");
            assert!(failing.why.starts_with(&error.to_string()), "{failing:?}");
            assert_eq!(*self.failing_since.get_or_insert(failing.since), failing.since, "since the first");
        }
        self.look();
    }

    /// The writer begins a commit that does not end.
    fn begin_slow(&mut self) {
        // With nothing left over that could be written instead.
        self.write(Mood::Well);
        self.slows += 1;
        let mood = if self.slows.is_multiple_of(2) { Mood::Well } else { Mood::Full(0) };
        self.become_(mood);
        self.take_lock();
        self.tell_much();
        let store = self.store.clone();
        let slow = self.runtime.spawn(async move { store.flush().await });
        let queue = Arc::clone(&self.recorder.queue);
        self.runtime.block_on(async move {
            while queue.len() > 0 {
                yield_now().await;
            }
        });
        self.slow = Some(slow);
    }

    /// It ends, well or not, and what users did meanwhile comes next.
    fn end_slow(&mut self) {
        let Some(slow) = self.slow.take() else { return };
        let failures = self.store.status().failures;
        self.let_lock_go();
        // Should the writer's own clock have made it write before it was asked, then what was asked is a second attempt, by
        // another connection, which finds room.
        let result = self.runtime.block_on(slow).unwrap();
        assert!(matches!(result, Ok(()) | Err(StoreError::Full { .. })), "{result:?}");
        let status = self.store.status();
        self.failing_since = status.failing.map(|failing| failing.since);
        assert_eq!(self.failing_since.is_some(), result.is_err());
        self.seen.insert(if status.failures > failures { "slow, then full" } else { "slow" });
        self.look();
    }

    /// What is in the queue, and what has gone, is as it should be. With a commit under way nobody can tell.
    fn look(&mut self) {
        if self.slow.is_some() {
            return;
        }
        let (waiting, lost) = (self.waiting(), self.store.status().lost);
        assert!(waiting.iter().sum::<u64>() <= self.store.status().capacity as u64, "{waiting:?}");
        let (lost_before, written_before) = self.before;
        let mut written = ByKind::default();
        for kind in 0..written.len() {
            let [gone, gone_before] = [lost, lost_before].map(|lost| lost.by_kind()[kind].1);
            assert!(gone == gone_before || waiting[..kind] == [0; 5][..kind], "{lost:?} of {waiting:?}");
            let left = self.told_by_kind[kind].checked_sub(gone + waiting[kind]);
            written[kind] = left.expect("what was never told neither waits nor is lost");
            assert!(written[kind] >= written_before[kind], "{written:?} after {written_before:?}");
        }
        self.before = (lost, written);
    }

    fn waiting(&self) -> ByKind {
        let batch = self.recorder.queue.take();
        let counts = [
            batch.events.len(),
            batch.quality.len(),
            batch.started.len(),
            batch.auto_registered.len(),
            batch.ended.len(),
        ];
        self.recorder.queue.put_back(batch);
        counts.map(|count| count as u64)
    }

    fn take_lock(&mut self) {
        let path = self.store.core().directory.database();
        self.lock = Some(self.runtime.block_on(async {
            let url = format!("sqlite://{}", path.display());
            let mut other = SqliteConnection::connect(&url).await.unwrap();
            query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
            other
        }));
    }

    fn let_lock_go(&mut self) {
        if let Some(other) = self.lock.take() {
            self.runtime.block_on(other.close()).unwrap();
        }
    }

    /// Sets something of the connection that the writer has.
    fn pragmas(&self, one: &str, other: &str) {
        self.runtime.block_on(async {
            let database = self.store.core().database.read().await;
            for pragma in [one, other] {
                query(AssertSqlSafe(format!("PRAGMA {pragma}"))).execute(database.raw()).await.unwrap();
            }
        });
    }

    /// The number that a query finds.
    fn one(&self, sql: &'static str) -> i64 {
        self.runtime.block_on(async {
            let database = self.store.core().database.read().await;
            query_scalar(sql).fetch_one(database.raw()).await.unwrap()
        })
    }
}

/// What is left of a run: the disk, well again and with everything written, and what the users did.
struct After {
    disk: Disk,
    report: Report,
    ended: Vec<CallEnded>,
    stored: Vec<CallEnded>,
}

fn play(folder: &TempDir, users: &Users, capacity: usize) -> After {
    let disk = Rc::new(RefCell::new(Disk::new(folder, capacity, users.seed)));
    let recorder = Rc::clone(&disk);
    let record = Box::new(move |record: &Record| recorder.borrow_mut().record(record));
    let report = run_recorded(users, record).unwrap_or_else(|failure| panic!("{failure}"));
    let mut disk = Rc::into_inner(disk).expect("the bed has gone").into_inner();

    disk.end_slow();
    disk.write(Mood::Well);
    let mut ended: Vec<_> = disk.told.iter().filter_map(ended_call).map(as_stored).collect();
    ended.sort_by_key(|call| call.call);
    let calls = disk.runtime.block_on(disk.store.calls(&all())).unwrap();
    let mut stored: Vec<_> = calls.into_iter().map(|record| record.call).collect();
    stored.sort_by_key(|call| call.call);
    let events = u64::try_from(disk.one("SELECT count(*) FROM device_events")).unwrap();
    let (_, [events_written, .., ended_written]) = disk.before;
    assert_eq!((events, stored.len() as u64), (events_written, ended_written), "{:?}", disk.before);
    After { disk, report, ended, stored }
}

fn ended_call(record: &Record) -> Option<&CallEnded> {
    match record {
        Record::CallEnded(ended) => Some(ended),
        _ => None,
    }
}

fn all() -> CallFilter {
    CallFilter { newest: 1_000_000, ..CallFilter::default() }
}

/// Call records tell who called, hidden or not.
fn as_stored(call: &CallEnded) -> CallEnded {
    let mut call = call.clone();
    let redirected =
        call.redirections.iter_mut().flat_map(|redirection| [&mut redirection.by, &mut redirection.to]);
    for party in [&mut call.calling, &mut call.called].into_iter().chain(redirected) {
        party.restricted = false;
    }
    call
}

/// The newest of what lines and phones were set to.
fn remembered(told: &[Record]) -> Remembered {
    let mut newest = Remembered::default();
    for record in told {
        match record {
            Record::LineState { line, state } => drop(newest.lines.insert(line.clone(), state.clone())),
            Record::DeviceState { device, state } => {
                newest.devices.insert(device.clone(), state.clone());
            }
            _ => {}
        }
    }
    // What is as if nothing had been set has no row.
    newest.lines.retain(|_, state| *state != Default::default());
    newest.devices.retain(|_, state| *state != Default::default());
    newest
}

#[test]
fn no_record_is_lost_while_the_queue_suffices() {
    let mut seen = BTreeSet::new();
    // In the first one the manager crashes while calls are up, in the second one the exchange.
    for seed in [48, 63] {
        let folder = TempDir::new().unwrap();
        let users = Users { phones: 8, actions: ACTIONS, seed, trouble: true };
        let After { disk, report, ended, stored } = play(&folder, &users, QUEUE_CAPACITY);
        if seed == 48 {
            let undisturbed = run(&users).unwrap_or_else(|failure| panic!("{failure}"));
            assert_eq!(format!("{report:?}"), format!("{undisturbed:?}"), "users notice nothing");
        }

        assert_eq!(disk.store.status().lost, Lost::default(), "seed {seed}");
        for (stored, ended) in stored.iter().zip(&ended) {
            assert_eq!(stored, ended, "seed {seed}");
        }
        assert_eq!(stored.len(), ended.len(), "seed {seed}");
        let answered = stored.iter().filter(|call| call.answered.is_some()).count();
        assert_eq!(answered as u64, report.answered, "seed {seed}");
        let states = disk.runtime.block_on(disk.store.remembered()).unwrap();
        assert_eq!(states, remembered(&disk.told), "seed {seed}");
        let mut qualities = BTreeMap::new();
        for record in &disk.told {
            if let Record::CallQuality(quality) = record {
                qualities.insert((quality.call, quality.party, quality.counted_by), quality);
            }
        }
        assert_eq!(disk.one("SELECT count(*) FROM call_quality"), qualities.len() as i64, "seed {seed}");
        seen.extend(disk.seen.iter().copied());

        // The calls that a crash of the whole manager has cut off are closed at the next start, and no other one.
        let started = disk.told.iter().filter_map(|record| match record {
            Record::CallStarted(started) => Some(started.call),
            _ => None,
        });
        let closed: BTreeSet<CallId> = ended.iter().map(|call| call.call).collect();
        let cut_off: Vec<_> = started.filter(|call| !closed.contains(call)).collect();
        let Disk { runtime, store, recorder, .. } = disk;
        drop(recorder);
        runtime.block_on(async {
            store.close().await.unwrap();
            let Opened { store, interrupted, .. } = Store::open(folder.path()).await.unwrap();
            assert_eq!(interrupted, cut_off.len() as u64, "seed {seed}");
            let calls = store.calls(&all()).await.unwrap();
            assert_eq!(calls.len(), ended.len() + cut_off.len(), "seed {seed}");
            for call in calls.iter().filter(|call| cut_off.contains(&call.call.call)) {
                assert_eq!(call.call.cause, EndCause::Interrupted, "seed {seed}");
            }
            store.close().await.unwrap();
        });
    }
    assert_eq!(seen, BTreeSet::from(["full", "locked", "read-only", "slow", "slow, then full", "well"]));
}

#[test]
fn what_the_queue_cannot_hold_goes_in_order_and_is_counted() {
    // Of a small queue only events go; a tiny one cannot even keep the calls.
    for (capacity, calls_go) in [(40, false), (3, true)] {
        let mut all = Lost::default();
        for seed in 0..2 {
            let folder = TempDir::new().unwrap();
            let users = Users { phones: 8, actions: ACTIONS, seed, trouble: true };
            let After { disk, ended, stored, .. } = play(&folder, &users, capacity);
            let lost = disk.store.status().lost;
            let missing = ended.len() - stored.len();
            assert_eq!(lost.calls_ended, missing as u64, "seed {seed}");
            assert!(stored.iter().all(|call| ended.contains(call)), "seed {seed}");
            assert_eq!(
                disk.runtime.block_on(disk.store.remembered()).unwrap(),
                remembered(&disk.told),
                "states are never given up: seed {seed}"
            );
            all.device_events += lost.device_events;
            all.calls_ended += lost.calls_ended;
        }
        assert!(all.device_events > 0, "{all:?}");
        assert_eq!(all.calls_ended > 0, calls_go, "{all:?}");
    }
}
