//! Announcements that a media service plays, and sessions beside a call. No capture has one of these; the
//! fields are those of the field's layout list, and who sends them is not known: taken both ways.

use selsius_wire_derive::Wire;

use super::alike;
use crate::value::{
    AnnouncementMode, AnnouncementStatus, EndOfAnnouncement, MediaAddress, SessionType, Tone,
};

/// 0x0122. Play something into a conference. Length 468.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct StartAnnouncement {
    /// What, in this order. There is no count: unused slots are zero.
    pub ann_list: [Announcement; 32],
    /// Whether the end is reported.
    pub ann_ack_req: EndOfAnnouncement,
    /// The conference.
    pub conference_id: u32,
    /// Its parties.
    pub matrix_conf_party_id: [u32; 16],
    /// Which of them hear it, one bit each.
    pub hearing_conf_party_mask: u32,
    /// How often.
    pub ann_play_mode: AnnouncementMode,
}

/// One announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct Announcement {
    /// The language.
    pub locale: u32,
    /// The country.
    pub country: u32,
    /// What is heard.
    pub tone_announcement: Tone,
}

/// 0x0123. Stop that. Length 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct StopAnnouncement {
    /// The conference.
    pub conference_id: u32,
}

/// 0x0124. It has ended. Length 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct AnnouncementFinish {
    /// The conference.
    pub conference_id: u32,
    /// How.
    pub ann_status: AnnouncementStatus,
}

alike! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
    #[wire(tagged_from = 28)]
    fields {
        /// The far end.
        pub remote_ip_addr: MediaAddress,
        /// What is shared.
        pub session_type: SessionType,
    }
    /// 0x0095. Chat, whiteboard or video beside a call begins. Lengths 12 and 28 (tagged).
    StartSessionTransmission,
    /// 0x0096. It ends. Lengths 12 and 28 (tagged).
    StopSessionTransmission,
}
