//! Deadlines. Each has an owner and a kind, and each owner has at most one of a kind.

use alloc::collections::{BTreeMap, BTreeSet};

use selsius_wire::Time;

/// Deadlines in order.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    order: BTreeSet<(Time, K)>,
    at: BTreeMap<K, Time>,
}

impl<K: Copy + Ord> Timers<K> {
    pub(crate) const fn new() -> Self {
        Self { order: BTreeSet::new(), at: BTreeMap::new() }
    }

    /// Sets or moves a deadline.
    pub(crate) fn set(&mut self, key: K, at: Time) {
        if let Some(before) = self.at.insert(key, at) {
            self.order.remove(&(before, key));
        }
        self.order.insert((at, key));
    }

    pub(crate) fn cancel(&mut self, key: K) {
        if let Some(before) = self.at.remove(&key) {
            self.order.remove(&(before, key));
        }
    }

    pub(crate) fn deadline(&self, key: K) -> Option<Time> {
        self.at.get(&key).copied()
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.order.first().map(|&(at, _)| at)
    }

    /// Takes the earliest deadline that is not after `now`.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<K> {
        let &(at, key) = self.order.first()?;
        if at > now {
            return None;
        }
        self.order.pop_first();
        self.at.remove(&key);
        Some(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_moves_and_fires_once() {
        let at = Time::from_millis;
        let mut timers = Timers::new();
        timers.set('a', at(10));
        timers.set('b', at(20));
        timers.set('a', at(30));
        assert_eq!(timers.next(), Some(at(20)));
        assert_eq!(timers.pop_due(at(19)), None);
        assert_eq!(timers.pop_due(at(40)), Some('b'));
        assert_eq!(timers.pop_due(at(40)), Some('a'));
        assert_eq!(timers.pop_due(at(40)), None);
        timers.set('c', at(50));
        assert_eq!(timers.deadline('c'), Some(at(50)));
        timers.cancel('c');
        assert_eq!((timers.next(), timers.len()), (None, 0));
    }
}
