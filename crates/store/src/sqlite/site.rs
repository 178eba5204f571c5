//! The site in rows. What is written is the difference, so that a small change of a large office is a small
//! transaction.

use std::collections::BTreeMap;

use selsius_exchange::record::AutoRegistered;
use selsius_site::{
    Action, AutoRegistration, Button, CodecName, Device, DeviceName, DialTimers, Line, LineNumber, Model,
    Pattern, Route, Settings, Site, TonePlan,
};
use sqlx::{FromRow, SqliteConnection, query, query_as, query_scalar};

use super::{ReadError, parse};
use crate::{SiteVersion, StoredSite};

/// Reads the site. For one moment of it, the caller has to be in a transaction.
pub(super) async fn read(connection: &mut SqliteConnection) -> Result<StoredSite, ReadError> {
    let version: i64 = query_scalar("SELECT version FROM site").fetch_one(&mut *connection).await?;
    let site = Site {
        settings: read_settings(connection).await?,
        devices: read_devices(connection).await?,
        lines: read_lines(connection).await?,
        routes: read_routes(connection).await?,
        ..Site::default()
    };
    Ok(StoredSite { site, version: SiteVersion(version.cast_unsigned()) })
}

/// Makes `new` out of `old`, which is what is stored.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    old: &Site,
    new: &Site,
) -> Result<SiteVersion, sqlx::Error> {
    let Site { settings, devices, lines, routes, .. } = new;
    write_settings(connection, settings).await?;
    for number in outdated(&old.lines, lines) {
        query("DELETE FROM lines WHERE number = ?").bind(number.as_str()).execute(&mut *connection).await?;
    }
    for (number, line) in outdated_by(&old.lines, lines) {
        insert_line(connection, number, line).await?;
    }
    for name in outdated(&old.devices, devices) {
        query("DELETE FROM devices WHERE name = ?").bind(name.as_str()).execute(&mut *connection).await?;
    }
    for (name, device) in outdated_by(&old.devices, devices) {
        insert_device(connection, name, device).await?;
    }
    for pattern in outdated(&old.routes, routes) {
        query("DELETE FROM routes WHERE pattern = ?")
            .bind(pattern.as_str())
            .execute(&mut *connection)
            .await?;
    }
    for (pattern, route) in outdated_by(&old.routes, routes) {
        insert_route(connection, pattern, route).await?;
    }
    query("DELETE FROM auto_registered WHERE device NOT IN (SELECT name FROM devices)")
        .execute(&mut *connection)
        .await?;
    next_version(connection).await
}

/// Adds phones that registered themselves, where nobody has configured them in the meantime.
pub(super) async fn add_auto_registered(
    connection: &mut SqliteConnection,
    phones: impl IntoIterator<Item = &AutoRegistered>,
) -> Result<(), sqlx::Error> {
    for AutoRegistered { device, device_type, line } in phones {
        let known: bool = query_scalar("SELECT EXISTS (SELECT 1 FROM devices WHERE name = ?)")
            .bind(device.as_str())
            .fetch_one(&mut *connection)
            .await?;
        if known {
            continue;
        }
        let button = Button::Line { number: line.clone(), label: String::new() };
        insert_device(connection, device, &Device { buttons: vec![button], ..Device::default() }).await?;
        query("INSERT INTO lines VALUES (?, '', '') ON CONFLICT DO NOTHING")
            .bind(line.as_str())
            .execute(&mut *connection)
            .await?;
        query("INSERT OR REPLACE INTO auto_registered VALUES (?, ?, ?)")
            .bind(device.as_str())
            .bind(device_type)
            .bind(line.as_str())
            .execute(&mut *connection)
            .await?;
        next_version(connection).await?;
    }
    Ok(())
}

/// The phones that registered themselves, by name.
pub(super) async fn auto_registered(
    connection: &mut SqliteConnection,
) -> Result<Vec<AutoRegistered>, ReadError> {
    let rows: Vec<(String, u32, String)> =
        query_as("SELECT device, device_type, number FROM auto_registered ORDER BY device")
            .fetch_all(connection)
            .await?;
    let phone = |(device, device_type, number): (String, u32, String)| {
        Ok(AutoRegistered {
            device: parse("auto_registered", &device)?,
            device_type,
            line: parse("auto_registered", &number)?,
        })
    };
    rows.into_iter().map(phone).collect()
}

async fn next_version(connection: &mut SqliteConnection) -> Result<SiteVersion, sqlx::Error> {
    let version: i64 =
        query_scalar("UPDATE site SET version = version + 1 RETURNING version").fetch_one(connection).await?;
    Ok(SiteVersion(version.cast_unsigned()))
}

/// The keys whose old value is not in force any more.
fn outdated<'a, K: Ord, V: PartialEq>(
    old: &'a BTreeMap<K, V>,
    new: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = &'a K> {
    outdated_by(new, old).map(|(key, _)| key)
}

