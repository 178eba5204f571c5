//! Phones of the office: registrations, credentials, calls both ways, what waits for them. One by hand, which says what a test
//! wants, and baresip.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it skips")]

mod common;

use std::{net::SocketAddr, time::Duration};

use common::{Bed, Carrier, LISTENS, header, pcma};
use md5::{Digest, Md5};
use selsius_exchange::{
    TrunkEvent, TrunkLegId, TrunkOrder,
    record::{EndCause, Party},
};
use selsius_sip::{Event, Listener, PhoneTerms, Sip, Transport, TrunkConfig};
use selsius_site::CodecName;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UdpSocket,
};

const PASSWORD: &str = "one two three";

async fn bed(phones: &[&str]) -> Bed {
    let phones = phones.iter().map(|name| TrunkConfig {
        codecs: [CodecName::Pcma].into(),
        ..TrunkConfig::extension(name, PASSWORD)
    });
    let carrier = TrunkConfig::peer("carrier", "192.0.2.1");
    let listeners = [Transport::Udp, Transport::Tcp]
        .map(|transport| Listener { transport, ..Listener::udp("127.0.0.1:0".parse().unwrap()) });
    let (handle, events) =
        Sip::start([carrier].into_iter().chain(phones).collect(), listeners.into()).await.unwrap();
    Bed { handle, events, next: 0 }
}

