//! SCCP conversations in captured TCP: which side is the manager, which messages were said, what answered what.
//!
//! ```text
//! segment ──> Tracker::segment      Tracker::poll_event ──> Event::Opened, Seen, Trouble, Closed
//! ```
//!
//! A connection with a known manager port is SCCP. Any other is looked at: if what it begins with reads as SCCP messages
//! whose directions agree, it is SCCP too, else it is forgotten. Messages are decoded leniently, in the version that
//! RegisterAck negotiated or, where that was not captured, the one their headers say.

mod half;
mod pairing;
mod probe;
mod session;

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    string::String,
    sync::Arc,
    vec,
    vec::Vec,
};
use core::{fmt, net::SocketAddr};

pub(crate) use half::known_header;
pub use pairing::{Answer, Request};
use selsius_wire::{
    Anomaly, FrameError, ManagerMessage, Received, StationMessage, Time,
    codec::{Layout, Visitor},
};
use session::Session;

pub use crate::reassembly::{CloseReason, ConnectionId};
use crate::{
    packet::{Segment, Stamp},
    reassembly::{self, Limits, Reassembler},
    summary,
};

/// Who sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The phone.
    Station,
    /// The call manager.
    Manager,
}

impl Side {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Station => Self::Manager,
            Self::Manager => Self::Station,
        }
    }

    /// `station` or `manager`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Station => "station",
            Self::Manager => "manager",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a [`Tracker`] found out.
#[derive(Debug, Clone)]
pub enum Event {
    /// A connection speaks SCCP; before anything else about it.
    Opened(Opened),
    /// A message.
    Seen(Box<Seen>),
    /// Something is missing or damaged, at this place between the messages.
    Trouble(Trouble),
    /// The connection is over; after everything else about it.
    Closed(Closed),
}

/// The beginning of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Its connection.
    pub connection: ConnectionId,
    /// The first packet of the connection.
    pub stamp: Stamp,
    /// The phone's end.
    pub station: SocketAddr,
    /// The manager's end.
    pub manager: SocketAddr,
    /// Its beginning was captured.
    pub handshake: bool,
}

/// A message that was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Running number of messages of this tracker, from 1.
    pub number: u64,
    /// When its last byte was captured.
    pub time: Time,
    /// On which connection.
    pub connection: ConnectionId,
    /// The packets that carried it.
    pub packets: Packets,
    /// Who sent it.
    pub from: Side,
    /// The phone's name, from its Register or its Alarm; `None` until one was seen on this connection.
    pub device: Option<Arc<str>>,
    /// The negotiated version; where that was not captured, the highest that a header said; 0 while unknown.
    pub version: u8,
    /// The message.
    pub message: Message,
    /// The request that it answers.
    pub answers: Option<Answer>,
}

/// A message of either direction.
#[derive(Debug, Clone)]
pub enum Message {
    /// From the station.
    Station(Received<StationMessage>),
    /// From the manager.
    Manager(Received<ManagerMessage>),
}

impl Message {
    /// The message id.
    pub fn id(&self) -> u32 {
        match self {
            Self::Station(received) => received.message.id(),
            Self::Manager(received) => received.message.id(),
        }
    }

