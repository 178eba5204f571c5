//! Trunks: their servers, their registrations and probes.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rsipstack::{
    platform::CancellationToken,
    sip::Response,
    transaction::{make_tag, random_text},
    transport::TlsConfig,
};
use selsius_exchange::record::EndCause;
use tokio::time::{Instant, timeout};

use super::Driver;
use crate::{
    config::{Network, Transport, TrunkConfig},
    endpoint::{
        names::NameServers,
        stack_transport,
        transactions::{Whom, Wire},
    },
    gate::Bucket,
    registration::{Step, Upkeep},
    seam::{Event, TrunkStatus},
};

/// How often host names are looked up again.
const LOOK_UP: Duration = Duration::from_secs(300);
/// How long a look-up may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Addresses of a trunk beyond this many are not used.
const MOST_SERVERS: usize = 16;

/// A server of a trunk.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// What is checked in its certificate.
    pub(super) tls: Arc<TlsConfig>,
}

/// A trunk and what goes on in it.
pub(super) struct Trunk {
    pub(super) config: Arc<TrunkConfig>,
    /// In the order of preference.
    pub(super) servers: Vec<Server>,
    pub(super) calls: usize,
    pub(super) rate: Bucket,
    /// Counts the places where trunks have been: what comes from an earlier one is not for this one.
    place: u64,
    /// Ends the look-ups of its servers.
    looks: CancellationToken,
    upkeep: Option<Upkeep>,
    /// When the registration or probe is due.
    due: Option<Instant>,
    pub(super) status: TrunkStatus,
    pub(super) told: TrunkStatus,
}

impl Trunk {
    fn new(config: Arc<TrunkConfig>, place: u64, looks: CancellationToken) -> Self {
        let port = port(&config);
        let servers = config
            .servers
            .iter()
            .filter_map(|server| Some((server.parse::<IpAddr>().ok()?, server)))
            .map(|(ip, name)| server(&config, SocketAddr::new(ip, port), name))
            .collect();
        let rate = Bucket::new(config.limits.rate.into());
        Self {
            config,
            servers,
            calls: 0,
            rate,
            place,
            looks,
            upkeep: None,
            due: None,
            status: TrunkStatus::Unknown,
            told: TrunkStatus::Unknown,
        }
    }

    /// Is this one of its addresses?
    pub(super) fn has(&self, address: IpAddr) -> bool {
        self.config.allow.iter().any(|network| network.has(address))
            || self.servers.iter().any(|server| Network::from(server.address.ip()).has(address))
    }

    /// The servers, the one in use first.
    pub(super) fn preferred(&self) -> impl Iterator<Item = &Server> {
        let first = self.upkeep.as_ref().map_or(0, Upkeep::server);
        let (before, after) = self.servers.split_at(first.min(self.servers.len()));
        after.iter().chain(before)
    }

    fn is_kept(&self) -> bool {
        self.config.register || self.config.probe.is_some()
    }
}

impl Drop for Trunk {
    fn drop(&mut self) {
        self.looks.cancel();
    }
}

fn port(config: &TrunkConfig) -> u16 {
    config.port.unwrap_or(if config.transport == Transport::Tls { 5061 } else { 5060 })
}

fn server(config: &TrunkConfig, address: SocketAddr, name: &str) -> Server {
    let ca_certs = (!config.authorities.is_empty()).then(|| config.authorities.clone());
    let tls = TlsConfig { ca_certs, sni_hostname: Some(name.into()), ..TlsConfig::default() };
    Server { address, tls: Arc::new(tls) }
}

/// Looks up the servers of a trunk (RFC 3263), again and again.
async fn look_up(config: Arc<TrunkConfig>, place: u64, happen: tokio::sync::mpsc::Sender<Wire>) {
    let names = NameServers::new(&config.nameservers);
    loop {
        let mut servers: Vec<Server> = Vec::new();
        for name in &config.servers {
            if let Ok(ip) = name.parse::<IpAddr>() {
                servers.push(server(&config, SocketAddr::new(ip, port(&config)), name));
                continue;
            }
            let transport = stack_transport(config.transport);
            match timeout(PATIENCE, names.look_up(name, config.port, transport)).await {
                Ok(Ok(found)) => {
                    servers.extend(found.into_iter().map(|address| server(&config, address, name)));
                }
                Ok(Err(error)) => {
                    tracing::warn!(trunk = config.name, server = name, error, "a name leads nowhere")
                }
                Err(_) => tracing::warn!(trunk = config.name, server = name, "a look-up takes too long"),
            }
        }
        servers.truncate(MOST_SERVERS);
        let trunk = config.name.clone();
        // What is known is better than nothing.
        if !servers.is_empty() && happen.send(Wire::Resolved { trunk, place, servers }).await.is_err() {
            return;
        }
        tokio::time::sleep(LOOK_UP).await;
    }
}

