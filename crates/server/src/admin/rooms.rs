//! Rooms: who is in them, and what an operator does about it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use selsius_site::ApplicationKind;

use super::{Admin, Done, audit::Did, failure::Failure, show};
use crate::{
    api,
    voice::{Intervention, RoomStatus},
};

/// The rooms of the site, and who is in them.
#[utoipa::path(get, path = "/v1/rooms", tag = "lines", responses((status = 200, body = Vec<api::Room>)))]
pub(super) async fn rooms(State(admin): State<Arc<Admin>>) -> Json<Vec<api::Room>> {
    let mut rooms = admin.voice.rooms.status();
    let site = admin.office.site();
    let of_site =
        site.applications.iter().filter(|(_, application)| application.kind == ApplicationKind::Room);
    for (number, _) in of_site {
        if !rooms.iter().any(|room| room.number == number.as_str()) {
            let number = number.as_str().into();
            rooms.push(RoomStatus { number, locked: false, members: Vec::new() });
        }
    }
    rooms.sort_by(|a, b| a.number.cmp(&b.number));
    Json(rooms.into_iter().map(show::room).collect())
}

/// Has the others in a room hear somebody no longer, or again.
#[utoipa::path(put, path = "/v1/rooms/{number}/members/{id}/mute", tag = "lines",
    params(("number" = String, Path), ("id" = u32, Path)), request_body = api::Mute,
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn mute(
    State(admin): State<Arc<Admin>>,
    Path((number, id)): Path<(String, u32)>,
    body: Result<Json<api::Mute>, JsonRejection>,
) -> Done {
    let Json(api::Mute { on }) = body?;
    intervene(&admin, &number, id, Intervention::Mute(on))?;
    let word = if on { "mute" } else { "unmute" };
    Ok((Did::this(format!("room {word} {number} {id}")), Json(api::Done {})))
}

/// Puts somebody out of a room, who is told so.
#[utoipa::path(delete, path = "/v1/rooms/{number}/members/{id}", tag = "lines",
    params(("number" = String, Path), ("id" = u32, Path)),
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn put_out(
    State(admin): State<Arc<Admin>>,
    Path((number, id)): Path<(String, u32)>,
) -> Done {
    intervene(&admin, &number, id, Intervention::PutOut)?;
    Ok((Did::this(format!("room remove {number} {id}")), Json(api::Done {})))
}

fn intervene(admin: &Admin, number: &str, id: u32, intervention: Intervention) -> Result<(), Failure> {
    if admin.voice.rooms.intervene(number, id, intervention) {
        return Ok(());
    }
    let error = format!("nobody with the id {id} is in room {number}");
    Err(Failure::new(StatusCode::NOT_FOUND, error, "`selsius room list` shows who is"))
}
