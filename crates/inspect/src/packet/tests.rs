use alloc::{format, vec, vec::Vec};
use core::net::SocketAddr;

use super::*;
use crate::reassembly::Way;

fn segment<'a>(source: &str, destination: &str, payload: &'a [u8]) -> Segment<'a> {
    Segment {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        sequence: 0xfedc_ba98,
        acknowledgment: Some(7),
        syn: false,
        fin: true,
        rst: false,
        payload,
        cut_off: 0,
    }
}

#[test]
fn tcp_comes_back_as_it_was_built() {
    for (source, destination) in
        [("10.0.0.1:1234", "10.0.0.2:2000"), ("[fd00::1]:1234", "[fd00::2]:2000"), ("[::1]:1", "[::1]:2")]
    {
        for payload in [&b""[..], b"x", b"some payload of odd length"] {
            let segment = segment(source, destination, payload);
            let frame = build::tcp(&segment).unwrap();
            assert_eq!(parse(LinkType::Ethernet, &frame), Content::Tcp(segment));
        }
    }
}

#[test]
fn udp_comes_back_as_it_was_built() {
    for (source, destination) in [("10.0.0.1:1234", "10.0.0.2:2000"), ("[fd00::1]:1234", "[fd00::2]:2000")] {
        let datagram = Datagram {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            payload: &[5; 172],
            cut: false,
        };
        let frame = build::udp(&datagram).unwrap();
        assert_eq!(parse(LinkType::Ethernet, &frame), Content::Udp(datagram));
    }
    let huge = vec![0; 70_000];
    let datagram = Datagram {
        source: "10.0.0.1:1".parse().unwrap(),
        destination: "10.0.0.2:2".parse().unwrap(),
        payload: &huge,
        cut: false,
    };
    assert_eq!(build::udp(&datagram), None);
}

#[test]
fn mapped_addresses_are_written_as_ipv4() {
    let frame = build::tcp(&segment("[::ffff:10.0.0.1]:1234", "10.0.0.2:2000", b"x")).unwrap();
    let Content::Tcp(got) = parse(LinkType::Ethernet, &frame) else { panic!("no segment") };
    assert_eq!(got.source, "10.0.0.1:1234".parse::<SocketAddr>().unwrap());
}

