//! What a carrier should not send, a stranger may not, and bytes that mean nothing: all of it gets the answer that it
//! deserves, and calls go on.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::{Bed, Sipp, free_port, has_sipp};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use selsius_exchange::{TrunkEvent, record::EndCause};
use selsius_sip::{Limits, TrunkConfig};
use tokio::{net::UdpSocket, time::timeout};

/// Speaks SIP by hand.
struct Raw {
    socket: UdpSocket,
    number: u32,
}

impl Raw {
    async fn new(bed: &Bed, from: &str) -> Self {
        let socket = UdpSocket::bind(from).await.unwrap();
        socket.connect(bed.address()).await.unwrap();
        Self { socket, number: 0 }
    }

    /// A request with what all of them need, and what else is given.
    fn request(&mut self, method: &str, headers: &str, body: &str) -> String {
        self.number += 1;
        let (own, number) = (self.socket.local_addr().unwrap(), self.number);
        format!(
            "{method} sip:200@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKraw{number};rport\r\n\
             From: <sip:raw@{own}>;tag=raw{number}\r\nTo: <sip:200@127.0.0.1>\r\nCall-ID: raw{number}\r\n\
             CSeq: {number} {method}\r\nMax-Forwards: 70\r\nContact: <sip:raw@{own}>\r\n{headers}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    async fn send(&self, text: impl AsRef<[u8]>) {
        self.socket.send(text.as_ref()).await.unwrap();
    }

    /// The next final response.
    async fn answer(&self) -> String {
        loop {
            let text = self.hear().await.expect("a response");
            if !text.starts_with("SIP/2.0 1") {
                return text;
            }
        }
    }

    async fn hear(&self) -> Option<String> {
        let mut buffer = [0; 4096];
        let length = timeout(Duration::from_secs(5), self.socket.recv(&mut buffer)).await.ok()?.unwrap();
        Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
    }
}

const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
const IS_SDP: &str = "Content-Type: application/sdp\r\n";

#[tokio::test]
async fn every_request_gets_its_answer() {
    let bed = Bed::new(free_port()).await;
    let mut raw = Raw::new(&bed, "127.0.0.1:0").await;
    for (method, headers, body, expected, with) in [
        ("OPTIONS", "", "", "SIP/2.0 200 OK", "Allow: INVITE"),
        ("PING", "", "", "SIP/2.0 501 Not Implemented", "Allow: INVITE"),
        ("MESSAGE", "Content-Type: text/plain\r\n", "hi", "SIP/2.0 405 ", "Allow: INVITE"),
        ("REGISTER", "", "", "SIP/2.0 405 ", "Allow: INVITE"),
        ("BYE", "", "", "SIP/2.0 481 ", "CSeq"),
        ("INVITE", "Require: teleport, timer2\r\n", "", "SIP/2.0 420 ", "Unsupported: teleport, timer2"),
        ("INVITE", "Content-Type: text/plain\r\n", "hi", "SIP/2.0 415 ", "Accept: application/sdp"),
        (
            "INVITE",
            "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n",
            SDP,
            "SIP/2.0 415 ",
            "Accept-Encoding",
        ),
        ("INVITE", IS_SDP, "v=1\r\nnonsense\r\n", "SIP/2.0 400 ", "CSeq"),
        ("INVITE", IS_SDP, &SDP.replace("AVP 0", "AVP 3 97"), "SIP/2.0 488 ", "CSeq"),
        ("INVITE", IS_SDP, &SDP.replace("RTP/AVP", "RTP/SAVP"), "SIP/2.0 488 ", "CSeq"),
        ("INVITE", IS_SDP, &SDP.replace("audio", "video"), "SIP/2.0 488 ", "CSeq"),
    ] {
        let request = raw.request(method, headers, body);
        raw.send(&request).await;
        let answer = raw.answer().await;
        assert!(answer.starts_with(expected) && answer.contains(with), "{request}\n{answer}");
        if method == "INVITE" {
            raw.send(request.replace("INVITE sip", "ACK sip").replace(" INVITE\r\n", " ACK\r\n")).await;
        }
    }
}

#[tokio::test]
async fn strangers_may_not_call() {
    let trunk = TrunkConfig { port: Some(free_port()), ..TrunkConfig::peer("carrier", "127.0.0.9") };
    let mut bed = Bed::with(trunk).await;
    let mut raw = Raw::new(&bed, "127.0.0.1:0").await;
    for method in ["INVITE", "OPTIONS", "REGISTER", "BYE"] {
        let request = raw.request(method, "", "");
        raw.send(request).await;
        assert!(raw.answer().await.starts_with("SIP/2.0 403 "));
    }
    assert!(bed.handle.figures().strangers >= 4);
    assert!(bed.events.try_recv().is_err());
    let mut known = Raw::new(&bed, "127.0.0.9:0").await;
    let request = known.request("OPTIONS", "", "");
    known.send(request).await;
    assert!(known.answer().await.starts_with("SIP/2.0 200 "));
}

#[tokio::test]
async fn an_answer_comes_again_until_it_is_acknowledged() {
    let mut bed = Bed::new(free_port()).await;
    let mut raw = Raw::new(&bed, "127.0.0.1:0").await;
    let request = raw.request("INVITE", IS_SDP, &SDP.replace("AVP 0", "AVP 8"));
    raw.send(&request).await;
    let TrunkEvent::Offer { leg, .. } = bed.happens().await else { panic!("an offer") };
    bed.answer(leg);
    let first = raw.answer().await;
    assert!(first.starts_with("SIP/2.0 200 OK"));
    assert_eq!(raw.answer().await, first);
    assert_eq!(raw.answer().await, first);
    // Acknowledged, a request within the call gets through; a 200 to INVITE does not come again.
    let tag = first.lines().find_map(|line| line.strip_prefix("To: ")).unwrap();
    let within = request.replace("To: <sip:200@127.0.0.1>", &format!("To: {tag}"));
    let within = within.split("Content-Type").next().unwrap().to_string() + "Content-Length: 0\r\n\r\n";
    raw.send(within.replace("INVITE sip", "ACK sip").replace("1 INVITE", "1 ACK").replace("bKraw", "bKack"))
        .await;
    raw.send(within.replace("INVITE sip", "BYE sip").replace("1 INVITE", "2 BYE").replace("bKraw", "bKbye"))
        .await;
    let bye = raw.answer().await;
    assert!(bye.starts_with("SIP/2.0 200 OK") && bye.contains("2 BYE"), "{bye}");
    assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg, cause: EndCause::CalledHungUp });
}

