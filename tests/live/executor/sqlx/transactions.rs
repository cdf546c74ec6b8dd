//! The end of a transaction over sqlx, which doesn't expose whether it is open.

use mrc_sqlx::SqlxExecutor;
use mrc_store::{Executed, QueryExecutor};
use mrc_tests::{Database, Proxy};
use sqlx::mysql::MySqlPoolOptions;

use super::pool;
use crate::executor::transactions::{self, COUNT, LIMIT, TABLE, run, write};

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
async fn a_transaction_is_invisible_before_its_commit() {
    let (_database, executor) = table().await;
    transactions::is_invisible_before_its_commit(&executor).await;
}

#[tokio::test]
async fn a_deadlock_ends_one_transaction_as_a_whole() {
    let (_database, executor) = table().await;
    transactions::a_deadlock_ends_one_of(&executor, &executor).await;
}

#[tokio::test]
async fn a_ddl_statement_ends_the_transaction_that_it_commits() {
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
