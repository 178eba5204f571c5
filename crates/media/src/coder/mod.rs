//! From samples to payloads and back: one [`Encoder`] and one [`Decoder`] for every codec that is understood here.
//!
//! Each belongs to one stream, since G.722 and Opus remember what they have coded. Samples are at the codec's own rate, or, where sound of several
//! codecs meets, at 8 kHz:
//!
//! ```
//! use selsius_media::coder::{Decoder, Encoder};
//! use selsius_media::Codec;
//!
//! let mut encoder = Encoder::narrow(Codec::G722).expect("understood");
//! let mut decoder = Decoder::narrow(Codec::G722).expect("understood");
//! let (mut payload, mut samples) = (Vec::new(), Vec::new());
//! encoder.encode(&[0; 160], &mut payload);
//! decoder.decode(&payload, &mut samples);
//! assert_eq!((payload.len(), samples.len()), (160, 160));
//! ```

mod opus;
pub(crate) mod rate;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use audio_codec::g722::{Bitrate, G722Decoder, G722Encoder};
use audio_codec::{Decoder as _, Encoder as _};

use crate::{Band, Codec, Law};
pub use rate::Converter;
use rate::Doubler;

/// Makes samples of the payloads of one stream.
pub struct Decoder {
    codec: Codec,
    decoding: Decoding,
}

enum Decoding {
    G711(Law),
    G722(Box<G722Decoder>),
    /// Only the lower half of the band.
    G722Narrow(Box<G722Decoder>),
    Opus(opus::Decoder),
}

impl Decoder {
    /// One that gives samples at the codec's own rate ([`Codec::sample_rate`]); `None` for a codec that is only carried.
    pub fn new(codec: Codec) -> Option<Self> {
        let decoding = match codec {
            Codec::Pcmu => Decoding::G711(Law::Mu),
            Codec::Pcma => Decoding::G711(Law::A),
            Codec::G722 => Decoding::G722(Box::default()),
            Codec::Opus => Decoding::Opus(opus::Decoder::new(codec.band())?),
            Codec::G729 => return None,
        };
        Some(Self { codec, decoding })
    }

    /// One that gives samples at 8 kHz. That of G.722 leaves the upper band out: the lower one is sampled at 8 kHz already.
    pub fn narrow(codec: Codec) -> Option<Self> {
        let decoding = match codec {
            Codec::G722 => {
                let (packed, eight_k) = (false, true);
                let lower = G722Decoder::with_options(Bitrate::Mode1_64000, packed, eight_k);
                Decoding::G722Narrow(Box::new(lower))
            }
            Codec::Opus => Decoding::Opus(opus::Decoder::new(Band::Narrow)?),
            Codec::Pcmu | Codec::Pcma | Codec::G729 => return Self::new(codec),
        };
        Some(Self { codec, decoding })
    }

    /// The codec.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// Samples that a payload gives. One that means nothing gives none, and so may one of Opus that is found broken only when it
    /// is decoded.
    pub fn samples(&self, payload: &[u8]) -> usize {
        match &self.decoding {
            Decoding::G711(_) | Decoding::G722Narrow(_) => payload.len(),
            Decoding::G722(_) => payload.len() * 2,
            Decoding::Opus(decoder) => decoder.samples(payload),
        }
    }

    /// Whether it knows itself what is to be heard where a payload is missing.
    pub(crate) const fn conceals(&self) -> bool {
        matches!(self.decoding, Decoding::Opus(_))
    }

    /// Appends so many samples, whole steps of 2.5 ms, of what is missing before a payload, where it [`Self::conceals`].
    pub(crate) fn conceal(&mut self, next: &[u8], len: usize, samples: &mut Vec<i16>) {
        if let Decoding::Opus(decoder) = &mut self.decoding {
            decoder.conceal(next, len, samples);
        }
    }

    /// Appends the samples of a payload.
    pub fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) {
        let from = samples.len();
        let len = self.samples(payload);
        match &mut self.decoding {
            Decoding::G711(law) => law.decode(payload, samples),
            Decoding::G722(decoder) | Decoding::G722Narrow(decoder) => {
                samples.resize(from + len, 0);
                // It fails only where there is too little room.
                let made = decoder.decode_into(payload, &mut samples[from..]).unwrap_or(0);
                samples.truncate(from + made);
            }
            Decoding::Opus(decoder) => decoder.decode(payload, samples),
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Decoder").field(&self.codec).finish()
    }
}

/// Makes the payloads of one stream.
pub struct Encoder {
    codec: Codec,
    encoding: Encoding,
}

enum Encoding {
    G711(Law),
    G722(Box<G722Encoder>),
    /// Of samples at 8 kHz.
    G722Narrow(Box<G722Encoder>, Doubler, Vec<i16>),
    Opus(opus::Encoder),
}

impl Encoder {
    /// One that takes samples at the codec's own rate ([`Codec::sample_rate`]); `None` for a codec that is only carried.
    pub fn new(codec: Codec) -> Option<Self> {
        let encoding = match codec {
            Codec::Pcmu => Encoding::G711(Law::Mu),
            Codec::Pcma => Encoding::G711(Law::A),
            Codec::G722 => Encoding::G722(Box::default()),
            Codec::Opus => Encoding::Opus(opus::Encoder::new(codec.band())?),
            Codec::G729 => return None,
        };
        Some(Self { codec, encoding })
    }

