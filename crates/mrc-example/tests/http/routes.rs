//! What the routes answer, on servers and on none.

use mrc_tests::{Database, Redis, SqlServer};
use serde_json::json;

use crate::run::Shop;

/// The whole story of a store, which nobody else uses.
async fn sells(shop: &Shop) {
    assert!(shop.get("/stores/6/orders").await.is_from("computed"));
    let hit = shop.get("/stores/6/orders").await;
    assert!(hit.is_from("cache") && hit.json() == json!([]), "{hit:?}");
    assert_eq!(shop.get("/stores/6/report").await.json(), json!({"orders": 0, "cents": 0}));
    assert!(shop.get("/stores/66/orders").await.is_from("computed"));

    let sold = shop.order(6, "tea", 450).await;
    assert_eq!((sold.status, sold.json()), (201, json!({"id": 1})));

    let fresh = shop.get("/stores/6/orders").await;
    assert!(fresh.is_from("computed") && fresh.json()[0]["item"] == "tea", "{fresh:?}");
    assert!(shop.get("/stores/66/orders").await.is_from("cache"), "another store's write is none of its business");
    for _ in 0..2 {
        assert_eq!(shop.get("/stores/6/report").await.json(), json!({"orders": 1, "cents": 450}));
    }

    let metrics = shop.get("/metrics").await;
    for line in [
        r#"mrc_events_total{event="hit"} 5"#,
        r#"mrc_events_total{event="miss"} 5"#,
        "# reports: 3 lookups, 33.3 % hits",
    ] {
        assert!(metrics.body.lines().any(|found| found.starts_with(line)), "{line} isn't in {metrics:?}");
    }
    let ready = shop.get("/health/ready").await;
    assert_eq!((ready.status, ready.json()), (200, json!({"database": "up", "cache": "up"})));
}

#[tokio::test]
async fn it_runs_without_servers() {
    let shop = Shop::start(&[]).await;
    sells(&shop).await;
    assert_eq!(shop.get("/health/live").await.status, 200);
    assert!(shop.terminate().await.success());
}

#[tokio::test]
async fn it_runs_on_servers_that_another_process_shares() {
    let (redis, database) = (Redis::start().await, Database::create().await);
    let env = [("MRC_MYSQL_URL", &*database.url()), ("MRC_REDIS_URL", &*redis.url())];
    let (one, another) = (Shop::start(&env).await, Shop::start(&env).await);
    sells(&one).await;
    assert!(another.get("/stores/6/orders").await.is_from("cache"));
    another.order(6, "cup", 50).await;
    assert_eq!(one.get("/stores/6/report").await.json(), json!({"orders": 2, "cents": 500}));
}

#[tokio::test]
async fn without_the_database_it_is_not_ready_and_hits_go_on() {
    let server = SqlServer::start().await;
    let database = server.url("mysql");
    let shop = Shop::start(&[("MRC_MYSQL_URL", &*database)]).await;
    shop.get("/stores/6/orders").await;
    server.kill().await;
    let ready = shop.get("/health/ready").await;
    assert_eq!((ready.status, ready.json()), (503, json!({"database": "down", "cache": "up"})));
    assert!(shop.get("/stores/6/orders").await.is_from("cache"));
    let failed = shop.get("/stores/7/orders").await;
    assert_eq!((failed.status, failed.json()), (503, json!({"error": "try again later"})));
    assert_eq!(shop.get("/health/live").await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_is_said_as_json() {
    let shop = Shop::start(&[]).await;
    for (method, path, body, status) in [
        ("GET", "/nothing", "", 404),
        ("DELETE", "/stores/6/orders", "", 405),
        ("GET", "/stores/six/orders", "", 400),
        ("POST", "/stores/6/orders", "{", 400),
        ("POST", "/stores/6/orders", r#"{"item":"tea","cents":-1}"#, 422),
    ] {
        let response = shop.send(method, path, body).await;
        assert_eq!(response.status, status, "{response:?}");
        assert!(response.json()["error"].is_string(), "{response:?}");
    }
}
