//! Redis and Valkey: standalone, cluster, sentinel.

mod bookkeeping;
mod books;
mod bounded;
mod client;
mod cluster;
#[cfg(feature = "compat")]
mod compat;
mod config;
mod failure;
mod hash;
mod link;
mod many;
mod scan;
mod scripts;
mod sentinel;
mod servers;
mod span;
mod store;
mod tags;
mod task;
mod tls;
mod url;
mod usage;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{try_join, try_join_all};
use mrc_core::{EventListener, Tag};

use self::bounded::StructureKeys;
use self::client::Value;
use self::scripts::{CLAIM, CLAIM_AT, FILL, PUT, RELEASE, TTL};
use self::wire::{claimed, claimed_at, life_left, millis, most_left};
use crate::books::{Checkpoints, Schemes};
use crate::bound::Bound;
use crate::bound::layout::structure_of;
use crate::error::StoreError;
use crate::lock::lock;
use crate::sealed::Ours;
use crate::store::{
    CacheStore, Claim, INVALIDATION_LIMIT, KeyPages, Life, ScanPattern, Terms, ToClaim, ToFill, Token,
    claim_beside_clock, storable,
};
use crate::tags::{Found, Moment, all_of};

pub use self::bounded::BoundedRedis;
pub use self::client::RedisClient;
#[cfg(feature = "compat")]
pub use self::compat::SimpleDepCache;
pub use self::config::RedisConfig;
pub use self::store::RedisStore;
pub use self::tls::TlsConfig;
pub use self::usage::ServerUsage;

/// The number of keys to remove in one round trip.
const REMOVE_AT_ONCE: usize = 1_000;

impl RedisStore {
    /// Returns the number of values in a bounded cache's structure. `key` is the one that
    /// [`scan`](CacheStore::scan) returns for it. Returns `None` if the key isn't a structure's.
    ///
    /// # Errors
    /// The errors of any command.
    pub async fn structure_len(&self, key: &[u8]) -> Result<Option<u64>, StoreError> {
        let Some(base) = structure_of(key) else { return Ok(None) };
        StructureKeys::ours(self.physical(base)?).len(self).await.map(Some)
    }

    /// Limits the time of an invalidation.
    async fn in_time<T>(&self, drops: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let outcome = tokio::time::timeout(INVALIDATION_LIMIT, drops).await;
        // A clock read in flight may be older: a claim that shares it would have its fill refused.
        self.forget_clock();
        outcome.unwrap_or(Err(StoreError::Timeout(INVALIDATION_LIMIT)))
    }

    /// Has the next caller read the clock anew.
    fn forget_clock(&self) {
        *lock(&self.asked) = Arc::default();
    }

    /// Removes a structure, and returns its number of values.
    async fn purge(&self, base: &[u8]) -> Result<u64, StoreError> {
        StructureKeys::ours(self.physical(base)?).purge(self).await
    }
}

