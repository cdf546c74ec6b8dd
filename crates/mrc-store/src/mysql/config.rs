//! The configuration of MySQL and MariaDB: connections, limits, TLS.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use mysql_async::Pool;

use super::params::ParamMode;
use super::tls::{Pem, Tls, TlsMode};

/// The collation that PyMySQL sets.
pub(super) const COLLATION: &str = "utf8mb4_general_ci";

/// The configuration of MySQL or MariaDB: connections, limits, TLS.
///
/// Built from a URL, by setters, or both:
///
/// ```
/// use std::time::Duration;
/// use mrc_store::MySqlConfig;
///
/// let config = MySqlConfig::from_url("mysql://shop:secret@localhost:3306/shop?pool_max=5")?
///     .query_timeout(Duration::from_secs(5));
/// assert!(!format!("{config:?}").contains("secret"));
///
/// let by_hand = MySqlConfig::new().host("db.internal").user("shop").password("secret").database("shop");
/// # let _ = by_hand;
/// # Ok::<(), mrc_store::ExecuteError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct MySqlConfig {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) socket: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: Option<String>,
    pub(super) pool_min: usize,
    pub(super) pool_max: usize,
    pub(super) acquire_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) query_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) statement_cache: usize,
    pub(super) tls: Tls,
    pub(super) prefer_socket: bool,
    pub(super) collation: String,
    pub(super) time_zone: Option<String>,
    pub(super) sql_mode: Option<String>,
    pub(super) ignore_space: bool,
    pub(super) read_only: bool,
    pub(super) param_mode: ParamMode,
    pub(super) pool: Option<Pool>,
}

impl Default for MySqlConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 3306,
            socket: None,
            user: None,
            password: None,
            database: None,
            pool_min: 0,
            pool_max: 10,
            acquire_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            query_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            statement_cache: 64,
            tls: Tls::default(),
            prefer_socket: false,
            collation: COLLATION.into(),
            time_zone: None,
            sql_mode: None,
            ignore_space: false,
            read_only: true,
            param_mode: ParamMode::Auto,
            pool: None,
        }
    }
}

/// The server.
impl MySqlConfig {
    /// Returns the default configuration. Each setter names its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the host name or IP address. Default: `127.0.0.1`.
    pub fn host(self, host: impl Into<String>) -> Self {
        Self { host: host.into(), ..self }
    }

    /// Sets the TCP port. Default: 3306.
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Sets the path of a Unix socket to use instead of host and port. Default: none.
    pub fn socket(self, path: impl Into<String>) -> Self {
        Self { socket: Some(path.into()), ..self }
    }

    /// Sets whether local connections go by the server's Unix socket, past a proxy. Default: no.
    pub fn prefer_socket(self, prefer: bool) -> Self {
        Self { prefer_socket: prefer, ..self }
    }

    /// Sets the user. Default: none, which is the server's anonymous user.
    pub fn user(self, user: impl Into<String>) -> Self {
        Self { user: Some(user.into()), ..self }
    }

    /// Sets the password, which no error, log or `Debug` output shows. Default: none.
    pub fn password(self, password: impl Into<String>) -> Self {
        Self { password: Some(password.into()), ..self }
    }

    /// Sets the database of unqualified tables. Default: none.
    pub fn database(self, database: impl Into<String>) -> Self {
        Self { database: Some(database.into()), ..self }
    }

    /// Returns the connections' database. Returns `None` if they have none.
    pub fn default_schema(&self) -> Option<&str> {
        self.database.as_deref()
    }
}

/// The pools, limits, and the way of params.
impl MySqlConfig {
    /// Sets how many idle connections each pool keeps. It opens none in advance. Default: 0.
    pub fn pool_min(self, connections: usize) -> Self {
        Self { pool_min: connections, ..self }
    }

    /// Sets the most connections of each of the two pools, from 1 to 100,000. Default: 10.
    ///
    /// Cached reads use one pool. `MrcClient::query` and `MrcClient::mysql_pool` share the other
    /// pool, so that their session state never reaches a cached read. A service that only caches
    /// opens at most `pool_max` connections, and one that uses both pools at most twice as many.
    /// Ending a cancelled query at the server takes one more. Each runtime has its own pools.
    pub fn pool_max(self, connections: usize) -> Self {
        Self { pool_max: connections, ..self }
    }

    /// Sets how long a connection above [`pool_min`](Self::pool_min) may idle before it is closed.
    /// Default: 60 seconds, checked every 30 seconds.
    pub fn idle_timeout(self, limit: Duration) -> Self {
        Self { idle_timeout: limit, ..self }
    }

