//! The site's SIP trunks: started, changed and stopped with it, and what goes between them and the exchange.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use selsius_exchange::{TrunkEvent, TrunkLegId, TrunkOrder, record::EndCause};
use selsius_sip::{
    Counts, Event, Figures, Handle, Limits, Listener, Network, PhoneTerms, Sip, StartError, Tap, TrunkConfig,
    TrunkStatus,
};
use selsius_site::{DeviceName, Dtmf, Name, SipPhone, Site, Srtp, Transport, Trunk, TrunkKind};
use thiserror::Error;
use tokio::sync::{mpsc, watch};

use crate::{
    config::SipConfig,
    core::{self, Command, FarEnd, Ordered},
};

/// Calls of a SIP phone beyond those that it may have: one to an emergency number is let through.
const SPARE_CALLS: usize = 2;
/// Orders of the exchange that may wait here.
const ORDERS: usize = 4096;

/// How SIP is doing, for those who show it.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// How the trunks are, by their names.
    statuses: BTreeMap<String, TrunkStatus>,
    counts: Option<Counts>,
    /// From how many places the phones that are registered are.
    phones: BTreeMap<DeviceName, usize>,
    /// What was counted before SIP was started again.
    past: Figures,
}

impl State {
    /// SIP has ended: nothing is known of the trunks any more.
    fn stopped(&mut self) {
        self.statuses.clear();
        self.phones.clear();
        if let Some(counts) = self.counts.take() {
            self.past = sum(self.past, counts.figures());
        }
    }
}

/// The same, shared with them.
pub(crate) type Shared = Arc<Mutex<State>>;

/// The trunks and whether they are up, where that is known.
pub(crate) fn trunks_up(shared: &Shared) -> Vec<(String, bool)> {
    let known = |(name, status): (&String, &TrunkStatus)| match status {
        TrunkStatus::Unknown => None,
        TrunkStatus::Up => Some((name.clone(), true)),
        TrunkStatus::Down => Some((name.clone(), false)),
    };
    lock(shared).statuses.iter().filter_map(known).collect()
}

/// How many phones are registered, and from how many places all together.
pub(crate) fn phones(shared: &Shared) -> (usize, usize) {
    let state = lock(shared);
    (state.phones.len(), state.phones.values().sum())
}

/// What was refused since the start.
pub(crate) fn figures(shared: &Shared) -> Figures {
    let state = lock(shared);
    sum(state.past, state.counts.as_ref().map(Counts::figures).unwrap_or_default())
}

fn sum(one: Figures, other: Figures) -> Figures {
    Figures {
        strangers: one.strangers + other.strangers,
        malformed: one.malformed + other.malformed,
        unknown_methods: one.unknown_methods + other.unknown_methods,
        limited: one.limited + other.limited,
        unauthorized: one.unauthorized + other.unauthorized,
        throttled: one.throttled + other.throttled,
        lost: one.lost + other.lost,
    }
}

/// Why there is no SIP.
#[derive(Debug, Error)]
enum SipError {
    #[error("cannot read {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("[sip] tls needs certificate and key")]
    NoCertificate,
    #[error(transparent)]
    Start(#[from] StartError),
}

/// SIP at work.
struct Running {
    trunks: Vec<TrunkConfig>,
    handle: Handle,
    events: mpsc::Receiver<Event>,
}

/// The trunks, while the manager runs.
pub(crate) struct Trunks {
    config: SipConfig,
    tap: Option<Tap>,
    exchange: core::Handle,
    orders: mpsc::Receiver<Ordered>,
    running: Option<Running>,
    /// Calls that are up.
    legs: BTreeSet<TrunkLegId>,
    shared: Shared,
}

impl Trunks {
    /// The trunks, and where the exchange's orders for them go.
    pub(crate) fn new(config: SipConfig, tap: Option<Tap>, exchange: core::Handle) -> (Self, FarEnd, Shared) {
        let (to, orders) = mpsc::channel(ORDERS);
        let shared = Shared::default();
        let legs = BTreeSet::new();
        let trunks = Self { config, tap, exchange, orders, running: None, legs, shared: Arc::clone(&shared) };
        (trunks, to, shared)
    }

    /// Serves the trunks of the site, as it is and whenever it changes.
    pub(crate) async fn run(mut self, mut site: watch::Receiver<Arc<Site>>) {
        let now = Arc::clone(&site.borrow_and_update());
        self.change(&now).await;
        loop {
            let event = async {
                match &mut self.running {
                    Some(running) => running.events.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = site.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let now = Arc::clone(&site.borrow_and_update());
                    self.change(&now).await;
                }
                order = self.orders.recv() => match order {
                    Some(ordered) => self.order(ordered.order).await,
                    None => break,
                },
                event = event => match event {
                    Some(event) => self.event(event).await,
                    None => self.stop("SIP has ended by itself").await,
                },
            }
        }
        // Without an exchange there is nothing to do; that is no fault of SIP's.
        self.stop("SIP trunks are served no more").await;
        std::future::pending().await
    }

