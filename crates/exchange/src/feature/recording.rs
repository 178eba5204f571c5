//! Recording: a call is recorded since its line or trunk says so, or since somebody has pressed a key.
//!
//! A recording belongs to one leg of a call, as long as that leg is in it: the media services record what its party says and
//! hears. That a call is recorded never decides whether it goes on: where it cannot be, it is a call like any other.

use alloc::{boxed::Box, format, string::String};

use selsius_site::RecordingRule;
use selsius_wire::{DisplayLabel, PhoneText, Time};

use crate::{
    arena::Handle,
    call::{Call, End, Leg, LegState, Phase, Role},
    device::Device,
    exchange::Exchange,
    io::{AnchorOrder, Level, Recording, Side},
    view::Transition,
};

/// What is recorded of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Whose party is recorded.
    pub(crate) leg: Handle<Leg>,
    /// The name of the file.
    name: String,
    /// Which side of it the party is, whatever becomes of the call.
    side: Side,
}

/// What a key wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    On,
    Off,
    /// The other of both.
    Change,
}

/// Digits of a number that the name of a recording has.
const MOST_DIGITS: usize = 32;

impl Exchange {
    /// The leg by which a call is to be recorded, if it is and can be.
    pub(crate) fn recorded_leg(&self, call: &Call) -> Option<Handle<Leg>> {
        if call.phase != Phase::Talking || call.unrecorded || call.legs.len() < 2 {
            return None;
        }
        let wants = |leg: &Handle<Leg>| self.legs.get(*leg).is_some_and(|leg| self.wants_recording(leg));
        let goes_on = call.recording.as_ref().map(|recorded| recorded.leg);
        let goes_on = goes_on.filter(|leg| call.legs.contains(leg) && wants(leg));
        let leg = goes_on.or_else(|| call.legs.iter().copied().find(wants))?;
        // What nobody here understands cannot be recorded.
        call.legs.iter().all(|&leg| self.mixed_audio(leg).is_some()).then_some(leg)
    }

    /// Is the call recorded by this leg at this moment?
    pub(crate) fn is_recorded(&self, handle: Handle<Leg>, call: &Call) -> bool {
        call.recording.as_ref().is_some_and(|recorded| recorded.leg == handle)
            && self.legs.get(handle).and_then(|leg| leg.anchor.as_ref()).is_some_and(|anchor| anchor.recorded)
    }

    /// Does the phone record a call at this moment?
    pub(crate) fn records(&self, device: &Device) -> bool {
        device.legs.iter().any(|&handle| {
            let call = self.legs.get(handle).and_then(|leg| self.calls.get(leg.call));
            call.is_some_and(|call| self.is_recorded(handle, call))
        })
    }

    /// May its user have the call recorded, or no longer?
    pub(crate) fn may_record(&self, leg: &Leg, call: &Call) -> bool {
        let by_key = |leg: &Leg| self.recording_rule(leg) == RecordingRule::Key;
        let by_trunk = |&other: &Handle<Leg>| {
            self.legs.get(other).is_some_and(|other| other.device().is_none() && by_key(other))
        };
        let talks = matches!(leg.state, LegState::Connected | LegState::Held);
        let two = call.phase == Phase::Talking && call.legs.len() > 1;
        talks && two && !leg.one_way && (by_key(leg) || call.legs.iter().any(by_trunk))
    }

    /// The Record key, of a soft key, a button or a code.
    pub(crate) fn record_key(&mut self, now: Time, handle: Handle<Leg>, wanted: Wanted) {
        if let Err(label) = self.record(now, handle, wanted) {
            self.refuse_feature(handle, label, "recording of a call that cannot be recorded");
        }
    }

    /// The button of a phone: its conversation, else what it has on hold.
    pub(crate) fn record_button(&mut self, now: Time, device: Handle<Device>) {
        let talks = |leg: &Handle<Leg>| self.legs.get(*leg).is_some_and(Leg::talks);
        match self.active_leg(device).filter(talks).or_else(|| self.held_leg(device, None)) {
            Some(leg) => self.record_key(now, leg, Wanted::Change),
            None => self.refuse_on(device, DisplayLabel::KeyIsNotActive, "recording without a call"),
        }
    }

