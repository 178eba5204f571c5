//! What trunks say.

use alloc::{boxed::Box, vec::Vec};

use selsius_site::{LineNumber, MediaPath, Name, Trunk, TrunkKind};
use selsius_wire::Time;

use super::{OnLine, RemoteAudio, TrunkEnd, TrunkEvent, TrunkOrder};
use crate::{
    arena::Handle,
    call::{End, Leg, LegState, Receive, Role, control::Place},
    dialplan::{self, Destination, Target},
    exchange::{Exchange, Timer},
    io::AnchorOrder,
    record::{EndCause, Party, RedirectKind, Redirection},
    view::Transition,
};

impl Exchange {
    /// A trunk says something.
    pub(crate) fn trunk_event(&mut self, now: Time, event: TrunkEvent) {
        let leg = match &event {
            TrunkEvent::Offer { .. } => None,
            event => {
                let Some(handle) = self.trunk_leg(event.leg()) else {
                    // It ended here while the word was on its way.
                    return self.counters.refuse("event for no call of a trunk");
                };
                Some(handle)
            }
        };
        match (event, leg) {
            (TrunkEvent::Offer { leg, trunk, number, calling, audio, redirecting }, _) => {
                let phone = self.site_phone(&trunk);
                let relays = match phone {
                    Some(phone) => phone.media == MediaPath::Relay,
                    None => self.site_trunk(&trunk).is_some_and(Trunk::relays),
                };
                let line = phone.and_then(|phone| phone.line.clone());
                let extension = line.and_then(|line| Some(OnLine { phone: trunk.parse().ok()?, line }));
                let mut end = TrunkEnd::new(leg, trunk, relays);
                (end.audio, end.extension) = (audio, extension);
                self.trunk_calls(now, end, &number, calling, redirecting);
            }
            (TrunkEvent::Progress { ringing, early, .. }, Some(leg)) => {
                self.trunk_progress(now, leg, ringing, early);
            }
            (TrunkEvent::Answered { audio, .. }, Some(leg)) => {
                self.trunk_media(leg, audio);
                if self.legs.get(leg).is_some_and(|leg| leg.state == LegState::RingIn) {
                    self.answer(now, leg);
                } else {
                    self.counters.refuse("answer without ringing");
                }
            }
            (TrunkEvent::Media { audio, .. }, Some(leg)) => {
                self.trunk_media(leg, audio);
                let Some(call) = self.legs.get(leg).map(|leg| leg.call) else { return };
                if let Err(cause) = self.settle_media(now, call) {
                    return self.end_leg(now, leg, cause);
                }
                self.tell_others(now, leg, Transition::Media);
            }
            (TrunkEvent::Hold { held, .. }, Some(leg)) => {
                match (self.legs.get(leg).map(|leg| leg.state), held) {
                    (Some(LegState::Connected), true) => self.hold(now, leg),
                    (Some(LegState::Held), false) => self.resume(now, leg),
                    _ => self.counters.refuse("hold of a call that is not up"),
                }
            }
            (TrunkEvent::Redirect { number, .. }, Some(leg)) => self.trunk_redirects(now, leg, &number),
            (TrunkEvent::Digit { digit, .. }, Some(leg)) => self.digit_in_call(leg, digit),
            (TrunkEvent::Join { with, .. }, Some(leg)) => self.extension_joins(now, leg, with),
            (TrunkEvent::Referred { connected, .. }, Some(leg)) => self.referred(now, leg, connected),
            (TrunkEvent::HungUp { cause, .. }, Some(leg)) => {
                if let Some(End::Trunk(trunk)) = self.legs.get_mut(leg).map(|leg| &mut leg.end) {
                    trunk.over = true;
                }
                self.trunk_hung_up(now, leg, cause);
            }
            (_, None) => {}
        }
    }

