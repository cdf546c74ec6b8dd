//! The executor as mrc's `QueryExecutor`, and its transactions. A transaction has its own
//! connection, which closes after the end.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use mrc_core::{Params, RowEncoder};
use mrc_store::driver::{Expanded, expand, may_be_committed, span, within};
use mrc_store::{ExecuteError, Executed, ExecutorTransaction, QueryExecutor};
use sqlx::mysql::MySqlConnection;
use sqlx::{Connection, Executor, Row};
use tokio::time::timeout;
use tracing::Instrument;

use crate::executor::SqlxExecutor;
use crate::failure::{failed, is_answer, is_whole, refused};
use crate::session::Session;

/// The time that [`close`](QueryExecutor::close) waits for running queries.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

#[async_trait]
impl QueryExecutor for SqlxExecutor {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let span = self.span(sql);
        let done = self.read(sql, params, rows).instrument(span.clone()).await;
        span::ended(&span, &done, rows);
        done
    }

    /// Runs like [`execute`](QueryExecutor::execute), in a session that may write.
    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.execute(sql, params, rows).await.map(drop)
    }

    /// Uses one of the reads' connections, then closes it. The service's pool writes at less cost.
    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        let span = self.span(sql);
        let done = self.write(sql, params, rows).instrument(span.clone()).await;
        span::ended(&span, &done, rows);
        done
    }

    /// Uses one of the reads' connections, and closes it after the end. Each statement costs one
    /// more round trip: sqlx doesn't report whether the transaction is still open.
    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        Ok(Box::new(begin(self.clone()).await?))
    }

    /// Uses a connection like a query. Takes at most the shorter of the two time-outs.
    async fn ping(&self) -> Result<(), ExecuteError> {
        let limit = self.sessions.acquire_timeout().min(self.sessions.query_timeout);
        let asked = async {
            let mut session = self.sessions.get().await?;
            session.conn()?.ping().await.map_err(failed)?;
            session.ended();
            Ok(())
        };
        within("the ping", limit, asked).await
    }

    /// Closes the reads' connections. The service's pool stays open.
    async fn close(&self) {
        // After the limit, each connection closes when its query ends.
        let _ = timeout(CLOSE_LIMIT, self.sessions.close()).await;
    }
}

/// The reads' sessions start read-only, so writes are allowed first.
const BEGIN: &str = "SET SESSION TRANSACTION READ WRITE; START TRANSACTION; SELECT CONNECTION_ID()";

/// A statement that both servers refuse, with this code, only while a transaction is open.
const PROBE: (&str, u32) = ("SET TRANSACTION READ WRITE", 1568);

pub(crate) struct SqlxTransaction {
    executor: SqlxExecutor,
    /// `None` after the end. A running call takes the session: cancelling it ends the transaction.
    session: Option<Session>,
    /// The connection's number at the server.
    connection: u64,
}

pub(crate) async fn begin(executor: SqlxExecutor) -> Result<SqlxTransaction, ExecuteError> {
    let mut session = executor.sessions.get().await?;
    let conn = session.conn()?;
    let asked = async {
        let rows = sqlx::raw_sql(BEGIN).fetch_all(conn).await.map_err(failed)?;
        let row = rows.first().ok_or_else(|| refused("the server didn't say its connection's number"))?;
        row.try_get_unchecked(0).map_err(failed)
    };
    let connection = executor.within_limit(asked).await?;
    Ok(SqlxTransaction { executor, session: Some(session), connection })
}

/// Returns whether a transaction is open. sqlx hides the server's status of each answer.
async fn is_open(conn: &mut MySqlConnection) -> Result<bool, ExecuteError> {
    let (probe, refusal) = PROBE;
    match conn.execute(probe).await.map_err(failed) {
        Ok(_) => Ok(false),
        Err(error) if error.server().is_some_and(|server| server.code == refusal) => Ok(true),
        Err(error) => Err(error),
    }
}

impl SqlxTransaction {
    async fn run(&mut self, statement: Expanded<'_>, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        let mut session = self.session.take().ok_or(ExecuteError::TransactionOver)?;
        let executor = &self.executor;
        let done = executor.within_limit(executor.run(session.conn()?, statement, rows)).await;
        if !is_whole(&done) && !done.as_ref().is_err_and(is_answer) {
            return done;
        }
        match executor.within_limit(is_open(session.conn()?)).await {
            Ok(true) => {
                self.session = Some(session);
                done
            }
            Ok(false) => done.and(Err(ExecuteError::TransactionOver)),
            Err(error) => done.and(Err(error)),
        }
    }

    async fn end(&mut self, command: &'static str) -> Result<(), ExecuteError> {
        let mut session = self.session.take().ok_or(ExecuteError::TransactionOver)?;
        let conn = session.conn()?;
        let ended = async { conn.execute(command).await.map(drop).map_err(failed) };
        self.executor.within_limit(ended).await
    }
}

#[async_trait]
impl ExecutorTransaction for SqlxTransaction {
    async fn execute(&mut self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        let statement = expand(sql, params)?;
        let span = self.executor.span(sql);
        let done = self.run(statement, rows).instrument(span.clone()).await;
        span::ended(&span, &done, rows);
        done
    }

    async fn commit(mut self: Box<Self>) -> Result<(), ExecuteError> {
        match self.end("COMMIT").await {
            Err(ExecuteError::TransactionOver) => Err(ExecuteError::TransactionOver),
            Err(error) if may_be_committed(&error) => {
                self.executor.sessions.end(self.connection).await;
                Err(ExecuteError::CommitUnknown(Box::new(error)))
            }
            done => done,
        }
    }

    async fn rollback(mut self: Box<Self>) -> Result<(), ExecuteError> {
        self.end("ROLLBACK").await
    }
}

impl fmt::Debug for SqlxTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlxTransaction").field("is_over", &self.session.is_none()).finish_non_exhaustive()
    }
}
