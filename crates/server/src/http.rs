//! HTTP: one loop that accepts connections, for the phones' files and for the admin API; and the files.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
    serve::Listener,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpStream, UnixStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

use crate::{
    admin::Operator,
    files::{Files, Found},
    net,
};

/// How long a request's head may take.
const HEAD: Duration = Duration::from_secs(10);
/// Bytes read ahead of a connection, and so the longest head. Phones send a few hundred; hyper's own bound is 400 KiB.
const READ_AHEAD: usize = 16 * 1024;
/// How long a phone's connection may live, however busy it is: the slowest phone has its firmware by then.
pub(crate) const LONGEST: Duration = Duration::from_secs(600);

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    /// The address that was asked.
    pub(crate) local: IpAddr,
    pub(crate) peer: SocketAddr,
}

/// A connection of which something may matter to the answer.
pub(crate) trait Connected {
    /// What handlers find in a request's extensions.
    type About: Clone + Send + Sync + 'static;

    /// That, if the operating system tells.
    fn about(&self) -> Option<Self::About>;
}

impl Connected for TcpStream {
    type About = Ends;

    fn about(&self) -> Option<Ends> {
        let (local, peer) = (self.local_addr().ok()?, self.peer_addr().ok()?);
        Some(Ends { local: local.ip().to_canonical(), peer: net::canonical(peer) })
    }
}

impl Connected for UnixStream {
    type About = Operator;

    fn about(&self) -> Option<Operator> {
        self.peer_cred().ok().map(Operator::from)
    }
}

/// Serves `app` on at most `connections` at a time, each for as long as `longest`; more are closed at once. Ends never;
/// what is dropped is all of it.
pub(crate) async fn serve<L>(mut listener: L, app: Router, connections: usize, longest: Option<Duration>)
where
    L: Listener,
    L::Io: Connected,
{
    let places = Arc::new(Semaphore::new(connections));
    let mut tasks = JoinSet::new();
    let mut refused = 0_u64;
    loop {
        let stream = tokio::select! {
            (stream, _) = listener.accept() => stream,
            Some(_) = tasks.join_next() => continue,
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            refused += 1;
            if refused.is_power_of_two() {
                tracing::warn!(count = refused, "http connection refused: too many");
            }
            continue;
        };
        let app = match stream.about() {
            Some(about) => app.clone().layer(Extension(about)),
            None => app.clone(),
        };
        tasks.spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(READ_AHEAD)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
            let ended = match longest {
                Some(longest) => timeout(longest, connection).await,
                None => Ok(connection.await),
            };
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "http connection"),
                Err(_) => tracing::debug!("http connection took too long"),
            }
            drop(place);
        });
    }
}

/// The phones' files, by GET and HEAD.
pub(crate) fn files(files: Arc<Files>) -> Router {
    Router::new().route("/{*name}", get(file)).fallback(nothing).with_state(files)
}

async fn file(
    State(files): State<Arc<Files>>,
    Extension(Ends { local, peer }): Extension<Ends>,
    method: Method,
    Path(name): Path<String>,
) -> Response {
    match files.find(&name, local).await {
        Found::File(bytes) => {
            tracing::info!(%peer, file = name, bytes = bytes.len(), %method, "file sent by http");
            let kind = if name.to_ascii_lowercase().ends_with(".xml") {
                "text/xml"
            } else {
                "application/octet-stream"
            };
            ([(CONTENT_TYPE, HeaderValue::from_static(kind))], Body::from(Bytes::from_owner(bytes)))
                .into_response()
        }
        Found::Nothing => {
            tracing::info!(%peer, file = name, "no such file (http)");
            nothing().await
        }
        Found::Unreadable => (StatusCode::FORBIDDEN, "not served\n").into_response(),
    }
}

async fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}
