//! Callback: a caller who has not reached somebody is rung when that is possible, and answering dials the number.
//!
//! Who is waited for is kept while the manager runs, [`LIFE`] at most, and not over a restart.

use alloc::{collections::BTreeMap, format, vec::Vec};
use core::time::Duration;

use selsius_site::{DeviceName, LineNumber};
use selsius_wire::{DisplayLabel, PhoneText, Time};

use super::freed::{Freed, Was};
use crate::{
    arena::Handle,
    call::{Appears, Call, End, Leg, LegState, Phase, Role, seconds},
    device::Device,
    exchange::{Exchange, Timer},
    record::{EndCause, Party, RedirectKind},
    view::Transition,
};

/// Who is to be called back: on which phone, about which line.
pub(crate) type Callbacks = BTreeMap<(DeviceName, LineNumber), Callback>;

/// A caller who is to be called back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Callback {
    /// The caller's line.
    line: LineNumber,
    waits: Waits,
    /// When it is too late.
    until: Time,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// The line's phone is free.
    Free,
    /// Its user is there: the phone has been used, or has registered.
    NextUse,
}

/// A callback that was not possible for so long is forgotten: a working day.
pub(crate) const LIFE: Duration = Duration::from_secs(8 * 60 * 60);
/// So many lines may a phone wait for at once.
const MOST: usize = 4;

impl Exchange {
    /// The CallBack key: asks to be called back when the called line can be reached, or no longer.
    pub(crate) fn callback_key(&mut self, now: Time, leg: Handle<Leg>) {
        let found = self.legs.get(leg).and_then(|state| {
            let call = self.calls.get(state.call)?;
            Some((state.device()?, self.callback_target(state, call)?, waits(state.state)))
        });
        let Some(((device, target, waits), own)) = found.zip(self.number_of(leg)) else {
            let label = DisplayLabel::KeyIsNotActive;
            return self.refuse_feature(leg, label, "callback without a line of the office");
        };
        let text = self.toggle_callback(now, device, own, target, waits);
        self.notify(device, &text);
    }

    /// The callback code, with the number or for the one dialled last.
    pub(crate) fn callback_by_code(&mut self, now: Time, leg: Handle<Leg>, target: Option<LineNumber>) {
        let device = self.legs.get(leg).and_then(Leg::device);
        let last = device.and_then(|device| self.devices.get(device));
        let target = target.or_else(|| last.and_then(|device| device.last_dialed.parse().ok()));
        let own = self.number_of(leg);
        let target = target.filter(|line| self.site.lines.contains_key(line) && own.as_ref() != Some(line));
        let (Some(device), Some(own), Some(target)) = (device, own, target) else {
            let label = DisplayLabel::KeyIsNotActive;
            return self.refuse_code(now, leg, label, "callback without a line of the office");
        };
        let text = self.toggle_callback(now, device, own, target, Waits::Free);
        self.feature_done(now, leg, &text);
    }

    /// The line of the office that the user of this leg has tried to reach.
    pub(crate) fn callback_target(&self, leg: &Leg, call: &Call) -> Option<LineNumber> {
        let tried = match leg.state {
            LegState::RingOut => call.phase == Phase::Ringing,
            LegState::Failed(cause) => {
                matches!(cause, EndCause::Busy | EndCause::NoAnswer | EndCause::Unregistered)
            }
            _ => false,
        };
        if !tried || leg.role != Role::Caller {
            return None;
        }
        // Who was called first, since the caller came to this call: forwardings are the called line's affair.
        let came = |kind| {
            use RedirectKind::{Park, ParkReturn, Retrieve, Transfer};
            matches!(kind, Transfer | Park | Retrieve | ParkReturn)
        };
        let since = call.redirections.iter().rposition(|last| came(last.kind)).map_or(0, |at| at + 1);
        let number = call.redirections.get(since).map_or(&call.called.number, |first| &first.by.number);
        let line = number.parse::<LineNumber>().ok()?;
        let own = call.calling.number == line.as_str();
        (!own && self.site.lines.contains_key(&line)).then_some(line)
    }

