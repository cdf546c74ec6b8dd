//! The lifetime of entries, and of their structure.

use std::time::Duration;

use mrc::store::{Fixed, Lifetime, Sliding};
use mrc::{Bound, Cache, Policy};
use mrc_tests::Redis;

use crate::parity::support::*;

tests!(
    on_every_bound,
    f50_a_sliding_life_ends_without_calls,
    f51_b7_a_fixed_life_ends_for_all_though_they_are_asked_all_the_time,
    b7_a_sliding_life_does_not_keep_a_value_beyond_its_ttl,
    f52_b7_each_entry_ends_by_its_own_ttl,
    x09_b8_b9_expired_entries_leave_no_ghosts,
);

/// A TTL that a test waits for. Expiry on Redis takes real time.
const SHORT: Duration = Duration::from_millis(40);

/// Returns the TTL of an entry, and so of its structure.
async fn left(cache: &Cache, x: u32) -> Duration {
    cache.ttl(f(x)).await.unwrap().unwrap_or_default()
}

/// Waits longer than a step of the test may take. Returns the TTL that is left.
async fn some_of_it_has_passed(cache: &Cache) -> Duration {
    let begun = left(cache, 0).await;
    until(async || left(cache, 0).await < begun.saturating_sub(SHORT)).await;
    left(cache, 0).await
}

async fn gone(cache: &Cache, x: u32) {
    until(async || !cache.contains(f(x)).await.unwrap()).await;
}

/// In memory to the millisecond: a use raises the TTL, however long the use takes.
#[tokio::test]
async fn f50_f51_lives_of_structures_in_memory() {
    for bound in bounds() {
        let sliding = Place::memory().bounded(bound.clone().ttl(Sliding(60)));
        ran(&sliding, 0..2).await;
        for used in [0, 1, 2] {
            let low = some_of_it_has_passed(&sliding).await;
            until(async || {
                ran(&sliding, [used]).await;
                left(&sliding, 0).await > low
            })
            .await;
        }
        let fixed = Place::memory().bounded(bound.clone().ttl(Fixed(60)));
        ran(&fixed, 0..2).await;
        let low = some_of_it_has_passed(&fixed).await;
        assert_eq!(ran(&fixed, 0..3).await, [2]);
        assert!(left(&fixed, 0).await <= low && left(&fixed, 2).await <= low, "{bound:?}");
    }
}

async fn f50_a_sliding_life_ends_without_calls(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.ttl(Sliding(SHORT)));
    assert_eq!(ran(&cache, [0]).await, [0]);
    gone(&cache, 0).await;
    assert_eq!((cache.len().await.unwrap(), ran(&cache, [0]).await), (0, vec![0]));
}

async fn f51_b7_a_fixed_life_ends_for_all_though_they_are_asked_all_the_time(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.ttl(Fixed(SHORT)));
    assert_eq!(ran(&cache, 0..2).await, [0, 1]);
    for x in 0..2 {
        until(async || cache.get::<()>(f(x)).await.unwrap().is_none()).await;
    }
    assert_eq!((cache.len().await.unwrap(), ran(&cache, [0]).await), (0, vec![0]));
}

