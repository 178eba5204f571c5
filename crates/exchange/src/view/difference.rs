//! From "what the phone was told" to "what it should show": the messages, in the order that phones know.
//!
//! The order inside a difference, and what is sent again although it did not change, is a table by kind of
//! [`Transition`]. What a table leaves out follows in the order of [`REST`], so that the phone agrees with the view
//! after every transition, whatever the table says.

use alloc::{collections::VecDeque, vec::Vec};

use selsius_wire::{
    Dialect, ForwardStatus, ManagerMessage, PhoneText, message,
    value::{
        CallHistoryDisposition, CallState, LampMode, Number, RecordingState, RingDuration, RingMode,
        SoftKeySetId, SpeakerMode, StimulusType, SubscriptionFeature, Text, Tone,
    },
};

use super::{
    LegView, View,
    buttons::status_in,
    transition::{
        Facet::{
            self, Buttons, Clock, Dialed, Forwards, IdleKeys, IdlePrompt, Info, Keys, Lamp, Multicast,
            Notice, Plane, Prompt, Receive, Ringer, Speaker, Transmit,
        },
        REST, Step, Told, Transition, steps,
    },
};
use crate::{
    device::{Buttons as PhoneButtons, Quirks, soft_keys::Sets},
    io::{Output, SessionId},
};

/// From which version phones are told in which list a call belongs, and that it is recorded. The messages are in no capture;
/// they are of the same age as StartMediaTransmissionAck (0x0154), which phones send from 17 on. Older ones get the trick of [`Told::Connected`] alone.
const HISTORY_VERSION: u8 = 17;

/// Seconds that "From ..." stays over everything else, and its priority (4.1 capture, frame 135).
const NOTICE_SECONDS: u32 = 10;
const NOTICE_PRIORITY: u32 = 5;

/// Tells one phone what it has not been told yet.
pub(crate) struct Teller<'a> {
    /// What the phone knows; brought up to date.
    pub(crate) told: &'a mut View,
    /// What it should know.
    pub(crate) view: &'a View,
    pub(crate) dialect: &'a Dialect,
    pub(crate) quirks: Quirks,
    pub(crate) soft_keys: &'a Sets,
    pub(crate) buttons: &'a PhoneButtons,
    /// The time of day, where the transition sets the clock (after each call).
    pub(crate) clock: Option<message::DefineTimeDate>,
    /// What of the idle face has been told, which is no part of the view.
    pub(crate) idle: Idle,
    pub(crate) messages: Messages<'a>,
}

/// What a phone was told when its last call had gone.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    keys: bool,
    prompt: bool,
}

