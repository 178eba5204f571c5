//! What makes a site valid: the rules that one value alone cannot know, and the limits of the wire.

use core::fmt;
use std::collections::BTreeSet;

use thiserror::Error;

use crate::key::KeyPath;
use crate::{
    Action, AutoRegistration, Button, Device, LineNumber, Model, PatternMatch, Route, Settings, Site,
};

/// Longest name or label: 40 bytes with its NUL in the fixed messages (CallInfo, LineStat, SpeedDialStat,
/// FeatureStat), counted as UTF-8, which no phone's code page exceeds.
pub const MAX_NAME_BYTES: usize = 39;
/// Longest service URL: 256 bytes with its NUL in ServiceURLStat.
pub const MAX_URL_BYTES: usize = 255;
/// Longest date format: the six bytes of RegisterAck, which may be full (IOS bridge capture).
pub const MAX_DATE_FORMAT_BYTES: usize = 6;
/// Longest description of a device; it never leaves the manager.
pub const MAX_DESCRIPTION_BYTES: usize = 128;
/// Most buttons of any phone: the slots of ButtonTemplate.
pub const MAX_BUTTONS: usize = 42;
/// Most numbers that auto-registration may give out.
pub const MAX_AUTO_NUMBERS: u64 = 10_000;

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

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// A button or route leads to a line that is not there.
    #[error("line {0} does not exist; add it under [lines] or use one that exists")]
    UnknownLine(LineNumber),
    /// The same line twice on one phone or in one route.
    #[error("line {0} is there twice")]
    LineTwice(LineNumber),
    /// More buttons than the phone has.
    #[error("{given} buttons, but a {model} has at most {possible}")]
    TooManyButtons {
        /// Its model, or "phone" where none is given.
        model: String,
        /// Buttons given.
        given: usize,
        /// Buttons possible, with add-on modules.
        possible: usize,
    },
    /// More lines than the phone can have.
    #[error("{given} lines, but a {model} has at most {possible}")]
    TooManyLines {
        /// Its model.
        model: Model,
        /// Lines given.
        given: usize,
        /// Lines possible, with add-on modules.
        possible: usize,
    },
    /// A model that is not in the table.
    #[error("no model is called {0:?}")]
    UnknownModel(String),
    /// A device name that starts like a phone's and goes on otherwise.
    #[error("a phone's name is SEP and the 12 hexadecimal digits of its MAC address")]
    NotAMac,
    /// Not an address that a phone can open.
    #[error("{0}; expected http://host/path or https://host/path")]
    Url(&'static str),
    /// Text that the wire has no room for.
    #[error("{bytes} bytes long; expected at most {max}")]
    TooLong {
        /// Bytes given, as UTF-8.
        bytes: usize,
        /// Bytes possible.
        max: usize,
    },
    /// A character that no display shows.
    #[error("contains a control character")]
    ControlCharacter,
    /// Nothing, where something is needed.
    #[error("is empty; expected {0}")]
    Empty(&'static str),
    /// A number outside its range.
    #[error("is {value}; expected {min} to {max} {unit}")]
    OutOfRange {
        /// Given.
        value: u32,
        /// Least possible.
        min: u32,
        /// Most possible.
        max: u32,
        /// Of what.
        unit: &'static str,
    },
    /// A packet time that phones do not know.
    #[error("is {0}; expected 10, 20, 30, 40, 50 or 60 milliseconds")]
    PacketTime(u32),
    /// Not a date format.
    #[error(
        "is {0:?}; expected D, M and Y (or YA) once each with separators, such as \"D.M.Y\" or \"M/D/YA\""
    )]
    DateFormat(String),
    /// Not the form of a time zone's name.
    #[error("is {0:?}; expected a zone such as \"Europe/Berlin\" or \"UTC\"")]
    TimeZone(String),
    /// The same codec twice.
    #[error("names the same codec twice")]
    CodecTwice,
    /// Not a firmware load.
    #[error(
        "is {0:?}; expected the name of a load such as \"SCCP45.9-4-2SR3-1S\", without folder and spaces"
    )]
    Firmware(String),
    /// A range for auto-registration that is none.
    #[error("{0}")]
    AutoRange(&'static str),
    /// A number that unknown phones would get is an emergency number.
    #[error("includes {number}, which is the emergency number {pattern}")]
    AutoEmergency {
        /// The first such number.
        number: String,
        /// The emergency route.
        pattern: String,
    },
    /// A route that no call ever takes, since a line has its number.
    #[error("is also a line, and lines come first; remove one of the two")]
    HiddenByLine,
    /// A line with an emergency number.
    #[error("line {0} has this emergency number, and lines come first; give the line another number")]
    EmergencyHiddenByLine(LineNumber),
    /// A blocking route for a number that an emergency route means to let through.
    #[error("blocks a number of the emergency route {0}; remove one of the two")]
    BlocksEmergency(String),
    /// An emergency route that refuses calls.
    #[error("an emergency route cannot block; expected lines")]
    EmergencyBlocked,
}

