//! Captured packets: from the link layer down to a TCP segment, a UDP datagram or an SCTP packet, and (in [`build`]) the way back.
//!
//! [`parse`] never fails: a packet that carries nothing we read says so in [`Content`]. Checksums are not looked at,
//! because captures taken on the sending host carry the ones that the network card would have filled in.

pub mod build;
mod fragments;

use core::net::{IpAddr, SocketAddr};

pub use fragments::{Defragmenter, Whole};

use etherparse::{IpNumber, LaxIpSlice, TcpSlice, UdpSlice};
use selsius_wire::Time;

use crate::{sctp, ss7};

/// Where and when a packet was captured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Capture time.
    pub time: Time,
    /// Running number in the capture; analysers count from 1.
    pub number: u64,
}

/// What a capture's packets begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkType {
    /// BSD loopback: four bytes of address family in the byte order of the capturing host.
    Null,
    /// OpenBSD loopback: the same in network order.
    Loop,
    /// Ethernet II, with any number of VLAN tags.
    Ethernet,
    /// An IPv4 or IPv6 packet without anything before it.
    RawIp,
    /// Linux cooked capture, version 1 (the `any` interface).
    LinuxCooked,
    /// Linux cooked capture, version 2.
    LinuxCooked2,
    /// SS7 signal units; with a pseudo-header of four bytes.
    Mtp2WithHeader,
    /// SS7 signal units.
    Mtp2,
    /// SS7 messages from the service octet on.
    Mtp3,
    /// The SCCP of SS7 without anything before it.
    Sccp,
    /// SCTP without IP.
    Sctp,
}

impl LinkType {
    /// The link type of a number in a pcap header or a pcapng interface block, as the registry at
    /// <https://www.tcpdump.org/linktypes.html> has them; `None` for one that we do not read.
    pub const fn from_capture(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Null,
            1 => Self::Ethernet,
            // 12 and 14 are DLT_RAW on some BSDs, 228 and 229 say which IP it is.
            12 | 14 | 101 | 228 | 229 => Self::RawIp,
            108 => Self::Loop,
            113 => Self::LinuxCooked,
            139 => Self::Mtp2WithHeader,
            140 => Self::Mtp2,
            141 => Self::Mtp3,
            142 => Self::Sccp,
            248 => Self::Sctp,
            276 => Self::LinuxCooked2,
            _ => return None,
        })
    }
}

/// What a packet carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
    /// An SCTP packet.
    Sctp(sctp::Packet<'a>),
    /// The SCCP of SS7, without IP.
    Ss7(ss7::Carried<'a>),
    /// A part of a fragmented IP packet.
    Fragment(Fragment<'a>),
    /// Another protocol on IP, by its number.
    OtherProtocol(u8),
    /// Neither IP nor SCCP: ARP, spanning tree, other users of SS7 and the like.
    NotIp,
    /// Too short or contradicting itself; the name of the layer where it ends.
    Damaged(&'static str),
}

/// A TCP segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// Sequence number of the first byte (of the SYN, where that is set).
    pub sequence: u32,
    /// The next byte that the sender expects, where the ACK flag is set.
    pub acknowledgment: Option<u32>,
    /// Opens a direction.
    pub syn: bool,
    /// Ends a direction after the payload.
    pub fin: bool,
    /// Ends the connection.
    pub rst: bool,
    /// As far as it was captured.
    pub payload: &'a [u8],
    /// How many more payload bytes the packet had, which the capture's length limit cut off.
    pub cut_off: u32,
}

/// A UDP datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// As far as it was captured.
    pub payload: &'a [u8],
    /// The capture's length limit cut the payload.
    pub cut: bool,
}

/// A part of a fragmented IP packet, as a reassembler of fragments wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// Sender.
    pub source: IpAddr,
    /// Receiver.
    pub destination: IpAddr,
    /// Number of the protocol of the whole (6 TCP, 17 UDP, 132 SCTP).
    pub protocol: u8,
    /// What all parts of one packet share.
    pub identification: u32,
    /// Where this part begins in the whole, in bytes.
    pub offset: u32,
    /// More parts follow this one.
    pub more: bool,
    /// The part.
    pub payload: &'a [u8],
}

/// Reads one captured packet.
pub fn parse(link: LinkType, bytes: &[u8]) -> Content<'_> {
    let ip = match link {
        LinkType::RawIp => Some(bytes),
        // The address family differs between systems (IPv6 is 10, 24, 28 or 30); the version nibble after it does not.
        LinkType::Null | LinkType::Loop => bytes.get(4..),
        LinkType::Ethernet => return after_ether_type(bytes, 12),
        LinkType::LinuxCooked => return after_ether_type(bytes, 14),
        LinkType::LinuxCooked2 => {
            let Some((header, rest)) = bytes.split_at_checked(20) else { return Content::Damaged("link") };
            return match u16::from_be_bytes([header[0], header[1]]) {
                IPV4 | IPV6 => parse_ip(rest),
                VLAN | VLAN_SERVICE | VLAN_OLD => after_ether_type(rest, 2),
                _ => Content::NotIp,
            };
        }
        LinkType::Mtp2WithHeader => return ss7::mtp2(bytes, true).map_or(Content::NotIp, Content::Ss7),
        LinkType::Mtp2 => return ss7::mtp2(bytes, false).map_or(Content::NotIp, Content::Ss7),
        LinkType::Mtp3 => return ss7::mtp3(bytes).map_or(Content::NotIp, Content::Ss7),
        LinkType::Sccp => return Content::Ss7(ss7::raw(bytes)),
        LinkType::Sctp => return parse_sctp(None, bytes),
    };
    match ip {
        Some(ip) => parse_ip(ip),
        None => Content::Damaged("link"),
    }
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const VLAN_SERVICE: u16 = 0x88a8;
const VLAN_OLD: u16 = 0x9100;

