//! Who connects from where, how often, and under which names.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
};
use core::{net::IpAddr, time::Duration};

use selsius_wire::{
    Time,
    rate::{Meter, network_of},
};

use super::{finding::FindingKind, judge::Found, policy::Limits};

/// What each source does. An IPv6 source is a network of 64 bits.
#[derive(Debug, Default)]
pub(super) struct Sources(BTreeMap<IpAddr, Source>);

#[derive(Debug)]
struct Source {
    connections: usize,
    connects: Meter,
    registers: Meter,
    /// Names that it asked for, since `names_since`.
    names: BTreeSet<String>,
    names_since: Time,
    blocked: Option<Time>,
}

/// Sources that are remembered. One more is measured only by what holds for all together.
const MOST_SOURCES: usize = 65_536;
/// For so long the names that a source asks for are counted.
const NAMES_WITHIN: Duration = Duration::from_secs(600);

impl Default for Source {
    fn default() -> Self {
        Self {
            connections: 0,
            connects: Meter::UNUSED,
            registers: Meter::UNUSED,
            names: BTreeSet::new(),
            names_since: Time::ZERO,
            blocked: None,
        }
    }
}

impl Sources {
    /// May one more connection of this source be opened?
    pub(super) fn check_open(&mut self, now: Time, address: IpAddr, limits: &Limits, found: &mut Found) {
        let Some(source) = self.source(now, address) else { return };
        if source.connections >= limits.connections_per_source {
            found.say(FindingKind::TooManyConnections, format!("{} of this source", source.connections + 1));
        }
        if !source.connects.take(now, limits.connection_rate) {
            found.add(FindingKind::ConnectionRate);
        }
    }

    /// May this source ask to be this device?
    pub(super) fn check_name(
        &mut self,
        now: Time,
        address: IpAddr,
        name: &str,
        limits: &Limits,
        found: &mut Found,
    ) {
        let Some(source) = self.source(now, address) else { return };
        if !source.registers.take(now, limits.register_rate) {
            found.add(FindingKind::RegisterRate);
        }
        if now > source.names_since + NAMES_WITHIN {
            source.names.clear();
            source.names_since = now;
        }
        if source.names.contains(name) {
            return;
        }
        if source.names.len() >= limits.names_per_source {
            found.say(FindingKind::NameGuessing, format!("{} names", source.names.len() + 1));
        } else {
            source.names.insert(name.into());
        }
    }

    pub(super) fn opened(&mut self, address: IpAddr) {
        if let Some(source) = self.0.get_mut(&network_of(address)) {
            source.connections += 1;
        }
    }

    pub(super) fn closed(&mut self, address: IpAddr) {
        if let Some(source) = self.0.get_mut(&network_of(address)) {
            source.connections = source.connections.saturating_sub(1);
        }
    }

    pub(super) fn block(&mut self, now: Time, address: IpAddr, until: Time) {
        if let Some(source) = self.source(now, address) {
            source.blocked = Some(until);
        }
    }

    pub(super) fn is_blocked(&self, now: Time, address: IpAddr) -> bool {
        self.0.get(&network_of(address)).and_then(|source| source.blocked).is_some_and(|until| now < until)
    }

    pub(super) fn blocked(&self, now: Time) -> impl Iterator<Item = (IpAddr, Time)> {
        self.0.iter().filter_map(move |(address, source)| {
            source.blocked.filter(|until| now < *until).map(|until| (*address, until))
        })
    }

    pub(super) fn unblock(&mut self, address: IpAddr) -> bool {
        self.0.get_mut(&network_of(address)).is_some_and(|source| source.blocked.take().is_some())
    }

    /// Forgets those that nothing is to be known of.
    pub(super) fn tidy(&mut self, now: Time) {
        self.0.retain(|_, source| {
            source.connections > 0
                || !source.connects.is_unused(now)
                || source.blocked.is_some_and(|until| now < until)
                || !source.names.is_empty() && now <= source.names_since + NAMES_WITHIN
        });
    }

    fn source(&mut self, now: Time, address: IpAddr) -> Option<&mut Source> {
        let network = network_of(address);
        if !self.0.contains_key(&network) && self.0.len() >= MOST_SOURCES {
            self.tidy(now);
            if self.0.len() >= MOST_SOURCES {
                return None;
            }
        }
        Some(self.0.entry(network).or_default())
    }
}
