//! The busy lamp field: the state of a line on the buttons of other phones, which call it or pick up its calls.

use alloc::vec::Vec;

use selsius_site::LineNumber;
use selsius_wire::Time;

use crate::{
    arena::Handle,
    call::{Appears, Call, Leg, LegState},
    device::Device,
    exchange::Exchange,
    record::Party,
    view::Transition,
};

/// What a busy lamp shows of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Watched {
    /// No phone has it.
    Unregistered,
    Idle,
    /// Idle, and wants to stay so.
    DoNotDisturb,
    /// All its calls are on hold.
    Held,
    InUse,
    /// A call could be picked up.
    Rings,
}

impl Exchange {
    /// The state of a line as others see it. Of several calls the one that matters most to a watcher counts.
    pub(crate) fn watched(&self, number: &LineNumber) -> Watched {
        if !self.has_phone(number) && self.extension_legs(number).next().is_none() {
            return Watched::Unregistered;
        }
        let of_leg = |leg: &Leg| match leg.state {
            LegState::RingIn => Watched::Rings,
            LegState::Held => Watched::Held,
            _ => Watched::InUse,
        };
        let busiest = self.legs_on(number).map(|(_, leg)| of_leg(leg)).max();
        let quiet = self.line_states.get(number).is_some_and(|state| state.do_not_disturb);
        busiest.unwrap_or(if quiet { Watched::DoNotDisturb } else { Watched::Idle })
    }

    /// The legs of all phones on a line.
    fn legs_on(&self, number: &LineNumber) -> impl Iterator<Item = (Handle<Leg>, &Leg)> {
        let all = self.appearances.get(number).map(Vec::as_slice).unwrap_or_default();
        all.iter().flat_map(|&appears| self.legs_at(appears)).chain(self.extension_legs(number))
    }

    fn legs_at(&self, appears: Appears) -> impl Iterator<Item = (Handle<Leg>, &Leg)> {
        let legs = self.devices.get(appears.device).map(|device| device.legs.as_slice()).unwrap_or_default();
        let legs = legs.iter().filter_map(|&leg| Some((leg, self.legs.get(leg)?)));
        legs.filter(move |(_, leg)| leg.line() == appears.line)
    }

    /// A phone watches the lines of its busy lamps and call lists from now on.
    pub(crate) fn light_lamps_of(&mut self, handle: Handle<Device>) {
        let Some(device) = self.devices.get(handle) else { return };
        for number in device.watched() {
            let watchers = self.watchers.entry(number.clone()).or_default();
            if !watchers.contains(&handle) {
                watchers.push(handle);
            }
        }
    }

    /// A phone no longer watches these.
    pub(crate) fn stop_watching(&mut self, handle: Handle<Device>, watched: &[LineNumber]) {
        for number in watched {
            if let Some(watchers) = self.watchers.get_mut(number) {
                watchers.retain(|&other| other != handle);
                if watchers.is_empty() {
                    self.watchers.remove(number);
                }
            }
        }
    }

    /// Tells the phones that watch a line.
    pub(crate) fn render_watchers(&mut self, now: Time, number: &LineNumber) {
        for watcher in self.watchers.get(number).cloned().unwrap_or_default() {
            self.render(now, watcher, Transition::Remote, None);
        }
    }

    /// A busy lamp was pressed: takes the call that rings there, or calls the line.
    pub(crate) fn press_busy_lamp(&mut self, now: Time, device: Handle<Device>, number: &LineNumber) {
        let Some((call, _)) = self.ringing_at(device, number) else {
            return self.dial_number(now, device, number.as_str());
        };
        // Where it rings here as well, answering is enough.
        let legs = self.calls.get(call).map(|call| call.legs.clone()).unwrap_or_default();
        match legs.into_iter().find(|&leg| self.legs.get(leg).is_some_and(|leg| leg.is_on(device))) {
            Some(own) => self.answer(now, own),
            None => self.pickup_from(now, device, number),
        }
    }

    /// A call that rings at a line and that a phone could take, and who it rings for.
    fn ringing_at(&self, device: Handle<Device>, number: &LineNumber) -> Option<(Handle<Call>, Party)> {
        let (_, leg) = self.legs_on(number).find(|(_, leg)| self.may_take(device, leg))?;
        Some((leg.call, leg.who.clone()))
    }

    /// Not one's own call to somebody else.
    fn may_take(&self, device: Handle<Device>, leg: &Leg) -> bool {
        let caller = self.caller(leg.call).and_then(|caller| self.legs.get(caller));
        leg.state == LegState::RingIn && caller.is_some_and(|caller| !caller.is_on(device))
    }
}
