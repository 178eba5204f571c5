//! Opus (RFC 6716): one voice, of which the codec itself makes as many samples a second as are asked for.

use alloc::boxed::Box;
use alloc::vec::Vec;

use opus_rs::{Application, OpusDecoder, OpusEncoder};

use crate::Band;

/// Bits a second of a voice: enough for its whole band, with what repairs losses.
const BIT_RATE: i32 = 24_000;
/// How hard the encoder tries, of 10: more is hardly heard in a voice.
const COMPLEXITY: i32 = 5;
/// Loss that packets are made ready for, in percent: each carries a rough copy of the one before.
const LOSS: i32 = 5;
/// No frame is longer (RFC 6716, section 3.4, requirement 2), and of ours each is in a packet of its own.
const MOST_BYTES: usize = 1275;
/// No packet is longer: 120 ms (section 3.4, requirement 5), in steps of 2.5 ms.
const MOST_STEPS: usize = 48;

/// Makes packets of samples.
pub(super) struct Encoder {
    encoder: Box<OpusEncoder>,
    band: Band,
}

impl Encoder {
    pub(super) fn new(band: Band) -> Option<Self> {
        let mut encoder = Box::new(OpusEncoder::new(rate(band), 1, Application::Voip).ok()?);
        encoder.bitrate_bps = BIT_RATE;
        encoder.complexity = COMPLEXITY;
        encoder.use_cbr = false;
        encoder.use_inband_fec = true;
        encoder.packet_loss_perc = LOSS;
        Some(Self { encoder, band })
    }

    /// Appends a packet of 10, 20, 40 or 60 ms; nothing of other lengths.
    pub(super) fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>) {
        let frames = samples.len() * 2 / self.band.frame();
        if !matches!(frames, 1 | 2 | 4 | 6) {
            return;
        }
        let from = payload.len();
        payload.resize(from + MOST_BYTES, 0);
        let len = self.encoder.encode_i16(samples, samples.len(), &mut payload[from..]).unwrap_or(0);
        payload.truncate(from + len);
    }
}

/// Makes samples of packets.
pub(super) struct Decoder {
    decoder: Box<OpusDecoder>,
    band: Band,
    decoded: Vec<f32>,
}

impl Decoder {
    pub(super) fn new(band: Band) -> Option<Self> {
        let decoder = Box::new(OpusDecoder::new(rate(band), 1).ok()?);
        Some(Self { decoder, band, decoded: Vec::new() })
    }

    /// Samples that a packet gives; none if it is no packet.
    pub(super) fn samples(&self, packet: &[u8]) -> usize {
        steps(packet).unwrap_or(0) * self.band.frame() / 8
    }

    /// Appends the samples of a packet. One that is broken gives none.
    pub(super) fn decode(&mut self, packet: &[u8], samples: &mut Vec<i16>) {
        let len = self.samples(packet);
        self.decoded.clear();
        self.decoded.resize(len, 0.0);
        if let Ok(made) = self.decoder.decode(packet, len, &mut self.decoded) {
            samples.extend(self.decoded.iter().take(made).map(|&sample| to_sample(sample)));
        }
    }

    /// Appends so many samples of what was lost before a packet, by what that one repeats of it.
    pub(super) fn conceal(&mut self, next: &[u8], len: usize, samples: &mut Vec<i16>) {
        self.decoded.clear();
        self.decoded.resize(len, 0.0);
        if let Ok(made) = self.decoder.decode_fec(next, len, &mut self.decoded) {
            samples.extend(self.decoded.iter().take(made).map(|&sample| to_sample(sample)));
        }
    }
}

fn rate(band: Band) -> i32 {
    band.sample_rate() as i32
}

fn to_sample(sample: f32) -> i16 {
    // A cast from float to integer saturates.
    libm::roundf(sample * 32768.0) as i16
}

/// How long a packet is by its first bytes (RFC 6716, section 3.1), in steps of 2.5 ms; `None` if it is no packet.
fn steps(packet: &[u8]) -> Option<usize> {
    let (&toc, rest) = packet.split_first()?;
    let (config, code) = (toc >> 3, toc & 3);
    let steps = match config {
        0..12 => [4, 8, 16, 24][usize::from(config & 3)],
        12..16 => [4, 8][usize::from(config & 1)],
        _ => [1, 2, 4, 8][usize::from(config & 3)],
    };
    let frames = match code {
        0 => 1,
        1 | 2 => 2,
        _ => usize::from(rest.first()? & 0x3F),
    };
    Some(steps * frames).filter(|&steps| steps <= MOST_STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_say_how_long_they_are() {
        let table: [(&[u8], Option<usize>); 12] = [
            (&[], None),
            (&[0], Some(4)),
            (&[1 << 3, 1, 2], Some(8)),
            (&[9 << 3 | 1, 1, 2], Some(16)),
            (&[11 << 3], Some(24)),
            (&[12 << 3 | 2, 0, 0], Some(8)),
            (&[15 << 3], Some(8)),
            (&[16 << 3], Some(1)),
            (&[31 << 3 | 3, 5], Some(40)),
            (&[31 << 3 | 3], None),
            (&[31 << 3 | 3, 6], Some(48)),
            // More than 120 ms.
            (&[31 << 3 | 3, 7], None),
        ];
        for (packet, expected) in table {
            assert_eq!(steps(packet), expected, "{packet:?}");
        }
    }
}
