//! Faults: every call ends with the right error, and the store recovers where it can.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use futures_util::future::join_all;
use mrc_core::Tag;
use mrc_store::{Bound, CacheStore, Claim, Life, Policy, RedisConfig, RedisStore, ScanPattern, StoreError, Terms};
use mrc_tests::{Listener, Mode, Proxy, Redis, RedisCluster, RedisSentinel, free_port, unique};

use super::{LONG, SECOND, alone, eventually, keys, patient, store, token, watched};

const SECRET: &str = "s3cret";
const SHORT: Duration = Duration::from_millis(200);

fn impatient(port: u16) -> RedisConfig {
    RedisConfig::new("127.0.0.1", port).connect_timeout(SHORT).command_timeout(SHORT)
}

async fn failures(store: &RedisStore) -> Vec<StoreError> {
    let key = unique("k");
    vec![
        store.get(&key).await.unwrap_err(),
        store.claim(&key, &token(), Terms::fill(LONG)).await.unwrap_err(),
        store.fill(&key, &token(), "1".into(), LONG.into()).await.unwrap_err(),
        store.release(&key, &token()).await.unwrap_err(),
        store.put(&key, "1".into(), LONG).await.unwrap_err(),
        store.ttl(&key).await.unwrap_err(),
        store.remove(&keys(&[key])).await.unwrap_err(),
        store.scan(&ScanPattern::All).try_collect::<Vec<_>>().await.unwrap_err(),
        store.ping().await.unwrap_err(),
    ]
}

#[tokio::test]
async fn a_wrong_password_is_named_and_not_shown() {
    let redis = Redis::with_args(&["--requirepass", "right"]).await;
    let config = RedisConfig::from_url(&format!("redis://:{SECRET}@127.0.0.1:{}", redis.port())).unwrap();
    let store = RedisStore::new(config).unwrap();
    for error in failures(&store).await {
        assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
        let text = format!("{error} {error:?} {store:?}");
        assert!(text.contains("WRONGPASS") && !text.contains(SECRET), "{text}");
        assert!(!error.is_retryable());
    }
    let without = RedisStore::new(RedisConfig::new("127.0.0.1", redis.port())).unwrap();
    let error = without.get("k").await.unwrap_err();
    assert!(matches!(&error, StoreError::Refused(source) if source.to_string().contains("NOAUTH")), "{error:?}");
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_without_end() {
    let redis = Redis::with_args(&["--requirepass", "right"]).await;
    let wire = Proxy::to(redis.port()).await;
    let store = store(&format!("redis://:{SECRET}@127.0.0.1:{}", wire.port()));
    let begin = Instant::now();
    let mut calls = 0;
    while begin.elapsed() < SECOND || calls < 100 {
        assert!(matches!(store.get("k").await, Err(StoreError::Refused(_))));
        calls += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // About ten in the first second, and one in each later one.
    let (tries, most) = (wire.connections(), 20 + 2 * begin.elapsed().as_secs() as usize);
    assert!(tries < most, "{tries} connections for {calls} calls");
    redis.cli(&["CONFIG", "SET", "requirepass", SECRET]).await;
    while store.get("k").await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nobody_listens() {
    let port = free_port();
    let store = store(&format!("redis://127.0.0.1:{port}"));
    for error in failures(&store).await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains(&format!("127.0.0.1:{port}: ")), "{error}");
    }
}

#[tokio::test]
async fn a_replica_refuses_writes_until_it_is_promoted() {
    let primary = Redis::start().await;
    let replica = Redis::with_args(&["--replicaof", "127.0.0.1", &primary.port().to_string()]).await;
    let store = store(&replica.url());
    let error = store.put("k", "1".into(), LONG).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(source) if source.to_string().contains("READONLY")), "{error:?}");
    replica.cli(&["REPLICAOF", "NO", "ONE"]).await;
    eventually(|| store.put("k", "1".into(), LONG)).await;
}

/// The next connection may find the new primary. Each client must do this.
#[tokio::test]
async fn a_refused_write_ends_the_connection_to_a_replica() {
    let primary = Redis::start().await;
    let replica = Redis::with_args(&["--replicaof", "127.0.0.1", &primary.port().to_string()]).await;
    let wire = Proxy::to(replica.port()).await;
    let store = store(&format!("redis://127.0.0.1:{}", wire.port()));
    assert_eq!(store.get("k").await.unwrap(), None);
    wire.reset();
    store.put("k", "1".into(), LONG).await.unwrap_err();
    while wire.connections() == 0 {
        tokio::task::yield_now().await;
    }
    eventually(|| store.get("k")).await;
}

#[tokio::test]
async fn a_full_server_refuses_writes_and_answers_reads() {
    let (redis, store) = alone().await;
    store.put("k", "1".into(), LONG).await.unwrap();
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]).await;
    for error in [
        store.put("k", "2".into(), LONG).await.unwrap_err(),
        store.claim("new", &token(), Terms::fill(LONG)).await.unwrap_err(),
    ] {
        assert!(matches!(&error, StoreError::Refused(source) if source.to_string().contains("OOM")), "{error:?}");
    }
    assert_eq!(store.get("k").await.unwrap(), Some("1".into()));
    assert_eq!(store.remove(&keys(&["k"])).await.unwrap(), 1);
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
    store.put("k", "2".into(), LONG).await.unwrap();
}

