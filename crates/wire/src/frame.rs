//! Frames: cutting a byte stream into messages.
//!
//! A frame is `u32 length | u32 header version | u32 message id | body`, little-endian; the length counts id
//! and body. Several frames share a TCP segment (10 seen), one frame spans several, and even a header can be
//! split.

use alloc::vec::Vec;

/// Bytes of length and header version.
pub(crate) const PREFIX: usize = 8;
/// Bytes up to the body.
const HEADER: usize = 12;
/// The least value of the length field: the message id alone.
const LEAST_LENGTH: u32 = 4;

/// The longest message that is taken unless told otherwise, as a value of the length field. The longest known
/// ones are AuditConferenceRes (2444) and LocationInfo (2405); other managers cap at 2000 to 3072.
pub const DEFAULT_LIMIT: u32 = 4096;

/// One message as it is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawFrame<'a> {
    /// 0 in old managers, the protocol version in newer ones; 0 occurs in sessions of every version.
    pub header_version: u32,
    /// The message id.
    pub id: u32,
    /// What follows the id.
    pub body: &'a [u8],
}

impl RawFrame<'_> {
    /// The value of the length field: id and body.
    pub const fn length(&self) -> usize {
        self.body.len() + (HEADER - PREFIX)
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = begin(out, self.header_version, self.id);
        out.extend_from_slice(self.body);
        finish(out, start);
    }
}

/// Appends a header whose length is not known yet; returns where the frame begins.
pub(crate) fn begin(out: &mut Vec<u8>, header_version: u32, id: u32) -> usize {
    let start = out.len();
    let [v0, v1, v2, v3] = header_version.to_le_bytes();
    let [i0, i1, i2, i3] = id.to_le_bytes();
    out.extend_from_slice(&[0, 0, 0, 0, v0, v1, v2, v3, i0, i1, i2, i3]);
    start
}

/// Where the body of the frame that begins at `start` begins.
pub(crate) const fn body_start(start: usize) -> usize {
    start + HEADER
}

/// Fills in the length of the frame that begins at `start` and ends with the buffer.
pub(crate) fn finish(out: &mut [u8], start: usize) {
    let length = u32::try_from(out.len().saturating_sub(start + PREFIX)).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
        *field = length.to_le_bytes();
    }
}

/// What [`cut`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut<'a> {
    /// The frame is not complete: at least so many bytes are missing.
    Need(usize),
    /// A frame, and how many bytes it took.
    Frame {
        /// The frame.
        frame: RawFrame<'a>,
        /// Bytes from its first to its last.
        consumed: usize,
    },
}

/// A length field that no frame has. The stream cannot be followed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A message has an id at least.
    #[error("length {0} is below 4")]
    LengthTooShort(u32),
    /// Longer than any message.
    #[error("length {length} exceeds {limit}")]
    LengthTooLong {
        /// The length field.
        length: u32,
        /// The limit.
        limit: u32,
    },
}

/// Cuts the first frame off `bytes`. Tells "need more" from "absurd" as soon as the four bytes of the length
/// are there.
///
/// # Errors
/// When the length is below 4 or above `limit`.
#[inline]
pub fn cut(bytes: &[u8], limit: u32) -> Result<Cut<'_>, FrameError> {
    let Some(length) = bytes.first_chunk() else {
        return Ok(Cut::Need(HEADER - bytes.len()));
    };
    let length = u32::from_le_bytes(*length);
    if length < LEAST_LENGTH {
        return Err(FrameError::LengthTooShort(length));
    }
    let Some(total) = usize::try_from(length).ok().filter(|_| length <= limit).map(|length| length + PREFIX)
    else {
        return Err(FrameError::LengthTooLong { length, limit });
    };
    let Some((frame, _)) = bytes.split_at_checked(total) else {
        return Ok(Cut::Need(total - bytes.len()));
    };
    let [_, _, _, _, v0, v1, v2, v3, i0, i1, i2, i3, body @ ..] = frame else {
        return Ok(Cut::Need(HEADER - frame.len()));
    };
    let header_version = u32::from_le_bytes([*v0, *v1, *v2, *v3]);
    let id = u32::from_le_bytes([*i0, *i1, *i2, *i3]);
    Ok(Cut::Frame { frame: RawFrame { header_version, id, body }, consumed: total })
}

/// Cuts a byte stream that arrives in pieces; keeps what is not complete yet.
///
/// After an error the stream cannot be followed: drop the connection.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Bytes of `buffer` that were given out already.
    taken: usize,
    limit: u32,
}

impl Default for Framer {
    fn default() -> Self {
        Self::new()
    }
}

impl Framer {
    /// Takes messages up to [`DEFAULT_LIMIT`].
    pub const fn new() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }

    /// Takes messages whose length field is at most `limit`.
    pub const fn with_limit(limit: u32) -> Self {
        Self { buffer: Vec::new(), taken: 0, limit }
    }

    /// Adds what arrived. Take all frames out with [`Framer::next`] before feeding more: then at most one
    /// incomplete frame is kept.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.settle();
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete frame; `None` until more arrives.
    ///
    /// # Errors
    /// As [`cut`].
    #[allow(
        clippy::should_implement_trait,
        reason = "the frame borrows from the framer, which no iterator can say"
    )]
    pub fn next(&mut self) -> Result<Option<RawFrame<'_>>, FrameError> {
        let start = self.taken;
        match cut(self.buffer.get(start..).unwrap_or_default(), self.limit)? {
            Cut::Frame { consumed, .. } => {
                self.taken = start + consumed;
                // Cut again, so that the borrow begins after `taken` was moved.
                match cut(self.buffer.get(start..).unwrap_or_default(), self.limit)? {
                    Cut::Frame { frame, .. } => Ok(Some(frame)),
                    Cut::Need(_) => Ok(None),
                }
            }
            Cut::Need(_) => {
                self.settle();
                Ok(None)
            }
        }
    }

    /// Bytes of an incomplete frame that are kept.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.taken
    }

    /// Forgets what was given out; an idle connection keeps no memory.
    fn settle(&mut self) {
        if self.taken == self.buffer.len() {
            self.buffer = Vec::new();
        } else {
            self.buffer.drain(..self.taken);
        }
        self.taken = 0;
    }
}
