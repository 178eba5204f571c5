//! Keys in session descriptions (SDES, RFC 4568): `a=crypto`.
//!
//! Each side names the keys of what it sends itself. Who offers lists suites, who answers takes one of them.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use selsius_exchange::srtp::{Keys, PartyKeys, Suite};
use selsius_site::Srtp;

use super::SdpError;

/// What we offer, the best first. More would make an INVITE so long that it does not fit into a datagram.
const OFFERED: [Suite; 4] =
    [Suite::AeadAes256Gcm, Suite::AeadAes128Gcm, Suite::AesCm128HmacSha1_80, Suite::AesCm128HmacSha1_32];
/// More lines than these are not read.
const MOST: usize = 32;
/// Keys with and without padding are around.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One `a=crypto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crypto {
    tag: u32,
    keys: Keys,
}

impl Crypto {
    /// Reads what stands behind `a=crypto:`. `None` for what we do not speak: suites, keys that packets name (MKI), parameters that
    /// change what is encrypted (RFC 4568 section 6.3).
    fn read(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?;
        let tag = (tag.len() <= 9).then(|| tag.parse().ok())??;
        let suite = Suite::from_name(words.next()?)?;
        let key = words.next()?.strip_prefix("inline:")?;
        // Behind the key are its lifetime, which is longer than any call, and its name.
        let mut parts = key.split('|');
        let key = BASE64.decode(parts.next()?).ok()?;
        let named = parts.any(|part| part.contains(':'));
        let understood = |word: &str| word.starts_with("WSH=") || word.starts_with('-');
        if named || !words.all(understood) {
            return None;
        }
        Some(Self { tag, keys: Keys::new(suite, &key)? })
    }

    /// Those of a stream that we can speak, as it lists them.
    pub(super) fn of<'a>(values: impl Iterator<Item = &'a str>) -> Vec<Self> {
        values.take(MOST).filter_map(Self::read).collect()
    }

    /// What stands behind `a=crypto:`.
    pub(super) fn value(&self) -> String {
        let key = BASE64.encode([self.keys.key(), self.keys.salt()].concat());
        format!("{} {} inline:{key}", self.tag, self.keys.suite().name())
    }
}

/// What we say of encryption, and our own keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Secrecy {
    /// Is it wanted?
    wanted: Srtp,
    /// Our keys, one for each suite. Empty where it is not wanted.
    ours: Vec<Keys>,
    /// What was agreed on: it stays, and what was encrypted once is never in clear again.
    agreed: Option<Agreed>,
}

/// The line that both have chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Agreed {
    tag: u32,
    suite: Suite,
}

impl Secrecy {
    /// For one call. `secret` is its own, and nobody else knows it: our keys are made of it.
    pub fn new(wanted: Srtp, secret: [u8; 32]) -> Self {
        let mut chance = ChaCha20Rng::from_seed(secret);
        let suites = if wanted == Srtp::Off { &[][..] } else { &Suite::ALL };
        let ours =
            suites.iter().map(|&suite| Keys::random(suite, |bytes| chance.fill_bytes(bytes))).collect();
        Self { wanted, ours, agreed: None }
    }

    /// Is it wanted?
    pub fn wanted(&self) -> Srtp {
        self.wanted
    }

    fn ours(&self, suite: Suite) -> Option<Keys> {
        self.ours.iter().copied().find(|keys| keys.suite() == suite)
    }

    /// Our offer.
    pub(super) fn offered(&self) -> Vec<Crypto> {
        let line = |(tag, suite)| Some(Crypto { tag, keys: self.ours(suite)? });
        match self.agreed {
            Some(Agreed { tag, suite }) => line((tag, suite)).into_iter().collect(),
            None => (1..).zip(OFFERED).filter_map(line).collect(),
        }
    }

