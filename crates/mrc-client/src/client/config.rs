//! The configuration of a client as a struct, and from the environment.

use std::fmt;
use std::time::Duration;

use mrc_core::{KeyFormat, RowFormat};

use crate::error::{Error, Result};
use crate::settings::{Settings, Vars};

/// The settings of a client. Unset fields keep their defaults.
///
/// ```
/// use mrc_client::{MrcClient, MrcConfig};
///
/// let mut config = MrcConfig::from_env()?;
/// config.redis.get_or_insert("redis://localhost:6379".into());
/// let client = MrcClient::builder().config(config).build()?;
/// # Ok::<(), mrc_client::Error>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct MrcConfig {
    /// The URL of MySQL: `mysql://user:password@host:3306/database`. Default: none, and queries
    /// return errors.
    pub mysql: Option<String>,
    /// The URL of Redis: `redis://user:password@host:6379/0`. Default: none, and the builder needs
    /// a store.
    pub redis: Option<String>,
    /// The prefix of every key in Redis. Default: none, or the URL's `?prefix=`.
    pub redis_prefix: Option<String>,
    /// The spelling of keys. Default: the npm peer's.
    pub key_format: KeyFormat,
    /// The spelling of rows. Default: canonical, without loss.
    pub row_format: RowFormat,
    /// The number of queries of this process that run at once. Default: 64.
    pub max_queries: usize,
    /// The number of queries that wait for their turn; further queries are errors. Default: 10,000.
    pub max_waiting: usize,
    /// Leaves params without a name out of the key instead of refusing them. Default: false.
    pub allow_unnamed_params: bool,
    /// The table into which transactions insert their invalidations: see
    /// [`MrcClientBuilder::outbox`](crate::MrcClientBuilder::outbox). Default: none.
    pub outbox: Option<String>,
    /// The name of the follower that keeps entries right: see
    /// [`MrcClientBuilder::follow`](crate::MrcClientBuilder::follow). Default: none.
    pub follow: Option<String>,
    /// The longest TTL of entries while that follower is away. Default: 60 s.
    pub follow_ttl: Duration,
    /// The settings that a cache has too.
    pub settings: Settings,
}

impl Default for MrcConfig {
    fn default() -> Self {
        Self {
            mysql: None,
            redis: None,
            redis_prefix: None,
            key_format: KeyFormat::default(),
            row_format: RowFormat::default(),
            max_queries: 64,
            max_waiting: 10_000,
            allow_unnamed_params: false,
            outbox: None,
            follow: None,
            follow_ttl: Duration::from_secs(60),
            settings: Settings::default(),
        }
    }
}

impl MrcConfig {
    /// Returns the settings of the environment:
    ///
    /// | variable | setting |
    /// |---|---|
    /// | `MRC_MYSQL_URL` | [`mysql`](Self::mysql) |
    /// | `MRC_REDIS_URL` | [`redis`](Self::redis) |
    /// | `MRC_KEY_FORMAT` | [`key_format`](Self::key_format): `typescript` or `python` |
    /// | `MRC_ROW_FORMAT` | [`row_format`](Self::row_format): `canonical`, `typescript` or `python` |
    /// | `MRC_REDIS_PREFIX` | [`redis_prefix`](Self::redis_prefix) |
    /// | `MRC_OUTBOX` | [`outbox`](Self::outbox) |
    /// | `MRC_FOLLOW` | [`follow`](Self::follow) |
    /// | `MRC_FOLLOW_TTL_MS` | [`follow_ttl`](Self::follow_ttl), in milliseconds |
    /// | `MRC_JITTER` | [`jitter`](Settings::jitter), a fraction |
    /// | `MRC_LEASE_MS`, `MRC_WAIT_MAX_MS`, `MRC_DEADLINE_MS` | [`lease`](Settings::lease), [`wait_max`](Settings::wait_max), [`deadline`](Settings::deadline), in milliseconds |
    /// | `MRC_STALE_ON_ERROR_MS`, `MRC_STALE_AFTER_MS` | [`stale_on_error`](Settings::stale_on_error), [`stale_after`](Settings::stale_after), in milliseconds |
    /// | `MRC_EARLY_REFRESH_MS` | [`early_refresh`](Settings::early_refresh), in milliseconds |
    /// | `MRC_INVALIDATION_DEADLINE_MS` | [`invalidation_deadline`](Settings::invalidation_deadline), in milliseconds |
    ///
    /// # Errors
    /// [`Error::Config`]: a variable can't be used. The error names it.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    pub(crate) fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut config = Self {
            mysql: var("MRC_MYSQL_URL"),
            redis: var("MRC_REDIS_URL"),
            redis_prefix: var("MRC_REDIS_PREFIX"),
            outbox: var("MRC_OUTBOX"),
            follow: var("MRC_FOLLOW"),
            ..Self::default()
        };
        let vars = Vars(&var);
        vars.parsed("MRC_KEY_FORMAT", "typescript or python", &mut config.key_format)?;
        vars.parsed("MRC_ROW_FORMAT", "canonical, typescript or python", &mut config.row_format)?;
        vars.millis("MRC_FOLLOW_TTL_MS", &mut config.follow_ttl)?;
        config.settings.read(&vars)?;
        Ok(config)
    }
}

impl fmt::Debug for MrcConfig {
    /// Omits the URLs, which hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = |url: &Option<String>| if url.is_some() { "given" } else { "none" };
        f.debug_struct("MrcConfig")
            .field("mysql", &given(&self.mysql))
            .field("redis", &given(&self.redis))
            .field("redis_prefix", &self.redis_prefix)
            .field("key_format", &self.key_format)
            .field("row_format", &self.row_format)
            .field("max_queries", &self.max_queries)
            .field("max_waiting", &self.max_waiting)
            .field("allow_unnamed_params", &self.allow_unnamed_params)
            .field("outbox", &self.outbox)
            .field("follow", &self.follow)
            .field("follow_ttl", &self.follow_ttl)
            .field("settings", &self.settings)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(vars: &[(&str, &str)]) -> Result<MrcConfig, Error> {
        MrcConfig::from_vars(|name| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_overrides_the_defaults() {
        let formats = [("MRC_KEY_FORMAT", "python"), ("MRC_ROW_FORMAT", "typescript")];
        let config = from(&[formats, [("MRC_LEASE_MS", "1500"), ("MRC_JITTER", "0")]].concat()).unwrap();
        assert_eq!((config.key_format, config.row_format), (KeyFormat::Python, RowFormat::TypeScript));
        assert_eq!((config.settings.lease, config.settings.jitter), (std::time::Duration::from_millis(1500), 0.0));
        assert_eq!(from(&[]).unwrap(), MrcConfig::default());
    }

    #[test]
    fn a_variable_that_is_wrong_is_named() {
        let wrong = "MRC_KEY_FORMAT=perl MRC_ROW_FORMAT=xml MRC_JITTER=much MRC_LEASE_MS=-5 MRC_DEADLINE_MS=soon";
        for (name, value) in wrong.split(' ').filter_map(|variable| variable.split_once('=')) {
            assert!(from(&[(name, value)]).unwrap_err().to_string().contains(name), "{name}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let config = MrcConfig { redis: Some("redis://:hunter2@localhost".into()), ..MrcConfig::default() };
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
