//! Accounts: registrations, credentials both ways, probes, several servers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::{Bed, Carrier, Sipp, free_port, has_sipp, header};
use selsius_exchange::TrunkEvent;
use selsius_sip::{Event, TrunkConfig, TrunkStatus};
use tokio::net::UdpSocket;

fn account(port: u16) -> TrunkConfig {
    TrunkConfig {
        port: Some(port),
        user: Some("office".into()),
        password: Some("secret".into()),
        ..TrunkConfig::peer("carrier", "127.0.0.1")
    }
}

async fn status(bed: &mut Bed) -> TrunkStatus {
    match bed.event().await {
        Event::Trunk { status, .. } => status,
        other => panic!("{other:?}"),
    }
}

fn parameter<'a>(credentials: &'a str, name: &str) -> &'a str {
    let (_, rest) = credentials.split_once(&format!("{name}=\"")).unwrap();
    rest.split('"').next().unwrap()
}

/// The MD5 of a text, by somebody else's program.
fn md5(text: &str) -> String {
    use std::io::Write;
    let mut child = std::process::Command::new("md5sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()[..32].to_string()
}

/// The response of RFC 7616 section 3.4.1.
fn digest(credentials: &str, method: &str) -> String {
    let secret = md5("office:carrier:secret");
    let asked = md5(&format!("{method}:{}", parameter(credentials, "uri")));
    md5(&format!("{secret}:abc:00000001:{}:auth:{asked}", parameter(credentials, "cnonce")))
}

#[tokio::test]
async fn a_trunk_registers_and_leaves() {
    let (carrier, port) = Carrier::new().await;
    let mut bed = Bed::with(TrunkConfig { register: true, ..account(port) }).await;
    let challenge = "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth\"\r\n";
    let first = carrier.answers("REGISTER", "401 Unauthorized", challenge, "").await;
    assert_eq!(header(&first, "Expires"), "3600");
    let second = carrier.answers("REGISTER", "423 Interval Too Brief", "Min-Expires: 7200\r\n", "").await;
    let credentials = header(&second, "Authorization");
    assert_eq!(parameter(credentials, "response"), digest(credentials, "REGISTER"));
    let third = carrier.answers("REGISTER", "200 OK", "Expires: 7200\r\n", "").await;
    assert_eq!(header(&third, "Expires"), "7200");
    assert_eq!(status(&mut bed).await, TrunkStatus::Up);
    drop(bed);
    let last = carrier.answers("REGISTER", "200 OK", "", "").await;
    assert_eq!(header(&last, "Expires"), "0");
}

#[tokio::test]
async fn a_call_shows_its_credentials() {
    let (carrier, port) = Carrier::new().await;
    let mut bed = Bed::with(account(port)).await;
    let leg = bed.call("+4930555", true);
    let challenge = "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"abc\", qop=\"auth,auth-int\"\r\n";
    carrier.answers("INVITE", "407 Proxy Authentication Required", challenge, "").await;
    let sdp =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
    let contact = format!("Contact: <sip:127.0.0.1:{port}>\r\nContent-Type: application/sdp\r\n");
    let second = carrier.answers("INVITE", "200 OK", &contact, sdp).await;
    let credentials = header(&second, "Proxy-Authorization");
    assert_eq!(parameter(credentials, "response"), digest(credentials, "INVITE"));
    assert_eq!(header(&second, "CSeq"), "2 INVITE");
    assert!(matches!(bed.settles().await, TrunkEvent::Answered { .. }));
    let (ack, _) = carrier.hear().await;
    // The first ACK was for the 407; this one repeats the credentials (RFC 3261 section 22.1).
    assert!(ack.starts_with("ACK ") && header(&ack, "Proxy-Authorization") == credentials, "{ack}");
    bed.hang_up(leg);
    let challenge = challenge.replace("abc", "def");
    carrier.answers("BYE", "407 Proxy Authentication Required", &challenge, "").await;
    let bye = carrier.answers("BYE", "200 OK", "", "").await;
    assert!(header(&bye, "Proxy-Authorization").contains("nonce=\"def\""), "{bye}");
}

#[tokio::test]
async fn callers_from_anywhere_need_the_password() {
    let trunk = TrunkConfig { authenticate: true, ..account(5060) };
    let strangers = TrunkConfig { servers: vec!["192.0.2.1".into()], ..trunk };
    let mut bed = Bed::with(strangers).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(bed.address()).await.unwrap();
    let own = socket.local_addr().unwrap();
    let caller = Carrier::by(socket);
    let mut number = 0;
    for (secret, expected) in [("guessed", "SIP/2.0 401 "), ("secret", "SIP/2.0 1")] {
        let mut credentials = String::new();
        let mut heard = String::new();
        for _ in 0..2 {
            number += 1;
            let invite = format!(
                "INVITE sip:200@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK{number};rport\r\n\
                 From: <sip:a@{own}>;tag={secret}\r\nTo: <sip:200@127.0.0.1>\r\nCall-ID: {secret}\r\n\
                 CSeq: {number} INVITE\r\nContact: <sip:a@{own}>\r\n{credentials}Content-Length: 0\r\n\r\n"
            );
            caller.send(&invite).await;
            heard = loop {
                let (heard, _) = caller.hear().await;
                let this = header(&heard, "CSeq") == format!("{number} INVITE");
                // 100 comes to all of them.
                if this && !heard.starts_with("SIP/2.0 100")
                    || heard.starts_with("SIP/2.0 1") && !credentials.is_empty() && secret == "secret"
                {
                    break heard;
                }
            };
            let asked = heard.lines().find(|line| line.contains("algorithm=MD5"));
            if let Some(asked) = asked {
                assert!(heard.contains("algorithm=SHA-256"));
                let (realm, nonce) = (parameter(asked, "realm"), parameter(asked, "nonce"));
                let known = md5(&format!("office:{realm}:{secret}"));
                let response =
                    md5(&format!("{known}:{nonce}:00000001:c:auth:{}", md5("INVITE:sip:200@127.0.0.1")));
                credentials = format!(
                    "Authorization: Digest username=\"office\", realm=\"{realm}\", nonce=\"{nonce}\", \
                     uri=\"sip:200@127.0.0.1\", response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\"\r\n"
                );
            }
        }
        assert!(heard.starts_with(expected), "{heard}");
    }
    assert!(matches!(bed.happens().await, TrunkEvent::Offer { .. }));
    assert_eq!(bed.handle.figures().unauthorized, 1);
    assert!(bed.events.try_recv().is_err());
}

#[tokio::test]
async fn nothing_remains_of_trunks_that_are_stopped() {
    let (carrier, port) = Carrier::new().await;
    let trunk = TrunkConfig { servers: vec!["localhost".into()], register: true, ..account(port) };
    let mut bed = Bed::with(trunk).await;
    carrier.answers("REGISTER", "200 OK", "", "").await;
    assert_eq!(status(&mut bed).await, TrunkStatus::Up);
    // One call that nobody has answered, one that is cancelled, one to which nothing was said.
    for _ in 0..3 {
        bed.call("5", true);
    }
    carrier.answers("INVITE", "180 Ringing", "", "").await;
    assert!(matches!(bed.happens().await, TrunkEvent::Progress { .. }));
    drop(bed);
    let tasks = tokio::runtime::Handle::current().metrics();
    let none = async {
        while tasks.num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    };
    assert!(
        tokio::time::timeout(Duration::from_secs(10), none).await.is_ok(),
        "{} tasks go on",
        tasks.num_alive_tasks()
    );
}

#[tokio::test]
async fn a_server_is_found_by_its_name_and_asked_whether_it_lives() {
    let (carrier, port) = Carrier::new().await;
    let trunk = TrunkConfig {
        servers: vec!["localhost".into()],
        probe: Some(Duration::from_secs(60)),
        ..account(port)
    };
    let mut bed = Bed::with(trunk).await;
    carrier.answers("OPTIONS", "404 Not Found", "", "").await;
    assert_eq!(status(&mut bed).await, TrunkStatus::Up);
    let leg = bed.call("5", true);
    let invite = carrier.answers("INVITE", "486 Busy Here", "", "").await;
    assert!(invite.starts_with(&format!("INVITE sip:5@localhost:{port} SIP/2.0")), "{invite}");
    let cause = selsius_exchange::record::EndCause::Busy;
    assert_eq!(bed.settles().await, TrunkEvent::HungUp { leg, cause });
}

#[tokio::test]
async fn a_trunk_that_does_not_answer_is_down_and_comes_up_by_its_second_server() {
    if !has_sipp() {
        return;
    }
    let port = free_port();
    let carrier = Sipp::waits("uas-answer", port, &[]);
    // Nobody is at 127.0.0.7: streams fail at once there, which is what a probe by TCP learns.
    let trunk = TrunkConfig {
        servers: vec!["127.0.0.7".into(), "127.0.0.1".into()],
        port: Some(port),
        ..TrunkConfig::peer("carrier", "")
    };
    let mut bed = Bed::with(TrunkConfig {
        transport: selsius_sip::Transport::Tcp,
        probe: Some(Duration::from_secs(60)),
        ..trunk.clone()
    })
    .await;
    assert_eq!(status(&mut bed).await, TrunkStatus::Down);
    let leg = bed.call("1", true);
    assert!(matches!(bed.happens().await, TrunkEvent::HungUp { leg: ended, .. } if ended == leg));
    drop(bed);
    drop(carrier);
    let carrier = Sipp::waits("uas-answer", port, &["-t", "t1"]);
    let mut bed = Bed::with(TrunkConfig { transport: selsius_sip::Transport::Tcp, ..trunk }).await;
    // Its listener may not be there yet.
    let leg = loop {
        let leg = bed.call("+4930555", true);
        match bed.settles().await {
            TrunkEvent::Answered { .. } => break leg,
            TrunkEvent::HungUp { .. } => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    };
    bed.hang_up(leg);
    carrier.succeeds().await;
}
