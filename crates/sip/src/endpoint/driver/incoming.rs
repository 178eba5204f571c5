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

use super::{Driver, Serving, sending};
use crate::{
    call::{Call, Happening, Names},
    config::TrunkConfig,
    digest::{Account, Doorman, Verdict},
    endpoint::transactions::serve,
    gate::{MOST_KEPT, count},
    message::{put, respond, tag, value},
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
        let flow = connection.filter(SipConnection::is_reliable);
        if value(&request.headers, "To").and_then(tag).is_some() {
            return self.within(leg, server, &request, peer, flow);
        }
        let Some(trunk) = self.trunk_of(server, &request, peer) else { return };
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
        if let Some(trunk) = by_address.filter(|trunk| !trunk.config.authenticate) {
            return Some(trunk.config.clone());
        }
        if !self.trunks.values().any(|trunk| trunk.config.authenticate) {
            if count(&self.refused) {
                tracing::warn!(from = %peer, "a request from an address that no trunk has; more are only counted");
            }
            self.reply(server, respond(request, 403, "stranger"));
            return None;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let given = value(&request.headers, "Authorization");
        let user = given.and_then(Doorman::user);
        let named = self
            .trunks
            .values()
            .find(|trunk| {
                trunk.config.authenticate && trunk.config.user.is_some() && trunk.config.user == user
            })
            .map(|trunk| trunk.config.clone());
        let account = named.as_ref().and_then(|trunk| {
            Some(Account { user: trunk.user.as_deref()?, password: trunk.password.as_deref()? })
        });
        let verdict = match (given, account) {
            (Some(given), Some(account)) => {
                Some(self.doorman.check(given, account, REALM, &request.method.to_string(), now))
            }
            (Some(_), None) => Some(Verdict::Wrong),
            (None, _) => None,
        };
        if verdict == Some(Verdict::Right) {
            return named;
        }
        if verdict == Some(Verdict::Wrong) && count(&self.gate.counters.unauthorized) {
            tracing::warn!(from = %peer, "wrong credentials; more are only counted");
        }
        let mut response = respond(request, 401, make_tag().value());
        for challenge in self.doorman.challenges(REALM, verdict == Some(Verdict::Stale), now) {
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
