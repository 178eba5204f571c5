//! Does a phone show what the exchange thinks it shows?

use selsius_exchange::{Exchange, view::View};
use selsius_site::DeviceName;
use selsius_station::{ButtonFace, Face};
use selsius_wire::value::{ButtonType, LampMode, RingDuration, RingMode, StimulusType, Tone};

use crate::bed::Phone;

/// The first difference between a phone and the exchange's view of it.
pub fn disagreement(phone: &Phone, exchange: &Exchange, name: &DeviceName, view: &View) -> Option<String> {
    let face = phone.station.face();
    if let Some(what) = face.lines.iter().find_map(|button| lit(button, view)) {
        return Some(what);
    }
    for button in face.lines.iter().filter(|button| button.kind == ButtonType::Line) {
        let forwards = view.forwards.iter().find(|status| status.line == button.instance);
        let wanted = forwards.and_then(|status| status.all.as_deref()).unwrap_or_default();
        if button.forward_all != wanted {
            return Some(format!(
                "line {} goes to {:?}, not {wanted:?}",
                button.instance, button.forward_all
            ));
        }
    }
    let waiting = lamp(view, StimulusType::VoiceMail, 0);
    if face.message_lamp != waiting {
        return Some(format!("message lamp is {:?}, not {waiting:?}", face.message_lamp));
    }
    let mut shown: Vec<_> = face.calls.iter().map(|call| (call.reference, call.line, call.state)).collect();
    let mut wanted: Vec<_> = view.legs.iter().map(|leg| (leg.reference, leg.line, leg.state)).collect();
    shown.sort_unstable();
    wanted.sort_unstable();
    if shown != wanted {
        return Some(format!("calls are {shown:?}, not {wanted:?}"));
    }
    let rings = face.ringing.is_some_and(|mode| mode != RingMode::Off);
    // What rings once only has stopped by itself, some time.
    let once = view.ring.is_some_and(|ring| ring.duration == RingDuration::Single);
    if rings != view.ring.is_some() && !once {
        return Some(format!("rings: {rings}, wanted {:?}", view.ring));
    }
    if view.speaker && face.path().is_none() {
        return Some("neither handset nor speaker is on in a call".into());
    }
    // A zip sounds once.
    let tone = view.tone.map(|tone| tone.tone).filter(|&tone| tone != Tone::Zip);
    if face.tone != tone {
        return Some(format!("tone is {:?}, not {tone:?}", face.tone));
    }
    media(phone, view).or_else(|| text(&face, exchange, name, view))
}

/// The lamp of a button, and its state.
fn lit(button: &ButtonFace, view: &View) -> Option<String> {
    let (kind, instance) = (button.kind, button.instance);
    // The kind of a button and its stimulus have the same number.
    let wanted = lamp(view, StimulusType::from(u32::from(kind)), instance);
    if button.lamp != wanted {
        return Some(format!("lamp of {kind:?} {instance} is {:?}, not {wanted:?}", button.lamp));
    }
    if button.label.is_empty() {
        // The template came so late, after a stall, that the phone no longer asked what is on the button.
        return None;
    }
    let told = view.buttons.iter().find(|status| (status.button, status.instance) == (kind, instance));
    let at_rest = u32::from(kind == ButtonType::BlfSpeedDial);
    let wanted = told.map_or(at_rest, |told| told.status);
    (button.status != wanted)
        .then(|| format!("state of {kind:?} {instance} is {}, not {wanted}", button.status))
}

fn media(phone: &Phone, view: &View) -> Option<String> {
    let multicast = |speaks: bool| {
        let streams = view.legs.iter().filter_map(|leg| leg.multicast);
        streams
            .filter(move |stream| stream.speaks == speaks)
            .map(|stream| (stream.channel.party, stream.group))
    };
    let groups: Vec<_> = phone.groups.iter().map(|(&party, &group)| (party, group)).collect();
    if groups != multicast(false).collect::<Vec<_>>() {
        return Some(format!("listens to groups {groups:?}"));
    }
    let opened = view.legs.iter().filter_map(|leg| Some(leg.receive?.party));
    let mut wanted: Vec<_> = opened.chain(multicast(false).map(|(party, _)| party)).collect();
    wanted.sort_unstable();
    let shown: Vec<_> = phone.receiving.keys().copied().collect();
    if shown != wanted {
        return Some(format!("listens to streams {shown:?}, not {wanted:?}"));
    }
    let sent = view.legs.iter().filter_map(|leg| leg.transmit.map(|(c, to)| (c.party, to)));
    let mut wanted: Vec<_> = sent.chain(multicast(true)).collect();
    wanted.sort_unstable();
    let shown: Vec<_> = phone.transmitting.iter().map(|(&party, &to)| (party, to)).collect();
    if shown != wanted {
        return Some(format!("sends {shown:?}, not {wanted:?}"));
    }
    let other_keys = view.legs.iter().find(|leg| {
        let hears = leg.receive.is_some_and(|it| phone.hears_by.get(&it.party) != Some(&it.keys));
        hears || leg.transmit.is_some_and(|(it, _)| phone.sends_by.get(&it.party) != Some(&it.keys))
    });
    other_keys.map(|leg| format!("has other keys in call {}", leg.reference))
}

fn lamp(view: &View, button: StimulusType, instance: u32) -> LampMode {
    let found = view.lamps.iter().find(|lamp| (lamp.button, lamp.instance) == (button, instance));
    found.map_or(LampMode::Off, |lamp| lamp.mode)
}

/// Texts and keys, which belong to the one call under the cursor.
fn text(face: &Face, exchange: &Exchange, name: &DeviceName, view: &View) -> Option<String> {
    let (leg, prompt) = match &view.legs[..] {
        [] if view.idle_prompt.is_empty() => (None, "Your current options".to_owned()),
        [] => (None, view.idle_prompt.to_plain()),
        [leg] if !leg.remote => (Some(leg), leg.prompt.to_plain()),
        _ => return None,
    };
    if face.prompt != prompt {
        return Some(format!("prompt is {:?}, not {prompt:?}", face.prompt));
    }
    let labels: Vec<_> =
        face.soft_keys.iter().map(String::as_str).filter(|label| !label.is_empty()).collect();
    let wanted = exchange.soft_keys(name, leg);
    (labels != wanted).then(|| format!("soft keys are {labels:?}, not {wanted:?}"))
}
