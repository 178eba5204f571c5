//! Lines, what they remember, and the groups that they are in.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use selsius_exchange::remembered::LineState;
use selsius_site::{LineNumber, Site};

use super::{Admin, Answer, devices::number, failure::Failure, show};
use crate::{api, core::Command};

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

type Everything = (Box<Site>, BTreeMap<LineNumber, LineState>, Vec<String>);

/// The running site, what its lines remember, and which phones are there.
async fn everything(admin: &Admin) -> Result<Everything, Failure> {
    let site = admin.exchange.ask(Command::CurrentSite).await?;
    let states = admin.exchange.ask(Command::LineStates).await?;
    let status = admin.exchange.ask(Command::Status).await?;
    Ok((site, states, status.devices.into_iter().map(|device| device.name.to_string()).collect()))
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
