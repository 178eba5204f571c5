//! The SCCP frames of a capture, in the order in which they were seen.

use std::{collections::BTreeMap, fs::File, io::BufReader, net::SocketAddr, path::PathBuf};

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use pcap_file::{
    pcap::PcapReader,
    pcapng::{Block, PcapNgReader},
};
use selsius_wire::Time;

/// One frame: header, id and body.
pub(crate) struct Frame {
    /// Number of the packet in which it ended, as Wireshark counts.
    pub(crate) packet: usize,
    pub(crate) time: Time,
    /// The phone's end of the connection.
    pub(crate) phone: SocketAddr,
    pub(crate) from_phone: bool,
    pub(crate) bytes: Vec<u8>,
}

/// Reads a capture of a manager at that port; None, and a line that says so, where the captures are missing.
pub(crate) fn read(name: &str, port: u16) -> Option<Vec<Frame>> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures")).join(name);
    let Ok(file) = File::open(&path) else {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: {} is not there", path.display());
        }
        return None;
    };
    let packets = packets(BufReader::new(file), name.ends_with("ng"));
    let mut streams: BTreeMap<(SocketAddr, SocketAddr), Stream> = BTreeMap::new();
    let mut frames = Vec::new();
    for (number, (time, packet)) in (1..).zip(&packets) {
        let Some((from, to, sequence, payload)) = segment(packet) else { continue };
        if from.port() != port && to.port() != port {
            continue;
        }
        let stream = streams.entry((from, to)).or_default();
        stream.push(sequence, payload);
        while let Some(bytes) = stream.frame() {
            let from_phone = to.port() == port;
            let phone = if from_phone { from } else { to };
            frames.push(Frame { packet: number, time: *time, phone, from_phone, bytes });
        }
    }
    Some(frames)
}

fn packets(file: BufReader<File>, ng: bool) -> Vec<(Time, Vec<u8>)> {
    let mut packets: Vec<(std::time::Duration, Vec<u8>)> = Vec::new();
    if ng {
        let mut reader = PcapNgReader::new(file).expect("a pcapng file");
        while let Some(block) = reader.next_block() {
            if let Block::EnhancedPacket(packet) = block.expect("a block") {
                // The reader takes the file's microseconds for nanoseconds.
                packets.push((packet.timestamp * 1000, packet.data.into_owned()));
            }
        }
    } else {
        let mut reader = PcapReader::new(file).expect("a pcap file");
        while let Some(packet) = reader.next_packet() {
            let packet = packet.expect("a packet");
            packets.push((packet.timestamp, packet.data.into_owned()));
        }
    }
    let start = packets.first().map(|(time, _)| *time).unwrap_or_default();
    packets.into_iter().map(|(time, data)| (Time::ZERO + time.saturating_sub(start), data)).collect()
}

fn segment(packet: &[u8]) -> Option<(SocketAddr, SocketAddr, u32, &[u8])> {
    let sliced = SlicedPacket::from_ethernet(packet).ok()?;
    let (source, destination) = match sliced.net? {
        NetSlice::Ipv4(ip) => (ip.header().source_addr(), ip.header().destination_addr()),
        _ => return None,
    };
    let TransportSlice::Tcp(tcp) = sliced.transport? else { return None };
    let from = SocketAddr::new(source.into(), tcp.source_port());
    let to = SocketAddr::new(destination.into(), tcp.destination_port());
    Some((from, to, tcp.sequence_number(), tcp.payload()))
}

/// One direction of a connection. The captures have no holes; what is seen twice is dropped.
#[derive(Default)]
struct Stream {
    next: Option<u32>,
    bytes: Vec<u8>,
}

impl Stream {
    fn push(&mut self, sequence: u32, payload: &[u8]) {
        if payload.is_empty() {
            return;
        }
        let next = *self.next.get_or_insert(sequence);
        let seen = usize::try_from(next.wrapping_sub(sequence)).expect("a small number");
        if let Some(fresh) = payload.get(seen..) {
            self.bytes.extend_from_slice(fresh);
            self.next = Some(next.wrapping_add(fresh.len().try_into().expect("a segment")));
        }
    }

    fn frame(&mut self) -> Option<Vec<u8>> {
        let length = u32::from_le_bytes(self.bytes.get(..4)?.try_into().ok()?);
        let end = usize::try_from(length).ok()? + 8;
        (self.bytes.len() >= end).then(|| self.bytes.drain(..end).collect())
    }
}
