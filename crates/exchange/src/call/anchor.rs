//! Audio that goes through the manager: conferences, trunks that are relayed, phones behind a translation of addresses,
//! parties without a codec in common, calls that are recorded, music for those who wait.
//!
//! The manager's media services are asked by [`AnchorOrder`]s and answer with an address for each party. As with trunks, what
//! they are told is derived: call control says where a party's audio belongs, the difference to what they were told is
//! the order.

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

use selsius_site::{CodecName, Name};
use selsius_wire::{Time, srtp::PartyKeys};

use super::{Audio, Call, End, Leg, LegState, Phase, Receive, media::codec_name, trunk::RemoteAudio};
use crate::{
    arena::Handle,
    exchange::{Exchange, Timer},
    io::{AnchorOrder, Hears, Output},
    view::Transition,
};

/// What the media services can turn into each other, the cheapest first. All else they can only carry from one party to another.
pub(crate) const TRANSCODED: [CodecName; 4] =
    [CodecName::Pcmu, CodecName::Pcma, CodecName::G722, CodecName::Opus];

/// The payload type of digits in a phone's audio: what Cisco phones use unless they are told another one.
const PHONE_EVENTS: u8 = 101;

/// A party's place at the media services, as they were told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) hears: Hears,
    audio: Audio,
    payload: Option<u8>,
    pub(super) srtp: Option<PartyKeys>,
    /// Where they listen to it, once they have said so.
    pub(crate) address: Option<SocketAddr>,
    /// What the party says and hears is recorded.
    pub(crate) recorded: bool,
    /// Is it the one who talks in its conference?
    pub(crate) talks: bool,
}

impl Anchor {
    /// Is it with others?
    pub(crate) fn is_at_bridge(&self) -> bool {
        matches!(self.hears, Hears::Bridge(_))
    }

    /// What the services are told when a party has other keys.
    pub(super) fn rekey(&mut self, party: u32, said: &RemoteAudio) -> Option<AnchorOrder> {
        let srtp = said.srtp.as_deref().copied();
        if self.srtp == srtp {
            return None;
        }
        self.srtp = srtp;
        Some(AnchorOrder::Change {
            party,
            hears: self.hears.clone(),
            audio: self.audio,
            payload: self.payload,
            events: said.events_in(self.audio.codec),
            srtp,
        })
    }

    /// Where the party is to send; whoever hears music sends nothing.
    pub(crate) fn listens(&self) -> Option<SocketAddr> {
        self.address.filter(|_| self.is_at_bridge())
    }

    /// Does the far end of a trunk take digits as events in what is spoken?
    pub(super) fn takes_events(&self, audio: &RemoteAudio) -> bool {
        audio.events_in(self.audio.codec).is_some()
    }

    /// Can the media services put tones into the party's audio?
    pub(super) fn carries_tones(&self) -> bool {
        codec_name(self.audio.codec).is_some_and(|codec| TRANSCODED.contains(&codec))
    }
}

impl Exchange {
    /// Does the audio of this leg go through the manager, whoever it talks to?
    pub(crate) fn is_relayed(&self, leg: &Leg) -> bool {
        match &leg.end {
            End::Station(station) => self.devices.get(station.device).is_some_and(|device| device.relayed),
            End::Trunk(trunk) => trunk.relays(),
        }
    }

