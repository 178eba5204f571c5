//! What trunks are told: the difference to what they were told before.

use alloc::{boxed::Box, vec::Vec};

use selsius_site::Dtmf;
use selsius_wire::Time;

use super::{Told, TrunkEnd, TrunkOrder};
use crate::{
    arena::Handle,
    call::{End, Leg, LegState, Phase, Receive, Role},
    exchange::Exchange,
    io::{AnchorOrder, Hears, Output},
    record::{EndCause, Party},
};

impl Exchange {
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
            Role::Called if leg.extension().is_some() => {
                Party { number: call.shown_calling().into(), ..call.calling.clone() }
            }
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

    /// A digit in a call is the far end's business. Phones send it in the audio to each other (RFC 4733 or in band); a
    /// trunk is told: by events or tones in the audio that goes through the manager, where its far end takes these, else by
    /// message.
    pub(crate) fn digit_in_call(&mut self, leg: Handle<Leg>, digit: char) {
        for other in self.others(leg) {
            let Some(leg) = self.legs.get(other) else { continue };
            let End::Trunk(trunk) = &leg.end else { continue };
            let dtmf = self.dtmf_of(&trunk.trunk);
            let party = leg.party;
            let in_audio = leg.anchor.as_ref().is_some_and(|anchor| match dtmf {
                Dtmf::Auto | Dtmf::Rfc4733 => anchor.takes_events(&trunk.audio),
                Dtmf::Inband => anchor.carries_tones(),
                Dtmf::Info => false,
            });
            if in_audio {
                self.order_anchor(AnchorOrder::Digit { party, digit });
            } else {
                self.order(TrunkOrder::Digit { leg: trunk.id, digit });
            }
        }
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
}
