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
    /// How the audio of a leg was, after its end.
    CallQuality(Box<CallQuality>),
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

/// How the audio of one leg of a call was, as one of its ends has counted it. It comes after the end of the leg, often after that
/// of the call; each leg has at most one of each [`CountedBy`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallQuality {
    /// Which call.
    pub call: CallId,
    /// Tells the legs of a call apart.
    pub party: u32,
    /// The number of who is there.
    pub number: String,
    /// What is there.
    pub end: LegEnd,
    /// Who has counted.
    pub counted_by: CountedBy,
    /// The codec that was spoken (its RTP name), the last one if it changed; empty if it is not known.
    pub codec: String,
    /// What.
    pub figures: StreamFigures,
}

/// What is at the end of a leg.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LegEnd {
    /// A phone.
    Phone(DeviceName),
    /// A trunk, by its name in the site.
    Trunk(String),
}

named! {
    /// Who has counted packets.
    pub enum CountedBy {
        /// The phone at the leg's end (ConnectionStatisticsRes).
        Phone = "phone",
        /// The manager, where the audio passed through it.
        Manager = "manager",
    }
}

/// What one end of a leg has counted of its audio. `received` is what came to whoever counts, `sent` and `there` what went to
/// the other side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamFigures {
    /// RTP packets sent.
    pub packets_sent: u32,
    /// Bytes of payload sent.
    pub octets_sent: u32,
    /// RTP packets received.
    pub packets_received: u32,
    /// Bytes of payload received.
    pub octets_received: u32,
    /// RTP packets that did not come.
    pub packets_lost: u32,
    /// Interarrival jitter of what came, in milliseconds.
    pub jitter_ms: u32,
    /// To the other side and back, in milliseconds.
    pub round_trip_ms: Option<u32>,
    /// How good what came sounded.
    pub mos: Option<Mos>,
    /// Packets sent that did not arrive, as the other side reports.
    pub packets_lost_there: Option<u32>,
    /// Interarrival jitter that the other side reports, in milliseconds.
    pub jitter_there_ms: Option<u32>,
    /// How good it sounded there.
    pub mos_there: Option<Mos>,
}

impl StreamFigures {
    /// Adds a later stretch of the same leg: counts are added, scores weigh as much as they have packets, and of the
    /// jitter the larger stays.
    pub fn add(&mut self, later: &Self) {
        self.mos = Mos::mean([(self.mos, self.packets_received), (later.mos, later.packets_received)]);
        self.mos_there =
            Mos::mean([(self.mos_there, self.packets_sent), (later.mos_there, later.packets_sent)]);
        for (sum, more) in [
            (&mut self.packets_sent, later.packets_sent),
            (&mut self.octets_sent, later.octets_sent),
            (&mut self.packets_received, later.packets_received),
            (&mut self.octets_received, later.octets_received),
            (&mut self.packets_lost, later.packets_lost),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.jitter_ms = self.jitter_ms.max(later.jitter_ms);
        self.round_trip_ms = later.round_trip_ms.or(self.round_trip_ms);
        if let Some(lost) = later.packets_lost_there {
            self.packets_lost_there = Some(self.packets_lost_there.unwrap_or(0).saturating_add(lost));
        }
        self.jitter_there_ms = self.jitter_there_ms.max(later.jitter_there_ms);
    }

    /// Share of what should have come that did not, in 0.0..=1.0; `None` if nothing was to come.
    pub fn loss(&self) -> Option<f64> {
        share(self.packets_lost, u64::from(self.packets_received) + u64::from(self.packets_lost))
    }

    /// Share of what was sent that did not arrive; `None` if the other side does not report.
    pub fn loss_there(&self) -> Option<f64> {
        share(self.packets_lost_there?.min(self.packets_sent), self.packets_sent.into())
    }
}

fn share(lost: u32, of: u64) -> Option<f64> {
    (of > 0).then(|| f64::from(lost) / of as f64)
}

/// A mean opinion score in hundredths: 100 (bad) to 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mos(u16);

impl Mos {
    /// From hundredths; `None` for what is no score.
    pub const fn from_hundredths(hundredths: u16) -> Option<Self> {
        match hundredths {
            100..=500 => Some(Self(hundredths)),
            _ => None,
        }
    }

    /// From a score of 1.0 to 5.0; `None` for what is none.
    pub fn new(score: f32) -> Option<Self> {
        // What is negative or too large saturates, and is no score then either.
        Self::from_hundredths((score * 100.0 + 0.5) as u16)
    }

    /// In hundredths.
    pub const fn hundredths(self) -> u16 {
        self.0
    }

    /// As a number, 1.0 to 5.0.
    pub fn score(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// The mean of scores that weigh differently much; those that weigh nothing count as little as none.
    fn mean(scores: [(Option<Self>, u32); 2]) -> Option<Self> {
        let (mut sum, mut weights) = (0, 0);
        for (score, weight) in scores {
            if let Some(Self(score)) = score {
                sum += u64::from(score) * u64::from(weight);
                weights += u64::from(weight);
            }
        }
        let mean = (sum + weights / 2).checked_div(weights)?;
        u16::try_from(mean).ok().map(Self)
    }
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
            CountedBy::ALL.iter().map(|by| by.name()).collect(),
        ] {
            let mut different = names.clone();
            different.sort_unstable();
            different.dedup();
            assert_eq!(different.len(), names.len(), "{names:?}");
        }
    }

    #[test]
    fn stretches_of_a_leg_add_up() {
        let mos = |hundredths| Mos::from_hundredths(hundredths);
        let mut figures = StreamFigures {
            packets_sent: 100,
            packets_received: 300,
            packets_lost: 3,
            jitter_ms: 9,
            round_trip_ms: Some(40),
            mos: mos(400),
            ..StreamFigures::default()
        };
        let later = StreamFigures {
            packets_sent: 100,
            octets_sent: 16_000,
            packets_received: 100,
            packets_lost: u32::MAX,
            jitter_ms: 2,
            mos: mos(200),
            packets_lost_there: Some(7),
            jitter_there_ms: Some(1),
            mos_there: mos(440),
            ..StreamFigures::default()
        };
        figures.add(&later);
        let sum = StreamFigures {
            packets_sent: 200,
            octets_sent: 16_000,
            packets_received: 400,
            packets_lost: u32::MAX,
            jitter_ms: 9,
            round_trip_ms: Some(40),
            mos: mos(350),
            packets_lost_there: Some(7),
            jitter_there_ms: Some(1),
            mos_there: mos(440),
            ..StreamFigures::default()
        };
        assert_eq!(figures, sum);
        // A stretch in which nothing came changes no score.
        figures.add(&StreamFigures { mos: mos(100), ..StreamFigures::default() });
        assert_eq!(figures, sum);
    }

    #[test]
    fn what_is_no_score_is_none() {
        for (score, expected) in [(1.0, Some(100)), (4.4049, Some(440)), (4.409, Some(441)), (5.0, Some(500))]
        {
            assert_eq!(Mos::new(score).map(Mos::hundredths), expected, "{score}");
        }
        for score in [0.0, 0.99, -3.0, 5.01, 1e9, f32::NAN, f32::INFINITY] {
            assert_eq!(Mos::new(score), None, "{score}");
        }
    }
}
