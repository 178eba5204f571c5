//! Directory numbers.

use serde::{Deserialize, Serialize};

use super::{RecordingRule, word::words};
use crate::{LineNumber, Name, NumberMask};

/// A directory number and who it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Line {
    /// The name that the other party sees, at most 39 bytes (40 with its NUL on old phones).
    pub name: String,
    /// The text beside the line key where a button gives none; empty shows the number.
    pub label: String,
    /// Most calls at once on each phone that has it, 1 to 200.
    pub calls: u32,
    /// From how many calls on it counts as busy, 1 to `calls`.
    pub busy_trigger: u32,
    /// May a second call come in while it is in use? `None` is what the settings say.
    pub call_waiting: Option<bool>,
    /// How it rings while the phone is idle.
    pub ring: Ring,
    /// How it rings while the phone is in a call.
    pub ring_active: ActiveRing,
    /// Whose calls it picks up, and who picks up its calls.
    pub pickup_group: Option<Name>,
    /// Where its number lies, for those who may call only some partitions.
    pub partition: Option<Name>,
    /// What may be called from it; `None` is what the pool says, and everything if that says nothing.
    pub rights: Option<Name>,
    /// The number shown outside of the office; X are the last digits of its own.
    pub external_number: Option<NumberMask>,
    /// Does the other party see its number?
    pub caller_id: CallerId,
    /// What is called when the handset is lifted.
    pub hotline: Option<Hotline>,
    /// What "do not disturb" does to its calls.
    pub do_not_disturb: DoNotDisturb,
    /// Has it a mailbox?
    pub voicemail: bool,
    /// The number of its mailbox, if that is another one than the line's.
    pub mailbox: Option<LineNumber>,
    /// Where messages in its mailbox are sent by e-mail; empty for nowhere.
    pub mail: String,
    /// Does it answer by itself?
    pub auto_answer: AutoAnswer,
    /// On a line of several phones: do the others neither see nor enter its calls?
    pub privacy: bool,
    /// Do calls out of the office need an account code?
    pub account_code: bool,
    /// Are its calls recorded? `None` is what the settings say.
    pub record: Option<RecordingRule>,
    /// Where calls go while no phone with this line is registered, unless it is forwarded at run time.
    pub forward_unregistered: Option<LineNumber>,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            name: String::new(),
            label: String::new(),
            calls: 4,
            busy_trigger: 2,
            call_waiting: None,
            ring: Ring::default(),
            ring_active: ActiveRing::default(),
            pickup_group: None,
            partition: None,
            rights: None,
            external_number: None,
            caller_id: CallerId::default(),
            hotline: None,
            do_not_disturb: DoNotDisturb::default(),
            voicemail: true,
            mailbox: None,
            mail: String::new(),
            auto_answer: AutoAnswer::default(),
            privacy: false,
            account_code: false,
            record: None,
            forward_unregistered: None,
        }
    }
}

/// A number that is called without being dialled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hotline {
    /// What is called.
    pub number: LineNumber,
    /// Seconds in which something else may be dialled, 0 to 60; 0 calls at once.
    #[serde(default)]
    pub after: u32,
}

words! {
    /// How a line rings while the phone is idle.
    #[derive(Default)]
    pub enum Ring {
        /// With the phone's ring.
        #[default]
        Normal = "normal",
        /// Only the lamp blinks.
        Silent = "silent",
        /// Once, then only the lamp.
        Once = "once",
        /// With the phone's other ring.
        Feature = "feature",
    }
}

words! {
    /// How a line rings while the phone is in a call.
    #[derive(Default)]
    pub enum ActiveRing {
        /// A short tone.
        #[default]
        Beep = "beep",
        /// Only the lamp blinks.
        Silent = "silent",
        /// As while idle.
        Normal = "normal",
    }
}

words! {
    /// Does the other party see the number?
    #[derive(Default)]
    pub enum CallerId {
        /// It does.
        #[default]
        Allowed = "allowed",
        /// It does not.
        Restricted = "restricted",
    }
}

words! {
    /// What "do not disturb" does to a call.
    #[derive(Default)]
    pub enum DoNotDisturb {
        /// The caller hears that the line is busy.
        #[default]
        Reject = "reject",
        /// It comes in without a ring.
        Silent = "silent",
    }
}

words! {
    /// Does a line answer by itself?
    #[derive(Default)]
    pub enum AutoAnswer {
        /// It does not.
        #[default]
        Off = "off",
        /// The caller is heard, the phone's microphone is off.
        OneWay = "one-way",
        /// Both are heard.
        TwoWay = "two-way",
    }
}
