//! Patterns of dialled digits: what they look like, what they match, and which of two is the closer one.

use core::{cmp::Ordering, fmt, str::FromStr};

use thiserror::Error;

/// Longest pattern text; far above the 24 digits that a phone can dial, because sets take several characters.
const MAX_TEXT: usize = 64;

/// A pattern of dialled digits: literal digits, `*`, `#`, a leading `+`, `X` (any digit), `N` (2 to 9), `[2-5]`
/// and `[^2-5]` (a digit in, or not in, a set), `!` (one or more digits, at the end), `.` (ends the access code,
/// which is not sent on).
///
/// A `#` is a key like any other: `9.!#` matches `9123#` and not yet `9123`.
///
/// Two patterns are equal when their text is; `x` and `n` are read as `X` and `N`. The order of `Ord` is that
/// of the text, for stable listings; [`Pattern::precedence`] is the one that routing asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    text: String,
    places: Vec<Place>,
    /// How many places the access code has.
    access: usize,
}

/// What dialled digits are to a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternMatch {
    /// They do not match, and no further digit changes that.
    No,
    /// Not yet; further digits could make it match. No digits at all are this.
    Partial,
    /// They match, and one more digit would not.
    Full,
    /// They match, and go on matching with more digits (`!`).
    FullMayGrow,
}

/// Why a pattern is not one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem} at character {at}")]
pub struct PatternError {
    /// Character position, from 1.
    pub at: usize,
    /// What is wrong there.
    pub problem: &'static str,
}

/// One place of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// One key out of these.
    One(Keys),
    /// One or more digits.
    Digits,
}

/// A set of keys, one bit each: 0 to 9, then `*`, `#` and `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Keys(u16);

const ANY_DIGIT: Keys = Keys(0b0000_0011_1111_1111);
const N_DIGIT: Keys = Keys(0b0000_0011_1111_1100);

impl Keys {
    fn of(key: char) -> Option<Self> {
        let bit = match key {
            '0'..='9' => u32::from(key) - u32::from('0'),
            '*' => 10,
            '#' => 11,
            '+' => 12,
            _ => return None,
        };
        Some(Self(1 << bit))
    }

    fn has(self, key: char) -> bool {
        Self::of(key).is_some_and(|one| self.0 & one.0 != 0)
    }
}

impl Pattern {
    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What these dialled digits are to the pattern.
    pub fn matches(&self, digits: &str) -> PatternMatch {
        let mut dialled = digits.chars().peekable();
        let mut places = self.places.iter().peekable();
        while let Some(&place) = places.next() {
            let Some(key) = dialled.next() else {
                return PatternMatch::Partial;
            };
            match place {
                Place::One(keys) if keys.has(key) => {}
                Place::Digits if ANY_DIGIT.has(key) => {
                    while dialled.next_if(|&key| ANY_DIGIT.has(key)).is_some() {}
                    if places.peek().is_none() && dialled.peek().is_none() {
                        return PatternMatch::FullMayGrow;
                    }
                }
                Place::One(_) | Place::Digits => return PatternMatch::No,
            }
        }
        if dialled.next().is_none() { PatternMatch::Full } else { PatternMatch::No }
    }

    /// How many places allow exactly one key.
    pub fn fixed_digits(&self) -> usize {
        self.places.iter().filter(|place| place.choices() == 1).count()
    }

    /// The one number that matches, when the pattern has no choice in it.
    pub fn only_number(&self) -> Option<String> {
        let fixed = self.fixed_digits() == self.places.len();
        fixed.then(|| self.text.chars().filter(|&c| Keys::of(c).is_some()).collect())
    }

    /// Which of two patterns that both match is the closer one; `Greater` means that `self` wins. More fixed
    /// digits win, then an end that is known over `!`, then fewer choices, then the smaller text, so that
    /// two different patterns are never equal.
    pub fn precedence(&self, other: &Self) -> Ordering {
        let open = |pattern: &Self| pattern.places.contains(&Place::Digits);
        let choices = |pattern: &Self| pattern.places.iter().map(|place| place.choices()).sum::<u32>();
        self.fixed_digits()
            .cmp(&other.fixed_digits())
            .then_with(|| open(other).cmp(&open(self)))
            .then_with(|| choices(other).cmp(&choices(self)))
            .then_with(|| other.text.cmp(&self.text))
    }

    /// What of the dialled digits is sent on: all after the access code, or all where the pattern has none.
    /// Digits that end within the access code leave nothing.
    pub fn sent_on<'a>(&self, digits: &'a str) -> &'a str {
        match digits.char_indices().nth(self.access) {
            Some((at, _)) => &digits[at..],
            None => "",
        }
    }
}

/// Do the digits match, whatever may still follow?
pub(crate) fn is_match(result: PatternMatch) -> bool {
    matches!(result, PatternMatch::Full | PatternMatch::FullMayGrow)
}

