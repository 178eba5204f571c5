//! One side of a call: its packets put at their times, and read as samples at the end.
//!
//! What came as 8 kHz and what came as 16 kHz is kept apart until then, so that a codec that changes in the middle of a call
//! needs no care: both are as long as the call, with silence where the other speaks, and are added.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
};

use audio_codec::{
    CodecError, Decoder,
    g722::G722Decoder,
    resampler::{Resampler, TAPS_PER_PHASE},
};
use selsius_media::{Codec, Law, RtpPacket};

/// RTP timestamps per second, G.722's too (RFC 3551, section 4.5.2): places and lengths are counted in them.
pub(super) const CLOCK: u32 = Codec::G722.clock_rate();
/// Packets that would leave a longer hole than this are not kept: their times are wrong.
const LONGEST_HOLE: u64 = 3_600 * CLOCK as u64;
/// After such a silence in G.722 another encoder may speak, which begins anew.
const NEW_SPEAKER: usize = CLOCK as usize;

/// How a payload becomes samples.
#[derive(Debug, Clone, Copy)]
pub(super) enum Decoding {
    G711(Law),
    G722,
}

impl Decoding {
    /// `None`: it is not decoded.
    pub(super) fn of(codec: Codec) -> Option<Self> {
        match codec {
            Codec::G722 => Some(Self::G722),
            _ => codec.law().map(Self::G711),
        }
    }
}

/// One side while it is being captured.
#[derive(Default)]
pub(super) struct Voice {
    /// 16-bit samples at 8 kHz.
    narrow: Option<Layer>,
    /// G.722 as it came: its decoder has a memory, and packets come late and twice. One byte is one tick of the clock. 0 is
    /// silence: no encoder sends it, because G.722 does not use the code words 0 to 3 of the lower band.
    wide: Option<Layer>,
    /// Where the sources' timestamps stand: source, timestamp, place.
    anchor: Option<(u32, u32, u64)>,
    /// Up to where there is something.
    length: u64,
}

impl Voice {
    /// Ticks of the clock.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn is_wide(&self) -> bool {
        self.wide.is_some()
    }

    /// Puts a packet where its timestamp says, counted from where the first of its source came.
    pub(super) fn put(&mut self, arrived: u64, decoding: Decoding, packet: &RtpPacket<'_>) -> io::Result<()> {
        let (source, timestamp) = (packet.header.ssrc.0, packet.header.timestamp.0);
        let place = match self.anchor {
            Some((known, from, place)) if known == source => {
                let passed = timestamp.wrapping_sub(from).cast_signed();
                place.saturating_add_signed(i64::from(passed))
            }
            _ => arrived,
        };
        // A sender that begins its timestamps anew is a new source.
        let place = if place.abs_diff(arrived) > u64::from(CLOCK) { arrived } else { place };
        if place > self.length + LONGEST_HOLE {
            return Ok(());
        }
        self.anchor = Some((source, timestamp, place));
        match decoding {
            Decoding::G711(law) => {
                let mut samples = Vec::new();
                law.decode(packet.payload, &mut samples);
                let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
                Layer::of(&mut self.narrow)?.write(place * 2, &bytes)?;
            }
            Decoding::G722 => Layer::of(&mut self.wide)?.write(place, packet.payload)?,
        }
        self.length = self.length.max(place + packet.payload.len() as u64);
        Ok(())
    }
}

/// A file without a name; where nothing was written there are zeros.
struct Layer {
    file: BufWriter<File>,
    length: u64,
}

impl Layer {
    fn of(place: &mut Option<Self>) -> io::Result<&mut Self> {
        if place.is_none() {
            *place = Some(Self { file: BufWriter::new(tempfile::tempfile()?), length: 0 });
        }
        Ok(place.as_mut().expect("it was put there just now"))
    }

    fn write(&mut self, place: u64, bytes: &[u8]) -> io::Result<()> {
        if place != self.length {
            // Before the end is where a late packet goes; behind it a hole of zeros appears.
            self.file.seek(SeekFrom::Start(place))?;
        }
        self.file.write_all(bytes)?;
        let end = place + bytes.len() as u64;
        if end < self.length {
            self.file.seek(SeekFrom::Start(self.length))?;
        }
        self.length = self.length.max(end);
        Ok(())
    }

    fn read(self) -> io::Result<BufReader<File>> {
        let mut file = self.file.into_inner()?;
        file.rewind()?;
        Ok(BufReader::new(file))
    }
}

/// The samples of a side, from the beginning.
pub(super) enum Playback<'c> {
    /// At 8 kHz.
    Narrow(Option<BufReader<File>>),
    /// At 16 kHz.
    Wide { narrow: Option<Widened<'c>>, wide: Option<Box<Decoded>> },
}

