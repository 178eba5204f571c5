//! One direction of a conversation: bytes cut into frames, and found again after a loss.

use alloc::{collections::VecDeque, vec::Vec};

use selsius_wire::{
    frame::{self, Cut, RawFrame},
    message_info,
};

use super::{Packets, TroubleKind};
use crate::packet::Stamp;

/// Length, header version, message id.
const HEADER: usize = 12;
/// Above any header version known (22); a number in its place that is larger means that this is no header.
const HIGHEST_VERSION: u32 = 64;

/// What the bytes of a direction turned out to be.
#[derive(Debug)]
pub(super) enum Found<'a> {
    Frame(RawFrame<'a>, Packets, Stamp),
    Trouble(Stamp, TroubleKind),
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// What is not yet a frame: less than one while in step, less than [`Self::KEPT`] while searching.
    pending: Vec<u8>,
    /// At which place in `pending` which packet begins.
    marks: VecDeque<(usize, Stamp)>,
    /// Bytes passed over since the frame boundaries were lost; `None` while in step.
    searching: Option<u64>,
    last: Stamp,
}

impl Half {
    /// While searching, so much is looked at again with the next segment: one frame and the header after it.
    const KEPT: usize = frame::DEFAULT_LIMIT as usize + 8 + HEADER;

    /// The next bytes.
    pub(super) fn data(&mut self, stamp: Stamp, bytes: &[u8], out: &mut dyn FnMut(Found<'_>)) {
        // Segments that waited behind a hole come with the time of their capture, which is before that of the hole's.
        self.last = self.last.max(stamp);
        if self.pending.is_empty() {
            self.marks.clear();
        }
        if self.pending.is_empty() && self.searching.is_none() {
            // By far the most segments begin and end with a frame.
            self.marks.push_back((0, stamp));
            let used = self.cut(bytes, out);
            self.pending.extend_from_slice(&bytes[used..]);
        } else {
            self.marks.push_back((self.pending.len(), stamp));
            self.pending.extend_from_slice(bytes);
            let buffer = core::mem::take(&mut self.pending);
            let used = self.cut(&buffer, out);
            self.pending = buffer;
            if used == self.pending.len() {
                // Idle connections hold no memory.
                self.pending = Vec::new();
            } else {
                self.pending.drain(..used);
            }
        }
    }

    /// Bytes are missing before those that come next.
    pub(super) fn gap(&mut self, stamp: Stamp, missing: Option<u64>, out: &mut dyn FnMut(Found<'_>)) {
        self.end(stamp, out);
        out(Found::Trouble(stamp, TroubleKind::Missing(missing)));
        self.searching = Some(0);
    }

    /// No bytes follow those that came.
    pub(super) fn end(&mut self, stamp: Stamp, out: &mut dyn FnMut(Found<'_>)) {
        let rest = self.pending.len() as u64;
        match self.searching {
            None if rest > 0 => out(Found::Trouble(stamp, TroubleKind::Incomplete(rest))),
            Some(skipped) if skipped + rest > 0 => {
                out(Found::Trouble(stamp, TroubleKind::Skipped(skipped + rest)));
            }
            _ => {}
        }
        self.pending.clear();
        self.marks.clear();
        self.searching = None;
    }

    /// Bytes passed over since frames were seen last.
    pub(super) fn skipped(&self) -> u64 {
        self.searching.unwrap_or(0)
    }

    /// Gives out the frames at the start of `buffer` and returns how many bytes are done.
    fn cut(&mut self, buffer: &[u8], out: &mut dyn FnMut(Found<'_>)) -> usize {
        let mut at = 0;
        loop {
            if self.searching.is_some() {
                at = self.search(buffer, at, out);
                if self.searching.is_some() {
                    break;
                }
            }
            match frame::cut(&buffer[at..], frame::DEFAULT_LIMIT) {
                Ok(Cut::Frame { frame, consumed }) if credible(&frame) => {
                    let packets = Packets { first: self.packet_at(at), last: self.last.number };
                    out(Found::Frame(frame, packets, self.last));
                    at += consumed;
                }
                Ok(Cut::Need(_)) => break,
                Ok(Cut::Frame { frame, .. }) => self.lose(TroubleKind::NoHeader { id: frame.id }, out),
                Err(error) => self.lose(TroubleKind::Length(error), out),
            }
        }
        self.forget_marks(at);
        at
    }

    fn lose(&mut self, kind: TroubleKind, out: &mut dyn FnMut(Found<'_>)) {
        out(Found::Trouble(self.last, kind));
        self.searching = Some(0);
    }

    /// Looks for a frame boundary from `at` on; returns it, or from where to look again when more bytes are there.
    fn search(&mut self, buffer: &[u8], at: usize, out: &mut dyn FnMut(Found<'_>)) -> usize {
        let skipped = self.searching.expect("called while searching");
        let rest = &buffer[at..];
        if let Some(start) = find(rest, |place| self.marks.iter().any(|&(mark, _)| mark == at + place)) {
            let skipped = skipped + start as u64;
            self.searching = None;
            if skipped > 0 {
                out(Found::Trouble(self.last, TroubleKind::Skipped(skipped)));
            }
            return at + start;
        }
        let passed = rest.len().saturating_sub(Self::KEPT);
        self.searching = Some(skipped + passed as u64);
        at + passed
    }

    fn packet_at(&self, place: usize) -> u64 {
        let before = self.marks.iter().take_while(|&&(mark, _)| mark <= place);
        before.map(|(_, stamp)| stamp.number).last().unwrap_or(self.last.number).min(self.last.number)
    }

    /// The first `used` bytes are gone; the marks of the rest move down.
    fn forget_marks(&mut self, used: usize) {
        while self.marks.len() > 1 && self.marks[1].0 <= used {
            self.marks.pop_front();
        }
        for (mark, _) in &mut self.marks {
            *mark = mark.saturating_sub(used);
        }
    }
}

/// In step everything with a possible length is a frame, unless both version and id are absurd.
fn credible(frame: &RawFrame<'_>) -> bool {
    frame.header_version <= HIGHEST_VERSION || frame.id <= 0xffff
}

/// Whether a header of a known message stands at the start, with a length that this message can have.
pub(crate) fn known_header(bytes: &[u8]) -> bool {
    let word =
        |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
    let (Some(length), Some(version), Some(id)) = (word(0), word(4), word(8)) else { return false };
    let Some(info) = message_info(id).filter(|_| version <= HIGHEST_VERSION) else { return false };
    // Id 0 and version 0 are found wherever zeros are: in the soft key template of the 4.1 capture (frame 96), after each
    // number that could be a length. But KeepAlive has no body, and at most one word is sent where there should be none.
    let bodiless = info.modelled && info.fields.is_empty();
    let most = if bodiless { 8 } else { frame::DEFAULT_LIMIT };
    (info.min_length..=most).contains(&length)
}

/// The first place where a whole known frame stands that another known header follows. Where a segment begins, which is
/// where senders begin their frames, it is enough that nothing else follows it; and if it is not complete it is waited for.
fn find(bytes: &[u8], begins_segment: impl Fn(usize) -> bool) -> Option<usize> {
    for place in 0..bytes.len().saturating_sub(HEADER - 1) {
        let rest = &bytes[place..];
        if !known_header(rest) {
            continue;
        }
        let begins_segment = begins_segment(place);
        match frame::cut(rest, frame::DEFAULT_LIMIT) {
            Ok(Cut::Frame { consumed, .. }) => {
                let after = &rest[consumed..];
                if known_header(after) || after.is_empty() && begins_segment {
                    return Some(place);
                }
            }
            Ok(Cut::Need(_)) if begins_segment => return None,
            Ok(Cut::Need(_)) | Err(_) => {}
        }
    }
    None
}
