//! One entry of a site, such as the line 1001: taken alone, changed alone.

use thiserror::Error;

use crate::Site;

/// Why something is no entry of a site.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoEntry {
    /// No section is called so.
    #[error("a site has no section `{section}`; sections are {}", known.join(", "))]
    Section {
        /// As it was asked for.
        section: String,
        /// The sections that there are.
        known: &'static [&'static str],
    },
    /// No entry of the section can have this name.
    #[error("`{name}` cannot be the name of a {noun}")]
    Name {
        /// What one entry of the section is called: `line`.
        noun: &'static str,
        /// As it was asked for.
        name: String,
    },
}

impl Site {
    /// Makes one entry what it is in `from`; if it is not there, it goes. Says whether it is there. `section` is the key of
    /// the section in a site file, `name` the entry's; empty where the section is one entry, such as `settings`.
    ///
    /// # Errors
    /// If there can be no such entry.
    pub fn copy_entry(&mut self, from: &Self, section: &str, name: &str) -> Result<bool, NoEntry> {
        self.copy(from, section, name)
    }

    /// One entry as a file that [`Site::apply`] takes; `None` if it is not there.
    ///
    /// # Errors
    /// If there can be no such entry.
    pub fn entry_to_toml(&self, section: &str, name: &str) -> Result<Option<String>, NoEntry> {
        let mut alone = Self::default();
        if !alone.copy(self, section, name)? {
            return Ok(None);
        }
        let mut text = String::new();
        alone.write_used(&mut text);
        Ok(Some(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SAMPLE, SiteFile};

    fn sample() -> Site {
        Site::from_toml("sample.toml", SAMPLE).unwrap()
    }

    #[test]
    fn an_entry_can_be_taken_out_and_put_back() {
        let site = sample();
        for (section, name) in [("lines", "1001"), ("devices", "SEP001122334455")] {
            let text = site.entry_to_toml(section, name).unwrap().unwrap();
            assert!(text.starts_with(&format!("[{section}.{name}]")), "{text}");
            let mut without = site.clone();
            assert_eq!(without.copy_entry(&Site::default(), section, name), Ok(false));
            assert_eq!(without.entry_to_toml(section, name), Ok(None));
            let file = SiteFile::parse("entry.toml", text).unwrap();
            assert_eq!(without.copy_entry(&file.apply(&without, false), section, name), Ok(true));
            assert_eq!(without, site);
        }
    }

    #[test]
    fn what_can_be_no_entry_is_said() {
        let mut site = sample();
        let error = site.copy_entry(&Site::default(), "lifts", "1").unwrap_err().to_string();
        assert!(error.starts_with("a site has no section `lifts`; sections are settings, lines"), "{error}");
        let error = site.copy_entry(&Site::default(), "lines", "10 01").unwrap_err().to_string();
        assert_eq!(error, "`10 01` cannot be the name of a line");
        assert_eq!(site.copy_entry(&Site::default(), "settings", ""), Ok(true));
        assert!(site.copy_entry(&Site::default(), "settings", "x").is_err());
        assert!(site.copy_entry(&Site::default(), "devices", "").is_err());
    }
}
