//! The voice of the phones, where a plan wants it: RTP on a port for each phone that talks.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use mio::{Interest, Token, net::UdpSocket};
use selsius_media::{
    Codec, Law, PacketTime, ReceiverStats, RtpPacket, RtpTimestamp, Sender, SequenceNumber, Ssrc,
    rtp::{Pacer, StreamStart},
    tone::detect::{Content, ToneDetector},
};
use selsius_station::{Counters, Input, MediaOrder};
use selsius_wire::{Time, value};

use super::Fleet;
use crate::{
    Rtp,
    director::Wrong,
    media::{nominal_address, tone_of},
};

/// A voice port, with a stream in one or both directions.
pub(super) struct Voice {
    socket: UdpSocket,
    local: SocketAddr,
    receiving: Option<Receiving>,
    sending: Option<Sending>,
    counters: Counters,
}

struct Receiving {
    stats: ReceiverStats,
    law: Law,
    detector: Option<ToneDetector>,
    /// What was heard has been judged.
    judged: bool,
}

struct Sending {
    remote: SocketAddr,
    sender: Sender,
    pacer: Pacer,
    /// One packet's worth of sound; the same in each packet, for the tones have whole periods in 20 ms.
    payload: Vec<u8>,
}

/// So many packets were sent to one who got none in the same time: it is not the network's delay.
const SILENT_AFTER: u32 = 10;
/// Datagrams that are read of one port in one turn.
const READS: usize = 16;

impl Fleet {
    /// Does what a manager ordered about a phone's voice, and answers the station.
    pub(super) fn voice(&mut self, now: Time, phone: u32, order: &MediaOrder) {
        match *order {
            // Nothing is encrypted here, and nothing of what shall be goes in clear.
            MediaOrder::OpenReceive { party, keys: Some(_), .. } => {
                self.answer(now, phone, Input::ReceiveFailed { party });
            }
            MediaOrder::StartTransmit { party, keys: Some(_), .. } => {
                self.answer(now, phone, Input::TransmitFailed { party });
            }
            MediaOrder::OpenReceive { party, codec, .. } => {
                let input = match self.open(phone, codec) {
                    Ok(address) => {
                        self.director.connected(phone, address);
                        Input::ReceiveOpened { party, address }
                    }
                    Err(_) => Input::ReceiveFailed { party },
                };
                self.answer(now, phone, input);
            }
            MediaOrder::StartTransmit { party, remote, codec, packet_ms, .. } => {
                let address = self.local_voice(phone);
                if self.is_ours(remote.ip()) {
                    self.start(now, phone, remote, codec, packet_ms);
                }
                self.answer(now, phone, Input::TransmitStarted { party, address });
            }
            MediaOrder::CloseReceive { party } => {
                self.stop_receiving(phone);
                self.report(now, phone, party);
            }
            MediaOrder::StopTransmit { party } => {
                if let Some(voice) = self.voice_mut(phone) {
                    voice.sending = None;
                }
                self.report(now, phone, party);
            }
            // Music on hold, if a server sends any; nobody listens to it here.
            MediaOrder::ReceiveMulticast { party, .. } => {
                let address = self.local_voice(phone);
                self.answer(now, phone, Input::ReceiveOpened { party, address });
            }
            MediaOrder::ReceiveFixed { .. } => {}
        }
    }

