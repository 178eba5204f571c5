//! Where the manager is.

use std::{fmt, net::Ipv6Addr, str::FromStr};

/// The port that managers listen on.
pub const DEFAULT_PORT: u16 = 2000;

/// A manager's host and port: `192.0.2.1`, `192.0.2.1:2000`, `cm.example.org:2000`, `2001:db8::1` or
/// `[2001:db8::1]:2000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    /// The port, [`DEFAULT_PORT`] if none was given.
    pub port: u16,
}

/// A text that names no manager.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host or HOST:PORT, like 192.0.2.1, cm.example.org:2000 or [2001:db8::1]:2000")]
pub struct TargetError(String);

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || TargetError(text.into());
        if text.parse::<Ipv6Addr>().is_ok() {
            return Ok(Self { host: text.into(), port: DEFAULT_PORT });
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or_else(error)?;
                host.parse::<Ipv6Addr>().map_err(|_| error())?;
                let port = match rest {
                    "" => None,
                    rest => Some(rest.strip_prefix(':').ok_or_else(error)?),
                };
                (host, port)
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let is_host = |char: char| !char.is_whitespace() && !"/@[]".contains(char);
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(error());
        }
        let port = port.map_or(Ok(DEFAULT_PORT), str::parse).map_err(|_| error())?;
        if port == 0 {
            return Err(error());
        }
        Ok(Self { host: host.into(), port })
    }
}

impl From<std::net::SocketAddr> for Target {
    fn from(address: std::net::SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managers_are_written_in_many_ways() {
        let table = [
            ("192.0.2.1", "192.0.2.1:2000"),
            ("192.0.2.1:3000", "192.0.2.1:3000"),
            ("cm.example.org", "cm.example.org:2000"),
            ("2001:db8::1", "[2001:db8::1]:2000"),
            ("[2001:db8::1]", "[2001:db8::1]:2000"),
            ("[::1]:2001", "[::1]:2001"),
        ];
        for (text, full) in table {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), full);
        }
        for text in [
            "",
            ":2000",
            "host:",
            "host:0",
            "host:65536",
            "host:a",
            "[::1",
            "[host]:2000",
            "[::1]2000",
            "a b",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
