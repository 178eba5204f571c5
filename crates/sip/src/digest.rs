//! Digest authentication (RFC 3261 section 22, RFC 7616, RFC 8760): answering challenges, and making them.

use std::collections::BTreeMap;

use md5::Md5;
use rsipstack::sip::Headers;
use sha2::{Digest, Sha256};

use crate::message::values;

/// How long a nonce of ours is good, in seconds.
const NONCE_LIFE: u64 = 120;
/// How many nonces are remembered for their counts; the oldest are forgotten, and asked for again.
const MOST_NONCES: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The parameters of a challenge or of credentials, if their scheme is Digest.
fn parameters(value: &str) -> Option<BTreeMap<String, String>> {
    let value = value.trim();
    let (scheme, rest) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Digest") {
        return None;
    }
    let mut found = BTreeMap::new();
    let mut rest = rest.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = after.find(',').unwrap_or(after.len());
                (after.get(..end)?.trim().to_string(), after.get(end..)?)
            }
        };
        found.entry(name.trim().to_ascii_lowercase()).or_insert(value);
        if found.len() > 32 {
            return None;
        }
        rest = left.trim_start().trim_start_matches(',').trim_start();
    }
    Some(found)
}

/// The text up to the closing quote, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return Some((value, text.get(at + 1..)?)),
            c => {
                escaped = false;
                value.push(c);
            }
        }
    }
    None
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// An account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
}

/// The header that answers the challenge of a 401 or 407: its name and value. `None` if nothing in the response can be
/// answered. Of several challenges the first that we can is taken (RFC 8760 section 2.4).
pub(crate) fn answer(
    headers: &Headers,
    code: u16,
    account: Account<'_>,
    method: &str,
    uri: &str,
    cnonce: &str,
) -> Option<(&'static str, String)> {
    let (asks, answers) = match code {
        401 => ("WWW-Authenticate", "Authorization"),
        407 => ("Proxy-Authenticate", "Proxy-Authorization"),
        _ => return None,
    };
    let value = values(headers, asks)
        .filter_map(parameters)
        .find_map(|asked| respond(&asked, account, method, uri, cnonce))?;
    Some((answers, value))
}

fn respond(
    asked: &BTreeMap<String, String>,
    account: Account<'_>,
    method: &str,
    uri: &str,
    cnonce: &str,
) -> Option<String> {
    let named = asked.get("algorithm").map(String::as_str);
    let algorithm = algorithm(named)?;
    let (realm, nonce) = (asked.get("realm")?, asked.get("nonce")?);
    let qop = match asked.get("qop") {
        Some(offered) if offered.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")) => true,
        Some(_) => return None,
        None => false,
    };
    let secret = algorithm.hash(&format!("{}:{realm}:{}", account.user, account.password));
    let asked_for = algorithm.hash(&format!("{method}:{uri}"));
    let response = match qop {
        true => algorithm.hash(&format!("{secret}:{nonce}:00000001:{cnonce}:auth:{asked_for}")),
        false => algorithm.hash(&format!("{secret}:{nonce}:{asked_for}")),
    };
    let mut value = format!(
        "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
        quoted(account.user),
        quoted(realm),
        quoted(nonce),
        quoted(uri)
    );
    if named.is_some() {
        value.push_str(&format!(", algorithm={}", algorithm.name()));
    }
    if qop {
        value.push_str(&format!(", qop=auth, nc=00000001, cnonce={}", quoted(cnonce)));
    }
    if let Some(opaque) = asked.get("opaque") {
        value.push_str(&format!(", opaque={}", quoted(opaque)));
    }
    Some(value)
}

fn algorithm(name: Option<&str>) -> Option<Algorithm> {
    match name {
        None => Some(Algorithm::Md5),
        Some(name) if name.eq_ignore_ascii_case("MD5") => Some(Algorithm::Md5),
        Some(name) if name.eq_ignore_ascii_case("SHA-256") => Some(Algorithm::Sha256),
        Some(_) => None,
    }
}

/// Asks for credentials, and checks them.
#[derive(Debug)]
pub(crate) struct Doorman {
    secret: String,
    issued: u64,
    /// The highest count that was seen with a nonce, and when the nonce was made.
    used: BTreeMap<String, (u32, u64)>,
}

