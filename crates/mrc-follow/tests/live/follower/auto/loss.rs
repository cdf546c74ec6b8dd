//! Losses: the follower's process, the registry, the cache.

use std::sync::Arc;

use mrc_core::params;
use mrc_store::{RedisConfig, RedisStore};
use mrc_tests::{Database, Redis};

use super::{Asked, Auto, following};

const TABLES: &str = "CREATE TABLE orders (id INT PRIMARY KEY, store_id INT, n INT); \
    CREATE TABLE apart (id INT PRIMARY KEY, n INT); \
    INSERT INTO orders VALUES (1, 6, 0), (2, 7, 0); INSERT INTO apart VALUES (1, 0)";
const BOTH: [&str; 2] = ["six", "seven"];

fn asked() -> Vec<Asked> {
    let of = |store: i32| params! { "StoreId" => store };
    let sql = "SELECT id, n FROM orders WHERE store_id = ?";
    vec![("six", sql, of(6)), ("seven", sql, of(7))]
}

/// Returns entries in a cache of the test's own.
async fn alone() -> (Redis, Auto) {
    let (redis, database) = (Redis::start().await, Database::logged().await);
    database.execute(TABLES).await;
    let store = Arc::new(RedisStore::new(RedisConfig::from_url(&redis.url()).unwrap()).unwrap());
    let auto = Auto::on(Arc::new(database), store, asked(), |builder| builder).await;
    auto.settle("UPDATE orders SET n = n + 1 WHERE id = 2", "six").await;
    (redis, auto)
}

/// Kills the follower, and runs statements before the next one starts.
async fn restart(auto: &mut Auto, change: &str) {
    auto.following.task.abort();
    auto.database.execute(change).await;
    let (store, name) = (auto.following.store.clone(), auto.following.follower.name().to_owned());
    auto.following = following(&auto.database, store, &name, |builder| builder).await;
}

#[tokio::test]
async fn the_next_follower_knows_the_schemes() {
    let mut auto = Auto::open(TABLES, asked()).await;
    auto.settle("UPDATE orders SET n = n + 1 WHERE id = 1", "seven").await;
    restart(&mut auto, "UPDATE orders SET n = 50 WHERE id = 1").await;
    auto.expect("UPDATE while no follower ran", &["six"]).await;
    auto.check("UPDATE orders SET n = 51 WHERE id = 2", &["seven"]).await;
    assert_eq!(auto.following.follower.status().schemes, 1);
}

#[tokio::test]
async fn an_evicted_registry_ends_what_was_known() {
    let (redis, auto) = alone().await;
    auto.check("UPDATE orders SET n = 1 WHERE id = 1", &["six"]).await;
    let key = redis.cli(&["KEYS", "mrc:w:*"]).await;
    redis.cli(&["DEL", key.trim()]).await;
    auto.database.execute("UPDATE apart SET n = 1").await;
    // Before the entries are filled again: their registration is another change of the registry.
    auto.following.until(|status| status.fallbacks.get("registry") == Some(&1)).await;
    auto.expect("the registry was evicted", &BOTH).await;
    // The client registers again.
    auto.settle("UPDATE orders SET n = n + 1 WHERE id = 2", "six").await;
    auto.check("UPDATE orders SET n = 2 WHERE id = 1", &["six"]).await;
}

#[tokio::test]
async fn an_emptied_cache_is_followed_on() {
    let (redis, auto) = alone().await;
    redis.cli(&["FLUSHALL"]).await;
    auto.following.until(|status| status.rewinds == 1 && !status.position.is_empty()).await;
    auto.fill().await;
    auto.settle("UPDATE orders SET n = n + 1 WHERE id = 2", "six").await;
    auto.check("UPDATE orders SET n = 1 WHERE id = 1", &["six"]).await;
}

#[tokio::test]
async fn a_lost_position_ends_the_tables_of_all_schemes() {
    let (redis, auto) = alone().await;
    let key = redis.cli(&["KEYS", "mrc:f:*"]).await;
    let keys: Vec<_> = key.split_whitespace().filter(|key| !key.ends_with(":l")).collect();
    redis.cli(&["DEL", keys[0]]).await;
    auto.following.until(|status| status.fallbacks["other"] == 2).await;
    assert_eq!(auto.gone().await, BOTH.into());
    auto.check("UPDATE orders SET n = 1 WHERE id = 1", &["six"]).await;
}
