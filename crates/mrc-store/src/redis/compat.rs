//! The entries of Python's `simple-dep-cache`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join_all;

use super::bookkeeping::is_reserved;
use super::client::Value;
use super::config::RedisConfig;
use super::failure::unexpected;
use super::hash::key_slot;
use super::link::Connection;
use super::scripts::Script;
use super::span::traced;
use super::store::RedisStore;
use super::wire::{LONGEST_MS, millis};
use crate::error::StoreError;
use crate::store::CacheStore;

static SET: Script = Script::new("compat_set", include_str!("lua/compat_set.lua"));
static INVALIDATE: Script = Script::new("compat_invalidate", include_str!("lua/compat_invalidate.lua"));

/// The text between the prefix and a dependency's name.
const DEPS: &str = "deps:";
/// The number of keys to remove in one batch.
const AT_ONCE: usize = 1_000;
/// The types that their reader takes for objects: it imports and calls what the value names.
const ENVELOPES: [&str; 2] = ["cached_exception", "cacheable_value"];

/// The cache of a Python service that uses `simple-dep-cache` 0.3. Both sides read each other's
/// entries, and Rust invalidates what Python reads.
///
/// It has its own connections, like those of a [`RedisStore`]. Keys come from
/// `mrc_core::compat::simple_dep_key`, or are the service's own names. Values are JSON.
///
/// It has the race of their cache: an empty string is a value there, so there are no claims. A
/// caller that an invalidation overtakes stores a stale value. Give such entries a short TTL.
///
/// | in Redis | content |
/// |---|---|
/// | `{prefix}:{key}` | the value |
/// | `{prefix}:deps:{dependency}` | a set: the keys of the entries that depend on it |
///
/// ```no_run
/// # async fn example() -> Result<(), mrc_store::StoreError> {
/// use std::time::Duration;
/// use mrc_store::{RedisConfig, SimpleDepCache};
///
/// let cache = SimpleDepCache::new(RedisConfig::from_url("redis://127.0.0.1:6379")?)?;
/// cache.set("greeting", r#""hello""#, Some(Duration::from_secs(60)), &["greetings"]).await?;
/// assert_eq!(cache.invalidate("greetings").await?, 1);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct SimpleDepCache {
    store: RedisStore,
    prefix: String,
}

impl SimpleDepCache {
    /// Returns a cache with the prefix `cache`, which connects at its first use.
    ///
    /// # Errors
    /// [`StoreError::Config`]: a setting can't be used, or has mrc's prefix, unknown to Python.
    pub fn new(config: RedisConfig) -> Result<Self, StoreError> {
        if !config.prefix.is_empty() {
            let reason =
                "simple-dep-cache knows no key prefix: leave it out, and give its own to SimpleDepCache::prefix";
            return Err(StoreError::Config(reason.into()));
        }
        Ok(Self { store: RedisStore::new(config)?, prefix: "cache".into() })
    }

