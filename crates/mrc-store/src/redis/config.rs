//! The configuration of Redis: servers, login, limits.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::bookkeeping::{is_reserved, keeps_slots};
use super::client::{Dialer, Login, Place, RedisClient, Server};
use super::sentinel::SentinelConfig;
use super::tls::TlsConfig;
use crate::error::StoreError;

/// The configuration of Redis: servers, login, limits.
///
/// ```
/// # fn main() -> Result<(), mrc_store::StoreError> {
/// use std::time::Duration;
/// use mrc_store::redis::RedisConfig;
///
/// let config = RedisConfig::from_url("redis://cache:s3cret@127.0.0.1:6379/2")?
///     .prefix("shop:")
///     .command_timeout(Duration::from_millis(200));
/// # Ok(()) }
/// ```
///
/// Neither the `Debug` output nor an error of the store shows a password.
#[derive(Clone)]
#[must_use]
pub struct RedisConfig {
    pub(super) deployment: Deployment,
    pub(super) login: Login,
    client: Option<RedisClient>,
    tls: Option<TlsConfig>,
    pub(super) prefix: String,
    pub(super) connect_timeout: Duration,
    pub(super) command_timeout: Duration,
    pub(super) max_reconnect_delay: Duration,
}

#[derive(Clone)]
pub(super) enum Deployment {
    One(Server),
    /// The first host of the URL comes last.
    Cluster(Vec<Server>),
    Sentinels(SentinelConfig),
    Unix(PathBuf),
}

