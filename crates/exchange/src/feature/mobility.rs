//! Extension mobility: somebody logs in on a phone and finds the own lines and buttons there. Who it is says the number of
//! the user's first line, that it is so says the PIN.
//!
//! The PIN is kept apart from what is dialled, since that is shown to operators and recorded.

use alloc::{borrow::Cow, collections::BTreeMap, format, string::String, vec::Vec};
use core::time::Duration;

use selsius_site::{Device as Phone, DeviceName, FeatureCode, LineNumber, Name, Secret, User};
use selsius_wire::{DisplayLabel, PhoneText, Time, value::ResetType};

use super::codes::as_number;
use crate::{
    arena::Handle,
    call::{Call, Leg, LegState, Purpose, seconds},
    device::{Buttons, Device, soft_keys},
    exchange::{Exchange, Timer},
    record::EndCause,
    remembered::DeviceState,
    view::Transition,
};

/// So many wrong PINs in a row are let pass.
const TRIES: u32 = 3;
/// How long a phone takes no PIN after that; each further wrong one doubles it.
const BACK_OFF: Duration = Duration::from_secs(60);
/// How often it is doubled at most: to an hour and four minutes.
const DOUBLINGS: u32 = 6;
/// The longest PIN of a site.
const LONGEST: usize = 10;

/// Wrong PINs on each phone of the site since the last right one.
pub(crate) type WrongPins = BTreeMap<DeviceName, Wrong>;

/// Wrong PINs on one phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrong {
    times: u32,
    /// Until then no PIN is taken.
    until: Time,
}

/// Somebody who logs in, while the PIN is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// The number that was entered. Whether it is anybody's is not told before the PIN.
    number: Option<LineNumber>,
    pin: Secret,
}

