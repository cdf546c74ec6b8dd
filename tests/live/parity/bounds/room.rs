//! The number of entries.

use std::sync::atomic::{AtomicU32, Ordering};

use mrc::{Bound, Cache, Policy, Spec, cached};
use serde_json::Value;

use crate::parity::support::*;

tests!(on_every_store, unusable_bounds_are_refused,);

tests!(
    on_every_bound,
    f01_f32_a_miss_stores_once_and_a_hit_nothing,
    f02_f12_f16_entries_are_never_more_than_the_bound,
    f07_f09_f11_a_bound_of_three,
    f03_f18_every_call_returns_its_own_value,
    f04_arguments_of_every_type_are_entries_of_their_own,
    f05_a_clear_leaves_nothing,
    f06_f08_a_cached_function_around_a_plain_one,
);

async fn f01_f32_a_miss_stores_once_and_a_hit_nothing(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(8));
    for x in 0..8 {
        assert_eq!(ran(&cache, [x]).await, [x]);
        let key = format!("app:f(x={x})");
        let expect = [format!("miss {key}"), format!("computed {key}"), format!("filled {key} 4 300s []")];
        assert_eq!(place.heard.take(), expect);
        assert!(ran(&cache, [x, x]).await.is_empty());
        assert_eq!(place.heard.take(), [format!("hit {key} 4"), format!("hit {key} 4")]);
    }
}

async fn f02_f12_f16_entries_are_never_more_than_the_bound(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(8));
    assert!(cache.is_empty().await.unwrap());
    for x in 0..8 {
        assert_eq!(cache.len().await.unwrap(), u64::from(x));
        ran(&cache, [x]).await;
    }
    assert!(ran(&cache, 0..8).await.is_empty(), "exactly full, and all are there");
    assert_eq!((cache.len().await.unwrap(), cache.stats().snapshot().evicted), (8, 0));
    place.heard.take();
    for x in 8..30 {
        assert_eq!(ran(&cache, [x]).await, [x]);
        assert!(place.heard.take().contains(&"evicted 1".to_owned()));
        assert_eq!((cache.len().await.unwrap(), kept(&cache, 30).await.len()), (8, 8));
        assert!(cache.contains(f(x)).await.unwrap(), "it isn't itself what goes");
    }
    assert_eq!(cache.stats().snapshot().evicted, 22);
}

async fn f07_f09_f11_a_bound_of_three(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(3));
    ran(&cache, [0, 1, 2, 0, 3]).await;
    assert_eq!((cache.len().await.unwrap(), kept(&cache, 4).await.len()), (3, 3));
    ran(&cache, 0..20).await;
    assert_eq!((cache.len().await.unwrap(), kept(&cache, 20).await.len()), (3, 3));
}

async fn f03_f18_every_call_returns_its_own_value(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(8));
    for _ in 0..2 {
        for x in 0..16 {
            for _ in 0..2 {
                assert_eq!(cache.get_or(f(x), async || x * x).await, x * x);
            }
        }
    }
}

async fn f04_arguments_of_every_type_are_entries_of_their_own(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(100));
    let arguments =
        r#"[{"a": 1, "b": [2]}, {"a": 1, "b": ["2"]}, [1, 2], "1", 1, 1.0, true, "true", null, [], {}, ""]"#;
    let arguments: Vec<Value> = serde_json::from_str(arguments).unwrap();
    for expect_run in [true, false] {
        for (at, argument) in arguments.iter().enumerate() {
            let mut has_run = false;
            let made = async || {
                has_run = true;
                at
            };
            assert_eq!(cache.get_or(Spec::of("f").param("x", argument), made).await, at, "{argument}");
            assert_eq!(has_run, expect_run, "{argument}");
        }
    }
    assert_eq!(cache.len().await.unwrap(), arguments.len() as u64);
}

async fn f05_a_clear_leaves_nothing(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(8));
    assert_eq!(cache.clear().await.unwrap(), 0);
    ran(&cache, 0..8).await;
    assert_eq!((cache.clear().await.unwrap(), cache.len().await.unwrap()), (8, 0));
    assert_eq!(ran(&cache, 0..8).await, (0..8).collect::<Vec<_>>());
    assert_eq!(cache.stats().snapshot().evicted, 0, "nor is anything left that would need room");
}

/// A function works without its cache too.
async fn square(x: u32) -> u32 {
    x * x
}

async fn counted<T>(runs: &AtomicU32, work: impl Future<Output = T>) -> T {
    runs.fetch_add(1, Ordering::SeqCst);
    work.await
}

#[cached(cache = cache, key(x))]
async fn squared(cache: &Cache, runs: &AtomicU32, x: u32) -> u32 {
    counted(runs, square(x)).await
}

async fn f06_f08_a_cached_function_around_a_plain_one(place: &Place, bound: Bound) {
    let (cache, runs) = (place.bounded(bound), AtomicU32::new(0));
    for _ in 0..3 {
        assert_eq!(squared(&cache, &runs, 7).await, square(7).await);
    }
    assert_eq!(runs.into_inner(), 1);
}

async fn unusable_bounds_are_refused(place: &Place) {
    let none = || Bound::new(Policy::Lru).max(0);
    assert!(place.builder("app").bound(none()).build().is_err());
    assert!(place.cache().bounded(none()).is_err());
}
