//! Reading SCCP traffic without doing any I/O: packets, TCP streams, conversations, ladders.
//!
//! ```text
//! captured bytes ─> packet::parse ─> conversation::Tracker (with a reassembly::Reassembler inside) ─> Seen ─> ladder
//! ```

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod packet;
pub mod reassembly;
