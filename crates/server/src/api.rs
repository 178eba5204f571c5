//! What the admin API says, as JSON: HTTP on the Unix socket `admin.sock` in the data directory, for whoever may open
//! it. These types are the contract; the server's own types stay behind it, and the command line uses the same.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/status` | [`Status`] |
//! | `GET /v1/health` | [`Health`], also when the exchange does not answer |
//! | `GET /v1/calls?last=N` | [`Vec<Call>`](Call), newest first |
//! | `GET /v1/calls/export` | all [`Call`]s, newest first, one JSON object a line |
//! | `GET /v1/events` | a stream of [`Event`]: registrations, rejections, alarms, calls, rooms |
//! | `GET /v1/log?last=N` | [`Vec<LogEntry>`](LogEntry): what operators changed, newest first |
//! | `GET /v1/site` | the site as TOML |
//! | `PUT /v1/site?dry-run=true&prune=true&name=FILE`, body TOML | [`SiteChange`] |
//! | `GET /v1/site/{section}/{key}` | one entry as TOML |
//! | `POST` (new), `PUT` (replace), `PATCH` (change), `DELETE` the same `?dry-run=true`, body TOML | [`SiteChange`] |
//! | `GET /v1/devices/{name}` | [`Phone`] |
//! | `GET /v1/devices/{name}/watch` | a stream of [`Face`] |
//! | `POST /v1/devices/{name}/dial`, body [`Dial`] | [`Done`] |
//! | `POST /v1/devices/{name}/answer`, `hang-up`, `hold`, `resume`, `reset`, `restart` | [`Done`] |
//! | `POST /v1/devices/{name}/message`, body [`Message`] | [`Done`] |
//! | `POST /v1/devices/{name}/picture?title=TEXT`, body PNG | [`Done`] |
//! | `GET /v1/devices/{name}/history?last=N` | [`Vec<DeviceEvent>`](DeviceEvent), newest first |
//! | `GET /v1/lines` | [`Vec<Line>`](Line) |
//! | `GET /v1/lines/{number}` | [`Line`] |
//! | `GET /v1/lines/{number}/forward` | [`Forwards`] |
//! | `PUT /v1/lines/{number}/forward`, body [`Forward`]; `DELETE` the same `?kind=KIND` | [`Done`] |
//! | `PUT /v1/lines/{number}/do-not-disturb`, body [`DoNotDisturb`] | [`Done`] |
//! | `PUT /v1/lines/{number}/messages`, body [`Messages`] | [`Done`] |
//! | `GET /v1/groups` | [`Vec<Group>`](Group) |
//! | `GET /v1/parked` | [`Vec<ParkedCall>`](ParkedCall) |
//! | `GET /v1/recordings?last=N&number=NUMBER` | [`Vec<Recording>`](Recording), newest first |
//! | `POST /v1/recordings/{name}/export` | the recording, as WAV |
//! | `DELETE /v1/recordings/{name}` | [`Done`] |
//! | `GET /v1/rooms` | [`Vec<Room>`](Room) |
//! | `PUT /v1/rooms/{number}/members/{id}/mute`, body [`Mute`]; `DELETE /v1/rooms/{number}/members/{id}` | [`Done`] |
//! | `POST /v1/backup` | the backup, as bytes |
//! | `POST /v1/restore`, body a backup | [`SiteChange`] |
//! | `GET /v1/openapi.json` | all of this in detail, see [`crate::openapi`] |
//!
//! Both requests for calls take `last=N`, `since=TIME` and `until=TIME` (of the calls' ends, the second excluded),
//! `number=NUMBER` (of a party, dialled, or of who led the call on), `device=NAME`, `cause=CAUSE` and
//! `outcome=answered|missed`; calls that meet all of them are answered with.
//!
//! Streams are server-sent events. Whatever fails is answered with [`Error`]. Times are RFC 3339 in UTC.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Error {
    /// What is wrong; more than one line where a file is shown.
    pub error: String,
    /// What to do about it; empty if the error says so itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// It is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {}

/// How everything is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The manager's version.
    pub version: String,
    /// Since when it runs.
    #[schema(value_type = String, format = DateTime)]
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
    /// Is it well?
    #[serde(default)]
    pub health: Health,
}

/// Is the manager well?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// The exchange answers. Whatever is not live should be started again.
    pub live: bool,
    /// Phones can register and call.
    pub ready: bool,
    /// What somebody should look at; not all of it is in the way of phones.
    pub problems: Vec<Problem>,
}

