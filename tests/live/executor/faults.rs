//! Faults between an executor and its server.

use std::time::Duration;

use futures_util::future::join_all;
use mrc_core::{RowFormat, params};
use mrc_store::{ExecuteError, MySqlConfig, QueryExecutor};
use mrc_tests::{
    Database, Listener, Mode, Proxy, SqlKind, SqlServer, free_port, numbers, slow_query, unique, until_ended,
    until_running,
};
use mysql_async::prelude::Queryable;

use super::{canonical, config, execute, executor, read};

/// A limit for events that never come.
const SHORT: Duration = Duration::from_millis(200);

/// A limit for events that do come, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(2);

fn local(port: u16) -> MySqlConfig {
    MySqlConfig::new().port(port).user("shop").password("secret")
}

fn address(port: u16) -> String {
    format!("(127.0.0.1:{port})")
}

pub(super) fn assert_timeout(error: &ExecuteError, stage: &str) {
    assert!(matches!(error, ExecuteError::Timeout { stage: at, .. } if *at == stage), "{error:?}");
    assert!(error.is_retryable() && error.to_string().starts_with(stage));
}

#[tokio::test]
async fn a_busy_pool_is_a_timeout_of_waiting() {
    let database = Database::create().await;
    let executor = executor(config(&database).pool_max(1).acquire_timeout(LIMIT));
    a_second_call_times_out(&executor, &slow_query("a")).await;
}

