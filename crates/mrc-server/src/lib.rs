//! Invalidation: entries dropped, exactly those that were asked for.
//!
//! [`MrcServer`] is what a service calls after it has written to the database, if it has no client. Usually used through the facade `mrc`.

mod server;

#[cfg(test)]
mod tests;

pub use mrc_store::{DropError, DropRequest, Progress, Strategy};
pub use server::MrcServer;