impl Default for Health {
    fn default() -> Self {
        Self { live: true, ready: true, problems: Vec::new() }
    }
}

/// Something that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of thing it is, for programs.
    pub kind: ProblemKind,
    /// What it is, for people.
    pub text: String,
}

/// What can be wrong with a manager that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The exchange does not answer.
    ExchangeSilent,
    /// The exchange crashed within the last ten minutes, and began again.
    ExchangeCrashed,
    /// The manager is being stopped.
    Stopping,
    /// The operating system has no room for more connections.
    NotAccepting,
    /// There is too much to do: new calls are refused, but for emergency calls.
    Overloaded,
    /// The database takes no records; they wait, and calls go on.
    StoreFailing,
    /// So many records wait that others were given up.
    RecordsLost,
    /// A SIP trunk is not registered, does not answer, or could not be started.
    TrunkDown,
    /// Calls that are to be recorded cannot be; they go on without.
    RecordingFailing,
    /// A service beside the exchange has failed: TFTP, HTTP, administration or metrics.
    ServiceDown,
}

/// Where the manager can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Addresses {
    /// Phones.
    #[schema(value_type = Vec<String>)]
    pub sccp: Vec<SocketAddr>,
    /// Files by TFTP.
    #[schema(value_type = String)]
    pub tftp: SocketAddr,
    /// Files by HTTP.
    #[schema(value_type = String)]
    pub http: SocketAddr,
    /// The admin socket.
    #[schema(value_type = String)]
    pub admin: PathBuf,
    /// The address that phones are told, if it is configured.
    #[schema(value_type = Option<String>)]
    pub advertise: Option<IpAddr>,
}

/// One phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// What people call it; can be empty.
    pub description: String,
    /// Its model, as the site says it, or `SIP`; else as the phone says it, by name or number.
    pub model: String,
    /// Its numbers, by line button.
    pub lines: Vec<String>,
    /// Its registration; `None` while it is not there.
    pub registration: Option<Registration>,
}

/// A phone that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Registration {
    /// From where.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// The device type that it says, as SCCP numbers them; 0 for a SIP phone.
    pub device_type: u32,
    /// The protocol version agreed on; 0 for a SIP phone.
    pub version: u8,
    /// Its firmware load, of a SIP phone what it calls itself; empty if it did not tell.
    pub load: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Has it asked for everything it needs to work?
    pub ready: bool,
    /// Calls on it.
    pub calls: usize,
}

/// A call in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started: Option<Timestamp>,
    /// When somebody answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub answered: Option<Timestamp>,
}

/// What was counted since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    /// How often a connection was read more slowly because it said too much.
    pub held: u64,
    /// Connections dropped because they went on saying too much.
    pub floods: u64,
    /// How often the exchange was late and took no new calls, but for emergency calls.
    pub overloads: u64,
    /// What phones said that was refused or ignored, by reason.
    pub refused_messages: BTreeMap<String, u64>,
}

/// How the database is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoreStatus {
    /// Records that wait to be written.
    pub waiting: usize,
    /// Records that were given up because nothing could be written for too long.
    pub lost: u64,
    /// Why nothing can be written at present; `None` when all is well.
    pub failing: Option<String>,
}

/// A finished call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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
    #[schema(value_type = String, format = DateTime)]
    pub started: Timestamp,
    /// When the far end rang, if it did.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ringing: Option<Timestamp>,
    /// When somebody answered, if so.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub answered: Option<Timestamp>,
    /// When it was over.
    #[schema(value_type = String, format = DateTime)]
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
    /// The names of its recordings, in the order in which they began.
    #[serde(default)]
    pub recordings: Vec<String>,
    /// How the audio of its legs was: what phones have counted, and the manager where the audio passed through it.
    pub quality: Vec<Quality>,
}

/// A recorded call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recording {
    /// The name of its file.
    pub name: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub began: Timestamp,
    /// The caller's number; can be empty.
    pub calling: String,
    /// The number of who was called.
    pub called: String,
    /// How long it is.
    pub seconds: u64,
    /// How large its file is.
    pub bytes: u64,
}

/// A party of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Party {
    /// Its number.
    pub number: String,
    /// Its name; can be empty.
    pub name: String,
    /// Its phone; `None` if nobody answered.
    pub device: Option<String>,
}

/// A call went on to somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Redirection {
    /// How, such as `transfer` or `redirect`.
    pub kind: String,
    /// Who did it.
    pub by: Party,
    /// To whom.
    pub to: Party,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// How the audio of a leg was, as its phone or the manager has counted it. `received` is what came to who has counted, `sent` and
