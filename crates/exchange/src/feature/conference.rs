//! Conferences: made by consultation or by joining calls; who may drop whom.

use alloc::{string::String, vec::Vec};

use selsius_site::ConferenceDrop;
use selsius_wire::{DisplayLabel, Time};

use crate::{
    arena::Handle,
    call::{Aim, CannotJoin, Leg, LegState},
    device::Device,
    exchange::Exchange,
    record::EndCause,
};

/// A party of a conference, as its list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Participant {
    pub(crate) leg: Handle<Leg>,
    pub(crate) name: String,
    pub(crate) number: String,
    pub(crate) owner: bool,
    /// Has put the conference on hold.
    pub(crate) holds: bool,
    /// Is the one who talks.
    pub(crate) talks: bool,
}

impl Exchange {
    /// The Confrn key: calls one more party, or takes the called one in.
    pub(crate) fn conference_key(&mut self, now: Time, leg: Handle<Leg>) {
        match self.waiting_for(leg, Aim::Conference) {
            Some(waits) => self.take_in(now, waits, &[leg]),
            None => {
                if self.consult(now, leg, Aim::Conference).is_none() {
                    let label = DisplayLabel::CanNotCompleteConference;
                    self.refuse_feature(leg, label, "conference outside a call");
                }
            }
        }
    }

    /// Join: makes one conference of the call that is up and the selected ones (or the only other one).
    pub(crate) fn join(&mut self, now: Time, device: Handle<Device>, leg: Handle<Leg>) {
        let others = self.selected(device, leg);
        if others.is_empty() {
            return self.refuse_feature(leg, DisplayLabel::CanNotJoinCalls, "join of one call");
        }
        self.take_in(now, leg, &others);
    }

    fn take_in(&mut self, now: Time, keep: Handle<Leg>, others: &[Handle<Leg>]) {
        for &other in others {
            let label = match self.confer(now, keep, other) {
                Ok(()) => continue,
                Err(CannotJoin::State) => DisplayLabel::CanNotCompleteConference,
                Err(CannotJoin::Size) => DisplayLabel::ExceedMaximumParties,
            };
            return self.refuse_feature(keep, label, "conference that cannot be made");
        }
    }

    /// The parties of the conference that a leg takes part in, in the order in which they came.
    pub(crate) fn participants(&self, leg: Handle<Leg>) -> Vec<Participant> {
        let call = self.legs.get(leg).and_then(|leg| self.calls.get(leg.call));
        let Some((call, mixed)) = call.and_then(|call| Some((call, call.mixed.as_ref()?))) else {
            return Vec::new();
        };
        let one = |&handle: &Handle<Leg>| {
            let leg = self.legs.get(handle)?;
            let (name, number) = (leg.who.name.clone(), leg.who.number.clone());
            let holds = leg.state == LegState::Held;
            let talks = leg.anchor.as_ref().is_some_and(|anchor| anchor.talks);
            Some(Participant { leg: handle, name, number, owner: mixed.owner == handle, holds, talks })
        };
        call.legs.iter().filter_map(one).collect()
    }

    /// Puts a party out of a conference, if `by` may do that.
    pub(crate) fn drop_participant(&mut self, now: Time, by: Handle<Leg>, whom: Handle<Leg>) {
        if !self.may_drop(by) || !self.participants(by).iter().any(|party| party.leg == whom) {
            return self.refuse_feature(by, DisplayLabel::KeyIsNotActive, "drop by somebody who may not");
        }
        self.end_leg(now, whom, EndCause::Dropped);
    }

    /// May this party put others out?
    pub(crate) fn may_drop(&self, by: Handle<Leg>) -> bool {
        let owner = || self.participants(by).iter().any(|party| party.leg == by && party.owner);
        self.site.settings.conference_drop == ConferenceDrop::Anyone || owner()
    }

    /// Puts the party out that came last: RmLstC.
    pub(crate) fn drop_last(&mut self, now: Time, by: Handle<Leg>) {
        let last = self.participants(by).into_iter().rev().find(|party| party.leg != by);
        match last {
            Some(last) => self.drop_participant(now, by, last.leg),
            None => self.refuse_feature(by, DisplayLabel::KeyIsNotActive, "drop outside a conference"),
        }
    }
}
