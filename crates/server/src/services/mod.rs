//! What phones open with their buttons, by HTTP: menus, the corporate directory, their own call lists.
//!
//! A request says in its address which phone it comes from (`?device=`, as the phone's configuration file has it); that chooses
//! language and encoding, and nothing else unless the phone is registered from the address that asks. Headers are not looked at:
//! phones of one model send different ones, and anybody can.

mod calls;
mod directory;
mod query;
#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::tz::TimeZone;
use selsius_exchange::{LineUse, Presence, language};
use selsius_phone_xml::{Encoding, MENU_ITEMS, Mark, Menu, MenuItem, ScreenKey, Text};
use selsius_site::{Device, DeviceName, ItemTarget, Language, LineNumber, Local, Name, Service, Site};
use selsius_store::Store;

use self::query::Query;
use crate::{core::Handle, http::Ends, office::Office};

/// How long it is good enough to know who is there and busy.
const PRESENCE: Duration = Duration::from_secs(1);
/// Wrong PINs in a minute, from all phones together, before no more are looked at.
const WRONG_PINS: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// What pages are made from.
#[derive(Debug)]
pub(crate) struct Services {
    office: Arc<Office>,
    exchange: Handle,
    store: Store,
    /// The address that phones are told; `None` for the one that they asked.
    advertise: Option<IpAddr>,
    /// The port where these pages are.
    port: u16,
    presence: tokio::sync::Mutex<Option<(Instant, Arc<Presence>)>>,
    /// Wrong PINs, and since when they are counted.
    wrong_pins: Mutex<Option<(Instant, u32)>>,
}

impl Services {
    pub(crate) fn new(
        office: Arc<Office>,
        exchange: Handle,
        store: Store,
        advertise: Option<IpAddr>,
        port: u16,
    ) -> Self {
        let (presence, wrong_pins) = (Default::default(), Default::default());
        Self { office, exchange, store, advertise, port, presence, wrong_pins }
    }

    /// Who is there and busy, not older than a second. Nobody, if the exchange does not say.
    async fn presence(&self) -> Arc<Presence> {
        // Held while the exchange is asked: everybody else waits for the same answer.
        let mut kept = self.presence.lock().await;
        if let Some((at, presence)) = kept.as_ref()
            && at.elapsed() < PRESENCE
        {
            return Arc::clone(presence);
        }
        let presence = Arc::new(self.exchange.presence().await.unwrap_or_default());
        *kept = Some((Instant::now(), Arc::clone(&presence)));
        presence
    }

    /// Is this the PIN of that user? Nobody gets to try all of them.
    fn is_user(&self, site: &Site, name: &str, pin: &str) -> bool {
        let mut wrong = self.wrong_pins.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = match *wrong {
            Some((since, count)) if since.elapsed() < MINUTE => (since, count),
            _ => (Instant::now(), 0),
        };
        if count >= WRONG_PINS {
            return false;
        }
        let user = name.parse::<Name>().ok().and_then(|name| site.users.get(&name));
        let right = user.is_some_and(|user| !pin.is_empty() && user.pin.as_str() == pin);
        *wrong = Some((since, count + u32::from(!right)));
        right
    }
}

/// The pages. Everything else is left to whoever it is merged with.
pub(crate) fn router(services: Arc<Services>) -> Router {
    Router::new()
        .route("/services", get(menu_of_services))
        .route("/services/{name}", get(service))
        .route("/directories", get(directories))
        .route("/directory", get(directory::page))
        .route("/calls/{device}/{list}", get(calls::page))
        .route("/messages", get(messages))
        .route("/information", get(information))
        .route("/idle", get(idle))
        .route("/authentication", get(authentication))
        .with_state(services)
}

/// Who asks, and how the answer is to be.
#[derive(Debug)]
struct Visit {
    site: Arc<Site>,
    presence: Arc<Presence>,
    query: Query,
    /// The phone that the request names, if the site has it.
    device: Option<DeviceName>,
    peer: SocketAddr,
    /// Where the links of the answer begin.
    server: SocketAddr,
    language: Language,
}

impl FromRequestParts<Arc<Services>> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, services: &Arc<Services>) -> Result<Self, Infallible> {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let site = services.office.site();
        let device = query.value("device").and_then(|name| name.parse::<DeviceName>().ok());
        let device = device.filter(|device| site.devices.contains_key(device));
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let ends = parts.extensions.get::<Ends>();
        let (local, peer) = ends.map_or((nowhere.ip(), nowhere), |ends| (ends.local, ends.peer));
        let server = SocketAddr::new(services.advertise.unwrap_or(local), services.port);
        let presence = services.presence().await;
        let language = match &device {
            Some(device) => site.local(device).language,
            None => site.settings.language,
        };
        Ok(Self { site, presence, query, device, peer, server, language })
    }
}

