//! Park: a call waits at a number until somebody takes it from there, or it goes back to who parked it.

use alloc::vec::Vec;

use selsius_site::{Button, LineNumber};
use selsius_wire::{DisplayLabel, PhoneText, Time};

use crate::{
    arena::Handle,
    call::{Call, Leg, LegState, Phase, Role, seconds},
    device::Device,
    dialplan::{Destination, Target},
    exchange::{Exchange, Timer},
    record::{EndCause, Party, RedirectKind, Redirection},
    view::Transition,
};

/// A call that waits in a park slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parked {
    pub(crate) call: Handle<Call>,
    /// Who parked it.
    pub(crate) by: Party,
}

/// Why a call cannot be parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CannotPark {
    /// There is no conversation of two.
    State,
    /// The slot is taken, or none.
    Slot,
    /// All slots are taken.
    Full,
}

impl CannotPark {
    fn label(self) -> DisplayLabel {
        match self {
            Self::State => DisplayLabel::KeyIsNotActive,
            Self::Slot => DisplayLabel::ParkSlotUnavailable,
            Self::Full => DisplayLabel::NoParkNumberAvailable,
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::State => "park outside a call",
            Self::Slot => "park at a slot that is not free",
            Self::Full => "park without a free slot",
        }
    }
}

/// How long a call that cannot go back to who parked it waits before it tries again, where the site does not say.
const RETRY: u32 = 60;

impl Exchange {
    /// The Park key: the call waits at the next free slot.
    pub(crate) fn park_key(&mut self, now: Time, leg: Handle<Leg>) {
        if let Err(cannot) = self.park(now, leg, None) {
            self.refuse_feature(leg, cannot.label(), cannot.reason());
        }
    }

    /// The park code, with a slot or without: parks the call on hold.
    pub(crate) fn park_by_code(&mut self, now: Time, leg: Handle<Leg>, slot: Option<LineNumber>) {
        let parked = match self.waits_for(leg) {
            Some(waits) => self.park(now, waits, slot.as_ref()),
            None => Err(CannotPark::State),
        };
        match parked {
            Ok(()) => self.remove_leg(now, leg, Transition::End),
            Err(cannot) => self.refuse_code(now, leg, cannot.label(), cannot.reason()),
        }
    }

    /// The number of a slot was dialled: takes the call from there. Dialled on behalf of a call that is to be
    /// transferred, the number of a free slot parks it there.
    pub(crate) fn park_number(&mut self, now: Time, leg: Handle<Leg>, slot: &LineNumber) {
        let Some(station) = self.legs.get(leg).and_then(Leg::station) else {
            return self.fail(now, leg, EndCause::Blocked);
        };
        if self.parked_at(slot) {
            if !self.retrieve(now, station.device, station.line, Some(leg), slot) {
                let label = DisplayLabel::CannotRetrieveParkedCall;
                self.refuse_code(now, leg, label, "own call in a park slot");
            }
            return;
        }
        let consults = self.legs.get(leg).and_then(|leg| leg.consults).map(|consults| consults.waits);
        match consults.map(|waits| self.park(now, waits, Some(slot))) {
            Some(Ok(())) => self.remove_leg(now, leg, Transition::End),
            Some(Err(cannot)) => self.refuse_code(now, leg, cannot.label(), cannot.reason()),
            None => {
                let label = DisplayLabel::CannotRetrieveParkedCall;
                self.refuse_code(now, leg, label, "nothing to take from a park slot");
            }
        }
    }

    /// The button of a slot: takes the call from there, or parks the phone's call.
    pub(crate) fn park_button(&mut self, now: Time, device: Handle<Device>, slot: &LineNumber) {
        let own = self.active_leg(device);
        if self.parked_at(slot) {
            if !self.retrieve(now, device, 0, own, slot) {
                let label = DisplayLabel::CannotRetrieveParkedCall;
                self.refuse_on(device, label, "own call in a park slot");
            }
            return;
        }
        let talks = own.filter(|&leg| self.legs.get(leg).is_some_and(Leg::talks));
        let parked = match talks.or_else(|| self.held_leg(device, None)) {
            Some(leg) => self.park(now, leg, Some(slot)),
            None => Err(CannotPark::State),
        };
        if let Err(cannot) = parked {
            self.refuse_on(device, cannot.label(), cannot.reason());
        }
    }

    /// Does a call wait there?
    pub(crate) fn parked_at(&self, slot: &LineNumber) -> bool {
        self.parked.contains_key(slot)
    }

