//! A capture of a large office, made of whole cloth: phones register and call each other, RTP flows, and other programs use
//! the network. One packet in ten is SCCP. The same size and seed give the same bytes.

use std::{
    collections::VecDeque,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
};

use rand::{Rng, RngExt};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use selsius_inspect::{
    capture::{Packet, Writer},
    packet::{
        Datagram,
        build::{self, TcpFlow},
    },
    reassembly::Way,
};
use selsius_wire::Time;

use super::script::{self, Call, MANAGER, Phone, Step};

/// What a capture holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) bytes: u64,
    pub(super) packets: u64,
    /// Packets that carry SCCP.
    pub(super) sccp: u64,
    pub(super) phones: usize,
    pub(super) calls: u64,
}

/// Four thousand in a gigabyte: they register during its first quarter.
const BYTES_PER_PHONE: u64 = 250_000;
/// Registrations and calls that go on at a time, in a large office.
const AT_A_TIME: usize = 400;
/// Every packet comes so much later than the one before: then streams have about 50 packets a second.
const MICROS_PER_PACKET: u64 = 70;
/// RTP that no phone was told of, as between gateways.
const STRANGERS: u16 = 20;
/// Connections of other programs.
const CONNECTIONS: u16 = 200;

/// Writes about `size` bytes of pcapng.
pub(super) fn write(out: &mut impl Write, size: u64, seed: u64) -> io::Result<Contents> {
    let mut office = Office::new(out, size, seed);
    for slot in 0_u64.. {
        if office.contents.bytes >= size {
            break;
        }
        if slot.is_multiple_of(10) { office.signalling()? } else { office.traffic()? }
    }
    Ok(office.contents)
}

struct Office<'o, W> {
    out: &'o mut W,
    writer: Writer,
    scratch: Vec<u8>,
    contents: Contents,
    chance: ChaCha8Rng,
    /// Where payloads are cut from.
    noise: Vec<u8>,
    phones: Vec<Phone>,
    /// The connections of the phones that have one, by their index.
    flows: Vec<TcpFlow>,
    /// Phones without a call.
    idle: Vec<usize>,
    jobs: VecDeque<Job>,
    voices: Vec<Voice>,
    next_voice: usize,
    others: Vec<Other>,
    ports: u16,
}

/// A registration or a call.
struct Job {
    phones: Vec<usize>,
    steps: std::vec::IntoIter<Step>,
    voices: Vec<Voice>,
}

/// One direction of media.
#[derive(Clone)]
struct Voice {
    from: SocketAddr,
    to: SocketAddr,
    source: u32,
    number: u16,
}

/// A connection of another program.
struct Other {
    flow: TcpFlow,
    /// Segments until it ends.
    left: u32,
}

impl<'o, W: Write> Office<'o, W> {
    fn new(out: &'o mut W, size: u64, seed: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let mut noise = vec![0; 64 * 1024];
        chance.fill_bytes(&mut noise);
        let phones = usize::try_from(size / BYTES_PER_PHONE).unwrap_or(usize::MAX).clamp(20, 20_000);
        let voices = (0..STRANGERS).map(|at| Voice {
            from: end(3, at, 30_000),
            to: end(4, at, 30_000),
            source: u32::from(at) + 1,
            number: 0,
        });
        Self {
            out,
            writer: Writer::default(),
            scratch: Vec::new(),
            contents: Contents { phones, ..Contents::default() },
            chance,
            noise,
            phones: (0..phones).map(Phone::new).collect(),
            flows: Vec::new(),
            idle: Vec::new(),
            jobs: VecDeque::new(),
            voices: voices.collect(),
            next_voice: 0,
            others: Vec::new(),
            ports: 0,
        }
    }

    /// The next packet of some registration or call.
    fn signalling(&mut self) -> io::Result<()> {
        loop {
            while self.jobs.len() < AT_A_TIME.min(self.phones.len() / 4) {
                let job = self.begin()?;
                self.jobs.push_back(job);
            }
            let Some(mut job) = self.jobs.pop_front() else { return Ok(()) };
            match job.steps.next() {
                None => self.idle.append(&mut job.phones),
                Some(Step::Talk) => {
                    self.voices.extend_from_slice(&job.voices);
                    self.jobs.push_back(job);
                }
                Some(Step::Hush) => {
                    self.voices.retain(|voice| job.voices.iter().all(|ours| ours.source != voice.source));
                    self.jobs.push_back(job);
                }
                Some(Step::Say(phone, way, bytes)) => {
                    let packets = self.flows[phone].send(way, &bytes);
                    self.contents.sccp += packets.len() as u64;
                    self.jobs.push_back(job);
                    return self.packets(&packets);
                }
            }
        }
    }

