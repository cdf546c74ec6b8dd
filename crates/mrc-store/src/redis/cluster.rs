//! The servers of a cluster and their slots.
//!
//! Each primary has its own [`Link`] with a circuit breaker, so that a dead primary affects only
//! its own keys. The cluster clients of the libraries would fail as a whole, or wait.
//!
//! The first call reads the map of the slots. A MOVED or a failing call reads it again in
//! the background, and so finds a replica that took over. One read runs at a time, with pauses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use futures_util::future::{join_all, select_ok};

use super::client::{Dialer, Server, Value};
use super::config::{Deployment, RedisConfig};
use super::failure::{address_of, unexpected};
use super::link::Link;
use super::task::AbortOnDrop;
use crate::error::StoreError;
use crate::listeners::Listeners;
use crate::lock::lock;

/// The pause between two background reads.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Cluster(Arc<ClusterState>);

struct ClusterState {
    config: RedisConfig,
    dialer: Dialer,
    listeners: Arc<Listeners>,
    map: RwLock<Map>,
    /// Callers that wait for the first map share one read.
    first: tokio::sync::Mutex<()>,
    soon: Mutex<Soon>,
}

#[derive(Default)]
struct Map {
    /// Sorted by slot. Empty before the first read.
    ranges: Vec<Range<Arc<Link>>>,
    /// Every server asked or named so far; after each read, only those of the ranges.
    links: BTreeMap<Server, Arc<Link>>,
    closed: bool,
}

/// A range of slots, including the last.
#[derive(Debug, Clone, PartialEq)]
struct Range<T> {
    first: u16,
    last: u16,
    primary: T,
}

/// The latest background read.
#[derive(Default)]
struct Soon {
    began: Option<Instant>,
    task: Option<AbortOnDrop<()>>,
}

impl Cluster {
    pub(super) fn new(config: &RedisConfig, listeners: Arc<Listeners>) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(ClusterState {
            dialer: config.dialer()?,
            config: config.clone(),
            listeners,
            map: RwLock::default(),
            first: tokio::sync::Mutex::default(),
            soon: Mutex::default(),
        })))
    }

    pub(super) async fn link(&self, slot: u16) -> Result<Arc<Link>, StoreError> {
        if let Some(link) = self.known_link(slot) {
            return Ok(link);
        }
        self.known().await?;
        let found = self.0.map()?.link(slot);
        found.ok_or_else(|| {
            self.read_soon();
            StoreError::Unavailable(format!("no server of the cluster has slot {slot}").into())
        })
    }

    /// Returns the link to the server of the slot if the map has it.
    pub(super) fn known_link(&self, slot: u16) -> Option<Arc<Link>> {
        self.0.map().ok()?.link(slot)
    }

    /// Returns the links to all primaries in a fixed order.
    pub(super) async fn primaries(&self) -> Result<Vec<Arc<Link>>, StoreError> {
        self.known().await?;
        let map = self.0.map()?;
        let primaries =
            map.links.values().filter(|link| map.ranges.iter().any(|range| Arc::ptr_eq(&range.primary, link)));
        Ok(primaries.cloned().collect())
    }

    /// Returns a slot of each primary: its first one.
    pub(super) async fn first_slots(&self) -> Result<Vec<u16>, StoreError> {
        self.known().await?;
        let map = self.0.map()?;
        let is_first = |(at, range): &(usize, &Range<Arc<Link>>)| {
            map.ranges.iter().take(*at).all(|earlier| !Arc::ptr_eq(&earlier.primary, &range.primary))
        };
        Ok(map.ranges.iter().enumerate().filter(is_first).map(|(_, range)| range.first).collect())
    }

    pub(super) async fn read(&self) -> Result<(), StoreError> {
        self.0.read().await
    }

    /// Reads the map again in the background, unless a read is running or has just begun.
    pub(super) fn read_soon(&self) {
        let mut soon = lock(&self.0.soon);
        let is_under_way = soon.task.as_ref().is_some_and(|task| !task.0.is_finished());
        if is_under_way || soon.began.is_some_and(|began| began.elapsed() < PAUSE) {
            return;
        }
        let inner = self.0.clone();
        soon.began = Some(Instant::now());
        soon.task = Some(AbortOnDrop(tokio::spawn(async move {
            // After an error, the next failing call tries again.
            let _ = inner.read().await;
        })));
    }

    /// Returns the link to a server that another one named. Returns `None` after the close.
    pub(super) fn follow(&self, server: Server) -> Option<Arc<Link>> {
        self.read_soon();
        self.0.link_to(server).ok()
    }

    pub(super) async fn close(&self) {
        let links = {
            let mut map = self.0.map_mut();
            map.closed = true;
            std::mem::take(&mut map.ranges);
            std::mem::take(&mut map.links)
        };
        join_all(links.values().map(|link| link.close())).await;
    }

    /// Waits for the first read.
    async fn known(&self) -> Result<(), StoreError> {
        if self.0.map()?.is_known() {
            return Ok(());
        }
        let _first = self.0.first.lock().await;
        // If the first read failed, each waiter asks: links to unreachable servers fail at once.
        if self.0.map()?.is_known() { Ok(()) } else { self.0.read().await }
    }
}

