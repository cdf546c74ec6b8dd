//! Processes that end between any two commands, and many callers at once on one small structure.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, poll_immediate};
use mrc_core::Tag;
use mrc_store::conformance::store::{never_hits_what_was_invalidated, never_hits_what_was_invalidated_by_tag};
use mrc_store::{Bound, CacheStore, Claim, Life, MemoryStore, Moment, Policy, Sliding, Terms, Token};
use mrc_tests::{Proxy, Redis, unique};
use rand::Rng;

use super::super::{LONG, store, token};
use super::Parts;

const MAX: usize = 4;
const LEASE: Duration = Duration::from_millis(20);

#[derive(Clone)]
struct Process {
    view: Arc<dyn CacheStore>,
    namespace: String,
}

impl Process {
    fn key(&self, key: usize) -> String {
        format!("{}:{key}", self.namespace)
    }

    fn tag(&self) -> Tag {
        format!("{}:tag", self.namespace).into()
    }

    /// Claims and fills an entry. Returns `None` if it couldn't be claimed.
    async fn refresh(&self, key: usize, lease: Duration) -> Option<bool> {
        let (token, name) = (token(), self.key(key));
        match self.view.claim_at(&name, &token, Terms::refresh(lease)).await.unwrap() {
            (Claim::Granted, since) => Some(self.fill(key, &token, since).await),
            _ => None,
        }
    }

    async fn fill(&self, key: usize, token: &Token, since: Moment) -> bool {
        let tags = [(self.tag(), since)].into_iter().collect();
        self.view.fill(&self.key(key), token, "[1]".into(), Life::from(LONG).tags(tags)).await.unwrap()
    }

    async fn call(&self, call: usize, key: usize) {
        let name = self.key(key);
        match call {
            0 => drop(self.view.get(&name).await.unwrap()),
            1 => self.view.put(&name, "[1]".into(), LONG).await.unwrap(),
            2 => drop(self.view.remove(&[name.into()]).await.unwrap()),
            3 => drop(self.view.invalidate(&[self.tag()]).await.unwrap()),
            4 => drop(self.view.purge().await.unwrap()),
            // This abandons its claim.
            5 => drop(self.view.claim(&name, &token(), Terms::refresh(LEASE)).await.unwrap()),
            _ => drop(self.refresh(key, LEASE).await),
        }
    }

    /// Checks that after the leases only whole entries are left, and after an invalidation nothing.
    async fn leaves_nothing(&self, parts: &Parts, when: &str) {
        for key in 0..2 * MAX {
            let filled = loop {
                if let Some(filled) = self.refresh(key, LONG).await {
                    break filled;
                }
            };
            assert!(filled, "{when}");
        }
        parts.are_whole(MAX, when).await;
        assert_eq!(self.view.count().await.unwrap(), Some(MAX as u64), "{when}");
        self.view.invalidate(&[self.tag()]).await.unwrap();
        while parts.ask("return redis.call('EXISTS', unpack(KEYS))").await != "0" {
            // An abandoned claim.
            self.view.count().await.unwrap();
        }
        let leases = "for _, key in ipairs(redis.call('KEYS', '*' .. ARGV[1] .. '*')) do \
                      if redis.call('PTTL', key) == -1 then return key end end return 'none'";
        assert_eq!(
            parts.redis.cli(&["EVAL", leases, "0", &self.namespace]).await,
            "none",
            "{when}: nothing stays for ever"
        );
    }
}

/// Runs a call, and stops it as soon as `is_far` is true.
async fn stopped(call: impl Future<Output = ()>, is_far: impl Fn(usize) -> bool) {
    let mut call = pin!(call);
    for polls in 0.. {
        if is_far(polls) || poll_immediate(&mut call).await.is_some() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn calls_that_stop_anywhere() {
    let redis = Redis::start().await;
    let cache = Arc::new(store(&redis.url()));
    for policy in Policy::ALL {
        let namespace = unique("app");
        let parts = Parts::new(&redis, &namespace, policy);
        let view = Arc::clone(&cache).bounded(&namespace, &Bound::new(policy).max(MAX).ttl(Sliding(600))).unwrap();
        let process = Process { view, namespace };
        for _ in 0..150 {
            let (call, key, polls) = {
                let mut rng = rand::rng();
                let call = [0, 1, 1, 2, 3, 4, 5, 5, 6, 6, 6, 6][rng.random_range(0..12)];
                (call, rng.random_range(0..2 * MAX), rng.random_range(0..60))
            };
            stopped(process.call(call, key), |polled| polled == polls).await;
            parts.are_whole(MAX, &format!("{policy}, call {call} after {polls} polls")).await;
        }
        process.leaves_nothing(&parts, policy.name()).await;
    }
}

#[tokio::test]
async fn fills_and_invalidations_that_stop_after_each_command() {
    let redis = Redis::start().await;
    let wire = Proxy::to(redis.port()).await;
    let cache = Arc::new(store(&format!("redis://127.0.0.1:{}", wire.port())));
    for policy in Policy::ALL {
        // An invalidation has clock, drop and prune; a fill has claim and fill.
        for (call, all) in [(3, 3), (6, 2)] {
            for commands in 1..=all {
                let namespace = unique("app");
                let parts = Parts::new(&redis, &namespace, policy);
                let view = Arc::clone(&cache).bounded(&namespace, &Bound::new(policy).max(MAX)).unwrap();
                let process = Process { view, namespace };
                for key in 0..MAX {
                    process.call(6, key).await;
                }
                process.view.claim(&process.key(MAX + 1), &token(), Terms::fill(LEASE)).await.unwrap();
                wire.reset();
                stopped(process.call(call, MAX), |_| wire.count("EVALSHA") == commands).await;
                let when = format!("{policy}, call {call} after {commands} commands");
                assert_eq!(wire.count("EVALSHA"), commands, "{when}");
                parts.are_whole(MAX, &when).await;
                process.leaves_nothing(&parts, &when).await;
            }
        }
    }
}

const ROOM: usize = 3;
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
        let view = Arc::clone(&store).bounded(&namespace, &Bound::new(policy).max(ROOM)).unwrap();
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
                    assert!(count <= ROOM as u64, "{policy}: {count} entries of at most {ROOM}");
                    if let Some(parts) = &parts {
                        parts.are_whole(ROOM, policy.name()).await;
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
