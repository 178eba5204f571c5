//! What the build helpers write must be a capture that the well-known analyser reads without a complaint.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, outside of any test function"
)]

use std::{borrow::Cow, fs::File, net::SocketAddr, path::Path, process::Command, time::Duration};

use pcap_file::{
    DataLink,
    pcap::{PcapHeader, PcapPacket, PcapWriter},
};
use selsius_inspect::{
    packet::{
        Datagram,
        build::{self, TcpFlow},
    },
    reassembly::Way,
};

/// KeepAlive, and KeepAliveAck.
const KEEP_ALIVE: [u8; 12] = [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const KEEP_ALIVE_ACK: [u8; 12] = [4, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0];

fn write(path: &Path, frames: &[Vec<u8>]) {
    let header = PcapHeader { datalink: DataLink::ETHERNET, ..PcapHeader::default() };
    let mut writer = PcapWriter::with_header(File::create(path).unwrap(), header).unwrap();
    for (index, frame) in frames.iter().enumerate() {
        writer
            .write_packet(&PcapPacket {
                timestamp: Duration::from_millis(index as u64),
                orig_len: frame.len() as u32,
                data: Cow::Borrowed(frame),
            })
            .unwrap();
    }
}

fn tshark(path: &Path, filter: &str, fields: &[&str]) -> Option<String> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(path).arg("-Y").arg(filter);
    for check in ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE"] {
        command.args(["-o", check]);
    }
    command.args(["-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: tshark is not installed");
            return None;
        }
        Err(error) => panic!("tshark: {error}"),
    };
    assert!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

fn conversation(opener: SocketAddr, peer: SocketAddr) -> Vec<Vec<u8>> {
    let mut flow = TcpFlow::new(opener, peer);
    let mut frames = flow.open();
    for _ in 0..3 {
        frames.extend(flow.send(Way::Forward, &KEEP_ALIVE));
        frames.extend(flow.send(Way::Backward, &KEEP_ALIVE_ACK));
    }
    // Enough to need several segments and acknowledgments.
    frames.extend(flow.send(Way::Backward, &KEEP_ALIVE_ACK.repeat(4_000)));
    frames.extend(flow.close(Way::Forward));
    frames
}

#[test]
fn nothing_to_complain_about() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("built.pcap");
    let mut frames = Vec::new();
    for (opener, peer) in [
        ("10.1.2.3:40001", "10.1.2.4:2000"),
        ("[2001:db8::1]:40002", "[2001:db8::2]:2000"),
        ("127.0.0.1:40003", "127.0.0.1:2000"),
        ("[::1]:40004", "[::1]:2000"),
    ] {
        frames.extend(conversation(opener.parse().unwrap(), peer.parse().unwrap()));
    }
    let mut reset = TcpFlow::new("10.1.2.3:40005".parse().unwrap(), "10.1.2.4:2000".parse().unwrap());
    frames.extend(reset.open());
    let before_reset = frames.len();
    for (source, destination) in
        [("10.1.2.3:20000", "10.1.2.4:20002"), ("[2001:db8::1]:1", "[2001:db8::2]:2")]
    {
        frames.extend(build::udp(&Datagram {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            payload: &[0x80; 172],
            cut: false,
        }));
    }
    write(&path, &frames);

    // Checksum status 0 is "bad", 2 "not verified".
    let complaints = "_ws.malformed or tcp.analysis.flags or ip.checksum.status != 1 \
                      or tcp.checksum.status != 1 or udp.checksum.status != 1 or _ws.expert.severity >= 6291456";
    let Some(found) = tshark(&path, complaints, &["frame.number", "_ws.expert.message"]) else { return };
    assert_eq!(found, "");
    let good = tshark(&path, "tcp.checksum.status == 1 or udp.checksum.status == 1", &["frame.number"]);
    assert_eq!(good.map(|lines| lines.lines().count()), Some(frames.len()), "checksums were looked at");

    let messages = tshark(&path, "skinny", &["skinny.messageId"]).expect("it was there a moment ago");
    let messages = messages.lines().flat_map(|line| line.split(',')).count();
    assert_eq!(messages, 4 * (6 + 4_000));

    frames.extend(reset.reset(Way::Backward));
    assert_eq!(frames.len(), before_reset + 3);
    write(&path, &frames);
    let resets =
        tshark(&path, "tcp.flags.reset == 1", &["tcp.checksum.status"]).expect("it was there a moment ago");
    assert_eq!(resets.trim(), "1");
}
