//! Call control: from dial tone to hang-up. Functions here change states and name the transition; what phones are
//! told follows in `view`.

use alloc::{string::String, vec::Vec};

use selsius_site::{LineNumber, Name};
use selsius_wire::Time;

use super::{Appears, Call, Consultation, End, Leg, LegState, Phase, Purpose, Receive, Role};
use crate::{
    arena::Handle,
    device::Device,
    dialplan::{self, Analysis, Destination, Target},
    exchange::{Exchange, Timer},
    io::Output,
    record::{CallStarted, EndCause, Party, Record},
    view::Transition,
};

impl Exchange {
    /// Gives a phone dial tone on a line. `None` if the device has too many legs already or no such line. What the
    /// phone's user was talking in is put on hold.
    pub(crate) fn new_call(&mut self, now: Time, device: Handle<Device>, line: u32) -> Option<Handle<Leg>> {
        self.new_call_for(now, device, line, None)
    }

    /// As [`Self::new_call`], on behalf of a conversation that waits.
    pub(crate) fn new_call_for(
        &mut self,
        now: Time,
        device: Handle<Device>,
        line: u32,
        consults: Option<Consultation>,
    ) -> Option<Handle<Leg>> {
        if !self.make_room(now, device) {
            self.counters.refuse("new call while dialling");
            return None;
        }
        let party = {
            let device = self.devices.get(device)?;
            // Legs that only ring are others' doing: they must not keep anybody from dialling an emergency number.
            let own =
                |&&leg: &&Handle<Leg>| self.legs.get(leg).is_some_and(|leg| leg.state != LegState::RingIn);
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
        let call = self.add_call(party.clone());
        let station = Appears { device, line };
        let leg = self.add_leg(call, End::Station(station), party, Role::Caller, LegState::DialTone)?;
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.consults = consults;
        }
        let wait = self.site.settings.timers.first_digit;
        self.timers.set(Timer::Digits(call), now + seconds(wait));
        self.transition(now, leg, Transition::OffHook);
        Some(leg)
    }

    /// A call that nobody has dialled yet.
    pub(crate) fn add_call(&mut self, calling: Party) -> Handle<Call> {
        let id = self.next_call_id();
        let conference = self.next_reference();
        self.calls.insert(Call {
            id,
            conference,
            legs: Vec::new(),
            phase: Phase::Dialing,
            purpose: Purpose::Talk,
            dialed: String::new(),
            login: None,
            emergency: false,
            calling,
            called: Party::default(),
            redirections: Vec::new(),
            other_trunks: Vec::new(),
            trunk: None,
            hunt: None,
            pilot: None,
            mixed: None,
            started: None,
            ringing: None,
            answered: None,
            early: false,
            codec: None,
            cause: None,
        })
    }

    pub(crate) fn add_leg(
        &mut self,
        call: Handle<Call>,
        end: End,
        who: Party,
        role: Role,
        state: LegState,
    ) -> Option<Handle<Leg>> {
        let reference = self.next_reference();
        let party = self.next_party();
        let (device, trunk) = match &end {
            End::Station(station) => (Some(station.device), None),
            End::Trunk(trunk) => (None, Some(trunk.id)),
        };
        let leg = self.legs.insert(Leg {
            call,
            end,
            who,
            reference,
            party,
            role,
            state,
            receive: Receive::Closed,
            audio: None,
            mixing: None,
            consults: None,
            selected: false,
            private: false,
        });
        self.parties.insert(party, leg);
        if let Some(trunk) = trunk {
            self.trunk_legs.insert(trunk, leg);
        }
        self.calls.get_mut(call)?.legs.push(leg);
        if let Some(device) = device {
            self.devices.get_mut(device)?.legs.push(leg);
        }
        Some(leg)
    }

