//! Value sets of media.

use crate::codec::open_enum;

open_enum! {
    /// A media format.
    Codec {
        G711Alaw64k = 0x0002 "G711Alaw64k",
        G711Alaw56k = 0x0003 "G711Alaw56k",
        G711Ulaw64k = 0x0004 "G711Ulaw64k",
        G711Ulaw56k = 0x0005 "G711Ulaw56k",
        G722_64k = 0x0006 "G722_64k",
        G722_56k = 0x0007 "G722_56k",
        G722_48k = 0x0008 "G722_48k",
        G7231 = 0x0009 "G7231",
        G728 = 0x000A "G728",
        G729 = 0x000B "G729",
        G729AnnexA = 0x000C "G729AnnexA",
        G729AnnexB = 0x000F "G729AnnexB",
        G729AnnexAwAnnexB = 0x0010 "G729AnnexAwAnnexB",
        GsmFullRate = 0x0012 "GSM_Full_Rate",
        GsmHalfRate = 0x0013 "GSM_Half_Rate",
        GsmEnhancedFullRate = 0x0014 "GSM_Enhanced_Full_Rate",
        WideBand256k = 0x0019 "Wide_Band_256k",
        Data64 = 0x0020 "Data64",
        Data56 = 0x0021 "Data56",
        G7221_32k = 0x0028 "G7221_32K",
        G7221_24k = 0x0029 "G7221_24K",
        Aac = 0x002A "AAC",
        Mp4aLatm128 = 0x002B "MP4ALATM_128",
        Mp4aLatm64 = 0x002C "MP4ALATM_64",
        Mp4aLatm56 = 0x002D "MP4ALATM_56",
        Mp4aLatm48 = 0x002E "MP4ALATM_48",
        Mp4aLatm32 = 0x002F "MP4ALATM_32",
        Mp4aLatm24 = 0x0030 "MP4ALATM_24",
        Mp4aLatmNa = 0x0031 "MP4ALATM_NA",
        Gsm = 0x0050 "GSM",
        G726_32k = 0x0052 "G726_32K",
        G726_24k = 0x0053 "G726_24K",
        G726_16k = 0x0054 "G726_16K",
        Ilbc = 0x0056 "ILBC",
        Isac = 0x0059 "ISAC",
        Opus = 0x005A "OPUS",
        Amr = 0x0061 "AMR",
        AmrWb = 0x0062 "AMR_WB",
        H261 = 0x0064 "H261",
        H263 = 0x0065 "H263",
        Vieo = 0x0066 "Vieo",
        H264 = 0x0067 "H264",
        H264Svc = 0x0068 "H264_SVC",
        T120 = 0x0069 "T120",
        H224 = 0x006A "H224",
        T38Fax = 0x006B "T38Fax",
        Tote = 0x006C "TOTE",
        H265 = 0x006D "H265",
        H264Uc = 0x006E "H264_UC",
        Xv150Mr711u = 0x006F "XV150_MR_711U",
        NseVbd711u = 0x0070 "NSE_VBD_711U",
        Xv150Mr729a = 0x0071 "XV150_MR_729A",
        NseVbd729a = 0x0072 "NSE_VBD_729A",
        H264Fec = 0x0073 "H264_FEC",
        ClearChan = 0x0078 "Clear_Chan",
        UniversalXcoder = 0x00DE "Universal_Xcoder",
        Rfc2833DynPayload = 0x0101 "RFC2833_DynPayload",
        PassThrough = 0x0102 "PassThrough",
        DynamicPayloadPassThru = 0x0103 "Dynamic_Payload_PassThru",
        DtmfOob = 0x0104 "DTMF_OOB",
        InbandDtmfRfc2833 = 0x0105 "Inband_DTMF_RFC2833",
        CfbTones = 0x0106 "CFB_Tones",
        NoAudio = 0x012B "NoAudio",
        V150LcModemRelay = 0x012C "v150_LC_ModemRelay",
        V150LcSprt = 0x012D "v150_LC_SPRT",
        V150LcSse = 0x012E "v150_LC_SSE",
        Max = 0x012F "Max",
    }
}

open_enum! {
    /// The two rates of G.723.1, in kbit/s.
    G723BitRate {
        R5_3 = 0x01 "5_3",
        R6_3 = 0x02 "6_3",
    }
}

