//! Transfer: consulted, while it rings at the far end, by hanging up, and of two calls directly.

use alloc::vec::Vec;

use selsius_wire::{DisplayLabel, Time};

use crate::{
    arena::Handle,
    call::{Aim, CannotJoin, Leg, LegState},
    device::Device,
    exchange::Exchange,
    view::Transition,
};

impl Exchange {
    /// The Transfer key: begins a consultation, or ends one by connecting the other two.
    pub(crate) fn transfer_key(&mut self, now: Time, leg: Handle<Leg>) {
        match self.waiting_for(leg, Aim::Transfer) {
            Some(waits) => self.complete_transfer(now, waits, leg),
            None => {
                if self.consult(now, leg, Aim::Transfer).is_none() {
                    self.refuse_feature(leg, DisplayLabel::CanNotCompleteTransfer, "transfer outside a call");
                }
            }
        }
    }

    /// Hanging up a consultation while the far end rings or talks completes the transfer, where the site wants it so.
    pub(crate) fn transfer_by_hanging_up(&mut self, now: Time, leg: Handle<Leg>) -> bool {
        if !self.site.settings.on_hook_transfers {
            return false;
        }
        let far =
            matches!(self.legs.get(leg).map(|leg| leg.state), Some(LegState::RingOut | LegState::Connected));
        match self.waiting_for(leg, Aim::Transfer).filter(|_| far) {
            Some(waits) => self.transfer(now, waits, leg).is_ok(),
            None => false,
        }
    }

    /// DirTrfr: joins the call that is up and the selected one (or the only other one), and leaves both.
    pub(crate) fn direct_transfer(&mut self, now: Time, device: Handle<Device>, leg: Handle<Leg>) {
        let others = self.selected(device, leg);
        match others[..] {
            [other] => self.complete_transfer(now, other, leg),
            _ => self.refuse_feature(leg, DisplayLabel::CanNotCompleteTransfer, "transfer of not two calls"),
        }
    }

    /// Select: marks a call for DirTrfr and Join, or takes the mark away.
    pub(crate) fn select(&mut self, now: Time, leg: Handle<Leg>) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        if !matches!(state.state, LegState::Connected | LegState::Held) {
            return self.counters.refuse("select outside a call");
        }
        state.selected = !state.selected;
        self.transition(now, leg, Transition::Change);
    }

    /// The other calls of the phone that are meant: those selected, or the only one that there is.
    pub(crate) fn selected(&self, device: Handle<Device>, leg: Handle<Leg>) -> Vec<Handle<Leg>> {
        let legs = self.devices.get(device).map(|device| device.legs.as_slice()).unwrap_or_default();
        let others: Vec<_> = legs
            .iter()
            .copied()
            .filter(|&other| other != leg)
            .filter_map(|other| Some((other, self.legs.get(other)?)))
            .filter(|(_, leg)| matches!(leg.state, LegState::Connected | LegState::Held))
            .collect();
        let marked: Vec<_> = others.iter().filter(|(_, leg)| leg.selected).map(|&(other, _)| other).collect();
        if marked.is_empty() && others.len() == 1 {
            return others.into_iter().map(|(other, _)| other).collect();
        }
        marked
    }

    /// The call that waits for this consultation.
    pub(crate) fn waiting_for(&self, leg: Handle<Leg>, aim: Aim) -> Option<Handle<Leg>> {
        let leg = self.legs.get(leg)?;
        let consults = leg.consults.filter(|consults| consults.aim == aim)?;
        let waits = self.legs.get(consults.waits)?;
        (waits.device() == leg.device()).then_some(consults.waits)
    }

    /// What a call on hold waits for, if a consultation is made for it.
    pub(crate) fn consultation_of(&self, device: &Device, waits: Handle<Leg>) -> Option<Aim> {
        let legs = device.legs.iter().filter_map(|&leg| self.legs.get(leg));
        legs.filter_map(|leg| leg.consults)
            .find(|consults| consults.waits == waits)
            .map(|consults| consults.aim)
    }

    fn complete_transfer(&mut self, now: Time, waits: Handle<Leg>, leg: Handle<Leg>) {
        let label = match self.transfer(now, waits, leg) {
            Ok(()) => return,
            Err(CannotJoin::State) => DisplayLabel::CanNotCompleteTransfer,
            Err(CannotJoin::Size) => DisplayLabel::ExceedMaximumParties,
        };
        self.refuse_feature(leg, label, "transfer that cannot be completed");
    }
}
