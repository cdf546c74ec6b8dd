//! Bounded caches on a real cluster.

use std::num::NonZeroU16;

use futures_util::future::join_all;
use mrc::{Bound, Cache, Policy, Spec};
use mrc_tests::RedisCluster;

use crate::parity::support::*;

tests!(on_the_cluster, f37_f39_b12_one_function_on_a_cluster, f38_f40_two_functions_on_a_cluster);

/// Returns the bounds of every test, and some that are spread over many structures.
fn all_bounds() -> impl Iterator<Item = Bound> {
    let shards = NonZeroU16::new(8).unwrap();
    bounds().chain(Policy::ALL.map(|policy| Bound::new(policy).shards(shards)))
}

async fn on_the_cluster(test: impl AsyncFn(&Place, Bound)) {
    for bound in all_bounds() {
        eprintln!("{bound:?}");
        guarded(test(&Place::cluster().await, bound)).await;
    }
}

async fn f37_f39_b12_one_function_on_a_cluster(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(16));
    for x in 0..40 {
        for _ in 0..2 {
            assert_eq!(cache.get_or(f(x), async || x).await, x);
        }
    }
    let (len, stats) = (cache.len().await.unwrap(), cache.stats().snapshot());
    assert_eq!((stats.hits, stats.fills, stats.evicted + len), (40, 40, 40));
    assert!(len <= 16 && len as usize == kept(&cache, 40).await.len(), "{len}");
}

async fn f38_f40_two_functions_on_a_cluster(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(100));
    for run in [true, false] {
        for x in 0..10 {
            for function in ["f", "g"] {
                let spec = Spec::of(function).param("x", x);
                let (mut ran, value) = (false, format!("{function}{x}"));
                let made = async || {
                    ran = true;
                    value.clone()
                };
                assert_eq!((cache.get_or(spec, made).await, ran), (value, run));
            }
        }
    }
    assert_eq!(cache.len().await.unwrap(), 20);
}

#[tokio::test]
async fn f38_f40_functions_do_not_evict_each_other_on_a_cluster() {
    for policy in Policy::ALL {
        let cache = Place::cluster().await.bounded(Bound::new(policy).max(3).per_function());
        for x in 0..3 {
            runs(&cache, Spec::of("g").param("x", x)).await;
        }
        ran(&cache, 0..20).await;
        for x in 0..3 {
            assert!(!runs(&cache, Spec::of("g").param("x", x)).await, "{policy}");
        }
        assert_eq!(cache.len().await.unwrap(), 6);
    }
}

/// Fills entries of 40 functions, half of which have a tag.
async fn fill(cache: &Cache) {
    let calls = (0..40).flat_map(|name| (0..3).map(move |x| (name, x)));
    let sets = calls.map(|(name, x)| {
        let spec = Spec::of(format!("f{name}")).param("x", x);
        cache.set(if name % 2 == 0 { spec.tag("t") } else { spec }, &0)
    });
    for stored in join_all(sets.collect::<Vec<_>>()).await {
        assert!(stored.unwrap());
    }
}

#[tokio::test]
async fn x19_b12_a_clear_reaches_every_node_of_a_cluster_and_nothing_else() {
    for by_the_whole in [false, true] {
        on_the_cluster(async |place, bound| {
            let bound = bound.max(1_000);
            let (cache, whole, other) = (place.bounded(bound.clone()), place.cache(), place.namespace("app2"));
            let (other_part, plain) = (place.namespace("app3").bounded(bound.clone()).unwrap(), place.namespace("ap"));
            for cache in [&cache, &whole, &other, &other_part, &plain] {
                fill(cache).await;
            }
            assert_eq!(cache.len().await.unwrap(), 120);
            if by_the_whole {
                whole.clear().await.unwrap();
            } else {
                assert_eq!(cache.clear().await.unwrap(), 120);
            }
            assert_eq!(whole.len().await.unwrap(), if by_the_whole { 0 } else { 120 });
            assert_eq!(cache.len().await.unwrap(), 0);
            for node in RedisCluster::shared().await.nodes() {
                let left = node.cli(&["KEYS", &format!("{}app:{{app:*", place.prefix)]).await;
                assert_eq!(left, "", "of {bound:?}");
            }
            for kept in [&other, &other_part, &plain] {
                assert_eq!(kept.len().await.unwrap(), 120, "{kept:?}");
            }
            // Half of the remaining entries have the tag.
            assert_eq!(cache.invalidate(tag("t")).await.unwrap(), if by_the_whole { 180 } else { 240 });
        })
        .await;
    }
}
