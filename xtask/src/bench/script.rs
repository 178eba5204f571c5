//! What phones and their manager say to each other: registrations and calls, as frames on their connections.

use std::net::{Ipv4Addr, SocketAddr};

use selsius_inspect::reassembly::Way;
use selsius_wire::{
    CallInformation, CallState, CallType, Codec, DeviceType, Dialect, Features, KeypadKey, LampMode,
    ManagerMessage, MediaStatus, PhoneText, RingDuration, RingMode, SoftKey, SoftKeySetId, StationMessage,
    StimulusType, Tone,
    message::{self, AudioCapability, ButtonDefinition, SoftKeyDefinition, SoftKeySetDefinition},
    value::{ButtonType, Number, Text},
};

/// Where all phones register.
pub(super) const MANAGER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(10, 1, 0, 1)), 2000);
/// Every phone has one line.
const LINE: u32 = 1;

/// A phone of the office.
pub(super) struct Phone {
    index: usize,
    address: Ipv4Addr,
    number: String,
    dialect: Dialect,
}

/// What comes next in a registration or a call.
pub(super) enum Step {
    /// One end sends these frames to the other, on the connection of the phone at this index.
    Say(usize, Way, Vec<u8>),
    /// Media flows from here on.
    Talk,
    /// No more media.
    Hush,
}

/// A call between two phones.
pub(super) struct Call {
    /// Of the caller's leg; that of the other one is the next.
    pub(super) reference: u32,
    /// Where the caller receives, and where the called one does.
    pub(super) ports: [u16; 2],
}

impl Phone {
    /// The phones differ in their generation.
    pub(super) fn new(index: usize) -> Self {
        let (model, version) = match index % 3 {
            0 => (DeviceType::Cisco7965, 20),
            1 => (DeviceType::Cisco7965, 17),
            _ => (DeviceType::Cisco7912, 7),
        };
        let [.., high, low] = index.to_be_bytes();
        Self {
            index,
            address: Ipv4Addr::new(10, 2, high, low),
            number: (20_000 + index).to_string(),
            dialect: Dialect::negotiate(version, Features([0x20, 0xF1, 0xFF]), model),
        }
    }

    /// Its end of the connection to the manager.
    pub(super) fn end(&self) -> SocketAddr {
        SocketAddr::new(self.address.into(), 50_000)
    }

    /// Where it receives media.
    pub(super) fn media(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address.into(), port)
    }

    fn says(&self, message: impl Into<StationMessage>) -> Step {
        let mut bytes = Vec::new();
        self.dialect.encode_station(&message.into(), &mut bytes);
        Step::Say(self.index, Way::Forward, bytes)
    }

    /// Together in one segment.
    fn hears(&self, messages: impl IntoIterator<Item = ManagerMessage>) -> Step {
        let mut bytes = Vec::new();
        for message in messages {
            self.dialect.encode_manager(&message, &mut bytes);
        }
        Step::Say(self.index, Way::Backward, bytes)
    }

    fn keeps_alive(&self) -> [Step; 2] {
        [self.says(message::KeepAlive), self.hears([message::KeepAliveAck.into()])]
    }

    fn shows(&self, call: u32, state: CallState, keys: SoftKeySetId, prompt: &str) -> Step {
        let lamp_mode = if state == CallState::OnHook { LampMode::Off } else { LampMode::On };
        self.hears([
            message::SetLamp { stimulus: StimulusType::Line, stimulus_instance: LINE, lamp_mode }.into(),
            message::CallState {
                call_state: state,
                line_instance: LINE,
                call_reference: call,
                precedence_level: 4,
                ..Default::default()
            }
            .into(),
            message::SelectSoftKeys {
                line_instance: LINE,
                call_reference: call,
                soft_key_set_index: keys,
                valid_key_mask: u32::MAX,
            }
            .into(),
            self.dialect.prompt(0, LINE, call, &PhoneText::from(prompt)),
        ])
    }
}

