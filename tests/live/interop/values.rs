//! Values of functions, TTLs, and the content of Redis during a fill.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use mrc::{MrcClient, Params, Source};
use mrc_tests::{Peer, Proxy};
use serde_json::{Value as Json, json};

use super::{KeyFormat, Side, World, name, same, with_both_peers};
use crate::client::support::{HOUR, SQL, patient};

tests!(
    with_both_peers,
    they_read_the_values_of_our_functions,
    we_read_the_values_of_their_functions,
    a_value_written_by_hand_is_read,
    empty_values_and_trailing_spaces
);

fn values() -> Vec<Json> {
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-0.0),
        json!(1e-7),
        json!(1e21),
        json!(123_456_789_012_345_680_000.0),
        json!(5e-324),
        json!(f64::MAX),
        json!(0.1 + 0.2),
        json!(9_007_199_254_740_991i64),
        json!(""),
        json!(" "),
        json!("héllo 🚀 \u{2028}\u{2029} \u{0} \u{7f} \"q\" \\ / \n\r\t"),
        json!([]),
        json!({}),
        json!([[], {}, [[[]]], null, false]),
        json!({"é": {"b": 1, "a": [1.5, {"": ""}]}, "": null, "__proto_": 1}),
        json!((0..500).map(|n| json!({"n": n, "half": f64::from(n) / 2.0})).collect::<Vec<_>>()),
    ]
}

async fn they_read_the_values_of_our_functions(world: &World, side: &Side) {
    let client = world.client(side);
    for value in values() {
        let (signature, id) = (name("report"), name("Id"));
        let params = Params::new().with(id, 1);
        let returned: Json =
            client.with_cache(async || Ok::<_, mrc::Error>(value.clone()), signature, params, HOUR).await.unwrap();
        assert!(same(&returned, &value), "{returned} {value}");
        let read = side.read(signature, &[json!(1)], &[id]).await;
        assert!(same(&read, &value), "{:?}: {read} {value}", side.keys);
        let with = json!({"op": "with", "query": signature, "params": [1], "names": [id], "value": "never", "ttl": 60});
        assert_eq!(side.peer.call(with).await["ran"], json!(false), "{value}");
    }
}

async fn we_read_the_values_of_their_functions(world: &World, side: &Side) {
    let client = world.client(side);
    for value in values() {
        let (signature, id) = (name("report"), name("Id"));
        let with = json!({"op": "with", "query": signature, "params": [1], "names": [id], "value": value, "ttl": 60});
        assert_eq!(side.peer.call(with).await["ran"], json!(true));
        let params = Params::new().with(id, 1);
        let never = async || -> Result<Json, mrc::Error> { panic!("{value} is in the cache") };
        let read: Json = client.with_cache(never, signature, &params, HOUR).await.unwrap();
        assert!(same(&read, &value), "{:?}: {read} {value}", side.keys);
        assert_eq!(client.read_from_cache(signature, &params).await.unwrap().unwrap().source(), Source::Cache);
    }
}

