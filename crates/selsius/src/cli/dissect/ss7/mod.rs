//! The other SCCP, that of SS7 (ITU-T Q.713): from a packet to its decoded messages, and how they are written.

mod decode;
pub(super) mod names;
mod party;

use std::{fmt::Write as _, net::SocketAddr};

use selsius_inspect::{
    capture::Packet,
    fields::json_text,
    packet::Stamp,
    sctp::{self, Assembler},
    ss7::{Carried, Field, Message, Value, Vocabulary, hex, of_sctp},
};

/// What a filter may ask about.
pub(super) const VOCABULARY: Vocabulary = Vocabulary { names: &names::MESSAGES, fields: &names::FIELDS };

/// Finds the messages in packets.
#[derive(Default)]
pub(super) struct Ss7 {
    assembler: Assembler,
    /// Messages that were found.
    pub(super) messages: u64,
}

impl Ss7 {
    /// The messages in an SCTP packet.
    pub(super) fn sctp(&mut self, stamp: Stamp, packet: &sctp::Packet<'_>) -> Vec<Message> {
        let ports = (packet.source_port, packet.destination_port);
        let ends = packet.addresses.map(|(source, destination)| {
            (SocketAddr::new(source, ports.0), SocketAddr::new(destination, ports.1))
        });
        let mut found = Vec::new();
        for data in packet.data() {
            let Some(whole) = self.assembler.take(packet, &data) else { continue };
            if let Some(carried) = of_sctp(whole.protocol, ports, &whole.payload, whole.cut) {
                found.push(message(stamp, ends, &carried));
            }
        }
        self.messages += found.len() as u64;
        found
    }

    /// The message that a packet is.
    pub(super) fn unit(&mut self, stamp: Stamp, packet: &Packet<'_>, carried: &Carried<'_>) -> Message {
        self.messages += 1;
        // The length of MTP2 says it better than that of the packet, which may have a check sum at its end.
        let missing =
            usize::try_from(packet.original).unwrap_or(usize::MAX).saturating_sub(packet.bytes.len());
        let cut = if carried.cut > 0 { carried.cut } else { missing };
        message(stamp, None, &Carried { cut, ..*carried })
    }

    /// Parts of messages that never became whole.
    pub(super) fn incomplete(&self) -> u64 {
        self.assembler.incomplete()
    }
}

fn message(stamp: Stamp, ends: Option<(SocketAddr, SocketAddr)>, carried: &Carried<'_>) -> Message {
    let Carried { label, sccp, cut } = *carried;
    let mut decoded = decode::decode(sccp);
    if cut > 0 {
        decoded.anomalies.push(format!("{cut} bytes were not captured"));
    } else if !decoded.whole {
        decoded.anomalies.push(format!("ends too early, after {} bytes", sccp.len()));
    }
    Message {
        stamp,
        ends,
        label,
        id: sccp.first().copied().unwrap_or_default(),
        name: decoded.name,
        length: sccp.len() + cut,
        bytes: sccp.to_vec(),
        fields: decoded.fields,
        anomalies: decoded.anomalies,
    }
}

/// What a message says, in short: who is called by whom, and why.
pub(super) fn details(message: &Message) -> String {
    let mut text = String::new();
    for field in &message.fields {
        let before = text.len();
        let _ = match (field.name, &field.value) {
            ("called" | "calling", Value::Parts(parts)) => write!(text, "{} {}", field.name, party(parts)),
            ("destination_reference", Value::Number(number)) => write!(text, "to reference {number:#08x}"),
            ("source_reference", Value::Number(number)) => write!(text, "from reference {number:#08x}"),
            ("class", Value::Number(number)) => write!(text, "class {number}"),
            ("hop_counter", Value::Number(number)) => write!(text, "{number} hops left"),
            ("data_length", Value::Number(number)) => write!(text, "{number} bytes"),
            ("segmentation", Value::Parts(parts)) => {
                write!(
                    text,
                    "segment of {}, {} follow",
                    number(parts, "reference"),
                    number(parts, "remaining")
                )
            }
            (_, Value::Named(_, name)) => write!(text, "{name}"),
            ("more_data", Value::Flag(true)) => write!(text, "more follows"),
            _ => Ok(()),
        };
        if text.len() > before && before > 0 {
            text.insert_str(before, ", ");
        }
    }
    text
}

fn number(parts: &[Field], name: &str) -> String {
    find(parts, name).map(show).unwrap_or_default()
}

/// An address in short: digits before numbers.
fn party(parts: &[Field]) -> String {
    let mut words = Vec::new();
    if let Some(Value::Parts(title)) = find(parts, "global_title") {
        words.extend(find(title, "digits").map(show));
    }
    words.extend(find(parts, "point_code").map(|code| format!("pc {}", show(code))));
    words.extend(find(parts, "ssn").map(|ssn| match find(parts, "subsystem") {
        Some(name) => format!("ssn {} ({})", show(ssn), show(name)),
        None => format!("ssn {}", show(ssn)),
    }));
    words.extend(find(parts, "address").map(show));
    if words.is_empty() { "nobody".into() } else { words.join(" ") }
}

fn find<'f>(fields: &'f [Field], name: &str) -> Option<&'f Value> {
    fields.iter().find(|field| field.name == name).map(|field| &field.value)
}

/// A value for people.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Named(raw, name) => format!("{name} ({raw})"),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => hex(bytes),
        Value::Flag(flag) => if *flag { "yes" } else { "no" }.into(),
        Value::Parts(_) => String::new(),
    }
}

/// Fields as a JSON object.
pub(super) fn json(fields: &[Field], out: &mut String) {
    out.push('{');
    for (index, field) in fields.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(out, "{comma}\"{}\":", field.name);
        match &field.value {
            Value::Number(number) => {
                let _ = write!(out, "{number}");
            }
            Value::Flag(flag) => {
                let _ = write!(out, "{flag}");
            }
            Value::Named(_, text) | Value::Text(text) => json_text(text, out),
            Value::Bytes(bytes) => json_text(&hex(bytes), out),
            Value::Parts(parts) => json(parts, out),
        }
    }
    out.push('}');
}
