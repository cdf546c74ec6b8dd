//! A cache in this process's own memory, by moka. The reference of the seam: readable first.

mod bounded;
mod queue;
mod structure;
mod tags;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use moka::Expiry;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use mrc_core::Tag;
use tokio::time::Instant;

use self::bounded::{BoundedMemory, Structures};
use self::tags::Index;
use crate::bound::Bound;
use crate::error::StoreError;
use crate::store::{CacheStore, Claim, KeyPages, LONGEST, Life, RESERVED, ScanPattern, Terms, Token, storable};
use crate::tags::{Found, Moment, Tags, all_of};

/// What an entry takes besides its key and its value, roughly.
const OVERHEAD: usize = 250;
/// What a tag of an entry takes besides its name, and its place in the index too.
const OVERHEAD_OF_TAG: usize = 150;
const KEYS_A_PAGE: usize = 1_000;

/// A cache in this process's own memory: for tests, and for programs that run alone.
///
/// Another process doesn't see it, so an invalidation reaches this process only. When it is full, the entries that were not used for the
/// longest time go first.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mrc_store::StoreError> {
/// use std::time::Duration;
/// use mrc_store::{CacheStore, MemoryStore};
///
/// let store = MemoryStore::new();
/// store.put("greeting", "\"hello\"".into(), Duration::from_secs(60)).await?;
/// assert_eq!(store.get("greeting").await?.as_deref(), Some(&b"\"hello\""[..]));
/// # Ok(()) }
/// ```
pub struct MemoryStore {
    slots: Cache<Bytes, Slot>,
    index: Index,
    structures: Structures,
    closed: AtomicBool,
}

impl MemoryStore {
    /// A store of 64 MiB.
    pub fn new() -> Self {
        Self::with_capacity(64 * 1024 * 1024)
    }

    /// A store of about this many bytes: keys, values, tags, and some 250 bytes for each entry.
    pub fn with_capacity(bytes: u64) -> Self {
        let slots = Cache::builder()
            .max_capacity(bytes)
            .weigher(weight)
            // The default policy may turn a newcomer away, and a claim must not vanish.
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(ByExpiry)
            .build();
        Self { slots, index: Index::new(), structures: Structures::default(), closed: AtomicBool::new(false) }
    }

    /// One step of the protocol: nobody else sees or changes the slot meanwhile.
    fn step<T>(&self, key: &[u8], step: impl FnOnce(&mut Slot, Instant) -> T) -> Result<T, StoreError> {
        self.check_open()?;
        let mut result = None;
        self.slots.entry(Bytes::copy_from_slice(key)).and_compute_with(|entry| {
            let was_there = entry.is_some();
            let now = Instant::now();
            let mut slot = entry.map(|entry| entry.into_value().at(now)).unwrap_or_default();
            result = Some(step(&mut slot, now));
            match (slot.is_vacant(), was_there) {
                (true, true) => Op::Remove,
                (true, false) => Op::Nop,
                (false, _) => Op::Put(slot),
            }
        });
        // None would mean that moka never called us.
        result.ok_or(StoreError::Closed)
    }

    /// The slot as it is now.
    fn peek(&self, key: &[u8]) -> Result<Slot, StoreError> {
        self.check_open()?;
        Ok(self.slots.get(key).map(|slot| slot.at(Instant::now())).unwrap_or_default())
    }

    fn register(&self, key: &[u8], tags: &Tags) -> bool {
        if tags.is_empty() {
            return true;
        }
        self.index.sweep(|key, tag| self.may_have(key, tag));
        self.index.register(key, tags)
    }

    /// Whether the key is filled with this tag, or may be about to be.
    fn may_have(&self, key: &Bytes, tag: &Tag) -> bool {
        if let Some((structure, field)) = self.structures.of_member(key) {
            return structure.may_have(&field, std::slice::from_ref(tag));
        }
        self.peek(key).is_ok_and(|slot| slot.may_have(std::slice::from_ref(tag)))
    }

    fn keys(&self, pattern: &ScanPattern) -> Result<Vec<Bytes>, StoreError> {
        self.check_open()?;
        let now = Instant::now();
        let found = self.slots.iter().filter(|(key, slot)| pattern.matches(key) && slot.clone().at(now).is_there());
        let found = found.map(|(key, _)| Bytes::clone(&key));
        Ok(found.chain(self.structures.keys().into_iter().filter(|key| pattern.matches(key))).collect())
    }

