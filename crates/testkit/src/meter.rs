//! How long the manager's side of a bed works.

use std::time::{Duration, Instant};

/// A stopwatch for the exchange and the bytes to and from it, without phones and network. Off until [`Self::start`]: it
/// looks at the clock twice a message.
#[derive(Debug, Default)]
pub struct Meter {
    on: bool,
    since: Option<Instant>,
    worked: Duration,
}

impl Meter {
    /// Measures from here on.
    pub fn start(&mut self) {
        *self = Self { on: true, ..Self::default() };
    }

    /// What was measured since the start, by the clock and not by the processor: whatever else the machine did meanwhile is in it.
    pub fn worked(&self) -> Duration {
        self.worked
    }

    /// The manager's side begins, or goes on.
    pub(crate) fn enter(&mut self) {
        if self.on && self.since.is_none() {
            self.since = Some(Instant::now());
        }
    }

    /// The phones' side begins.
    pub(crate) fn leave(&mut self) {
        if let Some(since) = self.since.take() {
            self.worked += since.elapsed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_between_counts_and_only_when_it_is_on() {
        let mut meter = Meter::default();
        meter.enter();
        meter.leave();
        assert_eq!((meter.since, meter.worked()), (None, Duration::ZERO));
        meter.start();
        meter.enter();
        let since = meter.since;
        meter.enter();
        assert!(since.is_some() && meter.since == since, "a part of the manager's work in another one");
        meter.leave();
        let worked = meter.worked();
        meter.leave();
        assert_eq!((meter.since, meter.worked()), (None, worked));
    }
}
