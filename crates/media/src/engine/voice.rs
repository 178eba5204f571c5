//! From samples to payloads and back. The one place in the engine that knows how a codec works.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use crate::coder::Converter;
use crate::coder::Encoder;
use crate::{Band, Codec, PacketTime};

/// Samples that the engine works with at a time, of the widest band.
pub(super) const MOST: usize = Band::Wide.frame();

/// 20 ms of sound, as many samples as its band has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    band: Band,
    samples: [i16; MOST],
}

impl Frame {
    pub(super) const fn silence(band: Band) -> Self {
        Self { band, samples: [0; MOST] }
    }

    /// The same sound for somebody who needs it in this band.
    pub(super) fn in_band(&self, band: Band, converter: &mut Converter) -> Self {
        let mut frame = Self::silence(band);
        converter.convert((self.band, self), (band, &mut frame));
        frame
    }
}

impl Deref for Frame {
    type Target = [i16];

    fn deref(&self) -> &[i16] {
        &self.samples[..self.band.frame()]
    }
}

impl DerefMut for Frame {
    fn deref_mut(&mut self) -> &mut [i16] {
        &mut self.samples[..self.band.frame()]
    }
}

/// Whether the sound of a codec can be made and heard here. Packets of the others can only be passed on.
pub(super) fn is_understood(codec: Codec) -> bool {
    codec.is_understood()
}

/// How a stream is packed: streams that are alike may have one encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) codec: Codec,
    pub(super) packet_time: PacketTime,
}

/// Collects frames until a packet is full.
///
/// What codes in G.722 and what decodes it both remember what was said, and crash into each other at full loudness if they do not
/// remember the same. A stream of a new encoder therefore begins softly, and one that goes on in the place of another learns from
/// what that one has coded of late.
#[derive(Debug)]
pub(super) struct Packer {
    form: Form,
    /// `None` for a codec that is not understood: then time passes, and nothing else.
    encoder: Option<Encoder>,
    /// From the band of the frames to that of the codec.
    converter: Converter,
    pending: Vec<i16>,
    /// What was coded of late, if the encoder remembers.
    recent: Vec<i16>,
    /// Samples since the beginning, up to where it is no longer soft.
    risen: usize,
    /// Frames for which it has packed what others hear too.
    alike: u8,
}

/// Frames, after which encoders that hear the same do nearly the same.
const RECENT: usize = 5;
/// The same, after which an encoder that began softly does the same as one that was there before.
const ALIKE: u8 = 10;
/// One of silence, in which decoders become quiet, and two in which the sound comes up.
const SILENT: usize = 1;
const RISE: usize = 2;

impl Packer {
    pub(super) fn new(form: Form) -> Self {
        let encoder = Encoder::new(form.codec);
        let converter = Converter::new();
        Self { form, encoder, converter, pending: Vec::new(), recent: Vec::new(), risen: 0, alike: 0 }
    }

    pub(super) const fn form(&self) -> Form {
        self.form
    }

    /// Adds a frame.
    pub(super) fn add(&mut self, frame: &Frame) {
        let frame = frame.in_band(self.form.codec.band(), &mut self.converter);
        self.pending.extend_from_slice(&frame);
    }

    /// Makes the next full packet's payload in `payload`, if there is one. It stays empty for a codec that is not
    /// understood.
    pub(super) fn pack(&mut self, payload: &mut Vec<u8>) -> bool {
        payload.clear();
        let band = self.form.codec.band();
        let len = self.form.packet_time.samples(band);
        let Some(samples) = self.pending.get_mut(..len) else { return false };
        if let Some(encoder) = &mut self.encoder {
            if remembers(self.form.codec) {
                rise(&mut self.risen, samples, band);
                self.recent.extend_from_slice(samples);
                self.recent.drain(..self.recent.len().saturating_sub(RECENT * band.frame()));
            }
            encoder.encode(samples, payload);
        }
        self.pending.drain(..len);
        true
    }

    /// Whether what is added next may be softer than it should be.
    pub(super) const fn begins_softly(&self) -> bool {
        remembers(self.form.codec) && self.risen < (SILENT + RISE) * self.form.codec.band().frame()
    }

    /// Goes on in the place of another one, with what that one has collected.
    pub(super) fn take_over(&mut self, other: &Self) {
        self.pending.clear();
        self.pending.extend_from_slice(&other.pending);
        self.learn(other);
    }

