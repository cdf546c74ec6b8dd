//! The configuration of Redis: servers, login, limits.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use fred::error::{Error, ErrorKind};
use fred::types::Builder;
use fred::types::config::{Config, ConnectionConfig, PerformanceConfig, ReconnectError, Server, ServerConfig};

use super::bookkeeping::{is_reserved, keeps_slots};
use super::tls::TlsConfig;
use crate::error::StoreError;

const PARAMETERS: [&str; 5] = ["prefix", "node", "sentinelServiceName", "sentinelUsername", "sentinelPassword"];

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
pub struct RedisConfig {
    server: Config,
    tls: Option<TlsConfig>,
    pub(super) prefix: String,
    pub(super) connect_timeout: Duration,
    pub(super) command_timeout: Duration,
    pub(super) max_reconnect_delay: Duration,
}

impl RedisConfig {
    /// Returns a configuration for one server, without a password.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self::with_server(Config { server: ServerConfig::new_centralized(host, port), ..Config::default() }, None)
    }

    /// Reads the configuration from a URL:
    ///
    /// | servers | URL |
    /// |---|---|
    /// | one | `redis://[[user]:password@]host[:port][/database]` |
    /// | a cluster | `redis-cluster://[[user]:password@]host[:port][?node=host:port&node=…]` |
    /// | one behind sentinels | `redis-sentinel://[[user]:password@]host[:port][/database]?sentinelServiceName=name[&node=host:port…][&sentinelUsername=…][&sentinelPassword=…]` |
    /// | one on a unix socket | `redis+unix:///path/to/socket` |
    ///
    /// The schemes `rediss`, `rediss-cluster` and `rediss-sentinel` use TLS: see
    /// [`tls`](Self::tls). `valkey` may replace `redis`. `?prefix=shop:` sets the
    /// [`prefix`](Self::prefix) for any kind of server. Default ports: 6379, and 26379 for
    /// sentinels. Percent-encode everything except letters and digits in a user name or a password.
    ///
    /// # Errors
    /// [`StoreError::Config`]: the URL can't be used. The error quotes nothing of the URL.
    pub fn from_url(url: &str) -> Result<Self, StoreError> {
        let config = |reason: &str| StoreError::Config(format!("the Redis URL: {reason}"));
        let (scheme, rest) = url.split_once("://").ok_or_else(|| config("it must begin with a scheme, as redis://"))?;
        let (scheme, tls) = match scheme {
            "redis" | "valkey" => ("redis", false),
            "rediss" | "valkeys" => ("redis", true),
            "redis-cluster" | "valkey-cluster" => ("redis-cluster", false),
            "rediss-cluster" | "valkeys-cluster" => ("redis-cluster", true),
            "redis-sentinel" | "valkey-sentinel" => ("redis-sentinel", false),
            "rediss-sentinel" | "valkeys-sentinel" => ("redis-sentinel", true),
            "redis+unix" | "valkey+unix" => ("redis+unix", false),
            _ => {
                return Err(config(
                    "the scheme must be redis, rediss, redis-cluster, rediss-cluster, redis-sentinel, \
                     rediss-sentinel or redis+unix",
                ));
            }
        };
        // Refuse an unencoded `#` or `?` in a password, because it ends the URL early.
        if rest.contains('#') {
            return Err(config("a # in a user name or a password must be written as %23"));
        }
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let names = query.split('&').filter(|part| !part.is_empty()).map(|part| part.split('=').next().unwrap_or(part));
        for name in names {
            if !PARAMETERS.contains(&name) {
                let known = PARAMETERS.join(", ");
                return Err(config(&format!(
                    "it has an unknown parameter; known are {known}. A ? in a password must be written as %3F"
                )));
            }
        }
        let path = address.split_once('/').map_or("", |(_, path)| path);
        if scheme != "redis+unix" && path.contains('@') {
            return Err(config("a / in a user name or a password must be written as %2F"));
        }
        if scheme == "redis-cluster" && !matches!(path, "" | "0") {
            return Err(config("a cluster has no databases other than 0"));
        }
        // Without the `s`: fred would load root certificates here, by its own crypto provider.
        let server = Config::from_url(&format!("{scheme}://{rest}")).map_err(|error| config(reason(&error)))?;
        let prefix = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "prefix");
        let prefix = prefix.map(|(_, value)| value.into_owned()).unwrap_or_default();
        Ok(Self::with_server(server, tls.then(TlsConfig::new)).prefix(prefix))
    }

    /// Reads the environment: the URL of `MRC_REDIS_URL`, and the prefix of `MRC_REDIS_PREFIX`,
    /// which overrides the URL's.
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

    fn with_server(server: Config, tls: Option<TlsConfig>) -> Self {
        Self {
            server,
            tls,
            prefix: String::new(),
            connect_timeout: Duration::from_secs(2),
            command_timeout: Duration::from_millis(500),
            max_reconnect_delay: Duration::from_secs(1),
        }
    }

    /// Sets the user name (ACL). Default: that of the URL, or `default`.
    #[must_use]
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.server.username = Some(username.into());
        self
    }

    /// Sets the password. Default: that of the URL, or none.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.server.password = Some(password.into());
        self
    }

    /// Sets the database number, which clusters don't have. Default: that of the URL, or 0.
    #[must_use]
    pub fn database(mut self, number: u8) -> Self {
        self.server.database = Some(number);
        self
    }

    /// Enables TLS. Default: off, or the defaults of [`TlsConfig`] if the URL says `rediss`.
    #[must_use]
    pub fn tls(mut self, tls: TlsConfig) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets the beginning of every key in Redis, including bookkeeping keys. Callers of the store
    /// never see it. It can't begin with `mrc:`, and should end with a colon. Default: the URL's
    /// `?prefix=`, or none.
    ///
    /// A scan, and so a drop, reaches every key that begins with the prefix. `shop:` doesn't reach
    /// `shopping:`, but `shop` would: a prefix without a final colon logs a warning. `shop`
    /// excludes only the entries of `shop:`. `shop:` also reaches `shop:eu:`, and no prefix
    /// reaches everything. Give services prefixes that aren't beginnings of each other.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Appends to the prefix, for a part of the cache with its own keys.
    #[must_use]
    pub fn append_prefix(mut self, more: &str) -> Self {
        self.prefix.push_str(more);
        self
    }

    /// Sets how long the first use waits to connect, with TLS and login. Default: 2 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long each command waits for its answer. Default: 500 milliseconds.
    ///
    /// A server silent for twice as long is disconnected. While disconnected, calls don't wait.
    #[must_use]
    pub fn command_timeout(mut self, timeout: Duration) -> Self {
        self.command_timeout = timeout;
        self
    }

    /// Sets the longest wait between two attempts to reconnect. Default: 1 second.
    ///
    /// Attempts never stop. The wait begins with 1 millisecond and doubles each time, minus a
    /// random part of up to a quarter, so that processes don't reconnect in step. Each server of a
    /// cluster has its own wait.
    #[must_use]
    pub fn max_reconnect_delay(mut self, delay: Duration) -> Self {
        self.max_reconnect_delay = delay;
        self
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

    /// Returns whether the servers are a cluster.
    pub(super) fn is_cluster(&self) -> bool {
        self.server.server.is_clustered()
    }

    /// Returns whether the one server has a fixed address.
    pub(super) fn has_address(&self) -> bool {
        self.server.server.is_centralized()
    }

    /// Returns the configured servers. The first host of the URL comes last.
    pub(super) fn hosts(&self) -> Vec<Server> {
        self.server.server.hosts()
    }

    /// Returns the server's name for events and errors. Behind sentinels, whose server's address
    /// changes, that is the service name.
    pub(super) fn server_name(&self) -> String {
        match &self.server.server {
            ServerConfig::Sentinel { service_name, .. } => service_name.clone(),
            ServerConfig::Unix { path } => path.display().to_string(),
            _ => self.hosts().last().map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// Returns the builder for one node of a cluster, of which fred sees no other node.
    pub(super) fn node(&self, builder: &Builder, mut server: Server) -> Builder {
        let host = server.host.trim_matches(['[', ']']).to_owned();
        if host.parse::<IpAddr>().is_ok() {
            let one_name = self.tls.as_ref().is_some_and(TlsConfig::has_one_host_name);
            let asked = self.hosts().pop().filter(|_| one_name).map(|first| first.host.to_string());
            server.tls_server_name = Some(asked.unwrap_or(host).into());
        }
        let mut builder = builder.clone();
        builder.with_config(|config| config.server = ServerConfig::Centralized { server });
        builder
    }

    /// Returns fred's configuration. Reads root certificates, but doesn't connect.
    pub(super) fn build(&self) -> Result<Builder, StoreError> {
        let invalid = |reason: &str| Err(StoreError::Config(reason.into()));
        if is_reserved("", self.prefix.as_bytes()) {
            return invalid("the prefix `mrc:` is reserved for the cache's own keys; choose another");
        }
        if self.connect_timeout.is_zero() || self.command_timeout.is_zero() {
            return invalid("a timeout of zero lets nothing succeed; the cache needs some milliseconds at least");
        }
        if self.is_cluster() && self.server.database.is_some_and(|number| number != 0) {
            return invalid("a cluster has no databases other than 0");
        }
        if self.is_cluster() && !keeps_slots(&self.prefix) {
            return invalid(
                "in a cluster a `{` in the prefix needs a text and a `}` behind it, as `{shop}:`; or leave braces out",
            );
        }
        let mut server = self.server.clone();
        server.tls = self.tls.as_ref().map(TlsConfig::build).transpose()?;
        // No reconnect policy: while fred reconnects, it accepts commands and lets them wait.
        let mut builder = Builder::from_config(server);
        builder
            .set_performance_config(PerformanceConfig {
                default_command_timeout: self.command_timeout,
                ..PerformanceConfig::default()
            })
            .set_connection_config(ConnectionConfig {
                connection_timeout: self.connect_timeout,
                internal_command_timeout: self.connect_timeout,
                max_command_attempts: 1,
                // A rotated password shows on a live connection.
                reconnect_on_auth_error: true,
                // So does a primary that became a replica. Connecting again finds the new one.
                reconnect_errors: vec![ReconnectError::ReadOnly],
                ..ConnectionConfig::default()
            });
        Ok(builder)
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
        let (kind, hosts) = match &self.server.server {
            ServerConfig::Centralized { .. } => ("one server", self.server.server.hosts()),
            ServerConfig::Clustered { .. } => ("cluster", self.server.server.hosts()),
            ServerConfig::Sentinel { .. } => ("sentinel", self.server.server.hosts()),
            ServerConfig::Unix { .. } => ("unix socket", self.server.server.hosts()),
        };
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        f.debug_struct("RedisConfig")
            .field("kind", &kind)
            .field("hosts", &hosts)
            .field("credentials", &(self.server.username.is_some() || self.server.password.is_some()))
            .field("database", &self.server.database.unwrap_or(0))
            .field("tls", &self.tls)
            .field("prefix", &self.prefix)
            .field("connect_timeout", &self.connect_timeout)
            .field("command_timeout", &self.command_timeout)
            .field("max_reconnect_delay", &self.max_reconnect_delay)
            .finish()
    }
}

/// Describes fred's error about a URL without quoting the URL.
fn reason(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Parse => {
            "the database must be a number from 0 to 255, the port of a `node` a number, and credentials UTF-8"
        }
        ErrorKind::Config if error.details().contains("sentinel service") => {
            "the parameter sentinelServiceName is missing: the name of the primary that the sentinels watch"
        }
        ErrorKind::Config if error.details().contains("database") => "its path must be the number of a database",
        ErrorKind::Config if error.details().contains("node") => "a `node` must be host:port",
        _ => {
            "host or port can't be read; what isn't a letter or a digit in a user name or a password must be \
             percent-encoded"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cret";

    #[test]
    fn urls_of_every_kind() {
        let check = |url: &str, expect: &str| {
            let config = RedisConfig::from_url(url).unwrap();
            let shown = format!("{config:?}");
            assert!(shown.contains(expect), "{url}: {shown}");
            assert!(!shown.contains(SECRET), "{shown}");
            config
        };
        check("redis://h", r#"kind: "one server", hosts: ["h:6379"], credentials: false, database: 0, tls: None"#);
        check("valkey://:s3cret@h:1/3", r#"hosts: ["h:1"], credentials: true, database: 3"#);
        check("redis://[::1]:7", r#"hosts: ["[::1]:7"]"#);
        check("rediss://u:s3cret@h", "tls: Some(TlsConfig { own_roots: false");
        check("redis-cluster://a:1?node=b:2&node=c:3", r#"kind: "cluster", hosts: ["b:2", "c:3", "a:1"]"#);
        check("redis-cluster://a:1/0", "cluster");
        check(
            "redis-sentinel://a?sentinelServiceName=m&sentinelPassword=s3cret",
            r#"kind: "sentinel", hosts: ["a:26379"]"#,
        );
        check("redis+unix:///tmp/redis.sock", r#"kind: "unix socket", hosts: ["/tmp/redis.sock"#);
        let config = check("redis://us%3Aer:%40s3cret%2F@h", "credentials: true");
        assert_eq!(config.server.username.as_deref(), Some("us:er"));
        assert_eq!(config.server.password.as_deref(), Some("@s3cret/"));
    }

    #[test]
    fn errors_omit_the_password() {
        let check = |url: &str, expect: &str| {
            let error = RedisConfig::from_url(url).unwrap_err();
            assert!(matches!(error, StoreError::Config(_)), "{error:?}");
            let text = format!("{error} {error:?}");
            assert!(text.contains(expect), "{url}: {text}");
            assert!(!text.contains(SECRET), "{url}: {text}");
        };
        check("", "must begin with a scheme");
        check("h:6379", "must begin with a scheme");
        check("s3cret://h", "the scheme must be redis");
        check("mysql://h", "the scheme must be redis");
        check("redis://", "host or port can't be read");
        check("redis://u:s3cret@h:port", "host or port can't be read");
        check("redis://u:s3cret@h:99999", "host or port can't be read");
        check("redis://u:#s3cret@h", "must be written as %23");
        check("redis://u:x?s3cret@h", "must be written as %3F");
        check("redis://u:/s3cret@h", "must be written as %2F");
        check("redis://u:s3cret@h/shop", "the database must be a number");
        check("redis://u:s3cret@h/256", "the database must be a number");
        check("redis://u:s3cret@h/1/2", "the number of a database");
        check("redis://u:s3cret@h?pass=s3cret", "unknown parameter; known are prefix, node,");
        check("redis://u:%ffs3cret@h", "credentials UTF-8");
        check("redis-cluster://u:s3cret@h:1/3", "no databases other than 0");
        check("redis-cluster://u:s3cret@h:1?node=s3cret", "a `node` must be host:port");
        check("redis-sentinel://u:s3cret@h", "sentinelServiceName is missing");
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let check = |config: RedisConfig, expect: &str| {
            let error = config.build().map(|_| ()).unwrap_err().to_string();
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
        assert_eq!(config.server.username.as_deref(), Some("u"));
        assert_eq!(config.server.password.as_deref(), Some(SECRET));
        assert_eq!(config.server.database, Some(2));
        assert!(config.build().is_ok());
        assert!(!format!("{config:?}").contains(SECRET));
    }

    #[test]
    fn a_cluster_node_shows_a_certificate_for_its_own_name_or_for_one_of_all() {
        let config = RedisConfig::from_url("rediss-cluster://cache.internal:1?node=b:2").unwrap();
        let plain = Builder::default_centralized();
        let check = |config: &RedisConfig, host: &str, expect: Option<&str>| {
            let node = config.node(&plain, Server::new(host, 7));
            let server = node.get_config().and_then(|config| config.server.hosts().pop()).unwrap();
            assert_eq!((&*server.host, server.port), (host, 7));
            assert_eq!(server.tls_server_name.as_deref(), expect, "{host}");
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
