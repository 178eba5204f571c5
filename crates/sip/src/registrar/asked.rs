//! Which phones know only MD5. RFC 8760 has challenges name all algorithms, and phones take the best one that they know; but
//! there are phones that give up where they see one that they do not know. Some are known by name; else who asks again without
//! an answer to such a challenge is one of these.

use std::{collections::BTreeMap, net::IpAddr};

/// Phones that are remembered; the first ones by address are forgotten, and learned again.
const MOST: usize = 4096;
/// Seconds between two requests of a phone that has given up in between; what comes sooner was on its way already.
const AGAIN: u64 = 5;

/// How phones call themselves that are known to give up. Measured: baresip 1.0.0 of Debian 12 ("Function not implemented").
const GIVE_UP: &[&str] = &["baresip v1.0."];

/// Does a phone that calls itself so give up at a challenge that names more than MD5?
pub(crate) fn gives_up(agent: &str) -> bool {
    GIVE_UP.iter().any(|known| agent.starts_with(known))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It was asked then, in seconds, and has not answered.
    Asked(u64),
    /// It answers to nothing but MD5.
    Md5,
}

/// What has become of challenges.
#[derive(Debug, Default)]
pub(crate) struct Asked(BTreeMap<(IpAddr, String), Manner>);

impl Asked {
    /// Somebody at this address, who calls himself so, shows no credentials and is to be asked for them. Only by MD5?
    pub(crate) fn only_md5(&mut self, now: u64, address: IpAddr, name: &str) -> bool {
        let known = self.0.entry(key(address, name)).or_insert(Manner::Asked(now));
        if let Manner::Asked(at) = *known
            && now.saturating_sub(at) >= AGAIN
        {
            *known = Manner::Md5;
        }
        let only = *known == Manner::Md5;
        while self.0.len() > MOST {
            self.0.pop_first();
        }
        only
    }

    /// He has answered.
    pub(crate) fn answered(&mut self, address: IpAddr, name: &str) {
        let key = key(address, name);
        if matches!(self.0.get(&key), Some(Manner::Asked(_))) {
            self.0.remove(&key);
        }
    }

    /// Does he know only MD5, as far as is known?
    pub(crate) fn knows_only_md5(&self, address: IpAddr, name: &str) -> bool {
        self.0.get(&key(address, name)) == Some(&Manner::Md5)
    }
}

fn key(address: IpAddr, name: &str) -> (IpAddr, String) {
    (address, name.chars().take(32).map(|c| c.to_ascii_uppercase()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_again_without_an_answer_is_asked_for_less() {
        let mut asked = Asked::default();
        let host = IpAddr::from([203, 0, 113, 1]);
        assert!(!asked.only_md5(100, host, "anna"));
        assert!(!asked.only_md5(104, host, "anna"), "on its way already");
        assert!(asked.only_md5(106, host, "ANNA"));
        assert!(!asked.only_md5(106, host, "bert"));
        // It does, and goes on to be asked so.
        asked.answered(host, "anna");
        assert!(asked.knows_only_md5(host, "anna") && asked.only_md5(9000, host, "anna"));
        // One that answers is asked for all each time.
        asked.answered(host, "bert");
        assert!(!asked.only_md5(9000, host, "bert") && !asked.knows_only_md5(host, "bert"));
    }

    #[test]
    fn some_are_known_by_name() {
        assert!(gives_up("baresip v1.0.0 (x86_64/linux)"));
        assert!(!gives_up("baresip v3.5.0") && !gives_up(""));
    }

    #[test]
    fn few_are_remembered() {
        let mut asked = Asked::default();
        for at in 0..MOST + 10 {
            asked.only_md5(0, IpAddr::from([203, 0, 113, 1]), &format!("{at}"));
        }
        assert_eq!(asked.0.len(), MOST);
    }
}