impl<'c> Playback<'c> {
    pub(super) fn narrow(voice: Voice) -> io::Result<Self> {
        Ok(Self::Narrow(voice.narrow.map(Layer::read).transpose()?))
    }

    /// `coefficients` are room for [`audio_codec::resampler::COEFFS_LEN`] of them.
    pub(super) fn wide(voice: Voice, coefficients: &'c mut [f32]) -> io::Result<Self> {
        let narrow = voice.narrow.map(Layer::read).transpose()?;
        let wide = voice.wide.map(Layer::read).transpose()?;
        Ok(Self::Wide {
            narrow: narrow.map(|file| Widened::new(file, coefficients)).transpose()?,
            wide: wide.map(|file| Box::new(Decoded::new(file))),
        })
    }

    /// The samples of so many more ticks of the clock; silence behind the end.
    pub(super) fn next(&mut self, ticks: usize) -> io::Result<Vec<i16>> {
        match self {
            Self::Narrow(None) => Ok(vec![0; ticks]),
            Self::Narrow(Some(file)) => samples(file, ticks),
            Self::Wide { narrow, wide } => {
                let mut sum = match narrow {
                    Some(narrow) => narrow.next(ticks)?,
                    None => vec![0; ticks * 2],
                };
                if let Some(wide) = wide {
                    for (sum, sample) in sum.iter_mut().zip(wide.next(ticks)?) {
                        *sum = sum.saturating_add(sample);
                    }
                }
                Ok(sum)
            }
        }
    }
}

/// 8 kHz as 16 kHz.
pub(super) struct Widened<'c> {
    file: BufReader<File>,
    resampler: Resampler<'c>,
    /// Made, but not given out.
    ahead: Vec<i16>,
}

impl<'c> Widened<'c> {
    fn new(mut file: BufReader<File>, coefficients: &'c mut [f32]) -> io::Result<Self> {
        let resampler = Resampler::new(8_000, 16_000, coefficients).map_err(unfit)?;
        // A sample comes out when half of the filter has passed it, which is half a sample of the input short of 12.
        let lead = samples(&mut file, TAPS_PER_PHASE / 2)?;
        let mut widened = Self { file, resampler, ahead: Vec::new() };
        widened.push(&lead)?;
        widened.ahead.drain(..TAPS_PER_PHASE - 1);
        Ok(widened)
    }

    fn push(&mut self, samples: &[i16]) -> io::Result<()> {
        let from = self.ahead.len();
        self.ahead.resize(from + samples.len() * 2, 0);
        self.resampler.resample_into(samples, &mut self.ahead[from..]).map_err(unfit)?;
        Ok(())
    }

    fn next(&mut self, ticks: usize) -> io::Result<Vec<i16>> {
        let samples = samples(&mut self.file, ticks)?;
        self.push(&samples)?;
        Ok(self.ahead.drain(..ticks * 2).collect())
    }
}

/// G.722, decoded.
pub(super) struct Decoded {
    file: BufReader<File>,
    decoder: G722Decoder,
    /// Ticks since the last code.
    silence: usize,
}

impl Decoded {
    fn new(file: BufReader<File>) -> Self {
        Self { file, decoder: G722Decoder::new(), silence: 0 }
    }

    fn next(&mut self, ticks: usize) -> io::Result<Vec<i16>> {
        let mut codes = vec![0; ticks];
        fill(&mut self.file, &mut codes)?;
        let mut samples = vec![0; ticks * 2];
        let mut at = 0;
        for run in codes.chunk_by(|one, next| (*one == 0) == (*next == 0)) {
            let out = &mut samples[at * 2..(at + run.len()) * 2];
            at += run.len();
            if run[0] == 0 {
                self.silence += run.len();
                continue;
            }
            if std::mem::take(&mut self.silence) >= NEW_SPEAKER {
                self.decoder = G722Decoder::new();
            }
            self.decoder.decode_into(run, out).map_err(unfit)?;
        }
        Ok(samples)
    }
}

fn unfit(error: CodecError) -> io::Error {
    io::Error::other(error.to_string())
}

fn samples(file: &mut impl Read, count: usize) -> io::Result<Vec<i16>> {
    let mut bytes = vec![0; count * 2];
    fill(file, &mut bytes)?;
    Ok(bytes.as_chunks().0.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect())
}

/// As much as there is.
fn fill(file: &mut impl Read, mut room: &mut [u8]) -> io::Result<()> {
    while !room.is_empty() {
        match file.read(room) {
            Ok(0) => break,
            Ok(count) => room = &mut room[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
