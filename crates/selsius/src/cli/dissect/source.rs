//! Where packets come from: a capture file, gzip or not, or standard input; read in one go, in bounded memory.

use std::{
    fmt,
    fs::File,
    io::{BufRead, BufReader, Cursor, Read, Seek, stdin},
    path::{Path, PathBuf},
};

use super::{live, progress::Watch};
use anyhow::{Context, Result, anyhow, bail};
use flate2::bufread::MultiGzDecoder;
use selsius_inspect::{
    capture::{CaptureError, Cut, Cutter, Packet},
    packet::Stamp,
};

/// A capture that can be read, more than once if it must.
pub(crate) enum Capture {
    File(PathBuf),
    /// Standard input, as it comes.
    Stdin,
    /// Standard input, put aside to be read twice.
    Kept(File),
    /// What passes an interface, until somebody interrupts.
    Live(String),
}

/// How a capture ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// At the end of a packet.
    Whole,
    /// Somewhere else: after so many packets, at this byte of the (unpacked) file.
    Broken { packets: u64, at: u64, why: Why },
}

#[derive(Debug)]
pub(crate) enum Why {
    Short,
    Damaged(CaptureError),
    Unreadable(std::io::Error),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("it breaks off in the middle of the next one"),
            Self::Damaged(error) => error.fmt(f),
            Self::Unreadable(error) => error.fmt(f),
        }
    }
}

impl Capture {
    /// `-` is standard input; `again` when it will be read more than once.
    pub(crate) fn new(path: &Path, again: bool) -> Result<Self> {
        if path != Path::new("-") {
            return Ok(Self::File(path.into()));
        }
        if !again {
            return Ok(Self::Stdin);
        }
        let mut file = tempfile::tempfile().context("cannot put standard input aside")?;
        std::io::copy(&mut stdin().lock(), &mut file).context("cannot put standard input aside")?;
        Ok(Self::Kept(file))
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin | Self::Kept(_) => "standard input".into(),
            Self::Live(interface) => interface.clone(),
        }
    }

    /// Hands every packet to `take`, in order. Only files can be watched.
    pub(crate) fn read(
        &self,
        watch: Option<Watch>,
        take: &mut dyn FnMut(Stamp, &Packet<'_>) -> Result<()>,
    ) -> Result<Ending> {
        let input: Box<dyn Read> = match self {
            Self::File(path) => {
                let context = || format!("cannot read {}", path.display());
                let file = File::open(path).with_context(context)?;
                let about = file.metadata().with_context(context)?;
                if about.is_dir() {
                    bail!("{} is a folder: name a capture file", path.display());
                }
                match watch {
                    // A named pipe has no length.
                    Some(watch) if about.is_file() => Box::new(watch.file(file, about.len())),
                    _ => Box::new(file),
                }
            }
            Self::Live(interface) => return live::read(interface, take),
            Self::Stdin => Box::new(stdin().lock()),
            Self::Kept(file) => {
                let mut file = file.try_clone()?;
                file.rewind()?;
                Box::new(file)
            }
        };
        let mut input = BufReader::with_capacity(CHUNK, input);
        let start = input.fill_buf().with_context(|| format!("cannot read {}", self.name()))?;
        if start.is_empty() {
            bail!("{} is empty", self.name());
        }
        if start.starts_with(&[0x1f, 0x8b]) {
            return self.pump(MultiGzDecoder::new(input), take);
        }
        // Past the small buffer: what is read goes straight to where it is cut.
        let start = Cursor::new(start.to_vec());
        self.pump(start.chain(input.into_inner()), take)
    }

    fn pump(
        &self,
        mut input: impl Read,
        take: &mut dyn FnMut(Stamp, &Packet<'_>) -> Result<()>,
    ) -> Result<Ending> {
        let mut cutter = Cutter::default();
        let mut buffer = vec![0; CHUNK];
        // `buffer[start..end]` is not cut yet; byte `at` of the file stands at `start`.
        let (mut start, mut end, mut at, mut packets) = (0, 0, 0_u64, 0);
        loop {
            let need = match cutter.cut(&buffer[start..end]) {
                Ok(Cut::Need(need)) => need,
                Ok(Cut::Other(consumed)) => {
                    start += consumed;
                    at += consumed as u64;
                    continue;
                }
                Ok(Cut::Packet { packet, consumed }) => {
                    packets += 1;
                    take(Stamp { time: packet.time, number: packets }, &packet)?;
                    start += consumed;
                    at += consumed as u64;
                    continue;
                }
                Err(CaptureError::Unknown) => return Err(self.stranger(&buffer[start..end])),
                Err(error) => return Ok(Ending::Broken { packets, at, why: Why::Damaged(error) }),
            };
            if start > 0 {
                buffer.copy_within(start..end, 0);
                (start, end) = (0, end - start);
            }
            if buffer.len() < need {
                buffer.resize(need.next_power_of_two(), 0);
            }
            match input.read(&mut buffer[end..]) {
                Ok(0) if end == 0 => return Ok(Ending::Whole),
                Ok(0) => return Ok(Ending::Broken { packets, at, why: Why::Short }),
                Ok(count) => end += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Ending::Broken { packets, at, why: Why::Unreadable(error) }),
            }
        }
    }

    /// What to say about a file of another kind.
    fn stranger(&self, start: &[u8]) -> anyhow::Error {
        let name = self.name();
        let kind = [
            (&b"PK\x03\x04"[..], "a zip archive: unpack it first"),
            (b"\xfd7zXZ", "packed with xz: unpack it first (`xz -d`)"),
            (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first (`zstd -d`)"),
            (b"BZh", "packed with bzip2: unpack it first (`bunzip2`)"),
            (b"snoop\0", "a Solaris snoop file: convert it (`editcap FILE out.pcapng`)"),
        ]
        .into_iter()
        .find(|(magic, _)| start.starts_with(magic));
        match kind {
            Some((_, kind)) => anyhow!("{name} is {kind}"),
            None => anyhow!(
                "{name} is no capture file (pcap or pcapng; it begins with {}): make one with `tcpdump -w FILE tcp port 2000`",
                start.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
            ),
        }
    }
}

/// Read at a time.
const CHUNK: usize = 256 * 1024;
