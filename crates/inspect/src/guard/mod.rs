//! What a firewall between phones and their manager decides: what goes on, what is changed in it, and which ways for
//! audio have to be open.
//!
//! ```text
//!  bytes of one side ──> Stream (messages) ──> form, registration, calls, media ──> findings ──> Policy ──> what is done
//!                                                                                                    │ goes on
//!  bytes for the other side <── scrub, translation of addresses <── what is learnt from it <──────────┘
//! ```
//!
//! Nothing here does I/O: connections are opened by [`Guard::open`], bytes go through [`Guard::receive`], and what else is to
//! be done or told comes out of [`Guard::poll_output`].
//!
//! **Transparent.** What no rule changes goes on byte for byte, messages that nobody knows included.
//!
//! **Bounds.** A connection holds at most one incomplete message each way, 64 streams, and some calls more than
//! the policy allows; sources are remembered up to 65536. A device is remembered only while it is registered.

mod calls;
mod connection;
mod finding;
mod form;
mod judge;
mod media;
mod nat;
mod policy;
mod registration;
mod replay;
mod sources;
mod stream;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod threats;

use alloc::{
    collections::{BTreeMap, VecDeque},
    string::String,
    sync::Arc,
    vec::Vec,
};
use core::net::{IpAddr, SocketAddr};

use selsius_wire::Time;

pub use self::{
    calls::CallSummary,
    finding::{Action, FindingKind, Severity},
    media::{Hole, Passage},
    nat::{Nat, Translation},
    policy::{Limits, MediaRules, Messages, Policy, Preset, Source},
    replay::Replay,
};
use self::{connection::Connection, judge::Found, nat::Translator, sources::Sources};
use crate::conversation::Side;

/// One phone's connection, as the guard names it. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The phone, as the guard sees it.
    pub station: SocketAddr,
    /// The manager.
    pub manager: SocketAddr,
    /// The connection is seen from its beginning. Else nothing is said of what may have happened before.
    pub whole: bool,
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// It goes on.
    Go,
    /// It is to be reset on both sides.
    Reset,
}

/// What the guard wants to be done or known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Something was found.
    Finding(Finding),
    /// This has to be let through for a stream from now on, instead of what was said of it before.
    Passage {
        /// Whose stream it is.
        connection: ConnectionId,
        /// The ways.
        passage: Passage,
    },
    /// A phone has registered.
    Registered {
        /// Its connection.
        connection: ConnectionId,
        /// Its name.
        device: Arc<str>,
        /// The version that was agreed on.
        version: u8,
    },
    /// A manager has told a phone its managers, in the order in which they are to be tried.
    Servers {
        /// The phone's connection.
        connection: ConnectionId,
        /// The managers, by their own addresses.
        servers: Vec<SocketAddr>,
    },
    /// A call is over.
    Call {
        /// Its phone's connection.
        connection: ConnectionId,
        /// The phone, if it said its name.
        device: Option<Arc<str>>,
        /// The call.
        call: CallSummary,
    },
}

/// Something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// When.
    pub time: Time,
    /// In which connection; `None` if it was not let in.
    pub connection: Option<ConnectionId>,
    /// Its ends.
    pub ends: Ends,
    /// Which phone, if it said its name.
    pub device: Option<Arc<str>>,
    /// What.
    pub kind: FindingKind,
    /// What is done about it.
    pub action: Action,
    /// Who sent it.
    pub from: Side,
    /// In which message; `None` if it is about the connection.
    pub message: Option<u32>,
    /// In which field, with its offset in the body.
    pub field: Option<(&'static str, usize)>,
    /// What exactly.
    pub detail: String,
    /// How often it was found in this connection, with this one. It is told the 1st, 2nd, 4th, 8th time and so on.
    pub count: u64,
}

/// How the guard is set.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The rules.
    pub policy: Policy,
    /// Translation of addresses.
    pub translation: Translation,
}

/// What was counted since the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections that were let in.
    pub connections: u64,
    /// Messages of phones and of managers that came.
    pub messages: [u64; 2],
    /// Messages of phones and of managers that did not go on.
    pub dropped: [u64; 2],
    /// Messages that were changed: scrubbed or translated.
    pub changed: u64,
    /// Connections that were reset.
    pub resets: u64,
    /// Findings by kind and what was done.
    pub findings: BTreeMap<(FindingKind, Action), u64>,
}

/// The guard.
#[derive(Debug)]
pub struct Guard {
    config: Config,
    connections: BTreeMap<ConnectionId, Connection>,
    shared: Shared,
    found: Found,
}

/// What connections have in common.
#[derive(Debug)]
struct Shared {
    sources: Sources,
    /// By which connection, and from where, each device is registered.
    devices: BTreeMap<Arc<str>, (ConnectionId, IpAddr)>,
    stations: Translator,
    managers: Translator,
    /// Where phones of ours appear to the manager, and where they really listen.
    appearances: BTreeMap<SocketAddr, SocketAddr>,
    /// How managers appear to phones.
    servers: BTreeMap<SocketAddr, SocketAddr>,
    next: u64,
    out: VecDeque<Output>,
    counters: Counters,
}

