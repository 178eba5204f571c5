//! Copies of everything that is stored, out and in again.

use std::{fs, io, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use tokio::{fs::OpenOptions, io::AsyncWriteExt};
use tokio_util::io::ReaderStream;

use super::{Admin, Changed, audit::Did, failure::Failure};
use crate::api;

/// Largest backup that is taken back, in bytes.
const BACKUP_BYTES: u64 = 16 << 30;
/// A copy of the database on its way out.
const OUTGOING: &str = "backup.part";
/// A backup on its way in.
const INCOMING: &str = "upload.part";

/// Removes the copies that a manager left behind that was killed.
pub(crate) fn sweep(data_dir: &Path) {
    for name in [OUTGOING, INCOMING] {
        // Most often there is none; one that stays is in nobody's way.
        let _ = fs::remove_file(data_dir.join(name));
    }
}

/// A copy of everything that is stored: an SQLite database.
// The copy has no name any more when the first byte goes out, so nothing can be left behind.
#[utoipa::path(post, path = "/v1/backup", tag = "manager", responses(
    (status = 200, content_type = "application/vnd.sqlite3", body = Vec<u8>),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn backup(State(admin): State<Arc<Admin>>) -> Result<Response, Failure> {
    let folder = admin.copies.lock().await;
    let path = folder.join(OUTGOING);
    remove(&path).await.map_err(|error| unwritable(&path, &error))?;
    admin.store.backup(&path).await?;
    let opened = OpenOptions::new().read(true).open(&path).await;
    let removed = remove(&path).await;
    let file = opened.and_then(|file| removed.map(|()| file)).map_err(|error| unwritable(&path, &error))?;
    drop(folder);
    let body = Body::from_stream(ReaderStream::with_capacity(file, 64 << 10));
    Ok((Extension(Did::Nothing), [(CONTENT_TYPE, "application/vnd.sqlite3")], body).into_response())
}

/// Replaces everything that is stored by a backup, while calls go on.
#[utoipa::path(post, path = "/v1/restore", tag = "manager",
    request_body(content_type = "application/vnd.sqlite3", content = Vec<u8>),
    responses(
        (status = 200, body = api::SiteChange),
        (status = "default", description = "It failed, and nothing is changed.", body = api::Error),
    ))]
pub(super) async fn restore(State(admin): State<Arc<Admin>>, body: Body) -> Changed {
    let folder = admin.copies.lock().await;
    let path = folder.join(INCOMING);
    let restored = async {
        take(body, &path).await?;
        Ok::<_, Failure>(admin.office.restore(&path).await?)
    }
    .await;
    // Whatever became of it; what is left goes before the next one.
    let _ = remove(&path).await;
    let changes: Vec<_> = restored?.iter().map(ToString::to_string).collect();
    let did = Did::This { what: "restore a backup".into(), changes: changes.clone() };
    Ok((Extension(did), Json(api::SiteChange { changes, applied: true })))
}

/// Takes a body into a file.
async fn take(mut body: Body, path: &Path) -> Result<(), Failure> {
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

async fn remove(path: &Path) -> io::Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let text = format!("cannot write {}: {error}", path.display());
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, text, "is there room in the data directory?")
}
