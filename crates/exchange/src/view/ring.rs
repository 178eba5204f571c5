//! How a phone rings: by the site's word for the line, whether the phone is in use, and whether anybody may disturb.

use selsius_site::{ActiveRing, Ring as Wanted};
use selsius_wire::value::{RingDuration, RingMode, Tone};

use super::{CallTone, Ring, View};
use crate::{
    call::{Call, Leg, LegState},
    device::Device,
    exchange::Exchange,
};

/// What is heard of a call that comes in.
enum Sound {
    Ring(RingMode, RingDuration),
    Beep,
    Nothing,
}

/// Adds ring or call waiting tone: of the first call that is to be heard, else of the first that only lights a lamp.
pub(super) fn render(exchange: &Exchange, device: &Device, view: &mut View) {
    let legs = device.legs.iter().filter_map(|&leg| exchange.legs.get(leg));
    for leg in legs.filter(|leg| leg.state == LegState::RingIn && !leg.answers_itself) {
        let Some(call) = exchange.calls.get(leg.call) else { continue };
        let (line, reference) = (leg.line(), leg.reference);
        match sound(exchange, device, leg, call, view.speaker) {
            Sound::Ring(mode, duration) => {
                let heard = mode != RingMode::FlashOnly;
                if view.ring.is_none_or(|ring| heard && ring.mode == RingMode::FlashOnly) {
                    view.ring = Some(Ring { mode, duration, line, reference });
                }
            }
            Sound::Beep if view.tone.is_none() => {
                view.tone = Some(CallTone { tone: Tone::CallWaitingTone, line, reference });
            }
            Sound::Beep | Sound::Nothing => {}
        }
    }
    // A call on hold is called to mind, where nothing else is heard.
    let reminds = device.legs.iter().filter_map(|&leg| exchange.legs.get(leg));
    let mut reminds = reminds.filter(|leg| leg.reminds && leg.state == LegState::Held);
    if let (None, Some(leg)) = (view.tone, reminds.next()) {
        view.tone = Some(CallTone { tone: Tone::Zip, line: leg.line(), reference: leg.reference });
    }
}

fn sound(exchange: &Exchange, device: &Device, leg: &Leg, call: &Call, in_use: bool) -> Sound {
    let number = device.appearance(leg.line()).map(|line| &line.number);
    let line = number.and_then(|number| exchange.site.lines.get(number));
    let (idle, active) = line.map(|line| (line.ring, line.ring_active)).unwrap_or_default();
    let quiet = !call.emergency && number.is_some_and(|number| exchange.is_quiet(number));
    let ring = match idle {
        _ if quiet => (RingMode::FlashOnly, RingDuration::Normal),
        Wanted::Normal => (RingMode::Inside, RingDuration::Normal),
        Wanted::Silent => (RingMode::FlashOnly, RingDuration::Normal),
        Wanted::Once => (RingMode::Inside, RingDuration::Single),
        Wanted::Feature => (RingMode::Feature, RingDuration::Normal),
    };
    match active {
        _ if !in_use => Sound::Ring(ring.0, ring.1),
        _ if quiet => Sound::Nothing,
        ActiveRing::Beep => Sound::Beep,
        ActiveRing::Silent => Sound::Nothing,
        ActiveRing::Normal => Sound::Ring(ring.0, ring.1),
    }
}
