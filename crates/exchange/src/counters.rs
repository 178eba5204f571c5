//! What the exchange counts.

use alloc::{collections::BTreeMap, vec, vec::Vec};
use core::time::Duration;

/// Counts since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters {
    /// Messages from phones.
    pub messages_in: u64,
    /// Messages to phones.
    pub messages_out: u64,
    /// Successful registrations.
    pub registrations: u64,
    /// Calls with a complete number.
    pub calls: u64,
    /// From Register until the phone had all that it asked for.
    pub register_to_ready: Durations,
    /// What was refused or ignored, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Reasons counted since the log last looked.
    recent: Vec<&'static str>,
}

impl Counters {
    pub(crate) fn refuse(&mut self, reason: &'static str) {
        *self.refused.entry(reason).or_default() += 1;
        if !self.recent.contains(&reason) {
            self.recent.push(reason);
        }
    }

    pub(crate) fn take_recent(&mut self) -> Vec<&'static str> {
        core::mem::take(&mut self.recent)
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            messages_in: 0,
            messages_out: 0,
            registrations: 0,
            calls: 0,
            register_to_ready: Durations::new(&REGISTER_TO_READY),
            refused: BTreeMap::new(),
            recent: Vec::new(),
        }
    }
}

const REGISTER_TO_READY: [Duration; 11] = [
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2500),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// How long something took, each time: a count for each range of durations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durations {
    /// The longest duration of each range, ascending. What is longer than all of them is in a range of its own.
    bounds: &'static [Duration],
    counts: Vec<u64>,
    sum: Duration,
}

impl Durations {
    /// Nothing counted yet, with ranges up to these bounds, which ascend.
    pub fn new(bounds: &'static [Duration]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: Duration::ZERO }
    }

    /// Counts one.
    pub fn add(&mut self, duration: Duration) {
        let range = self.bounds.partition_point(|&bound| bound < duration);
        if let Some(count) = self.counts.get_mut(range) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(duration);
    }

    /// Each bound with how many took at most as long.
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, u64)> {
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        self.bounds.iter().copied().zip(counts)
    }

    /// How many in all.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long all of them took together.
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_in_one_range() {
        const BOUNDS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
        let mut durations = Durations::new(&BOUNDS);
        for seconds in [0, 1, 2, 5, 6] {
            durations.add(Duration::from_secs(seconds));
        }
        let cumulative: Vec<_> = durations.cumulative().collect();
        assert_eq!(cumulative, [(BOUNDS[0], 2), (BOUNDS[1], 4)]);
        assert_eq!((durations.count(), durations.sum()), (5, Duration::from_secs(14)));
    }
}
