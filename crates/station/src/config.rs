//! Which phone it is.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use selsius_wire::value::{Codec, DeviceType};

/// Phones that behave alike. The class decides what a phone asks at registration and in which order, and how it tells
/// that its handset was lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelClass {
    /// One line, four soft keys: 7905, 7912. Follows the 7912 of the CallManager 4.1 capture message by message.
    P7912,
    /// The classic desk phones: 7940, 7960.
    P7960,
    /// Their successors: 7941 to 7975, IP Communicator.
    P7965,
    /// The last generation: 8941, 8945, 6921 to 6961.
    P8945,
    /// One line, no display, no soft keys, no speaker: 6901. Tells its hook by MediaPathEvent instead of OffHook
    /// (wire-facts.md), and holds by a flash of the hook.
    P6901,
}

/// What the connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Registers.
    Primary,
    /// Only keeps the connection alive, at this interval, as phones do with their second manager (the cucm-v20 capture,
    /// frame 2643 of the whole); [`Action::TakeOver`](crate::Action::TakeOver) registers on it.
    Standby(Duration),
}

/// One phone. [`Config::new`] fills everything with what such a phone has; change what you need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `SEP` and the MAC address, up to 15 bytes.
    pub name: String,
    /// How it behaves.
    pub model: ModelClass,
    /// Which phone it says it is.
    pub device_type: DeviceType,
    /// The highest protocol version it speaks.
    pub version: u8,
    /// The three bytes after the version.
    pub features: [u8; 3],
    /// Its address.
    pub address: IpAddr,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// Its firmware.
    pub load: String,
    /// The codecs it speaks, with the longest packet in milliseconds, best first.
    pub capabilities: Vec<(Codec, u32)>,
    /// Instance of the device; phones say 1.
    pub instance: u32,
    /// Streams it can carry at once.
    pub max_streams: u32,
    /// Lines it has keys for.
    pub max_lines: u32,
    /// The fixed port it receives voice on, told by IpPort; CallManager 2.x needs it, others ignore it.
    pub rtp_port: Option<u16>,
    /// Why it starts, as the alarm says it (`Initialized`, `CM-aborted-TCP`, ...).
    pub last: String,
    /// Asks for a token before it registers, as phones do that come back from a standby manager.
    pub token: bool,
    /// What the connection is for.
    pub role: Role,
}

impl Config {
    /// A phone of this class, as one comes out of the box. The hardware address is taken from the name (`SEP` and 12
    /// hexadecimal digits), the address is 127.0.0.1.
    pub fn new(name: impl Into<String>, model: ModelClass) -> Self {
        let name = name.into();
        let traits = model.traits();
        Self {
            mac: mac_of(&name),
            name,
            model,
            device_type: traits.device_type,
            version: traits.version,
            features: traits.features,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            load: traits.load.to_string(),
            capabilities: traits.codecs.iter().map(|codec| (*codec, traits.max_packet_ms)).collect(),
            instance: 1,
            max_streams: traits.max_streams,
            max_lines: traits.max_lines,
            rtp_port: None,
            last: "Initialized".to_string(),
            token: false,
            role: Role::Primary,
        }
    }
}

/// What the phones of a class have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    pub(crate) device_type: DeviceType,
    pub(crate) version: u8,
    pub(crate) features: [u8; 3],
    pub(crate) load: &'static str,
    pub(crate) codecs: &'static [Codec],
    pub(crate) max_packet_ms: u32,
    pub(crate) max_streams: u32,
    pub(crate) max_lines: u32,
    pub(crate) hook: HookStyle,
    /// OnHook names the call that it ends; else it carries zeros (the v20 capture's phones).
    pub(crate) on_hook_names_call: bool,
    /// Speaker and headset, besides the handset.
    pub(crate) has_speaker: bool,
    /// StartMediaTransmissionAck names conference and stream; a 6901's only names the call (captured-details.md).
    pub(crate) ack_names_stream: bool,
}

/// How a phone tells its hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HookStyle {
    /// OffHook and OnHook.
    Plain,
    /// MediaPathEvent, then OffHook or OnHook: a 7960 in the field, and both phones of the v20 capture (frames 18, 20).
    WithPath,
    /// MediaPathEvent alone.
    PathOnly,
}