    /// Our answer to these lines of an offer, and the keys that hold then. `secure` says whether the offer insists on it.
    ///
    /// # Errors
    /// If one of both insists on what the other cannot do.
    pub(super) fn answer(
        &self,
        theirs: &[Crypto],
        secure: bool,
    ) -> Result<Option<(Crypto, PartyKeys)>, SdpError> {
        let both = |line: &Crypto| {
            let hears = self.ours(line.keys.suite())?;
            Some((Crypto { tag: line.tag, keys: hears }, PartyKeys { sends: line.keys, hears }))
        };
        // The suite that is spoken is kept: its keys go on counting.
        let kept = |line: &&Crypto| self.agreed.is_some_and(|agreed| agreed.suite == line.keys.suite());
        let chosen = theirs.iter().find(kept).and_then(both).or_else(|| theirs.iter().find_map(both));
        self.check(chosen, secure)
    }

    /// The keys that hold by this answer to our offer.
    ///
    /// # Errors
    /// If it takes none of our lines although that was needed, or another one than there was.
    pub(super) fn answered(&self, theirs: &[Crypto], secure: bool) -> Result<Option<PartyKeys>, SdpError> {
        let offered = self.offered();
        let taken = theirs.first().and_then(|line| {
            let ours = offered.iter().find(|ours| ours.tag == line.tag)?;
            let fits = ours.keys.suite() == line.keys.suite();
            fits.then_some(PartyKeys { sends: line.keys, hears: ours.keys })
        });
        // Who answers with a line that we have not offered believes that it is encrypted.
        if taken.is_none() && !theirs.is_empty() {
            return Err(SdpError::NoKeys);
        }
        self.check(taken, secure)
    }

    fn check<T>(&self, chosen: Option<T>, secure: bool) -> Result<Option<T>, SdpError> {
        let needed = secure || self.wanted == Srtp::Required || self.agreed.is_some();
        if chosen.is_none() && needed { Err(SdpError::NoKeys) } else { Ok(chosen) }
    }

