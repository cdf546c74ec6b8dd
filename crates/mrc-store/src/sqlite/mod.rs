//! SQLite, by `rusqlite`: a database without a server, for tests and the demo.

mod jobs;
mod values;

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use mrc_core::{Params, RowEncoder};
use rusqlite::Connection;
use tokio::sync::mpsc;
use tokio::time::timeout;

use self::jobs::{Job, Jobs, begin, failed, statement, submit};
use crate::error::ExecuteError;
use crate::executor::{Executed, ExecutorTransaction, QueryExecutor};
use crate::lock::lock;

/// The time that a ping or a close waits for earlier queries.
const PING_LIMIT: Duration = Duration::from_secs(5);

/// Queries SQLite through one connection, whose own thread runs one query at a time.
///
/// Values have the type that SQLite stores. Text is read as the column's declared type if possible:
/// `DECIMAL(10,2)`, `DATE`, `DATETIME(3)`, `TIME`, `JSON`. Queries have no time limit; an abandoned
/// query ends at its next row. An open transaction makes all other queries wait.
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
#[derive(Debug)]
pub struct SqliteExecutor {
    jobs: Mutex<Option<Jobs>>,
}

impl SqliteExecutor {
    /// Opens an empty database in memory, which ends with the executor.
    ///
    /// # Errors
    /// [`ExecuteError::Unavailable`]: there is no memory or no thread for the database.
    pub fn in_memory() -> Result<Self, ExecuteError> {
        Self::on(Connection::open_in_memory())
    }

    /// Opens the database in the file `path`, and creates a missing file.
    ///
    /// # Errors
    /// [`ExecuteError::Unavailable`]: the file can't be opened, or there is no thread for it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ExecuteError> {
        Self::on(Connection::open(path))
    }

    /// Runs statements separated by `;`, such as a schema and its data.
    ///
    /// # Errors
    /// [`ExecuteError::Refused`]: a statement failed. The statements before it have run.
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
        // The thread ends when the executor, which holds the sender, is closed or dropped.
        std::thread::Builder::new()
            .name("mrc-sqlite".into())
            .spawn(work)
            .map_err(|error| ExecuteError::Unavailable(Box::new(error)))?;
        Ok(Self { jobs: Mutex::new(Some(jobs)) })
    }

    fn jobs(&self) -> Result<Jobs, ExecuteError> {
        lock(&self.jobs).clone().ok_or(ExecuteError::Closed)
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection, &dyn Fn() -> bool) -> T + Send + 'static,
    ) -> Result<T, ExecuteError> {
        submit(&self.jobs()?, job).await
    }
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
        Ok(Box::new(begin(&self.jobs()?).await?))
    }

    async fn ping(&self) -> Result<(), ExecuteError> {
        // Reading the schema reads the file each time, unlike a constant.
        let look = |conn: &Connection, _: &dyn Fn() -> bool| {
            conn.execute_batch("SELECT 1 FROM sqlite_master LIMIT 1").map_err(failed)
        };
        match timeout(PING_LIMIT, self.run(look)).await {
            Ok(answered) => answered?,
            Err(_) => Err(ExecuteError::Timeout { stage: "the ping", limit: PING_LIMIT, address: None }),
        }
    }

    async fn close(&self) {
        let jobs = lock(&self.jobs).take();
        if let Some(jobs) = jobs {
            // Comes after all other jobs, and so waits for them. A transaction may take longer.
            let _ = timeout(PING_LIMIT, submit(&jobs, |_, _| ())).await;
        }
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
