//! From a site to TOML. Every setting is written, so that a file applied elsewhere carries them all; what a
//! device or line leaves at its default is not.

use core::fmt::{self, Write};

use crate::key::Quoted;
use crate::{Action, Button, Device, Line, Route, Settings, Site};

pub(super) fn write(site: &Site) -> String {
    let mut out = String::new();
    write_site(&mut out, site).expect("a String takes any text");
    out
}

fn write_site(out: &mut String, site: &Site) -> fmt::Result {
    settings(out, &site.settings)?;
    for (number, line) in &site.lines {
        self::line(out, number.as_str(), line)?;
    }
    for (name, device) in &site.devices {
        self::device(out, name.as_str(), device)?;
    }
    for (pattern, route) in &site.routes {
        self::route(out, pattern.as_str(), route)?;
    }
    Ok(())
}

fn settings(out: &mut String, settings: &Settings) -> fmt::Result {
    let codecs: Vec<String> =
        settings.codecs.iter().map(|codec| Quoted::value(codec.name()).to_string()).collect();
    let timers = settings.timers;
    writeln!(out, "[settings]")?;
    writeln!(out, "name = {}", Quoted::value(&settings.name))?;
    writeln!(out, "time-zone = {}", Quoted::value(settings.time_zone.as_deref().unwrap_or_default()))?;
    writeln!(out, "date-format = {}", Quoted::value(&settings.date_format))?;
    writeln!(out, "tones = {}", Quoted::value(settings.tones.name()))?;
    writeln!(out, "codecs = [{}]", codecs.join(", "))?;
    writeln!(out, "packet-ms = {}", settings.packet_ms)?;
    writeln!(out, "keepalive-seconds = {}", settings.keepalive_seconds)?;
    match &settings.auto_registration {
        None => writeln!(out, "auto-registration = false")?,
        Some(range) => {
            let (first, last) = (Quoted::value(range.first.as_str()), Quoted::value(range.last.as_str()));
            writeln!(out, "auto-registration = {{ first = {first}, last = {last} }}")?;
        }
    }
    writeln!(out, "\n[settings.timers]")?;
    writeln!(out, "first-digit = {}", timers.first_digit)?;
    writeln!(out, "inter-digit = {}", timers.inter_digit)?;
    writeln!(out, "no-answer = {}", timers.no_answer)?;
    if !settings.firmware.is_empty() {
        writeln!(out, "\n[settings.firmware]")?;
    }
    for (model, load) in &settings.firmware {
        writeln!(out, "{} = {}", Quoted::key(model.as_str()), Quoted::value(load))?;
    }
    Ok(())
}

fn line(out: &mut String, number: &str, line: &Line) -> fmt::Result {
    writeln!(out, "\n[lines.{}]", Quoted::key(number))?;
    text(out, "name", &line.name)?;
    text(out, "label", &line.label)
}

fn device(out: &mut String, name: &str, device: &Device) -> fmt::Result {
    writeln!(out, "\n[devices.{}]", Quoted::key(name))?;
    text(out, "description", &device.description)?;
    if let Some(model) = &device.model {
        text(out, "model", model.as_str())?;
    }
    if device.roam {
        writeln!(out, "roam = true")?;
    }
    if device.buttons.is_empty() {
        return Ok(());
    }
    writeln!(out, "buttons = [")?;
    for button in &device.buttons {
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
            Button::Empty => {
                writeln!(out, "    {{}},")?;
                continue;
            }
        };
        write!(out, "    {{ {kind} = {}", Quoted::value(value))?;
        if !label.is_empty() {
            write!(out, ", label = {}", Quoted::value(label))?;
        }
        writeln!(out, " }},")?;
    }
    writeln!(out, "]")
}

fn route(out: &mut String, pattern: &str, route: &Route) -> fmt::Result {
    writeln!(out, "\n[routes.{}]", Quoted::key(pattern))?;
    match &route.action {
        Action::Block => writeln!(out, "block = true")?,
        Action::Number(number) => writeln!(out, "number = {}", Quoted::value(number.as_str()))?,
        Action::Trunks(trunks) => {
            let trunks: Vec<String> =
                trunks.iter().map(|trunk| Quoted::value(trunk.as_str()).to_string()).collect();
            writeln!(out, "trunks = [{}]", trunks.join(", "))?;
        }
        Action::Lines(lines) => {
            let lines: Vec<String> =
                lines.iter().map(|line| Quoted::value(line.as_str()).to_string()).collect();
            writeln!(out, "lines = [{}]", lines.join(", "))?;
        }
    }
    if route.emergency { writeln!(out, "emergency = true") } else { Ok(()) }
}

fn text(out: &mut String, key: &str, text: &str) -> fmt::Result {
    if text.is_empty() { Ok(()) } else { writeln!(out, "{key} = {}", Quoted::value(text)) }
}
