//! Runs the stores in step with a model of a bounded cache, which does the same in a few lines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use mrc_core::{Event, Tag};
use mrc_store::{Bound, CacheStore, Claim, Life, MemoryStore, Moment, Policy, RedisStore, ScanPattern, Terms, Token};
use mrc_tests::{Redis, unique};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::super::{LONG, patient, token};

const CASES: u32 = 25;
const STEPS: usize = 80;
const KEYS: usize = 9;
const TAGS: usize = 2;

/// The next step. A fill and a release take any of the claims so far, ended ones too.
#[derive(Debug, Clone)]
enum Step {
    Get(usize),
    Look(usize),
    Ttl(usize),
    Claim(usize, bool),
    Fill(usize, Vec<usize>),
    Release(usize),
    Put(usize),
    Remove(Vec<usize>),
    Invalidate(usize),
    Purge,
    Max(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tags = || prop::collection::vec(0..TAGS, 0..=TAGS);
    let step = prop_oneof![
        6 => (0..KEYS).prop_map(Step::Get),
        2 => (0..KEYS).prop_map(Step::Look),
        1 => (0..KEYS).prop_map(Step::Ttl),
        6 => (0..KEYS, any::<bool>()).prop_map(|(key, refresh)| Step::Claim(key, refresh)),
        // Counts claims from the last one back: most of these still stand.
        6 => (0..6_usize, tags()).prop_map(|(claim, tags)| Step::Fill(claim, tags)),
        1 => (0..6_usize).prop_map(Step::Release),
        4 => (0..KEYS).prop_map(Step::Put),
        1 => prop::collection::vec(0..KEYS, 0..4).prop_map(Step::Remove),
        1 => (0..TAGS).prop_map(Step::Invalidate),
        1 => Just(Step::Purge),
        1 => (1..7_usize).prop_map(Step::Max),
    ];
    prop::collection::vec(step, STEPS)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Value(Option<(Bytes, BTreeSet<usize>)>),
    Claim(Claim),
    Is(bool),
    Count(u64),
    None,
}

/// A value and its tags. The value is `None` for a claim.
#[derive(Default)]
struct Entry {
    value: Option<Bytes>,
    tags: BTreeSet<usize>,
    refreshing: bool,
}

struct Model {
    policy: Policy,
    max: usize,
    /// The uses and the key of each value. The last stored or used ones are at the end.
    queue: Vec<(usize, usize)>,
    entries: BTreeMap<usize, Entry>,
    /// The claims, by key. They stay when the entry is removed.
    leases: BTreeMap<usize, usize>,
    /// The key and the step of each claim.
    claims: Vec<(usize, usize)>,
    registered: BTreeSet<(usize, usize)>,
    invalidated: [usize; TAGS],
    evicted: usize,
    step: usize,
}

impl Model {
    fn touch(&mut self, key: usize) {
        let at = self.queue.iter().position(|(_, known)| *known == key).unwrap();
        match self.policy {
            Policy::Lru | Policy::LruT | Policy::Mru => {
                let used = self.queue.remove(at);
                self.queue.push(used);
            }
            Policy::Lfu => self.queue[at].0 += 4,
            _ => {}
        }
    }

    /// Makes room. Returns how many entries are evicted by free choice.
    fn arrive(&mut self, key: usize) -> usize {
        let surplus = (self.queue.len() + 1).saturating_sub(self.max);
        self.evicted += surplus;
        let mut age = self.queue.iter().map(|(uses, _)| *uses).min().unwrap_or(1);
        if self.policy != Policy::Rr {
            for _ in 0..surplus {
                let at = match self.policy {
                    Policy::Mru => self.queue.len() - 1,
                    Policy::Lfu => self.queue.iter().position(|it| it == self.queue.iter().min().unwrap()).unwrap(),
                    _ => 0,
                };
                let (uses, victim) = self.queue.remove(at);
                self.entries.remove(&victim);
                age = uses + 1;
            }
        }
        self.queue.push((age, key));
        if self.policy == Policy::Rr { surplus } else { 0 }
    }

