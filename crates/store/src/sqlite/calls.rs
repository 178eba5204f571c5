//! Finished calls, out of their rows.

use std::collections::BTreeMap;

use selsius_exchange::record::{
    CallEnded, CallId, CallQuality, CountedBy, EndCause, LegEnd, Mos, Party, RedirectKind, Redirection,
    StreamFigures, WallTime,
};
use selsius_site::LineNumber;
use sqlx::{FromRow, QueryBuilder, Sqlite, SqliteConnection, query_as};

use super::{ReadError, parse};
use crate::{CallFilter, CallListKind, CallRecord, Outcome};

/// Finished calls that the filter lets through, newest first.
pub(super) async fn calls(
    connection: &mut SqliteConnection,
    filter: &CallFilter,
) -> Result<Vec<CallRecord>, ReadError> {
    let rows = select(filter).build_query_as().fetch_all(&mut *connection).await?;
    with_details(connection, rows).await
}

fn select(filter: &CallFilter) -> QueryBuilder<Sqlite> {
    let CallFilter { newest, before, since, until, number, device, cause, outcome, below } = filter;
    let mut select = QueryBuilder::<Sqlite>::new("SELECT * FROM calls WHERE id < ");
    select.push_bind(before.map_or(i64::MAX, |CallId(before)| before.cast_signed()));
    // The plus keeps SQLite from its index over times: the newest calls come first, and so out of that order, all that
    // match would have to be sorted for each page.
    if let Some(WallTime(since)) = since {
        select.push(" AND +ended >= ").push_bind(*since);
    }
    if let Some(WallTime(until)) = until {
        select.push(" AND +ended < ").push_bind(*until);
    }
    if let Some(number) = number {
        select.push(" AND (calling_number = ").push_bind(number);
        select.push(" OR called_number = ").push_bind(number);
        // The index has only these, see migration 5.
        select.push(" OR (dialed = ").push_bind(number).push(" AND dialed <> called_number)");
        select.push(" OR id IN (SELECT call FROM call_redirections WHERE by_number = ").push_bind(number);
        select.push(" UNION ALL SELECT call FROM call_redirections WHERE to_number = ").push_bind(number);
        select.push("))");
    }
    if let Some(device) = device {
        select.push(" AND (calling_device = ").push_bind(device.as_str());
        select.push(" OR called_device = ").push_bind(device.as_str()).push(")");
    }
    if let Some(cause) = cause {
        select.push(" AND cause = ").push_bind(cause.name());
    }
    match outcome {
        None => {}
        Some(Outcome::Answered) => {
            select.push(" AND answered IS NOT NULL");
        }
        Some(Outcome::Missed) => {
            select.push(" AND answered IS NULL");
        }
    }
    if let Some(below) = below.map(Mos::hundredths) {
        select.push(" AND EXISTS (SELECT 1 FROM call_quality WHERE call = id AND (mos < ").push_bind(below);
        select.push(" OR mos_there < ").push_bind(below).push("))");
    }
    select.push(" ORDER BY id DESC LIMIT ").push_bind(*newest);
    select
}

/// A list as phones have it: of the calls of these lines, the newest first.
pub(super) async fn call_list(
    connection: &mut SqliteConnection,
    lines: &[LineNumber],
    kind: CallListKind,
    newest: u32,
) -> Result<Vec<CallRecord>, ReadError> {
    let mut select = QueryBuilder::<Sqlite>::new("SELECT * FROM calls WHERE ");
    select.push(match kind {
        // Others can say that they have one of our numbers; only a phone is known.
        CallListKind::Placed => "calling_device IS NOT NULL AND calling_number IN ",
        CallListKind::Received | CallListKind::Missed => "called_number IN ",
    });
    let mut numbers = select.push("(").separated(", ");
    for line in lines {
        numbers.push_bind(line.as_str());
    }
    select.push(")");
    match kind {
        CallListKind::Placed => {}
        CallListKind::Received => {
            select.push(" AND answered IS NOT NULL");
        }
        // The office refused it; it never came to the line.
        CallListKind::Missed => {
            select.push(" AND answered IS NULL AND cause <> ").push_bind(EndCause::Blocked.name());
        }
    }
    select.push(" ORDER BY id DESC LIMIT ").push_bind(newest);
    let rows = select.build_query_as().fetch_all(&mut *connection).await?;
    with_details(connection, rows).await
}

