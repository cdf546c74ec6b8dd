//! The cache as a value: functions and plain values, in a namespace of a store.

mod builder;
mod config;
mod entry;
mod parts;
mod spec;

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use mrc_core::{Event, EventListener, FunctionKey, Key, Stats};
use mrc_store::{Bound, CacheStore, Retries, Select};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::parts::Parts;
use crate::call::{Call, Options};
use crate::codec::{Codec, Unfit};
use crate::error::Error;
use crate::health::{Health, probe, tag_risks};
use crate::mode::Mode;
use crate::pipeline::Pipeline;
use crate::pipeline::function::{self, Function};
use crate::settings::with_options;
use crate::store::Store;

pub use self::builder::CacheBuilder;
pub use self::config::CacheConfig;
pub use self::entry::Entry;
pub use self::spec::Spec;

/// A cache of functions and plain values: what is there is returned, what isn't is computed by one caller for all, and stored.
///
/// No value that was computed before an [`invalidate`](Self::invalidate) is returned after it. Cheap to clone: all clones share everything.
/// Two caches of one namespace share their entries, whatever process they are in.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mrc_client::Error> {
/// # use mrc_store::MemoryStore;
/// use mrc_client::{Cache, Error, Spec, scope};
/// use mrc_core::Tag;
///
/// let cache = Cache::builder(MemoryStore::new()).namespace("shop").build()?;
///
/// let feed = |user: u64| {
///     cache.get_or_try(Spec::of("feed").param("user_id", user).ttl(60), move || async move {
///         scope::tag(format!("user:{user}")); // known only while it runs, and still no invalidation is lost
///         Ok::<_, Error>(vec!["first", "second"].into_iter().map(String::from).collect::<Vec<_>>())
///     })
/// };
/// assert_eq!(feed(42).await?.len(), 2);
/// assert_eq!(cache.invalidate(Tag::new("user:42")).await?, 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
    options: Options,
    /// What each call ends with, before anything is run.
    fails: Option<Error>,
}

pub(crate) struct Inner {
    pipeline: Arc<Pipeline>,
    /// The store without a bound.
    whole: Store,
    /// With the colon at its end.
    namespace: Box<str>,
    config: CacheConfig,
    stats: Arc<Stats>,
    /// The parts of it that have a bound.
    parts: Parts<Cache>,
}

impl Cache {
    /// The value of an entry: from the cache, or else what the function returns. Its errors aren't cached.
    ///
    /// While the function runs, it may say more about its entry: see [`scope`](crate::scope). The value is written and read back, so that a
    /// miss returns what a hit will.
    ///
    /// # Errors
    /// The function's own. Of the cache's, as `E`: [`Error::Key`], [`Error::FunctionKey`], [`Error::Ttl`] and [`Error::Tag`] before anything
    /// runs, [`Error::Deadline`], [`Error::Missed`] in [`Mode::ReadOnly`], and [`Error::Store`] with
    /// [`OnError::Fail`](crate::OnError::Fail). A value that can't be stored is returned all the same.
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

