//! A cache shared with Python's simple-dep-cache: both read all, Rust invalidates Python's entries.

use std::time::Duration;

use mrc::compat::{PyValue, simple_dep_key};
use mrc::store::SimpleDepCache;
use mrc_tests::{Peer, Redis, RedisCluster, unique};
use serde_json::{Value as Json, json};

use crate::client::support::patient;

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const MODULE: &str = "app.users";

/// A cache with its own prefix, on both sides.
struct World {
    redis: Redis,
    prefix: String,
    ours: SimpleDepCache,
    theirs: Peer,
}

impl World {
    async fn open() -> Self {
        let (redis, prefix) = (Redis::shared().await, unique("dep"));
        let ours = SimpleDepCache::new(patient(&redis.url())).unwrap().prefix(&prefix);
        let theirs = Peer::simple_dep_cache(&redis.url()).await;
        Self { redis, prefix, ours, theirs }
    }

    /// Returns the result of the peer's decorated function, and whether it ran.
    async fn call(&self, args: &[Json], kwargs: &Json, value: &Json, deps: &[&str]) -> Json {
        let it = json!({"op": "call", "module": MODULE, "qualname": "f", "args": args, "kwargs": kwargs, "value": value,
            "ttl": 60, "deps": deps});
        self.ask(it).await
    }

    async fn ask(&self, mut request: Json) -> Json {
        request["prefix"] = self.prefix.as_str().into();
        self.theirs.call(request).await
    }

    async fn set_theirs(&self, key: &str, ttl: Option<u32>, dep: &str) {
        self.ask(json!({"op": "set", "key": key, "value": key, "ttl": ttl, "deps": [dep]})).await;
    }

    async fn get(&self, key: &str) -> Option<Json> {
        let value = self.ours.get(key).await.unwrap();
        value.map(|value| serde_json::from_slice(&value).unwrap())
    }

    /// Returns the TTL of a dependency's set, in seconds.
    async fn life(&self, dep: &str) -> i64 {
        self.redis.cli(&["TTL", &format!("{}:deps:{dep}", self.prefix)]).await.parse().unwrap()
    }
}

/// Returns calls as Python makes them. Our keys are the same.
pub(super) fn calls() -> Vec<(Vec<Json>, Json)> {
    vec![
        (vec![], json!({})),
        (vec![json!(123)], json!({})),
        (vec![json!("it's, é\n")], json!({})),
        (vec![json!(true), json!(false), Json::Null], json!({})),
        (vec![json!(1.5), json!(-0.0), json!(1e16), json!(1e-7), json!(1e22), json!(5.0)], json!({})),
        (vec![json!(u64::MAX), json!(i64::MIN)], json!({})),
        (vec![], json!({"z": 1, "b": "x", "a": null, "f": 0.1})),
        (vec![json!([1, "it's", [true, null]]), json!({"k": {"é": 1.0}})], json!({"n": ["\n\u{200b}\u{e000}"]})),
    ]
}

fn key((args, kwargs): &(Vec<Json>, Json)) -> String {
    let args: Vec<PyValue> = args.iter().cloned().map(PyValue::from).collect();
    let kwargs: Vec<(&str, PyValue)> =
        kwargs.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.clone().into())).collect();
    simple_dep_key(MODULE, "f", &args, &kwargs)
}

#[tokio::test]
async fn we_read_and_invalidate_the_values_of_python() {
    let world = World::open().await;
    for (at, call) in calls().iter().enumerate() {
        let (value, dep) = (json!({"at": at, "é": [1.5, null]}), format!("dep:{at}"));
        let run = async || world.call(&call.0, &call.1, &value, &[&dep, "all"]).await["ran"] == json!(true);
        assert!(run().await && !run().await, "{call:?}");
        assert_eq!(world.get(&key(call)).await, Some(value.clone()), "{call:?}");
        assert_eq!(world.ours.invalidate(&dep).await.unwrap(), 1);
        assert_eq!(world.ours.invalidate(&dep).await.unwrap(), 0);
        assert_eq!(world.get(&key(call)).await, None);
        assert!(run().await, "{call:?}");
    }
    assert_eq!(world.ours.invalidate("all").await.unwrap(), calls().len() as u64);
}

#[tokio::test]
async fn python_hits_and_invalidates_our_values() {
    let world = World::open().await;
    for (at, call) in calls().iter().enumerate() {
        let ours = json!([at, "é", 1.5, {"a": null}]);
        let theirs = async || world.call(&call.0, &call.1, &json!("theirs"), &[]).await;
        world.ours.set(&key(call), ours.to_string(), Some(MINUTE), &["ours"]).await.unwrap();
        assert_eq!(theirs().await, json!({"value": ours, "ran": false}), "{call:?}");
        assert_eq!(world.ask(json!({"op": "invalidate", "dep": "ours"})).await, json!(1));
        assert_eq!(theirs().await["ran"], json!(true), "{call:?}");
        assert!(world.ours.delete(&key(call)).await.unwrap() && !world.ours.delete(&key(call)).await.unwrap());
        assert_eq!(theirs().await["ran"], json!(true), "{call:?}");
    }
}

