//! What a backup is made of: a tar archive with the database, and the folders of what people have said and are to hear.
//!
//! All of this waits for the disk.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Component, Path, PathBuf},
    time::UNIX_EPOCH,
};

use tar::{Archive, Builder, Header};

/// The database, as the archive calls it.
pub(super) const DATABASE: &str = "selsius.db";
/// The folders of the data directory that are in it.
const FOLDERS: [&str; 4] = ["voicemail", "announcements", "prompts", "music"];
/// Where what was there before a restore stays, until the next one.
const BEFORE: &str = "before-restore";
/// Folders in folders that are followed: no more are there, and a link may lead back.
const DEEPEST: usize = 3;
/// What a file is called that is not yet whole.
const PART: &str = "part";
/// How an SQLite database begins (its file format, section 1.3): backups were one, before they had folders.
const SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// Writes an archive of a database and the folders of a data directory, for this user's eyes only.
pub(super) fn pack(data_dir: &Path, database: &Path, to: &Path) -> io::Result<()> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(to)?;
    let mut archive = Builder::new(io::BufWriter::new(file));
    add(&mut archive, database, Path::new(DATABASE))?;
    for folder in FOLDERS {
        add_folder(&mut archive, &data_dir.join(folder), Path::new(folder), DEEPEST)?;
    }
    archive.into_inner()?.flush()
}

fn add_folder(archive: &mut Builder<impl Write>, from: &Path, name: &Path, deep: usize) -> io::Result<()> {
    let Some(entries) = found(fs::read_dir(from))? else { return Ok(()) };
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let Some(last) = path.file_name() else { continue };
        let name = name.join(last);
        let is_whole = path.extension().is_none_or(|extension| extension != PART);
        match found(fs::metadata(&path))? {
            Some(about) if about.is_dir() && deep > 0 => add_folder(archive, &path, &name, deep - 1)?,
            Some(about) if about.is_file() && is_whole => add(archive, &path, &name)?,
            _ => {}
        }
    }
    Ok(())
}

