//! The cache of functions and plain values, in a namespace of a store.

mod builder;
mod config;
mod entry;
mod many;

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use mrc_core::{Event, EventListener, FunctionKey, Key, Stats};
use mrc_store::{Bound, CacheStore, Retries, Select, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::{Call, Options};
use crate::codec::{Codec, Unfit};
use crate::error::{Error, Result};
use crate::health::{Health, probe, tag_risks};
use crate::mode::Mode;
use crate::pipeline::Pipeline;
use crate::pipeline::function::{self, Function};
use crate::settings::with_options;
use crate::store::Store;

pub use self::builder::CacheBuilder;
pub use self::config::CacheConfig;
pub use self::entry::{Entry, Spec};

/// A cache of functions and plain values. One caller computes a missing value for all.
///
/// A value that was computed before an [`invalidate`](Self::invalidate) is never returned after it.
/// Cheap to clone: all clones share everything. Caches of a namespace share entries, in any
/// process.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mrc_client::Error> {
/// # use mrc_store::MemoryStore;
/// use mrc_client::{Cache, Error, Spec, scope};
/// use mrc_core::Tag;
///
/// let cache = Cache::builder(MemoryStore::new()).namespace("shop").build()?;
///
/// let feed = async || {
///     scope::tag("user:42"); // known only while it runs, and still no invalidation is lost
///     Ok::<_, Error>("first, second".to_owned())
/// };
/// let spec = Spec::of("feed").param("user_id", 42).ttl(60);
/// assert_eq!(cache.get_or_try(spec, feed).await?, "first, second");
/// assert_eq!(cache.invalidate(Tag::new("user:42")).await?, 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Cache {
    inner: Arc<CacheInner>,
    options: Options,
    /// The error that each call ends with, before anything runs.
    fails: Option<Error>,
}

pub(crate) struct CacheInner {
    pipeline: Arc<Pipeline>,
    /// The store without a bound.
    whole: Store,
    namespace: Box<str>,
    config: CacheConfig,
    stats: Arc<Stats>,
    /// The parts that have a bound.
    parts: RwLock<HashMap<Bound, Cache>>,
}

impl Cache {
    /// Returns the value of an entry, from the cache or the function, whose errors aren't cached.
    ///
    /// While the function runs, it may add tags to its entry, or set its TTL: see
    /// [`scope`](crate::scope). The value is written and read back, so that a miss returns the same
    /// as a hit.
    ///
    /// # Errors
    /// The function's own, and as `E`:
    /// - [`Error::FunctionKey`], [`Error::Ttl`], [`Error::Tag`]: nothing runs. Correct the spec.
    /// - [`Error::Deadline`]: the call took too long.
    /// - [`Error::Missed`]: the cache doesn't have the value, in [`Mode::ReadOnly`].
    /// - [`Error::Store`]: the cache failed, with [`OnError::Fail`](crate::OnError::Fail).
    ///
    /// A value that can't be stored is returned all the same.
    pub async fn get_or_try<T, E, F, Fut>(&self, spec: impl Into<Spec>, function: F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<Error> + fmt::Display,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let (key, call) = self.prepare(spec.into())?;
        function::get_or_try(&self.inner.pipeline, &key, &call, self.inner.config.codec, function).await
    }

