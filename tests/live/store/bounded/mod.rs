//! Views with a bound, on every kind of server. Changes by others, and expired parts, leave no
//! ghosts and no orphans.

mod property;
mod stops;

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use mrc_core::Event;
use mrc_store::conformance::store::{bounded_store_tests, bounded_suite, refuses_calls_after_close};
use mrc_store::{Bound, CacheStore, Claim, FuncCache, Life, MemoryStore, Policy, RedisStore, Sliding, Terms};
use mrc_tests::{Redis, RedisCluster, unique};

use super::{LONG, patient, store, token};

async fn passes(store: impl CacheStore) {
    let store: Arc<dyn CacheStore> = Arc::new(store);
    let bounds = [
        Bound::new(Policy::Lru).max(100_000),
        Bound::new(Policy::Rr).max(100_000),
        Bound::new(Policy::Lru).max(100_000).per_function(),
        Bound::new(Policy::Lru).max(100_000).shards(NonZeroU16::new(5).unwrap()),
        Bound::new(Policy::Lfu).max(100_000).ttl(Sliding(3_600)),
    ];
    let rules = bounds.into_iter().map(|bound| {
        let view = Arc::clone(&store).bounded(&unique("app"), &bound).unwrap();
        async move {
            for test in bounded_store_tests() {
                eprintln!("{test:?} {bound:?}");
                test.run(&*view, &unique("suite")).await;
            }
        }
    });
    join(join_all(rules), bounded_suite(&store, &unique("app"))).await;
    let view = store.bounded(&unique("app"), &Bound::new(Policy::Lru)).unwrap();
    refuses_calls_after_close(&*view).await;
}

#[tokio::test]
async fn memory() {
    passes(MemoryStore::new()).await;
}

#[tokio::test]
async fn one_server() {
    passes(store(&Redis::shared().await.url())).await;
}

#[tokio::test]
async fn a_prefix() {
    let store = RedisStore::new(patient(&Redis::shared().await.url()).prefix("a*[b]?:")).unwrap();
    bounded_suite(&(Arc::new(store) as Arc<dyn CacheStore>), &unique("app")).await;
}

#[tokio::test]
async fn cluster() {
    passes(store(&RedisCluster::shared().await.url())).await;
}

struct Parts {
    redis: Redis,
    keys: [String; 5],
}

impl Parts {
    fn new(redis: &Redis, namespace: &str, policy: Policy) -> Self {
        let keys = [0, 1, 2, 3, 4].map(|part| format!("{namespace}:{{{namespace}:{policy}}}:{part}"));
        Self { redis: redis.clone(), keys }
    }

    async fn ask(&self, lua: &str) -> String {
        let keys = self.keys.each_ref().map(String::as_str);
        self.redis.cli(&[&["EVAL", lua, "5"], &keys[..]].concat()).await
    }

    /// Checks that no entry is in one part only, and that none stays forever.
    async fn are_whole(&self, max: usize, when: &str) {
        let found = self.ask(include_str!("whole.lua")).await;
        let Some(size) = found.strip_prefix("whole ") else { panic!("{when}: {found}") };
        assert!(size.parse::<usize>().unwrap() <= max, "{when}: {size} entries of at most {max}");
    }
}

/// Returns a full structure, with an entry that has a tag, and a claim beside the entries.
async fn full(view: &Arc<dyn CacheStore>, namespace: &str) -> mrc_store::Token {
    let (tag, claim) = (format!("{namespace}:tag").into(), token());
    let tags = [(tag, view.now().await.unwrap())].into_iter().collect();
    let key = format!("{namespace}:a");
    assert_eq!(view.claim(&key, &claim, Terms::fill(LONG)).await.unwrap(), Claim::Granted);
    assert!(view.fill(&key, &claim, "[1]".into(), Life::from(LONG).tags(tags)).await.unwrap());
    for name in ["b", "c"] {
        view.put(&format!("{namespace}:{name}"), "[1]".into(), LONG).await.unwrap();
    }
    let claim = token();
    view.claim(&format!("{namespace}:d"), &claim, Terms::fill(LONG)).await.unwrap();
    claim
}

