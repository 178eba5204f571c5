//! What one phone should show and do now, derived from the state of its legs by a pure function.
//!
//! Nothing else in the exchange sends lamps, prompts, soft keys, tones, call states or media orders: call control
//! changes states and names the transition, `difference` sends what a phone has not been told yet.

mod buttons;
mod difference;
mod idle;
mod info;
mod keys;
mod media;
mod remote;
mod ring;
mod transition;

use alloc::{string::String, sync::Arc, vec::Vec};
use core::net::SocketAddr;

use selsius_site::FeatureCode;
use selsius_wire::{
    CallInformation, DisplayLabel, ForwardStatus, PhoneText,
    srtp::Keys,
    value::{CallState, LampMode, RingDuration, RingMode, SoftKeySetId, StimulusType, Tone},
};

pub use self::buttons::{ButtonStatus, Presence};
pub(crate) use self::{
    buttons::told_status,
    difference::{Idle, Messages, Teller, idle_keys, idle_prompt},
    idle::idle_text,
    transition::Transition,
};
pub use crate::call::Audio;
use crate::{
    arena::Handle,
    call::{Aim, Call, Leg, LegState, Phase, Purpose, Receive, Role},
    device::Device,
    dialplan,
    exchange::Exchange,
    feature::{call_codes, codes},
    language::translated,
    record::{EndCause, RedirectKind},
};

/// The face of a phone. The default is an idle one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Is the speaker (or handset) path on?
    pub speaker: bool,
    /// What rings.
    pub ring: Option<Ring>,
    /// The lamps that are not off, in order.
    pub lamps: Vec<Lamp>,
    /// The states of buttons that are not at rest, in the order of the buttons.
    pub buttons: Vec<ButtonStatus>,
    /// The states of numbers in call lists, in the order in which the phone asked for them.
    pub presence: Vec<Presence>,
    /// What is to be heard; a phone plays one tone at a time.
    pub tone: Option<CallTone>,
    /// Where lines forward their calls, those that do.
    pub forwards: Vec<ForwardStatus>,
    /// What is written while there is no call; empty is "Your current options".
    pub idle_prompt: PhoneText,
    /// The line in the foreground.
    pub active_line: Option<u32>,
    /// The calls, in the order in which they came.
    pub legs: Vec<LegView>,
}

/// A lamp of a button that is not off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lamp {
    /// What kind of button.
    pub button: StimulusType,
    /// Which of that kind, from 1; 0 where there is only one.
    pub instance: u32,
    /// How it is lit.
    pub mode: LampMode,
}

/// A ringing line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    /// How it sounds.
    pub mode: RingMode,
    /// How often.
    pub duration: RingDuration,
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
    /// Is it another phone's call on a line that both have?
    pub remote: bool,
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
    /// Is it recorded?
    pub recorded: bool,
    /// The receive channel that should be open.
    pub receive: Option<Channel>,
    /// Where audio should be sent.
    pub transmit: Option<(Channel, SocketAddr)>,
    /// The group address that is listened to or spoken to.
    pub multicast: Option<Multicast>,
}

/// A multicast stream as a phone is asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Multicast {
    /// The stream.
    pub channel: Channel,
    /// The group.
    pub group: SocketAddr,
    /// Does the phone speak there? Else it listens.
    pub speaks: bool,
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
    /// The keys, if it is encrypted.
    pub keys: Option<Keys>,
}

/// What a phone should show and do. What is the same in `told` is taken from there instead of made anew; the result
/// does not depend on it.
pub(crate) fn render(exchange: &Exchange, handle: Handle<Device>, told: &View) -> View {
    let mut view = View::default();
    let Some(device) = exchange.devices.get(handle) else { return view };
    view.legs.reserve_exact(device.legs.len());
    for &handle in &device.legs {
        let Some(leg) = exchange.legs.get(handle) else { continue };
        let Some(call) = exchange.calls.get(leg.call) else { continue };
        let off_hook = leg.state.is_off_hook();
        view.speaker |= off_hook;
        let lamp = match leg.state {
            LegState::RingIn => LampMode::Blink,
            LegState::Held => LampMode::Wink,
            _ => LampMode::On,
        };
        light(&mut view.lamps, leg.line(), lamp);
        if off_hook {
            view.active_line = Some(leg.line());
        }
        let told = told.legs.iter().find(|told| told.reference == leg.reference);
        let (leg_view, tone) = leg_view(exchange, device, handle, leg, call, told);
        if let Some(tone) = tone {
            view.tone = Some(CallTone { tone, line: leg.line(), reference: leg.reference });
        }
        view.legs.push(leg_view);
    }
    if device.ready {
        remote::render(exchange, handle, device, &mut view, told);
        idle::render(exchange, device, &mut view);
        buttons::render(exchange, device, &mut view);
        buttons::render_presence(exchange, device, &mut view);
    }
    ring::render(exchange, device, &mut view);
    view.lamps.sort_unstable();
    // A key may be lit for two reasons.
    view.lamps.dedup_by_key(|lamp| (lamp.button, lamp.instance));
    view
}