/// Under `noeviction`, advised for tags, a full server stores nothing new. Removals and hits work.
#[tokio::test]
async fn a_full_server_can_be_invalidated() {
    let redis = Redis::start().await;
    let store = Arc::new(store(&redis.url()));
    let view = Arc::clone(&store).bounded("app", &Bound::new(Policy::Lru)).unwrap();
    let (tag, caches) = (Tag::from("a"), [&*store as &dyn CacheStore, &*view]);
    for cache in caches {
        let claim = token();
        cache.claim("app:k", &claim, Terms::fill(LONG)).await.unwrap();
        let tags = [(tag.clone(), cache.now().await.unwrap())].into_iter().collect();
        assert!(cache.fill("app:k", &claim, "[1]".into(), Life::from(LONG).tags(tags)).await.unwrap());
    }
    // The invalidation must refuse this fill, whose tag no index knows yet.
    let (late, since) = (token(), store.now().await.unwrap());
    store.claim("late", &late, Terms::fill(LONG)).await.unwrap();

    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let refused = store.put("new", "1".into(), LONG).await.unwrap_err();
    assert!(refused.to_string().contains("OOM"), "{refused}");
    for cache in caches {
        assert_eq!(cache.get("app:k").await.unwrap(), Some("[1]".into()), "{cache:?}");
    }
    assert_eq!(store.invalidate(std::slice::from_ref(&tag)).await.unwrap(), 2);
    assert_eq!(store.invalidate(&[tag.clone(), "another".into()]).await.unwrap(), 0);
    for cache in caches {
        assert_eq!(cache.get("app:k").await.unwrap(), None, "{cache:?}");
    }
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
    let tags = [(tag, since)].into_iter().collect();
    assert!(!store.fill("late", &late, "[0]".into(), Life::from(LONG).tags(tags)).await.unwrap());
}

#[tokio::test]
async fn a_server_that_is_still_loading() {
    const LOADING: &str = "-LOADING Redis is loading the dataset in memory\r\n";
    let is_loading =
        |error: &StoreError| matches!(error, StoreError::Unavailable(source) if source.to_string().contains("LOADING"));
    let listener = Listener::garbage(LOADING).await;
    let error = RedisStore::new(impatient(listener.port())).unwrap().get("k").await.unwrap_err();
    assert!(is_loading(&error), "{error:?}");

    let (_redis, wire, store) = watched().await;
    store.put("k", "1".into(), LONG).await.unwrap();
    wire.set(Mode::Garbage(LOADING.into()));
    let error = store.get("k").await.unwrap_err();
    assert!(is_loading(&error), "{error:?}");
    wire.set(Mode::Pass);
    assert_eq!(eventually(|| store.get("k")).await, Some("1".into()));
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let silent = Listener::silent().await;
    let store = RedisStore::new(impatient(silent.port())).unwrap();
    let mut failures = failures(&store).await;
    let ping = failures.pop().unwrap().to_string();
    assert!(ping.contains(&format!("127.0.0.1:{}", silent.port())), "{ping}");
    for error in failures {
        assert!(matches!(error, StoreError::Timeout(SHORT)), "{error:?}");
    }
}

#[tokio::test]
async fn callers_share_a_connection_that_fails() {
    let wire = Proxy::to(free_port()).await;
    wire.set(Mode::Hold);
    let store = RedisStore::new(impatient(wire.port())).unwrap();
    for outcome in join_all((0..100).map(|_| store.get("k"))).await {
        assert!(matches!(outcome, Err(StoreError::Timeout(_) | StoreError::Unavailable(_))), "{outcome:?}");
    }
    assert_eq!(wire.connections(), 1);
}

