//! How other threads speak to the exchange: commands in, what is going on out.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
};

use mio::Waker;
use selsius_exchange::{
    CallStatus, Counters, DeviceStatus, Operation, OperationError, remembered::LineState,
};
use selsius_site::{DeviceName, LineNumber, Site};
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
    /// The site as the exchange has it, phones that registered themselves included.
    CurrentSite(oneshot::Sender<Box<Site>>),
    /// Reset or restart a phone.
    Reset(DeviceName, ResetType, oneshot::Sender<()>),
    /// One phone and what it shows; nothing if it is not registered.
    Device(DeviceName, oneshot::Sender<Option<(DeviceStatus, Face)>>),
    /// Do something at a phone in its user's place.
    Operate(DeviceName, Operation, oneshot::Sender<Result<(), OperationError>>),
    /// What lines remember; those that are missing have changed nothing.
    LineStates(oneshot::Sender<BTreeMap<LineNumber, LineState>>),
    /// Tell somebody of something from now on. The channel ends when it is full, and with the exchange.
    Watch(Watch, mpsc::Sender<News>),
    /// End calls and connections in order, then stop.
    Stop,
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
