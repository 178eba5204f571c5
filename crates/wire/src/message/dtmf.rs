//! Digits of a call in its media stream. No capture has one of these; the fields are those of the field's
//! layout list.

use selsius_wire_derive::Wire;

use super::alike;
use crate::value::Tone;

alike! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
    fields {
        /// The digit.
        pub tone: Tone,
        /// Of the media order.
        pub conference_id: u32,
        /// Of the media order.
        pub passthru_party_id: u32,
    }
    /// 0x0127. A digit was heard. Length 16.
    NotifyDtmfTone,
    /// 0x0128. Send a digit. Length 16.
    SendDtmfTone,
}

alike! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
    fields {
        /// RTP payload type of the digits.
        pub payload_dtmf: u32,
        /// Of the media order.
        pub conference_id: u32,
        /// Of the media order.
        pub passthru_party_id: u32,
        /// How digits are sent.
        pub dtmf_type: u32,
    }
    /// 0x0129. Report digits that arrive with this payload type. Length 20.
    SubscribeDtmfPayloadReq,
    /// 0x012C. Report them no longer. Length 20.
    UnSubscribeDtmfPayloadReq,
}

alike! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
    fields {
        /// As asked.
        pub payload_dtmf: u32,
        /// As asked.
        pub conference_id: u32,
        /// As asked.
        pub passthru_party_id: u32,
    }
    /// 0x012A, yes to [`SubscribeDtmfPayloadReq`]. Two implementations have it from the station, the layout
    /// list from the manager; an answer to the manager's question comes from the station. Length 16.
    SubscribeDtmfPayloadRes,
    /// 0x012B, no to [`SubscribeDtmfPayloadReq`]. Nobody knows who sends it: taken both ways. Length 16.
    SubscribeDtmfPayloadErr,
    /// 0x012D, yes to [`UnSubscribeDtmfPayloadReq`]; from the station, as 0x012A. Length 16.
    UnSubscribeDtmfPayloadRes,
    /// 0x012E, no to [`UnSubscribeDtmfPayloadReq`]. Taken both ways, as 0x012B. Length 16.
    UnSubscribeDtmfPayloadErr,
}
