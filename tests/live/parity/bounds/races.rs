//! Concurrent callers: at a miss, at an invalidation, and when one is cancelled.

use std::sync::Arc;

use mrc::key::Glob;
use mrc::{Bound, Policy, Select, scope};
use tokio::sync::Semaphore;

use crate::parity::races::{an_overtaken_value_is_not_stored, nothing_stale_is_seen, twenty_misses_are_one_execution};
use crate::parity::support::*;

tests!(
    on_every_bound,
    x02_a_value_that_an_invalidation_overtook_is_not_stored,
    x14_a_cancelled_call_stores_nothing_and_blocks_no_other,
);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn x01_twenty_misses_at_once_are_one_execution() {
    on_every_bound(async |place, bound| {
        twenty_misses_are_one_execution(|| place.builder("app").bound(bound.clone()), || f(0)).await;
    })
    .await;
}

async fn invalidate(place: &Place, bound: &Bound, how: &str) {
    let (part, whole) = (place.bounded(bound.clone()), place.cache());
    match how {
        "a tag" => part.invalidate(tag("t")).await.map(drop),
        "all of two tags" => part.invalidate(Select::all(["u", "t"])).await.map(drop),
        "its name" => part.remove("f").await.map(drop),
        "a pattern" => part.invalidate(Glob::literal("f")).await.map(drop),
        "a clear of the part" => part.clear().await.map(drop),
        "a clear of the whole" => whole.clear().await.map(drop),
        "a tag, by the whole" => whole.invalidate(tag("t")).await.map(drop),
        _ => part.set("f", &2).await.map(drop),
    }
    .unwrap();
}

async fn x02_a_value_that_an_invalidation_overtook_is_not_stored(place: &Place, bound: Bound) {
    let ways = "a tag; all of two tags; its name; a pattern; a clear of the part; a clear of the whole; \
                a tag, by the whole; another value";
    for how in ways.split("; ") {
        for (is_late, others) in [(false, false), (true, false), (false, true)] {
            let cache = place.bounded(bound.clone());
            if others {
                // The structure exists without this entry.
                ran(&cache, 0..3).await;
            }
            let invalidate = async || invalidate(place, &bound, how).await;
            let what = format!("{how}, others {others}");
            an_overtaken_value_is_not_stored(place, &cache, is_late, &what, invalidate).await;
        }
    }
}

/// Writers, readers and evictions at full speed: an invalidated value is never seen again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn x02_nothing_stale_is_seen_after_an_invalidation_returned() {
    for policy in [Policy::Lru, Policy::Rr] {
        on_every_store(async |place| {
            let readers = (0..6).map(|at| (place.bounded(Bound::new(policy).max(2)), f(at % 3))).collect();
            nothing_stale_is_seen(place.cache(), readers, 100).await;
        })
        .await;
    }
}

async fn x14_a_cancelled_call_stores_nothing_and_blocks_no_other(place: &Place, bound: Bound) {
    let cache = place.builder("app").bound(bound).lease(HOUR).wait_max(HOUR).build().unwrap();
    let (stuck, is_stuck) = (cache.clone(), Arc::new(Semaphore::new(0)));
    let cancelled = tokio::spawn({
        let is_stuck = is_stuck.clone();
        async move {
            let work = async || {
                scope::tag("late");
                is_stuck.add_permits(1);
                std::future::pending::<()>().await;
            };
            runs_with(&stuck, f(0), work).await
        }
    });
    is_stuck.acquire().await.unwrap().forget();
    cancelled.abort();
    assert!(cancelled.await.unwrap_err().is_cancelled());
    assert_eq!((cache.len().await.unwrap(), kept(&cache, 1).await), (0, vec![]));
    // No claim is left either, or this would wait 1 h for it.
    assert_eq!(ran(&cache, [0, 0]).await, [0]);
    assert_eq!(cache.invalidate(tag("late")).await.unwrap(), 0);
}
