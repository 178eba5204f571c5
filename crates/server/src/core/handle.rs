//! How other threads speak to the exchange: commands in, what is going on out.

use std::sync::{
    Arc,
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use jiff::Timestamp;
use mio::Waker;
use selsius_exchange::{
    CallStatus, CannotForward, Counters, DeviceStatus, Operation, OperationError, ParkedCall, Presence,
    remembered::ForwardKind,
};
use selsius_site::{DeviceName, LineNumber, Site};
use selsius_store::Remembered;
use selsius_wire::value::ResetType;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use super::watch::{Face, News, WAITING_NEWS, Watch};

/// What other threads ask of the exchange.
#[derive(Debug)]
pub enum Command {
    /// What is going on.
    Status(oneshot::Sender<Status>),
    /// Take this site. Phones that registered themselves since it was made are kept.
    Site {
        /// The new site.
        site: Box<Site>,
        /// What it was made from.
        base: Box<Site>,
        /// Gets the site that runs from now on.
        answer: oneshot::Sender<Box<Site>>,
    },
    /// What lines and phones remember now.
    Remembered(oneshot::Sender<Remembered>),
    /// Take what lines and phones remember from a store that has been exchanged.
    Recall(Remembered, oneshot::Sender<()>),
    /// The site as the exchange has it, phones that registered themselves included.
    CurrentSite(oneshot::Sender<Box<Site>>),
    /// Who is there, and who is busy.
    Presence(oneshot::Sender<Presence>),
    /// Reset or restart a phone.
    Reset(DeviceName, ResetType, oneshot::Sender<()>),
    /// One phone and what it shows; nothing if it is not registered.
    Device(DeviceName, oneshot::Sender<Option<(DeviceStatus, Face)>>),
    /// Do something at a phone in its user's place.
    Operate(DeviceName, Operation, oneshot::Sender<Result<(), OperationError>>),
    /// Change what a line remembers.
    ChangeLine(LineNumber, LineChange, oneshot::Sender<Result<(), CannotForward>>),
    /// The calls that are parked, by their slots.
    Parked(oneshot::Sender<Vec<ParkedCall>>),
    /// Tell somebody of something from now on. The channel ends when it is full, and with the exchange.
    Watch(Watch, mpsc::Sender<News>),
    /// End calls and connections in order, then stop.
    Stop,
}

/// A change of what a line remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineChange {
    /// Its calls go elsewhere in this case, or no longer.
    Forward(ForwardKind, Option<LineNumber>),
    /// Nobody wants to be disturbed, or everybody may call again.
    DoNotDisturb(bool),
    /// So many messages wait in its mailbox.
    Messages {
        /// Not heard yet.
        new: u32,
        /// Heard and kept.
        old: u32,
    },
}

/// What is going on, as the exchange tells it.
#[derive(Debug, Clone)]
pub struct Status {
    /// Registered phones.
    pub devices: Vec<DeviceStatus>,
    /// Calls in progress.
    pub calls: Vec<CallStatus>,
    /// What was counted since the start.
    pub counters: Counters,
    /// What the sockets counted.
    pub network: NetworkCounters,
}

/// What the sockets counted since the start.
#[derive(Debug, Clone, Default)]
pub struct NetworkCounters {
    /// Connections open now.
    pub connections: usize,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections refused because of a limit.
    pub refused: u64,
    /// Connections dropped because the phone did not read.
    pub slow: u64,
    /// Connections dropped because their bytes were no frames.
    pub garbage: u64,
    /// Records that found the store's queue full.
    pub records_lost: u64,
    /// Crashes of the exchange, after each of which it began again.
    pub crashes: u64,
    /// When the last one was.
    pub last_crash: Option<Timestamp>,
}

/// Commands that may wait; more are refused.
const COMMANDS: usize = 256;

/// The way to the exchange from other threads.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: SyncSender<Command>,
    waker: Arc<Waker>,
}

/// The exchange does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unavailable {
    /// Its queue is full.
    #[error("the exchange is busy")]
    Busy,
    /// It has stopped.
    #[error("the exchange has stopped")]
    Stopped,
}

impl Handle {
    /// The way in, and where commands come out.
    pub(super) fn new(waker: Waker) -> (Self, Receiver<Command>) {
        let (commands, receiver) = sync_channel(COMMANDS);
        (Self { commands, waker: Arc::new(waker) }, receiver)
    }

    /// Hands a command over.
    ///
    /// # Errors
    /// If the queue is full or the exchange has stopped.
    pub fn send(&self, command: Command) -> Result<(), Unavailable> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => Unavailable::Busy,
            TrySendError::Disconnected(_) => Unavailable::Stopped,
        })?;
        self.waker.wake().map_err(|_| Unavailable::Stopped)
    }

    /// Hands a question over and waits for the answer.
    ///
    /// # Errors
    /// If the queue is full or the exchange has stopped.
    pub async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Unavailable> {
        let (answer, wait) = oneshot::channel();
        self.send(question(answer))?;
        wait.await.map_err(|_| Unavailable::Stopped)
    }

    /// Watches something. The receiver ends when what waits in it becomes too much, and when the exchange stops.
    ///
    /// # Errors
    /// If the queue is full or the exchange has stopped.
    pub fn watch(&self, watch: Watch) -> Result<mpsc::Receiver<News>, Unavailable> {
        let (to, news) = mpsc::channel(WAITING_NEWS);
        self.send(Command::Watch(watch, to))?;
        Ok(news)
    }
}
