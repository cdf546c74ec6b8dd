//! The bookkeeping of followers, in memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::checkpoint::POSITION_KEPT;
use crate::lock::lock;
use crate::store::Token;

/// The positions and leases, by name.
#[derive(Default)]
pub(super) struct Followers(Mutex<HashMap<String, Follower>>);

#[derive(Default)]
pub(super) struct Follower {
    pub(super) position: Option<Written>,
    pub(super) lease: Option<(Token, Instant)>,
}

#[derive(Clone)]
pub(super) struct Written {
    pub(super) position: String,
    pub(super) at: Instant,
    pub(super) lag: Duration,
    pub(super) by_schemes: bool,
}

impl Follower {
    /// Returns the position, unless it has expired.
    pub(super) fn position(&self) -> Option<&Written> {
        self.position.as_ref().filter(|written| written.at.elapsed() < POSITION_KEPT)
    }

    /// Returns the lease, unless it has ended.
    pub(super) fn lease(&self) -> Option<&(Token, Instant)> {
        self.lease.as_ref().filter(|(_, until)| *until > Instant::now())
    }

    pub(super) fn is_led_by(&self, owner: &Token) -> bool {
        self.lease().is_some_and(|(leader, _)| leader == owner)
    }
}

impl Followers {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<String, Follower>> {
        lock(&self.0)
    }
}
