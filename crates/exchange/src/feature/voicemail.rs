//! Voice mail: how it is called, how a ringing call gets there, and the lamp that says that messages wait. The mailboxes
//! themselves are somebody else's: whoever answers the number of the settings.

use alloc::string::ToString as _;

use selsius_site::LineNumber;
use selsius_wire::{
    DisplayLabel, Time,
    message::{MwiNotification, MwiRes},
    value::MwiResult,
};

use crate::{
    arena::Handle,
    call::{Call, Leg, LegState},
    device::Device,
    dialplan::{self, Destination, Target},
    exchange::Exchange,
    io::SessionId,
    record::{EndCause, RedirectKind},
    remembered::Messages,
};

impl Exchange {
    /// So many messages wait in the mailbox of a line. Afterwards take all outputs.
    pub fn set_messages(&mut self, now: Time, line: &LineNumber, new: u32, old: u32) {
        if self.site.lines.contains_key(line) {
            self.change_line(now, line, |state| state.messages = Messages { new, old });
        }
    }

    /// A voice mail system says what waits in a mailbox. It is one if it has the number of the settings on a button;
    /// nobody else switches the lamps of others.
    pub(crate) fn messages_wait(
        &mut self,
        now: Time,
        session: SessionId,
        device: Handle<Device>,
        notification: &MwiNotification,
    ) {
        let voicemail = self.site.settings.voicemail.as_ref();
        let trusted = self
            .devices
            .get(device)
            .is_some_and(|device| device.buttons.lines.iter().any(|line| Some(&line.number) == voicemail));
        let line = self.line_of_mailbox(&notification.mwi_target_number.to_string());
        let mwi_notification_result = match line {
            _ if !trusted => {
                self.counters.refuse("waiting messages from no voice mail");
                MwiResult::RequestRejected
            }
            None => MwiResult::GeneralError,
            Some(line) => {
                let counts = notification.total_vm_counts;
                // Systems that do not count say only that something waits.
                let new = match notification.are_messages_waiting {
                    0 => 0,
                    _ => counts.num_new_msgs.max(1),
                };
                self.set_messages(now, &line, new, counts.num_old_msgs);
                MwiResult::Ok
            }
        };
        let mwi_target_number = notification.mwi_target_number;
        self.send(session, MwiRes { mwi_target_number, mwi_notification_result });
    }

    fn line_of_mailbox(&self, number: &str) -> Option<LineNumber> {
        let number: LineNumber = number.parse().ok()?;
        let lines = &self.site.lines;
        let named = lines.iter().find(|(_, line)| line.mailbox.as_ref() == Some(&number));
        named.map(|(line, _)| line.clone()).or_else(|| lines.contains_key(&number).then_some(number))
    }

    /// The messages key.
    pub(crate) fn call_voicemail(&mut self, now: Time, device: Handle<Device>) {
        match self.site.settings.voicemail.clone() {
            Some(number) => self.en_bloc(now, device, number.as_str(), 0),
            None => self.refuse_on(device, DisplayLabel::ServiceIsNotActive, "no voice mail"),
        }
    }

    /// The code: as if the number had been dialled.
    pub(crate) fn voicemail_code(&mut self, now: Time, leg: Handle<Leg>) {
        let number = self.site.settings.voicemail.clone();
        let target = number.as_ref().and_then(|number| dialplan::finish(&self.site, number.as_str()));
        let (Some(number), Some(target)) = (number, target) else {
            self.refuse_feature(leg, DisplayLabel::ServiceIsNotActive, "no voice mail");
            return self.fail(now, leg, EndCause::UnknownNumber);
        };
        // A code that stands for itself would lead here again.
        if matches!(target, Target { to: Destination::Feature(..), .. }) {
            return self.fail(now, leg, EndCause::UnknownNumber);
        }
        if let Some(call) = self.legs.get(leg).and_then(|leg| self.calls.get_mut(leg.call)) {
            call.dialed = number.as_str().into();
        }
        self.complete(now, leg, target);
    }

    /// The iDivert key: a call that rings goes to voice mail, where it is seen whom it was for.
    pub(crate) fn divert(&mut self, now: Time, leg: Handle<Leg>) {
        let call = self.legs.get(leg).map(|leg| leg.call);
        let ringing = call.map(|call| self.ringing_phones(call)).unwrap_or_default();
        let caller = call.and_then(|call| self.caller(call));
        match (self.site.settings.voicemail.clone(), caller) {
            (Some(number), Some(caller)) if self.can_divert(leg) && ringing.contains(&leg) => {
                self.send_on(now, caller, ringing, number.as_str(), RedirectKind::Divert);
            }
            _ => self.refuse_feature(leg, DisplayLabel::ServiceIsNotActive, "no voice mail"),
        }
    }

    /// Can this ringing call go to voice mail? An emergency is no machine's business.
    pub(crate) fn can_divert(&self, leg: Handle<Leg>) -> bool {
        if self.site.settings.voicemail.is_none() {
            return false;
        }
        let rings = self.legs.get(leg).is_some_and(|leg| {
            leg.state == LegState::RingIn && self.calls.get(leg.call).is_some_and(|call| !call.emergency)
        });
        let line = self.number_of(leg).and_then(|line| self.site.lines.get(&line));
        rings && line.is_some_and(|line| line.voicemail)
    }

    /// The mailbox of a number, if it has one.
    pub(crate) fn mailbox(&self, number: &str) -> Option<&str> {
        self.site.settings.voicemail.as_ref()?;
        let (number, line) = self.site.lines.get_key_value(&number.parse().ok()?)?;
        line.voicemail.then(|| line.mailbox.as_ref().unwrap_or(number).as_str())
    }

    /// Is this call for the mailboxes?
    pub(crate) fn is_for_voicemail(&self, call: &Call) -> bool {
        let number = self.site.settings.voicemail.as_ref().map(LineNumber::as_str);
        number == Some(call.called.number.as_str()) || number == Some(call.dialed.as_str())
    }
}
