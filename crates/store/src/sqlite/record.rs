//! Calls, streams and device events in rows.

use std::net::IpAddr;

use selsius_exchange::record::{
    CallEnded, CallId, CallQuality, CallStarted, DeviceEvent, DeviceEventKind, EndCause, Party, WallTime,
};
use selsius_site::DeviceName;
use sqlx::{Connection, FromRow, QueryBuilder, Sqlite, SqliteConnection, query, query_as, query_scalar};

use super::{ReadError, parse};
use crate::{CallFilter, CallRecord, queue::Batch};

/// Device events kept, of all devices together; the oldest go. A phone that cannot register makes a few a
/// minute.
const DEVICE_EVENTS_KEPT: i64 = 100_000;

/// Every cause that a record can have.
const CAUSES: [EndCause; 16] = [
    EndCause::CallerHungUp,
    EndCause::CalledHungUp,
    EndCause::Busy,
    EndCause::NoAnswer,
    EndCause::UnknownNumber,
    EndCause::Unregistered,
    EndCause::Blocked,
    EndCause::NoTrunk,
    EndCause::NoCommonCodec,
    EndCause::Transferred,
    EndCause::Joined,
    EndCause::Dropped,
    EndCause::MediaFailure,
    EndCause::PhoneLost,
    EndCause::Shutdown,
    EndCause::Interrupted,
];

