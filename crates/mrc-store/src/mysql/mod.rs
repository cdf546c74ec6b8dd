//! MySQL and MariaDB, by `mysql_async`: prepared statements, rows streamed into the encoder, a limit on every wait.

mod cells;
mod columns;
mod config;
mod failure;
mod json_columns;
mod session;
mod url;

use std::fmt;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use mrc_core::{Column, ColumnKind, Params, RowEncoder};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params as Values, Pool, Row};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tracing::Instrument;

pub use config::MySqlConfig;

use crate::error::ExecuteError;
use crate::executor::{QueryExecutor, span};
use crate::expand::{Expanded, expand};
use failure::{failed, refused};
use json_columns::JsonColumns;
use session::Session;

/// How long [`close`](QueryExecutor::close) waits for queries that still run.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Queries MySQL or MariaDB through a pool of connections.
///
/// Each query runs as a prepared statement, in autocommit. `IN (?)` takes a list.
///
/// A JSON column comes out as JSON, on MariaDB too, where it takes a look into the catalogue every five minutes a table: an
/// `ALTER TABLE` that makes text JSON is noticed after that time. There, JSON that isn't a column of a table comes out as
/// text: an expression, a column of a view or of a `UNION`.
///
/// A [`Decimal`](mrc_core::Decimal) is bound as text: the server compares it exactly with a `DECIMAL` it's stored to, but as a
/// double with an expression; write `CAST(? AS DECIMAL(65,30))` where more than 15 digits are compared.
///
/// Each query is a `tracing` span of level debug with OpenTelemetry's fields for databases: `db.operation.name`,
/// `db.query.summary`, `db.response.returned_rows`, `error.type` and so on. Its text and its params aren't among them.
///
/// The pool belongs to the runtime of its first query and must not outlive it.
pub struct MySqlExecutor {
    config: MySqlConfig,
    pool: Pool,
    /// One permit a connection: waiting for a permit is waiting for a connection, and what comes after is connecting.
    permits: Semaphore,
    json_columns: JsonColumns,
}

impl MySqlExecutor {
    /// An executor that connects at its first query. It needs no runtime.
    ///
    /// # Errors
    /// [`ExecuteError::Config`]: a setting can't be used, or the file of TLS authorities can't be read.
    pub fn new(config: MySqlConfig) -> Result<Self, ExecuteError> {
        let pool = Pool::new(config.opts()?);
        let permits = Semaphore::new(config.pool_max.min(Semaphore::MAX_PERMITS));
        Ok(Self { config, pool, permits, json_columns: JsonColumns::default() })
    }

    /// The pool itself, for what isn't a read. A connection that is taken here counts against `pool_max`.
    ///
    /// Leave its session as it was: connections aren't reset between uses. Waiting here has no limit.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    async fn read(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let statement = expand(sql, params)?;
        // Declared before the connection, hence dropped after it: whoever gets the permit finds the connection.
        let _permit = within("waiting for a connection", self.config.acquire_timeout, self.permit()).await?;
        let mut session = Session::new(self.connection().await?);
        let done = within("the query", self.config.query_timeout, self.run(session.conn()?, &statement, rows)).await;
        if matches!(done, Ok(()) | Err(ExecuteError::Refused(_) | ExecuteError::ParamCount { .. })) {
            session.ended();
        }
        done
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, ExecuteError> {
        self.permits.acquire().await.map_err(|_| ExecuteError::Closed)
    }

    async fn connection(&self) -> Result<Conn, ExecuteError> {
        match timeout(self.config.connect_timeout, self.pool.get_conn()).await {
            Ok(conn) => conn.map_err(failed),
            Err(_) => {
                // Taken by hand from the pool, or still draining an abandoned answer.
                let busy = self.pool.metrics().connections_in_use.load(Ordering::Relaxed) >= self.config.pool_max;
                let stage = if busy { "waiting for a connection" } else { "connecting to the database" };
                Err(ExecuteError::Timeout { stage, limit: self.config.connect_timeout })
            }
        }
    }

