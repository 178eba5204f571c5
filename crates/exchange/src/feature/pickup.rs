//! Pickup: taking a call that rings at somebody else's phone.

use alloc::vec::Vec;

use selsius_site::{LineNumber, Name, PickupGroup};
use selsius_wire::{DisplayLabel, Time};

use crate::{
    arena::Handle,
    call::{Appears, Call, End, Leg, LegState, Phase, Role},
    device::Device,
    exchange::{Exchange, Timer},
    record::{EndCause, Party, RedirectKind, Redirection},
};

/// Whose ringing call is to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// One of the own pickup group's.
    Group,
    /// One of those groups' that the own one may pick up with.
    OtherGroups,
    /// This line's.
    Line(LineNumber),
}

impl Exchange {
    /// Takes the call that has been ringing longest, on the line that the phone uses now or this one (0: the first).
    pub(crate) fn pick_up(
        &mut self,
        now: Time,
        device: Handle<Device>,
        line: u32,
        own: Option<Handle<Leg>>,
        whose: Whose,
    ) {
        let line = own.and_then(|own| self.legs.get(own)).map_or(line, Leg::line);
        match self.ringing_elsewhere(device, line, &whose) {
            Some(call) => self.take_ringing(now, device, line, own, call),
            None => {
                let label = DisplayLabel::NoCallAvailableForPickup;
                self.refuse_on(device, label, "pickup without a call that rings");
            }
        }
    }

    /// Takes the call that rings at a line: the button that shows its state.
    pub(crate) fn pickup_from(&mut self, now: Time, device: Handle<Device>, from: &LineNumber) {
        let own = self.active_leg(device);
        self.pick_up(now, device, 0, own, Whose::Line(from.clone()));
    }

    /// A pickup code was dialled on this leg.
    pub(crate) fn pick_up_by_code(&mut self, now: Time, leg: Handle<Leg>, whose: Whose) {
        let Some(station) = self.legs.get(leg).and_then(Leg::station) else {
            return self.fail(now, leg, EndCause::Blocked);
        };
        match self.ringing_elsewhere(station.device, station.line, &whose) {
            Some(call) => self.take_ringing(now, station.device, station.line, Some(leg), call),
            None => {
                let label = DisplayLabel::NoCallAvailableForPickup;
                self.refuse_code(now, leg, label, "pickup without a call that rings");
            }
        }
    }

    /// The pickup group of a phone's line.
    pub(crate) fn pickup_group(&self, device: Option<Handle<Device>>, line: u32) -> Option<&PickupGroup> {
        if self.site.pickup_groups.is_empty() {
            return None;
        }
        self.site.pickup_groups.get(self.pickup_group_name(device?, line)?)
    }

    fn pickup_group_name(&self, device: Handle<Device>, line: u32) -> Option<&Name> {
        let device = self.devices.get(device)?;
        let appearance = device.appearance(line).or_else(|| device.first_appearance())?;
        self.site.lines.get(&appearance.number)?.pickup_group.as_ref()
    }

    /// The call that has been ringing longest at a phone whose calls this one may take.
    fn ringing_elsewhere(&self, device: Handle<Device>, line: u32, whose: &Whose) -> Option<Handle<Call>> {
        let groups: Vec<&Name> = match whose {
            Whose::Group => self.pickup_group_name(device, line).into_iter().collect(),
            Whose::OtherGroups => {
                self.pickup_group(Some(device), line).map(|group| group.others.iter().collect())?
            }
            Whose::Line(_) => Vec::new(),
        };
        let may = |number: &LineNumber| match whose {
            Whose::Line(line) => number == line,
            Whose::Group | Whose::OtherGroups => {
                let group = self.site.lines.get(number).and_then(|line| line.pickup_group.as_ref());
                group.is_some_and(|group| groups.contains(&group))
            }
        };
        let rings = |(handle, leg): (Handle<Leg>, &Leg)| {
            let elsewhere = leg.state == LegState::RingIn && !leg.is_on(device);
            let call = self.calls.get(leg.call).filter(|call| elsewhere && call.phase == Phase::Ringing)?;
            let own = call.legs.iter().filter_map(|&leg| self.legs.get(leg));
            let calls_itself = own.into_iter().any(|leg| leg.role == Role::Caller && leg.is_on(device));
            let number = self.number_of(handle)?;
            (may(&number) && !calls_itself).then_some((call.ringing, call.id, leg.call))
        };
        let oldest = self.legs.iter().filter_map(rings).min_by_key(|&(since, id, _)| (since, id))?;
        Some(oldest.2)
    }

    /// The phone is in the call from now on, and whoever rings in it stops.
    fn take_ringing(
        &mut self,
        now: Time,
        device: Handle<Device>,
        line: u32,
        own: Option<Handle<Leg>>,
        call: Handle<Call>,
    ) {
        let legs = self.calls.get(call).map(|call| call.legs.clone()).unwrap_or_default();
        if let Some(&leg) = legs.iter().find(|&&leg| self.legs.get(leg).is_some_and(|leg| leg.is_on(device)))
        {
            return self.answer(now, leg);
        }
        let Some(leg) = self.come_in(device, line, own, call, LegState::RingIn) else { return };
        let at = self.wall.wall(now);
        let who = self.legs.get(leg).map(|leg| leg.who.clone()).unwrap_or_default();
        if let Some(call) = self.calls.get_mut(call) {
            call.hunt = None;
            let by = core::mem::replace(&mut call.called, who.clone());
            call.redirections.push(Redirection { kind: RedirectKind::Pickup, by, to: who, at });
        }
        self.answer(now, leg);
    }

    /// Brings a phone into a call of others, as its called party: with the leg that it was dialling on, of whose own
    /// call nothing remains, else with a new one. Its phone is to be told.
    pub(crate) fn come_in(
        &mut self,
        device: Handle<Device>,
        line: u32,
        own: Option<Handle<Leg>>,
        call: Handle<Call>,
        state: LegState,
    ) -> Option<Handle<Leg>> {
        let dials =
            |leg: &Leg| leg.is_on(device) && matches!(leg.state, LegState::DialTone | LegState::Dialing);
        if let Some(handle) = own
            && let Some(leg) = self.legs.get_mut(handle).filter(|leg| dials(leg))
        {
            let from = core::mem::replace(&mut leg.call, call);
            (leg.role, leg.state) = (Role::Called, state);
            self.timers.cancel(Timer::Digits(from));
            self.calls.remove(from);
            self.calls.get_mut(call)?.legs.push(handle);
            return Some(handle);
        }
        let phone = self.devices.get(device)?;
        let begun =
            |&&leg: &&Handle<Leg>| self.legs.get(leg).is_some_and(|leg| leg.state != LegState::RingIn);
        if phone.legs.iter().filter(begun).count() >= self.config.limits.legs_per_device {
            self.counters.refuse("too many legs");
            return None;
        }
        let appearance = phone.appearance(line).or_else(|| phone.first_appearance())?;
        let who = Party {
            number: appearance.number.as_str().into(),
            name: appearance.name.clone(),
            device: Some(phone.name.clone()),
            restricted: false,
        };
        let end = End::Station(Appears { device, line: appearance.instance });
        self.add_leg(call, end, who, Role::Called, state)
    }
}