    /// The code: records the call on hold, or no longer.
    pub(crate) fn record_by_code(&mut self, now: Time, leg: Handle<Leg>) {
        let waits = self.waits_for(leg);
        let done = waits.map_or(Err(DisplayLabel::KeyIsNotActive), |waits| {
            self.record(now, waits, Wanted::Change).map(|()| waits)
        });
        match done {
            Ok(waits) => {
                let on = self.legs.get(waits).is_some_and(|leg| leg.record == Some(true));
                let label = if on { DisplayLabel::Recording } else { DisplayLabel::InactiveRecordingSession };
                self.feature_done(now, leg, &PhoneText::label(label));
            }
            Err(label) => self.refuse_code(now, leg, label, "recording of a call that cannot be recorded"),
        }
    }

    fn record(&mut self, now: Time, handle: Handle<Leg>, wanted: Wanted) -> Result<(), DisplayLabel> {
        let Some(leg) = self.legs.get(handle) else { return Ok(()) };
        let (call_handle, records) = (leg.call, leg.record == Some(true));
        let Some(call) = self.calls.get(call_handle) else { return Ok(()) };
        if !self.may_record(leg, call) {
            return Err(DisplayLabel::KeyIsNotActive);
        }
        if call.recording.as_ref().is_some_and(|recorded| recorded.leg != handle) {
            return Err(DisplayLabel::RecordingAlreadyInProgress);
        }
        let on = match wanted {
            Wanted::On => true,
            Wanted::Off => false,
            Wanted::Change => !records,
        };
        if let Some(call) = self.calls.get_mut(call_handle) {
            call.unrecorded = false;
        }
        self.choose(handle, on);
        let by = self.calls.get(call_handle).and_then(|call| self.recorded_leg(call));
        if on && by != Some(handle) {
            self.choose(handle, false);
            return Err(DisplayLabel::RecordingFailed);
        }
        self.resettle(now, call_handle);
        Ok(())
    }

    fn choose(&mut self, handle: Handle<Leg>, on: bool) {
        if let Some(leg) = self.legs.get_mut(handle) {
            leg.record = Some(on);
        }
    }

    /// The audio of a call goes another way, and everybody is told.
    fn resettle(&mut self, now: Time, call: Handle<Call>) {
        let legs = self.calls.get(call).map(|call| call.legs.clone()).unwrap_or_default();
        if let (Err(cause), Some(&leg)) = (self.settle_media(now, call), legs.first()) {
            return self.fail(now, leg, cause);
        }
        for leg in legs {
            self.transition(now, leg, Transition::Join);
        }
    }

    /// Brings what is recorded of a call up to date, after its audio was.
    pub(crate) fn settle_recording(&mut self, now: Time, handle: Handle<Call>) {
        let Some(call) = self.calls.get(handle) else { return };
        let wanted = self.recorded_leg(call);
        if call.recording.is_none() && wanted.is_none() {
            return;
        }
        if call.recording.as_ref().map(|recorded| recorded.leg) != wanted {
            self.end_recording(handle);
        }
        let Some(call) = self.calls.get(handle) else { return };
        let Some(leg_handle) = wanted else { return };
        let Some(leg) = self.legs.get(leg_handle) else { return };
        // While somebody holds there is nobody to be recorded.
        let talking = call.legs.iter().filter(|&&leg| self.legs.get(leg).is_some_and(Leg::talks)).count() > 1;
        let runs = talking && leg.anchor.as_ref().is_some_and(|anchor| anchor.is_at_bridge());
        let (party, role, beep) = (leg.party, leg.role, self.site.settings.recording_beep);
        let recorded = match &call.recording {
            Some(recorded) => recorded.clone(),
            None if runs => {
                let name = self.name_of_recording(now, call);
                let side = if role == Role::Caller { Side::Caller } else { Side::Called };
                Recorded { leg: leg_handle, name, side }
            }
            None => return,
        };
        let Recorded { name, side, .. } = recorded.clone();
        if let Some(call) = self.calls.get_mut(handle)
            && call.recording.is_none()
        {
            call.recordings.push(name.clone());
            call.recording = Some(recorded);
            // The name has it.
            self.next_reference();
        }
        let anchor = self.legs.get_mut(leg_handle).and_then(|leg| leg.anchor.as_mut());
        if let Some(anchor) = anchor.filter(|anchor| anchor.recorded != runs) {
            anchor.recorded = runs;
            let recording = runs.then(|| Box::new(Recording { name, side, beep }));
            self.order_anchor(AnchorOrder::Record { party, recording });
        }
    }

