//! The server: requests in, transfers out, bounded in number.

use alloc::{collections::BTreeMap, collections::VecDeque, sync::Arc, vec::Vec};
use core::{fmt, net::IpAddr, net::SocketAddr, time::Duration};

use super::packet::{ErrorCode, Malformed, Mode, Packet, Request, TransferOptions};
use super::transfer::{Outcome, ReadTransfer, Report, Step};
use super::{DEFAULT_BLOCK, MAX_BLOCK};
use crate::{BadName, FileName};

/// How long the bytes of a file may take to come from the driver.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// A TFTP server that only reads, without sockets.
///
/// The driver passes on what comes to the TFTP port as [`Input::Request`]. For each [`Output::Open`] it finds the
/// file and answers with [`Input::File`]. At the first [`Output::Send`] of a transfer it opens a socket for it, at
/// the local address that was asked, and passes on what comes there as [`Input::Datagram`]; at
/// [`Output::Closed`] it forgets both. [`Output::Reply`] leaves from the TFTP port itself, so that refusing
/// somebody takes no socket.
#[derive(Debug)]
pub struct Server {
    limits: Limits,
    transfers: BTreeMap<TransferId, Transfer>,
    next: u64,
    outputs: VecDeque<Output>,
}

/// What one server takes on at a time. A request above a limit gets no answer: the phone asks again within
/// seconds, while an error would make it go on without the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Transfers in all.
    pub transfers: usize,
    /// Transfers of one address.
    pub per_address: usize,
    /// Longest block that a client can have, 512 to 65,464 bytes.
    pub block_size: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self { transfers: 256, per_address: 8, block_size: MAX_BLOCK }
    }
}

/// A transfer, never used again after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransferId(u64);

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tftp-{}", self.0)
    }
}

/// What happens to the server.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram came to the TFTP port.
    Request {
        /// From where.
        from: SocketAddr,
        /// Its bytes.
        datagram: &'a [u8],
    },
    /// The driver's answer to [`Output::Open`].
    File {
        /// For which transfer.
        transfer: TransferId,
        /// What it found.
        answer: Answer,
    },
    /// A datagram came to a transfer's socket.
    Datagram {
        /// Which transfer's.
        transfer: TransferId,
        /// From where.
        from: SocketAddr,
        /// Its bytes.
        datagram: &'a [u8],
    },
    /// The time of [`Server::poll_timeout`] has come.
    Timeout,
}

/// What the driver found under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The file. Transfers of the same file can share the bytes.
    Found(Arc<[u8]>),
    /// There is none.
    NotFound,
    /// There is one, but it cannot be read.
    Unreadable,
}

/// What the server wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Find this file and answer with [`Input::File`].
    Open {
        /// For which transfer.
        transfer: TransferId,
        /// Who asks.
        peer: SocketAddr,
        /// The file, already jailed.
        name: FileName,
    },
    /// Send from the transfer's own socket.
    Send {
        /// Whose socket.
        transfer: TransferId,
        /// Where to.
        to: SocketAddr,
        /// The bytes.
        datagram: Vec<u8>,
    },
    /// Send from the TFTP port.
    Reply {
        /// Where to.
        to: SocketAddr,
        /// The bytes.
        datagram: Vec<u8>,
    },
    /// A transfer is over; its socket can go.
    Closed {
        /// Which.
        transfer: TransferId,
        /// How it went, for the log.
        report: Report,
    },
    /// A request became no transfer; for the log and the counters.
    Refused {
        /// Whose.
        from: SocketAddr,
        /// Why.
        reason: Refusal,
    },
}

