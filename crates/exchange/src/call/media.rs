//! The audio of a call: which codec, when channels open, what happens when they do not.
//!
//! Phones send to each other directly. Each phone is asked to open its receive channel when the call connects, and
//! is told to transmit as soon as the other phone has said where it listens (the order of the v20 capture, frames
//! 36 to 38 and 46 to 47). In a conference each party sends to the mixer, which sends to each of them.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use selsius_site::CodecName;
use selsius_wire::{
    Time,
    message::ConnectionStatisticsReq,
    value::{Codec, Number, StatsProcessing},
};

use super::{Appears, Audio, Call, End, Leg, LegState, Mixing, Phase, Receive};
use crate::{
    arena::Handle,
    device::Device,
    exchange::{Exchange, Timer},
    io::{MixerOrder, Output},
    record::{CallId, CallQuality, EndCause, Record},
    view::Transition,
};

/// The codecs that the mixer puts together as they are. Of G.722 it mixes the lower half of the band, so that a phone is better
/// off with one of these; packets of others it can only pass on.
const MIXED: [CodecName; 2] = [CodecName::Pcmu, CodecName::Pcma];

impl Exchange {
    /// The called user has answered: both parties talk.
    pub(super) fn connect(&mut self, now: Time, caller: Handle<Leg>, called: Handle<Leg>) {
        let Some((call_handle, who)) = self.legs.get(called).map(|leg| (leg.call, leg.who.clone())) else {
            return;
        };
        let answered = self.wall.wall(now);
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        call.called.device = who.device;
        call.phase = Phase::Talking;
        call.early = false;
        call.answered.get_or_insert(answered);
        for leg in [called, caller] {
            if let Some(leg) = self.legs.get_mut(leg).filter(|leg| leg.state != LegState::Held) {
                leg.state = LegState::Connected;
            }
        }
        if let Err(cause) = self.settle_media(now, call_handle) {
            return self.fail(now, caller, cause);
        }
        for (leg, transition) in [(called, Transition::ConnectCalled), (caller, Transition::ConnectCaller)] {
            self.transition(now, leg, transition);
        }
    }

    /// Opens and closes the audio of a call's legs by who talks to whom. The legs are to be told afterwards.
    ///
    /// # Errors
    /// Two parties who should talk have no codec in common.
    pub(crate) fn settle_media(&mut self, now: Time, handle: Handle<Call>) -> Result<(), EndCause> {
        let Some(call) = self.calls.get(handle) else { return Ok(()) };
        let mixed = call.mixed.is_some();
        let early = call.early;
        // By multicast phones neither open channels of their own nor send to each other.
        let multicast = call.page.is_some_and(|page| page.multicast.is_some());
        let talks = |leg: &Leg| !multicast && (leg.talks() || early && leg.state != LegState::Held);
        let talking: Vec<_> =
            call.legs.iter().copied().filter(|&leg| self.legs.get(leg).is_some_and(talks)).collect();
        let pair = match (&talking[..], &call.legs[..]) {
            (&[a, b], [_, _]) if !mixed => Some(self.common_audio(&[a, b]).ok_or(EndCause::NoCommonCodec)?),
            _ => None,
        };
        let conference = call.conference;
        let deadline = now + self.config.limits.media_answer;
        for leg in call.legs.clone() {
            let audio = match talking.contains(&leg) {
                // A phone without such a codec keeps its own; the mixer says if it cannot take it.
                true if mixed => self.best_audio(&[leg], &MIXED).or_else(|| self.common_audio(&[leg])),
                true => pair,
                false => None,
            };
            self.settle_leg(leg, audio, mixed.then_some(conference), deadline);
        }
        if let (Some(audio), Some(call)) = (pair, self.calls.get_mut(handle)) {
            call.codec.get_or_insert(audio.codec);
        }
        Ok(())
    }

