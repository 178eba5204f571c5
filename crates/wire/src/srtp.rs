//! The keys of encrypted audio (SRTP, RFC 3711), as media orders carry them to phones ([`EncryptionKeyInfo`]) and session
//! descriptions to other systems (RFC 4568).

use core::fmt;

use crate::{
    message::EncryptionKeyInfo,
    value::{Bytes, EncryptionAlgorithm},
};

/// A cipher with its authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// AES in counter mode with 128 bits, a tag of 80 bits (RFC 3711). Whoever can do SRTP can do this.
    AesCm128HmacSha1_80,
    /// The same with a tag of 32 bits on RTP; that of RTCP has 80.
    AesCm128HmacSha1_32,
    /// AES in counter mode with 256 bits, a tag of 80 bits (RFC 6188).
    AesCm256HmacSha1_80,
    /// The same with a tag of 32 bits on RTP.
    AesCm256HmacSha1_32,
    /// AES in Galois/counter mode with 128 bits (RFC 7714).
    AeadAes128Gcm,
    /// AES in Galois/counter mode with 256 bits.
    AeadAes256Gcm,
}

impl Suite {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
        Self::AesCm256HmacSha1_80,
        Self::AesCm256HmacSha1_32,
        Self::AeadAes128Gcm,
        Self::AeadAes256Gcm,
    ];

    /// Its name in session descriptions (RFC 4568 section 6.2, RFC 6188 section 4, RFC 7714 section 14.2).
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AesCm256HmacSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::AesCm256HmacSha1_32 => "AES_256_CM_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// The suite of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// Bytes of the master key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::AesCm256HmacSha1_80 | Self::AesCm256HmacSha1_32 | Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of the master salt.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
            Self::AesCm128HmacSha1_80
            | Self::AesCm128HmacSha1_32
            | Self::AesCm256HmacSha1_80
            | Self::AesCm256HmacSha1_32 => 14,
        }
    }
}

/// The master key and salt of streams in one direction. Nothing that is printed shows them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    suite: Suite,
    key: [u8; 32],
    salt: [u8; 14],
}

impl Keys {
    /// Bytes of key and salt together, at most.
    pub const MOST: usize = 46;

    /// Out of a key and the salt behind it, which are as long as the suite wants; `None` if they are not.
    pub fn new(suite: Suite, key_and_salt: &[u8]) -> Option<Self> {
        let (from, rest) = key_and_salt.split_at_checked(suite.key_len())?;
        let mut keys = Self { suite, key: [0; 32], salt: [0; 14] };
        keys.key.get_mut(..suite.key_len())?.copy_from_slice(from);
        let salt = keys.salt.get_mut(..suite.salt_len())?;
        if rest.len() != salt.len() {
            return None;
        }
        salt.copy_from_slice(rest);
        Some(keys)
    }

    /// Out of random bytes, of which as many are taken as the suite wants.
    pub fn random(suite: Suite, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut keys = Self { suite, key: [0; 32], salt: [0; 14] };
        let mut random = [0; Self::MOST];
        fill(&mut random);
        let (key, salt) = random.split_at(suite.key_len());
        for (to, from) in keys.key.iter_mut().zip(key) {
            *to = *from;
        }
        for (to, from) in keys.salt.iter_mut().take(suite.salt_len()).zip(salt) {
            *to = *from;
        }
        keys
    }

    /// Cipher and authentication.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The master key.
    pub fn key(&self) -> &[u8] {
        self.key.get(..self.suite.key_len()).unwrap_or_default()
    }

    /// The master salt.
    pub fn salt(&self) -> &[u8] {
        self.salt.get(..self.suite.salt_len()).unwrap_or_default()
    }

    /// As media orders have them; `None` for a suite that these do not know, or have no room for.
    pub fn for_phone(&self) -> Option<EncryptionKeyInfo> {
        let algorithm_id = match self.suite {
            Suite::AesCm128HmacSha1_80 => EncryptionAlgorithm::AesCm128HmacSha1_80,
            Suite::AesCm128HmacSha1_32 => EncryptionAlgorithm::AesCm128HmacSha1_32,
            Suite::AeadAes128Gcm => EncryptionAlgorithm::AeadAes128Gcm,
            Suite::AesCm256HmacSha1_80 | Suite::AesCm256HmacSha1_32 | Suite::AeadAes256Gcm => return None,
        };
        let room = |bytes: &[u8]| {
            let mut room = [0; 16];
            room.get_mut(..bytes.len())?.copy_from_slice(bytes);
            Some(Bytes(room))
        };
        Some(EncryptionKeyInfo {
            algorithm_id,
            keylen: u16::try_from(self.key().len()).ok()?,
            saltlen: u16::try_from(self.salt().len()).ok()?,
            key: room(self.key())?,
            salt: room(self.salt())?,
            ..EncryptionKeyInfo::default()
        })
    }
}

