//! The store fails: a call bypasses it or returns an error, and no result is lost.

use std::time::Duration;

use mrc::config::{CacheBuilder, OnError};
use mrc::{Cache, Error, Spec};
use mrc_tests::{Mode, Proxy, Redis};

use super::support::*;

/// Returns a cache that doesn't retry invalidations, so that a test needn't wait for it.
pub(super) fn insisting_on_nothing(builder: CacheBuilder, on_error: OnError) -> Cache {
    builder.on_error(on_error).invalidation_deadline(Duration::ZERO).build().unwrap()
}

/// Runs a test on caches of either kind whose store fails: closed in memory, and a killed Redis.
async fn on_every_outage(test: impl AsyncFn(Cache, Cache)) {
    let redis = Redis::start().await;
    for place in [Place::memory(), Place::redis(impatient(redis.port()))] {
        let [degrading, failing] =
            [OnError::Degrade, OnError::Fail].map(|on_error| insisting_on_nothing(place.builder("app"), on_error));
        for cache in [&degrading, &failing] {
            cache.set("f", &1).await.unwrap();
        }
        redis.kill().await;
        for cache in [&degrading, &failing] {
            if format!("{place:?}") == "memory" {
                cache.close().await;
            }
        }
        guarded(test(degrading, failing)).await;
        redis.restart().await;
    }
}

#[tokio::test]
async fn x12_d105_d107_d108_d109_d110_a_store_that_is_down_is_bypassed_or_reported() {
    on_every_outage(async |degrading, failing| {
        functions_run_on(&degrading, &failing, || Spec::of("f")).await;
        assert_eq!(degrading.stats().snapshot().hits, 0);
    })
    .await;
}

/// Checks calls of functions while the store of both caches is down.
pub(super) async fn functions_run_on(degrading: &Cache, failing: &Cache, f: fn() -> Spec) {
    for fresh in 2..5 {
        assert_eq!(degrading.get_or_try(f(), async || Ok::<_, Error>(fresh)).await.unwrap(), fresh);
        assert_eq!(degrading.get_or(f(), async || fresh).await, fresh);
        // `get_or` returns the function's value under both settings, since it has no error to return.
        assert_eq!(failing.get_or(f(), async || fresh).await, fresh);
        let never = async || -> Result<u32, Error> { panic!("nothing runs") };
        assert!(matches!(failing.get_or_try(f(), never).await, Err(Error::Store(_))));
    }
}

#[tokio::test]
async fn r15_calls_about_the_cache_alone_while_it_is_down() {
    on_every_outage(async |degrading, failing| {
        calls_about_the_cache_alone(&degrading, &failing, || Spec::of("f")).await;
    })
    .await;
}

/// Checks calls without a function while the store of both caches is down.
pub(super) async fn calls_about_the_cache_alone(degrading: &Cache, failing: &Cache, f: fn() -> Spec) {
    assert_eq!(degrading.get::<u32>(f()).await.unwrap(), None);
    assert!(matches!(failing.get::<u32>(f()).await, Err(Error::Store(_))));
    for spec in [f(), f().tag("t")] {
        assert!(!degrading.set(spec.clone(), &1).await.unwrap());
        assert!(matches!(failing.set(spec, &1).await, Err(Error::Store(_))));
    }
    // An invalidation that failed never looks like one that found nothing.
    for cache in [degrading, failing] {
        assert!(matches!(cache.invalidate(tag("t")).await, Err(Error::Store(_))));
        assert!(matches!(cache.clear().await, Err(Error::Store(_))));
        assert!(matches!(cache.remove(f()).await, Err(Error::Store(_))));
        assert!(matches!(cache.len().await, Err(Error::Store(_))));
    }
}

#[tokio::test]
async fn x12_d106_a_result_is_not_lost_when_the_fill_fails() {
    let redis = Redis::start().await;
    let wire = Proxy::to(redis.port()).await;
    let place = Place::redis(impatient(wire.port()));
    for on_error in [OnError::Degrade, OnError::Fail] {
        let cache = insisting_on_nothing(place.builder("app"), on_error);
        for mode in [Mode::Close, Mode::HoldAnswers] {
            a_result_survives_a_failed_fill(&place, &cache, Spec::of("f").tag("t"), &wire, mode).await;
            assert_eq!(redis.cli(&["FLUSHALL"]).await, "OK");
        }
    }
}

pub(super) async fn a_result_survives_a_failed_fill(
    place: &Place,
    cache: &Cache,
    spec: Spec,
    wire: &Proxy,
    mode: Mode,
) {
    until(async || cache.store().ping().await.is_ok()).await;
    place.heard.take();
    let event = format!("bypassed {} store_failed", cache.key(spec.clone()).unwrap());
    let made = async || {
        wire.set(mode.clone());
        Ok::<_, Error>(7)
    };
    let outcome = guarded(cache.get_or_try(spec, made)).await;
    wire.set(Mode::Pass);
    assert_eq!(outcome.unwrap(), 7);
    assert!(place.heard.has(&event));
}

/// Reads fail and writes work: stored values are never read, and every call computes.
#[tokio::test]
async fn d111_a_store_that_cannot_be_read() {
    let redis = Redis::start().await;
    redis.cli(&["ACL", "SETUSER", "writer", "on", ">pw", "~*", "+@all", "-get"]).await;
    let place = Place::redis(patient(&redis.url()).username("writer").password("pw"));
    let cache = place.cache();
    for fresh in 1..4 {
        assert_eq!(guarded(cache.get_or("f", async || fresh)).await, fresh);
        assert!(place.heard.take().contains(&"bypassed app:f store_failed".to_owned()));
    }
}
