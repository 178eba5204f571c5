//! One line about a message that a person can read at a glance.
//!
//! ```text
//! CallState Connected · line 1, call 16777217
//! StartMediaTransmission to 10.0.0.7:20480, G711Ulaw64k 20 ms · call 16777217
//! ```

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Display;
use core::net::IpAddr;

use selsius_wire::{
    Encoding, ManagerMessage, PhoneText, StationMessage,
    codec::{At, Value, Visitor},
    message::ForwardStat,
    text::TextPart,
    value::{Codec, KeypadKey, LampMode, MediaStatus, StimulusType},
};

use crate::words::{clean, fit};

/// A station's message in one line: its name, what it says, line and call.
pub fn station(message: &StationMessage) -> String {
    join(message.name(), &station_details(message), station_place(message))
}

/// A manager's message in one line: its name, what it says, line and call.
pub fn manager(message: &ManagerMessage) -> String {
    join(message.name(), &manager_details(message), manager_place(message))
}

/// What a station's message says, without its name, line and call; empty if that is all there is.
pub fn station_details(message: &StationMessage) -> String {
    use StationMessage as M;
    match message {
        M::Register(m) => format!("{} {}, {}", text(&m.device_name), version(m.protocol_ver), m.device_type),
        M::RegisterTokenReq(m) => format!("{} {}", text(&m.device_name), m.device_type),
        M::SpcpRegisterTokenReq(m) => format!("{} {}", text(&m.device_name), m.device_type),
        M::IpPort(m) => format!("RTP port {}", m.rtp_media_port),
        M::Alarm(m) => format!("{} {}", m.alarm_severity, quoted(m.text.bytes())),
        M::KeypadButton(m) => digit(m.kp_button),
        M::EnblocCall(m) => text(&m.called_party),
        M::Stimulus(m) => button(m.stimulus, m.line_instance),
        M::SoftKeyEvent(m) => m.soft_key_event.to_string(),
        M::MediaPathEvent(m) => format!("{} {}", m.media_path_id, m.media_path_event),
        M::HeadsetStatus(m) => m.headset_status.to_string(),
        M::LineStatReq(m) => format!("line {}", m.line_number),
        M::ForwardStatReq(m) => format!("line {}", m.line_number),
        M::SpeedDialStatReq(m) => format!("{}", m.speed_dial_number),
        M::ServiceUrlStatReq(m) => format!("{}", m.service_url_index),
        M::FeatureStatReq(m) => format!("{}", m.feature_index),
        M::RegisterAvailableLines(m) => several(m.max_num_of_avail_lines, "line"),
        M::CapabilitiesRes(m) => codecs(m.used().iter().map(|cap| cap.payload_capability)),
        // 0 says nothing, as in a message without a reason.
        M::UnregisterReq(m) if u32::from(m.reason) == 0 => String::new(),
        M::UnregisterReq(m) => m.reason.to_string(),
        M::OpenReceiveChannelAck(m) => outcome(m.media_reception_status, m.ip_addr.ip, m.port_number, "at"),
        M::StartMediaTransmissionAck(m) => {
            outcome(m.media_transmission_status, m.transmit_ip_addr.ip, m.port_number, "from")
        }
        M::MediaTransmissionFailure(m) => {
            format!("to {}", address(m.remote_ip_addr.ip, m.remote_port_number))
        }
        M::ConnectionStatisticsRes(m) => format!(
            "sent {}, received {}, lost {}, jitter {}",
            m.number_packets_sent, m.number_packets_received, m.number_packets_lost, m.jitter
        ),
        M::Opaque(m) => format!("{:#06x}, {} bytes", m.id, m.body.len()),
        M::OffHook(_) | M::OnHook(_) | M::HookFlash(_) => String::new(),
        other => fields(|visitor| other.visit(visitor)),
    }
}

