//! The executor at the seam of mrc.

use async_trait::async_trait;
use mrc_core::{Params, RowEncoder};
use mrc_store::driver::span;
use mrc_store::{ExecuteError, Executed, ExecutorTransaction, QueryExecutor};
use sqlx::Connection;
use tokio::time::timeout;
use tracing::Instrument;

use crate::executor::{SqlxExecutor, within};
use crate::failure::failed;
use crate::transaction;

/// How long [`close`](QueryExecutor::close) waits for queries that still run.
const CLOSE_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

#[async_trait]
impl QueryExecutor for SqlxExecutor {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let span = self.span(sql);
        let done = self.read(sql, params, rows).instrument(span.clone()).await;
        span::ended(&span, &done, rows);
        done
    }

    /// As [`execute`](QueryExecutor::execute), in a session that may write.
    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        self.execute(sql, params, rows).await.map(drop)
    }

    /// It takes one of the reads' connections, which is closed after it. A service writes by its own pool at less cost.
    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        let span = self.span(sql);
        let done = self.write(sql, params, rows).instrument(span.clone()).await;
        span::ended(&span, &done, rows);
        done
    }

    /// It takes one of the reads' connections, which is closed after the end. Each statement costs a round trip more, since sqlx doesn't tell
    /// whether the transaction is still open.
    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        Ok(Box::new(transaction::begin(self.clone()).await?))
    }

    /// It takes a connection as a query does, and as long as the shorter of the time-outs at most.
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
        // Past the limit the connections close as their queries end.
        let _ = timeout(CLOSE_LIMIT, self.sessions.close()).await;
    }
}
