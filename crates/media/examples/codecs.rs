//! What codecs cost: `cargo run --release -p selsius-media --example codecs -- --seconds 20`.
//!
//! Channels of one core: how many streams could be encoded, decoded, or both in calls that the engine transcodes, if it did nothing
//! else. Times are CPU time (`/proc/thread-self/schedstat`). Each line is a name, a value and its unit.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a command for developers")]

use std::{fs, hint::black_box, net::SocketAddr, process::ExitCode};

use selsius_media::{
    Codec, PacketTime, RtpTimestamp, Sender, SequenceNumber, Ssrc, Time,
    coder::{Decoder, Encoder},
    engine::{BridgeId, Config, Engine, Format, Learning, PartyId, Place},
    rtcp::NtpTime,
    rtp::StreamStart,
};

/// Packets of 20 ms in a second.
const PACKETS: usize = 50;
const CALLS: u64 = 200;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let seconds = match &arguments[..] {
        [] => Some(20),
        [name, seconds] if name == "--seconds" => seconds.parse().ok().filter(|&seconds: &u64| seconds > 1),
        _ => None,
    };
    let Some(seconds) = seconds else {
        println!("usage: codecs [--seconds N], a number from 2");
        return ExitCode::from(2);
    };
    for codec in [Codec::Pcmu, Codec::G722] {
        coders(codec, seconds);
    }
    let pairs = [("pcmu_pcma", Codec::Pcmu, Codec::Pcma), ("pcmu_g722", Codec::Pcmu, Codec::G722)];
    for (name, one, other) in pairs {
        let mut calls = Calls::new([one, other]);
        calls.seconds(1);
        let micros = calls.seconds(seconds);
        let channels = (2 * CALLS * seconds) as f64 * 1e6 / micros;
        println!("transcoded_{name} {channels:.0} channels");
    }
    ExitCode::SUCCESS
}

/// Both directions by themselves.
fn coders(codec: Codec, seconds: u64) {
    let (mut encoder, mut decoder) = (Encoder::narrow(codec).unwrap(), Decoder::narrow(codec).unwrap());
    let (said, mut codes, mut heard) = (noise(1), Vec::new(), Vec::new());
    let encoded = channels(seconds, || {
        codes.clear();
        said.chunks(160).for_each(|packet| encoder.encode(packet, &mut codes));
    });
    let decoded = channels(seconds, || {
        heard.clear();
        codes.chunks(160).for_each(|payload| decoder.decode(payload, &mut heard));
    });
    let name = codec.name().to_lowercase();
    println!("encoded_{name} {encoded:.0} channels");
    println!("decoded_{name} {decoded:.0} channels");
}

/// Times that a second of sound can be worked on in a second, by so many tenths of one.
fn channels(tenths: u64, mut work: impl FnMut()) -> f64 {
    let begun = cpu_time();
    let mut done = 0;
    let taken = loop {
        (0..10).for_each(|_| work());
        done += 10;
        let taken = cpu_time() - begun;
        if taken > tenths as f64 * 1e5 {
            break taken;
        }
    };
    f64::from(done) * 1e6 / taken
}

/// Calls of two parties whose codecs differ.
struct Calls {
    engine: Engine,
    now: Time,
    parties: Vec<(PartyId, SocketAddr, Vec<Vec<u8>>)>,
    said: u32,
}

impl Calls {
    fn new(codecs: [Codec; 2]) -> Self {
        let mut engine = Engine::new(Config { seed: 7, wall: NtpTime(0), name: "bench".into() });
        let mut parties = Vec::new();
        for call in 0..CALLS {
            for codec in codecs {
                let number = parties.len() as u32;
                let address = SocketAddr::from(([10, 0, (number >> 8) as u8, number as u8], 4000));
                let format = Format::new(codec, PacketTime::DEFAULT);
                let id = engine.open(Time::ZERO, format, Some(address), Learning::SameHost).unwrap();
                engine.place(Time::ZERO, id, Place::Bridge(BridgeId(call))).unwrap();
                parties.push((id, address, datagrams(codec, number)));
            }
        }
        Self { engine, now: Time::ZERO, parties, said: 0 }
    }

    /// Runs so long; the CPU time that it took, in microseconds.
    fn seconds(&mut self, seconds: u64) -> f64 {
        let begun = cpu_time();
        for _ in 0..seconds as usize * PACKETS {
            for (id, address, datagrams) in &mut self.parties {
                let datagram = &mut datagrams[self.said as usize % PACKETS];
                datagram[2..4].copy_from_slice(&(self.said as u16).to_be_bytes());
                datagram[4..8].copy_from_slice(&(self.said * 160).to_be_bytes());
                self.engine.receive(self.now, *id, *address, datagram);
            }
            self.said += 1;
            self.now = Time::from_micros(self.now.as_micros() + 20_000);
            self.engine.handle_timeout(self.now);
            while let Some(output) = self.engine.poll_output() {
                black_box(output);
            }
        }
        cpu_time() - begun
    }
}

/// A second of what a party says.
fn datagrams(codec: Codec, number: u32) -> Vec<Vec<u8>> {
    let start = StreamStart { ssrc: Ssrc(number), sequence: SequenceNumber(0), timestamp: RtpTimestamp(0) };
    let mut sender = Sender::new(codec, PacketTime::DEFAULT, start);
    let mut encoder = Encoder::narrow(codec).unwrap();
    let packet = |samples: &[i16]| {
        let (mut payload, mut datagram) = (Vec::new(), Vec::new());
        encoder.encode(samples, &mut payload);
        sender.send(&payload, &mut datagram).unwrap();
        datagram
    };
    noise(number).chunks(160).map(packet).collect()
}

/// A second of noise at -20 dBm0: of all sound the one that a predictor has to work for.
fn noise(seed: u32) -> Vec<i16> {
    let mut random = seed;
    let sample = |_| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((random >> 16) as u16 as i16) / 12
    };
    (0..160 * PACKETS).map(sample).collect()
}

/// CPU time of this thread, in microseconds.
fn cpu_time() -> f64 {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: f64 = schedstat.split(' ').next().unwrap().parse().unwrap();
    nanoseconds / 1000.0
}
