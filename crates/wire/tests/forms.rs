//! One row per form of registration, displays and calls: bytes as captures have them (with values of our
//! own), and the struct that they mean.

#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "common/rows.rs"]
mod rows;

use common::frame;
use rows::{
    ConcatParts as _, HERE,
    Part::{T, W, X, Z},
    framed, manager, station,
};
use selsius_wire::{
    AlarmSeverity, ButtonType, Bytes, CallSecurity, CallState, CallType, Codec, Context, DeviceType, DynText,
    EncryptionCapability, Features, IpAddressMode, KeypadKey, MediaDirection, Number, RingMode, SoftKey,
    SoftKeySetId, Spare, StationMessage, StimulusType, Text, Tone,
    message::{self, AudioCapability, ButtonDefinition, EnblocForm},
};

#[test]
fn register_ends_where_the_phone_is_too_old_to_say_more() {
    let until_version = || message::Register {
        device_name: Text::new("SEP0011223344AA"),
        instance: 1,
        station_ip_addr: HERE,
        device_type: DeviceType::Cisco7912,
        ..Default::default()
    };
    let start = || [T("SEP0011223344AA", 16), W(&[0, 1]), X("c0000207"), W(&[30007, 0])];
    // Phones without a version byte.
    station(0, 0, 40, &start(), 0, until_version());
    // 4.1, frame 87: a 7912.
    let mut parts = Vec::from(start());
    parts.extend([W(&[0]), X("07 00 00 81"), W(&[0, 2])]);
    let seven = message::Register {
        protocol_ver: 7,
        features: Features([0, 0, 0x81]),
        active_conferences: 2,
        ..until_version()
    };
    station(0, 0, 56, &parts, 0, seven);
    // chan-sccp v17, frame 7: everything up to the load.
    let mut parts = Vec::from(start());
    parts.extend([W(&[5]), X("11 01 00 80"), W(&[3, 0]), T("001122334455", 12), W(&[1, 8]), Z(16), W(&[2])]);
    parts.push(T("SCCP45.9-4-2SR3-1S", 32));
    let seventeen = message::Register {
        active_streams: 5,
        protocol_ver: 17,
        features: Features([1, 0, 0x80]),
        max_conferences: 3,
        mac_address: Bytes(*b"001122334455"),
        ipv4_address_scope: 1,
        max_number_of_lines: 8,
        ipv6_address_scope: 2,
        firmware_load_name: Text::new("SCCP45.9-4-2SR3-1S"),
        ..until_version()
    };
    station(0, 0, 128, &parts, 0, seventeen);
}

#[test]
fn register_ack_without_and_with_a_version() {
    let old = message::RegisterAck {
        keep_alive_interval: 30,
        date_template: Text::new("M/D/Y"),
        ..Default::default()
    };
    manager(0, 0, 16, &[W(&[30]), T("M/D/Y", 8)], 0, old);
    // The template may fill its six bytes; two bytes of old memory follow (an IOS bridge).
    let new = message::RegisterAck {
        date_template: Text::full("Unused"),
        alignment_padding: 0xBEEF,
        secondary_keep_alive_interval: 60,
        max_protocol_ver: 18,
        features: Features([0x20, 0xF1, 0xFF]),
        ..old
    };
    manager(0, 0, 24, &[W(&[30]), T("Unused", 6), X("efbe"), W(&[60]), X("12 20 f1 ff")], 0, new);
}

#[test]
fn rejects_and_texts_of_33_bytes_keep_their_padding() {
    let text = Text::new("No entry");
    manager(0, 0, 36, &[T("No entry", 32)], 0, message::RegisterReject { text });
    manager(0, 0, 40, &[T("No entry", 32), X("00 61 62 63")], 4, message::RegisterReject { text });
    manager(0, 0, 40, &[T("No entry", 36)], 4, message::DisplayText { text });
}

#[test]
fn alarm_with_old_memory_after_the_text() {
    let mut area = [b'x'; 80];
    area[..11].copy_from_slice(b"Name=SEP00\0");
    let alarm = message::Alarm {
        alarm_severity: AlarmSeverity::Informational,
        text: Text::from_area(area),
        parm1: 0x0001_0800,
        parm2: 0x0702_00C0,
    };
    let mut parts = vec![W(&[2]), T("Name=SEP00", 11)];
    parts.extend((0..69).map(|_| X("78")));
    parts.extend([X("00 08 01 00"), X("c0000207")]);
    station(0, 0, 96, &parts, 0, alarm);
    assert_eq!(alarm.text.to_string(), "Name=SEP00");
}

