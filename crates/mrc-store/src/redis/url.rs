//! The configuration of Redis from a URL.

use percent_encoding::percent_decode_str;
use url::Url;

use super::client::{Login, Server};
use super::config::{Deployment, RedisConfig};
use super::sentinel::SentinelConfig;
use super::tls::TlsConfig;
use crate::error::StoreError;

const PARAMETERS: [&str; 5] = ["prefix", "node", "sentinelServiceName", "sentinelUsername", "sentinelPassword"];
const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
const UNREADABLE: &str = "host or port can't be read; what isn't a letter or a digit in a user name or a password must be \
                          percent-encoded";

impl RedisConfig {
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
        let url = Url::parse(&format!("{scheme}://{rest}")).map_err(|_| config(UNREADABLE))?;
        let credential = |text: &str| {
            let text = percent_decode_str(text).decode_utf8().map_err(|_| config("credentials must be UTF-8"))?;
            Ok::<_, StoreError>(Some(text.into_owned()).filter(|text| !text.is_empty()))
        };
        let login = Login {
            username: credential(url.username())?,
            password: credential(url.password().unwrap_or_default())?,
            database: if scheme == "redis+unix" { None } else { database(path).map_err(config)? },
        };
        let parameter =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let hosts = |port: u16| {
            let nodes = url.query_pairs().filter(|(name, _)| name == "node").map(|(_, node)| server(&node));
            let host = url.host_str().filter(|host| !host.is_empty()).ok_or(UNREADABLE);
            let first = host.map(|host| Server::new(host, url.port().unwrap_or(port)));
            nodes.chain([first]).collect::<Result<Vec<_>, _>>().map_err(config)
        };
        let deployment = match scheme {
            "redis-cluster" => Deployment::Cluster(hosts(PORT)?),
            "redis-sentinel" => Deployment::Sentinels(SentinelConfig {
                hosts: hosts(SENTINEL_PORT)?,
                service: parameter("sentinelServiceName").ok_or_else(|| {
                    config("the parameter sentinelServiceName is missing: the name of the primary that the sentinels watch")
                })?,
                login: Login {
                    username: parameter("sentinelUsername"),
                    password: parameter("sentinelPassword"),
                    database: None,
                },
            }),
            "redis+unix" => Deployment::Unix(url.path().into()),
            _ => Deployment::One(hosts(PORT)?.pop().ok_or_else(|| config(UNREADABLE))?),
        };
        let prefix = parameter("prefix").unwrap_or_default();
        Ok(Self::with_deployment(deployment, login, tls.then(TlsConfig::new)).prefix(prefix))
    }
}

/// Returns the number of a database. `None`: the URL has none.
fn database(path: &str) -> Result<Option<u8>, &'static str> {
    match path {
        "" => Ok(None),
        path if path.contains('/') => Err("its path must be the number of a database"),
        path => path.parse().map(Some).map_err(|_| "the database must be a number from 0 to 255"),
    }
}

fn server(node: &str) -> Result<Server, &'static str> {
    let parts = node.rsplit_once(':').and_then(|(host, port)| Some(Server::new(host, port.parse().ok()?)));
    parts.filter(|server| !server.host.is_empty()).ok_or("a `node` must be host:port")
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
            config.login
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
        let login = check("redis://us%3Aer:%40s3cret%2F@h", "credentials: true");
        assert_eq!(login.username.as_deref(), Some("us:er"));
        assert_eq!(login.password.as_deref(), Some("@s3cret/"));
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
        check("redis://u:%ffs3cret@h", "credentials must be UTF-8");
        check("redis-cluster://u:s3cret@h:1/3", "no databases other than 0");
        check("redis-cluster://u:s3cret@h:1?node=s3cret", "a `node` must be host:port");
        check("redis-sentinel://u:s3cret@h", "sentinelServiceName is missing");
    }
}
