//! What shall be done: the phones, the server, the calls.

mod names;
mod sources;

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use selsius_station::Config;
use thiserror::Error;

pub use self::{
    names::{NamePattern, PatternError},
    sources::{Sources, SourcesError},
};
use crate::Rate;

/// A whole run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub target: SocketAddr,
    /// The phones.
    pub phones: Phones,
    /// Their calls.
    pub calls: Calls,
    /// What else happens.
    pub storms: Vec<Storm>,
    /// What becomes of the voice.
    pub rtp: Rtp,
    /// How long calls are made, or idle phones kept, once the phones are registered.
    pub duration: Duration,
    /// How long one step may take - a registration, a dial tone, a ring, channels, the end - before it counts as failed.
    pub patience: Duration,
    /// Allows a target that is not this very machine, within [`Plan::check`]'s bounds.
    pub really: bool,
}

/// The phones.
#[derive(Debug, Clone)]
pub struct Phones {
    /// How many.
    pub count: u32,
    /// Their names.
    pub names: NamePattern,
    /// The number of the first one; each has one more than the one before.
    pub first_number: u64,
    /// What they are like; name and address are replaced.
    pub config: Config,
    /// How fast they connect.
    pub register_rate: Rate,
    /// Where they connect from; none leaves it to the system.
    pub sources: Option<Sources>,
    /// So many of them, the last ones, make and take no calls.
    pub idle: u32,
}

/// The calls.
#[derive(Debug, Clone)]
pub struct Calls {
    /// How often one is due; none makes no calls.
    pub rate: Option<f64>,
    /// How long the phones talk.
    pub hold: Duration,
    /// How long a phone rings before it is answered.
    pub answer_after: Duration,
    /// How long a phone rings before the caller gives up, in calls that are abandoned.
    pub abandon_after: Duration,
    /// How long a call is on hold.
    pub pause: Duration,
    /// Which kinds of calls there are.
    pub mix: Mix,
}

impl Default for Calls {
    /// None at all; if there were, plain ones without any waiting.
    fn default() -> Self {
        let zero = Duration::ZERO;
        Self {
            rate: None,
            hold: zero,
            answer_after: zero,
            abandon_after: zero,
            pause: zero,
            mix: Mix::default(),
        }
    }
}

/// What happens in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// It is answered, they talk, one hangs up.
    Plain,
    /// The caller gives up while it rings.
    Abandoned,
    /// The called phone has its handset up already.
    Busy,
    /// The caller puts it on hold, and takes it back.
    Hold,
    /// The caller asks a third phone, and joins the other two.
    Transfer,
}

impl CallKind {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Abandoned, Self::Busy, Self::Hold, Self::Transfer];

    /// How many phones take part.
    pub(crate) const fn phones(self) -> usize {
        match self {
            Self::Plain | Self::Abandoned | Self::Busy | Self::Hold => 2,
            Self::Transfer => 3,
        }
    }

    /// Its name in scenarios and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Abandoned => "abandoned",
            Self::Busy => "busy",
            Self::Hold => "hold",
            Self::Transfer => "transfer",
        }
    }
}

/// How many calls of each kind there are, in parts of the whole. The default is plain calls only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix([u32; CallKind::ALL.len()]);

impl Default for Mix {
    fn default() -> Self {
        Self([1, 0, 0, 0, 0])
    }
}

impl Mix {
    /// Parts of each kind, in the order of [`CallKind::ALL`]; `None` if all are 0.
    pub fn new(parts: [u32; CallKind::ALL.len()]) -> Option<Self> {
        (parts != [0; CallKind::ALL.len()]).then_some(Self(parts))
    }

