//! What happens when: events by their time, and those of the same time in the order in which they were put in.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap},
};

use selsius_exchange::Time;

/// A queue for very many events, most of which are not due soon. Those lie unsorted by short spans of time, and only the earliest
/// span is a heap, which fits into the processor's cache: one heap of all takes a quarter of the bed's time with 100,000 phones.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    /// The earliest span, and whatever is put in before it.
    now: BinaryHeap<Reverse<Entry<E>>>,
    /// Where that span ends.
    now_until: u64,
    later: BTreeMap<u64, Vec<Reverse<Entry<E>>>>,
    serial: u64,
}

#[derive(Debug)]
struct Entry<E> {
    at: Time,
    serial: u64,
    event: E,
}

/// Microseconds of a span, as a power of two: a shorter time than most of what is put in is away.
const SPAN: u32 = 6;

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { now: BinaryHeap::new(), now_until: 0, later: BTreeMap::new(), serial: 0 }
    }
}

impl<E> Queue<E> {
    pub(crate) fn push(&mut self, at: Time, event: E) {
        self.serial += 1;
        let entry = Reverse(Entry { at, serial: self.serial, event });
        let span = at.as_micros() >> SPAN;
        if span < self.now_until {
            self.now.push(entry);
        } else {
            self.later.entry(span).or_default().push(entry);
            self.go_on();
        }
    }

    /// When the next event is due.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.now.peek().map(|Reverse(entry)| entry.at)
    }

    /// The next event, if it is not after `until`.
    pub(crate) fn pop(&mut self, until: Time) -> Option<(Time, E)> {
        self.next_at().filter(|at| *at <= until)?;
        let Reverse(Entry { at, event, .. }) = self.now.pop()?;
        self.go_on();
        Some((at, event))
    }

    /// Takes out what does not fulfil this. How many that were.
    pub(crate) fn retain(&mut self, keep: impl Fn(&E) -> bool) -> usize {
        let before = self.len();
        self.now.retain(|Reverse(entry)| keep(&entry.event));
        self.later.retain(|_, entries| {
            entries.retain(|Reverse(entry)| keep(&entry.event));
            !entries.is_empty()
        });
        self.go_on();
        before - self.len()
    }

    /// Goes on to the next span when the earliest one is over.
    fn go_on(&mut self) {
        if self.now.is_empty()
            && let Some((span, entries)) = self.later.pop_first()
        {
            self.now = entries.into();
            self.now_until = span + 1;
        }
    }

    fn len(&self) -> usize {
        self.now.len() + self.later.values().map(Vec::len).sum::<usize>()
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<E> Eq for Entry<E> {}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    use super::*;

    /// As the queue says it: by time, and then by when they were put in.
    #[derive(Default)]
    struct Plain(BTreeMap<(Time, u32), u32>);

    #[test]
    fn events_come_as_from_an_ordered_map() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut queue, mut plain) = (Queue::default(), Plain::default());
        let mut now = Time::ZERO;
        for number in 0..20_000 {
            let away = match rng.random_range(0..3_u32) {
                0 => rng.random_range(0..20),
                1 => rng.random_range(0..2_000),
                _ => rng.random_range(0..5_000_000),
            };
            // Now and then the clock goes on past what is due, and something is put in before that.
            let at = Time::from_micros((now.as_micros() + away).saturating_sub(50));
            queue.push(at, number);
            plain.0.insert((at, number), number);
            if number % 1_000 == 999 {
                let gone = queue.retain(|number| number % 7 != 0);
                let before = plain.0.len();
                plain.0.retain(|_, number| *number % 7 != 0);
                assert_eq!(gone, before - plain.0.len());
            }
            assert_eq!(queue.next_at(), plain.0.first_key_value().map(|((at, _), _)| *at));
            for _ in 0..rng.random_range(0..3_u32) {
                let expected = plain.0.pop_first().map(|((at, _), number)| (at, number));
                assert_eq!(queue.pop(Time::NEVER), expected);
                now = expected.map_or(now, |(at, _)| now.max(at));
            }
        }
        while let Some(((at, _), number)) = plain.0.pop_first() {
            assert_eq!(queue.pop(Time::from_micros(at.as_micros().saturating_sub(1))), None);
            assert_eq!(queue.pop(at), Some((at, number)));
        }
        assert_eq!(queue.pop(Time::NEVER), None);
    }
}
