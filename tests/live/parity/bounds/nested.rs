//! Functions that call functions, bounded or not: an invalidation reaches the outer entry too.

use mrc::{Bound, Policy};

use crate::parity::nested::tags_are_passed_on;
use crate::parity::support::*;

tests!(on_every_bound, x03_nested_hit_propagates_tags, x03_tags_of_an_entry_evicted_since,);

async fn x03_nested_hit_propagates_tags(place: &Place, bound: Bound) {
    let whole = place.cache();
    let (part, other) = (whole.bounded(bound).unwrap(), whole.bounded(Bound::new(Policy::Lru).max(7)).unwrap());
    let pairs = [
        (&part, &whole, "bounded in unbounded"),
        (&whole, &part, "unbounded in bounded"),
        (&part, &part, "bounded"),
        (&part, &other, "two bounds"),
    ];
    for (inner, outer, names) in pairs {
        tags_are_passed_on(inner, outer, names).await;
        for cache in [&whole, &part, &other] {
            cache.clear().await.unwrap();
        }
    }
}

async fn x03_tags_of_an_entry_evicted_since(place: &Place, bound: Bound) {
    let (whole, part) = (place.cache(), place.bounded(bound.max(1)));
    let inner = async || _ = runs(&part, f(0).tag("t")).await;
    runs_with(&whole, "of a miss", inner).await;
    runs_with(&whole, "of a hit", inner).await;
    ran(&part, [1]).await;
    assert_eq!(part.invalidate(tag("t")).await.unwrap(), 2);
    assert!(!whole.contains("of a miss").await.unwrap() && !whole.contains("of a hit").await.unwrap());
    assert_eq!(kept(&part, 2).await, [1]);
}

#[tokio::test]
async fn a_nested_hit_is_a_use() {
    for (policy, expect) in
        [(Policy::Lru, [0, 2]), (Policy::LruT, [0, 2]), (Policy::Lfu, [0, 2]), (Policy::Mru, [1, 2])]
    {
        on_every_store(async |place| {
            let (whole, part) = (place.cache(), place.bounded(Bound::new(policy).max(2)));
            ran(&part, 0..2).await;
            runs_with(&whole, "outer", async || _ = ran(&part, [0]).await).await;
            ran(&part, [2]).await;
            assert_eq!(kept(&part, 3).await, expect, "{policy}");
        })
        .await;
    }
}
