//! Value sets of stations: models, alarms, acoustic paths.

use crate::codec::open_enum;

open_enum! {
    /// The model of a station.
    DeviceType {
        Station30SpPlus = 0x0001 "Station30SpPlus",
        Station12SpPlus = 0x0002 "Station12SpPlus",
        Station12Sp = 0x0003 "Station12SP",
        Station12 = 0x0004 "Station12",
        Station30Vip = 0x0005 "Station30Vip",
        Cisco7910 = 0x0006 "Cisco 7910",
        Cisco7960 = 0x0007 "Cisco 7960",
        Cisco7940 = 0x0008 "Cisco 7940",
        Cisco7935 = 0x0009 "Cisco 7935",
        Vgc = 0x000A "StationVGC",
        VgcVirtualPhone = 0x000B "VGCVirtualPhone",
        Ata186 = 0x000C "StationATA186",
        Ata188 = 0x000D "StationATA188",
        EmccBase = 0x000F "EmccBase",
        Virtual30SpPlus = 0x0014 "Virtual30SpPlus",
        StationPhoneApplication = 0x0015 "StationPhoneApplication",
        AnalogAccess = 0x001E "AnalogAccess",
        DigitalAccessTitan1 = 0x0028 "DigitalAccessTitan1",
        DigitalAccessT1 = 0x0029 "Digital Access T1",
        DigitalAccessTitan2 = 0x002A "DigitalAccessTitan2",
        DigitalAccessLennon = 0x002B "DigitalAccessLennon",
        AnalogAccessElvis = 0x002F "AnalogAccessElvis",
        VgcGateway = 0x0030 "VGCGateway",
        ConferenceBridge = 0x0032 "ConferenceBridge",
        ConferenceBridgeYoko = 0x0033 "ConferenceBridgeYoko",
        ConferenceBridgeDixieLand = 0x0034 "ConferenceBridgeDixieLand",
        ConferenceBridgeSummit = 0x0035 "ConferenceBridgeSummit",
        H225 = 0x003C "H225",
        H323Phone = 0x003D "H323Phone",
        H323Gateway = 0x003E "H323Gateway",
        MusicOnHold = 0x0046 "MusicOnHold",
        Pilot = 0x0047 "Pilot",
        TapiPort = 0x0048 "TapiPort",
        TapiRoutePoint = 0x0049 "TapiRoutePoint",
        VoiceInBox = 0x0050 "VoiceInBox",
        VoiceInboxAdmin = 0x0051 "VoiceInboxAdmin",
        LineAnnunciator = 0x0052 "LineAnnunciator",
        SoftwareMtpDixieLand = 0x0053 "SoftwareMtpDixieLand",
        CiscoMediaServer = 0x0054 "CiscoMediaServer",
        ConferenceBridgeFlint = 0x0055 "ConferenceBridgeFlint",
        ConferenceBridgeHetroGen = 0x0056 "ConferenceBridgeHetroGen",
        ConferenceBridgeAudVid = 0x0057 "ConferenceBridgeAudVid",
        ConferenceHVideoBridge = 0x0058 "ConferenceHVideoBridge",
        RouteList = 0x005A "RouteList",
        LoadSimulator = 0x0064 "LoadSimulator",
        MediaTerminationPoint = 0x006E "MediaTerminationPoint",
        MediaTerminationPointYoko = 0x006F "MediaTerminationPointYoko",
        MediaTerminationPointDixieLand = 0x0070 "MediaTerminationPointDixieLand",
        MediaTerminationPointSummit = 0x0071 "MediaTerminationPointSummit",
        Cisco7941 = 0x0073 "7941G",
        Cisco7971 = 0x0077 "7971",
        MgcpStation = 0x0078 "MgcpStation",
        MgcpTrunk = 0x0079 "MgcpTrunk",
        RasProxy = 0x007A "RasProxy",
        Cisco7914AddOn = 0x007C "Cisco 7914 AddOn",
        Trunk = 0x007D "Trunk",
        Annunciator = 0x007E "Annunciator",
        MonitorBridge = 0x007F "MonitorBridge",
        Recorder = 0x0080 "Recorder",
        MonitorBridgeYoko = 0x0081 "MonitorBridgeYoko",
        SipTrunk = 0x0083 "SipTrunk",
        SipGateway = 0x0084 "SipGateway",
        WsmTrunk = 0x0085 "WsmTrunk",
        RemoteDestination = 0x0086 "RemoteDestination",
        Cisco7915AddOn = 0x00E3 "Cisco 7915 AddOn",
        Cisco7915AddOn24 = 0x00E4 "Cisco 7915 AddOn 24",
        Cisco7916AddOn = 0x00E5 "Cisco 7916 AddOn",
        Cisco7916AddOn24 = 0x00E6 "Cisco 7916 AddOn 24",
        GenericDevice = 0x00FD "GenericDevice",
        UnknownMgcpGateway = 0x00FE "UnknownMgcpGateway",
        NotDefined = 0x00FF "NotDefined",
        NokiaESeries = 0x0113 "Nokia E Series",
        Cisco7985 = 0x012E "Cisco 7985",
        Cisco7911 = 0x0133 "7911",
        Cisco7961Ge = 0x0134 "Cisco 7961 GE",
        Cisco7941Ge = 0x0135 "7941G_GE",
        MotorolaCn622 = 0x014F "MotorolaCn622",
        ThirdPartySipBasic = 0x0150 "3rdPartySipBasic",
        Cisco7931 = 0x015C "Cisco 7931",
        UnifiedCommunicator = 0x0166 "UnifiedCommunicator",
        Cisco7921 = 0x016D "7921",
        Cisco7906 = 0x0171 "7906",
        ThirdPartySipAdvanced = 0x0176 "3rdPartySipAdv",
        Telepresence = 0x0177 "Telepresence",
        NokiaIccClient = 0x0178 "Nokia ICC client",
        Cisco7962 = 0x0194 "7962",
        Cisco3951 = 0x019C "3951",
        Cisco7937 = 0x01AF "7937",
        Cisco7942 = 0x01B2 "7942",
        Cisco7945 = 0x01B3 "7945",
        Cisco7965 = 0x01B4 "7965",
        Cisco7975 = 0x01B5 "7975",
        UnifiedMobileCommunicator = 0x01D4 "UnifiedMobileCommunicator",
        Cisco7925 = 0x01E4 "Cisco 7925",
        Cisco9971Ce = 0x01ED "9971_CE",
        Cisco6921 = 0x01EF "Cisco 6921",
        Cisco6941 = 0x01F0 "Cisco 6941",
        Cisco6961 = 0x01F1 "Cisco 6961",
        Csf = 0x01F7 "CSF",
        Cisco6901 = 0x0223 "Cisco 6901",
        Cisco6911 = 0x0224 "Cisco 6911",
        Cisco6945 = 0x0234 "Cisco 6945",
        Cisco7926 = 0x0241 "7926",
        Cisco8945 = 0x0249 "Cisco 8945",
        Cisco8941 = 0x024A "Cisco 8941",
        CiscoTelepresenceMcu = 0x0255 "CiscoTelepresenceMcu",
        CiscoTelePresenceExchange = 0x0257 "CiscoTelePresenceExchange",
        CiscoTelePresenceSoftwareConferenceBridge = 0x0258 "CiscoTelePresenceSoftwareConferenceBridge",
        AsSip = 0x0277 "AsSip",
        CtiRemoteDevice = 0x027B "CtiRemoteDevice",
        Cisco7905 = 0x4E20 "7905",
        Cisco7920 = 0x7532 "7920",
        Cisco7970 = 0x7536 "7970",
        Cisco7912 = 0x7537 "7912",
        Cisco7902 = 0x7538 "7902",
        IpCommunicator = 0x7540 "Cisco IP Communicator",
        Cisco7961 = 0x7542 "7961G",
        Cisco7936 = 0x7543 "7936",
        AnalogPhone = 0x754B "AnalogPhone",
        IsdnBriPhone = 0x754C "IsdnBriPhone",
        SccpGwVirtualPhone = 0x7550 "SccpGwVirtualPhone",
        IpSte = 0x7553 "IP_STE",
        CiscoTelePresenceConductor = 0x8CC9 "CiscoTelePresenceConductor",
        InteractiveVoiceResponse = 0x8D7B "InteractiveVoiceResponse",
        CiscoSpa521s = 0x13880 "Cisco SPA 521S",
        CiscoSpa502g = 0x13883 "Cisco SPA 502G",
        CiscoSpa504g = 0x13884 "Cisco SPA 504G",
        CiscoSpa525g = 0x13885 "Cisco SPA 525G",
        CiscoSpa509g = 0x13887 "Cisco SPA 509G",
        CiscoSpa525g2 = 0x13889 "Cisco SPA 525G2",
        CiscoSpa303g = 0x1388B "Cisco SPA 303G",
    }
}

