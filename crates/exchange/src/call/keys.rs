//! What a user does at a phone, and what it means in the state that the phone is in.

use alloc::string::String;

use selsius_wire::{
    Time,
    message::BackSpaceReq,
    value::{KeypadKey, SoftKey, StimulusType},
};

use super::{Leg, LegState};
use crate::{arena::Handle, device::Device, exchange::Exchange};

impl Exchange {
    /// The handset is lifted, or the speaker key pressed.
    pub(crate) fn off_hook(&mut self, now: Time, device: Handle<Device>, line: u32) {
        if self.active_leg(device).is_some() {
            // Phones report both the speaker key and the handset; the call stays where it is, and another one that
            // rings meanwhile is answered by its key.
            return;
        }
        match self.ringing_leg(device, None) {
            Some(leg) => self.answer(now, leg),
            None => {
                self.new_call_on(now, device, line);
            }
        }
    }

    /// The handset is put down.
    pub(crate) fn on_hook(&mut self, now: Time, device: Handle<Device>) {
        let legs = self.devices.get(device).map(|device| device.legs.clone()).unwrap_or_default();
        for leg in legs {
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
        let leg = self.active_leg(device).or_else(|| self.new_call_on(now, device, line));
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
        let named = self.leg_by_reference(device, reference);
        let leg = named.or_else(|| self.active_leg(device));
        let state = leg.and_then(|leg| self.legs.get(leg)).map(|leg| leg.state);
        match (key, leg, state) {
            (SoftKey::NewCall, None, _) => {
                self.new_call_on(now, device, line);
            }
            (SoftKey::Redial, leg, None | Some(LegState::DialTone)) => self.redial(now, device, leg, line),
            (SoftKey::EndCall, Some(leg), Some(_)) => self.hang_up(now, leg),
            (SoftKey::BackSpace, Some(leg), Some(LegState::Dialing)) => self.take_back_digit(now, leg),
            (SoftKey::Answer, _, _) => match self.ringing_leg(device, Some(reference)) {
                Some(leg) => self.answer(now, leg),
                None => self.counters.refuse("answer without ringing"),
            },
            _ => self.counters.refuse("soft key without meaning here"),
        }
    }

    pub(super) fn send_back_space(&mut self, leg: Handle<Leg>) {
        let Some(leg) = self.legs.get(leg) else { return };
        let request = BackSpaceReq { line_instance: leg.line, call_reference: leg.reference };
        if let Some(session) = self.devices.get(leg.device).map(|device| device.session) {
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
        match stimulus {
            StimulusType::Line => self.line_key(now, device, instance),
            StimulusType::SpeedDial => self.speed_dial(now, device, instance),
            StimulusType::LastNumberRedial => {
                let leg = self.active_leg(device);
                self.redial(now, device, leg, 0);
            }
            _ => self.counters.refuse("button without meaning here"),
        }
    }

    fn line_key(&mut self, now: Time, device: Handle<Device>, line: u32) {
        let ringing = self.devices.get(device).and_then(|state| {
            state.legs.iter().copied().find(|&leg| {
                self.legs.get(leg).is_some_and(|leg| leg.line == line && leg.state == LegState::RingIn)
            })
        });
        match ringing {
            Some(leg) => self.answer(now, leg),
            None if self.active_leg(device).is_none() => {
                self.new_call_on(now, device, line);
            }
            None => {}
        }
    }

    fn speed_dial(&mut self, now: Time, device: Handle<Device>, instance: u32) {
        let number = self.devices.get(device).and_then(|device| device.speed_dial(instance));
        match number {
            Some(number) => self.en_bloc(now, device, &number, 0),
            None => self.counters.refuse("unknown speed dial"),
        }
    }

    fn redial(&mut self, now: Time, device: Handle<Device>, leg: Option<Handle<Leg>>, line: u32) {
        let number = self.devices.get(device).map(|device| device.last_dialed.clone()).unwrap_or_default();
        let Some(leg) = leg.or_else(|| self.new_call_on(now, device, line)) else { return };
        if !number.is_empty() {
            self.dial_all(now, leg, &number);
        }
    }

    /// A new call on a line of the phone; 0 or an unknown line is its first one.
    fn new_call_on(&mut self, now: Time, device: Handle<Device>, line: u32) -> Option<Handle<Leg>> {
        let state = self.devices.get(device)?;
        let line = match state.appearance(line).or_else(|| state.first_appearance()) {
            Some(appearance) => appearance.instance,
            None => {
                self.counters.refuse("phone without a line");
                return None;
            }
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
