//! What the manager remembers: the site, what lines and phones were set to, call records, the history of devices. By default an SQLite database
//! in the data directory, with nothing to install and nothing to set up.
//!
//! ```no_run
//! # async fn example() -> Result<(), selsius_store::StoreError> {
//! use selsius_store::{CallFilter, Opened, Store};
//!
//! let Opened { store, interrupted, first_call } = Store::open("selsius-data".as_ref()).await?;
//! let recorder = store.recorder(); // for the exchange's thread: never waits
//! let site = store.load_site().await?;
//! let calls = store.calls(&CallFilter { newest: 10, ..CallFilter::default() }).await?;
//! store.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What survives
//! - The site changes in one transaction and is on the disk when [`Store::save_site`] returns: after a
//!   `kill -9` and after a power loss it is the old one or the new one, whole.
//! - A record is committed within 50 ms of [`Recorder::record`]. From then on it survives a `kill -9`; a power
//!   loss may take the last half minute. (A change of some thousand phones at once holds records up for as
//!   long as it takes.)
//! - Calls that were up at a crash are closed at the next start with the cause `interrupted`, at the moment
//!   when the manager was last known to run, which is at most 30 s too early.
//! - When the disk is full or fails, records wait in memory ([`QUEUE_CAPACITY`]) and are tried again each
//!   second. What does not fit is given up in the order of [`Lost`], and counted. Of what lines and phones remember only
//!   the newest waits, and that is never given up.
//!
//! - Old records go as [`Store::keep`] says, in the background and a few at a time. Ids of calls are not given again.
//!
//! # Where another database goes
//! [`Store`] keeps queue, directory and policy; everything that is SQL is in the private module `sqlite`,
//! whose functions are the narrow interface that a second one (PostgreSQL) would offer.

mod directory;
mod error;
mod query;
mod queue;
mod retention;
mod sqlite;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use error::StoreError;
pub use query::{
    CallFilter, CallListKind, CallRecord, OperatorEntry, Outcome, Remembered, Retention, SiteVersion,
    StoredSite, end_cause,
};
pub use queue::{Lost, Recorder};
pub use store::{Failing, Opened, QUEUE_CAPACITY, Store, StoreStatus};
