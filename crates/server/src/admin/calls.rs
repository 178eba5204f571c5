//! Call records: a few at once, or all of them as they come out of the database.

use std::{io, sync::Arc};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::stream::try_unfold;
use jiff::Timestamp;
use selsius_exchange::record::{CallId, Mos, WallTime};
use selsius_store::{CallFilter, Outcome, Store, end_cause};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Admin, Answer, MOST_RECORDS, devices::named, failure::Failure, show};
use crate::api;

/// Calls that are in memory at a time while they are exported.
const PAGE: u32 = 500;

/// Which calls are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// At most so many, the newest.
    last: Option<u64>,
    /// Those that ended then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Those that ended before.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Of a party, dialled, or of who led the call on.
    number: Option<String>,
    /// A phone that took part.
    device: Option<String>,
    /// Why it ended, such as `busy`.
    cause: Option<String>,
    /// What became of it.
    outcome: Option<Came>,
    /// Somebody has heard less than this mean opinion score (1 to 5).
    mos_below: Option<f32>,
}

/// What became of a call.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Came {
    /// Somebody answered.
    Answered,
    /// Nobody did.
    Missed,
}

impl Wanted {
    /// The filter, but for the number of calls.
    fn filter(self) -> Result<CallFilter, Failure> {
        let time = |at: Timestamp| WallTime(at.as_microsecond());
        let cause = |name: String| {
            end_cause(&name).ok_or_else(|| {
                let error = format!("no call ends as `{name}`");
                Failure::new(StatusCode::BAD_REQUEST, error, "docs/call-records.md lists the causes")
            })
        };
        let score = |score: f32| {
            Mos::new(score).ok_or_else(|| {
                let error = format!("{score} is no mean opinion score");
                Failure::new(StatusCode::BAD_REQUEST, error, "they go from 1 (bad) to 5")
            })
        };
        Ok(CallFilter {
            since: self.since.map(time),
            until: self.until.map(time),
            number: self.number,
            device: self.device.as_deref().map(named).transpose()?,
            cause: self.cause.map(cause).transpose()?,
            outcome: self.outcome.map(|came| match came {
                Came::Answered => Outcome::Answered,
                Came::Missed => Outcome::Missed,
            }),
            below: self.mos_below.map(score).transpose()?,
            ..CallFilter::default()
        })
    }
}

/// Finished calls, newest first.
#[utoipa::path(get, path = "/v1/calls", tag = "manager", params(Wanted), responses(
    (status = 200, body = Vec<api::Call>),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn list(
    State(admin): State<Arc<Admin>>,
    Query(wanted): Query<Wanted>,
) -> Answer<Vec<api::Call>> {
    let newest = u32::try_from(wanted.last.unwrap_or(20)).unwrap_or(u32::MAX).min(MOST_RECORDS);
    let filter = CallFilter { newest, ..wanted.filter()? };
    let calls = admin.store.calls(&filter).await?;
    Ok(Json(calls.into_iter().map(show::call).collect()))
}

/// One finished call.
#[utoipa::path(get, path = "/v1/calls/{id}", tag = "manager", params(("id" = u64, Path, description = "Its id.")), responses(
    (status = 200, body = api::Call),
    (status = 404, description = "There is no such record.", body = api::Error),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn one(State(admin): State<Arc<Admin>>, Path(id): Path<u64>) -> Answer<api::Call> {
    let newest = CallFilter { newest: 1, before: id.checked_add(1).map(CallId), ..CallFilter::default() };
    let call = admin.store.calls(&newest).await?.pop().filter(|call| call.call.call == CallId(id));
    let missing = || {
        let error = format!("there is no record of a call {id}");
        Failure::new(
            StatusCode::NOT_FOUND,
            error,
            "calls that are up have none yet; `selsius calls` lists those that are over",
        )
    };
    Ok(Json(show::call(call.ok_or_else(missing)?)))
}

/// What is still to be exported.
struct Rest {
    store: Store,
    filter: CallFilter,
    left: u64,
}

/// All finished calls, newest first: a JSON object a line.
#[utoipa::path(get, path = "/v1/calls/export", tag = "manager", params(Wanted), responses(
    (status = 200, content_type = "application/x-ndjson", body = api::Call),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn export(
    State(admin): State<Arc<Admin>>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failure> {
    let left = wanted.last.unwrap_or(u64::MAX);
    let mut rest = Rest { store: admin.store.clone(), filter: wanted.filter()?, left };
    // What is wrong with the database is said before anything else.
    let first = rest.page().await?;
    let rest = (first, rest);
    let pages = try_unfold(rest, async |(page, mut rest)| {
        let Some(page) = page else { return Ok(None) };
        let next = rest.page().await.map_err(|Failure(_, api::Error { error, .. })| {
            tracing::error!(error, "an export of call records broke off");
            io::Error::other(error)
        })?;
        Ok::<_, io::Error>(Some((page, (next, rest))))
    });
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(pages)).into_response())
}

impl Rest {
    /// The next calls, one JSON object a line.
    async fn page(&mut self) -> Result<Option<Bytes>, Failure> {
        self.filter.newest = u32::try_from(self.left).unwrap_or(u32::MAX).min(PAGE);
        if self.filter.newest == 0 {
            return Ok(None);
        }
        let calls = self.store.calls(&self.filter).await?;
        let Some(last) = calls.last() else { return Ok(None) };
        self.filter.before = Some(last.call.call);
        self.left -= calls.len() as u64;
        let mut lines = Vec::new();
        for call in calls {
            serde_json::to_writer(&mut lines, &show::call(call)).map_err(|error| {
                Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("cannot write a call: {error}"), "")
            })?;
            lines.push(b'\n');
        }
        Ok(Some(lines.into()))
    }
}
