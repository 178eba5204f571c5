//! What a person sees and hears.

use alloc::{string::String, vec::Vec};

use selsius_wire::{
    Time,
    value::{ButtonType, CallSecurity, CallState, CallType, LampMode, MediaPathId, RingMode, Tone},
};

use crate::{Look, Phase, ScreenFace, Station, calls::Call};

/// What a person sees and hears now. Made from the station's state when asked for; nothing in it is kept twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Face {
    /// How far the phone is with its manager.
    pub phase: Phase,
    /// Everything was answered: the phone can be used.
    pub registered: bool,
    /// The line at the foot of the display: what the call under the cursor is at, else the phone's own.
    pub prompt: String,
    /// A message that covers the prompt; the one of the highest priority.
    pub notify: Option<String>,
    /// Plain text of managers before CallManager 4.
    pub text: Option<String>,
    /// A screen that covers the calls, until the user leaves it.
    pub screen: Option<ScreenFace>,
    /// How the manager has the phone look and ring.
    pub look: Look,
    /// The buttons in the template's order. Empty keys have the kind `Undefined`.
    pub lines: Vec<ButtonFace>,
    /// The calls, oldest first.
    pub calls: Vec<CallFace>,
    /// The soft keys in their places; an empty string is a key without a label.
    pub soft_keys: Vec<String>,
    /// What is to be heard in the handset.
    pub tone: Option<Tone>,
    /// How the bell rings.
    pub ringing: Option<RingMode>,
    /// The speaker was switched on, by the user or the manager.
    pub speaker: bool,
    /// The headset is in use.
    pub headset: bool,
    /// The handset is lifted.
    pub off_hook: bool,
    /// The lamp for messages.
    pub message_lamp: LampMode,
    /// The date and time on the display.
    pub clock: Option<Clock>,
    /// The line that new calls use and that the display shows.
    pub active_line: Option<u32>,
    /// The number being typed or dialled.
    pub dialed: String,
    /// Why the manager refused the phone.
    pub reject: Option<String>,
}

/// A button with its lamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ButtonFace {
    /// Instance among the buttons of its kind, from 1.
    pub instance: u32,
    /// What it is.
    pub kind: ButtonType,
    /// The directory number of a line or speed dial, the URL of a service.
    pub number: String,
    /// The name of a line, as callers see it.
    pub name: String,
    /// What stands beside it.
    pub label: String,
    /// What its lamp does.
    pub lamp: LampMode,
    /// Its state as the manager told it: what busy lamps and feature buttons show. 0 where nothing was told.
    pub status: u32,
    /// Where all calls of the line are forwarded to; empty for nowhere.
    pub forward_all: String,
}

/// A call in the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFace {
    /// Line instance.
    pub line: u32,
    /// Call reference.
    pub reference: u32,
    /// The number that the display gives it.
    pub instance: u32,
    /// Its state.
    pub state: CallState,
    /// Whether it came in, went out or was forwarded.
    pub call_type: CallType,
    /// Who calls.
    pub calling_name: String,
    /// The caller's number.
    pub calling_number: String,
    /// Who is called.
    pub called_name: String,
    /// The called number.
    pub called_number: String,
    /// Who was called first, before it was forwarded.
    pub original_called_name: String,
    /// Their number.
    pub original_called_number: String,
    /// Who forwarded it last.
    pub last_redirecting_name: String,
    /// Their number.
    pub last_redirecting_number: String,
    /// The lock on the display.
    pub security: CallSecurity,
    /// Its own prompt.
    pub prompt: String,
    /// The number dialled.
    pub dialed: String,
    /// Soft keys and prompt are this call's.
    pub selected: bool,
}

/// The date and time as the manager told it, local.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Year.
    pub year: u32,
    /// Month, from 1.
    pub month: u32,
    /// Day of the month, from 1.
    pub day: u32,
    /// Day of the week, 0 is Sunday.
    pub weekday: u32,
    /// Hour.
    pub hour: u32,
    /// Minute.
    pub minute: u32,
    /// Second.
    pub second: u32,
    /// When it was that time.
    pub told_at: Time,
}

impl ButtonFace {
    /// How the button is lit: by its lamp, or by the state that the manager told of it.
    pub fn light(&self) -> LampMode {
        match (self.lamp, self.kind, self.status) {
            (LampMode::Off, ButtonType::Line | ButtonType::SpeedDial | ButtonType::ServiceUrl, _) => {
                LampMode::Off
            }
            // States of a busy lamp: idle, in use, not to be disturbed, ringing (known from implementations).
            (LampMode::Off, ButtonType::BlfSpeedDial, 2) => LampMode::On,
            (LampMode::Off, ButtonType::BlfSpeedDial, 3) => LampMode::Flash,
            (LampMode::Off, ButtonType::BlfSpeedDial, 4) => LampMode::Blink,
            (LampMode::Off, ButtonType::BlfSpeedDial, _) | (LampMode::Off, _, 0) => LampMode::Off,
            (LampMode::Off, ..) => LampMode::On,
            (lamp, ..) => lamp,
        }
    }
}