    fn set(&mut self, key: usize, tags: BTreeSet<usize>) -> usize {
        let is_known = self.entries.get(&key).is_some_and(|entry| entry.value.is_some());
        let free = if is_known { 0 } else { self.arrive(key) };
        if is_known {
            self.touch(key);
        }
        self.entries.insert(key, Entry { value: Some(self.value()), tags, refreshing: false });
        free
    }

    fn forget(&mut self, key: usize) -> bool {
        self.queue.retain(|(_, known)| *known != key);
        self.entries.remove(&key).is_some_and(|entry| entry.value.is_some())
    }

    fn value(&self) -> Bytes {
        self.step.to_string().into()
    }

    fn given(&self, nth: usize) -> Option<usize> {
        self.claims.len().checked_sub(nth + 1)
    }

    /// Returns the answer, and how many entries are evicted by free choice.
    fn take(&mut self, step: &Step) -> (Answer, usize) {
        self.step += 1;
        let value = |model: &Self, key: &usize| {
            let entry = model.entries.get(key)?;
            Some((entry.value.clone()?, entry.tags.clone()))
        };
        let answer = match step {
            Step::Get(key) | Step::Look(key) => {
                let found = value(self, key);
                if found.is_some() {
                    self.touch(*key);
                }
                Answer::Value(found.map(|(value, tags)| match step {
                    Step::Look(_) => (value, tags),
                    _ => (value, BTreeSet::new()),
                }))
            }
            Step::Ttl(key) => Answer::Is(value(self, key).is_some()),
            Step::Claim(key, refresh) => {
                self.claims.push((*key, self.step));
                if let (Some((value, _)), false) = (value(self, key), *refresh) {
                    return (Answer::Claim(Claim::Hit(value)), 0);
                }
                if self.entries.contains_key(key) && self.leases.contains_key(key) {
                    return (Answer::Claim(Claim::Busy { lease_left: None }), 0);
                }
                self.leases.insert(*key, self.claims.len() - 1);
                self.entries.entry(*key).or_default().refreshing = true;
                Answer::Claim(Claim::Granted)
            }
            Step::Fill(nth, tags) => {
                let Some(claim) = self.given(*nth) else { return (Answer::None, 0) };
                let (key, since) = self.claims[claim];
                let tags: BTreeSet<usize> = tags.iter().copied().collect();
                self.registered.extend(tags.iter().map(|tag| (*tag, key)));
                if tags.iter().any(|tag| self.invalidated[*tag] > since) {
                    self.release(claim);
                    return (Answer::Is(false), 0);
                }
                let stands = self.entries.get(&key).is_some_and(|entry| entry.refreshing);
                if !stands || self.leases.get(&key) != Some(&claim) {
                    return (Answer::Is(false), 0);
                }
                self.leases.remove(&key);
                return (Answer::Is(true), self.set(key, tags));
            }
            Step::Release(nth) => match self.given(*nth) {
                Some(claim) => Answer::Is(self.release(claim)),
                None => Answer::None,
            },
            Step::Put(key) => return (Answer::None, self.set(*key, BTreeSet::new())),
            Step::Remove(keys) => {
                let there = |model: &mut Self, key: &usize| {
                    let was_there = model.entries.contains_key(key);
                    model.forget(*key);
                    was_there
                };
                Answer::Count(keys.iter().filter(|key| there(self, key)).count() as u64)
            }
            Step::Invalidate(tag) => {
                self.invalidated[*tag] = self.step;
                let keys: Vec<usize> = (0..KEYS).filter(|key| self.registered.remove(&(*tag, *key))).collect();
                let goes = |model: &Self, key: &usize| model.entries.get(key).is_some_and(|it| it.tags.contains(tag));
                Answer::Count(keys.iter().filter(|key| goes(self, key) && self.forget(**key)).count() as u64)
            }
            Step::Purge => {
                let count = self.queue.len() as u64;
                self.queue.clear();
                self.entries.clear();
                Answer::Count(count)
            }
            Step::Max(max) => {
                self.max = *max;
                Answer::None
            }
        };
        (answer, 0)
    }

