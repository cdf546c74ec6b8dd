//! One server or a cluster, and the routing of commands.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use mrc_core::EventListener;

use super::bookkeeping::lease_key;
use super::client::{Fault, Server, Value};
use super::cluster::Cluster;
use super::config::RedisConfig;
use super::failure::moved;
use super::link::{Connection, Link};
use crate::error::StoreError;
use crate::listeners::Listeners;

/// The most MOVED answers to follow. A cluster needs one, perhaps two while a slot moves.
const REDIRECTIONS: usize = 4;

pub(super) struct Servers {
    kind: Topology,
    listeners: Arc<Listeners>,
    /// Two keys that a cluster has in different slots.
    apart: [Bytes; 2],
}

enum Topology {
    One(Arc<Link>),
    Cluster(Cluster),
}

/// The link for one command. Borrowing avoids a reference count for each hit on one server.
pub(super) enum Way<'a> {
    Borrowed(&'a Link),
    Shared(Arc<Link>),
}

impl Deref for Way<'_> {
    type Target = Link;

    fn deref(&self) -> &Link {
        match self {
            Self::Borrowed(link) => link,
            Self::Shared(link) => link,
        }
    }
}

impl Servers {
    pub(super) fn new(config: &RedisConfig) -> Result<Self, StoreError> {
        let listeners = Arc::<Listeners>::default();
        let kind = if config.is_cluster() {
            Topology::Cluster(Cluster::new(config, listeners.clone())?)
        } else {
            Topology::One(Arc::new(Link::new(config, listeners.clone())?))
        };
        let apart = ["0", "1"].map(|tag| lease_key(&config.prefix, tag.as_bytes()));
        Ok(Self { kind, listeners, apart })
    }

    /// Runs a command once on the server of the slot. Follows MOVED: the server then did nothing.
    ///
    /// ASK is an error: the slot's new server would answer TRYAGAIN to commands on missing keys.
    pub(super) async fn call<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        slot: impl FnOnce() -> u16,
        command: impl Fn(Arc<Connection>) -> F,
    ) -> Result<T, StoreError> {
        let mut way = match &self.kind {
            Topology::One(link) => Way::Borrowed(link),
            Topology::Cluster(cluster) => Way::Shared(cluster.link(slot()).await?),
        };
        let mut redirections = 0;
        loop {
            let connection = way.connection().await.inspect_err(|error| self.notice(error))?;
            let outcome = command(connection).await;
            if let Some(next) = self.redirection(&outcome, way.address().server.as_ref())
                && redirections < REDIRECTIONS
            {
                redirections += 1;
                way = Way::Shared(next);
                continue;
            }
            return way.judge(outcome).inspect_err(|error| self.notice(error));
        }
    }

    /// Returns the server of the slot with its connection if that needs no wait.
    pub(super) fn at_hand(&self, slot: impl FnOnce() -> u16) -> Option<(Way<'_>, Arc<Connection>)> {
        let way = match &self.kind {
            Topology::One(link) => Way::Borrowed(link),
            Topology::Cluster(cluster) => Way::Shared(cluster.known_link(slot())?),
        };
        let connection = way.open_connection()?;
        Some((way, connection))
    }

    /// Converts the outcome on a server at hand. Returns `None` if it did nothing (MOVED).
    pub(super) fn judge<T>(&self, way: &Way<'_>, outcome: Result<T, Fault>) -> Option<Result<T, StoreError>> {
        if self.redirection(&outcome, way.address().server.as_ref()).is_some() {
            return None;
        }
        Some(way.judge(outcome).inspect_err(|error| self.notice(error)))
    }

    /// Returns the links to all known servers, in a cluster to all primaries in a fixed order.
    pub(super) async fn primaries(&self) -> Result<Vec<Arc<Link>>, StoreError> {
        match &self.kind {
            Topology::One(link) => Ok(vec![link.clone()]),
            Topology::Cluster(cluster) => cluster.primaries().await,
        }
    }

    /// Returns the same after reading the cluster's map again.
    pub(super) async fn primaries_now(&self) -> Result<Vec<Arc<Link>>, StoreError> {
        if let Topology::Cluster(cluster) = &self.kind {
            cluster.read().await?;
        }
        self.primaries().await
    }

    /// Returns a slot of each primary of a cluster. Returns none for one server.
    pub(super) async fn first_slots(&self) -> Result<Vec<u16>, StoreError> {
        match &self.kind {
            Topology::One(_) => Ok(Vec::new()),
            Topology::Cluster(cluster) => cluster.first_slots().await,
        }
    }

    pub(super) fn are_a_cluster(&self) -> bool {
        matches!(self.kind, Topology::Cluster(_))
    }

    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        let links = self.primaries().await?;
        let pings = links.iter().map(|link| async { link.ping().await.inspect_err(|error| self.notice(error)) });
        try_join(try_join_all(pings), self.are_whole()).await.map(drop)
    }

    /// Fails if the only server is a cluster node: a scan would omit the keys of the other nodes.
    pub(super) async fn are_whole(&self) -> Result<(), StoreError> {
        let Topology::One(link) = &self.kind else { return Ok(()) };
        let connection = link.connection().await?;
        let count = connection.send("EXISTS", self.apart.clone().map(Value::Bytes).to_vec()).await;
        link.judge(count).map(drop)
    }

    pub(super) fn listen(&self, listener: Arc<dyn EventListener>) {
        self.listeners.add(listener);
    }

    pub(super) async fn close(&self) {
        match &self.kind {
            Topology::One(link) => link.close().await,
            Topology::Cluster(cluster) => cluster.close().await,
        }
    }

    /// A lost server of a cluster may have been replaced: find out in the background.
    pub(super) fn notice(&self, error: &StoreError) {
        if let Topology::Cluster(cluster) = &self.kind
            && error.is_retryable()
        {
            cluster.read_soon();
        }
    }

    fn redirection<T>(&self, outcome: &Result<T, Fault>, asked: Option<&Server>) -> Option<Arc<Link>> {
        match (&self.kind, outcome) {
            (Topology::Cluster(cluster), Err(error)) => cluster.follow(moved(error, asked)?),
            _ => None,
        }
    }
}
