//! From whom a party's packets are taken, and where its own are sent.
//!
//! Whoever sends to a port that is open must not be able to take a call over, or only to be heard in it. So packets
//! are taken from the address that was announced; from another one only as long as nothing has come at all, and then
//! from that one alone.

use core::net::SocketAddr;
use core::time::Duration;

use crate::Time;

/// Which address other than the announced one may turn out to be a party's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Learning {
    /// Another port of the same host: some phones send from another port than the one they listen at. What they are to
    /// hear still goes to the announced one.
    #[default]
    SameHost,
    /// Any, for the first seconds: a party behind a translation of addresses cannot announce the address that it has
    /// here. What it is to hear goes where its packets come from.
    Anywhere,
}

/// How long after the announcement a foreign address may be learnt, and is given up for the announced one.
pub(super) const WINDOW: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Gate {
    announced: Option<SocketAddr>,
    learning: Learning,
    since: Time,
    /// From where packets are taken, once one was.
    source: Option<SocketAddr>,
}

/// What a datagram's sender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// The party.
    Party,
    /// The party, from an address that it was not heard from before and did not announce.
    Learnt,
    /// Somebody else.
    Stranger,
}

impl Gate {
    pub(super) const fn new(now: Time, announced: Option<SocketAddr>, learning: Learning) -> Self {
        Self { announced, learning, since: now, source: None }
    }

    /// The party is somewhere else from now on.
    pub(super) fn announce(&mut self, now: Time, address: Option<SocketAddr>, learning: Learning) {
        if self.announced != address || self.learning != learning {
            *self = Self::new(now, address, learning);
        }
    }

    /// Who has sent this.
    pub(super) fn admit(&mut self, now: Time, from: SocketAddr) -> Sender {
        if self.source == Some(from) {
            return Sender::Party;
        }
        let Some(announced) = self.announced else { return Sender::Stranger };
        let early = now.since(self.since) <= WINDOW;
        let sender = match (self.source, self.learning) {
            (None, _) if from == announced => Sender::Party,
            (None, _) if from.ip() == announced.ip() => Sender::Learnt,
            (None, Learning::Anywhere) if early => Sender::Learnt,
            // Whoever was learnt was too fast, or the phone has changed its port to the one that it announced.
            (Some(_), Learning::SameHost) if from == announced => Sender::Party,
            (Some(_), Learning::Anywhere) if from == announced && early => Sender::Party,
            _ => return Sender::Stranger,
        };
        self.source = Some(from);
        sender
    }

    /// Whether control packets from here are the party's: they have a port of their own.
    pub(super) fn is_host(&self, from: SocketAddr) -> bool {
        let known = self.source.or(self.announced);
        known.is_some_and(|known| known.ip() == from.ip())
    }

    /// Where to send what the party is to hear.
    pub(super) fn target(&self) -> Option<SocketAddr> {
        match self.learning {
            Learning::SameHost => self.announced,
            Learning::Anywhere => self.source.or(self.announced),
        }
    }

    /// From where its packets come.
    pub(super) const fn source(&self) -> Option<SocketAddr> {
        self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNOUNCED: &str = "192.0.2.1:4000";
    const PORT: &str = "192.0.2.1:4002";
    const FOREIGN: &str = "198.51.100.7:4000";
    const OTHER: &str = "198.51.100.8:4000";

    /// Seconds, from where, and who that is.
    type Packet<'a> = (u64, &'a str, Sender);

    #[test]
    fn admits_by_the_table() {
        use Learning::{Anywhere, SameHost};
        use Sender::{Learnt, Party, Stranger};
        let table: &[(&str, Learning, &[Packet<'_>], &str)] = &[
            ("announced", SameHost, &[(0, ANNOUNCED, Party), (1, ANNOUNCED, Party)], ANNOUNCED),
            ("port", SameHost, &[(60, PORT, Learnt), (61, PORT, Party), (62, FOREIGN, Stranger)], ANNOUNCED),
            ("back", SameHost, &[(0, PORT, Learnt), (60, ANNOUNCED, Party), (61, PORT, Stranger)], ANNOUNCED),
            ("foreign", SameHost, &[(0, FOREIGN, Stranger), (1, ANNOUNCED, Party)], ANNOUNCED),
            ("nat", Anywhere, &[(4, FOREIGN, Learnt), (60, FOREIGN, Party), (60, OTHER, Stranger)], FOREIGN),
            ("late", Anywhere, &[(6, FOREIGN, Stranger), (7, ANNOUNCED, Party)], ANNOUNCED),
            (
                "too fast",
                Anywhere,
                &[(0, FOREIGN, Learnt), (1, ANNOUNCED, Party), (2, FOREIGN, Stranger)],
                ANNOUNCED,
            ),
            (
                "locked",
                Anywhere,
                &[(0, FOREIGN, Learnt), (6, ANNOUNCED, Stranger), (7, FOREIGN, Party)],
                FOREIGN,
            ),
            (
                "heard",
                Anywhere,
                &[(0, ANNOUNCED, Party), (1, FOREIGN, Stranger), (1, PORT, Stranger)],
                ANNOUNCED,
            ),
        ];
        for (name, learning, packets, target) in table {
            let mut gate = Gate::new(Time::ZERO, Some(ANNOUNCED.parse().unwrap()), *learning);
            for (n, &(seconds, from, expected)) in packets.iter().enumerate() {
                let sender = gate.admit(Time::from_millis(seconds * 1000), from.parse().unwrap());
                assert_eq!(sender, expected, "{name} {n}");
            }
            assert_eq!(gate.target(), Some(target.parse().unwrap()), "{name}");
        }
    }

    #[test]
    fn nobody_is_taken_for_a_party_that_has_not_said_where_it_is() {
        let mut gate = Gate::new(Time::ZERO, None, Learning::Anywhere);
        assert_eq!(gate.admit(Time::ZERO, FOREIGN.parse().unwrap()), Sender::Stranger);
        gate.announce(Time::from_millis(60_000), Some(ANNOUNCED.parse().unwrap()), Learning::Anywhere);
        assert_eq!(gate.admit(Time::from_millis(61_000), FOREIGN.parse().unwrap()), Sender::Learnt);
        // The same again changes nothing.
        gate.announce(Time::from_millis(62_000), Some(ANNOUNCED.parse().unwrap()), Learning::Anywhere);
        assert_eq!(gate.source(), Some(FOREIGN.parse().unwrap()));
        assert!(gate.is_host("198.51.100.7:9".parse().unwrap()));
        gate.announce(Time::from_millis(62_000), Some(OTHER.parse().unwrap()), Learning::SameHost);
        assert_eq!((gate.source(), gate.target()), (None, Some(OTHER.parse().unwrap())));
    }
}
