//! One transfer, from the side that has the file.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{net::SocketAddr, time::Duration};

use super::packet::{ErrorCode, Packet, TransferOptions};
use crate::FileName;

/// First wait for an acknowledgement; it doubles with each repetition, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// How often one packet is sent before the client counts as gone: after 1, 2, 4, 8, 8 and 8 s.
const MOST_SENDS: u32 = 6;

/// How a transfer went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Who asked.
    pub peer: SocketAddr,
    /// For what.
    pub name: FileName,
    /// How it ended.
    pub outcome: Outcome,
    /// Bytes of the file that were acknowledged.
    pub bytes: u64,
    /// Packets that had to be sent again.
    pub repeated: u32,
}

/// How a transfer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every block was acknowledged.
    Complete,
    /// Every block was sent, but nobody acknowledged the last: most often the client has it and went on.
    LastUnconfirmed,
    /// The client fell silent.
    GaveUp,
    /// The client ended it.
    Refused {
        /// Why.
        code: ErrorCode,
        /// Why, for people.
        message: String,
    },
    /// There is no such file.
    NotFound,
    /// The file's bytes were not there in time.
    Unanswered,
    /// The client asked for another file from the same port.
    Replaced,
}

/// Sends one file.
#[derive(Debug)]
pub(super) struct ReadTransfer {
    file: Arc<[u8]>,
    block_size: usize,
    /// Options to acknowledge before the first block.
    options: Option<TransferOptions>,
    /// A wait that the client asked for, which does not grow.
    asked_wait: Option<Duration>,
    /// Block on its way, from 1; 0 are the options.
    block: u64,
    sends: u32,
    deadline: Duration,
    pub(super) repeated: u32,
}

/// What became of a transfer by one event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing changes.
    Nothing,
    /// This goes out.
    Send(Vec<u8>),
    /// It ended.
    Ended(Outcome),
}

impl ReadTransfer {
    /// Begins to send `file`; the first packet is the result's second part.
    pub(super) fn new(
        now: Duration,
        file: Arc<[u8]>,
        asked: TransferOptions,
        longest_block: u16,
    ) -> (Self, Vec<u8>) {
        let block_size = asked.block_size.map(|size| size.min(longest_block));
        let size = asked.size.map(|_| u64::try_from(file.len()).unwrap_or(u64::MAX));
        let taken = TransferOptions { block_size, size, ..asked };
        let mut transfer = Self {
            file,
            block_size: taken.block().into(),
            options: (!taken.is_empty()).then_some(taken),
            asked_wait: taken.timeout.map(|seconds| Duration::from_secs(seconds.into())),
            block: u64::from(taken.is_empty()),
            sends: 0,
            deadline: now,
            repeated: 0,
        };
        let first = transfer.send(now);
        (transfer, first)
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Bytes that the client has for sure.
    pub(super) fn confirmed(&self) -> u64 {
        let sent = self.block.saturating_sub(1).saturating_mul(self.block_size as u64);
        sent.min(self.file.len() as u64)
    }

    pub(super) fn size(&self) -> u64 {
        self.file.len() as u64
    }

    pub(super) fn packet(&mut self, now: Duration, packet: &Packet<'_>) -> Step {
        match packet {
            // Block numbers are modulo 65,536; an older one is a duplicate and says nothing new.
            Packet::Ack { block } if u64::from(*block) == self.block & 0xFFFF => {
                if self.block > 0 && self.is_last() {
                    return Step::Ended(Outcome::Complete);
                }
                self.block += 1;
                self.sends = 0;
                Step::Send(self.send(now))
            }
            Packet::Error { code, message } => {
                Step::Ended(Outcome::Refused { code: *code, message: message.clone() })
            }
            Packet::Ack { .. }
            | Packet::Read(_)
            | Packet::Write
            | Packet::Data { .. }
            | Packet::OptionAck(_) => Step::Nothing,
        }
    }

    /// The deadline has come.
    pub(super) fn timeout(&mut self, now: Duration) -> Step {
        if self.sends < MOST_SENDS {
            self.repeated += 1;
            return Step::Send(self.send(now));
        }
        Step::Ended(if self.block > 0 && self.is_last() { Outcome::LastUnconfirmed } else { Outcome::GaveUp })
    }

    fn send(&mut self, now: Duration) -> Vec<u8> {
        let grown = FIRST_WAIT.saturating_mul(1 << self.sends.min(8)).min(LONGEST_WAIT);
        self.deadline = now + self.asked_wait.unwrap_or(grown);
        self.sends += 1;
        match (self.block, self.options) {
            (0, Some(options)) => Packet::OptionAck(options).to_bytes(),
            _ => {
                let start = self.start().min(self.file.len());
                let end = start.saturating_add(self.block_size).min(self.file.len());
                let number = u16::try_from(self.block & 0xFFFF).unwrap_or_default();
                Packet::Data { block: number, data: &self.file[start..end] }.to_bytes()
            }
        }
    }

    /// A block that is not full ends the file; a file of whole blocks ends with an empty one.
    fn is_last(&self) -> bool {
        self.start().saturating_add(self.block_size) > self.file.len()
    }

    fn start(&self) -> usize {
        usize::try_from(self.block.saturating_sub(1))
            .map_or(usize::MAX, |index| index.saturating_mul(self.block_size))
    }
}
