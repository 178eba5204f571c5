//! What a user does at a phone, and what it means in the state that the phone is in.

use alloc::string::String;

use selsius_site::{FeatureCode, SoftKey as Key};
use selsius_wire::{
    DisplayLabel, PhoneText, Time,
    message::BackSpaceReq,
    value::{KeypadKey, SoftKey, StimulusType},
};

use super::{Leg, LegState};
use crate::{
    arena::Handle,
    device::{Device, feature_of, soft_key_of, soft_keys},
    dialplan,
    exchange::Exchange,
    feature::{pickup::Whose, recording::Wanted, shared::Entrance},
    language::translated,
};

impl Exchange {
    /// The handset is lifted, or the speaker key pressed.
    pub(crate) fn off_hook(&mut self, now: Time, device: Handle<Device>, line: u32) {
        if let Some(leg) = self.one_way_leg(device) {
            if !self.is_paging(leg) {
                return self.talk_back(now, leg);
            }
            // Who lifts the handset during a page wants to call somebody.
            self.hang_up(now, leg);
        } else if self.active_leg(device).is_some() {
            // Phones report both the speaker key and the handset; the call stays where it is, and another one that
            // rings meanwhile is answered by its key.
            return;
        }
        let preferred = self.preferred_line(device);
        match self.ringing_leg_on(device, preferred) {
            Some(leg) => self.answer(now, leg),
            None => {
                let line = preferred.unwrap_or(line);
                if self.lift(now, device, line).is_none() {
                    // Whoever lifts the handset can at least call for help.
                    self.emergency_call(now, device, line);
                }
            }
        }
    }

    /// The handset is put down: the call that is up ends, those on hold stay.
    pub(crate) fn on_hook(&mut self, now: Time, device: Handle<Device>) {
        if let Some(leg) = self.active_leg(device)
            && !self.transfer_by_hanging_up(now, leg)
        {
            self.hang_up(now, leg);
        }
    }

    pub(crate) fn keypad(&mut self, now: Time, device: Handle<Device>, key: KeypadKey, reference: u32) {
        let Some(digit) = digit(key) else { return self.counters.refuse("unknown key") };
        let leg = self.leg_by_reference(device, reference).or_else(|| self.active_leg(device));
        match leg {
            Some(leg) => self.dial(now, leg, digit),
            None => self.counters.refuse("digit outside dialling"),
        }
    }

    /// A number dialled before lifting the handset, or by a phone's own directory.
    pub(crate) fn en_bloc(&mut self, now: Time, device: Handle<Device>, number: &str, line: u32) {
        let number: String = number.chars().filter(|&c| is_dialable(c)).collect();
        if number.is_empty() {
            return self.counters.refuse("empty number");
        }
        let mut leg = self.active_leg(device).filter(|&leg| !self.is_one_way(leg));
        if leg.is_none() {
            leg = self.new_call_on(now, device, line);
        }
        let emergency = || dialplan::finish(&self.site, &number).is_some_and(|target| target.emergency);
        if leg.is_none() && emergency() {
            leg = self.emergency_call(now, device, line);
        }
        if let Some(leg) = leg {
            self.dial_all(now, leg, &number);
        }
    }

    pub(crate) fn soft_key(
        &mut self,
        now: Time,
        device: Handle<Device>,
        key: SoftKey,
        line: u32,
        reference: u32,
    ) {
        match soft_keys::meaning(key) {
            Some(key) => self.soft_key_meaning(now, device, key, line, reference),
            None => self.counters.refuse("soft key that is not in the template"),
        }
    }

