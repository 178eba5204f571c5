//! The other SCCP: the Signalling Connection Control Part of SS7 (ITU-T Q.713), as far as captures carry it.
//!
//! ```text
//! Ethernet, IP ─> SCTP ─> M3UA, M2PA, M2UA ─┐
//! link types 139, 140 ─> MTP2 ─> MTP3 ──────┼─> Carried ─> (the shell decodes) ─> Message ─> filter
//! link types 141, 142 ──────────────────────┘
//! ```
//!
//! The bytes of SCCP are decoded by the shell, because the crate that knows them needs the standard library.

mod carriers;

use alloc::{string::String, vec::Vec};
use core::{fmt::Write, net::SocketAddr};

pub use carriers::{Carried, mtp2, mtp3, of_sctp, raw};

use crate::packet::Stamp;

/// What this protocol is called where messages of both are shown.
pub const PROTOCOL: &str = "ss7-sccp";

/// The routing label and its surroundings: who talks to whom (Q.704).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Originating point code.
    pub opc: u32,
    /// Destination point code.
    pub dpc: u32,
    /// Network indicator: 0 international, 2 national.
    pub network: u8,
    /// Message priority.
    pub priority: u8,
    /// Signalling link selection.
    pub sls: u8,
}

/// A decoded message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The packet that completed it.
    pub stamp: Stamp,
    /// Sender and receiver, where the network is IP.
    pub ends: Option<(SocketAddr, SocketAddr)>,
    /// Sender and receiver in SS7; `None` where the capture begins with SCCP.
    pub label: Option<Label>,
    /// The message type.
    pub id: u8,
    /// Its name: `UDT`, `XUDT`, `CR`, ...
    pub name: &'static str,
    /// Bytes that were sent, with the message type.
    pub length: usize,
    /// What was captured of them.
    pub bytes: Vec<u8>,
    /// What it says.
    pub fields: Vec<Field>,
    /// What is odd about it.
    pub anomalies: Vec<String>,
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// In snake case.
    pub name: &'static str,
    /// What it is.
    pub value: Value,
}

/// What a field says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number, a reference, a counter.
    Number(u64),
    /// A number that means something.
    Named(u64, String),
    /// Digits.
    Text(String),
    /// What is not looked into.
    Bytes(Vec<u8>),
    /// Yes or no.
    Flag(bool),
    /// A field with fields.
    Parts(Vec<Field>),
}

/// Names of messages and fields that only the decoder knows; a filter checks what it is asked against them.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary {
    /// Names of messages.
    pub names: &'static [&'static str],
    /// Names of fields.
    pub fields: &'static [&'static str],
}

/// Bytes as text.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