/// Lights the lamp of a line. What asks for attention is shown before what is just so.
fn light(lamps: &mut Vec<Lamp>, line: u32, mode: LampMode) {
    let rank = |mode: LampMode| match mode {
        LampMode::Blink => 3,
        LampMode::On => 2,
        LampMode::Wink => 1,
        _ => 0,
    };
    let button = StimulusType::Line;
    match lamps.iter_mut().find(|lamp| (lamp.button, lamp.instance) == (button, line)) {
        Some(lamp) if rank(lamp.mode) >= rank(mode) => {}
        Some(lamp) => lamp.mode = mode,
        None => lamps.push(Lamp { button, instance: line, mode }),
    }
}

fn leg_view(
    exchange: &Exchange,
    device: &Device,
    handle: Handle<Leg>,
    leg: &Leg,
    call: &Call,
    told: Option<&LegView>,
) -> (LegView, Option<Tone>) {
    let Looks { state, keys, prompt, tone } = looks(exchange, device, handle, leg, call);
    let prompt = translated(prompt, device.language);
    let dialed = call.started.is_some() && leg.role == Role::Caller && !call.dialed.is_empty();
    let channel = |keys: Option<Keys>| {
        leg.audio.map(|audio| Channel { conference: call.conference, party: leg.party, audio, keys })
    };
    let secrets = leg.secured.map(|secured| secured.keys);
    let remote = match &leg.anchor {
        Some(anchor) => anchor.listens(),
        None => match exchange.peer(handle).and_then(|peer| exchange.legs.get(peer)).map(|peer| peer.receive)
        {
            Some(Receive::Open(address)) => Some(address),
            _ => None,
        },
    };
    let view = LegView {
        line: leg.line(),
        reference: leg.reference,
        remote: false,
        state,
        keys,
        mask: device.soft_keys.mask(keys, |key| keys::makes_sense(exchange, device, handle, leg, call, key)),
        prompt,
        info: call.started.is_some().then(|| {
            let told = told.and_then(|told| told.info.as_ref());
            let told = told.filter(|info| info::still_holds(exchange, info, leg, call));
            told.map_or_else(|| Arc::new(info::call_information(exchange, leg, call)), Arc::clone)
        }),
        dialed: dialed.then(|| call.dialed.clone()),
        recorded: exchange.is_recorded(handle, call),
        receive: channel(secrets.map(|keys| keys.hears)).filter(|_| leg.receive != Receive::Closed),
        transmit: channel(secrets.map(|keys| keys.sends)).zip(remote).filter(|_| !leg.one_way),
        multicast: multicast(leg, call),
    };
    (view, tone)
}

