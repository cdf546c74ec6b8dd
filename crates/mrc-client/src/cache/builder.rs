//! The builder of a cache.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use mrc_core::{EventListener, Stats, Ttl};
use mrc_store::{Bound, CacheStore, StoreError};

use super::config::CacheConfig;
use super::{Cache, CacheInner};
use crate::call::Options;
use crate::codec::Codec;
use crate::error::Error;
use crate::events::Events;
use crate::follow::Follow;
use crate::pipeline::Pipeline;
use crate::pipeline::claim::Claims;
use crate::pipeline::flight::Without;
use crate::settings::{OnError, setters, shared_setters};
use crate::store::Store;

/// The maximum number of parts of a cache: each has its own flights and claims, and stays.
const MOST_PARTS: usize = 1_000;

/// Builds a [`Cache`].
///
/// ```
/// # use std::time::Duration;
/// # use mrc_store::MemoryStore;
/// use mrc_client::{Cache, OnError};
///
/// let cache = Cache::builder(MemoryStore::new())
///     .namespace("shop")
///     .ttl(600)
///     .on_error(OnError::Fail)
///     .build()?;
/// # Ok::<(), mrc_client::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct CacheBuilder {
    store: Store,
    config: CacheConfig,
    /// The listeners of a client, which its store already has.
    inherited: Arc<Events>,
    events: Events,
    follow: Option<Arc<Follow>>,
}

impl CacheBuilder {
    /// Returns a builder for a cache in this store. For a shared store: [`shared`](Self::shared).
    pub fn new(store: impl CacheStore) -> Self {
        Self::shared(Arc::new(store))
    }

    /// Returns a builder for a cache in a store that others use as well.
    pub fn shared(store: Arc<dyn CacheStore>) -> Self {
        Self::on(Store::from(store))
    }

    /// Returns a builder for a cache on the store and the listeners of a pipeline: see
    /// [`MrcClient::cache`](crate::MrcClient::cache).
    pub(crate) fn sharing(pipeline: &Pipeline, config: CacheConfig) -> Self {
        let inherited = Arc::clone(&pipeline.events);
        Self { config, inherited, follow: pipeline.follow.clone(), ..Self::on(pipeline.store.clone()) }
    }

    fn on(store: Store) -> Self {
        Self {
            store,
            config: CacheConfig::default(),
            inherited: Arc::default(),
            events: Events::default(),
            follow: None,
        }
    }

    /// Sets all settings of a struct, and replaces those set before. A namespace stays if `config`
    /// has none. Later setters override it. For the environment: [`CacheConfig::from_env`].
    pub fn config(mut self, config: CacheConfig) -> Self {
        let namespace = std::mem::take(&mut self.config.namespace);
        self.config = config;
        if self.config.namespace.is_empty() {
            self.config.namespace = namespace;
        }
        self
    }

    /// Sets the prefix of all keys, followed by a colon. Caches with one namespace share their
    /// entries. No default: each cache needs a namespace.
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.config.namespace = name.into();
        self
    }

    /// Sets the TTL of entries without one: a [`Duration`], or whole seconds. Default: 5 minutes.
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.config.ttl = ttl.into();
        self
    }

    /// Sets the limit of entries, and the policy that evicts: see [`Bound`]. Default: no bound.
    ///
    /// ```
    /// # use mrc_store::MemoryStore;
    /// use mrc_client::Cache;
    /// use mrc_store::{Bound, Policy, Sliding};
    ///
    /// let thumbs = Cache::builder(MemoryStore::new())
    ///     .namespace("thumbs")
    ///     .bound(Bound::new(Policy::LruT).max(10_000).ttl(Sliding(3600)))
    ///     .build()?;
    /// # Ok::<(), mrc_client::Error>(())
    /// ```
    pub fn bound(mut self, bound: Bound) -> Self {
        self.config.bound = Some(bound);
        self
    }

    setters! { self => self.config;
        /// Sets the codec of values. Default: JSON.
        codec(codec: Codec);
        /// Sets what a call does when the cache fails. Default: it bypasses the cache.
        on_error(on_error: OnError);
        /// Sets whether the cache is used at all. If not, each call computes its value. Default:
        /// true.
        enabled(enabled: bool);
    }

    shared_setters!();

    /// Returns the cache, which connects at first use.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Ttl`]: a setting can't be used. Correct the setting.
    pub fn build(self) -> Result<Cache, Error> {
        let Self { store, config, inherited, mut events, follow } = self;
        config.check()?;
        let stats = Arc::new(Stats::default());
        events.0.push(Arc::clone(&stats) as Arc<dyn EventListener>);
        store.shared().listen(Arc::new(events.clone()));
        events.0.extend(inherited.0.iter().cloned());
        let events = Arc::new(events);
        Ok(Cache::assemble(store, config, events, stats, follow)?)
    }
}

