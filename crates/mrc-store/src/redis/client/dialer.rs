//! The settings of a connection: the client, the server, the login.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use crate::error::StoreError;

/// Connects to servers with the same settings.
#[derive(Clone)]
pub(in crate::redis) struct Dialer {
    pub(in crate::redis) client: RedisClient,
    pub(in crate::redis) tls: Option<Arc<ClientConfig>>,
    pub(in crate::redis) connect_timeout: Duration,
    pub(in crate::redis) command_timeout: Duration,
}

/// The host and the port of a server. The host of an IPv6 address has brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::redis) struct Server {
    pub(in crate::redis) host: Arc<str>,
    pub(in crate::redis) port: u16,
}

impl Server {
    pub(in crate::redis) fn new(host: impl Into<Arc<str>>, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// Returns the host without the brackets of an IPv6 address.
    pub(in crate::redis) fn bare_host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::redis) enum Place {
    Tcp {
        server: Server,
        /// The name in the server's certificate. `None`: its host.
        certified: Option<String>,
    },
    Unix(PathBuf),
}

impl From<Server> for Place {
    fn from(server: Server) -> Self {
        Self::Tcp { server, certified: None }
    }
}

/// The login at a server. Only a password causes one.
#[derive(Clone, Default)]
pub(in crate::redis) struct Login {
    pub(in crate::redis) username: Option<String>,
    pub(in crate::redis) password: Option<String>,
    /// The number of the database. `None`: the server's first, without a command.
    pub(in crate::redis) database: Option<u8>,
}

/// The environment variable that chooses the client.
const VARIABLE: &str = "MRC_REDIS_CLIENT";

/// The library that talks to Redis. Both do the same, at different costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisClient {
    /// fred. `MRC_REDIS_CLIENT=fred`.
    #[default]
    Fred,
    /// redis-rs. It needs the feature `redis-rs`. `MRC_REDIS_CLIENT=redis-rs`.
    RedisRs,
}

impl RedisClient {
    /// Returns the chosen client: that of the program, else that of the environment, else fred.
    pub(in crate::redis) fn of(program: Option<Self>) -> Result<Self, StoreError> {
        Self::choose(program, std::env::var(VARIABLE).ok().as_deref())
    }

    fn choose(program: Option<Self>, environment: Option<&str>) -> Result<Self, StoreError> {
        let client = match (program, environment) {
            (Some(client), _) => client,
            (None, None | Some("")) => Self::default(),
            (None, Some("fred")) => Self::Fred,
            (None, Some("redis-rs")) => Self::RedisRs,
            (None, Some(_)) => return Err(StoreError::Config(format!("{VARIABLE} must be `fred` or `redis-rs`"))),
        };
        if client == Self::RedisRs && !cfg!(feature = "redis-rs") {
            return Err(StoreError::Config("the Redis client redis-rs needs mrc's feature `redis-rs`".into()));
        }
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_overrides_the_environment() {
        let choose = |program, environment| RedisClient::choose(program, environment);
        assert_eq!(choose(None, None).unwrap(), RedisClient::Fred);
        assert_eq!(choose(None, Some("")).unwrap(), RedisClient::Fred);
        assert_eq!(choose(None, Some("fred")).unwrap(), RedisClient::Fred);
        assert_eq!(choose(Some(RedisClient::Fred), Some("redis-rs")).unwrap(), RedisClient::Fred);
        assert!(matches!(choose(None, Some("jedis")), Err(StoreError::Config(_))));
        let redis_rs = [choose(None, Some("redis-rs")), choose(Some(RedisClient::RedisRs), Some("fred"))];
        for choice in redis_rs {
            match choice {
                Ok(client) => assert!(client == RedisClient::RedisRs && cfg!(feature = "redis-rs")),
                Err(error) => assert!(error.to_string().contains("`redis-rs`") && cfg!(not(feature = "redis-rs"))),
            }
        }
    }
}
