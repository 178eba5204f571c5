//! How other threads speak to the media thread: orders in, answers and what happens out.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel},
    },
    time::Duration,
};

use mio::{Waker, net::UdpSocket};
use selsius_media::{
    Digit, Tone,
    engine::{Clip, Counters, Event, Figures, Format, Learning, OrderError, Place, SourceId, Voice},
};
use selsius_wire::srtp::PartyKeys;
use tokio::{sync::oneshot, time::timeout};

use crate::core::{self, Unavailable};

/// A party, as other threads name it. Those of the exchange have its own numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Party(u64);

impl Party {
    /// The exchange's party of this number.
    pub const fn of_exchange(number: u32) -> Self {
        Self(number as u64)
    }

    /// The exchange's number of it, if it is the exchange's.
    pub(super) fn number(self) -> Option<u32> {
        u32::try_from(self.0).ok()
    }
}

/// What happens at a party whose events somebody wants.
#[derive(Debug)]
pub enum Happening<'a> {
    /// Something.
    Event(Event),
    /// 20 ms of sound; see [`Order::Tap`].
    Sound {
        /// What it said.
        said: &'a [i16],
        /// What it heard.
        heard: &'a [i16],
    },
    /// It is the one who talks in its bridge, or no more.
    Talks(bool),
    /// The party is gone, by a fault of ours.
    Lost,
}

/// Takes what happens at a party, on the media thread: it must not wait for anything.
pub type Watcher = Box<dyn FnMut(Happening<'_>) + Send>;

/// How a new party shall be.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// How its streams are packed.
    pub format: Format,
    /// Where the manager listens to it: the address that it shall be told.
    pub address: IpAddr,
    /// Where it listens, if that is known already.
    pub remote: Option<SocketAddr>,
    /// From where else it may come.
    pub learning: Learning,
    /// Where to put it.
    pub place: Place,
    /// The keys of its audio, if that is encrypted: nothing else is taken from it then.
    pub srtp: Option<PartyKeys>,
}

/// Who gets the answer to [`Order::Open`]: where the manager listens, or nothing if it cannot.
#[derive(Debug)]
pub enum Answer {
    /// The exchange, by [`core::Command::Anchored`].
    Exchange,
    /// Somebody who waits.
    Waiting(oneshot::Sender<Option<SocketAddr>>),
}

/// What a source gives beside its clip.
#[derive(Debug)]
pub enum Live {
    /// Nothing.
    No,
    /// RTP that comes to this port.
    Socket(UdpSocket),
    /// What [`Order::Feed`] brings.
    Fed,
}

/// What the media thread is to do.
#[expect(missing_debug_implementations, reason = "watchers are functions")]
pub enum Order {
    /// One more party. One of that name is closed first.
    Open {
        /// Its name.
        party: Party,
        /// How it shall be.
        opening: Box<Opening>,
        /// Who wants to know what happens there.
        watcher: Option<Watcher>,
        /// Who gets the answer.
        answer: Answer,
    },
    /// A party is gone. The exchange is told how those of its own were, by [`core::Command::Left`].
    Close {
        /// Which.
        party: Party,
        /// Who wants to know how it was.
        answer: Option<oneshot::Sender<Option<Figures>>>,
    },
    /// All parties of the exchange are gone: it has crashed.
    CloseExchange,
    /// Where a party listens, and from where else it may come.
    Remote(Party, SocketAddr, Learning),
    /// Another way to pack.
    Format(Party, Format),
    /// Other keys, or none.
    Srtp(Party, Option<PartyKeys>),
    /// Put it somewhere else.
    Place(Party, Place),
    /// Whether others hear it.
    Voice(Party, Voice),
    /// Play something to it; [`Event::ClipFinished`] tells the end.
    Play(Party, Clip),
    /// Stop that.
    Stop(Party),
    /// Press a key at it for so long.
    Digit(Party, Digit, Duration),
    /// Give its watcher [`Happening::Sound`] from now on, or no longer.
    Tap(Party, bool),
    /// Give what it says and hears to this watcher, in place of the one that it has, and let everybody with it hear a tone beside;
    /// or no longer.
    Record(Party, Option<(Watcher, Option<Tone>)>),
    /// What a source gives; nothing takes it away.
    Source(SourceId, Option<Clip>),
    /// What a source gives before its clip, from now on.
    Live(SourceId, Live),
    /// A datagram of RTP for a source.
    Feed(SourceId, Vec<u8>),
    /// How a party is.
    Figures(Party, oneshot::Sender<Option<Figures>>),
    /// How much of everything.
    Status(oneshot::Sender<Status>),
    /// Answer the exchange this way from now on.
    Exchange(core::Handle),
    /// End.
    End,
}