/// Writes calls, streams and events. `offset` is added to the ids of calls.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    batch: &Batch,
    offset: u64,
) -> Result<(), sqlx::Error> {
    let stored = |call: CallId| (call.0 + offset).cast_signed();
    // Starts before ends: a call can have both in one batch, and its end takes the start away.
    for CallStarted { call, calling: Party { number, name, device, .. }, dialed, started } in &batch.started {
        query("INSERT OR REPLACE INTO calls_in_progress VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)")
            .bind(stored(*call))
            .bind(number)
            .bind(name)
            .bind(device.as_ref().map(DeviceName::as_str))
            .bind(dialed)
            .bind(started.0)
            .execute(&mut *connection)
            .await?;
    }
    for ended in &batch.ended {
        write_call(connection, stored(ended.call), ended).await?;
        query("DELETE FROM calls_in_progress WHERE id = ?")
            .bind(stored(ended.call))
            .execute(&mut *connection)
            .await?;
    }
    for quality in &batch.quality {
        let CallQuality { call, device, packets_sent, packets_received, packets_lost, jitter_ms } = quality;
        query("INSERT OR REPLACE INTO call_quality VALUES (?, ?, ?, ?, ?, ?)")
            .bind(stored(*call))
            .bind(device.as_str())
            .bind(packets_sent)
            .bind(packets_received)
            .bind(packets_lost)
            .bind(jitter_ms)
            .execute(&mut *connection)
            .await?;
    }
    for event in &batch.events {
        write_event(connection, event).await?;
    }
    if !batch.events.is_empty() {
        query("DELETE FROM device_events WHERE id <= (SELECT max(id) FROM device_events) - ?")
            .bind(DEVICE_EVENTS_KEPT)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn write_call(connection: &mut SqliteConnection, id: i64, call: &CallEnded) -> Result<(), sqlx::Error> {
    let CallEnded {
        call: _,
        calling,
        dialed,
        called,
        started,
        ringing,
        answered,
        ended,
        cause,
        codec,
        redirections: _,
        account: _,
    } = call;
    query("INSERT OR REPLACE INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(&calling.number)
        .bind(&calling.name)
        .bind(calling.device.as_ref().map(DeviceName::as_str))
        .bind(dialed)
        .bind(&called.number)
        .bind(&called.name)
        .bind(called.device.as_ref().map(DeviceName::as_str))
        .bind(started.0)
        .bind(ringing.map(|time| time.0))
        .bind(answered.map(|time| time.0))
        .bind(ended.0)
        .bind(cause.name())
        .bind(codec)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends the calls that were up when the manager crashed, at the moment when it was last known to run.
pub(super) async fn close_interrupted(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let closed = query(
        "INSERT OR IGNORE INTO calls
         SELECT id, calling_number, calling_name, calling_device, dialed, dialed, '', NULL,
                started, NULL, NULL, max(started, alive), ?, ''
         FROM calls_in_progress",
    )
    .bind(EndCause::Interrupted.name())
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    query("DELETE FROM calls_in_progress").execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(closed)
}

/// The lowest id that no call has.
pub(super) async fn next_call(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let next: i64 = query_scalar(
        "SELECT 1 + coalesce(max(id), 0)
         FROM (SELECT max(id) AS id FROM calls UNION ALL SELECT max(id) FROM calls_in_progress)",
    )
    .fetch_one(connection)
    .await?;
    Ok(next.cast_unsigned())
}

/// A call that is up, as it is stored.
#[derive(Debug, FromRow)]
pub(crate) struct UpCall {
    id: i64,
    calling_number: String,
    calling_name: String,
    calling_device: Option<String>,
    dialed: String,
    started: i64,
    alive: i64,
}

impl UpCall {
    pub(super) fn id(&self) -> u64 {
        self.id.cast_unsigned()
    }
}

/// The calls that are up.
pub(super) async fn calls_up(connection: &mut SqliteConnection) -> Result<Vec<UpCall>, sqlx::Error> {
    query_as("SELECT * FROM calls_in_progress").fetch_all(connection).await
}

/// Gives a database that was a backup the calls that are up now, their ids raised by `shift`. What was up
/// when the backup was made, and is no more, was interrupted.
pub(super) async fn take_over(
    connection: &mut SqliteConnection,
    up: &[UpCall],
    shift: u64,
) -> Result<(), sqlx::Error> {
    for call in up {
        query("DELETE FROM calls_in_progress WHERE id = ? AND started = ?")
            .bind(call.id)
            .bind(call.started)
            .execute(&mut *connection)
            .await?;
    }
    close_interrupted(connection).await?;
    for call in up {
        query("INSERT INTO calls_in_progress VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(call.id + shift.cast_signed())
            .bind(&call.calling_number)
            .bind(&call.calling_name)
            .bind(&call.calling_device)
            .bind(&call.dialed)
            .bind(call.started)
            .bind(call.alive)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
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
}

/// Finished calls that the filter lets through, newest first.
pub(super) async fn calls(
    connection: &mut SqliteConnection,
    filter: &CallFilter,
) -> Result<Vec<CallRecord>, ReadError> {
    let CallFilter { newest, since, number, device } = filter;
    let mut select = QueryBuilder::<Sqlite>::new("SELECT * FROM calls WHERE true");
    if let Some(WallTime(since)) = since {
        select.push(" AND ended >= ").push_bind(*since);
    }
    if let Some(number) = number {
        select.push(" AND (calling_number = ").push_bind(number);
        select.push(" OR called_number = ").push_bind(number);
        select.push(" OR dialed = ").push_bind(number).push(")");
    }
    if let Some(device) = device {
        select.push(" AND (calling_device = ").push_bind(device.as_str());
        select.push(" OR called_device = ").push_bind(device.as_str()).push(")");
    }
    select.push(" ORDER BY id DESC LIMIT ").push_bind(*newest);
    let rows: Vec<CallRow> = select.build_query_as().fetch_all(&mut *connection).await?;

    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        let quality = call_quality(connection, row.id).await?;
        records.push(CallRecord { call: row.call()?, quality });
    }
    Ok(records)
}

impl CallRow {
    fn call(self) -> Result<CallEnded, ReadError> {
        let cause = CAUSES.into_iter().find(|cause| cause.name() == self.cause);
        Ok(CallEnded {
            call: CallId(self.id.cast_unsigned()),
            calling: party(self.calling_number, self.calling_name, self.calling_device)?,
            dialed: self.dialed,
            called: party(self.called_number, self.called_name, self.called_device)?,
            started: WallTime(self.started),
            ringing: self.ringing.map(WallTime),
            answered: self.answered.map(WallTime),
            ended: WallTime(self.ended),
            cause: cause.ok_or_else(|| ReadError::value("calls", &self.cause))?,
            codec: self.codec,
            redirections: Vec::new(),
            account: String::new(),
        })
    }
}

fn party(number: String, name: String, device: Option<String>) -> Result<Party, ReadError> {
    let device = device.map(|device| parse("calls", &device)).transpose()?;
    Ok(Party { number, name, device, restricted: false })
}

async fn call_quality(connection: &mut SqliteConnection, call: i64) -> Result<Vec<CallQuality>, ReadError> {
    let rows: Vec<(String, u32, u32, u32, u32)> = query_as(
        "SELECT device, packets_sent, packets_received, packets_lost, jitter_ms
         FROM call_quality WHERE call = ? ORDER BY device",
    )
    .bind(call)
    .fetch_all(connection)
    .await?;
    let quality =
        |(device, packets_sent, packets_received, packets_lost, jitter_ms): (String, _, _, _, _)| {
            Ok(CallQuality {
                call: CallId(call.cast_unsigned()),
                device: parse("call_quality", &device)?,
                packets_sent,
                packets_received,
                packets_lost,
                jitter_ms,
            })
        };
    rows.into_iter().map(quality).collect()
}

/// A device event with a column for each thing that some kind of it has.
#[derive(Default, FromRow)]
struct EventRow {
    device: String,
    at: i64,
    kind: String,
    address: Option<String>,
    device_type: Option<u32>,
    version: Option<u8>,
    load: Option<String>,
    text: Option<String>,
    severity: Option<u32>,
    parameter1: Option<u32>,
    parameter2: Option<u32>,
}

async fn write_event(connection: &mut SqliteConnection, event: &DeviceEvent) -> Result<(), sqlx::Error> {
    let row = EventRow::from(event);
    query(
        "INSERT INTO device_events
         (device, at, kind, address, device_type, version, load, text, severity, parameter1, parameter2)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(row.device)
    .bind(row.at)
    .bind(row.kind)
    .bind(row.address)
    .bind(row.device_type)
    .bind(row.version)
    .bind(row.load)
    .bind(row.text)
    .bind(row.severity)
    .bind(row.parameter1)
    .bind(row.parameter2)
    .execute(connection)
    .await?;
    Ok(())
}

/// Events of a device, newest first.
pub(super) async fn device_history(
    connection: &mut SqliteConnection,
    device: &str,
    newest: u32,
) -> Result<Vec<DeviceEvent>, ReadError> {
    let rows: Vec<EventRow> =
        query_as("SELECT * FROM device_events WHERE device = ? ORDER BY id DESC LIMIT ?")
            .bind(device)
            .bind(newest)
            .fetch_all(connection)
            .await?;
    rows.into_iter().map(EventRow::event).collect()
}

impl From<&DeviceEvent> for EventRow {
    fn from(event: &DeviceEvent) -> Self {
        let of = |kind: &str| Self {
            device: event.device.clone(),
            at: event.at.0,
            kind: kind.into(),
            ..Self::default()
        };
        match &event.kind {
            DeviceEventKind::Registered { address, device_type, version, load } => Self {
                address: Some(address.to_string()),
                device_type: Some(*device_type),
                version: Some(*version),
                load: Some(load.clone()),
                ..of("registered")
            },
            DeviceEventKind::Unregistered { reason } => {
                Self { text: Some(reason.clone()), ..of("unregistered") }
            }
            DeviceEventKind::Rejected { address, reason } => {
                Self { address: Some(address.to_string()), text: Some(reason.clone()), ..of("rejected") }
            }
            DeviceEventKind::Alarm { severity, text, parameters: [parameter1, parameter2] } => Self {
                severity: Some(*severity),
                text: Some(text.clone()),
                parameter1: Some(*parameter1),
                parameter2: Some(*parameter2),
                ..of("alarm")
            },
        }
    }
}

impl EventRow {
    fn event(self) -> Result<DeviceEvent, ReadError> {
        let address = |text: &str| parse::<IpAddr>("device_events", text);
        let kind = match self {
            Self {
                address: Some(from),
                device_type: Some(device_type),
                version: Some(version),
                load: Some(load),
                ..
            } if self.kind == "registered" => {
                DeviceEventKind::Registered { address: address(&from)?, device_type, version, load }
            }
            Self { text: Some(reason), .. } if self.kind == "unregistered" => {
                DeviceEventKind::Unregistered { reason }
            }
            Self { address: Some(from), text: Some(reason), .. } if self.kind == "rejected" => {
                DeviceEventKind::Rejected { address: address(&from)?, reason }
            }
            Self {
                severity: Some(severity),
                text: Some(text),
                parameter1: Some(parameter1),
                parameter2: Some(parameter2),
                ..
            } if self.kind == "alarm" => {
                DeviceEventKind::Alarm { severity, text, parameters: [parameter1, parameter2] }
            }
            _ => return Err(ReadError::value("device_events", &self.kind)),
        };
        Ok(DeviceEvent { device: self.device, at: WallTime(self.at), kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_can_be_read_back() {
        // A new variant does not compile here until it is thought of.
        let known = |cause: EndCause| match cause {
            EndCause::CallerHungUp | EndCause::CalledHungUp | EndCause::Busy | EndCause::NoAnswer => true,
            EndCause::UnknownNumber | EndCause::Unregistered | EndCause::Blocked | EndCause::NoTrunk => true,
            EndCause::Transferred | EndCause::Joined | EndCause::Dropped => true,
            EndCause::NoCommonCodec | EndCause::MediaFailure | EndCause::PhoneLost => true,
            EndCause::Shutdown | EndCause::Interrupted => true,
        };
        assert!(CAUSES.into_iter().all(known));
        let mut names: Vec<_> = CAUSES.iter().map(|cause| cause.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CAUSES.len());
    }
}