    fn check_open(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) { Err(StoreError::Closed) } else { Ok(()) }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let capacity = self.slots.policy().max_capacity();
        f.debug_struct("MemoryStore").field("capacity", &capacity).finish_non_exhaustive()
    }
}

/// What lies under one key: the keys of the protocol, each with a life of its own.
#[derive(Debug, Clone, Default)]
struct Slot {
    text: Option<Text>,
    lease: Option<Lease>,
    copy: Option<Text>,
}

#[derive(Debug, Clone)]
struct Text {
    /// Empty: a claim.
    value: Bytes,
    tags: Arc<Tags>,
    /// Whether somebody reads a newer value: the space at the end, in Redis.
    refreshing: bool,
    ends: Instant,
}

#[derive(Debug, Clone)]
struct Lease {
    token: Token,
    ends: Instant,
}

impl Text {
    fn new(value: Bytes, tags: Arc<Tags>, ends: Instant) -> Self {
        Self { value, tags, refreshing: false, ends }
    }

    fn claim(ends: Instant) -> Self {
        Self::new(Bytes::new(), Arc::default(), ends)
    }

    fn weight(&self) -> usize {
        let tags = self.tags.iter().map(|(tag, _)| OVERHEAD_OF_TAG + tag.as_str().len());
        self.value.len() + tags.sum::<usize>()
    }

    fn has(&self, tags: &[Tag]) -> bool {
        tags.iter().all(|tag| self.tags.since(tag.as_str()).is_some())
    }

    /// None: a claim.
    fn found(self) -> Option<Found> {
        let tags = Arc::unwrap_or_clone(self.tags);
        (!self.value.is_empty()).then_some(Found { value: self.value, tags: Some(tags) })
    }
}

impl Slot {
    /// Without what has expired.
    fn at(mut self, now: Instant) -> Self {
        self.text.take_if(|text| text.ends <= now);
        self.lease.take_if(|lease| lease.ends <= now);
        self.copy.take_if(|copy| copy.ends <= now);
        self
    }

    fn is_vacant(&self) -> bool {
        self.lease.is_none() && !self.is_there()
    }

    fn is_there(&self) -> bool {
        self.text.is_some() || self.copy.is_some()
    }

    fn value(&self) -> Option<&Text> {
        self.text.as_ref().filter(|text| !text.value.is_empty())
    }

    fn is_leased_to(&self, token: &Token) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.token == *token)
    }

    /// Whether a value of it has these tags. A lease tells that one may be on its way.
    fn may_have(&self, tags: &[Tag]) -> bool {
        self.lease.is_some() || [&self.text, &self.copy].into_iter().flatten().any(|text| text.has(tags))
    }

    /// Removes what has these tags, and what may be about to. Returns whether a value went.
    fn invalidate(&mut self, tags: &[Tag]) -> bool {
        let leased = self.lease.is_some();
        self.copy.take_if(|copy| leased || copy.has(tags));
        let gone = self.text.take_if(|text| leased || text.has(tags));
        gone.is_some_and(|text| !text.value.is_empty())
    }

    fn ends(&self) -> Option<Instant> {
        let [text, copy] = [&self.text, &self.copy].map(|text| text.as_ref().map(|text| text.ends));
        text.max(copy).max(self.lease.as_ref().map(|lease| lease.ends))
    }
}

