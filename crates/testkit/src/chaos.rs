//! What goes wrong around phones and exchange: connections that break after a certain message, answers that come late and
//! in another order, clocks that jump.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use rand::{Rng, RngExt};
use selsius_exchange::{Input, Time, TrunkLegId, WallClock, record::WallTime};

use crate::bed::{Bed, START};

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the phone to the manager.
    Up,
    /// From the manager to the phone.
    Down,
}

/// How soon the ends of a broken connection notice; `None` never hears of it and goes by its own deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notices {
    /// The manager.
    pub manager: Option<Duration>,
    /// The phone.
    pub phone: Option<Duration>,
}

/// A connection that is to break.
#[derive(Debug)]
pub(crate) struct Cut {
    phone: usize,
    way: Way,
    /// Messages that still get through.
    after: usize,
    notices: Notices,
}

impl Bed {
    /// Has a phone's connection break as soon as so many more messages have arrived in one direction, 1 or more.
    pub fn cut_after(&mut self, phone: usize, way: Way, messages: usize, notices: Notices) {
        self.cut = Some(Cut { phone, way, after: messages, notices });
    }

    /// Messages that [`Self::cut_after`] still waits for; `None` once the connection is broken.
    pub fn before_cut(&self) -> Option<usize> {
        self.cut.as_ref().map(|cut| cut.after)
    }

    /// Counts a message. Breaks the connection if it was the last one that gets through.
    pub(crate) fn cuts_now(&mut self, phone: usize, way: Way) -> bool {
        let Some(cut) = self.cut.as_mut().filter(|cut| (cut.phone, cut.way) == (phone, way)) else {
            return false;
        };
        cut.after -= 1;
        if cut.after > 0 {
            return false;
        }
        let notices = cut.notices;
        self.cut = None;
        self.cut(phone, notices);
        true
    }

    /// The machine stands still: whatever was due meanwhile happens late, all at once.
    pub fn jump(&mut self, span: Duration) {
        self.now += span;
    }

    /// The time of day, wrong by so many microseconds.
    pub(crate) fn right_time(&self, wrong: i64) -> WallTime {
        let passed = i64::try_from(self.now.as_micros()).unwrap_or(i64::MAX);
        WallTime(START.0.saturating_add(passed).saturating_add(wrong))
    }

    /// The time of day is set, forward or back; the zone as well.
    pub fn set_wall(&mut self, wall: WallTime, offset_seconds: i32) {
        let at = self.now;
        self.exchange(Input::Wall(WallClock { at, wall, offset_seconds }));
    }
}

/// The number of an answer that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Answer(u64);

/// Answers of trunks and the mixer that are on their way. Those about one call or party come in order, as from any real
/// system; those about several do not.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// How long they take, in microseconds; empty: none at all.
    pub(crate) delay: Range<u64>,
    waiting: BTreeMap<Answer, Input>,
    last: BTreeMap<About, Time>,
    next: u64,
}

/// What an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    Trunk(TrunkLegId),
    Party(u32),
}

impl Answers {
    /// When this answer arrives, and its number.
    pub(crate) fn delay(
        &mut self,
        rng: &mut impl Rng,
        now: Time,
        about: About,
        input: Input,
    ) -> (Time, Answer) {
        self.last.retain(|_, last| *last > now);
        let at = now + Duration::from_micros(rng.random_range(self.delay.clone()));
        let last = self.last.entry(about).or_insert(at);
        *last = at.max(*last);
        let answer = Answer(self.next);
        self.next += 1;
        self.waiting.insert(answer, input);
        (*last, answer)
    }

    /// The answer has arrived; nothing if whom it was for has crashed meanwhile.
    pub(crate) fn take(&mut self, answer: Answer) -> Option<Input> {
        self.waiting.remove(&answer)
    }

    /// Nobody waits for them any more.
    pub(crate) fn forget(&mut self) {
        self.waiting.clear();
        self.last.clear();
    }
}