#[tokio::test]
async fn the_rest_of_a_removed_structure_is_ignored() {
    let redis = Redis::shared().await;
    let cache = Arc::new(store(&redis.url()));
    for policy in Policy::ALL {
        for part in 0..5 {
            let namespace = unique("app");
            let parts = Parts::new(&redis, &namespace, policy);
            let view = Arc::clone(&cache).bounded(&namespace, &Bound::new(policy).max(3)).unwrap();
            let claim = full(&view, &namespace).await;
            assert_eq!(parts.ask("return redis.call('EXISTS', unpack(KEYS))").await, "5");
            redis.cli(&["DEL", &parts.keys[part]]).await;

            let when = format!("{policy} without {}", parts.keys[part]);
            // An entry with lost tags can't be read by another entry, but can still be invalidated.
            let is_left = part == 4;
            assert_eq!(view.count().await.unwrap(), Some(if is_left { 3 } else { 0 }), "{when}");
            assert_eq!(view.get(&format!("{namespace}:b")).await.unwrap().is_some(), is_left, "{when}");
            let is_stored = view.fill(&format!("{namespace}:d"), &claim, "[1]".into(), LONG.into()).await.unwrap();
            assert_eq!(is_stored, is_left, "{when}: a fill in flight");
            if is_left {
                view.invalidate(&[format!("{namespace}:tag").into()]).await.unwrap();
                assert_eq!(view.get(&format!("{namespace}:a")).await.unwrap(), None, "{when}");
            }
            for name in ["a", "b", "e"] {
                view.put(&format!("{namespace}:{name}"), "[2]".into(), LONG).await.unwrap();
            }
            parts.are_whole(3, &when).await;
            assert_eq!(view.count().await.unwrap(), Some(3), "{when}");
            view.purge().await.unwrap();
            assert_eq!(parts.ask("return redis.call('EXISTS', unpack(KEYS))").await, "0", "{when}");
        }
    }
}

#[tokio::test]
async fn a_field_that_is_only_half_there_is_not_there() {
    let redis = Redis::shared().await;
    let cache = Arc::new(store(&redis.url()));
    for policy in Policy::ALL {
        for (part, remove) in [(0, "ZREM"), (1, "HDEL"), (2, "ZREM")] {
            let namespace = unique("app");
            let parts = Parts::new(&redis, &namespace, policy);
            let view = Arc::clone(&cache).bounded(&namespace, &Bound::new(policy).max(3)).unwrap();
            full(&view, &namespace).await;
            let (key, when) = (format!("{namespace}:b"), format!("{policy} without a field in part {part}"));
            let remove = if policy == Policy::Rr && part == 0 { "SREM" } else { remove };
            assert_eq!(redis.cli(&[remove, &parts.keys[part], &key]).await, "1", "{when}");
            assert_eq!(view.ttl(&key).await.unwrap(), None, "{when}");
            assert_eq!(view.get(&key).await.unwrap(), None, "{when}");
            parts.are_whole(3, &when).await;
            assert_eq!(view.count().await.unwrap(), Some(2), "{when}: what is whole stays");
            view.purge().await.unwrap();
        }
    }
}

#[tokio::test]
async fn x09_expired_entries_are_evicted_first() {
    let redis = Redis::shared().await;
    let cache = Arc::new(store(&redis.url()));
    for policy in Policy::ALL {
        let namespace = unique("app");
        let parts = Parts::new(&redis, &namespace, policy);
        let view = Arc::clone(&cache).bounded(&namespace, &Bound::new(policy).max(4)).unwrap();
        let key = |name: &str| format!("{namespace}:{name}");
        // First and last, used and not: whichever the policy would evict, this entry lives.
        view.put(&key("live"), "[1]".into(), LONG).await.unwrap();
        for name in ["a", "b", "c"] {
            view.put(&key(name), "[1]".into(), Duration::from_millis(1)).await.unwrap();
        }
        view.get(&key("live")).await.unwrap();
        // No call may remove them before the next entry is stored.
        let ended =
            "local t = redis.call('TIME') return redis.call('ZCOUNT', KEYS[3], '-inf', t[1] * 1000 + t[2] / 1000 - 1)";
        while parts.ask(ended).await != "3" {}
        assert_eq!(redis.cli(&["HLEN", &parts.keys[1]]).await, "4", "{policy}: nothing is reaped yet");
        view.put(&key("new"), "[1]".into(), LONG).await.unwrap();
        for name in ["live", "new"] {
            assert!(view.get(&key(name)).await.unwrap().is_some(), "{policy}: {name}");
        }
        assert_eq!(view.count().await.unwrap(), Some(2), "{policy}");
        parts.are_whole(4, policy.name()).await;

        view.put(&key("short"), "[1]".into(), Duration::from_millis(1)).await.unwrap();
        while parts.ask(ended).await != "1" {}
        assert_eq!(view.count().await.unwrap(), Some(2), "{policy}: the count is exact before anything is reaped");
    }
}

