//! The rights in docs/rights/redis.acl: a cache needs them all, and no others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mrc_store::conformance::store::{bounded_suite, store_suite};
use mrc_store::{CacheStore, RedisConfig, RedisStore};
use mrc_tests::{Redis, RedisCluster, unique};

/// Returns the command of the file after the comment that begins so.
fn line(comment: &str) -> Vec<&'static str> {
    let file = include_str!("../../../docs/rights/redis.acl");
    let (_, line) = file.split_once(&format!("\n# {comment}")).unwrap();
    line.lines().nth(1).unwrap().split_whitespace().collect()
}

/// Returns the commands that a server has run for the cache. None may have been refused.
async fn used(node: &Redis) -> BTreeSet<String> {
    assert_eq!(node.cli(&["ACL", "LOG"]).await, "");
    let stats = node.cli(&["INFO", "commandstats"]).await;
    let commands = stats.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(':'));
    let commands = commands.map(|(command, _)| command.to_owned());
    // The test itself runs some of these, and everybody may authenticate.
    commands.filter(|command| !["acl|log", "acl|setuser", "config|resetstat", "auth"].contains(&&**command)).collect()
}

/// Runs `work` as the user of these lines. The servers must have seen exactly the allowed commands.
async fn exactly(comments: &[&str], nodes: &[Redis], config: RedisConfig, work: impl AsyncFnOnce(RedisStore)) {
    let lines: Vec<_> = comments.iter().map(|comment| line(comment)).collect();
    for node in nodes {
        for line in &lines {
            assert_eq!(node.cli(line).await, "OK");
        }
        node.cli(&["CONFIG", "RESETSTAT"]).await;
    }
    let commands: BTreeSet<String> =
        lines.concat().iter().filter_map(|word| word.strip_prefix('+')).map(str::to_owned).collect();
    let patience = Duration::from_secs(20);
    let config =
        config.prefix("app:").username("cache").password("secret").command_timeout(patience).connect_timeout(patience);
    work(RedisStore::new(config).unwrap()).await;
    let mut seen = BTreeSet::new();
    for node in nodes {
        seen.extend(used(node).await);
    }
    // A cluster has no databases to choose from.
    if nodes.len() > 1 {
        seen.insert("select".to_owned());
    }
    assert_eq!(seen, commands);
}

async fn every_command(store: &RedisStore) {
    store.ping().await.unwrap();
    store_suite(store, &unique("suite")).await;
}

#[tokio::test]
async fn of_a_cache() {
    let redis = Redis::start().await;
    let config = RedisConfig::new("127.0.0.1", redis.port()).database(1);
    exactly(&["a cache"], &[redis], config, async |store| {
        every_command(&store).await;
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn of_bounded_caches() {
    let redis = Redis::start().await;
    let config = RedisConfig::new("127.0.0.1", redis.port()).database(1);
    exactly(&["a cache", "bounded caches"], &[redis], config, async |store| {
        every_command(&store).await;
        let store: Arc<dyn CacheStore> = Arc::new(store);
        bounded_suite(&store, &unique("app")).await;
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn of_statistics() {
    let redis = Redis::start().await;
    let config = RedisConfig::new("127.0.0.1", redis.port()).database(1);
    exactly(&["a cache", "mrc stats"], &[redis], config, async |store| {
        every_command(&store).await;
        store.usage().await.unwrap();
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn of_a_cluster() {
    let cluster = RedisCluster::start().await;
    let config = RedisConfig::from_url(&cluster.url()).unwrap();
    exactly(&["a cache", "bounded caches", "a cluster"], cluster.nodes(), config, async |store| {
        every_command(&store).await;
        let store: Arc<dyn CacheStore> = Arc::new(store);
        bounded_suite(&store, &unique("app")).await;
        store.close().await;
    })
    .await;
}
