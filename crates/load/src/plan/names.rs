//! What phones are called.

use std::str::FromStr;

use thiserror::Error;

/// Names with a number in them, as C's printf writes it: `SEP%012X`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    before: String,
    after: String,
    width: usize,
    base: Base,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    Decimal,
    LowerHex,
    UpperHex,
}

impl Default for NamePattern {
    /// `SEP%012X`
    fn default() -> Self {
        Self { before: "SEP".into(), after: String::new(), width: 12, base: Base::UpperHex }
    }
}

/// A text that is no pattern for names.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no pattern for names; it is a text with %d, %x or %X in it, such as SEP%012X or LOAD%05d")]
pub struct PatternError(String);

impl NamePattern {
    /// The name with this number.
    pub fn name(&self, number: u64) -> String {
        let Self { before, after, width, base } = self;
        let width = *width;
        match base {
            Base::Decimal => format!("{before}{number:0width$}{after}"),
            Base::LowerHex => format!("{before}{number:0width$x}{after}"),
            Base::UpperHex => format!("{before}{number:0width$X}{after}"),
        }
    }
}

impl FromStr for NamePattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let parse = || {
            let (before, rest) = text.split_once('%')?;
            let at = rest.find(|char: char| !char.is_ascii_digit())?;
            let width = match rest.get(..at)? {
                "" => 0,
                digits => digits.parse().ok().filter(|width| *width <= 15)?,
            };
            let base = match rest.as_bytes().get(at)? {
                b'd' => Base::Decimal,
                b'x' => Base::LowerHex,
                b'X' => Base::UpperHex,
                _ => return None,
            };
            let after = rest.get(at + 1..)?;
            let plain =
                |text: &str| text.chars().all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char));
            (plain(before) && plain(after)).then(|| Self {
                before: before.into(),
                after: after.into(),
                width,
                base,
            })
        };
        parse().ok_or_else(|| PatternError(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_printf_does() {
        let table =
            [("SEP%012X", 0xABC, "SEP000000000ABC"), ("LOAD%05d-a", 42, "LOAD00042-a"), ("x%x", 255, "xff")];
        for (pattern, number, name) in table {
            assert_eq!(pattern.parse::<NamePattern>().unwrap().name(number), name);
        }
        for text in ["", "SEP", "SEP%", "SEP%s", "SEP%99X", "SEP%X%X", "a b%d"] {
            assert!(text.parse::<NamePattern>().is_err(), "{text}");
        }
    }
}
