//! Invalidation: drops exactly the requested entries.
//!
//! [`MrcServer`] is for a service without a client: it calls it after a write to the database.
//! Usually used through the facade `mrc`.

mod server;

#[cfg(test)]
mod tests;

pub use mrc_store::{DropError, DropRequest, Progress, Strategy};
pub use server::MrcServer;
