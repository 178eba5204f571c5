//! What an operator says of a trunk, as this crate needs it.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use selsius_site::{CodecName, Srtp};

use crate::tap::Tap;

/// One trunk to another SIP system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkConfig {
    /// Its name in the site; orders and events name it by this.
    pub name: String,
    /// The other system: addresses or host names, the first that answers is used. Host names are looked up by SRV
    /// (RFC 3263) unless `port` is given.
    pub servers: Vec<String>,
    /// Its port; `None` for what SRV says, else 5060 or 5061 (TLS).
    pub port: Option<u16>,
    /// Who is asked for its names; empty for the system's name servers.
    pub nameservers: Vec<SocketAddr>,
    /// How it is reached.
    pub transport: Transport,
    /// The user of the account, if it has one.
    pub user: Option<String>,
    /// The password of the account.
    pub password: Option<String>,
    /// Does this side register with the account (RFC 3261 section 10)?
    pub register: bool,
    /// The domain of our own addresses; if not given, the server's name where there is an account, else our own address.
    pub from: Option<String>,
    /// Who may send requests for this trunk, besides the addresses of `servers`.
    pub allow: Vec<Network>,
    /// Must calls that come in over it authenticate themselves with `user` and `password` (RFC 3261 section 22)? Then they
    /// may come from any address.
    pub authenticate: bool,
    /// It is a phone of the office: it registers with us, by its name and `password`, and `authenticate` holds. It has no
    /// servers; calls to it go to where it is registered.
    pub phone: Option<PhoneTerms>,
    /// The certificates that its server's must lead to, in PEM, for TLS; without them nothing is trusted.
    pub authorities: Vec<u8>,
    /// The codecs it may speak, the best first; empty for all.
    pub codecs: Vec<CodecName>,
    /// How keys are sent.
    pub dtmf: Dtmf,
    /// Is its audio encrypted, with keys in the session descriptions?
    pub srtp: Srtp,
    /// Does the other system get the caller's real number in P-Asserted-Identity (RFC 3325), also of callers who do not want
    /// to be seen? It is a part of the same circle of trust then.
    pub trusted: bool,
    /// Packet time in milliseconds where an answer does not follow from an order.
    pub packet_ms: u32,
    /// How many seconds a call may go on without a sign of the far end (RFC 4028), 90 or more; 0 for no timer of ours.
    pub session_timer: u32,
    /// Is it asked by OPTIONS whether it lives, and how often?
    pub probe: Option<Duration>,
    /// What it may cost.
    pub limits: Limits,
}

impl TrunkConfig {
    /// A trunk by address, without an account, with everything else as usual.
    pub fn peer(name: &str, server: &str) -> Self {
        Self {
            name: name.into(),
            servers: vec![server.into()],
            port: None,
            nameservers: Vec::new(),
            transport: Transport::Udp,
            user: None,
            password: None,
            register: false,
            from: None,
            allow: Vec::new(),
            authenticate: false,
            phone: None,
            authorities: Vec::new(),
            codecs: Vec::new(),
            dtmf: Dtmf::Auto,
            srtp: Srtp::Off,
            trusted: true,
            packet_ms: 20,
            session_timer: 1800,
            probe: None,
            limits: Limits::default(),
        }
    }

    /// A phone of the office.
    pub fn extension(name: &str, password: &str) -> Self {
        Self {
            servers: Vec::new(),
            user: Some(name.into()),
            password: Some(password.into()),
            authenticate: true,
            phone: Some(PhoneTerms { contacts: 3 }),
            limits: Limits { calls: 20, rate: 5 },
            ..Self::peer(name, "")
        }
    }

    /// Does this name in credentials mean it? The names of phones are the same in small and capital letters.
    pub(crate) fn is_user(&self, name: &str) -> bool {
        match (&self.user, self.phone) {
            (Some(user), Some(_)) => user.eq_ignore_ascii_case(name),
            (Some(user), None) => user == name,
            (None, _) => false,
        }
    }

