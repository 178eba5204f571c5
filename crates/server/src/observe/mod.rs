//! What watches over the manager: figures for Prometheus and its health, on an address of their own.
//!
//! Not on the phones' HTTP port: every phone reaches that one, and figures tell who calls how much. Not only on the admin
//! socket: Prometheus asks over the network. So it is off until `[metrics] listen` names an address.

mod health;
mod metrics;

use std::{
    io,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::FutureExt;
use selsius_store::Store;
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use crate::{
    ServeError, api,
    core::{Command, Handle, Metrics},
    http, media, net,
    recordings::Shortfall,
    sip,
};

/// How long the exchange may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(1);
/// Who asks at a time.
const CONNECTIONS: usize = 16;
/// How long one connection may last; whoever scrapes keeps it open between two times.
const LONGEST: Duration = Duration::from_secs(3600);

/// Whom to ask.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub(crate) exchange: Handle,
    pub(crate) media: media::Handle,
    pub(crate) store: Store,
    sip: sip::Shared,
    recordings: Shortfall,
    /// Services that serve nobody any more, by a fault of ours.
    down: Arc<Mutex<Vec<&'static str>>>,
}

impl Observed {
    pub(crate) fn new(
        exchange: Handle,
        media: media::Handle,
        store: Store,
        sip: sip::Shared,
        recordings: Shortfall,
    ) -> Self {
        Self { exchange, media, store, sip, recordings, down: Arc::default() }
    }

    /// Runs a service that never ends. Should it all the same, then the others go on, and health says so.
    pub(crate) fn keep_an_eye_on(
        &self,
        service: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let down = Arc::clone(&self.down);
        async move {
            // The hook for panics has told what happened.
            let _ = AssertUnwindSafe(work).catch_unwind().await;
            tracing::error!(service, "this serves nobody any more until the manager is started again");
            down.lock().unwrap_or_else(PoisonError::into_inner).push(service);
        }
    }

    fn down(&self) -> Vec<&'static str> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the manager is. Takes a second when the exchange does not answer.
    pub(crate) async fn health(&self) -> api::Health {
        let trunks = sip::trunks_up(&self.sip);
        let trunks: Vec<_> = trunks.into_iter().filter(|(_, up)| !up).map(|(name, _)| name).collect();
        let recordings = self.recordings.failing();
        let exchange = self.metrics().await;
        health::judge(exchange.as_deref(), &self.store.status(), &trunks, recordings.as_deref(), &self.down())
    }

    /// All figures in Prometheus' text format.
    async fn text(&self) -> String {
        let exchange = self.metrics().await;
        let media = timeout(PATIENCE, self.media.ask(media::Order::Status)).await.ok().and_then(Result::ok);
        let waiting = (self.exchange.waiting(), self.media.waiting());
        let sip = (sip::trunks_up(&self.sip), sip::phones(&self.sip), sip::figures(&self.sip));
        let store = self.store.status();
        metrics::text(exchange.as_deref(), media.as_ref(), waiting, &sip, &self.recordings, &store)
    }

    async fn metrics(&self) -> Option<Box<Metrics>> {
        timeout(PATIENCE, self.exchange.ask(Command::Metrics)).await.ok()?.ok()
    }
}

/// A socket for those who ask.
#[derive(Debug)]
pub(crate) struct Bound {
    told: SocketAddr,
    address: SocketAddr,
    listener: TcpListener,
}

impl Bound {
    /// Listens at this address.
    pub(crate) fn at(told: SocketAddr) -> Result<Self, ServeError> {
        let address = net::reachable(told);
        let bind = || {
            let listener = net::tcp(address).and_then(TcpListener::from_std)?;
            Ok::<_, io::Error>(Self { told, address: listener.local_addr()?, listener })
        };
        bind().map_err(|source| ServeError::ListenMetrics { address, source })
    }
}

/// The task that answers, if somebody wants to ask.
#[derive(Debug, Default)]
pub(crate) struct Observatory {
    /// Where it was told to listen, and where it does.
    at: Option<(SocketAddr, SocketAddr)>,
    task: Option<AbortHandle>,
}

impl Observatory {
    /// Where it listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.at.map(|(_, address)| address)
    }

    /// Does it listen where it is told to already?
    pub(crate) fn is_at(&self, told: Option<SocketAddr>) -> bool {
        self.at.map(|(told, _)| told) == told
    }

    /// Answers here from now on, or nowhere.
    pub(crate) fn answer(&mut self, at: Option<Bound>, observed: &Observed, tasks: &mut JoinSet<()>) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        self.at = at.as_ref().map(|bound| (bound.told, bound.address));
        if let Some(Bound { address, listener, .. }) = at {
            tracing::info!("figures for Prometheus: http://{address}/metrics");
            let app = router(Arc::new(observed.clone()));
            let serves = http::serve(listener, app, CONNECTIONS, Some(LONGEST));
            self.task = Some(tasks.spawn(observed.keep_an_eye_on("metrics", serves)));
        }
    }
}

fn router(observed: Arc<Observed>) -> Router {
    let metrics = async |State(observed): State<Arc<Observed>>| {
        ([(CONTENT_TYPE, metrics::CONTENT)], observed.text().await).into_response()
    };
    let ready = async |State(observed): State<Arc<Observed>>| {
        let health = observed.health().await;
        answer(health.ready, health)
    };
    let live = async |State(observed): State<Arc<Observed>>| {
        let health = observed.health().await;
        answer(health.live, health)
    };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(ready))
        .route("/health/ready", get(ready))
        .route("/health/live", get(live))
        .fallback(async || {
            (StatusCode::NOT_FOUND, "here are /metrics, /health, /health/ready and /health/live\n")
        })
        .with_state(observed)
}

fn answer(good: bool, health: api::Health) -> Response {
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

#[cfg(test)]
mod tests {
    use crate::{Options, Server, api::ProblemKind};

    #[tokio::test]
    async fn a_service_that_fails_is_told_of_and_the_others_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(Options::loopback(folder.path())).await.unwrap();
        let observed = server.observed();
        assert_eq!(observed.health().await.problems, []);
        observed.keep_an_eye_on("TFTP", async { panic!("the test wants it so") }).await;
        let health = observed.health().await;
        assert!(health.live && health.ready, "{health:?}");
        let [problem] = &health.problems[..] else { panic!("{health:?}") };
        assert_eq!(problem.kind, ProblemKind::ServiceDown);
        assert!(problem.text.starts_with("TFTP has failed"), "{}", problem.text);
        server.stop().await.unwrap();
    }

    #[tokio::test]
    async fn trunks_that_cannot_be_served_are_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut options = Options::loopback(folder.path());
        options.config.sip.udp = vec![taken.local_addr().unwrap()];
        let site = "[trunks.carrier]\nkind = \"sip\"\nservers = [\"127.0.0.1\"]\n";
        options.site = Some(("office.toml".into(), site.into()));
        let server = Server::start(options).await.unwrap();
        let observed = server.observed();
        let told = async {
            loop {
                if let [problem] = &observed.health().await.problems[..] {
                    return problem.clone();
                }
            }
        };
        let problem = tokio::time::timeout(std::time::Duration::from_secs(20), told).await.unwrap();
        assert_eq!(problem.kind, ProblemKind::TrunkDown);
        assert!(problem.text.starts_with("SIP trunk carrier is down"), "{}", problem.text);
        let figures = observed.text().await;
        assert!(figures.contains("selsius_sip_trunk_up{trunk=\"carrier\"} 0"), "{figures}");
        server.stop().await.unwrap();
    }
}
