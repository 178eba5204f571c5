//! What goes on, as it happens: server-sent events.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, mpsc::Receiver};

use super::{Admin, devices::named, failure::Failure, show};
use crate::{
    api,
    core::{News, Watch},
};

/// How often a comment is sent when nothing happens, so that both sides notice when the other is gone.
const ALIVE: Duration = Duration::from_secs(15);

/// What happens to all phones, calls and rooms: registrations, rejections, alarms, each change of a call's phase or
/// parties, who comes to a room, goes and talks there. An event is called `device`, `call` or `room`.
#[utoipa::path(get, path = "/v1/events", tag = "manager", responses(
    (status = 200, description = "Events, until somebody hangs up. The stream ends when the reader is too slow.",
        content_type = "text/event-stream", body = api::Event),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn events(
    State(admin): State<Arc<Admin>>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let place = place(&admin)?;
    let news = admin.exchange.watch(Watch::Everything)?;
    let mut told = BTreeMap::new();
    Ok(sse(news, place, move |news| match news {
        News::Device(event) => {
            let device = event.device.clone();
            data("device", &api::Event::Device { device, what: show::device_event(event) })
        }
        News::Call(call) => {
            let call = show::call_in_progress(call);
            // Each leg that moves tells of the call; most of that changes nothing of it as it is seen from here.
            let before = match call.phase.as_str() {
                "over" => told.remove(&call.id),
                _ => told.insert(call.id, call.clone()),
            };
            if before.as_ref() == Some(&call) { None } else { data("call", &api::Event::Call(call)) }
        }
        News::Room(room) => data("room", &api::Event::Room(show::room(room))),
        News::Face { .. } => None,
    }))
}

/// What a phone shows, now and whenever that changes; registered or not. The events are called `face`.
#[utoipa::path(get, path = "/v1/devices/{name}/watch", tag = "phones", params(("name" = String, Path)),
    responses(
        (status = 200, description = "Events, until somebody hangs up. The stream ends when the reader is too slow.",
            content_type = "text/event-stream", body = api::Face),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn watch(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let (name, place) = (named(&name)?, place(&admin)?);
    let news = admin.exchange.watch(Watch::Phone(name))?;
    let mut told = None;
    Ok(sse(news, place, move |news| {
        let News::Face { face, .. } = news else { return None };
        let face = face.map(|face| show::face(*face)).unwrap_or_default();
        if told.as_ref() == Some(&face) {
            return None;
        }
        let event = data("face", &face);
        told = Some(face);
        event
    }))
}

fn place(admin: &Admin) -> Result<OwnedSemaphorePermit, Failure> {
    Arc::clone(&admin.watchers).try_acquire_owned().map_err(|_| {
        let error = "too many watch this manager already";
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, error, "end another `selsius watch`")
    })
}

fn data(name: &str, value: &impl Serialize) -> Option<Event> {
    Event::default().event(name).json_data(value).ok()
}

/// Events from news, as long as there are any and somebody reads.
fn sse(
    news: Receiver<News>,
    place: OwnedSemaphorePermit,
    show: impl FnMut(News) -> Option<Event> + Send + 'static,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = stream::unfold((news, show, place), |(mut news, mut show, place)| async move {
        loop {
            if let Some(event) = show(news.recv().await?) {
                return Some((Ok(event), (news, show, place)));
            }
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE))
}
