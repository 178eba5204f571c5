//! Common fixed messages cost no allocation: not when they are decoded, not when they are encoded into a
//! buffer that is there.

#![allow(clippy::unwrap_used, reason = "test code")]
#![allow(unreachable_pub, reason = "the frames are shared with a crate outside of the workspace")]

#[path = "../../../bench/frames.rs"]
mod frames;

use frames::Either;
use selsius_wire::{Cut, DEFAULT_LIMIT, ManagerMessage, StationMessage, cut};

/// Messages that keep something elsewhere: a box for a large one. Short texts and paddings are in the message.
const ELSEWHERE: [(&str, u64); 4] =
    [("CallInfoV2", 1), ("OpenReceiveChannel", 1), ("StartMediaTransmission", 1), ("SoftKeySet", 1)];

#[test]
fn fixed_messages_are_decoded_and_encoded_without_allocation() {
    let dialect = frames::dialect();
    for case in frames::commonest() {
        let Ok(Cut::Frame { frame, .. }) = cut(&case.bytes, DEFAULT_LIMIT) else { panic!("half a frame") };
        let allowed = ELSEWHERE.iter().find(|(name, _)| *name == case.name).map_or(0, |(_, count)| *count);
        let decode = allocation_counter::measure(|| match case.message {
            Either::Station(_) => drop(StationMessage::decode(frame, dialect.context()).unwrap()),
            Either::Manager(_) => drop(ManagerMessage::decode(frame, dialect.context()).unwrap()),
        });
        assert_eq!(decode.count_total, allowed, "decoding {}", case.name);
        let mut out = Vec::with_capacity(1024);
        let encode = allocation_counter::measure(|| match &case.message {
            Either::Station(message) => dialect.encode_station(message, &mut out),
            Either::Manager(message) => dialect.encode_manager(message, &mut out),
        });
        assert_eq!(encode.count_total, 0, "encoding {}", case.name);
        assert_eq!(out, case.bytes);
    }
}
