//! The store fails: a call bypasses it or returns an error, and no result is lost.

use mrc::config::OnError;
use mrc_tests::{Mode, Proxy, Redis};

use crate::parity::outage::{
    a_result_survives_a_failed_fill, calls_about_the_cache_alone, functions_run_on, insisting_on_nothing,
};
use crate::parity::support::*;

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
            guarded(functions_run_on(&degrading, &failing, || f(0))).await;
            guarded(calls_about_the_cache_alone(&degrading, &failing, || f(0))).await;
            redis.restart().await;
        }
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
