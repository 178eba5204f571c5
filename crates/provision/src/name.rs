//! The names of files, as far as a phone may say them.

use alloc::string::String;
use core::fmt;

use thiserror::Error;

/// A relative path that stays within its folder: parts out of visible ASCII, `/` between them, none of which begins
/// with a dot. Case is as it came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName(String);

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadName {
    /// Nothing, or nothing between two slashes.
    #[error("a name is missing")]
    Empty,
    /// More than [`FileName::MAX`] bytes.
    #[error("the name is too long")]
    TooLong,
    /// A character that no phone's file has: control characters, spaces at the ends, backslash, colon, anything
    /// beyond ASCII.
    #[error("the name has a character that is not allowed")]
    Character,
    /// `.`, `..` or a hidden file.
    #[error("a part of the name begins with a dot")]
    Dot,
}

impl FileName {
    /// Longest name, in bytes.
    pub const MAX: usize = 128;

    /// Checks a name. One leading `/` is dropped, since to a phone the served folder is the root (SPA phones ask
    /// for `/spa525g2.cfg`).
    ///
    /// # Errors
    /// Whatever could leave the folder or trick the file system is refused, not repaired.
    pub fn parse(name: &[u8]) -> Result<Self, BadName> {
        let name = name.strip_prefix(b"/").unwrap_or(name);
        if name.len() > Self::MAX {
            return Err(BadName::TooLong);
        }
        let possible =
            |&byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'\\' | b':' | b'%' | b'"');
        if !name.iter().all(possible) {
            return Err(BadName::Character);
        }
        for part in name.split(|&byte| byte == b'/') {
            match part {
                [] => return Err(BadName::Empty),
                [b'.', ..] => return Err(BadName::Dot),
                // Some file systems drop these, and the name is another one then.
                [b' ', ..] | [.., b' ' | b'.'] => return Err(BadName::Character),
                _ => {}
            }
        }
        Ok(Self(name.iter().copied().map(char::from).collect()))
    }

    /// The path as text, relative.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_phones_ask_for_pass() {
        for name in
            ["SEP001380AD9E5F.cnf.xml", "Ringlist.xml", "Germany/g3-tones.xml", "P0030801SR02.loads", "a b.c"]
        {
            assert_eq!(FileName::parse(name.as_bytes()).unwrap().as_str(), name);
        }
        assert_eq!(FileName::parse(b"/spa525g2.cfg").unwrap().as_str(), "spa525g2.cfg");
    }

    #[test]
    fn nothing_leaves_the_folder() {
        let table: [(&[u8], BadName); 21] = [
            (b"", BadName::Empty),
            (b"/", BadName::Empty),
            (b"//etc/passwd", BadName::Empty),
            (b"a//b", BadName::Empty),
            (b"a/", BadName::Empty),
            (b"..", BadName::Dot),
            (b"../a", BadName::Dot),
            (b"/../a", BadName::Dot),
            (b"a/../../b", BadName::Dot),
            (b"a/./b", BadName::Dot),
            (b".hidden", BadName::Dot),
            (b"a/..", BadName::Dot),
            (b"..\\a", BadName::Character),
            (b"a\\..\\b", BadName::Character),
            (b"c:a", BadName::Character),
            (b"a\0.xml", BadName::Character),
            (b"%2e%2e/a", BadName::Character),
            (b"a. ", BadName::Character),
            (b"a/.. /b", BadName::Dot),
            (b"\xC0\xAE\xC0\xAE/a", BadName::Character),
            (b"a\n", BadName::Character),
        ];
        for (name, expected) in table {
            assert_eq!(FileName::parse(name), Err(expected), "{:?}", name.escape_ascii().to_string());
        }
        assert_eq!(FileName::parse(&[b'a'; 129]), Err(BadName::TooLong));
    }
}
