//! `mrc demo`: without servers, on real servers, and interrupted.

use mrc_tests::{Database, Proxy, Redis};
use mysql_async::prelude::Queryable;
use serde_json::json;

use crate::run::{Run, command, mrc, mrc_with};

#[tokio::test]
async fn without_servers() {
    let run = mrc(&["demo"]).await;
    assert!(run.text().lines().count() <= 25, "{run:?}");
    assert!(run.stdout.contains("1 query reached SQLite") && run.stdout.contains("MRC_REDIS_URL"), "{run:?}");
    assert!(!run.stdout.contains('\x1b') && run.stderr.is_empty(), "{run:?}");
    tells(&mrc(&["demo", "--json"]).await, "none");
}

#[tokio::test]
async fn with_one_server_the_demo_names_the_missing_url() {
    let run = mrc(&["demo", "--redis", "redis://:hunter2@127.0.0.1:1"]).await;
    assert!(run.text().contains("SQLite") && run.stderr.contains("--mysql"), "{run:?}");
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
}

#[tokio::test]
async fn on_real_servers_it_leaves_nothing_behind() {
    let (redis, database) = (Redis::start().await, Database::create().await);
    redis.cli(&["SET", "StoreId=6_11f6ad8ec52a2984abaafd7c3b516503785c2072", "1"]).await;
    let env = [("MRC_MYSQL_URL", &*database.url()), ("MRC_REDIS_URL", &*redis.url())];
    tells(&mrc_with(&["demo", "--json"], &env, "").await, "yours");
    let run = mrc_with(&["demo"], &env, "").await;
    assert!(run.text().lines().count() <= 25 && run.stdout.contains("1 query reached MySQL"), "{run:?}");
    assert_eq!(tables(&database).await, [""; 0]);
    assert_eq!(
        redis.cli(&["KEYS", "*"]).await,
        "StoreId=6_11f6ad8ec52a2984abaafd7c3b516503785c2072",
        "not its own, so not its to drop"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_demo_drops_its_table() {
    let (redis, database) = (Redis::shared().await, Database::create().await);
    let wire = Proxy::to(redis.port()).await;
    let url = format!("redis://127.0.0.1:{}", wire.port());
    let mut child = command(&["demo", "--mysql", &database.url(), "--redis", &url]).spawn().unwrap();
    while tables(&database).await.is_empty() {
        assert_eq!(child.try_wait().unwrap(), None, "the demo has ended");
    }
    // The held answers of the cache keep the demo from ending before Ctrl-C.
    wire.set(mrc_tests::Mode::HoldAnswers);
    wire.seen("GET").await;
    crate::run::signal(&child, rustix::process::Signal::INT);
    let run = Run::from(child.wait_with_output().await.unwrap());
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (130, "", "error: interrupted\n"));
    assert_eq!(tables(&database).await, [""; 0]);
}

fn tells(run: &Run, servers: &str) {
    let report = run.json();
    assert_eq!(
        (&report["servers"], &report["orders"], &report["callers"], &report["queries"]),
        (&json!(servers), &json!(100_000), &json!(1_000), &json!(1)),
    );
    assert_eq!((&report["dropped"], &report["orders_before"]), (&json!(1), &json!(1_000)));
    let (written, alike) = (&report["written"], &report["alike"]);
    assert_eq!((&written["source"], &written["orders"]), (&json!("miss"), &json!(1_001)));
    assert_eq!((&alike["store_id"], &alike["source"], &alike["orders"]), (&json!(66), &json!("hit"), &json!(1_000)));
}

async fn tables(database: &Database) -> Vec<String> {
    database.admin().await.query("SHOW TABLES").await.unwrap()
}
