//! The scan of the keys of all servers.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use futures_util::stream::{Stream, try_unfold};

use super::bookkeeping::{is_reserved, owner_of_copy};
use super::client::{Fault, FaultKind, Value};
use super::config::RedisConfig;
use super::failure::{absent_if_foreign, unexpected};
use super::hash::key_slot;
use super::link::{Connection, Link};
use super::servers::Servers;
use super::span::traced;
use crate::bound::layout::{VALUES, structure_of};
use crate::error::StoreError;
use crate::lock::lock;
use crate::store::ScanPattern;

/// SCAN's COUNT: the keys that a server reads for one page. Larger pages delay other clients.
const KEYS_A_PAGE: u32 = 1_000;
/// The maximum of walks through all servers while slots move.
const ROUNDS: usize = 5;
/// The number of other stores' prefixes to remember.
const INNER_PREFIXES: usize = 1_000;
/// The cursor at the beginning and at the end of a scan.
pub(super) const START: &str = "0";

/// Returns the matching keys without the prefix.
pub(super) fn pages<'a>(
    servers: &'a Servers,
    config: &'a RedisConfig,
    inner: &'a InnerPrefixes,
    pattern: &ScanPattern,
) -> impl Stream<Item = Result<Vec<Bytes>, StoreError>> + use<'a> {
    let pattern = pattern.clone();
    raw_pages(servers, glob(&config.prefix, &pattern)).map_ok(move |page| logical(page, config, inner, &pattern))
}

/// Longer prefixes of other stores, found by their copies. A removal must remove those copies too.
#[derive(Default)]
pub(super) struct InnerPrefixes(Mutex<BTreeSet<Bytes>>);

impl InnerPrefixes {
    /// Returns the prefixes that the key begins with.
    pub(super) fn of(&self, key: &[u8]) -> Vec<Bytes> {
        lock(&self.0).iter().filter(|prefix| key.starts_with(prefix)).cloned().collect()
    }

    /// Removes prefixes only before a page: those of one page count until the next, however many.
    fn make_room(&self) {
        let mut prefixes = lock(&self.0);
        if prefixes.len() > INNER_PREFIXES {
            prefixes.clear();
        }
    }

    fn insert(&self, prefix: &Bytes) {
        lock(&self.0).insert(Bytes::copy_from_slice(prefix));
    }
}

/// Returns the keys in Redis with this beginning.
pub(super) fn raw_beginning(servers: &Servers, text: &str) -> impl Stream<Item = Result<Vec<Bytes>, StoreError>> {
    let mut glob = String::new();
    escape(&mut glob, text);
    raw_pages(servers, glob + "*")
}

/// Returns a page of a set or sorted set, by SSCAN or ZSCAN, and the next cursor.
pub(super) async fn within(
    servers: &Servers,
    scan: &'static str,
    key: &Bytes,
    cursor: &Bytes,
) -> Result<(Bytes, Vec<Value>), StoreError> {
    let args = || [key.clone(), cursor.clone(), "COUNT".into(), KEYS_A_PAGE.to_string().into()].map(Value::Bytes);
    let page = |connection: Arc<Connection>| async move {
        absent_if_foreign(connection.send(scan, args().to_vec()).await.map(Some))
    };
    let Some(page) = servers.call(|| key_slot(key), page).await? else { return Ok((START.into(), Vec::new())) };
    let mut answer = page.into_array().into_iter();
    let cursor = answer.next().and_then(Value::into_bytes).ok_or_else(|| unexpected("a cursor can't be read"))?;
    Ok((cursor, answer.next().into_iter().flat_map(Value::into_array).collect()))
}

fn raw_pages(servers: &Servers, glob: String) -> impl Stream<Item = Result<Vec<Bytes>, StoreError>> {
    let scan = Scan { servers, glob, walk: None };
    try_unfold(scan, |mut scan| async move { Ok(scan.next().await?.map(|page| (page, scan))) })
}

struct Scan<'a> {
    servers: &'a Servers,
    glob: String,
    walk: Option<ServerWalk>,
}

/// One walk through all servers.
struct ServerWalk {
    /// The remaining servers. The cursor belongs to the first.
    servers: VecDeque<Arc<Link>>,
    cursor: String,
    /// The slots at the beginning.
    layout: Layout,
    round: usize,
}

impl Scan<'_> {
    async fn next(&mut self) -> Result<Option<Vec<Bytes>>, StoreError> {
        let Some(page) = self.page().await.inspect_err(|error| self.servers.notice(error))? else { return Ok(None) };
        let keys = page.into_iter().map(Value::into_bytes).collect::<Option<_>>();
        keys.map(Some).ok_or_else(|| unexpected("a scan returned a key that isn't text"))
    }

    async fn page(&mut self) -> Result<Option<Vec<Value>>, StoreError> {
        let walk = match &mut self.walk {
            Some(walk) => walk,
            none => none.insert(ServerWalk::begin(self.servers, 1).await?),
        };
        if walk.servers.is_empty() {
            match walk.again(self.servers).await? {
                Some(next) => *walk = next,
                None => return Ok(None),
            }
        }
        walk.page(&self.glob).await.map(Some)
    }
}

