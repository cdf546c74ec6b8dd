//! The seam to the database.

#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(crate) mod span;

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
    /// does. What it leaves in its session must not reach a `query`. Default: `query`.
    ///
    /// # Errors
    /// [`ExecuteError`], as `query`.
    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.query(sql, params, rows).await
    }

    /// Runs any statement, also one that writes, as [`query`](Self::query) runs a read.
    ///
    /// What the statement leaves in its session (a transaction, variables, another database, temporary tables, locks) must
    /// not reach a `query`. Default: `query`.
    ///
    /// # Errors
    /// [`ExecuteError`], as `query`.
    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.query(sql, params, rows).await
    }

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
