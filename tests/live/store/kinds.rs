//! The suite on every kind of server.

use bytes::Bytes;
use mrc_store::conformance::store::{refuses_calls_after_close, store_suite};
use mrc_store::redis::TlsConfig;
use mrc_store::{CacheStore, MemoryStore, RedisConfig, RedisStore, StoreError};
use mrc_tests::{Redis, RedisCluster, RedisSentinel, unique};

use super::{LONG, eventually, patient, store};

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

#[tokio::test]
async fn one_server_on_many_threads() {
    tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        runtime.block_on(async { passes(store(&Redis::shared().await.url())).await });
    })
    .await
    .unwrap();
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

#[tokio::test]
async fn a_prefix_keeps_caches_apart() {
    let redis = Redis::start().await;
    let (a, b) = (patient(&redis.url()).prefix("a:"), patient(&redis.url()).prefix("b:"));
    let (a, b) = (RedisStore::new(a).unwrap(), RedisStore::new(b).unwrap());
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
    assert!(
        matches!(&error, StoreError::Unavailable(source) if source.to_string().contains("InvalidCertificate")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_cluster() {
    let cluster = RedisCluster::shared().await;
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
