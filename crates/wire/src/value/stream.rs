//! Value sets of reservations (RSVP) and media ports.

use crate::codec::open_enum;

open_enum! {
    /// Which ways a reservation goes.
    RsvpDirection {
        Send = 0x01 "SEND",
        Receive = 0x02 "RECV",
        Both = 0x03 "SENDRECV",
    }
}

open_enum! {
    /// Which senders share a reservation.
    ReservationStyle {
        FixedFilter = 0x01 "FF",
        SharedExplicit = 0x02 "SE",
        WildcardFilter = 0x03 "WF",
    }
}

open_enum! {
    /// Why a reservation failed.
    QoSErrorCode {
        ReservationTimeout = 0x00 "QOS_CAUSE_RESERVATION_TIMEOUT",
        PathFail = 0x01 "QOS_CAUSE_PATH_FAIL",
        ResvFail = 0x02 "QOS_CAUSE_RESV_FAIL",
        ListenFail = 0x03 "QOS_CAUSE_LISTEN_FAIL",
        ResourceUnavailable = 0x04 "QOS_CAUSE_RESOURCE_UNAVAILABLE",
        ListenTimeout = 0x05 "QOS_CAUSE_LISTEN_TIMEOUT",
        ResvRetriesFail = 0x06 "QOS_CAUSE_RESV_RETRIES_FAIL",
        PathRetriesFail = 0x07 "QOS_CAUSE_PATH_RETRIES_FAIL",
        ResvPreemption = 0x08 "QOS_CAUSE_RESV_PREEMPTION",
        PathPreemption = 0x09 "QOS_CAUSE_PATH_PREEMPTION",
        ResvModifyFail = 0x0A "QOS_CAUSE_RESV_MODIFY_FAIL",
        PathModifyFail = 0x0B "QOS_CAUSE_PATH_MODIFY_FAIL",
        ResvTear = 0x0C "QOS_CAUSE_RESV_TEAR",
    }
}

open_enum! {
    /// The error codes of RSVP (RFC 2205, appendix B).
    RsvpErrorCode {
        Confirm = 0x00 "CONFIRM",
        Admission = 0x01 "ADMISSION",
        Administrative = 0x02 "ADMINISTRATIVE",
        NoPathInformation = 0x03 "NO_PATH_INFORMATION",
        NoSenderInformation = 0x04 "NO_SENDER_INFORMATION",
        ConflictingStyle = 0x05 "CONFLICTING_STYLE",
        UnknownStyle = 0x06 "UNKNOWN_STYLE",
        ConflictingDstPorts = 0x07 "CONFLICTING_DST_PORTS",
        ConflictingSrcPorts = 0x08 "CONFLICTING_SRC_PORTS",
        ServicePreempted = 0x0C "SERVICE_PREEMPTED",
        UnknownObjectClass = 0x0D "UNKNOWN_OBJECT_CLASS",
        UnknownClassType = 0x0E "UNKNOWN_CLASS_TYPE",
        Api = 0x14 "API",
        Traffic = 0x15 "TRAFFIC",
        TrafficSystem = 0x16 "TRAFFIC_SYSTEM",
        System = 0x17 "SYSTEM",
        RoutingProblem = 0x18 "ROUTING_PROBLEM",
    }
}

open_enum! {
    /// What carries a stream.
    MediaTransport {
        Rtp = 0x01 "RTP",
        Udp = 0x02 "UDP",
        Tcp = 0x03 "TCP",
    }
}

open_enum! {
    /// What a stream carries.
    MediaType {
        Invalid = 0x00 "MediaType_Invalid",
        Audio = 0x01 "MediaType_Audio",
        MainVideo = 0x02 "MediaType_Main_Video",
        CameraControl = 0x03 "MediaType_FECC",
        PresentationVideo = 0x04 "MediaType_Presentation_Video",
        Bfcp = 0x05 "MediaType_DataApp_BFCP",
        IxChannel = 0x06 "MediaType_DataApp_IXChannel",
        T38 = 0x07 "MediaType_T38",
        Max = 0x08 "MediaType_Max",
    }
}

open_enum! {
    /// How an order to receive multicast or video went.
    ChannelStatus {
        Ok = 0x00 "Ok",
        Error = 0x01 "Error",
    }
}

open_enum! {
    /// What the receiver of video asks of the sender.
    VideoCommand {
        FreezePicture = 0x00 "videoFreezePicture",
        FastUpdatePicture = 0x01 "videoFastUpdatePicture",
        FastUpdateGob = 0x02 "videoFastUpdateGOB",
        FastUpdateMb = 0x03 "videoFastUpdateMB",
        LostPicture = 0x04 "lostPicture",
        LostPartialPicture = 0x05 "lostPartialPicture",
        RecoveryReferencePicture = 0x06 "recoveryReferencePicture",
        TemporalSpatialTradeOff = 0x07 "temporalSpatialTradeOff",
    }
}
