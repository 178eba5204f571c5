//! What the exchange wants remembered: call records, device history, phones that registered themselves.
//!
//! The exchange only says what happened; a store keeps it. Times are wall-clock microseconds since 1970 (UTC).

use alloc::{boxed::Box, string::String, vec::Vec};
use core::net::IpAddr;

use selsius_site::{DeviceName, LineNumber};

use crate::remembered::{DeviceState, LineState};

/// Declares values with the names that records and tables have for them.
macro_rules! named {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in records and tables.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

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
    CallEnded(Box<CallEnded>),
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
    /// The trunk that it went out over, the last one if several were tried; else the one that it came in over. Empty for
    /// a call within the office.
    pub trunk: String,
    /// The names of its recordings, in the order in which they began.
    pub recordings: Vec<String>,
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

named! {
    /// How a call went on to somebody else.
    pub enum RedirectKind {
        /// A party transferred it.
        Transfer = "transfer",
        /// The far end of a trunk sent it on.
        Redirect = "redirect",
        /// The line forwards all its calls.
        ForwardAll = "forward-all",
        /// The line forwards its calls while it is busy.
        ForwardBusy = "forward-busy",
        /// The line forwards the calls that nobody answers.
        ForwardNoAnswer = "forward-no-answer",
        /// The line forwards its calls while no phone with it is registered.
        ForwardUnregistered = "forward-unregistered",
        /// The user of a ringing phone sent it to voice mail.
        Divert = "divert",
        /// Another phone took it while it rang.
        Pickup = "pickup",
        /// A party parked it.
        Park = "park",
        /// Somebody took it from where it was parked.
        Retrieve = "park-retrieve",
        /// Nobody took it from where it was parked: it went back to who had parked it.
        ParkReturn = "park-return",
        /// A hunt group led it to a member, or on to where its calls overflow.
        Hunt = "hunt",
    }
}

impl RedirectKind {
    /// The reason that CallInfo carries: 0 for none. 4 (unconditional) and 1, 2 follow Q.952's redirecting reasons, as
    /// implementations use them; those of pickup and parking are CallManager's, as its call records document them. A diversion is Q.931's
    /// deflection (4), a line without a phone its "out of order" (9).
    pub fn reason(self) -> u32 {
        match self {
            Self::Transfer => 10,
            Self::Redirect | Self::ForwardAll | Self::Divert => 4,
            Self::ForwardBusy => 1,
            Self::ForwardNoAnswer => 2,
            Self::ForwardUnregistered => 9,
            Self::Pickup => 5,
            Self::Park => 7,
            Self::Retrieve => 8,
            Self::ParkReturn => 11,
            Self::Hunt => 0,
        }
    }
}

named! {
    /// Why a call ended.
    pub enum EndCause {
        /// The caller hung up.
        CallerHungUp = "caller-hung-up",
        /// The called party hung up.
        CalledHungUp = "called-hung-up",
        /// The called line was busy.
        Busy = "busy",
        /// Nobody answered in time.
        NoAnswer = "no-answer",
        /// The number leads nowhere.
        UnknownNumber = "unknown-number",
        /// The called line exists, but no phone with it is registered.
        Unregistered = "unregistered",
        /// A route forbids the number.
        Blocked = "blocked",
        /// No trunk could take the call.
        NoTrunk = "no-trunk",
        /// The manager had too much to do.
        Overload = "overload",
        /// The phones have no codec in common.
        NoCommonCodec = "no-common-codec",
        /// A phone could not open its audio channel, or did not say so in time.
        MediaFailure = "media-failure",
        /// A party sent the other one on: its call goes on as a part of another one.
        Transferred = "transferred",
        /// It became a part of a conference.
        Joined = "joined",
        /// Put out of a conference.
        Dropped = "dropped",
        /// A phone vanished in the middle.
        PhoneLost = "phone-lost",
        /// The manager was stopped in order.
        Shutdown = "shutdown",
        /// The exchange crashed, or the whole manager: then it is found at the next start.
        Interrupted = "interrupted",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_never_shared() {
        for names in [
            EndCause::ALL.iter().map(|cause| cause.name()).collect::<Vec<_>>(),
            RedirectKind::ALL.iter().map(|kind| kind.name()).collect(),
        ] {
            let mut different = names.clone();
            different.sort_unstable();
            different.dedup();
            assert_eq!(different.len(), names.len(), "{names:?}");
        }
    }
}
