//! Which form of a message a phone gets: the table of wire-facts, from the outside.

#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "common/sample.rs"]
mod sample;

use common::frame;
use selsius_wire::{
    CallInformation, Codec, DeviceType, Dialect, DisplayLabel, Encoding, Features, LabelSupport,
    ManagerMessage, PhoneText, RawFrame, StationMessage,
    codec::{At, Field, Value, Visitor},
    message, message_info,
};

/// Versions that are spoken.
const VERSIONS: [u8; 16] = [3, 5, 6, 7, 8, 9, 10, 11, 15, 16, 17, 18, 19, 20, 21, 22];

fn dialect(version: u8) -> Dialect {
    Dialect::negotiate(version, Features::default(), DeviceType::Cisco7965)
}

fn to_phone(dialect: &Dialect, message: impl Into<ManagerMessage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    dialect.encode_manager(&message.into(), &mut bytes);
    bytes
}

fn from_phone(dialect: &Dialect, message: impl Into<StationMessage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    dialect.encode_station(&message.into(), &mut bytes);
    bytes
}

#[test]
fn the_lower_version_wins_and_gaps_fall_back() {
    for (offered, settled) in [
        (0, 3),
        (3, 3),
        (4, 3),
        (5, 5),
        (7, 7),
        (11, 11),
        (12, 11),
        (14, 11),
        (15, 15),
        (18, 18),
        (20, 20),
        (22, 22),
        (23, 22),
        (255, 22),
    ] {
        assert_eq!(dialect(offered).version(), settled, "offered {offered}");
    }
    let ata = Dialect::negotiate(7, Features::default(), DeviceType::Ata186);
    assert_eq!(ata.version(), 3);
    assert_eq!(Dialect::default().version(), 0);
}

#[test]
fn features_are_what_both_sides_have() {
    assert_eq!(dialect(3).answer_features(), [0, 0, 0]);
    // 4.1, frame 89.
    assert_eq!(dialect(7).answer_features(), [0, 0, 0xFE]);
    assert_eq!(dialect(9).answer_features(), [0x20, 0xF1, 0xFE]);
    assert_eq!(dialect(17).answer_features(), [0x20, 0xF1, 0xFF]);

    let all = Features([0xFF; 3]);
    let encoding =
        |version, features| Dialect::negotiate(version, features, DeviceType::Cisco7965).encoding();
    assert_eq!(encoding(17, all), Encoding::Utf8);
    assert_eq!(encoding(17, Features([0x20, 0, 0x85])), Encoding::Latin1);
    // The 4.1 answer says nothing of UTF-8.
    assert_eq!(encoding(7, all), Encoding::Latin1);

    let ack =
        dialect(18).register_ack(message::RegisterAck { keep_alive_interval: 30, ..Default::default() });
    assert_eq!((ack.keep_alive_interval, ack.max_protocol_ver, ack.features.0), (30, 18, [0x20, 0xF1, 0xFF]));
}

#[test]
fn lengths_to_the_phone_by_version() {
    let open = || message::OpenReceiveChannel { compression_type: Codec::G711Ulaw64k, ..Default::default() };
    let start = message::StartMediaTransmission::default;
    let rows: [(u8, [usize; 7]); 11] = [
        // Open, start, stop, stop tone, forward, dialled number, statistics.
        (3, [112, 120, 20, 16, 100, 36, 36]),
        (5, [72, 88, 16, 12, 96, 36, 36]),
        (7, [72, 88, 16, 12, 96, 36, 36]),
        (8, [112, 120, 20, 16, 100, 36, 36]),
        (11, [112, 120, 20, 16, 100, 36, 36]),
        (15, [112, 120, 20, 16, 100, 36, 36]),
        (16, [116, 120, 20, 16, 100, 36, 36]),
        (17, [132, 136, 20, 16, 100, 36, 36]),
        (18, [132, 136, 20, 16, 100, 36, 36]),
        (20, [132, 136, 20, 16, 100, 40, 40]),
        (22, [172, 172, 20, 16, 100, 40, 40]),
    ];
    for (version, lengths) in rows {
        let dialect = dialect(version);
        let sent: [ManagerMessage; 7] = [
            open().into(),
            start().into(),
            message::StopMediaTransmission::default().into(),
            message::StopTone::default().into(),
            message::ForwardStat::default().into(),
            message::DialedNumber::default().into(),
            message::ConnectionStatisticsReq::default().into(),
        ];
        for (message, length) in sent.into_iter().zip(lengths) {
            let name = message.name();
            assert_eq!(frame(&to_phone(&dialect, message)).length(), length, "{name} at version {version}");
        }
    }
}

