//! Call control: from dial tone to hang-up. Functions here change states and name the transition; what phones are
//! told follows in `view`.

use alloc::{string::String, vec::Vec};

use selsius_site::LineNumber;
use selsius_wire::Time;

use super::{Call, Leg, LegState, Phase, Receive, Role, media::encoding_name};
use crate::{
    arena::Handle,
    device::Device,
    dialplan::{self, Analysis, Destination, Target},
    exchange::{Exchange, Timer},
    io::{Level, Output},
    record::{CallEnded, CallStarted, EndCause, Party, Record},
    view::Transition,
};

impl Exchange {
    /// Gives a phone dial tone on a line. `None` if the device has too many legs already or no such line.
    pub(crate) fn new_call(&mut self, now: Time, device: Handle<Device>, line: u32) -> Option<Handle<Leg>> {
        let party = {
            let device = self.devices.get(device)?;
            // Legs that only ring are others' doing: they must not keep anybody from dialling an emergency number.
            let own = |&&leg: &&Handle<Leg>| self.legs.get(leg).is_some_and(|leg| leg.state.is_off_hook());
            if device.legs.iter().filter(own).count() >= self.config.limits.legs_per_device {
                self.counters.refuse("too many legs");
                return None;
            }
            let appearance = device.appearance(line)?;
            Party {
                number: appearance.number.as_str().into(),
                name: appearance.name.clone(),
                device: Some(device.name.clone()),
            }
        };
        let id = self.next_call_id();
        let conference = self.next_reference();
        let call = self.calls.insert(Call {
            id,
            conference,
            legs: Vec::new(),
            phase: Phase::Dialing,
            dialed: String::new(),
            emergency: false,
            calling: party,
            called: Party { number: String::new(), name: String::new(), device: None },
            started: None,
            ringing: None,
            answered: None,
            audio: None,
        });
        let leg = self.add_leg(call, device, line, Role::Caller, LegState::DialTone)?;
        let wait = self.site.settings.timers.first_digit;
        self.timers.set(Timer::Digits(call), now + seconds(wait));
        self.transition(now, leg, Transition::OffHook);
        Some(leg)
    }

    fn add_leg(
        &mut self,
        call: Handle<Call>,
        device: Handle<Device>,
        line: u32,
        role: Role,
        state: LegState,
    ) -> Option<Handle<Leg>> {
        let reference = self.next_reference();
        let party = self.next_party();
        let leg = self.legs.insert(Leg {
            call,
            device,
            line,
            reference,
            party,
            role,
            state,
            receive: Receive::Closed,
        });
        self.parties.insert(party, leg);
        self.calls.get_mut(call)?.legs.push(leg);
        self.devices.get_mut(device)?.legs.push(leg);
        Some(leg)
    }

    /// One more digit of the caller's.
    pub(crate) fn dial(&mut self, now: Time, leg: Handle<Leg>, digit: char) {
        let Some((call, state)) = self.legs.get(leg).map(|leg| (leg.call, leg.state)) else { return };
        match state {
            LegState::DialTone | LegState::Dialing => {}
            // A digit in a call is the far end's business; phones send it in the audio (RFC 4733 or in band).
            LegState::Connected => return,
            LegState::Proceeding
            | LegState::RingOut
            | LegState::RingIn
            | LegState::Answering
            | LegState::Failed(_) => {
                self.counters.refuse("digit outside dialling");
                return;
            }
        }
        let limit = self.config.limits.digits;
        let Some(call_state) = self.calls.get_mut(call) else { return };
        if digit == '#' && dialplan::hash_ends(&self.site, &call_state.dialed) {
            return self.digits_end(now, leg);
        }
        call_state.dialed.push(digit);
        let dialed = call_state.dialed.len();
        let analysis = dialplan::analyse(&self.site, &call_state.dialed);
        if state == LegState::DialTone {
            self.enter(now, leg, LegState::Dialing, Transition::Dialing);
        }
        match analysis {
            _ if dialed > limit => self.fail(now, leg, EndCause::UnknownNumber),
            Analysis::Nowhere => self.fail(now, leg, EndCause::UnknownNumber),
            Analysis::Complete(target) => self.complete(now, leg, target),
            Analysis::Incomplete | Analysis::MayGrow(_) => {
                let wait = self.site.settings.timers.inter_digit;
                self.timers.set(Timer::Digits(call), now + seconds(wait));
            }
        }
    }

