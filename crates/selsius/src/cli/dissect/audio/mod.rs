//! The RTP of each call as a WAV file: who calls on the left, who is called on the right.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use hound::{SampleFormat, WavSpec, WavWriter};
use selsius_inspect::{
    packet::{Datagram, Stamp},
    survey::{Call, DeviceIndex, Signalled},
};
use selsius_media::{Codec, Law, RtpPacket, SAMPLE_RATE};
use selsius_wire::Time;

use super::summary::Found;

/// Each has two files open.
const MOST_CALLS: usize = 200;
/// Packets that would leave a longer hole than this are not put into the file: their times are wrong.
const LONGEST_HOLE: u64 = 3_600 * SAMPLE_RATE as u64;

/// The files in the making.
pub(super) struct Audio {
    tracks: Vec<Track>,
    /// The tracks that a stream may belong to, by where it goes.
    to: BTreeMap<SocketAddr, Vec<(usize, Side, Option<IpAddr>)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

struct Track {
    path: PathBuf,
    start: Time,
    end: Time,
    /// Where the first packet stands.
    origin: Option<Time>,
    left: Voice,
    right: Voice,
    /// Packets that could not be decoded, by codec.
    foreign: BTreeMap<String, u64>,
}

/// One side, as samples in a file of its own.
struct Voice {
    file: BufWriter<File>,
    /// Samples in it.
    length: u64,
    /// Where the sources' timestamps stand: source, timestamp, sample.
    anchor: Option<(u32, u32, u64)>,
}

impl Audio {
    pub(super) fn create(folder: &Path, found: &Found, only: Option<usize>) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut audio = Self { tracks: Vec::new(), to: BTreeMap::new() };
        for call in &found.report.calls {
            if only.is_some_and(|only| only != call.number) || call.streams.is_empty() {
                continue;
            }
            if audio.tracks.len() == MOST_CALLS {
                bail!("more than {MOST_CALLS} calls: choose one with --call N");
            }
            let index = audio.tracks.len();
            for (stream, side) in sides(call, &found.report.streams) {
                let sender = stream.sender.map(|(_, ip)| ip);
                audio.to.entry(stream.to).or_default().push((index, side, sender));
            }
            audio.tracks.push(Track::create(folder, call, &found.report.streams)?);
        }
        Ok(audio)
    }

    pub(super) fn datagram(&mut self, stamp: Stamp, datagram: &Datagram<'_>) -> Result<()> {
        let Some(wanted) = self.to.get(&datagram.destination) else { return Ok(()) };
        let Ok(packet) = RtpPacket::parse(datagram.payload) else { return Ok(()) };
        for &(index, side, sender) in wanted {
            if sender.is_some_and(|sender| sender != datagram.source.ip()) {
                continue;
            }
            if let Some(track) = self.tracks.get_mut(index) {
                track.packet(stamp.time, side, &packet)?;
            }
        }
        Ok(())
    }

    /// Writes the WAV files; what there is to say about them.
    pub(super) fn finish(self) -> Result<Vec<String>> {
        self.tracks.into_iter().map(Track::finish).collect()
    }
}

/// What is to be heard of a call: from the caller what it sends, else what the called one receives; the other way round the
/// same. Streams of recorders, which belong to legs of their own, are not.
fn sides<'s>(call: &Call, streams: &'s [Signalled]) -> Vec<(&'s Signalled, Side)> {
    let mut legs = call.legs.iter().filter(|leg| !leg.states.is_empty());
    let Some(first) = legs.next() else { return Vec::new() };
    let second = legs.map(|leg| leg.device).find(|device| *device != first.device);
    let (caller, called) =
        if first.calls() { (Some(first.device), second) } else { (second, Some(first.device)) };
    let talked = |stream: &Signalled, device: DeviceIndex| {
        call.legs.iter().any(|leg| {
            leg.device == device && !leg.states.is_empty() && stream.legs.contains(&(device, leg.reference))
        })
    };
    let of_call = || call.streams.iter().filter_map(|index| streams.get(*index));
    let sent = |device: Option<DeviceIndex>| -> Vec<&'s Signalled> {
        let ours = |stream: &&Signalled| {
            device.is_some_and(|device| {
                stream.sender.is_some_and(|(by, _)| by == device) && talked(stream, device)
            })
        };
        of_call().filter(ours).collect()
    };
    let received = |device: Option<DeviceIndex>| -> Vec<&'s Signalled> {
        let ours = |stream: &&Signalled| {
            device.is_some_and(|device| stream.receiver == Some(device) && talked(stream, device))
        };
        of_call().filter(ours).collect()
    };
    let one = |sent: Vec<&'s Signalled>, received: Vec<&'s Signalled>| {
        if sent.is_empty() { received } else { sent }
    };
    let left = one(sent(caller), received(called));
    let right = one(sent(called), received(caller));
    let left = left.into_iter().map(|stream| (stream, Side::Left));
    left.chain(right.into_iter().map(|stream| (stream, Side::Right))).collect()
}

