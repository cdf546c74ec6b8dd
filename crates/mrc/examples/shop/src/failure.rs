//! Errors, as a status and JSON.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The reason why a request isn't answered.
#[derive(Debug)]
pub enum Failure {
    /// The request can't be parsed.
    Request(StatusCode, String),
    /// The database failed.
    Mrc(mrc::Error),
    /// Another service failed.
    Upstream(anyhow::Error),
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        // An error may name tables and servers, so the log gets it, and the caller does not.
        let (status, error) = match self {
            Self::Request(status, why) => (status, why),
            Self::Mrc(error) => {
                eprintln!("{error}");
                if error.is_retryable() {
                    (StatusCode::SERVICE_UNAVAILABLE, "try again later".into())
                } else {
                    (StatusCode::INTERNAL_SERVER_ERROR, "this is our fault".into())
                }
            }
            Self::Upstream(error) => {
                eprintln!("{error:#}");
                (StatusCode::BAD_GATEWAY, "another service has no answer".into())
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