    /// Codes like another one from now on.
    pub(super) fn learn(&mut self, other: &Self) {
        if let (Some(encoder), [_, ..]) = (&mut self.encoder, &other.recent[..]) {
            let frame = self.form.codec.band().frame();
            let (mut recent, mut payload) = (other.recent.clone(), Vec::new());
            // Not with a crack, which it would remember.
            let len = (frame / 4).min(recent.len()) as i32;
            for (n, sample) in (0..len).zip(&mut recent) {
                *sample = (i32::from(*sample) * n / len) as i16;
            }
            recent.chunks(frame).for_each(|part| encoder.encode(part, &mut payload));
        }
        self.converter.clone_from(&other.converter);
        self.recent.clone_from(&other.recent);
        self.risen = other.risen;
    }

    /// Whether what it packs depends on what it packed before: then nobody else's packets fit behind its own.
    pub(super) const fn remembers(&self) -> bool {
        remembers(self.form.codec)
    }

    /// Whether its listener can get what another one packs, if that one gets the next frame as he does.
    pub(super) fn may_share(&mut self, same: bool) -> bool {
        self.alike = if same { self.alike.saturating_add(1) } else { 0 };
        same && (self.alike > ALIKE || !remembers(self.form.codec))
    }

    /// Forgets what was collected: what follows is a new beginning.
    pub(super) fn clear(&mut self) {
        self.rest();
        self.alike = 0;
    }

    /// The same, while another one packs for its listener.
    pub(super) fn rest(&mut self) {
        self.pending.clear();
        self.recent.clear();
        self.risen = 0;
    }
}

/// Whether what a payload means depends on those before it.
const fn remembers(codec: Codec) -> bool {
    matches!(codec, Codec::G722 | Codec::Opus)
}

fn rise(risen: &mut usize, samples: &mut [i16], band: Band) {
    let (silent, rise) = (SILENT * band.frame(), RISE * band.frame());
    for sample in samples {
        if *risen >= silent + rise {
            return;
        }
        let gain = risen.saturating_sub(silent);
        *sample = (i32::from(*sample) * gain as i32 / rise as i32) as i16;
        *risen += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use crate::coder::Decoder;
    use crate::tone::{Sine, Sound, Tone, ToneGenerator};

    const FRAME: usize = Band::Narrow.frame();

    /// Peaks of what somebody hears for whom a second encoder takes the place of the first after 50 frames, and how far its frames
    /// are from the one before.
    fn change(codec: Codec, change: impl Fn(&mut Packer, &Packer)) -> (u16, Vec<u16>) {
        let form = Form { codec, packet_time: PacketTime::DEFAULT };
        let (mut one, mut other) = (Packer::new(form), Packer::new(form));
        let mut decoder = Decoder::narrow(codec).unwrap();
        let sound = Sound::Single(Sine::new(400, Level::dbm0(-10.0)));
        let mut tone = ToneGenerator::new(Tone::continuous(sound));
        let (mut payload, mut heard) = (Vec::new(), Vec::new());
        for n in 0..60 {
            if n == 50 {
                change(&mut other, &one);
            }
            let packer = if n < 50 { &mut one } else { &mut other };
            let mut frame = Frame::silence(Band::Narrow);
            tone.fill(&mut frame);
            packer.add(&frame);
            assert!(packer.pack(&mut payload));
            decoder.decode(&payload, &mut heard);
        }
        // Each frame has a whole number of periods: they are all alike.
        let (before, after) = heard.split_at(50 * FRAME);
        let last = &before[49 * FRAME..];
        let off = |frame: &[i16]| frame.iter().zip(last).map(|(a, &b)| a.abs_diff(b)).max().unwrap();
        let peak = after.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        (peak, after.chunks(FRAME).map(off).collect())
    }

    #[test]
    fn a_listener_does_not_notice_that_another_encoder_goes_on() {
        assert_eq!(change(Codec::Pcmu, Packer::take_over).1, [0; 10]);
        let (peak, off) = change(Codec::G722, Packer::take_over);
        assert!(peak < 8600 && off[1..].iter().all(|&off| off < 700), "{peak} {off:?}");
    }

    #[test]
    fn a_new_encoder_begins_softly_where_the_decoder_remembers_another() {
        let (peak, off) = change(Codec::G722, |_, _| {});
        assert!(peak < 12_500 && off[3..].iter().all(|&off| off < 2000), "{peak} {off:?}");
        assert_eq!(change(Codec::Pcma, |_, _| {}).1, [0; 10]);
    }
}
