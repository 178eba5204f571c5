//! The one task that owns all calls: orders, requests, responses and deadlines go in one at a time.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rsipstack::{
    platform::CancellationToken,
    sip::{Header, Host, Method, Param, Request, Response, SipMessage, typed},
    transaction::{
        Transaction, TransactionReceiver,
        endpoint::EndpointInnerRef,
        key::{TransactionKey, TransactionRole},
        make_tag, make_via_branch, random_text,
        transaction::{TransactionEvent, TransactionEventSender},
    },
    transport::SipAddr,
};
use selsius_exchange::{TrunkEvent, TrunkLegId, record::EndCause};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::Instant,
};

use super::{
    Bound, USER_AGENT, address_of,
    transactions::{Watcher, Wire, drive, serve},
};
use crate::{
    call::{Action, Call, Happening, Names, Timer},
    config::{Network, Transport, TrunkConfig},
    gate::{Bucket, Gate, count},
    message::{put, respond, tag, value},
    screen::screen,
    seam::{Event, Order},
};

/// How often what is old is thrown away.
const SWEEP: Duration = Duration::from_secs(8);
/// How long calls may take to end when everything is stopped.
const FAREWELL: Duration = Duration::from_secs(2);
/// Requests of the far end that are not answered yet, all together; more are told to come later.
const MOST_SERVERS: usize = 20_000;

/// A trunk and what goes on in it.
struct Trunk {
    config: Arc<TrunkConfig>,
    /// Its servers, the one in use first.
    servers: Vec<SocketAddr>,
    calls: usize,
    rate: Bucket,
}

impl Trunk {
    fn has(&self, address: IpAddr) -> bool {
        self.config.allow.iter().any(|network| network.has(address))
            || self.servers.iter().any(|server| Network::from(server.ip()).has(address))
    }
}

/// A call and its way.
struct Line {
    call: Call,
    /// Where the far end's last message came from, or where the first of ours goes.
    peer: SocketAddr,
    /// INVITEs of ours without a final response, as they were sent.
    invites: BTreeMap<u32, Request>,
}

/// A request of the far end that is being served.
struct Server {
    tell: TransactionEventSender,
}

pub(super) struct Driver {
    endpoint: EndpointInnerRef,
    listeners: Vec<Bound>,
    trunks: BTreeMap<String, Trunk>,
    gate: Arc<Gate>,
    watcher: Watcher,
    lines: BTreeMap<TrunkLegId, Line>,
    /// Call-ID and our tag.
    dialogs: BTreeMap<(String, String), TrunkLegId>,
    servers: BTreeMap<u64, Server>,
    due: BTreeMap<(TrunkLegId, Timer), Instant>,
    deadlines: BTreeSet<(Instant, TrunkLegId, Timer)>,
    events: mpsc::Sender<Event>,
    /// Calls whose end the exchange could not be told.
    owed: BTreeSet<TrunkLegId>,
    happen: mpsc::Sender<Wire>,
    /// Odd: calls that begin at a trunk.
    next_leg: u64,
    next_server: u64,
}

impl Driver {
    pub(super) fn new(
        endpoint: EndpointInnerRef,
        listeners: Vec<Bound>,
        trunks: Vec<TrunkConfig>,
        gate: Arc<Gate>,
        watcher: Watcher,
        events: mpsc::Sender<Event>,
        happen: mpsc::Sender<Wire>,
    ) -> Self {
        let trunks = trunks.into_iter().map(|config| (config.name.clone(), trunk(config))).collect();
        Self {
            endpoint,
            listeners,
            trunks,
            gate,
            watcher,
            lines: BTreeMap::new(),
            dialogs: BTreeMap::new(),
            servers: BTreeMap::new(),
            due: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            events,
            owed: BTreeSet::new(),
            happen,
            next_leg: 1,
            next_server: 0,
        }
    }

