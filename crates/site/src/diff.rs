//! What changes from one site to another, in words.

use core::fmt::{self, Display};
use std::collections::{BTreeMap, BTreeSet};

use crate::key::Quoted;
use crate::{Action, Button, Device, DeviceName, Line, LineNumber, Pattern, Route, Settings, Site};

/// One change. Its `Display` is a line for people: `+ line 1001 "Reception"`,
/// `~ device SEP001122334455 model: 7960 -> 7965`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happens to it.
    pub kind: ChangeKind,
    /// To what it happens; several changes can have the same subject.
    pub subject: Subject,
    /// The rest of the line: a summary of what is added or removed, or what it was and what it becomes.
    pub detail: String,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is no more.
    Removed,
    /// Something of it changes.
    Changed,
}

/// To what it happens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The settings of the office.
    Settings,
    /// A line.
    Line(LineNumber),
    /// A phone.
    Device(DeviceName),
    /// A route.
    Route(Pattern),
}

/// The changes that make `new` out of `old`: settings, lines, devices, routes; each in the order of their
/// names. Nothing for equal sites.
pub fn diff(old: &Site, new: &Site) -> Vec<Change> {
    let mut changes = Changes(Vec::new());
    changes.settings(&old.settings, &new.settings);
    changes.each(&old.lines, &new.lines, |number| Subject::Line(number.clone()), show_line, Changes::line);
    changes.each(
        &old.devices,
        &new.devices,
        |name| Subject::Device(name.clone()),
        show_device,
        Changes::device,
    );
    changes.each(
        &old.routes,
        &new.routes,
        |pattern| Subject::Route(pattern.clone()),
        show_route,
        Changes::route,
    );
    changes.0
}

struct Changes(Vec<Change>);

impl Changes {
    fn each<K: Ord, V: PartialEq>(
        &mut self,
        old: &BTreeMap<K, V>,
        new: &BTreeMap<K, V>,
        subject: impl Fn(&K) -> Subject,
        show: impl Fn(&V) -> String,
        compare: impl Fn(&mut Self, &Subject, &V, &V),
    ) {
        let keys: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let subject = subject(key);
            match (old.get(key), new.get(key)) {
                (Some(old), Some(new)) if old != new => compare(self, &subject, old, new),
                (Some(_), Some(_)) | (None, None) => {}
                (Some(old), None) => self.add(ChangeKind::Removed, subject, show(old)),
                (None, Some(new)) => self.add(ChangeKind::Added, subject, show(new)),
            }
        }
    }

    fn add(&mut self, kind: ChangeKind, subject: Subject, detail: String) {
        self.0.push(Change { kind, subject, detail });
    }

    fn field(&mut self, subject: &Subject, name: impl Display, old: impl Display, new: impl Display) {
        let (old, new) = (old.to_string(), new.to_string());
        if old != new {
            self.add(ChangeKind::Changed, subject.clone(), format!("{name}: {old} -> {new}"));
        }
    }

    fn settings(&mut self, old: &Settings, new: &Settings) {
        let subject = &Subject::Settings;
        let zone = |settings: &Settings| or_none(settings.time_zone.as_deref().map(Quoted::value));
        let codecs =
            |settings: &Settings| settings.codecs.iter().map(|c| c.name()).collect::<Vec<_>>().join(", ");
        self.field(subject, "name", Quoted::value(&old.name), Quoted::value(&new.name));
        self.field(subject, "time-zone", zone(old), zone(new));
        self.field(subject, "date-format", Quoted::value(&old.date_format), Quoted::value(&new.date_format));
        self.field(subject, "tones", old.tones.name(), new.tones.name());
        self.field(subject, "codecs", codecs(old), codecs(new));
        self.field(subject, "packet-ms", old.packet_ms, new.packet_ms);
        self.field(subject, "keepalive-seconds", old.keepalive_seconds, new.keepalive_seconds);
        self.field(subject, "timers.first-digit", old.timers.first_digit, new.timers.first_digit);
        self.field(subject, "timers.inter-digit", old.timers.inter_digit, new.timers.inter_digit);
        self.field(subject, "timers.no-answer", old.timers.no_answer, new.timers.no_answer);
        let range = |settings: &Settings| or_none(settings.auto_registration.as_ref());
        self.field(subject, "auto-registration", range(old), range(new));
        let models: BTreeSet<_> = old.firmware.keys().chain(new.firmware.keys()).collect();
        for model in models {
            let load =
                |settings: &Settings| or_none(settings.firmware.get(model).map(|load| Quoted::value(load)));
            self.field(
                subject,
                format_args!("firmware.{}", Quoted::key(model.as_str())),
                load(old),
                load(new),
            );
        }
    }

    fn line(&mut self, subject: &Subject, old: &Line, new: &Line) {
        self.field(subject, "name", Quoted::value(&old.name), Quoted::value(&new.name));
        self.field(subject, "label", Quoted::value(&old.label), Quoted::value(&new.label));
    }

    fn device(&mut self, subject: &Subject, old: &Device, new: &Device) {
        let model = |device: &Device| or_none(device.model.as_ref());
        self.field(subject, "description", Quoted::value(&old.description), Quoted::value(&new.description));
        self.field(subject, "model", model(old), model(new));
        self.field(subject, "roam", old.roam, new.roam);
        for index in 0..old.buttons.len().max(new.buttons.len()) {
            let button = |device: &Device| or_none(device.buttons.get(index).map(show_button));
            self.field(subject, format_args!("button {}", index + 1), button(old), button(new));
        }
    }

    fn route(&mut self, subject: &Subject, old: &Route, new: &Route) {
        self.field(subject, "leads to", show_action(&old.action), show_action(&new.action));
        self.field(subject, "emergency", old.emergency, new.emergency);
    }
}

