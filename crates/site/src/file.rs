//! A site as a file: TOML in kebab-case, read with the position of every value.

mod error;
mod read;

use core::ops::Range;
use std::collections::BTreeMap;

use crate::key::KeyPath;
use crate::{Site, fields::Content};

pub(crate) use self::read::{Reader, Value};
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
    /// or, with `prune`, is removed or goes back to its default. A list, such as the buttons of a phone, is one
    /// value: a file that mentions it replaces it. So is a route, since what it does follows from several keys.
    pub fn apply(&self, site: &Site, prune: bool) -> Site {
        let mut site = if prune { Site::default() } else { site.clone() };
        self.content.apply(&mut site);
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
                let place = nearest_place(&self.places, &fault.at);
                let problem = FileProblem::new(&self.text, place, fault.at, fault.problem.to_string());
                problem.meant(&fault.problem.near())
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(SiteFileError::new(&self.name, problems)) }
    }
}

/// Where a file says this, or the nearest thing that holds it. The top tables hold too much to be a place.
pub(crate) fn nearest_place(
    places: &BTreeMap<KeyPath, Range<usize>>,
    path: &KeyPath,
) -> Option<Range<usize>> {
    let mut path = path.clone();
    while path.depth() > 1 {
        if let Some(place) = places.get(&path) {
            return Some(place.clone());
        }
        path = path.parent()?;
    }
    None
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
        let mut text = String::new();
        self.write(&mut text);
        text
    }
}

#[cfg(test)]
mod tests;
