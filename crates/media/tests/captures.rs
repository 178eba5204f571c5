//! The RTP of real calls: every packet parses, and the statistics agree with tshark's.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside of any test function"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use pcap_file::pcap::PcapReader;
use pcap_file::pcapng::{Block, PcapNgReader};
use selsius_media::jitter::{Delay, FRAME, PlayoutBuffer};
use selsius_media::rtp::Quality;
use selsius_media::{Codec, PayloadType, ReceiverStats, RtpPacket, Ssrc, Time};

/// Source, destination, SSRC: what tshark calls a stream.
type Key = (SocketAddr, SocketAddr, u32);

/// A captured UDP datagram.
struct Datagram {
    at: Time,
    from: SocketAddr,
    to: SocketAddr,
    payload: Vec<u8>,
}

fn capture(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures")).join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there", path.display());
    None
}

fn datagrams(path: &Path) -> Vec<Datagram> {
    let file = File::open(path).unwrap();
    let mut frames: Vec<(Duration, Vec<u8>)> = Vec::new();
    if path.extension().is_some_and(|extension| extension == "pcapng") {
        let mut reader = PcapNgReader::new(file).unwrap();
        while let Some(block) = reader.next_block() {
            if let Block::EnhancedPacket(packet) = block.unwrap().into_owned() {
                // pcap-file takes the ticks of the interface for nanoseconds; those of this capture are microseconds.
                let ticks = u64::try_from(packet.timestamp.as_nanos()).unwrap();
                frames.push((Duration::from_micros(ticks), packet.data.into_owned()));
            }
        }
    } else {
        let mut reader = PcapReader::new(file).unwrap();
        while let Some(packet) = reader.next_packet() {
            let packet = packet.unwrap();
            frames.push((packet.timestamp, packet.data.into_owned()));
        }
    }
    frames.iter().filter_map(|(at, frame)| datagram(*at, frame)).collect()
}

fn datagram(at: Duration, frame: &[u8]) -> Option<Datagram> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let (source, destination): (IpAddr, IpAddr) = match packet.net? {
        NetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        NetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        NetSlice::Arp(_) => return None,
    };
    let TransportSlice::Udp(udp) = packet.transport? else { return None };
    Some(Datagram {
        at: Time::from_micros(u64::try_from(at.as_micros()).ok()?),
        from: SocketAddr::new(source, udp.source_port()),
        to: SocketAddr::new(destination, udp.destination_port()),
        payload: udp.payload().to_vec(),
    })
}

/// G.711 in packets of 20 ms, which is all that the captures have; TFTP and DNS fail one of these.
fn media(datagram: &Datagram) -> Option<RtpPacket<'_>> {
    let packet = RtpPacket::parse(&datagram.payload).ok()?;
    let is_voice = packet.header.payload_type == PayloadType::PCMU && packet.payload.len() == 160;
    (is_voice && datagram.from.port() > 1023 && datagram.to.port() > 1023).then_some(packet)
}

fn streams(datagrams: &[Datagram]) -> BTreeMap<Key, Quality> {
    let mut streams: BTreeMap<Key, ReceiverStats> = BTreeMap::new();
    for datagram in datagrams {
        let Some(packet) = media(datagram) else { continue };
        let key = (datagram.from, datagram.to, packet.header.ssrc.0);
        let stats = streams.entry(key).or_insert_with(|| ReceiverStats::new(Codec::Pcmu.clock_rate()));
        stats.receive(datagram.at, &packet.header, packet.payload.len());
        let mut again = Vec::new();
        packet.write(&mut again);
        assert_eq!(again, datagram.payload, "a real packet survives parsing and writing");
    }
    streams.into_iter().map(|(key, stats)| (key, stats.quality())).collect()
}

#[test]
fn the_7912s_call_through_callmanager() {
    let Some(path) = capture("callmanager-4.1-7912.pcapng") else { return };
    let streams = streams(&datagrams(&path));
    let find =
        |ssrc: u32| streams.iter().find(|(key, _)| key.2 == ssrc).map(|(_, quality)| *quality).unwrap();
    assert_eq!(streams.len(), 2);
    for (ssrc, packets, jitter) in [(0x24D1_E25A, 1489, 1), (0x62E7_AA7E, 1492, 8)] {
        let quality = find(ssrc);
        assert_eq!((quality.packets, quality.expected, quality.lost), (packets, packets, 0), "{ssrc:x}");
        assert_eq!((quality.duplicates, quality.strays, quality.restarts), (0, 0, 0), "{ssrc:x}");
        assert_eq!(quality.octets, packets * 160);
        assert!(quality.jitter <= Duration::from_millis(jitter), "{ssrc:x}: {quality:?}");
        assert!(quality.max_jitter >= Duration::from_millis(1), "{ssrc:x}: {quality:?}");
    }
}