/// What a manager's message says, without its name, line and call; empty if that is all there is.
pub fn manager_details(message: &ManagerMessage) -> String {
    use ManagerMessage as M;
    match message {
        M::RegisterAck(m) => {
            format!("{}, keepalive {} s", version(m.max_protocol_ver), m.keep_alive_interval)
        }
        M::RegisterReject(m) => quoted(m.text.bytes()),
        M::RegisterTokenReject(m) => format!("wait {} s", m.wait_time_before_next_req),
        M::SpcpRegisterTokenReject(m) => format!("wait {} s", m.wait_time_before_next_req),
        M::UnregisterAck(m) => m.status.to_string(),
        M::Reset(m) => m.reset_type.to_string(),
        M::DefineTimeDate(m) => {
            format!("{}-{:02}-{:02} {:02}:{:02}:{:02}", m.year, m.month, m.day, m.hour, m.minute, m.second)
        }
        M::Version(m) => text(&m.version),
        M::ButtonTemplate(m) => count(m.used().len(), m.total_button_count, "button"),
        M::SoftKeyTemplate(m) => count(m.used().len(), m.total_soft_key_count, "key"),
        M::SoftKeySet(m) => count(m.used().len(), m.total_soft_key_set_count, "set"),
        M::LineStat(m) => line(m.line_number, &m.line_dir_number, m.line_text_label.bytes()),
        M::LineStatV2(m) => line(m.line_number, &m.line_dir_number, m.line_text_label.bytes()),
        M::SpeedDialStat(m) => {
            entry(m.speed_dial_number, &m.speed_dial_dir_number, m.speed_dial_display_name.bytes())
        }
        M::SpeedDialStatV2(m) => {
            entry(m.speed_dial_number, &m.speed_dial_dir_number, m.speed_dial_display_name.bytes())
        }
        M::ServiceUrlStat(m) => {
            entry(m.service_url_index, &m.service_url, m.service_url_display_name.bytes())
        }
        M::ServiceUrlStatV2(m) => {
            entry(m.service_url_index, &m.service_url, m.service_url_display_name.bytes())
        }
        M::FeatureStat(m) => feature(m.feature_index, m.feature_id, m.feature_status),
        M::FeatureStatV2(m) => feature(m.feature_index, m.feature_id, m.feature_status),
        M::ForwardStat(m) => forward(m),
        M::StartTone(m) => m.tone.to_string(),
        M::SetRinger(m) => m.ring_mode.to_string(),
        M::SetLamp(m) => format!("{} {}", button(m.stimulus, m.stimulus_instance), lamp(m.lamp_mode)),
        M::SetSpeakerMode(m) => m.speaker_mode.to_string(),
        M::SetMicroMode(m) => m.mic_mode.to_string(),
        M::CallState(m) => m.call_state.to_string(),
        M::SelectSoftKeys(m) => {
            // A set has 16 places; FreeSWITCH says nothing about the bits beyond.
            let mask = m.valid_key_mask;
            let hidden = if mask & 0xffff == 0xffff { String::new() } else { format!(", mask {mask:08X}") };
            format!("{}{hidden}", m.soft_key_set_index)
        }
        M::DisplayText(m) => quoted(m.text.bytes()),
        M::DisplayPromptStatus(m) => lasting(m.prompt_status.bytes(), m.time_out_value),
        M::DisplayPromptStatusV2(m) => lasting(m.prompt_status.bytes(), m.time_out_value),
        M::DisplayNotify(m) => lasting(m.notify.bytes(), m.time_out_value),
        M::DisplayNotifyV2(m) => lasting(m.notify.bytes(), m.time_out_value),
        M::DisplayPriNotify(m) => lasting(m.notify.bytes(), m.time_out_value),
        M::DisplayPriNotifyV2(m) => lasting(m.notify.bytes(), m.time_out_value),
        M::CallInfo(m) => parties(
            (m.calling_party_name.bytes(), m.calling_party.bytes()),
            (m.called_party_name.bytes(), m.called_party.bytes()),
        ),
        M::CallInfoV2(m) => parties(
            (m.calling_party_name.bytes(), m.calling_party.bytes()),
            (m.called_party_name.bytes(), m.called_party.bytes()),
        ),
        M::DialedNumber(m) => text(&m.dialed_number),
        M::CallHistoryInfo(m) => m.call_history_disposition.to_string(),
        M::OpenReceiveChannel(m) => media(m.compression_type, m.milli_second_packet_size),
        M::StartMediaTransmission(m) => format!(
            "to {}, {}",
            address(m.remote_ip_addr.ip, m.remote_port_number),
            media(m.compression_type, m.milli_second_packet_size)
        ),
        M::StartMediaTransmissionCm2(m) => format!(
            "to {}, {}",
            address(IpAddr::V4(m.remote_ip_addr), m.remote_port_number),
            media(m.compression_type, m.milli_second_packet_size)
        ),
        M::StartMediaReception(m) => media(m.compression_type, m.milli_second_packet_size),
        M::Opaque(m) => format!("{:#06x}, {} bytes", m.id, m.body.len()),
        M::StopTone(_)
        | M::ActivateCallPlane(_)
        | M::ClearPromptStatus(_)
        | M::BackSpaceReq(_)
        | M::CloseReceiveChannel(_)
        | M::StopMediaTransmission(_)
        | M::ConnectionStatisticsReq(_) => String::new(),
        other => fields(|visitor| other.visit(visitor)),
    }
}

