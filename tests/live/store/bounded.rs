//! Views with a bound, on every kind of server.

use std::num::NonZeroU16;
use std::sync::Arc;

use mrc_store::conformance::store::bounded_store_tests;
use mrc_store::{Bound, CacheStore, MemoryStore, Policy, Sliding};
use mrc_tests::{Redis, RedisCluster, unique};

use super::store;

async fn passes(store: impl CacheStore) {
    let store: Arc<dyn CacheStore> = Arc::new(store);
    let bounds = Policy::ALL.map(|policy| Bound::new(policy).max(100_000));
    let others = [
        Bound::new(Policy::Lru).max(100_000).per_function(),
        Bound::new(Policy::Lru).max(100_000).shards(NonZeroU16::new(5).unwrap()),
        Bound::new(Policy::Lfu).max(100_000).ttl(Sliding(3_600)),
    ];
    for bound in bounds.into_iter().chain(others) {
        let view = store.clone().bounded(&unique("app"), &bound).unwrap();
        for test in bounded_store_tests() {
            eprintln!("{test:?} {bound:?}");
            test.run(&*view, &unique("suite")).await;
        }
    }
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
async fn cluster() {
    passes(store(&RedisCluster::shared().await.url())).await;
}
