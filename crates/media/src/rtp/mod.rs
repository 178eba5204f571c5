//! RTP packets (RFC 3550, section 5.1), and the state of the two ends of a stream.
//!
//! [`RtpPacket`] borrows what was received. [`Sender`] makes packets, [`ReceiverStats`] judges them.

mod numbers;
mod receiver;
mod sender;

use alloc::vec::Vec;

pub use numbers::{PayloadType, RtpTimestamp, SequenceNumber, Ssrc};
pub use receiver::{Quality, Received, ReceiverStats};
pub use sender::{Due, Pacer, SendError, Sender, StreamStart};

use crate::reader::Reader;

/// Length of the header that every packet has, in bytes.
pub const HEADER_LEN: usize = 12;

/// The only version of RTP there is.
pub(crate) const VERSION: u8 = 2;

/// The part of the header that tells about the media in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RtpHeader {
    /// In audio: the first packet after a silence, where a receiver may move its playout point.
    pub marker: bool,
    /// What the payload is.
    pub payload_type: PayloadType,
    /// Goes up by one with each packet.
    pub sequence: SequenceNumber,
    /// When the first sample of the payload was taken, in ticks of the payload's clock.
    pub timestamp: RtpTimestamp,
    /// Who sent it.
    pub ssrc: Ssrc,
}

/// One RTP packet, its variable parts borrowed from the datagram it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpPacket<'a> {
    /// The fixed header.
    pub header: RtpHeader,
    /// Whose voices a mixer put together in this packet; mostly nobody's.
    pub contributors: Contributors<'a>,
    /// The header extension, of which phones make no use.
    pub extension: Option<Extension<'a>>,
    /// The media.
    pub payload: &'a [u8],
    /// Bytes of padding behind the payload, the last of which counts them. Zero: no padding.
    /// What else is in them means nothing and is written as zeros.
    pub padding: u8,
}

/// Why bytes are not an RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RtpError {
    /// The datagram ends before the part named here.
    #[error("rtp packet of {len} bytes ends inside its {part}")]
    Truncated {
        /// What did not fit.
        part: &'static str,
        /// Length of the datagram.
        len: usize,
    },
    /// Something else than RTP: STUN, an old version, garbage.
    #[error("rtp version is {0}, not 2")]
    Version(u8),
    /// Payload types 72 to 76 in place of RTCP packets (RFC 5761, section 4).
    #[error("packet type {0} belongs to rtcp")]
    IsRtcp(u8),
    /// The padding count is zero or larger than what is there.
    #[error("padding of {padding} bytes in {available} bytes of payload")]
    Padding {
        /// What the last byte says.
        padding: u8,
        /// How many bytes follow the header.
        available: usize,
    },
}

impl<'a> RtpPacket<'a> {
    /// A packet of nothing but header and media.
    pub const fn new(header: RtpHeader, payload: &'a [u8]) -> Self {
        Self { header, contributors: Contributors::NONE, extension: None, payload, padding: 0 }
    }

    /// Reads a datagram.
    ///
    /// # Errors
    /// Where the bytes are no RTP packet, or RTCP that arrived on the RTP port.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, RtpError> {
        let len = datagram.len();
        let truncated = |part| RtpError::Truncated { part, len };
        let mut reader = Reader::new(datagram);

        // The version comes before the length, so that a short STUN or keepalive packet is called what it is.
        let first = reader.u8().ok_or(truncated("header"))?;
        let version = first >> 6;
        if version != VERSION {
            return Err(RtpError::Version(version));
        }
        let second = reader.u8().ok_or(truncated("header"))?;
        if matches!(second, 200..=204) {
            return Err(RtpError::IsRtcp(second));
        }
        let header = RtpHeader {
            marker: second & 0x80 != 0,
            payload_type: PayloadType::from_low_bits(second),
            sequence: SequenceNumber(reader.u16().ok_or(truncated("header"))?),
            timestamp: RtpTimestamp(reader.u32().ok_or(truncated("header"))?),
            ssrc: Ssrc(reader.u32().ok_or(truncated("header"))?),
        };

        let contributors = reader.take(usize::from(first & 0x0F) * 4).ok_or(truncated("contributor list"))?;
        let extension = if first & 0x10 == 0 {
            None
        } else {
            let profile = reader.u16().ok_or(truncated("extension header"))?;
            let words = reader.u16().ok_or(truncated("extension header"))?;
            let data = reader.take(usize::from(words) * 4).ok_or(truncated("extension"))?;
            Some(Extension { profile, data })
        };
        let (payload, padding) = if first & 0x20 == 0 { (reader.rest(), 0) } else { unpad(reader.rest())? };

