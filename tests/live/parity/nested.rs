//! Functions that call functions: an invalidation of the inner entry reaches the outer one.

use std::sync::Arc;

use futures_util::future::join;
use mrc::{Cache, Error, Spec, scope};
use tokio::sync::Semaphore;

use super::support::*;

tests!(
    on_every_store,
    d89_d91_d119_an_inner_tag_reaches_the_outer_entry_and_not_the_other_way,
    d90_an_invalidation_ends_at_its_store,
    x03_nested_hit_propagates_tags,
    x03_a_value_that_is_looked_at_gives_its_tags,
    x03_a_value_that_is_not_stored_gives_its_tags,
    x03_spawned_work_belongs_to_the_scope_only_with_scope_spawn,
    x03_a_value_that_another_caller_computed_gives_its_tags,
    x03_no_entry_is_computed_from_a_value_with_lost_tags,
);

/// A user's `feed` reads a `post`. Returns which of them ran.
async fn feed(feeds: &Cache, posts: &Cache) -> (bool, bool) {
    let mut inner = false;
    let post = async || {
        inner = runs_with(posts, "post(123)", async || scope::tag("post:123")).await;
    };
    let outer = runs_with(feeds, Spec::of("feed").tag("user:1"), post).await;
    (outer, inner)
}

async fn d89_d91_d119_an_inner_tag_reaches_the_outer_entry_and_not_the_other_way(place: &Place) {
    let cache = place.cache();
    assert_eq!(feed(&cache, &cache).await, (true, true));
    assert_eq!(feed(&cache, &cache).await, (false, false));
    assert_eq!(cache.invalidate(tag("user:1")).await.unwrap(), 1);
    assert_eq!(feed(&cache, &cache).await, (true, false));
    assert_eq!(cache.invalidate(tag("post:123")).await.unwrap(), 2);
    assert_eq!(feed(&cache, &cache).await, (true, true));
}

async fn d90_an_invalidation_ends_at_its_store(place: &Place) {
    let (here, there) = (place.cache(), Place::memory().cache());
    assert_eq!(feed(&here, &there).await, (true, true));
    // The outer entry inherited the tags. An invalidation here changes nothing there.
    assert_eq!(here.invalidate(tag("post:123")).await.unwrap(), 1);
    assert!(there.contains("post(123)").await.unwrap());
    assert_eq!(there.invalidate(tag("user:1")).await.unwrap(), 0);
    assert_eq!(there.invalidate(tag("post:123")).await.unwrap(), 1);
}

async fn x03_nested_hit_propagates_tags(place: &Place) {
    let cache = place.cache();
    tags_are_passed_on(&cache, &cache, "one cache").await;
}

/// Calls an inner function in one cache and an outer one in another, each warm before the next.
pub(super) async fn tags_are_passed_on(inner: &Cache, outer: &Cache, names: &str) {
    let leaf = async || runs_with(inner, Spec::of("leaf").tag("spec"), async || scope::tag("said")).await;
    let middle = async || runs_with(outer, "middle", async || _ = leaf().await).await;
    let top = async || runs_with(inner, "top", async || _ = middle().await).await;
    for of_the_leaf in ["spec", "said"] {
        assert!(leaf().await && middle().await && top().await, "{names}");
        assert!(!leaf().await && !middle().await && !top().await, "{names}");
        assert_eq!(outer.invalidate(tag(of_the_leaf)).await.unwrap(), 3, "{names}, {of_the_leaf}");
    }
    assert!(top().await && !leaf().await && !middle().await, "{names}");
}

async fn x03_a_value_that_is_looked_at_gives_its_tags(place: &Place) {
    let cache = place.cache();
    cache.set(Spec::of("plain").tag("t"), &1).await.unwrap();
    runs_with(&cache, "outer", async || _ = cache.get::<u32>("plain").await.unwrap()).await;
    assert_eq!(cache.invalidate(tag("t")).await.unwrap(), 2);
}

