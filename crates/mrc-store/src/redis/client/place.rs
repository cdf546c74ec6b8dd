//! The address of a server.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

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

/// The place of a server to connect to.
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
