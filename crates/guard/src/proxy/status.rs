//! How the proxy is, for people and for programs that watch it.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Proxy;

/// What the proxy counts besides the guard.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) accepting: bool,
    /// Connections that were refused since the guard had too much to do.
    pub(super) refused: u64,
    /// Connections that pass without being looked at, for the same reason.
    pub(super) uninspected: u64,
    pub(super) crashes: u64,
}

impl Default for Figures {
    fn default() -> Self {
        Self { accepting: true, refused: 0, uninspected: 0, crashes: 0 }
    }
}

/// How the guard is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Since when it runs.
    pub started: Timestamp,
    /// The policy's preset.
    pub preset: String,
    /// It accepts connections.
    pub accepting: bool,
    /// It has too much to do.
    pub overloaded: bool,
    /// Connections that are open.
    pub connections: usize,
    /// Connections that were let in since the start.
    pub connections_total: u64,
    /// Messages of phones and of managers.
    pub messages: [u64; 2],
    /// Messages of phones and of managers that did not go on.
    pub dropped: [u64; 2],
    /// Messages that were changed.
    pub changed: u64,
    /// Connections that the policy has reset.
    pub resets: u64,
    /// Connections that were refused since the guard had too much to do.
    pub refused: u64,
    /// Connections that pass without being looked at, for the same reason.
    pub uninspected: u64,
    /// Faults of the guard's own.
    pub crashes: u64,
    /// Lines of the log that could not be written.
    pub log_lost: u64,
    /// Findings with what was done, and how often.
    pub findings: Vec<(String, String, u64)>,
    /// Sources that are blocked, and until when.
    pub blocked: Vec<(IpAddr, Timestamp)>,
    /// The phones; the first 10,000.
    pub phones: Vec<PhoneStatus>,
}

/// One phone's connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneStatus {
    /// Its number since the start.
    pub connection: u64,
    /// Its name, if it said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Its address.
    pub station: SocketAddr,
    /// Its manager's.
    pub manager: SocketAddr,
    /// Since when.
    pub since: Timestamp,
    /// The version in which it is registered; absent if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u8>,
    /// Calls at the moment.
    pub calls: usize,
    /// Messages of it and of the manager.
    pub messages: [u64; 2],
    /// What was found.
    pub findings: u64,
}

/// Phones that are told of at once.
const MOST_PHONES: usize = 10_000;

impl Proxy {
    pub(super) fn status(&self) -> Status {
        let counters = self.guard.counters();
        Status {
            started: self.origin,
            preset: self.guard.policy().preset.name().into(),
            accepting: self.figures.accepting,
            overloaded: self.is_late,
            connections: self.pairs.len(),
            connections_total: counters.connections,
            messages: counters.messages,
            dropped: counters.dropped,
            changed: counters.changed,
            resets: counters.resets,
            refused: self.figures.refused,
            uninspected: self.figures.uninspected,
            crashes: self.figures.crashes,
            log_lost: self.log.lost(),
            findings: counters
                .findings
                .iter()
                .map(|((kind, action), count)| (kind.name().into(), action.name().into(), *count))
                .collect(),
            blocked: self
                .guard
                .blocked(self.now())
                .map(|(source, until)| (source, self.stamp(until)))
                .collect(),
            phones: self
                .guard
                .connections()
                .take(MOST_PHONES)
                .map(|status| PhoneStatus {
                    connection: status.connection.0,
                    device: status.device.map(Into::into),
                    station: status.ends.station,
                    manager: status.ends.manager,
                    since: self.stamp(status.since),
                    version: status.registered,
                    calls: status.calls,
                    messages: status.messages,
                    findings: status.findings,
                })
                .collect(),
        }
    }
}