#[test]
fn lengths_from_the_phone_by_version() {
    let register = |version| message::Register { protocol_ver: version, ..Default::default() };
    let rows: [(u8, [usize; 6]); 6] = [
        // Register, on hook, stimulus, en bloc, ack of receive, ack of transmit.
        (3, [72, 12, 20, 32, 24, 28]),
        (7, [56, 4, 16, 28, 20, 28]),
        (11, [128, 12, 16, 32, 24, 28]),
        (17, [128, 12, 20, 32, 40, 44]),
        (20, [128, 12, 20, 36, 40, 44]),
        (22, [128, 12, 20, 36, 40, 44]),
    ];
    for (version, lengths) in rows {
        let dialect = dialect(version);
        let sent: [StationMessage; 6] = [
            register(version).into(),
            message::OnHook::default().into(),
            message::Stimulus::default().into(),
            message::EnblocCall::default().into(),
            message::OpenReceiveChannelAck::default().into(),
            message::StartMediaTransmissionAck::default().into(),
        ];
        for (message, length) in sent.into_iter().zip(lengths) {
            let name = message.name();
            assert_eq!(frame(&from_phone(&dialect, message)).length(), length, "{name} at version {version}");
        }
    }
    assert_eq!(frame(&from_phone(&Dialect::default(), register(0))).length(), 44);
}

#[test]
fn video_and_ports_by_version() {
    for (version, open, port) in [(3, 168, 28), (11, 176, 28), (16, 180, 28), (17, 196, 44), (20, 196, 48)] {
        let dialect = dialect(version);
        let length = |bytes: &[u8]| frame(bytes).length();
        assert_eq!(length(&to_phone(&dialect, message::OpenMultiMediaReceiveChannel::default())), open);
        assert_eq!(length(&from_phone(&dialect, message::PortRes::default())), port, "version {version}");
    }
}

#[test]
fn header_versions_follow_the_session_except_where_they_are_always_0() {
    for (version, header) in [(3, 0), (7, 0), (10, 10), (11, 11), (17, 17), (22, 22)] {
        let dialect = dialect(version);
        let header_of = |bytes: &[u8]| frame(bytes).header_version;
        assert_eq!(header_of(&to_phone(&dialect, message::ClearDisplay)), header);
        assert_eq!(header_of(&from_phone(&dialect, message::TimeDateReq)), header);
        assert_eq!(header_of(&to_phone(&dialect, message::RegisterAck::default())), 0);
        assert_eq!(header_of(&to_phone(&dialect, message::UnregisterAck::default())), 0);
        assert_eq!(header_of(&to_phone(&dialect, message::KeepAliveAck)), 0);
        assert_eq!(header_of(&from_phone(&dialect, message::Register::default())), 0);
        assert_eq!(header_of(&from_phone(&dialect, message::IpPort::default())), 0);
    }
}

#[test]
fn meanings_become_the_message_that_the_phone_knows() {
    let text = PhoneText::label(DisplayLabel::EnterNumber);
    let names = |version, device_type| {
        let dialect = Dialect::negotiate(version, Features::default(), device_type);
        [
            dialect.prompt(0, 1, 2, &text),
            dialect.notify(0, &text),
            dialect.priority_notify(0, 5, &text),
            dialect.call_info(&CallInformation::default()),
            dialect.line_status(1, "1001", "Ann", "Desk"),
            dialect.speed_dial_status(1, "1001", "Ann"),
            dialect.service_url_status(1, "http://x", "X"),
            dialect.feature_status(1, selsius_wire::ButtonType::Feature, "X", 0),
        ]
        .map(|message| message.id())
    };
    let old = [0x112, 0x114, 0x120, 0x8F, 0x92, 0x91, 0x12F, 0x11F];
    assert_eq!(names(3, DeviceType::Cisco7960), old);
    assert_eq!(names(7, DeviceType::Cisco7912), old);
    assert_eq!(names(11, DeviceType::Cisco7970), [0x145, 0x143, 0x144, 0x14A, 0x92, 0x91, 0x148, 0x11F]);
    assert_eq!(names(16, DeviceType::Cisco7965), [0x145, 0x143, 0x144, 0x14A, 0x92, 0x91, 0x148, 0x146]);
    let new = [0x145, 0x143, 0x144, 0x14A, 0x147, 0x149, 0x148, 0x146];
    assert_eq!(names(17, DeviceType::Cisco7965), new);
    assert_eq!(names(22, DeviceType::Cisco8945), new);
    // These know no other LineStat.
    assert_eq!(names(15, DeviceType::Cisco8945), new);
}

#[test]
fn labels_are_what_the_phone_translates() {
    let prompt = |version| {
        let dialect = dialect(version);
        (dialect.labels(), dialect.text_bytes(&PhoneText::label(DisplayLabel::From).then_text("1001")))
    };
    assert_eq!(prompt(0), (LabelSupport::Plain, b"From 1001".to_vec()));
    assert_eq!(prompt(3), (LabelSupport::Set200, b"\x80\x171001".to_vec()));
    assert_eq!(prompt(22), (LabelSupport::All, b"\x80\x171001".to_vec()));
}

