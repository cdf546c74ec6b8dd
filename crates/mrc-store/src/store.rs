//! The seam to the cache.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::BoxStream;
use mrc_core::{EventListener, Tag};

use crate::batch::{ToClaim, ToFill};
use crate::bound::Bound;
use crate::error::StoreError;
use crate::sealed::Typed;
use crate::tags::{Found, Moment, Tags};

/// A cache: values by key, and the fill protocol that keeps stale values out.
///
/// The protocol in one paragraph: a claim leaves an *empty* value under the key and a token beside it; a fill stores its value only
/// if both are still there. Whoever removes the key — any invalidation, an expiry, an eviction — thereby kills the fill in flight.
/// So a value that was read before an invalidation began is never stored after it.
///
/// Keys are given and returned without the prefix that a store may put before them. No key begins with `mrc:`, where a store keeps its own
/// books: such a call fails with [`StoreError::ReservedKey`].
/// Every method ends within the store's own deadline, with an error if need be; [`scan`](Self::scan) has it for each page.
///
/// A value is JSON in UTF-8. Spaces and line feeds after it aren't part of it, and it is never empty: an empty text is the mark of a claim,
/// one line feed after the value the mark of tags, one space after both the mark of a refresh. That is how the protocol lies in Redis,
/// where other programs read it too.
///
/// A store of your own: implement this, and have your tests run `mrc_store::conformance::store_suite` on it
/// (feature `conformance`).
#[async_trait]
pub trait CacheStore: Typed + Debug + Send + Sync + 'static {
    /// Returns the value under `key` and the tags of its entry, as they are at one moment. Returns `None` if there is no value,
    /// or only a claim.
    ///
    /// The bytes may share the buffer that they were received in: copy the bytes that you keep for long.
    async fn look(&self, key: &str) -> Result<Option<Found>, StoreError>;

    /// The copy of the last value of `key` that was filled with a [`Life`] beyond its TTL and not removed since, with the tags of the entry.
    /// None: there is none.
    async fn stale(&self, key: &str) -> Result<Option<Found>, StoreError>;

    /// The store's clock: a claim for an entry with tags asks for it too, before anything is read. See [`Tags`].
    async fn now(&self) -> Result<Moment, StoreError>;

    /// Claims `key` for a fill, atomically: for the holder of `token`, on these terms.
    ///
    /// `token` is new at every attempt: after an error or a time-out it must not be used again.
    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError>;

    /// Stores `value` if the claim of `token` still stands, atomically, and ends the claim. False: the claim is gone, the value was
    /// not stored.
    ///
    /// Before that the key is registered under each of its tags. Where one of them was invalidated after its moment, or that moment is too
    /// long ago to tell ([`FILL_LIMIT`]), the fill is refused too, and its claim released.
    ///
    /// The copy that outlives the value is stored with it, but only where there is one already, be it the empty one of the claim.
    ///
    /// # Errors
    /// [`StoreError::EmptyValue`] for an empty value, [`StoreError::Tag`] for tags that can't be registered.
    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError>;

    /// Ends the claim of `token` without a value, atomically. A value that was being refreshed stays.
    /// False: the claim had ended already.
    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError>;

    /// Stores `value` without tags for `ttl` (rounded up to milliseconds), whatever is there, and removes the copy of the value before;
    /// a fill in flight is refused afterwards.
    ///
    /// It knows nothing of invalidations: for values that the caller vouches for.
    ///
    /// # Errors
    /// [`StoreError::EmptyValue`] for an empty value.
    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError>;

    /// Returns what is left of the TTL of the value under `key`, [`Duration::MAX`] if it has no end.
    /// Returns `None` if there is no value, or only a claim.
    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError>;

    /// Removes keys, their claims and copies included, without waiting for their memory to be freed. Returns how many values and claims
    /// there were; copies don't count.
    ///
    /// After an error some may be gone and some not: call it again.
    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError>;

    /// Removes the entries that have every one of these tags, their claims and copies included, and returns how many values went.
    ///
    /// When it returns, no value that was read before it began is in the cache under such a tag, and no fill in flight that was to have one
    /// will be stored. An entry that had the tag once, and was filled without it since, stays. The cost depends on how many entries have
    /// the tags, of several tags the rarest, and not on how many keys there are.
    ///
    /// After an error some may be gone and some not: call it again.
    ///
    /// # Errors
    /// [`StoreError::Tag`] for a tag that can't be used; [`StoreError::Timeout`] also when it took longer than [`INVALIDATION_LIMIT`].
    async fn invalidate(&self, tags: &[Tag]) -> Result<u64, StoreError>;

    /// All keys that match, page by page: of values, of claims, and of copies whose values are gone.
    ///
    /// Every key that is there from the beginning to the end of the scan is returned at least once; keys may come twice, and
    /// pages may be empty. In a cluster it covers every primary. A claim's own bookkeeping isn't a key.
    /// After an error the stream ends.
    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_>;

    /// Closes all connections. Calls after that return [`StoreError::Closed`].
    async fn close(&self);

    /// Returns the value under `key`. Returns `None` if there is no value, or only a claim. Default: [`look`](Self::look)
    /// without the tags.
    ///
    /// The bytes may share the buffer that they were received in: copy the bytes that you keep for long.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.look(key).await?.map(|found| found.value))
    }

    /// Returns the values under several keys, in their order: for each what [`get`](Self::get) returns. Default: gets
    /// them one by one, at the same time.
    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>, StoreError>> {
        join_all(keys.iter().map(|key| self.get(key))).await
    }

    /// Claims several keys, each by itself and atomically, and returns the answers in their order: for each what
    /// [`claim`](Self::claim) returns. Default: claims them one by one, at the same time.
    async fn claim_many(&self, claims: &[ToClaim<'_>]) -> Vec<Result<Claim, StoreError>> {
        join_all(claims.iter().map(|one| self.claim(one.key, one.token, one.terms))).await
    }

    /// Fills several keys, each by itself and atomically, and returns the answers in their order: for each what
    /// [`fill`](Self::fill) returns. Default: fills them one by one, at the same time.
    async fn fill_many(&self, fills: Vec<ToFill<'_>>) -> Vec<Result<bool, StoreError>> {
        join_all(fills.into_iter().map(|one| self.fill(one.key, one.token, one.value, one.life))).await
    }

    /// Asks every server whether it answers. In a cluster a server that doesn't is an error, though the others serve their keys.
    /// Default: asks for the [clock](Self::now).
    async fn ping(&self) -> Result<(), StoreError> {
        self.now().await.map(drop)
    }

    /// A view of this store: the entries of one namespace, as a cache of their own with a bound. It shares connections, clock and tags with
    /// the store, and an invalidation by tag reaches both, whichever is asked. It keeps no copies beyond a value's life.
    ///
    /// Keys of the view begin with the namespace and a colon.
    ///
    /// # Errors
    /// [`StoreError::Config`]: the bound can't be used. Default: this store has no bounded caches.
    fn bounded(self: Arc<Self>, namespace: &str, bound: &Bound) -> Result<Arc<dyn CacheStore>, StoreError> {
        let _ = (namespace, bound);
        Err(StoreError::Config("this store has no bounded caches: RedisStore and MemoryStore have them".into()))
    }

    /// Returns the methods that only a cache with a bound has. Default: `None`, since a store has no bound.
    fn as_bounded(&self) -> Option<&dyn BoundedCache> {
        None
    }

    /// Returns how many of these keys hold a value or a claim. Default: all of them, as where there are no copies.
    async fn exist(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        Ok(keys.len() as u64)
    }

    /// Returns how many keys a [`scan`](Self::scan) looks at, of whatever kind; about 1,000 for each page. Returns `None` if the
    /// store can't tell. Default: the [count](BoundedCache::count) of a cache with a bound, and `None` for others.
    async fn scan_size(&self) -> Result<Option<u64>, StoreError> {
        match self.as_bounded() {
            Some(bounded) => bounded.count().await.map(Some),
            None => Ok(None),
        }
    }

    /// Returns what endangers tags, for a person to read: a server that may evict their indexes. Empty where nothing does, or while the store
    /// has been given no tags. Default: empty.
    async fn tag_risks(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Tells a listener from now on when a server is lost and when it is back: [`Event::ServerLost`](mrc_core::Event::ServerLost), [`Event::ServerBack`](mrc_core::Event::ServerBack).
    /// A view with a bound tells of evictions alone, [`Event::Evicted`](mrc_core::Event::Evicted): of servers its store does.
    /// Default: a store that has no servers has nothing to tell.
    fn listen(&self, listener: Arc<dyn EventListener>) {
        drop(listener);
    }

    /// How long a call for one key may take at most. Callers with less time than that put a limit of their own around it.
    /// Default: no limit is known.
    fn patience(&self) -> Duration {
        Duration::MAX
    }
}

/// A cache with a bound, which can count and remove its entries without a scan. [`CacheStore::bounded`] makes one.
#[async_trait]
pub trait BoundedCache: Send + Sync {
    /// Returns how many values there are.
    async fn count(&self) -> Result<u64, StoreError>;

    /// Removes everything at once, and ends the fills in flight. Returns how many values there were.
    async fn purge(&self) -> Result<u64, StoreError>;
}

/// The short forms for a store that may have a bound.
impl dyn CacheStore + '_ {
    /// As [`BoundedCache::count`]. Returns `None` if the store has no bound: a scan tells.
    pub async fn count(&self) -> Result<Option<u64>, StoreError> {
        match self.as_bounded() {
            Some(bounded) => bounded.count().await.map(Some),
            None => Ok(None),
        }
    }

    /// As [`BoundedCache::purge`]. Returns `None` if the store has no bound, and removes nothing.
    pub async fn purge(&self) -> Result<Option<u64>, StoreError> {
        match self.as_bounded() {
            Some(bounded) => bounded.purge().await.map(Some),
            None => Ok(None),
        }
    }
}

