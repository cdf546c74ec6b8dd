//! The executor.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use mrc_core::{Column, Params, RowEncoder};
use mrc_store::driver::span::{self, Target};
use mrc_store::driver::{Expanded, expand, within};
use mrc_store::{ExecuteError, Executed};
use sqlx::mysql::{MySqlArguments, MySqlConnection, MySqlRow};
use sqlx::{Arguments, AssertSqlSafe, Either, Executor, MySqlPool, Row, SqlSafeStr, Statement};
use tracing::Span;

use crate::columns::{Described, JsonColumns, describe};
use crate::failure::{failed, is_whole, refused};
use crate::session::Sessions;
use crate::values::{self, Bound};

/// Queries MySQL or MariaDB through sqlx. The answers equal those of `MySqlExecutor` with
/// `ParamMode::Prepared` byte for byte, with these [exceptions](crate#rows-that-differ).
///
/// Cheap to clone: all clones share the connections.
///
/// # Sessions
/// Reads have their own connections, which open like those of the service's pool: same server,
/// user, TLS, limits and time-outs. Nothing that the service leaves in a session (a transaction, a
/// variable, another database) reaches a cached read. The pool's hooks (`after_connect` and so on)
/// don't run. `time_zone`, `sql_mode` and the collation are those of `MySqlExecutor`:
///
/// | | the service's pool, by sqlx's defaults | the reads' sessions |
/// |---|---|---|
/// | `time_zone` | `+00:00` | the server's, or [`time_zone`](Self::time_zone) |
/// | `sql_mode` | the server's, `PIPES_AS_CONCAT`, `NO_ENGINE_SUBSTITUTION`, `IGNORE_SPACE` | the server's |
/// | collation | the server's default of `utf8mb4` | `utf8mb4_general_ci` |
/// | time limit of a statement | none | [`query_timeout`](Self::query_timeout) |
/// | allowed statements | all | reads only: the server refuses a write with error 1792 |
///
/// To give the service's own queries the same answers, set these options on its
/// `MySqlConnectOptions`: `timezone(None)`, `pipes_as_concat(false)`,
/// `no_engine_substitution(false)`, `collation("utf8mb4_general_ci")`.
///
/// New connections for reads follow the pool's `set_connect_options`.
///
/// # Statements
/// Each query runs as a prepared statement, in autocommit, in a `tracing` span. `IN (?)` takes a
/// list. The statement is closed after the query, so that no later query gets an answer by the
/// types of earlier params. This costs one round trip more than `MySqlExecutor`. An answer without
/// rows costs two more. On MariaDB, the first answer with a JSON column waits for a look at the
/// catalogue, every 5 minutes. JSON that isn't a column of a table is returned as text there.
///
/// # Limits
/// Waiting for a connection, including its opening, takes at most the pool's `acquire_timeout`.
/// While nothing listens at the port, sqlx retries for that time, then returns a `Timeout`.
/// `MySqlExecutor` returns `Unavailable` at once. A cancelled query closes its connection. The
/// server ends the query by its time limit. The reads' connections belong to the runtime of the
/// first query, and must not outlive it.
#[derive(Clone)]
#[must_use = "an executor does nothing until a client gets it"]
pub struct SqlxExecutor {
    pub(crate) sessions: Sessions,
    json_columns: Arc<JsonColumns>,
}

impl SqlxExecutor {
    /// Returns an executor that connects at its first query, like this pool. Needs no runtime.
    pub fn new(pool: MySqlPool) -> Self {
        Self { sessions: Sessions::new(pool), json_columns: Arc::default() }
    }

