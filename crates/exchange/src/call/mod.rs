//! Calls and their legs. A call owns its legs, a leg owns its media: what ends above ends below.

mod anchor;
mod control;
mod end;
mod hold;
mod join;
mod keys;
mod media;
mod quality;
mod secure;
mod trunk;

pub use self::media::codec_name;
pub use self::trunk::{OpusTypes, PhoneContact, RemoteAudio, TrunkEvent, TrunkLegId, TrunkOrder};
pub(crate) use self::{
    control::{Found, seconds},
    join::CannotJoin,
    media::variants,
    quality::{Asked, MOST_OWED, Owed},
    trunk::{Extension, Extensions, MOST_REDIRECTIONS, OnLine},
};

use alloc::{boxed::Box, string::String, vec::Vec};
use core::net::SocketAddr;

use selsius_site::{CodeDemand, DeviceName, FeatureCode, Name};
use selsius_wire::{Time, value::Codec};

use self::{anchor::Anchor, quality::Counted, secure::Secured, trunk::TrunkEnd};
use crate::{
    arena::Handle,
    device::Device,
    feature::{call_codes::Entered, hunt::Hunt, mobility::Login, paging::Page, recording::Recorded},
    record::{CallId, EndCause, Party, Redirection, WallTime},
};

/// A conversation, from lifting the handset to the last party's hanging up.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    /// The conference id in media messages, shared by all legs.
    pub(crate) conference: u32,
    pub(crate) legs: Vec<Handle<Leg>>,
    pub(crate) phase: Phase,
    /// What the digits are for.
    pub(crate) purpose: Purpose,
    /// The digits as dialled.
    pub(crate) dialed: String,
    /// What was dialled in front of the number, where it is to be dialled again with it.
    pub(crate) prefix: String,
    /// Who logs in, while the PIN is entered.
    pub(crate) login: Option<Login>,
    /// Nothing may refuse it.
    pub(crate) emergency: bool,
    /// The phone has no room for another call than an emergency call.
    pub(crate) emergency_only: bool,
    /// It speaks to the other side through its speaker.
    pub(crate) intercom: bool,
    /// The caller opens the room that it is for.
    pub(crate) meet_me: bool,
    /// It speaks to many phones at once.
    pub(crate) page: Option<Page>,
    /// Codes that were entered for it.
    pub(crate) codes: Entered,
    pub(crate) calling: Party,
    /// The number that the other side sees in place of a caller's own.
    pub(crate) calling_as: Option<CallingAs>,
    /// Who is called: who is rung, later who answered.
    pub(crate) called: Party,
    /// How the call came to whom it is with now: forwardings, transfers, pickups.
    pub(crate) redirections: Vec<Redirection>,
    /// Trunks that are tried when the one that was asked cannot.
    pub(crate) other_trunks: Vec<Name>,
    /// The trunk that was asked last.
    pub(crate) trunk: Option<Name>,
    /// The hunt group that looks for a member to take it.
    pub(crate) hunt: Option<Hunt>,
    /// The hunt group by which it came to whom it is with now.
    pub(crate) pilot: Option<Party>,
    /// More than two parties, or two of more than two: their audio is mixed.
    pub(crate) mixed: Option<Mixed>,
    /// When the number was complete.
    pub(crate) started: Option<WallTime>,
    pub(crate) ringing: Option<WallTime>,
    pub(crate) answered: Option<WallTime>,
    /// There is audio although nobody has answered: tones and announcements of another network, the music of a queue.
    pub(crate) early: bool,
    /// The codec that was spoken first.
    pub(crate) codec: Option<Codec>,
    /// What is recorded of it.
    pub(crate) recording: Option<Recorded>,
    /// The names of its recordings so far.
    pub(crate) recordings: Vec<String>,
    /// It cannot be recorded, though somebody wants it.
    pub(crate) unrecorded: bool,
    /// Why it is over, once it is.
    pub(crate) cause: Option<EndCause>,
}

/// What the other side sees in place of a caller's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallingAs {
    /// The number of the caller whom it is for: transfers bring others.
    pub(crate) own: String,
    pub(crate) shown: String,
}

impl Call {
    /// The caller's number, as the other side sees it.
    pub(crate) fn shown_calling(&self) -> &str {
        match &self.calling_as {
            Some(calling_as) if calling_as.own == self.calling.number => &calling_as.shown,
            _ => &self.calling.number,
        }
    }
}

/// A conference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mixed {
    /// Whose conference it is: the leg that made it.
    pub(crate) owner: Handle<Leg>,
}

/// What digits are dialled for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To talk to somebody.
    #[default]
    Talk,
    /// For a feature that a key has begun.
    Feature(FeatureCode),
    /// The number is complete, and a code is asked for.
    Code(CodeDemand),
    /// To prove who logs in: they are the PIN.
    Pin,
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The caller dials.
    Dialing,
    /// The called phones ring.
    Ringing,
    /// The caller waits for a member of a hunt group.
    Queued,
    /// The only party waits to be taken from a park slot.
    Parked,
    /// The caller's own phone rings: whom it wanted is free now. Nobody has been called yet.
    Callback,
    /// Parties talk, or hold each other.
    Talking,
    /// One party speaks to the phones of the others.
    Paging,
    /// It ended and is recorded; legs that still hear a tone keep it until they hang up.
    Over,
}

impl Phase {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 8] = [
        Self::Dialing,
        Self::Ringing,
        Self::Queued,
        Self::Parked,
        Self::Callback,
        Self::Talking,
        Self::Paging,
        Self::Over,
    ];

    /// Its name, as operators see it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dialing => "dialing",
            Self::Ringing => "ringing",
            Self::Queued => "queued",
            Self::Parked => "parked",
            Self::Callback => "callback",
            Self::Talking => "talking",
            Self::Paging => "paging",
            Self::Over => "over",
        }
    }
}