    /// Takes the caller's last digit back.
    pub(crate) fn take_back_digit(&mut self, now: Time, leg: Handle<Leg>) {
        let Some(call) = self.legs.get(leg).filter(|leg| leg.state == LegState::Dialing).map(|leg| leg.call)
        else {
            return self.counters.refuse("backspace outside dialling");
        };
        let Some(call_state) = self.calls.get_mut(call) else { return };
        call_state.dialed.pop();
        let empty = call_state.dialed.is_empty();
        let timers = self.site.settings.timers;
        let wait = if empty { timers.first_digit } else { timers.inter_digit };
        self.timers.set(Timer::Digits(call), now + seconds(wait));
        self.send_back_space(leg);
        if empty {
            self.enter(now, leg, LegState::DialTone, Transition::Dialing);
        }
    }

    /// A whole number at once: en bloc, redial, speed dial.
    pub(crate) fn dial_all(&mut self, now: Time, leg: Handle<Leg>, number: &str) {
        let Some((call, LegState::DialTone | LegState::Dialing)) =
            self.legs.get(leg).map(|leg| (leg.call, leg.state))
        else {
            return self.counters.refuse("number outside dialling");
        };
        let Some(call) = self.calls.get_mut(call) else { return };
        let room = self.config.limits.digits.saturating_sub(call.dialed.len());
        if number.chars().count() > room {
            return self.fail(now, leg, EndCause::UnknownNumber);
        }
        call.dialed.push_str(number);
        if call.dialed.ends_with('#') && dialplan::finish(&self.site, &call.dialed).is_none() {
            call.dialed.pop();
        }
        self.digits_end(now, leg);
    }

    /// No more digits will come.
    pub(crate) fn digits_end(&mut self, now: Time, leg: Handle<Leg>) {
        let Some(call) = self.legs.get(leg).and_then(|leg| self.calls.get(leg.call)) else { return };
        match dialplan::finish(&self.site, &call.dialed) {
            Some(target) => self.complete(now, leg, target),
            None => self.fail(now, leg, EndCause::UnknownNumber),
        }
    }

    /// The number is complete: looks for the called phones and rings them.
    fn complete(&mut self, now: Time, leg: Handle<Leg>, target: Target) {
        let Some((call_handle, caller)) = self.legs.get(leg).map(|leg| (leg.call, leg.device)) else {
            return;
        };
        self.timers.cancel(Timer::Digits(call_handle));
        let started = self.wall.wall(now);
        let lines = match target.to {
            Destination::Line(line) => [line].into(),
            Destination::FirstOf(lines) => lines,
            Destination::Blocked => Vec::new(),
        };
        let blocked = lines.is_empty();
        let found = self.first_free(&lines, caller, target.emergency);
        let called = match &found {
            Ok((line, _)) => Some(line.clone()),
            Err(_) => lines.first().cloned(),
        };
        let called = called.map(|line| self.party(&line));
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        call.emergency = target.emergency;
        call.started = Some(started);
        call.called = called.unwrap_or_else(|| Party {
            number: call.dialed.clone(),
            name: String::new(),
            device: None,
        });
        let record = CallStarted {
            call: call.id,
            calling: call.calling.clone(),
            dialed: call.dialed.clone(),
            started,
        };
        if let Some(device) = self.devices.get_mut(caller) {
            device.last_dialed = record.dialed.clone();
        }
        self.out.push_back(Output::Store(Record::CallStarted(record)));
        self.counters.calls += 1;
        self.enter(now, leg, LegState::Proceeding, Transition::Proceed);
        match found {
            _ if blocked => self.fail(now, leg, EndCause::Blocked),
            Err(cause) => self.fail(now, leg, cause),
            Ok((_, appearances)) => self.ring(now, leg, &appearances),
        }
    }

