//! amalgam-cache, in memory alone, and with Redis, a backplane and a lock as in its Redis example.

use std::convert::Infallible;
use std::sync::Arc;

use amalgam::provider::{JsonSerializer, RedisBackplane, RedisDistributedCache, RedisDistributedLocker};
use amalgam::{Cache, EntryOptions};
use async_trait::async_trait;

use super::{Contender, TTL};
use crate::row::Row;

pub(super) struct Amalgam(Cache<String>);

impl Amalgam {
    pub(super) fn in_memory() -> Self {
        let cache = Cache::builder().default_options(EntryOptions::new(TTL)).try_build();
        Self(cache.expect("amalgam-cache builds"))
    }

    pub(super) async fn with_redis(redis: &str) -> Self {
        let values = RedisDistributedCache::connect(redis).await.expect("amalgam-cache connects");
        let backplane = RedisBackplane::connect(redis).await.expect("amalgam-cache subscribes");
        let locker = RedisDistributedLocker::connect(redis).await.expect("amalgam-cache connects");
        let cache = Cache::builder()
            .distributed(Arc::new(values))
            .serializer(Arc::new(JsonSerializer))
            .backplane(Arc::new(backplane))
            .distributed_locker(Arc::new(locker))
            .default_options(EntryOptions::new(TTL))
            .instance_id("race")
            .try_build();
        Self(cache.expect("amalgam-cache builds"))
    }
}

#[async_trait]
impl Contender for Amalgam {
    async fn read(&self, key: u64, row: Row) -> String {
        let source = move |_| {
            let row = row.clone();
            async move { Ok::<_, Infallible>(row.load().await) }
        };
        self.0.get_or_set(name(key), source).await.expect("amalgam-cache answers")
    }

    async fn invalidate(&self, key: u64) {
        self.0.remove(name(key)).await.expect("amalgam-cache removes");
    }
}

fn name(key: u64) -> String {
    format!("amalgam:row:{key}")
}
