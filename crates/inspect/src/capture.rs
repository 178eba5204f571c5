//! Capture files, pcap and pcapng: cut into packets, and written.
//!
//! ```text
//! bytes of the file ──> Cutter::cut ──> Cut::Need(n)    read on
//!                                      Cut::Packet     a captured packet
//!                                      Cut::Other      a header, statistics, names
//! ```
//!
//! Formats as in draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng; why no library reads them is told in
//! docs/adr/0002-capture-files.md. Times are microseconds since 1970, whatever resolution the file has. No length in a file makes
//! anyone allocate: [`Cut::Need`] is at most [`LONGEST_BLOCK`].

use alloc::vec::Vec;

use selsius_wire::Time;

/// A longer pcapng block is taken for damage.
pub const LONGEST_BLOCK: usize = 16 << 20;
/// A longer packet in a pcap file is taken for damage; tcpdump captures at most a quarter of it.
pub const LONGEST_PACKET: usize = 1 << 20;

/// What stands at the beginning of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut<'a> {
    /// So many bytes, counted from the beginning, are needed to tell.
    Need(usize),
    /// A packet.
    Packet {
        /// The packet.
        packet: Packet<'a>,
        /// Bytes that it took in the file.
        consumed: usize,
    },
    /// So many bytes that are no packet.
    Other(usize),
}

/// A packet as it stands in a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// When it was captured, since 1970; [`Time::ZERO`] where the file does not say.
    pub time: Time,
    /// The number of its link type: see [`crate::packet::LinkType::from_capture`].
    pub link: u32,
    /// What was captured of it.
    pub bytes: &'a [u8],
    /// Its length on the network.
    pub original: u32,
}

/// Why a file cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// It begins like neither format.
    #[error("neither pcap nor pcapng")]
    Unknown,
    /// A pcap packet that says it is longer than any.
    #[error("a packet claims {0} bytes")]
    Packet(u32),
    /// A pcapng block whose length is impossible.
    #[error("a block claims {0} bytes")]
    Block(u32),
    /// The two lengths of a pcapng block differ.
    #[error("a block begins with length {0} and ends with {1}")]
    Trailer(u32, u32),
    /// A part of a pcapng block that does not fit into it.
    #[error("a block ends before its {0}")]
    Cut(&'static str),
    /// A packet of an interface that was not described.
    #[error("a packet of interface {0}, which is not described")]
    Interface(u32),
    /// A section header without its byte order.
    #[error("a section without a byte order")]
    ByteOrder,
}

/// Cuts a capture file into its packets.
#[derive(Debug, Default)]
pub struct Cutter {
    format: Format,
}

#[derive(Debug, Default)]
enum Format {
    #[default]
    Unknown,
    Pcap {
        order: Order,
        /// Of a second.
        fractions: Resolution,
        link: u32,
        /// Bytes of the header of a packet: 16, or 24 in a variant that Linux once had.
        header: usize,
    },
    PcapNg {
        order: Order,
        interfaces: Vec<Interface>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let word = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if self == Self::Little { u16::from_le_bytes(word) } else { u16::from_be_bytes(word) })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let word = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if self == Self::Little { u32::from_le_bytes(word) } else { u32::from_be_bytes(word) })
    }

    fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let word = bytes.get(at..at + 8)?.try_into().ok()?;
        Some(if self == Self::Little { u64::from_le_bytes(word) } else { u64::from_be_bytes(word) })
    }
}

/// What one tick of a timestamp is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resolution {
    /// 10 to the minus this many seconds.
    Decimal(u8),
    /// 2 to the minus this many seconds.
    Binary(u8),
}

impl Resolution {
    fn micros(self, ticks: u64) -> u64 {
        let (ticks, million) = (u128::from(ticks), 1_000_000_u128);
        let micros = match self {
            Self::Decimal(6) => ticks,
            Self::Decimal(places @ 0..6) => ticks * 10_u128.pow(6 - u32::from(places)),
            Self::Decimal(places) => ticks / 10_u128.pow(u32::from(places.min(24)) - 6),
            Self::Binary(places) => (ticks * million) >> places.min(127),
        };
        u64::try_from(micros).unwrap_or(u64::MAX)
    }
}

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: u32,
    resolution: Resolution,
    /// Seconds to be added to each time.
    offset: i64,
    /// The most that is captured of a packet; 0 for all.
    snap: u32,
}

