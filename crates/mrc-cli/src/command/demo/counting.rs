//! An executor around another executor, which counts the queries that reach the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use mrc::Params;
use mrc::errors::ExecuteError;
use mrc::rows::RowEncoder;
use mrc::store::{Executed, ExecutorTransaction, QueryExecutor};

/// Counts the queries that reach a database. Clones share the database and the count.
#[derive(Debug)]
pub(super) struct Counting<E> {
    database: Arc<E>,
    queries: Arc<AtomicU64>,
}

impl<E> Counting<E> {
    pub(super) fn new(database: E) -> Self {
        Self { database: Arc::new(database), queries: Arc::default() }
    }

    /// Returns the number of queries that have reached the database.
    pub(super) fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }
}

impl<E> Clone for Counting<E> {
    fn clone(&self) -> Self {
        Self { database: Arc::clone(&self.database), queries: Arc::clone(&self.queries) }
    }
}

#[async_trait]
impl<E: QueryExecutor> QueryExecutor for Counting<E> {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        self.database.query(sql, params, rows).await
    }

    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        self.database.query_trusted(sql, params, rows).await
    }

    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        self.database.execute(sql, params, rows).await
    }

    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        self.database.begin().await
    }

    async fn ping(&self) -> Result<(), ExecuteError> {
        self.database.ping().await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}
