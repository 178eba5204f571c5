//! Encrypted audio (SRTP): what stands between the sockets and whoever speaks plain RTP, in the manager's media thread and in the
//! emulated phone. The ciphers are the crate `libsrtp`'s, which needs std; the keys are [`selsius_wire::srtp`]'s.
//!
//! A direction has keys of its own. [`Outgoing`] protects, [`Incoming`] unprotects; what it gives back was sent by somebody who has the
//! keys, and is given back once.

mod incoming;
mod outgoing;
mod sources;

use libsrtp::{MasterKey, ProtectionProfile, SrtpError, StreamConfig};
use selsius_wire::srtp::{Keys, Suite};
use thiserror::Error;

pub use self::{incoming::Incoming, outgoing::Outgoing};

/// Why a packet was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// It is no RTP, or no RTCP.
    #[error("malformed packet")]
    Malformed,
    /// It was there before, or is so old that this cannot be known.
    #[error("packet that was there before")]
    Replayed,
    /// Whoever sent it does not have the keys, or sent it in clear; or it was changed on its way.
    #[error("packet that is not authentic")]
    Forged,
    /// The key has protected as much as it may.
    #[error("key that is used up")]
    Spent,
}

impl From<SrtpError> for Refused {
    fn from(error: SrtpError) -> Self {
        match error {
            SrtpError::InvalidPacket => Self::Malformed,
            SrtpError::InvalidPacketIndex => Self::Replayed,
            SrtpError::KeyLimit { .. } => Self::Spent,
            _ => Self::Forged,
        }
    }
}

/// What the library wants to know of keys.
fn config(keys: &Keys) -> StreamConfig {
    use ProtectionProfile::{
        AeadAes128Gcm, AeadAes256Gcm, Aes128CmHmacSha132, Aes128CmHmacSha180, Aes256CmHmacSha132,
        Aes256CmHmacSha180,
    };
    // Tags of RTCP are never short (RFC 3711 section 3.4).
    let (rtp, rtcp) = match keys.suite() {
        Suite::AesCm128HmacSha1_80 => (Aes128CmHmacSha180, Aes128CmHmacSha180),
        Suite::AesCm128HmacSha1_32 => (Aes128CmHmacSha132, Aes128CmHmacSha180),
        Suite::AesCm256HmacSha1_80 => (Aes256CmHmacSha180, Aes256CmHmacSha180),
        Suite::AesCm256HmacSha1_32 => (Aes256CmHmacSha132, Aes256CmHmacSha180),
        Suite::AeadAes128Gcm => (AeadAes128Gcm, AeadAes128Gcm),
        Suite::AeadAes256Gcm => (AeadAes256Gcm, AeadAes256Gcm),
    };
    StreamConfig::new(vec![MasterKey::new(keys.key(), keys.salt(), &None)], &rtp, &rtcp)
}

/// The most that protection adds to a packet: the index of RTCP and the tag of AES-GCM.
const MOST_ADDED: usize = 4 + 16;

/// Which word of a packet says who sent it, in RTP and in RTCP.
fn source(packet: &[u8], at: usize) -> Option<u32> {
    packet.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

const RTP_SOURCE: usize = 8;
const RTCP_SOURCE: usize = 4;
