//! What is asked and what is answered.

use core::fmt;
use std::collections::BTreeMap;

use selsius_exchange::{
    record::{CallEnded, CallId, CallQuality, EndCause, Mos, WallTime},
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
    /// Only calls with lower ids: how to go on after the last of a page.
    pub before: Option<CallId>,
    /// Only calls that ended then or later.
    pub since: Option<WallTime>,
    /// Only calls that ended before.
    pub until: Option<WallTime>,
    /// Only calls from or to this number, that dialled it, or that it led on or got.
    pub number: Option<String>,
    /// Only calls in which this phone took part.
    pub device: Option<DeviceName>,
    /// Only calls that ended for this reason.
    pub cause: Option<EndCause>,
    /// Only calls that came to this.
    pub outcome: Option<Outcome>,
    /// Only calls of which somebody has heard less than this.
    pub below: Option<Mos>,
}

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody answered.
    Answered,
    /// Nobody answered.
    Missed,
}

/// A list of calls, as phones have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallListKind {
    /// To the line, and nobody answered, on whatever phone.
    Missed,
    /// To the line, and somebody answered.
    Received,
    /// From the line.
    Placed,
}

/// How long records are kept. By default for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Calls and device events that are older than so many days are removed.
    pub days: Option<u32>,
    /// Only so many calls are kept, the newest.
    pub calls: Option<u64>,
}

impl Default for CallFilter {
    /// The newest 100 of all calls.
    fn default() -> Self {
        Self {
            newest: 100,
            before: None,
            since: None,
            until: None,
            number: None,
            device: None,
            cause: None,
            outcome: None,
            below: None,
        }
    }
}

/// A finished call and what was counted of its audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The call. Its id is unique in this store; after a restore it can differ from the one in the logs.
    pub call: CallEnded,
    /// How the audio of its legs was, in the order of the legs; empty if nobody has said.
    pub quality: Vec<CallQuality>,
}

/// The cause of this name, as records have it.
pub fn end_cause(name: &str) -> Option<EndCause> {
    EndCause::ALL.iter().copied().find(|cause| cause.name() == name)
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
