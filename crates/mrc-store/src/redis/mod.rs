//! Redis and Valkey, by fred: standalone, cluster, sentinel.

mod bounded;
mod cluster;
#[cfg(feature = "compat")]
mod compat;
mod config;
mod failure;
mod link;
mod scan;
mod scripts;
mod servers;
mod slot;
mod span;
mod tags;
mod tls;
mod usage;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fred::interfaces::KeysInterface;
use fred::types::Value;
use fred::util::redis_keyslot;
use futures_util::StreamExt;
use futures_util::future::{try_join, try_join_all};
use mrc_core::{EventListener, Tag};
use tokio::sync::OnceCell;

use self::bounded::Structure;
use self::failure::{absent_if_foreign, unexpected};
use self::link::{Connection, lock};
use self::scan::InnerPrefixes;
use self::scripts::{CLAIM, FILL, PUT, RELEASE, Script, TTL};
use self::servers::Servers;
use self::span::traced;
use crate::bound::Bound;
use crate::bound::place::structure_of;
use crate::error::StoreError;
use crate::store::{
    CacheStore, Claim, ClaimMode, INVALIDATION_LIMIT, KeyPages, Life, ScanPattern, Terms, Token, storable,
};
use crate::tags::{Found, Moment, Tags, all_of};

pub use self::bounded::BoundedRedis;
#[cfg(feature = "compat")]
pub use self::compat::SimpleDepCache;
pub use self::config::RedisConfig;
pub use self::tls::TlsConfig;
pub use self::usage::ServerUsage;

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
    /// The clock's time that is asked for. None: it didn't come.
    asked: Mutex<Arc<OnceCell<Option<Moment>>>>,
    /// Whether any entry was filled with tags.
    has_tags: AtomicBool,
    /// Longer prefixes, whose copies a scan found.
    inner: InnerPrefixes,
}

