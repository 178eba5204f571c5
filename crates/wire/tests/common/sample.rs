//! One message of every kind that we send, with something in every field.

use std::net::Ipv4Addr;

use selsius_wire::{
    AlarmSeverity, ButtonType, CallHistoryDisposition, CallInformation, CallPrivacy, CallSecurity, CallState,
    CallType, Codec, Dialect, DisplayLabel, ForwardStatus, HeadsetMode, IpAddressType, KeypadKey, LampMode,
    ManagerMessage, MediaAddress, MediaPathAbility, MediaPathEventKind, MediaPathId, MediaStatus,
    MicrophoneMode, Number, PhoneText, PortHandling, ResetType, RingDuration, RingMode, SoftKey,
    SoftKeySetId, SpeakerMode, StationMessage, StatsProcessing, StimulusType, Text, Tone, ToneDirection,
    UnregisterReason, UnregisterStatus,
    message::{self, AudioCapability, ButtonDefinition, SoftKeyDefinition, SoftKeySetDefinition},
};

const CALL: u32 = 0x0102_0304;
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 77);

/// Everything that a manager says in this dialect.
pub(crate) fn manager(dialect: &Dialect) -> Vec<ManagerMessage> {
    let mut all = registration(dialect);
    all.extend(answers(dialect));
    all.extend(calls(dialect));
    all.extend(media());
    all
}

fn registration(dialect: &Dialect) -> Vec<ManagerMessage> {
    let ack = message::RegisterAck {
        keep_alive_interval: 30,
        date_template: Text::new("D.M.Y"),
        secondary_keep_alive_interval: 60,
        ..Default::default()
    };
    vec![
        dialect.register_ack(ack).into(),
        message::RegisterReject { text: Text::new("Not known here") }.into(),
        message::CapabilitiesReq.into(),
        message::KeepAliveAck.into(),
        message::UnregisterAck { status: UnregisterStatus::Nak }.into(),
        message::Reset { reset_type: ResetType::Restart }.into(),
        message::RegisterTokenAck.into(),
        message::RegisterTokenReject { wait_time_before_next_req: 90 }.into(),
        message::SpcpRegisterTokenAck { features: 1 }.into(),
        message::SpcpRegisterTokenReject { wait_time_before_next_req: 91 }.into(),
        message::SetHookFlashDetect.into(),
        message::DefineTimeDate {
            year: 2026,
            month: 11,
            day_of_week: 2,
            day: 24,
            hour: 13,
            minute: 14,
            second: 15,
            milliseconds: 16,
            system_time: 1_795_526_055,
        }
        .into(),
        message::Version { version: Text::new("P00308010200") }.into(),
        message::ServerRes {
            server_name: [
                Text::new("one"),
                Text::new("two"),
                Text::default(),
                Text::default(),
                Text::default(),
            ],
            server_tcp_listen_port: [2000, 2001, 0, 0, 0],
            server_ip_addr: [ADDRESS; 5].map(MediaAddress::from),
        }
        .into(),
    ]
}

fn answers(dialect: &Dialect) -> Vec<ManagerMessage> {
    let buttons = [
        ButtonDefinition::new(1, ButtonType::Line),
        ButtonDefinition::new(2, ButtonType::Line),
        ButtonDefinition::new(1, ButtonType::SpeedDial),
    ];
    let keys = [(DisplayLabel::Redial, 1), (DisplayLabel::NewCall, 2), (DisplayLabel::DirTrfr, 28)];
    let keys = keys.map(|(label, event)| SoftKeyDefinition {
        soft_key_label: dialect.soft_key_label(&label.into()),
        soft_key_event: SoftKey::from(event),
    });
    let mut set = SoftKeySetDefinition::default();
    set.soft_key_template_index[0] = 1;
    set.soft_key_info_index[0] = 301;
    let forward =
        ForwardStatus { line: 1, all: Some("1009".into()), busy: None, no_answer: Some("1010".into()) };
    vec![
        message::ButtonTemplate::new(&buttons).into(),
        message::SoftKeyTemplate::new(&keys).into(),
        message::SoftKeySet::new(&[set, set]).into(),
        dialect.line_status(1, "1001", "Ann Example", "Desk"),
        dialect.speed_dial_status(2, "1002", "Bob"),
        dialect.service_url_status(1, "http://192.0.2.1/menu.xml", "Menu"),
        dialect.feature_status(1, ButtonType::DoNotDisturb, "DND", 2),
        dialect.forward_status(&forward),
        dialect.config_status("SEP0011223344AA", "ann", "selsius", 2, 1),
    ]
}

