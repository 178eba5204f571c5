//! The codecs that a call may be set up with, and what a packet of each looks like.

use core::fmt;
use core::time::Duration;

use crate::{Law, PayloadType};

/// A voice codec. This crate makes and plays G.711, G.722 and Opus ([`coder`](crate::coder)); G.729 it can carry from phone to phone,
/// since for that the manager only has to know its name and sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// G.711 µ-law: North America, Japan.
    Pcmu,
    /// G.711 A-law: everywhere else.
    Pcma,
    /// G.722 at 64 kbit/s: 16 kHz audio.
    G722,
    /// G.729 at 8 kbit/s, with or without its annexes A and B.
    G729,
    /// Opus (RFC 6716, RFC 7587), of which everything up to 8 kHz is made and heard here.
    Opus,
}

impl Codec {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pcmu, Self::Pcma, Self::G722, Self::G729, Self::Opus];

    /// The codec of a static payload type (RFC 3551, table 4).
    pub const fn from_payload_type(payload_type: PayloadType) -> Option<Self> {
        match payload_type {
            PayloadType::PCMU => Some(Self::Pcmu),
            PayloadType::PCMA => Some(Self::Pcma),
            PayloadType::G722 => Some(Self::G722),
            PayloadType::G729 => Some(Self::G729),
            _ => None,
        }
    }

    /// Its static payload type (RFC 3551, table 4). Opus has none: it is [`PayloadType::OPUS`] unless something else is agreed on.
    pub const fn payload_type(self) -> PayloadType {
        match self {
            Self::Pcmu => PayloadType::PCMU,
            Self::Pcma => PayloadType::PCMA,
            Self::G722 => PayloadType::G722,
            Self::G729 => PayloadType::G729,
            Self::Opus => PayloadType::OPUS,
        }
    }

    /// Its encoding name as SDP spells it (RFC 3551).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::G729 => "G729",
            Self::Opus => "opus",
        }
    }

    /// Ticks per second of its RTP timestamps. That of G.722 is 8000 by an old mistake that RFC 3551,
    /// section 4.5.2 keeps; that of Opus is 48,000 whatever its samples are (RFC 7587, section 4.1).
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 | Self::G729 => 8000,
            Self::Opus => 48_000,
        }
    }

    /// Ticks of its clock in a packet.
    pub const fn ticks(self, time: PacketTime) -> u32 {
        self.clock_rate() / 1000 * time.as_millis()
    }

    /// Whether as much sound always takes as many bytes, so that packets can be cut without being decoded.
    pub const fn has_fixed_size(self) -> bool {
        !matches!(self, Self::Opus)
    }

    /// The packet time that is used where this one is wanted: frames of Opus have 10, 20, 40 or 60 ms.
    pub const fn packet_time(self, wanted: PacketTime) -> PacketTime {
        match (self, wanted.tens) {
            (Self::Opus, 3 | 5) => PacketTime { tens: wanted.tens - 1 },
            _ => wanted,
        }
    }

    /// Samples of audio per second, as they are made and heard here.
    pub const fn sample_rate(self) -> u32 {
        self.band().sample_rate()
    }

    /// How much of what somebody says it carries.
    pub const fn band(self) -> Band {
        match self {
            Self::G722 | Self::Opus => Band::Wide,
            Self::Pcmu | Self::Pcma | Self::G729 => Band::Narrow,
        }
    }

    /// Bytes of 10 ms of sound: the frame of G.729, and the step of [`PacketTime`]. Of Opus it is what its bit rate makes of it in
    /// the mean.
    pub const fn bytes_per_10_ms(self) -> usize {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 80,
            Self::G729 => 10,
            Self::Opus => 30,
        }
    }

    /// Bytes of payload in a full packet.
    pub const fn payload_len(self, time: PacketTime) -> usize {
        self.bytes_per_10_ms() * time.tens()
    }

    /// Whether this crate can encode and decode it, or only carry it.
    pub const fn is_understood(self) -> bool {
        !matches!(self, Self::G729)
    }

    /// Which law of G.711 it is, if it is one.
    pub const fn law(self) -> Option<Law> {
        match self {
            Self::Pcmu => Some(Law::Mu),
            Self::Pcma => Some(Law::A),
            Self::G722 | Self::G729 | Self::Opus => None,
        }
    }
}