impl Place {
    fn choices(self) -> u32 {
        match self {
            Self::One(keys) => keys.0.count_ones(),
            Self::Digits => 10,
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let fail = |index: usize, problem| Err(PatternError { at: index + 1, problem });
        let chars: Vec<char> =
            text.chars().map(|c| if matches!(c, 'x' | 'n') { c.to_ascii_uppercase() } else { c }).collect();
        if chars.is_empty() {
            return fail(0, "a pattern needs at least one digit");
        }
        if chars.len() > MAX_TEXT {
            return fail(MAX_TEXT, "the pattern is too long");
        }

        let mut places = Vec::new();
        let mut access = None;
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            let open = places.contains(&Place::Digits);
            match c {
                '.' if access.is_some() => return fail(at, "a second '.'"),
                '.' if places.is_empty() => return fail(at, "'.' without an access code before it"),
                '.' if at + 1 == chars.len() => return fail(at, "'.' with nothing after it"),
                '.' if open => return fail(at, "'.' after '!'"),
                '.' => access = Some(places.len()),
                '!' if open => return fail(at, "a second '!'"),
                '!' => places.push(Place::Digits),
                _ if open && (c != '#' || places.last() != Some(&Place::Digits)) => {
                    return fail(at, "only a '#' can follow '!'");
                }
                'X' => places.push(Place::One(ANY_DIGIT)),
                'N' => places.push(Place::One(N_DIGIT)),
                '[' => {
                    let (keys, end) = set(&chars, at)?;
                    places.push(Place::One(keys));
                    at = end;
                }
                '+' if at > 0 => return fail(at, "'+' can only come first"),
                _ => match Keys::of(c) {
                    Some(key) => places.push(Place::One(key)),
                    None => return fail(at, "a character that no pattern has (0-9 * # + X N [ ] ! .)"),
                },
            }
            at += 1;
        }
        Ok(Self { text: chars.into_iter().collect(), places, access: access.unwrap_or(0) })
    }
}

