//! Recorded calls: which there are, and what operators do with them. Each listening is in the operators' log.

use std::{io, path::PathBuf, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tokio::{fs::File, task::spawn_blocking};
use tokio_util::io::ReaderStream;
use utoipa::IntoParams;

use super::{Admin, Answer, Done, MOST_RECORDS, audit::Did, failure::Failure};
use crate::{
    api,
    recordings::{Folder, Found},
};

/// Which recordings are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// At most so many, the newest.
    last: Option<u32>,
    /// Of this caller, or of who was called.
    number: Option<String>,
}

/// The recordings that are complete, newest first.
#[utoipa::path(get, path = "/v1/recordings", tag = "manager", params(Wanted), responses(
    (status = 200, body = Vec<api::Recording>),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn recordings(
    State(admin): State<Arc<Admin>>,
    Query(Wanted { last, number }): Query<Wanted>,
) -> Answer<Vec<api::Recording>> {
    let found = on_disk(&admin, Folder::list).await?;
    let most = last.unwrap_or(20).min(MOST_RECORDS) as usize;
    let wanted =
        |one: &Found| number.as_ref().is_none_or(|number| [&one.calling, &one.called].contains(&number));
    Ok(Json(found.into_iter().rev().filter(wanted).take(most).map(shown).collect()))
}

/// A recording, as a WAV file: the caller on the left, who was called on the right. That it was fetched is in the operators' log.
#[utoipa::path(post, path = "/v1/recordings/{name}/export", tag = "manager", params(("name" = String, Path)),
    responses(
        (status = 200, content_type = "audio/wav", body = Vec<u8>),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn export_recording(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let wanted = name.clone();
    let found = on_disk(&admin, move |folder| Ok(folder.find(&wanted))).await?;
    let path: PathBuf = found.ok_or_else(|| unknown(&name))?;
    let file = File::open(path).await.map_err(|error| unreadable(&error))?;
    let body = Body::from_stream(ReaderStream::with_capacity(file, 64 << 10));
    let did = Did::this(format!("recordings get {name}"));
    Ok((did, [(CONTENT_TYPE, "audio/wav")], body).into_response())
}

/// Deletes a recording.
#[utoipa::path(delete, path = "/v1/recordings/{name}", tag = "manager", params(("name" = String, Path)),
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn delete_recording(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Done {
    let unwanted = name.clone();
    if !on_disk(&admin, move |folder| folder.remove(&unwanted)).await? {
        return Err(unknown(&name));
    }
    Ok((Did::this(format!("recordings delete {name}")), Json(api::Done {})))
}

/// Does something that waits for the disk.
async fn on_disk<T: Send + 'static>(
    admin: &Admin,
    work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let folder = admin.recordings.clone();
    let done = spawn_blocking(move || work(&folder)).await.map_err(io::Error::other);
    done.flatten().map_err(|error| unreadable(&error))
}

fn unknown(name: &str) -> Failure {
    let hint = "`selsius recordings list` shows those that there are; one that is being made has no name yet";
    Failure::new(StatusCode::NOT_FOUND, format!("there is no recording {name}"), hint)
}

fn unreadable(error: &io::Error) -> Failure {
    let hint = "does the folder `recordings` of the data directory belong to the manager's user?";
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("cannot get at the recordings: {error}"), hint)
}

fn shown(found: Found) -> api::Recording {
    let seconds = found.seconds();
    let Found { name, began, calling, called, bytes } = found;
    api::Recording { name, began, calling, called, seconds, bytes }
}
