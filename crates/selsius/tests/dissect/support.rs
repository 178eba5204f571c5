//! Running the command; captures to run it on.

use std::{
    io::Write,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Stdio},
};

use selsius_inspect::{
    capture::{Packet, Writer},
    packet::{
        Datagram,
        build::{self, TcpFlow},
    },
    reassembly::Way,
};
use selsius_wire::{RawFrame, Time};
use serde_json::Value;

pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn dissect(arguments: &[&str]) -> Ran {
    dissect_input(arguments, b"")
}

/// With something at standard input. Times are in UTC.
pub(crate) fn dissect_input(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_selsius"))
        .arg("dissect")
        .args(arguments)
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || {
        // Who refuses its arguments does not read.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// What a run without a complaint wrote.
    pub(crate) fn good(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{}", self.out);
        self.out
    }

    /// What is written without a complaint, as JSON.
    pub(crate) fn json(self) -> Vec<Value> {
        self.good().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

/// A capture of the collection, if it is there.
pub(crate) fn shared(name: &str) -> Option<String> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures")).join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path.to_str().unwrap().to_owned())
}

pub(crate) const CAPTURES: [&str; 5] = [
    "callmanager-4.1-7912.pcapng",
    "cucm-v20-call.pcap",
    "chan-sccp-v3-call.pcap",
    "chan-sccp-v17-call.pcap",
    "freeswitch-v3-call.pcap",
];

/// A made capture: one connection, a message every millisecond.
pub(crate) struct Made {
    flow: TcpFlow,
    writer: Writer,
    pub(crate) bytes: Vec<u8>,
    pub(crate) micros: u64,
}

impl Made {
    pub(crate) fn new() -> Self {
        let end = |text: &str| text.parse::<SocketAddr>().unwrap();
        let mut flow = TcpFlow::new(end("10.0.0.7:50000"), end("10.0.0.1:2000"));
        let opening = flow.open();
        let mut made =
            Self { flow, writer: Writer::default(), bytes: Vec::new(), micros: 1_700_000_000_000_000 };
        made.packets(&opening);
        made
    }

    pub(crate) fn packets(&mut self, packets: &[Vec<u8>]) {
        for bytes in packets {
            let original = bytes.len() as u32;
            let packet = Packet { time: Time::from_micros(self.micros), link: 1, bytes, original };
            self.writer.packet(&packet, &mut self.bytes);
            self.micros += 1_000;
        }
    }

    pub(crate) fn frame(mut self, way: Way, header_version: u32, id: u32, body: &[u8]) -> Self {
        let mut bytes = Vec::new();
        RawFrame { header_version, id, body }.encode(&mut bytes);
        // Acknowledgments are of no interest.
        let packets: Vec<_> = self.flow.send(way, &bytes).into_iter().take(1).collect();
        self.packets(&packets);
        self
    }

    /// The next message of the phone, its packet in two IP fragments, the last first.
    pub(crate) fn fragmented(mut self, id: u32, body: &[u8]) -> Self {
        let mut bytes = Vec::new();
        RawFrame { header_version: 0, id, body }.encode(&mut bytes);
        let packet = self.flow.send(Way::Forward, &bytes).remove(0);
        let (header, payload) = packet.split_at(14 + 20);
        let part = |start: usize, end: usize, more: bool| {
            let mut part = header.to_vec();
            part[16..18].copy_from_slice(&((end - start + 20) as u16).to_be_bytes());
            let flags = if more { 0x2000 } else { 0 } | (start / 8) as u16;
            part[20..22].copy_from_slice(&flags.to_be_bytes());
            part.extend_from_slice(&payload[start..end]);
            part
        };
        let parts = [part(32, payload.len(), false), part(0, 32, true)];
        self.packets(&parts);
        self
    }

    /// RTP from the phone's port 20000, G.711 µ-law, 20 ms each.
    pub(crate) fn voice(mut self, to: &str, numbers: impl Iterator<Item = u16>) -> Self {
        for number in numbers {
            self.rtp(["10.0.0.7:20000", to], 0, number, &[0x2a; 160]);
            self.micros += 19_000;
        }
        self
    }

    /// An RTP packet of 20 ms.
    pub(crate) fn rtp(&mut self, [from, to]: [&str; 2], payload_type: u8, number: u16, sound: &[u8]) {
        let mut payload = vec![0x80, payload_type];
        payload.extend(number.to_be_bytes());
        payload.extend((u32::from(number) * 160).to_be_bytes());
        payload.extend(9_u32.to_be_bytes());
        payload.extend(sound);
        let (source, destination) = (from.parse().unwrap(), to.parse().unwrap());
        let datagram = Datagram { source, destination, payload: &payload, cut: false };
        self.packets(&Vec::from_iter(build::udp(&datagram)));
    }

    pub(crate) fn station(self, version: u32, id: u32, body: &[u8]) -> Self {
        self.frame(Way::Forward, version, id, body)
    }

    pub(crate) fn manager(self, version: u32, id: u32, body: &[u8]) -> Self {
        self.frame(Way::Backward, version, id, body)
    }

    pub(crate) fn json(&self) -> Vec<Value> {
        dissect_input(&["-", "--format", "json"], &self.bytes).json()
    }
}

/// Little-endian words.
pub(crate) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Text in an area of so many bytes.
pub(crate) fn text(text: &str, width: usize) -> Vec<u8> {
    let mut area = text.as_bytes().to_vec();
    area.resize(width, 0);
    area
}
