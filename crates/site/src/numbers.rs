//! Ranges and masks of numbers.

use core::{fmt, str::FromStr};

use crate::{LineNumber, NameError, names::check};

/// Numbers from one to another, both included, with equally many digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumberRange {
    /// First number.
    pub first: LineNumber,
    /// Last number.
    pub last: LineNumber,
}

/// A number with places for digits of another one: `+4930XXXX` keeps the last four digits of what it is applied
/// to. 1 to 24 characters out of digits, `X` and a leading `+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumberMask(String);

impl NumberRange {
    /// How many numbers there are; `None` when `first` and `last` do not span a range.
    pub fn count(&self) -> Option<u64> {
        let (first, last) = self.bounds()?;
        (last - first).checked_add(1)
    }

    /// The numbers, lowest first, with the zeros that `first` leads with.
    pub fn numbers(&self) -> impl Iterator<Item = LineNumber> + use<> {
        let width = self.first.as_str().len();
        let range = self.bounds().map(|(first, last)| first..=last);
        range.into_iter().flatten().filter_map(move |number| format!("{number:0width$}").parse().ok())
    }

    fn bounds(&self) -> Option<(u64, u64)> {
        let (first, last): (u64, u64) = (self.first.as_str().parse().ok()?, self.last.as_str().parse().ok()?);
        (first <= last && self.first.as_str().len() == self.last.as_str().len()).then_some((first, last))
    }
}

impl FromStr for NumberRange {
    type Err = NameError;

    /// Reads `1001-1999`, as on the command line; a single number is a range of one.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Ok(Self { first: first.trim().parse()?, last: last.trim().parse()? })
    }
}

impl fmt::Display for NumberRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return self.first.fmt(f);
        }
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl NumberMask {
    /// The mask as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The mask with the last digits of `number` in its places; a place for which there is no digit is left out.
    pub fn apply(&self, number: &str) -> String {
        let places = self.0.matches('X').count();
        let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
        let missing = places.saturating_sub(digits.len());
        let mut kept = digits.iter().skip(digits.len().saturating_sub(places));
        let mut place = 0;
        let fill = |c: char| {
            if c != 'X' {
                return Some(c);
            }
            place += 1;
            if place > missing { kept.next().copied() } else { None }
        };
        self.0.chars().filter_map(fill).collect()
    }
}

impl FromStr for NumberMask {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let mask = text.replace('x', "X");
        check(&mask, 24, "digits, 'X' and a leading '+' are possible", |at, c| {
            c.is_ascii_digit() || c == 'X' || (at == 0 && c == '+')
        })?;
        Ok(Self(mask))
    }
}

impl fmt::Display for NumberMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_keeps_the_last_digits() {
        let table = [
            ("+4930123XX", "1001", "+493012301"),
            ("+4930XXXX", "1001", "+49301001"),
            ("+4930XXXX", "*71", "+493071"),
            ("030123001", "1001", "030123001"),
            ("xx", "", ""),
            ("1X2X", "34", "1324"),
        ];
        for (mask, number, expected) in table {
            assert_eq!(mask.parse::<NumberMask>().unwrap().apply(number), expected, "{mask} of {number}");
        }
        for mask in ["", "12+", "*5", "N11", "1234567890123456789012345"] {
            assert!(mask.parse::<NumberMask>().is_err(), "{mask}");
        }
    }

    #[test]
    fn a_range_keeps_its_zeros() {
        let range: NumberRange = "0098-0101".parse().unwrap();
        let numbers: Vec<_> = range.numbers().map(|number| number.to_string()).collect();
        assert_eq!(numbers, ["0098", "0099", "0100", "0101"]);
        assert_eq!((range.count(), range.to_string().as_str()), (Some(4), "0098-0101"));
        assert_eq!("701".parse::<NumberRange>().unwrap().to_string(), "701");
        for none in ["12-9", "9-1", "*1-*3"] {
            let range: NumberRange = none.parse().unwrap();
            assert_eq!((range.count(), range.numbers().count()), (None, 0), "{none}");
        }
    }
}
