//! The error that a database answered with.

/// The error that a database answered with: its code, its SQLSTATE and its text.
///
/// [`ExecuteError::server`](crate::ExecuteError::server) returns it. Your own executor boxes it in
/// [`ExecuteError::Refused`](crate::ExecuteError::Refused) or
/// [`ExecuteError::Unavailable`](crate::ExecuteError::Unavailable):
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
