//! One line a message, for people.
//!
//! ```text
//! 10:31:07.123456      97 SEP001380AD9E5F ──> v7  Register SEP001380AD9E5F, version 7, Cisco7912
//! 10:31:07.153456      98 SEP001380AD9E5F <── v6  RegisterAck version 6, keepalive 30 s  (30.0 ms after 97)
//! ```

use std::{fmt::Write as _, io::Write, time::Duration};

use anyhow::Result;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use selsius_inspect::{
    conversation::{Opened, Seen, Side, Trouble, TroubleKind},
    fields::{self, HEADER, Row},
    ladder::Kind,
    ss7::{Field, Message, Value},
};
use selsius_wire::Time;

use super::{View, ss7};

/// How much is told of each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Line,
    Fields,
    Bytes,
}

impl Depth {
    pub(super) fn of(verbose: bool, hex: bool) -> Self {
        match (hex, verbose) {
            (true, _) => Self::Bytes,
            (false, true) => Self::Fields,
            (false, false) => Self::Line,
        }
    }
}

/// The view.
pub(super) struct Text {
    depth: Depth,
    colour: bool,
    zone: TimeZone,
    /// The day that was written last.
    day: Option<Date>,
    line: String,
}

const PLAIN: &str = "\x1b[0m";
const DIM: &str = "\x1b[0;2m";
const ALARM: &str = "\x1b[0;1;31m";

impl Text {
    pub(super) fn new(depth: Depth, colour: bool) -> Self {
        Self { depth, colour, zone: TimeZone::system(), day: None, line: String::new() }
    }

    fn paint(&mut self, escape: &str) {
        if self.colour {
            self.line.push_str(escape);
        }
    }

    /// Day, time, packet and phone.
    fn begin(&mut self, time: Time, packet: u64, device: Option<&str>, ends: &Opened) {
        self.stamp(time, packet);
        match device {
            Some(device) => {
                let _ = write!(self.line, "{device:<15} ");
            }
            None => {
                let _ = write!(self.line, "{:<15} ", ends.station.to_string());
            }
        }
    }

    /// Day, time and packet.
    fn stamp(&mut self, time: Time, packet: u64) {
        let at =
            i64::try_from(time.as_micros()).ok().and_then(|micros| Timestamp::from_microsecond(micros).ok());
        let at = at.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned_datetime(self.zone.clone());
        self.line.clear();
        if self.day.replace(at.date()) != Some(at.date()) {
            self.paint(DIM);
            let _ = write!(self.line, "{}", at.strftime("%Y-%m-%d %Z"));
            self.paint(PLAIN);
            self.line.push('\n');
        }
        self.paint(DIM);
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        let micros = at.subsec_nanosecond() / 1_000;
        let _ = write!(self.line, "{hour:02}:{minute:02}:{second:02}.{micros:06} {packet:>7} ");
        self.paint(PLAIN);
    }

    fn finish(&mut self, out: &mut dyn Write) -> Result<()> {
        self.line.push('\n');
        out.write_all(self.line.as_bytes())?;
        Ok(())
    }

    fn fields(&mut self, seen: &Seen) {
        let message = &seen.message;
        let bytes = if self.depth == Depth::Bytes { message.bytes() } else { Vec::new() };
        if self.depth == Depth::Bytes {
            let header = [
                (0, "length", message.length().to_string()),
                (4, "header version", message.header_version().to_string()),
                (8, "message id", format!("{:#06x}", message.id())),
            ];
            for (start, name, value) in header {
                self.row(&bytes, start, start + 4, 0, name, &value);
            }
        }
        let mut shown = HEADER;
        fields::walk(message, &mut |row| {
            if row.start > shown && bytes.len() >= row.start {
                self.row(&bytes, shown, row.start, row.depth, "(unused)", "");
            }
            let Row { depth, start, end, .. } = row;
            let name = match row.index {
                Some(index) => format!("{}[{index}]", row.name),
                None => row.name.to_owned(),
            };
            let value = row.value.map(|value| fields::show(&value)).unwrap_or_default();
            self.row(&bytes, start, end, depth, &name, &value);
            shown = shown.max(end);
        });
        let (fields_end, end) = (HEADER + message.fields_end(), message.length() + 8);
        if fields_end > shown {
            self.row(&bytes, shown, fields_end, 0, "(unused)", "");
        }
        if end > fields_end {
            let rest = format!("{} bytes after the last known field", end - fields_end);
            self.row(&bytes, fields_end, end, 0, "(rest)", &rest);
        }
    }

    fn fields_of_ss7(&mut self, fields: &[Field], depth: usize) {
        for field in fields {
            self.row(&[], 0, 0, depth, field.name, &ss7::show(&field.value));
            if let Value::Parts(parts) = &field.value {
                self.fields_of_ss7(parts, depth + 1);
            }
        }
    }

