//! What comes from the network: taken, counted, passed on.

use core::net::SocketAddr;
use core::time::Duration;

use super::gate::Sender;
use super::outbound::Passed;
use super::party::{Kind, Way};
use super::{BridgeId, Engine, Event, Format, PartyId, Place, Voice};
use crate::rtp::Received;
use crate::{Digit, RtpPacket, Time};

impl Engine {
    /// Takes a datagram that came at `now` from `from` to a party's media port.
    pub fn receive(&mut self, now: Time, id: PartyId, from: SocketAddr, datagram: &[u8]) {
        let Some(party) = self.parties.get_mut(id) else { return };
        self.counters.received += 1;
        let Ok(packet) = RtpPacket::parse(datagram) else {
            party.counts.malformed += 1;
            self.counters.malformed += 1;
            return;
        };
        let Some(kind) = party.format.kind(&packet) else {
            party.counts.unexpected += 1;
            self.counters.unexpected += 1;
            return;
        };
        match party.gate.admit(now, from) {
            Sender::Party => {}
            Sender::Learnt => self.queue.event(id, Event::Learnt(from)),
            Sender::Stranger => {
                party.counts.strangers += 1;
                self.counters.strangers += 1;
                return;
            }
        }
        if !party.pays(now) {
            party.counts.floods += 1;
            self.counters.floods += 1;
            return;
        }
        let is_proven = party.stats.ssrc().is_some();
        let received = party.stats.receive(now, &packet.header, packet.payload.len());
        match received {
            Received::Duplicate => return,
            // A single packet of another stream: nothing comes of it unless the next one follows it.
            Received::OnProbation if is_proven => return,
            _ => {}
        }
        self.take(now, id, &packet, kind, received == Received::Restarted);
    }

    /// What a good packet of a party leads to.
    fn take(&mut self, now: Time, id: PartyId, packet: &RtpPacket<'_>, kind: Kind, anew: bool) {
        let Some(party) = self.parties.get_mut(id) else { return };
        let mut pressed = None;
        match (kind, &mut party.hearing) {
            (Kind::Sound | Kind::Comfort, Some(hearing)) => {
                self.counters.late += u64::from(hearing.push(now, packet, kind));
            }
            (Kind::Event, _) => {
                pressed = party.digit(now, &packet.header, packet.payload);
                if let Some(digit) = pressed {
                    self.queue.event(id, Event::Digit(digit));
                    // Nobody listens for tones any more.
                    party.listen();
                }
            }
            (Kind::Sound | Kind::Comfort, None) => {}
        }
        let (from, voice) = (party.format, party.voice);
        match (party.way, party.place) {
            _ if voice == Voice::Muted => {}
            (Way::Relay(to), _) => self.relay(now, from, to, packet, kind, anew),
            (Way::Mix, Place::Bridge(at)) => {
                if let Some(digit) = pressed {
                    self.press_on(now, id, at, digit);
                }
            }
            (Way::Mix | Way::Nowhere, _) => {}
        }
    }

    /// Passes a packet on.
    fn relay(
        &mut self,
        now: Time,
        from: Format,
        id: PartyId,
        packet: &RtpPacket<'_>,
        kind: Kind,
        anew: bool,
    ) {
        let Some(party) = self.parties.get_mut(id) else { return };
        if party.is_played_to() {
            return;
        }
        let Some(to) = party.gate.target() else { return };
        let format = party.format;
        let payload_type = match kind {
            Kind::Sound => Some(format.payload_type),
            Kind::Event => format.events,
            Kind::Comfort => Some(packet.header.payload_type),
        };
        let Some(payload_type) = payload_type else { return };
        let whole = from.packet_time == format.packet_time || !format.codec.has_fixed_size();
        let sound = kind == Kind::Sound;
        let mut passed = Passed { header: packet.header, anew, sound, payload_type, whole };
        if whole || !sound {
            if let Some(header) = party.outbound.pass(now, passed, packet.payload.len()) {
                self.queue.rtp(id, to, header, packet.payload);
            }
            return;
        }
        if anew {
            party.pieces.clear();
        }
        party.pieces.add(format.codec, packet.header.timestamp, packet.payload);
        while let Some(start) = party.pieces.take(format.form(), &mut self.payload) {
            passed.header.timestamp = start;
            if let Some(header) = party.outbound.pass(now, passed, self.payload.len()) {
                self.queue.rtp(id, to, header, &self.payload);
            }
            (passed.anew, passed.header.marker) = (false, false);
        }
    }

    /// Two who are mixed since their codecs differ hear each other's keys all the same.
    fn press_on(&mut self, now: Time, id: PartyId, at: BridgeId, digit: Digit) {
        let Some(bridge) = self.bridges.get(&at) else { return };
        let &[one, other] = &bridge.members[..] else { return };
        let to = if one == id { other } else { one };
        // Who knows no events is told by whoever pressed it, in another way.
        if self.parties.get(to).is_none_or(|party| party.format.events.is_none()) {
            return;
        }
        let _ = self.send_digit(now, to, digit, KEY_LENGTH);
    }

    /// Takes a datagram that came at `now` from `from` to a party's control port.
    pub fn receive_control(&mut self, now: Time, id: PartyId, from: SocketAddr, datagram: &[u8]) {
        let Some(party) = self.parties.get_mut(id) else { return };
        self.counters.received += 1;
        let (counts, counters) = (&mut party.counts, &mut self.counters);
        if !party.gate.is_host(from) {
            counts.strangers += 1;
            counters.strangers += 1;
        } else if !party.control.admit() {
            counts.floods += 1;
            counters.floods += 1;
        } else if datagram.len() > MOST_CONTROL
            || !party.control.receive(
                now,
                self.wall.at(now),
                party.outbound.ssrc(),
                &mut party.stats,
                datagram,
            )
        {
            counts.malformed += 1;
            counters.malformed += 1;
        } else {
            party.control.source = Some(from);
        }
    }
}

/// How long keys are pressed whose own end is not waited for.
const KEY_LENGTH: Duration = Duration::from_millis(100);
/// The largest control datagram; more does not come in one piece.
const MOST_CONTROL: usize = 1500;