#[test]
fn every_link_layer() {
    let segment = segment("10.0.0.1:1234", "10.0.0.2:2000", b"payload");
    let frame = build::tcp(&segment).unwrap();
    let ip = &frame[14..];
    let with = |before: &[u8]| [before, ip].concat();
    let mut tagged = frame[..12].to_vec();
    tagged.extend([0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 7, 0x08, 0x00]);

    let expected = Content::Tcp(segment);
    for (number, bytes) in [
        (0, with(&[2, 0, 0, 0])),
        (1, frame.clone()),
        (1, with(&tagged)),
        (101, ip.to_vec()),
        (108, with(&[0, 0, 0, 2])),
        (113, with(&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x00])),
        (276, with(&[0x08, 0x00, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0])),
    ] {
        let link = LinkType::from_capture(number).unwrap();
        assert_eq!(parse(link, &bytes), expected, "{link:?}");
        // Ethernet pads short frames; the padding is no payload.
        assert_eq!(parse(link, &[&bytes[..], &[0xaa; 9]].concat()), expected, "{link:?} with padding");
        for length in 0..bytes.len() {
            match parse(link, &bytes[..length]) {
                Content::Tcp(cut) => {
                    assert_eq!(cut.payload.len() + cut.cut_off as usize, 7, "cut at {length}");
                }
                Content::Damaged(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(LinkType::from_capture(147), None);
}

#[test]
fn what_is_not_ours() {
    let arp = [&[0xff; 12][..], &[0x08, 0x06], &[0; 28]].concat();
    assert_eq!(parse(LinkType::Ethernet, &arp), Content::NotIp);
    let mut frame = build::tcp(&segment("10.0.0.1:1234", "10.0.0.2:2000", b"payload")).unwrap();
    frame[14 + 9] = 1;
    assert_eq!(parse(LinkType::Ethernet, &frame), Content::OtherProtocol(1));
}

#[test]
fn ss7_on_its_own_links_and_on_sctp() {
    // Service octet, label (from 2 to 1), message.
    let unit = [0x83, 1, 0x80, 0, 0, 9, 1, 2];
    let label = ss7::Label { opc: 2, dpc: 1, network: 2, priority: 0, sls: 0 };
    let carried = ss7::Carried { label: Some(label), sccp: &unit[5..], cut: 0 };
    for (number, before) in
        [(139, &[0, 0, 0, 1, 0x81, 0x82, 7][..]), (140, &[0x81, 0x82, 7]), (141, &[]), (142, &[])]
    {
        let link = LinkType::from_capture(number).unwrap();
        let bytes = [before, if number == 142 { &unit[5..] } else { &unit }].concat();
        let label = carried.label.filter(|_| number != 142);
        assert_eq!(parse(link, &bytes), Content::Ss7(ss7::Carried { label, ..carried }), "{link:?}");
    }
    let isup = [0x85, 1, 0x80, 0, 0, 9, 1, 2];
    assert_eq!(parse(LinkType::Mtp3, &isup), Content::NotIp);

    let mut bytes = vec![0x0b, 0x59, 0x0b, 0x5a, 0, 0, 0, 7, 0, 0, 0, 0];
    bytes.extend([1; 20]);
    let packet = sctp::Packet {
        addresses: None,
        source_port: 2_905,
        destination_port: 2_906,
        tag: 7,
        chunks: &[1; 20],
    };
    assert_eq!(parse(LinkType::Sctp, &bytes), Content::Sctp(packet));
    assert_eq!(parse(LinkType::Sctp, &bytes[..11]), Content::Damaged("SCTP"));
    let mut frame = build::udp(&Datagram {
        source: "10.0.0.1:1".parse().unwrap(),
        destination: "10.0.0.2:2".parse().unwrap(),
        payload: &bytes[8..],
        cut: false,
    })
    .unwrap();
    frame[14 + 9] = 132;
    frame[34..42].copy_from_slice(&bytes[..8]);
    let addresses = Some(("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()));
    assert_eq!(parse(LinkType::Ethernet, &frame), Content::Sctp(sctp::Packet { addresses, ..packet }));
}

#[test]
fn fragments() {
    let mut frame = build::tcp(&segment("10.0.0.1:1234", "10.0.0.2:2000", &[9; 40])).unwrap();
    // Identification 0x0102, more fragments, offset 3 * 8.
    frame[18..22].copy_from_slice(&[1, 2, 0x20, 3]);
    let Content::Fragment(part) = parse(LinkType::Ethernet, &frame) else { panic!("no fragment") };
    assert_eq!((part.identification, part.offset, part.more, part.protocol), (0x0102, 24, true, 6));
    assert_eq!(part.payload.len(), 60);

    let mut v6 = vec![0x60, 0, 0, 0, 0, 16, 44, 64];
    v6.extend([0; 32]);
    v6.extend([17, 0, 0, 8 | 1, 0, 0, 1, 2]);
    v6.extend([7; 8]);
    let Content::Fragment(part) = parse(LinkType::RawIp, &v6) else { panic!("no fragment") };
    assert_eq!((part.identification, part.offset, part.more, part.protocol), (0x0102, 8, true, 17));
    assert_eq!(part.payload, [7; 8]);
}

#[test]
fn flow_numbers_fit_together() {
    let mut flow = build::TcpFlow::new("10.0.0.1:1234".parse().unwrap(), "10.0.0.2:2000".parse().unwrap());
    let mut frames = flow.open();
    frames.extend(flow.send(Way::Forward, &[1; 40_000]));
    frames.extend(flow.send(Way::Backward, b"answer"));
    frames.extend(flow.close(Way::Backward));

    let mut reassembler = crate::reassembly::Reassembler::default();
    let mut log = Vec::new();
    let mut bytes = [0; 2];
    for frame in &frames {
        let Content::Tcp(segment) = parse(LinkType::Ethernet, frame) else { panic!("no segment") };
        reassembler.segment(Stamp::default(), &segment, |event| match event {
            crate::reassembly::Event::Data { way, bytes: data, .. } => bytes[way.index()] += data.len(),
            other => log.push(format!("{other:?}")),
        });
    }
    assert_eq!(bytes, [40_000, 6]);
    assert_eq!(log.len(), 2, "opened and closed: {log:?}");
    assert!(log[0].contains("handshake: true") && log[1].contains("Finished"));
}

proptest::proptest! {
    #[test]
    fn garbage_is_survived(number in 0u32..300, bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        if let Some(link) = LinkType::from_capture(number) {
            parse(link, &bytes);
        }
        // Past the version nibble, so that more of the header is read.
        let mut bytes = bytes;
        for first in [0x45, 0x60] {
            if let Some(byte) = bytes.first_mut() {
                *byte = first;
            }
            parse_ip(&bytes);
        }
    }
}
