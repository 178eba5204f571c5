//! TCP streams put together again from captured segments, of any number of connections at once.
//!
//! What a capture does to a stream is expected here: segments lost, sent twice, overlapping, out of order, cut off by
//! the capture's length limit; connections whose beginning was not captured; ports used again; sequence numbers that
//! wrap. Where two segments bring the same bytes, the first one wins. What never came is told as a gap.
//!
//! ```text
//! segment ──> Reassembler ──> Event::Opened, Data, Gap, Closed      (events go to a closure: the data is not copied)
//! ```
//!
//! A hole is given up when the receiver acknowledges it, when it is older than [`Limits::hole_age`], when what waits behind
//! it costs more than [`Limits::held_per_stream`], and at the end. When all streams together hold more than [`Limits::held_total`], the oldest hole of all is given up. When there are more than
//! [`Limits::connections`], closed ones and those that were silent longest are forgotten.

mod stream;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use core::{fmt, net::SocketAddr, time::Duration};

use selsius_wire::Time;
use stream::{Piece, Stream};

use crate::packet::{Segment, Stamp};

/// A connection in the order of appearance, from 1. Never used again, also where the same ports are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// From the opener to its peer.
    Forward,
    /// From the peer to the opener.
    Backward,
}

impl Way {
    /// The other direction.
    pub const fn reverse(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Forward => 0,
            Self::Backward => 1,
        }
    }
}

/// What a segment brought to light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// The first packet of a connection.
    Opened {
        /// Its name from here on.
        connection: ConnectionId,
        /// That packet.
        stamp: Stamp,
        /// Who opened it; where the handshake was not captured, who sent that packet.
        opener: SocketAddr,
        /// The other end.
        peer: SocketAddr,
        /// The handshake was captured, so `opener` is certain.
        handshake: bool,
    },
    /// The next bytes of a direction.
    Data {
        /// Of which connection.
        connection: ConnectionId,
        /// In which direction.
        way: Way,
        /// The packet that brought them.
        stamp: Stamp,
        /// Never empty.
        bytes: &'a [u8],
    },
    /// Bytes of a direction that never came.
    Gap {
        /// Of which connection.
        connection: ConnectionId,
        /// In which direction.
        way: Way,
        /// The packet that goes on after them.
        stamp: Stamp,
        /// How many; `None` if nobody knows, as where the beginning was not captured.
        missing: Option<u64>,
    },
    /// Nothing more comes.
    Closed {
        /// Of which connection.
        connection: ConnectionId,
        /// The packet that showed it.
        stamp: Stamp,
        /// Why.
        reason: CloseReason,
    },
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Both sides closed.
    Finished,
    /// One side reset it.
    Reset,
    /// Another connection uses the same two ports now.
    Reused,
    /// Forgotten to keep within [`Limits::connections`].
    Evicted,
    /// [`Reassembler::finish`].
    EndOfCapture,
    /// It turned out not to be SCCP (only from [`crate::conversation::Tracker`]).
    Foreign,
}

/// Bounds of the memory of a [`Reassembler`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that may wait behind holes in one direction of one connection.
    pub held_per_stream: usize,
    /// Bytes that may wait behind holes altogether.
    pub held_total: usize,
    /// Connections remembered: about 400 bytes each, and up to 16 KiB where a conversation hangs in the middle of a
    /// message.
    pub connections: usize,
    /// How long a hole may stay open, in capture time.
    pub hole_age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            held_per_stream: 256 * 1024,
            held_total: 16 * 1024 * 1024,
            connections: 32 * 1024,
            hole_age: Duration::from_secs(30),
        }
    }
}

/// After a connection was closed, data on its ports belongs to it for so long.
const LINGER: Duration = Duration::from_secs(60);

/// Puts TCP streams together; see the module.
#[derive(Debug, Default)]
pub struct Reassembler {
    limits: Limits,
    connections: BTreeMap<Key, Connection>,
    /// Each connection once, roughly in the order of their last packets: who comes to the front and was active since
    /// goes to the back again.
    silence: VecDeque<(Key, Time)>,
    /// Open holes, the oldest first.
    holes: BTreeSet<(Time, Key, Way)>,
    held: usize,
    opened: u64,
}

