//! The site, whole and by entry. Both ways lead through [`crate::office`]: the same validation, the same difference.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::{Body, to_bytes},
    extract::{Path, Query, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use selsius_site::SiteFile;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Admin, Changed, audit::Did, failure::Failure};
use crate::{
    api,
    office::{ChangeError, Edit, Entry, Mode, Unmentioned},
};

/// Largest site file, in bytes: that of 50,000 phones has a third.
const SITE_BYTES: usize = 16 << 20;

/// The site as TOML.
#[utoipa::path(get, path = "/v1/site", tag = "site", responses(
    (status = 200, content_type = "application/toml", body = String),
    (status = "default", description = "It failed.", body = api::Error),
))]
pub(super) async fn site(State(admin): State<Arc<Admin>>) -> Result<Response, Failure> {
    let stored = admin.store.load_site().await?;
    Ok(toml(stored.site.to_toml()))
}

fn toml(text: String) -> Response {
    ([(CONTENT_TYPE, "application/toml")], text).into_response()
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Query)]
pub(super) struct Change {
    /// Only say what would change.
    #[serde(default)]
    dry_run: bool,
    /// Remove what the file does not mention.
    #[serde(default)]
    prune: bool,
    /// What to call the file in messages about its mistakes.
    name: Option<String>,
}

/// Applies a site file, at once and without dropping a call.
#[utoipa::path(put, path = "/v1/site", tag = "site", params(Change),
    request_body(content_type = "application/toml", content = String),
    responses(
        (status = 200, body = api::SiteChange),
        (status = "default", description = "It failed, and nothing was applied.", body = api::Error),
    ))]
pub(super) async fn change_site(
    State(admin): State<Arc<Admin>>,
    Query(change): Query<Change>,
    body: Body,
) -> Changed {
    let name = change.name.unwrap_or_else(|| "site".into());
    let file = file(&name, body).await?;
    let unmentioned = if change.prune { Unmentioned::Goes } else { Unmentioned::Stays };
    let prune = if change.prune { " --prune" } else { "" };
    let edit = Edit::File { file: &file, unmentioned };
    apply(&admin, &edit, change.dry_run, format!("site apply{prune} {name}")).await
}

async fn file(name: &str, body: Body) -> Result<SiteFile, Failure> {
    let too_large = |_| Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "the file is larger than 16 MiB", "");
    let text = to_bytes(body, SITE_BYTES).await.map_err(too_large)?;
    let text = String::from_utf8(text.into()).map_err(|_| {
        Failure::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{name}: is not UTF-8 text"), "")
    })?;
    Ok(SiteFile::parse(name, text).map_err(ChangeError::from)?)
}

async fn apply(admin: &Admin, edit: &Edit<'_>, dry_run: bool, what: String) -> Changed {
    let mode = if dry_run { Mode::DryRun } else { Mode::Apply };
    let changes: Vec<_> = admin.office.apply(edit, mode).await?.iter().map(ToString::to_string).collect();
    let did = match mode {
        Mode::Apply if !changes.is_empty() => Did::This { what, changes: changes.clone() },
        Mode::Apply | Mode::DryRun => Did::Nothing,
    };
    Ok((Extension(did), Json(api::SiteChange { changes, applied: mode == Mode::Apply })))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "kebab-case")]
#[into_params(parameter_in = Query)]
pub(super) struct EntryChange {
    /// Only say what would change.
    #[serde(default)]
    dry_run: bool,
    /// What to call the body in messages about its mistakes.
    name: Option<String>,
}

/// One entry of the site as TOML, such as the table `[lines.1001]`.
#[utoipa::path(get, path = "/v1/site/{section}/{key}", tag = "site",
    params(
        ("section" = String, Path, description = "As the site file calls it: `lines`, `devices`, `hunt-groups`"),
        ("key" = String, Path, description = "The entry's name, such as `1001`"),
    ),
    responses(
        (status = 200, content_type = "application/toml", body = String),
        (status = "default", description = "It failed.", body = api::Error),
    ))]
pub(super) async fn entry(
    State(admin): State<Arc<Admin>>,
    Path((section, key)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let stored = admin.store.load_site().await?;
    let entry = Entry { section, key };
    match stored.site.entry_to_toml(&entry.section, &entry.key).map_err(ChangeError::from)? {
        Some(text) => Ok(toml(text)),
        None => Err(ChangeError::Missing(entry).into()),
    }
}

/// Adds an entry that is not there yet. The body is its table, as in a site file.
#[utoipa::path(post, path = "/v1/site/{section}/{key}", tag = "site",
    params(("section" = String, Path), ("key" = String, Path), EntryChange),
    request_body(content_type = "application/toml", content = String),
    responses(
        (status = 200, body = api::SiteChange),
        (status = "default", description = "It failed, and nothing was applied.", body = api::Error),
    ))]
pub(super) async fn add_entry(
    State(admin): State<Arc<Admin>>,
    Path((section, key)): Path<(String, String)>,
    Query(change): Query<EntryChange>,
    body: Body,
) -> Changed {
    let (entry, file) = (Entry { section, key }, file(change.name(), body).await?);
    apply(&admin, &Edit::Add(&entry, &file), change.dry_run, format!("add {entry}")).await
}

/// Replaces an entry, or adds it. What the body does not mention goes back to its default.
#[utoipa::path(put, path = "/v1/site/{section}/{key}", tag = "site",
    params(("section" = String, Path), ("key" = String, Path), EntryChange),
    request_body(content_type = "application/toml", content = String),
    responses(
        (status = 200, body = api::SiteChange),
        (status = "default", description = "It failed, and nothing was applied.", body = api::Error),
    ))]
pub(super) async fn put_entry(
    State(admin): State<Arc<Admin>>,
    Path((section, key)): Path<(String, String)>,
    Query(change): Query<EntryChange>,
    body: Body,
) -> Changed {
    let (entry, file) = (Entry { section, key }, file(change.name(), body).await?);
    apply(&admin, &Edit::Replace(&entry, &file), change.dry_run, format!("replace {entry}")).await
}

/// Changes what the body mentions of an entry; the rest stays.
#[utoipa::path(patch, path = "/v1/site/{section}/{key}", tag = "site",
    params(("section" = String, Path), ("key" = String, Path), EntryChange),
    request_body(content_type = "application/toml", content = String),
    responses(
        (status = 200, body = api::SiteChange),
        (status = "default", description = "It failed, and nothing was applied.", body = api::Error),
    ))]
pub(super) async fn patch_entry(
    State(admin): State<Arc<Admin>>,
    Path((section, key)): Path<(String, String)>,
    Query(change): Query<EntryChange>,
    body: Body,
) -> Changed {
    let (entry, file) = (Entry { section, key }, file(change.name(), body).await?);
    apply(&admin, &Edit::Change(&entry, &file), change.dry_run, format!("change {entry}")).await
}

/// Removes an entry.
#[utoipa::path(delete, path = "/v1/site/{section}/{key}", tag = "site",
    params(("section" = String, Path), ("key" = String, Path), EntryChange),
    responses(
        (status = 200, body = api::SiteChange),
        (status = "default", description = "It failed, and nothing was applied.", body = api::Error),
    ))]
pub(super) async fn remove_entry(
    State(admin): State<Arc<Admin>>,
    Path((section, key)): Path<(String, String)>,
    Query(change): Query<EntryChange>,
) -> Changed {
    let entry = Entry { section, key };
    apply(&admin, &Edit::Remove(&entry), change.dry_run, format!("remove {entry}")).await
}

impl EntryChange {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("body")
    }
}
