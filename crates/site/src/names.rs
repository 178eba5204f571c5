//! Names and numbers with their rules.

use core::{fmt, str::FromStr};

use thiserror::Error;

/// Why a name or number is not one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Empty text.
    #[error("is empty")]
    Empty,
    /// More characters than the protocol can carry.
    #[error("has {len} characters, at most {max} are possible")]
    TooLong {
        /// Characters given.
        len: usize,
        /// Characters possible.
        max: usize,
    },
    /// A character that cannot occur.
    #[error("contains {0:?}; {1}")]
    Character(char, &'static str),
}

/// The name under which a phone registers: `SEP` and its MAC address, or a name chosen by hand (soft phones).
/// 1 to 15 characters out of letters, digits, `-`, `_` and `.`; letters are upper case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceName(String);

/// A number that can be dialled: 1 to 24 characters out of digits, `*`, `#` and a leading `+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineNumber(String);

impl DeviceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LineNumber {
    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check(text, 15, "letters, digits, '-', '_' and '.' are possible", |_, c| {
            c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
        })?;
        Ok(Self(text.to_ascii_uppercase()))
    }
}

impl FromStr for LineNumber {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check(text, 24, "digits, '*', '#' and a leading '+' are possible", |at, c| {
            c.is_ascii_digit() || matches!(c, '*' | '#') || (at == 0 && c == '+')
        })?;
        Ok(Self(text.to_owned()))
    }
}

fn check(
    text: &str,
    max: usize,
    rule: &'static str,
    allowed: impl Fn(usize, char) -> bool,
) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    let len = text.chars().count();
    if len > max {
        return Err(NameError::TooLong { len, max });
    }
    match text.chars().enumerate().find(|&(at, c)| !allowed(at, c)) {
        Some((_, c)) => Err(NameError::Character(c, rule)),
        None => Ok(()),
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for LineNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