    /// Reads what arrived at a phone's port.
    pub(super) fn voice_ready(&mut self, phone: u32) {
        let now = self.now();
        let mut buffer = [0; 2048];
        for _ in 0..READS {
            let Some(voice) = self.voice_mut(phone) else { return };
            let remote = voice.sending.as_ref().map(|sending| sending.remote);
            let (length, from) = match voice.socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // That the far end's port was closed before it read our packet.
                Err(_) => continue,
            };
            let Some(receiving) = &mut voice.receiving else { continue };
            let Ok(packet) = RtpPacket::parse(&buffer[..length]) else { continue };
            receiving.stats.receive(media_time(now), &packet.header, packet.payload.len());
            let heard = receiving.listen(packet.payload);
            self.director.tally.voice.received += 1;
            if remote.is_some_and(|remote| remote != from) {
                self.director.voice_from_elsewhere(phone, from);
            }
            if let Some(hertz) = heard {
                self.director.heard(phone, hertz);
            }
        }
        // Edge-triggered: nobody would say again that more is waiting.
        self.voice_again(phone);
    }

    /// Sends what is due.
    pub(super) fn due_voices(&mut self, now: Time) {
        while let Some((_, phone)) = self.voices.take_due(now) {
            let mut datagram = std::mem::take(&mut self.datagram);
            let mut next = None;
            let mut sent = 0;
            if let Some(voice) = self.voice_mut(phone)
                && let Some(sending) = &mut voice.sending
            {
                let due = sending.pacer.take(media_time(now));
                for _ in 0..due.skip {
                    sending.sender.pause();
                }
                for _ in 0..due.send {
                    datagram.clear();
                    if sending.sender.send(&sending.payload, &mut datagram).is_ok() {
                        // What the network does not take now is lost, as on any other part of its way.
                        let _ = voice.socket.send_to(&datagram, sending.remote);
                        sent += 1;
                    }
                }
                next = Some(sending.pacer.poll_timeout());
            }
            self.datagram = datagram;
            self.director.tally.voice.sent += sent;
            if let Some(next) = next {
                self.voices.add(Time::from_micros(next.as_micros()), phone);
            }
        }
    }

    /// Forgets the voice of a phone without a connection.
    pub(super) fn drop_voice(&mut self, phone: u32) {
        if let Some(handset) = self.handsets.get_mut(phone as usize)
            && let Some(mut voice) = handset.voice.take()
        {
            let _ = self.poll.registry().deregister(&mut voice.socket);
        }
    }

    /// Whether voice may be sent there: to the phones' own addresses and the server's, and nowhere else.
    fn is_ours(&self, address: IpAddr) -> bool {
        let target = self.plan.target.ip().to_canonical();
        let is_source = match (self.plan.phones.sources, address) {
            (Some(sources), IpAddr::V4(address)) => sources.contains(address),
            _ => false,
        };
        address == target
            || is_source
            || address.is_loopback() && target.is_loopback()
            || self.handsets.iter().any(|handset| handset.station.config().address == address)
    }

    fn local_voice(&self, phone: u32) -> SocketAddr {
        let handset = self.handsets.get(phone as usize);
        let voice = handset.and_then(|handset| handset.voice.as_ref()).map(|voice| voice.local);
        let host = handset.map_or(IpAddr::from([0, 0, 0, 0]), |handset| handset.station.config().address);
        voice.unwrap_or_else(|| nominal_address(host, phone))
    }

    fn voice_mut(&mut self, phone: u32) -> Option<&mut Voice> {
        self.handsets.get_mut(phone as usize)?.voice.as_deref_mut()
    }

    /// Opens the port, unless it is open; where it is.
    fn open(&mut self, phone: u32, codec: value::Codec) -> io::Result<SocketAddr> {
        let nominal = self.local_voice(phone);
        if self.plan.rtp == Rtp::Off {
            return Ok(nominal);
        }
        if self.voice_mut(phone).is_none() {
            // The port may be somebody else's; then any will do.
            let any = SocketAddr::new(nominal.ip(), 0);
            let mut socket = UdpSocket::bind(nominal).or_else(|_| UdpSocket::bind(any))?;
            let local = socket.local_addr()?;
            self.poll.registry().register(&mut socket, self.voice_token(phone), Interest::READABLE)?;
            let voice =
                Voice { socket, local, receiving: None, sending: None, counters: Counters::default() };
            if let Some(handset) = self.handsets.get_mut(phone as usize) {
                handset.voice = Some(Box::new(voice));
            }
        }
        let detector = (self.plan.rtp == Rtp::Full).then(ToneDetector::new);
        let Some(voice) = self.voice_mut(phone) else { return Ok(nominal) };
        let (codec, law) = codec_of(codec);
        voice.counters = Counters::default();
        voice.receiving =
            Some(Receiving { stats: ReceiverStats::new(codec.clock_rate()), law, detector, judged: false });
        Ok(voice.local)
    }

    fn start(&mut self, now: Time, phone: u32, remote: SocketAddr, codec: value::Codec, packet_ms: u32) {
        self.streams = self.streams.wrapping_add(1);
        let streams = self.streams;
        let full = self.plan.rtp == Rtp::Full;
        let packet_time = PacketTime::from_millis(packet_ms).unwrap_or(PacketTime::DEFAULT);
        let Some(voice) = self.voice_mut(phone) else { return };
        let (codec, law) = codec_of(codec);
        let samples = usize::try_from(packet_time.ticks()).unwrap_or_default();
        let tone = if full { tone_of(phone) } else { 0 };
        let mut payload = Vec::with_capacity(samples);
        law.encode(&sine(tone, samples), &mut payload);
        let start = StreamStart {
            ssrc: Ssrc(streams),
            sequence: SequenceNumber(streams as u16),
            timestamp: RtpTimestamp(streams),
        };
        let at = media_time(now);
        voice.sending = Some(Sending {
            remote,
            sender: Sender::new(codec, packet_time, start),
            pacer: Pacer::new(at, packet_time),
            payload,
        });
        self.voices.add(now, phone);
    }

    fn stop_receiving(&mut self, phone: u32) {
        let Some(voice) = self.voice_mut(phone) else { return };
        let Some(receiving) = voice.receiving.take() else { return };
        let quality = receiving.stats.quality();
        let sent =
            voice.sending.as_ref().map_or(voice.counters.packets_sent, |sending| sending.sender.packets());
        let count = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        voice.counters.packets_received = count(quality.packets);
        voice.counters.octets_received = count(quality.octets);
        voice.counters.packets_lost = count(quality.lost);
        voice.counters.jitter = u32::try_from(quality.jitter.as_millis()).unwrap_or(u32::MAX);
        self.director.tally.voice.lost += quality.lost;
        if quality.packets == 0 && sent >= SILENT_AFTER {
            self.director.judge(Wrong::NoVoice, phone, &format!("{sent} packets were sent, and none came"));
        }
    }

    /// Tells the station the figures of a stream that ended, for a manager that asks; closes a port that nobody needs.
    fn report(&mut self, now: Time, phone: u32, party: u32) {
        let Some(voice) = self.voice_mut(phone) else { return };
        if let Some(sending) = &voice.sending {
            voice.counters.packets_sent = sending.sender.packets();
            voice.counters.octets_sent = sending.sender.octets();
        }
        let (counters, is_idle) = (voice.counters, voice.receiving.is_none() && voice.sending.is_none());
        self.answer(now, phone, Input::Counters { party, counters });
        if is_idle {
            self.drop_voice(phone);
        }
    }

    fn answer(&mut self, now: Time, phone: u32, input: Input) {
        if let Some(handset) = self.handsets.get_mut(phone as usize) {
            handset.station.handle(now, input);
        }
    }

    /// Tokens of voice ports lie above those of connections.
    fn voice_token(&self, phone: u32) -> Token {
        Token(VOICE + phone as usize)
    }

    fn voice_again(&mut self, phone: u32) {
        let token = self.voice_token(phone);
        if let Some(handset) = self.handsets.get_mut(phone as usize)
            && let Some(voice) = &mut handset.voice
        {
            let _ = self.poll.registry().reregister(&mut voice.socket, token, Interest::READABLE);
        }
    }
}

