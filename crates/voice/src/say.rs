//! How things are said: numbers, times and counts, word by word, in each language.

use alloc::{string::String, vec::Vec};

use jiff::civil::{Date, Time};

use crate::MessageId;

/// A language that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::English, Self::German];
}

/// Something to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// A prompt, by its name in the list of texts.
    Prompt(&'static str),
    /// So many of something: the names of the prompts for one, and for several.
    Count(u32, &'static str, &'static str),
    /// A whole number; what is above 999 is said digit by digit.
    Number(u32),
    /// A number as it is dialled.
    Digits(String),
    /// The time of day, without its seconds.
    Time(Time),
    /// A day, seen from today.
    Day(Date, Date),
    /// Seconds after a time of day.
    Seconds(u32),
    /// A message.
    Message(MessageId),
    /// The greeting that the owner of a mailbox recorded.
    Greeting(String),
    /// What was recorded last in this call.
    Recording,
    /// A file of the announcements.
    File(String),
    /// The tone.
    Beep,
    /// What tells that somebody has come into a room.
    Came,
    /// What tells that somebody has left it.
    Went,
    /// Silence, in milliseconds.
    Pause(u32),
}

/// What a spoken thing is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A prompt, by its name.
    Word(&'static str),
    /// See [`Say::Message`].
    Message(MessageId),
    /// See [`Say::Greeting`].
    Greeting(String),
    /// See [`Say::Recording`].
    Recording,
    /// See [`Say::File`].
    File(String),
    /// See [`Say::Beep`].
    Beep,
    /// See [`Say::Came`].
    Came,
    /// See [`Say::Went`].
    Went,
    /// See [`Say::Pause`].
    Pause(u32),
}

/// The pieces of what is to be said.
pub fn pieces(language: Language, said: &[Say]) -> Vec<Piece> {
    let mut out = Vec::new();
    for say in said {
        let mut words = Vec::new();
        match say {
            Say::Prompt(name) => words.push(*name),
            Say::Count(count, one, several) => count_of(language, *count, one, several, &mut words),
            Say::Number(number) => whole(language, *number, &mut words),
            Say::Digits(digits) => words.extend(digits.chars().filter_map(digit)),
            Say::Time(time) => time_of_day(language, *time, &mut words),
            Say::Day(day, today) => day_of_year(language, *day, *today, &mut words),
            Say::Seconds(seconds) => seconds_after(language, *seconds, &mut words),
            Say::Message(id) => out.push(Piece::Message(*id)),
            Say::Greeting(mailbox) => out.push(Piece::Greeting(mailbox.clone())),
            Say::Recording => out.push(Piece::Recording),
            Say::File(name) => out.push(Piece::File(name.clone())),
            Say::Beep => out.push(Piece::Beep),
            Say::Came => out.push(Piece::Came),
            Say::Went => out.push(Piece::Went),
            Say::Pause(millis) => out.push(Piece::Pause(*millis)),
        }
        out.extend(words.into_iter().map(Piece::Word));
    }
    out
}

const BELOW_20: [&str; 20] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18",
    "19",
];
const TENS: [&str; 10] = ["0", "10", "20", "30", "40", "50", "60", "70", "80", "90"];
/// "einund", "zweiund", ..: German says the ones first.
const AND: [&str; 10] =
    ["0", "1-and", "2-and", "3-and", "4-and", "5-and", "6-and", "7-and", "8-and", "9-and"];