    /// A call comes in.
    fn trunk_calls(
        &mut self,
        now: Time,
        end: TrunkEnd,
        number: &str,
        calling: Party,
        redirecting: Option<Box<Party>>,
    ) {
        let (id, address) = (end.id, end.audio.address);
        let trunk = self.site_trunk(&end.trunk).cloned();
        let refuse = |exchange: &mut Self, cause| {
            exchange.order(TrunkOrder::HangUp { leg: id, cause });
        };
        if self.trunk_legs.contains_key(&id) || self.is_stopping() {
            return refuse(self, EndCause::Shutdown);
        }
        let extension = end.extension.clone();
        if trunk.is_none() && extension.is_none() {
            // The site has changed while the call was on its way.
            self.counters.refuse("call of a trunk or phone that the site does not have");
            return refuse(self, EndCause::NoTrunk);
        }
        let trunk = trunk.unwrap_or_default();
        let calling = match &extension {
            Some(at) => {
                let own = self.party(&at.line);
                let restricted = own.restricted || calling.restricted;
                Party { device: Some(at.phone.clone()), restricted, ..own }
            }
            // Whoever calls from outside has no phone of ours, whatever the trunk says.
            None => Party { device: None, ..calling },
        };
        let at = self.wall.wall(now);
        let call = self.add_call(calling.clone());
        if let Some(call) = self.calls.get_mut(call) {
            call.dialed = number.into();
            let to = Party { number: number.into(), ..Party::default() };
            let kind = RedirectKind::Redirect;
            // What a phone of the office says of a forwarding is its own invention.
            let redirecting = redirecting.filter(|_| extension.is_none());
            call.redirections.extend(redirecting.map(|by| Redirection { kind, by: *by, to, at }));
        }
        let added =
            self.add_leg(call, End::Trunk(Box::new(end)), calling, Role::Caller, LegState::Proceeding);
        let Some(leg) = added else { return };
        if let (Some(leg), Some(address)) = (self.legs.get_mut(leg), address) {
            leg.receive = Receive::Open(address);
        }
        if let Some(at) = extension {
            return self.extension_calls(now, leg, &at.phone, number);
        }
        match dialplan::finish(&self.site, number) {
            Some(target) if !self.may_enter(&trunk, &target) => {
                self.counters.refuse("call from outside to what is not for it");
                self.fail(now, leg, EndCause::Blocked);
            }
            Some(target) => self.complete(now, leg, target),
            None => self.fail(now, leg, EndCause::UnknownNumber),
        }
    }

    /// May somebody outside have this number? What the office has sent there by a route or a forward is its own decision;
    /// but nobody calls out again, or uses what is meant for the office's phones, by dialling it.
    fn may_enter(&self, trunk: &Trunk, target: &Target) -> bool {
        if trunk.kind == TrunkKind::Loopback {
            return true;
        }
        let rights = trunk.rights.as_ref().and_then(|rights| self.site.rights.get(rights));
        let partition = target.terms.partition.as_ref();
        let has = |partition| rights.is_some_and(|rights| rights.partitions.contains(partition));
        match &target.to {
            // The manager's own services are no way out.
            Destination::Trunks(trunks, _) => {
                let out = |name: &Name| {
                    self.site.trunks.get(name).is_none_or(|trunk| trunk.kind != TrunkKind::Services)
                };
                !trunks.iter().any(out) || rights.is_some() && partition.is_none_or(has)
            }
            Destination::Feature(..) | Destination::Park(_) => false,
            _ => true,
        }
    }

    fn trunk_progress(&mut self, now: Time, leg: Handle<Leg>, ringing: bool, early: Option<RemoteAudio>) {
        let Some(call) = self.legs.get(leg).filter(|leg| leg.state == LegState::RingIn).map(|leg| leg.call)
        else {
            return self.counters.refuse("progress of a call that is up");
        };
        let Some(caller) = self.caller(call) else { return };
        let heard = early.is_some();
        if let Some(early) = early {
            self.trunk_media(leg, early);
            if let Some(call) = self.calls.get_mut(call) {
                call.early = call.legs.len() == 2;
            }
            if let Err(cause) = self.settle_media(now, call) {
                return self.fail(now, caller, cause);
            }
        }
        let waits = self.legs.get(caller).is_some_and(|leg| leg.state == LegState::Proceeding);
        if ringing && waits {
            self.enter(now, caller, LegState::RingOut, Transition::RingOut);
        } else if heard {
            self.transition(now, caller, Transition::Media);
        }
    }

