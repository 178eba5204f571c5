//! One voice port: what comes in on it, and what goes out from it.

use std::{io, net::SocketAddr, num::NonZeroU32, time::Duration};

use selsius_media::{
    Codec, Level, PacketTime, PlayoutBuffer, ReceiverStats, RtpPacket, Sender, Time,
    coder::Encoder,
    jitter::{Delay, FRAME, Played},
    rtp::{Pacer, Quality, StreamStart},
    tone::detect::{Content, ToneDetector},
};
use selsius_srtp::{Incoming, Outgoing};
use selsius_station::Counters;
use selsius_wire::srtp::Keys;
use tokio::net::UdpSocket;

use super::{StreamReport, Tone};
use crate::{
    Way,
    audio::{AudioSource, Player},
};

/// A port, with a stream in one or both directions. The two of a call share it, as on a real phone.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) conference: u32,
    pub(super) socket: UdpSocket,
    pub(super) local: SocketAddr,
    pub(super) receiving: Option<Receiving>,
    pub(super) sending: Option<Sending>,
    /// Both directions up to now, also after one of them ended.
    pub(super) report: StreamReport,
}

/// The stream that comes in.
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) party: u32,
    /// If it is encrypted.
    cover: Option<Incoming>,
    stats: ReceiverStats,
    playout: PlayoutBuffer,
    pacer: Pacer,
    detector: ToneDetector,
}

/// The stream that goes out.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) party: u32,
    remote: SocketAddr,
    /// If it is encrypted.
    cover: Option<Outgoing>,
    sender: Sender,
    encoder: Encoder,
    pacer: Pacer,
    player: Player,
    loses: Option<NonZeroU32>,
    samples: Vec<i16>,
}

/// Datagrams that are read in one turn, so that a flood does not starve the signalling.
const READS: usize = 64;
/// Playout begins half a frame after the stream: both sides of a call start at about the same moment, and what it costs
/// to listen for tones would delay the reading of packets, which would look like jitter.
const PLAYOUT_PHASE: Duration = Duration::from_millis(10);
/// Tones that are told apart in one stream.
const TONES: usize = 8;

impl Endpoint {
    pub(super) fn new(conference: u32, socket: UdpSocket, local: SocketAddr) -> Self {
        Self { conference, socket, local, receiving: None, sending: None, report: StreamReport::default() }
    }

    pub(super) fn receive(&mut self, now: Time, party: u32, codec: Codec, keys: Option<Keys>) {
        self.report.codec = Some(codec);
        self.receiving = Some(Receiving {
            party,
            cover: keys.as_ref().map(Incoming::new),
            stats: ReceiverStats::new(codec.clock_rate()),
            playout: PlayoutBuffer::new(Delay::default()),
            pacer: Pacer::new(now + PLAYOUT_PHASE, PacketTime::DEFAULT),
            detector: ToneDetector::new(),
        });
    }

    /// Starts sending; the first packet is due at once. `None` for a codec that cannot be encoded.
    pub(super) fn send(
        &mut self,
        now: Time,
        party: u32,
        (remote, keys): (SocketAddr, Option<Keys>),
        (codec, packet_time): (Codec, PacketTime),
        source: &AudioSource,
        loses: Option<NonZeroU32>,
    ) -> Option<()> {
        let encoder = Encoder::new(codec)?;
        self.report.codec = Some(codec);
        self.sending = Some(Sending {
            party,
            remote,
            cover: keys.as_ref().map(Outgoing::new),
            sender: Sender::new(codec, packet_time, stream_start()),
            encoder,
            pacer: Pacer::new(now, packet_time),
            player: Player::new(source, codec.band()),
            loses,
            samples: vec![0; packet_time.samples(codec.band())],
        });
        Some(())
    }

