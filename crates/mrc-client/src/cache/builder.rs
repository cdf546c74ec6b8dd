//! The builder of a cache.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mrc_core::{EventListener, Stats, Ttl};
use mrc_store::{Bound, CacheStore, StoreError};

use super::parts::Parts;
use super::{Cache, CacheConfig, Inner};
use crate::call::{OnError, Options};
use crate::claim::Claims;
use crate::codec::Codec;
use crate::error::Error;
use crate::events::Events;
use crate::fetch::Pipeline;
use crate::flight::Without;
use crate::store::Store;

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
#[must_use = "a builder does nothing until `build` is called"]
pub struct CacheBuilder {
    store: Store,
    config: CacheConfig,
    /// The listeners of a client, which its store knows already.
    inherited: Arc<Events>,
    events: Events,
}

impl CacheBuilder {
    /// A cache in this store. One that others use as well is given by [`shared`](Self::shared).
    pub fn new(store: impl CacheStore) -> Self {
        Self::shared(Arc::new(store))
    }

    /// A cache in a store that others use as well.
    pub fn shared(store: Arc<dyn CacheStore>) -> Self {
        Self::on(Store::from(store))
    }

    /// A cache in the store of a client, with its settings and its listeners: see [`MrcClient::cache`](crate::MrcClient::cache).
    pub(crate) fn beside(pipeline: &Pipeline, config: CacheConfig) -> Self {
        let inherited = Arc::clone(&pipeline.events);
        Self { config, inherited, ..Self::on(pipeline.store.clone()) }
    }

    fn on(store: Store) -> Self {
        Self { store, config: CacheConfig::default(), inherited: Arc::default(), events: Events::default() }
    }

    /// All settings that a struct can hold; what was set before is forgotten, but for the namespace where `config` has none. For those of
    /// the environment: [`CacheConfig::from_env`]. What is set after it overrides it.
    pub fn config(mut self, config: CacheConfig) -> Self {
        let namespace = std::mem::take(&mut self.config.namespace);
        self.config = config;
        if self.config.namespace.is_empty() {
            self.config.namespace = namespace;
        }
        self
    }

    /// The name before all keys, with a colon between. Caches of one namespace share their entries. No default: each cache needs one.
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.config.namespace = name.into();
        self
    }

    /// How long entries live that don't say so themselves: a [`Duration`], or whole seconds. Default: 5 minutes.
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.config.ttl = ttl.into();
        self
    }

    /// How many entries there are at most, and which of them goes first: see [`Bound`]. Default: no bound.
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

    /// How values are written. Default: JSON.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.config.codec = codec;
        self
    }

    /// What becomes of a call when the cache fails. Default: it goes round the cache.
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.config.on_error = on_error;
        self
    }

    /// Whether the cache is used at all; calls of one that isn't compute their values. Default: true.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.config.enabled = enabled;
        self
    }

    /// By which fraction TTLs vary. Default: 0.1, ±10 %.
    pub fn jitter(mut self, fraction: f64) -> Self {
        self.config.jitter = fraction;
        self
    }

    /// How long a claim stands while a value is computed; a computation that takes longer isn't stored. Default: 30 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.config.lease = lease;
        self
    }

    /// How long to wait for another process that computes the value, before computing it as well. Default: 1 s.
    pub fn wait_max(mut self, wait: Duration) -> Self {
        self.config.wait_max = wait;
        self
    }

    /// How long a call may take as a whole. Default: 60 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.config.deadline = deadline;
        self
    }

    /// Keeps a copy of each value for this long beyond its TTL, for when the function fails: see
    /// [`MrcClientBuilder::stale_on_error`](crate::MrcClientBuilder::stale_on_error). Default: zero, no copies.
    pub fn stale_on_error(mut self, window: Duration) -> Self {
        self.config.stale_on_error = window;
        self
    }

    /// Computes values anew that are hit in the last part of their life: see
    /// [`MrcClientBuilder::early_refresh`](crate::MrcClientBuilder::early_refresh). Default: zero, values end.
    pub fn early_refresh(mut self, window: Duration) -> Self {
        self.config.early_refresh = window;
        self
    }

    /// The largest value that is stored or taken from the cache, in bytes. Default: 64 MiB.
    pub fn max_value(mut self, bytes: usize) -> Self {
        self.config.max_value = bytes;
        self
    }

    /// Sets for how long a failed invalidation is tried again before it returns an error. With zero it is tried once. Default: 10 s.
    pub fn invalidation_deadline(mut self, deadline: Duration) -> Self {
        self.config.invalidation_deadline = deadline;
        self
    }

    /// Tells a listener what the cache decides. May be called several times.
    pub fn on_event(mut self, listener: impl EventListener + 'static) -> Self {
        self.events.0.push(Arc::new(listener));
        self
    }

    /// The cache. Nothing is connected yet.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Ttl`]: a setting can't be used.
    pub fn build(self) -> Result<Cache, Error> {
        let Self { store, config, inherited, mut events } = self;
        config.check()?;
        let stats = Arc::new(Stats::default());
        events.0.push(Arc::clone(&stats) as Arc<dyn EventListener>);
        store.shared().listen(Arc::new(events.clone()));
        events.0.extend(inherited.0.iter().cloned());
        let events = Arc::new(events);
        Ok(Cache::assemble(store, config, events, stats)?)
    }
}

impl Cache {
    /// A cache of these parts, all of which were checked.
    pub(super) fn assemble(
        store: Store,
        config: CacheConfig,
        events: Arc<Events>,
        stats: Arc<Stats>,
    ) -> Result<Self, StoreError> {
        let view = match &config.bound {
            None => store.clone(),
            Some(bound) => {
                let view = store.bounded(&config.namespace, bound)?;
                view.shared().listen(events.clone());
                view
            }
        };
        let claims = Claims::new(config.lease, config.wait_max);
        let options = Options {
            deadline: config.deadline,
            stale: config.stale_on_error,
            stale_after: Options::LONGEST,
            early_refresh: config.early_refresh,
            on_error: config.on_error,
        }
        .bounded();
        let inner = Inner {
            pipeline: Pipeline::new(view, claims, events, config.max_value, Without::default()),
            whole: store,
            namespace: format!("{}:", config.namespace).into(),
            config,
            stats,
            parts: Parts::default(),
        };
        Ok(Self { inner: Arc::new(inner), options, fails: None })
    }
}

impl fmt::Debug for CacheBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("config", &self.config)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
