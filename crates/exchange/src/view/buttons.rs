//! The states of buttons: what busy lamps and feature buttons show.

use selsius_site::Feature;
use selsius_wire::value::{ButtonType, LampMode, StimulusType};

use super::{Lamp, View};
use crate::{
    device::{Device, Does, Key},
    exchange::Exchange,
    feature::{busy_lamp::Watched, presence::Subscription},
};

/// The state of a button that FeatureStat tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ButtonStatus {
    /// What kind of button.
    pub button: ButtonType,
    /// Its number.
    pub instance: u32,
    /// Its state. Busy lamps: 0 unknown, 1 idle, 2 in use, 3 does not want to be disturbed, 4 rings (implementations
    /// agree on these; no capture has one). Others: 1 on.
    pub status: u32,
}

/// The state of a number in a call list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// How the phone names its subscription.
    pub transaction: u32,
    /// Its state, as that of a busy lamp in [`ButtonStatus`].
    pub status: u32,
}

/// The state of a busy lamp of which nothing is to be told.
const IDLE: u32 = 1;

/// Adds the states of a phone's buttons to its face, those at rest left out.
pub(super) fn render(exchange: &Exchange, device: &Device, view: &mut View) {
    for key in &device.buttons.keys {
        let (status, mode) = state(exchange, device, key);
        if key.kind != ButtonType::SpeedDial && device.buttons.tells_states {
            if status != at_rest(key) {
                view.buttons.push(ButtonStatus { button: key.kind, instance: key.instance, status });
            }
        } else if mode != LampMode::Off {
            // The kind of a button and its stimulus have the same number.
            let button = StimulusType::from(u32::from(key.kind));
            view.lamps.push(Lamp { button, instance: key.instance, mode });
        }
    }
}

/// Adds the states of the numbers in a phone's call lists to its face.
pub(super) fn render_presence(exchange: &Exchange, device: &Device, view: &mut View) {
    let one = |subscription: &Subscription| Presence {
        transaction: subscription.transaction,
        status: look(exchange.watched(&subscription.number)).0,
    };
    view.presence.extend(device.subscriptions.iter().map(one));
}

/// What a phone was last told of a button.
pub(crate) fn told_status(device: &Device, key: &Key) -> u32 {
    status_in(device.told.as_deref(), key)
}

/// The state of a button in a view.
pub(super) fn status_in(view: Option<&View>, key: &Key) -> u32 {
    let mut all = view.into_iter().flat_map(|view| &view.buttons);
    let found = all.find(|status| (status.button, status.instance) == (key.kind, key.instance));
    found.map_or_else(|| at_rest(key), |found| found.status)
}

fn at_rest(key: &Key) -> u32 {
    match key.does {
        Does::Watch(_) => IDLE,
        _ => 0,
    }
}

/// A button's state, as FeatureStat tells it and as a lamp shows it.
fn state(exchange: &Exchange, device: &Device, key: &Key) -> (u32, LampMode) {
    let on = match &key.does {
        Does::Watch(number) => return look(exchange.watched(number)),
        Does::Feature(feature) => is_on(exchange, device, *feature),
        Does::ParkSlot(slot) => exchange.parked_at(slot),
        Does::Dial(_) | Does::Intercom(_) | Does::Page(_) => false,
    };
    if on { (1, LampMode::On) } else { (0, LampMode::Off) }
}

fn look(watched: Watched) -> (u32, LampMode) {
    match watched {
        Watched::Unregistered => (0, LampMode::Off),
        Watched::Idle => (IDLE, LampMode::Off),
        Watched::InUse => (2, LampMode::On),
        Watched::Held => (2, LampMode::Wink),
        Watched::DoNotDisturb => (3, LampMode::Flash),
        Watched::Rings => (4, LampMode::Blink),
    }
}

fn is_on(exchange: &Exchange, device: &Device, feature: Feature) -> bool {
    let states = || device.buttons.lines.iter().map(|line| exchange.line_state(&line.number));
    match feature {
        Feature::Privacy => exchange.has_privacy(device),
        Feature::DoNotDisturb => states().any(|line| line.do_not_disturb),
        Feature::ForwardAll => states().any(|line| line.forwards.all.is_some()),
        Feature::Voicemail => states().any(|line| line.messages.new > 0),
        Feature::HuntLogin => exchange.is_hunted(device),
        Feature::Record => exchange.records(device),
        Feature::Mobility => exchange.device_state(&device.name).user.is_some(),
        Feature::Park
        | Feature::Pickup
        | Feature::GroupPickup
        | Feature::DirectedPickup
        | Feature::Callback
        | Feature::Conference
        | Feature::Transfer
        | Feature::Hold
        | Feature::Redial
        | Feature::MeetMe => false,
    }
}
