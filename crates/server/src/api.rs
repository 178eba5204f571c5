//! What the admin API says, as JSON: HTTP on the Unix socket `admin.sock` in the data directory, for whoever may open
//! it. These types are the contract; the server's own types stay behind it, and the command line uses the same.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/status` | [`Status`] |
//! | `GET /v1/calls?last=N` | [`Vec<Call>`](Call), newest first |
//! | `GET /v1/calls/export` | all [`Call`]s, newest first, one JSON object a line |
//! | `GET /v1/site` | the site as TOML |
//! | `PUT /v1/site?dry-run=true&prune=true&name=FILE`, body TOML | [`SiteChange`] |
//! | `POST /v1/devices/{name}/reset?kind=restart` | [`Done`] |
//! | `GET /v1/devices/{name}/history?last=N` | [`Vec<DeviceEvent>`](DeviceEvent), newest first |
//! | `POST /v1/backup` | the backup, as bytes |
//! | `POST /v1/restore`, body a backup | [`SiteChange`] |
//!
//! Both requests for calls take `last=N`, `since=TIME` and `until=TIME` (of the calls' ends, the second excluded),
//! `number=NUMBER` (of a party, dialled, or of who led the call on), `device=NAME`, `cause=CAUSE` and
//! `outcome=answered|missed`; calls that meet all of them are answered with.
//!
//! Whatever fails is answered with [`Error`]. Times are RFC 3339 in UTC.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// What is wrong; more than one line where a file is shown.
    pub error: String,
    /// What to do about it; empty if the error says so itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// It is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

/// How everything is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The manager's version.
    pub version: String,
    /// Since when it runs.
    pub started: Timestamp,
    /// Where it can be reached.
    pub addresses: Addresses,
    /// The name of the site.
    pub site: String,
    /// Phones of the site, and phones that registered themselves, by name.
    pub devices: Vec<Device>,
    /// Calls in progress, oldest first.
    pub calls: Vec<CallInProgress>,
    /// What was counted since the start.
    pub counters: Counters,
    /// How the database is doing.
    pub store: StoreStatus,
}

/// Where the manager can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// Phones.
    pub sccp: Vec<SocketAddr>,
    /// Files by TFTP.
    pub tftp: SocketAddr,
    /// Files by HTTP.
    pub http: SocketAddr,
    /// The admin socket.
    pub admin: PathBuf,
    /// The address that phones are told, if it is configured.
    pub advertise: Option<IpAddr>,
}

/// One phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// What people call it; can be empty.
    pub description: String,
    /// Its model, as the site says it; else as the phone says it, by name or number.
    pub model: String,
    /// Its numbers, by line button.
    pub lines: Vec<String>,
    /// Its registration; `None` while it is not there.
    pub registration: Option<Registration>,
}

/// A phone that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// From where.
    pub address: IpAddr,
    /// The device type that it says, as SCCP numbers them.
    pub device_type: u32,
    /// The protocol version agreed on.
    pub version: u8,
    /// Its firmware load; empty if it did not tell.
    pub load: String,
    /// Since when.
    pub since: Timestamp,
    /// Has it asked for everything it needs to work?
    pub ready: bool,
    /// Calls on it.
    pub calls: usize,
}

/// A call in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallInProgress {
    /// Its id, as in its record later.
    pub id: u64,
    /// `dialing`, `ringing`, `talking`, `paging` or `over` (a failed call whose caller still hears the tone).
    pub phase: String,
    /// The calling number.
    pub calling: String,
    /// The digits as dialled.
    pub dialed: String,
    /// The called number, once known.
    pub called: String,
    /// When the number was complete.
    pub started: Option<Timestamp>,
    /// When somebody answered.
    pub answered: Option<Timestamp>,
}

/// What was counted since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Messages from phones.
    pub messages_in: u64,
    /// Messages to phones.
    pub messages_out: u64,
    /// Successful registrations.
    pub registrations: u64,
    /// Calls with a complete number.
    pub calls: u64,
    /// Connections open now.
    pub connections: usize,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections refused because of a limit.
    pub refused: u64,
    /// Connections dropped because the phone did not read.
    pub slow: u64,
    /// Connections dropped because their bytes were no frames.
    pub garbage: u64,
    /// What phones said that was refused or ignored, by reason.
    pub refused_messages: BTreeMap<String, u64>,
}

/// How the database is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Records that wait to be written.
    pub waiting: usize,
    /// Records that were given up because nothing could be written for too long.
    pub lost: u64,
    /// Why nothing can be written at present; `None` when all is well.
    pub failing: Option<String>,
}

/// A finished call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its id: larger is later.
    pub id: u64,
    /// Who called.
    pub calling: Party,
    /// The digits as dialled.
    pub dialed: String,
    /// Who answered, or who was rung.
    pub called: Party,
    /// When the number was complete.
    pub started: Timestamp,
    /// When the far end rang, if it did.
    pub ringing: Option<Timestamp>,
    /// When somebody answered, if so.
    pub answered: Option<Timestamp>,
    /// When it was over.
    pub ended: Timestamp,
    /// Why, such as `caller-hung-up`, `busy`, `no-answer`, `interrupted`.
    pub cause: String,
    /// The codec that was spoken; empty if nobody answered.
    pub codec: String,
    /// The name of the account or authorisation code that was entered; empty without.
    #[serde(default)]
    pub account: String,
    /// The trunk that it went out over, else the one that it came in over; empty for a call within the office.
    #[serde(default)]
    pub trunk: String,
    /// How it came to the parties that it had at the end, in order.
    #[serde(default)]
    pub redirections: Vec<Redirection>,
    /// What the phones counted of it.
    pub quality: Vec<Quality>,
}

/// A party of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its number.
    pub number: String,
    /// Its name; can be empty.
    pub name: String,
    /// Its phone; `None` if nobody answered.
    pub device: Option<String>,
}

/// A call went on to somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirection {
    /// How, such as `transfer` or `redirect`.
    pub kind: String,
    /// Who did it.
    pub by: Party,
    /// To whom.
    pub to: Party,
    /// When.
    pub at: Timestamp,
}

/// What a phone counted of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Which phone.
    pub device: String,
    /// RTP packets sent.
    pub packets_sent: u32,
    /// RTP packets received.
    pub packets_received: u32,
    /// RTP packets lost.
    pub packets_lost: u32,
    /// Interarrival jitter in milliseconds, as the phone says.
    pub jitter_ms: u32,
}

/// What a change of the site changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteChange {
    /// One line each: `+ line 1001 "Reception"`, `~ device SEP001122334455 model: 7960 -> 7965`. Empty if nothing
    /// changes.
    pub changes: Vec<String>,
    /// Was it done? `false` for a dry run.
    pub applied: bool,
}

/// Something that happened to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub kind: DeviceEventKind,
}

/// What happened to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DeviceEventKind {
    /// It registered.
    Registered {
        /// From where.
        address: IpAddr,
        /// Its device type, as SCCP numbers them.
        device_type: u32,
        /// The protocol version agreed on.
        version: u8,
        /// Its firmware load; empty if it did not tell.
        load: String,
    },
    /// It is gone.
    Unregistered {
        /// Why.
        reason: String,
    },
    /// It was refused.
    Rejected {
        /// From where.
        address: IpAddr,
        /// Why.
        reason: String,
    },
    /// It sent an alarm.
    Alarm {
        /// 0 critical, 1 warning, 2 informational, 4 unknown, 7 major, 8 minor, 10 marginal, 20 trace.
        severity: u32,
        /// Its text.
        text: String,
        /// Its parameters.
        parameters: [u32; 2],
    },
}
