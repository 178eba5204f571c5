use alloc::{format, string::String, vec, vec::Vec};

use proptest::prelude::*;

use super::*;

/// Each packet as `time link bytes/original`, and how the file ends.
fn read(mut bytes: &[u8]) -> (Vec<String>, Result<usize, CaptureError>) {
    let mut cutter = Cutter::default();
    let mut packets = Vec::new();
    loop {
        match cutter.cut(bytes) {
            Ok(Cut::Need(need)) => {
                assert!(need > bytes.len());
                return (packets, Ok(bytes.len()));
            }
            Ok(Cut::Other(consumed)) => bytes = &bytes[consumed..],
            Ok(Cut::Packet { packet, consumed }) => {
                let Packet { time, link, bytes: data, original } = packet;
                packets.push(format!("{time} {link} {}/{original}", data.len()));
                bytes = &bytes[consumed..];
            }
            Err(error) => return (packets, Err(error)),
        }
    }
}

fn pcap(order: Order, magic: u32, words: &[u32], data: &[u8]) -> Vec<u8> {
    let put = |word: u32| if order == Order::Little { word.to_le_bytes() } else { word.to_be_bytes() };
    let mut file: Vec<u8> = [magic, 0x0002_0004, 0, 0, 65535, 1].into_iter().flat_map(put).collect();
    file.extend(words.iter().copied().flat_map(put));
    file.extend_from_slice(data);
    file
}

#[test]
fn pcap_in_every_byte_order_and_resolution() {
    let words = [10, 500_000, 3, 60];
    for order in [Order::Little, Order::Big] {
        assert_eq!(read(&pcap(order, 0xa1b2_c3d4, &words, b"abc")), (vec!["10.500000 1 3/60".into()], Ok(0)));
        assert_eq!(read(&pcap(order, 0xa1b2_3c4d, &words, b"abc")), (vec!["10.000500 1 3/60".into()], Ok(0)));
        let kuznetzov = pcap(order, 0xa1b2_cd34, &[10, 5, 3, 60, 0, 0], b"abc");
        assert_eq!(read(&kuznetzov), (vec!["10.000005 1 3/60".into()], Ok(0)));
    }
}

#[test]
fn damage_is_told() {
    assert_eq!(read(b"PK\x03\x04").1, Err(CaptureError::Unknown));
    assert_eq!(read(b"ab").1, Err(CaptureError::Unknown));
    // A pipe may bring so little at first.
    assert_eq!(Cutter::default().cut(&[0xd4, 0xc3]), Ok(Cut::Need(4)));
    let long = pcap(Order::Little, 0xa1b2_c3d4, &[1, 2, 0xffff_ffff, 4], b"");
    assert_eq!(read(&long).1, Err(CaptureError::Packet(0xffff_ffff)));
    let cut = pcap(Order::Little, 0xa1b2_c3d4, &[1, 2, 5, 5], b"abc");
    assert_eq!(read(&cut), (vec![], Ok(19)));
}

/// A pcapng file with one interface with these options, and one packet with these ticks.
fn pcapng(options: &[u8], ticks: u64) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::default().begin(&mut out);
    write_block(&mut out, 1, &[&[1, 0, 0, 0, 0, 0, 0, 0], options]);
    let word = |value: u64| (value as u32).to_le_bytes();
    write_block(&mut out, 6, &[&[0; 4], &word(ticks >> 32), &word(ticks), &word(3), &word(3), b"abc"]);
    out
}

#[test]
fn pcapng_ticks_are_what_the_interface_says() {
    for (options, ticks, time) in [
        (&[][..], 1_500_000, "1.500000"),
        (&[9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0], 1_500_000_123, "1.500000"),
        (&[9, 0, 1, 0, 3, 0, 0, 0], 1_500, "1.500000"),
        // Powers of two.
        (&[9, 0, 1, 0, 0x81, 0, 0, 0], 3, "1.500000"),
        // An offset of two seconds.
        (&[14, 0, 8, 0, 2, 0, 0, 0, 0, 0, 0, 0], 1_500_000, "3.500000"),
        (&[9, 0, 1, 0, 0x7f, 0, 0, 0], u64::MAX, "0.000018"),
    ] {
        assert_eq!(read(&pcapng(options, ticks)), (vec![format!("{time} 1 3/3")], Ok(0)), "{options:?}");
    }
}

#[test]
fn pcapng_damage_is_told() {
    let good = pcapng(&[], 1);
    let mut trailer = good.clone();
    *trailer.last_mut().unwrap() = 1;
    assert!(matches!(read(&trailer).1, Err(CaptureError::Trailer(..))));
    let mut out = Vec::new();
    Writer::default().begin(&mut out);
    write_block(&mut out, 6, &[&[7, 0, 0, 0], &[0; 16]]);
    assert_eq!(read(&out).1, Err(CaptureError::Interface(7)));
    for cut in 0..good.len() {
        let _ = read(&good[..cut]);
    }
}

#[test]
fn what_is_written_is_read() {
    let mut writer = Writer::default();
    let mut out = Vec::new();
    for (at, link, length) in [(1, 1, 60_usize), (2, 113, 61), (u64::MAX / 2, 1, 0)] {
        let bytes = vec![7; length];
        writer.packet(&Packet { time: Time::from_micros(at), link, bytes: &bytes, original: 99 }, &mut out);
    }
    let expected = ["0.000001 1 60/99", "0.000002 113 61/99", "9223372036854.775807 1 0/99"];
    assert_eq!(read(&out), (expected.map(String::from).to_vec(), Ok(0)));
}

proptest! {
    #[test]
    fn anything_is_survived(noise in proptest::collection::vec(any::<u8>(), 0..400), start in 0_usize..3) {
        let mut bytes = match start {
            0 => pcapng(&[], 7),
            1 => pcap(Order::Big, 0xa1b2_c3d4, &[1, 2, 3, 4], b"abc"),
            _ => Vec::new(),
        };
        bytes.extend_from_slice(&noise);
        let _ = read(&bytes);
    }

    #[test]
    fn one_wrong_byte_is_survived(place in 0_usize..100, value in any::<u8>()) {
        let mut bytes = pcapng(&[9, 0, 1, 0, 9, 0, 0, 0], 7);
        let place = place % bytes.len();
        bytes[place] = value;
        let _ = read(&bytes);
    }
}