impl Reassembler {
    /// An empty one.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes the next captured segment.
    pub fn segment(&mut self, stamp: Stamp, segment: &Segment<'_>, mut out: impl FnMut(Event<'_>)) {
        self.take(stamp, segment, &mut out);
    }

    /// Nothing of this connection matters: its data is no longer put together, what it holds is freed.
    pub fn ignore(&mut self, source: SocketAddr, destination: SocketAddr) {
        let key = Key::new(source, destination);
        let Some(connection) = self.connections.get_mut(&key) else { return };
        let before = connection.holes();
        connection.state = State::Ignored;
        connection.streams = [Stream::default(), Stream::default()];
        let after = connection.holes();
        self.account(key, before, after);
    }

    /// Bytes that wait behind holes, with their overhead.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Connections remembered.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// The capture is over: gives out what is held and closes what is open.
    pub fn finish(&mut self, stamp: Stamp, mut out: impl FnMut(Event<'_>)) {
        for connection in self.connections.values_mut() {
            connection.close(stamp, CloseReason::EndOfCapture, &mut out);
        }
        *self = Self { limits: self.limits, opened: self.opened, ..Self::default() };
    }

    fn take(&mut self, stamp: Stamp, segment: &Segment<'_>, out: &mut dyn FnMut(Event<'_>)) {
        let key = Key::new(segment.source, segment.destination);
        self.make_room(stamp, &key, out);
        let opened = &mut self.opened;
        let connection = match self.connections.entry(key) {
            alloc::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            alloc::collections::btree_map::Entry::Vacant(entry) => {
                // A RST that belongs to nothing, such as the answer to a connection attempt seen from the middle.
                if segment.rst {
                    return;
                }
                self.silence.push_back((key, stamp.time));
                entry.insert(Connection::open(opened, stamp, segment, out))
            }
        };
        let before = connection.holes();
        if connection.replaced_by(stamp, segment) {
            connection.close(stamp, CloseReason::Reused, out);
            *connection = Connection::open(opened, stamp, segment, out);
        }
        connection.take(stamp, segment, self.limits.held_per_stream, out);
        let after = connection.holes();
        self.account(key, before, after);
        self.give_up_old_holes(stamp, out);
    }

    /// Keeps [`Self::held`] and [`Self::holes`] in step with a connection that was touched.
    fn account(&mut self, key: Key, before: Holes, after: Holes) {
        self.held = self.held - before.cost + after.cost;
        for way in [Way::Forward, Way::Backward] {
            let (before, after) = (before.since[way.index()], after.since[way.index()]);
            if before == after {
                continue;
            }
            if let Some(since) = before {
                self.holes.remove(&(since, key, way));
            }
            if let Some(since) = after {
                self.holes.insert((since, key, way));
            }
        }
    }

    /// The victim of too much held data is the oldest hole: the one least likely to be filled.
    fn give_up_old_holes(&mut self, stamp: Stamp, out: &mut dyn FnMut(Event<'_>)) {
        while let Some(&(since, key, way)) = self.holes.first() {
            if self.held <= self.limits.held_total && stamp.time.since(since) < self.limits.hole_age {
                return;
            }
            let connection =
                self.connections.get_mut(&key).expect("a hole belongs to a connection in the table");
            let before = connection.holes();
            connection.with_stream(way, out, |stream, out| stream.give_up(out));
            let after = connection.holes();
            self.account(key, before, after);
        }
    }

    fn make_room(&mut self, stamp: Stamp, newcomer: &Key, out: &mut dyn FnMut(Event<'_>)) {
        if self.connections.len() < self.limits.connections || self.connections.contains_key(newcomer) {
            return;
        }
        while let Some((key, since)) = self.silence.pop_front() {
            let Some(connection) = self.connections.get(&key) else { continue };
            if connection.last > since && connection.state == State::Open {
                self.silence.push_back((key, connection.last));
                continue;
            }
            let mut connection = self.connections.remove(&key).expect("it was found just now");
            let before = connection.holes();
            connection.close(stamp, CloseReason::Evicted, out);
            self.account(key, before, Holes::default());
            return;
        }
    }
}

/// Both ends, the smaller first, so that both directions have the same key.
///
/// Keys are looked up with every packet, and the addresses of a network begin alike: what comes first differs between nearly
/// all connections, and decides the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    mixed: u64,
    ends: [(u128, u16); 2],
}