/// In the order of the 7912 in the CallManager 4.1 capture, frame 91.
const NARROW: &[Codec] = &[
    Codec::G711Ulaw64k,
    Codec::G711Alaw64k,
    Codec::G729,
    Codec::G729AnnexA,
    Codec::G729AnnexB,
    Codec::G729AnnexAwAnnexB,
];
const WIDE: &[Codec] = &[
    Codec::G722_64k,
    Codec::G711Ulaw64k,
    Codec::G711Alaw64k,
    Codec::G729AnnexB,
    Codec::G729AnnexAwAnnexB,
    Codec::G729,
    Codec::G729AnnexA,
];

impl ModelClass {
    pub(crate) const fn traits(self) -> Traits {
        match self {
            // Version, features, load and codecs from the capture, frames 86, 87 and 91.
            Self::P7912 => Traits {
                device_type: DeviceType::Cisco7912,
                version: 7,
                features: [0x00, 0x00, 0x81],
                load: "CP7912060000SCCP050124A",
                codecs: NARROW,
                max_packet_ms: 60,
                max_streams: 0,
                max_lines: 1,
                hook: HookStyle::Plain,
                on_hook_names_call: true,
                has_speaker: true,
                ack_names_stream: true,
            },
            // No capture has one of these: abbreviated dial and RFC 2833, and no UTF-8 before the next generation.
            Self::P7960 => Traits {
                device_type: DeviceType::Cisco7960,
                version: 11,
                features: [0x00, 0x00, 0x84],
                load: "P00308010200",
                codecs: NARROW,
                max_packet_ms: 40,
                max_streams: 5,
                max_lines: 6,
                hook: HookStyle::WithPath,
                on_hook_names_call: true,
                has_speaker: true,
                ack_names_stream: true,
            },
            // `16 00 72 85` is what a 7961 was reported to send (captured-details.md).
            Self::P7965 => Traits {
                device_type: DeviceType::Cisco7965,
                version: 22,
                features: [0x00, 0x72, 0x85],
                load: "SCCP45.9-4-2SR3-1S",
                codecs: WIDE,
                max_packet_ms: 40,
                max_streams: 5,
                max_lines: 6,
                hook: HookStyle::WithPath,
                on_hook_names_call: false,
                has_speaker: true,
                ack_names_stream: true,
            },
            Self::P8945 => Traits {
                device_type: DeviceType::Cisco8945,
                version: 22,
                features: [0x00, 0x72, 0x85],
                load: "SCCP894x.9-4-2SR3-1",
                codecs: WIDE,
                max_packet_ms: 40,
                max_streams: 5,
                max_lines: 4,
                hook: HookStyle::WithPath,
                on_hook_names_call: false,
                has_speaker: true,
                ack_names_stream: true,
            },
            Self::P6901 => Traits {
                device_type: DeviceType::Cisco6901,
                version: 20,
                features: [0x00, 0x72, 0x85],
                load: "SCCP6901.9-3-1-SR2",
                codecs: NARROW,
                max_packet_ms: 40,
                max_streams: 3,
                max_lines: 1,
                hook: HookStyle::PathOnly,
                on_hook_names_call: false,
                has_speaker: false,
                ack_names_stream: false,
            },
        }
    }
}

/// The hardware address in a device name; zeros where there is none.
fn mac_of(name: &str) -> [u8; 6] {
    let mut mac = [0; 6];
    let Some(digits) = name.get(3..15) else { return mac };
    for (byte, pair) in mac.iter_mut().zip(0..) {
        let Some(Ok(value)) = digits.get(pair * 2..pair * 2 + 2).map(|pair| u8::from_str_radix(pair, 16))
        else {
            return [0; 6];
        };
        *byte = value;
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hardware_address_is_in_the_name() {
        assert_eq!(
            Config::new("SEP001380AD9E5F", ModelClass::P7912).mac,
            [0x00, 0x13, 0x80, 0xad, 0x9e, 0x5f]
        );
        for name in ["", "SEP", "SEP001380AD9E5", "SEP001380AD9EXX", "ÄÖÜ001380AD9E5F", "SEP001380AD9É"] {
            assert_eq!(Config::new(name, ModelClass::P7912).mac, [0; 6], "{name}");
        }
    }
}
