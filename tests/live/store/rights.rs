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

/// Runs every command of a cache, then `more`, as the user of these lines. The servers must have
/// seen exactly the allowed commands.
async fn exactly(comments: &[&str], nodes: &[Redis], config: RedisConfig, more: impl AsyncFnOnce(Arc<RedisStore>)) {
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
    let store = Arc::new(RedisStore::new(config).unwrap());
    store.ping().await.unwrap();
    // The suite keeps positions of followers, and registers schemes, too.
    store_suite(&*store, &unique("suite")).await;
    more(store.clone()).await;
    store.close().await;
    let mut seen = BTreeSet::new();
    for node in nodes {
        seen.extend(used(node).await);
    }
    // A cluster has no databases to choose from.
    if nodes.len() > 1 {
        seen.insert("select".to_owned());
    }
    // fred alone asks for the number of its connection.
    if std::env::var("MRC_REDIS_CLIENT").is_ok_and(|client| client == "redis-rs") {
        assert!(seen.insert("client|id".to_owned()), "redis-rs was chosen, but fred connected");
    }
    // Registrations end after minutes only.
    seen.insert("hdel".to_owned());
    assert_eq!(seen, commands);
}

/// As [`exactly`], on one server.
async fn exactly_on_a_server(comments: &[&str], more: impl AsyncFnOnce(Arc<RedisStore>)) {
    let redis = Redis::start().await;
    let config = RedisConfig::new("127.0.0.1", redis.port()).database(1);
    exactly(comments, &[redis], config, more).await;
}

async fn bounded_caches(store: Arc<RedisStore>) {
    bounded_suite(&(store as Arc<dyn CacheStore>), &unique("app")).await;
}

#[tokio::test]
async fn of_a_cache() {
    exactly_on_a_server(&["a cache", "mrc follow"], async |_| {}).await;
}

#[tokio::test]
async fn of_bounded_caches() {
    exactly_on_a_server(&["a cache", "bounded caches", "mrc follow"], bounded_caches).await;
}

#[tokio::test]
async fn of_statistics() {
    exactly_on_a_server(&["a cache", "mrc stats", "mrc follow"], async |store| drop(store.usage().await.unwrap()))
        .await;
}

#[tokio::test]
async fn of_a_cluster() {
    let cluster = RedisCluster::start().await;
    let config = RedisConfig::from_url(&cluster.url()).unwrap();
    exactly(&["a cache", "bounded caches", "a cluster", "mrc follow"], cluster.nodes(), config, bounded_caches).await;
}
