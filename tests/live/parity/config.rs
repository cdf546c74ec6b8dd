//! Settings: explicit ones override the environment, which overrides the defaults.

use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use mrc::config::{CacheBuilder, CacheConfig, Codec, OnError, RedisConfig};
use mrc::store::RedisStore;
use mrc::{Cache, Error, MemoryStore, Ttl};

use super::support::*;

tests!(
    on_every_store,
    d01_d02_d03_a_cache_is_its_namespace,
    d04_d69_d88_a_cache_that_is_disabled_always_computes,
    d16_r08_r16_a_cache_before_connecting_and_after_close,
);

async fn d01_d02_d03_a_cache_is_its_namespace(place: &Place) {
    let (one, same) = (place.namespace("users"), place.builder("users").ttl(1).build().unwrap());
    assert_eq!(one.namespace(), "users");
    one.set("a", &1).await.unwrap();
    assert_eq!(same.get("a").await.unwrap(), Some(1));
    assert!(matches!(place.builder("").build(), Err(Error::Config(_))), "there is no default that all would share");
    for name in ["a:b", "{a}", "a}"] {
        assert!(matches!(place.builder(name).build(), Err(Error::Config(_))), "{name}");
    }
}

async fn d04_d69_d88_a_cache_that_is_disabled_always_computes(place: &Place) {
    let (cache, disabled) = (place.cache(), place.builder("app").enabled(false).build().unwrap());
    cache.set("f", &1).await.unwrap();
    for answer in 2..5 {
        assert_eq!(disabled.get_or("f", async || answer).await, answer);
    }
    assert_eq!(disabled.get::<u32>("f").await.unwrap(), None);
    assert!(!disabled.set("f", &9).await.unwrap());
    assert_eq!(cache.get("f").await.unwrap(), Some(1));
    // A remove still works, because others may use the cache.
    assert!(disabled.remove("f").await.unwrap());
    assert_eq!(cache.get::<u32>("f").await.unwrap(), None);
}

#[test]
fn d17_d23_the_defaults() {
    let config = CacheConfig::default();
    assert_eq!((config.ttl, config.codec, config.on_error), (Ttl::from(300), Codec::Json, OnError::Degrade));
    let settings = config.settings;
    assert_eq!((config.enabled, settings.jitter, settings.stale_on_error), (true, 0.1, Duration::ZERO));
    assert_eq!((settings.lease, settings.wait_max), (Duration::from_secs(30), Duration::from_secs(1)));
}

/// Runs itself in a process with its own environment.
#[tokio::test]
async fn d18_d19_d20_d21_d22_explicit_settings_beat_the_environment_and_that_the_defaults() {
    const VARS: [(&str, &str); 4] = [
        ("MRC_CACHE_NAMESPACE", "from_env"),
        ("MRC_CACHE_TTL_MS", "1500"),
        ("MRC_CACHE_ENABLED", "no"),
        ("MRC_CACHE_ON_ERROR", "fail"),
    ];
    if std::env::var_os(VARS[0].0).is_none() {
        let test = "parity::config::d18_d19_d20_d21_d22_explicit_settings_beat_the_environment_and_that_the_defaults";
        let me = std::env::current_exe().unwrap();
        let run = || Command::new(me).envs(VARS).args(["--exact", test]).output().unwrap();
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let of_env = CacheConfig::from_env().unwrap();
    let mut expect = CacheConfig::default();
    expect.namespace = "from_env".into();
    expect.ttl = Duration::from_millis(1500).into();
    expect.enabled = false;
    expect.on_error = OnError::Fail;
    assert_eq!(of_env, expect, "what the environment doesn't say is as by default");

    let cache = CacheBuilder::new(MemoryStore::new()).config(of_env.clone()).build().unwrap();
    assert_eq!(cache.namespace(), "from_env");
    assert!(runs(&cache, "f").await && runs(&cache, "f").await, "it is disabled");
    let mut config = of_env;
    (config.namespace, config.enabled) = ("mine".into(), true);
    let cache = CacheBuilder::new(MemoryStore::new()).config(config.clone()).ttl(60).jitter(0.0).build().unwrap();
    assert_eq!(cache.namespace(), "mine");
    assert!(runs(&cache, "f").await && !runs(&cache, "f").await);
    assert!(cache.ttl("f").await.unwrap().unwrap() > Duration::from_secs(50));
    // And the reverse.
    let cache = CacheBuilder::new(MemoryStore::new()).ttl(60).config(config).jitter(0.0).build().unwrap();
    runs(&cache, "f").await;
    assert!(cache.ttl("f").await.unwrap().unwrap() <= Duration::from_millis(1500));
}

#[test]
fn d24_d26_d28_d29_a_wrong_url_is_an_error() {
    let config = |url: &str| RedisConfig::from_url(url);
    assert!(config("redis://user:secret@localhost:6379/3").is_ok());
    for wrong in ["redis://localhost:port", "redis://localhost:99999", "http://localhost", ""] {
        assert!(config(wrong).is_err(), "{wrong}");
    }
    let shown = format!("{:?}", config("redis://user:s3cret@localhost:6379").unwrap());
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn d78_d84_r17_a_cache_of_the_whole_program() {
    static CACHE: LazyLock<Cache> = LazyLock::new(|| {
        Cache::builder(MemoryStore::new()).namespace("program").build().unwrap_or_else(|error| panic!("{error}"))
    });
    assert!(runs(&CACHE, "f").await);
    assert!(!tokio::spawn(async { runs(&CACHE, "f").await }).await.unwrap());
}

async fn d16_r08_r16_a_cache_before_connecting_and_after_close(place: &Place) {
    // Nobody listens there. The store connects only when needed.
    let nowhere = RedisStore::new(impatient(mrc_tests::free_port())).unwrap();
    let nowhere = CacheBuilder::new(nowhere).namespace("app").invalidation_deadline(Duration::ZERO).build().unwrap();
    let closed = place.builder("app").invalidation_deadline(Duration::ZERO).build().unwrap();
    closed.set("f", &1).await.unwrap();
    closed.close().await;
    closed.close().await;
    for cache in [&closed, &nowhere] {
        assert_eq!(cache.get::<u32>("f").await.unwrap(), None);
        assert!(!cache.set("f", &1).await.unwrap());
        assert!(runs(cache, "f").await);
        assert!(matches!(cache.remove("f").await, Err(Error::Store(_))));
        assert!(matches!(cache.clear().await, Err(Error::Store(_))));
        assert!(matches!(cache.invalidate(tag("t")).await, Err(Error::Store(_))));
        assert!(matches!(cache.ttl("f").await, Err(Error::Store(_))));
        assert!(cache.health().await.cache.is_err());
    }
}
