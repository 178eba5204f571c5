//! Names of servers, looked up at the system's name servers or at others.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
    proto::rr::RData,
};
use rsipstack::{
    resolver::sip_resolver::{LookupSource, SipResolver, SrvRecord, Target, resolve_logic},
    sip::{Domain, Port, Transport},
};

/// Who is asked.
pub(super) enum NameServers {
    /// Those of the system.
    System(SipResolver),
    /// Others.
    Own(Own),
}

pub(super) struct Own(Arc<TokioResolver>);

impl NameServers {
    /// These, or the system's if there are none.
    pub(super) fn new(servers: &[SocketAddr]) -> Self {
        if servers.is_empty() {
            return Self::System(SipResolver::default());
        }
        let mut config = ResolverConfig::default();
        for server in servers {
            let mut connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            connections.iter_mut().for_each(|connection| connection.port = server.port());
            config.add_name_server(NameServerConfig::new(server.ip(), true, connections.into()));
        }
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4thenIpv6;
        match builder.build() {
            Ok(resolver) => Self::Own(Own(Arc::new(resolver))),
            Err(error) => {
                tracing::warn!(%error, "the name servers cannot be used; the system's are");
                Self::System(SipResolver::default())
            }
        }
    }

    /// Where a name leads (RFC 3263), the preferred one first.
    pub(super) async fn look_up(
        &self,
        name: &str,
        port: Option<u16>,
        transport: Transport,
    ) -> Result<Vec<SocketAddr>, String> {
        let (domain, port, secure) = (Domain::from(name), port.map(Port), transport == Transport::Tls);
        let found = match self {
            Self::System(resolver) => resolver.lookup(&domain, port, Some(transport), secure).await?,
            Self::Own(own) => resolve_logic(own, &domain, port, Some(transport), secure).await?,
        };
        let usable = |target: Target| (target.transport == transport).then_some(target.addr);
        Ok(found.into_iter().filter_map(usable).collect())
    }
}

#[async_trait]
impl LookupSource for Own {
    async fn lookup_srv(&self, name: &str) -> Result<Vec<SrvRecord>, String> {
        let found = self.0.srv_lookup(name).await.map_err(|error| error.to_string())?;
        let record = |data: &RData| match data {
            RData::SRV(srv) => Some(SrvRecord {
                target: srv.target.to_string().trim_end_matches('.').into(),
                port: srv.port,
                priority: srv.priority,
                weight: srv.weight,
            }),
            _ => None,
        };
        Ok(found.answers().iter().filter_map(|answer| record(&answer.data)).collect())
    }

    async fn lookup_a_aaaa(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let found = self.0.lookup_ip(name).await.map_err(|error| error.to_string())?;
        Ok(found.iter().collect())
    }
}
