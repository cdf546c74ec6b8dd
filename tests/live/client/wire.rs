//! The traffic: no command more than needed, and no connection before it is needed.

use futures_util::future::join_all;
use mrc::config::MySqlConfig;
use mrc::{MrcClient, Source, params};
use mrc_tests::{Proxy, free_port};

use super::support::*;

#[tokio::test]
async fn a_hit_is_one_get() {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.redis.port()).await;
    let client = shop.builder().redis_config(shop.redis_config(wire.port())).build().unwrap();
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
    let client = shop.builder().redis_config(shop.redis_config(wire.port())).build().unwrap();
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
    let client = shop.builder().redis_config(shop.redis_config(wire.port())).build().unwrap();
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
    let mysql = MySqlConfig::from_url(&shop.database.url()).unwrap().port(wire.port());
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
    let config = MySqlConfig::from_url(&shop.database.url()).unwrap().port(mysql.port());
    let client = shop.builder().redis_config(shop.redis_config(redis.port())).mysql_config(config).build().unwrap();
    // Meanwhile another client makes a full round through both servers.
    shop.ask(1).await;
    assert_eq!((redis.connections(), mysql.connections()), (0, 0));

    // A hit needs Redis alone.
    assert!(ask(&client, 1).await.unwrap().is_hit());
    assert_eq!((redis.connections(), mysql.connections()), (1, 0));
    ask(&client, 2).await.unwrap();
    assert_eq!((redis.connections(), mysql.connections()), (1, 1));
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