        Ok(Self { header, contributors: Contributors { bytes: contributors }, extension, payload, padding })
    }

    /// Length on the wire, in bytes.
    pub fn wire_len(&self) -> usize {
        let extension = self.extension.map_or(0, |extension| 4 + extension.data.len());
        HEADER_LEN
            + self.contributors.bytes.len()
            + extension
            + self.payload.len()
            + usize::from(self.padding)
    }

    /// Appends the packet to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.wire_len());
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        out.push(
            VERSION << 6
                | flag(self.padding > 0, 0x20)
                | flag(self.extension.is_some(), 0x10)
                | self.contributors.count(),
        );
        out.push(flag(self.header.marker, 0x80) | self.header.payload_type.as_u8());
        out.extend_from_slice(&self.header.sequence.0.to_be_bytes());
        out.extend_from_slice(&self.header.timestamp.0.to_be_bytes());
        out.extend_from_slice(&self.header.ssrc.0.to_be_bytes());
        out.extend_from_slice(self.contributors.bytes);
        if let Some(extension) = self.extension {
            out.extend_from_slice(&extension.profile.to_be_bytes());
            out.extend_from_slice(&extension.words().to_be_bytes());
            out.extend_from_slice(extension.data);
        }
        out.extend_from_slice(self.payload);
        if let Some(zeros) = self.padding.checked_sub(1) {
            out.resize(out.len() + usize::from(zeros), 0);
            out.push(self.padding);
        }
    }
}

/// Splits what follows the header into the media and the count of padding bytes behind it.
fn unpad(bytes: &[u8]) -> Result<(&[u8], u8), RtpError> {
    let padding = bytes.last().copied().unwrap_or(0);
    let payload_len = bytes.len().checked_sub(usize::from(padding));
    match payload_len.and_then(|len| bytes.get(..len)) {
        Some(payload) if padding > 0 => Ok((payload, padding)),
        _ => Err(RtpError::Padding { padding, available: bytes.len() }),
    }
}

/// The sources that a mixer combined, at most 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contributors<'a> {
    /// Whole words, at most 15: the two constructors see to it.
    bytes: &'a [u8],
}

impl<'a> Contributors<'a> {
    /// Nobody: the packet comes from the one who spoke.
    pub const NONE: Self = Self { bytes: &[] };

    /// A list in its wire form: four bytes for each source. `None` if it is no such list, or too long.
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len().is_multiple_of(4) && bytes.len() <= 15 * 4).then_some(Self { bytes })
    }

    /// The sources in the order of the packet.
    pub fn iter(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        let (words, _) = self.bytes.as_chunks::<4>();
        words.iter().map(|word| Ssrc(u32::from_be_bytes(*word)))
    }

    /// Whether there is nobody.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn count(&self) -> u8 {
        // At most 60 bytes, so at most 15 words.
        (self.bytes.len() / 4) as u8
    }
}

/// A header extension (RFC 3550, section 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    profile: u16,
    /// Whole words, at most 65535.
    data: &'a [u8],
}

impl<'a> Extension<'a> {
    /// An extension with this profile number. `None` if the data is not of whole words, or too long.
    pub fn new(profile: u16, data: &'a [u8]) -> Option<Self> {
        (data.len().is_multiple_of(4) && data.len() / 4 <= usize::from(u16::MAX))
            .then_some(Self { profile, data })
    }

    /// The number that says how to read the data.
    pub const fn profile(&self) -> u16 {
        self.profile
    }

