//! The pools: two for each runtime, one for reads and one for callers' statements.

use std::sync::{Arc, Mutex, OnceLock};

use futures_util::FutureExt;
use mysql_async::{Conn, Opts, Pool};
use tokio::runtime::{Handle, Id};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::config::MySqlConfig;
use super::ending::Endings;
use super::opts;
use crate::error::ExecuteError;
use crate::executor::span::Target;
use crate::lock::lock;

#[derive(Debug)]
pub(super) struct Pools {
    pub(super) config: MySqlConfig,
    source: PoolSource,
    /// The options of a connection of the caller's pool.
    seen: OnceLock<Opts>,
    homes: Mutex<Homes>,
}

#[derive(Debug)]
enum PoolSource {
    Ours {
        reads: Opts,
        callers: Opts,
    },
    /// A pool of the caller, with the session setup for reads and for all else.
    Own {
        pool: Pool,
        reads: Arc<str>,
        callers: Arc<str>,
    },
}

#[derive(Debug, Default)]
struct Homes {
    all: Vec<Arc<Home>>,
    closed: bool,
}

/// The pools of one runtime. A connection lives no longer than the runtime that opened it.
#[derive(Debug)]
pub(super) struct Home {
    runtime: Option<Id>,
    /// For reads only: no statement of a caller has run in these sessions.
    pub(super) reads: Lane,
    /// For all other statements: the session is reset before another caller gets it.
    pub(super) callers: Lane,
    endings: Arc<Endings>,
    /// Closed when the runtime ends: a later runtime may have the same number.
    alive: Option<oneshot::Sender<()>>,
}

/// A pool with a permit for each connection. A call waits for a permit, then connects.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) pool: Pool,
    pub(super) permits: Arc<Semaphore>,
    /// The session setup before each call, if the pool belongs to the caller.
    setup: Option<Arc<str>>,
}

impl Pools {
    pub(super) fn new(config: MySqlConfig) -> Result<Self, ExecuteError> {
        let source = match &config.pool {
            None => PoolSource::Ours { reads: config.opts_for_reads()?, callers: config.opts_for_callers()? },
            Some(pool) => {
                config.check_own_pool()?;
                let (reads, callers) = (config.setup_of_reads()?.into(), config.setup()?.into());
                PoolSource::Own { pool: pool.clone(), reads, callers }
            }
        };
        Ok(Self { config, source, seen: OnceLock::new(), homes: Mutex::default() })
    }

    /// Remembers the server of the caller's pool.
    pub(super) fn saw(&self, conn: &Conn) {
        if self.config.pool.is_some() {
            self.seen.get_or_init(|| conn.opts().clone());
        }
    }

    /// Returns the target for spans. A caller's pool has one after its first connection.
    pub(super) fn target(&self) -> Target<'_> {
        let MySqlConfig { host, port, socket, database, pool, .. } = &self.config;
        let (host, port, socket, namespace) = match (pool, self.seen.get()) {
            (None, _) => (Some(&**host), Some(*port), socket.as_deref(), database.as_deref()),
            (_, Some(seen)) => (Some(seen.ip_or_hostname()), Some(seen.tcp_port()), seen.socket(), seen.db_name()),
            (_, None) => (None, None, None, None),
        };
        let (address, port) = if socket.is_some() { (socket, None) } else { (host, port) };
        Target { system: "mysql", namespace, address, port }
    }

    /// Returns `host:port`, or the path of the socket. Returns `None` if it isn't known yet.
    pub(super) fn address(&self) -> Option<String> {
        let Target { address, port, .. } = self.target();
        match (address?, port) {
            (path, None) => Some(path.into()),
            (host, Some(port)) if host.contains(':') => Some(format!("[{host}]:{port}")),
            (host, Some(port)) => Some(format!("{host}:{port}")),
        }
    }

    /// Returns the pools of this runtime.
    pub(super) fn here(&self) -> Arc<Home> {
        let runtime = Handle::try_current().ok();
        let id = runtime.as_ref().map(Handle::id);
        let mut homes = lock(&self.homes);
        if let Some(home) = homes.all.iter().find(|home| home.runtime == id && !home.is_over()) {
            return Arc::clone(home);
        }
        homes.all.retain(|home| !home.is_over());
        let home = Arc::new(self.open(runtime.as_ref()));
        if homes.closed {
            home.refuse();
        }
        homes.all.push(Arc::clone(&home));
        home
    }

    fn open(&self, runtime: Option<&Handle>) -> Home {
        let alive = runtime.map(|runtime| {
            let (alive, ended) = oneshot::channel();
            // The task ends with the runtime, or with the home.
            runtime.spawn(async move { drop(ended.await) });
            alive
        });
        let permits = || Arc::new(Semaphore::new(self.config.pool_max));
        let (reads, callers) = match &self.source {
            PoolSource::Ours { reads, callers } => {
                let lane = |opts: &Opts| Lane { pool: Pool::new(opts.clone()), permits: permits(), setup: None };
                (lane(reads), lane(callers))
            }
            PoolSource::Own { pool, reads, callers } => {
                let permits = permits();
                let lane = |setup: &Arc<str>| Lane {
                    pool: pool.clone(),
                    permits: Arc::clone(&permits),
                    setup: Some(Arc::clone(setup)),
                };
                (lane(reads), lane(callers))
            }
        };
        let MySqlConfig { connect_timeout, query_timeout, .. } = self.config;
        let endings = Arc::new(Endings::new(connect_timeout, query_timeout));
        Home { runtime: runtime.map(Handle::id), reads, callers, endings, alive }
    }

    /// Closes all pools except the caller's, and waits for connections and for queries being ended.
    pub(super) async fn close(&self) {
        let homes = {
            let mut homes = lock(&self.homes);
            homes.closed = true;
            homes.all.clone()
        };
        homes.iter().for_each(|home| home.refuse());
        for home in homes {
            for lane in [&home.reads, &home.callers].into_iter().filter(|lane| !lane.is_own()) {
                let _ = lane.pool.clone().disconnect().await;
            }
            home.endings.over().await;
        }
    }
}