    /// What is recorded of a call is complete.
    pub(crate) fn end_recording(&mut self, handle: Handle<Call>) {
        let recorded = self.calls.get_mut(handle).and_then(|call| call.recording.take());
        let Some(Recorded { leg, name, .. }) = recorded else { return };
        if let Some(leg) = self.legs.get_mut(leg)
            && let Some(anchor) = leg.anchor.as_mut().filter(|anchor| anchor.recorded)
        {
            anchor.recorded = false;
            let party = leg.party;
            self.order_anchor(AnchorOrder::Record { party, recording: None });
        }
        self.order_anchor(AnchorOrder::RecordingEnds { name });
    }

    /// As [`Self::end_recording`], for a leg that leaves its call.
    pub(crate) fn end_recording_by(&mut self, leg: Handle<Leg>, call: Handle<Call>) {
        let recorded = self.calls.get(call).and_then(|call| call.recording.as_ref());
        if recorded.is_some_and(|recorded| recorded.leg == leg) {
            self.end_recording(call);
        }
    }

    /// A recording cannot be written, or not any further: its call goes on without.
    pub(crate) fn recording_failed(&mut self, now: Time, name: &str, kept: bool) {
        let is_it = |recorded: &Recorded| recorded.name == name;
        let found = self.calls.iter().find(|(_, call)| call.recording.as_ref().is_some_and(is_it));
        if let Some((handle, _)) = found {
            self.goes_unrecorded(now, handle, kept);
        }
    }

    /// A call that was to be recorded has no place at the media services, or no more; `false` if it was not to be.
    pub(crate) fn misses_recording(&mut self, now: Time, call: Handle<Call>, kept: bool) -> bool {
        if self.calls.get(call).is_none_or(|call| self.recorded_leg(call).is_none()) {
            return false;
        }
        self.event(Level::Warn, None, "", "a call is not recorded: the media services have no place for it");
        self.goes_unrecorded(now, call, kept);
        true
    }

    fn goes_unrecorded(&mut self, now: Time, handle: Handle<Call>, kept: bool) {
        let Some(call) = self.calls.get_mut(handle) else { return };
        call.unrecorded = true;
        if let Some(recorded) = call.recording.as_ref().filter(|_| !kept) {
            call.recordings.retain(|name| *name != recorded.name);
        }
        let leg = call.recording.as_ref().map(|recorded| recorded.leg);
        for other in call.legs.clone() {
            if let Some(leg) = self.legs.get_mut(other).filter(|leg| leg.record == Some(true)) {
                leg.record = None;
            }
        }
        if let Some(device) = leg.and_then(|leg| self.legs.get(leg)).and_then(Leg::device) {
            self.notify(device, &PhoneText::label(DisplayLabel::RecordingFailed));
        }
        self.resettle(now, handle);
    }

    fn wants_recording(&self, leg: &Leg) -> bool {
        leg.record.unwrap_or_else(|| self.recording_rule(leg) == RecordingRule::Always)
    }

    fn recording_rule(&self, leg: &Leg) -> RecordingRule {
        let own = match &leg.end {
            End::Station(station) => {
                let device = self.devices.get(station.device);
                let line = device.and_then(|device| device.appearance(station.line));
                line.and_then(|line| self.site.lines.get(&line.number)).and_then(|line| line.record)
            }
            End::Trunk(trunk) => self.site_trunk(&trunk.trunk).and_then(|trunk| trunk.record),
        };
        own.unwrap_or(self.site.settings.record)
    }

    /// What a recording is called: when it began (milliseconds of Unix), a number that no other one has then, who called and
    /// who was called.
    fn name_of_recording(&self, now: Time, call: &Call) -> String {
        let digits = |number: &str| -> String {
            let dialled = |c: &char| c.is_ascii_digit() || matches!(c, '+' | '*' | '#');
            number.chars().filter(dialled).take(MOST_DIGITS).collect()
        };
        let (millis, number) = (self.wall.wall(now).0 / 1000, self.next_reference);
        let (calling, called) = (digits(&call.calling.number), digits(&call.called.number));
        format!("{millis}-{number}-{calling}-{called}.wav")
    }
}
