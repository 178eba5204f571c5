//! Streams that others open. The stack would accept any number of them, wait for ever for a handshake or for a peer that
//! does not read, and read faster than it can think; here all of that has a limit, and the stack gets and gives messages.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::StreamExt;
use rsipstack::{
    platform::CancellationToken,
    transaction::endpoint::EndpointInnerRef,
    transport::{
        SipConnection, TransportEvent,
        channel::ChannelConnection,
        stream::{SipCodec, SipCodecType},
        tls::ReloadableCertResolver,
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tokio_util::codec::FramedRead;

use super::{Bound, address_of, stack_transport};
use crate::{config::Transport, gate::Gate};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// A peer that has not taken what it was sent for so long is cut off.
const UNREAD: Duration = Duration::from_secs(5);
/// Nor does one stay that has said nothing for so long.
const IDLE: Duration = Duration::from_secs(300);
/// Streams at a time.
const MOST: usize = 512;
/// Of addresses that no trunk has, where a password can make friends of them.
const MOST_OF_STRANGERS: usize = 64;
/// After the kernel had no stream for us (it has no more descriptors).
const AGAIN: Duration = Duration::from_millis(100);

/// Who may have a stream.
#[derive(Debug, Clone)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(MOST)), strangers: Arc::new(Semaphore::new(MOST_OF_STRANGERS)) }
    }
}

impl Places {
    /// A place, until it is dropped; `None` if there is none.
    fn take(&self, stranger: bool) -> Option<[Option<OwnedSemaphorePermit>; 2]> {
        let all = self.all.clone().try_acquire_owned().ok()?;
        let extra = match stranger {
            true => Some(self.strangers.clone().try_acquire_owned().ok()?),
            false => None,
        };
        Some([Some(all), extra])
    }
}

/// A socket that waits for streams.
pub(super) struct Door {
    pub(super) bound: Bound,
    pub(super) listener: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
}

/// What makes TLS of streams, with this certificate and key in PEM.
#[allow(clippy::result_large_err, reason = "the stack's own error, which its functions return as it is")]
pub(super) fn acceptor(certificate: &[u8], key: &[u8]) -> rsipstack::Result<TlsAcceptor> {
    let builder = ServerConfig::builder();
    let resolver = ReloadableCertResolver::new(certificate, key, builder.crypto_provider().clone())?;
    Ok(TlsAcceptor::from(Arc::new(builder.with_no_client_auth().with_cert_resolver(Arc::new(resolver)))))
}

impl Door {
    /// Accepts streams until it is stopped.
    pub(super) async fn keep(
        self,
        stack: EndpointInnerRef,
        gate: Arc<Gate>,
        places: Places,
        stop: CancellationToken,
    ) {
        let door = Arc::new(self);
        loop {
            let (stream, from) = match stop.run_until_cancelled(door.listener.accept()).await {
                None => return,
                Some(Ok(accepted)) => accepted,
                Some(Err(_)) => {
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            };
            if !gate.accepts(from.ip()) {
                continue;
            }
            let Some(place) = places.take(!gate.knows(from.ip())) else {
                gate.refuse_stream(from);
                continue;
            };
            let (door, stack, gate, token) = (door.clone(), stack.clone(), gate.clone(), stop.child_token());
            tokio::spawn(async move {
                let _place = place;
                token.run_until_cancelled(door.welcome(stream, from, stack, gate, token.clone())).await;
            });
        }
    }

    async fn welcome(
        &self,
        stream: TcpStream,
        from: SocketAddr,
        stack: EndpointInnerRef,
        gate: Arc<Gate>,
        token: CancellationToken,
    ) {
        let transport = self.bound.transport;
        match &self.tls {
            None => carry(stream, transport, from, stack, gate, token).await,
            Some(tls) => {
                if let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await {
                    carry(stream, transport, from, stack, gate, token).await;
                }
            }
        }
    }
}

/// Carries messages between a stream and the stack until it is closed.
async fn carry(
    stream: impl AsyncRead + AsyncWrite,
    transport: Transport,
    from: SocketAddr,
    stack: EndpointInnerRef,
    gate: Arc<Gate>,
    token: CancellationToken,
) {
    let (read, mut write) = tokio::io::split(stream);
    // What goes in waits for the gate's leave; what comes out is written at once, or the stream is closed.
    let (incoming, come) = mpsc::unbounded_channel();
    let (go, mut outgoing) = mpsc::unbounded_channel();
    let remote = address_of(transport, from);
    let channel = ChannelConnection::create_connection(come, go, remote.clone(), Some(token)).await;
    let Ok(connection) = channel.map(SipConnection::Channel) else { return };
    stack.transport_layer.add_connection(connection.clone());
    let pinged = Notify::new();
    let reading = async {
        let mut messages = std::pin::pin!(FramedRead::new(read, SipCodec::new()));
        loop {
            gate.has_room().await;
            let Ok(Some(Ok(item))) = timeout(IDLE, messages.next()).await else { return };
            let SipCodecType::Message(message) = item else {
                if let SipCodecType::KeepaliveRequest = item {
                    pinged.notify_one();
                }
                continue;
            };
            let transport = stack_transport(transport);
            let Ok(message) = SipConnection::update_msg_received(message, from, transport) else { return };
            gate.read();
            let event = TransportEvent::Incoming(message, connection.clone(), remote.clone());
            if incoming.send(event).is_err() {
                return;
            }
        }
    };
    let writing = async {
        loop {
            let bytes = tokio::select! {
                event = outgoing.recv() => match event {
                    Some(TransportEvent::Incoming(message, ..)) => message.to_bytes(),
                    Some(TransportEvent::New(_) | TransportEvent::Closed(_)) => continue,
                    None => return,
                },
                // RFC 5626 section 4.4.1.
                () = pinged.notified() => b"\r\n".to_vec(),
            };
            let written = timeout(UNREAD, async {
                write.write_all(&bytes).await?;
                write.flush().await
            });
            if !matches!(written.await, Ok(Ok(()))) {
                return;
            }
        }
    };
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
}
