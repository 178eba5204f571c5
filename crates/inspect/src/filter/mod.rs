//! A small language to choose messages with.
//!
//! ```text
//! name == CallState && fields.call_state == Connected
//! device =~ "SEP00.*" || !(from == station)
//! fields.remote_port_number >= 20000 and anomalies
//! ```
//!
//! | word | what it is |
//! |---|---|
//! | `name`, `id`, `length` | the message: its name, id (`0x008a`), length field |
//! | `from` | `station` or `manager` |
//! | `device` | the phone's name, once it is known |
//! | `src`, `dst` | address with or without the port |
//! | `protocol` | `skinny` or `ss7-sccp` |
//! | `opc`, `dpc` | point codes of SS7 |
//! | `frame`, `stream`, `version` | packet, connection, protocol version |
//! | `line`, `call` | line and call reference that the message is about |
//! | `answers`, `after` | the packet of the request that it answers, and the microseconds since then |
//! | `anomalies` | what is odd about it |
//! | `fields.NAME` | a field, also one inside of a part (`fields.encryption.keylen`); `fields.state` also means `call_state` |
//!
//! Tests are `==`, `!=`, `<`, `<=`, `>`, `>=`, `=~` and `!~` (regular expressions, anywhere in the text); a word alone asks whether
//! it is there and neither zero nor empty. Tests are joined by `&&` (`and`), `||` (`or`), `!` (`not`) and parentheses. Where a
//! message has a field several times, one that fits is enough. Names do not mind capitals. What a protocol does not have is not
//! there in its messages.

mod evaluate;
mod parse;

use alloc::{boxed::Box, string::String, vec::Vec};
use core::{fmt, ops::Range};

use regex::Regex;

use crate::{
    conversation::{Opened, Seen},
    ss7::{self, Vocabulary},
};

/// A filter that was understood.
#[derive(Debug, Clone)]
pub struct Filter {
    root: Node,
}

/// What is wrong with a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// The place, in bytes of the expression.
    pub at: Range<usize>,
    /// What is wrong.
    pub words: String,
}

impl core::error::Error for FilterError {}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

#[derive(Debug, Clone)]
enum Node {
    Either(Box<Node>, Box<Node>),
    Both(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Is(Subject, Test),
}

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Name,
    Id,
    Length,
    From,
    Device,
    Source,
    Destination,
    Protocol,
    Opc,
    Dpc,
    Frame,
    Stream,
    Version,
    Line,
    Call,
    Answers,
    After,
    Anomalies,
    /// The names of the parts, and of the field.
    Field(Vec<String>),
}

#[derive(Debug, Clone)]
enum Test {
    Present,
    Equal(Operand),
    Less(Operand),
    More(Operand),
    Matches(Regex),
}

/// What is compared with: a number if it reads like one, and its text.
#[derive(Debug, Clone)]
struct Operand {
    number: Option<i64>,
    text: String,
}

impl Filter {
    /// Reads an expression; `ss7` is what may be asked about messages of SS7.
    ///
    /// # Errors
    /// Where it is wrong: with the place, and if possible what was meant.
    pub fn parse(text: &str, ss7: Vocabulary) -> Result<Self, FilterError> {
        Ok(Self { root: parse::parse(text, ss7)? })
    }

    /// Whether a message is one of those that were asked for.
    pub fn takes(&self, seen: &Seen, ends: &Opened) -> bool {
        self.root.takes(&|subject, test| subject.is(test, seen, ends))
    }

    /// Whether a message of SS7 is one of those that were asked for.
    pub fn takes_ss7(&self, message: &ss7::Message) -> bool {
        self.root.takes(&|subject, test| subject.is_in_ss7(test, message))
    }
}

#[cfg(test)]
mod tests;
