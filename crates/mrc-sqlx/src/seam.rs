//! The executor as mrc's `QueryExecutor`.

use async_trait::async_trait;
use mrc_core::{Params, RowEncoder};
use mrc_store::driver::{span, within};
use mrc_store::{ExecuteError, Executed, ExecutorTransaction, QueryExecutor};
use sqlx::Connection;
use tokio::time::timeout;
use tracing::Instrument;

use crate::executor::SqlxExecutor;
use crate::failure::failed;
use crate::transaction;

/// The time that [`close`](QueryExecutor::close) waits for running queries.
const CLOSE_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

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
        Ok(Box::new(transaction::begin(self.clone()).await?))
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
