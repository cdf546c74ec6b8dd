//! The client and the server of the facade, on real servers.

mod concurrency;
mod database;
mod drops;
mod events;
mod followed;
mod many;
mod outage;
mod processes;
mod refusals;
mod shapes;
pub(crate) mod support;
mod typed;
mod types;
mod writing;
