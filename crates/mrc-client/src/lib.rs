//! The read-through client of mrc.
//!
//! [`MrcClient`] composes the two seams of `mrc-store`, a cache and a database, into one path: look, claim, compute, fill.
//! Usually used through the facade `mrc`.
//!
//! What a call goes through, room by room:
//!
//! | room | what happens there |
//! |---|---|
//! | `client` | the query's text is checked and hashed, once a text; params become a key |
//! | `fetch` | the one path: a hit is one GET; a miss leads or follows |
//! | `flight` | of this process's callers for a key, one leads |
//! | `claim` | of all processes, one computes; the others wait |
//! | `deadline` | a miss in time, or else a stale value |
//! | `refresh` | what is in use is computed anew before its life ends |
//! | `bulkhead` | of all queries, so many at once reach the database |
//! | `answer` | the bytes, decoded at the edge |

mod answer;
mod builder;
mod bulkhead;
mod call;
mod claim;
mod client;
mod config;
mod deadline;
mod error;
mod events;
mod fetch;
mod flight;
mod health;
#[cfg(feature = "metrics")]
mod metrics;
mod query;
mod refresh;
mod store;
mod texts;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Source};
pub use builder::MrcClientBuilder;
pub use client::MrcClient;
pub use config::MrcConfig;
pub use error::{BoxError, Error};
pub use health::Health;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use query::Query;
