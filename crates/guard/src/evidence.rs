//! What a connection has said up to the moment at which something was found in it, as a capture file that any dissector reads.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use selsius_inspect::{
    capture::{Packet, Writer},
    conversation::Side,
    guard::{Ends, Finding},
    packet::build::TcpFlow,
    reassembly::Way,
};
use selsius_wire::Time;

/// Where captures are kept, and how many.
#[derive(Debug)]
pub struct Evidence {
    folder: PathBuf,
    left: u32,
    lost: u64,
}

/// What a connection has said lately.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pieces: VecDeque<(Timestamp, Side, Vec<u8>)>,
    bytes: usize,
    /// Pieces were forgotten, so that it does not begin with the connection's beginning.
    is_cut: bool,
    written: bool,
}

/// Bytes of a connection that are remembered.
const REMEMBERED: usize = 16 * 1024;
/// Captures that one run of the guard writes: the flood that a guard is to stop must not fill the disk.
const MOST_FILES: u32 = 1000;
/// The link type of Ethernet.
const ETHERNET: u32 = 1;

impl Evidence {
    /// Keeps captures in this folder, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.into(), left: MOST_FILES, lost: 0 })
    }

    /// Writes what a connection has said, once.
    pub(crate) fn keep(&mut self, said: &mut Said, ends: &Ends, finding: &Finding, at: Timestamp) {
        if said.written || self.left == 0 {
            return;
        }
        said.written = true;
        self.left -= 1;
        let number = finding.connection.map_or(0, |id| id.0);
        let name = format!("{}-{number}-{}.pcapng", at.strftime("%Y%m%dT%H%M%SZ"), finding.kind);
        let path = self.folder.join(name);
        if let Err(error) = fs::write(&path, capture(said, ends)) {
            self.lost += 1;
            tracing::error!(file = %path.display(), %error, "evidence cannot be kept");
        }
    }

    /// Captures that could not be written.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl Said {
    pub(crate) fn add(&mut self, at: Timestamp, side: Side, bytes: &[u8]) {
        if self.written {
            return;
        }
        let bytes = &bytes[bytes.len().saturating_sub(REMEMBERED)..];
        self.bytes += bytes.len();
        self.pieces.push_back((at, side, bytes.to_vec()));
        while self.bytes > REMEMBERED
            && let Some((_, _, old)) = self.pieces.pop_front()
        {
            self.bytes -= old.len();
            self.is_cut = true;
        }
    }
}

/// A capture of what was said; with the handshake if nothing was forgotten.
fn capture(said: &Said, ends: &Ends) -> Vec<u8> {
    let (mut writer, mut out) = (Writer::default(), Vec::new());
    let mut flow = TcpFlow::new(ends.station, ends.manager);
    let mut write = |at: Timestamp, frames: Vec<Vec<u8>>| {
        let time = Time::from_micros(u64::try_from(at.as_microsecond()).unwrap_or_default());
        for frame in frames {
            let original = u32::try_from(frame.len()).unwrap_or(u32::MAX);
            writer.packet(&Packet { time, link: ETHERNET, bytes: &frame, original }, &mut out);
        }
    };
    let first = said.pieces.front().map_or(Timestamp::UNIX_EPOCH, |(at, ..)| *at);
    let handshake = flow.open();
    if !said.is_cut {
        write(first, handshake);
    }
    for (at, side, bytes) in &said.pieces {
        let way = if *side == Side::Station { Way::Forward } else { Way::Backward };
        write(*at, flow.send(way, bytes));
    }
    out
}
