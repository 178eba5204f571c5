//! What one phone should show and do now, derived from the state of its legs by a pure function.
//!
//! Nothing else in the exchange sends lamps, prompts, soft keys, tones, call states or media orders: call control
//! changes states and names the transition, `difference` sends what a phone has not been told yet.

mod difference;
mod media;

use alloc::{string::String, sync::Arc, vec::Vec};
use core::net::SocketAddr;

use selsius_wire::{
    CallInformation, DisplayLabel, PhoneText,
    value::{CallSecurity, CallState, CallType, LampMode, RingMode, SoftKeySetId, Tone},
};

pub(crate) use self::difference::{Idle, Teller, Transition, idle_keys, idle_prompt};
pub use crate::call::Audio;
use crate::{
    arena::Arena,
    call::{Call, Leg, LegState, Receive, Role},
    device::{Device, Quirks},
    record::EndCause,
};

/// The face of a phone. The default is an idle one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Is the speaker (or handset) path on?
    pub speaker: bool,
    /// What rings.
    pub ring: Option<Ring>,
    /// The lamps of line buttons that are not off, by line instance.
    pub lamps: Vec<(u32, LampMode)>,
    /// What is to be heard; a phone plays one tone at a time.
    pub tone: Option<CallTone>,
    /// The line in the foreground.
    pub active_line: Option<u32>,
    /// The calls, in the order in which they came.
    pub legs: Vec<LegView>,
}

/// A ringing line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    /// How it sounds.
    pub mode: RingMode,
    /// On which line.
    pub line: u32,
    /// For which call.
    pub reference: u32,
}

/// A tone, and the call that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTone {
    /// Which tone.
    pub tone: Tone,
    /// On which line.
    pub line: u32,
    /// For which call.
    pub reference: u32,
}

/// One call on a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegView {
    /// Line instance.
    pub line: u32,
    /// Call reference.
    pub reference: u32,
    /// The state as the phone knows it.
    pub state: CallState,
    /// The soft keys.
    pub keys: SoftKeySetId,
    /// Which of them are shown, a bit each.
    pub mask: u32,
    /// The prompt.
    pub prompt: PhoneText,
    /// Who talks to whom. Shared, since what a phone was told and what it should show are mostly the same.
    pub info: Option<Arc<CallInformation>>,
    /// The number as dialled, once it is complete.
    pub dialed: Option<String>,
    /// The receive channel that should be open.
    pub receive: Option<Channel>,
    /// Where audio should be sent.
    pub transmit: Option<(Channel, SocketAddr)>,
}

/// A media channel as a phone is asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channel {
    /// Conference id.
    pub conference: u32,
    /// Pass-through party id.
    pub party: u32,
    /// Codec and packet time.
    pub audio: Audio,
}

/// Set 1 has ten keys, of which CallManager hides the tenth (4.1 and v20 captures show masks that do so).
const ALL_KEYS: u32 = 0xFFFF_FFFF;

/// What `device` should show and do. What is the same in `told` is taken from there instead of made anew; the result
/// does not depend on it.
pub(crate) fn render(device: &Device, told: &View, legs: &Arena<Leg>, calls: &Arena<Call>) -> View {
    let mut view = View::default();
    for leg in device.legs.iter().filter_map(|&leg| legs.get(leg)) {
        let Some(call) = calls.get(leg.call) else { continue };
        let off_hook = leg.state.is_off_hook();
        view.speaker |= off_hook;
        let lamp = if off_hook { LampMode::On } else { LampMode::Blink };
        match view.lamps.iter_mut().find(|(line, _)| *line == leg.line) {
            Some((_, shown)) if *shown == LampMode::Blink => {}
            Some((_, shown)) => *shown = lamp,
            None => view.lamps.push((leg.line, lamp)),
        }
        if off_hook {
            view.active_line = Some(leg.line);
        }
        let told = told.legs.iter().find(|told| told.reference == leg.reference);
        let (leg_view, tone) = leg_view(leg, call, told, legs, device.quirks);
        if let Some(tone) = tone {
            view.tone = Some(CallTone { tone, line: leg.line, reference: leg.reference });
        }
        view.legs.push(leg_view);
    }
    if let Some(leg) = view.legs.iter().find(|leg| leg.state == CallState::RingIn) {
        let (line, reference) = (leg.line, leg.reference);
        if !view.speaker {
            view.ring = Some(Ring { mode: RingMode::Inside, line, reference });
        } else if view.tone.is_none() {
            view.tone = Some(CallTone { tone: Tone::CallWaitingTone, line, reference });
        }
    }
    view.lamps.sort_unstable();
    view
}

