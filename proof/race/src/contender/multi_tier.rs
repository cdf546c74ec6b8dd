//! multi-tier-cache, as in its quick start. `get_or_compute_with` joins the callers of one key.

use async_trait::async_trait;
use bytes::Bytes;
use multi_tier_cache::{CacheStrategy, CacheSystem};

use super::Contender;
use crate::row::Row;

pub(super) struct MultiTier(CacheSystem);

impl MultiTier {
    pub(super) async fn new(redis: &str) -> Self {
        Self(CacheSystem::with_redis_url(redis).await.expect("multi-tier-cache connects"))
    }
}

#[async_trait]
impl Contender for MultiTier {
    async fn read(&self, key: u64, row: Row) -> String {
        let compute = || async move { Ok(Bytes::from(row.load().await)) };
        let cache = self.0.cache_manager();
        let value = cache.get_or_compute_with(&name(key), CacheStrategy::MediumTerm, compute).await;
        String::from_utf8_lossy(&value.expect("multi-tier-cache answers")).into_owned()
    }

    async fn invalidate(&self, key: u64) {
        self.0.cache_manager().invalidate(&name(key)).await.expect("multi-tier-cache invalidates");
    }
}

fn name(key: u64) -> String {
    format!("multi-tier:row:{key}")
}
