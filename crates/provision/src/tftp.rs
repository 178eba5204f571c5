//! The Trivial File Transfer Protocol, reading only: RFC 1350 with the options of RFC 2347 (negotiation), 2348
//! (`blksize`) and 2349 (`timeout`, `tsize`).
//!
//! Both roles are state machines of the house's kind: `handle(now, input)`, then `poll_output()` until it is
//! empty, then sleep until `poll_timeout()`. `now` is the time since an origin that the driver chooses; it never
//! goes back. Nothing here knows a socket: [`Server`] names the transfer whose socket an output belongs to,
//! [`Fetch`] has one socket.
//!
//! What differs from the letter of the RFCs, and why:
//! - An acknowledgement that was seen before is ignored by the sender, who repeats data only when its time is up.
//!   Otherwise one delayed packet doubles all that follow (RFC 1123, 4.2.3.1, the "sorcerer's apprentice").
//! - Block numbers go on from 65,535 to 0, so that a file of any size fits.
//! - `netascii` converts line ends on the way out; a phone never asks for it.

mod fetch;
mod packet;
mod server;
mod transfer;

pub use fetch::{Fetch, FetchError, FetchInput, FetchOptions, FetchOutput};
pub use packet::{ErrorCode, Malformed, Mode, Packet, Request, TransferOptions};
pub use server::{Answer, Input, Limits, Output, Refusal, Server, TransferId};
pub use transfer::{Outcome, Report};

/// Length of a data block where no other was agreed.
pub const DEFAULT_BLOCK: u16 = 512;
/// Shortest block that can be agreed.
pub const MIN_BLOCK: u16 = 8;
/// Longest block that can be agreed.
pub const MAX_BLOCK: u16 = 65_464;
