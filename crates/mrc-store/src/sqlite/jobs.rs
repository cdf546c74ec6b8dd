//! The jobs of the connection's thread: statements and transactions.

use async_trait::async_trait;
use mrc_core::{Column, Params, RowEncoder};
use rusqlite::types::Value as Bound;
use rusqlite::{Connection, ErrorCode, Row, ffi};
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument;

use super::values;
use crate::error::{ExecuteError, ServerError, ServerErrorKind};
use crate::executor::span::Target;
use crate::executor::{Executed, ExecutorTransaction, span};
use crate::expand::expand;

const TARGET: Target<'_> = Target { system: "sqlite", namespace: None, address: None, port: None };

pub(super) type Jobs = mpsc::UnboundedSender<Job>;
pub(super) type Job = Box<dyn FnOnce(&Connection) + Send>;

/// Runs a statement on the connection's thread, in its own span.
pub(super) async fn statement(
    jobs: &Jobs,
    sql: &str,
    params: &Params,
    rows: &mut RowEncoder,
) -> Result<Executed, ExecuteError> {
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
    // The encoder moves to the thread and back, because the thread can't borrow it.
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

/// Returns the outcome of a statement. SQLite's counts are those of the last statement that wrote.
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

/// Runs `job` on the connection's thread. Its second argument tells whether the caller has left.
pub(super) async fn submit<T: Send + 'static>(
    jobs: &Jobs,
    job: impl FnOnce(&Connection, &dyn Fn() -> bool) -> T + Send + 'static,
) -> Result<T, ExecuteError> {
    let (reply, answer) = oneshot::channel();
    let job = Box::new(move |conn: &Connection| {
        if !reply.is_closed() {
            let done = job(conn, &|| reply.is_closed());
            // A caller that left needs no answer.
            let _ = reply.send(done);
        }
    });
    jobs.send(job).map_err(|_| ExecuteError::Closed)?;
    answer.await.map_err(|_| ExecuteError::Closed)
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
    // An expression declares no type: use the type of its first value.
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

pub(super) fn failed(error: rusqlite::Error) -> ExecuteError {
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
        // Not an answer of a database: there is none.
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure => ExecuteError::Unavailable(Box::new(error)),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            ExecuteError::Unavailable(Box::new(ServerError::new(kind, code, "", error.to_string())))
        }
        _ => ExecuteError::Refused(Box::new(ServerError::new(kind, code, "", error.to_string()))),
    }
}

/// A transaction: a job that holds the connection's thread for the jobs of the transaction.
#[derive(Debug)]
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
