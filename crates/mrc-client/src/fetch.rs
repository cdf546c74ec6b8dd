//! The one path from a key to its value: queries, functions and macros all go through it.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use mrc_core::{Bypass, Event, Key};
use mrc_store::StoreError;
use tokio::time::{Instant, timeout_at};

use crate::answer::Answer;
use crate::call::{Call, Compute};
use crate::claim::{Claims, Held, Waited};
use crate::deadline::traced;
use crate::error::Error;
use crate::events::Events;
use crate::flight::{Flights, Follower, Leader, Seat};
use crate::refresh::Refreshes;
use crate::store::Store;

/// After so many flights whose values were not for this caller, it computes by itself.
const FLIGHTS: usize = 3;

#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) store: Store,
    pub(crate) claims: Claims,
    pub(crate) flights: Flights,
    pub(crate) refreshes: Refreshes,
    pub(crate) events: Arc<Events>,
    /// Larger values are neither stored nor taken.
    pub(crate) max_value: usize,
}

impl Pipeline {
    /// The value of `key`: from the cache, or computed by one caller for all and stored.
    pub(crate) async fn fetch<C: Compute>(
        self: &Arc<Self>,
        key: &Key,
        call: &Call,
        compute: C,
    ) -> Result<Answer, Error> {
        let began = Instant::now();
        if let Some(ambiguity) = key.ambiguity() {
            let (key, why) = (key.as_str(), Bypass::Ambiguous(ambiguity));
            let bypass = self.bypass(key, &why, compute.run());
            return Box::pin(self.in_time(key, call, began + call.options.deadline, bypass)).await;
        }
        let key = key.as_str();
        // The one await of a hit, and as flat as can be: the compiler lays the futures of a call chain out one inside the other, and has a
        // limit for how deep. What isn't a hit goes on in a box.
        let looked = match self.store.shared().patience() {
            patience if patience <= call.options.deadline => self.store.get(key).await,
            // Half of the time is left for the database.
            _ => Box::pin(self.look_in_time(key, began + call.options.deadline / 2)).await,
        };
        let json = match looked {
            Ok(Some(json)) if self.check(&json, call).is_ok() => json,
            looked => return Box::pin(traced(self.miss(key, call, began, looked, compute))).await,
        };
        self.events.emit(&Event::Hit { key });
        if call.options.early_refresh.is_zero() || !self.refreshes.is_due(key, began) {
            return Ok(Answer::cached(json));
        }
        Ok(Box::pin(self.refresh(key, call, json, compute)).await)
    }

    /// A look at a store that may take longer than the call.
    async fn look_in_time(&self, key: &str, ends: Instant) -> Result<Option<Bytes>, StoreError> {
        let limit = ends.saturating_duration_since(Instant::now());
        timeout_at(ends, self.store.get(key)).await.unwrap_or(Err(StoreError::Timeout(limit)))
    }

    /// What the cache has, if it is of use. What isn't, goes.
    async fn look(&self, key: &str, call: &Call) -> Result<Option<Bytes>, StoreError> {
        let json = self.store.get(key).await?;
        self.without_bad_values(key, call, json).await
    }

    pub(crate) async fn without_bad_values(
        &self,
        key: &str,
        call: &Call,
        json: Option<Bytes>,
    ) -> Result<Option<Bytes>, StoreError> {
        let Some(wrong) = json.as_ref().and_then(|json| self.check(json, call).err()) else { return Ok(json) };
        self.discard(key, &wrong).await?;
        Ok(None)
    }