open_enum! {
    /// How bad the phone thinks it is.
    AlarmSeverity {
        Critical = 0x00 "Critical",
        Warning = 0x01 "Warning",
        Informational = 0x02 "Informational",
        Unspecified = 0x04 "Unknown",
        Major = 0x07 "Major",
        Minor = 0x08 "Minor",
        Marginal = 0x0A "Marginal",
        TraceInfo = 0x14 "TraceInfo",
    }
}

open_enum! {
    /// What a phone does on Reset.
    ResetType {
        Reset = 0x01 "RESET",
        Restart = 0x02 "RESTART",
        ApplyConfig = 0x03 "APPLY_CONFIG",
    }
}

open_enum! {
    /// Whether a phone may go.
    UnregisterStatus {
        Ok = 0x00 "Ok",
        Error = 0x01 "Error",
        Nak = 0x02 "NAK",
    }
}

open_enum! {
    /// Why a phone goes.
    UnregisterReason {
        Unspecified = 0x00 "Unknown",
        PowerSaveMode = 0x01 "PowerSaveMode",
    }
}

open_enum! {
    /// Whether the headset is in use.
    HeadsetMode {
        On = 0x01 "On",
        Off = 0x02 "Off",
    }
}

open_enum! {
    /// Whether the loudspeaker is on.
    SpeakerMode {
        On = 0x01 "On",
        Off = 0x02 "Off",
    }
}

