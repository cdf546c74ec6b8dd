//! The traffic: no command more than needed, and no connection before it is needed. The events of a
//! listener, in order, and the results of a readiness probe.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use mrc::errors::{ExecuteError, StoreError};
use mrc::{Error, Event, Health, MrcClient, Source, params};
use mrc_tests::{Proxy, Redis, SqlServer};

use super::support::*;

#[tokio::test]
async fn a_miss_a_hit_and_a_bypass() {
    let shop = Shop::open().await;
    shop.ask(1).await;
    assert_eq!(shop.heard.take(), ["Miss", "Filled"]);
    shop.ask(1).await;
    assert_eq!(shop.heard.take(), ["Hit"]);

    let sql = "SELECT ? AS store, ? AS state";
    let ambiguous = params! { "Store" => "1_State=open", "State" => "x" };
    let answer = shop.client.query_with_cache(sql, &ambiguous, HOUR).await.unwrap();
    assert_eq!(answer.as_str().unwrap(), r#"[{"store":"1_State=open","state":"x"}]"#);
    assert_eq!(shop.heard.take(), ["Bypassed Ambiguous"]);
    let key = format!("{}{}", shop.prefix, shop.client.key(sql, &ambiguous).unwrap());
    assert_eq!(shop.redis.cli(&["EXISTS", &key]).await, "0");
}

#[tokio::test]
async fn a_fill_emits_its_size_and_its_ttl() {
    let shop = Shop::open().await;
    let fills = Arc::new(Mutex::new(Vec::new()));
    let filled = Arc::clone(&fills);
    let client = shop
        .builder()
        .jitter(0.0)
        .on_event(move |event: &Event<'_>| {
            if let Event::Filled { key, ttl, bytes, .. } = event {
                filled.lock().unwrap().push(((*key).to_owned(), *ttl, *bytes));
            }
        })
        .build()
        .unwrap();
    let answer = ask(&client, 1).await.unwrap();
    let key = client.key(SQL, params! { "Id" => 1 }).unwrap().into_string();
    assert_eq!(*fills.lock().unwrap(), [(key, HOUR, answer.as_bytes().len())]);
}

#[tokio::test]
async fn a_drop_reports_the_number_of_dropped_entries() {
    let shop = Shop::open().await;
    for id in 1..=3 {
        shop.ask(id).await;
    }
    let server = shop.server().on_event(shop.heard.clone());
    shop.heard.take();
    assert_eq!(server.drop_outdated_cache(params! { "Id" => 2 }).await.unwrap(), 1);
    assert_eq!(shop.heard.take(), ["Dropped"]);
    shop.ask(2).await;
    shop.ask(3).await;
    assert_eq!(shop.heard.take(), ["Miss", "Filled", "Hit"]);
}

#[tokio::test]
async fn a_function_is_cached_as_a_query_is() {
    let shop = Shop::open().await;
    let ttl = Duration::from_secs(60);
    for _ in 0..2 {
        let made = async || Ok::<_, mrc::Error>(vec![1.5, 1e21]);
        let report: Vec<f64> = shop.client.with_cache(made, "report_v1", params! { "Id" => 1 }, ttl).await.unwrap();
        assert_eq!(report, [1.5, 1e21]);
    }
    assert_eq!(shop.heard.take(), ["Miss", "Filled", "Hit"]);
    let read = shop.client.read_from_cache("report_v1", params! { "Id" => 1 }).await.unwrap().unwrap();
    assert_eq!((read.as_str().unwrap(), read.source()), ("[1.5,1e+21]", Source::Cache));
}

#[tokio::test]
async fn a_lost_server_and_its_return() {
    let redis = Redis::start().await;
    let (sender, mut servers) = tokio::sync::watch::channel(Vec::new());
    let client = MrcClient::builder()
        .redis(redis.url())
        .on_event(move |event: &Event<'_>| {
            if let Event::ServerLost { server, .. } | Event::ServerBack { server, .. } = event {
                sender.send_modify(|all| all.push((event.name(), (*server).to_owned())));
            }
        })
        .build()
        .unwrap();
    assert!(client.health().await.is_whole());
    redis.kill().await;
    // No call is needed for it.
    guarded(servers.wait_for(|all| !all.is_empty())).await.unwrap();
    assert!(!client.health().await.is_whole());
    redis.restart().await;
    guarded(servers.wait_for(|all| all.len() > 1)).await.unwrap();
    let server = format!("127.0.0.1:{}", redis.port());
    assert_eq!(*servers.borrow(), [("server_lost", server.clone()), ("server_back", server)]);
    assert!(client.health().await.is_whole());
}

/// Returns the client's health, after a check that it shows no password.
async fn health(client: &MrcClient) -> Health {
    let health = guarded(client.health()).await;
    let text = format!("{health} {health:?}");
    assert!(!text.contains("s3cret") && !text.contains("secret"), "{text}");
    health
}