#[async_trait]
impl CacheStore for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.get_unboxed(key).await
    }

    async fn look(&self, key: &str) -> Result<Option<Found>, StoreError> {
        let key = self.physical(key.as_bytes())?;
        let tags = bookkeeping::tags_key(self.config.prefix.as_bytes(), &key);
        self.find(key, tags).await
    }

    async fn stale(&self, key: &str) -> Result<Option<Found>, StoreError> {
        let (prefix, key) = (self.config.prefix.as_bytes(), self.physical(key.as_bytes())?);
        self.find(bookkeeping::copy_key(prefix, &key), bookkeeping::tags_key(prefix, &key)).await
    }

    async fn now(&self) -> Result<Moment, StoreError> {
        // Concurrent callers share one clock read. Its time precedes all that they read afterwards.
        let asked = {
            let mut asked = lock(&self.asked);
            if asked.initialized() {
                *asked = Arc::default();
            }
            Arc::clone(&asked)
        };
        let mut failed = None;
        let moment =
            asked.get_or_init(async || self.tick(false).await.map_err(|error| failed = Some(error)).ok()).await;
        moment.ok_or_else(|| {
            failed.unwrap_or_else(|| StoreError::Unavailable("another caller's look at the clock failed".into()))
        })
    }

    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        let args = [Value::from(token.as_str()), Value::Integer(millis(terms.lease)), most_left(terms.mode)];
        let keys = self.companions(self.physical(key.as_bytes())?);
        let keys = if terms.copy { &keys[..3] } else { &keys[..2] };
        claimed(self.run(&CLAIM, keys, &args).await?)
    }

    async fn claim_at(&self, key: &str, token: &Token, terms: Terms) -> Result<(Claim, Moment), StoreError> {
        if self.servers.are_a_cluster() {
            return try_join(self.claim(key, token, terms), self.now()).await;
        }
        let args = [Value::from(token.as_str()), Value::Integer(millis(terms.lease)), most_left(terms.mode)];
        let [key, lease, copy, _] = self.companions(self.physical(key.as_bytes())?);
        let keys = [bookkeeping::clock_key(&self.config.prefix), key, lease, copy];
        let answer = self.run(&CLAIM_AT, if terms.copy { &keys } else { &keys[..3] }, &args).await?;
        claimed_at(answer)
    }

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        if !life.tags.is_empty() {
            return self.fill_tagged(ToFill { key, token, value, life }).await;
        }
        let [ttl, of_copy] = [life.ttl, life.of_copy()].map(|life| Value::Integer(millis(life)));
        let [entry, lease, copy, _] = self.companions(self.physical(key.as_bytes())?);
        let args = [Value::from(token.as_str()), Value::Bytes(storable(value)?), ttl, of_copy];
        let keys = [entry, lease, copy];
        let (keys, args) = if life.has_copy() { (&keys[..], &args[..]) } else { (&keys[..2], &args[..3]) };
        Ok(self.run(&FILL, keys, args).await? == Value::Integer(1))
    }

    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>, StoreError>> {
        self.get_all(keys).await
    }

    async fn claim_many(&self, claims: &[ToClaim<'_>]) -> Vec<Result<Claim, StoreError>> {
        self.claim_all(claims, None).await.into_iter().map(|claim| claim.map(|(claim, _)| claim)).collect()
    }

    async fn claim_many_at(&self, claims: &[ToClaim<'_>]) -> Vec<Result<(Claim, Moment), StoreError>> {
        if self.servers.are_a_cluster() {
            return claim_beside_clock(self, claims).await;
        }
        self.claim_all(claims, Some(&bookkeeping::clock_key(&self.config.prefix))).await
    }

    async fn fill_many(&self, fills: Vec<ToFill<'_>>) -> Vec<Result<bool, StoreError>> {
        self.fill_all(fills).await
    }

    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        let args = [Value::from(token.as_str())];
        let keys = self.companions(self.physical(key.as_bytes())?);
        Ok(self.run(&RELEASE, &keys[..3], &args).await? == Value::Integer(1))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        let args = [Value::Bytes(storable(value)?), Value::Integer(millis(ttl))];
        let [key, _, copy, _] = self.companions(self.physical(key.as_bytes())?);
        self.run(&PUT, &[key, copy], &args).await.map(drop)
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        life_left(&self.run(&TTL, &[self.physical(key.as_bytes())?], &[]).await?)
    }

    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        // In a cluster a command's keys must share a slot, like a key and its copy.
        let per_command = if self.servers.are_a_cluster() { 1 } else { REMOVE_AT_ONCE };
        let (structures, plain): (Vec<_>, Vec<_>) = keys.iter().cloned().partition(|key| structure_of(key).is_some());
        let purges = structures.iter().filter_map(|key| structure_of(key)).map(|base| self.purge(base));
        let mut removed = try_join_all(purges).await?.iter().sum();
        for batch in plain.chunks(REMOVE_AT_ONCE) {
            let commands = batch.chunks(per_command).map(|keys| self.unlink_entries(keys));
            removed += try_join_all(commands).await?.iter().sum::<u64>();
        }
        Ok(removed)
    }

    async fn exist(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        let keys = self.each_physical(keys).collect::<Result<Vec<_>, _>>()?;
        let per_command = if self.servers.are_a_cluster() { 1 } else { REMOVE_AT_ONCE };
        let mut found = 0;
        for batch in keys.chunks(REMOVE_AT_ONCE) {
            let counts = batch.chunks(per_command).map(|keys| self.count("EXISTS", keys));
            found += try_join_all(counts).await?.iter().sum::<u64>();
        }
        Ok(found)
    }

    async fn scan_size(&self) -> Result<Option<u64>, StoreError> {
        self.sizes().await.map(Some)
    }

    async fn tag_risks(&self) -> Result<Vec<String>, StoreError> {
        self.evicting_servers().await
    }

    async fn invalidate(&self, tags: &[Tag]) -> Result<u64, StoreError> {
        let tags = all_of(tags)?;
        self.in_time(self.drop_tagged(tags)).await
    }

    async fn invalidate_each(&self, tags: &[Tag]) -> Result<Vec<u64>, StoreError> {
        tags.iter().try_for_each(Tag::check)?;
        self.in_time(self.drop_each(tags)).await
    }

    fn bounded(self: Arc<Self>, namespace: &str, bound: &Bound) -> Result<Arc<dyn CacheStore>, StoreError> {
        Ok(Arc::new(BoundedRedis::new(self, namespace, bound)?))
    }

    fn as_checkpoints(&self) -> Option<&dyn Checkpoints> {
        Some(self)
    }

    fn as_schemes(&self) -> Option<&dyn Schemes> {
        Some(self)
    }

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        scan::pages(&self.servers, &self.config, &self.inner, pattern).boxed()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.servers.ping().await
    }

    fn listen(&self, listener: Arc<dyn EventListener>) {
        self.servers.listen(listener);
    }

    fn patience(&self) -> Duration {
        self.config.connect_timeout.saturating_add(self.config.command_timeout)
    }

    async fn close(&self) {
        self.servers.close().await;
    }
}

/// A store in Redis, or a view of one, by its type: so a hit needs no box.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub enum Direct {
    Whole(Arc<RedisStore>),
    Bounded(Arc<BoundedRedis>),
}

/// Returns the store by its type. Returns `None` if it isn't in Redis.
#[doc(hidden)]
pub fn direct(store: &Arc<dyn CacheStore>) -> Option<Direct> {
    let store = Arc::clone(store).into_any(Ours::PROOF);
    Arc::downcast(store).map(Direct::Whole).or_else(|store| Arc::downcast(store).map(Direct::Bounded)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bound::Policy;

    #[test]
    fn stores_in_redis_are_known_by_their_type() {
        let config = RedisConfig::from_url("redis://127.0.0.1:6379").unwrap();
        let store: Arc<dyn CacheStore> = Arc::new(RedisStore::new(config).unwrap());
        assert!(matches!(direct(&store), Some(Direct::Whole(_))));
        let view = store.bounded("app", &Bound::new(Policy::Lru)).unwrap();
        assert!(matches!(direct(&view), Some(Direct::Bounded(_))));
    }
}
