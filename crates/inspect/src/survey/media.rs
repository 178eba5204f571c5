//! Media streams, as the manager announced them.

use alloc::{collections::BTreeMap, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use selsius_wire::{ManagerMessage, StationMessage, Time, value::Codec};

use super::DeviceIndex;
use crate::conversation::{Message, Opened, Seen};

/// A stream that was announced: one direction, to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signalled {
    /// Where the packets go.
    pub to: SocketAddr,
    /// The phone that was told to send them there, and its address.
    pub sender: Option<(DeviceIndex, IpAddr)>,
    /// The phone that said it receives there.
    pub receiver: Option<DeviceIndex>,
    /// The format.
    pub codec: Codec,
    /// Milliseconds of media in a packet.
    pub packet_ms: u32,
    /// When it was first announced.
    pub start: Time,
    /// When both sides were told to stop, or the one that is known.
    pub stop: Option<Time>,
    /// The legs that it belongs to: phone and call reference; 0 where the manager's generation does not say.
    pub legs: Vec<(DeviceIndex, u32)>,
    /// Conferences that it was announced for.
    pub conferences: Vec<u32>,
    open: u8,
}

/// One side's part in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Send,
    Receive,
}

type Order = (DeviceIndex, Part, u32, u32);

#[derive(Debug, Clone, Copy)]
struct Wanted {
    codec: Codec,
    packet_ms: u32,
    reference: u32,
    conference: u32,
    party: u32,
}

#[derive(Debug, Default)]
pub(super) struct Media {
    streams: Vec<Signalled>,
    /// Streams that go to an address now.
    live: BTreeMap<SocketAddr, usize>,
    /// The orders of phones, by conference and party.
    orders: BTreeMap<Order, usize>,
    /// Receive orders whose ack is awaited, by phone and party.
    awaited: BTreeMap<(DeviceIndex, u32), Wanted>,
    /// The references that phones' conferences came with: CallManager 3.x and FreeSWITCH send only one of the two at times.
    references: BTreeMap<(DeviceIndex, u32), u32>,
    /// The ports that phones of CallManager 2.x told.
    ports: BTreeMap<DeviceIndex, u16>,
}

impl Media {
    pub(super) fn seen(&mut self, seen: &Seen, device: DeviceIndex, ends: &Opened) {
        match &seen.message {
            Message::Station(received) => self.station(&received.message, device, ends, seen.time),
            Message::Manager(received) => self.manager(&received.message, device, ends, seen.time),
        }
    }

    pub(super) fn finish(self) -> Vec<Signalled> {
        self.streams
    }

    fn station(&mut self, message: &StationMessage, device: DeviceIndex, ends: &Opened, time: Time) {
        match message {
            StationMessage::IpPort(port) => {
                self.ports.insert(device, u16::try_from(port.rtp_media_port).unwrap_or_default());
            }
            StationMessage::OpenReceiveChannelAck(ack) if u32::from(ack.media_reception_status) == 0 => {
                let Some(mut wanted) = self.awaited.remove(&(device, ack.pass_through_party_id)) else {
                    return;
                };
                wanted.reference = wanted.reference.max(ack.call_reference);
                let to = address(ack.ip_addr.ip, ack.port_number, ends);
                self.begin(Part::Receive, to, &wanted, device, ends, time);
            }
            _ => {}
        }
    }

