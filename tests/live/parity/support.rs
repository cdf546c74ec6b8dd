//! The tools of these tests: places for entries, events of caches, functions that report runs.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use mrc::config::{CacheBuilder, Codec, RedisConfig};
use mrc::store::{CacheStore, RedisStore};
use mrc::{Bound, Cache, Event, EventListener, MemoryStore, Policy, Spec, Tag};
use mrc_tests::{Redis, RedisCluster, unique};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use crate::client::support::{HOUR, guarded, impatient, patient, until};

/// The place of a test's entries: in memory, or in a Redis.
pub(super) struct Place {
    kind: Kind,
    /// The prefix of all its keys; empty in memory.
    pub(super) prefix: String,
    pub(super) heard: Heard,
}

enum Kind {
    Memory(Arc<MemoryStore>),
    Redis(Box<RedisConfig>),
}

impl Place {
    pub(super) fn memory() -> Self {
        Self { kind: Kind::Memory(Arc::default()), prefix: String::new(), heard: Heard::default() }
    }

    /// Returns a place on this Redis, with its own prefix.
    pub(super) fn redis(config: RedisConfig) -> Self {
        let prefix = unique("p") + ":";
        Self { kind: Kind::Redis(Box::new(config.prefix(&prefix))), prefix, heard: Heard::default() }
    }

    /// Returns a place on the Redis of all tests.
    pub(super) async fn shared() -> Self {
        Self::redis(patient(&Redis::shared().await.url()))
    }

    pub(super) async fn cluster() -> Self {
        Self::redis(patient(&RedisCluster::shared().await.url()))
    }

    /// Returns a cache of the namespace `app`. In Redis each cache has its own connections.
    pub(super) fn cache(&self) -> Cache {
        self.namespace("app")
    }

    pub(super) fn namespace(&self, name: &str) -> Cache {
        self.builder(name).build().unwrap()
    }

    pub(super) fn bounded(&self, bound: Bound) -> Cache {
        self.builder("app").bound(bound).build().unwrap()
    }

    pub(super) fn builder(&self, namespace: &str) -> CacheBuilder {
        let builder = match &self.kind {
            Kind::Memory(store) => CacheBuilder::shared(store.clone()),
            Kind::Redis(config) => CacheBuilder::new(RedisStore::new(RedisConfig::clone(config)).unwrap()),
        };
        builder.namespace(namespace).jitter(0.0).on_event(self.heard.clone())
    }

    /// Returns the store without a cache, as others see it.
    pub(super) fn store(&self) -> Arc<dyn CacheStore> {
        match &self.kind {
            Kind::Memory(store) => store.clone(),
            Kind::Redis(config) => Arc::new(RedisStore::new(RedisConfig::clone(config)).unwrap()),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self.kind, Kind::Memory(_)) { "memory" } else { "Redis" })
    }
}

/// Prints the store on which a test fails.
impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the store was: {self:?}");
        }
    }
}

pub(super) async fn on_every_store(test: impl AsyncFn(&Place)) {
    for place in [Place::memory(), Place::shared().await] {
        guarded(test(&place)).await;
    }
}

/// Returns whether a call runs its function.
pub(super) async fn runs(cache: &Cache, spec: impl Into<Spec>) -> bool {
    runs_with(cache, spec, async || {}).await
}

pub(super) async fn runs_with(cache: &Cache, spec: impl Into<Spec>, work: impl AsyncFnOnce()) -> bool {
    let ran = AtomicBool::new(false);
    cache
        .get_or(spec, async || {
            work().await;
            ran.store(true, Ordering::SeqCst);
        })
        .await;
    ran.into_inner()
}

/// Checks that the value is computed once, and that a hit returns the same.
pub(super) async fn survives<T>(cache: &Cache, value: T)
where
    T: Serialize + DeserializeOwned + Clone + PartialEq + Debug,
{
    let name = format!("{value:?}");
    for expect_run in [true, false] {
        let mut ran = false;
        let got = cache
            .get_or(name.as_str(), async || {
                ran = true;
                value.clone()
            })
            .await;
        assert_eq!((&got, ran), (&value, expect_run));
    }
    assert_eq!(cache.get::<T>(name.as_str()).await.unwrap(), Some(value));
}

pub(super) async fn empty_values_are_hits(cache: &Cache) {
    survives(cache, None::<u32>).await;
    survives(cache, ()).await;
    survives(cache, 0).await;
    survives(cache, 0.0).await;
    survives(cache, false).await;
    survives(cache, String::new()).await;
    survives(cache, Vec::<u32>::new()).await;
    survives(cache, BTreeMap::<String, u32>::new()).await;
    survives(cache, Value::Null).await;
}

/// A type without a text. Nor can a closure be stored: that is a compiler error.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Unwritable(pub(super) u32);

impl Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it can't be written"))
    }
}

pub(super) fn tag(name: &str) -> Tag {
    Tag::new(name)
}

/// The events of caches, in order, each with its fields but no durations: `"miss app:f"`.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Returns whether there was such an event since the last [`take`](Self::take).
    pub(super) fn has(&self, event: &str) -> bool {
        self.0.lock().unwrap().iter().any(|heard| heard == event)
    }
}

impl EventListener for Heard {
    fn on_event(&self, event: &Event<'_>) {
        let fields = match event {
            Event::Hit { key, bytes, .. } => format!("{key} {bytes}"),
            Event::Filled { key, ttl, bytes, tags } => format!("{key} {bytes} {ttl:?} {tags:?}"),
            Event::Miss { key }
            | Event::Followed { key, .. }
            | Event::Computed { key, .. }
            | Event::Refused { key } => (*key).to_owned(),
            Event::Failed { key, error, .. } => format!("{key} {error}"),
            Event::BadValue { key, .. } => (*key).to_owned(),
            Event::Bypassed { key, why } => format!("{key} {}", why.name()),
            Event::Removed { key, existed } => format!("{key} {existed}"),
            Event::Invalidated { tags, entries } => format!("{tags:?} {entries}"),
            Event::Dropped { entries, .. } | Event::Evicted { entries } => entries.to_string(),
            _ => return,
        };
        self.0.lock().unwrap().push(format!("{} {fields}", event.name()));
    }
}

/// Returns every policy, each for all functions together and for each function alone.
pub(super) fn bounds() -> impl Iterator<Item = Bound> {
    Policy::ALL.into_iter().flat_map(|policy| [Bound::new(policy), Bound::new(policy).per_function()])
}

pub(super) async fn on_every_bound(test: impl AsyncFn(&Place, Bound)) {
    for bound in bounds() {
        // The last line is that of a failure.
        eprintln!("{bound:?}");
        on_every_store(async |place| test(place, bound.clone()).await).await;
    }
}

pub(super) fn f(x: u32) -> Spec {
    Spec::of("f").param("x", x)
}

/// Calls `f` with each argument, and returns those for which it ran.
pub(super) async fn ran(cache: &Cache, arguments: impl IntoIterator<Item = u32>) -> Vec<u32> {
    let mut ran = Vec::new();
    for x in arguments {
        if runs(cache, f(x)).await {
            ran.push(x);
        }
    }
    ran
}

/// Returns the arguments below `count` whose calls have an entry. The check doesn't count as a use.
pub(super) async fn kept(cache: &Cache, count: u32) -> Vec<u32> {
    let mut kept = Vec::new();
    for x in 0..count {
        if cache.contains(f(x)).await.unwrap() {
            kept.push(x);
        }
    }
    kept
}

pub(super) fn codecs() -> Vec<Codec> {
    ["json", "msgpack", "cbor"].iter().filter_map(|name| name.parse().ok()).collect()
}
