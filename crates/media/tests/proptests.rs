//! Round trips and garbage, by chance.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use selsius_media::dtmf::TelephoneEvent;
use selsius_media::rtcp::{self, NtpTime, ReportBlock, RtcpPacket, SenderInfo, SourceChunk, SourceItem};
use selsius_media::rtp::{Contributors, Extension};
use selsius_media::{
    PayloadType, ReceiverStats, RtpHeader, RtpPacket, RtpTimestamp, SequenceNumber, Ssrc, Time,
};

fn header() -> impl Strategy<Value = RtpHeader> {
    // Types 72 to 76 are what RTCP looks like on an RTP port.
    let payload_type = (0..128u8).prop_filter("taken by rtcp", |n| !(72..=76).contains(n));
    (any::<bool>(), payload_type, any::<u16>(), any::<u32>(), any::<u32>()).prop_map(
        |(marker, payload_type, sequence, timestamp, ssrc)| RtpHeader {
            marker,
            payload_type: PayloadType::new(payload_type).unwrap(),
            sequence: SequenceNumber(sequence),
            timestamp: RtpTimestamp(timestamp),
            ssrc: Ssrc(ssrc),
        },
    )
}

fn words(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<[u8; 4]>(), 0..=max).prop_map(|words| words.concat())
}

fn blocks() -> impl Strategy<Value = Vec<ReportBlock>> {
    let block = (any::<[u32; 5]>(), any::<u8>(), -0x80_0000..0x80_0000i32).prop_map(
        |([ssrc, extended_highest, jitter, last, delay], fraction_lost, cumulative_lost)| ReportBlock {
            ssrc: Ssrc(ssrc),
            fraction_lost,
            cumulative_lost,
            extended_highest,
            jitter,
            last_sender_report: last,
            delay_since_last_report: delay,
        },
    );
    vec(block, 0..4)
}

fn rtcp_packet() -> impl Strategy<Value = RtcpPacket> {
    let info = (any::<u64>(), any::<[u32; 3]>()).prop_map(|(ntp, [timestamp, packets, octets])| SenderInfo {
        ntp: NtpTime(ntp),
        timestamp: RtpTimestamp(timestamp),
        packets,
        octets,
    });
    let ssrc = || any::<u32>().prop_map(Ssrc);
    let item = (1..=255u8, vec(any::<u8>(), 0..=255)).prop_map(|(kind, text)| SourceItem { kind, text });
    let chunk = (ssrc(), vec(item, 0..4)).prop_map(|(ssrc, items)| SourceChunk { ssrc, items });
    // The bytes of a reason fill up to a word with zeros, which only a whole number of words hides from the test.
    let reason = option::of(words(10).prop_map(|mut text| {
        text.extend([7; 3]);
        text
    }));
    prop_oneof![
        (ssrc(), info, blocks(), words(3)).prop_map(|(ssrc, info, reports, extension)| {
            RtcpPacket::SenderReport { ssrc, info, reports, extension }
        }),
        (ssrc(), blocks(), words(3)).prop_map(|(ssrc, reports, extension)| {
            RtcpPacket::ReceiverReport { ssrc, reports, extension }
        }),
        vec(chunk, 0..4).prop_map(RtcpPacket::SourceDescription),
        (vec(ssrc(), 0..5), reason).prop_map(|(sources, reason)| RtcpPacket::Goodbye { sources, reason }),
        (204..=255u8, 0..32u8, words(5)).prop_map(|(packet_type, count, body)| RtcpPacket::Other {
            packet_type,
            count,
            body
        }),
    ]
}

proptest! {
    #[test]
    fn rtp_round_trip(
        header in header(),
        contributors in words(15),
        extension in option::of((any::<u16>(), words(20))),
        payload in vec(any::<u8>(), 0..500),
        padding in any::<u8>(),
    ) {
        let packet = RtpPacket {
            header,
            contributors: Contributors::from_bytes(&contributors).unwrap(),
            extension: extension.as_ref().map(|(profile, data)| Extension::new(*profile, data).unwrap()),
            payload: &payload,
            padding,
        };
        let mut bytes = Vec::new();
        packet.write(&mut bytes);
        prop_assert_eq!(bytes.len(), packet.wire_len());
        prop_assert_eq!(RtpPacket::parse(&bytes), Ok(packet));
        for len in 0..bytes.len() {
            let _ = RtpPacket::parse(&bytes[..len]);
        }
    }

    #[test]
    fn rtcp_round_trip(packets in vec(rtcp_packet(), 1..5)) {
        let mut bytes = Vec::new();
        rtcp::write(&packets, &mut bytes).unwrap();
        prop_assert_eq!(bytes.len() % 4, 0);
        prop_assert_eq!(rtcp::parse(&bytes), Ok(packets));
        for len in 0..bytes.len() {
            let _ = rtcp::parse(&bytes[..len]);
        }
    }

    /// Garbage that looks like what it is not: what can be read can be written and read again.
    #[test]
    fn garbage_never_panics(mut bytes in vec(any::<u8>(), 0..200), rtcp_type in 199..206u8) {
        if let Ok(packet) = RtpPacket::parse(&bytes) {
            let mut again = Vec::new();
            packet.write(&mut again);
            prop_assert_eq!(RtpPacket::parse(&again), Ok(packet));
        }
        if let [first, second, third, ..] = bytes.as_mut_slice() {
            *first = *first & 0x3F | 0x80;
            *second = rtcp_type;
            *third = 0;
        }
        let _ = RtpPacket::parse(&bytes);
        if let Ok(packets) = rtcp::parse(&bytes) {
            let mut again = Vec::new();
            rtcp::write(&packets, &mut again).unwrap();
            prop_assert_eq!(rtcp::parse(&again), Ok(packets));
        }
        if let Some(event) = TelephoneEvent::parse(&bytes) {
            prop_assert_eq!(&event.to_bytes()[..], &bytes[..4]);
        }
    }

    /// A stream with holes, copies and neighbours that changed places: the figures are those of the set.
    #[test]
    fn receiver_counts_the_set(
        start in any::<u16>(),
        fates in vec(0..10u8, 50..400),
    ) {
        let mut order = vec![0usize, 1];
        for (n, fate) in fates.iter().enumerate() {
            match fate {
                0 => {}
                1 => order.extend([n + 2, n + 2]),
                2 => order.insert(order.len() - 1, n + 2),
                _ => order.push(n + 2),
            }
        }
        // Two in sequence prove the stream first.
        order.retain(|&n| n > 1);
        order.splice(0..0, [0, 1]);
        let mut stats = ReceiverStats::new(8000);
        for &n in &order {
            let header = RtpHeader {
                marker: false,
                payload_type: PayloadType::PCMU,
                sequence: SequenceNumber(start.wrapping_add(n as u16)),
                timestamp: RtpTimestamp(n as u32 * 160),
                ssrc: Ssrc(1),
            };
            stats.receive(Time::from_millis(n as u64 * 20), &header, 160);
        }
        let mut unique = order.clone();
        unique.sort_unstable();
        unique.dedup();
        let quality = stats.quality();
        prop_assert_eq!(quality.packets, unique.len() as u64);
        prop_assert_eq!(quality.duplicates, (order.len() - unique.len()) as u64);
        prop_assert_eq!(quality.expected, *unique.last().unwrap() as u64 + 1);
        prop_assert_eq!(quality.lost, quality.expected - quality.packets);
        prop_assert_eq!(quality.strays, 0);
    }
}
