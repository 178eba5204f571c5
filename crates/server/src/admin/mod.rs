//! The admin API's handlers; [`crate::api`] is its contract.

#![allow(unused_qualifications, reason = "utoipa's attribute names the types of parameters so")]

mod archive;
mod audit;
mod backup;
mod calls;
mod devices;
mod failure;
mod lines;
mod live;
mod picture;
mod recordings;
mod rooms;
mod show;
mod site;

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use axum::{
    Extension, Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    middleware,
    response::IntoResponse,
    routing::get,
};
use jiff::Timestamp;
use selsius_store::Store;
use serde::Deserialize;
use tokio::sync::{Mutex, Semaphore};
use utoipa::{IntoParams, OpenApi};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{audit::Did, failure::Failure};
pub(crate) use self::{audit::Operator, backup::sweep};
use crate::{
    ServeError, api, core::Handle, observe::Observed, office::Office, recordings::Folder, voice::Voice,
};

/// Most records in one answer.
const MOST_RECORDS: u32 = 100_000;

/// What the handlers work with.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) office: Arc<Office>,
    pub(crate) observed: Observed,
    pub(crate) exchange: Handle,
    pub(crate) voice: Arc<Voice>,
    pub(crate) store: Store,
    pub(crate) recordings: Folder,
    pub(crate) started: Timestamp,
    pub(crate) addresses: api::Addresses,
    /// Where copies of the database lie for a moment; held by whoever makes one.
    pub(crate) copies: Mutex<PathBuf>,
    /// Places for those who watch.
    pub(crate) watchers: Arc<Semaphore>,
}

/// The API's description, without the paths: they come with the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "selsius admin API",
        description = "Administration of a selsius call manager: HTTP/1.1 on the Unix socket `admin.sock` in its data \
            directory, for whoever may open that. Times are RFC 3339 in UTC. Whatever fails is answered with an Error.",
    ),
    components(schemas(calls::Came)),
    tags(
        (name = "manager", description = "The manager itself: state, records, backups, the operators' log"),
        (name = "site", description = "The office as it is configured"),
        (name = "phones", description = "Phones: use them, watch them"),
        (name = "lines", description = "Lines and groups of lines"),
    ),
)]
struct Description;

/// The routes and what describes them.
fn routes() -> OpenApiRouter<Arc<Admin>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(status))
        .routes(routes!(health))
        .routes(routes!(calls::list))
        .routes(routes!(calls::export))
        .routes(routes!(calls::one))
        .routes(routes!(recordings::recordings))
        .routes(routes!(recordings::export_recording))
        .routes(routes!(recordings::delete_recording))
        .routes(routes!(live::events))
        .routes(routes!(audit::log))
        .routes(routes!(site::site, site::change_site))
        .routes(routes!(site::entry, site::add_entry, site::put_entry, site::patch_entry, site::remove_entry))
        .routes(routes!(devices::device))
        .routes(routes!(devices::dial))
        .routes(routes!(devices::answer))
        .routes(routes!(devices::hang_up))
        .routes(routes!(devices::hold))
        .routes(routes!(devices::resume))
        .routes(routes!(devices::message))
        .routes(routes!(picture::picture))
        .routes(routes!(devices::reset))
        .routes(routes!(devices::restart))
        .routes(routes!(devices::history))
        .routes(routes!(live::watch))
        .routes(routes!(lines::lines))
        .routes(routes!(lines::line))
        .routes(routes!(lines::forwards, lines::forward, lines::unforward))
        .routes(routes!(lines::do_not_disturb))
        .routes(routes!(lines::messages))
        .routes(routes!(lines::groups))
        .routes(routes!(lines::parked))
        .routes(routes!(rooms::rooms))
        .routes(routes!(rooms::mute))
        .routes(routes!(rooms::put_out))
        .routes(routes!(backup::backup))
        .routes(routes!(backup::restore))
}

/// The description of the API (OpenAPI 3.1) as JSON; `docs/openapi.json` is it.
pub fn openapi() -> String {
    let (_, description) = routes().split_for_parts();
    let mut text = description.to_pretty_json().expect("it is made of texts");
    text.push('\n');
    text
}

/// The API.
pub(crate) fn router(admin: Admin) -> Router {
    let admin = Arc::new(admin);
    let (router, description) = routes().split_for_parts();
    // It is the same for as long as the process runs.
    let description = description.to_json().expect("it is made of texts");
    let described = async move || ([(CONTENT_TYPE, "application/json")], description).into_response();
    router
        .route("/v1/openapi.json", get(described))
        .fallback(async || {
            Failure::new(StatusCode::NOT_FOUND, "there is nothing here", "see /v1/openapi.json")
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&admin), audit::record))
        .with_state(admin)
}

/// Makes the socket. A file that nobody answers on is left of a manager that was killed, and goes.
pub(crate) fn bind(path: &FilePath) -> Result<tokio::net::UnixListener, ServeError> {
    let fail = |source| ServeError::Admin { path: path.into(), source };
    if UnixStream::connect(path).is_ok() {
        return Err(ServeError::AdminInUse(path.into()));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(fail)?;
    // The data directory keeps others out already, unless somebody opened it.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(fail)?;
    listener.set_nonblocking(true).and_then(|()| tokio::net::UnixListener::from_std(listener)).map_err(fail)
}

type Answer<T> = Result<Json<T>, Failure>;
/// The answer to something that is done, with what that was.
type Done = Result<(Extension<Did>, Json<api::Done>), Failure>;
/// The answer to a change of the site.
type Changed = Result<(Extension<Did>, Json<api::SiteChange>), Failure>;

/// How everything is.
#[utoipa::path(get, path = "/v1/status", tag = "manager", responses(
    (status = 200, body = api::Status),
    (status = "default", description = "It failed.", body = api::Error),
))]
async fn status(State(admin): State<Arc<Admin>>) -> Answer<api::Status> {
    let status = admin.exchange.status().await?;
    let health = admin.observed.health().await;
    Ok(Json(show::status(&admin, &admin.office.site(), status, health)))
}

/// Can phones register and call, and what should somebody look at? Always answered, also when the exchange does not.
#[utoipa::path(get, path = "/v1/health", tag = "manager", responses((status = 200, body = api::Health)))]
async fn health(State(admin): State<Arc<Admin>>) -> Json<api::Health> {
    Json(admin.observed.health().await)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Last {
    /// At most so many.
    last: Option<u32>,
}

impl Last {
    fn or(&self, usual: u32) -> u32 {
        self.last.unwrap_or(usual).min(MOST_RECORDS)
    }
}