/// A message may be deleted at any moment: then it is not in the backup.
fn add(archive: &mut Builder<impl Write>, path: &Path, name: &Path) -> io::Result<()> {
    let Some(file) = found(File::open(path))? else { return Ok(()) };
    let about = file.metadata()?;
    let changed = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let mut header = Header::new_gnu();
    header.set_size(about.len());
    header.set_mode(0o600);
    header.set_mtime(changed.unwrap_or_default().as_secs());
    // No more than the header says, if it grows meanwhile.
    archive.append_data(&mut header, name, file.take(about.len()))
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Is this file a database alone?
pub(super) fn is_database(path: &Path) -> io::Result<bool> {
    let mut begins = Vec::new();
    File::open(path)?.take(SQLITE.len() as u64).read_to_end(&mut begins)?;
    Ok(begins == SQLITE)
}

/// Takes an archive apart into a new folder. What no backup has in it is an error.
pub(super) fn unpack(archive: &Path, to: &Path) -> io::Result<()> {
    private_folder(to)?;
    for entry in Archive::new(File::open(archive)?).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.into_owned();
        if entry.header().entry_type().is_dir() {
            continue;
        }
        if !entry.header().entry_type().is_file() || !is_ours(&name) {
            let error = format!("it has {:?} in it, which no backup has", name.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        let path = to.join(&name);
        if let Some(folder) = path.parent() {
            private_folder(folder)?;
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        io::copy(&mut entry, &mut file)?;
        file.sync_all()?;
    }
    Ok(())
}

/// The database, or something below one of the folders.
fn is_ours(name: &Path) -> bool {
    let mut parts = name.components();
    let all_plain = name.components().all(|part| matches!(part, Component::Normal(_)));
    let Some(Component::Normal(first)) = parts.next() else { return false };
    all_plain
        && match parts.next() {
            None => first == DATABASE,
            Some(_) => FOLDERS.iter().any(|folder| first == *folder),
        }
}

/// Puts the folders of an archive that was taken apart in the place of those that are there, which stay beside them.
pub(super) fn exchange_folders(data_dir: &Path, unpacked: &Path) -> io::Result<()> {
    let before = data_dir.join(BEFORE);
    if before.exists() {
        fs::remove_dir_all(&before)?;
    }
    private_folder(&before)?;
    for folder in FOLDERS {
        let here = data_dir.join(folder);
        found(fs::rename(&here, before.join(folder)))?;
        found(fs::rename(unpacked.join(folder), &here))?;
    }
    File::open(data_dir)?.sync_all()
}

fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Removes a file or a folder that may be there.
pub(super) fn remove(path: &PathBuf) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    found(removed).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn what_is_packed_comes_back_and_what_was_there_stays_beside_it() {
        let top = tempfile::tempdir().unwrap();
        let (here, there) = (top.path().join("here"), top.path().join("there"));
        write(&here.join("copy"), "rows");
        write(&here.join("voicemail/1001/5-1002.new.wav"), "hello");
        write(&here.join("voicemail/1001/6-1002.new.wav.part"), "hal");
        write(&here.join("prompts/en/hundred.wav"), "100");
        write(&here.join("files/firmware"), "not ours");
        std::os::unix::fs::symlink(&here, here.join("music")).unwrap();
        let archive = top.path().join("backup.tar");
        pack(&here, &here.join("copy"), &archive).unwrap();
        assert!(!is_database(&archive).unwrap());

        write(&there.join("voicemail/1001/4-1003.old.wav"), "old");
        write(&there.join("announcements/closed.wav"), "closed");
        let unpacked = there.join("unpacked");
        unpack(&archive, &unpacked).unwrap();
        assert_eq!(fs::read_to_string(unpacked.join(DATABASE)).unwrap(), "rows");
        exchange_folders(&there, &unpacked).unwrap();
        let read = |path: &str| fs::read_to_string(there.join(path)).ok();
        assert_eq!(read("voicemail/1001/5-1002.new.wav").as_deref(), Some("hello"));
        assert_eq!(read("prompts/en/hundred.wav").as_deref(), Some("100"));
        assert_eq!(read("voicemail/1001/6-1002.new.wav.part"), None);
        assert_eq!(read("voicemail/1001/4-1003.old.wav"), None);
        assert_eq!(read("before-restore/voicemail/1001/4-1003.old.wav").as_deref(), Some("old"));
        assert_eq!(read("announcements/closed.wav"), None);
        assert_eq!(read("before-restore/announcements/closed.wav").as_deref(), Some("closed"));
    }

    #[test]
    fn what_no_backup_has_is_not_taken() {
        let top = tempfile::tempdir().unwrap();
        for name in
            ["other.db", "files/a", "voicemail", "../voicemail/a", "voicemail/../../a", "/voicemail/a"]
        {
            let mut archive = Builder::new(Vec::new());
            let mut header = Header::new_gnu();
            header.set_size(1);
            // As nobody would write it by this crate, which refuses some of these.
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            archive.append(&header, &b"x"[..]).unwrap();
            let path = top.path().join("bad.tar");
            fs::write(&path, archive.into_inner().unwrap()).unwrap();
            let unpacked = top.path().join("unpacked");
            remove(&unpacked).unwrap();
            assert!(unpack(&path, &unpacked).is_err(), "{name}");
            assert_eq!(fs::read_dir(&unpacked).unwrap().count(), 0, "{name}");
        }
        let mut archive = Builder::new(Vec::new());
        let mut link = Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        archive.append_link(&mut link, "voicemail/1001", "/etc").unwrap();
        fs::write(top.path().join("link.tar"), archive.into_inner().unwrap()).unwrap();
        assert!(unpack(&top.path().join("link.tar"), &top.path().join("unpacked")).is_err());
    }
}
