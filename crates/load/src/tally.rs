//! What was counted and measured.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

use crate::{Wrong, director::Failure};

/// Everything that a report is made of.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Connections begun.
    pub(crate) connects: u64,
    /// Registrations that came to their end.
    pub(crate) registrations: u64,
    /// Registrations that did not, and connections lost afterwards, by reason.
    pub(crate) offline: BTreeMap<String, u64>,
    /// Calls that were due.
    pub(crate) calls: u64,
    pub(crate) completed: u64,
    pub(crate) failed: BTreeMap<Failure, u64>,
    pub(crate) wrong: BTreeMap<Wrong, u64>,
    /// The first cases of what was wrong, with the phone.
    pub(crate) examples: Vec<String>,
    /// Messages sent to the server.
    pub(crate) sent: u64,
    /// Messages received from it.
    pub(crate) received: u64,
    pub(crate) times: BTreeMap<Timed, Histogram<u64>>,
}

/// What is measured, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timed {
    RegisterToReady,
    OffHookToTone,
    DigitToRing,
    AnswerToMediaCaller,
    AnswerToMediaCallee,
    HangUpToIdle,
    /// How late the generator was with what its schedule said.
    Behind,
}

/// Cases of wrong behaviour that are told in full.
const EXAMPLES: usize = 20;
/// Reasons that are told apart; servers make up texts.
const REASONS: usize = 50;
/// The longest that is measured; what takes longer counts as this.
const LONGEST: Duration = Duration::from_secs(3600);

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            connects: 0,
            registrations: 0,
            offline: BTreeMap::new(),
            calls: 0,
            completed: 0,
            failed: BTreeMap::new(),
            wrong: BTreeMap::new(),
            examples: Vec::new(),
            sent: 0,
            received: 0,
            times: Timed::ALL.into_iter().map(|timed| (timed, histogram())).collect(),
        }
    }

    pub(crate) fn time(&mut self, timed: Timed, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(histogram) = self.times.get_mut(&timed) {
            histogram.saturating_record(micros);
        }
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        *self.failed.entry(failure).or_default() += 1;
    }

    pub(crate) fn wrong(&mut self, wrong: Wrong, example: impl FnOnce() -> String) {
        *self.wrong.entry(wrong).or_default() += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(format!("{}: {}", wrong.name(), example()));
        }
    }

    pub(crate) fn offline(&mut self, reason: &str) {
        let reason = match self.offline.contains_key(reason) || self.offline.len() < REASONS {
            true => reason,
            false => "other reasons",
        };
        match self.offline.get_mut(reason) {
            Some(count) => *count += 1,
            None => drop(self.offline.insert(reason.into(), 1)),
        }
    }
}

impl Timed {
    pub(crate) const ALL: [Self; 7] = [
        Self::RegisterToReady,
        Self::OffHookToTone,
        Self::DigitToRing,
        Self::AnswerToMediaCaller,
        Self::AnswerToMediaCallee,
        Self::HangUpToIdle,
        Self::Behind,
    ];
}

fn histogram() -> Histogram<u64> {
    let longest = u64::try_from(LONGEST.as_micros()).expect("an hour has fewer than 2^64 microseconds");
    Histogram::new_with_bounds(1, longest, 3).expect("the bounds are constants that are right")
}
