//! Who changed what: each request that is not a reading one ends up in the operators' log.
//!
//! A handler says in its answer what it did ([`Did`]); whoever forgets to is recorded by method and path.

use std::{fs, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Query, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use jiff::Timestamp;
use selsius_exchange::record::WallTime;
use selsius_store::OperatorEntry;
use tokio::{net::unix::UCred, task::spawn_blocking};

use super::{Admin, Answer, Last, show};
use crate::{api, error::chain};

/// Who is at the other end of a connection to the admin socket, as the kernel says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operator {
    uid: u32,
    process: Option<i32>,
}

impl From<UCred> for Operator {
    fn from(peer: UCred) -> Self {
        Self { uid: peer.uid(), process: peer.pid() }
    }
}

/// What a request did, as a part of its answer.
#[derive(Debug, Clone)]
pub(super) enum Did {
    /// Nothing that is to be recorded: a dry run, a change that changes nothing.
    Nothing,
    /// This.
    This {
        /// What, in words.
        what: String,
        /// What that changed of the site, a line each.
        changes: Vec<String>,
    },
}

impl Did {
    /// Something that changes nothing of the site.
    pub(super) fn this(what: impl Into<String>) -> Extension<Self> {
        Extension(Self::This { what: what.into(), changes: Vec::new() })
    }
}

/// Records what a request did, once it is done.
pub(super) async fn record(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let at = WallTime(Timestamp::now().as_microsecond());
    let operator = request.extensions().get::<Operator>().copied();
    let line = format!("{} {}", request.method(), request.uri());
    // Before the request is done: whoever asked may be gone afterwards.
    let who = spawn_blocking(move || Who::find(operator)).await.unwrap_or_default();
    let response = next.run(request).await;
    if !response.status().is_success() {
        return response;
    }
    let (what, changes) = match response.extensions().get::<Did>() {
        Some(Did::Nothing) => return response,
        Some(Did::This { what, changes }) => (what.clone(), changes.clone()),
        None => (line, Vec::new()),
    };
    let Who { uid, user, login, process } = who;
    tracing::info!(user, uid, login, process, changes = changes.len(), "operator: {what}");
    let entry = OperatorEntry { at, uid, user, login, process, what, changes };
    if let Err(error) = admin.store.log_operator(&entry).await {
        // It is done and cannot be undone. The manager's own log has it, the line before.
        tracing::error!(error = chain(&error), "what an operator did is missing in the operators' log");
    }
    response
}

/// An operator by name.
#[derive(Debug, Default)]
struct Who {
    uid: u32,
    user: String,
    login: String,
    process: Option<i32>,
}

impl Who {
    /// May ask a directory server for the names.
    fn find(operator: Option<Operator>) -> Self {
        let Some(Operator { uid, process }) = operator else {
            return Self { uid: NOBODY, ..Self::default() };
        };
        // The kernel keeps who logged in through `su` and `sudo` (proc(5), loginuid), if the machine sets it.
        let login = process
            .and_then(|process| fs::read_to_string(format!("/proc/{process}/loginuid")).ok())
            .and_then(|text| text.trim().parse().ok())
            .filter(|login| *login != NOBODY && *login != uid);
        Self { uid, user: name(uid), login: login.map(name).unwrap_or_default(), process }
    }
}

/// The user id that stands for "not set".
const NOBODY: u32 = u32::MAX;

fn name(uid: u32) -> String {
    uzers::get_user_by_uid(uid).map(|user| user.name().to_string_lossy().into_owned()).unwrap_or_default()
}

/// What operators changed, newest first.
#[utoipa::path(get, path = "/v1/log", tag = "manager", params(Last), responses(
    (status = 200, body = Vec<api::LogEntry>),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn log(
    State(admin): State<Arc<Admin>>,
    Query(last): Query<Last>,
) -> Answer<Vec<api::LogEntry>> {
    let entries = admin.store.operator_log(last.or(20)).await?;
    Ok(Json(entries.into_iter().map(show::log_entry).collect()))
}