impl Key {
    fn new(one: SocketAddr, other: SocketAddr) -> Self {
        let number = |end: SocketAddr| match end.ip() {
            core::net::IpAddr::V4(v4) => (v4.to_ipv6_mapped().to_bits(), end.port()),
            core::net::IpAddr::V6(v6) => (v6.to_bits(), end.port()),
        };
        let (one, other) = (number(one), number(other));
        let mix = |(ip, port): (u128, u16)| {
            // The digits of the golden ratio: every bit moves the upper half.
            ((ip ^ ip >> 64) as u64 ^ u64::from(port) << 48).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        Self { mixed: mix(one) ^ mix(other), ends: [one.min(other), one.max(other)] }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Closed(Time),
    Ignored,
}

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    opener: SocketAddr,
    streams: [Stream; 2],
    state: State,
    last: Time,
}

/// What a connection adds to the common books.
#[derive(Debug, Clone, Copy, Default)]
struct Holes {
    cost: usize,
    since: [Option<Time>; 2],
}

impl Connection {
    fn open(opened: &mut u64, stamp: Stamp, segment: &Segment<'_>, out: &mut dyn FnMut(Event<'_>)) -> Self {
        *opened += 1;
        let id = ConnectionId(*opened);
        let answer = segment.syn && segment.acknowledgment.is_some();
        let (opener, peer) = match answer {
            true => (segment.destination, segment.source),
            false => (segment.source, segment.destination),
        };
        out(Event::Opened { connection: id, stamp, opener, peer, handshake: segment.syn });
        Self { id, opener, streams: Default::default(), state: State::Open, last: stamp.time }
    }

    fn way(&self, segment: &Segment<'_>) -> Way {
        if segment.source == self.opener { Way::Forward } else { Way::Backward }
    }

    fn holes(&self) -> Holes {
        let [forward, backward] = &self.streams;
        Holes {
            cost: forward.held_cost() + backward.held_cost(),
            since: [forward.hole_since(), backward.hole_since()],
        }
    }

    /// Whether `segment` belongs to another connection between the same ports.
    fn replaced_by(&mut self, stamp: Stamp, segment: &Segment<'_>) -> bool {
        match self.state {
            // A SYN alone: the second of a handshake is a late copy.
            State::Closed(_) | State::Ignored if segment.syn && segment.acknowledgment.is_none() => true,
            State::Closed(since) => stamp.time.since(since) > LINGER && !segment.payload.is_empty(),
            State::Open if segment.syn => !self.streams[self.way(segment).index()].syn(segment.sequence),
            State::Open | State::Ignored => false,
        }
    }

    fn take(
        &mut self,
        stamp: Stamp,
        segment: &Segment<'_>,
        held_limit: usize,
        out: &mut dyn FnMut(Event<'_>),
    ) {
        self.last = stamp.time;
        if self.state != State::Open {
            return;
        }
        let way = self.way(segment);
        if segment.syn {
            self.streams[way.index()].syn(segment.sequence);
        }
        // First, so that what is given up stands before the answer that it got.
        if let Some(acknowledgment) = segment.acknowledgment {
            self.with_stream(way.reverse(), out, |stream, out| stream.acknowledge(acknowledgment, out));
        }
        let sequence = segment.sequence.wrapping_add(u32::from(segment.syn));
        self.with_stream(way, out, |stream, out| {
            stream.segment(stamp, sequence, segment.payload, segment.cut_off, segment.fin, out);
            while stream.held_cost() > held_limit {
                stream.give_up(out);
            }
        });
        // A reset from far outside of the stream is forged, or from another connection.
        if segment.rst && self.streams[way.index()].plausible(sequence) {
            self.close(stamp, CloseReason::Reset, out);
        } else if self.streams.iter().all(Stream::finished) {
            self.close(stamp, CloseReason::Finished, out);
        }
    }

    fn close(&mut self, stamp: Stamp, reason: CloseReason, out: &mut dyn FnMut(Event<'_>)) {
        if self.state != State::Open {
            return;
        }
        for way in [Way::Forward, Way::Backward] {
            self.with_stream(way, out, |stream, out| stream.flush(out));
        }
        self.state = State::Closed(stamp.time);
        out(Event::Closed { connection: self.id, stamp, reason });
    }

    fn with_stream(
        &mut self,
        way: Way,
        out: &mut dyn FnMut(Event<'_>),
        work: impl FnOnce(&mut Stream, &mut dyn FnMut(Piece<'_>)),
    ) {
        let connection = self.id;
        work(&mut self.streams[way.index()], &mut |piece| {
            out(match piece {
                Piece::Data(stamp, bytes) => Event::Data { connection, way, stamp, bytes },
                Piece::Gap(stamp, missing) => Event::Gap { connection, way, stamp, missing },
            });
        });
    }
}

#[cfg(test)]
mod tests;