impl Guard {
    /// A guard without connections.
    pub fn new(config: Config) -> Self {
        let shared = Shared {
            sources: Sources::default(),
            devices: BTreeMap::new(),
            stations: Translator::new(config.translation.stations.clone()),
            managers: Translator::new(config.translation.managers.clone()),
            appearances: BTreeMap::new(),
            servers: config.translation.servers.clone(),
            next: 0,
            out: VecDeque::new(),
            counters: Counters::default(),
        };
        Self { config, connections: BTreeMap::new(), shared, found: Found::default() }
    }

    /// Other rules from now on, for connections that are open, too. Translation stays.
    pub fn set_policy(&mut self, policy: Policy) {
        for connection in self.connections.values_mut() {
            connection.source_rules = policy.source(connection.ends.station.ip());
        }
        self.config.policy = policy;
    }

    /// The rules.
    pub fn policy(&self) -> &Policy {
        &self.config.policy
    }

    /// A phone connects. `None`: it is not let in.
    pub fn open(&mut self, now: Time, ends: Ends) -> Option<ConnectionId> {
        let policy = &self.config.policy;
        let rules = policy.source(ends.station.ip());
        let limits = policy.limits(rules);
        if self.shared.sources.is_blocked(now, ends.station.ip()) {
            self.shared.counters.resets += 1;
            return None;
        }
        self.found.clear();
        self.shared.sources.check_open(now, ends.station.ip(), limits, &mut self.found);
        if self.connections.len() >= policy.limits.connections {
            self.found.say(FindingKind::TooManyConnections, "of all sources".into());
        }
        let mut connection = Connection::new(now, ends, rules);
        let action = connection.judge(now, None, Side::Station, None, policy, &mut self.shared, &self.found);
        if action >= Action::Drop {
            return None;
        }
        self.shared.next += 1;
        let id = ConnectionId(self.shared.next);
        self.shared.counters.connections += 1;
        self.shared.sources.opened(ends.station.ip());
        self.connections.insert(id, connection);
        Some(id)
    }

    /// Takes what one side has said, and appends what goes on to the other one to `onward`. After [`Flow::Reset`] the
    /// connection is forgotten.
    pub fn receive(
        &mut self,
        now: Time,
        id: ConnectionId,
        from: Side,
        bytes: &[u8],
        onward: &mut Vec<u8>,
    ) -> Flow {
        // Taken out meanwhile: whatever a fault of ours does here, it does to this connection alone.
        let Some(mut connection) = self.connections.remove(&id) else { return Flow::Reset };
        let Self { config, shared, found, .. } = self;
        match connection.receive(now, id, from, bytes, onward, config, shared, found) {
            Flow::Go => {
                self.connections.insert(id, connection);
                Flow::Go
            }
            Flow::Reset => {
                shared.counters.resets += 1;
                connection.close(now, id, shared);
                Flow::Reset
            }
        }
    }

    /// Bytes of one side were not seen. It goes on with a message, and nothing is said of what may have happened meanwhile.
    pub fn lose(&mut self, id: ConnectionId, from: Side) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.lose(from);
        }
    }

    /// One side will say nothing more. Appends to `onward` what still goes on to the other one.
    pub fn finish(&mut self, now: Time, id: ConnectionId, from: Side, onward: &mut Vec<u8>) -> Flow {
        let Self { config, shared, found, connections } = self;
        let Some(connection) = connections.get_mut(&id) else { return Flow::Reset };
        connection.finish(now, id, from, onward, &config.policy, shared, found)
    }

    /// A connection is over.
    pub fn close(&mut self, now: Time, id: ConnectionId) {
        if let Some(mut connection) = self.connections.remove(&id) {
            connection.close(now, id, &mut self.shared);
        }
    }

    /// What is to be done or known. To be emptied after each call of the others.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.shared.out.pop_front()
    }

    /// Connections whose message should be complete by now: they are to be reset. Call it about once a second.
    pub fn overdue(&mut self, now: Time) -> Vec<ConnectionId> {
        let Self { config, shared, found, connections } = self;
        let mut overdue = Vec::new();
        for (&id, connection) in connections.iter_mut() {
            if connection.overdue(now, id, &config.policy, shared, found) == Flow::Reset {
                overdue.push(id);
            }
        }
        for id in &overdue {
            self.shared.counters.resets += 1;
            self.close(now, *id);
        }
        self.shared.sources.tidy(now);
        overdue
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Connections that are open.
    pub fn connections(&self) -> impl Iterator<Item = Status<'_>> {
        self.connections.iter().map(|(&id, connection)| connection.status(id))
    }

    /// Sources that are blocked now.
    pub fn blocked(&self, now: Time) -> impl Iterator<Item = (IpAddr, Time)> {
        self.shared.sources.blocked(now)
    }

    /// A source may connect again.
    pub fn unblock(&mut self, source: IpAddr) -> bool {
        self.shared.sources.unblock(source)
    }
}

/// How a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status<'g> {
    /// Which.
    pub connection: ConnectionId,
    /// Its ends.
    pub ends: Ends,
    /// Since when.
    pub since: Time,
    /// Who, if it said so.
    pub device: Option<&'g str>,
    /// It is registered, in this version.
    pub registered: Option<u8>,
    /// Calls at the moment.
    pub calls: usize,
    /// Messages of the phone and of the manager.
    pub messages: [u64; 2],
    /// Findings.
    pub findings: u64,
}
