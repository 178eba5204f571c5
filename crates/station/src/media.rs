//! The streams: what the manager wants received and sent, and what became of it.

use alloc::collections::{BTreeMap, VecDeque};
use core::net::{IpAddr, SocketAddr};

use selsius_wire::{
    message,
    value::{ChannelStatus, Codec, MediaAddress, MediaStatus, StatsProcessing},
};

use crate::{Counters, MediaOrder, Station, limits};

/// A stream in one direction. Its key is the pass-through party id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) conference: u32,
    pub(crate) call: u32,
    /// Where it is sent to.
    pub(crate) remote: Option<SocketAddr>,
    /// Does it go to or come from a multicast group?
    pub(crate) multicast: bool,
    pub(crate) answered: bool,
}

impl Stream {
    const fn new(conference: u32, call: u32, remote: Option<SocketAddr>) -> Self {
        Self { conference, call, remote, multicast: false, answered: false }
    }

    const fn multicast(conference: u32, call: u32, group: SocketAddr) -> Self {
        Self { conference, call, remote: Some(group), multicast: true, answered: false }
    }
}

/// The streams of one direction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams(BTreeMap<u32, Stream>);

impl Streams {
    /// Takes an order in. False if there is no room for one more stream; one that is open is replaced.
    pub(crate) fn order(&mut self, party: u32, stream: Stream) -> bool {
        if self.0.len() >= limits::STREAMS && !self.0.contains_key(&party) {
            return false;
        }
        self.0.insert(party, stream);
        true
    }

    /// The stream that an answer is for, unless it was closed or answered before.
    pub(crate) fn answer(&mut self, party: u32) -> Option<Stream> {
        let stream = self.0.get_mut(&party).filter(|stream| !stream.answered)?;
        stream.answered = true;
        Some(*stream)
    }

    pub(crate) fn close(&mut self, party: u32) -> bool {
        self.0.remove(&party).is_some()
    }

    pub(crate) fn call(&self, party: u32) -> Option<u32> {
        self.0.get(&party).map(|stream| stream.call)
    }

    /// Takes all streams, to close them.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = u32> + use<> {
        core::mem::take(&mut self.0).into_keys()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The latest counters of the latest streams.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reports(VecDeque<(u32, u32, Counters)>);

impl Reports {
    /// Remembers which call a stream belongs to; its counters come later, even after its end.
    pub(crate) fn begin(&mut self, party: u32, call: u32) {
        self.0.retain(|(known, ..)| *known != party);
        self.0.truncate(limits::REPORTS - 1);
        self.0.push_front((party, call, Counters::default()));
    }

    pub(crate) fn set(&mut self, party: u32, counters: Counters) {
        if let Some((.., kept)) = self.0.iter_mut().find(|(known, ..)| *known == party) {
            *kept = counters;
        }
    }

    /// What to answer about a call: its newest stream, zeros if it had none.
    pub(crate) fn of_call(&self, call: u32) -> Counters {
        self.0.iter().find(|(_, known, _)| *known == call).map(|(.., counters)| *counters).unwrap_or_default()
    }

    pub(crate) fn forget(&mut self, call: u32) {
        self.0.retain(|(_, known, _)| *known != call);
    }
}

/// Packet size where the manager gives none.
const PACKET_MS: u32 = 20;

impl Station {
    /// OpenReceiveChannel: ordered, and acknowledged once the port is open; or refused at once.
    pub(crate) fn open_receive(&mut self, open: &message::OpenReceiveChannel) {
        let (party, call) = (open.pass_through_party_id, open.call_reference);
        let packet_ms = packet_ms(open.milli_second_packet_size);
        let codec = open.compression_type;
        let keys = open.encryption.keys();
        let problem = if !self.speaks(codec) {
            MediaStatus::InvalidCodec
        } else if keys.is_err() {
            MediaStatus::EncoderOrDecoderFailed
        } else if !limits::PACKET_MS.contains(&packet_ms) {
            MediaStatus::InvalidPacketSize
        } else if !self.session.receiving.order(party, Stream::new(open.conference_id, call, None)) {
            MediaStatus::NotEnoughChannels
        } else {
            self.session.reports.begin(party, call);
            let source = socket(open.source_ip_addr, open.source_port_number);
            let dtmf_payload = dtmf_payload(open.rfc2833_payload_type);
            let conference = open.conference_id;
            return self.order(MediaOrder::OpenReceive {
                party,
                conference,
                call,
                codec,
                packet_ms,
                source,
                dtmf_payload,
                keys: keys.ok().flatten(),
            });
        };
        self.unexpected();
        self.acknowledge_receive(party, call, problem, None);
    }

