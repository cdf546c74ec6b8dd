//! `/metrics`, `/healthz` and `/readyz`.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use mrc::follow::{Follower, Status};
use tokio::net::TcpListener;

use super::metrics;
use crate::error::Failure;

pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Failure::Other(format!("--listen {address}: {error}")))
}

/// Answers until it fails.
pub(super) async fn serve(listener: TcpListener, follower: Follower) -> Failure {
    let routes = Router::new()
        .route("/metrics", get(numbers))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(follower);
    match axum::serve(listener, routes).await {
        Ok(()) => Failure::Other("--listen: the listener has ended".into()),
        Err(error) => Failure::Other(format!("--listen: {error}")),
    }
}

async fn numbers(State(follower): State<Follower>) -> impl IntoResponse {
    const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, FORMAT)], metrics::text(follower.name(), &follower.status()))
}

async fn ready(State(follower): State<Follower>) -> impl IntoResponse {
    match unready(&follower.status()) {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why + "\n"),
    }
}

/// Returns why the follower isn't ready. Returns `None` if it is.
fn unready(status: &Status) -> Option<String> {
    if status.is_ready() {
        return None;
    }
    Some(match status.silence {
        _ if !status.leads => "stands by: another follower leads, or the cache is away".into(),
        Some(silence) => format!("the database has been silent for {} s", silence.as_secs()),
        None => "the database has sent nothing yet".into(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_follower_that_is_not_ready_says_why() {
        let mut status = Status::default();
        let mut check = |leads, silence: Option<u64>, expect: Option<&str>| {
            (status.leads, status.silence) = (leads, silence.map(Duration::from_secs));
            let why = unready(&status);
            assert_eq!(why.is_none(), expect.is_none(), "{why:?}");
            assert!(why.as_deref().unwrap_or_default().contains(expect.unwrap_or_default()), "{why:?}");
        };
        check(false, Some(0), Some("stands by"));
        check(true, None, Some("nothing yet"));
        check(true, Some(7), Some("silent for 7 s"));
        check(true, Some(1), None);
    }
}
