//! `selsius.toml`: how this node runs. Everything has a default; what is not known is an error that names its line.
//!
//! ```
//! use selsius_server::config::Config;
//!
//! let config = Config::parse("selsius.toml", "http = \"127.0.0.1:8080\"\n[dscp]\nsignalling = \"af31\"")?;
//! assert_eq!(config.http.port(), 8080);
//! let error = Config::parse("selsius.toml", "\nhtpt = \"127.0.0.1:8080\"").unwrap_err();
//! assert!(error.to_string().starts_with("selsius.toml:2:1: unknown field `htpt`, expected one of"));
//! # Ok::<(), selsius_server::config::ConfigError>(())
//! ```

mod change;
mod error;
mod value;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use selsius_media::engine::Learning;
use selsius_site::Secret;
use serde::{Deserialize, Serialize};

pub use self::{
    change::ConfigChange,
    error::ConfigError,
    value::{Dscp, DscpError, ListenError, PortRange, PortRangeError, parse_listen},
};

/// Where phones look for the manager.
pub const SCCP_PORT: u16 = 2000;
/// Where phones ask for their files; they know no other port.
pub const TFTP_PORT: u16 = 69;
/// Where TFTP goes when port 69 may not be bound.
pub const TFTP_UNPRIVILEGED_PORT: u16 = 6969;
/// Where newer phones ask for their files by HTTP before they try TFTP.
pub const HTTP_PORT: u16 = 6970;
/// Where Prometheus asks for figures, if an address is given without a port.
pub const METRICS_PORT: u16 = 9972;
/// SIP's port (RFC 3261 section 19.1.2).
pub const SIP_PORT: u16 = 5060;
/// SIP's port over TLS.
pub const SIPS_PORT: u16 = 5061;

/// How this node runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// Where database, admin socket and files live. Not set: `$STATE_DIRECTORY` under systemd, else `./selsius-data`.
    pub data_dir: Option<PathBuf>,
    /// Where phones may connect, at least one address.
    #[serde(deserialize_with = "value::sccp")]
    pub sccp: Vec<SocketAddr>,
    /// Where phones ask for files by TFTP.
    #[serde(deserialize_with = "value::tftp")]
    pub tftp: SocketAddr,
    /// Where phones ask for files by HTTP.
    #[serde(deserialize_with = "value::http")]
    pub http: SocketAddr,
    /// The address that phones are told; `None` tells each the local address that it asked.
    pub advertise: Option<IpAddr>,
    /// The folder with firmware, locales and rings. Not set: `files` in the data directory.
    pub files: Option<PathBuf>,
    /// Classes of service.
    pub dscp: DscpConfig,
    /// Audio that goes through the manager.
    pub media: MediaConfig,
    /// Where SIP trunks are reached.
    pub sip: SipConfig,
    /// What phones are believed.
    pub security: SecurityConfig,
    /// Bounds on what the network can make this process hold and do.
    pub limits: LimitsConfig,
    /// How long records are kept.
    pub records: RecordsConfig,
    /// What is logged and how.
    pub log: LogConfig,
    /// Where messages go by e-mail.
    pub mail: MailConfig,
    /// Figures for Prometheus.
    pub metrics: MetricsConfig,
    /// How the manager ends.
    pub shutdown: ShutdownConfig,
}

/// Figures for Prometheus, and the manager's health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Where `/metrics` and `/health` are served by HTTP; `None` nowhere.
    #[serde(deserialize_with = "value::metrics")]
    pub listen: Option<SocketAddr>,
}

/// How the manager ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ShutdownConfig {
    /// Seconds that calls in progress get to end by themselves after SIGTERM or Ctrl-C; new ones are refused meanwhile.
    #[serde(deserialize_with = "value::bounded::<0, 3600, _>")]
    pub grace_seconds: usize,
}

/// Classes of service, by number (0 to 63) or name (`cs3`, `af31`, `ef`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DscpConfig {
    /// Of what is said to phones, and what they are told to use themselves. CS3, as CallManager 4.1 has it.
    pub signalling: Dscp,
    /// What phones are told to use for voice. EF, as CallManager 4.1 has it.
    pub media: Dscp,
}

/// Audio that goes through the manager: conferences, barge, paging by unicast.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MediaConfig {
    /// The address that phones are told to send their audio to; `None` tells each the local address that it registered at.
    pub address: Option<IpAddr>,
    /// Ports for RTP and RTCP: two for each party.
    pub ports: PortRange,
    /// May the music of the site be made by commands? Then whoever may change the site may run any program as the manager's
    /// user.
    pub commands: bool,
}