    pub(crate) fn receive_opened(&mut self, party: u32, address: SocketAddr) {
        if let Some(stream) = self.session.receiving.answer(party) {
            if stream.multicast {
                return self.acknowledge_multicast(party, stream.call, ChannelStatus::Ok);
            }
            self.acknowledge_receive(party, stream.call, MediaStatus::Ok, Some(address));
        }
    }

    pub(crate) fn receive_failed(&mut self, party: u32) {
        if let Some(stream) = self.session.receiving.answer(party) {
            self.session.receiving.close(party);
            if stream.multicast {
                return self.acknowledge_multicast(party, stream.call, ChannelStatus::Error);
            }
            self.acknowledge_receive(party, stream.call, MediaStatus::OutOfSockets, None);
        }
    }

    pub(crate) fn close_receive(&mut self, party: u32) {
        if self.session.receiving.close(party) {
            self.order(MediaOrder::CloseReceive { party });
        }
    }

    /// StartMediaTransmission. It does not wait for the channel: CallManager 4.1 sends it at once, later ones when the
    /// far end's acknowledgement is there.
    pub(crate) fn start_transmission(&mut self, start: &message::StartMediaTransmission) {
        let party = start.pass_through_party_id;
        // CallManager 3.x and FreeSWITCH name no call here (length 44).
        let call = match start.call_reference {
            0 => self.session.receiving.call(party).unwrap_or(0),
            call => call,
        };
        let packet_ms = packet_ms(start.milli_second_packet_size);
        let codec = start.compression_type;
        let remote =
            socket(start.remote_ip_addr, start.remote_port_number).filter(|remote| remote.port() != 0);
        let keys = start.encryption.keys();
        let is_possible = self.speaks(codec) && limits::PACKET_MS.contains(&packet_ms) && keys.is_ok();
        let stream = Stream::new(start.conference_id, call, remote);
        let (Some(remote), true) = (remote, is_possible && self.session.transmitting.order(party, stream))
        else {
            self.unexpected();
            return self.fail_transmission(party, stream);
        };
        if self.session.receiving.call(party).is_none() {
            self.session.reports.begin(party, call);
        }
        self.order(MediaOrder::StartTransmit {
            party,
            conference: start.conference_id,
            call,
            remote,
            codec,
            packet_ms,
            precedence: u8::try_from(start.precedence_value).unwrap_or(0),
            dtmf_payload: dtmf_payload(start.rfc2833_payload_type),
            keys: keys.ok().flatten(),
        });
    }

    /// StartMulticastMediaReception: ordered, and acknowledged once the phone listens; or refused at once.
    pub(crate) fn start_multicast_reception(&mut self, start: &message::StartMulticastMediaReception) {
        let (party, conference, call) =
            (start.pass_through_party_id, start.conference_id, start.call_reference);
        let (packet_ms, codec) = (packet_ms(start.milli_second_packet_size), start.compression_type);
        let group = group(start.multicast_ip_addr, start.multicast_port_number);
        let possible = self.speaks(codec) && limits::PACKET_MS.contains(&packet_ms);
        if let Some(group) = group.filter(|_| possible)
            && self.session.receiving.order(party, Stream::multicast(conference, call, group))
        {
            self.session.reports.begin(party, call);
            return self.order(MediaOrder::ReceiveMulticast {
                party,
                conference,
                call,
                group,
                codec,
                packet_ms,
            });
        }
        self.unexpected();
        self.acknowledge_multicast(party, call, ChannelStatus::Error);
    }