    /// Returns claimed keys once registered under this tag, but without it: the index may still
    /// know.
    fn may_go(&self, tag: usize) -> Vec<usize> {
        let lacks = |key: &usize| self.entries.get(key).is_some_and(|it| !it.tags.contains(&tag));
        let registered = |key: &usize| self.registered.contains(&(tag, *key));
        self.leases.keys().copied().filter(|key| registered(key) && lacks(key)).collect()
    }

    fn release(&mut self, claim: usize) -> bool {
        let key = self.claims[claim].0;
        if self.leases.get(&key) != Some(&claim) {
            return false;
        }
        self.leases.remove(&key);
        if self.entries.get(&key).is_some_and(|entry| entry.value.is_none()) {
            self.entries.remove(&key);
        }
        true
    }
}

/// Returns the tag of this number. No two of them share a moment while they have no index, and a
/// store with its own prefix shares none with others: another's invalidation would refuse a fill.
fn named(tag: usize) -> Tag {
    tag.to_string().into()
}

struct Pair {
    store: Arc<dyn CacheStore>,
    namespace: String,
    view: Arc<dyn CacheStore>,
    evicted: Arc<AtomicU64>,
    model: Model,
    claims: Vec<(Token, Moment)>,
}

impl Pair {
    fn new(store: Arc<dyn CacheStore>, policy: Policy) -> Self {
        let (namespace, max) = (unique("app"), 4);
        let model = Model {
            policy,
            max,
            queue: Vec::new(),
            entries: BTreeMap::new(),
            leases: BTreeMap::new(),
            claims: Vec::new(),
            registered: BTreeSet::new(),
            invalidated: [0; TAGS],
            evicted: 0,
            step: 0,
        };
        let view = Arc::clone(&store).bounded(&namespace, &Bound::new(policy).max(max)).unwrap();
        let pair = Self { store, namespace, view, evicted: Arc::default(), model, claims: vec![] };
        pair.listen();
        pair
    }

    fn listen(&self) {
        let evicted = Arc::clone(&self.evicted);
        self.view.listen(Arc::new(move |event: &Event<'_>| {
            if let Event::Evicted { entries } = event {
                evicted.fetch_add(*entries, Ordering::Relaxed);
            }
        }));
    }

    fn key(&self, key: usize) -> String {
        format!("{}:f(x={key})", self.namespace)
    }

    async fn take(&mut self, step: &Step) -> Answer {
        let view = &self.view;
        let value: Bytes = self.model.step.to_string().into();
        let nth = |nth: &usize| self.model.given(*nth).map(|claim| (self.model.claims[claim].0, &self.claims[claim]));
        match step {
            Step::Get(key) => Answer::Value(view.get(&self.key(*key)).await.unwrap().map(|it| (it, BTreeSet::new()))),
            Step::Look(key) => Answer::Value(view.look(&self.key(*key)).await.unwrap().map(|found| {
                let tags = found.tags.unwrap();
                (found.value, (0..TAGS).filter(|tag| tags.since(named(*tag).as_str()).is_some()).collect())
            })),
            Step::Ttl(key) => Answer::Is(view.ttl(&self.key(*key)).await.unwrap().is_some()),
            Step::Claim(key, refresh) => {
                let (token, moment) = (token(), view.now().await.unwrap());
                let terms = if *refresh { Terms::refresh(LONG) } else { Terms::fill(LONG) };
                let claim = view.claim(&self.key(*key), &token, terms).await.unwrap();
                self.claims.push((token, moment));
                Answer::Claim(match claim {
                    Claim::Busy { .. } => Claim::Busy { lease_left: None },
                    other => other,
                })
            }
            Step::Fill(claim, tags) => {
                let Some((key, (token, moment))) = nth(claim) else { return Answer::None };
                let tags = tags.iter().map(|tag| (named(*tag), *moment)).collect();
                Answer::Is(view.fill(&self.key(key), token, value, Life::from(LONG).tags(tags)).await.unwrap())
            }
            Step::Release(claim) => {
                let Some((key, (token, _))) = nth(claim) else { return Answer::None };
                Answer::Is(view.release(&self.key(key), token).await.unwrap())
            }
            Step::Put(key) => {
                view.put(&self.key(*key), value, LONG).await.unwrap();
                Answer::None
            }
            Step::Remove(keys) => {
                let keys: Vec<Bytes> = keys.iter().map(|key| self.key(*key).into()).collect();
                Answer::Count(view.remove(&keys).await.unwrap())
            }
            Step::Invalidate(tag) => Answer::Count(view.invalidate(&[named(*tag)]).await.unwrap()),
            Step::Purge => Answer::Count(view.purge().await.unwrap().unwrap()),
            Step::Max(max) => {
                let bound = Bound::new(self.model.policy).max(*max);
                self.view = Arc::clone(&self.store).bounded(&self.namespace, &bound).unwrap();
                self.listen();
                Answer::None
            }
        }
    }