fn leg_view(
    leg: &Leg,
    call: &Call,
    told: Option<&LegView>,
    legs: &Arena<Leg>,
    quirks: Quirks,
) -> (LegView, Option<Tone>) {
    let Looks { state, keys, prompt, tone } = looks(leg, call, quirks);
    let connected = leg.state == LegState::Connected;
    let dialed = call.started.is_some() && leg.role == Role::Caller;
    let channel = call.audio.filter(|_| connected).map(|audio| Channel {
        conference: call.conference,
        party: leg.party,
        audio,
    });
    let peer = call.legs.iter().filter_map(|&leg| legs.get(leg)).find(|peer| peer.reference != leg.reference);
    let transmit = match peer.map(|peer| peer.receive) {
        Some(Receive::Open(address)) => channel.map(|channel| (channel, address)),
        _ => None,
    };
    let view = LegView {
        line: leg.line,
        reference: leg.reference,
        state,
        keys,
        mask: ALL_KEYS,
        prompt,
        info: call.started.is_some().then(|| {
            let told = told.and_then(|told| told.info.as_ref()).filter(|info| still_holds(info, leg, call));
            told.map_or_else(|| Arc::new(call_information(leg, call)), Arc::clone)
        }),
        dialed: dialed.then(|| call.dialed.clone()),
        receive: channel.filter(|_| leg.receive != Receive::Closed),
        transmit,
    };
    (view, tone)
}

/// What a leg's state looks like.
struct Looks {
    state: CallState,
    keys: SoftKeySetId,
    prompt: PhoneText,
    tone: Option<Tone>,
}

/// The table from states to looks. Values as in the 4.1 and v20 captures where they show the state; failures as
/// other servers show them (call-flows).
fn looks(leg: &Leg, call: &Call, quirks: Quirks) -> Looks {
    use DisplayLabel as Label;
    let label = PhoneText::label;
    let (state, keys, prompt, tone) = match leg.state {
        LegState::DialTone => {
            (CallState::OffHook, SoftKeySetId::OffHook, label(Label::EnterNumber), Some(Tone::InsideDialTone))
        }
        LegState::Dialing => {
            (CallState::OffHook, SoftKeySetId::DigitsFollowing, label(Label::EnterNumber), None)
        }
        LegState::Proceeding => {
            (CallState::Proceed, SoftKeySetId::DigitsFollowing, label(Label::EnterNumber), None)
        }
        LegState::RingOut => {
            let state = if quirks.no_ring_out { CallState::Proceed } else { CallState::RingOut };
            (state, SoftKeySetId::RingOut, label(Label::RingOut), Some(Tone::AlertingTone))
        }
        LegState::RingIn => (CallState::RingIn, SoftKeySetId::RingIn, from_caller(call), None),
        LegState::Answering => (CallState::OffHook, SoftKeySetId::RingIn, from_caller(call), None),
        LegState::Connected => (CallState::Connected, SoftKeySetId::Connected, label(Label::Connected), None),
        LegState::Failed(cause) => {
            let (state, prompt, tone) = failure(cause);
            (state, SoftKeySetId::RingOut, prompt, Some(tone))
        }
    };
    Looks { state, keys, prompt, tone }
}

fn failure(cause: EndCause) -> (CallState, PhoneText, Tone) {
    use DisplayLabel as Label;
    let label = PhoneText::label;
    match cause {
        EndCause::Busy => (CallState::Busy, label(Label::Busy), Tone::LineBusyTone),
        EndCause::UnknownNumber => (CallState::InvalidNumber, label(Label::UnknownNumber), Tone::ReorderTone),
        EndCause::NoAnswer => (CallState::Congestion, PhoneText::from("No answer"), Tone::ReorderTone),
        EndCause::Blocked => (CallState::Congestion, PhoneText::from("Not permitted"), Tone::ReorderTone),
        EndCause::NoCommonCodec => {
            (CallState::Congestion, label(Label::IncompatibleDeviceType), Tone::ReorderTone)
        }
        EndCause::Unregistered
        | EndCause::MediaFailure
        | EndCause::PhoneLost
        | EndCause::CallerHungUp
        | EndCause::CalledHungUp
        | EndCause::Shutdown
        | EndCause::Interrupted => (CallState::Congestion, label(Label::TempFail), Tone::ReorderTone),
    }
}

/// "From 1003" (4.1 capture, frame 134).
fn from_caller(call: &Call) -> PhoneText {
    PhoneText::label(DisplayLabel::From).then_text(&call.calling.number)
}

/// Is this what [`call_information`] would say of the same leg? It is asked at each transition, and rarely isn't.
fn still_holds(info: &CallInformation, leg: &Leg, call: &Call) -> bool {
    info.security == security(leg)
        && info.called_number == call.called.number
        && info.called_name == call.called.name
        && info.calling_number == call.calling.number
        && info.calling_name == call.calling.name
}

fn security(leg: &Leg) -> CallSecurity {
    match leg.state {
        LegState::Connected => CallSecurity::NotAuthenticated,
        _ => CallSecurity::Unspecified,
    }
}

/// Who talks to whom. The original called party is filled on the called phone, with the first called number as in
/// the v20 capture (frame 9).
fn call_information(leg: &Leg, call: &Call) -> CallInformation {
    let call_type = match leg.role {
        Role::Caller => CallType::Outbound,
        Role::Called => CallType::Inbound,
    };
    CallInformation {
        line: leg.line,
        call: leg.reference,
        call_type,
        call_instance: 1,
        calling_name: call.calling.name.clone(),
        calling_number: call.calling.number.clone(),
        called_name: call.called.name.clone(),
        called_number: call.called.number.clone(),
        original_called_name: call.called.name.clone(),
        original_called_number: call.called.number.clone(),
        security: security(leg),
        ..CallInformation::default()
    }
}