impl Teller<'_> {
    /// Tells about a transition of the leg `reference` (or of the device as a whole).
    pub(crate) fn tell(&mut self, transition: Transition, reference: Option<u32>) {
        for &step in steps(transition) {
            self.step(step, reference);
        }
        let gone = self.told.legs.len();
        // Mostly the table has told all there is. What is told of a leg leaves the others where they are.
        for at in 0..gone {
            let leg = self.told.legs.get(at).map(|leg| leg.reference);
            self.tell_rest(leg.filter(|&reference| find(self.view, reference).is_none()));
        }
        for leg in &self.view.legs {
            self.tell_rest(Some(leg.reference));
        }
        if *self.told == *self.view {
            return;
        }
        for &step in REST {
            self.step(step, None);
        }
        self.told.legs.retain(|leg| find(self.view, leg.reference).is_some());
        // The order of calls is no facet of its own.
        self.told
            .legs
            .sort_by_key(|told| self.view.legs.iter().position(|leg| leg.reference == told.reference));
        debug_assert_eq!(*self.told, *self.view, "every facet was told");
    }

    /// What the table has left out of a leg.
    fn tell_rest(&mut self, reference: Option<u32>) {
        let Some(reference) = reference else { return };
        if find(self.told, reference) != find(self.view, reference) {
            for &step in REST {
                self.step(step, Some(reference));
            }
        }
    }

    fn step(&mut self, (facet, always): Step, reference: Option<u32>) {
        match facet {
            Ringer => self.ringer(always),
            Speaker => self.speaker(always),
            Forwards => self.forwards(),
            Lamp => self.lamps(always, reference),
            Buttons => self.button_states(),
            Facet::Presence => self.presence(),
            Plane => self.plane(always),
            IdleKeys => self.idle_keys(),
            IdlePrompt => self.idle_prompt(),
            Clock => self.clock(),
            Facet::Tone => self.tone(always, reference),
            leg_facet => {
                if let Some(reference) = reference {
                    self.leg_step(leg_facet, always, reference);
                }
            }
        }
    }

    fn ringer(&mut self, always: bool) {
        if self.told.ring == self.view.ring && !always {
            return;
        }
        let about = self.view.ring.or(self.told.ring);
        let mode = self.view.ring.map_or(RingMode::Off, |ring| ring.mode);
        let (line, call) = match self.view.ring {
            Some(ring) => (ring.line, ring.reference),
            None => about.map_or((0, 0), |ring| (ring.line, ring.reference)),
        };
        let duration = self.view.ring.map_or(RingDuration::Normal, |ring| ring.duration);
        self.told.ring = self.view.ring;
        self.messages.push(message::SetRinger {
            ring_mode: mode,
            ring_duration: duration,
            line_instance: line,
            call_reference: call,
        });
    }

    /// The tone of the phone. "Again" means: certainly none, where there should be none.
    fn tone(&mut self, always: bool, reference: Option<u32>) {
        let (before, now) = (self.told.tone, self.view.tone);
        self.told.tone = now;
        let about =
            reference.and_then(|reference| find(self.view, reference).or_else(|| find(self.told, reference)));
        let about =
            before.map(|tone| (tone.line, tone.reference)).or(about.map(|leg| (leg.line, leg.reference)));
        // A zip sounds once and does not end what was heard before.
        if let (Some(before), Some(Tone::Zip)) = (before.filter(|_| before != now), now.map(|now| now.tone)) {
            self.messages.push(message::StopTone {
                line_instance: before.line,
                call_reference: before.reference,
                tone: Tone::Silence,
            });
        }
        match (now, about) {
            (Some(now), _) if before != Some(now) => self.messages.push(message::StartTone {
                tone: now.tone,
                line_instance: now.line,
                call_reference: now.reference,
                ..message::StartTone::default()
            }),
            (None, Some((line_instance, call_reference))) if before.is_some() || always => {
                self.messages.push(message::StopTone { line_instance, call_reference, tone: Tone::Silence });
            }
            _ => {}
        }
    }

    fn speaker(&mut self, always: bool) {
        if self.told.speaker == self.view.speaker && !always {
            return;
        }
        self.told.speaker = self.view.speaker;
        let speaker_mode = if self.view.speaker { SpeakerMode::On } else { SpeakerMode::Off };
        self.messages.push(message::SetSpeakerMode { speaker_mode });
    }

    fn lamps(&mut self, always: bool, reference: Option<u32>) {
        if !always && self.told.lamps == self.view.lamps {
            return;
        }
        let about =
            reference.and_then(|reference| find(self.view, reference).or_else(|| find(self.told, reference)));
        let again = about.filter(|_| always).map(|leg| (StimulusType::Line, leg.line));
        let key = |lamp: &super::Lamp| (lamp.button, lamp.instance);
        let mut buttons: Vec<_> =
            self.told.lamps.iter().chain(&self.view.lamps).map(key).chain(again).collect();
        buttons.sort_unstable();
        buttons.dedup();
        for (stimulus, stimulus_instance) in buttons {
            let told = lamp(self.told, stimulus, stimulus_instance);
            let lamp_mode = lamp(self.view, stimulus, stimulus_instance);
            if told != lamp_mode || again == Some((stimulus, stimulus_instance)) {
                self.messages.push(message::SetLamp { stimulus, stimulus_instance, lamp_mode });
            }
        }
        self.told.lamps.clone_from(&self.view.lamps);
    }

    fn forwards(&mut self) {
        if self.told.forwards == self.view.forwards {
            return;
        }
        let of = |view: &View, line| view.forwards.iter().find(|status| status.line == line).cloned();
        let mut lines: Vec<_> =
            self.told.forwards.iter().chain(&self.view.forwards).map(|status| status.line).collect();
        lines.sort_unstable();
        lines.dedup();
        for line in lines {
            let status = of(self.view, line);
            if status != of(self.told, line) {
                let status = status.unwrap_or(ForwardStatus { line, ..ForwardStatus::default() });
                self.messages.push(self.dialect.forward_status(&status));
            }
        }
        self.told.forwards.clone_from(&self.view.forwards);
    }

    /// The states of busy lamps and feature buttons, where they have changed.
    fn button_states(&mut self) {
        if self.told.buttons == self.view.buttons {
            return;
        }
        for key in &self.buttons.keys {
            let status = status_in(Some(self.view), key);
            if status_in(Some(self.told), key) != status {
                let message = self.dialect.feature_status(key.instance, key.kind, &key.label, status);
                self.messages.push(message);
            }
        }
        self.told.buttons.clone_from(&self.view.buttons);
    }

    /// The states of numbers in call lists, where they have changed.
    fn presence(&mut self) {
        if self.told.presence == self.view.presence {
            return;
        }
        let told = core::mem::take(&mut self.told.presence);
        for one in self.view.presence.iter().filter(|one| !told.contains(one)) {
            let notification = message::Notification {
                transaction_id: one.transaction,
                subscription_feature_id: SubscriptionFeature::Blf,
                notification_status: one.status,
                text: Text::default(),
            };
            self.messages.push(notification);
        }
        self.told.presence.clone_from(&self.view.presence);
    }

    fn plane(&mut self, always: bool) {
        let changed = self.told.active_line != self.view.active_line;
        self.told.active_line = self.view.active_line;
        if let Some(line_instance) = self.view.active_line.filter(|_| changed || always) {
            self.messages.push(message::ActivateCallPlane { line_instance });
        }
    }

    /// The keys of the idle screen, when the last call has gone; until then the remaining call's.
    fn idle_keys(&mut self) {
        let has = !self.soft_keys.is_none();
        if has && self.becomes_idle() && !core::mem::replace(&mut self.idle.keys, true) {
            self.messages.push(idle_keys(self.soft_keys));
        }
    }

    /// The prompt of the idle screen, when the last call has gone, and when it changes while there is none.
    fn idle_prompt(&mut self) {
        let changed = self.told.idle_prompt != self.view.idle_prompt;
        if changed {
            self.told.idle_prompt.clone_from(&self.view.idle_prompt);
        }
        let idle = !self.view.legs.iter().any(|leg| !leg.remote);
        if (self.becomes_idle() || changed && idle) && !core::mem::replace(&mut self.idle.prompt, true) {
            let text = &self.view.idle_prompt;
            let prompt = if text.is_empty() { &super::idle::usual() } else { text };
            self.messages.push(idle_prompt(self.dialect, prompt));
        }
    }

    fn becomes_idle(&self) -> bool {
        let own = |view: &View| view.legs.iter().any(|leg| !leg.remote);
        own(self.told) && !own(self.view)
    }

    fn clock(&mut self) {
        if let Some(clock) = self.clock.take() {
            self.messages.push(clock);
        }
    }

    fn leg_step(&mut self, facet: Facet, always: bool, reference: u32) {
        let now: &View = self.view;
        let over;
        let (view, live) = match find(now, reference) {
            Some(view) => (view, true),
            None => {
                let Some(told) = find(self.told, reference) else { return };
                over = LegView::over(told);
                (&over, false)
            }
        };
        let at = self.told.legs.iter().position(|leg| leg.reference == reference);
        let at = at.unwrap_or_else(|| {
            self.told.legs.push(LegView::unknown(view));
            self.told.legs.len() - 1
        });
        let Some(told) = self.told.legs.get_mut(at) else { return };
        let (line, call) = (view.line, reference);
        let message: ManagerMessage = match facet {
            Facet::State(which) => {
                let state = if which == Told::Connected { CallState::Connected } else { view.state };
                if told.state == state && !always {
                    return;
                }
                if which == Told::Connected && self.dialect.version() >= HISTORY_VERSION {
                    self.messages.push(unlisted(line, call));
                }
                let begun = matches!(
                    told.state,
                    CallState::OffHook | CallState::Proceed | CallState::RingOut | CallState::Connected
                );
                if self.quirks.off_hook_first && state == CallState::Connected && !begun {
                    self.messages.push(call_state(CallState::OffHook, line, call));
                }
                told.state = state;
                call_state(state, line, call)
            }
            Keys if live && (told.keys != view.keys || told.mask != view.mask || always) => {
                (told.keys, told.mask) = (view.keys, view.mask);
                if self.soft_keys.is_none() {
                    return;
                }
                message::SelectSoftKeys {
                    line_instance: line,
                    call_reference: call,
                    soft_key_set_index: view.keys,
                    valid_key_mask: view.mask,
                }
                .into()
            }
            Prompt if told.prompt != view.prompt || (always && live) => {
                told.prompt = view.prompt.clone();
                if live {
                    self.dialect.prompt(0, line, call, &view.prompt)
                } else {
                    message::ClearPromptStatus { line_instance: line, call_reference: call }.into()
                }
            }
            Notice if live => self.dialect.priority_notify(NOTICE_SECONDS, NOTICE_PRIORITY, &view.prompt),
            Info if told.info != view.info || always => {
                told.info.clone_from(&view.info);
                let Some(info) = view.info.as_ref().filter(|_| live) else { return };
                self.dialect.call_info(info)
            }
            Dialed if told.dialed != view.dialed => {
                told.dialed.clone_from(&view.dialed);
                let Some(number) = view.dialed.as_ref().filter(|_| live) else { return };
                message::DialedNumber {
                    dialed_number: Number::new(number.as_bytes()),
                    line_instance: line,
                    call_reference: call,
                }
                .into()
            }
            Facet::Recorded if told.recorded != view.recorded => {
                told.recorded = view.recorded;
                if !live || self.dialect.version() < HISTORY_VERSION {
                    return;
                }
                let recording_status = if view.recorded { RecordingState::On } else { RecordingState::Off };
                message::RecordingStatus { call_reference: call, recording_status }.into()
            }
            Receive if told.receive != view.receive => {
                let before = told.receive.take();
                told.receive = view.receive;
                if let Some(channel) = before {
                    self.messages.push(super::media::close_receive(&channel, call));
                }
                let Some(channel) = view.receive else { return };
                super::media::open_receive(&channel, call).into()
            }
            Transmit if told.transmit != view.transmit => {
                let before = told.transmit.take();
                told.transmit = view.transmit;
                if let Some((channel, _)) = before {
                    self.messages.push(super::media::stop_transmit(&channel, call));
                }
                let Some((channel, remote)) = view.transmit else { return };
                super::media::start_transmit(&channel, call, remote).into()
            }
            Multicast if told.multicast != view.multicast => {
                let before = told.multicast.take();
                told.multicast = view.multicast;
                if let Some(before) = before {
                    self.messages.push(super::media::stop_multicast(&before, call));
                }
                let Some(multicast) = view.multicast else { return };
                super::media::start_multicast(&multicast, call)
            }
            _ => return,
        };
        self.messages.push(message);
    }
}

