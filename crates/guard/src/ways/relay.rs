//! Ways through sockets of our own, where there is no nftables: each address that a sender is told is a pair of sockets, and
//! what comes there from the right sender goes on to the receiver.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::mpsc::{Receiver, TryRecvError},
    thread::JoinHandle,
};

use mio::{Events, Interest, Poll, Token, Waker, net::UdpSocket};
use selsius_inspect::guard::{Hole, Passage};
use slab::Slab;
use socket2::{Domain, Protocol, Socket, Type};

use super::Order;

const WAKER: Token = Token(usize::MAX);
/// Datagrams that are read of one socket in one turn.
const READS: usize = 32;
/// RTP fits into an Ethernet frame.
const DATAGRAM: usize = 2048;

pub(super) fn start(orders: Receiver<Order>) -> io::Result<(Waker, JoinHandle<()>)> {
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), WAKER)?;
    let mut relay =
        Relay { poll, orders, doors: Slab::new(), streams: BTreeMap::new(), buffer: vec![0; DATAGRAM] };
    let thread = std::thread::Builder::new().name("relay".into()).spawn(move || relay.run())?;
    Ok((waker, thread))
}

struct Relay {
    poll: Poll,
    orders: Receiver<Order>,
    doors: Slab<Door>,
    streams: BTreeMap<u64, Stream>,
    buffer: Vec<u8>,
}

/// A socket at which somebody's packets arrive.
#[derive(Debug)]
struct Door {
    socket: UdpSocket,
    /// Whose they have to be.
    from: Option<IpAddr>,
    to: SocketAddr,
    /// The door of the same stream's other direction: what is sent on leaves by it, so that it comes from where the
    /// receiver sends to.
    beside: Option<usize>,
}

/// The doors of a stream.
#[derive(Debug, Default)]
struct Stream {
    inward: Option<Doors>,
    outward: Option<Doors>,
}

/// The two doors of one direction: RTP, and RTCP one above.
#[derive(Debug)]
struct Doors {
    hole: Hole,
    at: [usize; 2],
}

impl Relay {
    fn run(&mut self) {
        let mut events = Events::with_capacity(512);
        let mut unread = Vec::new();
        loop {
            let patience = (!unread.is_empty()).then_some(std::time::Duration::ZERO);
            if let Err(error) = self.poll.poll(&mut events, patience)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "cannot wait for the network; audio stops");
                return;
            }
            for token in std::mem::take(&mut unread) {
                self.pass_on(token, &mut unread);
            }
            for event in &events {
                match event.token() {
                    WAKER => loop {
                        match self.orders.try_recv() {
                            Ok(Order::Set(passage)) => self.set(passage),
                            Err(TryRecvError::Empty) => break,
                            Ok(Order::End) | Err(TryRecvError::Disconnected) => return,
                        }
                    },
                    Token(token) => self.pass_on(token, &mut unread),
                }
            }
        }
    }

    fn set(&mut self, passage: Passage) {
        let mut stream = self.streams.remove(&passage.id).unwrap_or_default();
        self.direct(&mut stream.inward, passage.inward);
        self.direct(&mut stream.outward, passage.outward);
        let places = |doors: &Option<Doors>| doors.as_ref().map(|doors| doors.at);
        let (inward, outward) = (places(&stream.inward), places(&stream.outward));
        for (own, other) in [(inward, outward), (outward, inward)] {
            for (which, at) in own.into_iter().flatten().enumerate() {
                if let Some(door) = self.doors.get_mut(at) {
                    door.beside = other.map(|other| other[which]);
                }
            }
        }
        if stream.inward.is_some() || stream.outward.is_some() {
            self.streams.insert(passage.id, stream);
        }
    }

    /// Brings one direction of a stream up to date.
    fn direct(&mut self, doors: &mut Option<Doors>, hole: Option<Hole>) {
        if let (Some(doors), Some(hole)) = (doors.as_mut(), hole)
            && doors.hole.at == hole.at
        {
            doors.hole = hole;
            for (above, at) in doors.at.into_iter().enumerate() {
                if let Some(door) = self.doors.get_mut(at) {
                    (door.from, door.to) = (hole.from, above_by(hole.to, above));
                }
            }
            return;
        }
        if let Some(doors) = doors.take() {
            for at in doors.at {
                if let Some(mut door) = self.doors.try_remove(at) {
                    let _ = self.poll.registry().deregister(&mut door.socket);
                }
            }
        }
        // Where nothing is translated the two reach each other without us.
        let Some(hole) = hole.filter(|hole| hole.at != hole.to) else { return };
        match self.open(hole) {
            Ok(at) => *doors = Some(Doors { hole, at }),
            Err(error) => tracing::error!(%error, address = %hole.at, "cannot open a way for audio"),
        }
    }

    fn open(&mut self, hole: Hole) -> io::Result<[usize; 2]> {
        let sockets = [bind(hole.at)?, bind(above_by(hole.at, 1))?];
        let mut at = [0; 2];
        for (above, (mut socket, at)) in sockets.into_iter().zip(&mut at).enumerate() {
            let entry = self.doors.vacant_entry();
            *at = entry.key();
            self.poll.registry().register(&mut socket, Token(*at), Interest::READABLE)?;
            entry.insert(Door { socket, from: hole.from, to: above_by(hole.to, above), beside: None });
        }
        Ok(at)
    }

    fn pass_on(&mut self, token: usize, unread: &mut Vec<usize>) {
        for _ in 0..READS {
            let Some(door) = self.doors.get(token) else { return };
            let (count, from) = match door.socket.recv_from(&mut self.buffer) {
                Ok(received) => received,
                // A receiver that is not there (yet) comes back as an error of the next read.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(_) => return,
            };
            if door.from.is_some_and(|expected| expected != from.ip().to_canonical()) {
                continue;
            }
            let through = door.beside.and_then(|at| self.doors.get(at)).unwrap_or(door);
            let _ = through.socket.send_to(self.buffer.get(..count).unwrap_or_default(), door.to);
        }
        unread.push(token);
    }
}

fn above_by(place: SocketAddr, above: usize) -> SocketAddr {
    let above = u16::try_from(above).unwrap_or_default();
    SocketAddr::new(place.ip(), place.port().saturating_add(above))
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(UdpSocket::from_std(socket.into()))
}
