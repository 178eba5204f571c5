//! Rows of bytes and the structs that they mean.
//!
//! Every row is decoded strictly, compared, and encoded to the same bytes again.

#![allow(dead_code, reason = "every test uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "test code")]

use std::net::Ipv4Addr;

use selsius_wire::{Context, ManagerMessage, RawFrame, StationMessage};

use crate::common::{frame, unhex};

/// Documentation addresses in every form: 192.0.2.7 and 198.51.100.9.
pub(crate) const HERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
pub(crate) const THERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);

/// What a body is made of.
pub(crate) enum Part {
    /// Words.
    W(&'static [u32]),
    /// Bytes in hexadecimal.
    X(&'static str),
    /// Text in an area of so many bytes, zeros after it.
    T(&'static str, usize),
    /// Zeros.
    Z(usize),
}
use Part::{T, W, X, Z};

pub(crate) fn body(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        match *part {
            W(words) => bytes.extend(words.iter().flat_map(|word| word.to_le_bytes())),
            X(hex) => bytes.extend(unhex(hex)),
            T(text, area) => {
                bytes.extend(text.bytes());
                bytes.resize(bytes.len() + area - text.len(), 0);
            }
            Z(count) => bytes.resize(bytes.len() + count, 0),
        }
    }
    bytes
}

/// The frame with that id and body; `length` is the header's length, to be compared with the documents.
pub(crate) fn framed(length: u32, header_version: u32, id: u32, parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::new();
    RawFrame { header_version, id, body: &body(parts) }.encode(&mut bytes);
    assert_eq!(*bytes.first_chunk().unwrap(), length.to_le_bytes(), "length of {id:#06x}");
    bytes
}

pub(crate) fn station<M: message_set::Of<StationMessage>>(
    version: u8,
    header: u32,
    length: u32,
    parts: &[Part],
    tail: usize,
    expected: M,
) {
    let bytes = framed(length, header, M::ID, parts);
    let received = StationMessage::decode(frame(&bytes), Context::new(version)).unwrap();
    assert_eq!(received.message, expected.into());
    assert_eq!((received.tail.len(), received.anomalies.len()), (tail, 0), "tail of {}", M::NAME);
    let mut out = Vec::new();
    received.encode(&mut out);
    assert_eq!(out, bytes, "{}", M::NAME);
}

pub(crate) fn manager<M: message_set::Of<ManagerMessage>>(
    version: u8,
    header: u32,
    length: u32,
    parts: &[Part],
    tail: usize,
    expected: M,
) {
    let bytes = framed(length, header, M::ID, parts);
    let received = ManagerMessage::decode(frame(&bytes), Context::new(version)).unwrap();
    assert_eq!(received.message, expected.into());
    assert_eq!((received.tail.len(), received.anomalies.len()), (tail, 0), "tail of {}", M::NAME);
    let mut out = Vec::new();
    received.encode(&mut out);
    assert_eq!(out, bytes, "{}", M::NAME);
}

mod message_set {
    /// A message of one direction.
    pub(crate) trait Of<S>: selsius_wire::Message + Into<S> {}
    impl<S, M: selsius_wire::Message + Into<S>> Of<S> for M {}
}

/// Joins parts of parts.
pub(crate) trait ConcatParts {
    fn concat_parts(self) -> Vec<Part>;
}

impl<const N: usize> ConcatParts for [Vec<Part>; N] {
    fn concat_parts(self) -> Vec<Part> {
        self.into_iter().flatten().collect()
    }
}
