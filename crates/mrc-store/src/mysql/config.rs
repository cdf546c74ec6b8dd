//! How to reach MySQL or MariaDB, and how long to wait for it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use mysql_async::{Opts, OptsBuilder, PoolConstraints, PoolOpts, SslOpts};

use super::params::ParamMode;
use crate::error::ExecuteError;
use crate::executor::span::Target;

/// How to reach MySQL or MariaDB, and how long to wait for it.
///
/// From a URL, by setters, or both:
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
    pub(super) read_only: bool,
    pub(super) param_mode: ParamMode,
}

/// More connections than any server takes: its own limit is 100,000. The pool allocates room for all of them.
const MOST_CONNECTIONS: usize = 100_000;

#[derive(Clone)]
pub(super) enum Tls {
    Off,
    Required,
    RequiredByFile(PathBuf),
    RequiredByPem(Vec<u8>),
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
            tls: Tls::Off,
            prefer_socket: false,
            collation: "utf8mb4_general_ci".into(),
            time_zone: None,
            sql_mode: None,
            read_only: true,
            param_mode: ParamMode::Auto,
        }
    }
}

/// Server.
impl MySqlConfig {
    /// The defaults, which each setter names.
    pub fn new() -> Self {
        Self::default()
    }

    /// The host name or IP address. Default: `127.0.0.1`.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// The TCP port. Default: 3306.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The path of a Unix socket to use instead of host and port. Default: none.
    #[must_use]
    pub fn socket(mut self, path: impl Into<String>) -> Self {
        self.socket = Some(path.into());
        self
    }

    /// Whether a connection to a local host moves over to the server's Unix socket, past any proxy between.
    /// Default: false.
    #[must_use]
    pub fn prefer_socket(mut self, prefer: bool) -> Self {
        self.prefer_socket = prefer;
        self
    }

    /// The user. Default: none, which the server takes as its anonymous user.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The password. No error, log or `Debug` print shows it. Default: none.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The database that unqualified tables are in. Default: none.
    #[must_use]
    pub fn database(mut self, database: impl Into<String>) -> Self {
        self.database = Some(database.into());
        self
    }
}

/// TLS.
impl MySqlConfig {
    /// Whether connections must be encrypted, with a certificate that a public authority signed for the host.
    /// A server without TLS is then refused. Default: false, not encrypted.
    #[must_use]
    pub fn tls(mut self, required: bool) -> Self {
        self.tls = if required { Tls::Required } else { Tls::Off };
        self
    }

    /// Requires TLS with a certificate that these authorities signed, and no other: a file in PEM format, read when
    /// the executor is made. Default: none.
    #[must_use]
    pub fn tls_ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls = Tls::RequiredByFile(path.into());
        self
    }

    /// As [`tls_ca_file`](Self::tls_ca_file), with the text of the file. Default: none.
    #[must_use]
    pub fn tls_ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls = Tls::RequiredByPem(pem.into());
        self
    }
}

/// Pool and limits.
impl MySqlConfig {
    /// How many connections each pool keeps however long they idle. None is opened ahead. Default: 0.
    #[must_use]
    pub fn pool_min(mut self, connections: usize) -> Self {
        self.pool_min = connections;
        self
    }

    /// How many connections each of the two pools opens at most, from 1 to 100,000. Default: 10.
    ///
    /// Cached reads have one pool. `MrcClient::query` and `MrcClient::mysql_pool` share the other, so that nothing that they
    /// leave in a session reaches a cached read. A service that only caches opens `pool_max` connections at most. One that
    /// also uses the other pool opens twice as many at most. While a cancelled query is being ended at the server, there is
    /// one connection more. Each runtime that uses the executor has its own pools.
    #[must_use]
    pub fn pool_max(mut self, connections: usize) -> Self {
        self.pool_max = connections;
        self
    }