impl Bed {
    /// The places of the phone that has registered or left.
    async fn places(&mut self) -> (String, Vec<(u64, SocketAddr)>) {
        match self.event().await {
            Event::Phone { phone, contacts } => {
                (phone.to_string(), contacts.iter().map(|contact| (contact.id, contact.address)).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    fn rings(&self, leg: u64, phone: &str, contact: u64) -> TrunkLegId {
        let leg = TrunkLegId(leg);
        self.order(TrunkOrder::Offer {
            leg,
            trunk: phone.into(),
            contact: Some(contact),
            number: "1005".into(),
            calling: Party { number: "1001".into(), name: "Alice".into(), ..Party::default() },
            redirecting: None,
            codecs: vec![CodecName::Pcma],
            packet_ms: 20,
            meet_me: false,
            emergency: false,
            listens: Some(LISTENS.parse().unwrap()),
        });
        leg
    }
}

fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A phone by hand. It says that it is somewhere else than it is, as one behind a translation of addresses does.
struct Phone {
    wire: Carrier,
    own: SocketAddr,
    user: &'static str,
    password: &'static str,
    sequence: u32,
}

const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

impl Phone {
    async fn new(bed: &Bed, user: &'static str, password: &'static str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(bed.address()).await.unwrap();
        let own = socket.local_addr().unwrap();
        Self { wire: Carrier::by(socket), own, user, password, sequence: 0 }
    }

    fn request(&mut self, method: &str, to: &str, call: &str, more: &str, body: &str) -> String {
        self.sequence += 1;
        let (user, own, sequence) = (self.user, self.own, self.sequence);
        let target = to.split(';').next().unwrap();
        format!(
            "{method} sip:{target}@127.0.0.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 10.9.9.9:5060;branch=z9hG4bK{sequence}x{};rport\r\n\
             From: <sip:{user}@127.0.0.1>;tag={call}tag\r\nTo: <sip:{target}@127.0.0.1>{}\r\nCall-ID: {call}\r\n\
             CSeq: {sequence} {method}\r\nContact: <sip:{user}@10.9.9.9:5060>\r\nMax-Forwards: 70\r\n\
             User-Agent: by hand\r\n{more}Content-Length: {}\r\n\r\n{body}",
            own.port(),
            to.split_once(';').map_or_else(String::new, |(_, tag)| format!(";{tag}")),
            body.len()
        )
    }

    /// The final response to a request with this number.
    async fn response(&self, sequence: u32) -> String {
        loop {
            let (heard, _) = self.wire.hear().await;
            let ours = header(&heard, "CSeq").starts_with(&format!("{sequence} "));
            if ours && heard.starts_with("SIP/2.0 ") && !heard.starts_with("SIP/2.0 1") {
                return heard;
            }
        }
    }

    /// Says something, and once more with credentials if it is asked for them. The final response.
    async fn says(&mut self, method: &str, to: &str, call: &str, more: &str, body: &str) -> String {
        let first = self.request(method, to, call, more, body);
        self.wire.send(&first).await;
        let answer = self.response(self.sequence).await;
        if !answer.starts_with("SIP/2.0 401 ") {
            return answer;
        }
        let challenge = answer.lines().find(|line| line.contains("algorithm=MD5")).unwrap();
        let (_, nonce) = challenge.split_once("nonce=\"").unwrap();
        let nonce = nonce.split('"').next().unwrap();
        let (user, password) = (self.user, self.password);
        let secret = md5(&format!("{user}:selsius:{password}"));
        let asked = md5(&format!("{method}:sip:office"));
        let response = md5(&format!("{secret}:{nonce}:00000001:c:auth:{asked}"));
        let more = format!(
            "Authorization: Digest username=\"{user}\", realm=\"selsius\", nonce=\"{nonce}\", uri=\"sip:office\", \
             response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\"\r\n{more}"
        );
        let second = self.request(method, to, call, &more, body);
        self.wire.send(&second).await;
        if method == "INVITE" {
            return String::new();
        }
        self.response(self.sequence).await
    }

    async fn registers(&mut self, expires: &str) -> String {
        self.says("REGISTER", self.user, "registration", &format!("Expires: {expires}\r\n"), "").await
    }
}

fn code(response: &str) -> &str {
    response.split(' ').nth(1).unwrap()
}

#[tokio::test]
async fn a_phone_registers_and_calls_find_it_where_it_is() {
    let mut bed = bed(&["ANNA"]).await;
    let mut anna = Phone::new(&bed, "anna", PASSWORD).await;
    let registered = anna.registers("9999").await;
    assert_eq!(code(&registered), "200");
    assert_eq!(header(&registered, "Contact"), "<sip:anna@10.9.9.9:5060>;expires=300");
    assert_eq!(bed.places().await, ("ANNA".into(), vec![(1, anna.own)]));

    let leg = bed.rings(2, "ANNA", 1);
    let contact = "Contact: <sip:anna@10.9.9.9:5060>\r\nContent-Type: application/sdp\r\n";
    let invite = anna.wire.answers("INVITE", "200 OK", contact, SDP).await;
    assert!(invite.starts_with("INVITE sip:anna@10.9.9.9:5060 SIP/2.0\r\n"), "{invite}");
    assert!(header(&invite, "From").starts_with("\"Alice\" <sip:1001@127.0.0.1:"), "{invite}");
    assert!(header(&invite, "To").starts_with("<sip:1005@127.0.0.1:"), "{invite}");
    let answered = bed.settles().await;
    assert!(matches!(&answered, TrunkEvent::Answered { leg: heard, .. } if *heard == leg), "{answered:?}");
    bed.hang_up(leg);
    // All of it goes where the phone is, not where it says that it is.
    anna.wire.answers("BYE", "200 OK", "", "").await;

    assert_eq!(code(&anna.registers("0").await), "200");
    assert_eq!(bed.places().await, ("ANNA".into(), vec![]));
    // The place is gone: who calls it is told so at once.
    let leg = bed.rings(4, "ANNA", 1);
    assert_eq!(bed.settles().await, TrunkEvent::HungUp { leg, cause: EndCause::Unregistered });
}

#[tokio::test]
async fn a_phone_calls_with_its_password_only() {
    let mut bed = bed(&["ANNA"]).await;
    let mut anna = Phone::new(&bed, "anna", PASSWORD).await;
    let sdp = "Content-Type: application/sdp\r\n";
    // It need not be registered, and nobody believes what it says of itself.
    anna.says("INVITE", "1001", "call1", sdp, SDP).await;
    let TrunkEvent::Offer { leg, trunk, number, .. } = bed.happens().await else { panic!("an offer") };
    assert_eq!((trunk.as_str(), number.as_str()), ("ANNA", "1001"));
    bed.answer(leg);
    let answer = anna.response(anna.sequence).await;
    assert_eq!(code(&answer), "200");

    let mut eve = Phone::new(&bed, "anna", "guessed").await;
    eve.says("INVITE", "1001", "call2", sdp, SDP).await;
    assert_eq!(code(&eve.response(eve.sequence).await), "401");
    // Without any credentials, and with those of no phone.
    let mut nobody = Phone::new(&bed, "nobody", PASSWORD).await;
    let request = nobody.request("INVITE", "1001", "call3", sdp, SDP);
    nobody.wire.send(&request).await;
    assert_eq!(code(&nobody.response(nobody.sequence).await), "401");
    nobody.says("INVITE", "1001", "call4", sdp, SDP).await;
    assert_eq!(code(&nobody.response(nobody.sequence).await), "401");
    assert_eq!(bed.handle.figures().unauthorized, 2);
    // Nobody registers as somebody else.
    let stolen = anna.says("REGISTER", "bert", "stolen", "", "").await;
    assert_eq!(code(&stolen), "403");
    assert!(bed.events.try_recv().is_err());
}

#[tokio::test]
async fn names_that_nobody_has_are_refused_like_wrong_passwords_and_guesses_are_few() {
    let mut bed = bed(&["ANNA", "BERT"]).await;
    let mut answers = Vec::new();
    for (user, call) in [("anna", "same"), ("nobody", "same")] {
        let mut eve = Phone::new(&bed, user, "guessed").await;
        let answer = eve.says("REGISTER", user, call, "", "").await;
        let shape = |line: &str| line.split([' ', ':', '=']).take(2).collect::<Vec<_>>().join(" ");
        answers.push(answer.lines().map(shape).collect::<Vec<_>>());
        assert!(!answer.contains("stale"), "{answer}");
    }
    assert_eq!(answers[0], answers[1]);

    let mut bert = Phone::new(&bed, "bert", PASSWORD).await;
    assert_eq!(code(&bert.registers("60").await), "200");
    bed.places().await;
    let mut eve = Phone::new(&bed, "anna", "guessed").await;
    let mut refused = 0;
    let late = loop {
        let answer = eve.registers("60").await;
        match code(&answer) {
            "401" => refused += 1,
            _ => break answer,
        }
        assert!(refused < 20, "guesses go on");
    };
    // Two more were made above, one for each name.
    assert_eq!((code(&late), header(&late, "Retry-After"), refused), ("503", "60", 9));
    // Even the right password is not looked at any more; but a phone that is registered from there goes on.
    let mut anna = Phone::new(&bed, "anna", PASSWORD).await;
    assert_eq!(code(&anna.registers("60").await), "503");
    assert_eq!(code(&bert.registers("60").await), "200");
    assert!(bed.handle.figures().throttled >= 2);
}

#[tokio::test]
async fn a_phone_joins_two_calls_of_its_own() {
    let mut bed = bed(&["ANNA"]).await;
    let mut anna = Phone::new(&bed, "anna", PASSWORD).await;
    let sdp = "Content-Type: application/sdp\r\n";
    let mut calls = Vec::new();
    for call in ["one", "two"] {
        anna.says("INVITE", "1001", call, sdp, SDP).await;
        let TrunkEvent::Offer { leg, .. } = bed.happens().await else { panic!("an offer") };
        bed.answer(leg);
        let answer = anna.response(anna.sequence).await;
        let tag = header(&answer, "To").split_once(";tag=").unwrap().1.to_string();
        let number = anna.sequence;
        let ack = anna.request("ACK", &format!("1001;tag={tag}"), call, "", "");
        anna.sequence = number;
        anna.wire
            .send(&ack.replace(&format!("CSeq: {} ACK", number + 1), &format!("CSeq: {number} ACK")))
            .await;
        calls.push((leg, tag));
    }
    let (first, first_tag) = calls[0].clone();
    let (second, second_tag) = calls[1].clone();
    let refer = format!(
        "Refer-To: <sip:1002@127.0.0.1?Replaces=two%3Bto-tag%3D{second_tag}%3Bfrom-tag%3Dtwotag>\r\n"
    );
    let request = anna.request("REFER", &format!("1001;tag={first_tag}"), "one", &refer, "");
    anna.wire.send(&request).await;
    assert_eq!(code(&anna.response(anna.sequence).await), "202");
    anna.wire.answers("NOTIFY", "200 OK", "", "").await;
    assert_eq!(bed.settles().await, TrunkEvent::Join { leg: first, with: second });
    // The exchange takes it out of both.
    bed.hang_up(first);
    bed.hang_up(second);
    let notify = anna.wire.answers("NOTIFY", "200 OK", "", "").await;
    assert!(notify.ends_with("SIP/2.0 200 OK\r\n"), "{notify}");
}

#[tokio::test]
async fn a_phone_is_told_what_waits_for_it() {
    let mut bed = bed(&["ANNA"]).await;
    let messages = |new, old| TrunkOrder::Messages { phone: "ANNA".parse().unwrap(), new, old };
    let mut anna = Phone::new(&bed, "anna", PASSWORD).await;
    anna.registers("60").await;
    bed.places().await;
    // One that has not subscribed is told when there is something.
    bed.order(messages(0, 0));
    bed.order(messages(2, 1));
    let notify = anna.wire.answers("NOTIFY", "200 OK", "", "").await;
    assert_eq!(header(&notify, "Event"), "message-summary");
    assert!(notify.contains("\r\nVoice-Message: 2/1 (0/0)\r\n"), "{notify}");
    assert_eq!(code(&anna.says("SUBSCRIBE", "anna", "s", "Event: presence\r\n", "").await), "489");
    let more = "Event: message-summary\r\nExpires: 600\r\n";
    let subscribed = anna.says("SUBSCRIBE", "anna", "s", more, "").await;
    assert_eq!((code(&subscribed), header(&subscribed, "Expires")), ("200", "600"));
    let notify = anna.wire.answers("NOTIFY", "200 OK", "", "").await;
    assert!(header(&notify, "Subscription-State").starts_with("active;expires="), "{notify}");
    bed.order(messages(0, 3));
    let notify = anna.wire.answers("NOTIFY", "200 OK", "", "").await;
    assert!(
        notify.contains("Messages-Waiting: no\r\n") && notify.contains("Voice-Message: 0/3 (0/0)"),
        "{notify}"
    );
    // Enough of it.
    let tag = header(&subscribed, "To").split_once(";tag=").unwrap().1.to_string();
    let more = "Event: message-summary\r\nExpires: 0\r\n";
    let request = anna.request("SUBSCRIBE", &format!("anna;tag={tag}"), "s", more, "");
    anna.wire.send(&request).await;
    let last = anna.wire.answers("NOTIFY", "200 OK", "", "").await;
    assert_eq!(header(&last, "Subscription-State"), "terminated;reason=timeout");
}

#[tokio::test]
async fn a_stream_that_a_phone_has_opened_is_used_for_calls_to_it() {
    let mut bed = bed(&["ANNA"]).await;
    let address = bed.handle.addresses()[1].1;
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let own = stream.local_addr().unwrap();
    let mut phone = Phone::new(&bed, "anna", PASSWORD).await;
    let mut buffer = vec![0; 8192];
    let mut response = String::new();
    // By datagrams the phone by hand asks; here the same texts go by the stream.
    for _ in 0..2 {
        let credentials = response.lines().find(|line| line.contains("algorithm=MD5")).map(|challenge| {
            let nonce = challenge.split_once("nonce=\"").unwrap().1.split('"').next().unwrap();
            let secret = md5(&format!("anna:selsius:{PASSWORD}"));
            let asked = md5("REGISTER:sip:office");
            let response = md5(&format!("{secret}:{nonce}:00000001:c:auth:{asked}"));
            format!(
                "Authorization: Digest username=\"anna\", realm=\"selsius\", nonce=\"{nonce}\", uri=\"sip:office\", \
                 response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\"\r\n"
            )
        });
        let text = phone.request("REGISTER", "anna", "r", &credentials.unwrap_or_default(), "");
        stream.write_all(text.replace("SIP/2.0/UDP", "SIP/2.0/TCP").as_bytes()).await.unwrap();
        let length = stream.read(&mut buffer).await.unwrap();
        response = String::from_utf8(buffer[..length].to_vec()).unwrap();
    }
    assert_eq!(code(&response), "200");
    assert_eq!(bed.places().await, ("ANNA".into(), vec![(1, own)]));
    bed.rings(2, "ANNA", 1);
    let length = stream.read(&mut buffer).await.unwrap();
    let invite = String::from_utf8(buffer[..length].to_vec()).unwrap();
    assert!(invite.starts_with("INVITE sip:anna@10.9.9.9:5060 "), "{invite}");
    // Without the stream the phone is nowhere: at the latest when what is old is thrown away.
    drop(stream);
    let gone = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            if let Event::Phone { contacts, .. } = bed.events.recv().await.unwrap() {
                return contacts.len();
            }
        }
    });
    assert_eq!(gone.await.unwrap(), 0);
}

#[tokio::test]
async fn a_phone_may_be_where_a_trunk_is() {
    let phone =
        TrunkConfig { phone: Some(PhoneTerms { contacts: 1 }), ..TrunkConfig::extension("ANNA", PASSWORD) };
    let carrier = TrunkConfig::peer("carrier", "127.0.0.1");
    let listener = Listener::udp("127.0.0.1:0".parse().unwrap());
    let (handle, events) = Sip::start(vec![carrier, phone], vec![listener]).await.unwrap();
    let mut bed = Bed { handle, events, next: 0 };
    let sdp = "Content-Type: application/sdp\r\n";
    // The trunk's own calls need no password.
    let mut carrier = Phone::new(&bed, "4930", "").await;
    let invite = carrier.request("INVITE", "1001", "trunk", sdp, SDP);
    carrier.wire.send(&invite).await;
    let TrunkEvent::Offer { trunk, .. } = bed.happens().await else { panic!("an offer") };
    assert_eq!(trunk, "carrier");
    // A phone that is registered is asked for it.
    let mut anna = Phone::new(&bed, "anna", PASSWORD).await;
    anna.registers("60").await;
    bed.places().await;
    anna.says("INVITE", "1001", "phone", sdp, SDP).await;
    let TrunkEvent::Offer { trunk, .. } = bed.happens().await else { panic!("an offer") };
    assert_eq!(trunk, "ANNA");
}

/// A baresip in a folder of its own, which answers and can be told to call.
struct Baresip {
    _folder: tempfile::TempDir,
    _child: tokio::process::Child,
    control: SocketAddr,
}

impl Baresip {
    fn is_there() -> bool {
        let modules = std::path::Path::new("/usr/lib/baresip/modules/aubridge.so").is_file();
        let found = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("baresip").is_file()));
        if !(found && modules) {
            eprintln!("skipped: baresip is not installed (Debian package baresip-core)");
        }
        found && modules
    }

    fn new(server: SocketAddr, transport: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = common::free_port();
        let control = SocketAddr::from(([127, 0, 0, 1], port));
        let config = format!(
            "sip_listen 127.0.0.1:0\nmodule_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aubridge.so\n\
             module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\n\
             module_app ctrl_tcp.so\nctrl_tcp_listen {control}\naudio_source aubridge,echo\naudio_player aubridge,echo\n\
             rtp_ports 20000-29998\n"
        );
        std::fs::write(folder.path().join("config"), config).unwrap();
        let account = format!(
            "<sip:anna@{server};transport={transport}>;auth_pass=\"{PASSWORD}\";answermode=auto;regint=120;mwi=no\n"
        );
        std::fs::write(folder.path().join("accounts"), account).unwrap();
        let child = tokio::process::Command::new("baresip")
            .args(["-f", folder.path().to_str().unwrap(), "-4"])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { _folder: folder, _child: child, control }
    }

    /// A command of its menu, by JSON in a netstring.
    async fn does(&self, command: &str, parameter: &str) {
        let mut stream = tokio::net::TcpStream::connect(self.control).await.unwrap();
        let text = format!("{{\"command\":\"{command}\",\"params\":\"{parameter}\"}}");
        stream.write_all(format!("{}:{text},", text.len()).as_bytes()).await.unwrap();
        // It tells of other things meanwhile.
        let (mut heard, mut some) = (String::new(), [0; 512]);
        while !heard.contains("\"response\"") {
            let length = stream.read(&mut some).await.unwrap();
            assert!(length > 0, "{heard}");
            heard.push_str(&String::from_utf8_lossy(&some[..length]));
        }
    }
}

