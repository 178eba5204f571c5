//! What is due later, the earliest first.

use std::{cmp::Reverse, collections::BinaryHeap};

use selsius_wire::Time;

/// Tasks with their moments. Nothing is taken back: whoever gets a task looks whether it still means something, which
/// is cheaper than to find it when it does not.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    serial: u64,
}

/// Ordered by moment, then by the order in which they came.
#[derive(Debug)]
struct Entry<T> {
    at: Time,
    serial: u64,
    task: T,
}

impl<T> Agenda<T> {
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), serial: 0 }
    }

    pub(crate) fn add(&mut self, at: Time, task: T) {
        self.serial += 1;
        self.heap.push(Reverse(Entry { at, serial: self.serial, task }));
    }

    pub(crate) fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes a task that is due, and when it was.
    pub(crate) fn take_due(&mut self, now: Time) -> Option<(Time, T)> {
        if self.next_at()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.task))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.serial == other.serial
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_equals_in_their_order() {
        let mut agenda = Agenda::new();
        for (at, task) in [(30, 'c'), (10, 'a'), (30, 'd'), (20, 'b')] {
            agenda.add(Time::from_micros(at), task);
        }
        assert_eq!(agenda.take_due(Time::from_micros(9)), None);
        let taken: Vec<_> = std::iter::from_fn(|| agenda.take_due(Time::from_micros(30)))
            .map(|(at, task)| (at.as_micros(), task))
            .collect();
        assert_eq!(taken, [(10, 'a'), (20, 'b'), (30, 'c'), (30, 'd')]);
        assert_eq!(agenda.next_at(), None);
    }
}
