//! The executor over sqlx answers as `MySqlExecutor` with `ParamMode::Prepared`, errors included.

mod rows;
mod sessions;

use mrc_core::{Date, DateTime, Decimal, Params, RowFormat, Time, Value, params};
use mrc_sqlx::SqlxExecutor;
use mrc_store::{ExecuteError, Executed, MySqlExecutor, ParamMode, QueryExecutor};
use mrc_tests::{Database, Proxy};
use mysql_async::prelude::Queryable;
use proptest::prelude::{Strategy, prop};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use sqlx::MySqlPool;
use sqlx::mysql::MySqlPoolOptions;

use super::sessions::trusted;
use super::{FORMATS, canonical, config, execute, golden, passes, read};
use crate::executor::transactions::{self, COUNT, LIMIT, TABLE, run, write};

fn pool(database: &Database, connections: u32) -> MySqlPool {
    MySqlPoolOptions::new().max_connections(connections).connect_lazy(&database.url()).unwrap()
}

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
    let whole: [Value; 4] = [(-6).into(), i64::MIN.into(), u64::MAX.into(), 7_u8.into()];
    let broken: [Value; 3] = [1.5.into(), (-0.0).into(), Decimal::new("10.50").unwrap().into()];
    let texts = ["héllo 🚀", "", "0123"].map(Value::from);
    let days: [Value; 3] = [date.into(), zero.into(), at.into()];
    let time = |hours, minutes, seconds, micros| Time::new(hours, minutes, seconds, micros).unwrap();
    let times: [Value; 3] =
        [time(1, 2, 3, 400_000).into(), (-time(838, 59, 59, 0)).into(), (-time(101, 2, 3, 0)).into()];
    let others = [Value::Null, true.into(), vec![0x80_u8, 0].into(), Value::Json(serde_json::json!({ "b": 1 }))];
    others.into_iter().chain(whole).chain(broken).chain(texts).chain(days).chain(times).collect()
}

#[tokio::test]
async fn writes_answer_nothing_and_reads_write_nothing() {
    let both = Both::create("CREATE TABLE t (id INT)").await;
    let refused = both.agree("INSERT INTO t VALUES (0)", &params! {}).await;
    assert!(refused.iter().all(|error| error.contains("1792")), "{refused:?}");
    for write in ["INSERT INTO t VALUES (1)", "UPDATE t SET id = 2"] {
        assert_eq!(execute(&both.sqlx, write).await.unwrap(), "[]");
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
            trusted(executor, call).await.unwrap_or_else(|error| error.to_string())
        };
        assert_eq!(told(&both.sqlx).await, told(&both.mysql).await, "{call}");
    }
    // The procedure ran to its end both times.
    assert_eq!(both.agree("SELECT COUNT(*) AS n FROM t", &params! {}).await, [r#"[{"n":2}]"#; 3]);
}

/// MySQL keeps the first type of a prepared statement's param. No call may see another call's type.
#[tokio::test]
async fn any_history_answers_as_a_fresh_connection() {
    let database = Database::with(
        "CREATE TABLE pt (id INT PRIMARY KEY, s VARCHAR(20), n BIGINT, d DECIMAL(10,2), at DATETIME);
         INSERT INTO pt VALUES (1, 'é', 5, 1.5, '2025-01-15'), (2, 'ß', 9007199254740993, 10.5, '2025-01-15 10:30:00.12'),
           (3, '0123', 123, 2, NULL), (4, '5', 0, 0, '1999-01-01')",
    )
    .await;
    const STATEMENTS: [&str; 6] = [
        "SELECT id FROM pt WHERE s = ? ORDER BY id",
        "SELECT id FROM pt WHERE n = ? ORDER BY id",
        "SELECT ? AS v",
        "SELECT id FROM pt WHERE d IN (?, 3) ORDER BY id",
        "SELECT id FROM pt WHERE at > ? ORDER BY id",
        "SELECT n + ? AS v FROM pt ORDER BY id",
    ];
    let mut values = values();
    values.extend(["é", "ß", "1.5"].map(Value::from));
    values.extend([5, 123, 9_007_199_254_740_993_i64].map(Value::from));
    values.push(123.0.into());
    let histories = (prop::sample::select(&STATEMENTS[..]), prop::collection::vec(prop::sample::select(values), 2..=3));
    let mut runner = TestRunner::new(Config::default());
    let told = |answer: Result<String, ExecuteError>| answer.unwrap_or_else(|error| error.to_string());
    for _ in 0..40 {
        let (sql, history) = histories.new_tree(&mut runner).unwrap().current();
        let used = SqlxExecutor::new(pool(&database, 1));
        for value in &history {
            let params = params! { "A" => value.clone() };
            let fresh = SqlxExecutor::new(pool(&database, 1));
            assert_eq!(
                told(read(&used, RowFormat::Canonical, sql, &params).await),
                told(read(&fresh, RowFormat::Canonical, sql, &params).await),
                "{sql} with {value:?}, in {history:?}"
            );
            fresh.close().await;
        }
        used.close().await;
    }
}

async fn table() -> (Database, SqlxExecutor) {
    let database = Database::with(TABLE).await;
    let executor = SqlxExecutor::new(pool(&database, 3));
    (database, executor)
}

#[tokio::test]
async fn a_write_returns_its_rows_and_its_insert_id() {
    let (_database, executor) = table().await;
    let said = |affected_rows, last_insert_id| Executed { affected_rows, last_insert_id };
    assert_eq!(write(&executor, "INSERT INTO t (n) VALUES (5), (6)").await, said(2, Some(3)));
    let mut open = executor.begin().await.unwrap();
    assert_eq!(run(&mut *open, "INSERT INTO t (n) VALUES (7)").await.unwrap(), said(1, Some(5)));
    assert_eq!(run(&mut *open, COUNT).await.unwrap(), said(0, None));
    assert_eq!(run(&mut *open, "UPDATE t SET n = 5 WHERE n > 4").await.unwrap(), said(3, None), "rows that are found");
    open.commit().await.unwrap();
}

#[tokio::test]
async fn transactions_end_as_a_whole() {
    let (_database, executor) = table().await;
    transactions::is_invisible_before_its_commit(&executor).await;
    let (_database, executor) = table().await;
    transactions::a_deadlock_ends_one_of(&executor, &executor).await;
    let (_database, executor) = table().await;
    transactions::a_ddl_statement_commits(&executor).await;
}

#[tokio::test]
async fn a_commit_whose_answer_does_not_come_is_unknown() {
    let (database, direct) = table().await;
    let wire = Proxy::to(database.port()).await;
    let url = database.url().replace(&format!(":{}/", database.port()), &format!(":{}/", wire.port()));
    let pool = MySqlPoolOptions::new().acquire_timeout(LIMIT).connect_lazy(&url).unwrap();
    transactions::a_lost_commit_is_unknown(&SqlxExecutor::new(pool).query_timeout(LIMIT), &wire, &direct).await;
}
