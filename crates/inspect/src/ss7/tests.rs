use alloc::{vec, vec::Vec};

use proptest::prelude::*;

use super::*;

const UDT: [u8; 16] = [9, 0, 3, 5, 7, 2, 0x42, 6, 2, 0x42, 8, 4, 1, 2, 3, 4];

/// National, priority 1, from 5001 to 10002, link selection 9.
fn unit() -> Vec<u8> {
    let label: u32 = 9 << 28 | 5_001 << 14 | 10_002;
    [&[0x93][..], &label.to_le_bytes(), &UDT].concat()
}

fn label() -> Label {
    Label { opc: 5_001, dpc: 10_002, network: 2, priority: 1, sls: 9 }
}

/// With a parameter before the one that counts, and padding.
fn adaptation(heading: [u8; 4], tag: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = heading.to_vec();
    bytes.extend([0; 4]);
    bytes.extend([0, 6, 0, 7, 1, 2, 3, 0]);
    bytes.extend(tag.to_be_bytes());
    bytes.extend((value.len() as u16 + 4).to_be_bytes());
    bytes.extend(value);
    let length = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&length.to_be_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn m3ua() -> Vec<u8> {
    let mut data = Vec::new();
    data.extend(5_001_u32.to_be_bytes());
    data.extend(10_002_u32.to_be_bytes());
    data.extend([3, 2, 1, 9]);
    data.extend(UDT);
    adaptation([1, 0, 1, 1], 0x0210, &data)
}

fn m2pa() -> Vec<u8> {
    [&[1, 0, 11, 1, 0, 0, 0, 38, 0, 0, 0, 1, 0, 0, 0, 2, 0][..], &unit()].concat()
}

#[test]
fn every_carrier() {
    let expected = Some(Carried { label: Some(label()), sccp: &UDT, cut: 0 });
    assert_eq!(mtp3(&unit()), expected);
    let length = (unit().len() - 1) as u8;
    let link = [&[0x81, 0x82, length][..], &unit(), b"check sum"].concat();
    assert_eq!(mtp2(&link, false), expected);
    assert_eq!(mtp2(&[&[0, 0, 0, 1][..], &link].concat(), true), expected);
    let fast = [&[0, 1, 0, 1, 0x81, 0x02, 0x82, 0x03, length, 0][..], &unit(), b"check sum"].concat();
    assert_eq!(mtp2(&fast, true), expected);
    assert_eq!(of_sctp(3, (1, 2), &m3ua(), 0), expected);
    assert_eq!(of_sctp(0, (1, 2_905), &m3ua(), 0), expected);
    assert_eq!(of_sctp(5, (1, 2), &m2pa(), 0), expected);
    assert_eq!(of_sctp(2, (1, 2), &adaptation([1, 0, 6, 1], 0x0300, &unit()), 0), expected);
}

#[test]
fn what_is_not_sccp() {
    let mut isup = unit();
    isup[0] = 0x95;
    assert_eq!(mtp3(&isup), None);
    assert_eq!(mtp2(&[&[0x81, 0x82, 21][..], &isup].concat(), false), None);
    // A fill-in unit and a link status unit.
    assert_eq!(mtp2(&[0x81, 0x82, 0], false), None);
    assert_eq!(mtp2(&[0x81, 0x82, 1, 0], false), None);
    // Another message class; another protocol; a port that says nothing.
    assert_eq!(of_sctp(3, (1, 2), &[1, 0, 3, 1, 0, 0, 0, 8], 0), None);
    assert_eq!(of_sctp(46, (2_905, 2_905), &m3ua(), 0), None);
    assert_eq!(of_sctp(0, (1, 2), &m3ua(), 0), None);
}

#[test]
fn every_length_is_survived() {
    let link = [&[0x81, 0x82, 20][..], &unit()].concat();
    let fast = [&[0, 1, 0, 1, 0x81, 0x02, 0x82, 0x03, 20, 0][..], &unit()].concat();
    let m3ua = m3ua();
    type Read = fn(&[u8]) -> Option<Carried<'_>>;
    let readers: [(&[u8], Read); 3] = [
        (&link, |bytes| mtp2(bytes, false)),
        (&fast, |bytes| mtp2(bytes, true)),
        (&m3ua, |bytes| of_sctp(3, (1, 2), bytes, 0)),
    ];
    for (bytes, read) in readers {
        for length in 0..=bytes.len() {
            if let Some(carried) = read(&bytes[..length]) {
                assert_eq!(carried.sccp.len() + carried.cut, UDT.len(), "at {length}");
                assert_eq!(carried.label, Some(label()));
            }
        }
    }
}

proptest! {
    #[test]
    fn garbage_is_survived(mut bytes in proptest::collection::vec(any::<u8>(), 0..80), protocol in 0u32..7) {
        mtp3(&bytes);
        mtp2(&bytes, false);
        mtp2(&bytes, true);
        of_sctp(protocol, (2_904, 0), &bytes, 0);
        for heading in [[1, 0, 1, 1], [1, 0, 6, 1], [1, 0, 11, 1]] {
            let length = bytes.len().min(4);
            bytes[..length].copy_from_slice(&heading[..length]);
            of_sctp(protocol, (2_904, 0), &bytes, 0);
        }
        let whole = vec![0x93; bytes.len()];
        prop_assert_eq!(mtp3(&whole).is_some(), whole.len() >= 5);
    }
}