    /// What a party hears that waits for somebody: on hold, parked, in a queue.
    pub(super) fn music(&self, call: &Call, handle: Handle<Leg>) -> Option<Name> {
        if call.phase == Phase::Queued {
            return self.queue_music(call).filter(|_| call.early).cloned();
        }
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
        let (events, payload, srtp) = match &leg.end {
            End::Trunk(trunk) => {
                let audio_there = &trunk.audio;
                (
                    audio_there.events_in(audio.codec),
                    audio_there.dynamic(audio.codec),
                    audio_there.srtp.as_deref().copied(),
                )
            }
            End::Station(_) => (Some(PHONE_EVENTS), None, leg.secured.map(|secured| secured.keys)),
        };
        let listens = match leg.receive {
            Receive::Open(address) => Some(address),
            Receive::Closed | Receive::Opening => None,
        };
        let party = leg.party;
        let order = match &mut leg.anchor {
            None => {
                leg.anchor = Some(Anchor {
                    hears: hears.clone(),
                    audio,
                    payload,
                    srtp,
                    address: None,
                    recorded: false,
                    talks: false,
                });
                AnchorOrder::Join { party, hears, audio, payload, events, srtp, listens, near }
            }
            Some(anchor)
                if (&anchor.hears, anchor.audio, anchor.payload, anchor.srtp)
                    == (&hears, audio, payload, srtp) =>
            {
                return;
            }
            Some(anchor) => {
                (anchor.hears, anchor.audio, anchor.payload, anchor.srtp) =
                    (hears.clone(), audio, payload, srtp);
                AnchorOrder::Change { party, hears, audio, payload, events, srtp }
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
        if let Some(call) = self.calls.get_mut(leg.call) {
            // In a queue, the phone's own tone says that it waits.
            call.early = false;
        }
        self.timers.cancel(Timer::Media(handle));
        self.release_anchor(handle);
        true
    }

    /// The leg needs the media services no more.
    pub(super) fn release_anchor(&mut self, handle: Handle<Leg>) {
        let Some(leg) = self.legs.get_mut(handle) else { return };
        if leg.anchor.take().is_some() {
            leg.counted.leaves();
            let party = leg.party;
            self.order_anchor(AnchorOrder::Leave { party });
        }
    }

    /// As [`Self::release_anchor`], for a leg that is gone already.
    pub(super) fn release_anchor_of(&mut self, leg: &mut Leg) {
        if leg.anchor.take().is_some() {
            leg.counted.leaves();
            self.order_anchor(AnchorOrder::Leave { party: leg.party });
        }
    }

    pub(crate) fn order_anchor(&mut self, order: AnchorOrder) {
        self.out.push_back(Output::Anchor(Box::new(order)));
    }

    /// Our address, as a phone has reached it, or as a trunk says that it does; for a trunk that does not, as others of the
    /// same call have.
    pub(super) fn near_address(&self, handle: Handle<Leg>) -> Option<IpAddr> {
        let call = self.calls.get(self.legs.get(handle)?.call)?;
        [handle].iter().chain(&call.legs).find_map(|&leg| match &self.legs.get(leg)?.end {
            End::Station(station) => {
                let device = self.devices.get(station.device)?;
                Some(self.sessions.get(&device.session)?.peer.local.ip())
            }
            End::Trunk(trunk) => trunk.audio.near,
        })
    }

    /// The media services say that a party talks in its conference, or no more.
    pub(crate) fn talks(&mut self, party: u32, talks: bool) {
        let leg = self.parties.get(&party).and_then(|&leg| self.legs.get_mut(leg));
        // It may have gone meanwhile.
        if let Some(anchor) = leg.and_then(|leg| leg.anchor.as_mut()) {
            anchor.talks = talks;
        }
    }

    /// The media services say where they listen to a party; `None` if they cannot take it.
    pub(crate) fn anchor_answered(&mut self, now: Time, party: u32, address: Option<SocketAddr>) {
        let Some(&handle) = self.parties.get(&party) else {
            return self.counters.refuse("answer of the media services for no leg");
        };
        let leg = self.legs.get_mut(handle);
        let Some((call, anchor)) = leg.and_then(|leg| Some((leg.call, leg.anchor.as_mut()?))) else {
            return self.counters.refuse("answer of the media services for a leg without them");
        };
        let was_there = core::mem::replace(&mut anchor.address, address).is_some();
        if self.offer_when_anchored(now, handle, address)
            || address.is_none() && self.misses_recording(now, call, was_there)
        {
            return;
        }
        // A phone has its own deadline.
        if address.is_none() && self.legs.get(handle).is_some_and(|leg| leg.device().is_none()) {
            return self.media_failed(now, handle);
        }
        self.transition(now, handle, Transition::Media);
    }
}