#[test]
fn line_stat_ends_where_the_manager_is_too_old_to_say_more() {
    let number =
        message::LineStat { line_number: 1, line_dir_number: Text::new("1001"), ..Default::default() };
    manager(0, 0, 32, &[W(&[1]), T("1001", 24)], 0, number);
    // cm31, line_stat.
    let name = message::LineStat { line_fully_qualified_display_name: Text::new("Ann"), ..number };
    manager(0, 0, 72, &[W(&[1]), T("1001", 24), T("Ann", 40)], 0, name);
    // cm33, line_stat.
    let label = message::LineStat { line_text_label: Text::new("Desk"), ..name };
    manager(0, 0, 112, &[W(&[1]), T("1001", 24), T("Ann", 40), T("Desk", 40)], 0, label);
    let options = message::LineStat { line_display_options: 15, ..label };
    manager(6, 0, 116, &[W(&[1]), T("1001", 24), T("Ann", 40), T("Desk", 40), W(&[15])], 0, options);
    // chan-sccp v17, frame 27: dynamic, padded.
    let dynamic = message::LineStatV2 {
        line_number: 1,
        line_type: 0,
        line_dir_number: DynText::new("1001"),
        line_fully_qualified_display_name: DynText::new("Phone 1001"),
        line_text_label: DynText::new("1001"),
    };
    let texts = T("1001\0Phone 1001\x001001", 24);
    manager(17, 17, 36, &[W(&[1, 0]), texts], 3, dynamic);
}

#[test]
fn button_template_tells_empty_keys_from_unused_slots() {
    let buttons = [
        ButtonDefinition::new(1, ButtonType::Line),
        ButtonDefinition::new(1, ButtonType::SpeedDial),
        ButtonDefinition::new(1, ButtonType::Undefined),
    ];
    let template = message::ButtonTemplate::new(&buttons);
    assert_eq!(template.used(), buttons);
    // 42 slots (4.1, frame 94): the slots beyond the length have their absent value.
    let mut short = template.clone();
    short.definition[42..].fill(ButtonDefinition::default());
    let mut parts = vec![W(&[0, 3, 3]), X("0109 0102 01ff")];
    parts.extend((0..39).map(|_| X("00ff")));
    manager(6, 0, 100, &parts, 0, short);
    // 56 slots (chan-sccp v17, frame 19).
    parts.extend((0..14).map(|_| X("00ff")));
    manager(17, 17, 128, &parts, 0, template);
}

#[test]
fn soft_keys_as_callmanager_sends_them() {
    // 4.1, frame 97: the label is two bytes; the event follows.
    let keys = [
        message::SoftKeyDefinition {
            soft_key_label: Text::new(b"\x80\x01"),
            soft_key_event: SoftKey::Redial,
        },
        message::SoftKeyDefinition {
            soft_key_label: Text::new(b"\x80\x58"),
            soft_key_event: SoftKey::Unknown(33),
        },
    ];
    let template = message::SoftKeyTemplate::new(&keys);
    assert_eq!(template.used(), keys);
    let start = [W(&[0, 2, 2]), X("8001"), Z(14), W(&[1]), X("8058"), Z(14), W(&[33])];
    manager(6, 0, 656, &[start.into(), vec![Z(30 * 20)]].concat_parts(), 0, template);

    // 4.1, frame 100: sixteen positions, sixteen info indexes of 300 + event.
    let mut set = message::SoftKeySetDefinition::default();
    set.soft_key_template_index[..3].copy_from_slice(&[1, 2, 5]);
    set.soft_key_info_index[..3].copy_from_slice(&[301, 302, 305]);
    let sets = message::SoftKeySet::new(&[set]);
    let slots = [W(&[0, 1, 1]), X("010205"), Z(13), X("2d01 2e01 3101"), Z(26), Z(15 * 48)];
    manager(6, 0, 784, &slots, 0, sets.clone());
    // FreeSWITCH: a spare word.
    let slots = [W(&[0, 1, 1]), X("010205"), Z(13), X("2d01 2e01 3101"), Z(26), Z(15 * 48 + 4)];
    manager(3, 0, 788, &slots, 4, sets);

    // 4.1: the connected set without its tenth key.
    let select = message::SelectSoftKeys {
        line_instance: 1,
        call_reference: 0x0100_001F,
        soft_key_set_index: SoftKeySetId::Connected,
        valid_key_mask: 0xFFFF_FDFF,
    };
    manager(6, 0, 20, &[W(&[1, 0x0100_001F, 1, 0xFFFF_FDFF])], 0, select);
}