impl Site {
    /// All that is wrong with the site, in the order of its parts; nothing if it is valid.
    pub fn validate(&self) -> Vec<Fault> {
        let mut faults = Faults(Vec::new());
        faults.settings(self);
        for (number, line) in &self.lines {
            let at = KeyPath::new(&["lines", number.as_str()]);
            faults.text(at.key("name"), &line.name, MAX_NAME_BYTES);
            faults.text(at.key("label"), &line.label, MAX_NAME_BYTES);
        }
        for (name, device) in &self.devices {
            let at = KeyPath::new(&["devices", name.as_str()]);
            if name.as_str().starts_with("SEP") && name.mac().is_none() {
                faults.add(at.clone(), Problem::NotAMac);
            }
            faults.device(self, &at, device);
        }
        for (pattern, route) in &self.routes {
            faults.route(self, &KeyPath::new(&["routes", pattern.as_str()]), pattern, route);
        }
        faults.0
    }
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, at: KeyPath, problem: Problem) {
        self.0.push(Fault { at, problem });
    }

    fn text(&mut self, at: KeyPath, text: &str, max: usize) {
        if text.chars().any(char::is_control) {
            self.add(at, Problem::ControlCharacter);
        } else if text.len() > max {
            self.add(at, Problem::TooLong { bytes: text.len(), max });
        }
    }

    fn range(&mut self, at: KeyPath, value: u32, min: u32, max: u32, unit: &'static str) {
        if !(min..=max).contains(&value) {
            self.add(at, Problem::OutOfRange { value, min, max, unit });
        }
    }

    fn settings(&mut self, site: &Site) {
        let at = KeyPath::new(&["settings"]);
        let Settings { name, time_zone, date_format, codecs, timers, auto_registration, firmware, .. } =
            &site.settings;
        self.text(at.key("name"), name, MAX_NAME_BYTES);
        if let Some(zone) = time_zone.as_deref().filter(|zone| !is_zone_name(zone)) {
            self.add(at.key("time-zone"), Problem::TimeZone(zone.into()));
        }
        if !is_date_format(date_format) {
            self.add(at.key("date-format"), Problem::DateFormat(date_format.clone()));
        }
        if codecs.is_empty() {
            self.add(at.key("codecs"), Problem::Empty("at least one codec"));
        } else if codecs.iter().collect::<BTreeSet<_>>().len() < codecs.len() {
            self.add(at.key("codecs"), Problem::CodecTwice);
        }
        let packet_ms = site.settings.packet_ms;
        if !(10..=60).contains(&packet_ms) || !packet_ms.is_multiple_of(10) {
            self.add(at.key("packet-ms"), Problem::PacketTime(packet_ms));
        }
        self.range(at.key("keepalive-seconds"), site.settings.keepalive_seconds, 10, 600, "seconds");
        let clock = at.key("timers");
        self.range(clock.key("first-digit"), timers.first_digit, 1, 120, "seconds");
        self.range(clock.key("inter-digit"), timers.inter_digit, 1, 60, "seconds");
        self.range(clock.key("no-answer"), timers.no_answer, 5, 600, "seconds");
        if let Some(range) = auto_registration {
            self.auto_registration(site, at.key("auto-registration"), range);
        }
        for (model, load) in firmware {
            let at = at.key("firmware").key(model.as_str());
            if model.facts().is_none() {
                self.add(at.clone(), Problem::UnknownModel(model.to_string()));
            }
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            if load.is_empty() || load.len() > 64 || !load.chars().all(plain) || load.contains("..") {
                self.add(at, Problem::Firmware(load.clone()));
            }
        }
    }

    fn auto_registration(&mut self, site: &Site, at: KeyPath, range: &AutoRegistration) {
        let digits = |number: &LineNumber| number.as_str().chars().all(|c| c.is_ascii_digit());
        if !digits(&range.first) || !digits(&range.last) {
            return self.add(
                at,
                Problem::AutoRange("is not a range of numbers; expected only digits in first and last"),
            );
        }
        if range.first.as_str().len() != range.last.as_str().len() {
            return self.add(
                at,
                Problem::AutoRange("first and last differ in length; expected as many digits in both"),
            );
        }
        if range.first > range.last {
            return self.add(at, Problem::AutoRange("first is greater than last"));
        }
        if range.count().is_none_or(|count| count > MAX_AUTO_NUMBERS) {
            return self.add(at, Problem::AutoRange("has more than 10,000 numbers"));
        }
        let emergency: Vec<_> =
            site.routes.iter().filter(|(_, route)| route.emergency).map(|(p, _)| p).collect();
        let matched = range.numbers().find_map(|number| {
            let pattern = emergency.iter().find(|pattern| is_match(pattern.matches(number.as_str())))?;
            Some(Problem::AutoEmergency { number: number.to_string(), pattern: pattern.to_string() })
        });
        if let Some(problem) = matched {
            self.add(at, problem);
        }
    }

    fn device(&mut self, site: &Site, at: &KeyPath, device: &Device) {
        self.text(at.key("description"), &device.description, MAX_DESCRIPTION_BYTES);
        let facts = device.model.as_ref().and_then(Model::facts);
        if let Some(model) = device.model.as_ref().filter(|_| facts.is_none()) {
            self.add(at.key("model"), Problem::UnknownModel(model.to_string()));
        }

        let given = device.buttons.len();
        let possible = facts.map_or(MAX_BUTTONS, |facts| usize::from(facts.buttons + facts.module_buttons));
        if given > possible {
            let model = facts.map_or("phone", |facts| facts.name).to_owned();
            self.add(at.key("buttons"), Problem::TooManyButtons { model, given, possible });
        }
        let lines: Vec<_> = device.lines().collect();
        if let (Some(facts), Some(model)) = (facts, &device.model)
            && lines.len() > usize::from(facts.lines)
        {
            let (given, possible) = (lines.len(), usize::from(facts.lines));
            self.add(at.key("buttons"), Problem::TooManyLines { model: model.clone(), given, possible });
        }

        let mut seen = BTreeSet::new();
        for (index, button) in device.buttons.iter().enumerate() {
            let at = at.key("buttons").index(index);
            match button {
                Button::Line { number, label } => {
                    self.text(at.key("label"), label, MAX_NAME_BYTES);
                    if !site.lines.contains_key(number) {
                        self.add(at.key("line"), Problem::UnknownLine(number.clone()));
                    } else if !seen.insert(number) {
                        self.add(at.key("line"), Problem::LineTwice(number.clone()));
                    }
                }
                Button::SpeedDial { label, .. } => self.text(at.key("label"), label, MAX_NAME_BYTES),
                Button::Service { url, label } => {
                    self.text(at.key("label"), label, MAX_NAME_BYTES);
                    if url.len() > MAX_URL_BYTES {
                        self.add(
                            at.key("service"),
                            Problem::TooLong { bytes: url.len(), max: MAX_URL_BYTES },
                        );
                    } else if let Err(why) = check_url(url) {
                        self.add(at.key("service"), Problem::Url(why));
                    }
                }
                Button::BusyLamp { .. }
                | Button::Menu { .. }
                | Button::Feature { .. }
                | Button::Intercom { .. }
                | Button::ParkSlot { .. }
                | Button::Paging { .. }
                | Button::Empty => {}
            }
        }
    }

    fn route(&mut self, site: &Site, at: &KeyPath, pattern: &crate::Pattern, route: &Route) {
        if route.emergency {
            let hidden = site.lines.keys().find(|line| is_match(pattern.matches(line.as_str())));
            if let Some(line) = hidden {
                self.add(at.clone(), Problem::EmergencyHiddenByLine(line.clone()));
            }
        } else if pattern
            .only_number()
            .is_some_and(|only| site.lines.keys().any(|line| line.as_str() == only))
        {
            self.add(at.clone(), Problem::HiddenByLine);
        }
        match &route.action {
            Action::Block if route.emergency => self.add(at.key("block"), Problem::EmergencyBlocked),
            Action::Block => {
                // A wider pattern loses to the emergency route; one that is a single number wins.
                let emergency = site.routes.iter().find(|(other, route)| {
                    let only = pattern.only_number();
                    route.emergency && only.is_some_and(|number| is_match(other.matches(&number)))
                });
                if let Some((other, _)) = emergency {
                    self.add(at.key("block"), Problem::BlocksEmergency(other.to_string()));
                }
            }
            Action::Number(_) | Action::Trunks(_) => {}
            Action::Lines(lines) if lines.is_empty() => {
                self.add(at.key("lines"), Problem::Empty("at least one line"));
            }
            Action::Lines(lines) => {
                let mut seen = BTreeSet::new();
                for (index, number) in lines.iter().enumerate() {
                    let at = at.key("lines").index(index);
                    if !site.lines.contains_key(number) {
                        self.add(at, Problem::UnknownLine(number.clone()));
                    } else if !seen.insert(number) {
                        self.add(at, Problem::LineTwice(number.clone()));
                    }
                }
            }
        }
    }
}

