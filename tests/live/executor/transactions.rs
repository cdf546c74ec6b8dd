//! Transactions on a server: their end, and their traces.

use std::time::Duration;

use mrc_core::{RowEncoder, RowFormat, params};
use mrc_store::{ExecuteError, Executed, ExecutorTransaction, MySqlExecutor, ParamMode, QueryExecutor};
use mrc_tests::{Database, Mode, Proxy, slow_query, unique, until_running};
use mysql_async::prelude::Queryable;

use super::{canonical, config, execute, executor};

pub(super) const TABLE: &str = "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT NOT NULL);
    INSERT INTO t (n) VALUES (0), (0)";
pub(super) const COUNT: &str = "SELECT COUNT(*) AS n FROM t";

/// The time limit of calls through a wire that loses answers.
pub(super) const LIMIT: Duration = Duration::from_secs(2);

/// Returns an executor with one connection for callers, and the table.
async fn table() -> (Database, MySqlExecutor) {
    let database = Database::with(TABLE).await;
    let executor = executor(config(&database).pool_max(1));
    (database, executor)
}

pub(super) async fn run(open: &mut dyn ExecutorTransaction, sql: &str) -> Result<Executed, ExecuteError> {
    open.execute(sql, &params! {}, &mut RowEncoder::new(RowFormat::Canonical)).await
}

/// Runs a statement on a connection for callers.
pub(super) async fn write(executor: &dyn QueryExecutor, sql: &str) -> Executed {
    executor.execute(sql, &params! {}, &mut RowEncoder::new(RowFormat::Canonical)).await.unwrap()
}

/// Reads on a connection for callers, and so would see a transaction left open there.
async fn read(executor: &dyn QueryExecutor, sql: &str) -> String {
    execute(executor, sql).await.unwrap()
}

fn is_over<T>(outcome: &Result<T, ExecuteError>) -> bool {
    matches!(outcome, Err(ExecuteError::TransactionOver))
}

#[tokio::test]
async fn a_write_returns_its_rows_and_its_insert_id() {
    let (_database, executor) = table().await;
    let said = |affected_rows, last_insert_id| Executed { affected_rows, last_insert_id };
    assert_eq!(write(&executor, "INSERT INTO t (n) VALUES (5), (6)").await, said(2, Some(3)));
    assert_eq!(write(&executor, "UPDATE t SET n = 5 WHERE n IN (5, 6)").await, said(1, None), "one has changed");
    assert_eq!(write(&executor, COUNT).await, said(0, None));
    let mut open = executor.begin().await.unwrap();
    assert_eq!(run(&mut *open, "INSERT INTO t (n) VALUES (7)").await.unwrap(), said(1, Some(5)));
    assert_eq!(run(&mut *open, "DELETE FROM t WHERE n > 0").await.unwrap(), said(3, None));
    open.commit().await.unwrap();
}

