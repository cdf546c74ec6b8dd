//! The read-through client of mrc.
//!
//! [`MrcClient`] composes the two seams of `mrc-store`, a cache and a database, into one path:
//! look, claim, compute, fill. Usually used through the facade `mrc`.
//!
//! Two doors lead to one pipeline:
//!
//! | room | content |
//! |---|---|
//! | `client/` | the door for queries: checks and hashes a text once, makes a key of its params |
//! | `cache/` | the door for functions and plain values: a namespace, a codec, tags |
//! | `settings` | the settings that both doors share |
//! | `pipeline/` | the one path: a hit is one GET, a miss leads or follows, a fill stores |
//! | `call`, `compute` | the terms of a call; the computation of its value |
//! | `scope`, `frame`, `mode`, `inherited` | the task's scope: mode, entry and inherited tags |
//! | `follow/` | what a query's answer depends on, for a follower of the database's log |
//! | `answer`, `codec`, `carry` | the bytes, decoded at the edge |
//!
//! Writes bypass the pipeline: `client/write`, `mrc-store`'s invalidations.

mod answer;
mod cache;
mod call;
mod carry;
mod client;
mod codec;
mod compute;
mod error;
mod events;
mod follow;
mod frame;
mod health;
mod inherited;
mod invalidations;
#[cfg(feature = "metrics")]
mod metrics;
mod mode;
mod pipeline;
mod settings;
mod shape;
mod source;
mod store;
mod types;

#[doc(hidden)]
pub mod macros_support;
pub mod scope;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use cache::{Cache, CacheBuilder, CacheConfig, Entry, Spec};
pub use client::{FromMany, Loader, Many, MrcClient, MrcClientBuilder, MrcConfig, Query, Transaction};
pub use codec::{Codec, UnknownCodec};
pub use error::{BoxError, Error, Result};
pub use health::Health;
pub use invalidations::Invalidations;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use settings::{OnError, Settings};
pub use source::Source;