    /// How long a connection above [`pool_min`](Self::pool_min) may idle before it's closed, checked every 30 seconds.
    /// Default: 60 seconds.
    #[must_use]
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = limit;
        self
    }

    /// How long a query may wait for a connection while all are busy. Default: 10 seconds.
    #[must_use]
    pub fn acquire_timeout(mut self, limit: Duration) -> Self {
        self.acquire_timeout = limit;
        self
    }

    /// How long opening a connection may take, log-in and session set-up included. Default: 10 seconds.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long a query may take until its last row is read. Default: 30 seconds.
    ///
    /// The server is told the same limit (`max_execution_time` of MySQL 5.7.8, which covers SELECT; `max_statement_time`
    /// of MariaDB 10.1), so that a query that nobody waits for ends there too.
    #[must_use]
    pub fn query_timeout(mut self, limit: Duration) -> Self {
        self.query_timeout = limit;
        self
    }

    /// How many prepared statements each connection keeps, at least 2. One that isn't kept costs a round trip more, and
    /// a list of another length is another statement. Default: 64.
    ///
    /// The server counts the statements of all connections against its `max_prepared_stmt_count` (16,382).
    #[must_use]
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.statement_cache = statements;
        self
    }
}

/// Sessions. Services that share entries must agree on these settings.
impl MySqlConfig {
    /// Sets the collation in which the server compares texts of a statement with each other. It must be one of `utf8mb4`.
    /// Default: `utf8mb4_general_ci`.
    #[must_use]
    pub fn collation(mut self, name: impl Into<String>) -> Self {
        self.collation = name.into();
        self
    }

    /// Sets the time zone of each session, such as `+00:00`. `TIMESTAMP` columns and `NOW()` depend on it.
    /// Default: the server's.
    #[must_use]
    pub fn time_zone(mut self, zone: impl Into<String>) -> Self {
        self.time_zone = Some(zone.into());
        self
    }

    /// Sets the `sql_mode` of each session, such as `ANSI_QUOTES,STRICT_TRANS_TABLES`. Default: the server's.
    #[must_use]
    pub fn sql_mode(mut self, modes: impl Into<String>) -> Self {
        self.sql_mode = Some(modes.into());
        self
    }

    /// Whether the server refuses, with error 1792, what a cached read would write: a stored function that inserts, say.
    /// Default: true.
    ///
    /// Sessions of cached reads begin with `SET SESSION TRANSACTION READ ONLY`. With `false`, a cached `CALL` of a procedure
    /// that fills a temporary table works, and so does a proxy that sends read-only sessions to replicas. Then only the check
    /// of the text keeps writes out of cached reads.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Sets how the values of params reach the server: bound to prepared statements, or written into the text.
    /// Default: [`ParamMode::Auto`], text for the row formats of the peers and prepared statements otherwise.
    #[must_use]
    pub fn param_mode(mut self, mode: ParamMode) -> Self {
        self.param_mode = mode;
        self
    }
}

