//! The client and the server of the facade, on real servers.

mod concurrency;
mod database;
mod drops;
mod events;
mod outage;
mod refusals;
mod shapes;
pub(crate) mod support;
mod wire;
