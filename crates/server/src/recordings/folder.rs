//! The folder of recordings: what is there, what is too old, and what a manager that was killed has left.
//!
//! A recording is `TIME-NUMBER-CALLING-CALLED.wav`: TIME is milliseconds of Unix, and NUMBER makes it the only one. All of this
//! waits for the disk, so it is not for threads that serve others.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use selsius_media::SAMPLE_RATE;

use super::PART;

/// The folder. It is made when it is needed.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// A recording that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: String,
    /// When it began.
    pub(crate) began: Timestamp,
    pub(crate) calling: String,
    pub(crate) called: String,
    pub(crate) bytes: u64,
}

impl Found {
    /// How long it is: two channels of 16 bits.
    pub(crate) fn seconds(&self) -> u64 {
        self.bytes / (4 * u64::from(SAMPLE_RATE))
    }
}

impl Folder {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The recordings, in the order in which they began. Those that are still being written are not among them.
    ///
    /// # Errors
    /// If the folder cannot be read. One that is not there is empty.
    pub(crate) fn list(&self) -> io::Result<Vec<Found>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let found = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let (began, calling, called) = parts(&name)?;
            let (calling, called) = (calling.to_owned(), called.to_owned());
            Some(Found { began, calling, called, bytes: entry.metadata().ok()?.len(), name })
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by(|one, other| (one.began, &one.name).cmp(&(other.began, &other.name)));
        Ok(found)
    }

    /// Where a recording of this name is; `None` for what is no name of one, wherever that would lead.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        parts(name)?;
        Some(self.0.join(name)).filter(|path| path.is_file())
    }

    /// Removes a recording; `false` if there is none of that name.
    pub(crate) fn remove(&self, name: &str) -> io::Result<bool> {
        let Some(path) = self.find(name) else { return Ok(false) };
        fs::remove_file(path)?;
        sync(&self.0)?;
        Ok(true)
    }

    /// Begins a file that only we can read.
    pub(super) fn begin(&self, name: &str) -> io::Result<File> {
        // What people say to each other is nobody else's business.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        File::options().write(true).create_new(true).mode(0o600).open(self.part(name))
    }

    /// Gives a file that is whole and on the disk its name.
    pub(super) fn finish(&self, name: &str) -> io::Result<()> {
        fs::rename(self.part(name), self.0.join(name))?;
        sync(&self.0)
    }

    /// Removes a file that nothing was written to.
    pub(super) fn discard(&self, name: &str) {
        // It is not there, or is removed the next time.
        let _ = fs::remove_file(self.part(name));
    }

    fn part(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.{PART}"))
    }

    /// Gives what a manager that was killed was writing its name, and removes what has no sound in it. For the start, when
    /// nothing is being written.
    pub(super) fn recover(&self) {
        let Ok(entries) = fs::read_dir(&self.0) else { return };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(name) = name.strip_suffix(PART).and_then(|name| name.strip_suffix('.')) else {
                continue;
            };
            if parts(name).is_none() {
                continue;
            }
            let heard = hound::WavReader::open(&path).is_ok_and(|reader| reader.duration() > 0);
            let done = if heard { self.finish(name) } else { fs::remove_file(&path) };
            match done {
                Ok(()) if heard => tracing::info!(name, "a recording that was broken off is kept"),
                Ok(()) => {}
                Err(error) => tracing::warn!(name, %error, "cannot keep a recording that was broken off"),
            }
        }
    }

    /// Removes what began longer ago than `keep`, and the oldest of what is more than `most` bytes together; says how many
    /// recordings that were.
    pub(super) fn tidy(&self, keep: Option<Duration>, most: Option<u64>) -> io::Result<usize> {
        let found = self.list()?;
        let oldest = keep.and_then(|keep| SystemTime::now().checked_sub(keep));
        let oldest = oldest.and_then(|oldest| Timestamp::try_from(oldest).ok());
        let mut bytes: u64 = found.iter().map(|one| one.bytes).sum();
        let mut removed = 0;
        for one in found {
            let old = oldest.is_some_and(|oldest| one.began < oldest);
            if !old && most.is_none_or(|most| bytes <= most) {
                break;
            }
            fs::remove_file(self.0.join(&one.name))?;
            tracing::info!(name = one.name, old, "a recording is deleted");
            bytes -= one.bytes;
            removed += 1;
        }
        if removed > 0 {
            sync(&self.0)?;
        }
        Ok(removed)
    }
}

/// A folder's names are on the disk only after this.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// When a recording began, who called and who was called, out of its name.
fn parts(name: &str) -> Option<(Timestamp, &str, &str)> {
    let dialled = |text: &str| text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '*' | '#'));
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let parts: Vec<_> = name.strip_suffix(".wav")?.split('-').collect();
    let [time, number, calling, called] = parts[..] else { return None };
    if !digits(time) || !digits(number) || !dialled(calling) || !dialled(called) {
        return None;
    }
    Some((Timestamp::from_millisecond(time.parse().ok()?).ok()?, calling, called))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn put(folder: &Folder, name: &str, bytes: usize) {
        use std::io::Write;
        folder.begin(name).unwrap().write_all(&vec![0; bytes]).unwrap();
        folder.finish(name).unwrap();
    }

    #[test]
    fn a_folder_is_what_the_names_of_its_files_say() {
        let top = tempfile::tempdir().unwrap();
        let folder = Folder::new(top.path().join("recordings"));
        assert_eq!(folder.list().unwrap(), []);
        put(&folder, "2000-4-1002-+4930*1.wav", 9);
        put(&folder, "1000-3--112.wav", 5);
        fs::write(folder.0.join("notes.txt"), "of somebody else").unwrap();
        let found = folder.list().unwrap();
        let seen: Vec<_> =
            found.iter().map(|one| (one.calling.as_str(), one.called.as_str(), one.bytes)).collect();
        assert_eq!(seen, [("", "112", 5), ("1002", "+4930*1", 9)]);
        for path in [&folder.0, &folder.find("1000-3--112.wav").unwrap()] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o077, 0, "{path:?}");
        }
        // Nothing else can be asked for.
        fs::write(top.path().join("secret.wav"), "").unwrap();
        for name in ["notes.txt", "../secret.wav", "1-2-../../secret.wav", "1-2-3-4.wav", ""] {
            assert_eq!(folder.find(name), None, "{name}");
            assert!(!folder.remove(name).unwrap());
        }
        assert!(folder.remove("1000-3--112.wav").unwrap());
        assert_eq!(folder.list().unwrap().len(), 1);
    }

    #[test]
    fn the_oldest_go_by_age_and_by_size() {
        let top = tempfile::tempdir().unwrap();
        let folder = Folder::new(top.path().into());
        let now = Timestamp::now().as_millisecond();
        let day = 24 * 3600 * 1000;
        for age in [40, 20, 10, 1] {
            put(&folder, &format!("{}-1-1001-1002.wav", now - age * day), 1000);
        }
        let days = |days: u64| Some(Duration::from_secs(days * 24 * 3600));
        assert_eq!(folder.tidy(None, None).unwrap(), 0);
        assert_eq!(folder.tidy(days(30), Some(3000)).unwrap(), 1);
        assert_eq!(folder.tidy(days(30), Some(2999)).unwrap(), 1);
        assert_eq!(folder.tidy(days(5), None).unwrap(), 1);
        let left = folder.list().unwrap();
        assert_eq!(left.iter().map(|one| one.began.as_millisecond()).collect::<Vec<_>>(), [now - day]);
    }
}
