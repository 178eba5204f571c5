//! How often something may happen: so many times at once, and so many in the long run.
//!
//! The generic cell rate algorithm (ITU-T I.371): what was used is one moment in time, the one at which all of it will be
//! available again.

use alloc::collections::BTreeMap;
use core::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use crate::Time;

/// A bound on how often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// From one to the next in the long run.
    every: Duration,
    /// So many may come at once.
    burst: u32,
}

impl Rate {
    /// So many a second in the long run, 1 to 1,000,000, and so many at once, 1 or more. What is out of range counts as
    /// the nearest that is in it.
    pub fn per_second(number: u32, burst: u32) -> Self {
        Self { every: Duration::from_secs(1) / number.clamp(1, 1_000_000), burst: burst.max(1) }
    }

    /// One each `every` in the long run, and so many at once, 1 or more.
    pub fn every(every: Duration, burst: u32) -> Self {
        Self { every, burst: burst.max(1) }
    }

    /// So many a minute in the long run, 1 or more, and as many at once.
    pub fn per_minute(number: u32) -> Self {
        Self { every: Duration::from_secs(60) / number.max(1), burst: number.max(1) }
    }

    fn room(self) -> Duration {
        self.every.saturating_mul(self.burst)
    }
}

/// What somebody has used of a [`Rate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meter {
    /// When everything is available again.
    full: Time,
}

impl Meter {
    /// Nothing is used.
    pub const UNUSED: Self = Self { full: Time::ZERO };

    /// Uses one. `false` if there is none, which costs nothing.
    pub fn take(&mut self, now: Time, rate: Rate) -> bool {
        if !self.allows(now, rate) {
            return false;
        }
        self.full = self.full.max(now) + rate.every;
        true
    }

    /// Is there one?
    pub fn allows(&self, now: Time, rate: Rate) -> bool {
        self.full.max(now) + rate.every <= now + rate.room()
    }

    /// Is everything available?
    pub fn is_unused(&self, now: Time) -> bool {
        self.full <= now
    }
}

/// Networks that are kept an eye on at a time. One more is not measured while all of them are in use: an attacker with so
/// many networks is bounded by what holds for all together.
const NETWORKS: usize = 4096;

/// What each network has used of a [`Rate`].
#[derive(Debug, Default)]
pub struct Meters(BTreeMap<IpAddr, Meter>);

impl Meters {
    /// Nothing is used.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Uses one of the network of `address`. `false` if there is none.
    pub fn take(&mut self, now: Time, address: IpAddr, rate: Rate) -> bool {
        let network = network_of(address);
        if !self.0.contains_key(&network) && self.0.len() >= NETWORKS {
            self.0.retain(|_, meter| !meter.is_unused(now));
            if self.0.len() >= NETWORKS {
                return true;
            }
        }
        self.0.entry(network).or_insert(Meter::UNUSED).take(now, rate)
    }

    /// Is there one for the network of `address`?
    pub fn allows(&self, now: Time, address: IpAddr, rate: Rate) -> bool {
        self.0.get(&network_of(address)).is_none_or(|meter| meter.allows(now, rate))
    }
}

/// Whom an address belongs to: itself with IPv4, and with IPv6 the network of 64 bits that everybody has for himself.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_what_the_rate_gives() {
        let rate = Rate::per_second(10, 5);
        let mut meter = Meter::UNUSED;
        let mut passed = |from: u64, to: u64| {
            (from..to).filter(|&millis| meter.take(Time::from_millis(millis), rate)).count()
        };
        assert_eq!(passed(1_000, 1_001), 1);
        assert_eq!(passed(1_001, 1_100), 4, "the rest of the burst");
        assert_eq!(passed(1_100, 2_000), 9, "one each 100 ms");
        assert_eq!(passed(60_000, 60_001), 1);
        assert_eq!(passed(60_001, 60_100), 4, "never more than the burst, however long it was quiet");
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let rate = Rate::per_minute(2);
        let mut meter = Meter::UNUSED;
        let at = Time::from_millis;
        assert!(meter.take(at(0), rate) && meter.take(at(0), rate));
        assert!((0..30_000).all(|millis| !meter.take(at(millis), rate)));
        assert!(meter.take(at(30_000), rate));
        assert!(!meter.is_unused(at(89_999)) && meter.is_unused(at(90_000)));
    }

    #[test]
    fn a_network_of_ipv6_is_one() {
        let rate = Rate::per_second(1, 1);
        let mut meters = Meters::new();
        let mut take = |address: &str| meters.take(Time::ZERO, address.parse().unwrap(), rate);
        assert!(take("2001:db8::1") && !take("2001:db8::2") && take("2001:db8:0:1::1"));
        assert!(take("192.0.2.1") && take("192.0.2.2") && !take("::ffff:192.0.2.2"));
    }

    #[test]
    fn many_networks_take_a_bounded_room() {
        let rate = Rate::per_second(1, 1);
        let mut meters = Meters::new();
        let address = |number: u32| IpAddr::from(number.to_be_bytes());
        for number in 0..10_000 {
            assert!(meters.take(Time::ZERO, address(number), rate));
        }
        assert_eq!(meters.0.len(), NETWORKS);
        assert!(!meters.take(Time::ZERO, address(0), rate), "who is measured stays so");
        assert!(meters.take(Time::from_millis(1_000), address(20_000), rate));
        assert_eq!(meters.0.len(), 1, "who uses nothing is forgotten");
    }
}
