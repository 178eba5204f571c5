//! When something is due, if nothing comes before.

use selsius_wire::Time;

/// What can be due. Prompts and notifications keep their own time, with their text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Timer {
    /// RegisterAck, token or UnregisterAck should be here by then.
    Registration,
    /// Ask for the token again.
    Token,
    /// The answer to a question of the registration should be here by then.
    Answer,
    /// Send KeepAlive.
    KeepAlive,
    /// The single ring is over.
    Ring,
}

/// One moment for each timer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers([Option<Time>; Timer::ALL.len()]);

impl Timer {
    pub(crate) const ALL: [Self; 5] =
        [Self::Registration, Self::Token, Self::Answer, Self::KeepAlive, Self::Ring];
}

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, at: Time) {
        self.0[timer as usize] = Some(at);
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(crate) fn stop_all(&mut self) {
        *self = Self::default();
    }

    /// The earliest moment.
    pub(crate) fn next(&self) -> Option<Time> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes a timer that is due.
    pub(crate) fn expire(&mut self, now: Time) -> Option<Timer> {
        let timer =
            Timer::ALL.into_iter().find(|timer| self.0[*timer as usize].is_some_and(|at| at <= now))?;
        self.stop(timer);
        Some(timer)
    }
}
