//! What a phone shows of its lines while nothing is going on: forwarding, do not disturb, waiting messages.

use alloc::{format, vec::Vec};

use selsius_site::FeatureCode;
use selsius_wire::{
    DisplayLabel, ForwardStatus, PhoneText,
    value::{LampMode, StimulusType},
};

use super::{Lamp, View};
use crate::{
    call::{LegState, Purpose},
    device::Device,
    exchange::Exchange,
    feature,
    remembered::LineState,
};

/// Instances count per kind of button from 1 (2.x capture, frame 19); these are there once.
const ONLY: u32 = 1;
/// The lamp of the handset. Those of the lines have the line's instance.
const HANDSET: u32 = 0;

/// Adds it to the phone's face.
pub(super) fn render(exchange: &Exchange, device: &Device, view: &mut View) {
    view.idle_prompt = prompt(exchange, device).unwrap_or_default();
    let asks = asks_for_forward(exchange, device);
    // Mostly no line of the phone remembers anything.
    let states: Vec<_> = states(exchange, device).collect();
    if states.is_empty() && !asks {
        return;
    }
    view.forwards =
        device.buttons.lines.iter().filter_map(|line| forwards_of(exchange, device, line.instance)).collect();
    let mut lamp = |button, instance, mode| view.lamps.push(Lamp { button, instance, mode });
    if asks {
        lamp(StimulusType::ForwardAll, ONLY, LampMode::Flash);
    } else if states.iter().any(|(_, state)| state.forwards.all.is_some()) {
        lamp(StimulusType::ForwardAll, ONLY, LampMode::On);
    }
    if states.iter().any(|(_, state)| state.do_not_disturb) {
        lamp(StimulusType::DoNotDisturb, ONLY, LampMode::On);
    }
    let mut waiting = states.iter().filter(|(_, state)| state.messages.new > 0).peekable();
    if waiting.peek().is_some() {
        lamp(StimulusType::VoiceMail, HANDSET, LampMode::On);
    }
    for (line, _) in waiting {
        lamp(StimulusType::VoiceMail, *line, LampMode::On);
    }
}

/// Where a line of the phone forwards its calls, if it does.
fn forwards_of(exchange: &Exchange, device: &Device, line: u32) -> Option<ForwardStatus> {
    let number = &device.appearance(line)?.number;
    let forwards = &exchange.line_states.get(number)?.forwards;
    let [all, busy, no_answer] = [&forwards.all, &forwards.busy, &forwards.no_answer]
        .map(|to| to.as_ref().map(|to| to.as_str().into()));
    let status = ForwardStatus { line, all, busy, no_answer };
    let none = ForwardStatus { line, ..ForwardStatus::default() };
    (status != none).then_some(status)
}

/// What stands at the foot of an idle phone's display: "Your current options" (4.1 capture, frame 102), or what is
/// more important. Nothing comes at all while it is forwarded, so that is said first.
pub(crate) fn idle_text(exchange: &Exchange, device: &Device) -> PhoneText {
    prompt(exchange, device).unwrap_or_else(usual)
}

pub(super) fn usual() -> PhoneText {
    PhoneText::label(DisplayLabel::YourCurrentOptions)
}

fn prompt(exchange: &Exchange, device: &Device) -> Option<PhoneText> {
    let states = || states(exchange, device).map(|(_, state)| state);
    if let Some(to) = states().find_map(|state| state.forwards.all.as_ref()) {
        return Some(feature::forwarded_to(to));
    }
    if states().any(|state| state.do_not_disturb) {
        return Some(PhoneText::label(DisplayLabel::DoNotDisturbIsActive));
    }
    if exchange.is_out_of_hunting(device) {
        return Some(PhoneText::label(DisplayLabel::LoggedOutOfHuntGroup));
    }
    let new = states().fold(0_u32, |new, state| new.saturating_add(state.messages.new));
    (new > 0).then(|| PhoneText::label(DisplayLabel::YouHaveVoicemail).then_text(format!(" ({new})")))
}

/// What the phone's lines remember, for those that remember anything.
fn states<'a>(
    exchange: &'a Exchange,
    device: &'a Device,
) -> impl Iterator<Item = (u32, &'a LineState)> + Clone {
    let lines = device.buttons.lines.iter().filter(|_| !exchange.line_states.is_empty());
    lines.filter_map(|line| Some((line.instance, exchange.line_states.get(&line.number)?)))
}

/// Does the phone ask where to forward all calls?
fn asks_for_forward(exchange: &Exchange, device: &Device) -> bool {
    device.legs.iter().filter_map(|&leg| exchange.legs.get(leg)).any(|leg| {
        matches!(leg.state, LegState::DialTone | LegState::Dialing)
            && exchange
                .calls
                .get(leg.call)
                .is_some_and(|call| call.purpose == Purpose::Feature(FeatureCode::ForwardAll))
    })
}
