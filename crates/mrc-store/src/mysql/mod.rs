//! MySQL and MariaDB, by `mysql_async`: rows stream into the encoder, and every wait has a limit.

mod cells;
mod columns;
mod config;
mod ending;
mod executor;
mod failure;
mod literal;
mod opts;
mod params;
mod pools;
mod session;
mod setup;
mod statement;
mod tls;
mod transaction;
mod url;

use std::time::Duration;

use async_trait::async_trait;
use mrc_core::{Params, RowEncoder};
use mysql_async::prelude::Queryable;
use tokio::time::timeout;
use tracing::Instrument;

pub use self::config::MySqlConfig;
pub use self::executor::MySqlExecutor;
pub use self::params::ParamMode;
pub use self::tls::TlsMode;

use self::failure::{broken, failed};
use crate::driver::within;
use crate::error::ExecuteError;
use crate::executor::{Executed, ExecutorTransaction, QueryExecutor, span};

/// The time for which [`close`](QueryExecutor::close) waits for running queries.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

#[async_trait]
impl QueryExecutor for MySqlExecutor {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let span = span::query(self.pools.target(), sql);
        let done = self.read(sql, params, rows, |home| &home.reads).instrument(span.clone()).await;
        span::ended(&span, &done, rows);
        done
    }

    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let span = span::query(self.pools.target(), sql);
        let done = self.read(sql, params, rows, |home| &home.callers).instrument(span.clone()).await;
        span::ended(&span, &done, rows);
        done
    }

    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        let span = span::query(self.pools.target(), sql);
        let done = self.write(sql, params, rows).instrument(span.clone()).await;
        span::ended(&span, &done, rows);
        done
    }

    /// Takes a connection of the callers' pool until the transaction ends.
    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        Ok(Box::new(transaction::begin(self.clone()).await?))
    }

    fn ignores_space(&self) -> bool {
        self.config().ignore_space
    }

    /// Takes a connection of the reads' pool. The shortest of the three limits counts.
    async fn ping(&self) -> Result<(), ExecuteError> {
        let MySqlConfig { acquire_timeout, connect_timeout, query_timeout, .. } = *self.config();
        let limit = acquire_timeout.min(connect_timeout).min(query_timeout);
        let asked = async {
            let home = self.pools.here();
            let mut session = self.session(&home, &home.reads).await?;
            session.conn()?.ping().await.map_err(|error| broken(self.pools.address(), failed(error)))?;
            session.ended();
            Ok(())
        };
        within("the ping", limit, asked).await
    }

    async fn close(&self) {
        // After the limit, the connections close when their queries end.
        let _ = timeout(CLOSE_LIMIT, self.pools.close()).await;
    }
}