    /// The standard name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Station(received) => received.message.name(),
            Self::Manager(received) => received.message.name(),
        }
    }

    /// The value of its length field: id and body.
    pub fn length(&self) -> usize {
        match self {
            Self::Station(received) => received.length(),
            Self::Manager(received) => received.length(),
        }
    }

    /// The word after the length: 0 or a protocol version.
    pub fn header_version(&self) -> u32 {
        match self {
            Self::Station(received) => received.header_version,
            Self::Manager(received) => received.header_version,
        }
    }

    /// The widths that held for this message.
    pub fn layout(&self) -> Layout {
        match self {
            Self::Station(received) => received.layout(),
            Self::Manager(received) => received.layout(),
        }
    }

    /// Bytes of the body that its fields took.
    pub fn fields_end(&self) -> usize {
        match self {
            Self::Station(received) => received.fields_end,
            Self::Manager(received) => received.fields_end,
        }
    }

    /// The frame as it was captured, from the length on.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Station(received) => received.encode(&mut bytes),
            Self::Manager(received) => received.encode(&mut bytes),
        }
        bytes
    }

    /// Line and call that the message is about; 0 where it does not say.
    pub fn place(&self) -> (u32, u32) {
        match self {
            Self::Station(received) => summary::station_place(&received.message),
            Self::Manager(received) => summary::manager_place(&received.message),
        }
    }

    /// Shows every field that was there.
    pub fn visit(&self, visitor: &mut dyn Visitor) {
        match self {
            Self::Station(received) => received.visit(visitor),
            Self::Manager(received) => received.visit(visitor),
        }
    }

    /// The message in one line.
    pub fn summary(&self) -> String {
        match self {
            Self::Station(received) => summary::station(&received.message),
            Self::Manager(received) => summary::manager(&received.message),
        }
    }

    /// What it says, without its name, line and call; empty if that is all there is.
    pub fn details(&self) -> String {
        match self {
            Self::Station(received) => summary::station_details(&received.message),
            Self::Manager(received) => summary::manager_details(&received.message),
        }
    }

    /// What was odd about its bytes.
    pub fn anomalies(&self) -> &[Anomaly] {
        match self {
            Self::Station(received) => &received.anomalies,
            Self::Manager(received) => &received.anomalies,
        }
    }
}

/// The first and the last packet of a message, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packets {
    /// The packet with its first byte.
    pub first: u64,
    /// The packet that completed it.
    pub last: u64,
}

/// A place where the stream of messages is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// On which connection.
    pub connection: ConnectionId,
    /// Whose messages are concerned.
    pub from: Side,
    /// The packet that showed it.
    pub stamp: Stamp,
    /// What is the matter.
    pub kind: TroubleKind,
}

/// What can be the matter between messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// So many bytes were not captured; `None` if nobody knows how many, as where the connection is seen from the middle.
    Missing(Option<u64>),
    /// The stream ends, or breaks, so many bytes into a message.
    Incomplete(u64),
    /// A length field that no message can have. What follows is searched for the next message.
    Length(FrameError),
    /// What should be a header has an absurd version and an absurd id. What follows is searched for the next message.
    NoHeader {
        /// What stands in the place of the id.
        id: u32,
    },
    /// So many bytes were passed over before messages could be read again.
    Skipped(u64),
}

impl fmt::Display for TroubleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(Some(bytes)) => write!(f, "{bytes} bytes were not captured"),
            Self::Missing(None) => f.write_str("the beginning was not captured"),
            Self::Incomplete(bytes) => write!(f, "a message breaks off after {bytes} bytes"),
            Self::Length(error) => error.fmt(f),
            Self::NoHeader { id } => write!(f, "no message header (id {id:#010x})"),
            Self::Skipped(bytes) => write!(f, "{bytes} bytes passed over"),
        }
    }
}

/// The end of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Which one.
    pub connection: ConnectionId,
    /// The packet that ended it.
    pub stamp: Stamp,
    /// How it ended.
    pub reason: CloseReason,
    /// Requests that nobody answered, the oldest first; the last 64 at most.
    pub unanswered: Vec<Request>,
}

/// What a [`Tracker`] is told before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// TCP ports of managers.
    pub ports: Vec<u16>,
    /// Whether SCCP is looked for on other ports as well.
    pub other_ports: OtherPorts,
    /// Bounds of memory.
    pub limits: Limits,
}

/// What happens to connections without a known manager port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherPorts {
    /// They are looked at.
    Recognise,
    /// They are left alone.
    Ignore,
}

impl Default for Config {
    /// Port 2000, and whatever else reads as SCCP.
    fn default() -> Self {
        Self { ports: vec![2000], other_ports: OtherPorts::Recognise, limits: Limits::default() }
    }
}

