//! The errors of a store, of an executor, and of a database.

use std::time::Duration;

use mrc_core::{RowError, TagError};

/// A boxed source of an error.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error of the cache.
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
    /// The caller tried to store an empty value.
    #[error("an empty value can't be stored, as it marks a key that is being filled: store JSON, such as null or \"\"")]
    EmptyValue,
    /// The key lies in the key space of another store or of the cache itself. Nothing was done.
    #[error("a key that begins with {beginning:?} is reserved: {owner}; name the entry otherwise")]
    ReservedKey {
        /// The beginning that no key of this store may have.
        beginning: &'static str,
        /// The owner of the keys with this beginning.
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
    /// A key in the key space that the cache uses for its own records.
    #[cfg(any(feature = "redis", feature = "memory"))]
    pub(crate) const OWN_KEY: Self =
        Self::ReservedKey { beginning: "mrc:", owner: "the cache keeps its own books there" };

    /// Returns whether the same call may succeed later without a change.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Timeout(_))
    }

    /// Returns whether the server answers reads but takes no writes: it is full, or can't save.
    pub fn refuses_writes(&self) -> bool {
        // Redis 6 puts other words before those of a script.
        const ANSWERS: [&str; 2] = ["OOM command not allowed", "MISCONF "];
        let Self::Refused(source) = self else { return false };
        let text = source.to_string();
        ANSWERS.iter().any(|answer| text.contains(answer))
    }

    /// Returns the same error for another entry of the command. Its source is a text.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Config(reason) => Self::Config(reason.clone()),
            Self::Unavailable(source) => Self::Unavailable(source.to_string().into()),
            Self::Timeout(limit) => Self::Timeout(*limit),
            Self::Refused(source) => Self::Refused(source.to_string().into()),
            Self::EmptyValue => Self::EmptyValue,
            Self::ReservedKey { beginning, owner } => Self::ReservedKey { beginning, owner },
            Self::Tag(error) => Self::Tag(error.clone()),
            Self::Closed => Self::Closed,
        }
    }
}

/// An error of the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The configuration can't be used.
    #[error("database configuration: {0}")]
    Config(String),
    /// The params don't fit the placeholders.
    #[error("the statement has {}, but {} given", counted(*placeholders, "placeholder"), were(*params))]
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
    /// The server refused the statement or the login: see [`server`](Self::server) for its code.
    #[error("{}: {}", refused(.0), .0)]
    Refused(#[source] Source),
    /// The server can't be reached, the connection broke, or the server can't do this now: it is
    /// full, shutting down or read-only, or another transaction was in the way.
    /// [`server`](Self::server) returns the code if the server answered.
    #[error("{}: {}", unavailable(.0), .0)]
    Unavailable(#[source] Source),
    /// A time limit passed.
    #[error("{stage} took longer than {limit:?}{}", at(.address))]
    Timeout {
        /// The step that took too long: `"connecting to the database"`,
        /// `"waiting for a connection"`, `"the query"`.
        stage: &'static str,
        /// The limit that passed.
        limit: Duration,
        /// The server: `host:port`, or the path of its socket. `None` if it isn't known.
        address: Option<String>,
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
    /// The statement ran to its end and returned several results, but a call returns one.
    #[error(
        "the statement has run, and answered with several results, of which a call returns one: \
         run it on a connection of `mysql_pool()`, or have the procedure select once"
    )]
    SeveralResults,
    /// A read left its session in a transaction or without autocommit: its rows may be uncommitted.
    #[error(
        "the read left its session in a transaction or without autocommit, so its rows may not be committed: \
         leave transactions to `query` or `mysql_pool()`"
    )]
    Session,
    /// The transaction ended before its commit. Either the server rolled it back after an error,
    /// its connection was lost, a call was cancelled, or a statement ended the transaction.
    #[error(
        "the transaction is over: it was rolled back after an earlier error, such as a deadlock, or a cancelled call: run it again; \
         or a statement ended it, such as COMMIT or CREATE TABLE, and what ran before is committed: leave such statements out of it"
    )]
    TransactionOver,
    /// The answer to `COMMIT` was lost: the transaction may or may not be committed.
    #[error(
        "the answer to COMMIT was lost, so the transaction may be committed or not: look before you run it again; {0}"
    )]
    CommitUnknown(#[source] Source),
    /// The executor was closed.
    #[error("the database pool is closed: build a new client to go on")]
    Closed,
}