/// Which algorithms somebody who is asked may answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum May {
    /// The best that he knows.
    Choose,
    /// He knows nothing else.
    Md5,
}

/// What credentials are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are right.
    Right,
    /// They were right once: they are asked for again.
    Stale,
    /// They are wrong.
    Wrong,
}

impl Doorman {
    /// With a secret that nobody knows.
    pub(crate) fn new(secret: String) -> Self {
        Self { secret, issued: 0, used: BTreeMap::new() }
    }

    /// The challenges of a 401, the better algorithm first. `now` in seconds.
    pub(crate) fn challenges(&mut self, realm: &str, stale: bool, now: u64, may: May) -> Vec<String> {
        self.issued += 1;
        let nonce = self.nonce(now, self.issued);
        let stale = if stale { ", stale=true" } else { "" };
        let algorithms: &[Algorithm] = match may {
            May::Choose => &[Algorithm::Sha256, Algorithm::Md5],
            May::Md5 => &[Algorithm::Md5],
        };
        algorithms
            .iter()
            .map(|algorithm| {
                let name = algorithm.name();
                format!(
                    "Digest realm={}, nonce=\"{nonce}\", algorithm={name}, qop=\"auth\"{stale}",
                    quoted(realm)
                )
            })
            .collect()
    }

    /// Time, number, and a hash with the secret: what was not made here is known by that.
    fn nonce(&self, now: u64, number: u64) -> String {
        let seal = hex(&Sha256::digest(format!("{}:{now}:{number}", self.secret)));
        format!("{now:x}-{number:x}-{}", seal.get(..32).unwrap_or_default())
    }

    /// The user that credentials name.
    pub(crate) fn user(value: &str) -> Option<String> {
        parameters(value)?.remove("username")
    }

    /// Checks the value of an Authorization header.
    pub(crate) fn check(
        &mut self,
        value: &str,
        account: Account<'_>,
        realm: &str,
        method: &str,
        now: u64,
    ) -> Verdict {
        self.try_check(value, account, realm, method, now).unwrap_or(Verdict::Wrong)
    }

    fn try_check(
        &mut self,
        value: &str,
        account: Account<'_>,
        realm: &str,
        method: &str,
        now: u64,
    ) -> Option<Verdict> {
        let given = parameters(value)?;
        let nonce = given.get("nonce")?;
        let mut parts = nonce.split('-');
        let made = u64::from_str_radix(parts.next()?, 16).ok()?;
        let number = u64::from_str_radix(parts.next()?, 16).ok()?;
        if *nonce != self.nonce(made, number) {
            // One of an earlier run, perhaps: a good client asks again.
            return Some(Verdict::Stale);
        }
        let algorithm = algorithm(given.get("algorithm").map(String::as_str))?;
        let (nc, cnonce, uri) = (given.get("nc")?, given.get("cnonce")?, given.get("uri")?);
        if !given.get("qop")?.eq_ignore_ascii_case("auth")
            || given.get("realm")? != realm
            || given.get("username")? != account.user
        {
            return None;
        }
        let secret = algorithm.hash(&format!("{}:{realm}:{}", account.user, account.password));
        let asked_for = algorithm.hash(&format!("{method}:{uri}"));
        let expected = algorithm.hash(&format!("{secret}:{nonce}:{nc}:{cnonce}:auth:{asked_for}"));
        let response = given.get("response")?.to_ascii_lowercase();
        if !same(expected.as_bytes(), response.as_bytes()) {
            return None;
        }
        let count = u32::from_str_radix(nc, 16).ok()?;
        let last = self.used.get(nonce).map_or(0, |used| used.0);
        if now.saturating_sub(made) > NONCE_LIFE || count <= last {
            return Some(Verdict::Stale);
        }
        self.used.insert(nonce.clone(), (count, made));
        if self.used.len() > MOST_NONCES {
            self.used.retain(|_, (_, made)| now.saturating_sub(*made) <= NONCE_LIFE);
            // All within two minutes: the first in order are the oldest, since nonces begin with the time.
            while self.used.len() > MOST_NONCES {
                self.used.pop_first();
            }
        }
        Some(Verdict::Right)
    }
}

