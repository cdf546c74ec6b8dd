//! Redis and Valkey, by fred: standalone, cluster, sentinel.

mod config;
mod failure;
mod link;
mod scan;
mod scripts;
mod slot;
mod tls;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::Value;
use futures_util::StreamExt;
use futures_util::future::try_join_all;

use self::failure::unexpected;
use self::link::Link;
use self::scripts::{CLAIM, FILL, PUT, RELEASE, TTL};
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
/// It connects when it is first used, and shares one connection among all callers; commands are pipelined on it.
/// When the connection breaks it comes back by itself, and meanwhile every call fails at once with
/// [`StoreError::Unavailable`]: the caller has a database to read from.
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
    link: Link,
}

impl RedisStore {
    /// A store that connects when it is first used. It needs a tokio runtime then, and none before.
    ///
    /// # Errors
    /// [`StoreError::Config`] says what in the configuration can't be used.
    pub fn new(config: RedisConfig) -> Result<Self, StoreError> {
        Ok(Self { link: Link::new(&config)?, config })
    }

    /// [`get`](CacheStore::get) without the box that a method of a trait object needs.
    ///
    /// fred's future for a `GET` holds 7 KB. To allocate that for each hit costs a tenth of the hit and more.
    ///
    /// # Errors
    /// As `get`.
    pub async fn get_unboxed(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let connection = self.link.connection().await?;
        let value = connection.client.get::<Option<Bytes>, _>(self.physical(key.as_bytes())).await;
        Ok(self.link.judge(&connection, value)?.and_then(readable))
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
        let connection = self.link.connection().await?;
        let value = connection.client.get::<Option<Bytes>, _>(copy).await;
        Ok(self.link.judge(&connection, value)?.and_then(readable))
    }

    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        let refresh = match terms.mode {
            ClaimMode::Fill => 0,
            ClaimMode::Refresh => 1,
        };
        let args = [Value::from(token.as_str()), Value::Integer(millis(terms.lease)), Value::Integer(refresh)];
        let keys = self.key_and_companions(key);
        let keys = if terms.copy { &keys[..] } else { &keys[..2] };
        let connection = self.link.connection().await?;
        let answer = CLAIM.run(&connection.client, keys, &args).await;

        let mut answer = self.link.judge(&connection, answer)?.into_array().into_iter();
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
        let connection = self.link.connection().await?;
        let answer = FILL.run(&connection.client, keys, args).await;
        Ok(self.link.judge(&connection, answer)? == Value::Integer(1))
    }

    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        let connection = self.link.connection().await?;
        let answer =
            RELEASE.run(&connection.client, &self.key_and_companions(key), &[Value::from(token.as_str())]).await;
        Ok(self.link.judge(&connection, answer)? == Value::Integer(1))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        let args = [Value::Bytes(storable(value)?), Value::Integer(millis(ttl))];
        let [key, _, copy] = self.key_and_companions(key);
        let connection = self.link.connection().await?;
        let answer = PUT.run(&connection.client, &[key, copy], &args).await;
        self.link.judge(&connection, answer).map(drop)
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        let connection = self.link.connection().await?;
        let answer = TTL.run(&connection.client, &[self.physical(key.as_bytes())], &[]).await;
        match self.link.judge(&connection, answer)?.as_i64() {
            Some(-1) => Ok(Some(Duration::MAX)),
            Some(left) => Ok(remaining(left)),
            None => Err(unexpected("the answer to PTTL can't be read")),
        }
    }

    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        // In a cluster the keys of one command must share a slot, as a key and its copy do. fred writes a batch in one go.
        let per_command = if self.config.is_cluster() { 1 } else { REMOVE_AT_ONCE };
        let mut removed = 0;
        for batch in keys.chunks(REMOVE_AT_ONCE) {
            let connection = self.link.connection().await?;
            let commands = batch.chunks(per_command).map(|keys| {
                let keys = keys.iter().map(|key| self.physical(key));
                let both: Vec<Bytes> = keys.flat_map(|key| [slot::copy_key(&key), key]).collect();
                connection.client.unlink::<u64, _>(both)
            });
            let counts = self.link.judge(&connection, try_join_all(commands).await)?;
            removed += counts.iter().sum::<u64>();
        }
        Ok(removed)
    }

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        scan::pages(&self.link, &self.config, pattern).boxed()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let connection = self.link.connection().await?;
        let answer = connection.client.ping::<()>(None).await;
        self.link.judge(&connection, answer)
    }

    async fn close(&self) {
        self.link.close().await;
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
