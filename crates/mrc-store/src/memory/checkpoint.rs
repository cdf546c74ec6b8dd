//! The bookkeeping of followers, in memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::store::MemoryStore;
use crate::checkpoint::{Advance, Checkpoint, Checkpoints, Lease, POSITION_KEPT};
use crate::error::StoreError;
use crate::store::Token;

/// The positions and leases, by name.
#[derive(Default)]
pub(super) struct Followers(Mutex<HashMap<String, Follower>>);

#[derive(Default)]
struct Follower {
    position: Option<(String, Instant)>,
    lease: Option<(Token, Instant)>,
}

impl Follower {
    /// Returns the position, unless it has expired.
    fn position(&self) -> Option<&(String, Instant)> {
        self.position.as_ref().filter(|(_, at)| at.elapsed() < POSITION_KEPT)
    }

    /// Returns the lease, unless it has ended.
    fn lease(&self) -> Option<&(Token, Instant)> {
        self.lease.as_ref().filter(|(_, until)| *until > Instant::now())
    }

    fn is_led_by(&self, owner: &Token) -> bool {
        self.lease().is_some_and(|(leader, _)| leader == owner)
    }
}

impl Followers {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Follower>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Checkpoints for MemoryStore {
    async fn checkpoint(&self, name: &str) -> Result<Option<Checkpoint>, StoreError> {
        self.check_open()?;
        let all = self.followers.lock();
        Ok(all.get(name).and_then(|follower| {
            let (position, at) = follower.position()?.clone();
            let leader = follower.lease().map(|(leader, _)| leader.as_str().to_owned());
            Some(Checkpoint { position, age: at.elapsed(), leader })
        }))
    }

    async fn advance(&self, name: &str, owner: &Token, from: Option<&str>, to: &str) -> Result<Advance, StoreError> {
        self.check_open()?;
        let mut all = self.followers.lock();
        let Some(follower) = all.get_mut(name).filter(|follower| follower.is_led_by(owner)) else {
            return Ok(Advance::NoLease);
        };
        let found = follower.position().map(|(position, _)| position.clone());
        if found.as_deref() != from && found.as_deref() != Some(to) {
            return Ok(Advance::Differs(found));
        }
        follower.position = Some((to.to_owned(), Instant::now()));
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
