//! Conferences on a bridge. No capture has one of these; the fields are those of the field's layout list, and
//! apart from ClearConference nobody knows who sends them: taken both ways.

use selsius_wire_derive::Wire;

use super::{alike, empty, first};
use crate::value::{
    AddParticipantResult, AuditParticipantResult, ConferenceResource, CreateConferenceResult, Data,
    DeleteConferenceResult, ModifyConferenceResult, Text,
};

/// The most bytes that are passed through a bridge in one message.
pub const PASS_THRU_MAX: usize = 2000;

empty! {
    /// 0x013C, answered by [`AuditConferenceRes`].
    AuditConferenceReq,
}

/// 0x0032. A bridge says that a conference is over. Length 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ClearConference {
    /// The conference.
    pub conference_id: u32,
    /// The service that had it.
    pub service_num: u32,
}

/// 0x0137, answered by [`CreateConferenceRes`]. Lengths 80 to 2080.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CreateConferenceReq {
    /// The conference.
    pub conference_id: u32,
    /// Places.
    pub number_of_reserved_participants: u32,
    /// What for.
    pub resource_type: ConferenceResource,
    /// Which application wants it.
    pub application_id: u32,
    /// The application's own name for it.
    pub app_conf_id: Text<32>,
    /// The application's own data.
    pub app_data: Text<24>,
    /// Bytes that follow.
    pub data_length: u32,
    /// For the bridge.
    #[wire(count = "data_length", max = PASS_THRU_MAX)]
    pub pass_thru_data: Data,
}

/// 0x0035, the answer to [`CreateConferenceReq`]. Lengths 16 to 2016.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct CreateConferenceRes {
    /// As asked.
    pub conference_id: u32,
    /// How it went.
    pub result: CreateConferenceResult,
    /// Bytes that follow.
    pub data_length: u32,
    /// From the bridge.
    #[wire(count = "data_length", max = PASS_THRU_MAX)]
    pub pass_thru_data: Data,
}

alike! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
    fields {
        /// The conference.
        pub conference_id: u32,
    }
    /// 0x0138, answered by [`DeleteConferenceRes`]. Length 8.
    DeleteConferenceReq,
    /// 0x013D, answered by [`AuditParticipantRes`]. Length 8.
    AuditParticipantReq,
}

/// 0x0036, the answer to [`DeleteConferenceReq`]. Length 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct DeleteConferenceRes {
    /// As asked.
    pub conference_id: u32,
    /// How it went.
    pub delete_conf_result: DeleteConferenceResult,
}

/// 0x0139, answered by [`ModifyConferenceRes`]. Lengths 76 to 2076.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ModifyConferenceReq {
    /// The conference.
    pub conference_id: u32,
    /// Places.
    pub number_of_reserved_participants: u32,
    /// Which application wants it.
    pub application_id: u32,
    /// The application's own name for it.
    pub app_conf_id: Text<32>,
    /// The application's own data.
    pub app_data: Text<24>,
    /// Bytes that follow.
    pub data_length: u32,
    /// For the bridge.
    #[wire(count = "data_length", max = PASS_THRU_MAX)]
    pub pass_thru_data: Data,
}

/// 0x0037, the answer to [`ModifyConferenceReq`]. Lengths 16 to 2016.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ModifyConferenceRes {
    /// As asked.
    pub conference_id: u32,
    /// How it went.
    pub modify_conf_result: ModifyConferenceResult,
    /// Bytes that follow.
    pub data_length: u32,
    /// From the bridge.
    #[wire(count = "data_length", max = PASS_THRU_MAX)]
    pub pass_thru_data: Data,
}

alike! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
    fields {
        /// The conference.
        pub conference_id: u32,
        /// The participant's call.
        pub call_reference: u32,
        /// Which names and numbers are hidden; bits as in CallInfo.
        pub party_pi_restriction_bits: u32,
        /// Who it is.
        pub participant_name: Text<40>,
        /// Who it is.
        pub participant_number: Text<24>,
        /// What the participant sees.
        pub conference_name: Text<32>,
    }
    /// 0x013A, answered by [`AddParticipantRes`]. Length 112.
    AddParticipantReq,
    /// 0x013E. A participant is somebody else now. Length 112; an answer is not known.
    ChangeParticipantReq,
}

/// 0x0038, the answer to [`AddParticipantReq`]. Length 273.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct AddParticipantRes {
    /// As asked.
    pub conference_id: u32,
    /// As asked.
    pub call_reference: u32,
    /// How it went.
    pub add_participant_result: AddParticipantResult,
    /// The bridge's own name for the participant.
    pub bridge_participant_id: Text<257>,
}

/// 0x013B. A participant goes. Length 12; an answer is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct DropParticipantReq {
    /// The conference.
    pub conference_id: u32,
    /// The participant's call.
    pub call_reference: u32,
}

/// 0x0039, the answer to [`AuditConferenceReq`]: all conferences, in as many messages as it takes. Length
/// 2444: 32 slots.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct AuditConferenceRes {
    /// Whether no more messages follow.
    pub last: u32,
    /// Slots in use.
    pub number_of_entries: u32,
    /// The conferences; unused slots are kept as they were.
    #[wire(count = "number_of_entries")]
    pub conference_entry: [AuditConferenceEntry; 32],
}

/// One conference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct AuditConferenceEntry {
    /// The conference.
    pub conference_id: u32,
    /// What for.
    pub resource_type: ConferenceResource,
    /// Places.
    pub number_of_reserved_participants: u32,
    /// Places in use.
    pub number_of_active_participants: u32,
    /// Which application wanted it.
    pub application_id: u32,
    /// The application's own name for it.
    pub app_conf_id: Text<32>,
    /// The application's own data.
    pub app_data: Text<24>,
}

impl AuditConferenceRes {
    /// The conferences of this message.
    pub fn used(&self) -> &[AuditConferenceEntry] {
        first(&self.conference_entry, self.number_of_entries)
    }
}

/// 0x0040, the answer to [`AuditParticipantReq`], in as many messages as it takes. Length 1044: 256 slots.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct AuditParticipantRes {
    /// How it went.
    pub audit_participant_result: AuditParticipantResult,
    /// Whether no more messages follow.
    pub last: u32,
    /// As asked.
    pub conference_id: u32,
    /// Slots in use.
    pub number_of_entries: u32,
    /// Call references; unused slots are kept as they were.
    #[wire(count = "number_of_entries")]
    pub participant_entry: [u32; 256],
}

impl AuditParticipantRes {
    /// The participants of this message.
    pub fn used(&self) -> &[u32] {
        first(&self.participant_entry, self.number_of_entries)
    }
}
