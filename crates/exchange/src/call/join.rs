//! Calls that become one: the end of a transfer, a conference, and who leaves it.

use alloc::vec::Vec;

use selsius_site::OwnerLeaves;
use selsius_wire::Time;

use super::{Aim, Call, Consultation, Leg, LegState, Mixed, Phase, Receive, Role};
use crate::{
    arena::Handle,
    exchange::{Exchange, Timer},
    record::{EndCause, RedirectKind, Redirection},
    view::Transition,
};

/// Why two calls cannot become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CannotJoin {
    /// One of them is not far enough, or over.
    State,
    /// There would be too many parties.
    Size,
}

impl Exchange {
    /// Calls somebody on behalf of a conversation, which waits meanwhile.
    pub(crate) fn consult(&mut self, now: Time, waits: Handle<Leg>, aim: Aim) -> Option<Handle<Leg>> {
        let station = self.legs.get(waits)?.station()?;
        match self.legs.get(waits)?.state {
            LegState::Connected if self.is_one_way(waits) => return None,
            LegState::Connected => self.hold(now, waits),
            LegState::Held => {}
            _ => return None,
        }
        self.new_call_for(now, station.device, station.line, Some(Consultation { waits, aim }))
    }

    /// Joins the far ends of two calls of one phone, which leaves both. `other` may still ring at the far end.
    pub(crate) fn transfer(
        &mut self,
        now: Time,
        waits: Handle<Leg>,
        other: Handle<Leg>,
    ) -> Result<(), CannotJoin> {
        let (Some(from), Some(to)) = (self.legs.get(waits), self.legs.get(other)) else {
            return Err(CannotJoin::State);
        };
        let (from_call, to_call, role, by) = (from.call, to.call, to.role, from.who.clone());
        let moved = self.others(waits);
        let ringing = match self.phases(from_call, to_call) {
            Some((Phase::Talking, Phase::Talking)) => false,
            Some((Phase::Talking, Phase::Ringing | Phase::Queued))
                if moved.len() == 1 && role == Role::Caller =>
            {
                true
            }
            _ => return Err(CannotJoin::State),
        };
        let parties = moved.len() + self.others(other).len();
        if parties > self.largest_conference() {
            return Err(CannotJoin::Size);
        }
        let inside = |leg: &Handle<Leg>| self.legs.get(*leg).is_some_and(Leg::is_inside);
        if !self.site.settings.outside_transfers && !moved.iter().chain(&self.others(other)).any(inside) {
            return Err(CannotJoin::State);
        }
        self.record_end(now, from_call, EndCause::Transferred);
        let at = self.wall.wall(now);
        self.move_legs(&moved, to_call);
        if let (Some(call), Some(party)) = (
            self.calls.get_mut(to_call),
            moved.first().and_then(|&leg| self.legs.get(leg)).map(|leg| &leg.who),
        ) {
            call.redirections.push(Redirection { kind: RedirectKind::Transfer, by, to: party.clone(), at });
        }
        // Whoever is moved stands where the phone stood that leaves.
        for &leg in &moved {
            if let Some(leg) = self.legs.get_mut(leg) {
                leg.role = role;
            }
        }
        self.remove_leg(now, waits, Transition::End);
        self.remove_leg(now, other, Transition::End);
        if ringing {
            self.ring_for(now, to_call, &moved);
        } else {
            self.talk_together(now, to_call);
        }
        self.refer_out(now, to_call);
        Ok(())
    }

    /// Makes one call of two of the same phone: everybody talks to everybody. `keep` stays, `other` goes.
    pub(crate) fn confer(
        &mut self,
        now: Time,
        keep: Handle<Leg>,
        other: Handle<Leg>,
    ) -> Result<(), CannotJoin> {
        let (Some(to), Some(from)) = (self.legs.get(keep), self.legs.get(other)) else {
            return Err(CannotJoin::State);
        };
        let (to_call, from_call) = (to.call, from.call);
        if self.phases(to_call, from_call) != Some((Phase::Talking, Phase::Talking)) {
            return Err(CannotJoin::State);
        }
        let moved = self.others(other);
        if moved.len() + 1 + self.others(keep).len() > self.largest_conference() {
            return Err(CannotJoin::Size);
        }
        self.record_end(now, from_call, EndCause::Joined);
        self.move_legs(&moved, to_call);
        self.remove_leg(now, other, Transition::End);
        if let Some(device) = self.legs.get(keep).and_then(Leg::device)
            && self.active_leg(device) != Some(keep)
        {
            self.clear_way(now, device);
        }
        self.forget_hold_reminder(keep);
        if let Some(leg) = self.legs.get_mut(keep) {
            leg.state = LegState::Connected;
            leg.selected = false;
        }
        if let Some(call) = self.calls.get_mut(to_call) {
            call.mixed.get_or_insert(Mixed { owner: keep });
        }
        self.talk_together(now, to_call);
        Ok(())
    }