    fn manager(&mut self, message: &ManagerMessage, device: DeviceIndex, ends: &Opened, time: Time) {
        use ManagerMessage as M;
        match message {
            M::OpenReceiveChannel(open) => {
                let wanted = Wanted {
                    codec: open.compression_type,
                    packet_ms: open.milli_second_packet_size,
                    reference: open.call_reference,
                    conference: open.conference_id,
                    party: open.pass_through_party_id,
                };
                self.awaited.insert((device, open.pass_through_party_id), wanted);
            }
            M::StartMediaReception(start) => {
                let Some(&port) = self.ports.get(&device) else { return };
                let wanted = Wanted::old(start.compression_type, start.milli_second_packet_size);
                let to = SocketAddr::new(ends.station.ip(), port);
                self.begin(Part::Receive, to, &wanted, device, ends, time);
            }
            M::StartMediaTransmission(start) => {
                let wanted = Wanted {
                    codec: start.compression_type,
                    packet_ms: start.milli_second_packet_size,
                    reference: start.call_reference,
                    conference: start.conference_id,
                    party: start.pass_through_party_id,
                };
                let to = address(start.remote_ip_addr.ip, start.remote_port_number, ends);
                self.begin(Part::Send, to, &wanted, device, ends, time);
            }
            M::StartMediaTransmissionCm2(start) => {
                let wanted = Wanted::old(start.compression_type, start.milli_second_packet_size);
                let to = address(IpAddr::V4(start.remote_ip_addr), start.remote_port_number, ends);
                self.begin(Part::Send, to, &wanted, device, ends, time);
            }
            M::StopMediaTransmission(stop) => {
                self.end((device, Part::Send, stop.conference_id, stop.pass_through_party_id), time);
            }
            M::CloseReceiveChannel(stop) => {
                self.end((device, Part::Receive, stop.conference_id, stop.pass_through_party_id), time);
            }
            M::StopMediaReception(_) => self.end((device, Part::Receive, 0, 0), time),
            _ => {}
        }
    }

    fn begin(
        &mut self,
        part: Part,
        to: SocketAddr,
        wanted: &Wanted,
        device: DeviceIndex,
        ends: &Opened,
        time: Time,
    ) {
        let order = (device, part, wanted.conference, wanted.party);
        if let Some(&at) = self.orders.get(&order)
            && self.streams[at].to == to
        {
            return;
        }
        // An order that is given again without a stop replaces the one before.
        self.end(order, time);
        let known = self.live.get(&to).copied().filter(|&at| {
            let stream = &self.streams[at];
            match part {
                Part::Send => stream.sender.is_none(),
                Part::Receive => stream.receiver.is_none(),
            }
        });
        let at = known.unwrap_or_else(|| {
            super::make_room(&mut self.streams);
            self.streams.push(Signalled {
                to,
                sender: None,
                receiver: None,
                codec: wanted.codec,
                packet_ms: wanted.packet_ms,
                start: time,
                stop: None,
                // Sender and receiver, in one conference, as a rule.
                legs: Vec::with_capacity(2),
                conferences: Vec::with_capacity(1),
                open: 0,
            });
            self.streams.len() - 1
        });
        let stream = &mut self.streams[at];
        stream.open += 1;
        stream.stop = None;
        match part {
            Part::Send => stream.sender = Some((device, ends.station.ip())),
            Part::Receive => stream.receiver = Some(device),
        }
        let reference = match wanted.reference {
            0 => self.references.get(&(device, wanted.conference)).copied().unwrap_or_default(),
            reference => {
                self.references.insert((device, wanted.conference), reference);
                reference
            }
        };
        stream.legs.push((device, reference));
        if wanted.conference != 0 && !stream.conferences.contains(&wanted.conference) {
            stream.conferences.push(wanted.conference);
        }
        self.live.insert(to, at);
        self.orders.insert(order, at);
    }

    fn end(&mut self, order: Order, time: Time) {
        // CallManager 2.x says only the conference when it stops what it started without one.
        let found = self.orders.remove(&order);
        let found = found.or_else(|| self.orders.remove(&(order.0, order.1, 0, 0)));
        let Some(at) = found else { return };
        let stream = &mut self.streams[at];
        stream.open = stream.open.saturating_sub(1);
        if stream.open == 0 {
            stream.stop = Some(time);
            if self.live.get(&stream.to) == Some(&at) {
                self.live.remove(&stream.to);
            }
        }
    }
}

impl Wanted {
    /// Of CallManager 2.x, which names nothing.
    fn old(codec: Codec, packet_ms: u32) -> Self {
        Self { codec, packet_ms, reference: 0, conference: 0, party: 0 }
    }
}

/// The address 0.0.0.0 is the phone's own.
fn address(ip: IpAddr, port: u32, ends: &Opened) -> SocketAddr {
    let ip = if ip.is_unspecified() { ends.station.ip() } else { ip };
    SocketAddr::new(ip, u16::try_from(port).unwrap_or_default())
}
