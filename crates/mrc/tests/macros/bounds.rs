//! Tests `#[cached(bound = …)]`.

use mrc::{Bound, Cache, Policy, cached};

use super::{Failure, Runs, cache};

#[cached(cache = cache, key(id), bound = Bound::new(Policy::Lru).max(2))]
async fn thumb(cache: &Cache, runs: &Runs, id: u8) -> usize {
    runs.run() + usize::from(id)
}

#[cached(cache = cache, key(id), bound = Bound::new(Policy::Lru).max(2), tags("thumbs"))]
async fn poster(cache: &Cache, runs: &Runs, id: u8) -> Result<usize, Failure> {
    Ok(runs.run() + usize::from(id))
}

#[cached(cache = cache, key(), bound = Bound::new(Policy::Lru).max(max))]
async fn sized(cache: &Cache, runs: &Runs, max: usize) -> Result<usize, Failure> {
    Ok(runs.run() + max)
}

#[tokio::test]
async fn a_function_has_a_bound_of_its_own() {
    let (cache, thumbs, posters) = (cache(), Runs::default(), Runs::default());
    for id in [0, 1, 0, 2] {
        thumb(&cache, &thumbs, id).await;
        poster(&cache, &posters, id).await.unwrap();
    }
    assert_eq!((thumbs.count(), posters.count()), (3, 3));
    assert_eq!(thumb_entry(&cache, 0).get().await.unwrap(), Some(1));
    assert_eq!(thumb_entry(&cache, 1).get().await.unwrap(), None, "it was used least recently");
    assert_eq!(poster_entry(&cache, 2).get().await.unwrap(), Some(5));
    assert_eq!(cache.bounded(Bound::new(Policy::Lru).max(2).per_function()).unwrap().len().await.unwrap(), 4);
    assert_eq!(cache.invalidate(mrc::Tag::new("thumbs")).await.unwrap(), 2, "tags belong to the store");
    assert_eq!(cache.stats().snapshot().evicted, 2);
    cache.clear().await.unwrap();
    assert_eq!(thumb_entry(&cache, 2).get().await.unwrap(), None, "it is a part of the cache");
}

#[tokio::test]
async fn a_bound_of_zero_entries_fails_at_the_call() {
    let (cache, runs) = (cache(), Runs::default());
    let Err(Failure::Cache(error)) = sized(&cache, &runs, 0).await else { panic!("there is no room for one entry") };
    assert!(error.contains(".max(1_000)"), "{error}");
    assert_eq!(runs.count(), 0, "nothing is run");
    assert_eq!(sized(&cache, &runs, 1).await, Ok(2));
    assert!(sized_entry(&cache, 0).get().await.is_err());
}
