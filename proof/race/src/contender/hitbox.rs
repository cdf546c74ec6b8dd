//! hitbox: a macro memoizes functions, here in its moka backend. Its broadcast manager joins the
//! callers of one key.
//!
//! It has no invalidation by arguments. Its backend can remove a key.

use std::convert::Infallible;

use async_trait::async_trait;
use bounded_integer::BoundedU8;
use hitbox::concurrency::BroadcastConcurrencyManager;
use hitbox::policy::PolicyConfig;
use hitbox::{CacheKey, KeyPart};
use hitbox_backend::Backend;
use hitbox_fn::{Cache, cached};
use hitbox_moka::MokaBackend;

use super::{Contender, TTL};
use crate::row::Row;

type Answer = Result<String, Infallible>;

pub(super) struct Hitbox(Cache<MokaBackend, BroadcastConcurrencyManager<Answer>>);

#[cached(prefix = "row", skip(row))]
async fn remembered(_id: u64, row: Row) -> Answer {
    Ok(row.load().await)
}

impl Hitbox {
    pub(super) fn new() -> Self {
        let one = BoundedU8::new(1).expect("one is within 1 to 255");
        let cache = Cache::builder()
            .backend(MokaBackend::builder().max_entries(1000).build())
            .policy(PolicyConfig::builder().ttl(TTL).concurrency(one).build())
            .concurrency_manager(BroadcastConcurrencyManager::new())
            .build();
        Self(cache)
    }
}

#[async_trait]
impl Contender for Hitbox {
    async fn read(&self, key: u64, row: Row) -> String {
        remembered(key, row).cache(&self.0).await.expect("it can't fail")
    }

    async fn invalidate(&self, key: u64) {
        let parts = vec![KeyPart::new("fn", Some("row")), KeyPart::new("_id", Some(key.to_string()))];
        self.0.backend().remove(&CacheKey::new("", 0, parts)).await.expect("hitbox removes");
    }
}
