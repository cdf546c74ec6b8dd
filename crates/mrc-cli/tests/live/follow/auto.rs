//! `auto = true`: a file of three lines.

use std::time::Duration;

use mrc::MrcClient;
use mrc::config::RedisConfig;
use mrc_tests::{Database, SqlKind, unique};

use super::{SQL, Shop, head};

/// Returns a shop without rules, whose follower has the rights in the repository, and its name.
async fn open() -> (Shop, String) {
    let file = format!("{}\nauto = true", head());
    let name = file.split('"').nth(1).unwrap().to_owned();
    let mut shop = Shop::with_file(Database::logged().await, &file).await;
    let user = unique("follower");
    let rights = include_str!("../../../../../deploy/follower.sql");
    shop.database.execute(&rights.replace("follower@", &format!("{user}@"))).await;
    shop.mysql = format!("mysql://{user}:secret@127.0.0.1:{}", shop.database.port());
    (shop, name)
}

#[tokio::test]
async fn it_follows_what_queries_depend_on() {
    let (shop, name) = open().await;
    let mut following = shop.start(&[]);
    assert!(following.line("follows ").await.contains("follows what queries depend on as "));
    shop.until_led(&mut following).await;
    let redis = RedisConfig::from_url(&shop.cache).unwrap().prefix(shop.prefix.clone());
    let client = MrcClient::builder().mysql(shop.database.url()).redis_config(redis).follow(name).build().unwrap();
    let ask = async |store: i32| {
        let params = mrc::params! { "StoreId" => store };
        client.query_with_cache(SQL, params, Duration::from_secs(3_600)).await.unwrap()
    };
    for store in [6, 7] {
        while !ask(store).await.is_hit() {}
    }
    shop.database.execute("INSERT INTO orders (id, store_id) VALUES (1, 6)").await;
    while ask(6).await.as_str().unwrap() == "[]" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let status = shop.follow(&["--status"]).await;
    assert!(status.text().ends_with("\nschemes   1 of 1 table"), "{status:?}");
    let status = shop.follow(&["--status", "--json"]).await.json();
    assert_eq!((status["schemes"].as_u64(), status["tables"].as_u64()), (Some(1), Some(1)));
}

#[tokio::test]
async fn a_check_without_rules_is_of_the_settings_and_the_rights() {
    let (shop, _) = open().await;
    let run = shop.follow(&["--check"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    // MariaDB's log tells of most rows that a foreign key changed.
    let (found, is_mysql) = (run.text(), SqlKind::of_this_run().name == "MySQL");
    assert!(found.contains("lacks the privilege REFERENCES"), "{found}");
    assert_eq!(found.contains("may be missed if the same statement"), !is_mysql, "{found}");
    let grant = found.lines().last().unwrap().trim();
    shop.database.execute(grant).await;
    assert_eq!(shop.follow(&["--check"]).await.text(), "nothing is missing");
}