    fn toggle_callback(
        &mut self,
        now: Time,
        device: Handle<Device>,
        line: LineNumber,
        target: LineNumber,
        waits: Waits,
    ) -> PhoneText {
        let Some(name) = self.devices.get(device).map(|device| device.name.clone()) else {
            return PhoneText::default();
        };
        self.callbacks.retain(|_, callback| callback.until > now);
        let key = (name, target);
        if self.callbacks.remove(&key).is_some() {
            return PhoneText::from(format!("CallBack: {} cancelled", key.1));
        }
        if self.callbacks.keys().filter(|(name, _)| *name == key.0).count() >= MOST {
            self.counters.refuse("too many callbacks");
            return PhoneText::from("Too many callbacks");
        }
        let text = format!("CallBack: waiting for {}", key.1);
        // It may be free already: a callback asked for by code.
        self.freed.entry(key.1.clone()).or_insert(Was::Idle);
        self.callbacks.insert(key, Callback { line, waits, until: now + LIFE });
        PhoneText::from(text)
    }

    /// Rings at those who have waited for what has become free, one at a time for each phone.
    pub(crate) fn offer_callbacks(&mut self, now: Time, freed: &Freed) {
        if self.callbacks.is_empty() {
            return;
        }
        self.callbacks.retain(|_, callback| callback.until > now);
        for ((_, target), callback) in &mut self.callbacks {
            if freed.get(target) == Some(&Was::Used) {
                callback.waits = Waits::Free;
            }
        }
        for key in self.callbacks.keys().cloned().collect::<Vec<_>>() {
            if let Some(station) = self.callback_possible(&key.0, &key.1) {
                self.callbacks.remove(&key);
                self.offer_callback(now, station, &key.1);
            }
        }
    }

    /// Where to ring for a callback, if both phones are free.
    fn callback_possible(&self, name: &DeviceName, target: &LineNumber) -> Option<Appears> {
        let callback = self.callbacks.get(&(name.clone(), target.clone()))?;
        let &device = self.by_name.get(name)?;
        let phone = self.devices.get(device).filter(|phone| phone.ready && phone.legs.is_empty())?;
        let line = phone.buttons.lines.iter().find(|line| line.number == callback.line)?.instance;
        let all = self.appearances.get(target).map(Vec::as_slice).unwrap_or_default();
        let free = |other: &&Appears| other.device != device && self.is_idle_at(target, **other);
        let free = all.iter().any(|other| free(&other)) || self.idle_extensions(target).next().is_some();
        let ready = callback.waits == Waits::Free && free;
        ready.then_some(Appears { device, line })
    }

    fn offer_callback(&mut self, now: Time, station: Appears, target: &LineNumber) {
        let Some(device) = self.devices.get(station.device) else { return };
        let Some(appearance) = device.appearance(station.line) else { return };
        let who = Party {
            number: appearance.number.as_str().into(),
            name: appearance.name.clone(),
            device: Some(device.name.clone()),
            restricted: false,
        };
        let call_handle = self.add_call(who.clone());
        let called = self.party(target);
        if let Some(call) = self.calls.get_mut(call_handle) {
            call.phase = Phase::Callback;
            call.called = called;
        }
        let end = End::Station(station);
        if let Some(leg) = self.add_leg(call_handle, end, who, Role::Caller, LegState::RingIn) {
            let wait = seconds(self.site.settings.timers.callback);
            self.timers.set(Timer::NoAnswer(call_handle), now + wait);
            self.transition(now, leg, Transition::RingIn);
        }
    }

    /// The user who is called back takes it: the number is dialled.
    pub(crate) fn callback_answered(&mut self, now: Time, leg: Handle<Leg>) {
        let Some(call_handle) = self.legs.get(leg).map(|leg| leg.call) else { return };
        self.timers.cancel(Timer::NoAnswer(call_handle));
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        call.phase = Phase::Dialing;
        let number = core::mem::take(&mut call.called).number;
        self.enter(now, leg, LegState::Dialing, Transition::PickUp);
        self.dial_all(now, leg, &number);
    }

    /// Nobody wants the callback any more. `false` if the call is none.
    pub(crate) fn callback_unanswered(&mut self, now: Time, call: Handle<Call>) -> bool {
        if self.calls.get(call).is_none_or(|call| call.phase != Phase::Callback) {
            return false;
        }
        if let Some(leg) = self.caller(call) {
            // Nobody has called: it is no missed call.
            self.remove_leg(now, leg, Transition::AnsweredElsewhere);
        }
        true
    }
}

/// What a caller waits for who hears this.
fn waits(state: LegState) -> Waits {
    match state {
        LegState::Failed(EndCause::Busy | EndCause::Unregistered) => Waits::Free,
        _ => Waits::NextUse,
    }
}
