//! A cluster that loses servers, and one whose slots move during a scan.

use std::collections::BTreeSet;

use bytes::Bytes;
use fred::util::redis_keyslot;
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use mrc_store::{CacheStore, Claim, RedisStore, ScanPattern, StoreError, Terms};
use mrc_tests::{Redis, RedisCluster, unique};

use super::events::Heard;
use super::{LONG, SECOND, eventually, keys, patient, store, token};

/// Returns keys on one server of the cluster.
fn keys_of(cluster: &RedisCluster, node: usize, count: usize) -> Vec<String> {
    let slots = cluster.slots_of(node);
    let names = (0..).map(|number| unique(&format!("k{number}:")));
    names.filter(|name| slots.contains(&fred::util::redis_keyslot(name.as_bytes()))).take(count).collect()
}

/// Runs every operation of a store on a key. None may fail.
async fn works(store: &RedisStore, key: &str) {
    let claim = token();
    assert_eq!(store.get(key).await.unwrap(), None);
    assert_eq!(store.claim(key, &claim, Terms::fill(LONG)).await.unwrap(), Claim::Granted);
    assert!(store.fill(key, &claim, "[1]".into(), LONG.into()).await.unwrap());
    assert_eq!(store.get(key).await.unwrap(), Some("[1]".into()));
}

/// While the server `LOST` is lost, the others lose nothing, and calls to it return an error.
async fn the_other_nodes_keep_serving(cluster: &RedisCluster, store: &RedisStore) {
    for node in [0, 2] {
        let keys = keys_of(cluster, node, 150);
        join_all(keys.iter().map(|key| works(store, key))).await;
    }
    let server = format!("127.0.0.1:{}", cluster.ports()[LOST]);
    for key in keys_of(cluster, LOST, 50) {
        for error in [
            store.get(&key).await.unwrap_err(),
            store.claim(&key, &token(), Terms::fill(LONG)).await.unwrap_err(),
            store.fill(&key, &token(), "1".into(), LONG.into()).await.unwrap_err(),
            store.remove(&[key.clone().into()]).await.unwrap_err(),
            store.ping().await.unwrap_err(),
        ] {
            assert!(error.is_retryable(), "{error:?}");
            assert!(matches!(error, StoreError::Timeout(_)) || error.to_string().contains(&server), "{error}");
        }
    }
    let scan = store.scan(&ScanPattern::All).try_collect::<Vec<_>>().await;
    assert!(scan.is_err_and(|error| error.is_retryable()), "a scan that leaves a server out says so");
}

const LOST: usize = 1;

async fn all_is_well(cluster: &RedisCluster, store: &RedisStore) {
    for node in 0..cluster.nodes().len() {
        for key in keys_of(cluster, node, 20) {
            eventually(|| store.get(&key)).await;
            works(store, &key).await;
        }
    }
    eventually(|| store.scan(&ScanPattern::All).try_collect::<Vec<_>>()).await;
    eventually(|| store.ping()).await;
}

#[tokio::test]
async fn a_killed_server_loses_only_its_own_keys() {
    let cluster = RedisCluster::start().await;
    let store = store(&cluster.url());
    let heard = Heard::by(&store);
    all_is_well(&cluster, &store).await;
    cluster.node(LOST).kill().await;
    the_other_nodes_keep_serving(&cluster, &store).await;
    cluster.node(LOST).restart().await;
    all_is_well(&cluster, &store).await;
    let server = format!("127.0.0.1:{}", cluster.ports()[LOST]);
    heard.is(&[("server_lost", &server), ("server_back", &server)]).await;
}

#[tokio::test]
async fn a_node_that_stands_still_does_not_stop_the_others() {
    let cluster = RedisCluster::start().await;
    let store = RedisStore::new(patient(&cluster.url()).command_timeout(SECOND)).unwrap();
    all_is_well(&cluster, &store).await;
    cluster.node(LOST).pause().await;
    // The first calls wait. Then the circuit opens.
    let key = keys_of(&cluster, LOST, 1).remove(0);
    while !matches!(store.get(&key).await, Err(StoreError::Unavailable(_))) {}
    the_other_nodes_keep_serving(&cluster, &store).await;
    cluster.node(LOST).resume().await;
    all_is_well(&cluster, &store).await;
}

#[tokio::test]
async fn a_server_that_is_down_from_the_beginning() {
    let cluster = RedisCluster::start().await;
    cluster.node(LOST).kill().await;
    // The URL begins with a living node, and then with the dead one.
    for first in [0, LOST] {
        let urls = cluster.ports();
        let url = format!("redis-cluster://127.0.0.1:{}?node=127.0.0.1:{}", urls[first], urls[2]);
        the_other_nodes_keep_serving(&cluster, &store(&url)).await;
    }
    let alone = store(&format!("redis-cluster://127.0.0.1:{}", cluster.ports()[LOST]));
    assert!(matches!(alone.get("k").await, Err(StoreError::Unavailable(_))));
    cluster.node(LOST).restart().await;
    eventually(|| alone.get("k")).await;
    all_is_well(&cluster, &alone).await;
}

#[tokio::test]
async fn a_replica_that_took_over_is_found() {
    let cluster = RedisCluster::start().await;
    let replica = cluster.add_replica(LOST).await;
    let store = store(&cluster.url());
    let heard = Heard::by(&store);
    all_is_well(&cluster, &store).await;
    cluster.node(LOST).kill().await;
    assert_eq!(replica.cli(&["CLUSTER", "FAILOVER", "TAKEOVER"]).await, "OK");
    all_is_well(&cluster, &store).await;
    // No call needs the dead node any more.
    let server = format!("127.0.0.1:{}", cluster.ports()[LOST]);
    heard.is(&[("server_lost", &server), ("server_back", &server)]).await;
}

