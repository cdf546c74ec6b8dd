//! A running function reads and changes its entry's settings.

use std::time::Duration;

use mrc::{Spec, scope};

use super::support::*;

tests!(
    on_every_store,
    d30_d31_d34_d36_d40_d45_a_function_sees_its_key_its_tags_and_those_of_its_calls,
    d33_d38_tags_are_the_stores_and_of_no_one_cache,
    d50_d51_a_function_sets_its_ttl,
    a_function_keeps_its_result_out_of_the_cache,
);

#[tokio::test]
async fn d32_d35_d37_d39_outside_of_a_computation_the_scope_is_empty() {
    scope::tag("t");
    scope::set_ttl(1);
    scope::skip();
    assert_eq!((scope::key(), scope::current_tags()), (None, vec![]));
    let cache = Place::memory().cache();
    assert!(runs(&cache, "a").await && !runs(&cache, "a").await, "what was said before isn't said of this");
    assert_eq!(cache.ttl("a").await.unwrap().map(|left| left.as_secs() > 1), Some(true));
    assert_eq!((scope::key(), scope::current_tags()), (None, vec![]));
}

async fn d30_d31_d34_d36_d40_d45_a_function_sees_its_key_its_tags_and_those_of_its_calls(place: &Place) {
    let cache = place.cache();
    let inner = async || {
        runs_with(&cache, Spec::of("inner").tag("i0"), async || {
            assert_eq!(scope::current_tags(), [""; 0].map(tag), "it doesn't see its caller's");
            scope::tags(["i2", "i1", "i1"]);
            assert_eq!(scope::key().as_deref(), Some("app:inner"));
            assert_eq!(scope::current_tags(), ["i1", "i2"].map(tag));
        })
        .await
    };
    let outer = async || {
        runs_with(&cache, "outer", async || {
            assert_eq!((scope::key().as_deref(), scope::current_tags()), (Some("app:outer"), vec![]));
            scope::tag("o");
            assert!(inner().await);
            assert_eq!(scope::key().as_deref(), Some("app:outer"));
            assert_eq!(scope::current_tags(), ["i0", "i1", "i2", "o"].map(tag));
        })
        .await
    };
    assert!(outer().await);
    assert_eq!(cache.invalidate(tag("o")).await.unwrap(), 1, "the inner one hasn't its caller's tags");
    assert!(!inner().await);
    assert_eq!(cache.invalidate(tag("i0")).await.unwrap(), 1);
}

async fn d33_d38_tags_are_the_stores_and_of_no_one_cache(place: &Place) {
    let (users, posts) = (place.namespace("users"), place.namespace("posts"));
    runs_with(&users, "a", async || {
        runs_with(&posts, "b", async || scope::tag("post:1")).await;
        scope::tag("user:1");
    })
    .await;
    assert_eq!(posts.invalidate(tag("user:1")).await.unwrap(), 1);
    assert!(!users.contains("a").await.unwrap() && posts.contains("b").await.unwrap());
    runs_with(&users, "a", async || assert!(!runs(&posts, "b").await)).await;
    assert_eq!(users.invalidate(tag("post:1")).await.unwrap(), 2);
}

async fn d50_d51_a_function_sets_its_ttl(place: &Place) {
    let cache = place.cache();
    let left = async |name: &str| cache.ttl(name).await.unwrap().unwrap();
    runs_with(&cache, Spec::of("outer").ttl(60), async || {
        runs_with(&cache, Spec::of("inner").ttl(60), async || scope::set_ttl(HOUR)).await;
    })
    .await;
    assert!(left("inner").await > HOUR / 2 && left("outer").await <= Duration::from_secs(60));
    // A TTL that can't be used is ignored.
    runs_with(&cache, Spec::of("zero").ttl(60), async || scope::set_ttl(0)).await;
    assert!(left("zero").await > Duration::from_secs(30));
}

async fn a_function_keeps_its_result_out_of_the_cache(place: &Place) {
    let cache = place.cache();
    for _ in 0..2 {
        assert!(runs_with(&cache, "a", async || scope::skip()).await);
        assert!(place.heard.has("bypassed app:a skipped"));
    }
    assert!(!cache.contains("a").await.unwrap());
    // The skip applies to the inner entry alone.
    runs_with(&cache, "outer", async || _ = runs_with(&cache, "a", async || scope::skip()).await).await;
    assert!(cache.contains("outer").await.unwrap());
}