#[tokio::test]
async fn x10_a_bound_that_shrinks() {
    const MANY: usize = 20_000;
    let redis = Redis::shared().await;
    let cache = Arc::new(store(&redis.url()));
    join_all([Policy::LruT, Policy::Mru, Policy::Rr].map(|policy| {
        let (redis, cache) = (&redis, &cache);
        async move {
            let namespace = unique("app");
            let parts = Parts::new(redis, &namespace, policy);
            let view = |max| Arc::clone(cache).bounded(&namespace, &Bound::new(policy).max(max)).unwrap();
            let large = view(MANY);
            for thousand in 0..20 {
                let keys = (0..1_000).map(|number| format!("{namespace}:{thousand}:{number}"));
                let puts = keys.map(|key| { let large = &large; async move { large.put(&key, "[1]".into(), LONG).await } });
                join_all(puts).await.into_iter().for_each(Result::unwrap);
            }
            assert_eq!(large.count().await.unwrap(), Some(MANY as u64));

            let small = view(10);
            let (steps, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
            let counters = (Arc::clone(&steps), Arc::clone(&most));
            small.listen(Arc::new(move |event: &Event<'_>| {
                if let Event::Evicted { entries } = event {
                    counters.0.fetch_add(*entries, Ordering::Relaxed);
                    counters.1.fetch_max(*entries, Ordering::Relaxed);
                }
            }));
            // A process that shrinks the structure may end between any two steps.
            let key = format!("{namespace}:new");
            {
                let mut put = small.put(&key, "[1]".into(), LONG);
                while steps.load(Ordering::Relaxed) < 3_000 {
                    tokio::select! { biased; _ = &mut put => panic!("it came to its end"), () = tokio::task::yield_now() => {} }
                }
            }
            parts.are_whole(MANY - 3_000, "between two steps").await;
            small.put(&key, "[1]".into(), LONG).await.unwrap();
            parts.are_whole(10, "after the last step").await;
            assert_eq!(small.count().await.unwrap(), Some(10), "{policy}");
            assert!(small.get(&key).await.unwrap().is_some(), "{policy}: what came last stays");
            assert!(most.load(Ordering::Relaxed) <= 1_000, "{policy}: others wait while a script runs");
            small.purge().await.unwrap();
        }
    }))
    .await;
}

/// Valkey counts an expired field until a sweep, and refuses its deletion. Values without a place
/// are no reason to lose the rest.
#[tokio::test]
async fn an_expired_field_removes_no_other() {
    let redis = Redis::with_args(&["--enable-debug-command", "yes"]).await;
    // Expired fields stay in place.
    redis.cli(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]).await;
    let cache = Arc::new(store(&redis.url()));
    let bound = Bound::new(Policy::LruT).max(50).func_cache(FuncCache::single());
    let view = cache.bounded("nm", &bound).unwrap();
    let key = |number: u8| format!("nm:m:f({number:02x})");
    for number in 0..10 {
        view.put(&key(number), "[1]".into(), LONG).await.unwrap();
    }
    let values = "func-cache:nm:lru_t:1";
    for number in 0..3_u8 {
        // An older server expires no fields. A value without a place replaces one there.
        let field = format!("return redis.call('HPEXPIRE', KEYS[1], 1, 'FIELDS', 1, string.char({number}))");
        let ends = redis.cli(&["EVAL", &field, "1", values]).await;
        if ends.trim() != "1" {
            let orphan = format!("return redis.call('HSET', KEYS[1], 'orphan' .. {number}, 'x')");
            redis.cli(&["EVAL", &orphan, "1", values]).await;
            view.remove(&[key(number).into()]).await.unwrap();
        } else {
            let exists = format!("return redis.call('HEXISTS', KEYS[1], string.char({number}))");
            while redis.cli(&["EVAL", &exists, "1", values]).await.trim() == "1" {}
            assert_eq!(view.get(&key(number)).await.unwrap(), None);
        }
        view.put(&key(10 + number), "[1]".into(), LONG).await.unwrap();
        for left in number + 1..=10 + number {
            assert!(view.get(&key(left)).await.unwrap().is_some(), "entry {left} after the end of {number}");
        }
    }
    assert_eq!(view.count().await.unwrap(), Some(10));
}
