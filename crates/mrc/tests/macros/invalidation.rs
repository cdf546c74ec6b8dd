//! Invalidations by `#[invalidates]`, and the tags of nested calls.

use mrc::{Cache, Tag, cached, invalidates};

use crate::results::{maybe, maybe_entry};
use crate::{Failure, Runs, cache, feed, feed_entry};

#[cached(cache = cache, key(user_id), tags("list"))]
async fn outer(cache: &Cache, runs: &Runs, inner: &Runs, user_id: u64) -> Result<String, Failure> {
    runs.run();
    Ok(format!("outer of {}", feed(cache, inner, user_id, None).await?))
}

#[tokio::test]
async fn the_tags_of_a_nested_call_reach_the_outer_entry() {
    let (cache, outers, inners) = (cache(), Runs::default(), Runs::default());
    let call = async || {
        outer(&cache, &outers, &inners, 1).await.unwrap();
        (outers.count(), inners.count())
    };
    assert_eq!((call().await, call().await), ((1, 1), (1, 1)));
    cache.invalidate(Tag::new("list")).await.unwrap();
    assert_eq!(call().await, (2, 1), "the inner one is hit, and its tags come along");
    cache.invalidate(Tag::new("user:1")).await.unwrap();
    assert_eq!(call().await, (3, 2));
}

#[invalidates(cache = cache, tags("user:{user_id}", name.as_str()))]
pub(crate) async fn rename(cache: &Cache, user_id: u64, name: String, fails: bool) -> Result<usize, Failure> {
    let name = name.into_bytes();
    if fails { Err(Failure::Failed) } else { Ok(name.len()) }
}

#[invalidates(cache = cache, all_tags("user:{user_id}", "users"), entry(maybe_entry(cache, id), maybe_entry(cache, id + 1)))]
async fn remove(cache: &Cache, user_id: u64, id: u8) -> Result<(), Failure> {
    Ok(())
}

#[invalidates(entry(maybe_entry(cache, id)))]
async fn broken(cache: &Cache, id: u8) -> Result<(), Failure> {
    cache.close().await;
    Ok(())
}

#[tokio::test]
async fn an_invalidation_runs_only_after_success() {
    let (cache, runs) = (cache(), Runs::default());
    let call = async |user| {
        feed(&cache, &runs, user, None).await.unwrap();
        runs.count()
    };
    assert_eq!((call(1).await, call(2).await), (1, 2));
    assert_eq!(rename(&cache, 1, "Ann".into(), true).await, Err(Failure::Failed));
    assert_eq!(call(1).await, 2);
    assert_eq!(rename(&cache, 1, "Ann".into(), false).await, Ok(3));
    assert_eq!((call(1).await, call(2).await), (3, 3));
}

#[tokio::test]
async fn an_invalidation_may_be_of_all_tags_and_of_entries() {
    let (cache, runs) = (cache(), Runs::default());
    feed(&cache, &runs, 1, None).await.unwrap();
    feed(&cache, &runs, 2, None).await.unwrap();
    for id in 1..=3 {
        maybe(&cache, &runs, id).await;
    }
    remove(&cache, 1, 1).await.unwrap();
    assert_eq!(feed_entry(&cache, 1, None).get().await.unwrap(), None);
    assert!(feed_entry(&cache, 2, None).get().await.unwrap().is_some());
    let left = [1, 2, 3].map(|id| maybe_entry(&cache, id));
    assert_eq!([left[0].get().await.unwrap(), left[1].get().await.unwrap()], [None, None]);
    assert_eq!(left[2].get().await.unwrap(), Some(None));
}

#[tokio::test]
async fn an_invalidation_that_fails_is_reported() {
    let cache = cache();
    let outcome = broken(&cache, 1).await;
    assert!(matches!(outcome, Err(Failure::Cache(_))), "{outcome:?}");
}