    /// One attempt after the other, until a flight has an outcome for this caller. `looked` says how the first look ended.
    pub(crate) async fn attempt(
        &self,
        key: &str,
        call: &Call,
        mut looked: Result<(), StoreError>,
        compute: impl Future<Output = Result<Bytes, Error>>,
    ) -> Result<Answer, Error> {
        for _ in 0..FLIGHTS {
            if let Err(error) = looked {
                let error = error.to_string();
                return self.detour(key, &Bypass::StoreFailed { command: "get", error: &error }, compute).await;
            }
            match self.flights.join(key) {
                Seat::Leader(leader) => return self.lead(key, call, leader, compute).await,
                Seat::Follower(follower) => {
                    if let Some(outcome) = self.follow(key, follower).await {
                        return outcome;
                    }
                }
            }
            looked = match self.look(key, call).await {
                Ok(Some(json)) => {
                    self.events.emit(&Event::Hit { key });
                    return Ok(Answer::cached(json));
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
        }
        self.detour(key, &Bypass::WaitedTooLong, compute).await
    }

    /// Claims the key, computes its value, fills it in, and hands it to the followers.
    async fn lead(
        &self,
        key: &str,
        call: &Call,
        leader: Leader<'_>,
        compute: impl Future<Output = Result<Bytes, Error>>,
    ) -> Result<Answer, Error> {
        let claim = match self.claims.claim(self.store.shared(), key, call.has_copy(), &leader).await {
            Waited::Hit { json, waited } => {
                self.events.emit(&Event::Followed { key, waited });
                let answer = Answer::cached(json);
                leader.land(Ok(answer.clone()), false);
                return Ok(answer.followed());
            }
            Waited::Granted(claim) => claim,
            Waited::TooLong => {
                self.events.emit(&Event::Bypassed { key, why: Bypass::WaitedTooLong });
                return self.read_alone(key, leader, compute).await;
            }
            Waited::Failed(error) => {
                self.away(key, "claim", &error);
                return self.read_alone(key, leader, compute).await;
            }
        };
        self.events.emit(&Event::Miss { key });

        leader.begin_read();
        let outcome = self.computed(key, compute).await;
        // Whoever comes from now on may come after an invalidation that the fill can't see any more.
        leader.close();
        let accepted = match &outcome {
            Ok(json) => self.fill(key, call, claim, json).await,
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
    async fn detour(
        &self,
        key: &str,
        why: &Bypass<'_>,
        compute: impl Future<Output = Result<Bytes, Error>>,
    ) -> Result<Answer, Error> {
        for _ in 0..FLIGHTS {
            match self.flights.join(key) {
                Seat::Leader(leader) => {
                    self.events.emit(&Event::Bypassed { key, why: why.clone() });
                    return self.read_alone(key, leader, compute).await;
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

    /// Computes the value without the cache, once for all who came before the computation began. Whoever comes later waits for the next.
    async fn read_alone(
        &self,
        key: &str,
        mut leader: Leader<'_>,
        compute: impl Future<Output = Result<Bytes, Error>>,
    ) -> Result<Answer, Error> {
        leader.turn().await;
        leader.begin_read();
        leader.close();
        let outcome = self.computed(key, compute).await.map(Answer::computed);
        leader.land(outcome.clone(), false);
        outcome
    }

    /// Computes the value and leaves the cache alone.
    async fn bypass(
        &self,
        key: &str,
        why: &Bypass<'_>,
        compute: impl Future<Output = Result<Bytes, Error>>,
    ) -> Result<Answer, Error> {
        self.events.emit(&Event::Bypassed { key, why: why.clone() });
        self.computed(key, compute).await.map(Answer::computed)
    }

    pub(crate) async fn computed(
        &self,
        key: &str,
        compute: impl Future<Output = Result<Bytes, Error>>,
    ) -> Result<Bytes, Error> {
        let began = Instant::now();
        let outcome = compute.await;
        let took = began.elapsed();
        match &outcome {
            Ok(_) => self.events.emit(&Event::Computed { key, took }),
            Err(error) => self.events.emit(&Event::Failed { key, took, error: &error.to_string() }),
        }
        self.refreshes.computed(key, took);
        outcome
    }

    pub(crate) async fn fill(&self, key: &str, call: &Call, claim: Held, json: &Bytes) -> bool {
        if json.len() > self.max_value {
            let why = Bypass::TooLarge { bytes: json.len(), limit: self.max_value };
            self.events.emit(&Event::Bypassed { key, why });
            claim.release().await;
            return false;
        }
        let life = call.life();
        match claim.fill(json.clone(), life).await {
            Ok(true) => {
                self.refreshes.filled(key, call, life.ttl);
                self.events.emit(&Event::Filled { key, ttl: life.ttl, bytes: json.len() });
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

    /// Whether a value from the cache can be one of this call's. What lies between its ends only a decoder can tell.
    fn check(&self, json: &[u8], call: &Call) -> Result<(), String> {
        if json.len() > self.max_value {
            return Err(format!("it has {} bytes, and the limit is {}", json.len(), self.max_value));
        }
        if call.rows && !matches!(json, [b'[', .., b']']) {
            return Err("it is no JSON array, or only a part of one".into());
        }
        Ok(())
    }

    /// Takes a value that can't be used out of the cache, and its claim and its copy with it.
    pub(crate) async fn discard(&self, key: &str, wrong: &str) -> Result<(), StoreError> {
        self.events.emit(&Event::BadValue { key, error: wrong });
        self.store.shared().remove(&[Bytes::copy_from_slice(key.as_bytes())]).await.map(drop)
    }

    fn away(&self, key: &str, command: &'static str, error: &StoreError) {
        let error = error.to_string();
        self.events.emit(&Event::Bypassed { key, why: Bypass::StoreFailed { command, error: &error } });
    }
}
