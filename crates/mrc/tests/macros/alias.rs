//! The return type decides, not its name: an alias of `Result` or `Option` counts.

use mrc::{Cache, cached, invalidates};
use serde::{Deserialize, Serialize};

use super::{Failure, Runs, cache};

type ApiResult<T> = Result<T, Failure>;
type Api = Result<usize, Failure>;
type Maybe<T> = Option<T>;
type Found = ApiResult<Maybe<usize>>;
type Kept<T> = Result<T, Reason>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Reason {
    Gone,
    Busy,
}

#[cached(cache = cache, key(id))]
async fn by_alias(cache: &Cache, runs: &Runs, id: usize) -> ApiResult<usize> {
    if runs.run() < 3 { Err(Failure::Failed) } else { Ok(id) }
}

#[cached(cache = cache, key(id))]
async fn by_name(cache: &Cache, runs: &Runs, id: usize) -> Api {
    if runs.run() < 3 { Err(Failure::Failed) } else { Ok(id) }
}

#[tokio::test]
async fn errors_behind_an_alias_are_not_cached() {
    let (cache, runs, others) = (cache(), Runs::default(), Runs::default());
    for _ in 0..2 {
        assert_eq!(by_alias(&cache, &runs, 7).await, Err(Failure::Failed));
        assert_eq!(by_name(&cache, &others, 7).await, Err(Failure::Failed));
    }
    for _ in 0..2 {
        assert_eq!((by_alias(&cache, &runs, 7).await, by_name(&cache, &others, 7).await), (Ok(7), Ok(7)));
    }
    assert_eq!((runs.count(), others.count()), (3, 3));
}

#[tokio::test]
async fn the_companion_of_an_alias_has_its_type_and_holds_the_ok() {
    let (cache, runs) = (cache(), Runs::default());
    let entry = by_alias_entry(&cache, 7);
    assert_eq!(entry.get().await.unwrap(), None);
    assert!(matches!(entry.set(&Err(Failure::Failed)).await, Err(mrc::Error::Encode(_))));
    assert!(entry.set(&Ok(8)).await.unwrap());
    assert_eq!(entry.get().await.unwrap(), Some(Ok(8)));
    assert_eq!((by_alias(&cache, &runs, 7).await, runs.count()), (Ok(8), 0));
    assert!(entry.remove().await.unwrap());
}

#[cached(cache = cache, key(id), skip_none)]
async fn maybe(cache: &Cache, runs: &Runs, id: Option<usize>) -> Maybe<usize> {
    runs.run();
    id
}

#[cached(cache = cache, key(id), skip_none)]
async fn found(cache: &Cache, runs: &Runs, id: Option<usize>) -> Found {
    runs.run();
    Ok(id)
}

#[tokio::test]
async fn nothing_behind_an_alias_is_skipped() {
    let (cache, runs, others) = (cache(), Runs::default(), Runs::default());
    for id in [None, None, Some(1), Some(1)] {
        assert_eq!((maybe(&cache, &runs, id).await, found(&cache, &others, id).await), (id, Ok(id)));
    }
    assert_eq!((runs.count(), others.count()), (3, 3));
}

#[cached(cache = cache, key(id), cache_err(Reason::Gone), err_ttl = 60)]
async fn kept(cache: &Cache, runs: &Runs, id: u8) -> Kept<u8> {
    runs.run();
    match id {
        0 => Err(Reason::Gone),
        1 => Err(Reason::Busy),
        _ => Ok(id),
    }
}

#[tokio::test]
async fn errors_behind_an_alias_are_cached_where_they_match() {
    let (cache, runs) = (cache(), Runs::default());
    let ran = async |id| {
        let before = runs.count();
        let twice = (kept(&cache, &runs, id).await, kept(&cache, &runs, id).await);
        assert_eq!(twice.0, twice.1);
        runs.count() - before
    };
    assert_eq!((ran(0).await, ran(1).await, ran(2).await), (1, 2, 1));
    assert_eq!(kept_entry(&cache, 0).get().await.unwrap(), Some(Err(Reason::Gone)));
}

#[invalidates(entry(by_alias_entry(cache, id)))]
async fn write(cache: &Cache, id: usize, fails: bool) -> ApiResult<()> {
    if fails { Err(Failure::Failed) } else { Ok(()) }
}

#[tokio::test]
async fn an_invalidation_may_return_an_alias() {
    let cache = cache();
    by_alias_entry(&cache, 7).set(&Ok(8)).await.unwrap();
    assert_eq!(write(&cache, 7, true).await, Err(Failure::Failed));
    assert!(by_alias_entry(&cache, 7).get().await.unwrap().is_some());
    assert_eq!(write(&cache, 7, false).await, Ok(()));
    assert_eq!(by_alias_entry(&cache, 7).get().await.unwrap(), None);
}