    /// Keeps what both have chosen.
    ///
    /// # Errors
    /// If that is to go on in clear.
    pub(crate) fn keep(&mut self, theirs: &[Crypto], keys: Option<PartyKeys>) -> Result<(), SdpError> {
        let line = theirs.iter().find(|line| keys.is_some_and(|keys| keys.sends == line.keys));
        let agreed = line.map(|line| Agreed { tag: line.tag, suite: line.keys.suite() });
        self.check(agreed, false)?;
        self.agreed = agreed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of RFC 4568 section 9.1, and others of its examples.
    #[test]
    fn lines_are_read_as_they_are_written_by_others() {
        let key = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
        let plain = Crypto::read(&format!("1 AES_CM_128_HMAC_SHA1_80 {key}|2^20")).unwrap();
        assert_eq!((plain.tag, plain.keys.suite()), (1, Suite::AesCm128HmacSha1_80));
        assert_eq!(plain.keys.key(), b"YS___semctl () {");
        assert_eq!(plain.keys.salt(), b"\t220;}\n}\nunles");
        assert_eq!(Crypto::read(&plain.value()), Some(plain));
        for same in ["|2^20|", " WSH=64", " -EXTRA", "|1048576 WSH=128"] {
            let line = format!("1 AES_CM_128_HMAC_SHA1_80 {key}{same}");
            assert_eq!(Crypto::read(&line), Some(plain), "{line}");
        }
        for unknown in [
            format!("1 AES_CM_128_HMAC_SHA1_80 {key}|2^20|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 {key}|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 {key} UNENCRYPTED_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 {key} KDR=4"),
            format!("1 F8_128_HMAC_SHA1_80 {key}"),
            format!("1 AEAD_AES_128_GCM {key}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 {key};{key}"),
            format!("x AES_CM_128_HMAC_SHA1_80 {key}"),
            format!("9999999999 AES_CM_128_HMAC_SHA1_80 {key}"),
            "1 AES_CM_128_HMAC_SHA1_80 inline:".into(),
            "1 AES_CM_128_HMAC_SHA1_80 inline:%%%%".into(),
            "1 AES_CM_128_HMAC_SHA1_80".into(),
            "1".into(),
            String::new(),
        ] {
            assert_eq!(Crypto::read(&unknown), None, "{unknown}");
        }
    }

    fn pair(offers: Srtp, answers: Srtp) -> (Secrecy, Secrecy) {
        (Secrecy::new(offers, [1; 32]), Secrecy::new(answers, [2; 32]))
    }

    #[test]
    fn both_sides_have_the_same_keys_and_keep_them() {
        let (mut one, mut other) = pair(Srtp::Required, Srtp::Optional);
        let offer = one.offered();
        let (line, theirs) = other.answer(&offer, true).unwrap().unwrap();
        let ours = one.answered(&[line], true).unwrap().unwrap();
        assert_eq!((ours.sends, ours.hears), (theirs.hears, theirs.sends));
        assert_eq!(ours.sends.suite(), OFFERED[0]);
        one.keep(&[line], Some(ours)).unwrap();
        other.keep(&offer, Some(theirs)).unwrap();
        // A later offer has the same keys and no others, whoever makes it.
        assert_eq!(one.offered(), [offer[0]]);
        let again = other.offered();
        let (line, keys) = one.answer(&again, true).unwrap().unwrap();
        assert_eq!((keys, other.answered(&[line], true)), (ours, Ok(Some(theirs))));
        // And never again in clear.
        assert_eq!(one.answer(&[], false), Err(SdpError::NoKeys));
        assert_eq!(other.answered(&[], false), Err(SdpError::NoKeys));
        assert_eq!(one.keep(&[], None), Err(SdpError::NoKeys));
    }

    #[test]
    fn what_is_wanted_decides_about_what_comes() {
        use Srtp::{Off, Optional, Required};
        // Whether it is taken, by our setting, and what the far end says: nothing, keys that are not insisted on, keys that are.
        for (wanted, expected) in [
            (Off, [Ok(false), Ok(false), Err(SdpError::NoKeys)]),
            (Optional, [Ok(false), Ok(true), Ok(true)]),
            (Required, [Err(SdpError::NoKeys), Ok(true), Ok(true)]),
        ] {
            let (theirs, ours) = pair(Required, wanted);
            let lines = theirs.offered();
            for ((lines, secure), expected) in
                [(&[][..], false), (&lines, false), (&lines, true)].iter().zip(expected)
            {
                assert_eq!(
                    ours.answer(lines, *secure).map(|chosen| chosen.is_some()),
                    expected,
                    "{wanted} {secure}"
                );
            }
        }
        let (ours, theirs) = pair(Optional, Required);
        let (line, _) = theirs.answer(&ours.offered(), false).unwrap().unwrap();
        // Answers that take what was not offered.
        assert_eq!(ours.answered(&[Crypto { tag: 9, ..line }], false), Err(SdpError::NoKeys));
        assert_eq!(ours.answered(&[Crypto { tag: 2, ..line }], false), Err(SdpError::NoKeys));
        assert_eq!(ours.answered(&[], false), Ok(None));
        assert_eq!(ours.answered(&[], true), Err(SdpError::NoKeys));
    }

    #[test]
    fn each_call_has_keys_of_its_own_and_shows_none() {
        let (one, other) = pair(Srtp::Optional, Srtp::Optional);
        assert!(one.offered().iter().zip(other.offered()).all(|(one, other)| one.keys != other.keys));
        let key = BASE64.encode(one.offered()[0].keys.key());
        let text = format!("{one:?} {:?}", one.offered());
        assert!(
            !text.contains(&key[..8]) && !text.contains(&format!("{:?}", &one.offered()[0].keys.key()[..4])),
            "{text}"
        );
        assert!(Secrecy::new(Srtp::Off, [1; 32]).offered().is_empty());
    }
}