/// How much of everything there is, and what was counted since the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Status {
    /// Parties.
    pub parties: usize,
    /// Bridges with parties in them.
    pub bridges: usize,
    /// Pairs of ports that nobody has.
    pub free_ports: usize,
    /// Parties that were refused, because there was no port or the codec does not fit.
    pub refused: u64,
    /// Packets that the operating system did not take.
    pub unsent: u64,
    /// Packets of parties with keys that were not encrypted with these: in clear, changed on their way, or of somebody else.
    pub forged: u64,
    /// Encrypted packets that were there before.
    pub replayed: u64,
    /// Crashes, after each of which it began again.
    pub crashes: u64,
    /// What passed through.
    pub counters: Counters,
}

/// Orders that may wait. What the exchange wants in one turn is far less.
pub const ORDERS: usize = 4096;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Names of parties from here on are no numbers of the exchange's.
const FIRST_NAME: u64 = 1 << 32;

/// The way to the media thread. Giving an order never waits.
#[derive(Debug, Clone)]
pub struct Handle {
    orders: SyncSender<Order>,
    waiting: Arc<AtomicUsize>,
    names: Arc<AtomicU64>,
    waker: Arc<Waker>,
}

/// Where orders come out.
pub(super) struct Orders {
    orders: Receiver<Order>,
    waiting: Arc<AtomicUsize>,
}

impl Orders {
    pub(super) fn try_recv(&self) -> Result<Order, TryRecvError> {
        self.orders.try_recv().inspect(|_| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        })
    }
}

impl Handle {
    pub(super) fn new(waker: Waker) -> (Self, Orders) {
        let (orders, receiver) = sync_channel(ORDERS);
        let waiting = Arc::new(AtomicUsize::new(0));
        let out = Orders { orders: receiver, waiting: Arc::clone(&waiting) };
        let names = Arc::new(AtomicU64::new(FIRST_NAME));
        (Self { orders, waiting, names, waker: Arc::new(waker) }, out)
    }

    /// A name for a party that is not the exchange's.
    pub fn name(&self) -> Party {
        Party(self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// Orders that wait; at most [`ORDERS`].
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Hands an order over.
    ///
    /// # Errors
    /// If the queue is full or the thread has ended. The order is lost then.
    pub fn send(&self, order: Order) -> Result<(), Unavailable> {
        self.offer(order).map_err(|error| match error {
            TrySendError::Full(_) => Unavailable::Busy,
            TrySendError::Disconnected(_) => Unavailable::Stopped,
        })
    }

    /// Hands an order over, or gives it back.
    pub(crate) fn offer(&self, order: Order) -> Result<(), TrySendError<Order>> {
        // Before it can be taken.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.orders.try_send(order) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(error);
        }
        // Fails for a thread that has gone meanwhile.
        let _ = self.waker.wake();
        Ok(())
    }

    /// Opens a party, and waits until it is known where the manager listens to it; `None` if it cannot.
    ///
    /// # Errors
    /// If the queue is full, the thread has ended, or takes too long.
    pub async fn open(
        &self,
        opening: Opening,
        watcher: Option<Watcher>,
    ) -> Result<Option<(Party, SocketAddr)>, Unavailable> {
        let party = self.name();
        let opening = Box::new(opening);
        let open = |answer| Order::Open { party, opening, watcher, answer: Answer::Waiting(answer) };
        Ok(self.ask(open).await?.map(|address| (party, address)))
    }

    /// Hands a question over and waits for the answer.
    ///
    /// # Errors
    /// If the queue is full, the thread has ended, or takes too long.
    pub async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, Unavailable> {
        let (answer, wait) = oneshot::channel();
        self.send(question(answer))?;
        let answered = timeout(PATIENCE, wait).await.map_err(|_| Unavailable::Busy)?;
        answered.map_err(|_| Unavailable::Stopped)
    }
}

/// Why an order came to nothing, for the log.
pub(super) fn complain(party: Party, error: OrderError) {
    tracing::warn!(party = party.0, %error, "media order refused");
}
