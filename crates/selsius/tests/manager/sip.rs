//! Calls over a SIP trunk, with SIPp as the telephone company, and a phone's voice all the way.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, UdpSocket},
    process::{Child, Command, Stdio},
};

use selsius_client::{AudioSource, Options, Phone};
use selsius_media::tone::detect::Content;
use selsius_station::{Action, Config, ModelClass};
use selsius_wire::value::CallState;

use crate::support::{Manager, PATIENCE, output, until};

const TONE: u16 = 1000;

/// SIPp is there, or it is said that the test is skipped.
fn has_sipp() -> bool {
    let there = Command::new("sipp").arg("-v").output().is_ok();
    if !there {
        eprintln!("skipped: no sipp (Debian: sip-tester)");
    }
    there
}

fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// SIPp with one of its own scenarios and one call; what it hears it says back.
fn sipp(arguments: &[&str], folder: &std::path::Path) -> Child {
    let mut command = Command::new("sipp");
    command.args(arguments).args(["-i", "127.0.0.1", "-m", "1", "-rtp_echo", "-timeout", "40", "-nostdin"]);
    let (out, errors) = (Stdio::piped(), Stdio::piped());
    command
        .env("TERM", "dumb")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(errors)
        .spawn()
        .unwrap()
}

/// A manager with a trunk to this port, and a phone with a tone.
async fn office(top: &std::path::Path, carrier: u16) -> (Manager, Phone, u16) {
    office_with(top, carrier, "").await
}

/// The same with more to say of the trunk.
async fn office_with(top: &std::path::Path, carrier: u16, more: &str) -> (Manager, Phone, u16) {
    let own = free_port();
    let config = top.join("selsius.toml");
    std::fs::write(&config, format!("[sip]\nudp = \"127.0.0.1:{own}\"\n")).unwrap();
    let manager = Manager::start(&top.join("data"), &["--config", config.to_str().unwrap()]);
    manager.apply(&format!(
        r#"
        [settings]
        codecs = ["pcmu"]
        [lines.1001]
        [devices.SEP020000001001]
        model = "7960"
        buttons = [{{ line = "1001" }}]
        [routes."0.X"]
        trunks = ["carrier"]
        [trunks.carrier]
        kind = "sip"
        servers = ["127.0.0.1:{carrier}"]
        {more}
        "#
    ));
    let options = Options { source: AudioSource::Tone(TONE), ..Options::default() };
    let mut phone =
        Phone::start(manager.sccp.into(), Config::new("SEP020000001001", ModelClass::P7960), options);
    until(&mut phone, |now| now.face.registered).await;
    (manager, phone, own)
}

async fn talks(phone: &mut Phone) {
    until(phone, |now| now.face.calls.iter().any(|call| call.state == CallState::Connected)).await;
    // SIPp says back what it hears.
    until(phone, |now| match now.voice.heard {
        Some(Content::Single(peak)) => (peak.frequency - f32::from(TONE)).abs() < 5.0,
        _ => false,
    })
    .await;
}

