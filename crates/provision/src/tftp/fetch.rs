//! The client: reads one file.

use alloc::{collections::VecDeque, string::String, vec::Vec};
use core::{net::SocketAddr, time::Duration};

use thiserror::Error;

use super::packet::{ErrorCode, Mode, Packet, Request, TransferOptions};
use super::{DEFAULT_BLOCK, MAX_BLOCK, MIN_BLOCK};

/// First wait for an answer; it doubles with each repetition, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// How often one packet is sent before the server counts as gone.
const MOST_SENDS: u32 = 5;
/// How long the last acknowledgement can still be asked for after the end.
const DALLY: Duration = Duration::from_secs(3);

/// Reads one file from a TFTP server, without a socket.
///
/// It has its result as soon as the last block is there. [`Fetch::poll_timeout`] goes on for three seconds after
/// that, in case the server did not get the last acknowledgement; a driver in a hurry can leave then.
#[derive(Debug)]
pub struct Fetch {
    options: FetchOptions,
    /// The server; its port is the TFTP port until the first answer tells the transfer's.
    server: SocketAddr,
    state: State,
    file: Vec<u8>,
    block_size: usize,
    /// What is repeated while nothing comes.
    last_sent: Vec<u8>,
    sends: u32,
    deadline: Option<Duration>,
    outputs: VecDeque<FetchOutput>,
}

/// What a fetch asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchOptions {
    /// Length of a block, 8 to 65,464 bytes; `None` asks for no options at all, as the captured 7912 did.
    pub block_size: Option<u16>,
    /// Most bytes that the file may have.
    pub limit: usize,
}

impl Default for FetchOptions {
    /// No options, 16 MiB.
    fn default() -> Self {
        Self { block_size: None, limit: 16 << 20 }
    }
}

/// What happens to a fetch.
#[derive(Debug, Clone, Copy)]
pub enum FetchInput<'a> {
    /// A datagram came.
    Datagram {
        /// From where.
        from: SocketAddr,
        /// Its bytes.
        datagram: &'a [u8],
    },
    /// The time of [`Fetch::poll_timeout`] has come.
    Timeout,
}

/// What a fetch wants done.
#[derive(Debug, PartialEq, Eq)]
pub enum FetchOutput {
    /// Send this.
    Send {
        /// Where to.
        to: SocketAddr,
        /// The bytes.
        datagram: Vec<u8>,
    },
    /// The result, once.
    Done(Result<Vec<u8>, FetchError>),
}

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FetchError {
    /// The server has no such file.
    #[error("the tftp server has no such file")]
    NotFound,
    /// The server refused otherwise.
    #[error("the tftp server refused: {message} (code {})", code.number())]
    Refused {
        /// Why.
        code: ErrorCode,
        /// Why, for people.
        message: String,
    },
    /// Nothing came any more.
    #[error("the tftp server does not answer")]
    Silent,
    /// The file is longer than [`FetchOptions::limit`].
    #[error("the file is longer than {0} bytes")]
    TooLong(usize),
    /// The server sends blocks that nobody agreed on.
    #[error("the tftp server breaks the protocol")]
    Protocol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The request is on its way.
    Asking,
    /// Blocks come in; the number of the last that is here.
    Reading { block: u64 },
    /// The file is complete; this was its last block.
    Dallying { block: u64 },
    /// Over.
    Over,
}

impl Fetch {
    /// Asks `server` (address and TFTP port) for a file.
    pub fn new(now: Duration, server: SocketAddr, name: &str, options: FetchOptions) -> Self {
        let block_size = options.block_size.map(|size| size.clamp(MIN_BLOCK, MAX_BLOCK));
        let asked = match block_size {
            Some(_) => TransferOptions { block_size, timeout: None, size: Some(0) },
            None => TransferOptions::default(),
        };
        let mut fetch = Self {
            options: FetchOptions { block_size, ..options },
            server,
            state: State::Asking,
            file: Vec::new(),
            block_size: DEFAULT_BLOCK.into(),
            last_sent: Vec::new(),
            sends: 0,
            deadline: None,
            outputs: VecDeque::new(),
        };
        fetch.send(now, &Packet::Read(Request { name: name.as_bytes(), mode: Mode::Octet, options: asked }));
        fetch
    }

