//! Lines, what they remember, and the groups that they are in.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State, rejection::JsonRejection},
    http::StatusCode,
};
use selsius_exchange::{
    CannotForward,
    remembered::{ForwardKind, LineState},
};
use selsius_site::{LineNumber, Site};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Admin, Answer, Done, audit::Did, devices::number, failure::Failure, show};
use crate::{
    api,
    core::{Command, LineChange},
};

/// All lines of the site.
#[utoipa::path(get, path = "/v1/lines", tag = "lines", responses(
    (status = 200, body = Vec<api::Line>),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn lines(State(admin): State<Arc<Admin>>) -> Answer<Vec<api::Line>> {
    let (site, states, registered) = everything(&admin).await?;
    let mut devices = phones_of(&site, &registered);
    let lines = site.lines.iter().map(|(number, line)| {
        let state = states.get(number).cloned().unwrap_or_default();
        show::line(number, line, devices.remove(number).unwrap_or_default(), state)
    });
    Ok(Json(lines.collect()))
}

/// One line, and what it remembers.
#[utoipa::path(get, path = "/v1/lines/{number}", tag = "lines", params(("number" = String, Path)),
    responses(
        (status = 200, body = api::Line),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn line(State(admin): State<Arc<Admin>>, Path(path): Path<String>) -> Answer<api::Line> {
    one(&admin, &path).await.map(Json)
}

/// Where calls to a line go instead.
#[utoipa::path(get, path = "/v1/lines/{number}/forward", tag = "lines", params(("number" = String, Path)),
    responses(
        (status = 200, body = api::Forwards),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn forwards(
    State(admin): State<Arc<Admin>>,
    Path(path): Path<String>,
) -> Answer<api::Forwards> {
    Ok(Json(one(&admin, &path).await?.forwards))
}

/// Has calls to a line go elsewhere.
#[utoipa::path(put, path = "/v1/lines/{number}/forward", tag = "lines", params(("number" = String, Path)),
    request_body = api::Forward,
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed, and nothing is changed.", body = api::Error),
    ))]
pub(super) async fn forward(
    State(admin): State<Arc<Admin>>,
    Path(path): Path<String>,
    body: Result<Json<api::Forward>, JsonRejection>,
) -> Done {
    let Json(api::Forward { kind, to }) = body?;
    let (line, to, kind) = (number(&path)?, number(&to)?, exchanges(kind));
    let what = format!("forward set {line} {} {to}", kind.name());
    change(&admin, &line, LineChange::Forward(kind, Some(to))).await?;
    Ok((Did::this(what), Json(api::Done {})))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only this one.
    kind: Option<api::ForwardKind>,
}

/// Has calls to a line no longer go elsewhere: in one case, or in none.
#[utoipa::path(delete, path = "/v1/lines/{number}/forward", tag = "lines",
    params(("number" = String, Path), Which),
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn unforward(
    State(admin): State<Arc<Admin>>,
    Path(path): Path<String>,
    Query(which): Query<Which>,
) -> Done {
    let (line, kind) = (number(&path)?, which.kind.map(exchanges));
    for kind in ForwardKind::ALL.into_iter().filter(|one| kind.is_none_or(|kind| kind == *one)) {
        change(&admin, &line, LineChange::Forward(kind, None)).await?;
    }
    let kind = kind.map_or("", ForwardKind::name);
    Ok((Did::this(format!("forward clear {line} {kind}").trim_end()), Json(api::Done {})))
}

/// Has nobody disturb a line, or everybody again.
#[utoipa::path(put, path = "/v1/lines/{number}/do-not-disturb", tag = "lines",
    params(("number" = String, Path)), request_body = api::DoNotDisturb,
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn do_not_disturb(
    State(admin): State<Arc<Admin>>,
    Path(path): Path<String>,
    body: Result<Json<api::DoNotDisturb>, JsonRejection>,
) -> Done {
    let (Json(api::DoNotDisturb { on }), line) = (body?, number(&path)?);
    change(&admin, &line, LineChange::DoNotDisturb(on)).await?;
    let word = if on { "on" } else { "off" };
    Ok((Did::this(format!("line do-not-disturb {line} {word}")), Json(api::Done {})))
}