impl Exchange {
    /// The phone as it is to be used: with the buttons of who is logged in on it.
    pub(crate) fn as_used(&self, device: &DeviceName) -> Option<Cow<'_, Phone>> {
        let phone = self.site.devices.get(device)?;
        let user = self.device_states.get(device).and_then(|state| state.user.as_ref());
        Some(match user.and_then(|user| self.site.users.get(user)) {
            Some(user) => Cow::Owned(Phone { buttons: user.buttons.clone(), ..phone.clone() }),
            None => Cow::Borrowed(phone),
        })
    }

    /// The Mobility button: logs in, or out if somebody is logged in.
    pub(crate) fn mobility_key(&mut self, now: Time, device: Handle<Device>) {
        let Some(name) = self.devices.get(device).map(|device| device.name.clone()) else { return };
        if self.device_state(&name).user.is_some() {
            self.log_out(now, &name);
            self.notify(device, &logged_out());
        } else if !self.takes_logins(&name) {
            self.refuse_on(device, DisplayLabel::KeyIsNotActive, "log-in on a phone that takes none");
        } else {
            self.ask_number(now, device, 0, FeatureCode::Login);
        }
    }

    /// The number of who logs in is complete: the phone asks for the PIN.
    pub(crate) fn login_code(&mut self, now: Time, leg: Handle<Leg>, number: &str) {
        let Some(name) = self.name_of(leg) else { return };
        if !self.takes_logins(&name) {
            let label = DisplayLabel::KeyIsNotActive;
            return self.refuse_code(now, leg, label, "log-in on a phone that takes none");
        }
        if self.wrong_pins.get(&name).is_some_and(|wrong| wrong.until > now) {
            self.counters.refuse("log-in after too many wrong PINs");
            if let Some(device) = self.legs.get(leg).and_then(Leg::device) {
                self.notify(device, &PhoneText::from("Too many wrong PINs; try later"));
            }
            return self.fail(now, leg, EndCause::Blocked);
        }
        let Some(handle) = self.legs.get(leg).map(|leg| leg.call) else { return };
        let Some(call) = self.calls.get_mut(handle) else { return };
        call.purpose = Purpose::Pin;
        call.login = Some(Login { number: as_number(number), pin: Secret::default() });
        call.dialed.clear();
        self.timers.set(Timer::Digits(handle), now + seconds(self.site.settings.timers.first_digit));
        self.enter(now, leg, LegState::Dialing, Transition::Dialing);
    }

    /// Digits for a PIN; `#` ends it. `false` if the call asks for none.
    pub(crate) fn pin_digits(&mut self, now: Time, leg: Handle<Leg>, digits: &str) -> bool {
        let Some((handle, login)) = self.login_of(leg) else { return false };
        let mut pin = String::from(login.pin.as_str());
        for digit in digits.chars().filter(|&digit| digit != '#') {
            // One more than any PIN has is wrong, however many follow.
            if pin.len() <= LONGEST {
                pin.push(digit);
            }
        }
        login.pin = Secret::new(pin);
        if digits.ends_with('#') {
            self.pin_ends(now, leg);
        } else {
            self.timers.set(Timer::Digits(handle), now + seconds(self.site.settings.timers.inter_digit));
        }
        true
    }

    /// Takes the last digit of a PIN back. `false` if the call asks for none.
    pub(crate) fn take_back_pin_digit(&mut self, leg: Handle<Leg>) -> bool {
        let Some((_, login)) = self.login_of(leg) else { return false };
        let mut pin = String::from(login.pin.as_str());
        pin.pop();
        login.pin = Secret::new(pin);
        true
    }

    /// No more digits will come: is it the PIN? `false` if the call asks for none.
    pub(crate) fn pin_ends(&mut self, now: Time, leg: Handle<Leg>) -> bool {
        let Some((_, login)) = self.login_of(leg) else { return false };
        let (number, pin) = (login.number.clone(), core::mem::take(&mut login.pin));
        let Some(name) = self.name_of(leg) else { return true };
        if !self.takes_logins(&name) {
            // The site has changed meanwhile.
            self.refuse_code(now, leg, DisplayLabel::KeyIsNotActive, "log-in on a phone that takes none");
        } else if pin.as_str().is_empty() {
            self.refuse_code(now, leg, DisplayLabel::WrongPin, "log-in without a PIN");
        } else if let Some(user) = number.and_then(|number| self.user_with(&number, &pin)).cloned() {
            self.wrong_pins.remove(&name);
            self.log_in(now, &name, user);
            self.feature_done(now, leg, &PhoneText::label(DisplayLabel::LoginSuccessful));
        } else {
            self.count_wrong_pin(now, name);
            self.refuse_code(now, leg, DisplayLabel::WrongPin, "log-in with a wrong PIN");
        }
        true
    }

    /// The logout code.
    pub(crate) fn logout_code(&mut self, now: Time, leg: Handle<Leg>) {
        let Some(name) = self.name_of(leg) else { return };
        if self.device_state(&name).user.is_none() {
            let label = DisplayLabel::KeyIsNotActive;
            return self.refuse_code(now, leg, label, "log-out where nobody is logged in");
        }
        self.log_out(now, &name);
        self.feature_done(now, leg, &logged_out());
    }

    /// Somebody is on this phone now, and on no other one.
    fn log_in(&mut self, now: Time, name: &DeviceName, user: Name) {
        let elsewhere = self.device_states.iter().filter(|(_, state)| state.user.as_ref() == Some(&user));
        let elsewhere: Vec<_> =
            elsewhere.map(|(other, _)| other.clone()).filter(|other| other != name).collect();
        for other in elsewhere {
            self.log_out(now, &other);
        }
        self.change_device(now, name, |state| state.user = Some(user));
        self.restart_if_changed(now, name);
    }

    fn log_out(&mut self, now: Time, name: &DeviceName) {
        self.change_device(now, name, |state| state.user = None);
        self.restart_if_changed(now, name);
    }

    /// A phone asks for its buttons when it starts: it has to, as soon as it is idle, if it should have others.
    fn restart_if_changed(&mut self, now: Time, name: &DeviceName) {
        let Some(&handle) = self.by_name.get(name) else { return };
        if self.has_other_buttons(handle) {
            self.restart(now, handle, ResetType::Restart);
        }
    }

    /// Has the phone been told other buttons than it should have? A phone that the site no longer has should have none.
    pub(crate) fn has_other_buttons(&self, handle: Handle<Device>) -> bool {
        let Some(device) = self.devices.get(handle) else { return false };
        let (quirks, version) = (device.quirks, device.dialect.version());
        self.as_used(&device.name).is_none_or(|phone| {
            Buttons::of(&self.site, &phone, quirks, version) != device.buttons
                || soft_keys::Sets::of(&self.site, &phone, quirks) != device.soft_keys
                || device.is_elsewhere(&self.site)
        })
    }

    /// The site has changed: whom it no longer has is logged out, and so are phones that take no log-ins any more.
    pub(crate) fn mobility_changed(&mut self, now: Time) {
        self.wrong_pins.retain(|name, _| self.site.devices.contains_key(name));
        let stays = |name: &DeviceName, state: &DeviceState| {
            state.user.as_ref().is_none_or(|user| self.site.users.contains_key(user))
                && self.takes_logins(name)
        };
        let gone =
            self.device_states.iter().filter(|(name, state)| state.user.is_some() && !stays(name, state));
        for name in gone.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            self.change_device(now, &name, |state| state.user = None);
        }
    }

    fn takes_logins(&self, name: &DeviceName) -> bool {
        self.site.devices.get(name).is_some_and(|device| device.mobility)
    }

    /// The user whose first line this is, and whose PIN. Several may have a line as their first.
    fn user_with(&self, line: &LineNumber, pin: &Secret) -> Option<&Name> {
        let is = |user: &User| {
            let first = user.buttons.iter().find_map(|button| button.line());
            first == Some(line) && user.pin == *pin
        };
        self.site.users.iter().find(|(_, user)| is(user)).map(|(name, _)| name)
    }

    fn count_wrong_pin(&mut self, now: Time, name: DeviceName) {
        let wrong = self.wrong_pins.entry(name).or_insert(Wrong { times: 0, until: now });
        wrong.times = wrong.times.saturating_add(1);
        if let Some(more) = wrong.times.checked_sub(TRIES) {
            wrong.until = now + BACK_OFF * (1 << more.min(DOUBLINGS));
        }
    }

    fn login_of(&mut self, leg: Handle<Leg>) -> Option<(Handle<Call>, &mut Login)> {
        let leg = self.legs.get(leg)?;
        let dials = matches!(leg.state, LegState::DialTone | LegState::Dialing);
        let call = self.calls.get_mut(leg.call).filter(|_| dials)?;
        Some((leg.call, call.login.as_mut()?))
    }

    fn name_of(&self, leg: Handle<Leg>) -> Option<DeviceName> {
        let device = self.legs.get(leg)?.device()?;
        self.devices.get(device).map(|device| device.name.clone())
    }

    /// Nobody is in two places, and a PIN is asked for only by a call that is made for it.
    pub(crate) fn check_mobility(&self) -> Result<(), String> {
        let mut users: Vec<_> = self.device_states.values().filter_map(|state| state.user.as_ref()).collect();
        let logins = users.len();
        users.sort_unstable();
        users.dedup();
        if users.len() != logins {
            return Err("somebody is logged in on two phones".into());
        }
        if self.wrong_pins.keys().any(|name| !self.site.devices.contains_key(name)) {
            return Err("wrong PINs of a phone that the site does not have are remembered".into());
        }
        match self.calls.iter().find(|(_, call)| call.login.is_some() != (call.purpose == Purpose::Pin)) {
            Some((_, call)) => {
                Err(format!("call {} is for {:?} and has a log-in or not", call.id.0, call.purpose))
            }
            None => Ok(()),
        }
    }
}

fn logged_out() -> PhoneText {
    PhoneText::from("Logged out")
}
