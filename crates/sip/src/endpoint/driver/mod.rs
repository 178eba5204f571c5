//! The one task that owns all calls: orders, requests, responses and deadlines go in one at a time.

mod incoming;
mod phones;
mod sending;
mod trunks;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use rsipstack::{
    platform::CancellationToken,
    sip::{Request, Response},
    transaction::{
        TransactionReceiver, endpoint::EndpointInnerRef, make_tag, random_text,
        transaction::TransactionEventSender,
    },
    transport::SipConnection,
};
use selsius_exchange::{Seed, TrunkEvent, TrunkLegId, TrunkOrder, record::EndCause};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::Instant,
};

pub(super) use self::trunks::Server;
use self::trunks::Trunk;
use super::{
    Bound, local_for,
    transactions::{Watcher, Whom, Wire},
    ways::Streams,
};
use crate::{
    call::{Action, Call, Happening, Names, Timer},
    config::{Transport, TrunkConfig},
    digest::Doorman,
    gate::{Gate, count},
    message::{tag, value},
    registrar::{
        Registrar,
        asked::Asked,
        guard::Guard,
        mailbox::{Subscription, Waiting},
    },
    seam::{Event, TrunkStatus},
};

/// How often what is old is thrown away.
const SWEEP: Duration = Duration::from_secs(8);
/// How long calls may take to end when everything is stopped.
const FAREWELL: Duration = Duration::from_secs(2);

/// A call and its way.
struct Line {
    call: Call,
    /// Where the far end's last request came from, or where the first of ours goes.
    peer: Server,
    /// The stream that the far end's last request came by.
    flow: Option<SipConnection>,
    /// INVITEs of ours without a final response, as they were sent.
    invites: BTreeMap<u32, Request>,
    /// Our first INVITE, for another server, while nobody has said anything to it; and servers that are left.
    first: Option<(Request, Vec<Server>)>,
}

/// A request of the far end that is being served.
struct Serving {
    tell: TransactionEventSender,
}

/// What is wanted from outside.
#[derive(Debug)]
pub(super) enum Wanted {
    /// Of a call.
    Order(Box<TrunkOrder>),
    /// These trunks, from now on.
    Trunks(Vec<TrunkConfig>),
}

/// What the driver stands in.
pub(super) struct Around {
    pub(super) endpoint: EndpointInnerRef,
    pub(super) listeners: Vec<Bound>,
    pub(super) gate: Arc<Gate>,
    pub(super) watcher: Watcher,
    pub(super) happen: mpsc::Sender<Wire>,
    pub(super) stop: CancellationToken,
}

pub(super) struct Driver {
    endpoint: EndpointInnerRef,
    listeners: Vec<Bound>,
    streams: Streams,
    stop: CancellationToken,
    trunks: BTreeMap<String, Trunk>,
    next_place: u64,
    gate: Arc<Gate>,
    /// Requests of strangers.
    refused: AtomicU64,
    doorman: Doorman,
    watcher: Watcher,
    lines: BTreeMap<TrunkLegId, Line>,
    /// Call-ID and our tag.
    dialogs: BTreeMap<(String, String), TrunkLegId>,
    servers: BTreeMap<u64, Serving>,
    due: BTreeMap<(TrunkLegId, Timer), Instant>,
    deadlines: BTreeSet<(Instant, TrunkLegId, Timer)>,
    events: mpsc::Sender<Event>,
    /// Calls whose end the exchange could not be told.
    owed: BTreeSet<TrunkLegId>,
    happen: mpsc::Sender<Wire>,
    /// Odd: calls that begin at a trunk.
    next_leg: u64,
    next_server: u64,
    /// Registrations that are being ended.
    leaving: usize,
    began: Instant,
    registrar: Registrar,
    guard: Guard,
    asked: Asked,
    /// Call-ID and our tag.
    subscriptions: BTreeMap<(String, String), Subscription>,
    /// What waits for phones, as far as the exchange has told.
    waiting: BTreeMap<String, Waiting>,
    /// A password that nobody has.
    nobodys: String,
}

/// Calls that come in are named from here on: odd, and not as another kind of trunk names its own.
const FIRST_LEG: u64 = (1 << 32) + 1;

