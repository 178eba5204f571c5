//! A run as a TOML file. What it leaves out has its default; what is not known is an error that names its line.
//!
//! The server is not in it: a file that is passed on must not say whom it attacks.

mod error;
mod value;

use std::time::Duration;

use serde::Deserialize;

pub use self::error::ScenarioError;
use crate::{CallKind, Mix, NamePattern, Rate, Rtp, Sources, Storm, StormKind};

/// What a scenario says; docs/load.md describes each key. `None` leaves it to the command line or the default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Scenario {
    /// The phones.
    pub phones: PhonesPart,
    /// The calls.
    pub calls: CallsPart,
    /// The run.
    pub run: RunPart,
    /// What else happens.
    storm: Vec<StormPart>,
}

/// The phones of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PhonesPart {
    /// How many.
    #[serde(deserialize_with = "value::phones")]
    pub count: Option<u32>,
    /// So many of them make and take no calls.
    #[serde(deserialize_with = "value::phones")]
    pub idle: Option<u32>,
    /// What they are called.
    #[serde(deserialize_with = "value::parsed")]
    pub name_pattern: Option<NamePattern>,
    /// The number of the first one.
    pub first_number: Option<u64>,
    /// The model.
    pub model: Option<String>,
    /// The highest protocol version that they offer.
    #[serde(deserialize_with = "value::version")]
    pub version: Option<u8>,
    /// Phones that connect a second; 0 is all at once.
    #[serde(deserialize_with = "value::rate")]
    pub register_rate: Option<f64>,
    /// Where they connect from.
    #[serde(deserialize_with = "value::parsed")]
    pub sources: Option<Sources>,
}

/// The calls of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CallsPart {
    /// Calls that begin a second.
    #[serde(deserialize_with = "value::rate")]
    pub rate: Option<f64>,
    /// From voice on both sides to hanging up.
    #[serde(deserialize_with = "value::seconds")]
    pub hold: Option<Duration>,
    /// How long a phone rings.
    #[serde(deserialize_with = "value::seconds")]
    pub answer_after: Option<Duration>,
    /// How long a phone rings before the caller gives up.
    #[serde(deserialize_with = "value::seconds")]
    pub abandon_after: Option<Duration>,
    /// How long a call is on hold.
    #[serde(deserialize_with = "value::seconds")]
    pub pause: Option<Duration>,
    /// How many calls are of which kind.
    #[serde(deserialize_with = "value::mix")]
    pub mix: Option<Mix>,
}

/// The run of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RunPart {
    /// How long calls are made, or phones are idle.
    #[serde(deserialize_with = "value::seconds")]
    pub duration: Option<Duration>,
    /// How long one step may take.
    #[serde(deserialize_with = "value::seconds")]
    pub patience: Option<Duration>,
    /// What becomes of the voice.
    #[serde(deserialize_with = "value::parsed")]
    pub rtp: Option<Rtp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct StormPart {
    kind: StormWord,
    #[serde(default, deserialize_with = "value::seconds")]
    at: Option<Duration>,
    #[serde(default, deserialize_with = "value::phones")]
    count: Option<u32>,
    #[serde(default, deserialize_with = "value::seconds")]
    back_after: Option<Duration>,
    #[serde(default, deserialize_with = "value::rate")]
    rate: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StormWord {
    DropAndReturn,
    SlowReaders,
    HalfOpen,
}

/// Parts of each kind of call in the whole.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct MixPart {
    plain: u32,
    abandoned: u32,
    busy: u32,
    hold: u32,
    transfer: u32,
}

impl MixPart {
    fn mix(&self) -> Option<Mix> {
        Mix::new(CallKind::ALL.map(|kind| match kind {
            CallKind::Plain => self.plain,
            CallKind::Abandoned => self.abandoned,
            CallKind::Busy => self.busy,
            CallKind::Hold => self.hold,
            CallKind::Transfer => self.transfer,
        }))
    }
}

impl Scenario {
    /// Reads a scenario; `file` is what it is called in errors.
    ///
    /// # Errors
    /// If it is no TOML, says something unknown, or something impossible.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScenarioError> {
        toml::from_str(text).map_err(|error| ScenarioError::new(file, text, &error))
    }

    /// What else happens.
    pub fn storms(&self) -> Vec<Storm> {
        self.storm.iter().map(StormPart::storm).collect()
    }
}