    /// StartMulticastMediaTransmission: a stream like any other, to a group. Nothing acknowledges it.
    pub(crate) fn start_multicast_transmission(&mut self, start: &message::StartMulticastMediaTransmission) {
        let (party, conference, call) =
            (start.pass_through_party_id, start.conference_id, start.call_reference);
        let (packet_ms, codec) = (packet_ms(start.milli_second_packet_size), start.compression_type);
        let group = group(start.multicast_ip_addr, start.multicast_port_number);
        let possible = self.speaks(codec) && limits::PACKET_MS.contains(&packet_ms);
        let stream =
            group.filter(|_| possible).map(|group| (group, Stream::multicast(conference, call, group)));
        let Some((remote, _)) = stream.filter(|&(_, stream)| self.session.transmitting.order(party, stream))
        else {
            return self.unexpected();
        };
        self.session.reports.begin(party, call);
        self.order(MediaOrder::StartTransmit {
            party,
            conference,
            call,
            remote,
            codec,
            packet_ms,
            precedence: u8::try_from(start.precedence_value).unwrap_or(0),
            dtmf_payload: None,
            keys: None,
        });
    }

    /// CallManager 2.x: no ids, no acknowledgement. Its streams have the party 0.
    pub(crate) fn start_transmission_2x(&mut self, start: &message::StartMediaTransmissionCm2) {
        self.start_transmission(&message::StartMediaTransmission {
            remote_ip_addr: MediaAddress::from(start.remote_ip_addr),
            remote_port_number: start.remote_port_number,
            milli_second_packet_size: start.milli_second_packet_size,
            compression_type: start.compression_type,
            ..Default::default()
        });
    }

    /// See [`Self::start_transmission_2x`].
    pub(crate) fn start_reception_2x(&mut self, start: &message::StartMediaReception) {
        let packet_ms = packet_ms(start.milli_second_packet_size);
        if !self.session.receiving.order(0, Stream::new(0, 0, None))
            || !limits::PACKET_MS.contains(&packet_ms)
        {
            return self.unexpected();
        }
        // Nobody asks for an answer: the port was told by IpPort.
        self.session.receiving.answer(0);
        let (source, codec) = (IpAddr::V4(start.remote_ip_addr), start.compression_type);
        self.order(MediaOrder::ReceiveFixed { source, codec, packet_ms });
    }

    pub(crate) fn transmit_started(&mut self, party: u32, address: SocketAddr) {
        let Some(stream) = self.session.transmitting.answer(party) else { return };
        if self.dialect.sends_start_media_ack() && !stream.multicast {
            let names_stream = self.traits.ack_names_stream;
            self.send(message::StartMediaTransmissionAck {
                conference_id: if names_stream { stream.conference } else { 0 },
                pass_through_party_id: if names_stream { party } else { 0 },
                call_reference: stream.call,
                transmit_ip_addr: MediaAddress::from(address.ip()),
                port_number: address.port().into(),
                media_transmission_status: MediaStatus::Ok,
            });
        }
    }

    pub(crate) fn transmit_failed(&mut self, party: u32) {
        if let Some(stream) = self.session.transmitting.answer(party) {
            self.session.transmitting.close(party);
            self.fail_transmission(party, stream);
        }
    }

    pub(crate) fn stop_transmission(&mut self, party: u32) {
        if self.session.transmitting.close(party) {
            self.order(MediaOrder::StopTransmit { party });
        }
    }

