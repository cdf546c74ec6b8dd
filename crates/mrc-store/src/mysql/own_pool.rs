//! A pool of the caller.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Pool};

use super::config::MySqlConfig;
use super::failure::{failed, refuse};
use super::setup::use_database;
use crate::error::ExecuteError;

impl MySqlConfig {
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
    fn settings_of_the_pool_are_refused() {
        let config = || MySqlConfig::from_pool(Pool::new("mysql://h/d"));
        assert!(config().collation("utf8mb4_bin").pool_max(3).check_own_pool().is_ok());
        let refused = |config: MySqlConfig| config.check_own_pool().unwrap_err().to_string();
        assert!(refused(config().host("db")).contains("host is set"));
        assert!(refused(config().password("hunter2")).starts_with("database configuration: password is set"));
        assert!(refused(config().tls_ca_pem(*b"x")).contains("tls is set"));
        assert!(refused(config().statement_cache(3)).contains("statement_cache is set"));
        assert!(refused(config().pool_max(usize::MAX)).contains("pool_max"));
        assert!(refused(config().connect_timeout(std::time::Duration::ZERO)).contains("connect_timeout"));
    }
}
