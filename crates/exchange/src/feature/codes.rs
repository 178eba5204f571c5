//! Features that take a number: dialled as a code with the number behind it, or begun by a key that asks for it.

use alloc::string::String;

use selsius_site::{FeatureCode, LineNumber};
use selsius_wire::{DisplayLabel, PhoneText, Time};

use crate::{
    arena::Handle,
    call::{Leg, LegState, Purpose, seconds},
    device::Device,
    exchange::{Exchange, Timer},
    feature::{hunt::HuntLog, pickup::Whose},
    record::EndCause,
    remembered::{ForwardKind, LineState},
    view::Transition,
};

impl Exchange {
    /// A key begins a feature that needs a number: the phone asks for it.
    pub(crate) fn ask_number(&mut self, now: Time, device: Handle<Device>, line: u32, feature: FeatureCode) {
        let idle = |&leg: &Handle<Leg>| self.legs.get(leg).is_some_and(|leg| leg.state == LegState::DialTone);
        let leg = self.active_leg(device).filter(idle).or_else(|| self.new_call_on(now, device, line));
        let Some(leg) = leg else { return };
        let call = self.legs.get(leg).and_then(|leg| self.calls.get_mut(leg.call));
        if let Some(call) = call {
            call.purpose = Purpose::Feature(feature);
        }
        // A hotline may have left less time.
        if let Some(call) = self.legs.get(leg).map(|leg| leg.call) {
            let wait = seconds(self.site.settings.timers.first_digit);
            self.timers.set(Timer::Digits(call), now + wait);
        }
        self.transition(now, leg, Transition::Dialing);
    }

    /// A feature's code was dialled, or the number that its key asked for.
    pub(crate) fn feature_code(&mut self, now: Time, leg: Handle<Leg>, feature: FeatureCode, argument: &str) {
        match feature {
            FeatureCode::CallerIdBlock => self.hide_number(now, leg, argument),
            FeatureCode::Account => self.account_code(now, leg, argument),
            FeatureCode::Intercom => self.intercom_code(now, leg, argument),
            FeatureCode::Pickup => self.pick_up_by_code(now, leg, Whose::Group),
            FeatureCode::GroupPickup => self.pick_up_by_code(now, leg, Whose::OtherGroups),
            FeatureCode::DirectedPickup => match as_number(argument) {
                Some(line) => self.pick_up_by_code(now, leg, Whose::Line(line)),
                None => self.fail(now, leg, EndCause::UnknownNumber),
            },
            FeatureCode::Park => self.park_by_code(now, leg, as_number(argument)),
            FeatureCode::Callback => self.callback_by_code(now, leg, as_number(argument)),
            FeatureCode::HuntLogin => self.hunt_log_by_code(now, leg, HuntLog::In),
            FeatureCode::HuntLogout => self.hunt_log_by_code(now, leg, HuntLog::Out),
            FeatureCode::ForwardAll => self.forward_code(now, leg, ForwardKind::All, argument),
            FeatureCode::ForwardBusy => self.forward_code(now, leg, ForwardKind::Busy, argument),
            FeatureCode::ForwardNoAnswer => self.forward_code(now, leg, ForwardKind::NoAnswer, argument),
            FeatureCode::ForwardCancel => self.forward_cancel(now, leg),
            FeatureCode::DoNotDisturb => self.do_not_disturb_code(now, leg, true),
            FeatureCode::DoNotDisturbOff => self.do_not_disturb_code(now, leg, false),
            FeatureCode::Voicemail => self.voicemail_code(now, leg),
            FeatureCode::Abbreviated => self.dial_abbreviated(now, leg, argument),
            FeatureCode::Redial => self.redial_code(now, leg),
            FeatureCode::Login => self.login_code(now, leg, argument),
            FeatureCode::Logout => self.logout_code(now, leg),
            FeatureCode::Record => self.record_by_code(now, leg),
            FeatureCode::MeetMe => self.meet_me_code(now, leg, argument),
        }
    }