async fn a_value_written_by_hand_is_read(world: &World, side: &Side) {
    let client = world.client(side);
    let (ours, theirs) = (name("ours"), name("theirs"));
    client.write_to_cache(ours, &json!([1.5, "é"]), Params::new(), HOUR).await.unwrap();
    assert_eq!(side.read(ours, &[], &[]).await, json!([1.5, "é"]));
    side.peer.call(json!({"op": "write", "query": theirs, "value": [1.5, "é"]})).await;
    let read = client.read_from_cache(theirs, Params::new()).await.unwrap().unwrap();
    assert_eq!(read.as_str().unwrap(), r#"[1.5,"é"]"#);
}

/// Checks the TTL of a key against the one `asked` at this time, in ms.
async fn assert_life(world: &World, key: &str, asked: Duration, at: Instant) {
    let left: u128 = world.redis.cli(&["PTTL", key]).await.parse().unwrap();
    let asked = asked.as_millis();
    assert!(left <= asked * 11 / 10, "{left}");
    // Both numbers were rounded down.
    assert!(left + 1 + at.elapsed().as_millis() >= asked * 9 / 10, "{left}");
}

#[tokio::test]
async fn lives_are_whole_seconds_within_ten_percent() {
    const SECONDS: u64 = 1000;
    let world = World::open().await;
    let wire = Proxy::to(world.redis.port()).await;
    let url = format!("redis://127.0.0.1:{}", wire.port());
    let peers = [Peer::npm(&url, "").await, Peer::pypi(&url, "").await];
    let client = MrcClient::builder().redis_config(patient(&url)).mysql(world.database.url()).build().unwrap();
    let whole = |millis: &str| {
        let millis: u64 = millis.parse().unwrap();
        assert_eq!(millis % 1000, 0, "{millis}");
        millis / 1000
    };

    let mut ours = HashSet::new();
    let id = name("Id");
    for row in 1..=20 {
        wire.reset();
        let (at, params, ttl) = (Instant::now(), Params::new().with(id, row), Duration::from_secs(SECONDS));
        client.query_with_cache(SQL, &params, ttl).await.unwrap();
        assert_life(&world, client.key(SQL, &params).unwrap().as_str(), ttl, at).await;
        // The last argument of the fill.
        ours.insert(whole(wire.commands().last().unwrap().last().unwrap()));
    }
    let written = name("written");
    client.write_to_cache(written, &1, Params::new(), Duration::from_secs(SECONDS)).await.unwrap();
    whole(wire.commands().last().unwrap().last().unwrap());

    let mut theirs = HashSet::new();
    for peer in &peers {
        for _ in 0..10 {
            wire.reset();
            let (at, signature) = (Instant::now(), name("signature"));
            peer.call(json!({"op": "with", "query": signature, "value": 1, "ttl": SECONDS})).await;
            let key = peer.key(signature, &[], &[]).await;
            assert_life(&world, &key, Duration::from_secs(SECONDS), at).await;
            theirs.insert(wire.seen("SET").await.last().unwrap().parse::<u64>().unwrap());
        }
    }
    for lives in [ours, theirs] {
        assert!(lives.iter().all(|life| (900..=1100).contains(life)) && lives.len() > 3, "{lives:?}");
    }
}

/// Checks what a claim and a refresh leave under a key, and other contents.
async fn empty_values_and_trailing_spaces(world: &World, side: &Side) {
    let client = world.client(side);
    let id = name("Id");
    let params = Params::new().with(id, 7);
    let key = client.key(side.query(SQL), &params).unwrap().into_string();
    let ask = async || {
        (
            side.read(&side.text(SQL), &[json!(7)], &[id]).await,
            client.read_from_cache(side.query(SQL), &params).await.unwrap(),
        )
    };

    world.redis.cli(&["SET", &key, "", "EX", "60"]).await;
    let (theirs, ours) = ask().await;
    assert!(theirs.is_null() && ours.is_none());
    assert_eq!(side.ask(SQL, &[json!(7)], &[id]).await, json!([{"id": 7, "version": 1}]));

    for text in [r#"[{"id":7}] "#, r#"  [ {"id" : 7} ]  "#, "\n[{\"id\":7}]\n"] {
        world.redis.cli(&["SET", &key, text, "EX", "60"]).await;
        let (theirs, ours) = ask().await;
        assert_eq!(theirs, json!([{"id": 7}]), "{text:?}");
        assert_eq!(ours.unwrap().json::<Json>().unwrap(), json!([{"id": 7}]), "{text:?}");
    }
    // Our answer doesn't include the mark of a refresh.
    world.redis.cli(&["SET", &key, "[1] ", "EX", "60"]).await;
    assert_eq!(ask().await.1.unwrap().into_bytes(), "[1]");
}

/// Three spellings of numbers: an entry is JSON to all three sides.
#[tokio::test]
async fn one_entry_for_three_languages() {
    let world = World::open().await;
    let signature = name("report");
    let value = json!({"small": 1e-7, "whole": 5000.0, "text": "é"});
    let keys = [KeyFormat::TypeScript, KeyFormat::Python];
    for side in world.sides() {
        side.peer.call(json!({"op": "write", "query": signature, "value": value})).await;
        for other in world.sides() {
            assert!(same(&other.read(signature, &[], &[]).await, &value));
        }
        for format in keys {
            let client = world.builder(side).key_format(format).build().unwrap();
            let read: Json = client.read_from_cache(signature, Params::new()).await.unwrap().unwrap().json().unwrap();
            assert!(same(&read, &value));
        }
    }
}