impl RedisStore {
    /// A store that connects when it is first used. It needs a tokio runtime then, and none before.
    ///
    /// # Errors
    /// [`StoreError::Config`] says what in the configuration can't be used.
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
            inner: InnerPrefixes::default(),
        })
    }

    /// [`get`](CacheStore::get) without the box that a method of a trait object needs.
    ///
    /// fred's future for a `GET` holds 7 KB. To allocate that for each hit costs a tenth of the hit and more.
    ///
    /// # Errors
    /// As `get`.
    pub async fn get_unboxed(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let physical = self.physical(key.as_bytes())?;
        // Flat, for the compiler: it lays the futures of a call chain out one inside the other, fred's are deep already, and it has a limit.
        if let Some((way, connection)) = self.servers.at_hand(|| redis_keyslot(&physical)) {
            let outcome = connection.client.get::<Option<Bytes>, _>(physical).await;
            if let Some(value) = self.servers.judge(&way, absent_if_foreign(outcome)) {
                return Ok(value?.and_then(readable));
            }
        }
        Box::pin(self.get_whole_way(self.physical(key.as_bytes())?)).await
    }

    /// The value of a key in Redis, its prefix included. Waits for the first connection, and follows a slot that has moved.
    async fn get_whole_way(&self, key: Bytes) -> Result<Option<Bytes>, StoreError> {
        let command = |connection: Arc<Connection>| {
            let key = key.clone();
            async move { absent_if_foreign(connection.client.get::<Option<Bytes>, _>(key).await) }
        };
        Ok(self.servers.call(|| redis_keyslot(&key), command).await?.and_then(readable))
    }

    /// A value and the tags of its entry.
    async fn find(&self, value: Bytes, tags: Bytes) -> Result<Option<Found>, StoreError> {
        let keys = &vec![value, tags];
        let command = |connection: Arc<Connection>| async move {
            connection.client.mget::<Vec<Option<Bytes>>, _>(keys.clone()).await
        };
        let mut found = self.servers.call(|| slot_of(keys), command).await?.into_iter().map(Option::unwrap_or_default);
        let (value, tags) = (found.next().unwrap_or_default(), found.next().unwrap_or_default());
        Ok(Found::read(value, &tags))
    }

    /// How many values the structure of a bounded cache has, by the key that [`scan`](CacheStore::scan) returns for it. None: the key is of another kind.
    ///
    /// # Errors
    /// As those of any command.
    pub async fn structure_len(&self, key: &[u8]) -> Result<Option<u64>, StoreError> {
        let Some(base) = structure_of(key) else { return Ok(None) };
        bounded::len(self, &Structure::ours(self.physical(base)?)).await.map(Some)
    }

    /// Removes a structure, and returns how many values it had.
    async fn purge(&self, base: &[u8]) -> Result<u64, StoreError> {
        bounded::purge(self, &Structure::ours(self.physical(base)?)).await
    }

    /// Runs a script on keys of one slot.
    async fn run(&self, script: &'static Script, keys: &[Bytes], args: &[Value]) -> Result<Value, StoreError> {
        let command = |connection: Arc<Connection>| async move {
            let answer = script.run(&connection.client, keys, args);
            traced(&connection.address, "EVALSHA", Some(script.name), answer).await
        };
        self.servers.call(|| slot_of(keys), command).await
    }

    /// Removes these keys, and their copies and tags, which don't count; in a cluster all of one slot.
    async fn unlink_entries(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        let keys = self.all_physical(keys)?;
        let own = Bytes::from(self.config.prefix.clone());
        let beside = keys.iter().flat_map(|key| {
            let prefixes = self.inner.of(key).into_iter().chain([own.clone()]);
            prefixes.flat_map(|prefix| [slot::copy_key(&prefix, key), slot::tags_key(&prefix, key)])
        });
        let beside = beside.collect();
        let (removed, _) = try_join(self.unlink(keys), self.unlink(beside)).await?;
        Ok(removed)
    }

    fn all_physical(&self, keys: &[Bytes]) -> Result<Vec<Bytes>, StoreError> {
        keys.iter().map(|key| self.physical(key)).collect()
    }

    async fn unlink(&self, keys: Vec<Bytes>) -> Result<u64, StoreError> {
        let keys = &keys;
        let command = |connection: Arc<Connection>| async move {
            let count = connection.client.unlink::<u64, _>(keys.clone());
            traced(&connection.address, "UNLINK", None, count).await
        };
        self.servers.call(|| slot_of(keys), command).await
    }

    /// The key as it lies in Redis.
    fn physical(&self, key: &[u8]) -> Result<Bytes, StoreError> {
        let physical = match self.config.prefix.as_bytes() {
            [] => Bytes::copy_from_slice(key),
            prefix => [prefix, key].concat().into(),
        };
        if slot::is_reserved(&self.config.prefix, &physical) {
            return Err(StoreError::OWN_KEY);
        }
        if self.config.is_of_another_prefix(key) {
            let owner = "it is one of the store whose prefix ends with that colon";
            return Err(StoreError::ReservedKey { beginning: ":", owner });
        }
        Ok(physical)
    }

    /// A key in Redis, its lease, the copy of its value and its tags.
    fn companions(&self, key: Bytes) -> [Bytes; 4] {
        let prefix = &self.config.prefix;
        let (copy, tags) = (slot::copy_key(prefix.as_bytes(), &key), slot::tags_key(prefix.as_bytes(), &key));
        let lease = slot::lease_key(prefix, &key);
        [key, lease, copy, tags]
    }
}