/// The entries that were not in force before.
fn outdated_by<'a, K: Ord, V: PartialEq>(
    old: &'a BTreeMap<K, V>,
    new: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    new.iter().filter(|(key, value)| old.get(key) != Some(value))
}

#[derive(FromRow)]
struct SettingsRow {
    name: String,
    time_zone: Option<String>,
    date_format: String,
    tones: String,
    packet_ms: u32,
    keepalive_seconds: u32,
    first_digit_seconds: u32,
    inter_digit_seconds: u32,
    no_answer_seconds: u32,
    auto_first: Option<String>,
    auto_last: Option<String>,
}

async fn read_settings(connection: &mut SqliteConnection) -> Result<Settings, ReadError> {
    let row: Option<SettingsRow> =
        query_as("SELECT * FROM settings").fetch_optional(&mut *connection).await?;
    let Some(row) = row else { return Ok(Settings::default()) };
    let codecs: Vec<String> =
        query_scalar("SELECT name FROM codecs ORDER BY position").fetch_all(&mut *connection).await?;
    let firmware: Vec<(String, String)> =
        query_as("SELECT model, load FROM firmware").fetch_all(&mut *connection).await?;
    let auto_registration = match (row.auto_first, row.auto_last) {
        (Some(first), Some(last)) => {
            Some(AutoRegistration { first: parse("settings", &first)?, last: parse("settings", &last)? })
        }
        _ => None,
    };
    Ok(Settings {
        name: row.name,
        time_zone: row.time_zone,
        date_format: row.date_format,
        tones: named(TonePlan::ALL, TonePlan::name, "settings", &row.tones)?,
        codecs: codecs
            .iter()
            .map(|name| named(CodecName::ALL, CodecName::name, "codecs", name))
            .collect::<Result<_, _>>()?,
        packet_ms: row.packet_ms,
        keepalive_seconds: row.keepalive_seconds,
        timers: DialTimers {
            first_digit: row.first_digit_seconds,
            inter_digit: row.inter_digit_seconds,
            no_answer: row.no_answer_seconds,
            ..DialTimers::default()
        },
        auto_registration,
        firmware: firmware.into_iter().map(|(model, load)| (Model(model), load)).collect(),
        ..Settings::default()
    })
}

/// One of `all` by its name.
fn named<T: Copy>(
    all: &[T],
    name: impl Fn(T) -> &'static str,
    table: &str,
    text: &str,
) -> Result<T, ReadError> {
    all.iter().copied().find(|one| name(*one) == text).ok_or_else(|| ReadError::value(table, text))
}

