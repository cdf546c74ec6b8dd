//! Results that are cached, and results that are not.

use std::time::Duration;

use mrc::{Cache, cached};
use serde::{Deserialize, Serialize};

use crate::{Failure, Runs, cache};

#[cached(cache = cache, key(id), tags("id:{id}"))]
pub(crate) async fn maybe(cache: &Cache, runs: &Runs, id: u8) -> Option<u8> {
    runs.run();
    None
}

#[cached(cache = cache, key(id), skip_none)]
async fn some(cache: &Cache, runs: &Runs, id: Option<u8>) -> Option<u8> {
    runs.run();
    Some(id?.max(1))
}

#[cached(cache = cache, key(id), skip_none)]
pub(crate) async fn some_or_fail(cache: &Cache, runs: &Runs, id: Option<u8>) -> Result<Option<u8>, Failure> {
    runs.run();
    Ok(id)
}

#[tokio::test]
async fn none_is_a_value_unless_it_is_skipped() {
    let (cache, runs) = (cache(), Runs::default());
    for _ in 0..2 {
        assert_eq!(maybe(&cache, &runs, 1).await, None);
    }
    assert_eq!(runs.count(), 1);
    assert_eq!(maybe_entry(&cache, 1).get().await.unwrap(), Some(None));
    for _ in 0..2 {
        assert_eq!(some(&cache, &runs, None).await, None);
        assert_eq!(some(&cache, &runs, Some(1)).await, Some(1));
    }
    assert_eq!(runs.count(), 4, "twice without a value, once with one");
    for _ in 0..2 {
        assert_eq!(some_or_fail(&cache, &runs, None).await, Ok(None));
        assert_eq!(some_or_fail(&cache, &runs, Some(1)).await, Ok(Some(1)));
    }
    assert_eq!(runs.count(), 7);
}

#[cached(cache = cache, key(fails))]
async fn fallible(cache: &Cache, runs: &Runs, fails: bool) -> Result<usize, Failure> {
    let run = runs.run();
    if fails {
        return Err(Failure::Failed);
    }
    Ok(run)
}

#[tokio::test]
async fn an_error_is_not_cached() {
    let (cache, runs) = (cache(), Runs::default());
    for _ in 0..2 {
        assert_eq!(fallible(&cache, &runs, true).await, Err(Failure::Failed));
        assert_eq!(fallible(&cache, &runs, false).await, Ok(2));
    }
    assert_eq!(runs.count(), 3);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum HttpError {
    Status(u16),
    Timeout,
}

#[cached(cache = cache, key(answer), ttl = 3600, cache_err(HttpError::Status(code) if *code < 500), err_ttl = Duration::from_secs(60))]
pub(crate) async fn request(cache: &Cache, runs: &Runs, answer: Result<u8, HttpError>) -> Result<u8, HttpError> {
    runs.run();
    let value = answer?;
    Ok(value)
}

#[tokio::test]
async fn errors_that_match_are_cached_as_long_as_they_are_said_to() {
    let (cache, runs) = (cache(), Runs::default());
    let cases = [
        (Ok(1), 1, Some(3600)),
        (Err(HttpError::Status(404)), 1, Some(60)),
        (Err(HttpError::Status(503)), 2, None),
        (Err(HttpError::Timeout), 2, None),
    ];
    for (answer, expected, ttl) in cases {
        let before = runs.count();
        for _ in 0..2 {
            assert_eq!(request(&cache, &runs, answer.clone()).await, answer);
        }
        assert_eq!(runs.count() - before, expected, "{answer:?}");
        let entry = request_entry(&cache, answer.clone());
        assert_eq!(entry.get().await.unwrap(), ttl.map(|_| answer));
        let left = entry.ttl().await.unwrap();
        assert_eq!(left.is_some_and(|left| left > Duration::from_secs(120)), ttl == Some(3600));
        assert_eq!(left.is_some(), ttl.is_some());
    }
}
