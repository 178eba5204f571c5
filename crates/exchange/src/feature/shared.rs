//! Shared lines: going into a call of another phone, and keeping one's own to oneself.

use selsius_wire::{DisplayLabel, Time};

use crate::{
    arena::Handle,
    call::{Appears, End, Leg, LegState, Phase, Role},
    device::Device,
    exchange::Exchange,
    record::Party,
    view::Transition,
};

impl Exchange {
    /// Does the line of this leg appear on other phones too?
    pub(crate) fn is_shared(&self, leg: &Leg) -> bool {
        let Some(station) = leg.station() else { return false };
        let number = self
            .devices
            .get(station.device)
            .and_then(|device| device.appearance(station.line))
            .map(|appearance| &appearance.number);
        number.is_some_and(|number| self.shared.contains(number))
    }

    /// Barge: the phone goes into the call that another one has on their line. Its audio goes to the mixer.
    pub(crate) fn barge(&mut self, now: Time, device: Handle<Device>, line: u32, remote: Handle<Leg>) {
        let Some(leg) = self.legs.get(remote) else { return };
        let call = leg.call;
        let closed = self.is_closed(leg);
        let talking = self
            .calls
            .get(call)
            .is_some_and(|call| call.phase == Phase::Talking && call.legs.len() < self.largest_conference());
        if !talking || leg.state != LegState::Connected || closed {
            return self.refuse_on(device, DisplayLabel::FailedToSetupBarge, "barge that cannot be");
        }
        self.clear_way(now, device);
        let Some(leg) = self.legs.get(remote) else { return };
        let name = self.devices.get(device).map(|device| device.name.clone());
        let who = Party { device: name, ..leg.who.clone() };
        let end = End::Station(Appears { device, line });
        let added = self.add_leg(call, end, who, Role::Called, LegState::Answering);
        let Some(added) = added else { return };
        self.transition(now, added, Transition::PickUp);
        if let Some(leg) = self.legs.get_mut(added) {
            leg.state = LegState::Connected;
        }
        self.talk_together(now, call);
    }

    /// Hold that only this phone can end.
    pub(crate) fn private_hold(&mut self, now: Time, leg: Handle<Leg>) {
        if let Some(state) = self.legs.get_mut(leg).filter(|leg| leg.state == LegState::Connected) {
            state.private = true;
        }
        self.hold(now, leg);
    }
}
