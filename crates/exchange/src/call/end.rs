//! Endings: hanging up, failing, vanishing, and the record that each leaves.

use alloc::boxed::Box;

use selsius_wire::Time;

use super::{Call, End, Leg, LegState, Phase, Receive, Role, media::encoding_name};
use crate::{
    arena::Handle,
    exchange::{Exchange, Timer},
    io::Level,
    record::{CallEnded, EndCause, Record, WallTime},
    view::Transition,
};

impl Exchange {
    /// A user hangs up one leg.
    pub(crate) fn hang_up(&mut self, now: Time, leg: Handle<Leg>) {
        let Some((role, state)) = self.legs.get(leg).map(|leg| (leg.role, leg.state)) else { return };
        // A called phone that only rings cannot hang up: its user puts down a handset that was off the hook before.
        if state == LegState::RingIn {
            return;
        }
        let cause = match role {
            Role::Caller => EndCause::CallerHungUp,
            Role::Called => EndCause::CalledHungUp,
        };
        self.end_leg(now, leg, cause);
    }

    /// Ends one leg for a reason of its own, and with it whatever cannot live without it.
    pub(crate) fn end_leg(&mut self, now: Time, leg: Handle<Leg>, cause: EndCause) {
        let Some(state) = self.legs.get(leg) else { return };
        let (call_handle, role, extension) = (state.call, state.role, state.extension().is_some());
        let Some(call) = self.calls.get(call_handle) else { return };
        let others_ring = call.legs.iter().any(|&other| {
            other != leg
                && self.legs.get(other).is_some_and(|other| other.role == Role::Called)
                && call.phase == Phase::Ringing
        });
        match call.phase {
            // One of several ringing phones is gone: the others ring on.
            Phase::Ringing if role == Role::Called && others_ring => {
                self.remove_leg(now, leg, Transition::End);
            }
            // The only ringing phone is gone: the caller hears so.
            Phase::Ringing if role == Role::Called => {
                let caller = self.caller(call_handle);
                self.remove_leg(now, leg, Transition::End);
                if self.member_gone(now, call_handle) {
                    return;
                }
                if extension && self.forward_refused(now, call_handle, cause) {
                    return;
                }
                if let Some(caller) = caller {
                    self.fail(now, caller, cause);
                }
            }
            // One of those who are spoken to leaves: the others stay.
            Phase::Paging if role == Role::Called && call.legs.len() > 2 => {
                self.remove_leg(now, leg, Transition::End);
            }
            // One participant of a conference leaves it.
            Phase::Talking if call.legs.len() > 2 => self.leave_conference(now, call_handle, leg, cause),
            Phase::Dialing
            | Phase::Ringing
            | Phase::Talking
            | Phase::Queued
            | Phase::Parked
            | Phase::Callback
            | Phase::Paging => self.end_call(now, call_handle, leg, cause),
            // The call is over; this leg only heard a tone.
            Phase::Over => self.remove_leg(now, leg, Transition::End),
        }
    }

    /// Ends all legs of a call, the one that caused it first.
    pub(crate) fn end_call(
        &mut self,
        now: Time,
        call_handle: Handle<Call>,
        first: Handle<Leg>,
        cause: EndCause,
    ) {
        self.record_end(now, call_handle, cause);
        self.remove_leg(now, first, Transition::End);
        let rest = self.calls.get(call_handle).map(|call| call.legs.clone()).unwrap_or_default();
        for leg in rest {
            self.remove_leg(now, leg, Transition::End);
        }
    }

    /// Ends a call in failure: its off-hook legs hear a tone until they hang up, ringing
    /// and held ones stop, and so do trunks: they are told why.
    pub(crate) fn fail(&mut self, now: Time, leg: Handle<Leg>, cause: EndCause) {
        let Some(call_handle) = self.legs.get(leg).map(|leg| leg.call) else { return };
        self.record_end(now, call_handle, cause);
        let legs = self.calls.get(call_handle).map(|call| call.legs.clone()).unwrap_or_default();
        for leg in legs {
            let Some(state) = self.legs.get_mut(leg) else { continue };
            // Nobody is at a phone that answered by itself.
            if state.state.is_off_hook() && state.device().is_some() && !state.one_way {
                self.timers.cancel(Timer::Media(leg));
                (state.receive, state.audio, state.secured) = (Receive::Closed, None, None);
                self.release_anchor(leg);
                self.enter(now, leg, LegState::Failed(cause), Transition::Fail);
            } else {
                self.remove_leg(now, leg, Transition::End);
            }
        }
    }