    /// Sets the service's `DEP_CACHE_PREFIX`, without a colon. Default: `cache`.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Returns the value of a key as written. Returns `None` for `null`, as Python does.
    ///
    /// A cached exception is only data to inspect:
    /// `{"type":"cached_exception","exception_class":…,"exception_module":…,"message":…}`.
    ///
    /// # Errors
    /// [`StoreError`]: the cache failed, or the key can't belong to an entry.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let entry = &self.entry(key)?;
        let command = |connection: Arc<Connection>| async move {
            let value = connection.client.get(entry.clone());
            traced(&connection.address, "GET", None, value).await
        };
        let value = self.store.servers.call(|| key_slot(entry), command).await?;
        Ok(value.filter(|value| value != "null"))
    }

    /// Stores JSON with a TTL or without one, and registers its dependencies.
    ///
    /// The set of each dependency outlives the entry, even if Python extends it later. So an entry
    /// without a TTL can always be invalidated.
    ///
    /// # Errors
    /// - [`StoreError::Refused`]: the value isn't JSON, or is an object of the `type`
    ///   `cached_exception` or `cacheable_value`, with which Python would call a function.
    /// - Others: the cache failed, or the key can't belong to an entry.
    pub async fn set(
        &self,
        key: &str,
        value: impl Into<Bytes>,
        ttl: Option<Duration>,
        deps: &[&str],
    ) -> Result<(), StoreError> {
        let (entry, value) = (self.entry(key)?, value.into());
        check(&value)?;
        let sets: Vec<Bytes> = deps.iter().map(|dep| self.set_of(dep)).collect::<Result<_, _>>()?;
        let note: [Value; 3] = [Value::Bytes(entry.clone()), ttl.map_or(0, millis).into(), (LONGEST_MS as i64).into()];
        let with_value = [&note[..], &[Value::Bytes(value)]].concat();
        if !self.store.servers.are_a_cluster() {
            let keys = [sets, vec![entry]].concat();
            return self.store.run(&SET, &keys, &with_value).await.map(drop);
        }
        // Their slots differ. Register before, because a crash must not leave an entry without its
        // sets. Register again after, in case of an invalidation in between.
        self.note(&sets, &note).await?;
        self.store.run(&SET, &[entry], &with_value).await?;
        self.note(&sets, &note).await
    }

    /// Deletes an entry. Returns false if there was none.
    ///
    /// # Errors
    /// [`StoreError`]: the cache failed, or the key can't belong to an entry.
    pub async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        Ok(self.store.unlink(vec![self.entry(key)?]).await? > 0)
    }

    /// Deletes all entries that depend on `dep`, and returns their number.
    ///
    /// On one server this is one step. In a cluster entries and set have different slots, so
    /// entries are deleted one by one: an entry written meanwhile stays, also in the set.
    ///
    /// # Errors
    /// [`StoreError`]: the cache failed. Some entries may be left: invalidate again.
    pub async fn invalidate(&self, dep: &str) -> Result<u64, StoreError> {
        let set = self.set_of(dep)?;
        if self.store.servers.are_a_cluster() {
            return self.invalidate_stepwise(&set).await;
        }
        let deleted = self.store.run(&INVALIDATE, &[set], &[]).await?;
        deleted.as_u64().ok_or_else(|| unexpected("the number of deleted entries can't be read"))
    }

    /// Closes the connections. Later calls fail.
    pub async fn close(&self) {
        self.store.close().await;
    }

    async fn note(&self, sets: &[Bytes], note: &[Value]) -> Result<(), StoreError> {
        let notes = sets.iter().map(|set| self.store.run(&SET, std::slice::from_ref(set), note));
        try_join_all(notes).await.map(drop)
    }

    async fn invalidate_stepwise(&self, set: &Bytes) -> Result<u64, StoreError> {
        let members = self.on_set("SMEMBERS", set, &[]).await?.into_array();
        let mut deleted = 0;
        for some in members.chunks(AT_ONCE) {
            let entries = some.iter().filter_map(|entry| entry.clone().into_bytes());
            deleted += try_join_all(entries.map(|entry| self.store.unlink(vec![entry]))).await?.iter().sum::<u64>();
            self.on_set("SREM", set, some).await?;
        }
        Ok(deleted)
    }

    async fn on_set(&self, name: &'static str, set: &Bytes, args: &[Value]) -> Result<Value, StoreError> {
        let args = &[&[Value::Bytes(set.clone())], args].concat();
        let command = |connection: Arc<Connection>| async move { connection.send(name, args.clone()).await };
        self.store.servers.call(|| key_slot(set), command).await
    }

    /// Returns an entry's key in Redis.
    fn entry(&self, key: &str) -> Result<Bytes, StoreError> {
        if key.starts_with(DEPS) {
            return Err(refused("a key that begins with `deps:` is a dependency's: name the entry otherwise"));
        }
        self.named(key)
    }

    fn set_of(&self, dep: &str) -> Result<Bytes, StoreError> {
        self.named(&format!("{DEPS}{dep}"))
    }

    fn named(&self, name: &str) -> Result<Bytes, StoreError> {
        let key = Bytes::from(format!("{}:{name}", self.prefix));
        if is_reserved("", &key) { Err(StoreError::OWN_KEY) } else { Ok(key) }
    }
}

/// Checks that their readers take the value as data.
fn check(value: &[u8]) -> Result<(), StoreError> {
    let value: serde_json::Value = serde_json::from_slice(value).map_err(|error| StoreError::Refused(error.into()))?;
    let kind = value.get("type").and_then(serde_json::Value::as_str);
    if kind.is_some_and(|kind| ENVELOPES.contains(&kind)) {
        return Err(refused("Python would build and call what this value names: its `type` is reserved"));
    }
    Ok(())
}

fn refused(reason: &'static str) -> StoreError {
    StoreError::Refused(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> SimpleDepCache {
        SimpleDepCache::new(RedisConfig::new("127.0.0.1", 1)).unwrap()
    }

    #[test]
    fn names_are_theirs() {
        let cache = cache();
        assert_eq!(cache.entry("abc").unwrap(), "cache:abc");
        let cache = cache.prefix("shop");
        assert_eq!(cache.entry("abc").unwrap(), "shop:abc");
        assert_eq!(cache.set_of("user:1").unwrap(), "shop:deps:user:1");
        assert!(matches!(cache.prefix("mrc").set_of("user:1"), Err(StoreError::ReservedKey { .. })));
        let cache = self::cache();
        assert!(matches!(cache.entry("deps:user:1"), Err(StoreError::Refused(_))));
    }

    #[test]
    fn a_prefix_of_ours_is_refused() {
        let config = RedisConfig::new("127.0.0.1", 1).prefix("shop:");
        assert!(matches!(SimpleDepCache::new(config), Err(StoreError::Config(_))));
    }

    #[test]
    fn only_data_is_stored() {
        let check = |json: &str, expect: bool| assert_eq!(check(json.as_bytes()).is_ok(), expect, "{json}");
        check("[1]", true);
        check(r#""cached_exception""#, true);
        check(r#"{"type":"other"}"#, true);
        check(r#"{"a":{"type":"cached_exception"}}"#, true);
        let command =
            r#"{"type":"cached_exception","exception_module":"os","exception_class":"system","message":"id"}"#;
        check(command, false);
        check(r#"{"type":"other","t\u0079pe":"cached_exception"}"#, false);
        check(r#"{"type":"cacheable_value"}"#, false);
        check("", false);
        check("hello", false);
    }
}
