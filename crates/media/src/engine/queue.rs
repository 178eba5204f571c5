//! What the engine wants to have done, until it is asked for.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::ops::Range;

use super::{BridgeId, Event, Output, PartyId, Port};
use crate::{RtpHeader, RtpPacket};

/// Bytes of packets that may wait. Whoever asks after each input never has so many: all listeners of a large conference
/// come to a tenth.
const MOST: usize = 1 << 20;

/// Outputs in their order. Packets lie one behind the other in one piece of memory, which is used again as soon as all of
/// them were taken: a packet costs no allocation.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    bytes: Vec<u8>,
    samples: Vec<i16>,
    /// Packets given up because nobody asked.
    pub(super) dropped: u64,
}

#[derive(Debug)]
enum Entry {
    Packet { party: PartyId, to: SocketAddr, port: Port, bytes: Range<usize> },
    Sound { party: PartyId, said: Range<usize>, heard: Range<usize> },
    Event { party: PartyId, event: Event },
    Talker { bridge: BridgeId, party: Option<PartyId> },
}

impl Queue {
    pub(super) fn rtp(&mut self, party: PartyId, to: SocketAddr, header: RtpHeader, payload: &[u8]) {
        self.packet(party, to, Port::Media, |bytes| RtpPacket::new(header, payload).write(bytes));
    }

    pub(super) fn packet(
        &mut self,
        party: PartyId,
        to: SocketAddr,
        port: Port,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.reuse();
        if self.bytes.len() > MOST {
            self.dropped += 1;
            return;
        }
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.entries.push_back(Entry::Packet { party, to, port, bytes: start..self.bytes.len() });
    }

    pub(super) fn sound(&mut self, party: PartyId, said: &[i16], heard: &[i16]) {
        self.reuse();
        if self.samples.len() > MOST {
            self.dropped += 1;
            return;
        }
        let start = self.samples.len();
        self.samples.extend_from_slice(said);
        let middle = self.samples.len();
        self.samples.extend_from_slice(heard);
        let end = self.samples.len();
        self.entries.push_back(Entry::Sound { party, said: start..middle, heard: middle..end });
    }

    pub(super) fn event(&mut self, party: PartyId, event: Event) {
        self.bounded(Entry::Event { party, event });
    }

    pub(super) fn talker(&mut self, bridge: BridgeId, party: Option<PartyId>) {
        self.bounded(Entry::Talker { bridge, party });
    }

    fn bounded(&mut self, entry: Entry) {
        self.reuse();
        if self.entries.len() > MOST / 64 {
            self.dropped += 1;
        } else {
            self.entries.push_back(entry);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Output<'_>> {
        Some(match self.entries.pop_front()? {
            Entry::Packet { party, to, port, bytes } => {
                Output::Packet { party, to, port, bytes: self.bytes.get(bytes).unwrap_or_default() }
            }
            Entry::Sound { party, said, heard } => Output::Sound {
                party,
                said: self.samples.get(said).unwrap_or_default(),
                heard: self.samples.get(heard).unwrap_or_default(),
            },
            Entry::Event { party, event } => Output::Event { party, event },
            Entry::Talker { bridge, party } => Output::Talker { bridge, party },
        })
    }

    fn reuse(&mut self) {
        if self.entries.is_empty() {
            self.bytes.clear();
            self.samples.clear();
        }
    }
}
