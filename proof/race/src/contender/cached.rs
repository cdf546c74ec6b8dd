//! cached: a macro memoizes functions. `sync_writes = "by_key"` joins the callers of one key.

use async_trait::async_trait;
use cached::CachedExt;
use cached::macros::cached;

use super::Contender;
use crate::row::Row;

pub(super) struct Cached;

#[cached(max_size = 1000, ttl_secs = 600, sync_writes = "by_key", key = "u64", convert = { _id })]
async fn remembered(_id: u64, row: Row) -> String {
    row.load().await
}

#[async_trait]
impl Contender for Cached {
    async fn read(&self, key: u64, row: Row) -> String {
        remembered(key, row).await
    }

    async fn invalidate(&self, key: u64) {
        REMEMBERED.write().await.remove(&key);
    }
}
