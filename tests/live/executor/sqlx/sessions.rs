//! Sessions of reads: their state, and how long a wait for one may take.

use std::time::Duration;

use mrc_sqlx::SqlxExecutor;
use mrc_store::{ExecuteError, QueryExecutor};
use mrc_tests::{Database, Listener};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{Executor, MySqlPool, Row};

use super::{Both, canonical, pool};
use crate::executor::faults::{a_second_call_times_out, assert_timeout};
use crate::executor::transactions::LIMIT;

/// A limit for events that never come.
const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn nothing_of_the_service_reaches_a_read() {
    let both = Both::create("CREATE TABLE t (id INT); INSERT INTO t VALUES (1)").await;
    let service = pool(&both.database, 1);
    let executor = SqlxExecutor::new(service.clone());
    let count = async || canonical(&executor, "SELECT COUNT(*) AS n FROM t").await.unwrap();
    let mut transaction = service.begin().await.unwrap();
    sqlx::query("INSERT INTO t VALUES (2)").execute(&mut *transaction).await.unwrap();
    // A read doesn't wait for the transaction, not even for a connection.
    assert_eq!(count().await, r#"[{"n":1}]"#);
    transaction.commit().await.unwrap();
    assert_eq!(count().await, r#"[{"n":2}]"#);

    for left in [
        "SET autocommit = 0",
        "SET time_zone = '+05:00'",
        "SET sql_mode = 'ANSI'",
        "INSERT INTO t VALUES (3)",
        "CREATE TEMPORARY TABLE t (id INT)",
    ] {
        service.execute(left).await.unwrap();
    }
    assert_eq!(count().await, r#"[{"n":2}]"#);
    let session = "SELECT @@time_zone AS tz, @@sql_mode AS mode, @@autocommit AS a";
    assert_eq!(canonical(&executor, session).await.unwrap(), canonical(&both.mysql, session).await.unwrap());
    assert!(service.fetch_one("SELECT @@time_zone").await.unwrap().get::<String, _>(0) == "+05:00");
    executor.close().await;
    assert!(service.fetch_one("SELECT 1").await.is_ok(), "the service's pool is its own");
    service.close().await;
}

#[tokio::test]
async fn nothing_of_a_statement_reaches_the_next() {
    let database = Database::with("CREATE TABLE t (id INT)").await;
    let executor = SqlxExecutor::new(pool(&database, 1));
    let state =
        "SELECT @@time_zone AS z, @@autocommit AS a, DATABASE() AS d, @mine AS m, (SELECT COUNT(*) FROM t) AS n";
    let before = canonical(&executor, state).await.unwrap();
    for statement in
        ["SET time_zone = '+05:00'", "SET autocommit = 0", "USE information_schema", "SET @mine = 1", "BEGIN"]
    {
        let _ = canonical(&executor, statement).await;
        assert_eq!(canonical(&executor, state).await.unwrap(), before, "{statement}");
    }
}

#[tokio::test]
async fn a_time_zone_can_be_set() {
    let database = Database::create().await;
    let executor = SqlxExecutor::new(pool(&database, 1)).time_zone("+05:00");
    assert_eq!(canonical(&executor, "SELECT FROM_UNIXTIME(0) AS a").await.unwrap(), r#"[{"a":"1970-01-01T05:00:00"}]"#);
    let wrong = SqlxExecutor::new(pool(&database, 1)).time_zone("nowhere");
    let error = canonical(&wrong, "SELECT 1 AS a").await.unwrap_err();
    assert!(matches!(error, ExecuteError::Refused(_)) && error.to_string().contains("1298"), "{error:?}");
}

#[tokio::test]
async fn each_wait_has_its_limit() {
    let database = Database::create().await;
    let short = || MySqlPoolOptions::new().max_connections(1).acquire_timeout(SHORT);
    let busy = SqlxExecutor::new(MySqlPoolOptions::new().max_connections(1).connect_lazy(&database.url()).unwrap());
    canonical(&busy, "SELECT 1 AS a").await.unwrap();
    let slow = SqlxExecutor::new(pool(&database, 1)).query_timeout(LIMIT);
    let endless = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000) \
                   SELECT SUM(x.i + y.i + z.i + w.i) AS n FROM c AS x, c AS y, c AS z, c AS w";
    assert_timeout(&canonical(&slow, endless).await.unwrap_err(), "the query");
    assert_eq!(canonical(&slow, "SELECT 2 AS a").await.unwrap(), r#"[{"a":2}]"#);

    let silent = Listener::silent().await;
    let options = format!("mysql://u:p@127.0.0.1:{}/d", silent.port());
    let executor = SqlxExecutor::new(short().connect_lazy(&options).unwrap());
    for _ in 0..2 {
        assert_timeout(&canonical(&executor, "SELECT 1").await.unwrap_err(), "connecting to the database");
    }
    assert!(executor.ping().await.is_err());
}

#[tokio::test]
async fn a_busy_pool_is_a_timeout_of_waiting() {
    let database = Database::create().await;
    let limit = Duration::from_secs(2);
    let pool = MySqlPoolOptions::new().max_connections(1).acquire_timeout(limit).connect_lazy(&database.url()).unwrap();
    a_second_call_times_out(&SqlxExecutor::new(pool), "SELECT SLEEP(600) AS a").await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_shown() {
    let database = Database::create().await;
    let executor = SqlxExecutor::new(MySqlPool::connect_lazy(&database.url().replace("secret", "hunter2")).unwrap());
    let error = canonical(&executor, "SELECT 1").await.unwrap_err();
    assert!(matches!(error, ExecuteError::Refused(_)) && !error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("1045"), "{error}");
    assert!(!format!("{error} {error:?} {executor:?}").contains("hunter2"));
}

/// This is like a service's password that changes.
#[tokio::test]
async fn new_connections_follow_the_options_of_the_service() {
    let database = Database::create().await;
    let service = MySqlPool::connect_lazy(&database.url().replace("secret", "old")).unwrap();
    let executor = SqlxExecutor::new(service.clone());
    assert!(canonical(&executor, "SELECT 1 AS a").await.is_err());
    service.set_connect_options(database.url().parse().unwrap());
    assert_eq!(canonical(&executor, "SELECT 1 AS a").await.unwrap(), r#"[{"a":1}]"#);
}
