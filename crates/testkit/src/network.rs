//! The simulated network: ordered, delayed, cut into segments, sometimes gone.

use core::{ops::Range, time::Duration};

use rand::{Rng, RngExt};
use selsius_wire::Time;

/// How a network treats what is sent over it.
#[derive(Debug, Clone)]
pub struct Network {
    /// Delay of a segment, in microseconds.
    pub delay: Range<u64>,
    /// How often a write is cut into several segments: one in this many. 0 never.
    pub cut: u32,
}

impl Default for Network {
    /// A local network on a bad day: up to 20 ms, every fourth write cut.
    fn default() -> Self {
        Self { delay: 100..20_000, cut: 4 }
    }
}

/// One direction of a connection: what arrives, arrives in order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wire {
    last: Time,
}

impl Wire {
    /// When the segments of `bytes`, written at `now`, arrive.
    pub fn write(
        &mut self,
        network: &Network,
        rng: &mut impl Rng,
        now: Time,
        mut bytes: Vec<u8>,
        mut arrive: impl FnMut(Time, Vec<u8>),
    ) {
        let cut = network.cut > 0 && rng.random_ratio(1, network.cut);
        while cut && bytes.len() > 1 {
            let rest = bytes.split_off(rng.random_range(1..bytes.len()));
            arrive(self.delay(network, rng, now), bytes);
            bytes = rest;
            if rng.random_ratio(1, 2) {
                break;
            }
        }
        arrive(self.delay(network, rng, now), bytes);
    }

    /// Nothing gets through until then; it comes late, but it comes.
    pub fn stall(&mut self, until: Time) {
        self.last = self.last.max(until);
    }

    fn delay(&mut self, network: &Network, rng: &mut impl Rng, now: Time) -> Time {
        let delay = Duration::from_micros(rng.random_range(network.delay.clone()));
        self.last = self.last.max(now + delay);
        self.last
    }
}
