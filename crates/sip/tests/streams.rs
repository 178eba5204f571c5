//! TCP and TLS, both ways.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it skips")]

mod common;

use std::{net::SocketAddr, process::Stdio, time::Duration};

use common::{Bed, Sipp, free_port, has_sipp};
use selsius_exchange::TrunkEvent;
use selsius_sip::{Listener, Transport, TrunkConfig};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    time::timeout,
};

/// A certificate for this machine and its key, in PEM.
fn certificate() -> (Vec<u8>, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into(), "localhost".into()]).unwrap();
    (made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes())
}

fn local() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

async fn bed(port: u16, transport: Transport, tls: Option<(Vec<u8>, Vec<u8>)>) -> Bed {
    let trunk = TrunkConfig {
        port: Some(port),
        transport,
        authorities: tls.as_ref().map(|(certificate, _)| certificate.clone()).unwrap_or_default(),
        ..TrunkConfig::peer("carrier", "127.0.0.1")
    };
    let listener = Listener { transport, address: local(), public: None, certificate: tls, tap: None };
    Bed::listening(trunk, vec![listener]).await
}

/// Calls until the carrier listens.
async fn answered(bed: &mut Bed) -> selsius_exchange::TrunkLegId {
    for _ in 0..2000 {
        let leg = bed.call("+4930555", true);
        match bed.settles().await {
            TrunkEvent::Answered { .. } => return leg,
            TrunkEvent::HungUp { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    panic!("the carrier never listens")
}

#[tokio::test]
async fn calls_by_tcp() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let mut bed = bed(port, Transport::Tcp, None).await;
    let carrier = Sipp::waits("uas-answer", port, &["-t", "t1"]);
    let leg = answered(&mut bed).await;
    bed.hang_up(leg);
    carrier.succeeds().await;

    let caller = Sipp::calls("uac-bye", free_port(), bed.address(), &["-t", "t1"]);
    let TrunkEvent::Offer { leg, .. } = bed.happens().await else { panic!("an offer") };
    bed.answer(leg);
    assert!(matches!(bed.happens().await, TrunkEvent::HungUp { .. }));
    caller.succeeds().await;

    // Our BYE takes the stream that the call came by: the caller listens nowhere.
    let caller = Sipp::calls("uac-answer", free_port(), bed.address(), &["-t", "t1"]);
    let TrunkEvent::Offer { leg, .. } = bed.happens().await else { panic!("an offer") };
    bed.order(selsius_exchange::TrunkOrder::Ringing { leg });
    bed.answer(leg);
    bed.hang_up(leg);
    caller.succeeds().await;
}

/// Two of ours call each other.
#[tokio::test]
async fn calls_by_tls() {
    let tls = certificate();
    let mut there = bed(free_port(), Transport::Tls, Some(tls.clone())).await;
    let port = there.address().port();
    let mut here = bed(port, Transport::Tls, Some(tls)).await;
    let leg = here.call("200", true);
    let TrunkEvent::Offer { leg: other, number, .. } = there.happens().await else { panic!("an offer") };
    assert_eq!(number, "200");
    there.answer(other);
    assert!(matches!(here.settles().await, TrunkEvent::Answered { .. }));
    // It goes back by the stream that the call came by: nobody listens at the other's contact.
    there.hang_up(other);
    assert!(matches!(here.happens().await, TrunkEvent::HungUp { leg: ended, .. } if ended == leg));
}

#[tokio::test]
async fn a_server_with_another_certificate_gets_no_call() {
    let mut there = bed(free_port(), Transport::Tls, Some(certificate())).await;
    let mut here = bed(there.address().port(), Transport::Tls, Some(certificate())).await;
    let leg = here.call("200", true);
    let cause = selsius_exchange::record::EndCause::NoTrunk;
    assert_eq!(here.settles().await, TrunkEvent::HungUp { leg, cause });
    assert!(there.events.try_recv().is_err());
}

/// The same with somebody else's TLS (OpenSSL), and a message in pieces.
#[tokio::test]
async fn openssl_is_answered() {
    let tls = certificate();
    let bed = bed(free_port(), Transport::Tls, Some(tls.clone())).await;
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, &tls.0).unwrap();
    let client = tokio::process::Command::new("openssl")
        .args(["s_client", "-quiet", "-verify_return_error", "-verify_ip", "127.0.0.1", "-connect"])
        .arg(bed.address().to_string())
        .arg("-CAfile")
        .arg(&authority)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let Ok(mut client) = client else {
        eprintln!("skipped: openssl is not installed");
        return;
    };
    let request = "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK1\r\n\
                   From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
                   Content-Length: 0\r\n\r\n";
    let mut input = client.stdin.take().unwrap();
    for piece in request.as_bytes().chunks(50) {
        input.write_all(piece).await.unwrap();
        input.flush().await.unwrap();
    }
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let first =
        timeout(Duration::from_secs(15), lines.next_line()).await.expect("an answer").unwrap().unwrap();
    assert_eq!(first, "SIP/2.0 200 OK");
}

#[tokio::test]
async fn nonsense_closes_its_stream_and_no_other() {
    let bed = bed(free_port(), Transport::Tcp, None).await;
    let options = "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\n\
                   From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
                   Content-Length: 0\r\n\r\n";
    let mut good = tokio::net::TcpStream::connect(bed.address()).await.unwrap();
    for nonsense in [
        "x".repeat(200_000),
        "INVITE sip:a SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n".into(),
        "PING sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n".into(),
        format!("INVITE sip:a SIP/2.0\r\n{}\r\n\r\n", "X: y\r\n".repeat(9_000)),
    ] {
        let mut bad = tokio::net::TcpStream::connect(bed.address()).await.unwrap();
        // It may be closed before all of it is sent.
        let _ = bad.write_all(nonsense.as_bytes()).await;
        let mut rest = Vec::new();
        let _ = timeout(Duration::from_secs(10), bad.read_to_end(&mut rest)).await.expect("the end");
    }
    good.write_all(options.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(&mut good).lines();
    let first =
        timeout(Duration::from_secs(10), lines.next_line()).await.expect("an answer").unwrap().unwrap();
    assert_eq!(first, "SIP/2.0 200 OK");
}

/// One that opens a stream and says nothing holds no place for long, and nobody up meanwhile.
#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let bed = bed(free_port(), Transport::Tls, Some(certificate())).await;
    let mut silent = tokio::net::TcpStream::connect(bed.address()).await.unwrap();
    let mut rest = Vec::new();
    let closed = timeout(Duration::from_secs(12), silent.read_to_end(&mut rest)).await;
    assert!(matches!(closed, Ok(Ok(0))), "{closed:?}");
}

/// A stream that brings more than anybody needs is closed; another one is served all the while.
#[tokio::test]
async fn a_flood_is_cut_off_and_others_are_served() {
    let bed = bed(free_port(), Transport::Tcp, None).await;
    let options = |number: usize| {
        format!(
            "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{number}\r\n\
             From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: {number}\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n"
        )
    };
    // It reads nothing of what it is answered.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut flood = socket.connect(bed.address()).await.unwrap();
    let mut good = BufReader::new(tokio::net::TcpStream::connect(bed.address()).await.unwrap());
    let flooding = async {
        let mut sent = 1;
        while flood.write_all(options(sent).as_bytes()).await.is_ok() {
            sent += 1;
        }
    };
    timeout(Duration::from_secs(60), flooding).await.expect("it is cut off");
    good.write_all(options(0).as_bytes()).await.unwrap();
    let mut first = String::new();
    timeout(Duration::from_secs(10), good.read_line(&mut first)).await.expect("an answer").unwrap();
    assert_eq!(first, "SIP/2.0 200 OK\r\n");
}