    /// The feature is done: the phone says so, and the call that was only made for it is over.
    pub(crate) fn feature_done(&mut self, now: Time, leg: Handle<Leg>, text: &PhoneText) {
        if let Some(device) = self.legs.get(leg).and_then(Leg::device) {
            self.notify(device, text);
        }
        self.remove_leg(now, leg, Transition::End);
    }

    /// A code that can do nothing now: the phone says why, and its user hears that it has failed.
    pub(crate) fn refuse_code(
        &mut self,
        now: Time,
        leg: Handle<Leg>,
        label: DisplayLabel,
        reason: &'static str,
    ) {
        self.refuse_feature(leg, label, reason);
        self.fail(now, leg, EndCause::Blocked);
    }

    /// The line number of a phone's leg.
    pub(crate) fn number_of(&self, leg: Handle<Leg>) -> Option<LineNumber> {
        let leg = self.legs.get(leg)?;
        if let Some(at) = leg.extension() {
            return Some(at.line.clone());
        }
        let station = leg.station()?;
        let device = self.devices.get(station.device)?;
        device.appearance(station.line).map(|appearance| appearance.number.clone())
    }

    /// What a line remembers.
    pub(crate) fn line_state(&self, line: &LineNumber) -> LineState {
        self.line_states.get(line).cloned().unwrap_or_default()
    }

    /// Changes what a line remembers, and tells the phones that show it.
    pub(crate) fn change_line(&mut self, now: Time, line: &LineNumber, change: impl FnOnce(&mut LineState)) {
        let old = self.line_state(line);
        let mut new = old.clone();
        change(&mut new);
        if new == old {
            return;
        }
        if new == LineState::default() {
            self.line_states.remove(line);
        } else {
            self.line_states.insert(line.clone(), new.clone());
        }
        let messages = old.messages != new.messages;
        self.store(crate::record::Record::LineState { line: line.clone(), state: new });
        if messages {
            self.messages_changed(line);
        }
        self.line_freed(line);
        let devices = self.appearances.get(line).cloned().unwrap_or_default();
        for appears in devices {
            self.render(now, appears.device, Transition::Change, None);
        }
        self.render_watchers(now, line);
    }
}

/// What a phone asks for when a key began the feature.
pub(crate) fn question(feature: FeatureCode) -> PhoneText {
    let text = |text: &str| PhoneText::from(text);
    match feature {
        FeatureCode::ForwardAll | FeatureCode::ForwardBusy | FeatureCode::ForwardNoAnswer => {
            text("Enter number to forward to")
        }
        FeatureCode::DirectedPickup => text("Enter number to pick up"),
        FeatureCode::Login => text("Enter your number"),
        FeatureCode::MeetMe => text("Enter number of the room"),
        _ => PhoneText::label(DisplayLabel::EnterNumber),
    }
}

/// Does a number follow the code?
pub(crate) fn argument(feature: FeatureCode) -> Argument {
    match feature {
        FeatureCode::ForwardAll | FeatureCode::ForwardBusy | FeatureCode::ForwardNoAnswer => Argument::Number,
        FeatureCode::DirectedPickup
        | FeatureCode::CallerIdBlock
        | FeatureCode::Abbreviated
        | FeatureCode::Account
        | FeatureCode::Intercom
        | FeatureCode::MeetMe
        | FeatureCode::Login => Argument::Needed,
        FeatureCode::Park | FeatureCode::Callback => Argument::Possible,
        FeatureCode::ForwardCancel
        | FeatureCode::Pickup
        | FeatureCode::GroupPickup
        | FeatureCode::DoNotDisturb
        | FeatureCode::DoNotDisturbOff
        | FeatureCode::Redial
        | FeatureCode::Voicemail
        | FeatureCode::HuntLogin
        | FeatureCode::HuntLogout
        | FeatureCode::Logout
        | FeatureCode::Record => Argument::None,
    }
}

/// What follows a feature's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    /// Nothing.
    None,
    /// Digits, if the user likes.
    Possible,
    /// Digits.
    Needed,
    /// A number that could be dialled.
    Number,
}

/// A text that a user dialled as a number.
pub(crate) fn as_number(digits: &str) -> Option<LineNumber> {
    let digits: String = digits.chars().filter(|&c| c != '#').collect();
    digits.parse().ok()
}
