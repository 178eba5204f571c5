//! Values of the configuration that have rules of their own.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Unexpected, Visitor},
};
use thiserror::Error;

use super::{HTTP_PORT, METRICS_PORT, SCCP_PORT, SIP_PORT, SIPS_PORT, TFTP_PORT};

/// Where name servers listen.
const DNS_PORT: u16 = 53;

/// A text that is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no address; expected {EXPECTED}")]
pub struct ListenError(String);

const EXPECTED: &str = "an address such as \"192.0.2.1:2000\", \"[::]:2000\" or \"192.0.2.1\"";

/// Reads an address to listen on; without a port it gets `port`.
///
/// # Errors
/// If it is neither `IP:PORT` nor `IP`. Names are not resolved.
pub fn parse_listen(text: &str, port: u16) -> Result<SocketAddr, ListenError> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    text.parse()
        .or_else(|_| bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, port)))
        .map_err(|_| ListenError(text.into()))
}

/// A differentiated services code point (RFC 2474), 0 to 63.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dscp(u8);

/// No class of service.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0} is no class of service; expected 0 to 63 or a name (cs0 to cs7, af11 to af43, ef)")]
pub struct DscpError(String);

impl Dscp {
    /// Class selector 3: call signalling.
    pub const CS3: Self = Self(24);
    /// Expedited forwarding: voice.
    pub const EF: Self = Self(46);

    /// The code point, 0 to 63.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The byte of the IP header that carries it.
    pub const fn tos(self) -> u8 {
        self.0 << 2
    }
}

impl TryFrom<u64> for Dscp {
    type Error = DscpError;

    fn try_from(code: u64) -> Result<Self, DscpError> {
        u8::try_from(code).ok().filter(|&code| code < 64).map(Self).ok_or_else(|| DscpError(code.to_string()))
    }
}

impl FromStr for Dscp {
    type Err = DscpError;

    /// Reads a number or a name of RFC 2474, 2597 or 3246.
    fn from_str(text: &str) -> Result<Self, DscpError> {
        let error = || DscpError(format!("`{text}`"));
        if let Ok(code) = text.parse::<u64>() {
            return Self::try_from(code).map_err(|_| error());
        }
        match text.to_ascii_lowercase().as_bytes() {
            b"ef" => Ok(Self::EF),
            [b'c', b's', class @ b'0'..=b'7'] => Ok(Self((class - b'0') << 3)),
            [b'a', b'f', class @ b'1'..=b'4', drop @ b'1'..=b'3'] => {
                Ok(Self((class - b'0') << 3 | (drop - b'0') << 1))
            }
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Dscp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Dscp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for Dscp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Dscp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0 to 63 or a name such as \"cs3\", \"af31\" or \"ef\"")
            }

            fn visit_i64<E: Error>(self, code: i64) -> Result<Dscp, E> {
                let code = u64::try_from(code).map_err(|_| E::custom(DscpError(code.to_string())))?;
                Dscp::try_from(code).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, code: u64) -> Result<Dscp, E> {
                Dscp::try_from(code).map_err(E::custom)
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Dscp, E> {
                name.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// UDP ports for audio, both ends included: at least one pair of an even one and the odd one above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// No range of ports for audio.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no range of ports; expected two from 1024 to 65535 with an even one and the next between them, such as \"16384-32767\""
)]
pub struct PortRangeError(String);

impl PortRange {
    /// The first port.
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The last one.
    pub const fn last(self) -> u16 {
        self.last
    }
}

impl Default for PortRange {
    /// What Cisco's managers and gateways use.
    fn default() -> Self {
        Self { first: 16_384, last: 32_767 }
    }
}

impl FromStr for PortRange {
    type Err = PortRangeError;

