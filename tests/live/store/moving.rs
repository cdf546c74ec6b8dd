//! A scan of a cluster while its slots move.

use std::collections::BTreeSet;

use bytes::Bytes;
use fred::util::redis_keyslot;
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use mrc_store::{CacheStore, Claim, ScanPattern, Terms};
use mrc_tests::{Redis, RedisCluster};

use super::{LONG, keys, store, token};

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