    /// What the far end says of its audio.
    fn trunk_media(&mut self, handle: Handle<Leg>, audio: RemoteAudio) {
        let Some(leg) = self.legs.get_mut(handle) else { return };
        let (address, party) = (audio.address, leg.party);
        let keys = match (&mut leg.end, &mut leg.anchor) {
            (End::Trunk(trunk), anchor) => {
                trunk.audio.update(audio);
                anchor.as_mut().and_then(|anchor| anchor.rekey(party, &trunk.audio))
            }
            (End::Station(_), _) => None,
        };
        // Before it is known where to send: nothing goes there in clear.
        if let Some(order) = keys {
            self.order_anchor(order);
        }
        let Some(leg) = self.legs.get_mut(handle) else { return };
        let Some(address) = address else { return };
        let known = leg.receive == Receive::Open(address);
        leg.receive = Receive::Open(address);
        if leg.anchor.is_some() && !known {
            self.order_anchor(AnchorOrder::Send { party, address });
        }
    }

    /// The far end sends whoever it is connected with to another number.
    fn trunk_redirects(&mut self, now: Time, leg: Handle<Leg>, number: &str) {
        let Some((call, state)) = self.legs.get(leg).map(|leg| (leg.call, leg.state)) else { return };
        let phone = self.legs.get(leg).is_some_and(|leg| leg.extension().is_some());
        let target = if phone {
            dialplan::finish_for(&self.site, self.reach(leg), number)
        } else {
            dialplan::finish(&self.site, number)
        };
        let may = if phone {
            self.extension_may_send(leg, target)
        } else {
            target.is_none_or(|target| match self.legs.get(leg).map(|leg| &leg.end) {
                Some(End::Trunk(end)) => {
                    let trunk = self.site_trunk(&end.trunk);
                    trunk.is_some_and(|trunk| self.may_enter(trunk, &target))
                }
                _ => false,
            })
        };
        match state {
            LegState::RingIn if !may => {
                self.counters.refuse("redirection from outside to what is not for it");
                self.trunk_failed(now, leg, EndCause::Blocked);
            }
            LegState::Connected | LegState::Held if !may => {
                self.counters.refuse("transfer from outside to what is not for it");
            }
            // A member of a group does not lead its calls away from the others.
            LegState::RingIn if self.calls.get(call).is_some_and(|call| call.hunt.is_some()) => {
                self.trunk_failed(now, leg, EndCause::Busy);
            }
            LegState::RingIn if phone => {
                let Some(caller) = self.caller(call) else { return };
                if let Some(End::Trunk(trunk)) = self.legs.get_mut(leg).map(|leg| &mut leg.end) {
                    trunk.over = true;
                }
                let ringing = self.ringing_phones(call);
                self.send_on(now, caller, ringing, number, RedirectKind::Redirect);
            }
            LegState::RingIn => {
                let Some(caller) = self.caller(call) else { return };
                self.remove_leg(now, leg, Transition::End);
                self.lead_on(now, caller, number, RedirectKind::Redirect);
            }
            LegState::Connected | LegState::Held if !self.is_paging(leg) => {
                let [other] = self.others(leg)[..] else {
                    return self.counters.refuse("transfer by a trunk in a conference");
                };
                let by = self.legs.get(leg).filter(|_| phone).map(|leg| leg.who.clone());
                if let (Some(by), Some(call)) = (by, self.calls.get_mut(call)) {
                    call.called = by;
                }
                self.remove_leg(now, leg, Transition::End);
                self.lead_on(now, other, number, RedirectKind::Transfer);
            }
            _ => self.counters.refuse("redirection of a call that is not up"),
        }
    }

