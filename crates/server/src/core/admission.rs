//! Who is let in, how much each may say, and when it is too much for everybody.
//!
//! A limit never ends a call that is up. Connections are refused before they cost anything; who says too much is read
//! more slowly, so that nothing it says is lost, and put out when it goes on; and when the exchange's thread is late, new
//! calls are refused, but for emergency calls, and few connections are taken.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use selsius_exchange::{Load, Meters, Rate, Time, network_of};

use super::Limits;

/// Connections of those who have not registered. Those of one network of IPv6 belong together.
#[derive(Debug, Default)]
pub(super) struct Admission {
    of_network: BTreeMap<IpAddr, usize>,
    all: usize,
    pace: Meters,
}

/// Why a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are as many as there may be.
    Full,
    /// So many have not registered.
    Unregistered,
    /// So many of this address have not.
    UnregisteredOfAddress,
    /// They come too fast from there.
    TooFast,
}

impl Refusal {
    /// All of them, in order.
    pub(super) const ALL: [Self; 4] =
        [Self::Full, Self::Unregistered, Self::UnregisteredOfAddress, Self::TooFast];

    /// The key of `[limits]` that says so.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Full => "connections",
            Self::Unregistered => "unregistered",
            Self::UnregisteredOfAddress => "unregistered-per-address",
            Self::TooFast => "connections-per-second",
        }
    }

    /// What is too many, and which key of `[limits]` says so.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Full => "too many connections (connections)",
            Self::Unregistered => "too many that have not registered (unregistered)",
            Self::UnregisteredOfAddress => {
                "too many of its address that have not registered (unregistered-per-address)"
            }
            Self::TooFast => "too many a second from its address (connections-per-second)",
        }
    }
}

impl Admission {
    /// Lets a connection in beside so many that there are, and counts it as one that has not registered.
    pub(super) fn admit(
        &mut self,
        now: Time,
        address: IpAddr,
        there: usize,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let network = network_of(address);
        if there >= limits.connections {
            return Err(Refusal::Full);
        }
        if self.all >= limits.unregistered {
            return Err(Refusal::Unregistered);
        }
        if self.of_network.get(&network).is_some_and(|&count| count >= limits.unregistered_per_address) {
            return Err(Refusal::UnregisteredOfAddress);
        }
        if !self.pace.take(now, address, limits.connection_rate) {
            return Err(Refusal::TooFast);
        }
        self.all += 1;
        *self.of_network.entry(network).or_default() += 1;
        Ok(())
    }

    /// So many have not registered.
    pub(super) fn unregistered(&self) -> usize {
        self.all
    }

    /// One of those that were let in has registered, or is gone before it has.
    pub(super) fn no_longer_unregistered(&mut self, address: IpAddr) {
        let network = network_of(address);
        let Some(count) = self.of_network.get_mut(&network) else { return };
        self.all -= 1;
        *count -= 1;
        if *count == 0 {
            self.of_network.remove(&network);
        }
    }
}

/// Between two looks at what a connection has said that says too much.
pub(super) const HOLD: Duration = Duration::from_millis(100);
/// Who has not been held for so long says no longer too much.
const FORGIVEN: Duration = Duration::from_secs(1);

/// A connection that says too much.
#[derive(Debug)]
pub(super) struct Held {
    /// Is it not read at present?
    pub(super) now: bool,
    since: Time,
    last: Time,
}

impl Held {
    /// Holds a connection that was or was not held before. How long that has gone on.
    pub(super) fn again(before: &mut Option<Box<Self>>, now: Time) -> Duration {
        let held = before.get_or_insert_with(|| Box::new(Self { now: true, since: now, last: now }));
        if now.since(held.last) > HOLD + FORGIVEN {
            held.since = now;
        }
        (held.now, held.last) = (true, now);
        now.since(held.since)
    }
}

/// How late the exchange's thread is: how long something may have waited that a phone has said.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    /// When the first turn began since which not everything has been served that was there.
    behind_since: Option<Time>,
    calm_at: Time,
    load: Load,
}

/// What is left after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing that was there when it began.
    Nothing,
    /// Perhaps something: there was as much as one turn takes.
    Something,
}

impl Lateness {
    /// A turn is over. How loaded it is from now on, if that is another than before.
    pub(super) fn turn(&mut self, began: Time, ended: Time, left: Left, limits: &Limits) -> Option<Load> {
        let since = *self.behind_since.get_or_insert(began);
        if left == Left::Nothing {
            self.behind_since = None;
        }
        if ended.since(since) >= limits.late {
            self.calm_at = ended + limits.calm;
            return self.becomes(Load::Overloaded);
        }
        self.begin(ended)
    }

