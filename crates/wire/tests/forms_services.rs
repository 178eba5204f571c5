//! One row per form of user data, digits in media, conferences, announcements, subscriptions, waiting messages
//! and reports. No capture has them: the lengths are those of the field's layout list.

#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "common/rows.rs"]
mod rows;

use rows::{
    HERE,
    Part::{T, W, X, Z},
    manager, station,
};
use selsius_wire::{
    AddParticipantResult, AnnouncementMode, AnnouncementStatus, AuditParticipantResult, ConferenceResource,
    CreateConferenceResult, DeleteConferenceResult, EndOfAnnouncement, ModifyConferenceResult, MwiResult,
    Number, RecordingState, SequenceFlag, SessionType, SubscribeCause, SubscriptionFeature, Text, Tone,
    message::{self, AuditConferenceEntry, LineData, MwiMessageCounts},
};

#[test]
fn user_data_in_its_short_and_long_form() {
    macro_rules! both_forms {
        ($way:ident $short:ident $long:ident) => {
            let short = message::$short {
                application_id: 1,
                line_instance: 2,
                call_reference: 9,
                transaction_id: 4,
                data_length: 5,
                xmldata: b"<a/>\n".into(),
            };
            // Padded to four bytes, old memory in the padding.
            $way(11, 11, 32, &[W(&[1, 2, 9, 4, 5]), T("<a/>\n", 5), X("616263")], 3, short);
            let empty = message::$short { application_id: 1, ..Default::default() };
            $way(11, 11, 24, &[W(&[1, 0, 0, 0, 0])], 0, empty);
            let long = message::$long {
                application_id: 1,
                line_instance: 2,
                call_reference: 9,
                transaction_id: 4,
                data_length: 4,
                sequence_flag: SequenceFlag::Last,
                display_priority: 6,
                conference_id: 7,
                app_instance_id: 8,
                routing_id: 10,
                xmldata: b"<a/>".into(),
            };
            let parts = [W(&[1, 2, 9, 4, 4, 2, 6, 7, 8, 10]), T("<a/>", 4)];
            $way(20, 20, 48, &parts, 0, long);
        };
    }
    both_forms!(station DeviceToUserData DeviceToUserDataVersion1);
    both_forms!(station DeviceToUserDataResponse DeviceToUserDataResponseVersion1);
    both_forms!(manager UserToDeviceData UserToDeviceDataVersion1);
}

#[test]
fn digits_in_media() {
    let (tone, conference_id, passthru_party_id) = (Tone::DtmfPound, 1, 2);
    let parts = [W(&[15, 1, 2])];
    manager(11, 11, 16, &parts, 0, message::NotifyDtmfTone { tone, conference_id, passthru_party_id });
    manager(11, 11, 16, &parts, 0, message::SendDtmfTone { tone, conference_id, passthru_party_id });
    let (payload_dtmf, dtmf_type) = (101, 3);
    let parts = [W(&[101, 1, 2, 3])];
    let req = message::SubscribeDtmfPayloadReq { payload_dtmf, conference_id, passthru_party_id, dtmf_type };
    manager(11, 11, 20, &parts, 0, req);
    let req =
        message::UnSubscribeDtmfPayloadReq { payload_dtmf, conference_id, passthru_party_id, dtmf_type };
    manager(11, 11, 20, &parts, 0, req);
    let parts = [W(&[101, 1, 2])];
    let res = message::SubscribeDtmfPayloadRes { payload_dtmf, conference_id, passthru_party_id };
    station(11, 11, 16, &parts, 0, res);
    let res = message::UnSubscribeDtmfPayloadRes { payload_dtmf, conference_id, passthru_party_id };
    station(11, 11, 16, &parts, 0, res);
    let err = message::SubscribeDtmfPayloadErr { payload_dtmf, conference_id, passthru_party_id };
    station(11, 11, 16, &parts, 0, err);
    manager(11, 11, 16, &parts, 0, err);
    let err = message::UnSubscribeDtmfPayloadErr { payload_dtmf, conference_id, passthru_party_id };
    station(11, 11, 16, &parts, 0, err);
    manager(11, 11, 16, &parts, 0, err);
}