/// Says how many messages wait in the mailbox of a line: its lamps are lit while there are new ones.
#[utoipa::path(put, path = "/v1/lines/{number}/messages", tag = "lines",
    params(("number" = String, Path)), request_body = api::Messages,
    responses(
        (status = 200, body = api::Done),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn messages(
    State(admin): State<Arc<Admin>>,
    Path(path): Path<String>,
    body: Result<Json<api::Messages>, JsonRejection>,
) -> Done {
    let (Json(api::Messages { new, old }), line) = (body?, number(&path)?);
    change(&admin, &line, LineChange::Messages { new, old }).await?;
    Ok((Did::this(format!("line messages {line} {new} {old}")), Json(api::Done {})))
}

async fn change(admin: &Admin, line: &LineNumber, change: LineChange) -> Result<(), Failure> {
    let changed = admin.exchange.ask(|answer| Command::ChangeLine(line.clone(), change, answer)).await?;
    changed.map_err(|error| match error {
        CannotForward::UnknownLine => no_line(line),
        CannotForward::Nowhere | CannotForward::Loop => {
            Failure::new(StatusCode::CONFLICT, error.to_string(), "nothing was changed")
        }
    })
}

fn no_line(line: &LineNumber) -> Failure {
    let error = format!("the site has no line {line}");
    Failure::new(StatusCode::NOT_FOUND, error, "`selsius line list` shows those that it has")
}

fn exchanges(kind: api::ForwardKind) -> ForwardKind {
    match kind {
        api::ForwardKind::All => ForwardKind::All,
        api::ForwardKind::Busy => ForwardKind::Busy,
        api::ForwardKind::NoAnswer => ForwardKind::NoAnswer,
        api::ForwardKind::Unregistered => ForwardKind::Unregistered,
    }
}

/// The calls that are parked.
#[utoipa::path(get, path = "/v1/parked", tag = "lines", responses(
    (status = 200, body = Vec<api::ParkedCall>),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn parked(State(admin): State<Arc<Admin>>) -> Answer<Vec<api::ParkedCall>> {
    let parked = admin.exchange.ask(Command::Parked).await?;
    Ok(Json(parked.into_iter().map(show::parked).collect()))
}

async fn one(admin: &Admin, path: &str) -> Result<api::Line, Failure> {
    let number = number(path)?;
    let (site, mut states, registered) = everything(admin).await?;
    let Some(line) = site.lines.get(&number) else {
        let error = format!("the site has no line {number}");
        return Err(Failure::new(
            StatusCode::NOT_FOUND,
            error,
            "`selsius line list` shows those that it has",
        ));
    };
    let devices = phones_of(&site, &registered).remove(&number).unwrap_or_default();
    let state = states.remove(&number).unwrap_or_default();
    Ok(show::line(&number, line, devices, state))
}

type Everything = (Arc<Site>, BTreeMap<LineNumber, LineState>, Vec<String>);

/// The running site, what its lines remember, and which phones are there.
async fn everything(admin: &Admin) -> Result<Everything, Failure> {
    let site = admin.exchange.ask(Command::CurrentSite).await?;
    let states = admin.exchange.ask(Command::Remembered).await?.lines;
    let devices = admin.exchange.devices().await?;
    Ok((site, states, devices.into_iter().map(|device| device.name.to_string()).collect()))
}

/// The phones of each line.
fn phones_of(site: &Site, registered: &[String]) -> BTreeMap<LineNumber, Vec<api::LineDevice>> {
    let mut phones: BTreeMap<LineNumber, Vec<api::LineDevice>> = BTreeMap::new();
    for (name, device) in &site.devices {
        let name = name.to_string();
        // The exchange gives them in the order of their names.
        let there = registered.binary_search(&name).is_ok();
        for number in device.lines() {
            let here = phones.entry(number.clone()).or_default();
            if here.last().is_none_or(|last| last.name != name) {
                here.push(api::LineDevice { name: name.clone(), registered: there });
            }
        }
    }
    phones
}

/// The groups of lines: pickup, hunt and paging groups.
#[utoipa::path(get, path = "/v1/groups", tag = "lines", responses(
    (status = 200, body = Vec<api::Group>),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn groups(State(admin): State<Arc<Admin>>) -> Json<Vec<api::Group>> {
    Json(show::groups(&admin.office.site()))
}
