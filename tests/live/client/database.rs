//! The database fails: a typed error that says whether to retry, and no trace of it in the cache.

use std::sync::Arc;
use std::time::Duration;

use mrc::config::MrcClientBuilder;
use mrc::errors::ExecuteError;
use mrc::{Error, MrcClient, Query, Source, params};
use mrc_tests::{Listener, Mode, Proxy, free_port, numbers, slow_query, unique, until_running};
use mysql_async::prelude::Queryable;

use super::support::*;

/// Returns a client builder with the shop's Redis, and MySQL at this port.
fn at(shop: &Shop, port: u16) -> MrcClientBuilder {
    let mysql = shop.mysql_config().port(port);
    shop.builder().mysql_config(mysql.connect_timeout(Duration::from_secs(1)))
}

fn database_error(error: Error) -> Arc<ExecuteError> {
    assert!(error.is_retryable(), "{error}");
    match error {
        Error::Database(error) => error,
        other => panic!("{other:?}"),
    }
}

async fn fails(shop: &Shop, client: &MrcClient) {
    for _ in 0..2 {
        database_error(ask(client, 1).await.unwrap_err());
        // The claim was released at once: nobody has to wait for its lease.
        assert!(!shop.has_key(1).await);
    }
}

#[tokio::test]
async fn a_closed_port_and_a_foreign_server() {
    let shop = Shop::open().await;
    fails(&shop, &at(&shop, free_port()).build().unwrap()).await;
    let listeners =
        [Listener::silent().await, Listener::closing().await, Listener::garbage("HTTP/1.1 400\r\n\r\n").await];
    for listener in listeners {
        fails(&shop, &at(&shop, listener.port()).build().unwrap()).await;
    }
    assert!(shop.heard.take().chunks(2).all(|events| events == ["Miss", "Failed"]));
    // Cached entries are served all the same.
    shop.ask(1).await;
    assert!(ask(&at(&shop, free_port()).build().unwrap(), 1).await.unwrap().is_hit());
}

