//! SCTP (RFC 9260): the DATA chunks of a packet, and messages put together from several of them, in bounded memory.
//!
//! Only what a reader of captures needs: checksums, acknowledgments and streams' order are not looked at.

use alloc::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use core::net::IpAddr;

/// An SCTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Sender and receiver; `None` where the capture begins with SCTP.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// Sender's port.
    pub source_port: u16,
    /// Receiver's port.
    pub destination_port: u16,
    /// What the receiver told the sender to name their association with.
    pub tag: u32,
    /// All chunks, as far as they were captured.
    pub chunks: &'a [u8],
}

/// A DATA chunk: a message, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data<'a> {
    /// Transmission sequence number; the parts of a message follow each other.
    pub tsn: u32,
    /// It begins a message.
    pub first: bool,
    /// It ends one.
    pub last: bool,
    /// What is carried, as registered with IANA; 0 where the sender does not say.
    pub protocol: u32,
    /// As far as it was captured.
    pub payload: &'a [u8],
    /// How many bytes more the chunk had.
    pub cut: usize,
}

const DATA: u8 = 0;
const LAST: u8 = 1;
const FIRST: u8 = 2;

/// Reads what stands after an IP header.
pub fn parse(addresses: Option<(IpAddr, IpAddr)>, bytes: &[u8]) -> Option<Packet<'_>> {
    let (header, chunks) = bytes.split_at_checked(12)?;
    Some(Packet {
        addresses,
        source_port: u16::from_be_bytes([header[0], header[1]]),
        destination_port: u16::from_be_bytes([header[2], header[3]]),
        tag: word(header, 4)?,
        chunks,
    })
}

impl<'a> Packet<'a> {
    /// The DATA chunks, in order.
    pub fn data(&self) -> impl Iterator<Item = Data<'a>> + use<'a> {
        let mut rest = self.chunks;
        core::iter::from_fn(move || {
            loop {
                let &[kind, flags, high, low] = rest.first_chunk()?;
                let length = usize::from(u16::from_be_bytes([high, low]));
                if length < 4 {
                    return None;
                }
                let chunk = rest.get(..length).unwrap_or(rest);
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
                if kind != DATA {
                    continue;
                }
                let payload = chunk.get(16..)?;
                return Some(Data {
                    tsn: word(chunk, 4)?,
                    first: flags & FIRST != 0,
                    last: flags & LAST != 0,
                    protocol: word(chunk, 12)?,
                    payload,
                    cut: length - chunk.len(),
                });
            }
        })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// What is carried, as registered with IANA.
    pub protocol: u32,
    /// The message, as far as it was captured.
    pub payload: Cow<'a, [u8]>,
    /// How many bytes more it had.
    pub cut: usize,
}

/// Directions of associations that are remembered; the one that was silent longest is forgotten first.
const MOST_DIRECTIONS: usize = 256;
/// Chunks of a direction by which a repetition is known.
const MOST_RECENT: usize = 1_024;
/// What waits in a direction for its other parts.
const MOST_PARTS: usize = 256;
const MOST_BYTES: usize = 256 * 1_024;

/// Puts messages together and leaves repetitions out. At most 64 MiB wait, and that only under attack.
#[derive(Debug, Default)]
pub struct Assembler {
    directions: BTreeMap<Key, Direction>,
    packets: u64,
    given_up: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    addresses: Option<(IpAddr, IpAddr)>,
    ports: (u16, u16),
    tag: u32,
}

#[derive(Debug, Default)]
struct Direction {
    last_used: u64,
    recent: VecDeque<u32>,
    parts: BTreeMap<u32, Part>,
    bytes: usize,
}

#[derive(Debug)]
struct Part {
    first: bool,
    last: bool,
    payload: Vec<u8>,
}

impl Assembler {
    /// Takes the next chunk; gives the message that it is, or completes.
    pub fn take<'a>(&mut self, packet: &Packet<'_>, data: &Data<'a>) -> Option<Message<'a>> {
        let direction = self.direction(packet);
        // Associations always have a tag; captures that were made by hand often have neither tags nor numbers.
        if packet.tag != 0 {
            if direction.recent.contains(&data.tsn) {
                return None;
            }
            if direction.recent.len() == MOST_RECENT {
                direction.recent.pop_front();
            }
            direction.recent.push_back(data.tsn);
        }
        if data.first && data.last {
            let payload = Cow::Borrowed(data.payload);
            return Some(Message { protocol: data.protocol, payload, cut: data.cut });
        }
        let (payload, lost) = direction.add(data);
        self.given_up += lost;
        Some(Message { protocol: data.protocol, payload: Cow::Owned(payload?), cut: 0 })
    }

