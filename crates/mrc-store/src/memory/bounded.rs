//! A view of a store in memory: the entries of one namespace, with a bound.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use mrc_core::{Event, EventListener, Tag};
use tokio::time::Instant;

use super::entry::{Slot, Text, after};
use super::store::{MemoryStore, own, pages};
use super::structure::{Structure, StructureRules};
use crate::bound::Bound;
use crate::bound::layout::Member;
use crate::error::StoreError;
use crate::listeners::Listeners;
use crate::store::{BoundedCache, CacheStore, Claim, KeyPages, Life, ScanPattern, Terms, Token, check_namespace};
use crate::tags::{Found, Moment};

pub(super) struct BoundedMemory {
    store: Arc<MemoryStore>,
    namespace: String,
    bound: Bound,
    listeners: Listeners,
}

impl BoundedMemory {
    pub(super) fn new(store: Arc<MemoryStore>, namespace: &str, bound: &Bound) -> Result<Self, StoreError> {
        bound.check()?;
        check_namespace("", namespace)?;
        #[cfg(feature = "compat")]
        if bound.func_cache.is_some() {
            return Err(StoreError::Config("Python's redis_func_cache reads Redis only: take a RedisStore".into()));
        }
        let (namespace, bound) = (namespace.to_owned(), bound.clone());
        Ok(Self { store, namespace, bound, listeners: Listeners::default() })
    }

    /// Returns the structure of an entry, its rules, and the base of its keys.
    fn place(&self, key: &[u8]) -> Result<(Arc<Structure>, StructureRules, String), StoreError> {
        self.store.check_open()?;
        let key = String::from_utf8_lossy(key);
        let shard = self.bound.shard(&key);
        let base = self.bound.base(&self.namespace, self.bound.function(&self.namespace, &key), shard);
        let rules = StructureRules { room: self.bound.room(shard), lifetime: self.bound.lifetime };
        Ok((self.store.structures.get_or_make(base.clone(), self.bound.policy), rules, base))
    }

    fn all(&self) -> Result<Vec<Arc<Structure>>, StoreError> {
        self.store.check_open()?;
        if self.bound.per_function {
            return Ok(self.store.structures.of_functions(&self.namespace, &self.bound));
        }
        let shards = 0..self.bound.shards.get();
        let base = |shard| self.bound.base(&self.namespace, "", shard);
        Ok(shards.map(|shard| self.store.structures.get_or_make(base(shard), self.bound.policy)).collect())
    }

    fn tell_evicted(&self, entries: u64) {
        if entries > 0 {
            self.listeners.tell(&Event::Evicted { entries });
        }
    }
}

#[async_trait]
impl CacheStore for BoundedMemory {
    async fn look(&self, key: &str) -> Result<Option<Found>, StoreError> {
        let (structure, rules, _) = self.place(key.as_bytes())?;
        Ok(structure.get(&field(key), rules).and_then(Text::found))
    }

    /// Returns `None`: a copy would be an entry beyond the bound.
    async fn stale(&self, _: &str) -> Result<Option<Found>, StoreError> {
        self.store.check_open().map(|()| None)
    }

    async fn now(&self) -> Result<Moment, StoreError> {
        self.store.now().await
    }

    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        let (structure, rules, _) = self.place(key.as_bytes())?;
        Ok(structure.claim(&field(key), token, terms, rules))
    }

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        let value = own(value)?;
        life.tags.check()?;
        let (structure, rules, base) = self.place(key.as_bytes())?;
        // The index comes first: an invalidation in between finds the entry there, with its claim.
        if !self.store.register(&Member::name(false, base.as_bytes(), key.as_bytes()), &life.tags, life.ttl) {
            structure.change(&field(key), |slot| slot.release(token));
            return Ok(false);
        }
        let text = Text::new(value, Arc::new(life.tags), after(Instant::now(), life.ttl));
        let evicted = structure.fill(&field(key), token, text, life.ttl, rules);
        self.tell_evicted(evicted.unwrap_or(0));
        Ok(evicted.is_some())
    }

    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        let (structure, ..) = self.place(key.as_bytes())?;
        Ok(structure.change(&field(key), |slot| slot.release(token)))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        let value = own(value)?;
        let (structure, rules, _) = self.place(key.as_bytes())?;
        let text = Text::new(value, Arc::default(), after(Instant::now(), ttl));
        self.tell_evicted(structure.put(&field(key), text, ttl, rules));
        Ok(())
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        let (structure, ..) = self.place(key.as_bytes())?;
        Ok(structure.ttl(&field(key)))
    }

    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        let mut removed = 0;
        for key in keys {
            let (structure, ..) = self.place(key)?;
            removed += u64::from(structure.change(key, Slot::remove));
        }
        Ok(removed)
    }

    async fn invalidate(&self, tags: &[Tag]) -> Result<u64, StoreError> {
        self.store.invalidate(tags).await
    }

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        pages(self.all().map(|structures| {
            structures.iter().flat_map(|it| it.fields()).filter(|key| pattern.matches(key)).collect()
        }))
    }

    fn as_bounded(&self) -> Option<&dyn BoundedCache> {
        Some(self)
    }

    fn listen(&self, listener: Arc<dyn EventListener>) {
        self.listeners.add(listener);
    }

    fn patience(&self) -> Duration {
        self.store.patience()
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

#[async_trait]
impl BoundedCache for BoundedMemory {
    async fn count(&self) -> Result<u64, StoreError> {
        Ok(self.all()?.iter().map(|structure| structure.len()).sum())
    }

    async fn purge(&self) -> Result<u64, StoreError> {
        Ok(self.all()?.iter().map(|structure| structure.purge()).sum())
    }
}

impl fmt::Debug for BoundedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, namespace, bound, .. } = self;
        f.debug_struct("BoundedMemory")
            .field("store", store)
            .field("namespace", namespace)
            .field("bound", bound)
            .finish_non_exhaustive()
    }
}

