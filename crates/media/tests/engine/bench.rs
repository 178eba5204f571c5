//! Phones with tones in place of people, and an engine between them, on a virtual clock.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use selsius_media::coder::Encoder;
use selsius_media::engine::{
    BridgeId, Config, Engine, Event, Format, Learning, Output, PartyId, Place, Port,
};
use selsius_media::jitter::Delay;
use selsius_media::rtcp::NtpTime;
use selsius_media::rtp::StreamStart;
use selsius_media::tone::detect::{Content, analyze};
use selsius_media::tone::{Sine, Sound};
use selsius_media::{
    Band, Codec, Level, PacketTime, PlayoutBuffer, ReceiverStats, RtpPacket, RtpTimestamp, Sender,
    SequenceNumber, Ssrc, Time, Tone, ToneGenerator,
};

pub(crate) const BRIDGE: BridgeId = BridgeId(1);

pub(crate) fn format(codec: Codec, millis: u32) -> Format {
    Format::new(codec, PacketTime::from_millis(millis).unwrap())
}

/// A phone: what it sends, and what it hears.
pub(crate) struct Phone {
    pub(crate) id: PartyId,
    pub(crate) address: SocketAddr,
    pub(crate) format: Format,
    pub(crate) sender: Sender,
    pub(crate) tone: ToneGenerator,
    encoder: Option<Encoder>,
    band: Band,
    next: Time,
    /// What became of its packets on their way, by their number: lost, or late by so many milliseconds.
    pub(crate) network: fn(u64) -> Option<u64>,
    sent: u64,
    pub(crate) silent: bool,
    pub(crate) stats: ReceiverStats,
    playout: PlayoutBuffer,
    pub(crate) heard: Vec<i16>,
    /// Everything that it got, as it was on the wire.
    pub(crate) datagrams: Vec<(Time, Vec<u8>)>,
    pub(crate) reports: Vec<Vec<u8>>,
}

pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) now: Time,
    pub(crate) phones: Vec<Phone>,
    pub(crate) events: Vec<(PartyId, Event)>,
    pub(crate) talkers: Vec<Option<PartyId>>,
    pub(crate) taps: BTreeMap<PartyId, (Vec<i16>, Vec<i16>)>,
    on_the_way: Vec<(Time, usize, Vec<u8>)>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let config = Config { seed: 1, wall: NtpTime(0x1234_5678_0000_0000), name: "test".into() };
        Self {
            engine: Engine::new(config),
            now: Time::ZERO,
            phones: Vec::new(),
            events: Vec::new(),
            talkers: Vec::new(),
            taps: BTreeMap::new(),
            on_the_way: Vec::new(),
        }
    }

    /// One more phone, which says a tone of this frequency from now on.
    pub(crate) fn phone(&mut self, format: Format, frequency: u16) -> usize {
        let number = self.phones.len();
        let address = SocketAddr::from(([192, 0, 2, number as u8 + 1], 4000));
        let id = self.engine.open(self.now, format, Some(address), Learning::SameHost).unwrap();
        self.phones.push(Phone {
            id,
            address,
            format,
            sender: sender(format, number as u32 + 100),
            tone: tone(frequency),
            encoder: Encoder::narrow(format.codec),
            band: Band::Narrow,
            // Not all at the same moment.
            next: Time::from_micros(self.now.as_micros() + number as u64 * 3000),
            network: |_| Some(0),
            sent: 0,
            silent: false,
            stats: ReceiverStats::new(format.codec.clock_rate()),
            playout: PlayoutBuffer::new(Delay::default()),
            heard: Vec::new(),
            datagrams: Vec::new(),
            reports: Vec::new(),
        });
        number
    }

    /// One more phone, which says a tone and hears in the whole band of its codec.
    pub(crate) fn wide_phone(&mut self, format: Format, frequency: u16) -> usize {
        let number = self.phone(format, frequency);
        let phone = &mut self.phones[number];
        phone.band = format.codec.band();
        phone.tone = ToneGenerator::at(phone.band, tone_of(frequency));
        phone.encoder = Encoder::new(format.codec);
        phone.playout = PlayoutBuffer::at(phone.band, Delay::default());
        number
    }

    /// Phones in one bridge.
    pub(crate) fn bridge(&mut self, phones: &[(Format, u16)]) -> Vec<usize> {
        let numbers: Vec<_> = phones.iter().map(|&(format, tone)| self.phone(format, tone)).collect();
        for &number in &numbers {
            self.place(number, Place::Bridge(BRIDGE));
        }
        numbers
    }

    pub(crate) fn place(&mut self, phone: usize, place: Place) {
        self.engine.place(self.now, self.phones[phone].id, place).unwrap();
    }

    /// Speaks another codec from now on, in the same stream.
    pub(crate) fn change(&mut self, phone: usize, format: Format) {
        let phone = &mut self.phones[phone];
        self.engine.set_format(self.now, phone.id, format).unwrap();
        phone.format = format;
        phone.encoder = Encoder::narrow(format.codec);
        phone.sender = sender(format, phone.sender.ssrc().0 + 1);
    }

    /// Says something else from now on, as another stream.
    pub(crate) fn restart(&mut self, phone: usize, ssrc: u32) {
        let phone = &mut self.phones[phone];
        phone.sender = sender(phone.format, ssrc);
    }

    pub(crate) fn run(&mut self, millis: u64) {
        let end = Time::from_millis(self.now.as_millis() + millis);
        while self.now < end {
            self.now = Time::from_micros(self.now.as_micros() + 1000);
            self.speak();
            let mut arrived: Vec<_> = self.on_the_way.extract_if(.., |(at, ..)| *at <= self.now).collect();
            arrived.sort_by_key(|&(at, ..)| at);
            for (_, number, datagram) in arrived {
                let phone = &self.phones[number];
                self.engine.receive(self.now, phone.id, phone.address, &datagram);
                self.outputs();
            }
            if self.engine.poll_timeout().is_some_and(|at| at <= self.now) {
                self.engine.handle_timeout(self.now);
                self.outputs();
            }
            if self.now.as_millis().is_multiple_of(20) {
                for phone in &mut self.phones {
                    let mut frame = vec![0; phone.band.frame()];
                    phone.playout.pull(self.now, &mut frame);
                    phone.heard.extend_from_slice(&frame);
                }
            }
        }
    }

    fn speak(&mut self) {
        for (number, phone) in self.phones.iter_mut().enumerate() {
            while phone.next <= self.now {
                phone.next += phone.format.packet_time.duration();
                let len = phone.format.packet_time.as_millis() * phone.band.sample_rate() / 1000;
                let mut samples = vec![0; len as usize];
                phone.tone.fill(&mut samples);
                if phone.silent {
                    phone.sender.pause();
                    continue;
                }
                let mut payload = Vec::new();
                match &mut phone.encoder {
                    Some(encoder) => encoder.encode(&samples, &mut payload),
                    None => payload.resize(phone.format.codec.payload_len(phone.format.packet_time), 7),
                }
                let mut datagram = Vec::new();
                phone.sender.send(&payload, &mut datagram).unwrap();
                if let Some(late) = (phone.network)(phone.sent) {
                    let at = Time::from_millis(self.now.as_millis() + late);
                    self.on_the_way.push((at, number, datagram));
                }
                phone.sent += 1;
            }
        }
    }

    pub(crate) fn outputs(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Packet { party, to, port, bytes } => {
                    let phone = self.phones.iter_mut().find(|phone| phone.id == party).unwrap();
                    if port == Port::Control {
                        phone.reports.push(bytes.to_vec());
                        continue;
                    }
                    assert_eq!(to, phone.address);
                    let packet = RtpPacket::parse(bytes).unwrap();
                    phone.stats.receive(self.now, &packet.header, packet.payload.len());
                    if packet.header.payload_type == phone.format.payload_type {
                        phone.playout.push_as(self.now, phone.format.codec, &packet);
                    } else {
                        phone.playout.push(self.now, &packet);
                    }
                    phone.datagrams.push((self.now, bytes.to_vec()));
                }
                Output::Sound { party, said, heard } => {
                    let tap = self.taps.entry(party).or_default();
                    tap.0.extend_from_slice(said);
                    tap.1.extend_from_slice(heard);
                }
                Output::Event { party, event } => self.events.push((party, event)),
                Output::Talker { party, .. } => self.talkers.push(party),
            }
        }
    }

    /// What a phone heard in the last 200 ms.
    pub(crate) fn hears(&self, phone: usize) -> Content {
        hears(&self.phones[phone].heard)
    }

    /// The frequencies of what it hears, to the nearest ten.
    pub(crate) fn tones(&self, phone: usize) -> Vec<u32> {
        tones(self.hears(phone))
    }
}

pub(crate) fn hears(samples: &[i16]) -> Content {
    analyze(&samples[samples.len() - 1600..]).content
}

pub(crate) fn tones(content: Content) -> Vec<u32> {
    let round = |frequency: f32| (frequency / 10.0).round() as u32 * 10;
    match content {
        Content::Silence => vec![],
        Content::Single(peak) => vec![round(peak.frequency)],
        Content::Dual(low, high) => vec![round(low.frequency), round(high.frequency)],
        Content::Other => panic!("noise"),
    }
}

pub(crate) fn tone(frequency: u16) -> ToneGenerator {
    ToneGenerator::new(tone_of(frequency))
}

fn tone_of(frequency: u16) -> Tone {
    Tone::continuous(Sound::Single(Sine::new(frequency, Level::dbm0(-16.0))))
}

/// Level of one frequency in what was heard last, in dBm0, for samples of any rate.
pub(crate) fn level(samples: &[i16], frequency: f64, rate: u32) -> f64 {
    let samples = &samples[samples.len() - rate as usize / 5..];
    let (mut re, mut im) = (0.0, 0.0);
    for (n, &sample) in samples.iter().enumerate() {
        let angle = std::f64::consts::TAU * frequency * n as f64 / f64::from(rate);
        re += f64::from(sample) * angle.cos();
        im += f64::from(sample) * angle.sin();
    }
    let peak = 2.0 * f64::hypot(re, im) / samples.len() as f64;
    20.0 * (peak.max(0.01) / Level::dbm0(0.0).sine_peak()).log10()
}

fn sender(format: Format, ssrc: u32) -> Sender {
    let start = StreamStart {
        ssrc: Ssrc(ssrc),
        sequence: SequenceNumber((ssrc as u16).wrapping_mul(77)),
        timestamp: RtpTimestamp(ssrc * 9999),
    };
    Sender::new(format.codec, format.packet_time, start)
}
