//! moka: an in-memory cache. `get_with` joins the callers of one key.

use async_trait::async_trait;
use moka::future::Cache;

use super::{Contender, TTL};
use crate::row::Row;

pub(super) struct Moka(Cache<u64, String>);

impl Moka {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(1000).time_to_live(TTL).build())
    }
}

#[async_trait]
impl Contender for Moka {
    async fn read(&self, key: u64, row: Row) -> String {
        self.0.get_with(key, async { row.load().await }).await
    }

    async fn invalidate(&self, key: u64) {
        self.0.invalidate(&key).await;
    }
}
