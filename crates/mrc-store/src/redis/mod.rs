//! Redis and Valkey, by fred: standalone, cluster, sentinel.

mod cluster;
mod config;
mod failure;
mod link;
mod listeners;
mod scan;
mod scripts;
mod servers;
mod slot;
mod span;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fred::interfaces::KeysInterface;
use fred::types::Value;
use fred::util::redis_keyslot;
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use mrc_core::EventListener;

use self::failure::unexpected;
use self::link::Connection;
use self::scripts::{CLAIM, FILL, PUT, RELEASE, Script, TTL};
use self::servers::Servers;
use self::span::traced;
use crate::error::StoreError;
use crate::store::{CacheStore, Claim, ClaimMode, KeyPages, Life, ScanPattern, Terms, Token, storable};

pub use self::config::RedisConfig;
pub use self::tls::TlsConfig;

/// How many keys are removed in one round trip.
const REMOVE_AT_ONCE: usize = 1_000;
/// The longest life that Redis is asked for: 285,000 years. It refuses to add up more than 63 bits.
const LONGEST_MS: u128 = 1 << 53;

/// A cache in Redis or Valkey.
///
/// It connects when it is first used, and shares one connection to each server among all callers; commands are pipelined on it.
/// When the connection breaks it comes back by itself, and meanwhile every call that needs that server fails at once with
/// [`StoreError::Unavailable`]: the caller has a database to read from. A cluster's other servers go on to serve their keys.
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
    config: RedisConfig,
    servers: Servers,
}

impl RedisStore {
    /// A store that connects when it is first used. It needs a tokio runtime then, and none before.
    ///
    /// # Errors
    /// [`StoreError::Config`] says what in the configuration can't be used.
    pub fn new(config: RedisConfig) -> Result<Self, StoreError> {
        Ok(Self { servers: Servers::new(&config)?, config })
    }

    /// [`get`](CacheStore::get) without the box that a method of a trait object needs.
    ///
    /// fred's future for a `GET` holds 7 KB. To allocate that for each hit costs a tenth of the hit and more.
    ///
    /// # Errors
    /// As `get`.
    pub async fn get_unboxed(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        // Flat, for the compiler: it lays the futures of a call chain out one inside the other, fred's are deep already, and it has a limit.
        if let Some((way, connection)) = self.servers.at_hand(|| self.slot(key)) {
            let outcome = connection.client.get::<Option<Bytes>, _>(self.physical(key.as_bytes())).await;
            if let Some(value) = self.servers.judge(&way, outcome) {
                return Ok(value?.and_then(readable));
            }
        }
        Box::pin(self.get_whole_way(self.physical(key.as_bytes()))).await
    }

    /// The value of a key in Redis, its prefix included. Waits for the first connection, and follows a slot that has moved.
    async fn get_whole_way(&self, key: Bytes) -> Result<Option<Bytes>, StoreError> {
        let command = |connection: Arc<Connection>| {
            let key = key.clone();
            async move { connection.client.get::<Option<Bytes>, _>(key).await }
        };
        Ok(self.servers.call(|| redis_keyslot(&key), command).await?.and_then(readable))
    }

    /// Runs a script on keys of one slot.
    async fn run(&self, script: &'static Script, keys: &[Bytes], args: &[Value]) -> Result<Value, StoreError> {
        let slot = || keys.first().map_or(0, |key| redis_keyslot(key));
        let command = |connection: Arc<Connection>| async move {
            let answer = script.run(&connection.client, keys, args);
            traced(&connection.address, "EVALSHA", Some(script.name), answer).await
        };
        self.servers.call(slot, command).await
    }

    /// Removes these keys and their copies, in a cluster all of one slot, by one command.
    async fn unlink(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        let keys = keys.iter().map(|key| self.physical(key));
        let both: &Vec<Bytes> = &keys.flat_map(|key| [slot::copy_key(&key), key]).collect();
        let slot = || both.first().map_or(0, |key| redis_keyslot(key));
        let command = |connection: Arc<Connection>| async move {
            let count = connection.client.unlink::<u64, _>(both.clone());
            traced(&connection.address, "UNLINK", None, count).await
        };
        self.servers.call(slot, command).await
    }

    /// The key's slot in a cluster.
    fn slot(&self, key: &str) -> u16 {
        match self.config.prefix.as_str() {
            "" => redis_keyslot(key.as_bytes()),
            _ => redis_keyslot(&self.physical(key.as_bytes())),
        }
    }

    /// The key as it lies in Redis.
    fn physical(&self, key: &[u8]) -> Bytes {
        match self.config.prefix.as_bytes() {
            [] => Bytes::copy_from_slice(key),
            prefix => [prefix, key].concat().into(),
        }
    }