#[test]
fn conferences_come_change_and_go() {
    let conference_id = 1;
    station(11, 11, 12, &[W(&[1, 2])], 0, message::ClearConference { conference_id, service_num: 2 });
    let create = message::CreateConferenceReq {
        conference_id,
        number_of_reserved_participants: 3,
        resource_type: ConferenceResource::Ivr,
        application_id: 4,
        app_conf_id: Text::new("weekly"),
        app_data: Text::new("data"),
        data_length: 2,
        pass_thru_data: b"ab".into(),
    };
    let parts = [W(&[1, 3, 1, 4]), T("weekly", 32), T("data", 24), W(&[2]), T("ab", 4)];
    manager(11, 11, 84, &parts, 2, create.clone());
    station(11, 11, 84, &parts, 2, create);
    let created = message::CreateConferenceRes {
        conference_id,
        result: CreateConferenceResult::AlreadyExists,
        data_length: 4,
        pass_thru_data: b"abcd".into(),
    };
    station(11, 11, 20, &[W(&[1, 2, 4]), T("abcd", 4)], 0, created);
    let modify = message::ModifyConferenceReq {
        conference_id,
        number_of_reserved_participants: 3,
        application_id: 4,
        app_conf_id: Text::new("weekly"),
        app_data: Text::new("data"),
        ..Default::default()
    };
    manager(11, 11, 76, &[W(&[1, 3, 4]), T("weekly", 32), T("data", 24), W(&[0])], 0, modify);
    let modified = message::ModifyConferenceRes {
        conference_id,
        modify_conf_result: ModifyConferenceResult::SystemError,
        ..Default::default()
    };
    station(11, 11, 16, &[W(&[1, 6, 0])], 0, modified);
    manager(11, 11, 8, &[W(&[1])], 0, message::DeleteConferenceReq { conference_id });
    let deleted =
        message::DeleteConferenceRes { conference_id, delete_conf_result: DeleteConferenceResult::NotThere };
    station(11, 11, 12, &[W(&[1, 1])], 0, deleted);
}

#[test]
fn participants_come_change_and_go() {
    let (conference_id, call_reference) = (1, 9);
    let party = || [W(&[1, 9, 12]), T("Ann", 40), T("1001", 24), T("weekly", 32)];
    let add = message::AddParticipantReq {
        conference_id,
        call_reference,
        party_pi_restriction_bits: 12,
        participant_name: Text::new("Ann"),
        participant_number: Text::new("1001"),
        conference_name: Text::new("weekly"),
    };
    manager(11, 11, 112, &party(), 0, add);
    let change = message::ChangeParticipantReq {
        conference_id,
        call_reference,
        party_pi_restriction_bits: 12,
        participant_name: Text::new("Ann"),
        participant_number: Text::new("1001"),
        conference_name: Text::new("weekly"),
    };
    manager(11, 11, 112, &party(), 0, change);
    let added = message::AddParticipantRes {
        conference_id,
        call_reference,
        add_participant_result: AddParticipantResult::DuplicateCallReference,
        bridge_participant_id: Text::new("a"),
    };
    // Not padded, as the document has it, and padded.
    station(11, 11, 273, &[W(&[1, 9, 3]), T("a", 257)], 0, added);
    station(11, 11, 276, &[W(&[1, 9, 3]), T("a", 257), X("010203")], 3, added);
    manager(11, 11, 12, &[W(&[1, 9])], 0, message::DropParticipantReq { conference_id, call_reference });
}

#[test]
fn audits_with_slots() {
    manager(11, 11, 4, &[], 0, message::AuditConferenceReq);
    manager(11, 11, 8, &[W(&[1])], 0, message::AuditParticipantReq { conference_id: 1 });
    let mut entries = [AuditConferenceEntry::default(); 32];
    entries[0] = AuditConferenceEntry {
        conference_id: 1,
        number_of_reserved_participants: 3,
        number_of_active_participants: 2,
        application_id: 4,
        app_conf_id: Text::new("weekly"),
        app_data: Text::new("data"),
        ..Default::default()
    };
    let res = message::AuditConferenceRes { last: 1, number_of_entries: 1, conference_entry: entries };
    assert_eq!(res.used().len(), 1);
    let parts = || vec![W(&[1, 1]), W(&[1, 0, 3, 2, 4]), T("weekly", 32), T("data", 24)];
    let mut all = parts();
    all.push(Z(31 * 76));
    station(11, 11, 2444, &all, 0, res.clone());
    // Only the slots in use.
    station(11, 11, 88, &parts(), 0, res);
    let mut participant_entry = [0; 256];
    participant_entry[..2].copy_from_slice(&[9, 10]);
    let res = message::AuditParticipantRes {
        audit_participant_result: AuditParticipantResult::Ok,
        last: 1,
        conference_id: 1,
        number_of_entries: 2,
        participant_entry,
    };
    assert_eq!(res.used(), [9, 10]);
    station(11, 11, 1044, &[W(&[0, 1, 1, 2, 9, 10]), Z(254 * 4)], 0, res);
}

