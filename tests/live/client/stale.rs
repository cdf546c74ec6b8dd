//! The database stops, and the stale copy of the last value that wasn't invalidated replaces it.

use std::time::Duration;

use mrc::config::MySqlConfig;
use mrc::{Answer, Error, MrcClient, Source, params};
use mrc_tests::{Mode, Proxy, SqlServer};

use super::support::*;

/// Fills a value that expires at once, and waits for that.
async fn expire(shop: &Shop, client: &MrcClient, id: u32) {
    let life = Duration::from_millis(50);
    assert_eq!(version(&client.query_with_cache(SQL, params! { "Id" => id }, life).await.unwrap()), 1);
    until(async || !shop.has_key(id).await).await;
    shop.heard.take();
}

fn is_stale(answer: &Answer) {
    assert_eq!((version(answer), answer.source(), answer.is_hit()), (1, Source::Stale, false));
}

#[tokio::test]
async fn a_stale_copy_is_served_until_it_is_dropped_or_the_database_is_back() {
    let (shop, mysql) = (Shop::open().await, SqlServer::start().await);
    set_up(&mysql).await;
    let client = shop.builder().mysql(mysql.url("own")).stale_on_error(HOUR).jitter(0.0).build().unwrap();
    for id in 1..=2 {
        expire(&shop, &client, id).await;
        let copy = format!("{}mrc:s:{{{}}}", shop.prefix, shop.key(id));
        assert_eq!(shop.keys(id).await, [copy.as_str()]);
        let left: u64 = shop.redis.cli(&["PTTL", &copy]).await.parse().unwrap();
        assert!((1..=3_600_050).contains(&left), "{left}");
    }
    mysql.kill().await;
    for id in [1, 1, 2] {
        is_stale(&ask(&client, id).await.unwrap());
        assert_eq!(shop.heard.take(), ["Miss", "Failed", "Stale"]);
    }
    let never_read = ask(&client, 3).await.unwrap_err();
    assert!(matches!(never_read, Error::Database(_)), "{never_read:?}");

    shop.server().drop_outdated_cache(params! { "Id" => 2 }).await.unwrap();
    assert_eq!(shop.keys(2).await, [""; 0]);
    let dropped = ask(&client, 2).await.unwrap_err();
    assert!(matches!(dropped, Error::Database(_)) && dropped.is_retryable(), "{dropped:?}");
    is_stale(&ask(&client, 1).await.unwrap());

    mysql.restart().await;
    let mut admin = mysql.admin().await;
    mysql_async::prelude::Queryable::query_drop(&mut admin, "UPDATE own.items SET version = 2").await.unwrap();
    until(async || version(&ask(&client, 1).await.unwrap()) == 2).await;
    assert!(ask(&client, 1).await.unwrap().is_hit());
}

#[tokio::test]
async fn a_slow_query_continues_after_the_stale_copy_is_served() {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.database.port()).await;
    let mysql = MySqlConfig::from_url(&shop.database.url()).unwrap().port(wire.port());
    let builder = shop.builder().mysql_config(mysql).stale_on_error(HOUR).stale_after(Duration::from_millis(100));
    let client = builder.build().unwrap();
    expire(&shop, &client, 1).await;
    shop.write(2).await;
    wire.set(Mode::Hold);
    for _ in 0..2 {
        is_stale(&ask(&client, 1).await.unwrap());
    }
    assert_eq!(shop.heard.take(), ["Miss", "Stale", "Stale"], "one query for both");
    wire.set(Mode::Pass);
    until(async || shop.heard.take() == ["Filled"]).await;
    let answer = ask(&client, 1).await.unwrap();
    assert_eq!((version(&answer), answer.source()), (2, Source::Cache));
}
