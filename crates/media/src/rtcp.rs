//! RTCP (RFC 3550, section 6): what two ends tell each other about a stream.
//!
//! A datagram holds several packets. [`parse`] reads them all or says what is wrong; [`write()`] makes a
//! datagram of them. Packets of other types are kept whole.

use alloc::vec::Vec;

use crate::reader::Reader;
use crate::rtp::{RtpTimestamp, Ssrc, VERSION};

/// The most packets that one datagram may hold here. Real ones hold two to four.
pub const MAX_PACKETS: usize = 32;

/// The count field has five bits.
const MAX_COUNT: usize = 31;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// One packet of a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RtcpPacket {
    /// From somebody who sends media.
    SenderReport {
        /// Who.
        ssrc: Ssrc,
        /// What they sent.
        info: SenderInfo,
        /// What they received.
        reports: Vec<ReportBlock>,
        /// Words that a profile adds.
        extension: Vec<u8>,
    },
    /// From somebody who only receives.
    ReceiverReport {
        /// Who.
        ssrc: Ssrc,
        /// What they received.
        reports: Vec<ReportBlock>,
        /// Words that a profile adds.
        extension: Vec<u8>,
    },
    /// Who the sources are.
    SourceDescription(Vec<SourceChunk>),
    /// Sources that leave.
    Goodbye {
        /// Who.
        sources: Vec<Ssrc>,
        /// Why, in UTF-8, at most 255 bytes.
        reason: Option<Vec<u8>>,
    },
    /// A packet of a type that is not modelled here.
    Other {
        /// Its type.
        packet_type: u8,
        /// Its count or subtype, 0 to 31.
        count: u8,
        /// Its content behind the first four bytes.
        body: Vec<u8>,
    },
}

impl RtcpPacket {
    /// A source description with nothing but the canonical name, the part every compound packet must have.
    pub fn cname(ssrc: Ssrc, name: &str) -> Self {
        let item = SourceItem { kind: SourceItem::CNAME, text: name.as_bytes().to_vec() };
        Self::SourceDescription(alloc::vec![SourceChunk { ssrc, items: alloc::vec![item] }])
    }
}

/// Seconds since 1900 in the upper 32 bits, their fraction in the lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The wall clock, given as microseconds since 1970 (UTC). Wraps in 2036 as NTP does.
    pub const fn from_unix_micros(micros: u64) -> Self {
        /// From 1900 to 1970.
        const EPOCH: u64 = 2_208_988_800;
        let seconds = (micros / 1_000_000).wrapping_add(EPOCH);
        let fraction = ((micros % 1_000_000) << 32) / 1_000_000;
        Self(seconds << 32 | fraction)
    }

    /// The middle 32 bits, which report blocks use: in 1/65536 seconds.
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// What a sender reports of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// Wall clock at the report.
    pub ntp: NtpTime,
    /// The same moment on the stream's clock.
    pub timestamp: RtpTimestamp,
    /// Packets sent, modulo 2^32.
    pub packets: u32,
    /// Bytes of payload sent, modulo 2^32.
    pub octets: u32,
}

/// What a receiver reports of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    /// Whom it is about.
    pub ssrc: Ssrc,
    /// Lost since the report before, in 1/256 of the expected.
    pub fraction_lost: u8,
    /// Lost altogether; negative when duplicates outweigh losses. 24 bits on the wire, cut to that range.
    pub cumulative_lost: i32,
    /// Highest sequence number received, with the count of its wraps above.
    pub extended_highest: u32,
    /// Interarrival jitter in timestamp ticks.
    pub jitter: u32,
    /// [`NtpTime::middle`] of the last sender report from this source; zero: none came.
    pub last_sender_report: u32,
    /// Since that report, in 1/65536 seconds.
    pub delay_since_last_report: u32,
}

impl ReportBlock {
    /// The round trip to whoever wrote this block about us, in 1/65536 seconds (RFC 3550, section 6.4.1):
    /// `now` is our wall clock when the block came. `None` if they had no report of ours, or clocks disagree.
    pub fn round_trip(&self, now: NtpTime) -> Option<u32> {
        if self.last_sender_report == 0 {
            return None;
        }
        let elapsed = now.middle().wrapping_sub(self.last_sender_report);
        elapsed.checked_sub(self.delay_since_last_report)
    }
}

/// What a source says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChunk {
    /// Who.
    pub ssrc: Ssrc,
    /// The items, in their order.
    pub items: Vec<SourceItem>,
}

