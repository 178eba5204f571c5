//! Asking a message.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::net::SocketAddr;

use selsius_wire::codec::Value;

use super::{Node, Operand, Subject, Test};
use crate::{
    conversation::{Opened, Seen, Side},
    fields,
    summary::readable,
};

impl Node {
    pub(super) fn takes(&self, seen: &Seen, ends: &Opened) -> bool {
        match self {
            Self::Either(one, other) => one.takes(seen, ends) || other.takes(seen, ends),
            Self::Both(one, other) => one.takes(seen, ends) && other.takes(seen, ends),
            Self::Not(node) => !node.takes(seen, ends),
            Self::Is(subject, test) => subject.is(test, seen, ends),
        }
    }
}

impl Subject {
    fn is(&self, test: &Test, seen: &Seen, ends: &Opened) -> bool {
        let message = &seen.message;
        let number = |number: u64| test.number(i64::try_from(number).unwrap_or(i64::MAX));
        let (source, destination) = match seen.from {
            Side::Station => (ends.station, ends.manager),
            Side::Manager => (ends.manager, ends.station),
        };
        match self {
            Self::Name => test.text(message.name()),
            Self::Id => number(message.id().into()),
            Self::Length => number(message.length() as u64),
            Self::From => test.text(seen.from.name()),
            Self::Device => seen.device.as_deref().is_some_and(|device| test.text(device)),
            Self::Source => test.address(source),
            Self::Destination => test.address(destination),
            Self::Frame => number(seen.packets.last),
            Self::Stream => number(seen.connection.0),
            Self::Version => number(seen.version.into()),
            Self::Line => number(message.place().0.into()),
            Self::Call => number(message.place().1.into()),
            Self::Answers => seen.answers.is_some_and(|answer| number(answer.packet)),
            Self::After => seen.answers.is_some_and(|answer| {
                test.number(i64::try_from(answer.after.as_micros()).unwrap_or(i64::MAX))
            }),
            Self::Anomalies => message.anomalies().iter().any(|anomaly| test.text(&anomaly.to_string())),
            Self::Field(path) => field(path, test, seen),
        }
    }
}

/// Whether a field of that name passes. Where no field has the name, those count that end in it: `state` is `call_state`.
fn field(path: &[String], test: &Test, seen: &Seen) -> bool {
    let Some((name, parts)) = path.split_last() else { return false };
    let mut within: Vec<&'static str> = Vec::new();
    let (mut exact, mut passed, mut passed_nearly) = (false, false, false);
    fields::walk(&seen.message, &mut |row| {
        within.truncate(row.depth);
        let Some(value) = row.value else {
            within.push(row.name);
            return;
        };
        let mut outer = within.iter();
        if !parts.iter().all(|part| outer.any(|name| name == part)) {
            return;
        }
        if row.name == name {
            exact = true;
            passed |= test.value(&value);
        } else if ends_in(row.name, name) {
            passed_nearly |= test.value(&value);
        }
    });
    if exact { passed } else { passed_nearly }
}

/// `call_state` ends in `state`, `restate` does not.
pub(super) fn ends_in(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|start| start.ends_with('_'))
}

impl Test {
    fn number(&self, number: i64) -> bool {
        match self {
            Self::Present => number != 0,
            Self::Equal(operand) => operand.number == Some(number),
            Self::Less(operand) => operand.number.is_some_and(|than| number < than),
            Self::More(operand) => operand.number.is_some_and(|than| number > than),
            Self::Matches(regex) => regex.is_match(&number.to_string()),
        }
    }

    fn text(&self, text: &str) -> bool {
        match self {
            Self::Present => !text.is_empty(),
            Self::Equal(operand) => operand.is(text),
            Self::Less(_) | Self::More(_) => text.parse().is_ok_and(|number| self.number(number)),
            Self::Matches(regex) => regex.is_match(text),
        }
    }

    fn address(&self, address: SocketAddr) -> bool {
        match self {
            Self::Equal(operand) => operand.is(&address.ip().to_string()) || operand.is(&address.to_string()),
            other => other.text(&address.to_string()),
        }
    }

    fn value(&self, value: &Value<'_>) -> bool {
        match *value {
            Value::Unsigned(number) => self.number(number.into()),
            Value::Signed(number) => self.number(number.into()),
            Value::Enum { raw, name } => match self {
                Self::Equal(operand) => operand.number == Some(raw.into()) || operand.is(name),
                Self::Matches(regex) => regex.is_match(name),
                other => other.number(raw.into()),
            },
            Value::Text(bytes) => self.text(&readable(bytes)),
            Value::Address(address) => match self {
                Self::Present => !address.is_unspecified(),
                other => other.text(&address.to_string()),
            },
            Value::Bytes(bytes) => match self {
                Self::Present => bytes.iter().any(|byte| *byte != 0),
                other => other.text(&value.to_string()),
            },
        }
    }
}

impl Operand {
    fn is(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }
}
