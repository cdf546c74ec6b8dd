//! The counts of a cache.

use std::sync::Arc;

use mrc::{Bound, Cache, Policy, Spec, Stats, scope};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::parity::support::*;

tests!(on_every_store, statistics_of_parts_are_those_of_the_whole,);

tests!(
    on_every_bound,
    f41_f45_calls_are_counted,
    f42_another_thread_counts_by_itself,
    f43_f44_statistics_go_on_where_they_are_used_again_and_nowhere_else,
    evictions_are_counted_where_they_are_made,
);

/// Calls, misses, runs, fills, and hits.
type Counts = (u64, u64, u64, u64, u64);

fn counts(stats: &Stats) -> Counts {
    let now = stats.snapshot();
    (now.lookups(), now.misses, now.computed, now.fills, now.hits)
}

/// Two functions. Each is counted, even if each has its own bound.
fn calls() -> [(Spec, Counts); 4] {
    let g = || Spec::of("g").param("x", 0);
    [(f(0), (1, 1, 1, 1, 0)), (f(0), (2, 1, 1, 1, 1)), (g(), (3, 2, 2, 2, 1)), (g(), (4, 2, 2, 2, 2))]
}

async fn f41_f45_calls_are_counted(place: &Place, bound: Bound) {
    let (cache, task) = (place.bounded(bound.max(8)), Arc::new(Stats::default()));
    scope::with_stats(&task, async {
        for (spec, expect) in calls() {
            runs(&cache, spec).await;
            assert_eq!((counts(&task), counts(cache.stats())), (expect, expect));
        }
    })
    .await;
}

async fn f42_another_thread_counts_by_itself(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(8));
    let [here, there] = std::array::from_fn(|_| Arc::new(Stats::default()));
    scope::with_stats(&here, async {
        ran(&cache, [0, 0]).await;
        let (handle, its, counted) = (Handle::current(), cache.clone(), there.clone());
        let thread = spawn_blocking(move || {
            handle.block_on(scope::with_stats(&counted, async {
                ran(&its, [1, 1]).await;
            }));
        });
        thread.await.unwrap();
        ran(&cache, [2, 3]).await;
    })
    .await;
    assert_eq!((counts(&here), counts(&there)), ((4, 3, 3, 3, 1), (2, 1, 1, 1, 1)));
    assert_eq!(counts(cache.stats()), (6, 4, 4, 4, 2), "the cache's own are of both");
}

async fn f43_f44_statistics_go_on_where_they_are_used_again_and_nowhere_else(place: &Place, bound: Bound) {
    let (cache, task) = (place.bounded(bound.max(8)), Arc::new(Stats::default()));
    ran(&cache, [0]).await;
    assert_eq!(counts(&task), Counts::default());
    scope::with_stats(&task, ran(&cache, [0, 1])).await;
    assert_eq!(counts(&task), (2, 1, 1, 1, 1));
    ran(&cache, [1]).await;
    scope::with_stats(&task, ran(&cache, [1, 2])).await;
    assert_eq!(counts(&task), (4, 2, 2, 2, 2));
    assert_eq!(counts(cache.stats()), (6, 3, 3, 3, 3));
}

async fn evictions_are_counted_where_they_are_made(place: &Place, bound: Bound) {
    let (one, other) = (place.bounded(bound.clone().max(2)), place.bounded(bound.max(2)));
    let task = Arc::new(Stats::default());
    ran(&one, 0..2).await;
    scope::with_stats(&task, ran(&other, 2..5)).await;
    let evicted = [one.stats(), other.stats(), &task].map(|stats| stats.snapshot().evicted);
    assert_eq!(evicted, [0, 3, 3]);
    assert_eq!(place.heard.take().iter().filter(|event| *event == "evicted 1").count(), 3);
}

/// Parts of a cache count with it.
async fn statistics_of_parts_are_those_of_the_whole(place: &Place) {
    let whole: Cache = place.cache();
    let part = |policy| whole.bounded(Bound::new(policy).max(1)).unwrap();
    for cache in [whole.clone(), part(Policy::Lru), part(Policy::Rr)] {
        ran(&cache, [0, 0, 1]).await;
    }
    assert_eq!(counts(whole.stats()), (9, 6, 6, 6, 3));
    assert_eq!(whole.stats().snapshot().evicted, 2);
}