    pub(super) async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        mut incoming: TransactionReceiver,
        mut happenings: mpsc::Receiver<Wire>,
        stop: CancellationToken,
    ) {
        let mut sweep = tokio::time::interval(SWEEP);
        let mut farewell = None;
        loop {
            let next = self.deadlines.first().map(|&(at, ..)| at);
            let wake = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let over = async {
                match farewell {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                order = orders.recv(), if farewell.is_none() => match order {
                    Some(order) => self.order(order),
                    None => {
                        farewell = Some(Instant::now() + FAREWELL);
                        self.hang_up_all();
                    }
                },
                Some(transaction) = incoming.recv() => self.incoming(transaction),
                Some(wire) = happenings.recv() => self.wire(wire),
                () = wake => self.expire(),
                _ = sweep.tick() => self.watcher.sweep(),
                () = over => break,
            }
            self.settle();
            if farewell.is_some() && self.lines.is_empty() {
                break;
            }
        }
        stop.cancel();
    }

    fn order(&mut self, order: Order) {
        let leg = order.leg();
        let mut actions = Vec::new();
        if let Order::Offer { trunk, emergency, .. } = &order {
            match self.begin(trunk.clone(), *emergency, &order, &mut actions) {
                Ok((call, peer)) => self.add(call, peer),
                Err(cause) => return self.tell(leg, TrunkEvent::HungUp { leg, cause }.into()),
            }
        } else if let Some(line) = self.lines.get_mut(&leg) {
            line.call.order(&order, &mut actions);
        }
        self.act(leg, actions);
    }

    fn begin(
        &mut self,
        name: String,
        emergency: bool,
        order: &Order,
        actions: &mut Vec<Action>,
    ) -> Result<(Call, SocketAddr), EndCause> {
        let leg = order.leg();
        if self.lines.contains_key(&leg) {
            return Err(EndCause::NoTrunk);
        }
        let trunk = self.trunks.get(&name).ok_or(EndCause::NoTrunk)?;
        let peer = *trunk.servers.first().ok_or(EndCause::NoTrunk)?;
        if !emergency && trunk.calls >= trunk.config.limits.calls {
            if count(&self.gate.counters.limited) {
                tracing::warn!(trunk = name, "a trunk has as many calls as it may");
            }
            return Err(EndCause::NoTrunk);
        }
        let config = trunk.config.clone();
        let names = self.names(config.transport, peer).ok_or(EndCause::NoTrunk)?;
        let call = Call::outgoing(config, names, order, actions).ok_or(EndCause::UnknownNumber)?;
        Ok((call, peer))
    }

    /// Names for a new call with this peer; `None` if nothing is listened on in its family of addresses.
    fn names(&self, transport: Transport, peer: SocketAddr) -> Option<Names> {
        let bound = self.listener(transport, peer)?;
        let host = bound.seen_by(peer);
        let parameter = match transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
        };
        let session =
            random_text(12).bytes().fold(0u64, |sum, byte| sum.wrapping_mul(61).wrapping_add(byte.into()));
        Some(Names {
            call_id: random_text(24),
            tag: make_tag().value().to_string(),
            // Readers keep it in a signed word.
            session: session >> 2,
            host: host.to_string(),
            contact: format!("<sip:{host}{parameter}>"),
        })
    }

    fn listener(&self, transport: Transport, peer: SocketAddr) -> Option<&Bound> {
        self.listeners
            .iter()
            .find(|bound| bound.transport == transport && bound.local.is_ipv4() == peer.is_ipv4())
    }

    fn add(&mut self, call: Call, peer: SocketAddr) {
        if let Some(trunk) = self.trunks.get_mut(&call.trunk.name) {
            trunk.calls += 1;
        }
        let (id, tag) = call.name();
        self.dialogs.insert((id.into(), tag.into()), call.leg);
        self.lines.insert(call.leg, Line { call, peer, invites: BTreeMap::new() });
    }

    fn remove(&mut self, leg: TrunkLegId) {
        let Some(line) = self.lines.remove(&leg) else { return };
        if let Some(trunk) = self.trunks.get_mut(&line.call.trunk.name) {
            trunk.calls = trunk.calls.saturating_sub(1);
        }
        let (id, tag) = line.call.name();
        self.dialogs.remove(&(id.into(), tag.into()));
        for timer in [Timer::Media, Timer::Ringing, Timer::Renewal] {
            self.disarm(leg, timer);
        }
    }

    /// A request of the far end.
    fn incoming(&mut self, transaction: Transaction) {
        let request = transaction.original.clone();
        if matches!(request.method, Method::Ack | Method::Cancel) {
            return;
        }
        let peer = transaction
            .connection
            .as_ref()
            .and_then(|connection| connection.get_remote_addr()?.get_socketaddr().ok());
        let Some(peer) = peer else { return };
        self.next_server += 1;
        let server = self.next_server;
        let leg = self.leg_of(&request);
        let tell = transaction.tu_sender.clone();
        tokio::spawn(serve(
            transaction,
            leg.unwrap_or(TrunkLegId(self.next_leg)),
            server,
            self.happen.clone(),
        ));
        self.servers.insert(server, Server { tell });
        if self.servers.len() > MOST_SERVERS {
            return self.reply(server, respond(&request, 503, "busy"));
        }
        let trunk = self.trunks.values().find(|trunk| trunk.has(peer.ip())).map(|trunk| trunk.config.clone());
        let Some(trunk) = trunk else {
            if self.gate.counters.figures().strangers <= 1 {
                tracing::warn!(from = %peer, "a request from an address that no trunk has; more are only counted");
            }
            return self.reply(server, respond(&request, 403, "stranger"));
        };
        let mut actions = Vec::new();
        if value(&request.headers, "To").and_then(tag).is_some() {
            let Some(line) = leg.and_then(|leg| self.lines.get_mut(&leg)) else {
                return self.reply(server, respond(&request, 481, "none"));
            };
            line.peer = peer;
            line.call.happened(Happening::Request { server, request: &request }, &mut actions);
            let leg = line.call.leg;
            return self.act(leg, actions);
        }
        let tag = make_tag().value().to_string();
        match screen(&request, &tag) {
            Some(response) => self.reply(server, response),
            None => self.invited(trunk, server, &request, peer, tag),
        }
    }

    fn invited(
        &mut self,
        trunk: Arc<TrunkConfig>,
        server: u64,
        request: &Request,
        peer: SocketAddr,
        own_tag: String,
    ) {
        let headers = &request.headers;
        let call_id = value(headers, "Call-ID").unwrap_or_default();
        let remote = value(headers, "From").and_then(tag).unwrap_or_default();
        // The same request by another way (RFC 3261 section 8.2.2.2).
        let twice = self
            .dialogs
            .range((call_id.to_string(), String::new())..)
            .take_while(|((known, _), _)| known == call_id)
            .any(|(_, leg)| self.lines.get(leg).is_some_and(|line| line.call.began_with(call_id, remote)));
        if twice {
            return self.reply(server, respond(request, 482, &own_tag));
        }
        let full = self.trunks.get_mut(&trunk.name).is_none_or(|state| {
            state.calls >= trunk.limits.calls || !state.rate.take(std::time::Instant::now())
        });
        if full {
            if count(&self.gate.counters.limited) {
                tracing::warn!(trunk = trunk.name, "a trunk brings more calls than it may");
            }
            let mut response = respond(request, 503, &own_tag);
            put(&mut response.headers, "Retry-After", "2");
            return self.reply(server, response);
        }
        let Some(names) = self.names(trunk.transport, peer) else {
            return self.reply(server, respond(request, 503, &own_tag));
        };
        let names = Names { tag: own_tag, ..names };
        let leg = TrunkLegId(self.next_leg);
        let mut actions = Vec::new();
        match Call::incoming(leg, trunk, names, server, request, &mut actions) {
            Ok(call) => {
                self.next_leg += 2;
                self.add(call, peer);
                self.act(leg, actions);
            }
            Err(refusal) => self.reply(server, refusal.0),
        }
    }

    fn leg_of(&self, request: &Request) -> Option<TrunkLegId> {
        let id = value(&request.headers, "Call-ID")?;
        let to = value(&request.headers, "To").and_then(tag)?;
        let from = value(&request.headers, "From").and_then(tag);
        let leg = *self.dialogs.get(&(id.to_string(), to.to_string()))?;
        let line = self.lines.get(&leg)?;
        (line.call.remote_tag().is_none() || line.call.remote_tag() == from).then_some(leg)
    }

    fn wire(&mut self, wire: Wire) {
        let mut actions = Vec::new();
        let leg = match &wire {
            Wire::Response { leg, id, response } => {
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
                return;
            }
        };
        self.act(leg, actions);
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
        let mut actions = VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Request { id, request } => self.request(leg, id, request),
                Action::Cancel { id } => self.cancel(leg, id),
                Action::Ack(request) => self.acknowledge(leg, request),
                Action::Respond { server, response } => self.reply(server, response),
                Action::Event(event) => self.tell(leg, event),
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
        while let Some(&leg) = self.owed.first() {
            let event = TrunkEvent::HungUp { leg, cause: EndCause::Overload }.into();
            if let Err(TrySendError::Full(_)) = self.events.try_send(event) {
                return;
            }
            let mut actions = Vec::new();
            if let Some(line) = self.lines.get_mut(&leg) {
                line.call.order(&Order::HangUp { leg, cause: EndCause::Overload }, &mut actions);
            }
            // Still owed while these are done: nothing more is told.
            self.act(leg, actions);
            self.owed.remove(&leg);
        }
    }

    fn hang_up_all(&mut self) {
        let legs: Vec<TrunkLegId> = self.lines.keys().copied().collect();
        for leg in legs {
            let mut actions = Vec::new();
            if let Some(line) = self.lines.get_mut(&leg) {
                line.call.order(&Order::HangUp { leg, cause: EndCause::Shutdown }, &mut actions);
            }
            self.act(leg, actions);
        }
    }

    fn reply(&mut self, server: u64, mut response: Response) {
        let Some(serving) = self.servers.get(&server) else { return };
        put(&mut response.headers, "Server", USER_AGENT);
        response.headers.push(Header::ContentLength((response.body.len() as u32).into()));
        let _ = serving.tell.send(TransactionEvent::Respond(response));
    }

    /// Where a request goes: within a dialog by its route, else to the trunk's server. A host name in a route stands for the
    /// peer that we know.
    fn destination(&self, leg: TrunkLegId, request: &Request) -> Option<SocketAddr> {
        let line = self.lines.get(&leg)?;
        if value(&request.headers, "To").and_then(tag).is_none() {
            return Some(line.peer);
        }
        let next = request.destination().host_with_port;
        match next.host {
            Host::IpAddr(ip) => Some(SocketAddr::new(ip, next.port.map_or(5060, |port| port.0))),
            Host::Domain(_) => Some(line.peer),
        }
    }

    /// Puts a Via on top, and says which way it goes.
    fn address(&self, leg: TrunkLegId, request: &mut Request) -> Option<(Bound, SipAddr)> {
        let to = self.destination(leg, request)?;
        let transport = self.lines.get(&leg)?.call.trunk.transport;
        let bound = self.listener(transport, to)?.clone();
        let to = address_of(transport, to);
        let via = typed::Via {
            version: rsipstack::sip::Version::V2,
            transport: super::stack_transport(transport),
            uri: rsipstack::sip::HostWithPort::from(bound.seen_by(to.get_socketaddr().ok()?)).into(),
            params: vec![make_via_branch(), Param::Rport(None)],
        };
        request.headers.push_front(Header::Via(via.into()));
        put(&mut request.headers, "User-Agent", USER_AGENT);
        Some((bound, to))
    }

    fn request(&mut self, leg: TrunkLegId, id: u32, mut request: Request) {
        let Some((bound, to)) = self.address(leg, &mut request) else {
            let response = Box::new(respond(&request, 503, "none"));
            return self.wire(Wire::Response { leg, id, response });
        };
        if request.method == Method::Invite
            && let Some(line) = self.lines.get_mut(&leg)
        {
            line.invites.insert(id, request.clone());
        }
        self.start(leg, id, request, &bound, to);
    }

    fn start(&mut self, leg: TrunkLegId, id: u32, request: Request, bound: &Bound, to: SipAddr) {
        let Ok(key) = TransactionKey::from_request(&request, TransactionRole::Client) else {
            let response = Box::new(respond(&request, 503, "none"));
            return self.wire(Wire::Response { leg, id, response });
        };
        let mut transaction =
            Transaction::new_client(key, request, self.endpoint.clone(), Some(bound.connection.clone()));
        transaction.destination = Some(to);
        tokio::spawn(drive(transaction, leg, id, self.happen.clone()));
    }

    /// CANCEL takes the way and the branch of its INVITE (RFC 3261 section 9.1).
    fn cancel(&mut self, leg: TrunkLegId, id: u32) {
        let Some(invite) = self.lines.get(&leg).and_then(|line| line.invites.get(&id)) else { return };
        let mut cancel = crate::message::request(Method::Cancel, invite.uri.clone());
        for header in invite.headers.iter() {
            match header {
                Header::Via(_)
                | Header::From(_)
                | Header::To(_)
                | Header::CallId(_)
                | Header::MaxForwards(_)
                | Header::Route(_) => cancel.headers.push(header.clone()),
                Header::CSeq(cseq) => {
                    let number = cseq.seq().unwrap_or(1);
                    put(&mut cancel.headers, "CSeq", format!("{number} CANCEL"));
                }
                _ => {}
            }
        }
        let Some(to) = self.destination(leg, &cancel) else { return };
        let Some(line) = self.lines.get(&leg) else { return };
        let transport = line.call.trunk.transport;
        let Some(bound) = self.listener(transport, to).cloned() else { return };
        // Its response means nothing: what counts is the INVITE's.
        self.start(leg, u32::MAX, cancel, &bound, address_of(transport, to));
    }

    fn acknowledge(&mut self, leg: TrunkLegId, mut ack: Request) {
        let Some((bound, to)) = self.address(leg, &mut ack) else { return };
        ack.headers.push(Header::ContentLength((ack.body.len() as u32).into()));
        self.watcher.remember(&ack, &bound.connection, Some(to.clone()));
        tokio::spawn(async move {
            // One that is lost is sent again when the 2xx comes again.
            let _ = bound.connection.send(SipMessage::Request(ack), Some(&to)).await;
        });
    }
}

fn trunk(config: TrunkConfig) -> Trunk {
    let port = config.port.unwrap_or(if config.transport == Transport::Tls { 5061 } else { 5060 });
    let servers = config
        .servers
        .iter()
        .filter_map(|server| server.parse::<IpAddr>().ok())
        .map(|ip| SocketAddr::new(ip, port))
        .collect();
    let rate = Bucket::new(config.limits.rate.into());
    Trunk { config: Arc::new(config), servers, calls: 0, rate }
}
