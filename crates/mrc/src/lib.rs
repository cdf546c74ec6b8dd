#![doc = include_str!("lib.md")]

pub use mrc_client::{
    Answer, BoxError, Cache, CacheBuilder, CacheConfig, Codec, Entry, Error, Health, Invalidations, MrcClient,
    MrcClientBuilder, MrcConfig, OnError, Query, Source, Spec, Transaction, UnknownCodec, scope,
};
pub use mrc_core::{
    Ambiguity, Bypass, Cell, Column, ColumnKind, Date, DateTime, Decimal, DecimalError, EntryPattern, Event,
    EventListener, FunctionKey, FunctionKeyError, Glob, GlobError, Key, KeyError, KeyFormat, KeyScheme, Latency, Mark,
    Param, Params, PatternError, RowEncoder, RowError, RowFormat, RowsDeserializer, Snapshot, Stats, Tag, TagError,
    TemporalError, TextHash, Time, Ttl, TtlError, Value, json, params, statement,
};
pub use mrc_server::MrcServer;
pub use mrc_store::{
    Bound, BoundedCache, CacheStore, Claim, ClaimMode, DropError, DropRequest, ExecuteError, Executed,
    ExecutorTransaction, Fixed, Found, KeyPages, Life, Lifetime, Moment, Policy, Progress, QueryExecutor, ScanPattern,
    Select, ServerError, ServerErrorKind, Sliding, StoreError, Strategy, Tags, Terms, Token,
};

#[cfg(feature = "metrics")]
pub use mrc_client::Metrics;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub use mrc_client::macros_support;
#[cfg(feature = "compat")]
pub use mrc_core::compat;
#[cfg(feature = "macros")]
pub use mrc_macros::{cached, invalidates};
#[cfg(feature = "memory")]
pub use mrc_store::MemoryStore;
#[cfg(feature = "sqlite")]
pub use mrc_store::SqliteExecutor;
#[cfg(feature = "conformance")]
pub use mrc_store::conformance;
#[cfg(feature = "compat")]
pub use mrc_store::{FuncCache, SimpleDepCache};
#[cfg(feature = "mysql")]
pub use mrc_store::{MySqlConfig, MySqlExecutor, ParamMode, mysql, mysql_async};
#[cfg(feature = "redis")]
pub use mrc_store::{RedisConfig, RedisStore, redis};

/// The examples of the README and the guides compile.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/configuration.md")]
    mod configuration {}
    #[doc = include_str!("../../../docs/writing.md")]
    mod writing {}
    #[doc = include_str!("../../../docs/sharing.md")]
    mod sharing {}
    #[cfg(all(feature = "memory", feature = "macros"))]
    #[doc = include_str!("../../../docs/functions.md")]
    mod functions {}
    #[cfg(all(feature = "memory", feature = "macros"))]
    #[doc = include_str!("../../../docs/bounds.md")]
    mod bounds {}
    #[cfg(feature = "compat")]
    #[doc = include_str!("../../../docs/compat.md")]
    mod compat {}
}

/// The examples of the attributes compile.
#[cfg(all(doctest, feature = "macros", feature = "memory"))]
mod macros {
    #[doc = include_str!("../../mrc-macros/src/cached.md")]
    mod cached {}
    #[doc = include_str!("../../mrc-macros/src/invalidates.md")]
    mod invalidates {}
}
