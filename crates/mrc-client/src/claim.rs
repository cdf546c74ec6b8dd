//! Claims: the right to fill a key, and the wait for somebody else who has it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mrc_store::{CacheStore, Claim, Life, StoreError, Terms, Token};
use rand::Rng;
use tokio::time::{Instant, sleep};

use crate::flight::Leader;

/// The first pause between two looks at a key that somebody else fills, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// How a client claims.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claims {
    pub(crate) lease: Duration,
    pub(crate) wait_max: Duration,
}

/// How a wait for a key ended.
pub(crate) enum Waited {
    /// The claim is ours.
    Granted(Held),
    /// Somebody else has filled the key.
    Hit { json: Bytes, waited: Duration },
    /// Somebody else still fills the key.
    TooLong,
    /// The store failed.
    Failed(StoreError),
}

impl Claims {
    /// Claims `key`, or waits while somebody else fills it.
    pub(crate) async fn claim(
        &self,
        store: &Arc<dyn CacheStore>,
        key: &str,
        copy: bool,
        leader: &Leader<'_>,
    ) -> Waited {
        let terms = Terms::fill(self.lease).copy(copy);
        let began = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            // A claim may return a value: that is a read too.
            leader.begin_read();
            let (answer, held) = self.try_claim(store, key, terms).await;
            let busy_for = match answer {
                Ok(Claim::Granted) => return Waited::Granted(held),
                Ok(Claim::Hit(json)) => {
                    held.forget();
                    return Waited::Hit { json, waited: began.elapsed() };
                }
                Ok(Claim::Busy { lease_left }) => {
                    held.forget();
                    lease_left
                }
                // The claim may have been granted all the same: dropping it releases it.
                Err(error) => return Waited::Failed(error),
            };
            let left = self.wait_max.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Waited::TooLong;
            }
            let jittered = pause.mul_f64(rand::rng().random_range(0.5..1.0));
            sleep(jittered.min(left).min(busy_for.unwrap_or(left).max(PAUSES.0))).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Claims `key` once. What may stand at the store is to be filled, released or, if the answer says that it doesn't, forgotten.
    pub(crate) async fn try_claim(
        &self,
        store: &Arc<dyn CacheStore>,
        key: &str,
        terms: Terms,
    ) -> (Result<Claim, StoreError>, Held) {
        // After an unknown outcome a token is never used again: each attempt has its own.
        let token = Token::from_bits(rand::rng().random());
        let held = Held::new(store, key, token.clone());
        (store.claim(key, &token, terms).await, held)
    }
}

/// A claim that may stand at the store. Dropped, it is released in the background; whatever happens, it ends with its lease.
#[derive(Debug)]
pub(crate) struct Held(Option<Open>);

#[derive(Debug)]
struct Open {
    store: Arc<dyn CacheStore>,
    key: Box<str>,
    token: Token,
}

impl Held {
    fn new(store: &Arc<dyn CacheStore>, key: &str, token: Token) -> Self {
        Self(Some(Open { store: Arc::clone(store), key: key.into(), token }))
    }

    /// Stores the value if the claim still stands.
    pub(crate) async fn fill(mut self, json: Bytes, life: Life) -> Result<bool, StoreError> {
        let Some(open) = &self.0 else { return Ok(false) };
        let filled = open.store.fill(&open.key, &open.token, json, life).await?;
        self.0 = None;
        Ok(filled)
    }

    /// Ends the claim without a value.
    pub(crate) async fn release(mut self) {
        if let Some(open) = &self.0 {
            // A claim that can't be released ends with its lease.
            let _ = open.store.release(&open.key, &open.token).await;
        }
        self.0 = None;
    }

    pub(crate) fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (Some(open), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else { return };
        runtime.spawn(async move {
            let _ = open.store.release(&open.key, &open.token).await;
        });
    }
}
