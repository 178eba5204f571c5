//! The store as others see it.

use std::{
    fs::{self, File, OpenOptions},
    io, mem,
    path::{Path, PathBuf, absolute},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use selsius_exchange::record::{AutoRegistered, CallId, DeviceEvent, WallTime};
use selsius_site::{LineNumber, Site};
use tokio::{
    sync::{RwLock, mpsc, oneshot, watch},
    task::{JoinHandle, JoinSet, spawn_blocking},
};

use crate::{
    CallFilter, CallListKind, CallRecord, Lost, OperatorEntry, Recorder, Remembered, Retention, SiteVersion,
    StoreError, StoredSite,
    directory::{Directory, private, sync_folder},
    error::chain,
    queue::Queue,
    sqlite::Sqlite,
    writer::{self, Flush},
};

/// Records that wait while the disk does not take any: hours of calls of a large office.
pub const QUEUE_CAPACITY: usize = 10_000;

/// An open data directory. Cheap to clone; the last clone to go, or [`Store::close`], lets the directory go.
#[derive(Debug, Clone)]
pub struct Store {
    core: Arc<Core>,
    flushes: mpsc::Sender<Flush>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// What [`Store::open`] found.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Calls that were up when the manager crashed, now closed.
    pub interrupted: u64,
    /// Larger than the id of any call so far.
    pub first_call: CallId,
}

/// How the store is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreStatus {
    /// Records that wait to be written.
    pub waiting: usize,
    /// How many may wait; states of lines and phones wait beside.
    pub capacity: usize,
    /// Records that were given up.
    pub lost: Lost,
    /// Records that were written since the start.
    pub written: u64,
    /// Attempts to write that failed, since the start.
    pub failures: u64,
    /// Why nothing can be written at present; `None` when all is well.
    pub failing: Option<Failing>,
}

/// Why nothing can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// What the last attempt said.
    pub why: String,
    /// When the first one failed.
    pub since: WallTime,
}

/// What the writer tells of itself.
#[derive(Debug, Default)]
pub(crate) struct Writing {
    pub(crate) written: u64,
    pub(crate) failures: u64,
    pub(crate) failing: Option<Failing>,
}

/// What the store's handles and its writer share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) directory: Directory,
    /// Locked for writing only while a restore exchanges it.
    pub(crate) database: RwLock<Sqlite>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) writing: Mutex<Writing>,
    /// One restore at a time: they share a file. And none while ids of calls go from one question to the next.
    pub(crate) restoring: tokio::sync::Mutex<()>,
    pub(crate) retention: watch::Sender<Retention>,
    /// What the writer has done beside. They hold the directory as long as they run.
    pub(crate) tasks: Mutex<JoinSet<()>>,
    /// Long work ends before it is done.
    pub(crate) closing: AtomicBool,
}

impl Store {
    /// Takes the data directory for this process, makes it and the database where they are missing, brings
    /// the database to the present form and closes calls that a crash cut off. Needs to run in a tokio
    /// runtime, in which the writer goes on.
    pub async fn open(data_dir: &Path) -> Result<Opened, StoreError> {
        Self::open_with(data_dir, QUEUE_CAPACITY).await
    }

    pub(crate) async fn open_with(data_dir: &Path, capacity: usize) -> Result<Opened, StoreError> {
        let directory = Directory::take(data_dir)?;
        let database = Sqlite::open(&directory.database(), 0).await?;
        let interrupted = database.close_interrupted().await?;
        let first_call = CallId(database.next_call().await?);
        let core = Arc::new(Core {
            directory,
            database: RwLock::new(database),
            queue: Arc::new(Queue::new(capacity)),
            writing: Mutex::default(),
            restoring: tokio::sync::Mutex::default(),
            retention: watch::Sender::default(),
            tasks: Mutex::default(),
            closing: AtomicBool::new(false),
        });
        let (flushes, orders) = mpsc::channel(8);
        let writer = tokio::spawn(writer::run(Arc::clone(&core), orders));
        let store = Self { core, flushes, writer: Arc::new(Mutex::new(Some(writer))) };
        Ok(Opened { store, interrupted, first_call })
    }

    /// A handle for whoever has something to remember.
    pub fn recorder(&self) -> Recorder {
        Recorder { queue: Arc::clone(&self.core.queue) }
    }

