//! The RTP in a capture, and which of the announced streams it is.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use selsius_inspect::{
    packet::{Datagram, Stamp},
    survey::Signalled,
};
use selsius_media::{Codec, PayloadType, ReceiverStats, RtpPacket, rtp::Quality};
use selsius_wire::Time;

/// Flows that are followed at a time; about 500 bytes each.
const MOST_FLOWS: usize = 16 * 1024;
/// What was not announced is RTP when so many packets follow each other.
const ENOUGH: u64 = 10;
/// Packets may be early or late by so much for their announcement: captures are not always in order.
const SLACK: Duration = Duration::from_secs(2);

/// One direction of media, by source and addresses: sources differ, and numbers compare faster than addresses.
type FlowKey = (u32, SocketAddr, SocketAddr);

/// What was seen of a flow.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) first: Time,
    pub(super) last: Time,
    pub(super) payload_type: PayloadType,
    stats: ReceiverStats,
}

impl Flow {
    pub(super) fn quality(&self) -> Quality {
        self.stats.quality()
    }

    /// What its packets say that they carry.
    pub(super) fn codec(&self) -> String {
        match Codec::from_payload_type(self.payload_type) {
            Some(codec) => codec.name().into(),
            None => format!("payload type {}", self.payload_type.as_u8()),
        }
    }
}

/// All flows that may be RTP.
#[derive(Debug, Default)]
pub(super) struct Flows {
    /// Boxed: a map's nodes are half empty.
    flows: BTreeMap<FlowKey, Box<Flow>>,
    /// Packets of flows that there was no room for.
    pub(super) left_out: u64,
}

impl Flows {
    pub(super) fn datagram(&mut self, stamp: Stamp, datagram: &Datagram<'_>) {
        // RTP and RTCP share the range of payload types from 64 to 95 (RFC 5761, section 4).
        let Some(packet) = RtpPacket::parse(datagram.payload)
            .ok()
            .filter(|packet| !(64..96).contains(&packet.header.payload_type.as_u8()))
        else {
            return;
        };
        let key = (packet.header.ssrc.0, datagram.source, datagram.destination);
        if self.flows.len() >= MOST_FLOWS && !self.flows.contains_key(&key) {
            // What never was a stream makes room.
            self.flows.retain(|_, flow| flow.quality().packets >= ENOUGH);
            if self.flows.len() >= MOST_FLOWS {
                self.left_out += 1;
                return;
            }
        }
        let payload_type = packet.header.payload_type;
        let flow = self.flows.entry(key).or_insert_with(|| {
            Box::new(Flow {
                from: datagram.source,
                to: datagram.destination,
                first: stamp.time,
                last: stamp.time,
                payload_type,
                stats: ReceiverStats::new(8_000),
            })
        });
        flow.last = stamp.time;
        let now = selsius_media::Time::from_micros(stamp.time.as_micros());
        flow.stats.receive(now, &packet.header, packet.payload.len());
    }

    /// The flows that belong to each announced stream, and those that belong to none.
    pub(super) fn matched(&self, streams: &[Signalled]) -> (Vec<Vec<&Flow>>, Vec<&Flow>) {
        let mut to = BTreeMap::<SocketAddr, Vec<usize>>::new();
        for (index, stream) in streams.iter().enumerate() {
            to.entry(stream.to).or_default().push(index);
        }
        let mut of_stream = vec![Vec::<&Flow>::new(); streams.len()];
        let mut strangers = Vec::new();
        for flow in self.flows.values().map(Box::as_ref) {
            let mut candidates = to.get(&flow.to).into_iter().flatten().copied();
            match candidates.rfind(|&index| fits(&streams[index], flow)) {
                Some(index) => of_stream[index].push(flow),
                None if flow.quality().packets >= ENOUGH => strangers.push(flow),
                None => {}
            }
        }
        for flows in &mut of_stream {
            flows.sort_by_key(|flow| (flow.from, flow.to));
        }
        strangers.sort_by_key(|flow| (flow.first, flow.from, flow.to));
        (of_stream, strangers)
    }
}

/// The times overlap, and it comes from the phone that was told to send. (From which port does not matter: 64037 was seen
/// where 60186 was signalled.)
pub(super) fn fits(stream: &Signalled, flow: &Flow) -> bool {
    let ended = stream.stop.is_some_and(|stop| flow.first > stop + SLACK);
    let sender = stream.sender.is_none_or(|(_, ip)| ip == flow.from.ip());
    flow.last + SLACK >= stream.start && !ended && sender
}
