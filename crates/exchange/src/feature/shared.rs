//! Shared lines: going into a call of another phone, and keeping one's own to oneself.

use alloc::vec::Vec;

use selsius_wire::{DisplayLabel, Time};

use crate::{
    arena::Handle,
    call::{Appears, Call, End, Leg, LegState, Mixed, Phase, Role},
    device::Device,
    exchange::Exchange,
    record::Party,
    view::Transition,
};

/// How a phone goes into the call of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// Barge: the call stays that of the two who had it, and the guest leaves with the phone that it came to.
    Guest,
    /// cBarge: the call becomes a conference of all.
    Conference,
}

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

    /// Barge and cBarge: the phone goes into the call that another one has on their line. Its audio goes to the mixer.
    pub(crate) fn barge(
        &mut self,
        now: Time,
        device: Handle<Device>,
        line: u32,
        remote: Handle<Leg>,
        entrance: Entrance,
    ) {
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
        let another = |call: &Call| call.legs.iter().any(|&leg| self.is_guest(leg));
        if entrance == Entrance::Guest && self.calls.get(call).is_some_and(another) {
            return self.refuse_on(
                device,
                DisplayLabel::AnotherBargeExists,
                "barge into a call with a guest",
            );
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
            leg.guest_of = (entrance == Entrance::Guest).then_some(remote);
        }
        if let Some(call) = self.calls.get_mut(call) {
            call.mixed.get_or_insert(Mixed { owner: remote });
        }
        self.talk_together(now, call);
    }

    /// Is this leg in the call of another phone, by Barge?
    pub(crate) fn is_guest(&self, leg: Handle<Leg>) -> bool {
        self.legs.get(leg).is_some_and(|leg| leg.guest_of.is_some())
    }

    /// More than two parties, guests not counted.
    pub(crate) fn is_conference(&self, call: &Call) -> bool {
        call.mixed.is_some() && call.legs.iter().filter(|&&leg| !self.is_guest(leg)).count() > 2
    }

    /// Whom a guest came to has left the call, or transferred it: the guest leaves, too.
    pub(crate) fn dismiss_guests(&mut self, now: Time, call: Handle<Call>) {
        let Some(state) = self.calls.get(call) else { return };
        let abandoned = |&&leg: &&Handle<Leg>| {
            let host = self.legs.get(leg).and_then(|leg| leg.guest_of);
            host.is_some_and(|host| !state.legs.contains(&host))
        };
        for guest in state.legs.iter().filter(abandoned).copied().collect::<Vec<_>>() {
            self.remove_leg(now, guest, Transition::End);
        }
    }

    /// Hold that only this phone can end.
    pub(crate) fn private_hold(&mut self, now: Time, leg: Handle<Leg>) {
        // What cannot be held is not closed to others either.
        let one_way = self.is_one_way(leg);
        let held = |leg: &&mut Leg| leg.state == LegState::Connected && !one_way;
        if let Some(state) = self.legs.get_mut(leg).filter(held) {
            state.private = true;
        }
        self.hold(now, leg);
    }
}
