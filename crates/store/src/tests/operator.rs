//! The operators' log.

use selsius_exchange::record::WallTime;
use sqlx::query;

use super::{fresh, reopen};
use crate::OperatorEntry;

fn entry(at: i64) -> OperatorEntry {
    OperatorEntry {
        at: WallTime(at),
        uid: u32::MAX,
        user: "root".into(),
        login: String::new(),
        process: Some(4711),
        what: "site apply \"office.toml\"".into(),
        changes: vec!["+ line 1001 \"Anna\"".into(), "- line 1002".into()],
    }
}

#[tokio::test]
async fn what_operators_did_comes_back_newest_first_and_survives() {
    let (folder, store) = fresh().await;
    assert_eq!(store.operator_log(10).await.unwrap(), []);
    let message = OperatorEntry { changes: Vec::new(), process: None, login: "anna".into(), ..entry(2) };
    store.log_operator(&entry(1)).await.unwrap();
    store.log_operator(&message).await.unwrap();
    let store = reopen(folder.path(), store).await.store;
    assert_eq!(store.operator_log(10).await.unwrap(), [message.clone(), entry(1)]);
    assert_eq!(store.operator_log(1).await.unwrap(), [message]);
}

#[tokio::test]
async fn old_entries_make_room() {
    let (_folder, store) = fresh().await;
    store.log_operator(&entry(1)).await.unwrap();
    // As if a hundred thousand had come since, all but the last two.
    query("UPDATE sqlite_sequence SET seq = 99999 WHERE name = 'operator_log'")
        .execute(store.core().database.read().await.raw())
        .await
        .unwrap();
    store.log_operator(&entry(2)).await.unwrap();
    assert_eq!(store.operator_log(10).await.unwrap(), [entry(2), entry(1)]);
    store.log_operator(&entry(3)).await.unwrap();
    assert_eq!(store.operator_log(10).await.unwrap(), [entry(3), entry(2)]);
}