    /// Chunks whose message never became whole: the others were lost, cut off, or too many.
    pub fn incomplete(&self) -> u64 {
        let waiting: usize = self.directions.values().map(|direction| direction.parts.len()).sum();
        self.given_up + waiting as u64
    }

    fn direction(&mut self, packet: &Packet<'_>) -> &mut Direction {
        self.packets += 1;
        let key = Key {
            addresses: packet.addresses,
            ports: (packet.source_port, packet.destination_port),
            tag: packet.tag,
        };
        if self.directions.len() >= MOST_DIRECTIONS && !self.directions.contains_key(&key) {
            let oldest = self.directions.iter().min_by_key(|(_, direction)| direction.last_used);
            if let Some(forgotten) =
                oldest.map(|(key, _)| *key).and_then(|oldest| self.directions.remove(&oldest))
            {
                self.given_up += forgotten.parts.len() as u64;
            }
        }
        let direction = self.directions.entry(key).or_default();
        direction.last_used = self.packets;
        direction
    }
}

impl Direction {
    /// Keeps a part. Gives the message that it completes, and how many parts were given up.
    fn add(&mut self, data: &Data<'_>) -> (Option<Vec<u8>>, u64) {
        if data.cut > 0 {
            return (None, 1);
        }
        let part = Part { first: data.first, last: data.last, payload: data.payload.to_vec() };
        self.bytes += part.payload.len();
        if let Some(before) = self.parts.insert(data.tsn, part) {
            self.bytes -= before.payload.len();
        }
        if let Some(payload) = self.whole(data.tsn) {
            return (Some(payload), 0);
        }
        let mut lost = 0;
        while self.parts.len() > MOST_PARTS || self.bytes > MOST_BYTES {
            let Some((_, part)) = self.parts.pop_first() else { break };
            self.bytes -= part.payload.len();
            lost += 1;
        }
        (None, lost)
    }

    /// Takes out the message that a part belongs to, if all of it is there.
    fn whole(&mut self, tsn: u32) -> Option<Vec<u8>> {
        let mut start = tsn;
        while !self.parts.get(&start)?.first {
            start = start.wrapping_sub(1);
        }
        let mut end = tsn;
        while !self.parts.get(&end)?.last {
            end = end.wrapping_add(1);
        }
        let mut payload = Vec::new();
        let mut at = start;
        loop {
            payload.extend(self.parts.remove(&at)?.payload);
            if at == end {
                break;
            }
            at = at.wrapping_add(1);
        }
        self.bytes -= payload.len();
        Some(payload)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, vec};

    use proptest::prelude::*;

    use super::*;

    fn chunk(flags: u8, tsn: u32, protocol: u32, payload: &[u8]) -> Vec<u8> {
        let mut chunk = vec![DATA, flags];
        chunk.extend((16 + payload.len() as u16).to_be_bytes());
        chunk.extend(tsn.to_be_bytes());
        chunk.extend([0, 1, 0, 2]);
        chunk.extend(protocol.to_be_bytes());
        chunk.extend(payload);
        chunk.resize(chunk.len().next_multiple_of(4), 0);
        chunk
    }

    fn packet(tag: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0x0b, 0x59, 0x0b, 0x5a];
        bytes.extend(tag.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(chunks.concat());
        bytes
    }

    /// What each chunk completes.
    fn take(assembler: &mut Assembler, bytes: &[u8]) -> Vec<Option<(u32, Vec<u8>)>> {
        let packet = parse(None, bytes).unwrap();
        let whole = |message: Message<'_>| (message.protocol, message.payload.into_owned());
        packet.data().map(|data| assembler.take(&packet, &data).map(whole)).collect()
    }

