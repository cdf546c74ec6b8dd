//! SQLite, by `rusqlite`: a database without a server, for tests and the demo.

mod transaction;
mod values;

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mrc_core::{Column, Params, RowEncoder};
use rusqlite::types::Value as Bound;
use rusqlite::{Connection, ErrorCode, Row, ffi};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::Instrument;

use crate::error::{ExecuteError, ServerError, ServerErrorKind};
use crate::executor::span::Target;
use crate::executor::{Executed, ExecutorTransaction, QueryExecutor, span};
use crate::expand::expand;

/// How long a ping, or a close, waits for the queries before it.
const PING_LIMIT: Duration = Duration::from_secs(5);

/// What the spans of the queries say.
const TARGET: Target<'_> = Target { system: "sqlite", namespace: None, address: None, port: None };

/// Queries SQLite through one connection, which lives on a thread of its own and runs one query at a time.
///
/// Values are what they are in SQLite, whatever their column declares; text is read as the declared type where it can be:
/// `DECIMAL(10,2)`, `DATE`, `DATETIME(3)`, `TIME`, `JSON`. There is no time limit on a query; one that nobody waits for any
/// more ends at its next row. A transaction has the connection for itself: all other queries wait until it has ended.
///
/// ```
/// use mrc_core::{RowEncoder, RowFormat, params};
/// use mrc_store::{QueryExecutor, SqliteExecutor};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mrc_store::ExecuteError> {
/// let shop = SqliteExecutor::in_memory()?;
/// shop.execute_batch("CREATE TABLE orders (id INTEGER, state TEXT); INSERT INTO orders VALUES (1, 'open')").await?;
///
/// let mut rows = RowEncoder::new(RowFormat::Canonical);
/// shop.query("SELECT * FROM orders WHERE state IN (?)", &params! { "State" => ["open", "paid"] }, &mut rows).await?;
/// # Ok(())
/// # }
/// ```
pub struct SqliteExecutor {
    jobs: Mutex<Option<Jobs>>,
}

type Jobs = mpsc::UnboundedSender<Job>;
type Job = Box<dyn FnOnce(&Connection) + Send>;

impl SqliteExecutor {
    /// A database in memory, empty. It goes with the executor.
    ///
    /// # Errors
    /// [`ExecuteError::Unavailable`]: there is no memory or no thread for it.
    pub fn in_memory() -> Result<Self, ExecuteError> {
        Self::on(Connection::open_in_memory())
    }

    /// The database in the file `path`, which is created if there is none.
    ///
    /// # Errors
    /// [`ExecuteError::Unavailable`]: the file can't be opened, or there is no thread for it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ExecuteError> {
        Self::on(Connection::open(path))
    }

    /// Runs statements separated by `;`, such as a schema and its data.
    ///
    /// # Errors
    /// [`ExecuteError::Refused`]: a statement failed; those before it have run.
    pub async fn execute_batch(&self, sql: impl Into<String>) -> Result<(), ExecuteError> {
        let sql = sql.into();
        self.run(move |conn, _| conn.execute_batch(&sql).map_err(failed)).await?
    }

    fn on(opened: rusqlite::Result<Connection>) -> Result<Self, ExecuteError> {
        let conn = opened.map_err(|error| ExecuteError::Unavailable(Box::new(error)))?;
        let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
        let work = move || {
            while let Some(job) = queue.blocking_recv() {
                job(&conn);
            }
        };
        // It ends when the executor, which holds the sender, is closed or dropped.
        std::thread::Builder::new()
            .name("mrc-sqlite".into())
            .spawn(work)
            .map_err(|error| ExecuteError::Unavailable(Box::new(error)))?;
        Ok(Self { jobs: Mutex::new(Some(jobs)) })
    }

    fn jobs(&self) -> Result<Jobs, ExecuteError> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(ExecuteError::Closed)
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection, &dyn Fn() -> bool) -> T + Send + 'static,
    ) -> Result<T, ExecuteError> {
        submit(&self.jobs()?, job).await
    }
}

/// Has a statement run on the connection's thread, in a span of its own.
async fn statement(jobs: &Jobs, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
    let span = span::query(TARGET, sql);
    let done = run_statement(jobs, sql, params, rows).instrument(span.clone()).await;
    span::ended(&span, &done, rows);
    done
}

async fn run_statement(
    jobs: &Jobs,
    sql: &str,
    params: &Params,
    rows: &mut RowEncoder,
) -> Result<Executed, ExecuteError> {
    let statement = expand(sql, params)?;
    let values = statement.values.iter().enumerate().map(|(at, value)| values::bind(at + 1, value));
    let values = values.collect::<Result<Vec<_>, _>>()?;
    let sql = statement.sql.into_owned();
    // The encoder travels to the thread and back, as the thread can't borrow it.
    let mut encoder = std::mem::replace(rows, RowEncoder::new(rows.format()));
    let job = move |conn: &Connection, abandoned: &dyn Fn() -> bool| {
        let before = conn.total_changes();
        let done = select(conn, &sql, values, &mut encoder, abandoned).map(|()| written(conn, &sql, before));
        (encoder, done)
    };
    let (encoder, done) = submit(jobs, job).await?;
    *rows = encoder;
    done
}