    /// Returns the value of an entry, from the cache or from the function.
    ///
    /// Works like [`get_or_try`](Self::get_or_try), for a function that can't fail. If the cache
    /// fails, the function runs, also in [`Mode::ReadOnly`]. The function has no deadline. A caller
    /// that waits for another caller's computation runs its own function after the cache's
    /// [`deadline`](CacheBuilder::deadline).
    pub async fn get_or<T, F, Fut>(&self, spec: impl Into<Spec>, function: F) -> T
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let work = pin!(async move { Ok::<T, Infallible>(Box::pin(function()).await) });
        let mut function = Function::new(work);
        if let Ok((key, mut call)) = self.prepare(spec.into()) {
            call.options.endless = true;
            let tell = |never: &Infallible| match *never {};
            let value = function.through(&self.inner.pipeline, &key, &call, self.inner.config.codec, tell).await;
            if let Ok(value) = value {
                return value;
            }
        }
        let Ok(value) = function.finish().await;
        value
    }

    /// Returns the value of an entry. Returns `None` if there is none. Runs no function.
    ///
    /// # Errors
    /// - [`Error::FunctionKey`]: no key can be made of the spec.
    /// - [`Error::Decode`]: the entry has a value of another type, which stays.
    /// - [`Error::Store`]: the cache failed, with [`OnError::Fail`](crate::OnError::Fail).
    pub async fn get<T: DeserializeOwned>(&self, spec: impl Into<Spec>) -> Result<Option<T>> {
        self.get_by(spec.into(), Codec::decode).await
    }

    async fn get_by<T>(&self, spec: Spec, decode: fn(Codec, &[u8]) -> Result<T, Unfit>) -> Result<Option<T>> {
        let (key, call) = self.prepare(spec)?;
        let Some(answer) = self.inner.pipeline.peek(&key, &call).await? else { return Ok(None) };
        match decode(self.inner.config.codec, answer.as_bytes()) {
            Ok(value) => Ok(Some(value)),
            Err(Unfit::Garbage(error)) => {
                // A failure is left to the next call, which bypasses the cache.
                self.inner.pipeline.discard(key.as_str(), call.mode, &error.to_string()).await.ok();
                Ok(None)
            }
            Err(unfit) => Err(unfit.into()),
        }
    }

    /// Stores a value, and replaces the entry's value. Returns `false` if it wasn't stored: the
    /// cache failed, an invalidation of one of its tags came between, the value is larger than
    /// [`max_value`](CacheBuilder::max_value), or the mode stores nothing.
    ///
    /// The caller vouches that the value isn't older than the last invalidation, which
    /// [`get_or_try`](Self::get_or_try) checks.
    ///
    /// # Errors
    /// [`Error::FunctionKey`], [`Error::Ttl`], [`Error::Tag`], [`Error::Encode`]; [`Error::Store`]
    /// with [`OnError::Fail`](crate::OnError::Fail).
    pub async fn set<T: Serialize + ?Sized>(&self, spec: impl Into<Spec>, value: &T) -> Result<bool> {
        self.set_by(spec.into(), value, Codec::encode).await
    }

    async fn set_by<T: ?Sized>(&self, spec: Spec, value: &T, encode: fn(Codec, &T) -> Result<Bytes>) -> Result<bool> {
        let (key, call) = self.prepare(spec)?;
        let value = encode(self.inner.config.codec, value)?;
        self.inner.pipeline.put(&key, &call, value).await
    }

    /// Removes an entry, and refuses a fill in flight. Returns `false` if there was no entry.
    ///
    /// # Errors
    /// [`Error::FunctionKey`]; [`Error::Store`]: call it again.
    pub async fn remove(&self, spec: impl Into<Spec>) -> Result<bool> {
        let (key, _) = self.prepare(spec.into())?;
        let name = [Bytes::copy_from_slice(key.as_str().as_bytes())];
        let existed = self.retried(|| self.store().remove(&name)).await? > 0;
        self.listener().on_event(&Event::Removed { key: key.as_str(), existed });
        Ok(existed)
    }

    /// Returns whether an entry has a value: see [`ttl`](Self::ttl), also for the errors.
    pub async fn contains(&self, spec: impl Into<Spec>) -> Result<bool> {
        Ok(self.ttl(spec).await?.is_some())
    }

    /// Returns the remaining TTL of an entry. Returns `None` if the entry has no value.
    ///
    /// # Errors
    /// [`Error::FunctionKey`], [`Error::Store`].
    pub async fn ttl(&self, spec: impl Into<Spec>) -> Result<Option<Duration>> {
        let (key, _) = self.prepare(spec.into())?;
        Ok(self.store().ttl(key.as_str()).await?)
    }

    /// Removes the selected entries, and returns their number. Selects by a tag, by any or all of
    /// several tags, by a [`Glob`](mrc_core::Glob) of names, or the whole namespace.
    ///
    /// Tags belong to the store, so entries of other namespaces and of clients may have them too.
    /// The cost grows with the entries that have the tag. A glob scans the whole store. While the
    /// store fails, it tries again, for [`CacheBuilder::invalidation_deadline`].
    ///
    /// # Errors
    /// - [`Error::Tag`]: a tag can't be used, and nothing is removed.
    /// - [`Error::Store`]: call it again, since the remaining entries may be stale.
    pub async fn invalidate(&self, select: impl Into<Select>) -> Result<u64> {
        let select = select.into();
        select.check()?;
        self.retried(|| select.remove_from(self.store(), &self.inner.namespace, self.listener())).await
    }

    /// Removes every entry of the namespace, and no other. A bounded cache is removed at once.
    ///
    /// # Errors
    /// [`Error::Store`]: call it again.
    pub async fn clear(&self) -> Result<u64> {
        self.invalidate(Select::Everything).await
    }

    /// Returns the number of entries in the namespace. Scans the whole store, and counts running
    /// computations. With a bound, it asks for the number, and counts values alone.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn len(&self) -> Result<u64> {
        Ok(Select::Everything.count_in(self.store(), &self.inner.namespace).await?)
    }

    /// Returns whether the namespace has no entry: see [`len`](Self::len), also for the errors.
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.len().await? == 0)
    }

    pub(crate) fn failing(&self, error: Error) -> Self {
        Self { fails: Some(error), ..self.clone() }
    }

    with_options!();

    /// Returns the counts of this cache since it was built, or since the last [`Stats::reset`]. For
    /// a part of a program use [`scope::with_stats`](crate::scope::with_stats).
    pub fn stats(&self) -> &Stats {
        &self.inner.stats
    }

    /// Returns the name of the namespace.
    pub fn namespace(&self) -> &str {
        self.inner.namespace.trim_end_matches(':')
    }

    /// Returns the key of an entry, as the store has it, or [`Error::FunctionKey`].
    pub fn key(&self, spec: impl Into<Spec>) -> Result<Key> {
        self.key_of(spec.into().key)
    }

    /// Returns the store behind the cache.
    pub fn store(&self) -> &dyn CacheStore {
        &**self.inner.pipeline.store.shared()
    }

    /// Asks the store's servers whether they answer. Takes at most 5 s, and connects if necessary.
    pub async fn health(&self) -> Health {
        let ping = probe(async { Ok(self.store().ping().await?) });
        let (cache, tag_risks) = join(ping, tag_risks(self.store())).await;
        Health { cache, database: None, tag_risks }
    }

    /// Closes the store's connections, for all its users. Later calls compute, or return errors.
    pub async fn close(&self) {
        self.store().close().await;
    }

    fn prepare(&self, spec: Spec) -> Result<(Key, Call)> {
        let Spec { key, ttl, tags } = spec;
        let key = self.key_of(key)?;
        let mut call = Call::new(ttl.unwrap_or(self.inner.config.ttl), self.inner.config.settings.jitter, self.options);
        call.ttl.check(call.jitter)?;
        tags.iter().try_for_each(mrc_core::Tag::check)?;
        call.tags = tags;
        if !self.inner.config.enabled {
            call.mode = Mode::Off;
        }
        Ok((key, call))
    }

    fn key_of(&self, function: FunctionKey) -> Result<Key> {
        if let Some(error) = &self.fails {
            return Err(error.clone());
        }
        Ok(Key::unambiguous([&self.inner.namespace, function.key()?.as_str()].concat()))
    }

    /// Repeats a removal that fails until it succeeds, or until the deadline of invalidations.
    async fn retried<F: Future<Output = Result<u64, StoreError>>>(&self, removal: impl Fn() -> F) -> Result<u64> {
        let mut retries = Retries::new(self.inner.config.settings.invalidation_deadline);
        loop {
            match removal().await {
                Err(error) if retries.again(&error, self.listener()).await => {}
                removed => return Ok(removed?),
            }
        }
    }

    fn listener(&self) -> &dyn EventListener {
        &*self.inner.pipeline.events
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("namespace", &self.namespace())
            .field("store", &self.store())
            .finish_non_exhaustive()
    }
}
