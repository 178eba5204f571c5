//! Where phones connect from.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use thiserror::Error;

/// The addresses that phones connect from, one after the other and from the start again: `127.0.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sources {
    pub(super) first: Ipv4Addr,
    /// Bits that all have in common.
    prefix: u8,
}

/// A text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no range of IPv4 addresses; expected one such as 127.0.0.0/16, or a single address")]
pub struct SourcesError(String);

impl Sources {
    /// The address of a phone, from 0. The first and the last of a range name the network and all of it, and are left out.
    pub fn address(&self, index: u32) -> Ipv4Addr {
        let host_bits = 32 - u32::from(self.prefix);
        let size = 1_u64 << host_bits;
        let (skip, hosts) = if size > 2 { (1, size - 2) } else { (0, size) };
        let host = u64::from(index) % hosts + skip;
        Ipv4Addr::from(self.first.to_bits() + u32::try_from(host).unwrap_or(0))
    }

    /// Whether the address is one of the range.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        self.first.to_bits() == address.to_bits() & mask(self.prefix)
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

impl FromStr for Sources {
    type Err = SourcesError;

    fn from_str(text: &str) -> Result<Self, SourcesError> {
        let parse = || {
            let (address, prefix) = text.split_once('/').unwrap_or((text, "32"));
            let address: Ipv4Addr = address.parse().ok()?;
            let prefix: u8 = prefix.parse().ok().filter(|prefix| (8..=32).contains(prefix))?;
            Some(Self { first: Ipv4Addr::from(address.to_bits() & mask(prefix)), prefix })
        };
        parse().ok_or_else(|| SourcesError(text.into()))
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_go_round_without_the_ends_of_the_range() {
        let sources: Sources = "127.0.3.7/30".parse().unwrap();
        let addresses = [0, 1, 2].map(|index| sources.address(index).to_string());
        assert_eq!(addresses, ["127.0.3.5", "127.0.3.6", "127.0.3.5"]);
        assert_eq!(
            (sources.to_string().as_str(), sources.contains([127, 0, 3, 8].into())),
            ("127.0.3.4/30", false)
        );
        let one: Sources = "192.0.2.1".parse().unwrap();
        assert_eq!(one.address(7).to_string(), "192.0.2.1");
        for text in ["", "127.0.0.0/7", "127.0.0.0/33", "::1/128", "127.0.0/8"] {
            assert!(text.parse::<Sources>().is_err(), "{text}");
        }
    }
}
