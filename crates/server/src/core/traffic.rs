//! Connections: how they come, are read, written and go.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use mio::{Interest, Token};
use selsius_exchange::{Input, Load, Peer, Time};

use super::{
    Core, LISTENER,
    admission::{HOLD, Held, Refusal},
    connection::{Connection, Fill},
    find, session_id,
};

/// Connections taken in one turn, so that a storm does not hold up the phones that are there.
const ACCEPTS: usize = 64;
/// The same while it is late anyway.
const ACCEPTS_WHEN_LATE: usize = 4;

impl Core {
    pub(super) fn accept(&mut self, listener: usize) {
        let most = match self.lateness.load() {
            Load::Normal => ACCEPTS,
            Load::Overloaded => ACCEPTS_WHEN_LATE,
        };
        for _ in 0..most {
            let Some(socket) = self.listeners.get(listener).map(|listener| listener.socket.accept()) else {
                return;
            };
            match socket {
                Ok((stream, remote)) => self.accepted(stream, remote),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_shortage(&error) => {
                    // A connection that ends makes room, see `remove`; so may others in this process, see the clock.
                    if std::mem::take(&mut self.accepting) {
                        tracing::warn!(%error, "cannot accept connections for now");
                    }
                    return;
                }
                // This one connection came to nothing; those behind it are waiting still.
                Err(_) => {}
            }
        }
        // Edge-triggered: nobody would say again that more are waiting.
        if let Some(listener_socket) = self.listeners.get_mut(listener) {
            let socket = &mut listener_socket.socket;
            let _ = self.poll.registry().reregister(socket, Token(LISTENER + listener), Interest::READABLE);
        }
    }

    pub(super) fn accept_again(&mut self) {
        if !std::mem::replace(&mut self.accepting, true) {
            for at in 0..self.listeners.len() {
                self.accept(at);
            }
        }
    }

    fn accepted(&mut self, mut stream: mio::net::TcpStream, remote: SocketAddr) {
        let address = remote.ip().to_canonical();
        let mut admitted = self.admit(address);
        if admitted == Err(Refusal::Unregistered) {
            self.make_room();
            admitted = self.admit(address);
        }
        if let Err(refusal) = admitted {
            return self.refused(remote, refusal);
        }
        // Signalling is small and urgent. A socket that refuses this works, only slower.
        let _ = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else { return self.admission.no_longer_unregistered(address) };
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        self.serial += 1;
        let session = session_id(self.serial, key);
        if let Err(error) = self.poll.registry().register(&mut stream, Token(key), Interest::READABLE) {
            tracing::warn!(%remote, %error, "connection refused");
            return self.admission.no_longer_unregistered(address);
        }
        entry.insert(Connection::new(stream, session, address));
        self.counters.accepted += 1;
        let peer = Peer { remote: canonical(remote), local: canonical(local) };
        let now = self.now();
        self.exchange.handle(now, Input::Opened { session, peer });
    }

    fn admit(&mut self, address: IpAddr) -> Result<(), Refusal> {
        self.admission.admit(self.now(), address, self.connections.len(), &self.limits)
    }

    fn refused(&mut self, remote: SocketAddr, refusal: Refusal) {
        self.counters.refused += 1;
        self.tally.refused(refusal);
        // A flood does not fill the log.
        if self.counters.refused.is_power_of_two() {
            let refused = self.counters.refused;
            tracing::warn!(%remote, refused, "connection refused: {}", refusal.words());
        }
    }

    /// Of those that have not registered, the ones that have had the longest time for it give way: phones register at
    /// once, and who only holds connections must not keep them out.
    fn make_room(&mut self) {
        let unregistered = self.connections.iter().filter(|(_, connection)| !connection.registered);
        // Sessions are numbered in their order.
        let mut oldest: Vec<_> = unregistered.map(|(key, connection)| (connection.session, key)).collect();
        oldest.sort_unstable();
        // Some at a time: to look for them costs more than they do.
        for &(_, key) in oldest.iter().take(oldest.len() / 16 + 1) {
            if let Some(remote) = self.connections.get(key).and_then(|c| c.stream.peer_addr().ok()) {
                self.refused(canonical(remote), Refusal::Unregistered);
            }
            self.drop_connection(key, "too many have not registered".into());
        }
    }

    /// Reads once. `ends` says that the phone has closed its side: then everything is read, up to the end.
    pub(super) fn readable(&mut self, key: usize, ends: bool) {
        let Some(connection) = self.connections.get_mut(key).filter(|connection| connection.is_read()) else {
            return;
        };
        let more = match connection.fill(&mut self.buffer) {
            Fill::Some { full } => full || ends,
            Fill::Nothing => return,
            Fill::Ended(reason) => return self.drop_connection(key, reason),
        };
        // What was read did not fill the buffer: the socket was empty, and the poll reports what comes later. Otherwise
        // the others come first, then this one again.
        if self.hand_over(key) && more {
            self.again(key);
        }
    }