    #[test]
    fn chunks_share_a_packet() {
        let sack = vec![3, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        let bytes = packet(7, &[sack, chunk(3, 1, 3, b"one"), chunk(3, 2, 5, b"other")]);
        let parsed = parse(None, &bytes).unwrap();
        assert_eq!((parsed.source_port, parsed.destination_port, parsed.tag), (2_905, 2_906, 7));
        assert_eq!(
            take(&mut Assembler::default(), &bytes),
            [Some((3, b"one".to_vec())), Some((5, b"other".to_vec()))]
        );
    }

    #[test]
    fn every_length_is_survived() {
        let bytes = packet(7, &[chunk(3, 1, 3, b"one"), chunk(3, 2, 3, b"other")]);
        for length in 0..bytes.len() {
            let Some(packet) = parse(None, &bytes[..length]) else {
                assert!(length < 12);
                continue;
            };
            for (data, whole) in packet.data().zip([3, 5]) {
                assert_eq!(data.payload.len() + data.cut, whole, "at {length}");
            }
        }
        // A chunk that says it has no length.
        assert_eq!(parse(None, &packet(7, &[vec![0; 32]])).unwrap().data().count(), 0);
    }

    #[test]
    fn parts_come_in_any_order() {
        // Across the end of the numbers.
        let parts = [
            chunk(2, u32::MAX, 3, b"abc"),
            chunk(0, 0, 3, b"def"),
            chunk(0, 1, 3, b"g"),
            chunk(1, 2, 3, b"h"),
        ];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut assembler = Assembler::default();
            let chunks: Vec<_> = order.map(|index| parts[index].clone()).into();
            let given = take(&mut assembler, &packet(7, &chunks));
            assert_eq!(given, [None, None, None, Some((3, b"abcdefgh".to_vec()))], "{order:?}");
            assert_eq!(assembler.incomplete(), 0);
        }
        let mut assembler = Assembler::default();
        // Another message in between, and a hole.
        let chunks = [parts[0].clone(), chunk(3, 9, 3, b"x"), parts[2].clone(), parts[3].clone()];
        assert_eq!(take(&mut assembler, &packet(7, &chunks)), [None, Some((3, b"x".to_vec())), None, None]);
        assert_eq!(assembler.incomplete(), 3);
    }

    #[test]
    fn repetitions_are_left_out() {
        let mut assembler = Assembler::default();
        let again = packet(7, &[chunk(3, 5, 3, b"x")]);
        assert_eq!(take(&mut assembler, &again), [Some((3, b"x".to_vec()))]);
        assert_eq!(take(&mut assembler, &again), [None]);
        // Another association; and one that has no numbers.
        assert_eq!(take(&mut assembler, &packet(8, &[chunk(3, 5, 3, b"x")])), [Some((3, b"x".to_vec()))]);
        for _ in 0..2 {
            assert_eq!(take(&mut assembler, &packet(0, &[chunk(3, 5, 3, b"x")])), [Some((3, b"x".to_vec()))]);
        }
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut assembler = Assembler::default();
        for tag in 1..2_000 {
            for tsn in 0..300 {
                let data = Data { tsn, first: false, last: false, protocol: 3, payload: &[0; 1_000], cut: 0 };
                let packet =
                    Packet { addresses: None, source_port: 1, destination_port: 2, tag, chunks: &[] };
                assert_eq!(assembler.take(&packet, &data), None);
                if tag > 3 {
                    break;
                }
            }
        }
        assert_eq!(assembler.directions.len(), MOST_DIRECTIONS);
        let waiting: usize = assembler.directions.values().map(|direction| direction.bytes).sum();
        assert!(waiting <= MOST_DIRECTIONS * MOST_BYTES, "{waiting}");
        assert_eq!(assembler.incomplete(), 3 * 300 + 1_996);
    }

    proptest! {
        #[test]
        fn garbage_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), flags in 0u8..4) {
            let mut assembler = Assembler::default();
            for bytes in [packet(7, core::slice::from_ref(&bytes)), packet(7, &[chunk(flags, 1, 3, &bytes)]), bytes] {
                if let Some(packet) = parse(None, &bytes) {
                    for data in packet.data() {
                        let message = format!("{:?}", assembler.take(&packet, &data));
                        prop_assert!(!message.is_empty());
                    }
                }
            }
        }
    }
}
