//! Where dialled numbers lead, and who may dial them.

use serde::{Deserialize, Serialize};

use super::word::words;
use crate::{LineNumber, Name, NumberMask, Pattern, Secret};

/// Where a dialled pattern leads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// What happens.
    pub action: Action,
    /// An emergency number: no limit and no restriction ever refuses it.
    pub emergency: bool,
    /// Where the number lies, for those who may call only some partitions.
    pub partition: Option<Name>,
    /// How many digits are taken away at the front before the call goes on; `None` takes what stands before
    /// the pattern's '.'.
    pub strip: Option<u32>,
    /// Digits put in front after that.
    pub prefix: Option<LineNumber>,
    /// The calling number that the other side sees; X are the last digits of the caller's own.
    pub calling: Option<NumberMask>,
    /// It holds only while this schedule is open.
    pub schedule: Option<Name>,
    /// Who gets the calls while the schedule is closed; `None` refuses them.
    pub otherwise: Option<LineNumber>,
    /// Is a number complete as soon as it matches, although a longer one could match?
    pub urgent: bool,
    /// Which code has to be entered first.
    pub code: CodeDemand,
}

/// What a route does with a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Action {
    /// Ring these lines; the first that is free and there takes the call.
    Lines(Vec<LineNumber>),
    /// Dial this number instead.
    Number(LineNumber),
    /// Leave through the first of these trunks that can take the call.
    Trunks(Vec<Name>),
    /// Refuse the call with reorder tone.
    Block,
}

impl Default for Action {
    /// Rings nobody, which is not valid: a route has to say what it does.
    fn default() -> Self {
        Self::Lines(Vec::new())
    }
}

words! {
    /// Which code a route asks for.
    #[derive(Default)]
    pub enum CodeDemand {
        /// None.
        #[default]
        None = "none",
        /// One that says who pays.
        Account = "account",
        /// One that says that the caller may.
        Authorisation = "authorisation",
    }
}

/// A code that people enter before a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CallCode {
    /// The digits; needed.
    pub code: Secret,
    /// What it is good for.
    pub kind: CodeKind,
    /// What may be called with it, for [`CodeKind::Authorisation`]; `None` is everything.
    pub rights: Option<Name>,
    /// What it is for, for people; at most 128 bytes.
    pub description: String,
}

words! {
    /// What a code is good for.
    #[derive(Default)]
    pub enum CodeKind {
        /// It says who pays.
        #[default]
        Account = "account",
        /// It says that the caller may.
        Authorisation = "authorisation",
    }
}

/// Which numbers may be called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rights {
    /// The partitions; numbers without one may always be called.
    pub partitions: Vec<Name>,
}

/// What answers a number that a route leads to a trunk of the kind [`TrunkKind::Services`](super::TrunkKind::Services).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Application {
    /// What happens there.
    pub kind: ApplicationKind,
    /// The file that an announcement plays: a name in the folder of the announcements.
    pub file: String,
    /// The line in whose mailbox a message is left.
    pub line: Option<LineNumber>,
    /// What opens a room to its guests: 4 to 10 digits; empty for a room that is open to everybody.
    pub pin: Secret,
    /// What makes somebody the moderator of a room: 4 to 10 digits; empty for a room without one.
    pub moderator_pin: Secret,
    /// The most who may be in a room, 2 to 500.
    pub most: u32,
    /// Do the guests of a room hear each other only after its moderator has come?
    pub wait_for_moderator: bool,
    /// Does a tone tell those in a room that somebody comes or goes?
    pub entry_tones: bool,
}

impl Default for Application {
    fn default() -> Self {
        Self {
            kind: ApplicationKind::default(),
            file: String::new(),
            line: None,
            pin: Secret::default(),
            moderator_pin: Secret::default(),
            most: 20,
            wait_for_moderator: false,
            entry_tones: true,
        }
    }
}

words! {
    /// What happens at a number that the manager answers itself.
    #[derive(Default)]
    pub enum ApplicationKind {
        /// Callers hear themselves.
        #[default]
        Echo = "echo",
        /// The time of day is said.
        Clock = "clock",
        /// Whoever is sent on to it leaves a message for who did that; others hear their own.
        Mailbox = "mailbox",
        /// A message is left for one line.
        Message = "message",
        /// A file is played.
        Announcement = "announcement",
        /// All who call it hear each other.
        Room = "room",
    }
}

/// Callers that are refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Blocked {
    /// Patterns of calling numbers.
    pub calling: Vec<Pattern>,
}
