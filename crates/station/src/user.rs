//! What the user does, and what the phone tells its manager of it.

use alloc::{string::String, vec::Vec};

use selsius_wire::{
    Time,
    message::{
        EnblocCall, HookFlash, KeypadButton, MediaPathEvent, OffHook, OnHook, SoftKeyEvent, Stimulus,
        UnregisterReq,
    },
    value::{ButtonType, CallState, KeypadKey, MediaPathEventKind, MediaPathId, Number, StimulusType},
};

use crate::{
    Action, Phase, RejectReason, Station,
    calls::Call,
    config::HookStyle,
    limits,
    soft_keys::{Key, Selection, same_label},
    timer::Timer,
};

impl Station {
    pub(crate) fn act(&mut self, now: Time, action: Action) {
        match (&action, self.phase) {
            (Action::TakeOver, Phase::Standby) => return self.register(now),
            (Action::TakeOver, _) => return self.refuse(RejectReason::NoEffect),
            _ if self.is_accepted() => {}
            // The handset is a thing: it moves whoever the manager is.
            (Action::OffHook, _) => self.paths.handset = true,
            (Action::OnHook, _) => self.paths.handset = false,
            _ => {}
        }
        if !self.is_accepted() {
            return self.refuse(RejectReason::NotRegistered);
        }
        match action {
            Action::OffHook => self.lift(MediaPathId::Handset),
            Action::OnHook => self.hang_up(),
            Action::Speaker => self.toggle(MediaPathId::Speaker),
            Action::Headset => self.toggle(MediaPathId::Headset),
            Action::Digit(key) => self.digit(key),
            Action::Dial(number) => self.dial(&number),
            Action::SoftKey(label) => {
                let keys = self.visible_keys();
                let key = keys.into_iter().flatten().find(|key| same_label(key.label, &label));
                self.soft_key(key.map(owned));
            }
            Action::SoftKeyAt(place) => {
                let key = self.visible_keys().get(place).copied().flatten();
                self.soft_key(key.map(owned));
            }
            Action::Line(instance) => self.line_key(instance),
            Action::SpeedDial(instance) => self.speed_dial(instance),
            Action::Button(place) => self.button(place),
            Action::Stimulus(stimulus, instance) => self.stimulus(stimulus, instance),
            Action::HookFlash => self.hook_flash(),
            Action::Select(reference) => self.select(reference),
            Action::Choose(name) => self.choose(&name),
            Action::LeaveScreen => self.leave_screen(),
            Action::Unregister => self.unregister(now),
            Action::TakeOver => {}
        }
    }