#[tokio::test]
async fn a_set_outlives_its_entries_in_any_order_of_writes() {
    let world = World::open().await;
    let set = async |key: &str, ttl, dep: &str| world.ours.set(key, "1", ttl, &[dep]).await.unwrap();
    let beyond = |life: i64| life > 1_000_000_000;

    // Without a TTL, then 1 min: with the peer alone the set would end with the second.
    set("for ever", None, "a").await;
    world.set_theirs("their minute", Some(60), "a").await;
    set("our minute", Some(MINUTE), "a").await;
    assert!(beyond(world.life("a").await));
    assert_eq!(world.redis.cli(&["TTL", &format!("{}:for ever", world.prefix)]).await, "-1");
    // 1 min, then without a TTL.
    world.set_theirs("b minute", Some(60), "b").await;
    set("b for ever", None, "b").await;
    assert!(beyond(world.life("b").await));
    // The peer's without a TTL, ours with 1 min, the peer's with 1 min.
    world.set_theirs("c for ever", None, "c").await;
    set("c ours", Some(MINUTE), "c").await;
    world.set_theirs("c minute", Some(60), "c").await;
    assert!(beyond(world.life("c").await));
    // The longest of both.
    set("d long", Some(MINUTE * 10), "d").await;
    set("d short", Some(MINUTE), "d").await;
    assert!((500..=600).contains(&world.life("d").await));
    set("d longer", Some(MINUTE * 20), "d").await;
    world.set_theirs("d theirs", Some(60), "d").await;
    assert!((1_100..=1_200).contains(&world.life("d").await));
    for (dep, entries) in [("a", 3), ("b", 2), ("c", 3), ("d", 4)] {
        assert_eq!(world.ours.invalidate(dep).await.unwrap(), entries, "{dep}");
        assert_eq!(world.life(dep).await, -2);
    }
}

#[tokio::test]
async fn x13_an_exception_is_data_and_none_can_be_planted() {
    let world = World::open().await;
    let raise = json!({"op": "call", "module": MODULE, "qualname": "f", "args": ["e"], "raises": "boom", "ttl": 60});
    assert_eq!(world.ask(raise.clone()).await, json!({"raised": "boom", "ran": true}));
    assert_eq!(world.ask(raise).await, json!({"raised": "boom", "ran": false}));
    let key = simple_dep_key(MODULE, "f", &["e".into()], &[]);
    let envelope = json!({"type": "cached_exception", "exception_class": "ValueError", "exception_module": "builtins",
        "message": "boom"});
    assert_eq!(world.get(&key).await, Some(envelope.clone()));
    assert!(world.ours.set("planted", envelope.to_string(), None, &[]).await.is_err());
    assert_eq!(world.get("planted").await, None);
}

#[tokio::test]
async fn nothing_is_none_and_falsy_values_are_values() {
    let world = World::open().await;
    let run = async |value: Json| {
        world.call(std::slice::from_ref(&value), &json!({}), &value, &[]).await["ran"] == json!(true)
    };
    let key = |value: &Json| simple_dep_key(MODULE, "f", &[value.clone().into()], &[]);
    for value in [json!(0), json!(false), json!(""), json!([])] {
        assert!(run(value.clone()).await && !run(value.clone()).await);
        assert_eq!(world.get(&key(&value)).await, Some(value));
    }
    // The value is written, and is a miss to the peer each time.
    assert!(run(Json::Null).await && run(Json::Null).await);
    assert_eq!(world.redis.cli(&["GET", &format!("{}:{}", world.prefix, key(&Json::Null))]).await, "null");
    assert_eq!(world.get(&key(&Json::Null)).await, None);
}

#[tokio::test]
async fn a_large_set_is_removed_at_once() {
    const ENTRIES: usize = 10_001;
    let world = World::open().await;
    let fill = format!(
        "for i = 1, {ENTRIES} do local k = KEYS[1] .. ':' .. i
         redis.call('SET', k, '1', 'EX', 60) redis.call('SADD', KEYS[1] .. ':deps:many', k) end return 'filled'"
    );
    assert_eq!(world.redis.cli(&["EVAL", &fill, "1", &world.prefix]).await, "filled");
    assert_eq!(world.ours.invalidate("many").await.unwrap(), ENTRIES as u64);
    assert_eq!(world.redis.cli(&["KEYS", &format!("{}:*", world.prefix)]).await, "");
}

#[tokio::test]
async fn a_cluster_keeps_entries_and_sets_apart() {
    let (cluster, prefix) = (RedisCluster::shared().await, unique("dep"));
    let cache = SimpleDepCache::new(patient(&cluster.url())).unwrap().prefix(&prefix);
    let keys: Vec<String> = (0..50).map(|at| at.to_string()).collect();
    for key in &keys {
        cache.set(key, key.clone(), Some(MINUTE), &["all", "some"]).await.unwrap();
    }
    assert_eq!(cache.get("7").await.unwrap().unwrap(), "7");
    assert!(cache.delete("7").await.unwrap() && cache.get("7").await.unwrap().is_none());
    assert_eq!(cache.invalidate("all").await.unwrap(), 49);
    for key in &keys {
        assert_eq!(cache.get(key).await.unwrap(), None, "{key}");
    }
    assert_eq!(cache.invalidate("some").await.unwrap(), 0);
    for node in cluster.nodes() {
        assert_eq!(node.cli(&["KEYS", &format!("{prefix}:*")]).await, "");
    }
}