    /// Is the other system where it was, and are we who we were there? Then what was agreed with it holds.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        self.is_known_as(other)
            && (self.register, self.probe) == (other.register, other.probe)
            && self.password == other.password
            && self.authorities == other.authorities
    }

    /// Does it know us by the same address at the same place?
    pub(crate) fn is_known_as(&self, other: &Self) -> bool {
        self.servers == other.servers
            && (self.port, self.transport) == (other.port, other.transport)
            && self.nameservers == other.nameservers
            && self.user == other.user
            && self.from == other.from
    }

    /// The host part of numbers at the other system, with its port if one has to be named.
    pub(crate) fn host(&self) -> String {
        let server = self.servers.first().map_or("invalid", String::as_str);
        match (server.parse::<IpAddr>(), self.port) {
            (Ok(IpAddr::V6(address)), Some(port)) => format!("[{address}]:{port}"),
            (Ok(IpAddr::V6(address)), None) => format!("[{address}]"),
            (_, Some(port)) => format!("{server}:{port}"),
            (_, None) => server.to_string(),
        }
    }

    /// The codecs of a list that this trunk may speak, in the trunk's order where it has one.
    pub(crate) fn allowed(&self, codecs: &[CodecName]) -> Vec<CodecName> {
        if self.codecs.is_empty() {
            return codecs.to_vec();
        }
        self.codecs.iter().copied().filter(|codec| codecs.contains(codec)).collect()
    }

    /// All codecs that may be spoken on this trunk.
    pub(crate) fn own_codecs(&self) -> Vec<CodecName> {
        if self.codecs.is_empty() { CodecName::ALL.to_vec() } else { self.codecs.clone() }
    }
}

/// What holds for a phone of the office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneTerms {
    /// From how many places it may be registered at once.
    pub contacts: usize,
}

/// How SIP messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Transport {
    /// One datagram a message.
    #[default]
    Udp,
    /// A stream.
    Tcp,
    /// An encrypted stream.
    Tls,
}

/// How keys of a user get to the far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dtmf {
    /// In the audio by RFC 4733 if the far end can, else by INFO.
    #[default]
    Auto,
    /// In the audio by RFC 4733.
    Rfc4733,
    /// By INFO (`application/dtmf-relay`); RFC 4733 is not offered.
    Info,
    /// As tones in the audio, which are not this crate's business; RFC 4733 is not offered.
    Inband,
}

/// What a trunk may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls at a time.
    pub calls: usize,
    /// New calls a second that the other system may begin; twice as many at once.
    pub rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { calls: 1000, rate: 100 }
    }
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// An address of it.
    pub address: IpAddr,
    /// How many leading bits count.
    pub prefix: u8,
}

impl Network {
    /// Is this address in it? An IPv4 address counts also when it is written as an IPv6 one.
    pub fn has(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(address)) => {
                let shift = 32u32.saturating_sub(self.prefix.into());
                let cut = |address: u32| address.checked_shr(shift).unwrap_or(0);
                cut(net.to_bits()) == cut(address.to_bits())
            }
            (IpAddr::V6(net), IpAddr::V6(address)) => {
                let shift = 128u32.saturating_sub(self.prefix.into());
                let cut = |address: u128| address.checked_shr(shift).unwrap_or(0);
                cut(net.to_bits()) == cut(address.to_bits())
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }
}

/// A place where SIP is listened for, which is also where our requests come from.
#[derive(Debug, Clone)]
pub struct Listener {
    /// How.
    pub transport: Transport,
    /// Where. An unspecified address stands for all of its family; an address of this machine is then chosen for each
    /// peer.
    pub address: SocketAddr,
    /// What others see instead of that address, behind a translator of addresses.
    pub public: Option<SocketAddr>,
    /// Certificate chain and key in PEM, for TLS.
    pub certificate: Option<(Vec<u8>, Vec<u8>)>,
    /// Hears what comes and goes, by datagram only.
    pub tap: Option<Tap>,
}

impl Listener {
    /// Datagrams on this address.
    pub fn udp(address: SocketAddr) -> Self {
        Self { transport: Transport::Udp, address, public: None, certificate: None, tap: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_their_addresses() {
        for (net, prefix, address, expected) in [
            ("192.0.2.0", 24, "192.0.2.200", true),
            ("192.0.2.0", 24, "192.0.3.1", false),
            ("192.0.2.0", 24, "::ffff:192.0.2.9", true),
            ("0.0.0.0", 0, "203.0.113.1", true),
            ("192.0.2.7", 32, "192.0.2.7", true),
            ("192.0.2.7", 32, "192.0.2.6", false),
            ("2001:db8::", 32, "2001:db8:1::1", true),
            ("2001:db8::", 32, "2001:db9::1", false),
            ("2001:db8::", 32, "192.0.2.1", false),
            ("::", 0, "2001:db9::1", true),
        ] {
            let network = Network { address: net.parse().unwrap(), prefix };
            assert_eq!(network.has(address.parse().unwrap()), expected, "{net}/{prefix} {address}");
        }
    }
}