    /// The soft keys that are shown: those of the call under the cursor, or of the idle phone.
    pub(crate) fn visible_keys(&self) -> Vec<Option<Key<'_>>> {
        let session = &self.session;
        let selection = match session.calls.focus() {
            Some(call) => call.selection,
            None => session.idle_keys,
        };
        selection.map(|selection: Selection| session.soft_keys.visible(selection)).unwrap_or_default()
    }

    /// Takes handset, headset or speaker into use.
    fn lift(&mut self, path: MediaPathId) {
        let before = self.path();
        let in_use = self.path_mut(path);
        if *in_use {
            return self.refuse(RejectReason::NoEffect);
        }
        *in_use = true;
        if path != MediaPathId::Speaker {
            self.paths.speaker = false;
        }
        self.tell_path(path, MediaPathEventKind::On);
        let ringing = self.session.calls.ringing().map(key_of);
        if before.is_some() && ringing.is_none() {
            // From one to another in mid-call: nothing happens to the call.
            return;
        }
        if ringing.is_none() && !self.typed.is_empty() {
            return self.dial_typed(None);
        }
        if self.traits.hook != HookStyle::PathOnly {
            // v20 capture, frame 21: the call that it answers is named; zeros on an idle phone (a 7960 in the field).
            let (line_instance, call_reference) = ringing.unwrap_or_default();
            self.send(OffHook { line_instance, call_reference });
        }
    }

    /// Puts everything down.
    fn hang_up(&mut self) {
        let engaged = self.session.calls.engaged().map(key_of);
        let paths = core::mem::take(&mut self.paths);
        self.typed.clear();
        let in_use = [
            (paths.handset, MediaPathId::Handset),
            (paths.headset, MediaPathId::Headset),
            (paths.speaker, MediaPathId::Speaker),
        ];
        if engaged.is_none() && !in_use.iter().any(|(in_use, _)| *in_use) {
            return self.refuse(RejectReason::NoEffect);
        }
        self.session.tone = None;
        for (_, path) in in_use.into_iter().filter(|(in_use, _)| *in_use) {
            self.tell_path(path, MediaPathEventKind::Off);
        }
        if self.traits.hook != HookStyle::PathOnly {
            let named = engaged.filter(|_| self.traits.on_hook_names_call).unwrap_or_default();
            self.send(OnHook { line_instance: named.0, call_reference: named.1 });
        }
    }

    fn toggle(&mut self, path: MediaPathId) {
        if !self.traits.has_speaker {
            return self.refuse(RejectReason::NoSuchKey);
        }
        let others = match path {
            MediaPathId::Speaker => self.paths.handset || self.paths.headset,
            _ => self.paths.handset || self.paths.speaker,
        };
        match (*self.path_mut(path), others) {
            (false, _) => self.lift(path),
            (true, false) => self.hang_up(),
            (true, true) => {
                *self.path_mut(path) = false;
                self.tell_path(path, MediaPathEventKind::Off);
            }
        }
    }

    fn digit(&mut self, key: KeypadKey) {
        let engaged = self.session.calls.engaged().map(|call| (key_of(call), call.state));
        if engaged.is_none() && self.path().is_none() {
            if self.typed.len() < limits::DIGITS {
                self.typed.extend(char_of(key));
            }
            return;
        }
        let ((line_instance, call_reference), state) = engaged.unwrap_or_default();
        if state == Some(CallState::OffHook)
            && let Some(call) = self.session.calls.known(line_instance, call_reference)
            && call.dialed.len() < limits::DIGITS
        {
            call.dialed.extend(char_of(key));
        }
        self.send(KeypadButton { kp_button: key, line_instance, call_reference });
    }

    pub(crate) fn dial(&mut self, number: &str) {
        let keys: Vec<_> = number.chars().filter_map(key_of_char).take(limits::DIGITS).collect();
        if keys.is_empty() {
            return self.refuse(RejectReason::NoDigits);
        }
        if self.session.calls.engaged().is_some() || self.path().is_some() {
            return keys.into_iter().for_each(|key| self.digit(key));
        }
        self.typed = keys.into_iter().filter_map(char_of).collect();
        self.dial_typed(None);
    }

    /// Sends the number typed on the idle phone as a whole.
    fn dial_typed(&mut self, line: Option<u32>) {
        let typed = core::mem::take(&mut self.typed);
        let first_line = self.session.buttons.instances(ButtonType::Line).next().unwrap_or(1);
        let line_instance = line.or(self.session.active_line).unwrap_or(first_line);
        self.send(EnblocCall { called_party: Number::new(&typed), line_instance, ..Default::default() });
    }

    fn soft_key(&mut self, key: Option<(String, u32)>) {
        let Some((label, event)) = key else { return self.refuse(RejectReason::NoSuchKey) };
        let focus = self.session.calls.focus().map(key_of);
        if focus.is_none() && !self.typed.is_empty() {
            // On an idle phone with a number on the display these keys are about the number.
            if same_label(&label, "NewCall") || same_label(&label, "Dial") {
                return self.dial_typed(None);
            }
            if same_label(&label, "<<") {
                self.typed.pop();
                return;
            }
            self.typed.clear();
        }
        // Redial and NewCall on an idle phone carry zeros (4.1 and v20 captures).
        let (line_instance, call_reference) = focus.unwrap_or_default();
        self.send(SoftKeyEvent { soft_key_event: event.into(), line_instance, call_reference });
    }

    fn line_key(&mut self, instance: u32) {
        if !self.session.buttons.has(ButtonType::Line, instance) {
            return self.refuse(RejectReason::NoSuchKey);
        }
        if !self.typed.is_empty() {
            return self.dial_typed(Some(instance));
        }
        self.session.active_line = Some(instance);
        self.session.calls.select_line(instance);
        self.stimulus(StimulusType::Line, instance);
    }

    fn speed_dial(&mut self, instance: u32) {
        let buttons = &self.session.buttons;
        if buttons.has(ButtonType::BlfSpeedDial, instance) && !buttons.has(ButtonType::SpeedDial, instance) {
            return self.stimulus(StimulusType::BlfSpeedDial, instance);
        }
        if !buttons.has(ButtonType::SpeedDial, instance) {
            return self.refuse(RejectReason::NoSuchKey);
        }
        self.stimulus(StimulusType::SpeedDial, instance);
    }

    fn button(&mut self, place: usize) {
        let button = self.session.buttons.all().get(place).copied();
        match button {
            Some(button) if button.kind == ButtonType::Line => self.line_key(button.instance),
            Some(button) if !matches!(button.kind, ButtonType::Unused | ButtonType::Undefined) => {
                // A button and the stimulus that it sends have the same number.
                self.stimulus(StimulusType::from(u32::from(button.kind)), button.instance);
            }
            _ => self.refuse(RejectReason::NoSuchKey),
        }
    }

    fn stimulus(&mut self, stimulus: StimulusType, line_instance: u32) {
        self.send(Stimulus { stimulus, line_instance, ..Stimulus::default() });
    }

    fn hook_flash(&mut self) {
        if !self.paths.handset {
            return self.refuse(RejectReason::NoEffect);
        }
        let (line_instance, call_reference) = self.session.calls.engaged().map(key_of).unwrap_or_default();
        self.send(HookFlash { line_instance, call_reference });
    }

    fn select(&mut self, reference: u32) {
        if !self.session.calls.select(reference) {
            return self.refuse(RejectReason::NoSuchCall);
        }
        self.session.active_line = self.session.calls.focus().map(|call| call.line);
    }

    fn unregister(&mut self, now: Time) {
        self.phase = Phase::Leaving;
        self.timers.stop(Timer::Answer);
        self.timers.set(Timer::Registration, now + limits::REGISTRATION);
        self.send(UnregisterReq::default());
    }

    /// Phones of later classes tell which path is in use.
    pub(crate) fn tell_path(&mut self, media_path_id: MediaPathId, media_path_event: MediaPathEventKind) {
        if self.traits.hook != HookStyle::Plain {
            self.send(MediaPathEvent { media_path_id, media_path_event });
        }
    }

    /// What the user listens with.
    pub(crate) fn path(&self) -> Option<MediaPathId> {
        match (self.paths.handset, self.paths.headset, self.paths.speaker) {
            (true, ..) => Some(MediaPathId::Handset),
            (_, true, _) => Some(MediaPathId::Headset),
            (.., true) => Some(MediaPathId::Speaker),
            _ => None,
        }
    }

    fn path_mut(&mut self, path: MediaPathId) -> &mut bool {
        match path {
            MediaPathId::Headset => &mut self.paths.headset,
            MediaPathId::Speaker => &mut self.paths.speaker,
            MediaPathId::Handset | MediaPathId::Unknown(_) => &mut self.paths.handset,
        }
    }
}

fn key_of(call: &Call) -> (u32, u32) {
    (call.line, call.reference)
}

/// The keys of a number, in the order of their values.
const DIGITS: &str = "0123456789ABCD*#+";

/// Label and event of a key, apart from the template.
fn owned(key: Key<'_>) -> (String, u32) {
    (key.label.into(), key.event)
}

fn char_of(key: KeypadKey) -> Option<char> {
    let value = usize::try_from(u32::from(key)).ok()?;
    DIGITS.chars().nth(value)
}

fn key_of_char(char: char) -> Option<KeypadKey> {
    let value = DIGITS.chars().position(|digit| digit == char)?;
    u32::try_from(value).ok().map(KeypadKey::from)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    #[test]
    fn every_key_has_its_sign() {
        let keys: Vec<_> = DIGITS.chars().filter_map(key_of_char).collect();
        assert_eq!(keys, KeypadKey::ALL);
        let signs: String = keys.into_iter().filter_map(char_of).collect();
        assert_eq!(signs, DIGITS);
        assert_eq!((char_of(KeypadKey::Unknown(99)), key_of_char('x'), key_of_char('a')), (None, None, None));
    }
}
