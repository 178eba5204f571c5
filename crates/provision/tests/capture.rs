//! The 7912 of the CallManager 4.1 capture asks our server: each of its datagrams goes in as it was, and each
//! answer has the form that CallManager's had.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail where it likes")]

use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use pcap_file::pcapng::{Block, PcapNgReader};
use selsius_provision::files::{Context, Served, resolve};
use selsius_provision::tftp::{Answer, Input, Limits, Outcome, Output, Packet, Server, TransferId};
use selsius_site::Site;

struct Datagram {
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

const MANAGER: &str = "10.0.0.180";

/// The TFTP datagrams of the capture, in order.
fn captured() -> Option<Vec<Datagram>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures/callmanager-4.1-7912.pcapng");
    let Ok(file) = File::open(path) else {
        eprintln!("skipped: {path} is not there");
        return None;
    };
    let manager: IpAddr = MANAGER.parse().unwrap();
    let mut reader = PcapNgReader::new(file).unwrap();
    let mut datagrams = Vec::new();
    while let Some(block) = reader.next_block() {
        let Block::EnhancedPacket(packet) = block.unwrap() else { continue };
        let sliced = SlicedPacket::from_ethernet(&packet.data).unwrap();
        let (Some(NetSlice::Ipv4(ip)), Some(TransportSlice::Udp(udp))) = (&sliced.net, &sliced.transport)
        else {
            continue;
        };
        let (from, to) = (ip.header().source_addr().into(), ip.header().destination_addr().into());
        if from == manager || to == manager {
            let (from, to) =
                (SocketAddr::new(from, udp.source_port()), SocketAddr::new(to, udp.destination_port()));
            datagrams.push(Datagram { from, to, bytes: udp.payload().to_vec() });
        }
    }
    Some(datagrams)
}

/// The files that CallManager sent, in the order of the requests.
fn files(datagrams: &[Datagram]) -> Vec<Vec<u8>> {
    let mut files: Vec<Vec<u8>> = Vec::new();
    for datagram in datagrams {
        match Packet::parse(&datagram.bytes).unwrap() {
            Packet::Read(_) => files.push(Vec::new()),
            Packet::Data { data, .. } => files.last_mut().unwrap().extend(data),
            _ => {}
        }
    }
    files
}

#[test]
fn the_same_files_go_out_byte_for_byte_as_callmanager_sent_them() {
    let Some(datagrams) = captured() else { return };
    let files = files(&datagrams);
    assert_eq!(files.iter().map(Vec::len).collect::<Vec<_>>(), [2623, 2623, 2241]);

    let mut server = Server::new(Limits::default());
    let (mut current, mut opened, mut sent) = (None::<TransferId>, 0, Vec::new());
    let (mut complete, mut expected) = (0, 0);
    for datagram in &datagrams {
        if datagram.from.ip() == MANAGER.parse::<IpAddr>().unwrap() {
            let ours: (SocketAddr, Vec<u8>) = sent.remove(0);
            assert_eq!(ours.0, datagram.to);
            assert_eq!(ours.1, datagram.bytes, "the bytes that CallManager sent");
            expected += 1;
            continue;
        }
        let (from, bytes) = (datagram.from, datagram.bytes.as_slice());
        let input = match datagram.to.port() {
            69 => Input::Request { from, datagram: bytes },
            _ => Input::Datagram { transfer: current.unwrap(), from, datagram: bytes },
        };
        server.handle(Duration::ZERO, input);
        while let Some(output) = server.poll_output() {
            match output {
                Output::Open { transfer, name, .. } => {
                    assert!(["SEP001380AD9E5F.cnf.xml", "Ringlist.xml"].contains(&name.as_str()));
                    current = Some(transfer);
                    let answer = Answer::Found(Arc::from(files[opened].as_slice()));
                    opened += 1;
                    server.handle(Duration::ZERO, Input::File { transfer, answer });
                }
                Output::Send { to, datagram, .. } => sent.push((to, datagram)),
                Output::Closed { report, .. } => {
                    assert_eq!((report.outcome, report.repeated), (Outcome::Complete, 0));
                    complete += 1;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((opened, complete, expected, sent.len()), (3, 3, 6 + 6 + 5, 0));
}

#[test]
fn our_own_files_answer_the_same_requests_in_the_same_form() {
    let Some(datagrams) = captured() else { return };
    let site = Site::from_toml("test", "[devices.SEP001380AD9E5F]\nmodel = \"7912\"\n").unwrap();
    let rings = ["Bass.raw".to_owned(), "Chime.raw".to_owned()];
    let manager = SocketAddr::new(MANAGER.parse().unwrap(), 2000);
    let context = Context { rings: &rings, ..Context::new(&site, manager) };

    let requests = datagrams.iter().filter(|datagram| datagram.to.port() == 69);
    let mut server = Server::new(Limits::default());
    for (index, request) in requests.enumerate() {
        let from = request.from;
        server.handle(Duration::ZERO, Input::Request { from, datagram: &request.bytes });
        let Some(Output::Open { transfer, name, .. }) = server.poll_output() else { panic!() };
        let Served::Generated(file) = resolve(name.as_str(), &context) else { panic!("{name}") };
        let answer = Answer::Found(Arc::from(file.as_slice()));
        server.handle(Duration::ZERO, Input::File { transfer, answer });
        let mut received = Vec::new();
        loop {
            match server.poll_output().unwrap() {
                Output::Send { datagram, to, .. } => {
                    assert_eq!(to, from);
                    let Ok(Packet::Data { block, data }) = Packet::parse(&datagram) else { panic!() };
                    assert_eq!(usize::from(block), received.len() / 512 + 1);
                    received.extend(data);
                    let ack = Packet::Ack { block }.to_bytes();
                    server.handle(Duration::ZERO, Input::Datagram { transfer, from, datagram: &ack });
                }
                Output::Closed { report, .. } => {
                    assert_eq!(report.outcome, Outcome::Complete);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(received, file);
        let text = String::from_utf8(received).unwrap();
        if index < 2 {
            assert!(text.contains("<processNodeName>10.0.0.180</processNodeName>"), "a name failed here");
        } else {
            assert!(text.starts_with("<CiscoIPPhoneRingList>"));
        }
    }
}
