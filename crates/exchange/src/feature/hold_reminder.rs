//! A phone that holds a call beeps from time to time, so that nobody is forgotten.

use core::time::Duration;

use selsius_wire::Time;

use crate::{
    arena::Handle,
    call::{Leg, LegState, seconds},
    exchange::{Exchange, Timer},
    view::Transition,
};

/// How long it beeps. Phones play the tone until they are told to stop; this is longer than one burst of it.
const BEEP: Duration = Duration::from_millis(500);

impl Exchange {
    /// A phone puts a call on hold.
    pub(crate) fn remind_of_hold(&mut self, now: Time, leg: Handle<Leg>) {
        let every = self.site.settings.timers.hold_reminder;
        if every != 0 && self.legs.get(leg).is_some_and(|leg| leg.device().is_some()) {
            self.timers.set(Timer::HoldReminder(leg), now + seconds(every));
        }
    }

    /// It has taken the call up again.
    pub(crate) fn forget_hold_reminder(&mut self, leg: Handle<Leg>) {
        self.timers.cancel(Timer::HoldReminder(leg));
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.reminds = false;
        }
    }

    /// The beep begins, or ends.
    pub(crate) fn hold_reminder(&mut self, now: Time, handle: Handle<Leg>) {
        let Some(leg) = self.legs.get_mut(handle) else { return };
        let held = leg.state == LegState::Held;
        leg.reminds = held && !leg.reminds;
        if leg.reminds {
            self.timers.set(Timer::HoldReminder(handle), now + BEEP);
        } else if held {
            self.remind_of_hold(now, handle);
        }
        self.transition(now, handle, Transition::Change);
    }
}
