//! Captured packets made by hand: what a program sent and received on its sockets, as Ethernet frames with right
//! checksums, so that it can write a capture of its own traffic without the right to capture.
//!
//! Hardware addresses are made up from the IP addresses (`02:00` and their last four bytes), TTL is 64.

use alloc::{vec, vec::Vec};
use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use etherparse::{IpFragOffset, IpHeaders, IpNumber, Ipv4Header, Ipv6Header, PacketBuilder, TcpHeader};

use super::{Datagram, Segment};
use crate::reassembly::Way;

/// The largest payload that [`TcpFlow`] puts into one segment: what an Ethernet MTU of 1500 leaves with IPv6.
pub const SEGMENT_PAYLOAD: usize = 1_440;

/// An Ethernet frame with one TCP segment; `None` if the payload does not fit into an IP packet.
///
/// [`super::parse`] gives the same segment back.
pub fn tcp(segment: &Segment<'_>) -> Option<Vec<u8>> {
    let (source, destination) = same_family(segment.source, segment.destination);
    let mut header = TcpHeader::new(source.port(), destination.port(), segment.sequence, u16::MAX);
    header.acknowledgment_number = segment.acknowledgment.unwrap_or(0);
    header.ack = segment.acknowledgment.is_some();
    header.syn = segment.syn;
    header.fin = segment.fin;
    header.rst = segment.rst;
    header.psh = !segment.payload.is_empty();

    let builder = PacketBuilder::ethernet2(hardware(source.ip()), hardware(destination.ip()))
        .ip(ip_headers(source.ip(), destination.ip(), IpNumber::TCP))
        .tcp_header(header);
    let mut frame = vec![0; builder.size(segment.payload.len())];
    builder.write_to_slice(&mut frame, segment.payload).ok()?;
    Some(frame)
}

/// An Ethernet frame with one UDP datagram; `None` if the payload does not fit into an IP packet.
///
/// [`super::parse`] gives the same datagram back.
pub fn udp(datagram: &Datagram<'_>) -> Option<Vec<u8>> {
    let (source, destination) = same_family(datagram.source, datagram.destination);
    let builder = PacketBuilder::ethernet2(hardware(source.ip()), hardware(destination.ip()))
        .ip(ip_headers(source.ip(), destination.ip(), IpNumber::UDP))
        .udp(source.port(), destination.port());
    let mut frame = vec![0; builder.size(datagram.payload.len())];
    builder.write_to_slice(&mut frame, datagram.payload).ok()?;
    Some(frame)
}

/// One TCP connection as a capture would show it: sequence and acknowledgment numbers follow from what was said.
///
/// Nothing is lost or sent twice; a receiver that has nothing to say acknowledges each 16 KiB.
#[derive(Debug, Clone)]
pub struct TcpFlow {
    /// Who opens, who answers.
    ends: [SocketAddr; 2],
    /// The next sequence number of each end.
    next: [u32; 2],
    /// What each end has told the other that it received.
    acknowledged: [u32; 2],
}

/// Unacknowledged bytes after which the receiver acknowledges; far below the window of 65535.
const ACKNOWLEDGE_EACH: u32 = 16 * 1024;

impl TcpFlow {
    /// A connection that `opener` makes to `peer`. The first sequence number is taken from the port, which keeps
    /// captures of repeated runs alike.
    pub fn new(opener: SocketAddr, peer: SocketAddr) -> Self {
        let first = u32::from(opener.port()).wrapping_mul(65_539);
        let next = [first, first.wrapping_add(0x4000_0000)];
        Self { ends: [opener, peer], next, acknowledged: next }
    }

    /// The three segments of the handshake.
    pub fn open(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::with_capacity(3);
        let syn = |segment: &mut Segment<'_>| segment.syn = true;
        self.emit(Way::Forward, &[], &mut frames, |segment| {
            syn(segment);
            segment.acknowledgment = None;
        });
        self.emit(Way::Backward, &[], &mut frames, syn);
        self.emit(Way::Forward, &[], &mut frames, |_| {});
        frames
    }