impl Driver {
    /// Serves these trunks from now on.
    pub(super) fn change(&mut self, configs: Vec<TrunkConfig>) {
        let gone: Vec<String> = self
            .trunks
            .keys()
            .filter(|&name| configs.iter().all(|config| config.name != *name))
            .cloned()
            .collect();
        for name in gone {
            self.leave_place(&name);
            self.trunks.remove(&name);
            self.registrar.forget(&name);
            self.hang_up_calls(&name);
        }
        for config in configs {
            let config = Arc::new(config);
            match self.trunks.get_mut(&config.name) {
                Some(trunk) if *trunk.config == *config => {}
                Some(trunk) if trunk.config.is_at(&config) => {
                    if trunk.config.limits != config.limits {
                        trunk.rate = Bucket::new(config.limits.rate.into());
                    }
                    trunk.config = config.clone();
                    for line in self.lines.values_mut().filter(|line| line.call.trunk.name == config.name) {
                        line.call.trunk = config.clone();
                    }
                }
                // Its calls go on where they are, as they have begun.
                Some(trunk) => {
                    // Where we are known by the same address, leaving would undo what the next registration does.
                    if !trunk.config.is_known_as(&config) || !config.register {
                        self.leave_place(&config.name);
                    }
                    // A phone has to prove anew who it is.
                    self.registrar.forget(&config.name);
                    self.settle_at(config);
                }
                None => self.settle_at(config),
            }
        }
        let networks = |trunk: &Trunk| {
            let servers = trunk.servers.iter().map(|server| Network::from(server.address.ip()));
            trunk.config.allow.iter().copied().chain(servers).collect::<Vec<_>>()
        };
        // Whoever is in a call is no stranger.
        let peers = self.lines.values().map(|line| Network::from(line.peer.address.ip()));
        let friends = self.trunks.values().flat_map(networks).chain(peers).collect();
        self.gate.change(friends, self.trunks.values().any(|trunk| trunk.config.authenticate));
    }

    /// A trunk begins at a place: names are looked up, it registers and probes.
    fn settle_at(&mut self, config: Arc<TrunkConfig>) {
        self.next_place += 1;
        let place = self.next_place;
        let looks = self.stop.child_token();
        let mut trunk = Trunk::new(config.clone(), place, looks.clone());
        trunk.calls = self.lines.values().filter(|line| line.call.trunk.name == config.name).count();
        if trunk.is_kept() && !trunk.servers.is_empty() {
            trunk.due = Some(Instant::now());
        }
        if let Some(before) = self.trunks.get(&config.name) {
            trunk.told = before.told;
        }
        self.trunks.insert(config.name.clone(), trunk);
        if config.servers.iter().any(|server| server.parse::<IpAddr>().is_err()) {
            let looking = look_up(config, place, self.happen.clone());
            tokio::spawn(async move {
                looks.run_until_cancelled(looking).await;
            });
        }
    }

    /// Ends the registration of a trunk. Does an answer come?
    fn leave_place(&mut self, name: &str) -> bool {
        let Some(trunk) = self.trunks.get_mut(name) else { return false };
        trunk.due = None;
        // Whatever comes of it is nobody's business any more.
        let step = trunk.upkeep.take().and_then(|mut upkeep| upkeep.leave());
        let leaves = step.is_some();
        self.step(name, step.into_iter().collect());
        leaves
    }

