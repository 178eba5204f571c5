//! The data directory: who may read it, who works in it, what lies where.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use crate::StoreError;

/// The data directory, held for this process as long as this lives.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// Its lock is the file's, and goes with the process however that ends.
    _lock: File,
}

impl Directory {
    /// Makes the directory where it is missing (only its owner may enter), and takes it for this process.
    pub(crate) fn take(path: &Path) -> Result<Self, StoreError> {
        let not_writable = |path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::NotWritable { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(not_writable(path))?;
        let file = path.join("lock");
        let mut lock = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(&file)
            .map_err(not_writable(&file))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut process = String::new();
                // Only a courtesy: without it the message just does not name the process.
                let _ = lock.read_to_string(&mut process);
                return Err(StoreError::InUse {
                    path: path.to_owned(),
                    process: process.trim().parse().ok(),
                });
            }
            Err(errno) => return Err(not_writable(&file)(errno.into())),
        }
        sign(&mut lock).map_err(not_writable(&file))?;
        let directory = Self { path: path.to_owned(), _lock: lock };
        directory.sweep().map_err(not_writable(path))?;
        Ok(directory)
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("selsius.db")
    }

    /// What will be the database once it is proved to be one.
    pub(crate) fn incoming(&self) -> PathBuf {
        self.path.join("restore.part")
    }

    /// The database that the last `restore` replaced, in case it was the wrong one.
    pub(crate) fn replaced(&self) -> PathBuf {
        self.path.join("before-restore.db")
    }

    /// What a restore left behind that did not come to its end.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        let incoming = self.incoming();
        for file in
            [beside(&incoming, "-journal"), beside(&incoming, "-wal"), beside(&incoming, "-shm"), incoming]
        {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Only the owner may read or write a file that this makes.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// The file whose name has `suffix` added, as SQLite names what belongs to a database.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes the names in the folder of `file` survive a power loss.
pub(crate) fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn sign(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}