    /// Sets how long a query waits for a free connection. Default: 10 seconds.
    pub fn acquire_timeout(self, limit: Duration) -> Self {
        Self { acquire_timeout: limit, ..self }
    }

    /// Sets the limit for connecting, including login and session setup. Default: 10 seconds.
    pub fn connect_timeout(self, limit: Duration) -> Self {
        Self { connect_timeout: limit, ..self }
    }

    /// Sets the limit for a query until its last row is read. Default: 30 seconds.
    ///
    /// The server gets the same limit, so that an abandoned query ends there too: as
    /// `max_execution_time` (MySQL 5.7.8, SELECT only) or `max_statement_time` (MariaDB 10.1).
    pub fn query_timeout(self, limit: Duration) -> Self {
        Self { query_timeout: limit, ..self }
    }

    /// Sets how many prepared statements each connection keeps, at least 2. Default: 64.
    ///
    /// A statement that isn't kept costs an extra round trip. Each length of a list is another
    /// statement. The server counts the statements of all connections: see
    /// `max_prepared_stmt_count` (16,382).
    pub fn statement_cache(self, statements: usize) -> Self {
        Self { statement_cache: statements, ..self }
    }

    /// Sets whether values are bound to prepared statements or written into the text. Default:
    /// [`ParamMode::Auto`], text for the peers' row formats and prepared statements otherwise.
    pub fn param_mode(self, mode: ParamMode) -> Self {
        Self { param_mode: mode, ..self }
    }
}

/// TLS.
impl MySqlConfig {
    /// Sets whether connections are encrypted, and how the server's certificate is verified.
    /// Default: [`TlsMode::Off`], or [`TlsMode::VerifyIdentity`] if a certificate is set.
    ///
    /// Connections over a Unix [`socket`](Self::socket) are never encrypted.
    ///
    /// At its first start MySQL creates a certificate without a host name. `VerifyCa` accepts it:
    ///
    /// ```no_run
    /// use mrc_store::MySqlConfig;
    /// use mrc_store::mysql::TlsMode;
    ///
    /// // `ca.pem` lies in the server's data folder. In a URL: `?tls=verify_ca&tls_ca=/etc/mysql/ca.pem`.
    /// let config = MySqlConfig::new().host("db.internal").tls(TlsMode::VerifyCa).tls_ca_file("/etc/mysql/ca.pem");
    /// # let _ = config;
    /// ```
    pub fn tls(self, mode: TlsMode) -> Self {
        Self { tls: Tls { mode: Some(mode), ..self.tls }, ..self }
    }

    /// Trusts only certificates signed by these authorities: a PEM file, read when the executor is
    /// created. Default: the public authorities.
    pub fn tls_ca_file(self, path: impl Into<PathBuf>) -> Self {
        Self { tls: Tls { ca: Some(Pem::File(path.into())), ..self.tls }, ..self }
    }

    /// Like [`tls_ca_file`](Self::tls_ca_file), with the text of the file. Default: none.
    pub fn tls_ca_pem(self, pem: impl Into<Vec<u8>>) -> Self {
        Self { tls: Tls { ca: Some(Pem::Text(pem.into())), ..self.tls }, ..self }
    }

    /// Sets the client certificate, needed for accounts with `REQUIRE X509`: PEM files, read when
    /// the executor is created. The key must have no passphrase. Default: none.
    pub fn tls_client_files(self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let (cert, key) = (Some(Pem::File(cert.into())), Some(Pem::File(key.into())));
        Self { tls: Tls { cert, key, ..self.tls }, ..self }
    }

    /// Like [`tls_client_files`](Self::tls_client_files), with the files' texts. Default: none.
    pub fn tls_client_pem(self, cert: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        let (cert, key) = (Some(Pem::Text(cert.into())), Some(Pem::Text(key.into())));
        Self { tls: Tls { cert, key, ..self.tls }, ..self }
    }
}

impl fmt::Debug for MySqlConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("socket", &self.socket)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("database", &self.database)
            .field("own_pool", &self.pool.is_some())
            .field("pool", &(self.pool_min..=self.pool_max))
            .field("acquire_timeout", &self.acquire_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("query_timeout", &self.query_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("statement_cache", &self.statement_cache)
            .field("tls", &self.tls)
            .field("prefer_socket", &self.prefer_socket)
            .field("collation", &self.collation)
            .field("time_zone", &self.time_zone)
            .field("sql_mode", &self.sql_mode)
            .field("ignore_space", &self.ignore_space)
            .field("read_only", &self.read_only)
            .field("param_mode", &self.param_mode)
            .finish()
    }
}
