//! A transaction of SQLite: a job that holds the connection's thread, and does the transaction's own jobs until they end.

use std::fmt;

use async_trait::async_trait;
use mrc_core::{Params, RowEncoder};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::jobs::{Job, Jobs, failed, statement, submit};
use crate::error::ExecuteError;
use crate::executor::{Executed, ExecutorTransaction};

pub(super) struct SqliteTransaction {
    /// `None`: the transaction is over. While a statement runs it has the sender, so a call that is cancelled ends the transaction.
    jobs: Option<Jobs>,
}

pub(super) async fn begin(jobs: &Jobs) -> Result<SqliteTransaction, ExecuteError> {
    let (own, mut queue) = mpsc::unbounded_channel::<Job>();
    let (begun, answer) = oneshot::channel();
    let hold: Job = Box::new(move |conn| {
        // Immediate: a transaction that reads first and writes later fails where another process has written meanwhile.
        let opened = conn.execute_batch("BEGIN IMMEDIATE").map_err(failed);
        if begun.send(opened).is_ok() {
            while let Some(job) = queue.blocking_recv() {
                job(conn);
            }
        }
        if !conn.is_autocommit() {
            // It fails only where SQLite has rolled back by itself.
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
            // An error that ended it says more.
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