#[test]
fn announcements_and_sessions() {
    let mut start = message::StartAnnouncement {
        ann_ack_req: EndOfAnnouncement::Reported,
        conference_id: 1,
        hearing_conf_party_mask: 3,
        ann_play_mode: AnnouncementMode::Once,
        ..Default::default()
    };
    start.ann_list[0] =
        message::Announcement { locale: 1, country: 2, tone_announcement: Tone::MeetMeGreeting };
    start.matrix_conf_party_id[1] = 7;
    let parts = [W(&[1, 2, 0x80]), Z(31 * 12), W(&[1, 1, 0, 7]), Z(14 * 4), W(&[3, 1])];
    manager(11, 11, 468, &parts, 0, start);
    manager(11, 11, 8, &[W(&[1])], 0, message::StopAnnouncement { conference_id: 1 });
    let finish = message::AnnouncementFinish { conference_id: 1, ann_status: AnnouncementStatus::Error };
    station(11, 11, 12, &[W(&[1, 1])], 0, finish);
    for (version, length, address) in
        [(16, 12, "c0000207"), (17, 28, "00000000 c0000207 00000000 00000000 00000000")]
    {
        let (remote_ip_addr, session_type) = (HERE.into(), SessionType::Whiteboard);
        let start = message::StartSessionTransmission { remote_ip_addr, session_type };
        manager(version, version.into(), length, &[X(address), W(&[2])], 0, start);
        let stop = message::StopSessionTransmission { remote_ip_addr, session_type };
        manager(version, version.into(), length, &[X(address), W(&[2])], 0, stop);
    }
}

#[test]
fn subscriptions_and_waiting_messages() {
    let (transaction_id, subscription_feature_id, timer) = (5, SubscriptionFeature::Blf, 3600);
    let subscribe = message::SubscriptionStatReq {
        transaction_id,
        subscription_feature_id,
        timer,
        subscription_id: Text::new("1002"),
    };
    station(11, 11, 80, &[W(&[5, 1, 3600]), T("1002", 64)], 0, subscribe);
    let cause = SubscribeCause::AuthFail;
    let answer = message::SubscriptionStat { transaction_id, subscription_feature_id, timer, cause };
    manager(11, 11, 20, &[W(&[5, 1, 3600, 2])], 0, answer);
    let notice = message::Notification {
        transaction_id,
        subscription_feature_id,
        notification_status: 2,
        text: Text::new("busy"),
    };
    manager(11, 11, 113, &[W(&[5, 1, 2]), T("busy", 97)], 0, notice);
    manager(11, 11, 116, &[W(&[5, 1, 2]), T("busy", 97), X("616263")], 3, notice);
    let counts = |num_new_msgs, num_old_msgs| MwiMessageCounts { num_new_msgs, num_old_msgs };
    let waiting = message::MwiNotification {
        mwi_target_number: Text::new("1001"),
        mwi_control_number: Text::new("8000"),
        are_messages_waiting: 1,
        total_vm_counts: counts(1, 2),
        priority_vm_counts: counts(3, 4),
        total_fax_counts: counts(5, 6),
        priority_fax_counts: counts(7, 8),
    };
    let parts = [T("1001", 25), T("8000", 25), W(&[1, 1, 2, 3, 4, 5, 6, 7, 8])];
    station(11, 11, 90, &parts, 0, waiting);
    manager(20, 20, 90, &parts, 0, waiting);
    let answer = message::MwiRes {
        mwi_target_number: Text::new("1001"),
        mwi_notification_result: MwiResult::VmCountOutOfBounds,
    };
    manager(11, 11, 33, &[T("1001", 25), W(&[3])], 0, answer);
}

#[test]
fn reports_and_recording() {
    let location = message::LocationInfo { location_info: Text::new("here") };
    station(20, 20, 2405, &[T("here", 2401)], 0, location);
    let module = message::AddOnDeviceCapabilities {
        unknown1: 1,
        unknown2: 2,
        unknown3: 3,
        unknown_string: Text::new("7915"),
    };
    station(20, 20, 168, &[W(&[1, 2, 3]), T("7915", 152)], 0, module);
    let alarm = message::EnhancedAlarm { alarm_info: b"<x/>\0".into() };
    station(20, 20, 9, &[T("<x/>", 5)], 0, alarm);
    station(20, 20, 4, &[], 0, message::EnhancedAlarm::default());
    // No more than the documents say; the rest is the tail.
    let longest = message::EnhancedAlarm { alarm_info: vec![0; 2048].into() };
    station(20, 20, 2053, &[Z(2049)], 1, longest);
    station(20, 20, 4, &[], 0, message::CallCountReq);
    manager(20, 20, 4, &[], 0, message::CallCountReq);
    let mut line_data = [LineData::default(); 42];
    line_data[0] = LineData { max_num_calls: 4, busy_trigger: 2 };
    let counts = message::CallCountResp {
        total_num_of_configured_lines: 1,
        starting_line_instance: 1,
        line_data_entries: 1,
        line_data,
    };
    assert_eq!(counts.used().len(), 1);
    manager(20, 20, 184, &[W(&[1, 1, 1]), X("0400 0200"), Z(41 * 4)], 0, counts);
    let recording = message::RecordingStatus { call_reference: 9, recording_status: RecordingState::On };
    manager(20, 20, 12, &[W(&[9, 1])], 0, recording);
    for (version, length, area) in [(18, 56, 24), (20, 58, 25)] {
        let off_hook = message::OffHookWithCallingPartyNumber {
            calling_party_number: Number::new("1001"),
            cgpn_voice_mailbox: Number::new("8000"),
            line_instance: 1,
        };
        station(version, version.into(), length, &[T("1001", area), T("8000", area), W(&[1])], 0, off_hook);
    }
}