/// A phone registers and asks for what it shows.
pub(super) fn registration(phone: &Phone) -> Vec<Step> {
    let register = message::Register {
        device_name: Text::new(format!("SEP{:012X}", 0x0011_2200_0000_u64 + phone.index as u64)),
        instance: 1,
        station_ip_addr: phone.address,
        device_type: phone.dialect.device_type(),
        max_streams: 5,
        protocol_ver: phone.dialect.version(),
        features: Features([0x20, 0xF1, 0xFF]),
        ..Default::default()
    };
    let ack = message::RegisterAck {
        keep_alive_interval: 30,
        date_template: Text::new("D.M.Y"),
        secondary_keep_alive_interval: 60,
        ..Default::default()
    };
    let key = |number: u32| SoftKeyDefinition {
        soft_key_label: Text::new([0x80, u8::try_from(number).unwrap_or_default()]),
        soft_key_event: SoftKey::from(number),
    };
    let keys: Vec<_> = (1..=18).map(key).collect();
    let mut set = SoftKeySetDefinition::default();
    for (place, key) in set.soft_key_template_index.iter_mut().zip(1..=8) {
        *place = key;
    }
    let capabilities = [Codec::G711Ulaw64k, Codec::G711Alaw64k, Codec::G729, Codec::G729AnnexA];
    let time = message::DefineTimeDate { year: 2026, month: 6, day: 3, hour: 9, ..Default::default() };
    vec![
        phone.says(register),
        phone.hears([phone.dialect.register_ack(ack).into(), message::CapabilitiesReq.into()]),
        phone.says(message::CapabilitiesRes::new(&capabilities.map(|codec| AudioCapability::new(codec, 40)))),
        phone.says(message::ButtonTemplateReq),
        phone.hears([message::ButtonTemplate::new(&[ButtonDefinition::new(1, ButtonType::Line)]).into()]),
        phone.says(message::SoftKeyTemplateReq),
        phone.hears([message::SoftKeyTemplate::new(&keys).into()]),
        phone.says(message::SoftKeySetReq),
        phone.hears([message::SoftKeySet::new(&[set; 11]).into()]),
        phone.says(message::LineStatReq { line_number: LINE }),
        phone.hears([phone.dialect.line_status(LINE, &phone.number, &phone.number, &phone.number)]),
        phone.says(message::ForwardStatReq { line_number: LINE }),
        phone.hears([message::ForwardStat { line_number: LINE, ..Default::default() }.into()]),
        phone.says(message::TimeDateReq),
        phone.hears([time.into()]),
    ]
}

/// A call from its first digit to the end, with `keepalives` of both phones while they talk.
pub(super) fn call(call: &Call, from: &Phone, to: &Phone, keepalives: usize) -> Vec<Step> {
    use {CallState as State, SoftKeySetId as Keys};
    let (here, there) = (call.reference, call.reference + 1);
    let mut steps = vec![
        from.says(message::OffHook { line_instance: LINE, call_reference: 0 }),
        from.shows(here, State::OffHook, Keys::OffHook, "Enter number"),
        from.hears([tone(Tone::InsideDialTone, here)]),
    ];
    for (at, digit) in from_digits(&to.number).enumerate() {
        steps.push(from.says(message::KeypadButton {
            kp_button: digit,
            line_instance: LINE,
            call_reference: here,
        }));
        if at == 0 {
            steps.push(from.hears([silence(here)]));
        }
    }
    steps.extend([
        from.hears([
            message::DialedNumber {
                dialed_number: Number::new(&to.number),
                line_instance: LINE,
                call_reference: here,
            }
            .into(),
            information(from, from, to, here, CallType::Outbound),
        ]),
        from.shows(here, State::Proceed, Keys::RingOut, "To"),
        to.hears([information(to, from, to, there, CallType::Inbound)]),
        to.shows(there, State::RingIn, Keys::RingIn, "From"),
        to.hears([ring(RingMode::Inside, there)]),
        from.shows(here, State::RingOut, Keys::RingOut, "Ring out"),
        from.hears([tone(Tone::AlertingTone, here)]),
        to.says(message::OffHook { line_instance: LINE, call_reference: there }),
        to.hears([ring(RingMode::Off, there)]),
        to.shows(there, State::Connected, Keys::Connected, "Connected"),
        from.hears([silence(here)]),
        from.shows(here, State::Connected, Keys::Connected, "Connected"),
    ]);
    steps.extend([receive(from, here), receive(to, there)]);
    steps.extend([receives(from, here, call.ports[0]), receives(to, there, call.ports[1])]);
    steps.extend([transmit(from, here, to.media(call.ports[1]))]);
    steps.extend([transmit(to, there, from.media(call.ports[0])), Step::Talk]);
    for _ in 0..keepalives {
        steps.extend(from.keeps_alive().into_iter().chain(to.keeps_alive()));
    }
    steps.extend([
        Step::Hush,
        from.says(message::OnHook { line_instance: LINE, call_reference: here }),
        stop(from, here),
        from.shows(here, State::OnHook, Keys::OnHook, "Your current options"),
        from.says(statistics(from, here)),
        stop(to, there),
        to.says(statistics(to, there)),
        to.says(message::OnHook { line_instance: LINE, call_reference: there }),
        to.shows(there, State::OnHook, Keys::OnHook, "Your current options"),
    ]);
    steps
}

