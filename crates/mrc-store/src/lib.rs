//! The two seams of mrc, and their backends.

pub mod error;
mod executor;
#[cfg(any(feature = "mysql", feature = "sqlite"))]
mod expand;
mod store;

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

pub use error::{ExecuteError, StoreError};
pub use executor::QueryExecutor;
pub use store::{CacheStore, Claim, ClaimMode, KeyPages, ScanPattern, Token};

#[cfg(feature = "memory")]
pub use memory::MemoryStore;
#[cfg(feature = "mysql")]
pub use mysql::{MySqlConfig, MySqlExecutor};
#[cfg(feature = "redis")]
pub use redis::{RedisConfig, RedisStore};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteExecutor;