/// Line and call that a station's message is about; 0 where it does not say.
pub(crate) fn station_place(message: &StationMessage) -> (u32, u32) {
    use StationMessage as M;
    match message {
        M::KeypadButton(m) => (m.line_instance, m.call_reference),
        M::EnblocCall(m) => (m.line_instance, 0),
        M::Stimulus(m) => (0, m.call_reference),
        M::OffHook(m) => (m.line_instance, m.call_reference),
        M::OnHook(m) => (m.line_instance, m.call_reference),
        M::HookFlash(m) => (m.line_instance, m.call_reference),
        M::SoftKeyEvent(m) => (m.line_instance, m.call_reference),
        M::OpenReceiveChannelAck(m) => (0, m.call_reference),
        M::StartMediaTransmissionAck(m) => (0, m.call_reference),
        M::MediaTransmissionFailure(m) => (0, m.call_reference),
        M::ConnectionStatisticsRes(m) => (0, m.call_reference),
        _ => (0, 0),
    }
}

/// Line and call that a manager's message is about; 0 where it does not say.
pub(crate) fn manager_place(message: &ManagerMessage) -> (u32, u32) {
    use ManagerMessage as M;
    match message {
        M::StartTone(m) => (m.line_instance, m.call_reference),
        M::StopTone(m) => (m.line_instance, m.call_reference),
        M::SetRinger(m) => (m.line_instance, m.call_reference),
        M::CallState(m) => (m.line_instance, m.call_reference),
        M::SelectSoftKeys(m) => (m.line_instance, m.call_reference),
        M::DisplayPromptStatus(m) => (m.line_instance, m.call_reference),
        M::DisplayPromptStatusV2(m) => (m.line_instance, m.call_reference),
        M::ClearPromptStatus(m) => (m.line_instance, m.call_reference),
        M::ActivateCallPlane(m) => (m.line_instance, 0),
        M::BackSpaceReq(m) => (m.line_instance, m.call_reference),
        M::CallInfo(m) => (m.line_instance, m.call_reference),
        M::CallInfoV2(m) => (m.line_instance, m.call_reference),
        M::DialedNumber(m) => (m.line_instance, m.call_reference),
        M::CallHistoryInfo(m) => (m.line_instance, m.call_reference),
        M::OpenReceiveChannel(m) => (0, m.call_reference),
        M::CloseReceiveChannel(m) => (0, m.call_reference),
        M::StartMediaTransmission(m) => (0, m.call_reference),
        M::StopMediaTransmission(m) => (0, m.call_reference),
        M::ConnectionStatisticsReq(m) => (0, m.call_reference),
        _ => (0, 0),
    }
}

fn join(name: &str, details: &str, (line, call): (u32, u32)) -> String {
    let mut all = String::from(name);
    if !details.is_empty() {
        all.push(' ');
        all.push_str(details);
    }
    match (line, call) {
        (0, 0) => {}
        (line, 0) => all.push_str(&format!(" · line {line}")),
        (0, call) => all.push_str(&format!(" · call {call}")),
        (line, call) => all.push_str(&format!(" · line {line}, call {call}")),
    }
    all
}

/// Text that is not for the display: names and numbers.
pub(crate) fn text(value: &impl Display) -> String {
    clean(&value.to_string())
}

/// Text from the display, in quotes, with its labels in English.
fn quoted(bytes: &[u8]) -> String {
    format!("“{}”", display(bytes))
}

/// Text from the display with its labels in English. Nothing in a single message says which encoding its session uses;
/// what reads as UTF-8 hardly ever means something else.
pub(crate) fn display(bytes: &[u8]) -> String {
    clean(&readable(bytes))
}

/// The same with all its characters: not for a terminal.
pub(crate) fn readable(bytes: &[u8]) -> String {
    let utf8 = plain(&PhoneText::parse(bytes, Encoding::Utf8));
    if utf8.contains(char::REPLACEMENT_CHARACTER) {
        return plain(&PhoneText::parse(bytes, Encoding::Latin1));
    }
    utf8
}

/// The parts side by side: managers send `From` and the number without a blank, the phone puts it there.
fn plain(text: &PhoneText) -> String {
    let mut all = String::new();
    for part in text.parts() {
        let part = match part {
            TextPart::Label(label) => label.english(),
            TextPart::Text(text) => text,
        };
        let apart =
            all.is_empty() || all.ends_with(char::is_whitespace) || part.starts_with(char::is_whitespace);
        if !apart {
            all.push(' ');
        }
        all.push_str(part);
    }
    all
}

fn lasting(bytes: &[u8], seconds: u32) -> String {
    match seconds {
        0 => quoted(bytes),
        seconds => format!("{} for {seconds} s", quoted(bytes)),
    }
}

