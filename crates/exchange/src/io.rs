//! What goes into the exchange and what comes out of it.

use alloc::{boxed::Box, collections::BTreeMap, string::String, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use selsius_site::{DeviceName, LineNumber, Name, Site};
use selsius_wire::{Dialect, ManagerMessage, StationMessage, srtp::PartyKeys, value::ResetType};

use crate::{
    call::{Audio, PhoneContact, TrunkEvent, TrunkOrder},
    config::WallClock,
    operator::Notice,
    record::{Record, StreamFigures},
    remembered::{DeviceState, LineState},
};

/// One connection of a phone. The driver never uses a number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The phone's.
    pub remote: SocketAddr,
    /// Ours, as the phone reached it.
    pub local: SocketAddr,
}

/// What happened outside.
#[derive(Debug)]
pub enum Input {
    /// A phone connected.
    Opened {
        /// Its connection.
        session: SessionId,
        /// Both ends.
        peer: Peer,
    },
    /// A phone said something that decodes.
    Message {
        /// On which connection.
        session: SessionId,
        /// What.
        message: StationMessage,
    },
    /// A phone sent a frame that is no valid message; it was dropped.
    Malformed {
        /// On which connection.
        session: SessionId,
        /// What was wrong, for the log.
        problem: String,
    },
    /// A connection is gone.
    Closed {
        /// Which.
        session: SessionId,
        /// Why, for the log.
        reason: String,
    },
    /// What the time of day is. Given at the start and whenever the zone's offset changes.
    Wall(WallClock),
    /// Seconds to add for local time, by IANA zone, for the zones that single phones, pools and schedules have. Given at the
    /// start, and whenever one of them changes or a site with others comes: before that site. A zone that is missing
    /// counts as the office's.
    Zones(BTreeMap<String, i32>),
    /// The site as it is from now on. Calls go on; phones whose buttons changed restart when idle.
    Site(Box<Site>),
    /// What the store has of lines and phones, from now on: a backup was taken back.
    Recall {
        /// The lines that have changed something.
        lines: BTreeMap<LineNumber, LineState>,
        /// The phones that have.
        devices: BTreeMap<DeviceName, DeviceState>,
    },
    /// An operator wants a phone to reset or restart.
    Reset {
        /// Which.
        device: DeviceName,
        /// How.
        kind: ResetType,
    },
    /// Something happened at a trunk.
    Trunk(TrunkEvent),
    /// Where a SIP phone is registered from now on.
    Phone {
        /// Which phone.
        phone: DeviceName,
        /// All its places; nowhere if there is none.
        contacts: Vec<PhoneContact>,
    },
    /// The media services say where they listen to a party; `None` if they cannot take it.
    Anchored {
        /// The party, as [`AnchorOrder`] named it.
        party: u32,
        /// Where to send its audio.
        address: Option<SocketAddr>,
    },
    /// A recording cannot be written, or not any further.
    RecordingFailed {
        /// Its name.
        name: String,
        /// Is there anything of it?
        kept: bool,
    },
    /// What the media services have counted of a party that has left them: the answer to each [`AnchorOrder::Leave`].
    Left {
        /// The party.
        party: u32,
        /// What; `None` if they had no such party.
        figures: Option<Box<StreamFigures>>,
    },
    /// The media services say that a party is the one who talks in its conference, or no more.
    Talks {
        /// The party, as [`AnchorOrder`] named it.
        party: u32,
        /// Does it?
        talks: bool,
    },
    /// How well the driver keeps up.
    Load(Load),
    /// The manager will be stopped soon: calls go on, new ones are refused unless they are emergency calls.
    Drain,
    /// The manager is being stopped: calls end, connections close.
    Shutdown,
}

/// How well the driver keeps up with what phones say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Load {
    /// It does.
    #[default]
    Normal,
    /// It is late: new calls are refused, but for those to emergency numbers. Calls that are up are served as ever.
    Overloaded,
}