    pub(crate) fn statistics(&mut self, request: &message::ConnectionStatisticsReq) {
        let counters = self.session.reports.of_call(request.call_reference);
        if request.stats_processing_mode == StatsProcessing::Clear {
            self.session.reports.forget(request.call_reference);
        }
        self.send(message::ConnectionStatisticsRes {
            directory_num: request.directory_num,
            call_reference: request.call_reference,
            stats_processing_mode: request.stats_processing_mode,
            number_packets_sent: counters.packets_sent,
            number_octets_sent: counters.octets_sent,
            number_packets_received: counters.packets_received,
            number_octets_received: counters.octets_received,
            number_packets_lost: counters.packets_lost,
            jitter: counters.jitter,
            latency: counters.latency,
            ..Default::default()
        });
    }

    fn speaks(&self, codec: Codec) -> bool {
        self.config.capabilities.iter().any(|(mine, _)| *mine == codec)
    }

    fn acknowledge_receive(
        &mut self,
        party: u32,
        call: u32,
        status: MediaStatus,
        address: Option<SocketAddr>,
    ) {
        self.send(message::OpenReceiveChannelAck {
            media_reception_status: status,
            ip_addr: address.map_or(MediaAddress::UNSPECIFIED, |address| MediaAddress::from(address.ip())),
            port_number: address.map_or(0, |address| address.port().into()),
            pass_through_party_id: party,
            call_reference: call,
        });
    }

    fn acknowledge_multicast(&mut self, party: u32, call: u32, status: ChannelStatus) {
        self.send(message::MulticastMediaReceptionAck {
            multicast_reception_status: status,
            pass_through_party_id: party,
            call_reference: call,
        });
    }

    fn fail_transmission(&mut self, party: u32, stream: Stream) {
        self.send(message::MediaTransmissionFailure {
            conference_id: stream.conference,
            pass_through_party_id: party,
            remote_ip_addr: stream.remote.map_or(MediaAddress::UNSPECIFIED, |remote| remote.ip().into()),
            remote_port_number: stream.remote.map_or(0, |remote| remote.port().into()),
            call_reference: stream.call,
        });
    }
}

fn packet_ms(asked: u32) -> u32 {
    if asked == 0 { PACKET_MS } else { asked }
}

fn socket(address: MediaAddress, port: u32) -> Option<SocketAddr> {
    let port = u16::try_from(port).ok()?;
    (!address.ip.is_unspecified()).then(|| SocketAddr::new(address.ip, port))
}

/// The address of a multicast group: nothing else can be joined.
fn group(address: MediaAddress, port: u32) -> Option<SocketAddr> {
    socket(address, port).filter(|group| group.ip().is_multicast() && group.port() != 0)
}

/// A payload type that RTP has and that telephone events can use.
fn dtmf_payload(asked: u32) -> Option<u8> {
    u8::try_from(asked).ok().filter(|payload| (96..128).contains(payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_once_and_not_after_the_end() {
        let mut streams = Streams::default();
        assert!(streams.order(7, Stream::new(1, 2, None)));
        assert_eq!(streams.answer(7).map(|stream| stream.call), Some(2));
        assert_eq!(streams.answer(7), None);
        assert!(streams.order(7, Stream::new(1, 2, None)) && streams.close(7) && !streams.close(7));
        assert_eq!(streams.answer(7), None);
        let accepted = (0..1000).filter(|party| streams.order(*party, Stream::new(0, 0, None))).count();
        assert_eq!(accepted, limits::STREAMS);
    }

    #[test]
    fn counters_survive_the_stream() {
        let mut reports = Reports::default();
        for party in 0..100 {
            reports.begin(party, party + 1000);
        }
        assert_eq!(reports.0.len(), limits::REPORTS);
        reports.set(99, Counters { packets_sent: 5, ..Counters::default() });
        assert_eq!(reports.of_call(1099).packets_sent, 5);
        assert_eq!(reports.of_call(1), Counters::default());
        reports.forget(1099);
        assert_eq!(reports.of_call(1099), Counters::default());
    }
}
