//! The executor: each call uses one session, and each wait has a limit.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::{StreamExt, TryStreamExt};
use mrc_core::{Column, Params, RowEncoder};
use mysql_async::consts::StatusFlags;
use mysql_async::prelude::{Protocol, Queryable};
use mysql_async::{Conn, Params as Values, Pool, QueryResult, Row, Value};
use tokio::time::timeout;

use super::columns::{self, JsonColumns};
use super::config::MySqlConfig;
use super::failure::{broken, connecting, failed, is_whole, refused};
use super::params::Call;
use super::pools::{Home, Lane, Pools};
use super::session::Session;
use super::{cells, statement};
use crate::driver::within;
use crate::error::ExecuteError;
use crate::executor::Executed;
use crate::expand::Expanded;

/// Queries MySQL or MariaDB through connection pools.
///
/// Each query runs in autocommit: as a prepared statement, or as text for the row formats of the
/// peers (see [`MySqlConfig::param_mode`]). `IN (?)` takes a list.
///
/// [`query`](crate::QueryExecutor::query) and [`execute`](crate::QueryExecutor::execute) use
/// separate connections: see [`MySqlConfig::pool_max`]. Session state of `execute` or
/// [`pool`](Self::pool) never reaches a `query`. The server refuses writes by `query` with error
/// 1792: see [`MySqlConfig::read_only`]. [`query_trusted`](crate::QueryExecutor::query_trusted) may
/// write: its session is like that of `execute`.
///
/// `KILL QUERY` ends a cancelled or timed-out query at the server, which needs no privilege. Until
/// then its connection counts against `pool_max`.
///
/// JSON columns return JSON. On MariaDB this takes a catalogue query every five minutes for each
/// list of columns selected from a table. An `ALTER TABLE` from `LONGTEXT COLLATE utf8mb4_bin` to
/// JSON is noticed after that time, any other at once. Other JSON on MariaDB is text: expressions,
/// columns of views or of a `UNION`.
///
/// A [`Decimal`](mrc_core::Decimal) in a prepared statement is text, which servers compare exactly
/// with a `DECIMAL`, but as a double with an expression. Above 15 digits write `CAST(? AS
/// DECIMAL(65,30))`.
///
/// Each query has a debug-level `tracing` span with OpenTelemetry's database fields, without text
/// and params: `db.operation.name`, `db.query.summary`, `error.type` and others.
///
/// Each tokio runtime has its own connections, which end with it.
///
/// Cloning is cheap: all clones share the connections.
#[derive(Clone)]
pub struct MySqlExecutor {
    pub(super) pools: Arc<Pools>,
    json_columns: Arc<JsonColumns>,
}

impl MySqlExecutor {
    /// Returns an executor that connects at its first query. It needs no runtime.
    ///
    /// # Errors
    /// [`ExecuteError::Config`]: a setting can't be used, or the TLS authorities can't be read.
    pub fn new(config: MySqlConfig) -> Result<Self, ExecuteError> {
        Ok(Self { pools: Arc::new(Pools::new(config)?), json_columns: Arc::default() })
    }

    /// Returns an executor over an existing pool of the service, with the default settings.
    /// [`MySqlConfig::from_pool`] has the details, and takes other settings.
    ///
    /// # Errors
    /// The errors of [`new`](Self::new).
    pub fn with_pool(pool: Pool) -> Result<Self, ExecuteError> {
        Self::new(MySqlConfig::from_pool(pool))
    }

    /// Returns this runtime's pool for [`execute`](crate::QueryExecutor::execute) and the service.
    ///
    /// A returned connection is reset: transaction, variables, temporary tables, locks, the
    /// configured database. Two things remain for its next user: the role of a `SET ROLE`, and the
    /// database of a `USE` if none is configured. Waiting for a connection has no limit.
    pub fn pool(&self) -> Pool {
        self.pools.here().callers.pool.clone()
    }

    pub(super) fn config(&self) -> &MySqlConfig {
        &self.pools.config
    }

    pub(super) async fn read(
        &self,
        sql: &str,
        params: &Params,
        rows: &mut RowEncoder,
        lane: fn(&Home) -> &Lane,
    ) -> Result<(), ExecuteError> {
        let call = Call::new(self.config().param_mode, sql, params, rows.format())?;
        let home = self.pools.here();
        let mut session = self.session(&home, lane(&home)).await?;
        let done = self.within_limit(self.run(session.conn()?, call, rows)).await;
        let done = match (&done, session.conn()?.last_ok_packet()) {
            (Ok(()), Some(ok)) if !is_autocommit(ok.status_flags()) => Err(ExecuteError::Session),
            _ => done,
        };
        leave(session, &done);
        done
    }

    pub(super) async fn write(
        &self,
        sql: &str,
        params: &Params,
        rows: &mut RowEncoder,
    ) -> Result<Executed, ExecuteError> {
        let call = Call::new(self.config().param_mode, sql, params, rows.format())?;
        let home = self.pools.here();
        let mut session = self.session(&home, &home.callers).await?;
        let done = self.within_limit(self.run(session.conn()?, call, rows)).await;
        let written = written(session.conn()?);
        leave(session, &done);
        done.map(|()| written)
    }

    pub(super) async fn within_limit<T>(
        &self,
        work: impl Future<Output = Result<T, ExecuteError>>,
    ) -> Result<T, ExecuteError> {
        let done = within("the query", self.config().query_timeout, work).await;
        done.map_err(|error| broken(self.pools.address(), error))
    }

