//! Parts of media messages.

use selsius_wire_derive::Wire;

use crate::{
    codec::{Field, FieldError, Kind, Reader, Union, Walk, Wire, Writer},
    value::{Bytes, Codec, EncryptionAlgorithm, G723BitRate},
};

/// SRTP keys of a stream. 4.1 ends after the salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Wire)]
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

/// Four bytes in a media order, chosen by the codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodecParams {
    /// For [`Codec::G7231`], and for all before v11.
    G723(G723BitRate),
    /// For everything else.
    Codec(CodecParameters),
}

impl Default for CodecParams {
    fn default() -> Self {
        Self::Codec(CodecParameters::default())
    }
}

impl Wire for CodecParams {
    const KIND: Kind = Kind::Union("CodecParams");

    fn absent() -> Self {
        Self::default()
    }

    #[inline]
    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        r.part().map(Self::Codec)
    }

    #[inline]
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::G723(rate) => rate.encode(w),
            Self::Codec(params) => params.encode(w),
        }
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        match self {
            Self::G723(rate) => rate.visit(walk, field),
            Self::Codec(params) => params.visit(walk, field),
        }
    }
}

impl Union for CodecParams {
    #[inline]
    fn decode_as(r: &mut Reader<'_>, selector: u32) -> Result<Self, FieldError> {
        match Codec::from(selector) {
            Codec::G7231 => r.part().map(Self::G723),
            _ => Self::decode(r),
        }
    }
}

/// Eight bytes in an audio capability, chosen by the codec. Members that need only four keep the other four
/// as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadParams {
    /// For [`Codec::G7231`].
    G723(G723BitRate, Bytes<4>),
    /// For [`Codec::V150LcModemRelay`].
    ModemRelay(ModemRelay),
    /// For [`Codec::V150LcSprt`].
    Sprt(SprtPayload),
    /// For [`Codec::V150LcSse`].
    Sse(Sse),
    /// For everything else.
    Codec(CodecParameters, Bytes<4>),
}

impl Default for PayloadParams {
    fn default() -> Self {
        Self::Codec(CodecParameters::default(), Bytes::default())
    }
}

impl Wire for PayloadParams {
    const KIND: Kind = Kind::Union("PayloadParams");

    fn absent() -> Self {
        Self::default()
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(Self::Codec(r.part()?, r.part()?))
    }

    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::G723(rate, rest) => {
                rate.encode(w);
                rest.encode(w);
            }
            Self::ModemRelay(relay) => relay.encode(w),
            Self::Sprt(sprt) => sprt.encode(w),
            Self::Sse(sse) => sse.encode(w),
            Self::Codec(params, rest) => {
                params.encode(w);
                rest.encode(w);
            }
        }
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        match self {
            Self::G723(rate, rest) => {
                rate.visit(walk, field);
                rest.visit(walk, field);
            }
            Self::ModemRelay(relay) => relay.visit(walk, field),
            Self::Sprt(sprt) => sprt.visit(walk, field),
            Self::Sse(sse) => sse.visit(walk, field),
            Self::Codec(params, rest) => {
                params.visit(walk, field);
                rest.visit(walk, field);
            }
        }
    }
}

impl Union for PayloadParams {
    fn decode_as(r: &mut Reader<'_>, selector: u32) -> Result<Self, FieldError> {
        match Codec::from(selector) {
            Codec::G7231 => Ok(Self::G723(r.part()?, r.part()?)),
            Codec::V150LcModemRelay => r.part().map(Self::ModemRelay),
            Codec::V150LcSprt => r.part().map(Self::Sprt),
            Codec::V150LcSse => r.part().map(Self::Sse),
            _ => Self::decode(r),
        }
    }
}
