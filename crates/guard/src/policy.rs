//! The file with the guard's rules: TOML, every key with a default.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use selsius_inspect::guard::{
    Action, FindingKind, Limits, MediaRules, Messages, Nat, Policy, Preset, Source, Translation,
};
use selsius_wire::{MESSAGES, message_info, rate::Rate};
use serde::{Deserialize, Deserializer, de::Error as _};
use thiserror::Error;

/// All that the file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// What is done about what is found.
    pub policy: Policy,
    /// Translation of addresses.
    pub translation: Translation,
    /// What happens when the guard itself has too much to do.
    pub overload: Overload,
}

/// What happens to phones when the guard has too much to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overload {
    /// Of phones in none of the zones below.
    pub fail: Fail,
    /// Of phones in these networks.
    pub zones: Vec<(Vec<IpNet>, Fail)>,
}

/// Which way it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fail {
    /// Nothing passes that was not looked at.
    #[default]
    Closed,
    /// What cannot be looked at passes as it is.
    Open,
}

impl Overload {
    /// Which way it fails for a phone.
    pub fn of(&self, station: IpAddr) -> Fail {
        let station = station.to_canonical();
        let is_in = |(nets, _): &&(Vec<IpNet>, Fail)| nets.iter().any(|net| net.contains(&station));
        self.zones.iter().find(is_in).map_or(self.fail, |(_, fail)| *fail)
    }
}

/// Why a policy cannot be used.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// It cannot be read.
    #[error("cannot read the policy {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It says something that cannot be.
    #[error("{}: {text}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What, and where.
        text: String,
    },
}

impl Rules {
    /// A preset as it is.
    pub fn preset(preset: Preset) -> Self {
        Self { policy: Policy::new(preset), ..Self::default() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or says something that cannot be; then with line and column.
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let text =
            fs::read_to_string(path).map_err(|source| PolicyError::Read { path: path.into(), source })?;
        Self::parse(&text).map_err(|error| PolicyError::Wrong {
            path: path.into(),
            text: error.to_string().trim_end().into(),
        })
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// If it says something that cannot be, with line and column.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str::<File>(text).map(File::into)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct File {
    preset: Named<Preset>,
    block_seconds: Option<u32>,
    findings: BTreeMap<Named<FindingKind>, Named<Action>>,
    messages: MessagesSaid,
    names: Vec<String>,
    denied_numbers: Vec<String>,
    media: MediaSaid,
    limits: LimitsSaid,
    sources: Vec<SourceSaid>,
    nat: NatSaid,
    overload: OverloadSaid,
}

impl From<File> for Rules {
    fn from(file: File) -> Self {
        let plain = Policy::new(file.preset.0);
        let limits = file.limits.over(&plain.limits);
        let policy = Policy {
            actions: plainly(file.findings),
            messages: file.messages.into(),
            names: file.names,
            media: file.media.into(),
            denied_numbers: file.denied_numbers,
            block: file.block_seconds.map_or(plain.block, |seconds| Duration::from_secs(seconds.into())),
            sources: file
                .sources
                .into_iter()
                .map(|source| Source {
                    networks: source.networks,
                    actions: plainly(source.findings),
                    limits: source.limits.map(|said| said.over(&limits)),
                })
                .collect(),
            limits,
            ..plain
        };
        let zones = file.overload.zones.into_iter().map(|zone| (zone.networks, zone.fail)).collect();
        Self {
            policy,
            translation: Translation {
                stations: file.nat.stations.into(),
                managers: file.nat.managers.into(),
                servers: file.nat.servers,
            },
            overload: Overload { fail: file.overload.fail, zones },
        }
    }
}

/// Something that is known by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Named<T>(T);

impl<'de> Deserialize<'de> for Named<FindingKind> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named(deserializer, "finding", FindingKind::ALL, FindingKind::name)
    }
}

