//! Several calls on one phone: which one has the handset, and what the others do meanwhile.

use alloc::vec::Vec;

use selsius_site::LineNumber;
use selsius_wire::Time;

use super::{Appears, Leg, LegState, Phase};
use crate::{arena::Handle, device::Device, exchange::Exchange, view::Transition};

impl Exchange {
    /// The user puts the call aside. The other party hears nothing (music comes with the media services).
    pub(crate) fn hold(&mut self, now: Time, leg: Handle<Leg>) {
        let one_way = self.is_one_way(leg);
        let Some(state) = self.legs.get_mut(leg) else { return };
        if state.state != LegState::Connected || one_way {
            return self.counters.refuse("hold outside a call");
        }
        state.selected = false;
        state.state = LegState::Held;
        state.held_at = now;
        let call = state.call;
        self.remind_of_hold(now, leg);
        // Whoever is left alone needs no codec in common with anybody.
        let _ = self.settle_media(now, call);
        self.transition(now, leg, Transition::Hold);
        self.tell_others(now, leg, Transition::OtherHolds);
    }

    /// The user takes the call up again. The call that the phone was in is put on hold in turn.
    pub(crate) fn resume(&mut self, now: Time, leg: Handle<Leg>) {
        let Some((state, device, call)) = self.legs.get(leg).map(|leg| (leg.state, leg.device(), leg.call))
        else {
            return;
        };
        if state != LegState::Held {
            return self.counters.refuse("resume without hold");
        }
        if let Some(device) = device {
            self.clear_way(now, device);
        }
        // What was dialled meanwhile may have been all that kept this call: a consultation that ended it.
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.state = LegState::Connected;
        state.private = false;
        self.forget_hold_reminder(leg);
        if let Err(cause) = self.settle_media(now, call) {
            return self.fail(now, leg, cause);
        }
        self.transition(now, leg, Transition::Resume);
        self.tell_others(now, leg, Transition::OtherResumes);
    }

    /// Makes the handset free for a new call: a conversation is put on hold, a tone of failure ends. `false` while the
    /// user is busy with making another call.
    pub(crate) fn make_room(&mut self, now: Time, device: Handle<Device>) -> bool {
        let Some(leg) = self.active_leg(device) else { return true };
        match self.legs.get(leg).map(|leg| leg.state) {
            Some(LegState::Connected) if self.is_one_way(leg) => self.hang_up(now, leg),
            Some(LegState::Connected) => self.hold(now, leg),
            Some(LegState::Failed(_)) => self.hang_up(now, leg),
            _ => return false,
        }
        true
    }

    /// Makes the handset free for a call that is there: a conversation is put on hold, whatever was being dialled ends.
    pub(crate) fn clear_way(&mut self, now: Time, device: Handle<Device>) {
        if !self.make_room(now, device)
            && let Some(leg) = self.active_leg(device)
        {
            self.hang_up(now, leg);
        }
    }

    /// The call on hold that the phone names, else the one that waits longest (on this line).
    pub(crate) fn held_leg(&self, device: Handle<Device>, line: Option<u32>) -> Option<Handle<Leg>> {
        let legs = &self.devices.get(device)?.legs;
        legs.iter().copied().find(|&leg| {
            self.legs
                .get(leg)
                .is_some_and(|leg| leg.state == LegState::Held && line.is_none_or(|line| leg.line() == line))
        })
    }

    /// Tells the other parties of the call.
    pub(crate) fn tell_others(&mut self, now: Time, leg: Handle<Leg>, transition: Transition) {
        for other in self.others(leg) {
            self.transition(now, other, transition);
        }
    }

    /// The other legs of the call.
    pub(crate) fn others(&self, handle: Handle<Leg>) -> Vec<Handle<Leg>> {
        let call = self.legs.get(handle).and_then(|leg| self.calls.get(leg.call));
        let legs = call.map(|call| call.legs.as_slice()).unwrap_or_default();
        legs.iter().copied().filter(|&other| other != handle).collect()
    }

