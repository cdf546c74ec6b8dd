//! The suite on every kind of server, and stores on one server with different prefixes.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use mrc_core::{Event, Tag};
use mrc_store::conformance::store::{refuses_calls_after_close, store_suite};
use mrc_store::redis::TlsConfig;
use mrc_store::{
    Bound, CacheStore, Life, MemoryStore, Policy, RedisConfig, RedisStore, ScanPattern, Select, StoreError, Terms,
};
use mrc_tests::{Redis, RedisCluster, RedisSentinel, unique};

use super::{LONG, eventually, patient, store, token};

async fn passes(store: impl CacheStore) {
    store_suite(&store, &unique("suite")).await;
    refuses_calls_after_close(&store).await;
}

#[tokio::test]
async fn memory() {
    passes(MemoryStore::new()).await;
}

#[tokio::test]
async fn one_server() {
    passes(store(&Redis::shared().await.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_server_on_many_threads() {
    passes(store(&Redis::shared().await.url())).await;
}

#[tokio::test]
async fn a_prefix() {
    let redis = Redis::start().await;
    for prefix in ["shop:", "a*[b-c]?\\^", "{app}:", "}", "mrc", "mrc:"] {
        let store = RedisStore::new(patient(&redis.url()).prefix(prefix));
        if prefix == "mrc:" {
            assert!(matches!(store, Err(StoreError::Config(reason)) if reason.contains("reserved")));
        } else {
            passes(store.unwrap()).await;
        }
    }
}

/// A prefix without a colon at its end is the beginning of the one with the colon.
#[tokio::test]
async fn an_open_prefix_leaves_the_closed_one_alone() {
    let redis = Redis::start().await;
    let [open, closed] = ["shop", "shop:"].map(|prefix| with_prefix(&redis, prefix));
    closed.put("a", "1".into(), LONG).await.unwrap();
    open.put("a", "2".into(), LONG).await.unwrap();
    assert_eq!(redis.cli(&["GET", "shopa"]).await.trim(), "2", "entries stay where they were");
    let keys = async |store: &RedisStore| store.scan(&ScanPattern::All).try_collect::<Vec<_>>().await.unwrap().concat();
    assert_eq!((keys(&open).await, keys(&closed).await), (vec!["a".into()], vec!["a".into()]));
    for refused in [
        open.get(":a").await.err(),
        open.put(":a", "3".into(), LONG).await.err(),
        open.remove(&[":a".into()]).await.err(),
    ] {
        assert!(matches!(refused, Some(StoreError::ReservedKey { beginning: ":", .. })), "{refused:?}");
    }
    let everything = Select::Everything.remove_from(&open, "", &|_: &Event<'_>| {}).await.unwrap();
    assert_eq!((everything, closed.get("a").await.unwrap()), (1, Some("1".into())));
}

/// Keys of the cache's own records can't hold entries, under any name.
#[tokio::test]
async fn the_key_space_of_the_bookkeeping_is_reserved() {
    let redis = Redis::start().await;
    let none = Arc::new(store(&redis.url()));
    let split = Arc::new(with_prefix(&redis, "m"));
    let memory = Arc::new(MemoryStore::new());
    let app = Arc::new(with_prefix(&redis, "app:"));
    let stores: [(Arc<dyn CacheStore>, &str, &str); 4] =
        [(none, "mrc:clk", "mrc"), (split, "rc:clk", "rc"), (app, "mrc:clk", "mrc"), (memory, "mrc:clk", "mrc")];
    for (store, key, namespace) in &stores {
        let (claim, bytes) = (super::token(), Bytes::from(*key));
        let errors = [
            store.get(key).await.err(),
            store.look(key).await.err(),
            store.stale(key).await.err(),
            store.claim(key, &claim, Terms::fill(LONG)).await.err(),
            store.fill(key, &claim, "1".into(), LONG.into()).await.err(),
            store.release(key, &claim).await.err(),
            store.put(key, "1".into(), LONG).await.err(),
            store.ttl(key).await.err(),
            store.remove(&[bytes]).await.err(),
        ];
        for error in errors {
            assert!(matches!(error, Some(StoreError::ReservedKey { beginning: "mrc:", .. })), "{error:?}");
        }
        let error = Arc::clone(store).bounded(namespace, &Bound::new(Policy::Lru)).unwrap_err();
        assert!(matches!(&error, StoreError::Config(reason) if reason.contains(namespace)), "{error}");
        store.now().await.unwrap();
        store.invalidate(&["a".into()]).await.unwrap();
    }
    let error = mrc::Cache::builder(MemoryStore::new()).namespace("mrc").build().unwrap_err();
    assert!(error.to_string().contains("the namespace `mrc` is reserved"), "{error}");
    let old = store(&redis.url());
    redis.cli(&["SET", "mrc:report(store=6)", "[1]"]).await;
    let keys = old.scan(&ScanPattern::All).try_collect::<Vec<_>>().await.unwrap().concat();
    assert!(keys.is_empty(), "what lies there is no entry: {keys:?}");
}

#[tokio::test]
async fn a_prefix_keeps_caches_apart() {
    let redis = Redis::start().await;
    let (a, b) = (with_prefix(&redis, "a:"), with_prefix(&redis, "b:"));
    a.put("k", "1".into(), LONG).await.unwrap();
    b.put("k", "2".into(), LONG).await.unwrap();
    assert_eq!(a.remove(&[Bytes::from("k")]).await.unwrap(), 1);
    assert_eq!(b.get("k").await.unwrap(), Some("2".into()));
    assert_eq!(redis.cli(&["KEYS", "*"]).await.trim(), "b:k");
}

#[tokio::test]
async fn a_user_and_a_database() {
    let redis = Redis::start().await;
    redis.cli(&["ACL", "SETUSER", "cache", "on", ">s3cret@/", "~*", "+@all"]).await;
    redis.cli(&["ACL", "SETUSER", "default", "off"]).await;
    let host = format!("127.0.0.1:{}", redis.port());
    let cache = store(&format!("redis://cache:s3cret%40%2F@{host}/3"));
    cache.put("k", "1".into(), LONG).await.unwrap();

    let by_hand = RedisConfig::new("127.0.0.1", redis.port()).username("cache").password("s3cret@/");
    let same = RedisStore::new(by_hand.clone().database(3)).unwrap();
    assert_eq!(same.get("k").await.unwrap(), Some("1".into()));
    let other = RedisStore::new(by_hand.database(4)).unwrap();
    assert_eq!(other.get("k").await.unwrap(), None);
    passes(cache).await;
}

#[tokio::test]
async fn tls() {
    let redis = Redis::with_tls().await;
    let trusting = TlsConfig::new().roots(redis.ca_pem());
    passes(RedisStore::new(patient(&redis.url()).tls(trusting.clone())).unwrap()).await;
    let by_name = redis.url().replace("127.0.0.1", "localhost");
    let by_name = RedisStore::new(patient(&by_name).tls(trusting)).unwrap();
    assert_eq!(by_name.get("k").await.unwrap(), None);
}

#[tokio::test]
async fn tls_that_is_not_trusted() {
    let (redis, other) = (Redis::with_tls().await, Redis::with_tls().await);
    let config = patient(&redis.url()).tls(TlsConfig::new().roots(other.ca_pem()));
    let error = RedisStore::new(config).unwrap().get("k").await.unwrap_err();
    let StoreError::Unavailable(source) = &error else { panic!("{error:?}") };
    // In the words of fred, and of redis-rs.
    let (text, words) = (source.to_string(), ["InvalidCertificate", "invalid peer certificate"]);
    assert!(words.iter().any(|words| text.contains(words)), "{error:?}");
}

#[tokio::test]
async fn a_cluster() {
    // A follower's first position removes all entries with tags.
    let cluster = RedisCluster::start().await;
    passes(store(&cluster.url())).await;
    passes(RedisStore::new(patient(&cluster.url()).prefix("{shop}:")).unwrap()).await;
}

#[tokio::test]
async fn a_server_behind_sentinels() {
    let sentinel = RedisSentinel::start().await;
    let cache = store(&sentinel.url());
    store_suite(&cache, &unique("suite")).await;

    sentinel.fail_over().await;
    eventually(|| cache.put("after", "1".into(), LONG)).await;
    assert_eq!(sentinel.replica().cli(&["GET", "after"]).await.trim(), "1");
    refuses_calls_after_close(&cache).await;
}

/// Every key of a filled entry with a copy and a tag, in a store with the prefix `app:`.
const ALL: [&str; 6] = [
    "app:k",
    "app:mrc:clk",
    "app:mrc:g:{app:k}",
    "app:mrc:l:{app:other}",
    "app:mrc:s:{app:k}",
    "app:mrc:t:{4618f47523e0904d5b29ffe6eaea8dfcbf9477a8}",
];

async fn keys(redis: &Redis) -> Vec<String> {
    let mut keys: Vec<String> = redis.cli(&["KEYS", "*"]).await.lines().map(str::to_owned).collect();
    keys.retain(|key| !key.is_empty());
    keys.sort();
    keys
}

fn with_prefix(redis: &Redis, prefix: &str) -> RedisStore {
    RedisStore::new(patient(&redis.url()).prefix(prefix)).unwrap()
}

async fn fill(store: &RedisStore, key: &str) {
    let (claim, since) = (token(), store.now().await.unwrap());
    store.claim(key, &claim, Terms::fill(LONG).copy(true)).await.unwrap();
    let life = Life::from(LONG).stale(LONG).tags([("a".into(), since)].into_iter().collect());
    assert!(store.fill(key, &claim, "[1]".into(), life).await.unwrap());
}

/// A user with the rights for the prefix alone reaches all of them.
#[tokio::test]
async fn every_key_begins_with_the_prefix() {
    let redis = Redis::start().await;
    let app = with_prefix(&redis, "app:");
    fill(&app, "k").await;
    app.claim("other", &token(), Terms::fill(LONG)).await.unwrap();
    redis.cli(&["DEL", "app:other"]).await;
    assert_eq!(keys(&redis).await, ALL);
}

#[tokio::test]
async fn the_shorter_prefix_reaches_entries_with_their_copies_and_leaves_the_books_alone() {
    let redis = Redis::start().await;
    let app = with_prefix(&redis, "app:");
    for prefix in ["", "a", "app"] {
        let outer = with_prefix(&redis, prefix);
        fill(&app, "k").await;
        // Only the copy is left, and shows the entry.
        redis.cli(&["DEL", "app:k"]).await;
        let found = outer.scan(&ScanPattern::All).try_collect::<Vec<_>>().await.unwrap().concat();
        if prefix == "app" {
            assert!(found.is_empty(), "a prefix without a colon leaves those of the one with it alone: {found:?}");
            continue;
        }
        assert_eq!(found, [Bytes::from("app:k".strip_prefix(prefix).unwrap())]);
        assert_eq!(outer.remove(&found).await.unwrap(), 0);
        assert_eq!(app.stale("k").await.unwrap(), None, "with the prefix {prefix:?}");

        fill(&app, "k").await;
        let listener = |_: &Event<'_>| {};
        assert_eq!(Select::Everything.remove_from(&outer, "", &listener).await.unwrap(), 1);
        assert_eq!(keys(&redis).await, [ALL[1], ALL[5]], "an index is no entry: without it an invalidation finds none");
    }
    fill(&app, "k").await;
    assert_eq!(app.invalidate(&[Tag::new("a")]).await.unwrap(), 1);
}