    pub(super) fn play(&mut self, source: &AudioSource) {
        if let Some(sending) = &mut self.sending {
            sending.player = Player::new(source, sending.encoder.codec().band());
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.receiving.is_none() && self.sending.is_none()
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let playing = self.receiving.as_ref().map(|receiving| receiving.pacer.poll_timeout());
        let sending = self.sending.as_ref().map(|sending| sending.pacer.poll_timeout());
        playing.into_iter().chain(sending).min()
    }

    /// Reads what arrived. Errors are those of packets that we sent to a port which is closed by now; the stream's own
    /// figures tell what is wrong.
    pub(super) fn read(&mut self, now: Time, mut tap: impl FnMut(Way, SocketAddr, SocketAddr, &[u8])) {
        let mut buffer = [0; 2048];
        for _ in 0..READS {
            match self.socket.try_recv_from(&mut buffer) {
                Ok((len, from)) => {
                    let datagram = &buffer[..len];
                    tap(Way::Received, from, self.local, datagram);
                    let Some(receiving) = &mut self.receiving else { continue };
                    let Ok(datagram) = receiving.cover.as_mut().map_or(Ok(datagram), |it| it.rtp(datagram))
                    else {
                        self.report.refused += 1;
                        continue;
                    };
                    if let Ok(packet) = RtpPacket::parse(datagram) {
                        receiving.stats.receive(now, &packet.header, packet.payload.len());
                        receiving.playout.push(now, &packet);
                        self.report.received = receiving.stats.quality();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {}
            }
        }
    }

    /// Sends and plays what is due; `heard` gets the sound that is played.
    pub(super) fn handle_timeout(
        &mut self,
        now: Time,
        mut heard: impl FnMut(&[i16]),
        mut tap: impl FnMut(Way, SocketAddr, SocketAddr, &[u8]),
    ) {
        if let Some(sending) = &mut self.sending {
            let due = sending.pacer.take(now);
            for _ in 0..due.skip {
                sending.sender.pause();
            }
            for _ in 0..due.send {
                let Some(datagram) = sending.packet() else { continue };
                if sending.loses.is_some_and(|every| sending.sender.packets().is_multiple_of(every.get())) {
                    continue;
                }
                // What the network does not take now is lost, as on any other part of its way.
                let _ = self.socket.try_send_to(&datagram, sending.remote);
                tap(Way::Sent, self.local, sending.remote, &datagram);
            }
            self.report.packets_sent = sending.sender.packets();
            self.report.octets_sent = sending.sender.octets();
        }
        if let Some(receiving) = &mut self.receiving {
            for _ in 0..receiving.pacer.take(now).send {
                let mut frame = [0; FRAME];
                if receiving.playout.pull(now, &mut frame) != Played::Silence {
                    self.report.played_ms += 20;
                }
                heard(&frame);
                for block in receiving.detector.push(&frame) {
                    let steady = receiving.detector.steady();
                    self.report.hear(block.level, steady.map(|heard| heard.content));
                }
            }
        }
    }
}

impl Sending {
    /// The next packet. `None` for one that cannot be encrypted: it must not go in clear.
    fn packet(&mut self) -> Option<Vec<u8>> {
        self.player.fill(&mut self.samples);
        let mut payload = Vec::with_capacity(self.samples.len());
        self.encoder.encode(&self.samples, &mut payload);
        let mut datagram = Vec::with_capacity(selsius_media::rtp::HEADER_LEN + payload.len());
        self.sender
            .send(&payload, &mut datagram)
            .expect("the samples of the packet time give a payload of its length");
        match &mut self.cover {
            Some(cover) => cover.rtp(&datagram).map(<[u8]>::to_vec).ok(),
            None => Some(datagram),
        }
    }
}

impl StreamReport {
    /// One more block of 100 ms.
    fn hear(&mut self, level: Level, steady: Option<Content>) {
        self.level = Some(level);
        self.heard = steady;
        let Some(content @ (Content::Single(_) | Content::Dual(..))) = steady else { return };
        if let Some(tone) = self.tones.iter_mut().find(|tone| tone.content.is_like(content)) {
            tone.lasted += Duration::from_millis(100);
        } else if self.tones.len() < TONES {
            // It was there for two blocks before it counted as steady.
            self.tones.push(Tone { content, lasted: Duration::from_millis(200) });
        }
    }

    pub(super) fn counters(&self) -> Counters {
        let count = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let Quality { packets, octets, lost, jitter, .. } = self.received;
        Counters {
            packets_sent: self.packets_sent,
            octets_sent: self.octets_sent,
            packets_received: count(packets),
            octets_received: count(octets),
            packets_lost: count(lost),
            jitter: u32::try_from(jitter.as_millis()).unwrap_or(u32::MAX),
            latency: 0,
        }
    }
}

/// Where a stream's numbers begin. They need not be secret, only unlike those of others: what the standard library
/// seeds its hash maps with is enough.
fn stream_start() -> StreamStart {
    use std::hash::{BuildHasher, Hasher};
    let random = || std::hash::RandomState::new().build_hasher().finish();
    let (name, rest) = (random(), random());
    StreamStart {
        ssrc: selsius_media::Ssrc(name as u32),
        sequence: selsius_media::SequenceNumber(rest as u16),
        timestamp: selsius_media::RtpTimestamp((rest >> 32) as u32),
    }
}
