//! What answers calls that no person answers: the far end of trunks of the kind `services`.
//!
//! Each call is a task with a party of the media thread's; what it does is [`selsius_voice::Call`]'s business. Orders come from the
//! exchange's thread by a bounded queue, events go back to it as commands.

mod call;
mod mail;
mod mailboxes;
mod rooms;
mod sound;
mod tries;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, mpsc::TrySendError as TrySendFull},
    time::Duration,
};

use selsius_exchange::{TrunkEvent, TrunkLegId, TrunkOrder, record::EndCause};
use selsius_media::engine::{Learning, SourceId};
use selsius_site::{Line, LineNumber, Name, Site, TrunkKind};
use selsius_voice::{Language, MessageId};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        watch,
    },
    task::JoinSet,
};

pub(crate) use self::rooms::{Intervention, Rooms};
pub use self::rooms::{MemberStatus, RoomStatus};
use self::{mail::Letter, mailboxes::Mailboxes, sound::Sounds};
use crate::{
    config::Config,
    core::{self, Command, FarEnd, LineChange, Ordered},
    media::{self, Order, Party},
};

/// Orders that may wait for all calls together.
const ORDERS: usize = 1024;
/// Orders that may wait for one call.
const ORDERS_OF_CALL: usize = 64;

/// What all calls share.
#[derive(Debug)]
pub(crate) struct Voice {
    exchange: core::Handle,
    media: media::Handle,
    learning: Learning,
    mailboxes: Mailboxes,
    pub(crate) rooms: Arc<Rooms>,
    sounds: Sounds,
    /// What the media engine calls the site's music.
    music: watch::Receiver<BTreeMap<Name, SourceId>>,
    /// Messages that go by e-mail too.
    letters: Option<mpsc::Sender<Letter>>,
}

/// Begins to answer, and gives what others may ask. The future is to be run; it ends with the exchange.
pub(crate) async fn start(
    data_dir: &Path,
    exchange: core::Handle,
    media: media::Handle,
    music: watch::Receiver<BTreeMap<Name, SourceId>>,
    config: &Config,
) -> (Arc<Voice>, impl Future<Output = ()> + use<>) {
    let (far_end, orders): (FarEnd, _) = mpsc::channel(ORDERS);
    exchange.deliver(Command::FarEnd(TrunkKind::Services, far_end)).await;
    let mailboxes = Mailboxes::open(data_dir.join("voicemail"));
    let (letters, to_send) = mpsc::channel(mail::LETTERS);
    let letters = config.mail.server.is_some().then_some(letters);
    let (learning, sounds) = (config.learning(), Sounds::new(data_dir));
    let rooms = Arc::new(Rooms::new(exchange.clone()));
    let voice =
        Voice { exchange, media, learning, mailboxes, rooms: Arc::clone(&rooms), sounds, music, letters };
    let voice = Arc::new(voice);
    let sends = mail::send(Arc::clone(&voice), config.mail.clone(), to_send);
    (Arc::clone(&voice), answer(voice, orders, sends))
}

async fn answer(
    voice: Arc<Voice>,
    mut orders: mpsc::Receiver<Ordered>,
    sends: impl Future<Output = ()> + Send + 'static,
) {
    // What is still to be sent at the end is not waited for.
    let mut letters = JoinSet::new();
    letters.spawn(sends);
    voice.tell_all_counts().await;
    let mut calls: BTreeMap<TrunkLegId, mpsc::Sender<TrunkOrder>> = BTreeMap::new();
    let mut tasks = JoinSet::new();
    while let Some(Ordered { order, reached }) = orders.recv().await {
        while tasks.try_join_next().is_some() {}
        calls.retain(|_, call| !call.is_closed());
        let order = match order {
            TrunkOrder::Offer { leg, number, calling, redirecting, codecs, packet_ms, meet_me, .. } => {
                let (to, orders) = mpsc::channel(ORDERS_OF_CALL);
                calls.insert(leg, to);
                let offer =
                    call::Offer { leg, number, calling, redirecting, codecs, packet_ms, meet_me, reached };
                tasks.spawn(call::run(Arc::clone(&voice), offer, orders));
                continue;
            }
            order => order,
        };
        let Some(leg) = order.leg() else { continue };
        // A call that does not keep up is over: its task ends with its queue.
        if let Some(call) = calls.get(&leg)
            && let Err(TrySendError::Full(_)) = call.try_send(order)
        {
            tracing::warn!(?leg, "a voice application does not keep up: its call ends");
            calls.remove(&leg);
        }
    }
    // The exchange has ended, and told all calls so: what was recorded is still kept.
    calls.clear();
    while tasks.join_next().await.is_some() {}
}

