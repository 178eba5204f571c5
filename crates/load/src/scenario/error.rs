//! What is wrong with a scenario, shown so that one finds the place.

use std::fmt;

/// A mistake in a scenario. Its `Display` is `file:line:column: what`, and the line with the place underlined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    file: String,
    /// Line and column, from 1, the line itself, and how many characters of it are meant.
    place: Option<(usize, usize, String, usize)>,
    message: String,
}

/// How alike two words must be (Jaro-Winkler, 0 to 1) for one to be meant by the other.
const ALIKE: f64 = 0.8;

impl ScenarioError {
    pub(super) fn new(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let place = error.span().map(|span| {
            let meant = text.get(span.clone()).and_then(|meant| meant.lines().next()).unwrap_or_default();
            let (line, column, source) = place(text, span.start);
            (line, column, source, meant.chars().count().max(1))
        });
        Self { file: file.into(), place, message: explain(error.message().trim()) }
    }
}

fn place(text: &str, at: usize) -> (usize, usize, String) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1, line.replace('\t', " "))
}

/// serde says "unknown field `x`, expected one of `a`, `b`" and likewise of variants: the first word in such quotes
/// is the wrong one, the others are those that there are.
fn explain(message: &str) -> String {
    if !message.starts_with("unknown ") {
        return message.replace('\n', "; ");
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let Some(wrong) = words.next() else { return message.into() };
    let known: Vec<_> = words.collect();
    let likeness = |word: &&&str| strsim::jaro_winkler(wrong, word);
    let nearest = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    match nearest.filter(|word| likeness(word) >= ALIKE) {
        Some(word) => format!("there is no `{wrong}` here: did you mean `{word}`?"),
        None => {
            let known: Vec<_> = known.iter().map(|word| format!("`{word}`")).collect();
            format!("there is no `{wrong}` here; there are {}", known.join(", "))
        }
    }
}

impl std::error::Error for ScenarioError {}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, place, message } = self;
        let Some((line, column, source, width)) = place else { return write!(f, "{file}: {message}") };
        let (number, underline) = (line.to_string(), "^".repeat(*width));
        let blank = " ".repeat(number.len());
        write!(f, "{file}:{line}:{column}: {message}\n {blank} |\n {number} | {source}\n {blank} | ")?;
        write!(f, "{:indent$}{underline}", "", indent = column - 1)
    }
}
