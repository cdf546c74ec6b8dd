//! A clear removes what it names, and nothing else.

use mrc::key::Glob;
use mrc::{Bound, Cache, Policy, Spec};

use crate::parity::support::*;

tests!(on_every_store, a_clear_of_one_bound_leaves_the_others_and_one_of_the_cache_clears_all,);

tests!(
    on_every_bound,
    b13_x20_a_clear_takes_names_literally_and_counts_entries,
    the_length_of_the_whole_leaves_its_parts_out,
);

async fn fill(cache: &Cache, functions: &[&'static str]) {
    for function in functions {
        for x in 0..3 {
            assert!(cache.set(Spec::of(*function).param("x", x), &x).await.unwrap());
        }
    }
}

async fn b13_x20_a_clear_takes_names_literally_and_counts_entries(place: &Place, bound: Bound) {
    let functions = ["f", "g", "*", "f*", "[fg]", "f::{{closure}}", "a:b"];
    let namespaces = ["a*", "a?", "a[b]", "a\\", "*", "ab", "a"];
    let caches = namespaces.map(|name| place.builder(name).bound(bound.clone()).build().unwrap());
    for cache in &caches {
        fill(cache, &functions).await;
    }
    for (at, cache) in caches.iter().enumerate() {
        assert_eq!(cache.len().await.unwrap(), 21, "{cache:?}");
        assert_eq!(cache.invalidate(Glob::literal("f*(x=1)")).await.unwrap(), 1);
        assert_eq!(cache.invalidate(Glob::beginning("f*(")).await.unwrap(), 2);
        assert_eq!((cache.clear().await.unwrap(), cache.len().await.unwrap()), (18, 0), "{cache:?}");
        for later in &caches[at + 1..] {
            assert_eq!(later.len().await.unwrap(), 21, "{later:?} after {cache:?}");
        }
    }
}

async fn a_clear_of_one_bound_leaves_the_others_and_one_of_the_cache_clears_all(place: &Place) {
    let (whole, other) = (place.cache(), place.namespace("app2").bounded(Bound::new(Policy::Lru)).unwrap());
    let parts: Vec<Cache> = bounds().map(|bound| whole.bounded(bound).unwrap()).collect();
    for cache in parts.iter().chain([&whole, &other]) {
        fill(cache, &["f", "g"]).await;
    }
    for (at, part) in parts.iter().enumerate().take(4) {
        assert_eq!(part.clear().await.unwrap(), 6);
        for later in &parts[at + 1..] {
            assert_eq!(later.len().await.unwrap(), 6, "{later:?} after {part:?}");
        }
    }
    whole.clear().await.unwrap();
    for part in parts.iter().chain([&whole]) {
        assert_eq!(part.len().await.unwrap(), 0, "{part:?}");
    }
    assert_eq!(other.len().await.unwrap(), 6);
}

async fn the_length_of_the_whole_leaves_its_parts_out(place: &Place, bound: Bound) {
    let whole = place.cache();
    let part = whole.bounded(bound).unwrap();
    fill(&part, &["f", "g"]).await;
    assert_eq!((whole.len().await.unwrap(), part.len().await.unwrap()), (0, 6));
    fill(&whole, &["f"]).await;
    assert_eq!((whole.len().await.unwrap(), part.len().await.unwrap()), (3, 6));
}