    /// A field, with its bytes before it where those are wanted: 16 on a line.
    fn row(&mut self, bytes: &[u8], start: usize, end: usize, depth: usize, name: &str, value: &str) {
        if self.depth == Depth::Fields && name == "(unused)" {
            return;
        }
        self.line.push('\n');
        let mut lines = bytes.get(start..end).unwrap_or_default().chunks(16);
        if self.depth == Depth::Bytes {
            self.bytes(start, end, lines.next().unwrap_or_default());
        } else {
            self.line.push_str("        ");
        }
        let indent = 2 * depth;
        let width = 32_usize.saturating_sub(indent);
        self.paint(DIM);
        let _ = write!(self.line, "{:indent$}{name:<width$}", "");
        self.paint(PLAIN);
        let _ = write!(self.line, " {value}");
        self.line.truncate(self.line.trim_end().len());
        let mut at = start + 16;
        for line in lines {
            self.line.push('\n');
            self.bytes(at, (at + 16).min(end), line);
            self.line.truncate(self.line.trim_end().len());
            at += 16;
        }
    }

    fn bytes(&mut self, start: usize, end: usize, bytes: &[u8]) {
        let mut hex = String::new();
        for byte in bytes {
            let _ = write!(hex, "{byte:02x} ");
        }
        let place = if start == end { String::new() } else { format!("{start}..{end}") };
        let _ = write!(self.line, "    {place:>10}  {hex:<48} ");
    }
}

impl View for Text {
    fn seen(&mut self, seen: &Seen, ends: &Opened, out: &mut dyn Write) -> Result<()> {
        self.begin(seen.time, seen.packets.last, seen.device.as_deref(), ends);
        let kind = Kind::of(&seen.message);
        let escape = match kind {
            Kind::Station | Kind::Peer => "\x1b[0;36m",
            Kind::Manager => "\x1b[0;32m",
            Kind::Media => "\x1b[0;35m",
            Kind::Quiet => DIM,
            Kind::Trouble => ALARM,
        };
        self.paint(escape);
        self.line.push_str(if seen.from == Side::Station { "──> " } else { "<── " });
        self.paint(DIM);
        let version = format!("v{}", seen.version);
        let _ = write!(self.line, "{version:<3} ");
        self.paint(escape);
        self.line.push_str(seen.message.name());
        self.paint(PLAIN);
        let details = seen.message.details();
        if !details.is_empty() {
            let _ = write!(self.line, " {details}");
        }
        self.paint(DIM);
        match seen.message.place() {
            (0, 0) => {}
            (line, 0) => {
                let _ = write!(self.line, " · line {line}");
            }
            (0, call) => {
                let _ = write!(self.line, " · call {call}");
            }
            (line, call) => {
                let _ = write!(self.line, " · line {line}, call {call}");
            }
        }
        if let Some(answer) = &seen.answers {
            let _ = write!(self.line, "  ({} after {})", span(answer.after), answer.packet);
        }
        self.paint(PLAIN);
        for anomaly in seen.message.anomalies() {
            self.paint(ALARM);
            let _ = write!(self.line, "  ! {anomaly}");
            self.paint(PLAIN);
        }
        if self.depth != Depth::Line {
            self.fields(seen);
        }
        self.finish(out)
    }

    fn ss7(&mut self, message: &Message, out: &mut dyn Write) -> Result<()> {
        self.stamp(message.stamp.time, message.stamp.number);
        let place = |at: usize| {
            let address = message.ends.map(|(source, destination)| [source, destination][at].to_string());
            let code = message.label.map(|label| format!("pc {}", [label.opc, label.dpc][at]));
            address.into_iter().chain(code).collect::<Vec<_>>().join(" ")
        };
        let (source, destination) = (place(0), place(1));
        if !source.is_empty() {
            let _ = write!(self.line, "{source} ──> {destination} ");
        }
        self.paint("\x1b[0;33m");
        let _ = write!(self.line, "SS7-SCCP {}", message.name);
        self.paint(PLAIN);
        let details = ss7::details(message);
        if !details.is_empty() {
            let _ = write!(self.line, " {details}");
        }
        for anomaly in &message.anomalies {
            self.paint(ALARM);
            let _ = write!(self.line, "  ! {anomaly}");
            self.paint(PLAIN);
        }
        if self.depth != Depth::Line {
            self.fields_of_ss7(&message.fields, 0);
        }
        if self.depth == Depth::Bytes {
            self.row(&message.bytes, 0, message.bytes.len(), 0, "(the whole message)", "");
        }
        self.finish(out)
    }

    fn trouble(&mut self, trouble: &Trouble, ends: &Opened, out: &mut dyn Write) -> Result<()> {
        self.begin(trouble.stamp.time, trouble.stamp.number, None, ends);
        // Where a capture begins in the middle that is so for every connection.
        self.paint(if trouble.kind == TroubleKind::Missing(None) { DIM } else { ALARM });
        self.line.push_str(if trouble.from == Side::Station { "-!> " } else { "<!- " });
        let _ = write!(self.line, "    {}", trouble.kind);
        self.paint(PLAIN);
        self.finish(out)
    }
}

/// A response time: `830 µs`, `12.3 ms`, `2.50 s`.
pub(super) fn span(duration: Duration) -> String {
    match duration.as_micros() {
        micros @ 0..1_000 => format!("{micros} µs"),
        micros @ 1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        micros => format!("{:.2} s", micros as f64 / 1e6),
    }
}
