//! Frames out of captures, for the tests that read them.

#![allow(dead_code, reason = "every test uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "test code: it fails loudly and says what it skips"
)]

use std::{collections::BTreeMap, fs::File, net::IpAddr, path::PathBuf};

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use pcap_file::{pcap::PcapReader, pcapng::PcapNgReader};
use selsius_wire::{
    Context, Cut, DEFAULT_LIMIT, ManagerMessage, RawFrame, Received, StationMessage, codec::Visitor, cut,
};

/// All captures of the project's shared folder.
pub(crate) const CAPTURES: [&str; 5] = [
    "callmanager-4.1-7912.pcapng",
    "cucm-v20-call.pcap",
    "chan-sccp-v3-call.pcap",
    "chan-sccp-v17-call.pcap",
    "freeswitch-v3-call.pcap",
];

/// Ports that the managers in the captures listen on.
const MANAGER_PORTS: [u16; 3] = [2000, 2001, 2003];

/// Where the captures are, or `None` (and a line on standard error) where they are not.
pub(crate) fn captures() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures"));
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no captures at {}", folder.display());
    None
}

/// One SCCP message of a capture.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Number of the packet that completed it, from 1.
    pub(crate) packet: usize,
    /// Whether the manager sent it.
    pub(crate) from_manager: bool,
    /// What its session had negotiated when it came.
    pub(crate) context: Context,
    /// From the length field to the last byte.
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    pub(crate) fn frame(&self) -> RawFrame<'_> {
        frame(&self.bytes)
    }
}

/// The one frame that `bytes` are.
pub(crate) fn frame(bytes: &[u8]) -> RawFrame<'_> {
    match cut(bytes, DEFAULT_LIMIT) {
        Ok(Cut::Frame { frame, consumed }) if consumed == bytes.len() => frame,
        other => panic!("not one frame: {other:?}"),
    }
}

/// A decoded message of either direction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Either {
    Station(Received<StationMessage>),
    Manager(Received<ManagerMessage>),
}

impl Either {
    pub(crate) fn strict(
        frame: RawFrame<'_>,
        from_manager: bool,
        context: Context,
    ) -> Result<Self, selsius_wire::DecodeError> {
        Ok(match from_manager {
            true => Self::Manager(ManagerMessage::decode(frame, context)?),
            false => Self::Station(StationMessage::decode(frame, context)?),
        })
    }

    pub(crate) fn lenient(frame: RawFrame<'_>, from_manager: bool, context: Context) -> Self {
        match from_manager {
            true => Self::Manager(ManagerMessage::decode_lenient(frame, context)),
            false => Self::Station(StationMessage::decode_lenient(frame, context)),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Station(received) => received.message.name(),
            Self::Manager(received) => received.message.name(),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Station(received) => received.encode(&mut out),
            Self::Manager(received) => received.encode(&mut out),
        }
        out
    }

    pub(crate) fn visit(&self, visitor: &mut dyn Visitor) {
        match self {
            Self::Station(received) => received.visit(visitor),
            Self::Manager(received) => received.visit(visitor),
        }
    }

    pub(crate) fn is_opaque(&self) -> bool {
        match self {
            Self::Station(received) => matches!(received.message, StationMessage::Opaque(_)),
            Self::Manager(received) => matches!(received.message, ManagerMessage::Opaque(_)),
        }
    }

    pub(crate) fn anomalies(&self) -> usize {
        match self {
            Self::Station(received) => received.anomalies.len(),
            Self::Manager(received) => received.anomalies.len(),
        }
    }

    pub(crate) fn fields_end(&self) -> usize {
        match self {
            Self::Station(received) => received.fields_end,
            Self::Manager(received) => received.fields_end,
        }
    }

    pub(crate) fn tail(&self) -> &[u8] {
        match self {
            Self::Station(received) => &received.tail,
            Self::Manager(received) => &received.tail,
        }
    }
}

