//! The connections for reads.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use mrc_store::ExecuteError;
use mrc_store::driver::time_limit;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Error, Executor, MySql, MySqlPool};
use tokio::time::{sleep, timeout};

use crate::failure::failed;
use mrc_store::lock;

/// The collation in which `MySqlExecutor` compares two texts of a statement.
const COLLATION: &str = "utf8mb4_general_ci";

/// The pause between two `KILL`s of a connection.
const PAUSE: Duration = Duration::from_millis(10);

/// A pool for reads, made like the service's. No session state of the service reaches a read.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    pub(crate) service: MySqlPool,
    pub(crate) max_connections: Option<u32>,
    pub(crate) query_timeout: Duration,
    pub(crate) time_zone: Option<String>,
    own: Arc<OnceLock<Own>>,
}

#[derive(Debug)]
struct Own {
    pool: MySqlPool,
    /// The service's options that this pool copies. A service changes them with its password.
    made_of: Mutex<Arc<MySqlConnectOptions>>,
}

impl Sessions {
    pub(crate) fn new(service: MySqlPool) -> Self {
        let query_timeout = Duration::from_secs(30);
        Self { service, max_connections: None, query_timeout, time_zone: None, own: Arc::default() }
    }

    pub(crate) fn acquire_timeout(&self) -> Duration {
        self.service.options().get_acquire_timeout()
    }

    /// Returns a session that no other call uses.
    ///
    /// # Errors
    /// [`ExecuteError`]: no connection in time, the server can't be reached, or a pool is closed.
    pub(crate) async fn get(&self) -> Result<Session, ExecuteError> {
        if self.service.is_closed() {
            return Err(ExecuteError::Closed);
        }
        let own = self.own();
        self.follow(own);
        match own.pool.acquire().await {
            Ok(conn) => Ok(Session(Some(conn))),
            Err(Error::PoolTimedOut) => {
                // After the time-out, `size` no longer counts a connection that was opening.
                let is_busy = own.pool.size() >= own.pool.options().get_max_connections();
                let stage = if is_busy { "waiting for a connection" } else { "connecting to the database" };
                let address = (!is_busy).then(|| self.address());
                Err(ExecuteError::Timeout { stage, limit: self.acquire_timeout(), address })
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn address(&self) -> String {
        let options = self.service.connect_options();
        let socket = options.get_socket().map(|path| path.display().to_string());
        socket.unwrap_or_else(|| format!("{}:{}", options.get_host(), options.get_port()))
    }

    /// Ends a connection at the server. Returns when the server no longer knows the connection,
    /// when the server can't be asked, or after `query_timeout`.
    pub(crate) async fn end(&self, connection: u64) {
        let ended = async {
            let mut session = self.get().await?;
            let kill = || AssertSqlSafe(format!("KILL {connection}"));
            while session.conn()?.execute(kill()).await.map_err(failed).is_ok() {
                sleep(PAUSE).await;
            }
            Ok::<(), ExecuteError>(())
        };
        let _ = timeout(self.query_timeout, ended).await;
    }

    /// Closes the reads' connections. The service's pool stays open.
    pub(crate) async fn close(&self) {
        self.own().pool.close().await;
    }

    fn own(&self) -> &Own {
        self.own.get_or_init(|| {
            let (service, made_of) = (self.service.options(), self.service.connect_options());
            // The service's hooks are left out: they may set what would change the rows.
            let limit = time_limit(self.query_timeout);
            let text =
                format!("SET autocommit = 1, sql_mode = @@GLOBAL.sql_mode{limit}; SET SESSION TRANSACTION READ ONLY");
            let pool = MySqlPoolOptions::new()
                .max_connections(self.max_connections.unwrap_or_else(|| service.get_max_connections()))
                .acquire_timeout(service.get_acquire_timeout())
                .idle_timeout(service.get_idle_timeout())
                .max_lifetime(service.get_max_lifetime())
                .test_before_acquire(service.get_test_before_acquire())
                .after_connect(move |conn, _| {
                    let text = AssertSqlSafe(text.clone());
                    Box::pin(async move { conn.execute(text).await.map(drop) })
                })
                .connect_lazy_with(self.options(&made_of));
            Own { pool, made_of: Mutex::new(made_of) }
        })
    }

    fn options(&self, service: &MySqlConnectOptions) -> MySqlConnectOptions {
        service
            .clone()
            .charset("utf8mb4")
            .collation(COLLATION)
            .set_names(true)
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(self.time_zone.clone())
            // A reused statement would answer by the types of its earlier params.
            .statement_cache_capacity(0)
    }

    fn follow(&self, own: &Own) {
        let now = self.service.connect_options();
        let mut made_of = lock(&own.made_of);
        if !Arc::ptr_eq(&made_of, &now) {
            own.pool.set_connect_options(self.options(&now));
            *made_of = now;
        }
    }
}

/// A connection for one call. Dropping it before [`ended`](Self::ended) closes the connection.
///
/// sqlx counts what a cancelled call leaves on the connection, but miscounts during a prepare. A
/// later call could then get the cancelled call's answer.
pub(crate) struct Session(Option<PoolConnection<MySql>>);

impl Session {
    pub(crate) fn conn(&mut self) -> Result<&mut MySqlConnection, ExecuteError> {
        // Only `ended` empties it, and `ended` takes the session.
        self.0.as_deref_mut().ok_or(ExecuteError::Closed)
    }

    /// Returns the connection to the pool, because the whole answer was read.
    pub(crate) fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Closes the socket at once. sqlx's own way needs a runtime.
        drop(self.0.take().map(PoolConnection::detach));
    }
}