    /// The kind of a call, by its place in the schedule. Of as many calls as there are parts, each kind has exactly its
    /// own.
    pub(crate) fn kind(&self, place: u64) -> CallKind {
        let total: u64 = self.0.iter().copied().map(u64::from).sum();
        // A prime takes the places in an order in which the kinds are spread, and each once.
        let mut part = (place % total).wrapping_mul(SPREAD) % total;
        for (kind, parts) in CallKind::ALL.into_iter().zip(self.0.map(u64::from)) {
            if part < parts {
                return kind;
            }
            part -= parts;
        }
        CallKind::Plain
    }

    fn has(&self, kind: CallKind) -> bool {
        self.0[kind as usize] > 0
    }
}

/// A prime that is no factor of any sum of parts that one would write.
const SPREAD: u64 = 1_000_003;

/// Many phones that do the same at once, or connections that are no phones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Storm {
    /// When, after the phones are registered.
    pub at: Duration,
    /// What happens.
    pub kind: StormKind,
    /// How many phones or connections; none is all phones.
    pub count: Option<u32>,
    /// How long phones that drop stay away.
    pub back_after: Duration,
    /// How fast they come back then.
    pub rate: Rate,
}

/// What happens in a storm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StormKind {
    /// Phones lose their connections and come back.
    DropAndReturn,
    /// Free phones ask and ask, and read nothing any more.
    SlowReaders,
    /// Connections are opened that say nothing, or half a message.
    HalfOpen,
}

/// What becomes of the voice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rtp {
    /// Nothing: channels are acknowledged with addresses that nobody listens on.
    #[default]
    Off,
    /// The phones that talk send packets of silence, and count what comes.
    Count,
    /// Each speaks with a tone of its own, and it is checked that the far end hears it.
    Full,
}

/// A word that says nothing of voice.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not known; voice is off, count or full")]
pub struct RtpError(String);

impl FromStr for Rtp {
    type Err = RtpError;

    fn from_str(text: &str) -> Result<Self, RtpError> {
        match text {
            "off" => Ok(Self::Off),
            "count" => Ok(Self::Count),
            "full" => Ok(Self::Full),
            _ => Err(RtpError(text.into())),
        }
    }
}

/// Why a plan cannot be run.
#[derive(Debug, Error)]
pub enum PlanError {
    /// A phone needs a partner.
    #[error(
        "{have} phones that may call are too few: these calls need at least {need}; a call rate of 0 makes none"
    )]
    TooFew {
        /// Phones that are not idle.
        have: u32,
        /// Phones of one call.
        need: u32,
    },
    /// The numbers do not all have the same length, so the server would wait for more digits.
    #[error(
        "the numbers from {first} to {last} do not all have the same length, and a server would wait for more digits; \
         choose another first number, such as {better}"
    )]
    UnequalNumbers {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
        /// One that would do.
        better: u64,
    },
    /// The names would not be different or too long.
    #[error("the name of phone {index} would be `{name}`, which is {problem}")]
    Name {
        /// Which phone, from 1.
        index: u32,
        /// What it would be called.
        name: String,
        /// Why that will not do.
        problem: &'static str,
    },
    /// The target is elsewhere.
    #[error(
        "{0} is not this machine; a load test of somebody else's server is an attack on it. If it is yours, say --really, \
         with --register-rate of at most {MOST_REGISTRATIONS} and --call-rate of at most {MOST_CALLS}"
    )]
    Elsewhere(SocketAddr),
    /// The target is elsewhere, and the rate is beyond what is allowed there.
    #[error("{what} against {target}, which is not this machine, may be at most {most} a second")]
    TooFast {
        /// Which rate.
        what: &'static str,
        /// The server.
        target: SocketAddr,
        /// Most per second.
        most: f64,
    },
    /// Storms are for this machine only.
    #[error("{0} is not this machine, and storms are only for servers on this machine")]
    Storm(SocketAddr),
    /// The source addresses are of the wrong family or cannot reach the target.
    #[error("phones at {sources} cannot reach {target}: {problem}")]
    Sources {
        /// Where phones should connect from.
        sources: Sources,
        /// The server.
        target: SocketAddr,
        /// Why.
        problem: &'static str,
    },
}