    /// A turn begins.
    pub(super) fn begin(&mut self, now: Time) -> Option<Load> {
        if now < self.calm_at { None } else { self.becomes(Load::Normal) }
    }

    pub(super) fn load(&self) -> Load {
        self.load
    }

    fn becomes(&mut self, load: Load) -> Option<Load> {
        (std::mem::replace(&mut self.load, load) != load).then_some(load)
    }
}

/// So many connections a second in the long run; two seconds' worth of them may come at once.
pub fn connection_rate(per_second: u32) -> Rate {
    Rate::per_second(per_second, per_second.saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn each_limit_has_its_reason_and_registering_makes_room() {
        let limits = Limits {
            connections: 10,
            unregistered: 4,
            unregistered_per_address: 2,
            connection_rate: connection_rate(100),
            ..Limits::default()
        };
        let mut admission = Admission::default();
        let [alice, bob, carol] = [1, 2, 3].map(|host| IpAddr::from([192, 0, 2, host]));
        let admit = |admission: &mut Admission, address| admission.admit(at(0), address, 0, &limits);
        assert_eq!(admit(&mut admission, alice), Ok(()));
        assert_eq!(admit(&mut admission, alice), Ok(()));
        assert_eq!(admit(&mut admission, alice), Err(Refusal::UnregisteredOfAddress));
        assert_eq!(admit(&mut admission, bob), Ok(()));
        assert_eq!(admit(&mut admission, bob), Ok(()));
        assert_eq!(admit(&mut admission, carol), Err(Refusal::Unregistered));
        admission.no_longer_unregistered(alice);
        assert_eq!(admit(&mut admission, carol), Ok(()));
        assert_eq!(admission.admit(at(0), carol, 10, &limits), Err(Refusal::Full));
        for address in [alice, bob, bob, carol] {
            admission.no_longer_unregistered(address);
        }
        assert!(admission.of_network.is_empty() && admission.all == 0);
    }

    #[test]
    fn connections_have_a_pace() {
        let limits = Limits { connection_rate: connection_rate(10), ..Limits::default() };
        let (mut admission, address) = (Admission::default(), IpAddr::from([192, 0, 2, 1]));
        let mut taken = |millis| {
            let taken = admission.admit(at(millis), address, 0, &limits);
            if taken.is_ok() {
                admission.no_longer_unregistered(address);
            }
            taken
        };
        assert_eq!((0..30).filter(|_| taken(0).is_ok()).count(), 20);
        assert_eq!(taken(0), Err(Refusal::TooFast));
        assert_eq!((0..30).filter(|_| taken(500).is_ok()).count(), 5);
    }

    #[test]
    fn who_says_too_much_again_and_again_is_known_for_it_and_forgiven() {
        let mut held = None;
        assert_eq!(Held::again(&mut held, at(1_000)), Duration::ZERO);
        assert_eq!(Held::again(&mut held, at(1_150)), Duration::from_millis(150));
        assert_eq!(Held::again(&mut held, at(2_200)), Duration::from_millis(1_200));
        assert_eq!(Held::again(&mut held, at(3_400)), Duration::ZERO, "a second without it");
    }

    #[test]
    fn a_long_turn_and_a_long_backlog_are_late_and_it_calms_down_after_a_second() {
        let limits = Limits { late: Duration::from_millis(200), ..Limits::default() };
        let mut lateness = Lateness::default();
        assert_eq!(lateness.turn(at(0), at(199), Left::Nothing, &limits), None);
        assert_eq!(lateness.turn(at(1_000), at(1_200), Left::Nothing, &limits), Some(Load::Overloaded));
        assert_eq!(lateness.turn(at(1_300), at(1_310), Left::Nothing, &limits), None, "for a second");
        assert_eq!(lateness.begin(at(2_199)), None);
        assert_eq!(lateness.begin(at(2_200)), Some(Load::Normal));
        // Short turns, each of which leaves something.
        assert_eq!(lateness.turn(at(3_000), at(3_100), Left::Something, &limits), None);
        assert_eq!(lateness.turn(at(3_100), at(3_200), Left::Something, &limits), Some(Load::Overloaded));
        assert_eq!(lateness.turn(at(3_200), at(3_300), Left::Nothing, &limits), None);
        assert_eq!(lateness.turn(at(4_400), at(4_450), Left::Nothing, &limits), Some(Load::Normal));
    }
}
