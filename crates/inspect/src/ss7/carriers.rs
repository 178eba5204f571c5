//! What SCCP travels in: MTP2, MTP3, and the adaptations of both to SCTP.
//!
//! Point codes are those of ITU-T (14 bits) in MTP3; M3UA has room for every kind.

use super::Label;

/// SCCP as it was carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried<'a> {
    /// Who sends it to whom; `None` where nothing below SCCP was captured.
    pub label: Option<Label>,
    /// The message, as far as it was captured.
    pub sccp: &'a [u8],
    /// How many bytes more it had.
    pub cut: usize,
}

/// SCCP in the service indicator (Q.704, 14.2.1).
const SCCP: u8 = 3;

/// SCCP with nothing before it.
pub fn raw(sccp: &[u8]) -> Carried<'_> {
    Carried { label: None, sccp, cut: 0 }
}

/// An MTP3 message signal unit, if it carries SCCP (Q.704, 2.2).
pub fn mtp3(bytes: &[u8]) -> Option<Carried<'_>> {
    let (&[service, a, b, c, d], sccp) = bytes.split_first_chunk()?;
    let label = u32::from_le_bytes([a, b, c, d]);
    let label = Label {
        opc: label >> 14 & 0x3fff,
        dpc: label & 0x3fff,
        network: service >> 6,
        priority: service >> 4 & 3,
        sls: d >> 4,
    };
    (service & 0xf == SCCP).then_some(Carried { label: Some(label), sccp, cut: 0 })
}

/// How a link numbers its signal units (Q.703, and its Annex A for fast links).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    Basic,
    Extended,
}

/// A signal unit of MTP2, if it carries SCCP; `pseudo` where the capture has its own four bytes before it
/// (link type 139: sent or received, Annex A or not, number of the link).
pub fn mtp2(bytes: &[u8], pseudo: bool) -> Option<Carried<'_>> {
    let (numbers, bytes) = match bytes.split_first_chunk() {
        Some((&[_, annex_a, _, _], rest)) if pseudo => {
            (if annex_a == 1 { Numbers::Extended } else { Numbers::Basic }, rest)
        }
        _ if pseudo => return None,
        _ => (Numbers::Basic, bytes),
    };
    // A unit that is too long for its length field says the largest.
    let (length, largest, unit) = match numbers {
        Numbers::Basic => (usize::from(bytes.get(2)? & 0x3f), 0x3f, bytes.get(3..)?),
        Numbers::Extended => {
            let length = u16::from_le_bytes([*bytes.get(4)?, *bytes.get(5)?]) & 0x1ff;
            (usize::from(length), 0x1ff, bytes.get(6..)?)
        }
    };
    // Shorter ones fill the line or tell its state. The length does not count the service octet.
    if length <= 2 {
        return None;
    }
    if length == largest {
        return mtp3(unit);
    }
    let said = length + 1;
    let carried = mtp3(unit.get(..said).unwrap_or(unit))?;
    Some(Carried { cut: said.saturating_sub(unit.len()), ..carried })
}

/// A message on SCTP with this payload protocol (or 0, when the ports tell), if it carries SCCP.
pub fn of_sctp(protocol: u32, ports: (u16, u16), bytes: &[u8], cut: usize) -> Option<Carried<'_>> {
    const M2UA: u32 = 2;
    const M3UA: u32 = 3;
    const M2PA: u32 = 5;
    let registered = [(2_904, M2UA), (2_905, M3UA), (3_565, M2PA)];
    let by_port = || {
        let known = |(port, _): &&(u16, u32)| *port == ports.0 || *port == ports.1;
        registered.iter().find(known).map(|(_, protocol)| *protocol)
    };
    match if protocol == 0 { by_port()? } else { protocol } {
        M2UA => m2ua(bytes),
        M3UA => m3ua(bytes),
        M2PA => m2pa(bytes, cut),
        _ => None,
    }
}

/// Protocol Data in a DATA message (RFC 4666, 3.3.1).
fn m3ua(bytes: &[u8]) -> Option<Carried<'_>> {
    let (value, cut) = parameter(bytes, [1, 0, 1, 1], 0x0210)?;
    let (&[o1, o2, o3, o4, d1, d2, d3, d4, service, network, priority, sls], sccp) =
        value.split_first_chunk()?;
    let label = Label {
        opc: u32::from_be_bytes([o1, o2, o3, o4]),
        dpc: u32::from_be_bytes([d1, d2, d3, d4]),
        network,
        priority,
        sls,
    };
    (service == SCCP).then_some(Carried { label: Some(label), sccp, cut })
}

/// Protocol Data in a DATA message (RFC 3331, 3.3.1.1): an MTP3 unit.
fn m2ua(bytes: &[u8]) -> Option<Carried<'_>> {
    let (unit, cut) = parameter(bytes, [1, 0, 6, 1], 0x0300)?;
    Some(Carried { cut, ..mtp3(unit)? })
}

/// User Data (RFC 4165, 2.3.1): common header, sequence numbers, an octet of priority, an MTP3 unit.
fn m2pa(bytes: &[u8], cut: usize) -> Option<Carried<'_>> {
    if !bytes.starts_with(&[1, 0, 11, 1]) {
        return None;
    }
    Some(Carried { cut, ..mtp3(bytes.get(17..)?)? })
}

/// A parameter of a message with this version, spare, class and type; and how many bytes of it are missing.
fn parameter(bytes: &[u8], heading: [u8; 4], wanted: u16) -> Option<(&[u8], usize)> {
    let mut rest = bytes.strip_prefix(&heading)?.get(4..)?;
    loop {
        let &[tag_high, tag_low, high, low] = rest.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low])).max(4);
        if u16::from_be_bytes([tag_high, tag_low]) == wanted {
            let value = rest.get(4..length).or(rest.get(4..))?;
            return Some((value, length - 4 - value.len()));
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}