/// `there` what went to the other side.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Quality {
    /// The phone whose leg it is; empty for a trunk's.
    pub device: String,
    /// The trunk; empty for a phone's.
    #[serde(default)]
    pub trunk: String,
    /// The number of who is there.
    #[serde(default)]
    pub number: String,
    /// Who has counted: `phone` or `manager`.
    #[serde(default)]
    pub counted_by: String,
    /// The codec, by its RTP name; empty if it is not known.
    #[serde(default)]
    pub codec: String,
    /// RTP packets sent.
    pub packets_sent: u32,
    /// Bytes of sound sent.
    #[serde(default)]
    pub octets_sent: u32,
    /// RTP packets received.
    pub packets_received: u32,
    /// Bytes of sound received.
    #[serde(default)]
    pub octets_received: u32,
    /// RTP packets that did not come.
    pub packets_lost: u32,
    /// Interarrival jitter of what came, in milliseconds.
    pub jitter_ms: u32,
    /// To the other side and back, in milliseconds.
    #[serde(default)]
    pub round_trip_ms: Option<u32>,
    /// How good what came sounded: a mean opinion score from 1 (bad) to 5.
    #[serde(default)]
    pub mos: Option<f64>,
    /// RTP packets sent that did not arrive, as the other side reports.
    #[serde(default)]
    pub packets_lost_there: Option<u32>,
    /// Interarrival jitter that the other side reports, in milliseconds.
    #[serde(default)]
    pub jitter_there_ms: Option<u32>,
    /// How good what was sent sounded there.
    #[serde(default)]
    pub mos_there: Option<f64>,
}

/// What a change of the site changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SiteChange {
    /// One line each: `+ line 1001 "Reception"`, `~ device SEP001122334455 model: 7960 -> 7965`. Empty if nothing
    /// changes.
    pub changes: Vec<String>,
    /// Was it done? `false` for a dry run.
    pub applied: bool,
}

/// Something that happened to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceEvent {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub kind: DeviceEventKind,
}

/// What happened to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DeviceEventKind {
    /// It registered.
    Registered {
        /// From where.
        #[schema(value_type = String)]
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
        #[schema(value_type = String)]
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

/// One phone, and what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Phone {
    /// The phone.
    #[serde(flatten)]
    pub device: Device,
    /// What it shows now.
    pub face: Face,
}

/// What a phone shows and sounds like. While it is not registered, everything else is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Face {
    /// Is it there?
    pub registered: bool,
    /// Is its speaker or handset on?
    pub speaker: bool,
    /// How it rings, if it does.
    pub ring: Option<PhoneRing>,
    /// The tone to be heard, such as `inside-dial-tone`.
    pub tone: Option<String>,
    /// The line in the foreground, by its button.
    pub active_line: Option<u32>,
    /// The lamps that are not off.
    pub lamps: Vec<PhoneLamp>,
    /// The prompt of the call in the foreground, without one that of the idle phone.
    pub prompt: String,
    /// The labels of the soft keys, in English, for the call in the foreground or without one.
    pub soft_keys: Vec<String>,
    /// Its calls, in the order in which they came.
    pub calls: Vec<CallOnPhone>,
}

/// A phone rings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneRing {
    /// How: `inside-ring`, `outside-ring`, `feature-ring`, `flash-only`.
    pub mode: String,
    /// On which line, by its button.
    pub line: u32,
}

/// A lamp of a button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneLamp {
    /// The kind of button, such as `line`.
    pub button: String,
    /// Which of that kind, from 1; 0 where there is only one.
    pub instance: u32,
    /// `on`, `wink`, `flash` or `blink`.
    pub mode: String,
}

/// A call as a phone shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallOnPhone {
    /// The line, by its button.
    pub line: u32,
    /// The phone's name for the call.
    pub reference: u32,
    /// Is it another phone's call on a line that both have?
    pub remote: bool,
    /// Did somebody call here?
    pub inbound: bool,
    /// Such as `off-hook`, `ring-out`, `ring-in`, `connected`, `hold`.
    pub state: String,
    /// Its prompt.
    pub prompt: String,
    /// The labels of the soft keys while it is in the foreground, in English.
    pub soft_keys: Vec<String>,
    /// Who calls.
    pub calling: Named,
    /// Who is called.
    pub called: Named,
    /// The number as dialled here, once it is complete.
    pub dialed: String,
}

