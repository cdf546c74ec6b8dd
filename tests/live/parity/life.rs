//! The lifetime of entries.

use std::time::Duration;

use mrc::errors::TtlError;
use mrc::{Cache, Error, Spec, Ttl};
use mrc_tests::Redis;

use super::support::*;

tests!(
    on_every_store,
    d59_d81_d114_an_entry_ends_and_is_computed_again,
    d67_r14_the_ttl_of_the_cache_of_a_call_and_of_a_missing_key,
    r14_a_ttl_of_zero_is_refused,
    x04_long_and_short_lives_under_one_tag_in_both_orders,
);

/// A TTL that a test waits for. Expiry on Redis takes real time.
const SHORT: Duration = Duration::from_millis(40);

async fn gone(cache: &Cache, name: &str) {
    until(async || !cache.contains(name).await.unwrap()).await;
}

async fn d59_d81_d114_an_entry_ends_and_is_computed_again(place: &Place) {
    let cache = place.cache();
    let call = || runs(&cache, Spec::of("f").ttl(SHORT));
    assert!(call().await);
    gone(&cache, "f").await;
    assert_eq!((cache.len().await.unwrap(), cache.get::<()>("f").await.unwrap()), (0, None));
    assert!(call().await);
}

async fn d67_r14_the_ttl_of_the_cache_of_a_call_and_of_a_missing_key(place: &Place) {
    let cache = place.builder("app").ttl(600).build().unwrap();
    let left = async |name: &str| cache.ttl(name).await.unwrap().map(|left| left.as_secs());
    cache.set("default", &1).await.unwrap();
    runs(&cache, "computed").await;
    cache.set(Spec::of("own").ttl(60), &1).await.unwrap();
    cache.set(Spec::of("tagged").ttl(60).tag("t"), &1).await.unwrap();
    assert!(matches!(left("default").await, Some(590..=600)) && matches!(left("computed").await, Some(590..=600)));
    assert!(matches!(left("own").await, Some(50..=60)) && matches!(left("tagged").await, Some(50..=60)));
    assert_eq!(left("missing").await, None);
}

/// In other libraries a TTL of zero is none, and such an entry never expires.
async fn r14_a_ttl_of_zero_is_refused(place: &Place) {
    let cache = place.cache();
    let zero = || Spec::of("f").ttl(0);
    assert!(matches!(cache.set(zero(), &1).await, Err(Error::Ttl(TtlError::Zero))));
    let call = cache.get_or_try(zero(), async || -> Result<u32, Error> { panic!("nothing runs") });
    assert!(matches!(call.await, Err(Error::Ttl(_))));
    assert!(runs(&cache, zero()).await && runs(&cache, zero()).await, "a function that can't fail is run");
    let builder = place.builder("app").ttl(Ttl::from(Duration::ZERO));
    assert!(matches!(builder.build(), Err(Error::Ttl(_))));
}

async fn x04_long_and_short_lives_under_one_tag_in_both_orders(place: &Place) {
    let cache = place.cache();
    let lives = [("long", HOUR), ("short", SHORT)];
    for order in [[0, 1], [1, 0]] {
        for at in order {
            let (name, life) = lives[at];
            cache.set(Spec::of(name).ttl(life).tag("t"), &1).await.unwrap();
        }
        gone(&cache, "short").await;
        assert_eq!(cache.invalidate(tag("t")).await.unwrap(), 1);
        assert!(!cache.contains("long").await.unwrap());
    }
}

#[tokio::test]
async fn d55_d61_nothing_is_kept_for_ever_and_an_index_as_long_as_its_entries() {
    let redis = Redis::start().await;
    let cache = Place::redis(patient(&redis.url())).cache();
    for (name, life) in [("a", 60), ("b", 7_200), ("c", 60)] {
        cache.set(Spec::of(name).ttl(life).tag("t"), &1).await.unwrap();
        runs(&cache, Spec::of(format!("f{name}")).ttl(life).tag("t")).await;
        cache.set(Spec::of(format!("plain {name}")).ttl(life), &1).await.unwrap();
    }
    let keys = redis.cli(&["KEYS", "*"]).await;
    let lives = lives_of(&redis, &keys).await;
    assert!(lives.iter().any(|(key, left)| key.contains("mrc:t:") && *left > 7_100_000), "{lives:?}");
}

async fn lives_of<'a>(redis: &Redis, keys: &'a str) -> Vec<(&'a str, u64)> {
    let mut lives = Vec::new();
    // The clock is one number, however many entries there are.
    for key in keys.lines() {
        let left = redis.cli(&["PTTL", key]).await.trim().parse::<i64>().unwrap();
        let left = u64::try_from(left).unwrap_or_else(|_| panic!("{key} has no end"));
        lives.push((key, left));
    }
    lives
}