    /// Hands each whole message to the exchange, and does at once what follows: the answer to Register decides how
    /// the message behind it is read. `false` if the connection is gone or not to be read any further for now.
    fn hand_over(&mut self, key: usize) -> bool {
        loop {
            let Some(connection) = self.connections.get_mut(key) else { return false };
            let session = connection.session;
            match connection.next_input() {
                Ok(Some(input)) => {
                    if let Input::Message { message, .. } = &input {
                        self.tally.received.count(message.id());
                    }
                    let now = self.now();
                    self.exchange.handle(now, input);
                    self.outputs();
                    // Short questions with long answers, asked faster than they are read: not more than this at once.
                    let unread = self.connections.get(key).map_or(0, |connection| connection.output.len());
                    if unread > self.limits.most_unread(self.unread) {
                        self.write(key);
                    }
                    if !self.may_say_more(key, now) {
                        return false;
                    }
                }
                Ok(None) => return true,
                Err(error) => {
                    self.counters.garbage += 1;
                    tracing::warn!(session = session.0, %error, "no SCCP frame: connection dropped");
                    self.drop_connection(key, format!("not SCCP: {error}"));
                    return false;
                }
            }
        }
    }

    /// Counts a message of a connection. `false` if it has said too much: then it is not read for a moment, or gone if
    /// that goes on.
    fn may_say_more(&mut self, key: usize, now: Time) -> bool {
        let Some(connection) = self.connections.get_mut(key) else { return false };
        if connection.meter.take(now, self.limits.message_rate) {
            return true;
        }
        let session = connection.session;
        let first = connection.held.is_none();
        let span = Held::again(&mut connection.held, now);
        if span >= self.limits.flood {
            self.counters.floods += 1;
            tracing::warn!(session = session.0, "too many messages: connection dropped");
            self.drop_connection(key, "too many messages".into());
            return false;
        }
        self.counters.held += 1;
        if first {
            tracing::warn!(session = session.0, "too many messages: read more slowly (messages-per-second)");
        }
        self.held.push_back((now + HOLD, session));
        false
    }

    /// Reads those again that have said too much.
    pub(super) fn let_go(&mut self) {
        let now = self.now();
        while let Some(&(_, session)) = self.held.front().filter(|&&(at, _)| at <= now) {
            self.held.pop_front();
            let Some((key, connection)) = find(&mut self.connections, session) else { continue };
            if let Some(held) = &mut connection.held {
                held.now = false;
            }
            if self.hand_over(key) {
                self.again(key);
            }
        }
    }

    /// Asks the poll to report a connection again although nothing new arrived on it.
    fn again(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let interest = connection.interest();
        connection.watched = interest;
        // Edge-triggered readiness is reported anew after re-registering.
        let _ = self.poll.registry().reregister(&mut connection.stream, Token(key), interest);
    }

    /// Takes a connection down and tells the exchange.
    fn drop_connection(&mut self, key: usize, reason: String) {
        let Some(session) = self.connections.get(key).map(|connection| connection.session) else { return };
        self.remove(key);
        let now = self.now();
        self.exchange.handle(now, Input::Closed { session, reason });
    }

    fn remove(&mut self, key: usize) {
        let Some(mut connection) = self.connections.try_remove(key) else { return };
        self.unread -= connection.output.len();
        let _ = self.poll.registry().deregister(&mut connection.stream);
        if !connection.registered {
            self.admission.no_longer_unregistered(connection.address);
        }
        drop(connection);
        self.accept_again();
    }

    /// Writes once to each connection that has something to write.
    pub(super) fn write_pending(&mut self) {
        // Dropping a slow phone makes the exchange say more, to others.
        while !self.pending.is_empty() {
            let mut keys = std::mem::take(&mut self.pending);
            for key in keys.drain(..) {
                self.write(key);
            }
            if self.pending.is_empty() {
                self.pending = keys;
            }
            self.outputs();
        }
    }

    /// Takes connections down that were to be closed and whose phones do not take their last bytes.
    pub(super) fn end_closing(&mut self) {
        let now = self.now();
        while let Some(&(_, session)) = self.closing.front().filter(|&&(at, _)| at <= now) {
            self.closing.pop_front();
            if let Some((key, _)) = find(&mut self.connections, session) {
                self.remove(key);
            }
        }
    }

    fn write(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let before = connection.output.len();
        let written = connection.write(self.limits.most_unread(self.unread));
        self.unread -= before - connection.output.len();
        match written {
            Ok(true) if connection.closing => {
                connection.discard(&mut self.buffer);
                self.remove(key);
            }
            Ok(_) => {
                let wanted = connection.interest();
                if wanted != connection.watched {
                    connection.watched = wanted;
                    let _ = self.poll.registry().reregister(&mut connection.stream, Token(key), wanted);
                }
            }
            Err(_) if connection.closing => self.remove(key),
            Err(error) => {
                let slow = error.kind() == io::ErrorKind::TimedOut;
                let reason =
                    if slow { "the phone does not read".into() } else { format!("connection lost: {error}") };
                if slow {
                    self.counters.slow += 1;
                    tracing::warn!(
                        session = connection.session.0,
                        "the phone does not read: connection dropped"
                    );
                }
                self.drop_connection(key, reason);
            }
        }
    }
}

/// Is it for want of file descriptors or memory that nothing can be accepted?
fn is_shortage(error: &io::Error) -> bool {
    // ENOMEM, ENFILE, EMFILE, ENOBUFS (Linux).
    matches!(error.raw_os_error(), Some(12 | 23 | 24 | 105))
}

/// IPv4 addresses as such, also where an IPv6 socket took the connection.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
