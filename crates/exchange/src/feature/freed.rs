//! Lines that become free, and who has waited for that: callers in queues of hunt groups, and those who are to be called
//! back. What becomes free while an input is handled is noted; who gets it is decided when all else is settled.

use alloc::collections::BTreeMap;

use selsius_site::{DeviceName, LineNumber};
use selsius_wire::Time;

use crate::{
    arena::Handle,
    call::{Appears, Leg, LegState},
    device::Device,
    exchange::Exchange,
};

/// Lines that may have become free while an input was handled.
pub(crate) type Freed = BTreeMap<LineNumber, Was>;

/// What a line that has become free was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Was {
    /// Not in use: its phone rang, or had calls on other lines.
    Idle,
    /// In use, or not registered.
    Used,
}

impl Exchange {
    /// A leg has left its phone.
    pub(crate) fn leg_gone(&mut self, now: Time, leg: &Leg, station: Appears) {
        if !self.hunting.has_members() && self.callbacks.is_empty() {
            return;
        }
        let was = if leg.state == LegState::RingIn { Was::Idle } else { Was::Used };
        let Some(device) = self.devices.get(station.device) else { return };
        for line in &device.buttons.lines {
            let was = if line.instance == station.line { was } else { Was::Idle };
            let noted = self.freed.entry(line.number.clone()).or_insert(was);
            *noted = was.max(*noted);
            if was == Was::Used {
                self.hunting.used(&line.number, now);
            }
        }
    }

    /// A leg has left its SIP phone.
    pub(crate) fn line_gone(&mut self, now: Time, leg: &Leg, line: &LineNumber) {
        if !self.hunting.has_members() && self.callbacks.is_empty() {
            return;
        }
        let was = if leg.state == LegState::RingIn { Was::Idle } else { Was::Used };
        let noted = self.freed.entry(line.clone()).or_insert(was);
        *noted = was.max(*noted);
        if was == Was::Used {
            self.hunting.used(line, now);
        }
    }

    /// A SIP phone of a line is there again.
    pub(crate) fn line_there(&mut self, line: &LineNumber) {
        if self.hunting.has_members() || !self.callbacks.is_empty() {
            self.freed.insert(line.clone(), Was::Used);
        }
    }

    /// A phone is there again.
    pub(crate) fn device_freed(&mut self, device: Handle<Device>) {
        if !self.hunting.has_members() && self.callbacks.is_empty() {
            return;
        }
        let Some(device) = self.devices.get(device) else { return };
        for line in &device.buttons.lines {
            self.freed.insert(line.number.clone(), Was::Used);
        }
    }

    /// Somebody may be disturbed again, or takes calls of hunt groups again.
    pub(crate) fn line_freed(&mut self, line: &LineNumber) {
        if self.hunting.has_members() || !self.callbacks.is_empty() {
            self.freed.entry(line.clone()).or_insert(Was::Idle);
        }
    }

    /// Who has waited gets what has become free: callers in queues first, they are on the line.
    pub(crate) fn settle_freed(&mut self, now: Time) {
        if self.freed.is_empty() {
            return;
        }
        let freed = core::mem::take(&mut self.freed);
        self.serve_queues(now);
        self.offer_callbacks(now, &freed);
    }

    /// Could a call ring here at once? On an idle phone whose user does not mind.
    pub(crate) fn is_idle_at(&self, line: &LineNumber, station: Appears) -> bool {
        let idle = |device: &Device| device.ready && device.legs.is_empty();
        self.devices.get(station.device).is_some_and(idle) && !self.line_state(line).do_not_disturb
    }

    /// The SIP phones of a line at which a call could ring at once.
    pub(crate) fn idle_extensions(&self, line: &LineNumber) -> impl Iterator<Item = &DeviceName> {
        let quiet = self.line_states.get(line).is_some_and(|state| state.do_not_disturb);
        let registered = self.extensions.registered(line).filter(move |_| !quiet);
        registered.filter(|(_, phone)| phone.legs.is_empty()).map(|(name, _)| name)
    }
}
