//! The admin API's handlers; [`crate::api`] is its contract.

mod calls;
mod show;

use std::{
    fs, io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Path, Query, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use selsius_site::{DeviceName, SiteFile};
use selsius_store::{Store, StoreError};
use selsius_wire::value::ResetType;
use serde::Deserialize;
use tokio::{fs::OpenOptions, io::AsyncWriteExt, sync::Mutex};
use tokio_util::io::ReaderStream;

use crate::{
    ServeError, api,
    core::{Command, Handle, Unavailable},
    error::chain,
    office::{ChangeError, Mode, Office, Unmentioned},
};

/// Largest site file, in bytes: that of 50,000 phones has a third.
const SITE_BYTES: usize = 16 << 20;
/// Largest backup that is taken back, in bytes.
const BACKUP_BYTES: u64 = 16 << 30;
/// A copy of the database on its way out.
const OUTGOING: &str = "backup.part";
/// A backup on its way in.
const INCOMING: &str = "upload.part";
/// Most records in one answer.
const MOST_RECORDS: u32 = 100_000;

/// What the handlers work with.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) office: Arc<Office>,
    pub(crate) exchange: Handle,
    pub(crate) store: Store,
    pub(crate) started: Timestamp,
    pub(crate) addresses: api::Addresses,
    /// Where copies of the database lie for a moment; held by whoever makes one.
    pub(crate) copies: Mutex<PathBuf>,
}

/// The API.
pub(crate) fn router(admin: Admin) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/calls", get(calls::list))
        .route("/v1/calls/export", get(calls::export))
        .route("/v1/site", get(site).put(change_site))
        .route("/v1/devices/{name}/reset", post(reset))
        .route("/v1/devices/{name}/history", get(history))
        .route("/v1/backup", post(backup))
        .route("/v1/restore", post(restore))
        .fallback(async || Failure::new(StatusCode::NOT_FOUND, "there is nothing here", "see /v1/status"))
        .with_state(Arc::new(admin))
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

/// Removes the copies that a manager left behind that was killed.
pub(crate) fn sweep(data_dir: &FilePath) {
    for name in [OUTGOING, INCOMING] {
        // Most often there is none; one that stays is in nobody's way.
        let _ = fs::remove_file(data_dir.join(name));
    }
}

type Answer<T> = Result<Json<T>, Failure>;

async fn status(State(admin): State<Arc<Admin>>) -> Answer<api::Status> {
    let status = admin.exchange.ask(Command::Status).await?;
    Ok(Json(show::status(&admin, &admin.office.site(), status)))
}

#[derive(Deserialize)]
struct Last {
    last: Option<u32>,
}

impl Last {
    fn or(&self, usual: u32) -> u32 {
        self.last.unwrap_or(usual).min(MOST_RECORDS)
    }
}

