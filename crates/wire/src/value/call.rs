//! Value sets of calls: states, tones, rings, digits.

use crate::codec::open_enum;

open_enum! {
    /// The state of a call as the phone shows it. Proceed is 12 (0x0C) in every capture.
    CallState {
        Idle = 0x00 "Idle",
        OffHook = 0x01 "OffHook",
        OnHook = 0x02 "OnHook",
        RingOut = 0x03 "RingOut",
        RingIn = 0x04 "RingIn",
        Connected = 0x05 "Connected",
        Busy = 0x06 "Busy",
        Congestion = 0x07 "Congestion",
        Hold = 0x08 "Hold",
        CallWaiting = 0x09 "CallWaiting",
        CallTransfer = 0x0A "CallTransfer",
        CallPark = 0x0B "CallPark",
        Proceed = 0x0C "Proceed",
        CallRemoteMultiline = 0x0D "CallRemoteMultiline",
        InvalidNumber = 0x0E "InvalidNumber",
        HoldRevert = 0x0F "HoldRevert",
        Whisper = 0x10 "Whisper",
        RemoteHold = 0x11 "RemoteHold",
        Max = 0x12 "MaxState",
    }
}

open_enum! {
    /// Which way a call goes.
    CallType {
        Inbound = 0x01 "InBoundCall",
        Outbound = 0x02 "OutBoundCall",
        Forward = 0x03 "ForwardCall",
    }
}

open_enum! {
    /// How much of a call others on the same line may see.
    CallPrivacy {
        None = 0x00 "None",
        Limited = 0x01 "Limited",
        Full = 0x02 "Full",
    }
}

open_enum! {
    /// The lock that a phone shows for a call. At v20 it is 0 while ringing and 1 once connected.
    CallSecurity {
        Unspecified = 0x00 "Unknown",
        NotAuthenticated = 0x01 "NotAuthenticated",
        Authenticated = 0x02 "Authenticated",
        Encrypted = 0x03 "Encrypted",
        Max = 0x04 "Max",
    }
}

open_enum! {
    /// In which list a phone files a finished call.
    CallHistoryDisposition {
        Ignore = 0x0000 "Ignore",
        PlacedCalls = 0x0001 "PlacedCalls",
        ReceivedCalls = 0x0002 "ReceivedCalls",
        MissedCalls = 0x0003 "MissedCalls",
        Unspecified = 0xFFFF "UnknownDisp",
    }
}

open_enum! {
    /// What happens to the counters after they were read.
    StatsProcessing {
        Clear = 0x00 "clearStats",
        Keep = 0x01 "doNotClearStats",
    }
}

open_enum! {
    /// A key of the dial pad.
    KeypadKey {
        Zero = 0x00 "Zero",
        One = 0x01 "One",
        Two = 0x02 "Two",
        Three = 0x03 "Three",
        Four = 0x04 "Four",
        Five = 0x05 "Five",
        Six = 0x06 "Six",
        Seven = 0x07 "Seven",
        Eight = 0x08 "Eight",
        Nine = 0x09 "Nine",
        A = 0x0A "A",
        B = 0x0B "B",
        C = 0x0C "C",
        D = 0x0D "D",
        Star = 0x0E "Star",
        Pound = 0x0F "Pound",
        Plus = 0x10 "Plus",
    }
}

