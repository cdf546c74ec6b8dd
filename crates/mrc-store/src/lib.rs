//! The two seams of mrc and their backends: [`CacheStore`] and [`QueryExecutor`].
//!
//! A [`CacheStore`] is a cache with claims: it refuses a fill that an invalidation has overtaken. A
//! [`QueryExecutor`] is a database that pushes rows into an encoder. `mrc-client` and `mrc-server`
//! compose both. Most programs use them through the facade `mrc`.
//!
//! ```
//! # #[cfg(feature = "memory")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), mrc_store::StoreError> {
//! use std::time::Duration;
//! use mrc_store::{CacheStore, Claim, MemoryStore, Terms, Token};
//!
//! let (store, token, minute) = (MemoryStore::new(), Token::from_bits(rand::random()), Duration::from_secs(60));
//! assert_eq!(store.claim("key", &token, Terms::fill(minute)).await?, Claim::Granted);
//! // Whatever is read from here on is read under the claim …
//! store.remove(&["key".into()]).await?; // … which an invalidation ends,
//! assert!(!store.fill("key", &token, "[]".into(), minute.into()).await?); // so that the fill is refused.
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "memory"))] fn main() {}
//! ```
//!
//! | backend | of | feature | by |
//! |---|---|---|---|
//! | `RedisStore` | [`CacheStore`] | `redis` (default) | fred, or redis-rs by the feature `redis-rs`: standalone, cluster, sentinel, TLS |
//! | `SimpleDepCache` | entries of Python's simple-dep-cache | `compat` | the same |
//! | `MemoryStore` | [`CacheStore`] | `memory` | moka; the reference: readable first |
//! | `MySqlExecutor` | [`QueryExecutor`] | `mysql` (default) | mysql_async: MySQL and MariaDB |
//! | `SqliteExecutor` | [`QueryExecutor`] | `sqlite` | rusqlite, bundled: for tests and demos |
//!
//! Your own backend can run the suites of the feature `conformance`, as these backends do.

mod books;
mod bound;
pub mod driver;
pub mod error;
mod executor;
mod expand;
mod invalidation;
#[cfg(any(feature = "redis", feature = "memory"))]
mod listeners;
mod lock;
mod protocol;
mod sealed;
mod select;
mod store;
mod tags;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "mysql")]
pub use mysql_async;

pub use books::{Advance, Checkpoint, Checkpoints, Lease, MOST_SCHEMES, Reached, Registry, Schemes};
#[cfg(feature = "compat")]
pub use bound::FuncCache;
pub use bound::{Bound, Fixed, Lifetime, Policy, Sliding};
pub use error::{ExecuteError, ServerError, ServerErrorKind, StoreError};
pub use executor::{Executed, ExecutorTransaction, QueryExecutor};
pub use invalidation::{DropError, DropRequest, Invalidator, Retries, Strategy};
#[doc(hidden)]
pub use lock::lock;
pub use select::{Progress, Select};
pub use store::{
    BoundedCache, CacheStore, Claim, ClaimMode, FILL_LIMIT, INVALIDATION_LIMIT, KeyPages, Life, ScanPattern, Terms,
    ToClaim, ToFill, Token,
};
pub use tags::{Found, Moment, Tags};

#[cfg(feature = "memory")]
pub use memory::MemoryStore;
#[cfg(feature = "mysql")]
pub use mysql::{MySqlConfig, MySqlExecutor, ParamMode};
#[cfg(feature = "compat")]
pub use redis::SimpleDepCache;
#[cfg(feature = "redis")]
pub use redis::{BoundedRedis, RedisClient, RedisConfig, RedisStore};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteExecutor;