/// An attempt to invalidate takes no longer, or fails and is made again. A value that a hit found in the cache can't have been overtaken by
/// an invalidation that began longer ago: it would be gone.
pub const INVALIDATION_LIMIT: Duration = Duration::from_secs(60);

/// A fill with tags comes no later than this after the moment of each: for so long invalidations are remembered.
pub const FILL_LIMIT: Duration = Duration::from_secs(150);

/// For so long an invalidation is remembered.
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) const REMEMBERED: Duration = FILL_LIMIT.saturating_mul(2);

/// Longer lives than this, a century, end no later: beyond it an index couldn't tell one µs from the next.
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// What the keys of our own bookkeeping begin with, behind the prefix of their store: no entry's does.
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) const RESERVED: &[u8] = b"mrc:";

/// Refuses a namespace whose keys would begin with `mrc:`.
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) fn check_namespace(prefix: &str, namespace: &str) -> Result<(), StoreError> {
    let key = [prefix, namespace, ":"].concat();
    if [&key, &key[prefix.len()..]].iter().any(|key| key.as_bytes().starts_with(RESERVED)) {
        return Err(StoreError::Config(format!(
            "the namespace {namespace:?} is reserved: its keys would begin with `mrc:`, as the cache's own do; choose another"
        )));
    }
    Ok(())
}

