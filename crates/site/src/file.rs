//! A site as a file: TOML in kebab-case, read with the position of every value.

mod error;
mod read;
mod write;

use core::ops::Range;
use std::collections::BTreeMap;

use crate::key::KeyPath;
use crate::{
    AutoRegistration, Button, CodecName, Device, DeviceName, Line, LineNumber, Model, Pattern, Route,
};
use crate::{Settings, Site, TonePlan};

pub use error::{FilePosition, FileProblem, SiteFileError};

/// A commented site for a start; it is valid as it stands.
pub const SAMPLE: &str = include_str!("sample.toml");

/// A site file that was read: what it mentions, and where.
///
/// Whatever it mentions is well formed by itself. Whether it makes a valid site depends on the site that it is
/// applied to, since a phone may show a line that the file does not mention: [`SiteFile::apply`], then
/// [`SiteFile::check`].
#[derive(Debug, Clone)]
pub struct SiteFile {
    name: String,
    text: String,
    /// Where in the text each mentioned value (for a table: its key) is, as bytes.
    places: BTreeMap<KeyPath, Range<usize>>,
    content: Content,
}

/// What a file mentions. `None` is "not mentioned" everywhere; an inner `None` is "mentioned as nothing".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Content {
    settings: SettingsPart,
    devices: BTreeMap<DeviceName, DevicePart>,
    lines: BTreeMap<LineNumber, LinePart>,
    routes: BTreeMap<Pattern, Route>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct SettingsPart {
    name: Option<String>,
    time_zone: Option<Option<String>>,
    date_format: Option<String>,
    tones: Option<TonePlan>,
    codecs: Option<Vec<CodecName>>,
    packet_ms: Option<u32>,
    keepalive_seconds: Option<u32>,
    first_digit: Option<u32>,
    inter_digit: Option<u32>,
    no_answer: Option<u32>,
    auto_registration: Option<Option<AutoRegistration>>,
    firmware: BTreeMap<Model, Option<String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct DevicePart {
    description: Option<String>,
    model: Option<Option<Model>>,
    buttons: Option<Vec<Button>>,
    roam: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct LinePart {
    name: Option<String>,
    label: Option<String>,
}

impl SiteFile {
    /// Reads a file. `name` is only for messages.
    ///
    /// # Errors
    /// Everything in it that is not TOML or not a site's, each with its line: unknown keys, wrong types, names
    /// and numbers that are none, the same device twice.
    pub fn parse(name: impl Into<String>, text: impl Into<String>) -> Result<Self, SiteFileError> {
        let (name, text) = (name.into(), text.into());
        let (content, places) = read::read(&name, &text)?;
        Ok(Self { name, text, places, content })
    }

    /// The site that results when `site` gets what this file mentions. What it does not mention stays as it is,
    /// or, with `prune`, is removed or goes back to its default. The buttons of a phone are one value: a file
    /// that mentions them replaces them all. So are the lines of a route.
    pub fn apply(&self, site: &Site, prune: bool) -> Site {
        let mut site = if prune { Site::default() } else { site.clone() };
        let content = self.content.clone();
        content.settings.apply(&mut site.settings);
        for (number, part) in content.lines {
            part.apply(site.lines.entry(number).or_default());
        }
        for (name, part) in content.devices {
            part.apply(site.devices.entry(name).or_default());
        }
        site.routes.extend(content.routes);
        site
    }

    /// Is this site, which [`SiteFile::apply`] made, valid?
    ///
    /// # Errors
    /// Its faults, with their lines as far as the file mentions what is wrong.
    pub fn check(&self, applied: &Site) -> Result<(), SiteFileError> {
        let problems: Vec<_> = applied
            .validate()
            .into_iter()
            .map(|fault| {
                let place = self.place(&fault.at);
                FileProblem::new(&self.text, place, fault.at, fault.problem.to_string())
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(SiteFileError::new(&self.name, problems)) }
    }

    /// Where the file says this, or the nearest thing that holds it. The top tables hold too much to be a place.
    fn place(&self, path: &KeyPath) -> Option<Range<usize>> {
        let mut path = path.clone();
        while path.depth() > 1 {
            if let Some(place) = self.places.get(&path) {
                return Some(place.clone());
            }
            path = path.parent()?;
        }
        None
    }
}

impl Site {
    /// Reads a whole site from a file.
    ///
    /// # Errors
    /// See [`SiteFile::parse`] and [`SiteFile::check`].
    pub fn from_toml(file_name: &str, text: &str) -> Result<Self, SiteFileError> {
        let file = SiteFile::parse(file_name, text)?;
        let site = file.apply(&Self::default(), true);
        file.check(&site)?;
        Ok(site)
    }

    /// The site that results when this one gets what `file` mentions: [`SiteFile::apply`].
    #[must_use]
    pub fn apply(&self, file: &SiteFile, prune: bool) -> Self {
        file.apply(self, prune)
    }

    /// The site as a file, in a stable order. It reads back as an equal site, and applied to any other site it
    /// sets every setting.
    pub fn to_toml(&self) -> String {
        write::write(self)
    }
}

impl SettingsPart {
    fn apply(self, settings: &mut Settings) {
        let timers = &mut settings.timers;
        set(&mut settings.name, self.name);
        set(&mut settings.time_zone, self.time_zone);
        set(&mut settings.date_format, self.date_format);
        set(&mut settings.tones, self.tones);
        set(&mut settings.codecs, self.codecs);
        set(&mut settings.packet_ms, self.packet_ms);
        set(&mut settings.keepalive_seconds, self.keepalive_seconds);
        set(&mut timers.first_digit, self.first_digit);
        set(&mut timers.inter_digit, self.inter_digit);
        set(&mut timers.no_answer, self.no_answer);
        set(&mut settings.auto_registration, self.auto_registration);
        for (model, load) in self.firmware {
            match load {
                Some(load) => settings.firmware.insert(model, load),
                None => settings.firmware.remove(&model),
            };
        }
    }
}

impl DevicePart {
    fn apply(self, device: &mut Device) {
        set(&mut device.description, self.description);
        set(&mut device.model, self.model);
        set(&mut device.buttons, self.buttons);
        set(&mut device.roam, self.roam);
    }
}

impl LinePart {
    fn apply(self, line: &mut Line) {
        set(&mut line.name, self.name);
        set(&mut line.label, self.label);
    }
}

fn set<T>(target: &mut T, mentioned: Option<T>) {
    if let Some(value) = mentioned {
        *target = value;
    }
}

#[cfg(test)]
mod tests;