impl MySqlConfig {
    /// What the spans of the queries say.
    pub(super) fn target(&self) -> Target<'_> {
        let (address, port) = match &self.socket {
            Some(path) => (path, None),
            None => (&self.host, Some(self.port)),
        };
        Target { system: "mysql", namespace: self.database.as_deref(), address: Some(address), port }
    }

    /// What the driver wants for the pool of the reads. Their sessions stay as they began.
    pub(super) fn opts_for_reads(&self) -> Result<Opts, ExecuteError> {
        let read_only = if self.read_only { "; SET SESSION TRANSACTION READ ONLY" } else { "" };
        self.opts(false, self.session()? + read_only)
    }

    /// What the driver wants for the pool of the callers. A session is reset when it comes back.
    pub(super) fn opts_for_callers(&self) -> Result<Opts, ExecuteError> {
        // A reset leaves the database as it was.
        let database = self.database.as_ref().map(|name| format!("; USE `{}`", name.replace('`', "``")));
        self.opts(true, self.session()? + &database.unwrap_or_default())
    }

    fn opts(&self, reset: bool, setup: String) -> Result<Opts, ExecuteError> {
        let constraints = PoolConstraints::new(self.pool_min, self.pool_max)
            .filter(|_| (1..=MOST_CONNECTIONS).contains(&self.pool_max))
            .ok_or_else(|| refuse("pool_max must be from 1 to 100000, and not below pool_min"))?;
        let limits = [
            ("acquire_timeout", self.acquire_timeout),
            ("connect_timeout", self.connect_timeout),
            ("query_timeout", self.query_timeout),
            ("idle_timeout", self.idle_timeout),
        ];
        if let Some((name, _)) = limits.iter().find(|(_, limit)| limit.is_zero()) {
            return Err(refuse(format!("{name} must be longer than 0")));
        }
        // With none the driver never closes a statement; with one, a look into the catalogue would close the caller's.
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
            .ssl_opts(self.tls.opts()?)
            .pool_opts(pool)
            .setup(vec![setup])
            .into())
    }

    /// What each connection says first, and again after a reset.
    fn session(&self) -> Result<String, ExecuteError> {
        let mut text = format!(
            "SET autocommit = 1, NAMES utf8mb4 COLLATE {}",
            word("collation", &self.collation, |ch| ch == '_')?
        );
        if let Some(zone) = &self.time_zone {
            text += &format!(", time_zone = '{}'", word("time_zone", zone, |ch| "_+-:/".contains(ch))?);
        }
        if let Some(modes) = &self.sql_mode {
            let modes = if modes.is_empty() { "" } else { word("sql_mode", modes, |ch| "_,".contains(ch))? };
            text += &format!(", sql_mode = '{modes}'");
        }
        Ok(text + &time_limit(self.query_timeout))
    }
}

/// A setting that stands in a statement.
fn word<'a>(name: &str, value: &'a str, also: impl Fn(char) -> bool) -> Result<&'a str, ExecuteError> {
    let fits = !value.is_empty() && value.chars().all(|ch| ch.is_ascii_alphanumeric() || also(ch));
    fits.then_some(value).ok_or_else(|| refuse(format!("{name} {value:?} can't be one: see the server's manual")))
}

/// The limit on the time of a statement, as both servers read it: MariaDB skips `/*!50708` comments, and MySQL skips
/// `/*M!` comments.
fn time_limit(limit: Duration) -> String {
    // 0 would be no limit, and both have a highest value, so long that it is as good as none.
    let limit = limit.clamp(Duration::from_millis(1), Duration::from_secs(31_536_000));
    let millis = limit.as_micros().div_ceil(1000).min(u32::MAX.into());
    let (seconds, micros) = (limit.as_secs(), limit.subsec_micros());
    format!(
        " /*!50708 , max_execution_time = {millis} */ \
         /*M!100101 , max_statement_time = {seconds}.{micros:06} */"
    )
}

