//! Backup and restore while the store works.

use std::{fs, os::unix::fs::PermissionsExt};

use selsius_exchange::record::{CallEnded, CallId, EndCause, Record};
use selsius_site::Site;
use tempfile::TempDir;

use super::{ended, fresh, office, open, open::foreign, party, reopen, started};
use crate::{CallFilter, SiteVersion, Store, StoreError};

async fn ids(store: &Store) -> Vec<u64> {
    let calls = store.calls(&CallFilter { newest: u32::MAX, ..CallFilter::default() }).await.unwrap();
    calls.iter().map(|record| record.call.call.0).collect()
}

#[tokio::test]
async fn a_backup_brings_back_what_was() {
    let (folder, store) = fresh().await;
    let file = folder.path().join("backup.db");
    let version = store.save_site(&office(), SiteVersion(0)).await.unwrap();
    store.recorder().record(Record::CallEnded(Box::new(ended(1, 10))));
    store.backup(&file).await.unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    store.save_site(&Site::default(), version).await.unwrap();
    store.recorder().record(Record::CallEnded(Box::new(ended(2, 20))));
    store.restore(&file).await.unwrap();
    assert_eq!(store.load_site().await.unwrap().site, office());
    assert_eq!(ids(&store).await, [1]);
    // Life goes on in it, across a restart.
    store.recorder().record(Record::CallEnded(Box::new(ended(3, 30))));
    let store = reopen(folder.path(), store).await.store;
    assert_eq!(ids(&store).await, [3, 1]);

    // What it replaced can be had back.
    let replaced = folder.path().join("data/before-restore.db");
    store.restore(&replaced).await.unwrap();
    assert_eq!(store.load_site().await.unwrap().site, Site::default());
    assert_eq!(ids(&store).await, [2, 1]);
}

#[tokio::test]
async fn a_backup_never_replaces_a_file() {
    let (folder, store) = fresh().await;
    let file = folder.path().join("precious");
    fs::write(&file, "do not lose").unwrap();
    let error = store.backup(&file).await.unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"do not lose");
    let error = store.backup(&folder.path().join("no/such/folder/backup.db")).await.unwrap_err();
    assert!(matches!(error, StoreError::File { doing: "write", .. }), "{error}");
}

#[tokio::test]
async fn a_backup_taken_while_records_are_written_is_whole() {
    let (folder, store) = fresh().await;
    let recorder = store.recorder();
    let mut backups = Vec::new();
    let mut next = 1;
    for round in 0..4 {
        let file = folder.path().join(format!("backup{round}.db"));
        let backup = {
            let (store, file) = (store.clone(), file.clone());
            tokio::spawn(async move { store.backup(&file).await })
        };
        while !backup.is_finished() {
            // No more than the queue holds, or some would rightly be lost.
            if store.status().waiting < 500 {
                recorder.record(Record::CallStarted(started(next, 1)));
                recorder.record(Record::CallEnded(Box::new(ended(next, 10))));
                next += 1;
            }
            tokio::task::yield_now().await;
        }
        backup.await.unwrap().unwrap();
        backups.push(file);
    }
    for file in backups {
        let other = TempDir::new().unwrap();
        let store = open(other.path()).await.store;
        store.restore(&file).await.unwrap();
        let found = ids(&store).await;
        let newest = found.first().copied().unwrap_or(0);
        assert!(newest < next);
        assert!(found.iter().copied().eq((1..=newest).rev()), "every call up to the newest, {newest}");
    }
}

#[tokio::test]
async fn what_is_no_backup_changes_nothing() {
    let (folder, store) = fresh().await;
    store.save_site(&office(), SiteVersion(0)).await.unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("garbage"), [0x5a; 50_000]).unwrap();
    fs::write(path("empty"), "").unwrap();
    foreign(&path("foreign")).await;
    store.backup(&path("whole")).await.unwrap();
    let whole = fs::read(path("whole")).unwrap();
    fs::write(path("cut"), &whole[..whole.len() / 2]).unwrap();
    let mut bent = whole.clone();
    bent[8192..20_480].fill(0xff);
    fs::write(path("bent"), bent).unwrap();

    for (name, expected) in [
        ("garbage", "is not a sound database"),
        ("empty", "is not a database of selsius"),
        ("foreign", "is not a database of selsius"),
        ("cut", "is not a sound database"),
        ("bent", "is not a sound database"),
        ("missing", "cannot read"),
    ] {
        let error = store.restore(&path(name)).await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(name), "{name}: {error}");
        assert_eq!(store.load_site().await.unwrap().site, office(), "{name}");
        assert!(!folder.path().join("data/restore.part").exists(), "{name}");
    }
    store.recorder().record(Record::CallEnded(Box::new(ended(1, 1))));
    store.flush().await.unwrap();
}

#[tokio::test]
async fn calls_that_are_up_outlive_a_restore() {
    let (folder, store) = fresh().await;
    let file = folder.path().join("backup.db");
    let recorder = store.recorder();
    recorder.record(Record::CallStarted(started(1, 100)));
    recorder.record(Record::CallStarted(started(2, 200)));
    store.backup(&file).await.unwrap();
    recorder.record(Record::CallEnded(Box::new(ended(2, 300))));
    recorder.record(Record::CallStarted(started(3, 400)));
    store.flush().await.unwrap();

    // Calls 1 and 3 are up; the backup knows 1 and 2, and 2 is not up any more.
    store.restore(&file).await.unwrap();
    let calls = store.calls(&CallFilter::default()).await.unwrap();
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].call.started.0, calls[0].call.cause), (200, EndCause::Interrupted));
    recorder.record(Record::CallEnded(Box::new(ended(1, 500))));
    let opened = reopen(folder.path(), store).await;
    assert_eq!(opened.interrupted, 1, "call 3 never ended");
    let calls = opened.store.calls(&CallFilter::default()).await.unwrap();
    let ends: Vec<_> = calls.iter().map(|record| (record.call.cause, record.call.ended.0)).collect();
    assert_eq!(ends.len(), 3);
    assert!(ends.contains(&(EndCause::CallerHungUp, 500)));
}

#[tokio::test]
async fn a_backup_of_another_machine_loses_no_record_to_equal_ids() {
    let (old_folder, old) = fresh().await;
    let file = old_folder.path().join("backup.db");
    for call in 1..=50 {
        let caller = party("7777", None);
        old.recorder().record(Record::CallEnded(Box::new(CallEnded { calling: caller, ..ended(call, 10) })));
    }
    old.backup(&file).await.unwrap();

    // A new machine, whose exchange has just counted to 3; call 3 is up.
    let (folder, store) = fresh().await;
    store.recorder().record(Record::CallEnded(Box::new(ended(1, 10))));
    store.recorder().record(Record::CallStarted(started(3, 20)));
    store.flush().await.unwrap();
    store.restore(&file).await.unwrap();
    store.recorder().record(Record::CallEnded(Box::new(ended(3, 30))));
    store.recorder().record(Record::CallEnded(Box::new(ended(4, 40))));
    let opened = reopen(folder.path(), store).await;
    assert_eq!(opened.interrupted, 0);
    assert_eq!(opened.first_call, CallId(53));
    let moved = CallFilter { number: Some("7777".into()), ..CallFilter::default() };
    assert_eq!(opened.store.calls(&moved).await.unwrap().len(), 50);
    assert_eq!(ids(&opened.store).await.len(), 52);
}
