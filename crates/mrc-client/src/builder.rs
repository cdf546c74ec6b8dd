//! The builder of a client.

use std::sync::Arc;
use std::time::Duration;

use mrc_core::{EventListener, KeyFormat, KeyScheme, RowFormat, TtlError};
use mrc_store::{CacheStore, QueryExecutor};

use crate::claim::Claims;
use crate::client::{Inner, MrcClient};
use crate::config::MrcConfig;
use crate::error::Error;
use crate::fetch::{Events, Pipeline};
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
        let keys = KeyScheme::new(config.key_format).allow_unnamed(config.allow_unnamed_params);
        let claims = Claims { lease: config.lease, wait_max: config.wait_max };
        #[cfg(feature = "mysql")]
        let mysql = self.mysql_executor()?;
        #[cfg(feature = "mysql")]
        let executor = self.executor.clone().or_else(|| mysql.clone().map(|mysql| mysql as Arc<dyn QueryExecutor>));
        #[cfg(not(feature = "mysql"))]
        let executor = self.executor.clone();
        Ok(MrcClient::from_inner(Inner {
            rows: config.row_format,
            jitter: config.jitter,
            pipeline: Pipeline::new(self.cache_store()?, claims, self.events.clone()),
            executor,
            #[cfg(feature = "mysql")]
            mysql,
            texts: Texts::new(),
            keys,
        }))
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
            (Some(config), _) => return Ok(Store::redis(mrc_store::RedisStore::new(config.clone())?)),
            (None, Some(url)) => {
                return Ok(Store::redis(mrc_store::RedisStore::new(mrc_store::RedisConfig::from_url(url)?)?));
            }
            (None, None) => {}
        }
        Err(Error::Config("there is no cache: give the builder `.redis(…)` or `.store(…)`".into()))
    }
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
