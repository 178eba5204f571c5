//! The types of the model. Plain data: what makes a site valid is in `validate`, its file form in `file`.

use core::{fmt, str::FromStr};
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{DeviceName, LineNumber, NameError, Pattern};

/// A whole office. Keys are unique names; everything else refers to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// What holds for all phones.
    pub settings: Settings,
    /// The phones, by device name.
    pub devices: BTreeMap<DeviceName, Device>,
    /// The directory numbers of the office.
    pub lines: BTreeMap<LineNumber, Line>,
    /// Dialled patterns that are not a line of their own. Lines win over routes; among routes the one with
    /// the most fixed digits wins.
    pub routes: BTreeMap<Pattern, Route>,
}

/// Settings for the whole office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The name that phones show where they show one, at most 39 bytes (ConfigStat's server name).
    pub name: String,
    /// IANA time zone, such as `Europe/Berlin`; `None` is the zone of the machine.
    pub time_zone: Option<String>,
    /// How phones write a date: D, M and Y once each with separators between, at most 6 bytes, as RegisterAck
    /// carries it. A trailing `A` (`M/D/YA`) asks for a 12-hour clock.
    pub date_format: String,
    /// Which call progress tones a country uses; told to phones as their network locale.
    pub tones: TonePlan,
    /// Which codec is preferred when both phones can do several, first is best.
    pub codecs: Vec<CodecName>,
    /// RTP packet time in milliseconds, 10 to 60 in steps of 10.
    pub packet_ms: u32,
    /// How often phones say that they are there, in seconds (10 to 600). Each phone gets a slightly
    /// different interval so that not all speak at once.
    pub keepalive_seconds: u32,
    /// Time limits while dialling and ringing.
    pub timers: DialTimers,
    /// Numbers for phones that nobody configured; `None` rejects them.
    pub auto_registration: Option<AutoRegistration>,
    /// The firmware load that a model has to run, such as `SCCP45.9-4-2SR3-1S`; models not named keep theirs.
    pub firmware: BTreeMap<Model, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "selsius".into(),
            time_zone: None,
            date_format: "D/M/Y".into(),
            tones: TonePlan::default(),
            codecs: vec![CodecName::G722, CodecName::Pcmu, CodecName::Pcma, CodecName::G729],
            packet_ms: 20,
            keepalive_seconds: 30,
            timers: DialTimers::default(),
            auto_registration: None,
            firmware: BTreeMap::new(),
        }
    }
}

/// Call progress tones by region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TonePlan {
    /// Precise tone plan of North America.
    #[default]
    UnitedStates,
    /// ETSI style, as in Germany.
    Germany,
    /// United Kingdom.
    UnitedKingdom,
    /// France.
    France,
}

/// Audio codecs that phones of this protocol have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodecName {
    /// G.711 µ-law, 64 kbit/s.
    Pcmu,
    /// G.711 A-law, 64 kbit/s.
    Pcma,
    /// G.722, wideband at 64 kbit/s.
    G722,
    /// G.729 (with or without annexes A and B), 8 kbit/s.
    G729,
}

impl TonePlan {
    /// Every plan.
    pub const ALL: [Self; 4] = [Self::UnitedStates, Self::Germany, Self::UnitedKingdom, Self::France];

    /// Its name in a site's file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnitedStates => "united-states",
            Self::Germany => "germany",
            Self::UnitedKingdom => "united-kingdom",
            Self::France => "france",
        }
    }
}

impl CodecName {
    /// Every codec.
    pub const ALL: [Self; 4] = [Self::Pcmu, Self::Pcma, Self::G722, Self::G729];

    /// Its name in a site's file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "pcmu",
            Self::Pcma => "pcma",
            Self::G722 => "g722",
            Self::G729 => "g729",
        }
    }
}

/// Time limits while dialling and ringing, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialTimers {
    /// From dial tone to the first digit, 1 to 120.
    pub first_digit: u32,
    /// Between two digits when more could follow, 1 to 60.
    pub inter_digit: u32,
    /// How long a phone rings before the caller is told that nobody answers, 5 to 600.
    pub no_answer: u32,
}

impl Default for DialTimers {
    /// 15, 6 and 180 s, in the middle of what known managers use (call-flows: 10 to 16, 5 to 8).
    fn default() -> Self {
        Self { first_digit: 15, inter_digit: 6, no_answer: 180 }
    }
}

/// The numbers that unknown phones get, in order, the lowest free one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoRegistration {
    /// First number; it and `last` have equally many digits.
    pub first: LineNumber,
    /// Last number.
    pub last: LineNumber,
}

impl AutoRegistration {
    /// How many numbers there are; `None` when `first` and `last` do not span a range.
    pub fn count(&self) -> Option<u64> {
        let (first, last) = self.bounds()?;
        (last - first).checked_add(1)
    }

    /// The numbers, lowest first, with the zeros that `first` leads with.
    pub fn numbers(&self) -> impl Iterator<Item = LineNumber> + use<> {
        let width = self.first.as_str().len();
        let range = self.bounds().map(|(first, last)| first..=last);
        range.into_iter().flatten().filter_map(move |number| format!("{number:0width$}").parse().ok())
    }

    fn bounds(&self) -> Option<(u64, u64)> {
        let (first, last): (u64, u64) = (self.first.as_str().parse().ok()?, self.last.as_str().parse().ok()?);
        (first <= last && self.first.as_str().len() == self.last.as_str().len()).then_some((first, last))
    }
}

impl FromStr for AutoRegistration {
    type Err = NameError;

    /// Reads `1001-1999`, as on the command line; a single number is a range of one.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Ok(Self { first: first.trim().parse()?, last: last.trim().parse()? })
    }
}

impl fmt::Display for AutoRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// One phone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// What people call it ("Reception"); empty if nobody said.
    pub description: String,
    /// Which phone it is; `None` takes what the phone says of itself.
    pub model: Option<Model>,
    /// The buttons beside the display, first is button 1.
    pub buttons: Vec<Button>,
    /// May it register from a new address while the old one still answers?
    pub roam: bool,
}

impl Device {
    /// The lines on its buttons, in their order.
    pub fn lines(&self) -> impl Iterator<Item = &LineNumber> {
        self.buttons.iter().filter_map(|button| match button {
            Button::Line { number, .. } => Some(number),
            Button::SpeedDial { .. } | Button::Service { .. } | Button::Empty => None,
        })
    }
}

/// What one button of a phone is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Button {
    /// An appearance of a line.
    Line {
        /// The directory number.
        number: LineNumber,
        /// What the phone shows beside the button; empty shows the number.
        label: String,
    },
    /// A number to dial.
    SpeedDial {
        /// What is dialled.
        number: LineNumber,
        /// What the phone shows beside the button.
        label: String,
    },
    /// An XML service to open.
    Service {
        /// `http` or `https` address, at most 255 bytes.
        url: String,
        /// What the phone shows beside the button.
        label: String,
    },
    /// Nothing.
    Empty,
}

/// A directory number and who it belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The name that the other party sees, at most 39 bytes (40 with its NUL on old phones).
    pub name: String,
    /// The text beside the line key where a button gives none; empty shows the number.
    pub label: String,
}

/// Where a dialled pattern leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What happens.
    pub action: Action,
    /// An emergency number: no limit and no restriction ever refuses it.
    pub emergency: bool,
}

/// What a route does with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ring these lines; the first that is free and there takes the call.
    Lines(Vec<LineNumber>),
    /// Refuse the call with reorder tone.
    Block,
}

/// A phone model, by the name printed on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Model(pub String);
