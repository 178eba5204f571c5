//! Calls, streams and device events in rows.

use std::{collections::BTreeSet, net::IpAddr};

use selsius_exchange::record::{
    CallEnded, CallId, CallQuality, CallStarted, DeviceEvent, DeviceEventKind, EndCause, LegEnd, Mos, Party,
    Redirection, WallTime,
};
use selsius_site::DeviceName;
use sqlx::{Connection, FromRow, SqliteConnection, query, query_as, query_scalar};

use super::{
    ReadError, parse,
    rows::{Row, rows},
};
use crate::queue::Batch;

/// Device events kept, of all devices together; the oldest go. A phone that cannot register makes a few a
/// minute.
const DEVICE_EVENTS_KEPT: i64 = 100_000;

/// Writes calls, streams and events. `offset` is added to the ids of calls.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    batch: &Batch,
    offset: u64,
) -> Result<(), sqlx::Error> {
    let stored = |call: CallId| (call.0 + offset).cast_signed();
    // A call that began and ended in one batch is never seen in progress, by nobody and after no crash.
    let begun: BTreeSet<CallId> = batch.started.iter().map(|started| started.call).collect();
    let over: BTreeSet<CallId> = batch.ended.iter().map(|ended| ended.call).collect();
    let up = batch.started.iter().filter(|started| !over.contains(&started.call));
    rows(connection, ["INSERT OR REPLACE INTO calls_in_progress ", ""], up, |row, started| {
        let CallStarted { call, calling: Party { number, name, device, .. }, dialed, started } = started;
        row.push_bind(stored(*call))
            .push_bind(number.clone())
            .push_bind(name.clone())
            .push_bind(device.as_ref().map(ToString::to_string))
            .push_bind(dialed.clone())
            .push_bind(started.0)
            .push_bind(started.0);
    })
    .await?;
    rows(connection, ["INSERT OR REPLACE INTO calls ", ""], &batch.ended, |row, ended| {
        bind_call(row, stored(ended.call), ended);
    })
    .await?;
    for ended in batch.ended.iter().filter(|ended| !ended.redirections.is_empty()) {
        write_redirections(connection, stored(ended.call), &ended.redirections).await?;
    }
    for ended in batch.ended.iter().filter(|ended| !ended.recordings.is_empty()) {
        write_recordings(connection, stored(ended.call), &ended.recordings).await?;
    }
    let were_up = over.difference(&begun);
    rows(connection, ["DELETE FROM calls_in_progress WHERE id IN (", ")"], were_up, |row, call| {
        row.push_bind(stored(*call));
    })
    .await?;
    rows(connection, ["INSERT OR REPLACE INTO call_quality ", ""], &batch.quality, |row, quality| {
        bind_quality(row, stored(quality.call), quality);
    })
    .await?;
    let events = "INSERT INTO device_events
         (device, at, kind, address, device_type, version, load, text, severity, parameter1, parameter2) ";
    rows(connection, [events, ""], &batch.events, bind_event).await?;
    if !batch.events.is_empty() {
        query("DELETE FROM device_events WHERE id <= (SELECT max(id) FROM device_events) - ?")
            .bind(DEVICE_EVENTS_KEPT)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn bind_call(row: &mut Row<'_>, id: i64, call: &CallEnded) {
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
        account,
        trunk,
        recordings: _,
    } = call;
    row.push_bind(id)
        .push_bind(calling.number.clone())
        .push_bind(calling.name.clone())
        .push_bind(calling.device.as_ref().map(ToString::to_string))
        .push_bind(dialed.clone())
        .push_bind(called.number.clone())
        .push_bind(called.name.clone())
        .push_bind(called.device.as_ref().map(ToString::to_string))
        .push_bind(started.0)
        .push_bind(ringing.map(|time| time.0))
        .push_bind(answered.map(|time| time.0))
        .push_bind(ended.0)
        .push_bind(cause.name())
        .push_bind(codec.clone())
        .push_bind(account.clone())
        .push_bind(trunk.clone());
}

fn bind_quality(row: &mut Row<'_>, call: i64, quality: &CallQuality) {
    let CallQuality { call: _, party, number, end, counted_by, codec, figures } = quality;
    let (device, trunk) = match end {
        LegEnd::Phone(device) => (Some(device.to_string()), None),
        LegEnd::Trunk(trunk) => (None, Some(trunk.clone())),
    };
    let hundredths = |mos: Option<Mos>| mos.map(Mos::hundredths);
    row.push_bind(call)
        .push_bind(*party)
        .push_bind(counted_by.name())
        .push_bind(number.clone())
        .push_bind(device)
        .push_bind(trunk)
        .push_bind(codec.clone())
        .push_bind(figures.packets_sent)
        .push_bind(figures.octets_sent)
        .push_bind(figures.packets_received)
        .push_bind(figures.octets_received)
        .push_bind(figures.packets_lost)
        .push_bind(figures.jitter_ms)
        .push_bind(figures.round_trip_ms)
        .push_bind(hundredths(figures.mos))
        .push_bind(figures.packets_lost_there)
        .push_bind(figures.jitter_there_ms)
        .push_bind(hundredths(figures.mos_there));
}

async fn write_redirections(
    connection: &mut SqliteConnection,
    id: i64,
    redirections: &[Redirection],
) -> Result<(), sqlx::Error> {
    for (position, Redirection { kind, by, to, at }) in (1_i64..).zip(redirections) {
        query("INSERT OR REPLACE INTO call_redirections VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(id)
            .bind(position)
            .bind(kind.name())
            .bind(&by.number)
            .bind(&by.name)
            .bind(by.device.as_ref().map(DeviceName::as_str))
            .bind(&to.number)
            .bind(&to.name)
            .bind(to.device.as_ref().map(DeviceName::as_str))
            .bind(at.0)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn write_recordings(
    connection: &mut SqliteConnection,
    id: i64,
    names: &[String],
) -> Result<(), sqlx::Error> {
    for (position, name) in (1_i64..).zip(names) {
        query("INSERT OR REPLACE INTO call_recordings VALUES (?, ?, ?)")
            .bind(id)
            .bind(position)
            .bind(name)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Ends the calls that were up when the manager crashed, at the moment when it was last known to run.
pub(super) async fn close_interrupted(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    // Where there are none nothing is written: that works on a full disk, too.
    let any: bool =
        query_scalar("SELECT EXISTS (SELECT 1 FROM calls_in_progress)").fetch_one(&mut *connection).await?;
    if !any {
        return Ok(0);
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let closed = query(
        "INSERT OR IGNORE INTO calls
         SELECT id, calling_number, calling_name, calling_device, dialed, dialed, '', NULL,
                started, NULL, NULL, max(started, alive), ?, '', '', ''
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

/// The lowest id that no call has, or had.
pub(super) async fn next_call(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let next: i64 = query_scalar(
        "SELECT 1 + coalesce(max(id), 0)
         FROM (SELECT max(id) AS id FROM calls
               UNION ALL SELECT max(id) FROM calls_in_progress
               UNION ALL SELECT highest FROM calls_removed)",
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

fn bind_event(row: &mut Row<'_>, event: &DeviceEvent) {
    let event = EventRow::from(event);
    row.push_bind(event.device)
        .push_bind(event.at)
        .push_bind(event.kind)
        .push_bind(event.address)
        .push_bind(event.device_type)
        .push_bind(event.version)
        .push_bind(event.load)
        .push_bind(event.text)
        .push_bind(event.severity)
        .push_bind(event.parameter1)
        .push_bind(event.parameter2);
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
