//! The two connections of a phone: its own, and ours to its manager.

use std::{
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Interest, Registry, Token, net::TcpStream};
use selsius_inspect::{
    conversation::Side,
    guard::{ConnectionId, Ends},
};
use socket2::SockRef;

use super::{BACKLOG, CONNECT, HALF_OVER};
use crate::evidence::Said;

/// The two connections of a phone.
#[derive(Debug)]
pub(super) struct Pair {
    /// Its name at the guard; `None` for one that is not looked at.
    pub(super) id: Option<ConnectionId>,
    pub(super) ends: Ends,
    pub(super) device: Option<Arc<str>>,
    /// Reads of the phone and of the manager.
    pub(super) messages: [u64; 2],
    /// What was said lately, where that is kept.
    pub(super) said: Said,
    sides: [Half; 2],
    /// Managers that were not tried yet.
    others: Vec<SocketAddr>,
    connecting: Option<Instant>,
    /// Since when one side says nothing more.
    half_over: Option<Instant>,
}

/// One of the two.
#[derive(Debug)]
struct Half {
    socket: TcpStream,
    /// What is still to be written to it.
    out: Vec<u8>,
    /// It says nothing more.
    ended: bool,
    /// It was told that nothing more comes.
    told_end: bool,
    /// It was not read because the other side has enough waiting.
    paused: bool,
}

/// What came of a read.
pub(super) enum Read {
    /// Nothing more at the moment.
    Nothing,
    /// So many bytes.
    Bytes(usize),
    /// The end.
    End,
    /// The connection is broken.
    Fails,
}

/// What came of a write.
pub(super) enum Written {
    /// It goes on.
    Goes,
    /// The connection is over, for this reason.
    Fails(&'static str),
}

const fn index(side: Side) -> usize {
    match side {
        Side::Station => 0,
        Side::Manager => 1,
    }
}

/// A token is twice the place of the pair, and one more for the manager's side.
fn token(at: usize, side: Side) -> Token {
    Token(2 * at + index(side))
}

impl Pair {
    /// A phone has connected; its manager is connected to.
    pub(super) fn new(
        id: Option<ConnectionId>,
        mut ends: Ends,
        station: TcpStream,
        managers: Vec<SocketAddr>,
        registry: &Registry,
        at: usize,
    ) -> io::Result<Self> {
        let mut others: Vec<SocketAddr> = managers.into_iter().rev().collect();
        let failure = || io::Error::from(io::ErrorKind::AddrNotAvailable);
        let (address, manager) = connect(&mut others).ok_or_else(failure)?;
        ends.manager = address;
        let mut sides = [Half::new(station), Half::new(manager)];
        for (half, side) in sides.iter_mut().zip([Side::Station, Side::Manager]) {
            let interest = Interest::READABLE | Interest::WRITABLE;
            registry.register(&mut half.socket, token(at, side), interest)?;
        }
        let _ = sides[0].socket.set_nodelay(true);
        Ok(Self {
            id,
            ends,
            device: None,
            messages: [0; 2],
            said: Said::default(),
            sides,
            others,
            connecting: Some(Instant::now()),
            half_over: None,
        })
    }

    /// Where goes what this side says.
    pub(super) fn onward(&mut self, from: Side) -> &mut Vec<u8> {
        &mut self.sides[index(from.other())].out
    }

    /// May this side be read? Not if the other one has enough waiting; then it is read as soon as that has gone.
    pub(super) fn may_read(&mut self, side: Side) -> bool {
        let is_full = self.sides[index(side.other())].out.len() >= BACKLOG;
        let half = &mut self.sides[index(side)];
        half.paused = is_full;
        !half.ended && !is_full
    }

    pub(super) fn may_read_again(&self, side: Side) -> bool {
        self.sides[index(side)].paused
    }