    async fn check(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let before: BTreeSet<usize> = self.model.queue.iter().map(|(_, key)| *key).collect();
        let may_go = if let Step::Invalidate(tag) = step { self.model.may_go(*tag) } else { Vec::new() };
        let (mut expected, free) = self.model.take(step);
        let answer = self.take(step).await;
        let pages: Vec<Vec<Bytes>> = self.view.scan(&ScanPattern::All).try_collect().await.unwrap();
        let keys: BTreeSet<Bytes> = pages.concat().into_iter().collect();
        for key in may_go {
            if !keys.contains(self.key(key).as_bytes())
                && self.model.forget(key)
                && let Answer::Count(count) = &mut expected
            {
                *count += 1;
            }
        }
        prop_assert_eq!(&answer, &expected, "{:?}", step);
        if free > 0 {
            // The choice is free: these existed before, and don't now.
            let gone: Vec<usize> = before.into_iter().filter(|key| !keys.contains(self.key(*key).as_bytes())).collect();
            prop_assert_eq!(gone.len(), free, "how many went at {:?}", step);
            gone.into_iter().for_each(|key| _ = self.model.forget(key));
        }
        let expected: BTreeSet<Bytes> = self.model.entries.keys().map(|key| self.key(*key).into()).collect();
        prop_assert_eq!(keys, expected, "after {:?}", step);
        prop_assert_eq!(self.view.count().await.unwrap(), Some(self.model.queue.len() as u64), "after {:?}", step);
        prop_assert_eq!(self.evicted.load(Ordering::Relaxed), self.model.evicted as u64, "after {:?}", step);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x24_stores_and_model_agree() {
    let url = Redis::shared().await.url();
    let runtime = tokio::runtime::Handle::current();
    let policies = Policy::ALL.map(|policy| {
        let (url, runtime) = (url.clone(), runtime.clone());
        tokio::task::spawn_blocking(move || {
            let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
            let outcome = TestRunner::new(config).run(&steps(), |steps| {
                runtime.block_on(async {
                    let redis = RedisStore::new(patient(&url).prefix(format!("{}:", unique("app")))).unwrap();
                    let stores: [Arc<dyn CacheStore>; 2] = [Arc::new(redis), Arc::new(MemoryStore::new())];
                    let mut pairs = stores.map(|store| Pair::new(store, policy));
                    for step in &steps {
                        for pair in &mut pairs {
                            pair.check(step).await?;
                        }
                    }
                    Ok(())
                })
            });
            outcome.unwrap_or_else(|error| panic!("{policy}: {error}"));
        })
    });
    for outcome in join_all(policies).await {
        outcome.unwrap();
    }
}
