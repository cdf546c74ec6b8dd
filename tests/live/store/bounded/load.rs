//! Many callers at once on one small structure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use mrc_store::conformance::store::{never_hits_what_was_invalidated, never_hits_what_was_invalidated_by_tag};
use mrc_store::{Bound, CacheStore, Claim, MemoryStore, Policy, Terms};
use mrc_tests::{Redis, unique};

use super::super::{LONG, store, token};
use super::Parts;

const MAX: usize = 3;
const WRITERS: usize = 6;

/// Fills, puts, reads and removes until it is `done`.
async fn churn(view: Arc<dyn CacheStore>, namespace: String, writer: usize, done: Arc<AtomicBool>) {
    for round in 0.. {
        if done.load(Ordering::Relaxed) {
            return;
        }
        let (key, token) = (format!("{namespace}:{}", (round * 7 + writer) % 10), token());
        match round % 4 {
            0 => view.put(&key, "[1]".into(), LONG).await.unwrap(),
            1 => drop(view.remove(&[key.into()]).await.unwrap()),
            2 => drop(view.get(&key).await.unwrap()),
            _ => {
                if view.claim(&key, &token, Terms::refresh(LONG)).await.unwrap() == Claim::Granted {
                    view.fill(&key, &token, "[1]".into(), LONG.into()).await.unwrap();
                }
            }
        }
        tokio::task::yield_now().await;
    }
}

async fn holds(store: Arc<dyn CacheStore>, redis: Option<Redis>) {
    for policy in Policy::ALL {
        let namespace = unique("app");
        let view = Arc::clone(&store).bounded(&namespace, &Bound::new(policy).max(MAX)).unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let churns: Vec<_> = (0..WRITERS)
            .map(|writer| tokio::spawn(churn(Arc::clone(&view), namespace.clone(), writer, Arc::clone(&done))))
            .collect();
        let observer = tokio::spawn({
            let (view, done, parts) = (
                Arc::clone(&view),
                Arc::clone(&done),
                redis.as_ref().map(|redis| Parts::new(redis, &namespace, policy)),
            );
            async move {
                while !done.load(Ordering::Relaxed) {
                    let count = view.count().await.unwrap().unwrap();
                    assert!(count <= MAX as u64, "{policy}: {count} entries of at most {MAX}");
                    if let Some(parts) = &parts {
                        parts.are_whole(MAX, policy.name()).await;
                    }
                    tokio::task::yield_now().await;
                }
            }
        });
        let rules = [0, 1].map(|rule| {
            let (view, prefix) = (Arc::clone(&view), unique("rule"));
            tokio::spawn(async move {
                match rule {
                    0 => never_hits_what_was_invalidated(&*view, &prefix).await,
                    _ => never_hits_what_was_invalidated_by_tag(&*view, &prefix).await,
                }
            })
        });
        let outcomes = join_all(rules).await;
        done.store(true, Ordering::Relaxed);
        for outcome in outcomes.into_iter().chain(join_all(churns).await).chain([observer.await]) {
            outcome.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_on_many_threads() {
    holds(Arc::new(MemoryStore::new()), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_server_on_many_threads() {
    let redis = Redis::start().await;
    holds(Arc::new(store(&redis.url())), Some(redis)).await;
}