    /// Writes the record of a call, once. A handset that was lifted and put down again leaves none.
    pub(crate) fn record_end(&mut self, now: Time, call_handle: Handle<Call>, cause: EndCause) {
        self.timers.cancel(Timer::Digits(call_handle));
        self.timers.cancel(Timer::NoAnswer(call_handle));
        self.leave_queue(call_handle);
        self.free_slot(now, call_handle);
        self.timers.cancel(Timer::ForwardNoAnswer(call_handle));
        let Some(call) = self.calls.get(call_handle) else { return };
        if call.phase == Phase::Over {
            return;
        }
        let record = self.record_of(call, self.wall.wall(now), cause);
        self.end_recording(call_handle);
        if let Some(call) = self.calls.get_mut(call_handle) {
            (call.phase, call.cause) = (Phase::Over, Some(cause));
        }
        if self.calls_watched {
            self.tell_watchers(call_handle);
        }
        let Some(record) = record else { return };
        if let Some(call) = self.calls.get_mut(call_handle) {
            call.called.number.clone_from(&record.called.number);
        }
        let text = alloc::format!(
            "call {} {} to {}: {}",
            record.call.0,
            record.calling.number,
            record.dialed,
            cause.name()
        );
        self.store(Record::CallEnded(Box::new(record)));
        self.event(Level::Debug, None, "", text);
    }

    /// The record of a call in progress that ends like this; none of one whose number is not complete.
    pub(crate) fn record_of(&self, call: &Call, ended: WallTime, cause: EndCause) -> Option<CallEnded> {
        if call.phase == Phase::Over {
            return None;
        }
        // A number that leads nowhere is a call as well, from the moment when that was known.
        let misdialed = cause == EndCause::UnknownNumber && !call.dialed.is_empty();
        let started = call.started.or(misdialed.then_some(ended))?;
        let mut called = call.called.clone();
        if misdialed {
            called.number.clone_from(&call.dialed);
        }
        let codec = call.codec.filter(|_| call.answered.is_some()).map(|codec| encoding_name(codec).into());
        Some(CallEnded {
            call: call.id,
            calling: call.calling.clone(),
            dialed: call.dialed.clone(),
            called,
            started,
            ringing: call.ringing,
            answered: call.answered,
            // The clock may have been set back during the call.
            ended: ended.max(call.answered.unwrap_or(started)),
            cause,
            codec: codec.unwrap_or_default(),
            redirections: call.redirections.clone(),
            account: call.codes.name(),
            trunk: self.trunk_of(call),
            recordings: call.recordings.clone(),
        })
    }

    /// Takes a leg out of its call and off its phone. The call goes with its last leg.
    pub(crate) fn remove_leg(&mut self, now: Time, handle: Handle<Leg>, transition: Transition) {
        let Some(mut leg) = self.legs.remove(handle) else { return };
        self.timers.cancel(Timer::Media(handle));
        self.timers.cancel(Timer::HoldReminder(handle));
        self.parties.remove(&leg.party);
        self.release_anchor_of(&mut leg);
        self.end_recording_by(handle, leg.call);
        if let Some(call) = self.calls.get(leg.call).map(|call| call.id) {
            self.record_counted(&mut leg, call);
        }
        let mut talked = None;
        let mut why = None;
        if let Some(call) = self.calls.get_mut(leg.call) {
            call.legs.retain(|&other| other != handle);
            why = call.cause;
            let answered = call.answered.map(|_| call.id);
            if call.legs.is_empty() {
                self.timers.cancel(Timer::Digits(leg.call));
                self.timers.cancel(Timer::NoAnswer(leg.call));
                self.timers.cancel(Timer::ForwardNoAnswer(leg.call));
                self.calls.remove(leg.call);
            }
            talked = answered.filter(|_| matches!(leg.state, LegState::Connected | LegState::Held));
        }
        let station = match &leg.end {
            End::Station(station) => *station,
            End::Trunk(trunk) => {
                self.release_trunk(trunk, why);
                if let Some(at) = &trunk.extension {
                    self.extension_leg_gone(now, handle, &leg, at);
                }
                return;
            }
        };
        if let Some(device) = self.devices.get_mut(station.device) {
            device.legs.retain(|&other| other != handle);
        }
        self.leg_gone(now, &leg, station);
        self.render(now, station.device, transition, Some(leg.reference));
        self.render_sharers(now, station);
        if let Some(call) = talked {
            self.ask_quality(&leg, station, call);
        }
        self.restart_if_idle(now, station.device);
    }
}