/// The keys of a party's audio, as the party sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartyKeys {
    /// Of what it sends.
    pub sends: Keys,
    /// Of what it hears.
    pub hears: Keys,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.suite).finish_non_exhaustive()
    }
}

/// What a media order says of encryption that cannot be done: the stream must not go in clear instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported;

impl EncryptionKeyInfo {
    /// The keys in a media order; `None` if its stream goes in clear.
    ///
    /// # Errors
    /// If the stream is to be encrypted in a way that is not known here, or with keys of another length than its cipher has.
    pub fn keys(&self) -> Result<Option<Keys>, Unsupported> {
        let suite = match self.algorithm_id {
            EncryptionAlgorithm::None => return Ok(None),
            EncryptionAlgorithm::AesCm128HmacSha1_80 => Suite::AesCm128HmacSha1_80,
            EncryptionAlgorithm::AesCm128HmacSha1_32 => Suite::AesCm128HmacSha1_32,
            EncryptionAlgorithm::AeadAes128Gcm => Suite::AeadAes128Gcm,
            _ => return Err(Unsupported),
        };
        // Packets that name their key, and session keys that change, are nothing that a manager was seen to ask for.
        if self.is_mki_present != 0 || self.key_derivation_rate != 0 {
            return Err(Unsupported);
        }
        let part = |bytes: &Bytes<16>, len: u16| bytes.0.get(..usize::from(len)).map(<[u8]>::to_vec);
        let key = part(&self.key, self.keylen).filter(|key| key.len() == suite.key_len());
        let (Some(mut both), Some(salt)) = (key, part(&self.salt, self.saltlen)) else {
            return Err(Unsupported);
        };
        both.extend(salt);
        Keys::new(suite, &both).map(Some).ok_or(Unsupported)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn keys_go_to_phones_and_come_back() {
        for suite in Suite::ALL {
            assert_eq!(Suite::from_name(suite.name()), Some(suite));
            let keys = Keys::random(suite, |bytes| {
                bytes.iter_mut().zip(1..).for_each(|(to, from)| *to = from);
            });
            assert_eq!(keys.key().len() + keys.salt().len(), suite.key_len() + suite.salt_len());
            assert_eq!(keys.salt().first(), u8::try_from(suite.key_len() + 1).ok().as_ref(), "{suite:?}");
            let both = [keys.key(), keys.salt()].concat();
            assert_eq!(Keys::new(suite, &both), Some(keys));
            assert_eq!(Keys::new(suite, both.get(1..).unwrap()), None);
            match keys.for_phone() {
                Some(info) => assert_eq!(info.keys(), Ok(Some(keys))),
                None => assert_eq!(suite.key_len(), 32),
            }
        }
        assert_eq!(EncryptionKeyInfo::default().keys(), Ok(None));
    }

    #[test]
    fn what_cannot_be_encrypted_does_not_go_in_clear() {
        let keys = Keys::random(Suite::AesCm128HmacSha1_32, |bytes| bytes.fill(0xA5)).for_phone().unwrap();
        for wrong in [
            EncryptionKeyInfo { algorithm_id: EncryptionAlgorithm::F8_128HmacSha1_80, ..keys },
            EncryptionKeyInfo { keylen: 15, ..keys },
            EncryptionKeyInfo { keylen: 17, ..keys },
            EncryptionKeyInfo { saltlen: 12, ..keys },
            EncryptionKeyInfo { saltlen: 0xFFFF, ..keys },
            EncryptionKeyInfo { is_mki_present: 1, ..keys },
            EncryptionKeyInfo { key_derivation_rate: 1, ..keys },
        ] {
            assert_eq!(wrong.keys(), Err(Unsupported), "{wrong:?}");
        }
    }

    #[test]
    fn nothing_that_is_printed_shows_them() {
        let keys = Keys::random(Suite::AesCm128HmacSha1_80, |bytes| bytes.fill(0xA5));
        let info = keys.for_phone().unwrap();
        let order = crate::message::OpenReceiveChannel { encryption: info, ..Default::default() };
        for text in [format!("{keys:?}"), format!("{info:?}"), format!("{order:#?}")] {
            assert!(!text.contains("165") && !text.to_lowercase().contains("a5"), "{text}");
        }
    }
}