async fn site(State(admin): State<Arc<Admin>>) -> Result<Response, Failure> {
    let stored = admin.store.load_site().await?;
    Ok(([(CONTENT_TYPE, "application/toml")], stored.site.to_toml()).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Change {
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    prune: bool,
    name: Option<String>,
}

async fn change_site(
    State(admin): State<Arc<Admin>>,
    Query(change): Query<Change>,
    body: Body,
) -> Answer<api::SiteChange> {
    let too_large = |_| Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "the file is larger than 16 MiB", "");
    let text = to_bytes(body, SITE_BYTES).await.map_err(too_large)?;
    let name = change.name.unwrap_or_else(|| "site".into());
    let text = String::from_utf8(text.into()).map_err(|_| {
        Failure::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{name}: is not UTF-8 text"), "")
    })?;
    let file = SiteFile::parse(name, text).map_err(ChangeError::from)?;
    let unmentioned = if change.prune { Unmentioned::Goes } else { Unmentioned::Stays };
    let mode = if change.dry_run { Mode::DryRun } else { Mode::Apply };
    let changes = admin.office.apply(&file, unmentioned, mode).await?;
    if mode == Mode::Apply {
        tracing::info!(changes = changes.len(), "site applied");
    }
    let changes = changes.iter().map(ToString::to_string).collect();
    Ok(Json(api::SiteChange { changes, applied: mode == Mode::Apply }))
}

#[derive(Deserialize)]
struct Reset {
    kind: Option<Kind>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// Starts again from the loader.
    Reset,
    /// Registers again.
    Restart,
}

async fn reset(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
    Query(reset): Query<Reset>,
) -> Answer<api::Done> {
    let name = device(&name)?;
    let status = admin.exchange.ask(Command::Status).await?;
    if !status.devices.iter().any(|device| device.name == name) {
        let error = format!("{name} is not registered");
        return Err(Failure::new(StatusCode::NOT_FOUND, error, "`selsius status` lists the phones that are"));
    }
    let kind = match reset.kind.unwrap_or(Kind::Restart) {
        Kind::Reset => ResetType::Reset,
        Kind::Restart => ResetType::Restart,
    };
    admin.exchange.ask(|answer| Command::Reset(name, kind, answer)).await?;
    Ok(Json(api::Done {}))
}

async fn history(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
    Query(last): Query<Last>,
) -> Answer<Vec<api::DeviceEvent>> {
    let name = device(&name)?;
    let events = admin.store.device_history(name.as_str(), last.or(50)).await?;
    Ok(Json(events.into_iter().map(show::device_event).collect()))
}

fn device(name: &str) -> Result<DeviceName, Failure> {
    let wrong = |error| {
        let error = format!("`{name}` is no device name: it {error}");
        Failure::new(
            StatusCode::BAD_REQUEST,
            error,
            "a phone's name is SEP and the 12 digits of its MAC address",
        )
    };
    name.parse().map_err(wrong)
}

/// The copy has no name any more when the first byte goes out, so nothing can be left behind.
async fn backup(State(admin): State<Arc<Admin>>) -> Result<Response, Failure> {
    let folder = admin.copies.lock().await;
    let path = folder.join(OUTGOING);
    remove(&path).await.map_err(|error| unwritable(&path, &error))?;
    admin.store.backup(&path).await?;
    let opened = OpenOptions::new().read(true).open(&path).await;
    let removed = remove(&path).await;
    let file = opened.and_then(|file| removed.map(|()| file)).map_err(|error| unwritable(&path, &error))?;
    drop(folder);
    let body = Body::from_stream(ReaderStream::with_capacity(file, 64 << 10));
    Ok(([(CONTENT_TYPE, "application/vnd.sqlite3")], body).into_response())
}

async fn restore(State(admin): State<Arc<Admin>>, body: Body) -> Answer<api::SiteChange> {
    let folder = admin.copies.lock().await;
    let path = folder.join(INCOMING);
    let restored = async {
        take(body, &path).await?;
        Ok::<_, Failure>(admin.office.restore(&path).await?)
    }
    .await;
    // Whatever became of it; what is left goes before the next one.
    let _ = remove(&path).await;
    let changes = restored?;
    tracing::warn!(changes = changes.len(), "everything stored was replaced by a backup");
    Ok(Json(api::SiteChange { changes: changes.iter().map(ToString::to_string).collect(), applied: true }))
}

/// Takes a body into a file.
async fn take(mut body: Body, path: &FilePath) -> Result<(), Failure> {
    let fail = |error: io::Error| unwritable(path, &error);
    remove(path).await.map_err(fail)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = OpenOptions::from(options).open(path).await.map_err(fail)?;
    let mut taken = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Failure::new(StatusCode::BAD_REQUEST, format!("the backup did not arrive whole: {error}"), "")
        })?;
        let Ok(bytes) = frame.into_data() else { continue };
        taken += bytes.len() as u64;
        if taken > BACKUP_BYTES {
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "the backup is larger than 16 GiB", ""));
        }
        file.write_all(&bytes).await.map_err(fail)?;
    }
    file.flush().await.map_err(fail)
}

async fn remove(path: &FilePath) -> io::Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn unwritable(path: &FilePath, error: &io::Error) -> Failure {
    let text = format!("cannot write {}: {error}", path.display());
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, text, "is there room in the data directory?")
}

/// What a request that failed is answered with.
#[derive(Debug)]
struct Failure(StatusCode, api::Error);

impl Failure {
    fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self(status, api::Error { error: error.into(), hint: hint.into() })
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(status, error) = self;
        if status.is_server_error() {
            tracing::error!(error = error.error, "an admin request failed");
        }
        (status, Json(error)).into_response()
    }
}

impl From<Unavailable> for Failure {
    fn from(error: Unavailable) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string(), "try again")
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let status = match &error {
            StoreError::Conflict { .. } => StatusCode::CONFLICT,
            StoreError::Newer { .. } | StoreError::Foreign { .. } | StoreError::Damaged { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            StoreError::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, chain(&error), "")
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Store(error) => error.into(),
            ChangeError::Exchange(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, chain(&error), "apply it again")
            }
            ChangeError::File(_) | ChangeError::Zone(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, chain(&error), "nothing was applied")
            }
            ChangeError::AutoRegister { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                chain(&error),
                "nothing was applied; start the manager without the option, or with other numbers",
            ),
        }
    }
}