fn from_digits(number: &str) -> impl Iterator<Item = KeypadKey> {
    number.chars().filter_map(|digit| digit.to_digit(10)).map(KeypadKey::from)
}

fn tone(tone: Tone, call_reference: u32) -> ManagerMessage {
    message::StartTone { tone, line_instance: LINE, call_reference, ..Default::default() }.into()
}

fn silence(call_reference: u32) -> ManagerMessage {
    message::StopTone { line_instance: LINE, call_reference, tone: Tone::Silence }.into()
}

fn ring(ring_mode: RingMode, call_reference: u32) -> ManagerMessage {
    let ring_duration = RingDuration::Normal;
    message::SetRinger { ring_mode, ring_duration, line_instance: LINE, call_reference }.into()
}

fn information(shown: &Phone, from: &Phone, to: &Phone, call: u32, call_type: CallType) -> ManagerMessage {
    shown.dialect.call_info(&CallInformation {
        line: LINE,
        call,
        call_type,
        calling_name: format!("Person {}", from.number),
        calling_number: from.number.clone(),
        called_name: format!("Person {}", to.number),
        called_number: to.number.clone(),
        ..Default::default()
    })
}

/// The party of a stream is the reference of its leg, and so is the conference: no two calls share them.
fn receive(phone: &Phone, call: u32) -> Step {
    phone.hears([message::OpenReceiveChannel {
        conference_id: call & !1,
        pass_through_party_id: call,
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        call_reference: call,
        ..Default::default()
    }
    .into()])
}

fn receives(phone: &Phone, call: u32, port: u16) -> Step {
    phone.says(message::OpenReceiveChannelAck {
        media_reception_status: MediaStatus::Ok,
        ip_addr: phone.address.into(),
        port_number: port.into(),
        pass_through_party_id: call,
        call_reference: call,
    })
}

fn transmit(phone: &Phone, call: u32, to: SocketAddr) -> Step {
    phone.hears([message::StartMediaTransmission {
        conference_id: call & !1,
        pass_through_party_id: call,
        remote_ip_addr: to.ip().into(),
        remote_port_number: to.port().into(),
        milli_second_packet_size: 20,
        compression_type: Codec::G711Ulaw64k,
        precedence_value: 0xB8,
        call_reference: call,
        ..Default::default()
    }
    .into()])
}

fn stop(phone: &Phone, call: u32) -> Step {
    let (conference_id, pass_through_party_id, call_reference) = (call & !1, call, call);
    phone.hears([
        message::CloseReceiveChannel {
            conference_id,
            pass_through_party_id,
            call_reference,
            ..Default::default()
        }
        .into(),
        message::StopMediaTransmission {
            conference_id,
            pass_through_party_id,
            call_reference,
            ..Default::default()
        }
        .into(),
        message::ConnectionStatisticsReq {
            directory_num: Number::new(&phone.number),
            call_reference,
            ..Default::default()
        }
        .into(),
    ])
}

fn statistics(phone: &Phone, call: u32) -> message::ConnectionStatisticsRes {
    message::ConnectionStatisticsRes {
        directory_num: Number::new(&phone.number),
        call_reference: call,
        number_packets_sent: 100,
        number_octets_sent: 17_200,
        number_packets_received: 100,
        number_octets_received: 17_200,
        ..Default::default()
    }
}
