//! The answers of the routes, with and without servers.

use mrc_tests::{Database, Redis, SqlServer};
use serde_json::json;

use crate::run::Shop;

/// Runs the story of a store that no other test uses.
async fn sells(shop: &Shop) {
    assert!(shop.get("/stores/6/orders").await.is_from("computed"));
    let hit = shop.get("/stores/6/orders").await;
    assert!(hit.is_from("cache") && hit.json() == json!([]), "{hit:?}");
    assert_eq!(shop.get("/stores/6/report").await.json(), json!({"orders": 0, "total": "0", "largest": null}));
    assert!(shop.get("/stores/66/orders").await.is_from("computed"));

    let sold = shop.order(6, "tea", "4.25").await;
    assert_eq!((sold.status, sold.json()), (201, json!({"id": 1})));

    let fresh = shop.get("/stores/6/orders").await;
    assert!(fresh.is_from("computed"), "{fresh:?}");
    let order = &fresh.json()[0];
    assert_eq!([&order["state"], &order["total"], &order["note"]], [&json!("open"), &json!("4.25"), &json!(null)]);
    assert_eq!(order["meta"], json!({"items": ["tea"]}));
    assert!(shop.get("/stores/66/orders").await.is_from("cache"), "another store's write is none of its business");

    assert_eq!(shop.get("/orders/1,2").await.json(), json!([order]));
    for _ in 0..2 {
        let report = shop.get("/stores/6/report").await.json();
        assert_eq!(report, json!({"orders": 1, "total": "4.25", "largest": order}));
    }
    let change = r#"{"state":"paid","note":"thanks"}"#;
    assert_eq!(shop.send("PUT", "/stores/6/orders/1", change).await.status, 204);
    assert_eq!(shop.send("PUT", "/stores/6/orders/1", change).await.status, 204);
    assert_eq!(shop.send("PUT", "/stores/6/orders/7", change).await.status, 404);
    for path in ["/stores/6/orders", "/orders/1,2"] {
        assert_eq!(shop.get(path).await.json()[0]["note"], "thanks", "{path}");
    }
    assert_eq!(shop.get("/stores/6/report").await.json()["largest"]["state"], "paid");
    assert_eq!(shop.get("/rates/USD").await.json(), "1.08");

    let metrics = shop.get("/metrics").await;
    for line in
        [r#"mrc_events_total{event="hit"} 3"#, r#"mrc_events_total{event="miss"} 16"#, "mrc_compute_seconds_count"]
    {
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
    another.order(6, "cup", "0.75").await;
    let report = one.get("/stores/6/report").await.json();
    assert_eq!((&report["orders"], &report["total"]), (&json!(2), &json!("5")));
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
async fn errors_are_json() {
    let shop = Shop::start(&[]).await;
    for (method, path, body, status) in [
        ("GET", "/nothing", "", 404),
        ("DELETE", "/stores/6/orders", "", 405),
        ("GET", "/stores/six/orders", "", 400),
        ("POST", "/stores/6/orders", "{", 400),
        ("POST", "/stores/6/orders", r#"{"total":"much","meta":{"items":[]}}"#, 422),
        ("PUT", "/stores/6/orders/1", "{}", 422),
        ("GET", "/orders/1,two", "", 400),
        ("GET", "/rates/XXX", "", 502),
    ] {
        let response = shop.send(method, path, body).await;
        assert_eq!(response.status, status, "{response:?}");
        assert!(response.json()["error"].is_string(), "{response:?}");
    }
}
