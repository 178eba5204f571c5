//! The site in rows, one for each entry. What is written is the difference, so that a small change of a large
//! office is a small transaction.

use selsius_exchange::record::AutoRegistered;
use selsius_site::{Button, Device, Line, Site, SitePart};
use sqlx::{SqliteConnection, query, query_as, query_scalar};

use super::{ReadError, parse};
use crate::{SiteVersion, StoredSite};

/// Reads the site. For one moment of it, the caller has to be in a transaction.
pub(super) async fn read(connection: &mut SqliteConnection) -> Result<StoredSite, ReadError> {
    let version: i64 = query_scalar("SELECT version FROM site").fetch_one(&mut *connection).await?;
    let rows: Vec<(String, String, String)> =
        query_as("SELECT section, name, body FROM site_parts").fetch_all(connection).await?;
    let mut site = Site::default();
    for (section, name, body) in rows {
        site.take_part(&section, &name, &body).map_err(|error| ReadError::Value(error.to_string()))?;
    }
    Ok(StoredSite { site, version: SiteVersion(version.cast_unsigned()) })
}

/// Makes `new` out of `old`, which is what is stored.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    old: &Site,
    new: &Site,
) -> Result<SiteVersion, sqlx::Error> {
    for part in old.changed_parts(new) {
        write_part(connection, &part).await?;
    }
    query(
        "DELETE FROM auto_registered
         WHERE device NOT IN (SELECT name FROM site_parts WHERE section = 'devices')",
    )
    .execute(&mut *connection)
    .await?;
    next_version(connection).await
}

async fn write_part(connection: &mut SqliteConnection, part: &SitePart) -> Result<(), sqlx::Error> {
    let SitePart { section, name, body } = part;
    let query = match body {
        Some(body) => {
            query("INSERT OR REPLACE INTO site_parts VALUES (?, ?, ?)").bind(section).bind(name).bind(body)
        }
        None => query("DELETE FROM site_parts WHERE section = ? AND name = ?").bind(section).bind(name),
    };
    query.execute(connection).await?;
    Ok(())
}

/// Adds phones that registered themselves, where nobody has configured them in the meantime.
pub(super) async fn add_auto_registered(
    connection: &mut SqliteConnection,
    phones: impl IntoIterator<Item = &AutoRegistered>,
) -> Result<(), sqlx::Error> {
    for AutoRegistered { device, device_type, line } in phones {
        if is_stored(connection, "devices", device.as_str()).await? {
            continue;
        }
        let mut added = Site::default();
        let button = Button::Line { number: line.clone(), label: String::new() };
        added.devices.insert(device.clone(), Device { buttons: vec![button], ..Device::default() });
        if !is_stored(connection, "lines", line.as_str()).await? {
            added.lines.insert(line.clone(), Line::default());
        }
        for part in Site::default().changed_parts(&added) {
            write_part(connection, &part).await?;
        }
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

async fn is_stored(
    connection: &mut SqliteConnection,
    section: &str,
    name: &str,
) -> Result<bool, sqlx::Error> {
    query_scalar("SELECT EXISTS (SELECT 1 FROM site_parts WHERE section = ? AND name = ?)")
        .bind(section)
        .bind(name)
        .fetch_one(connection)
        .await
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