    /// A registration as long as there are phones that did not; else a call.
    fn begin(&mut self) -> io::Result<Job> {
        let index = self.flows.len();
        if let Some(phone) = self.phones.get(index) {
            let mut flow = TcpFlow::new(phone.end(), MANAGER);
            let steps = script::registration(phone).into_iter();
            let packets = flow.open();
            self.flows.push(flow);
            self.packets(&packets)?;
            return Ok(Job { phones: vec![index], steps, voices: Vec::new() });
        }
        let mut someone = || self.idle.swap_remove(self.chance.random_range(0..self.idle.len()));
        let (from, to) = (someone(), someone());
        self.contents.calls += 1;
        let reference = 0x0100_0000 + u32::try_from(self.contents.calls * 2).unwrap_or_default();
        let mut port = || 16_384 + 2 * self.chance.random_range(0..8_000_u16);
        let call = Call { reference, ports: [port(), port()] };
        let (caller, called) = (&self.phones[from], &self.phones[to]);
        let [here, there] = [caller.media(call.ports[0]), called.media(call.ports[1])];
        let voices = [(here, there, reference), (there, here, reference + 1)]
            .map(|(from, to, source)| Voice { from, to, source, number: 0 });
        // The media of one call in four goes another way than the capture.
        let voices = if self.contents.calls.is_multiple_of(4) { Vec::new() } else { voices.to_vec() };
        let steps = script::call(&call, caller, called, self.chance.random_range(1..4)).into_iter();
        Ok(Job { phones: vec![from, to], steps, voices })
    }

    /// The next packet of something else.
    fn traffic(&mut self) -> io::Result<()> {
        if self.chance.random_ratio(7, 9) { self.voice() } else { self.other() }
    }

    fn voice(&mut self) -> io::Result<()> {
        self.next_voice = (self.next_voice + 1) % self.voices.len();
        // Some packets get lost.
        let lost = self.chance.random_ratio(1, 200);
        let media = self.chance.random_range(0..self.noise.len() - 160);
        let voice = &mut self.voices[self.next_voice];
        voice.number = voice.number.wrapping_add(if lost { 2 } else { 1 });
        let mut payload = vec![0x80, 0];
        payload.extend(voice.number.to_be_bytes());
        payload.extend((u32::from(voice.number) * 160).to_be_bytes());
        payload.extend(voice.source.to_be_bytes());
        payload.extend_from_slice(&self.noise[media..media + 160]);
        let datagram = Datagram { source: voice.from, destination: voice.to, payload: &payload, cut: false };
        let packet: Vec<_> = build::udp(&datagram).into_iter().collect();
        self.packets(&packet)
    }

    fn other(&mut self) -> io::Result<()> {
        while self.others.len() < usize::from(CONNECTIONS) {
            self.ports = (self.ports + 1) % 20_000;
            let server = end(5, self.ports % 50, [80, 443, 22][usize::from(self.ports % 3)]);
            let mut flow = TcpFlow::new(end(6, self.ports % 200, 40_000 + self.ports), server);
            let packets = flow.open();
            self.packets(&packets)?;
            self.others.push(Other { flow, left: self.chance.random_range(10..500) });
        }
        let at = self.chance.random_range(0..self.others.len());
        let way = if self.chance.random_ratio(2, 3) { Way::Backward } else { Way::Forward };
        let length = if self.chance.random_ratio(1, 2) { self.chance.random_range(40..600) } else { 1_400 };
        let start = self.chance.random_range(0..self.noise.len() - length);
        let other = &mut self.others[at];
        let mut packets = other.flow.send(way, &self.noise[start..start + length]);
        other.left -= 1;
        if other.left == 0 {
            packets.extend(self.others.swap_remove(at).flow.close(way));
        }
        self.packets(&packets)
    }

    fn packets(&mut self, packets: &[Vec<u8>]) -> io::Result<()> {
        for bytes in packets {
            let micros = 1_780_000_000_000_000 + self.contents.packets * MICROS_PER_PACKET;
            let original = u32::try_from(bytes.len()).unwrap_or_default();
            let packet = Packet { time: Time::from_micros(micros), link: 1, bytes, original };
            self.writer.packet(&packet, &mut self.scratch);
            self.contents.packets += 1;
            self.contents.bytes += self.scratch.len() as u64;
            self.out.write_all(&self.scratch)?;
            self.scratch.clear();
        }
        Ok(())
    }
}

fn end(network: u8, host: u16, port: u16) -> SocketAddr {
    let [high, low] = host.to_be_bytes();
    SocketAddr::new(Ipv4Addr::new(10, network, high, low).into(), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_packet_in_ten_is_sccp_and_chance_repeats() {
        let made = |seed| {
            let mut bytes = Vec::new();
            let contents = write(&mut bytes, 5_000_000, seed).unwrap();
            (contents, bytes)
        };
        let (contents, bytes) = made(1);
        assert_eq!(contents.bytes, bytes.len() as u64);
        let share = contents.packets as f64 / contents.sccp as f64;
        assert!((9.0..11.0).contains(&share), "{contents:?}");
        assert!(contents.phones == 20 && contents.calls > 5, "{contents:?}");
        assert!(made(1) == (contents, bytes.clone()));
        assert!(made(2).1 != bytes);
    }
}