    fn settle_leg(
        &mut self,
        handle: Handle<Leg>,
        audio: Option<Audio>,
        conference: Option<u32>,
        deadline: Time,
    ) {
        let Some(leg) = self.legs.get_mut(handle) else { return };
        let mixing = conference.filter(|_| audio.is_some());
        if let Some(old) = leg.mixing.take_if(|old| Some(old.conference) != mixing) {
            let order = MixerOrder::Leave { conference: old.conference, party: leg.party };
            self.out.push_back(Output::Mixer(order));
        }
        if let (Some(conference), Some(audio), None) = (mixing, audio, &leg.mixing) {
            leg.mixing = Some(Mixing { conference, address: None });
            let listens = match leg.receive {
                Receive::Open(address) => Some(address),
                Receive::Closed | Receive::Opening => None,
            };
            let order = MixerOrder::Join { conference, party: leg.party, audio, listens };
            self.out.push_back(Output::Mixer(order));
        }
        let changed = leg.audio != audio;
        leg.audio = audio;
        if leg.device().is_none() {
            return;
        }
        match (audio, leg.receive) {
            (None, _) => {
                leg.receive = Receive::Closed;
                self.timers.cancel(Timer::Media(handle));
            }
            (Some(_), Receive::Closed) => {
                leg.receive = Receive::Opening;
                self.timers.set(Timer::Media(handle), deadline);
            }
            (Some(_), Receive::Opening | Receive::Open(_)) if changed => {
                leg.receive = Receive::Opening;
                self.timers.set(Timer::Media(handle), deadline);
            }
            (Some(_), Receive::Opening | Receive::Open(_)) => {}
        }
    }

    /// The mixer says where it listens for a party; `None` if it cannot take it.
    pub(crate) fn mixer_answered(&mut self, now: Time, party: u32, address: Option<SocketAddr>) {
        let Some(&handle) = self.parties.get(&party) else {
            return self.counters.refuse("answer of the mixer for no leg");
        };
        let Some(mixing) = self.legs.get_mut(handle).and_then(|leg| leg.mixing.as_mut()) else {
            return self.counters.refuse("answer of the mixer for a leg without it");
        };
        mixing.address = address;
        self.transition(now, handle, Transition::Media);
    }

    /// The address at which the phone of a party reaches the manager, or a phone that is in the same call; `None` if there
    /// is none. What can talk to the one can send audio to it.
    pub fn reached(&self, party: u32) -> Option<IpAddr> {
        let &handle = self.parties.get(&party)?;
        let call = self.calls.get(self.legs.get(handle)?.call)?;
        [handle].iter().chain(&call.legs).find_map(|&leg| {
            let device = self.devices.get(self.legs.get(leg)?.device()?)?;
            Some(self.sessions.get(&device.session)?.peer.local.ip())
        })
    }

    /// A phone says where it listens, or that it cannot.
    pub(crate) fn receive_answered(
        &mut self,
        now: Time,
        device: Handle<Device>,
        party: u32,
        opened: Option<SocketAddr>,
    ) {
        let Some(&handle) = self.parties.get(&party) else {
            // The call ended while the answer was on its way.
            return self.counters.refuse("media answer for no leg");
        };
        let Some(leg) = self.legs.get_mut(handle).filter(|leg| leg.is_on(device)) else {
            return self.counters.refuse("media answer for another phone's leg");
        };
        match (leg.receive, opened) {
            (Receive::Opening | Receive::Open(_), Some(address)) => {
                leg.receive = Receive::Open(address);
                self.timers.cancel(Timer::Media(handle));
                if let Some(mixing) = &leg.mixing {
                    let order = MixerOrder::Send { conference: mixing.conference, party: leg.party, address };
                    self.out.push_back(Output::Mixer(order));
                } else if let Some(peer) = self.peer(handle) {
                    self.transition(now, peer, Transition::Media);
                }
            }
            (Receive::Opening | Receive::Open(_), None) => self.media_failed(now, handle),
            (Receive::Closed, _) => self.counters.refuse("media answer for a closed channel"),
        }
    }

    /// A phone cannot transmit.
    pub(crate) fn transmit_failed(&mut self, now: Time, device: Handle<Device>, party: u32, reference: u32) {
        // A 6901 fills only the call reference in its answers (wire-facts: Media).
        let leg = self.parties.get(&party).copied().or_else(|| self.leg_by_reference(device, reference));
        let ours = leg.filter(|&leg| {
            self.legs.get(leg).is_some_and(|leg| leg.is_on(device) && leg.state == LegState::Connected)
        });
        match ours {
            Some(leg) => self.media_failed(now, leg),
            None => self.counters.refuse("media answer for no leg"),
        }
    }

    /// A phone has no audio: the call fails, or a conference goes on without it.
    pub(crate) fn media_failed(&mut self, now: Time, leg: Handle<Leg>) {
        let others = self.others(leg).len();
        if others > 1 {
            self.end_leg(now, leg, EndCause::MediaFailure);
        } else {
            self.fail(now, leg, EndCause::MediaFailure);
        }
    }