/// The group address of a page.
fn multicast(leg: &Leg, call: &Call) -> Option<Multicast> {
    let (group, audio) = call.page?.multicast.filter(|_| leg.state == LegState::Connected)?;
    // One key for all who listen is nothing that phones were seen to be told.
    let channel = Channel { conference: call.conference, party: leg.party, audio, keys: None };
    Some(Multicast { channel, group, speaks: leg.role == Role::Caller })
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
fn looks(exchange: &Exchange, device: &Device, handle: Handle<Leg>, leg: &Leg, call: &Call) -> Looks {
    use DisplayLabel as Label;
    let label = PhoneText::label;
    let quirks = device.quirks;
    // What a consultation is for decides its keys (call-flows: sets 9, 5 and 7).
    let consults = leg.consults.filter(|consults| exchange.legs.get(consults.waits).is_some());
    let set = |plain: SoftKeySetId| match consults.map(|consults| consults.aim) {
        None => plain,
        Some(_) if plain == SoftKeySetId::OffHook => SoftKeySetId::OffHookWithFeatures,
        Some(Aim::Transfer) => SoftKeySetId::ConnectedTransferable,
        Some(Aim::Conference) => SoftKeySetId::ConnectedConference,
    };
    let asks = match call.purpose {
        Purpose::Talk => None,
        Purpose::Feature(feature) => Some(codes::question(feature)),
        Purpose::Code(demand) => Some(call_codes::question(demand)),
        Purpose::Pin => Some(label(Label::PleaseEnterPin)),
    };
    let (state, keys, prompt, tone) = match leg.state {
        LegState::DialTone | LegState::Dialing if asks.is_some() => {
            let tone = match call.purpose {
                _ if leg.state == LegState::Dialing => None,
                // call-flows, forward.
                Purpose::Feature(FeatureCode::ForwardAll) => Some(Tone::Zip),
                _ => Some(Tone::InsideDialTone),
            };
            (CallState::OffHook, SoftKeySetId::DigitsFollowing, asks.unwrap_or_default(), tone)
        }
        LegState::DialTone => (
            CallState::OffHook,
            set(SoftKeySetId::OffHook),
            label(Label::EnterNumber),
            Some(Tone::InsideDialTone),
        ),
        LegState::Dialing => {
            (CallState::OffHook, SoftKeySetId::DigitsFollowing, label(Label::EnterNumber), None)
        }
        LegState::Proceeding => {
            (CallState::Proceed, SoftKeySetId::DigitsFollowing, label(Label::EnterNumber), None)
        }
        LegState::RingOut => {
            let state = if quirks.no_ring_out { CallState::Proceed } else { CallState::RingOut };
            let tone = (!call.early).then_some(Tone::AlertingTone);
            (state, set(SoftKeySetId::RingOut), label(Label::RingOut), tone)
        }
        LegState::RingIn => (CallState::RingIn, SoftKeySetId::RingIn, from_caller(exchange, call), None),
        LegState::Answering => (CallState::OffHook, SoftKeySetId::RingIn, from_caller(exchange, call), None),
        LegState::Connected => {
            let prompt = match call.phase {
                Phase::Paging => Label::Paging,
                _ if leg.one_way => Label::Whisper,
                _ if leg.guest_of.is_some() => Label::Barge,
                _ if exchange.is_recorded(handle, call) => Label::Recording,
                _ if exchange.is_conference(call) => Label::Conference,
                _ => Label::Connected,
            };
            let state = if leg.one_way { CallState::Whisper } else { CallState::Connected };
            (state, set(SoftKeySetId::Connected), label(prompt), None)
        }
        LegState::Held => match exchange.consultation_of(device, handle) {
            Some(Aim::Transfer) => {
                (CallState::CallTransfer, SoftKeySetId::OnHold, label(Label::CallTransfer), None)
            }
            Some(Aim::Conference) | None => (CallState::Hold, SoftKeySetId::OnHold, label(Label::Hold), None),
        },
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
        EndCause::NoTrunk | EndCause::Overload => {
            (CallState::Congestion, label(Label::HighTrafficTryAgainLater), Tone::ReorderTone)
        }
        EndCause::Unregistered
        | EndCause::Transferred
        | EndCause::Joined
        | EndCause::Dropped
        | EndCause::MediaFailure
        | EndCause::PhoneLost
        | EndCause::CallerHungUp
        | EndCause::CalledHungUp
        | EndCause::Shutdown
        | EndCause::Interrupted => (CallState::Congestion, label(Label::TempFail), Tone::ReorderTone),
    }
}

/// "From 1003" (4.1 capture, frame 134), or why else the phone rings.
fn from_caller(exchange: &Exchange, call: &Call) -> PhoneText {
    if call.phase == Phase::Callback {
        return PhoneText::from(alloc::format!("CallBack: {} is free", call.called.number));
    }
    if call.redirections.last().is_some_and(|last| last.kind == RedirectKind::ParkReturn) {
        return PhoneText::label(DisplayLabel::CallparkReversion)
            .then_text(alloc::format!(" {}", call.calling.number));
    }
    let from = PhoneText::label(DisplayLabel::From);
    if call.calling.restricted {
        return from.then_label(DisplayLabel::Private);
    }
    from.then_text(dialplan::national(exchange.site.settings.tones, call.shown_calling()))
}
