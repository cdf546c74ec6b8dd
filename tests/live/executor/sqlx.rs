//! The executor over sqlx answers as `MySqlExecutor` with `ParamMode::Prepared`, errors included.

mod histories;
mod rows;
mod sessions;
mod transactions;

use mrc_core::{Date, DateTime, Decimal, Params, RowEncoder, RowFormat, Time, Value, params};
use mrc_sqlx::SqlxExecutor;
use mrc_store::{ExecuteError, MySqlExecutor, ParamMode, QueryExecutor};
use mrc_tests::Database;
use mysql_async::prelude::Queryable;
use sqlx::MySqlPool;
use sqlx::mysql::MySqlPoolOptions;

use super::{canonical, config, golden, passes, read};

const FORMATS: [RowFormat; 3] = [RowFormat::Canonical, RowFormat::TypeScript, RowFormat::Python];

fn pool(database: &Database, connections: u32) -> MySqlPool {
    MySqlPoolOptions::new().max_connections(connections).connect_lazy(&database.url()).unwrap()
}

/// Both executors on one database.
struct Both {
    database: Database,
    sqlx: SqlxExecutor,
    mysql: MySqlExecutor,
}

impl Both {
    async fn create(setup: &str) -> Self {
        let database = Database::with(setup).await;
        let sqlx = SqlxExecutor::new(pool(&database, 2));
        let mysql = super::executor(config(&database).param_mode(ParamMode::Prepared));
        Self { database, sqlx, mysql }
    }

    /// Checks for the same rows in each format, or the same error. Returns the rows.
    async fn agree(&self, sql: &str, params: &Params) -> Vec<String> {
        let told = |answer: Result<String, ExecuteError>| {
            answer.unwrap_or_else(|error| format!("{error} (retryable: {})", error.is_retryable()))
        };
        let mut answers = Vec::new();
        for format in FORMATS {
            let ours = told(read(&self.sqlx, format, sql, params).await);
            let theirs = told(read(&self.mysql, format, sql, params).await);
            assert_eq!(ours, theirs, "{format:?} {sql} {params:?}");
            answers.push(ours);
        }
        answers
    }
}

#[tokio::test]
async fn it_passes_the_suite() {
    let database = Database::create().await;
    passes(&SqlxExecutor::new(pool(&database, 5))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_passes_the_suite_on_several_threads() {
    let database = Database::create().await;
    passes(&SqlxExecutor::new(pool(&database, 3))).await;
}

fn values() -> Vec<Value> {
    let date = Date { year: 2025, month: 1, day: 15 };
    let at = DateTime { date, hour: 10, minute: 30, second: 0, micros: 120_000 };
    let zero = Date { year: 0, month: 0, day: 0 };
    vec![
        Value::Null,
        true.into(),
        (-6).into(),
        i64::MIN.into(),
        u64::MAX.into(),
        1.5.into(),
        (-0.0).into(),
        7_u8.into(),
        Decimal::new("10.50").unwrap().into(),
        "héllo 🚀".into(),
        "".into(),
        "0123".into(),
        vec![0x80_u8, 0].into(),
        date.into(),
        zero.into(),
        at.into(),
        Time::new(1, 2, 3, 400_000).unwrap().into(),
        (-Time::new(838, 59, 59, 0).unwrap()).into(),
        (-Time::new(101, 2, 3, 0).unwrap()).into(),
        Value::Json(serde_json::json!({ "b": 1 })),
    ]
}

#[tokio::test]
async fn writes_answer_nothing_and_reads_write_nothing() {
    let both = Both::create("CREATE TABLE t (id INT)").await;
    let refused = both.agree("INSERT INTO t VALUES (0)", &params! {}).await;
    assert!(refused.iter().all(|error| error.contains("1792")), "{refused:?}");
    for write in ["INSERT INTO t VALUES (1)", "UPDATE t SET id = 2"] {
        let mut rows = RowEncoder::new(RowFormat::Canonical);
        both.sqlx.execute(write, &params! {}, &mut rows).await.unwrap();
        assert_eq!(rows.finish().unwrap(), "[]");
    }
    assert_eq!(both.agree("SELECT id FROM t", &params! {}).await, [r#"[{"id":2}]"#; 3]);
}

#[tokio::test]
async fn one_result_of_several_is_an_error() {
    let both =
        Both::create("CREATE TABLE t (id INT); CREATE PROCEDURE one() SELECT 1 AS a; CREATE PROCEDURE none() DO 1")
            .await;
    for procedure in [
        "two() BEGIN SELECT 1 AS a; SELECT 2 AS b; INSERT INTO t VALUES (1); END",
        "nothing() BEGIN SELECT 1 AS a; SELECT 2 AS b FROM t WHERE FALSE; END",
        "late() BEGIN SELECT 1 AS a FROM t WHERE FALSE; SELECT 2 AS b; END",
        "failing() BEGIN SELECT 1 AS a; SELECT * FROM no_such_table; END",
    ] {
        let mut admin = both.database.admin().await;
        admin.query_drop(format!("CREATE PROCEDURE {procedure}")).await.unwrap();
    }
    for call in ["CALL one()", "CALL none()", "CALL two()", "CALL nothing()", "CALL late()", "CALL failing()"] {
        let told = async |executor: &dyn QueryExecutor| {
            let mut rows = RowEncoder::new(RowFormat::Canonical);
            let done = executor.query_trusted(call, &params! {}, &mut rows).await;
            done.map_or_else(
                |error| error.to_string(),
                |()| String::from_utf8(rows.finish().unwrap().to_vec()).unwrap(),
            )
        };
        assert_eq!(told(&both.sqlx).await, told(&both.mysql).await, "{call}");
    }
    // The procedure ran to its end both times.
    assert_eq!(both.agree("SELECT COUNT(*) AS n FROM t", &params! {}).await, [r#"[{"n":2}]"#; 3]);
}