fn version(version: u8) -> String {
    format!("version {version}")
}

fn digit(key: KeypadKey) -> String {
    match u32::from(key) {
        digit @ 0..=9 => digit.to_string(),
        0x0e => "*".into(),
        0x0f => "#".into(),
        0x10 => "+".into(),
        _ => key.to_string(),
    }
}

fn button(stimulus: StimulusType, instance: u32) -> String {
    match instance {
        0 => stimulus.to_string(),
        instance => format!("{stimulus} {instance}"),
    }
}

fn lamp(mode: LampMode) -> String {
    mode.to_string().to_lowercase()
}

fn address(ip: IpAddr, port: u32) -> String {
    match ip {
        IpAddr::V4(ip) => format!("{ip}:{port}"),
        IpAddr::V6(ip) => format!("[{ip}]:{port}"),
    }
}

fn media(codec: Codec, milliseconds: u32) -> String {
    format!("{codec} {milliseconds} ms")
}

fn outcome(status: MediaStatus, ip: IpAddr, port: u32, word: &str) -> String {
    let address = address(ip, port);
    match u32::from(status) {
        0 => format!("{word} {address}"),
        _ => format!("{status}, {word} {address}"),
    }
}

fn codecs(codecs: impl Iterator<Item = Codec>) -> String {
    codecs.map(|codec| codec.to_string()).collect::<Vec<_>>().join(", ")
}

/// `2 keys`, or `2 of 20 keys` where the rest comes in other messages.
fn count(here: usize, total: u32, what: &str) -> String {
    match u32::try_from(here) == Ok(total) {
        true => several(total, what),
        false => format!("{here} of {}", several(total, what)),
    }
}

fn several(number: u32, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn line(number: u32, directory_number: &impl Display, label: &[u8]) -> String {
    let label = if label.is_empty() { String::new() } else { format!(" {}", quoted(label)) };
    format!("line {number}: {}{label}", text(directory_number))
}

fn entry(index: u32, target: &impl Display, label: &[u8]) -> String {
    let target = text(target);
    if target.is_empty() && label.is_empty() {
        return format!("{index}: none");
    }
    format!("{index}: {target} {}", quoted(label))
}

fn feature(index: u32, kind: impl Display, status: u32) -> String {
    format!("{index}: {kind}, status {status}")
}

fn forward(message: &ForwardStat) -> String {
    let kinds = [
        ("all", message.forward_all_active, &message.forward_all_dirnum),
        ("busy", message.forward_busy_active, &message.forward_busy_dirnum),
        ("no answer", message.forward_no_answer_active, &message.forward_no_answer_dirnum),
    ];
    let active: Vec<String> = kinds
        .into_iter()
        .filter(|(_, active, _)| *active != 0)
        .map(|(kind, _, number)| format!("{kind} to {}", text(number)))
        .collect();
    let active = if active.is_empty() { "none".into() } else { active.join(", ") };
    format!("line {}: {active}", message.line_number)
}

/// `Anna 1001 → Ben 1002`.
fn parties(calling: (&[u8], &[u8]), called: (&[u8], &[u8])) -> String {
    let party = |(name, number): (&[u8], &[u8])| match (name.is_empty(), number.is_empty()) {
        (true, true) => "?".into(),
        (true, false) => display(number),
        (false, true) => display(name),
        (false, false) => format!("{} {}", display(name), display(number)),
    };
    format!("{} → {}", party(calling), party(called))
}

/// For messages without a line of their own: the first fields that are not zero.
fn fields(visit: impl FnOnce(&mut dyn Visitor)) -> String {
    struct First {
        words: Vec<String>,
    }
    impl Visitor for First {
        fn value(&mut self, at: At, value: Value<'_>) {
            let idle = match value {
                Value::Unsigned(number) => number == 0,
                Value::Signed(number) => number == 0,
                Value::Enum { raw, .. } => raw == 0,
                Value::Text(bytes) => bytes.is_empty(),
                Value::Address(address) => address.is_unspecified(),
                Value::Bytes(_) => true,
            };
            if idle || self.words.len() == 4 {
                return;
            }
            let value = match value {
                Value::Text(bytes) => quoted(bytes),
                Value::Enum { name: "Unknown", raw } => raw.to_string(),
                Value::Enum { name, .. } => name.into(),
                other => other.to_string(),
            };
            self.words.push(format!("{} {}", at.field.name.replace('_', " "), fit(&value, 40)));
        }
    }
    let mut first = First { words: Vec::new() };
    visit(&mut first);
    first.words.join(", ")
}

#[cfg(test)]
mod tests;