/// A number and a name; both can be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Named {
    /// The number.
    pub number: String,
    /// The name.
    pub name: String,
}

/// A number to dial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dial {
    /// The number, as somebody at the phone would dial it.
    pub number: String,
}

/// A text for a phone's screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// The text; a phone shows about 30 characters of it.
    pub text: String,
}

/// Something that happened to a phone, a call or a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Something happened to a phone.
    Device {
        /// Which; as it named itself, it may be unknown to the site.
        device: String,
        /// What, and when.
        #[serde(flatten)]
        what: DeviceEvent,
    },
    /// A call began, went on or is over.
    Call(CallInProgress),
    /// Somebody has come to a room, gone, is muted or talks there: how it is now.
    Room(Room),
}

/// A line, and what it remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// Its number.
    pub number: String,
    /// Whose it is; can be empty.
    pub name: String,
    /// What its button says; empty if that is the number.
    pub label: String,
    /// The phones that have it.
    pub devices: Vec<LineDevice>,
    /// Where calls to it go instead.
    pub forwards: Forwards,
    /// Does nobody want to be disturbed?
    pub do_not_disturb: bool,
    /// Messages in its mailbox.
    pub messages: Messages,
    /// Is it logged out of its hunt groups?
    pub hunt_logged_out: bool,
    /// Is it logged in to hunt groups that ask for that?
    pub hunt_logged_in: bool,
}

/// A phone that has a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineDevice {
    /// Its name.
    pub name: String,
    /// Is it there?
    pub registered: bool,
}

/// Where calls to a line go instead, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Forwards {
    /// Always.
    pub all: Option<String>,
    /// While it is busy.
    pub busy: Option<String>,
    /// When nobody answers in time.
    pub no_answer: Option<String>,
    /// While no phone with it is registered.
    pub unregistered: Option<String>,
}

/// Where calls are to go instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Forward {
    /// When.
    pub kind: ForwardKind,
    /// Where to; a number as somebody at the phone would dial it.
    pub to: String,
}

/// When calls go elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardKind {
    /// Always.
    All,
    /// While the line is busy.
    Busy,
    /// When nobody answers in time.
    NoAnswer,
    /// While no phone with the line is registered.
    Unregistered,
}

/// Does nobody want to be disturbed?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoNotDisturb {
    /// Yes?
    pub on: bool,
}

/// How many messages wait.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Messages {
    /// Not heard yet.
    pub new: u32,
    /// Heard and kept.
    pub old: u32,
}

/// A group of lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// What it is for.
    pub kind: GroupKind,
    /// Its name (pickup groups) or number.
    pub key: String,
    /// What phones show of it; can be empty.
    pub name: String,
    /// The order of a hunt group, the mode of a paging group; empty otherwise.
    pub how: String,
    /// The numbers of its lines.
    pub members: Vec<String>,
}

/// What a group of lines is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    /// Its members pick up each other's calls.
    Pickup,
    /// Its number rings one of them.
    Hunt,
    /// Its number speaks to all of them.
    Paging,
}

/// A call that waits in a park slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParkedCall {
    /// The number that takes it from there.
    pub slot: String,
    /// The call's id.
    pub call: u64,
    /// Who waits.
    pub waits: Named,
    /// Who parked it.
    pub by: Named,
}

/// A meet-me room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Room {
    /// Its number.
    pub number: String,
    /// Has its moderator locked it?
    pub locked: bool,
    /// Who is in it, the first who came first.
    pub members: Vec<RoomMember>,
}

/// Somebody in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomMember {
    /// The name for other requests; no two have the same.
    pub id: u32,
    /// Who calls.
    pub who: Named,
    /// Which phone it is, if it is one of the site's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Is it a moderator?
    pub moderator: bool,
    /// Does it wait for the moderator?
    pub waiting: bool,
    /// Do the others not hear it?
    pub muted: bool,
    /// Is it the one who talks? Told where three or more are in the room.
    pub talking: bool,
}

/// Whether others in a room shall not hear somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mute {
    /// They shall not.
    pub on: bool,
}

/// Something that an operator changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEntry {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The user id of the process that asked.
    pub uid: u32,
    /// Its name; empty if it has none.
    pub user: String,
    /// Whose session it was, where the machine knows: the person who became root. Empty otherwise.
    pub login: String,
    /// The process, where the machine told.
    pub process: Option<i32>,
    /// What was done.
    pub what: String,
    /// What that changed of the site, a line each.
    pub changes: Vec<String>,
}