    /// Tells the phones that have the same line on a button, or a busy lamp for it: it is in use there, or not any more.
    pub(crate) fn render_sharers(&mut self, now: Time, station: Appears) {
        let device = self.devices.get(station.device);
        let Some(number) = device.and_then(|device| device.appearance(station.line)).map(|line| &line.number)
        else {
            return;
        };
        let shared = self.shared.contains(number);
        let watched = self.watchers.contains_key(number);
        if !shared && !watched {
            return;
        }
        let number = number.clone();
        if shared {
            self.render_line(now, &number, station.device);
        }
        if watched {
            self.render_watchers(now, &number);
        }
    }

    /// Tells the phones with this line, except one.
    pub(crate) fn render_line(&mut self, now: Time, number: &LineNumber, except: Handle<Device>) {
        let all = self.appearances.get(number).map(Vec::as_slice).unwrap_or_default();
        let devices: Vec<_> = all.iter().map(|other| other.device).filter(|&other| other != except).collect();
        for device in devices {
            self.render(now, device, Transition::Remote, None);
        }
    }

    /// The leg of another phone on a line that this phone has too, by the reference that both know it by.
    pub(crate) fn remote_leg(&self, device: Handle<Device>, reference: u32) -> Option<(Handle<Leg>, u32)> {
        let lines = &self.devices.get(device)?.buttons.lines;
        lines.iter().find_map(|line| {
            let found = self.remote_legs(device, line.instance).find(|&(_, leg)| leg.reference == reference);
            found.map(|(handle, _)| (handle, line.instance))
        })
    }

    /// The calls that other phones have on a line of this one: those of which it can be seen.
    pub(crate) fn remote_legs(
        &self,
        device: Handle<Device>,
        line: u32,
    ) -> impl Iterator<Item = (Handle<Leg>, &Leg)> {
        let appearance = self.devices.get(device).and_then(|device| device.appearance(line));
        let of_phones = appearance.map(|appearance| self.extension_legs(&appearance.number));
        let of_phones = of_phones.into_iter().flatten().filter(|(_, leg)| self.is_seen(leg));
        let shared = appearance.filter(|appearance| self.shared.contains(&appearance.number));
        let all = shared.and_then(|appearance| self.appearances.get(&appearance.number));
        let all = all.map(Vec::as_slice).unwrap_or_default();
        let of_others = all.iter().filter(move |other| other.device != device).flat_map(move |other| {
            let legs =
                self.devices.get(other.device).map(|device| device.legs.as_slice()).unwrap_or_default();
            let on_line = move |&handle: &Handle<Leg>| Some((handle, self.legs.get(handle)?));
            legs.iter().filter_map(on_line).filter(|(_, leg)| leg.line() == other.line && self.is_seen(leg))
        });
        of_others.chain(of_phones)
    }

    /// Do other phones of the line see the call? Not while it rings there (it rings on them too), nor what failed.
    fn is_seen(&self, leg: &Leg) -> bool {
        let over = self.calls.get(leg.call).is_none_or(|call| call.phase == Phase::Over);
        !over && leg.state != LegState::RingIn
    }

    /// Takes a call that another phone of the line has put on hold: it goes on here.
    pub(crate) fn resume_here(
        &mut self,
        now: Time,
        device: Handle<Device>,
        line: u32,
        leg: Handle<Leg>,
    ) -> Option<Handle<Leg>> {
        let free = self.legs.get(leg).is_some_and(|leg| leg.state == LegState::Held && !self.is_closed(leg));
        if !free {
            self.counters.refuse("resume of a call that is not on hold");
            return None;
        }
        self.clear_way(now, device);
        let state = self.legs.get(leg)?;
        let (call, role) = (state.call, state.role);
        let name = self.devices.get(device)?.name.clone();
        let who = crate::record::Party { device: Some(name), ..state.who.clone() };
        let station = Appears { device, line };
        let end = super::End::Station(station);
        let here = self.add_leg(call, end, who, role, LegState::Held)?;
        self.take_place(leg, here);
        self.remove_leg(now, leg, Transition::End);
        self.resume(now, here);
        Some(here)
    }
}
