//! The seam to other telephone systems: a leg that is no phone.
//!
//! A trunk is asked by [`TrunkOrder`]s and answers by [`TrunkEvent`]s; who speaks SIP or H.323 behind it is none of the
//! exchange's business. As with phones, what a trunk is told is derived: call control changes the state of the leg, and
//! the difference to what the trunk was told is the order.

mod event;
mod extension;
mod offer;
mod refer;
mod told;

use alloc::{boxed::Box, string::String, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use selsius_site::{CodecName, DeviceName, Name, Trunk};
use selsius_wire::{srtp::PartyKeys, value::Codec};

use super::{Audio, Call, End, Leg};
use crate::{
    arena::Handle,
    exchange::Exchange,
    io::Output,
    record::{EndCause, Party},
};

pub(crate) use event::MOST_REDIRECTIONS;
pub(crate) use extension::{Extension, Extensions, OnLine};

/// Names a call towards a trunk. Those that the exchange begins are even, those that a trunk begins are odd: neither
/// side has to ask the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrunkLegId(pub u64);

/// The exchange wants something of a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrunkOrder {
    /// Call this number.
    Offer {
        /// The name of the call from now on.
        leg: TrunkLegId,
        /// Over which trunk, by its name in the site; or to which SIP phone.
        trunk: String,
        /// At which of the SIP phone's places ([`PhoneContact::id`]); `None` for a trunk.
        contact: Option<u64>,
        /// Whom.
        number: String,
        /// Who calls.
        calling: Party,
        /// Who forwarded the call last.
        redirecting: Option<Party>,
        /// What the other side can do, the best first.
        codecs: Vec<CodecName>,
        /// Packet time in milliseconds.
        packet_ms: u32,
        /// Where this side listens; `None` is not known before somebody answers.
        listens: Option<SocketAddr>,
        /// An emergency call.
        emergency: bool,
        /// The number is a room, and the caller opens it.
        meet_me: bool,
    },
    /// The phone that the trunk called rings.
    Ringing {
        /// Which call.
        leg: TrunkLegId,
    },
    /// The phone that the trunk called has answered.
    Answer {
        /// Which call.
        leg: TrunkLegId,
        /// Who answered.
        by: Party,
        /// The codec that was agreed on; where to send follows with [`TrunkOrder::Media`].
        audio: Option<Audio>,
    },
    /// The audio of the call, from now on.
    Media {
        /// Which call.
        leg: TrunkLegId,
        /// The codec.
        audio: Audio,
        /// Where to send.
        address: SocketAddr,
    },
    /// This side has put the call on hold, or takes it up again.
    Hold {
        /// Which call.
        leg: TrunkLegId,
        /// Is it on hold?
        held: bool,
    },
    /// Who is on this side has changed: a transfer.
    Party {
        /// Which call.
        leg: TrunkLegId,
        /// Who it is now.
        party: Party,
    },
    /// The user pressed a key.
    Digit {
        /// Which call.
        leg: TrunkLegId,
        /// Which key: a digit, `*` or `#`.
        digit: char,
    },
    /// Have the far end call this number itself, and leave this call (a transfer). To be answered by
    /// [`TrunkEvent::Referred`]; the call goes on until then.
    Refer {
        /// Which call.
        leg: TrunkLegId,
        /// Whom it is to call.
        number: String,
        /// Another call of the same trunk, whose place it takes: that far end is to be connected, not rung.
        replaces: Option<TrunkLegId>,
    },
    /// It is over. Nothing follows, in either direction.
    HangUp {
        /// Which call.
        leg: TrunkLegId,
        /// Why.
        cause: EndCause,
    },
    /// So many messages wait for the user of a SIP phone that is registered. It belongs to no call.
    Messages {
        /// Which phone.
        phone: DeviceName,
        /// Not heard yet.
        new: u32,
        /// The others.
        old: u32,
    },
}

impl TrunkOrder {
    /// Which call it is about; `None` if it is about none.
    pub fn leg(&self) -> Option<TrunkLegId> {
        match *self {
            Self::Messages { .. } => None,
            Self::Offer { leg, .. }
            | Self::Ringing { leg }
            | Self::Answer { leg, .. }
            | Self::Media { leg, .. }
            | Self::Hold { leg, .. }
            | Self::Party { leg, .. }
            | Self::Digit { leg, .. }
            | Self::Refer { leg, .. }
            | Self::HangUp { leg, .. } => Some(leg),
        }
    }
}

