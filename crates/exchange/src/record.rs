//! What the exchange wants remembered: call records, device history, phones that registered themselves.
//!
//! The exchange only says what happened; a store keeps it. Times are wall-clock microseconds since 1970 (UTC).

use alloc::{string::String, vec::Vec};
use core::net::IpAddr;

use selsius_site::{DeviceName, LineNumber};

use crate::remembered::{DeviceState, LineState};

/// Names one call for ever: larger ones are later. The store hands out where to go on after a restart
/// ([`crate::Config::first_call`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// Wall-clock time in microseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(pub i64);

/// One thing to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A call began (a number was dialled completely). Kept so that a crash can close it as interrupted.
    CallStarted(CallStarted),
    /// A call ended; everything that is known of it.
    CallEnded(CallEnded),
    /// What a phone counted of a stream, after the call ended.
    CallQuality(CallQuality),
    /// Something happened to a device.
    DeviceEvent(DeviceEvent),
    /// A phone nobody had configured got a number: it and the line belong to the site from now on.
    AutoRegistered(AutoRegistered),
    /// What a line remembers has changed.
    LineState {
        /// Which line.
        line: LineNumber,
        /// All of it; the default means that nothing has to be kept.
        state: LineState,
    },
    /// What a phone remembers has changed.
    DeviceState {
        /// Which phone.
        device: DeviceName,
        /// All of it; the default means that nothing has to be kept.
        state: DeviceState,
    },
}

/// The parties and the start of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallStarted {
    /// Which call.
    pub call: CallId,
    /// The calling line and phone.
    pub calling: Party,
    /// The digits as dialled.
    pub dialed: String,
    /// When the number was complete.
    pub started: WallTime,
}

/// A party of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// Its number.
    pub number: String,
    /// Its name, empty if unknown.
    pub name: String,
    /// Its phone; `None` while nobody answered.
    pub device: Option<DeviceName>,
    /// It does not want the other party to see its number and name.
    pub restricted: bool,
}

/// A finished call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEnded {
    /// Which call.
    pub call: CallId,
    /// The calling party.
    pub calling: Party,
    /// The digits as dialled.
    pub dialed: String,
    /// The called party: who answered, or who was rung.
    pub called: Party,
    /// When the number was complete.
    pub started: WallTime,
    /// When the far end rang, if it did.
    pub ringing: Option<WallTime>,
    /// When somebody answered, if so.
    pub answered: Option<WallTime>,
    /// When it was over.
    pub ended: WallTime,
    /// Why.
    pub cause: EndCause,
    /// The codec that was spoken (its RTP name), empty if nobody answered.
    pub codec: String,
    /// How the call came to the parties that it had at the end, in order.
    pub redirections: Vec<Redirection>,
    /// The name of the code that was entered for it: of the account that pays, else of the authorisation; empty without.
    pub account: String,
}

/// A call went on to somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirection {
    /// How.
    pub kind: RedirectKind,
    /// Who did it.
    pub by: Party,
    /// To whom.
    pub to: Party,
    /// When.
    pub at: WallTime,
}

/// How a call went on to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RedirectKind {
    /// A party transferred it.
    Transfer,
    /// The far end of a trunk sent it on.
    Redirect,
}

impl RedirectKind {
    /// The name in records and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Redirect => "redirect",
        }
    }

    /// The reason that CallInfo carries: 0 for none. 4 (unconditional) and 1, 2 follow Q.952's redirecting reasons, as
    /// implementations use them.
    pub fn reason(self) -> u32 {
        match self {
            Self::Transfer => 10,
            Self::Redirect => 4,
        }
    }
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCause {
    /// The caller hung up.
    CallerHungUp,
    /// The called party hung up.
    CalledHungUp,
    /// The called line was busy.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// The number leads nowhere.
    UnknownNumber,
    /// The called line exists, but no phone with it is registered.
    Unregistered,
    /// A route forbids the number.
    Blocked,
    /// No trunk could take the call.
    NoTrunk,
    /// The phones have no codec in common.
    NoCommonCodec,
    /// A phone could not open its audio channel, or did not say so in time.
    MediaFailure,
    /// A party sent the other one on: its call goes on as a part of another one.
    Transferred,
    /// It became a part of a conference.
    Joined,
    /// Put out of a conference.
    Dropped,
    /// A phone vanished in the middle.
    PhoneLost,
    /// The manager was stopped in order.
    Shutdown,
    /// The manager crashed; found at its next start.
    Interrupted,
}

impl EndCause {
    /// The name in records and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::CallerHungUp => "caller-hung-up",
            Self::CalledHungUp => "called-hung-up",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::UnknownNumber => "unknown-number",
            Self::Unregistered => "unregistered",
            Self::Blocked => "blocked",
            Self::NoTrunk => "no-trunk",
            Self::NoCommonCodec => "no-common-codec",
            Self::MediaFailure => "media-failure",
            Self::Transferred => "transferred",
            Self::Joined => "joined",
            Self::Dropped => "dropped",
            Self::PhoneLost => "phone-lost",
            Self::Shutdown => "shutdown",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What a phone counted of one of its legs (ConnectionStatisticsRes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallQuality {
    /// Which call.
    pub call: CallId,
    /// Whose count it is.
    pub device: DeviceName,
    /// RTP packets sent.
    pub packets_sent: u32,
    /// RTP packets received.
    pub packets_received: u32,
    /// RTP packets lost.
    pub packets_lost: u32,
    /// Interarrival jitter in milliseconds, as the phone says.
    pub jitter_ms: u32,
}

/// Something that happened to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceEvent {
    /// Which device; the name as the phone gave it, since it may be unknown to the site.
    pub device: String,
    /// When.
    pub at: WallTime,
    /// What.
    pub kind: DeviceEventKind,
}

/// What happened to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceEventKind {
    /// It registered.
    Registered {
        /// From where.
        address: IpAddr,
        /// Its device type, as SCCP numbers them.
        device_type: u32,
        /// The protocol version agreed on.
        version: u8,
        /// Its firmware load, when it told.
        load: String,
    },
    /// It is gone.
    Unregistered {
        /// Why, in a few words.
        reason: String,
    },
    /// It was refused.
    Rejected {
        /// From where.
        address: IpAddr,
        /// Why, as the phone was told.
        reason: String,
    },
    /// It sent an Alarm message.
    Alarm {
        /// Severity as sent (0 critical, 1 warning, 2 informational, 4 unknown, 7 major, 8 minor, 10 marginal, 20 trace).
        severity: u32,
        /// The text.
        text: String,
        /// The two parameters.
        parameters: [u32; 2],
    },
}

/// A phone that nobody configured, and the number it got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoRegistered {
    /// The phone.
    pub device: DeviceName,
    /// Its device type.
    pub device_type: u32,
    /// Its number, on button 1.
    pub line: LineNumber,
}
