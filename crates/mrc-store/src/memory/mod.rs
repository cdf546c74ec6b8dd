//! The cache in this process's memory, by moka: the seam's reference, so it is written to be read.

mod books;
mod bounded;
mod entry;
mod queue;
mod store;
mod structure;
mod tags;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use mrc_core::Tag;
use mrc_core::depends::SchemeName;
use tokio::time::Instant;

use self::books::Written;
use self::bounded::BoundedMemory;
use self::entry::{Text, after};
use self::store::{own, pages};
use crate::books::{Advance, Checkpoint, Checkpoints, Lease, Reached, Registry, Schemes};
use crate::bound::Bound;
use crate::error::StoreError;
use crate::lock::lock;
use crate::store::{CacheStore, Claim, KeyPages, Life, RESERVED, ScanPattern, Terms, Token};
use crate::tags::{Found, Moment, all_of};

pub use self::store::MemoryStore;

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
        self.step(checked(key)?, |slot, now| slot.claim(token, terms, None, now))
    }

    async fn fill(&self, key: &str, token: &Token, value: Bytes, life: Life) -> Result<bool, StoreError> {
        let value = own(value)?;
        life.tags.check()?;
        self.check_open()?;
        // The index comes first: an invalidation in between finds the key there, with its claim.
        if !self.register(checked(key)?, &life.tags, life.of_copy()) {
            self.release(key, token).await?;
            return Ok(false);
        }
        let (ttl, of_copy, has_copy) = (life.ttl, life.of_copy(), life.has_copy());
        let tags = Arc::new(life.tags);
        self.step(checked(key)?, |slot, now| {
            let copy = has_copy.then(|| Text::new(value.clone(), tags.clone(), after(now, of_copy)));
            slot.fill(token, Text::new(value, tags, after(now, ttl)), copy)
        })
    }

    async fn release(&self, key: &str, token: &Token) -> Result<bool, StoreError> {
        self.step(checked(key)?, |slot, _| slot.release(token))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        let value = own(value)?;
        self.step(checked(key)?, |slot, now| slot.put(Text::new(value, Arc::default(), after(now, ttl))))
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        Ok(self.peek(checked(key)?)?.value().map(|text| text.left(None, Instant::now())))
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
            removed += u64::from(self.step(key, |slot, _| slot.remove())?);
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
                Some((structure, field)) => structure.change(&field, |slot| slot.invalidate(&tags)),
                None => self.step(&key, |slot, _| slot.invalidate(&tags))?,
            });
        }
        self.index.prune(rarest, |key, tag| self.may_have(key, tag));
        Ok(removed)
    }

    fn bounded(self: Arc<Self>, namespace: &str, bound: &Bound) -> Result<Arc<dyn CacheStore>, StoreError> {
        Ok(Arc::new(BoundedMemory::new(self, namespace, bound)?))
    }

    fn as_checkpoints(&self) -> Option<&dyn Checkpoints> {
        Some(self)
    }

    fn as_schemes(&self) -> Option<&dyn Schemes> {
        Some(self)
    }

    fn scan(&self, pattern: &ScanPattern) -> KeyPages<'_> {
        pages(self.keys(pattern))
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

#[async_trait]
impl Checkpoints for MemoryStore {
    async fn checkpoint(&self, name: &str) -> Result<Option<Checkpoint>, StoreError> {
        self.check_open()?;
        let all = lock(&self.followers);
        Ok(all.get(name).and_then(|follower| {
            let Written { position, at, lag, by_schemes } = follower.position()?.clone();
            let leader = follower.lease().map(|(leader, _)| leader.as_str().to_owned());
            Some(Checkpoint { position, age: at.elapsed(), lag, by_schemes, leader })
        }))
    }

    async fn advance(
        &self,
        name: &str,
        owner: &Token,
        from: Option<&str>,
        to: Reached<'_>,
    ) -> Result<Advance, StoreError> {
        self.check_open()?;
        let mut all = lock(&self.followers);
        let Some(follower) = all.get_mut(name).filter(|follower| follower.is_led_by(owner)) else {
            return Ok(Advance::NoLease);
        };
        let found = follower.position().map(|written| written.position.clone());
        if found.as_deref() != from && found.as_deref() != Some(to.position) {
            return Ok(Advance::Differs(found));
        }
        let Reached { position, lag, by_schemes } = to;
        follower.position = Some(Written { position: position.to_owned(), at: Instant::now(), lag, by_schemes });
        Ok(Advance::Done)
    }

    async fn lease(&self, name: &str, owner: &Token, life: Duration) -> Result<Lease, StoreError> {
        self.check_open()?;
        let mut all = lock(&self.followers);
        let follower = all.entry(name.to_owned()).or_default();
        if let Some((leader, until)) = follower.lease()
            && leader != owner
        {
            return Ok(Lease::Taken { left: until.duration_since(Instant::now()) });
        }
        follower.lease = Some((owner.clone(), Instant::now() + life));
        Ok(Lease::Ours)
    }

    async fn end_lease(&self, name: &str, owner: &Token) -> Result<(), StoreError> {
        if let Some(follower) = lock(&self.followers).get_mut(name).filter(|follower| follower.is_led_by(owner)) {
            follower.lease = None;
        }
        Ok(())
    }
}

#[async_trait]
impl Schemes for MemoryStore {
    async fn register(&self, schemes: &[SchemeName]) -> Result<Vec<SchemeName>, StoreError> {
        self.check_open()?;
        Ok(self.index.register_schemes(schemes))
    }

    async fn registry(&self, known: Option<Moment>) -> Result<Option<Registry>, StoreError> {
        self.check_open()?;
        Ok(self.index.with_schemes(|schemes| schemes.registry(known)))
    }
}

/// Returns the bytes of a key that isn't reserved.
fn checked(key: &str) -> Result<&[u8], StoreError> {
    if key.as_bytes().starts_with(RESERVED) { Err(StoreError::OWN_KEY) } else { Ok(key.as_bytes()) }
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance::store;
    use crate::store::LONGEST;

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
        // A fill has registered its tags when the invalidation comes.
        assert!(memory.register(b"k", &tags, LONGEST));
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
    async fn a_full_store_evicts_the_least_recently_used_entry() {
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
