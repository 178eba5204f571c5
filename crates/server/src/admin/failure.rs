//! What a request that failed is answered with.

use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use selsius_site::DeviceName;
use selsius_store::StoreError;

use crate::{api, core::Unavailable, error::chain, office::ChangeError};

/// What a request that failed is answered with.
#[derive(Debug)]
pub(super) struct Failure(pub(super) StatusCode, pub(super) api::Error);

impl Failure {
    pub(super) fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self(status, api::Error { error: error.into(), hint: hint.into() })
    }

    /// A phone that is not there.
    pub(super) fn not_registered(device: &DeviceName) -> Self {
        let error = format!("{device} is not registered");
        Self::new(StatusCode::NOT_FOUND, error, "`selsius status` lists the phones that are")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(status, error) = self;
        if status.is_server_error() {
            tracing::error!(error = error.error, "an admin request failed");
        }
        (status, Json(error)).into_response()
    }
}

impl From<Unavailable> for Failure {
    fn from(error: Unavailable) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string(), "try again")
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text(), "docs/openapi.json describes each body")
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let status = match &error {
            StoreError::Conflict { .. } => StatusCode::CONFLICT,
            StoreError::Newer { .. } | StoreError::Foreign { .. } | StoreError::Damaged { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            StoreError::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, chain(&error), "")
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        let text = chain(&error);
        match error {
            ChangeError::Store(error) => error.into(),
            ChangeError::Exchange(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, text, "apply it again"),
            ChangeError::File(_) | ChangeError::Zone(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, text, "nothing was applied")
            }
            ChangeError::AutoRegister { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                text,
                "nothing was applied; start the manager without the option, or with other numbers",
            ),
            ChangeError::NoEntry(_) => Self::new(StatusCode::NOT_FOUND, text, "docs/site.md names them"),
            ChangeError::Missing(_) => Self::new(
                StatusCode::NOT_FOUND,
                text,
                "`selsius site export` shows what there is; `add` makes a new one",
            ),
            ChangeError::Exists(_) => Self::new(StatusCode::CONFLICT, text, "`change` changes it"),
            ChangeError::Others(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                text,
                "`selsius site apply` takes several at once",
            ),
        }
    }
}