impl<'de> Deserialize<'de> for Named<Action> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named(deserializer, "action", Action::ALL, Action::name)
    }
}

impl<'de> Deserialize<'de> for Named<Preset> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        named(deserializer, "preset", Preset::ALL, Preset::name)
    }
}

fn named<'de, D: Deserializer<'de>, T: Copy, const N: usize>(
    deserializer: D,
    what: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<Named<T>, D::Error> {
    let said = String::deserialize(deserializer)?;
    let found = all.into_iter().find(|one| name(*one) == said);
    found.map(Named).ok_or_else(|| {
        let names = all.map(name).join(", ");
        D::Error::custom(format!("no {what} is called \"{said}\"; there are {names}"))
    })
}

/// A message, by its name or its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct MessageId(u32);

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let said = String::deserialize(deserializer)?;
        let by_id = said.strip_prefix("0x").and_then(|id| u32::from_str_radix(id, 16).ok());
        let by_name = || MESSAGES.iter().find(|info| info.name.eq_ignore_ascii_case(&said));
        by_id.or_else(|| by_name().map(|info| info.id)).map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "no message is called \"{said}\"; docs/messages.md has their names, and an id such as \"0x0026\" does, too"
            ))
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct MessagesSaid {
    allow: Option<BTreeSet<MessageId>>,
    deny: BTreeSet<MessageId>,
    findings: BTreeMap<MessageId, BTreeMap<Named<FindingKind>, Named<Action>>>,
}

