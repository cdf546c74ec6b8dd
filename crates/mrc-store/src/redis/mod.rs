//! Redis and Valkey, by fred: standalone, cluster, sentinel.

mod bookkeeping;
mod bounded;
mod checkpoint;
mod cluster;
#[cfg(feature = "compat")]
mod compat;
mod config;
mod direct;
mod failure;
mod link;
mod many;
mod scan;
mod scripts;
mod servers;
mod span;
mod store;
mod tags;
mod tls;
mod usage;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fred::interfaces::KeysInterface;
use fred::types::Value;
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use mrc_core::{EventListener, Tag};

use self::bounded::StructureKeys;
use self::link::{Connection, lock};
use self::scripts::{CLAIM, FILL, PUT, RELEASE, TTL};
use self::span::traced;
use self::store::slot_of;
use self::wire::{claimed, life_left, marked, millis, most_left, to_json};
use crate::batch::{ToClaim, ToFill};
use crate::bound::Bound;
use crate::bound::layout::structure_of;
use crate::checkpoint::Checkpoints;
use crate::error::StoreError;
use crate::store::{CacheStore, Claim, INVALIDATION_LIMIT, KeyPages, Life, ScanPattern, Terms, Token, storable};
use crate::tags::{Found, Moment, all_of};

pub use self::bounded::BoundedRedis;
#[cfg(feature = "compat")]
pub use self::compat::SimpleDepCache;
pub use self::config::RedisConfig;
#[doc(hidden)]
pub use self::direct::{Direct, direct};
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

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        let lives = [life.ttl, life.of_copy()].map(|life| Value::Integer(millis(life)));
        let [ttl, of_copy] = lives;
        let value = storable(value)?;
        life.tags.check()?;
        let [entry, lease, copy, tags] = self.companions(self.physical(key.as_bytes())?);
        let token_arg = Value::from(token.as_str());
        if life.tags.is_empty() {
            let (keys, args) = ([entry, lease, copy], [token_arg, Value::Bytes(value), ttl, of_copy]);
            let (keys, args) = if life.has_copy() { (&keys[..], &args[..]) } else { (&keys[..2], &args[..3]) };
            return Ok(self.run(&FILL, keys, args).await? == Value::Integer(1));
        }
        // Register first, so that an invalidation in between finds the key and its claim.
        if !self.track(&entry, &life.tags, life.of_copy()).await? {
            self.release(key, token).await?;
            return Ok(false);
        }
        // The fill replaces the tags, so it also removes an older copy.
        let keys = [entry, lease, copy, tags];
        let tags = Value::Bytes(to_json(&life.tags).into());
        let has_copy = Value::Integer(life.has_copy().into());
        let args = [token_arg, Value::Bytes(marked(&value)), ttl, of_copy, tags, has_copy];
        Ok(self.run(&FILL, &keys, &args).await? == Value::Integer(1))
    }

    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>, StoreError>> {
        self.get_all(keys).await
    }

    async fn claim_many(&self, claims: &[ToClaim<'_>]) -> Vec<Result<Claim, StoreError>> {
        self.claim_all(claims).await
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
        // In a cluster a command's keys must share a slot, like a key and its copy. fred pipelines.
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
        let keys = self.all_physical(keys)?;
        let per_command = if self.servers.are_a_cluster() { 1 } else { REMOVE_AT_ONCE };
        let mut found = 0;
        for batch in keys.chunks(REMOVE_AT_ONCE) {
            let counts = batch.chunks(per_command).map(|keys| {
                let command = move |connection: Arc<Connection>| async move {
                    let count = connection.client.exists::<u64, _>(keys.to_vec());
                    traced(&connection.address, "EXISTS", None, count).await
                };
                self.servers.call(|| slot_of(keys), command)
            });
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
        let outcome = tokio::time::timeout(INVALIDATION_LIMIT, self.drop_tagged(tags)).await;
        // A clock read in flight may be older: a claim that shares it would have its fill refused.
        *lock(&self.asked) = Arc::default();
        outcome.unwrap_or(Err(StoreError::Timeout(INVALIDATION_LIMIT)))
    }

    fn bounded(self: Arc<Self>, namespace: &str, bound: &Bound) -> Result<Arc<dyn CacheStore>, StoreError> {
        Ok(Arc::new(BoundedRedis::new(self, namespace, bound)?))
    }

    fn as_checkpoints(&self) -> Option<&dyn Checkpoints> {
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