    /// `payload` sent in the direction `way`, in as many segments as it needs.
    pub fn send(&mut self, way: Way, payload: &[u8]) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for part in payload.chunks(SEGMENT_PAYLOAD) {
            self.emit(way, part, &mut frames, |_| {});
            if self.next[way.index()].wrapping_sub(self.acknowledged[way.reverse().index()])
                >= ACKNOWLEDGE_EACH
            {
                self.emit(way.reverse(), &[], &mut frames, |_| {});
            }
        }
        frames
    }

    /// The end of the connection, by the sender of the direction `way`: each side's FIN, and the last acknowledgment.
    pub fn close(&mut self, way: Way) -> Vec<Vec<u8>> {
        let mut frames = Vec::with_capacity(3);
        self.emit(way, &[], &mut frames, |segment| segment.fin = true);
        self.emit(way.reverse(), &[], &mut frames, |segment| segment.fin = true);
        self.emit(way, &[], &mut frames, |_| {});
        frames
    }

    /// The connection torn down by the sender of the direction `way`.
    pub fn reset(&mut self, way: Way) -> Vec<Vec<u8>> {
        let mut frames = Vec::with_capacity(1);
        self.emit(way, &[], &mut frames, |segment| segment.rst = true);
        frames
    }

    fn emit(
        &mut self,
        way: Way,
        payload: &[u8],
        frames: &mut Vec<Vec<u8>>,
        adjust: impl FnOnce(&mut Segment<'_>),
    ) {
        let (from, to) = (way.index(), way.reverse().index());
        let mut segment = Segment {
            source: self.ends[from],
            destination: self.ends[to],
            sequence: self.next[from],
            acknowledgment: Some(self.next[to]),
            syn: false,
            fin: false,
            rst: false,
            payload,
            cut_off: 0,
        };
        adjust(&mut segment);
        let length = u32::try_from(payload.len()).expect("payloads are cut to SEGMENT_PAYLOAD");
        let length = length + u32::from(segment.syn) + u32::from(segment.fin);
        self.next[from] = self.next[from].wrapping_add(length);
        self.acknowledged[from] = self.next[to];
        frames.extend(tcp(&segment));
    }
}

/// An IPv4-mapped address is written as IPv4; where only one end is IPv4, that end is written mapped.
fn same_family(source: SocketAddr, destination: SocketAddr) -> (SocketAddr, SocketAddr) {
    let mapped = |address: IpAddr| match address {
        IpAddr::V4(v4) => IpAddr::V6(v4.to_ipv6_mapped()),
        v6 => v6,
    };
    let (mut from, mut to) = (source.ip().to_canonical(), destination.ip().to_canonical());
    if from.is_ipv4() != to.is_ipv4() {
        (from, to) = (mapped(from), mapped(to));
    }
    (SocketAddr::new(from, source.port()), SocketAddr::new(to, destination.port()))
}

fn ip_headers(source: IpAddr, destination: IpAddr, protocol: IpNumber) -> IpHeaders {
    let ttl = 64;
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => IpHeaders::Ipv4(
            Ipv4Header {
                protocol,
                time_to_live: ttl,
                dont_fragment: true,
                fragment_offset: IpFragOffset::ZERO,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv4Header::default()
            },
            Default::default(),
        ),
        (source, destination) => IpHeaders::Ipv6(
            Ipv6Header {
                next_header: protocol,
                hop_limit: ttl,
                source: v6(source).octets(),
                destination: v6(destination).octets(),
                ..Ipv6Header::default()
            },
            Default::default(),
        ),
    }
}

fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// A locally administered address that tells hosts apart.
fn hardware(address: IpAddr) -> [u8; 6] {
    let [.., a, b, c, d] = v6(address).octets();
    [0x02, 0x00, a, b, c, d]
}
