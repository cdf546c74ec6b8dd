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
//! | `cache` | the same for functions and plain values: a namespace, a codec, tags |
//! | `fetch` | the one path: a hit is one GET; a miss leads or follows |
//! | `check` | the one check of every value that was found |
//! | `flight` | of this process's callers for a key, one leads |
//! | `claim` | of all processes, one computes; the others wait |
//! | `deadline` | a miss in time, or else a stale value |
//! | `refresh` | what is in use is computed anew before its life ends |
//! | `bulkhead` | of all queries, so many at once reach the database |
//! | `function` | a caller's function, whose outcome is its caller's whatever becomes of it |
//! | `scope` | what a function that runs says about its entry, and the modes of a task |
//! | `answer` | the bytes, decoded at the edge |
//!
//! Writing goes past all of them: `write` and `transaction`, and the invalidations of `mrc-store`.

mod answer;
mod builder;
mod bulkhead;
mod cache;
mod call;
mod carry;
mod check;
mod claim;
mod client;
mod codec;
mod config;
mod deadline;
mod error;
mod events;
mod fetch;
mod flight;
mod function;
mod health;
#[cfg(feature = "metrics")]
mod metrics;
mod plain;
mod query;
mod refresh;
mod spec;
mod store;
mod texts;
mod transaction;
mod types;
mod write;

#[doc(hidden)]
pub mod macros_support;
pub mod scope;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Source};
pub use builder::MrcClientBuilder;
pub use cache::{Cache, CacheBuilder, CacheConfig, Entry};
pub use call::OnError;
pub use client::MrcClient;
pub use codec::{Codec, UnknownCodec};
pub use config::MrcConfig;
pub use error::{BoxError, Error};
pub use health::Health;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use query::Query;
pub use spec::Spec;
pub use transaction::{Invalidations, Transaction};
