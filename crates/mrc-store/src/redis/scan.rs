//! Walking through the keys of all servers.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use fred::error::{Error, ErrorKind};
use fred::interfaces::{ClusterInterface, KeysInterface};
use fred::types::Value;
use fred::types::config::Server;
use futures_util::stream::{Stream, try_unfold};

use super::RedisConfig;
use super::failure::{store_error, unexpected};
use super::link::{Connection, Link};
use super::slot::{is_bookkeeping, key_of_copy};
use crate::error::StoreError;
use crate::store::ScanPattern;

/// SCAN's COUNT: how many keys the server looks at for one page. Larger pages hold up everybody else.
const KEYS_A_PAGE: u32 = 1_000;
/// How often all servers are walked, at most, if slots keep moving.
const ROUNDS: usize = 5;
const START: &str = "0";

/// The keys that match, without the prefix.
pub(super) fn pages<'a>(
    link: &'a Link,
    config: &'a RedisConfig,
    pattern: &ScanPattern,
) -> impl Stream<Item = Result<Vec<Bytes>, StoreError>> + use<'a> {
    let scan = Scan { link, config, glob: glob(&config.prefix, pattern), walk: None };
    try_unfold(scan, |mut scan| async move { Ok(scan.next().await?.map(|page| (page, scan))) })
}

struct Scan<'a> {
    link: &'a Link,
    config: &'a RedisConfig,
    glob: String,
    walk: Option<Walk>,
}

/// One way through all servers.
struct Walk {
    /// The servers that remain, and the cursor on the first of them.
    servers: VecDeque<Option<Server>>,
    cursor: String,
    /// Where the slots were when it began.
    layout: Layout,
    round: usize,
}

impl Scan<'_> {
    async fn next(&mut self) -> Result<Option<Vec<Bytes>>, StoreError> {
        let connection = self.link.connection().await?;
        let walk = match &mut self.walk {
            Some(walk) => walk,
            none => none.insert(Walk::begin(&connection, self.config, 1).await?),
        };
        if walk.servers.is_empty() {
            match walk.again(&connection, self.config).await? {
                Some(next) => *walk = next,
                None => return Ok(None),
            }
        }
        let page = walk.page(&connection, &self.glob).await;
        let page = self.link.judge(&connection, page)?;
        Ok(Some(self.logical(page)?))
    }

    /// The keys of a page that are entries of this cache, without the prefix.
    fn logical(&self, page: Vec<Value>) -> Result<Vec<Bytes>, StoreError> {
        let mut keys = Vec::with_capacity(page.len());
        for key in page {
            let key = key.into_bytes().ok_or_else(|| unexpected("a scan returned a key that isn't text"))?;
            let key = key_of_copy(&key).unwrap_or(key);
            if key.starts_with(self.config.prefix.as_bytes()) && !is_bookkeeping(&key) {
                keys.push(key.slice(self.config.prefix.len()..));
            }
        }
        // Where a value has a copy, both are on one server, and often on one page.
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}

impl Walk {
    async fn begin(connection: &Connection, config: &RedisConfig, round: usize) -> Result<Self, StoreError> {
        let layout = Layout::read(connection, config).await?;
        let servers = if config.is_cluster() { layout.0.keys().cloned().map(Some).collect() } else { [None].into() };
        Ok(Self { servers, cursor: START.into(), layout, round })
    }

    /// The next page of the first server, which leaves the walk after its last.
    async fn page(&mut self, connection: &Connection, glob: &str) -> Result<Vec<Value>, Error> {
        let server = self.servers.front().cloned().flatten();
        let client = connection.node(server);
        let answer: Value = client.scan_page(self.cursor.clone(), glob, Some(KEYS_A_PAGE), None).await?;

        let mut answer = answer.into_array().into_iter();
        let (Some(cursor), Some(keys)) = (answer.next().and_then(|cursor| cursor.as_string()), answer.next()) else {
            return Err(Error::new(ErrorKind::Protocol, "the answer to SCAN can't be read"));
        };
        if cursor == START {
            self.servers.pop_front();
        }
        self.cursor = cursor;
        Ok(keys.into_array())
    }