/// Returns the entries of this cache on a page, without the prefix.
fn logical(page: Vec<Bytes>, config: &RedisConfig, inner: &InnerPrefixes, pattern: &ScanPattern) -> Vec<Bytes> {
    inner.make_room();
    let mut keys = Vec::with_capacity(page.len());
    for key in page {
        let key = owner_of_copy(&key).map_or(key, |(prefix, key)| {
            if prefix != config.prefix {
                inner.insert(&prefix);
            }
            key
        });
        if key.starts_with(config.prefix.as_bytes()) && !is_reserved(&config.prefix, &key) {
            let key = key.slice(config.prefix.len()..);
            if config.is_of_another_prefix(&key) {
                continue;
            }
            // Each structure gets one key, whichever part was found.
            let key = structure_of(&key).map_or_else(|| key.clone(), |base| [base, VALUES.as_bytes()].concat().into());
            // MATCH finds the text anywhere behind the prefix: a copy's name ends with its key.
            if pattern.matches(&key) {
                keys.push(key);
            }
        }
    }
    // A value and its copy are on one server, and often on one page.
    keys.sort_unstable();
    keys.dedup();
    keys
}

impl ServerWalk {
    async fn begin(servers: &Servers, round: usize) -> Result<Self, StoreError> {
        servers.are_whole().await?;
        let primaries = servers.primaries_now().await?;
        let layout = if servers.are_a_cluster() { Layout::read(&primaries).await? } else { Layout(Vec::new()) };
        Ok(Self { servers: primaries.into(), cursor: START.into(), layout, round })
    }

    /// Returns the next page of the first server, and removes the server after its last page.
    async fn page(&mut self, glob: &str) -> Result<Vec<Value>, StoreError> {
        let Some(link) = self.servers.front() else { return Ok(Vec::new()) };
        let connection = link.connection().await?;
        let page = async {
            let args = [&self.cursor, "MATCH", glob, "COUNT", &KEYS_A_PAGE.to_string()].map(Value::from);
            let mut answer = connection.client.send("SCAN", args.to_vec()).await?.into_array().into_iter();
            match (answer.next().and_then(|cursor| cursor.as_string()), answer.next()) {
                (Some(cursor), Some(keys)) => Ok((cursor, keys.into_array())),
                _ => Err(Fault::new(FaultKind::Protocol, "the answer to SCAN can't be read")),
            }
        };
        let page = traced(link.address(), "SCAN", None, page).await;
        let (cursor, keys) = link.judge(page)?;
        if cursor == START {
            self.servers.pop_front();
        }
        self.cursor = cursor;
        Ok(keys)
    }

    /// Returns another walk if keys may have moved to a server already walked.
    async fn again(&self, servers: &Servers) -> Result<Option<Self>, StoreError> {
        if !servers.are_a_cluster() {
            return Ok(None);
        }
        let next = Self::begin(servers, self.round + 1).await?;
        // A moving slot's keys move one by one, in one direction: two walks find each of them.
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

/// The slots that each primary reports, also moving ones. Empty without a cluster.
#[derive(PartialEq, Eq)]
struct Layout(Vec<(String, String)>);

impl Layout {
    /// Fails if a primary can't be reached: a scan would omit its keys.
    async fn read(primaries: &[Arc<Link>]) -> Result<Self, StoreError> {
        let slots = primaries.iter().map(|link| async {
            let connection = link.connection().await?;
            let nodes = link.judge(connection.client.send("CLUSTER", vec!["NODES".into()]).await)?;
            let nodes = nodes.into_string().ok_or_else(|| unexpected("the answer to CLUSTER NODES can't be read"))?;
            Ok::<_, StoreError>((link.address().name.clone(), own_slots(&nodes)))
        });
        Ok(Self(try_join_all(slots).await?))
    }

    /// Returns whether a slot may be moving between servers.
    fn is_moving(&self) -> bool {
        self.0.iter().any(|(_, slots)| slots.contains('['))
    }
}

/// Returns a node's own slots from CLUSTER NODES: `0-5460 [93-<-292f8b…]`.
fn own_slots(nodes: &str) -> String {
    const BEFORE_SLOTS: usize = 8;
    let line = nodes.lines().find(|line| line.contains("myself")).unwrap_or_default();
    line.split(' ').skip(BEFORE_SLOTS).collect::<Vec<_>>().join(" ")
}

/// Returns the pattern for MATCH. A copy's name has the prefix, and later its key with the prefix.
fn glob(prefix: &str, pattern: &ScanPattern) -> String {
    let mut glob = String::new();
    escape(&mut glob, prefix);
    glob.push('*');
    if let ScanPattern::Beginning(text) | ScanPattern::Containing(text) = pattern {
        escape(&mut glob, text);
        glob.push('*');
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
        check("shop:", "a*b?", r"shop:*a\*b\?*");
        check("[x]", r"\^-", r"\[x\]*\\\^\-*");
        assert_eq!(glob("a*", &ScanPattern::All), r"a\**");
        assert_eq!(glob("a*", &ScanPattern::Beginning("b?".into())), r"a\**b\?*");
        assert_eq!(glob("", &ScanPattern::Beginning("b".into())), "*b*");
    }

    #[test]
    fn only_a_nodes_own_slots_count() {
        let nodes = "07c3 127.0.0.1:2@12 master - 0 1426238317239 4 connected 5461-10922\n\
                     67ed 127.0.0.1:1@11 myself,master - 0 0 1 connected 0-5460 [93->-292f]\n";
        assert_eq!(own_slots(nodes), "0-5460 [93->-292f]");
        assert_eq!(own_slots(""), "");
    }
}