fn succeeds(sipp: Child) {
    let ended = output(sipp);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[tokio::test]
async fn a_call_goes_out_to_sipp_and_its_echo_is_heard() {
    if !has_sipp() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let (carrier, media) = (free_port(), free_port());
    let waits =
        sipp(&["-sn", "uas", "-p", &carrier.to_string(), "-mp", &(media & !1).to_string()], top.path());
    let (manager, mut phone, _) = office(top.path(), carrier).await;
    phone.act(Action::OffHook).await.unwrap();
    until(&mut phone, |now| now.face.tone.is_some()).await;
    phone.act(Action::Dial("05".into())).await.unwrap();
    talks(&mut phone).await;
    phone.act(Action::OnHook).await.unwrap();
    until(&mut phone, |now| now.face.calls.is_empty()).await;
    succeeds(waits);
    // The record says how what came from the trunk sounded, on the side of the party there.
    let counted = async {
        loop {
            let text = manager.ask(&["calls", "--format", "csv"]);
            let mut rows = csv::Reader::from_reader(text.as_bytes());
            let rows = rows.deserialize().collect::<Result<Vec<BTreeMap<String, String>>, _>>().unwrap();
            if let [row] = &rows[..]
                && !row["called_relayed_mos"].is_empty()
            {
                return row.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let row = tokio::time::timeout(PATIENCE, counted).await.unwrap();
    assert!(row["called_relayed_packets_received"].parse::<u32>().unwrap() > 10, "{row:?}");
    assert!(row["called_relayed_mos"].parse::<f64>().unwrap() > 3.5, "{row:?}");
}

/// A far end that has nothing but Opus (SIPp's own scenario, with another answer).
const OPUS: &str = r#"<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="opus">
  <recv request="INVITE"><action>
    <ereg regexp="96 opus/48000/2" search_in="body" check_it="true" assign_to="1"/>
  </action></recv>
  <Reference variables="1"/>
  <send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=[pid]SIPpTag[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Contact: <sip:[local_ip]:[local_port];transport=[transport]>
    Content-Type: application/sdp
    Content-Length: [len]

    v=0
    o=user1 53655765 2353687637 IN IP[local_ip_type] [local_ip]
    s=-
    c=IN IP[media_ip_type] [media_ip]
    t=0 0
    m=audio [media_port] RTP/AVP 96
    a=rtpmap:96 opus/48000/2
    a=fmtp:96 useinbandfec=1; maxaveragebitrate=20000
  ]]></send>
  <recv request="ACK" optional="true" rtd="true"/>
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

/// The phone speaks µ-law, the carrier Opus, and the phone hears itself through both.
#[tokio::test]
async fn a_call_to_a_carrier_of_opus_is_transcoded() {
    if !has_sipp() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    std::fs::write(top.path().join("opus.xml"), OPUS).unwrap();
    let (carrier, media) = (free_port(), free_port());
    let (port, media) = (carrier.to_string(), (media & !1).to_string());
    let waits = sipp(&["-sf", "opus.xml", "-p", &port, "-mp", &media], top.path());
    let (_manager, mut phone, _) = office_with(top.path(), carrier, "codecs = [\"opus\"]").await;
    phone.act(Action::OffHook).await.unwrap();
    until(&mut phone, |now| now.face.tone.is_some()).await;
    phone.act(Action::Dial("05".into())).await.unwrap();
    talks(&mut phone).await;
    assert_eq!(phone.now().voice.codec.map(|codec| codec.name()), Some("PCMU"));
    phone.act(Action::OnHook).await.unwrap();
    until(&mut phone, |now| now.face.calls.is_empty()).await;
    succeeds(waits);
}

#[tokio::test]
async fn sipp_calls_a_phone_and_hangs_up() {
    if !has_sipp() {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let (carrier, media) = (free_port(), free_port());
    let (_manager, mut phone, own) = office(top.path(), carrier).await;
    let (carrier, media) = (carrier.to_string(), (media & !1).to_string());
    let to = format!("127.0.0.1:{own}");
    let calls =
        sipp(&["-sn", "uac", "-s", "1001", "-d", "3000", "-p", &carrier, "-mp", &media, &to], top.path());
    until(&mut phone, |now| now.face.ringing.is_some()).await;
    phone.act(Action::OffHook).await.unwrap();
    talks(&mut phone).await;
    // The far end hangs up.
    until(&mut phone, |now| now.face.calls.is_empty()).await;
    succeeds(calls);
}

/// Somebody outside calls a number that the manager answers itself. There is no phone in the call, and no address is
/// configured: he is told the one that his calls arrive at, and hears the manager from there.
#[tokio::test]
async fn a_caller_outside_is_answered_at_the_address_that_he_called() {
    let top = tempfile::tempdir().unwrap();
    let config = top.path().join("selsius.toml");
    std::fs::write(&config, format!("[sip]\nudp = \"127.0.0.5:{}\"\n", free_port())).unwrap();
    let own = std::fs::read_to_string(&config).unwrap();
    let own: SocketAddr = own.split('"').nth(1).unwrap().parse().unwrap();
    let manager = Manager::start(&top.path().join("data"), &["--config", config.to_str().unwrap()]);
    manager.apply(
        r#"
        [settings]
        codecs = ["pcmu"]
        [trunks.house]
        kind = "services"
        [routes.1997]
        trunks = ["house"]
        [applications.1997]
        kind = "echo"
        [trunks.carrier]
        kind = "sip"
        allow = ["127.0.0.1/32"]
        "#,
    );
    let patience = |socket: &UdpSocket| socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let (carrier, voice) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    patience(&carrier);
    patience(&voice);
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\n",
        voice.local_addr().unwrap().port()
    );
    let from = carrier.local_addr().unwrap();
    let request = |method: &str, to: &str, kind: &str, body: &str| {
        format!(
            "{method} sip:1997@{own} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{method}\r\nFrom: <sip:1@{from}>;tag=1\r\n\
             To: {to}\r\nCall-ID: 1\r\nCSeq: 1 {}\r\nMax-Forwards: 70\r\nContact: <sip:{from}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            if method == "ACK" { "INVITE" } else { method },
            body.len()
        )
    };
    let invite = request("INVITE", "<sip:1997@h>", "Content-Type: application/sdp\r\n", &sdp);
    let mut buffer = [0; 2048];
    // The manager may not listen yet: the INVITE is sent until it is answered.
    let answer = loop {
        carrier.send_to(invite.as_bytes(), own).unwrap();
        let Ok((length, _)) = carrier.recv_from(&mut buffer) else { continue };
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        assert!(!text.starts_with("SIP/2.0 4"), "{text}");
        if text.starts_with("SIP/2.0 200") {
            break text;
        }
    };
    assert!(answer.contains("c=IN IP4 127.0.0.5\r\n"), "{answer}");
    let to = answer.lines().find_map(|line| line.strip_prefix("To: ")).unwrap();
    carrier.send_to(request("ACK", to, "", "").as_bytes(), own).unwrap();
    let port = answer.lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
    let there: SocketAddr = format!("127.0.0.5:{}", port.split(' ').next().unwrap()).parse().unwrap();
    let mut packet = [0xff; 172];
    packet[..12].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    for number in 0..u8::MAX {
        (packet[3], packet[7]) = (number, number.wrapping_mul(160));
        packet[6] = (u16::from(number) * 160).to_be_bytes()[0];
        voice.send_to(&packet, there).unwrap();
        let (length, heard_from) = voice.recv_from(&mut buffer).unwrap();
        assert_eq!(heard_from, there);
        if length == 172 {
            return;
        }
    }
    panic!("no packet of the size that was agreed on");
}
