//! Encrypted audio all the way: phones with each other, with the manager, and over a trunk with SIPp at its end.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use selsius_client::{AudioSource, Options, Phone, Tapped, Traffic, Way};
use selsius_media::{
    Law, RtpPacket,
    tone::detect::{Content, ToneDetector},
};
use selsius_station::{Action, Config, ModelClass};
use selsius_wire::value::CallState;

use crate::support::{Manager, output, until};

/// What Alice says, and what Bob says.
const ALICE: u16 = 1000;
const BOB: u16 = 1400;

/// What came to a phone's ports: whole datagrams, as they were on the network.
type Heard = Arc<Mutex<Vec<Vec<u8>>>>;

async fn phone(manager: &Manager, name: &str, tone: u16) -> (Phone, Heard) {
    let heard = Heard::default();
    let datagrams = Arc::clone(&heard);
    let tap = move |tapped: Tapped<'_>| {
        if let Traffic::Voice { way: Way::Received, datagram, .. } = tapped.traffic {
            datagrams.lock().unwrap().push(datagram.to_vec());
        }
    };
    let source = AudioSource::Tone(tone);
    let options = Options { source, tap: Some(Box::new(tap)), ..Options::default() };
    let mut phone = Phone::start(manager.sccp.into(), Config::new(name, ModelClass::P7960), options);
    until(&mut phone, |now| now.face.registered).await;
    (phone, heard)
}

/// An office of two phones, each with SRTP or without, and more.
fn office(manager: &Manager, alice: bool, bob: bool, more: &str) {
    manager.apply(&format!(
        r#"
        {more}
        [settings]
        codecs = ["pcmu"]
        [lines.1001]
        [lines.1002]
        [devices.SEP020000001001]
        model = "7960"
        srtp = {alice}
        buttons = [{{ line = "1001" }}]
        [devices.SEP020000001002]
        model = "7960"
        srtp = {bob}
        buttons = [{{ line = "1002" }}]
        "#
    ));
}

async fn hears(phone: &mut Phone, tone: u16) {
    until(phone, |now| now.voice.hears(tone)).await;
}

/// What somebody hears who takes the payload of these datagrams for plain G.711.
fn overheard(datagrams: &Heard) -> (usize, Option<Content>) {
    let mut detector = ToneDetector::new();
    let datagrams = datagrams.lock().unwrap();
    for datagram in datagrams.iter().rev().take(40).rev() {
        let payload = RtpPacket::parse(datagram).unwrap().payload;
        let mut samples = Vec::new();
        Law::Mu.decode(&payload[..160], &mut samples);
        for _ in detector.push(&samples) {}
    }
    let longest = datagrams.iter().map(Vec::len).max().unwrap_or_default();
    (longest, detector.steady().map(|heard| heard.content))
}

async fn talk(alice: &mut Phone, bob: &mut Phone) {
    alice.act(Action::OffHook).await.unwrap();
    until(alice, |now| now.face.tone.is_some()).await;
    alice.act(Action::Dial("1002".into())).await.unwrap();
    until(bob, |now| now.face.ringing.is_some()).await;
    bob.act(Action::OffHook).await.unwrap();
    hears(alice, BOB).await;
    hears(bob, ALICE).await;
}

#[tokio::test]
async fn two_phones_hear_each_other_and_nobody_else_does() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(&top.path().join("data"), &[]);
    for both in [false, true] {
        office(&manager, both, both, "");
        let (mut alice, _) = phone(&manager, "SEP020000001001", ALICE).await;
        let (mut bob, heard) = phone(&manager, "SEP020000001002", BOB).await;
        talk(&mut alice, &mut bob).await;
        let (longest, content) = overheard(&heard);
        if both {
            // A tag of 32 bits more, and noise in place of the tone.
            assert_eq!((longest, content), (176, Some(Content::Other)));
        } else {
            assert_eq!(longest, 172);
            assert!(matches!(content, Some(Content::Single(peak)) if (peak.frequency - 1000.0).abs() < 5.0));
        }
        // After a hold there are other keys.
        alice.act(Action::SoftKey("Hold".into())).await.unwrap();
        until(&mut alice, |now| now.face.calls.iter().any(|call| call.state == CallState::Hold)).await;
        alice.act(Action::SoftKey("Resume".into())).await.unwrap();
        hears(&mut alice, BOB).await;
        hears(&mut bob, ALICE).await;
        assert_eq!(bob.now().voice.refused, 0);
        alice.act(Action::OnHook).await.unwrap();
        until(&mut bob, |now| now.face.calls.is_empty()).await;
    }
}

/// What SIPp says of a call that it gets: it takes the key that it is offered for its own, so that what it says back is encrypted as it
/// has to be.
const ANSWERS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="answers with the key that it is offered">
  <recv request="INVITE">
    <action>
      <ereg regexp="RTP/SAVP" search_in="msg" check_it="true" assign_to="profile"/>
      <ereg regexp="a=crypto:([0-9]+) AES_CM_128_HMAC_SHA1_80 inline:([A-Za-z0-9+/=]+)" search_in="msg" check_it="true"
            assign_to="line,tag,key"/>
    </action>
  </recv>
  <Reference variables="profile,line"/>
  <send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/SAVP 0
a=crypto:[$tag] AES_CM_128_HMAC_SHA1_80 inline:[$key]
a=rtpmap:0 PCMU/8000
]]></send>
  <recv request="ACK"/>
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"#;

