//! What is wrong with a file, shown so that one finds the place.

use core::{fmt, ops::Range};

use crate::key::KeyPath;

/// Problems shown of one file; who made more starts with these.
const SHOWN: usize = 20;
/// Characters of a source line shown around the problem.
const WINDOW: usize = 100;

/// Why a file is no site: all problems found, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFileError {
    /// The file's name as given.
    pub file: String,
    /// The problems, at least one.
    pub problems: Vec<FileProblem>,
}

/// One problem of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// Where; `None` if the file does not mention it.
    pub position: Option<FilePosition>,
    /// The key, as `devices.SEP001122334455.model`; empty where the text is not even TOML.
    pub key: String,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

/// A place in a text, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePosition {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters of this line are meant, at least 1.
    pub width: usize,
    /// The line itself.
    pub source: String,
}

impl std::error::Error for SiteFileError {}

impl SiteFileError {
    pub(crate) fn new(file: &str, mut problems: Vec<FileProblem>) -> Self {
        problems.sort_by_key(|problem| problem.position.as_ref().map(|at| (at.line, at.column)));
        Self { file: file.into(), problems }
    }
}

impl FileProblem {
    pub(crate) fn new(
        text: &str,
        place: Option<Range<usize>>,
        key: KeyPath,
        message: impl Into<String>,
    ) -> Self {
        let position = place.map(|place| FilePosition::new(text, place));
        Self { position, key: key.to_string(), message: message.into(), hint: None }
    }

    /// Adds what was probably meant, if anything was.
    pub(crate) fn meant(self, near: &[&str]) -> Self {
        let hint = (!near.is_empty()).then(|| format!("did you mean {}?", one_of(near)));
        Self { hint: hint.or(self.hint), ..self }
    }
}

/// Words to choose from, in a sentence.
pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

impl FilePosition {
    /// `place` is in bytes; one that lies outside the text or within a character is moved to where it can be.
    fn new(text: &str, place: Range<usize>) -> Self {
        let start =
            (0..=place.start.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end =
            (start..=line_end).find(|&at| at >= place.end && text.is_char_boundary(at)).unwrap_or(line_end);
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width: text[start..end].trim_end().chars().count().max(1),
            source: text[line_start..line_end].trim_end().to_owned(),
        }
    }

    /// The source line, and a line that underlines the place; of a long line only what is around it.
    fn excerpt(&self) -> (String, String) {
        let skip = if self.column + self.width > WINDOW { self.column.saturating_sub(WINDOW / 3) } else { 0 };
        // Tabs and control characters would shift the underline, or speak to the terminal.
        let clean = |c: char| if c.is_control() { ' ' } else { c };
        let source: String = self.source.chars().skip(skip).take(WINDOW).map(clean).collect();
        let before = self.column - 1 - skip;
        let width = self.width.min(WINDOW.saturating_sub(before).max(1));
        (source, format!("{}{}", " ".repeat(before), "^".repeat(width)))
    }
}

impl fmt::Display for SiteFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().take(SHOWN).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:{problem}", self.file)?;
        }
        match self.problems.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n{}: and {more} more", self.file),
        }
    }
}

impl fmt::Display for FileProblem {
    /// `line:column: key: message`, then the line with the place underlined.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.position {
            write!(f, "{}:{}:", at.line, at.column)?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", self.key)?;
        }
        write!(f, " {}", self.message)?;
        let Some(at) = &self.position else {
            return match &self.hint {
                Some(hint) => write!(f, "; {hint}"),
                None => Ok(()),
            };
        };
        let (source, underline) = at.excerpt();
        let gutter = at.line.to_string();
        let blank = " ".repeat(gutter.len());
        write!(f, "\n {blank} |\n {gutter} | {source}\n {blank} | {underline}")?;
        match &self.hint {
            Some(hint) => write!(f, " {hint}"),
            None => Ok(()),
        }
    }
}
