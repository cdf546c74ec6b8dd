//! The seam to the cache.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{join, join_all, try_join, try_join_all};
use futures_util::stream::BoxStream;
use mrc_core::{EventListener, Tag};

use crate::books::{Checkpoints, Schemes};
use crate::bound::Bound;
use crate::error::StoreError;
use crate::sealed::Typed;
use crate::tags::{Found, Moment};

pub use crate::protocol::{Claim, ClaimMode, FILL_LIMIT, INVALIDATION_LIMIT, Life, Terms, ToClaim, ToFill, Token};
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) use crate::protocol::{LONGEST, REMEMBERED};

/// A cache: values by key, and the fill protocol that keeps stale values out.
///
/// The protocol: a claim leaves an *empty* value under the key, and a token beside it. A fill
/// stores its value only if both are still there. An invalidation, an expiry or an eviction removes
/// the key, and so refuses the fill in flight. Therefore a value that was read before an
/// invalidation is never stored after it.
///
/// Keys are given and returned without the store's prefix. Keys that begin with `mrc:` are reserved
/// for the store: such a call fails with [`StoreError::ReservedKey`]. Every method ends within the
/// store's own deadline, if need be with an error. For [`scan`](Self::scan) the deadline holds for
/// each page.
///
/// A value is JSON in UTF-8, and never empty. Spaces and line feeds at its end aren't part of it,
/// because they mark its state in Redis, where other programs read it too. An empty text marks a
/// claim, one line feed after the value marks tags, and one space after both marks a refresh.
///
/// For a store of your own, implement this trait and run `mrc_store::conformance::store_suite` in
/// its tests (feature `conformance`).
#[async_trait]
pub trait CacheStore: Typed + Debug + Send + Sync + 'static {
    /// Returns the value under `key` and the tags of its entry, both as of one moment. Returns
    /// `None` if there is no value, or only a claim.
    ///
    /// The bytes may share the buffer that they were received in. Copy bytes that you keep for
    /// long.
    async fn look(&self, key: &str) -> Result<Option<Found>, StoreError>;

    /// Returns the stale copy of `key`, with the tags of its entry. Returns `None` if there is
    /// none.
    ///
    /// A fill with [`Life::stale`] stores a copy. Removing the key removes the copy.
    async fn stale(&self, key: &str) -> Result<Option<Found>, StoreError>;

    /// Returns the time of the store's clock. For an entry with tags the caller asks before it
    /// reads anything. See [`Tags`](crate::Tags).
    async fn now(&self) -> Result<Moment, StoreError>;

    /// Claims `key` for the holder of `token`, atomically.
    ///
    /// Every attempt needs a new `token`. After an error or a timeout it can't be used again.
    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError>;

    /// Claims `key` for an entry with tags: like [`claim`](Self::claim), with the time of the
    /// store's clock. Default: both at once.
    async fn claim_at(&self, key: &str, token: &Token, terms: Terms) -> Result<(Claim, Moment), StoreError> {
        try_join(self.claim(key, token, terms), self.now()).await
    }

    /// Stores `value` if the claim of `token` still stands, atomically, and ends the claim. Returns
    /// `false` if the claim is gone and the value wasn't stored.
    ///
    /// First the key is registered under each of its tags. The fill is refused, and its claim
    /// released, if a tag was invalidated after its moment. It is also refused if that moment is
    /// more than [`FILL_LIMIT`] ago.
    ///
    /// The stale copy is replaced together with the value, but only if there is one already, for
    /// example the empty one of the claim.
    ///
    /// # Errors
    /// [`StoreError::EmptyValue`] for an empty value, [`StoreError::Tag`] for tags that can't be
    /// registered.
    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError>;

    /// Ends the claim of `token` without a value, atomically. Returns `false` if the claim had
    /// ended already. A value that was being refreshed stays.
    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError>;

    /// Stores `value` without tags for `ttl` (rounded up to milliseconds), and removes the stale
    /// copy. It overwrites any value, and a fill in flight is refused afterwards.
    ///
    /// It ignores invalidations: use it only for values that are known to be current.
    ///
    /// # Errors
    /// [`StoreError::EmptyValue`] for an empty value.
    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError>;

    /// Returns the rest of the TTL of the value under `key`, or [`Duration::MAX`] if it never
    /// expires. Returns `None` if there is no value, or only a claim.
    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError>;

    /// Removes keys with their claims and copies, and doesn't wait for their memory to be freed.
    /// Returns the number of values and claims. Copies don't count.
    ///
    /// After an error some keys may be removed and others not: call it again.
    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError>;

    /// Removes the entries that have all of these tags, with their claims and copies. Returns the
    /// number of values.
    ///
    /// When it returns, the cache has no value under such a tag that was read before the call. A
    /// fill in flight with such a tag won't be stored. An entry stays if its last fill was without
    /// the tag. The cost depends on the number of entries of the rarest tag, not on the number of
    /// keys.
    ///
    /// After an error some entries may be removed and others not: call it again.
    ///
    /// # Errors
    /// [`StoreError::Tag`] for a tag that can't be used; [`StoreError::Timeout`] also after
    /// [`INVALIDATION_LIMIT`].
    async fn invalidate(&self, tags: &[Tag]) -> Result<u64, StoreError>;

    /// Returns all keys that match, page by page: keys of values, of claims, and of copies without
    /// a value.
    ///
    /// Every key that exists during the whole scan is returned at least once. Keys may come twice,
    /// and pages may be empty. In a cluster it covers every primary. The tokens of claims aren't
    /// keys. After an error the stream ends.
    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_>;

    /// Closes all connections. Later calls return [`StoreError::Closed`].
    async fn close(&self);

    /// Returns the value under `key`. Returns `None` if there is no value, or only a claim.
    /// Default: [`look`](Self::look) without the tags.
    ///
    /// The bytes may share the buffer that they were received in. Copy bytes that you keep for
    /// long.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.look(key).await?.map(|found| found.value))
    }

    /// Returns the values under several keys, in their order: for each what [`get`](Self::get)
    /// returns. Default: gets them one by one, at the same time.
    async fn get_many(&self, keys: &[&str]) -> Vec<Result<Option<Bytes>, StoreError>> {
        join_all(keys.iter().map(|key| self.get(key))).await
    }

    /// Claims several keys, each by itself and atomically, and returns the answers in their order:
    /// for each what [`claim`](Self::claim) returns. Default: claims them one by one, at the same
    /// time.
    async fn claim_many(&self, claims: &[ToClaim<'_>]) -> Vec<Result<Claim, StoreError>> {
        join_all(claims.iter().map(|one| self.claim(one.key, one.token, one.terms))).await
    }

    /// Claims several keys for entries with tags: like [`claim_many`](Self::claim_many), each with
    /// a time of the store's clock. Default: claims the keys and reads the clock at the same time.
    async fn claim_many_at(&self, claims: &[ToClaim<'_>]) -> Vec<Result<(Claim, Moment), StoreError>> {
        claim_beside_clock(self, claims).await
    }

    /// Fills several keys, each by itself and atomically, and returns the answers in their order:
    /// for each what [`fill`](Self::fill) returns. Default: fills them one by one, at the same
    /// time.
    async fn fill_many(&self, fills: Vec<ToFill<'_>>) -> Vec<Result<bool, StoreError>> {
        join_all(fills.into_iter().map(|one| self.fill(one.key, one.token, one.value, one.life))).await
    }

    /// Removes the entries that have any of these tags, and returns for each tag what
    /// [`invalidate`](Self::invalidate) of that tag alone returns. Default: invalidates them one by
    /// one, at the same time.
    ///
    /// # Errors
    /// As [`invalidate`](Self::invalidate), for all of the tags.
    async fn invalidate_each(&self, tags: &[Tag]) -> Result<Vec<u64>, StoreError> {
        try_join_all(tags.iter().map(|tag| self.invalidate(std::slice::from_ref(tag)))).await
    }

    /// Checks that every server answers. In a cluster one silent server is an error, although the
    /// others serve their keys. Default: asks for the [clock](Self::now).
    async fn ping(&self) -> Result<(), StoreError> {
        self.now().await.map(drop)
    }

    /// Returns a view of this store: the entries of one namespace, as a cache with a bound.
    ///
    /// The view shares connections, clock and tags with the store. An invalidation by tag reaches
    /// both, whichever is called. The view keeps no stale copies. Keys of the view begin with the
    /// namespace and a colon.
    ///
    /// # Errors
    /// [`StoreError::Config`]: the bound can't be used. Default: this store has no bounded caches.
    fn bounded(self: Arc<Self>, namespace: &str, bound: &Bound) -> Result<Arc<dyn CacheStore>, StoreError> {
        let _ = (namespace, bound);
        Err(StoreError::Config("this store has no bounded caches: RedisStore and MemoryStore have them".into()))
    }

    /// Returns the methods that only a cache with a bound has. Default: `None`, since a store has
    /// no bound.
    fn as_bounded(&self) -> Option<&dyn BoundedCache> {
        None
    }

    /// Returns the bookkeeping of followers. Default: `None`, since a store needn't keep any.
    fn as_checkpoints(&self) -> Option<&dyn Checkpoints> {
        None
    }

    /// Returns the registry of schemes. Default: `None`, since a store needn't have one.
    fn as_schemes(&self) -> Option<&dyn Schemes> {
        None
    }

    /// Returns how many of these keys have a value or a claim. Default: all of them, which is right
    /// without copies.
    async fn exist(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        Ok(keys.len() as u64)
    }

    /// Returns the number of keys, of any kind, that a [`scan`](Self::scan) visits: about 1,000 a
    /// page. Returns `None` if it is unknown. Default: the [count](BoundedCache::count) of a cache
    /// with a bound, and `None` for others.
    async fn scan_size(&self) -> Result<Option<u64>, StoreError> {
        match self.as_bounded() {
            Some(bounded) => bounded.count().await.map(Some),
            None => Ok(None),
        }
    }

    /// Returns the dangers for tags, as texts for people: a server that may evict the indexes of
    /// tags. Returns none while the store has no tags. Default: none.
    async fn tag_risks(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Emits the loss and the return of servers to `listener`:
    /// [`Event::ServerLost`](mrc_core::Event::ServerLost) and
    /// [`Event::ServerBack`](mrc_core::Event::ServerBack).
    ///
    /// A view with a bound emits only [`Event::Evicted`](mrc_core::Event::Evicted), because its
    /// store emits those of servers. Default: emits nothing, as a store without servers.
    fn listen(&self, listener: Arc<dyn EventListener>) {
        drop(listener);
    }

    /// Returns the longest time that a call for one key takes. Callers with less time set a limit
    /// of their own. Default: [`Duration::MAX`], no known limit.
    fn patience(&self) -> Duration {
        Duration::MAX
    }
}

/// Claims keys and reads the clock at the same time. An error of the clock is that of all.
pub(crate) async fn claim_beside_clock<S: CacheStore + ?Sized>(
    store: &S,
    claims: &[ToClaim<'_>],
) -> Vec<Result<(Claim, Moment), StoreError>> {
    let (claims, now) = join(store.claim_many(claims), store.now()).await;
    let with_time = |claim| now.as_ref().map(|now| (claim, *now)).map_err(StoreError::again);
    claims.into_iter().map(|claim| claim.and_then(with_time)).collect()
}

/// A cache with a bound, which counts and removes its entries without a scan.
/// [`CacheStore::bounded`] creates one.
#[async_trait]
pub trait BoundedCache: Send + Sync {
    /// Returns the number of values.
    async fn count(&self) -> Result<u64, StoreError>;

    /// Removes all entries at once, and refuses the fills in flight. Returns the number of values.
    async fn purge(&self) -> Result<u64, StoreError>;
}

/// The short forms for a store that may have a bound.
impl dyn CacheStore + '_ {
    /// Returns the number of values. Returns `None` without a bound: then only a scan can count.
    pub async fn count(&self) -> Result<Option<u64>, StoreError> {
        match self.as_bounded() {
            Some(bounded) => bounded.count().await.map(Some),
            None => Ok(None),
        }
    }

    /// Removes all entries, and returns the number of values. Without a bound: nothing, and `None`.
    pub async fn purge(&self) -> Result<Option<u64>, StoreError> {
        match self.as_bounded() {
            Some(bounded) => bounded.purge().await.map(Some),
            None => Ok(None),
        }
    }
}

/// The beginning of bookkeeping keys, after the store's prefix. No entry's key begins with it.
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

/// Returns the value without spaces and line feeds at its end.
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) fn storable(mut value: Bytes) -> Result<Bytes, StoreError> {
    let end = value.iter().rposition(|byte| !matches!(byte, b' ' | b'\n')).ok_or(StoreError::EmptyValue)?;
    value.truncate(end + 1);
    Ok(value)
}

/// Pages of keys of a [`CacheStore::scan`], as bytes, because a database may hold any keys.
pub type KeyPages<'a> = BoxStream<'a, Result<Vec<Bytes>, StoreError>>;

/// The keys that a scan returns.
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