async fn write_settings(connection: &mut SqliteConnection, settings: &Settings) -> Result<(), sqlx::Error> {
    let Settings {
        name,
        time_zone,
        date_format,
        tones,
        codecs,
        packet_ms,
        keepalive_seconds,
        timers: DialTimers { first_digit, inter_digit, no_answer, .. },
        auto_registration,
        firmware,
        ..
    } = settings;
    query("INSERT OR REPLACE INTO settings VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(name)
        .bind(time_zone)
        .bind(date_format)
        .bind(tones.name())
        .bind(packet_ms)
        .bind(keepalive_seconds)
        .bind(first_digit)
        .bind(inter_digit)
        .bind(no_answer)
        .bind(auto_registration.as_ref().map(|range| range.first.as_str()))
        .bind(auto_registration.as_ref().map(|range| range.last.as_str()))
        .execute(&mut *connection)
        .await?;
    query("DELETE FROM codecs").execute(&mut *connection).await?;
    for (position, codec) in (1_i64..).zip(codecs) {
        query("INSERT INTO codecs VALUES (?, ?)")
            .bind(position)
            .bind(codec.name())
            .execute(&mut *connection)
            .await?;
    }
    query("DELETE FROM firmware").execute(&mut *connection).await?;
    for (Model(model), load) in firmware {
        query("INSERT INTO firmware VALUES (?, ?)").bind(model).bind(load).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn read_lines(connection: &mut SqliteConnection) -> Result<BTreeMap<LineNumber, Line>, ReadError> {
    let rows: Vec<(String, String, String)> =
        query_as("SELECT number, name, label FROM lines").fetch_all(connection).await?;
    rows.into_iter()
        .map(|(number, name, label)| Ok((parse("lines", &number)?, Line { name, label, ..Line::default() })))
        .collect()
}

async fn insert_line(
    connection: &mut SqliteConnection,
    number: &LineNumber,
    line: &Line,
) -> Result<(), sqlx::Error> {
    let Line { name, label, .. } = line;
    query("INSERT INTO lines VALUES (?, ?, ?)")
        .bind(number.as_str())
        .bind(name)
        .bind(label)
        .execute(connection)
        .await?;
    Ok(())
}

#[derive(FromRow)]
struct ButtonRow {
    device: String,
    kind: String,
    number: Option<String>,
    url: Option<String>,
    label: String,
}

async fn read_devices(connection: &mut SqliteConnection) -> Result<BTreeMap<DeviceName, Device>, ReadError> {
    let rows: Vec<(String, String, Option<String>, bool)> =
        query_as("SELECT name, description, model, roam FROM devices").fetch_all(&mut *connection).await?;
    let mut devices = BTreeMap::new();
    for (name, description, model, roam) in rows {
        let device = Device { description, model: model.map(Model), roam, ..Device::default() };
        devices.insert(parse("devices", &name)?, device);
    }
    let buttons: Vec<ButtonRow> =
        query_as("SELECT device, kind, number, url, label FROM buttons ORDER BY device, position")
            .fetch_all(connection)
            .await?;
    for row in buttons {
        let device: &mut Device = devices
            .get_mut(&parse::<DeviceName>("buttons", &row.device)?)
            .ok_or_else(|| ReadError::value("buttons", &row.device))?;
        device.buttons.push(button(row)?);
    }
    Ok(devices)
}

fn button(row: ButtonRow) -> Result<Button, ReadError> {
    let ButtonRow { kind, number, url, label, .. } = row;
    Ok(match (kind.as_str(), number, url) {
        ("line", Some(number), None) => Button::Line { number: parse("buttons", &number)?, label },
        ("speed-dial", Some(number), None) => Button::SpeedDial { number: parse("buttons", &number)?, label },
        ("service", None, Some(url)) => Button::Service { url, label },
        ("empty", None, None) => Button::Empty,
        _ => return Err(ReadError::value("buttons", &kind)),
    })
}

async fn insert_device(
    connection: &mut SqliteConnection,
    name: &DeviceName,
    device: &Device,
) -> Result<(), sqlx::Error> {
    let Device { description, model, buttons, roam, .. } = device;
    query("INSERT INTO devices VALUES (?, ?, ?, ?)")
        .bind(name.as_str())
        .bind(description)
        .bind(model.as_ref().map(|Model(model)| model))
        .bind(roam)
        .execute(&mut *connection)
        .await?;
    for (position, button) in (1_i64..).zip(buttons) {
        let (kind, number, url, label) = match button {
            Button::Line { number, label } => ("line", Some(number.as_str()), None, label.as_str()),
            Button::SpeedDial { number, label } => {
                ("speed-dial", Some(number.as_str()), None, label.as_str())
            }
            Button::Service { url, label } => ("service", None, Some(url.as_str()), label.as_str()),
            _ => ("empty", None, None, ""),
        };
        query("INSERT INTO buttons VALUES (?, ?, ?, ?, ?, ?)")
            .bind(name.as_str())
            .bind(position)
            .bind(kind)
            .bind(number)
            .bind(url)
            .bind(label)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn read_routes(connection: &mut SqliteConnection) -> Result<BTreeMap<Pattern, Route>, ReadError> {
    let rows: Vec<(String, String, bool)> =
        query_as("SELECT pattern, action, emergency FROM routes").fetch_all(&mut *connection).await?;
    let mut routes = BTreeMap::new();
    for (pattern, action, emergency) in rows {
        let action = match action.as_str() {
            "lines" => Action::Lines(Vec::new()),
            "block" => Action::Block,
            _ => return Err(ReadError::value("routes", &action)),
        };
        routes.insert(parse("routes", &pattern)?, Route { action, emergency, ..Route::default() });
    }
    let lines: Vec<(String, String)> =
        query_as("SELECT pattern, number FROM route_lines ORDER BY pattern, position")
            .fetch_all(connection)
            .await?;
    for (pattern, number) in lines {
        match routes.get_mut(&parse::<Pattern>("route_lines", &pattern)?).map(|route| &mut route.action) {
            Some(Action::Lines(lines)) => lines.push(parse("route_lines", &number)?),
            _ => return Err(ReadError::value("route_lines", &pattern)),
        }
    }
    Ok(routes)
}

async fn insert_route(
    connection: &mut SqliteConnection,
    pattern: &Pattern,
    route: &Route,
) -> Result<(), sqlx::Error> {
    let Route { action, emergency, .. } = route;
    let (action, lines) = match action {
        Action::Lines(lines) => ("lines", lines.as_slice()),
        _ => ("block", [].as_slice()),
    };
    query("INSERT INTO routes VALUES (?, ?, ?)")
        .bind(pattern.as_str())
        .bind(action)
        .bind(emergency)
        .execute(&mut *connection)
        .await?;
    for (position, number) in (1_i64..).zip(lines) {
        query("INSERT INTO route_lines VALUES (?, ?, ?)")
            .bind(pattern.as_str())
            .bind(position)
            .bind(number.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
