//! The audio of a call: which codec, when channels open, what happens when they do not.
//!
//! Phones send to each other directly. Each phone is asked to open its receive channel when the call connects, and
//! is told to transmit as soon as the other phone has said where it listens (the order of the v20 capture, frames
//! 36 to 38 and 46 to 47).

use core::net::SocketAddr;

use selsius_site::CodecName;
use selsius_wire::{
    Time,
    message::ConnectionStatisticsReq,
    value::{Codec, Number, StatsProcessing},
};

use super::{Audio, Leg, LegState, Phase, Receive};
use crate::{
    arena::Handle,
    device::Device,
    exchange::{Exchange, Timer},
    record::{CallId, CallQuality, EndCause, Record},
    view::Transition,
};

impl Exchange {
    /// The called user has answered: both parties talk.
    pub(super) fn connect(&mut self, now: Time, caller: Handle<Leg>, called: Handle<Leg>) {
        let Some((call_handle, called_device)) = self.legs.get(called).map(|leg| (leg.call, leg.device))
        else {
            return;
        };
        let Some(caller_device) = self.legs.get(caller).map(|leg| leg.device) else { return };
        let audio = self.common_audio(caller_device, called_device);
        let answered = self.wall.wall(now);
        let name = self.devices.get(called_device).map(|device| device.name.clone());
        let Some(call) = self.calls.get_mut(call_handle) else { return };
        call.called.device = name;
        let Some(audio) = audio else { return self.fail(now, caller, EndCause::NoCommonCodec) };
        call.phase = Phase::Talking;
        call.answered = Some(answered);
        call.audio = Some(audio);
        let deadline = now + self.config.limits.media_answer;
        for (leg, transition) in [(called, Transition::ConnectCalled), (caller, Transition::ConnectCaller)] {
            if let Some(state) = self.legs.get_mut(leg) {
                state.receive = Receive::Opening;
                self.timers.set(Timer::Media(leg), deadline);
            }
            self.enter(now, leg, LegState::Connected, transition);
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
        let Some(leg) = self.legs.get_mut(handle).filter(|leg| leg.device == device) else {
            return self.counters.refuse("media answer for another phone's leg");
        };
        match (leg.receive, opened) {
            (Receive::Opening | Receive::Open(_), Some(address)) => {
                leg.receive = Receive::Open(address);
                self.timers.cancel(Timer::Media(handle));
                if let Some(peer) = self.peer(handle) {
                    self.transition(now, peer, Transition::Media);
                }
            }
            (Receive::Opening | Receive::Open(_), None) => self.fail(now, handle, EndCause::MediaFailure),
            (Receive::Closed, _) => self.counters.refuse("media answer for a closed channel"),
        }
    }

    /// A phone cannot transmit.
    pub(crate) fn transmit_failed(&mut self, now: Time, device: Handle<Device>, party: u32, reference: u32) {
        // A 6901 fills only the call reference in its answers (wire-facts: Media).
        let leg = self.parties.get(&party).copied().or_else(|| self.leg_by_reference(device, reference));
        let ours = leg.filter(|&leg| {
            self.legs.get(leg).is_some_and(|leg| leg.device == device && leg.state == LegState::Connected)
        });
        match ours {
            Some(leg) => self.fail(now, leg, EndCause::MediaFailure),
            None => self.counters.refuse("media answer for no leg"),
        }
    }

    /// The other leg of a conversation.
    pub(crate) fn peer(&self, handle: Handle<Leg>) -> Option<Handle<Leg>> {
        let call = self.calls.get(self.legs.get(handle)?.call)?;
        call.legs.iter().copied().find(|&other| other != handle)
    }

    /// The leg that a phone knows by this call reference.
    pub(crate) fn leg_by_reference(&self, device: Handle<Device>, reference: u32) -> Option<Handle<Leg>> {
        let legs = &self.devices.get(device)?.legs;
        legs.iter().copied().find(|&leg| self.legs.get(leg).is_some_and(|leg| leg.reference == reference))
    }

    /// The site's best codec that both phones can do, and the packet time that both can.
    fn common_audio(&self, a: Handle<Device>, b: Handle<Device>) -> Option<Audio> {
        let (a, b) = (self.devices.get(a)?, self.devices.get(b)?);
        self.site.settings.codecs.iter().find_map(|&name| {
            let (codec, max_a) = a.best(name)?;
            // Both sides get the variant that the first one named; variants of G.729 decode each other.
            let (_, max_b) = b.best(name)?;
            // Whole frames: those of G.729 have 10 ms.
            let packet_ms = (self.site.settings.packet_ms.min(max_a).min(max_b) / 10 * 10).max(10);
            Some(Audio { codec, packet_ms, tos: self.config.media_dscp << 2 })
        })
    }

    /// Asks a phone what it counted of a stream that has ended. The answer may come any time or never.
    pub(super) fn ask_quality(&mut self, leg: &Leg, call: CallId) {
        let Some(device) = self.devices.get_mut(leg.device).filter(|device| !device.quirks.no_statistics)
        else {
            return;
        };
        let Some(number) = device.appearance(leg.line).map(|appearance| appearance.number.clone()) else {
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

/// The wire's codecs that a configured codec stands for, the preferred one first.
pub(crate) fn variants(name: CodecName) -> &'static [Codec] {
    match name {
        CodecName::Pcmu => &[Codec::G711Ulaw64k],
        CodecName::Pcma => &[Codec::G711Alaw64k],
        CodecName::G722 => &[Codec::G722_64k],
        CodecName::G729 => &[Codec::G729AnnexA, Codec::G729, Codec::G729AnnexAwAnnexB, Codec::G729AnnexB],
    }
}