impl Visit {
    /// As if the request had named this phone.
    fn of(mut self, device: &str) -> Self {
        self.device = device.parse().ok().filter(|device| self.site.devices.contains_key(device));
        if let Some(device) = &self.device {
            self.language = self.site.local(device).language;
        }
        self
    }

    /// The phone, if the request comes from where it is registered: only then it is told what is its own.
    fn owner(&self) -> Option<(&DeviceName, &Device)> {
        let name = self.device.as_ref()?;
        let present = self.presence.phones.get(name)?;
        let device = self.site.devices.get(name)?;
        (present.address == self.peer.ip()).then_some((name, device))
    }

    fn say<'a>(&self, english: &'a str) -> &'a str {
        language::say(self.language, english)
    }

    /// UTF-8 where the phone said so when it registered; ISO 8859-1, which all understand, for the others.
    fn encoding(&self) -> Encoding {
        let phone = self.device.as_ref().and_then(|device| self.presence.phones.get(device));
        if phone.is_some_and(|phone| phone.utf8) { Encoding::Utf8 } else { Encoding::Latin1 }
    }

    /// The address of a page, for the same phone.
    fn url(&self, path: &str, more: &[(&str, &str)]) -> String {
        let device = self.device.as_ref().map(|device| ("device", device.as_str()));
        let parameters = query::write(device.into_iter().chain(more.iter().copied()));
        format!("http://{}/{path}{parameters}", self.server)
    }

    /// The page of a list that is asked for, from 0.
    fn page(&self) -> usize {
        self.query.value("page").and_then(|page| page.parse().ok()).unwrap_or(0)
    }

    fn key(&self, name: &str, url: impl Into<String>) -> ScreenKey {
        ScreenKey { name: self.say(name).into(), url: url.into() }
    }

    /// The keys that lead from one page of a list to the next and back, where there are such.
    fn paging(&self, turn: impl Fn(usize) -> String, more: bool) -> Vec<ScreenKey> {
        let page = self.page();
        let next = more.then(|| self.key("Next", turn(page + 1)));
        let back = page.checked_sub(1).map(|before| self.key("Back", turn(before)));
        next.into_iter().chain(back).collect()
    }

    /// What is going on at a number.
    fn mark(&self, number: &str) -> Mark {
        let number = number.parse::<LineNumber>().ok().filter(|number| self.site.lines.contains_key(number));
        let Some(number) = number else { return Mark::Outside };
        match self.presence.lines.get(&number) {
            Some(LineUse::Idle) => Mark::Free,
            Some(LineUse::Ringing) => Mark::Ringing,
            Some(LineUse::InUse) => Mark::InUse,
            None => Mark::Away,
        }
    }

    /// Does the phone draw icons? Known only of a phone that is registered: another one gets words, which all show.
    fn draws(&self) -> bool {
        let phone = self.device.as_ref().and_then(|device| self.presence.phones.get(device));
        phone.and_then(|phone| phone.facts).is_some_and(|facts| facts.pictures.is_some())
    }

    fn zone(&self) -> TimeZone {
        let local: Local<'_> =
            self.site.local_of(self.device.as_ref().and_then(|name| self.site.devices.get(name)));
        local.time_zone.and_then(|zone| TimeZone::get(zone).ok()).unwrap_or_else(TimeZone::system)
    }

    /// An answer; `make` writes it.
    fn answer(&self, make: impl FnOnce(Encoding) -> Vec<u8>) -> Response {
        let encoding = self.encoding();
        let kind = match encoding {
            Encoding::Utf8 => "text/xml; charset=utf-8",
            _ => "text/xml; charset=iso-8859-1",
        };
        ([(CONTENT_TYPE, kind)], make(encoding)).into_response()
    }

    /// A page that only says something.
    fn text(&self, status: StatusCode, title: &str, text: &str) -> Response {
        let page = Text {
            title: self.say(title).into(),
            text: self.say(text).into(),
            keys: vec![self.key("Exit", "SoftKey:Exit")],
            ..Text::default()
        };
        (status, self.answer(|encoding| page.to_xml(encoding))).into_response()
    }

    /// A menu of which a page is shown.
    fn menu(&self, title: &str, items: Vec<MenuItem>, turn: impl Fn(usize) -> String) -> Response {
        let (shown, more) = page_of(items, self.page(), MENU_ITEMS);
        let mut keys = self.paging(turn, more);
        if !keys.is_empty() {
            // An object with any keys has no others.
            keys.insert(0, self.key("Select", "SoftKey:Select"));
            keys.push(self.key("Exit", "SoftKey:Exit"));
        }
        let menu = Menu { title: self.say(title).into(), items: shown, keys, ..Menu::default() };
        self.answer(|encoding| menu.to_xml(encoding))
    }
}

