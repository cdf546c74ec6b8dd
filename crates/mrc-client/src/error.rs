//! The errors of a call.

use std::sync::Arc;
use std::time::Duration;

use mrc_core::statement::NotCacheable;
use mrc_core::{FunctionKeyError, GlobError, KeyError, TagError, TtlError};
use mrc_store::{DropError, ExecuteError, ServerError, StoreError};

use crate::invalidations::Invalidations;

/// A boxed error of the caller's own.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The result of a call of mrc.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a call. Cheap to clone: callers that waited for one computation share its error.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration can't be used.
    #[error("configuration: {0}")]
    Config(String),
    /// The statement isn't a plain read, so it isn't cached, and nothing was run.
    #[error(transparent)]
    NotCacheable(#[from] NotCacheable),
    /// No key can be made of the params; nothing was run.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No key can be made of a function's arguments; nothing was run.
    #[error(transparent)]
    FunctionKey(#[from] FunctionKeyError),
    /// A tag can't be used; nothing was run.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// A glob can't be used.
    #[error(transparent)]
    Glob(#[from] GlobError),
    /// A miss in [`Mode::ReadOnly`](crate::scope::Mode::ReadOnly): nothing was run.
    #[error("{key:?} isn't in the cache, and this call may only read it: run it in another mode")]
    Missed {
        /// The key.
        key: String,
    },
    /// The TTL can't be used; nothing was run.
    #[error(transparent)]
    Ttl(#[from] TtlError),
    /// The database failed.
    #[error(transparent)]
    Database(Arc<ExecuteError>),
    /// The client has no database.
    #[error(
        "this client has no database: give the builder `.mysql(…)` or `.executor(…)`, or set MRC_MYSQL_URL for `from_env`"
    )]
    NoDatabase,
    /// The cache failed, in a call that needs the cache alone.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// An invalidation failed, in a call that only invalidates.
    #[error(transparent)]
    Drop(Arc<DropError>),
    /// The transaction is committed, but its invalidations failed until their deadline: outdated
    /// entries may be served until their TTL ends. Don't run the transaction again: retry `pending`
    /// by [`Invalidations::retry`].
    #[error("the transaction is committed, but {pending} couldn't be invalidated; {source}")]
    NotInvalidated {
        /// The invalidations that remain.
        pending: Invalidations,
        /// The cause.
        source: Arc<DropError>,
    },
    /// The answer to a transaction's `COMMIT` was lost: it may be committed or not. Its
    /// invalidations ran all the same; those that failed are `pending`.
    #[error("{source}; {}", .pending.left())]
    CommitUnknown {
        /// The invalidations that remain if the transaction is committed. Usually empty.
        pending: Invalidations,
        /// The cause.
        source: Arc<ExecuteError>,
    },
    /// The call's deadline passed. The database may be slow, or too many callers wait in line.
    #[error("the call took longer than its deadline of {limit:?}")]
    Deadline {
        /// The deadline.
        limit: Duration,
    },
    /// Too many queries of this process already wait for the database: nothing was run.
    #[error("{waiting} queries wait for the database already: try again later, or raise `query_limit`")]
    Overloaded {
        /// The number of queries that wait.
        waiting: usize,
    },
    /// The runtime that computed the value was shut down.
    #[error("the tokio runtime was shut down before the value was computed")]
    Shutdown,
    /// The caller's function failed.
    #[error(transparent)]
    Function(Arc<dyn std::error::Error + Send + Sync>),
    /// The value can't be written as JSON, or in the cache's codec.
    #[error("the value can't be encoded: {0}")]
    Encode(Arc<dyn std::error::Error + Send + Sync>),
    /// The value has another type than the caller asked for.
    #[error("the answer is not {asked_for}: {source}")]
    Decode {
        /// The Rust type.
        asked_for: &'static str,
        /// The problem, and its place.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The value in the cache isn't text.
    #[error("the answer is not UTF-8: something else than mrc or its peers has written this key")]
    NotUtf8,
}

impl Error {
    /// Returns whether the same call may succeed later: never if a transaction may be committed.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Database(error) => error.is_retryable(),
            Self::Drop(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            Self::Deadline { .. } | Self::Overloaded { .. } => true,
            _ => false,
        }
    }

    /// Returns whether the call itself is wrong: it fails again until the code or its input
    /// changes. A service answers its own client's bad input with a 4xx, and logs this one.
    ///
    /// ```
    /// let no_database = mrc_client::Error::NoDatabase;
    /// assert!(no_database.is_callers_fault() && !no_database.is_retryable());
    /// ```
    pub fn is_callers_fault(&self) -> bool {
        match self {
            Self::Config(_)
            | Self::NotCacheable(_)
            | Self::Key(_)
            | Self::FunctionKey(_)
            | Self::Tag(_)
            | Self::Glob(_)
            | Self::Ttl(_)
            | Self::NoDatabase
            | Self::Encode(_) => true,
            Self::Database(error) => error.is_callers_fault(),
            _ => false,
        }
    }

    /// Returns the number of the database's error, such as 1062. Returns `None` if there is none.
    pub fn code(&self) -> Option<u32> {
        Some(self.server()?.code)
    }

    /// Returns the SQLSTATE of the database's error, such as `23000`. Returns `None` without one.
    pub fn sqlstate(&self) -> Option<&str> {
        Some(self.server()?.state.as_str()).filter(|state| !state.is_empty())
    }

    /// Returns the database's error, with code and SQLSTATE. Returns `None` for another error.
    ///
    /// ```
    /// # fn check(error: &mrc_client::Error) {
    /// if let Some(server) = error.server() {
    ///     eprintln!("{} {}: {}", server.code, server.state, server.message);
    /// }
    /// # }
    /// ```
    pub fn server(&self) -> Option<&ServerError> {
        self.database()?.server()
    }

    /// Returns the result of [`ExecuteError::is_unique_violation`].
    pub fn is_unique_violation(&self) -> bool {
        self.database().is_some_and(ExecuteError::is_unique_violation)
    }

    /// Returns the result of [`ExecuteError::is_foreign_key_violation`].
    pub fn is_foreign_key_violation(&self) -> bool {
        self.database().is_some_and(ExecuteError::is_foreign_key_violation)
    }

    /// Returns the result of [`ExecuteError::is_deadlock`].
    pub fn is_deadlock(&self) -> bool {
        self.database().is_some_and(ExecuteError::is_deadlock)
    }

    /// Returns the result of [`ExecuteError::is_lock_timeout`].
    pub fn is_lock_timeout(&self) -> bool {
        self.database().is_some_and(ExecuteError::is_lock_timeout)
    }

    /// Returns the result of [`ExecuteError::is_read_only`].
    pub fn is_read_only(&self) -> bool {
        self.database().is_some_and(ExecuteError::is_read_only)
    }

    fn database(&self) -> Option<&ExecuteError> {
        let Self::Database(error) = self else { return None };
        Some(error)
    }

    /// Returns whether the failure may pass: then a stale copy is better than none.
    pub(crate) fn may_pass(&self) -> bool {
        self.is_retryable() || matches!(self, Self::Function(_))
    }

    pub(crate) fn encode(error: impl Into<BoxError>) -> Self {
        Self::Encode(Arc::from(error.into()))
    }

    pub(crate) fn decode<T>(error: impl Into<BoxError>) -> Self {
        Self::Decode { asked_for: std::any::type_name::<T>(), source: Arc::from(error.into()) }
    }

    pub(crate) fn function(error: impl Into<BoxError>) -> Self {
        Self::Function(Arc::from(error.into()))
    }
}

impl From<ExecuteError> for Error {
    fn from(error: ExecuteError) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<DropError> for Error {
    fn from(error: DropError) -> Self {
        match error {
            DropError::Tag(error) => Self::Tag(error),
            error => Self::Drop(Arc::new(error)),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}
