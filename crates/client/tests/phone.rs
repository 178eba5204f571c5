//! A phone over real sockets, against a manager that the test speaks for.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Manager, PATIENCE, open_receive, start_transmission};
use selsius_client::{
    ActError, AudioSource, Backoff, Connection, End, LinkError, Options, Phone, Ports, Said, Tap, Target,
    Traffic,
};
use selsius_station::{Action, CloseReason, Config, ModelClass, RejectReason};
use selsius_wire::{
    StationMessage,
    message::{
        CloseReceiveChannel, ConnectionStatisticsReq, EncryptionKeyInfo, OpenReceiveChannel, RegisterReject,
        Reset, StartMediaTransmission, StopMediaTransmission, UnregisterAck,
    },
    srtp::{Keys, Suite},
    value::{Codec, MediaStatus, Number, ResetType, StatsProcessing, Text, UnregisterStatus},
};
use tokio::time::timeout;

fn config() -> Config {
    Config::new("SEP020000000001", ModelClass::P7960)
}

fn start(manager: &Manager, options: Options) -> Phone {
    Phone::start(Target::from(manager.address), config(), options)
}

/// Lines that say what was on the wire.
fn tap() -> (Tap, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let tap: Tap = Box::new(move |tapped| {
        let line = match tapped.traffic {
            Traffic::Opened { .. } => "opened".into(),
            Traffic::Message { message: Said::Station(message), bytes } => {
                assert_eq!(u32::from_le_bytes(bytes[8..12].try_into().unwrap()), message.id());
                format!("> {}", message.name())
            }
            Traffic::Message { message: Said::Manager(message), .. } => format!("< {}", message.name()),
            Traffic::Voice { way, .. } => format!("voice {way:?}"),
            Traffic::Closed { way } => format!("closed {way:?}"),
        };
        lines.lock().unwrap().push(line);
    });
    (tap, kept)
}

#[tokio::test]
async fn a_phone_registers_and_leaves() {
    let manager = Manager::listen("127.0.0.1:0").await;
    let (tap, lines) = tap();
    let phone = start(&manager, Options { tap: Some(tap), ..Options::default() });
    let mut session = manager.register().await;
    session.until(|message| matches!(message, StationMessage::CapabilitiesRes(_))).await;
    let leave = tokio::spawn(phone.hang_up_and_leave(PATIENCE));
    session.until(|message| matches!(message, StationMessage::UnregisterReq(_))).await;
    session.tell(UnregisterAck { status: UnregisterStatus::Ok }).await;
    assert_eq!(session.next().await, None);
    assert!(matches!(leave.await.unwrap(), End::Closed(CloseReason::Unregistered)));
    let lines = lines.lock().unwrap();
    assert_eq!(lines[..3], ["opened", "> Alarm", "> Register"]);
    assert_eq!(lines[lines.len() - 3..], ["> UnregisterReq", "< UnregisterAck", "closed Sent"]);
}

#[tokio::test]
async fn encrypted_voice_is_heard_by_its_keys_only() {
    let keys = |byte| Keys::random(Suite::AesCm128HmacSha1_32, |bytes| bytes.fill(byte)).for_phone().unwrap();
    for (hears, sends) in [(keys(1), keys(1)), (keys(1), keys(2)), (keys(1), EncryptionKeyInfo::default())] {
        let manager = Manager::listen("127.0.0.1:0").await;
        let options = Options { source: AudioSource::Tone(440), ..Options::default() };
        let mut phone = start(&manager, options);
        let mut session = manager.register().await;
        let codec = Codec::G711Ulaw64k;
        session.tell(OpenReceiveChannel { encryption: hears, ..open_receive(5, codec) }).await;
        let ack = session.until(|message| matches!(message, StationMessage::OpenReceiveChannelAck(_))).await;
        let StationMessage::OpenReceiveChannelAck(ack) = ack else { unreachable!() };
        // To itself.
        let to = (manager.address.ip(), u16::try_from(ack.port_number).unwrap()).into();
        let order = StartMediaTransmission { encryption: sends, ..start_transmission(5, to, codec) };
        session.tell(order).await;
        if hears == sends {
            let now = timeout(PATIENCE, phone.wait_until(|now| now.voice.hears(440))).await.unwrap().unwrap();
            assert_eq!(now.voice.refused, 0);
        } else {
            let now =
                timeout(PATIENCE, phone.wait_until(|now| now.voice.refused > 20)).await.unwrap().unwrap();
            assert_eq!(now.voice.received.packets, 0);
        }
        phone.stop().await;
    }
}

