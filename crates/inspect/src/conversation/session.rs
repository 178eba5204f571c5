//! One conversation: the state that decoding and pairing need.

use alloc::{boxed::Box, string::ToString, sync::Arc, vec::Vec};
use core::net::SocketAddr;

use selsius_wire::{Context, ManagerMessage, RawFrame, StationMessage};

use super::{
    CloseReason, Closed, ConnectionId, Event, Message, Opened, Output, Packets, Seen, Side, Trouble,
    half::{Found, Half},
    pairing::Pairing,
    probe::{Piece, Probe, Verdict},
};
use crate::{packet::Stamp, reassembly::Way, words::clean};

/// A connection that is SCCP, or may be.
#[derive(Debug)]
pub(super) struct Session {
    connection: ConnectionId,
    opened: Stamp,
    /// The opener and its peer.
    ends: [SocketAddr; 2],
    handshake: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Probing(Probe),
    Talking(Box<Talk>),
    Foreign,
}

/// A known conversation.
#[derive(Debug)]
struct Talk {
    /// In which direction the station's messages go.
    station: Way,
    halves: [Half; 2],
    frames: u64,
    device: Option<Arc<str>>,
    /// What Register offered; `None` before it was seen.
    offered: Option<u8>,
    /// The packet of RegisterAck.
    negotiated: Option<u64>,
    context: Context,
    pairing: Pairing,
}

/// On a manager's port: passed over so much without a single message, it is something else.
const FOREIGN_AFTER: u64 = 64 * 1024;

impl Session {
    pub(super) fn open(
        connection: ConnectionId,
        stamp: Stamp,
        ends: [SocketAddr; 2],
        handshake: bool,
        ports: &[u16],
        output: &mut Output<'_>,
    ) -> Self {
        let mut session =
            Self { connection, opened: stamp, ends, handshake, state: State::Probing(Probe::default()) };
        let [opener, peer] = ends.map(|end| ports.contains(&end.port()));
        match (opener, peer) {
            (false, true) => session.talk(Way::Forward, output),
            (true, false) => session.talk(Way::Backward, output),
            // Between two manager ports the phone is who opened, if we know who that was.
            (true, true) if handshake => session.talk(Way::Forward, output),
            _ => {}
        }
        session
    }

    pub(super) fn is_foreign(&self) -> bool {
        matches!(self.state, State::Foreign)
    }

    pub(super) fn data(&mut self, way: Way, stamp: Stamp, bytes: &[u8], output: &mut Output<'_>) {
        match &mut self.state {
            State::Talking(talk) => {
                talk.data(self.connection, way, stamp, bytes, output);
                if talk.frames == 0 && talk.halves.iter().map(Half::skipped).sum::<u64>() > FOREIGN_AFTER {
                    self.state = State::Foreign;
                    self.say_closed(stamp, CloseReason::Foreign, Vec::new(), output);
                }
            }
            State::Probing(probe) => {
                let verdict = probe.data(way, stamp, bytes, self.handshake);
                self.judge(verdict, output);
            }
            State::Foreign => {}
        }
    }

    pub(super) fn gap(&mut self, way: Way, stamp: Stamp, missing: Option<u64>, output: &mut Output<'_>) {
        match &mut self.state {
            State::Talking(talk) => talk.gap(self.connection, way, stamp, missing, output),
            State::Probing(probe) => probe.gap(way, stamp, missing),
            State::Foreign => {}
        }
    }

    pub(super) fn close(mut self, stamp: Stamp, reason: CloseReason, output: &mut Output<'_>) {
        if let State::Probing(probe) = &self.state {
            let verdict = probe.last_verdict();
            self.judge(verdict, output);
        }
        if let State::Talking(talk) = &mut self.state {
            for way in [Way::Forward, Way::Backward] {
                talk.end(self.connection, way, stamp, output);
            }
            let unanswered = core::mem::take(&mut talk.pairing).into_unanswered();
            self.say_closed(stamp, reason, unanswered, output);
        }
    }

    fn say_closed(
        &self,
        stamp: Stamp,
        reason: CloseReason,
        unanswered: Vec<super::Request>,
        output: &mut Output<'_>,
    ) {
        output.push(Event::Closed(Closed { connection: self.connection, stamp, reason, unanswered }));
    }

    fn judge(&mut self, verdict: Verdict, output: &mut Output<'_>) {
        match verdict {
            Verdict::Undecided => {}
            Verdict::Foreign => self.state = State::Foreign,
            Verdict::Sccp(station) => self.talk(station, output),
        }
    }

