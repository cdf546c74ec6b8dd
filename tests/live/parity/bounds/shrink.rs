//! A bound that becomes smaller.

use futures_util::future::join_all;
use mrc::{Bound, Cache, Policy};
use mrc_tests::Redis;

use crate::parity::support::*;

tests!(on_every_bound, x10_a_newcomer_shrinks_the_cache, a_bound_that_becomes_larger_has_more_room,);

const MANY: u32 = 20_000;

async fn fill(cache: &Cache) {
    let all: Vec<u32> = (0..MANY).collect();
    for page in all.chunks(1_000) {
        for stored in join_all(page.iter().map(|x| cache.set(f(*x), x))).await {
            assert!(stored.unwrap());
        }
    }
    assert_eq!(cache.len().await.unwrap(), u64::from(MANY));
}

/// More entries than one script can remove, or one command can take.
#[tokio::test]
async fn x10_b10_from_twenty_thousand_to_ten() {
    let redis = Redis::start().await;
    for bound in [Bound::new(Policy::Lru), Bound::new(Policy::Mru), Bound::new(Policy::Rr).per_function()] {
        for place in [Place::memory(), Place::redis(patient(&redis.url()))] {
            let is_redis = format!("{place:?}") == "Redis";
            fill(&place.bounded(bound.clone().max(MANY as usize))).await;
            let small = place.bounded(bound.clone().max(10));
            assert_eq!(ran(&small, [MANY]).await, [MANY]);
            assert_eq!((small.len().await.unwrap(), small.stats().snapshot().evicted), (10, u64::from(MANY) - 9));
            assert!(small.contains(f(MANY)).await.unwrap(), "{bound:?}: the newcomer isn't itself what goes");
            if is_redis {
                check_parts(&redis, 10).await;
            }
            assert_eq!(small.clear().await.unwrap(), 10);
        }
    }
    assert_eq!(redis.cli(&["KEYS", "*{app:*"]).await, "");
}

/// Checks all parts. An entry without order or expiry, or without a value, would stay forever.
async fn check_parts(redis: &Redis, expect: u32) {
    for (part, expect) in [(0, expect), (1, expect), (2, expect), (3, 0), (4, 0)] {
        let key = redis.cli(&["KEYS", &format!("*{{app:*:{part}")]).await;
        let count = match redis.cli(&["TYPE", &key]).await.as_str() {
            "hash" => "HLEN",
            "zset" => "ZCARD",
            "set" => "SCARD",
            _ if expect == 0 => continue,
            other => panic!("part {part} is {other}"),
        };
        assert_eq!(redis.cli(&[count, &key]).await, expect.to_string(), "part {part}");
    }
}

/// An existing entry needs no room when it is stored anew. The next newcomer shrinks the cache.
async fn x10_a_newcomer_shrinks_the_cache(place: &Place, bound: Bound) {
    ran(&place.bounded(bound.clone().max(50)), 0..50).await;
    let small = place.bounded(bound.max(5));
    assert!(small.set(f(49), &()).await.unwrap() && small.contains(f(49)).await.unwrap());
    assert_eq!(ran(&small, [50]).await, [50]);
    assert_eq!((small.len().await.unwrap(), kept(&small, 51).await.len()), (5, 5));
    assert!(small.contains(f(50)).await.unwrap());
    assert_eq!(small.stats().snapshot().evicted, 46);
}

async fn a_bound_that_becomes_larger_has_more_room(place: &Place, bound: Bound) {
    ran(&place.bounded(bound.clone().max(2)), 0..10).await;
    let large = place.bounded(bound.max(6));
    ran(&large, 10..14).await;
    assert_eq!((large.len().await.unwrap(), large.stats().snapshot().evicted), (6, 0));
}
