//! Why a statement isn't cached.

/// What stands in the way of caching a statement, and what to do instead.
///
/// The `what` fields quote the statement's own text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCacheable {
    /// There is no statement, only blanks and comments.
    #[error("the statement is empty: there is nothing to cache and nothing to run")]
    Empty,
    /// A `;` is followed by more.
    #[error(
        "only a single statement can be cached: split it at `;`, or run it with `MrcClient::query`, which caches nothing"
    )]
    SeveralStatements,
    /// The statement begins with something else than `SELECT`, `WITH`, `VALUES` or `TABLE`.
    ///
    /// `SHOW`, `DESCRIBE` and `EXPLAIN` are among these: what they tell is about the server as it
    /// is now, and no table's invalidation would ever reach it.
    #[error(
        "a statement that begins with `{what}` isn't cached, only `SELECT`, `WITH … SELECT`, `VALUES` and `TABLE` are: run it with `MrcClient::query`, which caches nothing"
    )]
    NotASelect {
        /// The first word.
        what: String,
    },
    /// The statement changes data, a sequence or a file.
    #[error("`{what}` writes: run the statement with `MrcClient::query`, which caches nothing")]
    Writes {
        /// What writes.
        what: String,
    },
    /// The statement takes a lock, frees one or asks about one.
    #[error(
        "`{what}` is about locks, which a cached answer wouldn't take: run the statement with `MrcClient::query`, which caches nothing"
    )]
    Locks {
        /// What locks.
        what: String,
    },
    /// The answer depends on the connection that asks, or changes the connection's state.
    #[error(
        "`{what}` depends on the session, and a cached answer goes to every session: pass the value as a param, or run the statement with `MrcClient::query`, which caches nothing"
    )]
    DependsOnSession {
        /// What depends on the session.
        what: String,
    },
    /// Each call is meant to give another answer.
    #[error(
        "`{what}` is meant to give a new value at each call, and a cached one would go to every caller: run the statement with `MrcClient::query`, which caches nothing, or, to share one value on purpose, say so with `Query::trust_read_only()`"
    )]
    NonDeterministic {
        /// What isn't deterministic.
        what: String,
    },
    /// The call is made for the time that it takes.
    #[error(
        "`{what}` is called for the time it takes, which a cached answer wouldn't: run the statement with `MrcClient::query`, which caches nothing"
    )]
    Waits {
        /// What waits.
        what: String,
    },
    /// A function that no server has built in. A stored or a loaded function may do anything.
    #[error(
        "`{what}` isn't a built-in function, and a stored or a loaded one may write: run the statement with `MrcClient::query`, which caches nothing, or, if you know that it only reads, say so with `Query::trust_read_only()`"
    )]
    StoredFunction {
        /// The function's name.
        what: String,
    },
    /// The text can't be read, or servers disagree on how to read it.
    #[error(
        "can't tell whether the statement only reads: {why}; run it with `MrcClient::query`, which caches nothing, or, if you know that it only reads, say so with `Query::trust_read_only()`"
    )]
    NotParsed {
        /// What couldn't be read.
        why: String,
    },
}
