//! What was counted and measured.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

use selsius_wire::Time;

use crate::{
    CallKind, Wrong,
    director::Failure,
    report::{Timeline, Totals},
};

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
    /// Calls that came to their end as they should, by kind.
    pub(crate) completed: BTreeMap<CallKind, u64>,
    /// Calls that a storm ended.
    pub(crate) cut: u64,
    pub(crate) strangers: Strangers,
    pub(crate) voice: VoicePackets,
    pub(crate) failed: BTreeMap<Failure, u64>,
    pub(crate) wrong: BTreeMap<Wrong, u64>,
    /// The first cases of what was wrong, with the phone.
    pub(crate) examples: Vec<String>,
    /// Messages sent to the server.
    pub(crate) sent: u64,
    /// Messages received from it.
    pub(crate) received: u64,
    pub(crate) times: BTreeMap<Timed, Histogram<u64>>,
    pub(crate) timeline: Timeline,
}

/// Connections that are no phones as they should be, and what the server did with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Strangers {
    /// Phones that stopped to read.
    pub(crate) slow_readers: u64,
    /// Those of them that the server dropped.
    pub(crate) slow_readers_dropped: u64,
    /// Connections that were opened and said nothing, or half a message.
    pub(crate) half_open: u64,
    /// Those of them that the server closed.
    pub(crate) half_open_closed: u64,
}

/// Packets of voice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct VoicePackets {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Missing in the streams that came, by their numbers.
    pub(crate) lost: u64,
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
    ResumeToMedia,
    TransferToMedia,
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
            completed: BTreeMap::new(),
            cut: 0,
            strangers: Strangers::default(),
            voice: VoicePackets::default(),
            failed: BTreeMap::new(),
            wrong: BTreeMap::new(),
            examples: Vec::new(),
            sent: 0,
            received: 0,
            timeline: Timeline::new(histogram()),
            times: Timed::ALL.into_iter().map(|timed| (timed, histogram())).collect(),
        }
    }

    pub(crate) fn time(&mut self, timed: Timed, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(histogram) = self.times.get_mut(&timed) {
            histogram.saturating_record(micros);
        }
        match timed {
            Timed::DigitToRing => self.timeline.ring(micros),
            Timed::Behind => self.timeline.behind(micros),
            _ => {}
        }
    }

    /// Ends a sample of the timeline.
    pub(crate) fn sample(&mut self, now: Time, registered: u32) {
        let totals = Totals {
            due: self.calls,
            completed: self.completed.values().sum(),
            failed: self.failed.values().sum(),
            sent: self.sent,
            received: self.received,
        };
        self.timeline.end(now, registered, totals);
    }

    pub(crate) fn fail(&mut self, failure: Failure) {
        *self.failed.entry(failure).or_default() += 1;
    }

    pub(crate) fn complete(&mut self, kind: CallKind) {
        *self.completed.entry(kind).or_default() += 1;
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
    pub(crate) const ALL: [Self; 9] = [
        Self::RegisterToReady,
        Self::OffHookToTone,
        Self::DigitToRing,
        Self::AnswerToMediaCaller,
        Self::AnswerToMediaCallee,
        Self::HangUpToIdle,
        Self::ResumeToMedia,
        Self::TransferToMedia,
        Self::Behind,
    ];
}

fn histogram() -> Histogram<u64> {
    let longest = u64::try_from(LONGEST.as_micros()).expect("an hour has fewer than 2^64 microseconds");
    Histogram::new_with_bounds(1, longest, 3).expect("the bounds are constants that are right")
}