    /// Could the Park key do something?
    pub(crate) fn can_park(&self, leg: &Leg, call: &Call) -> bool {
        let talks = matches!(leg.state, LegState::Connected | LegState::Held);
        let two = call.phase == Phase::Talking && call.legs.len() == 2;
        talks && two && !self.site.parking.slots.is_empty()
    }

    /// Is this the call of a slot?
    pub(crate) fn is_parked(&self, call: Handle<Call>) -> bool {
        self.slot_of(call).is_some()
    }

    fn slot_of(&self, call: Handle<Call>) -> Option<LineNumber> {
        let mut parked = self.parked.iter();
        parked.find(|(_, parked)| parked.call == call).map(|(slot, _)| slot.clone())
    }

    /// The call on hold that a code dialled on this leg is about: the one that waits for it, else the one that was put on
    /// hold last.
    pub(crate) fn waits_for(&self, handle: Handle<Leg>) -> Option<Handle<Leg>> {
        let leg = self.legs.get(handle)?;
        if let Some(consults) = leg.consults.filter(|consults| self.legs.get(consults.waits).is_some()) {
            return Some(consults.waits);
        }
        let held = |&handle: &Handle<Leg>| {
            let leg = self.legs.get(handle).filter(|leg| leg.state == LegState::Held)?;
            Some((leg.held_at, handle))
        };
        let legs = &self.devices.get(leg.device()?)?.legs;
        legs.iter().filter_map(held).max_by_key(|&(since, _)| since).map(|(_, handle)| handle)
    }

    /// Parks the other party of a conversation, and takes the phone of `leg` out of it.
    fn park(&mut self, now: Time, leg: Handle<Leg>, slot: Option<&LineNumber>) -> Result<(), CannotPark> {
        let state = self.legs.get(leg).ok_or(CannotPark::State)?;
        let device = state.device().ok_or(CannotPark::State)?;
        let (call_handle, by) = (state.call, state.who.clone());
        let call = self.calls.get(call_handle).ok_or(CannotPark::State)?;
        let up = matches!(state.state, LegState::Connected | LegState::Held) && call.phase == Phase::Talking;
        let [other] = self.others(leg)[..] else { return Err(CannotPark::State) };
        if !up {
            return Err(CannotPark::State);
        }
        let slots = &self.site.parking;
        let slot = match slot {
            Some(slot) => {
                let free = slots.numbers().any(|number| number == *slot) && !self.parked_at(slot);
                free.then(|| slot.clone()).ok_or(CannotPark::Slot)?
            }
            None => slots.numbers().find(|slot| !self.parked_at(slot)).ok_or(CannotPark::Full)?,
        };
        let at = self.wall.wall(now);
        let to = Party { number: slot.as_str().into(), ..Party::default() };
        if let Some(leg) = self.legs.get_mut(other) {
            leg.role = Role::Caller;
            leg.consults = None;
        }
        let waits = self.legs.get(other).map(|leg| leg.who.clone()).unwrap_or_default();
        if let Some(call) = self.calls.get_mut(call_handle) {
            call.phase = Phase::Parked;
            call.calling = waits;
            call.called = to.clone();
            call.redirections.push(Redirection { kind: RedirectKind::Park, by: by.clone(), to, at });
        }
        self.parked.insert(slot.clone(), Parked { call: call_handle, by });
        self.set_park_timers(now, call_handle);
        self.remove_leg(now, leg, Transition::End);
        // Whoever is left alone needs no codec in common with anybody.
        let _ = self.settle_media(now, call_handle);
        self.transition(now, other, Transition::OtherHolds);
        self.notify(device, &parked_text(&slot));
        self.render_slot(now, &slot);
        Ok(())
    }

    fn set_park_timers(&mut self, now: Time, call: Handle<Call>) {
        let timers = self.site.settings.timers;
        for (timer, wait) in
            [(Timer::ParkReminder(call), timers.park_reminder), (Timer::ParkReturn(call), timers.park_return)]
        {
            if wait > 0 {
                self.timers.set(timer, now + seconds(wait));
            }
        }
    }

