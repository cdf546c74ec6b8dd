//! Claims: the right to fill a key, and the wait for somebody else who has it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use mrc_store::{CacheStore, Claim, ClaimMode, Life, Moment, StoreError, Terms, Token};
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, UnitWeighter};
use rand::Rng;
use tokio::time::{Instant, sleep};

use crate::call::{Call, Options};
use crate::compute::Compute;

/// The first pause between two looks at a key that somebody else fills, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// How many claims are remembered that were waited out.
const WAITED_OUT: u64 = 10_000;

/// How a client claims.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) lease: Duration,
    wait_max: Duration,
    /// By the hash of its key: when the lease of a claim ends that was waited for in vain. Its holder may be dead, and then every call would
    /// wait for `wait_max`. Two keys that share a hash cost a query, and no wrong answer.
    waited_out: Cache<u64, Instant>,
    hasher: DefaultHashBuilder,
}

/// What is asked of a claim.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asks {
    pub(crate) mode: ClaimMode,
    /// Whether a copy of the value is to outlive it.
    pub(crate) copy: bool,
    /// Whether the entry may have tags.
    pub(crate) tags: bool,
}

impl Asks {
    pub(super) fn new<C: Compute>(call: &Call, mode: ClaimMode) -> Self {
        Self { mode, copy: call.has_copy(), tags: C::TAGS || !call.tags.is_empty() }
    }
}

/// How a wait for a key ended.
pub(crate) enum Waited {
    /// The claim is ours.
    Granted(Held),
    /// Somebody else has filled the key.
    Hit { value: Bytes, waited: Duration },
    /// Somebody else still fills the key.
    TooLong,
    /// The store failed.
    Failed(StoreError),
}

impl Claims {
    pub(crate) fn new(lease: Duration, wait_max: Duration) -> Self {
        Self {
            lease,
            wait_max,
            // Room for a few at first: most claims are filled in time.
            waited_out: Cache::with_weighter(100, WAITED_OUT, UnitWeighter),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Claims `key`, or waits while somebody else fills it: once for each claim. Tells before each look that it looks.
    pub(crate) async fn claim(&self, store: &Arc<dyn CacheStore>, key: &str, asks: &Asks, looks: impl Fn()) -> Waited {
        let began = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            looks();
            let (answer, held) = self.try_claim(store, key, asks).await;
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
                // The claim may have been granted all the same: dropping it releases it.
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
            let jittered = pause.mul_f64(rand::rng().random_range(0.5..1.0));
            sleep(jittered.min(left).min(busy_for.unwrap_or(left).max(PAUSES.0))).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Whether the claim that stands is one that was waited out before. A later claim ends later: it was made after the wait for the
    /// other, so by `wait_max` or more. Half of that is left for replies that were late.
    fn is_waited_out(&self, key: &str, busy_for: Option<Duration>) -> bool {
        let Some(ends) = self.waited_out.get(&self.hasher.hash_one(key)) else { return false };
        let left = ends.saturating_duration_since(Instant::now());
        !left.is_zero() && busy_for.is_none_or(|busy_for| busy_for <= left + self.wait_max / 2)
    }

    /// Claims `key` once. What may stand at the store is to be filled, released or, if the answer says that it doesn't, forgotten.
    pub(crate) async fn try_claim(
        &self,
        store: &Arc<dyn CacheStore>,
        key: &str,
        asks: &Asks,
    ) -> (Result<Claim, StoreError>, Held) {
        // After an unknown outcome a token is never used again: each attempt has its own.
        let token = Token::from_bits(rand::rng().random());
        let mut held = Held::new(store, key, token.clone());
        let terms = Terms { lease: self.lease, mode: asks.mode, copy: asks.copy };
        if !asks.tags {
            return (store.claim(key, &token, terms).await, held);
        }
        // Side by side: both before anything is read.
        match join(store.claim(key, &token, terms), store.now()).await {
            (Ok(claim), Ok(now)) => {
                held.moment = now;
                (Ok(claim), held)
            }
            (Err(error), _) | (_, Err(error)) => (Err(error), held),
        }
    }
}

/// A claim that may stand at the store. Dropped, it is released in the background; whatever happens, it ends with its lease.
#[derive(Debug)]
pub(crate) struct Held {
    open: Option<Open>,
    moment: Moment,
}

#[derive(Debug)]
struct Open {
    store: Arc<dyn CacheStore>,
    key: Box<str>,
    token: Token,
}

impl Held {
    fn new(store: &Arc<dyn CacheStore>, key: &str, token: Token) -> Self {
        Self { open: Some(Open { store: Arc::clone(store), key: key.into(), token }), moment: Moment::default() }
    }

    /// The store's clock when the claim was made, if tags were asked for: invalidations after that count.
    pub(crate) fn moment(&self) -> Moment {
        self.moment
    }

    /// Stores the value if the claim still stands.
    pub(crate) async fn fill(mut self, json: Bytes, life: Life) -> Result<bool, StoreError> {
        let Some(open) = &self.open else { return Ok(false) };
        let filled = open.store.fill(&open.key, &open.token, json, life).await?;
        self.open = None;
        Ok(filled)
    }

    /// Ends the claim without a value.
    pub(crate) async fn release(mut self) {
        if let Some(open) = &self.open {
            // A claim that can't be released ends with its lease.
            let _ = open.store.release(&open.key, &open.token).await;
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
            let _ = open.store.release(&open.key, &open.token).await;
        });
    }
}
