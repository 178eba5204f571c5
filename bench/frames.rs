//! The twenty commonest messages of a working day at version 20, for the benches of this repository.

use selsius_wire::{
    CallInformation, CallState, CallType, Codec, DeviceType, Dialect, Features, KeypadKey, LampMode,
    ManagerMessage, MediaStatus, PhoneText, RingDuration, RingMode, SoftKey, SoftKeySetId, StationMessage,
    StimulusType, Tone,
    message::{self, SoftKeySetDefinition},
};

/// The version of the frames.
pub const VERSION: u8 = 20;

/// A message of either side.
#[derive(Debug, Clone)]
pub enum Either {
    /// The phone's.
    Station(StationMessage),
    /// The manager's.
    Manager(ManagerMessage),
}

/// One message and its frame.
#[derive(Debug)]
pub struct Case {
    /// The message's name.
    pub name: &'static str,
    /// The message.
    pub message: Either,
    /// The whole frame.
    pub bytes: Vec<u8>,
}

/// What the frames were made with.
pub fn dialect() -> Dialect {
    Dialect::negotiate(VERSION, Features([0x20, 0xF1, 0xFF]), DeviceType::Cisco7965)
}

/// The messages, the short ones first.
pub fn commonest() -> Vec<Case> {
    let dialect = dialect();
    let (line_instance, call_reference) = (1, 0x0102_0304);
    let (conference_id, pass_through_party_id) = (7, 8);
    let address = std::net::Ipv4Addr::new(192, 0, 2, 77);
    let station: [StationMessage; 7] = [
        message::KeepAlive.into(),
        message::OffHook { line_instance, call_reference }.into(),
        message::OnHook { line_instance, call_reference }.into(),
        message::KeypadButton { kp_button: KeypadKey::Five, line_instance, call_reference }.into(),
        message::SoftKeyEvent { soft_key_event: SoftKey::EndCall, line_instance, call_reference }.into(),
        message::OpenReceiveChannelAck {
            media_reception_status: MediaStatus::Ok,
            ip_addr: address.into(),
            port_number: 16384,
            pass_through_party_id,
            call_reference,
        }
        .into(),
        message::StartMediaTransmissionAck {
            conference_id,
            pass_through_party_id,
            call_reference,
            transmit_ip_addr: address.into(),
            port_number: 16386,
            media_transmission_status: MediaStatus::Ok,
        }
        .into(),
    ];
    let mut set = SoftKeySetDefinition::default();
    for (place, key) in set.soft_key_template_index.iter_mut().zip(1..=8) {
        *place = key;
    }
    let information = CallInformation {
        line: line_instance,
        call: call_reference,
        call_type: CallType::Inbound,
        calling_name: "Ann Example".into(),
        calling_number: "1001".into(),
        called_name: "Bob Example".into(),
        called_number: "1002".into(),
        ..CallInformation::default()
    };
    let manager: [ManagerMessage; 13] = [
        message::KeepAliveAck.into(),
        message::ActivateCallPlane { line_instance }.into(),
        message::SetLamp { stimulus: StimulusType::Line, stimulus_instance: 1, lamp_mode: LampMode::Blink }
            .into(),
        message::StopTone { line_instance, call_reference, tone: Tone::Silence }.into(),
        message::StartTone { tone: Tone::AlertingTone, line_instance, call_reference, ..Default::default() }
            .into(),
        message::SetRinger {
            ring_mode: RingMode::Inside,
            ring_duration: RingDuration::Normal,
            line_instance,
            call_reference,
        }
        .into(),
        message::SelectSoftKeys {
            line_instance,
            call_reference,
            soft_key_set_index: SoftKeySetId::Connected,
            valid_key_mask: u32::MAX,
        }
        .into(),
        message::CallState {
            call_state: CallState::Connected,
            line_instance,
            call_reference,
            precedence_level: 4,
            ..Default::default()
        }
        .into(),
        dialect.prompt(0, line_instance, call_reference, &PhoneText::from("Connected")),
        dialect.call_info(&information),
        message::OpenReceiveChannel {
            conference_id,
            pass_through_party_id,
            milli_second_packet_size: 20,
            compression_type: Codec::G711Ulaw64k,
            call_reference,
            source_ip_addr: address.into(),
            source_port_number: 4000,
            ..Default::default()
        }
        .into(),
        message::StartMediaTransmission {
            conference_id,
            pass_through_party_id,
            remote_ip_addr: address.into(),
            remote_port_number: 16384,
            milli_second_packet_size: 20,
            compression_type: Codec::G711Ulaw64k,
            precedence_value: 0xB8,
            call_reference,
            ..Default::default()
        }
        .into(),
        message::SoftKeySet::new(&[set; 11]).into(),
    ];
    let station = station.into_iter().map(|message| {
        let mut bytes = Vec::new();
        dialect.encode_station(&message, &mut bytes);
        Case { name: message.name(), message: Either::Station(message), bytes }
    });
    let manager = manager.into_iter().map(|message| {
        let mut bytes = Vec::new();
        dialect.encode_manager(&message, &mut bytes);
        Case { name: message.name(), message: Either::Manager(message), bytes }
    });
    let mut cases: Vec<_> = station.chain(manager).collect();
    cases.sort_by_key(|case| case.bytes.len());
    cases
}

/// About 64 KiB of these frames, cut into reads of `per_read` messages.
#[allow(dead_code, reason = "only one of the two benches cuts streams")]
pub fn reads(per_read: usize) -> Vec<Vec<u8>> {
    let cases = commonest();
    // The soft key sets come once in a registration, not in the stream of a day.
    let mut frames = cases.iter().map(|case| &case.bytes).filter(|bytes| bytes.len() < 400).cycle();
    let mut stream: Vec<Vec<u8>> = Vec::new();
    while stream.iter().map(Vec::len).sum::<usize>() < 64 * 1024 {
        stream.push(frames.by_ref().take(per_read).flatten().copied().collect());
    }
    stream
}
