//! Calls that go out over trunks.

use alloc::{boxed::Box, vec::Vec};
use core::net::SocketAddr;

use selsius_site::{CodecName, MediaPath, Name, Trunk};
use selsius_wire::Time;

use super::{TrunkEnd, TrunkLegId, TrunkOrder};
use crate::{
    arena::Handle,
    call::{End, Leg, LegState, Phase, Role, anchor::TRANSCODED},
    exchange::Exchange,
    io::Output,
    record::{EndCause, Party},
};

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
        let meet_me = call.meet_me;
        let redirecting = call.redirections.last().map(|redirection| redirection.by.clone());
        let calling = self.legs.get(caller).map(|leg| self.caller_outside(leg)).unwrap_or_default();
        let id = TrunkLegId(self.next_trunk_leg());
        let who = Party { number: number.into(), ..Party::default() };
        let relays = self.site.trunks.get(&trunk).is_some_and(Trunk::relays);
        let codecs = self.codecs_of(caller, trunk.as_str());
        let mut end = TrunkEnd::new(id, trunk.as_str().into(), relays);
        end.asked = true;
        end.audio.codecs.clone_from(&codecs);
        let Some(leg) =
            self.add_leg(call_handle, End::Trunk(Box::new(end)), who, Role::Called, LegState::RingIn)
        else {
            return;
        };
        self.watch_answer(now, call_handle);
        let offer = TrunkOrder::Offer {
            leg: id,
            trunk: trunk.as_str().into(),
            contact: None,
            number: number.into(),
            calling,
            redirecting,
            codecs,
            packet_ms: self.site.settings.packet_ms,
            listens: None,
            emergency,
            meet_me,
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
    pub(crate) fn offer_when_anchored(
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

    /// What this side of a call can speak over this trunk, the best first: what the caller can, and after that what the
    /// manager can turn that into.
    pub(super) fn codecs_of(&self, handle: Handle<Leg>, name: &str) -> Vec<CodecName> {
        let phone = self.site_phone(name).map(|phone| (&phone.codecs, phone.media == MediaPath::Relay));
        let terms = phone.or_else(|| self.site_trunk(name).map(|trunk| (&trunk.codecs, trunk.relays())));
        let (Some(leg), Some((own, relays))) = (self.legs.get(handle), terms) else { return Vec::new() };
        let can = |name: &CodecName| match &leg.end {
            End::Station(station) => {
                self.devices.get(station.device).is_some_and(|device| device.best(*name).is_some())
            }
            End::Trunk(trunk) => trunk.can(*name),
        };
        let all = if own.is_empty() { &self.site.settings.codecs } else { own };
        let anchored = relays || self.is_relayed(leg);
        let turned = anchored && self.mixed_audio(handle).is_some();
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
}