impl Voice {
    /// Tells the exchange what happened.
    async fn tell(&self, event: TrunkEvent) {
        self.exchange.deliver(Command::Trunk(event.into())).await;
    }

    async fn site(&self) -> Option<Arc<Site>> {
        self.exchange.ask(Command::CurrentSite).await.ok()
    }

    /// Tells the exchange what waits in every mailbox that was ever used: it may have been stopped between a message and its
    /// lamp.
    pub(crate) async fn tell_all_counts(self: &Arc<Self>) {
        let Some(site) = self.site().await else { return };
        let used = self.disk(|voice| voice.mailboxes.used()).await.unwrap_or_default();
        let mut lines: BTreeMap<&str, Vec<&LineNumber>> = BTreeMap::new();
        for line in site.lines.keys() {
            if let Some(mailbox) = mailbox_of(&site, line.as_str()) {
                lines.entry(mailbox).or_default().push(line);
            }
        }
        for mailbox in used {
            if let Some(lines) = lines.get(mailbox.as_str()) {
                self.tell_lines(&mailbox, lines.iter().copied()).await;
            }
        }
    }

    /// Tells the exchange what waits in a mailbox.
    async fn tell_counts(self: &Arc<Self>, site: &Site, mailbox: &str) {
        let lines = site.lines.keys().filter(|line| mailbox_of(site, line.as_str()) == Some(mailbox));
        self.tell_lines(mailbox, lines).await;
    }

    async fn tell_lines(self: &Arc<Self>, mailbox: &str, lines: impl Iterator<Item = &LineNumber>) {
        let number = mailbox.to_owned();
        let Ok(counts) = self.disk(move |voice| voice.mailboxes.counts(&number)).await else { return };
        for line in lines {
            let change = LineChange::Messages { new: counts.new, old: counts.old };
            let told = self.exchange.ask(|answer| Command::ChangeLine(line.clone(), change, answer)).await;
            if told.is_err() {
                tracing::warn!(%line, "the exchange was not told how many messages wait");
            }
        }
    }

    /// Sends a new message to the lines of its mailbox that have an address.
    fn send_letters(&self, site: &Site, mailbox: &str, id: MessageId, language: Language) {
        let Some(letters) = &self.letters else { return };
        let mine = |(number, line): &(&LineNumber, &Line)| {
            !line.mail.is_empty() && mailbox_of(site, number.as_str()) == Some(mailbox)
        };
        for (_, line) in site.lines.iter().filter(mine) {
            let (to, mailbox, zone) = (line.mail.clone(), mailbox.to_owned(), core::zone(site));
            if letters.try_send(Letter { to, mailbox, id, zone, language }).is_err() {
                tracing::warn!("too many messages wait to be sent by e-mail: one is not sent");
            }
        }
    }

    /// Does something that waits for the disk, beside everything else.
    async fn disk<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, tokio::task::JoinError> {
        let voice = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&voice)).await
    }
}

/// The mailbox of a line, if it has one.
fn mailbox_of<'s>(site: &'s Site, number: &str) -> Option<&'s str> {
    let (number, line) = site.lines.get_key_value(&number.parse::<LineNumber>().ok()?)?;
    line.voicemail.then(|| line.mailbox.as_ref().unwrap_or(number).as_str())
}

/// The end of a call, however it comes: the exchange hears of it, and its party is closed.
struct Ending {
    voice: Arc<Voice>,
    leg: TrunkLegId,
    cause: EndCause,
    /// The exchange knows.
    said: bool,
    party: Option<Party>,
}

/// How soon the media thread is asked again when it had no room.
const AGAIN: Duration = Duration::from_millis(5);

impl Drop for Ending {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let voice = Arc::clone(&self.voice);
        let event = (!self.said).then_some(TrunkEvent::HungUp { leg: self.leg, cause: self.cause });
        let close = self.party.map(|party| Order::Close { party, answer: None });
        runtime.spawn(async move {
            if let Some(event) = event {
                voice.tell(event).await;
            }
            let mut close = close;
            while let Some(order) = close.take() {
                if let Err(TrySendFull::Full(order)) = voice.media.offer(order) {
                    close = Some(order);
                    tokio::time::sleep(AGAIN).await;
                }
            }
        });
    }
}