#[test]
fn templates_beyond_callmanagers_form_grow() {
    let dialect = dialect(17);
    let button = message::ButtonDefinition::new(1, selsius_wire::ButtonType::SpeedDial);
    let length =
        |count| frame(&to_phone(&dialect, message::ButtonTemplate::new(&vec![button; count]))).length();
    assert_eq!((length(1), length(42), length(43), length(56)), (100, 100, 128, 128));
    let key = message::SoftKeyDefinition::default();
    let length =
        |count| frame(&to_phone(&dialect, message::SoftKeyTemplate::new(&vec![key; count]))).length();
    assert_eq!((length(0), length(32), length(33)), (656, 656, 1296));
    // Unused buttons as CallManager has them.
    let bytes = to_phone(&dialect, message::ButtonTemplate::new(&[]));
    assert!(frame(&bytes).body[12..].chunks(2).all(|slot| slot == [0, 0xFF]));
}

#[test]
fn what_is_sent_is_understood_by_the_other_side() {
    for version in VERSIONS {
        let dialect = dialect(version);
        let wide = Features([0x20, 0xF1, 0xFF]);
        for dialect in [&dialect, &Dialect::negotiate(version, wide, DeviceType::Cisco8945)] {
            for message in sample::manager(dialect) {
                let bytes = to_phone(dialect, message.clone());
                let received = ManagerMessage::decode(frame(&bytes), dialect.context()).unwrap();
                check(&bytes, version);
                // The same again, unless an old form has no room for all of it.
                let again = to_phone(dialect, received.message.clone());
                assert_eq!(again, bytes, "{} at version {version}", message.name());
            }
            for message in sample::station(dialect) {
                let bytes = from_phone(dialect, message.clone());
                let received = StationMessage::decode(frame(&bytes), dialect.context()).unwrap();
                check(&bytes, version);
                if received.message.id() != 1 {
                    assert_eq!(from_phone(dialect, received.message), bytes, "{}", message.name());
                }
            }
        }
    }
}

fn check(bytes: &[u8], version: u8) {
    let RawFrame { id, body, .. } = frame(bytes);
    let info = message_info(id).unwrap();
    let place = format!("{} at version {version}", info.name);
    // A short fixed message makes a phone read beyond its end (threats.md).
    assert!(body.len() + 4 >= usize::try_from(info.min_length).unwrap(), "{place}");
    if info.name != "ConnectionStatisticsRes" {
        assert_eq!(body.len() % 4, 0, "{place} is not padded");
    }
}

/// From version 8 on a media order ends where the fields of its version end: the table of lengths and the
/// versions in the structs say the same.
#[test]
fn the_lengths_of_media_orders_agree_with_the_versions_of_their_fields() {
    for version in VERSIONS.into_iter().filter(|version| *version >= 8) {
        let dialect = dialect(version);
        let open = to_phone(&dialect, message::OpenReceiveChannel::default());
        let start = to_phone(&dialect, message::StartMediaTransmission::default());
        for bytes in [open, start] {
            let info = message_info(frame(&bytes).id).unwrap();
            let received = ManagerMessage::decode(frame(&bytes), dialect.context()).unwrap();
            let mut last = Last { fields: info.fields, last: None };
            received.visit(&mut last);
            let last = last.last.unwrap();
            let next = info.fields.iter().skip_while(|field| field.name != last.name).nth(1);
            // A longer form does no harm: versions before a field get it when others send it to them.
            let longer = matches!(
                (info.name, version),
                ("OpenReceiveChannel", 8..=10) | ("StartMediaTransmission", 8..=11)
            );
            // The gain came with version 17, and only lengths above 132 have it.
            let gain = last.name == "requested_ip_addr_type" && (17..=20).contains(&version);
            let place = format!("{} at version {version} ends with {}", info.name, last.name);
            assert!(last.since <= version || longer, "{place}");
            assert!(next.is_none_or(|next| next.since > version) || gain, "{place}");
        }
    }
}

/// The last field of the message itself; those of its parts have other descriptors.
struct Last {
    fields: &'static [Field],
    last: Option<&'static Field>,
}

impl Last {
    fn note(&mut self, at: At) {
        if self.fields.iter().any(|field| std::ptr::eq(field, at.field)) {
            self.last = Some(at.field);
        }
    }
}

impl Visitor for Last {
    fn value(&mut self, at: At, _: Value<'_>) {
        self.note(at);
    }

    fn enter(&mut self, at: At) {
        self.note(at);
    }
}
