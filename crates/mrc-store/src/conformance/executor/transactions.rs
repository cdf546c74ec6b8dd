//! The rules of transactions.

use mrc_core::{Params, RowEncoder, RowFormat, params};

use super::{NUMBERS, answers, cancelled_after, echo};
use crate::error::ExecuteError;
use crate::executor::{Executed, ExecutorTransaction, QueryExecutor};

const INSERT: &str = "INSERT INTO mrc_conformance VALUES (?)";
const SELECT: &str = "SELECT a FROM mrc_conformance ORDER BY a";

/// Checks that a transaction is committed as a whole or not at all, and runs nothing after its end.
pub async fn transactions(executor: &dyn QueryExecutor) {
    for sql in ["DROP TABLE IF EXISTS mrc_conformance", "CREATE TABLE mrc_conformance (a INT PRIMARY KEY)"] {
        run(executor, sql, params! {}).await;
    }
    writes_are_counted(executor).await;
    committed_or_not(executor).await;
    an_error_leaves_it_open(executor).await;
    an_ended_transaction_runs_nothing(executor).await;
    run(executor, "DROP TABLE mrc_conformance", params! {}).await;
    echo(executor, "after-the-transactions").await;
}

async fn writes_are_counted(executor: &dyn QueryExecutor) {
    for (sql, affected_rows) in [
        ("INSERT INTO mrc_conformance VALUES (1), (2), (3)", 3),
        ("UPDATE mrc_conformance SET a = a + 10 WHERE a > 1", 2),
        ("SELECT a FROM mrc_conformance", 0),
        ("DELETE FROM mrc_conformance", 3),
        ("DELETE FROM mrc_conformance", 0),
    ] {
        let written = run(executor, sql, params! {}).await;
        assert_eq!(written.affected_rows, affected_rows, "`{sql}` says how many rows it wrote");
    }
}

async fn committed_or_not(executor: &dyn QueryExecutor) {
    let none = Params::new();
    let mut transaction = begun(executor).await;
    let written = within(&mut *transaction, INSERT, params! { "A" => 1 }).await;
    assert_eq!(written.map(|written| written.affected_rows).ok(), Some(1), "a transaction says what a statement wrote");
    let mut rows = RowEncoder::new(RowFormat::Canonical);
    let read = transaction.execute(SELECT, &none, &mut rows).await;
    let own = read.and_then(|_| Ok(rows.finish()?));
    assert_eq!(own.ok().as_deref(), Some(&br#"[{"a":1}]"#[..]), "a transaction reads its own writes");
    ended(transaction.commit().await, "a commit");
    answers(executor, SELECT, &none, r#"[{"a":1}]"#, "what is committed stays").await;

    let mut transaction = begun(executor).await;
    ended(within(&mut *transaction, INSERT, params! { "A" => 2 }).await, "a write");
    ended(transaction.rollback().await, "a rollback");
    answers(executor, SELECT, &none, r#"[{"a":1}]"#, "what is rolled back is gone").await;

    let mut transaction = begun(executor).await;
    ended(within(&mut *transaction, INSERT, params! { "A" => 2 }).await, "a write");
    drop(transaction);
    // Waits for the lock of the dropped transaction.
    run(executor, INSERT, params! { "A" => 2 }).await;
    run(executor, "DELETE FROM mrc_conformance", none).await;
}

async fn an_error_leaves_it_open(executor: &dyn QueryExecutor) {
    let mut transaction = begun(executor).await;
    ended(within(&mut *transaction, INSERT, params! { "A" => 1 }).await, "a write");
    for (sql, params) in [(INSERT, params! { "A" => 1 }), ("SELEKT 1", params! {}), (INSERT, params! {})] {
        let done = within(&mut *transaction, sql, params).await;
        let is_refused = matches!(done, Err(ExecuteError::Refused(_) | ExecuteError::ParamCount { .. }));
        assert!(is_refused, "`{sql}` is refused, not {done:?}");
    }
    ended(within(&mut *transaction, INSERT, params! { "A" => 2 }).await, "a write after an error");
    ended(transaction.commit().await, "a commit");
    let rule = "a statement that fails leaves the transaction as it was";
    answers(executor, SELECT, &Params::new(), r#"[{"a":1},{"a":2}]"#, rule).await;
    run(executor, "DELETE FROM mrc_conformance", params! {}).await;
}

async fn an_ended_transaction_runs_nothing(executor: &dyn QueryExecutor) {
    for sql in ["COMMIT", "ROLLBACK", NUMBERS] {
        for commits in [true, false] {
            let mut transaction = begun(executor).await;
            if sql == NUMBERS {
                // Too many rows for the first poll.
                cancelled_after(1, within(&mut *transaction, sql, params! { "Tag" => "cancelled" })).await;
            } else {
                over(within(&mut *transaction, sql, params! {}).await, sql);
            }
            over(within(&mut *transaction, INSERT, params! { "A" => 7 }).await, "a write after the end");
            let end = if commits { transaction.commit().await } else { transaction.rollback().await };
            over(end, "an end after the end");
        }
    }
    answers(executor, SELECT, &Params::new(), "[]", "nothing is written after the end").await;
}

async fn begun(executor: &dyn QueryExecutor) -> Box<dyn ExecutorTransaction> {
    executor.begin().await.unwrap_or_else(|error| panic!("a transaction begins: {error:?}"))
}

async fn within(
    transaction: &mut dyn ExecutorTransaction,
    sql: &str,
    params: Params,
) -> Result<Executed, ExecuteError> {
    transaction.execute(sql, &params, &mut RowEncoder::new(RowFormat::Canonical)).await
}

async fn run(executor: &dyn QueryExecutor, sql: &str, params: Params) -> Executed {
    let done = executor.execute(sql, &params, &mut RowEncoder::new(RowFormat::Canonical)).await;
    done.unwrap_or_else(|error| panic!("`{sql}` runs: {error:?}"))
}

fn ended<T>(outcome: Result<T, ExecuteError>, what: &str) {
    outcome.map(drop).unwrap_or_else(|error| panic!("{what} succeeds: {error:?}"));
}

fn over<T: std::fmt::Debug>(outcome: Result<T, ExecuteError>, what: &str) {
    match outcome {
        Err(ExecuteError::TransactionOver) => {}
        other => panic!("{what} is TransactionOver, not {other:?}"),
    }
}
