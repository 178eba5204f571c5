//! The embedded database. Everything that is SQL, and everything that is particular to SQLite, is in this
//! module; its functions are what another database has to offer to stand in its place.
//!
//! # What survives what
//! Commits go to the write-ahead log without waiting for the disk (`synchronous = NORMAL`): a process that is
//! killed loses no committed record, a machine that loses power may lose the last ones, and in neither case
//! is the database harmed. The site is worth more: after its commit the log is forced to the disk, outside of
//! SQLite's lock, so that call records need not wait for that.
//!
//! For the same reason nobody who commits moves the log into the database (`wal_autocheckpoint = 0`): a
//! connection of its own does, while others go on.

mod calls;
mod operator;
mod record;
mod remembered;
mod retention;
mod rows;
mod site;

use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    time::Duration,
};

use selsius_exchange::record::WallTime;
use selsius_site::{LineNumber, Site};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    query, query_as, query_scalar,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub(crate) use self::record::UpCall;
use crate::{
    CallFilter, CallListKind, CallRecord, OperatorEntry, Remembered, SiteVersion, StoreError, StoredSite,
    directory::{beside, private, sync_folder},
    queue::Batch,
};
use selsius_exchange::record::{AutoRegistered, DeviceEvent};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// `PRAGMA application_id` of our databases, as the first migration sets it.
const APPLICATION_ID: i64 = 0x5345_4c53;

/// Larger databases are not read through at every start: a crash must not be followed by minutes of silence.
const CHECK_UP_TO_BYTES: u64 = 64 << 20;

/// Pages that the writing connection keeps, at most: 16 MiB, in SQLite's way to say it.
const WRITE_CACHE: &str = "-16384";

/// How long a commit waits for somebody else's, such as a person with the `sqlite3` program.
const BUSY: Duration = Duration::from_secs(5);

/// An open database.
#[derive(Debug)]
pub(crate) struct Sqlite {
    path: PathBuf,
    /// SQLite has one writer at a time, so there is one connection to write with.
    write: SqlitePool,
    read: SqlitePool,
    /// Moves the log into the database.
    care: SqlitePool,
    /// Added to the ids of calls on their way in: see [`Sqlite::hand_over`].
    call_offset: u64,
}

/// How closely a file is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    /// The database that we worked with the last time.
    Own,
    /// A file that somebody calls a backup.
    Stranger,
}

impl Sqlite {
    /// Opens the database, makes it where it is missing, brings it to the present form.
    pub(crate) async fn open(path: &Path, call_offset: u64) -> Result<Self, StoreError> {
        private(OpenOptions::new().create(true).append(true))
            .open(path)
            .map_err(|source| StoreError::NotWritable { path: path.to_owned(), source })?;
        check(path, Check::Own).await?;
        let options = options(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .pragma("wal_autocheckpoint", "0");
        // What a statement has changed is kept until it is done, and more than 64 KiB of that go to a temporary file; a
        // batch of calls touches a page of each index for every one of them, all of which the default of 2 MiB cannot hold.
        let write = options.clone().pragma("temp_store", "memory").pragma("cache_size", WRITE_CACHE);
        let write = pool(1).connect_lazy_with(write);
        MIGRATIONS
            .run(&write)
            .await
            .map_err(|error| match error {
                MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error,
                other => other.into(),
            })
            .map_err(|error| failed(path, "bring the database up to date", error))?;
        Ok(Self {
            path: path.to_owned(),
            write,
            read: pool(2).connect_lazy_with(options.clone().read_only(true)),
            care: pool(1).connect_lazy_with(options),
            call_offset,
        })
    }

    /// Closes it so that the file alone is the whole database: no log beside it.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        // The last connection clears the log away, which one for reading could not.
        self.read.close().await;
        self.care.close().await;
        self.write.close().await;
        let log = beside(&self.path, "-wal");
        if log.exists() {
            return Err(StoreError::Database {
                doing: "close the database",
                source: format!("{} was not cleared", log.display()).into(),
            });
        }
        Ok(())
    }

    /// Makes sure that a file is a sound database of ours and of a form that we know, and brings it to the
    /// present form.
    pub(crate) async fn prepare(path: &Path) -> Result<(), StoreError> {
        check(path, Check::Stranger).await?;
        let fail = |error| failed(path, "bring the backup up to date", error);
        let mut connection = options(path).connect().await.map_err(fail)?;
        // Left over if the file was copied from a running database; one file is wanted here.
        query("PRAGMA journal_mode = DELETE").execute(&mut connection).await.map_err(fail)?;
        MIGRATIONS.run(&mut connection).await.map_err(|error| fail(error.into()))?;
        connection.close().await.map_err(fail)
    }

