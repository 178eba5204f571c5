//! Numbers that need not be dialled in full: speed dials, abbreviated numbers, redial.

use alloc::string::String;

use selsius_site::{FeatureCode, LineNumber};
use selsius_wire::Time;

use crate::{
    arena::Handle,
    call::{Leg, LegState, Purpose},
    device::Device,
    dialplan::{self, Destination},
    exchange::Exchange,
    record::EndCause,
};

impl Exchange {
    /// Calls a number that a button stands for: on the dial tone that there is, else with a new call. A conversation is
    /// put on hold meanwhile.
    pub(crate) fn dial_number(&mut self, now: Time, device: Handle<Device>, number: &str) {
        if let Some(leg) = self.leg_to_dial(now, device) {
            self.dial_all(now, leg, number);
        }
    }

    /// A call of the phone that waits for digits.
    pub(crate) fn leg_to_dial(&mut self, now: Time, device: Handle<Device>) -> Option<Handle<Leg>> {
        let waits = |&leg: &Handle<Leg>| {
            let state = self.legs.get(leg).map(|leg| leg.state);
            matches!(state, Some(LegState::DialTone | LegState::Dialing))
        };
        self.active_leg(device)
            .filter(waits)
            .or_else(|| self.new_call_on(now, device, 0))
            .or_else(|| self.emergency_call(now, device, 0))
    }

    /// The abbreviated number with this index.
    pub(crate) fn abbreviated(&self, device: Handle<Device>, index: u32) -> Option<LineNumber> {
        let name = &self.devices.get(device)?.name;
        self.site.devices.get(name)?.abbreviated.get(&index).cloned()
    }

    /// The code of abbreviated dialling, and the index behind it.
    pub(crate) fn dial_abbreviated(&mut self, now: Time, leg: Handle<Leg>, index: &str) {
        let device = self.legs.get(leg).and_then(Leg::device);
        let number = index.parse().ok().and_then(|index| self.abbreviated(device?, index));
        match number {
            Some(number) => self.dial_instead(now, leg, number.as_str()),
            None => self.fail(now, leg, EndCause::UnknownNumber),
        }
    }

    /// The code of redial.
    pub(crate) fn redial_code(&mut self, now: Time, leg: Handle<Leg>) {
        let device = self.legs.get(leg).and_then(Leg::device).and_then(|device| self.devices.get(device));
        match device.map(|device| device.last_dialed.clone()).filter(|number| !number.is_empty()) {
            Some(number) => self.dial_instead(now, leg, &number),
            None => self.fail(now, leg, EndCause::UnknownNumber),
        }
    }

    /// Has a call go where another number leads than the one that was dialled.
    pub(crate) fn dial_instead(&mut self, now: Time, leg: Handle<Leg>, number: &str) {
        let Some(call) = self.legs.get(leg).and_then(|leg| self.calls.get_mut(leg.call)) else { return };
        call.dialed = number.into();
        call.purpose = Purpose::Talk;
        // A number that leads to an abbreviated number might lead to itself.
        let target = dialplan::finish_for(&self.site, self.reach(leg), number).filter(|target| {
            !matches!(target.to, Destination::Feature(FeatureCode::Abbreviated | FeatureCode::Redial, _))
        });
        match target {
            Some(target) => self.complete(now, leg, target),
            None => self.fail(now, leg, EndCause::UnknownNumber),
        }
    }

    /// Keeps the number for redial, over restarts too.
    pub(crate) fn dialed_last(&mut self, now: Time, device: Handle<Device>, number: &str) {
        let Some(device) = self.devices.get_mut(device) else { return };
        device.last_dialed = number.into();
        let name = device.name.clone();
        if let Ok(number) = number.parse() {
            self.change_device(now, &name, |state| state.last_dialed = Some(number));
        }
    }

    /// The number for redial that a phone had when it registered last.
    pub(crate) fn remembered_number(&self, device: &selsius_site::DeviceName) -> String {
        let number = self.device_states.get(device).and_then(|state| state.last_dialed.as_ref());
        number.map_or_else(String::new, |number| number.as_str().into())
    }
}