/// One item of a [`SourceChunk`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceItem {
    /// What it is: 1 is the canonical name, others are in RFC 3550, section 6.5. Zero would end the chunk.
    pub kind: u8,
    /// Its text, UTF-8 by the standard, at most 255 bytes.
    pub text: Vec<u8>,
}

impl SourceItem {
    /// Canonical name: one for all streams of one person, as `user@host`.
    pub const CNAME: u8 = 1;
}

/// Why bytes are not RTCP, or packets do not fit into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// The datagram has no packet.
    #[error("rtcp datagram is empty")]
    Empty,
    /// Not RTCP.
    #[error("rtcp version is {version}, not 2, at byte {offset}")]
    Version {
        /// The version that is there.
        version: u8,
        /// Where in the datagram.
        offset: usize,
    },
    /// A packet says that it is longer than the rest of the datagram.
    #[error("rtcp packet at byte {offset} ends outside the datagram")]
    Truncated {
        /// Where the packet begins.
        offset: usize,
    },
    /// A packet is too short for what it says it holds.
    #[error("rtcp packet of type {packet_type} at byte {offset} ends inside its {part}")]
    Inside {
        /// Its type.
        packet_type: u8,
        /// Where the packet begins.
        offset: usize,
        /// What does not fit.
        part: &'static str,
    },
    /// Padding of another packet than the last, or of an impossible length.
    #[error("rtcp padding at byte {offset} is wrong")]
    Padding {
        /// Where the packet begins.
        offset: usize,
    },
    /// More than [`MAX_PACKETS`].
    #[error("rtcp datagram holds more than {MAX_PACKETS} packets")]
    TooManyPackets,
    /// To be written: more than fits into the named field.
    #[error("too much for the {0} of an rtcp packet")]
    TooLong(&'static str),
}

/// Reads all packets of a datagram. RFC 3550 wants a report first; phones that send others alone (RFC 5506) are
/// understood too.
///
/// # Errors
/// Where any packet is damaged: a compound packet is valid as a whole or not at all.
pub fn parse(datagram: &[u8]) -> Result<Vec<RtcpPacket>, RtcpError> {
    let mut packets = Vec::new();
    let mut reader = Reader::new(datagram);
    while !reader.is_empty() {
        let offset = datagram.len() - reader.rest().len();
        if packets.len() == MAX_PACKETS {
            return Err(RtcpError::TooManyPackets);
        }
        let [first, packet_type] = reader.array().ok_or(RtcpError::Truncated { offset })?;
        if first >> 6 != VERSION {
            return Err(RtcpError::Version { version: first >> 6, offset });
        }
        let words = reader.u16().ok_or(RtcpError::Truncated { offset })?;
        let mut body = reader.take(usize::from(words) * 4).ok_or(RtcpError::Truncated { offset })?;
        if first & 0x20 != 0 {
            let padding = usize::from(body.last().copied().unwrap_or(0));
            let fits = reader.is_empty() && padding > 0 && padding % 4 == 0;
            body = body
                .len()
                .checked_sub(padding)
                .filter(|_| fits)
                .and_then(|len| body.get(..len))
                .ok_or(RtcpError::Padding { offset })?;
        }
        let inside = |part| RtcpError::Inside { packet_type, offset, part };
        packets.push(parse_body(packet_type, first & 0x1F, body).map_err(inside)?);
    }
    if packets.is_empty() { Err(RtcpError::Empty) } else { Ok(packets) }
}

/// Reads one packet, or names the part that is not all there.
fn parse_body(packet_type: u8, count: u8, body: &[u8]) -> Result<RtcpPacket, &'static str> {
    let mut reader = Reader::new(body);
    match packet_type {
        SENDER_REPORT => {
            let ssrc = reader.u32().map(Ssrc).ok_or("source")?;
            let info = sender_info(&mut reader).ok_or("sender information")?;
            let reports = report_blocks(&mut reader, count).ok_or("report blocks")?;
            Ok(RtcpPacket::SenderReport { ssrc, info, reports, extension: reader.rest().to_vec() })
        }
        RECEIVER_REPORT => {
            let ssrc = reader.u32().map(Ssrc).ok_or("source")?;
            let reports = report_blocks(&mut reader, count).ok_or("report blocks")?;
            Ok(RtcpPacket::ReceiverReport { ssrc, reports, extension: reader.rest().to_vec() })
        }
        SOURCE_DESCRIPTION => {
            let chunks: Option<_> = (0..count).map(|_| source_chunk(&mut reader)).collect();
            Ok(RtcpPacket::SourceDescription(chunks.ok_or("chunks")?))
        }
        GOODBYE => {
            let sources: Option<_> = (0..count).map(|_| reader.u32().map(Ssrc)).collect();
            let sources = sources.ok_or("sources")?;
            let reason = match reader.u8() {
                Some(len) => Some(reader.take(len.into()).ok_or("reason")?.to_vec()),
                None => None,
            };
            Ok(RtcpPacket::Goodbye { sources, reason })
        }
        _ => Ok(RtcpPacket::Other { packet_type, count, body: body.to_vec() }),
    }
}