#[tokio::test]
async fn a_trunk_has_no_more_calls_than_it_may() {
    let limits = Limits { calls: 2, rate: 100 };
    let trunk = TrunkConfig { port: Some(free_port()), limits, ..TrunkConfig::peer("carrier", "127.0.0.1") };
    let mut bed = Bed::with(trunk).await;
    let mut raw = Raw::new(&bed, "127.0.0.1:0").await;
    for _ in 0..2 {
        let request = raw.request("INVITE", "", "");
        raw.send(request).await;
        assert!(matches!(bed.happens().await, TrunkEvent::Offer { .. }));
    }
    let request = raw.request("INVITE", "", "");
    raw.send(request).await;
    let answer = raw.answer().await;
    assert!(answer.starts_with("SIP/2.0 503 ") && answer.contains("Retry-After"), "{answer}");
    let leg = bed.call("1", true);
    assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg, cause: EndCause::NoTrunk });
    assert_eq!(bed.handle.figures().limited, 2);
}

#[tokio::test]
async fn nonsense_does_not_disturb_calls() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-answer", port, &[]);
    let mut bed = Bed::new(port).await;
    let leg = bed.call("+4930555", true);
    assert!(matches!(bed.settles().await, TrunkEvent::Answered { .. }));
    let mut raw = Raw::new(&bed, "127.0.0.1:0").await;
    let mut chance = ChaCha8Rng::seed_from_u64(6);
    for round in 0..600 {
        let mut bytes = raw.request("INVITE", IS_SDP, SDP).into_bytes();
        match round % 4 {
            // Bytes changed, cut off, repeated, or chance alone.
            0 => {
                for _ in 0..chance.random_range(1..20) {
                    let at = chance.random_range(0..bytes.len());
                    bytes[at] = chance.random();
                }
            }
            1 => bytes.truncate(chance.random_range(0..bytes.len())),
            2 => {
                let (from, to) = (chance.random_range(0..bytes.len()), chance.random_range(0..bytes.len()));
                let piece = bytes[from.min(to)..from.max(to)].to_vec();
                let at = chance.random_range(0..bytes.len());
                bytes.splice(at..at, piece);
            }
            _ => bytes = (0..chance.random_range(0..1500)).map(|_| chance.random()).collect(),
        }
        raw.send(&bytes).await;
        while let Ok(event) = bed.events.try_recv() {
            // Some of it is still a call.
            if let selsius_sip::Event::Call(TrunkEvent::Offer { leg, .. }) = event {
                bed.hang_up(leg);
            }
        }
    }
    let request = raw.request("OPTIONS", "", "");
    raw.send(&request).await;
    loop {
        let answer = raw.answer().await;
        if answer.contains("OPTIONS") {
            assert!(answer.starts_with("SIP/2.0 200 "));
            break;
        }
    }
    assert!(bed.handle.figures().malformed > 100, "{:?}", bed.handle.figures());
    bed.hang_up(leg);
    carrier.succeeds().await;
}
