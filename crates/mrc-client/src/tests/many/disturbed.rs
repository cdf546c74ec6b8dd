//! Batches whose database or cache fails, is slow, or whose caller leaves.

use std::time::Duration;

use tokio::sync::Semaphore;

use super::super::support::{HOUR, until};
use super::table::*;
use crate::{Error, Source};

const PERMITS: usize = Semaphore::MAX_PERMITS;

#[tokio::test]
async fn a_database_that_fails_is_an_error_and_leaves_no_claim() {
    let shop = Shop::open();
    *shop.table.fails.lock().unwrap() = true;
    assert!(matches!(shop.ask(&[1, 2]).await, Err(Error::Database(_))));
    *shop.table.fails.lock().unwrap() = false;
    assert_eq!(shop.ask(&[1, 2]).await.unwrap().len(), 2);
    assert_eq!(shop.table.queries(), [[1, 2], [1, 2]]);
}

#[tokio::test]
async fn a_cache_that_fails_is_bypassed_by_one_statement() {
    let shop = Shop::open();
    *shop.store.failing.lock().unwrap() = Some("all");
    assert_eq!(shop.ask(&[1, 2, 3]).await.unwrap().len(), 3);
    *shop.store.failing.lock().unwrap() = Some("claim_many");
    assert_eq!(shop.ask(&[1, 2, 3]).await.unwrap().len(), 3);
    *shop.store.failing.lock().unwrap() = Some("fill_many");
    assert_eq!(shop.ask(&[1, 2, 3]).await.unwrap().len(), 3);
    assert_eq!(shop.table.queries(), [[1, 2, 3]; 3]);
    assert_eq!(shop.events(), counts(&[("Bypassed StoreFailed", 9), ("Computed", 9), ("Miss", 3)]));
}

#[tokio::test(start_paused = true)]
async fn a_stale_copy_replaces_the_failure_of_its_entry() {
    let shop = Shop::with(PERMITS, |builder| builder.stale_on_error(HOUR).jitter(0.0));
    shop.ask(&[1, 2]).await.unwrap();
    tokio::time::advance(HOUR).await;
    *shop.table.fails.lock().unwrap() = true;
    let answers = shop.answers(&[1, 2]).await;
    assert!(answers.iter().all(|answer| answer.source() == Source::Stale), "{answers:?}");
    assert_eq!(shop.table.queries(), [[1, 2], [1, 2]]);
    // The third id has no copy: its error is the call's.
    assert!(matches!(shop.ask(&[1, 2, 3]).await, Err(Error::Database(_))));
}

#[tokio::test(start_paused = true)]
async fn a_slow_statement_serves_the_copies_and_fills_the_entries() {
    let shop = Shop::with(2, |builder| builder.stale_on_error(HOUR).jitter(0.0));
    shop.ask(&[1, 2]).await.unwrap();
    tokio::time::advance(HOUR).await;
    shop.table.gate.forget_permits(10);
    shop.table.write(2, "Bea");
    let began = tokio::time::Instant::now();
    let answers = shop.answers(&[1, 2]).await;
    assert!(answers.iter().all(|answer| answer.source() == Source::Stale));
    assert_eq!(began.elapsed(), Duration::from_secs(1));
    shop.table.gate.add_permits(1);
    until(|| shop.store.calls().iter().filter(|call| **call == "fill_many").count() == 2).await;
    assert_eq!(shop.ask(&[1, 2]).await.unwrap()[&2], user(2, "Bea"));
    assert_eq!(shop.table.queries(), [[1, 2], [1, 2]]);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline() {
    let shop = Shop::gated();
    let client = shop.client.with_deadline(MINUTE);
    let began = tokio::time::Instant::now();
    let late = client.query_many_with_cache(users(), [1, 2], HOUR).await;
    assert!(matches!(late, Err(Error::Deadline { limit: MINUTE })));
    assert_eq!(began.elapsed(), MINUTE);
    // The claims are released in the background.
    until(|| shop.store.calls().iter().filter(|call| **call == "release").count() == 2).await;
}

#[tokio::test]
async fn a_caller_that_leaves_frees_its_claims_and_its_followers() {
    let shop = Shop::gated();
    let leaves = shop.spawn(&[1, 2, 3]);
    shop.table.reads(1).await;
    let follows = shop.spawn(&[2, 3]);
    until(|| shop.store.calls().iter().filter(|call| **call == "get_many").count() == 2).await;
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());
    shop.table.gate.add_permits(10);
    assert_eq!(follows.await.unwrap().unwrap().len(), 2);
    assert_eq!(shop.ask(&[1]).await.unwrap().len(), 1);
}