/// The payload types of Opus at the far end of a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpusTypes {
    /// That of the codec.
    pub payload: u8,
    /// That of digits in its audio, which are counted by its clock.
    pub events: Option<u8>,
}

/// What the far end of a trunk says of its audio. What it leaves out stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteAudio {
    /// What it can speak, the best first; only one once that is agreed on.
    pub codecs: Vec<CodecName>,
    /// Where it listens.
    pub address: Option<SocketAddr>,
    /// The payload type of digits in the audio (RFC 4733) of all codecs but Opus, if it can do these.
    pub events: Option<u8>,
    /// How many milliseconds of audio it wants in a packet that it gets.
    pub packet_ms: Option<u32>,
    /// What it calls Opus, if it can do that.
    pub opus: Option<OpusTypes>,
    /// Our address that it reaches, where the trunk knows that.
    pub near: Option<IpAddr>,
    /// The keys of its audio, if that is encrypted. What was encrypted once stays so.
    pub srtp: Option<Box<PartyKeys>>,
}

impl RemoteAudio {
    fn update(&mut self, said: Self) {
        if !said.codecs.is_empty() {
            self.codecs = said.codecs;
        }
        self.address = said.address.or(self.address);
        self.events = said.events.or(self.events);
        self.packet_ms = said.packet_ms.or(self.packet_ms);
        self.srtp = said.srtp.or(self.srtp.take());
        self.near = said.near.or(self.near);
        self.opus = said.opus.or(self.opus);
    }

    /// The payload type of digits in the audio of a codec.
    pub(crate) fn events_in(&self, codec: Codec) -> Option<u8> {
        if codec == Codec::Opus { self.opus?.events } else { self.events }
    }

    /// The payload type of a codec that has no static one.
    pub(crate) fn dynamic(&self, codec: Codec) -> Option<u8> {
        self.opus.filter(|_| codec == Codec::Opus).map(|opus| opus.payload)
    }
}

/// Something happened at a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrunkEvent {
    /// It calls a number here.
    Offer {
        /// The name of the call from now on; odd, and never used before.
        leg: TrunkLegId,
        /// Which trunk, by its name in the site; or the SIP phone that has proved to be it.
        trunk: String,
        /// Whom it calls.
        number: String,
        /// Who calls.
        calling: Party,
        /// What it said of its audio.
        audio: RemoteAudio,
        /// Who has sent the call on to this number, outside.
        redirecting: Option<Box<Party>>,
    },
    /// The far end rings, or is looked for.
    Progress {
        /// Which call.
        leg: TrunkLegId,
        /// Does it ring?
        ringing: bool,
        /// The far end sends its own tones or announcements, as this audio.
        early: Option<RemoteAudio>,
    },
    /// The far end has answered.
    Answered {
        /// Which call.
        leg: TrunkLegId,
        /// Its audio, with the codec that it chose out of those offered; if it is not known yet where it listens,
        /// [`TrunkEvent::Media`] follows.
        audio: RemoteAudio,
    },
    /// The audio of the far end has changed.
    Media {
        /// Which call.
        leg: TrunkLegId,
        /// What it is now; where it listens is always known.
        audio: RemoteAudio,
    },
    /// The far end has put the call on hold, or takes it up again.
    Hold {
        /// Which call.
        leg: TrunkLegId,
        /// Is it on hold?
        held: bool,
    },
    /// The far end wants the call to go to another number of ours (a redirection while it rings, a transfer in the
    /// conversation).
    Redirect {
        /// Which call.
        leg: TrunkLegId,
        /// Where to.
        number: String,
    },
    /// The far end pressed a key, and said so by a message.
    Digit {
        /// Which call.
        leg: TrunkLegId,
        /// Which key: a digit, `*`, `#` or a letter from A to D.
        digit: char,
    },
    /// A SIP phone joins two of its calls, and leaves both: a transfer after asking.
    Join {
        /// One of them.
        leg: TrunkLegId,
        /// The other one, which may still ring at its far end.
        with: TrunkLegId,
    },
    /// What came of [`TrunkOrder::Refer`].
    Referred {
        /// Which call.
        leg: TrunkLegId,
        /// Is the far end connected with whom it was sent to?
        connected: bool,
    },
    /// It is over.
    HungUp {
        /// Which call.
        leg: TrunkLegId,
        /// Why.
        cause: EndCause,
    },
}

