//! The order in which entries are evicted.

use std::collections::BTreeSet;

use mrc::scope::{self, Mode};
use mrc::{Bound, Cache, Policy};
use mrc_tests::Redis;

use crate::parity::support::*;

tests!(on_every_store, x08_mru_keeps_a_part_of_a_cyclic_read, rr_evicts_any, b11_lfu_admits_new_entries,);

#[derive(Debug, Clone, Copy)]
enum Use {
    Hit,
    Set,
    Refresh,
}

impl Use {
    async fn of(self, cache: &Cache, x: u32) {
        match self {
            Self::Hit => assert!(!runs(cache, f(x)).await),
            Self::Set => assert!(cache.set(f(x), &()).await.unwrap()),
            Self::Refresh => assert!(scope::with_mode(Mode::Refresh, runs(cache, f(x))).await),
        }
    }
}

/// Fills a cache with 0, 1 and 2, uses some, and adds 3. Checks which entries are left.
async fn check(policy: Policy, used: &[u32], expect: [u32; 3]) {
    // A second store of an entry is a use as well.
    for by in [Use::Hit, Use::Set, Use::Refresh] {
        on_every_store(async |place| {
            let cache = place.bounded(Bound::new(policy).max(3));
            ran(&cache, 0..3).await;
            for x in used {
                by.of(&cache, *x).await;
            }
            assert_eq!(ran(&cache, [3]).await, [3]);
            assert_eq!(kept(&cache, 4).await, expect, "{policy}, {by:?} of {used:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn f13_b18_lru_evicts_the_least_recently_used_entry() {
    for policy in [Policy::Lru, Policy::LruT] {
        check(policy, &[], [1, 2, 3]).await;
        check(policy, &[0], [0, 2, 3]).await;
        check(policy, &[1, 0], [0, 1, 3]).await;
        check(policy, &[2, 2, 0, 1], [0, 1, 3]).await;
    }
}

#[tokio::test]
async fn f14_fifo_evicts_the_oldest_entry() {
    for policy in [Policy::Fifo, Policy::FifoT] {
        check(policy, &[], [1, 2, 3]).await;
        check(policy, &[0], [1, 2, 3]).await;
        check(policy, &[1, 0, 0], [1, 2, 3]).await;
    }
}

#[tokio::test]
async fn f15_b18_lfu_evicts_the_least_often_used_entry() {
    check(Policy::Lfu, &[0, 0, 1], [0, 1, 3]).await;
    check(Policy::Lfu, &[2, 1, 2, 1, 1, 2], [1, 2, 3]).await;
    check(Policy::Lfu, &[0, 2, 0, 0], [0, 2, 3]).await;
}

#[tokio::test]
async fn f17_x08_b18_mru_evicts_the_most_recently_used_entry() {
    check(Policy::Mru, &[], [0, 1, 3]).await;
    check(Policy::Mru, &[0], [1, 2, 3]).await;
    check(Policy::Mru, &[2, 0, 1], [0, 2, 3]).await;
}

async fn x08_mru_keeps_a_part_of_a_cyclic_read(place: &Place) {
    for (policy, hits) in [(Policy::Mru, 11), (Policy::Lru, 0)] {
        let cache = place.bounded(Bound::new(policy).max(3));
        for _ in 0..5 {
            ran(&cache, 0..4).await;
        }
        assert_eq!(cache.stats().snapshot().hits, hits, "{policy}, of 16 after the first round");
    }
}

async fn rr_evicts_any(place: &Place) {
    let mut gone = BTreeSet::new();
    // Each of the three stays a hundred times with a probability of 10⁻¹⁸.
    for _ in 0..100 {
        let cache = place.bounded(Bound::new(Policy::Rr).max(3));
        ran(&cache, 0..4).await;
        let kept = kept(&cache, 4).await;
        assert!(kept.len() == 3 && kept.contains(&3), "{kept:?}");
        gone.extend((0..3).filter(|x| !kept.contains(x)));
        cache.clear().await.unwrap();
    }
    assert_eq!(gone.len(), 3);
}

/// Two newcomers in a cache of popular entries: in the original they evict each other forever.
async fn b11_lfu_admits_new_entries(place: &Place) {
    let cache = place.bounded(Bound::new(Policy::Lfu).max(3));
    for _ in 0..50 {
        ran(&cache, 0..3).await;
    }
    for _ in 0..5 {
        ran(&cache, [10, 11]).await;
    }
    assert_eq!(cache.stats().snapshot().misses, 3 + 2, "each of the newcomers once");
}

/// The server's clock was 1 h ahead when 0, 1 and 2 were stored, and has been set back.
#[tokio::test]
async fn b19_order_survives_a_clock_that_is_set_back() {
    let redis = Redis::start().await;
    for (policy, expect) in [(Policy::LruT, [0, 3, 4]), (Policy::FifoT, [2, 3, 4])] {
        let place = Place::redis(patient(&redis.url()));
        let cache = place.bounded(Bound::new(policy).max(3));
        ran(&cache, 0..3).await;
        let order = redis.cli(&["KEYS", &format!("*{policy}}}:0")]).await;
        for x in 0..3 {
            let field = cache.key(f(x)).unwrap();
            assert_ne!(redis.cli(&["ZINCRBY", &order, "3.6e9", field.as_str()]).await, "");
        }
        assert_eq!(redis.cli(&["ZCARD", &order]).await, "3", "no field of the test's own");
        ran(&cache, [0, 3, 4]).await;
        assert_eq!(kept(&cache, 5).await, expect, "{policy}");
    }
}