    /// The value of an entry: from the cache, or else what the function returns.
    ///
    /// As [`get_or_try`](Self::get_or_try), for a function that can't fail: then nothing else may. Whatever goes wrong with the cache, the
    /// function is run; also in [`Mode::ReadOnly`]. The function has no deadline. A caller that waits for another one's computation runs its
    /// own function after the cache's [`deadline`](CacheBuilder::deadline).
    pub async fn get_or<T, F, Fut>(&self, spec: impl Into<Spec>, function: F) -> T
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let work = pin!(async move { Ok::<T, Infallible>(Box::pin(function()).await) });
        let mut function = Function::new(work);
        if let Ok((key, mut call)) = self.prepare(spec.into()) {
            call.endless = true;
            let tell = |never: &Infallible| match *never {};
            let value = function.through(&self.inner.pipeline, &key, &call, self.inner.config.codec, tell).await;
            if let Ok(value) = value {
                return value;
            }
        }
        let Ok(value) = function.finish().await;
        value
    }

    /// The value of an entry, if there is one. Nothing is run.
    ///
    /// # Errors
    /// [`Error::FunctionKey`]; [`Error::Decode`] if the entry has a value of another type, which stays; [`Error::Store`] with
    /// [`OnError::Fail`](crate::OnError::Fail), otherwise a cache that fails has no value.
    pub async fn get<T: DeserializeOwned>(&self, spec: impl Into<Spec>) -> Result<Option<T>, Error> {
        self.get_by(spec.into(), Codec::decode).await
    }

    async fn get_by<T>(&self, spec: Spec, decode: fn(Codec, &[u8]) -> Result<T, Unfit>) -> Result<Option<T>, Error> {
        let (key, call) = self.prepare(spec)?;
        let Some(answer) = self.inner.pipeline.peek(&key, &call).await? else { return Ok(None) };
        match decode(self.inner.config.codec, answer.as_bytes()) {
            Ok(value) => Ok(Some(value)),
            Err(Unfit::Garbage(error)) => {
                // Where the cache fails, the next call goes round it.
                self.inner.pipeline.discard(key.as_str(), call.mode, &error.to_string()).await.ok();
                Ok(None)
            }
            Err(unfit) => Err(unfit.into()),
        }
    }

    /// Stores a value, whatever is there. False: it wasn't stored, since an invalidation of one of its tags came between, or the cache failed.
    ///
    /// The caller vouches that the value isn't older than the last invalidation. A value that was read from somewhere is better stored by
    /// [`get_or_try`](Self::get_or_try), which knows.
    ///
    /// # Errors
    /// [`Error::FunctionKey`], [`Error::Ttl`], [`Error::Tag`], [`Error::Encode`]; [`Error::Store`] with
    /// [`OnError::Fail`](crate::OnError::Fail).
    pub async fn set<T: Serialize + ?Sized>(&self, spec: impl Into<Spec>, value: &T) -> Result<bool, Error> {
        self.set_by(spec.into(), value, Codec::encode).await
    }

    async fn set_by<T: ?Sized>(
        &self,
        spec: Spec,
        value: &T,
        encode: fn(Codec, &T) -> Result<Bytes, Error>,
    ) -> Result<bool, Error> {
        let (key, call) = self.prepare(spec)?;
        let value = encode(self.inner.config.codec, value)?;
        self.inner.pipeline.put(&key, &call, value).await
    }

    /// Removes an entry, and ends its computation that is under way. False: there was none.
    ///
    /// # Errors
    /// [`Error::FunctionKey`], [`Error::Store`]: call it again.
    pub async fn remove(&self, spec: impl Into<Spec>) -> Result<bool, Error> {
        let (key, _) = self.prepare(spec.into())?;
        let name = [Bytes::copy_from_slice(key.as_str().as_bytes())];
        let mut retries = self.retries();
        let existed = loop {
            match self.store().remove(&name).await {
                Err(error) if retries.again(&error, self.listener()).await => {}
                removed => break removed? > 0,
            }
        };
        self.listener().on_event(&Event::Removed { key: key.as_str(), existed });
        Ok(existed)
    }

    /// Whether an entry has a value.
    ///
    /// # Errors
    /// As [`ttl`](Self::ttl).
    pub async fn contains(&self, spec: impl Into<Spec>) -> Result<bool, Error> {
        Ok(self.ttl(spec).await?.is_some())
    }

    /// What is left of an entry's life. None: it has no value.
    ///
    /// # Errors
    /// [`Error::FunctionKey`], [`Error::Store`].
    pub async fn ttl(&self, spec: impl Into<Spec>) -> Result<Option<Duration>, Error> {
        let (key, _) = self.prepare(spec.into())?;
        Ok(self.store().ttl(key.as_str()).await?)
    }

    /// Removes what is selected, and returns how many entries went: those with a tag, with any or all of several, those of the namespace whose
    /// names match a [`Glob`](mrc_core::Glob), or all of the namespace.
    ///
    /// Tags belong to the store: entries of other namespaces and of clients have them too. The cost is that of the entries which have the
    /// tag; to look for names costs a scan of the whole store. Where the store fails the whole is tried again for a while
    /// ([`CacheBuilder::invalidation_deadline`]).
    ///
    /// # Errors
    /// [`Error::Tag`] before anything is removed; [`Error::Store`]: call it again, what survives may be stale.
    pub async fn invalidate(&self, select: impl Into<Select>) -> Result<u64, Error> {
        let select = select.into();
        select.check()?;
        let mut retries = self.retries();
        loop {
            match select.remove_from(self.store(), &self.inner.namespace, self.listener()).await {
                Err(error) if retries.again(&error, self.listener()).await => {}
                removed => return Ok(removed?),
            }
        }
    }

    /// Removes every entry of the namespace, and no other: a bounded cache's at once.
    ///
    /// # Errors
    /// [`Error::Store`]: call it again.
    pub async fn clear(&self) -> Result<u64, Error> {
        self.invalidate(Select::Everything).await
    }

    /// How many entries the namespace has. It looks at every key of the store, and counts computations under way; with a bound it asks for the
    /// number, and counts values alone.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn len(&self) -> Result<u64, Error> {
        Ok(Select::Everything.count_in(self.store(), &self.inner.namespace).await?)
    }

    /// Whether the namespace has no entry: see [`len`](Self::len).
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len().await? == 0)
    }

    /// The part of this cache that has a bound: entries of their own in the same namespace, with the same settings and statistics. The same bound
    /// is the same part.
    ///
    /// [`clear`](Self::clear) of the whole clears its parts too; [`len`](Self::len) leaves them out.
    ///
    /// ```
    /// # async fn example(cache: mrc_client::Cache) -> Result<(), mrc_client::Error> {
    /// use mrc_store::{Bound, Policy};
    ///
    /// let thumbs = cache.bounded(Bound::new(Policy::Lfu).max(500))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Config`]: the bound can't be used, or there are more than a thousand by now.
    pub fn bounded(&self, bound: Bound) -> Result<Self, Error> {
        let part = self.inner.parts.get_or_make(bound, |bound| {
            let config = CacheConfig { bound: Some(bound), ..self.inner.config.clone() };
            config.check()?;
            let (events, stats) = (self.inner.pipeline.events.clone(), self.inner.stats.clone());
            Ok(Self::assemble(self.inner.whole.clone(), config, events, stats)?)
        })?;
        Ok(Self { options: self.options, ..part })
    }

    /// The same cache, whose calls end with this error.
    pub(crate) fn failing(&self, error: Error) -> Self {
        Self { fails: Some(error), ..self.clone() }
    }

    with_options!();

    /// What this cache has done since it was built, or since the last [`Stats::reset`]. For a part of a program there is
    /// [`scope::with_stats`](crate::scope::with_stats).
    pub fn stats(&self) -> &Stats {
        &self.inner.stats
    }

    /// The name of the namespace.
    pub fn namespace(&self) -> &str {
        self.inner.namespace.trim_end_matches(':')
    }

    /// The key of an entry, as it lies in the store.
    ///
    /// # Errors
    /// [`Error::FunctionKey`].
    pub fn key(&self, spec: impl Into<Spec>) -> Result<Key, Error> {
        self.key_of(spec.into().key)
    }

    /// The store behind the cache.
    pub fn store(&self) -> &dyn CacheStore {
        &**self.inner.pipeline.store.shared()
    }

    /// Asks the servers of the store whether they answer. It takes at most 5 s, and connects where nothing was connected yet.
    pub async fn health(&self) -> Health {
        let ping = probe(async { Ok(self.store().ping().await?) });
        let (cache, tag_risks) = join(ping, tag_risks(self.store())).await;
        Health { cache, database: None, tag_risks }
    }

    /// Closes the connections of the store, for everybody who uses it. Calls after that compute, or are errors.
    pub async fn close(&self) {
        self.store().close().await;
    }

    fn prepare(&self, spec: Spec) -> Result<(Key, Call), Error> {
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

    fn key_of(&self, function: FunctionKey) -> Result<Key, Error> {
        if let Some(error) = &self.fails {
            return Err(error.clone());
        }
        Ok(Key::unambiguous([&self.inner.namespace, function.key()?.as_str()].concat()))
    }

    fn retries(&self) -> Retries {
        Retries::new(self.inner.config.settings.invalidation_deadline)
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
