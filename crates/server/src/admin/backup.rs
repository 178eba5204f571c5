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
use selsius_site::Change;
use tokio::{fs::OpenOptions, io::AsyncWriteExt, task::spawn_blocking};
use tokio_util::io::ReaderStream;

use super::{Admin, Changed, archive, audit::Did, failure::Failure};
use crate::api;

/// Largest backup that is taken back, in bytes.
const BACKUP_BYTES: u64 = 16 << 30;
/// A copy of the database, and the backup with it on its way out.
const COPY: &str = "backup.db.part";
const OUTGOING: &str = "backup.part";
/// A backup on its way in, and what is in it.
const INCOMING: &str = "upload.part";
const UNPACKED: &str = "unpacked.part";

/// Removes the copies that a manager left behind that was killed.
pub(crate) fn sweep(data_dir: &Path) {
    for name in [COPY, OUTGOING, INCOMING, UNPACKED] {
        // Most often there is none; one that stays is in nobody's way.
        let _ = archive::remove(&data_dir.join(name));
    }
}

/// A copy of everything that is stored: a tar archive with an SQLite database and the folders of mailboxes, announcements,
/// prompts and music.
// The copy has no name any more when the first byte goes out, so nothing can be left behind.
#[utoipa::path(post, path = "/v1/backup", tag = "manager", responses(
    (status = 200, content_type = "application/x-tar", body = Vec<u8>),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn backup(State(admin): State<Arc<Admin>>) -> Result<Response, Failure> {
    let folder = admin.copies.lock().await;
    let path = folder.join(OUTGOING);
    let copy = folder.join(COPY);
    for old in [&path, &copy] {
        remove(old).await.map_err(|error| unwritable(old, &error))?;
    }
    admin.store.backup(&copy).await?;
    let packed = {
        let (folder, copy, path) = (folder.clone(), copy.clone(), path.clone());
        blocking(move || archive::pack(&folder, &copy, &path)).await
    };
    // Whatever became of it; what is left goes before the next one.
    let _ = remove(&copy).await;
    packed.map_err(|error| unwritable(&path, &error))?;
    let opened = OpenOptions::new().read(true).open(&path).await;
    let removed = remove(&path).await;
    let file = opened.and_then(|file| removed.map(|()| file)).map_err(|error| unwritable(&path, &error))?;
    drop(folder);
    let body = Body::from_stream(ReaderStream::with_capacity(file, 64 << 10));
    Ok((Extension(Did::Nothing), [(CONTENT_TYPE, "application/x-tar")], body).into_response())
}

/// Replaces everything that is stored by a backup, while calls go on. A database alone, as backups once were, leaves the
/// folders as they are.
#[utoipa::path(post, path = "/v1/restore", tag = "manager",
    request_body(content_type = "application/x-tar", content = Vec<u8>),
    responses(
        (status = 200, body = api::SiteChange),
        (status = "default", description = "It failed, and nothing is changed.", body = api::Error),
    ))]
pub(super) async fn restore(State(admin): State<Arc<Admin>>, body: Body) -> Changed {
    let folder = admin.copies.lock().await;
    let path = folder.join(INCOMING);
    let unpacked = folder.join(UNPACKED);
    let restored = async {
        take(body, &path).await?;
        put_back(&admin, &folder, &path, &unpacked).await
    }
    .await;
    // Whatever became of it; what is left goes before the next one.
    for left in [&path, &unpacked] {
        let _ = remove(left).await;
    }
    let changes: Vec<_> = restored?.iter().map(ToString::to_string).collect();
    let did = Did::This { what: "restore a backup".into(), changes: changes.clone() };
    Ok((Extension(did), Json(api::SiteChange { changes, applied: true })))
}

/// Restores a backup that has arrived; what changed of the site.
async fn put_back(
    admin: &Admin,
    data_dir: &Path,
    backup: &Path,
    unpacked: &Path,
) -> Result<Vec<Change>, Failure> {
    let unreadable = |error: io::Error| {
        Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("this is no backup with a database in it: {error}"),
            "nothing was changed",
        )
    };
    let path = backup.to_owned();
    if blocking(move || archive::is_database(&path)).await.map_err(unreadable)? {
        return Ok(admin.office.restore(backup).await?);
    }
    remove(unpacked).await.map_err(|error| unwritable(unpacked, &error))?;
    let (from, to) = (backup.to_owned(), unpacked.to_owned());
    blocking(move || archive::unpack(&from, &to)).await.map_err(unreadable)?;
    let database = unpacked.join(archive::DATABASE);
    if !database.exists() {
        return Err(unreadable(io::Error::other("there is none")));
    }
    let changes = admin.office.restore(&database).await?;
    let (here, from) = (data_dir.to_owned(), unpacked.to_owned());
    let exchanged = blocking(move || archive::exchange_folders(&here, &from)).await;
    exchanged.map_err(|error| {
        let text = format!("the database is restored, the folders are not: {error}");
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, text, "what was there is in before-restore")
    })?;
    // The lamps follow what is in the mailboxes now.
    admin.voice.tell_all_counts().await;
    Ok(changes)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other).flatten()
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
    let path = path.to_owned();
    blocking(move || archive::remove(&path)).await
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let text = format!("cannot write {}: {error}", path.display());
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, text, "is there room in the data directory?")
}
