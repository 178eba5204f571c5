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

    /// The MAC address of a name that is `SEP` and 12 hexadecimal digits.
    pub fn mac(&self) -> Option<[u8; 6]> {
        let digits = self.0.strip_prefix("SEP").filter(|digits| digits.len() == 12)?;
        let mut mac = [0; 6];
        for (byte, at) in mac.iter_mut().zip((0..).step_by(2)) {
            let pair = digits.get(at..at + 2).filter(|pair| pair.chars().all(|c| c.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(mac)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_are_upper_case_and_bounded() {
        assert_eq!("sep00aabbccddeE".parse::<DeviceName>().unwrap().as_str(), "SEP00AABBCCDDEE");
        assert_eq!("".parse::<DeviceName>(), Err(NameError::Empty));
        assert_eq!("SEP00AABBCCDDEEF".parse::<DeviceName>(), Err(NameError::TooLong { len: 16, max: 15 }));
        // CVE-2011-4486 and -4487: names that go on as SQL or as a path.
        for name in ["a'b", "a/b", "a\\b", "a b", "ä", "a\0"] {
            assert!(matches!(name.parse::<DeviceName>(), Err(NameError::Character(..))), "{name:?}");
        }
    }

    #[test]
    fn a_name_tells_its_mac_address() {
        let mac = |name: &str| name.parse::<DeviceName>().unwrap().mac();
        assert_eq!(mac("SEP001380AD9E5F"), Some([0x00, 0x13, 0x80, 0xAD, 0x9E, 0x5F]));
        for name in ["SEP001380AD9E5", "SEP001380AD9E5G", "ATA001380AD9E5F", "SEP-01380AD9E5F"] {
            assert_eq!(mac(name), None, "{name}");
        }
    }

    #[test]
    fn line_numbers_are_what_a_phone_can_dial() {
        for number in ["0", "1001", "*21*5#", "+4930123", "123456789012345678901234"] {
            assert_eq!(number.parse::<LineNumber>().unwrap().to_string(), number);
        }
        for number in ["", "10 01", "1+2", "1A", "1234567890123456789012345", "١"] {
            assert!(number.parse::<LineNumber>().is_err(), "{number}");
        }
    }
}
