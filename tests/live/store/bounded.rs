//! Views with a bound, on every kind of server.

mod hands;
mod load;
mod property;
mod stops;

use std::num::NonZeroU16;
use std::sync::Arc;

use futures_util::future::{join, join_all};
use mrc_store::conformance::store::{bounded_store_tests, bounded_suite, refuses_calls_after_close};
use mrc_store::{Bound, CacheStore, MemoryStore, Policy, RedisStore, Sliding};
use mrc_tests::{Redis, RedisCluster, unique};

use super::{patient, store};

async fn passes(store: impl CacheStore) {
    let store: Arc<dyn CacheStore> = Arc::new(store);
    let bounds = [
        Bound::new(Policy::Lru).max(100_000),
        Bound::new(Policy::Rr).max(100_000),
        Bound::new(Policy::Lru).max(100_000).per_function(),
        Bound::new(Policy::Lru).max(100_000).shards(NonZeroU16::new(5).unwrap()),
        Bound::new(Policy::Lfu).max(100_000).ttl(Sliding(3_600)),
    ];
    let rules = bounds.into_iter().map(|bound| {
        let view = Arc::clone(&store).bounded(&unique("app"), &bound).unwrap();
        async move {
            for test in bounded_store_tests() {
                eprintln!("{test:?} {bound:?}");
                test.run(&*view, &unique("suite")).await;
            }
        }
    });
    join(join_all(rules), bounded_suite(&store, &unique("app"))).await;
    let view = store.bounded(&unique("app"), &Bound::new(Policy::Lru)).unwrap();
    refuses_calls_after_close(&*view).await;
}

#[tokio::test]
async fn memory() {
    passes(MemoryStore::new()).await;
}

#[tokio::test]
async fn one_server() {
    passes(store(&Redis::shared().await.url())).await;
}

#[tokio::test]
async fn a_prefix() {
    let store = RedisStore::new(patient(&Redis::shared().await.url()).prefix("a*[b]?:")).unwrap();
    bounded_suite(&(Arc::new(store) as Arc<dyn CacheStore>), &unique("app")).await;
}

#[tokio::test]
async fn cluster() {
    passes(store(&RedisCluster::shared().await.url())).await;
}

/// A structure as stored on one server.
struct Parts {
    redis: Redis,
    keys: [String; 5],
}

impl Parts {
    fn new(redis: &Redis, namespace: &str, policy: Policy) -> Self {
        let keys = [0, 1, 2, 3, 4].map(|part| format!("{namespace}:{{{namespace}:{policy}}}:{part}"));
        Self { redis: redis.clone(), keys }
    }

    async fn ask(&self, lua: &str) -> String {
        let keys = self.keys.each_ref().map(String::as_str);
        self.redis.cli(&[&["EVAL", lua, "5"], &keys[..]].concat()).await
    }

    /// Checks that no entry is in one part only, and that none stays forever.
    async fn are_whole(&self, max: usize, when: &str) {
        let found = self.ask(include_str!("bounded/whole.lua")).await;
        let Some(size) = found.strip_prefix("whole ") else { panic!("{when}: {found}") };
        assert!(size.parse::<usize>().unwrap() <= max, "{when}: {size} entries of at most {max}");
    }
}