/// It has a third of the keys. Its answers for the others must not look like an outage.
#[tokio::test]
async fn a_node_used_as_a_single_server_fails_with_a_pointer_to_the_cluster_url() {
    let cluster = RedisCluster::shared().await;
    let alone = store(&format!("redis://127.0.0.1:{}", cluster.ports()[0]));
    assert_eq!(alone.get(&keys_of(&cluster, 0, 1)[0]).await.unwrap(), None);
    let key = &keys_of(&cluster, 1, 1)[0];
    for error in [
        alone.get(key).await.err(),
        alone.look(key).await.err(),
        alone.claim(key, &token(), Terms::fill(LONG)).await.err(),
        alone.put(key, "1".into(), LONG).await.err(),
        alone.exist(&[key.clone().into()]).await.err(),
        alone.remove(&[key.clone().into()]).await.err(),
        alone.invalidate(&[unique("tag").into()]).await.err(),
        alone.scan(&ScanPattern::All).try_collect::<Vec<_>>().await.err(),
        alone.ping().await.err(),
    ] {
        assert!(matches!(&error, Some(StoreError::Config(reason)) if reason.contains("redis-cluster://")), "{error:?}");
    }
}

/// The keys move from the server that a scan visits last to the first one.
#[tokio::test]
async fn keys_that_move_ahead_of_a_scan_are_found() {
    for (opened_before, finished) in [(false, true), (false, false), (true, false)] {
        let cluster = RedisCluster::start().await;
        let cache = store(&cluster.url());
        let mut nodes: Vec<&Redis> = cluster.nodes().iter().collect();
        nodes.sort_by_key(|node| node.port());
        let (first, last) = (nodes[0], nodes[nodes.len() - 1]);

        let slots = last.cli(&["CLUSTER", "NODES"]).await;
        let own = slots.lines().find(|line| line.contains("myself")).unwrap().split(' ').nth(8).unwrap().to_owned();
        let (from, to) = own.trim().split_once('-').unwrap();
        let range = from.parse::<u16>().unwrap()..=to.parse::<u16>().unwrap();
        let tag = (0..).find(|number: &u32| range.contains(&redis_keyslot(number.to_string().as_bytes()))).unwrap();
        let slot = redis_keyslot(tag.to_string().as_bytes()).to_string();

        let names: Vec<String> = (0..50).map(|number| format!("{{{tag}}}{number}")).collect();
        join_all(names.iter().map(|name| cache.put(name, "1".into(), LONG))).await;
        if opened_before {
            open_slot(first, last, &slot).await;
        }
        let mut pages = cache.scan(&ScanPattern::All);
        let page = pages.try_next().await.unwrap().unwrap();
        assert!(page.is_empty(), "the first server has no keys");

        if !opened_before {
            open_slot(first, last, &slot).await;
        }
        let port = first.port().to_string();
        let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        migrate.extend(names.iter().map(String::as_str));
        ok(last.cli(&migrate).await);
        if finished {
            close_slot(&nodes, first, &slot).await;
        }

        let found: BTreeSet<Bytes> = pages.try_collect::<Vec<_>>().await.unwrap().concat().into_iter().collect();
        assert_eq!(found, keys(&names).into_iter().collect());
        let removed = cache.remove(&keys(&names)).await;
        if finished {
            assert_eq!(removed.unwrap(), 50);
        } else {
            // ASK isn't followed: the caller gets an error, and retries when the slot has arrived.
            assert!(removed.is_err_and(|error| error.is_retryable()));
        }
    }
}

#[tokio::test]
async fn a_slot_that_moved_is_found() {
    let cluster = RedisCluster::start().await;
    let cache = store(&cluster.url());
    let nodes: Vec<&Redis> = cluster.nodes().iter().collect();
    let (to, from) = (nodes[0], nodes[2]);
    let slots = cluster.slots_of(2);
    let names: Vec<String> = (0..)
        .map(|n: u32| format!("k{n}"))
        .filter(|name| slots.contains(&redis_keyslot(name.as_bytes())))
        .take(20)
        .collect();
    for name in &names {
        cache.put(name, "1".into(), LONG).await.unwrap();
        let (slot, port) = (redis_keyslot(name.as_bytes()).to_string(), to.port().to_string());
        open_slot(to, from, &slot).await;
        ok(from.cli(&["MIGRATE", "127.0.0.1", &port, name, "0", "5000"]).await);
        close_slot(&nodes, to, &slot).await;

        assert_eq!(cache.get(name).await.unwrap(), Some("1".into()));
        let claim = token();
        assert_eq!(cache.claim(name, &claim, Terms::refresh(LONG)).await.unwrap(), Claim::Granted);
        assert!(cache.fill(name, &claim, "2".into(), LONG.into()).await.unwrap());
    }
    assert_eq!(cache.remove(&keys(&names)).await.unwrap(), 20);
}

/// Keys of the slot may move from `last` to `first` from here on.
async fn open_slot(first: &Redis, last: &Redis, slot: &str) {
    ok(first.cli(&["CLUSTER", "SETSLOT", slot, "IMPORTING", &id(last).await]).await);
    ok(last.cli(&["CLUSTER", "SETSLOT", slot, "MIGRATING", &id(first).await]).await);
}

/// The slot belongs to `owner` from here on.
async fn close_slot(nodes: &[&Redis], owner: &Redis, slot: &str) {
    for node in nodes {
        ok(node.cli(&["CLUSTER", "SETSLOT", slot, "NODE", &id(owner).await]).await);
    }
}

async fn id(node: &Redis) -> String {
    node.cli(&["CLUSTER", "MYID"]).await.trim().to_owned()
}

fn ok(answer: impl AsRef<str>) {
    assert_eq!(answer.as_ref().trim(), "OK");
}