/// The audio that the parties agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audio {
    /// The codec.
    pub codec: Codec,
    /// Packet time in milliseconds.
    pub packet_ms: u32,
    /// Differentiated services code point, as the upper six bits of the byte that IP carries.
    pub tos: u8,
}

/// One party's part of a call: one line appearance of one phone, or a call of a trunk.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) call: Handle<Call>,
    pub(crate) end: End,
    /// Who it is, as the others see it.
    pub(crate) who: Party,
    /// The call reference that the phone knows this leg by.
    pub(crate) reference: u32,
    /// The pass-through party id of its audio. It tells acks apart where a call reference is missing (CallManager
    /// 4.1's OpenReceiveChannelAck has none).
    pub(crate) party: u32,
    pub(crate) role: Role,
    pub(crate) state: LegState,
    pub(crate) receive: Receive,
    /// The audio of its channels, while there are any.
    pub(crate) audio: Option<Audio>,
    /// The codec that was spoken last.
    pub(crate) spoken: Option<Codec>,
    /// The keys of its audio, while that is encrypted and the leg is a phone's.
    pub(crate) secured: Option<Secured>,
    /// Its place at the media services, while its audio goes there.
    pub(crate) anchor: Option<Anchor>,
    /// What these have counted of it.
    pub(crate) counted: Counted,
    /// The call that this one is made for: a consultation before a transfer, or before a conference.
    pub(crate) consults: Option<Consultation>,
    /// Marked with the Select key.
    pub(crate) selected: bool,
    /// On hold, only this phone may take it back.
    pub(crate) private: bool,
    /// Its phone beeps, since it holds the call.
    pub(crate) reminds: bool,
    /// The phone answers by itself.
    pub(crate) answers_itself: bool,
    /// The phone is spoken to, and nobody hears its microphone until its user wants that.
    pub(crate) one_way: bool,
    /// The leg whose call its phone has entered by Barge.
    pub(crate) guest_of: Option<Handle<Self>>,
    /// Whether it is to be recorded, if its user has decided that for this call.
    pub(crate) record: Option<bool>,
    /// When its user has put it on hold last.
    pub(crate) held_at: Time,
}

/// Why a phone calls somebody while another call waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Consultation {
    /// The call that waits, on the same phone.
    pub(crate) waits: Handle<Leg>,
    pub(crate) aim: Aim,
}

/// What a consultation is to end in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    Transfer,
    Conference,
}

/// What is at the end of a leg.
#[derive(Debug)]
pub(crate) enum End {
    /// A line of a phone.
    Station(Appears),
    /// Another telephone system.
    Trunk(Box<TrunkEnd>),
}

/// A phone that can ring for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seat {
    /// An appearance of the line.
    Station(Appears),
    /// A SIP phone.
    Extension(DeviceName),
}

/// Where a line appears: the phone and its line instance (the phone's number for the line button).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appears {
    pub(crate) device: Handle<Device>,
    pub(crate) line: u32,
}

impl Leg {
    /// The phone, if it is one.
    pub(crate) fn device(&self) -> Option<Handle<Device>> {
        self.station().map(|station| station.device)
    }

    /// The line of a phone.
    pub(crate) fn station(&self) -> Option<Appears> {
        match self.end {
            End::Station(station) => Some(station),
            End::Trunk(_) => None,
        }
    }

    /// The SIP phone and its line.
    pub(crate) fn extension(&self) -> Option<&OnLine> {
        match &self.end {
            End::Station(_) => None,
            End::Trunk(trunk) => trunk.extension.as_ref(),
        }
    }

    /// Is it a phone of the office, of whatever kind?
    pub(crate) fn is_inside(&self) -> bool {
        self.device().is_some() || self.extension().is_some()
    }

    /// The line instance, 0 for a trunk.
    pub(crate) fn line(&self) -> u32 {
        self.station().map_or(0, |station| station.line)
    }

    /// Is it on this phone?
    pub(crate) fn is_on(&self, device: Handle<Device>) -> bool {
        self.device() == Some(device)
    }

    /// Is its place at the media services kept while nobody talks? That of a relayed trunk is.
    pub(crate) fn keeps_anchor(&self) -> bool {
        matches!(&self.end, End::Trunk(trunk) if trunk.keeps_anchor())
    }

    /// Does its user talk, or would if the other side did?
    pub(crate) fn talks(&self) -> bool {
        self.state == LegState::Connected
    }
}

/// Which side of the call a leg is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Caller,
    Called,
}

/// The state of a leg. What its phone shows follows from it (see `view`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LegState {
    /// Dial tone; no digit yet.
    DialTone,
    /// Some digits.
    Dialing,
    /// The number is complete, the far end is looked for.
    Proceeding,
    /// The far end rings.
    RingOut,
    /// This phone rings, or the trunk has been asked.
    RingIn,
    /// This phone's user has answered; the same event connects it.
    Answering,
    /// Talking.
    Connected,
    /// This phone's user has put the call on hold.
    Held,
    /// It came to nothing; a tone tells so until the user hangs up.
    Failed(EndCause),
}

impl LegState {
    /// Does the leg occupy the phone's handset or speaker? At most one of a phone does.
    pub(crate) fn is_off_hook(self) -> bool {
        !matches!(self, Self::RingIn | Self::Held)
    }
}

/// A leg's receive channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receive {
    /// None, or the phone was told to close it.
    Closed,
    /// The phone was asked to open it.
    Opening,
    /// The phone listens here.
    Open(SocketAddr),
}
