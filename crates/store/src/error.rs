//! What can go wrong, by what somebody has to do about it.

use std::{error::Error, fmt::Write, io, path::PathBuf};

use thiserror::Error;

use crate::SiteVersion;

/// Why the store cannot do something. Its `Display` is one line that says what to do, without its source.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The data directory cannot be made or written.
    #[error("cannot write to the data directory {}", path.display())]
    NotWritable {
        /// The directory, or the file in it that could not be written.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process works in the data directory.
    #[error(
        "the data directory {} is in use by another selsius{}", path.display(),
        process.map_or(String::new(), |process| format!(" (process {process})"))
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process that holds it, if it said so.
        process: Option<u32>,
    },
    /// A newer selsius has written the database.
    #[error(
        "the database {} has version {found}, this selsius knows versions up to {known}: use the newer selsius",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that we know.
        known: i64,
    },
    /// A database, but not of selsius.
    #[error("{} is not a database of selsius", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Not a database, or one with damage.
    #[error("{} is not a sound database ({detail}): restore a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The site was changed since it was loaded.
    #[error("the site has changed meanwhile (from version {expected} to {found}): try again")]
    Conflict {
        /// The version that the change was made from.
        expected: SiteVersion,
        /// The version that is stored.
        found: SiteVersion,
    },
    /// A backup never replaces a file.
    #[error("{} exists already: choose another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A backup cannot be written or read.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was tried, as an infinitive.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No room for the database to grow.
    #[error("cannot {doing}: no room is left on the disk")]
    Full {
        /// What was tried, as an infinitive.
        doing: &'static str,
    },
    /// Anything else that the database says.
    #[error("cannot {doing}")]
    Database {
        /// What was tried, as an infinitive.
        doing: &'static str,
        /// What the database said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// An error and all its causes on one line, for a log.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        // Writing to a String does not fail.
        let _ = write!(line, ": {source}");
        next = source.source();
    }
    line
}
