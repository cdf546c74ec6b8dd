//! The interface to the database.

pub mod span;

use std::fmt::Debug;

use async_trait::async_trait;
use mrc_core::{Params, RowEncoder};

use crate::error::ExecuteError;

/// A database that runs one read and pushes its rows into an encoder. It knows no cache.
///
/// An implementation handles the differences between databases: column types, time limits,
/// sessions, and the expansion of `IN (?)`. A caller may cancel at any await by dropping the
/// future: afterwards no connection may hold the answer to another caller's query.
///
/// The feature `conformance` has a test suite of these rules for your own implementation.
#[async_trait]
pub trait QueryExecutor: Debug + Send + Sync + 'static {
    /// Runs `sql` on the primary in autocommit, with `params` bound to its `?` in order.
    ///
    /// A [`Value::List`](mrc_core::Value::List) takes one placeholder, `IN (?)`, which is expanded
    /// to one for each element. The executor announces the columns to `rows` once, before the first
    /// row, and also without rows. After an error discard `rows`: it holds a part of the answer.
    ///
    /// # Errors
    /// [`ExecuteError`]: the number of params doesn't fit, the server refused the statement, the
    /// server can't be reached, or a time limit passed.
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError>;

    /// Runs a read like [`query`](Self::query), if only the caller knows that the text is a read.
    /// Changes to the session must not reach a `query`.
    ///
    /// # Errors
    /// The errors of [`query`](Self::query).
    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError>;

    /// Runs any statement, including writes, like [`query`](Self::query). Returns what it wrote.
    ///
    /// Session changes must not reach a `query`: transactions, variables, locks, temporary tables.
    ///
    /// # Errors
    /// The errors of [`query`](Self::query).
    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError>;

    /// Begins a transaction on a connection of its own, which no other caller gets before its end.
    ///
    /// # Errors
    /// [`ExecuteError`]: the server can't be reached, or a time limit passed.
    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError>;

    /// Returns whether every session of [`query`](Self::query) has `IGNORE_SPACE` in its
    /// `sql_mode`. Then `COUNT (*)` calls the built-in function and may be cached. Default: false.
    fn ignores_space(&self) -> bool {
        false
    }

    /// Pings the database within a short time. A ping has no span, and isn't counted as a query.
    ///
    /// # Errors
    /// [`ExecuteError`]: the database can't be reached or is too slow, or the executor is closed.
    async fn ping(&self) -> Result<(), ExecuteError>;

    /// Closes all connections. Later queries return errors.
    async fn close(&self);
}

/// An open transaction on a connection of its own.
///
/// Dropping the transaction before [`commit`](Self::commit) or [`rollback`](Self::rollback) rolls
/// it back: its connection is closed, or rolled back before another caller gets it. Cancelling a
/// call of `execute` does the same, since the statement may or may not have run.
#[async_trait]
pub trait ExecutorTransaction: Debug + Send + 'static {
    /// Runs any statement in the transaction, like [`QueryExecutor::execute`] outside of one.
    ///
    /// # Errors
    /// - [`ExecuteError::TransactionOver`]: the transaction had ended, and nothing ran; or the
    ///   statement itself ended it. Detect both, or a later statement commits by itself.
    /// - Others: as for [`QueryExecutor::execute`].
    async fn execute(&mut self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError>;

    /// Commits the transaction.
    ///
    /// # Errors
    /// - [`ExecuteError::CommitUnknown`]: the transaction may be committed. If the server can be
    ///   asked, its connection has ended there by now.
    /// - [`ExecuteError::TransactionOver`]: what ran before a statement ended it may be committed.
    /// - Others: nothing is committed.
    async fn commit(self: Box<Self>) -> Result<(), ExecuteError>;

    /// Rolls the transaction back.
    ///
    /// # Errors
    /// [`ExecuteError::TransactionOver`]: a statement ended the transaction, and what ran before
    /// may be committed. After any other error the connection is closed, which also rolls back.
    async fn rollback(self: Box<Self>) -> Result<(), ExecuteError>;
}

/// The outcome of a statement that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Executed {
    /// The number of inserted, deleted or changed rows. MySQL and MariaDB omit rows that an
    /// `UPDATE` leaves unchanged, and count two for a row replaced by `REPLACE` or
    /// `ON DUPLICATE KEY UPDATE`. SQLite counts each row once.
    pub affected_rows: u64,
    /// The id that the database generated. For several rows MySQL and MariaDB return the first id,
    /// SQLite the last. `None` if no id was generated.
    pub last_insert_id: Option<u64>,
}