/// Where SIP trunks and SIP phones reach the manager, and from where it calls them. Nothing is listened on while the site has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SipConfig {
    /// For datagrams.
    #[serde(deserialize_with = "value::sip")]
    pub udp: Vec<SocketAddr>,
    /// For connections.
    #[serde(deserialize_with = "value::sip")]
    pub tcp: Vec<SocketAddr>,
    /// For connections that are encrypted; they need a certificate.
    #[serde(deserialize_with = "value::sips")]
    pub tls: Vec<SocketAddr>,
    /// The certificate and those that it leads to, in PEM.
    pub certificate: Option<PathBuf>,
    /// Its key, in PEM.
    pub key: Option<PathBuf>,
    /// The certificates that those of the other side must lead to, in PEM.
    pub authorities: Option<PathBuf>,
    /// What others see instead of our address, behind a translation of addresses.
    pub public: Option<IpAddr>,
    /// Who is asked for the names of trunks' servers; none for the system's name servers.
    #[serde(deserialize_with = "value::names")]
    pub nameservers: Vec<SocketAddr>,
}

/// How messages in mailboxes are sent by e-mail, to the lines that have an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MailConfig {
    /// The mail server, a name or an address, with or without a port; `None` sends nothing.
    pub server: Option<String>,
    /// How it is spoken to.
    pub tls: MailTls,
    /// The name that proves who we are; empty for none.
    pub user: String,
    /// What goes with it.
    pub password: Secret,
    /// Who the sender is, as `Office <voicemail@example.org>`.
    pub from: String,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailTls {
    /// In clear, and encrypted before anything is said; port 587 unless the server has another one.
    #[default]
    Starttls,
    /// Encrypted from the beginning; port 465.
    Tls,
    /// In clear, on port 25: for a server on this machine.
    None,
}

/// What phones are believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SecurityConfig {
    /// Which addresses phones may give for their audio.
    pub media_addresses: MediaAddresses,
}

/// Which addresses phones may give for their audio: whoever talks to a phone sends there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaAddresses {
    /// The address that the phone speaks from.
    #[default]
    Own,
    /// Any: for phones behind a translation of addresses, or with another address for audio.
    Any,
}

/// Bounds on what the network can make this process hold and do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Connections of phones in all.
    #[serde(deserialize_with = "value::bounded::<1, 1_000_000, _>")]
    pub connections: usize,
    /// Connections that have not registered.
    #[serde(deserialize_with = "value::bounded::<1, 1_000_000, _>")]
    pub unregistered: usize,
    /// Those of one address, or of one network of IPv6 (64 bits).
    #[serde(deserialize_with = "value::bounded::<1, 1_000_000, _>")]
    pub unregistered_per_address: usize,
    /// Connections a second that one address may make in the long run; twice as many at once.
    #[serde(deserialize_with = "value::bounded::<1, 1_000_000, _>")]
    pub connections_per_second: usize,
    /// Messages a second that one connection may send in the long run.
    #[serde(deserialize_with = "value::bounded::<10, 1_000_000, _>")]
    pub messages_per_second: usize,
    /// Messages that one connection may send at once. All of it is there again when a phone registers.
    #[serde(deserialize_with = "value::bounded::<250, 1_000_000, _>")]
    pub messages_at_once: usize,
    /// Names that the office does not have, asked for by one address in a minute.
    #[serde(deserialize_with = "value::bounded::<1, 1_000_000, _>")]
    pub unknown_names_per_minute: usize,
    /// Milliseconds that the exchange may be late before it refuses new calls.
    #[serde(deserialize_with = "value::bounded::<20, 60_000, _>")]
    pub late_ms: usize,
    /// The longest screen that a phone is sent, in bytes.
    #[serde(deserialize_with = "value::bounded::<2_000, 1_048_576, _>")]
    pub screen_bytes: usize,
    /// Bytes that a phone may leave unread before it is dropped.
    #[serde(deserialize_with = "value::bounded::<16_384, 16_777_216, _>")]
    pub unread_bytes: usize,
    /// Mebibytes that all phones together may leave unread before those are dropped that leave most.
    #[serde(deserialize_with = "value::bounded::<1, 65_536, _>")]
    pub unread_in_all_mib: usize,
    /// Seconds that a connection may take to register.
    #[serde(deserialize_with = "value::bounded::<1, 3600, _>")]
    pub register_within: usize,
    /// Calls on one phone, held ones included.
    #[serde(deserialize_with = "value::bounded::<1, 200, _>")]
    pub legs_per_device: usize,
    /// Digits of one call.
    #[serde(deserialize_with = "value::bounded::<1, 64, _>")]
    pub digits: usize,
    /// TFTP transfers at a time.
    #[serde(deserialize_with = "value::bounded::<1, 10_000, _>")]
    pub tftp_transfers: usize,
    /// TFTP transfers with one address at a time.
    #[serde(deserialize_with = "value::bounded::<1, 10_000, _>")]
    pub tftp_transfers_per_address: usize,
    /// HTTP connections at a time.
    #[serde(deserialize_with = "value::bounded::<1, 100_000, _>")]
    pub http_connections: usize,
}

