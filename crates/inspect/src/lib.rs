//! Reading SCCP traffic without doing any I/O: packets, TCP streams, conversations, ladders.
//!
//! ```text
//! captured bytes ─> packet::parse ─> conversation::Tracker ─> Seen ─> summary, ladder
//!                                      (with a reassembly::Reassembler inside)
//! ```
//!
//! Reading and writing capture files belongs to the shell; [`packet::build`] makes the packets for it to write.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod conversation;
pub mod ladder;
pub mod packet;
pub mod reassembly;
pub mod summary;
mod words;
