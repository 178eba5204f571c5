//! Value sets of conferences, announcements and sessions.

use crate::codec::open_enum;

open_enum! {
    /// How the making of a conference went.
    CreateConferenceResult {
        Ok = 0x00 "OK",
        ResourceNotAvailable = 0x01 "ResourceNotAvailable",
        AlreadyExists = 0x02 "ConferenceAlreadyExist",
        SystemError = 0x03 "SystemErr",
    }
}

open_enum! {
    /// How the end of a conference went.
    DeleteConferenceResult {
        Ok = 0x00 "OK",
        NotThere = 0x01 "ConferenceNotExist",
        SystemError = 0x02 "SystemErr",
    }
}

open_enum! {
    /// How the change of a conference went.
    ModifyConferenceResult {
        Ok = 0x00 "OK",
        ResourceNotAvailable = 0x01 "ResourceNotAvailable",
        NotThere = 0x02 "ConferenceNotExist",
        InvalidParameter = 0x03 "InvalidParameter",
        MoreActiveCallsThanReserved = 0x04 "MoreActiveCallsThanReserved",
        InvalidResourceType = 0x05 "InvalidResourceType",
        SystemError = 0x06 "SystemErr",
    }
}

open_enum! {
    /// How adding a participant went.
    AddParticipantResult {
        Ok = 0x00 "OK",
        ResourceNotAvailable = 0x01 "ResourceNotAvailable",
        NotThere = 0x02 "ConferenceNotExist",
        DuplicateCallReference = 0x03 "DuplicateCallRef",
        SystemError = 0x04 "SystemErr",
    }
}

open_enum! {
    /// Whether there was a conference to list.
    AuditParticipantResult {
        Ok = 0x00 "OK",
        NotThere = 0x01 "ConferenceNotExist",
    }
}

open_enum! {
    /// What a conference resource is for.
    ConferenceResource {
        Conference = 0x00 "Conference",
        Ivr = 0x01 "IVR",
    }
}

open_enum! {
    /// Whether the end of an announcement is reported.
    EndOfAnnouncement {
        NotReported = 0x00 "NoAnnAckRequired",
        Reported = 0x01 "AnnAckRequired",
    }
}

open_enum! {
    /// How often an announcement is played.
    AnnouncementMode {
        AsConfigured = 0x00 "XmlConfigMode",
        Once = 0x01 "OneShotMode",
        Continuous = 0x02 "ContinuousMode",
    }
}

open_enum! {
    /// How an announcement ended.
    AnnouncementStatus {
        Ok = 0x00 "OK",
        Error = 0x01 "Err",
    }
}

open_enum! {
    /// What a session beside a call is; one bit each.
    SessionType {
        Chat = 0x01 "Chat",
        Whiteboard = 0x02 "Whiteboard",
        ApplicationSharing = 0x04 "ApplicationSharing",
        FileTransfer = 0x08 "FileTransfer",
        Video = 0x10 "Video",
    }
}
