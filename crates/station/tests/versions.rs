//! Every protocol version that exists, over bytes: the manager's forms differ, the face is the same.

mod common;

use std::net::Ipv4Addr;

use common::{Phone, manager};
use selsius_station::{Action, Config, MediaOrder, ModelClass};
use selsius_wire::{
    CallInformation, Context, Cut, DEFAULT_LIMIT, Dialect, DisplayLabel, ForwardStatus, ManagerMessage,
    PhoneText, StationMessage, cut,
    message::{DialedNumber, OpenReceiveChannel, RegisterAck, StartMediaTransmission},
    value::{ButtonType, CallState, CallType, Codec, MediaAddress, Number},
};

const VERSIONS: [u8; 16] = [3, 5, 6, 7, 8, 9, 10, 11, 15, 16, 17, 18, 19, 20, 21, 22];
const MODELS: [ModelClass; 5] =
    [ModelClass::P7912, ModelClass::P7960, ModelClass::P7965, ModelClass::P8945, ModelClass::P6901];

/// The manager's end of the wire.
struct Manager {
    dialect: Dialect,
}

impl Manager {
    /// Encodes, cuts, decodes strictly, and hands over.
    fn say(&self, phone: &mut Phone, message: impl Into<ManagerMessage>) {
        let message = message.into();
        let mut bytes = Vec::new();
        self.dialect.encode_manager(&message, &mut bytes);
        let Ok(Cut::Frame { frame, consumed }) = cut(&bytes, DEFAULT_LIMIT) else {
            panic!("{}", message.name())
        };
        assert_eq!(consumed, bytes.len());
        let received = ManagerMessage::decode(frame, phone.station.dialect().context());
        phone.say(received.unwrap_or_else(|error| panic!("{error}")).message);
    }

    /// What the phone sent, after the same way back.
    fn hear(&self, phone: &mut Phone, context: Context) -> Vec<StationMessage> {
        let over_bytes = |message: StationMessage, dialect: &Dialect| {
            let mut bytes = Vec::new();
            dialect.encode_station(&message, &mut bytes);
            let Ok(Cut::Frame { frame, .. }) = cut(&bytes, DEFAULT_LIMIT) else {
                panic!("{}", message.name())
            };
            StationMessage::decode(frame, context).unwrap_or_else(|error| panic!("{error}")).message
        };
        let sent = phone.take_sent();
        let dialect = phone.station.dialect().clone();
        sent.into_iter().map(|message| over_bytes(message, &dialect)).collect()
    }

    /// Answers in meanings, which become this version's forms.
    fn answer(&self, message: &StationMessage) -> Vec<ManagerMessage> {
        let dialect = &self.dialect;
        match message {
            StationMessage::LineStatReq(ask) => {
                vec![dialect.line_status(ask.line_number, "1001", "Zoë", "My line")]
            }
            StationMessage::SpeedDialStatReq(ask) => {
                vec![dialect.speed_dial_status(ask.speed_dial_number, "2001", "Zoë")]
            }
            StationMessage::ServiceUrlStatReq(ask) => {
                vec![dialect.service_url_status(ask.service_url_index, "http://example.org/", "News")]
            }
            StationMessage::FeatureStatReq(ask) => {
                vec![dialect.feature_status(ask.feature_index, ButtonType::Feature, "Privacy", 1)]
            }
            StationMessage::ForwardStatReq(ask) => vec![dialect.forward_status(&ForwardStatus {
                line: ask.line_number,
                all: Some("3001".into()),
                busy: None,
                no_answer: None,
            })],
            other => manager::answer(other),
        }
    }
}

fn registered(model: ModelClass, version: u8) -> (Phone, Manager) {
    let mut config = Config::new("SEP001122334455", model);
    config.version = version;
    let mut phone = Phone::connected(config);
    let mut manager = Manager { dialect: Dialect::default() };
    loop {
        let sent = manager.hear(&mut phone, manager.dialect.context());
        if sent.is_empty() {
            break;
        }
        for message in &sent {
            if let StationMessage::Register(register) = message {
                manager.dialect =
                    Dialect::negotiate(register.protocol_ver, register.features, register.device_type);
                let ack = RegisterAck { keep_alive_interval: 30, ..Default::default() };
                let ack = manager.dialect.register_ack(ack);
                manager.say(&mut phone, ack);
                manager.say(&mut phone, selsius_wire::message::CapabilitiesReq);
                continue;
            }
            for answer in manager.answer(message) {
                manager.say(&mut phone, answer);
            }
        }
    }
    (phone, manager)
}

