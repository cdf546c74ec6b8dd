//! The clients of a contender. Each is made at its first use: an idle client has background tasks.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fred::clients::{Client, WithOptions};
use fred::interfaces::ClientLike;
use fred::types::Builder;
use fred::types::config::{Config, ConnectionConfig, Options, PerformanceConfig, ReconnectPolicy, UnresponsiveConfig};
use mrc::config::{CacheBuilder, RedisConfig};
use mrc::store::{RedisStore, Sliding};
use mrc::{Bound, Cache, Event, MrcClient, MrcServer, Policy};

use crate::Res;
use crate::data::{TTL, Urls, bounded_name};

/// Longer than the default: 64 answers of 1.4 MB, decoded on two cores, delay each other.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Connections {
    pub(super) urls: Urls,
    fred: Option<WithOptions<Client>>,
    redis_rs: Option<redis::aio::MultiplexedConnection>,
    pool: Option<mysql_async::Pool>,
    store: Option<Arc<RedisStore>>,
    mrc: Option<MrcClient>,
    followed: Option<MrcClient>,
    full: Option<MrcClient>,
    server: Option<MrcServer>,
    cache: Option<Cache>,
    bounded: HashMap<(Policy, u32), Cache>,
}

impl Connections {
    pub(super) fn new(urls: Urls) -> Self {
        Self { urls, ..Self::default() }
    }

    /// Returns fred with our store's settings: time-outs, and no wait for a server that is away.
    pub(super) async fn fred(&mut self) -> Res<WithOptions<Client>> {
        if let Some(client) = &self.fred {
            return Ok(client.clone());
        }
        let mut builder = Builder::from_config(Config::from_url(&self.urls.redis)?);
        builder
            .set_policy(ReconnectPolicy::new_exponential(0, 50, 1_000, 2))
            .set_performance_config(PerformanceConfig {
                default_command_timeout: COMMAND_TIMEOUT,
                ..PerformanceConfig::default()
            })
            .set_connection_config(ConnectionConfig {
                max_command_attempts: 1,
                unresponsive: UnresponsiveConfig {
                    max_timeout: Some(COMMAND_TIMEOUT * 2),
                    interval: COMMAND_TIMEOUT / 2,
                },
                ..ConnectionConfig::default()
            });
        let client = builder.build()?;
        client.init().await?;
        let options = Options { fail_fast: true, max_attempts: Some(1), ..Options::default() };
        Ok(self.fred.insert(client.with_options(&options)).clone())
    }

    /// Returns redis-rs with our store's settings.
    pub(super) async fn redis_rs(&mut self) -> Res<redis::aio::MultiplexedConnection> {
        if let Some(connection) = &self.redis_rs {
            return Ok(connection.clone());
        }
        let config = redis::AsyncConnectionConfig::new()
            .set_response_timeout(Some(COMMAND_TIMEOUT))
            .set_pipeline_buffer_size(1_024);
        let client = redis::Client::open(self.urls.redis.as_str())?;
        let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(self.redis_rs.insert(connection).clone())
    }

    pub(super) fn pool(&mut self) -> Res<mysql_async::Pool> {
        kept(&mut self.pool, || {
            let opts = mysql_async::Opts::from_url(&self.urls.mysql)?;
            // The executor does the same: a reset costs a round trip and the prepared statements.
            let pool_opts = mysql_async::PoolOpts::default().with_reset_connection(false);
            let opts = mysql_async::OptsBuilder::from_opts(opts).pool_opts(pool_opts).prefer_socket(false);
            Ok(mysql_async::Pool::new(opts))
        })
    }

    pub(super) fn store(&mut self) -> Res<Arc<RedisStore>> {
        kept(&mut self.store, || Ok(Arc::new(RedisStore::new(config(&self.urls.redis)?)?)))
    }

    pub(super) fn mrc(&mut self) -> Res<MrcClient> {
        kept(&mut self.mrc, || {
            let builder = MrcClient::builder().mysql(&self.urls.mysql);
            let builder = match self.urls.redis.as_str() {
                "" => builder.store(mrc::MemoryStore::new()),
                redis => builder.redis_config(config(redis)?),
            };
            Ok(builder.build()?)
        })
    }

    /// Returns a client whose entries have tags of rows. No follower of the name runs: that shows
    /// at fills alone, as a shorter TTL.
    pub(super) fn followed(&mut self) -> Res<MrcClient> {
        kept(&mut self.followed, || {
            let builder = MrcClient::builder().mysql(&self.urls.mysql).redis_config(config(&self.urls.redis)?);
            Ok(builder.follow("bench").build()?)
        })
    }

    /// Returns a client with every option on: early refreshes, stale copies, metrics, a listener.
    pub(super) fn full(&mut self) -> Res<MrcClient> {
        kept(&mut self.full, || {
            let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
            let metrics = metrics::with_local_recorder(&recorder, mrc::Metrics::new);
            let heard = AtomicU64::new(0);
            let builder = MrcClient::builder()
                .mysql(&self.urls.mysql)
                .redis_config(config(&self.urls.redis)?)
                .early_refresh(Duration::from_secs(60))
                .stale_on_error(Duration::from_secs(3600))
                .on_event(metrics)
                .on_event(move |_: &Event<'_>| _ = heard.fetch_add(1, Ordering::Relaxed));
            Ok(builder.build()?)
        })
    }

    pub(super) fn server(&mut self) -> Res<MrcServer> {
        kept(&mut self.server, || Ok(MrcServer::new(&self.urls.redis)?))
    }

    pub(super) fn cache(&mut self) -> Res<Cache> {
        kept(&mut self.cache, || {
            Ok(Cache::builder(RedisStore::new(config(&self.urls.redis)?)?).namespace("bench").ttl(TTL).build()?)
        })
    }

    /// Returns a cache of functions for `entries` entries. All share one store's connections.
    pub(super) fn bounded(&mut self, policy: Policy, entries: u32) -> Res<Cache> {
        if let Some(cache) = self.bounded.get(&(policy, entries)) {
            return Ok(cache.clone());
        }
        let bound = Bound::new(policy).max(entries.try_into()?).ttl(Sliding(TTL));
        let builder = CacheBuilder::shared(self.store()?).namespace(bounded_name(entries)).ttl(TTL).bound(bound);
        Ok(self.bounded.entry((policy, entries)).or_insert(builder.build()?).clone())
    }
}

/// Returns what is there, or makes it.
fn kept<T: Clone>(there: &mut Option<T>, make: impl FnOnce() -> Res<T>) -> Res<T> {
    match there {
        Some(there) => Ok(there.clone()),
        None => Ok(there.insert(make()?).clone()),
    }
}

fn config(redis: &str) -> Res<RedisConfig> {
    Ok(RedisConfig::from_url(redis)?.command_timeout(COMMAND_TIMEOUT))
}