    /// Takes over the trunks of a site. Calls go on where their trunk is still there.
    async fn change(&mut self, site: &Site) {
        let trunks = match self.trunks(site) {
            Ok(trunks) => trunks,
            Err(error) => {
                tracing::error!("a change of SIP trunks is not taken over: {error}{}", source(&error));
                return;
            }
        };
        if trunks.is_empty() {
            return self.stop("there are no SIP trunks any more").await;
        }
        if let Some(running) = &mut self.running {
            if running.trunks != trunks {
                lock(&self.shared).statuses.retain(|name, _| trunks.iter().any(|trunk| trunk.name == *name));
                running.trunks.clone_from(&trunks);
                running.handle.change(trunks).await;
                tracing::info!("SIP trunks have changed");
            }
            return;
        }
        let names: Vec<_> = trunks.iter().map(|trunk| trunk.name.clone()).collect();
        for trunk in trunks.iter().filter(|trunk| trunk.srtp != Srtp::Off) {
            if trunk.transport != selsius_sip::Transport::Tls {
                let trunk = &trunk.name;
                tracing::warn!(
                    trunk,
                    "its audio is encrypted, but not its SIP, which has the keys in it: whoever can listen to both hears \
                     the calls; transport = \"tls\" hides the keys"
                );
            }
        }
        match self.start(trunks).await {
            Ok(running) => {
                for (transport, address) in running.handle.addresses() {
                    tracing::info!(?transport, %address, "SIP trunks are served");
                }
                lock(&self.shared).counts = Some(running.handle.counts());
                self.running = Some(running);
            }
            Err(error) => {
                tracing::error!("SIP trunks are not served: {error}{}", source(&error));
                lock(&self.shared).statuses.extend(names.into_iter().map(|name| (name, TrunkStatus::Down)));
            }
        }
    }

    async fn start(&self, trunks: Vec<TrunkConfig>) -> Result<Running, SipError> {
        let SipConfig { udp, tcp, tls, certificate, key, public, .. } = &self.config;
        let certificate = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
            _ if tls.is_empty() => None,
            _ => return Err(SipError::NoCertificate),
        };
        let mut listeners = Vec::new();
        for (transport, addresses) in [
            (selsius_sip::Transport::Udp, udp),
            (selsius_sip::Transport::Tcp, tcp),
            (selsius_sip::Transport::Tls, tls),
        ] {
            listeners.extend(addresses.iter().map(|&address| Listener {
                transport,
                address,
                public: public.map(|public| SocketAddr::new(public, address.port())),
                certificate: certificate.clone().filter(|_| transport == selsius_sip::Transport::Tls),
                tap: self.tap.clone(),
            }));
        }
        let (handle, events) = Sip::start(trunks.clone(), listeners).await?;
        Ok(Running { trunks, handle, events })
    }

    /// Ends SIP, and the calls with it.
    async fn stop(&mut self, why: &str) {
        if self.running.take().is_none() {
            return;
        }
        let legs = std::mem::take(&mut self.legs);
        if legs.is_empty() {
            tracing::info!("{why}");
        } else {
            tracing::warn!(calls = legs.len(), "{why}: their calls end");
        }
        let phones: Vec<_> = lock(&self.shared).phones.keys().cloned().collect();
        lock(&self.shared).stopped();
        for phone in phones {
            self.exchange.deliver(Command::Phone(phone, Vec::new())).await;
        }
        for leg in legs {
            self.tell(TrunkEvent::HungUp { leg, cause: EndCause::NoTrunk }).await;
        }
    }

    async fn order(&mut self, order: TrunkOrder) {
        let leg = order.leg();
        match order {
            TrunkOrder::Offer { leg, .. } => drop(self.legs.insert(leg)),
            TrunkOrder::HangUp { leg, .. } => drop(self.legs.remove(&leg)),
            _ => {}
        }
        let given = self.running.as_ref().is_some_and(|running| running.handle.order(order).is_ok());
        let Some(leg) = leg else { return };
        if !given && self.legs.remove(&leg) {
            self.tell(TrunkEvent::HungUp { leg, cause: EndCause::NoTrunk }).await;
        }
    }

    async fn event(&mut self, event: Event) {
        match event {
            Event::Call(event) => {
                match &event {
                    TrunkEvent::Offer { leg, .. } => drop(self.legs.insert(*leg)),
                    TrunkEvent::HungUp { leg, .. } => drop(self.legs.remove(leg)),
                    _ => {}
                }
                self.tell(event).await;
            }
            Event::Phone { phone, contacts } => {
                match contacts.len() {
                    0 => drop(lock(&self.shared).phones.remove(&phone)),
                    places => drop(lock(&self.shared).phones.insert(phone.clone(), places)),
                }
                self.exchange.deliver(Command::Phone(phone, contacts)).await;
            }
            Event::Trunk { trunk, status } => {
                match status {
                    TrunkStatus::Down => tracing::warn!(trunk, "SIP trunk is down"),
                    TrunkStatus::Up | TrunkStatus::Unknown => {
                        tracing::info!(trunk, "SIP trunk is {status:?}")
                    }
                }
                lock(&self.shared).statuses.insert(trunk, status);
            }
        }
    }