    pub(super) async fn session(&self, home: &Arc<Home>, lane: &Lane) -> Result<Session, ExecuteError> {
        let permits = Arc::clone(&lane.permits).acquire_owned();
        let permit = async { permits.await.map_err(|_| ExecuteError::Closed) };
        let permit = within("waiting for a connection", self.config().acquire_timeout, permit).await?;
        let opened = async {
            let conn = lane.pool.get_conn().await.map_err(failed)?;
            self.pools.saw(&conn);
            let mut session = Session::new(conn, permit, Arc::clone(home));
            lane.prepare(session.conn()?).await?;
            Ok(session)
        };
        let MySqlConfig { connect_timeout, pool_max, .. } = *self.config();
        match timeout(connect_timeout, opened).await {
            Ok(opened) => opened.map_err(|error| connecting(self.pools.address(), error)),
            Err(_) => {
                // Taken directly from the pool, or being reset. A foreign pool hides its maximum.
                let in_use = lane.pool.metrics().connections_in_use.load(Ordering::Relaxed);
                let busy = lane.is_own() || in_use >= pool_max;
                let stage = if busy { "waiting for a connection" } else { "connecting to the database" };
                let address = self.pools.address().filter(|_| !busy);
                Err(ExecuteError::Timeout { stage, limit: connect_timeout, address })
            }
        }
    }

    pub(super) async fn run(&self, conn: &mut Conn, call: Call<'_>, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let late = match call {
            Call::Prepared(statement) => self.run_prepared(conn, &statement, rows).await?,
            Call::Text(call) => {
                let text = call.for_session(conn).await?;
                let result = conn.query_iter(text).await.map_err(failed)?;
                self.read_rows(result, rows).await?
            }
        };
        let Some(Late { columns, waiting }) = late else { return Ok(()) };
        let json = self.json_columns.among(conn, &columns).await.map_err(failed)?;
        let columns = describe(&columns, &json);
        rows.columns(&columns)?;
        waiting.iter().try_for_each(|row| push(row, &columns, rows))
    }

    async fn run_prepared(
        &self,
        conn: &mut Conn,
        statement: &Expanded<'_>,
        rows: &mut RowEncoder,
    ) -> Result<Option<Late>, ExecuteError> {
        let values: Vec<Value> = statement.values.iter().map(|value| cells::bind(value)).collect();
        let prepared = conn.prep(statement::keyed(&statement.sql, &values)).await.map_err(failed)?;
        if usize::from(prepared.num_params()) != values.len() {
            let (placeholders, params) = (prepared.num_params().into(), values.len());
            return Err(ExecuteError::ParamCount { placeholders, params });
        }
        let is_kept = statement::is_kept(conn, &prepared, &values);
        let values = if values.is_empty() { Values::Empty } else { Values::Positional(values) };
        let execution = async {
            let result = conn.exec_iter(&prepared, values).await.map_err(failed)?;
            self.read_rows(result, rows).await
        };
        let done = execution.await;
        if !is_kept && is_whole(&done) {
            conn.close(prepared).await.map_err(failed)?;
        }
        done
    }

    /// Reads an answer to its end. Returns the rows that the encoder can't take yet.
    async fn read_rows<P: Protocol + Unpin>(
        &self,
        mut result: QueryResult<'_, 'static, P>,
        rows: &mut RowEncoder,
    ) -> Result<Option<Late>, ExecuteError> {
        let json = self.json_columns.known(result.columns_ref());
        let mut late = None;
        if let Some(json) = json {
            let columns = describe(result.columns_ref(), &json);
            rows.columns(&columns)?;
            if let Some(mut stream) = result.stream::<Row>().await.map_err(failed)? {
                while let Some(row) = stream.next().await {
                    push(&row.map_err(failed)?, &columns, rows)?;
                }
            }
        } else {
            // The catalogue can't be queried before the answer is read to its end.
            let columns = result.columns_ref().to_vec();
            let waiting = match result.stream::<Row>().await.map_err(failed)? {
                Some(stream) => stream.try_collect().await.map_err(failed)?,
                None => Vec::new(),
            };
            late = Some(Late { columns, waiting });
        }
        let has_more = !result.columns_ref().is_empty();
        // Results without rows belong to the answer: a procedure may fail after its first SELECT.
        result.drop_result().await.map_err(failed)?;
        if has_more { Err(ExecuteError::SeveralResults) } else { Ok(late) }
    }
}

/// An answer whose columns must first be looked up in the catalogue.
struct Late {
    columns: Vec<mysql_async::Column>,
    waiting: Vec<Row>,
}

pub(super) fn written(conn: &Conn) -> Executed {
    // The server reports "no id" as 0.
    let last_insert_id = conn.last_insert_id().filter(|id| *id > 0);
    Executed { affected_rows: conn.affected_rows(), last_insert_id }
}

/// Returns the session to its pool, or ends what may still run in it.
pub(super) fn leave(session: Session, done: &Result<(), ExecuteError>) {
    match done {
        done if is_whole(done) => session.ended(),
        Err(ExecuteError::Session) => session.close(),
        // The server answered, so the statement has ended there.
        Err(error) if error.server().is_some() => session.close(),
        _ => drop(session),
    }
}

/// Returns whether a session can only have read committed data.
fn is_autocommit(status: StatusFlags) -> bool {
    let open = StatusFlags::SERVER_STATUS_IN_TRANS | StatusFlags::SERVER_STATUS_IN_TRANS_READONLY;
    status.contains(StatusFlags::SERVER_STATUS_AUTOCOMMIT) && !status.intersects(open)
}

fn describe(columns: &[mysql_async::Column], json: &[bool]) -> Vec<Column> {
    let is_json = |at| json.get(at).copied().unwrap_or_default();
    columns.iter().enumerate().map(|(at, column)| columns::described(column, is_json(at))).collect()
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
    // The pools' `Debug` output includes their options with the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlExecutor").field("config", self.config()).finish_non_exhaustive()
    }
}
