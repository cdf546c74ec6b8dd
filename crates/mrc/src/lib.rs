#![doc = include_str!("lib.md")]

pub use mrc_client::{Answer, BoxError, Error, Health, MrcClient, MrcClientBuilder, MrcConfig, Query, Source};
pub use mrc_core::{
    Ambiguity, Bypass, Cell, Column, ColumnKind, Date, DateTime, Decimal, DecimalError, EntryPattern, Event,
    EventListener, Key, KeyError, KeyFormat, KeyScheme, Param, Params, PatternError, RowEncoder, RowError, RowFormat,
    TemporalError, TextHash, Time, Ttl, TtlError, Value, json, params, statement,
};
pub use mrc_server::{DropError, DropRequest, MrcServer, Progress};
pub use mrc_store::{
    CacheStore, Claim, ClaimMode, ExecuteError, KeyPages, Life, QueryExecutor, ScanPattern, StoreError, Terms, Token,
};

#[cfg(feature = "metrics")]
pub use mrc_client::Metrics;
#[cfg(feature = "memory")]
pub use mrc_store::MemoryStore;
#[cfg(feature = "sqlite")]
pub use mrc_store::SqliteExecutor;
#[cfg(feature = "conformance")]
pub use mrc_store::conformance;
#[cfg(feature = "mysql")]
pub use mrc_store::{MySqlConfig, MySqlExecutor, mysql};
#[cfg(feature = "redis")]
pub use mrc_store::{RedisConfig, RedisStore, redis};

/// The examples of the README and the guides compile.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/configuration.md")]
    mod configuration {}
}
