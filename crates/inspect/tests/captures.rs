//! The real captures, read from the packets up to paired messages and ladders.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside of any test function"
)]

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::PathBuf,
};

use pcap_file::{
    pcap::PcapReader,
    pcapng::{Block, PcapNgReader, blocks::interface_description::InterfaceDescriptionOption},
};
use selsius_inspect::{
    conversation::{
        CloseReason, Closed, Config, ConnectionId, Event, OtherPorts, Seen, Tracker, Trouble, TroubleKind,
    },
    ladder::{self, Ladder, Style},
    packet::{Content, LinkType, Stamp, parse},
};
use selsius_wire::Time;

#[derive(Clone)]
struct Packet {
    stamp: Stamp,
    link: LinkType,
    bytes: Vec<u8>,
}

fn capture(name: &str) -> Option<Vec<Packet>> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures")).join(name);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("skipped: {}: {error}", path.display());
            return None;
        }
    };
    Some(if name.ends_with("pcapng") { read_pcapng(file) } else { read_pcap(file) })
}

fn read_pcap(file: File) -> Vec<Packet> {
    let mut reader = PcapReader::new(file).unwrap();
    let link = LinkType::from_capture(u32::from(reader.header().datalink)).unwrap();
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet() {
        let packet = packet.unwrap();
        let time = Time::from_micros(packet.timestamp.as_micros() as u64);
        packets.push(Packet { stamp: stamp(time, &packets), link, bytes: packet.data.into_owned() });
    }
    packets
}

fn read_pcapng(file: File) -> Vec<Packet> {
    let mut reader = PcapNgReader::new(file).unwrap();
    let mut packets = Vec::new();
    while let Some(block) = reader.next_block() {
        let Block::EnhancedPacket(packet) = block.unwrap().into_owned() else { continue };
        let interface = reader.packet_interface(&packet).unwrap();
        let resolution = interface.options.iter().find_map(|option| match option {
            InterfaceDescriptionOption::IfTsResol(resolution) => Some(*resolution),
            _ => None,
        });
        // The reader gives the number in the file as nanoseconds, whatever its unit is.
        let units = packet.timestamp.as_nanos() as u64;
        let time = match resolution {
            Some(9) => Time::from_micros(units / 1_000),
            _ => Time::from_micros(units),
        };
        let link = LinkType::from_capture(u32::from(interface.linktype)).unwrap();
        packets.push(Packet { stamp: stamp(time, &packets), link, bytes: Cow::into_owned(packet.data) });
    }
    packets
}

fn stamp(time: Time, before: &[Packet]) -> Stamp {
    Stamp { time, number: before.len() as u64 + 1 }
}

/// What the tracker makes of packets.
#[derive(Default)]
struct Found {
    seen: Vec<Seen>,
    trouble: Vec<Trouble>,
    closed: Vec<Closed>,
    opened: usize,
}

fn track(config: Config, packets: &[Packet]) -> Found {
    let mut tracker = Tracker::new(config);
    let mut found = Found::default();
    for packet in packets {
        if let Content::Tcp(segment) = parse(packet.link, &packet.bytes) {
            tracker.segment(packet.stamp, &segment);
            drain(&mut tracker, &mut found);
        }
    }
    tracker.finish();
    drain(&mut tracker, &mut found);
    let memory = tracker.memory();
    assert_eq!((memory.connections, memory.conversations, memory.held), (0, 0, 0), "nothing is left");
    found
}

fn drain(tracker: &mut Tracker, found: &mut Found) {
    while let Some(event) = tracker.poll_event() {
        match event {
            Event::Opened(_) => found.opened += 1,
            Event::Seen(seen) => found.seen.push(*seen),
            Event::Trouble(trouble) => found.trouble.push(trouble),
            Event::Closed(closed) => found.closed.push(closed),
        }
    }
}

impl Found {
    fn ids(&self) -> BTreeSet<u32> {
        self.seen.iter().map(|seen| seen.message.id()).collect()
    }

    fn anomalies(&self) -> Vec<String> {
        let each = |seen: &Seen| {
            let packets = seen.packets;
            let text = |anomaly| format!("{} {}: {anomaly}", packets.last, seen.message.name());
            seen.message.anomalies().iter().map(text).collect::<Vec<_>>()
        };
        self.seen.iter().flat_map(each).collect()
    }

    /// How many requests of each kind nobody answered.
    fn unanswered(&self) -> BTreeMap<u32, usize> {
        let mut counts = BTreeMap::new();
        for request in self.closed.iter().flat_map(|closed| &closed.unanswered) {
            *counts.entry(request.id).or_default() += 1;
        }
        counts
    }

