//! Offices that were written for something else, as a site: tables of phones, and another manager's configuration.
//! An import goes on top of a site that is there, so that it can refer to what that one has and leaves the rest alone.

mod csv;
mod sccp_conf;

use core::{fmt, ops::Range, str::FromStr};
use std::collections::{BTreeMap, BTreeSet};

use crate::{FileProblem, LineNumber, Site, SiteFileError, file::nearest_place, key::KeyPath, near::near};

pub use self::csv::CSV_TEMPLATE;

/// What a file to import is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// A table with a row for each phone ([`CSV_TEMPLATE`]).
    Csv,
    /// The configuration of Asterisk's channel driver chan-sccp.
    SccpConf,
}

/// What an import makes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The site with what the file says; it is valid.
    pub site: Site,
    /// What could not be taken over, in the order of the file.
    pub left_out: Vec<LeftOut>,
}

/// Something that could not be taken over. Its `Display` is a line for people:
/// `line 42: dtmfmode: selsius has no such setting`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Where, from 1.
    pub line: usize,
    /// What, as the file calls it.
    pub key: String,
    /// Why.
    pub why: String,
}

impl Site {
    /// This site with what a file in another format says. `name` is only for messages. A byte order mark is skipped.
    ///
    /// # Errors
    /// Everything that is wrong with the file, each with line and column; nothing is taken over then.
    pub fn import(&self, format: ImportFormat, name: &str, bytes: &[u8]) -> Result<Imported, SiteFileError> {
        let text = match core::str::from_utf8(bytes) {
            Ok(text) => text.strip_prefix('\u{FEFF}').unwrap_or(text),
            Err(error) => return Err(not_utf8(name, bytes, error.valid_up_to())),
        };
        let mut import = Import::new(text, self);
        match format {
            ImportFormat::Csv => csv::read(&mut import),
            ImportFormat::SccpConf => sccp_conf::read(&mut import),
        }
        import.finish(name)
    }
}

/// Faults that are told of one file: each needs a look through all of it.
const MOST_PROBLEMS: usize = 200;

/// What was probably meant.
fn meant(word: &str, known: &[&str]) -> String {
    near(word, known.iter().copied())
        .first()
        .map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

fn not_utf8(name: &str, bytes: &[u8], good: usize) -> SiteFileError {
    let text = String::from_utf8_lossy(bytes);
    let message = "is not UTF-8; save the file as UTF-8, with or without a byte order mark";
    // Up to there the bytes are the text's own.
    let problem = FileProblem::new(&text, Some(good..good + 1), KeyPath::default(), message);
    SiteFileError::new(name, vec![problem])
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.key, self.why)
    }
}

/// Takes back a value that the site turns out to be invalid with.
type TakeBack = Box<dyn FnOnce(&mut Site)>;

/// An import while its file is read.
struct Import<'t> {
    text: &'t str,
    /// Where lines end, as bytes.
    line_ends: Vec<usize>,
    site: Site,
    problems: Vec<FileProblem>,
    left_out: BTreeSet<LeftOut>,
    /// Where the file says what; for faults that show when everything is read.
    places: BTreeMap<KeyPath, Range<usize>>,
    /// Values that are left out rather than refused when they do not fit the rest.
    optional: BTreeMap<KeyPath, (String, TakeBack)>,
}

impl<'t> Import<'t> {
    fn new(text: &'t str, base: &Site) -> Self {
        Self {
            text,
            line_ends: text.match_indices('\n').map(|(at, _)| at).collect(),
            site: base.clone(),
            problems: Vec::new(),
            left_out: BTreeSet::new(),
            places: BTreeMap::new(),
            optional: BTreeMap::new(),
        }
    }

    /// Something is wrong with the file.
    fn fault(&mut self, key: &str, place: Range<usize>, message: impl fmt::Display) {
        if self.problems.len() >= MOST_PROBLEMS {
            return;
        }
        let key = KeyPath::new(&[key]);
        self.problems.push(FileProblem::new(self.text, Some(place), key, message.to_string()));
    }

    /// As [`Self::fault`], for a word that is none of `known`.
    fn unknown(
        &mut self,
        key: &str,
        place: Range<usize>,
        word: &str,
        known: &[&str],
        message: impl fmt::Display,
    ) {
        self.fault(key, place, format_args!("{message}{}", meant(word, known)));
    }

    /// Something cannot be taken over, which is no fault.
    fn leave_out(&mut self, key: &str, place: &Range<usize>, why: impl Into<String>) {
        let line = self.line(place.start);
        self.left_out.insert(LeftOut { line, key: key.into(), why: why.into() });
    }

    /// The line, from 1, that this byte is in.
    fn line(&self, at: usize) -> usize {
        self.line_ends.partition_point(|&end| end < at) + 1
    }

    /// Reads a value of the file.
    fn parse<T: FromStr<Err: fmt::Display>>(
        &mut self,
        key: &str,
        text: &str,
        place: &Range<usize>,
    ) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, place.clone(), error);
                None
            }
        }
    }

    /// Says where a part of the site is in the file.
    fn place(&mut self, path: KeyPath, place: &Range<usize>) {
        self.places.insert(path, place.clone());
    }

    /// Says so of a value that may also be left out.
    fn optional(
        &mut self,
        path: KeyPath,
        key: &str,
        place: &Range<usize>,
        take_back: impl FnOnce(&mut Site) + 'static,
    ) {
        self.place(path.clone(), place);
        self.optional.insert(path, (key.into(), Box::new(take_back)));
    }

    fn finish(mut self, name: &str) -> Result<Imported, SiteFileError> {
        if self.problems.is_empty() {
            for fault in self.site.validate() {
                let Some((key, take_back)) = self.optional.remove(&fault.at) else { continue };
                take_back(&mut self.site);
                if let Some(place) = self.places.get(&fault.at).cloned() {
                    self.leave_out(&key, &place, fault.problem.to_string());
                }
            }
            for fault in self.site.validate().into_iter().take(MOST_PROBLEMS) {
                let place = nearest_place(&self.places, &fault.at);
                let problem = FileProblem::new(self.text, place, fault.at, fault.problem.to_string());
                self.problems.push(problem.meant(&fault.problem.near()));
            }
        }
        if !self.problems.is_empty() {
            return Err(SiteFileError::new(name, self.problems));
        }
        Ok(Imported { site: self.site, left_out: self.left_out.into_iter().collect() })
    }
}

/// The path of a line, and of something of it.
fn line_path(number: &LineNumber, key: &str) -> KeyPath {
    KeyPath::new(&["lines", number.as_str(), key])
}

#[cfg(test)]
mod tests;
