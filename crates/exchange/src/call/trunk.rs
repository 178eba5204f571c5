//! The seam to other telephone systems: a leg that is no phone.
//!
//! A trunk is asked by [`TrunkOrder`]s and answers by [`TrunkEvent`]s; who speaks SIP or H.323 behind it is none of the
//! exchange's business. As with phones, what a trunk is told is derived: call control changes the state of the leg, and
//! the difference to what the trunk was told is the order.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use selsius_site::{CodecName, Dtmf, LineNumber, Name, Trunk, TrunkKind};
use selsius_wire::Time;

use super::{Audio, Call, End, Leg, LegState, Phase, Receive, Role, anchor::TRANSCODED, control::Place};
use crate::{
    arena::Handle,
    dialplan::{self, Destination, Target},
    exchange::Exchange,
    io::{AnchorOrder, Hears, Output},
    record::{EndCause, Party},
    view::Transition,
};

/// Names a call towards a trunk. Those that the exchange begins are even, those that a trunk begins are odd: neither
/// side has to ask the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrunkLegId(pub u64);

/// The exchange wants something of a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrunkOrder {
    /// Call this number.
    Offer {
        /// The name of the call from now on.
        leg: TrunkLegId,
        /// Over which trunk, by its name in the site.
        trunk: String,
        /// Whom.
        number: String,
        /// Who calls.
        calling: Party,
        /// Who forwarded the call last.
        redirecting: Option<Party>,
        /// What the other side can do, the best first.
        codecs: Vec<CodecName>,
        /// Packet time in milliseconds.
        packet_ms: u32,
        /// Where this side listens; `None` is not known before somebody answers.
        listens: Option<SocketAddr>,
        /// An emergency call.
        emergency: bool,
    },
    /// The phone that the trunk called rings.
    Ringing {
        /// Which call.
        leg: TrunkLegId,
    },
    /// The phone that the trunk called has answered.
    Answer {
        /// Which call.
        leg: TrunkLegId,
        /// Who answered.
        by: Party,
        /// The codec that was agreed on; where to send follows with [`TrunkOrder::Media`].
        audio: Option<Audio>,
    },
    /// The audio of the call, from now on.
    Media {
        /// Which call.
        leg: TrunkLegId,
        /// The codec.
        audio: Audio,
        /// Where to send.
        address: SocketAddr,
    },
    /// This side has put the call on hold, or takes it up again.
    Hold {
        /// Which call.
        leg: TrunkLegId,
        /// Is it on hold?
        held: bool,
    },
    /// Who is on this side has changed: a transfer.
    Party {
        /// Which call.
        leg: TrunkLegId,
        /// Who it is now.
        party: Party,
    },
    /// The user pressed a key.
    Digit {
        /// Which call.
        leg: TrunkLegId,
        /// Which key: a digit, `*` or `#`.
        digit: char,
    },
    /// It is over. Nothing follows, in either direction.
    HangUp {
        /// Which call.
        leg: TrunkLegId,
        /// Why.
        cause: EndCause,
    },
}

/// Something happened at a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrunkEvent {
    /// It calls a number here.
    Offer {
        /// The name of the call from now on; odd, and never used before.
        leg: TrunkLegId,
        /// Which trunk, by its name in the site.
        trunk: String,
        /// Whom it calls.
        number: String,
        /// Who calls.
        calling: Party,
        /// What the other side can do, the best first.
        codecs: Vec<CodecName>,
        /// Where it listens, if it said so already.
        address: Option<SocketAddr>,
        /// The payload type of digits in the audio (RFC 4733), if it can do these.
        events: Option<u8>,
        /// Who has sent the call on to this number, outside.
        redirecting: Option<Box<Party>>,
    },
    /// The far end rings, or is looked for.
    Progress {
        /// Which call.
        leg: TrunkLegId,
        /// Does it ring?
        ringing: bool,
        /// The far end sends its own tones or announcements: the codec, and where it listens.
        early: Option<(CodecName, SocketAddr)>,
        /// The payload type of digits in the audio, if that is known.
        events: Option<u8>,
    },
    /// The far end has answered.
    Answered {
        /// Which call.
        leg: TrunkLegId,
        /// The codec that it chose out of those offered.
        codec: Option<CodecName>,
        /// Where it listens; if that is not known yet, [`TrunkEvent::Media`] follows.
        address: Option<SocketAddr>,
        /// The payload type of digits in the audio, if it can do these.
        events: Option<u8>,
    },
    /// The far end listens somewhere else.
    Media {
        /// Which call.
        leg: TrunkLegId,
        /// Where it listens now.
        address: SocketAddr,
    },
    /// The far end has put the call on hold, or takes it up again.
    Hold {
        /// Which call.
        leg: TrunkLegId,
        /// Is it on hold?
        held: bool,
    },
    /// The far end wants the call to go to another number of ours (a redirection while it rings, a transfer in the
    /// conversation).
    Redirect {
        /// Which call.
        leg: TrunkLegId,
        /// Where to.
        number: String,
    },
    /// The far end pressed a key, and said so by a message.
    Digit {
        /// Which call.
        leg: TrunkLegId,
        /// Which key: a digit, `*`, `#` or a letter from A to D.
        digit: char,
    },
    /// It is over.
    HungUp {
        /// Which call.
        leg: TrunkLegId,
        /// Why.
        cause: EndCause,
    },
}