/// Why a request became no transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a packet.
    #[error("not a tftp packet")]
    Malformed(#[source] Malformed),
    /// A packet that belongs into a transfer.
    #[error("a packet of a transfer, sent to the tftp port")]
    NoTransfer,
    /// Somebody wants to write.
    #[error("a write request; this server is read only")]
    Write,
    /// A name that could leave the folder.
    #[error("a name that is not served")]
    Name(#[source] BadName),
    /// [`Limits::transfers`] are in progress.
    #[error("too many transfers")]
    Busy,
    /// [`Limits::per_address`] are in progress with this address.
    #[error("too many transfers with this address")]
    AddressBusy,
}

#[derive(Debug)]
struct Transfer {
    peer: SocketAddr,
    name: FileName,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The driver looks for the file.
    Opening { mode: Mode, options: TransferOptions, deadline: Duration },
    /// Blocks go out.
    Sending(ReadTransfer),
}

impl Server {
    /// A server without transfers.
    pub fn new(limits: Limits) -> Self {
        let block_size = limits.block_size.clamp(DEFAULT_BLOCK, MAX_BLOCK);
        Self {
            limits: Limits { block_size, ..limits },
            transfers: BTreeMap::new(),
            next: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Something happened. Afterwards all of [`Server::poll_output`] has to be done.
    pub fn handle(&mut self, now: Duration, input: Input<'_>) {
        match input {
            Input::Request { from, datagram } => self.request(now, from, datagram),
            Input::File { transfer, answer } => self.file(now, transfer, answer),
            Input::Datagram { transfer, from, datagram } => self.datagram(now, transfer, from, datagram),
            Input::Timeout => self.timeout(now),
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.transfers.values().map(Transfer::deadline).min()
    }

    /// Transfers in progress.
    pub fn transfers(&self) -> usize {
        self.transfers.len()
    }

    fn request(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) {
        match Packet::parse(datagram) {
            Ok(Packet::Read(request)) => self.read_request(now, from, &request),
            Ok(Packet::Write) => self.refuse(from, Refusal::Write, Some(ErrorCode::AccessViolation)),
            // Errors are never answered, or two servers would talk for ever.
            Ok(Packet::Error { .. }) => self.refuse(from, Refusal::NoTransfer, None),
            Ok(Packet::Data { .. } | Packet::Ack { .. } | Packet::OptionAck(_)) => {
                self.refuse(from, Refusal::NoTransfer, Some(ErrorCode::UnknownTransfer));
            }
            Err(malformed) => {
                self.refuse(from, Refusal::Malformed(malformed), Some(ErrorCode::IllegalOperation));
            }
        }
    }

    fn read_request(&mut self, now: Duration, from: SocketAddr, request: &Request<'_>) {
        let name = match FileName::parse(request.name) {
            Ok(name) => name,
            Err(bad) => return self.refuse(from, Refusal::Name(bad), Some(ErrorCode::AccessViolation)),
        };
        if let Some((&id, open)) = self.transfers.iter().find(|(_, transfer)| transfer.peer == from) {
            if open.name == name {
                // The request was repeated; the transfer's own clock repeats the answer.
                return;
            }
            self.close(id, Outcome::Replaced);
        }
        if self.transfers.len() >= self.limits.transfers {
            return self.refuse(from, Refusal::Busy, None);
        }
        if self.of_address(from.ip()) >= self.limits.per_address {
            return self.refuse(from, Refusal::AddressBusy, None);
        }

        let id = TransferId(self.next);
        self.next += 1;
        let state =
            State::Opening { mode: request.mode, options: request.options, deadline: now + ANSWER_WAIT };
        self.transfers.insert(id, Transfer { peer: from, name: name.clone(), state });
        self.outputs.push_back(Output::Open { transfer: id, peer: from, name });
    }

    fn of_address(&self, address: IpAddr) -> usize {
        self.transfers.values().filter(|transfer| transfer.peer.ip() == address).count()
    }

    fn refuse(&mut self, from: SocketAddr, reason: Refusal, answer: Option<ErrorCode>) {
        if let Some(code) = answer {
            self.outputs.push_back(Output::Reply { to: from, datagram: Packet::error(code).to_bytes() });
        }
        self.outputs.push_back(Output::Refused { from, reason });
    }

    fn file(&mut self, now: Duration, id: TransferId, answer: Answer) {
        let Some(transfer) = self.transfers.get_mut(&id) else {
            return;
        };
        let State::Opening { mode, options, .. } = transfer.state else {
            return;
        };
        let peer = transfer.peer;
        let code = match answer {
            Answer::Found(file) => {
                let file = mode.encode(&file).map_or(file, Arc::from);
                let (sending, datagram) = ReadTransfer::new(now, file, options, self.limits.block_size);
                transfer.state = State::Sending(sending);
                self.outputs.push_back(Output::Send { transfer: id, to: peer, datagram });
                return;
            }
            Answer::NotFound => ErrorCode::NotFound,
            Answer::Unreadable => ErrorCode::AccessViolation,
        };
        self.outputs.push_back(Output::Reply { to: peer, datagram: Packet::error(code).to_bytes() });
        self.close(id, Outcome::NotFound);
    }

    fn datagram(&mut self, now: Duration, id: TransferId, from: SocketAddr, datagram: &[u8]) {
        let Some(transfer) = self.transfers.get_mut(&id) else {
            return;
        };
        let packet = Packet::parse(datagram);
        if from != transfer.peer {
            // Somebody else's packet does not disturb the transfer.
            if !matches!(packet, Ok(Packet::Error { .. })) {
                let datagram = Packet::error(ErrorCode::UnknownTransfer).to_bytes();
                self.outputs.push_back(Output::Send { transfer: id, to: from, datagram });
            }
            return;
        }
        if let (Ok(packet), State::Sending(sending)) = (packet, &mut transfer.state) {
            let step = sending.packet(now, &packet);
            self.step(id, step);
        }
    }

    fn timeout(&mut self, now: Duration) {
        let due = self.transfers.iter().filter(|(_, transfer)| transfer.deadline() <= now);
        let due: Vec<TransferId> = due.map(|(&id, _)| id).collect();
        for id in due {
            let step = match self.transfers.get_mut(&id).map(|transfer| &mut transfer.state) {
                Some(State::Sending(sending)) => sending.timeout(now),
                Some(State::Opening { .. }) => Step::Ended(Outcome::Unanswered),
                None => Step::Nothing,
            };
            self.step(id, step);
        }
    }

    fn step(&mut self, id: TransferId, step: Step) {
        match step {
            Step::Nothing => {}
            Step::Send(datagram) => {
                if let Some(transfer) = self.transfers.get(&id) {
                    self.outputs.push_back(Output::Send { transfer: id, to: transfer.peer, datagram });
                }
            }
            Step::Ended(outcome) => self.close(id, outcome),
        }
    }

    fn close(&mut self, id: TransferId, outcome: Outcome) {
        let Some(Transfer { peer, name, state }) = self.transfers.remove(&id) else {
            return;
        };
        let (bytes, repeated) = match &state {
            State::Opening { .. } => (0, 0),
            State::Sending(sending) if outcome == Outcome::Complete => (sending.size(), sending.repeated),
            State::Sending(sending) => (sending.confirmed(), sending.repeated),
        };
        self.outputs.push_back(Output::Closed {
            transfer: id,
            report: Report { peer, name, outcome, bytes, repeated },
        });
    }
}

impl Transfer {
    fn deadline(&self) -> Duration {
        match &self.state {
            State::Opening { deadline, .. } => *deadline,
            State::Sending(sending) => sending.deadline(),
        }
    }
}

#[cfg(test)]
mod tests;
