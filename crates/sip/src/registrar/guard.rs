//! Who guesses passwords gets few guesses, by where he sits and by whom he wants to be. Without a clock.

use std::{collections::BTreeMap, net::IpAddr};

use selsius_exchange::{Meter, Meters, Rate, Time};

/// Wrong guesses of an address (of a network with IPv6) in a minute. A phone with a wrong password asks once a minute or so.
const OF_ADDRESS: u32 = 20;
/// Wrong guesses of a name in a minute, wherever they come from.
const OF_NAME: u32 = 10;
/// Names that are kept an eye on at a time.
const MOST_NAMES: usize = 1024;

/// Counts wrong guesses.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    addresses: Meters,
    names: BTreeMap<String, Meter>,
}

impl Guard {
    /// May somebody at this address try to be whoever has this name?
    pub(crate) fn allows(&self, now: Time, address: IpAddr, name: &str) -> bool {
        let of_name = self.names.get(&key(name));
        self.addresses.allows(now, address, Rate::per_minute(OF_ADDRESS))
            && of_name.is_none_or(|meter| meter.allows(now, Rate::per_minute(OF_NAME)))
    }

    /// The guess was wrong. Is it the last one for now?
    pub(crate) fn wrong(&mut self, now: Time, address: IpAddr, name: &str) -> bool {
        let before = self.allows(now, address, name);
        self.addresses.take(now, address, Rate::per_minute(OF_ADDRESS));
        let key = key(name);
        if !self.names.contains_key(&key) && self.names.len() >= MOST_NAMES {
            self.names.retain(|_, meter| !meter.is_unused(now));
        }
        // Who has a thousand names is bounded by his addresses.
        if self.names.contains_key(&key) || self.names.len() < MOST_NAMES {
            self.names.entry(key).or_insert(Meter::UNUSED).take(now, Rate::per_minute(OF_NAME));
        }
        before && !self.allows(now, address, name)
    }
}

fn key(name: &str) -> String {
    name.chars().take(32).map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(last: u8) -> IpAddr {
        [203, 0, 113, last].into()
    }

    fn guesses(guard: &mut Guard, at: Time, from: IpAddr, name: impl Fn(usize) -> String) -> usize {
        let mut tried = 0;
        while tried < 1000 && guard.allows(at, from, &name(tried)) {
            guard.wrong(at, from, &name(tried));
            tried += 1;
        }
        tried
    }

    #[test]
    fn guesses_are_few_for_a_name_and_for_an_address() {
        let mut guard = Guard::default();
        let start = Time::from_millis(1_000_000);
        let later = |seconds: u64| Time::from_millis(1_000_000 + seconds * 1000);
        assert_eq!(guesses(&mut guard, start, host(1), |_| "anna".into()), 10);
        // The same name, however it is written, from elsewhere.
        assert_eq!(guesses(&mut guard, start, host(2), |_| "ANNA".into()), 0);
        assert_eq!(guesses(&mut guard, start, host(2), |_| "bert".into()), 10);
        assert_eq!(guesses(&mut guard, start, host(3), |at| format!("name{at}")), 20);
        assert_eq!(guesses(&mut guard, later(6), host(1), |_| "anna".into()), 1, "one each six seconds");
        assert!(!guard.wrong(later(7), host(1), "anna"), "it was none for now already");
        assert_eq!(guesses(&mut guard, later(600), host(1), |_| "anna".into()), 10);
    }

    #[test]
    fn few_names_are_remembered() {
        let mut guard = Guard::default();
        let now = Time::from_millis(1_000_000);
        for at in 0..MOST_NAMES * 2 {
            let [_, _, high, low] = u32::try_from(at).unwrap().to_be_bytes();
            guard.wrong(now, [10, 0, high, low].into(), &format!("name{at}"));
        }
        assert_eq!(guard.names.len(), MOST_NAMES);
        guard.wrong(Time::from_millis(2_000_000), host(1), "anna");
        assert_eq!(guard.names.len(), 1);
    }
}
