//! What is asked and what is answered.

use core::fmt;
use std::collections::BTreeMap;

use selsius_exchange::{
    record::{CallEnded, CallQuality, WallTime},
    remembered::{DeviceState, LineState},
};
use selsius_site::{DeviceName, LineNumber, Site};

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

/// What lines and phones remember, for [`selsius_exchange::Exchange::remember`]. Those that are missing have changed
/// nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The lines.
    pub lines: BTreeMap<LineNumber, LineState>,
    /// The phones.
    pub devices: BTreeMap<DeviceName, DeviceState>,
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