/// The end of a leg at a trunk.
#[derive(Debug)]
pub(crate) struct TrunkEnd {
    pub(crate) id: TrunkLegId,
    pub(crate) trunk: String,
    /// What the far end can do, the best first.
    codecs: Vec<CodecName>,
    /// The payload type of digits in its audio.
    pub(super) events: Option<u8>,
    /// Its audio goes through the manager.
    relays: bool,
    /// This side has called it.
    asked: bool,
    /// What it will be asked as soon as it is known where this side listens.
    offer: Option<Box<TrunkOrder>>,
    /// What the trunk was told.
    told: Told,
    /// It has said itself that the call is over.
    over: bool,
}

/// What a trunk was told of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Told {
    ringing: bool,
    answered: bool,
    party: Option<Party>,
    held: bool,
    /// Kept while the call is on hold: it goes on where it was.
    send: Option<(Audio, SocketAddr)>,
}

impl TrunkEnd {
    fn new(id: TrunkLegId, trunk: String, relays: bool) -> Self {
        let codecs = Vec::new();
        Self {
            id,
            trunk,
            codecs,
            events: None,
            relays,
            asked: false,
            offer: None,
            told: Told::default(),
            over: false,
        }
    }

    /// Does its audio go through the manager?
    pub(super) fn relays(&self) -> bool {
        self.relays
    }

    /// Is its place at the media services kept while nobody talks? The far end has been told where to send, and what it
    /// sends need not stop for a hold.
    pub(super) fn keeps_anchor(&self) -> bool {
        self.relays && (self.asked || self.told.answered)
    }

    /// Can the far end speak this codec? One that has not said what it can do can speak any.
    pub(crate) fn can(&self, codec: CodecName) -> bool {
        self.codecs.is_empty() || self.codecs.contains(&codec)
    }
}

impl Exchange {
    /// Asks the first of these trunks that has room to call a number for the caller of this call; the others are kept
    /// for the case that it cannot.
    pub(crate) fn try_trunks(&mut self, now: Time, caller: Handle<Leg>, mut trunks: Vec<Name>, number: &str) {
        let Some(call_handle) = self.legs.get(caller).map(|leg| leg.call) else { return };
        let emergency = self.calls.get(call_handle).is_some_and(|call| call.emergency);
        let Some(at) = trunks.iter().position(|trunk| emergency || self.has_room(trunk)) else {
            return self.fail(now, caller, EndCause::NoTrunk);
        };
        let trunk = trunks.remove(at);
        trunks.drain(..at);
        let wall = self.wall.wall(now);
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        call.phase = Phase::Ringing;
        call.early = false;
        call.other_trunks = trunks;
        call.trunk = Some(trunk.clone());
        call.ringing.get_or_insert(wall);
        let redirecting = call.redirections.last().map(|redirection| redirection.by.clone());
        let calling = self.legs.get(caller).map(|leg| self.caller_outside(leg)).unwrap_or_default();
        let id = TrunkLegId(self.next_trunk_leg());
        let who = Party { number: number.into(), ..Party::default() };
        let relays = self.site.trunks.get(&trunk).is_some_and(Trunk::relays);
        let codecs = self.codecs_of(caller, &trunk);
        let mut end = TrunkEnd::new(id, trunk.as_str().into(), relays);
        end.asked = true;
        end.codecs.clone_from(&codecs);
        let Some(leg) = self.add_leg(call_handle, End::Trunk(end), who, Role::Called, LegState::RingIn)
        else {
            return;
        };
        self.watch_answer(now, call_handle);
        let offer = TrunkOrder::Offer {
            leg: id,
            trunk: trunk.as_str().into(),
            number: number.into(),
            calling,
            redirecting,
            codecs,
            packet_ms: self.site.settings.packet_ms,
            listens: None,
            emergency,
        };
        if !relays {
            return self.order(offer);
        }
        if let Some(End::Trunk(trunk)) = self.legs.get_mut(leg).map(|leg| &mut leg.end) {
            trunk.offer = Some(Box::new(offer));
        }
        if self.settle_media(now, call_handle).is_err() {
            self.trunk_failed(now, leg, EndCause::NoCommonCodec);
        }
    }