    /// How it is doing.
    pub fn status(&self) -> StoreStatus {
        let writing = self.core.writing.lock().unwrap_or_else(PoisonError::into_inner);
        StoreStatus {
            waiting: self.core.queue.len(),
            capacity: self.core.queue.capacity(),
            lost: self.core.queue.lost(),
            written: writing.written,
            failures: writing.failures,
            failing: writing.failing.clone(),
        }
    }

    /// Writes all that was recorded until now. On failure it is kept and tried again later.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let (answer, done) = oneshot::channel();
        self.flushes.send(Flush { answer }).await.map_err(|_| StoreError::Closed)?;
        done.await.map_err(|_| StoreError::Closed)?
    }

    /// The site, with the phones that were recorded until now.
    pub async fn load_site(&self) -> Result<StoredSite, StoreError> {
        self.settle().await;
        self.core.database.read().await.load_site().await
    }

    /// Makes `site` the stored one if it was made from version `expected`, else nothing happens and the error
    /// is [`StoreError::Conflict`]. The site has to be valid ([`Site::validate`]). It is on the disk when
    /// this returns.
    pub async fn save_site(&self, site: &Site, expected: SiteVersion) -> Result<SiteVersion, StoreError> {
        self.core.database.read().await.save_site(site, expected).await
    }

    /// The phones that registered themselves and are still in the site, by name.
    pub async fn auto_registered(&self) -> Result<Vec<AutoRegistered>, StoreError> {
        self.settle().await;
        self.core.database.read().await.auto_registered().await
    }

    /// What lines and phones remember, with what was recorded until now.
    pub async fn remembered(&self) -> Result<Remembered, StoreError> {
        self.settle().await;
        self.core.database.read().await.remembered().await
    }

    /// Finished calls, newest first.
    pub async fn calls(&self, filter: &CallFilter) -> Result<Vec<CallRecord>, StoreError> {
        self.settle().await;
        self.core.database.read().await.calls(filter).await
    }

    /// A list as phones have it: of the calls of these lines, newest first.
    pub async fn call_list(
        &self,
        lines: &[LineNumber],
        kind: CallListKind,
        newest: u32,
    ) -> Result<Vec<CallRecord>, StoreError> {
        self.settle().await;
        self.core.database.read().await.call_list(lines, kind, newest).await
    }

    /// Keeps records for so long from now on. What is too old is removed soon, and then once an hour.
    pub fn keep(&self, retention: Retention) {
        self.core.retention.send_replace(retention);
    }

    /// What happened to the device of this name, newest first, at most `newest` events.
    pub async fn device_history(&self, device: &str, newest: u32) -> Result<Vec<DeviceEvent>, StoreError> {
        self.settle().await;
        self.core.database.read().await.device_history(device, newest).await
    }

    /// Remembers what an operator changed; it is committed when this returns.
    pub async fn log_operator(&self, entry: &OperatorEntry) -> Result<(), StoreError> {
        self.core.database.read().await.log_operator(entry).await
    }

    /// What operators changed, newest first, at most `newest` entries.
    pub async fn operator_log(&self, newest: u32) -> Result<Vec<OperatorEntry>, StoreError> {
        self.core.database.read().await.operator_log(newest).await
    }

    /// Writes a copy of everything into a new file, which only its owner may read; nobody waits for that. A
    /// relative path starts from this process's directory.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is something of that name. On any error nothing is left behind.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let fail = |source| StoreError::File { doing: "write", path: to.to_owned(), source };
        // An absolute path cannot be taken for one of SQLite's URIs.
        let to = absolute(to).map_err(fail)?;
        let fail = |source| StoreError::File { doing: "write", path: to.clone(), source };
        // Reserves the name; SQLite fills an empty file, and refuses any other.
        match private(OpenOptions::new().write(true).create_new(true)).open(&to) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(StoreError::Exists { path: to });
            }
            Err(source) => return Err(fail(source)),
        }
        self.settle().await;
        let copied = self.core.database.read().await.copy_to(&to).await;
        let synced = match copied {
            Ok(()) => on_disk(to.clone()).await.map_err(fail),
            Err(error) => Err(error),
        };
        if synced.is_err() {
            // The error that is reported says more than one from here could.
            let _ = fs::remove_file(&to);
        }
        synced
    }

    /// Replaces everything by what is in a backup, while calls go on; the site has to be loaded anew
    /// afterwards. What was there before stays in the data directory as `before-restore.db`, until the next
    /// restore.
    ///
    /// Calls that are up keep going and are recorded at their end. Calls that were up when the backup was
    /// made are closed as interrupted. Should the backup have used ids that the running exchange uses too,
    /// then those of this run are raised until the next start.
    ///
    /// # Errors
    /// When the file is not a sound backup of a version that we know, nothing is changed.
    pub async fn restore(&self, from: &Path) -> Result<(), StoreError> {
        let _alone = self.core.restoring.lock().await;
        let result = self.replace_by(from).await;
        if let Err(error) = self.core.directory.sweep() {
            tracing::warn!(%error, "cannot remove what is left of a restore");
        }
        result
    }

    async fn replace_by(&self, from: &Path) -> Result<(), StoreError> {
        let directory = &self.core.directory;
        let incoming = directory.incoming();
        directory.sweep().map_err(|source| not_writable(&incoming, source))?;
        copy(from.to_owned(), incoming.clone()).await?;
        Sqlite::prepare(&incoming).await.map_err(|error| named(error, from))?;

        // What was recorded before belongs to what is replaced.
        self.settle().await;
        // From here on records wait in their queue, and questions for an answer; all that takes long is done.
        let mut database = self.core.database.write().await;
        let call_offset = database.hand_over(&incoming).await.map_err(|error| named(error, from))?;
        on_disk(incoming.clone()).await.map_err(|source| not_writable(&incoming, source))?;

        let path = directory.database();
        let swapped = match database.close().await {
            Ok(()) => swap(&incoming, &path, &directory.replaced()),
            Err(error) => Err(error),
        };
        // Whichever it is now, the old or the new one.
        let offset = if swapped.is_ok() { call_offset } else { database.call_offset() };
        *database = Sqlite::open(&path, offset).await?;
        swapped
    }

    /// Writes what waits and lets the data directory go. Records that come later are lost.
    pub async fn close(self) -> Result<(), StoreError> {
        let flushed = self.flush().await;
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            writer.abort();
            // Ends as cancelled, which is what was asked for.
            let _ = writer.await;
        }
        let mut tasks = mem::take(&mut *self.core.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        self.core.closing.store(true, Ordering::Relaxed);
        // They come to an end of their own: what is cut off leaves connections that are still at work.
        while tasks.join_next().await.is_some() {}
        self.core.database.write().await.close().await?;
        flushed
    }

    /// Writes what waits before somebody reads. If that fails, the reader gets what there is: the writer has
    /// the word about the failure.
    async fn settle(&self) {
        if let Err(error) = self.flush().await {
            tracing::debug!(error = chain(&error), "reading without the newest records");
        }
    }

    #[cfg(test)]
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }
}

