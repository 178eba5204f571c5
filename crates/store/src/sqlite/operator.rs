//! The operators' log in rows.

use selsius_exchange::record::WallTime;
use sqlx::{FromRow, SqliteConnection, query, query_as};

use crate::OperatorEntry;

/// Entries kept; the oldest go. An office that is changed a hundred times a day has those of years.
const ENTRIES_KEPT: i64 = 100_000;

#[derive(FromRow)]
struct Row {
    at: i64,
    uid: u32,
    user: String,
    login: String,
    process: Option<i32>,
    what: String,
    changes: String,
}

/// Adds an entry.
pub(super) async fn add(connection: &mut SqliteConnection, entry: &OperatorEntry) -> Result<(), sqlx::Error> {
    let OperatorEntry { at, uid, user, login, process, what, changes } = entry;
    query(
        "INSERT INTO operator_log (at, uid, user, login, process, what, changes) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(at.0)
    .bind(uid)
    .bind(user)
    .bind(login)
    .bind(process)
    .bind(what)
    .bind(changes.join("\n"))
    .execute(&mut *connection)
    .await?;
    query("DELETE FROM operator_log WHERE id <= (SELECT max(id) FROM operator_log) - ?")
        .bind(ENTRIES_KEPT)
        .execute(connection)
        .await?;
    Ok(())
}

/// The newest entries, newest first.
pub(super) async fn newest(
    connection: &mut SqliteConnection,
    newest: u32,
) -> Result<Vec<OperatorEntry>, sqlx::Error> {
    let rows: Vec<Row> = query_as(
        "SELECT at, uid, user, login, process, what, changes FROM operator_log ORDER BY id DESC LIMIT ?",
    )
    .bind(newest)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Row::entry).collect())
}

impl Row {
    fn entry(self) -> OperatorEntry {
        let Self { at, uid, user, login, process, what, changes } = self;
        let changes = changes.lines().map(Into::into).collect();
        OperatorEntry { at: WallTime(at), uid, user, login, process, what, changes }
    }
}