impl Face {
    pub(crate) fn of(station: &Station) -> Self {
        let session = &station.session;
        let focus = session.calls.focus();
        let focus_key = focus.map(|call| (call.line, call.reference));
        let own_prompt = focus.map(|call| call.prompt.text()).filter(|text| !text.is_empty());
        Self {
            phase: station.phase,
            registered: station.phase == Phase::Registered,
            prompt: own_prompt.unwrap_or_else(|| session.display.prompt(focus.map(|call| call.line))).into(),
            notify: session.display.notification().map(Into::into),
            text: session.display.text.clone(),
            screen: session.screens.face(),
            look: session.screens.look(),
            lines: button_faces(station),
            calls: session.calls.shown().map(|call| call_face(call, focus_key)).collect(),
            soft_keys: station
                .visible_keys()
                .into_iter()
                .map(|key| key.map(|key| key.label.into()).unwrap_or_default())
                .collect(),
            tone: session.tone.map(|tone| tone.what),
            ringing: session.ringing.map(|ring| ring.what),
            speaker: station.paths.speaker,
            headset: station.paths.headset,
            off_hook: station.paths.handset,
            message_lamp: session.buttons.message_lamp(),
            clock: session.clock,
            active_line: session.active_line,
            dialed: match focus {
                Some(call) if station.typed.is_empty() => call.dialed.clone(),
                _ => station.typed.clone(),
            },
            reject: station.rejected.clone(),
        }
    }

    /// The line at the foot of the display as it is read: a notification covers the prompt.
    pub fn status(&self) -> &str {
        self.notify.as_deref().unwrap_or(&self.prompt)
    }

    /// The call under the cursor.
    pub fn selected(&self) -> Option<&CallFace> {
        self.calls.iter().find(|call| call.selected)
    }

    /// The state of the call under the cursor; `OnHook` without one.
    pub fn state(&self) -> CallState {
        self.selected().map_or(CallState::OnHook, |call| call.state)
    }

    /// Whether the display shows a soft key with this label; case and spaces do not matter.
    pub fn has_soft_key(&self, label: &str) -> bool {
        self.soft_keys.iter().any(|shown| !shown.is_empty() && crate::soft_keys::same_label(shown, label))
    }

    /// The button of a line.
    pub fn line(&self, instance: u32) -> Option<&ButtonFace> {
        self.lines.iter().find(|button| button.kind == ButtonType::Line && button.instance == instance)
    }

    /// What one listens with: a lifted handset goes before the headset, and that before the speaker.
    pub fn path(&self) -> Option<MediaPathId> {
        match self {
            Self { off_hook: true, .. } => Some(MediaPathId::Handset),
            Self { headset: true, .. } => Some(MediaPathId::Headset),
            Self { speaker: true, .. } => Some(MediaPathId::Speaker),
            _ => None,
        }
    }
}

fn button_faces(station: &Station) -> Vec<ButtonFace> {
    let buttons = &station.session.buttons;
    let face = |button: &crate::buttons::Button| {
        let legend = buttons.legend(*button).cloned().unwrap_or_default();
        let is_line = button.kind == ButtonType::Line;
        let forward = buttons.forward(button.instance).filter(|_| is_line);
        ButtonFace {
            instance: button.instance,
            kind: button.kind,
            label: if legend.label.is_empty() { legend.number.clone() } else { legend.label },
            number: legend.number,
            name: legend.name,
            lamp: buttons.lamp(*button),
            status: legend.status,
            forward_all: forward.map(|forward| forward.all.clone()).unwrap_or_default(),
        }
    };
    buttons.all().iter().map(face).collect()
}

fn call_face(call: &Call, focus: Option<(u32, u32)>) -> CallFace {
    let parties = &call.parties;
    CallFace {
        line: call.line,
        reference: call.reference,
        instance: parties.instance,
        state: call.state.unwrap_or_default(),
        call_type: parties.call_type,
        calling_name: parties.calling.name.clone(),
        calling_number: parties.calling.number.clone(),
        called_name: parties.called.name.clone(),
        called_number: parties.called.number.clone(),
        original_called_name: parties.original_called.name.clone(),
        original_called_number: parties.original_called.number.clone(),
        last_redirecting_name: parties.last_redirecting.name.clone(),
        last_redirecting_number: parties.last_redirecting.number.clone(),
        security: parties.security,
        prompt: call.prompt.text().into(),
        dialed: call.dialed.clone(),
        selected: Some((call.line, call.reference)) == focus,
    }
}