/// A place where a SIP phone is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneContact {
    /// Names it in [`TrunkOrder::Offer`]; never used for another place.
    pub id: u64,
    /// Where it registered from.
    pub address: SocketAddr,
    /// What it calls itself, as it said.
    pub agent: String,
}

impl TrunkEvent {
    /// Which call it is about.
    pub fn leg(&self) -> TrunkLegId {
        match *self {
            Self::Offer { leg, .. }
            | Self::Progress { leg, .. }
            | Self::Answered { leg, .. }
            | Self::Media { leg, .. }
            | Self::Hold { leg, .. }
            | Self::Redirect { leg, .. }
            | Self::Digit { leg, .. }
            | Self::Join { leg, .. }
            | Self::Referred { leg, .. }
            | Self::HungUp { leg, .. } => leg,
        }
    }
}

/// The end of a leg at a trunk.
#[derive(Debug)]
pub(crate) struct TrunkEnd {
    pub(crate) id: TrunkLegId,
    /// Its name in the site, or that of a SIP phone.
    pub(crate) trunk: String,
    /// The SIP phone, if it is one: a phone of the office like any other.
    pub(crate) extension: Option<OnLine>,
    /// What the far end has said of its audio, all together.
    pub(super) audio: RemoteAudio,
    /// Its audio goes through the manager.
    relays: bool,
    /// This side has called it.
    asked: bool,
    /// What it will be asked as soon as it is known where this side listens.
    offer: Option<Box<TrunkOrder>>,
    /// The number that the far end was sent to, while nothing has come of it.
    referred: Option<String>,
    /// What the trunk was told.
    told: Told,
    /// It has said itself that the call is over.
    over: bool,
}

/// What a trunk was told of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Told {
    ringing: bool,
    answered: bool,
    party: Option<Party>,
    held: bool,
    /// Kept while the call is on hold: it goes on where it was.
    send: Option<(Audio, SocketAddr)>,
}

impl TrunkEnd {
    fn new(id: TrunkLegId, trunk: String, relays: bool) -> Self {
        Self {
            id,
            trunk,
            extension: None,
            audio: RemoteAudio::default(),
            relays,
            asked: false,
            offer: None,
            referred: None,
            told: Told::default(),
            over: false,
        }
    }

    /// Does its audio go through the manager?
    pub(super) fn relays(&self) -> bool {
        self.relays
    }

    /// Is its place at the media services kept while nobody talks? The far end has been told where to send, and what it
    /// sends need not stop for a hold.
    pub(super) fn keeps_anchor(&self) -> bool {
        self.relays && (self.asked || self.told.answered || self.told.send.is_some())
    }

    /// Can the far end speak this codec? One that has not said what it can do can speak any.
    pub(crate) fn can(&self, codec: CodecName) -> bool {
        self.audio.codecs.is_empty() || self.audio.codecs.contains(&codec)
    }
}

impl Exchange {
    fn trunk_leg(&self, id: TrunkLegId) -> Option<Handle<Leg>> {
        self.trunk_legs.get(&id).copied()
    }

    /// The address at which somebody who is in a trunk's call reaches the manager; `None` if that is known of nobody. What
    /// listens for the trunk at that address hears him.
    pub fn reached_by(&self, leg: TrunkLegId) -> Option<IpAddr> {
        self.near_address(self.trunk_leg(leg)?)
    }

    /// The trunk that a call is recorded with. A call that came in, or that a transfer took out of one that went out, has
    /// the trunk of one of its legs.
    pub(crate) fn trunk_of(&self, call: &Call) -> String {
        if let Some(trunk) = &call.trunk {
            return trunk.as_str().into();
        }
        let mut trunks = call.legs.iter().filter_map(|&leg| match &self.legs.get(leg)?.end {
            End::Trunk(trunk) if trunk.extension.is_none() => Some(trunk.trunk.clone()),
            End::Trunk(_) | End::Station(_) => None,
        });
        trunks.next_back().unwrap_or_default()
    }

    pub(crate) fn site_trunk(&self, name: &str) -> Option<&Trunk> {
        self.site.trunks.get(&name.parse::<Name>().ok()?)
    }

    fn order(&mut self, order: TrunkOrder) {
        self.out.push_back(Output::Trunk(Box::new(order)));
    }
}