impl Tls {
    fn opts(&self) -> Result<Option<SslOpts>, ExecuteError> {
        let own = |pem: Vec<u8>| {
            let roots = vec![pem.into()];
            Some(SslOpts::default().with_root_certs(roots).with_disable_built_in_roots(true))
        };
        match self {
            Self::Off => Ok(None),
            Self::Required => Ok(Some(SslOpts::default())),
            Self::RequiredByPem(pem) => Ok(own(pem.clone())),
            Self::RequiredByFile(path) => match std::fs::read(path) {
                Ok(pem) => Ok(own(pem)),
                Err(error) => Err(refuse(format!("the TLS authorities in {} can't be read: {error}", path.display()))),
            },
        }
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
            .field("pool", &(self.pool_min..=self.pool_max))
            .field("acquire_timeout", &self.acquire_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("query_timeout", &self.query_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("statement_cache", &self.statement_cache)
            .field("tls", &!matches!(self.tls, Tls::Off))
            .field("prefer_socket", &self.prefer_socket)
            .field("collation", &self.collation)
            .field("time_zone", &self.time_zone)
            .field("sql_mode", &self.sql_mode)
            .field("read_only", &self.read_only)
            .field("param_mode", &self.param_mode)
            .finish()
    }
}

pub(super) fn refuse(what: impl Into<String>) -> ExecuteError {
    ExecuteError::Config(what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_told_its_limit() {
        let check = |limit, millis: &str, seconds: &str| {
            let text = time_limit(limit);
            assert!(text.contains(&format!("max_execution_time = {millis} ")), "{text}");
            assert!(text.contains(&format!("max_statement_time = {seconds} ")), "{text}");
        };
        check(Duration::from_secs(30), "30000", "30.000000");
        check(Duration::from_micros(1_500_100), "1501", "1.500100");
        check(Duration::from_nanos(1), "1", "0.001000");
        check(Duration::MAX, "4294967295", "31536000.000000");
    }

    #[test]
    fn what_cannot_work_is_refused_before_connecting() {
        let refused = |config: MySqlConfig| config.opts_for_reads().unwrap_err().to_string();
        assert!(refused(MySqlConfig::new().pool_max(0)).contains("pool_max"));
        assert!(refused(MySqlConfig::new().pool_max(usize::MAX)).contains("100000"));
        assert!(refused(MySqlConfig::new().pool_min(usize::MAX).pool_max(usize::MAX)).contains("100000"));
        assert!(refused(MySqlConfig::new().pool_min(11)).contains("pool_min"));
        assert!(refused(MySqlConfig::new().statement_cache(1)).contains("statement_cache"));
        assert!(refused(MySqlConfig::new().query_timeout(Duration::ZERO)).contains("query_timeout"));
        assert!(refused(MySqlConfig::new().time_zone("+00:00'")).contains("time_zone"));
        assert!(refused(MySqlConfig::new().sql_mode("ANSI'")).contains("sql_mode"));
        assert!(refused(MySqlConfig::new().collation("")).contains("collation"));
        assert!(refused(MySqlConfig::new().tls_ca_file("/no/such/file")).contains("/no/such/file"));
    }

    #[test]
    fn spans_name_the_server_and_the_database() {
        let config = MySqlConfig::new().host("db").port(1).database("d");
        let Target { namespace, address, port, .. } = config.target();
        assert_eq!((namespace, address, port), (Some("d"), Some("db"), Some(1)));
        let local = config.socket("/run/mysqld");
        assert_eq!((local.target().address, local.target().port), (Some("/run/mysqld"), None));
    }

    #[test]
    fn reads_are_read_only_and_callers_come_back_to_the_database() {
        let config = MySqlConfig::new().database("we`ird").time_zone("Europe/Berlin").sql_mode("");
        let (reads, callers) = (config.opts_for_reads().unwrap(), config.opts_for_callers().unwrap());
        let says = |opts: &Opts, what: &str| opts.setup().iter().any(|text| text.contains(what));
        assert!(says(&reads, "TRANSACTION READ ONLY") && !says(&reads, "USE") && !reads.pool_opts().reset_connection());
        assert!(says(&callers, "USE `we``ird`") && !says(&callers, "READ ONLY"));
        assert!(callers.pool_opts().reset_connection());
        for opts in [&reads, &callers] {
            assert!(says(opts, "time_zone = 'Europe/Berlin', sql_mode = ''"));
            assert!(says(opts, "NAMES utf8mb4 COLLATE utf8mb4_general_ci"));
        }
        assert!(!says(&config.read_only(false).opts_for_reads().unwrap(), "READ ONLY"));
    }

    #[test]
    fn the_driver_gets_what_was_set() {
        let opts =
            MySqlConfig::new().host("db").port(1).user("u").password("p").database("d").opts_for_reads().unwrap();
        assert_eq!((opts.ip_or_hostname(), opts.tcp_port()), ("db", 1));
        assert_eq!((opts.user(), opts.pass(), opts.db_name()), (Some("u"), Some("p"), Some("d")));
        assert!(!opts.prefer_socket() && !opts.pool_opts().reset_connection() && opts.ssl_opts().is_none());
        let tls = MySqlConfig::new().tls_ca_pem(*b"pem").opts_for_callers().unwrap();
        assert!(tls.ssl_opts().unwrap().disable_built_in_roots());
    }
}
