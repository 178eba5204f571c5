//! What is wrong with a configuration file, shown so that one finds the place.

use std::fmt;

/// A mistake in a configuration file. Its `Display` is `file:line:column: what`, and the line with the place
/// underlined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file's name as given.
    pub file: String,
    /// Line and column, from 1, and the line itself.
    pub place: Option<(usize, usize, String)>,
    /// Characters of this line that are meant.
    width: usize,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl ConfigError {
    pub(super) fn new(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let place = error.span().map(|span| place(text, span.start));
        let width = error.span().and_then(|span| text.get(span)).and_then(|meant| meant.lines().next());
        Self {
            file: file.into(),
            place,
            width: width.map_or(1, |meant| meant.chars().count().max(1)),
            message: error.message().trim().replace('\n', "; "),
        }
    }
}

fn place(text: &str, at: usize) -> (usize, usize, String) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1, line.replace('\t', " "))
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, place, width, message } = self;
        let Some((line, column, source)) = place else { return write!(f, "{file}: {message}") };
        let (number, underline) = (line.to_string(), "^".repeat(*width));
        let blank = " ".repeat(number.len());
        write!(f, "{file}:{line}:{column}: {message}\n {blank} |\n {number} | {source}\n {blank} | ")?;
        write!(f, "{:indent$}{underline}", "", indent = column - 1)
    }
}
