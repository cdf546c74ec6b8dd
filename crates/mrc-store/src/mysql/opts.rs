//! The driver's options: of our own pools, of a caller's pool, of a connection outside of both.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};

use super::config::MySqlConfig;
use super::failure::{connecting, failed, refuse};
use super::setup::use_database;
use crate::driver::within;
use crate::error::ExecuteError;

/// No server takes more connections: its own limit is 100,000. The pool allocates room for all.
const MOST_CONNECTIONS: usize = 100_000;

impl MySqlConfig {
    /// Returns the options of the reads' pool. Its sessions aren't reset.
    pub(super) fn opts_for_reads(&self) -> Result<Opts, ExecuteError> {
        self.opts(false, self.setup_of_reads()?)
    }

    /// Returns the options of the callers' pool. A session is reset when it returns to the pool.
    pub(super) fn opts_for_callers(&self) -> Result<Opts, ExecuteError> {
        self.opts(true, self.setup()? + &use_database(self.database.as_deref()))
    }

    /// Refuses limits with which no call can succeed.
    pub(super) fn check_limits(&self) -> Result<(), ExecuteError> {
        if !(1..=MOST_CONNECTIONS).contains(&self.pool_max) {
            return Err(refuse("pool_max must be from 1 to 100000"));
        }
        let limits = [
            ("acquire_timeout", self.acquire_timeout),
            ("connect_timeout", self.connect_timeout),
            ("query_timeout", self.query_timeout),
            ("idle_timeout", self.idle_timeout),
        ];
        if let Some((name, _)) = limits.iter().find(|(_, limit)| limit.is_zero()) {
            return Err(refuse(format!("{name} must be longer than 0")));
        }
        Ok(())
    }

    pub(super) fn opts(&self, reset: bool, setup: String) -> Result<Opts, ExecuteError> {
        self.check_limits()?;
        let constraints = PoolConstraints::new(self.pool_min, self.pool_max)
            .ok_or_else(|| refuse("pool_min must not be above pool_max"))?;
        // With 0 the driver never closes statements. With 1 a catalogue query closes the caller's.
        if self.statement_cache < 2 {
            return Err(refuse("statement_cache must be at least 2"));
        }
        let pool = PoolOpts::new()
            .with_constraints(constraints)
            .with_inactive_connection_ttl(self.idle_timeout)
            .with_reset_connection(reset);
        Ok(OptsBuilder::default()
            .ip_or_hostname(&self.host)
            .tcp_port(self.port)
            .tcp_keepalive(Some(Duration::from_secs(60)))
            .socket(self.socket.as_deref())
            .prefer_socket(self.prefer_socket)
            .user(self.user.as_deref())
            .pass(self.password.as_deref())
            .db_name(self.database.as_deref())
            .stmt_cache_size(self.statement_cache)
            // On a socket the driver would announce TLS but not use it.
            .ssl_opts(self.tls.opts()?.filter(|_| self.socket.is_none()))
            .pool_opts(pool)
            .setup(vec![setup])
            .into())
    }

    /// Opens a connection outside of the pools, for a session of your own: a stream of the binlog,
    /// a lock. [`query_timeout`](Self::query_timeout) doesn't apply to it.
    ///
    /// # Errors
    /// - [`ExecuteError::Config`]: a setting can't be used, or the configuration is a caller's
    ///   pool.
    /// - [`ExecuteError::Timeout`]: it took longer than [`connect_timeout`](Self::connect_timeout).
    /// - The errors of the server.
    pub async fn connect(&self) -> Result<Conn, ExecuteError> {
        if self.pool.is_some() {
            return Err(refuse("a connection of its own needs the host and the user, and no pool"));
        }
        let opts = self.opts(false, "SET autocommit = 1, NAMES utf8mb4".into())?;
        let opened = async { Conn::new(opts).await.map_err(failed) };
        let address = self.socket.clone().unwrap_or_else(|| format!("{}:{}", self.host, self.port));
        within("connecting to the database", self.connect_timeout, opened)
            .await
            .map_err(|error| connecting(Some(address), error))
    }

    /// Shares an existing pool of the service.
    ///
    /// Each call takes a connection, resets its session (`COM_RESET_CONNECTION`) and applies this
    /// configuration. The session is reset again when the connection returns. So session state of
    /// the service never reaches a cached read, and these settings never reach the service. A call
    /// costs two extra round trips and prepares its statement each time. If reads often miss, the
    /// executor's own pools ([`new`](Self::new)) are faster.
    ///
    /// - [`pool_max`](Self::pool_max) limits the connections that the executor takes at once.
    ///   Default: 10.
    /// - [`connect_timeout`](Self::connect_timeout) limits the wait for a connection. Default: 10
    ///   seconds.
    /// - A service must not keep state in idle sessions. A reset leaves only a role of `SET ROLE`.
    /// - [`close`](crate::QueryExecutor::close) leaves the pool open. A cancelled query closes its
    ///   connection.
    /// - Settings of the server, of TLS and of the pool belong to the pool, and are refused here.
    /// - The pool needs a statement cache of at least 2, its default.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use mrc_store::mysql_async::Pool;
    /// use mrc_store::{MySqlConfig, MySqlExecutor};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = Pool::from_url("mysql://shop:secret@localhost:3306/shop")?;
    /// let config = MySqlConfig::from_pool(pool.clone()).query_timeout(Duration::from_secs(5));
    /// let executor = MySqlExecutor::new(config)?;
    /// # Ok(()) }
    /// ```
    pub fn from_pool(pool: Pool) -> Self {
        Self { pool: Some(pool), ..Self::default() }
    }