#[derive(FromRow)]
struct CallRow {
    id: i64,
    calling_number: String,
    calling_name: String,
    calling_device: Option<String>,
    dialed: String,
    called_number: String,
    called_name: String,
    called_device: Option<String>,
    started: i64,
    ringing: Option<i64>,
    answered: Option<i64>,
    ended: i64,
    cause: String,
    codec: String,
    account: String,
    trunk: String,
}

#[derive(FromRow)]
struct RedirectionRow {
    call: i64,
    kind: String,
    by_number: String,
    by_name: String,
    by_device: Option<String>,
    to_number: String,
    to_name: String,
    to_device: Option<String>,
    at: i64,
}

#[derive(FromRow)]
struct RecordingRow {
    call: i64,
    name: String,
}

#[derive(FromRow)]
struct QualityRow {
    call: i64,
    party: u32,
    counted_by: String,
    number: String,
    device: Option<String>,
    trunk: Option<String>,
    codec: String,
    packets_sent: u32,
    octets_sent: u32,
    packets_received: u32,
    octets_received: u32,
    packets_lost: u32,
    jitter_ms: u32,
    round_trip_ms: Option<u32>,
    mos: Option<u16>,
    packets_lost_there: Option<u32>,
    jitter_there_ms: Option<u32>,
    mos_there: Option<u16>,
}

/// Adds what other tables have of these calls: one question a table, however many calls.
async fn with_details(
    connection: &mut SqliteConnection,
    rows: Vec<CallRow>,
) -> Result<Vec<CallRecord>, ReadError> {
    let ids: Vec<_> = rows.iter().map(|row| row.id.to_string()).collect();
    let ids = format!("[{}]", ids.join(","));
    let details: Vec<RedirectionRow> = query_as(
        "SELECT * FROM call_redirections WHERE call IN (SELECT value FROM json_each(?)) ORDER BY call, position",
    )
    .bind(&ids)
    .fetch_all(&mut *connection)
    .await?;
    let mut redirections = BTreeMap::<i64, Vec<Redirection>>::new();
    for row in details {
        redirections.entry(row.call).or_default().push(row.redirection()?);
    }
    let details: Vec<RecordingRow> = query_as(
        "SELECT call, name FROM call_recordings WHERE call IN (SELECT value FROM json_each(?)) ORDER BY call, position",
    )
    .bind(&ids)
    .fetch_all(&mut *connection)
    .await?;
    let mut recordings = BTreeMap::<i64, Vec<String>>::new();
    for row in details {
        recordings.entry(row.call).or_default().push(row.name);
    }
    let details: Vec<QualityRow> = query_as(
        "SELECT * FROM call_quality WHERE call IN (SELECT value FROM json_each(?)) ORDER BY call, party, counted_by",
    )
    .bind(&ids)
    .fetch_all(connection)
    .await?;
    let mut quality = BTreeMap::<i64, Vec<CallQuality>>::new();
    for row in details {
        quality.entry(row.call).or_default().push(row.quality()?);
    }
    let record = |row: CallRow| {
        let id = row.id;
        let redirections = redirections.remove(&id).unwrap_or_default();
        let recordings = recordings.remove(&id).unwrap_or_default();
        Ok(CallRecord {
            call: row.call(redirections, recordings)?,
            quality: quality.remove(&id).unwrap_or_default(),
        })
    };
    rows.into_iter().map(record).collect()
}

