//! The contenders, each used as in its own documentation, with its mode against stampedes if any.

mod amalgam;
mod cached;
mod hitbox;
mod moka;
mod mrc;
mod multi_tier;
pub(crate) mod peer;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::row::Row;

/// Longer than any run.
const TTL: Duration = Duration::from_secs(600);

/// One cache, as a service uses it.
#[async_trait]
pub(crate) trait Contender: Send + Sync + 'static {
    /// Reads through the cache: returns the value under `key`, or the result of [`Row::load`].
    async fn read(&self, key: u64, row: Row) -> String;

    /// Invalidates `key` as a writer does after its commit. Returns when the invalidation is done.
    async fn invalidate(&self, key: u64);
}

/// A contender that runs in this process, with its texts for the table.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// Its package in Cargo.lock.
    pub(crate) package: &'static str,
    /// The place of its values.
    pub(crate) place: &'static str,
    /// The calls that are raced.
    pub(crate) calls: &'static str,
    pub(crate) contender: Arc<dyn Contender>,
}

/// Returns all that run in this process, in the order of the table.
pub(crate) async fn all(redis: &str) -> Vec<Entry> {
    vec![
        Entry {
            name: "**mrc**",
            package: "mrc",
            place: "Redis",
            calls: "`with_cache`, `drop_outdated_cache`",
            contender: Arc::new(mrc::Mrc::new(redis)),
        },
        Entry {
            name: "moka",
            package: "moka",
            place: "memory",
            calls: "`get_with`, `invalidate`",
            contender: Arc::new(moka::Moka::new()),
        },
        Entry {
            name: "cached",
            package: "cached",
            place: "memory",
            calls: "`#[cached(sync_writes = \"by_key\")]`, `remove`",
            contender: Arc::new(cached::Cached),
        },
        Entry {
            name: "multi-tier-cache",
            package: "multi-tier-cache",
            place: "memory and Redis",
            calls: "`get_or_compute_with`, `invalidate`",
            contender: Arc::new(multi_tier::MultiTier::new(redis).await),
        },
        Entry {
            name: "amalgam-cache",
            package: "amalgam-cache",
            place: "memory",
            calls: "`get_or_set`, `remove`",
            contender: Arc::new(amalgam::Amalgam::in_memory()),
        },
        Entry {
            name: "amalgam-cache",
            package: "amalgam-cache",
            place: "memory and Redis",
            calls: "`get_or_set`, `remove`",
            contender: Arc::new(amalgam::Amalgam::with_redis(redis).await),
        },
        Entry {
            name: "hitbox",
            package: "hitbox",
            place: "memory",
            calls: "`#[cached]`, `Backend::remove`",
            contender: Arc::new(hitbox::Hitbox::new()),
        },
    ]
}
