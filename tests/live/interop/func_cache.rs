//! A bounded cache shared with Python's redis_func_cache: its entries, order, maximum and purge.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mrc::compat::{FuncCacheHash, FuncCall, PyValue};
use mrc::config::{CacheBuilder, OnError};
use mrc::errors::StoreError;
use mrc::key::FunctionKey;
use mrc::store::{Claim, FuncCache, Life, RedisStore, Sliding, Terms, Token};
use mrc::{Bound, Cache, Error, Policy, Spec, Tag};
use mrc_tests::{Peer, Redis, RedisCluster, unique};
use serde_json::{Value as Json, json};

use super::simple_dep::{MINUTE, MODULE, calls};
use crate::client::support::{HOUR, patient, until};

struct World {
    redis: Redis,
    store: Arc<RedisStore>,
    theirs: Arc<Peer>,
}

impl World {
    async fn open() -> Self {
        let redis = Redis::shared().await;
        let (store, theirs) = Self::on(&redis.url()).await;
        Self { redis, store, theirs }
    }

    async fn on(url: &str) -> (Arc<RedisStore>, Arc<Peer>) {
        (Arc::new(RedisStore::new(patient(url)).unwrap()), Arc::new(Peer::redis_func_cache(url).await))
    }

    fn cache(&self, policy: Policy, layout: Layout, max: usize) -> Shared {
        Shared::new((self.store.clone(), self.theirs.clone()), policy, layout, max)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Layout {
    Single,
    Multiple,
    Cluster,
    ClusterMultiple,
}

impl Layout {
    const ALL: [Self; 4] = [Self::Single, Self::Multiple, Self::Cluster, Self::ClusterMultiple];

    fn is_per_function(self) -> bool {
        matches!(self, Self::Multiple | Self::ClusterMultiple)
    }

    fn of(self, bound: Bound) -> Bound {
        match self {
            Self::Single => bound.func_cache(FuncCache::single()),
            Self::Multiple => bound.per_function().func_cache(FuncCache::single()),
            Self::Cluster => bound.func_cache(FuncCache::cluster()),
            Self::ClusterMultiple => bound.per_function().func_cache(FuncCache::cluster()),
        }
    }

    fn class(self, policy: Policy) -> String {
        let policy = match policy {
            Policy::Lru => "Lru",
            Policy::LruT => "LruT",
            Policy::Mru => "Mru",
            Policy::Fifo => "Fifo",
            Policy::FifoT => "FifoT",
            Policy::Lfu => "Lfu",
            _ => "Rr",
        };
        let layout = if self == Self::Single { String::new() } else { format!("{self:?}") };
        format!("{policy}{layout}Policy")
    }
}

/// One cache with its own name, on both sides.
struct Shared {
    ours: Cache,
    theirs: Arc<Peer>,
    /// The description of the cache for the peer.
    cache: Json,
    layout: Layout,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    Rust,
    Python,
}

use Who::{Python, Rust};

impl Shared {
    fn new((store, theirs): (Arc<RedisStore>, Arc<Peer>), policy: Policy, layout: Layout, max: usize) -> Self {
        let name = unique("nm");
        let bound = layout.of(Bound::new(policy).max(max).ttl(Sliding(3600)));
        let ours = CacheBuilder::shared(store).namespace(&name).bound(bound).ttl(MINUTE).on_error(OnError::Fail);
        let cache = json!({"name": name, "policy": layout.class(policy), "maxsize": max});
        Self { ours: ours.jitter(0.0).build().unwrap(), theirs, cache, layout }
    }

    /// Asks the peer for an operation, with fields besides those of the cache.
    async fn ask(&self, request: &Json) -> Json {
        let mut all = self.cache.clone();
        all.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
        self.theirs.call(all).await
    }

    /// Returns the result of the peer's function, and whether the function ran.
    async fn their_call(&self, args: &[Json], kwargs: &Json, value: &Json, mode: &Json) -> Json {
        let it = json!({"op": "call", "module": MODULE, "qualname": "f", "args": args, "kwargs": kwargs, "value": value,
            "mode": mode});
        self.ask(&it).await
    }

    /// Returns the same call with our names.
    async fn spec(&self, args: &[Json], kwargs: &Json, hash: FuncCacheHash) -> Spec {
        let call = args.iter().cloned().map(PyValue::from).fold(FuncCall::new(MODULE, "f"), FuncCall::arg);
        let kwargs = kwargs.as_object().unwrap().iter();
        let mut call = kwargs.fold(call, |call, (name, value)| call.kwarg(name, value.clone())).hash(hash);
        if self.layout.is_per_function() {
            let answer = self.their_call(&[], &json!({}), &Json::Null, &json!({"read": false, "write": false})).await;
            let key = answer["keys"][0].as_str().unwrap();
            let checksum = key.rsplit_once('#').unwrap().1.trim_end_matches(":0");
            call = call.checksum(checksum.trim_matches(['{', '}'])).unwrap();
        }
        call.into()
    }

    async fn call(&self, id: u64) -> Spec {
        self.spec(&[json!(id)], &json!({}), FuncCacheHash::default()).await
    }

    /// Calls the function, which stores `[who, id]` on a miss. Returns whether the function ran.
    async fn runs(&self, who: Who, id: u64) -> bool {
        let value = json!([format!("{who:?}"), id]);
        let (found, ran) = match who {
            Rust => {
                let ran = AtomicBool::new(false);
                let work = async || {
                    ran.store(true, Ordering::SeqCst);
                    Ok::<_, Error>(value.clone())
                };
                let found = self.ours.get_or_try(self.call(id).await, work).await.unwrap();
                (found, ran.into_inner())
            }
            Python => {
                let answer = self.their_call(&[json!(id)], &json!({}), &value, &json!({})).await;
                (answer["value"].clone(), answer["ran"] == true)
            }
        };
        // The value may be of either side.
        assert!(found == value || (!ran && found[1] == id), "{who:?} {id}: {found}");
        ran
    }

    async fn purge(&self, who: Who) {
        match who {
            Rust => drop(self.ours.clear().await.unwrap()),
            Python => drop(self.ask(&json!({"op": "purge"})).await),
        }
    }

    /// Returns the number of entries, on which both sides must agree.
    async fn len(&self) -> u64 {
        let len = self.ours.len().await.unwrap();
        if !self.layout.is_per_function() {
            assert_eq!(self.size().await, len);
        }
        len
    }

    async fn size(&self) -> u64 {
        self.ask(&json!({"op": "size"})).await.as_u64().unwrap()
    }

    /// Returns the name of a part of the structure that all functions share.
    fn part(&self, number: u8) -> String {
        let (name, class) = (self.ours.namespace(), self.cache["policy"].as_str().unwrap());
        assert_eq!(class, "LruTPolicy");
        format!("func-cache:{name}:lru_t:{number}")
    }
}

/// Each side stores and the other hits, in this cache. Each empties it, and the other runs.
async fn shares(cache: &Shared) {
    for (one, other) in [(Rust, Python), (Python, Rust)] {
        assert!(
            cache.runs(one, 1).await && !cache.runs(other, 1).await && !cache.runs(one, 1).await,
            "{}",
            cache.cache
        );
        for who in [one, other] {
            assert!(cache.runs(who, 2).await, "{}", cache.cache);
            assert_eq!(cache.len().await, 2, "{}", cache.cache);
            cache.purge(one).await;
            assert_eq!(cache.len().await, 0, "{}", cache.cache);
            assert!(cache.runs(other, 1).await, "{}", cache.cache);
        }
        cache.purge(other).await;
    }
}

#[tokio::test]
async fn both_hit_and_clear_the_entries_of_the_other() {
    let world = World::open().await;
    for policy in Policy::ALL {
        for layout in Layout::ALL {
            shares(&world.cache(policy, layout, 10)).await;
        }
    }
}

#[tokio::test]
async fn in_a_cluster_too() {
    let world = World::on(&RedisCluster::shared().await.url()).await;
    for policy in Policy::ALL {
        shares(&Shared::new(world.clone(), policy, Layout::Cluster, 10)).await;
        // The peer's purge finds nothing there.
        let cache = Shared::new(world.clone(), policy, Layout::ClusterMultiple, 10);
        assert!(cache.runs(Rust, 1).await && !cache.runs(Python, 1).await);
        assert!(cache.runs(Python, 2).await && !cache.runs(Rust, 2).await);
        cache.purge(Rust).await;
        assert!(cache.runs(Python, 1).await && cache.runs(Rust, 2).await);
    }
}

#[tokio::test]
async fn calls_of_all_kinds_are_one_by_every_hash() {
    let odd = (vec![json!("it's \"é😀\"\n\u{7f}\u{2028}/\\")], json!({}));
    let calls: Vec<_> = calls().into_iter().chain([odd]).collect();
    let world = World::open().await;
    for hash in FuncCacheHash::ALL {
        let mut cache = world.cache(Policy::LruT, Layout::Single, 100);
        cache.cache["hash"] = format!("{hash:?}").into();
        for (at, (args, kwargs)) in calls.iter().enumerate() {
            let (theirs, spec) = (json!({"é": [at, 1.5, null]}), cache.spec(args, kwargs, hash).await);
            assert_eq!(cache.their_call(args, kwargs, &theirs, &json!({})).await["ran"], true);
            assert_eq!(cache.ours.get::<Json>(spec.clone()).await.unwrap(), Some(theirs), "{hash:?} {args:?} {kwargs}");
            assert!(cache.ours.remove(spec.clone()).await.unwrap());
            assert!(cache.ours.set(spec, &json!(["ours", at])).await.unwrap());
            let answer = cache.their_call(args, kwargs, &Json::Null, &json!({})).await;
            assert_eq!((&answer["value"], &answer["ran"]), (&json!(["ours", at]), &json!(false)), "{hash:?} {args:?}");
        }
        assert_eq!(cache.len().await, calls.len() as u64);
    }
}

#[tokio::test]
async fn nothing_is_a_value() {
    let world = World::open().await;
    let cache = world.cache(Policy::Lru, Layout::Single, 10);
    for (id, value) in [json!(null), json!(0), json!(false), json!(""), json!([])].into_iter().enumerate() {
        let (args, spec) = ([json!(id)], cache.call(id as u64).await);
        let theirs = async || cache.their_call(&args, &json!({}), &value, &json!({})).await["ran"] == true;
        assert!(theirs().await && !theirs().await);
        assert_eq!(cache.ours.get::<Json>(spec.clone()).await.unwrap(), Some(value.clone()));
        assert!(cache.ours.set(spec, &value).await.unwrap() && !theirs().await);
    }
}

#[tokio::test]
async fn a_function_with_a_bound_of_its_own_needs_its_checksum() {
    let world = World::open().await;
    for layout in [Layout::Multiple, Layout::ClusterMultiple] {
        let cache = world.cache(Policy::Lru, layout, 10);
        let call = FunctionKey::from(FuncCall::new(MODULE, "f").arg(1));
        let Err(Error::Store(refused)) = cache.ours.set(call, &1).await else { panic!("it was stored") };
        assert!(matches!(*refused, StoreError::Config(_)), "{refused}");
    }
}

#[tokio::test]
async fn both_share_one_maximum() {
    let world = World::open().await;
    for policy in Policy::ALL {
        let cache = world.cache(policy, Layout::Single, 4);
        for id in 0..20 {
            assert!(cache.runs(if id % 3 == 0 { Rust } else { Python }, id).await, "{policy} {id}");
            assert_eq!(cache.len().await, 4.min(id + 1), "{policy} {id}");
        }
        for id in (0..20).rev() {
            cache.runs(if id % 2 == 0 { Rust } else { Python }, id).await;
            assert_eq!(cache.len().await, 4, "{policy} {id}");
        }
    }
}

/// Both store three entries; `user` uses 0 twice; `storer` adds a fourth. Returns the evicted one.
async fn goes(world: &World, policy: Policy, user: Who, storer: Who) -> u64 {
    let cache = world.cache(policy, Layout::Single, 3);
    for (id, who) in [Rust, Python, Rust].into_iter().enumerate() {
        assert!(cache.runs(who, id as u64).await);
    }
    assert!(!cache.runs(user, 0).await && !cache.runs(user, 0).await);
    assert!(cache.runs(storer, 3).await);
    let mut gone = Vec::new();
    for id in 0..4 {
        if cache.ours.get::<Json>(cache.call(id).await).await.unwrap().is_none() {
            gone.push(id);
        }
    }
    assert_eq!(gone.len(), 1, "{policy} {gone:?}");
    gone[0]
}

#[tokio::test]
async fn a_use_by_either_process_counts() {
    let world = World::open().await;
    for (user, storer) in [(Rust, Rust), (Rust, Python), (Python, Rust), (Python, Python)] {
        for policy in [Policy::Lru, Policy::LruT] {
            assert_eq!(goes(&world, policy, user, storer).await, 1, "{policy} {user:?} {storer:?}");
        }
        for policy in [Policy::Fifo, Policy::FifoT] {
            assert_eq!(goes(&world, policy, user, storer).await, 0, "{policy} {user:?} {storer:?}");
        }
        // LFU evicts one of those with one use: the one with the first field.
        assert_ne!(goes(&world, Policy::Lfu, user, storer).await, 0, "{user:?} {storer:?}");
        // Their MRU evicts the least recently used entry.
        let expect = if storer == Rust { 0 } else { 1 };
        assert_eq!(goes(&world, Policy::Mru, user, storer).await, expect, "{user:?} {storer:?}");
    }
}

#[tokio::test]
async fn a_claim_of_ours_is_a_miss_to_them() {
    let world = World::open().await;
    for policy in Policy::ALL {
        let cache = world.cache(policy, Layout::Single, 3);
        let fill = async || {
            assert_eq!((cache.size().await, cache.ours.len().await?), (1, 0), "the claim is a field");
            assert!(cache.runs(Python, 1).await);
            Ok::<_, Error>(json!("ours"))
        };
        assert_eq!(cache.ours.get_or_try(cache.call(1).await, fill).await.unwrap(), "ours");
        // The peer was first.
        let value: Option<Json> = cache.ours.get(cache.call(1).await).await.unwrap();
        assert_eq!(value, Some(json!(["Python", 1])));
        assert_eq!(cache.len().await, 1);
    }
}

#[tokio::test]
async fn their_purge_ends_a_fill() {
    let world = World::open().await;
    for layout in Layout::ALL {
        let cache = world.cache(Policy::LruT, layout, 3);
        let fill = async || {
            cache.purge(Python).await;
            Ok::<_, Error>(json!("before the purge"))
        };
        cache.ours.get_or_try(cache.call(1).await, fill).await.unwrap();
        assert_eq!(cache.len().await, 0);
        assert!(cache.runs(Python, 1).await && !cache.runs(Rust, 1).await);
    }
}

#[tokio::test]
async fn their_purge_ends_a_refresh() {
    let world = World::open().await;
    let cache = world.cache(Policy::LruT, Layout::Single, 3);
    assert!(cache.runs(Rust, 1).await);
    let (key, token) = (cache.ours.key(cache.call(1).await).unwrap(), Token::from_bits(1));
    let claim = async || cache.ours.store().claim(key.as_str(), &token, Terms::refresh(MINUTE)).await.unwrap();
    let fill = async || {
        let life = Life::from(MINUTE);
        cache.ours.store().fill(key.as_str(), &token, "\"anew\"".into(), life).await.unwrap()
    };
    assert_eq!(claim().await, Claim::Granted);
    cache.purge(Python).await;
    assert!(!fill().await);
    assert!(cache.runs(Python, 1).await && !fill().await);
    assert!(cache.ours.store().release(key.as_str(), &token).await.unwrap());
    // Without a purge the fill is stored.
    assert_eq!(claim().await, Claim::Granted);
    assert!(fill().await);
    let answer = cache.their_call(&[json!(1)], &json!({}), &Json::Null, &json!({})).await;
    assert_eq!((&answer["value"], &answer["ran"]), (&json!("anew"), &json!(false)));
}

#[tokio::test]
async fn marks_are_json_to_them() {
    let world = World::open().await;
    let cache = world.cache(Policy::LruT, Layout::Single, 3);
    let ends_in = async || {
        let bytes = "local values = redis.call('HVALS', KEYS[1]) return {string.byte(values[1], -2, -1)}";
        world.redis.cli(&["EVAL", bytes, "1", &cache.part(1)]).await
    };
    let spec = cache.call(1).await.tag(cache.ours.namespace().to_owned());
    let key = cache.ours.key(spec.clone()).unwrap();
    assert!(cache.ours.set(spec.clone(), &json!(["Rust", 1])).await.unwrap());
    assert_eq!(ends_in().await, format!("{}\n{}", u32::from(']'), u32::from('\n')));
    assert!(!cache.runs(Python, 1).await);
    let claim = cache.ours.store().claim(key.as_str(), &Token::from_bits(1), Terms::refresh(MINUTE)).await.unwrap();
    assert_eq!(claim, Claim::Granted);
    assert_eq!(ends_in().await, format!("{}\n{}", u32::from('\n'), u32::from(' ')));
    assert!(!cache.runs(Python, 1).await && !cache.runs(Rust, 1).await);
}

#[tokio::test]
async fn our_tags_invalidate_entries_of_the_peer() {
    let world = World::open().await;
    let cluster = World::on(&RedisCluster::shared().await.url()).await;
    let here = || Layout::ALL.map(|layout| world.cache(Policy::LruT, layout, 3));
    let there = [Layout::Cluster, Layout::ClusterMultiple].map(|it| Shared::new(cluster.clone(), Policy::LruT, it, 3));
    for cache in here().into_iter().chain(there) {
        let tag = Tag::new(format!("user:{}", cache.ours.namespace()));
        let fill = async || Ok::<_, Error>(json!(["Rust", 1]));
        cache.ours.get_or_try(cache.call(1).await.tag(tag.clone()), fill).await.unwrap();
        assert!(cache.runs(Rust, 2).await);
        assert!(!cache.runs(Python, 1).await && !cache.runs(Python, 2).await);
        assert_eq!(cache.ours.invalidate(tag.clone()).await.unwrap(), 1);
        assert!(cache.runs(Python, 1).await && !cache.runs(Python, 2).await);
        // Entries that the peer stored since have no tags.
        assert_eq!(cache.ours.invalidate(tag).await.unwrap(), 0);
        assert!(!cache.runs(Python, 1).await);
    }
}

#[tokio::test]
async fn our_ttl_ends_an_entry_for_us_and_in_time_for_them() {
    let world = World::open().await;
    let cache = world.cache(Policy::LruT, Layout::Single, 3);
    assert!(cache.runs(Python, 2).await);
    assert!(cache.ours.set(cache.call(1).await.ttl(Duration::from_millis(100)), &json!(["Rust", 1])).await.unwrap());
    ends(&world, &cache, async || {}).await;
    // Only a server that expires fields itself hides it before our first script.
    let ends_fields = !world.redis.cli(&["COMMAND", "INFO", "HPEXPIRE"]).await.trim().is_empty();
    if !ends_fields {
        assert!(!cache.runs(Python, 1).await);
    }
    assert!(cache.ours.get::<Json>(cache.call(1).await).await.unwrap().is_none());
    assert_eq!(cache.len().await, 1);
    assert!(cache.runs(Python, 1).await);
    // The peer's entries live as long as the structure.
    assert!(cache.ours.ttl(cache.call(2).await).await.unwrap() > Some(HOUR - MINUTE));
}

#[tokio::test]
async fn an_end_stays_while_only_the_peer_uses_the_entry() {
    let world = World::open().await;
    let bound = Layout::Single.of(Bound::new(Policy::LruT).ttl(Sliding(Duration::from_secs(1))));
    let mut cache = world.cache(Policy::LruT, Layout::Single, 1_024);
    let ours = CacheBuilder::shared(world.store.clone()).namespace(cache.ours.namespace()).bound(bound).jitter(0.0);
    cache.ours = ours.build().unwrap();
    // This starts the peer's process.
    cache.purge(Python).await;
    assert!(cache.ours.set(cache.call(1).await.ttl(Duration::from_secs(3)), &json!(["Rust", 1])).await.unwrap());
    ends(&world, &cache, async || _ = cache.runs(Python, 1).await).await;
    assert_eq!(world.redis.cli(&["EXISTS", &cache.part(2)]).await, "0");
    let found: Option<Json> = cache.ours.get(cache.call(1).await).await.unwrap();
    assert_ne!(found, Some(json!(["Rust", 1])));
}

#[tokio::test]
async fn their_entries_do_not_expire_like_ours() {
    let world = World::open().await;
    let cache = world.cache(Policy::LruT, Layout::Single, 3);
    assert!(cache.ours.set(cache.call(1).await.ttl(Duration::from_millis(300)), &json!(["Rust", 1])).await.unwrap());
    cache.purge(Python).await;
    assert!(cache.runs(Python, 1).await);
    ends(&world, &cache, async || {}).await;
    assert_eq!(cache.ours.get::<Json>(cache.call(1).await).await.unwrap(), Some(json!(["Python", 1])));
    assert!(cache.ours.ttl(cache.call(1).await).await.unwrap() > Some(HOUR - MINUTE));
    assert_eq!(cache.len().await, 1);
    assert!(!cache.runs(Python, 1).await);
}

/// Waits until our last entry has expired by the server's clock, and calls `meanwhile` until then.
async fn ends(world: &World, cache: &Shared, mut meanwhile: impl AsyncFnMut()) {
    let last = world.redis.cli(&["ZRANGE", &cache.part(2), "-1", "-1", "WITHSCORES"]).await;
    let end: f64 = last.lines().last().unwrap().parse().unwrap();
    until(async || {
        meanwhile().await;
        let time = world.redis.cli(&["TIME"]).await;
        let time: Vec<f64> = time.lines().map(|part| part.parse().unwrap()).collect();
        time[0] * 1e3 + time[1] / 1e3 > end
    })
    .await;
}