#[tokio::test]
async fn voice_goes_out_and_comes_in_and_is_counted() {
    for (address, codec) in [("127.0.0.1:0", Codec::G711Ulaw64k), ("127.0.0.1:0", Codec::G711Alaw64k)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("heard.wav");
        let manager = Manager::listen(address).await;
        let (tap, lines) = tap();
        let options = Options {
            source: AudioSource::Tone(440),
            record: Some(file.clone()),
            tap: Some(tap),
            ..Options::default()
        };
        let mut phone = start(&manager, options);
        let mut session = manager.register().await;

        // The phone is told to send to itself, on the port that it opened.
        session.tell(open_receive(5, codec)).await;
        let ack = session.until(|message| matches!(message, StationMessage::OpenReceiveChannelAck(_))).await;
        let StationMessage::OpenReceiveChannelAck(ack) = ack else { unreachable!() };
        assert_eq!((ack.media_reception_status, ack.pass_through_party_id), (MediaStatus::Ok, 5));
        let port = u16::try_from(ack.port_number).unwrap();
        assert_eq!(port % 2, 0);
        session.tell(start_transmission(5, (manager.address.ip(), port).into(), codec)).await;

        let now = timeout(PATIENCE, phone.wait_until(|now| now.voice.hears(440))).await.unwrap().unwrap();
        assert!(now.voice.received.packets >= 10, "{:?}", now.voice);
        assert_eq!(now.voice.received.lost, 0);
        phone.play(AudioSource::Tone(1000)).await.unwrap();
        timeout(PATIENCE, phone.wait_until(|now| now.voice.hears(1000))).await.unwrap().unwrap();

        session
            .tell(StopMediaTransmission { conference_id: 7, pass_through_party_id: 5, ..Default::default() })
            .await;
        session
            .tell(CloseReceiveChannel { conference_id: 7, pass_through_party_id: 5, ..Default::default() })
            .await;
        session
            .tell(ConnectionStatisticsReq {
                directory_num: Number::new("1002"),
                call_reference: 7,
                stats_processing_mode: StatsProcessing::Clear,
            })
            .await;
        let answer =
            session.until(|message| matches!(message, StationMessage::ConnectionStatisticsRes(_))).await;
        let StationMessage::ConnectionStatisticsRes(answer) = answer else { unreachable!() };
        let (sent, received) = (answer.number_packets_sent, answer.number_packets_received);
        assert!(sent >= 20 && sent - received <= 2, "{answer:?}");
        assert_eq!(answer.number_octets_sent, sent * 160);
        assert_eq!(answer.number_packets_lost, 0);
        let tones: Vec<_> = phone.now().voice.tones.iter().map(|tone| tone.content.to_string()).collect();
        assert_eq!(tones, ["440 Hz", "1000 Hz"]);

        assert!(matches!(phone.stop().await, End::Dropped));
        let recorded = AudioSource::open(&file).unwrap();
        assert!(recorded.seconds().unwrap() > 0.3, "{:?}", recorded.seconds());
        let lines = lines.lock().unwrap();
        let count = |what: &str| lines.iter().filter(|line| *line == what).count();
        assert_eq!(count("voice Sent"), usize::try_from(sent).unwrap());
        assert!(count("voice Received") <= count("voice Sent"));
    }
}

