//! The builder of a client.

use std::sync::Arc;
use std::time::Duration;

use mrc_core::{EventListener, KeyFormat, KeyScheme, RowFormat, TtlError};
use mrc_store::{CacheStore, Invalidator, QueryExecutor};

use crate::bulkhead::Bulkhead;
use crate::cache::CacheConfig;
use crate::call::{OnError, Options};
use crate::claim::Claims;
use crate::client::{Inner, MrcClient};
use crate::config::MrcConfig;
use crate::error::Error;
use crate::events::Events;
use crate::fetch::Pipeline;
use crate::flight::Without;
use crate::store::Store;
use crate::texts::Texts;

/// Builds an [`MrcClient`].
///
/// ```
/// use mrc_client::MrcClient;
///
/// let client = MrcClient::builder()
///     .mysql("mysql://shop:secret@localhost:3306/shop")
///     .redis("redis://:secret@localhost:6379")
///     .build()?; // connects at first use
/// # Ok::<(), mrc_client::Error>(())
/// ```
#[derive(Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct MrcClientBuilder {
    config: MrcConfig,
    store: Option<Arc<dyn CacheStore>>,
    executor: Option<Arc<dyn QueryExecutor>>,
    #[cfg(feature = "redis")]
    redis: Option<mrc_store::RedisConfig>,
    #[cfg(feature = "mysql")]
    mysql: Option<mrc_store::MySqlConfig>,
    events: Events,
    without: Without,
}

impl MrcClientBuilder {
    /// All settings that a struct can hold; what was set before is forgotten.
    pub fn config(self, config: MrcConfig) -> Self {
        Self { config, ..self }
    }

    /// MySQL or MariaDB, by URL: `mysql://user:password@host:3306/database`.
    #[cfg(feature = "mysql")]
    pub fn mysql(mut self, url: impl Into<String>) -> Self {
        self.config.mysql = Some(url.into());
        self
    }

    /// MySQL or MariaDB, by its own configuration: pool sizes, time-outs, TLS.
    #[cfg(feature = "mysql")]
    pub fn mysql_config(self, config: mrc_store::MySqlConfig) -> Self {
        Self { mysql: Some(config), ..self }
    }

    /// Redis, by URL: `redis://user:password@host:6379/0`; also `rediss://`, `redis-cluster://` and `redis-sentinel://`.
    #[cfg(feature = "redis")]
    pub fn redis(mut self, url: impl Into<String>) -> Self {
        self.config.redis = Some(url.into());
        self
    }

    /// Redis, by its own configuration: key prefix, time-outs, TLS.
    #[cfg(feature = "redis")]
    pub fn redis_config(self, config: mrc_store::RedisConfig) -> Self {
        Self { redis: Some(config), ..self }
    }

    /// A cache of your own, instead of Redis.
    pub fn store(self, store: impl CacheStore) -> Self {
        self.shared_store(Arc::new(store))
    }

    /// A cache that others use as well.
    pub fn shared_store(self, store: Arc<dyn CacheStore>) -> Self {
        Self { store: Some(store), ..self }
    }

    /// A database of your own, instead of MySQL.
    pub fn executor(self, executor: impl QueryExecutor) -> Self {
        self.shared_executor(Arc::new(executor))
    }

    /// A database that others use as well.
    pub fn shared_executor(self, executor: Arc<dyn QueryExecutor>) -> Self {
        Self { executor: Some(executor), ..self }
    }

    /// Whose spelling keys have. Default: [`KeyFormat::TypeScript`].
    pub fn key_format(mut self, format: KeyFormat) -> Self {
        self.config.key_format = format;
        self
    }

    /// How rows are written. Default: [`RowFormat::Canonical`].
    pub fn row_format(mut self, format: RowFormat) -> Self {
        self.config.row_format = format;
        self
    }

    /// By which fraction TTLs vary. Default: 0.1, ±10 %, as in both peers.
    pub fn jitter(mut self, fraction: f64) -> Self {
        self.config.jitter = fraction;
        self
    }