    /// One of more than two parties leaves; two that remain talk to each other again.
    pub(crate) fn leave_conference(
        &mut self,
        now: Time,
        call: Handle<Call>,
        leg: Handle<Leg>,
        cause: EndCause,
    ) {
        let Some(state) = self.calls.get(call) else { return };
        let owner = state.mixed.as_ref().is_some_and(|mixed| mixed.owner == leg);
        // Nobody pays for a conversation among strangers.
        let stays = |&&other: &&Handle<Leg>| other != leg && self.legs.get(other).is_some_and(Leg::is_inside);
        // A guest has nobody to talk to but those whose call it is.
        let hosts = |&&other: &&Handle<Leg>| other != leg && !self.is_guest(other);
        let alone = state.legs.iter().filter(hosts).count() < 2;
        if state.legs.iter().filter(stays).count() == 0 || alone || owner && self.ends_with_owner() {
            return self.end_call(now, call, leg, cause);
        }
        self.remove_leg(now, leg, Transition::End);
        self.talk_together(now, call);
    }

    /// A leg takes over what another one of its call was for the others.
    pub(crate) fn take_place(&mut self, old: Handle<Leg>, new: Handle<Leg>) {
        let call = self.legs.get(old).and_then(|leg| self.calls.get_mut(leg.call));
        let Some(call) = call else { return };
        if let Some(mixed) = call.mixed.as_mut().filter(|mixed| mixed.owner == old) {
            mixed.owner = new;
        }
        for other in call.legs.clone() {
            if let Some(guest) = self.legs.get_mut(other).filter(|other| other.guest_of == Some(old)) {
                guest.guest_of = Some(new);
            }
        }
    }

    /// The most parties of a conference.
    pub(crate) fn largest_conference(&self) -> usize {
        usize::try_from(self.site.settings.conference_size).unwrap_or(usize::MAX)
    }

    fn ends_with_owner(&self) -> bool {
        self.site.settings.conference_owner_leaves == OwnerLeaves::End
    }

    fn phases(&self, a: Handle<Call>, b: Handle<Call>) -> Option<(Phase, Phase)> {
        if a == b {
            return None;
        }
        Some((self.calls.get(a)?.phase, self.calls.get(b)?.phase))
    }

    /// Moves legs to another call. Their audio begins anew there.
    fn move_legs(&mut self, legs: &[Handle<Leg>], to: Handle<Call>) {
        for &handle in legs {
            self.timers.cancel(Timer::Media(handle));
            let Some(leg) = self.legs.get_mut(handle) else { continue };
            let from = core::mem::replace(&mut leg.call, to);
            (leg.audio, leg.secured) = (None, None);
            leg.consults = None;
            leg.record = None;
            if leg.device().is_some() {
                leg.receive = Receive::Closed;
            }
            self.end_recording_by(handle, from);
            if let Some(call) = self.calls.get_mut(from) {
                call.legs.retain(|&other| other != handle);
            }
            if let Some(call) = self.calls.get_mut(to) {
                call.legs.push(handle);
            }
        }
    }

    /// The moved party waits for the answer of those who ring in this call.
    fn ring_for(&mut self, now: Time, handle: Handle<Call>, moved: &[Handle<Leg>]) {
        let Some(&leg) = moved.first() else { return };
        if let (Some(state), Some(call)) = (self.legs.get_mut(leg), self.calls.get_mut(handle)) {
            call.calling = state.who.clone();
            if state.state == LegState::Connected {
                state.state = LegState::RingOut;
            }
        }
        let _ = self.settle_media(now, handle);
        self.transition(now, leg, Transition::RingOut);
        self.tell_others(now, leg, Transition::Parties);
    }

    /// Everybody in the call talks; who they are and how their audio goes follows from how many they are.
    pub(crate) fn talk_together(&mut self, now: Time, handle: Handle<Call>) {
        self.dismiss_guests(now, handle);
        let Some(call) = self.calls.get_mut(handle) else { return };
        call.phase = Phase::Talking;
        let legs = call.legs.clone();
        if let [one, other] = legs[..] {
            call.mixed = None;
            self.pair_up(handle, one, other);
        } else if call.mixed.is_none()
            && let Some(&owner) = legs.first()
        {
            call.mixed = Some(Mixed { owner });
        }
        if let (Err(cause), Some(&leg)) = (self.settle_media(now, handle), legs.first()) {
            return self.fail(now, leg, cause);
        }
        for leg in legs {
            self.transition(now, leg, Transition::Join);
        }
    }

    /// Two parties: one of them is the caller.
    fn pair_up(&mut self, call: Handle<Call>, one: Handle<Leg>, other: Handle<Leg>) {
        let (Some(first), Some(second)) = (self.legs.get(one), self.legs.get(other)) else { return };
        let (caller, called) = if first.role == Role::Called && second.role == Role::Caller {
            (other, one)
        } else {
            (one, other)
        };
        let mut parties = Vec::new();
        for (leg, role) in [(caller, Role::Caller), (called, Role::Called)] {
            if let Some(leg) = self.legs.get_mut(leg) {
                leg.role = role;
                parties.push(leg.who.clone());
            }
        }
        if let (Some(call), [calling, called]) = (self.calls.get_mut(call), &parties[..]) {
            call.calling = calling.clone();
            call.called = called.clone();
        }
    }
}
