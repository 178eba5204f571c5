//! What the guard tells, one JSON object a line: the schema is that of [`Event`], and docs/guard.md describes it.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    net::SocketAddr,
    path::Path,
};

use jiff::Timestamp;
use selsius_inspect::guard::{CallSummary, Ends, Finding, Hole, Passage};
use selsius_wire::Time;
use serde::Serialize;

use crate::policy::message_name;

/// One line.
#[derive(Debug, Clone, Serialize)]
pub struct Event<'e> {
    /// When, in UTC.
    pub time: Timestamp,
    /// Which connection it is about, by its number since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<u64>,
    /// The phone's address.
    pub station: SocketAddr,
    /// The manager's address.
    pub manager: SocketAddr,
    /// The phone's name, if it said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<&'e str>,
    /// What happened.
    #[serde(flatten)]
    pub what: What<'e>,
}

/// What happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What<'e> {
    /// A phone has connected.
    Opened,
    /// The connection is over.
    Closed {
        /// Why.
        reason: &'e str,
        /// Messages of the phone and of the manager.
        messages: [u64; 2],
    },
    /// A phone has registered.
    Registered {
        /// The version that was agreed on.
        version: u8,
    },
    /// Something was found.
    Finding {
        /// Its stable name.
        finding: &'static str,
        /// `info`, `low`, `medium` or `high`.
        severity: &'static str,
        /// What was done: `log`, `scrub`, `drop`, `reset` or `block`.
        action: &'static str,
        /// Who sent it: `station` or `manager`.
        from: &'static str,
        /// The message, by its name, or its id if it has none.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// The field.
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<&'static str>,
        /// Where the field begins, in bytes from the start of the body.
        #[serde(skip_serializing_if = "Option::is_none")]
        offset: Option<usize>,
        /// What exactly.
        #[serde(skip_serializing_if = "str::is_empty")]
        detail: &'e str,
        /// How often in this connection, with this one; told the 1st, 2nd, 4th time and so on.
        count: u64,
    },
    /// A call is over.
    Call {
        /// The reference by which its phone knew it.
        reference: u32,
        /// On which line of the phone.
        line: u32,
        /// The phone began it.
        outgoing: bool,
        /// Who called.
        calling: &'e str,
        /// Who was called.
        called: &'e str,
        /// From beginning to end, in milliseconds.
        lasted_ms: u64,
        /// From the answer to the end, in milliseconds; absent if nobody answered.
        #[serde(skip_serializing_if = "Option::is_none")]
        talked_ms: Option<u64>,
    },
    /// The ways for a stream are these from now on.
    Passage {
        /// Which stream.
        stream: u64,
        /// Towards the phone.
        #[serde(skip_serializing_if = "Option::is_none")]
        inward: Option<Way>,
        /// From the phone.
        #[serde(skip_serializing_if = "Option::is_none")]
        outward: Option<Way>,
    },
}

/// A way for audio.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Way {
    /// Where the sender sends to.
    pub at: SocketAddr,
    /// Where the receiver listens.
    pub to: SocketAddr,
    /// The sender's address, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<std::net::IpAddr>,
}

impl From<Hole> for Way {
    fn from(hole: Hole) -> Self {
        Self { at: hole.at, to: hole.to, from: hole.from }
    }
}

impl<'e> From<&'e Finding> for What<'e> {
    fn from(finding: &'e Finding) -> Self {
        Self::Finding {
            finding: finding.kind.name(),
            severity: finding.kind.severity().name(),
            action: finding.action.name(),
            from: finding.from.name(),
            message: finding.message.map(message_name),
            field: finding.field.map(|(name, _)| name),
            offset: finding.field.map(|(_, offset)| offset),
            detail: &finding.detail,
            count: finding.count,
        }
    }
}

impl<'e> From<&'e CallSummary> for What<'e> {
    fn from(call: &'e CallSummary) -> Self {
        let millis = |from: Time| u64::try_from(call.ended.since(from).as_millis()).unwrap_or(u64::MAX);
        Self::Call {
            reference: call.reference,
            line: call.line,
            outgoing: call.outgoing,
            calling: &call.calling,
            called: &call.called,
            lasted_ms: millis(call.begun),
            talked_ms: call.answered.map(millis),
        }
    }
}

impl From<&Passage> for What<'_> {
    fn from(passage: &Passage) -> Self {
        Self::Passage {
            stream: passage.id,
            inward: passage.inward.map(Way::from),
            outward: passage.outward.map(Way::from),
        }
    }
}

impl<'e> Event<'e> {
    /// Something about a connection.
    pub fn new(
        time: Timestamp,
        connection: Option<u64>,
        ends: &Ends,
        device: Option<&'e str>,
        what: impl Into<What<'e>>,
    ) -> Self {
        Self { time, connection, station: ends.station, manager: ends.manager, device, what: what.into() }
    }
}

/// Where events are written.
pub struct Log {
    out: Option<Box<dyn Write + Send>>,
    /// Lines that could not be written.
    lost: u64,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("lost", &self.lost).finish_non_exhaustive()
    }
}

impl Log {
    /// Nowhere.
    pub fn none() -> Self {
        Self { out: None, lost: 0 }
    }

    /// Here.
    pub fn to(out: impl Write + Send + 'static) -> Self {
        Self { out: Some(Box::new(BufWriter::new(out))), lost: 0 }
    }

    /// At the end of a file, which may be there already.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn file(path: &Path) -> io::Result<Self> {
        let file: File = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self::to(file))
    }

    /// Writes a line; it is there after [`Log::flush`]. A full disk loses lines, and stops nothing.
    pub fn tell(&mut self, event: &Event<'_>) {
        let Some(out) = &mut self.out else { return };
        let written = serde_json::to_writer(&mut *out, event).map_err(io::Error::from);
        if written.and_then(|()| out.write_all(b"\n")).is_err() {
            self.lost += 1;
        }
    }

    /// Brings what was written to the file.
    pub fn flush(&mut self) {
        if let Some(out) = &mut self.out
            && out.flush().is_err()
        {
            self.lost += 1;
        }
    }

    /// Lines, or groups of lines, that could not be written.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}
