//! How a run went over time.

use std::time::Duration;

use hdrhistogram::Histogram;
use selsius_wire::Time;
use serde::Serialize;

/// What happened in one stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Sample {
    /// When it began, in seconds since the start.
    pub at: f64,
    /// How long it was, in seconds.
    pub seconds: f64,
    /// Phones that were registered at its end.
    pub registered: u32,
    /// Calls that were due.
    pub due: u64,
    /// Calls that came to their end as they should.
    pub completed: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Messages to the server.
    pub sent: u64,
    /// Messages from the server.
    pub received: u64,
    /// From the last digit to the bell at the far end, the median in microseconds; 0 without any.
    pub ring_p50_us: u64,
    /// Likewise; 99 of 100 took no longer.
    pub ring_p99_us: u64,
    /// How late the generator was at most, in microseconds.
    pub behind_us: u64,
}

/// Counters that only grow, at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) due: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// Samples of equal length, not more than one can look at: a long run has longer ones.
#[derive(Debug)]
pub(crate) struct Timeline {
    pub(crate) samples: Vec<Sample>,
    every: Duration,
    began: Time,
    before: Totals,
    rings: Histogram<u64>,
    behind_us: u64,
}

/// Samples at most; an hour has them every second.
const MOST: usize = 3600;

impl Timeline {
    pub(crate) fn new(rings: Histogram<u64>) -> Self {
        Self {
            samples: Vec::new(),
            every: Duration::from_secs(1),
            began: Time::ZERO,
            before: Totals::default(),
            rings,
            behind_us: 0,
        }
    }

    pub(crate) fn ring(&mut self, micros: u64) {
        self.rings.saturating_record(micros);
    }

    pub(crate) fn behind(&mut self, micros: u64) {
        self.behind_us = self.behind_us.max(micros);
    }

    /// Whether a stretch of time is over.
    pub(crate) fn is_due(&self, now: Time) -> bool {
        now >= self.began + self.every
    }

    /// Ends a stretch of time, or a part of one.
    pub(crate) fn end(&mut self, now: Time, registered: u32, totals: Totals) {
        let quantile = |quantile| match self.rings.is_empty() {
            true => 0,
            false => self.rings.value_at_quantile(quantile),
        };
        let before = std::mem::replace(&mut self.before, totals);
        self.samples.push(Sample {
            at: self.began.since(Time::ZERO).as_secs_f64(),
            seconds: now.since(self.began).as_secs_f64(),
            registered,
            due: totals.due.saturating_sub(before.due),
            completed: totals.completed - before.completed,
            failed: totals.failed - before.failed,
            sent: totals.sent - before.sent,
            received: totals.received - before.received,
            ring_p50_us: quantile(0.5),
            ring_p99_us: quantile(0.99),
            behind_us: std::mem::take(&mut self.behind_us),
        });
        self.began = now;
        self.rings.reset();
        if self.samples.len() >= MOST {
            self.every *= 2;
            self.samples = self.samples.chunks(2).map(Sample::joined).collect();
        }
    }
}

impl Sample {
    /// Two stretches of time as one. Of quantiles the worse one is kept.
    fn joined(two: &[Self]) -> Self {
        let [one, other] = two else { return two.first().copied().unwrap_or_default() };
        Self {
            at: one.at,
            seconds: one.seconds + other.seconds,
            registered: other.registered,
            due: one.due + other.due,
            completed: one.completed + other.completed,
            failed: one.failed + other.failed,
            sent: one.sent + other.sent,
            received: one.received + other.received,
            ring_p50_us: one.ring_p50_us.max(other.ring_p50_us),
            ring_p99_us: one.ring_p99_us.max(other.ring_p99_us),
            behind_us: one.behind_us.max(other.behind_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline() -> Timeline {
        Timeline::new(Histogram::new(3).unwrap())
    }

    #[test]
    fn samples_tell_what_was_new() {
        let mut timeline = timeline();
        timeline.ring(100);
        timeline.behind(7);
        assert!(!timeline.is_due(Time::from_millis(999)) && timeline.is_due(Time::from_millis(1000)));
        timeline.end(Time::from_millis(1000), 5, Totals { due: 3, sent: 10, ..Totals::default() });
        timeline.end(Time::from_millis(1500), 6, Totals { due: 4, sent: 30, ..Totals::default() });
        let [first, second] = timeline.samples[..] else { panic!() };
        assert_eq!((first.due, first.sent, first.ring_p99_us, first.behind_us), (3, 10, 100, 7));
        assert_eq!((second.at, second.seconds, second.registered), (1.0, 0.5, 6));
        assert_eq!((second.due, second.sent, second.ring_p99_us, second.behind_us), (1, 20, 0, 0));
    }

    #[test]
    fn long_runs_get_longer_samples_and_lose_nothing() {
        let mut timeline = timeline();
        let mut now = Time::ZERO;
        for due in 1..=10_000 {
            now += timeline.every;
            timeline.end(now, 1, Totals { due, ..Totals::default() });
            assert!(timeline.samples.len() <= MOST);
        }
        assert_eq!(timeline.samples.iter().map(|sample| sample.due).sum::<u64>(), 10_000);
        assert!(timeline.every >= Duration::from_secs(4));
    }
}