    /// One more digit of the caller's.
    pub(crate) fn dial(&mut self, now: Time, leg: Handle<Leg>, digit: char) {
        let Some((call, state)) = self.legs.get(leg).map(|leg| (leg.call, leg.state)) else { return };
        match state {
            LegState::DialTone | LegState::Dialing => {}
            LegState::Connected => return self.digit_in_call(leg, digit),
            LegState::Proceeding
            | LegState::RingOut
            | LegState::RingIn
            | LegState::Answering
            | LegState::Held
            | LegState::Failed(_) => {
                self.counters.refuse("digit outside dialling");
                return;
            }
        }
        let mut bytes = [0; 4];
        if self.pin_digits(now, leg, digit.encode_utf8(&mut bytes)) {
            return;
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
        if self.take_back_pin_digit(leg) {
            return self.send_back_space(leg);
        }
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
        if self.pin_digits(now, leg, number) {
            self.pin_ends(now, leg);
            return;
        }
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
        if self.pin_ends(now, leg) {
            return;
        }
        let Some(call) = self.legs.get(leg).and_then(|leg| self.calls.get(leg.call)) else { return };
        match dialplan::finish(&self.site, &call.dialed) {
            Some(target) => self.complete(now, leg, target),
            None => self.fail(now, leg, EndCause::UnknownNumber),
        }
    }

    /// The number is complete: records the call and leads it on.
    pub(crate) fn complete(&mut self, now: Time, leg: Handle<Leg>, target: Target) {
        let Some((call_handle, device)) = self.legs.get(leg).map(|leg| (leg.call, leg.device())) else {
            return;
        };
        self.timers.cancel(Timer::Digits(call_handle));
        let asked = match self.calls.get(call_handle).map(|call| (call.purpose, call.dialed.clone())) {
            Some((Purpose::Feature(feature), number)) => Some((feature, number)),
            _ => None,
        };
        match (&target.to, asked) {
            (_, Some((feature, number))) => return self.feature_code(now, leg, feature, &number),
            (Destination::Feature(feature, argument), None) => {
                return self.feature_code(now, leg, *feature, argument);
            }
            (Destination::Park(slot), None) => return self.park_number(now, leg, slot),
            _ => {}
        }
        let started = self.wall.wall(now);
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        call.emergency = target.emergency;
        call.started = Some(started);
        call.called = Party { number: call.dialed.clone(), ..Party::default() };
        let record = CallStarted {
            call: call.id,
            calling: call.calling.clone(),
            dialed: call.dialed.clone(),
            started,
        };
        if let Some(device) = device.and_then(|device| self.devices.get_mut(device)) {
            device.last_dialed = record.dialed.clone();
        }
        self.out.push_back(Output::Store(Record::CallStarted(record)));
        self.counters.calls += 1;
        let found = self.find(leg, &target);
        if let (Ok(found), Some(call)) = (&found, self.calls.get_mut(call_handle)) {
            call.called = found.called.clone();
        }
        self.enter(now, leg, LegState::Proceeding, Transition::Proceed);
        match found {
            Err(cause) => self.fail(now, leg, cause),
            Ok(found) => self.ring(now, leg, found),
        }
    }

    /// Who is to be asked for the call of `caller`.
    pub(crate) fn find(&self, caller: Handle<Leg>, target: &Target) -> Result<Found, EndCause> {
        match &target.to {
            Destination::Line(line) => self.first_free(core::slice::from_ref(line), caller, target.emergency),
            Destination::FirstOf(lines) => self.first_free(lines, caller, target.emergency),
            Destination::Trunks(trunks, number) => Ok(Found {
                called: Party { number: number.clone(), ..Party::default() },
                at: Place::Trunks(trunks.clone()),
            }),
            Destination::Hunt(group) => {
                Ok(Found { called: self.hunt_party(group), at: Place::Hunt(group.clone()) })
            }
            Destination::Blocked | Destination::Feature(..) | Destination::Park(_) => Err(EndCause::Blocked),
        }
    }

    /// The first of `lines` that can be rung, and where it appears. An emergency call rings busy phones too, when
    /// there is no free one.
    fn first_free(
        &self,
        lines: &[LineNumber],
        caller: Handle<Leg>,
        emergency: bool,
    ) -> Result<Found, EndCause> {
        let device = self.legs.get(caller).and_then(Leg::device);
        let mut cause = EndCause::Unregistered;
        for rings in [Rings::Free, Rings::Waiting, Rings::Anything] {
            for line in lines {
                let all = self.appearances.get(line).map(Vec::as_slice).unwrap_or_default();
                if !all.is_empty() {
                    cause = EndCause::Busy;
                }
                let can = |station: &&Appears| {
                    Some(station.device) != device && self.can_ring(line, **station, rings)
                };
                let stations: Vec<_> = all.iter().filter(can).copied().collect();
                if !stations.is_empty() {
                    return Ok(Found { called: self.party(line), at: Place::Stations(stations) });
                }
            }
            if rings == Rings::Waiting && !emergency {
                break;
            }
        }
        Err(cause)
    }

    /// May a call ring here? A line takes as many calls at once as its busy trigger says, and while the phone is in use
    /// only with call waiting.
    fn can_ring(&self, number: &LineNumber, station: Appears, rings: Rings) -> bool {
        let Some(device) = self.devices.get(station.device) else { return false };
        match rings {
            Rings::Free => device.legs.is_empty(),
            Rings::Waiting => {
                let legs = device.legs.iter().filter_map(|&leg| self.legs.get(leg));
                let here = legs.filter(|leg| leg.line() == station.line).count();
                let (most, waiting) = self.line_limits(number);
                here < most && waiting
            }
            Rings::Anything => true,
        }
    }

    /// From how many calls on a line is busy, and whether a call may wait on a phone that is in use.
    fn line_limits(&self, number: &LineNumber) -> (usize, bool) {
        let usual = self.site.settings.call_waiting;
        match self.site.lines.get(number) {
            Some(line) => {
                let most = usize::try_from(line.busy_trigger.min(line.calls)).unwrap_or(usize::MAX);
                (most, line.call_waiting.unwrap_or(usual))
            }
            None => (2, usual),
        }
    }

    pub(crate) fn party(&self, line: &LineNumber) -> Party {
        let name = self.site.lines.get(line).map(|line| line.name.clone()).unwrap_or_default();
        Party { number: line.as_str().into(), name, device: None }
    }

    /// Asks who was found, and tells the caller.
    pub(crate) fn ring(&mut self, now: Time, caller: Handle<Leg>, found: Found) {
        let Some(call_handle) = self.legs.get(caller).map(|leg| leg.call) else { return };
        if let Some(call) = self.calls.get_mut(call_handle) {
            (call.hunt, call.pilot) = (None, None);
        }
        let stations = match found.at {
            Place::Stations(stations) => stations,
            Place::Hunt(group) => return self.hunt(now, caller, &group),
            Place::Trunks(trunks) => return self.try_trunks(now, caller, trunks, &found.called.number),
        };
        let wall = self.wall.wall(now);
        if let Some(call) = self.calls.get_mut(call_handle) {
            call.phase = Phase::Ringing;
            call.ringing.get_or_insert(wall);
        }
        self.watch_answer(now, call_handle);
        for station in stations {
            let who = self.devices.get(station.device).map(|device| device.name.clone());
            let who = Party { device: who, ..found.called.clone() };
            let end = End::Station(station);
            if let Some(leg) = self.add_leg(call_handle, end, who, Role::Called, LegState::RingIn) {
                self.transition(now, leg, Transition::RingIn);
            }
        }
        if self.legs.get(caller).is_some_and(|leg| leg.state != LegState::Held) {
            self.enter(now, caller, LegState::RingOut, Transition::RingOut);
        }
    }

    /// Somebody has to answer in time.
    pub(crate) fn watch_answer(&mut self, now: Time, call: Handle<Call>) {
        let wait = self.site.settings.timers.no_answer;
        self.timers.set(Timer::NoAnswer(call), now + seconds(wait));
    }

    /// The user of a ringing phone answers. The call that the phone was in is put on hold; what it was dialling ends.
    pub(crate) fn answer(&mut self, now: Time, leg: Handle<Leg>) {
        let Some((call_handle, device, state)) =
            self.legs.get(leg).map(|leg| (leg.call, leg.device(), leg.state))
        else {
            return;
        };
        if state != LegState::RingIn {
            return self.counters.refuse("answer without ringing");
        }
        if let Some(device) = device {
            self.clear_way(now, device);
        }
        let Some(call) = self.calls.get(call_handle) else { return };
        if call.phase == Phase::Callback {
            return self.callback_answered(now, leg);
        }
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
        self.hunt_ends(now, call_handle, leg);
        self.connect(now, caller, leg);
    }

    /// The caller's leg of a call.
    pub(crate) fn caller(&self, call: Handle<Call>) -> Option<Handle<Leg>> {
        let call = self.calls.get(call)?;
        call.legs.iter().copied().find(|&leg| self.legs.get(leg).is_some_and(|leg| leg.role == Role::Caller))
    }

    /// Changes a leg's state and tells its phone.
    pub(crate) fn enter(&mut self, now: Time, handle: Handle<Leg>, state: LegState, transition: Transition) {
        if let Some(leg) = self.legs.get_mut(handle) {
            leg.state = state;
        }
        self.transition(now, handle, transition);
    }

    /// Tells whoever shows this leg: its phone, other phones with the same line, its trunk.
    pub(crate) fn transition(&mut self, now: Time, handle: Handle<Leg>, transition: Transition) {
        let Some(leg) = self.legs.get(handle) else { return };
        let reference = leg.reference;
        if self.calls_watched {
            self.tell_watchers(leg.call);
        }
        let Some(leg) = self.legs.get(handle) else { return };
        match leg.station() {
            Some(station) => {
                self.render(now, station.device, transition, Some(reference));
                self.render_sharers(now, station);
            }
            None => self.tell_trunk(now, handle),
        }
    }
}

/// Who is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Who is called, as the caller sees it.
    pub(crate) called: Party,
    /// Where.
    pub(crate) at: Place,
}

/// Where somebody is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// It rings on all these.
    Stations(Vec<Appears>),
    /// The first of these trunks that can take the call.
    Trunks(Vec<Name>),
    /// A member of this hunt group.
    Hunt(LineNumber),
}

/// Which appearances may be rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rings {
    /// Those of idle phones.
    Free,
    /// Those that have room for one more call.
    Waiting,
    /// All.
    Anything,
}

pub(crate) fn seconds(seconds: u32) -> core::time::Duration {
    core::time::Duration::from_secs(seconds.into())
}