    async fn tell(&self, event: TrunkEvent) {
        self.exchange.deliver(Command::Trunk(Box::new(event))).await;
    }

    /// The SIP trunks of a site, as the stack wants them.
    fn trunks(&self, site: &Site) -> Result<Vec<TrunkConfig>, SipError> {
        let authorities = self.config.authorities.as_ref().map(read).transpose()?.unwrap_or_default();
        let sip = site.trunks.iter().filter(|(_, trunk)| trunk.kind == TrunkKind::Sip);
        let trunks =
            sip.map(|(name, trunk)| trunk_config(name, trunk, site, &authorities, &self.config.nameservers));
        let phones = site.sip_phones.iter().map(|(name, phone)| phone_config(name, phone, site));
        Ok(trunks.chain(phones).collect())
    }
}

fn phone_config(name: &DeviceName, phone: &SipPhone, site: &Site) -> TrunkConfig {
    let codecs = if phone.codecs.is_empty() { &site.settings.codecs } else { &phone.codecs };
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    // The exchange counts its calls; here one counts at each place where it rings, and help is to be had beside them.
    let calls = number(phone.calls + 1).saturating_mul(number(phone.contacts)) + SPARE_CALLS;
    let usual = TrunkConfig::extension(name.as_str(), phone.password.as_str());
    TrunkConfig {
        phone: Some(PhoneTerms { contacts: number(phone.contacts) }),
        codecs: codecs.clone(),
        dtmf: dtmf(phone.dtmf),
        packet_ms: site.settings.packet_ms,
        limits: Limits { calls, ..usual.limits },
        ..usual
    }
}

fn dtmf(dtmf: Dtmf) -> selsius_sip::Dtmf {
    match dtmf {
        Dtmf::Auto => selsius_sip::Dtmf::Auto,
        Dtmf::Rfc4733 => selsius_sip::Dtmf::Rfc4733,
        Dtmf::Info => selsius_sip::Dtmf::Info,
        Dtmf::Inband => selsius_sip::Dtmf::Inband,
    }
}

fn trunk_config(
    name: &Name,
    trunk: &Trunk,
    site: &Site,
    authorities: &[u8],
    nameservers: &[SocketAddr],
) -> TrunkConfig {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    // The stack takes one port for all servers: that of the first that names one.
    let servers: Vec<(String, Option<u16>)> =
        trunk.servers.iter().map(|server| host_and_port(server)).collect();
    let codecs = if trunk.codecs.is_empty() { &site.settings.codecs } else { &trunk.codecs };
    TrunkConfig {
        servers: servers.iter().map(|(host, _)| host.clone()).collect(),
        port: servers.iter().find_map(|(_, port)| *port),
        nameservers: nameservers.to_vec(),
        transport: match trunk.transport {
            Transport::Udp => selsius_sip::Transport::Udp,
            Transport::Tcp => selsius_sip::Transport::Tcp,
            Transport::Tls => selsius_sip::Transport::Tls,
        },
        user: text(&trunk.user),
        password: text(trunk.password.as_str()),
        register: trunk.register,
        from: text(&trunk.domain),
        allow: trunk
            .allow
            .iter()
            .map(|net| Network { address: net.addr(), prefix: net.prefix_len() })
            .collect(),
        authenticate: trunk.authenticate,
        authorities: authorities.to_vec(),
        codecs: codecs.clone(),
        srtp: trunk.srtp,
        dtmf: dtmf(trunk.dtmf),
        packet_ms: site.settings.packet_ms,
        limits: Limits { calls: usize::try_from(trunk.calls).unwrap_or(usize::MAX), rate: trunk.rate },
        ..TrunkConfig::peer(name.as_str(), "")
    }
}

/// A host with or without a port, as the site has it.
fn host_and_port(server: &str) -> (String, Option<u16>) {
    if server.parse::<IpAddr>().is_ok() {
        return (server.into(), None);
    }
    if let Ok(address) = server.parse::<SocketAddr>() {
        return (address.ip().to_string(), Some(address.port()));
    }
    match server.rsplit_once(':') {
        Some((host, port)) => (host.into(), port.parse().ok()),
        None => (server.into(), None),
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, SipError> {
    fs::read(path).map_err(|source| SipError::File { path: path.clone(), source })
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is behind an error, for the log.
fn source(error: &SipError) -> String {
    let sources = std::iter::successors(std::error::Error::source(error), |error| error.source());
    sources.map(|error| format!(": {error}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_ports_or_none() {
        for (server, host, port) in [
            ("sip.example.net", "sip.example.net", None),
            ("sip.example.net:5080", "sip.example.net", Some(5080)),
            ("192.0.2.5", "192.0.2.5", None),
            ("192.0.2.5:5062", "192.0.2.5", Some(5062)),
            ("2001:db8::5", "2001:db8::5", None),
            ("[2001:db8::5]:5062", "2001:db8::5", Some(5062)),
        ] {
            assert_eq!(host_and_port(server), (host.into(), port), "{server}");
        }
    }
}
