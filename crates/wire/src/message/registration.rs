//! Registration, keepalive, alarms, time, servers.

use core::net::{Ipv4Addr, Ipv6Addr};

use selsius_wire_derive::Wire;

use super::empty;
use crate::value::{
    AlarmSeverity, Bytes, DeviceType, Features, MediaAddress, ResetType, Text, UnregisterReason,
    UnregisterStatus,
};

empty! {
    /// 0x0000. Each interval that RegisterAck gave; also to a standby manager without Register there (v20
    /// capture), and before Register (7985, 6911).
    KeepAlive,
    /// 0x0100. Carries header version 0 in every version.
    KeepAliveAck,
    /// 0x000C, answered by ConfigStat.
    ConfigStatReq,
    /// 0x000D, answered by DefineTimeDate. With it most phones end their registration.
    TimeDateReq,
    /// 0x000F, answered by Version.
    VersionReq,
    /// 0x0012, answered by ServerRes.
    ServerReq,
    /// 0x011A, the answer to RegisterTokenReq: register now.
    RegisterTokenAck,
}

/// 0x0001. The phone says who it is. Lengths seen: 56 (7912), 68 (CallManager 2.x), 72, 128 (v17, v18).
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct Register {
    /// `SEP` and the MAC address, as a rule. Anybody can claim anything here.
    pub device_name: Text<16>,
    /// Reserved.
    pub reserved: u32,
    /// Instance of the device, 1 as a rule.
    pub instance: u32,
    /// The phone's own address.
    pub station_ip_addr: Ipv4Addr,
    /// The model.
    pub device_type: DeviceType,
    /// The most RTP streams at a time.
    pub max_streams: u32,
    /// Streams that are active now.
    pub active_streams: u32,
    /// The highest protocol version that the phone speaks; 0 when the length is below 48.
    pub protocol_ver: u8,
    /// What the phone understands.
    pub features: Features,
    /// The most conferences at a time.
    pub max_conferences: u32,
    /// Conferences that are active now. A 7912 at version 7 ends here (length 56).
    pub active_conferences: u32,
    /// The MAC address: six bytes, or twelve hexadecimal digits.
    pub mac_address: Bytes<12>,
    /// Scope of the IPv4 address.
    pub ipv4_address_scope: u32,
    /// The most lines.
    pub max_number_of_lines: u32,
    /// The phone's IPv6 address.
    pub station_ipv6_addr: Ipv6Addr,
    /// Scope of the IPv6 address.
    pub ipv6_address_scope: u32,
    /// The firmware that runs (length 128).
    pub firmware_load_name: Text<32>,
    /// Stamp of the configuration file that the phone has (length 176).
    pub config_version_stamp: Text<48>,
}

/// 0x0081. The manager accepts a phone. Lengths seen: 16 (CallManager 2.x: no secondary interval, no
/// version), 24.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct RegisterAck {
    /// Seconds between KeepAlives.
    pub keep_alive_interval: u32,
    /// Such as `M/D/Y` or `D.M.YA`; may fill its six bytes without a NUL.
    pub date_template: Text<6>,
    /// Unused.
    pub alignment_padding: u16,
    /// Seconds between KeepAlives to a standby manager.
    pub secondary_keep_alive_interval: u32,
    /// The version of the session, at most the phone's.
    pub max_protocol_ver: u8,
    /// What the manager understands. Seen: `00 00 fe` (4.1), `20 f1 ff` (v17, v18).
    pub features: Features,
}

/// 0x009D. The manager refuses a phone and says why on its display; the phone closes the connection.
/// CallManager 2.x sends length 40: 33 bytes of text, padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct RegisterReject {
    /// What the phone shows.
    pub text: Text<32>,
}

/// 0x0027. The phone wants to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct UnregisterReq {
    /// Why (length 8).
    pub reason: UnregisterReason,
}

/// 0x0118. The answer to UnregisterReq; header version 0 in every version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct UnregisterAck {
    /// Whether it may.
    pub status: UnregisterStatus,
}

/// 0x009F. The phone restarts, and closes the connection at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct Reset {
    /// How thoroughly.
    pub reset_type: ResetType,
}