    /// The key, its lease and the copy of its value, as they lie in Redis.
    fn key_and_companions(&self, key: &str) -> [Bytes; 3] {
        let key = self.physical(key.as_bytes());
        let (lease, copy) = (slot::lease_key(&key), slot::copy_key(&key));
        [key, lease, copy]
    }
}

#[async_trait]
impl CacheStore for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.get_unboxed(key).await
    }

    async fn stale(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let [_, _, copy] = self.key_and_companions(key);
        self.get_whole_way(copy).await
    }

    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        let refresh = match terms.mode {
            ClaimMode::Fill => 0,
            ClaimMode::Refresh => 1,
        };
        let args = [Value::from(token.as_str()), Value::Integer(millis(terms.lease)), Value::Integer(refresh)];
        let keys = self.key_and_companions(key);
        let keys = if terms.copy { &keys[..] } else { &keys[..2] };
        let mut answer = self.run(&CLAIM, keys, &args).await?.into_array().into_iter();
        match (answer.next(), answer.next()) {
            (Some(Value::Integer(1)), _) => Ok(Claim::Granted),
            (Some(Value::Integer(0)), Some(left)) => Ok(Claim::Busy { lease_left: left.as_i64().and_then(remaining) }),
            (Some(Value::Integer(2)), Some(value)) => {
                let value = value.into_bytes().and_then(readable);
                value.map(Claim::Hit).ok_or_else(|| unexpected("a claim was answered with a value that holds nothing"))
            }
            _ => Err(unexpected("the answer to a claim can't be read")),
        }
    }

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        let lives = [life.ttl, life.of_copy()].map(|life| Value::Integer(millis(life)));
        let [ttl, of_copy] = lives;
        let args = [Value::from(token.as_str()), Value::Bytes(storable(value)?), ttl, of_copy];
        let keys = self.key_and_companions(key);
        let (keys, args) = if life.has_copy() { (&keys[..], &args[..]) } else { (&keys[..2], &args[..3]) };
        Ok(self.run(&FILL, keys, args).await? == Value::Integer(1))
    }

    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        let args = [Value::from(token.as_str())];
        Ok(self.run(&RELEASE, &self.key_and_companions(key), &args).await? == Value::Integer(1))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        let args = [Value::Bytes(storable(value)?), Value::Integer(millis(ttl))];
        let [key, _, copy] = self.key_and_companions(key);
        self.run(&PUT, &[key, copy], &args).await.map(drop)
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        match self.run(&TTL, &[self.physical(key.as_bytes())], &[]).await?.as_i64() {
            Some(-1) => Ok(Some(Duration::MAX)),
            Some(left) => Ok(remaining(left)),
            None => Err(unexpected("the answer to PTTL can't be read")),
        }
    }

    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        // In a cluster the keys of one command must share a slot, as a key and its copy do. fred writes a batch in one go.
        let per_command = if self.servers.are_a_cluster() { 1 } else { REMOVE_AT_ONCE };
        let mut removed = 0;
        for batch in keys.chunks(REMOVE_AT_ONCE) {
            let commands = batch.chunks(per_command).map(|keys| self.unlink(keys));
            removed += try_join_all(commands).await?.iter().sum::<u64>();
        }
        Ok(removed)
    }

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        scan::pages(&self.servers, &self.config, pattern).boxed()
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

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("config", &self.config).finish_non_exhaustive()
    }
}

/// A value without the mark of a refresh. None: a claim.
fn readable(mut value: Bytes) -> Option<Bytes> {
    if value.last() == Some(&b' ') {
        value.truncate(value.len() - 1);
    }
    (!value.is_empty()).then_some(value)
}

/// Rounded up, and 1 at least: Redis takes no life of 0 ms.
fn millis(duration: Duration) -> i64 {
    let millis = duration.as_nanos().div_ceil(1_000_000).clamp(1, LONGEST_MS);
    i64::try_from(millis).unwrap_or(i64::MAX)
}

/// An answer of PTTL. Below zero it isn't a time.
fn remaining(millis: i64) -> Option<Duration> {
    u64::try_from(millis).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_are_rounded_up() {
        let check = |duration, expect| assert_eq!(millis(duration), expect);
        check(Duration::ZERO, 1);
        check(Duration::from_nanos(1), 1);
        check(Duration::from_millis(7), 7);
        check(Duration::from_micros(7_001), 8);
        check(Duration::MAX, 1 << 53);
    }

    #[test]
    fn one_space_is_the_mark_of_a_refresh() {
        let check = |stored: &'static str, expect: Option<&'static str>| {
            assert_eq!(readable(Bytes::from(stored)), expect.map(Bytes::from), "{stored:?}");
        };
        check("", None);
        check(" ", None);
        check("[1]", Some("[1]"));
        check("[1] ", Some("[1]"));
    }
}
