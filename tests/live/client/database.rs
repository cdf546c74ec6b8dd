//! The database fails: a typed error that says whether to try again, and nothing of it in the cache.

use std::sync::Arc;
use std::time::Duration;

use mrc::{Error, ExecuteError, MrcClient, MrcClientBuilder, MySqlConfig, Source, params};
use mrc_tests::{Listener, MariaDb, Mode, Proxy, free_port};
use mysql_async::prelude::Queryable;

use super::support::*;

/// The shop's Redis, and MySQL at this port.
fn at(shop: &Shop, port: u16) -> MrcClientBuilder {
    let mysql = MySqlConfig::from_url(&shop.database.url()).unwrap().port(port);
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
        // The claim was given back at once: nobody has to wait for its lease.
        assert!(!shop.has_key(1).await);
    }
}

#[tokio::test]
async fn nobody_there_and_somebody_else() {
    let shop = Shop::open().await;
    fails(&shop, &at(&shop, free_port()).build().unwrap()).await;
    let listeners =
        [Listener::silent().await, Listener::closing().await, Listener::garbage("HTTP/1.1 400\r\n\r\n").await];
    for listener in listeners {
        fails(&shop, &at(&shop, listener.port()).build().unwrap()).await;
    }
    assert!(shop.heard.take().iter().all(|event| event == "Miss"));
    // What is in the cache is served all the same.
    shop.ask(1).await;
    assert!(ask(&at(&shop, free_port()).build().unwrap(), 1).await.unwrap().is_hit());
}

#[tokio::test]
async fn killed_and_back() {
    let shop = Shop::open().await;
    let mysql = MariaDb::start().await;
    let set_up = async || {
        let mut admin = mysql.admin().await;
        admin.query_drop(format!("CREATE DATABASE own; USE own; {ITEMS}")).await.unwrap();
        admin.disconnect().await.unwrap();
    };
    set_up().await;
    let client = shop.builder().mysql(mysql.url("own")).build().unwrap();
    ask(&client, 1).await.unwrap();

    let slow = "SELECT COUNT(*) AS n FROM seq_1_to_1000000 a, seq_1_to_1000000 b WHERE a.seq + b.seq < ?";
    let (slow_client, small) = (client.clone(), params! { "Small" => 1 });
    let key = format!("{}{}", shop.prefix, client.key(slow, &small).unwrap());
    let running = tokio::spawn(async move { slow_client.query_with_cache(slow, small, HOUR).await });
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
    set_up().await;
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
    let sql = "SELECT seq, REPEAT('x', 1000) AS filler FROM seq_1_to_50000 WHERE seq > ?";
    let params = params! { "Seq" => 0 };
    let key = format!("{}{}", shop.prefix, client.key(sql, &params).unwrap());
    let asking = tokio::spawn({
        let (client, params) = (client.clone(), params.clone());
        async move { client.query_with_cache(sql, params, HOUR).await }
    });
    guarded(async {
        while wire.bytes().1 < 200_000 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // A part of the rows has been read by now.
    wire.cut();
    database_error(guarded(asking).await.unwrap().unwrap_err());
    assert_eq!(shop.redis.cli(&["EXISTS", &key]).await, "0");

    let answer = guarded(client.query_with_cache(sql, &params, HOUR)).await.unwrap();
    let rows: Vec<serde_json::Value> = answer.rows().unwrap();
    assert_eq!((answer.source(), rows.len()), (Source::Computed, 50_000));
}

#[tokio::test]
async fn a_wire_that_breaks_and_heals() {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.database.port()).await;
    // What looks like the head of a long packet is waited for.
    let patience = Duration::from_secs(2);
    let mysql = MySqlConfig::from_url(&shop.database.url()).unwrap().port(wire.port());
    let client = shop.builder().mysql_config(mysql.connect_timeout(patience).query_timeout(patience)).build().unwrap();
    for (id, mode) in (10..).zip([Mode::Close, Mode::Garbage(b"\xff\xff\xff\xff\xff\xff\xff\xff".to_vec())]) {
        ask(&client, id).await.unwrap();
        wire.set(mode);
        fails(&shop, &client).await;
        wire.set(Mode::Pass);
        // A connection of the pool may be broken without knowing yet.
        until(async || ask(&client, id + 50).await.is_ok()).await;
        assert_eq!(version(&ask(&client, id + 50).await.unwrap()), 1);
    }
}

#[tokio::test]
async fn what_the_server_refuses_is_not_worth_a_second_try() {
    let shop = Shop::open().await;
    for sql in ["SELECT nothing FROM items", "SELECT 1 FROM nowhere", "SELECT id FROM items WHERE"] {
        let error = shop.client.query_with_cache(sql, params! {}, HOUR).await.unwrap_err();
        assert!(matches!(&error, Error::Database(error) if matches!(**error, ExecuteError::Refused(_))), "{error:?}");
        assert!(!error.is_retryable());
    }
    assert!(shop.client.query_with_cache("SELECT id FROM items", params! {}, HOUR).await.is_ok());
}
