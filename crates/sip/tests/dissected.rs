//! What we send, as somebody else's dissector (tshark) reads it: nothing malformed, nothing unknown.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it skips")]

mod common;

use std::{path::Path, process::Command, time::Duration};

use common::{Bed, Carrier, header};
use etherparse::PacketBuilder;
use pcap_file::{
    DataLink,
    pcap::{PcapHeader, PcapPacket, PcapWriter},
};
use selsius_exchange::{
    TrunkEvent, TrunkOrder,
    record::{EndCause, Party},
};
use selsius_sip::TrunkConfig;
use selsius_site::CodecName;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n\
                   a=rtpmap:101 telephone-event/8000\r\n";

/// A call of ours with all that happens in one.
async fn outgoing(carrier: &Carrier, bed: &mut Bed) {
    let leg = selsius_exchange::TrunkLegId(1000);
    bed.order(TrunkOrder::Offer {
        leg,
        trunk: "carrier".into(),
        contact: None,
        number: "#31*+49".into(),
        calling: Party {
            number: "201".into(),
            name: "Ann \"Ä\" <x>".into(),
            restricted: false,
            device: None,
        },
        redirecting: Some(Party { number: "250".into(), restricted: true, ..Party::default() }),
        codecs: CodecName::ALL.to_vec(),
        packet_ms: 20,
        emergency: false,
        meet_me: false,
        listens: Some("192.0.2.5:30000".parse().unwrap()),
    });
    let port = carrier.address().port();
    let contact = format!("Contact: <sip:127.0.0.1:{port}>\r\nAllow: UPDATE\r\n");
    let sdp = format!("{contact}Content-Type: application/sdp\r\n");
    let early = format!("{sdp}Require: 100rel\r\nRSeq: 1\r\n");
    let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", opaque=\"o\"\r\n";
    carrier.answers("INVITE", "401 Unauthorized", challenge, "").await;
    let invite = carrier.answers("INVITE", "183 Session Progress", &early, SDP).await;
    carrier.answers("PRACK", "200 OK", "", "").await;
    let number = header(&invite, "CSeq").to_string();
    let answer = format!(
        "SIP/2.0 200 OK\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=carrier\r\nCall-ID: {}\r\nCSeq: {number}\r\n\
         Session-Expires: 600;refresher=uac\r\n{sdp}Content-Length: {}\r\n\r\n{SDP}",
        header(&invite, "Via"),
        header(&invite, "From"),
        header(&invite, "To"),
        header(&invite, "Call-ID"),
        SDP.len()
    );
    carrier.send_to(&answer, bed.address()).await;
    while !matches!(bed.happens().await, TrunkEvent::Answered { .. }) {}
    bed.order(TrunkOrder::Hold { leg, held: true });
    carrier.answers("INVITE", "200 OK", &sdp, SDP).await;
    bed.order(TrunkOrder::Digit { leg, digit: '#' });
    carrier.answers("INFO", "200 OK", "", "").await;
    bed.order(TrunkOrder::Party {
        leg,
        party: Party { number: "333".into(), name: "Bob".into(), ..Party::default() },
    });
    carrier.answers("UPDATE", "200 OK", "", "").await;
    bed.hang_up(leg);
    carrier.answers("BYE", "200 OK", "", "").await;
}

/// One that is given up.
async fn cancelled(carrier: &Carrier, bed: &mut Bed) {
    let leg = bed.call("5", true);
    carrier.answers("INVITE", "180 Ringing", "", "").await;
    while !matches!(bed.happens().await, TrunkEvent::Progress { .. }) {}
    bed.hang_up(leg);
    carrier.answers("CANCEL", "200 OK", "", "").await;
}

/// Theirs: refused in several ways, and answered.
async fn incoming(carrier: &Carrier, bed: &mut Bed) {
    let own = carrier.address();
    for (number, method, headers, body, expected) in [
        (1, "OPTIONS", "", "", "200"),
        (2, "PING", "", "", "501"),
        (3, "MESSAGE", "Content-Type: text/plain\r\n", "x", "405"),
        (4, "INVITE", "Require: x, y\r\n", "", "420"),
        (5, "INVITE", "Content-Type: text/plain\r\n", "x", "415"),
        (6, "INVITE", "Supported: timer\r\nSession-Expires: 10\r\n", "", "422"),
        (
            7,
            "INVITE",
            "Content-Type: application/sdp\r\nSupported: 100rel, timer\r\nSession-Expires: 100\r\n",
            SDP,
            "183",
        ),
    ] {
        let request = format!(
            "{method} sip:200@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKd{number};rport\r\n\
             From: <sip:1@{own}>;tag=d{number}\r\nTo: <sip:200@127.0.0.1>\r\nCall-ID: d{number}\r\n\
             CSeq: {number} {method}\r\nContact: <sip:1@{own}>\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        carrier.send_to(&request, bed.address()).await;
        if number == 7 {
            let TrunkEvent::Offer { leg, .. } = bed.happens().await else { panic!("an offer") };
            bed.order(TrunkOrder::Ringing { leg });
            bed.media(leg);
            bed.order(TrunkOrder::Digit { leg, digit: '1' });
            bed.order(TrunkOrder::HangUp { leg, cause: EndCause::Busy });
        }
        while !carrier.hear().await.0.starts_with(&format!("SIP/2.0 {expected} ")) {}
    }
    while !carrier.hear().await.0.starts_with("SIP/2.0 486 ") {}
}

fn write(path: &Path, messages: &[String]) {
    let header = PcapHeader { datalink: DataLink::IPV4, ..PcapHeader::default() };
    let mut writer = PcapWriter::with_header(std::fs::File::create(path).unwrap(), header).unwrap();
    for (at, message) in (0..).zip(messages) {
        let builder = PacketBuilder::ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64).udp(5060, 5060);
        let mut packet = Vec::new();
        builder.write(&mut packet, message.as_bytes()).unwrap();
        let length = u32::try_from(packet.len()).unwrap();
        writer.write_packet(&PcapPacket::new(Duration::from_secs(at), length, &packet)).unwrap();
    }
}

fn tshark(path: &Path, filter: &str, fields: &[&str]) -> Option<String> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(path).args(["-Y", filter, "-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    match command.output() {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: tshark is not installed");
            None
        }
        Err(error) => panic!("tshark: {error}"),
    }
}

#[tokio::test]
async fn tshark_has_nothing_to_complain_about() {
    let (carrier, port) = Carrier::new().await;
    let mut bed = Bed::with(TrunkConfig {
        port: Some(port),
        user: Some("office".into()),
        password: Some("secret".into()),
        from: Some("office.example".into()),
        ..TrunkConfig::peer("carrier", "127.0.0.1")
    })
    .await;
    outgoing(&carrier, &mut bed).await;
    cancelled(&carrier, &mut bed).await;
    incoming(&carrier, &mut bed).await;
    let heard = carrier.heard.borrow().clone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sent.pcap");
    write(&path, &heard);
    let complaints = "_ws.malformed or _ws.expert.severity >= 6291456";
    let Some(found) = tshark(&path, complaints, &["frame.number", "_ws.expert.message", "sip.Request-Line"])
    else {
        return;
    };
    assert_eq!(found, "");
    let read = tshark(&path, "sip", &["frame.number"]).unwrap();
    assert_eq!(read.lines().count(), heard.len(), "all of it is SIP");
    let described = tshark(&path, "sdp.media", &["sdp.media"]).unwrap();
    assert!(described.lines().count() >= 4, "{described}");
}