    /// It is known where this side listens to a trunk that is to be asked; `None` if it cannot. `false` if there is none
    /// to ask.
    pub(super) fn offer_when_anchored(
        &mut self,
        now: Time,
        leg: Handle<Leg>,
        address: Option<SocketAddr>,
    ) -> bool {
        let Some(End::Trunk(trunk)) = self.legs.get_mut(leg).map(|leg| &mut leg.end) else { return false };
        if trunk.offer.is_some() && address.is_none() {
            self.trunk_failed(now, leg, EndCause::MediaFailure);
            return true;
        }
        let Some(mut offer) = trunk.offer.take() else { return false };
        if let TrunkOrder::Offer { listens, .. } = &mut *offer {
            *listens = address;
        }
        self.out.push_back(Output::Trunk(offer));
        true
    }

    fn order(&mut self, order: TrunkOrder) {
        self.out.push_back(Output::Trunk(Box::new(order)));
    }

    /// What this side of a call can speak over this trunk, the best first: what the caller can, and after that what the
    /// manager can turn that into.
    fn codecs_of(&self, handle: Handle<Leg>, name: &Name) -> Vec<CodecName> {
        let (Some(leg), Some(trunk)) = (self.legs.get(handle), self.site.trunks.get(name)) else {
            return Vec::new();
        };
        let can = |name: &CodecName| match &leg.end {
            End::Station(station) => {
                self.devices.get(station.device).is_some_and(|device| device.best(*name).is_some())
            }
            End::Trunk(trunk) => trunk.can(*name),
        };
        let own = &trunk.codecs;
        let all = if own.is_empty() { &self.site.settings.codecs } else { own };
        let turned = trunk.relays() && self.mixed_audio(handle).is_some();
        let turned = all.iter().filter(|codec| turned && !can(codec) && TRANSCODED.contains(codec));
        all.iter().filter(|codec| can(codec)).chain(turned).copied().collect()
    }