#[test]
fn capabilities_keep_unions_and_dirty_slots() {
    let caps = [
        AudioCapability::new(Codec::G711Ulaw64k, 40),
        AudioCapability {
            payload_capability: Codec::G7231,
            max_frames_per_packet: 1,
            payloads: message::PayloadParams::G723(selsius_wire::G723BitRate::R6_3, Spare(*b"junk")),
        },
    ];
    let mut whole = message::CapabilitiesRes::new(&caps);
    let parts = [W(&[2, 4, 40, 0, 0, 9, 1, 2]), T("junk", 4)];
    // Ends after the last slot in use (chan-sccp captures).
    station(0, 0, 40, &parts, 0, whole.clone());
    assert_eq!(whole.used(), caps);
    // 18 slots, the third with old memory (4.1).
    whole.caps[2] = AudioCapability::new(Codec::Unknown(77), 0);
    let parts = [W(&[2, 4, 40, 0, 0, 9, 1, 2]), T("junk", 4), W(&[77, 0, 0, 0]), Z(15 * 16)];
    station(6, 0, 296, &parts, 0, whole.clone());
    assert_eq!(whole.used().len(), 2);
}

#[test]
fn hooks_keys_and_buttons_with_and_without_a_call() {
    station(6, 0, 4, &[], 0, message::OffHook::default());
    station(20, 20, 12, &[W(&[1, 9])], 0, message::OffHook { line_instance: 1, call_reference: 9 });
    station(6, 0, 4, &[], 0, message::OnHook::default());
    let digit = message::KeypadButton { kp_button: KeypadKey::Star, line_instance: 0, call_reference: 0 };
    station(3, 0, 8, &[W(&[14])], 0, digit);
    let digit = message::KeypadButton { line_instance: 1, call_reference: 9, ..digit };
    station(6, 0, 16, &[W(&[14, 1, 9])], 0, digit);
    let line = message::Stimulus { stimulus: StimulusType::Line, line_instance: 2, ..Default::default() };
    station(0, 0, 12, &[W(&[9, 2])], 0, line);
    station(11, 0, 16, &[W(&[9, 2, 7])], 0, message::Stimulus { call_reference: 7, ..line });
    station(
        22,
        22,
        12,
        &[W(&[3, 6])],
        0,
        message::FeatureStatReq { feature_index: 3, feature_capabilities: 6 },
    );
    station(3, 0, 4, &[], 0, message::UnregisterReq::default());
    station(0, 0, 8, &[W(&[25000])], 0, message::IpPort { rtp_media_port: 25000 });
}

#[test]
fn enbloc_call_in_all_its_forms() {
    let number = message::EnblocCall { called_party: Number::new("1002"), ..Default::default() };
    station(6, 0, 28, &[T("1002", 24)], 0, number);
    let line = message::EnblocCall { line_instance: 3, ..number };
    station(18, 18, 32, &[T("1002", 24), W(&[3])], 0, line);
    // 8945 at v22: the line at offset 28.
    station(
        22,
        22,
        36,
        &[T("1002", 25), X("aabbcc"), W(&[3])],
        0,
        message::EnblocCall { form: EnblocForm::Aligned(Bytes([0xAA, 0xBB, 0xCC])), ..line },
    );
    // 7970 at v22: the line at offset 25, unaligned.
    station(
        22,
        22,
        36,
        &[T("1002", 25), W(&[3]), Z(3)],
        3,
        message::EnblocCall { form: EnblocForm::Packed, ..line },
    );
}

#[test]
fn tones_and_ringers_of_callmanager_2_and_later() {
    let tone = message::StartTone { tone: Tone::InsideDialTone, ..Default::default() };
    manager(0, 0, 8, &[W(&[0x21])], 0, tone);
    manager(
        6,
        0,
        20,
        &[W(&[0x21, 0, 1, 9])],
        0,
        message::StartTone { line_instance: 1, call_reference: 9, ..tone },
    );
    manager(0, 0, 4, &[], 0, message::StopTone::default());
    let stop = message::StopTone { line_instance: 1, call_reference: 9, ..Default::default() };
    manager(6, 0, 12, &[W(&[1, 9])], 0, stop);
    manager(20, 20, 16, &[W(&[1, 9, 0x24])], 0, message::StopTone { tone: Tone::AlertingTone, ..stop });
    manager(0, 0, 8, &[W(&[2])], 0, message::SetRinger { ring_mode: RingMode::Inside, ..Default::default() });
}

