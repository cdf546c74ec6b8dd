//! Functions that fail, and values that can't be encoded.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use mrc::Error;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::support::*;

tests!(
    on_every_store,
    d87_errors_are_not_cached,
    d86_d115_an_error_that_is_part_of_the_value_is_cached,
    each_of_many_callers_gets_an_error_of_its_own_type,
    x12_a_value_that_cannot_be_written_is_returned,
    x12_a_value_that_is_too_large_is_returned,
    x12_a_value_that_reads_back_as_another_is_returned_as_it_was,
);

#[derive(Debug, PartialEq)]
enum Failure {
    NotFound(u32),
    Cache(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Cache(error.to_string())
    }
}

async fn d87_errors_are_not_cached(place: &Place) {
    let cache = place.cache();
    for id in 0..3 {
        let outcome = cache.get_or_try("f", async || Err::<u32, _>(Failure::NotFound(id))).await;
        assert_eq!(outcome, Err(Failure::NotFound(id)));
        assert_eq!(place.heard.take(), ["miss app:f", &format!("failed app:f NotFound({id})")]);
    }
    assert_eq!((cache.len().await.unwrap(), cache.contains("f").await.unwrap()), (0, false));
    assert_eq!(cache.get_or_try("f", async || Ok::<_, Failure>(7)).await, Ok(7));
}

async fn d86_d115_an_error_that_is_part_of_the_value_is_cached(place: &Place) {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct NotFound {
        id: u32,
    }
    let (cache, run) = (place.cache(), AtomicU32::new(0));
    let find = || {
        cache.get_or("find", async || {
            run.fetch_add(1, Ordering::SeqCst);
            Err::<String, _>(NotFound { id: 7 })
        })
    };
    for _ in 0..3 {
        assert_eq!(find().await, Err(NotFound { id: 7 }));
    }
    assert_eq!(run.load(Ordering::SeqCst), 1);
}

/// Others receive the text of an error, and each caller acts on its own error.
async fn each_of_many_callers_gets_an_error_of_its_own_type(place: &Place) {
    let (cache, gate) = (place.cache(), Semaphore::new(0));
    let gate = &gate;
    let call = |id| {
        cache.get_or_try("f", move || async move {
            gate.acquire().await.unwrap().forget();
            Err::<u32, _>(Failure::NotFound(id))
        })
    };
    let open = async {
        until(async || place.heard.has("miss app:f")).await;
        gate.add_permits(100);
    };
    let (outcomes, ()) = tokio::join!(join_all((0..20).map(call)), open);
    for (id, outcome) in (0..).zip(outcomes) {
        assert_eq!(outcome, Err(Failure::NotFound(id)));
    }
    assert_eq!(cache.len().await.unwrap(), 0);
}

async fn x12_a_value_that_cannot_be_written_is_returned(place: &Place) {
    let cache = place.cache();
    for _ in 0..2 {
        let ran = AtomicU32::new(0);
        let made = async || {
            ran.fetch_add(1, Ordering::SeqCst);
            Unwritable(7)
        };
        assert_eq!(cache.get_or("a", made).await, Unwritable(7));
        assert_eq!(cache.get_or_try("b", async || Ok::<_, Failure>(made().await)).await, Ok(Unwritable(7)));
        assert_eq!(ran.load(Ordering::SeqCst), 2, "each once");
    }
    assert_eq!(cache.len().await.unwrap(), 0);
    assert!(matches!(cache.set("a", &Unwritable(7)).await, Err(Error::Encode(_))));
    // No scope is left, nor a claim that others would wait for.
    assert_eq!(mrc::scope::key(), None);
    assert!(runs(&cache, "a").await && !runs(&cache, "a").await);
}

async fn x12_a_value_that_is_too_large_is_returned(place: &Place) {
    let cache = place.builder("app").max_value(10).build().unwrap();
    let long = || "x".repeat(20);
    assert_eq!(cache.get_or("f", async || long()).await, long());
    assert!(place.heard.has("bypassed app:f too_large"));
    assert!(!cache.contains("f").await.unwrap());
}

async fn x12_a_value_that_reads_back_as_another_is_returned_as_it_was(place: &Place) {
    let cache = place.cache();
    for _ in 0..2 {
        // JSON has no NaN.
        assert!(cache.get_or("f", async || f64::NAN).await.is_nan());
    }
}
