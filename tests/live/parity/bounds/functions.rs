//! A bound for each function, and several bounds in one namespace.

use mrc::{Bound, Cache, Policy, Spec};

use crate::parity::support::*;

tests!(on_every_store, b17_bounds_of_one_namespace_are_apart,);

tests!(
    on_every_bound,
    f30_calls_one_after_the_other,
    b21_one_call_or_all_with_a_tag_are_invalidated,
    b21_tags_of_evicted_entries_are_pruned,
);

fn of(function: &'static str, x: u32) -> Spec {
    Spec::of(function).param("x", x)
}

async fn has(cache: &Cache, function: &'static str, x: u32) -> bool {
    cache.contains(of(function, x)).await.unwrap()
}

async fn f30_calls_one_after_the_other(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(4));
    for x in 0..8 {
        for _ in 0..2 {
            assert_eq!(cache.get_or(f(x), async || x.to_string()).await, x.to_string());
        }
    }
    assert_eq!((cache.len().await.unwrap(), cache.stats().snapshot().hits), (4, 8));
}

#[tokio::test]
async fn f31_f35_f36_f45_each_function_has_room_of_its_own() {
    for policy in Policy::ALL {
        on_every_store(async |place| {
            let cache = place.bounded(Bound::new(policy).max(3).per_function());
            for x in 0..3 {
                assert!(runs(&cache, of("f", x)).await && runs(&cache, of("g", x)).await);
            }
            for x in 0..3 {
                assert!(!runs(&cache, of("f", x)).await && !runs(&cache, of("g", x)).await, "{policy}");
            }
            assert_eq!(cache.len().await.unwrap(), 6);
            for x in 3..20 {
                runs(&cache, of("f", x)).await;
            }
            assert_eq!(cache.len().await.unwrap(), 6);
            for x in 0..3 {
                assert!(has(&cache, "g", x).await, "{policy}: another function's overflow is no matter of g's");
            }
            assert_eq!((cache.clear().await.unwrap(), cache.len().await.unwrap()), (6, 0));
        })
        .await;
    }
}

/// Without it they share one bound, as the documentation says.
#[tokio::test]
async fn b17_functions_share_a_bound_where_they_are_to() {
    for policy in Policy::ALL {
        on_every_store(async |place| {
            let cache = place.bounded(Bound::new(policy).max(3));
            for x in 0..3 {
                runs(&cache, of("f", x)).await;
                runs(&cache, of("g", x)).await;
            }
            assert_eq!(cache.len().await.unwrap(), 3);
        })
        .await;
    }
}

async fn b17_bounds_of_one_namespace_are_apart(place: &Place) {
    let whole = place.cache();
    assert!(whole.set(f(0), &0).await.unwrap());
    let parts: Vec<Cache> = bounds().map(|bound| whole.bounded(bound.max(2)).unwrap()).collect();
    for (x, part) in (1..).zip(&parts) {
        assert_eq!(part.get_or(f(0), async || x).await, x);
    }
    for (x, part) in (1..).zip(&parts) {
        assert_eq!((part.get(f(0)).await.unwrap(), part.len().await.unwrap()), (Some(x), 1));
    }
    assert_eq!(whole.get(f(0)).await.unwrap(), Some(0));
    // The same bound is the same part, for every caller.
    for (bound, x) in bounds().zip(1..) {
        assert_eq!(place.bounded(bound.max(2)).get(f(0)).await.unwrap(), Some(x));
    }
}

/// The original can't do this: it only removes everything.
async fn b21_one_call_or_all_with_a_tag_are_invalidated(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(10));
    for x in 0..6 {
        runs(&cache, f(x).tag(if x % 2 == 0 { "even" } else { "odd" })).await;
    }
    assert!(cache.remove(f(0)).await.unwrap());
    assert!(!cache.remove(f(0)).await.unwrap());
    assert_eq!(cache.invalidate(tag("even")).await.unwrap(), 2);
    assert_eq!((kept(&cache, 6).await, cache.len().await.unwrap()), (vec![1, 3, 5], 3));
    assert_eq!(cache.invalidate(mrc::key::Glob::beginning("f(x=1")).await.unwrap(), 1);
    assert_eq!(kept(&cache, 6).await, [3, 5]);
    ran(&cache, 0..6).await;
    assert_eq!((cache.len().await.unwrap(), cache.stats().snapshot().evicted), (6, 0));
}

/// An evicted entry has no tags any more, so it isn't counted.
async fn b21_tags_of_evicted_entries_are_pruned(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(3));
    for x in 0..9 {
        runs(&cache, f(x).tag("t")).await;
    }
    assert_eq!(cache.invalidate(tag("t")).await.unwrap(), 3);
    assert_eq!((cache.len().await.unwrap(), cache.invalidate(tag("t")).await.unwrap()), (0, 0));
}
