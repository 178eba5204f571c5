//! Putting fragmented IP packets together, in bounded memory.

use alloc::{collections::BTreeMap, vec::Vec};
use core::{net::IpAddr, time::Duration};

use etherparse::IpNumber;
use selsius_wire::Time;

use super::{Content, Fragment, parse_sctp, parse_tcp, parse_udp};

/// Packets that wait for their parts.
const MOST_PACKETS: usize = 1_024;
/// Parts of one packet: an Ethernet carries 64 KiB in 45.
const MOST_PARTS: usize = 256;
/// No IP packet is longer.
const LONGEST: usize = 65_535;
/// Linux waits so long for the rest.
const PATIENCE: Duration = Duration::from_secs(30);

/// Collects the parts of packets. At most 64 MiB wait, and that only under attack.
#[derive(Debug, Default)]
pub struct Defragmenter {
    waiting: BTreeMap<Key, Parts>,
    given_up: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    identification: u32,
}

#[derive(Debug)]
struct Parts {
    since: Time,
    /// By their place, without overlaps.
    parts: BTreeMap<usize, Vec<u8>>,
    length: Option<usize>,
}

/// A packet put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    payload: Vec<u8>,
}

impl Whole {
    /// What it carries.
    pub fn content(&self) -> Content<'_> {
        match IpNumber(self.protocol) {
            IpNumber::TCP => parse_tcp(self.source, self.destination, &self.payload, 0),
            IpNumber::UDP => parse_udp(self.source, self.destination, &self.payload, 0),
            IpNumber::SCTP => parse_sctp(Some((self.source, self.destination)), &self.payload),
            other => Content::OtherProtocol(other.0),
        }
    }
}

impl Defragmenter {
    /// Takes the next part; gives the packet that it completes. Where parts overlap, what came first counts.
    pub fn take(&mut self, time: Time, fragment: &Fragment<'_>) -> Option<Whole> {
        let key = Key {
            source: fragment.source,
            destination: fragment.destination,
            protocol: fragment.protocol,
            identification: fragment.identification,
        };
        let start = usize::try_from(fragment.offset).ok()?;
        let end = start + fragment.payload.len();
        if end > LONGEST {
            return None;
        }
        if self.waiting.get(&key).is_some_and(|parts| time.since(parts.since) > PATIENCE) {
            self.forget(&key);
        }
        if !self.waiting.contains_key(&key) && self.waiting.len() >= MOST_PACKETS {
            let oldest = self.waiting.iter().min_by_key(|(_, parts)| parts.since).map(|(key, _)| *key);
            self.forget(&oldest?);
        }
        let parts = self.waiting.entry(key).or_insert_with(|| Parts {
            since: time,
            parts: BTreeMap::new(),
            length: None,
        });
        if !fragment.more {
            parts.length = Some(end);
        }
        parts.add(start, fragment.payload);
        if parts.parts.len() > MOST_PARTS {
            self.forget(&key);
            return None;
        }
        let length = parts.length.filter(|length| parts.reach() >= *length)?;
        let parts = self.waiting.remove(&key)?;
        let mut payload: Vec<u8> = parts.parts.into_values().flatten().collect();
        payload.truncate(length);
        let Key { source, destination, protocol, .. } = key;
        Some(Whole { source, destination, protocol, payload })
    }

    /// Packets that never became whole: their parts were lost, or there were too many of them.
    pub fn incomplete(&self) -> u64 {
        self.given_up + self.waiting.len() as u64
    }

    fn forget(&mut self, key: &Key) {
        self.given_up += u64::from(self.waiting.remove(key).is_some());
    }
}

impl Parts {
    /// How far the packet is there without a hole.
    fn reach(&self) -> usize {
        let mut reach = 0;
        for (start, bytes) in &self.parts {
            if *start > reach {
                break;
            }
            reach = start + bytes.len();
        }
        reach
    }

