//! Connections on unknown ports: SCCP or not?

use alloc::vec::Vec;

use selsius_wire::{
    Direction,
    frame::{self, Cut},
    message_info,
};

use super::half::known_header;
use crate::{packet::Stamp, reassembly::Way};

/// What was said so far on a connection that nobody knows yet.
#[derive(Debug, Default)]
pub(super) struct Probe {
    said: Vec<Said>,
    bytes: usize,
    /// Pieces that did not begin with a header, by direction.
    misses: [u8; 2],
}

/// One piece, to be read again once the connection is known.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) way: Way,
    pub(super) stamp: Stamp,
    pub(super) what: Piece,
}

#[derive(Debug)]
pub(super) enum Piece {
    Data(Vec<u8>),
    Gap(Option<u64>),
}

/// What a connection turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Not enough was said.
    Undecided,
    /// SCCP, and stations send this way.
    Sccp(Way),
    /// Something else.
    Foreign,
}

impl Probe {
    /// So much of a connection is looked at, both directions together.
    const LIMIT: usize = 8 * 1024;
    /// A direction that is seen from the middle may begin with the rest of a message, but not so often.
    const MISSES: u8 = 4;
    /// So many messages that agree are no accident; a keepalive and its answer are.
    const ENOUGH: u32 = 2;

    pub(super) fn gap(&mut self, way: Way, stamp: Stamp, missing: Option<u64>) {
        self.said.push(Said { way, stamp, what: Piece::Gap(missing) });
    }

    pub(super) fn data(&mut self, way: Way, stamp: Stamp, bytes: &[u8], handshake: bool) -> Verdict {
        let fresh = !self.said.iter().any(|said| said.way == way && matches!(said.what, Piece::Data(_)));
        if fresh && bytes.len() >= 12 && !known_header(bytes) {
            let misses = &mut self.misses[way.index()];
            *misses += 1;
            // The piece is dropped: it is the end of a message, at best.
            return if handshake || *misses >= Self::MISSES { Verdict::Foreign } else { Verdict::Undecided };
        }
        self.bytes += bytes.len();
        self.said.push(Said { way, stamp, what: Piece::Data(bytes.to_vec()) });
        if self.bytes > Self::LIMIT || self.said.len() > 64 {
            return Verdict::Foreign;
        }
        self.verdict(Self::ENOUGH)
    }

    /// The verdict when nothing more comes: one message suffices.
    pub(super) fn last_verdict(&self) -> Verdict {
        self.verdict(1)
    }

    /// What was said, in order.
    pub(super) fn into_said(self) -> Vec<Said> {
        self.said
    }

    fn verdict(&self, enough: u32) -> Verdict {
        let mut frames = 0;
        let mut stations = [false; 2];
        for way in [Way::Forward, Way::Backward] {
            let said = self.said.iter().filter(|said| said.way == way);
            let bytes: Vec<u8> = said
                .filter_map(|said| match &said.what {
                    Piece::Data(bytes) => Some(bytes.as_slice()),
                    Piece::Gap(_) => None,
                })
                .collect::<Vec<_>>()
                .concat();
            let mut rest = bytes.as_slice();
            while rest.len() >= 12 {
                if !known_header(rest) {
                    return Verdict::Foreign;
                }
                let Ok(Cut::Frame { frame, consumed }) = frame::cut(rest, frame::DEFAULT_LIMIT) else {
                    break;
                };
                frames += 1;
                match message_info(frame.id).map(|info| info.direction) {
                    Some(Direction::StationToManager) => stations[way.index()] = true,
                    Some(Direction::ManagerToStation) => stations[way.reverse().index()] = true,
                    _ => {}
                }
                rest = &rest[consumed..];
            }
        }
        match (stations, frames >= enough) {
            ([true, true], _) => Verdict::Foreign,
            ([true, false], true) => Verdict::Sccp(Way::Forward),
            ([false, true], true) => Verdict::Sccp(Way::Backward),
            _ => Verdict::Undecided,
        }
    }
}
