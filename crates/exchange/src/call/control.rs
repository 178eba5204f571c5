//! Call control: from dial tone to hang-up. Functions here change states and name the transition; what phones are
//! told follows in `view`.

use alloc::{string::String, vec::Vec};

use selsius_site::{DeviceName, LineNumber, Name};
use selsius_wire::Time;

use super::{Appears, Call, Consultation, Counted, End, Leg, LegState, Phase, Purpose, Receive, Role, Seat};
use crate::{
    arena::Handle,
    device::Device,
    dialplan::{self, Analysis, Destination, Target},
    exchange::{Exchange, Timer},
    feature::call_codes::Entered,
    io::Load,
    record::{CallStarted, EndCause, Party, Record},
    view::Transition,
};

impl Exchange {
    /// Gives a phone dial tone on a line. `None` if the device has too many legs already or no such line. What the
    /// phone's user was talking in is put on hold.
    pub(crate) fn new_call(&mut self, now: Time, device: Handle<Device>, line: u32) -> Option<Handle<Leg>> {
        self.new_call_for(now, device, line, None)
    }

    /// Dial tone on a phone that has no room for another call: it is good for emergency numbers only.
    pub(crate) fn emergency_call(
        &mut self,
        now: Time,
        device: Handle<Device>,
        line: u32,
    ) -> Option<Handle<Leg>> {
        /// More calls than the phone's limit, so that one that is up and one that waits leave room for a third.
        const SPARE: usize = 3;
        if !self.make_room(now, device) {
            return None;
        }
        let state = self.devices.get(device)?;
        let line = state.appearance(line).or_else(|| state.first_appearance())?.instance;
        let leg = self.begin_call(device, line, self.config.limits.legs_per_device + SPARE)?;
        let call = self.legs.get(leg)?.call;
        self.calls.get_mut(call)?.emergency_only = true;
        self.show_dial_tone(now, leg);
        Some(leg)
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
        let leg = self.begin_call(device, line, self.config.limits.legs_per_device)?;
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.consults = consults;
        }
        self.show_dial_tone(now, leg);
        Some(leg)
    }

    /// A call of a phone with less than `most` ones of its own.
    fn begin_call(&mut self, device: Handle<Device>, line: u32, most: usize) -> Option<Handle<Leg>> {
        let party = {
            let device = self.devices.get(device)?;
            // Legs that only ring are others' doing: they must not keep anybody from dialling an emergency number.
            let own =
                |&&leg: &&Handle<Leg>| self.legs.get(leg).is_some_and(|leg| leg.state != LegState::RingIn);
            if device.legs.iter().filter(own).count() >= most {
                self.counters.refuse("too many legs");
                return None;
            }
            let appearance = device.appearance(line)?;
            Party {
                number: appearance.number.as_str().into(),
                name: appearance.name.clone(),
                device: Some(device.name.clone()),
                restricted: self.hides_number(&appearance.number),
            }
        };
        let call = self.add_call(party.clone());
        let station = Appears { device, line };
        self.add_leg(call, End::Station(station), party, Role::Caller, LegState::DialTone)
    }

    fn show_dial_tone(&mut self, now: Time, leg: Handle<Leg>) {
        let Some(call) = self.legs.get(leg).map(|leg| leg.call) else { return };
        let wait = self.site.settings.timers.first_digit;
        self.timers.set(Timer::Digits(call), now + seconds(wait));
        self.used_line(leg);
        self.transition(now, leg, Transition::OffHook);
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
            prefix: String::new(),
            login: None,
            emergency: false,
            emergency_only: false,
            intercom: false,
            meet_me: false,
            page: None,
            codes: Entered::default(),
            calling,
            calling_as: None,
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
            recording: None,
            recordings: Vec::new(),
            unrecorded: false,
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
        let (device, trunk, extension) = match &end {
            End::Station(station) => (Some(station.device), None, None),
            End::Trunk(trunk) => (None, Some(trunk.id), trunk.extension.clone()),
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
            spoken: None,
            secured: None,
            anchor: None,
            counted: Counted::default(),
            consults: None,
            selected: false,
            private: false,
            reminds: false,
            answers_itself: false,
            one_way: false,
            guest_of: None,
            record: None,
            held_at: Time::ZERO,
        });
        self.parties.insert(party, leg);
        if let Some(trunk) = trunk {
            self.trunk_legs.insert(trunk, leg);
        }
        if let Some(at) = extension {
            self.extension_leg_added(leg, at);
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
        if let Purpose::Code(_) = call_state.purpose {
            return self.code_digit(now, leg, digit);
        }
        if digit == '#' && dialplan::hash_ends(&self.site, &call_state.dialed) {
            return self.digits_end(now, leg);
        }
        call_state.dialed.push(digit);
        let dialed = call_state.dialed.len();
        let analysis = match self.calls.get(call) {
            Some(call) => dialplan::analyse_for(&self.site, self.reach(leg), &call.dialed),
            None => return,
        };
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
        let asks_code = matches!(call_state.purpose, Purpose::Code(_));
        if asks_code {
            call_state.codes.digits.pop();
        } else {
            call_state.dialed.pop();
        }
        let empty = call_state.dialed.is_empty() && !asks_code;
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
        if let Purpose::Code(_) = call.purpose {
            call.codes.digits.push_str(number.trim_end_matches('#'));
            return self.digits_end(now, leg);
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
        if let Purpose::Code(demand) = call.purpose {
            return self.code_entered(now, leg, demand);
        }
        match dialplan::finish_for(&self.site, self.reach(leg), &call.dialed) {
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
        let target = self.resolve(target);
        let demand = target.as_ref().ok().and_then(|target| self.demanded_code(leg, target));
        let target = match demand {
            // A SIP phone cannot be asked: its user dials the code in front of the number, if that is possible.
            Some(_) if device.is_none() => Err(EndCause::Blocked),
            Some(demand) => return self.ask_code(now, leg, demand),
            None => target,
        };
        let target = target.and_then(|target| self.admit(leg, target));
        let started = self.wall.wall(now);
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        call.emergency = target.as_ref().is_ok_and(|target| target.emergency);
        call.started = Some(started);
        call.called = Party { number: call.dialed.clone(), ..Party::default() };
        let record = CallStarted {
            call: call.id,
            calling: call.calling.clone(),
            dialed: call.dialed.clone(),
            started,
        };
        if let Some(device) = device {
            let number = [call.prefix.as_str(), &record.dialed].concat();
            self.dialed_last(now, device, &number);
        }
        self.store(Record::CallStarted(record));
        self.counters.calls += 1;
        let found = target.and_then(|target| self.lead_to(now, leg, &target));
        if let (Ok(found), Some(call)) = (&found, self.calls.get_mut(call_handle)) {
            call.called = found.called.clone();
        }
        self.enter(now, leg, LegState::Proceeding, Transition::Proceed);
        match found {
            Err(cause) => self.fail(now, leg, cause),
            Ok(found) => self.ring(now, leg, found),
        }
    }

    /// Who has too much to do, or will be stopped, takes no more calls, but emergency calls; and before a stop those that are a
    /// part of another one.
    fn admit(&mut self, leg: Handle<Leg>, target: Target) -> Result<Target, EndCause> {
        let consults = self.legs.get(leg).is_some_and(|leg| leg.consults.is_some());
        match self.load {
            _ if target.emergency => Ok(target),
            _ if self.draining && !consults => Err(EndCause::Shutdown),
            Load::Normal => Ok(target),
            Load::Overloaded => {
                self.counters.refuse("call while overloaded");
                Err(EndCause::Overload)
            }
        }
    }

    /// A caller's number leads to this target: who is to be asked, and whom they see. An emergency call hides nothing.
    fn lead_to(&mut self, now: Time, leg: Handle<Leg>, target: &Target) -> Result<Found, EndCause> {
        let calling_as = self.calling_as(leg, target);
        let call = self.legs.get(leg).and_then(|leg| self.calls.get_mut(leg.call));
        if let Some(call) = call {
            call.calling_as = calling_as;
            call.calling.restricted &= !target.emergency;
            let refused = call.calling.number.clone();
            if !target.emergency && self.refuses_caller(&refused) {
                return Err(EndCause::Blocked);
            }
        }
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.who.restricted &= !target.emergency;
        }
        self.find_forwarded(now, leg, target)
    }

    /// Who is to be asked for the call of `caller`.
    pub(crate) fn find(&self, caller: Handle<Leg>, target: &Target) -> Result<Found, EndCause> {
        let target = &self.resolve(target.clone())?;
        if !self.has_code_for(caller, target) {
            return Err(EndCause::Blocked);
        }
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
            Destination::Paging(number) => {
                let group = self.site.paging_groups.get(number).ok_or(EndCause::UnknownNumber)?;
                let called =
                    Party { number: number.as_str().into(), name: group.name.clone(), ..Party::default() };
                Ok(Found { called, at: Place::Paging(number.clone()) })
            }
            Destination::Blocked
            | Destination::Number(_)
            | Destination::Feature(..)
            | Destination::Park(_) => Err(EndCause::Blocked),
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
        let caller = self.legs.get(caller);
        let device = caller.and_then(Leg::device);
        let own_phone = caller.and_then(Leg::extension).map(|at| &at.phone);
        let mut cause = EndCause::Unregistered;
        for rings in [Rings::Free, Rings::Waiting, Rings::Anything] {
            for line in lines {
                let all = self.appearances.get(line).map(Vec::as_slice).unwrap_or_default();
                if self.has_phone(line) {
                    cause = EndCause::Busy;
                }
                let can = |station: &&Appears| {
                    Some(station.device) != device && self.can_ring(line, **station, rings)
                };
                let stations = all.iter().filter(can).copied().map(Seat::Station);
                let phones = self.extensions.registered(line).map(|(phone, _)| phone);
                let phones = phones
                    .filter(|&phone| Some(phone) != own_phone && self.can_ring_extension(line, phone, rings));
                let seats: Vec<_> = stations.chain(phones.cloned().map(Seat::Extension)).collect();
                if !seats.is_empty() {
                    return Ok(Found { called: self.party(line), at: Place::Phones(seats) });
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
        if rings != Rings::Anything && self.rejects_calls(number) {
            return false;
        }
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

    /// As [`Self::can_ring`], for a SIP phone.
    fn can_ring_extension(&self, number: &LineNumber, phone: &DeviceName, rings: Rings) -> bool {
        if rings != Rings::Anything && self.rejects_calls(number) {
            return false;
        }
        match rings {
            Rings::Free => self.extension_is_idle(phone),
            Rings::Waiting => {
                let (most, waiting) = self.line_limits(number);
                waiting && self.extension_has_room_for(phone, most)
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
        Party { number: line.as_str().into(), name, device: None, restricted: self.hides_number(line) }
    }

    /// Asks who was found, and tells the caller.
    pub(crate) fn ring(&mut self, now: Time, caller: Handle<Leg>, found: Found) {
        let Some(call_handle) = self.legs.get(caller).map(|leg| leg.call) else { return };
        if let Some(call) = self.calls.get_mut(call_handle) {
            (call.hunt, call.pilot) = (None, None);
        }
        let seats = match found.at {
            Place::Phones(seats) => seats,
            Place::Hunt(group) => return self.hunt(now, caller, &group),
            Place::Trunks(trunks) => return self.try_trunks(now, caller, trunks, &found.called.number),
            Place::Paging(group) => return self.start_page(now, caller, &group),
        };
        let (mut stations, mut phones) = (Vec::new(), Vec::new());
        for seat in seats {
            match seat {
                Seat::Station(station) => stations.push(station),
                Seat::Extension(phone) => phones.push(phone),
            }
        }
        let by_itself = self.answering_itself(call_handle, &stations);
        let wall = self.wall.wall(now);
        if let Some(call) = self.calls.get_mut(call_handle) {
            call.phase = Phase::Ringing;
            call.ringing.get_or_insert(wall);
        }
        self.watch_answer(now, call_handle);
        self.watch_forward(now, call_handle);
        for station in stations {
            let who = self.devices.get(station.device).map(|device| device.name.clone());
            let who = Party { device: who, ..found.called.clone() };
            let end = End::Station(station);
            if let Some(leg) = self.add_leg(call_handle, end, who, Role::Called, LegState::RingIn) {
                if let Some(state) = self.legs.get_mut(leg) {
                    state.answers_itself = by_itself.is_some_and(|(answers, _)| answers == station);
                }
                self.transition(now, leg, Transition::RingIn);
            }
        }
        match self.legs.get(caller).map(|leg| leg.state) {
            Some(LegState::Held) => self.transition(now, caller, Transition::Parties),
            _ => self.enter(now, caller, LegState::RingOut, Transition::RingOut),
        }
        if let Some((station, how)) = by_itself {
            return self.answer_itself(now, call_handle, station, how);
        }
        for phone in phones {
            self.ring_extension(now, call_handle, &phone, &found.called);
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
            self.used_line(leg);
        }
        let Some(call) = self.calls.get(call_handle) else { return };
        if call.phase == Phase::Callback {
            return self.callback_answered(now, leg);
        }
        let rivals: Vec<_> = call.legs.iter().copied().filter(|&other| other != leg).collect();
        self.timers.cancel(Timer::NoAnswer(call_handle));
        self.timers.cancel(Timer::ForwardNoAnswer(call_handle));
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
        let Some(leg) = self.legs.get_mut(handle) else { return };
        leg.state = state;
        let waits = matches!(state, LegState::Proceeding | LegState::RingOut);
        if waits && leg.audio.is_some() {
            // Whoever waits for somebody to answer talks to nobody meanwhile, and needs no codec in common with anybody.
            let call = leg.call;
            let _ = self.settle_media(now, call);
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
            None => {
                let line = leg.extension().map(|at| at.line.clone());
                self.tell_trunk(now, handle);
                if let Some(line) = line {
                    self.render_line_of(now, &line);
                }
            }
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
    Phones(Vec<Seat>),
    /// The first of these trunks that can take the call.
    Trunks(Vec<Name>),
    /// A member of this hunt group.
    Hunt(LineNumber),
    /// The phones of this paging group are spoken to.
    Paging(LineNumber),
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