/// 0x0029. The phone asks whether it may come back from another manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
#[wire(tagged_from = 56)]
pub struct RegisterTokenReq {
    /// As in Register.
    pub device_name: Text<16>,
    /// Reserved.
    pub reserved: u32,
    /// As in Register.
    pub instance: u32,
    /// The phone's own address.
    pub station_ip_addr: Ipv4Addr,
    /// The model.
    pub device_type: DeviceType,
    /// The phone's IPv6 address, tagged from v17 on.
    pub station_ipv6_addr: MediaAddress,
}

/// 0x011B. Not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct RegisterTokenReject {
    /// Seconds before the phone asks again.
    pub wait_time_before_next_req: u32,
}

/// 0x8000. SPA 5xx phones ask this hourly; unanswered, calls drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SpcpRegisterTokenReq {
    /// As in Register.
    pub device_name: Text<16>,
    /// Reserved.
    pub reserved: u32,
    /// As in Register.
    pub instance: u32,
    /// The phone's own address.
    pub station_ip_addr: Ipv4Addr,
    /// The model.
    pub device_type: DeviceType,
    /// The most RTP streams at a time.
    pub max_streams: u32,
}

/// 0x8100. The answer to 0x8000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SpcpRegisterTokenAck {
    /// Unknown bits.
    pub features: u32,
}

/// 0x8101. The other answer to 0x8000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SpcpRegisterTokenReject {
    /// Seconds before the phone asks again.
    pub wait_time_before_next_req: u32,
}

/// 0x0002. CallManager 2.x learns the phone's RTP port this way: it has no OpenReceiveChannel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct IpPort {
    /// Where the phone wants RTP.
    pub rtp_media_port: u32,
}

/// 0x0020. What happened to the phone before; the first message on a connection, before Register (4.1, frame
/// 87).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct Alarm {
    /// How bad it is.
    pub alarm_severity: AlarmSeverity,
    /// Such as `Name=SEP001380AD9E5F Load=CP7912060000SCCP050124A Last=Initialized`.
    pub text: Text<80>,
    /// Of the phone's own making.
    pub parm1: u32,
    /// The phone's IPv4 address in network order, on a 7912.
    pub parm2: u32,
}

/// 0x0094, DefineTimeDate: the answer to TimeDateReq, and sent again after calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct DefineTimeDate {
    /// Local time: the year, such as 2026.
    pub year: u32,
    /// 1 to 12.
    pub month: u32,
    /// 0 is Sunday.
    pub day_of_week: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 to 999.
    pub milliseconds: u32,
    /// Seconds since 1970, UTC.
    pub system_time: u32,
}

/// 0x0098. The firmware that the manager wants the phone to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct Version {
    /// Name of the load.
    pub version: Text<16>,
}

/// 0x0093, the answer to ConfigStatReq.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ConfigStat {
    /// As in Register.
    pub device_name: Text<16>,
    /// Reserved.
    pub reserved: u32,
    /// As in Register.
    pub instance: u32,
    /// Who uses the phone.
    pub user_name: Text<40>,
    /// The manager.
    pub server_name: Text<40>,
    /// Lines on this phone.
    pub number_of_lines: u32,
    /// Speed dials on this phone.
    pub number_of_speed_dials: u32,
}

/// 0x0142, the dynamic form of ConfigStat.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
pub struct ConfigStatV2 {
    /// As in Register.
    pub device_name: Text<16>,
    /// Reserved.
    pub reserved: u32,
    /// As in Register.
    pub instance: u32,
    /// Lines on this phone.
    pub number_of_lines: u32,
    /// Speed dials on this phone.
    pub number_of_speed_dials: u32,
    /// Who uses the phone.
    pub user_name: crate::value::DynText<121>,
    /// The manager.
    pub server_name: crate::value::DynText<121>,
}

/// 0x009E, the answer to ServerReq: the managers of this system. Lengths 284 and 364.
#[derive(Debug, Clone, PartialEq, Eq, Wire)]
#[wire(tagged_from = 293)]
pub struct ServerRes {
    /// Their names.
    pub server_name: [Text<48>; 5],
    /// Their ports, 2000 as a rule.
    pub server_tcp_listen_port: [u32; 5],
    /// Their addresses.
    pub server_ip_addr: [MediaAddress; 5],
}

/// 0x002D. How many lines the phone can show. SPA phones end their registration with it; no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct RegisterAvailableLines {
    /// How many.
    pub max_num_of_avail_lines: u32,
}