#[test]
fn call_states_long_and_short() {
    let state = message::CallState {
        call_state: CallState::Proceed,
        line_instance: 1,
        call_reference: 9,
        ..Default::default()
    };
    // FreeSWITCH.
    manager(3, 0, 16, &[W(&[12, 1, 9])], 0, state);
    let long = message::CallState { precedence_level: 4, ..state };
    manager(6, 0, 28, &[W(&[12, 1, 9, 0, 4, 0])], 0, long);
}

#[test]
fn dialed_number_is_wide_by_version_not_by_length() {
    let dialed = message::DialedNumber {
        dialed_number: Number::new("307"),
        line_instance: 1,
        call_reference: 0x012E_364A,
    };
    let rest = W(&[1, 0x012E_364A]);
    manager(18, 18, 36, &[T("307", 24), rest], 0, dialed);
    // v20, frame 11: 25 bytes, unaligned, padded.
    manager(20, 20, 40, &[T("307", 25), W(&[1, 0x012E_364A]), Z(3)], 3, dialed);
    // The header alone says so too.
    manager(0, 20, 40, &[T("307", 25), W(&[1, 0x012E_364A]), Z(3)], 3, dialed);
    // chan-sccp v3 and v17: 24 bytes and a spare word.
    manager(3, 0, 40, &[T("307", 24), W(&[1, 0x012E_364A, 0])], 4, dialed);
    manager(17, 17, 40, &[T("307", 24), W(&[1, 0x012E_364A, 0])], 4, dialed);
}

#[test]
fn prompts_and_notices_fixed_and_dynamic() {
    let prompt = message::DisplayPromptStatus {
        time_out_value: 0,
        prompt_status: Text::new(b"\x80\x20"),
        line_instance: 1,
        call_reference: 9,
    };
    manager(6, 0, 48, &[W(&[0]), X("8020"), Z(30), W(&[1, 9])], 0, prompt);
    let dynamic = message::DisplayPromptStatusV2 {
        time_out_value: 0,
        line_instance: 1,
        call_reference: 9,
        prompt_status: DynText::new(b"\x80\x17321"),
    };
    // v20, frame 7.
    manager(20, 20, 24, &[W(&[0, 1, 9]), X("8017"), T("321", 6)], 2, dynamic);
    let notice =
        message::DisplayPriNotifyV2 { time_out_value: 10, priority: 5, notify: DynText::new(b"\x80\x17321") };
    manager(20, 20, 20, &[W(&[10, 5]), X("8017"), T("321", 6)], 2, notice);
}

#[test]
fn call_info_dynamic_has_15_strings_or_12() {
    let info = message::CallInfoV2 {
        line_instance: 1,
        call_reference: 9,
        call_type: CallType::Inbound,
        call_instance: 1,
        call_security_status: CallSecurity::NotAuthenticated,
        calling_party: DynText::new("321"),
        called_party: DynText::new("307"),
        original_called_party: DynText::new("307"),
        calling_party_name: DynText::new("Ann"),
        called_party_name: DynText::new("Bob"),
        ..Default::default()
    };
    let words = || W(&[1, 9, 1, 0, 0, 1, 1, 0]);
    // v20, frame 9.
    let fifteen = message::CallInfoV2 { alternate_calling_party: DynText::new("321"), ..info.clone() };
    let strings = "321\x00321\x00307\x00307\0\0\0\0\0\0Ann\0Bob\0\0\0\0\0";
    manager(20, 20, 68, &[words(), T(strings, 32)], 0, fifteen);
    let strings = "321\x00307\x00307\0\0\0\0\0\0Ann\0Bob\0\0\0";
    manager(11, 11, 64, &[words(), T(strings, 28)], 1, info);
}

#[test]
fn call_info_of_callmanager_2_is_a_truncation() {
    let info = message::CallInfo {
        calling_party_name: Text::new("Ann"),
        calling_party: Text::new("1001"),
        called_party_name: Text::new("Bob"),
        called_party: Text::new("1002"),
        ..Default::default()
    };
    let parts = [T("Ann", 40), T("1001", 24), T("Bob", 40), T("1002", 24)];
    manager(0, 0, 132, &parts, 0, info);
}