impl Cache {
    /// Returns a builder for a cache in this store: see [`CacheBuilder::new`].
    pub fn builder(store: impl CacheStore) -> CacheBuilder {
        CacheBuilder::new(store)
    }

    /// Returns a part of this cache that has a bound. The part has its own entries in the same
    /// namespace, with the same settings and statistics. The same bound returns the same part.
    ///
    /// [`clear`](Self::clear) of the whole clears its parts too; [`len`](Self::len) omits them.
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
    /// [`Error::Store`], [`Error::Config`]: the bound can't be used, or there are 1,000 parts.
    pub fn bounded(&self, bound: Bound) -> Result<Self, Error> {
        let with_options = |part: &Self| Self { options: self.options, ..part.clone() };
        if let Some(part) = self.inner.parts.read().unwrap_or_else(PoisonError::into_inner).get(&bound) {
            return Ok(with_options(part));
        }
        let mut parts = self.inner.parts.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = parts.get(&bound) {
            return Ok(with_options(part));
        }
        if parts.len() == MOST_PARTS {
            let reason = format!("a cache has {MOST_PARTS} parts at most: a bound must not depend on the call");
            return Err(Error::Config(reason));
        }
        let config = CacheConfig { bound: Some(bound.clone()), ..self.inner.config.clone() };
        config.check()?;
        let CacheInner { pipeline, whole, stats, .. } = &*self.inner;
        let (events, follow) = (pipeline.events.clone(), pipeline.follow.clone());
        let part = Self::assemble(whole.clone(), config, events, stats.clone(), follow)?;
        Ok(with_options(parts.entry(bound).or_insert(part)))
    }

    fn assemble(
        store: Store,
        config: CacheConfig,
        events: Arc<Events>,
        stats: Arc<Stats>,
        follow: Option<Arc<Follow>>,
    ) -> Result<Self, StoreError> {
        let view = match &config.bound {
            None => store.clone(),
            Some(bound) => {
                let view = store.bounded(&config.namespace, bound)?;
                view.shared().listen(events.clone());
                view
            }
        };
        let claims = Claims::new(config.settings.lease, config.settings.wait_max);
        let options = Options::new(&config.settings, config.on_error);
        let inner = CacheInner {
            pipeline: Pipeline::new(view, claims, events, config.settings.max_value, follow, Without::default()),
            whole: store,
            namespace: format!("{}:", config.namespace).into(),
            config,
            stats,
            parts: RwLock::default(),
        };
        Ok(Self { inner: Arc::new(inner), options, fails: None })
    }
}

#[cfg(test)]
mod tests {
    use mrc_store::{MemoryStore, Policy};

    use super::*;

    #[test]
    fn a_bound_is_one_part_and_there_are_not_too_many() {
        let cache = Cache::builder(MemoryStore::new()).namespace("app").build().unwrap();
        let bound = |max| Bound::new(Policy::Lru).max(max);
        let of = |max| cache.bounded(bound(max)).map(|part| Arc::as_ptr(&part.inner));
        for max in 1..=MOST_PARTS {
            assert_eq!(of(max).unwrap(), of(max).unwrap());
        }
        assert_ne!(of(1).unwrap(), of(2).unwrap());
        assert!(of(MOST_PARTS + 1).unwrap_err().to_string().contains("must not depend on the call"));
        assert!(of(MOST_PARTS).is_ok());
    }
}
