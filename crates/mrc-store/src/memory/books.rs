//! The bookkeeping of followers: their positions and leases, and the registry of schemes.

use std::time::Duration;

use async_trait::async_trait;
use mrc_core::depends::SchemeName;
use tokio::time::Instant;

use super::checkpoint::Written;
use super::store::MemoryStore;
use crate::checkpoint::{Advance, Checkpoint, Checkpoints, Lease, Reached};
use crate::error::StoreError;
use crate::schemes::{Registry, Schemes};
use crate::store::Token;
use crate::tags::Moment;

#[async_trait]
impl Checkpoints for MemoryStore {
    async fn checkpoint(&self, name: &str) -> Result<Option<Checkpoint>, StoreError> {
        self.check_open()?;
        let all = self.followers.lock();
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
        let mut all = self.followers.lock();
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
        let mut all = self.followers.lock();
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
        if let Some(follower) = self.followers.lock().get_mut(name).filter(|follower| follower.is_led_by(owner)) {
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