impl From<Law> for Codec {
    fn from(law: Law) -> Self {
        match law {
            Law::Mu => Self::Pcmu,
            Law::A => Self::Pcma,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much of a voice there is in sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Band {
    /// Up to 4 kHz, sampled at 8 kHz: the telephone since ever.
    #[default]
    Narrow,
    /// Up to 8 kHz, sampled at 16 kHz.
    Wide,
}

impl Band {
    /// Samples per second.
    pub const fn sample_rate(self) -> u32 {
        match self {
            Self::Narrow => 8000,
            Self::Wide => 16_000,
        }
    }

    /// Samples in 20 ms, the step in which sound is played and mixed.
    pub const fn frame(self) -> usize {
        match self {
            Self::Narrow => 160,
            Self::Wide => 320,
        }
    }

    /// Samples of as much sound as so many of narrow-band.
    pub(crate) const fn of_narrow(self, samples: usize) -> usize {
        match self {
            Self::Narrow => samples,
            Self::Wide => samples * 2,
        }
    }
}

/// How much sound one packet carries: 10 to 60 ms in steps of 10, which every codec here can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketTime {
    tens: u8,
}

impl PacketTime {
    /// 20 ms: what phones use unless told otherwise.
    pub const DEFAULT: Self = Self { tens: 2 };

    /// A packet time of `millis`; `None` unless it is 10, 20, 30, 40, 50 or 60.
    pub const fn from_millis(millis: u32) -> Option<Self> {
        match millis {
            10 | 20 | 30 | 40 | 50 | 60 => Some(Self { tens: (millis / 10) as u8 }),
            _ => None,
        }
    }

    /// The packet time in milliseconds.
    pub const fn as_millis(self) -> u32 {
        self.tens as u32 * 10
    }

    /// The packet time.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.tens as u64 * 10)
    }

    /// Timestamp ticks, which for G.711 are samples, in one packet.
    pub const fn ticks(self) -> u32 {
        self.tens as u32 * 80
    }

    /// Samples of linear audio in one packet.
    pub const fn samples(self, band: Band) -> usize {
        band.of_narrow(self.tens() * 80)
    }

    const fn tens(self) -> usize {
        self.tens as usize
    }
}

impl Default for PacketTime {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for PacketTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packet_sizes() {
        let time = |millis| PacketTime::from_millis(millis).unwrap();
        let table = [
            (Codec::Pcmu, 20, 160, 160),
            (Codec::Pcma, 30, 240, 240),
            (Codec::G722, 20, 160, 160),
            (Codec::G729, 20, 20, 160),
            (Codec::G729, 60, 60, 480),
            (Codec::Pcmu, 10, 80, 80),
        ];
        for (codec, millis, bytes, ticks) in table {
            assert_eq!(codec.payload_len(time(millis)), bytes, "{codec} {millis}");
            assert_eq!(time(millis).ticks(), ticks);
            assert_eq!(time(millis).duration(), Duration::from_millis(millis.into()));
        }
        for millis in [0, 5, 15, 70, 266, 276] {
            assert_eq!(PacketTime::from_millis(millis), None);
        }
    }

    #[test]
    fn payload_types_lead_back() {
        assert_eq!(Codec::from_payload_type(PayloadType::OPUS), None, "it may be anything");
        for codec in Codec::ALL.into_iter().filter(|&codec| codec != Codec::Opus) {
            assert_eq!(Codec::from_payload_type(codec.payload_type()), Some(codec));
            assert_eq!(codec.law().map(Codec::from), codec.law().is_some().then_some(codec));
        }
        assert_eq!(Codec::from_payload_type(PayloadType::COMFORT_NOISE), None);
    }
}
