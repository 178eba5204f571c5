//! Writes the packets of chosen messages to a file of their own.

use std::{
    collections::{BTreeSet, VecDeque},
    fs::File,
    io::{BufWriter, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use selsius_inspect::{
    capture::{Packet, Writer},
    conversation::{Opened, Seen},
    packet::Segment,
};
use selsius_wire::Time;

/// Packets wait for the message that they are part of; no longer than so many of them, with so many bytes.
const MOST_HELD: usize = 4_096;
const MOST_BYTES: usize = 8 << 20;

/// The file, and the packets that may go there.
pub(super) struct Keeper {
    path: PathBuf,
    file: BufWriter<File>,
    writer: Writer,
    held: VecDeque<Held>,
    bytes: usize,
    /// Where the media goes that is wanted too.
    media: BTreeSet<SocketAddr>,
    scratch: Vec<u8>,
}

struct Held {
    number: u64,
    between: [SocketAddr; 2],
    time: Time,
    link: u32,
    original: u32,
    /// Empty once it is written.
    bytes: Vec<u8>,
}

impl Keeper {
    pub(super) fn create(path: &Path, media: Option<BTreeSet<SocketAddr>>) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            path: path.into(),
            file: BufWriter::new(file),
            writer: Writer::default(),
            held: VecDeque::new(),
            bytes: 0,
            media: media.unwrap_or_default(),
            scratch: Vec::new(),
        })
    }

    /// Remembers a packet for a while.
    pub(super) fn hold(&mut self, number: u64, packet: &Packet<'_>, segment: &Segment<'_>) {
        if segment.payload.is_empty() {
            return;
        }
        self.bytes += packet.bytes.len();
        self.held.push_back(Held {
            number,
            between: [segment.source, segment.destination],
            time: packet.time,
            link: packet.link,
            original: packet.original,
            bytes: packet.bytes.to_vec(),
        });
        while self.held.len() > MOST_HELD || self.bytes > MOST_BYTES {
            let Some(oldest) = self.held.pop_front() else { break };
            self.bytes -= oldest.bytes.len();
        }
    }

    /// Writes the packets of a message.
    pub(super) fn keep(&mut self, seen: &Seen, ends: &Opened) -> Result<()> {
        let wanted = seen.packets.first..=seen.packets.last;
        let start = self.held.partition_point(|held| held.number < seen.packets.first);
        for held in self.held.range_mut(start..).take_while(|held| wanted.contains(&held.number)) {
            let ours = held.between.contains(&ends.station) && held.between.contains(&ends.manager);
            if !ours || held.bytes.is_empty() {
                continue;
            }
            let bytes = std::mem::take(&mut held.bytes);
            self.bytes -= bytes.len();
            let packet = Packet { time: held.time, link: held.link, bytes: &bytes, original: held.original };
            self.writer.packet(&packet, &mut self.scratch);
        }
        self.flush()
    }

    /// Writes a packet of the media, if it is wanted.
    pub(super) fn media(&mut self, packet: &Packet<'_>, to: SocketAddr) -> Result<()> {
        if !self.media.contains(&to) {
            return Ok(());
        }
        self.packet(packet)
    }

    /// Writes a packet.
    pub(super) fn packet(&mut self, packet: &Packet<'_>) -> Result<()> {
        self.writer.packet(packet, &mut self.scratch);
        self.flush()
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.writer.begin(&mut self.scratch);
        self.flush()?;
        self.file.flush().with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn flush(&mut self) -> Result<()> {
        let written = self.file.write_all(&self.scratch);
        self.scratch.clear();
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }
}
