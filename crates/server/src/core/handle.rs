//! How other threads speak to the exchange: commands in, what is going on out.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel},
    },
    time::Duration,
};

use jiff::Timestamp;
use mio::Waker;
use selsius_exchange::{
    CallStatus, CannotForward, Counters, DeviceStatus, Operation, OperationError, ParkedCall, PhoneContact,
    Presence, PushError, TrunkEvent, record::StreamFigures, remembered::ForwardKind,
};
use selsius_media::engine::SourceId;
use selsius_site::{DeviceName, LineNumber, Name, Site, TrunkKind};
use selsius_store::Remembered;
use selsius_wire::value::ResetType;
use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{
    Anchoring, FarEnd, Limits,
    tally::Metrics,
    watch::{Face, News, WAITING_NEWS, Watch},
};

/// What other threads ask of the exchange.
#[derive(Debug)]
pub enum Command {
    /// What was counted.
    Counts(oneshot::Sender<Counts>),
    /// [`PAGE`] registered phones by name, from the first one after this one on. Less than that are the last ones.
    Devices(Option<DeviceName>, oneshot::Sender<Vec<DeviceStatus>>),
    /// Calls in progress from this place on, at most [`PAGE`], and the next place. The first place is 0.
    Calls(usize, oneshot::Sender<(Vec<CallStatus>, Option<usize>)>),
    /// How much of everything, and how often.
    Metrics(oneshot::Sender<Box<Metrics>>),
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
    CurrentSite(oneshot::Sender<Arc<Site>>),
    /// Who is there, and who is busy: of [`PAGE`] phones by name, from the first one after this one on. Less than that are
    /// the last ones.
    Presence(Option<DeviceName>, oneshot::Sender<Presence>),
    /// Reset or restart a phone.
    Reset(DeviceName, ResetType, oneshot::Sender<()>),
    /// One phone and what it shows; nothing if it is not registered.
    Device(DeviceName, oneshot::Sender<Option<(DeviceStatus, Face)>>),
    /// Do something at a phone in its user's place.
    Operate(DeviceName, Operation, oneshot::Sender<Result<(), OperationError>>),
    /// Show an object (XML) on a phone.
    Push(DeviceName, String, oneshot::Sender<Result<(), PushError>>),
    /// Change what a line remembers.
    ChangeLine(LineNumber, LineChange, oneshot::Sender<Result<(), CannotForward>>),
    /// The calls that are parked, by their slots.
    Parked(oneshot::Sender<Vec<ParkedCall>>),
    /// Tell somebody of something from now on. The channel ends when it is full, and with the exchange.
    Watch(Watch, mpsc::Sender<News>),
    /// Keep to other limits from now on.
    Limits(Box<Limits>, Box<selsius_exchange::Limits>),
    /// Audio that cannot go from phone to phone goes there from now on.
    Media(Anchoring),
    /// Trunks of this kind are answered there from now on.
    FarEnd(TrunkKind, FarEnd),
    /// Something happened at a trunk.
    Trunk(Box<TrunkEvent>),
    /// Where a SIP phone is registered from now on.
    Phone(DeviceName, Vec<PhoneContact>),
    /// What the media engine calls the site's music, from now on.
    Music(BTreeMap<Name, SourceId>),
    /// One of the exchange's parties is the one who talks in its conference, or no more.
    Talks {
        /// Which.
        party: u32,
        /// Does it?
        talks: bool,
    },
    /// Those who watch everything are to hear this.
    Tell(Box<News>),
    /// The media thread says where it listens to a party; nothing if it cannot, or no longer.
    Anchored {
        /// The party, as the exchange named it.
        party: u32,
        /// Where to send its audio.
        address: Option<SocketAddr>,
    },
    /// A recording cannot be written, or not any further.
    RecordingFailed {
        /// Its name.
        name: String,
        /// Is there anything of it?
        kept: bool,
    },
    /// What the media thread has counted of a party that has left; nothing if it had no such party.
    Left {
        /// The party, as the exchange named it.
        party: u32,
        /// What.
        figures: Option<Box<StreamFigures>>,
    },
    /// Take no new calls, and stop when those that are in progress have ended, or after so long.
    Drain(Duration),
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

/// Phones or calls that the exchange tells of in one turn: half a millisecond even without optimization, however large the
/// office is.
pub const PAGE: usize = 256;

/// What is going on.
#[derive(Debug, Clone)]
pub struct Status {
    /// Registered phones, by name.
    pub devices: Vec<DeviceStatus>,
    /// Calls in progress, in the order in which they began.
    pub calls: Vec<CallStatus>,
    /// What the exchange counted since its start.
    pub counters: Counters,
    /// What the sockets counted.
    pub network: NetworkCounters,
}

/// What was counted, as the exchange tells it.
#[derive(Debug, Clone)]
pub struct Counts {
    /// What the exchange counted since the start.
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
    /// Bytes that phones have left unread, now.
    pub unread: usize,
    /// Connections dropped because their bytes were no frames.
    pub garbage: u64,
    /// How often a connection was read more slowly because it said too much.
    pub held: u64,
    /// Connections dropped because they went on saying too much.
    pub floods: u64,
    /// How often the exchange was overloaded.
    pub overloads: u64,
    /// Records that nobody took, in a crash. Those that found the store's queue full are the store's to count.
    pub records_lost: u64,
    /// Crashes of the exchange, after each of which it began again.
    pub crashes: u64,
    /// When the last one was.
    pub last_crash: Option<Timestamp>,
}

/// Commands that may wait; more are refused.
pub const COMMANDS: usize = 256;

/// How long an answer may take: far more than a change of a very large office does.
const PATIENCE: Duration = Duration::from_secs(30);

/// The way to the exchange from other threads.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: SyncSender<Command>,
    /// Commands that wait.
    waiting: Arc<AtomicUsize>,
    waker: Arc<Waker>,
}

