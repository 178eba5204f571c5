//! Shared lines: what one phone shows of the calls that others have on a line of its own.

use alloc::sync::Arc;

use selsius_wire::{
    CallInformation, DisplayLabel, PhoneText,
    value::{CallState, LampMode, SoftKeySetId},
};

use super::{
    LegView, View,
    info::{call_information, call_type, still_holds},
    keys, light,
};
use crate::{
    arena::Handle,
    call::{Leg, LegState},
    device::Device,
    exchange::Exchange,
};

/// Adds the calls of the others to a phone's face: "In use remote", or on hold and free to be taken (call-flows: states
/// 13 and 17, prompt "In Use Remote").
pub(super) fn render(
    exchange: &Exchange,
    handle: Handle<Device>,
    device: &Device,
    view: &mut View,
    told: &View,
) {
    for appearance in &device.buttons.lines {
        for (_, leg) in exchange.remote_legs(handle, appearance.instance) {
            let Some(call) = exchange.calls.get(leg.call) else { continue };
            let held = leg.state == LegState::Held && !exchange.is_closed(leg);
            let line = appearance.instance;
            light(&mut view.lamps, line, if held { LampMode::Wink } else { LampMode::On });
            let (state, keys, prompt) = if held {
                (device.remote_hold(), SoftKeySetId::OnHold, DisplayLabel::Hold)
            } else {
                (CallState::CallRemoteMultiline, SoftKeySetId::InUseHint, DisplayLabel::InUseRemote)
            };
            let known = told.legs.iter().find(|told| told.reference == leg.reference);
            let info = call.started.is_some().then(|| {
                if exchange.is_hidden(leg) {
                    return Arc::new(nobody(line, leg));
                }
                let known = known.and_then(|told| told.info.as_ref());
                let known = known.filter(|info| info.line == line && still_holds(exchange, info, leg, call));
                let anew = || {
                    let mut info = call_information(exchange, leg, call);
                    info.line = line;
                    Arc::new(info)
                };
                known.map_or_else(anew, Arc::clone)
            });
            view.legs.push(LegView {
                line,
                reference: leg.reference,
                remote: true,
                state,
                keys,
                mask: device.soft_keys.mask(keys, |key| keys::makes_sense_remote(exchange, leg, call, key)),
                prompt: PhoneText::label(prompt),
                info,
                dialed: None,
                recorded: false,
                receive: None,
                transmit: None,
                multicast: None,
            });
        }
    }
}

/// Who talks to whom is nobody else's business.
fn nobody(line: u32, leg: &Leg) -> CallInformation {
    CallInformation {
        line,
        call: leg.reference,
        call_type: call_type(leg),
        call_instance: 1,
        ..CallInformation::default()
    }
}
