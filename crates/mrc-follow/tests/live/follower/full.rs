//! A cache that refuses writes, because it is full or can't save its data.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mrc_core::Event;
use mrc_follow::{FollowerBuilder, Position};
use mrc_store::{CacheStore, RedisStore};
use mrc_tests::{Database, Redis};

use super::faults::{entries, over_a_cluster};
use super::{Following, Shop, patient, rules};

const LEASE: Duration = Duration::from_secs(2);

/// Returns the settings of a follower, which counts how often it takes the lease.
fn counted(taken: &Arc<AtomicU32>) -> impl FnOnce(FollowerBuilder) -> FollowerBuilder {
    let taken = Arc::clone(taken);
    move |builder| {
        builder.name("shop").lease(LEASE).on_event(move |event: &Event<'_>| {
            if matches!(event, Event::Leads { leads: true }) {
                taken.fetch_add(1, Ordering::Relaxed);
            }
        })
    }
}

/// A follower over a Redis of its own, with the four entries.
async fn over(redis: &Redis, taken: &Arc<AtomicU32>) -> Shop {
    let database = Database::logged().await;
    let (url, store) = (database.url(), Arc::new(RedisStore::new(patient(&redis.url())).unwrap()));
    let shop = Shop::over(database, "", &url, store, counted(taken)).await;
    shop.following.caught_up(&shop.database).await;
    shop
}

impl Shop {
    async fn stored(&self) -> Position {
        let books = self.following.store.as_checkpoints().unwrap();
        books.checkpoint("shop").await.unwrap().unwrap().position.parse().unwrap()
    }

    async fn has(&self, key: &str) -> bool {
        self.following.store.get(key).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn a_full_cache_is_invalidated_and_keeps_lease_and_position() {
    let (redis, taken) = (Redis::start().await, Arc::default());
    let mut shop = over(&redis, &taken).await;
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]).await;
    tokio::time::sleep(LEASE * 2).await;
    let before = shop.stored().await;
    shop.database.execute("UPDATE orders SET state = 'paid' WHERE id = 1").await;
    shop.following.gone(&["store 6".into(), "order 1".into()]).await;
    while shop.stored().await == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(shop.stored().await.covers(&before), "{} after {before}", shop.stored().await);
    assert_eq!(taken.load(Ordering::Relaxed), 1, "the lease was kept");

    // A follower that starts now takes the lease, and begins at the position.
    shop.following.task.abort();
    shop.database.execute("UPDATE orders SET state = 'sent' WHERE store_id = 6").await;
    let (url, store) = (shop.database.url(), Arc::clone(&shop.following.store));
    let rules = rules(&shop.database);
    shop.following = Following::over(&url, store, |builder| counted(&taken)(builder.rules(rules))).await;
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
    shop.following.caught_up(&shop.database).await;
    assert!(shop.has("store 7").await && shop.has("order 2").await, "nothing was lost");
    let status = shop.following.follower.status();
    assert_eq!((status.lost, status.rewinds, status.reconnects), (0, 0, 0), "{status:?}");
}

#[tokio::test]
async fn a_full_cluster_is_invalidated_and_keeps_its_positions() {
    let (cluster, database, following) = over_a_cluster(&["order:1", "order:2"]).await;
    following.caught_up(&database).await;
    for node in cluster.nodes() {
        node.cli(&["CONFIG", "SET", "maxmemory", "1"]).await;
    }
    let before = following.follower.status().position;
    database.execute("UPDATE orders SET state = 'paid' WHERE id = 1").await;
    following.gone(&entries("order:1")).await;
    following.until(|status| status.position != before).await;
    for node in cluster.nodes() {
        node.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
    }
    following.caught_up(&database).await;
    assert!(following.store.get(&entries("order:2")[0]).await.unwrap().is_some());
    let status = following.follower.status();
    assert_eq!((status.rewinds, status.reconnects), (0, 0), "{status:?}");
}

#[tokio::test]
async fn a_cache_that_cannot_save_is_waited_for() {
    let (redis, taken) = (Redis::start().await, Arc::default());
    let shop = over(&redis, &taken).await;
    // A folder in the place of the file lets each save fail.
    let folder = redis.cli(&["CONFIG", "GET", "dir"]).await.lines().last().unwrap().to_owned();
    let file = Path::new(&folder).join("dump.rdb");
    std::fs::create_dir(&file).unwrap();
    redis.cli(&["CONFIG", "SET", "save", "3600 1"]).await;
    let save = async |expect: &str| {
        redis.cli(&["BGSAVE"]).await;
        let expect = format!("rdb_last_bgsave_status:{expect}");
        while !redis.cli(&["INFO", "persistence"]).await.contains(&expect) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    save("err").await;
    let refused = redis.cli(&["SET", "key", "1"]).await;
    assert!(refused.contains("MISCONF"), "{refused}");
    shop.following.until(|status| !status.leads).await;
    shop.database.execute("UPDATE orders SET state = 'paid' WHERE id = 1").await;
    tokio::time::sleep(LEASE * 2).await;
    assert!(shop.has("store 6").await, "such a cache refuses removals too");

    std::fs::remove_dir(&file).unwrap();
    save("ok").await;
    shop.following.gone(&["store 6".into(), "order 1".into()]).await;
    assert!(shop.has("store 7").await);
    shop.following.until(|status| status.leads).await;
}
