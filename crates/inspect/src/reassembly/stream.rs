//! One direction of a TCP connection: segments in any order in, the bytes in order out.

use alloc::{collections::BTreeMap, vec::Vec};

use selsius_wire::Time;

use crate::packet::Stamp;

/// What a held segment costs beside its bytes, so that a flood of tiny segments is bounded too.
const HELD_OVERHEAD: usize = 96;
/// Data this far behind the expected byte is no retransmission; see [`Stream::MISFITS`].
const FAR: u64 = 1 << 24;

/// Position of the first byte: retransmissions from before it have a position too.
const FIRST: u64 = FAR;

/// In order, or the reason why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// The next bytes, and the packet that brought them.
    Data(Stamp, &'a [u8]),
    /// So many bytes were never seen; `None` if nobody knows how many.
    Gap(Stamp, Option<u64>),
}

/// One direction. Positions count bytes, the first one after the SYN (or the first one seen) is at [`FIRST`]; they do
/// not wrap.
#[derive(Debug, Default)]
pub(super) struct Stream {
    started: bool,
    /// Sequence number and position of the next byte to give out.
    next_sequence: u32,
    next: u64,
    /// Where the FIN stands.
    end: Option<u64>,
    /// Beyond a hole, by position; never overlapping, never adjacent to `next`.
    held: BTreeMap<u64, (Stamp, Vec<u8>)>,
    held_cost: usize,
    /// Since when bytes are missing.
    hole: Option<Time>,
    misfits: u8,
}

impl Stream {
    /// So many data segments in a row far outside of the stream mean that another one runs here, whose beginning the
    /// capture lost. (One alone is a stray, or forged.)
    const MISFITS: u8 = 3;

    /// The first sequence number is known from the SYN. `false`: it contradicts what was seen before, so this is
    /// another connection between the same two ports.
    pub(super) fn syn(&mut self, sequence: u32) -> bool {
        let first = sequence.wrapping_add(1);
        if self.started {
            // The same SYN once more, or late.
            return low_half(self.next - FIRST) == self.next_sequence.wrapping_sub(first);
        }
        self.start(first);
        true
    }

    /// Whether `sequence` can belong to this stream.
    pub(super) fn plausible(&self, sequence: u32) -> bool {
        !self.started || self.position(sequence).is_some()
    }

    pub(super) fn finished(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }

    /// What the held segments cost, in bytes.
    pub(super) fn held_cost(&self) -> usize {
        self.held_cost
    }

    /// Since when bytes are missing.
    pub(super) fn hole_since(&self) -> Option<Time> {
        self.hole
    }

