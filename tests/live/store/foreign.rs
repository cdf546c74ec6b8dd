//! Keys of the protocol with foreign data: calls end, answers are right, the key is cached again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use mrc_core::Tag;
use mrc_store::{Bound, CacheStore, Claim, Life, Policy, ScanPattern, Terms, Token};
use mrc_tests::{Redis, cases, unique};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::{LONG, alone, store, token};

/// Longer than the server can add up.
const AGES: &str = "9223372036854";
const VALUE: &[u8] = b"[1]";

#[derive(Debug, Clone, Default)]
enum Thing {
    #[default]
    Nothing,
    Text(&'static str),
    Of(&'static str),
    Index(Vec<(&'static str, &'static str)>),
}

/// The content, and whether it has a TTL, a long one.
type Foreign = (Thing, bool);

#[derive(Debug, Clone, Default)]
struct State {
    key: Foreign,
    lease: Foreign,
    copy: Foreign,
    tags: Foreign,
    index: Foreign,
    clock: Foreign,
}

fn thing(texts: &'static [&'static str]) -> impl Strategy<Value = Foreign> {
    let types = ["RPUSH {} a", "SADD {} a", "HSET {} a b", "ZADD {} 1 a", "XADD {} * a b"];
    let thing = prop_oneof![
        2 => Just(Thing::Nothing),
        4 => prop::sample::select(texts).prop_map(Thing::Text),
        3 => prop::sample::select(types.to_vec()).prop_map(Thing::Of),
    ];
    (thing, any::<bool>())
}

fn index() -> impl Strategy<Value = Foreign> {
    let scores = ["0", "5", "-inf", "inf", "1e300", "9007199254740993", "1763737000123456"];
    let members = ["", "KEY", "other", "mrc:b:1:ab", "mrc:f:3:abcd", "mrc:b:x"];
    let member = (prop::sample::select(members.to_vec()), prop::sample::select(scores.to_vec()));
    let index = prop::collection::vec(member, 1..4).prop_map(Thing::Index);
    prop_oneof![2 => thing(&["", "nonsense"]), 3 => (index, any::<bool>())]
}

fn state() -> impl Strategy<Value = State> {
    let key = thing(&["", " ", "\n", "\n ", "  ", "[7]", "[7] ", "[7]\n", "[7]\n ", "nonsense", "[", "nonsense "]);
    let lease = thing(&["", "foreign", "0123456789abcdef0123456789abcdeX"]);
    let copy = thing(&["", " ", "[7]", "[7]\n", "nonsense"]);
    let tags = thing(&["", "nonsense", "{}", "[]", r#"{"a":"b"}"#, r#"{"":1}"#, r#"{"a":1}"#]);
    let clock =
        thing(&["", "nonsense", "-5", "1e300", "nan", "inf", "99999999999999999999", "4000000000000000", " 7 "]);
    let state = |(key, lease, copy, tags, index, clock)| State { key, lease, copy, tags, index, clock };
    (key, lease, copy, tags, index(), clock).prop_map(state)
}

struct World<'a> {
    redis: &'a Redis,
    store: &'a dyn CacheStore,
    key: String,
    tag: Tag,
}

impl World<'_> {
    async fn put(&self, name: &str, (thing, ends): &Foreign) {
        match thing {
            Thing::Nothing => return,
            Thing::Text(text) => _ = self.redis.cli(&["SET", name, text]).await,
            Thing::Of(command) => {
                self.redis.cli(&["DEL", name]).await;
                let command: Vec<&str> =
                    command.split(' ').map(|word| if word == "{}" { name } else { word }).collect();
                self.redis.cli(&command).await;
            }
            Thing::Index(members) => {
                self.redis.cli(&["DEL", name]).await;
                for (member, score) in members {
                    let member = if *member == "KEY" { self.key.as_str() } else { *member };
                    self.redis.cli(&["ZADD", name, *score, member]).await;
                }
            }
        }
        if *ends {
            self.redis.cli(&["PEXPIRE", name, AGES]).await;
        }
    }

    async fn write(&self, state: &State) {
        let Self { key, .. } = self;
        self.put(key, &state.key).await;
        self.put(&format!("mrc:l:{{{key}}}"), &state.lease).await;
        self.put(&format!("mrc:s:{{{key}}}"), &state.copy).await;
        self.put(&format!("mrc:g:{{{key}}}"), &state.tags).await;
        self.put("mrc:clk", &state.clock).await;
        let name = self.redis.cli(&["EVAL", "return redis.sha1hex('0:' .. ARGV[1])", "0", self.tag.as_str()]).await;
        self.put(&format!("mrc:t:{{{}}}", name.trim()), &state.index).await;
    }

    /// Acts as a client's caller that computes [`VALUE`]. Returns whether it came from the cache.
    async fn read_through(&self, copy: bool) -> (Bytes, bool) {
        let Self { store, key, .. } = self;
        if let Some(value) = store.get(key).await.unwrap() {
            if value.starts_with(b"[") && value.ends_with(b"]") {
                return (value, true);
            }
            store.remove(&[Bytes::copy_from_slice(key.as_bytes())]).await.unwrap();
        }
        let claim = token();
        match store.claim(key, &claim, Terms::fill(LONG).copy(copy)).await.unwrap() {
            Claim::Hit(value) => return (value, true),
            Claim::Busy { .. } => {}
            Claim::Granted => {
                let since = store.now().await.unwrap();
                let tags = [(self.tag.clone(), since)].into_iter().collect();
                let stale = if copy { LONG } else { Duration::ZERO };
                store.fill(key, &claim, VALUE.into(), Life::from(LONG).stale(stale).tags(tags)).await.unwrap();
            }
        }
        (VALUE.into(), false)
    }

    /// Makes a call of each kind: none fails.
    async fn call(&self, which: usize, claim: &Token) {
        let Self { store, key, tag, .. } = self;
        match which {
            0 => _ = store.get(key).await.unwrap(),
            1 => _ = store.look(key).await.unwrap(),
            2 => _ = store.stale(key).await.unwrap(),
            3 => _ = store.claim(key, &token(), Terms::fill(LONG).copy(true)).await.unwrap(),
            4 => _ = store.claim(key, &token(), Terms::refresh(LONG)).await.unwrap(),
            5 => _ = store.fill(key, claim, VALUE.into(), LONG.into()).await.unwrap(),
            6 => _ = store.release(key, claim).await.unwrap(),
            7 => _ = store.ttl(key).await.unwrap(),
            8 => _ = store.now().await.unwrap(),
            9 => _ = store.invalidate(std::slice::from_ref(tag)).await.unwrap(),
            10 => _ = store.invalidate(&[tag.clone(), "another".into()]).await.unwrap(),
            11 => _ = store.scan(&ScanPattern::All).try_collect::<Vec<_>>().await.unwrap(),
            12 => store.put(key, VALUE.into(), LONG).await.unwrap(),
            _ => _ = store.remove(&[Bytes::copy_from_slice(key.as_bytes())]).await.unwrap(),
        }
    }

    async fn heals(&self, state: &State, calls: &[usize], copy: bool) -> Result<(), TestCaseError> {
        let Self { store, key, .. } = self;
        let claim = token();
        store.claim(key, &claim, Terms::fill(LONG).copy(true)).await.unwrap();
        self.write(state).await;
        for (at, call) in calls.iter().enumerate() {
            self.call(*call, &claim).await;
            if at == 0 {
                // Written once more in between: after one call has healed it, and for the next.
                self.write(state).await;
            }
        }

        self.redis.cli(&["DEL", key, &format!("mrc:l:{{{key}}}")]).await;
        self.write(state).await;
        let mut cached = None;
        for _ in 0..3 {
            let (value, hit) = self.read_through(copy).await;
            prop_assert!(value == VALUE || value == "[7]", "{:?}", value);
            cached = hit.then_some(value);
        }
        let text = format!("{state:?}");
        prop_assert!(cached.is_some(), "it is not cached again: {}", text);
        prop_assert!(store.ttl(key).await.unwrap().is_some());

        // A tag finds values that this cache has filled. Another program's values have none.
        store.remove(&[Bytes::copy_from_slice(key.as_bytes())]).await.unwrap();
        for _ in 0..2 {
            self.read_through(copy).await;
        }
        let filled = store.get(key).await.unwrap();
        prop_assert_eq!(filled.as_deref(), Some(VALUE));
        prop_assert_eq!(store.invalidate(std::slice::from_ref(&self.tag)).await.unwrap(), 1);
        prop_assert_eq!(store.get(key).await.unwrap(), None);
        prop_assert_eq!(store.stale(key).await.unwrap(), None);

        // No content lets a fill through that an invalidation has overtaken.
        let claim = token();
        let granted = store.claim(key, &claim, Terms::fill(LONG).copy(copy)).await.unwrap();
        prop_assert_eq!(granted, Claim::Granted);
        self.write(state).await;
        store.remove(&[Bytes::copy_from_slice(key.as_bytes())]).await.unwrap();
        self.put(key, &state.key).await;
        if !matches!(state.key.0, Thing::Text("" | "[7] " | "[7]\n " | "nonsense ")) {
            prop_assert!(!store.fill(key, &claim, "[0]".into(), LONG.into()).await.unwrap(), "{}", text);
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_keys_end_no_call_and_heal() {
    // A server of its own, because the clock is shared.
    let (redis, store) = alone().await;
    let runtime = tokio::runtime::Handle::current();
    let run = tokio::task::spawn_blocking(move || {
        let config = Config { cases: cases(60), failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
        let calls = prop::collection::vec(0..14_usize, 1..6);
        let outcome = TestRunner::new(config).run(&(state(), calls, any::<bool>()), |(state, calls, copy)| {
            let world = World { redis: &redis, store: &store, key: unique("k"), tag: unique("tag").into() };
            runtime.block_on(world.heals(&state, &calls, copy))
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    });
    run.await.unwrap();
}

#[tokio::test]
async fn a_foreign_key_is_as_good_as_absent() {
    let (redis, store) = alone().await;
    let world = World { redis: &redis, store: &store, key: "k".into(), tag: "a".into() };
    let list = || (Thing::Of("RPUSH {} a"), true);
    let check = async |state: State, tries: usize| {
        redis.cli(&["FLUSHALL"]).await;
        world.write(&state).await;
        for _ in 0..tries {
            assert_eq!(world.read_through(true).await, (VALUE.into(), false), "{state:?}");
        }
        assert_eq!(world.read_through(true).await, (VALUE.into(), true), "{state:?}");
        assert_eq!(store.stale("k").await.unwrap().unwrap().value, VALUE, "{state:?}");
        assert_eq!(store.invalidate(&["a".into()]).await.unwrap(), 1, "{state:?}");
    };
    check(State { key: list(), ..State::default() }, 1).await;
    check(State { key: (Thing::Text(" "), false), ..State::default() }, 1).await;
    check(State { key: (Thing::Text("\n "), false), ..State::default() }, 1).await;
    check(State { lease: list(), ..State::default() }, 1).await;
    check(State { copy: list(), ..State::default() }, 1).await;
    check(State { tags: list(), ..State::default() }, 1).await;
    check(State { clock: list(), ..State::default() }, 1).await;
    check(State { clock: (Thing::Text(r#"{"a":1}"#), false), ..State::default() }, 1).await;
    check(State { clock: (Thing::Text("1e300"), false), ..State::default() }, 1).await;
    // The index lost its epoch: a value computed meanwhile isn't stored, a later one is.
    check(State { index: list(), ..State::default() }, 2).await;
    check(State { index: (Thing::Index(vec![("", "1e300")]), false), ..State::default() }, 2).await;

    // A claim whose lease has lost its TTL, or was overwritten.
    for lease in ["0123456789abcdef0123456789abcdef", "foreign"] {
        let key = (Thing::Text(""), false);
        check(State { key, lease: (Thing::Text(lease), false), ..State::default() }, 1).await;
    }
    check(State { key: (Thing::Text(""), false), lease: list(), ..State::default() }, 1).await;
    let foreign = Thing::Text("foreign");
    check(State { key: (Thing::Text(""), false), lease: (foreign, true), ..State::default() }, 1).await;
}

#[tokio::test]
async fn a_foreign_part_of_a_structure_is_as_good_as_absent() {
    let redis = Redis::shared().await;
    let cache = Arc::new(store(&redis.url()));
    for policy in [Policy::LruT, Policy::Rr] {
        let namespace = unique("app");
        let view = Arc::clone(&cache).bounded(&namespace, &Bound::new(policy)).unwrap();
        let (key, tag) = (format!("{namespace}:f(1)"), unique("tag"));
        let world = World { redis: &redis, store: &*view, key: key.clone(), tag: tag.into() };
        let base = format!("{namespace}:{{{namespace}:{policy}}}");
        let lease = redis_lease(&format!("{base}:{key}"));
        let parts = [0, 1, 2, 3, 4].map(|part| format!("{base}:{part}"));
        for name in parts.iter().chain([&lease]) {
            for call in 0..14 {
                for command in ["RPUSH {} a", "SADD {} a", "HSET {} a b", "ZADD {} 1 a", "SET {} a"] {
                    view.put(&format!("{namespace}:other"), VALUE.into(), LONG).await.unwrap();
                    world.put(name, &(Thing::Of(command), true)).await;
                    world.call(call, &token()).await;
                    world.put(name, &(Thing::Of(command), true)).await;
                    // A member of the right type shows only when it is missed.
                    for _ in 0..2 {
                        world.read_through(false).await;
                    }
                    if call != 3 && call != 4 {
                        assert!(world.read_through(false).await.1, "{policy}: {name} after {command} and call {call}");
                    }
                    view.purge().await.unwrap();
                    redis.cli(&["DEL", &lease]).await;
                }
            }
        }
    }
}

/// Returns the key that holds the token of a field: its tag is a number, as the name has braces.
fn redis_lease(inner: &str) -> String {
    let slot = |text: &str| fred::util::redis_keyslot(text.as_bytes());
    let tag = (0_u32..).find(|number| slot(&number.to_string()) == slot(inner)).unwrap();
    format!("mrc:l:{{{tag}}}:{inner}")
}
