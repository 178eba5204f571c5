//! What goes to standard output: text, tables, JSON.

use std::{
    borrow::Cow,
    io::{ErrorKind, IsTerminal, Write, stdout},
};

use anyhow::Result;
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

/// Prints text as it is. Whoever reads it may stop reading.
pub(crate) fn print(text: &str) -> Result<()> {
    print_on(text).map(drop)
}

/// Prints text as it is, before more text. Does anybody still read it?
pub(crate) fn print_on(text: &str) -> Result<bool> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        result => Ok(result.map(|()| true)?),
    }
}

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// How the heading of a table looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Heading {
    /// Like the rows.
    #[default]
    Plain,
    /// On terminals that may show colours.
    Bold,
}

/// A table for standard output: columns side by side, with a heading.
pub(crate) fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let bold = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let rows: Vec<_> = rows.into_iter().collect();
    let mut table = Vec::new();
    let look = if bold { Heading::Bold } else { Heading::Plain };
    // Nothing goes wrong with memory.
    let _ = write_table(&mut table, heading, look, || rows.iter().cloned());
    String::from_utf8_lossy(&table).into_owned()
}

/// Writes a table. The rows are made twice, first to see how wide they are: so a long table takes no memory.
pub(crate) fn write_table<const N: usize, R: Iterator<Item = [String; N]>>(
    out: &mut dyn Write,
    heading: [&str; N],
    look: Heading,
    rows: impl Fn() -> R,
) -> std::io::Result<()> {
    let mut widths = heading.map(UnicodeWidthStr::width);
    for row in rows() {
        for (width, text) in widths.iter_mut().zip(&row) {
            *width = clean(text).width().max(*width);
        }
    }
    let line = |row: [String; N]| {
        let mut line = String::new();
        for (text, width) in row.iter().zip(widths) {
            let text = clean(text);
            line.push_str(&text);
            line.extend(std::iter::repeat_n(' ', width - text.width() + 2));
        }
        line.truncate(line.trim_end().len());
        line
    };
    let heading = line(heading.map(str::to_owned));
    match look {
        Heading::Plain => writeln!(out, "{heading}")?,
        Heading::Bold => writeln!(out, "\u{1b}[1m{heading}\u{1b}[0m")?,
    }
    rows().try_for_each(|row| writeln!(out, "{}", line(row)))
}

/// What phones and files say must not speak to the terminal.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        return text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    }
    text.into()
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
        let rows = [
            ["SEP1".to_owned(), "1001".into()],
            ["山田".into(), String::new()],
            ["SEP22222".into(), "a\u{1b}[31m".into()],
        ];
        let expected = "NAME      LINE\nSEP1      1001\n山田\nSEP22222  a\u{FFFD}[31m\n";
        assert_eq!(table(["NAME", "LINE"], rows), expected);
        let mut bold = Vec::new();
        write_table(&mut bold, ["NAME", "LINE"], Heading::Bold, || {
            [["山田", "7"].map(String::from)].into_iter()
        })
        .unwrap();
        assert_eq!(String::from_utf8(bold).unwrap(), "\u{1b}[1mNAME  LINE\u{1b}[0m\n山田  7\n");
    }

    #[test]
    fn durations_read_as_on_a_phone() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        for (seconds, text) in [(0, "0:00"), (62, "1:02"), (3723, "1:02:03"), (-5, "0:00")] {
            assert_eq!(duration(at(100), at(100 + seconds)), text);
        }
    }
}