open_enum! {
    /// Whether the microphone is on.
    MicrophoneMode {
        On = 0x01 "On",
        Off = 0x02 "Off",
    }
}

open_enum! {
    /// Which acoustic path.
    MediaPathId {
        Headset = 0x01 "Headset",
        Handset = 0x02 "Handset",
        Speaker = 0x03 "Speaker",
    }
}

open_enum! {
    /// What happened to an acoustic path.
    MediaPathEventKind {
        On = 0x01 "On",
        Off = 0x02 "Off",
    }
}

open_enum! {
    /// What an acoustic path can do.
    MediaPathAbility {
        Enable = 0x01 "Enable",
        Disable = 0x02 "Disable",
        Monitor = 0x03 "Monitor",
    }
}

impl DeviceType {
    /// The model as people say it: `7912`, `ATA 186`, `IP Communicator`.
    pub fn model_name(self) -> &'static str {
        match self {
            Self::Ata186 => "ATA 186",
            Self::Ata188 => "ATA 188",
            Self::Vgc => "VGC",
            Self::Cisco7941 => "7941",
            Self::Cisco7961 => "7961",
            Self::Cisco7941Ge => "7941 GE",
            other => other.name().strip_prefix("Cisco ").unwrap_or_else(|| other.name()),
        }
    }
}