    /// How long a claim stands while a value is computed; a computation that takes longer isn't stored. Default: 30 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.config.lease = lease;
        self
    }

    /// How long to wait for another process that computes the value, before asking the database as well. Default: 1 s.
    pub fn wait_max(mut self, wait: Duration) -> Self {
        self.config.wait_max = wait;
        self
    }

    /// How long a call may take as a whole, waiting for other callers included: after that it ends with [`Error::Deadline`].
    /// What it only does with the cache is bounded by the store's own time-outs. Default: 60 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.config.deadline = deadline;
        self
    }

    /// Keeps a copy of each value for this long beyond its TTL. When the database fails, or is too slow, the caller gets the copy, marked
    /// as [`Source::Stale`](crate::Source::Stale), instead of an error. Default: zero, no copies.
    ///
    /// A copy obeys the rule that values obey: whatever invalidates an entry, a peer included, removes its copy too. It doubles the memory
    /// of an entry.
    pub fn stale_on_error(mut self, window: Duration) -> Self {
        self.config.stale_on_error = window;
        self
    }

    /// How long a query may take before the caller gets the copy, if there is one, while the query goes on in the background.
    /// Default: 1 s; it counts only with [`stale_on_error`](Self::stale_on_error).
    ///
    /// With zero, no caller waits for a value of which there is a copy: stale-while-revalidate. A function goes on in the place of its
    /// caller, so its copy is taken only when it fails or its deadline passes.
    pub fn stale_after(mut self, patience: Duration) -> Self {
        self.config.stale_after = patience;
        self
    }

    /// Computes values anew that are hit in the last part of their life, in the background, so that what is in use never misses: with a
    /// probability that grows from the beginning of this window on, and for certain in its last quarter. Of all processes one does it, and
    /// the TTL of the new value is a whole one. Default: zero, values end.
    ///
    /// After Vattani, Chierichetti, Lowenstein: *Optimal Probabilistic Cache Stampede Prevention* (VLDB 2015). A window longer than half of
    /// the TTL counts as that half. A function is computed by one of its callers, which waits for it.
    pub fn early_refresh(mut self, window: Duration) -> Self {
        self.config.early_refresh = window;
        self
    }

    /// The largest value that is stored or taken from the cache, in bytes. A larger one is computed anew at each call.
    /// Default: 64 MiB.
    pub fn max_value(mut self, bytes: usize) -> Self {
        self.config.max_value = bytes;
        self
    }

    /// How many queries of this process read the database at once, and how many more wait for their turn: all others end with
    /// [`Error::Overloaded`]. Default: 64 and 10,000.
    ///
    /// It holds back what a cold or lost cache would send to the database. The executor's own pool may be narrower.
    pub fn query_limit(mut self, at_once: usize, waiting: usize) -> Self {
        self.config.query_limit = (at_once, waiting);
        self
    }

    /// Sets for how long a failed invalidation is tried again before it returns an error. With zero it is tried once. Default: 10 s.
    pub fn invalidation_deadline(mut self, deadline: Duration) -> Self {
        self.config.invalidation_deadline = deadline;
        self
    }

    /// Leaves params without a name out of the key, as the peers do, instead of refusing them. Default: false.
    pub fn allow_unnamed_params(mut self, allow: bool) -> Self {
        self.config.allow_unnamed_params = allow;
        self
    }

    /// Tells a listener what the cache decides. May be called several times.
    pub fn on_event(mut self, listener: impl EventListener + 'static) -> Self {
        self.events.0.push(Arc::new(listener));
        self
    }

    /// Lets followers take any value. It breaks the promise of this library: for the proof that this part of the protocol is needed.
    #[cfg(feature = "proof")]
    #[doc(hidden)]
    pub fn without_follower_rule(mut self) -> Self {
        self.without.follower_rule = true;
        self
    }

    /// Lets a flight take followers until it has landed. For a proof, too.
    #[cfg(feature = "proof")]
    #[doc(hidden)]
    pub fn without_close_first(mut self) -> Self {
        self.without.close_first = true;
        self
    }

    /// The client. Nothing is connected yet.
    ///
    /// # Errors
    /// [`Error::Config`] and the backends' own: an URL or a setting can't be used, or there is no cache.
    pub fn build(self) -> Result<MrcClient, Error> {
        let config = &self.config;
        if !(0.0..1.0).contains(&config.jitter) {
            return Err(TtlError::Jitter(config.jitter).into());
        }
        if config.lease < Duration::from_millis(1) {
            return Err(Error::Config(
                "a lease of zero lets nobody fill: give it as long as the slowest query takes".into(),
            ));
        }
        if config.deadline.is_zero() || config.query_limit.0 == 0 || config.max_value == 0 {
            let reason = "a deadline, a query limit or a largest value of zero lets nothing succeed: give it room";
            return Err(Error::Config(reason.into()));
        }
        let keys = KeyScheme::new(config.key_format).allow_unnamed(config.allow_unnamed_params);
        let claims = Claims::new(config.lease, config.wait_max);
        #[cfg(feature = "mysql")]
        let mysql = self.mysql_executor()?;
        #[cfg(feature = "mysql")]
        let executor = self.executor.clone().or_else(|| mysql.clone().map(|mysql| mysql as Arc<dyn QueryExecutor>));
        #[cfg(not(feature = "mysql"))]
        let executor = self.executor.clone();
        let (store, events) = (self.cache_store()?, Arc::new(self.events.clone()));
        store.shared().listen(events.clone());
        let pipeline = Pipeline::new(store, claims, events, config.max_value, self.without);
        let options = Options {
            deadline: config.deadline,
            stale: config.stale_on_error,
            stale_after: config.stale_after,
            early_refresh: config.early_refresh,
            on_error: OnError::Degrade,
        }
        .bounded();
        let inner = Inner {
            invalidator: Invalidator::new(Arc::clone(pipeline.store.shared()), config.invalidation_deadline),
            caches: CacheConfig {
                jitter: config.jitter,
                lease: config.lease,
                wait_max: config.wait_max,
                max_value: config.max_value,
                invalidation_deadline: config.invalidation_deadline,
                ..CacheConfig::default()
            },
            rows: config.row_format,
            jitter: config.jitter,
            pipeline,
            bulkhead: Bulkhead::new(config.query_limit.0, config.query_limit.1),
            texts: Texts::new(executor.as_ref().is_some_and(|executor| executor.ignores_space())),
            executor,
            #[cfg(feature = "mysql")]
            mysql,
            keys,
        };
        Ok(MrcClient::from_parts(inner, options))
    }

    #[cfg(feature = "mysql")]
    fn mysql_executor(&self) -> Result<Option<Arc<mrc_store::MySqlExecutor>>, Error> {
        let config = match (&self.mysql, &self.config.mysql) {
            (Some(config), _) => config.clone(),
            (None, Some(url)) => mrc_store::MySqlConfig::from_url(url)?,
            (None, None) => return Ok(None),
        };
        Ok(Some(Arc::new(mrc_store::MySqlExecutor::new(config)?)))
    }

    fn cache_store(&self) -> Result<Store, Error> {
        if let Some(store) = &self.store {
            return Ok(Store::from(Arc::clone(store)));
        }
        #[cfg(feature = "redis")]
        match (&self.redis, &self.config.redis) {
            (Some(config), _) => return redis(config.clone()),
            (None, Some(url)) => return redis(mrc_store::RedisConfig::from_url(url)?),
            (None, None) => {}
        }
        Err(Error::Config("there is no cache: give the builder `.redis(…)` or `.store(…)`".into()))
    }
}

#[cfg(feature = "redis")]
fn redis(config: mrc_store::RedisConfig) -> Result<Store, Error> {
    let store: Arc<dyn CacheStore> = Arc::new(mrc_store::RedisStore::new(config)?);
    Ok(store.into())
}

impl From<MrcConfig> for MrcClientBuilder {
    fn from(config: MrcConfig) -> Self {
        Self::default().config(config)
    }
}

impl std::fmt::Debug for MrcClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MrcClientBuilder")
            .field("config", &self.config)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