/// Every SCCP message of a capture, in the order in which they were complete.
pub(crate) fn messages(path: &std::path::Path) -> Vec<Seen> {
    let mut flows: BTreeMap<Flow, Stream> = BTreeMap::new();
    let mut versions = BTreeMap::new();
    let mut seen = Vec::new();
    for (index, packet) in packets(path).iter().enumerate() {
        let Some((flow, sequence, payload)) = segment(packet) else { continue };
        let from_manager = MANAGER_PORTS.contains(&flow.from.1);
        if !from_manager && !MANAGER_PORTS.contains(&flow.to.1) {
            continue;
        }
        let phone = if from_manager { flow.to } else { flow.from };
        let stream = flows.entry(flow).or_default();
        stream.feed(sequence, payload);
        while let Cut::Frame { consumed, .. } = cut(&stream.bytes, DEFAULT_LIMIT).unwrap() {
            let bytes: Vec<u8> = stream.bytes.drain(..consumed).collect();
            let context = versions.get(&phone).copied().unwrap_or_default();
            if let Either::Manager(Received { message: ManagerMessage::RegisterAck(ack), .. }) =
                Either::lenient(frame(&bytes), from_manager, context)
            {
                versions.insert(phone, Context::new(ack.max_protocol_ver));
            }
            seen.push(Seen { packet: index + 1, from_manager, context, bytes });
        }
    }
    seen
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Flow {
    from: (IpAddr, u16),
    to: (IpAddr, u16),
}

/// One direction of a connection, in sequence order. The captures have no gaps and no wrap of the sequence.
#[derive(Debug, Default)]
struct Stream {
    next: Option<u32>,
    early: BTreeMap<u32, Vec<u8>>,
    bytes: Vec<u8>,
}

impl Stream {
    fn feed(&mut self, sequence: u32, payload: &[u8]) {
        let next = self.next.get_or_insert(sequence);
        self.early.entry(sequence).or_insert_with(|| payload.to_vec());
        while let Some((&sequence, _)) = self.early.first_key_value()
            && sequence <= *next
        {
            let (_, payload) = self.early.pop_first().expect("there is a first one");
            let known = usize::try_from(*next - sequence).unwrap();
            if let Some(new) = payload.get(known..) {
                self.bytes.extend_from_slice(new);
                *next += u32::try_from(new.len()).unwrap();
            }
        }
    }
}

/// Ports, sequence number and payload of a TCP packet that has one.
fn segment(packet: &[u8]) -> Option<(Flow, u32, &[u8])> {
    let sliced = SlicedPacket::from_ethernet(packet).ok()?;
    let (from, to) = match sliced.net? {
        NetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        NetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        NetSlice::Arp(_) => return None,
    };
    let TransportSlice::Tcp(tcp) = sliced.transport? else { return None };
    let flow = Flow { from: (from, tcp.source_port()), to: (to, tcp.destination_port()) };
    (!tcp.payload().is_empty()).then(|| (flow, tcp.sequence_number(), tcp.payload()))
}

fn packets(path: &std::path::Path) -> Vec<Vec<u8>> {
    let file = File::open(path).unwrap();
    let mut packets = Vec::new();
    if path.extension().is_some_and(|extension| extension == "pcapng") {
        let mut reader = PcapNgReader::new(file).unwrap();
        while let Some(block) = reader.next_block() {
            if let Some(packet) = block.unwrap().into_enhanced_packet() {
                packets.push(packet.data.into_owned());
            }
        }
    } else {
        let mut reader = PcapReader::new(file).unwrap();
        while let Some(packet) = reader.next_packet() {
            packets.push(packet.unwrap().data.into_owned());
        }
    }
    packets
}

/// Single frames of CallManager 3.1, 3.3 and 4.1 by group and key. Some are not whole: they are filled with
/// zeros up to the length that they announce.
pub(crate) fn callmanager_frames(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let text = std::fs::read_to_string(folder.join("callmanager-frames.json")).unwrap();
    let groups: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_str(&text).unwrap();
    let mut frames = Vec::new();
    for (group, entries) in groups {
        for (key, hex) in entries {
            let mut bytes = unhex(&hex);
            let length = u32::from_le_bytes(*bytes.first_chunk().unwrap());
            bytes.resize(usize::try_from(length).unwrap() + 8, 0);
            frames.push((format!("{group}/{key}"), bytes));
        }
    }
    frames
}

/// Bytes from hexadecimal digits; blanks are left out.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}