    /// As [`Self::soft_key`], for whatever has the same meaning as a soft key.
    pub(crate) fn soft_key_meaning(
        &mut self,
        now: Time,
        device: Handle<Device>,
        key: Key,
        line: u32,
        reference: u32,
    ) {
        if let Some((remote, line)) = self.remote_leg(device, reference) {
            return self.remote_soft_key(now, device, key, line, remote);
        }
        let named = self.leg_by_reference(device, reference);
        let leg = named.or_else(|| self.active_leg(device));
        match (key, leg) {
            (Key::NewCall, _) => drop(self.lift(now, device, line)),
            (Key::Redial, leg) => self.redial(now, device, leg, line),
            (Key::Answer, Some(leg)) if self.one_way_leg(device) == Some(leg) => self.talk_back(now, leg),
            (Key::Answer, _) => match self.ringing_leg(device, Some(reference)) {
                Some(leg) => self.answer(now, leg),
                None => self.counters.refuse("answer without ringing"),
            },
            (Key::ForwardAll, _) => self.forward_key(now, device, line),
            (Key::DoNotDisturb, _) => self.do_not_disturb_key(now, device),
            (Key::MeetMe, _) => self.meet_me_key(now, device, line),
            (Key::Divert, _) => match self.ringing_leg(device, Some(reference)) {
                Some(leg) => self.divert(now, leg),
                None => {
                    self.refuse_on(device, DisplayLabel::KeyIsNotActive, "diversion without ringing");
                }
            },
            (Key::Resume, leg) => match named.or_else(|| self.held_leg(device, None)).or(leg) {
                Some(leg) => self.resume(now, leg),
                None => self.counters.refuse("resume without hold"),
            },
            (Key::Pickup, leg) => self.pick_up(now, device, line, leg, Whose::Group),
            (Key::GroupPickup, leg) => self.pick_up(now, device, line, leg, Whose::OtherGroups),
            (Key::Park, None) => match self.held_leg(device, None) {
                Some(leg) => self.park_key(now, leg),
                None => self.refuse_on(device, DisplayLabel::KeyIsNotActive, "park without a call"),
            },
            (_, None) => self.refuse_on(device, DisplayLabel::KeyIsNotActive, "soft key without a call"),
            (Key::EndCall, Some(leg)) => self.hang_up(now, leg),
            (Key::Backspace, Some(leg)) => self.take_back_digit(now, leg),
            (Key::Hold, Some(leg)) => self.hold(now, leg),
            (Key::PrivateHold, Some(leg)) => self.private_hold(now, leg),
            (Key::Transfer, Some(leg)) => self.transfer_key(now, leg),
            (Key::DirectTransfer, Some(leg)) => self.direct_transfer(now, device, leg),
            (Key::Select, Some(leg)) => self.select(now, leg),
            (Key::Conference, Some(leg)) => self.conference_key(now, leg),
            (Key::Join, Some(leg)) => self.join(now, device, leg),
            (Key::Park, Some(leg)) => self.park_key(now, leg),
            (Key::Callback, Some(leg)) => self.callback_key(now, leg),
            (Key::Record, Some(leg)) => self.record_key(now, leg, Wanted::On),
            (Key::StopRecording, Some(leg)) => self.record_key(now, leg, Wanted::Off),
            (Key::ConferenceList, Some(leg)) => self.conference_list(leg),
            (_, Some(leg)) => {
                self.refuse_feature(leg, DisplayLabel::KeyIsNotActive, "soft key without meaning here");
            }
        }
    }

    /// A soft key on a call of another phone, on a line that this one has too.
    fn remote_soft_key(
        &mut self,
        now: Time,
        device: Handle<Device>,
        key: Key,
        line: u32,
        remote: Handle<Leg>,
    ) {
        match key {
            Key::Resume => {
                self.resume_here(now, device, line, remote);
            }
            Key::Barge => self.barge(now, device, line, remote, Entrance::Guest),
            Key::ConferenceBarge => self.barge(now, device, line, remote, Entrance::Conference),
            Key::NewCall => drop(self.lift(now, device, line)),
            _ => self.refuse_on(device, DisplayLabel::KeyIsNotActive, "soft key without meaning here"),
        }
    }

    /// Something cannot be done now: the phone says so.
    pub(crate) fn refuse_feature(&mut self, leg: Handle<Leg>, label: DisplayLabel, reason: &'static str) {
        match self.legs.get(leg).and_then(Leg::device) {
            Some(device) => self.refuse_on(device, label, reason),
            None => self.counters.refuse(reason),
        }
    }

