//! The error that a database answered with.

/// The error that a database answered with: its code, its SQLSTATE and its text.
///
/// [`ExecuteError::server`](crate::ExecuteError::server) returns it. An executor of your own boxes one in
/// [`ExecuteError::Refused`](crate::ExecuteError::Refused) or [`ExecuteError::Unavailable`](crate::ExecuteError::Unavailable):
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
    /// What kind of error it is.
    pub kind: ServerErrorKind,
    /// The error's number: `1062` in MySQL and MariaDB, the extended result code in SQLite (`2067`).
    pub code: u32,
    /// The SQLSTATE, five characters such as `23000`. Empty in SQLite, which has none.
    pub state: String,
    /// The text of the error, as the database wrote it. It may quote values of the statement.
    pub message: String,
}

/// What kind of error a database answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerErrorKind {
    /// A row with the same value of a primary or unique key exists.
    UniqueViolation,
    /// A row is missing that a foreign key names, or a foreign key names the row that is to go.
    ForeignKeyViolation,
    /// A column that can't be `NULL` got `NULL`.
    NotNullViolation,
    /// A `CHECK` constraint doesn't hold.
    CheckViolation,
    /// Two transactions waited for each other, and this one was rolled back.
    Deadlock,
    /// Another transaction held a lock for too long, or held it at all with `NOWAIT`.
    LockTimeout,
    /// The server takes no writes, as a replica or an old primary after a failover.
    ReadOnly,
    /// Any other error: see its code.
    Other,
}

impl ServerError {
    /// An error of this kind. `state` is the SQLSTATE, or empty where there is none.
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