#[async_trait]
impl CacheStore for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.peek(checked(key)?)?.value().map(|text| text.value.clone()))
    }

    async fn look(&self, key: &str) -> Result<Option<Found>, StoreError> {
        Ok(self.peek(checked(key)?)?.text.and_then(Text::found))
    }

    async fn stale(&self, key: &str) -> Result<Option<Found>, StoreError> {
        Ok(self.peek(checked(key)?)?.copy.and_then(Text::found))
    }

    async fn now(&self) -> Result<Moment, StoreError> {
        self.check_open()?;
        Ok(self.index.now())
    }

    async fn claim(&self, key: &str, token: &Token, terms: Terms) -> Result<Claim, StoreError> {
        self.step(checked(key)?, |slot, now| {
            if let Some(text) = slot.value()
                && terms.mode.is_hit(text.ends - now)
            {
                return Claim::Hit(text.value.clone());
            }
            if let (Some(_), Some(other)) = (&slot.text, &slot.lease) {
                return Claim::Busy { lease_left: Some(other.ends - now) };
            }
            let ends = after(now, terms.lease);
            match &mut slot.text {
                Some(text) if !text.value.is_empty() => text.refreshing = true,
                _ => slot.text = Some(Text::claim(ends)),
            }
            slot.lease = Some(Lease { token: token.clone(), ends });
            if terms.copy && slot.copy.as_ref().is_none_or(|copy| copy.value.is_empty()) {
                slot.copy = Some(Text::claim(ends));
            }
            Claim::Granted
        })
    }

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        let value = own(value)?;
        life.tags.check()?;
        self.check_open()?;
        // In the index first: an invalidation that comes in between finds the key there, and the claim under it.
        if !self.register(checked(key)?, &life.tags) {
            self.release(key, token).await?;
            return Ok(false);
        }
        let (ends, end_of_copy, has_copy) = (life.ttl, life.of_copy(), life.has_copy());
        let tags = Arc::new(life.tags);
        self.step(checked(key)?, |slot, now| {
            let stands = slot.text.as_ref().is_some_and(|text| text.value.is_empty() || text.refreshing);
            if !stands || !slot.is_leased_to(token) {
                return false;
            }
            slot.copy = match slot.copy.take() {
                Some(_) if has_copy => Some(Text::new(value.clone(), tags.clone(), after(now, end_of_copy))),
                copy => copy,
            };
            slot.text = Some(Text::new(value, tags, after(now, ends)));
            slot.lease = None;
            true
        })
    }

    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        self.step(checked(key)?, |slot, _| {
            if !slot.is_leased_to(token) {
                return false;
            }
            slot.lease = None;
            slot.text.take_if(|text| text.value.is_empty());
            slot.copy.take_if(|copy| copy.value.is_empty());
            true
        })
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        let value = own(value)?;
        self.step(checked(key)?, |slot, now| {
            slot.text = Some(Text::new(value, Arc::default(), after(now, ttl)));
            slot.copy = None;
        })
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        Ok(self.peek(checked(key)?)?.value().map(|text| text.ends - Instant::now()))
    }

    async fn remove(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        let mut removed = 0;
        for key in keys {
            if let Some(structure) = self.structures.of_key(key) {
                removed += structure.purge();
                continue;
            }
            if key.starts_with(RESERVED) {
                return Err(StoreError::OWN_KEY);
            }
            // The lease stays behind, as in Redis: without the text it is worth nothing.
            let gone = self.step(key, |slot, _| {
                slot.copy = None;
                slot.text.take().is_some()
            })?;
            removed += u64::from(gone);
        }
        Ok(removed)
    }

    async fn exist(&self, keys: &[Bytes]) -> Result<u64, StoreError> {
        let mut found = 0;
        for key in keys {
            found += u64::from(self.structures.of_key(key).is_some() || self.peek(key)?.text.is_some());
        }
        Ok(found)
    }

    async fn scan_size(&self) -> Result<Option<u64>, StoreError> {
        Ok(Some(self.keys(&ScanPattern::All)?.len() as u64))
    }

    async fn invalidate(&self, tags: &[Tag]) -> Result<u64, StoreError> {
        let tags = all_of(tags)?;
        self.check_open()?;
        let Some((rarest, keys)) = self.index.invalidate(&tags) else { return Ok(0) };
        let mut removed = 0;
        for key in keys {
            removed += u64::from(match self.structures.of_member(&key) {
                Some((structure, field)) => structure.invalidate(&field, &tags),
                None => self.step(&key, |slot, _| slot.invalidate(&tags))?,
            });
        }
        self.index.prune(rarest, |key, tag| self.may_have(key, tag));
        Ok(removed)
    }

    fn bounded(self: Arc<Self>, namespace: &str, bound: &Bound) -> Result<Arc<dyn CacheStore>, StoreError> {
        Ok(Arc::new(BoundedMemory::new(self, namespace, bound)?))
    }

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        pages(self.keys(pattern))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.check_open()
    }

    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.slots.invalidate_all();
        self.structures.purge();
    }
}

/// Frees an entry when the last of it has ended. What is read is checked by the slot itself.
struct ByExpiry;

impl Expiry<Bytes, Slot> for ByExpiry {
    fn expire_after_create(&self, _: &Bytes, slot: &Slot, _: std::time::Instant) -> Option<Duration> {
        slot.ends().map(|ends| ends.saturating_duration_since(Instant::now()))
    }

    fn expire_after_update(
        &self,
        key: &Bytes,
        slot: &Slot,
        at: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, slot, at)
    }
}