    pub(super) fn read(&mut self, side: Side, buffer: &mut [u8]) -> Read {
        if side == Side::Manager && self.connecting.is_some() {
            return Read::Nothing;
        }
        loop {
            match self.sides[index(side)].socket.read(buffer) {
                Ok(0) => return Read::End,
                Ok(count) => {
                    self.messages[index(side)] += 1;
                    return Read::Bytes(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::Nothing,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Read::Fails,
            }
        }
    }

    /// This side says nothing more: the other one hears so as soon as it has all that was said.
    pub(super) fn ended(&mut self, side: Side) {
        self.sides[index(side)].ended = true;
        self.half_over.get_or_insert_with(Instant::now);
        let _ = self.flush(side.other());
    }

    /// A socket can be written; that of the manager for the first time when it has accepted the connection.
    pub(super) fn writable(&mut self, side: Side, registry: &Registry, at: usize) -> Written {
        if side == Side::Manager && self.connecting.is_some() {
            let socket = &self.sides[index(side)].socket;
            match socket.take_error() {
                Ok(None) if socket.peer_addr().is_ok() => {
                    let _ = socket.set_nodelay(true);
                    self.connecting = None;
                }
                // Not yet.
                Ok(None) => return Written::Goes,
                _ => return self.next_manager(registry, at),
            }
        }
        self.flush(side)
    }

    /// Writes what waits for this side.
    pub(super) fn flush(&mut self, side: Side) -> Written {
        if side == Side::Manager && self.connecting.is_some() {
            return Written::Goes;
        }
        let is_last = self.sides[index(side.other())].ended;
        let half = &mut self.sides[index(side)];
        let mut done = 0;
        let result = loop {
            let Some(rest) = half.out.get(done..).filter(|rest| !rest.is_empty()) else {
                break Written::Goes;
            };
            match half.socket.write(rest) {
                Ok(count) if count > 0 => done += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Written::Goes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break Written::Fails("connection lost"),
            }
        };
        half.out.drain(..done);
        if half.out.is_empty() {
            // Most connections are quiet most of the time, and keep no memory.
            half.out = Vec::new();
            if is_last && !half.told_end {
                half.told_end = true;
                let _ = half.socket.shutdown(std::net::Shutdown::Write);
            }
        }
        result
    }

    /// Both sides have said all, and heard all.
    pub(super) fn is_over(&self) -> bool {
        self.sides.iter().all(|half| half.ended && half.told_end)
    }

    /// One side has gone, and the other one does not follow.
    pub(super) fn is_left_over(&self) -> bool {
        self.half_over.is_some_and(|since| since.elapsed() >= HALF_OVER)
    }

    pub(super) fn is_slow_to_connect(&self) -> bool {
        self.connecting.is_some_and(|since| since.elapsed() >= CONNECT)
    }

    /// Tries the next manager. What the phone has said waits for it.
    pub(super) fn next_manager(&mut self, registry: &Registry, at: usize) -> Written {
        let before = self.ends.manager;
        let Some((address, mut socket)) = connect(&mut self.others) else {
            return Written::Fails("no manager answers");
        };
        tracing::warn!(manager = %before, next = %address, "a manager does not answer; the next one is tried");
        let half = &mut self.sides[index(Side::Manager)];
        let _ = registry.deregister(&mut half.socket);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if registry.register(&mut socket, token(at, Side::Manager), interest).is_err() {
            return Written::Fails("no manager answers");
        }
        half.socket = socket;
        self.ends.manager = address;
        self.connecting = Some(Instant::now());
        Written::Goes
    }

    /// Ends both; `hard` without waiting for what is still on its way.
    pub(super) fn close(&mut self, registry: &Registry, hard: bool) {
        for half in &mut self.sides {
            if hard {
                reset(&half.socket);
            }
            let _ = registry.deregister(&mut half.socket);
        }
    }
}

impl Half {
    fn new(socket: TcpStream) -> Self {
        Self { socket, out: Vec::new(), ended: false, told_end: false, paused: false }
    }
}

/// Begins to connect to the next manager; those that refuse at once are passed over.
fn connect(others: &mut Vec<SocketAddr>) -> Option<(SocketAddr, TcpStream)> {
    while let Some(address) = others.pop() {
        match TcpStream::connect(address) {
            Ok(socket) => return Some((address, socket)),
            Err(error) => tracing::warn!(manager = %address, %error, "cannot connect to a manager"),
        }
    }
    None
}

/// Has the connection reset when it is closed.
pub(super) fn reset(socket: &TcpStream) {
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}

/// Where a connection was to go before nftables sent it here; none if it was meant for us.
pub(super) fn destination(socket: &TcpStream) -> Vec<SocketAddr> {
    let reference = SockRef::from(socket);
    let local = socket.local_addr().ok();
    let redirected = match local {
        Some(SocketAddr::V6(_)) => reference.original_dst_v6(),
        _ => reference.original_dst_v4(),
    };
    // With `tproxy` the socket has the destination as its own address, and nothing was translated.
    let original = redirected.ok().and_then(|address| address.as_socket()).or(local);
    original.into_iter().collect()
}
