//! When the office is open.

use core::{fmt, str::FromStr};

use jiff::{ToSpan, civil};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// When the office is open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Schedule {
    /// Its hours in each week; at least one.
    pub open: Vec<OpenHours>,
    /// Days on which it is closed whatever the hours say, from midnight to midnight.
    pub closed_on: Vec<civil::Date>,
    /// IANA time zone of the hours; `None` is what the settings say.
    pub time_zone: Option<String>,
}

impl Schedule {
    /// Is it open at this moment, in local time?
    pub fn is_open(&self, at: civil::DateTime) -> bool {
        !self.closed_on.contains(&at.date()) && self.open.iter().any(|hours| hours.contains(at))
    }
}

/// Hours on some days of each week: `mon-fri 08:00-18:00`, `sat,sun 09:00-24:00`, `daily 22:00-06:00`. Hours
/// that end before they begin end on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenHours {
    /// Days on which they begin, a bit each; Monday is the lowest.
    days: u8,
    /// Minutes after midnight, below 1440.
    from: u16,
    /// The minute after the last one, 1 to 1440.
    to: u16,
}

/// Why hours are none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenHoursError {
    /// No hours after the days, or something after the hours.
    #[error("is not days and hours")]
    Form,
    /// A word that is no day.
    #[error("{0:?} is no day; days are mon, tue, wed, thu, fri, sat and sun, or daily for all")]
    Day(String),
    /// A text that is no time of day.
    #[error("{0:?} is no time from 00:00 to 24:00")]
    Time(String),
    /// Begin and end are the same.
    #[error("ends when it begins; all day is 00:00-24:00")]
    Empty,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const ALL_DAYS: u8 = 0b0111_1111;
const DAY: u16 = 24 * 60;

impl OpenHours {
    /// Does this moment lie in them?
    pub fn contains(&self, at: civil::DateTime) -> bool {
        let minute = u16::from(at.hour().unsigned_abs()) * 60 + u16::from(at.minute().unsigned_abs());
        if self.from < self.to {
            return self.on(at.date()) && (self.from..self.to).contains(&minute);
        }
        let yesterday = at.date().saturating_sub(1.day());
        (self.on(at.date()) && minute >= self.from) || (self.on(yesterday) && minute < self.to)
    }

    fn on(self, date: civil::Date) -> bool {
        self.days & (1 << date.weekday().to_monday_zero_offset()) != 0
    }
}

impl FromStr for OpenHours {
    type Err = OpenHoursError;

    fn from_str(text: &str) -> Result<Self, OpenHoursError> {
        let mut words = text.split_whitespace();
        let (Some(days), Some(hours), None) = (words.next(), words.next(), words.next()) else {
            return Err(OpenHoursError::Form);
        };
        let (from, to) = hours.split_once('-').ok_or(OpenHoursError::Form)?;
        let (days, from, to) = (read_days(days)?, read_time(from)?, read_time(to)?);
        // From 24:00 on is from 00:00 of a day that the text does not name; to 00:00 is to the end of the day.
        if from == DAY {
            return Err(OpenHoursError::Time("24:00".into()));
        }
        let to = if to == 0 { DAY } else { to };
        if from == to { Err(OpenHoursError::Empty) } else { Ok(Self { days, from, to }) }
    }
}

fn read_days(text: &str) -> Result<u8, OpenHoursError> {
    if text.eq_ignore_ascii_case("daily") {
        return Ok(ALL_DAYS);
    }
    let day = |word: &str| {
        let found = DAYS.iter().position(|day| day.eq_ignore_ascii_case(word));
        found.ok_or_else(|| OpenHoursError::Day(word.into()))
    };
    let mut days = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut at, last) = (day(first)?, day(last)?);
        days |= 1 << at;
        // sun-tue goes around the end of the week.
        while at != last {
            at = (at + 1) % DAYS.len();
            days |= 1 << at;
        }
    }
    Ok(days)
}

fn read_time(text: &str) -> Result<u16, OpenHoursError> {
    let wrong = || OpenHoursError::Time(text.into());
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let digits = |text: &str, fewest: usize| {
        let plain = (fewest..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| plain).ok_or_else(wrong)
    };
    let (hour, minute) = (digits(hour, 1)?, digits(minute, 2)?);
    let time = hour * 60 + minute;
    if minute < 60 && time <= DAY { Ok(time) } else { Err(wrong()) }
}

