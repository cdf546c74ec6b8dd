//! Errors of a server say what they are.

use mrc::{Error, MrcClient, params};
use mrc_store::{ExecuteError, MemoryStore, MySqlConfig, SqliteExecutor};
use mrc_tests::{Database, SqlServer};
use mysql_async::prelude::Queryable;

use super::{config, execute, executor};

/// Returns the code, the SQLSTATE, and the kinds of the error.
fn told(error: &ExecuteError) -> (u32, &str, String) {
    let server = error.server().unwrap_or_else(|| panic!("{error:?}"));
    let kinds = [
        ("unique", error.is_unique_violation()),
        ("foreign", error.is_foreign_key_violation()),
        ("deadlock", error.is_deadlock()),
        ("lock", error.is_lock_timeout()),
        ("read_only", error.is_read_only()),
    ];
    let kinds: Vec<&str> = kinds.into_iter().filter_map(|(kind, is_it)| is_it.then_some(kind)).collect();
    (server.code, &server.state, kinds.join(" "))
}

async fn shop() -> Database {
    Database::with(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT); INSERT INTO t VALUES (1, 0), (2, 0);
         CREATE TABLE child (id INT, FOREIGN KEY (id) REFERENCES t (id)); INSERT INTO child VALUES (1)",
    )
    .await
}

#[tokio::test]
async fn violations_have_a_kind_a_code_and_a_state() {
    let database = shop().await;
    let executor = executor(config(&database));
    let check = async |sql: &str, (code, state, kinds): (u32, &str, &str)| {
        let error = execute(&executor, sql).await.unwrap_err();
        assert_eq!(told(&error), (code, state, kinds.to_owned()), "{sql}: {error}");
        assert!(!error.is_retryable());
    };
    check("INSERT INTO t VALUES (1, 0)", (1062, "23000", "unique")).await;
    check("INSERT INTO child VALUES (7)", (1452, "23000", "foreign")).await;
    check("DELETE FROM t WHERE id = 1", (1451, "23000", "foreign")).await;
    check("SELEC 1", (1064, "42000", "")).await;
    check("SELECT * FROM no_such_table", (1146, "42S02", "")).await;
}

#[tokio::test]
async fn the_error_of_a_client_has_the_same_text() {
    let database = shop().await;
    let client = MrcClient::builder().mysql(database.url()).store(MemoryStore::new()).build().unwrap();
    let error = client.query("INSERT INTO t VALUES (1, 0)", params! {}).await.unwrap_err();
    assert!(error.is_unique_violation() && !error.is_foreign_key_violation(), "{error:?}");
    assert!(!error.is_deadlock() && !error.is_lock_timeout() && !error.is_read_only());
    assert_eq!(error.server().map(|server| (server.code, &*server.state)), Some((1062, "23000")));
    assert!(error.to_string().contains("ERROR 1062 (23000)"), "{error}");
    assert!(Error::NoDatabase.server().is_none() && !Error::NoDatabase.is_unique_violation());
}

#[tokio::test]
async fn a_lock_that_is_held_and_a_deadlock_are_no_lost_server() {
    let database = shop().await;
    let executor = executor(config(&database));
    let mut other = database.admin().await;
    other.query_drop("SET innodb_lock_wait_timeout = 1; BEGIN; UPDATE t SET a = 1 WHERE id = 1").await.unwrap();
    // One transaction, by a procedure, because `execute` alone is autocommit.
    let crosses = "CREATE PROCEDURE crosses(IN seconds INT) BEGIN SET innodb_lock_wait_timeout = seconds; START TRANSACTION; \
                   UPDATE t SET a = 2 WHERE id = 2; UPDATE t SET a = 2 WHERE id = 1; COMMIT; END";
    database.execute(crosses).await;
    let error = execute(&executor, "CALL crosses(1)").await.unwrap_err();
    assert_eq!(told(&error), (1205, "HY000", "lock".to_owned()), "{error}");
    assert!(error.is_retryable() && error.to_string().starts_with("the database can't do this now"), "{error}");

    // The server may choose either one as its victim. The other is heavier, so it stays.
    let heavier = "INSERT INTO t VALUES (11, 0), (12, 0), (13, 0); SET innodb_lock_wait_timeout = 60";
    other.query_drop(heavier).await.unwrap();
    let (crossed, also) = tokio::join!(execute(&executor, "CALL crosses(60)"), async {
        let waits = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = ? AND INFO LIKE 'UPDATE%id = 1'";
        let mut admin = database.admin().await;
        while admin.exec_first::<u64, _, _>(waits, (database.name(),)).await.unwrap() == Some(0) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        other.query_drop("UPDATE t SET a = 3 WHERE id = 2").await
    });
    also.unwrap();
    let error = crossed.unwrap_err();
    assert_eq!(told(&error), (1213, "40001", "deadlock".to_owned()), "{error}");
    assert!(error.is_retryable() && !error.to_string().contains("reached"), "{error}");
}

#[tokio::test]
async fn a_read_only_server_is_named_in_the_error() {
    let server = SqlServer::start().await;
    let mut admin = server.admin().await;
    // A user with all rights may write in spite of `read_only`.
    let plain = "CREATE DATABASE d; CREATE TABLE d.t (a INT); CREATE USER plain@'%' IDENTIFIED BY 'secret'; \
                 GRANT ALL ON d.* TO plain@'%'";
    admin.query_drop(plain).await.unwrap();
    let executor = executor(MySqlConfig::from_url(&server.url("d")).unwrap().user("plain"));
    execute(&executor, "INSERT INTO t VALUES (1)").await.unwrap();
    admin.query_drop("SET GLOBAL read_only = 1").await.unwrap();
    for sql in ["INSERT INTO t VALUES (2)", "CREATE TABLE u (a INT)", "UPDATE t SET a = 3"] {
        let error = execute(&executor, sql).await.unwrap_err();
        assert_eq!(told(&error), (1290, "HY000", "read_only".to_owned()), "{sql}: {error}");
        assert!(error.to_string().starts_with("the database is read-only"), "{error}");
        assert!(error.is_retryable());
    }
    assert_eq!(super::canonical(&executor, "SELECT a FROM t").await.unwrap(), r#"[{"a":1}]"#);
    admin.query_drop("SET GLOBAL read_only = 0").await.unwrap();
    execute(&executor, "INSERT INTO t VALUES (4)").await.unwrap();
}

#[tokio::test]
async fn sqlite_returns_the_same_without_a_state() {
    let executor = SqliteExecutor::in_memory().unwrap();
    let schema = "PRAGMA foreign_keys = ON; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE);
                  CREATE TABLE child (id INT REFERENCES t (id)); INSERT INTO t VALUES (1, 'a')";
    executor.execute_batch(schema).await.unwrap();
    let check = async |sql: &str, (code, state, kinds): (u32, &str, &str)| {
        let error = executor.execute_batch(sql).await.unwrap_err();
        assert_eq!(told(&error), (code, state, kinds.to_owned()), "{sql}: {error}");
    };
    check("INSERT INTO t VALUES (1, 'b')", (1555, "", "unique")).await;
    check("INSERT INTO t VALUES (2, 'a')", (2067, "", "unique")).await;
    check("INSERT INTO child VALUES (7)", (787, "", "foreign")).await;
    check("SELECT * FROM no_such_table", (1, "", "")).await;
    check("PRAGMA query_only = ON; INSERT INTO t VALUES (3, 'c')", (8, "", "read_only")).await;
}
