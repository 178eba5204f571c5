//! The task that carries records from the queue into the database.

use std::{
    sync::{Arc, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use selsius_exchange::record::WallTime;
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until},
};

use crate::{
    Failing, StoreError,
    error::chain,
    retention,
    store::{Core, Writing},
};

/// How long the first record of a batch waits for others. Leaves more than half of the promised 50 ms to the
/// commit.
const GATHER: Duration = Duration::from_millis(20);
/// How soon a failed commit is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often it is noted that calls are still up, and the log is moved into the database.
const CARE: Duration = Duration::from_secs(30);
/// How often what is too old is removed.
const REMOVAL: Duration = Duration::from_secs(3600);
/// So many records move the log into the database at once (some megabytes).
const RECORDS_IN_LOG: usize = 10_000;

/// Somebody waits for all that was recorded until now to be written.
#[derive(Debug)]
pub(crate) struct Flush {
    pub(crate) answer: oneshot::Sender<Result<(), StoreError>>,
}

/// Runs until the last handle of the store is gone.
pub(crate) async fn run(core: Arc<Core>, mut flushes: mpsc::Receiver<Flush>) {
    let mut retention = core.retention.subscribe();
    let mut writer = Writer { core, retry: None, in_log: 0, tidying: None, removing: None };
    let mut care = interval_at(Instant::now() + CARE, CARE);
    care.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut removal = interval_at(Instant::now() + REMOVAL, REMOVAL);
    removal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // A branch is dropped only while it waits, never with records in its hands.
        tokio::select! {
            flush = flushes.recv() => {
                let Some(Flush { answer }) = flush else { break };
                // Whoever asked may have gone.
                let _ = answer.send(writer.commit().await);
            }
            () = writer.core.queue.arrived(), if writer.retry.is_none() => {
                sleep(GATHER).await;
                // The writer notes and reports it.
                let _ = writer.commit().await;
            }
            () = sleep_until(writer.retry.unwrap_or_else(Instant::now)), if writer.retry.is_some() => {
                let _ = writer.commit().await;
            }
            _ = care.tick() => writer.care().await,
            // The sender is in the core, which the writer has.
            Ok(()) = retention.changed() => writer.remove_old(),
            _ = removal.tick() => writer.remove_old(),
        }
    }
    let _ = writer.commit().await;
}

struct Writer {
    core: Arc<Core>,
    /// When to try again, after a failure.
    retry: Option<Instant>,
    /// Records written since the log was moved the last time.
    in_log: usize,
    tidying: Option<AbortHandle>,
    removing: Option<AbortHandle>,
}

impl Writer {
    /// Writes what waits, in one transaction. What cannot be written stays.
    async fn commit(&mut self) -> Result<(), StoreError> {
        let batch = self.core.queue.take();
        let count = batch.len();
        if count == 0 {
            return Ok(());
        }
        let result = self.core.database.read().await.write(&batch).await;
        match &result {
            Ok(()) => {
                self.recovered(count);
                self.in_log += count;
                if self.in_log >= RECORDS_IN_LOG {
                    self.tidy();
                }
            }
            Err(error) => {
                self.core.queue.put_back(batch);
                self.failed(chain(error));
            }
        }
        result
    }

    fn recovered(&mut self, written: usize) {
        if self.retry.take().is_some() {
            tracing::info!(written, "records are stored again");
        }
        let mut writing = self.writing();
        writing.written += written as u64;
        writing.failing = None;
    }

    fn failed(&mut self, why: String) {
        if self.retry.is_none() {
            tracing::error!(error = why, "records wait in memory until they can be stored");
        }
        self.retry = Some(Instant::now() + RETRY);
        let mut writing = self.writing();
        writing.failures += 1;
        let since = writing.failing.as_ref().map_or_else(now, |failing| failing.since);
        writing.failing = Some(Failing { why, since });
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.core.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn care(&mut self) {
        // Neither is worth stopping for: a failing disk shows at the next commit.
        if let Err(error) = self.core.database.read().await.mark_alive(now()).await {
            tracing::debug!(error = chain(&error), "cannot mark the calls in progress");
        }
        if self.in_log > 0 {
            self.tidy();
        }
    }

    /// Runs some work until it is done or the store is closed.
    fn beside(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let mut tasks = self.core.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work)
    }

    /// Removes what is too old, beside what else goes on.
    fn remove_old(&mut self) {
        if self.removing.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let core = Arc::clone(&self.core);
        self.removing = Some(self.beside(async move {
            let retention = *core.retention.borrow();
            match retention::remove_old(&core, retention, now()).await {
                Ok(0) | Err(StoreError::Closed) => {}
                Ok(removed) => tracing::info!(removed, "old records removed"),
                Err(error) => tracing::warn!(error = chain(&error), "cannot remove old records"),
            }
        }));
    }

    /// Moves the log into the database, beside what else goes on.
    fn tidy(&mut self) {
        if self.tidying.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        self.in_log = 0;
        let core = Arc::clone(&self.core);
        self.tidying = Some(self.beside(async move {
            if let Err(error) = core.database.read().await.checkpoint().await {
                tracing::warn!(error = chain(&error), "the log of the database grows");
            }
        }));
    }
}

fn now() -> WallTime {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    WallTime(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
}
