#![doc = include_str!("lib.md")]

#[cfg(feature = "metrics")]
pub use mrc_client::Metrics;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub use mrc_client::macros_support;
pub use mrc_client::{
    Answer, Cache, Entry, Error, FromMany, Health, Loader, Many, MrcClient, Query, Result, Source, Spec, Transaction,
    scope,
};
#[cfg(feature = "compat")]
pub use mrc_core::compat;
pub use mrc_core::{Event, EventListener, KeyFormat, Params, RowFormat, Stats, Tag, Ttl, params};
/// The follower: invalidation of what each commit changed, from the database's log.
#[cfg(feature = "follow")]
pub use mrc_follow as follow;
#[cfg(feature = "macros")]
pub use mrc_macros::{cached, invalidates};
pub use mrc_server::MrcServer;
/// The traits of stores and executors, the types of their protocol, and the backends.
pub use mrc_store as store;
#[cfg(feature = "memory")]
pub use mrc_store::MemoryStore;
#[cfg(feature = "sqlite")]
pub use mrc_store::SqliteExecutor;
#[cfg(feature = "mysql")]
pub use mrc_store::mysql_async;
pub use mrc_store::{Bound, DropRequest, Policy, Select};

/// Builders, and settings as structs.
pub mod config {
    pub use mrc_client::{CacheBuilder, CacheConfig, Codec, MrcClientBuilder, MrcConfig, OnError, Settings};
    #[cfg(feature = "mysql")]
    pub use mrc_store::{MySqlConfig, ParamMode};
    #[cfg(feature = "redis")]
    pub use mrc_store::{RedisClient, RedisConfig};
}

/// The types of errors. [`Error`] holds most of them.
pub mod errors {
    pub use mrc_client::{BoxError, Error, Invalidations, UnknownCodec};
    pub use mrc_core::statement::NotCacheable;
    pub use mrc_core::{
        DecimalError, FunctionKeyError, GlobError, KeyError, PatternError, RowError, TagError, TemporalError, TtlError,
        UnknownKeyFormat, UnknownRowFormat,
    };
    pub use mrc_store::{DropError, ExecuteError, ServerError, ServerErrorKind, StoreError};
}

/// Details of events and statistics.
pub mod events {
    pub use mrc_core::{Bypass, Event, EventListener, Latency, Snapshot, Stats};
}

/// Keys and their parts.
pub mod key {
    pub use mrc_core::{
        Ambiguity, Element, EntryPattern, FunctionKey, Glob, Key, KeyFormat, KeyScheme, Mark, Nesting, Param, Params,
        TextHash, Value, depends, statement,
    };
}

/// Rows: typed cells to JSON, and JSON to your types.
pub mod rows {
    pub use mrc_core::{
        Cell, Column, ColumnKind, Date, DateTime, Decimal, RowEncoder, RowFormat, RowsDeserializer, Time, json,
    };
}

/// Compiles the examples of the README and the guides.
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
    #[cfg(feature = "follow")]
    #[doc = include_str!("../../../docs/follow.md")]
    mod follow {}
    #[cfg(all(feature = "memory", feature = "sqlite", feature = "macros"))]
    #[doc = include_str!("../../../docs/many.md")]
    mod many {}
    #[cfg(feature = "compat")]
    #[doc = include_str!("../../../docs/compat.md")]
    mod compat {}
}

/// Compiles the examples of the attributes.
#[cfg(all(doctest, feature = "macros", feature = "memory"))]
mod macros {
    #[doc = include_str!("../../mrc-macros/src/cached.md")]
    mod cached {}
    #[doc = include_str!("../../mrc-macros/src/invalidates.md")]
    mod invalidates {}
}