#[tokio::test]
async fn baresip_registers_is_called_and_calls() {
    baresip_by("udp").await;
}

#[tokio::test]
async fn baresip_does_so_by_a_stream() {
    baresip_by("tcp").await;
}

async fn baresip_by(transport: &str) {
    if !Baresip::is_there() {
        return;
    }
    let mut bed = bed(&["ANNA"]).await;
    let at = bed.handle.addresses()[usize::from(transport == "tcp")].1;
    let baresip = Baresip::new(at, transport);
    let (phone, places) = bed.places().await;
    assert_eq!((phone.as_str(), places.len()), ("ANNA", 1));
    let leg = bed.rings(2, "ANNA", places[0].0);
    let answered = bed.settles().await;
    let TrunkEvent::Answered { audio, .. } = answered else { panic!("{answered:?}") };
    assert_eq!(audio.codecs, [CodecName::Pcma]);
    bed.hang_up(leg);

    baresip.does("dial", &format!("sip:1001@{at};transport={transport}")).await;
    let TrunkEvent::Offer { leg, trunk, number, .. } = bed.happens().await else { panic!("an offer") };
    assert_eq!((trunk.as_str(), number.as_str()), ("ANNA", "1001"));
    bed.order(TrunkOrder::Ringing { leg });
    bed.answer(leg);
    bed.order(TrunkOrder::Media { leg, audio: pcma(), address: LISTENS.parse().unwrap() });
    tokio::time::timeout(Duration::from_secs(5), baresip.does("hangup", "")).await.unwrap();
    let over = loop {
        if let TrunkEvent::HungUp { leg, .. } = bed.settles().await {
            break leg;
        }
    };
    assert_eq!(over, leg);
    // It leaves in order.
    baresip.does("quit", "").await;
    assert_eq!(bed.places().await, ("ANNA".into(), vec![]));
}
