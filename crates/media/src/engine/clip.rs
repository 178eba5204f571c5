//! Sound that is played to parties: prompts, tones, music.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::voice::{Frame, is_understood};
use crate::coder::Decoder;
use crate::{Codec, PacketTime, Tone, ToneGenerator};

/// Something to play.
#[derive(Debug, Clone)]
pub enum Clip {
    /// Samples.
    Pcm(Arc<[i16]>),
    /// Samples, over and over.
    Loop(Arc<[i16]>),
    /// Payloads of a codec of fixed size, one behind the other. The only thing that can be played to a party whose codec cannot be
    /// encoded here, and only if it is the same one.
    Encoded(Codec, Arc<[u8]>),
    /// A tone. It may be one without end.
    Tone(Tone),
}

/// A clip while it is played.
#[derive(Debug)]
pub(super) struct Player {
    clip: Clip,
    at: usize,
    tone: Option<ToneGenerator>,
    decoder: Option<Decoder>,
    decoded: Vec<i16>,
}

impl Player {
    pub(super) fn new(clip: Clip) -> Self {
        let (tone, decoder) = match &clip {
            Clip::Tone(tone) => (Some(ToneGenerator::new(tone.clone())), None),
            Clip::Encoded(codec, _) => (None, Decoder::narrow(*codec)),
            Clip::Pcm(_) | Clip::Loop(_) => (None, None),
        };
        Self { clip, at: 0, tone, decoder, decoded: Vec::new() }
    }

    /// Whether a party with this codec can hear it.
    pub(super) fn fits(&self, codec: Codec) -> bool {
        match self.clip {
            Clip::Encoded(own, _) if !own.has_fixed_size() => false,
            Clip::Encoded(own, _) => own == codec || is_understood(own) && is_understood(codec),
            Clip::Pcm(_) | Clip::Loop(_) | Clip::Tone(_) => is_understood(codec),
        }
    }

    /// Fills a narrow-band frame; silence after the end.
    pub(super) fn fill(&mut self, frame: &mut Frame) {
        match &self.clip {
            Clip::Pcm(samples) => {
                let rest = samples.get(self.at..).unwrap_or_default();
                let len = rest.len().min(frame.len());
                frame.fill(0);
                frame.iter_mut().zip(rest).for_each(|(to, &from)| *to = from);
                self.at += len;
            }
            Clip::Loop(samples) if samples.is_empty() => frame.fill(0),
            Clip::Loop(samples) => {
                for (to, &from) in frame.iter_mut().zip(samples.iter().cycle().skip(self.at)) {
                    *to = from;
                }
                self.at = (self.at + frame.len()) % samples.len();
            }
            Clip::Encoded(codec, bytes) => {
                frame.fill(0);
                let Some(decoder) = &mut self.decoder else { return };
                let rest = bytes.get(self.at..).unwrap_or_default();
                let len = rest.len().min(codec.payload_len(PacketTime::DEFAULT));
                self.decoded.clear();
                decoder.decode(&rest[..len], &mut self.decoded);
                frame.iter_mut().zip(&self.decoded).for_each(|(to, &sample)| *to = sample);
                self.at += len;
            }
            Clip::Tone(_) => match &mut self.tone {
                Some(tone) => tone.fill(frame),
                None => frame.fill(0),
            },
        }
    }

    /// The next payload of so many bytes of a clip that is encoded.
    pub(super) fn payload(&mut self, len: usize) -> Option<&[u8]> {
        let Clip::Encoded(_, bytes) = &self.clip else { return None };
        let payload = bytes.get(self.at..self.at + len)?;
        self.at += len;
        Some(payload)
    }

    /// Whether nothing is to come any more, for packets of so many bytes.
    pub(super) fn is_finished(&self, payload_len: usize) -> bool {
        match &self.clip {
            Clip::Pcm(samples) => self.at >= samples.len(),
            Clip::Loop(samples) => samples.is_empty(),
            Clip::Encoded(codec, bytes) if is_understood(*codec) => self.at >= bytes.len(),
            // What is left may be less than a packet.
            Clip::Encoded(_, bytes) => self.at + payload_len > bytes.len(),
            Clip::Tone(_) => self.tone.as_ref().is_none_or(ToneGenerator::is_finished),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jitter::FRAME;
    use crate::tone::{Plan, Signal};
    use crate::{Band, Law};

    fn frames(player: &mut Player, most: usize) -> Vec<Vec<i16>> {
        let mut frames = Vec::new();
        while !player.is_finished(20) && frames.len() < most {
            let mut frame = Frame::silence(Band::Narrow);
            frame.fill(9);
            player.fill(&mut frame);
            frames.push(frame.to_vec());
        }
        frames
    }

    #[test]
    fn each_kind_is_played_to_its_end() {
        let samples: Arc<[i16]> = (0..400).collect();
        let pcm = frames(&mut Player::new(Clip::Pcm(samples.clone())), 9).concat();
        assert_eq!((&pcm[..400], &pcm[400..]), (&samples[..], &[0; 80][..]));
        let looped = frames(&mut Player::new(Clip::Loop(samples.clone())), 9).concat();
        assert!(looped.len() == 9 * FRAME && looped.iter().enumerate().all(|(n, &s)| s == (n % 400) as i16));
        let codes: Arc<[u8]> = samples.iter().map(|&sample| Law::A.encode_sample(sample)).collect();
        let mut encoded = Player::new(Clip::Encoded(Codec::Pcma, codes.clone()));
        assert!(encoded.fits(Codec::Pcmu) && !encoded.fits(Codec::G729));
        let heard = frames(&mut encoded, 9).concat();
        assert_eq!(heard[399], Law::A.decode_sample(codes[399]));
        let tone = Plan::NorthAmerica.tone(Signal::Hz440);
        assert_eq!(frames(&mut Player::new(Clip::Tone(tone)), 9).len(), 9);
        for empty in [Clip::Pcm([].into()), Clip::Loop([].into()), Clip::Tone(Tone::SILENCE)] {
            assert!(Player::new(empty).is_finished(160));
        }
    }

    #[test]
    fn payloads_of_a_codec_that_is_not_understood_come_out_as_they_are() {
        let mut player = Player::new(Clip::Encoded(Codec::G729, (0..50).collect()));
        assert!(player.fits(Codec::G729) && !player.fits(Codec::Pcmu));
        assert_eq!(player.payload(20), Some(&(0..20).collect::<Vec<_>>()[..]));
        assert!(!player.is_finished(20));
        assert_eq!(player.payload(20).map(<[u8]>::len), Some(20));
        // Half a packet is left.
        assert!(player.is_finished(20) && player.payload(20).is_none());
    }
}
