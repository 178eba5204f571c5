//! Audio that goes through the manager: conferences, trunks that are relayed, phones behind a translation of addresses,
//! parties without a codec in common, music for those who wait.
//!
//! The manager's media services are asked by [`AnchorOrder`]s and answer with an address for each party. As with trunks, what
//! they are told is derived: call control says where a party's audio belongs, the difference to what they were told is
//! the order.

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

use selsius_site::{CodecName, Name};
use selsius_wire::{Time, srtp::PartyKeys};

use super::{Audio, Call, End, Leg, LegState, Phase, Receive};
use crate::{
    arena::Handle,
    exchange::{Exchange, Timer},
    io::{AnchorOrder, Hears, Output},
    view::Transition,
};

/// What the media services can turn into each other, the best for it first: of G.722 they hear the lower half of the band. All
/// else they can only carry from one party to another.
pub(crate) const TRANSCODED: [CodecName; 3] = [CodecName::Pcmu, CodecName::Pcma, CodecName::G722];

/// The payload type of digits in a phone's audio: what Cisco phones use unless they are told another one.
const PHONE_EVENTS: u8 = 101;

/// A party's place at the media services, as they were told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) hears: Hears,
    audio: Audio,
    pub(super) srtp: Option<PartyKeys>,
    /// Where they listen to it, once they have said so.
    pub(crate) address: Option<SocketAddr>,
}

impl Anchor {
    /// What the services are told when a party has other keys.
    pub(super) fn rekey(
        &mut self,
        party: u32,
        events: Option<u8>,
        srtp: Option<PartyKeys>,
    ) -> Option<AnchorOrder> {
        if self.srtp == srtp {
            return None;
        }
        self.srtp = srtp;
        Some(AnchorOrder::Change { party, hears: self.hears.clone(), audio: self.audio, events, srtp })
    }

    /// Where the party is to send; whoever hears music sends nothing.
    pub(crate) fn listens(&self) -> Option<SocketAddr> {
        self.address.filter(|_| matches!(self.hears, Hears::Bridge(_)))
    }
}

impl Exchange {
    /// Does the audio of this leg go through the manager, whoever it talks to?
    pub(super) fn is_relayed(&self, leg: &Leg) -> bool {
        match &leg.end {
            End::Station(station) => self.devices.get(station.device).is_some_and(|device| device.relayed),
            End::Trunk(trunk) => trunk.relays(),
        }
    }

    /// What a party hears that waits for somebody: on hold, parked.
    pub(super) fn music(&self, call: &Call, handle: Handle<Leg>) -> Option<Name> {
        self.legs.get(handle).filter(|leg| leg.state == LegState::Connected)?;
        let others = || call.legs.iter().filter(|&&other| other != handle);
        let held =
            |&&other: &&Handle<Leg>| self.legs.get(other).is_some_and(|other| other.state == LegState::Held);
        let waits = match call.phase {
            Phase::Parked => true,
            Phase::Talking => call.legs.len() > 1 && call.mixed.is_none() && others().all(|leg| held(&leg)),
            _ => false,
        };
        if !waits {
            return None;
        }
        // Whoever holds decides what is played.
        let holder = others().find_map(|&other| self.legs.get(other)?.device());
        let pool = holder.and_then(|holder| {
            let name = &self.devices.get(holder)?.name;
            self.site.pools.get(self.site.devices.get(name)?.pool.as_ref()?)
        });
        pool.and_then(|pool| pool.music.as_ref()).or(self.site.settings.music.as_ref()).cloned()
    }

    /// Brings the place of a leg at the media services up to date; `None` is none.
    pub(super) fn anchor(&mut self, handle: Handle<Leg>, wanted: Option<(Hears, Audio)>) {
        let Some((hears, audio)) = wanted else { return self.release_anchor(handle) };
        let near = self.near_address(handle);
        let Some(leg) = self.legs.get_mut(handle) else { return };
        let (events, srtp) = match &leg.end {
            End::Trunk(trunk) => (trunk.audio.events, trunk.audio.srtp),
            End::Station(_) => (Some(PHONE_EVENTS), leg.secured.map(|secured| secured.keys)),
        };
        let listens = match leg.receive {
            Receive::Open(address) => Some(address),
            Receive::Closed | Receive::Opening => None,
        };
        let party = leg.party;
        let order = match &mut leg.anchor {
            None => {
                leg.anchor = Some(Anchor { hears: hears.clone(), audio, srtp, address: None });
                AnchorOrder::Join { party, hears, audio, events, srtp, listens, near }
            }
            Some(anchor) if anchor.hears == hears && anchor.audio == audio && anchor.srtp == srtp => return,
            Some(anchor) => {
                (anchor.hears, anchor.audio, anchor.srtp) = (hears.clone(), audio, srtp);
                AnchorOrder::Change { party, hears, audio, events, srtp }
            }
        };
        self.order_anchor(order);
    }

    /// A leg that was to hear music hears nothing instead, and its call goes on. `false` if it hears no music.
    pub(super) fn misses_music(&mut self, handle: Handle<Leg>) -> bool {
        let Some(leg) = self.legs.get_mut(handle) else { return false };
        if !leg.anchor.as_ref().is_some_and(|anchor| matches!(anchor.hears, Hears::Music(_))) {
            return false;
        }
        (leg.audio, leg.receive, leg.secured) = (None, Receive::Closed, None);
        self.timers.cancel(Timer::Media(handle));
        self.release_anchor(handle);
        true
    }

    /// The leg needs the media services no more.
    pub(super) fn release_anchor(&mut self, handle: Handle<Leg>) {
        let Some(leg) = self.legs.get_mut(handle) else { return };
        if leg.anchor.take().is_some() {
            let party = leg.party;
            self.order_anchor(AnchorOrder::Leave { party });
        }
    }

    /// As [`Self::release_anchor`], for a leg that is gone already.
    pub(super) fn release_anchor_of(&mut self, leg: &Leg) {
        if leg.anchor.is_some() {
            self.order_anchor(AnchorOrder::Leave { party: leg.party });
        }
    }

    pub(super) fn order_anchor(&mut self, order: AnchorOrder) {
        self.out.push_back(Output::Anchor(Box::new(order)));
    }

    /// Our address, as the phone has reached it; for a trunk as a phone of the same call has. (Where else a trunk reaches us
    /// is the trunk's business.)
    pub(super) fn near_address(&self, handle: Handle<Leg>) -> Option<IpAddr> {
        let call = self.calls.get(self.legs.get(handle)?.call)?;
        [handle].iter().chain(&call.legs).find_map(|&leg| {
            let device = self.devices.get(self.legs.get(leg)?.device()?)?;
            Some(self.sessions.get(&device.session)?.peer.local.ip())
        })
    }

    /// The media services say where they listen to a party; `None` if they cannot take it.
    pub(crate) fn anchor_answered(&mut self, now: Time, party: u32, address: Option<SocketAddr>) {
        let Some(&handle) = self.parties.get(&party) else {
            return self.counters.refuse("answer of the media services for no leg");
        };
        let Some(anchor) = self.legs.get_mut(handle).and_then(|leg| leg.anchor.as_mut()) else {
            return self.counters.refuse("answer of the media services for a leg without them");
        };
        anchor.address = address;
        if self.offer_when_anchored(now, handle, address) {
            return;
        }
        self.transition(now, handle, Transition::Media);
    }
}