    /// The calls that this database thinks are up, and where they would go in `incoming`, the prepared
    /// database that is to take its place.
    ///
    /// The exchange goes on counting calls while its store is exchanged for one that may have used the same
    /// ids, perhaps on another machine. No record may be overwritten, so what comes in from now on is counted
    /// from above what is there already. The result is the offset for [`Sqlite::open`].
    pub(crate) async fn hand_over(&self, incoming: &Path) -> Result<u64, StoreError> {
        let fail = |error| failed(incoming, "read the backup", error);
        let up = self.calls_up().await?;
        let next = self.next_call().await?;
        let lowest = up.iter().map(UpCall::id).min().unwrap_or(next);
        let mut connection = options(incoming).connect().await.map_err(fail)?;
        // Proves that all of it can be read, before it is too late.
        site::read(&mut connection).await.map_err(|error| error.at(incoming))?;
        remembered::read(&mut connection).await.map_err(|error| error.at(incoming))?;
        let used = record::next_call(&mut connection).await.map_err(fail)?;
        let shift = used.saturating_sub(lowest);
        record::take_over(&mut connection, &up, shift).await.map_err(fail)?;
        connection.close().await.map_err(fail)?;
        Ok(self.call_offset + shift)
    }

    /// What is added to the ids of calls on their way in.
    pub(crate) fn call_offset(&self) -> u64 {
        self.call_offset
    }

    /// Ends the calls that a crash has cut off; says how many.
    pub(crate) async fn close_interrupted(&self) -> Result<u64, StoreError> {
        let mut connection =
            self.write.acquire().await.map_err(|error| self.failed("open the database", error))?;
        record::close_interrupted(&mut connection)
            .await
            .map_err(|error| self.failed("close interrupted calls", error))
    }

    /// The lowest id that no call has.
    pub(crate) async fn next_call(&self) -> Result<u64, StoreError> {
        let doing = "read the calls";
        let mut connection = self.read.acquire().await.map_err(|error| self.failed(doing, error))?;
        record::next_call(&mut connection).await.map_err(|error| self.failed(doing, error))
    }

    async fn calls_up(&self) -> Result<Vec<UpCall>, StoreError> {
        let doing = "read the calls in progress";
        let mut connection = self.read.acquire().await.map_err(|error| self.failed(doing, error))?;
        record::calls_up(&mut connection).await.map_err(|error| self.failed(doing, error))
    }

    /// Notes that the calls that are up were so at `now`, in case that is the last that is known.
    pub(crate) async fn mark_alive(&self, now: WallTime) -> Result<(), StoreError> {
        query("UPDATE calls_in_progress SET alive = max(alive, ?)")
            .bind(now.0)
            .execute(&self.write)
            .await
            .map_err(|error| self.failed("mark the calls in progress", error))?;
        Ok(())
    }