/// One page of a list, and whether there are more.
fn page_of<T>(all: Vec<T>, page: usize, size: usize) -> (Vec<T>, bool) {
    let before = page.saturating_mul(size);
    let more = all.len() > before.saturating_add(size);
    (all.into_iter().skip(before).take(size).collect(), more)
}

/// The services of the site.
async fn menu_of_services(visit: Visit) -> Response {
    let item = |(name, service): (&Name, &Service)| MenuItem {
        name: title(name, service).into(),
        url: match service.url.as_str() {
            "" => visit.url(&format!("services/{}", name.as_str()), &[]),
            url => url.into(),
        },
    };
    let items: Vec<_> = visit.site.services.iter().map(item).collect();
    if items.is_empty() {
        return visit.text(StatusCode::OK, "Services", "No services");
    }
    visit.menu("Services", items, |page| visit.url("services", &[("page", &page.to_string())]))
}

fn title<'a>(name: &'a Name, service: &'a Service) -> &'a str {
    if service.title.is_empty() { name.as_str() } else { &service.title }
}

/// One of them, if it is a menu.
async fn service(Path(name): Path<String>, visit: Visit) -> Response {
    let found = name.parse::<Name>().ok().and_then(|name| visit.site.services.get_key_value(&name));
    let Some((name, service)) = found.filter(|(_, service)| service.url.is_empty()) else {
        return visit.text(StatusCode::NOT_FOUND, "Services", "Not available");
    };
    let items = service.items.iter().map(|item| MenuItem {
        name: item.name.clone(),
        url: match &item.target {
            ItemTarget::Url(url) => url.clone(),
            ItemTarget::Number(number) => format!("Dial:{}", number.as_str()),
        },
    });
    let path = format!("services/{}", name.as_str());
    let items = items.collect();
    visit.menu(title(name, service), items, |page| visit.url(&path, &[("page", &page.to_string())]))
}

/// What is behind the Directories button.
async fn directories(visit: Visit) -> Response {
    let mut items =
        vec![MenuItem { name: visit.say("Corporate directory").into(), url: visit.url("directory", &[]) }];
    items.extend(calls::lists(&visit));
    visit.menu("Directories", items, |_| visit.url("directories", &[]))
}

/// What is behind the Messages button of an office without mailboxes; one with them is called.
async fn messages(visit: Visit) -> Response {
    let mailbox = visit.site.settings.voicemail.as_ref().map(|number| MenuItem {
        name: visit.say("Messages").into(),
        url: format!("Dial:{}", number.as_str()),
    });
    let items: Vec<_> = mailbox.into_iter().chain(calls::lists(&visit)).collect();
    if items.is_empty() {
        return visit.text(StatusCode::OK, "Messages", "Not available");
    }
    visit.menu("Messages", items, |_| visit.url("messages", &[]))
}

/// What a phone is, for whoever stands before it.
async fn information(visit: Visit) -> Response {
    let Some((name, device)) = visit.owner() else {
        return visit.text(StatusCode::OK, "Information", "Not available");
    };
    let lines = device.lines().map(|number| {
        let name = visit.site.lines.get(number).map_or("", |line| &line.name);
        format!("{} {name}", number.as_str()).trim_end().to_owned()
    });
    let about = [name.as_str().to_owned(), device.description.clone(), visit.site.settings.name.clone()];
    let text: Vec<_> = about.into_iter().filter(|line| !line.is_empty()).chain(lines).collect();
    visit.text(StatusCode::OK, "Information", &text.join("\r\n"))
}

/// What an idle phone shows.
async fn idle(visit: Visit) -> Response {
    let device = visit.device.as_ref().and_then(|name| visit.site.devices.get(name));
    match device.map(|device| device.idle_text.clone()).filter(|text| !text.is_empty()) {
        Some(text) => {
            let page = Text { title: visit.site.settings.name.clone(), text, ..Text::default() };
            visit.answer(|encoding| page.to_xml(encoding))
        }
        None => visit.text(StatusCode::NOT_FOUND, "Information", "Not available"),
    }
}

/// A phone asks whether somebody may show it something: who gives the name and PIN of a user may. Only phones get an answer,
/// since a PIN has few digits.
async fn authentication(State(services): State<Arc<Services>>, visit: Visit) -> Response {
    let is_phone = visit.presence.phones.values().any(|phone| phone.address == visit.peer.ip());
    let name = visit.query.value("UserID").unwrap_or_default();
    let pin = visit.query.value("Password").unwrap_or_default();
    let authorized = is_phone && services.is_user(&visit.site, name, pin);
    if !authorized {
        tracing::info!(peer = %visit.peer, "a phone was told that somebody may not show it anything");
    }
    if authorized { "AUTHORIZED" } else { "UN-AUTHORIZED" }.into_response()
}
