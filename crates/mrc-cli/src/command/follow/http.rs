//! `/metrics`, in the text format of Prometheus, `/healthz` and `/readyz`.

use std::fmt::Write as _;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use mrc::follow::{Follower, Status};
use tokio::net::TcpListener;

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
    ([(header::CONTENT_TYPE, FORMAT)], metrics(follower.name(), &follower.status()))
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

/// Returns the answer to `/metrics`. `name` needs no escape: it has letters, digits, `_`, `-`, `.`.
fn metrics(name: &str, status: &Status) -> String {
    let counters = [
        ("transactions", status.transactions, "Committed transactions"),
        ("rows", status.rows, "Changed rows of followed tables"),
        ("tags", status.tags, "Invalidated tags and params"),
        ("invalidated", status.invalidated, "Invalidated entries"),
        ("reconnects", status.reconnects, "How often the stream was opened again"),
        ("rewinds", status.rewinds, "How often the cache had gone back to an older position"),
        ("lost", status.lost, "How often the database had no log from the position on"),
    ];
    let gauges = [
        ("leader", Some(f64::from(u8::from(status.leads))), "1 while this follower leads, else 0"),
        ("lag_seconds", Some(status.lag.as_secs_f64()), "From the newest applied commit to its invalidation"),
        ("visibility_seconds", Some(status.visibility.as_secs_f64()), "How long the last batch waited for readers"),
        ("schemes", Some(status.schemes as f64), "The registered conditions on rows that entries depend on"),
        ("tables", Some(status.tables as f64), "The tables of these conditions"),
        ("position_age_seconds", status.position_age.map(|age| age.as_secs_f64()), "Since the position was confirmed"),
    ];
    let mut text = String::new();
    // Writing to a String can't fail.
    for (metric, value, help) in counters {
        let metric = head(&mut text, &format!("{metric}_total"), "counter", help);
        let _ = writeln!(text, "{metric}{{follower=\"{name}\"}} {value}");
    }
    let metric = head(&mut text, "fallbacks_total", "counter", "How often everything of a table was invalidated");
    for (why, count) in &status.fallbacks {
        let _ = writeln!(text, "{metric}{{follower=\"{name}\",why=\"{why}\"}} {count}");
    }
    for (metric, value, help) in gauges {
        let Some(value) = value else { continue };
        let metric = head(&mut text, metric, "gauge", help);
        let _ = writeln!(text, "{metric}{{follower=\"{name}\"}} {value}");
    }
    text
}

/// Writes the lines before a metric, and returns its name.
fn head(text: &mut String, metric: &str, kind: &str, help: &str) -> String {
    let metric = format!("mrc_follow_{metric}");
    let _ = writeln!(text, "# HELP {metric} {help}.\n# TYPE {metric} {kind}");
    metric
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

    #[test]
    fn numbers_are_in_the_text_format() {
        let mut status = Status::default();
        let new = metrics("shop", &status);
        assert!(new.starts_with("# HELP mrc_follow_transactions_total Committed transactions.\n"), "{new}");
        assert!(new.contains("\nmrc_follow_leader{follower=\"shop\"} 0\n"), "{new}");
        assert!(!new.contains("position_age"), "there is no position yet: {new}");
        status.fallbacks.insert("statement", 2);
        status.position_age = Some(Duration::from_millis(1_500));
        let later = metrics("shop", &status);
        assert!(later.contains("\nmrc_follow_fallbacks_total{follower=\"shop\",why=\"statement\"} 2\n"), "{later}");
        assert!(later.ends_with("\nmrc_follow_position_age_seconds{follower=\"shop\"} 1.5\n"), "{later}");
    }
}