    /// As [`Self::refuse_feature`], where there is no call.
    pub(crate) fn refuse_on(&mut self, device: Handle<Device>, label: DisplayLabel, reason: &'static str) {
        self.counters.refuse(reason);
        self.notify(device, &PhoneText::label(label));
    }

    /// Shows a text on top of everything else for a while.
    pub(crate) fn notify(&mut self, device: Handle<Device>, text: &PhoneText) {
        /// Seconds.
        const SHOWN: u32 = 5;
        let Some(state) = self.devices.get(device) else { return };
        let text = translated(text.clone(), state.language);
        let (session, message) = (state.session, state.dialect.notify(SHOWN, &text));
        self.send(session, message);
    }

    pub(super) fn send_back_space(&mut self, leg: Handle<Leg>) {
        let Some(leg) = self.legs.get(leg) else { return };
        let request = BackSpaceReq { line_instance: leg.line(), call_reference: leg.reference };
        let device = leg.device().and_then(|device| self.devices.get(device));
        if let Some(session) = device.map(|device| device.session) {
            self.send(session, request);
        }
    }

    /// A button with a fixed meaning.
    pub(crate) fn stimulus(
        &mut self,
        now: Time,
        device: Handle<Device>,
        stimulus: StimulusType,
        instance: u32,
    ) {
        // Who is spoken to by an intercom talks back by the same button.
        if let (StimulusType::Intercom, Some(leg)) = (stimulus, self.one_way_leg(device)) {
            return self.talk_back(now, leg);
        }
        match stimulus {
            StimulusType::Line => self.line_key(now, device, instance),
            StimulusType::ForwardBusy => self.ask_number(now, device, 0, FeatureCode::ForwardBusy),
            StimulusType::ForwardNoAnswer => self.ask_number(now, device, 0, FeatureCode::ForwardNoAnswer),
            StimulusType::RemoveLastParticipant => match self.active_leg(device) {
                Some(leg) => self.drop_last(now, leg),
                None => self.refuse_on(device, DisplayLabel::KeyIsNotActive, "drop outside a conference"),
            },
            _ => self.button(now, device, stimulus, instance),
        }
    }

    /// A button of the template, a number of the phone's own abbreviated dialling, or a key that the phone has of its own.
    fn button(&mut self, now: Time, device: Handle<Device>, stimulus: StimulusType, instance: u32) {
        let key = self.devices.get(device).and_then(|state| state.buttons.key(stimulus, instance));
        if let Some(does) = key.map(|key| key.does.clone()) {
            return self.press_button(now, device, &does);
        }
        match (stimulus, feature_of(stimulus)) {
            (StimulusType::SpeedDial, _) => match self.abbreviated(device, instance) {
                Some(number) => self.dial_number(now, device, number.as_str()),
                None => self.counters.refuse("unknown speed dial"),
            },
            (_, Some(feature)) => self.feature_button(now, device, feature),
            (_, None) => match soft_key_of(stimulus) {
                Some(key) => self.soft_key_meaning(now, device, key, 0, 0),
                None => self.counters.refuse("button without meaning here"),
            },
        }
    }

    /// The leg that rings, on this line if one is preferred.
    fn ringing_leg_on(&self, device: Handle<Device>, line: Option<u32>) -> Option<Handle<Leg>> {
        let Some(line) = line else { return self.ringing_leg(device, None) };
        self.devices.get(device)?.legs.iter().copied().find(|&leg| {
            self.legs.get(leg).is_some_and(|leg| leg.line() == line && leg.state == LegState::RingIn)
        })
    }