/// Are they the same? In a time that does not tell where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use rsipstack::sip::Headers;

    use super::*;
    use crate::message::put;

    const MUFASA: Account<'_> = Account { user: "Mufasa", password: "Circle of Life" };

    fn asked(challenge: &str) -> Headers {
        let mut headers = Headers::default();
        put(&mut headers, "WWW-Authenticate", challenge);
        headers
    }

    #[test]
    fn challenges_are_answered_as_the_rfcs_say() {
        // RFC 7616 section 3.9.1 has both; its count and nonces are kept, the header is ours.
        for (algorithm, expected) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let headers = asked(&format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            ));
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let account = Account { user: "Mufasa", password: "Circle of Life" };
            let (name, value) = answer(&headers, 401, account, "GET", "/dir/index.html", cnonce).unwrap();
            assert_eq!(name, "Authorization");
            assert!(value.contains(&format!("response=\"{expected}\"")), "{value}");
            assert!(value.contains("qop=auth, nc=00000001, "), "{value}");
        }
    }

    #[test]
    fn the_first_challenge_that_can_be_answered_is() {
        let mut headers = asked("Basic realm=\"x\"");
        put(&mut headers, "WWW-Authenticate", "Digest realm=\"x\", nonce=\"1\", algorithm=SHA-512-256");
        put(&mut headers, "WWW-Authenticate", "Digest realm=\"y\", nonce=\"2\"");
        let (_, value) = answer(&headers, 401, MUFASA, "INVITE", "sip:a", "c").unwrap();
        assert!(
            value.contains("realm=\"y\"") && !value.contains("qop") && !value.contains("algorithm"),
            "{value}"
        );
        assert_eq!(answer(&headers, 407, MUFASA, "INVITE", "sip:a", "c"), None);
        for bad in [
            "",
            "Digest",
            "Digest realm=\"x",
            "Digest =,=,=",
            "Digest nonce=1",
            "Digest realm=\"x\", nonce=1, qop=\"auth-int\"",
        ] {
            assert_eq!(answer(&asked(bad), 401, MUFASA, "INVITE", "sip:a", "c"), None, "{bad}");
        }
    }

    #[test]
    fn our_own_challenges_are_checked() {
        let mut doorman = Doorman::new("secret".into());
        for at in 0..2 {
            let challenge = doorman.challenges("office", false, 100, May::Choose).remove(at);
            let (_, value) = answer(&asked(&challenge), 401, MUFASA, "INVITE", "sip:a", "c").unwrap();
            assert_eq!(Doorman::user(&value).as_deref(), Some("Mufasa"));
            let other = Account { user: "Mufasa", password: "circle" };
            assert_eq!(doorman.check(&value, other, "office", "INVITE", 101), Verdict::Wrong);
            assert_eq!(doorman.check(&value, MUFASA, "office", "BYE", 101), Verdict::Wrong);
            assert_eq!(doorman.check(&value, MUFASA, "office", "INVITE", 101), Verdict::Right);
            assert_eq!(
                doorman.check(&value, MUFASA, "office", "INVITE", 101),
                Verdict::Stale,
                "once is enough"
            );
        }
        let challenge = doorman.challenges("office", true, 100, May::Choose).remove(0);
        assert!(challenge.ends_with("stale=true"));
        let (_, value) = answer(&asked(&challenge), 401, MUFASA, "INVITE", "sip:a", "c").unwrap();
        assert_eq!(doorman.check(&value, MUFASA, "office", "INVITE", 100 + NONCE_LIFE + 1), Verdict::Stale);
        let mut other = Doorman::new("another".into());
        assert_eq!(other.check(&value, MUFASA, "office", "INVITE", 101), Verdict::Stale);
        assert_eq!(doorman.check("Digest x", MUFASA, "office", "INVITE", 101), Verdict::Wrong);
    }

    #[test]
    fn few_nonces_are_remembered() {
        let mut doorman = Doorman::new("secret".into());
        for _ in 0..MOST_NONCES + 100 {
            let challenge = doorman.challenges("office", false, 100, May::Choose).remove(1);
            let (_, value) = answer(&asked(&challenge), 401, MUFASA, "INVITE", "sip:a", "c").unwrap();
            assert_eq!(doorman.check(&value, MUFASA, "office", "INVITE", 101), Verdict::Right);
        }
        assert_eq!(doorman.used.len(), MOST_NONCES);
    }
}
