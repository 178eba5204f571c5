//! What holds for the whole office.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Model, word::words};
use crate::{LineNumber, Name, NumberRange};

/// Settings for the whole office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The name that phones show where they show one, at most 39 bytes (ConfigStat's server name).
    pub name: String,
    /// IANA time zone, such as `Europe/Berlin`; `None` is the zone of the machine.
    pub time_zone: Option<String>,
    /// How phones write a date: D, M and Y once each with separators between, at most 6 bytes, as RegisterAck
    /// carries it. A trailing `A` (`M/D/YA`) asks for a 12-hour clock.
    pub date_format: String,
    /// The language of screen texts that phones do not translate themselves, and their user locale.
    pub language: Language,
    /// Which call progress tones a country uses; told to phones as their network locale.
    pub tones: TonePlan,
    /// Which codec is preferred when both phones can do several, first is best.
    pub codecs: Vec<CodecName>,
    /// RTP packet time in milliseconds, 10 to 60 in steps of 10.
    pub packet_ms: u32,
    /// How often phones say that they are there, in seconds (10 to 600). Each phone gets a slightly
    /// different interval so that not all speak at once.
    pub keepalive_seconds: u32,
    /// May a second call come in at a line in use, where the line does not say?
    pub call_waiting: bool,
    /// Does hanging up complete a transfer whose other party rings or talks?
    pub on_hook_transfers: bool,
    /// May a transfer connect two parties outside of the office, who then talk at its expense?
    pub outside_transfers: bool,
    /// Seconds after which a blind transfer that nobody answers comes back to who made it, 0 to 600; 0 is
    /// never.
    pub transfer_recall_seconds: u32,
    /// Who may remove participants from a conference.
    pub conference_drop: ConferenceDrop,
    /// What happens to a conference whose owner leaves.
    pub conference_owner_leaves: OwnerLeaves,
    /// Most participants of a conference, 3 to 64.
    pub conference_size: u32,
    /// The number that the messages key dials.
    pub voicemail: Option<LineNumber>,
    /// What people hear who are on hold or wait otherwise; `None` is silence.
    pub music: Option<Name>,
    /// Are calls recorded, where the line or trunk does not say?
    pub record: RecordingRule,
    /// Seconds from one beep to the next while a call is recorded, 2 to 600; 0 is never.
    pub recording_beep: u32,
    /// Days for which recordings are kept, 0 to 36500; 0 is for ever.
    pub recordings_keep: u32,
    /// Space for recordings in MiB, 0 to 100 million; the oldest go when it is full. 0 is no limit.
    pub recordings_mib: u32,
    /// Time limits of calls.
    pub timers: DialTimers,
    /// What is dialled to use a feature.
    pub codes: FeatureCodes,
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
            language: Language::default(),
            tones: TonePlan::default(),
            codecs: vec![CodecName::G722, CodecName::Pcmu, CodecName::Pcma, CodecName::G729],
            packet_ms: 20,
            keepalive_seconds: 30,
            call_waiting: true,
            on_hook_transfers: true,
            outside_transfers: true,
            transfer_recall_seconds: 0,
            conference_drop: ConferenceDrop::default(),
            conference_owner_leaves: OwnerLeaves::default(),
            conference_size: 8,
            voicemail: None,
            music: None,
            record: RecordingRule::default(),
            recording_beep: 15,
            recordings_keep: 90,
            recordings_mib: 10_240,
            timers: DialTimers::default(),
            codes: FeatureCodes::default(),
            auto_registration: None,
            firmware: BTreeMap::new(),
        }
    }
}

/// The numbers that unknown phones get, the lowest free one first; both ends have equally many digits.
pub type AutoRegistration = NumberRange;

words! {
    /// Languages of screen texts.
    #[derive(Default)]
    pub enum Language {
        /// English.
        #[default]
        English = "en",
        /// German.
        German = "de",
        /// French.
        French = "fr",
        /// Spanish.
        Spanish = "es",
    }
}

words! {
    /// Call progress tones by region.
    #[derive(Default)]
    pub enum TonePlan {
        /// Precise tone plan of North America.
        #[default]
        UnitedStates = "united-states",
        /// ETSI style, as in Germany.
        Germany = "germany",
        /// United Kingdom.
        UnitedKingdom = "united-kingdom",
        /// France.
        France = "france",
    }
}

words! {
    /// Audio codecs: those that phones of this protocol have in common, and one of trunks.
    pub enum CodecName {
        /// G.711 µ-law, 64 kbit/s.
        Pcmu = "pcmu",
        /// G.711 A-law, 64 kbit/s.
        Pcma = "pcma",
        /// G.722, wideband at 64 kbit/s.
        G722 = "g722",
        /// G.729 (with or without annexes A and B), 8 kbit/s.
        G729 = "g729",
        /// Opus, wideband at about 24 kbit/s. Phones of this protocol do not have it: it is for trunks alone.
        Opus = "opus",
    }
}

