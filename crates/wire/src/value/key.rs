//! Value sets of buttons, lamps and soft keys.

use crate::codec::open_enum;

open_enum! {
    /// What a button means when it is pressed, and which lamp is meant.
    StimulusType {
        LastNumberRedial = 0x01 "LastNumberRedial",
        SpeedDial = 0x02 "SpeedDial",
        Hold = 0x03 "Hold",
        Transfer = 0x04 "Transfer",
        ForwardAll = 0x05 "ForwardAll",
        ForwardBusy = 0x06 "ForwardBusy",
        ForwardNoAnswer = 0x07 "ForwardNoAnswer",
        Display = 0x08 "Display",
        Line = 0x09 "Line",
        T120Chat = 0x0A "T120Chat",
        T120Whiteboard = 0x0B "T120Whiteboard",
        T120ApplicationSharing = 0x0C "T120ApplicationSharing",
        T120FileTransfer = 0x0D "T120FileTransfer",
        Video = 0x0E "Video",
        VoiceMail = 0x0F "VoiceMail",
        AnswerRelease = 0x10 "AnswerRelease",
        AutoAnswer = 0x11 "AutoAnswer",
        Select = 0x12 "Select",
        Privacy = 0x13 "Privacy",
        ServiceUrl = 0x14 "ServiceURL",
        BlfSpeedDial = 0x15 "BLFSpeedDial",
        DPark = 0x16 "DPark",
        Intercom = 0x17 "Intercom",
        MaliciousCall = 0x1B "MaliciousCall",
        GenericAppB1 = 0x21 "GenericAppB1",
        GenericAppB2 = 0x22 "GenericAppB2",
        GenericAppB3 = 0x23 "GenericAppB3",
        GenericAppB4 = 0x24 "GenericAppB4",
        GenericAppB5 = 0x25 "GenericAppB5",
        MeetMeConference = 0x7B "MeetMeConference",
        Conference = 0x7D "Conference",
        CallPark = 0x7E "CallPark",
        CallPickUp = 0x7F "CallPickUp",
        GroupCallPickUp = 0x80 "GroupCallPickUp",
        Mobility = 0x81 "Mobility",
        DoNotDisturb = 0x82 "DoNotDisturb",
        ConfList = 0x83 "ConfList",
        RemoveLastParticipant = 0x84 "RemoveLastParticipant",
        Qrt = 0x85 "QRT",
        CallBack = 0x86 "CallBack",
        OtherPickup = 0x87 "OtherPickup",
        VideoMode = 0x88 "VideoMode",
        NewCall = 0x89 "NewCall",
        EndCall = 0x8A "EndCall",
        HLog = 0x8B "HLog",
        Queuing = 0x8F "Queuing",
        MaxStimulusValue = 0xFF "MaxStimulusValue",
    }
}

