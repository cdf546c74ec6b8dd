//! A shop over HTTP: axum routes the requests, mrc caches the data.
//!
//! | route | shows | file |
//! |---|---|---|
//! | `GET /stores/{store}/orders` | a cached query, read into a struct | `orders.rs` |
//! | `GET /orders/1,2,3` | a cached query with an `IN` list, and a tag for each element | `orders.rs` |
//! | `POST /stores/{store}/orders` | an `INSERT`, and what it invalidates | `writes.rs` |
//! | `PUT /stores/{store}/orders/{id}` | a transaction that invalidates by a param and by a tag | `writes.rs` |
//! | `GET /stores/{store}/report` | a cached function of two queries | `report.rs` |
//! | `GET /rates/{currency}` | a cached call of another service, with a stale copy while that service fails | `exchange.rs` |
//! | `GET /health/live`, `/health/ready` | probes; the shop is ready while the database answers | `http.rs` |
//! | `GET /metrics` | metrics for Prometheus | `main.rs` |
//!
//! `tests.rs` tests all routes without servers; `tests/http` runs the binary with and without.
//!
//! No layer caches whole responses: a response depends on its method, on `Authorization` and on the
//! headers that `Vary` names. mrc caches the data of the responses instead.

mod exchange;
mod http;
mod orders;
mod rates;
mod report;
mod shop;
#[cfg(test)]
mod tests;
mod writes;

pub use http::{Failure, router};
pub use orders::{Meta, Order};
pub use rates::{FixedRates, Rates};
pub use report::Report;
pub use shop::Shop;
pub use writes::{Change, NewOrder};