impl Driver {
    pub(super) fn new(trunks: Vec<TrunkConfig>, around: Around, events: mpsc::Sender<Event>) -> Self {
        let Around { endpoint, listeners, gate, watcher, happen, stop } = around;
        let mut driver = Self {
            endpoint,
            listeners,
            streams: Streams::default(),
            stop,
            trunks: BTreeMap::new(),
            next_place: 0,
            gate,
            refused: AtomicU64::new(0),
            doorman: Doorman::new(random_text(40)),
            watcher,
            lines: BTreeMap::new(),
            dialogs: BTreeMap::new(),
            servers: BTreeMap::new(),
            due: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            events,
            owed: BTreeSet::new(),
            happen,
            next_leg: FIRST_LEG,
            next_server: 0,
            leaving: 0,
            began: Instant::now(),
            registrar: Registrar::default(),
            guard: Guard::default(),
            asked: Asked::default(),
            subscriptions: BTreeMap::new(),
            waiting: BTreeMap::new(),
            nobodys: phones::nobodys(),
        };
        driver.change(trunks);
        driver
    }

    pub(super) async fn run(
        mut self,
        mut orders: mpsc::Receiver<Wanted>,
        mut incoming: TransactionReceiver,
        mut happenings: mpsc::Receiver<Wire>,
    ) {
        let mut sweep = tokio::time::interval(SWEEP);
        let mut farewell = None;
        loop {
            let deadline = self.deadlines.first().map(|&(at, ..)| at);
            let next = [deadline, self.next_upkeep(), farewell].into_iter().flatten().min();
            let wake = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                order = orders.recv(), if farewell.is_none() => match order {
                    Some(Wanted::Order(order)) => self.order(*order),
                    Some(Wanted::Trunks(trunks)) => self.change(trunks),
                    None => {
                        farewell = Some(Instant::now() + FAREWELL);
                        self.hang_up_all();
                        self.leaving = self.leave();
                    }
                },
                Some(transaction) = incoming.recv() => self.incoming(transaction),
                Some(wire) = happenings.recv() => self.wire(wire),
                () = wake => {
                    self.expire();
                    self.keep_up();
                }
                _ = sweep.tick() => {
                    self.watcher.sweep();
                    self.sweep_phones();
                }
            }
            self.settle();
            let late = farewell.is_some_and(|at| at <= Instant::now());
            if late || (farewell.is_some() && self.lines.is_empty() && self.leaving == 0) {
                break;
            }
        }
        self.stop.cancel();
    }

    /// Runs something beside, no longer than this: a transaction would wait for ever for a stack that has been stopped.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        tokio::spawn(async move {
            stop.run_until_cancelled(work).await;
        });
    }

    fn order(&mut self, order: TrunkOrder) {
        if let TrunkOrder::Messages { phone, new, old } = order {
            return self.messages(phone.as_str(), Waiting { new, old });
        }
        let Some(leg) = order.leg() else { return };
        let mut actions = Vec::new();
        if let TrunkOrder::Offer { trunk, contact: Some(contact), emergency, .. } = &order {
            match self.begin_at(trunk, *contact, *emergency, &order, &mut actions) {
                Ok((call, server, flow)) => self.add(call, server, flow),
                Err(cause) => return self.tell(leg, TrunkEvent::HungUp { leg, cause }.into()),
            }
        } else if let TrunkOrder::Offer { trunk, emergency, .. } = &order {
            match self.begin(trunk, *emergency, &order, &mut actions) {
                Ok((call, servers)) => self.call(call, servers, &actions),
                Err(cause) => return self.tell(leg, TrunkEvent::HungUp { leg, cause }.into()),
            }
        } else if let TrunkOrder::Refer { number, replaces, .. } = &order {
            self.refer(leg, number, *replaces, &mut actions);
        } else if let Some(line) = self.lines.get_mut(&leg) {
            line.call.order(&order, &mut actions);
        }
        self.act(leg, actions);
    }

    /// The far end of a call is sent to a number, or to the far end of another call.
    fn refer(
        &mut self,
        leg: TrunkLegId,
        number: &str,
        replaces: Option<TrunkLegId>,
        actions: &mut Vec<Action>,
    ) {
        let Some(mut line) = self.lines.remove(&leg) else { return };
        let other = replaces.map(|other| self.lines.get(&other).map(|line| &line.call));
        match other {
            // It ended meanwhile, and the exchange has been told.
            Some(None) => actions.push(Action::Event(TrunkEvent::Referred { leg, connected: false }.into())),
            Some(other) => line.call.refer(number, other, actions),
            None => line.call.refer(number, None, actions),
        }
        self.lines.insert(leg, line);
    }

    fn begin(
        &mut self,
        name: &str,
        emergency: bool,
        order: &TrunkOrder,
        actions: &mut Vec<Action>,
    ) -> Result<(Call, Vec<Server>), EndCause> {
        if order.leg().is_none_or(|leg| self.lines.contains_key(&leg)) {
            return Err(EndCause::NoTrunk);
        }
        let trunk = self.trunks.get(name).ok_or(EndCause::NoTrunk)?;
        let servers: Vec<Server> = trunk.preferred().cloned().collect();
        let peer = servers.first().ok_or(EndCause::NoTrunk)?.address;
        // The next trunk is tried at once, not after this one has not answered.
        if !emergency && trunk.status == TrunkStatus::Down {
            return Err(EndCause::NoTrunk);
        }
        if !emergency && trunk.calls >= trunk.config.limits.calls {
            if count(&self.gate.counters.limited) {
                tracing::warn!(trunk = name, "a trunk has as many calls as it may");
            }
            return Err(EndCause::NoTrunk);
        }
        let config = trunk.config.clone();
        let names = self.names(config.transport, peer).ok_or(EndCause::NoTrunk)?;
        let call = Call::outgoing(config, names, order, actions).ok_or(EndCause::UnknownNumber)?;
        Ok((call, servers))
    }

    /// As [`Self::begin`], at a place where a phone is registered.
    fn begin_at(
        &mut self,
        name: &str,
        contact: u64,
        emergency: bool,
        order: &TrunkOrder,
        actions: &mut Vec<Action>,
    ) -> Result<(Call, Server, Option<SipConnection>), EndCause> {
        let trunk = self.trunks.get(name).ok_or(EndCause::Unregistered)?;
        if order.leg().is_none_or(|leg| self.lines.contains_key(&leg)) {
            return Err(EndCause::NoTrunk);
        }
        if !emergency && trunk.calls >= trunk.config.limits.calls {
            return Err(EndCause::Busy);
        }
        let (config, server, flow, target) =
            self.way_to(&trunk.config, contact).ok_or(EndCause::Unregistered)?;
        let names = self.names(config.transport, server.address).ok_or(EndCause::Unregistered)?;
        let names = Names { target: Some(target), ..names };
        let call = Call::outgoing(config, names, order, actions).ok_or(EndCause::UnknownNumber)?;
        Ok((call, server, flow))
    }

    /// A call of ours begins, with the first of these servers.
    fn call(&mut self, call: Call, servers: Vec<Server>, actions: &[Action]) {
        let leg = call.leg;
        let mut servers = servers.into_iter();
        let Some(first) = servers.next() else { return };
        self.add(call, first, None);
        let invite = actions.iter().find_map(|action| match action {
            Action::Request { request, .. } => Some(request.clone()),
            _ => None,
        });
        if let (Some(invite), Some(line)) = (invite, self.lines.get_mut(&leg)) {
            line.first = Some((invite, servers.collect()));
        }
    }

    /// Names for a new call with this peer; `None` if nothing is listened on that could reach it.
    fn names(&self, transport: Transport, peer: SocketAddr) -> Option<Names> {
        let host = self.own_address(transport, peer)?;
        let parameters = parameters(transport);
        let session =
            random_text(12).bytes().fold(0u64, |sum, byte| sum.wrapping_mul(61).wrapping_add(byte.into()));
        let mut secret = Seed::default();
        getrandom::fill(&mut secret.0)
            .inspect_err(|error| tracing::error!(%error, "no random numbers for keys; the call is refused"))
            .ok()?;
        Some(Names {
            secret,
            call_id: random_text(24),
            tag: make_tag().value().to_string(),
            // Readers keep it in a signed word.
            session: session >> 2,
            host: host.to_string(),
            contact: format!("<sip:{host}{parameters}>"),
            target: None,
            near: self.near(transport, peer),
        })
    }

    /// This machine's address towards a peer.
    fn near(&self, transport: Transport, peer: SocketAddr) -> Option<IpAddr> {
        let bound = self.listener(transport, peer).map(|bound| bound.local.ip());
        bound.filter(|ip| !ip.is_unspecified()).or_else(|| local_for(peer))
    }

    /// Our address as this peer sees it. Streams can do without a listener: the peer uses the one that we opened.
    fn own_address(&self, transport: Transport, peer: SocketAddr) -> Option<SocketAddr> {
        match self.listener(transport, peer) {
            Some(bound) => Some(bound.seen_by(peer)),
            None if transport == Transport::Udp => None,
            None => {
                let port = if transport == Transport::Tls { 5061 } else { 5060 };
                Some(SocketAddr::new(local_for(peer)?, port))
            }
        }
    }

    fn listener(&self, transport: Transport, peer: SocketAddr) -> Option<&Bound> {
        self.listeners
            .iter()
            .find(|bound| bound.transport == transport && bound.local.is_ipv4() == peer.is_ipv4())
    }

    fn add(&mut self, call: Call, peer: Server, flow: Option<SipConnection>) {
        if let Some(trunk) = self.trunks.get_mut(&call.trunk.name) {
            trunk.calls += 1;
        }
        let (id, tag) = call.name();
        self.dialogs.insert((id.into(), tag.into()), call.leg);
        self.lines.insert(call.leg, Line { call, peer, flow, invites: BTreeMap::new(), first: None });
    }

    fn remove(&mut self, leg: TrunkLegId) {
        let Some(line) = self.lines.remove(&leg) else { return };
        if let Some(trunk) = self.trunks.get_mut(&line.call.trunk.name) {
            trunk.calls = trunk.calls.saturating_sub(1);
        }
        let (id, tag) = line.call.name();
        self.dialogs.remove(&(id.into(), tag.into()));
        for timer in Timer::ALL {
            self.disarm(leg, timer);
        }
    }

    fn wire(&mut self, wire: Wire) {
        let mut actions = Vec::new();
        let leg = match &wire {
            Wire::Response { whom: Whom::Trunk { name, place }, response } => {
                if response.status_code.code() >= 200 && self.leaving > 0 {
                    self.leaving -= 1;
                }
                return self.upkept(name, *place, response);
            }
            Wire::Response { whom: Whom::Mailbox(name), response } => {
                return self.notified(name.as_ref(), response);
            }
            Wire::Response { whom: Whom::Call { leg, id }, response } => {
                if self.tries_another(*leg, *id, response) {
                    return;
                }
                let Some(line) = self.lines.get_mut(leg) else { return };
                if response.status_code.code() >= 200 {
                    line.invites.remove(id);
                }
                line.call.happened(Happening::Response { id: *id, response }, &mut actions);
                *leg
            }
            Wire::Fork(response) => {
                let (Some(id), Some(from)) =
                    (value(&response.headers, "Call-ID"), value(&response.headers, "From").and_then(tag))
                else {
                    return;
                };
                let Some(&leg) = self.dialogs.get(&(id.to_string(), from.to_string())) else { return };
                let Some(line) = self.lines.get_mut(&leg) else { return };
                line.call.happened(Happening::Fork(response), &mut actions);
                leg
            }
            Wire::Ack { leg, server, request } => {
                let Some(line) = self.lines.get_mut(leg) else { return };
                line.call.happened(Happening::Ack { server: *server, request }, &mut actions);
                *leg
            }
            Wire::NoAck { leg, server } => {
                let Some(line) = self.lines.get_mut(leg) else { return };
                line.call.happened(Happening::NoAck { server: *server }, &mut actions);
                *leg
            }
            Wire::Cancelled { leg, server } => {
                let Some(line) = self.lines.get_mut(leg) else { return };
                line.call.happened(Happening::Cancelled { server: *server }, &mut actions);
                *leg
            }
            Wire::Served { server } => {
                self.servers.remove(server);
                self.gate.keeps(self.servers.len());
                return;
            }
            Wire::Resolved { trunk, place, servers } => {
                return self.resolved(trunk, *place, servers.clone());
            }
        };
        self.act(leg, actions);
    }

    /// A server that does not answer our first INVITE, or cannot, is followed by the next one (RFC 3263 section 4.3).
    fn tries_another(&mut self, leg: TrunkLegId, id: u32, response: &Response) -> bool {
        let Some(line) = self.lines.get_mut(&leg) else { return false };
        if id != 0 || line.first.is_none() {
            return false;
        }
        let silent = matches!(response.status_code.code(), 408 | 503) && line.call.is_calling();
        match &mut line.first {
            Some((invite, servers)) if silent && !servers.is_empty() => {
                line.peer = servers.remove(0);
                let invite = invite.clone();
                self.request(leg, id, invite);
                true
            }
            first => {
                *first = None;
                false
            }
        }
    }

    fn expire(&mut self) {
        let now = Instant::now();
        while let Some(&(at, leg, timer)) = self.deadlines.first() {
            if at > now {
                return;
            }
            self.disarm(leg, timer);
            let mut actions = Vec::new();
            if let Some(line) = self.lines.get_mut(&leg) {
                line.call.happened(Happening::Timer(timer), &mut actions);
            }
            self.act(leg, actions);
        }
    }

    fn arm(&mut self, leg: TrunkLegId, timer: Timer, after: Duration) {
        self.disarm(leg, timer);
        let at = Instant::now() + after;
        self.due.insert((leg, timer), at);
        self.deadlines.insert((at, leg, timer));
    }

    fn disarm(&mut self, leg: TrunkLegId, timer: Timer) {
        if let Some(at) = self.due.remove(&(leg, timer)) {
            self.deadlines.remove(&(at, leg, timer));
        }
    }

    fn act(&mut self, leg: TrunkLegId, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Request { id, request } => self.request(leg, id, request),
                Action::Cancel { id } => self.cancel(leg, id),
                Action::Ack(request) => self.acknowledge(leg, request),
                Action::Respond { server, response } => self.reply(server, response),
                Action::Event(event) => self.tell(leg, event),
                Action::Join(call_id, tags) => self.join(leg, call_id, tags),
                Action::Timer(timer, after) => self.arm(leg, timer, after),
                Action::Stop(timer) => self.disarm(leg, timer),
                Action::Over => self.remove(leg),
            }
        }
    }

    /// Tells the exchange. A call that it cannot hear of has to end, and its end is told when there is room.
    fn tell(&mut self, leg: TrunkLegId, event: Event) {
        if self.owed.contains(&leg) {
            return;
        }
        let Err(TrySendError::Full(_)) = self.events.try_send(event) else { return };
        if count(&self.gate.counters.lost) {
            tracing::warn!("the exchange does not take its events; calls end");
        }
        self.owed.insert(leg);
    }

    /// Ends the calls whose events were lost, and tells so as far as there is room.
    fn settle(&mut self) {
        self.tell_status();
        self.tell_phones();
        while let Some(&leg) = self.owed.first() {
            let event = TrunkEvent::HungUp { leg, cause: EndCause::Overload }.into();
            if let Err(TrySendError::Full(_)) = self.events.try_send(event) {
                return;
            }
            let mut actions = Vec::new();
            if let Some(line) = self.lines.get_mut(&leg) {
                line.call.order(&TrunkOrder::HangUp { leg, cause: EndCause::Overload }, &mut actions);
            }
            // Still owed while these are done: nothing more is told.
            self.act(leg, actions);
            self.owed.remove(&leg);
        }
    }

    /// A phone joins two of its calls. The tags are named as the phone's far end of the other call sees them, which is us; but
    /// not all phones see it so.
    fn join(&mut self, leg: TrunkLegId, call_id: String, [to, from]: [String; 2]) {
        let find = |ours: &str, theirs: &str| {
            let other = *self.dialogs.get(&(call_id.clone(), ours.to_string()))?;
            (self.lines.get(&other)?.call.remote_tag() == Some(theirs)).then_some(other)
        };
        if let Some(with) = find(&to, &from).or_else(|| find(&from, &to)) {
            self.tell(leg, TrunkEvent::Join { leg, with }.into());
        }
    }

    fn hang_up_all(&mut self) {
        let legs: Vec<TrunkLegId> = self.lines.keys().copied().collect();
        for leg in legs {
            let mut actions = Vec::new();
            if let Some(line) = self.lines.get_mut(&leg) {
                line.call.order(&TrunkOrder::HangUp { leg, cause: EndCause::Shutdown }, &mut actions);
            }
            self.act(leg, actions);
        }
    }
}

/// What a contact of ours says of its transport.
fn parameters(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "",
        Transport::Tcp => ";transport=tcp",
        Transport::Tls => ";transport=tls",
    }
}