    /// May one more call go over this trunk?
    fn has_room(&self, name: &Name) -> bool {
        let most = self.site.trunks.get(name).map_or(0, |trunk| trunk.calls);
        let here = |handle: &&Handle<Leg>| match self.legs.get(**handle).map(|leg| &leg.end) {
            Some(End::Trunk(trunk)) => trunk.trunk == name.as_str(),
            _ => false,
        };
        self.trunk_legs.values().filter(here).count() < usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// The address at which a phone that is in a trunk's call reaches the manager; `None` if there is no phone in it. What
    /// listens for the trunk at that address hears the phone.
    pub fn reached_by(&self, leg: TrunkLegId) -> Option<IpAddr> {
        self.near_address(self.trunk_leg(leg)?)
    }

    /// The trunk that a call is recorded with. A call that came in, or that a transfer took out of one that went out, has
    /// the trunk of one of its legs.
    pub(crate) fn trunk_of(&self, call: &Call) -> String {
        if let Some(trunk) = &call.trunk {
            return trunk.as_str().into();
        }
        let mut trunks = call.legs.iter().filter_map(|&leg| match &self.legs.get(leg)?.end {
            End::Trunk(trunk) => Some(trunk.trunk.clone()),
            End::Station(_) => None,
        });
        trunks.next_back().unwrap_or_default()
    }

    /// A trunk says something.
    pub(crate) fn trunk_event(&mut self, now: Time, event: TrunkEvent) {
        let leg = match &event {
            TrunkEvent::Offer { .. } => None,
            TrunkEvent::Progress { leg, .. }
            | TrunkEvent::Answered { leg, .. }
            | TrunkEvent::Media { leg, .. }
            | TrunkEvent::Hold { leg, .. }
            | TrunkEvent::Redirect { leg, .. }
            | TrunkEvent::Digit { leg, .. }
            | TrunkEvent::HungUp { leg, .. } => {
                let Some(handle) = self.trunk_leg(*leg) else {
                    // It ended here while the word was on its way.
                    return self.counters.refuse("event for no call of a trunk");
                };
                Some(handle)
            }
        };
        match (event, leg) {
            (TrunkEvent::Offer { leg, trunk, number, calling, codecs, address, events, redirecting }, _) => {
                let relays = self.site_trunk(&trunk).is_some_and(Trunk::relays);
                let mut end = TrunkEnd::new(leg, trunk, relays);
                (end.codecs, end.events) = (codecs, events);
                self.trunk_calls(now, end, &number, calling, (address, redirecting));
            }
            (TrunkEvent::Progress { ringing, early, events, .. }, Some(leg)) => {
                self.trunk_digits(leg, events);
                self.trunk_progress(now, leg, ringing, early);
            }
            (TrunkEvent::Answered { codec, address, events, .. }, Some(leg)) => {
                self.trunk_digits(leg, events);
                self.trunk_media(leg, codec, address);
                if self.legs.get(leg).is_some_and(|leg| leg.state == LegState::RingIn) {
                    self.answer(now, leg);
                } else {
                    self.counters.refuse("answer without ringing");
                }
            }
            (TrunkEvent::Media { address, .. }, Some(leg)) => {
                self.trunk_media(leg, None, Some(address));
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
            (TrunkEvent::HungUp { cause, .. }, Some(leg)) => {
                if let Some(End::Trunk(trunk)) = self.legs.get_mut(leg).map(|leg| &mut leg.end) {
                    trunk.over = true;
                }
                self.trunk_hung_up(now, leg, cause);
            }
            (_, None) => {}
        }
    }

    fn trunk_leg(&self, id: TrunkLegId) -> Option<Handle<Leg>> {
        self.trunk_legs.get(&id).copied()
    }

    /// A call comes in.
    fn trunk_calls(
        &mut self,
        now: Time,
        end: TrunkEnd,
        number: &str,
        calling: Party,
        (address, redirecting): (Option<SocketAddr>, Option<Box<Party>>),
    ) {
        let id = end.id;
        let trunk = self.site_trunk(&end.trunk).cloned().unwrap_or_default();
        let refuse = |exchange: &mut Self, cause| {
            exchange.order(TrunkOrder::HangUp { leg: id, cause });
        };
        if self.trunk_legs.contains_key(&id) || self.is_stopping() {
            return refuse(self, EndCause::Shutdown);
        }
        // Whoever calls from outside has no phone of ours, whatever the trunk says.
        let calling = Party { device: None, ..calling };
        let at = self.wall.wall(now);
        let call = self.add_call(calling.clone());
        if let Some(call) = self.calls.get_mut(call) {
            call.dialed = number.into();
            let to = Party { number: number.into(), ..Party::default() };
            let kind = crate::record::RedirectKind::Redirect;
            call.redirections.extend(redirecting.map(|by| crate::record::Redirection {
                kind,
                by: *by,
                to,
                at,
            }));
        }
        let added = self.add_leg(call, End::Trunk(end), calling, Role::Caller, LegState::Proceeding);
        let Some(leg) = added else { return };
        if let (Some(leg), Some(address)) = (self.legs.get_mut(leg), address) {
            leg.receive = Receive::Open(address);
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

    fn trunk_progress(
        &mut self,
        now: Time,
        leg: Handle<Leg>,
        ringing: bool,
        early: Option<(CodecName, SocketAddr)>,
    ) {
        let Some(call) = self.legs.get(leg).filter(|leg| leg.state == LegState::RingIn).map(|leg| leg.call)
        else {
            return self.counters.refuse("progress of a call that is up");
        };
        let Some(caller) = self.caller(call) else { return };
        if early.is_some() {
            self.trunk_media(leg, early.map(|early| early.0), early.map(|early| early.1));
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
        } else if early.is_some() {
            self.transition(now, caller, Transition::Media);
        }
    }

    fn trunk_digits(&mut self, leg: Handle<Leg>, events: Option<u8>) {
        if let Some(End::Trunk(trunk)) = self.legs.get_mut(leg).map(|leg| &mut leg.end) {
            trunk.events = events.or(trunk.events);
        }
    }

    /// Where the far end listens, and the codec that it chose.
    fn trunk_media(&mut self, leg: Handle<Leg>, codec: Option<CodecName>, address: Option<SocketAddr>) {
        let Some(leg) = self.legs.get_mut(leg) else { return };
        if let (Some(codec), End::Trunk(trunk)) = (codec, &mut leg.end) {
            trunk.codecs = [codec].into();
        }
        let Some(address) = address else { return };
        let known = leg.receive == Receive::Open(address);
        leg.receive = Receive::Open(address);
        if leg.anchor.is_some() && !known {
            let party = leg.party;
            self.order_anchor(AnchorOrder::Send { party, address });
        }
    }

    /// The far end sends whoever it is connected with to another number.
    fn trunk_redirects(&mut self, now: Time, leg: Handle<Leg>, number: &str) {
        let Some((call, state)) = self.legs.get(leg).map(|leg| (leg.call, leg.state)) else { return };
        let target = dialplan::finish(&self.site, number);
        let may = target.is_none_or(|target| match self.legs.get(leg).map(|leg| &leg.end) {
            Some(End::Trunk(end)) => {
                let trunk = self.site_trunk(&end.trunk);
                trunk.is_some_and(|trunk| self.may_enter(trunk, &target))
            }
            _ => false,
        });
        match state {
            LegState::RingIn if !may => {
                self.counters.refuse("redirection from outside to what is not for it");
                self.trunk_failed(now, leg, EndCause::Blocked);
            }
            LegState::Connected | LegState::Held if !may => {
                self.counters.refuse("transfer from outside to what is not for it");
            }
            LegState::RingIn => {
                let Some(caller) = self.caller(call) else { return };
                self.remove_leg(now, leg, Transition::End);
                self.lead_on(now, caller, number, crate::record::RedirectKind::Redirect);
            }
            LegState::Connected | LegState::Held if !self.is_paging(leg) => {
                let [other] = self.others(leg)[..] else {
                    return self.counters.refuse("transfer by a trunk in a conference");
                };
                self.remove_leg(now, leg, Transition::End);
                self.lead_on(now, other, number, crate::record::RedirectKind::Transfer);
            }
            _ => self.counters.refuse("redirection of a call that is not up"),
        }
    }

    fn trunk_hung_up(&mut self, now: Time, leg: Handle<Leg>, cause: EndCause) {
        let Some((state, role)) = self.legs.get(leg).map(|leg| (leg.state, leg.role)) else { return };
        if state == LegState::RingIn && role == Role::Called {
            return self.trunk_failed(now, leg, cause);
        }
        let cause = match (cause, role) {
            (EndCause::CallerHungUp | EndCause::CalledHungUp, Role::Caller) => EndCause::CallerHungUp,
            (EndCause::CallerHungUp | EndCause::CalledHungUp, Role::Called) => EndCause::CalledHungUp,
            (cause, _) => cause,
        };
        self.end_leg(now, leg, cause);
    }

    /// A trunk could not do it: the next one tries, or the caller hears why. What the called party itself has said holds.
    fn trunk_failed(&mut self, now: Time, leg: Handle<Leg>, cause: EndCause) {
        let Some((call_handle, number)) = self.legs.get(leg).map(|leg| (leg.call, leg.who.number.clone()))
        else {
            return;
        };
        let said = matches!(
            cause,
            EndCause::Busy
                | EndCause::NoAnswer
                | EndCause::UnknownNumber
                | EndCause::CalledHungUp
                | EndCause::CallerHungUp
        );
        let others = match self.calls.get_mut(call_handle) {
            Some(call) if !said => core::mem::take(&mut call.other_trunks),
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

    /// Tells a trunk what has changed.
    pub(crate) fn tell_trunk(&mut self, _now: Time, handle: Handle<Leg>) {
        let Some(leg) = self.legs.get(handle) else { return };
        let End::Trunk(trunk) = &leg.end else { return };
        let (id, told) = (trunk.id, trunk.told.clone());
        let peer = self.peer(handle).and_then(|peer| self.legs.get(peer));
        let answered = matches!(leg.state, LegState::Connected | LegState::Held);
        let parked = self.calls.get(leg.call).is_some_and(|call| call.phase == Phase::Parked);
        let party = self.calls.get(leg.call).map(|call| match leg.role {
            Role::Caller => call.called.clone(),
            Role::Called => self.caller_outside(leg),
        });
        let early = self.calls.get(leg.call).is_some_and(|call| call.early);
        let send = leg.audio.filter(|_| answered || early).and_then(|audio| {
            let address = match (&leg.anchor, peer.map(|peer| peer.receive)) {
                (Some(anchor), _) => anchor.address?,
                (None, Some(Receive::Open(address))) => address,
                (None, _) => return None,
            };
            Some((audio, address))
        });
        let ringing = leg.state == LegState::RingOut;
        let music = leg.anchor.as_ref().is_some_and(|anchor| matches!(anchor.hears, Hears::Music(_)));
        let wanted = Told {
            ringing: told.ringing || ringing,
            answered: told.answered || answered,
            party: party.clone().filter(|_| answered),
            held: answered && !music && (peer.is_some_and(|peer| peer.state == LegState::Held) || parked),
            send: send.or(told.send),
        };
        if wanted == told {
            return;
        }
        let caller = leg.role == Role::Caller;
        let mut orders = Vec::new();
        if wanted.ringing && !told.ringing && caller {
            orders.push(TrunkOrder::Ringing { leg: id });
        }
        if wanted.answered && !told.answered && caller {
            let by = party.unwrap_or_default();
            orders.push(TrunkOrder::Answer { leg: id, by, audio: leg.audio });
        } else if let (Some(party), true) =
            (&wanted.party, told.party.is_some() && wanted.party != told.party)
        {
            orders.push(TrunkOrder::Party { leg: id, party: party.clone() });
        }
        if wanted.held != told.held {
            orders.push(TrunkOrder::Hold { leg: id, held: wanted.held });
        }
        if let Some((audio, address)) = wanted.send.filter(|_| wanted.send != told.send) {
            orders.push(TrunkOrder::Media { leg: id, audio, address });
        }
        if let Some(End::Trunk(trunk)) = self.legs.get_mut(handle).map(|leg| &mut leg.end) {
            trunk.told = wanted;
        }
        self.out.extend(orders.into_iter().map(|order| Output::Trunk(Box::new(order))));
    }

    /// The leg is gone: the trunk is told, unless it has said so itself.
    pub(crate) fn release_trunk(&mut self, trunk: &TrunkEnd, cause: Option<EndCause>) {
        self.trunk_legs.remove(&trunk.id);
        // One that was never asked knows nothing of it.
        if !trunk.over && trunk.offer.is_none() {
            let cause = cause.unwrap_or(EndCause::CallerHungUp);
            self.order(TrunkOrder::HangUp { leg: trunk.id, cause });
        }
    }

    /// A digit in a call is the far end's business. Phones send it in the audio to each other (RFC 4733 or in band); a
    /// trunk is told, in the audio where its far end can take it there.
    pub(crate) fn digit_in_call(&mut self, leg: Handle<Leg>, digit: char) {
        for other in self.others(leg) {
            let Some(leg) = self.legs.get(other) else { continue };
            let End::Trunk(trunk) = &leg.end else { continue };
            let by_message = self.site_trunk(&trunk.trunk).is_some_and(|trunk| trunk.dtmf == Dtmf::Info);
            let party = leg.party;
            if trunk.events.is_some() && leg.anchor.is_some() && !by_message {
                self.order_anchor(AnchorOrder::Digit { party, digit });
            } else {
                self.order(TrunkOrder::Digit { leg: trunk.id, digit });
            }
        }
    }

    fn site_trunk(&self, name: &str) -> Option<&Trunk> {
        self.site.trunks.get(&name.parse::<Name>().ok()?)
    }

    /// Leads a call on to another number. Whoever waits in it hears it ring there.
    pub(crate) fn lead_on(
        &mut self,
        now: Time,
        leg: Handle<Leg>,
        number: &str,
        kind: crate::record::RedirectKind,
    ) {
        let Some(state) = self.legs.get_mut(leg) else { return };
        state.role = Role::Caller;
        let (call_handle, who) = (state.call, state.who.clone());
        self.timers.cancel(crate::exchange::Timer::ForwardNoAnswer(call_handle));
        let at = self.wall.wall(now);
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        let by = core::mem::replace(&mut call.called, Party { number: number.into(), ..Party::default() });
        call.calling = who;
        call.early = false;
        let _ = self.settle_media(now, call_handle);
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        call.redirections.push(crate::record::Redirection { kind, by, to: call.called.clone(), at });
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
                    Place::Stations(_) | Place::Hunt(_) | Place::Paging(_) => {}
                }
                self.ring(now, leg, found);
            }
        }
    }
}

/// A call that was led on more often goes in circles.
pub(crate) const MOST_REDIRECTIONS: usize = 10;
