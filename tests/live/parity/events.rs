//! A cache's events and counts.

use std::sync::Arc;

use mrc::key::Glob;
use mrc::{Spec, Stats, scope};
use mrc_tests::Redis;

use super::support::*;

tests!(
    on_every_store,
    d11_events_in_order_with_their_fields,
    d77_d79_d80_d96_d103_d117_a_call_emits_a_miss_and_then_a_hit_with_its_arguments,
    r07_statistics_count_and_begin_anew,
    x22_statistics_are_of_one_cache,
    statistics_of_a_task,
);

async fn d11_events_in_order_with_their_fields(place: &Place) {
    let cache = place.cache();
    let heard = || place.heard.take();
    cache.set(Spec::of("a").ttl(60), "v").await.unwrap();
    assert_eq!(heard(), ["filled app:a 3 60s []"]);
    cache.set(Spec::of("a").ttl(60).tags(["t", "s"]), "v").await.unwrap();
    assert_eq!(heard(), [r#"filled app:a 3 60s ["s", "t"]"#]);
    cache.get::<String>("a").await.unwrap();
    cache.get::<String>("b").await.unwrap();
    assert_eq!(heard(), ["hit app:a 3", "miss app:b"]);
    cache.remove("a").await.unwrap();
    cache.remove("a").await.unwrap();
    assert_eq!(heard(), ["removed app:a true", "removed app:a false"]);
    cache.set(Spec::of("a").ttl(60).tag("t"), "v").await.unwrap();
    heard();
    cache.invalidate(tag("t")).await.unwrap();
    cache.invalidate(tag("u")).await.unwrap();
    assert_eq!(heard(), [r#"invalidated ["t"] 1"#, r#"invalidated ["u"] 0"#]);
    cache.set(Spec::of("a").ttl(60), "v").await.unwrap();
    cache.set(Spec::of("b").ttl(60), "v").await.unwrap();
    heard();
    cache.invalidate(Glob::literal("a")).await.unwrap();
    cache.clear().await.unwrap();
    assert_eq!(heard(), ["dropped 1", "dropped 1"]);
}

async fn d77_d79_d80_d96_d103_d117_a_call_emits_a_miss_and_then_a_hit_with_its_arguments(place: &Place) {
    let cache = place.cache();
    let call = || cache.get_or(Spec::of("f").param("x", 1).ttl(60).tag("t"), async || "ok".to_owned());
    assert_eq!(call().await, "ok");
    let key = "app:f(x=1)";
    let expect = [format!("miss {key}"), format!("computed {key}"), format!(r#"filled {key} 4 60s ["t"]"#)];
    assert_eq!(place.heard.take(), expect);
    assert_eq!(call().await, "ok");
    assert_eq!(place.heard.take(), [format!("hit {key} 4")]);
}

#[tokio::test]
async fn d104_without_a_listener() {
    let cache = mrc::Cache::builder(mrc::MemoryStore::new()).namespace("app").build().unwrap();
    assert!(runs(&cache, "f").await && !runs(&cache, "f").await);
    assert_eq!(cache.stats().snapshot().hits, 1);
}

async fn r07_statistics_count_and_begin_anew(place: &Place) {
    let cache = place.cache();
    let counted = || {
        let now = cache.stats().snapshot();
        (now.lookups(), now.hits, now.misses, now.computed, now.fills)
    };
    let expected = [(1, 0, 1, 1, 1), (2, 1, 1, 1, 1), (3, 1, 2, 2, 2), (4, 2, 2, 2, 2)];
    for (name, expect) in ["a", "a", "b", "b"].into_iter().zip(expected) {
        runs(&cache, name).await;
        assert_eq!(counted(), expect);
    }
    assert_eq!(cache.stats().snapshot().hit_ratio(), 0.5);
    cache.remove("none").await.unwrap();
    cache.invalidate(tag("none")).await.unwrap();
    assert_eq!(cache.stats().snapshot().invalidated, 0, "nothing went");
    cache.remove("a").await.unwrap();
    cache.clear().await.unwrap();
    assert_eq!(cache.stats().snapshot().invalidated, 2);
    let before = cache.stats().reset();
    assert_eq!((before.hits, before.invalidated, counted()), (2, 2, (0, 0, 0, 0, 0)));
}

async fn x22_statistics_are_of_one_cache(place: &Place) {
    let (one, other) = (place.cache(), place.cache());
    runs(&one, "f").await;
    runs(&other, "f").await;
    runs(&other.clone(), "f").await;
    let of = |cache: &mrc::Cache| (cache.stats().snapshot().misses, cache.stats().snapshot().hits);
    assert_eq!((of(&one), of(&other)), ((1, 0), (0, 2)));
    other.stats().reset();
    assert_eq!((of(&one), of(&other)), ((1, 0), (0, 0)));
}

#[tokio::test]
async fn x22_a_first_connect_that_failed_is_tried_again() {
    let redis = Redis::start().await;
    redis.kill().await;
    let cache = Place::redis(impatient(redis.port())).cache();
    assert!(runs(&cache, "f").await && runs(&cache, "f").await);
    redis.restart().await;
    until(async || {
        runs(&cache, "f").await;
        !runs(&cache, "f").await
    })
    .await;
}

async fn statistics_of_a_task(place: &Place) {
    let (one, other) = (place.namespace("one"), place.namespace("other"));
    let [task, part] = std::array::from_fn(|_| Arc::new(Stats::default()));
    let of = |stats: &Stats| (stats.snapshot().misses, stats.snapshot().hits);
    scope::with_stats(&task, async {
        runs(&one, "f").await;
        runs(&other, "f").await;
        let both = [one.clone(), other.clone()];
        let [a, b] = both.map(|cache| async move { runs(&cache, "f").await });
        scope::spawn(a).await.unwrap();
        tokio::spawn(b).await.unwrap();
        assert_eq!(of(&task), (2, 1), "of any cache, and of what belongs to the scope");
        scope::with_stats(&part, async { runs(&one, "f").await }).await;
        assert_eq!(of(&part), (0, 1));
        runs_with(&one, "outer", async || _ = runs(&other, "f").await).await;
    })
    .await;
    runs(&one, "f").await;
    assert_eq!((of(&task).0, of(&part)), (3, (0, 1)));
    // The same counts continue on the second use.
    scope::with_stats(&part, async { runs(&one, "f").await }).await;
    assert_eq!(of(&part), (0, 2));
}
