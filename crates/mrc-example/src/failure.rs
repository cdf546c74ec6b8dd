//! What goes wrong, as a status and JSON.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request is not answered.
#[derive(Debug)]
pub enum Failure {
    /// It can't be understood.
    Request(StatusCode, String),
    /// The database failed, or the request can't be answered by it.
    Mrc(mrc::Error),
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Request(status, why) => (status, why),
            Self::Mrc(error) => {
                // For us alone: it may name tables and servers.
                eprintln!("{error}");
                if error.is_retryable() {
                    (StatusCode::SERVICE_UNAVAILABLE, "try again later".into())
                } else {
                    (StatusCode::INTERNAL_SERVER_ERROR, "this is our fault".into())
                }
            }
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}

impl From<mrc::Error> for Failure {
    fn from(error: mrc::Error) -> Self {
        Self::Mrc(error)
    }
}

impl From<PathRejection> for Failure {
    fn from(rejection: PathRejection) -> Self {
        Self::Request(rejection.status(), rejection.body_text())
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        Self::Request(rejection.status(), rejection.body_text())
    }
}
