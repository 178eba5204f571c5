//! Moments as people type them.

use anyhow::{Result, bail};
use jiff::{Span, Timestamp, ZonedDateTime, civil::DateTime, tz::TimeZone};

/// Reads a date (its midnight here), a date and time (here, or with an offset), or how long ago.
pub(super) fn parse(text: &str) -> Result<Timestamp> {
    at(text, &ZonedDateTime::now())
}

fn at(text: &str, now: &ZonedDateTime) -> Result<Timestamp> {
    let here = |zone: &TimeZone| {
        Some(text.parse::<DateTime>().ok()?.to_zoned_datetime(zone.clone()).ok()?.timestamp())
    };
    // What names its own offset is a time of day elsewhere as well, so it comes first.
    if let Some(time) = text.parse().ok().or_else(|| here(now.time_zone())) {
        return Ok(time);
    }
    // "7d ago" and "-7d" are negative spans.
    match text.parse::<Span>().ok().and_then(|span| now.checked_sub(span.abs()).ok()) {
        Some(time) => Ok(time.timestamp()),
        None => bail!(
            "expected a date (2026-11-01), a date and time (\"2026-11-01 08:00\") or how long ago (7d, \"2h 30m\")"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_and_ages() {
        let now: ZonedDateTime = "2026-11-27T20:00:00[Europe/Berlin]".parse().unwrap();
        for (text, expected) in [
            ("2026-11-01", "2026-10-31T23:00:00Z"),
            ("2026-07-01", "2026-06-30T22:00:00Z"),
            ("2026-11-01 08:00", "2026-11-01T07:00:00Z"),
            ("2026-11-01T08:00:30", "2026-11-01T07:00:30Z"),
            ("2026-11-01T08:00:00Z", "2026-11-01T08:00:00Z"),
            ("2026-11-01T08:00:00-05:00", "2026-11-01T13:00:00Z"),
            ("7d", "2026-11-20T19:00:00Z"),
            ("7 days ago", "2026-11-20T19:00:00Z"),
            ("2h 30m", "2026-11-27T16:30:00Z"),
            // By the clock on the wall, over a change of the clocks.
            ("6 weeks", "2026-10-16T18:00:00Z"),
        ] {
            assert_eq!(at(text, &now).unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "12", "99999 years"] {
            let error = at(text, &now).unwrap_err().to_string();
            assert!(error.starts_with("expected a date"), "{text}: {error}");
        }
    }
}
