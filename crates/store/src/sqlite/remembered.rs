//! What lines and phones remember, as JSON. The forms here are the store's own: a key that is missing has its default,
//! and one that is not known any more is passed over.

use std::collections::BTreeMap;

use selsius_exchange::remembered::{DeviceState, Forwards, LineState, Messages};
use selsius_site::LineNumber;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sqlx::{SqliteConnection, query, query_as};

use super::{
    ReadError, parse,
    rows::{Row, rows},
};
use crate::{Remembered, queue::Batch};

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct LineForm {
    forwards: ForwardsForm,
    do_not_disturb: bool,
    messages: MessagesForm,
    hunt_logged_out: bool,
    hunt_logged_in: bool,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct ForwardsForm {
    all: Option<String>,
    busy: Option<String>,
    no_answer: Option<String>,
    unregistered: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct MessagesForm {
    new: u32,
    old: u32,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct DeviceForm {
    user: Option<String>,
    privacy: Option<bool>,
    last_dialed: Option<String>,
}

/// Writes what has changed.
pub(super) async fn write(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), sqlx::Error> {
    let mut changed = Vec::new();
    for (number, state) in &batch.lines {
        if *state == LineState::default() {
            let statement = query("DELETE FROM line_states WHERE number = ?").bind(number.as_str());
            statement.execute(&mut *connection).await?;
        } else {
            changed.push((number.to_string(), text(&LineForm::from(state))?));
        }
    }
    rows(connection, ["INSERT OR REPLACE INTO line_states ", ""], &changed, bind_state).await?;
    changed.clear();
    for (name, state) in &batch.devices {
        if *state == DeviceState::default() {
            let statement = query("DELETE FROM device_states WHERE name = ?").bind(name.as_str());
            statement.execute(&mut *connection).await?;
        } else {
            changed.push((name.to_string(), text(&DeviceForm::from(state))?));
        }
    }
    rows(connection, ["INSERT OR REPLACE INTO device_states ", ""], &changed, bind_state).await
}

fn bind_state(row: &mut Row<'_>, (key, state): &(String, String)) {
    row.push_bind(key.clone()).push_bind(state.clone());
}

/// Reads all of it.
pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Remembered, ReadError> {
    const LINES: &str = "line_states";
    const DEVICES: &str = "device_states";
    let lines: Vec<(String, String)> =
        query_as("SELECT number, state FROM line_states").fetch_all(&mut *connection).await?;
    let lines = lines
        .into_iter()
        .map(|(number, state)| Ok((parse(LINES, &number)?, form::<LineForm>(LINES, &state)?.state()?)));
    let lines = lines.collect::<Result<BTreeMap<_, _>, ReadError>>()?;
    let devices: Vec<(String, String)> =
        query_as("SELECT name, state FROM device_states").fetch_all(&mut *connection).await?;
    let devices = devices
        .into_iter()
        .map(|(name, state)| Ok((parse(DEVICES, &name)?, form::<DeviceForm>(DEVICES, &state)?.state()?)));
    Ok(Remembered { lines, devices: devices.collect::<Result<_, ReadError>>()? })
}

fn text(form: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(form).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn form<T: DeserializeOwned>(table: &str, text: &str) -> Result<T, ReadError> {
    serde_json::from_str(text).map_err(|_| ReadError::value(table, text))
}

fn some<T: std::str::FromStr>(table: &str, text: Option<&String>) -> Result<Option<T>, ReadError> {
    text.map(|text| parse(table, text)).transpose()
}

impl From<&LineState> for LineForm {
    fn from(state: &LineState) -> Self {
        // All fields are named, so that a new one is not forgotten here.
        let LineState { forwards, do_not_disturb, messages, hunt_logged_out, hunt_logged_in } = state;
        let Forwards { all, busy, no_answer, unregistered } = forwards;
        let Messages { new, old } = *messages;
        let number = |number: &Option<LineNumber>| number.as_ref().map(ToString::to_string);
        Self {
            forwards: ForwardsForm {
                all: number(all),
                busy: number(busy),
                no_answer: number(no_answer),
                unregistered: number(unregistered),
            },
            do_not_disturb: *do_not_disturb,
            messages: MessagesForm { new, old },
            hunt_logged_out: *hunt_logged_out,
            hunt_logged_in: *hunt_logged_in,
        }
    }
}

impl LineForm {
    fn state(self) -> Result<LineState, ReadError> {
        let Self {
            forwards,
            do_not_disturb,
            messages: MessagesForm { new, old },
            hunt_logged_out,
            hunt_logged_in,
        } = self;
        let number = |number: Option<String>| some("line_states", number.as_ref());
        Ok(LineState {
            forwards: Forwards {
                all: number(forwards.all)?,
                busy: number(forwards.busy)?,
                no_answer: number(forwards.no_answer)?,
                unregistered: number(forwards.unregistered)?,
            },
            do_not_disturb,
            messages: Messages { new, old },
            hunt_logged_out,
            hunt_logged_in,
        })
    }
}

impl From<&DeviceState> for DeviceForm {
    fn from(state: &DeviceState) -> Self {
        let DeviceState { user, privacy, last_dialed } = state;
        Self {
            user: user.as_ref().map(ToString::to_string),
            privacy: *privacy,
            last_dialed: last_dialed.as_ref().map(ToString::to_string),
        }
    }
}

impl DeviceForm {
    fn state(self) -> Result<DeviceState, ReadError> {
        Ok(DeviceState {
            user: some("device_states", self.user.as_ref())?,
            privacy: self.privacy,
            last_dialed: some("device_states", self.last_dialed.as_ref())?,
        })
    }
}