/// And of one that it makes, with a key of its own: what it says back is encrypted with another one than it has announced.
const OFFERS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<scenario name="offers a key">
  <send retrans="500"><![CDATA[
INVITE sip:1001@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:99@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:1001@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:99@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/SAVP 0
a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31
a=rtpmap:0 PCMU/8000
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rrs="true">
    <action>
      <ereg regexp="RTP/SAVP 0.*a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:[A-Za-z0-9+/]{40}" search_in="msg" check_it="true"
            assign_to="line"/>
    </action>
  </recv>
  <Reference variables="line"/>
  <send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:99@[local_ip]:[local_port]>;tag=[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Content-Length: 0

]]></send>
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"#;

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// SIPp with this scenario and one call, at a port; what it hears it says back, byte for byte.
fn sipp(folder: &Path, scenario: &str, port: u16, more: &[&str]) -> Child {
    std::fs::write(folder.join("scenario.xml"), scenario).unwrap();
    let (port, media) = (port.to_string(), (free_port() & !1).to_string());
    let mut command = Command::new("sipp");
    command.args(["-sf", "scenario.xml", "-i", "127.0.0.1", "-p", &port, "-mp", &media, "-m", "1"]);
    command.args(["-rtp_echo", "-timeout", "40", "-nostdin"]).args(more).current_dir(folder);
    command
        .env("TERM", "dumb")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A manager with a trunk whose audio is encrypted, its port for SIP, and where its figures are.
fn with_trunk(top: &Path, carrier: u16) -> (Manager, u16, SocketAddr) {
    let own = free_port();
    let metrics = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = top.join("selsius.toml");
    let text = format!("[sip]\nudp = \"127.0.0.1:{own}\"\n[metrics]\nlisten = \"{metrics}\"\n");
    std::fs::write(&config, text).unwrap();
    let manager = Manager::start(&top.join("data"), &["--config", config.to_str().unwrap()]);
    let trunk = format!(
        "[routes.\"0.X\"]\ntrunks = [\"carrier\"]\n[trunks.carrier]\nkind = \"sip\"\n\
         servers = [\"127.0.0.1:{carrier}\"]\nsrtp = \"required\"\n"
    );
    office(&manager, true, false, &trunk);
    (manager, own, metrics)
}

/// Packets that the manager has dropped for this reason.
fn dropped(metrics: SocketAddr, reason: &str) -> u64 {
    let mut connection = TcpStream::connect(metrics).unwrap();
    connection.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut text = String::new();
    connection.read_to_string(&mut text).unwrap();
    let line = format!("selsius_media_packets_dropped_total{{reason=\"{reason}\"}} ");
    text.lines().find_map(|found| found.strip_prefix(&line)).unwrap().parse().unwrap()
}

fn has_sipp() -> bool {
    let there = Command::new("sipp").arg("-v").output().is_ok();
    if !there {
        eprintln!("skipped: no sipp (Debian: sip-tester)");
    }
    there
}

fn succeeds(sipp: Child) {
    let ended = output(sipp);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[tokio::test]
async fn sipp_hears_and_says_what_only_both_sides_can_read() {
    if !has_sipp() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let carrier = free_port();
    let waits = sipp(top.path(), ANSWERS, carrier, &[]);
    let (manager, _, metrics) = with_trunk(top.path(), carrier);
    let (mut alice, heard) = phone(&manager, "SEP020000001001", ALICE).await;
    alice.act(Action::OffHook).await.unwrap();
    until(&mut alice, |now| now.face.tone.is_some()).await;
    alice.act(Action::Dial("05".into())).await.unwrap();
    hears(&mut alice, ALICE).await;
    assert_eq!(overheard(&heard), (176, Some(Content::Other)));
    // What was said back is authentic: the manager has encrypted it with the key that it had offered.
    assert_eq!(dropped(metrics, "forged"), 0);
    alice.act(Action::OnHook).await.unwrap();
    until(&mut alice, |now| now.face.calls.is_empty()).await;
    succeeds(waits);
}

#[tokio::test]
async fn what_sipp_says_with_another_key_than_it_has_announced_is_not_heard() {
    if !has_sipp() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let carrier = free_port();
    let (manager, own, metrics) = with_trunk(top.path(), carrier);
    let (mut alice, _) = phone(&manager, "SEP020000001001", ALICE).await;
    let calls = sipp(top.path(), OFFERS, carrier, &[&format!("127.0.0.1:{own}")]);
    until(&mut alice, |now| now.face.ringing.is_some()).await;
    alice.act(Action::OffHook).await.unwrap();
    until(&mut alice, |now| now.face.calls.iter().any(|call| call.state == CallState::Connected)).await;
    while dropped(metrics, "forged") < 20 {
        tokio::task::yield_now().await;
    }
    assert!(!alice.now().voice.hears(ALICE));
    alice.act(Action::OnHook).await.unwrap();
    until(&mut alice, |now| now.face.calls.is_empty()).await;
    succeeds(calls);
}

#[tokio::test]
async fn the_managers_own_services_are_encrypted_for_who_can() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(&top.path().join("data"), &[]);
    let services = "[trunks.house]\nkind = \"services\"\n[routes.1997]\ntrunks = [\"house\"]\n\
                    [applications.1997]\nkind = \"echo\"\n";
    office(&manager, true, false, services);
    for (name, length) in [("SEP020000001001", 176), ("SEP020000001002", 172)] {
        let (mut caller, heard) = phone(&manager, name, ALICE).await;
        caller.act(Action::OffHook).await.unwrap();
        until(&mut caller, |now| now.face.tone.is_some()).await;
        caller.act(Action::Dial("1997".into())).await.unwrap();
        hears(&mut caller, ALICE).await;
        let (longest, content) = overheard(&heard);
        assert_eq!((longest, content == Some(Content::Other)), (length, length == 176));
        caller.act(Action::OnHook).await.unwrap();
        until(&mut caller, |now| now.face.calls.is_empty()).await;
    }
}
