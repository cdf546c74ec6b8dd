//! The seam to the database.

pub mod span;

use std::fmt::Debug;

use async_trait::async_trait;
use mrc_core::{Params, RowEncoder};

use crate::error::ExecuteError;

/// A database: runs one read and pushes its rows into an encoder. It never sees a cache.
///
/// An implementation owns what differs between databases: column types, time-outs, the expansion of `IN (?)`, sessions.
/// A call may be cancelled at any await (its future dropped): no connection may then be left with another caller's answer on it.
///
/// The feature `conformance` brings a suite of these rules for an implementation of your own.
#[async_trait]
pub trait QueryExecutor: Debug + Send + Sync + 'static {
    /// Runs `sql` with `params` bound to its `?` placeholders in order, in autocommit, on the primary.
    ///
    /// A [`Value::List`](mrc_core::Value::List) takes one placeholder, `IN (?)`, and is expanded to as many as it has elements.
    /// The columns are announced to `rows` once, before the first row, also where there is no row.
    /// After an error `rows` holds a part of the answer and must be thrown away.
    ///
    /// # Errors
    /// [`ExecuteError`]: the number of params doesn't fit, the server refused the statement, it can't be reached, or a time-out passed.
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError>;

    /// Runs a read whose text doesn't show that it only reads, but whose caller vouches for it, as [`query`](Self::query)
    /// does. What it leaves in its session must not reach a `query`.
    ///
    /// # Errors
    /// [`ExecuteError`], as `query`.
    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError>;

    /// Runs any statement, also one that writes, as [`query`](Self::query) runs a read. Returns what it wrote.
    ///
    /// What the statement leaves in its session (a transaction, variables, another database, temporary tables, locks) must
    /// not reach a `query`.
    ///
    /// # Errors
    /// [`ExecuteError`], as `query`.
    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError>;

    /// Begins a transaction on a connection that nobody else gets before the transaction has ended.
    ///
    /// # Errors
    /// [`ExecuteError`]: the server can't be reached, or a time-out passed.
    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError>;

    /// Whether the `sql_mode` of each session of [`query`](Self::query) has `IGNORE_SPACE`, so that `COUNT (*)` calls the built-in
    /// function: then such a text may be cached. Default: false.
    fn ignores_space(&self) -> bool {
        false
    }

    /// Asks the database whether it answers, within a short time. A ping isn't a query: no span, no statistics.
    ///
    /// # Errors
    /// [`ExecuteError`]: it can't be reached, it doesn't answer in time, or the executor is closed.
    async fn ping(&self) -> Result<(), ExecuteError>;

    /// Closes all connections. Queries after that are errors.
    async fn close(&self);
}

/// A transaction that is open on a connection of its own.
///
/// Dropped before [`commit`](Self::commit) or [`rollback`](Self::rollback), it is rolled back: its connection is closed, or rolled back
/// before another caller gets it. A call of `execute` that is cancelled ends the transaction in the same way, since nobody knows how far
/// the statement came.
#[async_trait]
pub trait ExecutorTransaction: Debug + Send + 'static {
    /// Runs any statement in the transaction, as [`QueryExecutor::execute`] does outside of one.
    ///
    /// # Errors
    /// [`ExecuteError`], as there. [`ExecuteError::TransactionOver`]: the transaction has ended, and nothing was run; or the statement
    /// itself has ended it. The transaction must notice both: a statement after the end would be committed by itself.
    async fn execute(&mut self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError>;

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`ExecuteError::CommitUnknown`]: the transaction may be committed; where the server can be asked, its connection has ended there
    /// by now. Any other: nothing is committed, except by [`ExecuteError::TransactionOver`], for what ran before a statement ended it.
    async fn commit(self: Box<Self>) -> Result<(), ExecuteError>;

    /// Rolls the transaction back.
    ///
    /// # Errors
    /// [`ExecuteError::TransactionOver`]: a statement has ended it, and what ran before may be committed. After any other error the
    /// connection is closed, which rolls the transaction back as well.
    async fn rollback(self: Box<Self>) -> Result<(), ExecuteError>;
}

/// What a statement wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Executed {
    /// The number of rows that were inserted, deleted or changed. MySQL and MariaDB leave out the rows that an `UPDATE` finds and leaves
    /// as they were, and count two for a row that `REPLACE` or `ON DUPLICATE KEY UPDATE` replaces; SQLite counts each row once.
    pub affected_rows: u64,
    /// The id that the database generated for an inserted row: of several rows the first on MySQL and MariaDB, the last on SQLite.
    /// `None` if no id was generated.
    pub last_insert_id: Option<u64>,
}
