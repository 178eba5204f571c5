//! What the buttons beside the display do.

use selsius_site::{Feature, FeatureCode, SoftKey};
use selsius_wire::Time;

use crate::{
    arena::Handle,
    device::{Device, Does},
    exchange::{Exchange, Timer},
};

impl Exchange {
    /// A button that is no line was pressed.
    pub(crate) fn press_button(&mut self, now: Time, device: Handle<Device>, does: &Does) {
        match does {
            Does::Dial(number) | Does::Page(number) => self.dial_number(now, device, number.as_str()),
            Does::Watch(number) => self.press_busy_lamp(now, device, number),
            Does::Feature(feature) => self.feature_button(now, device, *feature),
            Does::Intercom(number) => {
                self.begin_feature(now, device, FeatureCode::Intercom, number.as_str());
            }
            Does::ParkSlot(slot) => self.park_button(now, device, slot),
        }
    }

    /// A button of a feature. Most are soft keys as well.
    pub(crate) fn feature_button(&mut self, now: Time, device: Handle<Device>, feature: Feature) {
        let key = match feature {
            Feature::Park => SoftKey::Park,
            Feature::Pickup => SoftKey::Pickup,
            Feature::GroupPickup => SoftKey::GroupPickup,
            Feature::DoNotDisturb => SoftKey::DoNotDisturb,
            Feature::ForwardAll => SoftKey::ForwardAll,
            Feature::Callback => SoftKey::Callback,
            Feature::Conference => SoftKey::Conference,
            Feature::Transfer => SoftKey::Transfer,
            Feature::Redial => SoftKey::Redial,
            Feature::Hold => self.hold_or_resume(device),
            Feature::MeetMe => SoftKey::MeetMe,
            Feature::DirectedPickup => {
                return self.ask_number(now, device, 0, FeatureCode::DirectedPickup);
            }
            Feature::Privacy => return self.toggle_privacy(now, device),
            Feature::HuntLogin => return self.hunt_toggle(now, device),
            Feature::Voicemail => return self.call_voicemail(now, device),
            Feature::Record => return self.record_button(now, device),
            Feature::Mobility => return self.mobility_key(now, device),
        };
        self.soft_key_meaning(now, device, key, 0, 0);
    }

    /// Holds the conversation; without one, takes up the call that waits longest.
    fn hold_or_resume(&self, device: Handle<Device>) -> SoftKey {
        if self.active_leg(device).is_none() { SoftKey::Resume } else { SoftKey::Hold }
    }

    /// Begins a feature as if its code had been dialled, and after it `argument`.
    pub(crate) fn begin_feature(
        &mut self,
        now: Time,
        device: Handle<Device>,
        feature: FeatureCode,
        argument: &str,
    ) {
        let Some(leg) = self.leg_to_dial(now, device) else { return };
        if let Some(call) = self.legs.get(leg).map(|leg| leg.call) {
            self.timers.cancel(Timer::Digits(call));
        }
        self.feature_code(now, leg, feature, argument);
    }
}