const SECTION: u32 = 0x0a0d_0d0a;
const SECTION_MAGIC: [u8; 4] = SECTION.to_be_bytes();
/// How pcap files begin, and what that says: byte order, fractions of a second, bytes of the header of a packet.
const MAGICS: [([u8; 4], Order, Resolution, usize); 6] = [
    ([0xa1, 0xb2, 0xc3, 0xd4], Order::Big, Resolution::Decimal(6), 16),
    ([0xd4, 0xc3, 0xb2, 0xa1], Order::Little, Resolution::Decimal(6), 16),
    ([0xa1, 0xb2, 0x3c, 0x4d], Order::Big, Resolution::Decimal(9), 16),
    ([0x4d, 0x3c, 0xb2, 0xa1], Order::Little, Resolution::Decimal(9), 16),
    // A variant that Linux once had.
    ([0xa1, 0xb2, 0xcd, 0x34], Order::Big, Resolution::Decimal(6), 24),
    ([0x34, 0xcd, 0xb2, 0xa1], Order::Little, Resolution::Decimal(6), 24),
];

impl Cutter {
    /// Looks at the beginning of `bytes`, which follow what the cuts before consumed.
    ///
    /// # Errors
    /// Where the file is damaged: nothing behind that place can be read.
    pub fn cut<'a>(&mut self, bytes: &'a [u8]) -> Result<Cut<'a>, CaptureError> {
        match &mut self.format {
            Format::Unknown => self.begin(bytes),
            Format::Pcap { order, fractions, link, header } => {
                pcap_packet(bytes, *order, *fractions, *link, *header)
            }
            Format::PcapNg { order, interfaces } => block(bytes, order, interfaces),
        }
    }

    fn begin<'a>(&mut self, bytes: &'a [u8]) -> Result<Cut<'a>, CaptureError> {
        let Some(magic) = bytes.first_chunk() else {
            // What no magic begins with needs no more bytes to be a stranger.
            let mut known = MAGICS.iter().map(|(magic, ..)| magic).chain([&SECTION_MAGIC]);
            return match known.any(|magic| magic.starts_with(bytes)) {
                true => Ok(Cut::Need(4)),
                false => Err(CaptureError::Unknown),
            };
        };
        if *magic == SECTION_MAGIC {
            self.format = Format::PcapNg { order: Order::Little, interfaces: Vec::new() };
            return self.cut(bytes);
        }
        let known = MAGICS.iter().find(|(known, ..)| known == magic);
        let &(_, order, fractions, header) = known.ok_or(CaptureError::Unknown)?;
        let Some(link) = order.u32(bytes, 20) else { return Ok(Cut::Need(24)) };
        // The upper bits tell about frame check sequences.
        self.format = Format::Pcap { order, fractions, link: link & 0xffff, header };
        Ok(Cut::Other(24))
    }
}

fn pcap_packet(
    bytes: &[u8],
    order: Order,
    fractions: Resolution,
    link: u32,
    header: usize,
) -> Result<Cut<'_>, CaptureError> {
    let word = |at| order.u32(bytes, at);
    let (Some(seconds), Some(fraction), Some(captured), Some(original)) =
        (word(0), word(4), word(8), word(12))
    else {
        return Ok(Cut::Need(header));
    };
    let length = usize::try_from(captured)
        .ok()
        .filter(|length| *length <= LONGEST_PACKET)
        .ok_or(CaptureError::Packet(captured))?;
    let Some(data) = bytes.get(header..header + length) else { return Ok(Cut::Need(header + length)) };
    let micros = u64::from(seconds) * 1_000_000 + fractions.micros(fraction.into());
    let packet = Packet { time: Time::from_micros(micros), link, bytes: data, original };
    Ok(Cut::Packet { packet, consumed: header + length })
}

fn block<'a>(
    bytes: &'a [u8],
    order: &mut Order,
    interfaces: &mut Vec<Interface>,
) -> Result<Cut<'a>, CaptureError> {
    let Some(kind) = order.u32(bytes, 0) else { return Ok(Cut::Need(12)) };
    if kind == SECTION {
        // The type reads the same in both orders; the word after the length tells which one it is.
        let Some(magic) = Order::Big.u32(bytes, 8) else { return Ok(Cut::Need(12)) };
        *order = match magic {
            0x1a2b_3c4d => Order::Big,
            0x4d3c_2b1a => Order::Little,
            _ => return Err(CaptureError::ByteOrder),
        };
        interfaces.clear();
    }
    let Some(claimed) = order.u32(bytes, 4) else { return Ok(Cut::Need(12)) };
    let length = usize::try_from(claimed)
        .ok()
        .filter(|length| (12..=LONGEST_BLOCK).contains(length) && length.is_multiple_of(4));
    let length = length.ok_or(CaptureError::Block(claimed))?;
    let Some(block) = bytes.get(..length) else { return Ok(Cut::Need(length)) };
    let trailer = order.u32(block, length - 4).unwrap_or_default();
    if trailer != claimed {
        return Err(CaptureError::Trailer(claimed, trailer));
    }
    let body = &block[8..length - 4];
    let packet = match kind {
        1 => {
            interfaces.push(interface(body, *order)?);
            None
        }
        2 => {
            let id = order.u16(body, 0).ok_or(CaptureError::Cut("interface"))?;
            Some(packet_block(body, *order, interfaces, id.into())?)
        }
        3 => Some(simple_packet(body, *order, interfaces)?),
        6 => {
            let id = order.u32(body, 0).ok_or(CaptureError::Cut("interface"))?;
            Some(packet_block(body, *order, interfaces, id)?)
        }
        _ => None,
    };
    Ok(match packet {
        Some(packet) => Cut::Packet { packet, consumed: length },
        None => Cut::Other(length),
    })
}

