//! Names and numbers with their rules.

use core::{fmt, str::FromStr};

use arrayvec::ArrayString;
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

/// The most bytes of a [`DeviceName`] and a [`LineNumber`]: what fields of the protocol carry.
const DEVICE_NAME: usize = 15;
const LINE_NUMBER: usize = 24;

/// The name under which a phone registers: `SEP` and its MAC address, or a name chosen by hand (soft phones).
/// 1 to 15 characters out of letters, digits, `-`, `_` and `.`; letters are upper case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceName(ArrayString<DEVICE_NAME>);

/// A number that can be dialled: 1 to 24 characters out of digits, `*`, `#` and a leading `+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineNumber(ArrayString<LINE_NUMBER>);

/// A name that the administrator chose for a group, a pool, a user and the like: 1 to 32 letters, digits, `-`, `_`
/// and `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

/// A PIN or a code. Whatever shows it says only that there is one, except the site's own file.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

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

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Secret {
    /// Keeps this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl FromStr for DeviceName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check(text, DEVICE_NAME, "letters, digits, '-', '_' and '.' are possible", |_, c| {
            c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
        })?;
        let mut name = ArrayString::from(text).expect("checked: ASCII, and no more than fits");
        name.make_ascii_uppercase();
        Ok(Self(name))
    }
}

impl FromStr for LineNumber {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check(text, LINE_NUMBER, "digits, '*', '#' and a leading '+' are possible", |at, c| {
            c.is_ascii_digit() || matches!(c, '*' | '#') || (at == 0 && c == '+')
        })?;
        Ok(Self(ArrayString::from(text).expect("checked: ASCII, and no more than fits")))
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check(text, 32, "letters, digits, '-', '_' and '.' are possible", |_, c| {
            c.is_alphanumeric() || matches!(c, '-' | '_' | '.')
        })?;
        Ok(Self(text.to_owned()))
    }
}

pub(crate) fn check(
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

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// With serde, a value that has a text form is that text.
macro_rules! serde_as_text {
    ($($name:ty),+) => {
        $(
            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    text.parse().map_err(|error| {
                        serde::de::Error::custom(format_args!("{text:?}: {error}"))
                    })
                }
            }
        )+
    };
}

serde_as_text!(
    DeviceName,
    LineNumber,
    Name,
    crate::NumberMask,
    crate::NumberRange,
    crate::OpenHours,
    crate::Pattern
);

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
    fn names_are_words() {
        for name in ["sales", "Büro-2", "a.b_c", "7"] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
        }
        for name in ["", "a b", "a/b", "a:b", "a\n", &"a".repeat(33)] {
            assert!(name.parse::<Name>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert!(!format!("{:?}", Secret::new("4711")).contains("4711"));
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