    /// A line key: answers what rings there, takes up what is on hold there (here, or on another phone of the line), or
    /// begins a call.
    fn line_key(&mut self, now: Time, device: Handle<Device>, line: u32) {
        if let Some(leg) = self.ringing_leg_on(device, Some(line)) {
            return self.answer(now, leg);
        }
        let one_way = self.one_way_leg(device);
        if let Some(leg) = one_way.filter(|&leg| self.legs.get(leg).is_some_and(|leg| leg.line() == line)) {
            return self.talk_back(now, leg);
        }
        let active = self.active_leg(device).and_then(|leg| self.legs.get(leg)).map(Leg::line);
        if let Some(leg) = self.held_leg(device, Some(line)).filter(|_| active != Some(line)) {
            return self.resume(now, leg);
        }
        let free = |leg: &Leg| leg.state == LegState::Held && !self.is_closed(leg);
        let remote = self.remote_legs(device, line).find(|(_, leg)| free(leg)).map(|(handle, _)| handle);
        match remote {
            Some(remote) if active.is_none() => {
                self.resume_here(now, device, line, remote);
            }
            _ if active != Some(line) => drop(self.lift(now, device, line)),
            _ => {}
        }
    }

    fn redial(&mut self, now: Time, device: Handle<Device>, leg: Option<Handle<Leg>>, line: u32) {
        let number = self.devices.get(device).map(|device| device.last_dialed.clone()).unwrap_or_default();
        let waits =
            |&leg: &Handle<Leg>| self.legs.get(leg).is_some_and(|leg| leg.state == LegState::DialTone);
        let Some(leg) = leg.filter(waits).or_else(|| self.new_call_on(now, device, line)) else { return };
        if !number.is_empty() {
            self.dial_all(now, leg, &number);
        }
    }

    /// A new call on a line of the phone; 0 or an unknown line is its first one. Where all its calls are in use, the
    /// next line that has room takes it.
    pub(crate) fn new_call_on(
        &mut self,
        now: Time,
        device: Handle<Device>,
        line: u32,
    ) -> Option<Handle<Leg>> {
        let state = self.devices.get(device)?;
        let Some(wanted) = state.appearance(line).or_else(|| state.first_appearance()) else {
            self.counters.refuse("phone without a line");
            return None;
        };
        let room = |instance: u32| {
            let legs = state.legs.iter().filter_map(|&leg| self.legs.get(leg));
            let number = state.appearance(instance).map(|appearance| &appearance.number);
            let most = number
                .and_then(|number| self.site.lines.get(number))
                .map_or(usize::MAX, |line| usize::try_from(line.calls).unwrap_or(usize::MAX));
            legs.filter(|leg| leg.line() == instance && leg.state != LegState::RingIn).count() < most
        };
        let lines = state.buttons.lines.iter().map(|line| line.instance);
        let mut from_wanted = lines.clone().skip_while(|&line| line != wanted.instance).chain(lines);
        let Some(line) = from_wanted.find(|&line| room(line)) else {
            self.refuse_on(device, DisplayLabel::LineInUse, "no line with room for a call");
            return None;
        };
        self.new_call(now, device, line)
    }

    /// The leg that occupies the handset or speaker.
    pub(crate) fn active_leg(&self, device: Handle<Device>) -> Option<Handle<Leg>> {
        let legs = &self.devices.get(device)?.legs;
        legs.iter().copied().find(|&leg| self.legs.get(leg).is_some_and(|leg| leg.state.is_off_hook()))
    }

    /// The ringing leg that the phone names, else its first ringing one.
    fn ringing_leg(&self, device: Handle<Device>, reference: Option<u32>) -> Option<Handle<Leg>> {
        let rings = |&leg: &Handle<Leg>| self.legs.get(leg).is_some_and(|leg| leg.state == LegState::RingIn);
        let named =
            reference.and_then(|reference| self.leg_by_reference(device, reference)).filter(|leg| rings(leg));
        named.or_else(|| self.devices.get(device)?.legs.iter().copied().find(|leg| rings(leg)))
    }
}

fn is_dialable(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '*' | '#' | '+')
}

fn digit(key: KeypadKey) -> Option<char> {
    match key {
        KeypadKey::Star => Some('*'),
        KeypadKey::Pound => Some('#'),
        KeypadKey::Plus => Some('+'),
        other => char::from_digit(u32::from(other), 10),
    }
}