open_enum! {
    /// What a phone plays to its user.
    Tone {
        Silence = 0x00 "Silence",
        Dtmf1 = 0x01 "Dtmf1",
        Dtmf2 = 0x02 "Dtmf2",
        Dtmf3 = 0x03 "Dtmf3",
        Dtmf4 = 0x04 "Dtmf4",
        Dtmf5 = 0x05 "Dtmf5",
        Dtmf6 = 0x06 "Dtmf6",
        Dtmf7 = 0x07 "Dtmf7",
        Dtmf8 = 0x08 "Dtmf8",
        Dtmf9 = 0x09 "Dtmf9",
        Dtmf0 = 0x0A "Dtmf0",
        DtmfStar = 0x0E "DtmfStar",
        DtmfPound = 0x0F "DtmfPound",
        DtmfA = 0x10 "DtmfA",
        DtmfB = 0x11 "DtmfB",
        DtmfC = 0x12 "DtmfC",
        DtmfD = 0x13 "DtmfD",
        InsideDialTone = 0x21 "InsideDialTone",
        OutsideDialTone = 0x22 "OutsideDialTone",
        LineBusyTone = 0x23 "LineBusyTone",
        AlertingTone = 0x24 "AlertingTone",
        ReorderTone = 0x25 "ReorderTone",
        RecorderWarningTone = 0x26 "RecorderWarningTone",
        RecorderDetectedTone = 0x27 "RecorderDetectedTone",
        RevertingTone = 0x28 "RevertingTone",
        ReceiverOffHookTone = 0x29 "ReceiverOffHookTone",
        MessageWaitingIndicatorTone = 0x2A "MessageWaitingIndicatorTone",
        NoSuchNumberTone = 0x2B "NoSuchNumberTone",
        BusyVerificationTone = 0x2C "BusyVerificationTone",
        CallWaitingTone = 0x2D "CallWaitingTone",
        ConfirmationTone = 0x2E "ConfirmationTone",
        CampOnIndicationTone = 0x2F "CampOnIndicationTone",
        RecallDialTone = 0x30 "RecallDialTone",
        ZipZip = 0x31 "ZipZip",
        Zip = 0x32 "Zip",
        BeepBonk = 0x33 "BeepBonk",
        MusicTone = 0x34 "MusicTone",
        HoldTone = 0x35 "HoldTone",
        TestTone = 0x36 "TestTone",
        MonitorWarningTone = 0x38 "MonitorWarningTone",
        SecureWarningTone = 0x39 "SecureWarningTone",
        AddCallWaiting = 0x40 "AddCallWaiting",
        PriorityCallWait = 0x41 "PriorityCallWait",
        RecallDial = 0x42 "RecallDial",
        BargIn = 0x43 "BargIn",
        DistinctAlert = 0x44 "DistinctAlert",
        PriorityAlert = 0x45 "PriorityAlert",
        ReminderRing = 0x46 "ReminderRing",
        PrecedenceRingBack = 0x47 "PrecedenceRingBack",
        PreemptionTone = 0x48 "PreemptionTone",
        NonSecureWarningTone = 0x49 "NonSecureWarningTone",
        Mf1 = 0x50 "MF1",
        Mf2 = 0x51 "MF2",
        Mf3 = 0x52 "MF3",
        Mf4 = 0x53 "MF4",
        Mf5 = 0x54 "MF5",
        Mf6 = 0x55 "MF6",
        Mf7 = 0x56 "MF7",
        Mf8 = 0x57 "MF8",
        Mf9 = 0x58 "MF9",
        Mf0 = 0x59 "MF0",
        Mfkp1 = 0x5A "MFKP1",
        Mfst = 0x5B "MFST",
        Mfkp2 = 0x5C "MFKP2",
        Mfstp = 0x5D "MFSTP",
        Mfst3p = 0x5E "MFST3P",
        Milliwatt = 0x5F "MILLIWATT",
        MilliwattTest = 0x60 "MILLIWATTTEST",
        HighTone = 0x61 "HIGHTONE",
        FlashOverride = 0x62 "FLASHOVERRIDE",
        Flash = 0x63 "FLASH",
        Priority = 0x64 "PRIORITY",
        Immediate = 0x65 "IMMEDIATE",
        PreampWarn = 0x66 "PREAMPWARN",
        Hz2105 = 0x67 "2105HZ",
        Hz2600 = 0x68 "2600HZ",
        Hz440 = 0x69 "440HZ",
        Hz300 = 0x6A "300HZ",
        MobilityWp = 0x6B "Mobility_WP",
        MobilityUac = 0x6C "Mobility_UAC",
        MobilityWtdn = 0x6D "Mobility_WTDN",
        MobilityMon = 0x6E "Mobility_MON",
        MobilityMoff = 0x6F "Mobility_MOFF",
        MobilityUkc = 0x70 "Mobility_UKC",
        MobilityVma = 0x71 "Mobility_VMA",
        MobilityFac = 0x72 "Mobility_FAC",
        MobilityCmc = 0x73 "Mobility_CMC",
        MlppPala = 0x77 "MLPP_PALA",
        MlppIca = 0x78 "MLPP_ICA",
        MlppVca = 0x79 "MLPP_VCA",
        MlppBpa = 0x7A "MLPP_BPA",
        MlppBnea = 0x7B "MLPP_BNEA",
        MlppUpa = 0x7C "MLPP_UPA",
        Tua = 0x7D "TUA",
        Gone = 0x7E "GONE",
        NoTone = 0x7F "NoTone",
        MeetMeGreeting = 0x80 "MeetMe_Greeting",
        MeetMeNumberInvalid = 0x81 "MeetMe_NumberInvalid",
        MeetMeNumberFailed = 0x82 "MeetMe_NumberFailed",
        MeetMeEnterPin = 0x83 "MeetMe_EnterPIN",
        MeetMeInvalidPin = 0x84 "MeetMe_InvalidPIN",
        MeetMeFailedPin = 0x85 "MeetMe_FailedPIN",
        MeetMeCfbFailed = 0x86 "MeetMe_CFB_Failed",
        MeetMeEnterAccessCode = 0x87 "MeetMe_EnterAccessCode",
        MeetMeAccessCodeInvalid = 0x88 "MeetMe_AccessCodeInvalid",
        MeetMeAccessCodeFailed = 0x89 "MeetMe_AccessCodeFailed",
        Max = 0x8A "MAX",
    }
}

open_enum! {
    /// Who hears a tone.
    ToneDirection {
        User = 0x00 "User",
        Network = 0x01 "Network",
        All = 0x02 "All",
    }
}

open_enum! {
    /// How a phone rings.
    RingMode {
        Off = 0x01 "RingOff",
        Inside = 0x02 "InsideRing",
        Outside = 0x03 "OutsideRing",
        Feature = 0x04 "FeatureRing",
        FlashOnly = 0x05 "FlashOnly",
        Precedence = 0x06 "PrecedenceRing",
    }
}

open_enum! {
    /// How often it rings.
    RingDuration {
        Normal = 0x01 "NormalRing",
        Single = 0x02 "SingleRing",
    }
}
