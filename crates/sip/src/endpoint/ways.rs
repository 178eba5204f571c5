//! How a message gets to a peer: a socket for datagrams, or a stream that is opened when it is needed and kept.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rsipstack::{
    platform::CancellationToken,
    transaction::endpoint::EndpointInnerRef,
    transport::{SipAddr, SipConnection, TlsConfig, tcp::TcpConnection, tls::TlsConnection},
};

use super::address_of;
use crate::config::Transport;

/// How long opening a stream may take.
const OPENING: Duration = Duration::from_secs(5);

/// One stream, and who opens it: one at a time.
type Place = Arc<tokio::sync::Mutex<Option<SipConnection>>>;

/// The streams that we opened.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams {
    open: Arc<Mutex<BTreeMap<(Transport, SocketAddr), Place>>>,
}

/// The way of one message.
#[derive(Clone)]
pub(super) struct Way {
    /// Where to.
    pub(super) to: SocketAddr,
    pub(super) transport: Transport,
    /// A socket, or a stream that is there already.
    pub(super) ready: Option<SipConnection>,
    /// For a stream that has to be opened.
    pub(super) streams: Streams,
    pub(super) stack: EndpointInnerRef,
    pub(super) stop: CancellationToken,
    /// The name that the server's certificate must have, and who may have signed it.
    pub(super) tls: Arc<TlsConfig>,
}

impl Way {
    /// The address in the stack's words.
    pub(super) fn address(&self) -> SipAddr {
        address_of(self.transport, self.to)
    }

    /// The connection, opened if need be. `None` if that fails.
    pub(super) async fn open(&self) -> Option<SipConnection> {
        if let Some(ready) = self.ready.as_ref().filter(|ready| lives(ready)) {
            return Some(ready.clone());
        }
        if self.transport == Transport::Udp {
            return None;
        }
        let place = {
            let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
            // Peers come from configuration and from Contact headers: old ones go when there are many.
            if open.len() > 1024 {
                open.retain(|_, place| Arc::strong_count(place) > 1);
            }
            open.entry((self.transport, self.to)).or_default().clone()
        };
        let mut place = place.lock().await;
        if let Some(connection) = place.as_ref().filter(|connection| lives(connection)) {
            return Some(connection.clone());
        }
        let connection = match tokio::time::timeout(OPENING, self.connect()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => {
                tracing::info!(to = %self.to, %error, "a stream cannot be opened");
                return None;
            }
            Err(_) => return None,
        };
        self.stack.transport_layer.add_connection(connection.clone());
        *place = Some(connection.clone());
        Some(connection)
    }

    async fn connect(&self) -> rsipstack::Result<SipConnection> {
        let stop = Some(self.stop.child_token());
        Ok(match self.transport {
            Transport::Tls => SipConnection::Tls(
                TlsConnection::connect(&self.address(), Some(&self.tls), None, stop).await?,
            ),
            Transport::Tcp | Transport::Udp => {
                SipConnection::Tcp(TcpConnection::connect(&self.address(), stop).await?)
            }
        })
    }
}

/// Can it still be used? The stack cancels a stream's token when it is closed.
fn lives(connection: &SipConnection) -> bool {
    !connection.is_reliable() || connection.cancel_token().is_none_or(|token| !token.is_cancelled())
}