    fn of(&self, id: u32) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |seen| seen.message.id() == id)
    }
}

/// Any port, 2000 known.
fn track_all(packets: &[Packet]) -> Found {
    track(Config::default(), packets)
}

const OPEN_RECEIVE_CHANNEL_ACK: u32 = 0x0022;
const START_MEDIA_TRANSMISSION: u32 = 0x008a;
const SOFT_KEY_TEMPLATE: u32 = 0x0108;
const SOFT_KEY_SET: u32 = 0x0109;
const CONNECTION_STATISTICS_REQ: u32 = 0x0107;

#[test]
fn callmanager_41() {
    let Some(packets) = capture("callmanager-4.1-7912.pcapng") else { return };
    let found = track_all(&packets);
    assert_eq!((found.seen.len(), found.ids().len()), (65, 40));
    assert_eq!(found.anomalies(), [""; 0]);
    assert_eq!(found.trouble, []);
    // This generation has no ack for it.
    assert_eq!(found.unanswered(), BTreeMap::from([(START_MEDIA_TRANSMISSION, 1)]));
    // Refused attempts at a manager that is not there, and one that works.
    assert_eq!(found.opened, 25);

    assert!(found.seen.iter().all(|seen| seen.device.as_deref() == Some("SEP001380AD9E5F")));
    assert!(found.seen[2..].iter().all(|seen| seen.version == 6));
    let split: Vec<u32> = found
        .seen
        .iter()
        .filter(|seen| seen.packets.first != seen.packets.last)
        .map(|seen| seen.message.id())
        .collect();
    assert_eq!(split, [SOFT_KEY_TEMPLATE, SOFT_KEY_SET]);
    let ack = found.of(OPEN_RECEIVE_CHANNEL_ACK).next().unwrap().answers.unwrap();
    assert_eq!((ack.packet, ack.after.as_micros()), (148, 145_085));
}

#[test]
fn two_phones_at_v20() {
    let Some(packets) = capture("cucm-v20-call.pcap") else { return };
    let found = track_all(&packets);
    assert_eq!((found.seen.len(), found.ids().len()), (62, 19));
    assert_eq!(found.anomalies(), [""; 0]);
    // Both connections are seen from the middle, in both directions, and at a boundary between messages.
    assert!(found.trouble.iter().all(|trouble| trouble.kind == TroubleKind::Missing(None)));
    assert_eq!(found.trouble.len(), 4);
    // Six streams are started at a time; every ack finds its own order.
    assert_eq!(found.unanswered(), BTreeMap::new());
    assert_eq!(found.seen.iter().filter(|seen| seen.answers.is_some()).count(), 8);
    assert_eq!(found.seen.last().unwrap().version, 20);
    let fullest = found.of(0x0111).filter(|seen| seen.packets.last == 30).count();
    assert_eq!(fullest, 2, "ten messages share packet 30");
}

#[test]
fn other_managers_on_other_ports() {
    let unanswered = [(START_MEDIA_TRANSMISSION, 2)];
    let with_statistics = [(START_MEDIA_TRANSMISSION, 2), (CONNECTION_STATISTICS_REQ, 2)];
    for (name, messages, ids, unanswered) in [
        ("chan-sccp-v3-call.pcap", 172, 49, &with_statistics[..]),
        ("chan-sccp-v17-call.pcap", 172, 49, &with_statistics),
        ("freeswitch-v3-call.pcap", 137, 47, &unanswered),
    ] {
        let Some(packets) = capture(name) else { return };
        let found = track_all(&packets);
        assert_eq!((found.seen.len(), found.ids().len()), (messages, ids), "{name}");
        assert_eq!(found.anomalies(), [""; 0], "{name}");
        assert_eq!(found.trouble, [], "{name}");
        assert_eq!(found.unanswered(), unanswered.iter().copied().collect(), "{name}");
        assert!(found.closed.iter().all(|closed| closed.reason == CloseReason::Finished), "{name}");

        // Told the port, and told not to look elsewhere, it is the same; not told, there is nothing.
        let port = if name.starts_with("chan") { 2001 } else { 2003 };
        let told = Config { ports: vec![port], other_ports: OtherPorts::Ignore, ..Config::default() };
        assert_eq!(track(told, &packets).seen.len(), messages, "{name}");
        let not_told = Config { other_ports: OtherPorts::Ignore, ..Config::default() };
        assert_eq!(track(not_told, &packets).seen.len(), 0, "{name}");
    }
}

