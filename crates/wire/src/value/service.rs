//! Value sets of services beside calls: user data, subscriptions, message waiting, recording.

use crate::codec::open_enum;

open_enum! {
    /// Which part of a text in several messages.
    SequenceFlag {
        First = 0x00 "First",
        More = 0x01 "More",
        Last = 0x02 "Last",
    }
}

open_enum! {
    /// What a phone subscribes to.
    SubscriptionFeature {
        Blf = 0x01 "BLF",
    }
}

open_enum! {
    /// How a subscription went.
    SubscribeCause {
        Ok = 0x00 "OK",
        RouteFail = 0x01 "RouteFail",
        AuthFail = 0x02 "AuthFail",
        Timeout = 0x03 "Timeout",
        TrunkTerm = 0x04 "TrunkTerm",
        TrunkForbidden = 0x05 "TrunkForbidden",
        Throttle = 0x06 "Throttle",
    }
}

open_enum! {
    /// How a notice of waiting messages went.
    MwiResult {
        Ok = 0x00 "Ok",
        GeneralError = 0x01 "GeneralError",
        RequestRejected = 0x02 "RequestRejected",
        VmCountOutOfBounds = 0x03 "VmCountOutOfBounds",
        FaxCountOutOfBounds = 0x04 "FaxCountOutOfBounds",
        InvalidPriorityVmCount = 0x05 "InvalidPriorityVmCount",
        InvalidPriorityFaxCount = 0x06 "InvalidPriorityFaxCount",
    }
}

open_enum! {
    /// Whether a call is recorded.
    RecordingState {
        Off = 0x00 "_OFF",
        On = 0x01 "_ON",
    }
}
