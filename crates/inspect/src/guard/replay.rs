//! What the guard would have done with traffic that was captured.

use alloc::{collections::BTreeMap, vec::Vec};
use core::net::SocketAddr;

use super::{Config, ConnectionId, Ends, Flow, Guard, Output};
use crate::{
    conversation::{Side, known_header},
    packet::{Segment, Stamp},
    reassembly::{self, Event, Reassembler, Way},
};

/// A guard that is fed with captured segments.
#[derive(Debug)]
pub struct Replay {
    guard: Guard,
    ports: Vec<u16>,
    reassembler: Reassembler,
    connections: BTreeMap<reassembly::ConnectionId, Known>,
    onward: Vec<u8>,
}

/// A captured connection.
#[derive(Debug)]
enum Known {
    /// It may be one of phone and manager.
    Waiting { ends: [SocketAddr; 2], handshake: bool },
    /// The guard follows it. In which direction the phone's messages go, and where the next message is looked for.
    Guarded { id: ConnectionId, station: Way, lost: [bool; 2] },
    /// The guard has reset it, or never let it in.
    Over,
}

impl Replay {
    /// Nothing was seen yet. Managers are at one of these TCP ports.
    pub fn new(config: Config, ports: Vec<u16>) -> Self {
        Self {
            guard: Guard::new(config),
            ports,
            reassembler: Reassembler::default(),
            connections: BTreeMap::new(),
            onward: Vec::new(),
        }
    }

    /// The guard.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// What was found and would have been done. To be emptied after each segment.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.guard.poll_output()
    }

    /// Takes the next captured segment.
    pub fn segment(&mut self, stamp: Stamp, segment: &Segment<'_>) {
        let is_known = |place: SocketAddr| self.ports.contains(&place.port());
        if !is_known(segment.source) && !is_known(segment.destination) {
            return;
        }
        let mut reassembler = core::mem::take(&mut self.reassembler);
        reassembler.segment(stamp, segment, |event| self.take(event));
        self.reassembler = reassembler;
    }

    /// The capture is over.
    pub fn finish(&mut self, stamp: Stamp) {
        let mut reassembler = core::mem::take(&mut self.reassembler);
        reassembler.finish(stamp, |event| self.take(event));
        self.reassembler = reassembler;
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Opened { connection, opener, peer, handshake, .. } => {
                self.connections.insert(connection, Known::Waiting { ends: [opener, peer], handshake });
            }
            Event::Data { connection, way, stamp, bytes } => self.data(connection, way, stamp, bytes),
            Event::Gap { connection, way, .. } => {
                if let Some(Known::Guarded { id, station, lost }) = self.connections.get_mut(&connection) {
                    lost[way.index()] = true;
                    self.guard.lose(*id, side(way, *station));
                }
            }
            Event::Closed { connection, stamp, .. } => {
                self.end(connection, stamp);
                self.connections.remove(&connection);
            }
        }
    }

    fn data(&mut self, connection: reassembly::ConnectionId, way: Way, stamp: Stamp, bytes: &[u8]) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        if let Known::Waiting { ends: [opener, peer], handshake } = *known {
            let (station, [phone, manager]) = match self.ports.contains(&peer.port()) {
                true => (Way::Forward, [opener, peer]),
                false => (Way::Backward, [peer, opener]),
            };
            let ends = Ends { station: phone, manager, whole: handshake };
            *known = match self.guard.open(stamp.time, ends) {
                Some(id) => Known::Guarded { id, station, lost: [!handshake; 2] },
                None => Known::Over,
            };
        }
        let Known::Guarded { id, station, lost } = known else { return };
        let lost = &mut lost[way.index()];
        // Senders begin messages where they begin segments.
        if *lost && !known_header(bytes) {
            return;
        }
        *lost = false;
        let (id, from) = (*id, side(way, *station));
        self.onward.clear();
        if self.guard.receive(stamp.time, id, from, bytes, &mut self.onward) == Flow::Reset {
            *known = Known::Over;
        }
    }

    fn end(&mut self, connection: reassembly::ConnectionId, stamp: Stamp) {
        if let Some(Known::Guarded { id, .. }) = self.connections.get(&connection) {
            self.guard.close(stamp.time, *id);
        }
    }
}

fn side(way: Way, station: Way) -> Side {
    if way == station { Side::Station } else { Side::Manager }
}
