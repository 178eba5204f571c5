//! What lifting the handset does: which line it takes, and whether that line is a hotline.

use selsius_site::{Hotline, Prefer};
use selsius_wire::Time;

use crate::{
    arena::Handle,
    call::{Leg, LegState, Purpose, seconds},
    device::Device,
    exchange::{Exchange, Timer},
};

impl Exchange {
    /// The line that lifting the handset takes whatever rings elsewhere, if the phone prefers one.
    pub(crate) fn preferred_line(&self, device: Handle<Device>) -> Option<u32> {
        let device = self.devices.get(device)?;
        let first = device.first_appearance()?.instance;
        match self.site.devices.get(&device.name)?.prefer {
            Prefer::Ringing => None,
            Prefer::First => Some(first),
            Prefer::Last => Some(device.appearance(device.last_line).map_or(first, |line| line.instance)),
        }
    }

    /// The line of this leg is the one used last.
    pub(crate) fn used_line(&mut self, leg: Handle<Leg>) {
        let Some(station) = self.legs.get(leg).and_then(Leg::station) else { return };
        if let Some(device) = self.devices.get_mut(station.device) {
            device.last_line = station.line;
        }
    }

    /// A user wants dial tone on a line. A hotline calls its number instead, or when nothing is dialled for a while.
    pub(crate) fn lift(&mut self, now: Time, device: Handle<Device>, line: u32) -> Option<Handle<Leg>> {
        let leg = self.new_call_on(now, device, line)?;
        let Some(Hotline { number, after }) = self.hotline(leg) else { return Some(leg) };
        if after == 0 {
            self.dial_all(now, leg, number.as_str());
        } else if let Some(call) = self.legs.get(leg).map(|leg| leg.call) {
            self.timers.set(Timer::Digits(call), now + seconds(after));
        }
        Some(leg)
    }

    /// Nobody has dialled anything in time: a hotline calls its number. `false` if the line is none.
    pub(crate) fn hotline_due(&mut self, now: Time, leg: Handle<Leg>) -> bool {
        let talks = |leg: &Leg| {
            leg.state == LegState::DialTone
                && leg.consults.is_none()
                && self.calls.get(leg.call).is_some_and(|call| call.purpose == Purpose::Talk)
        };
        let waits = self.legs.get(leg).is_some_and(talks);
        let Some(hotline) = self.hotline(leg).filter(|_| waits) else { return false };
        self.dial_all(now, leg, hotline.number.as_str());
        true
    }

    fn hotline(&self, leg: Handle<Leg>) -> Option<Hotline> {
        let line = self.number_of(leg)?;
        self.site.lines.get(&line)?.hotline.clone()
    }
}