/// Tokens from here on are voice ports.
pub(super) const VOICE: usize = usize::MAX / 2;

impl Receiving {
    /// Listens to a packet; the tone, once it is clear which, and 0 for something that is none.
    fn listen(&mut self, payload: &[u8]) -> Option<f32> {
        let detector = self.detector.as_mut()?;
        if self.judged {
            return None;
        }
        let mut samples = Vec::with_capacity(payload.len());
        self.law.decode(payload, &mut samples);
        detector.push(&samples);
        let steady = detector.steady()?;
        self.judged = true;
        Some(match steady.content {
            Content::Single(peak) => peak.frequency,
            Content::Silence | Content::Dual(..) | Content::Other => 0.0,
        })
    }
}

/// So many samples of a sine; silence for 0 Hz.
fn sine(hertz: u16, samples: usize) -> Vec<i16> {
    const VOLUME: f64 = 8000.0;
    let step = std::f64::consts::TAU * f64::from(hertz) / 8000.0;
    (0..samples).map(|at| (VOLUME * (step * at as f64).sin()) as i16).collect()
}

fn media_time(at: Time) -> selsius_media::Time {
    selsius_media::Time::from_micros(at.as_micros())
}

/// How voice is coded. The phones say that they speak G.711 alone, see [`super::Fleet::new`].
fn codec_of(codec: value::Codec) -> (Codec, Law) {
    match codec {
        value::Codec::G711Alaw64k => (Codec::Pcma, Law::A),
        _ => (Codec::Pcmu, Law::Mu),
    }
}
