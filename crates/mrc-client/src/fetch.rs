//! The one path from a key to its value: queries, functions and macros all go through it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mrc_core::{Bypass, Event, EventListener, Key};
use mrc_store::StoreError;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::claim::{Claims, Held, Waited};
use crate::error::Error;
use crate::flight::{Flights, Follower, Leader, Seat};
use crate::store::Store;

/// After so many flights whose values were not for this caller, it computes by itself.
const FLIGHTS: usize = 3;

#[derive(Debug)]
pub(crate) struct Pipeline {
    store: Store,
    claims: Claims,
    flights: Flights,
    events: Events,
}

impl Pipeline {
    pub(crate) fn new(store: Store, claims: Claims, events: Events) -> Self {
        Self { store, claims, flights: Flights::default(), events }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    /// The value of `key`: from the cache, or computed by one caller for all and stored for `ttl`.
    pub(crate) async fn fetch<F, Fut>(&self, key: &Key, ttl: Duration, compute: F) -> Result<Answer, Error>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Bytes, Error>>,
    {
        if let Some(ambiguity) = key.ambiguity() {
            return self.bypass(key.as_str(), &Bypass::Ambiguous(ambiguity), compute).await;
        }
        let key = key.as_str();
        for _ in 0..FLIGHTS {
            match self.store.get(key).await {
                Ok(Some(json)) => {
                    self.events.emit(&Event::Hit { key });
                    return Ok(Answer::cached(json));
                }
                Ok(None) => {}
                Err(error) => {
                    let error = error.to_string();
                    return self.detour(key, &Bypass::StoreFailed { command: "get", error: &error }, compute).await;
                }
            }
            match self.flights.join(key) {
                Seat::Leader(leader) => return self.lead(key, ttl, leader, compute).await,
                Seat::Follower(follower) => {
                    if let Some(outcome) = self.follow(key, follower).await {
                        return outcome;
                    }
                }
            }
        }
        self.detour(key, &Bypass::WaitedTooLong, compute).await
    }

    /// Claims the key, computes its value, fills it in, and hands it to the followers.
    async fn lead<F, Fut>(&self, key: &str, ttl: Duration, leader: Leader<'_>, compute: F) -> Result<Answer, Error>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Bytes, Error>>,
    {
        let claim = match self.claims.claim(self.store.shared(), key, &leader).await {
            Waited::Hit { json, waited } => {
                self.events.emit(&Event::Followed { key, waited });
                let answer = Answer::cached(json);
                leader.land(Ok(answer.clone()), false);
                return Ok(answer.followed());
            }
            Waited::Granted(claim) => claim,
            Waited::TooLong => {
                self.events.emit(&Event::Bypassed { key, why: Bypass::WaitedTooLong });
                return read_alone(leader, compute).await;
            }
            Waited::Failed(error) => {
                self.away(key, "claim", &error);
                return read_alone(leader, compute).await;
            }
        };
        self.events.emit(&Event::Miss { key });

        leader.begin_read();
        let outcome = compute().await;
        // Whoever comes from now on may come after an invalidation that the fill can't see any more.
        leader.close();
        let accepted = match &outcome {
            Ok(json) => self.fill(key, claim, json, ttl).await,
            Err(_) => {
                claim.release().await;
                false
            }
        };
        let outcome = outcome.map(Answer::computed);
        leader.land(outcome.clone(), accepted);
        outcome
    }

    async fn follow(&self, key: &str, follower: Follower) -> Option<Result<Answer, Error>> {
        let began = Instant::now();
        let outcome = follower.outcome().await?;
        self.events.emit(&Event::Followed { key, waited: began.elapsed() });
        Some(outcome.map(Answer::followed))
    }

    /// Goes round the cache, together with the other callers of this process that do.
    async fn detour<F, Fut>(&self, key: &str, why: &Bypass<'_>, compute: F) -> Result<Answer, Error>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Bytes, Error>>,
    {
        for _ in 0..FLIGHTS {
            match self.flights.join(key) {
                Seat::Leader(leader) => {
                    self.events.emit(&Event::Bypassed { key, why: why.clone() });
                    return read_alone(leader, compute).await;
                }
                Seat::Follower(follower) => {
                    if let Some(outcome) = self.follow(key, follower).await {
                        return outcome;
                    }
                }
            }
        }
        self.bypass(key, why, compute).await
    }

    async fn fill(&self, key: &str, claim: Held, json: &Bytes, ttl: Duration) -> bool {
        match claim.fill(json.clone(), ttl).await {
            Ok(true) => {
                self.events.emit(&Event::Filled { key, ttl, bytes: json.len() });
                true
            }
            Ok(false) => {
                self.events.emit(&Event::Refused { key });
                false
            }
            Err(error) => {
                self.away(key, "fill", &error);
                false
            }
        }
    }

    fn away(&self, key: &str, command: &'static str, error: &StoreError) {
        let error = error.to_string();
        self.events.emit(&Event::Bypassed { key, why: Bypass::StoreFailed { command, error: &error } });
    }

    /// Computes the value and leaves the cache alone.
    async fn bypass<F, Fut>(&self, key: &str, why: &Bypass<'_>, compute: F) -> Result<Answer, Error>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Bytes, Error>>,
    {
        self.events.emit(&Event::Bypassed { key, why: why.clone() });
        compute().await.map(Answer::computed)
    }
}

/// Computes the value without the cache, once for all who came before the computation began. Whoever comes later waits for the next.
async fn read_alone<F, Fut>(mut leader: Leader<'_>, compute: F) -> Result<Answer, Error>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<Bytes, Error>>,
{
    leader.turn().await;
    leader.begin_read();
    leader.close();
    let outcome = compute().await.map(Answer::computed);
    leader.land(outcome.clone(), false);
    outcome
}

/// The listeners of a client.
#[derive(Clone, Default)]
pub(crate) struct Events(pub(crate) Vec<Arc<dyn EventListener>>);

impl Events {
    pub(crate) fn emit(&self, event: &Event<'_>) {
        // A key holds the values of params: it goes to listeners that asked for it, not to a log.
        if let Event::Bypassed { why, .. } = event {
            tracing::warn!(target: "mrc", ?why, "the cache was bypassed");
        }
        for listener in &self.0 {
            listener.on_event(event);
        }
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} listeners", self.0.len())
    }
}