impl CallRow {
    fn call(self, redirections: Vec<Redirection>, recordings: Vec<String>) -> Result<CallEnded, ReadError> {
        let cause = EndCause::ALL.iter().copied().find(|cause| cause.name() == self.cause);
        Ok(CallEnded {
            call: CallId(self.id.cast_unsigned()),
            calling: party("calls", self.calling_number, self.calling_name, self.calling_device)?,
            dialed: self.dialed,
            called: party("calls", self.called_number, self.called_name, self.called_device)?,
            started: WallTime(self.started),
            ringing: self.ringing.map(WallTime),
            answered: self.answered.map(WallTime),
            ended: WallTime(self.ended),
            cause: cause.ok_or_else(|| ReadError::value("calls", &self.cause))?,
            codec: self.codec,
            redirections,
            account: self.account,
            trunk: self.trunk,
            recordings,
        })
    }
}

impl RedirectionRow {
    fn redirection(self) -> Result<Redirection, ReadError> {
        const TABLE: &str = "call_redirections";
        let kind = RedirectKind::ALL.iter().copied().find(|kind| kind.name() == self.kind);
        Ok(Redirection {
            kind: kind.ok_or_else(|| ReadError::value(TABLE, &self.kind))?,
            by: party(TABLE, self.by_number, self.by_name, self.by_device)?,
            to: party(TABLE, self.to_number, self.to_name, self.to_device)?,
            at: WallTime(self.at),
        })
    }
}

impl QualityRow {
    fn quality(self) -> Result<CallQuality, ReadError> {
        const TABLE: &str = "call_quality";
        let end = match (self.device, self.trunk) {
            (Some(device), _) => LegEnd::Phone(parse(TABLE, &device)?),
            (None, trunk) => LegEnd::Trunk(trunk.unwrap_or_default()),
        };
        let counted_by = CountedBy::ALL.iter().copied().find(|by| by.name() == self.counted_by);
        let score = |score: Option<u16>| {
            let score = score.map(|score| Mos::from_hundredths(score).ok_or(score)).transpose();
            score.map_err(|wrong| ReadError::value(TABLE, &wrong.to_string()))
        };
        Ok(CallQuality {
            call: CallId(self.call.cast_unsigned()),
            party: self.party,
            number: self.number,
            end,
            counted_by: counted_by.ok_or_else(|| ReadError::value(TABLE, &self.counted_by))?,
            codec: self.codec,
            figures: StreamFigures {
                packets_sent: self.packets_sent,
                octets_sent: self.octets_sent,
                packets_received: self.packets_received,
                octets_received: self.octets_received,
                packets_lost: self.packets_lost,
                jitter_ms: self.jitter_ms,
                round_trip_ms: self.round_trip_ms,
                mos: score(self.mos)?,
                packets_lost_there: self.packets_lost_there,
                jitter_there_ms: self.jitter_there_ms,
                mos_there: score(self.mos_there)?,
            },
        })
    }
}

fn party(table: &str, number: String, name: String, device: Option<String>) -> Result<Party, ReadError> {
    let device = device.map(|device| parse(table, &device)).transpose()?;
    Ok(Party { number, name, device, restricted: false })
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection};

    use super::*;
    use crate::sqlite::MIGRATIONS;

    #[tokio::test]
    async fn numbers_and_phones_are_found_by_an_index_for_each_place_that_they_stand_in() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        MIGRATIONS.run(&mut connection).await.unwrap();
        let number = CallFilter { number: Some("1001".into()), ..CallFilter::default() };
        let device = CallFilter { device: Some("SEP001122334455".parse().unwrap()), ..CallFilter::default() };
        for (filter, indices) in [
            (
                number,
                ["calls_by_calling_number", "calls_by_called_number", "calls_by_other_dialed"].as_slice(),
            ),
            (device, &["calls_by_calling_device", "calls_by_called_device"]),
        ] {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", select(&filter).sql().as_str()));
            let steps: Vec<(i64, i64, i64, String)> =
                query_as(explain).fetch_all(&mut connection).await.unwrap();
            for index in indices {
                let uses = |step: &str| step.starts_with("SEARCH calls ") && step.contains(index);
                assert!(steps.iter().any(|(.., step)| uses(step)), "{index}: {steps:?}");
            }
        }
    }
}
