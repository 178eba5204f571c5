//! What the media engine costs without sockets: `cargo run --release -p selsius-media --example engine -- --seconds 20`.
//!
//! Parties send real packets on a virtual clock, and all that comes out is taken. Times are CPU time
//! (`/proc/thread-self/schedstat`) of the engine alone: what parties send is made before. Each line is a name, a value and its
//! unit, which `cargo xtask bench media` reads.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a command for developers")]

use std::{fs, hint::black_box, net::SocketAddr, process::ExitCode};

use selsius_media::{
    Codec, Level, PacketTime, RtpTimestamp, Sender, SequenceNumber, Ssrc, Time, Tone, ToneGenerator,
    engine::{BridgeId, Clip, Config, Engine, Format, Learning, PartyId, Place, SourceId},
    rtcp::NtpTime,
    rtp::StreamStart,
    tone::{Sine, Sound},
};

const PACKET: PacketTime = PacketTime::DEFAULT;
const MU: Format = Format::new(Codec::Pcmu, PACKET);
const A: Format = Format::new(Codec::Pcma, PACKET);

/// Milliseconds after which packets of 20 and of 30 come at the same moments again.
const SLOTS: usize = 60;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let seconds = match &arguments[..] {
        [] => Some(20),
        [name, seconds] if name == "--seconds" => seconds.parse().ok().filter(|&seconds: &u64| seconds > 1),
        _ => None,
    };
    let Some(seconds) = seconds else {
        println!("usage: engine [--seconds N], a number from 2");
        return ExitCode::from(2);
    };
    let calls = |formats: [Format; 2]| {
        let mut run = Run::new();
        for call in 0..500 {
            run.bridge(call, &formats);
        }
        run
    };
    let long = Format::new(Codec::Pcmu, PacketTime::from_millis(30).unwrap());
    let table = [
        ("relay", calls([MU, MU])),
        ("repacketised", calls([MU, long])),
        ("transcoded", calls([MU, A])),
        ("conference_8", conferences(100, 8, 8)),
        ("conference_100", conferences(8, 100, 100)),
        ("listeners_100", conferences(8, 100, 3)),
        ("music", music(1000)),
    ];
    for (name, mut run) in table {
        run.seconds(1);
        let (received, sent) = (run.received, run.sent);
        let micros = run.seconds(seconds);
        let packets = (run.received - received) + (run.sent - sent);
        let parties = run.parties.len() as f64;
        // Of one core: what it could do if it did nothing else.
        println!("{name} {:.0} packets/s", (run.sent - sent) as f64 / micros * 1e6);
        println!("{name}_parties {:.0} parties", parties * seconds as f64 * 1e6 / micros);
        println!("{name}_packet {:.0} ns", micros * 1000.0 / packets as f64);
    }
    ExitCode::SUCCESS
}

/// So many conferences of so many, of whom some speak.
fn conferences(count: u64, size: usize, speakers: usize) -> Run {
    let mut run = Run::new();
    for at in 0..count {
        run.bridge(at, &vec![MU; size]);
        let begun = run.parties.len() - size;
        for party in &mut run.parties[begun + speakers..] {
            party.silent = true;
        }
    }
    run
}

/// So many who hear music, and send what their microphones hear.
fn music(listeners: usize) -> Run {
    let mut run = Run::new();
    let mut samples = vec![0; 80_000];
    tone(440).fill(&mut samples);
    run.engine.set_source(SourceId(1), Clip::Loop(samples.into())).unwrap();
    for at in 0..listeners {
        run.party(if at % 2 == 0 { MU } else { A }, Place::Source(SourceId(1)));
    }
    run
}

struct Run {
    engine: Engine,
    now: Time,
    parties: Vec<Party>,
    /// Who speaks in which millisecond.
    slots: Vec<Vec<usize>>,
    received: u64,
    sent: u64,
}

struct Party {
    id: PartyId,
    address: SocketAddr,
    /// A second of what it says, over and over: only the numbers change.
    datagrams: Vec<Vec<u8>>,
    said: u32,
    step: PacketTime,
    silent: bool,
}

