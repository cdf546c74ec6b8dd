//! What can go wrong at the seams.

use std::time::Duration;

use mrc_core::{RowError, TagError};

/// A boxed source of an error.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// The cache failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The configuration can't be used.
    #[error("cache configuration: {0}")]
    Config(String),
    /// The server can't be reached, or the connection broke.
    #[error("the cache can't be reached: {0}")]
    Unavailable(#[source] Source),
    /// The server did not answer in time.
    #[error("the cache did not answer within {0:?}")]
    Timeout(Duration),
    /// The server answered with an error.
    #[error("the cache refused the command: {0}")]
    Refused(#[source] Source),
    /// An empty value was to be stored.
    #[error("an empty value can't be stored, as it marks a key that is being filled: store JSON, such as null or \"\"")]
    EmptyValue,
    /// The key lies in the key space of another store, or in the cache's own; nothing was done.
    #[error("a key that begins with {beginning:?} is reserved: {owner}; name the entry otherwise")]
    ReservedKey {
        /// What no key of this store begins with.
        beginning: &'static str,
        /// Whose keys do.
        owner: &'static str,
    },
    /// A tag can't be used; nothing was done.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The store was closed.
    #[error("the cache is closed: build a new client to go on")]
    Closed,
}

impl StoreError {
    /// A key where the cache keeps its own books.
    #[cfg(any(feature = "redis", feature = "memory"))]
    pub(crate) const OWN_KEY: Self =
        Self::ReservedKey { beginning: "mrc:", owner: "the cache keeps its own books there" };

    /// Whether the same call may succeed later, as it is.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Timeout(_))
    }
}

/// The database failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The configuration can't be used.
    #[error("database configuration: {0}")]
    Config(String),
    /// The params don't fit the placeholders.
    #[error("the statement has {placeholders} placeholders, but {params} params were given")]
    ParamCount {
        /// How many `?` the statement has.
        placeholders: usize,
        /// How many params were given.
        params: usize,
    },
    /// A param can't be bound.
    #[error("param {position} ({type_name}) can't be bound: {reason}")]
    Param {
        /// The position, from 1.
        position: usize,
        /// The type of the value.
        type_name: &'static str,
        /// Why, and what to do.
        reason: String,
    },
    /// The server answered with an error: it refused the statement, or the login.
    #[error("the database answered with an error: {0}")]
    Refused(#[source] Source),
    /// The server can't be reached, or the connection broke.
    #[error("the database can't be reached: {0}")]
    Unavailable(#[source] Source),
    /// A time-out passed.
    #[error("{stage} took longer than {limit:?}")]
    Timeout {
        /// What took too long: `"connecting to the database"`, `"waiting for a connection"`, `"the query"`.
        stage: &'static str,
        /// The limit that passed.
        limit: Duration,
    },
    /// A value of the answer can't be read.
    #[error("column {column:?} can't be read: {reason}")]
    Cell {
        /// The column's name, as selected.
        column: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The rows can't be written as JSON.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The statement answered with several results, and a call returns one. The statement has run to its end.
    #[error(
        "the statement has run, and answered with several results, of which a call returns one: \
         run it on a connection of `mysql_pool()`, or have the procedure select once"
    )]
    SeveralResults,
    /// The answer of a read came from a session without autocommit, or in a transaction: its rows may not be committed.
    #[error(
        "the read left its session in a transaction or without autocommit, so its rows may not be committed: \
         leave transactions to `query` or `mysql_pool()`"
    )]
    Session,
    /// The transaction has ended before its commit: the server rolled it back after an error, its connection was lost, a call was
    /// cancelled, or a statement ended it.
    #[error(
        "the transaction is over: it was rolled back after an earlier error, such as a deadlock, or a cancelled call: run it again; \
         or a statement ended it, such as COMMIT or CREATE TABLE, and what ran before is committed: leave such statements out of it"
    )]
    TransactionOver,
    /// The answer to `COMMIT` was lost: the transaction may be committed or not.
    #[error(
        "the answer to COMMIT was lost, so the transaction may be committed or not: look before you run it again; {0}"
    )]
    CommitUnknown(#[source] Source),
    /// The executor was closed.
    #[error("the database pool is closed: build a new client to go on")]
    Closed,
}

impl ExecuteError {
    /// Whether the same call may succeed later, as it is.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Timeout { .. })
    }
}
