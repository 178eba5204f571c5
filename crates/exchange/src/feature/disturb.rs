//! Do not disturb: calls to a line are refused, or ring without a sound.

use alloc::vec::Vec;

use selsius_site::{DoNotDisturb, LineNumber};
use selsius_wire::{DisplayLabel, PhoneText, Time};

use crate::{arena::Handle, call::Leg, device::Device, exchange::Exchange, record::EndCause};

impl Exchange {
    /// Has nobody disturb a line, or everybody again. Afterwards take all outputs.
    pub fn set_do_not_disturb(&mut self, now: Time, line: &LineNumber, on: bool) {
        if self.site.lines.contains_key(line) {
            self.change_line(now, line, |state| state.do_not_disturb = on);
        }
    }

    /// Does nobody want to be disturbed on this line?
    pub(crate) fn is_quiet(&self, line: &LineNumber) -> bool {
        self.line_states.get(line).is_some_and(|state| state.do_not_disturb)
    }

    /// Is the line busy for everybody, since nobody wants to be disturbed?
    pub(crate) fn rejects_calls(&self, line: &LineNumber) -> bool {
        self.is_quiet(line)
            && self.site.lines.get(line).map(|line| line.do_not_disturb).unwrap_or_default()
                == DoNotDisturb::Reject
    }

    /// The DND key: for all lines of the phone, on, or off if it is on for all of them.
    pub(crate) fn do_not_disturb_key(&mut self, now: Time, device: Handle<Device>) {
        let lines: Vec<_> = match self.devices.get(device) {
            Some(device) => device.buttons.lines.iter().map(|line| line.number.clone()).collect(),
            None => return,
        };
        let on = !lines.iter().all(|line| self.is_quiet(line));
        for line in &lines {
            self.set_do_not_disturb(now, line, on);
        }
        self.notify(device, &told(on));
    }

    /// The code, for the line that it is dialled on.
    pub(crate) fn do_not_disturb_code(&mut self, now: Time, leg: Handle<Leg>, on: bool) {
        let Some(line) = self.number_of(leg) else { return self.fail(now, leg, EndCause::Blocked) };
        self.set_do_not_disturb(now, &line, on);
        self.feature_done(now, leg, &told(on));
    }
}

fn told(on: bool) -> PhoneText {
    if on {
        PhoneText::label(DisplayLabel::DoNotDisturbIsActive)
    } else {
        PhoneText::from("Do not disturb is off")
    }
}
