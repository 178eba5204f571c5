//! What is asked and what is answered.

use core::fmt;

use selsius_exchange::record::{CallEnded, CallQuality, WallTime};
use selsius_site::{DeviceName, Site};

/// Counts the changes of the site; 0 as long as nobody has changed the empty one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiteVersion(pub u64);

impl fmt::Display for SiteVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The site as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredSite {
    /// The site.
    pub site: Site,
    /// Its version, which whoever changes it has to know.
    pub version: SiteVersion,
}

/// Which calls are wanted: those that meet all conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFilter {
    /// At most so many, the newest.
    pub newest: u32,
    /// Only calls that ended then or later.
    pub since: Option<WallTime>,
    /// Only calls from or to this number, or that dialled it.
    pub number: Option<String>,
    /// Only calls in which this phone took part.
    pub device: Option<DeviceName>,
}

impl Default for CallFilter {
    /// The newest 100 of all calls.
    fn default() -> Self {
        Self { newest: 100, since: None, number: None, device: None }
    }
}

/// A finished call and what its phones counted of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The call. Its id is unique in this store; after a restore it can differ from the one in the logs.
    pub call: CallEnded,
    /// What the phones counted, by the phone's name; empty if they did not say.
    pub quality: Vec<CallQuality>,
}

/// Something that an operator changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorEntry {
    /// When.
    pub at: WallTime,
    /// The user id of the process that asked.
    pub uid: u32,
    /// Its name; empty if it has none.
    pub user: String,
    /// Whose session it was, where the machine knows: the person who became root. Empty otherwise.
    pub login: String,
    /// The process, where the machine told.
    pub process: Option<i32>,
    /// What was done, on one line.
    pub what: String,
    /// What that changed of the site, a line each.
    pub changes: Vec<String>,
}