#[tokio::test]
async fn what_cannot_be_carried_is_said() {
    let manager = Manager::listen("127.0.0.1:0").await;
    // A range without a single port.
    let _phone = start(&manager, Options { ports: Ports::Range(1..=1), ..Options::default() });
    let mut session = manager.register().await;
    session.tell(open_receive(5, Codec::G711Ulaw64k)).await;
    let ack = session.until(|message| matches!(message, StationMessage::OpenReceiveChannelAck(_))).await;
    let StationMessage::OpenReceiveChannelAck(ack) = ack else { unreachable!() };
    assert_ne!(ack.media_reception_status, MediaStatus::Ok);
}

#[tokio::test]
async fn a_phone_that_is_refused_ends_and_says_why() {
    let manager = Manager::listen("127.0.0.1:0").await;
    let mut phone = start(&manager, Options::default());
    let mut session = manager.accept().await;
    assert_eq!(
        phone.act(Action::Digit(selsius_wire::value::KeypadKey::One)).await,
        Err(ActError::Refused(RejectReason::NotRegistered))
    );
    session.until(|message| matches!(message, StationMessage::Register(_))).await;
    session.tell(RegisterReject { text: Text::new("No such device") }).await;
    assert!(matches!(phone.ended().await, End::Closed(CloseReason::Rejected)));
    let now = phone.now();
    assert_eq!(now.face.reject.as_deref(), Some("No such device"));
    assert_eq!(now.connection, Connection::Down { why: "the manager refused the registration".into() });
    assert!(phone.changed().await.is_ok() && phone.changed().await.is_err());
}

#[tokio::test]
async fn a_phone_comes_back_and_says_why_it_went() {
    let manager = Manager::listen("127.0.0.1:0").await;
    let reconnect = Some(Backoff { first: Duration::from_millis(1), most: Duration::from_millis(1) });
    let _phone = start(&manager, Options { reconnect, ..Options::default() });
    let mut session = manager.register().await;
    session.tell(Reset { reset_type: ResetType::Restart }).await;
    let mut second = manager.accept().await;
    let alarm = second.until(|message| matches!(message, StationMessage::Alarm(_))).await;
    let StationMessage::Alarm(alarm) = alarm else { unreachable!() };
    assert!(alarm.text.to_string().ends_with("Last=Reset-Restart"), "{}", alarm.text);
    drop(second);
    let mut third = manager.accept().await;
    let alarm = third.until(|message| matches!(message, StationMessage::Alarm(_))).await;
    let StationMessage::Alarm(alarm) = alarm else { unreachable!() };
    assert!(alarm.text.to_string().ends_with("Last=CM-closed-TCP"), "{}", alarm.text);
}

#[tokio::test]
async fn no_manager_and_no_sccp_are_told_apart() {
    let manager = Manager::listen("127.0.0.1:0").await;
    let mut phone = start(&manager, Options::default());
    let mut session = manager.accept().await;
    session.raw(b"SIP/2.0 400 Bad Request\r\n").await;
    assert!(matches!(phone.ended().await, End::Lost(LinkError::Frame(_))));

    let target = Target::from(manager.address);
    drop((manager, session));
    let mut phone = Phone::start(target.clone(), config(), Options::default());
    assert!(matches!(phone.ended().await, End::Lost(LinkError::Connect { .. })));
    let Connection::Down { why } = phone.now().connection else { panic!("{:?}", phone.now()) };
    assert!(why.starts_with(&format!("cannot connect to {target}: ")), "{why}");
}

#[tokio::test]
async fn ipv6_works() {
    let manager = Manager::listen("[::1]:0").await;
    let _phone = start(&manager, Options::default());
    let mut session = manager.accept().await;
    let register = session.until(|message| matches!(message, StationMessage::Register(_))).await;
    let StationMessage::Register(register) = register else { unreachable!() };
    assert_eq!(register.station_ipv6_addr, std::net::Ipv6Addr::LOCALHOST);
}