    /// Refuses settings that belong to the pool.
    pub(super) fn check_own_pool(&self) -> Result<(), ExecuteError> {
        let default = Self::default();
        let set = [
            ("host", self.host != default.host),
            ("port", self.port != default.port),
            ("socket", self.socket.is_some()),
            ("prefer_socket", self.prefer_socket),
            ("user", self.user.is_some()),
            ("password", self.password.is_some()),
            ("database", self.database.is_some()),
            ("tls", self.tls.is_set()),
            ("pool_min", self.pool_min != default.pool_min),
            ("idle_timeout", self.idle_timeout != default.idle_timeout),
            ("statement_cache", self.statement_cache != default.statement_cache),
        ];
        if let Some((name, _)) = set.iter().find(|(_, set)| *set) {
            return Err(refuse(format!("{name} is set, and so is a pool of your own: set it where that pool is made")));
        }
        self.check_limits()
    }
}

/// Prepares a session of the pool for the executor, until its connection returns.
pub(super) async fn prepare(conn: &mut Conn, setup: &str) -> Result<(), ExecuteError> {
    if conn.opts().stmt_cache_size() < 2 {
        return Err(refuse(
            "your own pool keeps too few statements: set `stmt_cache_size` of its options to 2 or more",
        ));
    }
    conn.reset_connection(true);
    if !conn.reset().await.map_err(failed)? {
        return Err(refuse("this server can't reset a session, so it needs pools of the executor's own"));
    }
    let database = use_database(conn.opts().db_name());
    conn.query_drop(format!("{setup}{database}")).await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_refused_before_connecting() {
        let refused = |config: MySqlConfig| config.opts_for_reads().unwrap_err().to_string();
        assert!(refused(MySqlConfig::new().pool_max(0)).contains("pool_max"));
        assert!(refused(MySqlConfig::new().pool_max(usize::MAX)).contains("100000"));
        assert!(refused(MySqlConfig::new().pool_min(usize::MAX).pool_max(usize::MAX)).contains("100000"));
        assert!(refused(MySqlConfig::new().pool_min(11)).contains("pool_min"));
        assert!(refused(MySqlConfig::new().statement_cache(1)).contains("statement_cache"));
        assert!(refused(MySqlConfig::new().query_timeout(Duration::ZERO)).contains("query_timeout"));
        assert!(refused(MySqlConfig::new().tls_ca_file("/no/such/file")).contains("/no/such/file"));
    }

    #[test]
    fn reads_are_read_only_and_callers_come_back_to_the_database() {
        let config = MySqlConfig::new().database("we`ird");
        let (reads, callers) = (config.opts_for_reads().unwrap(), config.opts_for_callers().unwrap());
        let says = |opts: &Opts, what: &str| opts.setup().iter().any(|text| text.contains(what));
        assert!(says(&reads, "TRANSACTION READ ONLY") && !says(&reads, "USE") && !reads.pool_opts().reset_connection());
        assert!(says(&callers, "USE `we``ird`") && !says(&callers, "READ ONLY"));
        assert!(callers.pool_opts().reset_connection());
        assert!(!says(&config.read_only(false).opts_for_reads().unwrap(), "READ ONLY"));
    }

    #[test]
    fn the_driver_gets_the_settings() {
        let opts =
            MySqlConfig::new().host("db").port(1).user("u").password("p").database("d").opts_for_reads().unwrap();
        assert_eq!((opts.ip_or_hostname(), opts.tcp_port()), ("db", 1));
        assert_eq!((opts.user(), opts.pass(), opts.db_name()), (Some("u"), Some("p"), Some("d")));
        assert!(!opts.prefer_socket() && !opts.pool_opts().reset_connection() && opts.ssl_opts().is_none());
        let tls = MySqlConfig::new().tls_ca_pem(*b"-----BEGIN CERTIFICATE-----");
        assert!(tls.clone().opts_for_callers().unwrap().ssl_opts().unwrap().disable_built_in_roots());
        assert!(tls.socket("/run/mysqld").opts_for_callers().unwrap().ssl_opts().is_none());
    }

    #[test]
    fn settings_of_the_pool_are_refused() {
        let config = || MySqlConfig::from_pool(Pool::new("mysql://h/d"));
        assert!(config().collation("utf8mb4_bin").pool_max(3).check_own_pool().is_ok());
        let refused = |config: MySqlConfig| config.check_own_pool().unwrap_err().to_string();
        assert!(refused(config().host("db")).contains("host is set"));
        assert!(refused(config().password("hunter2")).starts_with("database configuration: password is set"));
        assert!(refused(config().tls_ca_pem(*b"x")).contains("tls is set"));
        assert!(refused(config().statement_cache(3)).contains("statement_cache is set"));
        assert!(refused(config().pool_max(usize::MAX)).contains("pool_max"));
        assert!(refused(config().connect_timeout(Duration::ZERO)).contains("connect_timeout"));
    }
}