    /// Sets the maximum of connections for reads. Default: the maximum of the service's pool.
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.sessions.max_connections = Some(connections.max(1));
        self
    }

    /// Sets the time limit of a query, until its last row is read. The server gets the same limit.
    /// Default: 30 seconds.
    pub fn query_timeout(mut self, limit: Duration) -> Self {
        self.sessions.query_timeout = limit;
        self
    }

    /// Sets the time zone of each session, such as `+00:00`. Default: the server's. Services that
    /// share entries must use the same zone: `TIMESTAMP` columns and `NOW()` depend on it.
    pub fn time_zone(mut self, zone: impl Into<String>) -> Self {
        self.sessions.time_zone = Some(zone.into());
        self
    }

    /// Returns the service's pool, for the service's own statements and transactions.
    pub fn pool(&self) -> &MySqlPool {
        &self.sessions.service
    }

    pub(crate) async fn read(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        let statement = expand(sql, params)?;
        let mut session = self.sessions.get().await?;
        let done = self.within_limit(self.run(session.conn()?, statement, rows)).await;
        if is_whole(&done) && leaves_the_session(sql) {
            session.ended();
        }
        done.map(drop)
    }

    /// Runs a statement that may write. Its session closes afterwards, because sqlx can't reset it.
    pub(crate) async fn write(
        &self,
        sql: &str,
        params: &Params,
        rows: &mut RowEncoder,
    ) -> Result<Executed, ExecuteError> {
        let statement = expand(sql, params)?;
        let mut session = self.sessions.get().await?;
        let conn = session.conn()?;
        let write = async {
            conn.execute("SET SESSION TRANSACTION READ WRITE").await.map_err(failed)?;
            self.run(conn, statement, rows).await
        };
        self.within_limit(write).await
    }

    pub(crate) async fn within_limit<T>(
        &self,
        work: impl Future<Output = Result<T, ExecuteError>>,
    ) -> Result<T, ExecuteError> {
        within("the query", self.sessions.query_timeout, work).await
    }

    pub(crate) fn span(&self, sql: &str) -> Span {
        let options = self.sessions.service.connect_options();
        let socket = options.get_socket().and_then(|path| path.to_str());
        let (address, port) = socket.map_or((options.get_host(), Some(options.get_port())), |path| (path, None));
        span::query(Target { system: "mysql", namespace: options.get_database(), address: Some(address), port }, sql)
    }

    pub(crate) async fn run(
        &self,
        conn: &mut MySqlConnection,
        statement: Expanded<'_>,
        rows: &mut RowEncoder,
    ) -> Result<Executed, ExecuteError> {
        let mut bound = MySqlArguments::default();
        for value in statement.values {
            bound.add(Bound(value)).map_err(ExecuteError::Refused)?;
        }
        let sql = AssertSqlSafe(statement.sql.into_owned()).into_sql_str();
        let mut columns: Option<Vec<Described>> = None;
        let mut waiting = Vec::new();
        let (mut written, mut ends, mut has_more) = (Executed::default(), 0, false);
        let query = sqlx::query_with(sql.clone(), bound).persistent(false);
        let mut answer = Executor::fetch_many(&mut *conn, query);
        while let Some(item) = answer.try_next().await.map_err(failed)? {
            let row = match item {
                Either::Right(row) if ends == 0 => row,
                // Rows of later results are read, but ignored, so that a procedure runs to its end.
                Either::Right(_) => {
                    has_more = true;
                    continue;
                }
                Either::Left(end) => {
                    ends += 1;
                    // The server sends 0 if there is no id.
                    let last_insert_id = Some(end.last_insert_id()).filter(|id| *id > 0);
                    written = Executed { affected_rows: end.rows_affected(), last_insert_id };
                    continue;
                }
            };
            match &columns {
                Some(_) if !waiting.is_empty() => waiting.push(row),
                Some(columns) => push(&row, columns, rows)?,
                None => {
                    let mut described = describe(row.columns()).map_err(refused)?;
                    if self.json_columns.apply(&mut described) {
                        announce(&described, rows)?;
                        push(&row, &described, rows)?;
                    } else {
                        // The catalogue can't be queried while the answer is on the wire.
                        waiting.push(row);
                    }
                    columns = Some(described);
                }
            }
        }
        drop(answer);
        // A procedure with one SELECT ends twice.
        if has_more || ends > 2 {
            return Err(ExecuteError::SeveralResults);
        }
        match columns {
            // sqlx returns columns only with rows, so the statement is prepared for their names.
            None => {
                let prepared = conn.prepare(sql).await.map_err(failed)?;
                announce(&describe(prepared.columns()).map_err(refused)?, rows)?;
            }
            Some(mut columns) if !waiting.is_empty() => {
                self.json_columns.ask(conn, &mut columns).await.map_err(failed)?;
                announce(&columns, rows)?;
                waiting.iter().try_for_each(|row| push(row, &columns, rows))?;
            }
            Some(_) => {}
        }
        Ok(written)
    }
}

const READS: [&str; 8] = ["SELECT", "WITH", "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "VALUES", "TABLE"];

/// Returns whether the text begins like a statement that leaves its session unchanged. After any
/// other statement, such as `SET` or `CALL`, the connection closes, because sqlx can't reset it.
fn leaves_the_session(sql: &str) -> bool {
    let sql = sql.trim_start_matches(|ch: char| ch.is_whitespace() || ch == '(');
    let first = sql.split(|ch: char| !ch.is_ascii_alphabetic()).next().unwrap_or_default();
    READS.iter().any(|word| word.eq_ignore_ascii_case(first))
}

fn announce(columns: &[Described], rows: &mut RowEncoder) -> Result<(), ExecuteError> {
    let columns: Vec<Column> = columns.iter().map(|described| described.column.clone()).collect();
    Ok(rows.columns(&columns)?)
}

fn push(row: &MySqlRow, columns: &[Described], rows: &mut RowEncoder) -> Result<(), ExecuteError> {
    rows.begin_row();
    for (position, Described { column, layout, .. }) in columns.iter().enumerate() {
        let value = row.try_get_raw(position).map_err(failed)?;
        let cell = values::cell(column.kind, *layout, value)
            .map_err(|reason| ExecuteError::Cell { column: column.name.clone(), reason })?;
        rows.cell(cell)?;
    }
    rows.end_row();
    Ok(())
}

impl fmt::Debug for SqlxExecutor {
    // The pool's options are left out: their `Debug` prints the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlxExecutor").field("query_timeout", &self.sessions.query_timeout).finish_non_exhaustive()
    }
}