impl RedisConfig {
    /// Returns a configuration for one server, without a password.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self::with_deployment(Deployment::One(Server::new(host.into(), port)), Login::default(), None)
    }

    /// Reads the URL of `MRC_REDIS_URL`, and the prefix of `MRC_REDIS_PREFIX`, which overrides the
    /// URL's. The store itself reads `MRC_REDIS_CLIENT`: see [`client`](Self::client).
    ///
    /// # Errors
    /// [`StoreError::Config`]: there is no URL, or it can't be used.
    pub fn from_env() -> Result<Self, StoreError> {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, StoreError> {
        let missing = || StoreError::Config("MRC_REDIS_URL is not set: it must be the URL of Redis".into());
        let config = Self::from_url(&var("MRC_REDIS_URL").ok_or_else(missing)?)?;
        Ok(match var("MRC_REDIS_PREFIX") {
            Some(prefix) => config.prefix(prefix),
            None => config,
        })
    }

    pub(super) fn with_deployment(deployment: Deployment, login: Login, tls: Option<TlsConfig>) -> Self {
        Self {
            deployment,
            login,
            client: None,
            tls,
            prefix: String::new(),
            connect_timeout: Duration::from_secs(2),
            command_timeout: Duration::from_millis(500),
            max_reconnect_delay: Duration::from_secs(1),
        }
    }

    /// Sets the user name (ACL). Default: that of the URL, or `default`.
    pub fn username(self, username: impl Into<String>) -> Self {
        Self { login: Login { username: Some(username.into()), ..self.login }, ..self }
    }

    /// Sets the password. Default: that of the URL, or none.
    pub fn password(self, password: impl Into<String>) -> Self {
        Self { login: Login { password: Some(password.into()), ..self.login }, ..self }
    }

    /// Sets the database number, which clusters don't have. Default: that of the URL, or 0.
    pub fn database(self, number: u8) -> Self {
        Self { login: Login { database: Some(number), ..self.login }, ..self }
    }

    /// Sets the library that talks to Redis. Default: that of the environment variable
    /// `MRC_REDIS_CLIENT`, which is `fred` or `redis-rs`, else [`RedisClient::Fred`].
    ///
    /// [`RedisClient::RedisRs`] without the feature `redis-rs` is a [`StoreError::Config`].
    pub fn client(self, client: RedisClient) -> Self {
        Self { client: Some(client), ..self }
    }

    /// Enables TLS. Default: off, or the defaults of [`TlsConfig`] if the URL says `rediss`.
    pub fn tls(self, tls: TlsConfig) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Sets the beginning of every key in Redis, including bookkeeping keys. Callers of the store
    /// never see it. It can't begin with `mrc:`, and should end with a colon. Default: the URL's
    /// `?prefix=`, or none.
    ///
    /// A scan, and so a drop, reaches every key that begins with the prefix. `shop:` doesn't reach
    /// `shopping:`, but `shop` would: a prefix without a final colon logs a warning. `shop`
    /// excludes only the entries of `shop:`. `shop:` also reaches `shop:eu:`, and no prefix
    /// reaches everything. Give services prefixes that aren't beginnings of each other.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Appends to the prefix, for a part of the cache with its own keys.
    pub fn append_prefix(mut self, more: &str) -> Self {
        self.prefix.push_str(more);
        self
    }

    /// Sets how long the first use waits to connect, with TLS and login. Default: 2 seconds.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        Self { connect_timeout: timeout, ..self }
    }

    /// Sets how long each command waits for its answer. Default: 500 milliseconds.
    ///
    /// A server silent for twice as long is disconnected. While disconnected, calls don't wait.
    pub fn command_timeout(self, timeout: Duration) -> Self {
        Self { command_timeout: timeout, ..self }
    }

    /// Sets the longest wait between two attempts to reconnect. Default: 1 second.
    ///
    /// Attempts never stop. The wait begins with 1 millisecond and doubles each time, minus a
    /// random part of up to a quarter, so that processes don't reconnect in step. Each server has
    /// its own wait.
    pub fn max_reconnect_delay(self, delay: Duration) -> Self {
        Self { max_reconnect_delay: delay, ..self }
    }

    /// Returns whether a key belongs to the store whose prefix is this prefix and a colon. Keys of
    /// this store never begin with a colon then.
    pub(super) fn is_of_another_prefix(&self, key: &[u8]) -> bool {
        key.starts_with(b":") && self.has_open_prefix()
    }

    /// Returns whether a non-empty prefix lacks the final colon.
    pub(super) fn has_open_prefix(&self) -> bool {
        !matches!(self.prefix.as_bytes(), [] | [.., b':'])
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.deployment, Deployment::Cluster(_))
    }

    /// Returns the server's name for events and errors: behind sentinels the name of the service.
    pub(super) fn server_name(&self) -> String {
        match &self.deployment {
            Deployment::One(server) => server.to_string(),
            Deployment::Cluster(hosts) => hosts.last().map(ToString::to_string).unwrap_or_default(),
            Deployment::Sentinels(sentinels) => sentinels.service.clone(),
            Deployment::Unix(path) => path.display().to_string(),
        }
    }

    pub(super) fn node(&self, server: Server) -> Place {
        let is_address = server.bare_host().parse::<IpAddr>().is_ok();
        let one_name = self.tls.as_ref().is_some_and(|tls| tls.one_host_name);
        let certified = match &self.deployment {
            Deployment::Cluster(hosts) if is_address && one_name => hosts.last().map(|first| first.host.to_string()),
            _ => is_address.then(|| server.bare_host().to_owned()),
        };
        Place::Tcp { server, certified }
    }

    /// Checks the settings, and reads root certificates, but doesn't connect.
    pub(super) fn dialer(&self) -> Result<Dialer, StoreError> {
        let invalid = |reason: &str| Err(StoreError::Config(reason.into()));
        if is_reserved("", self.prefix.as_bytes()) {
            return invalid("the prefix `mrc:` is reserved for the cache's own keys; choose another");
        }
        if self.connect_timeout.is_zero() || self.command_timeout.is_zero() {
            return invalid("a timeout of zero lets nothing succeed; the cache needs some milliseconds at least");
        }
        if self.is_cluster() && self.login.database.is_some_and(|number| number != 0) {
            return invalid("a cluster has no databases other than 0");
        }
        if self.is_cluster() && !keeps_slots(&self.prefix) {
            return invalid(
                "in a cluster a `{` in the prefix needs a text and a `}` behind it, as `{shop}:`; or leave braces out",
            );
        }
        Ok(Dialer {
            client: RedisClient::of(self.client)?,
            tls: self.tls.as_ref().map(TlsConfig::build).transpose()?.map(Arc::new),
            connect_timeout: self.connect_timeout,
            command_timeout: self.command_timeout,
        })
    }
}

