//! What goes to standard output: text, tables, JSON.

use std::io::{ErrorKind, IsTerminal, Write, stdout};

use anyhow::Result;
use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

/// Prints text as it is. Whoever reads it may stop reading.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// A table: columns side by side, with a heading. Plain text; on a terminal that may show colours the heading is bold.
pub(crate) fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(heading);
    table.add_rows(rows.into_iter().map(|row| row.map(|text| clean(&text))));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let bold = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = table.lines().enumerate().map(|(at, line)| match line.trim_end() {
        heading if at == 0 && bold => format!("\u{1b}[1m{heading}\u{1b}[0m\n"),
        line => format!("{line}\n"),
    });
    lines.collect()
}

/// What phones and files say must not speak to the terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// A time as people here read it.
pub(crate) fn time(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long, as `1:02` or `1:02:03`.
pub(crate) fn duration(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// `1 call`, `2 calls`.
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_plain_text_in_columns() {
        let rows = [["SEP1".to_owned(), "1001".into()], ["SEP22222".into(), "a\u{1b}[31m".into()]];
        let expected = "NAME      LINE\nSEP1      1001\nSEP22222  a\u{FFFD}[31m\n";
        assert_eq!(table(["NAME", "LINE"], rows), expected);
    }

    #[test]
    fn durations_read_as_on_a_phone() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        for (seconds, text) in [(0, "0:00"), (62, "1:02"), (3723, "1:02:03"), (-5, "0:00")] {
            assert_eq!(duration(at(100), at(100 + seconds)), text);
        }
    }
}