#[tokio::test]
async fn something_that_is_not_redis() {
    for listener in [Listener::closing().await, Listener::garbage("HTTP/1.1 400 Bad Request\r\n\r\n").await] {
        let store = RedisStore::new(impatient(listener.port())).unwrap();
        let error = store.get("k").await.unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_stands_still_and_goes_on() {
    let redis = Redis::start().await;
    let store = RedisStore::new(impatient(redis.port())).unwrap();
    eventually(|| store.put("k", "1".into(), LONG)).await;
    redis.pause().await;
    let error = store.get("k").await.unwrap_err();
    assert!(matches!(error, StoreError::Timeout(SHORT)), "{error:?}");
    // After a while the store gives up the connection, and calls fail at once.
    while !matches!(store.get("k").await, Err(StoreError::Unavailable(_))) {}
    redis.resume().await;
    assert_eq!(eventually(|| store.get("k")).await, Some("1".into()));
}

#[tokio::test]
async fn a_server_that_dies_and_comes_back() {
    let (redis, store) = alone().await;
    store.put("k", "1".into(), LONG).await.unwrap();
    for _ in 0..2 {
        redis.kill().await;
        // Calls fail at once, and while the reconnects fail one after the other.
        for _ in 0..4 {
            for error in failures(&store).await {
                assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        redis.restart().await;
        assert_eq!(eventually(|| store.get("k")).await, None);
        let claim = eventually(|| async { store.claim("k", &token(), Terms::fill(LONG)).await }).await;
        assert_eq!(claim, Claim::Granted);
    }
}

#[tokio::test]
async fn a_command_whose_answer_was_lost_is_not_sent_again() {
    let redis = Redis::start().await;
    let wire = Proxy::to(redis.port()).await;
    let store = RedisStore::new(patient(&format!("redis://127.0.0.1:{}", wire.port()))).unwrap();
    store.claim("warm", &token(), Terms::fill(LONG)).await.unwrap();
    wire.reset();
    wire.set(Mode::HoldAnswers);
    let claim = token();
    let (answer, ()) = tokio::join!(store.claim("k", &claim, Terms::fill(LONG)), async {
        wire.seen("EVALSHA").await;
        wire.cut();
    });
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    wire.set(Mode::Pass);
    eventually(|| store.get("k")).await;
    assert_eq!(wire.count("EVALSHA"), 1);
}

#[tokio::test]
async fn a_scan_that_breaks_ends_with_the_error() {
    let (redis, store) = alone().await;
    let many: Vec<String> = (0..5_000).map(|number| format!("k{number}")).collect();
    join_all(many.iter().map(|key| store.put(key, "1".into(), LONG))).await;
    let mut pages = store.scan(&ScanPattern::All);
    assert!(pages.try_next().await.unwrap().is_some());
    redis.kill().await;
    assert!(matches!(pages.try_next().await, Err(StoreError::Unavailable(_))));
    assert_eq!(pages.try_next().await.unwrap(), None);
}

#[tokio::test]
async fn commands_without_permission_are_refused() {
    let redis = Redis::start().await;
    redis.cli(&["ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+@connection"]).await;
    let reader = store(&format!("redis://reader:pw@127.0.0.1:{}", redis.port()));
    assert_eq!(reader.get("k").await.unwrap(), None);
    let error = reader.put("k", "1".into(), LONG).await.unwrap_err();
    assert!(matches!(&error, StoreError::Refused(source) if source.to_string().contains("NOPERM")), "{error:?}");
    redis.cli(&["LPUSH", "list", "1"]).await;
    assert_eq!(reader.get("list").await.unwrap(), None, "a key of a foreign type is as good as absent");
}

#[tokio::test]
async fn one_server_taken_for_a_cluster() {
    let redis = Redis::shared().await;
    let cluster = store(&format!("redis-cluster://127.0.0.1:{}", redis.port()));
    let error = cluster.get("k").await.unwrap_err();
    assert!(matches!(error, StoreError::Config(_)), "{error:?}");
}

/// As with a `static` store in two tests: the first call in the second runtime works too.
#[test]
fn a_store_goes_on_in_the_next_runtime_at_once() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let (redis, cluster) = first.block_on(async { (Redis::start().await, RedisCluster::shared().await) });
    let sentinels = first.block_on(RedisSentinel::start());
    for store in [redis.url(), cluster.url(), sentinels.url()].map(|url| Arc::new(store(&url))) {
        let (key, tag) = (unique("k"), Tag::from(unique("tag")));
        let view = Arc::clone(&store).bounded(&unique("app"), &Bound::new(Policy::Lru)).unwrap();
        for round in 0..3 {
            // Another thread, so that nothing of the first runtime runs meanwhile.
            let (store, view, key, tag) = (store.clone(), view.clone(), key.clone(), tag.clone());
            let test = async move {
                assert_eq!(store.get(&key).await.unwrap().is_some(), round > 0);
                store.now().await.unwrap();
                store.put(&key, "1".into(), LONG).await.unwrap();
                assert_eq!(view.get(&key).await.unwrap().is_some(), round > 0);
                view.put(&key, "1".into(), LONG).await.unwrap();
                store.invalidate(&[tag]).await.unwrap();
                store.ping().await.unwrap();
            };
            std::thread::spawn(move || runtime().block_on(test)).join().unwrap();
        }
    }
}

#[tokio::test]
async fn a_store_that_is_dropped_or_closed_hangs_up() {
    let redis = Redis::start().await;
    let others = async || {
        let clients = redis.cli(&["CLIENT", "LIST"]).await;
        clients.lines().filter(|line| !line.trim().is_empty() && !line.contains("cmd=client")).count()
    };
    let (dropped, closed) = (store(&redis.url()), store(&redis.url()));
    dropped.get("k").await.unwrap();
    closed.get("k").await.unwrap();
    assert_eq!(others().await, 2);
    drop(dropped);
    closed.close().await;
    while others().await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_first_connection_that_failed_is_tried_again() {
    let redis = Redis::start().await;
    redis.kill().await;
    let store = store(&redis.url());
    assert!(matches!(store.get("k").await, Err(StoreError::Unavailable(_))));
    redis.restart().await;
    assert_eq!(eventually(|| store.get("k")).await, None);
}
