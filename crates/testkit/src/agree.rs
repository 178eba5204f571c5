//! Does a phone show what the exchange thinks it shows?

use selsius_exchange::view::View;
use selsius_station::Face;
use selsius_wire::value::{ButtonType, LampMode, RingMode, SoftKeySetId};

use crate::bed::Phone;

/// The first difference between a phone and the exchange's view of it.
pub(crate) fn disagreement(phone: &Phone, view: &View) -> Option<String> {
    let face = phone.station.face();
    for button in face.lines.iter().filter(|button| button.kind == ButtonType::Line) {
        let wanted =
            view.lamps.iter().find(|(line, _)| *line == button.instance).map_or(LampMode::Off, |lamp| lamp.1);
        if button.lamp != wanted {
            return Some(format!("lamp of line {} is {:?}, not {wanted:?}", button.instance, button.lamp));
        }
    }
    let mut shown: Vec<_> = face.calls.iter().map(|call| (call.reference, call.line, call.state)).collect();
    let mut wanted: Vec<_> = view.legs.iter().map(|leg| (leg.reference, leg.line, leg.state)).collect();
    shown.sort_unstable();
    wanted.sort_unstable();
    if shown != wanted {
        return Some(format!("calls are {shown:?}, not {wanted:?}"));
    }
    let rings = face.ringing.is_some_and(|mode| mode != RingMode::Off);
    if rings != view.ring.is_some() {
        return Some(format!("rings: {rings}, wanted {:?}", view.ring));
    }
    if view.speaker && face.path().is_none() {
        return Some("neither handset nor speaker is on in a call".into());
    }
    let tone = view.tone.map(|tone| tone.tone);
    if face.tone != tone {
        return Some(format!("tone is {:?}, not {tone:?}", face.tone));
    }
    media(phone, view).or_else(|| text(&face, view))
}

fn media(phone: &Phone, view: &View) -> Option<String> {
    let mut wanted: Vec<_> = view.legs.iter().filter_map(|leg| Some(leg.receive?.party)).collect();
    wanted.sort_unstable();
    let shown: Vec<_> = phone.receiving.iter().copied().collect();
    if shown != wanted {
        return Some(format!("listens to streams {shown:?}, not {wanted:?}"));
    }
    let mut wanted: Vec<_> =
        view.legs.iter().filter_map(|leg| leg.transmit.map(|(c, to)| (c.party, to))).collect();
    wanted.sort_unstable();
    let shown: Vec<_> = phone.transmitting.iter().map(|(&party, &to)| (party, to)).collect();
    (shown != wanted).then(|| format!("sends {shown:?}, not {wanted:?}"))
}

/// Texts and keys, which belong to the one call under the cursor.
fn text(face: &Face, view: &View) -> Option<String> {
    let (keys, prompt) = match &view.legs[..] {
        [] => (SoftKeySetId::OnHook, "Your current options".to_owned()),
        [leg] => (leg.keys, leg.prompt.to_plain()),
        _ => return None,
    };
    if face.prompt != prompt {
        return Some(format!("prompt is {:?}, not {prompt:?}", face.prompt));
    }
    let labels: Vec<_> =
        face.soft_keys.iter().map(String::as_str).filter(|label| !label.is_empty()).collect();
    let wanted = labels_of(keys);
    (labels != wanted).then(|| format!("soft keys are {labels:?}, not {wanted:?}"))
}

/// What the exchange's sets show, as a person reads them.
fn labels_of(keys: SoftKeySetId) -> &'static [&'static str] {
    match u32::from(keys) {
        0 => &["Redial", "NewCall"],
        3 => &["Answer"],
        4 => &["Redial", "EndCall"],
        6 => &["<<", "EndCall"],
        1 | 8 => &["EndCall"],
        _ => &[],
    }
}
