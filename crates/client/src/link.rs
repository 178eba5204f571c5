//! The connection to the manager.

use std::{io, net::SocketAddr};

use selsius_station::Station;
use selsius_wire::{FrameError, Framer, ManagerMessage, RawFrame, StationMessage};
use tokio::{
    io::Interest,
    net::{TcpStream, lookup_host},
};

use crate::Target;

/// An open connection.
pub(crate) struct Link {
    stream: TcpStream,
    framer: Framer,
    /// What the manager has not taken yet.
    out: Vec<u8>,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// Why a connection ended without the phone wanting it.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It could not be made.
    #[error("cannot connect to {target}")]
    Connect {
        /// The manager.
        target: Target,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The manager closed it.
    #[error("the manager closed the connection")]
    Closed,
    /// The network ended it.
    #[error("the connection broke")]
    Broken(#[from] io::Error),
    /// The manager sends what is not SCCP.
    #[error("the manager does not speak SCCP")]
    Frame(#[from] FrameError),
    /// The manager does not read what it is sent.
    #[error("the manager takes nothing any more ({0} bytes wait)")]
    Stuck(usize),
}

/// What the manager may leave unread.
const UNREAD: usize = 64 * 1024;

impl Link {
    /// Connects to the first address of the manager that answers.
    pub(crate) async fn connect(target: Target) -> Result<Self, LinkError> {
        let open = async || {
            let mut error = io::Error::from(io::ErrorKind::NotFound);
            for address in lookup_host((target.host.as_str(), target.port)).await? {
                match TcpStream::connect(address).await {
                    Ok(stream) => return Ok(stream),
                    Err(refused) => error = refused,
                }
            }
            Err(error)
        };
        let stream = open().await.map_err(|source| LinkError::Connect { target, source })?;
        // Signalling is small and urgent.
        stream.set_nodelay(true)?;
        let (local, remote) = (canonical(stream.local_addr()?), canonical(stream.peer_addr()?));
        Ok(Self { stream, framer: Framer::new(), out: Vec::new(), local, remote })
    }

    /// Waits until there is something to read, or room for what waits to be written.
    pub(crate) async fn ready(&self) -> io::Result<()> {
        let interest = match self.out.is_empty() {
            true => Interest::READABLE,
            false => Interest::READABLE | Interest::WRITABLE,
        };
        self.stream.ready(interest).await.map(drop)
    }

    /// Reads what is there, once.
    pub(crate) fn read(&mut self) -> Result<(), LinkError> {
        let mut buffer = [0; 4096];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Err(LinkError::Closed),
            Ok(len) => {
                self.framer.feed(&buffer[..len]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The next message, and its bytes in `bytes`. What cannot be decoded comes as an opaque message.
    pub(crate) fn next(
        &mut self,
        station: &Station,
        bytes: &mut Vec<u8>,
    ) -> Result<Option<ManagerMessage>, LinkError> {
        let Some(frame) = self.framer.next()? else { return Ok(None) };
        bytes.clear();
        frame.encode(bytes);
        Ok(Some(decode(frame, station)))
    }

    /// Adds a message to what is written next; its bytes.
    pub(crate) fn push(&mut self, station: &Station, message: &StationMessage) -> &[u8] {
        let start = self.out.len();
        station.dialect().encode_station(message, &mut self.out);
        self.out.get(start..).unwrap_or_default()
    }

    /// Writes as much as the manager takes.
    pub(crate) fn flush(&mut self) -> Result<(), LinkError> {
        while !self.out.is_empty() {
            match self.stream.try_write(&self.out) {
                Ok(len) => drop(self.out.drain(..len)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.out.len() <= UNREAD => break,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(LinkError::Stuck(self.out.len()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn decode(frame: RawFrame<'_>, station: &Station) -> ManagerMessage {
    let received = ManagerMessage::decode_lenient(frame, station.dialect().context());
    for anomaly in &received.anomalies {
        tracing::debug!(
            message = received.message.name(),
            ?anomaly,
            "the manager's message is not as it should be"
        );
    }
    received.message
}

/// IPv4 addresses as such.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