    /// Takes a segment's payload; `cut_off` further bytes of it were not captured.
    pub(super) fn segment(
        &mut self,
        stamp: Stamp,
        sequence: u32,
        payload: &[u8],
        cut_off: u32,
        fin: bool,
        out: &mut dyn FnMut(Piece<'_>),
    ) {
        let length = payload.len() as u64 + u64::from(cut_off);
        if !self.started {
            if length == 0 && !fin {
                return;
            }
            self.start(sequence);
            out(Piece::Gap(stamp, None));
        }
        let Some(begin) = self.position(sequence) else {
            self.misfit(stamp, sequence, payload, cut_off, out);
            return;
        };
        if length > 0 {
            self.misfits = 0;
        }
        if fin {
            self.end.get_or_insert(begin + length);
        }
        let payload = self.before_end(begin, payload);
        if begin <= self.next && self.held.is_empty() {
            // By far the most segments end here.
            let seen = usize::try_from(self.next - begin).unwrap_or(usize::MAX);
            if let Some(fresh) = payload.get(seen..)
                && !fresh.is_empty()
            {
                self.give(stamp, fresh, out);
            }
        } else {
            self.hold(begin, stamp, payload);
            self.drain(out);
        }
    }

    /// The other side has acknowledged everything before `sequence`: holes there are losses of the capture, not of the
    /// network, and nothing will fill them. (An acknowledgment that was captured before its data has no hole to meet.)
    pub(super) fn acknowledge(&mut self, sequence: u32, out: &mut dyn FnMut(Piece<'_>)) {
        if self.held.is_empty() {
            return;
        }
        let Some(position) = self.position(sequence) else { return };
        while self.held.first_key_value().is_some_and(|(&first, _)| first <= position) {
            self.give_up(out);
        }
    }

    /// Steps over the first hole, if there is one.
    pub(super) fn give_up(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        let Some((&first, &(stamp, _))) = self.held.first_key_value() else { return };
        let missing = first - self.next;
        self.advance(missing);
        out(Piece::Gap(stamp, Some(missing)));
        self.drain(out);
    }

    /// Gives out everything that is held.
    pub(super) fn flush(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        while !self.held.is_empty() {
            self.give_up(out);
        }
    }

    fn start(&mut self, sequence: u32) {
        *self = Self { started: true, next_sequence: sequence, next: FIRST, ..Self::default() };
    }

    /// `None`: too far away to belong to this stream.
    fn position(&self, sequence: u32) -> Option<u64> {
        let ahead = u64::from(sequence.wrapping_sub(self.next_sequence));
        let behind = u64::from(self.next_sequence.wrapping_sub(sequence));
        match (ahead < FAR, behind < FAR) {
            (true, _) => Some(self.next + ahead),
            (_, true) => Some(self.next - behind),
            _ => None,
        }
    }

    fn misfit(
        &mut self,
        stamp: Stamp,
        sequence: u32,
        payload: &[u8],
        cut_off: u32,
        out: &mut dyn FnMut(Piece<'_>),
    ) {
        if payload.is_empty() {
            return;
        }
        self.misfits += 1;
        if self.misfits < Self::MISFITS {
            return;
        }
        self.flush(out);
        self.start(sequence);
        out(Piece::Gap(stamp, None));
        self.segment(stamp, sequence, payload, cut_off, false, out);
    }

    /// The part of `payload` before the FIN.
    fn before_end<'a>(&self, begin: u64, payload: &'a [u8]) -> &'a [u8] {
        let Some(end) = self.end else { return payload };
        let room = usize::try_from(end.saturating_sub(begin)).unwrap_or(usize::MAX);
        &payload[..payload.len().min(room)]
    }

    /// Keeps those parts of a segment that nobody brought before: the first data wins.
    fn hold(&mut self, begin: u64, stamp: Stamp, payload: &[u8]) {
        let end = begin + payload.len() as u64;
        let mut at = begin.max(self.next);
        // The segment that begins before `at` may reach into it.
        if let Some((&position, (_, bytes))) = self.held.range(..=at).next_back() {
            at = at.max(position + bytes.len() as u64);
        }
        while at < end {
            let following =
                self.held.range(at..).next().map(|(&position, (_, bytes))| (position, bytes.len() as u64));
            let until = following.map_or(end, |(position, _)| position.min(end));
            if at < until {
                let part = |position: u64| usize::try_from(position - begin).expect("within the payload");
                let bytes = payload[part(at)..part(until)].to_vec();
                self.held_cost += bytes.len() + HELD_OVERHEAD;
                self.held.insert(at, (stamp, bytes));
                self.hole.get_or_insert(stamp.time);
            }
            at = following.map_or(end, |(position, length)| position + length);
        }
    }

    /// Gives out what is held and now in order.
    fn drain(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        let mut moved = false;
        while let Some(entry) = self.held.first_entry()
            && *entry.key() == self.next
        {
            let (stamp, bytes) = entry.remove();
            self.held_cost -= bytes.len() + HELD_OVERHEAD;
            self.give(stamp, &bytes, out);
            moved = true;
        }
        match self.held.first_key_value() {
            None => self.hole = None,
            Some((_, (stamp, _))) if moved => self.hole = Some(stamp.time),
            Some(_) => {}
        }
    }

    fn give(&mut self, stamp: Stamp, bytes: &[u8], out: &mut dyn FnMut(Piece<'_>)) {
        self.advance(bytes.len() as u64);
        out(Piece::Data(stamp, bytes));
    }

    /// The low 32 bits move with the position; that is what wrap-around means.
    fn advance(&mut self, bytes: u64) {
        self.next += bytes;
        self.next_sequence = self.next_sequence.wrapping_add(low_half(bytes));
    }
}

fn low_half(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