    /// The data: whole 32-bit words.
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    fn words(&self) -> u16 {
        // Bounded by both constructors.
        (self.data.len() / 4) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: RtpHeader = RtpHeader {
        marker: true,
        payload_type: PayloadType::PCMU,
        sequence: SequenceNumber(0x1234),
        timestamp: RtpTimestamp(0x0102_0304),
        ssrc: Ssrc(0x24D1_E25A),
    };

    /// Packets and the bytes they are: each must read and write as the other.
    fn table() -> Vec<(&'static str, RtpPacket<'static>, Vec<u8>)> {
        let fixed = [0x12, 0x34, 1, 2, 3, 4, 0x24, 0xD1, 0xE2, 0x5A];
        let bytes = |first: u8, second: u8, tail: &[u8]| [&[first, second], fixed.as_slice(), tail].concat();
        let plain = RtpPacket::new(HEADER, &[0xFF, 0x7F]);
        vec![
            ("plain", plain, bytes(0x80, 0x80, &[0xFF, 0x7F])),
            ("empty", RtpPacket { payload: &[], ..plain }, bytes(0x80, 0x80, &[])),
            (
                "event",
                RtpPacket {
                    header: RtpHeader {
                        marker: false,
                        payload_type: PayloadType::from_low_bits(101),
                        ..HEADER
                    },
                    ..plain
                },
                bytes(0x80, 101, &[0xFF, 0x7F]),
            ),
            (
                "contributors",
                RtpPacket {
                    contributors: Contributors::from_bytes(&[0, 0, 0, 1, 0, 0, 0, 2]).unwrap(),
                    ..plain
                },
                bytes(0x82, 0x80, &[0, 0, 0, 1, 0, 0, 0, 2, 0xFF, 0x7F]),
            ),
            (
                "extension",
                RtpPacket { extension: Extension::new(0xBEDE, &[9, 8, 7, 6]), ..plain },
                bytes(0x90, 0x80, &[0xBE, 0xDE, 0, 1, 9, 8, 7, 6, 0xFF, 0x7F]),
            ),
            ("padding", RtpPacket { padding: 3, ..plain }, bytes(0xA0, 0x80, &[0xFF, 0x7F, 0, 0, 3])),
            (
                "everything",
                RtpPacket {
                    contributors: Contributors::from_bytes(&[0, 0, 0, 1]).unwrap(),
                    extension: Extension::new(1, &[]),
                    padding: 1,
                    ..plain
                },
                bytes(0xB1, 0x80, &[0, 0, 0, 1, 0, 1, 0, 0, 0xFF, 0x7F, 1]),
            ),
        ]
    }

    #[test]
    fn reads_and_writes_the_table() {
        for (name, packet, bytes) in table() {
            assert_eq!(RtpPacket::parse(&bytes), Ok(packet), "{name}");
            let mut written = Vec::new();
            packet.write(&mut written);
            assert_eq!(written, bytes, "{name}");
            assert_eq!(packet.wire_len(), bytes.len(), "{name}");
        }
    }

    #[test]
    fn every_truncation_is_refused_or_shortens_the_payload() {
        for (name, packet, bytes) in table() {
            for len in 0..bytes.len() {
                match RtpPacket::parse(&bytes[..len]) {
                    Ok(short) => {
                        assert!(
                            packet.padding > 0 || packet.payload.starts_with(short.payload),
                            "{name} {len}"
                        );
                        assert!(len >= HEADER_LEN);
                    }
                    Err(RtpError::Truncated { len: reported, .. }) => assert_eq!(reported, len),
                    Err(RtpError::Padding { .. }) => assert!(packet.padding > 0, "{name} {len}"),
                    Err(other) => panic!("{name} cut to {len}: {other}"),
                }
            }
        }
    }

    #[test]
    fn refuses_what_is_not_rtp() {
        assert_eq!(RtpPacket::parse(&[]), Err(RtpError::Truncated { part: "header", len: 0 }));
        // A STUN binding request, and an RTP version 1 packet.
        assert_eq!(RtpPacket::parse(&[0; 20]), Err(RtpError::Version(0)));
        assert_eq!(RtpPacket::parse(&[0x40; 20]), Err(RtpError::Version(1)));
        assert_eq!(RtpPacket::parse(&[0x80, 200, 0, 6]), Err(RtpError::IsRtcp(200)));
        let mut padded = vec![0; HEADER_LEN + 2];
        padded[0] = 0xA0;
        assert_eq!(RtpPacket::parse(&padded), Err(RtpError::Padding { padding: 0, available: 2 }));
        padded[HEADER_LEN + 1] = 3;
        assert_eq!(RtpPacket::parse(&padded), Err(RtpError::Padding { padding: 3, available: 2 }));
    }

    #[test]
    fn lists_contributors() {
        let list = Contributors::from_bytes(&[0, 0, 0, 1, 0, 0, 1, 0]).unwrap();
        assert_eq!(list.iter().collect::<Vec<_>>(), [Ssrc(1), Ssrc(256)]);
        assert_eq!(Contributors::from_bytes(&[0; 3]), None);
        assert_eq!(Contributors::from_bytes(&[0; 64]), None);
        assert!(Contributors::NONE.is_empty());
    }
}