/// Registrations a second against a server on another machine.
pub(crate) const MOST_REGISTRATIONS: f64 = 200.0;
/// Calls a second against a server on another machine.
pub(crate) const MOST_CALLS: f64 = 100.0;

impl Plan {
    /// Whether the plan can be run and does no harm.
    ///
    /// # Errors
    /// If it cannot, or if its target is another machine and it was not said that this is meant.
    pub fn check(&self) -> Result<(), PlanError> {
        let phones = &self.phones;
        let (have, need) =
            (phones.count.saturating_sub(phones.idle), 2 + u32::from(self.calls.mix.has(CallKind::Transfer)));
        if self.calls.rate.is_some() && have < need {
            return Err(PlanError::TooFew { have, need });
        }
        phones.check()?;
        let target = self.target;
        if let Some(sources) = phones.sources {
            let problem = match (target.ip(), sources.first.is_loopback()) {
                (IpAddr::V6(_), _) => Some("sources are IPv4 addresses, and the target is not"),
                (target, loopback) if target.is_loopback() != loopback => {
                    Some("only loopback addresses reach loopback addresses, and only each other")
                }
                _ => None,
            };
            if let Some(problem) = problem {
                return Err(PlanError::Sources { sources, target, problem });
            }
        }
        if target.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        if !self.really {
            return Err(PlanError::Elsewhere(target));
        }
        if !self.storms.is_empty() {
            return Err(PlanError::Storm(target));
        }
        let register_rate = match phones.register_rate {
            Rate::AtOnce => f64::INFINITY,
            Rate::PerSecond(rate) => rate,
        };
        if register_rate > MOST_REGISTRATIONS {
            return Err(PlanError::TooFast { what: "registrations", target, most: MOST_REGISTRATIONS });
        }
        if self.calls.rate.unwrap_or(0.0) > MOST_CALLS {
            return Err(PlanError::TooFast { what: "calls", target, most: MOST_CALLS });
        }
        Ok(())
    }
}

impl Plan {
    /// Connections that the plan has at most.
    pub(crate) fn open_files(&self) -> u64 {
        let half_open = self.storms.iter().filter(|storm| storm.kind == StormKind::HalfOpen);
        let half_open =
            half_open.map(|storm| u64::from(storm.count.unwrap_or(MOST_HALF_OPEN).min(MOST_HALF_OPEN)));
        // A voice port for each phone that talks; how long a call takes besides is the server's matter, say a second.
        let calls = &self.calls;
        let seconds = (calls.hold * 2 + calls.pause).as_secs_f64() + 1.0;
        let talking = (3.0 * calls.rate.unwrap_or(0.0) * seconds).ceil() as u64;
        let voices = if self.rtp == Rtp::Off { 0 } else { talking.min(self.phones.count.into()) };
        u64::from(self.phones.count) + half_open.sum::<u64>() + voices
    }
}

/// Half-open connections of one storm, at most: each is an open file.
pub(crate) const MOST_HALF_OPEN: u32 = 10_000;

impl Phones {
    /// The name of a phone, from 0.
    pub(crate) fn name(&self, index: u32) -> String {
        self.names.name(u64::from(index) + 1)
    }

    /// The number of a phone, from 0.
    pub(crate) fn number(&self, index: u32) -> u64 {
        self.first_number.saturating_add(index.into())
    }

