//! What comes in: who it is from, whether he may, and which call it belongs to.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use rsipstack::{
    sip::{Method, Request},
    transaction::{Transaction, make_tag},
    transport::SipConnection,
};
use selsius_exchange::TrunkLegId;

use super::{
    Driver, Serving,
    phones::{by_way, later},
    sending,
};
use crate::{
    call::{Call, Happening, Names},
    config::{Transport, TrunkConfig},
    digest::{Account, Doorman, May, Verdict},
    endpoint::transactions::serve,
    gate::{MOST_KEPT, count},
    message::{addresses, put, respond, tag, value},
    registrar::{Source, asked::gives_up},
    screen::screen,
};

/// Requests of the far end that are not answered yet, all together; more are told to come later.
const MOST_SERVED: usize = MOST_KEPT / 2;
/// What our challenges are for.
const REALM: &str = "selsius";

impl Driver {
    /// A request of the far end.
    pub(super) fn incoming(&mut self, transaction: Transaction) {
        let request = transaction.original.clone();
        if matches!(request.method, Method::Ack | Method::Cancel) {
            return;
        }
        let connection = transaction.connection.clone();
        let peer =
            connection.as_ref().and_then(|connection| connection.get_remote_addr()?.get_socketaddr().ok());
        let Some(peer) = peer else { return };
        self.next_server += 1;
        let server = self.next_server;
        let leg = self.leg_of(&request);
        let tell = transaction.tu_sender.clone();
        let serving = leg.unwrap_or(TrunkLegId(self.next_leg));
        self.spawn(serve(transaction, serving, server, self.happen.clone()));
        self.servers.insert(server, Serving { tell });
        self.gate.keeps(self.servers.len());
        if self.servers.len() > MOST_SERVED {
            return self.reply(server, respond(&request, 503, "busy"));
        }
        let transport = connection.as_ref().map_or(Transport::Udp, transport_of);
        let flow = connection.filter(SipConnection::is_reliable);
        if value(&request.headers, "To").and_then(tag).is_some() {
            let source = Source { address: peer, transport, flow };
            if request.method == Method::Subscribe && self.subscribes_again(server, &request, &source) {
                return;
            }
            return self.within(leg, server, &request, peer, source.flow);
        }
        let source = Source { address: peer, transport, flow: flow.clone() };
        match request.method {
            Method::Register if self.has_phones() => return self.registers(server, &request, &source),
            Method::Subscribe if self.has_phones() => return self.subscribes(server, &request, source),
            _ => {}
        }
        let Some(mut trunk) = self.trunk_of(server, &request, peer) else { return };
        if trunk.phone.is_some() {
            trunk = by_way(&trunk, transport);
        }
        let tag = make_tag().value().to_string();
        match screen(&request, &tag) {
            Some(response) => self.reply(server, response),
            None => self.invited(trunk, server, &request, (peer, flow), tag),
        }
    }

    /// A request within a call, which may come from the trunk's addresses or from where the call has come from.
    fn within(
        &mut self,
        leg: Option<TrunkLegId>,
        server: u64,
        request: &Request,
        peer: SocketAddr,
        flow: Option<SipConnection>,
    ) {
        let known = self.trunks.values().any(|trunk| trunk.has(peer.ip()));
        let line = leg.and_then(|leg| self.lines.get_mut(&leg));
        let Some(line) = line.filter(|line| known || line.peer.address.ip() == peer.ip()) else {
            let code = if known { 481 } else { 403 };
            return self.reply(server, respond(request, code, "none"));
        };
        line.peer.address = peer;
        line.flow = flow;
        let mut actions = Vec::new();
        line.call.happened(Happening::Request { server, request }, &mut actions);
        let leg = line.call.leg;
        self.act(leg, actions);
    }

    /// The trunk that a request is for, by its address or its credentials. Answers what may not be.
    fn trunk_of(&mut self, server: u64, request: &Request, peer: SocketAddr) -> Option<Arc<TrunkConfig>> {
        let by_address = self.trunks.values().find(|trunk| trunk.has(peer.ip()));
        // A phone may be where a trunk is: what comes from its own place, or says that it is a phone, has to prove it.
        if let Some(trunk) =
            by_address.filter(|trunk| !trunk.config.authenticate && !self.is_phone(request, peer))
        {
            return Some(trunk.config.clone());
        }
        if !self.trunks.values().any(|trunk| trunk.config.authenticate) {
            if count(&self.refused) {
                tracing::warn!(from = %peer, "a request from an address that no trunk has; more are only counted");
            }
            self.reply(server, respond(request, 403, "stranger"));
            return None;
        }
        self.authenticated(server, request, peer)
    }