    /// The connection is SCCP; what was said until now is read.
    fn talk(&mut self, station: Way, output: &mut Output<'_>) {
        let State::Probing(probe) = core::mem::replace(&mut self.state, State::Foreign) else { return };
        output.push(Event::Opened(Opened {
            connection: self.connection,
            stamp: self.opened,
            station: self.ends[station.index()],
            manager: self.ends[station.reverse().index()],
            handshake: self.handshake,
        }));
        let mut talk = Talk {
            station,
            halves: Default::default(),
            frames: 0,
            device: None,
            offered: None,
            negotiated: None,
            context: Context::default(),
            pairing: Pairing::default(),
        };
        for said in probe.into_said() {
            match said.what {
                Piece::Data(bytes) => talk.data(self.connection, said.way, said.stamp, &bytes, output),
                Piece::Gap(missing) => talk.gap(self.connection, said.way, said.stamp, missing, output),
            }
        }
        self.state = State::Talking(Box::new(talk));
    }
}

impl Talk {
    fn data(&mut self, id: ConnectionId, way: Way, stamp: Stamp, bytes: &[u8], output: &mut Output<'_>) {
        self.with_half(id, way, output, |half, out| half.data(stamp, bytes, out));
    }

    fn gap(
        &mut self,
        id: ConnectionId,
        way: Way,
        stamp: Stamp,
        missing: Option<u64>,
        output: &mut Output<'_>,
    ) {
        self.with_half(id, way, output, |half, out| half.gap(stamp, missing, out));
    }

    fn end(&mut self, id: ConnectionId, way: Way, stamp: Stamp, output: &mut Output<'_>) {
        self.with_half(id, way, output, |half, out| half.end(stamp, out));
    }

    fn with_half(
        &mut self,
        connection: ConnectionId,
        way: Way,
        output: &mut Output<'_>,
        work: impl FnOnce(&mut Half, &mut dyn FnMut(Found<'_>)),
    ) {
        let from = if way == self.station { Side::Station } else { Side::Manager };
        let mut half = core::mem::take(&mut self.halves[way.index()]);
        work(&mut half, &mut |found| match found {
            Found::Frame(frame, packets, stamp) => {
                self.frame(connection, from, &frame, packets, stamp, output)
            }
            Found::Trouble(stamp, kind) => {
                output.push(Event::Trouble(Trouble { connection, from, stamp, kind }))
            }
        });
        self.halves[way.index()] = half;
    }

    fn frame(
        &mut self,
        connection: ConnectionId,
        from: Side,
        frame: &RawFrame<'_>,
        packets: Packets,
        stamp: Stamp,
        output: &mut Output<'_>,
    ) {
        self.frames += 1;
        if self.negotiated.is_none() {
            // Seen from the middle: the headers tell the version, in those managers that fill them in.
            self.context = Context::new(self.context.effective(frame.header_version));
        }
        let message = match from {
            Side::Station => Message::Station(StationMessage::decode_lenient(*frame, self.context)),
            Side::Manager => Message::Manager(ManagerMessage::decode_lenient(*frame, self.context)),
        };
        self.learn(&message, packets.last);
        let number = output.next_number();
        let answers = self.pairing.take(number, from, &message, packets.last, stamp.time);
        output.push(Event::Seen(Box::new(Seen {
            number,
            time: stamp.time,
            connection,
            packets,
            from,
            device: self.device.clone(),
            version: self.context.version,
            message,
            answers,
        })));
    }

    /// Who the station is, and which version the two agreed on.
    fn learn(&mut self, message: &Message, packet: u64) {
        match message {
            Message::Station(received) => match &received.message {
                StationMessage::Register(register) => {
                    self.device = Some(clean(&register.device_name.to_string()).into());
                    self.offered = Some(register.protocol_ver);
                    // A Register that had to wait behind a hole may come after its answer.
                    if self.negotiated.is_none_or(|answer| answer < packet) {
                        self.negotiated = None;
                        self.context = Context::default();
                    }
                }
                // `Name=SEP001380AD9E5F Load=...`, before Register (captured-details, e).
                StationMessage::Alarm(alarm) if self.device.is_none() => {
                    let text = alarm.text.to_string();
                    let name = text.split("Name=").nth(1).and_then(|rest| rest.split_whitespace().next());
                    self.device = name.filter(|name| !name.is_empty()).map(|name| clean(name).into());
                }
                _ => {}
            },
            Message::Manager(received) => {
                if let ManagerMessage::RegisterAck(ack) = &received.message {
                    // The answer is at most what was offered (wire-facts, Version negotiation).
                    let version = self
                        .offered
                        .map_or(ack.max_protocol_ver, |offered| offered.min(ack.max_protocol_ver));
                    self.context = Context::new(version);
                    self.negotiated = Some(packet);
                }
            }
        }
    }
}