#[tokio::test]
async fn killed_and_back() {
    let shop = Shop::open().await;
    let mysql = own_items().await;
    let client = shop.builder().mysql(mysql.url("own")).build().unwrap();
    ask(&client, 1).await.unwrap();

    let million = numbers(1_000_000);
    let slow = format!("SELECT COUNT(*) AS n FROM {million} AS a, {million} AS b WHERE a.seq + b.seq < ?");
    let (slow_client, small) = (client.clone(), params! { "Small" => 1 });
    let key = format!("{}{}", shop.prefix, client.key(&slow, &small).unwrap());
    let running = tokio::spawn(async move { slow_client.query_with_cache(&slow, small, HOUR).await });
    let mut admin = mysql.admin().await;
    until(async || {
        let count = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%a.seq + b.seq%' \
                     AND COMMAND = 'Execute'";
        admin.query_first::<u64, _>(count).await.unwrap() == Some(1)
    })
    .await;
    mysql.kill().await;
    database_error(guarded(running).await.unwrap().unwrap_err());
    assert_eq!(shop.redis.cli(&["EXISTS", &key]).await, "0");

    database_error(ask(&client, 2).await.unwrap_err());
    assert!(ask(&client, 1).await.unwrap().is_hit());
    mysql.restart().await;
    until(async || match ask(&client, 2).await {
        Ok(answer) => version(&answer) == 1,
        Err(error) => {
            database_error(error);
            false
        }
    })
    .await;
    assert_eq!(ask(&client, 2).await.unwrap().source(), Source::Cache);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_cached() {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.database.port()).await;
    let client = at(&shop, wire.port()).build().unwrap();
    let sql = format!("SELECT seq, REPEAT('x', 1000) AS filler FROM {} AS n WHERE seq > ?", numbers(50_000));
    let params = params! { "Seq" => 0 };
    let key = format!("{}{}", shop.prefix, client.key(&sql, &params).unwrap());
    let asking = tokio::spawn({
        let (client, sql, params) = (client.clone(), sql.clone(), params.clone());
        async move { client.query_with_cache(sql, params, HOUR).await }
    });
    guarded(async {
        while wire.bytes().1 < 200_000 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // Some of the rows have been read by now.
    wire.cut();
    database_error(guarded(asking).await.unwrap().unwrap_err());
    assert_eq!(shop.redis.cli(&["EXISTS", &key]).await, "0");

    let answer = guarded(client.query_with_cache(&sql, &params, HOUR)).await.unwrap();
    let rows: Vec<serde_json::Value> = answer.rows().unwrap();
    assert_eq!((answer.source(), rows.len()), (Source::Computed, 50_000));
}

#[tokio::test]
async fn a_wire_that_breaks_and_heals() {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.database.port()).await;
    // The executor waits for bytes that look like the head of a long packet.
    let patience = Duration::from_secs(2);
    let mysql = shop.mysql_config().port(wire.port());
    let client = shop.builder().mysql_config(mysql.connect_timeout(patience).query_timeout(patience)).build().unwrap();
    for (id, mode) in (10..).zip([Mode::Close, Mode::Garbage(b"\xff\xff\xff\xff\xff\xff\xff\xff".to_vec())]) {
        ask(&client, id).await.unwrap();
        wire.set(mode);
        fails(&shop, &client).await;
        wire.set(Mode::Pass);
        // A connection of the pool may be broken without the pool's knowledge.
        until(async || ask(&client, id + 50).await.is_ok()).await;
        assert_eq!(version(&ask(&client, id + 50).await.unwrap()), 1);
    }
}

/// Checks that the claim of a call that missed its deadline is released in the background.
async fn leaves_nothing(shop: &Shop, id: u32) {
    until(async || shop.keys(id).await.is_empty()).await;
}

#[tokio::test]
async fn a_server_that_stands_still_costs_a_deadline_and_no_more() {
    let (shop, mysql) = (Shop::open().await, own_items().await);
    let client = shop.builder().mysql(mysql.url("own")).lease(HOUR).build().unwrap();
    ask(&client, 1).await.unwrap();
    shop.heard.take();
    mysql.pause().await;
    let limit = Duration::from_secs(1);
    let hurried = client.with_deadline(limit);
    for _ in 0..2 {
        let error = ask(&hurried, 2).await.unwrap_err();
        assert!(matches!(error, Error::Deadline { limit: passed } if passed == limit), "{error:?}");
        assert!(error.is_retryable());
        leaves_nothing(&shop, 2).await;
    }
    assert_eq!(shop.heard.take(), ["Miss", "DeadlinePassed", "Miss", "DeadlinePassed"]);
    assert!(ask(&hurried, 1).await.unwrap().is_hit());
    mysql.resume().await;
    assert_eq!(ask(&client, 2).await.unwrap().source(), Source::Computed);
    assert!(ask(&client, 2).await.unwrap().is_hit());
}

/// Returns the connection on which the database runs a query with this name.
async fn running(shop: &Shop, name: &str) -> u64 {
    guarded(until_running(&mut shop.database.admin().await, name)).await
}

struct Slow {
    shop: Shop,
    client: MrcClient,
    sql: String,
    name: String,
    key: String,
}

impl Slow {
    async fn new() -> Self {
        let (shop, name) = (Shop::open().await, unique("slow"));
        let sql = slow_query(&name);
        let key = format!("{}{}", shop.prefix, shop.client.key(&sql, params! {}).unwrap());
        let client = shop.builder().lease(HOUR).build().unwrap();
        Self { shop, client, sql, name, key }
    }

    async fn ask(&self, client: &MrcClient) -> Error {
        guarded(client.query_with_cache(Query::new(&self.sql).trust_read_only(), params! {}, HOUR)).await.unwrap_err()
    }

    async fn running(&self) -> u64 {
        running(&self.shop, &self.name).await
    }

    async fn left_nothing(&self) {
        until(async || self.shop.redis.cli(&["KEYS", &format!("*{}*", self.key)]).await.is_empty()).await;
    }
}

#[tokio::test]
async fn a_query_that_is_too_slow_ends_with_the_deadline() {
    let slow = Slow::new().await;
    let hurried = slow.client.with_deadline(Duration::from_millis(300));
    let error = slow.ask(&hurried).await;
    assert!(matches!(error, Error::Deadline { .. }) && error.is_retryable(), "{error:?}");
    slow.left_nothing().await;
    assert_eq!(version(&slow.shop.ask(1).await), 1);
}

#[tokio::test]
async fn a_query_whose_connection_is_killed_may_be_tried_again() {
    let slow = Slow::new().await;
    let kill = async {
        let id = slow.running().await;
        slow.shop.database.execute(&format!("KILL CONNECTION {id}")).await;
    };
    let (error, ()) = tokio::join!(slow.ask(&slow.client), kill);
    database_error(error);
    slow.left_nothing().await;
    assert_eq!(slow.shop.heard.take(), ["Miss", "Failed"]);
    assert_eq!(version(&slow.shop.ask(1).await), 1);
}

#[tokio::test]
async fn a_pool_without_a_free_connection() {
    let shop = Shop::open().await;
    let mysql = shop.mysql_config().pool_max(1);
    let client =
        shop.builder().mysql_config(mysql.acquire_timeout(Duration::from_millis(300))).lease(HOUR).build().unwrap();
    let name = unique("slow");
    // A sum has to read the rows; for a lone COUNT(*) MySQL multiplies the tables' row counts.
    let held = format!("SELECT SUM(f.version) AS {name} FROM items a, items b, items c, items d, items e, items f");
    let only = tokio::spawn({
        let client = client.clone();
        async move { client.query_with_cache(held, params! {}, HOUR).await }
    });
    running(&shop, &name).await;
    let error = database_error(ask(&client, 1).await.unwrap_err());
    assert!(matches!(*error, ExecuteError::Timeout { .. }), "{error:?}");
    let error = ask(&client.with_deadline(Duration::from_millis(50)), 1).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    leaves_nothing(&shop, 1).await;
    only.abort();
    until(async || ask(&client, 1).await.is_ok()).await;
    assert!(ask(&client, 1).await.unwrap().is_hit());
}

#[tokio::test]
async fn a_refusal_of_the_server_is_not_retryable() {
    let shop = Shop::open().await;
    for sql in ["SELECT nothing FROM items", "SELECT 1 FROM nowhere", "SELECT id FROM items WHERE"] {
        let error = shop.client.query_with_cache(sql, params! {}, HOUR).await.unwrap_err();
        assert!(matches!(&error, Error::Database(error) if matches!(**error, ExecuteError::Refused(_))), "{error:?}");
        assert!(!error.is_retryable());
    }
    assert!(shop.client.query_with_cache("SELECT id FROM items", params! {}, HOUR).await.is_ok());
}

#[test]
fn a_client_is_built_without_servers_and_without_a_runtime() {
    let (redis, mysql) = (free_port(), free_port());
    let client = MrcClient::builder()
        .redis(format!("redis://127.0.0.1:{redis}"))
        .mysql(format!("mysql://127.0.0.1:{mysql}/shop"))
        .build()
        .unwrap();
    assert!(client.key(SQL, params! { "Id" => 1 }).unwrap().as_str().starts_with("Id=1_"));
}