/// Exchanges the database in one step: after a crash it is the old one or the new one.
fn swap(incoming: &Path, path: &Path, replaced: &Path) -> Result<(), StoreError> {
    let kept = match fs::remove_file(replaced) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::hard_link(path, replaced),
    };
    if let Err(error) = kept {
        tracing::warn!(%error, "the replaced database is not kept");
    }
    fs::rename(incoming, path).and_then(|()| sync_folder(path)).map_err(|source| not_writable(path, source))
}

/// Copies a backup into the data directory.
async fn copy(from: PathBuf, to: PathBuf) -> Result<(), StoreError> {
    let work = move || {
        let mut source = File::open(&from).map_err(|source| StoreError::File {
            doing: "read",
            path: from.clone(),
            source,
        })?;
        let mut target = private(OpenOptions::new().write(true).create_new(true))
            .open(&to)
            .map_err(|source| not_writable(&to, source))?;
        io::copy(&mut source, &mut target).map_err(|source| StoreError::File {
            doing: "copy",
            path: from.clone(),
            source,
        })?;
        Ok(())
    };
    spawn_blocking(work).await.map_err(|_| StoreError::Closed)?
}

/// Waits until a file and its name are on the disk.
async fn on_disk(file: PathBuf) -> io::Result<()> {
    let work = move || {
        File::open(&file)?.sync_all()?;
        sync_folder(&file)
    };
    spawn_blocking(work).await.map_err(io::Error::other)?
}

/// An error about our copy is one about the file that was given.
fn named(error: StoreError, from: &Path) -> StoreError {
    let path = from.to_owned();
    match error {
        StoreError::Newer { found, known, .. } => StoreError::Newer { path, found, known },
        StoreError::Foreign { .. } => StoreError::Foreign { path },
        StoreError::Damaged { detail, .. } => StoreError::Damaged { path, detail },
        other => other,
    }
}

fn not_writable(path: &Path, source: io::Error) -> StoreError {
    StoreError::NotWritable { path: path.to_owned(), source }
}