impl ClusterState {
    /// Asks the connected servers one after the other. If none answers, asks all at once.
    async fn read(&self) -> Result<(), StoreError> {
        let known: Vec<Arc<Link>> = self.map()?.links.values().cloned().collect();
        for link in known.iter().filter(|link| link.open_connection().is_some()) {
            if let Ok(ranges) = ask(link).await {
                return self.learn(ranges);
            }
        }
        if let Deployment::Cluster(hosts) = &self.config.deployment {
            for server in hosts {
                self.link_to(server.clone())?;
            }
        }
        let all: Vec<Arc<Link>> = self.map()?.links.values().cloned().collect();
        let (ranges, _) = select_ok(all.iter().map(|link| Box::pin(ask(link)))).await?;
        self.learn(ranges)
    }

    fn learn(&self, ranges: Vec<Range<Server>>) -> Result<(), StoreError> {
        let mut primaries = Vec::with_capacity(ranges.len());
        for Range { first, last, primary } in ranges {
            primaries.push(Range { first, last, primary: self.link_to(primary)? });
        }
        primaries.sort_by_key(|range| range.first);
        let mut gone = Vec::new();
        {
            let mut map = self.map_mut();
            map.ranges = if map.closed { Vec::new() } else { primaries };
            let Map { ranges, links, .. } = &mut *map;
            links.retain(|_, link| {
                let stays = ranges.iter().any(|range| Arc::ptr_eq(&range.primary, link));
                if !stays {
                    gone.push(link.clone());
                }
                stays
            });
        }
        for link in gone {
            link.retire();
        }
        Ok(())
    }

    /// Returns the link to this server, or creates it.
    fn link_to(&self, server: Server) -> Result<Arc<Link>, StoreError> {
        let mut map = self.map_mut();
        if map.closed {
            return Err(StoreError::Closed);
        }
        let link = map.links.entry(server).or_insert_with_key(|server| {
            Arc::new(Link::node(&self.config, &self.dialer, server.clone(), self.listeners.clone()))
        });
        Ok(link.clone())
    }

    fn map(&self) -> Result<RwLockReadGuard<'_, Map>, StoreError> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        if map.closed { Err(StoreError::Closed) } else { Ok(map) }
    }

    fn map_mut(&self) -> RwLockWriteGuard<'_, Map> {
        self.map.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Map {
    fn is_known(&self) -> bool {
        !self.ranges.is_empty()
    }

    fn link(&self, slot: u16) -> Option<Arc<Link>> {
        let next = self.ranges.partition_point(|range| range.last < slot);
        self.ranges.get(next).filter(|range| range.first <= slot).map(|range| range.primary.clone())
    }
}

async fn ask(link: &Link) -> Result<Vec<Range<Server>>, StoreError> {
    let connection = link.connection().await?;
    let answer = connection.client.send("CLUSTER", vec!["SLOTS".into()]).await;
    let ranges = parse(link.judge(answer)?, link.address().server.as_ref())
        .ok_or_else(|| unexpected("the answer to CLUSTER SLOTS can't be read, or names a server without an address"))?;
    if ranges.is_empty() {
        return Err(StoreError::Unavailable(format!("{}: it knows of no slots", link.address().name).into()));
    }
    Ok(ranges)
}

/// Parses `[[first, last, [host, port, …primary], …], …]`, if each primary has an address.
fn parse(answer: Value, asked: Option<&Server>) -> Option<Vec<Range<Server>>> {
    let range = |range: Value| {
        let mut range = range.into_array().into_iter();
        let (first, last) = (range.next()?.as_u64()?, range.next()?.as_u64()?);
        let mut primary = range.next()?.into_array().into_iter();
        // A null host means the server that was asked.
        let (host, port) = (primary.next()?.as_string().unwrap_or_default(), primary.next()?.as_u64()?);
        let primary = address_of(&host, port.try_into().ok()?, asked)?;
        Some(Range { first: first.try_into().ok()?, last: last.try_into().ok()?, primary })
    };
    answer.into_array().into_iter().map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(host: Value) -> Value {
        let node = |host, port| Value::Array(vec![host, Value::Integer(port), "id".into(), Value::Array(vec![])]);
        Value::Array(vec![
            Value::Array(vec![Value::Integer(0), Value::Integer(5), node(host, 7), node("replica".into(), 8)]),
            Value::Array(vec![Value::Integer(9), Value::Integer(16_383), node("b".into(), 9)]),
        ])
    }

    #[test]
    fn servers_are_named_in_every_way() {
        let asked = Server::new("asked", 1);
        let check = |host: Value, expect: Option<&str>| {
            let ranges = parse(slots(host), Some(&asked));
            assert_eq!(ranges.as_ref().map(|ranges| ranges[0].primary.to_string()).as_deref(), expect);
        };
        check("10.0.0.1".into(), Some("10.0.0.1:7"));
        check("cache.internal".into(), Some("cache.internal:7"));
        check("::1".into(), Some("[::1]:7"));
        check("".into(), Some("asked:7"));
        check(Value::Null, Some("asked:7"));
        check("?".into(), None);
        let ranges = parse(slots("a".into()), None).unwrap();
        assert_eq!(ranges[1], Range { first: 9, last: 16_383, primary: Server::new("b", 9) });
        assert_eq!(parse(Value::Array(vec![Value::Integer(1)]), None), None);
    }
}