    /// Writes all of it or, on failure, nothing.
    pub(crate) async fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let fail = |error| self.failed("store records", error);
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await.map_err(fail)?;
        record::write(&mut transaction, batch, self.call_offset).await.map_err(fail)?;
        remembered::write(&mut transaction, batch).await.map_err(fail)?;
        site::add_auto_registered(&mut transaction, &batch.auto_registered).await.map_err(fail)?;
        transaction.commit().await.map_err(fail)
    }

    /// The site and its version.
    pub(crate) async fn load_site(&self) -> Result<StoredSite, StoreError> {
        let fail = |error| self.failed("read the site", error);
        let mut transaction = self.read.begin().await.map_err(fail)?;
        site::read(&mut transaction).await.map_err(|error| error.at(&self.path))
    }

    /// Stores `new` if the stored version is still `expected`; gives its version. On disk when this returns,
    /// and whole at any moment.
    pub(crate) async fn save_site(
        &self,
        new: &Site,
        expected: SiteVersion,
    ) -> Result<SiteVersion, StoreError> {
        let fail = |error| self.failed("store the site", error);
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await.map_err(fail)?;
        let StoredSite { site: old, version: found } =
            site::read(&mut transaction).await.map_err(|error| error.at(&self.path))?;
        if found != expected {
            return Err(StoreError::Conflict { expected, found });
        }
        let version = site::write(&mut transaction, &old, new).await.map_err(fail)?;
        transaction.commit().await.map_err(fail)?;
        self.force_log().await?;
        Ok(version)
    }

    /// Phones that nobody configured.
    pub(crate) async fn auto_registered(&self) -> Result<Vec<AutoRegistered>, StoreError> {
        let fail = |error| self.failed("read the phones that registered themselves", error);
        let mut connection = self.read.acquire().await.map_err(fail)?;
        site::auto_registered(&mut connection).await.map_err(|error| error.at(&self.path))
    }

    /// What lines and phones remember.
    pub(crate) async fn remembered(&self) -> Result<Remembered, StoreError> {
        let fail = |error| self.failed("read what lines and phones remember", error);
        let mut transaction = self.read.begin().await.map_err(fail)?;
        remembered::read(&mut transaction).await.map_err(|error| error.at(&self.path))
    }

    /// Finished calls, newest first.
    pub(crate) async fn calls(&self, filter: &CallFilter) -> Result<Vec<CallRecord>, StoreError> {
        let fail = |error| self.failed("read the call records", error);
        let mut transaction = self.read.begin().await.map_err(fail)?;
        calls::calls(&mut transaction, filter).await.map_err(|error| error.at(&self.path))
    }

    /// Calls of these lines, newest first.
    pub(crate) async fn call_list(
        &self,
        lines: &[LineNumber],
        kind: CallListKind,
        newest: u32,
    ) -> Result<Vec<CallRecord>, StoreError> {
        let fail = |error| self.failed("read the call records", error);
        let mut transaction = self.read.begin().await.map_err(fail)?;
        let list = calls::call_list(&mut transaction, lines, kind, newest).await;
        list.map_err(|error| error.at(&self.path))
    }

    /// The newest call that is beyond the `keep` newest; 0 if there is none.
    pub(crate) async fn beyond(&self, keep: u64) -> Result<i64, StoreError> {
        let fail = |error| self.failed("count the call records", error);
        let mut connection = self.read.acquire().await.map_err(fail)?;
        retention::beyond(&mut connection, keep).await.map_err(fail)
    }

    /// Removes some of what is from before `oldest`, and of the calls up to the id `highest`; says how much.
    pub(crate) async fn remove_some(&self, oldest: WallTime, highest: i64) -> Result<u64, StoreError> {
        let fail = |error| self.failed("remove old records", error);
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await.map_err(fail)?;
        let calls = retention::remove_calls(&mut transaction, oldest, highest).await.map_err(fail)?;
        let events = retention::remove_events(&mut transaction, oldest).await.map_err(fail)?;
        transaction.commit().await.map_err(fail)?;
        Ok(calls + events)
    }

    /// Events of a device, newest first.
    pub(crate) async fn device_history(
        &self,
        device: &str,
        newest: u32,
    ) -> Result<Vec<DeviceEvent>, StoreError> {
        let fail = |error| self.failed("read the history of a device", error);
        let mut connection = self.read.acquire().await.map_err(fail)?;
        record::device_history(&mut connection, device, newest).await.map_err(|error| error.at(&self.path))
    }

    /// Adds to the operators' log.
    pub(crate) async fn log_operator(&self, entry: &OperatorEntry) -> Result<(), StoreError> {
        let fail = |error| self.failed("write the operators' log", error);
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await.map_err(fail)?;
        operator::add(&mut transaction, entry).await.map_err(fail)?;
        transaction.commit().await.map_err(fail)
    }

    /// The operators' log, newest first.
    pub(crate) async fn operator_log(&self, newest: u32) -> Result<Vec<OperatorEntry>, StoreError> {
        let fail = |error| self.failed("read the operators' log", error);
        let mut connection = self.read.acquire().await.map_err(fail)?;
        operator::newest(&mut connection, newest).await.map_err(fail)
    }

    /// Writes a compact copy, a single file, into `path`: missing or empty.
    pub(crate) async fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        query("VACUUM INTO ?")
            .bind(path.to_str())
            .execute(&self.read)
            .await
            .map_err(|error| self.failed("write the backup", error))?;
        Ok(())
    }

    /// Moves what is in the log into the database, without holding anybody up.
    pub(crate) async fn checkpoint(&self) -> Result<(), StoreError> {
        query("PRAGMA wal_checkpoint(PASSIVE)")
            .execute(&self.care)
            .await
            .map_err(|error| self.failed("tidy up the database", error))?;
        Ok(())
    }

    /// Waits until the log is on the disk. If a checkpoint has just emptied it, the database is.
    async fn force_log(&self) -> Result<(), StoreError> {
        let log = beside(&self.path, "-wal");
        let synced = tokio::task::spawn_blocking({
            let log = log.clone();
            move || {
                File::open(&log)?.sync_data()?;
                sync_folder(&log)
            }
        });
        let result = synced.await.unwrap_or_else(|gone| Err(gone.into()));
        result.map_err(|source| StoreError::NotWritable { path: log, source })
    }

    fn failed(&self, doing: &'static str, error: sqlx::Error) -> StoreError {
        failed(&self.path, doing, error)
    }

    /// Lets tests fill the disk and look behind the curtain.
    #[cfg(test)]
    pub(crate) fn raw(&self) -> &SqlitePool {
        &self.write
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .disable_statement_logging()
}