impl StormPart {
    fn storm(&self) -> Storm {
        Storm {
            at: self.at.unwrap_or_default(),
            kind: match self.kind {
                StormWord::DropAndReturn => StormKind::DropAndReturn,
                StormWord::SlowReaders => StormKind::SlowReaders,
                StormWord::HalfOpen => StormKind::HalfOpen,
            },
            count: self.count,
            back_after: self.back_after.unwrap_or_default(),
            rate: Rate::of(self.rate.unwrap_or(0.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_read_whole() {
        let text = "[phones]\ncount = 500\nidle = 100\nname-pattern = \"LOAD%05d\"\nregister-rate = 0\nsources = \"127.0.0.0/16\"\n\
                    [calls]\nrate = 12.5\nhold = 3\nabandon-after = 0.5\nmix = { plain = 7, transfer = 3 }\n\
                    [run]\nduration = 30\n\
                    [[storm]]\nkind = \"drop-and-return\"\nat = 10\nback-after = 2\nrate = 100\n\
                    [[storm]]\nkind = \"half-open\"\ncount = 50\n";
        let scenario = Scenario::parse("x.toml", text).unwrap();
        let Scenario { phones, calls, run, .. } = &scenario;
        assert_eq!((phones.count, phones.idle, phones.register_rate), (Some(500), Some(100), Some(0.0)));
        assert_eq!(phones.name_pattern.as_ref().unwrap().name(7), "LOAD00007");
        assert_eq!((calls.rate, calls.hold), (Some(12.5), Some(Duration::from_secs(3))));
        assert_eq!(
            (calls.abandon_after, calls.mix),
            (Some(Duration::from_millis(500)), Mix::new([7, 0, 0, 0, 3]))
        );
        assert_eq!((run.duration, run.patience), (Some(Duration::from_secs(30)), None));
        let [drop, half_open] = scenario.storms()[..] else { panic!("two storms") };
        assert_eq!(
            (drop.at.as_secs(), drop.back_after.as_secs(), drop.rate),
            (10, 2, Rate::PerSecond(100.0))
        );
        assert_eq!(
            (half_open.kind, half_open.count, half_open.rate),
            (StormKind::HalfOpen, Some(50), Rate::AtOnce)
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let table = [
            ("[phones]\ncuont = 5", "x.toml:2:1: there is no `cuont` here: did you mean `count`?"),
            ("[fones]\n", "x.toml:1:2: there is no `fones` here: did you mean `phones`?"),
            ("[calls]\nmix = { plian = 1 }", "x.toml:2:9: there is no `plian` here: did you mean `plain`?"),
            (
                "[[storm]]\nkind = \"half-opne\"",
                "x.toml:2:8: there is no `half-opne` here: did you mean `half-open`?",
            ),
            ("[run]\nrtp = \"fll\"", "x.toml:2:7: `fll` is not known; voice is off, count or full"),
            (
                "[run]\nxyzzy = 1",
                "x.toml:2:1: there is no `xyzzy` here; there are `duration`, `patience`, `rtp`",
            ),
            ("[calls]\nrate = -1", "x.toml:2:8: is -1; expected a number from 0 to 1000000"),
            ("[calls]\nmix = { plain = 0 }", "x.toml:2:7: no kind has a part: at least one must be above 0"),
            ("[phones]\ncount = 0", "x.toml:2:9: is 0; expected 1 to 1000000"),
            ("[phones]\nversion = 23", "x.toml:2:11: is 23; expected 0 to 22"),
            ("[phones]\nsources = \"x\"", "x.toml:2:11: `x` is no range of IPv4 addresses"),
            ("[[storm]]\nat = 1", "x.toml:1:1: missing field `kind`"),
            ("[phones\n", "x.toml:1:8: "),
        ];
        for (text, message) in table {
            let error = Scenario::parse("x.toml", text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{text:?}\n gives {error}\n not  {message}");
        }
    }

    #[test]
    fn shipped_scenarios_are_right() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/load");
        let mut count = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let scenario =
                Scenario::parse(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
            assert!(scenario.unwrap().phones.count.is_some(), "{path:?}");
            count += 1;
        }
        assert!(count >= 5, "{count}");
    }
}
