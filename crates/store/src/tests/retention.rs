//! What is too old goes, and only that.

use selsius_exchange::record::{CallEnded, CallId, Record, RedirectKind, Redirection, WallTime};
use sqlx::{query, query_scalar};
use tempfile::TempDir;

use super::{ended, event, fresh, open, party, quality, reopen};
use crate::{CallFilter, Retention, Store, retention::remove_old};

const DAY: i64 = 24 * 3600 * 1_000_000;

/// A call with a row in each table, and an event.
fn record(store: &Store, call: u64, at: i64) {
    let redirection = Redirection {
        kind: RedirectKind::Transfer,
        by: party("1002", None),
        to: party("1003", None),
        at: WallTime(at),
    };
    store.recorder().record(Record::CallEnded(Box::new(CallEnded {
        redirections: vec![redirection],
        recordings: vec!["9-1-1001-1002.wav".into()],
        ..ended(call, at)
    })));
    store.recorder().record(Record::CallQuality(Box::new(quality(call, 1, "SEP001122334455"))));
    store.recorder().record(Record::DeviceEvent(event("SEP1", at)));
}

async fn count(store: &Store, table: &'static str) -> i64 {
    let database = store.core().database.read().await;
    let sql = match table {
        "calls" => "SELECT count(*) FROM calls",
        "call_recordings" => "SELECT count(*) FROM call_recordings",
        "call_redirections" => "SELECT count(*) FROM call_redirections",
        "call_quality" => "SELECT count(*) FROM call_quality",
        _ => "SELECT count(*) FROM device_events",
    };
    query_scalar(sql).fetch_one(database.raw()).await.unwrap()
}

async fn left(store: &Store) -> [i64; 4] {
    let mut left = [0; 4];
    for (left, table) in left.iter_mut().zip(["calls", "call_redirections", "call_quality", "device_events"])
    {
        *left = count(store, table).await;
    }
    left
}

#[tokio::test]
async fn nothing_goes_by_default() {
    let (_folder, store) = fresh().await;
    record(&store, 1, 0);
    store.flush().await.unwrap();
    assert_eq!(remove_old(store.core(), Retention::default(), WallTime(i64::MAX)).await.unwrap(), 0);
    assert_eq!(left(&store).await, [1, 1, 1, 1]);
}

#[tokio::test]
async fn what_is_older_than_so_many_days_goes() {
    let (_folder, store) = fresh().await;
    // More than go at once.
    for call in 1..=1000 {
        record(&store, call, call.cast_signed() * DAY / 1000);
    }
    store.flush().await.unwrap();
    let keep = Retention { days: Some(30), calls: None };
    // At half past: calls 1 to 499 are older than thirty days.
    let removed = remove_old(store.core(), keep, WallTime(30 * DAY + DAY / 2)).await.unwrap();
    assert_eq!(removed, 2 * 499);
    assert_eq!(left(&store).await, [501; 4]);
    assert_eq!(count(&store, "call_recordings").await, 501);
    let oldest = store.calls(&CallFilter { newest: 1000, ..CallFilter::default() }).await.unwrap();
    assert_eq!(oldest.last().unwrap().call.call, CallId(500));
    assert_eq!(remove_old(store.core(), keep, WallTime(30 * DAY + DAY / 2)).await.unwrap(), 0);
}

#[tokio::test]
async fn the_newest_calls_stay_and_ids_are_not_given_again() {
    let (folder, store) = fresh().await;
    // With holes: a handset that was lifted takes an id and leaves no record.
    for call in 1..=700 {
        record(&store, 3 * call, DAY);
    }
    store.flush().await.unwrap();
    let keep = Retention { days: None, calls: Some(600) };
    remove_old(store.core(), keep, WallTime(2 * DAY)).await.unwrap();
    assert_eq!(left(&store).await, [600, 600, 600, 700], "events have their own bound");
    let calls = store.calls(&CallFilter { newest: 1000, ..CallFilter::default() }).await.unwrap();
    assert_eq!((calls[0].call.call, calls[599].call.call), (CallId(2100), CallId(303)));

    let keep = Retention { days: Some(1), calls: None };
    remove_old(store.core(), keep, WallTime(100 * DAY)).await.unwrap();
    assert_eq!(left(&store).await, [0; 4]);
    assert_eq!(reopen(folder.path(), store).await.first_call, CallId(2101));
}

#[tokio::test]
async fn a_new_setting_is_acted_on_in_the_background() {
    let (_folder, store) = fresh().await;
    record(&store, 1, 0);
    store.flush().await.unwrap();
    store.keep(Retention { days: Some(1), calls: None });
    // Each look yields to the writer; the runner's own limit ends one that never acts.
    while left(&store).await != [0; 4] {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_event_from_the_future_holds_nothing_up() {
    let (_folder, store) = fresh().await;
    store.recorder().record(Record::DeviceEvent(event("SEP1", i64::MAX)));
    for at in 0..500 {
        store.recorder().record(Record::DeviceEvent(event("SEP1", at)));
    }
    store.flush().await.unwrap();
    let keep = Retention { days: Some(1), calls: None };
    assert_eq!(remove_old(store.core(), keep, WallTime(3 * DAY)).await.unwrap(), 500);
    assert_eq!(store.device_history("SEP1", 10).await.unwrap(), [event("SEP1", i64::MAX)]);
}

#[tokio::test]
async fn the_log_does_not_grow_with_what_is_removed() {
    let (folder, store) = fresh().await;
    let many = "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 30000)
        INSERT INTO calls SELECT id, '1001', 'Alice', NULL, '1002', '1002', 'Bob', NULL,
                                 0, NULL, NULL, 1, 'busy', '', '', '' FROM n";
    query(many).execute(store.core().database.read().await.raw()).await.unwrap();
    let database = folder.path().join("data/selsius.db");
    let log = || database.with_extension("db-wal").metadata().unwrap().len();
    store.core().database.read().await.checkpoint().await.unwrap();
    let before = log();
    let keep = Retention { days: Some(1), calls: None };
    assert_eq!(remove_old(store.core(), keep, WallTime(3 * DAY)).await.unwrap(), 30_000);
    assert!(log() <= before * 3, "{before} bytes before, {} after", log());
}

#[tokio::test]
async fn a_store_that_is_closed_meanwhile_lets_the_directory_go() {
    let folder = TempDir::new().unwrap();
    for round in 1..=20 {
        let store = open(folder.path()).await.store;
        for call in 0..500 {
            record(&store, 1000 * round + call, DAY);
        }
        store.flush().await.unwrap();
        store.keep(Retention { days: Some(1), calls: Some(round) });
        // So that it has begun, a little further each time.
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        store.close().await.unwrap();
    }
    open(folder.path()).await;
}
