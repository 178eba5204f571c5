//! The RTP of each call as a WAV file: who calls on the left, who is called on the right.

mod voice;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use audio_codec::resampler::COEFFS_LEN;
use hound::{SampleFormat, WavSpec, WavWriter};
use selsius_inspect::{
    packet::{Datagram, Stamp},
    survey::{Call, DeviceIndex, Signalled},
};
use selsius_media::{Codec, RtpPacket};
use selsius_wire::Time;

use super::summary::Found;
use voice::{CLOCK, Decoding, Playback, Voice};

/// Each has up to four files open, and 1,024 is what a process usually may.
const MOST_CALLS: usize = 200;

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
            audio.tracks.push(Track::new(folder, call, &found.report.streams));
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
    fn new(folder: &Path, call: &Call, streams: &[Signalled]) -> Self {
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
        let (left, right) = (Voice::default(), Voice::default());
        Self { path, start, end, origin: None, left, right, foreign: BTreeMap::new() }
    }

    fn packet(&mut self, time: Time, side: Side, packet: &RtpPacket<'_>) -> Result<()> {
        // The same address is used by one call after the other.
        if time < self.start || time > self.end {
            return Ok(());
        }
        let kind = packet.header.payload_type;
        let codec = Codec::from_payload_type(kind);
        let Some(decoding) = codec.and_then(Decoding::of) else {
            let name =
                codec.map_or_else(|| format!("payload type {}", kind.as_u8()), |codec| codec.name().into());
            *self.foreign.entry(name).or_default() += 1;
            return Ok(());
        };
        let origin = *self.origin.get_or_insert(time);
        let at = u64::try_from(time.since(origin).as_micros()).unwrap_or(u64::MAX) / 125;
        let voice = if side == Side::Left { &mut self.left } else { &mut self.right };
        voice.put(at, decoding, packet).context("cannot keep audio")
    }

    fn finish(self) -> Result<String> {
        let length = self.left.length().max(self.right.length());
        let what = match length {
            0 => "not written, no audio".into(),
            _ => format!("{:.1} s", length as f64 / f64::from(CLOCK)),
        };
        let foreign = self.foreign.iter();
        let foreign: String = foreign
            .map(|(codec, packets)| format!(", {packets} packets of {codec} are not decoded"))
            .collect();
        let said = format!("{}: {what}{foreign}", self.path.display());
        if length == 0 {
            return Ok(said);
        }
        write_wav(&self.path, [self.left, self.right], length)
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(said)
    }
}

/// At 16 kHz if anything is.
fn write_wav(path: &Path, sides: [Voice; 2], length: u64) -> Result<()> {
    let wide = sides.iter().any(Voice::is_wide);
    let sample_rate = if wide { 2 * CLOCK } else { CLOCK };
    let spec = WavSpec { channels: 2, sample_rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut wav = WavWriter::create(path, spec)?;
    let mut coefficients = vec![0.0; 2 * COEFFS_LEN];
    let (for_left, for_right) = coefficients.split_at_mut(COEFFS_LEN);
    let [left, right] = sides;
    let (mut left, mut right) = match wide {
        true => (Playback::wide(left, for_left)?, Playback::wide(right, for_right)?),
        false => (Playback::narrow(left)?, Playback::narrow(right)?),
    };
    let mut rest = length;
    while rest > 0 {
        let ticks = rest.min(CLOCK.into());
        rest -= ticks;
        let ticks = usize::try_from(ticks).expect("at most a second");
        for (left, right) in left.next(ticks)?.into_iter().zip(right.next(ticks)?) {
            wav.write_sample(left)?;
            wav.write_sample(right)?;
        }
    }
    wav.finalize()?;
    Ok(())
}
