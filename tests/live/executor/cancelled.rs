//! A query that nobody waits for ends at the server too, and counts against the pool until then.

use std::collections::HashSet;
use std::time::Duration;

use mrc_store::{MySqlExecutor, QueryExecutor};
use mrc_tests::{Database, running, unique, until_ended, until_running};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::time::sleep;

use super::{canonical, config, execute, executor};

/// Begins the query and drops it when the server runs it.
async fn cancelled(executor: &MySqlExecutor, admin: &mut Conn, sql: &str, name: &str) {
    tokio::select! {
        done = canonical(executor, sql) => panic!("{done:?}"),
        _ = until_running(admin, name) => {}
    }
}

async fn twenty_of(sql: impl Fn(&str) -> String) {
    let (database, name) = (Database::create().await, unique("cancelled"));
    let executor = executor(config(&database).pool_max(2));
    let sql = sql(&name);
    let (mut admin, mut watcher) = (database.admin().await, database.admin().await);
    let (done, mut is_done) = tokio::sync::oneshot::channel();
    let watched = {
        let name = name.clone();
        tokio::spawn(async move {
            let mut most = 0;
            let mut before = HashSet::new();
            while is_done.try_recv().is_err() {
                // A server lists threads one by one. Those of two lists in a row ran at one time.
                let now: HashSet<u64> = running(&mut watcher, &name).await.into_iter().collect();
                most = most.max(now.intersection(&before).count());
                before = now;
            }
            most
        })
    };
    for _ in 0..20 {
        cancelled(&executor, &mut admin, &sql, &name).await;
    }
    until_ended(&mut admin, &name).await;
    done.send(()).unwrap();
    let most = watched.await.unwrap();
    assert!((1..=2).contains(&most), "{most} at once");
    assert_eq!(canonical(&executor, "SELECT 2 AS a").await.unwrap(), r#"[{"a":2}]"#);
    executor.close().await;
}

#[tokio::test]
async fn twenty_that_sleep_are_two_at_the_server_and_soon_none() {
    twenty_of(|name| format!("SELECT SLEEP(600) AS {name}")).await;
}

#[tokio::test]
async fn twenty_that_compute_are_two_at_the_server_and_soon_none() {
    let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)";
    twenty_of(|name| format!("{numbers} SELECT COUNT(*) AS {name} FROM n AS a, n AS b, n AS c, n AS d")).await;
}

#[tokio::test]
async fn a_permit_is_returned_only_when_the_query_has_ended() {
    let (database, name) = (Database::create().await, unique("counted"));
    let executor = executor(config(&database).pool_max(1));
    let mut admin = database.admin().await;
    for _ in 0..10 {
        cancelled(&executor, &mut admin, &format!("SELECT SLEEP(600) AS {name}"), &name).await;
        canonical(&executor, "SELECT 1 AS a").await.unwrap();
        assert_eq!(running(&mut admin, &name).await, [0; 0]);
    }
}

#[tokio::test]
async fn a_statement_ends_with_its_caller() {
    let (database, name) = (Database::create().await, unique("dropped"));
    let executor = executor(config(&database).pool_max(1));
    let mut admin = database.admin().await;
    let sql = format!("DO SLEEP(600) /* {name} */");
    tokio::select! {
        done = execute(&executor, &sql) => panic!("{done:?}"),
        _ = until_running(&mut admin, &name) => {}
    }
    until_ended(&mut admin, &name).await;
}

#[tokio::test]
async fn closing_waits_until_cancelled_queries_have_ended() {
    let (database, name) = (Database::create().await, unique("closed"));
    let executor = executor(config(&database));
    let mut admin = database.admin().await;
    cancelled(&executor, &mut admin, &format!("SELECT SLEEP(600) AS {name}"), &name).await;
    executor.close().await;
    assert_eq!(running(&mut admin, &name).await, [0; 0]);
}

#[tokio::test]
async fn the_side_connection_is_there_only_while_it_is_needed() {
    let (database, name) = (Database::create().await, unique("side"));
    let mut admin = database.admin().await;
    let user = unique("u");
    let create = format!("CREATE USER {user}@'%' IDENTIFIED BY 'pw'; GRANT SELECT ON *.* TO {user}@'%'");
    database.execute(&create).await;
    // A read-only user may end its own queries.
    let executor = executor(config(&database).user(&user).password("pw").pool_max(1));
    cancelled(&executor, &mut admin, &format!("SELECT SLEEP(600) AS {name}"), &name).await;
    until_ended(&mut admin, &name).await;
    let connections = format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '{user}'");
    while admin.query_first::<u64, _>(&connections).await.unwrap() != Some(0) {
        sleep(Duration::from_millis(2)).await;
    }
    canonical(&executor, "SELECT 1 AS a").await.unwrap();
    executor.close().await;
    admin.query_drop(format!("DROP USER {user}@'%'")).await.unwrap();
}