fn sender_info(reader: &mut Reader<'_>) -> Option<SenderInfo> {
    Some(SenderInfo {
        ntp: NtpTime(reader.u64()?),
        timestamp: RtpTimestamp(reader.u32()?),
        packets: reader.u32()?,
        octets: reader.u32()?,
    })
}

fn report_blocks(reader: &mut Reader<'_>, count: u8) -> Option<Vec<ReportBlock>> {
    (0..count).map(|_| report_block(reader)).collect()
}

fn report_block(reader: &mut Reader<'_>) -> Option<ReportBlock> {
    let ssrc = Ssrc(reader.u32()?);
    let losses = reader.u32()?;
    Some(ReportBlock {
        ssrc,
        fraction_lost: (losses >> 24) as u8,
        // Shifted up and back down, so that its 24th bit becomes the sign.
        cumulative_lost: (losses << 8).cast_signed() >> 8,
        extended_highest: reader.u32()?,
        jitter: reader.u32()?,
        last_sender_report: reader.u32()?,
        delay_since_last_report: reader.u32()?,
    })
}

/// Items up to a zero, then zeros up to the next word.
fn source_chunk(reader: &mut Reader<'_>) -> Option<SourceChunk> {
    let ssrc = Ssrc(reader.u32()?);
    let before = reader.rest().len();
    let mut items = Vec::new();
    loop {
        let kind = reader.u8()?;
        if kind == 0 {
            break;
        }
        let len = reader.u8()?;
        items.push(SourceItem { kind, text: reader.take(len.into())?.to_vec() });
    }
    let used = before - reader.rest().len();
    reader.take(used.next_multiple_of(4) - used)?;
    Some(SourceChunk { ssrc, items })
}

/// Appends a datagram of these packets to `out`.
///
/// # Errors
/// Where something does not fit into its field. `out` is as before then.
pub fn write(packets: &[RtcpPacket], out: &mut Vec<u8>) -> Result<(), RtcpError> {
    let start = out.len();
    let written = packets.iter().try_for_each(|packet| write_packet(packet, out));
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn write_packet(packet: &RtcpPacket, out: &mut Vec<u8>) -> Result<(), RtcpError> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let (packet_type, count) = match packet {
        RtcpPacket::SenderReport { ssrc, info, reports, extension } => {
            out.extend_from_slice(&ssrc.0.to_be_bytes());
            out.extend_from_slice(&info.ntp.0.to_be_bytes());
            for word in [info.timestamp.0, info.packets, info.octets] {
                out.extend_from_slice(&word.to_be_bytes());
            }
            write_blocks(reports, out);
            out.extend_from_slice(extension);
            (SENDER_REPORT, reports.len())
        }
        RtcpPacket::ReceiverReport { ssrc, reports, extension } => {
            out.extend_from_slice(&ssrc.0.to_be_bytes());
            write_blocks(reports, out);
            out.extend_from_slice(extension);
            (RECEIVER_REPORT, reports.len())
        }
        RtcpPacket::SourceDescription(chunks) => {
            for chunk in chunks {
                write_chunk(chunk, out)?;
            }
            (SOURCE_DESCRIPTION, chunks.len())
        }
        RtcpPacket::Goodbye { sources, reason } => {
            for source in sources {
                out.extend_from_slice(&source.0.to_be_bytes());
            }
            if let Some(reason) = reason {
                write_text(reason, "reason", out)?;
            }
            (GOODBYE, sources.len())
        }
        RtcpPacket::Other { packet_type, count, body } => {
            out.extend_from_slice(body);
            (*packet_type, usize::from(*count))
        }
    };
    // Whole words: only texts and foreign bytes can end elsewhere.
    out.resize(start + (out.len() - start).next_multiple_of(4), 0);
    let words = u16::try_from((out.len() - start) / 4 - 1).map_err(|_| RtcpError::TooLong("length"))?;
    let count = u8::try_from(count).ok().filter(|&count| usize::from(count) <= MAX_COUNT);
    let count = count.ok_or(RtcpError::TooLong("count"))?;
    let [high, low] = words.to_be_bytes();
    out[start..start + 4].copy_from_slice(&[VERSION << 6 | count, packet_type, high, low]);
    Ok(())
}

