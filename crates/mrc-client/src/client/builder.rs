//! The builder of a client.

use std::sync::Arc;
use std::time::Duration;

use mrc_core::{EventListener, KeyFormat, KeyScheme, RowFormat};
use mrc_store::{CacheStore, Invalidator, QueryExecutor};

use super::MrcClient;
use super::bulkhead::Bulkhead;
use super::config::MrcConfig;
use super::inner::ClientInner;
use super::outbox::Outbox;
use super::texts::Texts;
use crate::call::Options;
use crate::error::{Error, Result};
use crate::events::Events;
use crate::follow::Follow;
use crate::pipeline::Pipeline;
use crate::pipeline::claim::Claims;
use crate::pipeline::flight::Without;
use crate::settings::{OnError, setters, shared_setters};
use crate::store::Store;

impl MrcClient {
    /// Returns a builder of a client.
    pub fn builder() -> MrcClientBuilder {
        MrcClientBuilder::default()
    }

    /// Returns a client with the settings of the environment: see [`MrcConfig::from_env`] and
    /// [`MrcClientBuilder::build`], also for the errors.
    pub fn from_env() -> Result<Self> {
        MrcClientBuilder::from(MrcConfig::from_env()?).build()
    }
}

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
#[derive(Debug, Default)]
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
    /// Sets all settings that a struct can hold, and replaces those set before.
    pub fn config(self, config: MrcConfig) -> Self {
        Self { config, ..self }
    }

    /// Sets MySQL or MariaDB by URL: `mysql://user:password@host:3306/database`.
    #[cfg(feature = "mysql")]
    pub fn mysql(mut self, url: impl Into<String>) -> Self {
        self.config.mysql = Some(url.into());
        self
    }

    /// Sets MySQL or MariaDB by its own configuration: pool sizes, time-outs, TLS.
    #[cfg(feature = "mysql")]
    pub fn mysql_config(self, config: mrc_store::MySqlConfig) -> Self {
        Self { mysql: Some(config), ..self }
    }

    /// Sets Redis by URL: `redis://user:password@host:6379/0`; also `rediss://`, `redis-cluster://`
    /// and `redis-sentinel://`.
    #[cfg(feature = "redis")]
    pub fn redis(mut self, url: impl Into<String>) -> Self {
        self.config.redis = Some(url.into());
        self
    }

    /// Sets Redis by its own configuration: key prefix, time-outs, TLS.
    #[cfg(feature = "redis")]
    pub fn redis_config(self, config: mrc_store::RedisConfig) -> Self {
        Self { redis: Some(config), ..self }
    }

    /// Sets your own cache instead of Redis.
    pub fn store(self, store: impl CacheStore) -> Self {
        self.shared_store(Arc::new(store))
    }

    /// Sets a cache that others use as well.
    pub fn shared_store(self, store: Arc<dyn CacheStore>) -> Self {
        Self { store: Some(store), ..self }
    }

    /// Sets your own database instead of MySQL.
    pub fn executor(self, executor: impl QueryExecutor) -> Self {
        self.shared_executor(Arc::new(executor))
    }

    /// Sets a database that others use as well.
    pub fn shared_executor(self, executor: Arc<dyn QueryExecutor>) -> Self {
        Self { executor: Some(executor), ..self }
    }

    shared_setters!();

    setters! { self => self.config.settings;
        /// Sets how long a query may take before its caller gets the stale copy. The query then
        /// goes on in the background. Default: 1 s. Needs [`stale_on_error`](Self::stale_on_error).
        ///
        /// Zero is stale-while-revalidate. A function runs in its caller, so its stale copy is
        /// served only when it fails or its deadline passes.
        stale_after(patience: Duration);
    }

    setters! { self => self.config;
        /// Sets the spelling of keys. Default: [`KeyFormat::TypeScript`].
        key_format(format: KeyFormat);
        /// Sets the spelling of rows. Default: [`RowFormat::Canonical`].
        row_format(format: RowFormat);
        /// Omits unnamed params from the key, like the peers, instead of refusing them. Default:
        /// false.
        allow_unnamed_params(allow: bool);
        /// Sets the longest TTL of new entries while no follower of the [name](Self::follow) runs.
        /// Default: 60 s.
        ///
        /// A follower counts as away if it is 10 s behind the database, or silent for 10 s, or goes
        /// by rules alone. What it missed is invalidated when it is back.
        follow_ttl(ttl: Duration);
    }

    /// Sets how many queries of this process run at once, and how many more wait for their turn.
    /// Further queries end with [`Error::Overloaded`]. Default: 64 and 10,000.
    ///
    /// Protects the database from a cold or lost cache. The executor's own pool may be narrower.
    pub fn query_limit(mut self, at_once: usize, waiting: usize) -> Self {
        (self.config.max_queries, self.config.max_waiting) = (at_once, waiting);
        self
    }

    /// Sets a table, such as `shop.mrc_outbox`, into which each
    /// [`transaction`](MrcClient::transaction) inserts the tags of its invalidations before it
    /// commits. A follower of the log (`mrc follow`) invalidates them too, so a process that dies
    /// after its commit loses none. Default: none.
    ///
    /// Params count as tags: they reach functions, and queries with `tag_by_params`. Globs can't be
    /// inserted.
    ///
    /// ```sql
    /// CREATE TABLE mrc_outbox (tag VARCHAR(1024) NOT NULL) ENGINE = BLACKHOLE; -- stores nothing
    /// ```
    pub fn outbox(mut self, table: impl Into<String>) -> Self {
        self.config.outbox = Some(table.into());
        self
    }

    /// Has the follower of this name keep the entries of queries right: each entry carries tags of
    /// the rows that can change its answer, and the follower (`mrc follow` with `auto = true`)
    /// invalidates those of each changed row. Default: none, entries end by their TTL, and by
    /// invalidations.
    ///
    /// The name is the `name` in the follower's settings. Both need the same Redis, with the same
    /// prefix. A query that can't be followed ends by its TTL alone, and
    /// [`Event::NotFollowed`](mrc_core::Event::NotFollowed) says why. An entry of a function
    /// inherits the tags of the queries that it reads.
    pub fn follow(mut self, name: impl Into<String>) -> Self {
        self.config.follow = Some(name.into());
        self
    }

    /// Lets followers take any value. This breaks the promise of this library: a proof shows with
    /// it that this part of the protocol is needed.
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

    /// Returns the client, which connects at first use.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Ttl`] or a backend's own: a URL or a setting can't be used, or
    /// there is no cache.
    pub fn build(self) -> Result<MrcClient> {
        let config = &self.config;
        let settings = config.settings.clone();
        settings.check()?;
        if config.max_queries == 0 {
            return Err(Error::Config("a query limit of zero lets no query run: raise it".into()));
        }
        let keys = KeyScheme::new(config.key_format).allow_unnamed(config.allow_unnamed_params);
        let claims = Claims::new(settings.lease, settings.wait_max);
        #[cfg(feature = "mysql")]
        let mysql = self.mysql_executor()?;
        let executor = self.executor.clone();
        #[cfg(feature = "mysql")]
        let executor = executor.or_else(|| mysql.clone().map(|mysql| mysql as Arc<dyn QueryExecutor>));
        let (store, events) = (self.cache_store()?, Arc::new(self.events.clone()));
        store.shared().listen(events.clone());
        let follow = |name| Follow::new(name, config.follow_ttl, store.shared(), executor.as_ref(), &events);
        let follow = config.follow.as_deref().map(follow).transpose()?.map(Arc::new);
        let pipeline = Pipeline::new(store, claims, events, settings.max_value, follow, self.without);
        let options = Options::new(&settings, OnError::Degrade);
        let inner = ClientInner {
            invalidator: Invalidator::new(Arc::clone(pipeline.store.shared()), settings.invalidation_deadline),
            outbox: config.outbox.as_deref().map(Outbox::new).transpose()?,
            rows: config.row_format,
            settings,
            pipeline,
            bulkhead: Bulkhead::new(config.max_queries, config.max_waiting),
            texts: Texts::new(executor.as_ref().is_some_and(|executor| executor.ignores_space())),
            executor,
            #[cfg(feature = "mysql")]
            mysql,
            keys,
        };
        Ok(MrcClient { inner: Arc::new(inner), options })
    }

    #[cfg(feature = "mysql")]
    fn mysql_executor(&self) -> Result<Option<Arc<mrc_store::MySqlExecutor>>> {
        let config = match (&self.mysql, &self.config.mysql) {
            (Some(config), _) => config.clone(),
            (None, Some(url)) => mrc_store::MySqlConfig::from_url(url)?,
            (None, None) => return Ok(None),
        };
        Ok(Some(Arc::new(mrc_store::MySqlExecutor::new(config)?)))
    }

    fn cache_store(&self) -> Result<Store> {
        if let Some(store) = &self.store {
            return Ok(Store::from(Arc::clone(store)));
        }
        #[cfg(feature = "redis")]
        match (&self.redis, &self.config.redis) {
            (Some(config), _) => return redis(config.clone()),
            (None, Some(url)) => {
                let config = mrc_store::RedisConfig::from_url(url)?;
                return redis(match &self.config.redis_prefix {
                    Some(prefix) => config.prefix(prefix),
                    None => config,
                });
            }
            (None, None) => {}
        }
        let reason =
            "there is no cache: give the builder `.redis(…)` or `.store(…)`, or set MRC_REDIS_URL for `from_env`";
        Err(Error::Config(reason.into()))
    }
}

#[cfg(feature = "redis")]
fn redis(config: mrc_store::RedisConfig) -> Result<Store> {
    let store: Arc<dyn CacheStore> = Arc::new(mrc_store::RedisStore::new(config)?);
    Ok(store.into())
}

impl From<MrcConfig> for MrcClientBuilder {
    fn from(config: MrcConfig) -> Self {
        Self::default().config(config)
    }
}
