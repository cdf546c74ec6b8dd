//! A transaction of SQLite: a job that holds the connection's thread for the transaction's jobs.

use std::fmt;

use async_trait::async_trait;
use mrc_core::{Params, RowEncoder};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::jobs::{Job, Jobs, failed, statement, submit};
use crate::error::ExecuteError;
use crate::executor::{Executed, ExecutorTransaction};

pub(super) struct SqliteTransaction {
    /// `None` after the end, and while a statement runs: so its cancellation ends the transaction.
    jobs: Option<Jobs>,
}

pub(super) async fn begin(jobs: &Jobs) -> Result<SqliteTransaction, ExecuteError> {
    let (own, mut queue) = mpsc::unbounded_channel::<Job>();
    let (begun, answer) = oneshot::channel();
    let hold: Job = Box::new(move |conn| {
        // IMMEDIATE: a write after a read fails if another process has written meanwhile.
        let opened = conn.execute_batch("BEGIN IMMEDIATE").map_err(failed);
        if begun.send(opened).is_ok() {
            while let Some(job) = queue.blocking_recv() {
                job(conn);
            }
        }
        if !conn.is_autocommit() {
            // Fails only if SQLite has already rolled back.
            let _ = conn.execute_batch("ROLLBACK");
        }
    });
    jobs.send(hold).map_err(|_| ExecuteError::Closed)?;
    answer.await.map_err(|_| ExecuteError::Closed)??;
    Ok(SqliteTransaction { jobs: Some(own) })
}

impl SqliteTransaction {
    async fn end(mut self: Box<Self>, command: &'static str) -> Result<(), ExecuteError> {
        let jobs = self.jobs.take().ok_or(ExecuteError::TransactionOver)?;
        submit(&jobs, move |conn, _| conn.execute_batch(command).map_err(failed)).await?
    }
}

#[async_trait]
impl ExecutorTransaction for SqliteTransaction {
    async fn execute(&mut self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        let jobs = self.jobs.take().ok_or(ExecuteError::TransactionOver)?;
        let done = statement(&jobs, sql, params, rows).await;
        if submit(&jobs, |conn: &Connection, _| conn.is_autocommit()).await? {
            // The error that ended the transaction is more precise.
            return done.and(Err(ExecuteError::TransactionOver));
        }
        self.jobs = Some(jobs);
        done
    }

    async fn commit(self: Box<Self>) -> Result<(), ExecuteError> {
        self.end("COMMIT").await
    }

    async fn rollback(self: Box<Self>) -> Result<(), ExecuteError> {
        self.end("ROLLBACK").await
    }
}

impl fmt::Debug for SqliteTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteTransaction").field("is_over", &self.jobs.is_none()).finish()
    }
}
