//! The handle of a phone.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use selsius_station::{Action, CloseReason, Config, Event, Face, RejectReason};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::{AudioSource, LinkError, Options, StreamReport, Target, WavError, task::Task};

/// A phone that runs. Dropping it ends the phone without a word to the manager, as pulling its plug does;
/// [`Phone::hang_up_and_leave`] is polite.
#[derive(Debug)]
pub struct Phone {
    commands: mpsc::Sender<Command>,
    snapshots: watch::Receiver<Snapshot>,
    happened: broadcast::Sender<Happened>,
    task: JoinHandle<End>,
}

/// What a person in front of the phone sees and hears now.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// How the phone is connected.
    pub connection: Connection,
    /// Display, lamps, keys.
    pub face: Face,
    /// What comes out of the receiver, or came out of it last.
    pub voice: StreamReport,
}

/// How a phone is connected to its manager.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Connection {
    /// It tries to.
    #[default]
    Connecting,
    /// It is.
    Up {
        /// The phone's end.
        local: SocketAddr,
        /// The manager's end.
        remote: SocketAddr,
    },
    /// It is not, and tries again after a while.
    Waiting {
        /// Why it is not.
        why: String,
        /// How long it waits.
        wait: Duration,
    },
    /// It is not, and does not try any more.
    Down {
        /// Why.
        why: String,
    },
}

/// Something that happened to a phone, which a look at the next [`Snapshot`] may miss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// To the phone itself.
    Station(Event),
    /// The phone closed its connection.
    Closed(CloseReason),
    /// The connection could not be made or was lost; the text says why.
    Lost(String),
    /// The recording ended early; the text says why.
    RecordingFailed(String),
}

/// Why a phone ended.
#[derive(Debug)]
pub enum End {
    /// Its handle was dropped.
    Dropped,
    /// It closed its connection, and is not to come back.
    Closed(CloseReason),
    /// Its connection was lost or could not be made, and it is not to come back.
    Lost(LinkError),
    /// The file that it should record to cannot be written.
    Recording(WavError),
}

/// The phone has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the phone has ended")]
pub struct Gone;

/// Why an action did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// It makes no sense now.
    #[error(transparent)]
    Refused(#[from] RejectReason),
    /// There is no phone.
    #[error(transparent)]
    Gone(#[from] Gone),
}

/// What the holder of a phone wants of it.
pub(crate) enum Command {
    Act(Action, oneshot::Sender<Result<(), RejectReason>>),
    Play(AudioSource),
    Record(Option<PathBuf>, oneshot::Sender<Result<(), WavError>>),
}

/// Commands that can wait; whoever sends more waits too.
const COMMANDS: usize = 32;
/// Happenings that a slow listener can catch up with.
const HAPPENINGS: usize = 256;

impl Phone {
    /// Starts a phone on the current runtime. It connects at once.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(target: Target, config: Config, options: Options) -> Self {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let (snapshot, snapshots) = watch::channel(Snapshot::default());
        let (happened, _) = broadcast::channel(HAPPENINGS);
        let task = Task::new(target, config, options, receiver, snapshot, happened.clone());
        Self { commands, snapshots, happened, task: tokio::spawn(task.run()) }
    }

    /// Does what a user does. It is done, and its messages are on their way, when this returns.
    ///
    /// # Errors
    /// Where it does nothing now, or the phone has ended.
    pub async fn act(&self, action: Action) -> Result<(), ActError> {
        let (answer, done) = oneshot::channel();
        self.commands.send(Command::Act(action, answer)).await.map_err(|_| Gone)?;
        Ok(done.await.map_err(|_| Gone)??)
    }

    /// Lets the microphone hear something else from now on.
    ///
    /// # Errors
    /// If the phone has ended.
    pub async fn play(&self, source: AudioSource) -> Result<(), Gone> {
        self.commands.send(Command::Play(source)).await.map_err(|_| Gone)
    }

    /// Writes what is heard to this file from now on, or no longer.
    ///
    /// # Errors
    /// If the phone has ended, or (inside) the file cannot be written.
    pub async fn record(&self, path: Option<PathBuf>) -> Result<Result<(), WavError>, Gone> {
        let (answer, done) = oneshot::channel();
        self.commands.send(Command::Record(path, answer)).await.map_err(|_| Gone)?;
        done.await.map_err(|_| Gone)
    }

    /// What a person sees and hears now.
    pub fn now(&self) -> Snapshot {
        self.snapshots.borrow().clone()
    }

    /// Waits until something changes, and gives what is then.
    ///
    /// # Errors
    /// If the phone has ended.
    pub async fn changed(&mut self) -> Result<Snapshot, Gone> {
        self.snapshots.changed().await.map_err(|_| Gone)?;
        Ok(self.snapshots.borrow_and_update().clone())
    }

    /// Waits until a condition holds. A state that lasts no longer than a few messages can be missed.
    ///
    /// # Errors
    /// If the phone has ended.
    pub async fn wait_until(&mut self, holds: impl Fn(&Snapshot) -> bool) -> Result<Snapshot, Gone> {
        self.snapshots.wait_for(|now| holds(now)).await.map(|now| now.clone()).map_err(|_| Gone)
    }

    /// What happens from now on.
    pub fn happened(&self) -> broadcast::Receiver<Happened> {
        self.happened.subscribe()
    }

    /// Waits until the phone ends by itself, which one that reconnects does not.
    pub async fn ended(&mut self) -> End {
        (&mut self.task).await.unwrap_or(End::Dropped)
    }

    /// Hangs up, unregisters, and waits until the manager let the phone go, at most for `patience`. Why it ended.
    pub async fn hang_up_and_leave(mut self, patience: Duration) -> End {
        // Refusals are fine: nothing to hang up, or nobody to leave.
        let _ = self.act(Action::OnHook).await;
        let left = self.act(Action::Unregister).await;
        if left.is_ok()
            && let Ok(end) = tokio::time::timeout(patience, self.ended()).await
        {
            return end;
        }
        self.stop().await
    }

    /// Pulls the plug, and completes a recording.
    pub async fn stop(self) -> End {
        let Self { commands, task, .. } = self;
        drop(commands);
        task.await.unwrap_or(End::Dropped)
    }
}
