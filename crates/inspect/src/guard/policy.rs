//! What the guard does about what it finds: presets, and what a site changes in them.

use alloc::{collections::BTreeMap, collections::BTreeSet, string::String, vec::Vec};
use core::{net::IpAddr, ops::RangeInclusive, time::Duration};

use ipnet::IpNet;
use selsius_wire::{DEFAULT_LIMIT, rate::Rate};

use super::finding::{Action, FindingKind};

/// Where a policy begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// Everything goes on, byte for byte; findings are told.
    Monitor,
    /// What breaks into products, listens to others or floods does not go on; what is only odd does.
    #[default]
    Balanced,
    /// What no known phone or manager does does not go on.
    Strict,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Monitor, Self::Balanced, Self::Strict];

    /// Its word in policies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Balanced => "balanced",
            Self::Strict => "strict",
        }
    }

    /// What it does about a finding.
    pub const fn action(self, kind: FindingKind) -> Action {
        let [balanced, strict] = kind.usual();
        match self {
            Self::Monitor => match strict {
                Action::Allow => Action::Allow,
                _ => Action::Log,
            },
            Self::Balanced => balanced,
            Self::Strict => strict,
        }
    }
}

/// All rules. What is said here of a source is said of the phones' side: the manager's side is one source for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Where it begins.
    pub preset: Preset,
    /// What it does otherwise.
    pub actions: BTreeMap<FindingKind, Action>,
    /// Which messages go on.
    pub messages: Messages,
    /// Patterns of device names that may register, as `SEP*`; none allows all that the protocol allows. `?` is any letter, `*` any
    /// number of them.
    pub names: Vec<String>,
    /// Which media there may be.
    pub media: MediaRules,
    /// Patterns of numbers that nobody may call or forward to, as `00*`.
    pub denied_numbers: Vec<String>,
    /// How much of everything.
    pub limits: Limits,
    /// For how long a source is blocked.
    pub block: Duration,
    /// What holds otherwise for some sources; the first that fits counts.
    pub sources: Vec<Source>,
}

/// Which messages go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Messages {
    /// Only these ids; `None` allows all.
    pub allow: Option<BTreeSet<u32>>,
    /// Not these.
    pub deny: BTreeSet<u32>,
    /// What is done about findings in certain messages, before all else.
    pub actions: BTreeMap<(u32, FindingKind), Action>,
}

/// Which media there may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRules {
    /// Addresses besides its own that a phone may want its audio sent to.
    pub receivers: Vec<IpNet>,
    /// Where phones may send audio; none is anywhere.
    pub targets: Vec<IpNet>,
    /// Groups that phones may listen and speak to.
    pub groups: Vec<IpNet>,
    /// Ports.
    pub ports: RangeInclusive<u16>,
}

impl Default for MediaRules {
    fn default() -> Self {
        Self { receivers: Vec::new(), targets: Vec::new(), groups: Vec::new(), ports: 1024..=65534 }
    }
}

/// Rules for some sources.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// Which.
    pub networks: Vec<IpNet>,
    /// What is done about findings there.
    pub actions: BTreeMap<FindingKind, Action>,
    /// Other limits, if any.
    pub limits: Option<Limits>,
}

/// How much of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The largest length field.
    pub message_length: u32,
    /// From the first byte of a message to its last.
    pub message_time: Duration,
    /// Connections of all sources.
    pub connections: usize,
    /// Connections of one source.
    pub connections_per_source: usize,
    /// New connections of one source.
    pub connection_rate: Rate,
    /// Registrations of one source.
    pub register_rate: Rate,
    /// Different device names of one source within ten minutes.
    pub names_per_source: usize,
    /// Messages of one phone.
    pub message_rate: Rate,
    /// Bytes of one phone, in units of 1024.
    pub kilobyte_rate: Rate,
    /// Calls that one phone begins.
    pub call_rate: Rate,
    /// Calls of one phone at once.
    pub calls: usize,
    /// Keys in one call, before it is answered.
    pub digits: usize,
    /// Restarts of one phone by the manager.
    pub reset_rate: Rate,
}

impl Default for Limits {
    /// Twice and more of what phones were seen to do.
    fn default() -> Self {
        Self {
            message_length: DEFAULT_LIMIT,
            message_time: Duration::from_secs(20),
            connections: 18_000,
            connections_per_source: 64,
            connection_rate: Rate::per_second(5, 60),
            register_rate: Rate::per_second(5, 60),
            names_per_source: 64,
            message_rate: Rate::per_second(50, 400),
            kilobyte_rate: Rate::per_second(64, 256),
            call_rate: Rate::per_second(1, 30),
            calls: 24,
            digits: 64,
            reset_rate: Rate::per_minute(6),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(Preset::Balanced)
    }
}

impl Policy {
    /// A preset as it is.
    pub fn new(preset: Preset) -> Self {
        Self {
            preset,
            actions: BTreeMap::new(),
            messages: Messages::default(),
            names: Vec::new(),
            media: MediaRules::default(),
            denied_numbers: Vec::new(),
            limits: Limits::default(),
            block: Duration::from_secs(300),
            sources: Vec::new(),
        }
    }