fn write_blocks(reports: &[ReportBlock], out: &mut Vec<u8>) {
    for block in reports {
        let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7F_FFFF).cast_unsigned() & 0x00FF_FFFF;
        let words = [
            block.ssrc.0,
            u32::from(block.fraction_lost) << 24 | lost,
            block.extended_highest,
            block.jitter,
            block.last_sender_report,
            block.delay_since_last_report,
        ];
        for word in words {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }
}

fn write_chunk(chunk: &SourceChunk, out: &mut Vec<u8>) -> Result<(), RtcpError> {
    out.extend_from_slice(&chunk.ssrc.0.to_be_bytes());
    let start = out.len();
    for item in &chunk.items {
        if item.kind == 0 {
            return Err(RtcpError::TooLong("items"));
        }
        out.push(item.kind);
        write_text(&item.text, "text", out)?;
    }
    // At least one zero ends the chunk.
    let len = out.len() - start;
    out.resize(start + (len + 1).next_multiple_of(4), 0);
    Ok(())
}

fn write_text(text: &[u8], field: &'static str, out: &mut Vec<u8>) -> Result<(), RtcpError> {
    out.push(u8::try_from(text.len()).map_err(|_| RtcpError::TooLong(field))?);
    out.extend_from_slice(text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: ReportBlock = ReportBlock {
        ssrc: Ssrc(0x24D1_E25A),
        fraction_lost: 64,
        cumulative_lost: -2,
        extended_highest: 0x0001_03E7,
        jitter: 40,
        last_sender_report: 0x2222_3333,
        delay_since_last_report: 0x0002_8000,
    };

    #[rustfmt::skip]
    const BLOCK_BYTES: [u8; 24] = [
        0x24, 0xD1, 0xE2, 0x5A, 64, 0xFF, 0xFF, 0xFE, 0, 1, 0x03, 0xE7,
        0, 0, 0, 40, 0x22, 0x22, 0x33, 0x33, 0, 2, 0x80, 0,
    ];

    fn table() -> Vec<(&'static str, Vec<RtcpPacket>, Vec<u8>)> {
        let sender = RtcpPacket::SenderReport {
            ssrc: Ssrc(1),
            info: SenderInfo {
                ntp: NtpTime(0x0102_0304_0506_0708),
                timestamp: RtpTimestamp(160),
                packets: 2,
                octets: 320,
            },
            reports: vec![BLOCK],
            extension: vec![],
        };
        #[rustfmt::skip]
        let sender_bytes = [&[
            0x81, 200, 0, 12, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 160, 0, 0, 0, 2, 0, 0, 1, 0x40,
        ], BLOCK_BYTES.as_slice()].concat();
        let receiver = RtcpPacket::ReceiverReport {
            ssrc: Ssrc(2),
            reports: vec![BLOCK],
            extension: vec![0xCA, 0xFE, 0, 1],
        };
        let receiver_bytes =
            [&[0x81, 201, 0, 8, 0, 0, 0, 2], BLOCK_BYTES.as_slice(), &[0xCA, 0xFE, 0, 1]].concat();
        let name = RtcpPacket::cname(Ssrc(1), "a@b.c");
        let name_bytes = vec![0x81, 202, 0, 3, 0, 0, 0, 1, 1, 5, b'a', b'@', b'b', b'.', b'c', 0];
        let goodbye = RtcpPacket::Goodbye { sources: vec![Ssrc(1)], reason: None };
        let reasoned = RtcpPacket::Goodbye { sources: vec![Ssrc(1)], reason: Some(b"bye".to_vec()) };
        let other =
            RtcpPacket::Other { packet_type: 204, count: 3, body: vec![0, 0, 0, 1, b'n', b'a', b'm', b'e'] };
        vec![
            ("sender", vec![sender.clone()], sender_bytes.clone()),
            ("receiver", vec![receiver], receiver_bytes),
            ("name", vec![name.clone()], name_bytes.clone()),
            // Text up to the end of a word: the ending zero takes a word of its own.
            (
                "long name",
                vec![RtcpPacket::cname(Ssrc(1), "ab")],
                vec![0x81, 202, 0, 3, 0, 0, 0, 1, 1, 2, b'a', b'b', 0, 0, 0, 0],
            ),
            ("no chunk", vec![RtcpPacket::SourceDescription(vec![])], vec![0x80, 202, 0, 0]),
            ("goodbye", vec![goodbye.clone()], vec![0x81, 203, 0, 1, 0, 0, 0, 1]),
            ("reason", vec![reasoned], vec![0x81, 203, 0, 2, 0, 0, 0, 1, 3, b'b', b'y', b'e']),
            ("other", vec![other], vec![0x83, 204, 0, 2, 0, 0, 0, 1, b'n', b'a', b'm', b'e']),
            (
                "compound",
                vec![sender, name, goodbye],
                [sender_bytes, name_bytes, vec![0x81, 203, 0, 1, 0, 0, 0, 1]].concat(),
            ),
        ]
    }

    #[test]
    fn reads_and_writes_the_table() {
        for (name, packets, bytes) in table() {
            assert_eq!(parse(&bytes).as_ref(), Ok(&packets), "{name}");
            let mut written = Vec::new();
            write(&packets, &mut written).unwrap();
            assert_eq!(written, bytes, "{name}");
        }
    }

    #[test]
    fn every_truncation_is_refused_or_leaves_whole_packets() {
        for (name, packets, bytes) in table() {
            for len in 0..bytes.len() {
                match parse(&bytes[..len]) {
                    Ok(some) => {
                        assert!(packets.starts_with(&some) && some.len() < packets.len(), "{name} {len}")
                    }
                    Err(RtcpError::Empty) => assert_eq!(len, 0),
                    Err(RtcpError::Truncated { .. }) => {}
                    Err(other) => panic!("{name} cut to {len}: {other}"),
                }
            }
        }
    }

    /// Lengths that fit the datagram but not the content: each word count below the true one.
    #[test]
    fn every_short_length_is_refused_or_keeps_less() {
        for (name, packets, bytes) in table().into_iter().filter(|(name, ..)| *name != "compound") {
            for words in 0..bytes.len() / 4 - 1 {
                let mut short = bytes[..words * 4 + 4].to_vec();
                short[2..4].copy_from_slice(&(words as u16).to_be_bytes());
                match parse(&short) {
                    Ok(fewer) => assert_ne!(fewer, packets, "{name} {words}"),
                    Err(error) => {
                        assert!(matches!(error, RtcpError::Inside { offset: 0, .. }), "{name} {error}")
                    }
                }
            }
        }
    }

    #[test]
    fn padding_belongs_to_the_last_packet() {
        let goodbye = vec![RtcpPacket::Goodbye { sources: vec![Ssrc(1)], reason: None }];
        let padded = [0xA1, 203, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4];
        assert_eq!(parse(&padded), Ok(goodbye));
        let not_last = [padded.as_slice(), &[0x80, 203, 0, 0]].concat();
        assert_eq!(parse(&not_last), Err(RtcpError::Padding { offset: 0 }));
        for count in [0, 3, 12, 255] {
            let mut wrong = padded;
            wrong[11] = count;
            assert_eq!(parse(&wrong), Err(RtcpError::Padding { offset: 0 }), "{count}");
        }
    }

    #[test]
    fn bounds_what_it_reads_and_writes() {
        assert_eq!(
            parse(&[0x80, 203, 0, 0].repeat(MAX_PACKETS)).map(|packets| packets.len()),
            Ok(MAX_PACKETS)
        );
        assert_eq!(parse(&[0x80, 203, 0, 0].repeat(MAX_PACKETS + 1)), Err(RtcpError::TooManyPackets));
        assert_eq!(parse(&[0x80, 203, 0, 0, 0x40, 0]), Err(RtcpError::Version { version: 1, offset: 4 }));
        let mut out = vec![7];
        let crowd = RtcpPacket::Goodbye { sources: vec![Ssrc(0); 32], reason: None };
        assert_eq!(write(&[crowd], &mut out), Err(RtcpError::TooLong("count")));
        let name = RtcpPacket::cname(Ssrc(1), &"x".repeat(256));
        assert_eq!(write(&[name], &mut out), Err(RtcpError::TooLong("text")));
        assert_eq!(out, [7]);
    }

    #[test]
    fn wall_clock_and_round_trip() {
        // 1970 and half a second, from RFC 5905's figure for the Unix epoch.
        assert_eq!(NtpTime::from_unix_micros(500_000), NtpTime(0x83AA_7E80_8000_0000));
        // The example of RFC 3550, figure 2.
        let block =
            ReportBlock { last_sender_report: 0xB705_2000, delay_since_last_report: 0x0005_4000, ..BLOCK };
        let now = NtpTime(0xB44D_B710_8000_0000 >> 16 << 16);
        assert_eq!(block.round_trip(now), Some(0xB710_8000 - 0xB705_2000 - 0x0005_4000));
        assert_eq!(ReportBlock { last_sender_report: 0, ..BLOCK }.round_trip(now), None);
    }
}
