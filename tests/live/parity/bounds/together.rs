//! Concurrent callers.

use std::sync::Arc;

use futures_util::future::join_all;
use mrc::{Bound, Cache, Error};
use tokio::sync::{Barrier, Semaphore};

use crate::parity::support::*;

tests!(on_every_bound, a_computation_evicts_nothing_before_it_has_ended,);

fn spawn(cache: &Cache, x: u32) -> tokio::task::JoinHandle<u32> {
    let cache = cache.clone();
    tokio::spawn(async move { cache.get_or(f(x), async || x * 10).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f46_two_at_once() {
    on_every_bound(async |place, bound| {
        let cache = place.bounded(bound.max(8));
        for x in 0..8 {
            let both = [spawn(&cache, x), spawn(&cache, x)];
            for answer in join_all(both).await {
                assert_eq!(answer.unwrap(), x * 10);
            }
        }
        assert_eq!((cache.len().await.unwrap(), cache.stats().snapshot().computed), (8, 8));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f47_more_calls_at_once_than_there_is_room() {
    on_every_bound(async |place, bound| {
        let cache = place.bounded(bound.max(8));
        for _ in 0..2 {
            let answers = join_all((0..16).map(|x| spawn(&cache, x))).await;
            for (x, answer) in (0..).zip(answers) {
                assert_eq!(answer.unwrap(), x * 10);
            }
            assert_eq!((cache.len().await.unwrap(), kept(&cache, 16).await.len()), (8, 8));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f48_the_same_and_others_at_once() {
    on_every_bound(async |place, bound| {
        let cache = place.bounded(bound.max(8));
        let calls = (0..20).flat_map(|x| [100, x]);
        let answers = join_all(calls.clone().map(|x| spawn(&cache, x))).await;
        for (x, answer) in calls.zip(answers) {
            assert_eq!(answer.unwrap(), x * 10);
        }
        assert_eq!(cache.len().await.unwrap(), 8);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f49_an_error_reaches_every_caller_and_is_not_cached() {
    on_every_bound(async |place, bound| {
        let cache = place.bounded(bound.max(8));
        let barrier = Arc::new(Barrier::new(5));
        let callers = (0..5).map(|_| {
            let (cache, barrier) = (cache.clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                cache.get_or_try(f(0), async || Err::<u32, _>(Error::Config("no".into()))).await
            })
        });
        let callers: Vec<_> = callers.collect();
        for outcome in join_all(callers).await {
            assert!(matches!(outcome.unwrap(), Err(Error::Config(_))));
        }
        assert_eq!((cache.len().await.unwrap(), ran(&cache, [0]).await), (0, vec![0]));
    })
    .await;
}

/// An entry that is being computed takes no room of existing ones.
async fn a_computation_evicts_nothing_before_it_has_ended(place: &Place, bound: Bound) {
    let (cache, gate) = (place.bounded(bound.max(2)), Semaphore::new(0));
    ran(&cache, 0..2).await;
    let wait = async || gate.acquire().await.unwrap().forget();
    let slow = join_all((2..5).map(|x| runs_with(&cache, f(x), wait)));
    let meanwhile = async {
        until(async || cache.stats().snapshot().misses == 5).await;
        assert_eq!((cache.len().await.unwrap(), kept(&cache, 5).await), (2, vec![0, 1]));
        gate.add_permits(3);
    };
    let (ran, ()) = tokio::join!(slow, meanwhile);
    assert_eq!((ran, cache.len().await.unwrap()), (vec![true; 3], 2));
}