fn calls(dialect: &Dialect) -> Vec<ManagerMessage> {
    let information = CallInformation {
        line: 1,
        call: CALL,
        call_type: CallType::Inbound,
        calling_name: "Ann Example".into(),
        calling_number: "1001".into(),
        alternate_calling_number: "91001".into(),
        called_name: "Bob Example".into(),
        called_number: "1002".into(),
        original_called_name: "Cid Example".into(),
        original_called_number: "1003".into(),
        last_redirecting_name: "Dan Example".into(),
        last_redirecting_number: "1004".into(),
        original_redirect_reason: 4,
        last_redirect_reason: 2,
        calling_voice_mailbox: "8001".into(),
        called_voice_mailbox: "8002".into(),
        original_called_voice_mailbox: "8003".into(),
        last_redirecting_voice_mailbox: "8004".into(),
        hunt_pilot_name: "Hunters".into(),
        hunt_pilot_number: "1100".into(),
        call_instance: 1,
        security: CallSecurity::NotAuthenticated,
        restriction: 0,
    };
    let on_call = (1, CALL);
    let (line_instance, call_reference) = on_call;
    vec![
        message::SetRinger {
            ring_mode: RingMode::Inside,
            ring_duration: RingDuration::Normal,
            line_instance,
            call_reference,
        }
        .into(),
        message::SetSpeakerMode { speaker_mode: SpeakerMode::On }.into(),
        message::SetMicroMode { mic_mode: MicrophoneMode::Off }.into(),
        message::SetLamp { stimulus: StimulusType::Line, stimulus_instance: 1, lamp_mode: LampMode::Blink }
            .into(),
        message::CallState {
            call_state: CallState::RingIn,
            line_instance,
            call_reference,
            privacy: CallPrivacy::None,
            precedence_level: 4,
            precedence_domain: 0,
        }
        .into(),
        message::SelectSoftKeys {
            line_instance,
            call_reference,
            soft_key_set_index: SoftKeySetId::RingIn,
            valid_key_mask: u32::MAX,
        }
        .into(),
        dialect.prompt(
            5,
            line_instance,
            call_reference,
            &PhoneText::label(DisplayLabel::From).then_text("1001"),
        ),
        dialect.prompt(0, 0, 0, &PhoneText::from("Plain text")),
        dialect.notify(10, &PhoneText::from("Notice")),
        dialect.priority_notify(10, 5, &PhoneText::from("Urgent")),
        message::ClearPromptStatus { line_instance, call_reference }.into(),
        message::ClearNotify.into(),
        message::ClearPriNotify { priority: 5 }.into(),
        message::DisplayText { text: Text::new("Welcome") }.into(),
        message::ClearDisplay.into(),
        message::ActivateCallPlane { line_instance }.into(),
        message::DeactivateCallPlane.into(),
        message::StartTone {
            tone: Tone::AlertingTone,
            tone_output_direction: ToneDirection::User,
            line_instance,
            call_reference,
        }
        .into(),
        message::StopTone { line_instance, call_reference, tone: Tone::AlertingTone }.into(),
        dialect.call_info(&information),
        dialect.call_info(&CallInformation { call_type: CallType::Outbound, ..CallInformation::default() }),
        message::DialedNumber { dialed_number: Number::new("1002"), line_instance, call_reference }.into(),
        message::BackSpaceReq { line_instance, call_reference }.into(),
        message::CallSelectStat { call_select_stat: 1, call_reference, line_instance }.into(),
        message::CallHistoryInfo {
            call_history_disposition: CallHistoryDisposition::MissedCalls,
            line_instance,
            call_reference,
        }
        .into(),
    ]
}

fn media() -> Vec<ManagerMessage> {
    let (conference_id, pass_through_party_id, call_reference) = (7, 8, CALL);
    vec![
        message::OpenReceiveChannel {
            conference_id,
            pass_through_party_id,
            milli_second_packet_size: 20,
            compression_type: Codec::G711Ulaw64k,
            call_reference,
            rfc2833_payload_type: 101,
            dtmf_type: 10,
            mixing_mode: 1,
            party_direction: 2,
            source_ip_addr: ADDRESS.into(),
            source_port_number: 4000,
            requested_ip_addr_type: IpAddressType::V4,
            ..Default::default()
        }
        .into(),
        message::StartMediaTransmission {
            conference_id,
            pass_through_party_id,
            remote_ip_addr: ADDRESS.into(),
            remote_port_number: 16384,
            milli_second_packet_size: 20,
            compression_type: Codec::G722_64k,
            precedence_value: 0xB8,
            max_frames_per_packet: 2,
            call_reference,
            rfc2833_payload_type: 101,
            dtmf_type: 10,
            mixing_mode: 1,
            party_direction: 2,
            ..Default::default()
        }
        .into(),
        message::CloseReceiveChannel {
            conference_id,
            pass_through_party_id,
            call_reference,
            port_handling_flag: PortHandling::Close,
        }
        .into(),
        message::StopMediaTransmission {
            conference_id,
            pass_through_party_id,
            call_reference,
            port_handling_flag: PortHandling::Keep,
        }
        .into(),
        message::ConnectionStatisticsReq {
            directory_num: Number::new("1002"),
            call_reference,
            stats_processing_mode: StatsProcessing::Keep,
        }
        .into(),
    ]
}