    /// Whether the phones can all be told apart and dialled.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self) -> Result<(), PlanError> {
        let last = self.count.saturating_sub(1);
        let digits = |number: u64| number.checked_ilog10().unwrap_or(0);
        let (first, last_number) = (self.first_number, self.number(last));
        if digits(first) != digits(last_number) {
            let better = 10_u64.pow(digits(last_number).min(18)) + 1;
            return Err(PlanError::UnequalNumbers { first, last: last_number, better });
        }
        // Zeros in front fill up, so the last name is the longest.
        let name = self.name(last);
        let problem = match () {
            () if name.len() > 15 => "longer than the 15 characters that a name may have",
            () if last > 0 && name == self.name(0) => "the name of phone 1 as well",
            () => return Ok(()),
        };
        Err(PlanError::Name { index: last + 1, name, problem })
    }

    /// The lowest number to begin with: 1001, or as many digits as it takes to give all the same length.
    pub fn default_first_number(count: u32) -> u64 {
        let mut first = 1001;
        while Self::last(first, count).ilog10() != u64::ilog10(first) {
            first = (first - 1) * 10 + 1;
        }
        first
    }

    fn last(first: u64, count: u32) -> u64 {
        first + u64::from(count.saturating_sub(1))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use selsius_station::ModelClass;

    use super::*;

    pub(crate) fn phones(count: u32) -> Phones {
        Phones {
            count,
            names: "SEP%012X".parse().unwrap(),
            first_number: Phones::default_first_number(count),
            config: Config::new("SEP000000000000", ModelClass::P7965),
            register_rate: Rate::PerSecond(100.0),
            sources: None,
            idle: 0,
        }
    }

    fn plan(target: &str) -> Plan {
        Plan {
            target: target.parse().unwrap(),
            phones: phones(10),
            calls: Calls { rate: Some(10.0), ..Calls::default() },
            storms: Vec::new(),
            rtp: Rtp::Off,
            duration: Duration::from_secs(1),
            patience: Duration::from_secs(1),
            really: false,
        }
    }

    #[test]
    fn each_kind_has_its_parts_and_they_are_spread() {
        let mix = Mix::new([5, 2, 1, 1, 1]).unwrap();
        let kinds: Vec<_> = (0..10).map(|place| mix.kind(place)).collect();
        let counts = CallKind::ALL.map(|kind| kinds.iter().filter(|of| **of == kind).count());
        assert_eq!(counts, [5, 2, 1, 1, 1]);
        assert_ne!(kinds[..5], [CallKind::Plain; 5], "not all of a kind in a row");
        assert!((0..10).all(|place| mix.kind(place) == mix.kind(place + 1_000_000)));
        assert_eq!((Mix::new([0; 5]), Mix::default().kind(7)), (None, CallKind::Plain));
    }

    #[test]
    fn numbers_all_have_the_same_length() {
        assert_eq!(
            [1, 8_999, 9_000, 18_000, 100_000].map(Phones::default_first_number),
            [1001, 1001, 10_001, 10_001, 100_001]
        );
        let mut phones = phones(10);
        phones.first_number = 995;
        let error = phones.check().unwrap_err().to_string();
        assert!(error.contains("from 995 to 1004") && error.ends_with("such as 1001"), "{error}");
    }

    #[test]
    fn names_can_be_told_apart() {
        let mut phones = phones(17);
        phones.names = "SEP00000000000%X".parse().unwrap();
        let error = phones.check().unwrap_err().to_string();
        assert_eq!(
            error,
            "the name of phone 17 would be `SEP0000000000011`, which is longer than the 15 characters that a name may have"
        );
    }

    #[test]
    fn other_machines_are_only_tested_on_purpose_and_gently() {
        assert!(plan("127.0.0.1:2000").check().is_ok() && plan("[::1]:2000").check().is_ok());
        let mut plan = plan("192.0.2.1:2000");
        assert!(matches!(plan.check(), Err(PlanError::Elsewhere(_))));
        plan.really = true;
        assert!(plan.check().is_ok());
        plan.calls.rate = Some(101.0);
        assert!(matches!(plan.check(), Err(PlanError::TooFast { what: "calls", .. })));
        plan.calls.rate = None;
        plan.phones.register_rate = Rate::AtOnce;
        assert!(matches!(plan.check(), Err(PlanError::TooFast { what: "registrations", .. })));
        plan.phones.sources = Some("127.0.0.0/16".parse().unwrap());
        assert!(matches!(plan.check(), Err(PlanError::Sources { .. })));
    }
}