    /// Something happened. Afterwards all of [`Fetch::poll_output`] has to be done.
    pub fn handle(&mut self, now: Duration, input: FetchInput<'_>) {
        match input {
            FetchInput::Datagram { from, datagram } => self.datagram(now, from, datagram),
            FetchInput::Timeout => self.timeout(now),
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<FetchOutput> {
        self.outputs.pop_front()
    }

    /// When [`FetchInput::Timeout`] is due; `None` when all is over.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.deadline
    }

    fn datagram(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) {
        // The server answers from a port of its own choice, but from the address that was asked.
        let known =
            if self.state == State::Asking { from.ip() == self.server.ip() } else { from == self.server };
        let Ok(packet) = Packet::parse(datagram) else {
            return;
        };
        if !known {
            if !matches!(packet, Packet::Error { .. }) {
                let datagram = Packet::error(ErrorCode::UnknownTransfer).to_bytes();
                self.outputs.push_back(FetchOutput::Send { to: from, datagram });
            }
            return;
        }
        match (self.state, packet) {
            (State::Asking | State::Reading { .. }, Packet::Error { code, message }) => {
                let error = match code {
                    ErrorCode::NotFound => FetchError::NotFound,
                    code => FetchError::Refused { code, message },
                };
                self.fail(error);
            }
            (State::Asking, Packet::OptionAck(taken)) => {
                self.server = from;
                self.options_taken(now, taken);
            }
            (State::Asking, Packet::Data { block, data }) => {
                self.server = from;
                self.state = State::Reading { block: 0 };
                self.data(now, 0, block, data);
            }
            (State::Reading { block: last }, Packet::Data { block, data }) => {
                self.data(now, last, block, data)
            }
            // The acknowledgement of the options got lost.
            (State::Reading { block: 0 }, Packet::OptionAck(_)) => self.acknowledge(now, 0),
            (State::Dallying { block: last }, Packet::Data { block, .. })
                if u64::from(block) == last & 0xFFFF =>
            {
                let datagram = Packet::Ack { block }.to_bytes();
                self.outputs.push_back(FetchOutput::Send { to: self.server, datagram });
            }
            (State::Asking | State::Reading { .. } | State::Dallying { .. } | State::Over, _) => {}
        }
    }

    fn options_taken(&mut self, now: Duration, taken: TransferOptions) {
        let Some(asked) = self.options.block_size else {
            return self.abort(ErrorCode::Options, FetchError::Protocol);
        };
        if taken.block_size.is_some_and(|size| size > asked) {
            return self.abort(ErrorCode::Options, FetchError::Protocol);
        }
        if taken.size.is_some_and(|size| size > self.options.limit as u64) {
            return self.abort(ErrorCode::DiskFull, FetchError::TooLong(self.options.limit));
        }
        self.block_size = taken.block().into();
        self.state = State::Reading { block: 0 };
        self.acknowledge(now, 0);
    }

    fn data(&mut self, now: Duration, last: u64, block: u16, data: &[u8]) {
        let next = last + 1;
        if u64::from(block) == last & 0xFFFF && last > 0 {
            // Our acknowledgement got lost, or the block was doubled on the way; the server is alive anyhow.
            self.sends = 0;
            return self.acknowledge(now, last);
        }
        if u64::from(block) != next & 0xFFFF {
            return;
        }
        if data.len() > self.block_size {
            return self.abort(ErrorCode::IllegalOperation, FetchError::Protocol);
        }
        if self.file.len() + data.len() > self.options.limit {
            return self.abort(ErrorCode::DiskFull, FetchError::TooLong(self.options.limit));
        }
        self.file.extend(data);
        self.state = State::Reading { block: next };
        self.sends = 0;
        self.acknowledge(now, next);
        if data.len() < self.block_size {
            self.state = State::Dallying { block: next };
            self.deadline = Some(now + DALLY);
            self.outputs.push_back(FetchOutput::Done(Ok(core::mem::take(&mut self.file))));
        }
    }

    fn timeout(&mut self, now: Duration) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.state {
            State::Asking | State::Reading { .. } if self.sends < MOST_SENDS => {
                let datagram = self.last_sent.clone();
                self.transmit(now, datagram);
            }
            State::Asking | State::Reading { .. } => self.fail(FetchError::Silent),
            State::Dallying { .. } | State::Over => self.end(),
        }
    }

    fn acknowledge(&mut self, now: Duration, block: u64) {
        let block = u16::try_from(block & 0xFFFF).unwrap_or_default();
        self.send(now, &Packet::Ack { block });
    }

    fn send(&mut self, now: Duration, packet: &Packet<'_>) {
        self.last_sent = packet.to_bytes();
        let datagram = self.last_sent.clone();
        self.transmit(now, datagram);
    }

    fn transmit(&mut self, now: Duration, datagram: Vec<u8>) {
        let wait = FIRST_WAIT.saturating_mul(1 << self.sends.min(8)).min(LONGEST_WAIT);
        self.sends += 1;
        self.deadline = Some(now + wait);
        self.outputs.push_back(FetchOutput::Send { to: self.server, datagram });
    }

    /// Tells the server that it is over, and why.
    fn abort(&mut self, code: ErrorCode, error: FetchError) {
        self.outputs
            .push_back(FetchOutput::Send { to: self.server, datagram: Packet::error(code).to_bytes() });
        self.fail(error);
    }

    fn fail(&mut self, error: FetchError) {
        self.outputs.push_back(FetchOutput::Done(Err(error)));
        self.end();
    }

    fn end(&mut self) {
        self.state = State::Over;
        self.deadline = None;
        self.file = Vec::new();
    }
}

#[cfg(test)]
mod tests;