/// How long records are kept. What is too old is removed in the background, within an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RecordsConfig {
    /// Days for which calls and the history of phones are kept; 0 is for ever.
    #[serde(deserialize_with = "value::bounded::<0, 36_500, _>")]
    pub keep_days: usize,
    /// Calls that are kept, the newest; 0 is all.
    #[serde(deserialize_with = "value::bounded::<0, 1_000_000_000, _>")]
    pub keep_calls: usize,
}

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LogConfig {
    /// One line of text or one JSON object each.
    pub format: LogFormat,
    /// The least important level that is shown.
    pub level: LogLevel,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one object a line.
    Json,
}

/// How much is logged. Digits and names are only told at `debug` and below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Something is broken.
    Error,
    /// Somebody should look.
    Warn,
    /// Normal life.
    #[default]
    Info,
    /// Details.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl Config {
    /// Reads a file's text. `name` is only for messages.
    ///
    /// # Errors
    /// The first thing in it that is wrong, with its place.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::new(name, text, &error))
    }

    /// From where else than announced the audio of phones may come.
    pub(crate) fn learning(&self) -> Learning {
        match self.security.media_addresses {
            MediaAddresses::Own => Learning::SameHost,
            MediaAddresses::Any => Learning::Anywhere,
        }
    }

    /// The folder with firmware, locales and rings.
    pub fn files(&self, data_dir: &Path) -> PathBuf {
        self.files.clone().unwrap_or_else(|| data_dir.join("files"))
    }
}

impl Default for Config {
    fn default() -> Self {
        let any = |port| SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
        Self {
            data_dir: None,
            sccp: vec![any(SCCP_PORT)],
            tftp: any(TFTP_PORT),
            http: any(HTTP_PORT),
            advertise: None,
            files: None,
            dscp: DscpConfig::default(),
            media: MediaConfig::default(),
            sip: SipConfig::default(),
            security: SecurityConfig::default(),
            limits: LimitsConfig::default(),
            records: RecordsConfig::default(),
            log: LogConfig::default(),
            mail: MailConfig::default(),
            metrics: MetricsConfig::default(),
            shutdown: ShutdownConfig::default(),
        }
    }
}

impl Default for SipConfig {
    fn default() -> Self {
        Self {
            udp: vec![SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), SIP_PORT)],
            tcp: Vec::new(),
            tls: Vec::new(),
            certificate: None,
            key: None,
            authorities: None,
            public: None,
            nameservers: Vec::new(),
        }
    }
}

impl Default for DscpConfig {
    fn default() -> Self {
        Self { signalling: Dscp::CS3, media: Dscp::EF }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let sockets = crate::core::Limits::default();
        let exchange = selsius_exchange::Limits::default();
        let tftp = selsius_provision::tftp::Limits::default();
        Self {
            connections: sockets.connections,
            unregistered: sockets.unregistered,
            unregistered_per_address: sockets.unregistered_per_address,
            connections_per_second: 1000,
            messages_per_second: 100,
            messages_at_once: 500,
            unknown_names_per_minute: 120,
            late_ms: 500,
            screen_bytes: exchange.screen,
            unread_bytes: sockets.unread,
            unread_in_all_mib: sockets.unread_in_all >> 20,
            register_within: 60,
            legs_per_device: exchange.legs_per_device,
            digits: exchange.digits,
            tftp_transfers: tftp.transfers,
            tftp_transfers_per_address: tftp.per_address,
            http_connections: 512,
        }
    }
}

impl Default for ShutdownConfig {
    fn default() -> Self {
        Self { grace_seconds: 30 }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: LogLevel::Info }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        Config::parse("selsius.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_the_default() {
        let config = Config::parse("selsius.toml", "").unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(config.sccp, ["[::]:2000".parse().unwrap()]);
        assert_eq!(config.files("/data".as_ref()), Path::new("/data/files"));
    }