    /// The first of `lines` that can be rung, and where it appears. An emergency call rings busy phones too, when
    /// there is no free one.
    fn first_free(
        &self,
        lines: &[LineNumber],
        caller: Handle<Device>,
        emergency: bool,
    ) -> Result<(LineNumber, Vec<Appears>), EndCause> {
        let mut cause = EndCause::Unregistered;
        for rings in [Rings::Free, Rings::Anything] {
            for line in lines {
                let all = self.appearances.get(line).map(Vec::as_slice).unwrap_or_default();
                if !all.is_empty() {
                    cause = EndCause::Busy;
                }
                let can = all.iter().copied().filter(|&(device, _)| {
                    let legs = self.devices.get(device).map_or(0, |device| device.legs.len());
                    device != caller && (rings == Rings::Anything || legs == 0)
                });
                let can: Vec<_> = can.collect();
                if !can.is_empty() {
                    return Ok((line.clone(), can));
                }
            }
            if !emergency {
                break;
            }
        }
        Err(cause)
    }

    fn party(&self, line: &LineNumber) -> Party {
        let name = self.site.lines.get(line).map(|line| line.name.clone()).unwrap_or_default();
        Party { number: line.as_str().into(), name, device: None }
    }

    fn ring(&mut self, now: Time, caller: Handle<Leg>, appearances: &[Appears]) {
        let Some(call_handle) = self.legs.get(caller).map(|leg| leg.call) else { return };
        let wall = self.wall.wall(now);
        if let Some(call) = self.calls.get_mut(call_handle) {
            call.phase = Phase::Ringing;
            call.ringing = Some(wall);
        }
        let wait = self.site.settings.timers.no_answer;
        self.timers.set(Timer::NoAnswer(call_handle), now + seconds(wait));
        for &(device, line) in appearances {
            if let Some(leg) = self.add_leg(call_handle, device, line, Role::Called, LegState::RingIn) {
                self.transition(now, leg, Transition::RingIn);
            }
        }
        self.enter(now, caller, LegState::RingOut, Transition::RingOut);
    }