#[test]
fn every_class_at_every_version_shows_the_same() {
    for model in MODELS {
        for version in VERSIONS {
            let (mut phone, manager) = registered(model, version);
            let what = format!("{model:?} at version {version}");
            let face = phone.face();
            assert!(face.registered, "{what}");
            assert_eq!(phone.station.dialect().version(), version, "{what}");
            assert_eq!(phone.station.dialect().features(), manager.dialect.features(), "{what}");
            let line = face.line(1).expect("line 1");
            assert_eq!((&*line.number, &*line.name, &*line.label), ("1001", "Zoë", "My line"), "{what}");
            if !matches!(model, ModelClass::P7912) {
                assert_eq!(line.forward_all, "3001", "{what}");
            }

            // An incoming call of somebody with an umlaut.
            manager.say(&mut phone, manager::state(CallState::RingIn, 1, 7));
            let from = PhoneText::label(DisplayLabel::From).then_text("Jürg");
            manager.say(&mut phone, manager.dialect.prompt(0, 1, 7, &from));
            manager.say(&mut phone, manager.dialect.priority_notify(10, 5, &from));
            manager.say(&mut phone, manager.dialect.notify(10, &PhoneText::from("note")));
            manager.say(
                &mut phone,
                manager.dialect.call_info(&CallInformation {
                    line: 1,
                    call: 7,
                    call_type: CallType::Inbound,
                    calling_name: "Jürg".into(),
                    calling_number: "1003".into(),
                    called_name: "Zoë".into(),
                    called_number: "1001".into(),
                    last_redirecting_number: "1009".into(),
                    ..CallInformation::default()
                }),
            );
            let face = phone.face();
            assert_eq!((&*face.prompt, face.notify.as_deref()), ("From Jürg", Some("From Jürg")), "{what}");
            let call = face.selected().expect("the call");
            assert_eq!((&*call.calling_name, &*call.calling_number), ("Jürg", "1003"), "{what}");
            assert_eq!((&*call.called_name, &*call.called_number), ("Zoë", "1001"), "{what}");
            assert_eq!(&*call.last_redirecting_number, "1009", "{what}");

            // Voice, and the acknowledgements on their way back.
            manager.hear(&mut phone, manager.dialect.context());
            let address = MediaAddress::from(Ipv4Addr::new(10, 0, 0, 9));
            manager.say(
                &mut phone,
                OpenReceiveChannel {
                    conference_id: 70,
                    pass_through_party_id: 5,
                    milli_second_packet_size: 20,
                    compression_type: Codec::G711Alaw64k,
                    call_reference: 7,
                    ..Default::default()
                },
            );
            manager.say(
                &mut phone,
                StartMediaTransmission {
                    conference_id: 70,
                    pass_through_party_id: 5,
                    remote_ip_addr: address,
                    remote_port_number: 4000,
                    milli_second_packet_size: 20,
                    compression_type: Codec::G711Alaw64k,
                    call_reference: 7,
                    ..Default::default()
                },
            );
            let orders = phone.take_orders();
            assert!(
                matches!(
                    &orders[..],
                    [MediaOrder::OpenReceive { party: 5, call: 7, .. }, MediaOrder::StartTransmit { party: 5, remote, .. }]
                        if *remote == ([10, 0, 0, 9], 4000).into()
                ),
                "{what}: {orders:?}"
            );
            let heard = manager.hear(&mut phone, manager.dialect.context());
            let StationMessage::OpenReceiveChannelAck(ack) = &heard[0] else { panic!("{what}: {heard:?}") };
            assert_eq!(
                (ack.ip_addr.ip, ack.port_number),
                (Ipv4Addr::new(10, 0, 0, 7).into(), 16384),
                "{what}"
            );
            assert_eq!(ack.pass_through_party_id, 5, "{what}");
            assert_eq!(heard.len(), if version >= 17 { 2 } else { 1 }, "{what}: {heard:?}");

            let number =
                DialedNumber { dialed_number: Number::new("1002"), line_instance: 1, call_reference: 7 };
            manager.say(&mut phone, number);
            assert_eq!(phone.face().dialed, "1002", "{what}");
            manager.say(&mut phone, manager::state(CallState::OnHook, 1, 7));
            phone.act(Action::Dial("1002".into()));
            let heard = manager.hear(&mut phone, manager.dialect.context());
            let [StationMessage::EnblocCall(call)] = &heard[..] else { panic!("{what}: {heard:?}") };
            let line = if (5..=7).contains(&version) { 0 } else { 1 };
            assert_eq!(
                (call.called_party.to_string().as_str(), call.line_instance),
                ("1002", line),
                "{what}"
            );
            let counts = phone.station.counts();
            assert_eq!((counts.unknown, counts.unexpected, counts.unanswered), (0, 0, 0), "{what}");
        }
    }
}