    /// Does this request say that it is a phone's, by its place or by its credentials?
    fn is_phone(&self, request: &Request, peer: SocketAddr) -> bool {
        let named = value(&request.headers, "Authorization").and_then(Doorman::user);
        self.registrar.is_place(peer)
            || named.is_some_and(|user| {
                self.trunks.values().any(|trunk| trunk.config.phone.is_some() && trunk.config.is_user(&user))
            })
    }

    /// The trunk or phone that a request proves to be of by its credentials. All others are asked for them, or told to come later
    /// if they have guessed too often.
    pub(super) fn authenticated(
        &mut self,
        server: u64,
        request: &Request,
        peer: SocketAddr,
    ) -> Option<Arc<TrunkConfig>> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let given = value(&request.headers, "Authorization");
        let user = given.and_then(Doorman::user).unwrap_or_default();
        let named =
            self.trunks.values().find(|trunk| trunk.config.authenticate && trunk.config.is_user(&user));
        let named = named.map(|trunk| trunk.config.clone());
        let known = named.as_ref().is_some_and(|trunk| self.registrar.knows(&trunk.name, peer.ip()));
        let time = self.time();
        self.asked.answered(peer.ip(), &user);
        if given.is_some() && !known && !self.guard.allows(time, peer.ip(), &user) {
            count(&self.gate.counters.throttled);
            self.reply(server, later(request));
            return None;
        }
        let verdict = given.map(|given| {
            // Nobody can see by the answer, nor by the time that it takes, whether a name exists.
            let password = named.as_ref().and_then(|trunk| trunk.password.as_deref());
            let account = Account { user: &user, password: password.unwrap_or(&self.nobodys) };
            self.doorman.check(given, account, REALM, &request.method.to_string(), now)
        });
        if verdict == Some(Verdict::Right) && named.is_some() {
            return named;
        }
        if verdict == Some(Verdict::Wrong) {
            if count(&self.gate.counters.unauthorized) {
                tracing::warn!(from = %peer, "wrong credentials; more are only counted");
            }
            if self.guard.wrong(time, peer.ip(), &user) {
                tracing::warn!(from = %peer, user, "too many wrong passwords: further ones are not looked at for a while");
            }
        }
        let only_md5 = match given {
            Some(_) => self.asked.knows_only_md5(peer.ip(), &user),
            None => {
                let from =
                    value(&request.headers, "From").and_then(|from| addresses(from).into_iter().next());
                let from = from.and_then(|from| from.uri.user().map(ToOwned::to_owned)).unwrap_or_default();
                self.asked.only_md5(self.seconds(), peer.ip(), &from)
            }
        };
        let gives_up = value(&request.headers, "User-Agent").is_some_and(gives_up);
        let may = if only_md5 || gives_up { May::Md5 } else { May::Choose };
        let mut response = respond(request, 401, make_tag().value());
        for challenge in self.doorman.challenges(REALM, verdict == Some(Verdict::Stale), now, may) {
            put(&mut response.headers, "WWW-Authenticate", challenge);
        }
        self.reply(server, response);
        None
    }

    fn invited(
        &mut self,
        trunk: Arc<TrunkConfig>,
        server: u64,
        request: &Request,
        (peer, flow): (SocketAddr, Option<SipConnection>),
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
                self.add(call, sending::peer(peer), flow);
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
}

/// How a request has come.
fn transport_of(connection: &SipConnection) -> Transport {
    // A stream that we have accepted is a channel to the stack, which takes all channels for datagrams.
    let stack = match connection {
        SipConnection::Channel(channel) => channel.get_addr().r#type.unwrap_or_default(),
        other => other.transport(),
    };
    match stack {
        rsipstack::sip::Transport::Tls => Transport::Tls,
        rsipstack::sip::Transport::Udp => Transport::Udp,
        _ => Transport::Tcp,
    }
}