/// What a statement wrote. SQLite's own counts are those of the last statement that wrote.
fn written(conn: &Connection, sql: &str, before: u64) -> Executed {
    if conn.total_changes() == before {
        return Executed::default();
    }
    let inserts = ["INSERT", "REPLACE"]
        .iter()
        .any(|word| sql.trim_start().get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word)));
    let last_insert_id = if inserts { u64::try_from(conn.last_insert_rowid()).ok() } else { None };
    Executed { affected_rows: conn.changes(), last_insert_id }
}

/// Has `job` done on the connection's thread. It is told how to ask whether anybody still waits.
async fn submit<T: Send + 'static>(
    jobs: &Jobs,
    job: impl FnOnce(&Connection, &dyn Fn() -> bool) -> T + Send + 'static,
) -> Result<T, ExecuteError> {
    let (reply, answer) = oneshot::channel();
    let job = Box::new(move |conn: &Connection| {
        if !reply.is_closed() {
            let done = job(conn, &|| reply.is_closed());
            // Who went away meanwhile doesn't want it.
            let _ = reply.send(done);
        }
    });
    jobs.send(job).map_err(|_| ExecuteError::Closed)?;
    answer.await.map_err(|_| ExecuteError::Closed)
}

#[async_trait]
impl QueryExecutor for SqliteExecutor {
    async fn query(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        statement(&self.jobs()?, sql, params, rows).await.map(drop)
    }

    async fn query_trusted(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<(), ExecuteError> {
        statement(&self.jobs()?, sql, params, rows).await.map(drop)
    }

    async fn execute(&self, sql: &str, params: &Params, rows: &mut RowEncoder) -> Result<Executed, ExecuteError> {
        statement(&self.jobs()?, sql, params, rows).await
    }

    async fn begin(&self) -> Result<Box<dyn ExecutorTransaction>, ExecuteError> {
        Ok(Box::new(transaction::begin(&self.jobs()?).await?))
    }

    async fn ping(&self) -> Result<(), ExecuteError> {
        // A look at the schema reads the file each time, unlike a constant.
        let look = |conn: &Connection, _: &dyn Fn() -> bool| {
            conn.execute_batch("SELECT 1 FROM sqlite_master LIMIT 1").map_err(failed)
        };
        match timeout(PING_LIMIT, self.run(look)).await {
            Ok(answered) => answered?,
            Err(_) => Err(ExecuteError::Timeout { stage: "the ping", limit: PING_LIMIT, address: None }),
        }
    }

    async fn close(&self) {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(jobs) = jobs {
            // Behind all the others: when it's done, so are they. Only a transaction may be open for longer.
            let _ = timeout(PING_LIMIT, submit(&jobs, |_, _| ())).await;
        }
    }
}

fn select(
    conn: &Connection,
    sql: &str,
    values: Vec<Bound>,
    rows: &mut RowEncoder,
    abandoned: &dyn Fn() -> bool,
) -> Result<(), ExecuteError> {
    let mut statement = conn.prepare(sql).map_err(failed)?;
    if statement.parameter_count() != values.len() {
        return Err(ExecuteError::ParamCount { placeholders: statement.parameter_count(), params: values.len() });
    }
    for (at, value) in values.into_iter().enumerate() {
        statement.raw_bind_parameter(at + 1, value).map_err(failed)?;
    }
    let declared: Vec<(String, Option<String>)> = statement
        .columns()
        .iter()
        .map(|column| (column.name().to_owned(), column.decl_type().map(str::to_uppercase)))
        .collect();
    let mut found = statement.raw_query();
    let mut row = found.next().map_err(failed)?;
    // An expression declares no type: its first value stands for it.
    let columns: Vec<Column> = declared
        .into_iter()
        .enumerate()
        .map(|(at, (name, declared))| {
            let first = row.and_then(|row| row.get_ref(at).ok());
            Column::new(name, declared.map_or_else(|| values::kind_of(first), |declared| values::declared(&declared)))
        })
        .collect();
    rows.columns(&columns)?;
    while let Some(values) = row {
        push(values, &columns, rows)?;
        if abandoned() {
            break;
        }
        row = found.next().map_err(failed)?;
    }
    Ok(())
}

fn push(row: &Row<'_>, columns: &[Column], rows: &mut RowEncoder) -> Result<(), ExecuteError> {
    rows.begin_row();
    for (at, column) in columns.iter().enumerate() {
        let value = row.get_ref(at).map_err(failed)?;
        let cell = values::cell(column.kind, value)
            .map_err(|reason| ExecuteError::Cell { column: column.name.clone(), reason })?;
        rows.cell(cell)?;
    }
    rows.end_row();
    Ok(())
}

fn failed(error: rusqlite::Error) -> ExecuteError {
    use rusqlite::Error::{SqlInputError, SqliteFailure};
    let (SqliteFailure(answer, _) | SqlInputError { error: answer, .. }) = &error else {
        return ExecuteError::Refused(Box::new(error));
    };
    let kind = match (answer.code, answer.extended_code) {
        (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID) => {
            ServerErrorKind::UniqueViolation
        }
        (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => ServerErrorKind::ForeignKeyViolation,
        (_, ffi::SQLITE_CONSTRAINT_NOTNULL) => ServerErrorKind::NotNullViolation,
        (_, ffi::SQLITE_CONSTRAINT_CHECK) => ServerErrorKind::CheckViolation,
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => ServerErrorKind::LockTimeout,
        (ErrorCode::ReadOnly, _) => ServerErrorKind::ReadOnly,
        _ => ServerErrorKind::Other,
    };
    let code = answer.extended_code.unsigned_abs();
    match answer.code {
        // No answer of a database, but that there is none.
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure => ExecuteError::Unavailable(Box::new(error)),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            ExecuteError::Unavailable(Box::new(ServerError::new(kind, code, "", error.to_string())))
        }
        _ => ExecuteError::Refused(Box::new(ServerError::new(kind, code, "", error.to_string()))),
    }
}

impl fmt::Debug for SqliteExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteExecutor").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use mrc_core::{RowFormat, params};

