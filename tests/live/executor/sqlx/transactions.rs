//! The end of a transaction over sqlx, which doesn't expose whether it is open.

use std::time::Duration;

use mrc_core::{RowEncoder, RowFormat, params};
use mrc_sqlx::SqlxExecutor;
use mrc_store::{ExecuteError, Executed, ExecutorTransaction, QueryExecutor};
use mrc_tests::{Database, Mode, Proxy};
use sqlx::mysql::MySqlPoolOptions;

use super::{canonical, pool};

const TABLE: &str = "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT NOT NULL);
    INSERT INTO t (n) VALUES (0), (0)";
const COUNT: &str = "SELECT COUNT(*) AS n FROM t";

async fn table() -> (Database, SqlxExecutor) {
    let database = Database::create().await;
    database.execute(TABLE).await;
    let executor = SqlxExecutor::new(pool(&database, 3));
    (database, executor)
}

async fn run(open: &mut dyn ExecutorTransaction, sql: &str) -> Result<Executed, ExecuteError> {
    open.execute(sql, &params! {}, &mut RowEncoder::new(RowFormat::Canonical)).await
}

fn is_over<T>(outcome: &Result<T, ExecuteError>) -> bool {
    matches!(outcome, Err(ExecuteError::TransactionOver))
}

#[tokio::test]
async fn a_write_says_how_many_rows_and_which_id() {
    let (_database, executor) = table().await;
    let said = |affected_rows, last_insert_id| Executed { affected_rows, last_insert_id };
    let mut rows = RowEncoder::new(RowFormat::Canonical);
    let written = executor.execute("INSERT INTO t (n) VALUES (5), (6)", &params! {}, &mut rows).await.unwrap();
    assert_eq!(written, said(2, Some(3)));
    let mut open = executor.begin().await.unwrap();
    assert_eq!(run(&mut *open, "INSERT INTO t (n) VALUES (7)").await.unwrap(), said(1, Some(5)));
    assert_eq!(run(&mut *open, COUNT).await.unwrap(), said(0, None));
    assert_eq!(run(&mut *open, "UPDATE t SET n = 5 WHERE n > 4").await.unwrap(), said(3, None), "rows that are found");
    open.commit().await.unwrap();
}

#[tokio::test]
async fn nobody_sees_a_transaction_before_its_commit() {
    let (_database, executor) = table().await;
    let mut open = executor.begin().await.unwrap();
    run(&mut *open, "INSERT INTO t (n) VALUES (7)").await.unwrap();
    assert_eq!(canonical(&executor, COUNT).await.unwrap(), r#"[{"n":2}]"#);
    open.commit().await.unwrap();
    assert_eq!(canonical(&executor, COUNT).await.unwrap(), r#"[{"n":3}]"#);
}

#[tokio::test]
async fn a_deadlock_ends_one_transaction_as_a_whole() {
    let (_database, executor) = table().await;
    let (mut a, mut b) = (executor.begin().await.unwrap(), executor.begin().await.unwrap());
    run(&mut *a, "UPDATE t SET n = n + 1 WHERE id = 1").await.unwrap();
    run(&mut *b, "UPDATE t SET n = n + 10 WHERE id = 2").await.unwrap();
    let (first, second) = tokio::join!(
        run(&mut *a, "UPDATE t SET n = n + 1 WHERE id = 2"),
        run(&mut *b, "UPDATE t SET n = n + 10 WHERE id = 1")
    );
    let ((winner, rows), (mut loser, error)) = match (first, second) {
        (Ok(_), Err(error)) => ((a, r#"[{"n":1},{"n":1}]"#), (b, error)),
        (Err(error), Ok(_)) => ((b, r#"[{"n":10},{"n":10}]"#), (a, error)),
        outcomes => panic!("one of two fails: {outcomes:?}"),
    };
    assert!(error.is_deadlock() && error.is_retryable(), "{error:?}");
    assert!(is_over(&run(&mut *loser, "INSERT INTO t (n) VALUES (7)").await), "it would be committed by itself");
    assert!(is_over(&loser.commit().await));
    winner.commit().await.unwrap();
    assert_eq!(canonical(&executor, "SELECT n FROM t").await.unwrap(), rows);
}

#[tokio::test]
async fn a_ddl_statement_ends_the_transaction_that_it_commits() {
    let (_database, executor) = table().await;
    let mut open = executor.begin().await.unwrap();
    run(&mut *open, "INSERT INTO t (n) VALUES (7)").await.unwrap();
    assert!(is_over(&run(&mut *open, "CREATE TABLE other (a INT)").await));
    assert!(is_over(&run(&mut *open, "INSERT INTO t (n) VALUES (8)").await));
    assert!(is_over(&open.rollback().await));
    assert_eq!(canonical(&executor, COUNT).await.unwrap(), r#"[{"n":3}]"#);
}

#[tokio::test]
async fn a_commit_whose_answer_does_not_come_is_unknown() {
    let (database, direct) = table().await;
    let wire = Proxy::to(database.port()).await;
    let limit = Duration::from_secs(2);
    let url = database.url().replace(&format!(":{}/", database.port()), &format!(":{}/", wire.port()));
    let pool = MySqlPoolOptions::new().acquire_timeout(limit).connect_lazy(&url).unwrap();
    let executor = SqlxExecutor::new(pool).query_timeout(limit);
    let mut expected = 2;
    for mode in [Mode::HoldAnswers, Mode::Close] {
        wire.set(Mode::Pass);
        let mut open = executor.begin().await.unwrap();
        run(&mut *open, "INSERT INTO t (n) VALUES (7)").await.unwrap();
        wire.set(mode.clone());
        let error = open.commit().await.unwrap_err();
        assert!(matches!(error, ExecuteError::CommitUnknown(_)) && !error.is_retryable(), "{error:?}");
        // Statements that were sent are executed; those that were cut off aren't.
        expected += usize::from(mode == Mode::HoldAnswers);
        assert_eq!(canonical(&direct, COUNT).await.unwrap(), format!(r#"[{{"n":{expected}}}]"#), "{mode:?}");
    }
}