/// Checks an executor whose only connection runs this query.
pub(super) async fn a_second_call_times_out(executor: &dyn QueryExecutor, slow: &str) {
    let late = tokio::select! {
        biased;
        slow = canonical(executor, slow) => panic!("{slow:?}"),
        late = canonical(executor, "SELECT 1 AS a") => late,
    };
    assert_timeout(&late.unwrap_err(), "waiting for a connection");
    // The slow query was dropped with its connection, so there is room again.
    assert_eq!(canonical(executor, "SELECT 2 AS a").await.unwrap(), r#"[{"a":2}]"#);
}

#[tokio::test]
async fn a_pool_taken_by_hand_is_a_timeout_of_waiting_and_reads_go_on() {
    let database = Database::create().await;
    let executor = executor(config(&database).pool_max(1).connect_timeout(LIMIT));
    let taken = executor.pool().get_conn().await.unwrap();
    assert_timeout(&execute(&executor, "SELECT 1 AS a").await.unwrap_err(), "waiting for a connection");
    assert_eq!(canonical(&executor, "SELECT 2 AS a").await.unwrap(), r#"[{"a":2}]"#);
    drop(taken);
    execute(&executor, "SELECT 3 AS a").await.unwrap();
}

#[tokio::test]
async fn a_silent_server_is_a_timeout_of_connecting() {
    let silent = Listener::silent().await;
    let executor = executor(local(silent.port()).pool_max(1).connect_timeout(SHORT));
    // The slot is released, so the second one doesn't wait for the first.
    for _ in 0..2 {
        let error = canonical(&executor, "SELECT 1").await.unwrap_err();
        assert_timeout(&error, "connecting to the database");
        assert!(error.to_string().ends_with(&address(silent.port())), "{error}");
    }
}

#[tokio::test]
async fn nobody_at_the_port_is_unavailable() {
    let port = free_port();
    let executor = executor(local(port));
    let error = canonical(&executor, "SELECT 1").await.unwrap_err();
    assert!(matches!(error, ExecuteError::Unavailable(_)) && error.is_retryable(), "{error:?}");
    let said = format!("the database can't be reached: 127.0.0.1:{port}: Connection refused");
    assert!(error.to_string().starts_with(&said) && error.server().is_none(), "{error}");
    assert_eq!(executor.ping().await.unwrap_err().to_string(), error.to_string());
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    let executor = executor(local(1).host("no-such-host.invalid"));
    let error = canonical(&executor, "SELECT 1").await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("no-such-host.invalid:1"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_none_is_an_error() {
    let garbage = Listener::garbage("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let closing = Listener::closing().await;
    for port in [garbage.port(), closing.port()] {
        let executor = executor(local(port).connect_timeout(Duration::from_secs(1)));
        let error = canonical(&executor, "SELECT 1").await.unwrap_err();
        assert!(error.is_retryable() && error.to_string().contains(&format!("127.0.0.1:{port}")), "{error:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_shown() {
    let database = Database::create().await;
    let executor = executor(config(&database).password("hunter2"));
    let error = canonical(&executor, "SELECT 1").await.unwrap_err();
    assert!(matches!(error, ExecuteError::Refused(_)) && !error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("1045") && error.to_string().contains("127.0.0.1:"), "{error}");
    assert_eq!(error.server().map(|server| (server.code, &*server.state)), Some((1045, "28000")));
    assert!(!format!("{error} {error:?} {executor:?}").contains("hunter2"));
}

#[tokio::test]
async fn after_a_killed_connection_or_query_the_next_query_works() {
    let database = Database::create().await;
    let executor = executor(config(&database).pool_max(1));
    for (command, name) in [("KILL", "killed_in_mid_query"), ("KILL QUERY", "only_the_query_is_killed")] {
        let kill = async {
            let mut admin = database.admin().await;
            let id = until_running(&mut admin, name).await;
            admin.query_drop(format!("{command} {id}")).await.unwrap();
        };
        let sql = slow_query(name);
        let (killed, ()) = tokio::join!(canonical(&executor, &sql), kill);
        let error = killed.unwrap_err();
        assert!(matches!(error, ExecuteError::Unavailable(_)) && error.is_retryable(), "{error:?}");
        assert_eq!(canonical(&executor, "SELECT 2 AS a").await.unwrap(), r#"[{"a":2}]"#);
    }
}

#[tokio::test]
async fn a_slow_query_is_a_timeout_and_ends_at_the_server_too() {
    let database = Database::create().await;
    let executor = executor(config(&database).pool_max(1).query_timeout(LIMIT));
    let error = canonical(&executor, &slow_query("slow_for_its_limit")).await.unwrap_err();
    assert_timeout(&error, "the query");
    let mut admin = database.admin().await;
    // The query takes 10 min if the server has no limit of its own.
    until_ended(&mut admin, "slow_for_its_limit").await;
    assert_eq!(canonical(&executor, "SELECT 2 AS a").await.unwrap(), r#"[{"a":2}]"#);
}

#[tokio::test]
async fn an_abandoned_answer_is_not_read_to_its_end() {
    let database = Database::create().await;
    let executor = executor(config(&database).pool_max(1).connect_timeout(LIMIT));
    let mut admin = database.admin().await;
    // Far more rows than any limit here allows to read.
    let numbers = numbers(1_000_000_000);
    let endless = format!("SELECT seq, REPEAT('x', 900) AS abandoned_half_way FROM {numbers} AS n");
    tokio::select! {
        answer = canonical(&executor, &endless) => panic!("{:?}", answer.map(|json| json.len())),
        _ = until_running(&mut admin, "abandoned_half_way") => {}
    }
    assert_eq!(canonical(&executor, "SELECT 2 AS a").await.unwrap(), r#"[{"a":2}]"#);
    until_ended(&mut admin, "abandoned_half_way").await;
}

#[tokio::test]
async fn the_session_has_the_promised_settings() {
    let database = Database::create().await;
    let executor = executor(config(&database).query_timeout(Duration::from_millis(1500)));
    let (variable, limit) = SqlKind::of_this_run().statement_limit;
    let sql = format!("SELECT @@{variable} AS l, @@autocommit AS a, @@character_set_results AS c, @@time_zone AS z");
    let json = canonical(&executor, &sql).await.unwrap();
    assert_eq!(json, format!(r#"[{{"l":{limit},"a":1,"c":"utf8mb4","z":"SYSTEM"}}]"#));
}

#[tokio::test]
async fn a_wire_that_stands_still_is_a_timeout_and_a_cut_wire_is_unavailable() {
    let database = Database::create().await;
    let wire = Proxy::to(database.port()).await;
    let executor =
        executor(config(&database).port(wire.port()).pool_max(1).query_timeout(LIMIT).connect_timeout(LIMIT));
    assert_eq!(canonical(&executor, "SELECT 1 AS a").await.unwrap(), r#"[{"a":1}]"#);
    wire.set(Mode::HoldAnswers);
    assert_timeout(&canonical(&executor, "SELECT 2 AS a").await.unwrap_err(), "the query");
    assert_timeout(&canonical(&executor, "SELECT 3 AS a").await.unwrap_err(), "connecting to the database");
    wire.set(Mode::Pass);
    assert_eq!(canonical(&executor, "SELECT 4 AS a").await.unwrap(), r#"[{"a":4}]"#);
    wire.set(Mode::Close);
    let error = canonical(&executor, "SELECT 5 AS a").await.unwrap_err();
    assert!(matches!(error, ExecuteError::Unavailable(_)), "{error:?}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{}", wire.port())), "{error}");
    wire.set(Mode::Pass);
    assert_eq!(canonical(&executor, "SELECT 6 AS a").await.unwrap(), r#"[{"a":6}]"#);
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let server = SqlServer::start().await;
    let executor = executor(MySqlConfig::from_url(&server.url("")).unwrap());
    let five = async || join_all((0..5).map(|_| canonical(&executor, "SELECT 1 AS a"))).await;
    let warm = five().await;
    assert!(warm.iter().all(Result::is_ok), "{warm:?}");
    server.kill().await;
    let down = five().await;
    assert!(down.iter().all(|done| matches!(done, Err(ExecuteError::Unavailable(_)))), "{down:?}");
    assert!(matches!(executor.ping().await, Err(ExecuteError::Unavailable(_))));
    server.restart().await;
    let back = five().await;
    assert!(back.iter().all(Result::is_ok), "{back:?}");
    // No call came while it was down. The pool's five connections are stale, but no caller notices.
    server.restart().await;
    let stale = five().await;
    assert!(stale.iter().all(Result::is_ok), "{stale:?}");
    executor.ping().await.unwrap();
}

#[tokio::test]
async fn a_wedged_server_is_a_timeout_and_goes_on_where_it_was() {
    let server = SqlServer::start().await;
    let config = MySqlConfig::from_url(&server.url("")).unwrap();
    let executor = executor(config.pool_max(1).query_timeout(LIMIT).connect_timeout(LIMIT));
    let cached = canonical(&executor, "SELECT 1 AS a").await.unwrap();
    server.pause().await;
    assert_timeout(&canonical(&executor, "SELECT 1 AS a").await.unwrap_err(), "the query");
    assert_timeout(&canonical(&executor, "SELECT 1 AS a").await.unwrap_err(), "connecting to the database");
    server.resume().await;
    assert_eq!(canonical(&executor, "SELECT 1 AS a").await.unwrap(), cached);
}

#[tokio::test]
async fn a_server_that_shuts_down_in_mid_query_is_unavailable() {
    let server = SqlServer::start().await;
    let executor = executor(MySqlConfig::from_url(&server.url("")).unwrap());
    let mut admin = server.admin().await;
    let shut_down = async {
        until_running(&mut admin, "shut_down_in_mid_query").await;
        admin.query_drop("SHUTDOWN").await.unwrap();
    };
    let sql = slow_query("shut_down_in_mid_query");
    let (done, ()) = tokio::join!(canonical(&executor, &sql), shut_down);
    let error = done.unwrap_err();
    assert!(matches!(error, ExecuteError::Unavailable(_)), "{error:?}");
}

/// Waits for the room, which exists once the pool or the server has noticed.
async fn comes_back(executor: &dyn QueryExecutor) {
    while let Err(error) = canonical(executor, "SELECT 1 AS a").await {
        assert!(matches!(error, ExecuteError::Unavailable(_)), "{error:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_full_server_is_unavailable_until_there_is_room() {
    let database = Database::create().await;
    // A share of one connection, as the shared server can't be filled. It has another error.
    let user = unique("one");
    let create = format!("CREATE USER {user}@'%' IDENTIFIED BY 'secret' WITH MAX_USER_CONNECTIONS 1");
    database.execute(&create).await;
    let executor = executor(local(database.port()).user(&user).pool_max(2));
    let only = executor.pool().get_conn().await.unwrap();
    for error in [canonical(&executor, "SELECT 1 AS a").await.unwrap_err(), executor.ping().await.unwrap_err()] {
        assert!(matches!(error, ExecuteError::Unavailable(_)) && error.is_retryable(), "{error:?}");
        assert!(error.to_string().contains("1226"), "{error}");
    }
    only.disconnect().await.unwrap();
    comes_back(&executor).await;
    database.execute(&format!("DROP USER {user}@'%'")).await;
}

#[tokio::test]
async fn too_many_connections_are_unavailable_until_one_closes() {
    let server = SqlServer::start().await;
    let mut admin = server.admin().await;
    // The server reserves one connection for a user with all rights.
    admin.query_drop("SET GLOBAL max_connections = 10; CREATE USER plain@'%' IDENTIFIED BY 'secret'").await.unwrap();
    let executor = executor(local(server.port()).user("plain").pool_max(20));
    let mut held = Vec::new();
    let full = loop {
        match executor.pool().get_conn().await {
            Ok(conn) => held.push(conn),
            Err(error) => break error,
        }
    };
    assert!(full.to_string().contains("1040"), "{full}");
    let error = canonical(&executor, "SELECT 1 AS a").await.unwrap_err();
    assert!(matches!(error, ExecuteError::Unavailable(_)), "{error:?}");
    held.pop().unwrap().disconnect().await.unwrap();
    comes_back(&executor).await;
}

#[tokio::test]
async fn a_killed_idle_connection_causes_no_error() {
    let database = Database::create().await;
    let executor = executor(config(&database).pool_max(1));
    let own = canonical(&executor, "SELECT CONNECTION_ID() AS a").await.unwrap();
    let id: String = own.chars().filter(char::is_ascii_digit).collect();
    let mut admin = database.admin().await;
    admin.query_drop(format!("KILL {id}")).await.unwrap();
    let gone = format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {id}");
    while admin.query_first::<u64, _>(&gone).await.unwrap() != Some(0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_ne!(canonical(&executor, "SELECT CONNECTION_ID() AS a").await.unwrap(), own);
}

#[tokio::test]
async fn a_lock_that_others_hold_is_worth_a_second_try() {
    let database = Database::with("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)").await;
    let executor = executor(config(&database).pool_max(1));
    let mut admin = database.admin().await;
    admin.query_drop("LOCK TABLES t WRITE").await.unwrap();
    // Each server has its own syntax for it.
    let sql =
        "/*M!100101 SET STATEMENT lock_wait_timeout = 1 FOR */ SELECT /*+ SET_VAR(lock_wait_timeout = 1) */ a FROM t";
    let error = canonical(&executor, sql).await.unwrap_err();
    assert!(error.is_retryable() && error.is_lock_timeout(), "{error:?}");
    assert!(!error.to_string().contains("reached"), "{error}");
    admin.query_drop("UNLOCK TABLES").await.unwrap();
    assert_eq!(canonical(&executor, "SELECT a FROM t").await.unwrap(), r#"[{"a":1}]"#);
}

#[tokio::test]
async fn a_ping_fails_with_the_reason_within_the_shortest_limit() {
    let database = Database::create().await;
    let wire = Proxy::to(database.port()).await;
    let hour = Duration::from_secs(3600);
    let patient = config(&database).port(wire.port()).acquire_timeout(hour).connect_timeout(hour);
    let executor = executor(patient.query_timeout(LIMIT));
    executor.ping().await.unwrap();
    wire.set(Mode::HoldAnswers);
    // Once on a connection of the pool, and once on a new one.
    for _ in 0..2 {
        assert_timeout(&executor.ping().await.unwrap_err(), "the ping");
    }
    wire.set(Mode::Pass);
    executor.ping().await.unwrap();
    executor.close().await;
    assert!(matches!(executor.ping().await.unwrap_err(), ExecuteError::Closed));

    let nobody = super::executor(local(free_port()));
    assert!(matches!(nobody.ping().await.unwrap_err(), ExecuteError::Unavailable(_)));
    let denied = super::executor(config(&database).password("wrong"));
    let error = denied.ping().await.unwrap_err();
    assert!(matches!(error, ExecuteError::Refused(_)) && !error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn text_that_is_not_utf8_names_its_column() {
    let database = Database::create().await;
    let executor = executor(config(&database).pool_max(1));
    // A session that asks for Latin-1 gets Latin-1.
    database.execute("CREATE PROCEDURE asks() BEGIN SET character_set_results = latin1; SELECT 'é' AS sad; END").await;
    let error = canonical(&executor, "CALL asks()").await.unwrap_err();
    assert!(matches!(&error, ExecuteError::Cell { column, .. } if column == "sad"), "{error:?}");
    assert!(error.to_string().contains("CONVERT"));
}

#[tokio::test]
async fn names_for_placeholders_are_an_error_that_says_so() {
    let database = Database::create().await;
    let executor = executor(config(&database));
    for sql in ["SELECT :a AS a", "SELECT :a AS a, ? AS b"] {
        let params = if sql.contains('?') {
            params! { "B" => 1 }
        } else {
            params! {}
        };
        let error = read(&executor, RowFormat::Canonical, sql, &params).await.unwrap_err();
        assert!(!error.is_retryable(), "{sql}: {error:?}");
    }
    let quoted = canonical(&executor, "SELECT ':a' AS `b:c` -- :d").await.unwrap();
    assert_eq!(quoted, r#"[{"b:c":":a"}]"#);
}

#[tokio::test]
async fn two_hundred_thousand_rows_stream_through() {
    let database = Database::with("CREATE TABLE t (id INT PRIMARY KEY, pad VARCHAR(900))").await;
    database.execute(&format!("INSERT INTO t SELECT seq, REPEAT('x', 900) FROM {} AS n", numbers(200_000))).await;
    let executor = executor(config(&database));
    let json = canonical(&executor, "SELECT * FROM t ORDER BY id").await.unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.len(), 200_000);
    assert!((1..).zip(&rows).all(|(id, row)| row["id"] == id && row["pad"].as_str().unwrap().len() == 900));
}

#[tokio::test]
async fn closing_has_a_time_limit() {
    let database = Database::create().await;
    let executor = executor(config(&database));
    let held = executor.pool().get_conn().await.unwrap();
    executor.close().await;
    assert!(matches!(canonical(&executor, "SELECT 1").await.unwrap_err(), ExecuteError::Closed));
    drop(held);
}