    async fn run(&self, conn: &mut Conn, statement: &Expanded<'_>, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let prepared = conn.prep(&*statement.sql).await.map_err(failed)?;
        if usize::from(prepared.num_params()) != statement.values.len() {
            let (placeholders, params) = (prepared.num_params().into(), statement.values.len());
            return Err(ExecuteError::ParamCount { placeholders, params });
        }
        let json = self.json_columns.among(conn, &prepared.columns()).await.map_err(failed)?;
        let values = match statement.values.as_slice() {
            [] => Values::Empty,
            values => Values::Positional(values.iter().map(|value| cells::bind(value)).collect()),
        };
        let mut result = conn.exec_iter(&prepared, values).await.map_err(failed)?;
        let columns = describe(result.columns_ref(), &json);
        rows.columns(&columns)?;
        let Some(mut stream) = result.stream::<Row>().await.map_err(failed)? else { return Ok(()) };
        while let Some(row) = stream.next().await {
            push(&row.map_err(failed)?, &columns, rows)?;
        }
        Ok(())
    }
}

#[async_trait]
impl QueryExecutor for MySqlExecutor {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let span = span::query(self.config.target(), sql);
        let done = self.read(sql, params, rows).instrument(span.clone()).await;
        span::ended(&span, &done, rows);
        done
    }

    /// It takes a connection of the pool as a query does, and as long as the shortest of the time-outs at most.
    async fn ping(&self) -> Result<(), ExecuteError> {
        let MySqlConfig { acquire_timeout, connect_timeout, query_timeout, .. } = self.config;
        let limit = acquire_timeout.min(connect_timeout).min(query_timeout);
        let asked = async {
            let _permit = self.permit().await?;
            let mut session = Session::new(self.connection().await?);
            session.conn()?.ping().await.map_err(failed)?;
            session.ended();
            Ok(())
        };
        within("the ping", limit, asked).await
    }

    async fn close(&self) {
        self.permits.close();
        // Past the limit the connections close as their queries end.
        let _ = timeout(CLOSE_LIMIT, self.pool.clone().disconnect()).await;
    }
}

async fn within<T>(
    stage: &'static str,
    limit: Duration,
    work: impl Future<Output = Result<T, ExecuteError>>,
) -> Result<T, ExecuteError> {
    let done = timeout(limit, work).await.unwrap_or(Err(ExecuteError::Timeout { stage, limit }));
    // The server's own limit is the same, and may be the first to pass.
    done.map_err(|error| if failure::is_server_limit(&error) { ExecuteError::Timeout { stage, limit } } else { error })
}

fn describe(columns: &[mysql_async::Column], json: &[bool]) -> Vec<Column> {
    let kind = |position: usize, column: &mysql_async::Column| match json.get(position) {
        // The table may have changed since the statement was prepared.
        Some(true) if columns::may_be_mariadb_json(column) => ColumnKind::Json,
        _ => columns::kind(column),
    };
    let columns = columns.iter().enumerate();
    columns.map(|(at, column)| Column::new(column.name_str(), kind(at, column)).in_table(column.table_str())).collect()
}

fn push(row: &Row, columns: &[Column], rows: &mut RowEncoder) -> Result<(), ExecuteError> {
    rows.begin_row();
    for (position, column) in columns.iter().enumerate() {
        let Some(value) = row.as_ref(position) else {
            return Err(refused("the server sent a row with too few values"));
        };
        let cell = cells::cell(column.kind, value)
            .map_err(|reason| ExecuteError::Cell { column: column.name.clone(), reason })?;
        rows.cell(cell)?;
    }
    rows.end_row();
    Ok(())
}

impl fmt::Debug for MySqlExecutor {
    // The pool prints its options, the password among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlExecutor").field("config", &self.config).finish_non_exhaustive()
    }
}