const ORDINALS: [&str; 31] = [
    "1.", "2.", "3.", "4.", "5.", "6.", "7.", "8.", "9.", "10.", "11.", "12.", "13.", "14.", "15.", "16.",
    "17.", "18.", "19.", "20.", "21.", "22.", "23.", "24.", "25.", "26.", "27.", "28.", "29.", "30.", "31.",
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn at(table: &[&'static str], index: u32) -> &'static str {
    usize::try_from(index).ok().and_then(|index| table.get(index)).copied().unwrap_or("0")
}

fn digit(digit: char) -> Option<&'static str> {
    match digit {
        '*' => Some("star"),
        '#' => Some("hash"),
        '+' => Some("plus"),
        digit => digit.to_digit(10).map(|value| at(&BELOW_20, value)),
    }
}

fn whole(language: Language, number: u32, out: &mut Vec<&'static str>) {
    let (hundreds, rest) = (number / 100, number % 100);
    match (number, language) {
        (1000.., _) => {
            let mut digits = Vec::new();
            let mut left = number;
            while left > 0 {
                digits.push(at(&BELOW_20, left % 10));
                left /= 10;
            }
            return out.extend(digits.into_iter().rev());
        }
        (100..200, Language::German) => out.extend(["ein", "hundred"]),
        (100.., _) => out.extend([at(&BELOW_20, hundreds), "hundred"]),
        _ => {}
    }
    match (rest, language) {
        (0, _) if hundreds > 0 => {}
        (0..20, _) => out.push(at(&BELOW_20, rest)),
        (_, _) if rest % 10 == 0 => out.push(at(&TENS, rest / 10)),
        (_, Language::English) => out.extend([at(&TENS, rest / 10), at(&BELOW_20, rest % 10)]),
        (_, Language::German) => out.extend([at(&AND, rest % 10), at(&TENS, rest / 10)]),
    }
}

fn count_of(
    language: Language,
    count: u32,
    one: &'static str,
    several: &'static str,
    out: &mut Vec<&'static str>,
) {
    match (count, language) {
        (0, _) => out.extend(["no", several]),
        (1, Language::English) => out.extend(["1", one]),
        // All that is counted is feminine.
        (1, Language::German) => out.extend(["eine", one]),
        _ => {
            whole(language, count, out);
            out.push(several);
        }
    }
}

fn time_of_day(language: Language, time: Time, out: &mut Vec<&'static str>) {
    let (hour, minute) = (time.hour().unsigned_abs().into(), time.minute().unsigned_abs().into());
    match language {
        Language::English => {
            whole(language, (hour + 11) % 12 + 1, out);
            match minute {
                0 => out.push("o-clock"),
                1..10 => out.extend(["oh", at(&BELOW_20, minute)]),
                _ => whole(language, minute, out),
            }
            out.push(if hour < 12 { "am" } else { "pm" });
        }
        Language::German => {
            match hour {
                1 => out.push("ein"),
                _ => whole(language, hour, out),
            }
            out.push("o-clock");
            if minute > 0 {
                whole(language, minute, out);
            }
        }
    }
}

fn day_of_year(language: Language, day: Date, today: Date, out: &mut Vec<&'static str>) {
    if day == today {
        return out.push("today");
    }
    if today.yesterday().is_ok_and(|yesterday| yesterday == day) {
        return out.push("yesterday");
    }
    let weekday = at(&WEEKDAYS, day.weekday().to_monday_zero_offset().unsigned_abs().into());
    let ordinal = at(&ORDINALS, u32::from(day.day().unsigned_abs()) - 1);
    let month = at(&MONTHS, u32::from(day.month().unsigned_abs()) - 1);
    match language {
        Language::English => out.extend([weekday, month, ordinal]),
        Language::German => out.extend([weekday, "on", ordinal, month]),
    }
}

fn seconds_after(language: Language, seconds: u32, out: &mut Vec<&'static str>) {
    if seconds > 0 {
        out.push("and");
        count_of(language, seconds, "second", "seconds", out);
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn words(language: Language, say: Say) -> String {
        let words: Vec<_> = pieces(language, &[say])
            .into_iter()
            .map(|piece| match piece {
                Piece::Word(word) => word,
                other => panic!("{other:?}"),
            })
            .collect();
        words.join(" ")
    }

    #[test]
    fn things_are_said_as_people_say_them() {
        let (monday, today) = (date(2026, 11, 23), date(2026, 11, 28));
        let count = |count| Say::Count(count, "new-message", "new-messages");
        let table = [
            (Say::Number(0), "0", "0"),
            (Say::Number(12), "12", "12"),
            (Say::Number(30), "30", "30"),
            (Say::Number(21), "20 1", "1-and 20"),
            (Say::Number(100), "1 hundred", "ein hundred"),
            (Say::Number(347), "3 hundred 40 7", "3 hundred 7-and 40"),
            (Say::Number(1020), "1 0 2 0", "1 0 2 0"),
            (count(0), "no new-messages", "no new-messages"),
            (count(1), "1 new-message", "eine new-message"),
            (count(2), "2 new-messages", "2 new-messages"),
            (Say::Digits("+49*0#x".into()), "plus 4 9 star 0 hash", "plus 4 9 star 0 hash"),
            (Say::Time(time(0, 0, 0, 0)), "12 o-clock am", "0 o-clock"),
            (Say::Time(time(1, 5, 0, 0)), "1 oh 5 am", "ein o-clock 5"),
            (Say::Time(time(12, 30, 0, 0)), "12 30 pm", "12 o-clock 30"),
            (Say::Time(time(21, 21, 0, 0)), "9 20 1 pm", "1-and 20 o-clock 1-and 20"),
            (Say::Seconds(0), "", ""),
            (Say::Seconds(1), "and 1 second", "and eine second"),
            (Say::Seconds(50), "and 50 seconds", "and 50 seconds"),
            (Say::Day(today, today), "today", "today"),
            (Say::Day(date(2026, 11, 27), today), "yesterday", "yesterday"),
            (Say::Day(monday, today), "monday november 23.", "monday on 23. november"),
        ];
        for (say, english, german) in table {
            assert_eq!(words(Language::English, say.clone()), english, "{say:?}");
            assert_eq!(words(Language::German, say.clone()), german, "{say:?}");
        }
    }
}
