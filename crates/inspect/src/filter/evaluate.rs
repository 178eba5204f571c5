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
    fields, ss7,
    summary::readable,
};

/// What the protocol of the phones is called where both are asked about.
pub(super) const SKINNY: &str = "skinny";

impl Node {
    /// With the answer to each test of the message in question.
    pub(super) fn takes(&self, is: &dyn Fn(&Subject, &Test) -> bool) -> bool {
        match self {
            Self::Either(one, other) => one.takes(is) || other.takes(is),
            Self::Both(one, other) => one.takes(is) && other.takes(is),
            Self::Not(node) => !node.takes(is),
            Self::Is(subject, test) => is(subject, test),
        }
    }
}

impl Subject {
    pub(super) fn is(&self, test: &Test, seen: &Seen, ends: &Opened) -> bool {
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
            Self::Protocol => test.text(SKINNY),
            Self::Opc | Self::Dpc => false,
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

    pub(super) fn is_in_ss7(&self, test: &Test, message: &ss7::Message) -> bool {
        let number = |number: u64| test.number(i64::try_from(number).unwrap_or(i64::MAX));
        match self {
            Self::Name => test.text(message.name),
            Self::Id => number(message.id.into()),
            Self::Length => number(message.length as u64),
            Self::Source => message.ends.is_some_and(|(source, _)| test.address(source)),
            Self::Destination => message.ends.is_some_and(|(_, destination)| test.address(destination)),
            Self::Protocol => test.text(ss7::PROTOCOL),
            Self::Opc => message.label.is_some_and(|label| number(label.opc.into())),
            Self::Dpc => message.label.is_some_and(|label| number(label.dpc.into())),
            Self::Frame => number(message.stamp.number),
            Self::Anomalies => message.anomalies.iter().any(|anomaly| test.text(anomaly)),
            Self::Field(path) => field_of_ss7(path, test, message),
            Self::From
            | Self::Device
            | Self::Stream
            | Self::Version
            | Self::Line
            | Self::Call
            | Self::Answers
            | Self::After => false,
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

/// The same for the fields of SS7.
fn field_of_ss7(path: &[String], test: &Test, message: &ss7::Message) -> bool {
    let (mut exact, mut passed, mut passed_nearly) = (false, false, false);
    let Some((name, parts)) = path.split_last() else { return false };
    let mut visit = |within: &[&str], field: &ss7::Field| {
        let mut outer = within.iter();
        if !parts.iter().all(|part| outer.any(|name| name == part)) {
            return;
        }
        if field.name == name {
            exact = true;
            passed |= test.value_of_ss7(&field.value);
        } else if ends_in(field.name, name) {
            passed_nearly |= test.value_of_ss7(&field.value);
        }
    };
    walk(&message.fields, &mut Vec::new(), &mut visit);
    if exact { passed } else { passed_nearly }
}

/// Shows each field with the names of those that it is in.
fn walk(fields: &[ss7::Field], within: &mut Vec<&'static str>, visit: &mut dyn FnMut(&[&str], &ss7::Field)) {
    for field in fields {
        visit(within, field);
        if let ss7::Value::Parts(parts) = &field.value {
            within.push(field.name);
            walk(parts, within, visit);
            within.pop();
        }
    }
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

    fn value_of_ss7(&self, value: &ss7::Value) -> bool {
        match value {
            ss7::Value::Number(number) => self.number(i64::try_from(*number).unwrap_or(i64::MAX)),
            ss7::Value::Named(raw, name) => {
                let number = i64::try_from(*raw).unwrap_or(i64::MAX);
                match self {
                    Self::Equal(operand) => operand.number == Some(number) || operand.is(name),
                    Self::Matches(regex) => regex.is_match(name),
                    other => other.number(number),
                }
            }
            // Digits are compared as they are written: zeros in front count.
            ss7::Value::Text(text) => self.text(text),
            ss7::Value::Bytes(bytes) => match self {
                Self::Present => !bytes.is_empty(),
                other => other.text(&ss7::hex(bytes)),
            },
            ss7::Value::Flag(flag) => match self {
                Self::Present => *flag,
                other => other.text(if *flag { "true" } else { "false" }),
            },
            ss7::Value::Parts(parts) => matches!(self, Self::Present) && !parts.is_empty(),
        }
    }
}

impl Operand {
    fn is(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }
}
