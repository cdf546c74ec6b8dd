//! The routes, and their errors as a status and JSON.

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use mrc::scope;
use rust_decimal::Decimal;
use serde_json::json;

use crate::{Change, NewOrder, Order, Report, Shop};

/// Returns the routes. `metrics` renders the metrics.
pub fn router(shop: Shop, metrics: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    Router::new()
        .route("/stores/{store}/orders", get(orders).post(order))
        .route("/stores/{store}/orders/{id}", put(change))
        .route("/stores/{store}/report", get(report))
        .route("/orders/{ids}", get(chosen))
        .route("/rates/{currency}", get(rate))
        .route("/health/ready", get(ready))
        .with_state(shop)
        .route("/health/live", get(|| async { "alive\n" }))
        .route("/metrics", get(async move || metrics()))
        .fallback(|| async { Failure::Request(StatusCode::NOT_FOUND, "there is nothing here".into()) })
        .method_not_allowed_fallback(|| async {
            Failure::Request(StatusCode::METHOD_NOT_ALLOWED, "not with this method".into())
        })
}

type PathOf<T> = Result<Path<T>, PathRejection>;
type Body<T> = Result<Json<T>, JsonRejection>;

async fn orders(State(shop): State<Shop>, store: PathOf<u32>) -> Result<impl IntoResponse, Failure> {
    let (orders, source) = scope::with_source(shop.orders(store?.0)).await;
    let source = source.map_or("none", mrc::Source::name);
    Ok(([("x-cache", source)], Json(orders?)))
}

async fn chosen(State(shop): State<Shop>, ids: PathOf<String>) -> Result<Json<Vec<Order>>, Failure> {
    let ids: Result<Vec<u64>, _> = ids?.split(',').take(101).map(str::parse).collect();
    match ids {
        Ok(ids) if ids.len() <= 100 => Ok(Json(shop.orders_by_id(ids).await?)),
        _ => Err(Failure::Request(StatusCode::BAD_REQUEST, "write /orders/1,2,3 with at most 100 ids".into())),
    }
}

async fn report(State(shop): State<Shop>, store: PathOf<u32>) -> Result<Json<Report>, Failure> {
    Ok(Json(shop.report(store?.0).await?))
}

async fn rate(State(shop): State<Shop>, currency: PathOf<String>) -> Result<Json<Decimal>, Failure> {
    shop.rate(&currency?).await.map(Json).map_err(Failure::Upstream)
}

async fn order(
    State(shop): State<Shop>,
    store: PathOf<u32>,
    order: Body<NewOrder>,
) -> Result<impl IntoResponse, Failure> {
    let id = shop.order(store?.0, &order?.0).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

async fn change(
    State(shop): State<Shop>,
    path: PathOf<(u32, u64)>,
    change: Body<Change>,
) -> Result<StatusCode, Failure> {
    let Path((store, id)) = path?;
    match shop.change(store, id, &change?.0).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Failure::Request(StatusCode::NOT_FOUND, "no such order".into())),
    }
}

async fn ready(State(shop): State<Shop>) -> impl IntoResponse {
    let health = shop.health().await;
    let status = if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let state = |up| if up { "up" } else { "down" };
    (status, Json(json!({ "database": state(health.is_ready()), "cache": state(health.cache.is_ok()) })))
}

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