impl Track {
    fn create(folder: &Path, call: &Call, streams: &[Signalled]) -> Result<Self> {
        let mut name = format!("call-{}", call.number);
        for party in [&call.calling, &call.called] {
            // Numbers come from the network: nothing in them leads out of the folder.
            let number: String = party.number.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
            if !number.is_empty() {
                name.push('-');
                name.push_str(&number);
            }
        }
        let path = folder.join(name + ".wav");
        let of_call = || call.streams.iter().filter_map(|index| streams.get(*index));
        let start = of_call().map(|stream| stream.start).min().unwrap_or(call.start);
        let end = of_call().map(|stream| stream.stop.unwrap_or(Time::NEVER)).max().unwrap_or(Time::NEVER);
        let (left, right) = (Voice::create()?, Voice::create()?);
        Ok(Self { path, start, end, origin: None, left, right, foreign: BTreeMap::new() })
    }

    fn packet(&mut self, time: Time, side: Side, packet: &RtpPacket<'_>) -> Result<()> {
        // The same address is used by one call after the other.
        if time < self.start || time > self.end {
            return Ok(());
        }
        let kind = packet.header.payload_type;
        let codec = Codec::from_payload_type(kind);
        let Some(law) = codec.and_then(Codec::law) else {
            let name =
                codec.map_or_else(|| format!("payload type {}", kind.as_u8()), |codec| codec.name().into());
            *self.foreign.entry(name).or_default() += 1;
            return Ok(());
        };
        let origin = *self.origin.get_or_insert(time);
        let at = u64::try_from(time.since(origin).as_micros()).unwrap_or(u64::MAX) / 125;
        let voice = if side == Side::Left { &mut self.left } else { &mut self.right };
        voice.put(at, law, packet).context("cannot keep audio")
    }

    fn finish(mut self) -> Result<String> {
        let context = || format!("cannot write {}", self.path.display());
        let spec = WavSpec {
            channels: 2,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let length = self.left.length.max(self.right.length);
        let foreign: Vec<_> = self
            .foreign
            .iter()
            .map(|(codec, packets)| format!("{packets} packets of {codec} are not decoded"))
            .collect();
        let seconds = length as f64 / f64::from(SAMPLE_RATE);
        let said = [vec![format!("{}: {seconds:.1} s", self.path.display())], foreign].concat().join(", ");
        if length == 0 {
            return Ok(format!("{}: not written, no audio", self.path.display()));
        }
        let mut wav = WavWriter::create(&self.path, spec).with_context(context)?;
        let (mut left, mut right) = (self.left.read()?, self.right.read()?);
        for _ in 0..length {
            for voice in [&mut left, &mut right] {
                let mut sample = [0; 2];
                match voice.read_exact(&mut sample) {
                    Ok(()) => {}
                    // This side ended before the other.
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => sample = [0; 2],
                    Err(error) => return Err(error).with_context(context),
                }
                wav.write_sample(i16::from_le_bytes(sample)).with_context(context)?;
            }
        }
        wav.finalize().with_context(context)?;
        Ok(said)
    }
}

impl Voice {
    fn create() -> Result<Self> {
        let file = BufWriter::new(tempfile::tempfile().context("cannot keep audio")?);
        Ok(Self { file, length: 0, anchor: None })
    }

    /// Puts a packet where its timestamp says, counted from where the first of its source came.
    fn put(&mut self, arrived: u64, law: Law, packet: &RtpPacket<'_>) -> std::io::Result<()> {
        let (source, timestamp) = (packet.header.ssrc.0, packet.header.timestamp.0);
        let place = match self.anchor {
            Some((known, from, sample)) if known == source => {
                let passed = timestamp.wrapping_sub(from).cast_signed();
                sample.saturating_add_signed(i64::from(passed))
            }
            _ => arrived,
        };
        // A sender that begins its timestamps anew is a new source.
        let place = if place.abs_diff(arrived) > u64::from(SAMPLE_RATE) { arrived } else { place };
        if place > self.length + LONGEST_HOLE {
            return Ok(());
        }
        self.anchor = Some((source, timestamp, place));
        let mut samples = Vec::new();
        law.decode(packet.payload, &mut samples);
        if place != self.length {
            // Before the end is where a late packet goes; behind it a hole of zeros appears.
            self.file.seek(SeekFrom::Start(place * 2))?;
        }
        for sample in &samples {
            self.file.write_all(&sample.to_le_bytes())?;
        }
        let end = place + samples.len() as u64;
        if end < self.length {
            self.file.seek(SeekFrom::Start(self.length * 2))?;
        }
        self.length = self.length.max(end);
        Ok(())
    }

    fn read(&mut self) -> Result<BufReader<File>> {
        self.file.flush().context("cannot keep audio")?;
        let mut file = self.file.get_ref().try_clone().context("cannot keep audio")?;
        file.rewind().context("cannot keep audio")?;
        Ok(BufReader::new(file))
    }
}