open_enum! {
    /// How an order to open or start media went.
    MediaStatus {
        Ok = 0x00 "Ok",
        UnknownError = 0x01 "Unknown",
        NotEnoughChannels = 0x02 "NotEnoughChannels",
        CodecTooComplex = 0x03 "CodecTooComplex",
        InvalidPartyId = 0x04 "InvalidPartyID",
        InvalidCallRef = 0x05 "InvalidCallRef",
        InvalidCodec = 0x06 "InvalidCodec",
        InvalidPacketSize = 0x07 "InvalidPacketSize",
        OutOfSockets = 0x08 "OutOfSockets",
        EncoderOrDecoderFailed = 0x09 "EncoderOrDecoderFailed",
        InvalidDynamicPayloadType = 0x0A "InvalidDynamicPayloadType",
        RequestedIpAddrTypeUnavailable = 0x0B "RequestedIpAddrTypeUnAvailable",
        DeviceOnHook = 0xFF "DeviceOnHook",
    }
}

open_enum! {
    /// The kind of an address.
    IpAddressType {
        V4 = 0x00 "v4",
        V6 = 0x01 "v6",
        Both = 0x02 "v4_v6",
        Invalid = 0x03 "_Invalid",
    }
}

open_enum! {
    /// Whether a phone keeps the port when a channel closes.
    PortHandling {
        Close = 0x00 "CLOSE_PORT",
        Keep = 0x01 "KEEP_PORT",
    }
}

open_enum! {
    /// Whether echo is cancelled.
    EchoCancellation {
        Off = 0x00 "Off",
        On = 0x01 "On",
    }
}

open_enum! {
    /// Whether silence is not sent.
    SilenceSuppression {
        Off = 0x00 "Off",
        On = 0x01 "On",
    }
}

open_enum! {
    /// SRTP cipher and authentication.
    EncryptionAlgorithm {
        None = 0x00 "NO_ENCRYPTION",
        AesCm128HmacSha1_32 = 0x01 "CCM_AES_CM_128_HMAC_SHA1_32",
        AesCm128HmacSha1_80 = 0x02 "CCM_AES_CM_128_HMAC_SHA1_80",
        F8_128HmacSha1_32 = 0x03 "CCM_F8_128_HMAC_SHA1_32",
        F8_128HmacSha1_80 = 0x04 "CCM_F8_128_HMAC_SHA1_80",
        AeadAes128Gcm = 0x05 "CCM_AEAD_AES_128_GCM",
        AeadAes256Gcm = 0x06 "CCM_AEAD_AES_256_GCM",
    }
}

open_enum! {
    /// Which ways a format works.
    MediaDirection {
        None = 0x00 "None",
        ReceiveOnly = 0x01 "ReceiveOnly",
        TransmitOnly = 0x02 "TransmitOnly",
        Both = 0x03 "Both",
    }
}

open_enum! {
    /// Whether a format can be encrypted.
    EncryptionCapability {
        NotCapable = 0x00 "NotEncryptionCapable",
        Capable = 0x01 "EncryptionCapable",
    }
}

open_enum! {
    /// Which addresses a station uses.
    IpAddressMode {
        V4 = 0x00 "ModeIpv4",
        V6 = 0x01 "ModeIpv6",
        Both = 0x02 "ModeIpv4AndIpv6",
    }
}

open_enum! {
    /// A picture layout of a conference.
    VideoLayout {
        NoLayout = 0x00 "NoLayout",
        OneByOne = 0x01 "OneByOne",
        OneByTwo = 0x02 "OneByTwo",
        TwoByTwo = 0x03 "TwoByTwo",
        TwoByTwo3Alt1 = 0x04 "TwoByTwo3Alt1",
        TwoByTwo3Alt2 = 0x05 "TwoByTwo3Alt2",
        ThreeByThree = 0x06 "ThreeByThree",
        ThreeByThree6Alt1 = 0x07 "ThreeByThree6Alt1",
        ThreeByThree6Alt2 = 0x08 "ThreeByThree6Alt2",
        ThreeByThree4Alt1 = 0x09 "ThreeByThree4Alt1",
        ThreeByThree4Alt2 = 0x0A "ThreeByThree4Alt2",
    }
}

impl Codec {
    /// The static RTP payload type (RFC 3551); `None` for a format that needs a dynamic one or is not sent in
    /// RTP.
    pub const fn rtp_payload_type(self) -> Option<u8> {
        Some(match self {
            Self::G711Ulaw64k | Self::G711Ulaw56k => 0,
            Self::GsmFullRate | Self::Gsm => 3,
            Self::G7231 => 4,
            Self::G711Alaw64k | Self::G711Alaw56k => 8,
            Self::G722_64k | Self::G722_56k | Self::G722_48k => 9,
            Self::G728 => 15,
            Self::G729 | Self::G729AnnexA | Self::G729AnnexB | Self::G729AnnexAwAnnexB => 18,
            Self::H261 => 31,
            Self::H263 => 34,
            _ => return None,
        })
    }
}
