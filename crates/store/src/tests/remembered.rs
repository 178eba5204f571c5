//! What lines and phones remember is there after a restart, as it was last.

use selsius_exchange::{
    record::Record,
    remembered::{DeviceState, Forwards, LineState, Messages},
};
use sqlx::query;

use super::{fresh, reopen};
use crate::{Remembered, Store, StoreError};

fn line(number: &str, state: LineState) -> Record {
    Record::LineState { line: number.parse().unwrap(), state }
}

fn device(name: &str, state: DeviceState) -> Record {
    Record::DeviceState { device: name.parse().unwrap(), state }
}

fn forwarded() -> LineState {
    let number = |number: &str| Some(number.parse().unwrap());
    LineState {
        forwards: Forwards {
            all: number("1002"),
            busy: number("+49301"),
            no_answer: number("*98"),
            unregistered: number("#1"),
        },
        do_not_disturb: true,
        messages: Messages { new: 2, old: 70_000 },
        hunt_logged_out: true,
        hunt_logged_in: true,
    }
}

fn logged_in() -> DeviceState {
    DeviceState {
        user: Some("alice".parse().unwrap()),
        privacy: Some(false),
        last_dialed: Some("0301".parse().unwrap()),
    }
}

#[tokio::test]
async fn every_field_comes_back_after_a_restart() {
    let (folder, store) = fresh().await;
    assert_eq!(store.remembered().await.unwrap(), Remembered::default());
    let silent = LineState { do_not_disturb: true, ..LineState::default() };
    store.recorder().record(line("1001", silent.clone()));
    store.recorder().record(line("1001", forwarded()));
    store.recorder().record(line("1003", silent.clone()));
    store.recorder().record(device("SEP001122334455", logged_in()));
    let store = reopen(folder.path(), store).await.store;
    let expected = Remembered {
        lines: [("1001".parse().unwrap(), forwarded()), ("1003".parse().unwrap(), silent)].into(),
        devices: [("SEP001122334455".parse().unwrap(), logged_in())].into(),
    };
    assert_eq!(store.remembered().await.unwrap(), expected);

    // Back as it was at first: nothing is kept.
    store.recorder().record(line("1001", LineState::default()));
    store.recorder().record(line("1003", LineState::default()));
    store.recorder().record(device("SEP001122334455", DeviceState::default()));
    let store = reopen(folder.path(), store).await.store;
    assert_eq!(store.remembered().await.unwrap(), Remembered::default());
}

async fn put(store: &Store, sql: &'static str) {
    query(sql).execute(store.core().database.read().await.raw()).await.unwrap();
}

#[tokio::test]
async fn what_an_older_or_newer_selsius_wrote_has_defaults_for_the_rest() {
    let (_folder, store) = fresh().await;
    put(
        &store,
        r#"INSERT INTO line_states VALUES ('1001', '{"forwards": {"busy": "1002"}, "mood": "good"}')"#,
    )
    .await;
    put(&store, "INSERT INTO device_states VALUES ('SEP001122334455', '{}')").await;
    let remembered = store.remembered().await.unwrap();
    let forwards = Forwards { busy: Some("1002".parse().unwrap()), ..Forwards::default() };
    let state = LineState { forwards, ..LineState::default() };
    assert_eq!(remembered.lines, [("1001".parse().unwrap(), state)].into());
    assert_eq!(remembered.devices, [("SEP001122334455".parse().unwrap(), DeviceState::default())].into());
}

#[tokio::test]
async fn a_state_that_cannot_be_one_is_damage() {
    let (folder, store) = fresh().await;
    put(&store, r#"INSERT INTO line_states VALUES ('1001', '{"forwards": {"busy": "nobody"}}')"#).await;
    let error = store.remembered().await.unwrap_err();
    assert!(matches!(&error, StoreError::Damaged { detail, .. } if detail.contains("nobody")), "{error}");
    let backup = folder.path().join("backup.db");
    store.backup(&backup).await.unwrap();
    let error = store.restore(&backup).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "found before anything is replaced: {error}");
}

#[tokio::test]
async fn a_backup_brings_its_own_states_back() {
    let (folder, store) = fresh().await;
    let backup = folder.path().join("backup.db");
    store.recorder().record(line("1001", forwarded()));
    store.backup(&backup).await.unwrap();
    store.recorder().record(line("1001", LineState::default()));
    store.recorder().record(device("SEP001122334455", logged_in()));
    store.restore(&backup).await.unwrap();
    let expected =
        Remembered { lines: [("1001".parse().unwrap(), forwarded())].into(), ..Remembered::default() };
    assert_eq!(store.remembered().await.unwrap(), expected);
}
