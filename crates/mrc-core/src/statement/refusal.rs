//! The reasons why a statement isn't cached.

use std::fmt;

/// The reason why a statement isn't cached. [`advice`](Self::advice) returns what to do instead.
///
/// The `what` fields quote the statement's own text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotCacheable {
    /// There is no statement, only blanks and comments.
    Empty,
    /// More text follows a `;`.
    SeveralStatements,
    /// The statement doesn't begin with `SELECT`, `WITH`, `VALUES` or `TABLE`.
    ///
    /// This includes `SHOW`, `DESCRIBE` and `EXPLAIN`: they show the server as it is now, and no
    /// invalidation of a table would reach their answers.
    NotASelect {
        /// The first word.
        what: String,
    },
    /// The statement changes data, a sequence or a file.
    Writes {
        /// The part that writes.
        what: String,
    },
    /// The statement takes, frees or checks a lock.
    Locks {
        /// The part that locks.
        what: String,
    },
    /// The answer depends on the connection, or the statement changes the connection's state.
    DependsOnSession {
        /// The part that depends on the session.
        what: String,
    },
    /// Each call gives another answer on purpose.
    NonDeterministic {
        /// The part that isn't deterministic.
        what: String,
    },
    /// The call is made for the time that it takes.
    Waits {
        /// The part that waits.
        what: String,
    },
    /// A function that no server has built in. A stored or a loaded function may do anything.
    StoredFunction {
        /// The function's name.
        what: String,
    },
    /// The text can't be read, or servers read it differently.
    NotParsed {
        /// The reason.
        why: String,
    },
}

impl NotCacheable {
    /// Returns why the statement isn't cached.
    pub fn reason(&self) -> String {
        match self {
            Self::Empty => "the statement is empty: there is nothing to cache and nothing to run".into(),
            Self::SeveralStatements => "only a single statement can be cached".into(),
            Self::NotASelect { what } => format!(
                "a statement that begins with `{what}` isn't cached, only `SELECT`, `WITH … SELECT`, `VALUES` and `TABLE` are"
            ),
            Self::Writes { what } => format!("`{what}` writes"),
            Self::Locks { what } => format!("`{what}` is about locks, which a cached answer wouldn't take"),
            Self::DependsOnSession { what } => {
                format!("`{what}` depends on the session, and a cached answer goes to every session")
            }
            Self::NonDeterministic { what } => {
                format!("`{what}` is meant to give a new value at each call, and a cached one would go to every caller")
            }
            Self::Waits { what } => format!("`{what}` is called for the time it takes, which a cached answer wouldn't"),
            Self::StoredFunction { what } => {
                format!("`{what}` isn't a built-in function, and a stored or a loaded one may write")
            }
            Self::NotParsed { why } => format!("can't tell whether the statement only reads; {why}"),
        }
    }

    /// Returns what to do instead. `run` is the caller's word for running a statement without the
    /// cache, `trust` for vouching that it only reads.
    pub fn advice(&self, run: &str, trust: &str) -> String {
        match self {
            Self::Empty => "give it a statement".into(),
            Self::SeveralStatements => format!("split it at `;`, or run it with {run}"),
            Self::NotASelect { .. } => format!("run it with {run}"),
            Self::Writes { .. } | Self::Locks { .. } | Self::Waits { .. } => format!("run the statement with {run}"),
            Self::DependsOnSession { .. } => format!("pass the value as a param, or run the statement with {run}"),
            Self::NonDeterministic { .. } => {
                format!("run the statement with {run}, or, to share one value on purpose, say so with {trust}")
            }
            Self::StoredFunction { .. } => {
                format!("run the statement with {run}, or, if you know that it only reads, say so with {trust}")
            }
            Self::NotParsed { .. } => {
                format!("run it with {run}, or, if you know that it only reads, say so with {trust}")
            }
        }
    }
}

impl fmt::Display for NotCacheable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = match self {
            Self::Writes { .. } => "`MrcClient::execute`",
            _ => "`MrcClient::query`, which caches nothing",
        };
        let advice = self.advice(run, "`Query::trust_read_only()`");
        write!(f, "{}: {advice}", self.reason())
    }
}

impl std::error::Error for NotCacheable {}