/// What shall happen outside. Nearly all are messages: what is larger and rarer is boxed, so that they stay small.
#[derive(Debug)]
pub enum Output {
    /// Send a message, in the session's dialect.
    Send {
        /// To whom.
        session: SessionId,
        /// What.
        message: ManagerMessage,
    },
    /// From here on the session speaks this dialect, both ways.
    Dialect {
        /// Which session.
        session: SessionId,
        /// Its dialect.
        dialect: Dialect,
    },
    /// Close a connection after what was sent is written. No [`Input::Closed`] is expected for it.
    Close {
        /// Which.
        session: SessionId,
    },
    /// A trunk has to do something.
    Trunk(Box<TrunkOrder>),
    /// The media services have to do something.
    Anchor(Box<AnchorOrder>),
    /// Remember something.
    Store(Box<Record>),
    /// Tell those who watch.
    Notice(Box<Notice>),
    /// Tell the operator.
    Event(Event),
}

/// The exchange wants something of the manager's media services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnchorOrder {
    /// One more party. To be answered by [`Input::Anchored`].
    Join {
        /// The party.
        party: u32,
        /// What it hears, and who hears it.
        hears: Hears,
        /// What it sends and wants to hear.
        audio: Audio,
        /// The payload type of its codec, where that has no static one.
        payload: Option<u8>,
        /// The payload type of digits in its audio (RFC 4733), where it can do these.
        events: Option<u8>,
        /// The keys of its audio, where that is encrypted.
        srtp: Option<PartyKeys>,
        /// Where it listens, if that is known already; else [`AnchorOrder::Send`] follows.
        listens: Option<SocketAddr>,
        /// Our address that it reaches, where that is known.
        near: Option<IpAddr>,
    },
    /// A party hears something else from now on, speaks another codec, or has other keys. It goes on sending where it did.
    Change {
        /// The party.
        party: u32,
        /// What it hears, and who hears it.
        hears: Hears,
        /// What it sends and wants to hear.
        audio: Audio,
        /// The payload type of its codec, where that has no static one.
        payload: Option<u8>,
        /// The payload type of digits in its audio.
        events: Option<u8>,
        /// The keys of its audio.
        srtp: Option<PartyKeys>,
    },
    /// Where a party listens.
    Send {
        /// The party.
        party: u32,
        /// Where to send what it is to hear.
        address: SocketAddr,
    },
    /// A party is to be sent a digit, as an event in its audio, or as a tone if it can do no events.
    Digit {
        /// The party.
        party: u32,
        /// Which key: a digit, `*` or `#`.
        digit: char,
    },
    /// What a party says and hears is recorded from now on, or for the moment not.
    Record {
        /// The party.
        party: u32,
        /// As what; a name that was there before goes on.
        recording: Option<Box<Recording>>,
    },
    /// Nothing follows to a recording.
    RecordingEnds {
        /// Its name.
        name: String,
    },
    /// A party is gone. To be answered by [`Input::Left`].
    Leave {
        /// The party.
        party: u32,
    },
}

/// A recording of what a party says and hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The name of its file.
    pub name: String,
    /// Which side of the call the party is.
    pub side: Side,
    /// Seconds from one beep to the next, which all hear; 0 is never.
    pub beep: u32,
}

/// A side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who called.
    Caller,
    /// Who was called.
    Called,
}

/// What a party of the media services hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hears {
    /// All others at the same bridge, and they hear it. A bridge without parties is over.
    Bridge(u32),
    /// Music, by its name in the site.
    Music(Name),
    /// The tone that tells that somebody's phone rings.
    Ringing,
}

/// Something for the log. Each problem of a session is told once and counted after that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// How much it matters.
    pub level: Level,
    /// Whose connection, where it concerns one.
    pub session: Option<SessionId>,
    /// Which device, once it is known; empty otherwise.
    pub device: String,
    /// What happened.
    pub text: String,
}

/// How much an [`Event`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details: digits and names are only told at this level.
    Debug,
    /// Normal life.
    Info,
    /// Somebody should look.
    Warn,
}