    fn trunk_hung_up(&mut self, now: Time, leg: Handle<Leg>, cause: EndCause) {
        let Some((state, role)) = self.legs.get(leg).map(|leg| (leg.state, leg.role)) else { return };
        let phone = self.legs.get(leg).is_some_and(|leg| leg.extension().is_some());
        // A phone that does not answer messages is not there.
        let cause = if phone && cause == EndCause::NoTrunk { EndCause::Unregistered } else { cause };
        if state == LegState::RingIn && role == Role::Called {
            return self.trunk_failed(now, leg, cause);
        }
        let cause = match (cause, role) {
            (EndCause::CallerHungUp | EndCause::CalledHungUp, _) if self.is_referred(leg) => {
                EndCause::Transferred
            }
            (EndCause::CallerHungUp | EndCause::CalledHungUp, Role::Caller) => EndCause::CallerHungUp,
            (EndCause::CallerHungUp | EndCause::CalledHungUp, Role::Called) => EndCause::CalledHungUp,
            (cause, _) => cause,
        };
        self.end_leg(now, leg, cause);
    }

    /// A trunk could not do it: the next one tries, or the caller hears why. What the called party itself has said holds.
    pub(super) fn trunk_failed(&mut self, now: Time, leg: Handle<Leg>, cause: EndCause) {
        let Some((call_handle, number)) = self.legs.get(leg).map(|leg| (leg.call, leg.who.number.clone()))
        else {
            return;
        };
        let phone = self.legs.get(leg).is_some_and(|leg| leg.extension().is_some());
        let said = matches!(
            cause,
            EndCause::Busy
                | EndCause::NoAnswer
                | EndCause::UnknownNumber
                | EndCause::CalledHungUp
                | EndCause::CallerHungUp
        );
        let others = match self.calls.get_mut(call_handle) {
            Some(call) if !said && !phone => core::mem::take(&mut call.other_trunks),
            _ => Vec::new(),
        };
        match self.caller(call_handle) {
            Some(caller) if !others.is_empty() => {
                self.remove_leg(now, leg, Transition::End);
                self.try_trunks(now, caller, others, &number);
            }
            _ => self.end_leg(now, leg, cause),
        }
    }

    /// Leads a call on to another number. Whoever waits in it hears it ring there.
    pub(crate) fn lead_on(&mut self, now: Time, leg: Handle<Leg>, number: &str, kind: RedirectKind) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.role = Role::Caller;
        let (call_handle, who) = (state.call, state.who.clone());
        self.timers.cancel(Timer::ForwardNoAnswer(call_handle));
        let at = self.wall.wall(now);
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        let by = core::mem::replace(&mut call.called, Party { number: number.into(), ..Party::default() });
        call.calling = who;
        call.early = false;
        let _ = self.settle_media(now, call_handle);
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        call.redirections.push(Redirection { kind, by, to: call.called.clone(), at });
        if call.redirections.len() > MOST_REDIRECTIONS || number.parse::<LineNumber>().is_err() {
            return self.fail(now, leg, EndCause::UnknownNumber);
        }
        let target = dialplan::finish(&self.site, number).ok_or(EndCause::UnknownNumber);
        let found = target.and_then(|target| self.resolve(target)).and_then(|target| {
            let calling_as = self.calling_as(leg, &target);
            if let Some(call) = self.calls.get_mut(call_handle) {
                call.calling_as = calling_as;
            }
            self.find_forwarded(now, leg, &target)
        });
        match found {
            Err(cause) => self.fail(now, leg, cause),
            Ok(found) => {
                if let Some(call) = self.calls.get_mut(call_handle) {
                    call.called = found.called.clone();
                }
                let held = self.legs.get(leg).is_some_and(|leg| leg.state == LegState::Held);
                match &found.at {
                    _ if held => self.transition(now, leg, Transition::Parties),
                    // It is not known to ring there yet.
                    Place::Trunks(_) => self.enter(now, leg, LegState::Proceeding, Transition::Proceed),
                    Place::Phones(_) | Place::Hunt(_) | Place::Paging(_) => {}
                }
                self.ring(now, leg, found);
            }
        }
    }
}

/// A call that was led on more often goes in circles.
pub(crate) const MOST_REDIRECTIONS: usize = 10;