/// Where commands come out.
#[derive(Debug)]
pub(super) struct Commands {
    commands: Receiver<Command>,
    waiting: Arc<AtomicUsize>,
}

impl Commands {
    pub(super) fn try_recv(&self) -> Result<Command, TryRecvError> {
        self.commands.try_recv().inspect(|_| self.taken())
    }

    pub(super) fn recv_timeout(&self, most: Duration) -> Result<Command, RecvTimeoutError> {
        self.commands.recv_timeout(most).inspect(|_| self.taken())
    }

    fn taken(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The exchange does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unavailable {
    /// Its queue is full, or it does not answer.
    #[error("the exchange is busy")]
    Busy,
    /// It has stopped.
    #[error("the exchange has stopped")]
    Stopped,
}

impl Handle {
    /// The way in, and where commands come out.
    pub(super) fn new(waker: Waker) -> (Self, Commands) {
        let (commands, receiver) = sync_channel(COMMANDS);
        let waiting = Arc::new(AtomicUsize::new(0));
        let out = Commands { commands: receiver, waiting: Arc::clone(&waiting) };
        (Self { commands, waiting, waker: Arc::new(waker) }, out)
    }

    /// Commands that wait; at most [`COMMANDS`].
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Hands a command over.
    ///
    /// # Errors
    /// If the queue is full or the exchange has stopped.
    pub fn send(&self, command: Command) -> Result<(), Unavailable> {
        self.offer(command).map_err(|error| match error {
            TrySendError::Full(_) => Unavailable::Busy,
            TrySendError::Disconnected(_) => Unavailable::Stopped,
        })
    }

    /// Hands a command over as soon as there is room for it. One that has stopped needs none.
    pub(crate) async fn deliver(&self, mut command: Command) {
        while let Err(TrySendError::Full(back)) = self.offer(command) {
            command = back;
            tokio::task::yield_now().await;
        }
    }

    fn offer(&self, command: Command) -> Result<(), TrySendError<Command>> {
        // Before it can be taken.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.commands.try_send(command) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(error);
        }
        // Fails for an exchange that has gone meanwhile.
        let _ = self.waker.wake();
        Ok(())
    }

    /// Hands a question over and waits for the answer, half a minute at most.
    ///
    /// # Errors
    /// If the queue is full, the exchange has stopped, or takes too long.
    pub async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Unavailable> {
        let (answer, wait) = oneshot::channel();
        self.send(question(answer))?;
        let answered = timeout(PATIENCE, wait).await.map_err(|_| Unavailable::Busy)?;
        answered.map_err(|_| Unavailable::Stopped)
    }

    /// What is going on. Phones and calls that come or go meanwhile may be in it or not.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub async fn status(&self) -> Result<Status, Unavailable> {
        let devices = self.devices().await?;
        let mut calls = Vec::new();
        let mut place = Some(0);
        while let Some(here) = place {
            let (some, next) = self.ask(|answer| Command::Calls(here, answer)).await?;
            calls.extend(some);
            place = next;
        }
        calls.sort_unstable_by_key(|call| call.call);
        let Counts { counters, network } = self.ask(Command::Counts).await?;
        Ok(Status { devices, calls, counters, network })
    }

    /// Registered phones, by name.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub async fn devices(&self) -> Result<Vec<DeviceStatus>, Unavailable> {
        let mut devices: Vec<DeviceStatus> = Vec::new();
        loop {
            let after = devices.last().map(|device| device.name.clone());
            let some = self.ask(|answer| Command::Devices(after, answer)).await?;
            let last = some.len() < PAGE;
            devices.extend(some);
            if last {
                return Ok(devices);
            }
        }
    }

    /// Who is there, and who is busy.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub async fn presence(&self) -> Result<Presence, Unavailable> {
        let mut presence = Presence::default();
        loop {
            let after = presence.phones.last_key_value().map(|(name, _)| name.clone());
            let some = self.ask(|answer| Command::Presence(after, answer)).await?;
            let last = some.phones.len() < PAGE;
            presence.extend(some);
            if last {
                return Ok(presence);
            }
        }
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
