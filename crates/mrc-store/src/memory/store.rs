//! The plain store: a slot for each key, and the structures of the bounded caches beside them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use moka::Expiry;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use mrc_core::Tag;
use tokio::time::Instant;

use super::books::Follower;
use super::entry::{Slot, Text};
use super::structure::Structures;
use super::tags::Index;
use crate::error::StoreError;
use crate::store::{KeyPages, ScanPattern, storable};
use crate::tags::Tags;

/// The approximate bytes of an entry besides its key and its value.
const OVERHEAD: usize = 250;
const KEYS_A_PAGE: usize = 1_000;

/// The cache in the memory of this process: for tests, and for programs that run alone.
///
/// Other processes don't share it, so an invalidation reaches this process only. When it is full,
/// it evicts the least recently used entries.
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
    pub(super) slots: Cache<Bytes, Slot>,
    pub(super) index: Index,
    pub(super) structures: Structures,
    pub(super) closed: AtomicBool,
    pub(super) followers: Mutex<HashMap<String, Follower>>,
}

impl MemoryStore {
    /// Returns a store of 64 MiB.
    pub fn new() -> Self {
        Self::with_capacity(64 * 1024 * 1024)
    }

    /// Returns a store of about `bytes` bytes: keys, values, tags, and some 250 bytes an entry.
    pub fn with_capacity(bytes: u64) -> Self {
        let slots = Cache::builder()
            .max_capacity(bytes)
            .weigher(weight)
            // The default policy may refuse a new entry, but a claim must stay.
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(ByExpiry)
            .build();
        Self {
            slots,
            index: Index::new(),
            structures: Structures::default(),
            closed: AtomicBool::new(false),
            followers: Mutex::default(),
        }
    }

    /// Runs one step of the protocol. No other call sees or changes the slot meanwhile.
    pub(super) fn step<T>(&self, key: &[u8], step: impl FnOnce(&mut Slot, Instant) -> T) -> Result<T, StoreError> {
        self.check_open()?;
        let mut result = None;
        self.slots.entry(Bytes::copy_from_slice(key)).and_compute_with(|entry| {
            let was_there = entry.is_some();
            let now = Instant::now();
            let mut slot = entry.map(|entry| entry.into_value().expire(now)).unwrap_or_default();
            result = Some(step(&mut slot, now));
            match (slot.is_vacant(), was_there) {
                (true, true) => Op::Remove,
                (true, false) => Op::Nop,
                (false, _) => Op::Put(slot),
            }
        });
        // Only if moka never called the closure.
        result.ok_or(StoreError::Closed)
    }

    /// Returns the slot without the parts that have expired.
    pub(super) fn peek(&self, key: &[u8]) -> Result<Slot, StoreError> {
        self.check_open()?;
        Ok(self.slots.get(key).map(|slot| slot.expire(Instant::now())).unwrap_or_default())
    }

    pub(super) fn register(&self, key: &[u8], tags: &Tags, life: Duration) -> bool {
        if tags.is_empty() {
            return true;
        }
        self.index.sweep(|key, tag| self.may_have(key, tag));
        self.index.register(key, tags, life)
    }

    /// Returns whether the entry has this tag, or may get it.
    pub(super) fn may_have(&self, key: &Bytes, tag: &Tag) -> bool {
        if let Some((structure, field)) = self.structures.of_member(key) {
            return structure.may_have(&field, std::slice::from_ref(tag));
        }
        self.peek(key).is_ok_and(|slot| slot.may_have(std::slice::from_ref(tag)))
    }

    pub(super) fn keys(&self, pattern: &ScanPattern) -> Result<Vec<Bytes>, StoreError> {
        self.check_open()?;
        let now = Instant::now();
        let found = self.slots.iter().filter(|(key, slot)| pattern.matches(key) && slot.clone().expire(now).is_there());
        let found = found.map(|(key, _)| Bytes::clone(&key));
        Ok(found.chain(self.structures.keys().into_iter().filter(|key| pattern.matches(key))).collect())
    }

    pub(super) fn check_open(&self) -> Result<(), StoreError> {
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

/// Frees an entry when its last part expires. Reads check each part themselves.
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

pub(super) fn pages<'a>(keys: Result<Vec<Bytes>, StoreError>) -> KeyPages<'a> {
    let pages = match keys {
        Ok(keys) => keys.chunks(KEYS_A_PAGE).map(|page| Ok(page.to_vec())).collect(),
        Err(error) => vec![Err(error)],
    };
    stream::iter(pages).boxed()
}

/// Returns a copy that keeps no larger buffer alive.
pub(super) fn own(value: Bytes) -> Result<Bytes, StoreError> {
    storable(value).map(|value| Bytes::copy_from_slice(&value))
}