impl Lane {
    /// Returns whether the pool belongs to the caller.
    pub(super) fn is_own(&self) -> bool {
        self.setup.is_some()
    }

    /// Prepares a session of the caller's pool for the executor. Other sessions need nothing.
    pub(super) async fn prepare(&self, conn: &mut Conn) -> Result<(), ExecuteError> {
        match &self.setup {
            Some(setup) => opts::prepare(conn, setup).await,
            None => Ok(()),
        }
    }
}

impl Home {
    fn is_over(&self) -> bool {
        self.alive.as_ref().is_some_and(oneshot::Sender::is_closed)
    }

    /// Refuses all further connections.
    fn refuse(&self) {
        for lane in [&self.reads, &self.callers] {
            lane.permits.close();
            // One poll makes the pool refuse connections. Outside a runtime it refuses anyway.
            if Handle::try_current().is_ok() && !lane.is_own() {
                let _ = lane.pool.clone().disconnect().now_or_never();
            }
        }
    }

    /// Has the server end the connection's query, and then returns the permit.
    pub(super) fn end(self: &Arc<Self>, opts: Opts, connection: u32, permit: OwnedSemaphorePermit) {
        // If the runtime has ended, so have its connections.
        if let Ok(runtime) = Handle::try_current() {
            let home = Arc::clone(self);
            runtime.spawn(async move { home.end_now(opts, connection, permit).await });
        }
    }

    /// Has the server end the connection's query, waits for that, and returns the permit.
    pub(super) async fn end_now(&self, opts: Opts, connection: u32, permit: OwnedSemaphorePermit) {
        self.endings.end(opts, connection).await;
        drop(permit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_errors_name_the_server() {
        let pools = |config| Pools::new(config).unwrap();
        let config = || MySqlConfig::new().host("db").port(1).database("d");
        let check = |pools: &Pools, expected: (Option<&str>, Option<&str>, Option<u16>), said: Option<&str>| {
            let Target { namespace, address, port, .. } = pools.target();
            assert_eq!((namespace, address, port), expected);
            assert_eq!(pools.address().as_deref(), said);
        };
        check(&pools(config()), (Some("d"), Some("db"), Some(1)), Some("db:1"));
        check(&pools(config().socket("/run/s")), (Some("d"), Some("/run/s"), None), Some("/run/s"));
        check(&pools(MySqlConfig::new().host("::1")), (None, Some("::1"), Some(3306)), Some("[::1]:3306"));
        let own = pools(MySqlConfig::from_pool(Pool::new("mysql://h/d")));
        check(&own, (None, None, None), None);
        own.seen.set(Opts::from_url("mysql://u:hunter2@h/d").unwrap()).unwrap();
        check(&own, (Some("d"), Some("h"), Some(3306)), Some("h:3306"));
    }
}