    fn hang_up_calls(&mut self, name: &str) {
        let legs: Vec<_> =
            self.lines.iter().filter(|(_, line)| line.call.trunk.name == name).map(|(&leg, _)| leg).collect();
        for leg in legs {
            let mut actions = Vec::new();
            if let Some(line) = self.lines.get_mut(&leg) {
                line.call.fail(EndCause::NoTrunk, &mut actions);
            }
            self.act(leg, actions);
        }
    }

    pub(super) fn resolved(&mut self, name: &str, place: u64, servers: Vec<Server>) {
        let Some(trunk) = self.trunks.get_mut(name).filter(|trunk| trunk.place == place) else { return };
        self.gate.admit(servers.iter().map(|server| server.address.ip()));
        trunk.servers = servers;
        if trunk.is_kept() && trunk.upkeep.is_none() {
            trunk.due = Some(Instant::now());
        }
    }

    /// When the next registration or probe is due.
    pub(super) fn next_upkeep(&self) -> Option<Instant> {
        self.trunks.values().filter_map(|trunk| trunk.due).min()
    }

    pub(super) fn keep_up(&mut self) {
        let now = Instant::now();
        let due: Vec<String> = self
            .trunks
            .iter()
            .filter(|(_, trunk)| trunk.due.is_some_and(|due| due <= now))
            .map(|(name, _)| name.clone())
            .collect();
        for name in due {
            self.begin_upkeep(&name);
        }
    }

    fn begin_upkeep(&mut self, name: &str) {
        let Some(trunk) = self.trunks.get(name) else { return };
        let Some(first) = trunk.servers.first().map(|server| server.address) else { return };
        let config = trunk.config.clone();
        let names = self.names(config.transport, first);
        let Some(trunk) = self.trunks.get_mut(name) else { return };
        trunk.due = None;
        if trunk.upkeep.is_none() {
            let Some(names) = names else {
                tracing::warn!(trunk = name, "nothing is listened on that could reach this trunk");
                return;
            };
            let parameters = super::parameters(config.transport);
            trunk.upkeep = Upkeep::new(
                config,
                &names.host,
                parameters,
                random_text(24),
                make_tag().value().into(),
                names.session,
            );
        }
        let servers = trunk.servers.len();
        let steps = trunk.upkeep.as_mut().map(|upkeep| upkeep.due(servers)).unwrap_or_default();
        self.step(name, steps);
    }

    /// A response to a registration or probe.
    pub(super) fn upkept(&mut self, name: &str, place: u64, response: &Response) {
        let Some(trunk) = self.trunks.get_mut(name).filter(|trunk| trunk.place == place) else { return };
        let servers = trunk.servers.len();
        let steps =
            trunk.upkeep.as_mut().map(|upkeep| upkeep.answered(response, servers)).unwrap_or_default();
        self.step(name, steps);
    }

    fn step(&mut self, name: &str, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Send { server, request } => {
                    let Some(trunk) = self.trunks.get(name) else { return };
                    let Some(server) = trunk.servers.get(server).or(trunk.servers.first()).cloned() else {
                        return;
                    };
                    let (transport, place) = (trunk.config.transport, trunk.place);
                    self.send(Whom::Trunk { name: name.into(), place }, *request, transport, &server, None);
                }
                Step::Wait(time) => {
                    if let Some(trunk) = self.trunks.get_mut(name) {
                        trunk.due = Some(Instant::now() + time);
                    }
                }
                Step::Status(status) => {
                    if let Some(trunk) = self.trunks.get_mut(name) {
                        trunk.status = status;
                    }
                    if status == TrunkStatus::Down {
                        tracing::warn!(trunk = name, "a trunk is down");
                    } else {
                        tracing::info!(trunk = name, "a trunk is up");
                    }
                }
            }
        }
    }

    /// Tells how trunks are, as far as there is room.
    pub(super) fn tell_status(&mut self) {
        for (name, trunk) in &mut self.trunks {
            if trunk.told != trunk.status {
                let event = Event::Trunk { trunk: name.clone(), status: trunk.status };
                if self.events.try_send(event).is_ok() {
                    trunk.told = trunk.status;
                }
            }
        }
    }

    /// Ends the registrations. How many answers are to come.
    pub(super) fn leave(&mut self) -> usize {
        let names: Vec<String> = self.trunks.keys().cloned().collect();
        names.iter().filter(|name| self.leave_place(name)).count()
    }
}