    /// Takes the call from a slot. `false` if it is one of the phone's own.
    fn retrieve(
        &mut self,
        now: Time,
        device: Handle<Device>,
        line: u32,
        own: Option<Handle<Leg>>,
        slot: &LineNumber,
    ) -> bool {
        let Some(call) = self.parked.get(slot).map(|parked| parked.call) else { return false };
        let waits = self.caller(call);
        if waits.and_then(|waits| self.legs.get(waits)).is_none_or(|leg| leg.is_on(device)) {
            return false;
        }
        let dials = |leg: &&Leg| matches!(leg.state, LegState::DialTone | LegState::Dialing);
        let adopts = own.and_then(|own| self.legs.get(own)).filter(dials).is_some();
        if !adopts {
            self.clear_way(now, device);
        }
        let Some(leg) = self.come_in(device, line, own, call, LegState::Answering) else { return false };
        self.free_slot(now, call);
        let at = self.wall.wall(now);
        let to = self.legs.get(leg).map(|leg| leg.who.clone()).unwrap_or_default();
        if let Some(call) = self.calls.get_mut(call) {
            let by = call.called.clone();
            call.redirections.push(Redirection { kind: RedirectKind::Retrieve, by, to, at });
        }
        if !adopts {
            self.transition(now, leg, Transition::PickUp);
        }
        if let Some(leg) = self.legs.get_mut(leg) {
            leg.state = LegState::Connected;
        }
        self.talk_together(now, call);
        true
    }

    /// The call leaves its slot, if it is in one.
    pub(crate) fn free_slot(&mut self, now: Time, call: Handle<Call>) {
        let Some(slot) = self.slot_of(call) else { return };
        self.parked.remove(&slot);
        self.timers.cancel(Timer::ParkReminder(call));
        self.timers.cancel(Timer::ParkReturn(call));
        self.render_slot(now, &slot);
    }

    /// Who parked the call is reminded of it.
    pub(crate) fn park_reminds(&mut self, now: Time, call: Handle<Call>) {
        let Some(slot) = self.slot_of(call) else { return };
        let by = self.parked.get(&slot).and_then(|parked| parked.by.device.as_ref());
        if let Some(&device) = by.and_then(|by| self.by_name.get(by)) {
            self.notify(device, &parked_text(&slot));
            self.beep_at(device, (0, 0));
        }
        let wait = self.site.settings.timers.park_reminder;
        if wait > 0 {
            self.timers.set(Timer::ParkReminder(call), now + seconds(wait));
        }
    }

    /// Nobody took the call: it rings where it was parked from. While that cannot be, it waits on.
    pub(crate) fn park_returns(&mut self, now: Time, call_handle: Handle<Call>) {
        let Some(slot) = self.slot_of(call_handle) else { return };
        let number = self.parked.get(&slot).map(|parked| parked.by.number.clone()).unwrap_or_default();
        let Some(leg) = self.caller(call_handle) else { return };
        let found = number.parse().ok().map(|line| self.find(leg, &Target::plain(Destination::Line(line))));
        let Some(Ok(found)) = found else {
            let wait = self.site.settings.timers.park_return;
            let wait = seconds(if wait == 0 { RETRY } else { wait });
            return self.timers.set(Timer::ParkReturn(call_handle), now + wait);
        };
        self.free_slot(now, call_handle);
        let at = self.wall.wall(now);
        if let Some(call) = self.calls.get_mut(call_handle) {
            let by = core::mem::replace(&mut call.called, found.called.clone());
            let to = found.called.clone();
            call.redirections.push(Redirection { kind: RedirectKind::ParkReturn, by, to, at });
        }
        self.ring(now, leg, found);
    }

    /// The site has changed: calls in slots that are no more go back.
    pub(crate) fn parking_changed(&mut self, now: Time) {
        let gone = self.parked.iter().filter(|(slot, _)| !self.site.parking.numbers().any(|is| is == **slot));
        let calls: Vec<_> = gone.map(|(_, parked)| parked.call).collect();
        for call in calls {
            self.timers.set(Timer::ParkReturn(call), now);
        }
    }

    /// Tells the phones that have a button for this slot.
    fn render_slot(&mut self, now: Time, slot: &LineNumber) {
        let shows = |device: &&Device| {
            let buttons = self.site.devices.get(&device.name).map(|device| device.buttons.as_slice());
            let this = |button: &Button| matches!(button, Button::ParkSlot { number, .. } if number == slot);
            buttons.unwrap_or_default().iter().any(this)
        };
        let devices: Vec<_> =
            self.devices.iter().filter(|(_, device)| shows(device)).map(|(handle, _)| handle).collect();
        for device in devices {
            self.render(now, device, Transition::Change, None);
        }
    }
}

/// "Call park at 701".
fn parked_text(slot: &LineNumber) -> PhoneText {
    PhoneText::label(DisplayLabel::CallParkAt).then_text(alloc::format!(" {slot}"))
}
