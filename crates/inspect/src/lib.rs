//! Reading SCCP traffic without doing any I/O: packets, TCP streams, conversations, ladders.
//!
//! ```text
//! file ─> capture::Cutter ─> packet::parse ─> conversation::Tracker ─> Seen ─> summary, fields, ladder
//!                                               (with a reassembly::Reassembler inside)
//! ```
//!
//! Opening files belongs to the shell; [`packet::build`] makes packets, and [`capture::Writer`] the bytes around them.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod capture;
pub mod conversation;
pub mod fields;
pub mod filter;
pub mod guard;
pub mod ladder;
pub mod packet;
pub mod reassembly;
pub mod sctp;
pub mod sip;
pub mod ss7;
pub mod summary;
pub mod survey;
mod words;