impl Run {
    fn new() -> Self {
        let config = Config { seed: 7, wall: NtpTime(0), name: "bench".into() };
        let (engine, slots) = (Engine::new(config), vec![Vec::new(); SLOTS]);
        Self { engine, now: Time::ZERO, parties: Vec::new(), slots, received: 0, sent: 0 }
    }

    fn bridge(&mut self, at: u64, formats: &[Format]) {
        for &format in formats {
            self.party(format, Place::Bridge(BridgeId(at)));
        }
    }

    fn party(&mut self, format: Format, place: Place) {
        let number = self.parties.len() as u32;
        let address = SocketAddr::from(([10, 0, (number >> 8) as u8, number as u8], 4000));
        let id = self.engine.open(self.now, format, Some(address), Learning::SameHost).unwrap();
        self.engine.place(self.now, id, place).unwrap();
        // As calls begin: not all at the same moment.
        let millis = format.packet_time.as_millis() as usize;
        for slot in (number as usize * 7919 % millis..SLOTS).step_by(millis) {
            self.slots[slot].push(number as usize);
        }
        self.parties.push(Party {
            id,
            address,
            datagrams: speech(format, number),
            said: 0,
            step: format.packet_time,
            silent: false,
        });
    }

    /// Runs so long; the CPU time that the engine took, in microseconds.
    fn seconds(&mut self, seconds: u64) -> f64 {
        let end = Time::from_millis(self.now.as_millis() + seconds * 1000);
        let begun = cpu_time();
        while self.now < end {
            self.now = Time::from_micros(self.now.as_micros() + 1000);
            for at in 0..self.slots[self.now.as_millis() as usize % SLOTS].len() {
                let party = &mut self.parties[self.slots[self.now.as_millis() as usize % SLOTS][at]];
                if party.silent {
                    continue;
                }
                let (id, address) = (party.id, party.address);
                self.engine.receive(self.now, id, address, party.speak());
                self.received += 1;
                self.take();
            }
            if self.engine.poll_timeout().is_some_and(|at| at <= self.now) {
                self.engine.handle_timeout(self.now);
                self.take();
            }
        }
        cpu_time() - begun
    }

    fn take(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            self.sent += 1;
            black_box(output);
        }
    }
}

impl Party {
    /// The next datagram, with its numbers.
    fn speak(&mut self) -> &[u8] {
        let at = self.said as usize % self.datagrams.len();
        let datagram = &mut self.datagrams[at];
        datagram[2..4].copy_from_slice(&(self.said as u16).to_be_bytes());
        datagram[4..8].copy_from_slice(&self.said.wrapping_mul(self.step.ticks()).to_be_bytes());
        self.said += 1;
        datagram
    }
}

/// A second of a tone.
fn speech(format: Format, number: u32) -> Vec<Vec<u8>> {
    let start = StreamStart { ssrc: Ssrc(number), sequence: SequenceNumber(0), timestamp: RtpTimestamp(0) };
    let mut sender = Sender::new(format.codec, format.packet_time, start);
    let mut tone = tone(300 + (number % 29) as u16 * 100);
    let packets = 1000 / format.packet_time.as_millis();
    let packet = |_| {
        let mut samples = vec![0; format.packet_time.ticks() as usize];
        tone.fill(&mut samples);
        let (mut payload, mut datagram) = (Vec::new(), Vec::new());
        format.codec.law().unwrap().encode(&samples, &mut payload);
        sender.send(&payload, &mut datagram).unwrap();
        datagram
    };
    (0..packets).map(packet).collect()
}

fn tone(frequency: u16) -> ToneGenerator {
    ToneGenerator::new(Tone::continuous(Sound::Single(Sine::new(frequency, Level::dbm0(-16.0)))))
}

/// CPU time of this thread, in microseconds.
fn cpu_time() -> f64 {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: f64 = schedstat.split(' ').next().unwrap().parse().unwrap();
    nanoseconds / 1000.0
}