#[tokio::test]
async fn a_transaction_is_invisible_before_its_commit() {
    let (_database, executor) = table().await;
    is_invisible_before_its_commit(&executor).await;
    let mut open = executor.begin().await.unwrap();
    run(&mut *open, "INSERT INTO t (n) VALUES (8)").await.unwrap();
    drop(open);
    assert_eq!(read(&executor, COUNT).await, r#"[{"n":3}]"#, "the connection's next user isn't in the transaction");
}

pub(super) async fn is_invisible_before_its_commit(executor: &dyn QueryExecutor) {
    let mut open = executor.begin().await.unwrap();
    run(&mut *open, "INSERT INTO t (n) VALUES (7)").await.unwrap();
    assert_eq!(canonical(executor, COUNT).await.unwrap(), r#"[{"n":2}]"#);
    open.commit().await.unwrap();
    assert_eq!(canonical(executor, COUNT).await.unwrap(), r#"[{"n":3}]"#);
}

#[tokio::test]
async fn a_deadlock_ends_one_transaction_as_a_whole() {
    let (database, one) = table().await;
    a_deadlock_ends_one_of(&one, &executor(config(&database))).await;
}

pub(super) async fn a_deadlock_ends_one_of(one: &dyn QueryExecutor, another: &dyn QueryExecutor) {
    let (mut a, mut b) = (one.begin().await.unwrap(), another.begin().await.unwrap());
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
    assert_eq!(canonical(one, "SELECT n FROM t").await.unwrap(), rows);
}

#[tokio::test]
async fn a_cancelled_statement_ends_the_transaction_and_its_locks() {
    let (database, executor) = table().await;
    let name = unique("cancelled");
    let slow = slow_query(&name);
    let mut open = executor.begin().await.unwrap();
    run(&mut *open, "UPDATE t SET n = 7 WHERE id = 1").await.unwrap();
    let mut admin = database.admin().await;
    tokio::select! {
        done = run(&mut *open, &slow) => panic!("{done:?}"),
        _ = until_running(&mut admin, &name) => {}
    }
    assert!(is_over(&run(&mut *open, "UPDATE t SET n = 8 WHERE id = 1").await));
    assert!(is_over(&open.commit().await));
    // The next write needs the one connection, and the row that was locked.
    assert_eq!(write(&executor, "UPDATE t SET n = n + 1 WHERE id = 1").await.affected_rows, 1);
    assert_eq!(read(&executor, "SELECT n FROM t").await, r#"[{"n":1},{"n":0}]"#);
}

#[tokio::test]
async fn a_killed_connection_rolls_back() {
    let (database, executor) = table().await;
    let mut open = executor.begin().await.unwrap();
    run(&mut *open, "INSERT INTO t (n) VALUES (7)").await.unwrap();
    let mut rows = RowEncoder::new(RowFormat::Canonical);
    open.execute("SELECT CAST(CONNECTION_ID() AS CHAR) AS id", &params! {}, &mut rows).await.unwrap();
    let id: String = String::from_utf8_lossy(&rows.finish().unwrap()).chars().filter(char::is_ascii_digit).collect();
    database.admin().await.query_drop(format!("KILL {id}")).await.unwrap();
    let killed = run(&mut *open, COUNT).await.unwrap_err();
    assert!(killed.is_retryable(), "{killed:?}");
    assert!(is_over(&run(&mut *open, COUNT).await));
    assert!(is_over(&open.commit().await));
    assert_eq!(read(&executor, COUNT).await, r#"[{"n":2}]"#);
}

#[tokio::test]
async fn a_ddl_statement_ends_the_transaction_that_it_commits() {
    let (_database, executor) = table().await;
    a_ddl_statement_commits(&executor).await;
}

/// Also a statement that fails commits what ran before it.
pub(super) async fn a_ddl_statement_commits(executor: &dyn QueryExecutor) {
    for (expected, commits) in [(3, false), (4, false), (5, true)] {
        let mut open = executor.begin().await.unwrap();
        run(&mut *open, "INSERT INTO t (n) VALUES (7)").await.unwrap();
        let done = run(&mut *open, "CREATE TABLE other (a INT)").await;
        if expected == 3 {
            assert!(is_over(&done));
            assert!(is_over(&run(&mut *open, "INSERT INTO t (n) VALUES (8)").await));
        } else {
            assert_eq!(done.unwrap_err().server().unwrap().code, 1050, "the table is there");
        }
        assert!(is_over(&if commits { open.commit().await } else { open.rollback().await }));
        assert_eq!(read(executor, COUNT).await, format!(r#"[{{"n":{expected}}}]"#));
    }
}

#[tokio::test]
async fn a_commit_whose_answer_does_not_come_is_unknown() {
    let (database, direct) = table().await;
    let wire = Proxy::to(database.port()).await;
    let config = config(&database).port(wire.port()).query_timeout(LIMIT).connect_timeout(LIMIT);
    a_lost_commit_is_unknown(&executor(config), &wire, &direct).await;
}

pub(super) async fn a_lost_commit_is_unknown(executor: &dyn QueryExecutor, wire: &Proxy, direct: &dyn QueryExecutor) {
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
        assert_eq!(read(direct, COUNT).await, format!(r#"[{{"n":{expected}}}]"#), "{mode:?}");
    }
}

/// In gbk `縗`'s last byte and the backslash after it are one character: the quote would end the
/// string.
#[tokio::test]
async fn values_are_written_into_no_text_of_another_charset() {
    let database = Database::create().await;
    let executor = executor(config(&database).param_mode(ParamMode::Text));
    let mut open = executor.begin().await.unwrap();
    let mut rows = RowEncoder::new(RowFormat::Canonical);
    let hostile = params! { "Text" => "縗' OR '1' = '1" };
    open.execute("SELECT ? AS a", &hostile, &mut rows).await.unwrap();
    assert_eq!(rows.finish().unwrap(), r#"[{"a":"縗' OR '1' = '1"}]"#);
    run(&mut *open, "SET NAMES gbk").await.unwrap();
    let error = open.execute("SELECT ? AS a", &hostile, &mut RowEncoder::new(RowFormat::Canonical)).await.unwrap_err();
    assert!(error.to_string().contains("charset"), "{error}");
    run(&mut *open, "SET NAMES utf8mb4").await.unwrap();
    open.execute("SELECT ? AS a", &hostile, &mut RowEncoder::new(RowFormat::Canonical)).await.unwrap();
    open.commit().await.unwrap();
}