/// The value as it is stored: without spaces and line feeds at its end.
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) fn storable(mut value: Bytes) -> Result<Bytes, StoreError> {
    let end = value.iter().rposition(|byte| !matches!(byte, b' ' | b'\n')).ok_or(StoreError::EmptyValue)?;
    value.truncate(end + 1);
    Ok(value)
}

/// Pages of keys, as [`CacheStore::scan`] returns them. Keys are bytes: a database may hold keys that aren't text.
pub type KeyPages<'a> = BoxStream<'a, Result<Vec<Bytes>, StoreError>>;

/// What the answer to a claim is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The claim is ours: read, then fill or release.
    Granted,
    /// There is a value by now.
    Hit(Bytes),
    /// Somebody else is filling.
    Busy {
        /// How long their lease still lasts, as far as the store knows.
        lease_left: Option<Duration>,
    },
}

/// The terms of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long it stands at most (rounded up to milliseconds).
    pub lease: Duration,
    /// What it is for.
    pub mode: ClaimMode,
    /// Whether a copy of the value is to outlive it. The claim makes an empty one where there is none, so that whatever removes the key
    /// meanwhile removes that too: a fill that finds none stores none.
    pub copy: bool,
}

impl Terms {
    /// A claim for a fill, without a copy.
    pub fn fill(lease: Duration) -> Self {
        Self { lease, mode: ClaimMode::Fill, copy: false }
    }

    /// A claim for a refresh, without a copy.
    pub fn refresh(lease: Duration) -> Self {
        Self { mode: ClaimMode::Refresh, ..Self::fill(lease) }
    }

    /// With a copy that outlives the value, or without.
    #[must_use]
    pub fn copy(self, copy: bool) -> Self {
        Self { copy, ..self }
    }
}

/// How long a value lives, and a copy of it after that, both rounded up to milliseconds; and the tags whose invalidation ends it earlier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Life {
    /// The value.
    pub ttl: Duration,
    /// How long the copy outlives it. Zero: there is no copy.
    pub stale: Duration,
    /// The tags.
    pub tags: Tags,
}

impl Life {
    /// The life of the copy.
    pub fn of_copy(&self) -> Duration {
        self.ttl.saturating_add(self.stale)
    }

    /// Whether there is a copy.
    pub fn has_copy(&self) -> bool {
        !self.stale.is_zero()
    }
}

impl From<Duration> for Life {
    /// A value without a copy and without tags.
    fn from(ttl: Duration) -> Self {
        Self { ttl, ..Self::default() }
    }
}

/// What is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimMode {
    /// A fill of a key that has no value: a value is a [`Claim::Hit`].
    Fill,
    /// A refresh of a key that may have a value: readers go on hitting it until the fill.
    Refresh,
    /// A refresh of a value that ends soon: one that lives longer is a [`Claim::Hit`], as somebody else has refreshed it since.
    Renew {
        /// The most that may be left of the value's life (rounded up to milliseconds).
        left: Duration,
    },
}

impl ClaimMode {
    /// Whether a value that still lives so long is a [`Claim::Hit`].
    pub fn is_hit(self, left: Duration) -> bool {
        match self {
            Self::Fill => true,
            Self::Refresh => false,
            Self::Renew { left: most } => left > most,
        }
    }
}

/// Which keys a scan returns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanPattern {
    /// Every key.
    All,
    /// Keys that begin with this text, literally.
    Beginning(String),
    /// Keys that contain this text, literally.
    Containing(String),
}

#[cfg(any(feature = "redis", feature = "memory"))]
impl ScanPattern {
    pub(crate) fn matches(&self, key: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Beginning(text) => key.starts_with(text.as_bytes()),
            Self::Containing(text) => {
                text.is_empty() || key.windows(text.len()).any(|window| window == text.as_bytes())
            }
        }
    }
}

/// The name of one claim: 128 random bits, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    /// A token of these bits. They must be random, and new at every claim.
    pub fn from_bits(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
