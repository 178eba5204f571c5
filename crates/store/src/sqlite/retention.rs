//! What is removed for its age or its number, a few rows at a time, so that records which come in meanwhile need not
//! wait for long.

use selsius_exchange::record::WallTime;
use sqlx::{SqliteConnection, query, query_scalar};

/// So many calls or events are removed in one transaction: a few milliseconds.
const AT_ONCE: u32 = 200;

/// Removes some of the calls that ended before `oldest` or whose id is at most `highest`; says how many.
pub(super) async fn remove_calls(
    connection: &mut SqliteConnection,
    WallTime(oldest): WallTime,
    highest: i64,
) -> Result<u64, sqlx::Error> {
    let ids: Vec<i64> = query_scalar(
        "SELECT id FROM (SELECT id FROM calls WHERE ended < ? ORDER BY ended LIMIT ?)
         UNION SELECT id FROM (SELECT id FROM calls WHERE id <= ? ORDER BY id LIMIT ?)",
    )
    .bind(oldest)
    .bind(AT_ONCE)
    .bind(highest)
    .bind(AT_ONCE)
    .fetch_all(&mut *connection)
    .await?;
    let Some(last) = ids.iter().max() else { return Ok(0) };
    query("UPDATE calls_removed SET highest = max(highest, ?)").bind(last).execute(&mut *connection).await?;
    let list: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let list = format!("[{}]", list.join(","));
    for statement in [
        "DELETE FROM calls WHERE id IN (SELECT value FROM json_each(?))",
        "DELETE FROM call_redirections WHERE call IN (SELECT value FROM json_each(?))",
        "DELETE FROM call_recordings WHERE call IN (SELECT value FROM json_each(?))",
        "DELETE FROM call_quality WHERE call IN (SELECT value FROM json_each(?))",
    ] {
        query(statement).bind(&list).execute(&mut *connection).await?;
    }
    Ok(ids.len() as u64)
}

/// The newest call that is beyond the `keep` newest; 0 if there is none.
pub(super) async fn beyond(connection: &mut SqliteConnection, keep: u64) -> Result<i64, sqlx::Error> {
    let id: Option<i64> = query_scalar("SELECT id FROM calls ORDER BY id DESC LIMIT 1 OFFSET ?")
        .bind(keep.cast_signed())
        .fetch_optional(connection)
        .await?;
    Ok(id.unwrap_or(0))
}

/// Removes some of the device events from before `oldest`; says how many. Events are in the order of their time, unless
/// the clock was set; so a look at the oldest is enough.
pub(super) async fn remove_events(
    connection: &mut SqliteConnection,
    WallTime(oldest): WallTime,
) -> Result<u64, sqlx::Error> {
    let removed = query(
        "DELETE FROM device_events WHERE at < ? AND id IN (SELECT id FROM device_events ORDER BY id LIMIT ?)",
    )
    .bind(oldest)
    .bind(AT_ONCE)
    .execute(connection)
    .await?;
    Ok(removed.rows_affected())
}
