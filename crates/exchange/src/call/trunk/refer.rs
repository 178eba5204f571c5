//! Transfers that the far end makes itself: two of its calls become one there, and none here.
//!
//! What was connected here stays connected until the far end says that it is done: a refusal changes nothing. Only a call
//! that rings is taken back first, so that the other side does not ring twice; it is called again after a refusal.

use selsius_site::{Name, Trunk, TrunkKind};
use selsius_wire::Time;

use super::{TrunkEnd, TrunkOrder};
use crate::{
    arena::Handle,
    call::{Call, End, Leg, LegState, Phase, Role},
    exchange::Exchange,
    record::EndCause,
    view::Transition,
};

impl Exchange {
    /// A phone has connected the two who are in this call: they are sent to each other where their trunk allows it.
    pub(crate) fn refer_out(&mut self, now: Time, handle: Handle<Call>) {
        let Some(call) = self.calls.get(handle) else { return };
        let &[a, b] = &call.legs[..] else { return };
        let (one, other) = if self.has_role(a, Role::Caller) { (a, b) } else { (b, a) };
        let (Some(from), Some(to)) = (self.referable(one), self.referable(other)) else { return };
        if from.trunk != to.trunk {
            return;
        }
        let (id, other_id) = (from.id, to.id);
        let number = self.legs.get(other).map(|leg| leg.who.number.clone()).unwrap_or_default();
        let state = |leg: Handle<Leg>| self.legs.get(leg).map(|leg| leg.state);
        let replaces = match (call.phase, state(one), state(other)) {
            (Phase::Talking, Some(LegState::Connected), Some(LegState::Connected)) => Some(other_id),
            (Phase::Ringing, Some(LegState::RingOut), Some(LegState::RingIn)) => None,
            _ => return,
        };
        if replaces.is_none() {
            // Whoever waits has nobody to wait for here, as before it has dialled.
            if let Some(call) = self.calls.get_mut(handle) {
                call.phase = Phase::Dialing;
            }
            self.remove_leg(now, other, Transition::End);
        }
        if let Some(end) = self.trunk_end(one) {
            end.referred = Some(number.clone());
        }
        self.order(TrunkOrder::Refer { leg: id, number, replaces });
    }

    /// What came of it.
    pub(super) fn referred(&mut self, now: Time, leg: Handle<Leg>, connected: bool) {
        let Some(call) = self.legs.get(leg).map(|leg| leg.call) else { return };
        let Some((number, trunk)) = self.trunk_end(leg).and_then(|end| {
            let trunk: Option<Name> = end.trunk.parse().ok();
            Some((end.referred.take()?, trunk?))
        }) else {
            return self.counters.refuse("end of a transfer that nobody asked for");
        };
        let waits = self.calls.get(call).is_some_and(|call| call.phase == Phase::Dialing);
        match (connected, waits) {
            (true, _) => self.end_call(now, call, leg, EndCause::Transferred),
            (false, true) => self.try_trunks(now, leg, [trunk].into(), &number),
            (false, false) => {}
        }
    }

    /// Has somebody in the call of this leg been sent to somebody else?
    pub(super) fn is_referred(&self, leg: Handle<Leg>) -> bool {
        let call = self.legs.get(leg).and_then(|leg| self.calls.get(leg.call));
        call.is_some_and(|call| {
            call.legs.iter().any(|&leg| match self.legs.get(leg).map(|leg| &leg.end) {
                Some(End::Trunk(end)) => end.referred.is_some(),
                _ => false,
            })
        })
    }

    fn has_role(&self, leg: Handle<Leg>, role: Role) -> bool {
        self.legs.get(leg).is_some_and(|leg| leg.role == role)
    }

    fn trunk_end(&mut self, leg: Handle<Leg>) -> Option<&mut TrunkEnd> {
        match &mut self.legs.get_mut(leg)?.end {
            End::Trunk(end) => Some(end),
            End::Station(_) => None,
        }
    }

    /// The end of a leg at a trunk whose far end connects calls itself.
    fn referable(&self, leg: Handle<Leg>) -> Option<&TrunkEnd> {
        let End::Trunk(end) = &self.legs.get(leg)?.end else { return None };
        let refers = |trunk: &Trunk| trunk.kind == TrunkKind::Sip && trunk.refer;
        self.site_trunk(&end.trunk).filter(|trunk| refers(trunk)).map(|_| &**end)
    }
}