open_enum! {
    /// What a button of the template is. 0xFF with instance 1 is an empty key, with instance 0 an unused
    /// slot; other managers fill unused slots with 0.
    ButtonType {
        Unused = 0x00 "Unused",
        LastNumberRedial = 0x01 "Last Number Redial",
        SpeedDial = 0x02 "SpeedDial",
        Hold = 0x03 "Hold",
        Transfer = 0x04 "Transfer",
        ForwardAll = 0x05 "Forward All",
        ForwardBusy = 0x06 "Forward Busy",
        ForwardNoAnswer = 0x07 "Forward No Answer",
        Display = 0x08 "Display",
        Line = 0x09 "Line",
        T120Chat = 0x0A "T120 Chat",
        T120Whiteboard = 0x0B "T120 Whiteboard",
        T120ApplicationSharing = 0x0C "T120 Application Sharing",
        T120FileTransfer = 0x0D "T120 File Transfer",
        Video = 0x0E "Video",
        VoiceMail = 0x0F "Voicemail",
        AnswerRelease = 0x10 "Answer Release",
        AutoAnswer = 0x11 "Auto Answer",
        Select = 0x12 "Select",
        Feature = 0x13 "Feature",
        ServiceUrl = 0x14 "ServiceURL",
        BlfSpeedDial = 0x15 "BusyLampField Speeddial",
        MaliciousCall = 0x1B "Malicious Call",
        GenericAppB1 = 0x21 "Generic App B1",
        GenericAppB2 = 0x22 "Generic App B2",
        GenericAppB3 = 0x23 "Generic App B3",
        GenericAppB4 = 0x24 "Generic App B4",
        GenericAppB5 = 0x25 "Generic App B5",
        MonitorMultiblink = 0x26 "Monitor/Multiblink",
        MeetMeConference = 0x7B "Meet Me Conference",
        Conference = 0x7D "Conference",
        CallPark = 0x7E "Call Park",
        CallPickup = 0x7F "Call Pickup",
        GroupCallPickup = 0x80 "Group Call Pickup",
        Mobility = 0x81 "Mobility",
        DoNotDisturb = 0x82 "DoNotDisturb",
        ConfList = 0x83 "ConfList",
        RemoveLastParticipant = 0x84 "RemoveLastParticipant",
        Qrt = 0x85 "QRT",
        CallBack = 0x86 "CallBack",
        OtherPickup = 0x87 "OtherPickup",
        VideoMode = 0x88 "VideoMode",
        NewCall = 0x89 "NewCall",
        EndCall = 0x8A "EndCall",
        HLog = 0x8B "HLog",
        Queuing = 0x8F "Queuing",
        TestE = 0xC0 "Test E",
        TestF = 0xC1 "Test F",
        Messages = 0xC2 "Messages",
        Directory = 0xC3 "Directory",
        TestI = 0xC4 "Test I",
        Application = 0xC5 "Application",
        Headset = 0xC6 "Headset",
        Keypad = 0xF0 "Keypad",
        Aec = 0xFD "Aec",
        Undefined = 0xFF "Undefined",
    }
}

open_enum! {
    /// What the lamp of a button does.
    LampMode {
        Off = 0x01 "Off",
        On = 0x02 "On",
        Wink = 0x03 "Wink",
        Flash = 0x04 "Flash",
        Blink = 0x05 "Blink",
    }
}

open_enum! {
    /// The soft key set that belongs to a situation of a call.
    SoftKeySetId {
        OnHook = 0x00 "On Hook",
        Connected = 0x01 "Connected",
        OnHold = 0x02 "On Hold",
        RingIn = 0x03 "Ring In",
        OffHook = 0x04 "Off Hook",
        ConnectedTransferable = 0x05 "Connected Transferable",
        DigitsFollowing = 0x06 "Digits Following",
        ConnectedConference = 0x07 "Connected Conference",
        RingOut = 0x08 "Ring Out",
        OffHookWithFeatures = 0x09 "OffHook with Features",
        InUseHint = 0x0A "In Use Hint",
        OnHookWithStealableCall = 0x0B "On Hook with Stealable Call",
        /// Known from other servers only.
        HoldConference = 0x0C "Hold Conference",
    }
}

open_enum! {
    /// A soft key. The numbers 1 to 18 mean the same in every manager seen; from 19 on the number means what
    /// the manager's own template says, so look such a key up by its label.
    SoftKey {
        Redial = 0x01 "Redial",
        NewCall = 0x02 "NewCall",
        Hold = 0x03 "Hold",
        Transfer = 0x04 "Transfer",
        CfwdAll = 0x05 "CfwdAll",
        CfwdBusy = 0x06 "CfwdBusy",
        CfwdNoAnswer = 0x07 "CfwdNoAnswer",
        BackSpace = 0x08 "BackSpace",
        EndCall = 0x09 "EndCall",
        Resume = 0x0A "Resume",
        Answer = 0x0B "Answer",
        Info = 0x0C "Info",
        Confrn = 0x0D "Confrn",
        Park = 0x0E "Park",
        Join = 0x0F "Join",
        MeetMe = 0x10 "MeetMe",
        PickUp = 0x11 "PickUp",
        GrpPickup = 0x12 "GrpPickup",
    }
}