    use super::*;

    async fn read(executor: &SqliteExecutor, sql: &str) -> String {
        let mut rows = RowEncoder::new(RowFormat::Canonical);
        executor.query(sql, &params! {}, &mut rows).await.unwrap();
        String::from_utf8(rows.finish().unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn declared_types_and_values_shape_the_json() {
        let executor = SqliteExecutor::in_memory().unwrap();
        let schema = "CREATE TABLE t (i INTEGER, d DECIMAL(10,2), r REAL, s VARCHAR(9), j JSON, at DATETIME(3), day DATE, \
                      b BLOB, any INTEGER);
                      INSERT INTO t VALUES (1, 10.50, 1.5, '00123', '{\"a\": 1}', '2025-01-15 10:30:00.5', '2025-01-15', \
                      x'00FF', 'text');";
        executor.execute_batch(schema).await.unwrap();
        assert_eq!(
            read(&executor, "SELECT *, i + 1 AS e, NULL AS n FROM t").await,
            concat!(
                r#"[{"i":1,"d":10.5,"r":1.5,"s":"00123","j":{"a":1},"at":"2025-01-15T10:30:00.500","day":"2025-01-15","#,
                r#""b":"AP8=","any":"text","e":2,"n":null}]"#
            )
        );
    }

    #[tokio::test]
    async fn a_file_keeps_what_was_written() {
        let path = std::env::temp_dir().join(format!("mrc-sqlite-{}.db", std::process::id()));
        let first = SqliteExecutor::open(&path).unwrap();
        first.execute_batch("CREATE TABLE t (a INT); INSERT INTO t VALUES (6)").await.unwrap();
        first.close().await;
        let json = read(&SqliteExecutor::open(&path).unwrap(), "SELECT a FROM t").await;
        std::fs::remove_file(&path).unwrap();
        assert_eq!(json, r#"[{"a":6}]"#);
        let nowhere = SqliteExecutor::open("/no/such/folder/db").unwrap_err();
        assert!(matches!(nowhere, ExecuteError::Unavailable(_)), "{nowhere:?}");
    }

    #[tokio::test]
    async fn a_file_that_was_ruined_answers_no_ping() {
        let path = std::env::temp_dir().join(format!("mrc-ruined-{}.db", std::process::id()));
        let executor = SqliteExecutor::open(&path).unwrap();
        executor.execute_batch("CREATE TABLE t (a INT)").await.unwrap();
        executor.ping().await.unwrap();
        std::fs::write(&path, "no database ".repeat(1000)).unwrap();
        let answer = executor.ping().await;
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(answer, Err(ExecuteError::Refused(_))), "{answer:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_ping_does_not_wait_for_ever() {
        let executor = SqliteExecutor::in_memory().unwrap();
        let (go_on, held) = std::sync::mpsc::channel::<()>();
        let job: Job = Box::new(move |_| held.recv().unwrap());
        executor.jobs.lock().unwrap().as_ref().unwrap().send(job).unwrap();
        let late = executor.ping().await;
        assert!(matches!(late, Err(ExecuteError::Timeout { stage: "the ping", .. })), "{late:?}");
        go_on.send(()).unwrap();
        tokio::time::resume();
        executor.ping().await.unwrap();
    }

    #[tokio::test]
    async fn a_batch_that_fails_is_refused() {
        let executor = SqliteExecutor::in_memory().unwrap();
        let error = executor.execute_batch("CREATE TABLE t (a INT); SELEKT 1").await.unwrap_err();
        assert!(matches!(error, ExecuteError::Refused(_)), "{error:?}");
        assert_eq!(read(&executor, "SELECT * FROM t").await, "[]");
    }
}
