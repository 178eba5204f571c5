//! The connection of a phone, or its absence.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr},
};

use mio::net::TcpStream;
use selsius_wire::{Cut, DEFAULT_LIMIT, FrameError, RawFrame, cut};
use socket2::{Domain, Protocol, Socket, Type};

/// A connection. Only one that is in the middle of something holds memory.
#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) stream: Option<TcpStream>,
    /// The connection is up, not only on its way.
    pub(super) up: bool,
    /// The beginning of a message whose end has not come.
    pub(super) partial: Vec<u8>,
    /// What the server has not taken yet.
    pub(super) out: Vec<u8>,
    /// It stands in the list of those that have something to write.
    pub(super) dirty: bool,
}

/// What the server may leave unread.
const UNREAD: usize = 64 * 1024;

/// What one read brought.
pub(super) enum Fill {
    /// So many bytes; `more` if there may be more.
    Some { length: usize, more: bool },
    /// Nothing for now.
    Nothing,
    /// The connection is over.
    Ended(String),
}

/// Begins to connect to `target`, from `source` if there is one.
///
/// # Errors
/// If the system refuses.
pub(super) fn connect(target: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(source) = source else { return TcpStream::connect(target) };
    let socket = Socket::new(Domain::for_address(target), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(source, 0).into())?;
    match socket.connect(&target.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
        Err(error) => return Err(error),
    }
    Ok(TcpStream::from_std(socket.into()))
}

impl Link {
    /// Whether the connection is up by now.
    ///
    /// # Errors
    /// If it came to nothing.
    pub(super) fn established(&self) -> io::Result<bool> {
        let Some(stream) = &self.stream else { return Ok(false) };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads once into the shared buffer, after what is kept of an unfinished message.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Fill {
        let Some(stream) = &mut self.stream else { return Fill::Nothing };
        let kept = self.partial.len();
        let Some((head, free)) = buffer.split_at_mut_checked(kept) else {
            return Fill::Ended("the server does not speak SCCP".into());
        };
        let read = loop {
            match stream.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read {
            Ok(0) => Fill::Ended("the server closed the connection".into()),
            Ok(length) => {
                head.copy_from_slice(&self.partial);
                self.partial = Vec::new();
                Fill::Some { length: kept + length, more: length == free.len() }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Fill::Nothing,
            Err(error) => Fill::Ended(format!("the connection broke: {}", error.kind())),
        }
    }

    /// Cuts the next message off; keeps the beginning of one that is not complete.
    ///
    /// # Errors
    /// If the bytes are no frames.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<RawFrame<'a>>, FrameError> {
        match cut(bytes, DEFAULT_LIMIT)? {
            Cut::Frame { frame, consumed } => {
                *bytes = bytes.get(consumed..).unwrap_or_default();
                Ok(Some(frame))
            }
            Cut::Need(_) => {
                self.partial = bytes.to_vec();
                Ok(None)
            }
        }
    }

    /// Writes what the server takes. The emptied buffer is left in `spare`, for the next phone.
    ///
    /// # Errors
    /// If the connection broke, or the server takes nothing any more.
    pub(super) fn flush(&mut self, spare: &mut Vec<Vec<u8>>) -> Result<(), String> {
        self.dirty = false;
        let Some(stream) = self.stream.as_mut().filter(|_| self.up) else { return Ok(()) };
        let mut written = 0;
        while written < self.out.len() {
            match stream.write(&self.out[written..]) {
                Ok(0) => return Err("the connection takes nothing any more".into()),
                Ok(length) => written += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("the connection broke: {}", error.kind())),
            }
        }
        self.out.drain(..written);
        if self.out.is_empty() {
            let empty = std::mem::take(&mut self.out);
            if spare.len() < SPARE {
                spare.push(empty);
            }
        } else if self.out.len() > UNREAD {
            return Err("the server takes nothing any more".into());
        }
        Ok(())
    }
}

/// Buffers that are kept for the next phone that has something to say.
const SPARE: usize = 64;