/// Reads the set that opens at `open`; gives its keys and the position of the closing bracket.
fn set(chars: &[char], open: usize) -> Result<(Keys, usize), PatternError> {
    let fail = |index: usize, problem| Err(PatternError { at: index + 1, problem });
    let mut keys = 0_u16;
    let mut at = open + 1;
    let negated = chars.get(at) == Some(&'^');
    at += usize::from(negated);
    loop {
        let Some(&first) = chars.get(at) else {
            return fail(open, "a '[' that is never closed");
        };
        if first == ']' {
            break;
        }
        let Some(one) = Keys::of(first).filter(|_| first != '+') else {
            return fail(at, "a character that no set has (0-9 * #)");
        };
        if chars.get(at + 1) != Some(&'-') {
            keys |= one.0;
            at += 1;
            continue;
        }
        match chars.get(at + 2) {
            Some(&last) if first.is_ascii_digit() && last.is_ascii_digit() && first <= last => {
                (first..=last).filter_map(Keys::of).for_each(|key| keys |= key.0);
            }
            _ => return fail(at, "a range that does not go from a digit to a greater one"),
        }
        at += 3;
    }
    let keys = if negated { ANY_DIGIT.0 & !keys } else { keys };
    if keys == 0 {
        return fail(open, "a set without any digit");
    }
    Ok((Keys(keys), at))
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn matches_as_documented() {
        use PatternMatch::{Full, FullMayGrow, No, Partial};
        let table = [
            ("0", "", Partial),
            ("0", "0", Full),
            ("0", "1", No),
            ("0", "00", No),
            ("1XX", "1", Partial),
            ("1XX", "10", Partial),
            ("1XX", "109", Full),
            ("1XX", "1090", No),
            ("1XX", "1*", No),
            ("NXX", "1", No),
            ("NXX", "200", Full),
            ("NXX", "999", Full),
            ("[2-5]", "1", No),
            ("[2-5]", "2", Full),
            ("[2-5]", "5", Full),
            ("[2-5]", "6", No),
            ("[^2-5]", "1", Full),
            ("[^2-5]", "2", No),
            ("[^2-5]", "5", No),
            ("[^2-5]", "6", Full),
            ("[^2-5]", "*", No),
            ("[13-59*#]", "1", Full),
            ("[13-59*#]", "2", No),
            ("[13-59*#]", "4", Full),
            ("[13-59*#]", "9", Full),
            ("[13-59*#]", "*", Full),
            ("[13-59*#]", "#", Full),
            ("0.!", "0", Partial),
            ("0.!", "01", FullMayGrow),
            ("0.!", "0123456789", FullMayGrow),
            ("0.!", "01#", No),
            ("0.!", "01*", No),
            ("0.!#", "0", Partial),
            ("0.!#", "01", Partial),
            ("0.!#", "01#", Full),
            ("0.!#", "0#", No),
            ("0.!#", "01##", No),
            ("!", "", Partial),
            ("!", "7", FullMayGrow),
            ("*21*XX#", "*21*", Partial),
            ("*21*XX#", "*21*42", Partial),
            ("*21*XX#", "*21*42#", Full),
            ("+49!", "+", Partial),
            ("+49!", "+491", FullMayGrow),
            ("+49!", "49", No),
            ("9.911", "9911", Full),
            ("9.911", "991", Partial),
            ("X", "A", No),
            ("X", "٣", No),
        ];
        for (text, digits, expected) in table {
            assert_eq!(pattern(text).matches(digits), expected, "{text} against {digits:?}");
        }
    }

    #[test]
    fn a_bad_pattern_names_its_place() {
        let table = [
            ("", 1, "at least one digit"),
            ("12a4", 3, "no pattern has"),
            ("1 2", 2, "no pattern has"),
            ("12]", 3, "no pattern has"),
            ("1[23", 2, "never closed"),
            ("1[]", 2, "without any digit"),
            ("1[^0-9]", 2, "without any digit"),
            ("1[5-2]", 3, "range"),
            ("1[2-]", 3, "range"),
            ("1[*-#]", 3, "range"),
            ("1[-2]", 3, "no set has"),
            ("1[2+]", 4, "no set has"),
            ("1[X]", 3, "no set has"),
            ("!!", 2, "second '!'"),
            ("!1", 2, "only a '#'"),
            ("!X", 2, "only a '#'"),
            ("!##", 3, "only a '#'"),
            ("!.1", 2, "'.' after '!'"),
            (".1", 1, "without an access code"),
            ("9.", 2, "nothing after"),
            ("9.1.2", 4, "second '.'"),
            ("1+", 2, "come first"),
        ];
        for (text, at, problem) in table {
            let error = text.parse::<Pattern>().expect_err(text);
            assert_eq!(error.at, at, "{text}: {error}");
            assert!(error.problem.contains(problem), "{text}: {error}");
        }
        assert!("1".repeat(65).parse::<Pattern>().is_err());
        assert!("1".repeat(64).parse::<Pattern>().is_ok());
    }

    #[test]
    fn the_closer_pattern_wins() {
        // Each beats all that follow it.
        let order = ["112", "1[12]2", "11X", "11!", "1NX", "1XX", "1!", "NXX", "XXX", "!"];
        for (index, closer) in order.iter().enumerate() {
            for other in &order[index + 1..] {
                let precedence = pattern(closer).precedence(&pattern(other));
                assert_eq!(precedence, Ordering::Greater, "{closer} against {other}");
                assert_eq!(pattern(other).precedence(&pattern(closer)), Ordering::Less);
            }
            assert_eq!(pattern(closer).precedence(&pattern(closer)), Ordering::Equal);
        }
    }

    #[test]
    fn the_access_code_is_not_sent_on() {
        assert_eq!(pattern("0.!").sent_on("0123"), "123");
        assert_eq!(pattern("9X.NXX").sent_on("95234"), "234");
        assert_eq!(pattern("112").sent_on("112"), "112");
        assert_eq!(pattern("00.!").sent_on("0"), "");
        assert_eq!(pattern("00.!").sent_on("00"), "");
    }

    #[test]
    fn a_pattern_without_choice_is_one_number() {
        assert_eq!(pattern("9.911").only_number().as_deref(), Some("9911"));
        assert_eq!(pattern("*21#").only_number().as_deref(), Some("*21#"));
        assert_eq!(pattern("1X").only_number(), None);
        assert_eq!(pattern("1!").only_number(), None);
        assert_eq!(pattern("1x[2-3]n").as_str(), "1X[2-3]N");
    }

    proptest! {
        /// `Partial` and `No` say something about the future; hold them to it.
        #[test]
        fn match_results_keep_their_promise(
            text in "[0-3XN]{1,3}(\\.[0-3X])?!?#?",
            digits in "[0-4#]{0,4}",
            more in "[0-4#]{1,3}",
        ) {
            let pattern = pattern(&text);
            let longer = format!("{digits}{more}");
            match pattern.matches(&digits) {
                PatternMatch::No | PatternMatch::Full => prop_assert_eq!(pattern.matches(&longer), PatternMatch::No),
                PatternMatch::FullMayGrow => {
                    prop_assert_eq!(pattern.matches(&format!("{digits}7")), PatternMatch::FullMayGrow);
                }
                PatternMatch::Partial => {}
            }
            prop_assert!(digits.ends_with(pattern.sent_on(&digits)));
        }

        #[test]
        fn reading_never_panics(text in "[0-9xXnN\\[\\]^*#+!.ä-]{0,20}") {
            if let Ok(pattern) = text.parse::<Pattern>() {
                prop_assert_eq!(pattern.to_string().parse::<Pattern>(), Ok(pattern));
            }
        }
    }
}
