//! A disk that takes nothing for a while.

use selsius_exchange::record::Record;
use sqlx::{AssertSqlSafe, query, query_scalar};
use tempfile::TempDir;

use super::{ended, event, office};
use crate::{CallFilter, Lost, SiteVersion, Store, StoreError};

/// Lets the database grow to so many pages and no further.
async fn limit(store: &Store, pages: i64) {
    let database = store.core().database.read().await;
    query(AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).execute(database.raw()).await.unwrap();
}

/// How many pages there are, none of them free.
async fn pages(store: &Store) -> i64 {
    let database = store.core().database.read().await;
    query("VACUUM").execute(database.raw()).await.unwrap();
    query_scalar("PRAGMA page_count").fetch_one(database.raw()).await.unwrap()
}

#[tokio::test]
async fn records_outlast_a_full_disk() {
    let folder = TempDir::new().unwrap();
    let store = Store::open_with(folder.path(), 300).await.unwrap().store;
    let version = store.save_site(&office(), SiteVersion(0)).await.unwrap();
    let full = pages(&store).await;
    limit(&store, full).await;
    let recorder = store.recorder();
    for call in 1..=250 {
        recorder.record(Record::CallEnded(Box::new(ended(call, 1))));
    }
    let error = store.flush().await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert_eq!(error.to_string(), "cannot store records: no room is left on the disk");
    let status = store.status();
    assert_eq!((status.waiting, status.lost), (250, Lost::default()));
    let failing = status.failing.unwrap();
    assert_eq!(failing.why, "cannot store records: no room is left on the disk");
    assert!(status.failures > 0 && status.written == 0, "{} {}", status.failures, status.written);

    // Reading goes on, and the site is what it was.
    assert_eq!(store.calls(&CallFilter::default()).await.unwrap(), []);
    assert_eq!(store.load_site().await.unwrap().version, version);

    // More comes than fits: events go, calls stay.
    for at in 0..200 {
        recorder.record(Record::DeviceEvent(event("SEP1", at)));
    }
    store.flush().await.unwrap_err();
    let status = store.status();
    assert_eq!((status.waiting, status.lost), (300, Lost { device_events: 150, ..Lost::default() }));
    assert_eq!(status.failing.unwrap().since, failing.since, "it is the same failure");

    limit(&store, full + 1000).await;
    store.flush().await.unwrap();
    let status = store.status();
    assert_eq!((status.failing, status.waiting, status.written), (None, 0, 300));
    assert_eq!(store.calls(&CallFilter { newest: 1000, ..CallFilter::default() }).await.unwrap().len(), 250);
    let history = store.device_history("SEP1", 1000).await.unwrap();
    assert_eq!((history.len(), history[49].at.0), (50, 150), "the newest fifty");
}

#[tokio::test]
async fn a_site_that_does_not_fit_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).await.unwrap().store;
    let version = store.save_site(&office(), SiteVersion(0)).await.unwrap();
    let full = pages(&store).await;
    limit(&store, full).await;
    let mut site = office();
    for number in 0..500 {
        site.lines.insert(format!("{}", 40_000 + number).parse().unwrap(), selsius_site::Line::default());
    }
    let error = store.save_site(&site, version).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot store the site: no room is left on the disk");
    let stored = store.load_site().await.unwrap();
    assert_eq!((stored.site, stored.version), (office(), version));
}