/// Everything that a phone says in this dialect.
pub(crate) fn station(dialect: &Dialect) -> Vec<StationMessage> {
    let (line_instance, call_reference) = (1, CALL);
    let audio = [AudioCapability::new(Codec::G711Ulaw64k, 40), AudioCapability::new(Codec::G729, 4)];
    let register = message::Register {
        device_name: Text::new("SEP0011223344AA"),
        instance: 1,
        station_ip_addr: ADDRESS,
        device_type: dialect.device_type(),
        max_streams: 2,
        active_streams: 1,
        protocol_ver: dialect.version(),
        features: dialect.features(),
        max_conferences: 3,
        max_number_of_lines: 6,
        firmware_load_name: Text::new("SCCP45.9-4-2SR3-1S"),
        ..Default::default()
    };
    let token = message::RegisterTokenReq {
        device_name: register.device_name,
        instance: 1,
        station_ip_addr: ADDRESS,
        device_type: dialect.device_type(),
        station_ipv6_addr: ADDRESS.into(),
        ..Default::default()
    };
    let spcp = message::SpcpRegisterTokenReq {
        device_name: register.device_name,
        instance: 1,
        station_ip_addr: ADDRESS,
        device_type: dialect.device_type(),
        max_streams: 2,
        ..Default::default()
    };
    let statistics = message::ConnectionStatisticsRes {
        directory_num: Number::new("1002"),
        call_reference,
        stats_processing_mode: StatsProcessing::Keep,
        number_packets_sent: 500,
        number_octets_sent: 80_000,
        number_packets_received: 499,
        number_octets_received: 79_840,
        number_packets_lost: 1,
        jitter: 2,
        latency: 3,
        data_size: 11,
        data: b"MLQK=4.5000".into(),
    };
    let (conference_id, pass_through_party_id) = (7, 8);
    vec![
        message::KeepAlive.into(),
        message::Alarm {
            alarm_severity: AlarmSeverity::Informational,
            text: Text::new("Name=SEP0011223344AA Load=test Last=Initialized"),
            parm1: 1,
            parm2: 2,
        }
        .into(),
        register.into(),
        token.into(),
        spcp.into(),
        message::IpPort { rtp_media_port: 16384 }.into(),
        message::CapabilitiesRes::new(&audio).into(),
        message::HeadsetStatus { headset_status: HeadsetMode::Off }.into(),
        message::RegisterAvailableLines { max_num_of_avail_lines: 6 }.into(),
        message::ButtonTemplateReq.into(),
        message::SoftKeyTemplateReq.into(),
        message::SoftKeySetReq.into(),
        message::ConfigStatReq.into(),
        message::TimeDateReq.into(),
        message::VersionReq.into(),
        message::ServerReq.into(),
        message::LineStatReq { line_number: 1 }.into(),
        message::ForwardStatReq { line_number: 1 }.into(),
        message::SpeedDialStatReq { speed_dial_number: 2 }.into(),
        message::ServiceUrlStatReq { service_url_index: 3 }.into(),
        message::FeatureStatReq { feature_index: 4, feature_capabilities: 1 }.into(),
        message::UnregisterReq { reason: UnregisterReason::PowerSaveMode }.into(),
        message::OffHook { line_instance, call_reference }.into(),
        message::OnHook { line_instance, call_reference }.into(),
        message::HookFlash { line_instance, call_reference }.into(),
        message::KeypadButton { kp_button: KeypadKey::Pound, line_instance, call_reference }.into(),
        message::EnblocCall { called_party: Number::new("1002"), line_instance, ..Default::default() }.into(),
        message::Stimulus { stimulus: StimulusType::Hold, line_instance, call_reference, stimulus_status: 0 }
            .into(),
        message::SoftKeyEvent { soft_key_event: SoftKey::NewCall, line_instance, call_reference }.into(),
        message::MediaPathEvent {
            media_path_id: MediaPathId::Speaker,
            media_path_event: MediaPathEventKind::On,
        }
        .into(),
        message::MediaPathCapability {
            media_path_id: MediaPathId::Headset,
            media_path_capabilities: MediaPathAbility::Monitor,
        }
        .into(),
        message::OpenReceiveChannelAck {
            media_reception_status: MediaStatus::Ok,
            ip_addr: ADDRESS.into(),
            port_number: 16384,
            pass_through_party_id,
            call_reference,
        }
        .into(),
        message::StartMediaTransmissionAck {
            conference_id,
            pass_through_party_id,
            call_reference,
            transmit_ip_addr: ADDRESS.into(),
            port_number: 16386,
            media_transmission_status: MediaStatus::Ok,
        }
        .into(),
        message::MediaTransmissionFailure {
            conference_id,
            pass_through_party_id,
            remote_ip_addr: ADDRESS.into(),
            remote_port_number: 16384,
            call_reference,
        }
        .into(),
        statistics.into(),
    ]
}