words! {
    /// Are calls recorded?
    #[derive(Default)]
    pub enum RecordingRule {
        /// Never.
        #[default]
        Never = "never",
        /// When somebody presses the key.
        Key = "key",
        /// All of them.
        Always = "always",
    }
}

words! {
    /// Who may remove participants from a conference.
    #[derive(Default)]
    pub enum ConferenceDrop {
        /// Who made it.
        #[default]
        Owner = "owner",
        /// Every phone of the office that takes part.
        Anyone = "anyone",
    }
}

words! {
    /// What happens to a conference whose owner leaves.
    #[derive(Default)]
    pub enum OwnerLeaves {
        /// The others go on.
        #[default]
        Stay = "stay",
        /// It ends for all.
        End = "end",
    }
}

/// Time limits of calls, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DialTimers {
    /// From dial tone to the first digit, 1 to 120.
    pub first_digit: u32,
    /// Between two digits when more could follow, 1 to 60.
    pub inter_digit: u32,
    /// How long a phone rings before the caller is told that nobody answers, 5 to 600.
    pub no_answer: u32,
    /// How long a phone rings before the call goes where its line forwards unanswered ones, 1 to 600.
    pub forward_no_answer: u32,
    /// How often who parked a call is reminded of it, 0 to 3600; 0 is never.
    pub park_reminder: u32,
    /// When a parked call goes back to who parked it, 0 to 3600; 0 is never.
    pub park_return: u32,
    /// How long a phone rings to say that a callback is possible, 5 to 600.
    pub callback: u32,
    /// How often a phone beeps while it holds a call, 0 to 3600; 0 is never.
    pub hold_reminder: u32,
    /// How long a caller waits in the queue of a hunt group that does not say, 1 to 3600.
    pub queue: u32,
}

impl Default for DialTimers {
    /// 15, 6 and 180 s, in the middle of what known managers use (call-flows: 10 to 16, 5 to 8).
    fn default() -> Self {
        Self {
            first_digit: 15,
            inter_digit: 6,
            no_answer: 180,
            forward_no_answer: 20,
            park_reminder: 60,
            park_return: 180,
            callback: 20,
            hold_reminder: 0,
            queue: 300,
        }
    }
}

words! {
    /// Features that are used by dialling a code. What follows the code is said with each.
    pub enum FeatureCode {
        /// Forwards all calls of the line; the target follows.
        ForwardAll = "forward-all",
        /// Ends every forwarding of the line.
        ForwardCancel = "forward-cancel",
        /// Forwards calls while the line is busy; the target follows.
        ForwardBusy = "forward-busy",
        /// Forwards calls that nobody answers; the target follows.
        ForwardNoAnswer = "forward-no-answer",
        /// Takes a call that rings in the own group.
        Pickup = "pickup",
        /// Takes a call that rings in a group that the own one may pick up with.
        GroupPickup = "group-pickup",
        /// Takes the call that rings at a line; its number follows.
        DirectedPickup = "directed-pickup",
        /// Parks the call on hold.
        Park = "park",
        /// Rings back when the line last called is free or there.
        Callback = "callback",
        /// Lets nobody disturb.
        DoNotDisturb = "do-not-disturb",
        /// Lets everybody disturb.
        DoNotDisturbOff = "do-not-disturb-off",
        /// Hides the own number in one call; the number to call follows.
        CallerIdBlock = "caller-id-block",
        /// Dials the last number again.
        Redial = "redial",
        /// Calls the mailbox.
        Voicemail = "voicemail",
        /// Enters the hunt groups that one logs in to.
        HuntLogin = "hunt-login",
        /// Leaves them.
        HuntLogout = "hunt-logout",
        /// Dials an abbreviated number; its index, 1 to 99, follows.
        Abbreviated = "abbreviated",
        /// Bills one call to an account; its code and the number to call follow.
        Account = "account",
        /// Speaks to a line through its speaker; its number follows.
        Intercom = "intercom",
        /// Logs in on a phone.
        Login = "login",
        /// Logs out of a phone.
        Logout = "logout",
        /// Records the call on hold, or no longer.
        Record = "record",
        /// Opens a room; its number follows.
        MeetMe = "meet-me",
    }
}

impl FeatureCode {
    /// The usual code: those of North America where there is one, the others so that no code begins another.
    pub const fn usual(self) -> &'static str {
        match self {
            Self::ForwardAll => "*72",
            Self::ForwardCancel => "*73",
            Self::ForwardBusy => "*90",
            Self::ForwardNoAnswer => "*92",
            Self::Pickup => "*84",
            Self::GroupPickup => "*88",
            Self::DirectedPickup => "*87",
            Self::Park => "*68",
            Self::Callback => "*66",
            Self::DoNotDisturb => "*78",
            Self::DoNotDisturbOff => "*79",
            Self::CallerIdBlock => "*67",
            Self::Redial => "*69",
            Self::Voicemail => "*97",
            Self::HuntLogin => "*96",
            Self::HuntLogout => "*95",
            Self::Abbreviated => "**",
            Self::Account => "*71",
            Self::Intercom => "*80",
            Self::Login => "*81",
            Self::Logout => "*82",
            Self::Record => "*44",
            Self::MeetMe => "*63",
        }
    }
}

