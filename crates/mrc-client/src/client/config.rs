//! Configuration as one struct, and from the environment.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use mrc_core::{KeyFormat, RowFormat, Ttl};
use mrc_store::Invalidator;

use crate::error::Error;

/// The settings of a client. What a field doesn't say stays at its default.
///
/// ```
/// use mrc_client::{MrcClient, MrcConfig};
///
/// let config = MrcConfig { redis: Some("redis://localhost:6379".into()), ..MrcConfig::default() };
/// let client = MrcClient::builder().config(config).build()?;
/// # Ok::<(), mrc_client::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct MrcConfig {
    /// The URL of MySQL: `mysql://user:password@host:3306/database`. Default: none; queries are then errors.
    pub mysql: Option<String>,
    /// The URL of Redis: `redis://user:password@host:6379/0`. Default: none; a store must then be given to the builder.
    pub redis: Option<String>,
    /// Whose spelling keys have. Default: the npm peer's.
    pub key_format: KeyFormat,
    /// How rows are written. Default: canonical, without loss.
    pub row_format: RowFormat,
    /// By which fraction TTLs vary. Default: 0.1, ±10 %.
    pub jitter: f64,
    /// How long a claim stands while a value is computed; a computation that takes longer isn't stored. Default: 30 s.
    pub lease: Duration,
    /// How long to wait for another process that computes the value, before asking the database as well. Default: 1 s.
    pub wait_max: Duration,
    /// How long a call may take as a whole. Default: 60 s.
    pub deadline: Duration,
    /// How long a copy of each value outlives its TTL, for when the database fails. Default: zero, no copies.
    pub stale_on_error: Duration,
    /// How long a query may take before its caller gets the copy. Default: 1 s.
    pub stale_after: Duration,
    /// The last part of a life, in which a value that is hit is computed anew. Default: zero, values end.
    pub early_refresh: Duration,
    /// The largest value that is stored or taken from the cache, in bytes. Default: 64 MiB.
    pub max_value: usize,
    /// How many queries of this process read the database at once, and how many more may wait. Default: 64 and 10,000.
    pub query_limit: (usize, usize),
    /// For how long a failed invalidation is tried again before it returns an error. Default: 10 s.
    pub invalidation_deadline: Duration,
    /// Leaves params without a name out of the key instead of refusing them. Default: false.
    pub allow_unnamed_params: bool,
}

impl Default for MrcConfig {
    fn default() -> Self {
        Self {
            mysql: None,
            redis: None,
            key_format: KeyFormat::default(),
            row_format: RowFormat::default(),
            jitter: Ttl::DEFAULT_JITTER,
            lease: Duration::from_secs(30),
            wait_max: Duration::from_secs(1),
            deadline: Duration::from_secs(60),
            stale_on_error: Duration::ZERO,
            stale_after: Duration::from_secs(1),
            early_refresh: Duration::ZERO,
            max_value: 64 << 20,
            query_limit: (64, 10_000),
            invalidation_deadline: Invalidator::DEADLINE,
            allow_unnamed_params: false,
        }
    }
}

impl MrcConfig {
    /// The settings that the environment has:
    ///
    /// | variable | setting |
    /// |---|---|
    /// | `MRC_MYSQL_URL` | [`mysql`](Self::mysql) |
    /// | `MRC_REDIS_URL` | [`redis`](Self::redis) |
    /// | `MRC_KEY_FORMAT` | [`key_format`](Self::key_format): `typescript` or `python` |
    /// | `MRC_ROW_FORMAT` | [`row_format`](Self::row_format): `canonical`, `typescript` or `python` |
    /// | `MRC_JITTER` | [`jitter`](Self::jitter), a fraction |
    /// | `MRC_LEASE_MS`, `MRC_WAIT_MAX_MS`, `MRC_DEADLINE_MS` | [`lease`](Self::lease), [`wait_max`](Self::wait_max), [`deadline`](Self::deadline), in milliseconds |
    /// | `MRC_STALE_ON_ERROR_MS`, `MRC_STALE_AFTER_MS` | [`stale_on_error`](Self::stale_on_error), [`stale_after`](Self::stale_after), in milliseconds |
    /// | `MRC_EARLY_REFRESH_MS` | [`early_refresh`](Self::early_refresh), in milliseconds |
    /// | `MRC_INVALIDATION_DEADLINE_MS` | [`invalidation_deadline`](Self::invalidation_deadline), in milliseconds |
    ///
    /// # Errors
    /// When a variable can't be used; the error names it.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    /// The settings from variables of any origin.
    pub(crate) fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut config = Self { mysql: var("MRC_MYSQL_URL"), redis: var("MRC_REDIS_URL"), ..Self::default() };
        let vars = Vars(&var);
        vars.parsed("MRC_KEY_FORMAT", "typescript or python", &mut config.key_format)?;
        vars.parsed("MRC_ROW_FORMAT", "canonical, typescript or python", &mut config.row_format)?;
        vars.fraction("MRC_JITTER", &mut config.jitter)?;
        for (name, setting) in [
            ("MRC_LEASE_MS", &mut config.lease),
            ("MRC_WAIT_MAX_MS", &mut config.wait_max),
            ("MRC_DEADLINE_MS", &mut config.deadline),
            ("MRC_STALE_ON_ERROR_MS", &mut config.stale_on_error),
            ("MRC_STALE_AFTER_MS", &mut config.stale_after),
            ("MRC_EARLY_REFRESH_MS", &mut config.early_refresh),
            ("MRC_INVALIDATION_DEADLINE_MS", &mut config.invalidation_deadline),
        ] {
            vars.millis(name, setting)?;
        }
        Ok(config)
    }
}