    fn from_str(text: &str) -> Result<Self, PortRangeError> {
        let ports = text.split_once('-').and_then(|(first, last)| {
            let [first, last] = [first, last].map(|port| port.trim().parse::<u16>().ok());
            first.zip(last)
        });
        ports
            .filter(|&(first, last)| {
                first >= 1024 && first.checked_next_multiple_of(2).is_some_and(|even| even < last)
            })
            .map(|(first, last)| Self { first, last })
            .ok_or_else(|| PortRangeError(text.into()))
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl Serialize for PortRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A number from `MIN` to `MAX`.
pub(super) fn bounded<'de, const MIN: usize, const MAX: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<usize, D::Error> {
    let number = i64::deserialize(deserializer)?;
    usize::try_from(number)
        .ok()
        .filter(|number| (MIN..=MAX).contains(number))
        .ok_or_else(|| D::Error::custom(format_args!("is {number}; expected {MIN} to {MAX}")))
}

pub(super) fn tftp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    deserializer.deserialize_str(Listen(TFTP_PORT))
}

pub(super) fn http<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    deserializer.deserialize_str(Listen(HTTP_PORT))
}

pub(super) fn sccp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    deserializer.deserialize_any(ListenMany { port: SCCP_PORT, least: 1 })
}

pub(super) fn sip<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    deserializer.deserialize_any(ListenMany { port: SIP_PORT, least: 0 })
}

pub(super) fn sips<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    deserializer.deserialize_any(ListenMany { port: SIPS_PORT, least: 0 })
}

pub(super) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    deserializer.deserialize_any(ListenMany { port: DNS_PORT, least: 0 })
}

pub(super) fn metrics<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    deserializer.deserialize_str(Listen(METRICS_PORT)).map(Some)
}

struct Listen(u16);

impl Visitor<'_> for Listen {
    type Value = SocketAddr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SocketAddr, E> {
        parse_listen(text, self.0).map_err(E::custom)
    }
}

struct ListenMany {
    port: u16,
    least: usize,
}

impl<'de> Visitor<'de> for ListenMany {
    type Value = Vec<SocketAddr>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{EXPECTED}, or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Listen(self.port).visit_str(text).map(|address| vec![address])
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut addresses = Vec::new();
        while let Some(text) = list.next_element::<String>()? {
            addresses.push(Listen(self.port).visit_str(&text)?);
        }
        match addresses.len() < self.least {
            true => Err(A::Error::custom("expected at least one address")),
            false => Ok(addresses),
        }
    }

    fn visit_i64<E: Error>(self, port: i64) -> Result<Self::Value, E> {
        Err(E::invalid_type(Unexpected::Signed(port), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_names_and_numbers() {
        for (text, code) in
            [("cs3", 24), ("CS0", 0), ("ef", 46), ("af31", 26), ("AF11", 10), ("af43", 38), ("24", 24)]
        {
            assert_eq!(text.parse::<Dscp>().map(Dscp::code), Ok(code), "{text}");
        }
        for text in ["", "64", "cs8", "af14", "af51", "af", "-1", "é"] {
            assert!(text.parse::<Dscp>().is_err(), "{text}");
        }
        assert_eq!(Dscp::EF.tos(), 0xB8);
    }

    #[test]
    fn a_range_of_ports_has_a_pair() {
        for text in ["16384-32767", "1024-1025", "1025-1027", "20000 - 20001", "65534-65535"] {
            let range = text.parse::<PortRange>().unwrap();
            assert_eq!(range.to_string(), text.replace(' ', ""));
        }
        for text in
            ["", "5", "16384", "1000-2000", "2001-2002", "2000-2000", "3000-2000", "65535-65535", "1-70000"]
        {
            assert!(text.parse::<PortRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_may_go_without_port() {
        for (text, address) in [
            ("192.0.2.1:5", "192.0.2.1:5"),
            ("192.0.2.1", "192.0.2.1:2000"),
            ("[::1]:5", "[::1]:5"),
            ("[::1]", "[::1]:2000"),
            ("::1", "[::1]:2000"),
        ] {
            assert_eq!(parse_listen(text, 2000), Ok(address.parse().unwrap()), "{text}");
        }
        for text in ["", "host:1", "192.0.2.1:", "192.0.2.1:70000", "[::1", ":2000"] {
            assert!(parse_listen(text, 2000).is_err(), "{text}");
        }
    }
}