/// What is dialled to use a feature; `None` switches a code off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    from = "BTreeMap<FeatureCode, Option<LineNumber>>",
    into = "BTreeMap<FeatureCode, Option<LineNumber>>"
)]
pub struct FeatureCodes {
    set: BTreeMap<FeatureCode, Option<LineNumber>>,
    /// Those that are set, in the order of their codes: each dialled digit asks for them.
    by_code: Vec<(LineNumber, FeatureCode)>,
}

impl FeatureCodes {
    fn of(set: BTreeMap<FeatureCode, Option<LineNumber>>) -> Self {
        let codes = set.iter().filter_map(|(&feature, code)| Some((code.clone()?, feature)));
        let mut by_code: Vec<_> = codes.collect();
        by_code.sort_unstable();
        Self { set, by_code }
    }

    /// What is dialled for this feature.
    pub fn code(&self, feature: FeatureCode) -> Option<&LineNumber> {
        self.set.get(&feature)?.as_ref()
    }

    /// Has this dialled for the feature; `None` switches it off.
    pub fn set(&mut self, feature: FeatureCode, code: Option<LineNumber>) {
        let mut set = core::mem::take(&mut self.set);
        set.insert(feature, code);
        *self = Self::of(set);
    }

    /// Without any code, not even the usual ones.
    pub(crate) fn none() -> Self {
        Self::of(BTreeMap::new())
    }

    /// Takes what is set in `codes`.
    pub(crate) fn extend(&mut self, codes: &Self) {
        let mut set = core::mem::take(&mut self.set);
        set.extend(codes.set.clone());
        *self = Self::of(set);
    }

    /// The features that have a code.
    pub fn iter(&self) -> impl Iterator<Item = (FeatureCode, &LineNumber)> {
        self.set.iter().filter_map(|(&feature, code)| Some((feature, code.as_ref()?)))
    }

    /// The feature whose code these digits begin with, and what follows it. In a valid site no code begins with another.
    pub fn dialled<'a>(&self, digits: &'a str) -> Option<(FeatureCode, &'a str)> {
        let after = self.by_code.partition_point(|(code, _)| code.as_str() <= digits);
        let (code, feature) = self.by_code[..after].last()?;
        digits.strip_prefix(code.as_str()).map(|rest| (*feature, rest))
    }

    /// Does a code begin with these digits?
    pub fn begins(&self, digits: &str) -> bool {
        let at = self.by_code.partition_point(|(code, _)| code.as_str() < digits);
        self.by_code.get(at).is_some_and(|(code, _)| code.as_str().starts_with(digits))
    }
}

impl Default for FeatureCodes {
    fn default() -> Self {
        Self::of(FeatureCode::ALL.iter().map(|&feature| (feature, feature.usual().parse().ok())).collect())
    }
}

impl From<BTreeMap<FeatureCode, Option<LineNumber>>> for FeatureCodes {
    /// The usual codes, but for those given.
    fn from(codes: BTreeMap<FeatureCode, Option<LineNumber>>) -> Self {
        let mut all = Self::default().set;
        all.extend(codes);
        Self::of(all)
    }
}

impl From<FeatureCodes> for BTreeMap<FeatureCode, Option<LineNumber>> {
    fn from(codes: FeatureCodes) -> Self {
        codes.set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialled_digits_find_their_code() {
        let mut codes = FeatureCodes::default();
        assert_eq!(codes.dialled("*721234"), Some((FeatureCode::ForwardAll, "1234")));
        assert_eq!(codes.dialled("**17"), Some((FeatureCode::Abbreviated, "17")));
        assert_eq!(codes.dialled("*97"), Some((FeatureCode::Voicemail, "")));
        for none in ["", "*", "*7", "*99", "1234", "+1"] {
            assert_eq!(codes.dialled(none), None, "{none}");
        }
        for (digits, begins) in
            [("", true), ("*", true), ("*7", true), ("*72", true), ("*720", false), ("1", false)]
        {
            assert_eq!(codes.begins(digits), begins, "{digits}");
        }
        codes.set(FeatureCode::ForwardAll, None);
        codes.set(FeatureCode::Redial, "5".parse().ok());
        assert_eq!(codes.dialled("*721234"), None);
        assert_eq!(codes.dialled("55"), Some((FeatureCode::Redial, "5")));
        assert!(!FeatureCodes::none().begins(""));
    }
}
