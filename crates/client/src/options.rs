//! How a phone runs.

use std::{fmt, num::NonZeroU32, path::PathBuf, time::Duration};

use crate::{AudioSource, Clock, Ports, Tap};

/// How a phone runs. [`Options::default`]: says nothing, records nothing, and does not come back once its connection
/// ends.
#[derive(Default)]
pub struct Options {
    /// What its microphone hears.
    pub source: AudioSource,
    /// Where what it hears is written to, as WAV.
    pub record: Option<PathBuf>,
    /// Where its voice ports are taken from.
    pub ports: Ports,
    /// Connects again after the connection was lost or refused, as phones do.
    pub reconnect: Option<Backoff>,
    /// Its clock; give phones the same to compare their times.
    pub clock: Clock,
    /// Every so manieth packet of audio that it sends is lost, as in a bad network; none where it is not set.
    pub loses: Option<NonZeroU32>,
    /// Listens in on its wire.
    pub tap: Option<Tap>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, record, ports, reconnect, clock, loses, tap } = self;
        f.debug_struct("Options")
            .field("source", source)
            .field("record", record)
            .field("ports", ports)
            .field("reconnect", reconnect)
            .field("clock", clock)
            .field("loses", loses)
            .field("tap", &tap.is_some())
            .finish()
    }
}

/// How long a phone waits before it connects again: twice as long after each failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first time, and again after a registration that worked.
    pub first: Duration,
    /// At most.
    pub most: Duration,
}

impl Default for Backoff {
    /// 1 to 30 seconds.
    fn default() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// How long to wait after so many failures in a row.
    pub fn after(&self, failures: u32) -> Duration {
        self.first.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit() {
        let backoff = Backoff::default();
        let seconds: Vec<u64> = [0, 1, 2, 4, 5, 31, 32, 1000].map(|n| backoff.after(n).as_secs()).into();
        assert_eq!(seconds, [1, 2, 4, 16, 30, 30, 30, 30]);
    }
}