fn weight(key: &Bytes, slot: &Slot) -> u32 {
    let values = [&slot.text, &slot.copy].into_iter().flatten().map(Text::weight);
    u32::try_from(OVERHEAD + key.len() + values.sum::<usize>()).unwrap_or(u32::MAX)
}

fn pages<'a>(keys: Result<Vec<Bytes>, StoreError>) -> KeyPages<'a> {
    let pages = match keys {
        Ok(keys) => keys.chunks(KEYS_A_PAGE).map(|page| Ok(page.to_vec())).collect(),
        Err(error) => vec![Err(error)],
    };
    stream::iter(pages).boxed()
}

/// A key that an entry may have.
fn checked(key: &str) -> Result<&[u8], StoreError> {
    if key.as_bytes().starts_with(RESERVED) { Err(StoreError::OWN_KEY) } else { Ok(key.as_bytes()) }
}

/// A copy that keeps no larger buffer alive.
fn own(value: Bytes) -> Result<Bytes, StoreError> {
    storable(value).map(|value| Bytes::copy_from_slice(&value))
}

/// At least a millisecond from now, as in Redis.
fn after(now: Instant, life: Duration) -> Instant {
    now + life.clamp(Duration::from_millis(1), LONGEST)
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance::store;

    #[tokio::test]
    async fn passes_the_suite() {
        let memory = MemoryStore::new();
        store::store_suite(&memory, "suite").await;
        store::refuses_calls_after_close(&memory).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn keeps_its_promises_on_many_threads() {
        let memory = Arc::new(MemoryStore::new());
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                let memory = memory.clone();
                tokio::spawn(async move {
                    let prefix = format!("{number}");
                    store::never_hits_what_was_invalidated(&*memory, &prefix).await;
                    store::leaves_nothing_after_an_invalidation(&*memory, &prefix).await;
                    store::never_hits_what_was_invalidated_by_tag(&*memory, &prefix).await;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }

        let claims = (0..64_u128).map(|number| {
            let memory = memory.clone();
            tokio::spawn(
                async move { memory.claim("one", &Token::from_bits(number), Terms::fill(LONGEST)).await.unwrap() },
            )
        });
        let claims = futures_util::future::join_all(claims.collect::<Vec<_>>()).await;
        let granted = claims.into_iter().filter(|claim| matches!(claim, Ok(Claim::Granted))).count();
        assert_eq!(granted, 1);
    }

    #[tokio::test]
    async fn an_invalidation_ends_a_fill_that_may_have_registered_itself() {
        let memory = MemoryStore::new();
        let (token, a) = (Token::from_bits(1), Tag::new("a"));
        memory.put("k", "[1]".into(), LONGEST).await.unwrap();
        memory.claim("k", &token, Terms::refresh(LONGEST)).await.unwrap();
        let tags = [(a.clone(), memory.now().await.unwrap())].into_iter().collect();
        // A fill that has come so far when the invalidation comes.
        assert!(memory.register(b"k", &tags));
        memory.invalidate(&[a]).await.unwrap();
        assert!(!memory.fill("k", &token, "[0]".into(), LONGEST.into()).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn follows_the_clock_of_the_runtime() {
        let memory = MemoryStore::new();
        memory.put("a", Bytes::from("1"), Duration::from_secs(3_600)).await.unwrap();
        tokio::time::advance(Duration::from_secs(3_599)).await;
        assert_eq!(memory.ttl("a").await.unwrap(), Some(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(memory.get("a").await.unwrap(), None);
    }

    #[tokio::test]
    async fn gives_up_the_oldest_when_it_is_full() {
        let memory = MemoryStore::with_capacity(100_000);
        let large = Bytes::from(vec![b'1'; 10_000]);
        for number in 0..50 {
            memory.put(&number.to_string(), large.clone(), LONGEST).await.unwrap();
            memory.slots.run_pending_tasks();
        }
        assert!(memory.get("49").await.unwrap().is_some());
        assert!(memory.get("0").await.unwrap().is_none());
        assert!(memory.slots.weighted_size() <= 100_000);
    }

    #[tokio::test]
    async fn a_value_does_not_pin_the_buffer_it_came_in() {
        let memory = MemoryStore::new();
        let buffer = Bytes::from(vec![b'1'; 1_000_000]);
        memory.put("a", buffer.slice(..10), LONGEST).await.unwrap();
        assert!(buffer.is_unique());
    }
}
