//! One phone's connection: bytes in, frames out, bytes waiting to be written.

use std::{
    io::{self, Read, Write},
    net::IpAddr,
};

use mio::Interest;
use selsius_exchange::{Input, Meter, SessionId};
use selsius_wire::{
    Dialect, StationMessage,
    frame::{FrameError, Framer},
};

use super::admission::Held;

/// A connection. An idle one holds no buffer.
pub(super) struct Connection {
    pub(super) stream: mio::net::TcpStream,
    pub(super) session: SessionId,
    pub(super) address: IpAddr,
    pub(super) dialect: Dialect,
    framer: Framer,
    /// Encoded, not yet written.
    pub(super) output: Vec<u8>,
    /// Has it registered a device?
    pub(super) registered: bool,
    /// Close it when everything is written; nothing more is read.
    pub(super) closing: bool,
    /// What the poll reports of it.
    pub(super) watched: Interest,
    /// How much it has said lately.
    pub(super) meter: Meter,
    /// Has it said too much?
    pub(super) held: Option<Box<Held>>,
}

/// What one read brought.
pub(super) enum Fill {
    /// Bytes.
    Some {
        /// As many as the buffer holds: there may be more.
        full: bool,
    },
    /// Nothing for now.
    Nothing,
    /// The phone closed, or the connection broke.
    Ended(String),
}

impl Connection {
    pub(super) fn new(stream: mio::net::TcpStream, session: SessionId, address: IpAddr) -> Self {
        Self {
            stream,
            session,
            address,
            dialect: Dialect::default(),
            framer: Framer::default(),
            output: Vec::new(),
            registered: false,
            closing: false,
            watched: Interest::READABLE,
            meter: Meter::UNUSED,
            held: None,
        }
    }

    /// Is it read at present?
    pub(super) fn is_read(&self) -> bool {
        !self.closing && !self.held.as_ref().is_some_and(|held| held.now)
    }

    /// Reads once.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Fill {
        match self.stream.read(buffer) {
            Ok(0) => Fill::Ended("connection closed".into()),
            Ok(length) => {
                self.framer.feed(&buffer[..length]);
                Fill::Some { full: length == buffer.len() }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Fill::Nothing,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Fill::Some { full: true },
            Err(error) => Fill::Ended(format!("connection lost: {error}")),
        }
    }

    /// Takes what the phone said last without looking at it: a socket that is closed with unread bytes resets its
    /// connection, and the phone may lose what it was told last.
    pub(super) fn discard(&mut self, buffer: &mut [u8]) {
        let _ = self.stream.read(buffer);
    }

    /// The next whole message of what was read, decoded in the dialect that holds now.
    ///
    /// # Errors
    /// If the bytes are no frames: there is no way to find the next one.
    pub(super) fn next_input(&mut self) -> Result<Option<Input>, FrameError> {
        if self.closing {
            return Ok(None);
        }
        let Some(frame) = self.framer.next()? else { return Ok(None) };
        let session = self.session;
        Ok(Some(match StationMessage::decode(frame, self.dialect.context()) {
            Ok(received) => Input::Message { session, message: received.message },
            Err(error) => Input::Malformed { session, problem: error.to_string() },
        }))
    }

    /// Writes what it can. `Ok(true)` means that nothing is left; a phone that leaves more than `most` bytes unread
    /// is reported as [`io::ErrorKind::TimedOut`].
    pub(super) fn write(&mut self, most: usize) -> io::Result<bool> {
        let mut written = 0;
        while written < self.output.len() {
            match self.stream.write(&self.output[written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(length) => written += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if written == self.output.len() {
            self.output = Vec::new();
            return Ok(true);
        }
        self.output.drain(..written);
        if self.output.len() > most { Err(io::ErrorKind::TimedOut.into()) } else { Ok(false) }
    }

    /// What the poll should report.
    pub(super) fn interest(&self) -> Interest {
        if self.output.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE }
    }
}