    /// The rules for a source, by their place in [`Policy::sources`].
    pub(super) fn source(&self, address: IpAddr) -> Option<usize> {
        let address = address.to_canonical();
        self.sources.iter().position(|source| source.networks.iter().any(|net| net.contains(&address)))
    }

    /// The limits for a source.
    pub(super) fn limits(&self, source: Option<usize>) -> &Limits {
        source.and_then(|at| self.sources.get(at)?.limits.as_ref()).unwrap_or(&self.limits)
    }

    /// What is done about a finding: what was said of this message, else of the source, else in general, else the preset's.
    pub(super) fn action(&self, source: Option<usize>, message: Option<u32>, kind: FindingKind) -> Action {
        let of_message = || self.messages.actions.get(&(message?, kind));
        let of_source = || self.sources.get(source?)?.actions.get(&kind);
        let said = of_message().or_else(of_source).or_else(|| self.actions.get(&kind));
        let action = said.copied().unwrap_or_else(|| self.preset.action(kind));
        match action {
            Action::Scrub | Action::Drop if kind.is_of_connection() => Action::Reset,
            action => action,
        }
    }

    pub(super) fn lets_pass(&self, id: u32) -> bool {
        self.messages.allow.as_ref().is_none_or(|allow| allow.contains(&id))
            && !self.messages.deny.contains(&id)
    }

    pub(super) fn allows_name(&self, name: &[u8]) -> bool {
        self.names.is_empty() || self.names.iter().any(|pattern| matches(pattern.as_bytes(), name))
    }

    pub(super) fn denies_number(&self, number: &[u8]) -> bool {
        !number.is_empty() && self.denied_numbers.iter().any(|pattern| matches(pattern.as_bytes(), number))
    }
}

/// Whether a text is what a pattern says: `?` is any byte, `*` any number of them, letters of either case.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Where the last `*` is, and how much of the text it has taken.
    let (mut at, mut star) = ((0, 0), None);
    while at.1 < text.len() {
        match pattern.get(at.0) {
            Some(b'*') => {
                star = Some(at);
                at.0 += 1;
            }
            Some(b'?') => at = (at.0 + 1, at.1 + 1),
            Some(letter) if letter.eq_ignore_ascii_case(&text[at.1]) => at = (at.0 + 1, at.1 + 1),
            _ => match &mut star {
                Some(star) => {
                    star.1 += 1;
                    at = (star.0 + 1, star.1);
                }
                None => return false,
            },
        }
    }
    pattern[at.0..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, text, expected) in [
            ("SEP*", "SEP001122334455", true),
            ("sep*", "SEP0", true),
            ("SEP*", "ATA001", false),
            ("00*", "0049", true),
            ("00*", "0", false),
            ("*5?", "1256", true),
            ("*5?", "125", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_nearest_rule_counts() {
        let mut policy = Policy::new(Preset::Strict);
        let (kind, address) = (FindingKind::ValueUnknown, "192.0.2.7".parse().unwrap());
        let action = |policy: &Policy| policy.action(policy.source(address), Some(3), kind);
        assert_eq!(action(&policy), Action::Log);
        policy.actions.insert(kind, Action::Drop);
        assert_eq!(action(&policy), Action::Drop);
        policy.sources.push(Source {
            networks: ["192.0.2.0/24".parse().unwrap()].into(),
            actions: [(kind, Action::Allow)].into(),
            limits: None,
        });
        assert_eq!(action(&policy), Action::Allow);
        policy.messages.actions.insert((3, kind), Action::Reset);
        assert_eq!(action(&policy), Action::Reset);
        assert_eq!(policy.action(None, Some(4), kind), Action::Drop);
    }

    #[test]
    fn monitor_lets_everything_go_on() {
        for kind in FindingKind::ALL {
            assert!(Preset::Monitor.action(kind) <= Action::Log, "{kind}");
            assert!(Preset::Balanced.action(kind) <= Preset::Strict.action(kind), "{kind}");
            assert_eq!(FindingKind::named(kind.name()), Some(kind));
        }
    }

    #[test]
    fn what_concerns_a_connection_cannot_be_dropped_alone() {
        let mut policy = Policy::default();
        policy.actions.insert(FindingKind::LengthImpossible, Action::Drop);
        assert_eq!(policy.action(None, None, FindingKind::LengthImpossible), Action::Reset);
    }
}