impl Default for RedisConfig {
    /// Returns the configuration of 127.0.0.1, port 6379.
    fn default() -> Self {
        Self::new("127.0.0.1", 6379)
    }
}

/// Omits credentials, including the user name: some users put the password there.
impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, hosts) = match &self.deployment {
            Deployment::One(server) => ("one server", vec![server.to_string()]),
            Deployment::Cluster(hosts) => ("cluster", hosts.iter().map(ToString::to_string).collect()),
            Deployment::Sentinels(config) => ("sentinel", config.hosts.iter().map(ToString::to_string).collect()),
            Deployment::Unix(path) => ("unix socket", vec![path.display().to_string()]),
        };
        f.debug_struct("RedisConfig")
            .field("kind", &kind)
            .field("hosts", &hosts)
            .field("credentials", &(self.login.username.is_some() || self.login.password.is_some()))
            .field("database", &self.login.database.unwrap_or(0))
            .field("tls", &self.tls)
            .field("client", &self.client)
            .field("prefix", &self.prefix)
            .field("connect_timeout", &self.connect_timeout)
            .field("command_timeout", &self.command_timeout)
            .field("max_reconnect_delay", &self.max_reconnect_delay)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cret";

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let check = |config: RedisConfig, expect: &str| {
            let error = config.dialer().map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        check(RedisConfig::default().prefix("mrc:shop"), "reserved");
        check(RedisConfig::default().command_timeout(Duration::ZERO), "zero");
        check(RedisConfig::default().connect_timeout(Duration::ZERO), "zero");
        check(RedisConfig::from_url("redis-cluster://h:1").unwrap().database(1), "no databases");
        check(RedisConfig::from_url("redis-cluster://h:1").unwrap().prefix("{}:"), "a `}` behind it");
        let of_url = RedisConfig::from_url("redis://h:1/2?prefix=shop%3Aeu:").unwrap();
        assert_eq!(of_url.prefix, "shop:eu:");
        let of_vars = |prefix: Option<&str>| {
            RedisConfig::from_vars(|name| match name {
                "MRC_REDIS_URL" => Some("redis://h:1?prefix=shop:".to_owned()),
                _ => prefix.map(str::to_owned),
            })
        };
        assert_eq!(of_vars(None).unwrap().prefix, "shop:");
        assert_eq!(of_vars(Some("app:")).unwrap().prefix, "app:");
        assert_eq!(of_url.append_prefix("x").prefix, "shop:eu:x");
        check(RedisConfig::default().tls(TlsConfig::new().roots("rubbish")), "no PEM certificate");
        check(RedisConfig::default().tls(TlsConfig::new().client_certificate("", "")), "private key");
    }

    #[test]
    fn setters_win_over_the_url() {
        let config = RedisConfig::from_url("redis://a:b@h/1").unwrap().username("u").password(SECRET).database(2);
        assert_eq!(config.login.username.as_deref(), Some("u"));
        assert_eq!(config.login.password.as_deref(), Some(SECRET));
        assert_eq!(config.login.database, Some(2));
        assert!(config.dialer().is_ok());
        assert!(!format!("{config:?}").contains(SECRET));
    }

    #[test]
    fn a_cluster_node_shows_a_certificate_for_its_own_name_or_for_one_of_all() {
        let config = RedisConfig::from_url("rediss-cluster://cache.internal:1?node=b:2").unwrap();
        let check = |config: &RedisConfig, host: &str, expect: Option<&str>| {
            let server = Server::new(host, 7);
            let certified = expect.map(str::to_owned);
            assert_eq!(config.node(server.clone()), Place::Tcp { server, certified }, "{host}");
        };
        // `None`: by its host.
        check(&config, "c", None);
        check(&config, "10.0.0.1", Some("10.0.0.1"));
        check(&config, "[::1]", Some("::1"));
        let one = config.tls(TlsConfig::new().one_host_name(true));
        check(&one, "c", None);
        check(&one, "10.0.0.1", Some("cache.internal"));
        check(&one, "[::1]", Some("cache.internal"));
    }
}