    #[test]
    fn every_key_is_read() {
        let text = r#"
            data-dir = "/var/lib/selsius"
            sccp = ["10.0.0.1", "[2001:db8::1]:2001"]
            tftp = "10.0.0.1"
            http = "[::]"
            advertise = "192.0.2.1"
            files = "/srv/phones"
            [dscp]
            signalling = 26
            media = "EF"
            [media]
            address = "192.0.2.9"
            ports = "20000-20999"
            [security]
            media-addresses = "any"
            [limits]
            connections = 10
            unregistered = 5
            unregistered-per-address = 3
            connections-per-second = 20
            messages-per-second = 30
            messages-at-once = 300
            unknown-names-per-minute = 6
            late-ms = 200
            screen-bytes = 4000
            unread-bytes = 65536
            unread-in-all-mib = 8
            register-within = 5
            legs-per-device = 2
            digits = 20
            tftp-transfers = 4
            tftp-transfers-per-address = 2
            http-connections = 7
            [records]
            keep-days = 90
            keep-calls = 100000
            [log]
            format = "json"
            level = "debug"
            [mail]
            server = "mail.example.org:2525"
            tls = "tls"
            user = "selsius"
            password = "secret"
            from = "voice@example.org"
            [metrics]
            listen = "127.0.0.1"
            [shutdown]
            grace-seconds = 5
        "#;
        let config = Config::parse("selsius.toml", text).unwrap();
        assert_eq!(config.data_dir.as_deref(), Some(Path::new("/var/lib/selsius")));
        assert_eq!(config.sccp, ["10.0.0.1:2000".parse().unwrap(), "[2001:db8::1]:2001".parse().unwrap()]);
        assert_eq!(config.tftp, "10.0.0.1:69".parse().unwrap());
        assert_eq!(config.http, "[::]:6970".parse().unwrap());
        assert_eq!(config.advertise, Some("192.0.2.1".parse().unwrap()));
        assert_eq!(config.files("/data".as_ref()), Path::new("/srv/phones"));
        assert_eq!((config.dscp.signalling.code(), config.dscp.media.code()), (26, 46));
        assert_eq!(config.media.address, Some("192.0.2.9".parse().unwrap()));
        assert_eq!(config.media.ports.to_string(), "20000-20999");
        assert_eq!(config.security.media_addresses, MediaAddresses::Any);
        assert_eq!((config.limits.connections, config.limits.http_connections), (10, 7));
        assert_eq!((config.records.keep_days, config.records.keep_calls), (90, 100_000));
        assert_eq!((config.log.format, config.log.level), (LogFormat::Json, LogLevel::Debug));
        assert_eq!(config.metrics.listen, Some("127.0.0.1:9972".parse().unwrap()));
        let mail = &config.mail;
        assert_eq!((mail.server.as_deref(), mail.tls), (Some("mail.example.org:2525"), MailTls::Tls));
        assert_eq!((mail.user.as_str(), mail.password.as_str()), ("selsius", "secret"));
        assert!(!format!("{config:?}").contains("secret"));
        assert_eq!(config.shutdown.grace_seconds, 5);
        assert_eq!(Config::parse("", "sccp = \"10.0.0.1:1\"").unwrap().sccp, ["10.0.0.1:1".parse().unwrap()]);
    }

    #[test]
    fn mistakes_name_line_key_and_what_was_expected() {
        let table = [
            ("\n[limits]\nconections = 1", "selsius.toml:3:1: unknown field `conections`, expected one of"),
            ("http = 80", "selsius.toml:1:8: invalid type: integer `80`, expected an address such as"),
            (
                "http = \"localhost\"",
                "selsius.toml:1:8: `localhost` is no address; expected an address such as",
            ),
            ("sccp = []", "selsius.toml:1:8: expected at least one address"),
            (
                "[security]\nmedia-addresses = \"all\"",
                "selsius.toml:2:19: unknown variant `all`, expected `own` or `any`",
            ),
            ("[limits]\nlate-ms = 5", "selsius.toml:2:11: is 5; expected 20 to 60000"),
            ("[limits]\ndigits = 0", "selsius.toml:2:10: is 0; expected 1 to 64"),
            ("[records]\nkeep-days = -1", "selsius.toml:2:13: is -1; expected 0 to 36500"),
            ("[limits]\ndigits = -3", "selsius.toml:2:10: is -3; expected 1 to 64"),
            (
                "[dscp]\nmedia = \"best\"",
                "selsius.toml:2:9: `best` is no class of service; expected 0 to 63 or a name",
            ),
            ("[dscp]\nmedia = 64", "selsius.toml:2:9: 64 is no class of service; expected 0 to 63 or a name"),
            ("[log]\nlevel = \"loud\"", "selsius.toml:2:9: unknown variant `loud`, expected one of `error`"),
            ("advertise = \"pbx.example.org\"", "selsius.toml:1:13: invalid IP address syntax"),
            ("http = \"[::]:80\"\nhttp = \"[::]:81\"", "selsius.toml:2:1: duplicate key"),
        ];
        for (text, expected) in table {
            let message = fault(text);
            assert!(message.starts_with(expected), "{text}\n{message}\n{expected}");
        }
        let shown = fault("a = 1\n");
        assert!(shown.contains("\n   |\n 1 | a = 1\n   | ^"), "{shown}");
    }
}