/// What identifies a message, whatever happened to the packets around it.
fn lines(found: &Found) -> Vec<String> {
    found.seen.iter().map(|seen| seen.message.summary()).collect()
}

/// A copy of the packets with SCCP in them.
fn signalling(packets: &[Packet]) -> Vec<Packet> {
    let sccp = |packet: &&Packet| {
        matches!(parse(packet.link, &packet.bytes), Content::Tcp(segment)
            if [2000, 2001, 2003].iter().any(|port| [segment.source.port(), segment.destination.port()].contains(port)))
    };
    packets.iter().filter(sccp).cloned().collect()
}

#[test]
fn one_packet_lost_costs_only_its_own_messages() {
    for name in ["callmanager-4.1-7912.pcapng", "freeswitch-v3-call.pcap"] {
        let Some(packets) = capture(name) else { return };
        let packets = signalling(&packets);
        // Its port known: recognising is another matter.
        let config = || Config { ports: vec![2000, 2003], ..Config::default() };
        let whole = track(config(), &packets);
        for lost in 0..packets.len() {
            let mut rest = packets.clone();
            let lost = rest.remove(lost);
            let number = lost.stamp.number;
            let touched = |seen: &&Seen| (seen.packets.first..=seen.packets.last).contains(&number);
            let touched = whole.seen.iter().filter(touched).count();
            let found = track(config(), &rest);
            assert_eq!(found.seen.len(), whole.seen.len() - touched, "{name} without packet {number}");
            // On each connection the others come in the same order. (Connections wait for each other's gaps to be noticed,
            // and a version that was lost with its message may change what is in a line, but not the name.)
            for connection in [1, 2, 25].map(ConnectionId) {
                let names = |found: &Found| -> Vec<&'static str> {
                    found
                        .seen
                        .iter()
                        .filter(|seen| seen.connection == connection)
                        .map(|seen| seen.message.name())
                        .collect()
                };
                let (all, left) = (names(&whole), names(&found));
                let mut all = all.iter();
                for name in &left {
                    assert!(all.any(|other| other == name), "{name} without packet {number}");
                }
            }
        }
    }
}

#[test]
fn order_and_repetition_do_not_matter() {
    for name in ["callmanager-4.1-7912.pcapng", "freeswitch-v3-call.pcap", "chan-sccp-v17-call.pcap"] {
        let Some(packets) = capture(name) else { return };
        let packets = signalling(&packets);
        let mut expected = lines(&track_all(&packets));
        expected.sort();
        let twice: Vec<Packet> = packets.iter().flat_map(|packet| [packet.clone(), packet.clone()]).collect();
        let mut found = lines(&track_all(&twice));
        found.sort();
        assert_eq!(found, expected, "{name}, each packet twice");

        // Neighbours change places after the handshakes; decoding needs the negotiated version, so not before it.
        let mut swapped = packets.clone();
        swapped[60..].chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
        let mut found = lines(&track_all(&swapped));
        found.sort();
        assert_eq!(found, expected, "{name}, neighbours swapped");
    }
}

#[test]
fn seen_from_any_packet_on() {
    for name in ["callmanager-4.1-7912.pcapng", "cucm-v20-call.pcap", "freeswitch-v3-call.pcap"] {
        let Some(packets) = capture(name) else { return };
        let packets = signalling(&packets);
        let config = || Config { ports: vec![2000, 2003], ..Config::default() };
        let whole = track(config(), &packets);
        for first in 0..packets.len() {
            let number = packets[first].stamp.number;
            let expected = whole.seen.iter().filter(|seen| seen.packets.first >= number).count();
            let found = track(config(), &packets[first..]);
            assert_eq!(found.seen.len(), expected, "{name} from packet {number} on");
        }
    }
}

#[test]
fn ladder_of_a_captured_call() {
    let Some(packets) = capture("freeswitch-v3-call.pcap") else { return };
    let found = track_all(&packets);
    let first = found.seen[0].connection;
    for width in [80, 100, 200] {
        let mut ladder = Ladder::new(["SEP…1", "FreeSWITCH", "SEP…2"], width, Style::Plain);
        let mut page = ladder.head();
        for seen in &found.seen {
            let column = if seen.connection == first { 0 } else { 2 };
            page += &ladder.push(&ladder::Event::seen(seen, column, 1));
        }
        assert!(page.lines().all(|line| line.chars().count() <= width), "{page}");
        assert!(page.contains("CallState Connected"));
        let arrows = page.lines().filter(|line| line.contains("──>") || line.contains("<─")).count();
        assert_eq!(arrows, found.seen.len());
    }
}