/// The messages to one phone, on their way out.
pub(crate) struct Messages<'a> {
    pub(crate) session: SessionId,
    pub(crate) out: &'a mut VecDeque<Output>,
}

impl Messages<'_> {
    fn push(&mut self, message: impl Into<ManagerMessage>) {
        self.out.push_back(Output::Send { session: self.session, message: message.into() });
    }
}

/// The keys of an idle phone.
pub(crate) fn idle_keys(sets: &Sets) -> message::SelectSoftKeys {
    message::SelectSoftKeys {
        line_instance: 0,
        call_reference: 0,
        soft_key_set_index: SoftKeySetId::OnHook,
        valid_key_mask: sets.mask(SoftKeySetId::OnHook, super::keys::makes_sense_idle),
    }
}

/// The call belongs in none of the phone's lists.
fn unlisted(line: u32, call: u32) -> ManagerMessage {
    message::CallHistoryInfo {
        call_history_disposition: CallHistoryDisposition::Ignore,
        line_instance: line,
        call_reference: call,
    }
    .into()
}

/// The prompt of an idle phone.
pub(crate) fn idle_prompt(dialect: &Dialect, text: &PhoneText) -> ManagerMessage {
    dialect.prompt(0, 0, 0, text)
}

/// Every captured CallState carries precedence level 4, domain 0.
fn call_state(call_state: CallState, line_instance: u32, call_reference: u32) -> ManagerMessage {
    message::CallState {
        call_state,
        line_instance,
        call_reference,
        precedence_level: 4,
        ..message::CallState::default()
    }
    .into()
}

fn lamp(view: &View, button: StimulusType, instance: u32) -> LampMode {
    let found = view.lamps.iter().find(|lamp| (lamp.button, lamp.instance) == (button, instance));
    found.map_or(LampMode::Off, |lamp| lamp.mode)
}

fn find(view: &View, reference: u32) -> Option<&LegView> {
    view.legs.iter().find(|leg| leg.reference == reference)
}

impl LegView {
    /// A call that the phone has never heard of.
    fn unknown(of: &Self) -> Self {
        Self {
            line: of.line,
            reference: of.reference,
            remote: of.remote,
            state: CallState::OnHook,
            keys: SoftKeySetId::OnHook,
            mask: 0,
            prompt: PhoneText::default(),
            info: None,
            dialed: None,
            recorded: false,
            receive: None,
            transmit: None,
            multicast: None,
        }
    }

    /// What remains of a call that is over.
    fn over(told: &Self) -> Self {
        Self { keys: told.keys, mask: told.mask, ..Self::unknown(told) }
    }
}