impl ExecuteError {
    /// Returns whether the same call may succeed later without a change.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Timeout { .. })
    }

    /// Returns whether the call fails until its statement, params or configuration change. Errors
    /// of the database count if their SQLSTATE class is 21, 22, 23 or 42.
    pub fn is_callers_fault(&self) -> bool {
        match self {
            Self::Config(_) | Self::ParamCount { .. } | Self::Param { .. } | Self::SeveralResults => true,
            Self::Refused(source) => server(source)
                .is_some_and(|error| ["21", "22", "23", "42"].iter().any(|class| error.state.starts_with(class))),
            _ => false,
        }
    }

    /// Returns the error that the database answered with. Returns `None` if it didn't answer.
    ///
    /// ```
    /// # fn check(error: &mrc_store::ExecuteError) {
    /// if let Some(server) = error.server() {
    ///     eprintln!("{} {}: {}", server.code, server.state, server.message);
    /// }
    /// # }
    /// ```
    pub fn server(&self) -> Option<&ServerError> {
        let (Self::Refused(source) | Self::Unavailable(source)) = self else { return None };
        server(source)
    }

    /// Returns whether a row with the same value of a primary or unique key exists.
    pub fn is_unique_violation(&self) -> bool {
        self.is(ServerErrorKind::UniqueViolation)
    }

    /// Returns whether a foreign key names a missing row, or names the row to be deleted.
    pub fn is_foreign_key_violation(&self) -> bool {
        self.is(ServerErrorKind::ForeignKeyViolation)
    }

    /// Returns whether the server rolled this transaction back because of a deadlock: run it again.
    pub fn is_deadlock(&self) -> bool {
        self.is(ServerErrorKind::Deadlock)
    }

    /// Returns whether another transaction held a lock for too long.
    pub fn is_lock_timeout(&self) -> bool {
        self.is(ServerErrorKind::LockTimeout)
    }

    /// Returns whether the server is read-only, as a replica is: write to the primary.
    ///
    /// Error 1792 doesn't count: it refuses a write by a cached read in a read-only session.
    pub fn is_read_only(&self) -> bool {
        self.is(ServerErrorKind::ReadOnly)
    }

    fn is(&self, kind: ServerErrorKind) -> bool {
        self.server().is_some_and(|server| server.kind == kind)
    }
}

/// Returns the count with its noun: `1 placeholder`, `2 placeholders`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn were(params: usize) -> String {
    format!("{} {}", counted(params, "param"), if params == 1 { "was" } else { "were" })
}

fn server(source: &Source) -> Option<&ServerError> {
    let first: &(dyn std::error::Error + 'static) = &**source;
    std::iter::successors(Some(first), |error| error.source()).find_map(|error| error.downcast_ref())
}

fn refused(source: &Source) -> &'static str {
    match server(source) {
        Some(ServerError { kind: ServerErrorKind::ReadOnly, .. }) => "the database is read-only",
        _ => "the database answered with an error",
    }
}

fn unavailable(source: &Source) -> &'static str {
    match server(source) {
        Some(ServerError { kind: ServerErrorKind::ReadOnly, .. }) => {
            "the database is read-only, as a replica is, so writes must go to its primary"
        }
        Some(_) => "the database can't do this now",
        None => "the database can't be reached",
    }
}

fn at(address: &Option<String>) -> String {
    address.as_ref().map(|address| format!(" ({address})")).unwrap_or_default()
}

/// The error that a database answered with: its code, its SQLSTATE and its text.
///
/// [`ExecuteError::server`](crate::ExecuteError::server) returns it. Your own executor boxes it in
/// [`ExecuteError::Refused`] or
/// [`ExecuteError::Unavailable`]:
///
/// ```
/// use mrc_store::{ExecuteError, ServerError, ServerErrorKind};
///
/// let duplicate = ServerError::new(ServerErrorKind::UniqueViolation, 1062, "23000", "Duplicate entry '6' for key 'PRIMARY'");
/// let error = ExecuteError::Refused(Box::new(duplicate));
/// assert!(error.is_unique_violation());
/// assert_eq!(error.server().map(|server| (server.code, &*server.state)), Some((1062, "23000")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerError {
    /// The kind of the error.
    pub kind: ServerErrorKind,
    /// The number: `1062` in MySQL and MariaDB, the extended result code in SQLite (`2067`).
    pub code: u32,
    /// The SQLSTATE, five characters such as `23000`. Empty for SQLite, which has none.
    pub state: String,
    /// The error text of the database. It may quote values of the statement.
    pub message: String,
}

/// The kind of a database error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerErrorKind {
    /// A row with the same value of a primary or unique key exists.
    UniqueViolation,
    /// A foreign key names a missing row, or names the row to be deleted.
    ForeignKeyViolation,
    /// A `NOT NULL` column got `NULL`.
    NotNullViolation,
    /// A `CHECK` constraint doesn't hold.
    CheckViolation,
    /// Two transactions waited for each other, and the server rolled this one back.
    Deadlock,
    /// Another transaction held a lock for too long, or at all with `NOWAIT`.
    LockTimeout,
    /// The server is read-only, as a replica or an old primary after a failover.
    ReadOnly,
    /// Any other error: see its code.
    Other,
}

impl ServerError {
    /// Returns an error of this kind. `state` is the SQLSTATE, or empty if there is none.
    pub fn new(kind: ServerErrorKind, code: u32, state: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code, state: state.into(), message: message.into() }
    }
}

impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, state, message, .. } = self;
        if state.is_empty() {
            return write!(f, "{message} ({code})");
        }
        write!(f, "ERROR {code} ({state}): {message}")
    }
}

impl std::error::Error for ServerError {}
