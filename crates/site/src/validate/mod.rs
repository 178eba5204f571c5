//! What makes a site valid: the rules that one value alone cannot know, and the limits of the wire.

mod dialling;
mod form;
mod groups;
mod numbers;
mod people;
mod phones;
mod problem;
mod settings;

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use self::{
    form::{check_url, is_date_format, is_zone_name},
    numbers::Numbers,
};
use crate::{LineNumber, Name, Site, key::KeyPath, near::near};

pub use problem::Problem;

/// Longest name or label: 40 bytes with its NUL in the fixed messages (CallInfo, LineStat, SpeedDialStat,
/// FeatureStat), counted as UTF-8, which no phone's code page exceeds.
pub const MAX_NAME_BYTES: usize = 39;
/// Bytes of the name or address of a file that phones fetch: with the manager's own address in front it fits into one message.
pub(crate) const MAX_FILE_BYTES: usize = 255;
/// Longest service URL: 256 bytes with its NUL in ServiceURLStat.
pub const MAX_URL_BYTES: usize = 255;
/// Longest date format: the six bytes of RegisterAck, which may be full (IOS bridge capture).
pub const MAX_DATE_FORMAT_BYTES: usize = 6;
/// Longest description of a device; it never leaves the manager.
pub const MAX_DESCRIPTION_BYTES: usize = 128;
/// Longest text of an idle display: 32 bytes with its NUL in DisplayPromptStatus.
pub const MAX_PROMPT_BYTES: usize = 31;
/// Most buttons of any phone: the slots of ButtonTemplate.
pub const MAX_BUTTONS: usize = 42;
/// Most numbers that auto-registration may give out, and most park slots of one range.
pub const MAX_AUTO_NUMBERS: u64 = 10_000;
/// Greatest index of an abbreviated number.
pub const MAX_ABBREVIATED: u32 = 99;

/// One thing that is wrong with a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub at: KeyPath,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.problem)
    }
}

impl Site {
    /// All that is wrong with the site, in the order of its parts; nothing if it is valid.
    pub fn validate(&self) -> Vec<Fault> {
        let lines = self.lines.values().filter_map(|line| line.partition.as_ref());
        let routes = self.routes.values().filter_map(|route| route.partition.as_ref());
        let mut check = Check {
            site: self,
            numbers: Numbers::of(self),
            partitions: lines.chain(routes).collect(),
            faults: Vec::new(),
        };
        check.settings();
        check.lines();
        check.devices();
        check.sip_phones();
        check.pools();
        check.users();
        check.groups();
        check.rights();
        check.routes();
        check.rest();
        check.numbers();
        check.loops();
        check.faults
    }
}

/// A site while it is looked through.
struct Check<'s> {
    site: &'s Site,
    numbers: Numbers,
    partitions: BTreeSet<&'s Name>,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn add(&mut self, at: KeyPath, problem: Problem) {
        self.faults.push(Fault { at, problem });
    }

    fn text(&mut self, at: KeyPath, text: &str, max: usize) {
        if text.chars().any(char::is_control) {
            self.add(at, Problem::ControlCharacter);
        } else if text.len() > max {
            self.add(at, Problem::TooLong { bytes: text.len(), max });
        }
    }

    fn needed_text(&mut self, at: KeyPath, text: &str, max: usize, expected: &'static str) {
        if text.is_empty() {
            self.add(at, Problem::Empty(expected));
        } else {
            self.text(at, text, max);
        }
    }

    fn range(&mut self, at: KeyPath, value: u32, min: u32, max: u32, unit: &'static str) {
        if !(min..=max).contains(&value) {
            self.add(at, Problem::OutOfRange { value, min, max, unit });
        }
    }

    fn url(&mut self, at: KeyPath, url: &str) {
        if url.len() > MAX_URL_BYTES {
            self.add(at, Problem::TooLong { bytes: url.len(), max: MAX_URL_BYTES });
        } else if let Err(why) = check_url(url) {
            self.add(at, Problem::Url(why));
        }
    }

    fn time_zone(&mut self, at: &KeyPath, zone: Option<&String>) {
        if let Some(zone) = zone.filter(|zone| !is_zone_name(zone)) {
            self.add(at.key("time-zone"), Problem::TimeZone(zone.clone()));
        }
    }

    fn date_format(&mut self, at: &KeyPath, format: Option<&String>) {
        if let Some(format) = format.filter(|format| !is_date_format(format)) {
            self.add(at.key("date-format"), Problem::DateFormat(format.clone()));
        }
    }

    fn abbreviated(&mut self, at: &KeyPath, numbers: &BTreeMap<u32, LineNumber>) {
        for index in numbers.keys().filter(|index| !(1..=MAX_ABBREVIATED).contains(*index)) {
            self.add(at.key("abbreviated").key(index.to_string()), Problem::Index);
        }
    }

    /// A name has to be one of `known`.
    fn known<T>(
        &mut self,
        at: KeyPath,
        name: Option<&Name>,
        known: &BTreeMap<Name, T>,
        what: &'static str,
        section: &'static str,
    ) {
        let Some(name) = name.filter(|name| !known.contains_key(*name)) else { return };
        let near = near(name.as_str(), known.keys().map(Name::as_str)).into_iter().map(Into::into).collect();
        self.add(at, Problem::Unknown { what, name: name.to_string(), section, near });
    }

    fn known_rights(&mut self, at: &KeyPath, rights: Option<&Name>) {
        self.known(at.key("rights"), rights, &self.site.rights, "rights", "rights");
    }

    /// Names of a list have to be different ones of `known`.
    fn known_list<T>(
        &mut self,
        at: &KeyPath,
        names: &[Name],
        known: &BTreeMap<Name, T>,
        what: &'static str,
        section: &'static str,
    ) {
        let mut seen = BTreeSet::new();
        for (index, name) in names.iter().enumerate() {
            self.known(at.index(index), Some(name), known, what, section);
            if !seen.insert(name) {
                self.add(at.index(index), Problem::Twice(name.to_string()));
            }
        }
    }

    /// Lines of a list have to be there, and different.
    fn known_lines(&mut self, at: &KeyPath, lines: &[LineNumber]) {
        let mut seen = BTreeSet::new();
        for (index, number) in lines.iter().enumerate() {
            if !self.site.lines.contains_key(number) {
                self.add(at.index(index), Problem::UnknownLine(number.clone()));
            } else if !seen.insert(number) {
                self.add(at.index(index), Problem::LineTwice(number.clone()));
            }
        }
    }

    /// Somebody is to be sent to this number, so it has to be somebody's.
    fn target(&mut self, at: KeyPath, number: Option<&LineNumber>) {
        let Some(number) =
            number.filter(|number| !numbers::leads_somewhere(self.site, &self.numbers, number))
        else {
            return;
        };
        self.add(at, Problem::Nowhere(number.clone()));
    }
}

#[cfg(test)]
mod tests;