    /// The user of a ringing phone answers. What else that phone was doing ends first.
    pub(crate) fn answer(&mut self, now: Time, leg: Handle<Leg>) {
        let Some((call_handle, device, state)) =
            self.legs.get(leg).map(|leg| (leg.call, leg.device, leg.state))
        else {
            return;
        };
        if state != LegState::RingIn {
            return self.counters.refuse("answer without ringing");
        }
        let others = self.devices.get(device).map(|device| device.legs.clone()).unwrap_or_default();
        for other in others {
            if self.legs.get(other).is_some_and(|leg| leg.state.is_off_hook()) {
                self.hang_up(now, other);
            }
        }
        let Some(call) = self.calls.get(call_handle) else { return };
        let rivals: Vec<_> = call.legs.iter().copied().filter(|&other| other != leg).collect();
        self.timers.cancel(Timer::NoAnswer(call_handle));
        self.enter(now, leg, LegState::Answering, Transition::PickUp);
        let mut caller = None;
        for rival in rivals {
            match self.legs.get(rival).map(|leg| leg.role) {
                Some(Role::Caller) => caller = Some(rival),
                Some(Role::Called) => self.remove_leg(now, rival, Transition::AnsweredElsewhere),
                None => {}
            }
        }
        let Some(caller) = caller else { return };
        self.connect(now, caller, leg);
    }

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
        let Some((call_handle, role)) = self.legs.get(leg).map(|leg| (leg.call, leg.role)) else { return };
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
                if let Some(caller) = caller {
                    self.fail(now, caller, cause);
                }
            }
            Phase::Dialing | Phase::Ringing | Phase::Talking => self.end_call(now, call_handle, leg, cause),
            // The call is over; this leg only heard a tone.
            Phase::Over => self.remove_leg(now, leg, Transition::End),
        }
    }

    /// Ends all legs of a call, the one that caused it first.
    fn end_call(&mut self, now: Time, call_handle: Handle<Call>, first: Handle<Leg>, cause: EndCause) {
        self.record_end(now, call_handle, cause);
        self.remove_leg(now, first, Transition::End);
        let rest = self.calls.get(call_handle).map(|call| call.legs.clone()).unwrap_or_default();
        for leg in rest {
            self.remove_leg(now, leg, Transition::End);
        }
    }

    /// Ends a call in failure: its off-hook legs hear a tone until they hang up, ringing ones stop.
    pub(crate) fn fail(&mut self, now: Time, leg: Handle<Leg>, cause: EndCause) {
        let Some(call_handle) = self.legs.get(leg).map(|leg| leg.call) else { return };
        self.record_end(now, call_handle, cause);
        let legs = self.calls.get(call_handle).map(|call| call.legs.clone()).unwrap_or_default();
        for leg in legs {
            let Some(state) = self.legs.get_mut(leg) else { continue };
            if state.state.is_off_hook() {
                self.timers.cancel(Timer::Media(leg));
                state.receive = Receive::Closed;
                self.enter(now, leg, LegState::Failed(cause), Transition::Fail);
            } else {
                self.remove_leg(now, leg, Transition::End);
            }
        }
    }

    /// Writes the record of a call, once. A handset that was lifted and put down again leaves none.
    fn record_end(&mut self, now: Time, call_handle: Handle<Call>, cause: EndCause) {
        self.timers.cancel(Timer::Digits(call_handle));
        self.timers.cancel(Timer::NoAnswer(call_handle));
        let ended = self.wall.wall(now);
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        if call.phase == Phase::Over {
            return;
        }
        call.phase = Phase::Over;
        // A number that leads nowhere is a call as well, from the moment when that was known.
        let misdialed = cause == EndCause::UnknownNumber && !call.dialed.is_empty();
        let Some(started) = call.started.or(misdialed.then_some(ended)) else { return };
        if misdialed {
            call.called.number.clone_from(&call.dialed);
        }
        // The clock may have been set back during the call.
        let ended = ended.max(call.answered.unwrap_or(started));
        let codec =
            call.audio.filter(|_| call.answered.is_some()).map(|audio| encoding_name(audio.codec).into());
        let record = CallEnded {
            call: call.id,
            calling: call.calling.clone(),
            dialed: call.dialed.clone(),
            called: call.called.clone(),
            started,
            ringing: call.ringing,
            answered: call.answered,
            ended,
            cause,
            codec: codec.unwrap_or_default(),
        };
        let text = alloc::format!(
            "call {} {} to {}: {}",
            record.call.0,
            record.calling.number,
            record.dialed,
            cause.name()
        );
        self.out.push_back(Output::Store(Record::CallEnded(record)));
        self.event(Level::Debug, None, "", text);
    }

    /// Takes a leg out of its call and off its phone. The call goes with its last leg.
    pub(crate) fn remove_leg(&mut self, now: Time, handle: Handle<Leg>, transition: Transition) {
        let Some(leg) = self.legs.remove(handle) else { return };
        self.timers.cancel(Timer::Media(handle));
        self.parties.remove(&leg.party);
        let mut talked = None;
        if let Some(call) = self.calls.get_mut(leg.call) {
            call.legs.retain(|&other| other != handle);
            let answered = call.answered.map(|_| call.id);
            if call.legs.is_empty() {
                self.timers.cancel(Timer::Digits(leg.call));
                self.timers.cancel(Timer::NoAnswer(leg.call));
                self.calls.remove(leg.call);
            }
            talked = answered.filter(|_| leg.state == LegState::Connected);
        }
        if let Some(device) = self.devices.get_mut(leg.device) {
            device.legs.retain(|&other| other != handle);
        }
        self.render(now, leg.device, transition, Some(leg.reference));
        if let Some(call) = talked {
            self.ask_quality(&leg, call);
        }
        self.restart_if_idle(now, leg.device);
    }

    /// The caller's leg of a call.
    pub(crate) fn caller(&self, call: Handle<Call>) -> Option<Handle<Leg>> {
        let call = self.calls.get(call)?;
        call.legs.iter().copied().find(|&leg| self.legs.get(leg).is_some_and(|leg| leg.role == Role::Caller))
    }

    /// Changes a leg's state and tells its phone.
    pub(super) fn enter(&mut self, now: Time, handle: Handle<Leg>, state: LegState, transition: Transition) {
        if let Some(leg) = self.legs.get_mut(handle) {
            leg.state = state;
        }
        self.transition(now, handle, transition);
    }

    pub(super) fn transition(&mut self, now: Time, handle: Handle<Leg>, transition: Transition) {
        if let Some((device, reference)) = self.legs.get(handle).map(|leg| (leg.device, leg.reference)) {
            self.render(now, device, transition, Some(reference));
        }
    }
}

/// Where a line appears: the phone and its line instance.
pub(crate) type Appears = (Handle<Device>, u32);

/// Which appearances may be rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rings {
    Free,
    Anything,
}

fn seconds(seconds: u32) -> core::time::Duration {
    core::time::Duration::from_secs(seconds.into())
}
