//! Wrong PINs: who guesses is stopped for a while.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So many wrong PINs close a number for so long.
pub(super) const MOST: u32 = 9;
const CLOSED: Duration = Duration::from_secs(15 * 60);

/// How often a wrong PIN was entered for each number. Only numbers that exist come in, so it does not grow without end.
#[derive(Debug, Default)]
pub(super) struct Tries(Mutex<BTreeMap<String, (u32, Instant)>>);

impl Tries {
    /// One more; `true` if that was the one that closes the number.
    pub(super) fn wrong(&self, number: &str) -> bool {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.retain(|_, (_, at)| at.elapsed() < CLOSED);
        let (count, at) = tries.entry(number.into()).or_insert((0, Instant::now()));
        (*count, *at) = (count.saturating_add(1), Instant::now());
        *count == MOST
    }

    /// Is it closed?
    pub(super) fn are_too_many(&self, number: &str) -> bool {
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.get(number).is_some_and(|(count, at)| *count >= MOST && at.elapsed() < CLOSED)
    }
}
