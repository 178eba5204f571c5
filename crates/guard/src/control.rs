//! How the guard is asked: status and orders on a Unix socket, figures for Prometheus on an address of their own.

use std::{
    io, net::IpAddr, os::unix::fs::PermissionsExt, path::Path, sync::mpsc::sync_channel, time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path as InPath, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::{get, post},
};
use prometheus::{Encoder, IntCounterVec, IntGauge, Opts, Registry, TextEncoder, core::Collector};
use tokio::{
    net::{TcpListener, UnixListener},
    task::spawn_blocking,
};

use crate::proxy::{Handle, Order, Status};

/// Reads the rules again and gives them to the proxy; gives what is wrong with them.
pub type Reload = std::sync::Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

#[derive(Clone)]
struct Control {
    proxy: Handle,
    reload: Reload,
}

/// Listens for orders at this path, which only the guard's own user may use. One that nobody listens at any more is replaced.
///
/// # Errors
/// If a guard runs there already, or the system refuses.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another guard runs there"));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Takes orders until it is dropped.
///
/// # Errors
/// If the system refuses.
pub async fn serve(listener: UnixListener, proxy: Handle, reload: Reload) -> io::Result<()> {
    let app = Router::new()
        .route("/v1/status", get(status))
        .route("/v1/reload", post(reloaded))
        .route("/v1/blocked/{source}", axum::routing::delete(unblock))
        .with_state(Control { proxy, reload });
    axum::serve(listener, app).await
}

/// Tells Prometheus the figures until it is dropped.
///
/// # Errors
/// If the system refuses.
pub async fn tell_figures(listener: TcpListener, proxy: Handle) -> io::Result<()> {
    let app = Router::new().route("/metrics", get(figures)).with_state(proxy);
    axum::serve(listener, app).await
}

async fn status(State(control): State<Control>) -> Result<Json<Status>, StatusCode> {
    ask(control.proxy).await.map(Json).ok_or(StatusCode::SERVICE_UNAVAILABLE)
}

async fn ask(proxy: Handle) -> Option<Status> {
    spawn_blocking(move || proxy.status()).await.ok()?
}

async fn reloaded(State(control): State<Control>) -> impl IntoResponse {
    match spawn_blocking(move || (control.reload)()).await {
        Ok(Ok(())) => (StatusCode::OK, String::new()),
        Ok(Err(error)) => (StatusCode::UNPROCESSABLE_ENTITY, error),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the guard does not answer".into()),
    }
}

async fn unblock(State(control): State<Control>, InPath(source): InPath<IpAddr>) -> StatusCode {
    let done = spawn_blocking(move || {
        let (answer, done) = sync_channel(1);
        control
            .proxy
            .send(Order::Unblock(source, answer))
            .then(|| done.recv_timeout(Duration::from_secs(5)).ok())?
    });
    match done.await {
        Ok(Some(true)) => StatusCode::OK,
        Ok(Some(false)) => StatusCode::NOT_FOUND,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn figures(State(proxy): State<Handle>) -> impl IntoResponse {
    match ask(proxy).await.and_then(|status| text(&status).ok()) {
        Some(text) => (StatusCode::OK, [(CONTENT_TYPE, "text/plain; version=0.0.4")], text),
        None => (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, "text/plain")], String::new()),
    }
}

/// The figures in Prometheus' text format.
fn text(status: &Status) -> prometheus::Result<String> {
    let registry = Registry::new();
    let gauge = |name: &str, help: &str, value: usize| {
        let gauge = IntGauge::new(format!("selsius_guard_{name}"), help)?;
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(Box::new(gauge))
    };
    gauge("connections", "Phones that are connected.", status.connections)?;
    gauge(
        "calls",
        "Calls in progress, as each phone sees them.",
        status.phones.iter().map(|phone| phone.calls).sum(),
    )?;
    gauge("blocked_sources", "Sources that are blocked.", status.blocked.len())?;
    gauge("overloaded", "1 while the guard has too much to do.", status.overloaded.into())?;
    gauge("accepting", "1 while connections can be accepted.", status.accepting.into())?;
    let counters = |name: &str, help: &str, labels: &[&str], values: &[(Vec<&str>, u64)]| {
        let counters = IntCounterVec::new(Opts::new(format!("selsius_guard_{name}_total"), help), labels)?;
        for (labels, value) in values {
            counters.get_metric_with_label_values(labels)?.inc_by(*value);
        }
        register(&registry, counters)
    };
    let sides = |values: [u64; 2]| [(vec!["station"], values[0]), (vec!["manager"], values[1])];
    counters("messages", "Messages that came.", &["from"], &sides(status.messages))?;
    counters("dropped", "Messages that did not go on.", &["from"], &sides(status.dropped))?;
    let findings: Vec<_> = status
        .findings
        .iter()
        .map(|(finding, action, count)| (vec![finding.as_str(), action.as_str()], *count))
        .collect();
    counters("findings", "What was found, and what was done.", &["finding", "action"], &findings)?;
    for (name, help, value) in [
        ("connections", "Phones that were let in.", status.connections_total),
        ("changed_messages", "Messages that were cleaned or translated.", status.changed),
        ("resets", "Connections that the policy has reset.", status.resets),
        ("refused", "Connections that were refused in overload.", status.refused),
        ("uninspected", "Connections that passed without being looked at, in overload.", status.uninspected),
        ("crashes", "Faults of the guard's own.", status.crashes),
        ("log_lost", "Lines of the log that could not be written.", status.log_lost),
    ] {
        counters(name, help, &[], &[(Vec::new(), value)])?;
    }
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn register(registry: &Registry, collector: impl Collector + 'static) -> prometheus::Result<()> {
    registry.register(Box::new(collector))
}
