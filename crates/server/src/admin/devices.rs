//! Phones: what one shows, and what an operator does at it in its user's place.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection},
    http::StatusCode,
};
use selsius_exchange::{Operation, OperationError};
use selsius_site::{DeviceName, LineNumber};
use selsius_wire::value::ResetType;

use super::{Admin, Answer, Done, Last, audit::Did, failure::Failure, show};
use crate::{api, core::Command};

/// A device name out of a path.
pub(super) fn named(name: &str) -> Result<DeviceName, Failure> {
    let wrong = |error| {
        let error = format!("`{name}` is no device name: it {error}");
        let hint = "a phone's name is SEP and the 12 digits of its MAC address";
        Failure::new(StatusCode::BAD_REQUEST, error, hint)
    };
    name.parse().map_err(wrong)
}

/// A number out of a path or a body.
pub(super) fn number(number: &str) -> Result<LineNumber, Failure> {
    let wrong = |error| {
        let error = format!("`{number}` is no number: it {error}");
        Failure::new(StatusCode::BAD_REQUEST, error, "a number is made of digits, * and #")
    };
    number.parse().map_err(wrong)
}

/// One phone, and what it shows.
#[utoipa::path(get, path = "/v1/devices/{name}", tag = "phones",
    params(("name" = String, Path, description = "Such as SEP001122334455")),
    responses(
        (status = 200, body = api::Phone),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn device(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Answer<api::Phone> {
    let name = named(&name)?;
    let here = admin.exchange.ask(|answer| Command::Device(name.clone(), answer)).await?;
    let phone = show::phone(&admin.office.site(), &name, here);
    phone.map(Json).ok_or_else(|| {
        let error = format!("{name} is neither in the site nor registered");
        Failure::new(StatusCode::NOT_FOUND, error, "`selsius status` lists the phones that are")
    })
}

async fn operate(admin: &Admin, name: &str, operation: Operation) -> Done {
    let name = named(name)?;
    let what = match &operation {
        Operation::Dial(number) => format!("device dial {name} {number}"),
        Operation::Answer => format!("device answer {name}"),
        Operation::HangUp => format!("device hang-up {name}"),
        Operation::Hold => format!("device hold {name}"),
        Operation::Resume => format!("device resume {name}"),
        Operation::Message(text) => format!("device message {name} {text:?}"),
    };
    let none = match &operation {
        Operation::Answer => format!("no call rings at {name}"),
        Operation::Hold => format!("{name} has no call to put on hold"),
        Operation::Resume => format!("{name} has no call on hold"),
        _ => format!("{name} has no call"),
    };
    let done = admin.exchange.ask(|answer| Command::Operate(name.clone(), operation, answer)).await?;
    let shows = format!("`selsius device show {name}` shows its calls");
    match done {
        Ok(()) => Ok((Did::this(what), Json(api::Done {}))),
        Err(OperationError::NotRegistered) => Err(Failure::not_registered(&name)),
        Err(OperationError::NoCall) => Err(Failure::new(StatusCode::CONFLICT, none, shows)),
        Err(OperationError::Busy) => {
            let error = format!("{name} makes another call already, or has no line with room for one more");
            Err(Failure::new(StatusCode::CONFLICT, error, shows))
        }
    }
}

/// Dials a number from a phone.
#[utoipa::path(post, path = "/v1/devices/{name}/dial", tag = "phones",
    params(("name" = String, Path)), request_body = api::Dial,
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed, and nothing is changed.", body = api::Error),
    ))]
pub(super) async fn dial(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
    body: Result<Json<api::Dial>, JsonRejection>,
) -> Done {
    let Json(api::Dial { number: to }) = body?;
    operate(&admin, &name, Operation::Dial(number(&to)?)).await
}

/// Answers what rings at a phone.
#[utoipa::path(post, path = "/v1/devices/{name}/answer", tag = "phones", params(("name" = String, Path)),
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed, and nothing is changed.", body = api::Error),
    ))]
pub(super) async fn answer(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Done {
    operate(&admin, &name, Operation::Answer).await
}

/// Ends the call that is up at a phone, else the one that is on hold.
#[utoipa::path(post, path = "/v1/devices/{name}/hang-up", tag = "phones", params(("name" = String, Path)),
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed, and nothing is changed.", body = api::Error),
    ))]
pub(super) async fn hang_up(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Done {
    operate(&admin, &name, Operation::HangUp).await
}

/// Puts the call that is up at a phone on hold.
#[utoipa::path(post, path = "/v1/devices/{name}/hold", tag = "phones", params(("name" = String, Path)),
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed, and nothing is changed.", body = api::Error),
    ))]
pub(super) async fn hold(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Done {
    operate(&admin, &name, Operation::Hold).await
}

/// Takes up the call that is on hold at a phone.
#[utoipa::path(post, path = "/v1/devices/{name}/resume", tag = "phones", params(("name" = String, Path)),
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed, and nothing is changed.", body = api::Error),
    ))]
pub(super) async fn resume(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Done {
    operate(&admin, &name, Operation::Resume).await
}

/// Writes a text on a phone's screen for a while. It shows about 30 characters.
#[utoipa::path(post, path = "/v1/devices/{name}/message", tag = "phones",
    params(("name" = String, Path)), request_body = api::Message,
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn message(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
    body: Result<Json<api::Message>, JsonRejection>,
) -> Done {
    let Json(api::Message { text }) = body?;
    if text.trim().is_empty() {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "the message is empty", ""));
    }
    operate(&admin, &name, Operation::Message(text)).await
}

/// Has a phone start again as if it had been unplugged, when it is idle.
#[utoipa::path(post, path = "/v1/devices/{name}/reset", tag = "phones", params(("name" = String, Path)),
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn reset(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Done {
    again(&admin, &name, ResetType::Reset, "reset").await
}

/// Has a phone fetch its files and register again, when it is idle.
#[utoipa::path(post, path = "/v1/devices/{name}/restart", tag = "phones", params(("name" = String, Path)),
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn restart(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Done {
    again(&admin, &name, ResetType::Restart, "restart").await
}

async fn again(admin: &Admin, name: &str, kind: ResetType, word: &str) -> Done {
    let name = named(name)?;
    let here = admin.exchange.ask(|answer| Command::Device(name.clone(), answer)).await?;
    if here.is_none() {
        return Err(Failure::not_registered(&name));
    }
    admin.exchange.ask(|answer| Command::Reset(name.clone(), kind, answer)).await?;
    Ok((Did::this(format!("device {word} {name}")), Json(api::Done {})))
}

/// What happened to a phone, newest first; it may be unknown to the site.
#[utoipa::path(get, path = "/v1/devices/{name}/history", tag = "phones",
    params(("name" = String, Path), Last),
    responses(
        (status = 200, body = Vec<api::DeviceEvent>),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn history(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
    Query(last): Query<Last>,
) -> Answer<Vec<api::DeviceEvent>> {
    let name = named(&name)?;
    let events = admin.store.device_history(name.as_str(), last.or(50)).await?;
    Ok(Json(events.into_iter().map(show::device_event).collect()))
}