impl From<MessagesSaid> for Messages {
    fn from(said: MessagesSaid) -> Self {
        let ids = |ids: BTreeSet<MessageId>| ids.into_iter().map(|id| id.0).collect();
        let actions = said.findings.into_iter().flat_map(|(MessageId(id), findings)| {
            findings.into_iter().map(move |(kind, action)| ((id, kind.0), action.0))
        });
        Self { allow: said.allow.map(ids), deny: ids(said.deny), actions: actions.collect() }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct MediaSaid {
    receivers: Vec<IpNet>,
    targets: Vec<IpNet>,
    groups: Vec<IpNet>,
    ports: Option<Ports>,
}

impl From<MediaSaid> for MediaRules {
    fn from(said: MediaSaid) -> Self {
        let plain = Self::default();
        let ports = said.ports.map_or(plain.ports, |ports| ports.0..=ports.1);
        Self { receivers: said.receivers, targets: said.targets, groups: said.groups, ports }
    }
}

/// A range of ports, as `"16384-32767"`.
#[derive(Debug, Clone, Copy)]
struct Ports(u16, u16);

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let said = String::deserialize(deserializer)?;
        let ends = said
            .split_once('-')
            .and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)));
        match ends {
            Some((first, last)) if first > 0 && first < last => Ok(Self(first, last)),
            _ => Err(D::Error::custom(format!("\"{said}\" is no range of ports such as \"16384-32767\""))),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct SourceSaid {
    networks: Vec<IpNet>,
    findings: BTreeMap<Named<FindingKind>, Named<Action>>,
    limits: Option<LimitsSaid>,
}

/// So many a second or a minute, and so many at once.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, try_from = "RateSaid")]
struct RateOf(Rate);

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RateSaid {
    per_second: Option<u32>,
    per_minute: Option<u32>,
    at_once: Option<u32>,
}

impl TryFrom<RateSaid> for RateOf {
    type Error = &'static str;

    fn try_from(said: RateSaid) -> Result<Self, Self::Error> {
        let (number, seconds) = match (said.per_second, said.per_minute) {
            (Some(number), None) => (number, 1),
            (None, Some(number)) => (number, 60),
            _ => {
                return Err(
                    "a rate is { per-second = N } or { per-minute = N }, with at-once = N if more may come together",
                );
            }
        };
        if number == 0 {
            return Err("a rate of 0 lets nothing pass: deny the message instead");
        }
        let every = Duration::from_secs(seconds) / number;
        Ok(Self(Rate::every(every, said.at_once.unwrap_or(number))))
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct LimitsSaid {
    message_length: Option<u32>,
    message_seconds: Option<u32>,
    connections: Option<usize>,
    connections_per_source: Option<usize>,
    connection_rate: Option<RateOf>,
    register_rate: Option<RateOf>,
    names_per_source: Option<usize>,
    message_rate: Option<RateOf>,
    kilobyte_rate: Option<RateOf>,
    call_rate: Option<RateOf>,
    calls: Option<usize>,
    digits: Option<usize>,
    reset_rate: Option<RateOf>,
}

impl LimitsSaid {
    /// What is not said is as in `plain`.
    fn over(&self, plain: &Limits) -> Limits {
        let rate = |said: Option<RateOf>, plain: Rate| said.map_or(plain, |rate| rate.0);
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Limits {
            message_length: self.message_length.unwrap_or(plain.message_length),
            message_time: self.message_seconds.map_or(plain.message_time, seconds),
            connections: self.connections.unwrap_or(plain.connections),
            connections_per_source: self.connections_per_source.unwrap_or(plain.connections_per_source),
            connection_rate: rate(self.connection_rate, plain.connection_rate),
            register_rate: rate(self.register_rate, plain.register_rate),
            names_per_source: self.names_per_source.unwrap_or(plain.names_per_source),
            message_rate: rate(self.message_rate, plain.message_rate),
            kilobyte_rate: rate(self.kilobyte_rate, plain.kilobyte_rate),
            call_rate: rate(self.call_rate, plain.call_rate),
            calls: self.calls.unwrap_or(plain.calls),
            digits: self.digits.unwrap_or(plain.digits),
            reset_rate: rate(self.reset_rate, plain.reset_rate),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct NatSaid {
    stations: OneNat,
    managers: OneNat,
    servers: BTreeMap<SocketAddr, SocketAddr>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default, try_from = "OneNatSaid")]
struct OneNat(Nat);

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct OneNatSaid {
    networks: BTreeMap<IpNet, IpNet>,
    address: Option<IpAddr>,
    ports: Option<Ports>,
}

impl TryFrom<OneNatSaid> for OneNat {
    type Error = String;

    fn try_from(said: OneNatSaid) -> Result<Self, Self::Error> {
        match (said.networks.is_empty(), said.address, said.ports) {
            (true, None, None) => Ok(Self(Nat::None)),
            (true, Some(address), Some(Ports(first, last))) => {
                Ok(Self(Nat::Ports { address, ports: first..=last }))
            }
            (false, None, None) => {
                let unlike = said.networks.iter().find(|(from, to)| {
                    from.prefix_len() != to.prefix_len() || from.addr().is_ipv4() != to.addr().is_ipv4()
                });
                match unlike {
                    Some((from, to)) => Err(format!("{from} and {to} are not of the same size")),
                    None => Ok(Self(Nat::Networks(said.networks.into_iter().collect()))),
                }
            }
            _ => Err("either networks, or an address with ports".into()),
        }
    }
}

impl From<OneNat> for Nat {
    fn from(nat: OneNat) -> Self {
        nat.0
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct OverloadSaid {
    fail: Fail,
    zones: Vec<ZoneSaid>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ZoneSaid {
    networks: Vec<IpNet>,
    fail: Fail,
}

fn plainly(findings: BTreeMap<Named<FindingKind>, Named<Action>>) -> BTreeMap<FindingKind, Action> {
    findings.into_iter().map(|(kind, action)| (kind.0, action.0)).collect()
}

/// The name of a message, or its id where it has none.
pub fn message_name(id: u32) -> String {
    message_info(id).map_or_else(|| format!("{id:#06x}"), |info| info.name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read() {
        let rules = Rules::parse(
            r#"
            preset = "strict"
            block-seconds = 60
            names = ["SEP*"]
            denied-numbers = ["00900*"]
            [findings]
            value-unknown = "drop"
            [messages]
            deny = ["UserToDeviceData", "0x7777"]
            [messages.findings.SoftKeyEvent]
            call-unknown = "log"
            [media]
            targets = ["10.0.0.0/8"]
            groups = ["239.1.0.0/16"]
            ports = "16384-32767"
            [limits]
            digits = 40
            message-rate = { per-second = 20, at-once = 100 }
            reset-rate = { per-minute = 2 }
            [[sources]]
            networks = ["10.9.0.0/16"]
            findings = { message-rate = "allow" }
            limits = { calls = 3 }
            [nat.stations]
            address = "198.51.100.2"
            ports = "20000-21999"
            [nat.managers]
            networks = { "10.0.0.0/24" = "192.168.0.0/24" }
            [nat.servers]
            "10.0.0.1:2000" = "192.0.2.1:2000"
            [overload]
            fail = "closed"
            zones = [{ networks = ["10.9.0.0/16"], fail = "open" }]
            "#,
        )
        .unwrap();
        let policy = &rules.policy;
        assert_eq!((policy.preset, policy.block), (Preset::Strict, Duration::from_secs(60)));
        assert_eq!(policy.actions[&FindingKind::ValueUnknown], Action::Drop);
        assert_eq!(policy.messages.deny, [0x11e, 0x7777].into());
        assert_eq!(policy.messages.actions[&(0x26, FindingKind::CallUnknown)], Action::Log);
        assert_eq!(policy.media.ports, 16384..=32767);
        assert_eq!(policy.limits.digits, 40);
        assert_eq!(policy.limits.message_rate, Rate::per_second(20, 100));
        assert_eq!(policy.limits.reset_rate, Rate::per_minute(2));
        let limits = policy.sources[0].limits.as_ref().unwrap();
        assert_eq!((limits.calls, limits.digits), (3, 40), "a source's limits begin with the general ones");
        assert_eq!(
            rules.translation.stations,
            Nat::Ports { address: "198.51.100.2".parse().unwrap(), ports: 20000..=21999 }
        );
        assert!(matches!(&rules.translation.managers, Nat::Networks(networks) if networks.len() == 1));
        assert_eq!(rules.translation.servers.len(), 1);
        assert_eq!(rules.overload.of("10.9.1.1".parse().unwrap()), Fail::Open);
        assert_eq!(rules.overload.of("10.8.1.1".parse().unwrap()), Fail::Closed);
    }

    #[test]
    fn an_empty_file_is_the_balanced_preset() {
        assert_eq!(Rules::parse("").unwrap(), Rules::preset(Preset::Balanced));
    }

    #[test]
    fn mistakes_say_where_they_are_and_what_there_is() {
        for (text, says) in [
            ("preset = \"loose\"", "no preset is called \"loose\"; there are monitor, balanced, strict"),
            ("[findings]\nvalue-unkown = \"drop\"", "no finding is called \"value-unkown\""),
            ("[findings]\nvalue-unknown = \"kill\"", "there are allow, log, scrub, drop, reset, block"),
            ("[messages]\ndeny = [\"Nonsense\"]", "no message is called \"Nonsense\""),
            ("[limits]\nmessage-rate = { at-once = 3 }", "a rate is { per-second = N }"),
            ("[limits]\ncall-rate = { per-second = 0 }", "a rate of 0 lets nothing pass"),
            ("[media]\nports = \"9-3\"", "\"9-3\" is no range of ports"),
            ("[nat.stations]\naddress = \"10.0.0.1\"", "either networks, or an address with ports"),
            ("[nat.managers]\nnetworks = { \"10.0.0.0/8\" = \"10.0.0.0/9\" }", "are not of the same size"),
            ("colour = 1", "unknown field `colour`"),
        ] {
            let error = Rules::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
            assert!(error.contains("line "), "{text}: {error}");
        }
    }
}
