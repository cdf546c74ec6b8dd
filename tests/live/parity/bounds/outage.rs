//! The store fails: a call bypasses it or returns an error, and no result is lost.

use mrc::config::OnError;
use mrc::{Cache, Error};
use mrc_tests::{Mode, Proxy, Redis};

use super::support::*;
use crate::parity::outage::{a_result_survives_a_failed_fill, insisting_on_nothing};

#[tokio::test]
async fn x12_b14_a_store_that_is_down_is_bypassed_or_reported() {
    let redis = Redis::start().await;
    for bound in bounds() {
        for place in [Place::memory(), Place::redis(impatient(redis.port()))] {
            let [degrading, failing] = [OnError::Degrade, OnError::Fail]
                .map(|on_error| insisting_on_nothing(place.builder("app").bound(bound.clone()), on_error));
            until(async || degrading.set(f(0), &1).await.unwrap()).await;
            until(async || failing.set(f(0), &1).await.is_ok()).await;
            redis.kill().await;
            degrading.close().await;
            failing.close().await;
            guarded(check_an_outage(&degrading, &failing)).await;
            redis.restart().await;
        }
    }
}

async fn check_an_outage(degrading: &Cache, failing: &Cache) {
    for fresh in 2..4 {
        assert_eq!(degrading.get_or_try(f(0), async || Ok::<_, Error>(fresh)).await.unwrap(), fresh);
        assert_eq!(degrading.get_or(f(0), async || fresh).await, fresh);
        // A function that can't fail doesn't fail, whatever the setting.
        assert_eq!(failing.get_or(f(0), async || fresh).await, fresh);
        let never = async || -> Result<u32, Error> { panic!("nothing runs") };
        assert!(matches!(failing.get_or_try(f(0), never).await, Err(Error::Store(_))));
    }
    assert_eq!(degrading.get::<u32>(f(0)).await.unwrap(), None);
    assert!(matches!(failing.get::<u32>(f(0)).await, Err(Error::Store(_))));
    assert!(!degrading.set(f(0), &1).await.unwrap());
    assert!(matches!(failing.set(f(0), &1).await, Err(Error::Store(_))));
    // An invalidation that failed never looks like one that found nothing.
    for cache in [degrading, failing] {
        assert!(matches!(cache.invalidate(tag("t")).await, Err(Error::Store(_))));
        assert!(matches!(cache.clear().await, Err(Error::Store(_))));
        assert!(matches!(cache.remove(f(0)).await, Err(Error::Store(_))));
        assert!(matches!(cache.len().await, Err(Error::Store(_))));
    }
}

#[tokio::test]
async fn x12_a_result_is_not_lost_when_the_fill_fails() {
    let redis = Redis::start().await;
    let wire = Proxy::to(redis.port()).await;
    let place = Place::redis(impatient(wire.port()));
    for bound in bounds() {
        for on_error in [OnError::Degrade, OnError::Fail] {
            let cache = insisting_on_nothing(place.builder("app").bound(bound.clone()), on_error);
            a_result_survives_a_failed_fill(&place, &cache, f(0).tag("t"), &wire, Mode::Close).await;
            assert_eq!(redis.cli(&["FLUSHALL"]).await, "OK");
        }
    }
}