fn pool(connections: u32) -> SqlitePoolOptions {
    // A file does not go away as a server does: no need to renew or to test connections.
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .before_acquire(|connection, _| {
            Box::pin(async {
                // On a full disk SQLite itself ends the transaction, the rollback after it fails, and sqlx takes the
                // connection for one within a transaction for ever. Another one is as good. (The ping comes after
                // a rollback that is still on its way.)
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
}

/// Makes a database as an older release left it: of the form `version`, with what `sql` puts into it.
#[cfg(test)]
pub(crate) async fn make_old(path: &Path, version: i64, sql: &'static str) {
    let migrations = MIGRATIONS.iter().filter(|migration| migration.version <= version).cloned().collect();
    let options = options(path).create_if_missing(true);
    let mut connection = options.connect().await.expect("a new file");
    Migrator::with_migrations(migrations).run(&mut connection).await.expect("migrations that were released");
    sqlx::raw_sql(sql).execute(&mut connection).await.expect("rows of that form");
    connection.close().await.expect("an idle connection");
}

/// Is it empty (if it is our own), or a sound database of ours, of a version that we know?
async fn check(path: &Path, check: Check) -> Result<(), StoreError> {
    let fail = |error| failed(path, "open the database", error);
    let mut connection = options(path).connect().await.map_err(fail)?;
    let result = check_connection(path, check, &mut connection).await;
    connection.close().await.map_err(fail)?;
    result
}

async fn check_connection(
    path: &Path,
    check: Check,
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let fail = |error| failed(path, "open the database", error);
    let tables: i64 =
        query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *connection).await.map_err(fail)?;
    if tables == 0 && check == Check::Own {
        return Ok(());
    }
    let id: i64 = query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await.map_err(fail)?;
    // Killed while it made its first tables, our own database may not yet have its id.
    let begun = check == Check::Own && has_only_migrations(connection).await.map_err(fail)?;
    if id != APPLICATION_ID && !begun {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    let found: Option<i64> = query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(&mut *connection)
        .await
        .map_err(fail)?;
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    if let Some(found) = found.filter(|found| *found > known) {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    let size = path.metadata().map_or(0, |file| file.len());
    let verdict: String = match check {
        Check::Own if size > CHECK_UP_TO_BYTES => return Ok(()),
        Check::Own => {
            query_scalar("PRAGMA quick_check(1)").fetch_one(&mut *connection).await.map_err(fail)?
        }
        Check::Stranger => {
            query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut *connection).await.map_err(fail)?
        }
    };
    if verdict != "ok" {
        return Err(StoreError::Damaged { path: path.to_owned(), detail: verdict });
    }
    Ok(())
}

async fn has_only_migrations(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let tables: Vec<(String,)> =
        query_as("SELECT name FROM sqlite_schema WHERE type = 'table'").fetch_all(connection).await?;
    Ok(tables.iter().all(|(name,)| name == "_sqlx_migrations"))
}

/// What SQLite says, by what somebody has to do about it. Codes: <https://www.sqlite.org/rescode.html>
fn failed(path: &Path, doing: &'static str, error: sqlx::Error) -> StoreError {
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    const NOT_A_DATABASE: u32 = 26;
    /// No room for the index of the log, a file beside the database.
    const NO_ROOM_BESIDE: u32 = 4874;
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    // The upper bytes of an extended code only say more about the lowest one.
    match code.map(|code| if code == NO_ROOM_BESIDE { FULL } else { code & 0xff }) {
        Some(CORRUPT | NOT_A_DATABASE) => {
            StoreError::Damaged { path: path.to_owned(), detail: error.to_string() }
        }
        Some(FULL) => StoreError::Full { doing },
        _ if matches!(error, sqlx::Error::PoolClosed) => StoreError::Closed,
        _ => StoreError::Database { doing, source: error.into() },
    }
}

/// Why something stored cannot be read.
#[derive(Debug)]
enum ReadError {
    Database(sqlx::Error),
    /// A value that we never write.
    Value(String),
}

impl ReadError {
    fn value(table: &str, value: &str) -> Self {
        Self::Value(format!("{value:?} in table {table}"))
    }

    fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Database(error) => failed(path, "read the database", error),
            Self::Value(detail) => StoreError::Damaged { path: path.to_owned(), detail },
        }
    }
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Reads a text that has its own type.
fn parse<T: std::str::FromStr>(table: &str, text: &str) -> Result<T, ReadError> {
    text.parse().map_err(|_| ReadError::value(table, text))
}