fn field(key: &str) -> Bytes {
    Bytes::copy_from_slice(key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bound::{Fixed, Policy, Sliding};

    const LONG: Duration = Duration::from_secs(3_600);

    fn view(bound: &Bound) -> Arc<dyn CacheStore> {
        Arc::new(MemoryStore::new()).bounded("app", bound).unwrap()
    }

    /// Returns whether the entry was there. Afterwards it is.
    async fn hits(view: &Arc<dyn CacheStore>, key: &str) -> bool {
        let hit = view.get(key).await.unwrap().is_some();
        if !hit {
            view.put(key, "1".into(), LONG).await.unwrap();
        }
        hit
    }

    /// Returns after how many one-hit keys one of five hot keys among ten is evicted.
    async fn endures(policy: Policy) -> usize {
        let view = view(&Bound::new(policy).max(10));
        for other in 0..5 {
            hits(&view, &format!("other {other}")).await;
        }
        for round in 0..20 {
            for hot in 0..5 {
                assert_eq!(hits(&view, &format!("hot {hot}")).await, round > 0);
            }
        }
        for cold in 0.. {
            view.put(&format!("cold {cold}"), "1".into(), LONG).await.unwrap();
            for hot in 0..5 {
                if view.ttl(&format!("hot {hot}")).await.unwrap().is_none() {
                    return cold;
                }
            }
        }
        0
    }

    #[tokio::test]
    async fn lfu_keeps_hot_entries_and_lets_new_ones_in() {
        assert!(endures(Policy::Lfu).await > 5 * endures(Policy::Lru).await);
        let view = view(&Bound::new(Policy::Lfu).max(5));
        for _ in 0..20 {
            for hot in 0..5 {
                hits(&view, &format!("hot {hot}")).await;
            }
        }
        let mut misses = 0;
        for round in 0..10 {
            misses += usize::from(!hits(&view, ["a", "b"][round % 2]).await);
        }
        assert_eq!(misses, 2, "two new entries don't evict each other for ever");
    }

    #[tokio::test(start_paused = true)]
    async fn a_structure_lives_as_long_as_it_should() {
        let life = Duration::from_secs(10);
        let pass = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        let sliding = view(&Bound::new(Policy::Lru).ttl(Sliding(life)));
        let fixed = view(&Bound::new(Policy::Lru).ttl(Fixed(life)));
        let entries = view(&Bound::new(Policy::Lru));
        for view in [&sliding, &fixed] {
            view.put("a", "1".into(), LONG).await.unwrap();
        }
        pass(6).await;
        assert_eq!(sliding.get("missing").await.unwrap(), None, "a miss is a use too");
        fixed.put("a", "1".into(), LONG).await.unwrap();
        pass(6).await;
        assert!(sliding.get("a").await.unwrap().is_some());
        assert_eq!(fixed.count().await.unwrap(), Some(0), "writes don't prolong it");
        pass(10).await;
        assert_eq!(sliding.count().await.unwrap(), Some(0));

        entries.put("a", "1".into(), life).await.unwrap();
        entries.put("b", "1".into(), life * 2).await.unwrap();
        pass(10).await;
        assert_eq!(entries.count().await.unwrap(), Some(1));
        pass(10).await;
        assert_eq!(entries.count().await.unwrap(), Some(0));
    }
}
