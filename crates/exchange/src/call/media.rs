//! The audio of a call: which codec, when channels open, what happens when they do not.
//!
//! Phones send to each other directly. Each phone is asked to open its receive channel when the call connects, and
//! is told to transmit as soon as the other phone has said where it listens (the order of the v20 capture, frames
//! 36 to 38 and 46 to 47). What has to go through the manager is in [`super::anchor`].

use alloc::vec::Vec;
use core::net::SocketAddr;

use selsius_site::CodecName;
use selsius_wire::{Time, value::Codec};

use super::{Audio, Call, End, Leg, LegState, Phase, Receive, anchor::TRANSCODED, secure::Secured};
use crate::{
    arena::Handle,
    device::Device,
    exchange::{Exchange, Timer},
    io::{AnchorOrder, Hears},
    record::EndCause,
    view::Transition,
};

/// Which way the audio of a leg goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// It has none.
    None,
    /// To the other leg.
    Direct(Audio),
    /// To the manager's media services.
    Anchored(Hears, Audio),
}

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
    /// Two parties who should talk have no codec in common, and none that could be turned into the other's.
    pub(crate) fn settle_media(&mut self, now: Time, handle: Handle<Call>) -> Result<(), EndCause> {
        let Some(call) = self.calls.get(handle) else { return Ok(()) };
        let ways = self.ways_of_audio(call)?;
        let spoken = match &ways[..] {
            [(_, Way::Direct(audio) | Way::Anchored(Hears::Bridge(_), audio)), _] => Some(audio.codec),
            _ => None,
        };
        let deadline = now + self.config.limits.media_answer;
        let secured = self.secure(&ways);
        for ((leg, way), secured) in ways.into_iter().zip(secured) {
            self.settle_leg(leg, way, secured, deadline);
        }
        if let (Some(codec), Some(call)) = (spoken, self.calls.get_mut(handle))
            && call.phase == Phase::Talking
        {
            call.codec.get_or_insert(codec);
        }
        self.settle_recording(now, handle);
        Ok(())
    }

    /// Which way the audio of each leg goes.
    fn ways_of_audio(&self, call: &Call) -> Result<Vec<(Handle<Leg>, Way)>, EndCause> {
        // By multicast phones neither open channels of their own nor send to each other.
        let multicast = call.page.is_some_and(|page| page.multicast.is_some());
        let talks = |leg: &Leg| !multicast && (leg.talks() || call.early && leg.state != LegState::Held);
        let all_talk = call.legs.iter().all(|&leg| self.legs.get(leg).is_some_and(talks));
        if let (&[a, b], true, None) = (&call.legs[..], all_talk, &call.mixed) {
            let relayed =
                [a, b].iter().any(|&leg| self.legs.get(leg).is_some_and(|leg| self.is_relayed(leg)))
                    || self.is_encrypted_here(a, b);
            // What is recorded has to be understood, though both speak something else.
            let recorded = self.recorded_leg(call).is_some();
            let common = self.common_audio(&[a, b], self.site.settings.codecs.iter().copied());
            let common = common.filter(|_| !recorded);
            if let (Some(audio), false) = (common, relayed) {
                return Ok([(a, Way::Direct(audio)), (b, Way::Direct(audio))].into());
            }
            // Each speaks what it likes best, if they cannot speak the same, and in packets of the size that it wants.
            let wants =
                |leg, audio| self.far_packets(leg).map_or(audio, |packet_ms| Audio { packet_ms, ..audio });
            let shared = |leg| common.map(|audio| wants(leg, audio));
            let of = |leg| shared(leg).or_else(|| self.mixed_audio(leg)).ok_or(EndCause::NoCommonCodec);
            let bridge = |audio| Way::Anchored(Hears::Bridge(call.conference), audio);
            return Ok([(a, bridge(of(a)?)), (b, bridge(of(b)?))].into());
        }
        let way = |&handle: &Handle<Leg>| {
            let Some(leg) = self.legs.get(handle) else { return (handle, Way::None) };
            let bridge = Hears::Bridge(call.conference);
            let understood = self.mixed_audio(handle);
            let way = match (understood, understood.and_then(|_| self.music(call, handle))) {
                (Some(audio), _) if call.mixed.is_some() && talks(leg) => Way::Anchored(bridge, audio),
                (Some(audio), Some(music)) => Way::Anchored(Hears::Music(music), audio),
                // The far end of a trunk has been told where to send, and need not be told again.
                (Some(audio), None) if leg.keeps_anchor() => {
                    let rings = leg.state == LegState::RingOut;
                    Way::Anchored(if rings { Hears::Ringing } else { bridge }, audio)
                }
                (None, _) if leg.keeps_anchor() => {
                    let audio = self.common_audio(&[handle], self.site.settings.codecs.iter().copied());
                    audio.map_or(Way::None, |audio| Way::Anchored(bridge, audio))
                }
                _ => Way::None,
            };
            (handle, way)
        };
        Ok(call.legs.iter().map(way).collect())
    }

    fn settle_leg(&mut self, handle: Handle<Leg>, way: Way, secured: Option<Secured>, deadline: Time) {
        let (audio, anchored) = match way {
            Way::None => (None, None),
            Way::Direct(audio) => (Some(audio), None),
            Way::Anchored(hears, audio) => (Some(audio), Some((hears, audio))),
        };
        let Some(leg) = self.legs.get_mut(handle) else { return };
        let changed = leg.audio != audio || leg.secured != secured;
        leg.secured = secured;
        self.anchor(handle, anchored);
        let Some(leg) = self.legs.get_mut(handle) else { return };
        leg.audio = audio;
        leg.spoken = audio.map(|audio| audio.codec).or(leg.spoken);
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
                if leg.anchor.is_some() {
                    self.order_anchor(AnchorOrder::Send { party, address });
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
        if self.misses_music(leg) {
            return self.transition(now, leg, Transition::Media);
        }
        let others = self.others(leg).len();
        if others > 1 {
            self.end_leg(now, leg, EndCause::MediaFailure);
        } else {
            self.fail(now, leg, EndCause::MediaFailure);
        }
    }

    /// The other leg of a conversation of two.
    pub(crate) fn peer(&self, handle: Handle<Leg>) -> Option<Handle<Leg>> {
        let call = self.calls.get(self.legs.get(handle)?.call)?;
        let mut others = call.legs.iter().copied().filter(|&other| other != handle);
        others.next().filter(|_| others.next().is_none())
    }

    /// The leg that a phone knows by this call reference.
    pub(crate) fn leg_by_reference(&self, device: Handle<Device>, reference: u32) -> Option<Handle<Leg>> {
        let legs = &self.devices.get(device)?.legs;
        legs.iter().copied().find(|&leg| self.legs.get(leg).is_some_and(|leg| leg.reference == reference))
    }

    /// What a leg speaks with the media services, where these have to understand it.
    pub(crate) fn mixed_audio(&self, leg: Handle<Leg>) -> Option<Audio> {
        let codecs = || self.spoken_by(leg).filter(|codec| TRANSCODED.contains(codec));
        let narrow = codecs().filter(|codec| matches!(codec, CodecName::Pcmu | CodecName::Pcma));
        self.common_audio(&[leg], narrow).or_else(|| self.common_audio(&[leg], codecs()))
    }

    /// What the office lets a party speak, the best first: a trunk also what it alone may.
    fn spoken_by(&self, leg: Handle<Leg>) -> impl Iterator<Item = CodecName> {
        let own = match self.legs.get(leg).map(|leg| &leg.end) {
            Some(End::Trunk(trunk)) => self.site_trunk(&trunk.trunk).map_or(&[][..], |trunk| &trunk.codecs),
            Some(End::Station(_)) | None => &[],
        };
        self.site.settings.codecs.iter().chain(own).copied()
    }

    /// The packet time that the far end of a trunk wants, in milliseconds.
    fn far_packets(&self, leg: Handle<Leg>) -> Option<u32> {
        match &self.legs.get(leg)?.end {
            // All codecs pack whole tens of milliseconds, and phones and the media services no more than 60.
            End::Trunk(trunk) => trunk.audio.packet_ms.map(|time| (time / 10 * 10).clamp(10, 60)),
            End::Station(_) => None,
        }
    }

    /// The best of these codecs that all these legs can do, and the packet time that all can: the one that a far end wants,
    /// or the office's.
    fn common_audio(
        &self,
        legs: &[Handle<Leg>],
        mut codecs: impl Iterator<Item = CodecName>,
    ) -> Option<Audio> {
        codecs.find_map(|name| {
            let mut codec = None;
            let wanted = legs.iter().filter_map(|&leg| self.far_packets(leg)).min();
            let mut packet_ms = wanted.unwrap_or(self.site.settings.packet_ms);
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
}

/// The name that RTP has for a codec (RFC 3551), as call records show it.
pub(super) fn encoding_name(codec: Codec) -> &'static str {
    if codec == Codec::Opus {
        return "opus";
    }
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
        CodecName::Opus => &[Codec::Opus],
        CodecName::G729 => &[Codec::G729AnnexA, Codec::G729, Codec::G729AnnexAwAnnexB, Codec::G729AnnexB],
    }
}
