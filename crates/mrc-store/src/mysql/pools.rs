//! The pools: for each runtime one for reads, and one for what callers run.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use mysql_async::{Opts, Pool};
use tokio::runtime::{Handle, Id};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::config::MySqlConfig;
use super::ending::Endings;
use crate::error::ExecuteError;

/// All pools of an executor.
#[derive(Debug)]
pub(super) struct Pools {
    config: MySqlConfig,
    reads: Opts,
    callers: Opts,
    homes: Mutex<Homes>,
}

#[derive(Debug, Default)]
struct Homes {
    all: Vec<Arc<Home>>,
    closed: bool,
}

/// The pools of one runtime: a connection lives in the runtime that opened it, and no longer.
#[derive(Debug)]
pub(super) struct Home {
    runtime: Option<Id>,
    /// For reads alone: nothing that a caller ran has been in these sessions.
    pub(super) reads: Lane,
    /// For all other statements: the session is reset before another caller gets it.
    pub(super) callers: Lane,
    endings: Arc<Endings>,
    /// Closed when the runtime has ended: its number may be another runtime's by then.
    alive: Option<oneshot::Sender<()>>,
}

/// A pool, and a permit for each of its connections: waiting for a permit is waiting for a connection, and what comes
/// after is connecting.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) pool: Pool,
    pub(super) permits: Arc<Semaphore>,
}

impl Pools {
    pub(super) fn new(config: MySqlConfig) -> Result<Self, ExecuteError> {
        let (reads, callers) = (config.opts_for_reads()?, config.opts_for_callers()?);
        Ok(Self { config, reads, callers, homes: Mutex::default() })
    }

    pub(super) fn config(&self) -> &MySqlConfig {
        &self.config
    }

    /// The pools of this runtime.
    pub(super) fn here(&self) -> Arc<Home> {
        let runtime = Handle::try_current().ok();
        let id = runtime.as_ref().map(Handle::id);
        let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
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
            // It ends with the runtime, or with the home.
            runtime.spawn(async move { drop(ended.await) });
            alive
        });
        let lane = |opts: &Opts| Lane {
            pool: Pool::new(opts.clone()),
            permits: Arc::new(Semaphore::new(self.config.pool_max)),
        };
        let MySqlConfig { connect_timeout, query_timeout, .. } = self.config;
        let endings = Arc::new(Endings::new(self.callers.clone(), connect_timeout, query_timeout));
        let id = runtime.map(Handle::id);
        Home { runtime: id, reads: lane(&self.reads), callers: lane(&self.callers), endings, alive }
    }

    /// Closes all pools. Returns when all connections are closed, and nothing is being ended at the server.
    pub(super) async fn close(&self) {
        let homes = {
            let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
            homes.closed = true;
            homes.all.clone()
        };
        homes.iter().for_each(|home| home.refuse());
        for home in homes {
            let _ = home.reads.pool.clone().disconnect().await;
            let _ = home.callers.pool.clone().disconnect().await;
            home.endings.over().await;
        }
    }
}

impl Home {
    fn is_over(&self) -> bool {
        self.alive.as_ref().is_some_and(oneshot::Sender::is_closed)
    }

    /// Lets nobody have a connection any more.
    fn refuse(&self) {
        for lane in [&self.reads, &self.callers] {
            lane.permits.close();
            // Begun and dropped: from its beginning the pool gives no connection. Outside of a runtime it gives none anyway.
            if Handle::try_current().is_ok() {
                let _ = lane.pool.clone().disconnect().now_or_never();
            }
        }
    }

    /// Has the server end what runs on this connection. The permit comes back when it has ended.
    pub(super) fn end(self: &Arc<Self>, connection: u32, permit: OwnedSemaphorePermit) {
        // Where the runtime ends, its connections end too.
        if let Ok(runtime) = Handle::try_current() {
            let home = Arc::clone(self);
            runtime.spawn(async move { home.end_now(connection, permit).await });
        }
    }

    /// The same, and waits until it has ended.
    pub(super) async fn end_now(&self, connection: u32, permit: OwnedSemaphorePermit) {
        self.endings.end(connection).await;
        drop(permit);
    }
}