/// Steps over VLAN tags from the Ethernet type at `at`.
fn after_ether_type(bytes: &[u8], mut at: usize) -> Content<'_> {
    loop {
        let Some(&[high, low]) = bytes.get(at..at + 2) else { return Content::Damaged("link") };
        match u16::from_be_bytes([high, low]) {
            IPV4 | IPV6 => return parse_ip(&bytes[at + 2..]),
            VLAN | VLAN_SERVICE | VLAN_OLD => at += 4,
            _ => return Content::NotIp,
        }
    }
}

/// Reads an IP packet.
pub fn parse_ip(bytes: &[u8]) -> Content<'_> {
    // Lax: the payload is cut where the shorter of the capture and the IP length ends, so Ethernet padding is off.
    let Ok((ip, _)) = LaxIpSlice::from_slice(bytes) else { return Content::Damaged("IP") };
    let (source, destination) = (ip.source_addr(), ip.destination_addr());
    let body = ip.payload();
    if body.fragmented {
        return match fragment(&ip, source, destination) {
            Some(fragment) => Content::Fragment(fragment),
            None => Content::Damaged("IP"),
        };
    }
    let payload = body.payload;
    let cut_off = if body.incomplete { missing(&ip, bytes) } else { 0 };
    match body.ip_number {
        IpNumber::TCP => parse_tcp(source, destination, payload, cut_off),
        IpNumber::UDP => parse_udp(source, destination, payload, cut_off),
        IpNumber::SCTP => parse_sctp(Some((source, destination)), payload),
        other => Content::OtherProtocol(other.0),
    }
}

/// Reads TCP as it stands after an IP header, or in a packet put together from fragments.
pub fn parse_tcp(source: IpAddr, destination: IpAddr, bytes: &[u8], cut_off: u32) -> Content<'_> {
    let Ok(tcp) = TcpSlice::from_slice(bytes) else { return Content::Damaged("TCP") };
    Content::Tcp(Segment {
        source: SocketAddr::new(source, tcp.source_port()),
        destination: SocketAddr::new(destination, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        acknowledgment: tcp.ack().then(|| tcp.acknowledgment_number()),
        syn: tcp.syn(),
        fin: tcp.fin(),
        rst: tcp.rst(),
        payload: tcp.payload(),
        cut_off,
    })
}

/// Reads UDP as it stands after an IP header, or in a packet put together from fragments.
pub fn parse_udp(source: IpAddr, destination: IpAddr, bytes: &[u8], cut_off: u32) -> Content<'_> {
    let Ok(udp) = UdpSlice::from_slice_lax(bytes) else { return Content::Damaged("UDP") };
    Content::Udp(Datagram {
        source: SocketAddr::new(source, udp.source_port()),
        destination: SocketAddr::new(destination, udp.destination_port()),
        payload: udp.payload(),
        cut: cut_off > 0,
    })
}

/// Reads SCTP as it stands after an IP header, in a packet put together from fragments, or where a capture begins with it.
pub fn parse_sctp(addresses: Option<(IpAddr, IpAddr)>, bytes: &[u8]) -> Content<'_> {
    sctp::parse(addresses, bytes).map_or(Content::Damaged("SCTP"), Content::Sctp)
}

/// How many bytes the IP header announces beyond those captured.
fn missing(ip: &LaxIpSlice<'_>, bytes: &[u8]) -> u32 {
    let announced = match ip {
        LaxIpSlice::Ipv4(ip) => usize::from(ip.header().total_len()),
        LaxIpSlice::Ipv6(ip) => usize::from(ip.header().payload_length()) + 40,
    };
    u32::try_from(announced.saturating_sub(bytes.len())).unwrap_or(u32::MAX)
}

fn fragment<'a>(ip: &LaxIpSlice<'a>, source: IpAddr, destination: IpAddr) -> Option<Fragment<'a>> {
    let payload = ip.payload().payload;
    let (protocol, identification, offset, more) = match ip {
        LaxIpSlice::Ipv4(v4) => {
            let header = v4.header();
            let offset = u32::from(header.fragments_offset().value()) * 8;
            (header.protocol().0, u32::from(header.identification()), offset, header.more_fragments())
        }
        LaxIpSlice::Ipv6(v6) => {
            v6.extensions().clone().into_iter().find_map(|extension| match extension {
                etherparse::Ipv6ExtensionSlice::Fragment(header) => Some((
                    header.next_header().0,
                    header.identification(),
                    u32::from(header.fragment_offset().value()) * 8,
                    header.more_fragments(),
                )),
                _ => None,
            })?
        }
    };
    Some(Fragment { source, destination, protocol, identification, offset, more, payload })
}

#[cfg(test)]
mod tests;
