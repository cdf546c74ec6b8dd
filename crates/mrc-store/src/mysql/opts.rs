//! The configuration as options of the driver.

use std::time::Duration;

use mysql_async::{Opts, OptsBuilder, PoolConstraints, PoolOpts};

use super::config::MySqlConfig;
use super::failure::refuse;
use super::setup::use_database;
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
}