/// Variables of any origin. What isn't there leaves its setting as it is.
pub(crate) struct Vars<F>(pub(crate) F);

impl<F: Fn(&str) -> Option<String>> Vars<F> {
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, expected: &str, setting: &mut T) -> Result<(), Error> {
        if let Some(value) = self.0(name) {
            *setting = value.parse().map_err(|_| wrong(name, &value, expected))?;
        }
        Ok(())
    }

    pub(crate) fn fraction(&self, name: &str, setting: &mut f64) -> Result<(), Error> {
        self.parsed(name, "a fraction such as 0.1", setting)
    }

    pub(crate) fn millis(&self, name: &str, setting: &mut Duration) -> Result<(), Error> {
        let expected = "a number of milliseconds, such as 1000";
        let mut millis = setting.as_secs_f64() * 1000.0;
        self.parsed(name, expected, &mut millis)?;
        *setting =
            Duration::try_from_secs_f64(millis / 1000.0).map_err(|_| wrong(name, &millis.to_string(), expected))?;
        Ok(())
    }
}

pub(crate) fn wrong(name: &str, value: &str, expected: &str) -> Error {
    Error::Config(format!("{name} is {value:?}: it must be {expected}"))
}

impl fmt::Debug for MrcConfig {
    /// Without the URLs, which hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = |url: &Option<String>| if url.is_some() { "given" } else { "none" };
        f.debug_struct("MrcConfig")
            .field("mysql", &given(&self.mysql))
            .field("redis", &given(&self.redis))
            .field("key_format", &self.key_format)
            .field("row_format", &self.row_format)
            .field("jitter", &self.jitter)
            .field("lease", &self.lease)
            .field("wait_max", &self.wait_max)
            .field("deadline", &self.deadline)
            .field("stale_on_error", &self.stale_on_error)
            .field("stale_after", &self.stale_after)
            .field("early_refresh", &self.early_refresh)
            .field("max_value", &self.max_value)
            .field("query_limit", &self.query_limit)
            .field("invalidation_deadline", &self.invalidation_deadline)
            .field("allow_unnamed_params", &self.allow_unnamed_params)
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
        let config = from(&[
            ("MRC_KEY_FORMAT", "python"),
            ("MRC_ROW_FORMAT", "typescript"),
            ("MRC_LEASE_MS", "1500"),
            ("MRC_JITTER", "0"),
        ])
        .unwrap();
        assert_eq!((config.key_format, config.row_format), (KeyFormat::Python, RowFormat::TypeScript));
        assert_eq!((config.lease, config.jitter), (Duration::from_millis(1500), 0.0));
        assert_eq!(from(&[]).unwrap(), MrcConfig::default());
    }

    #[test]
    fn a_variable_that_is_wrong_is_named() {
        for (name, value) in
            [("MRC_KEY_FORMAT", "perl"), ("MRC_ROW_FORMAT", "xml"), ("MRC_JITTER", "much"), ("MRC_LEASE_MS", "-5")]
        {
            assert!(from(&[(name, value)]).unwrap_err().to_string().contains(name), "{name}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let config = MrcConfig { redis: Some("redis://:hunter2@localhost".into()), ..MrcConfig::default() };
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