    /// The other leg of a conversation of two.
    pub(crate) fn peer(&self, handle: Handle<Leg>) -> Option<Handle<Leg>> {
        match self.others(handle)[..] {
            [peer] => Some(peer),
            _ => None,
        }
    }

    /// The leg that a phone knows by this call reference.
    pub(crate) fn leg_by_reference(&self, device: Handle<Device>, reference: u32) -> Option<Handle<Leg>> {
        let legs = &self.devices.get(device)?.legs;
        legs.iter().copied().find(|&leg| self.legs.get(leg).is_some_and(|leg| leg.reference == reference))
    }

    /// The site's best codec that all these can do, and the packet time that all can.
    fn common_audio(&self, legs: &[Handle<Leg>]) -> Option<Audio> {
        self.best_audio(legs, CodecName::ALL)
    }

    /// The same, out of some codecs.
    fn best_audio(&self, legs: &[Handle<Leg>], of: &[CodecName]) -> Option<Audio> {
        self.site.settings.codecs.iter().filter(|name| of.contains(name)).find_map(|&name| {
            let mut codec = None;
            let mut packet_ms = self.site.settings.packet_ms;
            for leg in legs {
                match &self.legs.get(*leg)?.end {
                    End::Station(station) => {
                        let (variant, most) = self.devices.get(station.device)?.best(name)?;
                        // All get the variant that the first one named; variants of G.729 decode each other.
                        codec.get_or_insert(variant);
                        packet_ms = packet_ms.min(most);
                    }
                    End::Trunk(trunk) if trunk.can(name) => {}
                    End::Trunk(_) => return None,
                }
            }
            let codec = codec.or_else(|| variants(name).first().copied())?;
            // Whole frames: those of G.729 have 10 ms.
            Some(Audio { codec, packet_ms: (packet_ms / 10 * 10).max(10), tos: self.config.media_dscp << 2 })
        })
    }

    /// Asks a phone what it counted of a stream that has ended. The answer may come any time or never.
    pub(super) fn ask_quality(&mut self, leg: &Leg, station: Appears, call: CallId) {
        let Some(device) = self.devices.get_mut(station.device).filter(|device| !device.quirks.no_statistics)
        else {
            return;
        };
        let Some(number) = device.appearance(station.line).map(|appearance| appearance.number.clone()) else {
            return;
        };
        device.expect_quality(leg.reference, call);
        let session = device.session;
        let request = ConnectionStatisticsReq {
            directory_num: Number::new(number.as_str().as_bytes()),
            call_reference: leg.reference,
            stats_processing_mode: StatsProcessing::Clear,
        };
        self.send(session, request);
    }

    /// A phone's count of a stream.
    pub(crate) fn quality(
        &mut self,
        device: Handle<Device>,
        reference: u32,
        count: impl FnOnce(&mut CallQuality),
    ) {
        let Some(state) = self.devices.get_mut(device) else { return };
        let Some(call) = state.quality_expected(reference) else {
            return self.counters.refuse("statistics nobody asked for");
        };
        let mut record = CallQuality {
            call,
            device: state.name.clone(),
            packets_sent: 0,
            packets_received: 0,
            packets_lost: 0,
            jitter_ms: 0,
        };
        count(&mut record);
        self.store(Record::CallQuality(record));
    }
}

/// The name that RTP has for a codec (RFC 3551), as call records show it.
pub(super) fn encoding_name(codec: Codec) -> &'static str {
    match codec.rtp_payload_type() {
        Some(0) => "PCMU",
        Some(8) => "PCMA",
        Some(9) => "G722",
        Some(18) => "G729",
        _ => codec.name(),
    }
}

/// The configured codec that one of the wire's belongs to.
pub fn codec_name(codec: Codec) -> Option<CodecName> {
    CodecName::ALL.iter().copied().find(|&name| variants(name).contains(&codec))
}

/// The wire's codecs that a configured codec stands for, the preferred one first.
pub(crate) fn variants(name: CodecName) -> &'static [Codec] {
    match name {
        CodecName::Pcmu => &[Codec::G711Ulaw64k],
        CodecName::Pcma => &[Codec::G711Alaw64k],
        CodecName::G722 => &[Codec::G722_64k],
        CodecName::G729 => &[Codec::G729AnnexA, Codec::G729, Codec::G729AnnexAwAnnexB, Codec::G729AnnexB],
    }
}
