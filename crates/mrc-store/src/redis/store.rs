//! The store in Redis: the keys there, and the basic calls.

use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::{join, try_join};
use tokio::sync::OnceCell;

use super::bookkeeping;
use super::client::Value;
use super::config::RedisConfig;
use super::failure::{absent_if_foreign, unexpected};
use super::hash::key_slot;
use super::link::Connection;
use super::scan::InnerPrefixes;
use super::scripts::Script;
use super::servers::Servers;
use super::span::traced;
use super::wire::readable;
use crate::error::StoreError;
use crate::store::Token;
use crate::tags::{Found, Moment};

/// A cache in Redis or Valkey.
///
/// It connects at its first use, and all callers share one connection to each server with
/// pipelining. A broken connection is restored in the background. Until then, calls that need this
/// server fail at once with [`StoreError::Unavailable`], so that the caller can read the database.
/// Other servers of a cluster still serve their keys.
///
/// ```no_run
/// # async fn example() -> Result<(), mrc_store::StoreError> {
/// use mrc_store::{CacheStore, RedisConfig, RedisStore};
///
/// let store = RedisStore::new(RedisConfig::from_url("redis://127.0.0.1:6379")?)?;
/// let value = store.get("greeting").await?;
/// # Ok(()) }
/// ```
pub struct RedisStore {
    pub(super) config: RedisConfig,
    pub(super) servers: Servers,
    /// The clock read in flight. `None` if it failed.
    pub(super) asked: Mutex<Arc<OnceCell<Option<Moment>>>>,
    /// Whether an entry was filled with tags.
    pub(super) has_tags: AtomicBool,
    /// For each follower, the call that told it to invalidate again.
    pub(super) told: Mutex<HashMap<String, Token>>,
    /// Longer prefixes whose copies a scan found.
    pub(super) inner: InnerPrefixes,
}

impl RedisStore {
    /// Returns a store that connects at its first use. Only then does it need a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Config`]: a setting can't be used. The text names it.
    pub fn new(config: RedisConfig) -> Result<Self, StoreError> {
        let servers = Servers::new(&config)?;
        if config.has_open_prefix() {
            let prefix = &config.prefix;
            tracing::warn!(
                target: "mrc", prefix,
                "the prefix doesn't end with a colon: what looks through keys, as a drop does, also reaches those of prefixes that begin with it"
            );
        }
        Ok(Self {
            servers,
            config,
            asked: Mutex::default(),
            has_tags: AtomicBool::new(false),
            told: Mutex::default(),
            inner: InnerPrefixes::default(),
        })
    }

    /// Works like [`get`](crate::CacheStore::get), without the box of a trait object's method.
    ///
    /// fred's future for a `GET` has 7 KB. Allocating it costs more than a tenth of a hit.
    ///
    /// # Errors
    /// The errors of `get`.
    pub async fn get_unboxed(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let physical = self.physical(key.as_bytes())?;
        // Flat, because the compiler limits the depth of nested futures. fred's are deep.
        if let Some((way, connection)) = self.servers.at_hand(|| key_slot(&physical)) {
            let outcome = connection.client.get(physical).await;
            if let Some(value) = self.servers.judge(&way, absent_if_foreign(outcome)) {
                return Ok(value?.and_then(readable));
            }
        }
        Box::pin(self.get_whole_way(self.physical(key.as_bytes())?)).await
    }

    /// Returns the value of a key in Redis. Waits for the first connection, and follows MOVED.
    async fn get_whole_way(&self, key: Bytes) -> Result<Option<Bytes>, StoreError> {
        let command = |connection: Arc<Connection>| {
            let key = key.clone();
            async move { absent_if_foreign(connection.client.get(key).await) }
        };
        Ok(self.servers.call(|| key_slot(&key), command).await?.and_then(readable))
    }

    /// Returns a value with the tags of its entry.
    pub(super) async fn find(&self, value: Bytes, tags: Bytes) -> Result<Option<Found>, StoreError> {
        let keys = &[value, tags];
        let command = |connection: Arc<Connection>| async move { connection.client.send("MGET", values(keys)).await };
        let found = self.servers.call(|| slot_of(keys), command).await?.into_array().into_iter();
        let mut found = found.map(|value| value.into_bytes().unwrap_or_default());
        let (value, tags) = (found.next().unwrap_or_default(), found.next().unwrap_or_default());
        Ok(Found::read(value, &tags))
    }