/// Follows all SCCP conversations of a capture.
#[derive(Debug, Default)]
pub struct Tracker {
    config: Config,
    reassembler: Reassembler,
    sessions: BTreeMap<ConnectionId, Session>,
    events: VecDeque<Event>,
    seen: u64,
    last: Stamp,
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new(config: Config) -> Self {
        Self { reassembler: Reassembler::new(config.limits), config, ..Self::default() }
    }

    /// Takes the next captured segment. What it brought is in [`Tracker::poll_event`]: drain that before the next segment,
    /// the queue is not bounded otherwise.
    pub fn segment(&mut self, stamp: Stamp, segment: &Segment<'_>) {
        self.last = stamp;
        let known = |port: u16| self.config.ports.contains(&port);
        let ports = known(segment.source.port()) || known(segment.destination.port());
        if !ports && self.config.other_ports == OtherPorts::Ignore {
            return;
        }
        let mut sink = Sink {
            ports: &self.config.ports,
            sessions: &mut self.sessions,
            events: &mut self.events,
            seen: &mut self.seen,
            forget: false,
        };
        self.reassembler.segment(stamp, segment, |event| sink.take(event));
        if sink.forget {
            self.reassembler.ignore(segment.source, segment.destination);
        }
    }

    /// The capture is over: everything that is still open ends.
    pub fn finish(&mut self) {
        let mut sink = Sink {
            ports: &self.config.ports,
            sessions: &mut self.sessions,
            events: &mut self.events,
            seen: &mut self.seen,
            forget: false,
        };
        self.reassembler.finish(self.last, |event| sink.take(event));
    }

    /// The next thing found out.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What is remembered now, to be watched.
    pub fn memory(&self) -> Memory {
        Memory {
            connections: self.reassembler.connections(),
            conversations: self.sessions.len(),
            held: self.reassembler.held(),
        }
    }
}

/// What a [`Tracker`] remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// TCP connections.
    pub connections: usize,
    /// Those that are SCCP, or may be.
    pub conversations: usize,
    /// Bytes that wait behind holes.
    pub held: usize,
}

/// Leads what the reassembler gives out to the session that it belongs to.
struct Sink<'t> {
    ports: &'t [u16],
    sessions: &'t mut BTreeMap<ConnectionId, Session>,
    events: &'t mut VecDeque<Event>,
    seen: &'t mut u64,
    /// The connection of the segment at hand turned out not to be SCCP.
    forget: bool,
}

impl Sink<'_> {
    fn take(&mut self, event: reassembly::Event<'_>) {
        use reassembly::Event as E;
        let mut output = Output { events: self.events, seen: self.seen };
        match event {
            E::Opened { connection, stamp, opener, peer, handshake } => {
                let session =
                    Session::open(connection, stamp, [opener, peer], handshake, self.ports, &mut output);
                self.sessions.insert(connection, session);
            }
            E::Data { connection, way, stamp, bytes } => {
                let Some(session) = self.sessions.get_mut(&connection) else { return };
                session.data(way, stamp, bytes, &mut output);
                self.drop_foreign(connection);
            }
            E::Gap { connection, way, stamp, missing } => {
                let Some(session) = self.sessions.get_mut(&connection) else { return };
                session.gap(way, stamp, missing, &mut output);
                self.drop_foreign(connection);
            }
            E::Closed { connection, stamp, reason } => {
                if let Some(session) = self.sessions.remove(&connection) {
                    session.close(stamp, reason, &mut output);
                }
            }
        }
    }

    fn drop_foreign(&mut self, connection: ConnectionId) {
        if self.sessions.get(&connection).is_some_and(Session::is_foreign) {
            self.sessions.remove(&connection);
            self.forget = true;
        }
    }
}

/// Where sessions put what they find.
struct Output<'t> {
    events: &'t mut VecDeque<Event>,
    seen: &'t mut u64,
}

impl Output<'_> {
    fn push(&mut self, event: Event) {
        self.events.push_back(event);
    }

    fn next_number(&mut self) -> u64 {
        *self.seen += 1;
        *self.seen
    }
}

#[cfg(test)]
mod tests;
