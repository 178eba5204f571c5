//! Phones of the office: their registrations, what they subscribe to, and where calls to them go.

use std::sync::Arc;

use rsipstack::{
    sip::{Request, Response, Uri},
    transaction::{make_tag, random_text},
    transport::SipConnection,
};
use selsius_exchange::{PhoneContact, Time};

use super::{Driver, Server, sending};
use crate::{
    config::{Transport, TrunkConfig},
    dialog::Dialog,
    endpoint::transactions::Whom,
    message::{addresses, name_addr, put, respond, uri, value},
    registrar::{
        Source,
        mailbox::{Subscription, Waiting, unasked},
    },
    screen,
    seam::Event,
};

/// Subscriptions of one phone; the oldest is given up.
const MOST_SUBSCRIPTIONS: usize = 8;

impl Driver {
    /// Seconds since the start.
    pub(super) fn seconds(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    /// The time since the start.
    pub(super) fn time(&self) -> Time {
        Time::from_micros(u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Is there any phone?
    pub(super) fn has_phones(&self) -> bool {
        self.trunks.values().any(|trunk| trunk.config.phone.is_some())
    }

    /// A phone registers.
    pub(super) fn registers(&mut self, server: u64, request: &Request, source: &Source) {
        let tag = make_tag().value().to_string();
        if let Some(refused) = screen::extensions(request, &tag) {
            return self.reply(server, refused);
        }
        let Some(config) = self.authenticated(server, request, source.address) else { return };
        let user = value(&request.headers, "To")
            .and_then(|to| addresses(to).into_iter().next())
            .and_then(|to| to.uri.user().map(ToOwned::to_owned));
        let Some(phone) = config.phone.filter(|_| user.is_some_and(|user| config.is_user(&user))) else {
            return self.reply(server, respond(request, 403, &tag));
        };
        let (name, most, now) = (config.name.as_str(), phone.contacts, self.seconds());
        let response = self.registrar.register(name, most, request, &tag, source, now);
        self.reply(server, response);
    }

    /// A phone wants to be told how many messages wait for it.
    pub(super) fn subscribes(&mut self, server: u64, request: &Request, source: Source) {
        let tag = make_tag().value().to_string();
        if let Some(refused) = screen::extensions(request, &tag) {
            return self.reply(server, refused);
        }
        let Some(config) = self.authenticated(server, request, source.address) else { return };
        if config.phone.is_none() {
            return self.reply(server, screen::not_allowed(request, &tag));
        }
        let Some(names) = self.names(source.transport, source.address) else {
            return self.reply(server, respond(request, 503, &tag));
        };
        let now = self.seconds();
        match Subscription::new(&config.name, request, source, &tag, &names.contact, now) {
            Err(refused) => self.reply(server, refused),
            Ok((subscription, response)) => {
                let name = subscription.name();
                let own = self.subscriptions.iter().filter(|(_, other)| other.phone == config.name);
                let oldest = own.clone().min_by_key(|(_, other)| other.until).map(|(name, _)| name.clone());
                if let Some(oldest) = oldest.filter(|_| own.count() >= MOST_SUBSCRIPTIONS) {
                    self.subscriptions.remove(&oldest);
                }
                self.subscriptions.insert(name.clone(), subscription);
                self.reply(server, response);
                self.notify(&name);
            }
        }
    }

    /// A SUBSCRIBE in a dialog. `false` if there is none.
    pub(super) fn subscribes_again(&mut self, server: u64, request: &Request, source: &Source) -> bool {
        let Some(name) = self.dialog_name(request) else { return false };
        let now = self.seconds();
        let same = |subscription: &&mut Subscription| subscription.source.address.ip() == source.address.ip();
        let Some(subscription) = self.subscriptions.get_mut(&name).filter(same) else { return false };
        subscription.source = source.clone();
        let response = subscription.again(request, now);
        let accepted = response.status_code.code() == 200;
        self.reply(server, response);
        if accepted {
            self.notify(&name);
        }
        true
    }

    /// So many messages wait for a phone.
    pub(super) fn messages(&mut self, phone: &str, waiting: Waiting) {
        let before = self.waiting.insert(phone.into(), waiting);
        let own = self.subscriptions.iter().filter(|(_, subscription)| subscription.phone == phone);
        let names: Vec<_> = own.map(|(name, _)| name.clone()).collect();
        for name in &names {
            self.notify(name);
        }
        let news = waiting != Waiting::default() || before.is_some_and(|before| before != waiting);
        if names.is_empty() && news {
            for place in self.registrar.of(phone).to_vec() {
                self.notify_unasked(phone, waiting, &place.uri, &place.source);
            }
        }
    }

    fn notify(&mut self, name: &(String, String)) {
        let now = self.seconds();
        let Some(subscription) = self.subscriptions.get_mut(name) else { return };
        let (phone, source) = (subscription.phone.clone(), subscription.source.clone());
        let waiting = self.waiting.get(&phone).copied().unwrap_or_default();
        let host = self.own_address(source.transport, source.address).map(|host| host.to_string());
        let account = uri(&phone.to_ascii_lowercase(), &host.unwrap_or_default());
        let Some(subscription) = self.subscriptions.get_mut(name) else { return };
        let request = subscription.notify(waiting, &account, now);
        if subscription.until <= now {
            self.subscriptions.remove(name);
        }
        self.send_to(Whom::Mailbox(Some(name.clone())), request, &source);
    }

    fn notify_unasked(&mut self, phone: &str, waiting: Waiting, target: &Uri, source: &Source) {
        let Some(names) = self.names(source.transport, source.address) else { return };
        let account = uri(&phone.to_ascii_lowercase(), &names.host);
        let who = name_addr("", &account);
        let dialog = Dialog::calling(names.call_id, names.tag, &who, &who, target.clone(), names.contact);
        self.send_to(Whom::Mailbox(None), unasked(dialog, waiting, &account), source);
    }

    fn send_to(&mut self, whom: Whom, request: Request, source: &Source) {
        let server = sending::peer(source.address);
        self.send(whom, request, source.transport, &server, source.flow.clone());
    }

    /// A phone has answered to a NOTIFY: what it does not know any more is over.
    pub(super) fn notified(&mut self, name: Option<&(String, String)>, response: &Response) {
        if let (Some(name), 300..) = (name, response.status_code.code()) {
            self.subscriptions.remove(name);
        }
    }

    /// Tells where phones are registered, as far as there is room.
    pub(super) fn tell_phones(&mut self) {
        while let Some(name) = self.registrar.changed().map(ToOwned::to_owned) {
            let places = self.registrar.of(&name).iter();
            let contacts = places.map(|place| PhoneContact {
                id: place.id,
                address: place.source.address,
                agent: place.agent.clone(),
            });
            let contacts: Vec<_> = contacts.collect();
            let Ok(phone) = name.parse() else { return self.registrar.told(&name) };
            if contacts.is_empty() {
                self.waiting.remove(&name);
            }
            if self.events.try_send(Event::Phone { phone, contacts }).is_err() {
                return;
            }
            self.registrar.told(&name);
        }
    }

    /// What is over is forgotten.
    pub(super) fn sweep_phones(&mut self) {
        let now = self.seconds();
        self.registrar.expire(now);
        self.subscriptions
            .retain(|_, subscription| subscription.until > now && !subscription.source.is_lost());
    }

    /// Where a call to a phone goes: its settings for this way, the address, the stream, and whom requests name.
    pub(super) fn way_to(
        &self,
        config: &TrunkConfig,
        contact: u64,
    ) -> Option<(Arc<TrunkConfig>, Server, Option<SipConnection>, Uri)> {
        let place = self.registrar.place(&config.name, contact).filter(|place| !place.source.is_lost())?;
        let Source { address, transport, flow } = place.source.clone();
        Some((by_way(config, transport), sending::peer(address), flow, place.uri.clone()))
    }

    /// Call-ID and our tag of a request in a dialog.
    pub(super) fn dialog_name(&self, request: &Request) -> Option<(String, String)> {
        let id = value(&request.headers, "Call-ID")?;
        let to = value(&request.headers, "To").and_then(crate::message::tag)?;
        Some((id.into(), to.into()))
    }
}

/// A phone's settings for a call by this way. Nobody is told its password: it does not challenge us.
pub(super) fn by_way(config: &TrunkConfig, transport: Transport) -> Arc<TrunkConfig> {
    Arc::new(TrunkConfig { transport, user: None, password: None, ..config.clone() })
}

/// 503 for somebody who has guessed too often.
pub(super) fn later(request: &Request) -> Response {
    let mut response = respond(request, 503, make_tag().value());
    put(&mut response.headers, "Retry-After", "60");
    response
}

/// A password that nobody has: for names that nobody has, whose credentials take as long to check as those of others.
pub(super) fn nobodys() -> String {
    random_text(40)
}