#[test]
fn a_call_through_a_server() {
    let Some(path) = capture("chan-sccp-v17-call.pcap") else { return };
    let streams = streams(&datagrams(&path));
    assert_eq!(streams.len(), 4);
    for (key, quality) in streams {
        assert_eq!((quality.packets, quality.lost, quality.duplicates), (75, 0, 0), "{key:?}");
        assert!(quality.jitter < Duration::from_millis(2), "{key:?}: {quality:?}");
    }
}

/// Twice captured packets (a mirror port) are duplicates, not a loss of minus hundred percent.
#[test]
fn a_capture_with_every_packet_twice() {
    let Some(path) = capture("cucm-v20-call.pcap") else { return };
    let streams = streams(&datagrams(&path));
    let twice: Vec<_> = streams.values().filter(|quality| quality.duplicates > 0).collect();
    assert_eq!(twice.len(), 2);
    for quality in twice {
        assert_eq!(quality.lost, 0);
        assert!(quality.duplicates + 2 >= quality.packets && quality.strays == 0, "{quality:?}");
    }
}

#[test]
fn the_figures_are_those_of_tshark() {
    let names = [
        "callmanager-4.1-7912.pcapng",
        "chan-sccp-v17-call.pcap",
        "chan-sccp-v3-call.pcap",
        "cucm-v20-call.pcap",
        "freeswitch-v3-call.pcap",
    ];
    for name in names {
        let Some(path) = capture(name) else { continue };
        let run = Command::new("tshark")
            .arg("-r")
            .arg(&path)
            .args(["-o", "rtp.heuristic_rtp:TRUE", "-q", "-z", "rtp,streams"])
            .output();
        let Ok(output) = run else {
            eprintln!("skipped: tshark is not installed");
            return;
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let theirs: BTreeMap<Key, (u64, i64, f64)> = text.lines().filter_map(tshark_line).collect();
        let ours = streams(&datagrams(&path));
        assert!(!theirs.is_empty(), "{name}: {text}");
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{name}");
        for (key, quality) in ours {
            let (packets, lost, max_jitter) = theirs[&key];
            assert_eq!(quality.packets + quality.duplicates, packets, "{name} {key:?}");
            // tshark's loss goes below zero by duplicates.
            let lost_by_their_count = quality.lost.cast_signed() - quality.duplicates.cast_signed();
            assert_eq!(lost_by_their_count, lost, "{name} {key:?}");
            let ours = quality.max_jitter.as_secs_f64() * 1000.0;
            assert!(
                quality.duplicates > 0 || (ours - max_jitter).abs() < 0.25,
                "{name} {key:?}: {ours} {max_jitter}"
            );
        }
    }
}

/// `start end source port destination port 0xSSRC codec packets lost (percent) min mean max min mean max`
fn tshark_line(line: &str) -> Option<(Key, (u64, i64, f64))> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let ssrc = u32::from_str_radix(fields.get(6)?.strip_prefix("0x")?, 16).ok()?;
    let address = |at: usize| -> Option<SocketAddr> {
        Some(SocketAddr::new(fields.get(at)?.parse().ok()?, fields.get(at + 1)?.parse().ok()?))
    };
    let figures = (fields.get(8)?.parse().ok()?, fields.get(9)?.parse().ok()?, fields.get(16)?.parse().ok()?);
    Some(((address(2)?, address(4)?, ssrc), figures))
}

/// The phone's voice through the playout buffer, as a loudspeaker would hear it.
#[test]
fn a_real_call_plays_without_a_gap() {
    let Some(path) = capture("callmanager-4.1-7912.pcapng") else { return };
    for ssrc in [Ssrc(0x24D1_E25A), Ssrc(0x62E7_AA7E)] {
        let mut buffer = PlayoutBuffer::new(Delay::default());
        let mut next_pull: Option<Time> = None;
        let mut out = [0; FRAME];
        let all = datagrams(&path);
        for datagram in &all {
            let Some(packet) = media(datagram).filter(|packet| packet.header.ssrc == ssrc) else { continue };
            let pull = next_pull.get_or_insert(datagram.at);
            while *pull < datagram.at {
                buffer.pull(*pull, &mut out);
                *pull += Duration::from_millis(20);
            }
            buffer.push(datagram.at, &packet);
        }
        let stats = buffer.stats();
        eprintln!("{ssrc}: {stats:?}");
        assert!(stats.frames_played > 1450, "{ssrc}: {stats:?}");
        assert!(stats.frames_concealed < 20, "{ssrc}: {stats:?}");
        assert!(stats.late < 10, "{ssrc}: {stats:?}");
    }
}