fn show_line(line: &Line) -> String {
    if line.name.is_empty() { String::new() } else { Quoted::value(&line.name).to_string() }
}

fn show_device(device: &Device) -> String {
    let mut parts = Vec::new();
    parts.extend(device.model.as_ref().map(ToString::to_string));
    if !device.description.is_empty() {
        parts.push(Quoted::value(&device.description).to_string());
    }
    let lines: Vec<_> = device.lines().map(ToString::to_string).collect();
    if !lines.is_empty() {
        parts.push(format!("line {}", lines.join(", ")));
    }
    parts.join(" ")
}

fn show_route(route: &Route) -> String {
    format!("{}{}", show_action(&route.action), if route.emergency { " (emergency)" } else { "" })
}

fn show_action(action: &Action) -> String {
    match action {
        Action::Block => "block".into(),
        Action::Number(number) => number.to_string(),
        Action::Trunks(trunks) => trunks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Action::Lines(lines) => lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn show_button(button: &Button) -> String {
    let (kind, value, label) = match button {
        Button::Line { number, label } => ("line", number.as_str(), label),
        Button::SpeedDial { number, label } => ("speed-dial", number.as_str(), label),
        Button::Service { url, label } => ("service", url.as_str(), label),
        Button::BusyLamp { number, label } => ("busy-lamp", number.as_str(), label),
        Button::Menu { service, label } => ("service", service.as_str(), label),
        Button::Feature { feature, label } => ("feature", feature.name(), label),
        Button::Intercom { number, label } => ("intercom", number.as_str(), label),
        Button::ParkSlot { number, label } => ("park-slot", number.as_str(), label),
        Button::Paging { number, label } => ("paging", number.as_str(), label),
        Button::Empty => return "empty".into(),
    };
    if label.is_empty() {
        format!("{kind} {value}")
    } else {
        format!("{kind} {value} {}", Quoted::value(label))
    }
}

fn or_none(value: Option<impl Display>) -> String {
    value.map_or_else(|| "none".into(), |value| value.to_string())
}

impl Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            ChangeKind::Added => '+',
            ChangeKind::Removed => '-',
            ChangeKind::Changed => '~',
        };
        let gap = if self.detail.is_empty() { "" } else { " " };
        write!(f, "{sign} {}{gap}{}", self.subject, self.detail)
    }
}

impl Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings => f.write_str("settings"),
            Self::Line(number) => write!(f, "line {number}"),
            Self::Device(name) => write!(f, "device {name}"),
            Self::Route(pattern) => write!(f, "route {pattern}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(text: &str) -> Site {
        Site::from_toml("test.toml", text).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn every_kind_of_change_is_one_readable_line() {
        let old = site(
            r#"
            [settings]
            keepalive-seconds = 30
            [lines.1001]
            name = "Anna"
            [lines.1002]
            [devices.SEP000000000001]
            model = "7960"
            buttons = [{ line = "1001" }, { speed-dial = "1002", label = "Bob" }]
            [devices.SEP000000000002]
            buttons = [{ line = "1002" }]
            [routes.0]
            lines = ["1001"]
            "#,
        );
        let new = site(
            r#"
            [settings]
            keepalive-seconds = 60
            auto-registration = { first = "1901", last = "1999" }
            firmware.7960 = "P0030801SR02"
            [lines.1001]
            name = "Anna \"Ann\" Ott"
            [lines.1003]
            name = "Carl"
            [devices.SEP000000000001]
            model = "7965"
            buttons = [{ line = "1001" }, {}, { service = "http://host/" }]
            [routes.0]
            lines = ["1003", "1001"]
            emergency = true
            [routes."9.!"]
            block = true
            "#,
        );
        let lines: Vec<_> = diff(&old, &new).iter().map(ToString::to_string).collect();
        let expected = [
            "~ settings keepalive-seconds: 30 -> 60",
            "~ settings auto-registration: none -> 1901-1999",
            "~ settings firmware.7960: none -> \"P0030801SR02\"",
            r#"~ line 1001 name: "Anna" -> "Anna \"Ann\" Ott""#,
            "- line 1002",
            "+ line 1003 \"Carl\"",
            "~ device SEP000000000001 model: 7960 -> 7965",
            "~ device SEP000000000001 button 2: speed-dial 1002 \"Bob\" -> empty",
            "~ device SEP000000000001 button 3: none -> service http://host/",
            "- device SEP000000000002 line 1002",
            "~ route 0 leads to: 1001 -> 1003, 1001",
            "~ route 0 emergency: false -> true",
            "+ route 9.! block",
        ];
        assert_eq!(lines, expected);
        assert_eq!(diff(&old, &old), []);
    }
}