    /// Adds what is new in a part.
    fn add(&mut self, start: usize, bytes: &[u8]) {
        let end = start + bytes.len();
        let mut at = start;
        while at < end {
            let before = self.parts.range(..=at).next_back().map(|(start, bytes)| start + bytes.len());
            if let Some(covered) = before.filter(|covered| *covered > at) {
                at = covered;
                continue;
            }
            let next = self.parts.range(at..).next().map_or(end, |(next, _)| (*next).min(end));
            self.parts.insert(at, bytes[at - start..next - start].to_vec());
            at = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    fn part(identification: u32, offset: u32, more: bool, payload: &[u8]) -> Fragment<'_> {
        let [source, destination] = [1, 2].map(|host| IpAddr::from([10, 0, 0, host]));
        Fragment { source, destination, protocol: 17, identification, offset, more, payload }
    }

    /// A UDP datagram with `length` bytes of payload.
    fn datagram(length: usize) -> Vec<u8> {
        let mut bytes = vec![0x4e, 0x20, 0x4e, 0x22];
        bytes.extend(u16::try_from(length + 8).unwrap().to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend((0..length).map(|at| at as u8));
        bytes
    }

    fn payload(whole: Option<Whole>) -> Vec<u8> {
        match whole.expect("it is complete").content() {
            Content::Udp(datagram) => datagram.payload.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn parts_in_any_order_make_a_packet() {
        let bytes = datagram(40);
        let mut parts = Defragmenter::default();
        assert_eq!(parts.take(Time::ZERO, &part(7, 32, false, &bytes[32..])), None);
        assert_eq!(parts.take(Time::ZERO, &part(7, 0, true, &bytes[..16])), None);
        // The same again, and a part of another packet.
        assert_eq!(parts.take(Time::ZERO, &part(7, 0, true, &[0xff; 16])), None);
        assert_eq!(parts.take(Time::ZERO, &part(8, 16, true, &[0xff; 16])), None);
        let whole = parts.take(Time::ZERO, &part(7, 8, true, &bytes[8..40]));
        assert_eq!(payload(whole), &bytes[8..]);
        assert_eq!(parts.incomplete(), 1);
    }

    #[test]
    fn sctp_is_put_together_too() {
        let bytes = [&[0, 1, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0][..], &[9; 8]].concat();
        let mut parts = Defragmenter::default();
        assert_eq!(
            parts.take(Time::ZERO, &Fragment { protocol: 132, ..part(7, 0, true, &bytes[..8]) }),
            None
        );
        let whole = parts.take(Time::ZERO, &Fragment { protocol: 132, ..part(7, 8, false, &bytes[8..]) });
        let Some(Content::Sctp(packet)) = whole.as_ref().map(Whole::content) else { panic!("{whole:?}") };
        assert_eq!((packet.destination_port, packet.tag, packet.chunks), (2, 7, &[9; 8][..]));
    }

    #[test]
    fn what_never_becomes_whole_is_forgotten() {
        let mut parts = Defragmenter::default();
        let bytes = datagram(16);
        parts.take(Time::ZERO, &part(1, 0, true, &bytes[..8]));
        // A minute later the number is used again.
        let later = Time::from_millis(60_000);
        assert_eq!(parts.take(later, &part(1, 8, false, &bytes[8..])), None);
        for identification in 10..5_010 {
            parts.take(later, &part(identification, 0, true, &[0; 8]));
        }
        assert_eq!((parts.waiting.len(), parts.incomplete()), (MOST_PACKETS, 5_002));
        for offset in 0..8_000 {
            parts.take(later, &part(5_009, offset * 8, true, &[0]));
        }
        assert!(parts.waiting.values().all(|parts| parts.parts.len() <= MOST_PARTS));
        assert_eq!(parts.take(later, &part(9, u32::MAX, false, &[0; 8])), None);
    }

    proptest! {
        #[test]
        fn overlapping_parts_give_the_same_packet(
            cuts in proptest::collection::vec((0_usize..25, 1_usize..12), 0..30),
        ) {
            let bytes = datagram(192);
            let mut parts = Defragmenter::default();
            let mut found = None;
            let rest = (0..25).map(|at| (at, 1));
            for (start, length) in cuts.into_iter().chain(rest) {
                let (start, end) = (start * 8, ((start + length) * 8).min(bytes.len()));
                let part = part(1, start as u32, end < bytes.len(), &bytes[start..end]);
                if let Some(whole) = parts.take(Time::ZERO, &part) {
                    found.get_or_insert(whole);
                }
            }
            prop_assert_eq!(payload(found), &bytes[8..]);
        }
    }
}