#[test]
fn capability_updates_by_slots_in_use_and_by_all_slots() {
    let audio = [AudioCapability::new(Codec::G729, 3), AudioCapability::new(Codec::G711Alaw64k, 40)];
    // Only the slots in use: counts, two words and a count of services, the audio formats, one video format.
    let used = message::UpdateCapabilitiesV3::new(&audio);
    let parts = [W(&[2, 0, 0, 0, 0]), W(&[0, 0, 0]), W(&[11, 3, 0, 0, 2, 40, 0, 0])];
    station(20, 20, 68, &parts, 0, used.clone());
    // With a video format that has one preference, and a data format; before v16 and from v16 on.
    for (version, more, second) in [(11, 0, None), (20, 4, Some(IpAddressMode::Both))] {
        let video = message::VideoCapabilityV3 {
            payload_capability: Codec::H264,
            video_capability_direction: MediaDirection::Both,
            level_preference_count: 1,
            level_preference: vec![message::LevelPreference { format: 3, mpi: 1, ..Default::default() }],
            encryption_capability: EncryptionCapability::Capable,
            capability: message::VideoParams::H264(message::H264Params { profile: 66, ..Default::default() }),
            ip_addressing_mode: IpAddressMode::V6,
            second_ip_addressing_mode: message::SecondIpAddressMode(second),
        };
        let data = message::DataCapabilityV2 { max_bit_rate: 64, ..Default::default() };
        let all = message::UpdateCapabilitiesV3 {
            video_cap_count: 1,
            data_cap_count: 1,
            vid_caps: vec![video],
            data_caps: vec![data],
            ..used.clone()
        };
        let parts = [
            W(&[2, 1, 1, 0, 0, 0, 0, 0]),
            W(&[11, 3, 0, 0, 2, 40, 0, 0]),
            W(&[0x67, 3, 1, 0, 3, 0, 0, 1, 0, 1, 66, 0, 0, 0, 0, 0, 1]),
            if more > 0 { W(&[2]) } else { Z(0) },
            W(&[0, 0, 0, 64, 0]),
        ];
        station(version, version.into(), 156 + more, &parts, 0, all.clone());
        // Not knowing the version does no harm.
        station(0, 0, 156 + more, &parts, 0, all);
    }

    // All slots, in the lengths that the documents say.
    for length in [2104, 2144] {
        let parts = [
            W(&[1, 1, 0, 0, 0]),
            Z(120 + 172),
            W(&[11, 3]),
            Z(8 + 17 * 16),
            W(&[0x67, 3]),
            Z(length - 4 - 600 - 8),
        ];
        let bytes = framed(u32::try_from(length).unwrap(), 20, 0x44, &parts);
        let received = StationMessage::decode(frame(&bytes), Context::new(20)).unwrap();
        assert_eq!(received.tail.len(), 0);
        let StationMessage::UpdateCapabilitiesV3(all) = received.message else { panic!() };
        assert_eq!((all.vid_caps.len(), all.data_caps.len(), all.video().len()), (10, 5, 1));
        assert_eq!(all.vid_caps[0].level_preference.len(), 4);
        assert_eq!(all.vid_caps[0].second_ip_addressing_mode.0.is_some(), length == 2144);
    }
    // All slots, cut behind the audio formats.
    let parts = [W(&[2, 0, 0, 0, 0]), Z(120), Z(172), W(&[11, 3, 0, 0, 2, 40, 0, 0]), Z(16 * 16)];
    let bytes = framed(604, 20, 0x44, &parts);
    let received = StationMessage::decode(frame(&bytes), Context::new(20)).unwrap();
    let StationMessage::UpdateCapabilitiesV3(all) = received.message else { panic!() };
    assert_eq!(all.audio(), audio);
    assert_eq!((all.custom_picture_format.len(), all.audiocaps.len()), (6, 18));

    // The fixed forms have the lengths that the documents say.
    let parts =
        [W(&[2, 0, 0, 0, 0]), Z(120), Z(172), W(&[11, 3, 0, 0, 2, 40, 0, 0]), Z(16 * 16), Z(1160), Z(80)];
    let bytes = framed(1844, 0, 0x30, &parts);
    let received = StationMessage::decode(frame(&bytes), Context::new(11)).unwrap();
    assert_eq!((received.fields_end, received.tail.len()), (1840, 0));
    let StationMessage::UpdateCapabilities(all) = received.message else { panic!() };
    assert_eq!(all.audio(), audio);
    let bytes = framed(2004, 0, 0x43, &[W(&[1]), Z(1996)]);
    let received = StationMessage::decode(frame(&bytes), Context::new(11)).unwrap();
    assert_eq!((received.fields_end, received.tail.len()), (2000, 0));
}
