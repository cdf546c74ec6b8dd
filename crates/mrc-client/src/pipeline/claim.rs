//! Claims: the right to fill a key, and the wait for another claimant.

use std::time::Duration;

use bytes::Bytes;
use mrc_store::{Claim, ClaimMode, Life, Moment, StoreError, Terms, Token};
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, UnitWeighter};
use rand::Rng;
use tokio::time::{Instant, sleep};

use super::gather::Way;
use crate::call::Options;

/// The first and the longest pause between two looks at a key that another claimant fills.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// The number of waited-out claims that are remembered.
const WAITED_OUT: u64 = 10_000;

#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) lease: Duration,
    wait_max: Duration,
    /// The end of the lease of each claim that this client waited for in vain, by the hash of its
    /// key. The holder may be dead, and each call would wait for `wait_max` again. Two keys with
    /// one hash cost a query, never a wrong answer.
    waited_out: Cache<u64, Instant>,
    hasher: DefaultHashBuilder,
}

/// The terms of a claim.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asks {
    pub(crate) mode: ClaimMode,
    /// Whether a stale copy is to outlive the value.
    pub(crate) copy: bool,
    /// Whether the entry may have tags.
    pub(crate) tags: bool,
}

pub(crate) enum Waited {
    /// This caller holds the claim.
    Granted(Held),
    /// Another claimant has filled the key.
    Hit { value: Bytes, waited: Duration },
    /// Another claimant still fills the key.
    TooLong,
    /// The store failed.
    Failed(StoreError),
}

impl Claims {
    pub(crate) fn new(lease: Duration, wait_max: Duration) -> Self {
        Self {
            lease,
            wait_max,
            // Starts small: most claims are filled in time.
            waited_out: Cache::with_weighter(100, WAITED_OUT, UnitWeighter),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Claims `key`, or waits for another claimant, once a claim. Calls `looks` before each look.
    pub(crate) async fn claim(&self, way: &Way, key: &str, asks: &Asks, looks: impl Fn()) -> Waited {
        let began = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            looks();
            let (answer, held) = self.try_claim(way, key, asks).await;
            let busy_for = match answer {
                Ok(Claim::Granted) => return Waited::Granted(held),
                Ok(Claim::Hit(value)) => {
                    held.forget();
                    return Waited::Hit { value, waited: began.elapsed() };
                }
                Ok(Claim::Busy { lease_left }) => {
                    held.forget();
                    lease_left
                }
                // The store may have granted the claim all the same: dropping `held` releases it.
                Err(error) => return Waited::Failed(error),
            };
            let left = self.wait_max.saturating_sub(began.elapsed());
            if self.is_waited_out(key, busy_for) {
                return Waited::TooLong;
            }
            if left.is_zero() {
                let ends = Instant::now() + busy_for.unwrap_or(self.lease).min(Options::LONGEST);
                self.waited_out.insert(self.hasher.hash_one(key), ends);
                return Waited::TooLong;
            }
            // Jitter spreads the waiters. A pause ends with the wait, or with the other lease.
            let jittered = pause.mul_f64(rand::rng().random_range(0.5..1.0));
            sleep(jittered.min(left).min(busy_for.unwrap_or(left).max(PAUSES.0))).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Returns whether the standing claim was waited out before. A later claim was made after the
    /// wait for the first, so it ends `wait_max` later at least. Half of it allows for slow
    /// replies.
    fn is_waited_out(&self, key: &str, busy_for: Option<Duration>) -> bool {
        let Some(ends) = self.waited_out.get(&self.hasher.hash_one(key)) else { return false };
        let left = ends.saturating_duration_since(Instant::now());
        !left.is_zero() && busy_for.is_none_or(|busy_for| busy_for <= left + self.wait_max / 2)
    }

    /// Claims `key` once. The caller fills or releases the returned claim, or forgets it if the
    /// answer says that it doesn't stand at the store.
    pub(crate) async fn try_claim(&self, way: &Way, key: &str, asks: &Asks) -> (Result<Claim, StoreError>, Held) {
        // Each attempt has its own token: after an unknown outcome a token is never used again.
        let token = Token::from_bits(rand::rng().random());
        // Made before the claim is sent, so that a cancelled call releases its claim.
        let open = Open { way: way.clone(), key: key.into(), token: token.clone() };
        let mut held = Held { open: Some(open), moment: Moment::default() };
        let terms = Terms::new(self.lease, asks.mode).copy(asks.copy);
        // Both end before the read, so the value is newer than any invalidation before `now`.
        match way.claim(key, &token, terms, asks.tags).await {
            Ok((claim, now)) => {
                held.moment = now;
                (Ok(claim), held)
            }
            Err(error) => (Err(error), held),
        }
    }
}

/// A claim that may stand at the store. A drop releases it in the background, or its lease ends it.
pub(crate) struct Held {
    open: Option<Open>,
    /// The store's clock at the claim, if tags were asked for. Later invalidations count.
    pub(crate) moment: Moment,
}

struct Open {
    way: Way,
    key: Box<str>,
    token: Token,
}

impl Held {
    /// Stores the value if the claim still stands. Returns whether the store accepted it.
    pub(crate) async fn fill(mut self, json: Bytes, life: Life) -> Result<bool, StoreError> {
        let Some(open) = &self.open else { return Ok(false) };
        // `open` stays set until the answer: an error or a cancellation releases the claim.
        let filled = open.way.fill(&open.key, &open.token, json, life).await?;
        self.open = None;
        Ok(filled)
    }

    pub(crate) async fn release(mut self) {
        if let Some(open) = &self.open {
            // A claim that can't be released ends with its lease.
            let _ = open.way.release(&open.key, &open.token).await;
        }
        self.open = None;
    }

    pub(crate) fn forget(mut self) {
        self.open = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (Some(open), Ok(runtime)) = (self.open.take(), tokio::runtime::Handle::try_current()) else { return };
        runtime.spawn(async move {
            let _ = open.way.release(&open.key, &open.token).await;
        });
    }
}
