//! Phones that answer by themselves: intercom, and lines that are set so.

use alloc::vec::Vec;

use selsius_site::AutoAnswer;
use selsius_wire::{Time, message, value::Tone};

use crate::{
    arena::Handle,
    call::{Appears, Call, Leg, LegState, Phase, Purpose},
    device::Device,
    exchange::Exchange,
    view::Transition,
};

impl Exchange {
    /// Speaks to a line through its phone's speaker: the button, or the code and the number behind it.
    pub(crate) fn intercom_code(&mut self, now: Time, leg: Handle<Leg>, number: &str) {
        let Some(call) = self.legs.get(leg).and_then(|leg| self.calls.get_mut(leg.call)) else { return };
        let dialed = core::mem::replace(&mut call.dialed, number.into());
        call.prefix = dialed.strip_suffix(number).unwrap_or_default().into();
        call.intercom = true;
        call.purpose = Purpose::Talk;
        self.digits_end(now, leg);
    }

    /// Which of the phones that are to ring answers by itself, and how: the first idle one, where the call or the line
    /// wants it and nobody minds being disturbed.
    pub(crate) fn answering_itself(
        &self,
        call: Handle<Call>,
        stations: &[Appears],
    ) -> Option<(Appears, AutoAnswer)> {
        let intercom = self.calls.get(call)?.intercom;
        stations.iter().find_map(|&station| {
            let device = self.devices.get(station.device).filter(|device| device.legs.is_empty())?;
            let number = &device.appearance(station.line)?.number;
            let of_line = self.site.lines.get(number).map(|line| line.auto_answer).unwrap_or_default();
            let how = match of_line {
                AutoAnswer::Off if intercom => AutoAnswer::OneWay,
                AutoAnswer::Off => return None,
                how => how,
            };
            (!self.line_state(number).do_not_disturb).then_some((station, how))
        })
    }

    /// The phone answers, with a beep.
    pub(crate) fn answer_itself(&mut self, now: Time, call: Handle<Call>, station: Appears, how: AutoAnswer) {
        let legs = self.calls.get(call).map(|call| call.legs.clone()).unwrap_or_default();
        let of_station = |&leg: &Handle<Leg>| {
            let state = self.legs.get(leg);
            state.is_some_and(|leg| leg.station() == Some(station) && leg.state == LegState::RingIn)
        };
        let Some(leg) = legs.into_iter().find(of_station) else { return };
        if let Some(state) = self.legs.get_mut(leg) {
            state.answers_itself = false;
            state.one_way = how == AutoAnswer::OneWay;
        }
        self.answer(now, leg);
        self.beep(leg);
    }

    /// The user of a phone that is spoken to wants to be heard.
    pub(crate) fn talk_back(&mut self, now: Time, leg: Handle<Leg>) {
        if self.is_paging(leg) {
            return self.counters.refuse("talking back to a page");
        }
        if let Some(state) = self.legs.get_mut(leg) {
            state.one_way = false;
        }
        self.transition(now, leg, Transition::Join);
    }

    /// The call in which the phone is spoken to.
    pub(crate) fn one_way_leg(&self, device: Handle<Device>) -> Option<Handle<Leg>> {
        self.active_leg(device).filter(|&leg| self.legs.get(leg).is_some_and(|leg| leg.one_way))
    }

    /// Is it a call that cannot be put on hold, since nobody would know why the voice has gone?
    pub(crate) fn is_one_way(&self, leg: Handle<Leg>) -> bool {
        self.is_paging(leg) || self.legs.get(leg).is_some_and(|leg| leg.one_way)
    }

    pub(crate) fn is_paging(&self, leg: Handle<Leg>) -> bool {
        let call = self.legs.get(leg).and_then(|leg| self.calls.get(leg.call));
        call.is_some_and(|call| call.phase == Phase::Paging)
    }

    /// A short tone at a phone, which ends by itself.
    pub(crate) fn beep(&mut self, leg: Handle<Leg>) {
        let Some(state) = self.legs.get(leg) else { return };
        let Some(device) = state.device() else { return };
        self.beep_at(device, (state.line(), state.reference));
    }

    /// The same for a call of the phone, or for the phone itself (line and reference 0).
    pub(crate) fn beep_at(&mut self, device: Handle<Device>, (line_instance, call_reference): (u32, u32)) {
        let Some(device) = self.devices.get(device) else { return };
        let beep = message::StartTone {
            tone: Tone::Zip,
            line_instance,
            call_reference,
            ..message::StartTone::default()
        };
        self.send(device.session, beep);
    }

    /// Beeps at several phones.
    pub(crate) fn beep_all(&mut self, legs: &[Handle<Leg>]) {
        for leg in Vec::from(legs) {
            self.beep(leg);
        }
    }
}
