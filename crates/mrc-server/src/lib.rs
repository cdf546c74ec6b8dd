//! Invalidation: entries dropped, exactly those that were asked for.
//!
//! [`MrcServer`] is what a service calls after it has written to the database. Usually used through the facade `mrc`.

mod error;
mod request;
mod server;

#[cfg(test)]
mod tests;

pub use error::DropError;
pub use request::{DropRequest, Progress, Strategy};
pub use server::MrcServer;