    /// Another walk, where this one may have missed keys: they moved from a server that it came to later to one that it had left.
    async fn again(&self, connection: &Connection, config: &RedisConfig) -> Result<Option<Self>, StoreError> {
        if !config.is_cluster() {
            return Ok(None);
        }
        let next = Self::begin(connection, config, self.round + 1).await?;
        // Keys of a slot on its way move one by one, and one way only: of two walks one has met each of them.
        let complete = next.layout == self.layout && (self.round > 1 || !self.layout.is_moving());
        if complete {
            return Ok(None);
        }
        if self.round == ROUNDS {
            let reason = "the cluster's slots kept moving during the scan";
            return Err(StoreError::Unavailable(reason.into()));
        }
        Ok(Some(next))
    }
}

/// Each primary of a cluster, and the slots it says it has, those on their way included. Empty without a cluster.
#[derive(PartialEq, Eq)]
struct Layout(BTreeMap<Server, String>);

impl Layout {
    async fn read(connection: &Connection, config: &RedisConfig) -> Result<Self, StoreError> {
        let mut slots = BTreeMap::new();
        if config.is_cluster() {
            let limit = config.command_timeout;
            // fred waits here for as long as it takes to reconnect.
            let synced = tokio::time::timeout(limit, connection.client.sync_cluster()).await;
            synced.map_err(|_| StoreError::Timeout(limit))?.map_err(|error| store_error(error, limit))?;
            let routing = connection.client.cached_cluster_state();
            for server in routing.map(|routing| routing.unique_primary_nodes()).unwrap_or_default() {
                let node = connection.node(Some(server.clone()));
                let nodes: String = node.cluster_nodes().await.map_err(|error| store_error(error, limit))?;
                slots.insert(server, own_slots(&nodes));
            }
        }
        Ok(Self(slots))
    }

    /// Whether keys of a slot may be on their way from one server to another.
    fn is_moving(&self) -> bool {
        self.0.values().any(|slots| slots.contains('['))
    }
}

/// What a node's CLUSTER NODES says of its own slots: `0-5460 [93-<-292f8b…]`. Its other fields change all the time.
fn own_slots(nodes: &str) -> String {
    const BEFORE_SLOTS: usize = 8;
    let line = nodes.lines().find(|line| line.contains("myself")).unwrap_or_default();
    line.split(' ').skip(BEFORE_SLOTS).collect::<Vec<_>>().join(" ")
}

/// The pattern for MATCH.
fn glob(prefix: &str, pattern: &ScanPattern) -> String {
    // A copy's own name begins before the prefix.
    let mut glob = String::from("*");
    if !prefix.is_empty() {
        escape(&mut glob, prefix);
        glob.push('*');
    }
    match pattern {
        ScanPattern::All => {}
        ScanPattern::Containing(text) => {
            escape(&mut glob, text);
            glob.push('*');
        }
    }
    glob
}

fn escape(glob: &mut String, literal: &str) {
    for letter in literal.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            glob.push('\\');
        }
        glob.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_literal() {
        let check = |prefix, text: &str, expect| {
            assert_eq!(glob(prefix, &ScanPattern::Containing(text.into())), expect);
        };
        check("", "StoreId=6", "*StoreId=6*");
        check("shop:", "a*b?", r"*shop:*a\*b\?*");
        check("[x]", r"\^-", r"*\[x\]*\\\^\-*");
        assert_eq!(glob("a*", &ScanPattern::All), r"*a\**");
    }

    #[test]
    fn only_a_nodes_own_slots_count() {
        let nodes = "07c3 127.0.0.1:2@12 master - 0 1426238317239 4 connected 5461-10922\n\
                     67ed 127.0.0.1:1@11 myself,master - 0 0 1 connected 0-5460 [93->-292f]\n";
        assert_eq!(own_slots(nodes), "0-5460 [93->-292f]");
        assert_eq!(own_slots(""), "");
    }
}
