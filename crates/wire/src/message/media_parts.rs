//! Parts of media messages.

use core::fmt;

use selsius_wire_derive::Wire;

use crate::{
    codec::union,
    value::{Bytes, EncryptionAlgorithm, G723BitRate, Spare},
};

/// SRTP keys of a stream. 4.1 ends after the salt.
#[derive(Clone, Copy, PartialEq, Eq, Wire)]
pub struct EncryptionKeyInfo {
    /// The cipher.
    pub algorithm_id: EncryptionAlgorithm,
    /// Meaningful bytes of the key.
    pub keylen: u16,
    /// Meaningful bytes of the salt.
    pub saltlen: u16,
    /// The key.
    pub key: Bytes<16>,
    /// The salt.
    pub salt: Bytes<16>,
    /// Whether packets name the key.
    pub is_mki_present: u32,
    /// How often a new key is derived.
    pub key_derivation_rate: u32,
}

/// Messages are printed in logs, and keys are not to be read there.
impl fmt::Debug for EncryptionKeyInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKeyInfo")
            .field("algorithm_id", &self.algorithm_id)
            .field("keylen", &self.keylen)
            .field("saltlen", &self.saltlen)
            .field("is_mki_present", &self.is_mki_present)
            .field("key_derivation_rate", &self.key_derivation_rate)
            .finish_non_exhaustive()
    }
}

/// What a phone should be able to do with modems later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct LatentCaps {
    /// Whether this part means anything.
    pub active: u32,
    /// Modem relay.
    pub modem_relay: ModemRelay,
    /// SPRT windows.
    pub sprt: SprtPayload,
    /// State signalling events.
    pub sse: Sse,
    /// RTP payload types: nse, rfc2833, sse, v150sprt, noaudio, and three for the future.
    pub payload_param: Bytes<8>,
}

/// V.150.1 modem relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct ModemRelay {
    /// Capability and version.
    pub cap_and_ver: u32,
    /// Modulation and RFC 2833.
    pub mod_and_2833: u32,
}

/// V.150.1 simple packet relay transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct SprtPayload {
    /// Channel 0, the most bytes.
    pub chan0_max_payload: u16,
    /// Channel 2, the most bytes.
    pub chan2_max_payload: u16,
    /// Channel 3, the most bytes.
    pub chan3_max_payload: u16,
    /// Channel 2, the window.
    pub chan2_max_window: u16,
}

/// V.150.1 state signalling events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct Sse {
    /// Standard events.
    pub standard: u32,
    /// Vendor's events.
    pub vendor: u32,
}

/// Parameters of a codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
pub struct CodecParameters {
    /// Mode.
    pub codec_mode: u8,
    /// RTP payload type; 0 for the static one.
    pub dynamic_payload: u8,
    /// First parameter.
    pub codec_param1: u8,
    /// Second parameter.
    pub codec_param2: u8,
}

union! {
    /// Four bytes in a media order, chosen by the codec.
    CodecParams {
        /// For [`Codec::G7231`](crate::Codec::G7231), and for all before v11.
        G723(g723_bit_rate: G723BitRate) = 0x09,
        _ =>
        /// For everything else.
        Codec(codec_params: CodecParameters)
    }
}

union! {
    /// Eight bytes in an audio capability, chosen by the codec. Members that need only four keep the other
    /// four as they were.
    PayloadParams {
        /// For G.723.1.
        G723(g723_bit_rate: G723BitRate, spare: Spare<4>) = 0x09,
        /// For [`Codec::V150LcModemRelay`](crate::Codec::V150LcModemRelay).
        ModemRelay(modem_relay: ModemRelay) = 0x012C,
        /// For [`Codec::V150LcSprt`](crate::Codec::V150LcSprt).
        Sprt(sprt_payload: SprtPayload) = 0x012D,
        /// For [`Codec::V150LcSse`](crate::Codec::V150LcSse).
        Sse(sse: Sse) = 0x012E,
        _ =>
        /// For everything else.
        Codec(codec_params: CodecParameters, spare: Spare<4>)
    }
}
