//! Which soft keys make sense at a moment. What makes none is hidden, and refused if it comes all the same.

use selsius_site::SoftKey as Key;

use crate::{
    arena::Handle,
    call::{Call, Leg, LegState, Phase},
    device::Device,
    exchange::Exchange,
};

/// For a call of this phone.
pub(super) fn makes_sense(
    exchange: &Exchange,
    device: &Device,
    handle: Handle<Leg>,
    leg: &Leg,
    call: &Call,
    key: Key,
) -> bool {
    let consults = leg.consults.is_some();
    if call.phase == Phase::Parked {
        // There is nobody to talk to.
        return matches!(key, Key::Redial | Key::NewCall | Key::Hold | Key::EndCall | Key::Resume);
    }
    // Who only listens, or is only listened to, has nothing to put aside.
    if call.phase == Phase::Paging || leg.one_way {
        return key == Key::EndCall;
    }
    match key {
        Key::Redial
        | Key::NewCall
        | Key::Hold
        | Key::EndCall
        | Key::Resume
        | Key::Answer
        | Key::Backspace => true,
        Key::Transfer if consults => match leg.state {
            LegState::RingOut => matches!(call.phase, Phase::Ringing | Phase::Queued),
            state => state == LegState::Connected,
        },
        Key::Transfer | Key::Conference | Key::Park | Key::Join | Key::DirectTransfer | Key::Select
            if leg.guest_of.is_some() =>
        {
            false
        }
        Key::Transfer => call.phase == Phase::Talking,
        Key::Conference if consults => leg.state == LegState::Connected,
        Key::Conference => call.legs.len() < exchange.largest_conference(),
        Key::ConferenceList => exchange.is_conference(call),
        Key::Select | Key::Join | Key::DirectTransfer => device.legs.iter().any(|&other| {
            other != handle && exchange.legs.get(other).is_some_and(|other| other.state == LegState::Held)
        }),
        Key::PrivateHold => exchange.is_shared(leg),
        Key::Park => exchange.can_park(leg, call),
        Key::Pickup => exchange.pickup_group(leg.device(), leg.line()).is_some(),
        Key::GroupPickup => {
            exchange.pickup_group(leg.device(), leg.line()).is_some_and(|group| !group.others.is_empty())
        }
        Key::Callback => exchange.callback_target(leg, call).is_some(),
        Key::ForwardAll => !consults,
        Key::DoNotDisturb => true,
        Key::Divert => exchange.can_divert(handle),
        Key::Record => exchange.may_record(leg, call) && leg.record != Some(true),
        Key::StopRecording => exchange.may_record(leg, call) && leg.record == Some(true),
        Key::MeetMe => leg.state == LegState::DialTone && exchange.has_rooms(),
        Key::Barge | Key::ConferenceBarge | Key::Intercom | Key::Dial => false,
    }
}

/// For a call of another phone on a line that this one has too.
pub(super) fn makes_sense_remote(exchange: &Exchange, leg: &Leg, call: &Call, key: Key) -> bool {
    match key {
        Key::Resume => leg.state == LegState::Held && !exchange.is_closed(leg),
        Key::NewCall => true,
        Key::Barge | Key::ConferenceBarge => {
            leg.state == LegState::Connected && call.phase == Phase::Talking && !exchange.is_closed(leg)
        }
        _ => false,
    }
}

/// On an idle phone.
pub(crate) fn makes_sense_idle(key: Key) -> bool {
    matches!(
        key,
        Key::Redial
            | Key::NewCall
            | Key::ForwardAll
            | Key::Pickup
            | Key::GroupPickup
            | Key::DoNotDisturb
            | Key::MeetMe
    )
}