impl fmt::Display for OpenHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days == ALL_DAYS {
            f.write_str("daily")?;
        } else {
            let has = |day: usize| self.days & (1 << day) != 0;
            let mut separator = "";
            let mut at = 0;
            while at < DAYS.len() {
                let end = (at..DAYS.len()).find(|&day| !has(day)).unwrap_or(DAYS.len());
                match end - at {
                    0 => {}
                    1 => write!(f, "{separator}{}", DAYS[at])?,
                    _ => write!(f, "{separator}{}-{}", DAYS[at], DAYS[end - 1])?,
                }
                if end > at {
                    separator = ",";
                }
                at = end + 1;
            }
        }
        let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        write!(f, " {}-{}", time(self.from), time(self.to))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{DateTime, date};
    use proptest::prelude::*;

    use super::*;

    fn hours(text: &str) -> OpenHours {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    /// A moment in the week of Monday, 2026-12-21.
    fn at(day: i8, hour: i8, minute: i8) -> DateTime {
        date(2026, 12, 21 + day).at(hour, minute, 0, 0)
    }

    #[test]
    fn hours_hold_on_their_days() {
        const MON: i8 = 0;
        const FRI: i8 = 4;
        const SAT: i8 = 5;
        const SUN: i8 = 6;
        let table = [
            ("mon-fri 08:00-18:00", at(MON, 7, 59), false),
            ("mon-fri 08:00-18:00", at(MON, 8, 0), true),
            ("mon-fri 08:00-18:00", at(FRI, 17, 59), true),
            ("mon-fri 08:00-18:00", at(FRI, 18, 0), false),
            ("mon-fri 08:00-18:00", at(SAT, 12, 0), false),
            ("sat,sun 9:00-24:00", at(SUN, 23, 59), true),
            ("sat,sun 9:00-24:00", at(SUN + 1, 0, 0), false),
            ("daily 00:00-24:00", at(SAT, 0, 0), true),
            ("daily 00:00-00:00", at(SAT, 23, 59), true),
            // Over midnight: the night belongs to the day on which it begins.
            ("fri 22:00-06:00", at(FRI, 21, 59), false),
            ("fri 22:00-06:00", at(FRI, 22, 0), true),
            ("fri 22:00-06:00", at(SAT, 5, 59), true),
            ("fri 22:00-06:00", at(SAT, 6, 0), false),
            ("fri 22:00-06:00", at(FRI, 5, 0), false),
            ("sun 22:00-06:00", at(SUN + 1, 5, 0), true),
            ("sun-tue 08:00-09:00", at(MON, 8, 30), true),
            ("sun-tue 08:00-09:00", at(FRI, 8, 30), false),
        ];
        for (text, at, expected) in table {
            assert_eq!(hours(text).contains(at), expected, "{text} at {at}");
        }
    }

    #[test]
    fn a_schedule_is_open_when_any_hours_hold_and_the_day_is_none_of_the_closed() {
        let schedule = Schedule {
            open: vec![hours("mon-fri 08:00-12:00"), hours("mon-fri 13:00-17:00"), hours("thu 22:00-02:00")],
            closed_on: vec![date(2026, 12, 25)],
            time_zone: None,
        };
        assert!(schedule.is_open(at(0, 9, 0)));
        assert!(!schedule.is_open(at(0, 12, 30)));
        assert!(schedule.is_open(at(0, 13, 0)));
        assert!(schedule.is_open(at(3, 23, 0)));
        assert!(!schedule.is_open(at(4, 1, 0)), "closed from midnight on, whatever began before");
        assert!(!schedule.is_open(at(4, 9, 0)));
        assert!(!Schedule::default().is_open(at(0, 9, 0)), "without hours it is never open");
        assert!(!schedule.is_open(DateTime::MIN) && !schedule.is_open(DateTime::MAX));
    }

    #[test]
    fn hours_are_written_in_one_form() {
        let table = [
            ("MON-Fri 8:00-18:00", "mon-fri 08:00-18:00"),
            ("mon,tue,wed,sat 08:00-18:00", "mon-wed,sat 08:00-18:00"),
            ("fri-mon 22:00-6:00", "mon,fri-sun 22:00-06:00"),
            ("mon-sun 08:00-0:00", "daily 08:00-24:00"),
            ("tue  08:05-08:06", "tue 08:05-08:06"),
        ];
        for (text, written) in table {
            assert_eq!(hours(text).to_string(), written);
        }
        for none in [
            "",
            "mon",
            "mon 8-18",
            "mon 08:00",
            "mon 08:00-18:00 x",
            "mo 08:00-18:00",
            "mon- 08:00-18:00",
            "mon 24:00-08:00",
            "mon 08:60-09:00",
            "mon 08:00-24:01",
            "mon 08:00-08:00",
            "mon +8:00-09:00",
            "mon, 08:00-09:00",
            "mon 008:00-09:00",
            "mon 08:0-09:00",
        ] {
            assert!(none.parse::<OpenHours>().is_err(), "{none}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(days in 1_u8..128, from in 0_u16..DAY, to in 1_u16..=DAY) {
            prop_assume!(from != to);
            let hours = OpenHours { days, from, to };
            prop_assert_eq!(hours.to_string().parse::<OpenHours>(), Ok(hours));
        }

        #[test]
        fn reading_never_panics(text in "[a-z0-9:, -]{0,24}") {
            let _ = text.parse::<OpenHours>();
        }
    }
}
