//! Ways out of the office, and what people hear that nobody says.

use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{CodecName, RecordingRule, word::words};
use crate::{Name, Secret};
use ipnet::IpNet;

/// A way out of the office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trunk {
    /// What is at its other end.
    pub kind: TrunkKind,
    /// Most calls at once, 1 to 10000.
    pub calls: u32,
    /// Most new calls in a second that are taken from it, 1 to 1000.
    pub rate: u32,
    /// What calls that come in over it may reach: lines and services in any case, other ways out only with these rights.
    pub rights: Option<Name>,
    /// The hosts that are called, the first that answers: names or addresses, with or without a port. A name without a
    /// port is looked up by SRV first (RFC 3263).
    pub servers: Vec<String>,
    /// How they are reached.
    pub transport: Transport,
    /// Whose addresses may call in beside those of the servers.
    pub allow: Vec<IpNet>,
    /// The name that proves who we are; empty for none.
    pub user: String,
    /// What goes with it.
    pub password: Secret,
    /// The host part of our own address; empty is that of the first server.
    pub domain: String,
    /// Does the manager register there, so that calls find it?
    pub register: bool,
    /// Do calls that come in have to prove the same name and password?
    pub authenticate: bool,
    /// How its audio goes; `None` is through the manager for SIP, else directly.
    pub media: Option<MediaPath>,
    /// Is its audio encrypted?
    pub srtp: Srtp,
    /// How digits are sent.
    pub dtmf: Dtmf,
    /// What may be spoken, the best first; empty is what the settings say.
    pub codecs: Vec<CodecName>,
    /// Are calls over it recorded? `None` is what the settings say.
    pub record: Option<RecordingRule>,
    /// Does its far end connect two of its calls itself (REFER) when a phone transfers one to the other?
    pub refer: bool,
}

impl Default for Trunk {
    fn default() -> Self {
        Self {
            kind: TrunkKind::default(),
            calls: 30,
            rate: 10,
            rights: None,
            servers: Vec::new(),
            transport: Transport::default(),
            allow: Vec::new(),
            user: String::new(),
            password: Secret::default(),
            domain: String::new(),
            register: false,
            authenticate: false,
            media: None,
            srtp: Srtp::default(),
            dtmf: Dtmf::default(),
            codecs: Vec::new(),
            record: None,
            refer: false,
        }
    }
}

impl Trunk {
    /// Does its audio go through the manager?
    pub fn relays(&self) -> bool {
        match self.media {
            Some(media) => media == MediaPath::Relay,
            None => self.kind == TrunkKind::Sip,
        }
    }
}

words! {
    /// What is at the other end of a trunk.
    #[derive(Default)]
    pub enum TrunkKind {
        /// The manager itself, which plays the outside: for trying things out.
        #[default]
        Loopback = "loopback",
        /// A telephone company or another telephone system that speaks SIP.
        Sip = "sip",
        /// The manager itself, which answers: see [`Application`](super::Application).
        Services = "services",
    }
}

words! {
    /// How SIP is carried.
    #[derive(Default)]
    pub enum Transport {
        /// In datagrams.
        #[default]
        Udp = "udp",
        /// On a connection.
        Tcp = "tcp",
        /// On a connection that nobody else reads.
        Tls = "tls",
    }
}

words! {
    /// Which way audio takes.
    #[derive(Default)]
    pub enum MediaPath {
        /// From one end to the other.
        #[default]
        Direct = "direct",
        /// Through the manager.
        Relay = "relay",
    }
}

words! {
    /// Is audio encrypted (SRTP), with keys in the session descriptions (RFC 4568)?
    #[derive(Default)]
    pub enum Srtp {
        /// No: keys are not offered, and offers that insist on them are refused.
        #[default]
        Off = "off",
        /// If the far end can do it (RFC 8643): calls without it are taken, too.
        Optional = "optional",
        /// Yes: calls without it are not made and not taken.
        Required = "required",
    }
}

words! {
    /// How digits are sent to a trunk.
    #[derive(Default)]
    pub enum Dtmf {
        /// As events in the audio where the far end can take them, else by messages.
        #[default]
        Auto = "auto",
        /// As events in the audio (RFC 4733).
        Rfc4733 = "rfc4733",
        /// By messages (SIP INFO).
        Info = "info",
        /// As tones in the audio, for a far end that knows nothing else; by messages where its codec carries no tones.
        Inband = "inband",
    }
}

/// What is played to people who wait.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Music {
    /// WAV files in the music folder, one after the other and again; none is a melody that the manager makes itself.
    pub files: Vec<String>,
    /// Where a stream arrives (RTP in G.711 or G.722) that is played while it does: an address of this machine, or a group.
    pub stream: Option<SocketAddr>,
    /// A program and its arguments: what it writes (16 bits, 8000 Hz, one channel) is played while it does.
    pub command: Vec<String>,
}
