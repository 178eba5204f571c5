//! Opening a room (MeetMe): a room's number is called, and its application is told that the caller came to open it. The rooms
//! themselves are somebody else's: whoever answers their numbers.

use selsius_site::{ApplicationKind, FeatureCode};
use selsius_wire::{DisplayLabel, Time};

use crate::{
    arena::Handle,
    call::{Leg, Purpose},
    device::Device,
    dialplan::{self, Destination},
    exchange::Exchange,
};

impl Exchange {
    /// The key or button: asks for the room's number.
    pub(crate) fn meet_me_key(&mut self, now: Time, device: Handle<Device>, line: u32) {
        if !self.has_rooms() {
            return self.refuse_on(device, DisplayLabel::MeetMeIsUnavailable, "no rooms");
        }
        self.ask_number(now, device, line, FeatureCode::MeetMe);
    }

    /// The code and a number behind it, or the number that the key asked for.
    pub(crate) fn meet_me_code(&mut self, now: Time, leg: Handle<Leg>, number: &str) {
        let number = number.trim_end_matches('#');
        if !self.is_room(leg, number) {
            return self.refuse_code(now, leg, DisplayLabel::MeetMeIsUnavailable, "no room of that number");
        }
        let Some(call) = self.legs.get(leg).and_then(|leg| self.calls.get_mut(leg.call)) else { return };
        let dialed = core::mem::replace(&mut call.dialed, number.into());
        call.prefix = dialed.trim_end_matches('#').strip_suffix(number).unwrap_or_default().into();
        call.meet_me = true;
        call.purpose = Purpose::Talk;
        self.digits_end(now, leg);
    }

    /// Has the site any?
    pub(crate) fn has_rooms(&self) -> bool {
        self.site.applications.values().any(|application| application.kind == ApplicationKind::Room)
    }

    /// Does this number lead to a room?
    fn is_room(&self, leg: Handle<Leg>, number: &str) -> bool {
        let target = dialplan::finish_for(&self.site, self.reach(leg), number);
        let Some(Ok(target)) = target.map(|target| self.resolve(target)) else { return false };
        let Destination::Trunks(_, number) = target.to else { return false };
        let mut applications = self.site.applications.iter();
        applications
            .any(|(own, application)| own.as_str() == number && application.kind == ApplicationKind::Room)
    }
}