/// Nothing of the inner call is stored, and still the outer entry depends on it.
async fn x03_a_value_that_is_not_stored_gives_its_tags(place: &Place) {
    let (cache, disabled) = (place.cache(), place.builder("off").enabled(false).build().unwrap());
    let inner = async || _ = runs_with(&disabled, "inner", async || scope::tag("t")).await;
    runs_with(&cache, "disabled", inner).await;
    let skipped = async || {
        scope::skip();
        scope::tag("t");
    };
    runs_with(&cache, "skipped", async || _ = runs_with(&cache, "inner", skipped).await).await;
    let failed = cache.get_or_try("inner", async || {
        scope::tag("t");
        Err::<u32, _>(Error::Config("no".into()))
    });
    runs_with(&cache, "failed", async || assert!(failed.await.is_err())).await;
    let left = cache.invalidate(tag("t")).await.unwrap();
    assert!(!cache.contains("disabled").await.unwrap() && !cache.contains("skipped").await.unwrap());
    // An error has no entry. But what its caller made of it depends on the same data.
    assert_eq!((left, cache.contains("failed").await.unwrap()), (3, false));
}

async fn x03_spawned_work_belongs_to_the_scope_only_with_scope_spawn(place: &Place) {
    let cache = place.cache();
    runs(&cache, Spec::of("warm").tag("hit")).await;
    let part = |cache: Cache, name: &'static str| async move {
        scope::tag(name);
        runs(&cache, "warm").await
    };
    runs_with(&cache, "scoped", async || {
        assert!(!scope::spawn(part(cache.clone(), "scoped")).await.unwrap());
    })
    .await;
    runs_with(&cache, "detached", async || {
        assert!(!tokio::spawn(part(cache.clone(), "detached")).await.unwrap());
    })
    .await;
    assert_eq!(cache.invalidate(tag("detached")).await.unwrap(), 0);
    assert_eq!(cache.invalidate(tag("hit")).await.unwrap(), 2, "warm and scoped");
    runs_with(&cache, "scoped", async || _ = scope::spawn(part(cache.clone(), "scoped")).await.unwrap()).await;
    assert_eq!(cache.invalidate(tag("scoped")).await.unwrap(), 1);
}

async fn x03_a_value_that_another_caller_computed_gives_its_tags(place: &Place) {
    let (cache, gate) = (place.cache(), Arc::new(Semaphore::new(0)));
    let slow = async || {
        scope::tag("t");
        gate.acquire().await.unwrap().forget();
    };
    let leader = runs_with(&cache, "inner", slow);
    let follower = runs_with(&cache, "outer", async || assert!(!runs(&cache, "inner").await));
    let open = async {
        until(async || place.heard.has("miss app:inner") && place.heard.has("miss app:outer")).await;
        tokio::task::yield_now().await;
        gate.add_permits(1);
    };
    assert_eq!(tokio::join!(leader, follower, open), (true, true, ()));
    assert_eq!(cache.invalidate(tag("t")).await.unwrap(), 2);
}

/// A value from outside the cache has no known tags, so an entry that reads it isn't stored.
async fn x03_no_entry_is_computed_from_a_value_with_lost_tags(place: &Place) {
    let cache = place.cache();
    let wrong = async || _ = runs(&cache, Spec::of("inner").tag("t").ttl(0)).await;
    runs_with(&cache, "of a wrong spec", wrong).await;
    let unwritable = async || assert!(cache.get_or(Spec::of("inner").tag("t"), async || f64::NAN).await.is_nan());
    runs_with(&cache, "of what can't be written", unwritable).await;
    for name in ["of a wrong spec", "of what can't be written"] {
        assert!(!cache.contains(name).await.unwrap());
        assert!(place.heard.has(&format!("bypassed app:{name} tags_lost")));
    }
}

/// A follower of a failed leader runs its own function.
#[tokio::test]
async fn x03_nor_from_a_value_computed_after_anothers_error() {
    // In memory no caller can join between a claim and its computation.
    let place = Place::shared().await;
    let cache = place.cache();
    let spec = || Spec::of("inner").tag("t");
    let both = async || {
        let leader = cache.get_or_try(spec(), async || Err::<u32, _>(Error::Shutdown));
        let follower = cache.get_or_try(spec(), async || Ok::<_, Error>(7));
        let (leader, follower) = join(leader, follower).await;
        assert!(leader.is_err() && follower.unwrap() == 7);
        assert!(place.heard.has("followed app:inner"));
    };
    guarded(runs_with(&cache, "outer", both)).await;
    assert!(!cache.contains("outer").await.unwrap());
    assert!(place.heard.has("bypassed app:outer tags_lost"));
}