fn is_match(result: PatternMatch) -> bool {
    matches!(result, PatternMatch::Full | PatternMatch::FullMayGrow)
}

/// The form of an IANA zone name; whether there is such a zone is known to whoever has the zones.
fn is_zone_name(zone: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
    };
    zone.len() <= 64 && zone.split('/').all(part)
}

/// D, M and Y once each, separators between them, perhaps an A for a 12-hour clock at the end.
fn is_date_format(format: &str) -> bool {
    let letters: String = format.chars().filter(char::is_ascii_alphabetic).collect();
    let order = letters.strip_suffix('A').unwrap_or(&letters);
    let mut sorted: Vec<char> = order.chars().collect();
    sorted.sort_unstable();
    format.len() <= MAX_DATE_FORMAT_BYTES
        && sorted == ['D', 'M', 'Y']
        && format.chars().all(|c| c.is_ascii_graphic())
        && format.starts_with(|c: char| c.is_ascii_alphabetic())
        && format.ends_with(|c: char| c.is_ascii_alphabetic())
}

fn check_url(url: &str) -> Result<(), &'static str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let Some(rest) = rest else {
        return Err("is not an http or https address");
    };
    if !url.chars().all(|c| c.is_ascii_graphic()) {
        return Err("contains a space or a character outside ASCII");
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') { Err("names no host") } else { Ok(()) }
}

#[cfg(test)]
mod tests;