fn interface(body: &[u8], order: Order) -> Result<Interface, CaptureError> {
    let (Some(link), Some(snap)) = (order.u16(body, 0), order.u32(body, 4)) else {
        return Err(CaptureError::Cut("interface description"));
    };
    let mut interface = Interface { link: link.into(), resolution: Resolution::Decimal(6), offset: 0, snap };
    let mut at = 8;
    while let (Some(code), Some(length)) = (order.u16(body, at), order.u16(body, at + 2)) {
        let value = body.get(at + 4..at + 4 + usize::from(length)).ok_or(CaptureError::Cut("options"))?;
        match (code, value) {
            (0, _) => break,
            (9, [places]) if places & 0x80 != 0 => interface.resolution = Resolution::Binary(places & 0x7f),
            (9, [places]) => interface.resolution = Resolution::Decimal(*places),
            (14, value) => interface.offset = order.u64(value, 0).unwrap_or_default().cast_signed(),
            _ => {}
        }
        at += 4 + usize::from(length).next_multiple_of(4);
    }
    Ok(interface)
}

/// An enhanced packet block, or the older packet block: they differ in how they name the interface.
fn packet_block<'a>(
    body: &'a [u8],
    order: Order,
    interfaces: &[Interface],
    id: u32,
) -> Result<Packet<'a>, CaptureError> {
    let word = |at| order.u32(body, at).ok_or(CaptureError::Cut("packet header"));
    let (high, low, captured, original) = (word(4)?, word(8)?, word(12)?, word(16)?);
    let interface = usize::try_from(id).ok().and_then(|id| interfaces.get(id));
    let interface = interface.ok_or(CaptureError::Interface(id))?;
    let bytes = usize::try_from(captured).ok().and_then(|length| body.get(20..)?.get(..length));
    let bytes = bytes.ok_or(CaptureError::Cut("packet"))?;
    let micros = interface.resolution.micros(u64::from(high) << 32 | u64::from(low));
    let micros = micros.saturating_add_signed(interface.offset.saturating_mul(1_000_000));
    Ok(Packet { time: Time::from_micros(micros), link: interface.link, bytes, original })
}

fn simple_packet<'a>(
    body: &'a [u8],
    order: Order,
    interfaces: &[Interface],
) -> Result<Packet<'a>, CaptureError> {
    let original = order.u32(body, 0).ok_or(CaptureError::Cut("packet header"))?;
    let interface = interfaces.first().ok_or(CaptureError::Interface(0))?;
    let captured = if interface.snap == 0 { original } else { original.min(interface.snap) };
    let bytes = usize::try_from(captured).ok().and_then(|length| body.get(4..)?.get(..length));
    let bytes = bytes.ok_or(CaptureError::Cut("packet"))?;
    Ok(Packet { time: Time::ZERO, link: interface.link, bytes, original })
}

/// Writes packets as pcapng, with microseconds; each link type becomes an interface.
#[derive(Debug, Default)]
pub struct Writer {
    links: Vec<u32>,
    begun: bool,
}

impl Writer {
    /// Appends the section header, if nothing was written yet. A file without packets needs it too.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        if !core::mem::replace(&mut self.begun, true) {
            // Byte order, version 1.0, a section of unknown length.
            let body = [0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255];
            write_block(out, SECTION, &[&body]);
        }
    }

    /// Appends a packet.
    pub fn packet(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        self.begin(out);
        let known = self.links.iter().position(|link| *link == packet.link);
        let interface = known.unwrap_or_else(|| {
            let [low, high, ..] = packet.link.to_le_bytes();
            write_block(out, 1, &[&[low, high, 0, 0, 0, 0, 0, 0]]);
            self.links.push(packet.link);
            self.links.len() - 1
        });
        let micros = packet.time.as_micros();
        let word = |value: u64| u32::try_from(value & 0xffff_ffff).unwrap_or_default();
        let header = [
            word(interface as u64),
            word(micros >> 32),
            word(micros),
            word(packet.bytes.len() as u64),
            packet.original,
        ];
        write_block(out, 6, &[header.map(u32::to_le_bytes).as_flattened(), packet.bytes]);
    }
}

fn write_block(out: &mut Vec<u8>, kind: u32, parts: &[&[u8]]) {
    let body: usize = parts.iter().map(|part| part.len()).sum();
    let padding = body.next_multiple_of(4) - body;
    let length = u32::try_from(body + padding + 12).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&length);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.extend_from_slice(&[0; 3][..padding]);
    out.extend_from_slice(&length);
}

#[cfg(test)]
mod tests;