#[tokio::test]
async fn the_cache_and_the_database_are_reported_separately() {
    let (redis, mysql) = (Redis::with_args(&["--requirepass", "s3cret"]).await, SqlServer::start().await);
    let client = MrcClient::builder()
        .redis_config(impatient(redis.port()).password("s3cret"))
        .mysql(mysql.url(""))
        .build()
        .unwrap();
    let whole = async || until(async || health(&client).await.is_whole()).await;
    whole().await;
    let up = health(&client).await.to_string();
    assert!(up.starts_with("cache: up (") && up.contains("), database: up ("), "{up}");

    for standing_still in [false, true] {
        if standing_still {
            redis.pause().await;
        } else {
            redis.kill().await;
        }
        let without = health(&client).await;
        assert!(without.is_ready() && !without.is_whole(), "{without}");
        assert!(without.to_string().starts_with("cache: down ("), "{without}");
        assert!(matches!(&without.cache, Err(Error::Store(error)) if error.is_retryable()), "{without:?}");
        if standing_still {
            redis.resume().await;
        } else {
            redis.restart().await;
        }
        whole().await;
    }

    mysql.kill().await;
    let without = health(&client).await;
    assert!(!without.is_ready() && !without.is_whole() && without.cache.is_ok(), "{without}");
    assert!(without.to_string().contains("database: down ("), "{without}");
    assert!(
        matches!(&without.database, Some(Err(Error::Database(error))) if matches!(**error, ExecuteError::Unavailable(_))),
        "{without:?}"
    );
    redis.kill().await;
    let neither = health(&client).await;
    assert!(
        matches!(&neither.cache, Err(Error::Store(error)) if matches!(**error, StoreError::Unavailable(_)))
            && !neither.is_ready(),
        "{neither:?}"
    );
    mysql.restart().await;
    until(async || health(&client).await.is_ready()).await;
    redis.restart().await;
    whole().await;
}

#[tokio::test]
async fn a_hit_is_one_get() {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.redis.port()).await;
    let client = shop.through(&wire).build().unwrap();
    assert_eq!(ask(&client, 1).await.unwrap().source(), Source::Computed);

    wire.reset();
    for _ in 0..50 {
        assert!(ask(&client, 1).await.unwrap().is_hit());
    }
    let together = join_all((0..50).map(|_| ask(&client, 1))).await;
    assert!(together.iter().all(|answer| answer.as_ref().unwrap().is_hit()));
    assert_eq!(wire.commands(), vec![["GET", &shop.key(1)]; 100]);
    assert_eq!(wire.connections(), 0);
}

#[tokio::test]
async fn a_miss_is_a_look_a_claim_and_a_fill() {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.redis.port()).await;
    let client = shop.through(&wire).build().unwrap();
    // The first miss may load the scripts.
    ask(&client, 1).await.unwrap();

    for id in 2..10 {
        wire.reset();
        assert_eq!(ask(&client, id).await.unwrap().source(), Source::Computed);
        assert_eq!(wire.names(), ["GET", "EVALSHA", "EVALSHA"]);
        let commands = wire.commands();
        assert_ne!(commands[1][1], commands[2][1], "two scripts");
        assert!(commands[1..].iter().all(|command| command.contains(&shop.key(id))), "{commands:?}");
    }
}

#[tokio::test]
async fn a_query_that_fails_gives_its_claim_back() {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.redis.port()).await;
    let client = shop.through(&wire).build().unwrap();
    ask(&client, 1).await.unwrap();
    let fail = async || client.query_with_cache("SELECT nothing FROM items", params! {}, HOUR).await.unwrap_err();
    fail().await;

    wire.reset();
    let error = fail().await;
    assert!(error.to_string().contains("nothing"), "{error}");
    assert_eq!(wire.names(), ["GET", "EVALSHA", "EVALSHA"]);
    let left = shop
        .redis
        .cli(&["EXISTS", &format!("{}{}", shop.prefix, client.key("SELECT nothing FROM items", params! {}).unwrap())])
        .await;
    assert_eq!(left, "0");
}

#[tokio::test]
async fn the_database_hears_nothing_of_a_hit() {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.database.port()).await;
    let mysql = shop.mysql_config().port(wire.port());
    let client = shop.builder().mysql_config(mysql).build().unwrap();
    ask(&client, 1).await.unwrap();
    assert!(wire.bytes().0 > 0);

    wire.reset();
    for _ in 0..100 {
        assert!(ask(&client, 1).await.unwrap().is_hit());
    }
    assert_eq!((wire.bytes(), wire.connections()), ((0, 0), 0));
}

#[tokio::test]
async fn nothing_is_connected_before_the_first_use() {
    let shop = Shop::open().await;
    let (redis, mysql) = (Proxy::to(shop.redis.port()).await, Proxy::to(shop.database.port()).await);
    let config = shop.mysql_config().port(mysql.port());
    let client = shop.through(&redis).mysql_config(config).build().unwrap();
    // Meanwhile another client makes a full round through both servers.
    shop.ask(1).await;
    assert_eq!((redis.connections(), mysql.connections()), (0, 0));

    // A hit needs Redis alone.
    assert!(ask(&client, 1).await.unwrap().is_hit());
    assert_eq!((redis.connections(), mysql.connections()), (1, 0));
    ask(&client, 2).await.unwrap();
    assert_eq!((redis.connections(), mysql.connections()), (1, 1));
}
