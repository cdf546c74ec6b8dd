//! A shop's orders over HTTP: axum in front, mrc inside.
//!
//! | route | what it does |
//! |---|---|
//! | `GET /stores/{id}/orders` | a cached query; `x-cache` says where the answer came from |
//! | `GET /stores/{id}/report` | a cached function, made of that query |
//! | `POST /stores/{id}/orders` | writes, then invalidates what the write concerns |
//! | `GET /metrics` | for Prometheus |
//! | `GET /health/live`, `/health/ready` | for an orchestrator: ready while the database answers |
//!
//! There is no layer that caches responses: a response depends on its method, on `Authorization` and on whatever `Vary` names, so what it is
//! made of is cached instead.

mod failure;
mod shop;

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

pub use failure::Failure;
pub use shop::{NewOrder, Order, Report, Shop};

/// The routes.
pub fn router(shop: Shop, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/stores/{id}/orders", get(orders).post(order))
        .route("/stores/{id}/report", get(report))
        .route("/health/ready", get(ready))
        .with_state(shop.clone())
        .route("/health/live", get(|| async { "alive\n" }))
        .route("/metrics", get(move || async move { format!("{}# reports: {}\n", metrics.render(), shop.reports()) }))
        .fallback(|| async { Failure::Request(StatusCode::NOT_FOUND, "there is nothing here".into()) })
        .method_not_allowed_fallback(|| async {
            Failure::Request(StatusCode::METHOD_NOT_ALLOWED, "not with this method".into())
        })
}

type Id = Result<Path<u32>, PathRejection>;

async fn orders(State(shop): State<Shop>, id: Id) -> Result<impl IntoResponse, Failure> {
    let answer = shop.orders(id?.0).await?;
    let headers = [(CONTENT_TYPE.as_str(), "application/json"), ("x-cache", answer.source().name())];
    // The JSON goes out as it lies in the cache.
    Ok((headers, answer.into_bytes()))
}

async fn report(State(shop): State<Shop>, id: Id) -> Result<Json<Report>, Failure> {
    Ok(Json(shop.report(id?.0).await?))
}

async fn order(
    State(shop): State<Shop>,
    id: Id,
    order: Result<Json<NewOrder>, JsonRejection>,
) -> Result<impl IntoResponse, Failure> {
    let (Path(store), Json(order)) = (id?, order?);
    let id = shop.order(store, order).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

async fn ready(State(shop): State<Shop>) -> impl IntoResponse {
    let health = shop.health().await;
    let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let state = |up| if up { "up" } else { "down" };
    let database = health.database.as_ref().is_none_or(Result::is_ok);
    (status, Json(json!({ "database": state(database), "cache": state(health.cache.is_ok()) })))
}