    /// One that takes samples at 8 kHz, whatever the codec's own rate is.
    pub fn narrow(codec: Codec) -> Option<Self> {
        let encoding = match codec {
            Codec::G722 => Encoding::G722Narrow(Box::default(), Doubler::default(), Vec::new()),
            Codec::Opus => Encoding::Opus(opus::Encoder::new(Band::Narrow)?),
            Codec::Pcmu | Codec::Pcma | Codec::G729 => return Self::new(codec),
        };
        Some(Self { codec, encoding })
    }

    /// The codec.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// Appends the payload of these samples: an even number of them for G.722 at its own rate, 10, 20, 40 or 60 ms for Opus.
    pub fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>) {
        match &mut self.encoding {
            Encoding::G711(law) => law.encode(samples, payload),
            Encoding::G722(encoder) => g722(encoder, samples, payload),
            Encoding::G722Narrow(encoder, doubler, doubled) => {
                doubled.resize(samples.len() * 2, 0);
                doubler.double(samples, doubled);
                g722(encoder, doubled, payload);
            }
            Encoding::Opus(encoder) => encoder.encode(samples, payload),
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Encoder").field(&self.codec).finish()
    }
}

fn g722(encoder: &mut G722Encoder, samples: &[i16], payload: &mut Vec<u8>) {
    let from = payload.len();
    payload.resize(from + encoder.max_encode_bytes(samples.len()), 0);
    // It fails only where there is too little room.
    let made = encoder.encode_into(samples, &mut payload[from..]).unwrap_or(0);
    payload.truncate(from + made);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use crate::tone::{Sine, Sound, Tone, ToneGenerator};
    use proptest::prelude::*;

    /// Half a second of a tone, in packets of 20 ms.
    fn coded(codec: Codec, frequency: u16) -> Vec<i16> {
        let sound = Sound::Single(Sine::new(frequency, Level::dbm0(-13.0)));
        let mut tone = ToneGenerator::new(Tone::continuous(sound));
        let (mut encoder, mut decoder) = (Encoder::narrow(codec).unwrap(), Decoder::narrow(codec).unwrap());
        let (mut payload, mut heard) = (Vec::new(), Vec::new());
        for _ in 0..25 {
            let mut samples = [0; 160];
            tone.fill(&mut samples);
            payload.clear();
            encoder.encode(&samples, &mut payload);
            assert!(payload.len() == 160 || !codec.has_fixed_size());
            decoder.decode(&payload, &mut heard);
        }
        heard
    }

    #[test]
    fn tones_come_back_as_loud_as_they_went() {
        for codec in Codec::ALL.into_iter().filter(|codec| codec.is_understood()) {
            for frequency in [300, 1000, 2000, 3000, 3400] {
                let heard = coded(codec, frequency);
                assert_eq!(heard.len(), 4000);
                let level = Level::of(&heard[800..]).as_dbm0();
                // Opus codes voices, not tones.
                let most = if codec == Codec::Opus { 4.0 } else { 0.5 };
                assert!((level + 13.0).abs() < most, "{codec} {frequency} Hz: {level}");
            }
        }
    }

    #[test]
    fn what_is_only_carried_has_no_coder() {
        for codec in Codec::ALL {
            let understood = codec.is_understood();
            assert_eq!(Encoder::new(codec).is_some(), understood);
            assert_eq!(Encoder::narrow(codec).is_some(), understood);
            assert_eq!(Decoder::new(codec).is_some(), understood);
            assert_eq!(Decoder::narrow(codec).is_some(), understood);
        }
    }

    proptest! {
        /// Whatever comes, nothing panics, and there are as many samples as were promised.
        #[test]
        fn any_payload_is_sound(payloads in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..400), 1..20,
        )) {
            for codec in Codec::ALL {
                for decoder in [Decoder::new(codec), Decoder::narrow(codec)] {
                    let Some(mut decoder) = decoder else { continue };
                    for payload in &payloads {
                        let mut samples = vec![7];
                        decoder.decode(payload, &mut samples);
                        let promised = 1 + decoder.samples(payload);
                        // Garbage is no packet of Opus.
                        let whole = codec.has_fixed_size() || samples.len() > 1;
                        prop_assert_eq!(samples.len(), if whole { promised } else { 1 });
                        decoder.conceal(payload, 160, &mut samples);
                    }
                }
            }
        }

        /// Whatever is said, nothing panics, and a payload is as long as its packet should be.
        #[test]
        fn any_sound_is_coded(frames in proptest::collection::vec(
            proptest::collection::vec(any::<i16>(), 160), 1..20,
        )) {
            for codec in Codec::ALL {
                let (Some(mut narrow), Some(mut own)) = (Encoder::narrow(codec), Encoder::new(codec)) else { continue };
                for frame in &frames {
                    let mut payload = Vec::new();
                    narrow.encode(frame, &mut payload);
                    let len = payload.len();
                    own.encode(frame, &mut payload);
                    match codec.has_fixed_size() {
                        true => prop_assert_eq!(
                            (len, payload.len() - len),
                            (160, 160 * 8000 / codec.sample_rate() as usize)
                        ),
                        false => prop_assert!(len > 0 && payload.len() > len),
                    }
                }
            }
        }
    }
}
