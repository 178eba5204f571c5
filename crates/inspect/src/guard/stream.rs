//! One direction of a connection, cut into messages whatever the segments were.

use alloc::vec::Vec;
use core::time::Duration;

use selsius_wire::{Cut, FrameError, RawFrame, Time, cut};

/// What waits for the rest of its message.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pending: Vec<u8>,
    /// When the first byte of what waits came.
    since: Time,
    /// Nothing more can be read here: what comes goes on as it is.
    lost: bool,
}

/// A piece of the stream.
pub(super) enum Piece<'s> {
    /// A message with its bytes.
    Frame(RawFrame<'s>, &'s [u8]),
    /// No messages.
    Raw(&'s [u8]),
}

impl Stream {
    /// Takes the next bytes and gives out the messages in them. Ends early when `take` says so.
    ///
    /// # Errors
    /// What stands in the place of a length cannot be one. [`Stream::pass`] gives out everything from there on.
    pub(super) fn push(
        &mut self,
        now: Time,
        bytes: &[u8],
        limit: u32,
        mut take: impl FnMut(Piece<'_>) -> bool,
    ) -> Result<(), FrameError> {
        if self.lost {
            take(Piece::Raw(bytes));
            return Ok(());
        }
        if self.pending.is_empty() {
            // As a rule whole messages come, and nothing is copied.
            let done = cut_all(bytes, limit, &mut take);
            let used = match done {
                Ok(used) => used,
                Err((used, error)) => {
                    self.keep(now, bytes.get(used..).unwrap_or_default());
                    return Err(error);
                }
            };
            self.keep(now, bytes.get(used..).unwrap_or_default());
            return Ok(());
        }
        self.pending.extend_from_slice(bytes);
        let pending = core::mem::take(&mut self.pending);
        let (used, result) = match cut_all(&pending, limit, &mut take) {
            Ok(used) => (used, Ok(())),
            Err((used, error)) => (used, Err(error)),
        };
        self.pending = pending;
        if used > 0 {
            self.pending.drain(..used);
            self.since = now;
        }
        if self.pending.is_empty() {
            // A connection that is quiet keeps no memory.
            self.pending = Vec::new();
        }
        result
    }

    /// From here on nothing is read: what waits is given out, and what comes goes on as it is.
    pub(super) fn pass(&mut self) -> Vec<u8> {
        self.lost = true;
        core::mem::take(&mut self.pending)
    }

    /// How many bytes wait.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// When the message that waits has to be complete; `None` if none waits.
    pub(super) fn deadline(&self, most: Duration) -> Option<Time> {
        (!self.pending.is_empty() && !self.lost).then(|| self.since + most)
    }

    fn keep(&mut self, now: Time, rest: &[u8]) {
        if !rest.is_empty() {
            self.pending.extend_from_slice(rest);
            self.since = now;
        }
    }
}

/// Gives out the messages at the start of `bytes`, and says how many bytes they took.
fn cut_all(
    bytes: &[u8],
    limit: u32,
    take: &mut impl FnMut(Piece<'_>) -> bool,
) -> Result<usize, (usize, FrameError)> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(at);
        }
        match cut(rest, limit) {
            Ok(Cut::Frame { frame, consumed }) => {
                at += consumed;
                if !take(Piece::Frame(frame, rest.get(..consumed).unwrap_or_default())) {
                    return Ok(at);
                }
            }
            Ok(Cut::Need(_)) => return Ok(at),
            Err(error) => return Err((at, error)),
        }
    }
}