#[async_trait]
impl CacheStore for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.get_unboxed(key).await
    }

    async fn look(&self, key: &str) -> Result<Option<Found>, StoreError> {
        let key = self.physical(key.as_bytes())?;
        let tags = slot::tags_key(self.config.prefix.as_bytes(), &key);
        self.find(key, tags).await
    }

    async fn stale(&self, key: &str) -> Result<Option<Found>, StoreError> {
        let (prefix, key) = (self.config.prefix.as_bytes(), self.physical(key.as_bytes())?);
        self.find(slot::copy_key(prefix, &key), slot::tags_key(prefix, &key)).await
    }

    async fn now(&self) -> Result<Moment, StoreError> {
        // Of calls at one time one asks: what it is told is earlier than what any of them reads from then on.
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
        // In the indexes first: an invalidation that comes in between finds the key there, and the claim under it.
        if !self.track(&entry, &life.tags, life.of_copy()).await? {
            self.release(key, token).await?;
            return Ok(false);
        }
        // A copy from before goes in any case: the tags that it had are replaced.
        let keys = [entry, lease, copy, tags];
        let tags = Value::Bytes(tags::to_json(&life.tags).into());
        let has_copy = Value::Integer(life.has_copy().into());
        let args = [token_arg, Value::Bytes(marked(&value)), ttl, of_copy, tags, has_copy];
        Ok(self.run(&FILL, &keys, &args).await? == Value::Integer(1))
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
        // In a cluster the keys of one command must share a slot, as a key and its copy do. fred writes a batch in one go.
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
        // A look at the clock that is under way may have begun before: whoever claims from now on isn't to share it, or the fill is refused.
        *lock(&self.asked) = Arc::default();
        outcome.unwrap_or(Err(StoreError::Timeout(INVALIDATION_LIMIT)))
    }

    fn bounded(self: Arc<Self>, namespace: &str, bound: &Bound) -> Result<Arc<dyn CacheStore>, StoreError> {
        Ok(Arc::new(BoundedRedis::new(self, namespace, bound)?))
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

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("config", &self.config).finish_non_exhaustive()
    }
}

/// How many ms a value that is refreshed may still live; 0: no value is refreshed.
fn most_left(mode: ClaimMode) -> Value {
    Value::Integer(match mode {
        ClaimMode::Fill => 0,
        ClaimMode::Renew { left } => millis(left),
        ClaimMode::Refresh => i64::MAX,
    })
}

/// The answer to a claim.
fn claimed(answer: Value) -> Result<Claim, StoreError> {
    let mut answer = answer.into_array().into_iter();
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

/// The slot of keys that are all in one.
fn slot_of(keys: &[Bytes]) -> u16 {
    keys.first().map_or(0, |key| redis_keyslot(key))
}

/// A value without its marks. None: a claim, or nothing but marks.
fn readable(mut value: Bytes) -> Option<Bytes> {
    let bare = without_refresh(&value);
    value.truncate(bare.strip_suffix(b"\n").unwrap_or(bare).len());
    value.iter().any(|byte| !matches!(byte, b' ' | b'\n')).then_some(value)
}

impl Found {
    /// A value as it lies in Redis, and the tags beside it. None: a claim.
    fn read(value: Bytes, tags: &[u8]) -> Option<Self> {
        let tags = if has_tags(&value) { tags::from_json(tags) } else { Some(Tags::default()) };
        readable(value).map(|value| Self { value, tags })
    }
}

/// Whether the value is marked as one of an entry with tags.
fn has_tags(value: &[u8]) -> bool {
    without_refresh(value).ends_with(b"\n")
}

fn without_refresh(value: &[u8]) -> &[u8] {
    value.strip_suffix(b" ").unwrap_or(value)
}

/// The value with the mark of tags.
fn marked(value: &[u8]) -> Bytes {
    [value, b"\n"].concat().into()
}

/// Rounded up, and 1 at least: Redis takes no life of 0 ms.
fn millis(duration: Duration) -> i64 {
    let millis = duration.as_nanos().div_ceil(1_000_000).clamp(1, LONGEST_MS);
    i64::try_from(millis).unwrap_or(i64::MAX)
}

/// The answer to how long a value lives on.
fn life_left(answer: &Value) -> Result<Option<Duration>, StoreError> {
    match answer.as_i64() {
        Some(-1) => Ok(Some(Duration::MAX)),
        Some(left) => Ok(remaining(left)),
        None => Err(unexpected("the answer to PTTL can't be read")),
    }
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
    fn a_line_feed_marks_tags_and_a_space_a_refresh() {
        let check = |stored: &'static str, expect: Option<&'static str>, tags: bool| {
            assert_eq!(readable(Bytes::from(stored)), expect.map(Bytes::from), "{stored:?}");
            assert_eq!(has_tags(stored.as_bytes()), tags, "{stored:?}");
        };
        check("", None, false);
        check(" ", None, false);
        check(" \n", None, true);
        check("  \n\n ", None, true);
        check("[1]", Some("[1]"), false);
        check("[1] ", Some("[1]"), false);
        check("[1]\n", Some("[1]"), true);
        check("[1]\n ", Some("[1]"), true);
    }
}