    /// Runs a script on keys of one slot.
    pub(super) async fn run(
        &self,
        script: &'static Script,
        keys: &[Bytes],
        args: &[Value],
    ) -> Result<Value, StoreError> {
        self.run_beside(script, keys, args, |_| ready(())).await
    }

    /// Runs a script on keys of one slot, and at the same time something else on its connection.
    pub(super) async fn run_beside<F: Future<Output = ()>>(
        &self,
        script: &'static Script,
        keys: &[Bytes],
        args: &[Value],
        beside: impl Fn(&Arc<Connection>) -> F,
    ) -> Result<Value, StoreError> {
        let command = |connection: Arc<Connection>| {
            let beside = beside(&connection);
            async move {
                let answer = script.run(&connection.client, keys, args);
                join(traced(&connection.address, "EVALSHA", Some(script.name), answer), beside).await.0
            }
        };
        self.servers.call(|| slot_of(keys), command).await
    }

    /// Removes keys, in a cluster of one slot, with their copies and tags, which don't count.
    pub(super) async fn unlink_entries(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        let keys = self.each_physical(keys).collect::<Result<Vec<_>, _>>()?;
        let own = Bytes::from(self.config.prefix.clone());
        let beside = keys.iter().flat_map(|key| {
            let prefixes = self.inner.of(key).into_iter().chain([own.clone()]);
            prefixes.flat_map(|prefix| [bookkeeping::copy_key(&prefix, key), bookkeeping::tags_key(&prefix, key)])
        });
        let beside = beside.collect();
        let (removed, _) = try_join(self.unlink(keys), self.unlink(beside)).await?;
        Ok(removed)
    }

    /// Returns the keys in Redis, which share one buffer.
    pub(super) fn each_physical<K: AsRef<[u8]>>(&self, keys: &[K]) -> impl Iterator<Item = Result<Bytes, StoreError>> {
        let prefix = self.config.prefix.as_bytes();
        let buffer = keys.iter().flat_map(|key| [prefix, key.as_ref()]).collect::<Vec<_>>().concat();
        let mut rest = Bytes::from(buffer);
        keys.iter().map(move |key| {
            let physical = rest.split_to(prefix.len() + key.as_ref().len());
            self.check_physical(key.as_ref(), &physical)?;
            Ok(physical)
        })
    }

    pub(super) async fn unlink(&self, keys: Vec<Bytes>) -> Result<u64, StoreError> {
        self.count("UNLINK", &keys).await
    }

    /// Returns the number that a command on keys of one slot answers.
    pub(super) async fn count(&self, name: &'static str, keys: &[Bytes]) -> Result<u64, StoreError> {
        let command = |connection: Arc<Connection>| async move { connection.send(name, values(keys)).await };
        let count = self.servers.call(|| slot_of(keys), command).await?;
        count.as_u64().ok_or_else(|| unexpected("the number of keys can't be read"))
    }

    /// Returns the key in Redis.
    pub(super) fn physical(&self, key: &[u8]) -> Result<Bytes, StoreError> {
        let physical = match self.config.prefix.as_bytes() {
            [] => Bytes::copy_from_slice(key),
            prefix => [prefix, key].concat().into(),
        };
        self.check_physical(key, &physical)?;
        Ok(physical)
    }

    fn check_physical(&self, key: &[u8], physical: &[u8]) -> Result<(), StoreError> {
        if bookkeeping::is_reserved(&self.config.prefix, physical) {
            return Err(StoreError::OWN_KEY);
        }
        if self.config.is_of_another_prefix(key) {
            let owner = "it is one of the store whose prefix ends with that colon";
            return Err(StoreError::ReservedKey { beginning: ":", owner });
        }
        Ok(())
    }

    /// Returns a key in Redis, its lease, the copy of its value, and its tags.
    pub(super) fn companions(&self, key: Bytes) -> [Bytes; 4] {
        let prefix = &self.config.prefix;
        let (copy, tags) =
            (bookkeeping::copy_key(prefix.as_bytes(), &key), bookkeeping::tags_key(prefix.as_bytes(), &key));
        let lease = bookkeeping::lease_key(prefix, &key);
        [key, lease, copy, tags]
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Returns keys as the arguments of a command.
pub(super) fn values(keys: &[Bytes]) -> Vec<Value> {
    keys.iter().cloned().map(Value::Bytes).collect()
}

pub(super) fn slot_of(keys: &[Bytes]) -> u16 {
    keys.first().map_or(0, |key| key_slot(key))
}
