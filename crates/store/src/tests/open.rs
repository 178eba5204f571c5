//! What a start finds: nothing, another process, another version, damage.

use std::{fs, os::unix::fs::PermissionsExt};

use selsius_exchange::record::{CallId, Record};
use sqlx::query;
use tempfile::TempDir;

use super::{ended, fresh, office, open, reopen};
use crate::{CallFilter, SiteVersion, Store, StoreError};

#[tokio::test]
async fn only_the_owner_may_look_into_it() {
    let (folder, store) = fresh().await;
    store.recorder().record(Record::CallEnded(Box::new(ended(1, 1))));
    store.flush().await.unwrap();
    let data = folder.path().join("data");
    let mode = |name: &str| fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for file in ["lock", "selsius.db", "selsius.db-wal", "selsius.db-shm"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_second_opener_is_told_who_has_it() {
    let (folder, store) = fresh().await;
    let error = Store::open(&folder.path().join("data")).await.unwrap_err();
    assert!(
        matches!(error, StoreError::InUse { process: Some(process), .. } if process == std::process::id())
    );
    let line = error.to_string();
    assert!(line.contains("in use by another selsius (process "), "{line}");
    store.close().await.unwrap();
    open(folder.path()).await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let error = Store::open(&file.join("data")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot write to the data directory {}", file.join("data").display())
    );
    let error = Store::open(&file).await.unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error}");
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let (folder, store) = fresh().await;
    query("INSERT INTO _sqlx_migrations VALUES (9999, 'from the future', 0, true, x'00', 0)")
        .execute(store.core().database.read().await.raw())
        .await
        .unwrap();
    store.close().await.unwrap();
    let file = folder.path().join("data/selsius.db");
    let before = fs::read(&file).unwrap();
    let error = Store::open(&folder.path().join("data")).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 9999, known: 7, .. }), "{error}");
    assert!(
        error
            .to_string()
            .ends_with("has version 9999, this selsius knows versions up to 7: use the newer selsius")
    );
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn damage_is_found_at_the_start() {
    for (what, offset, length) in [("header", 0, 64), ("middle", 8192, 16_384)] {
        let (folder, store) = fresh().await;
        store.save_site(&office(), SiteVersion(0)).await.unwrap();
        store.close().await.unwrap();
        let file = folder.path().join("data/selsius.db");
        let mut bytes = fs::read(&file).unwrap();
        bytes[offset..offset + length].fill(0x5a);
        fs::write(&file, &bytes).unwrap();
        let error = Store::open(&folder.path().join("data")).await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{what}: {error}");
        assert_eq!(fs::read(&file).unwrap(), bytes, "{what}: left as evidence");
    }
}

#[tokio::test]
async fn somebody_elses_database_is_refused() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    open(folder.path()).await.store.close().await.unwrap();
    fs::remove_file(data.join("selsius.db")).unwrap();
    foreign(&data.join("selsius.db")).await;
    let error = Store::open(&data).await.unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
}

#[tokio::test]
async fn a_start_that_was_cut_off_can_be_repeated() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    // Killed before the first table, and in the middle of a restore.
    fs::write(data.join("selsius.db"), "").unwrap();
    fs::write(data.join("restore.part"), "half").unwrap();
    let store = open(folder.path()).await.store;
    assert!(!data.join("restore.part").exists());
    // Killed after sqlx made its own table, before the first migration.
    store.close().await.unwrap();
    fs::remove_file(data.join("selsius.db")).unwrap();
    make(
        &data.join("selsius.db"),
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
         installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL,
         execution_time BIGINT NOT NULL)",
    )
    .await;
    open(folder.path()).await;
}

#[tokio::test]
async fn ids_of_calls_go_on_after_a_restart() {
    let (folder, store) = fresh().await;
    store.recorder().record(Record::CallEnded(Box::new(ended(41, 1))));
    let opened = reopen(folder.path(), store).await;
    assert_eq!(opened.first_call, CallId(42));
    assert_eq!(opened.store.calls(&CallFilter::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let (_folder, store) = fresh().await;
    let other = store.clone();
    store.close().await.unwrap();
    assert!(matches!(other.load_site().await, Err(StoreError::Closed)));
    assert!(matches!(other.flush().await, Err(StoreError::Closed)));
}

/// Makes a database that is not ours.
pub(super) async fn foreign(file: &std::path::Path) {
    make(file, "CREATE TABLE shopping (item TEXT)").await;
}

async fn make(file: &std::path::Path, sql: &'static str) {
    use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    query(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
