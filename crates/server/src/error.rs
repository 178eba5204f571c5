//! Why a manager does not start.

use std::{io, net::SocketAddr, path::PathBuf};

use selsius_site::SiteFileError;
use selsius_store::StoreError;
use thiserror::Error;

use crate::core::StartError;

/// Why a manager does not start. [`ServeError::hint`] says what to do about it.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The data directory or the database in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The site file; nothing of it was applied.
    #[error(transparent)]
    Site(#[from] SiteFileError),
    /// The site file says something that this machine cannot do; nothing of it was applied.
    #[error("{0}")]
    SiteFile(String),
    /// The numbers for unknown phones do not fit into the site.
    #[error("cannot register phones automatically: {0}")]
    AutoRegister(String),
    /// The phones' sockets or the exchange's thread.
    #[error(transparent)]
    Exchange(#[from] StartError),
    /// The thread for audio.
    #[error("cannot start the media thread")]
    Media(#[source] io::Error),
    /// An address for files.
    #[error("cannot serve files by {protocol} on {address}")]
    Listen {
        /// `TFTP` or `HTTP`.
        protocol: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The address for figures.
    #[error("cannot serve metrics on {address}")]
    ListenMetrics {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A manager answers on the admin socket.
    #[error("another selsius runs with this data directory: it answers on {}", .0.display())]
    AdminInUse(PathBuf),
    /// The admin socket.
    #[error("cannot make the admin socket {}", path.display())]
    Admin {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder with firmware, locales and rings.
    #[error("cannot use the folder {}", path.display())]
    Files {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ServeError {
    /// What to do about it; `None` where the error says so itself.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(StoreError::NotWritable { source, .. })
                if source.kind() == io::ErrorKind::StorageFull =>
            {
                Some(ROOM.into())
            }
            Self::Store(StoreError::NotWritable { .. }) => {
                Some("choose another with --data-dir, or give this user the right to write there".into())
            }
            Self::Store(StoreError::InUse { .. }) | Self::AdminInUse(_) => {
                Some("stop it, or choose another data directory with --data-dir".into())
            }
            Self::Store(StoreError::Full { .. }) => Some(ROOM.into()),
            Self::Store(_) | Self::Site(_) | Self::SiteFile(_) => None,
            Self::AutoRegister(_) => Some("choose other numbers with --auto-register".into()),
            Self::Exchange(StartError::Listen { source, .. }) => listen_hint("--sccp", source),
            Self::Exchange(StartError::System(_)) | Self::Media(_) => None,
            Self::Listen { protocol: "TFTP", source, .. } => listen_hint("--tftp", source),
            Self::Listen { source, .. } => listen_hint("--http", source),
            Self::ListenMetrics { source, .. } => {
                listen_hint("`listen` in [metrics] of selsius.toml", source)
            }
            Self::Admin { source, .. } if source.kind() == io::ErrorKind::InvalidInput => {
                Some("its path is too long for a socket; choose a shorter --data-dir".into())
            }
            Self::Admin { .. } => {
                Some("choose another --data-dir, on a file system with Unix sockets".into())
            }
            Self::Files { .. } => {
                Some("make it readable, or set another with `files` in selsius.toml".into())
            }
        }
    }
}

const ROOM: &str = "make room where the data directory is, and start it again";

fn listen_hint(option: &str, source: &io::Error) -> Option<String> {
    match source.kind() {
        io::ErrorKind::AddrInUse => Some(format!(
            "stop the program that has this port (`ss -lnp` shows it), or choose another with {option}"
        )),
        io::ErrorKind::AddrNotAvailable => {
            Some(format!("this machine does not have the address; choose one that it has with {option}"))
        }
        io::ErrorKind::PermissionDenied => {
            Some(format!("choose a port from 1024 up with {option}, or grant the right to bind low ports"))
        }
        _ => Some(format!("choose another address with {option}")),
    }
}

/// An error and all its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        line += ": ";
        line += &source.to_string();
        next = source.source();
    }
    line
}
