//! The body of the fuzz target, over datagrams that are nearly right: what only garbage would reach, the target itself finds.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a broken promise is a panic")]

#[path = "../../../fuzz/src/media.rs"]
#[allow(unreachable_pub, missing_docs, reason = "it is a library where it lives")]
mod media;

use proptest::collection::vec;
use proptest::prelude::*;

/// A datagram with what the target wants before it: packets of the party's codec with numbers that nearly fit, reports, and
/// garbage.
fn datagram() -> impl Strategy<Value = Vec<u8>> {
    let rtp = (
        prop_oneof![Just(0u8), Just(8), Just(18), Just(101), Just(13)],
        0..4u8,
        any::<u16>(),
        prop_oneof![Just(160usize), Just(20), Just(30), Just(80), Just(4), 0..230usize],
    );
    let rtp = rtp.prop_map(|(payload_type, ssrc, sequence, len)| {
        let mut datagram = vec![0x80, payload_type];
        datagram.extend_from_slice(&(sequence % 60).to_be_bytes());
        datagram.extend_from_slice(&(u32::from(sequence % 60) * 160).to_be_bytes());
        datagram.extend_from_slice(&[0, 0, 0, ssrc]);
        datagram.resize(12 + len, 5);
        datagram
    });
    let report = vec(any::<u8>(), 24).prop_map(|body| [&[0x81, 201, 0, 7, 0, 0, 0, 1], &body[..]].concat());
    let content = prop_oneof![6 => rtp, 1 => report, 1 => vec(any::<u8>(), 0..60)];
    let from = prop_oneof![8 => Just(0u8), 1 => 1..4u8];
    let millis = prop_oneof![8 => 0..30u8, 1 => any::<u8>()];
    (0..18u8, from, millis, content).prop_map(|(to, from, millis, content)| {
        let mut datagram = vec![to, from, millis, u8::try_from(content.len()).unwrap()];
        datagram.extend(content);
        datagram
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_comes_to_the_ports_is_bounded(datagrams in vec(datagram(), 0..150)) {
        media::datagrams(&datagrams.concat());
    }
}