/// On Redis nobody waits: the test cuts the structure's TTL from outside.
#[tokio::test]
async fn f50_f51_lives_of_structures_on_redis() {
    let redis = Redis::start().await;
    for bound in bounds() {
        for (lifetime, slides) in [(Lifetime::from(Sliding(3_600)), true), (Fixed(3_600).into(), false)] {
            let place = Place::redis(patient(&redis.url()));
            let cache = place.builder("app").ttl(7_200).bound(bound.clone().ttl(lifetime)).build().unwrap();
            ran(&cache, 0..2).await;
            let left = async || cache.ttl(f(0)).await.unwrap().unwrap().as_secs();
            assert!((3_000..=3_600).contains(&left().await), "the structure's, and not the entry's");
            let cut = async || {
                for key in redis.cli(&["KEYS", "*{app:*"]).await.lines() {
                    assert_eq!(redis.cli(&["EXPIRE", key, "600"]).await, "1");
                }
                assert!(left().await <= 600);
            };
            cut().await;
            assert!(ran(&cache, [0]).await.is_empty());
            assert_eq!(left().await > 600, slides, "a hit, {bound:?}, {lifetime:?}");
            cut().await;
            assert_eq!(ran(&cache, [2]).await, [2]);
            assert_eq!(left().await > 600, slides, "a newcomer, {bound:?}, {lifetime:?}");
            // All parts must have the TTL, because a part alone is worthless.
            for key in redis.cli(&["KEYS", "*{app:*"]).await.lines() {
                let left: i64 = redis.cli(&["TTL", key]).await.trim().parse().unwrap();
                assert_eq!((left > 600, left > 0), (slides, true), "{key}");
            }
            cache.clear().await.unwrap();
        }
    }
}

/// A value that is requested all the time may be as old as its TTL allows.
async fn b7_a_sliding_life_does_not_keep_a_value_beyond_its_ttl(place: &Place, bound: Bound) {
    for bound in [bound.clone().ttl(Sliding(HOUR)), bound.clone().ttl(Fixed(HOUR)), bound.clone()] {
        let cache = place.bounded(bound);
        assert!(runs(&cache, f(0).ttl(SHORT)).await);
        until(async || cache.get::<()>(f(0)).await.unwrap().is_none()).await;
        assert!(runs(&cache, f(0)).await);
        cache.clear().await.unwrap();
    }
}

async fn f52_b7_each_entry_ends_by_its_own_ttl(place: &Place, bound: Bound) {
    let cache = place.bounded(bound.max(8));
    // In this order the first expires before the second, however long a step takes.
    for (x, ttl) in [(2, SHORT), (1, SHORT * 5), (0, HOUR)] {
        assert!(runs(&cache, f(x).ttl(ttl)).await);
    }
    gone(&cache, 1).await;
    assert_eq!((kept(&cache, 3).await, cache.len().await.unwrap()), (vec![0], 1));
    assert_eq!(ran(&cache, 0..3).await, [1, 2]);
}

/// Redis 7.0 expires no fields. Expired entries aren't counted, and make room before good ones.
async fn x09_b8_b9_expired_entries_leave_no_ghosts(place: &Place, bound: Bound) {
    let (cache, clock) = (place.bounded(bound.max(4)), place.namespace("clock"));
    let three_have_ended = async || {
        for (x, ttl) in [(0, HOUR), (1, SHORT), (2, SHORT), (3, SHORT)] {
            assert!(runs(&cache, f(x).ttl(ttl)).await);
        }
        // No call has read them since.
        assert!(runs(&clock, f(0).ttl(SHORT * 2)).await);
        gone(&clock, 0).await;
    };
    three_have_ended().await;
    assert_eq!((cache.len().await.unwrap(), cache.clear().await.unwrap()), (1, 1));
    three_have_ended().await;
    assert_eq!(ran(&cache, [4, 5, 6]).await, [4, 5, 6]);
    assert_eq!((cache.len().await.unwrap(), kept(&cache, 7).await), (4, vec![0, 4, 5, 6]));
    assert_eq!(cache.stats().snapshot().evicted, 0);
}

#[tokio::test]
async fn a_default_life_is_that_of_the_longest_entry() {
    assert_eq!(Lifetime::default(), Lifetime::Entries);
    let cache = Place::shared().await.bounded(Bound::new(Policy::Lru));
    for (x, ttl) in [(0, 7_200), (1, 60)] {
        assert!(runs(&cache, f(x).ttl(ttl)).await);
    }
    let left = [cache.ttl(f(0)).await.unwrap().unwrap(), cache.ttl(f(1)).await.unwrap().unwrap()];
    assert!((7_000..=7_200).contains(&left[0].as_secs()) && left[1].as_secs() <= 60, "{left:?}");
}
